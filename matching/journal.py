"""Where decisions lie between nights: files that only grow, in one folder of the lake. What a decision is, is in `decisions`.

`journal_<date>.jsonl` is written by people's tools, a line a decision, each on the disk before the next question is
asked; `<name>_batch_date=<date>.parquet` is written by the night of that date (review files of the inbox, answers of officers,
decisions under a new key). A night reads what is dated up to its own day.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
from datetime import date
from pathlib import Path

import polars as pl

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
    """All decisions in files dated up to a day (`decisions.SCHEMA`); files without a date are of every day.

    A line that was cut short is nothing. Raises `decisions.DecisionError` for a whole line that is no row.
    """
    frames = []
    for path in sorted(folder.glob("*")):
        dated = _DATED.search(path.stem)
        if not path.is_file() or path.name[0] == "." or (dated and date.fromisoformat(dated[1]) > as_of):
            continue
        if path.suffix == ".parquet":
            frames.append(pl.read_parquet(path))
        elif path.suffix == ".jsonl":
            frames.append(_lines(path))
    return decisions.merged(frames)


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


def _lines(path: Path) -> pl.DataFrame:
    body = path.read_bytes()
    rows = []
    for line in body.split(b"\n"):
        if not line:
            continue
        try:
            row = json.loads(line)
        except ValueError:
            # Cut short: the reviewer was not told that it was written.
            continue
        if not isinstance(row, dict):
            raise decisions.DecisionError(f"{path.name}: a line is no decision")
        rows.append(row)
    if not rows:
        return decisions.SCHEMA.to_frame()
    text = pl.read_ndjson(
        io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows)),
        schema={name: pl.String if kind == pl.Date else kind for name, kind in decisions.SCHEMA.items()},
    )
    return text.with_columns(pl.col("decided_on").str.to_date("%Y-%m-%d", strict=False))
