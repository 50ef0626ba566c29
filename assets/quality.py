"""The books of the whole night as one asset: what came, what became of every row, what was found.

The report that an auditor reads is written by `reports/`; this is what the data team looks at first in the morning.
"""

from datetime import date

import dagster as dg
import polars as pl

from assets.extracts import key as extract_key
from assets.io import OWNER, Home, bars, table, write_parquet
from assets.partitions import batch_date, day_of
from data_contracts.collecting import PARTS, strays
from data_contracts.contract import catalogue
from data_contracts.issues import ISSUES
from data_contracts.ledger import LEDGER

KEY = dg.AssetKey(["quality", "night_ledger"])


@dg.asset(
    key=KEY,
    group_name="quality",
    description=(
        "**当夜台账**：每一类收到多少行、采用多少行、为什么没有采用。\n\n"
        "The books of the night: per class, rows received and what became of them."
    ),
    owners=[OWNER],
    kinds={"polars"},
    deps=[extract_key(class_id) for class_id in catalogue()],
    check_specs=[
        dg.AssetCheckSpec(
            "nothing_is_lost",
            asset=KEY,
            description="收到的每一行都有去处。 Every row received is accounted for.",
        )
    ],
    partitions_def=batch_date,
)
def night_ledger(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult:
    """Sum up the ledgers and issues of the night; writes only what lies beside the folders of the departments."""
    day = day_of(context)
    _note_strays(home, day)
    ledger = _all(home, "ledger", f"batch_date={day}.parquet", LEDGER)
    issues = _all(home, "issues", f"batch_date={day}.parquet", ISSUES)
    rows = ["rows_received", *PARTS]
    by_class = (
        ledger.group_by("class_id")
        .agg(pl.len().alias("files"), pl.col("status").unique().sort().str.join(", "), pl.col(rows).sum())
        .sort("class_id")
    )
    residual = int(ledger["rows_received"].sum()) - sum(int(ledger[part].sum()) for part in PARTS)
    reasons = issues.group_by("reason", "severity").agg(pl.col("rows").sum()).sort("rows", descending=True)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(ledger["rows_accepted"].sum()),
            "files": ledger.height,
            **{name: int(ledger[name].sum()) for name in rows},
            "classes": table(by_class, len(catalogue())),
            "issues": table(reasons.sort("rows", "reason", descending=[True, False]), 40),
            "plot": bars([(name.removeprefix("rows_"), int(ledger[name].sum())) for name in rows], f"{day}"),
        },
        check_results=[
            dg.AssetCheckResult(
                passed=residual == 0, check_name="nothing_is_lost", metadata={"residual": residual}
            )
        ],
    )


def _note_strays(home: Home, day: date) -> None:
    rows = [(name, "不在任何部门的文件夹中，未读取") for name in strays(home.inbox / day.isoformat())]
    frame = pl.DataFrame(rows, schema={"file": pl.String, "message_zh": pl.String}, orient="row")
    write_parquet(frame, home.lake / "strays" / f"batch_date={day}.parquet")


def _all(home: Home, kind: str, name: str, schema: pl.Schema) -> pl.DataFrame:
    """The frames of all classes in one, of the columns of today.

    A frame that was written before a column existed has nothing there; counts are then zero and flags false.
    """
    frames = [pl.read_parquet(path) for path in sorted((home.lake / kind).glob(f"*/{name}"))]
    whole = pl.concat([schema.to_frame(), *frames], how="diagonal_relaxed")
    return whole.select(
        pl.col(column).cast(dtype)
        if dtype not in (pl.Int64(), pl.Boolean()) or column in _MAY_BE_UNKNOWN
        else pl.col(column).cast(dtype).fill_null(False if dtype == pl.Boolean() else 0)
        for column, dtype in schema.items()
    )


_MAY_BE_UNKNOWN = ("declared_rows", "control_ok", "row")
"""Columns in which nothing means that nobody said, not zero and not false."""


assets = [night_ledger]
