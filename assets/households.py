"""Households as assets: who shares a life, each edge with source and date. Decided in `matching/households.py`."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.facts import key as fact_key
from assets.io import OWNER, Home, Metadata, bars, patient_io, read_frames, table, write_frames
from assets.partitions import batch_date, day_of
from matching.households import READ_OF_LAST_NIGHT, assemble

GROUP = "households"

READ = (
    "person",
    "registered_resident",
    "register_membership",
    "residence",
    "marriage",
    "birth",
    "death",
    "custody",
    "school_enrolment",
    "disability",
    "housing_aid_member",
    "assistance_case",
    "assistance_member",
    "welfare_subsidy",
)
"""Fact tables that the assembly is given: what ties people to each other, and what takes them out of a family."""

FRAMES = {
    "household": "**共同生活家庭**。\n\nHouseholds, one row each; ids are minted once.",
    "household_member": "**家庭成员**。\n\nMembers, each in at most one household, with basis.",
    "household_edge": (
        "**成员关系**：配偶、父母子女、同户、监护、同一救助证、同一住房保障、赡养抚养义务人，带来源与日期。\n\n"
        "Edges with source, date, confidence."
    ),
    "household_event": (
        "**家庭变化**：分、并、入、出、成立、消亡。\n\nWhat happened to households since the last night, by person."
    ),
    "household_exclusion": (
        "**不计入家庭的时段**：死亡次月起、服刑、强制戒毒、户口注销、迁出。\n\nSpells in which a person is of no family."
    ),
    "household_conflict": "**相互矛盾的登记**，两说并列。\n\nClaims that contradict each other, with what was followed.",
    "household_declared": (
        "**救助证申报家庭与推定家庭对照**。\n\nThe declared family of each open case beside the derived one."
    ),
}


def key(name: str) -> dg.AssetKey:
    """Asset key of a frame of the households."""
    return dg.AssetKey([GROUP, name])


@dg.multi_asset(
    name="assemble_households",
    description="由户籍、婚姻等关系组成家庭。 Persons to households, from registers and marriages.",
    specs=[
        dg.AssetSpec(
            key(name),
            group_name=GROUP,
            description=description,
            owners=[OWNER],
            kinds={"polars", "parquet"},
            deps=[fact_key(table_id) for table_id in READ],
        )
        for name, description in FRAMES.items()
    ],
    partitions_def=batch_date,
)
def assemble_households(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Assemble the households of the day against those of the latest earlier night."""
    day = day_of(context)
    with patient_io(context):
        folder = home.folder("facts", day)
        facts = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in READ}
        # Of a prefecture the frames of last night are large: no more of them than decides about ids is held in memory.
        result = assemble(facts, read_frames(home.before(GROUP, day), READ_OF_LAST_NIGHT) or None, day)
        frames = result.frames()
        write_frames(home.folder(GROUP, day), frames)
    for name in FRAMES:
        yield dg.MaterializeResult(asset_key=key(name), metadata=_metadata(name, frames[name]))


def _metadata(name: str, frame: pl.DataFrame) -> Metadata:
    metadata: Metadata = {"dagster/row_count": frame.height}
    if name == "household":
        sizes = frame.group_by(pl.col("members").clip(1, 8)).len("n").sort("members")
        metadata["plot"] = bars([(f"{m}{'+' if m == 8 else ''}", n) for m, n in sizes.rows()], "members")
    else:
        by = {
            "household_member": ["basis", "dependant_kind", "needs_check"],
            "household_edge": ["kind", "confidence"],
            "household_event": ["event"],
        }
        metadata["counts"] = table(frame.group_by(by.get(name, ["kind"])).len("rows").sort(pl.all()), 60)
    return metadata


assets = [assemble_households]
