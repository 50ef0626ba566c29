"""What one comparison says about pairs, and what the population says about values: the two halves of a weight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matching import number_parts
from matching.coded import NO_DAY, Codes, Ints, Side, Small, mix
from matching.places import Places

Bits = np.ndarray[Any, np.dtype[np.float32]]
Level = np.ndarray[Any, np.dtype[np.uint8]]

GENERIC = 12
"""A telephone or household number of more records than this says nothing about any of them."""

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
_SLOTS_EACH = 16


def may_be(codes: Codes, wanted: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each code may be one of the wanted: one look at a table of marks. What is not marked is none of them."""
    wanted = wanted[wanted != 0]
    if not len(wanted):
        return np.zeros(len(codes), dtype=bool)
    # Small tables stay in the cache; one code in `_SLOTS_EACH` or fewer is marked by chance.
    bits = np.uint64(64 - min(max(int(len(wanted) * _SLOTS_EACH).bit_length(), 12), 24))
    table = np.zeros(1 << (64 - int(bits)), dtype=bool)
    table[(wanted * _ODD) >> bits] = True
    found: np.ndarray[Any, np.dtype[np.bool_]] = table[(codes * _ODD) >> bits]
    found &= codes != 0
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
    """How common a code is on the left side, and how many records there carry any.

    `asked`: the only codes that will be asked about, where that is known: the others need not be sorted.
    """

    def __init__(self, rows: Small, codes: Codes, asked: Codes | None = None) -> None:
        known = codes != 0
        has = np.zeros(int(rows.max()) + 1 if len(rows) else 1, dtype=bool)
        has[rows[known]] = True
        self.records = max(int(np.count_nonzero(has)), 1)
        self._distinct, self._counts = counted(codes[known if asked is None else may_be(codes, asked)])

    @property
    def is_of_persons(self) -> bool:
        """Nearly every record has a value of its own; of all codes only."""
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


class Population:
    """What the left side knows about how common values are. Made once a match, of what the right side may ask."""

    def __init__(self, left: Side, right: Side) -> None:
        self.left, self.right = left, right
        self.n = max(left.n, 1)

    @cached_property
    def births(self) -> Births:
        """Births by day."""
        return Births.of(self.left)

    @cached_property
    def phones(self) -> Shares:
        """Telephone numbers."""
        return Shares(self.left.phone_row, self.left.phone, self.right.phone)

    @cached_property
    def households(self) -> Shares:
        """Household numbers."""
        return Shares(self.left.household_row, self.left.household, self.right.household)

    @cached_property
    def ids(self) -> Shares:
        """Identity numbers."""
        return Shares(np.arange(self.left.n, dtype=np.int32), self.left.id_code, self.right.id_code)

    def number_ends(self, head: int, tail: int) -> Shares:
        """Numbers by their visible ends."""
        if (head, tail) not in self._ends:
            codes = number_parts.of_side(self.left, head, tail)
            self._ends[head, tail] = Shares(np.arange(self.left.n, dtype=np.int32), codes)
        return self._ends[head, tail]

    @cached_property
    def _ends(self) -> dict[tuple[int, int], Shares]:
        return {}

    @cached_property
    def _place_shares(self) -> dict[tuple[int, int], np.ndarray[Any, np.dtype[np.float64]]]:
        return {}

    @cached_property
    def _at_places(self) -> Ints:
        return np.bincount(self.left.places.of, minlength=len(self.left.places.code))

    def share_within(self, places: Places, digits: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """By distinct place of a side, the share of left people who live in its division of so many digits."""
        key = (id(places), digits)
        if key not in self._place_shares:
            code, of = np.unique(self.left.places.prefix(digits), return_inverse=True)
            people = np.bincount(of, weights=self._at_places, minlength=len(code))
            asked = places.prefix(digits)
            at = np.minimum(np.searchsorted(code, asked), max(len(code) - 1, 0))
            known = (code[at] == asked) & (asked != 0) if len(code) else np.zeros(len(asked), dtype=bool)
            self._place_shares[key] = np.where(known, people[at] if len(code) else 0, 0) / self.n
        return self._place_shares[key]

    def share_named(self, names: Codes, within: Ints, digits: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Share of left people who live in a village of each name, in the division `within` of so many digits (0: anywhere)."""
        if digits not in self._named:
            places, names_l = self.left.places, self.left.village_name
            deep = places.depth == 12
            of_places = np.zeros(len(deep), dtype=np.uint64)
            of_places[places.of] = names_l
            vague = np.flatnonzero(~deep[places.of] & (names_l != 0))
            at = np.concatenate([np.flatnonzero(deep), places.of[vague]])
            people = np.concatenate([self._at_places[deep], np.ones(len(vague))])
            keys = self._in_village(
                np.concatenate([of_places[deep], names_l[vague]]), places.prefix(digits)[at]
            )
            code, of = np.unique(keys, return_inverse=True)
            self._named[digits] = code, np.bincount(of, weights=people, minlength=len(code))
        code, people = self._named[digits]
        asked = self._in_village(names, within)
        at = np.minimum(positions(code, asked), max(len(code) - 1, 0))
        found = (code[at] == asked) & (asked != 0) if len(code) else np.zeros(len(asked), dtype=bool)
        return np.where(found, people[at] if len(code) else 0, 0) / self.n

    @staticmethod
    def _in_village(names: Codes, within: Ints) -> Codes:
        return mix(names, within + 1)

    @cached_property
    def _named(self) -> dict[int, tuple[Codes, np.ndarray[Any, Any]]]:
        return {}

    @cached_property
    def _homes(self) -> Shares:
        homes, asked = (mix(side.address, side.place) for side in (self.left, self.right))
        return Shares(np.arange(self.left.n, dtype=np.int32), homes, asked)

    def people_at(self, side: Side, rows: Small) -> tuple[Ints, Ints]:
        """By record of a side, how many people live in its division, and how many at its address."""
        # Of one division, however deeply it is known.
        code, of = np.unique(self.left.places.code, return_inverse=True)
        people = np.bincount(of, weights=self._at_places, minlength=len(code)).astype(np.int64)
        asked = side.place[rows]
        at = np.minimum(np.searchsorted(code, asked), max(len(code) - 1, 0))
        there = (
            np.where(code[at] == asked, people[at], 0) if len(code) else np.zeros(len(rows), dtype=np.int64)
        )
        return there, self._homes.count(mix(side.address[rows], asked))
