"""Candidate pairs -> what every comparison says about them. Set-based: no call per pair, each distinct pair of names once.

How much a level is worth belongs in `model`; which pairs there are in `blocking`; what to make of it in `scoring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl

from matching.blocking import Pairs
from matching.coded import NO_DAY, Codes, Names, Side, Small, mix
from matching.comparators import birth as births
from matching.comparators import identity, sharing
from matching.comparators.name_tokens import Words
from matching.evidence import Bits, Evidence, Population, counted, is_among, marks, silent, slot
from matching.model import BY_NAME, NAME_LEVELS
from matching.sounds import Sounds

_LEVEL_OF_KIND = {kind: number + 1 for number, kind in enumerate(NAME_LEVELS)}
_NONE = _LEVEL_OF_KIND["none"]
_PRIOR_BITS = np.log2([1.0, *BY_NAME["name"].rates])
_FORMER = _LEVEL_OF_KIND["former"]
HIDDEN_FITS, HIDDEN_SLIP, HIDDEN_NONE = 1, 2, 3

NAMESAKES_AT_HOME = 8.0
"""Bits against two people of one household with the very same name: one household in some 250; assumed."""

SMOOTHED_BY = 5000.0
"""So many people's worth does the share of a name in the whole county weigh against its share in a township or cohort.
Assumed; engineering constant."""

RELATIVES_OF_ONE_SURNAME = 0.5
"""Of two people of one household this share has one surname: parents, children, brothers, sisters; not couples."""

GENERATION_CHARACTER = 0.2
"""Brothers and sisters with the generation character (40 % of men born before 1980, 15 % after)."""


class Channel(Protocol):
    """What is needed of `comparators.name.NameChannel`."""

    def compare(self, left: pl.Series, right: pl.Series) -> pl.DataFrame:
        """kind, log2_p by pair."""

    def population(self, names: pl.Series) -> pl.Series:
        """log2 of the share of people with the name."""


@dataclass
class Compared:
    """Evidence by comparison for every pair, and what a relative's record would show (`relative`: bits)."""

    evidence: dict[str, Evidence]
    relative: Bits

    def take(self, places: np.ndarray[Any, Any]) -> Compared:
        """Some of the pairs."""
        found = {n: Evidence(e.level[places], e.bits[places]) for n, e in self.evidence.items()}
        return Compared(found, self.relative[places])


class Comparer:
    """All comparisons of one pair of sides; keeps what does not depend on the pairs."""

    def __init__(
        self,
        left: Side,
        right: Side,
        names: Names,
        sounds: Sounds,
        channel: Channel,
        population: Population,
        *,
        one_table: bool = False,
    ) -> None:
        self.left, self.right, self.names, self.sounds = left, right, names, sounds
        self.channel, self.population = channel, population
        self._rarity = np.zeros(len(names.size), dtype=np.float32)
        self._rarity_known = np.zeros(len(names.size), dtype=bool)
        self.home_l = _home(left)
        self.is_held, self.homes_of_holders = self._holders()
        if one_table:
            # There every number is held by its own record; whose relative it may be cannot be told.
            self.homes_of_holders = self.homes_of_holders[:0]
        phones = population.phones
        self.phones_l = sharing.usable((left.phone_row, left.phone), phones, left.n, right.phone)
        self.phones_r = sharing.usable((right.phone_row, right.phone), phones, right.n)
        family = _family_values(left, right.phone)
        self.family_phones = None if family is None else sharing.usable(family, phones, left.n)
        homes = population.households
        self.homes_l = sharing.usable((left.household_row, left.household), homes, left.n, right.household)
        self.homes_r = sharing.usable((right.household_row, right.household), homes, right.n)
        self.others = {
            kind: (
                sharing.Values(*left.others[kind], left.n),
                sharing.Values(*right.others[kind], right.n),
                sharing.Shares(*left.others[kind]),
            )
            for kind in sorted(left.others.keys() & right.others.keys())
        }
        self.names_l, self.names_r = (
            sharing.Values(side.entry_row, names.hashed[side.entry_name], side.n) for side in (left, right)
        )
        self._surnames = self._surname_shares()

    # --- what is prepared once

    def _holders(self) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], Codes]:
        """By right record, whether somebody on the left has its number; and number with home of all who have one of these."""
        wanted, left = self.right.id_code, self.left
        near = np.flatnonzero(marks(wanted)[slot(left.id_code)] & (left.id_code != 0))
        held = is_among(np.sort(left.id_code[near]), wanted) & (wanted != 0)
        homes = mix(left.id_code[near], self.home_l[near])
        return held, np.sort(homes[homes != 0])

    def _surname_shares(self) -> np.ndarray[Any, Any]:
        """By name, the share of left people with its first character."""
        own = self.left.own_name[self.left.own_name >= 0]
        first = self.names.first[own]
        distinct, counts = counted(first[first != 0])
        place = np.minimum(np.searchsorted(distinct, self.names.first), max(len(distinct) - 1, 0))
        hit = distinct[place] == self.names.first if len(distinct) else np.zeros(len(self.names.size), bool)
        share = np.where(hit, counts[place] if len(distinct) else 0, 1) / max(len(own), 1)
        return np.maximum(share, 1e-6)

    @cached_property
    def _by_hash(self) -> tuple[np.ndarray[Any, Any], Codes]:
        order = np.argsort(self.names.hashed)
        return order, self.names.hashed[order]

    @cached_property
    def _words(self) -> Words:
        return Words(self.names.texts.gather(self.left.entry_name))

    @cached_property
    def _near_names(self) -> list[tuple[Codes, sharing.Shares, sharing.Shares, Codes]]:
        """By left record, its township and its cohort (sex and decade of birth), with and without its name, counted."""
        left, rows = self.left, np.arange(self.left.n, dtype=np.int32)
        name = np.where(left.own_name >= 0, self.names.hashed[np.maximum(left.own_name, 0)], 0).astype(
            np.uint64
        )
        cohort = mix(left.year // 10, left.sex)
        found = []
        for group in (left.prefix(9).astype(np.uint64), cohort):
            named = mix(name, group)
            found.append((named, sharing.Shares(rows, named), sharing.Shares(rows, group), group))
        return found

    def _rarity_there(self, names: Small, rows_l: Small) -> Bits:
        """Bits of an equal name: as rare as it is in the county, or in the township or cohort where it is commoner.

        The record itself does not count among those who bear its name there.
        """
        bits = self.rarity(names)
        share = np.exp2(-bits.astype(np.float64))
        for named, with_name, of_group, group in self._near_names:
            others = np.maximum(with_name.count(named[rows_l]) - 1, 0)
            people = of_group.count(group[rows_l])
            there = (others + SMOOTHED_BY * share) / (np.maximum(people - 1, 0) + SMOOTHED_BY)
            share = np.where(group[rows_l] != 0, np.maximum(share, there), share)
        found: Bits = (-np.log2(share)).astype(np.float32)
        return found

    def rarity(self, names: Small) -> Bits:
        """-log2 of the share of people with each name; asked of the channel once a name."""
        wanted = np.zeros(len(self._rarity), dtype=bool)
        wanted[names] = True
        new = np.flatnonzero(wanted & ~self._rarity_known)
        if len(new):
            texts = self.names.texts.gather(new)
            said = -self.channel.population(texts).to_numpy()
            self._rarity[new] = np.minimum(said, self._words.most_bits(texts))
            self._rarity_known[new] = True
        return self._rarity[names]

    # --- the comparisons

    def compare(self, pairs: Pairs) -> Compared:
        """Everything about the pairs."""
        rows_l, rows_r = pairs.left, pairs.right
        left, right, population = self.left, self.right, self.population
        found: dict[str, Evidence] = {}
        found["name"], found["hidden_name"] = self._names(rows_l, rows_r)
        found["id"] = identity.compare_ids(
            left, right, rows_l, rows_r, population, self.is_held, self.homes_of_holders, self.home_l
        )
        found["hidden_id"] = identity.compare_hidden_ids(left, right, rows_l, rows_r, population)
        # A date that was taken out of a number says nothing beside the number.
        both_numbers = (left.id_code[rows_l] != 0) & (right.id_code[rows_r] != 0)
        day = np.where(both_numbers & ~right.is_stated[rows_r], NO_DAY, right.birth[rows_r]).astype(np.int32)
        found["birth"] = births.compare_births(left.birth[rows_l], day, population)
        vague = right.birth[rows_r] == NO_DAY
        found["age"] = births.compare_ages(
            left.birth[rows_l],
            np.where(vague, right.low[rows_r], NO_DAY).astype(np.int32),
            right.high[rows_r],
            population,
        )
        found["sex"] = self._sexes(rows_l, rows_r)
        found["phone"] = sharing.compare_shared(
            self.phones_l,
            self.phones_r,
            rows_l,
            rows_r,
            population.phones,
            family=self.family_phones,
            apart=3,
        )
        found["hidden_phone"] = self._hidden_phones(rows_l, rows_r, found["phone"])
        found["place"] = sharing.compare_places(left, right, rows_l, rows_r, population)
        found["address"] = sharing.compare_addresses(left, right, rows_l, rows_r, population)
        found["household"] = sharing.compare_shared(
            self.homes_l, self.homes_r, rows_l, rows_r, population.households
        )
        found["other"] = self._others(rows_l, rows_r)
        return Compared(found, self._relative(rows_l, rows_r, found))

    def _sexes(self, rows_l: Small, rows_r: Small) -> Evidence:
        evidence = silent(len(rows_l))
        a, b = self.left.sex[rows_l], self.right.sex[rows_r]
        known = (a != 0) & (b != 0)
        evidence.level[known] = np.where(a[known] == b[known], 1, 2)
        # Half of all people are of the same sex, and half of the other.
        evidence.bits[known] = 1
        return evidence

    def _others(self, rows_l: Small, rows_r: Small) -> Evidence:
        evidence = silent(len(rows_l))
        for of_left, of_right, shares in self.others.values():
            found = sharing.compare_shared(of_left, of_right, rows_l, rows_r, shares)
            # Who has a number of this kind at all (a passport, a certificate) is one of few.
            few = np.log2(max(self.population.n / shares.records, 1)) if shares.is_of_persons else 0
            found.bits[found.level == sharing.EQUAL] += few
            stronger = (found.level > 0) & ((evidence.level == 0) | (found.bits > evidence.bits))
            evidence.level[stronger], evidence.bits[stronger] = found.level[stronger], found.bits[stronger]
        return evidence

    @cached_property
    def _phone_ends(self) -> tuple[sharing.Values, sharing.Values, sharing.Shares] | None:
        """Visible ends of telephones: of all on the left, of hidden ones on the right; None where none is hidden."""
        hidden = self.right.phone_text.str.contains("*", literal=True).to_numpy()
        if not hidden.any():
            return None
        part = pl.concat_str(pl.col("t").str.head(3), pl.col("t").str.tail(4))

        def ends(texts: pl.Series) -> Codes:
            codes: Codes = texts.to_frame("t").select(p=part)["p"].hash(seed=13).to_numpy().astype(np.uint64)
            return codes

        left, right = self.left, self.right
        of_left = ends(left.phone_text)
        shares = sharing.Shares(left.phone_row, of_left)
        few = np.where(shares.count(of_left) > 4 * sharing.GENERIC, 0, of_left).astype(np.uint64)
        of_right = np.where(hidden, ends(right.phone_text), 0).astype(np.uint64)
        return (
            sharing.Values(left.phone_row, few, left.n),
            sharing.Values(right.phone_row, of_right, right.n),
            shares,
        )

    def _hidden_phones(self, rows_l: Small, rows_r: Small, plain: Evidence) -> Evidence:
        """Telephones hidden in part, by their visible ends."""
        evidence = silent(len(rows_l))
        if self._phone_ends is None:
            return evidence
        evidence = sharing.compare_shared(*self._phone_ends[:2], rows_l, rows_r, self._phone_ends[2], apart=3)
        plain.level[evidence.level > 0] = 0
        plain.bits[evidence.level > 0] = 0
        return evidence

    # --- names

    def _names(self, rows_l: Small, rows_r: Small) -> tuple[Evidence, Evidence]:
        n = len(rows_l)
        plain, hidden = silent(n), silent(n)
        a, b = self.left.own_name[rows_l], self.right.own_name[rows_r]
        known = (a >= 0) & (b >= 0)
        equal = known & (a == b) & ~self.names.has_wildcard[np.maximum(a, 0)]
        plain.level[known] = _NONE
        plain.level[equal] = _LEVEL_OF_KIND["exact"]
        plain.bits[equal] = self._rarity_there(a[equal], rows_l[equal])
        apart = np.flatnonzero(known & ~equal)
        apart = apart[self._is_near(a[apart], b[apart])]
        if len(apart):
            self._compare_apart(
                apart, self.left.spelt_name[rows_l[apart]], self.right.spelt_name[rows_r[apart]], plain
            )
        self._further_names(rows_l, rows_r, plain)
        masked = np.flatnonzero(
            known & (self.names.has_wildcard[np.maximum(a, 0)] | self.names.has_wildcard[np.maximum(b, 0)])
        )
        if len(masked):
            found = plain.level[masked]
            hidden.level[masked] = np.where(
                plain.bits[masked] <= 0,
                HIDDEN_NONE,
                np.where(np.isin(found, _SLIP_KINDS), HIDDEN_SLIP, HIDDEN_FITS),
            )
            hidden.level[masked[found == _NONE]] = HIDDEN_NONE
            hidden.bits[masked] = np.where(hidden.level[masked] == HIDDEN_NONE, 0, plain.bits[masked])
            plain.level[masked], plain.bits[masked] = 0, 0
        return plain, hidden

    def _compare_apart(self, places: np.ndarray[Any, Any], a: Small, b: Small, plain: Evidence) -> None:
        """Different names through the channel, each distinct pair once."""
        code = a.astype(np.int64) * len(self.names.size) + b
        order = np.argsort(code)
        ordered = code[order]
        starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        distinct, back = ordered[starts], np.empty(len(code), dtype=np.int64)
        back[order] = np.cumsum(starts) - 1
        first, second = distinct // len(self.names.size), distinct % len(self.names.size)
        said = self.channel.compare(self.names.texts.gather(first), self.names.texts.gather(second))
        level = (
            said["kind"]
            .cast(pl.String)
            .replace_strict(_LEVEL_OF_KIND | {"wildcard": 1}, default=_NONE, return_dtype=pl.UInt8)
        ).to_numpy()
        worth = said["log2_p"].fill_null(-np.inf).to_numpy() + self.rarity(second.astype(np.int32))
        # What explains less than chance does explains nothing.
        level = np.where(worth + _PRIOR_BITS[level] < _PRIOR_BITS[_NONE], _NONE, level).astype(np.uint8)
        worth = np.where(level == _NONE, 0, worth)
        plain.level[places] = level[back]
        plain.bits[places] = worth[back]

    def _is_near(self, a: Small, b: Small) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether the channel may find anything: all but one place agree in character or sound, or a name is special."""
        names, sounds = self.names, self.sounds.matrix
        size_a, size_b = names.size[a], names.size[b]
        special = (size_a > 4) | (size_b > 4) | names.has_wildcard[a] | names.has_wildcard[b]
        agree = np.zeros(len(a), dtype=np.int8)
        from_end = np.zeros(len(a), dtype=np.int8)
        swap = np.zeros(len(a), dtype=bool)
        rows = np.arange(len(a))
        for n in range(4):
            x, y = names.chars[a, n], names.chars[b, n]
            sx, sy = sounds[a, n], sounds[b, n]
            agree += (x != 0) & ((x == y) | ((sx == sy) & (sx > 0)))
            i, j = np.maximum(size_a - 1 - n, 0), np.maximum(size_b - 1 - n, 0)
            within = (size_a > n) & (size_b > n)
            from_end += within & (names.chars[a, i] == names.chars[b, j])
            if n:
                swap |= (x == names.chars[b, n - 1]) & (y == names.chars[a, n - 1]) & (x != 0) & (y != 0)
        del rows
        shorter = np.minimum(size_a, size_b)
        same = size_a == size_b
        return (
            special
            | swap
            | (same & (agree >= np.maximum(shorter - 1, 1)))
            | (~same & (agree + from_end >= shorter) & (np.abs(size_a - size_b) <= 2))
            | self._is_latin(a)
            | self._is_latin(b)
        )

    def _is_latin(self, name: Small) -> np.ndarray[Any, np.dtype[np.bool_]]:
        first = self.names.chars[name, 0]
        found: np.ndarray[Any, np.dtype[np.bool_]] = (first >= ord("A")) & (first <= ord("Z"))
        return found

    def _further_names(self, rows_l: Small, rows_r: Small, plain: Evidence) -> None:
        """Former names and aliases of either side, where they are equal and the main names are not."""
        several = self.names_l.several[rows_l] | self.names_r.several[rows_r]
        open_ = np.flatnonzero((plain.level != _LEVEL_OF_KIND["exact"]) & several)
        if not len(open_):
            return
        value = sharing.shared_values(self.names_l, self.names_r, rows_l[open_], rows_r[open_])
        hit = value != 0
        if not hit.any():
            return
        order, hashed = self._by_hash
        of_value = order[np.searchsorted(hashed, value[hit])].astype(np.int32)
        places, worth = open_[hit], self.rarity(of_value)
        better = worth > plain.bits[places] + 4
        plain.level[places[better]] = _FORMER
        plain.bits[places[better]] = worth[better]

    # --- the other explanation

    def _relative(self, rows_l: Small, rows_r: Small, found: dict[str, Evidence]) -> Bits:
        """Bits by which somebody else of the left record's household, not on the left, would show the same.

        What a family shares counts in full (added in `scoring`); of the person only the surname, a generation character,
        and the family's habit of giving one member's number for another.
        """
        a, b = self.left.own_name[rows_l], self.right.own_name[rows_r]
        known = (a >= 0) & (b >= 0)
        a, b = np.maximum(a, 0), np.maximum(b, 0)
        one_surname = known & (self.names.first[a] == self.names.first[b]) & (self.names.first[b] != 0)
        by_surname = RELATIVES_OF_ONE_SURNAME / self._surnames[b]
        same_second = (
            one_surname & (self.names.chars[a, 1] == self.names.chars[b, 1]) & (self.names.size[b] == 3)
        )
        share = np.where(one_surname, 1 - RELATIVES_OF_ONE_SURNAME + by_surname, 1 - RELATIVES_OF_ONE_SURNAME)
        # A shared middle character of a given name is common among brothers and sisters, rare (about 1 %) elsewhere.
        share = np.where(same_second, share * GENERATION_CHARACTER / 0.01, share)
        bits: Bits = np.log2(share).astype(np.float32)
        # A house does not give two of its people one name.
        bits[known & (a == b) & ~self.names.has_wildcard[a]] -= NAMESAKES_AT_HOME
        bits[~known] = 0
        equal = found["id"].level == identity.EQUAL
        bits[equal] += (np.log2(0.0065) + np.log2(self.population.n) - 2).astype(np.float32)
        return bits


_SLIP_KINDS = [
    _LEVEL_OF_KIND[kind] for kind in NAME_LEVELS if kind not in ("exact", "none", "former", "cut", "spelling")
]


def _home(side: Side) -> Codes:
    """One code for the household of each record: its number, else its telephone, else its address.

    A number, telephone or address of more people than a household has is nobody's home.
    """
    everybody = np.arange(side.n, dtype=np.int32)
    places = np.where((side.address != 0) & (side.depth >= 9), mix(side.address, side.place), 0).astype(
        np.uint64
    )
    home = np.zeros(side.n, dtype=np.uint64)
    for rows, codes in (
        (everybody, places),
        (side.phone_row, side.phone),
        (side.household_row, side.household),
    ):
        small = (codes != 0) & (sharing.Shares(rows, codes).count(codes) <= sharing.GENERIC)
        home[rows[small]] = codes[small]
    return home


def _family_values(side: Side, wanted: Codes) -> tuple[Small, Codes] | None:
    """Telephones (those that may be `wanted`) of all members of each record's household; None where there is none."""
    if not len(side.phone_row) or not len(wanted):
        return None
    if len(side.household_row):
        home_row, home = side.household_row, side.household
    else:
        # Without household numbers those of one address are a household.
        home = np.where((side.address != 0) & (side.depth >= 9), mix(side.address, side.place), 0).astype(
            np.uint64
        )
        home_row = np.flatnonzero(home).astype(np.int32)
        home = home[home_row]
    if not len(home_row):
        return None
    near = np.flatnonzero(marks(wanted)[slot(side.phone)] & (side.phone != 0))
    phones = pl.DataFrame({"row": side.phone_row[near], "phone": side.phone[near]})
    homes = pl.DataFrame({"row": home_row, "home": home})
    found = phones.join(homes.filter(pl.col("home") != 0), on="row").select("home", "phone").unique()
    at_home = marks(found["home"].to_numpy())[slot(home)]
    members = homes.filter(pl.Series(at_home))
    sizes = pl.len().over("home").is_between(2, sharing.GENERIC)
    members = members.filter(sizes)
    found = found.join(members, on="home").select("row", "phone").sort("row", "phone")
    return found["row"].to_numpy().astype(np.int32), found["phone"].to_numpy()


__all__ = ["Channel", "Compared", "Comparer"]
