"""Values that a household may share: telephones, places, addresses, household numbers; and other identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from matching.coded import Codes, Ints, Side, Small, mix
from matching.evidence import (
    GENERIC,
    Evidence,
    Population,
    Shares,
    counted,
    is_among,
    may_be,
    positions,
    silent,
)

EQUAL, FAMILY, APART = 1, 2, 3


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

    @cached_property
    def _ordered(self) -> tuple[Small, Codes]:
        order = np.argsort(self.rows, kind="stable")
        return self.rows[order], self.codes[order]

    def further(self, rows: Small) -> Iterator[tuple[Ints, Codes]]:
        """Values after the first, one after the other: places in `rows` that have one more, and it."""
        if not len(self.rows):
            return
        of, codes = self._ordered
        at = np.flatnonzero(self.several[rows])
        start = np.searchsorted(of, rows[at])
        for number in range(int(np.bincount(of).max())):
            place = np.minimum(start + number, len(of) - 1)
            own = of[place] == rows[at]
            yield at[own], codes[place[own]]

    def holds(self, rows: Small, codes: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each record has the value, first or further."""
        found = (self.first[rows] == codes) & (codes != 0)
        if len(self._keys):
            at = np.flatnonzero(~found & self.several[rows] & (codes != 0))
            key = mix(rows[at].astype(np.uint64) + np.uint64(1), codes[at])
            place = np.minimum(positions(self._keys, key), len(self._keys) - 1)
            found[at] = self._keys[place] == key
        return found


def shared_values(left: Values | Family, right: Values, rows_l: Small, rows_r: Small) -> Codes:
    """By pair, a value that both records have; 0 where they have none in common."""
    code = right.first[rows_r]
    found = np.where(left.holds(rows_l, code), code, 0).astype(np.uint64)
    # Further values of the right records where those before said nothing.
    for at, value in right.further(rows_r):
        here = found[at] == 0
        at, value = at[here], value[here]
        hit = left.holds(rows_l[at], value)
        found[at[hit]] = value[hit]
    return found


def usable(values: tuple[Small, Codes], shares: Shares, n: int) -> Values:
    """Values of the right side without those of too many left records.

    Whether a value counts depends on its own record alone, never on what other records ask for: a record weighed among few
    others gets the weight that it gets among many (ADR 8).
    """
    rows, codes = values
    asked = np.flatnonzero(codes)
    generic = asked[shares.count(codes[asked]) > GENERIC]
    kept = codes.astype(np.uint64, copy=True)
    kept[generic] = 0
    return Values(rows, kept, n)


class Family:
    """Telephones of the members of each left record's household."""

    def __init__(self, rows: Small, homes: Codes, phone_rows: Small, phones: Codes, n: int) -> None:
        """`rows`, `homes`: the home of each record, any number each; `phone_rows`, `phones`: telephones of records."""
        self._homes = Values(rows, homes, n)
        # A home of one, or of more people than a household has, has no family.
        near = np.zeros(n, dtype=bool)
        near[phone_rows] = True
        at = np.flatnonzero(near[rows] & (homes != 0))
        people = Shares(rows, homes, homes[at]).count(homes[at])
        at = at[(people >= 2) & (people <= GENERIC)]
        order = np.argsort(rows[at], kind="stable")
        at = at[order]
        start = np.searchsorted(rows[at], phone_rows)
        keys, of_homes = [], []
        for number in range(int(np.bincount(rows[at]).max(initial=0))):
            place = np.minimum(start + number, len(at) - 1)
            own = rows[at][place] == phone_rows
            home = homes[at][place[own]]
            keys.append(mix(home, phones[own]))
            of_homes.append(home)
        self._keys = counted(np.concatenate(keys))[0] if keys else np.empty(0, dtype=np.uint64)
        self._with_phone = counted(np.concatenate(of_homes))[0] if of_homes else np.empty(0, dtype=np.uint64)

    @classmethod
    def of(cls, side: Side, wanted: Codes, shares: Shares, phones: Codes | None = None) -> Family | None:
        """Of those telephones that may be `wanted`; None where there are no homes or no telephones.

        `phones`: other codes of the telephones of the side, as `shares` counts them.
        """
        found = _homes_with_phones(side, wanted, side.phone if phones is None else phones)
        if found is None:
            return None
        rows, homes, near, codes = found
        few = shares.count(codes) <= (GENERIC if phones is None else len(codes))
        return cls(rows, homes, side.phone_row[near[few]], codes[few], side.n)

    def _each(self, rows: Small) -> Iterator[tuple[Ints, Codes]]:
        """Places in `rows` and their homes, first homes first."""
        yield np.arange(len(rows)), self._homes.first[rows]
        yield from self._homes.further(rows)

    def has(self, rows: Small) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether somebody in the household of each record has a telephone that somebody asks for."""
        found = np.zeros(len(rows), dtype=bool)
        for at, homes in self._each(rows):
            found[at] |= is_among(self._with_phone, homes)
        return found

    def holds(self, rows: Small, codes: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether somebody in the household of each record has the telephone."""
        found = np.zeros(len(rows), dtype=bool)
        for at, homes in self._each(rows):
            found[at] |= is_among(self._keys, mix(homes, codes[at])) & (homes != 0) & (codes[at] != 0)
        return found


def _homes_with_phones(side: Side, wanted: Codes, phones: Codes) -> tuple[Small, Codes, Ints, Codes] | None:
    """Records and homes (long), and the telephones that may be wanted: their places and codes."""
    if not len(side.phone_row) or not len(wanted):
        return None
    if len(side.household_row):
        rows, homes = side.household_row, side.household
    else:
        # Without household numbers those of one address are a household.
        rows = np.flatnonzero(side.home_address).astype(np.int32)
        homes = side.home_address[rows]
    if not len(rows):
        return None
    near = np.flatnonzero(may_be(phones, wanted))
    return rows, homes, near, phones[near]


def family_phones(side: Side, wanted: Codes, phones: Codes) -> tuple[Small, Codes]:
    """Members of households and the telephones that somebody there has, of those that may be `wanted`: each once, long.

    `phones`: codes of the telephones of the side, one a place of `side.phone_row`.
    """
    nothing = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint64)
    found = _homes_with_phones(side, wanted, phones)
    if found is None:
        return nothing
    rows, homes, near, codes = found
    holds = pl.DataFrame({"row": side.phone_row[near], "phone": codes})
    everybody = pl.DataFrame({"row": rows, "home": homes}).filter(pl.col("home") != 0)
    at_home = holds.join(everybody, on="row").select("home", "phone").unique()
    members = everybody.filter(pl.Series(may_be(everybody["home"].to_numpy(), at_home["home"].to_numpy())))
    members = members.filter(pl.len().over("home").is_between(2, GENERIC))
    members = at_home.join(members, on="home").select("row", "phone").unique().sort("row", "phone")
    return members["row"].to_numpy().astype(np.int32), members["phone"].to_numpy()


def compare_shared(
    left: Values,
    right: Values,
    rows_l: Small,
    rows_r: Small,
    shares: Shares,
    family: Family | None = None,
    apart: int = 2,
) -> Evidence:
    """Equal (1), the family's (2, where `family` is given), or apart. Values of the right side as `usable` gives them.

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
        at = np.flatnonzero(known_r & (evidence.level != EQUAL))
        at = at[family.has(rows_l[at])]
        value = shared_values(family, right, rows_l[at], rows_r[at])
        kin = value != 0
        evidence.level[at[kin]] = FAMILY
        # One of some four people of the house.
        evidence.bits[at[kin]] = np.maximum(shares.bits(value[kin]) - 2, 0)
    return evidence


VILLAGE = 1
"""Level of two places that are one village."""

_STEPS = (12, 9, 6, 4)
_WHOLE = {12: 1, 9: 6, 6: 7, 4: 8}
_OTHER_VILLAGE = 9
"""Level of two places that agree as deep as both are known: village, or within the township, county, prefecture."""


def compare_places(left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population) -> Evidence:
    """Divisions: the level down to which they agree (1 village, 2 township, 3 county, 4 prefecture, 5 elsewhere).

    Where one side is known less deeply, agreement down to there has a level of its own (`_WHOLE`), unless the names of both
    villages are known (`_compare_named`).
    """
    evidence = silent(len(rows_l))
    ours, theirs = left.places, right.places
    named = bool(left.village_name.any() and right.village_name.any())
    if not named and (not ours.depth.any() or not theirs.depth.any()):
        return evidence
    place_l, place_r = ours.of[rows_l], theirs.of[rows_r]
    depth = np.minimum(ours.depth[place_l], theirs.depth[place_r])
    shares = {d: population.share_within(theirs, d) for d in _STEPS}
    prefixes = {d: (ours.prefix(d), theirs.prefix(d)) for d in _STEPS}
    for full in _STEPS:
        here = np.flatnonzero(depth == full)
        if not len(here):
            continue
        of_left, of_right = place_l[here], place_r[here]
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
                mass = mass - population.share_within(ours, _STEPS[number - 1])[of_left[same]]
            bits[same] = -np.log2(np.maximum(mass, 0.5 / population.n))
            open_ &= ~same
        evidence.level[here], evidence.bits[here] = level, bits
    if named:
        _compare_named(left, right, rows_l, rows_r, population, evidence)
    return evidence


def _compare_named(
    left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population, evidence: Evidence
) -> None:
    """Villages of which one side knows the name only: equal names (level village), or another village (level 9, or the level
    beneath which both are known to lie). Says it in `evidence` of pairs whose places do not contradict each other.
    """
    open_ = (evidence.level == 0) | (evidence.level >= _WHOLE[9])
    at = np.flatnonzero(open_ & (left.village_name[rows_l] != 0))
    at = at[right.village_name[rows_r[at]] != 0]
    place_l, place_r = left.places.of[rows_l[at]], right.places.of[rows_r[at]]
    depth = np.minimum(left.places.depth[place_l], right.places.depth[place_r])
    for number, digits in enumerate((*_STEPS[1:], 2, 0)):
        here = np.flatnonzero(depth == digits)
        if not len(here):
            continue
        within = left.places.prefix(digits)[place_l[here]]
        if digits == 2:
            inside = within == right.places.prefix(2)[place_r[here]]
            here, within = here[inside], within[inside]
        pairs = at[here]
        ours, theirs = left.village_name[rows_l[pairs]], right.village_name[rows_r[pairs]]
        same = ours == theirs
        share = population.share_named(theirs, within, digits)
        evidence.level[pairs] = np.where(same, 1, number + 2 if digits >= 4 else _OTHER_VILLAGE)
        if digits >= 4:
            around = population.share_within(right.places, digits)[place_r[here]]
            share = np.where(same, share, around - population.share_named(ours, within, digits))
        else:
            share = np.where(same, share, 1)
        evidence.bits[pairs] = -np.log2(np.maximum(share, 0.5 / population.n))


def compare_addresses(
    left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population
) -> Evidence:
    """House or group beneath the village: worth what it adds to the village."""
    evidence = silent(len(rows_l))
    a, b = left.address[rows_l], right.address[rows_r]
    known = (a != 0) & (b != 0)
    if not known.any():
        return evidence
    same_place = (left.place[rows_l] == right.place[rows_r]) & (left.depth[rows_l] >= 6)
    evidence.level[known & same_place] = 2
    equal = known & same_place & (a == b)
    evidence.level[equal] = 1
    there, at_home = population.people_at(left, rows_l[equal])
    evidence.bits[equal] = np.log2(np.maximum(there, 1) / np.maximum(at_home, 1))
    return evidence
