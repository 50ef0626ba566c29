"""What is thrown away: raw deliveries and raw rows in quarantine after their time, and what a killed night left behind.

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
"""Days for which a raw delivery, and the raw text of rows in quarantine, is kept, counted from the business date (domain facts: "raw extracts deleted after
[90] days unless the agreement says otherwise"; a proposal, to be fixed in each sharing agreement)."""


@dataclass(frozen=True)
class Purged:
    """One thing that was, or on a dry run would be, removed."""

    what: str
    path: str
    files: int
    bytes: int


def purge(root: Path, as_of: date, keep_days: int = KEEP_DAYS, dry_run: bool = True) -> list[Purged]:
    """Remove what is dated more than `keep_days` before `as_of` in inbox and quarantine, and every draft.

    Drafts are files and folders that a killed night left in lake and outbox: do not purge while a night runs. Paths in the result are relative to `root`. Nothing is removed on a dry run. ValueError when `keep_days` is
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
        if _before(folder, folder.name, oldest):
            yield "inbox", folder
    gone = set()
    for folder in sorted((root / "lake" / "quarantine").glob("*/batch_date=*")):
        if _before(folder, folder.name.removeprefix("batch_date="), oldest):
            gone.add(folder)
            yield "quarantine", folder
    # A night writes its outputs into .draft-<date>, and moves what they replace to .old-<date>.
    unfinished = [p for name in (".draft-*", ".old-*") for p in (root / "outbox").glob(name)]
    drafts = [p for room in ("lake", "outbox") for p in (root / room).rglob("*.draft")]
    for path in sorted([*unfinished, *drafts]):
        if gone.isdisjoint(path.parents) and not set(unfinished) & set(path.parents):
            yield "draft", path


def _before(folder: Path, name: str, oldest: date) -> bool:
    try:
        return folder.is_dir() and date.fromisoformat(name) < oldest
    except ValueError:
        return False


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
        "到期的原始文件、隔离区原始行与残留草稿。默认只报告不删除。\n\n"
        "Raw deliveries and quarantined rows past their time, left-over drafts. Only reports unless dry_run is false."
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
