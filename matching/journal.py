"""Where decisions lie between nights: files that only grow, in one folder of the lake. What a decision is, is in `decisions`.

`journal_<date>.jsonl` is written by people's tools, a line a decision, each on the disk before the next question is
asked; `<name>_batch_date=<date>.parquet` is written by the night of that date (review files of the inbox, answers of officers,
decisions under a new key). A night reads what is dated up to its own day.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from datetime import date
from pathlib import Path

import polars as pl

from data_contracts.field_types import hide_numbers
from matching import decisions

FOLDER = "decisions"
"""In the lake."""

FOR_REVIEW = "for_review"
"""Below it: records that an officer's answer may mean, by night; questions, not decisions."""

_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})$")


def _journal(folder: Path, day: date) -> Path:
    return folder / f"journal_{day}.jsonl"


def append(folder: Path, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """Write decisions (`decisions.SCHEMA`) at the end of the journal of a day; the rows with their `entry`.

    The rows are on the disk when this returns. Several reviewers may write at once: entries are counted under a lock. What was
    written is never touched; only a last line that a power failure cut short is closed, so that the next stands alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # It says who is who: for the owner of the deployment alone.
    handle = os.open(_journal(folder, day), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        before = file.read()
        first = before.count(b"\n") + 1
        lacks_end = bool(before) and not before.endswith(b"\n")
        written = rows.with_columns(
            (pl.int_range(pl.len(), dtype=pl.Int64) + first + int(lacks_end)).alias("entry")
        ).cast(decisions.SCHEMA)
        lines = b"".join(
            json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"
            for row in written.select(decisions.SCHEMA.names()).iter_rows(named=True)
        )
        file.write(b"\n" * lacks_end + lines)
        file.flush()
        os.fsync(file.fileno())
    return written


def stored(folder: Path, as_of: date) -> pl.DataFrame:
    """All decisions in files dated up to a day (`decisions.SCHEMA`), without what `read` calls a problem."""
    return read(folder, as_of).rows


def read(folder: Path, as_of: date) -> decisions.Taken:
    """The same with problems: one Chinese line a file that could not be read or holds rows that are no decisions.

    Files without a date are of every day. A line that was cut short is nothing, since the reviewer was not told that it
    was written. One bad file or row never hides the others.
    """
    frames: list[pl.DataFrame] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*")):
        if not path.is_file() or path.name[0] == "." or path.suffix not in (".parquet", ".jsonl"):
            continue
        shown = hide_numbers(path.name)
        dated = _DATED.search(path.stem)
        try:
            if dated and date.fromisoformat(dated[1]) > as_of:
                continue
        except ValueError:
            problems.append(f"决定文件{shown}：文件名中的日期不存在，未读取，请改名。")
            continue
        try:
            frame, faulty = _lines(path) if path.suffix == ".jsonl" else (pl.read_parquet(path), 0)
            good, lacking = decisions.sound(decisions.aligned(frame))
        except (OSError, pl.exceptions.PolarsError) as error:
            problems.append(f"决定文件{shown}无法读取（{type(error).__name__}），未采用，请修复。")
            continue
        frames.append(good)
        if faulty + lacking:
            problems.append(
                f"决定文件{shown}：{faulty + lacking}行缺少记录、人员、答复、审核人员或有效日期，未采用，请更正。"
            )
    return decisions.Taken(decisions.merged(frames), problems)


def for_review(folder: Path, as_of: date) -> pl.DataFrame:
    """What answers up to a night left open: `identity_key`, `person_id`, `who`, `decided_on`."""
    paths = [
        path
        for path in sorted((folder / FOR_REVIEW).glob("batch_date=*.parquet"))
        if path.stem <= f"batch_date={as_of}"
    ]
    schema = {name: decisions.SCHEMA[name] for name in ("identity_key", "person_id", "who", "decided_on")}
    frames = [pl.read_parquet(path).select(*schema) for path in paths]
    return pl.concat([pl.DataFrame(schema=schema), *frames]).unique().sort(pl.all())


def _lines(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of a journal, and how many whole lines are no rows."""
    rows, faulty = [], 0
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            # Cut short: the reviewer was not told that it was written.
            continue
        if isinstance(row, dict) and all(
            _fits(row.get(name), kind) for name, kind in decisions.SCHEMA.items()
        ):
            rows.append({name: row.get(name) for name in decisions.SCHEMA})
        else:
            faulty += 1
    text = {name: pl.String if kind == pl.Date else kind for name, kind in decisions.SCHEMA.items()}
    found = pl.DataFrame(rows, schema=text)
    return found.with_columns(pl.col("decided_on").str.to_date("%Y-%m-%d", strict=False)), faulty


def _fits(value: object, kind: pl.DataType) -> bool:
    """Whether a value of JSON can stand in a column; null can in each."""
    if kind == pl.Int64:
        return value is None or (type(value) is int and abs(value) < 1 << 63)
    return value is None or isinstance(value, str)
