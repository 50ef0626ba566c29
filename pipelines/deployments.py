"""Where this deployment lives, and the Dagster instance that remembers its runs."""

import os
import shutil
from pathlib import Path

import dagster as dg

VARIABLE = "HARDSHIP_WATCH_HOME"
DEFAULT = "data"
SETTINGS = Path(__file__).resolve().parent.parent / "dagster.yaml"


def home_directory(given: str | Path | None = None) -> Path:
    """The root of everything a deployment writes: what was given, else HARDSHIP_WATCH_HOME, else ./data."""
    return Path(given or os.environ.get(VARIABLE) or DEFAULT).expanduser().absolute()


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
