"""The engine once more, slowly and obviously: every pair of two small tables, one at a time, with dictionaries.

Written from what the comparisons promise, not from how they are made. Shares with the engine only the rates of the model
and the channel of names (which has its own tests).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import log2
from typing import Any

import polars as pl

from matching.comparators.name import NameChannel
from matching.comparators.name_tables import transliterating
from matching.comparison import NAMESAKES_AT_HOME
from matching.model import BY_NAME, MODEL, UNLISTED_RELATIVES, Model
from matching.records import Records

Said = tuple[str, float]
"""Level and bits of one comparison."""

GENERIC = 12
ORDER = {"own": 0, "former": 1, "alias": 2, "latin": 3}
SLIPS = {"sound", "near_sound", "shape", "other", "swap", "drop", "insert", "two"} | {
    "pinyin",
    "order",
    "part",
    "surname_added",
    "latin",
}


@dataclass
class Person:
    """One record: its row of `Records.rows`, and what it has several of."""

    row: dict[str, Any]
    names: list[tuple[str, str]] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    households: list[str] = field(default_factory=list)
    others: dict[str, list[str]] = field(default_factory=dict)

    @property
    def own(self) -> str | None:
        """The name it goes by."""
        return self.names[0][0] if self.names else None

    @property
    def home(self) -> tuple[str, ...] | None:
        """What stands for its household."""
        if self.households:
            return ("household", self.households[-1])
        if self.phones:
            return ("phone", self.phones[-1])
        if self.row["address_key"] and self.row["place"]:
            return ("address", self.row["address_key"], self.row["place"])
        return None


def persons(records: Records) -> list[Person]:
    """Records as objects, in the order of rows."""
    found = [Person(row) for row in records.rows.iter_rows(named=True)]
    for row, name, kind in sorted(records.names.rows(), key=lambda n: (n[0], ORDER.get(n[2], 9), n[1])):
        assert kind in ORDER, "names in parts are not spelt out here"
        found[row].names.append((name, kind))
    for row, phone in records.phones.rows():
        found[row].phones.append(phone)
    for row, household in records.households.rows():
        found[row].households.append(household)
    for row, kind, value in records.others.rows():
        found[row].others.setdefault(kind, []).append(value)
    return found


class Slow:
    """All comparisons of one left and one right record."""

    def __init__(self, left: Records, right: Records) -> None:
        self.left, self.right = persons(left), persons(right)
        self.n = len(self.left)
        self.births = sorted(p.row["birth"] for p in self.left if p.row["birth"])
        self.ids = Counter(p.row["id_key"] for p in self.left if p.row["id_key"])
        self.phones = Counter(x for p in self.left for x in p.phones)
        self.with_phone = sum(bool(p.phones) for p in self.left)
        self.homes = Counter(x for p in self.left for x in p.households)
        self.with_home = sum(bool(p.households) for p in self.left)
        own = Counter(p.own for p in self.left if p.own)
        counts = pl.DataFrame(
            {"name": list(own), "count": list(own.values())}, schema={"name": pl.String, "count": pl.Int64}
        )
        channel = NameChannel(counts)
        names = sorted({name for p in [*self.left, *self.right] for name, _ in p.names})
        self.rarity = dict(zip(names, (-channel.population(pl.Series(names))).to_list(), strict=True))
        pairs = sorted({(a.own, b.own) for a in self.left for b in self.right if a.own and b.own})
        ours, theirs = (pl.Series([pair[side] for pair in pairs]) for side in (0, 1))
        self.channel = dict(zip(pairs, channel.compare(ours, theirs).rows(), strict=True))
        self.firsts = Counter(p.own[0] for p in self.left if p.own and p.own[0] != "?")
        self.named = sum(p.own is not None for p in self.left)

    # --- shares

    def mass(self, low: int, high: int) -> float:
        """Share of left people born between two days (ordinals), one person a century beside."""
        people = sum(low <= day.toordinal() <= high for day in self.births)
        return min((people + (high - low + 1) / 36_525) / (len(self.births) + 1), 1.0)

    def at(self, place: str, digits: int) -> int:
        prefix = place[:digits]
        return sum((p.row["place"] or "")[:digits] == prefix for p in self.left)

    # --- comparisons

    def compare(self, a: Person, b: Person) -> dict[str, Said | None]:
        """Level and bits by comparison; None where one of the two says nothing."""
        found: dict[str, Said | None] = {c.name: None for c in MODEL}
        self._name(a, b, found)
        found["id"] = self._id(a, b)
        found["hidden_id"] = self._hidden_id(a, b)
        found["birth"] = self._birth(a, b)
        another = found["id"] is not None and found["id"][0] in ("relative", "other_person")
        born = b.row["birth"]
        copied = another and born and f"{born:%Y%m%d}" == b.row["id_key"][6:14]
        if copied and a.row["birth"] != born:
            found["birth"] = None
        found["age"] = self._age(a, b)
        if a.row["sex"] and b.row["sex"]:
            found["sex"] = ("equal" if a.row["sex"] == b.row["sex"] else "differs", 1.0)
        found["phone"] = self._phone(a, b)
        found["hidden_phone"] = self._hidden_phone(a, b)
        if found["hidden_phone"]:
            found["phone"] = None
        found["place"] = self._place(a, b)
        self._clan(a, b, found)
        found["address"] = self._address(a, b)
        if a.households and b.households:
            found["household"] = self._shared(
                a.households, b.households, self.homes, self.with_home, "differs"
            )
        for kind in a.others.keys() & b.others.keys():
            counts = Counter(x for p in self.left for x in p.others.get(kind, []))
            holders = sum(kind in p.others for p in self.left)
            found["other"] = self._shared(a.others[kind], b.others[kind], counts, holders, "differs")
        return found

    def _shared(
        self, ours: list[str], theirs: list[str], counts: Counter[str], holders: int, apart: str
    ) -> Said:
        both = [x for x in theirs if x in ours]
        return ("equal", log2(holders / counts[both[0]])) if both else (apart, 0.0)

    def _name(self, a: Person, b: Person, found: dict[str, Said | None]) -> None:
        if a.own is None or b.own is None:
            return
        lost = "?" in a.own or "?" in b.own
        said: Said = ("none", 0.0)
        if a.own == b.own and not lost:
            said = ("exact", self.rarity[a.own])
        else:
            kind, log2_p = self.channel[a.own, b.own]
            kind, worth = "exact" if kind == "wildcard" else kind, log2_p + self.rarity[b.own]
            worth = min(worth, self.rarity[a.own])
            if kind in ("spelling", "order", "part", "surname_added") and by_sound(a.own):
                worth -= log2(max(sum(by_sound(p.own) for p in self.left if p.own) / self.named, 0.01))
            prior = dict(zip(BY_NAME["name"].levels, BY_NAME["name"].rates, strict=True))
            if kind != "none" and log2(prior[kind]) + worth >= log2(prior["none"]):
                said = (kind, worth)
            known = [name for name, _ in a.names if "?" not in name]
            shared = [name for name, _ in b.names if "?" not in name and name in known]
            if shared and self.rarity[shared[0]] > said[1] + 4:
                said = ("former", self.rarity[shared[0]])
        if not lost:
            found["name"] = said
        elif said[1] <= 0:
            short, full = sorted((a.own, b.own), key=len)
            somebody = len(short) == 2 and short[1] == "?" and len(full) == 3 and "?" not in full
            bearers = sum(p.own is not None and p.own[0] == short[0] for p in self.left)
            worth = -log2(max(bearers, 1) / max(self.named, 1)) - 2
            fits = somebody and short[0] == full[0] and worth > 0
            found["hidden_name"] = ("fits", worth) if fits else ("none", 0.0)
        else:
            found["hidden_name"] = ("slip" if said[0] in SLIPS else "fits", said[1])

    def _id(self, a: Person, b: Person) -> Said | None:
        x, y = a.row["id_key"], b.row["id_key"]
        if x and y:
            if x == y:
                return ("equal", log2(self.n / self.ids[x]))
            if y not in self.ids:
                return ("other", 0.0)
            holder = next(p for p in self.left if p.row["id_key"] == y)
            if holder.home and holder.home == a.home:
                return ("relative", log2(self.n) - 2)
            return ("other_person", -log2(0.007))
        kinds = {a.row["id_kind"], b.row["id_kind"]}
        if None in kinds or "masked" in kinds:
            return None
        s, t = a.row["id_text"], b.row["id_text"]
        lost = s.count("?") + t.count("?")
        distance = edits(s, t)
        if lost:
            return ("fits", log2(self.n) - 1) if distance <= min(lost, 4) else ("differs", 0.0)
        if distance <= 1:
            return ("slip", log2(self.n))
        return ("slips", max(log2(self.n) - 5, 1)) if distance == 2 else ("differs", 0.0)

    def _hidden_id(self, a: Person, b: Person) -> Said | None:
        kinds = (a.row["id_kind"], b.row["id_kind"])
        if None in kinds or "masked" not in kinds:
            return None
        s, t = a.row["id_text"], b.row["id_text"]
        if any(x != y and "*" not in (x, y) for x, y in zip(s, t, strict=False)):
            return ("differs", 0.0)
        hidden = t if "*" in t else s
        head, tail = hidden[: hidden.index("*")], hidden[hidden.rindex("*") + 1 :]
        texts = [p.row["id_text"] for p in self.left if p.row["id_text"]]
        same = sum(
            x[: len(head)] == head and (not tail or x[-len(tail) :] == tail) for x in texts if "*" not in x
        )
        return ("fits", log2(len(texts) / max(same, 1)))

    def _birth(self, a: Person, b: Person) -> Said | None:
        x, y = a.row["birth"], b.row["birth"]
        if not x or not y:
            return None
        if a.row["id_key"] and b.row["id_key"] and b.row["birth_basis"] != "stated":
            return None
        if x == y:
            return ("equal", -log2(self.mass(y.toordinal(), y.toordinal())))
        day = log2(36_525 / 1.3)
        one_year = x.year == y.year
        if one_year and (1, 1) in ((x.month, x.day), (y.month, y.day)):
            return ("first_of_year", log2(80))
        if one_year and (x.month, x.day) == (y.day, y.month):
            return ("swap", day - 1)
        if sum(p != q for p, q in zip(f"{x:%Y%m%d}", f"{y:%Y%m%d}", strict=True)) == 1:
            return ("digit", day - log2(30))
        if (x.month, x.day) == (y.month, y.day) and abs(x.year - y.year) == 1:
            return ("year", day - 1)
        if 16 <= abs((x - y).days) <= 56:
            return ("lunar", day - log2(80))
        if one_year:
            return ("same_year", log2(80))
        return ("near", log2(80 / 5)) if abs(x.year - y.year) <= 2 else ("differs", 0.0)

    def _age(self, a: Person, b: Person) -> Said | None:
        low, high = b.row["birth_low"], b.row["birth_high"]
        if b.row["birth"] or not a.row["birth"] or not low or not high:
            return None
        day, first, last = a.row["birth"].toordinal(), low.toordinal(), high.toordinal()
        off = max(first - day, day - last, 0)
        inner = 0.0
        for level, days in (("within", 0), ("one", 366), ("two", 731), ("five", 1827)):
            mass = self.mass(first - days, last + days)
            if off <= days:
                return (level, -log2(max(mass - inner, 1e-7)))
            inner = mass
        return ("differs", 0.0)

    def _phone(self, a: Person, b: Person) -> Said | None:
        common = {x for x, count in self.phones.items() if count > GENERIC}
        theirs = [x for x in b.phones if x not in common]
        asked = {x for p in self.right for x in p.phones}
        ours = a.phones
        family = [x for x in self._family(a) if x in asked and x not in common]
        if not theirs:
            return None
        both = [x for x in theirs if x in ours]
        if both:
            return ("equal", log2(self.with_phone / self.phones[both[0]]))
        kin = [x for x in theirs if x in family]
        if kin:
            return ("family", max(log2(self.with_phone / self.phones[kin[0]]) - 2, 0))
        return ("differs", 0.0) if ours else None

    def _family(self, a: Person) -> list[str]:
        """Telephones of all in the households of a record."""
        members: list[Person] = []
        for household in a.households:
            fellows = [p for p in self.left if household in p.households]
            if 2 <= len(fellows) <= GENERIC:
                members += fellows
        return [x for p in members for x in p.phones]

    def _hidden_phone(self, a: Person, b: Person) -> Said | None:
        def ends(phone: str) -> str:
            return phone[:3] + phone[-4:]

        counts = Counter(ends(x) for p in self.left for x in p.phones)
        theirs = [ends(x) for x in b.phones if "*" in x]
        if not theirs:
            return None
        ours = [ends(x) for x in a.phones if counts[ends(x)] <= 4 * GENERIC]
        both = [x for x in theirs if x in ours]
        if both:
            return ("equal", log2(self.with_phone / counts[both[0]]))
        family = [ends(x) for x in self._family(a) if counts[ends(x)] <= 4 * GENERIC]
        kin = [x for x in theirs if x in family]
        if kin:
            return ("family", max(log2(self.with_phone / counts[kin[0]]) - 2, 0))
        return ("differs", 0.0) if ours else None

    def _place(self, a: Person, b: Person) -> Said | None:
        x, y = a.row["place"] or "", b.row["place"] or ""
        full = next((d for d in (12, 9, 6, 4) if min(len(x), len(y)) >= d), None)
        if full is None:
            return None
        names = {12: "village", 9: "township", 6: "county", 4: "prefecture"}
        for digits in (12, 9, 6, 4):
            if digits <= full and x[:digits] == y[:digits]:
                mass = self.at(y, digits) / self.n
                if digits == full:
                    whole = {9: "within_township", 6: "within_county", 4: "within_prefecture"}
                    return (whole.get(full, "village"), -log2(max(mass, 0.5 / self.n)))
                # Of all who live there, those outside the part that is the left record's.
                finer = {9: 12, 6: 9, 4: 6}[digits]
                return (names[digits], -log2(max(mass - self.at(x, finer) / self.n, 0.5 / self.n)))
        return ("elsewhere", 0.0)

    def _clan(self, a: Person, b: Person, found: dict[str, Said | None]) -> None:
        """Less for a name whose surname is common in the village that both come from."""
        place, village = found["place"], a.row["place"] or ""
        if place is None or place[0] != "village" or len(village) != 12 or a.own is None or b.own is None:
            return
        if a.own[0] != b.own[0] or a.own[0] == "?":
            return
        there = [p for p in self.left if p.row["place"] == village]
        bearers = sum(p.own is not None and p.own[0] == a.own[0] for p in there)
        share = max(max(self.firsts[a.own[0]], 1) / self.named, 1e-6)
        local = (max(bearers - 1, 0) + 150 * share) / (max(len(there) - 1, 0) + 150)
        for name in ("name", "hidden_name"):
            said = found[name]
            if said is not None and said[1] > 0:
                found[name] = (said[0], max(said[1] - max(log2(local / share), 0), 0))

    def _address(self, a: Person, b: Person) -> Said | None:
        x, y = a.row["address_key"], b.row["address_key"]
        place = a.row["place"] or ""
        if not x or not y or place != (b.row["place"] or "") or len(place) < 6:
            return None
        if x != y:
            return ("differs", 0.0)
        there = [p for p in self.left if p.row["place"] == place]
        return ("equal", log2(len(there) / sum(p.row["address_key"] == x for p in there)))

    # --- hypotheses

    def relative(self, a: Person, b: Person, said: dict[str, Said | None]) -> float:
        """Bits of a relative of `a` who is not on the left."""
        bits = 0.0
        if a.own is not None and b.own is not None:
            share = 0.5
            if a.own[0] == b.own[0] != "?":
                share += 0.5 / (self.firsts[b.own[0]] / self.named)
                if len(b.own) == 3 and a.own[1:2] == b.own[1]:
                    share *= 0.2 / 0.01
            # A house hardly gives one name twice.
            bits = log2(share) - (NAMESAKES_AT_HOME if a.own == b.own else 0)
        if said["id"] and said["id"][0] == "equal":
            bits += log2(0.0065) + log2(self.n) - 2
        return bits


def by_sound(name: str) -> bool:
    """Whether a name is long, or of characters that write down sounds."""
    sounds = transliterating()
    return len(name) > 4 or "·" in name or (len(name) >= 3 and all(sounds[ord(c)] for c in name))


def edits(a: str, b: str) -> int:
    """Changed, lost, added and swapped characters between two texts (optimal string alignment)."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            best = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, table[i - 2, j - 2] + 1)
            table[i, j] = best
    return table[len(a), len(b)]


def rate(model: Model, comparison: str, level: str) -> float:
    """Rate of a level; pooled levels are the sum of their parts."""
    known = BY_NAME[comparison]
    parts = dict(known.pooled).get(level, (level,))
    return max(sum(model.rates[comparison][known.levels.index(part)] for part in parts), 1e-7)


def hypotheses(
    slow: Slow, a: Person, b: Person, said: dict[str, Said | None], model: Model
) -> tuple[float, float, float]:
    """Bits of: the same person, a relative of hers who is not on the left, a stranger of her name and birth."""
    worth = {
        name: log2(rate(model, name, level[0])) + level[1]
        for name, level in said.items()
        if level is not None
    }
    kin = slow.relative(a, b, said) + sum(
        max(bits, 0.0) for name, bits in worth.items() if BY_NAME[name].is_family
    )
    personal = ("name", "hidden_name", "birth", "age", "sex")
    return sum(worth.values()), kin, sum(worth.get(name, 0.0) for name in personal)


def posterior(candidates: list[tuple[float, float, float]], n_left: int, model: Model) -> list[float]:
    """Probability of each candidate of one record, beside nobody, the likest relative and the likest namesake."""
    share = min(max(model.in_registry, 0.02), 0.9995)
    same = [2.0**bits * share / n_left for bits, _, _ in candidates]
    nobody = 1 - share
    relative = max(2.0**bits for _, bits, _ in candidates) * UNLISTED_RELATIVES / n_left
    namesake = max(2.0**bits for _, _, bits in candidates) * (1 - share) * model.namesakes / n_left
    total = sum(same) + nobody + relative + namesake
    return [weight / total for weight in same]
