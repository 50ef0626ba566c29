"""How records go wrong: names, numbers, dates, phones and addresses are damaged at the rates of `damage.yaml`.

How a single value comes out wrong belongs in `misspelling.py`, what a whole file suffers in `file_events.py`.
Only sampled rows are touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.contract import Contract
from sample_data import misspelling
from sample_data.misspelling import choose, written
from sample_data.odds import Flags, Floats, Ints, chance, rates, uniform


@dataclass(frozen=True)
class People:
    """What damage must know about the people of a shard, by position; built from the world's persons.

    `planted` are the people of planted situations.
    """

    ids: Ints
    name: pl.Series
    number: pl.Series
    number_15: pl.Series
    former_name: pl.Series
    former_number: pl.Series
    spellings: pl.Series
    relative_number: pl.Series
    phone: pl.Series
    relative_phone: pl.Series
    official_phone: pl.Series
    name_changed: npt.NDArray[np.int64]
    number_changed: npt.NDArray[np.int64]
    minority: Flags
    elder: Flags
    child: Flags
    planted: Flags
    dotted: Flags
    rare: Flags
    ends_in_x: Flags
    born: Ints

    @staticmethod
    def of(persons: pl.DataFrame, planted: Iterable[int], today: date) -> People:
        """Look-up over a shard's persons (columns: see the world's schema), at the age of `today`."""
        frame = persons.sort("true_person_id")
        ids = frame["true_person_id"].to_numpy().astype(np.int64)
        born = frame["birth_date"].dt.year().fill_null(1960).to_numpy().astype(np.int64)
        eldest = (
            frame.filter(pl.col("true_household_id").is_not_null())
            .sort("true_household_id", "birth_date", "true_person_id")
            .group_by("true_household_id", maintain_order=True)
            .agg(
                pl.col("true_person_id").first().alias("_first"),
                pl.col("true_person_id").get(1, null_on_oob=True).alias("_second"),
            )
        )
        relative = frame.select("true_person_id", "true_household_id").join(
            eldest, on="true_household_id", how="left", maintain_order="left"
        )
        who = relative.select(
            pl.when(pl.col("_first") == pl.col("true_person_id"))
            .then(pl.col("_second"))
            .otherwise(pl.col("_first"))
        ).to_series()
        place = positions(ids, who)
        official = (
            frame.filter(pl.col("phone").is_not_null())
            .sort("true_person_id")
            .group_by("village_code", maintain_order=True)
            .agg(pl.col("phone").first().alias("_phone"))
        )
        official_phone = frame.select("village_code").join(
            official, on="village_code", how="left", maintain_order="left"
        )["_phone"]
        name = frame["name"]
        rare = "[" + "".join(misspelling.rare_characters()["char"].to_list()) + "]"

        def days(column: str) -> Ints:
            return frame[column].cast(pl.Int32).cast(pl.Int64).fill_null(-(10**6)).to_numpy()

        return People(
            ids=ids,
            name=name,
            number=frame["resident_id"],
            number_15=frame["id15"],
            former_name=frame["former_name"],
            former_number=frame["former_resident_id"],
            spellings=frame["name_spellings"],
            relative_number=_gather(frame["resident_id"], place),
            phone=frame["phone"],
            relative_phone=_gather(frame["phone"], place),
            official_phone=official_phone,
            name_changed=days("name_changed_on"),
            number_changed=days("id_changed_on"),
            minority=(frame["ethnic"].fill_null("01") != "01").to_numpy(),
            elder=born <= today.year - 70,
            child=born > today.year - 6,
            planted=np.isin(ids, np.fromiter(planted, dtype=np.int64)),
            dotted=name.str.contains("·", literal=True).fill_null(False).to_numpy(),
            rare=name.str.contains(rare).fill_null(False).to_numpy(),
            ends_in_x=frame["resident_id"].str.ends_with("X").fill_null(False).to_numpy(),
            born=born,
        )


def positions(ids: Ints, wanted: pl.Series) -> Ints:
    """Position of every wanted id among sorted ids; -1 for null and for strangers."""
    if len(ids) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    values = wanted.cast(pl.Int64).fill_null(-1).to_numpy()
    found = np.minimum(np.searchsorted(ids, values), len(ids) - 1)
    return np.where(ids[found] == values, found, -1)


def _gather(series: pl.Series, place: Ints) -> pl.Series:
    index = pl.Series(place).cast(pl.Int64)
    return series.gather(index.set(index < 0, None).cast(pl.UInt32))


@dataclass
class Role:
    """One role of a class: the fields that say who, and who it truly is in each row."""

    role: str
    persons: pl.Series
    """Int64, or List(Int64) where a cell holds several people."""
    fields: dict[str, str]
    """Kind of evidence -> field, as in the contract."""
    packed: bool = False
    in_list: bool = False
    """The contract reads a list here, though each cell holds one person."""


@dataclass
class Damage:
    """Everything that depends on seed and rates; `strength` 0 leaves all data perfect."""

    seed: int
    strength: float = 1.0
    rates: dict[str, Any] = field(default_factory=rates)

    @property
    def off(self) -> bool:
        """No damage at all."""
        return self.strength == 0

    def _table(self, value: list[float]) -> Floats:
        return np.asarray(value, dtype=np.float64) / 100 * self.strength

    def tiers(self, contract: Contract, frame: pl.DataFrame) -> Ints:
        """Tier of every row, 0 to 3; rows keyed from paper have the last."""
        tier = np.full(frame.height, contract.tier - 1, dtype=np.int64)
        paper = self.rates["paper_before"].get(contract.id)
        if paper and paper[0] in frame.columns:
            tier[(frame[paper[0]] < paper[1]).fill_null(False).to_numpy()] = 3
        return tier

    def burden(self, contract: Contract, people: People, place: Ints, batch: date) -> Floats:
        """How much worse than average a row is: by source, by person, by stretch of the file."""
        factors = self.rates["factors"]
        spread = 1 + factors["source_spread"] * (2 * chance(self.seed, contract.id, "source") - 1)
        rows = np.arange(len(place))
        stretch = uniform(
            rows // factors["bad_stretch_rows"], self.seed, contract.id, batch, "stretch", len(place)
        )
        share, worse = factors["bad_stretch_share"], factors["bad_stretch"]
        ordinary = (1 - share * worse) / (1 - share)
        result = np.where(stretch < share, worse, ordinary) * spread
        if len(people.ids):
            crowd = np.where(people.minority, factors["minority"], 1.0)
            crowd = crowd * np.where(people.elder, factors["elder"], 1.0)
            crowd = crowd * np.where(people.child, factors["child"], 1.0)
            # The rates are those of everybody together, so groups are worse and better around the mean.
            crowd = np.where(people.planted, factors["planted"], crowd / crowd.mean())
            result = np.where(place >= 0, result * crowd[place], result)
        return np.asarray(result)

    def _keys(self, contract: Contract, place: Ints, people: People, rows: Ints, batch: date) -> Ints:
        """What chance hangs on: the person, or the person and the row where a clerk types anew."""
        who = people.ids[place] if len(people.ids) else np.zeros(len(place), dtype=np.int64)
        if contract.id in self.rates["typed_each_time"]:
            return who * 1_000_003 + rows + batch.toordinal() * 7
        return who

    def typed(
        self,
        contract: Contract,
        frame: pl.DataFrame,
        roles: list[Role],
        people: People,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.DataFrame:
        """Damage that needs typed values: birth date, sex and age that differ from the number, cells that hold
        several people, spouses in each other's place. Arguments as in `text`.
        """
        for role in roles:
            if role.packed:
                frame = self._packed(contract, frame, role, people, tier, batch, days)
                continue
            if self.off:
                continue
            place = positions(people.ids, role.persons)
            spared = place < 0
            if len(people.ids):
                spared |= people.planted[place]
            for kind, name in role.fields.items():
                if kind not in ("birth_date", "sex", "age") or name not in frame.columns:
                    continue
                u = uniform(place, self.seed, contract.id, role.role, kind)
                rows = np.flatnonzero((u < self._table(self.rates[kind])[tier]) & ~spared)
                if len(rows) == 0:
                    continue
                w = uniform(place[rows], self.seed, contract.id, role.role, kind, "how")
                values = frame[name].gather(rows)
                if kind == "sex":
                    new = values.replace({"1": "2", "2": "1"})
                elif kind == "age":
                    years = np.where(w < 0.5, -1, 1) * (1 + (w * 20).astype(np.int64) % 3)
                    new = (values + pl.Series(years)).clip(0, 110).cast(frame[name].dtype)
                else:
                    new = misspelling.other_birth_date(values, w)
                frame = frame.with_columns(written(frame[name], rows, new))
        return frame

    def swapped(self, contract: Contract, rows: pl.DataFrame, people: People) -> pl.DataFrame:
        """Husband and wife in each other's columns, in the world's rows of the marriage register."""
        if self.off or not {"male_person", "female_person"} <= set(rows.columns):
            return rows
        share = self.rates["spouses_swapped"] / 100 * self.strength
        number = rows["world_row"].to_numpy()
        hit = uniform(number, self.seed, contract.id, "swapped") < share
        for column in ("male_person", "female_person"):
            place = positions(people.ids, rows[column])
            if len(people.ids):
                hit &= ~((place >= 0) & people.planted[place])
        flag = pl.Series("hit", hit)
        male, female = rows["male_person"], rows["female_person"]
        return rows.with_columns(
            female.zip_with(flag, male).alias("male_person"),
            male.zip_with(flag, female).alias("female_person"),
        )

    def _packed(
        self,
        contract: Contract,
        frame: pl.DataFrame,
        role: Role,
        people: People,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.DataFrame:
        """Each person of a cell is damaged alone; a lost number leaves its place empty."""
        flat = (
            pl.DataFrame({"row": np.arange(frame.height), "who": role.persons})
            .explode("who")
            .drop_nulls("who")
        )
        index = flat["row"].to_numpy()
        place = positions(people.ids, flat["who"])
        for kind, name in role.fields.items():
            if name not in frame.columns or not isinstance(frame[name].dtype, pl.List):
                continue
            cells = pl.DataFrame({"row": np.arange(frame.height), "v": frame[name]})
            values = cells.explode("v").filter(pl.col("row").is_in(flat["row"].implode()))["v"]
            values = self._field(
                contract, role.role, kind, values, people, place, tier[index], batch, days[index]
            )
            packed = (
                pl.DataFrame({"row": flat["row"], "v": values.fill_null("")})
                .group_by("row", maintain_order=True)
                .agg("v")
            )
            joined = cells.select("row").join(packed, on="row", how="left", maintain_order="left")
            frame = frame.with_columns(joined["v"].alias(name))
        return frame

    def text(
        self,
        contract: Contract,
        frame: pl.DataFrame,
        roles: list[Role],
        people: People,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.DataFrame:
        """The frame of text with identities damaged.

        `tier` is the tier of each row, `days` the day (since 1970) on which the row was written: names and
        numbers are those of that day, or older where the department did not learn of a change.
        """
        for role in roles:
            if role.packed:
                continue
            place = positions(people.ids, role.persons)
            for kind, name in role.fields.items():
                if name not in frame.columns:
                    continue
                changed = self._field(
                    contract, role.role, kind, frame[name], people, place, tier, batch, days
                )
                frame = frame.with_columns(changed.alias(name))
        return frame

    def _field(
        self,
        contract: Contract,
        role: str,
        kind: str,
        values: pl.Series,
        people: People,
        place: Ints,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.Series:
        if self.off and kind in ("phone", "address"):
            return values
        rows = np.arange(len(place))
        keys = self._keys(contract, place, people, rows, batch)
        if kind == "person_name":
            return self._names(contract, role, values, people, place, keys, tier, batch, days)
        if kind == "resident_id":
            return self._numbers(contract, role, values, people, place, keys, tier, batch, days)
        if kind == "phone":
            return self._phones(contract, role, values, people, place, keys, tier)
        if kind == "address":
            return self._addresses(contract, role, values, people, place, keys, tier)
        return values

    def _sampled(
        self, table: list[float], tier: Ints, burden: Floats | float, among: Flags, keys: Ints, *salt: object
    ) -> Ints:
        """Rows that are hit: `table` is percent by tier."""
        rows = np.flatnonzero(among)
        if len(rows) == 0:
            return rows
        factor = burden[rows] if isinstance(burden, np.ndarray) else burden
        hit = uniform(keys[rows], self.seed, *salt) < self._table(table)[tier[rows]] * factor
        return rows[hit]

    def _names(
        self,
        contract: Contract,
        role: str,
        names: pl.Series,
        people: People,
        place: Ints,
        keys: Ints,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.Series:
        salt = (contract.id, role, "name")
        given = names.is_not_null().to_numpy() & (place >= 0)
        if len(people.ids) == 0 or not given.any():
            return names
        # A name of that day; a department that did not learn of a change keeps the old one.
        changed = given & (people.former_name.is_not_null().to_numpy()[place])
        rows = np.flatnonzero(changed)
        if len(rows):
            late = uniform(keys[rows], self.seed, *salt, "former") < (
                self._table(self.rates["former_name_kept"])[tier[rows]] * ~people.planted[place[rows]]
            )
            rows = rows[(days[rows] < people.name_changed[place[rows]]) | late]
            names = written(names, rows, _gather(people.former_name, place[rows]))
        if self.off:
            return names
        burden = self.burden(contract, people, place, batch)
        holders = self.rates["holders"]

        def draw(rows: Ints, word: str) -> Floats:
            return uniform(keys[rows], self.seed, *salt, word)

        rows = self._sampled(
            holders["spelling"], tier, burden, given & people.minority[place], keys, *salt, "spelling"
        )
        if len(rows):
            forms = _gather(people.spellings, place[rows])
            size = forms.list.len().fill_null(0)
            pick = (pl.Series(draw(rows, "which")) * size).cast(pl.Int64)
            other = (
                pl.DataFrame({"f": forms, "k": pick})
                .select(pl.col("f").list.get(pl.col("k"), null_on_oob=True))
                .to_series()
            )
            has = other.is_not_null().to_numpy()
            names = written(names, rows[has], other.filter(pl.Series(has)))
        dotted = given & people.dotted[place]
        rows = self._sampled(holders["order"], tier, burden, dotted, keys, *salt, "order")
        names = written(names, rows, misspelling.other_order(names.gather(rows), draw(rows, "which order")))
        rows = self._sampled(holders["dot"], tier, burden, dotted, keys, *salt, "dot")
        names = written(names, rows, misspelling.dot_lost(names.gather(rows), draw(rows, "which dot")))
        bare = given & people.minority[place] & ~dotted
        bare[bare] &= ~names.filter(pl.Series(bare)).str.contains("^" + misspelling.BORNE).to_numpy()
        rows = self._sampled(holders["surname"], tier, burden, bare, keys, *salt, "surname")
        names = written(
            names,
            rows,
            choose(draw(rows, "which surname"), misspelling.SURNAMES) + names.gather(rows),
        )
        rows = self._sampled(holders["rare"], tier, burden, given & people.rare[place], keys, *salt, "rare")
        names = written(names, rows, misspelling.rare_lost(names.gather(rows), draw(rows, "which rare")))
        long = given & (names.str.len_chars().fill_null(0).to_numpy() > 4)
        rows = self._sampled(holders["cut"], tier, burden, long, keys, *salt, "cut")
        names = written(names, rows, misspelling.cut(names.gather(rows), draw(rows, "which cut")))

        edges = np.cumsum(
            np.array([self._table(self.rates["names"][k]) for k in misspelling.NAME_KINDS]), axis=0
        )
        rows = np.flatnonzero(given)
        u = uniform(keys[rows], self.seed, *salt) / np.maximum(burden[rows], 1e-9)
        hit = u < edges[-1][tier[rows]]
        rows, u = rows[hit], u[hit]
        kinds = (u[None, :] >= edges[:, tier[rows]]).sum(axis=0)
        for position, (kind, make) in enumerate(misspelling.NAME_KINDS.items()):
            part = rows[kinds == position]
            if len(part):
                new = make(names.gather(part), draw(part, kind), draw(part, kind + " which"))
                names = written(names, part, new)
        short = given & (names.str.len_chars().fill_null(0).to_numpy() == 2) & ~people.planted[place]
        rows = self._sampled(self.rates["names_blank"], tier, 1.0, short, keys, *salt, "blank")
        two = names.gather(rows)
        names = written(
            names,
            rows,
            two.str.head(1) + choose(draw(rows, "which blank"), ["　", " ", "  "]) + two.str.tail(1),
        )
        share = self.rates["masked_names"].get(contract.id, 0)
        rows = self._sampled([share] * 4, tier, 1.0, given, keys, *salt, "mask")
        return written(names, rows, misspelling.masked_name(names.gather(rows)))

    def _numbers(
        self,
        contract: Contract,
        role: str,
        numbers: pl.Series,
        people: People,
        place: Ints,
        keys: Ints,
        tier: Ints,
        batch: date,
        days: Ints,
    ) -> pl.Series:
        salt = (contract.id, role, "number")
        given = numbers.is_not_null().to_numpy() & (place >= 0)
        if len(people.ids) == 0 or not given.any():
            return numbers
        own = ~people.planted[place]
        changed = np.flatnonzero(given & people.former_number.is_not_null().to_numpy()[place])
        if len(changed):
            late = uniform(keys[changed], self.seed, *salt, "former") < (
                self._table(self.rates["former_number_kept"])[tier[changed]] * own[changed]
            )
            rows = changed[(days[changed] < people.number_changed[place[changed]]) | late]
            numbers = written(numbers, rows, _gather(people.former_number, place[rows]))
        if self.off:
            return numbers
        burden = self.burden(contract, people, place, batch)

        def draw(rows: Ints, word: str) -> Floats:
            return uniform(keys[rows], self.seed, *salt, word)

        old = given & own & people.number_15.is_not_null().to_numpy()[place]
        rows = self._sampled(self.rates["number_15"], tier, 1.0, old, keys, *salt, "15")
        numbers = written(numbers, rows, _gather(people.number_15, place[rows]))
        rows = self._sampled(
            self.rates["number_x"], tier, 1.0, given & people.ends_in_x[place], keys, *salt, "x"
        )
        numbers = written(
            numbers,
            rows,
            numbers.gather(rows).str.replace("X$", "")
            + choose(draw(rows, "which x"), ["x", "x", "x", "×", "Х"]),
        )
        table = self.rates["numbers"]
        edges = np.cumsum(np.array([self._table(table[k]) for k in table]), axis=0)
        rows = np.flatnonzero(given & own)
        u = uniform(keys[rows], self.seed, *salt) / np.maximum(burden[rows], 1e-9)
        hit = u < edges[-1][tier[rows]]
        rows, u = rows[hit], u[hit]
        kinds = (u[None, :] >= edges[:, tier[rows]]).sum(axis=0)
        for position, kind in enumerate(table):
            part = rows[kinds == position]
            if len(part) == 0:
                continue
            a, b = draw(part, kind), draw(part, kind + " which")
            if kind == "relative":
                other = _gather(people.relative_number, place[part])
                new = other.zip_with(other.is_not_null(), numbers.gather(part))
            elif kind == "filler":
                new = choose(a, self.rates["fillers"])
            else:
                make = {
                    "digit": misspelling.digit_wrong,
                    "swap": misspelling.digits_swapped,
                    "length": misspelling.length_wrong,
                    "full_width": misspelling.spelled_full_width,
                }[kind]
                new = pl.Series(make(numbers.gather(part).to_list(), a, b))
            numbers = written(numbers, part, new)
        share = self.rates["masked_numbers"].get(contract.id, 0)
        rows = self._sampled([share] * 4, tier, 1.0, given & own, keys, *salt, "mask")
        numbers = written(numbers, rows, misspelling.masked_number(numbers.gather(rows)))

        missing = self.rates["number_missing_by_class"].get(contract.id)
        table_missing = (
            [missing] * 3 + [self.rates["number_missing"][3]]
            if missing is not None
            else list(self.rates["number_missing"])
        )
        rows = self._sampled(table_missing, tier, 1.0, given & own, keys, *salt, "missing")
        young = given & own & people.child[place] & (tier == 2)
        also = self._sampled([self.rates["number_missing_child"]] * 4, tier, 1.0, young, keys, *salt, "child")
        rows = np.union1d(rows, also)
        return written(numbers, rows, pl.Series([None] * len(rows), dtype=pl.String))

    def _phones(
        self,
        contract: Contract,
        role: str,
        phones: pl.Series,
        people: People,
        place: Ints,
        keys: Ints,
        tier: Ints,
    ) -> pl.Series:
        salt = (contract.id, role, "phone")
        given = phones.is_not_null().to_numpy() & (place >= 0)
        rows = self._sampled(self.rates["phone_changed"], tier, 1.0, given, keys, *salt, "changed")
        digits = (uniform(keys[rows], self.seed, *salt, "digits") * 1e8).astype(np.int64)
        ours = phones.gather(rows).str.head(3) + pl.Series(digits).cast(pl.String).str.zfill(8)
        phones = written(phones, rows, ours)
        for kind, source in (("family", people.relative_phone), ("official", people.official_phone)):
            rows = self._sampled(self.rates[f"phone_{kind}"], tier, 1.0, given, keys, *salt, kind)
            other = _gather(source, place[rows])
            phones = written(phones, rows, other.zip_with(other.is_not_null(), phones.gather(rows)))
        return phones

    def _addresses(
        self,
        contract: Contract,
        role: str,
        addresses: pl.Series,
        people: People,
        place: Ints,
        keys: Ints,
        tier: Ints,
    ) -> pl.Series:
        salt = (contract.id, role, "address")
        given = addresses.is_not_null().to_numpy() & (place >= 0)
        rows = self._sampled(self.rates["address_free"], tier, 1.0, given, keys, *salt)
        if len(rows) == 0:
            return addresses
        w = uniform(keys[rows], self.seed, *salt, "how")
        new = misspelling.free_address(addresses.gather(rows), w)
        return written(addresses, rows, new)

    def repeated(self, contract: Contract, people: People, place: Ints, tier: Ints) -> Ints:
        """Rows that the source holds twice."""
        if self.off or len(place) == 0 or len(people.ids) == 0:
            return np.zeros(0, dtype=np.int64)
        rows = np.arange(len(place))
        among = (place >= 0) & ~people.planted[place]
        keys = people.ids[place] * 31 + rows
        return self._sampled(self.rates["same_person_twice"], tier, 1.0, among, keys, contract.id, "twice")

    def first_figures(
        self, contract: Contract, frame: pl.DataFrame, people: People, place: Ints
    ) -> pl.DataFrame:
        """Rows of which the source first delivered another amount, with that amount, and their row (`_row`)."""
        word = self.rates["late_corrections"].get(contract.id)
        if self.off or word is None or len(people.ids) == 0:
            return frame.clear().with_columns(pl.Series("_row", [], dtype=pl.Int64))
        name, share = word
        rows = np.arange(len(place))
        keys = people.ids[place] * 1009 + rows
        among = (place >= 0) & ~people.planted[place]
        hit = self._sampled(
            [share] * 4, np.zeros(len(place), dtype=np.int64), 1.0, among, keys, contract.id, "first"
        )
        factor = np.round(0.5 + uniform(keys[hit], self.seed, contract.id, "figure"), 1)
        kind = frame[name].dtype
        wrong = (frame[name].gather(hit).cast(pl.Float64) * pl.Series(factor)).round(2).cast(kind)
        return frame[hit].with_columns(wrong.alias(name), pl.Series("_row", hit))
