"""The command `rates`: rates of the matching estimated from a night, held against what is known. Imports nothing heavy."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import FINE, LOOK, CannotRun, command

if TYPE_CHECKING:
    import polars as pl

    from matching.estimating import Estimate

DAY = click.DateTime(["%Y-%m-%d"])
TOLD = 12
"""So many of the rates that changed most are told."""


@click.command()
@click.option("--date", "day", type=DAY, help="The night from which rates are estimated [the newest].")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Draws the samples.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the rates (YAML); they name no person.",
)
@click.option("--from", "since", type=DAY, help="Adopt them: every night from this day on weighs with them.")
@click.option("--json", "as_json", is_flag=True, help="Print table and changes as JSON.")
@click.pass_obj
@command
def rates(
    home: Path, day: datetime | None, seed: int, out: Path, since: datetime | None, as_json: bool
) -> int:
    """Estimate how the sources of this deployment write persons down, and say how far weights can be trusted.

    Without --from nothing changes: look at the table first. docs/matching.md says how to read it.

    Example: hardship-watch rates --date 2025-12-17 --out rates.yaml --from 2025-12-18
    """
    import polars as pl

    from data_contracts.field_types import hide_numbers
    from matching import estimating, software
    from matching import rates as known

    lake = home / "lake"
    night = _night(lake, day.date() if day else None)
    if not out.absolute().parent.is_dir():
        raise CannotRun(f"there is no folder {hide_numbers(str(out.parent))}")
    if since:
        _must_be_ahead(lake, since.date())
    identities = lake / "identities" / f"batch_date={night}.parquet"
    keys = lake / "persons" / f"batch_date={night}" / "keys.parquet"
    for path in (identities, keys):
        if not path.is_file():
            raise CannotRun(f"the state of {night} is not whole: {path.relative_to(home)} is not there")
    if _release(lake, night) != software.digest():
        raise CannotRun(f"{night} was decided by another release; run a night with this one first")
    try:
        found = estimating.estimate(pl.read_parquet(identities), pl.read_parquet(keys), night, seed=seed)
        before = known.in_force(lake / known.FOLDER, night)
    except (estimating.TooFewError, ValueError) as error:
        raise CannotRun(str(error)) from None
    changed = estimating.changes(before, found.model).head(TOLD)
    found.model.save(out)
    if since:
        known.adopt(found.model, lake / known.FOLDER, since.date())
    sure = found.table.filter(pl.col("says") == estimating.TOO_SURE)["band"].to_list()
    if as_json:
        body: dict[str, Any] = {
            "night": str(night),
            "version": found.model.version,
            "counts": found.counts,
            "calibration": found.table.to_dicts(),
            "changes": changed.to_dicts(),
            "file": str(out),
            "from": str(since.date()) if since else None,
        }
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        told = [*_table(found), "", *_changes(changed, before.version), ""]
        told.append(f"rates {found.model.version} -> {out}")
        told.append(
            f"every night from {since.date()} on weighs with them"
            if since
            else "not adopted: nights weigh as before; --from DAY adopts them"
        )
        told += [f"look at weight {band}: more links are wrong than the rates promise" for band in sure]
        click.echo("\n".join(told))
    return LOOK if sure else FINE


def _night(lake: Path, day: date | None) -> date:
    """The night asked for, or the newest that is complete; CannotRun when it is not there."""
    from assets.io import DONE

    done = sorted(
        path.parent.name.removeprefix("batch_date=") for path in (lake / "persons").glob(f"*/{DONE}")
    )
    if not done:
        raise CannotRun(f"no night was run yet in {lake.parent}; run one first")
    if day and str(day) not in done:
        raise CannotRun(
            f"there is no complete night of {day}; there are {len(done)} from {done[0]} to {done[-1]}"
        )
    return day or date.fromisoformat(done[-1])


def _release(lake: Path, night: date) -> str | None:
    """What decided a night, as its state says."""
    import polars as pl

    path = lake / "persons" / f"batch_date={night}" / "software.parquet"
    return pl.read_parquet(path).item() if path.is_file() else None


def _must_be_ahead(lake: Path, since: date) -> None:
    """Rates count from a day that no night has used yet: past nights must be proved with the rates of their day."""
    days = [path.name.removeprefix("batch_date=") for path in (lake / "persons").glob("batch_date=*")]
    if days and str(since) <= max(days):
        raise CannotRun(
            f"--from {since}: the night of {max(days)} was run already and keeps its rates; name a later day"
        )


def _table(found: "Estimate") -> list[str]:
    counts = found.counts
    lines = [
        f"{counts['hidden']:,} persons, one record of each looked for as if it had no number; {counts['hidden_absent']:,} of "
        f"the persons taken away; {counts['hidden_linked']:,} records got a link:",
        f"{'weight (bits)':<14}{'links':>8}{'expected right':>16}{'right':>8}{'share right (95 %)':>28}",
    ]
    for row in found.table.iter_rows(named=True):
        share = f"{row['share']:.2%} ({row['share_low']:.2%}-{row['share_high']:.2%})"
        lines.append(
            f"{row['band']:<14}{row['links']:>8,}{row['expected']:>16,.1f}{row['right']:>8,}{share:>28}  {row['says']}"
        )
    return lines


def _changes(changed: "pl.DataFrame", before: str) -> list[str]:
    """A line each rate: how often a record of the same person shows it, then and now."""
    lines = [f"changed most against rates {before}:"]
    for name, level, was, now, bits in changed.rows():
        times = f"{2**bits:.1f} times as often" if bits >= 0 else f"{2**-bits:.1f} times as rarely"
        lines.append(f"  {name}, {level}: {was:.3%} -> {now:.3%}, {times}")
    return lines
