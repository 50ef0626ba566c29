"""Names as sounds for equality keys: toneless readings with the sounds merged that speakers of some region merge.

For blocking alone: what a sound is worth as evidence is weighed in `comparators/name.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import polars as pl

from matching.coded import WILDCARD, Codes, Names, mix
from matching.comparators.name_sounds import GIVEN, SURNAME, readings

_MERGED = (
    (r"^zh", "z"),
    (r"^ch", "c"),
    (r"^sh", "s"),
    (r"^n(?!$)", "l"),
    (r"^r", "l"),
    (r"^hu(?=[aeio])", "f"),
    (r"^h(?=[aeiou])", "f"),
    (r"ng$", "n"),
    (r"^w", "u"),
    (r"^y", "i"),
)
"""Coarser than any one region: a key may join too much, never too little."""

_USUAL = 4


@cache
def _tables() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Sound of a character in a given name, and as a surname; 0 for what is not a Han character with a reading."""
    codes: dict[str, int] = {}

    def code(reading: str) -> int:
        for pattern, by in _MERGED:
            reading = re.sub(pattern, by, reading)
        return codes.setdefault(reading, len(codes) + 1)

    first = readings().filter(pl.col("place") == 0) if "place" in readings().columns else readings()
    found = []
    for slot in (GIVEN, SURNAME):
        of_slot = first.filter(pl.col("slot") == slot).unique("char", keep="first", maintain_order=True)
        distinct = of_slot["reading"].unique().sort()
        merged = dict(zip(distinct.to_list(), map(code, distinct.to_list()), strict=True))
        sounds = np.zeros(0x110000, dtype=np.uint16)
        chars = np.frombuffer("".join(of_slot["char"].to_list()).encode("utf-32-le"), dtype=np.uint32)
        sounds[chars] = of_slot["reading"].replace_strict(merged, return_dtype=pl.UInt16).to_numpy()
        found.append(sounds)
    plain, surname = found
    return plain, surname


@dataclass(frozen=True)
class Sounds:
    """Sounds of a table of names; 0 where a character has none (lost, or not Chinese)."""

    names: Names

    @cached_property
    def matrix(self) -> np.ndarray[Any, np.dtype[np.uint16]]:
        """(names, characters) sounds."""
        plain, surname = _tables()
        found = plain[self.names.chars]
        found[:, 0] = surname[self.names.chars[:, 0]]
        return found

    @cached_property
    def whole(self) -> Codes:
        """One key for the sound of the whole name; characters that have no sound stand for themselves."""
        width = min(self.matrix.shape[1], 8)
        longest = np.minimum(self.names.size, width)
        key = np.zeros(len(longest), dtype=np.uint64)
        for columns in (min(_USUAL, width), width):
            # Few names are longer than four characters.
            here = np.flatnonzero((longest <= columns) & (key == 0))
            if not len(here):
                continue
            parts = []
            for n in range(width):
                if n >= columns:
                    parts.append(np.ones(len(here), dtype=np.uint64))
                    continue
                sound, char = self.matrix[here, n], self.names.chars[here, n]
                own = np.where(sound > 0, sound, char + np.uint32(1 << 20))
                parts.append(np.where(longest[here] > n, own, 1).astype(np.uint64))
            key[here] = mix(*parts)
        return np.where(self.names.has_wildcard | (self.names.size < 2), np.uint64(0), key)

    @property
    def first(self) -> Codes:
        """Sound of the first character."""
        return self._own(np.zeros(len(self.names.size), dtype=np.int64))

    @property
    def second(self) -> Codes:
        """Sound of the second character."""
        return self._own(np.ones(len(self.names.size), dtype=np.int64))

    @property
    def last(self) -> Codes:
        """Sound of the last character."""
        return self._own(
            np.maximum(np.minimum(self.names.size, self.matrix.shape[1]) - 1, 0).astype(np.int64)
        )

    def _own(self, place: np.ndarray[Any, Any]) -> Codes:
        rows = np.arange(len(place))
        char = self.names.chars[rows, place]
        sound = self.matrix[rows, place].astype(np.uint64)
        return np.where(
            sound > 0, sound, np.where(char == WILDCARD, 0, char.astype(np.uint64) + np.uint64(1 << 20))
        )


def sound_codes(names: Names) -> Sounds:
    """Sounds of the names, made when first asked for."""
    return Sounds(names)
