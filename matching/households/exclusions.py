"""Who is of no family on a day, and since when: the dead, prison, compulsory rehabilitation, struck off, moved away.

Declared missing and clergy of three years (art. 7) are in no fact table; `docs/households.md` says what that means.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from matching.households.frames import EXCLUSION

PRISON, COMPULSORY_REHABILITATION = "3", "4"
"""Kinds of custody that take a person out of the family for the spell; arrest and community correction do not."""

INSIDE = {PRISON: "prison", COMPULSORY_REHABILITATION: "rehabilitation"}


def deaths(death: pl.DataFrame) -> pl.DataFrame:
    """First known day of each death: `person_id`, `died_on`, `source_class`, `data_as_of`."""
    return (
        death.with_columns(pl.coalesce("death_date", "recorded_date").alias("died_on"))
        .drop_nulls(["person_id", "died_on"])
        .sort("person_id", "died_on", "source_class", "data_as_of")
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "died_on", "source_class", "data_as_of")
    )


def exclusions(
    dead: pl.DataFrame,
    custody: pl.DataFrame,
    registered: pl.DataFrame,
    elsewhere_known: pl.Series,
) -> pl.DataFrame:
    """All spells: see `EXCLUSION`. `elsewhere_known`: people with a book or a place here whatever the register row says."""
    gone = dead.select(
        "person_id",
        pl.lit("dead").alias("kind"),
        pl.col("died_on").alias("happened_on"),
        pl.col("died_on").dt.month_start().dt.offset_by("1mo").alias("since"),
        pl.lit(None, dtype=pl.Date).alias("until"),
        "source_class",
        "data_as_of",
    )
    # Released without a day: nobody knows how long it was, so it is over from the beginning.
    released = (pl.col("status") == "2").fill_null(False)
    inside = custody.filter(
        pl.col("custody_type").is_in(list(INSIDE)) & ~(released & pl.col("end_date").is_null())
    ).select(
        "person_id",
        pl.col("custody_type").replace_strict(INSIDE, return_dtype=pl.String).alias("kind"),
        pl.col("start_date").alias("happened_on"),
        pl.col("start_date").alias("since"),
        # A released person whose stated end lies ahead was let go before the row was written.
        pl.when(released)
        .then(pl.min_horizontal("end_date", pl.col("data_as_of").dt.offset_by("-1d")))
        .otherwise("end_date")
        .alias("until"),
        "source_class",
        "data_as_of",
    )
    off = (
        registered.filter(pl.col("register_status").is_in(["2", "3", "4"]))
        .filter(~pl.col("person_id").is_in(dead["person_id"].implode()))
        .filter((pl.col("register_status") == "3") | ~pl.col("person_id").is_in(elsewhere_known.implode()))
        .select(
            "person_id",
            pl.when(pl.col("register_status") == "2")
            .then(pl.lit("moved_out"))
            .otherwise(pl.lit("cancelled"))
            .alias("kind"),
            *(pl.lit(None, dtype=pl.Date).alias(c) for c in ("happened_on", "since", "until")),
            "source_class",
            "data_as_of",
        )
    )
    return (
        pl.concat([gone, inside, off])
        .drop_nulls("person_id")
        .cast(EXCLUSION)
        .unique()
        .sort(pl.all(), nulls_last=True)
    )


def absent(spells: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Who is of no family on the day: `person_id`, `kind`, `happened_on`; the weightiest kind where several hold."""
    begun = pl.col("since").is_null() | (pl.col("since") <= as_of)
    lasting = pl.col("until").is_null() | (pl.col("until") >= as_of)
    rank = pl.col("kind").replace_strict(
        {"dead": 0, "prison": 1, "rehabilitation": 2, "cancelled": 3, "moved_out": 4}, return_dtype=pl.Int8
    )
    return (
        spells.filter(begun & lasting)
        .with_columns(rank.alias("_rank"))
        .sort("person_id", "_rank", "happened_on", nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "kind", "happened_on")
    )
