"""What is thrown away: raw deliveries after their time, and drafts that a killed night left behind.

Nothing accepted is touched: the lake is append-only and every past night can be rebuilt from it.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from assets.io import OWNER, Home, table
from assets.partitions import batch_date, day_of

KEEP_DAYS = 90
"""Days for which a raw delivery is kept, counted from the business date (domain facts: "raw extracts deleted after
[90] days unless the agreement says otherwise"; a proposal, to be fixed in each sharing agreement)."""


@dataclass(frozen=True)
class Purged:
    """One thing that was, or on a dry run would be, removed."""

    what: str
    path: str
    files: int
    bytes: int


def purge(root: Path, as_of: date, keep_days: int = KEEP_DAYS, dry_run: bool = True) -> list[Purged]:
    """Remove inbox folders whose date is more than `keep_days` before `as_of`, and every draft in lake and outbox.

    Paths in the result are relative to `root`. Nothing is removed on a dry run. ValueError when `keep_days` is
    negative.
    """
    if keep_days < 0:
        raise ValueError("keep_days must not be negative")
    found = []
    for what, path in _candidates(root, as_of - timedelta(days=keep_days)):
        files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
        found.append(
            Purged(what, str(path.relative_to(root)), len(files), sum(p.stat().st_size for p in files))
        )
        if not dry_run:
            path.unlink() if path.is_file() else shutil.rmtree(path)
    return found


def _candidates(root: Path, oldest: date) -> Iterator[tuple[str, Path]]:
    for folder in sorted((root / "inbox").glob("????-??-??")):
        try:
            day = date.fromisoformat(folder.name)
        except ValueError:
            continue
        if folder.is_dir() and day < oldest:
            yield "inbox", folder
    for room in ("lake", "outbox"):
        for draft in sorted((root / room).rglob("*.draft")):
            yield "draft", draft


class PurgeConfig(dg.Config):
    """What to keep. A dry run, which is the default, only reports."""

    keep_days: int = KEEP_DAYS
    dry_run: bool = True


@dg.asset(
    key="purged_deliveries",
    group_name="retention",
    partitions_def=batch_date,
    owners=[OWNER],
    kinds={"file"},
    description=(
        "到期的原始文件与残留草稿。默认只报告不删除。\n\n"
        "Raw deliveries past their time and left-over drafts. Only reports unless dry_run is false."
    ),
)
def purged_deliveries(
    context: dg.AssetExecutionContext, config: PurgeConfig, home: Home
) -> dg.MaterializeResult:
    """Purge, as seen from the business date."""
    found = purge(Path(home.root), day_of(context), config.keep_days, config.dry_run)
    frame = pl.DataFrame([vars(item) for item in found], schema=["what", "path", "files", "bytes"])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(found),
            "dry_run": config.dry_run,
            "bytes": sum(item.bytes for item in found),
            "purged": table(frame, 50),
        }
    )
