"""The command `review`: grey pairs for a person to decide, on the terminal or by file. Imports nothing heavy."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pipelines.commands import FINE, LOOK, CannotRun, command

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--reviewer", required=True, help="Who decides: staff number or short name.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Business date from which the decisions count [the day after the newest night].",
)
@click.option("--plain", is_flag=True, help="Line by line, without colours: for screen readers and scripts.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many pairs.")
@click.option("--export", "out", type=FILE, help="Write the pairs to a workbook (.xlsx) or text file (.csv).")
@click.option(
    "--import",
    "filled",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the answers of a filled file (.xlsx, .csv, .yaml).",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="Export so many links of all strengths for a blind review; --import of the answers says how many are right.",
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Draws the sample.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.pass_obj
@command
def review(
    home: Path,
    reviewer: str,
    day: datetime | None,
    plain: bool,
    limit: int | None,
    out: Path | None,
    filled: Path | None,
    sample: int | None,
    seed: int,
    as_json: bool,
) -> int:
    """Decide about records of which the machine is not sure whose they are. Keyboard only; every answer is kept at once.

    Keys: s same person, n not the same, u unsure, z undo, space later, q quit. Names are shown, numbers only where they differ.

    Example: hardship-watch review --reviewer 0417 --date 2025-11-20
    """
    from data_contracts.field_types import hide_numbers
    from pipelines import reviewing
    from reports import reviews

    if out and filled:
        raise CannotRun("--export and --import are two different things")
    if sample and not out:
        raise CannotRun("--sample goes with --export FILE")
    work = reviewing.prepare(home, reviewer, day.date() if day else None, limit)
    done: dict[str, Any] = {
        "reviewer": work.who,
        "date": str(work.day),
        "night": str(work.night),
        "pairs": work.queue.height,
    }
    problems = list(work.problems)
    try:
        if out:
            if not out.parent.is_dir():
                raise CannotRun(f"there is no folder {hide_numbers(str(out.parent))}")
            rows = reviewing.draw_sample(home, work, sample, seed) if sample else reviewing.sheet(work)
            title = "关联质量抽查" if sample else "待人工确认的记录"
            reviews.write_review(out, rows, work.day, title, () if sample else reviewing.HIDDEN)
            done |= {"file": str(out), "pairs": rows.height}
        elif filled:
            table = reviews.read_review(filled)
            if reviewing.SAMPLE in table.columns:
                done |= {"precision": reviewing.judge_sample(home, table).to_dicts()}
            else:
                keys = reviewing.identity_keys(home, work.night)
                written, known, said = reviewing.take_file(work, table, keys)
                problems += said
                done |= {"written": written, "already_there": known}
        else:
            session = reviewing.Session(work)
            if work.queue.height and plain:
                reviewing.plain(session, sys.stdin.readline, lambda text: click.echo(text, nl=False))
            elif work.queue.height:
                reviewing.on_terminal(session)
            done |= {"written": session.written, "answered": len(session.answers)}
    except reviews.ReviewFileError as error:
        raise CannotRun(str(error)) from None
    if problems or filled:
        done |= {"problems": problems}
    click.echo(json.dumps(done, ensure_ascii=False) if as_json else _said(done))
    for line in [] if as_json else problems:
        click.echo(f"look at {line}")
    return LOOK if problems else FINE


def _said(done: dict[str, Any]) -> str:
    if "file" in done:
        return f"{done['pairs']} pairs -> {done['file']}; restricted: it names people"
    if isinstance(done.get("precision"), list):
        return "\n".join(_measured(row) for row in done["precision"])
    if "already_there" in done:
        return f"{done['written']} decisions written, {done['already_there']} were there already; they count from {done['date']} on"
    if not done["pairs"]:
        return "没有待人工确认的记录。"
    return f"{done['answered']} of {done['pairs']} pairs decided, {done['written']} rows written; they count from {done['date']} on"


def _measured(row: dict[str, Any]) -> str:
    if row["precision"] is None:
        return f"{row['stratum']}: {row['in_stratum']} links, none judged"
    return (
        f"{row['stratum']}: {row['in_stratum']} links, {row['same']} right and {row['not_same']} wrong of "
        f"{row['answered']} judged, precision {row['precision']:.4f} ({row['precision_low']:.4f}-{row['precision_high']:.4f})"
    )
