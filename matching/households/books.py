"""What the register and the residence permits say: the family book of each person, and where people live."""

from __future__ import annotations

from datetime import date

import polars as pl

from matching.households.frames import years_before

LARGEST_UNSTATED_BOOK = 12
"""Living people up to whom a book that does not say whether it is collective may be a family's. Working value: three
generations with married sons; dormitories and work units have more."""

LARGEST_FAMILY_BOOK = 20
"""Living people beyond whom a book is treated as collective whatever it says. Working value."""

LONG_TERM_YEARS = 1
"""Years of living somewhere from which it is long-term. National law gives no figure; one published local rule says one year."""


def of_families(membership: pl.DataFrame, dead: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Rows of the register in family books, with `unstated`: the book does not say that it is a family's.

    What a row does not say another row of the book may; if none does, only a small book may be a family's. Rows without
    a known person count as one living person each.
    """
    open_ = pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    begun = pl.col("join_date").is_null() | (pl.col("join_date") <= as_of)
    alive = pl.col("person_id").is_null() | ~pl.col("person_id").is_in(dead["person_id"].implode())
    sizes = (
        membership.filter(open_ & begun & alive & pl.col("register_id").is_not_null())
        .group_by("register_id")
        .agg((pl.col("person_id").drop_nulls().n_unique() + pl.col("person_id").null_count()).alias("_size"))
    )
    stated = pl.coalesce("is_collective", pl.col("is_collective").max().over("register_id"))
    size = pl.col("_size").fill_null(0)
    fits = (
        pl.when(pl.col("_stated").is_null()).then(size <= LARGEST_UNSTATED_BOOK).otherwise(~pl.col("_stated"))
    )
    return (
        membership.filter(pl.col("register_id").is_not_null())
        .join(sizes, on="register_id", how="left", maintain_order="left")
        .with_columns(stated.alias("_stated"))
        .filter(fits & (size <= LARGEST_FAMILY_BOOK))
        .with_columns(pl.col("_stated").is_null().alias("unstated"))
        .drop("_size", "_stated")
    )


def in_force(families: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Rows of family books on the day, the book joined last first."""
    open_ = pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    begun = pl.col("join_date").is_null() | (pl.col("join_date") <= as_of)
    return families.filter(open_ & begun & pl.col("person_id").is_not_null()).sort(
        "person_id",
        "join_date",
        "data_as_of",
        "register_id",
        "relation_to_head",
        "head_person_id",
        descending=[False, True, True, False, False, False],
        nulls_last=True,
    )


def books(families: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The family book each person stands in on the day: the one joined last. Collective books never form a family."""
    return (
        in_force(families, as_of)
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "register_id", "head_person_id", "relation_to_head", "join_date", "unstated")
    )


def live_village(residence: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Where each person lives by the latest residence permit in force: `person_id`, `lives_in`, `is_long_term`."""
    return (
        residence.filter(
            pl.col("person_id").is_not_null()
            & pl.col("village_code").is_not_null()
            & (pl.col("live_since").is_null() | (pl.col("live_since") <= as_of))
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= as_of))
        )
        .sort("person_id", "live_since", "village_code", descending=[False, True, False], nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
        .select(
            "person_id",
            pl.col("village_code").alias("lives_in"),
            (pl.col("live_since") <= years_before(as_of, LONG_TERM_YEARS))
            .fill_null(False)
            .alias("is_long_term"),
        )
    )


def registered(table: pl.DataFrame) -> pl.DataFrame:
    """The current register row of each person, with `registered_in` for the village."""
    return (
        table.filter(pl.col("person_id").is_not_null())
        .sort("person_id", "register_status", "data_as_of", "village_code", "urban_rural", nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
        .rename({"village_code": "registered_in"})
    )
