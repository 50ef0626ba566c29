"""Cells with identity numbers as comparing forms: what kind of number, which person it may name, what it says.

A number that does not validate is kept as text to be compared, never repaired here.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from data_contracts import plain_dates
from data_contracts.resident_id import (
    birth_date_of,
    bytes_of_width,
    check_character,
    resident_id_is_valid,
    sex_of,
    upgrade_15_to_18,
)
from matching.cells import NOTHING, as_text, distinct, half_width, slots

FORMS = pl.Schema(
    {
        "id_key": pl.String(),
        "id_kind": pl.String(),
        "id_text": pl.String(),
        "id_birth": pl.Date(),
        "id_sex": pl.String(),
    }
)

_FILLER = (
    r"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|X+|1234567890*|123456789012345(?:678|67X)?|9876543210*"
    r"|987654321098765432|.{0,3})$"
)
_NO_NUMBER = r"^(?:无|没有|无证|无证件|无身份证|未办理?|待补|不详|未知|不明|暂无|NULL|NONE|NAN)"
_EXPONENT = r"^([0-9])(?:\.([0-9]+))?E\+?(1[0-9])$"
_ZEROED = r"^[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]000$"

MANY_ZEROED = 0.005
"""Where more than this share of a column's numbers end in 000, a spreadsheet cut them. Of sound ones about 1 in 1,100 do."""


def id_forms(cells: pl.Series, as_of: date | None = None) -> pl.DataFrame:
    """Comparing forms of a column of identity numbers, row by row, in order.

    Columns: `id_key` (18 characters; 15-digit numbers made longer; `F:` and the number of a foreign document; null
    for all others), `id_kind` (valid18, valid15, masked, foreign, invalid; null for nothing and fillers),
    `id_text` (as compared; `*` hidden by the source, `?` lost by a spreadsheet), `id_birth` and `id_sex` (valid numbers only).
    A number whose holder is not born on `as_of` is not valid; nor is one that ends in 000 in a column that a spreadsheet cut.
    """
    texts = as_text(cells)
    if cells.dtype.is_float():
        texts = _lossy(texts)
    valid = resident_id_is_valid(texts, as_of).fill_null(False)
    zeroed = _zeroed(texts, valid)
    if zeroed is not None:
        valid &= ~zeroed
    if valid.all():
        return _of_valid(texts)
    plain = _of_valid(texts.filter(valid))
    rest = texts.filter(~valid)
    values, codes = distinct(rest)
    table = pl.concat([plain, _careful(values, as_of, is_cut=zeroed is not None)])
    places = slots(np.flatnonzero(valid.to_numpy()), len(texts))
    late = slots(np.flatnonzero((~valid).to_numpy()), len(texts), codes + plain.height)
    return table.select(pl.all().gather(places.fill_null(late)))


def _zeroed(texts: pl.Series, valid: pl.Series) -> pl.Series | None:
    """Cells whose last three digits a spreadsheet made 000; None where the column shows no such damage.

    One in eleven of them has the right check character by chance.
    """
    ends = texts.str.ends_with("000").fill_null(False)
    if int(ends.sum()) <= MANY_ZEROED * (len(texts) - texts.null_count()):
        return None
    places = ends.arg_true()
    places = places.filter(texts.gather(places).str.contains(_ZEROED))
    sound = int(valid.gather(places).sum())
    if len(places) <= MANY_ZEROED * (len(texts) - texts.null_count()) or 2 * sound > len(places):
        return None
    return pl.repeat(False, len(texts), eager=True).scatter(places, True)


def _lossy(texts: pl.Series) -> pl.Series:
    """Numbers that were stored with a floating point: the digits behind the fifteenth are made up."""
    return texts.str.replace(r"^([0-9]{15})[0-9]{3}$", "${1}???")


def _of_valid(numbers: pl.Series) -> pl.DataFrame:
    """Forms of numbers of 18 characters that are known to be valid."""
    _, matrix = bytes_of_width(numbers, 18)
    is_man = (matrix[:, 16] & 1).astype(np.uint32) if len(numbers) else np.empty(0, dtype=np.uint32)
    return pl.DataFrame(
        {
            "id_key": numbers,
            "id_kind": pl.repeat("valid18", len(numbers), dtype=pl.String, eager=True),
            "id_text": numbers,
            "id_birth": plain_dates.read(numbers.str.slice(6, 8), "YYYYMMDD"),
            "id_sex": pl.Series(["2", "1"]).gather(pl.Series(is_man)),
        },
        schema=FORMS,
    )


def _careful(cells: pl.Series, as_of: date | None, *, is_cut: bool = False) -> pl.DataFrame:
    """Forms of distinct cells in any spelling. `is_cut`: what ends in 000 is no whole number, valid or not."""
    text = half_width(pl.col("cell")).str.replace_all(r"[\s·,，。]+", "").str.to_uppercase()
    frame = cells.alias("cell").to_frame().lazy().with_columns(text=text)
    bare = (
        # x, × and the Cyrillic letter stand for the last character; three or more of anything of the kind hide digits.
        pl.col("text")
        .str.replace(r"^([0-9]{17})[ХXⅩ✕╳×]$", "${1}X")
        .str.replace(r"^([0-9]{6})-?([0-9]{8})-?([0-9]{3}[0-9X])$", "$1$2$3")
        .str.replace(r"^([0-9]{15}|[0-9]{17}[0-9X])\.0*$", "$1")
        .str.replace(r"^(?:身份证号?码?|ID|NO\.?)[::]?", "")
        .str.replace_all(r"[＊•●×✕#_]", "*")
    )
    frame = frame.with_columns(text=bare)
    inner = (
        pl.when(pl.col("text").str.contains(r"^[0-9]{17}[0-9X][1-7][1-4](?:B[0-9]{1,2})?$"))
        .then(pl.col("text").str.slice(0, 18))
        .otherwise(pl.col("text"))
    )
    hidden = inner.str.contains(r"^[0-9*]{5,}X{2,}[0-9*]*X?$|[0-9]X{3,}")
    stars = pl.col("text").str.replace(r"X$", "~").str.replace_all("X", "*").str.replace("~$", "X")
    frame = frame.with_columns(text=inner).with_columns(
        text=pl.when(hidden & (pl.col("text").str.len_chars() >= 15)).then(stars).otherwise("text")
    )
    text = pl.col("text")
    star = text.str.contains(r"^[0-9]{17}\*$")
    head = text.str.slice(0, 17)
    frame = frame.with_columns(
        text=pl.when(star & (check_character(head) == "X")).then(head + pl.lit("X")).otherwise(text)
    )
    frame = frame.with_columns(
        valid=resident_id_is_valid(text, as_of) & ~(text.str.contains(_ZEROED) & is_cut),
        old=text.str.contains(r"^[0-9]{15}$") & birth_date_of(text).is_not_null(),
        digits=text.str.extract(_EXPONENT, 1) + text.str.extract(_EXPONENT, 2).fill_null(""),
        power=text.str.extract(_EXPONENT, 3).cast(pl.Int32, strict=False),
    )
    shortened = pl.col("power").is_not_null()
    # 1.50902198001011E+17 keeps fifteen digits; of 1.50902E+17 nothing that could be compared is left.
    head = pl.when(pl.col("power") == 17).then(pl.col("digits").str.extract(r"^([0-9]{15})"))
    zeroed = text.str.contains(r"^[0-9]{14,15}0{3,4}$") & (text.str.len_bytes() == 18) & ~pl.col("valid")
    frame = frame.with_columns(
        text=pl.when(shortened)
        .then(head + pl.lit("???"))
        .when(zeroed)
        .then(text.str.slice(0, 15) + pl.lit("???"))
        .otherwise(text)
    )
    filler = (
        pl.col("cell").is_in(NOTHING.to_list())
        | text.is_in(NOTHING.to_list())
        | text.str.contains(_FILLER)
        | text.str.contains(_NO_NUMBER)
        | ~text.str.contains(r"[0-9]")
    )
    resident = pl.col("id_kind").is_in(["valid18", "valid15"])
    return (
        frame.with_columns(
            id_kind=pl.when(filler.fill_null(True))
            .then(None)
            .when("valid")
            .then(pl.lit("valid18"))
            .when("old")
            .then(pl.lit("valid15"))
            .when(text.str.contains(r"\?{3}$"))
            .then(pl.lit("invalid"))
            .when(text.str.contains(r"[*?]"))
            .then(pl.lit("masked"))
            .when(text.str.contains(r"^[A-Z]{1,3}[0-9]{6,12}[0-9A-Z]{0,3}$"))
            .then(pl.lit("foreign"))
            .otherwise(pl.lit("invalid"))
        )
        .with_columns(
            id_text=pl.when(pl.col("id_kind") == "masked")
            .then(text.str.replace_all("?", "*", literal=True))
            .when(pl.col("id_kind").is_not_null())
            .then(text),
            id_key=pl.when(resident)
            .then(upgrade_15_to_18(text))
            .when(pl.col("id_kind") == "foreign")
            .then(pl.lit("F:") + text),
            id_birth=pl.when(resident).then(birth_date_of(text)),
            id_sex=pl.when(resident).then(sex_of(text)),
        )
        .select(FORMS.names())
        .collect()
    )
