"""One way in which the house calls for somebody: an alert, and the channel that carries it.

The channel of this house is a folder of JSON files, which any mail or messaging gateway of a government network can
watch. Another channel is another class with `send`. An alert names steps and kinds of error, never a value.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import dagster as dg


@dataclass(frozen=True)
class Alert:
    """What somebody should know."""

    kind: str
    batch_date: str
    run_id: str
    message_zh: str
    steps: list[str]


class Channel(Protocol):
    """Carries an alert to people."""

    def send(self, alert: Alert) -> None:
        """Deliver the alert, or raise OSError."""


class FileChannel:
    """Writes <root>/alerts/<kind>_<batch_date>_<run>.json; the same alert twice is one file."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "alerts"

    def send(self, alert: Alert) -> None:
        """Write the alert to a draft and rename it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{alert.kind}_{alert.batch_date}_{alert.run_id[:8]}.json"
        draft = path.with_suffix(".draft")
        body = json.dumps(asdict(alert), ensure_ascii=False, indent=2, sort_keys=True)
        draft.write_text(body + "\n", encoding="utf-8")
        draft.replace(path)


class Alerts(dg.ConfigurableResource):
    """The channel of this deployment."""

    root: str

    def channel(self) -> Channel:
        """Files under the home directory."""
        return FileChannel(Path(self.root))


def outputs_to_look_at(day: str, run_id: str, lines: list[str]) -> Alert:
    """The alert for outputs that left with something covered or left out: which ones, never the value."""
    return Alert(
        "outputs_attention", day, run_id, f"{day}的输出需要查看：" + "；".join(lines), ["write_outputs"]
    )


def run_failed(run: dg.DagsterRun, steps: list[str]) -> Alert:
    """The alert for a run that did not finish. The text of an error may quote a value and is left in the log."""
    day = run.tags.get("dagster/partition", "unknown")
    where = "、".join(steps) or "启动阶段"
    return Alert("run_failed", day, run.run_id, f"{day}的任务{run.job_name}未完成，出错步骤：{where}", steps)
