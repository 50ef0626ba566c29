"""Runs a night through Dagster in this process, and says in numbers what it brought."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines.alerts import FileChannel, run_failed
from pipelines.deployments import instance, quick_history
from pipelines.jobs import QUIET

ROWS = ("rows_received", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")
LISTS = ("help_in", "check_out")
LEVELS = ("red", "orange", "yellow", "blue")

Progress = Callable[[str, int, int], None]
"""Told the name of a step, how many are done and how many there are."""


class CannotRun(Exception):  # noqa: N818
    """The night cannot start; the message says why and what to do."""


@dataclass
class Night:
    """One night in numbers. `look_at` lists, in plain words, what somebody should look at."""

    batch_date: str
    finished: bool = True
    failed_steps: list[str] = field(default_factory=list)
    files: int = 0
    classes: int = 0
    rows_received: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    residual: int = 0
    issues: int = 0
    persons: int = 0
    households: int = 0
    warnings: dict[str, dict[str, int]] = field(default_factory=dict)
    rules_off: list[str] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    look_at: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


def days(first: date, last: date) -> Iterator[date]:
    """Every business date from the first to the last, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def run(
    home: Path,
    day: date,
    job: str = "night",
    only: Sequence[dg.AssetKey] | None = None,
    tell: Progress | None = None,
) -> tuple[bool, list[str]]:
    """Run a job for one business date in this process; whether it succeeded, and the steps that failed.

    CannotRun when the date is no partition or the assets do not exist. A failed run sends the alert that the
    run-failure sensor would send.
    """
    from pipelines.definitions import build

    definitions = build(home)
    found = definitions.resolve_job_def(job)
    partitions = found.partitions_def
    if partitions is None or not partitions.has_partition_key(day.isoformat()):
        raise CannotRun(f"{day} is not a business date that can be run (from 2024-01-01 to today)")
    with quick_history(), instance(home) as remembered:
        run_id = str(uuid.uuid4())
        done: list[str] = []
        selected = found.get_subset(asset_selection=set(only)) if only else found
        steps = len(selected.graph.node_defs) if tell else 0
        failed: list[str] = []

        def hear(entry: dg.EventLogEntry) -> None:
            event = entry.dagster_event
            if event is None or event.step_key is None:
                return
            if event.is_step_start and tell:
                tell(event.step_key, len(done), steps)
            if event.is_step_success or event.is_step_failure:
                done.append(event.step_key)
            if event.is_step_failure:
                failed.append(event.step_key)

        remembered.add_event_listener(run_id, hear)
        result = found.execute_in_process(
            instance=remembered,
            partition_key=day.isoformat(),
            asset_selection=list(only) if only else None,
            run_config=QUIET,
            run_id=run_id,
            raise_on_error=False,
        )
        if not result.success:
            FileChannel(home).send(run_failed(result.dagster_run, sorted(failed)))
        return result.success, sorted(failed)


def summary(home: Path, day: date) -> Night:
    """What the lake and the outbox hold of a night; zeros where nothing was written yet."""
    lake = home / "lake"
    night = Night(day.isoformat())
    ledger = _per_class(lake, "ledger", day)
    if not ledger.is_empty():
        night.files = ledger.height
        night.classes = ledger["class_id"].n_unique()
        for column in ROWS:
            setattr(night, column, int(ledger[column].sum()))
        night.residual = night.rows_received - sum(getattr(night, column) for column in ROWS[1:])
    issues = _per_class(lake, "issues", day)
    night.issues = int(issues["rows"].sum()) if not issues.is_empty() else 0
    night.persons = _count(
        lake / "persons" / f"batch_date={day}" / "persons.parquet", pl.col("status") == "active"
    )
    night.households = _count(lake / "households" / f"batch_date={day}" / "household.parquet")
    risk = lake / "risk" / f"batch_date={day}"
    if (risk / "warnings.parquet").is_file():
        counted = pl.scan_parquet(risk / "warnings.parquet").group_by("list_kind", "level").len().collect()
        found = {(kind, level): n for kind, level, n in counted.rows()}
        night.warnings = {
            kind: {level: found[kind, level] for level in LEVELS if (kind, level) in found} for kind in LISTS
        }
    if (risk / "rule_status.parquet").is_file():
        off = pl.read_parquet(risk / "rule_status.parquet").filter(pl.col("status") == "off")
        night.rules_off = sorted(set(off["rule_id"]))
    status = lake / "facts" / f"batch_date={day}" / "source_status.parquet"
    if status.is_file():
        night.sources = dict(pl.read_parquet(status).group_by("status").len().sort("status").rows())
    outbox = home / "outbox" / day.isoformat()
    paths = sorted(p for p in outbox.rglob("*") if p.is_file() and not p.name.startswith("."))
    night.lists = [str(p) for p in paths if p.suffix == ".xlsx"]
    night.reports = [str(p) for p in paths if p.suffix in {".html", ".json"}]
    night.look_at = [*_look_at(night, ledger), *_checks_to_look_at(lake, day), *_unclaimed(lake, day)]
    return night


def _look_at(night: Night, ledger: pl.DataFrame) -> list[str]:
    found = []
    if night.residual:
        found.append(f"ledger residual {night.residual} rows")
    if not ledger.is_empty():
        bad = ledger.filter(~pl.col("status").is_in(["accepted", "duplicate"])).sort("class_id", "file")
        found += [
            f"{row['class_id']}: {row['file']} {row['status']}"
            + (f" ({row['control_note_zh']})" if row["control_note_zh"] else "")
            for row in bad.iter_rows(named=True)
        ]
    return found


def _checks_to_look_at(lake: Path, day: date) -> list[str]:
    checks = _per_class(lake, "checks", day)
    if checks.is_empty():
        return []
    hard = (pl.col("outcome") == "engine_error") | (
        (pl.col("outcome") == "failed") & (pl.col("severity") == "error")
    )
    bad = checks.filter(hard).group_by("class_id", "outcome").len().sort("class_id", "outcome")
    return [f"{class_id}: {n} checks {outcome}" for class_id, outcome, n in bad.rows()]


def _unclaimed(lake: Path, day: date) -> list[str]:
    files = _per_class(lake, "unclaimed", day)
    return [f"{name}: {message}" for name, message in sorted(files.rows())] if not files.is_empty() else []


def _per_class(lake: Path, kind: str, day: date) -> pl.DataFrame:
    frames = [pl.read_parquet(path) for path in sorted((lake / kind).glob(f"*/batch_date={day}.parquet"))]
    return pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()


def _count(path: Path, where: pl.Expr | None = None) -> int:
    if not path.is_file():
        return 0
    scan = pl.scan_parquet(path)
    return int((scan.filter(where) if where is not None else scan).select(pl.len()).collect().item())


def known_days(home: Path) -> list[date]:
    """Business dates of which the lake knows something, oldest first."""
    found: set[date] = set()
    for path in (home / "lake").glob("ledger/*/batch_date=*.parquet"):
        found.add(date.fromisoformat(path.stem.removeprefix("batch_date=")))
    return sorted(found)


def latest_folder(home: Path, kind: str, day: date | None) -> Path:
    """Folder of a kind of output on a day, or on the newest day; CannotRun when there is none."""
    folders = sorted(p for p in (home / "lake" / kind).glob("batch_date=*") if p.is_dir())
    if day is not None:
        folders = [p for p in folders if p.name == f"batch_date={day}"]
    if not folders:
        raise CannotRun(f"no night with {kind}{f' of {day}' if day else ''} in {home}; run one first")
    return folders[-1]


def as_dict(value: Any) -> Any:
    """For JSON: dates become text."""
    return value.isoformat() if isinstance(value, date) else str(value)
