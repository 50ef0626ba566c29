"""Candidate pairs -> what every comparison says about them. Set-based: no call per pair, each distinct pair of names once.

How much a level is worth belongs in `model`; which pairs there are in `blocking`; what to make of it in `scoring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl

from matching.blocking import SHORTEST_BY_SOUND, Pairs
from matching.coded import NO_DAY, WILDCARD, Codes, Ints, Names, Side, Small, mix
from matching.comparators import birth as births
from matching.comparators import identity, sharing
from matching.comparators.name_tables import CODE_POINTS, transliterating
from matching.comparators.name_tokens import Words
from matching.evidence import Bits, Evidence, Population, silent
from matching.model import BY_NAME, NAME_LEVELS
from matching.places import distinct
from matching.sounds import Sounds

_LEVEL_OF_KIND = {kind: number + 1 for number, kind in enumerate(NAME_LEVELS)}
NO_NAME = _NONE = _LEVEL_OF_KIND["none"]
_KINDS_OF_SOUNDED = [_LEVEL_OF_KIND[kind] for kind in ("spelling", "order", "part", "surname_added")]
_PRIOR_BITS = np.log2([1.0, *BY_NAME["name"].rates])
_FORMER = _LEVEL_OF_KIND["former"]
HIDDEN_FITS, HIDDEN_SLIP, HIDDEN_NONE = 1, 2, 3

SOMEBODY = 2.0
"""Bits less than the surname is worth where 张某 stands for a name of three characters: most sources hide each character; assumed."""

NAMESAKES_AT_HOME = 8.0
"""Bits against two people of one household with the very same name: one household in some 250; assumed."""

SMOOTHED_BY = 5000.0
"""So many people's worth does the share of a name in the whole county weigh against its share in a township or cohort.
Assumed; engineering constant."""

RELATIVES_OF_ONE_SURNAME = 0.5
"""Of two people of one household this share has one surname: parents, children, brothers, sisters; not couples."""

CLAN_SMOOTHED_BY = 150.0
"""So many people's worth does the share of a surname in the county weigh against its share in a village. Assumed;
engineering constant."""

LEAST_SOUNDED = 0.01
"""Share of names written by their sound is taken as no less: fewer are chance."""

GENERATION_CHARACTER = 0.2
"""Brothers and sisters with the generation character (40 % of men born before 1980, 15 % after)."""


class Channel(Protocol):
    """What is needed of `comparators.name.NameChannel`."""

    def compare(self, left: pl.Series, right: pl.Series) -> pl.DataFrame:
        """kind, log2_p by pair."""

    def population(self, names: pl.Series, people: np.ndarray[Any, Any] | None = None) -> pl.Series:
        """log2 of the share of people with the name; `people`: how many bear each, where that is known."""


@dataclass
class Compared:
    """Evidence by comparison for every pair, and what a relative's record would show (`relative`: bits)."""

    evidence: dict[str, Evidence]
    relative: Bits

    def take(self, places: np.ndarray[Any, Any]) -> Compared:
        """Some of the pairs."""
        found = {n: Evidence(e.level[places], e.bits[places]) for n, e in self.evidence.items()}
        return Compared(found, self.relative[places])

    @classmethod
    def joined(cls, parts: Sequence[Compared], order: np.ndarray[Any, Any]) -> Compared:
        """Several, one behind the other, and then in another order. The parts are used up: both at once would be too much."""
        evidence = {}
        for name in list(parts[0].evidence):
            each = [part.evidence.pop(name) for part in parts]
            evidence[name] = Evidence(
                np.concatenate([one.level for one in each])[order],
                np.concatenate([one.bits for one in each])[order],
            )
        return cls(evidence, np.concatenate([part.relative for part in parts])[order])


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
        open_: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
    ) -> None:
        """`open_`: right records that will be compared with more than the one left record that has their number."""
        self.left, self.right, self.names, self.sounds = left, right, names, sounds
        self.channel, self.population = channel, population
        # How many records of a pair bear a name of it and were counted among the people.
        self._own = int(one_table)
        self._rarity = {
            own: (np.zeros(len(names.size), np.float32), np.zeros(len(names.size), bool))
            for own in {0, self._own}
        }
        self.holders = identity.Holders(left, right, open_, by_home=not one_table)
        phones = population.phones
        # Of the left side all values stay: a value of too many is none of the right record's, and equals nothing.
        self.phones_l = sharing.Values(left.phone_row, left.phone, left.n)
        self.phones_r = sharing.usable((right.phone_row, right.phone), phones, right.n)
        self.family_phones = sharing.Family.of(left, right.phone, phones)
        homes = population.households
        asked = len(left.household) if len(right.household) else 0
        self.homes_l = sharing.Values(left.household_row[:asked], left.household[:asked], left.n)
        self.homes_r = sharing.usable((right.household_row, right.household), homes, right.n)
        self.others = {
            kind: (
                sharing.Values(*left.others[kind], left.n),
                sharing.Values(*right.others[kind], right.n),
                sharing.Shares(*population.left.others[kind]),
            )
            for kind in sorted(left.others.keys() & right.others.keys())
        }
        self.names_l, self.names_r = (
            sharing.Values(side.entry_row, names.hashed[side.entry_name], side.n) for side in (left, right)
        )
        self._surnames = self._surname_shares()

    # --- what is prepared once

    def _surname_shares(self) -> np.ndarray[Any, Any]:
        """By name, the share of left people with its first character."""
        own = self.population.left.own_name[self.population.left.own_name >= 0]
        first = self.names.first.astype(np.int64)
        people = np.bincount(first[own], minlength=int(first.max(initial=0)) + 1)
        people[0] = 0
        return np.maximum(np.maximum(people[first], 1) / max(len(own), 1), 1e-6)

    @cached_property
    def _by_hash(self) -> tuple[np.ndarray[Any, Any], Codes]:
        order = np.argsort(self.names.hashed)
        return order, self.names.hashed[order]

    @cached_property
    def _words(self) -> Words:
        return Words(self.names.texts.gather(self.population.left.entry_name))

    @cached_property
    def _near_names(self) -> list[tuple[Ints, int, sharing.Shares, np.ndarray[Any, Any]]]:
        """By township, and by cohort (sex and decade of birth): the group of each left record (0: unknown), groups in all, how
        many there bear each name that somebody on the right bears, and how many people are in each group."""
        left, counted = self.left, self.population.left
        asked = np.zeros(len(self.names.size), dtype=bool)
        asked[self.right.own_name[self.right.own_name >= 0]] = True
        named = (counted.own_name >= 0) & asked[np.maximum(counted.own_name, 0)]
        rows = np.flatnonzero(named).astype(np.int32)
        sides = (counted,) if counted is left else (counted, left)
        # 0 is an unknown township in any case.
        prefixes = np.concatenate([[0], *(side.places.prefix(9) for side in sides)])
        number, start, townships = distinct(prefixes)[1], 1, []
        for side in sides:
            townships.append(number[start:][side.places.of].astype(np.int64))
            start += len(side.places.code)
        # 0 of either part is unknown.
        cohorts = [
            np.where((side.year != 0) & (side.sex != 0), side.year // 10 * 4 + side.sex, 0).astype(np.int64)
            for side in sides
        ]
        found = []
        for of_sides in (townships, cohorts):
            group = of_sides[0]
            groups = max(int(each.max(initial=0)) for each in of_sides) + 1
            codes = self._named(counted.own_name[rows], group[rows], groups)
            people = np.bincount(group, minlength=groups)
            found.append((of_sides[-1], groups, sharing.Shares(rows, codes), people))
        return found

    @staticmethod
    def _named(name: Small, group: Ints, groups: int) -> Codes:
        """Codes of a name in a group; 0 where the group is not known."""
        return np.where(group == 0, 0, (name.astype(np.int64) + 1) * groups + group).astype(np.uint64)

    def _rarity_there(self, names: Small, rows_l: Small) -> Bits:
        """Bits of an equal name: as rare as it is in the county, or in the township or cohort where it is commoner.

        The record itself does not count among those who bear its name there.
        """
        bits = self.rarity(names)
        share = np.exp2(-bits.astype(np.float64))
        for group, groups, with_name, of_group in self._near_names:
            here = group[rows_l]
            others = np.maximum(with_name.count(self._named(names, here, groups)) - 1, 0)
            people = np.maximum(of_group[here] - 1, 0)
            there = (others + SMOOTHED_BY * share) / (people + SMOOTHED_BY)
            share = np.where(here != 0, np.maximum(share, there), share)
        found: Bits = (-np.log2(share)).astype(np.float32)
        return found

    @cached_property
    def _people(self) -> Ints:
        """By name, how many of the counted people bear it; who may be linked counts himself where he was not among them."""
        counted = self.population.left.own_name
        people = np.bincount(counted[counted >= 0], minlength=len(self.names.size))
        if self.population.left is not self.left:
            own = self.left.own_name[self.left.own_name >= 0]
            people[own] = np.maximum(people[own], 1)
        return people

    def rarity(self, names: Small, own: int = 0) -> Bits:
        """-log2 of the share of people with each name, `own` of its bearers not counted; asked of the channel once a name."""
        bits, known = self._rarity[own]
        wanted = np.zeros(len(bits), dtype=bool)
        wanted[names] = True
        new = np.flatnonzero(wanted & ~known)
        if len(new):
            texts = self.names.texts.gather(new)
            people = np.maximum(self._people[new] - own, 0)
            said = -self.channel.population(texts, people).to_numpy()
            bits[new] = np.minimum(said, self._words.most_bits(texts))
            known[new] = True
        return bits[names]

    # --- the comparisons

    def compare(self, pairs: Pairs) -> Compared:
        """Everything about the pairs."""
        rows_l, rows_r = pairs.left, pairs.right
        left, right, population = self.left, self.right, self.population
        found: dict[str, Evidence] = {}
        found["name"], found["hidden_name"] = self._names(rows_l, rows_r)
        found["id"] = identity.compare_ids(left, right, rows_l, rows_r, population, self.holders)
        found["hidden_id"] = identity.compare_hidden_ids(left, right, rows_l, rows_r, population)
        # A date that was taken out of a number says nothing beside the number.
        both_numbers = (left.id_code[rows_l] != 0) & (right.id_code[rows_r] != 0)
        silent_day = both_numbers & ~right.is_stated[rows_r]
        # Nor does one that belongs to the number speak against somebody, where the number is another person's.
        another = np.flatnonzero(np.isin(found["id"].level, (identity.RELATIVE, identity.OTHER_PERSON)))
        copied = (right.birth == right.number_day)[rows_r[another]]
        silent_day[another] |= copied & (left.birth[rows_l[another]] != right.birth[rows_r[another]])
        day = np.where(silent_day, NO_DAY, right.birth[rows_r]).astype(np.int32)
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
        self._less_for_clans(rows_l, rows_r, found)
        found["address"] = sharing.compare_addresses(left, right, rows_l, rows_r, population)
        found["household"] = sharing.compare_shared(
            self.homes_l, self.homes_r, rows_l, rows_r, population.households
        )
        found["other"] = self._others(rows_l, rows_r)
        return Compared(found, self._relative(rows_l, rows_r, found))

    def _less_for_clans(self, rows_l: Small, rows_r: Small, found: dict[str, Evidence]) -> None:
        """Takes from the names of pairs of one village what the surname is commoner there than in the county.

        Villages of one surname are usual: name and village are not independent, so that both in full count one thing twice.
        """
        a, b = (side.own_name[rows] for side, rows in ((self.left, rows_l), (self.right, rows_r)))
        first = self.names.first
        one_surname = (a >= 0) & (b >= 0) & (first[a] == first[b]) & (first[a] != 0)
        at = np.flatnonzero(one_surname & (found["place"].level == sharing.VILLAGE))
        if not len(at):
            return
        villages, bearers = self._villages
        village = self.left.prefix(12)[rows_l[at]].astype(np.uint64)
        people = np.maximum(villages.count(village) - 1, 0)
        others = np.maximum(bearers.count(mix(first[a[at]], village)) - 1, 0)
        share = self._surnames[a[at]]
        there = (others + CLAN_SMOOTHED_BY * share) / (people + CLAN_SMOOTHED_BY)
        less = np.where(village != 0, np.log2(np.maximum(there / share, 1.0)), 0.0)
        for name in ("name", "hidden_name"):
            bits = found[name].bits
            bits[at] = np.where(bits[at] > 0, np.maximum(bits[at] - less, 0), bits[at])

    @cached_property
    def _villages(self) -> tuple[sharing.Shares, sharing.Shares]:
        """How many people live in each village, and how many of each surname there."""
        side = self.population.left
        village = side.prefix(12).astype(np.uint64)
        rows = np.arange(side.n, dtype=np.int32)
        surname = np.where(side.own_name >= 0, self.names.first[np.maximum(side.own_name, 0)], 0)
        return sharing.Shares(rows, village), sharing.Shares(rows, mix(surname, village))

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
    def _phone_ends(
        self,
    ) -> tuple[sharing.Values, sharing.Values, sharing.Shares, sharing.Family | None] | None:
        """Visible ends of telephones: of all on the left, of hidden ones on the right; None where none is hidden."""
        hidden = self.right.phone_text.str.contains("*", literal=True).to_numpy()
        if not hidden.any():
            return None
        part = pl.concat_str(pl.col("t").str.head(3), pl.col("t").str.tail(4))

        def ends(texts: pl.Series) -> Codes:
            codes: Codes = texts.to_frame("t").select(p=part)["p"].hash(seed=13).to_numpy().astype(np.uint64)
            return codes

        left, right, counted = self.left, self.right, self.population.left
        of_left = ends(left.phone_text)
        of_counted = of_left if counted is left else ends(counted.phone_text)
        shares = sharing.Shares(counted.phone_row, of_counted)
        few = np.where(shares.count(of_left) > 4 * sharing.GENERIC, 0, of_left).astype(np.uint64)
        of_right = np.where(hidden, ends(right.phone_text), 0).astype(np.uint64)
        return (
            sharing.Values(left.phone_row, few, left.n),
            sharing.Values(right.phone_row, of_right, right.n),
            shares,
            sharing.Family.of(left, of_right, shares, few),
        )

    def _hidden_phones(self, rows_l: Small, rows_r: Small, plain: Evidence) -> Evidence:
        """Telephones hidden in part, by their visible ends."""
        evidence = silent(len(rows_l))
        if self._phone_ends is None:
            return evidence
        of_left, of_right, shares, family = self._phone_ends
        evidence = sharing.compare_shared(of_left, of_right, rows_l, rows_r, shares, family, apart=3)
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
            self._surname_and_somebody(masked, a, b, hidden)
        return plain, hidden

    def _surname_and_somebody(self, masked: Ints, a: Small, b: Small, hidden: Evidence) -> None:
        """张某 may be anybody called Zhang: of a name of three characters the surname agrees, and nothing contradicts."""
        open_ = masked[hidden.level[masked] == HIDDEN_NONE]
        names = self.names
        fits = np.zeros(len(open_), dtype=bool)
        for short, full in ((a[open_], b[open_]), (b[open_], a[open_])):
            fits |= (
                (names.size[short] == 2)
                & (names.chars[short, 1] == WILDCARD)
                & (names.size[full] == 3)
                & ~names.has_wildcard[full]
                & (names.first[short] == names.first[full])
            )
        found = open_[fits]
        worth = -np.log2(self._surnames[b[found]]) - SOMEBODY
        hidden.level[found[worth > 0]] = HIDDEN_FITS
        hidden.bits[found[worth > 0]] = worth[worth > 0]

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
        worth = said["log2_p"].fill_null(-np.inf).to_numpy() + self.rarity(second.astype(np.int32), self._own)
        # P(right) >= P(left) P(right | left): a name that was misspelt is worth no more than the same name spelt well.
        worth = np.minimum(worth, self.rarity(first.astype(np.int32), self._own))
        worth += np.where(np.isin(level, _KINDS_OF_SOUNDED) & self._is_sounded[first], self._sounded_bits, 0)
        # What explains less than chance does explains nothing.
        level = np.where(worth + _PRIOR_BITS[level] < _PRIOR_BITS[_NONE], _NONE, level).astype(np.uint8)
        worth = np.where(level == _NONE, 0, worth)
        plain.level[places] = level[back]
        plain.bits[places] = worth[back]

    @cached_property
    def _is_sounded(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Names that are written by their sound, in parts or at length: Mongolian, Uyghur, Tibetan, foreign ones."""
        names = self.names
        chars = np.minimum(names.chars[:, :4].astype(np.int64), CODE_POINTS - 1)
        beyond = np.arange(4)[None, :] >= names.size[:, None]
        by_sound = (transliterating()[chars] | beyond).all(axis=1) & (names.size >= SHORTEST_BY_SOUND)
        dotted = names.texts.str.contains("·", literal=True).fill_null(False).to_numpy()
        found: np.ndarray[Any, np.dtype[np.bool_]] = by_sound | dotted | (names.size > 4)
        return found

    @cached_property
    def _sounded_bits(self) -> float:
        """What befalls only names written by sound is as much commoner among them as they are few."""
        counted = self.population.left
        spelt = counted.spelt_name[counted.spelt_name >= 0]
        share = float(self._is_sounded[spelt].mean()) if len(spelt) else 1.0
        return float(-np.log2(min(max(share, LEAST_SOUNDED), 1.0)))

    def _is_near(self, a: Small, b: Small) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether the channel may find anything: all but one place agree in character or sound, or a name is special."""
        names = self.names
        size_a, size_b = names.size[a], names.size[b]
        chars, sounds = self._beginnings
        chars_a, chars_b, sounds_a, sounds_b = chars[a], chars[b], sounds[a], sounds[b]
        special = (size_a > 4) | (size_b > 4) | names.has_wildcard[a] | names.has_wildcard[b]
        same_char = (chars_a == chars_b) & (chars_a != 0)
        agree = (same_char | ((sounds_a == sounds_b) & (sounds_a > 0))).sum(1, dtype=np.int8)
        swap = np.zeros(len(a), dtype=bool)
        from_end = np.zeros(len(a), dtype=np.int8)
        for n in range(1, 4):
            x, y = chars_a[:, n], chars_b[:, n]
            swap |= (x == chars_b[:, n - 1]) & (y == chars_a[:, n - 1]) & (x != 0) & (y != 0)
        # From their ends only names of two lengths are compared.
        uneven = np.flatnonzero(size_a != size_b)
        first, second = chars_a[uneven], chars_b[uneven]
        at_a, at_b, rows = size_a[uneven], size_b[uneven], np.arange(len(uneven))
        for n in range(4):
            i, j = np.clip(at_a - 1 - n, 0, 3), np.clip(at_b - 1 - n, 0, 3)
            within = (at_a > n) & (at_b > n)
            from_end[uneven] += within & (first[rows, i] == second[rows, j])
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

    @cached_property
    def _beginnings(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """First four characters of every name, and their sounds."""
        return np.ascontiguousarray(self.names.chars[:, :4]), np.ascontiguousarray(self.sounds.matrix[:, :4])

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


__all__ = ["Channel", "Compared", "Comparer"]
