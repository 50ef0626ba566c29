"""The code location: puts assets, jobs, schedules, sensors and resources together, and does nothing else."""

from pathlib import Path

import dagster as dg

from assets import extracts, facts, households, leads, outputs, persons, quality, retention, risk
from assets.io import Home
from pipelines.alerts import Alerts
from pipelines.commands import home_directory
from pipelines.jobs import jobs
from pipelines.schedules import schedules, sensors


def build(home: Path) -> dg.Definitions:
    """Definitions that read and write under one home directory."""
    return dg.Definitions(
        assets=[
            *extracts.assets,
            *persons.assets,
            *facts.assets,
            *households.assets,
            *risk.assets,
            *quality.assets,
            *leads.assets,
            *outputs.assets,
            retention.purged_deliveries,
        ],
        jobs=jobs,
        schedules=schedules,
        sensors=sensors,
        resources={"home": Home(root=str(home)), "alerts": Alerts(root=str(home))},
    )


defs = build(home_directory())
