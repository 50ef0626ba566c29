"""Where this deployment lives, and the Dagster instance that remembers its runs."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

SETTINGS = Path(__file__).resolve().parent.parent / "dagster.yaml"


def instance(home: Path) -> dg.DagsterInstance:
    """The Dagster instance in <home>/dagster, made on first use, without telemetry."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "dagster.yaml"
    if not settings.exists():
        if SETTINGS.is_file():
            shutil.copy(SETTINGS, settings)
        else:
            settings.write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    return dg.DagsterInstance.from_config(str(folder))


@contextmanager
def quick_history() -> Iterator[None]:
    """While a night runs in this process, the SQLite files of its history stay open.

    Dagster opens and closes them for each of some thousand statements of a night. Closing the last connection writes
    the whole log back, and each commit waits for the disk: more than half of a small night. A log that is not
    flushed at each commit (synchronous NORMAL) cannot be damaged by a crash; it may lose its last lines.
    """
    kept: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if path and path not in kept:
            kept[path] = sqlite3.connect(path, check_same_thread=False)
            kept[path].execute("SELECT count(*) FROM sqlite_master").fetchone()

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for connection in kept.values():
            connection.close()
