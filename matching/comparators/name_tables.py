"""The small tables behind the comparison of names, read once, and names as arrays of code points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
CODE_POINTS = 0x40000
"""All planes that hold Han characters; what lies above counts as the last code point."""
WILDCARD = ord("?")

Ints = np.ndarray[Any, Any]
Floats = np.ndarray[Any, Any]


@cache
def table(name: str) -> pl.DataFrame:
    """A table of matching/reference, every column as text."""
    return pl.read_csv(REFERENCE / f"{name}.csv", infer_schema=False)


@cache
def compound_surnames() -> pl.Series:
    """Surnames of two characters, sorted."""
    return table("compound_surnames")["surname"]


@dataclass(frozen=True)
class Codes:
    """Names as code points: all characters in one array, and where each name begins and how long it is."""

    flat: Ints
    start: Ints
    length: Ints

    def matrix(self, rows: Ints, width: int) -> Ints:
        """Code points of some names of at least `width` characters: one row a name, its first `width` characters."""
        return self.flat[self.start[rows][:, None] + np.arange(width)]


def codes(names: pl.Series) -> Codes:
    """Code points of names; a null counts as an empty name."""
    text = names.fill_null("")
    joined = text.str.join("").item() if len(text) else ""
    flat = np.minimum(np.frombuffer(joined.encode("utf-32-le"), np.uint32), CODE_POINTS - 1).astype(np.int32)
    length = text.str.len_chars().to_numpy().astype(np.int32)
    start = np.zeros(len(length), np.int64)
    np.cumsum(length[:-1], out=start[1:])
    return Codes(flat, start, length)


def any_in(names: Codes, members: Ints) -> Ints:
    """Whether any character of a name is a member (a truth value per code point)."""
    return _counted(names, members) > 0


def all_in(names: Codes, members: Ints) -> Ints:
    """Whether all characters of a name are members; not true of an empty name."""
    return (_counted(names, members) == names.length) & (names.length > 0)


def _counted(names: Codes, members: Ints) -> Ints:
    total = np.zeros(len(names.flat) + 1, np.int32)
    np.cumsum(members[names.flat], out=total[1:])
    return total[names.start + names.length] - total[names.start]


def members(text: str) -> Ints:
    """A truth value per code point: whether it occurs in the text."""
    found = np.zeros(CODE_POINTS, bool)
    found[[min(ord(c), CODE_POINTS - 1) for c in set(text)]] = True
    return found


@cache
def latin() -> Ints:
    """Letters A-Z, and the marks inside a name written in them."""
    return members("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@cache
def transliterating() -> Ints:
    """Characters that write down the sound of Mongolian, Uyghur, Tibetan ... names."""
    return members(
        "".join(
            table("minority_spellings")["spelling"].to_list()
            + table("minority_given_names")["name"].to_list()
        )
    )
