"""Birth dates and ages: equal, a slip of the pen, the other calendar, a default date, or another person's."""

from __future__ import annotations

from typing import Any

import numpy as np

from matching.coded import NO_DAY, Small
from matching.evidence import Evidence, Population, silent

EQUAL, LUNAR, DIGIT, FIRST_OF_YEAR, YEAR, SWAP, SAME_YEAR, NEAR, DIFFERS = range(1, 10)
WITHIN, ONE, TWO, FIVE, FAR = range(1, 6)

LUNAR_DAYS = (16, 56)
"""The lunar date of a day falls so many days before it."""

_REACHABLE_BY_DIGIT = 30.0
"""Dates that one wrong digit makes of a date, about: 9 values in 8 places, most of them no dates."""


def _parts(days: Small) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = dates.astype("datetime64[Y]")
    return (
        years.astype(np.int32) + 1970,
        (months.astype(np.int32) % 12) + 1,
        (dates - months).astype(np.int32) + 1,
    )


def _wrong_digits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How many of eight digits differ."""
    wrong = np.zeros(len(a), dtype=np.int8)
    for _ in range(8):
        wrong += (a % 10) != (b % 10)
        a, b = a // 10, b // 10
    return wrong


def compare_births(left: Small, right: Small, population: Population) -> Evidence:
    """Exact days of both sides, `NO_DAY` where unknown or not independent of the number."""
    n = len(left)
    evidence = silent(n)
    known = (left != NO_DAY) & (right != NO_DAY)
    equal = known & (left == right)
    births = population.births
    if equal.any():
        evidence.level[equal] = EQUAL
        evidence.bits[equal] = -np.log2(births.mass(right[equal], right[equal]))
    apart = np.flatnonzero(known & ~equal)
    if not len(apart):
        return evidence
    ours, theirs = left[apart], right[apart]
    y1, m1, d1 = _parts(ours)
    y2, m2, d2 = _parts(theirs)
    gap = ours.astype(np.int64) - theirs
    digits = _wrong_digits(y1 * 10_000 + m1 * 100 + d1, y2 * 10_000 + m2 * 100 + d2)
    same_year = y1 == y2
    level = np.full(len(apart), DIFFERS, dtype=np.uint8)
    bits = np.zeros(len(apart), dtype=np.float32)
    one_day = np.log2(36_525 / 1.3)  # people are spread over about 80 years

    def say(where: np.ndarray[Any, Any], code: int, worth: float) -> None:
        level[where], bits[where] = code, worth

    say(np.abs(y1 - y2) <= 2, NEAR, np.log2(80 / 5))
    say(same_year, SAME_YEAR, np.log2(80))
    # The lunar date is the earlier one; which of the two sides wrote it is not known.
    say((np.abs(gap) >= LUNAR_DAYS[0]) & (np.abs(gap) <= LUNAR_DAYS[1]), LUNAR, one_day - np.log2(80))
    say((m1 == m2) & (d1 == d2) & (np.abs(y1 - y2) == 1), YEAR, one_day - 1)
    say(digits == 1, DIGIT, one_day - np.log2(_REACHABLE_BY_DIGIT))
    say(same_year & (m1 == d2) & (d1 == m2), SWAP, one_day - 1)
    first = same_year & (((m1 == 1) & (d1 == 1)) | ((m2 == 1) & (d2 == 1)))
    say(first, FIRST_OF_YEAR, np.log2(80))
    evidence.level[apart], evidence.bits[apart] = level, bits
    return evidence


def compare_ages(birth: Small, low: Small, high: Small, population: Population) -> Evidence:
    """Days of the left side against intervals of the right side (from an age, a year or a month)."""
    evidence = silent(len(birth))
    known = np.flatnonzero((birth != NO_DAY) & (low != NO_DAY) & (high != NO_DAY))
    if not len(known):
        return evidence
    day, begin, end = birth[known].astype(np.int64), low[known].astype(np.int64), high[known].astype(np.int64)
    off = np.maximum(np.maximum(begin - day, day - end), 0)
    level = np.full(len(known), FAR, dtype=np.uint8)
    bits = np.zeros(len(known), dtype=np.float32)
    inner = np.zeros(len(known))
    for code, days in ((WITHIN, 0), (ONE, 366), (TWO, 731), (FIVE, 1827)):
        mass = population.births.mass(begin - days, end + days)
        here = (level == FAR) & (off <= days)
        level[here] = code
        bits[here] = -np.log2(np.maximum(mass - inner, 1e-7))[here]
        inner = mass
    evidence.level[known], evidence.bits[known] = level, bits
    return evidence
