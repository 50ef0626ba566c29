"""How records go wrong: names, numbers, dates, phones and addresses are damaged at the rates of `damage.yaml`.

What a whole file suffers on its way (encodings, titles, ragged rows) is planned here and done in `writing.py`.
Chance is a hash of seed, class, role and person, so a department that copies from its own register repeats
its error every month, and no result depends on the order of the work. Only sampled rows are touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

from data_contracts.contract import Contract

HERE = Path(__file__).resolve().parent
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SURNAMES = ["包", "白", "王", "李", "吴", "陈", "何", "韩"]
_BORNE = "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤包]"
"""First characters that are Han surnames: such a name gets no second one."""


def uniform(keys: npt.NDArray[Any], seed: int, *names: object) -> Floats:
    """Numbers in [0, 1), one a key: the same for the same key, seed and names, in whatever order it is asked."""
    digest = hashlib.blake2b(repr((seed, *names)).encode(), digest_size=8).digest()
    salt = int.from_bytes(digest, "little") | 1
    with np.errstate(over="ignore"):
        x = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def chance(seed: int, *names: object) -> float:
    """One number in [0, 1)."""
    return float(uniform(np.zeros(1, dtype=np.int64), seed, *names)[0])


@cache
def rates() -> dict[str, Any]:
    """`damage.yaml` as it is written."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "damage.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def _confusions() -> pl.DataFrame:
    return pl.read_csv(HERE / "reference" / "confusions.csv", infer_schema=False).fill_null("")


@cache
def _rare() -> pl.DataFrame:
    return pl.read_csv(HERE / "reference" / "rare_chars.csv", infer_schema=False).fill_null("")


def check_character(body: str) -> str:
    """Check character of the first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(w * int(c) for w, c in zip(_WEIGHTS, body, strict=True)) % 11]


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
        rare = "[" + "".join(_rare()["char"].to_list()) + "]"

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


gather = _gather


def _write(series: pl.Series, rows: Ints, values: pl.Series) -> pl.Series:
    """The series with new values in some rows."""
    return series.scatter(rows, values) if len(rows) else series


# ---------------------------------------------------------------- names


def _mistyped(names: pl.Series, kind: str, u: Floats, v: Floats) -> pl.Series:
    """One character replaced by a partner of that kind; names without a partner stay as they are."""
    frame = pl.DataFrame({"n": names, "u": u, "v": v}).with_columns(size=pl.col("n").str.len_chars())
    # The surname is known to whoever types; four errors of five fall on the given name.
    place = (
        pl.when((pl.col("u") < 0.2) | (pl.col("size") < 2))
        .then(0)
        .otherwise(1 + ((pl.col("u") - 0.2) / 0.8 * (pl.col("size") - 1)).floor())
        .cast(pl.Int64)
    )
    frame = frame.with_columns(at=place)
    frame = frame.with_columns(char=pl.col("n").str.slice(pl.col("at"), 1)).join(
        _confusions().select("char", partners=kind), on="char", how="left", maintain_order="left"
    )
    # Partners stand commonest first, and the first are taken most often.
    pick = (pl.col("v").pow(2) * pl.col("partners").str.len_chars()).floor().cast(pl.Int64)
    changed = (
        pl.col("n").str.slice(0, pl.col("at"))
        + pl.col("partners").str.slice(pick, 1)
        + pl.col("n").str.slice(pl.col("at") + 1)
    )
    return frame.select(
        pl.when(pl.col("partners").str.len_chars() > 0).then(changed).otherwise(pl.col("n"))
    ).to_series()


def _choose(u: Floats, options: list[Any]) -> pl.Series:
    return pl.Series(options).gather((u * len(options)).astype(np.uint32))


def _shape(names: pl.Series, expression: pl.Expr) -> pl.Series:
    return pl.DataFrame({"n": names}).select(expression).to_series()


_N = pl.col("n")


def _swap(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, _N.str.head(-2) + _N.str.tail(1) + _N.str.slice(-2, 1))


def _drop(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, pl.when(_N.str.len_chars() > 2).then(_N.str.head(-1)).otherwise(_N))


def _insert(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, _N + _N.str.tail(1))


def _note(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return names + _choose(u, ["(大)", "(小)", "2", "(户主)", "(已故)", "（亡）", "(残)"])


def _full_width(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return names.str.head(1) + _choose(u, ["\u00a0", "\u200b", "\ufeff"]) + names.str.slice(1)


def masked_name(names: pl.Series) -> pl.Series:
    """张*明, 张*."""
    star = (
        pl.when(_N.str.len_chars() > 2)
        .then(_N.str.head(1) + "*" + _N.str.tail(1))
        .otherwise(_N.str.head(1) + "*")
    )
    return _shape(names, star)


def masked_number(numbers: pl.Series) -> pl.Series:
    """152601********123X."""
    return _shape(
        numbers,
        pl.when(_N.str.len_chars() == 18).then(_N.str.head(6) + "********" + _N.str.tail(4)).otherwise(_N),
    )


def masked_phone(phones: pl.Series) -> pl.Series:
    """138****8000."""
    return _shape(
        phones,
        pl.when(_N.str.len_chars() == 11).then(_N.str.head(3) + "****" + _N.str.tail(4)).otherwise(_N),
    )


NAME_KINDS: dict[str, Callable[[pl.Series, Floats, Floats], pl.Series]] = {
    "homophone": lambda n, u, v: _mistyped(n, "sound", u, v),
    "near_sound": lambda n, u, v: _mistyped(n, "near_sound", u, v),
    "look_alike": lambda n, u, v: _mistyped(n, "shape", u, v),
    "variant": lambda n, u, v: _mistyped(n, "variant", u, v),
    "swap": _swap,
    "drop": _drop,
    "insert": _insert,
    "note": _note,
    "full_width": _full_width,
    "masked": lambda n, u, v: masked_name(n),
}


def _dot_lost(names: pl.Series, u: Floats) -> pl.Series:
    forms = rates()["dot_forms"]
    edges = np.cumsum([weight for _, weight in forms]) / sum(weight for _, weight in forms)
    kind = np.searchsorted(edges, u, side="right")
    for position, (form, _) in enumerate(forms):
        rows = np.flatnonzero(kind == position)
        names = _write(names, rows, names.gather(rows).str.replace_all("·", form, literal=True))
    return names


def _rare_lost(names: pl.Series, u: Floats) -> pl.Series:
    """? or □ 45 %, pinyin 20, look-alike 20, private-use code 15 (CHINESE_DATA D3; descriptions count as ?)."""
    table = _rare()
    old = table["char"].to_list()
    forms = [
        ["?"] * len(old),
        ["□"] * len(old),
        [p.upper() or "?" for p in table["pinyin"]],
        [s or "□" for s in table["shape"]],
        [p or "?" for p in table["private_use"]],
    ]
    kind = np.searchsorted(np.array([0.25, 0.45, 0.65, 0.85, 1.0]), u, side="right")
    for position, new in enumerate(forms):
        rows = np.flatnonzero(kind == position)
        names = _write(names, rows, names.gather(rows).str.replace_many(old, new))
    return names


def _other_order(names: pl.Series, u: Floats) -> pl.Series:
    """父名·名 for 名·父名, or the father's part dropped."""
    parts = _N.str.split("·")
    turned = parts.list.reverse().list.join("·")
    first = parts.list.first()
    frame = pl.DataFrame({"n": names, "u": u})
    return frame.select(pl.when(pl.col("u") < 0.5).then(turned).otherwise(first)).to_series()


def _cut(names: pl.Series, u: Floats) -> pl.Series:
    lengths = _choose(u, rates()["cut_lengths"])
    return pl.DataFrame({"n": names, "k": lengths}).select(_N.str.slice(0, pl.col("k"))).to_series()


# ---------------------------------------------------------------- numbers


def _another_digit(character: str, u: float) -> str:
    return str((int(character) + 1 + int(u * 9)) % 10) if character.isdigit() else "1"


def _digit_wrong(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    """One digit wrong; 40 % in the date part."""
    changed = []
    for number, a, b in zip(numbers, u.tolist(), v.tolist(), strict=True):
        if len(number) != 18:
            changed.append(number)
            continue
        others = (*range(6), *range(14, 17))
        at = 6 + int(a / 0.4 * 8) if a < 0.4 else others[int((a - 0.4) / 0.6 * len(others))]
        changed.append(number[:at] + _another_digit(number[at], b) + number[at + 1 :])
    return changed


def _digits_swapped(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    changed = []
    for number, a in zip(numbers, u.tolist(), strict=True):
        at = int(a * max(len(number) - 2, 1))
        changed.append(number[:at] + number[at + 1 : at + 2] + number[at : at + 1] + number[at + 2 :])
    return changed


def _length_wrong(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    changed = []
    for number, a, b in zip(numbers, u.tolist(), v.tolist(), strict=True):
        at = int(a * len(number))
        changed.append(
            number[:at] + number[at + 1 :] if b < 0.6 else number[:at] + number[at : at + 1] + number[at:]
        )
    return changed


def _spelled_full_width(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    wide = {ord(c): ord(c) + 0xFEE0 for c in "0123456789X"}
    changed = []
    for number, a in zip(numbers, u.tolist(), strict=True):
        if a < 0.5:
            changed.append(number.translate(wide))
        elif a < 0.75:
            changed.append(f"{number[:6]} {number[6:14]} {number[14:]}")
        else:
            changed.append("'" + number)
    return changed


# ---------------------------------------------------------------- a class


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
                    new = _other_birth_date(values, w)
                frame = frame.with_columns(_write(frame[name], rows, new))
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
            names = _write(names, rows, _gather(people.former_name, place[rows]))
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
            names = _write(names, rows[has], other.filter(pl.Series(has)))
        dotted = given & people.dotted[place]
        rows = self._sampled(holders["order"], tier, burden, dotted, keys, *salt, "order")
        names = _write(names, rows, _other_order(names.gather(rows), draw(rows, "which order")))
        rows = self._sampled(holders["dot"], tier, burden, dotted, keys, *salt, "dot")
        names = _write(names, rows, _dot_lost(names.gather(rows), draw(rows, "which dot")))
        bare = given & people.minority[place] & ~dotted
        bare[bare] &= ~names.filter(pl.Series(bare)).str.contains("^" + _BORNE).to_numpy()
        rows = self._sampled(holders["surname"], tier, burden, bare, keys, *salt, "surname")
        names = _write(names, rows, _choose(draw(rows, "which surname"), _SURNAMES) + names.gather(rows))
        rows = self._sampled(holders["rare"], tier, burden, given & people.rare[place], keys, *salt, "rare")
        names = _write(names, rows, _rare_lost(names.gather(rows), draw(rows, "which rare")))
        long = given & (names.str.len_chars().fill_null(0).to_numpy() > 4)
        rows = self._sampled(holders["cut"], tier, burden, long, keys, *salt, "cut")
        names = _write(names, rows, _cut(names.gather(rows), draw(rows, "which cut")))

        edges = np.cumsum(np.array([self._table(self.rates["names"][k]) for k in NAME_KINDS]), axis=0)
        rows = np.flatnonzero(given)
        u = uniform(keys[rows], self.seed, *salt) / np.maximum(burden[rows], 1e-9)
        hit = u < edges[-1][tier[rows]]
        rows, u = rows[hit], u[hit]
        kinds = (u[None, :] >= edges[:, tier[rows]]).sum(axis=0)
        for position, (kind, make) in enumerate(NAME_KINDS.items()):
            part = rows[kinds == position]
            if len(part):
                new = make(names.gather(part), draw(part, kind), draw(part, kind + " which"))
                names = _write(names, part, new)
        short = given & (names.str.len_chars().fill_null(0).to_numpy() == 2) & ~people.planted[place]
        rows = self._sampled(self.rates["names_blank"], tier, 1.0, short, keys, *salt, "blank")
        two = names.gather(rows)
        names = _write(
            names,
            rows,
            two.str.head(1) + _choose(draw(rows, "which blank"), ["　", " ", "  "]) + two.str.tail(1),
        )
        share = self.rates["masked_names"].get(contract.id, 0)
        rows = self._sampled([share] * 4, tier, 1.0, given, keys, *salt, "mask")
        return _write(names, rows, masked_name(names.gather(rows)))

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
            numbers = _write(numbers, rows, _gather(people.former_number, place[rows]))
        if self.off:
            return numbers
        burden = self.burden(contract, people, place, batch)

        def draw(rows: Ints, word: str) -> Floats:
            return uniform(keys[rows], self.seed, *salt, word)

        old = given & own & people.number_15.is_not_null().to_numpy()[place]
        rows = self._sampled(self.rates["number_15"], tier, 1.0, old, keys, *salt, "15")
        numbers = _write(numbers, rows, _gather(people.number_15, place[rows]))
        rows = self._sampled(
            self.rates["number_x"], tier, 1.0, given & people.ends_in_x[place], keys, *salt, "x"
        )
        numbers = _write(
            numbers,
            rows,
            numbers.gather(rows).str.replace("X$", "")
            + _choose(draw(rows, "which x"), ["x", "x", "x", "×", "Х"]),
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
                new = _choose(a, self.rates["fillers"])
            else:
                make = {
                    "digit": _digit_wrong,
                    "swap": _digits_swapped,
                    "length": _length_wrong,
                    "full_width": _spelled_full_width,
                }[kind]
                new = pl.Series(make(numbers.gather(part).to_list(), a, b))
            numbers = _write(numbers, part, new)
        share = self.rates["masked_numbers"].get(contract.id, 0)
        rows = self._sampled([share] * 4, tier, 1.0, given & own, keys, *salt, "mask")
        numbers = _write(numbers, rows, masked_number(numbers.gather(rows)))

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
        return _write(numbers, rows, pl.Series([None] * len(rows), dtype=pl.String))

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
        phones = _write(phones, rows, ours)
        for kind, source in (("family", people.relative_phone), ("official", people.official_phone)):
            rows = self._sampled(self.rates[f"phone_{kind}"], tier, 1.0, given, keys, *salt, kind)
            other = _gather(source, place[rows])
            phones = _write(phones, rows, other.zip_with(other.is_not_null(), phones.gather(rows)))
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
        frame = pl.DataFrame({"n": addresses.gather(rows), "w": w})
        old = (
            _N.str.replace("乌兰察布市", "乌盟", literal=True)
            .str.replace("集宁区", "集宁市", literal=True)
            .str.replace("察哈尔右翼", "察右", literal=True)
        )
        numerals = dict(zip("123456789", "一二三四五六七八九", strict=True))
        group = _N.str.extract(r"(\d)组", 1)
        spoken = (
            _N.str.replace(r"\d组", "")
            + group.replace(numerals)
            + pl.when(pl.col("w") < 0.6).then(pl.lit("组")).otherwise(pl.lit("社"))
        )
        free = (
            pl.when(pl.col("w") < 0.2)
            .then(_N.str.replace(r"^[^省]{2,5}(?:省|自治区)", ""))
            .when(pl.col("w") < 0.45)
            .then(_N.str.replace(r"^(?:[^省]{2,5}(?:省|自治区))?[^市盟]{2,6}(?:市|盟)", ""))
            .when(pl.col("w") < 0.55)
            .then(old)
            .when((pl.col("w") < 0.7) & group.is_not_null())
            .then(spoken)
            .when(pl.col("w") < 0.8)
            .then(_N.str.replace("村民委员会|村委会", "村").str.replace("社区居民委员会|社区居委会", "社区"))
            .otherwise(_N.str.replace(r"\d+号?$", ""))
        )
        new = frame.select(pl.when(free.str.len_chars() > 2).then(free).otherwise(_N)).to_series()
        return _write(addresses, rows, new)

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


def _other_birth_date(values: pl.Series, w: Floats) -> pl.Series:
    """Lunar shift 35, digit of the day 20, 1 January 20, a year 15, day and month exchanged 10 (CD D3)."""
    frame = pl.DataFrame({"d": values, "w": w})
    d, kind = pl.col("d"), pl.col("w")
    exchanged = pl.date(d.dt.year(), pl.when(d.dt.day() < 13).then(d.dt.day()).otherwise(1), d.dt.month())
    return frame.select(
        pl.when(kind < 0.35)
        .then(d - pl.duration(days=(20 + kind * 80).cast(pl.Int64)))
        .when(kind < 0.55)
        .then(d + pl.duration(days=10))
        .when(kind < 0.75)
        .then(pl.date(d.dt.year(), 1, 1))
        .when(kind < 0.90)
        .then(d.dt.offset_by("1y"))
        .otherwise(exchanged)
    ).to_series()


# ---------------------------------------------------------------- a file


@dataclass(frozen=True)
class FileEvents:
    """What happens to one delivery as a whole."""

    encoding: str
    bom: bool = False
    declared_encoding: str | None = None
    mixed_encoding: bool = False
    mojibake: float = 0.0
    control: float = 0.0
    breaks: float = 0.0
    ragged: float = 0.0
    mixed_newlines: bool = False
    repeated_header: bool = False
    total_row: bool = False
    titles: bool = False
    renamed: int | None = None
    """Field (by position) whose header is a listed alias."""
    moved: int | None = None
    """Field (by position) that stands last."""
    spreadsheet: bool = False
    padded: bool = False
    zeros_lost: bool = False
    end_mark: bool = False
    zipped: bool = False
    units_in_header: bool = False
    sent_twice: bool = False


def file_events(damage: Damage, contract: Contract, batch: date) -> FileEvents:
    """What befalls the delivery of a class on a day; the same for the same seed."""
    delivery = contract.delivery
    encoding: str = delivery.encoding
    titles = delivery.format == "workbook"
    if damage.off:
        return FileEvents(encoding=encoding, titles=titles, bom=encoding == "utf-8-sig", total_row=titles)
    table = damage.rates["files"]

    def happens(name: str, share: float | None = None) -> bool:
        return (
            chance(damage.seed, contract.id, batch, "file", name)
            < (table[name] if share is None else share) * damage.strength
        )

    text = delivery.format in ("delimited", "fixed_width")
    utf8 = encoding in ("utf-8", "utf-8-sig")
    other = text and happens("other_encoding")
    if other:
        encoding = "gb18030" if utf8 else "utf-8"
    utf8 = encoding in ("utf-8", "utf-8-sig")
    wide = delivery.format == "delimited" and utf8 and happens("utf16")
    if wide:
        encoding, other = "utf-16-le", True
    delimited = delivery.format == "delimited"
    aliased = [i for i, spec in enumerate(contract.fields) if spec.source_aliases]
    renamed = None
    if aliased and delivery.format != "fixed_width" and happens("renamed_column"):
        renamed = aliased[int(chance(damage.seed, contract.id, batch, "which alias") * len(aliased))]
    moved = None
    if delivery.format in ("delimited", "workbook") and happens("moved_column"):
        moved = int(chance(damage.seed, contract.id, batch, "which column") * len(contract.fields))
    return FileEvents(
        encoding=encoding,
        bom=wide or (text and utf8 and (contract.delivery.encoding == "utf-8-sig" or happens("bom"))),
        declared_encoding=delivery.encoding if other else None,
        mixed_encoding=delimited and not wide and happens("mixed_encoding"),
        mojibake=table["mojibake_rows"] / 100 if happens("mojibake") else 0.0,
        control=table["control_rows"] / 100 if text and happens("control_characters") else 0.0,
        breaks=table["break_rows"] / 100
        if delimited and delivery.quoted and happens("breaks_in_quotes")
        else 0.0,
        ragged=table["ragged_rows"] / 100 if delimited and happens("ragged") else 0.0,
        mixed_newlines=delimited and happens("mixed_newlines"),
        repeated_header=delimited and happens("repeated_header"),
        total_row=(delimited and happens("total_row")) or (titles and happens("total_row", 0.6)),
        titles=titles and happens("titles", 0.85),
        renamed=renamed,
        moved=moved,
        spreadsheet=titles
        and contract.id not in damage.rates["spreadsheet_never"]
        and happens("spreadsheet"),
        padded=delimited
        and contract.tier > 1
        and chance(damage.seed, contract.id, "padded") < table["trailing_blanks"] * damage.strength,
        zeros_lost=contract.tier >= 3
        and chance(damage.seed, contract.id, batch, "zeros") < damage.rates["household_zeros"][2] / 100,
        end_mark=text and happens("control_characters"),
        zipped=delimited and happens("zipped"),
        sent_twice=happens("sent_twice"),
        units_in_header=delivery.format in ("delimited", "workbook") and happens("units_in_header"),
    )
