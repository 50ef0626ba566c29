"""Noisy channel of names: how probable a name is given the person's name, and how probable it is of anybody.

`P(right | left, same person)` is the sum over kinds of error of `rate[kind] * P(right | left, kind)`. A pair gets its
best kind and log2 of that P; the rates (`name_rates`) belong to the model that asks.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from matching.comparators import name_latin, name_long
from matching.comparators import name_tables as tables
from matching.comparators.name_alignment import Candidates, Substitutions, one_apart, same_length
from matching.comparators.name_population import Frequencies, Population
from matching.comparators.name_rates import KIND, KINDS, NONE, TYPICAL
from matching.comparators.name_tables import Codes, Ints

KIND_TYPE = pl.Enum(KINDS)


class NameChannel:
    """Compares names of a left side, whose frequencies it knows, with names of a right side.

    `names`: columns name (comparing form, `normalise.name_forms`; parts of a name joined by U+00B7), count. `is_distinct`: each
    name stands there once.
    """

    def __init__(self, names: pl.DataFrame, *, is_distinct: bool = False) -> None:
        self.frequencies = Frequencies(names, is_distinct=is_distinct)
        self._substitutions = Substitutions(self.frequencies, TYPICAL)
        self._population = Population(self.frequencies, name_latin.usual_letters)

    def population(self, names: pl.Series, people: Ints | None = None) -> pl.Series:
        """log2 P(name) of a random person of the left side, same order; lost characters summed over what they hide.

        `people`: how many people bear each name; then the names must be distinct and none of them null.
        """
        return self._population.log2(names) if people is None else self._population.of_distinct(names, people)

    def compare(self, left: pl.Series, right: pl.Series) -> pl.DataFrame:
        """Best kind of each pair: columns kind (Enum of `KINDS`), log2_p = log2 P(right | left, kind), same order.

        Kind none with -inf: nothing explains the pair, or a name is null. Kinds are weighed by their typical rates.
        """
        best = _Best(len(left))
        same = (left == right).fill_null(False).to_numpy()
        best.take(Candidates(np.flatnonzero(same), KIND["exact"], np.zeros(same.sum())))
        rows = np.flatnonzero(~same & (left.is_not_null() & right.is_not_null()).to_numpy())
        a, b = tables.codes(left), tables.codes(right)
        odd_letters = tables.latin() | tables.members("· ")
        plain = ~tables.any_in(a, odd_letters)[rows] & ~tables.any_in(b, odd_letters)[rows]
        apart = b.length[rows] - a.length[rows]
        for candidates in same_length(a, b, rows[plain & (apart == 0)], self._substitutions):
            best.take(candidates)
        surnamed = []
        for candidates in one_apart(a, b, rows[plain & (np.abs(apart) == 1)], self._substitutions):
            best.take(candidates)
            surnamed.append(candidates.rows)
        surnamed.append(_behind_surnames(a, b, rows[plain]))
        surnamed_rows = np.unique(_joined(surnamed))
        self._take_named(best, [name_long.surname_added(_pairs(left, right, surnamed_rows))])
        latin = tables.any_in(a, tables.latin())[rows] | tables.any_in(b, tables.latin())[rows]
        self._take_named(best, name_long.explained(_pairs(left, right, rows[~latin & _long(a, b, rows)])))
        self._take_named(best, name_latin.explained(_pairs(left, right, rows[latin]), self.frequencies))
        return best.frame()

    @staticmethod
    def _take_named(best: _Best, found: list[name_long.Candidate]) -> None:
        for kind, frame in found:
            best.take(Candidates(frame["row"].to_numpy(), KIND[kind], frame["log2_p"].to_numpy()))


class _Best:
    """The best candidate of each pair so far."""

    def __init__(self, size: int) -> None:
        self.kind = np.full(size, NONE, np.uint8)
        self.log2_p = np.full(size, -np.inf)
        self.score = np.full(size, -np.inf)
        self.rate = np.log2([max(TYPICAL[k], 1e-9) for k in KINDS])

    def take(self, found: Candidates) -> None:
        score = self.rate[found.kind] + found.log2_p
        better = score > self.score[found.rows]
        rows = found.rows[better]
        self.score[rows] = score[better]
        self.log2_p[rows] = found.log2_p[better]
        self.kind[rows] = found.kind if isinstance(found.kind, int) else found.kind[better]

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame({"kind": pl.Series(self.kind).cat.to(KIND_TYPE), "log2_p": self.log2_p})


def _joined(rows: list[Ints]) -> Ints:
    return np.concatenate(rows) if rows else np.zeros(0, np.int64)


def _pairs(left: pl.Series, right: pl.Series, rows: Ints) -> pl.DataFrame:
    index = pl.Series("row", rows.astype(np.uint32))
    return pl.DataFrame({"row": index, "left": left.gather(index), "right": right.gather(index)})


def _behind_surnames(a: Codes, b: Codes, rows: Ints) -> Ints:
    """Pairs of which the longer may have a surname of several characters in front, or one before a name that is spelt otherwise."""
    apart = np.abs(b.length[rows] - a.length[rows])
    some = rows[(apart >= 1) & (apart <= name_long.SURNAME_AT_MOST)]
    longer = a.length[some] > b.length[some]
    first = np.zeros(len(some), np.int64)
    first[longer] = a.matrix(some[longer], 1)[:, 0]
    first[~longer] = b.matrix(some[~longer], 1)[:, 0]
    begins = tables.members(name_long.surname_beginnings())[first]
    sounding = tables.transliterating()
    foreign = np.where(longer, tables.all_in(b, sounding)[some], tables.all_in(a, sounding)[some])
    return some[begins & ((np.abs(b.length[some] - a.length[some]) > 1) | foreign)]


def _long(a: Codes, b: Codes, rows: Ints) -> Ints:
    """Pairs that the rules of long names may explain: long, dotted, or both written by sound."""
    size_a, size_b = a.length[rows], b.length[rows]
    dotted = tables.members("·")
    sounding = tables.transliterating()
    return (
        (
            (np.minimum(size_a, size_b) >= name_long.CUT_AT_LEAST)
            & (np.maximum(size_a, size_b) >= name_long.LONG)
        )
        | tables.any_in(a, dotted)[rows]
        | tables.any_in(b, dotted)[rows]
        | (tables.all_in(a, sounding)[rows] & tables.all_in(b, sounding)[rows])
    )
