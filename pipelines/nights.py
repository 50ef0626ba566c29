"""Runs a night through Dagster in this process, and says in numbers what it brought."""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from data_contracts.contract import catalogue, departments
from data_contracts.opaque import KeyRefused, deployment_key
from pipelines.alerts import FileChannel, outputs_to_look_at, run_failed
from pipelines.commands import CannotRun
from pipelines.deployments import instance, quick_history
from pipelines.jobs import QUIET
from reports import manifest
from reports.night import LEVELS as LEVEL_WORDS
from reports.night import STATE_ZH

ROWS = ("rows_received", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")
LISTS = ("help_in", "check_out")
LEVELS = ("red", "orange", "yellow", "blue")
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""On a terminal a failed step is one line; its trace stands in the run's log, in the UI and behind --verbose."""

DECLARED = ("PolicyError", "ContractError")
"""Errors about our own YAML and SQL, which quote no row. The text of any other error may quote a value."""

Progress = Callable[[str, int, int], None]
"""Told the name of a step, how many are done and how many there are."""


@dataclass
class Night:
    """One night in numbers. `look_at` lists, in plain words, what somebody should look at.

    `families`: families on the lists by list and level, those still open from earlier nights among them.
    `warnings`: warnings that the rules raised this night. `arrived`: department -> classes of which a file came.
    `not_fresh`: a row each class that is late, absent, failed or held. `rules_off`: rules that were silent somewhere.
    `lists_off`: lists of which every rule was off everywhere -> how many. `not_yet`: daily classes that came before, not
    tonight, and are within their term (class_id, title_zh, last_batch, expected_by). `linking`: a row each class with links by
    grade, match rate, the rate of the night before and how alarming the change is (`matching.by_source`). `rates`: version
    of the rates with which the night weighed.
    """

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
    families: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: dict[str, dict[str, int]] = field(default_factory=dict)
    rules_off: list[str] = field(default_factory=list)
    lists_off: dict[str, int] = field(default_factory=dict)
    not_yet: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    arrived: dict[str, list[str]] = field(default_factory=dict)
    not_fresh: list[dict[str, Any]] = field(default_factory=list)
    linking: list[dict[str, Any]] = field(default_factory=list)
    rates: str = ""
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
    why: dict[str, str] | None = None,
    verbose: bool = False,
) -> tuple[bool, list[str]]:
    """Run a job for one business date in this process; whether it succeeded, and the steps that failed.

    `why` takes up step -> reason for those steps that failed on an error that we declare ourselves. `verbose` lets
    Dagster write its warnings and traces to the terminal.

    CannotRun when the date is no partition, the assets do not exist or the deployment has no usable key. A failed run sends the alert that the
    run-failure sensor would send.
    """
    from pipelines.definitions import build

    definitions = build(home)
    found = definitions.resolve_job_def(job)
    partitions = found.partitions_def
    if partitions is None or not partitions.has_partition_key(day.isoformat()):
        raise CannotRun(f"{day} is not a business date that can be run (from 2024-01-01 to today)")
    try:
        deployment_key(home / "lake")
    except KeyRefused as error:
        raise CannotRun(str(error)) from None
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
                reason = _declared_reason(event.step_failure_data.error)
                if reason and why is not None:
                    why[event.step_key] = reason

        remembered.add_event_listener(run_id, hear)
        result = found.execute_in_process(
            instance=remembered,
            partition_key=day.isoformat(),
            asset_selection=list(only) if only else None,
            run_config=QUIET if verbose else SILENT,
            run_id=run_id,
            raise_on_error=False,
        )
        if not result.success:
            FileChannel(home).send(run_failed(result.dagster_run, sorted(failed)))
        elif job == "night" and (lines := manifest.attention(home / "outbox" / day.isoformat())):
            FileChannel(home).send(outputs_to_look_at(day.isoformat(), run_id, lines))
        return result.success, sorted(failed)


def _declared_reason(error: Any) -> str | None:
    """First line of a PolicyError or ContractError in the chain of an error; null for every other error.

    Steps tell Dagster their errors as `Failure: <kind>: <text>` (assets/io.py); outside of them the kind stands bare.
    """
    while error is not None:
        first = (str(error.message).strip() or " ").splitlines()[0]
        told = re.match(r"(?:[\w.]*Failure: )?(?:[\w.]*\.)?(\w+): (.+)", first)
        if told and told[1] in DECLARED:
            return told[2]
        error = error.cause
    return None


def failures(failed: Sequence[str], why: dict[str, str]) -> list[str]:
    """A line each step that failed, with its reason where it may be told."""
    return [f"step {step} failed" + (f": {why[step]}" if step in why else "") for step in failed]


def summary(home: Path, day: date) -> Night:
    """What the lake and the outbox hold of a night; zeros where nothing was written yet."""
    lake = home / "lake"
    night = Night(day.isoformat())
    ledger = _per_class(lake, "ledger", day)
    if not ledger.is_empty():
        night.files = ledger.height
        night.classes = ledger["class_id"].n_unique()
        came = ledger.group_by("department").agg(pl.col("class_id").unique().sort()).sort("department")
        night.arrived = dict(came.rows())
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
        night.warnings = _by_list_and_level(pl.read_parquet(risk / "warnings.parquet"))
        night.families = _by_list_and_level(_listed_families(risk))
    rules = _read(risk / "rule_status.parquet")
    off = rules.filter(pl.col("status") == "off")
    night.rules_off = sorted(set(off["rule_id"]))
    night.lists_off = _lists_off(rules)
    status = _read(lake / "facts" / f"batch_date={day}" / "source_status.parquet")
    if not status.is_empty():
        night.sources = dict(status.group_by("status").len().sort("status").rows())
        night.not_fresh = status.filter(pl.col("status") != "fresh").sort("department", "class_id").to_dicts()
        night.not_yet = _not_yet(status, ledger, day)
    night.linking = _read(lake / "persons" / f"batch_date={day}" / "by_source.parquet").to_dicts()
    weighed_with = lake / "persons" / f"batch_date={day}" / "rates.parquet"
    night.rates = pl.read_parquet(weighed_with)["version"].item() if weighed_with.is_file() else ""
    outbox = home / "outbox" / day.isoformat()
    paths = sorted(p for p in outbox.rglob("*") if p.is_file() and not p.name.startswith("."))
    night.lists = [str(p) for p in paths if p.suffix == ".xlsx"]
    night.reports = [str(p) for p in paths if p.suffix in {".html", ".json"}]
    blamed, other_rules = _silenced(off)
    refused = _refused(ledger, issues)
    night.look_at = [
        *_nothing_came(lake, day, night),
        *([f"ledger residual {night.residual} rows"] if night.residual else []),
        *_with_rules_off(refused, blamed, status, day),
        *_checks_to_look_at(lake, day),
        *_unclaimed(lake, day),
        *(f"{r['source_class']}: {r['reason_zh']}" for r in night.linking if r["level"] == "alarm"),
        *manifest.attention(outbox),
        *_strangers(home, day),
        *_sources_to_blame(blamed, status, {class_id for class_id, _ in refused}),
        *other_rules,
    ]
    return night


def _by_list_and_level(frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    """List -> level -> rows; a level without a row is left out."""
    found = {(kind, level): n for kind, level, n in frame.group_by("list_kind", "level").len().rows()}
    return {kind: {level: found[kind, level] for level in LEVELS if (kind, level) in found} for kind in LISTS}


def _listed_families(risk: Path) -> pl.DataFrame:
    """Families on the lists as the lists count them (list_kind, household_id, level).

    Open in the register, or raised tonight and not known to it; the level is that of the priority, else the gravest.
    """
    columns = ["list_kind", "household_id", "level"]
    warnings = pl.read_parquet(risk / "warnings.parquet", columns=["warning_id", *columns])
    if not (risk / "register.parquet").is_file():
        return warnings.select(columns).clear()
    register = pl.read_parquet(risk / "register.parquet", columns=["warning_id", "state", *columns])
    is_open = register.filter(pl.col("state").is_in(list(STATE_ZH)))
    unknown = warnings.join(register, on="warning_id", how="anti")
    number = {level: no for level, (_, no) in LEVEL_WORDS.items()}
    families = (
        pl.concat([is_open.select(columns), unknown.select(columns)])
        .group_by("list_kind", "household_id")
        .agg(worst=pl.col("level").sort_by(pl.col("level").replace_strict(number, default=9)).first())
    )
    if not (risk / "priority.parquet").is_file():
        return families.rename({"worst": "level"})
    priority = pl.read_parquet(risk / "priority.parquet", columns=columns)
    return families.join(priority, on=["list_kind", "household_id"], how="left").select(
        "list_kind", "household_id", level=pl.coalesce("level", "worst")
    )


def _nothing_came(lake: Path, day: date, night: Night) -> list[str]:
    """A night that read the inbox and found no file of any class."""
    was_read = next((lake / "ledger").glob(f"*/batch_date={day}.parquet"), None) is not None
    return [f"no file was delivered (inbox/{day})"] if was_read and not night.files else []


def _lists_off(rules: pl.DataFrame) -> dict[str, int]:
    """Lists of which every rule was off everywhere, and how many rules that are."""
    found = {}
    for kind in LISTS:
        mine = rules.filter(pl.col("rule_id").str.starts_with("X") == (kind == "check_out"))
        if mine.height and (mine["status"] == "off").all():
            found[kind] = mine["rule_id"].n_unique()
    return found


def _not_yet(status: pl.DataFrame, ledger: pl.DataFrame, day: date) -> list[dict[str, Any]]:
    """Classes of a daily cadence of which nothing came tonight although they still count as fresh."""
    came = set(ledger["class_id"]) if not ledger.is_empty() else set()
    return [
        {name: row[name] for name in ("class_id", "last_batch", "expected_by")}
        | {"title_zh": catalogue()[row["class_id"]].title.zh}
        for row in status.filter(pl.col("status") == "fresh").sort("class_id").iter_rows(named=True)
        if row["class_id"] in catalogue()
        and row["class_id"] not in came
        and catalogue()[row["class_id"]].delivery.cadence == "daily"
        and row["expected_by"] is not None
        and row["last_batch"] is not None
        and row["last_batch"] < day
    ]


def _silenced(off: pl.DataFrame) -> tuple[dict[str, list[str]], list[str]]:
    """Source -> the rules that it switches off, and a line for each rule that is off everywhere for another reason.

    Which sources are to blame stands in the reason of the rule, by their titles: not every source that a rule cites
    is needed by it.
    """
    blamed: dict[str, list[str]] = {}
    found: list[str] = []
    if off.is_empty():
        return blamed, found
    for row in off.filter(pl.col("county_code").is_null()).sort("rule_id").iter_rows(named=True):
        cited = [c for c in json.loads(row["sources_json"] or "{}") if c in catalogue()]
        guilty = [c for c in cited if catalogue()[c].title.zh in (row["reason_zh"] or "")]
        for class_id in guilty:
            blamed.setdefault(class_id, []).append(row["rule_id"])
        if not guilty:
            found.append(f"rule {row['rule_id']} is off: {row['reason_zh']}")
    return blamed, found


def _with_rules_off(
    refused: list[tuple[str, str]], blamed: dict[str, list[str]], status: pl.DataFrame, day: date
) -> Iterator[str]:
    """What became of each file; the first of a class also says what is used instead and which rules are off."""
    told: set[str] = set()
    for class_id, line in refused:
        if class_id in blamed and class_id not in told:
            last = status.filter(pl.col("class_id") == class_id)["last_batch"].to_list()
            since = f"; data of {last[0]} stay" if last and last[0] and last[0] != day else ""
            line = f"{line}{since}; rules off {', '.join(blamed[class_id])}"
        told.add(class_id)
        yield line


def _sources_to_blame(blamed: dict[str, list[str]], status: pl.DataFrame, told: set[str]) -> list[str]:
    """One line a source that switches rules off; those whose file was told already are left out."""
    known = {row["class_id"]: row for row in status.iter_rows(named=True)}
    lines = []
    for class_id, rules in sorted(blamed.items()):
        if class_id in told:
            continue
        source = known.get(class_id, {})
        state = source.get("status", "absent")
        state = "too old" if state == "fresh" else state
        since = f", data of {source['last_batch']}" if source.get("last_batch") else ""
        lines.append(f"{class_id} is {state}{since}: rules off {', '.join(rules)}")
    return lines


def _strangers(home: Path, day: date) -> list[str]:
    """What lies in the inbox of the day outside the folders of the departments: nobody reads it."""
    folder = home / "inbox" / day.isoformat()
    names = [p.name for p in sorted(folder.iterdir())] if folder.is_dir() else []
    return [
        f"inbox/{day}/{name} is not read; folders of departments are {', '.join(departments())}"
        for name in names
        if name not in departments() and name[0] not in "._"
    ]


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=dict.fromkeys(_ASKED, pl.String))


_ASKED = ("status", "rule_id", "class_id")
"""Columns that are asked for even when there is no file."""


def _refused(ledger: pl.DataFrame, issues: pl.DataFrame) -> list[tuple[str, str]]:
    """Class and line of every file that was not used, or whose control totals disagree."""
    found: list[tuple[str, str]] = []
    if ledger.is_empty():
        return found
    for row in ledger.sort("class_id", "file").iter_rows(named=True):
        if row["status"] not in ("accepted", "duplicate"):
            what, why = row["status"], _first_error(issues, row["delivery_id"]) or row["control_note_zh"]
        elif row["control_ok"] is False:
            what, why = "control totals disagree", row["control_note_zh"]
        else:
            continue
        why = (why or "").removeprefix(row["file"]).removeprefix("：")
        found.append(
            (row["class_id"], f"{row['class_id']}: {row['file']} {what}" + (f" ({why})" if why else ""))
        )
    return found


def _first_error(issues: pl.DataFrame, delivery_id: str) -> str | None:
    """What was wrong with a file in words (values are masked there): what holds for the whole file comes first.

    With what the department can do, where that is known."""
    if issues.is_empty():
        return None
    mine = issues.filter((pl.col("delivery_id") == delivery_id) & (pl.col("severity") == "error"))
    words = mine.filter(pl.col("message_zh").is_not_null()).sort("row", "reason", nulls_last=False)
    return "；".join(filter(None, words.select("message_zh", "action_zh").row(0))) if words.height else None


def _checks_to_look_at(lake: Path, day: date) -> list[str]:
    """Hard checks of contracts that failed or could not run, by name."""
    checks = _per_class(lake, "checks", day)
    if checks.is_empty():
        return []
    hard = (pl.col("outcome") == "engine_error") | (
        (pl.col("outcome") == "failed") & (pl.col("severity") == "error")
    )
    named = (
        pl.when(pl.col("column").is_null())
        .then("check_zh")
        .otherwise(pl.format("{}（{}）", "check_zh", "column"))
    )
    bad = (
        checks.filter(hard)
        .group_by("class_id", "outcome")
        .agg(pl.len(), names=named.unique().sort())
        .sort("class_id", "outcome")
    )
    words = {"failed": "failed", "engine_error": "could not run"}
    return [
        f"{class_id}: {n} check{'s' if n > 1 else ''} {words[outcome]}: {_some(names)}"
        for class_id, outcome, n, names in bad.rows()
    ]


def _some(names: list[str], limit: int = 4) -> str:
    return "、".join(names[:limit]) + (" …" if len(names) > limit else "")


def _unclaimed(lake: Path, day: date) -> list[str]:
    """Files that no class claims, with the names that the department may use."""
    found = []
    for path in sorted((lake / "unclaimed").glob(f"*/batch_date={day}.parquet")):
        department = path.parent.name
        allowed = "、".join(c.id for c in catalogue().values() if c.department == department)
        for name, message in sorted(pl.read_parquet(path).rows()):
            hint = f"；文件名须以下列之一开头，其后紧跟英文句点“.”：{allowed}" if name[0] != "_" else ""
            found.append(f"{department}/{name}: {message}{hint}")
    return found


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
