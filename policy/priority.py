"""The order of visits: one row a household and list. Which points there are is in `risk_score.sql` and its parameters."""

from __future__ import annotations

import polars as pl

from policy.bench import NATION, OPEN_WARNING, Bench
from policy.deadlines import LEVEL_COLUMNS, deadlines
from policy.repeats import OPEN_STATES

PRIORITY_SCHEMA = pl.Schema(
    {
        "household_id": pl.Int64(),
        "list_kind": pl.String(),
        "level": pl.String(),
        "score": pl.Decimal(9, 2),
        "parts_json": pl.String(),
        "signals": pl.Int32(),
        "visit_due_on": pl.Date(),
        "close_due_on": pl.Date(),
        "order_no": pl.Int64(),
    }
)


def priority_of(bench: Bench, book: pl.DataFrame) -> pl.DataFrame:
    """The risk score over open warnings: one row a household and list, in the order in which to visit."""
    titles = {rule.id: rule.header.title.zh for rule in bench.policy.rules.values()}
    standing = book.filter(pl.col("state").is_in(OPEN_STATES)).with_columns(
        title_zh=pl.col("rule_id").replace_strict(
            titles, default=pl.col("rule_id"), return_dtype=pl.String()
        ),
        county_code=pl.coalesce("county_code", pl.lit(NATION)),
        raised_on=pl.col("first_raised_on"),
    )
    bench.put("open_warning", standing, OPEN_WARNING)
    rows = bench.rows(bench.policy.score, "help_in")
    levels = bench.parameter("warning_level").select("county_code", "level", *LEVEL_COLUMNS)
    timed = deadlines(
        rows.rename({"visit_due_on": "first_visit", "close_due_on": "first_close"}), levels, "level_since"
    )
    return (
        timed.with_columns(
            visit_due_on=pl.min_horizontal("visit_due_on", "first_visit"),
            close_due_on=pl.min_horizontal("close_due_on", "first_close"),
        )
        .select(PRIORITY_SCHEMA.names())
        .cast(PRIORITY_SCHEMA)
        .sort("list_kind", "order_no", "household_id")
    )
