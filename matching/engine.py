"""Two sets of records -> which are the same person: the whole way, for the night and for any two tables.

certain pass -> keys -> comparisons -> rates estimated from the data -> probabilities -> best links with grades. Where
records come from (tables, identities of the night) and where links go does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from matching import clustering, scoring
from matching.blocking import Index, Pairs, meet
from matching.coded import NO_DAY, Names, Side, Small, coded
from matching.comparators.name import NameChannel
from matching.comparison import NO_NAME, Compared, Comparer
from matching.evidence import Population, may_be, positions
from matching.model import BY_NAME, NAMESAKES_AMONG_STRANGERS, SECOND_RECORD, Model
from matching.records import Records

ROUNDS = 4
"""Rounds of estimating rates; they settle in two or three."""

SAMPLE_OF_CERTAIN = 20_000
"""Certain pairs from which rates are learnt; more say the same."""

YEARS_OFF = 731
"""Days by which a stated age or year may miss the birth date without speaking against it."""

SETTLED = 14.0
"""A record whose best candidate has this weight (bits) after one stage of keys is not looked for under wider ones, unless the
two names have nothing in common: then the number may be a relative's."""

HOPELESS = -45.0
"""A pair of less weight (bits) before rates are estimated takes no part in estimating them. Engineering constant: at -30 a grade
changed in one of our sets, at -45 none."""

FORBIDDEN_BITS = 1000.0
"""Against pairs that a person declared not to be the same, and against two different valid numbers."""


@dataclass
class Linked:
    """What came of a match.

    `links`: left (row), right (row), grade, weight (log2 odds), probability, pass, margin (bits to the runner-up), pair
    (place in `pairs`, null for the certain pass). `pairs` and `compared` hold every candidate for explanations.
    """

    links: pl.DataFrame
    pairs: Pairs
    compared: Compared
    scored: scoring.Scored
    model: Model
    left: Side
    right: Side
    people: int
    """Of how many people it is known how common values are: those of the left side, unless others were counted."""


_NONE = np.empty(0, dtype=np.int32)


def link(
    left: Records,
    right: Records,
    *,
    model: Model | None = None,
    estimate: bool = True,
    right_is_clean: bool = True,
    forbidden: pl.DataFrame | None = None,
    strong_at_least: float | None = None,
    candidates: int | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Linked:
    """Link each right record to at most one left record.

    `model`: rates to start from; with `estimate` they are adjusted to the data. `right_is_clean`: a person has at most
    one record on the right. `forbidden`: pairs `left`, `right` (rows) that a person declared not to be the same. `strong_at_least`: the probability for
    grade B, else as many as keep precision (`clustering.grades`). `candidates`: so many left records, the first, may be linked;
    how common values are is counted among the others alone (null: all are both). `told` is given progress in English.
    """
    start = model or Model()
    side_l, side_r, names = coded(left, right)
    counted = side_l
    if candidates is not None:
        side_l, counted = side_l.part(0, candidates), side_l.part(candidates, side_l.n)
    people = max(counted.n, 1)
    told(f"{side_l.n:,} and {side_r.n:,} records")
    certain = _certain(side_l, side_r, names)
    certain = certain[:, ~_is_forbidden(certain[1], certain[0], forbidden, side_l.n)]
    told(f"{certain.shape[1]:,} certain by number and name")
    claimed = np.zeros(side_l.n)
    if right_is_clean:
        claimed[certain[0]] = 1.0
    pairs, compared, agreed = _gathered(
        side_l, side_r, counted, names, certain, start, claimed, forbidden, told
    )
    # What keys and comparisons worked out is as much as the sides again.
    side_l, side_r = side_l.bare(), side_r.bare()
    del counted, names
    minus = _against(pairs, claimed, forbidden, side_l.n)
    sure = agreed.take(_sample(certain.shape[1])) if certain.shape[1] else None
    current = start
    n_numbers = int((side_r.id_code != 0).sum())
    if estimate:
        scored = scoring.score(pairs.right, scoring.weights(compared, start), people, start, minus)
        # What has no chance teaches nothing.
        likely = np.flatnonzero(scored.log_odds > HOPELESS)
        some, of_some = scored.take(likely), compared.take(likely)
        rows, less = pairs.right[likely], minus[likely]
        del scored, likely
        proven = len(np.unique(pairs.right[clustering.namesakes(compared)]))
        for _ in range(ROUNDS):
            current = _estimated(start, of_some, some, proven, sure, certain.shape[1], side_r.n, n_numbers)
            some = scoring.score(rows, scoring.weights(of_some, current), people, current, less)
        del some, of_some, rows, less
    said = scoring.weights(compared, current)
    scored = scoring.score(pairs.right, said, people, current, minus)
    if right_is_clean:
        for _ in range(2):
            taken = clustering.claims(pairs.left, pairs.right, scored.probability, side_l.n)
            scored = scoring.score(pairs.right, said, people, current, minus - taken * np.log2(SECOND_RECORD))
    del said, minus, claimed
    weighed = scoring.score(certain[1], scoring.weights(agreed, current), people, current)
    del agreed, sure
    links = pl.concat(
        [
            _certain_links(certain, weighed),
            _weighed_links(pairs, compared, scored, strong_at_least, certain[0] if right_is_clean else None),
        ]
    ).sort("right")
    return Linked(links, pairs, compared, scored, current, side_l, side_r, people)


def _gathered(
    left: Side,
    right: Side,
    counted: Side,
    names: Names,
    certain: np.ndarray[Any, np.dtype[np.int32]],
    start: Model,
    claimed: np.ndarray[Any, Any],
    forbidden: pl.DataFrame | None,
    told: Callable[[str], None],
) -> tuple[Pairs, Compared, Compared]:
    """Every candidate pair with its evidence, and the evidence of the `certain` ones. `counted`: the side whose values say how
    common they are."""
    population = Population(counted, right)
    open_ = np.ones(right.n, dtype=bool)
    open_[certain[1]] = False
    people = np.bincount(counted.own_name[counted.own_name >= 0], minlength=len(names.size))
    borne = np.flatnonzero(people)
    channel = NameChannel(
        pl.DataFrame({"name": names.texts.gather(borne), "count": people[borne]}), is_distinct=True
    )
    index = Index(left, right, names)
    comparer = Comparer(left, right, names, index.sounds, channel, population, open_=open_)

    active = Pairs(_NONE, _NONE)
    compared = comparer.compare(active)
    settled: list[tuple[Pairs, Compared]] = []
    met = 0
    for stage in index.stages():
        found = meet(stage(open_), left.n)
        active, compared = _joined(active, compared, found, comparer, left.n)
        minus = _against(active, claimed, forbidden, left.n)
        scored = scoring.score(active.right, scoring.weights(compared, start), population.n, start, minus)
        named = compared.evidence["name"].level != NO_NAME
        open_[active.right[(scored.log_odds >= SETTLED) & named]] = False
        done = ~open_[active.right]
        settled.append((active.take(done), compared.take(done)))
        met += int(np.count_nonzero(done))
        active, compared = active.take(~done), compared.take(~done)
        told(
            f"{met + len(active.right):,} pairs, {int(open_.sum()):,} records not settled after {stage.__name__} keys"
        )
    del index, stage
    agreed = comparer.compare(Pairs(certain[1], certain[0]))
    del comparer, channel, population
    pairs, compared = _in_order([*settled, (active, compared)], left.n)
    return pairs, compared, agreed


def _certain(left: Side, right: Side, names: Names) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Left and right rows with the same valid number and one name in common, nothing against it, each once."""
    near = np.flatnonzero(may_be(left.id_code, right.id_code))
    order = near[np.argsort(left.id_code[near])]
    codes = left.id_code[order]
    rows = np.flatnonzero((right.id_code != 0) & (right.id_kind > 0)).astype(np.int32)
    wanted = right.id_code[rows]
    if not len(codes):
        return np.empty((2, 0), dtype=np.int32)
    low = positions(codes, wanted)
    here, after = np.minimum(low, len(codes) - 1), np.minimum(low + 1, len(codes) - 1)
    once = (codes[here] == wanted) & ((codes[after] != wanted) | (after == here))
    rows, of_left = rows[once], order[here[once]].astype(np.int32)
    hashed = names.hashed
    a, b = left.own_name[of_left], right.own_name[rows]
    same_name = (a >= 0) & (a == b) & (hashed[np.maximum(a, 0)] != 0)
    # One sex, one birth date, as far as both are known. Ages are often a year or two off.
    day, low, high = left.birth[of_left], right.low[rows], right.high[rows]
    slack = np.where(high > low, YEARS_OFF, 0)
    same_day = (day == NO_DAY) | (low == NO_DAY) | ((day >= low - slack) & (day <= high + slack))
    sex_l, sex_r = left.sex[of_left], right.sex[rows]
    same_sex = (sex_l == 0) | (sex_r == 0) | (sex_l == sex_r)
    good = same_name & same_day & same_sex
    return np.stack([of_left[good], rows[good]])


def _sample(n: int) -> np.ndarray[Any, Any]:
    return np.arange(0, n, max(n // SAMPLE_OF_CERTAIN, 1))


def _joined(
    pairs: Pairs, compared: Compared, more: Pairs, comparer: Comparer, n_left: int
) -> tuple[Pairs, Compared]:
    """Old pairs with their evidence and new ones with theirs, sorted by right, then left row."""
    old = pairs.right.astype(np.int64) * n_left + pairs.left
    new = more.right.astype(np.int64) * n_left + more.left
    if len(old):
        place = np.minimum(np.searchsorted(old, new), len(old) - 1)
        fresh = old[place] != new
    else:
        fresh = np.ones(len(new), dtype=bool)
    added = Pairs(more.right[fresh], more.left[fresh])
    said = Pairs(pairs.right, pairs.left, pairs.told + more.told)
    return _in_order([(said, compared), (added, comparer.compare(added))], n_left)


def _in_order(parts: Sequence[tuple[Pairs, Compared]], n_left: int) -> tuple[Pairs, Compared]:
    """Pairs of several parts, none of them twice, with their evidence, sorted by right, then left row. The parts are used up."""
    right, left = (np.concatenate([getattr(pairs, side) for pairs, _ in parts]) for side in ("right", "left"))
    order = np.argsort(right.astype(np.int64) * n_left + left)
    told = max((pairs.told for pairs, _ in parts), key=len)
    every = [compared for _, compared in parts]
    return Pairs(right[order], left[order], told), Compared.joined(every, order)


def _is_forbidden(
    right: Small, left: Small, forbidden: pl.DataFrame | None, n_left: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs that a person declared not to be the same."""
    if forbidden is None or forbidden.is_empty():
        return np.zeros(len(right), dtype=bool)
    no = forbidden["right"].to_numpy().astype(np.int64) * n_left + forbidden["left"].to_numpy()
    return np.isin(right.astype(np.int64) * n_left + left, no)


def _against(
    pairs: Pairs,
    claimed: np.ndarray[Any, Any],
    forbidden: pl.DataFrame | None,
    n_left: int,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Bits against single pairs: the left record has its own record already, or a person said no."""
    minus = -claimed[pairs.left] * np.log2(SECOND_RECORD)
    minus[_is_forbidden(pairs.right, pairs.left, forbidden, n_left)] += FORBIDDEN_BITS
    found: np.ndarray[Any, np.dtype[np.float64]] = minus
    return found


def _estimated(
    start: Model,
    compared: Compared,
    scored: scoring.Scored,
    proven_records: int,
    sure: Compared | None,
    n_certain: int,
    n_right: int,
    n_numbers: int,
) -> Model:
    """Rates from expected counts of the open records and a sample of the certain ones.

    `proven_records`: right records beside a namesake who is somebody else for certain.
    """
    counts = scoring.expected_counts(compared, scored.probability)
    expected = float(scored.probability.sum())
    if sure is not None and n_certain:
        n_sample = len(sure.relative)
        # The certain ones may be better kept than the others; they count no more than these do.
        each = min(1.0, max(expected, 200.0) / n_certain) * n_certain / n_sample
        for name, seen in scoring.expected_counts(sure, np.full(n_sample, each)).items():
            counts[name] = counts[name] + seen
    share = (expected + n_certain + 9) / (n_right + 10)
    share = min(share, 0.9995)
    # Namesakes who carry a number of their own show how many there are among those who do not.
    strangers = (1 - share) * n_right
    # Some of them are the person after all, under a number that is not his: as many as the rates say.
    mistaken = sum(
        BY_NAME["id"].rates[BY_NAME["id"].levels.index(level)] for level in ("other", "other_person")
    )
    found = max(proven_records - mistaken * n_numbers, 0.0)
    among = (found + 200 * NAMESAKES_AMONG_STRANGERS) / (strangers + 200)
    return start.with_counts(counts, share, min(among, 0.5))


def _certain_links(certain: np.ndarray[Any, np.dtype[np.int32]], weighed: scoring.Scored) -> pl.DataFrame:
    n = certain.shape[1]
    return pl.DataFrame(
        {
            "left": certain[0],
            "right": certain[1],
            "grade": ["A"] * n,
            "weight": weighed.log_odds,
            "probability": weighed.probability,
            "pass": ["number+name"] * n,
            "margin": [None] * n,
            "pair": [None] * n,
        },
        schema=_LINKS,
    )


def _weighed_links(
    pairs: Pairs,
    compared: Compared,
    scored: scoring.Scored,
    strong_at_least: float | None,
    taken: Small | None,
) -> pl.DataFrame:
    """Best pair of every record, with its grade. `taken`: left rows that have their record already, where each has one."""
    best = clustering.best_pairs(pairs.right, pairs.left, scored.log_odds)
    chosen = best.pair
    grade = clustering.grades(compared.take(chosen), scored.probability[chosen], strong_at_least)
    if taken is not None:
        second = clustering.second_records(pairs.left[chosen], scored.log_odds[chosen], grade, taken)
        grade[second] = "C"
    told = grade != ""
    chosen, grade = chosen[told], grade[told]
    return pl.DataFrame(
        {
            "left": pairs.left[chosen],
            "right": pairs.right[chosen],
            "grade": grade.astype(object),
            "weight": scored.log_odds[chosen],
            "probability": scored.probability[chosen],
            "pass": ["model"] * len(chosen),
            "margin": np.where(best.second[told] >= 0, best.margin[told], np.inf),
            "pair": chosen,
        },
        schema=_LINKS,
    )


_LINKS = pl.Schema(
    {
        "left": pl.Int32(),
        "right": pl.Int32(),
        "grade": pl.String(),
        "weight": pl.Float64(),
        "probability": pl.Float64(),
        "pass": pl.String(),
        "margin": pl.Float64(),
        "pair": pl.Int64(),
    }
)
