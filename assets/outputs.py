"""Lists, overviews, quality report and manifest as assets. What they say and how they look belongs in `reports/`."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import dagster as dg
import polars as pl

from assets import households, leads, persons, quality, risk
from assets.facts import key as fact_key
from assets.io import OWNER, Home, Metadata, bars, patient_io, table
from assets.partitions import batch_date, day_of
from reports.night import read_night
from reports.writing import write_all

GROUP = "outputs"
ROOMS = ("data_contracts", "matching", "policy", "reports", "assets")

OUTPUTS = {
    "lists": "**乡镇名单与入户单**：可能需要帮助、请核查，分开存放。\n\nTownship lists and visit sheets, the two kinds apart.",
    "registers": "**主题库**：各乡镇的监测对象与复核时限，数据推测的类别另页。\n\nRegister of monitored people by township, and apart what data suggest.",
    "department_leads": "**部门数据质量线索**：每个报送部门一份，由数据组转发。\n\nLeads about data, a workbook a department, to forward.",
    "county_overviews": "**县级总览**。\n\nCounty overviews.",
    "quality_report": "**质量报告**：供审计使用。\n\nQuality report, for the auditor.",
    "manifest": "**清单**：每个文件的摘要值、行数与阅读对象。\n\nEvery file with its hash, rows and audience.",
}
_FOLDERS = {
    "township": "lists",
    "register": "registers",
    "department": "department_leads",
    "county": "county_overviews",
    "audit": "quality_report",
}


def key(name: str) -> dg.AssetKey:
    """Asset key of a kind of output."""
    return dg.AssetKey([GROUP, name])


@cache
def code_version() -> str:
    """Version of the package and a hash over every rule, contract and module that a list may depend on."""
    root = Path(__file__).resolve().parent.parent
    whole = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in {".py", ".sql", ".yaml", ".html", ".csv"}:
                whole.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    try:
        number = version("hardship-watch")
    except PackageNotFoundError:
        number = "0"
    return f"{number}+{whole.hexdigest()[:12]}"


@dg.multi_asset(
    name="write_outputs",
    description="写出当夜的全部名单与报告，整体替换。 Writes everything that leaves, and replaces it as a whole.",
    specs=[
        dg.AssetSpec(
            key(name),
            group_name=GROUP,
            description=description,
            owners=[OWNER],
            kinds={"excel"}
            if name in ("lists", "registers", "department_leads")
            else {"html"}
            if name != "manifest"
            else {"json"},
            deps=[
                *(risk.key(frame) for frame in (*risk.READ_BY_REPORTS, "candidate")),
                risk.measure_key("monitored_register"),
                *(households.key(frame) for frame in households.FRAMES),
                *(persons.key(frame) for frame in persons.FRAMES),
                fact_key("source_status"),
                quality.KEY,
                leads.KEY,
            ],
        )
        for name, description in OUTPUTS.items()
    ],
    partitions_def=batch_date,
)
def write_outputs(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Write outbox/<day>; the folder appears whole or not at all."""
    day = day_of(context)
    with patient_io(context):
        written = write_all(read_night(home.lake, day), day, home.outbox, code_version())
    files = written.files
    context.log.info(f"{len(files)} files")
    for line in written.attention:
        context.log.warning(line)
    frame = pl.DataFrame(
        [
            {
                "file": Path(f.path).name,
                "kind": _FOLDERS.get(f.path.split("/")[0], "manifest"),
                "rows": f.rows,
            }
            for f in files
        ]
    )
    kinds = Counter(frame["kind"].to_list())
    for name in OUTPUTS:
        part = frame.filter(pl.col("kind") == name) if name != "manifest" else frame
        metadata: Metadata = {
            "dagster/row_count": int(part["rows"].fill_null(0).sum()),
            "files": part.height,
            "folder": dg.MetadataValue.path(str(home.outbox / day.isoformat())),
            "listed": table(part.drop("kind"), 60),
        }
        if name == "manifest":
            metadata["code_version"] = code_version()
            metadata["attention"] = len(written.attention)
            metadata["plot"] = bars(sorted(kinds.items()), "files")
        yield dg.MaterializeResult(asset_key=key(name), metadata=metadata)


assets = [write_outputs]
