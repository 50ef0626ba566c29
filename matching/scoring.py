"""Weights of pairs, and the probability that a record is one person, another, or nobody who is known.

For one right record every left record is a hypothesis, and so are "somebody who is not on the left" and "a relative of
one of them who is not on the left". Their weights are compared, so that a namesake costs certainty by standing there
(Fellegi and Sunter 1969; the weights of all candidates of a record sum to one as in Larsen and Rubin 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from matching.comparison import Compared
from matching.evidence import Bits
from matching.model import MODEL, UNLISTED_RELATIVES, Model

PERSONAL = ("name", "hidden_name", "birth", "age", "sex")
"""What a namesake with the same birth date shares with a person; not the number, not the place, not the telephone."""

_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Weights:
    """Per pair, in bits: "the same person", "an unlisted relative of the left record's household", "a stranger of the same
    name and birth date"."""

    same: _Floats
    kin: _Floats
    namesake: _Floats

    def take(self, places: np.ndarray[Any, Any]) -> Weights:
        """Some of the pairs."""
        return Weights(self.same[places], self.kin[places], self.namesake[places])


_AT_ONCE = 1 << 15
"""Pairs whose numbers are worked on together: what lies between then stays in the caches of the processor."""


def weights(compared: Compared, model: Model) -> Weights:
    """The weights of every hypothesis about each pair."""
    n = len(compared.relative)
    same, kin, namesake = np.zeros(n), np.zeros(n), np.zeros(n)
    said = [
        (comparison, model.bits(comparison.name), compared.evidence[comparison.name])
        for comparison in MODEL
        if compared.evidence[comparison.name].level.any()
    ]
    for first in range(0, n, _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        for comparison, rates, evidence in said:
            worth = rates[evidence.level[some]] + evidence.bits[some]
            same[some] += worth
            if comparison.is_family:
                kin[some] += np.maximum(worth, 0)
            if comparison.name in PERSONAL:
                namesake[some] += worth
    kin += compared.relative
    return Weights(same, kin, namesake)


@dataclass
class Scored:
    """Per pair: `log_odds` (log2, this hypothesis against all others of its record) and `probability`."""

    log_odds: _Floats
    probability: _Floats

    def take(self, places: np.ndarray[Any, Any]) -> Scored:
        """Some of the pairs."""
        return Scored(self.log_odds[places], self.probability[places])


def score(
    rows_r: np.ndarray[Any, Any], found: Weights, n_left: int, model: Model, minus: _Floats | None = None
) -> Scored:
    """Posterior of each pair. `rows_r` rising; `minus`: bits that speak against single pairs (claims, decisions)."""
    n = len(rows_r)
    scored = Scored(np.empty(n), np.empty(n))
    starts = np.flatnonzero(np.concatenate([[True], rows_r[1:] != rows_r[:-1]])) if n else np.empty(0, int)
    # Whole records, so many that their pairs are about `_AT_ONCE`.
    first = 0
    while first < len(starts):
        last = max(int(np.searchsorted(starts, starts[first] + _AT_ONCE)), first + 1)
        low, high = int(starts[first]), int(starts[last]) if last < len(starts) else n
        some = slice(low, high)
        scored.log_odds[some], scored.probability[some] = _score(
            starts[first:last] - low,
            found.same[some] if minus is None else found.same[some] - minus[some],
            found.kin[some],
            found.namesake[some],
            n_left,
            model,
        )
        first = last
    return scored


def _score(
    starts: np.ndarray[Any, Any],
    weight: _Floats,
    kin: _Floats,
    namesake: _Floats,
    n_left: int,
    model: Model,
) -> tuple[_Floats, _Floats]:
    """Log odds and probability. `starts`: where the pairs of each record begin."""
    share = min(max(model.in_registry, 0.02), 0.9995)
    nobody = np.log2(n_left * (1 - share) / share)
    # The strongest relative stands for the household, the likest namesake for all: others say the same once more.
    relative = kin + np.log2(UNLISTED_RELATIVES / share)
    namesake = namesake + np.log2((1 - share) * model.namesakes / share)
    sizes = np.diff(np.concatenate([starts, [len(weight)]]))
    group = np.repeat(np.arange(len(starts)), sizes)
    beside = [np.maximum.reduceat(hypothesis, starts) for hypothesis in (relative, namesake)]
    top = np.maximum.reduce([np.maximum.reduceat(weight, starts), *beside])
    top = np.maximum(top, nobody)
    parts = np.exp2(weight - top[group])
    rest = np.exp2(nobody - top) + np.exp2(beside[0] - top) + np.exp2(beside[1] - top)
    total = np.add.reduceat(parts, starts) + rest
    log_odds: _Floats = weight - top[group] - np.log2(_others(parts, starts, group, rest))
    probability: _Floats = parts / total[group]
    return log_odds, probability


def _others(
    parts: _Floats, starts: np.ndarray[Any, Any], group: np.ndarray[Any, Any], rest: _Floats
) -> _Floats:
    """Sum of all other hypotheses of the record, without cancelling (one may be 2^60 times the others)."""
    places = np.flatnonzero(parts == np.maximum.reduceat(parts, starts)[group])
    first = places[np.searchsorted(places, starts)]
    # For the biggest itself the others are summed without it.
    small = parts.copy()
    small[first] = 0
    alone = np.add.reduceat(small, starts) + rest
    others = (alone + parts[first])[group] - parts
    # Two of the same weight have the same others.
    others[places] = alone[group[places]]
    return np.maximum(others, 1e-300)


def expected_counts(compared: Compared, probability: _Floats) -> dict[str, np.ndarray[Any, Any]]:
    """Expected number of true pairs at every level."""
    return {
        comparison.name: np.bincount(
            compared.evidence[comparison.name].level,
            weights=probability,
            minlength=len(comparison.levels) + len(comparison.pooled) + 1,
        )
        for comparison in MODEL
    }


__all__ = ["Bits", "Scored", "Weights", "expected_counts", "score", "weights"]
