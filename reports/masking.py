"""Makes the picture of a person that an audience may see, before any output is put together.

What an audience may see belongs in `audiences.yaml`. Definitions read the view `person` made here, so a
column that is hidden from an audience does not exist for its outputs.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

Audience = Literal["township", "county", "audit", "register", "department"]

_FILE = Path(__file__).resolve().parent / "audiences.yaml"

COVERED = "***已遮盖***"
"""What stands in an output where an identifier stood."""

# What must not leave: an identity number (18 or 15 digits) or a mobile number in clear, written together or in groups.
# Digits glued to letters are hashes, digits before a decimal point an amount. Groups are asked for a real province: two
# dates and a number side by side have none.
_PROVINCE = r"(?:1_[1-5]|2_[1-3]|3_[1-7]|4_[1-6]|5_[0-4]|6_[1-5]|7_1|8_[1-3])"
_MONTH_DAY = r"(?:0_[1-9]|1_[0-2])_(?:0_[1-9]|[12]_\d|3_[01])"
_LAST = r"_\d_\d_\d"
_OF_18 = rf"(?:1_9|2_0)_\d_\d_{_MONTH_DAY}{_LAST}_[\dX]"
_RAW = re.compile(
    r"(?<![0-9A-Z])(?:"
    + rf"[1-9]\d{{5}}{_OF_18}".replace("_", "")
    + "|"
    + rf"{_PROVINCE}_\d_\d_\d_\d_(?:{_OF_18}|\d_\d_{_MONTH_DAY}{_LAST})".replace("_", r"[ ·_/-]?")
    + r")(?![0-9A-Z]|\.\d)"
    + r"|(?<![0-9A-Z.])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![0-9A-Z]|\.\d)",
    re.ASCII | re.IGNORECASE,
)
# A character for a character, so that what is found in the plain text stands at the same place in the text itself.
_PLAIN = str.maketrans("０１２３４５６７８９Ｘｘ　\u00a0－—–．／", "0123456789Xx  ---./")
_LONG = re.compile(r"\d{15,}[Xx]?")


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


def cover(text: str) -> tuple[str, int]:
    """The text with every raw identifier covered, and how many there were."""
    found = list(_RAW.finditer(text.translate(_PLAIN)))
    for match in reversed(found):
        text = text[: match.start()] + COVERED + text[match.end() :]
    return text, len(found)


def cover_file_name(name: str) -> tuple[str, int]:
    """The name of a delivered file with raw identifiers and every run of 15 or more digits covered."""
    name, found = cover(name)
    name, runs = _LONG.subn(COVERED, name)
    return name, found + runs


class Gate:
    """The last gate: whatever is written passes it, and an identifier in clear is covered and counted, never written.

    A slip in one text costs that text and calls for somebody; it does not cost a township its list.
    """

    def __init__(self) -> None:
        self.covered: Counter[str] = Counter()

    def text(self, text: str, where: str) -> str:
        """What may be written of a text; `where` names the output, never the value."""
        return self._counted(cover(text), where)

    def file_name(self, name: str, where: str) -> str:
        """What may be written of the name of a delivered file."""
        return self._counted(cover_file_name(name), where)

    def _counted(self, done: tuple[str, int], where: str) -> str:
        text, found = done
        if found:
            self.covered[where] += 1
        return text

    def attention(self) -> list[str]:
        """One line an output in which something was covered, in order of the outputs."""
        return [f"{where}：有{n}处含证件号码或手机号码，已遮盖" for where, n in sorted(self.covered.items())]
