"""Probabilities -> one person a record, and how sure: best link with margin, claims of better records, grades.

What cannot be said for certain is left to a person. Nothing here looks at values; it looks at what was said of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from matching.comparators import identity
from matching.comparison import Compared
from matching.model import NAME_LEVELS

_Floats = np.ndarray[Any, np.dtype[np.float64]]

WRONG_AMONG_STRONG = 0.0006
"""Expected share of wrong links among those of grade B together: below the 1 in 1,000 asked for, because the strongest
cases are not independent of each other."""

STRONG_AT_LEAST = 0.995
REVIEW_AT_LEAST = 0.45
"""Grade C of two tables: about as probably right as not, so that people who are not there stay unlinked and a tie of two is
still told."""

OPEN_AT_LEAST = 0.2
"""Grade C of the night: more than one in five is right, so that a reviewer does not look in vain."""

CERTAIN_AT_LEAST = 0.99999
CLAIMED = 0.5
"""A left record is claimed by a right one that is more probably its than not."""

_EXACT = NAME_LEVELS.index("exact") + 1
_FORMER = NAME_LEVELS.index("former") + 1


@dataclass
class Best:
    """The best pair of every record that has one: place in the pairs, runner-up (-1: none), bits between the two."""

    pair: np.ndarray[Any, np.dtype[np.int64]]
    second: np.ndarray[Any, np.dtype[np.int64]]
    margin: _Floats


def best_pairs(rows_r: np.ndarray[Any, Any], rows_l: np.ndarray[Any, Any], weight: _Floats) -> Best:
    """`rows_r` rising, `rows_l` rising within; ties go to the lower left row: the order of rows never decides by chance."""
    if not len(rows_r):
        nothing = np.empty(0, dtype=np.int64)
        return Best(nothing, nothing, np.empty(0))
    starts = np.flatnonzero(np.concatenate([[True], rows_r[1:] != rows_r[:-1]]))
    group = np.repeat(np.arange(len(starts)), np.diff(np.concatenate([starts, [len(rows_r)]])))
    first = _first_of_highest(weight, starts, group)
    rest = weight.copy()
    rest[first] = -np.inf
    second = _first_of_highest(rest, starts, group)
    has = rest[second] > -np.inf
    margin = np.where(has, weight[first] - rest[second], np.inf)
    second = np.where(has, second, -1)
    return Best(first, second, margin)


def _first_of_highest(
    weight: _Floats, starts: np.ndarray[Any, Any], group: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    top = np.maximum.reduceat(weight, starts)
    places = np.flatnonzero(weight == top[group])
    found: np.ndarray[Any, np.dtype[np.int64]] = places[np.searchsorted(places, starts)]
    return found


def claims(
    rows_l: np.ndarray[Any, Any], rows_r: np.ndarray[Any, Any], probability: _Floats, n_left: int
) -> _Floats:
    """Per pair, the probability with which another right record has a better claim to the left one."""
    # A claim that does not reach `CLAIMED` takes nothing from anybody.
    strong = np.flatnonzero(probability > CLAIMED - 1e-9)
    claimants, claim = rows_l[strong], probability[strong]
    best = np.zeros(n_left)
    np.maximum.at(best, claimants, claim)
    mine = claim >= best[claimants] - 1e-12
    count = np.bincount(claimants[mine], minlength=n_left)
    taken: _Floats = best[rows_l]
    # The strongest claimant is not in its own way; of two equal ones each is in the other's.
    taken[strong[mine & (count[claimants] == 1)]] = 0.0
    taken[taken <= CLAIMED] = 0.0
    return taken


def two_numbers(compared: Compared) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs whose two valid numbers differ, and not because a relative's was given."""
    return np.isin(compared.evidence["id"].level, (identity.OTHER, identity.OTHER_PERSON))


def only_namesakes(compared: Compared) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs of two passports of which nothing agrees that a namesake of the same birth would not have as well."""
    agrees = np.zeros(len(compared.relative), dtype=bool)
    for name in _BESIDE_NAMES:
        agrees |= compared.evidence[name].level == 1
    return (compared.evidence["id"].level == identity.RENEWED) & ~agrees


_BESIDE_NAMES = ("phone", "hidden_phone", "place", "address", "household", "other")


def namesakes(compared: Compared) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs of one name and one birth date under two valid numbers, neither a relative's: two people for certain."""
    same_name = np.isin(compared.evidence["name"].level, (_EXACT, _FORMER))
    return two_numbers(compared) & same_name & (compared.evidence["birth"].level == 1)


def contradicted(compared: Compared) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs of which birth date, age (more than two years off) or sex says that they are two people."""
    birth, age, sex = (compared.evidence[name].level for name in ("birth", "age", "sex"))
    return (birth > 1) | (age > 3) | (sex == 2)


def grades(
    compared: Compared, probability: _Floats, strong_at_least: float | None = None
) -> np.ndarray[Any, np.dtype[np.str_]]:
    """A, B, C or none for the best pair of each record.

    A: the number and the name agree and nothing speaks against it. B: the strongest, as many as keep the expected share
    of wrong links at `WRONG_AMONG_STRONG`; or, with `strong_at_least`, all of that probability, so that the grade of a
    record does not depend on the others (the night). C: for review. Two valid numbers are never more than
    C, unless the right one is a household member's: then it is not the person's own; nor are two passports where
    nothing but name, birth and sex agrees.
    """
    found = np.full(len(probability), "", dtype="<U1")
    found[probability >= (REVIEW_AT_LEAST if strong_at_least is None else OPEN_AT_LEAST)] = "C"
    barred = two_numbers(compared) | only_namesakes(compared)
    allowed = np.flatnonzero((probability >= (strong_at_least or STRONG_AT_LEAST)) & ~barred)
    if strong_at_least is None:
        order = allowed[np.argsort(-probability[allowed], kind="stable")]
        wrong = np.cumsum(1 - probability[order]) / np.arange(1, len(order) + 1)
        allowed = order[: int(np.searchsorted(wrong, WRONG_AMONG_STRONG, "right"))]
    found[allowed] = "B"
    name = compared.evidence["name"].level
    number = compared.evidence["id"].level
    certain = (
        (number == identity.EQUAL)
        & np.isin(name, (_EXACT, _FORMER))
        & ~contradicted(compared)
        & (probability >= CERTAIN_AT_LEAST)
    )
    found[certain] = "A"
    return found


def second_records(
    rows_l: np.ndarray[Any, Any],
    weight: _Floats,
    grade: np.ndarray[Any, np.dtype[np.str_]],
    taken: np.ndarray[Any, Any],
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Links without review to a left record that has a better one: of a clean source each person has one record.

    `taken` are left rows whose record was certain. Of equal weights the first stays.
    """
    strong = np.isin(grade, ("A", "B"))
    second = strong & np.isin(rows_l, taken)
    open_ = np.flatnonzero(strong & ~second)
    order = open_[np.lexsort((open_, -weight[open_], rows_l[open_]))]
    again = (
        np.concatenate([[False], rows_l[order][1:] == rows_l[order][:-1]])
        if len(order)
        else order.astype(bool)
    )
    second[order[again]] = True
    found: np.ndarray[Any, np.dtype[np.bool_]] = second
    return found
