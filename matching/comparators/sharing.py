"""Values that a household may share: telephones, places, addresses, household numbers; and other identifiers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from matching.coded import Codes, Side, Small, mix
from matching.evidence import Evidence, Population, Shares, marks, positions, silent, slot

EQUAL, FAMILY, APART = 1, 2, 3

GENERIC = 12
"""A telephone or household number of more records than this says nothing about any of them."""


class Values:
    """Values of records, any number each: the first as a column, the others as sorted keys of record and value."""

    def __init__(self, rows: Small, codes: Codes, n: int) -> None:
        keep = codes != 0
        rows, codes = rows[keep], codes[keep]
        self.first = np.zeros(n, dtype=np.uint64)
        self.first[rows[::-1]] = codes[::-1]
        more = self.first[rows] != codes
        self.rows, self.codes = rows[more], codes[more]
        self._keys = np.sort(mix(self.rows.astype(np.uint64) + np.uint64(1), self.codes))

    @cached_property
    def several(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Records with more than one value."""
        found = np.zeros(len(self.first), dtype=bool)
        found[self.rows] = True
        return found

    def holds(self, rows: Small, codes: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each record has the value, first or further."""
        found = (self.first[rows] == codes) & (codes != 0)
        if len(self._keys):
            at = np.flatnonzero(~found & self.several[rows] & (codes != 0))
            key = mix(rows[at].astype(np.uint64) + np.uint64(1), codes[at])
            place = np.minimum(positions(self._keys, key), len(self._keys) - 1)
            found[at] = self._keys[place] == key
        return found


def shared_values(left: Values, right: Values, rows_l: Small, rows_r: Small) -> Codes:
    """By pair, a value that both records have; 0 where they have none in common."""
    code = right.first[rows_r]
    found = np.where(left.holds(rows_l, code), code, 0).astype(np.uint64)
    if len(right.rows):
        # Further values of the right records, one after the other, where those before said nothing.
        order = np.argsort(right.rows, kind="stable")
        rows, codes = right.rows[order], right.codes[order]
        for number in range(int(np.bincount(rows).max())):
            at = np.flatnonzero((found == 0) & right.several[rows_r])
            start = np.searchsorted(rows, rows_r[at])
            place = np.minimum(start + number, len(rows) - 1)
            own = rows[place] == rows_r[at]
            at, value = at[own], codes[place[own]]
            hit = left.holds(rows_l[at], value)
            found[at[hit]] = value[hit]
    return found


def usable(values: tuple[Small, Codes], shares: Shares, n: int, others: Codes | None = None) -> Values:
    """Values of a side without those of too many left records. Only values that occur among `others` are asked about."""
    rows, codes = values
    asked = np.flatnonzero(marks(others)[slot(codes)]) if others is not None else np.arange(len(codes))
    generic = asked[shares.count(codes[asked]) > GENERIC]
    kept = codes.astype(np.uint64, copy=True)
    kept[generic] = 0
    return Values(rows, kept, n)


def compare_shared(
    left: Values,
    right: Values,
    rows_l: Small,
    rows_r: Small,
    shares: Shares,
    family: Values | None = None,
    apart: int = 2,
) -> Evidence:
    """Equal (1), the family's (2, where `family` is given), or apart. All values as `usable` gives them.

    Whoever has no value of her own is apart from nobody: what the family has is known only as far as somebody asks for it.
    """
    evidence = silent(len(rows_l))
    known_r = (right.first != 0)[rows_r]
    at = np.flatnonzero((left.first != 0)[rows_l] & known_r)
    evidence.level[at] = apart
    value = shared_values(left, right, rows_l[at], rows_r[at])
    same = value != 0
    evidence.level[at[same]] = EQUAL
    evidence.bits[at[same]] = shares.bits(value[same])
    if family is not None:
        at = np.flatnonzero((family.first != 0)[rows_l] & known_r & (evidence.level != EQUAL))
        value = shared_values(family, right, rows_l[at], rows_r[at])
        kin = value != 0
        evidence.level[at[kin]] = FAMILY
        # One of some four people of the house.
        evidence.bits[at[kin]] = np.maximum(shares.bits(value[kin]) - 2, 0)
    return evidence


_STEPS = (12, 9, 6, 4)
_WHOLE = {12: 1, 9: 6, 6: 7, 4: 8}
"""Level of two places that agree as deep as both are known: village, or within the township, county, prefecture."""


def compare_places(left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population) -> Evidence:
    """Divisions: the level down to which they agree (1 village, 2 township, 3 county, 4 prefecture, 5 elsewhere).

    Where one side is known less deeply, agreement down to there has a level of its own (`_WHOLE`).
    """
    evidence = silent(len(rows_l))
    depth = np.minimum(left.depth[rows_l], right.depth[rows_r])
    shares = {d: population.share_of_places(right, d) for d in _STEPS}
    prefixes = {d: (left.prefix(d), right.prefix(d)) for d in _STEPS}
    for full in _STEPS:
        here = np.flatnonzero(depth == full)
        if not len(here):
            continue
        of_left, of_right = rows_l[here], rows_r[here]
        level = np.full(len(here), 5, dtype=np.uint8)
        bits = np.zeros(len(here), dtype=np.float32)
        open_ = np.ones(len(here), dtype=bool)
        for number, digits in enumerate(_STEPS):
            if digits > full:
                continue
            same = open_ & (prefixes[digits][0][of_left] == prefixes[digits][1][of_right])
            level[same] = _WHOLE[full] if digits == full else number + 1
            mass = shares[digits][of_right[same]]
            if digits < full:
                # Those who are recorded elsewhere in a division are recorded outside their own part of it.
                finer = _STEPS[number - 1]
                mass = mass - population.share_within(finer, prefixes[finer][0][of_left[same]])
            bits[same] = -np.log2(np.maximum(mass, 0.5 / population.n))
            open_ &= ~same
        evidence.level[here], evidence.bits[here] = level, bits
    return evidence


def compare_addresses(
    left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population
) -> Evidence:
    """House or group beneath the village: worth what it adds to the village."""
    evidence = silent(len(rows_l))
    a, b = left.address[rows_l], right.address[rows_r]
    known = (a != 0) & (b != 0)
    if not known.any():
        return evidence
    same_place = (left.place[rows_l] == right.place[rows_r]) & (left.depth[rows_l] >= 9)
    evidence.level[known & same_place] = 2
    equal = known & same_place & (a == b)
    evidence.level[equal] = 1
    there, at_home = population.people_at(rows_l[equal])
    evidence.bits[equal] = np.log2(np.maximum(there, 1) / np.maximum(at_home, 1))
    return evidence
