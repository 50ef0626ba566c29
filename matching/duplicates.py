"""One table against itself: which of its records are one person, in groups that hold no contradiction.

Pairs are found, compared and weighed as between two tables; here each pair stands for itself, because a person may have
any number of records, and relatives and twins are in the table as well. Comparing belongs in `comparison`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from matching import clustering, scoring
from matching.blocking import Index, Key, Pairs, meet
from matching.coded import ID_KINDS, NO_DAY, Codes, Names, Side, coded, mix
from matching.comparators import birth
from matching.comparators.name import NameChannel
from matching.comparison import Compared, Comparer
from matching.engine import FORBIDDEN_BITS, ROUNDS, Linked
from matching.evidence import Population
from matching.model import MODEL, Model
from matching.records import Records

WITH_ANOTHER = 0.02
"""Prior share of records of whose person the table holds another one; estimated from the data."""

RELATIVES_BESIDE = 2.0
"""So many people of a person's household stand in the same table."""

TWINS = 0.007
"""Share of pairs of one household that are twins (1 birth in 50 to 80; three relatives a person)."""

NAMESAKES, NAMESAKES_WEIGHT = 0.0005, 200
"""Prior share of records with a namesake of the same birth date beyond chance, and so many records' worth of it."""

SAME_NUMBER = 60
"""Records of one number and several names that are compared with each other; of more, the number says nothing."""

CONTRADICTION = -5.0
"""Two records of one group whose number, name, birth date and sex together say less than this (bits) are parted."""

COMPARED_UP_TO = 40
"""In groups of more records not every pair is looked at again, only each with the one that stands for the group."""

_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Groups:
    """Records of one person in a table.

    `group`: by row, the row that stands for the person (its own where it is alone). `linked.links`: one row a record
    that does not stand for its person (left: the row that does), and one a pair for review (grade C), in rows of the table.
    """

    group: _Ints
    linked: Linked
    share: float


def find(
    records: Records,
    *,
    model: Model | None = None,
    forbidden: pl.DataFrame | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Groups:
    """The groups of a table. `forbidden`: pairs `left`, `right` (rows) that a person declared not to be the same.

    Rows of forbidden pairs are compared one by one, also where another row has their number and name.
    """
    apart = _apart(forbidden)
    start = model or Model()
    whole, _, names_of_all = coded(records, Records.empty(records.ids.head(0)))
    stands = _same_number_and_name(whole, names_of_all, np.unique(apart))
    kept = np.flatnonzero(stands == np.arange(whole.n))
    told(f"{whole.n:,} records, {whole.n - len(kept):,} of them again with number and name")
    some = only(records, kept)
    side, _, names = coded(some, Records.empty(some.ids.head(0)))
    population = Population(side, side)
    own = side.own_name[side.own_name >= 0]
    distinct, counts = np.unique(own, return_counts=True)
    channel = NameChannel(pl.DataFrame({"name": names.texts.gather(distinct), "count": counts}))
    index = Index(side, side, names)
    comparer = Comparer(side, side, names, index.sounds, channel, population, one_table=True)

    pairs = _candidates(index, side)
    told(f"{len(pairs.right):,} pairs")
    compared = comparer.compare(pairs)
    place = np.full(whole.n, -1, dtype=np.int64)
    place[kept] = np.arange(side.n)
    no = place[apart]
    minus = _forbidden_bits(pairs, side, no)
    again = np.flatnonzero(stands != np.arange(whole.n))
    current, share, log_odds = _estimated(start, pairs, compared, minus, side.n, _namesakes(side, names))
    probability = np.exp2(-np.logaddexp2(0, -log_odds))
    grade = clustering.grades(compared, probability)
    grade[(minus > 0) & (grade != "")] = "C"
    firm = np.flatnonzero(np.isin(grade, ("A", "B")))
    label = _groups(pairs, firm, log_odds, side, comparer, current, minus, no)
    told(f"{side.n - len(np.unique(label)):,} more by comparison")

    head = _heads(label, _known(side))
    group = kept[head[place[stands]]] if whole.n else stands
    rarity = comparer.rarity(np.maximum(side.own_name[place[stands[again]]], 0)).astype(np.float64)
    of_pairs = [make(pairs, grade, log_odds, head) for make in (_by_pairs, _for_review)]
    links = pl.concat(
        [
            _of_numbers(group, again, rarity, side.n),
            *(_of_rows(found, kept, log_odds, probability) for found in of_pairs),
        ]
    ).sort("right", "left")
    scored = scoring.Scored(log_odds, probability)
    return Groups(group, Linked(links, pairs, compared, scored, current, side, side, population.n), share)


def only(records: Records, rows: _Ints) -> Records:
    """Some of the records, numbered anew in this order."""
    place = pl.DataFrame(
        {"row": pl.Series(rows, dtype=pl.UInt32), "new": pl.int_range(len(rows), dtype=pl.UInt32, eager=True)}
    )

    def part(frame: pl.DataFrame) -> pl.DataFrame:
        joined = frame.join(place, on="row", maintain_order="left")
        return joined.with_columns(pl.col("new").alias("row")).drop("new")

    return Records(
        records.ids.gather(rows),
        part(records.rows.select(pl.all().gather(rows))),
        *(part(frame) for frame in (records.names, records.phones, records.households, records.others)),
    )


def _known(side: Side) -> _Ints:
    """How many fields each record has: who has most stands for the person."""
    has = (side.id_code != 0).astype(np.int64) * 2 + (side.own_name >= 0) + (side.sex != 0)
    has += (side.birth != NO_DAY).astype(np.int64) + side.depth // 3 + (side.address != 0)
    for rows in (side.phone_row, side.household_row):
        present = np.zeros(side.n, dtype=bool)
        present[rows] = True
        has += present
    found: _Ints = has.astype(np.int64)
    return found


def _apart(forbidden: pl.DataFrame | None) -> _Ints:
    """Pairs of rows that a person declared not to be the same, the lower row first: two columns."""
    if forbidden is None:
        return np.empty((0, 2), dtype=np.int64)
    low, high = pl.min_horizontal("left", "right"), pl.max_horizontal("left", "right")
    found: _Ints = forbidden.select(
        low.cast(pl.Int64).alias("low"), high.cast(pl.Int64).alias("high")
    ).to_numpy()
    return found


def _same_number_and_name(side: Side, names: Names, single: _Ints) -> _Ints:
    """By row, the fullest record with the same valid number and name, where nothing speaks against it; not for `single` rows."""
    rows = np.arange(side.n, dtype=np.int64)
    name = np.where(side.own_name >= 0, names.hashed[np.maximum(side.own_name, 0)], 0)
    key = mix(side.id_code, name)
    key[single] = 0
    order = np.lexsort((rows, -_known(side), key))
    first = np.concatenate([[True], key[order][1:] != key[order][:-1]]) if side.n else np.empty(0, bool)
    head = order[np.maximum.accumulate(np.where(first, np.arange(side.n), 0))]
    stands = np.empty(side.n, dtype=np.int64)
    stands[order] = head
    stated = side.is_stated & side.is_stated[stands]
    good = (key != 0) & (~stated | (side.birth == side.birth[stands]))
    good &= (side.sex == 0) | (side.sex[stands] == 0) | (side.sex == side.sex[stands])
    return np.where(good, stands, rows)


def _numbers(side: Side) -> Codes:
    """Valid numbers; 0 for records that carry none. Two different ones are never one person; passports are renewed."""
    return np.where(side.id_kind == ID_KINDS["foreign"], 0, side.id_code).astype(np.uint64)


def _candidates(index: Index, side: Side) -> Pairs:
    """Pairs of which at least one record carries no valid number, by the keys of all stages; and those of one number."""
    number, rows = _numbers(side), np.arange(side.n, dtype=np.int32)
    found = [meet(iter([Key("id", (rows, number), (rows, number), cap=SAME_NUMBER)]), side.n)]
    if (number == 0).any():
        found += [meet(stage(number == 0), side.n) for stage in index.stages()]
    low, high = (
        np.concatenate([one(pairs.left, pairs.right) for pairs in found]) for one in (np.minimum, np.maximum)
    )
    codes = np.unique(high.astype(np.int64)[low != high] * side.n + low[low != high])
    told = [line for pairs in found for line in pairs.told]
    return Pairs((codes // max(side.n, 1)).astype(np.int32), (codes % max(side.n, 1)).astype(np.int32), told)


def _namesakes(side: Side, names: Names) -> tuple[int, int]:
    """Among records with a number: those that share name and birth date with an earlier one, and all of them."""
    rows = np.flatnonzero((_numbers(side) != 0) & (side.own_name >= 0) & (side.birth != NO_DAY))
    key = mix(names.hashed[side.own_name[rows]], side.birth[rows].astype(np.int64) + (1 << 32))
    key = key[key != 0]
    return len(key) - len(np.unique(key)), len(key)


def _forbidden_bits(pairs: Pairs, side: Side, no: _Ints) -> _Floats:
    """Bits against pairs that must not be one person: two valid numbers, or a person said no."""
    number = _numbers(side)
    a, b = number[pairs.left], number[pairs.right]
    minus: _Floats = np.where((a != 0) & (b != 0) & (a != b), FORBIDDEN_BITS, 0.0)
    if len(no):
        low, high = (one(pairs.left, pairs.right).astype(np.int64) for one in (np.minimum, np.maximum))
        said = no.max(axis=1) * side.n + no.min(axis=1)
        minus[np.isin(high * side.n + low, said)] = FORBIDDEN_BITS
    return minus


def weigh(compared: Compared, model: Model, share: float, n: int, minus: _Floats) -> _Floats:
    """log2 odds of each pair on its own: one person, against strangers, relatives (twins among them) and namesakes."""
    said = scoring.weights(compared, model)
    born = compared.evidence["birth"]
    twin = np.where(born.level == birth.EQUAL, born.bits + np.log2(TWINS), -np.inf)
    relative = said.kin + np.logaddexp2(0, twin) + np.log2(RELATIVES_BESIDE / share)
    stranger = np.full(len(minus), np.log2(max(n, 1) / share))
    namesake = said.namesake + np.log2(model.namesakes / share)
    against = np.logaddexp2(np.logaddexp2(stranger, relative), namesake)
    found: _Floats = said.same - minus - against
    return found


def _estimated(
    start: Model,
    pairs: Pairs,
    compared: Compared,
    minus: _Floats,
    n: int,
    namesakes: tuple[int, int],
) -> tuple[Model, float, _Floats]:
    """Rates and the share of records with another one, in turns with the odds that follow from them."""
    current, share = start, WITH_ANOTHER
    log_odds = weigh(compared, current, share, n, minus)
    # Who carry a number of their own show how many namesakes with one birth date there are among those who do not.
    proven, numbered = namesakes
    among = min((proven + NAMESAKES_WEIGHT * NAMESAKES) / (numbered + NAMESAKES_WEIGHT), 0.5)
    for _ in range(ROUNDS):
        probability = np.exp2(-np.logaddexp2(0, -log_odds))
        counts = scoring.expected_counts(compared, probability)
        share = min(max((2 * float(probability.sum()) + 200 * WITH_ANOTHER) / (n + 200), 1e-6), 0.9)
        current = start.with_counts(counts, share, among)
        log_odds = weigh(compared, current, share, n, minus)
    return current, share, log_odds


# --- groups


def components(n: int, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> _Ints:
    """By node, the lowest node that it is joined to by the edges (a, b), directly or not."""
    label = np.arange(n, dtype=np.int64)
    while True:
        before = label.copy()
        low = np.minimum(label[a], label[b])
        np.minimum.at(label, a, low)
        np.minimum.at(label, b, low)
        label = label[label]
        if (label == before).all():
            return label


def _groups(
    pairs: Pairs,
    firm: _Ints,
    log_odds: _Floats,
    side: Side,
    comparer: Comparer,
    model: Model,
    minus: _Floats,
    no: _Ints,
) -> _Ints:
    """By record, the lowest record of its group; where a group would hold a contradiction its weakest links are cut."""
    a, b = pairs.left[firm].astype(np.int64), pairs.right[firm].astype(np.int64)
    label = components(side.n, a, b)
    number = _numbers(side)
    forbidden = _contradictions(label, comparer, model, pairs, minus, no, _heads(label, _known(side)))
    bad = set(label[forbidden[0]].tolist()) | _with_two_numbers(label, number)
    if not bad:
        return label
    inside = np.flatnonzero(np.isin(label[a], list(bad)))
    order = inside[np.lexsort((b[inside], a[inside], -log_odds[firm[inside]]))]
    label = np.where(np.isin(label, list(bad)), np.arange(side.n), label)
    return joined_but(label, a[order], b[order], number, forbidden)


def _with_two_numbers(label: _Ints, number: np.ndarray[Any, Any]) -> set[int]:
    has = np.flatnonzero(number != 0)
    found = np.unique(np.stack([label[has].astype(np.uint64), number[has]], axis=1), axis=0)[:, 0]
    distinct, counts = np.unique(found, return_counts=True)
    return set(distinct[counts > 1].astype(np.int64).tolist())


def _contradictions(
    label: _Ints, comparer: Comparer, model: Model, pairs: Pairs, minus: _Floats, no: _Ints, head: _Ints
) -> tuple[_Ints, _Ints]:
    """Pairs of one group that cannot be one person: declared so, or personal evidence against it.

    In groups of more than `COMPARED_UP_TO` records each is compared with the one that stands for the group alone.
    """
    declared = np.flatnonzero((minus > 0) & (label[pairs.left] == label[pairs.right]))
    order = np.argsort(label, kind="stable")
    _, starts, sizes = np.unique(label[order], return_index=True, return_counts=True)
    inside = no[label[no[:, 0]] == label[no[:, 1]]]
    lows = [pairs.left[declared].astype(np.int64), inside[:, 0]]
    highs = [pairs.right[declared].astype(np.int64), inside[:, 1]]
    to_compare: list[tuple[_Ints, _Ints]] = []
    for size in np.unique(sizes[(sizes > 2) & (sizes <= COMPARED_UP_TO)]).tolist():
        members = order[starts[sizes == size][:, None] + np.arange(size)[None, :]]
        x, y = np.triu_indices(size, 1)
        to_compare.append((members[:, x].ravel(), members[:, y].ravel()))
    rows = np.arange(len(label))
    many = np.isin(label, label[order[starts[sizes > COMPARED_UP_TO]]]) & (head != rows)
    if many.any():
        to_compare.append((np.minimum(rows, head)[many], np.maximum(rows, head)[many]))
    for low, high in to_compare:
        compared = comparer.compare(Pairs(high.astype(np.int32), low.astype(np.int32)))
        worth = np.zeros(len(low))
        for comparison in MODEL:
            if comparison.name in (*scoring.PERSONAL, "id", "hidden_id"):
                said = compared.evidence[comparison.name]
                worth += model.bits(comparison.name)[said.level] + said.bits
        against = worth < CONTRADICTION
        lows.append(low[against])
        highs.append(high[against])
    return np.concatenate(lows), np.concatenate(highs)


def joined_but(
    label: _Ints,
    a: _Ints,
    b: _Ints,
    number: np.ndarray[Any, Any],
    forbidden: tuple[_Ints, _Ints],
) -> _Ints:
    """Links joined from the strongest, each left out that would bring a contradiction into a group. Few records only."""
    nodes = np.unique(np.concatenate([a, b])).tolist()
    group = {node: {node} for node in nodes}
    numbers = {node: {int(number[node])} - {0} for node in nodes}
    enemies: dict[int, set[int]] = {node: set() for node in nodes}
    for x, y in zip(forbidden[0].tolist(), forbidden[1].tolist(), strict=True):
        enemies.setdefault(x, set()).add(y)
        enemies.setdefault(y, set()).add(x)
    head = {node: node for node in nodes}
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        p, q = head[x], head[y]
        if p == q or len(numbers[p] | numbers[q]) > 1 or enemies[p] & group[q]:
            continue
        p, q = min(p, q), max(p, q)
        group[p] |= group[q]
        numbers[p] |= numbers[q]
        enemies[p] |= enemies[q]
        for node in group[q]:
            head[node] = p
    found = label.copy()
    for node, lowest in head.items():
        found[node] = lowest
    return found


def _heads(label: _Ints, known: _Ints) -> _Ints:
    """By record, the fullest of its group, which stands for the person; of equally full ones the first."""
    order = np.lexsort((np.arange(len(label)), -known, label))
    first = (
        np.concatenate([[True], label[order][1:] != label[order][:-1]]) if len(label) else np.empty(0, bool)
    )
    head = np.empty(len(label), dtype=np.int64)
    head[order] = order[np.maximum.accumulate(np.where(first, np.arange(len(label)), 0))]
    return head


# --- links

_SCHEMA = pl.Schema({"left": pl.Int64(), "right": pl.Int64(), "grade": pl.String(), "pair": pl.Int64()})


def _by_pairs(pairs: Pairs, grade: np.ndarray[Any, Any], log_odds: _Floats, head: _Ints) -> pl.DataFrame:
    """Every record that does not stand for its person, by its strongest link, one to the record that does before others."""
    firm = np.flatnonzero(np.isin(grade, ("A", "B")) & (head[pairs.left] == head[pairs.right]))
    ends = pairs.left[firm].astype(np.int64), pairs.right[firm].astype(np.int64)
    record, other = np.concatenate(ends), np.concatenate(ends[::-1])
    pair = np.concatenate([firm, firm])
    both = pl.DataFrame(
        {
            "left": head[record],
            "right": record,
            "grade": grade[pair].astype(object),
            "pair": pair,
            "is_direct": head[record] == other,
            "weight": log_odds[pair],
        },
        schema=_SCHEMA | {"is_direct": pl.Boolean(), "weight": pl.Float64()},
    )
    best = both.filter(pl.col("left") != pl.col("right")).sort(
        "right", "is_direct", "weight", "pair", descending=[False, True, True, False]
    )
    return best.unique("right", keep="first", maintain_order=True).select(_SCHEMA.names())


def _for_review(pairs: Pairs, grade: np.ndarray[Any, Any], log_odds: _Floats, head: _Ints) -> pl.DataFrame:
    """Pairs of two persons that somebody should look at: of each two groups the strongest."""
    open_ = np.flatnonzero((grade != "") & (head[pairs.left] != head[pairs.right]))
    one, two = head[pairs.left[open_]], head[pairs.right[open_]]
    frame = pl.DataFrame(
        {
            "left": pairs.left[open_],
            "right": pairs.right[open_],
            "grade": ["C"] * len(open_),
            "pair": open_,
            "one": np.minimum(one, two),
            "two": np.maximum(one, two),
            "weight": log_odds[open_],
        },
        schema=_SCHEMA | {"one": pl.Int64(), "two": pl.Int64(), "weight": pl.Float64()},
    )
    best = frame.sort("one", "two", "weight", "pair", descending=[False, False, True, False])
    return best.unique(["one", "two"], keep="first", maintain_order=True).select(_SCHEMA.names())


def _of_rows(links: pl.DataFrame, kept: _Ints, log_odds: _Floats, probability: _Floats) -> pl.DataFrame:
    """Links between records that were compared as links between rows of the table."""
    chosen = links["pair"].to_numpy()
    return links.select(
        pl.Series("left", kept[links["left"].to_numpy()], dtype=pl.Int32),
        pl.Series("right", kept[links["right"].to_numpy()], dtype=pl.Int32),
        "grade",
        pl.Series("weight", log_odds[chosen], dtype=pl.Float64),
        pl.Series("probability", probability[chosen], dtype=pl.Float64),
        pl.lit("model").alias("pass"),
        pl.lit(None, dtype=pl.Float64).alias("margin"),
        "pair",
    )


def _of_numbers(group: _Ints, again: _Ints, rarity: _Floats, n: int) -> pl.DataFrame:
    """Rows that stand in the table again with number and name."""
    weight = np.log2(max(n, 1)) + rarity
    return pl.DataFrame(
        {
            "left": group[again],
            "right": again,
            "weight": weight,
            "probability": np.exp2(-np.logaddexp2(0, -weight)),
        },
        schema={"left": pl.Int32, "right": pl.Int32, "weight": pl.Float64, "probability": pl.Float64},
    ).select(
        "left",
        "right",
        pl.lit("A").alias("grade"),
        "weight",
        "probability",
        pl.lit("number+name").alias("pass"),
        pl.lit(None, dtype=pl.Float64).alias("margin"),
        pl.lit(None, dtype=pl.Int64).alias("pair"),
    )
