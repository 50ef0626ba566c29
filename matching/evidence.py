"""What one comparison says about pairs, and what the population says about values: the two halves of a weight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from matching.coded import NO_DAY, Codes, Ints, Side, Small, mix

Bits = np.ndarray[Any, np.dtype[np.float32]]
Level = np.ndarray[Any, np.dtype[np.uint8]]

SILENT = 0
"""The level of a comparison for which one of the two records has no value: it counts neither for nor against."""


@dataclass
class Evidence:
    """One comparison of many pairs. The weight of a pair is log2(rate of its level) + bits; 0 where it is silent.

    `level`: number of the level (0 silent, else place in the model's list, from 1). `bits`: log2 of how probable the
    value is for the same person at this level, against how probable it is for anybody.
    """

    level: Level
    bits: Bits


def silent(n: int) -> Evidence:
    """No word about any pair."""
    return Evidence(np.zeros(n, dtype=np.uint8), np.zeros(n, dtype=np.float32))


_ODD = np.uint64(0x9E3779B97F4A7C15)
_BITS = np.uint64(40)


def slot(codes: Codes) -> Codes:
    """24 bits of a code, for tables of marks."""
    return (codes * _ODD) >> _BITS


def marks(codes: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A table by slot of the codes that occur. A code whose slot is not marked does not occur; others may."""
    found = np.zeros(1 << 24, dtype=bool)
    found[slot(codes[codes != 0])] = True
    return found


def positions(ordered: Codes, wanted: Codes) -> Ints:
    """First place of each wanted code among ordered ones. Many are looked up in their own order, which is kind to caches."""
    if len(wanted) < 20_000:
        return np.searchsorted(ordered, wanted)
    order = np.argsort(wanted)
    found = np.empty(len(wanted), dtype=np.int64)
    found[order] = np.searchsorted(ordered, wanted[order])
    return found


def is_among(ordered: Codes, wanted: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each wanted code is one of the ordered ones."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=bool)
    place = np.minimum(positions(ordered, wanted), len(ordered) - 1)
    found: np.ndarray[Any, np.dtype[np.bool_]] = ordered[place] == wanted
    return found


def counted(codes: Codes) -> tuple[Codes, Ints]:
    """Distinct codes, rising, and how often each occurs. Sorting 64-bit codes is faster than numpy's hashing of them."""
    ordered = np.sort(codes)
    starts = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        if len(ordered)
        else np.empty(0, int)
    )
    return ordered[starts], np.diff(np.concatenate([starts, [len(ordered)]]))


class Shares:
    """How common a code is on the left side, and how many records there carry any."""

    def __init__(self, rows: Small, codes: Codes) -> None:
        known = codes != 0
        self._distinct, self._counts = counted(codes[known])
        has = np.zeros(int(rows.max()) + 1 if len(rows) else 1, dtype=bool)
        has[rows[known]] = True
        self.records = max(int(has.sum()), 1)

    @property
    def is_of_persons(self) -> bool:
        """Nearly every record has a value of its own."""
        return len(self._distinct) >= 0.9 * self.records

    def count(self, codes: Codes) -> Ints:
        """Records with the code; 0 for unknown codes."""
        if not len(self._distinct):
            return np.zeros(len(codes), dtype=np.int64)
        place = np.minimum(positions(self._distinct, codes), len(self._distinct) - 1)
        return np.where(self._distinct[place] == codes, self._counts[place], 0)

    def bits(self, codes: Codes) -> Bits:
        """-log2 of the share of the code; a code seen nowhere counts as seen once."""
        share = np.maximum(self.count(codes), 1) / self.records
        return (-np.log2(share)).astype(np.float32)


@dataclass(frozen=True)
class Births:
    """Births of the left side by day, for the mass of any interval."""

    first: int
    total: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, side: Side) -> Births:
        """From the exact days of a side."""
        days = side.birth[side.birth != NO_DAY].astype(np.int64)
        days = days[(days > -40_000) & (days < 40_000)]
        if not len(days):
            return cls(0, np.zeros(1, dtype=np.int64))
        first = int(days.min())
        counts = np.bincount(days - first)
        return cls(first, np.concatenate([[0], np.cumsum(counts)]))

    def mass(
        self, low: np.ndarray[Any, Any], high: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Share of people born from `low` to `high` (days, inclusive), smoothed by one person in 100 years."""
        last = len(self.total) - 1
        begin = np.clip(low.astype(np.int64) - self.first, 0, last)
        end = np.clip(high.astype(np.int64) - self.first + 1, 0, last)
        people = np.maximum(self.total[end] - self.total[begin], 0)
        span = (high.astype(np.int64) - low.astype(np.int64) + 1) / 36_525
        found: np.ndarray[Any, np.dtype[np.float64]] = (people + np.maximum(span, 1e-9)) / (
            self.total[-1] + 1
        )
        return np.minimum(found, 1.0)


def number_ends(texts: pl.Series, head: int, tail: int) -> Codes:
    """Codes of the first and last so many characters of numbers."""
    part = pl.concat_str(
        pl.col("t").str.head(head) if head else pl.lit(""),
        pl.col("t").str.tail(tail) if tail else pl.lit(""),
        separator="*",
    )
    codes: Codes = texts.to_frame("t").select(p=part)["p"].hash(seed=17).to_numpy().astype(np.uint64)
    return codes


class Population:
    """What the left side knows about how common values are. Made once a match."""

    def __init__(self, left: Side) -> None:
        self.left = left
        self.n = max(left.n, 1)

    @cached_property
    def births(self) -> Births:
        """Births by day."""
        return Births.of(self.left)

    @cached_property
    def phones(self) -> Shares:
        """Telephone numbers."""
        return Shares(self.left.phone_row, self.left.phone)

    @cached_property
    def households(self) -> Shares:
        """Household numbers."""
        return Shares(self.left.household_row, self.left.household)

    @cached_property
    def ids(self) -> Shares:
        """Identity numbers."""
        return Shares(np.arange(self.left.n, dtype=np.int32), self.left.id_code)

    def number_ends(self, head: int, tail: int) -> Shares:
        """Numbers by their visible ends."""
        if (head, tail) not in self._ends:
            texts = self.left.id_text.drop_nulls()
            codes = number_ends(texts, head, tail)
            self._ends[head, tail] = Shares(np.arange(len(codes), dtype=np.int32), codes)
        return self._ends[head, tail]

    @cached_property
    def _ends(self) -> dict[tuple[int, int], Shares]:
        return {}

    @cached_property
    def _places(self) -> dict[int, Shares]:
        return {}

    @cached_property
    def _place_shares(self) -> dict[tuple[int, int], np.ndarray[Any, np.dtype[np.float64]]]:
        return {}

    def share_of_places(self, side: Side, digits: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """By record of a side, the share of left people who live in its division of so many digits."""
        key = (id(side), digits)
        if key not in self._place_shares:
            self._place_shares[key] = self.share_within(digits, side.prefix(digits))
        return self._place_shares[key]

    def share_within(self, digits: int, places: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Share of left people who live in each of these divisions of so many digits (as `Side.prefix` gives them)."""
        if digits not in self._places:
            codes = self.left.prefix(digits).astype(np.uint64)
            self._places[digits] = Shares(np.arange(self.left.n, dtype=np.int32), codes)
        return self._places[digits].count(places.astype(np.uint64)) / self.n

    @cached_property
    def _homes(self) -> tuple[Shares, Shares, Codes]:
        rows = np.arange(self.left.n, dtype=np.int32)
        homes = mix(self.left.address, self.left.place)
        return Shares(rows, self.left.place.astype(np.uint64)), Shares(rows, homes), homes

    def people_at(self, rows: Small) -> tuple[Ints, Ints]:
        """By left record, how many people live in its division, and how many at its address."""
        places, addresses, homes = self._homes
        return places.count(self.left.place[rows].astype(np.uint64)), addresses.count(homes[rows])
