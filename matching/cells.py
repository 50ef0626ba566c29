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


def spread(codes: Any) -> Any:
    """Whole numbers of 64 bits as codes that differ in their first bits too; different ones stay different."""
    return codes * _ODD


def first_places(codes: Any) -> Any:
    """For each of an array of 64-bit codes (hashes: their first bits differ) the place where that code stands first."""
    count = len(codes)
    places = np.arange(count, dtype=np.uint32)
    bits = count.bit_length() + 1
    slot = (codes >> np.uint64(64 - bits)).astype(np.uint32)
    table = np.empty(1 << bits, dtype=np.uint32)
    # Of several values for one slot the last one stays: from behind, the first.
    table[slot[::-1]] = places[::-1]
    found = table[slot]
    shared = np.flatnonzero(codes[found] != codes)
    if len(shared):
        found[shared] = shared[first_places(spread(codes[shared]))]
    return found


_ODD = np.uint64(0x9E3779B97F4A7C15)


def numbered(codes: Any) -> tuple[Any, Any]:
    """Places where distinct 64-bit codes stand first, rising, and for each code the position of its place among these."""
    found = first_places(codes)
    is_first = found == np.arange(len(found), dtype=np.uint32)
    number = np.cumsum(is_first, dtype=np.uint32)
    number -= np.uint32(1)
    return np.flatnonzero(is_first).astype(np.uint32), number[found]


def distinct(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Distinct texts in the order in which they first occur, and for each cell the position of its text (null for null).

    Texts are told apart by their 64-bit hash.
    """
    if not texts.null_count():
        places, codes = numbered(texts.hash(seed=7).to_numpy())
        return texts.gather(places), pl.Series(texts.name, codes)
    known = np.flatnonzero(texts.is_not_null().to_numpy()).astype(np.uint32)
    there = texts.gather(known)
    places, codes = numbered(there.hash(seed=7).to_numpy())
    return there.gather(places), slots(known, len(texts), pl.Series(codes)).alias(texts.name)


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
