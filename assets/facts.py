"""The fact tables of a day as assets: our own vocabulary, with persons in place of identities.

How rows become facts belongs in `data_contracts/feeding.py` and in the contracts.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

from assets.extracts import key as extract_key
from assets.io import OWNER, Home, Metadata, bars, patient_io, table, write_parquet
from assets.partitions import batch_date, day_of
from data_contracts import feeding
from data_contracts.collecting import failed_checks
from data_contracts.contract import FactTable, catalogue, fact_tables
from data_contracts.sources import source_status

GROUP = "facts"
PERSON = "person"
SOURCE_STATUS = "source_status"


def key(table_id: str) -> dg.AssetKey:
    """Asset key of a fact table."""
    return dg.AssetKey([GROUP, table_id])


def _fed_by(table_id: str) -> list[str]:
    return [c.id for c in catalogue().values() if any(feed.fact == table_id for feed in c.feeds)]


def _spec(fact: FactTable) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(p, "person", description="link grade: " + fact.grade_of(p)) for p in fact.persons
    ]
    columns += [
        dg.TableColumn(c.name, c.type, description=f"{c.description.zh}" + (f" ({c.unit})" if c.unit else ""))
        for c in fact.columns
    ]
    people = (
        [dg.AssetKey(["persons", "persons"])] if fact.id == PERSON else [dg.AssetKey(["persons", "links"])]
    )
    return dg.AssetSpec(
        key(fact.id),
        group_name=GROUP,
        description=f"**{fact.title.zh}** · {fact.title.en}\n\n{fact.description.zh}\n\n{fact.description.en}",
        owners=[OWNER],
        kinds={"duckdb", "parquet"},
        deps=[*people, *(extract_key(class_id) for class_id in _fed_by(fact.id))],
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


FED = [fact for fact in fact_tables().values() if _fed_by(fact.id)]


@dg.multi_asset(
    name="write_facts",
    description="业务日期当日的事实表。 Fact tables as of the business date.",
    specs=[
        *(_spec(fact) for fact in fact_tables().values() if fact in FED or fact.id == PERSON),
        dg.AssetSpec(
            key(SOURCE_STATUS),
            group_name=GROUP,
            description=(
                "**各类数据是否可用**：正常、逾期、未收到、未通过检查、待确认。\n\n"
                "How far each class can be relied upon; a class that is not fresh switches its rules off."
            ),
            owners=[OWNER],
            kinds={"polars", "parquet"},
            deps=[extract_key(class_id) for class_id in catalogue()],
        ),
    ],
    can_subset=True,
    partitions_def=batch_date,
)
def write_facts(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Write the selected tables; each is a function of the accepted rows and the links of the day."""
    day = day_of(context)
    folder = home.folder(GROUP, day)
    people = home.folder("persons", day)
    chosen = [asset_key.path[-1] for asset_key in context.selected_asset_keys]
    wanted = sorted(set(chosen) & {fact.id for fact in FED})
    with patient_io(context):
        counts: dict[str, int] = {}
        if wanted:
            links = pl.read_parquet(people / "links.parquet", columns=["identity_key", "person_id", "grade"])
            counts = feeding.facts(home.lake, day, links, only=wanted)
        if PERSON in chosen:
            person = feeding.person_fact(pl.read_parquet(people / "persons.parquet"))
            write_parquet(person, folder / f"{PERSON}.parquet")
            counts[PERSON] = person.height
        if SOURCE_STATUS in chosen:
            status = source_status(home.lake, day, failed_checks(home.lake, day))
            write_parquet(status, folder / f"{SOURCE_STATUS}.parquet")
            counts[SOURCE_STATUS] = status.height
    for name in sorted(counts):
        yield dg.MaterializeResult(asset_key=key(name), metadata=_metadata(folder, name, counts[name]))


def _metadata(folder: Path, name: str, rows: int) -> Metadata:
    metadata: Metadata = {"dagster/row_count": rows}
    path = folder / f"{name}.parquet"
    if name == SOURCE_STATUS:
        status = pl.read_parquet(path)
        metadata["status"] = table(status, 60)
        metadata["plot"] = bars(status.group_by("status").len().sort("status").rows(), "classes by status")
    elif name != PERSON:
        scan = pl.scan_parquet(path)
        grades = [c for c in scan.collect_schema().names() if c.endswith("link_grade")]
        shares = scan.select(
            *(
                pl.col(c).is_not_null().mean().round(4).alias(c.replace("link_grade", "linked"))
                for c in grades
            )
        ).collect()
        by_class = scan.group_by("source_class").len("rows").sort("source_class").collect()
        metadata |= {"linked_share": table(shares), "rows_by_class": table(by_class)}
    return metadata


assets = [write_facts]
