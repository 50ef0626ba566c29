"""Everybody who needs a household tonight, with what decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from matching.households.frames import one_of, years_before

ADULT_AGE = 18
"""Age in years from which a child is no longer a minor (民法典 art. 17)."""

ENROLLED = ("1", "2")
"""A pupil or student in school, or on leave from it."""

POSTGRADUATE = "研|硕|博"
"""Words in a delivered grade that say more than undergraduate. School data have no other word on it."""

SEVERE = (("1", "2"), ("3",), ("5", "6"))
"""Severe disability: grades that are so of any type; grades that are so of the types that follow (intellectual, mental)."""

CASE_ENDED = "4"

Tables = Mapping[str, pl.DataFrame]


def is_minor(birth_date: pl.Expr, as_of: date) -> pl.Expr:
    """Whether somebody is under age on the day; null when the birth date is unknown."""
    return birth_date > years_before(as_of, ADULT_AGE)


def students(school: pl.DataFrame) -> pl.Series:
    """People in full-time school up to undergraduate, as far as school data can tell."""
    beyond = pl.col("grade").str.contains(POSTGRADUATE).fill_null(False)
    return school.filter(pl.col("status").is_in(ENROLLED) & ~beyond)["person_id"].drop_nulls().unique()


def severely_disabled(disability: pl.DataFrame, as_of: date) -> pl.Series:
    """People with a certificate in force of a severe disability."""
    any_type, of_types, types = SEVERE
    severe = pl.col("dis_grade").is_in(any_type) | (
        pl.col("dis_grade").is_in(of_types) & pl.col("dis_type").is_in(types)
    )
    in_force = (pl.col("status").is_null() | (pl.col("status") == "1")) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= as_of)
    )
    return disability.filter(severe & in_force)["person_id"].drop_nulls().unique()


def open_cases(tables: Tables) -> pl.DataFrame:
    """Cases that have not ended."""
    return tables["assistance_case"].filter(pl.col("status").is_null() | (pl.col("status") != CASE_ENDED))


def case_members(tables: Tables, as_of: date) -> pl.DataFrame:
    """Rows of members who are in their case on the day, ended cases too."""
    month = as_of.replace(day=1)
    return tables["assistance_member"].filter(
        (pl.col("leave_month").is_null() | (pl.col("leave_month") > month))
        & (pl.col("join_month").is_null() | (pl.col("join_month") <= as_of))
    )


def last_of_a_case(
    tables: Tables, books: pl.DataFrame, everyone: pl.Series, absent: pl.Series, as_of: date
) -> pl.Series:
    """Absent people of open cases all of whose people, and all of whose book, are absent too.

    A welfare subsidy paid within three months counts as a case of its own person. Payments to somebody who died alone
    would otherwise belong to no household, and stand on no list.
    """
    present = everyone.filter(~everyone.is_in(absent.implode()))
    is_present = pl.col("person_id").is_in(present.implode())
    cases = open_cases(tables)
    paid = tables["welfare_subsidy"].filter(
        (pl.col("status") == "1")
        & (pl.col("pay_month") >= pl.lit(as_of).dt.month_start().dt.offset_by("-3mo"))
    )
    people = pl.concat(
        [
            cases.select("case_id", "person_id"),
            case_members(tables, as_of).join(cases, on="case_id", how="semi").select("case_id", "person_id"),
            paid.select((pl.lit("S:") + pl.col("person_id").cast(pl.String)).alias("case_id"), "person_id"),
        ],
    ).drop_nulls()
    living_books = books.filter(is_present)["register_id"].implode()
    at_home = books.filter(pl.col("register_id").is_in(living_books))["person_id"].implode()
    somebody = is_present | pl.col("person_id").is_in(at_home)
    people = people.with_columns(somebody.alias("somebody"))
    empty = people.group_by("case_id").agg(pl.col("somebody").any()).filter(~pl.col("somebody"))
    return people.join(empty, on="case_id", how="semi")["person_id"].unique().sort()


def everybody(
    tables: Tables, registered: pl.DataFrame, books: pl.DataFrame, live: pl.DataFrame, as_of: date
) -> pl.Series:
    """Whoever is registered, lives here, is in a book or in a case, is born here: alive or not."""
    is_active = pl.col("register_status").is_null() | (pl.col("register_status") == "1")
    return (
        pl.concat(
            [
                registered.filter(is_active)["person_id"],
                books["person_id"],
                live["person_id"],
                case_members(tables, as_of)["person_id"],
                tables["assistance_case"]["person_id"],
                tables["birth"]["person_id"],
                tables["person"].filter("is_registered")["person_id"],
            ]
        )
        .drop_nulls()
        .unique()
        .sort()
    )


def people(
    tables: Tables,
    everyone: pl.Series,
    absent: pl.Series,
    last: pl.Series,
    registered: pl.DataFrame,
    books: pl.DataFrame,
    live: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """One row a person of tonight's households: sex, birth date, book, place, and what makes a dependant of them."""
    known = tables["person"].select("person_id", "sex", "birth_date")
    cases = (
        tables["assistance_case"]
        .drop_nulls(["person_id", "village_code"])
        .sort("person_id", "village_code")
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("village_code").alias("helped_in"))
    )
    out = absent.filter(~absent.is_in(last.implode()))
    return (
        everyone.alias("person_id")
        .to_frame()
        .filter(~pl.col("person_id").is_in(out.implode()))
        .join(known, on="person_id", how="left")
        .join(books, on="person_id", how="left")
        .join(live, on="person_id", how="left")
        .join(registered.select("person_id", "registered_in", "urban_rural"), on="person_id", how="left")
        .join(cases, on="person_id", how="left")
        .with_columns(
            is_minor(pl.col("birth_date"), as_of).fill_null(False).alias("is_minor"),
            one_of("person_id", students(tables["school_enrolment"])).alias("is_student"),
            one_of("person_id", severely_disabled(tables["disability"], as_of)).alias("is_severe"),
            (pl.col("person_id") == pl.col("head_person_id")).fill_null(False).alias("is_head"),
            pl.col("person_id").is_in(last.implode()).alias("is_last_of_case"),
        )
        .sort("person_id")
    )
