"""Id, place, points and deadlines of warnings. What a level means is in the parameters, not here."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from policy.bench import NATION, Bench
from policy.repeats import WARNING_SCHEMA, open_since
from policy.working_days import calendar

LEVEL_COLUMNS = ("level_points", "visit_working_days", "close_working_days", "closes_at_quarter_end")


def window(bench: Bench, name: str) -> int:
    """Length of a national window on the day. Raises ValueError where there is none: the engine cannot do without."""
    rows = bench.parameter("warning_window").filter(
        (pl.col("county_code") == NATION) & (pl.col("window") == name)
    )
    if rows.height != 1:
        raise ValueError(f"warning_window has no national value for {name} on {bench.as_of}")
    return int(rows.get_column("length").item())


def deadlines(frame: pl.DataFrame, levels: pl.DataFrame, base: str) -> pl.DataFrame:
    """Add visit_due_on and close_due_on: working days after `base`, or the end of its quarter."""
    days = calendar()
    joined = frame.join(levels, on=["county_code", "level"], how="left", maintain_order="left")
    for column, out in (("visit_working_days", "visit_due_on"), ("close_working_days", "close_due_on")):
        due = pl.Series(out, [None] * joined.height, dtype=pl.Date())
        for count in joined.get_column(column).drop_nulls().unique().sort().to_list():
            counted = days.due_dates(joined.get_column(base), count)
            mask = (joined.get_column(column) == count).fill_null(False)
            due = pl.select(pl.when(mask).then(counted).otherwise(due).alias(out)).to_series()
        joined = joined.with_columns(due.alias(out))
    quarter_end = pl.col(base).dt.truncate("1q").dt.offset_by("1q").dt.offset_by("-1d")
    return joined.with_columns(
        close_due_on=pl.when(pl.col("closes_at_quarter_end"))
        .then(quarter_end)
        .otherwise(pl.col("close_due_on"))
    )


def finish(bench: Bench, raw: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Give warnings their id, place, points and deadlines. Columns and order: `WARNING_SCHEMA`, by warning_id.

    A warning that was open last night keeps the day on which it was first raised, and with it its deadlines, unless its
    level has changed since: then they count from tonight, and never end later than they did.
    """
    if raw.is_empty():
        return pl.DataFrame(schema=WARNING_SCHEMA)
    bench.connection.register("incoming", raw.to_arrow())
    named = bench.connection.execute(
        "select 'W' || left(sha256(rule_id || '|' || subject_key || '|' || cause_key), 15) as warning_id, * from incoming"
    ).pl()
    bench.connection.unregister("incoming")
    places = bench.frame("household").select("household_id", "county_code", "township_code", "village_code")
    levels = bench.parameter("warning_level")
    ratio = bench.parameter("score_points").filter(pl.col("part") == "ratio")
    placed = named.join(places, on="household_id", how="left").with_columns(
        home=pl.col("county_code"), county_code=pl.coalesce("county_code", pl.lit(NATION))
    )
    placed = placed.join(open_since(previous), on="warning_id", how="left").with_columns(
        raised_on=pl.coalesce("first_raised_on", pl.lit(bench.as_of)),
        same_level=(pl.col("was_level") == pl.col("level")).fill_null(False),
    )
    placed = placed.with_columns(
        counted_from=pl.when("same_level").then("raised_on").otherwise(pl.lit(bench.as_of))
    )
    placed = deadlines(placed, levels.select("county_code", "level", *LEVEL_COLUMNS), "counted_from")
    placed = placed.join(
        ratio.select("county_code", ratio_points="points", ratio_limit="limit"), on="county_code", how="left"
    )
    # Whole points for each tenth over the limit, in integers: a float would round differently from night to night.
    hundredths = (pl.col("ratio") * 100).cast(pl.Int64())
    over = ((hundredths - 100).clip(lower_bound=0) * pl.col("ratio_points").cast(pl.Int64())) // 100
    capped = pl.min_horizontal(over, pl.col("ratio_limit").cast(pl.Int64()))
    extra = pl.when(over.is_null()).then(0).otherwise(capped)
    expires = timedelta(days=window(bench, "warning_expires"))
    was_later = [
        pl.when(pl.col("same_level") | pl.col(f"was_{due}").is_null())
        .then(pl.col(due))
        .otherwise(pl.min_horizontal(pl.col(due), pl.col(f"was_{due}")))
        .alias(due)
        for due in ("visit_due_on", "close_due_on")
    ]
    return (
        placed.with_columns(
            *was_later,
            points=pl.col("level_points").cast(pl.Int64()).fill_null(0) + extra,
            expires_on=pl.lit(bench.as_of + expires),
            county_code=pl.col("home"),
        )
        .select(WARNING_SCHEMA.names())
        .cast(WARNING_SCHEMA)
        .sort("warning_id")
    )
