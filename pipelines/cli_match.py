"""The command `match`: any two tables, or one with itself, through the engine of the night. Imports nothing heavy."""

import ctypes
import json
import os
import sys
import time
import traceback
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands import FINE, LOOK, CannotRun, command, refused

if TYPE_CHECKING:
    from matching.linking import Links

FILE = click.Path(dir_okay=False, path_type=Path)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""

_LARGE = 100 << 20
"""Bytes of tables beyond which memory is dearer than time. Measured with 2.7 million records on the left: keeping what was
given back took a tenth more of it."""


def _keep_memory(tables: list[Path]) -> None:
    """Memory that one step gives back is kept for the next: fresh pages cost a tenth of the time of a match.

    Has to come before polars is loaded. Two allocators are told, each in its own way: that of polars (jemalloc, by its
    variable, unless somebody set it) and that of numpy (glibc). Where they are others, nothing happens.
    """
    if sys.platform != "linux" or sum(table.stat().st_size for table in tables if table.is_file()) > _LARGE:
        return
    os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:2,dirty_decay_ms:5000")
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, 512 << 20)
        mallopt(_MMAP_THRESHOLD, 32 << 20)


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
    _keep_memory([left, *([] if right is None else [right])])
    from data_contracts.field_types import hide_numbers
    from matching import linking
    from matching.spec import Spec

    began = time.monotonic()
    steps: list[tuple[str, float]] = []

    def told(text: str) -> None:
        steps.append((text, time.monotonic() - began))
        click.echo(f"{steps[-1][1]:6.1f} s  {text}", err=True)

    for target in (out, report, save_model):
        if target is not None and not target.parent.is_dir():
            raise CannotRun(f"there is no folder {hide_numbers(str(target.parent))}")
    if out.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise CannotRun("--out writes .csv (opens in spreadsheets) or Parquet, no workbooks")
    _refuse_to_overwrite(
        [left, right, spec_file, model_file], {"--out": out, "--report": report, "--save-model": save_model}
    )
    spec = Spec.load(spec_file)
    model = None if model_file is None else linking.load_model(model_file)
    day = spec.as_of or date.today()
    try:
        links = linking.link_files(left, right, spec, dedupe=dedupe, model=model, as_of=day, told=told)
    except Exception as error:
        if refused(error):
            said = str(error)
            if said.startswith("spec: "):
                raise CannotRun(said.replace("spec", hide_numbers(spec_file.name), 1)) from None
            raise
        raise CannotRun(_unforeseen(error)) from None
    linking.write_links(links.frame, out)
    told(f"{links.frame.height:,} links in {hide_numbers(out.name)}")
    if save_model is not None:
        linking.save_model(
            links, save_model, {"date": day.isoformat(), "version": version("hardship-watch")} | links.counts
        )
    seconds = round(time.monotonic() - began, 1)
    covered = (
        _report(report, links, [left, *([] if right is None else [right])], day, steps, seconds)
        if report
        else []
    )
    summary = {"links": links.frame.height} | links.counts | {"problems": links.problems, "seconds": seconds}
    if as_json:
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
    for line in [*(f"look at {problem}" for problem in links.problems), *covered]:
        click.echo(line, err=True)
    return FINE if links.frame.height and not links.problems and not covered else LOOK


def _refuse_to_overwrite(given: list[Path | None], targets: dict[str, Path | None]) -> None:
    """What is written may be neither what is read nor twice the same; rates may be taken up and written back."""
    *tables, model = given
    taken = {path.resolve(): "one of the files that are read" for path in tables if path is not None}
    for option, target in targets.items():
        if target is None:
            continue
        place = target.resolve()
        if place in taken or (option != "--save-model" and model is not None and place == model.resolve()):
            raise CannotRun(f"{option} would overwrite {taken.get(place, 'the file of --model')}")
        taken[place] = f"what {option} writes"


def _report(
    path: Path, links: "Links", tables: list[Path], day: date, steps: list[tuple[str, float]], seconds: float
) -> list[str]:
    """Writes the page; what had to be covered in it, which calls for somebody."""
    from matching.figures import figures
    from reports.masking import Gate
    from reports.match_page import match_page

    gate = Gate()
    found = figures(links)
    body = match_page(
        title="查重报告" if links.is_one_table else "两表核对报告",
        tables=[table.name for table in tables],
        day=day.isoformat(),
        counts=found.counts,
        weights=found.weights,
        bounds=found.bounds,
        rates=found.rates,
        keys=found.keys,
        alone=found.alone,
        carries=found.carries,
        steps=steps,
        seconds=seconds,
        gate=gate,
    )
    path.write_bytes(body)
    return gate.attention()


def _unforeseen(error: Exception) -> str:
    """Where an error arose and of what kind; not its words, which may quote a value."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} in {Path(at.filename).stem}, line {at.lineno}"
