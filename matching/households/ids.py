"""Ids that survive the night, and what happened to households since the last one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from matching import continuity
from matching.households.frames import EVENT, MEMBER


def before(previous: Mapping[str, pl.DataFrame] | None) -> tuple[pl.DataFrame, int]:
    """Last night's `household_id`, `person_id`, and the highest id that was ever given."""
    members = previous["household_member"] if previous else MEMBER.to_frame()
    members = members.select("household_id", "person_id")
    highest = int(members["household_id"].max() or 0)  # type: ignore[arg-type]
    if previous and "household_state" in previous:
        highest = max(highest, int(previous["household_state"]["highest_household_id"].max() or 0))  # type: ignore[arg-type]
    return members, highest


def ids(members: pl.DataFrame, earlier: pl.DataFrame, highest: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`home` -> `household_id`, and the new ones of these.

    That of the household of last night from which most members come, then the lowest; a new one is higher than any before.
    `members`: home, head, person_id.
    """
    shared = (
        members.select("home", "person_id")
        .join(earlier, on="person_id")
        .group_by("home", "household_id")
        .agg(pl.len().alias("shared"))
    )
    kept = continuity.best_first(shared, "home", "household_id")
    minted = (
        members.select("home", "head")
        .unique()
        .join(kept, on="home", how="anti")
        .sort("head")
        .with_row_index("household_id", offset=highest + 1)
        .select("home", pl.col("household_id").cast(pl.Int64))
    )
    return pl.concat([kept.select("home", "household_id"), minted]), minted


def events(
    earlier: pl.DataFrame, member: pl.DataFrame, minted: pl.DataFrame, absent: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """What happened since the last night: see `EVENT`. `absent`: person_id, kind."""
    now = member.select("person_id", pl.col("household_id").alias("now"), "basis")
    moves = (
        earlier.rename({"household_id": "was"}).join(now, on="person_id").group_by("was", "now").agg(pl.len())
    )
    came = moves.sort("now", "len", "was", descending=[False, True, False]).unique(
        "now", keep="first", maintain_order=True
    )
    went = moves.sort("was", "len", "now", descending=[False, True, False]).unique(
        "was", keep="first", maintain_order=True
    )
    new = minted.select(pl.col("household_id").alias("now")).join(came, on="now", how="left")
    lasting = earlier.select(pl.col("household_id").alias("was")).unique()
    there = member.select(pl.col("household_id").alias("was")).unique()
    ended = lasting.join(there, on="was", how="anti").join(went, on="was", how="left")
    kept = lasting.join(there, on="was", how="semi")["was"].implode()
    none = pl.lit(None, dtype=pl.Int64)
    word = pl.lit(None, dtype=pl.String)
    of_new = new.select(
        pl.when(pl.col("was").is_null()).then(pl.lit("form")).otherwise(pl.lit("split")).alias("event"),
        pl.col("now").alias("household_id"),
        pl.col("was").alias("other_household_id"),
        none.alias("person_id"),
        word.alias("reason"),
    )
    of_ended = ended.select(
        pl.when(pl.col("now").is_null()).then(pl.lit("dissolve")).otherwise(pl.lit("merge")).alias("event"),
        pl.col("was").alias("household_id"),
        pl.col("now").alias("other_household_id"),
        none.alias("person_id"),
        word.alias("reason"),
    )
    both = now.join(
        earlier.select("person_id", pl.col("household_id").alias("was")),
        on="person_id",
        how="full",
        coalesce=True,
    ).filter(pl.col("now").ne_missing(pl.col("was")))
    joined = both.filter(pl.col("now").is_in(kept).fill_null(False)).select(
        pl.lit("join").alias("event"),
        pl.col("now").alias("household_id"),
        pl.col("was").alias("other_household_id"),
        "person_id",
        pl.col("basis").alias("reason"),
    )
    left = (
        both.filter(pl.col("was").is_in(kept).fill_null(False))
        .join(absent.select("person_id", "kind"), on="person_id", how="left")
        .select(
            pl.lit("leave").alias("event"),
            pl.col("was").alias("household_id"),
            pl.col("now").alias("other_household_id"),
            "person_id",
            pl.when(pl.col("now").is_not_null())
            .then(pl.lit("household"))
            .otherwise(pl.coalesce("kind", pl.lit("unknown")))
            .alias("reason"),
        )
    )
    return (
        pl.concat([of_new, of_ended, joined, left])
        .with_columns(pl.lit(as_of).alias("event_on"))
        .cast(EVENT)
        .sort("household_id", "event", "person_id", nulls_last=True)
    )
