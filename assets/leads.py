"""Leads about the quality of data, to the departments that supplied it, as one asset. What they are is in `policy/leads.py`."""

from datetime import date

import dagster as dg
import polars as pl

from assets import persons, quality
from assets.facts import key as fact_key
from assets.io import OWNER, Home, patient_io, table, write_frames
from assets.partitions import batch_date, day_of
from data_contracts import feeding
from data_contracts.contract import catalogue
from data_contracts.issues import ISSUES
from data_contracts.ledger import LEDGER
from policy import leads
from policy.parameters import read_parameter
from policy.sql_file import ROOT as POLICY

GROUP = "leads"
NAME = "department_lead"
KEY = dg.AssetKey([GROUP, NAME])
READ = ("death", "registered_resident", *leads.SIGNS_OF_LIFE)


def _until(home: Home, kind: str, day: date, schema: pl.Schema) -> pl.DataFrame:
    """The frames of a kind of all classes and nights up to a day, in the columns of today."""
    paths = [
        path
        for path in sorted((home.lake / kind).glob("*/batch_date=*.parquet"))
        if path.stem <= f"batch_date={day}"
    ]
    return pl.concat(
        [schema.to_frame(), *(pl.read_parquet(path) for path in paths)], how="diagonal_relaxed"
    ).select(schema.names())


@dg.asset(
    key=KEY,
    group_name=GROUP,
    description=(
        "**给报送部门的数据质量线索**：一号两名、生死矛盾、逾期或减少、校验不符增多；不发给村居，不涉及家庭。\n\n"
        "Q01-Q04: leads about the data, to the department that supplied it; never to a village."
    ),
    owners=[OWNER],
    kinds={"polars", "parquet"},
    deps=[
        persons.key("conflicts"),
        *(fact_key(name) for name in READ),
        fact_key("source_status"),
        quality.KEY,
    ],
    partitions_def=batch_date,
)
def department_lead(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult:
    """Write leads/batch_date=<day>/department_lead.parquet."""
    day = day_of(context)
    with patient_io(context):
        found = tonight(home, day)
        write_frames(home.folder(GROUP, day), {NAME: found})
    counts = found.group_by("lead_id", "department").agg(pl.len().alias("leads"), pl.col("count").sum())
    return dg.MaterializeResult(
        metadata={"dagster/row_count": found.height, "leads": table(counts.sort("lead_id", "department"), 60)}
    )


def tonight(home: Home, day: date) -> pl.DataFrame:
    """The leads of a night, from what the night has written."""
    limit = leads.limits(read_parameter(POLICY / "parameters" / "lead_limit.yaml"), day)
    folder = home.folder("facts", day)
    facts = {name: pl.scan_parquet(path) for name in READ if (path := folder / f"{name}.parquet").is_file()}
    conflicts = pl.read_parquet(home.folder("persons", day) / "conflicts.parquet")
    doubtful = set(conflicts.filter(pl.col("kind") == "name")["source_class"])
    rows = feeding.identity_rows(
        home.lake, day, [catalogue()[c] for c in sorted(doubtful & set(catalogue()))]
    )
    ledger = _until(home, "ledger", day, LEDGER)
    issues = _until(home, "issues", day, ISSUES)
    status = pl.read_parquet(folder / "source_status.parquet")
    before = home.before(GROUP, day)
    previous = pl.read_parquet(before / f"{NAME}.parquet") if before else None
    return leads.with_since(
        [
            *leads.two_names(conflicts, rows),
            *leads.alive_and_dead(facts, day, limit["alive_after_death"]),
            *leads.late_or_short(status, ledger, day, limit["shrunk"]),
            *leads.checksum_jump(issues, ledger, day, limit["checksum_points"], limit["checksum_rows"]),
        ],
        previous,
        day,
    )


assets = [department_lead]
