"""One or two wrong characters: same place, swapped places, one too few or too many. Arrays in, candidates out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.comparators import name_shapes
from matching.comparators.name_population import Frequencies
from matching.comparators.name_rates import KIND
from matching.comparators.name_sounds import GIVEN, SURNAME
from matching.comparators.name_tables import WILDCARD, Codes, Floats, Ints

SURNAME_WEIGHT = 0.5
"""How much rarer an error is in the surname than in a given character: whoever writes knows the surname. Assumed."""
LONGEST = 16
"""Names longer than this are compared by the rules for long names only."""
SUBSTITUTIONS = ("sound", "near_sound", "shape", "other")
_KIND_OF = np.array([KIND[k] for k in SUBSTITUTIONS])


@dataclass(frozen=True)
class Candidates:
    """One way to explain some pairs: their rows, the number of the kind (one for all or one each), log2 P(right | left, kind)."""

    rows: Ints
    kind: int | Ints
    log2_p: Floats


def place_weights(length: int) -> Floats:
    """Chance of each place of a name to be the wrong one."""
    weight = np.ones(length)
    weight[0] = SURNAME_WEIGHT if length > 1 else 1.0
    return weight / weight.sum()


@dataclass(frozen=True)
class Substituted:
    """One character for another, one row a pair: the likeliest kind, its P, P over all kinds mixed by their rates, and
    whether the two sound or look alike at all."""

    kind: Ints
    chance: Floats
    mixed: Floats
    related: Ints


class Substitutions:
    """P(b | a, kind) of one character for another, by slot, for the kinds of `SUBSTITUTIONS`."""

    def __init__(self, frequencies: Frequencies, rates: dict[str, float]) -> None:
        self.frequencies = frequencies
        self.rates = np.array([rates[k] for k in SUBSTITUTIONS])

    def table(self, a: Ints, b: Ints, slot: Ints) -> Floats:
        """P(b | a, kind): one row a pair of code points, one column a kind."""
        same, near = self.frequencies.sounds.probabilities(a, b, slot)
        chance = self.frequencies.chance[slot, b]
        return np.stack([same, near, name_shapes.probabilities(a, b), chance], axis=1)

    def best(self, a: Ints, b: Ints, slot: Ints) -> Substituted:
        """What explains b for a best. Distinct pairs are looked up once."""
        key = slot.astype(np.int64) << 42 | a.astype(np.int64) << 21 | b
        distinct, back = np.unique(key, return_inverse=True)
        chance = self.table(distinct >> 21 & 0x1FFFFF, distinct & 0x1FFFFF, (distinct >> 42).astype(np.int64))
        weighted = chance * self.rates
        kind = weighted.argmax(1)
        return Substituted(
            _KIND_OF[kind][back],
            chance[np.arange(len(kind)), kind][back],
            (weighted.sum(1) / self.rates.sum())[back],
            np.count_nonzero(chance[:, :-1], axis=1)[back] > 0,
        )


def same_length(left: Codes, right: Codes, rows: Ints, model: Substitutions) -> Iterator[Candidates]:
    """Names of equal length that differ in one or two places: substitution, swap, two, wildcard."""
    for length in np.unique(left.length[rows]):
        if not 0 < length <= LONGEST:
            continue
        here = rows[left.length[rows] == length]
        yield from _of_length(left.matrix(here, length), right.matrix(here, length), here, int(length), model)


def _of_length(a: Ints, b: Ints, rows: Ints, length: int, model: Substitutions) -> Iterator[Candidates]:
    lost = (a == WILDCARD) | (b == WILDCARD)
    differs = (a != b) & ~lost
    wrong = differs.sum(1)
    has_lost = lost.any(1)
    clean = ~has_lost
    weight = place_weights(length)
    # A lost character on the right is what P(right) sums over; one on the left leaves open which one it was.
    guessed = np.zeros(len(rows))
    hidden_left = np.flatnonzero((lost & (b != WILDCARD)).any(1))
    for at in range(length):
        at_left = hidden_left[(a[hidden_left, at] == WILDCARD) & (b[hidden_left, at] != WILDCARD)]
        guessed[at_left] += model.frequencies.log_chance[_slot(at), b[at_left, at]]

    fits = np.flatnonzero(has_lost & (wrong == 0))
    yield Candidates(rows[fits], KIND["wildcard"], guessed[fits])

    one = np.flatnonzero((wrong == 1) & (clean | (length >= 3)))
    at = differs[one].argmax(1)
    wrong_at = model.best(a[one, at], b[one, at], _slots(at))
    free = clean[one]
    alone = np.log2(weight[at] * wrong_at.chance)
    yield Candidates(rows[one[free]], wrong_at.kind[free], alone[free])
    beside_lost = np.log2(weight[at] * wrong_at.mixed) + guessed[one]
    lost_too = ~free & wrong_at.related
    yield Candidates(rows[one[lost_too]], KIND["two"], beside_lost[lost_too])

    both = np.flatnonzero((wrong == 2) & clean)
    first = differs[both].argmax(1)
    second = length - 1 - differs[both, ::-1].argmax(1)
    swapped = (
        (second == first + 1) & (a[both, first] == b[both, second]) & (a[both, second] == b[both, first])
    )
    yield Candidates(rows[both[swapped]], KIND["swap"], np.full(swapped.sum(), -np.log2(max(length - 1, 1))))
    if length >= 3:
        both, first, second = both[~swapped], first[~swapped], second[~swapped]
        # Over all pairs of places, the sums of their weights add up to length - 1.
        log2_p = np.log2((weight[first] + weight[second]) / (length - 1))
        related = np.zeros(len(both), bool)
        for at in (first, second):
            found = model.best(a[both, at], b[both, at], _slots(at))
            log2_p += np.log2(found.mixed)
            related |= found.related
        # Two characters that have nothing to do with what should stand there are another name.
        yield Candidates(rows[both[related]], KIND["two"], log2_p[related])


def _slot(at: int) -> int:
    return SURNAME if at == 0 else GIVEN


def _slots(at: Ints) -> Ints:
    return np.where(at == 0, SURNAME, GIVEN)


def one_apart(left: Codes, right: Codes, rows: Ints, model: Substitutions) -> Iterator[Candidates]:
    """Names whose length differs by one: a character dropped or inserted; two characters are left at least."""
    shorter_right = right.length[rows] < left.length[rows]
    for kind, here, long, short in (
        ("drop", rows[shorter_right], left, right),
        ("insert", rows[~shorter_right], right, left),
    ):
        for length in np.unique(long.length[here]):
            if not 3 <= length <= LONGEST:
                continue
            group = here[long.length[here] == length]
            more, less = long.matrix(group, length), short.matrix(group, length - 1)
            chance = _extra(more, less)
            if kind == "insert":
                slots = np.array([_slot(at) for at in range(length)])
                chance *= model.frequencies.chance[slots[None, :], more]
            total = chance.sum(1)
            found = np.flatnonzero(total > 0)
            yield Candidates(group[found], KIND[kind], np.log2(total[found]))


def _extra(more: Ints, less: Ints) -> Floats:
    """Chance of each place of the longer names to be the one that is extra; 0 where that does not explain the pair."""
    length = more.shape[1]
    before = np.ones((len(more), length), bool)
    np.logical_and.accumulate(more[:, :-1] == less, axis=1, out=before[:, 1:])
    after = np.ones((len(more), length), bool)
    after[:, :-1] = np.logical_and.accumulate((more[:, 1:] == less)[:, ::-1], axis=1)[:, ::-1]
    return np.where(before & after, place_weights(length), 0.0)
