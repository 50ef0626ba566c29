"""The command `match`: any two tables, or one with itself, through the engine of the night. Imports nothing heavy."""

import time
from datetime import date
from pathlib import Path

import click

from pipelines.commands import CANNOT, FINE, CannotRun, command

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("left", type=FILE)
@click.argument("right", type=FILE, required=False)
@click.option("--spec", "spec_file", type=FILE, required=True, help="Which column is which kind of evidence.")
@click.option("--out", type=FILE, required=True, help="Links: .csv, else Parquet.")
@click.option("--dedupe", is_flag=True, help="Search each table for persons that it holds more than once.")
@click.option("--report", type=FILE, help="A page (HTML) about the match; it names no person.")
@click.option("--model", "model_file", type=FILE, help="Rates to start from, of an earlier match.")
@click.option("--save-model", type=FILE, help="Where to write the rates as estimated.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@command
def match(
    left: Path,
    right: Path | None,
    spec_file: Path,
    out: Path,
    dedupe: bool,
    report: Path | None,
    model_file: Path | None,
    save_model: Path | None,
    as_json: bool,
) -> int:
    """Say which records of two tables (Parquet or delimited text) are the same person, and why.

    LEFT is the registry, RIGHT the list whose records are to be found in it. docs/matching.md explains the specification.

    Example: hardship-watch match registry.parquet hospital.csv --spec hospital.yaml --out links.parquet --report match.html
    """
    from matching import linking
    from matching.spec import Spec

    began = time.monotonic()

    def told(text: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f} s  {text}", err=True)

    for target in (out, report, save_model):
        if target is not None and not target.parent.is_dir():
            raise CannotRun(f"there is no folder {target.parent}")
    spec = Spec.load(spec_file)
    links = linking.link_files(left, right, spec, as_of=date.today(), told=told)
    linking.write_links(links.frame, out)
    told(f"{links.frame.height:,} links in {out.name}")
    return FINE


__all__ = ["CANNOT", "match"]
