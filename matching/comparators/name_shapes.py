"""Which characters look alike: likeness of two characters by stroke codes, as chance of taking one for the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from matching.comparators.name_tables import CODE_POINTS, Floats, Ints, table

LETTERS = 5
"""A Cangjie code has five letters at most."""
SHARE = {"cangjie": 0.55, "corners": 0.27, "strokes": 0.18}
"""Parts of the likeness; chosen on the 314 look-alikes listed by hand, which it ranks among the first 20 of 7,000
characters in 70 % of cases."""
SHARPNESS = 12
"""P(b | a) ~ likeness to this power: of 6, 8, 12, 16, 20 what makes the pairs listed by hand most probable."""
ALIKE = 0.45
"""Likeness below which two characters are not taken for one another."""
LISTED = 0.9
"""Likeness of a pair that people have listed as confused, at least."""
_UNKNOWN_CORNERS = 0.8
"""What stands for the corners of a character without a four-corner code, as a share of the Cangjie likeness."""


@dataclass(frozen=True)
class Glyphs:
    """Codes of characters, one row each: Cangjie letters (0: none), four-corner digits (0: none), strokes."""

    cangjie: Ints
    corners: Ints
    strokes: Floats


def glyphs(characters: pl.DataFrame) -> Glyphs:
    """Codes of a table with the columns cangjie, four_corner (with or without the dot), strokes, all text."""

    def letters(column: str) -> Ints:
        text = characters[column].fill_null("").str.replace(".", "", literal=True).str.slice(0, LETTERS)
        padded = text.str.pad_end(LETTERS, "\0").str.join("").item()
        return np.frombuffer(padded.encode("ascii"), np.uint8).reshape(len(text), LETTERS)

    return Glyphs(
        letters("cangjie"),
        letters("four_corner"),
        characters["strokes"].cast(pl.Float32).to_numpy(),
    )


def _common_letters(a: Ints, b: Ints) -> Ints:
    """Length of the longest common subsequence of two codes, row by row."""
    # Padding is equal to nothing, not even to padding.
    b = np.where(b == 0, 255, b).astype(np.uint8)
    columns_a, columns_b = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    last = [np.zeros(len(a), np.uint8)] * (LETTERS + 1)
    for letter in columns_a:
        line = [last[0]]
        for place in range(LETTERS):
            longer = last[place] + (letter == columns_b[place])
            line.append(np.maximum(np.maximum(line[-1], last[place + 1]), longer))
        last = line
    return last[-1]


@cache
def _corner_shares() -> Floats:
    """Likeness by which of the five digits agree, the first as the highest of eight bits. A table, and no product of matrices:
    how that one rounds depends on how many rows there are."""
    weight = np.array([0.225, 0.225, 0.225, 0.225, 0.1, 0, 0, 0], np.float32).astype(np.float64)
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    shares: Floats = (bits * weight).sum(1).astype(np.float32)
    return shares


def likeness(table_of: Glyphs, a: Ints, b: Ints) -> Floats:
    """Likeness of rows a and rows b of a table of glyphs, 0 to 1, symmetric."""
    one, other = table_of.cangjie[a], table_of.cangjie[b]
    letters = np.count_nonzero(table_of.cangjie, axis=1).astype(np.float32)
    cangjie = 2 * _common_letters(one, other) / np.maximum(letters[a] + letters[b], 1)
    corners = _corner_shares()[np.packbits(table_of.corners[a] == table_of.corners[b], axis=1)[:, 0]]
    known = table_of.corners[:, 0] != 0
    corners = np.where(known[a] & known[b], corners, _UNKNOWN_CORNERS * cangjie)
    more = np.maximum(table_of.strokes[a], table_of.strokes[b])
    strokes = 1 - np.abs(table_of.strokes[a] - table_of.strokes[b]) / more
    result: Floats = SHARE["cangjie"] * cangjie + SHARE["corners"] * corners + SHARE["strokes"] * strokes
    return result


@cache
def _characters() -> tuple[Ints, Glyphs, Floats, Ints]:
    """Row of a code point (-1: none), codes, sum of the partners' weights, keys of the pairs listed by hand."""
    rows = table("char_glyphs")
    row_of = np.full(CODE_POINTS, -1, np.int32)
    row_of[[ord(c) for c in rows["char"].to_list()]] = np.arange(len(rows))
    listed = table("look_alikes")
    a, b = (row_of[[ord(c) for c in listed[side].to_list()]].astype(np.int64) for side in ("char", "similar"))
    keys = np.unique(np.concatenate([a * len(rows) + b, b * len(rows) + a]))
    return row_of, glyphs(rows), rows["partners"].cast(pl.Float64).to_numpy(), keys


def weights(table_of: Glyphs, listed: Ints, a: Ints, b: Ints) -> Floats:
    """Weight of b as a partner of a; 0 for unlike characters and for a character and itself."""
    alike = likeness(table_of, a, b)
    keys = a.astype(np.int64) * len(table_of.strokes) + b
    place = np.minimum(np.searchsorted(listed, keys), max(len(listed) - 1, 0))
    if len(listed):
        alike = np.where(listed[place] == keys, np.maximum(alike, LISTED), alike)
    return np.where((alike >= ALIKE) & (a != b), alike.astype(np.float64) ** SHARPNESS, 0.0)


def probabilities(a: Ints, b: Ints) -> Floats:
    """P(b | a, shape) of pairs of code points; over all b it sums to 1, or is 0 for a character without partners."""
    row_of, codes, partners, listed = _characters()
    row_a, row_b = row_of[a], row_of[b]
    result = np.zeros(len(a))
    known = np.flatnonzero((row_a >= 0) & (row_b >= 0))
    weight = weights(codes, listed, row_a[known], row_b[known])
    some = weight > 0
    result[known[some]] = weight[some] / partners[row_a[known[some]]]
    return result
