"""Columns of cells of any type as text, worked on once per distinct value: what the readers of one kind share."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from data_contracts.field_types import BLANKS, EMPTY_WORDS

NOTHING = pl.Series(
    sorted({*EMPTY_WORDS, "", "NAN", "NONE", "不知道", "不清楚", "未登记", "*", "**", "***", "?", "？"})
)
"""Spellings of "nothing", NFKC and upper case or as they are."""


def as_text(cells: pl.Series) -> pl.Series:
    """Cells as text: whole numbers without a fraction, days as 1980-01-31; texts as they are."""
    kind = cells.dtype
    if kind == pl.String():
        return cells
    if kind.is_float():
        whole = cells.is_finite() & (cells.round(0) == cells) & (cells.abs() < 9e18)
        frame = pl.DataFrame({"v": cells, "whole": whole})
        number = pl.col("v")
        return frame.select(
            pl.when(pl.col("whole"))
            .then(pl.when(pl.col("whole")).then(number).cast(pl.Int64, strict=False).cast(pl.String))
            .when(number.is_finite())
            .then(number.cast(pl.String))
            .alias(cells.name)
        ).to_series()
    if kind.is_nested() or kind == pl.Object():
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.String)
    return cells.cast(pl.String, strict=False)


def distinct(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Distinct texts, and for each cell the position of its text (null for null), in one pass."""
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    codes = coded.to_physical()
    table = (
        coded.unique().drop_nulls().to_frame("text").with_columns(pl.col("text").to_physical().alias("code"))
    )
    table = table.sort("code")
    if table.height and table["code"][-1] != table.height - 1:
        # Codes with holes between them.
        codes = codes.replace_strict(table["code"], pl.int_range(table.height, dtype=pl.UInt32, eager=True))
    return table["text"].cast(pl.String).alias(texts.name), codes


def slots(places: Any, length: int, codes: pl.Series | None = None) -> pl.Series:
    """A column of positions: at each of `places` the next code (default 0, 1, 2 ...), null elsewhere.

    Gathering by it spreads a short table over a long one.
    """
    at = np.asarray(places)
    values = np.zeros(length, dtype=np.uint32)
    known = np.zeros(length, dtype=bool)
    if codes is None:
        values[at], known[at] = np.arange(len(at), dtype=np.uint32), True
    else:
        values[at] = codes.fill_null(0).to_numpy()
        known[at] = codes.is_not_null().to_numpy()
    found = pl.Series("slot", values)
    return found if known.all() else found.set(pl.Series(~known), None)


def half_width(texts: pl.Expr) -> pl.Expr:
    """Text in one width, without invisible characters, outer blanks and the marks of spreadsheets."""
    return (
        texts.str.normalize("NFKC")
        .str.replace_all(r"[\p{Cf}\p{Cc}]", "")
        .str.replace_all(r"^[='\"`‘’“”]+|['\"`‘’“”]+$", "")
        .str.strip_chars(BLANKS)
    )
