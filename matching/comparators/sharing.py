"""Values that a household may share: telephones, places, addresses, household numbers; and other identifiers."""

from __future__ import annotations

import numpy as np

from matching.coded import Codes, Side, Small, mix
from matching.evidence import Evidence, Population, Shares, silent

EQUAL, FAMILY, APART = 1, 2, 3

GENERIC = 12
"""A telephone or household number of more records than this says nothing about any of them."""

_ROWS = np.uint64(1_000_003)


def _pair_codes(rows: Small, codes: Codes) -> Codes:
    return mix(rows.astype(np.uint64) + _ROWS, codes)


def shared_values(
    left: tuple[Small, Codes], right: tuple[Small, Codes], rows_l: Small, rows_r: Small, n_right: int
) -> Codes:
    """By pair, a value that both records have; 0 where they have none in common. Any number of values a record."""
    found = np.zeros(len(rows_l), dtype=np.uint64)
    if not len(left[0]) or not len(right[0]):
        return found
    known = np.unique(_pair_codes(*left))
    # Values of a record one after the other: first values, second values ...
    order = np.argsort(right[0], kind="stable")
    rows, codes = right[0][order], right[1][order]
    starts = np.searchsorted(rows, np.arange(n_right))
    ends = np.searchsorted(rows, np.arange(n_right), "right")
    most = min(int((ends - starts).max()), 4)
    for number in range(most):
        has = ends[rows_r] - starts[rows_r] > number
        at = np.flatnonzero(has & (found == 0))
        value = codes[starts[rows_r[at]] + number]
        key = _pair_codes(rows_l[at], value)
        place = np.minimum(np.searchsorted(known, key), len(known) - 1)
        hit = (known[place] == key) & (value != 0)
        found[at[hit]] = value[hit]
    return found


def has_value(rows: Small, codes: Codes, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """By record, whether it has any value."""
    found = np.zeros(n, dtype=bool)
    found[rows[codes != 0]] = True
    return found


def compare_shared(
    left: tuple[Small, Codes],
    right: tuple[Small, Codes],
    n_left: int,
    n_right: int,
    rows_l: Small,
    rows_r: Small,
    shares: Shares,
    family: tuple[Small, Codes] | None = None,
    apart: int = 2,
) -> Evidence:
    """Equal (1), the family's (2, where `family` is given), or apart. Values of too many records are passed over."""
    evidence = silent(len(rows_l))
    usable = [
        (rows, np.where(shares.count(codes) > GENERIC, 0, codes).astype(np.uint64))
        for rows, codes in (left, right)
    ]
    both = has_value(*usable[0], n_left)[rows_l] & has_value(*usable[1], n_right)[rows_r]
    if not both.any() and family is None:
        return evidence
    value = shared_values(usable[0], usable[1], rows_l, rows_r, n_right)
    if family is not None:
        theirs = (family[0], np.where(shares.count(family[1]) > GENERIC, 0, family[1]).astype(np.uint64))
        both |= has_value(*theirs, n_left)[rows_l] & has_value(*usable[1], n_right)[rows_r]
    evidence.level[both] = apart
    same = value != 0
    evidence.level[same] = EQUAL
    evidence.bits[same] = shares.bits(value[same])
    if family is not None:
        open_ = np.flatnonzero(both & ~same)
        value = shared_values(theirs, usable[1], rows_l[open_], rows_r[open_], n_right)
        kin = open_[value != 0]
        evidence.level[kin] = FAMILY
        # One of some four people of the house.
        evidence.bits[kin] = np.maximum(shares.bits(value[value != 0]) - 2, 0)
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
    shares = {d: population.places(d).count(right.prefix(d).astype(np.uint64)) / population.n for d in _STEPS}
    prefixes = {d: (left.prefix(d), right.prefix(d)) for d in _STEPS}
    for full in _STEPS:
        here = np.flatnonzero(depth == full)
        if not len(here):
            continue
        of_left, of_right = rows_l[here], rows_r[here]
        level = np.full(len(here), 5, dtype=np.uint8)
        bits = np.zeros(len(here), dtype=np.float32)
        open_ = np.ones(len(here), dtype=bool)
        inner = np.zeros(len(here))
        for number, digits in enumerate(_STEPS):
            if digits > full:
                continue
            mass = shares[digits][of_right]
            same = open_ & (prefixes[digits][0][of_left] == prefixes[digits][1][of_right])
            level[same] = _WHOLE[full] if digits == full else number + 1
            bits[same] = -np.log2(np.maximum(mass - inner, 0.5 / population.n))[same]
            open_ &= ~same
            inner = mass
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
    whole_l = mix(left.address, left.place)
    homes = Shares(np.arange(left.n, dtype=np.int32), whole_l)
    places = Shares(np.arange(left.n, dtype=np.int32), left.place.astype(np.uint64))
    there = places.count(left.place[rows_l[equal]].astype(np.uint64))
    evidence.bits[equal] = np.log2(np.maximum(there, 1) / np.maximum(homes.count(whole_l[rows_l[equal]]), 1))
    return evidence
