"""Who lives in the invented place on the first day: families, names, numbers, books of the register, addresses.

What happens to them afterwards belongs in `life.py`. A clan is one male line of three generations: grandparents,
the anchor with spouse and children, sometimes a brother or sister with a family. From clans come households
(people who share a life) and books of the household register, which are not the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from sample_data import ids, names, places
from sample_data.ids import Days, Flags, Ints, Texts
from sample_data.rng import stream

SHARD_PERSONS = 100_000
PERSON_STRIDE = 10_000_000
"""true_person_id and true_household_id = shard index * stride + running number."""

GF, GM, A, SA, KA, B, SB, KB = 0, 1, 2, 3, 4, 7, 8, 9
SLOTS = 12
PARTNER = {GF: GM, GM: GF, A: SA, SA: A, B: SB, SB: B}
ANCHOR_AGES = (20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 90)
ANCHOR_SHARES = (0.035, 0.05, 0.085, 0.09, 0.085, 0.10, 0.125, 0.125, 0.10, 0.085, 0.055, 0.035, 0.03)
TWIN_PAIR_CHANCE = 0.04
"""Per neighbouring pair of siblings; gives twins of about 1.9 % of people (CHINESE_DATA D1: 1.6-2.2 %)."""
NAMESAKE_PAIRS_PER_PERSON = 40 / 100_000
DESTINATIONS = (
    "150902",
    "150105",
    "110105",
    "150203",
    "440306",
    "120110",
    "130702",
    "150602",
    "440307",
    "310115",
)
DESTINATION_SHARES = (0.30, 0.17, 0.15, 0.09, 0.08, 0.06, 0.06, 0.05, 0.02, 0.02)
ORIGINS = ("1307", "1402", "1501", "1502", "1525", "1409", "4113", "4116", "5119", "3205", "2310", "6205")
BANKS = ("402", "403", "103", "105", "102", "313", "320")
BANK_SHARES = (0.45, 0.15, 0.16, 0.09, 0.07, 0.05, 0.03)


@dataclass(frozen=True)
class Shard:
    """One piece of the place that is invented on its own.

    `villages` are (12-digit code, persons); `sharers` are (county, which of the shards that hold a part of the
    county this is, how many there are), so that identity numbers stay unique without a common counter.
    """

    index: int
    count: int
    seed: int
    on: date
    villages: tuple[tuple[str, int], ...]
    sharers: tuple[tuple[str, int, int], ...]

    @property
    def persons(self) -> int:
        """People asked for."""
        return sum(n for _, n in self.villages)


@dataclass(frozen=True)
class People:
    """The people of a shard on its first day: the columns of World.persons and what life needs to go on."""

    shard: Shard
    persons: pl.DataFrame


def first_day(start: date, months: int) -> date:
    """First of the month that lies `months` whole months before the month of `start`."""
    index = start.year * 12 + start.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def plan(persons: int, seed: int, start: date = date(2025, 11, 17), months: int = 24) -> list[Shard]:
    """Shards of about 100,000 people, whole townships each, for a sample of `persons` people."""
    if persons < 50:
        raise ValueError("a sample needs at least 50 persons")
    groups: list[list[tuple[str, int]]] = [[]]
    chosen = places.chosen(persons)
    by_township: dict[str, list[tuple[str, int]]] = {}
    for code, n in chosen:
        by_township.setdefault(code[:9], []).append((code, n))
    n_shards = max(1, round(persons / SHARD_PERSONS))
    size = 0
    for members in by_township.values():
        here = sum(n for _, n in members)
        if groups[-1] and len(groups) < n_shards and size + here / 2 > persons * len(groups) / n_shards:
            groups.append([])
        groups[-1] += members
        size += here
    holders: dict[str, list[int]] = {}
    for index, members in enumerate(groups):
        for county in dict.fromkeys(code[:6] for code, _ in members):
            holders.setdefault(county, []).append(index)
    return [
        Shard(
            index=index,
            count=len(groups),
            seed=seed,
            on=first_day(start, months),
            villages=tuple(members),
            sharers=tuple(
                (county, holders[county].index(index), len(holders[county]))
                for county in dict.fromkeys(code[:6] for code, _ in members)
            ),
        )
        for index, members in enumerate(groups)
    ]


def text(values: Any) -> pl.Series:
    """An array of Python strings and None as a column."""
    return pl.Series(list(values), dtype=pl.String)


def _interp(x: Any, points: list[tuple[float, float]]) -> Any:
    return np.interp(x, [p[0] for p in points], [p[1] for p in points])


def survival(age: Any, is_female: Any) -> Any:
    """Share of a generation still alive at an age; for parents of the people we look at."""
    men = _interp(age, [(40, 0.97), (50, 0.94), (60, 0.87), (70, 0.70), (80, 0.42), (90, 0.12), (100, 0.01)])
    women = _interp(
        age, [(40, 0.985), (50, 0.97), (60, 0.93), (70, 0.81), (80, 0.57), (90, 0.22), (100, 0.03)]
    )
    return np.where(is_female, women, men)


def _at_home(age: Any, is_female: Any, u: Any) -> Any:
    """Whether a child of that age still belongs to its parents' household."""
    chance = _interp(
        age, [(17.9, 1.0), (18, 0.88), (22, 0.75), (24, 0.42), (28, 0.20), (33, 0.10), (45, 0.03)]
    )
    return u < chance * np.where(is_female & (age >= 23), 0.6, 1.0)


class _Clans:
    """Arrays of clans x slots."""

    def __init__(self, rng: np.random.Generator, n: int, is_rural: Flags, is_incoming: Flags) -> None:
        self.n = n
        self.rural = is_rural
        self.incoming = is_incoming
        self.alive = np.zeros((n, SLOTS), dtype=bool)
        self.dead = np.zeros((n, SLOTS), dtype=bool)  # died before the first day, still in the books
        self.age = np.zeros((n, SLOTS))
        self.female = np.zeros((n, SLOTS), dtype=bool)
        self.household = np.full((n, SLOTS), 1, dtype=np.int64)
        self.step = np.zeros((n, SLOTS), dtype=bool)
        self.divorced = np.zeros((n, SLOTS), dtype=bool)
        self.married = np.zeros((n, SLOTS), dtype=bool)
        self.remarried = np.zeros((n, SLOTS), dtype=bool)
        self._draw(rng)

    def _family(
        self, rng: np.random.Generator, slot: int, spouse: int, kids: int, here: Flags, single: Any
    ) -> None:
        """Marital state, spouse and children of one adult."""
        n, age = self.n, self.age[:, slot]
        u = rng.random(n)
        p_single = np.clip(single, 0, 1)
        p_divorced = _interp(age, [(20, 0.0), (28, 0.025), (35, 0.05), (45, 0.06), (60, 0.03), (90, 0.01)])
        p_widowed = _interp(age, [(30, 0.003), (50, 0.02), (60, 0.055), (70, 0.16), (80, 0.38), (90, 0.65)])
        is_single = u < p_single
        divorced = ~is_single & (u < p_single + p_divorced)
        widowed = ~is_single & ~divorced & (u < p_single + p_divorced + p_widowed)
        married = ~is_single & ~divorced & ~widowed
        u_sex = rng.random(n)
        female = u_sex < np.select([is_single, divorced, widowed], [0.33, 0.48, 0.66], 0.10)
        self.female[:, slot] = female
        self.female[:, spouse] = ~female
        gap = np.clip(rng.normal(2.0, 2.2, n), -4.0, 9.0)
        partner = age + np.where(female, gap, -gap)
        self.age[:, spouse] = np.where(partner < 20.2, 20.2 + 3.0 * rng.random(n), partner)
        self.alive[:, spouse] = here & married
        self.dead[:, spouse] = here & widowed & (rng.random(n) < 0.75)
        self.married[:, slot] = self.married[:, spouse] = married
        self.divorced[:, slot] = here & divorced
        mother = np.where(female, age, self.age[:, spouse])
        mean = _interp(
            mother,
            [(20, 0.3), (25, 0.75), (30, 1.3), (35, 1.6), (45, 1.55), (55, 1.35), (65, 1.6), (80, 2.2)],
        )
        mean = np.where(married, mean, np.where(is_single, 0.0, 0.6 * mean))
        count = rng.binomial(3, np.clip(mean / 3, 0, 1))
        child = mother - (20.5 + rng.gamma(2.6, 1.9, n))
        for k in range(3):
            at = kids + k
            girl = rng.random(n) < 0.475
            self.female[:, at] = girl
            self.age[:, at] = child
            at_home = _at_home(child, girl, rng.random(n))
            self.alive[:, at] = here & (count > k) & (child > 0.01) & at_home
            child = child - (1.2 + rng.gamma(2.0, 1.6, n))
        # The elder child of a second marriage is the wife's or the husband's alone.
        second = married & (age > 30) & (rng.random(n) < 0.05)
        self.step[:, kids] = second
        self.remarried[:, slot] = self.remarried[:, spouse] = second

    def _draw(self, rng: np.random.Generator) -> None:
        n = self.n
        edges = np.cumsum(ANCHOR_SHARES) / np.sum(ANCHOR_SHARES)
        group = np.minimum(np.searchsorted(edges, rng.random(n)), len(ANCHOR_SHARES) - 1)
        low = np.array(ANCHOR_AGES[:-1])[group]
        high = np.array(ANCHOR_AGES[1:])[group]
        age = low + (high - low) * rng.random(n)
        age = np.where(self.incoming, 20 + 30 * rng.beta(1.6, 2.4, n), age)
        self.age[:, A] = age
        self.alive[:, A] = True
        single = _interp(
            age,
            [(20, 0.93), (25, 0.62), (30, 0.27), (35, 0.12), (40, 0.075), (50, 0.05), (70, 0.04), (90, 0.03)],
        )
        self._family(rng, A, SA, KA, np.ones(n, dtype=bool), single)

        has_parents = (rng.random(n) < np.where(age < 28, 0.6, 0.40)) & (age < 64) & ~self.incoming
        self.age[:, GF] = age + 24.5 + 7 * rng.random(n)
        self.age[:, GM] = self.age[:, GF] - np.clip(rng.normal(2.0, 2.0, n), -4.0, 5.0)
        self.female[:, GM] = True
        for slot in (GF, GM):
            lives = rng.random(n) < survival(self.age[:, slot], slot == GM)
            self.alive[:, slot] = has_parents & lives
        one_left = self.alive[:, GF] ^ self.alive[:, GM]
        for slot in (GF, GM):
            self.dead[:, slot] = one_left & ~self.alive[:, slot] & (rng.random(n) < 0.6)
        self.married[:, GF] = self.married[:, GM] = self.alive[:, GF] & self.alive[:, GM]

        age_b = age + np.clip(rng.normal(-1.0, 4.5, n), -12.0, 4.0)
        has_b = (rng.random(n) < 0.11) & (age > 24) & (age < 60) & (age_b > 21) & ~self.incoming
        self.age[:, B] = age_b
        self.alive[:, B] = has_b
        self._family(rng, B, SB, KB, has_b, single + 0.25)
        self.alive[:, SB] &= has_b

        parents = self.alive[:, GF] | self.alive[:, GM]
        single_a = ~(self.married[:, A] | self.dead[:, SA])
        together = rng.random(n) < np.where(
            single_a, 0.88, np.where(self.alive[:, GF] & self.alive[:, GM], 0.27, 0.48)
        )
        self.household[:, GF] = self.household[:, GM] = np.where(together, 1, 0)
        alone_b = ~self.married[:, B] & parents & (rng.random(n) < 0.7)
        self.household[:, B] = np.where(alone_b, self.household[:, GF], 2)
        for slot in (SB, KB, KB + 1, KB + 2):
            self.household[:, slot] = self.household[:, B]
        # Children whose parents have both died, raised by grandparents.
        kids = self.alive[:, KA] & (self.age[:, KA] < 16)
        orphaned = parents & kids & together & (rng.random(n) < 0.006)
        for slot in (A, SA):
            self.dead[orphaned, slot] = self.alive[orphaned, slot] | self.dead[orphaned, slot]
            self.alive[orphaned, slot] = False


def people(shard: Shard) -> People:
    """Invent the people of a shard. Same shard, same bytes."""
    rng = stream(shard.seed, shard.index, "clans")
    place = places.villages()
    codes = np.array([code for code, _ in shard.villages], dtype=object)
    target = np.array([n for _, n in shard.villages])
    urban_village = np.array([place[c].is_urban for c in codes])
    n_clans = int(shard.persons / 2.0) + 60 + 6 * len(codes)
    room = target / target.sum()
    extra = np.maximum((room * n_clans).astype(np.int64), 5)
    village = np.repeat(np.arange(len(codes)), extra)
    n = len(village)
    is_incoming = urban_village[village] & (rng.random(n) < 0.09)
    clans = _Clans(rng, n, ~urban_village[village], is_incoming)
    size = clans.alive.sum(axis=1)
    # Fill each village up to its number; a clan that does not fit is left out.
    total = np.cumsum(size)
    before = np.r_[0, total[np.cumsum(extra)[:-1] - 1]]
    keep = (total - before[village] <= target[village]) & (size > 0)
    clan_no = np.cumsum(keep) - 1

    shown = (clans.alive | clans.dead) & keep[:, None]
    clan, slot = np.nonzero(shown)
    m = len(clan)
    age = clans.age[clan, slot]
    female = clans.female[clan, slot]
    dead = clans.dead[clan, slot]
    village_of = village[clan]
    rural = ~urban_village[village_of]
    row_of = np.full((n, SLOTS), -1, dtype=np.int64)
    row_of[clan, slot] = np.arange(m)

    # Birth dates; twins share one.
    on = np.datetime64(shard.on, "D")
    born = on - np.maximum((age * 365.25).astype(np.int64), 1).astype("timedelta64[D]")
    twin = np.full(m, -1, dtype=np.int64)
    rng = stream(shard.seed, shard.index, "twins")
    for first, second in ((KA, KA + 1), (KA + 1, KA + 2), (KB, KB + 1), (A, B)):
        both = clans.alive[:, first] & clans.alive[:, second] & keep & ~clans.step[:, first]
        # Grown siblings have children of their own, whose ages must go on fitting.
        near = np.abs(clans.age[:, first] - clans.age[:, second]) < (2.0 if first == A else 9.0)
        pairs = np.flatnonzero(
            both & near & (rng.random(n) < TWIN_PAIR_CHANCE * (12.0 if first == A else 1.7))
        )
        one, two = row_of[pairs, first], row_of[pairs, second]
        free = (twin[one] < 0) & (twin[two] < 0)
        one, two = one[free], two[free]
        born[two] = born[one]
        twin[one] = twin[two] = one

    # People of one name and one birthday, on purpose: the hardest innocent case for a matcher.
    rng = stream(shard.seed, shard.index, "namesakes")
    adults = np.flatnonzero(~dead & (age > 25) & (age < 75) & (twin < 0) & ~is_incoming[clan])
    by_sex = adults[np.lexsort((born[adults], village_of[adults], female[adults]))]
    n_pairs = max(1, int(m * NAMESAKE_PAIRS_PER_PERSON))
    at = (
        np.sort(
            rng.choice(
                max(len(by_sex) // 4 - 2, 1), size=min(n_pairs, max(len(by_sex) // 8, 1)), replace=False
            )
        )
        * 4
    )
    same_one, same_two = by_sex[at], by_sex[at + 1]
    ok = (clan[same_one] != clan[same_two]) & (female[same_one] == female[same_two])
    ok &= np.abs((born[same_one] - born[same_two]).astype(np.int64)) < 3 * 365
    same_one, same_two = same_one[ok], same_two[ok]
    born[same_two] = born[same_one]
    birth_year = born.astype("datetime64[Y]").astype(np.int64) + 1970

    persons = _numbers(shard, m, village_of, codes, born, birth_year, female, slot, is_incoming[clan], rural)
    naming = _naming(
        shard, clans, clan, slot, row_of, village_of, codes, rural, birth_year, female, twin, is_incoming
    )
    naming["name"][same_two] = naming["name"][same_one]
    naming["surname"][same_two] = naming["surname"][same_one]

    rng = stream(shard.seed, shard.index, "households")
    house = clans.household[clan, slot]
    house_key = clan_no[clan] * 3 + house
    _, household = np.unique(house_key, return_inverse=True)
    n_households = int(household.max()) + 1
    # One book a household, but parents living apart often stay in the son's book, and so do unmarried brothers.
    u = rng.random(n)
    book_part = house.copy()
    parents_own = u < 0.65
    book_part = np.where((house == 0) & ~parents_own[clan], 1, book_part)
    brother_own = rng.random(n) < 0.8
    book_part = np.where((house == 2) & ~brother_own[clan], 1, book_part)
    # A woman who died or a man who left is still in the book of the family.
    _, book = np.unique(clan_no[clan] * 3 + book_part, return_inverse=True)
    young = (age > 18) & (age < 32) & ~dead & (slot >= KA) & ~np.isin(slot, (B, SB))
    collective = young & (rng.random(m) < 0.10)
    collective |= ~dead & (age > 22) & (age < 45) & (rng.random(m) < np.where(rural, 0.002, 0.012))
    away_chance = _interp(
        age, [(17, 0.0), (18, 0.3), (30, 0.36), (45, 0.27), (58, 0.12), (66, 0.02), (75, 0.0)]
    )
    leaves = rng.random(m) < away_chance * np.where(rural, 1.0, 0.30)
    partner_slot = np.array([PARTNER.get(s, -1) for s in range(SLOTS)])[slot]
    partner = np.where(partner_slot >= 0, row_of[clan, partner_slot], -1)
    follow = (partner >= 0) & leaves[partner] & (rng.random(m) < 0.45)
    away = (leaves | follow) & ~dead & (slot != GF) & (slot != GM) & ~is_incoming[clan]
    # Children go along, unless another adult of the household stays at home with them.
    stays = np.bincount(household[~away & ~dead & (age >= 18)], minlength=n_households) > 0
    away |= (age < 18) & ~dead & ~is_incoming[clan] & ~stays[household]
    destination = np.array(DESTINATIONS, dtype=object)[
        np.searchsorted(np.cumsum(DESTINATION_SHARES), rng.random(m) * 0.9999)
    ]
    # A household goes to one place.
    destination = destination[household]

    base = shard.index * PERSON_STRIDE
    person_id = base + np.arange(m, dtype=np.int64)

    def ref(rows: Ints) -> pl.Series:
        return pl.Series(np.where(rows >= 0, base + rows, -1)).replace(-1, None)

    father, mother, spouse = _kin(clans, clan, slot, row_of, female, dead)
    marital = np.select(
        [
            clans.remarried[clan, slot] & clans.married[clan, slot],
            clans.married[clan, slot],
            clans.divorced[clan, slot],
            np.isin(slot, (A, B)) & clans.dead[clan, np.where(slot == B, SB, SA)],
            np.isin(slot, (GF, GM)),
            dead,
        ],
        ["22", "20", "40", "30", "30", "20"],
        "10",
    )
    couple = np.isin(slot, (GF, GM)) & clans.married[clan, slot]
    marital = np.where(couple, "20", marital)
    address, live_address, live_village, live_division = _addresses(
        shard,
        codes,
        village_of,
        household,
        n_households,
        book,
        away,
        destination,
        rural,
        house,
        is_incoming[clan],
    )
    phones = _phones(shard, m, household, age, born)
    rng = stream(shard.seed, shard.index, "person attributes")
    education = _education(rng, birth_year, age, rural)
    bank = np.array(BANKS, dtype=object)[np.searchsorted(np.cumsum(BANK_SHARES), rng.random(m) * 0.9999)]
    death_day = on - (30 + rng.integers(0, 5000, m)).astype("timedelta64[D]")
    death_day = np.maximum(death_day, born + np.timedelta64(25 * 365, "D"))
    incoming = is_incoming[clan]
    village_county = np.array([place[c].county for c in codes], dtype=object)
    prefix = np.array([c[:6] for c in codes], dtype=object)[village_of]
    book_no = np.where(
        collective,
        np.array([c[:9] + "9001" for c in codes], dtype=object)[village_of],
        prefix + ids.padded(shard.index * 200_000 + book, 7),
    )
    frame = pl.DataFrame(
        {
            "true_person_id": person_id,
            "is_registered": ~incoming,
            "is_outsider": np.zeros(m, dtype=bool),
            "resident_id": text(persons["resident_id"]),
            "former_resident_id": text(persons["former_resident_id"]),
            "id_changed_on": pl.Series([None] * m, dtype=pl.Date),
            "id15": text(persons["id15"]),
            "name": text(naming["name"]),
            "former_name": text(naming["former_name"]),
            "name_changed_on": pl.Series([None] * m, dtype=pl.Date),
            "newborn_name": pl.Series([None] * m, dtype=pl.String),
            "sex": np.where(female, "2", "1"),
            "birth_date": pl.Series(born.astype("datetime64[D]")).cast(pl.Date),
            "ethnic": text(np.array(names.CODES, dtype=object)[naming["group"]]),
            "hukou_no": pl.select(pl.when(pl.Series(~incoming)).then(text(book_no))).to_series(),
            "urban_rural": np.where(rural, "2", "1"),
            "village_code": text(codes[village_of]),
            "reg_address": text(np.where(incoming, persons["origin_address"], address)),
            "register_division": text(np.where(incoming, persons["origin"], village_county[village_of])),
            "live_village_code": text(live_village),
            "live_division": text(live_division),
            "live_address": text(live_address),
            "phone": text(phones),
            "account_no": text(
                np.array(["62"], dtype=object) + bank + ids.padded((person_id * 7_919 + 104_729) % 10**12, 14)
            ),
            "bank": text(bank),
            "psn_no": text(np.array(["1509"], dtype=object) + ids.padded(person_id + 10**9, 11)),
            "education": text(education),
            "marital": text(marital),
            "twin_group": ref(twin),
            "planted": pl.Series([None] * m, dtype=pl.String),
            "death_date": pl.Series(np.where(dead, death_day, np.datetime64("NaT"))).cast(pl.Date),
            "birth_known_on": pl.Series([None] * m, dtype=pl.Date),
            "true_household_id": pl.Series(base + household),
            # What only life needs:
            "slot": slot.astype(np.int64),
            "clan": clan_no[clan],
            "father": ref(father),
            "mother": ref(mother),
            "spouse": ref(spouse),
            "is_step": clans.step[clan, slot],
            "is_away": away,
            "is_collective": collective & ~incoming,
            "group": naming["group"],
            "surname": text(naming["surname"]),
        }
    )
    marked = np.zeros(m, dtype=bool)
    marked[same_one] = marked[same_two] = True
    frame = frame.with_columns(
        pl.when(pl.Series(marked)).then(pl.lit("namesake")).otherwise(pl.col("planted")).alias("planted")
    )
    spelling = names.spellings()
    known = {k: list(v) for k, v in spelling.items()}
    given = text(naming["given"])
    minority = frame["ethnic"] != "01"
    variants = [
        [s + v for v in known[g]] if is_minority and g in known else None
        for g, s, is_minority in zip(given, naming["surname"], minority, strict=True)
    ]
    frame = frame.with_columns(pl.Series("name_spellings", variants, dtype=pl.List(pl.String)))
    return People(shard, frame)


def _kin(
    clans: _Clans, clan: Ints, slot: Ints, row_of: Ints, female: Flags, dead: Flags
) -> tuple[Ints, Ints, Ints]:
    """Rows of father, mother and spouse of everybody; -1 where the place does not hold them."""
    m = len(clan)
    father = np.full(m, -1, dtype=np.int64)
    mother = np.full(m, -1, dtype=np.int64)
    for kids, one, two in ((KA, A, SA), (KB, B, SB)):
        rows = np.flatnonzero((slot >= kids) & (slot < kids + 3))
        first, second = row_of[clan[rows], one], row_of[clan[rows], two]
        first_female = clans.female[clan[rows], one]
        father[rows] = np.where(first_female, second, first)
        mother[rows] = np.where(first_female, first, second)
        # A stepchild's own parent is the woman of the couple.
        father[rows[clans.step[clan[rows], slot[rows]]]] = -1
    rows = np.flatnonzero((slot == A) | (slot == B))
    father[rows] = row_of[clan[rows], GF]
    mother[rows] = row_of[clan[rows], GM]
    partner_slot = np.array([PARTNER.get(s, -1) for s in range(SLOTS)])[slot]
    spouse = np.where(partner_slot >= 0, row_of[clan, partner_slot], -1)
    divorced = clans.divorced[clan, slot]
    return father, mother, np.where(divorced, -1, spouse)


def _numbers(
    shard: Shard,
    m: int,
    village_of: Ints,
    codes: Texts,
    born: Days,
    birth_year: Ints,
    female: Flags,
    slot: Ints,
    incoming: Flags,
    rural: Flags,
) -> dict[str, Texts]:
    """Identity numbers by the division code in force when they were issued, and the wrong ones that were corrected."""
    rng = stream(shard.seed, shard.index, "identity numbers")
    county = np.array([c[:6] for c in codes], dtype=object)[village_of]
    u = rng.random(m)
    married_in = np.isin(slot, (SA, SB, GM)) & female
    other = np.array(places.COUNTY_ORDER, dtype=object)[rng.integers(0, len(places.COUNTY_ORDER), m)]
    birth_county = np.where(u < np.where(married_in, 0.25, 0.04), other, county)
    everywhere = [c for c in places.all_counties() if c[:4] != places.PREFECTURE]
    near = [c for c in everywhere if c[:4] in ORIGINS]
    from_far = np.array(everywhere, dtype=object)[rng.integers(0, len(everywhere), m)]
    from_near = np.array(near, dtype=object)[rng.integers(0, len(near), m)]
    origin = np.where(rng.random(m) < 0.75, from_near, from_far)
    is_stranger = incoming | (u > np.where(married_in, 0.96, 0.985))
    issued = np.where(birth_year < 1984, 1984 + rng.integers(0, 5, m), birth_year)
    area = np.where(is_stranger, origin, "").astype(object)
    for name in dict.fromkeys(birth_county.tolist()):
        here = ~is_stranger & (birth_county == name)
        for first, last, code in places.area_codes()[name]:
            area[here & (issued >= first) & (issued <= last)] = code
    local_county = {c for c, _, _ in shard.sharers}
    is_local = ~is_stranger & np.isin(birth_county, list(local_county))
    which = {c: (i, n) for c, i, n in shard.sharers}
    share = np.full(m, shard.index)
    sharers = np.full(m, shard.count)
    for name, (i, n_holders) in which.items():
        here = is_local & (birth_county == name)
        share[here], sharers[here] = i, n_holders
    # Numbers that were corrected later: another birth date, same person.
    wrong = np.flatnonzero(
        (rng.random(m) < 0.004) & (birth_year < 2000) & (born < np.datetime64("1999-01-01"))
    )
    shift = rng.choice(np.array([-366, -30, -10, -1, 1, 9, 31, 365, 730]), len(wrong)).astype(
        "timedelta64[D]"
    )
    rows = np.r_[np.arange(m), wrong]
    dates = np.r_[born, born[wrong] + shift]
    area_number = area[rows].astype(np.int64)
    sequence = ids.sequence_numbers(
        area_number, dates, female[rows], is_local[rows], share[rows], sharers[rows]
    )
    number = ids.resident_ids(area_number, dates, sequence)
    former = np.full(m, None, dtype=object)
    former[wrong] = number[m:]
    old = ids.old_ids(area_number[:m], born, sequence[:m])
    old[born >= np.datetime64("1999-10-01")] = None
    elsewhere = places.all_counties()
    number_of_house = rng.integers(1, 300, m)
    where = np.array([elsewhere[c] for c in origin], dtype=object)
    origin_address = where + np.array([f"{k}号" for k in number_of_house], dtype=object)
    return {
        "resident_id": number[:m],
        "former_resident_id": former,
        "id15": old,
        "origin": origin,
        "origin_address": origin_address,
    }


def _naming(
    shard: Shard,
    clans: _Clans,
    clan: Ints,
    slot: Ints,
    row_of: Ints,
    village_of: Ints,
    codes: Texts,
    rural: Flags,
    birth_year: Ints,
    female: Flags,
    twin: Ints,
    is_incoming: Flags,
) -> dict[str, Any]:
    """Ethnic group, surname and name of everybody."""
    rng = stream(shard.seed, shard.index, "names")
    n, m = clans.n, len(clan)
    county = np.array([c[:6] for c in codes], dtype=object)
    clan_village = np.zeros(n, dtype=np.int64)
    clan_village[clan] = village_of
    line_group = names.groups(rng, county[clan_village])
    line_group[is_incoming & (rng.random(n) < 0.9)] = 0
    line = names.village_surnames(rng, clan_village, clans.rural, len(codes))
    line = names.minority_surnames(rng, line_group, line)
    in_married = np.isin(slot, (GM, SA, SB))
    own_group = names.groups(rng, county[village_of])
    same = (rng.random(m) < 0.55) & (line_group[clan] > 0)
    group = np.where(in_married & ~same, own_group, line_group[clan])
    stranger = names.minority_surnames(rng, group, names.national_surnames(rng, m))
    surname = np.where(in_married, stranger, line[clan])
    # Where the woman belongs to the line, children carry the husband's surname; a few newer ones the mother's.
    for kids, one, two in ((KA, A, SA), (KB, B, SB)):
        rows = np.flatnonzero((slot >= kids) & (slot < kids + 3))
        partner = row_of[clan[rows], two]
        from_partner = clans.female[clan[rows], one] ^ (
            (birth_year[rows] >= 2010) & (rng.random(len(rows)) < 0.08)
        )
        from_partner |= clans.step[clan[rows], slot[rows]]
        take = from_partner & (partner >= 0)
        surname[rows[take]] = surname[partner[take]]
        group[rows[take]] = group[partner[take]]
        lost = from_partner & (partner < 0)
        surname[rows[lost]] = stranger[rows[lost]]
        step = clans.step[clan[rows], slot[rows]]
        surname[rows[step]] = stranger[rows[step]]
    bare = (surname == "") & ~np.isin(group, (1, 4, 5, 6, 7, 9))
    surname[bare] = names.national_surnames(rng, int(bare.sum()))
    # Brothers share a generation character; so do cousins of one clan.
    generation_of_clan = np.stack(
        [
            names.generation_characters(rng, n, np.full(n, 1950)),
            names.generation_characters(rng, n, (2023 - clans.age[:, A]).astype(np.int64)),
            names.generation_characters(rng, n, (2023 - np.maximum(clans.age[:, KA], 0)).astype(np.int64)),
        ],
        axis=1,
    )
    level = np.where(np.isin(slot, (GF, GM)), 0, np.where(np.isin(slot, (A, SA, B, SB)), 1, 2))
    shared = generation_of_clan[clan, level]
    shared = np.where(female | in_married, "", shared)
    given = names.given_names(rng, female, birth_year, group, shared, surname)
    second = np.flatnonzero(twin >= 0)
    second = second[twin[second] != second]
    alike = second[rng.random(len(second)) < 0.7]
    for row in alike:
        given[row] = given[twin[row]][:1] + (
            given[row][-1:] if given[row][-1:] != given[twin[row]][-1:] else "宁"
        )
    father_given = np.full(m, "", dtype=object)
    name = names.full_names(rng, surname, given, group, father_given)
    # Names that were changed before the first day.
    former = np.full(m, None, dtype=object)
    changed = np.flatnonzero((rng.random(m) < 0.010) & (group < 4))
    new = names.given_names(
        rng,
        female[changed],
        birth_year[changed],
        group[changed],
        np.full(len(changed), "", dtype=object),
        surname[changed],
    )
    former[changed] = surname[changed] + new
    former[former == name] = None
    return {"group": group, "surname": surname, "given": given, "name": name, "former_name": former}


def _addresses(
    shard: Shard,
    codes: Texts,
    village_of: Ints,
    household: Ints,
    n_households: int,
    book: Ints,
    away: Flags,
    destination: Texts,
    rural: Flags,
    house: Ints,
    incoming: Flags,
) -> tuple[Texts, Texts, Texts, Texts]:
    """Address in the register (of the book) and where they live, with village and county of the latter."""
    rng = stream(shard.seed, shard.index, "addresses")
    place = places.villages()
    prefix = np.array([place[c].address for c in codes], dtype=object)
    streets = places.read("street_names.csv")
    roads = np.array([r["name"] for r in streets if r["kind"] == "road"], dtype=object)
    estates = np.array([r["name"] for r in streets if r["kind"] == "estate"], dtype=object)
    n_doors = max(n_households, int(book.max()) + 1)
    group, number = rng.integers(1, 9, n_doors), rng.integers(1, 200, n_doors)
    road, estate = (
        roads[rng.integers(0, len(roads), n_doors)],
        estates[rng.integers(0, len(estates), n_doors)],
    )
    building, entrance = rng.integers(1, 25, n_doors), rng.integers(1, 6, n_doors)
    floor, door = rng.integers(1, 19, n_doors), rng.integers(1, 5, n_doors)
    in_village = np.array([f"{g}组{k}号" for g, k in zip(group, number, strict=True)], dtype=object)
    in_town = np.array(
        [
            f"{r}{k}号{e}{b}号楼{u}单元{f}{d:02d}室"
            for r, k, e, b, u, f, d in zip(road, number, estate, building, entrance, floor, door, strict=True)
        ],
        dtype=object,
    )
    door_of_book = np.full(int(book.max()) + 1, -1, dtype=np.int64)
    door_of_book[book[::-1]] = household[::-1]
    registered_door = door_of_book[book]
    tail = np.where(rural, in_village[registered_door], in_town[registered_door])
    home_tail = np.where(rural, in_village[household], in_town[household])
    registered = prefix[village_of] + tail
    home = prefix[village_of] + home_tail
    elsewhere = places.all_counties()
    away_town = np.array([elsewhere[c] for c in destination], dtype=object) + in_town[household]
    live = np.where(away, away_town, home)
    live_village = codes[village_of].copy()
    live_village[away] = None
    live_division = np.where(away, destination, np.array([c[:6] for c in codes], dtype=object)[village_of])
    return registered, live, live_village, live_division


def _phones(shard: Shard, m: int, household: Ints, age: Any, born: Days) -> Texts:
    """Mobile numbers; children and 15 % of families use one phone, some elders the village official's."""
    rng = stream(shard.seed, shard.index, "phones")
    heads = np.array(
        [
            "130",
            "131",
            "135",
            "136",
            "138",
            "139",
            "147",
            "150",
            "151",
            "152",
            "158",
            "159",
            "182",
            "187",
            "189",
        ]
    )
    number = heads[rng.integers(0, len(heads), m)].astype(object) + ids.padded(rng.integers(0, 10**8, m), 8)
    first = np.full(int(household.max()) + 1, -1, dtype=np.int64)
    adults = np.flatnonzero((age > 20) & (age < 75))[::-1]
    first[household[adults]] = adults
    leader = np.where(first[household] >= 0, first[household], np.arange(m))
    shares = (
        (rng.random(int(household.max()) + 1) < 0.15)[household]
        | (age < 14)
        | ((age > 78) & (rng.random(m) < 0.5))
    )
    number = np.where(shares, number[leader], number)
    officials = rng.integers(0, m, max(1, m // 800))
    served = (age > 62) & (rng.random(m) < 0.03)
    return np.where(served, number[officials[(household // 60) % len(officials)]], number)


def _education(rng: np.random.Generator, birth_year: Ints, age: Any, rural: Flags) -> Texts:
    """Highest schooling by cohort and place (GB/T 4658)."""
    u = rng.random(len(birth_year)) + np.where(rural, -0.13, 0.08)
    modern = np.clip((birth_year - 1940) / 60, 0, 1)
    level = u * 0.6 + modern * 0.5
    code = np.select(
        [
            age < 6,
            age < 12,
            age < 15,
            level > 1.06,
            level > 0.90,
            level > 0.80,
            level > 0.66,
            level > 0.36,
            level > 0.12,
        ],
        ["90", "80", "70", "10", "20", "30", "60", "70", "80"],
        "90",
    )
    return np.where((age < 22) & (age >= 15) & (code == "10"), "60", code).astype(object)
