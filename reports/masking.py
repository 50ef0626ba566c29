"""Makes the picture of a person that an audience may see, before any output is put together.

What an audience may see belongs in `audiences.yaml`. Definitions read the view `person` made here, so a
column that is hidden from an audience does not exist for its outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

Audience = Literal["township", "county", "audit"]

_FILE = Path(__file__).resolve().parent / "audiences.yaml"

# What must not leave: an identity number or a mobile number in clear. Digits glued to letters are hashes.
_RAW = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z.])"
)


class RawIdentifierError(ValueError):
    """Something that leaves holds an identifier in clear. The message says where, never what."""


@cache
def audiences() -> dict[str, Any]:
    """The table of audiences: id -> title, why, person columns with mask and grounds."""
    table: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["audiences"]
    return table


def mask_name(name: pl.Expr) -> pl.Expr:
    """张明 -> 张*, 张小明 -> 张*明, 欧阳小明 -> 欧阳*明, longer names keep two characters and the last one.

    Names written with dots are masked part by part. Null stays null.
    """
    bare = name.str.strip_chars()
    length = bare.str.len_chars()
    whole = (
        pl.when(length <= 1)
        .then(pl.lit("*"))
        .when(length == 2)
        .then(bare.str.slice(0, 1) + "*")
        .when(length == 3)
        .then(bare.str.slice(0, 1) + "*" + bare.str.slice(2))
        .otherwise(bare.str.slice(0, 2) + "*" + bare.str.slice(-1))
    )
    dotted = bare.str.replace_all(r"([^·])[^·]+", "$1*")
    masked = pl.when(bare.str.contains("·", literal=True)).then(dotted).otherwise(whole)
    return pl.when(name.is_null() | (length == 0)).then(None).otherwise(masked)


def mask_to_surname(name: pl.Expr) -> pl.Expr:
    """张小明 -> 张**: the first character and two stars, whatever the length. Null stays null."""
    bare = name.str.strip_chars()
    masked = pl.when(bare.str.len_chars() <= 1).then(pl.lit("*")).otherwise(bare.str.slice(0, 1) + "**")
    return pl.when(name.is_null() | (bare.str.len_chars() == 0)).then(None).otherwise(masked)


def age_on(birth_date: pl.Expr, as_of: date) -> pl.Expr:
    """Full years on the day; null when the birth date is unknown or lies after it."""
    birthday_to_come = (birth_date.dt.month().cast(pl.Int32) * 100 + birth_date.dt.day()) > (
        as_of.month * 100 + as_of.day
    )
    years = pl.lit(as_of.year) - birth_date.dt.year() - birthday_to_come.cast(pl.Int32)
    return pl.when(years >= 0).then(years).otherwise(None).cast(pl.Int32)


def persons_for(audience: Audience, persons: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The view `person` of an audience: the key person_id and what the audience may see.

    Reads person_id, person_name, sex ('1'/'2'/null), birth_date. Gives name_zh, sex_zh, age as far as they
    are not hidden. person_id is the key that joins the views and is not for showing.
    """
    rules = audiences()[audience]["person"]
    age = age_on(pl.col("birth_date"), as_of)
    shown: dict[str, pl.Expr] = {}
    if rules["name"]["mask"] == "part":
        name = mask_name(pl.col("person_name"))
        child = mask_to_surname(pl.col("person_name"))
        # An unknown age is treated as an adult's: the stricter mask would hide every person without a birth date.
        masked = pl.when((age < rules["name"]["minor_below"]).fill_null(False)).then(child).otherwise(name)
        shown["name_zh"] = masked.fill_null("姓名不详")
    if rules["sex"]["mask"] == "none":
        shown["sex_zh"] = (
            pl.col("sex")
            .replace_strict({"1": "男", "2": "女"}, default=None, return_dtype=pl.String)
            .fill_null("不详")
        )
    if rules["age"]["mask"] == "none":
        shown["age"] = age
    return persons.select("person_id", **shown).sort("person_id")


def refuse_raw_identifiers(texts: Iterable[str], where: str) -> None:
    """The last gate before a file is written: raises RawIdentifierError when a text holds a raw identifier."""
    for text in texts:
        if _RAW.search(text):
            raise RawIdentifierError(f"{where}: a raw identifier would leave; nothing was written")
