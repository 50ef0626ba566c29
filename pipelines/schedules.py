"""When things run by themselves: the night, new files in the inbox, and the calls for help."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

from assets.extracts import key
from assets.io import Home
from assets.partitions import FIRST_DATE, TIMEZONE
from data_contracts.collecting import MANIFEST, delivered
from data_contracts.contract import catalogue, departments
from pipelines.alerts import Alerts, outputs_to_look_at, run_failed
from pipelines.jobs import jobs, night, one_department
from reports import manifest

DAYS_WATCHED = 7
"""Business dates whose folders are looked at, newest first: a later correction belongs in a new date."""

ATTEMPTS = 3
"""How often the same content is tried before somebody has to look."""

TAG = "hardship_watch/delivery"


@dg.schedule(
    job=night,
    cron_schedule="30 1 * * *",
    execution_timezone=TIMEZONE,
    description="每日01:30处理前一日送达的数据。 At 01:30 the deliveries of the day before.",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The night of the business date that has just ended."""
    day = context.scheduled_execution_time.astimezone(ZoneInfo(TIMEZONE)).date() - timedelta(days=1)
    return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())


@dg.sensor(
    job=one_department,
    minimum_interval_seconds=60,
    description="收件箱有新文件或文件内容变化时读取该部门。 Reads a department when its files are new or have changed.",
)
def inbox_changed(context: dg.SensorEvaluationContext, home: Home) -> dg.SensorResult:
    """One run a department and content. The key is a hash of the content and the attempt, never a time.

    The cursor only remembers hashes of files by size and modification mark, so that a gigabyte is not hashed every
    minute; a file counts once it looked the same twice.
    """
    remembered: dict[str, list] = json.loads(context.cursor) if context.cursor else {}
    seen: dict[str, list] = {}
    requests = []
    for folder in _folders(home.inbox):
        digest, settled = _content(folder, home.inbox, remembered, seen)
        if not settled:
            continue
        name = f"{folder.parent.name}:{folder.name}:{digest[:16]}"
        runs = context.instance.get_runs(dg.RunsFilter(tags={TAG: name}))
        failures = sum(run.status == dg.DagsterRunStatus.FAILURE for run in runs)
        if len(runs) > failures or failures >= ATTEMPTS:
            continue
        requests.append(
            dg.RunRequest(
                run_key=f"{name}:{failures + 1}",
                partition_key=folder.parent.name,
                asset_selection=[key(c.id) for c in catalogue().values() if c.department == folder.name],
                tags={TAG: name},
            )
        )
    cursor = json.dumps(seen, sort_keys=True)
    if not requests:
        return dg.SensorResult(skip_reason="nothing new in the inbox", cursor=cursor)
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _folders(inbox: Path) -> list[Path]:
    """Folders of departments with files, of the newest business dates."""
    days = [path for path in sorted(inbox.glob("????-??-??"), reverse=True) if _is_date(path.name)]
    found = [day / department for day in days[:DAYS_WATCHED] for department in departments()]
    return [folder for folder in found if delivered(folder)]


def _is_date(name: str) -> bool:
    try:
        return date.fromisoformat(name) >= FIRST_DATE
    except ValueError:
        return False


def _content(
    folder: Path, inbox: Path, remembered: dict[str, list], seen: dict[str, list]
) -> tuple[str, bool]:
    """Hash over names and contents of a folder, and whether every file looked the same at the last look."""
    whole = hashlib.sha256()
    settled = True
    manifest = folder / MANIFEST
    for path in [*delivered(folder), *([manifest] if manifest.is_file() else [])]:
        name = str(path.relative_to(inbox))
        marks = path.stat()
        state = [marks.st_size, marks.st_mtime_ns]
        known = remembered.get(name)
        if known is None or known[:2] != state:
            settled = False
            seen[name] = [*state, None]
            continue
        if known[2] is None:
            with path.open("rb") as stream:
                known = [*state, hashlib.file_digest(stream, "sha256").hexdigest()]
        seen[name] = known
        whole.update(f"{path.name}\0{known[2]}\0".encode())
    return whole.hexdigest(), settled


@dg.run_failure_sensor(
    monitored_jobs=[*jobs],
    description="任务失败时发出提醒。 Calls for somebody when a run fails.",
)
def alert_on_failure(context: dg.RunFailureSensorContext, alerts: Alerts) -> None:
    """Send the alert through the channel of this deployment."""
    steps = sorted({event.step_key for event in context.get_step_failure_events() if event.step_key})
    alerts.channel().send(run_failed(context.dagster_run, steps))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[night],
    description="名单已写出但需要查看时发出提醒。 Calls for somebody when outputs left with something covered or left out.",
)
def alert_on_outputs(context: dg.RunStatusSensorContext, alerts: Alerts) -> None:
    """Send the alert through the channel of this deployment when the manifest of the night asks for it."""
    day = context.dagster_run.tags.get("dagster/partition", "unknown")
    lines = manifest.attention(Path(alerts.root) / "outbox" / day)
    if lines:
        alerts.channel().send(outputs_to_look_at(day, context.dagster_run.run_id, lines))


schedules = [every_night]
sensors = [inbox_changed, alert_on_failure, alert_on_outputs]
