"""Pairs of tables to be matched, invented with their truth: one registry, sources of every kind, three big sets.

    python benchmarks/matching_sets.py --out FOLDER [--set all|seven|NAME] [--persons N] [--seed S]

Writes per set `left.parquet` (the registry), `right.parquet` (an extract), `spec.yaml` (columns to kinds of evidence),
`truth.parquet` (row_no, person_no or null for people who are not in the registry, family, nearest relative in the
registry, what went wrong in name and number) and `family.parquet` (person_no, family, father, mother, spouse).

People, families, villages and numbers are those of `sample_data.population`; wrong characters come from
`sample_data.misspelling`, whose look-alikes are measured on pixels and are no table of the matcher. Nothing here
imports `matching`. Rates are those of the error model in `sample_data/damage.yaml` (source tiers 1 to 4) with the
published split of character errors: sound 45 %, near sound 15 %, look-alike 25 % (45 % from handwriting), other 15 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sample_data import ids, misspelling, names, places, population
from sample_data.rng import stream

ON = date(2025, 11, 17)
FAMILY_STRIDE = 10_000_000
MINORITY_SHARE = 0.10
SAME_NAME_AND_DAY = 1_100 / 300_000
HELD_OUT = 0.02
"""Share of the people who live here with their families and are not in the registry."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
TYPED = {"sound": 0.45, "near_sound": 0.15, "shape": 0.25, "other": 0.15}
HANDWRITTEN = {"sound": 0.30, "near_sound": 0.10, "shape": 0.45, "other": 0.15}
HEARD = {"sound": 0.62, "near_sound": 0.22, "shape": 0.04, "other": 0.12}
_KINDS = {"sound": "homophone", "near_sound": "near_sound", "shape": "look_alike"}
LEFT_SPEC = {
    "id": "person_no",
    "columns": {
        "姓名": "person_name",
        "曾用名": "former_name",
        "证件号": "resident_id",
        "出生日期": "birth_date",
        "性别": "sex",
        "电话": "phone",
        "住址": "address",
        "村": "division",
        "户号": "household",
    },
}


@dataclass(frozen=True)
class Errors:
    """Chances per row, in percent of the rows in which the field is there."""

    slip: float = 0.0
    split: dict[str, float] | None = None
    second_slip: float = 0.0
    variant: float = 0.0
    former_name: float = 0.0  # of the people who have one
    note: float = 0.0
    blank: float = 0.0
    odd_width: float = 0.0
    dot: float = 0.0
    spelling: float = 0.0
    order: float = 0.0
    surname: float = 0.0
    cut: float = 0.0
    id_missing: float = 0.0
    id_15: float = 0.0  # of people born before 1999
    id_x: float = 0.0
    id_digit: float = 0.0
    id_swap: float = 0.0
    id_length: float = 0.0
    id_relative: float = 0.0
    id_filler: float = 0.0
    id_former: float = 0.0  # of the people who have one
    spreadsheet: float = 0.0  # of deliveries of 1,000 rows
    birth: float = 0.0
    birth_missing: float = 0.0
    birth_rough: float = 0.0  # year and month, or year alone
    sex: float = 0.0
    phone_other: float = 0.0
    phone_missing: float = 0.0
    address_free: float = 0.0
    address_missing: float = 0.0
    moved: float = 0.0


CHECKED = Errors(
    slip=0.7, split=TYPED, variant=0.3, former_name=30, note=0.02, blank=0.5, odd_width=0.05, dot=15, spelling=5,
    order=1, surname=1, cut=0.5, id_missing=0.5, id_15=0.3, id_x=3, id_digit=0.05, id_swap=0.02, id_length=0.02,
    id_relative=0.1, id_filler=0.05, id_former=5, birth=0.3, sex=0.1, phone_other=12, phone_missing=20,
    address_free=60, moved=8,
)  # fmt: skip
IMPORTED = Errors(
    slip=2.8, split=TYPED, variant=0.4, former_name=60, note=2.0, blank=4, odd_width=0.3, dot=35, spelling=12,
    order=3, surname=3, cut=3, id_missing=10, id_15=1, id_x=15, id_digit=0.3, id_swap=0.1, id_length=0.1,
    id_relative=0.7, id_filler=1.5, id_former=15, spreadsheet=5, birth=0.6, birth_missing=10, birth_rough=3, sex=0.4,
    phone_other=25, phone_missing=36, address_free=90, address_missing=15, moved=12,
)  # fmt: skip
PAPER = Errors(
    slip=13, split=HANDWRITTEN, second_slip=6, variant=3, former_name=100, note=0.3, blank=8, odd_width=0.3, dot=50,
    spelling=25, order=6, surname=5, cut=3, id_missing=68, id_15=40, id_x=10, id_digit=0.8, id_swap=0.3,
    id_length=0.3, id_relative=1.0, id_filler=2.0, id_former=30, birth=4, birth_missing=8, birth_rough=26, sex=0.5,
    phone_missing=100, address_free=90, address_missing=33, moved=22,
)  # fmt: skip
EVENTS = Errors(
    slip=15, split=HEARD, second_slip=8, variant=0.5, former_name=60, note=1.0, blank=4, odd_width=0.3, dot=45,
    spelling=20, order=5, surname=4, cut=3, id_missing=80, id_15=1, id_x=15, id_digit=0.8, id_swap=0.3, id_length=0.3,
    id_relative=1.0, id_filler=1.0, id_former=15, sex=0.4, phone_other=25, phone_missing=45, address_free=90, address_missing=15,
    moved=15,
)  # fmt: skip
MASKED = Errors(
    slip=0.7, split=TYPED, variant=0.3, former_name=30, dot=15, spelling=5, order=1, surname=1, id_missing=27,
    id_relative=0.2, id_former=5, phone_other=20, phone_missing=22, sex=0.2,
)  # fmt: skip
MINORITY = Errors(
    slip=4, split=TYPED, second_slip=2, variant=0.4, former_name=60, blank=1, odd_width=0.3, dot=50, spelling=25,
    order=6, surname=8, cut=8, id_missing=30, id_15=2, id_x=15, id_digit=0.3, id_swap=0.1, id_length=0.1,
    id_relative=0.7, id_filler=1.0, id_former=15, birth=1.5, birth_missing=15, birth_rough=8, sex=0.5, phone_other=25,
    phone_missing=40, address_free=90, address_missing=20, moved=12,
)  # fmt: skip
NONLOCAL = Errors(
    slip=2.3, split=TYPED, variant=0.4, former_name=60, note=0.3, blank=4, odd_width=0.3, dot=35, spelling=12,
    order=3, surname=3, cut=3, id_missing=36, id_15=1, id_x=15, id_digit=0.3, id_swap=0.1, id_length=0.1,
    id_relative=0.7, id_filler=1.0, id_former=15, birth=0.6, birth_missing=3, sex=0.4, phone_other=18,
    phone_missing=20, address_free=90, address_missing=10, moved=25,
)  # fmt: skip
HARD = Errors(
    slip=12, split=TYPED, second_slip=2, variant=0.4, former_name=60, note=0.2, blank=2, dot=25, spelling=10, order=2,
    surname=2, cut=2, id_missing=60, id_15=1, id_x=5, id_digit=0.3, id_swap=0.1, id_length=0.1, id_relative=0.2,
    birth=0.6, birth_missing=15, sex=0.4, phone_other=12, phone_missing=20, address_free=60, address_missing=20, moved=8,
)  # fmt: skip
EASY = Errors(
    slip=2.5, split=TYPED, variant=0.3, former_name=30, note=0.05, blank=1, dot=15, spelling=5, order=1, surname=1,
    cut=1, id_missing=15, id_15=0.3, id_x=3, id_digit=0.1, id_swap=0.05, id_length=0.02, id_relative=0.05,
    birth=0.2, birth_missing=5, sex=0.1, phone_other=10, phone_missing=10, address_free=40, moved=5,
)  # fmt: skip


def put(series: pl.Series, rows: Any, values: Any) -> pl.Series:
    """A copy of the series with new values in some rows."""
    return series.clone().scatter(rows, values) if len(rows) else series


# ---------------------------------------------------------------- the registry


@dataclass(frozen=True)
class Place:
    """Everybody who may appear in a source: `people` with truth; the registered ones have a person_no.

    `father`, `mother`, `spouse`, `child` and `head` are row positions in `people`, -1 for none.
    """

    people: pl.DataFrame
    seed: int

    @property
    def left(self) -> pl.DataFrame:
        """The registry as delivered, in random order."""
        known = self.people.filter(pl.col("person_no").is_not_null()).sort("person_no")
        rng = stream(self.seed, 0, "registry")
        n = len(known)
        known = known.with_columns(
            pl.when(pl.Series(rng.random(n) < 0.92)).then(pl.col("phone")).alias("phone"),
            # Offices noted 7 of 10 changes of a name.
            pl.when(pl.Series(rng.random(n) < 0.7)).then(pl.col("former_name")).alias("former_name"),
        )
        return known.select(
            "person_no",
            pl.col("name").alias("姓名"),
            pl.col("former_name").alias("曾用名"),
            pl.col("resident_id").alias("证件号"),
            pl.col("birth_date").alias("出生日期"),
            pl.col("sex").alias("性别"),
            pl.col("phone").alias("电话"),
            pl.col("address").alias("住址"),
            pl.col("village_code").alias("村"),
            pl.col("hukou_no").alias("户号"),
        ).sample(fraction=1.0, shuffle=True, seed=self.seed)

    @property
    def family(self) -> pl.DataFrame:
        """person_no with the numbers of father, mother, spouse (null when not registered) and the family."""
        numbers = self.people["person_no"]
        frame = self.people.select("person_no", "family")
        for kin in ("father", "mother", "spouse"):
            at = self.people[kin]
            frame = frame.with_columns(
                numbers.gather(at.clip(0)).zip_with(at >= 0, pl.Series([None], dtype=pl.Int64)).alias(kin)
            )
        return frame.filter(pl.col("person_no").is_not_null()).sort("person_no")


def _kin_rows(people: pl.DataFrame) -> pl.DataFrame:
    """Row positions of the nearest relatives."""
    people = people.with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))
    where = people.select(pl.col("true_person_id").alias("who"), pl.col("at").alias("found"))
    for kin in ("father", "mother", "spouse"):
        people = (
            people.join(where, left_on=kin, right_on="who", how="left", maintain_order="left")
            .with_columns(pl.col("found").fill_null(-1).alias(kin))
            .drop("found")
        )
    child = (
        pl.concat(
            [people.select(pl.col(p).alias("at"), pl.col("at").alias("child")) for p in ("father", "mother")]
        )
        .filter(pl.col("at") >= 0)
        .group_by("at")
        .agg(pl.col("child").min())
    )
    people = people.join(child, on="at", how="left", maintain_order="left").with_columns(
        pl.col("child").fill_null(-1),
        pl.col("at").sort_by("birth_date").first().over("true_household_id").alias("head"),
    )
    return people.drop("at")


def _more_minorities(people: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Households renamed until a tenth of the people has a name of another ethnic group."""
    rng = stream(seed, 0, "minorities")
    now = (people["group"].is_in([1, 4, 5, 6, 7])).mean()
    assert isinstance(now, float)
    homes = people["true_household_id"].unique(maintain_order=True)
    take = homes.filter(pl.Series(rng.random(len(homes)) < (MINORITY_SHARE - now) / (1 - now)))
    group_of = pl.DataFrame(
        {
            "true_household_id": take,
            "new_group": rng.choice(np.array([1, 6, 7, 5]), len(take), p=[0.80, 0.09, 0.05, 0.06]),
        }
    )
    people = people.join(group_of, on="true_household_id", how="left", maintain_order="left")
    rows = np.flatnonzero(
        (people["new_group"].is_not_null() & people["group"].is_in([0, 2, 3, 8, 9])).to_numpy()
    )
    part = people[rows]
    group = part["new_group"].to_numpy().astype(np.int64)
    line = names.minority_surnames(rng, group, np.array(part["surname"].fill_null(""), dtype=object))
    # One surname a household, where the group uses any.
    first = pl.DataFrame({"h": part["true_household_id"], "s": pl.Series(line.tolist(), dtype=pl.String)})
    surname = np.array(first.select(pl.col("s").first().over("h")).to_series(), dtype=object)
    year = part["birth_date"].dt.year().to_numpy().astype(np.int64)
    female = (part["sex"] == "2").to_numpy()
    none = np.full(len(rows), "", dtype=object)
    given = names.given_names(rng, female, year, group, none, surname)
    elder = (
        pl.DataFrame({"h": part["true_household_id"], "g": pl.Series(given.tolist()), "y": year, "f": female})
        .with_columns(oldest=pl.when(~pl.col("f")).then(pl.col("y")).min().over("h"))
        .with_columns(
            father=pl.when((pl.col("y") == pl.col("oldest")) & ~pl.col("f")).then(pl.col("g")).max().over("h")
        )
        .with_columns(
            father=pl.when(pl.col("y") > pl.col("oldest") + 17).then(pl.col("father")).otherwise(pl.lit(""))
        )
    )
    father = np.array(elder["father"].fill_null(""), dtype=object)
    name = names.full_names(rng, surname, given, group, father)
    dotted = (group == 5) & (rng.random(len(rows)) < 0.3)
    second = names.given_names(rng, female, year, group, none, none)
    name[dotted] = given[dotted] + names.DOT + second[dotted]
    at = pl.Series(rows)
    return people.with_columns(
        put(people["name"], at, pl.Series(name.tolist())),
        put(people["surname"], at, pl.Series(surname.tolist())),
        put(people["group"], at, pl.Series(group)),
        put(people["former_name"], at, pl.Series([None] * len(rows), dtype=pl.String)),
    ).drop("new_group")


def _namesakes(people: pl.DataFrame, seed: int, wanted: int) -> pl.DataFrame:
    """Pairs of one surname, sex and birth date, of two families, get one full name until there are `wanted`."""
    rng = stream(seed, 1, "namesakes")
    groups = people.group_by("name", "birth_date").len().filter(pl.col("len") > 1)
    missing = wanted - groups.height
    if missing <= 0:
        return people
    pairs = (
        people.with_row_index("at")
        .filter((pl.col("surname").fill_null("") != "") & (pl.col("group") == 0))
        .sort("birth_date", "sex", "surname", "village_code", "at")
        .with_columns(
            pl.col("at").shift(-1).alias("other"),
            (
                (
                    pl.struct("birth_date", "sex", "surname")
                    == pl.struct("birth_date", "sex", "surname").shift(-1)
                )
                & (pl.col("true_household_id") != pl.col("true_household_id").shift(-1))
                & (pl.col("family") != pl.col("family").shift(-1))
                & (pl.col("name") != pl.col("name").shift(-1))
            ).alias("fits"),
        )
        .filter(pl.col("fits"))
    )
    chosen = pairs[np.sort(rng.choice(len(pairs), min(missing, len(pairs)), replace=False))]
    return people.with_columns(put(people["name"], chosen["other"], people["name"].gather(chosen["at"])))


def _former_names(people: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Three people of a hundred carried another name: the given name changed."""
    rng = stream(seed, 0, "former names")
    more = np.flatnonzero(
        (rng.random(len(people)) < 0.02)
        & people["former_name"].is_null().to_numpy()
        & (people["group"] == 0).to_numpy()
    )
    part = people[more]
    given = names.given_names(
        rng,
        (part["sex"] == "2").to_numpy(),
        part["birth_date"].dt.year().to_numpy().astype(np.int64),
        np.zeros(len(more), dtype=np.int64),
        np.full(len(more), "", dtype=object),
        np.array(part["surname"], dtype=object),
    )
    former = part["surname"] + pl.Series(given.tolist())
    return people.with_columns(put(people["former_name"], pl.Series(more), former))


def inhabitants(persons: int, seed: int) -> Place:
    """A registry of `persons` people, and others who live there and are not in it."""
    asked = int(persons * (1 + HELD_OUT) * 1.035) + 200
    parts = [population.people(shard).persons for shard in population.plan(asked, seed, start=ON, months=0)]
    people = (
        pl.concat(parts)
        .filter(pl.col("death_date").is_null() & pl.col("is_registered"))
        .with_columns(family=pl.col("true_person_id") // FAMILY_STRIDE * FAMILY_STRIDE + pl.col("clan"))
        .select(
            "true_person_id", "name", "former_name", "resident_id", "former_resident_id", "id15", "birth_date", "sex",
            "phone", pl.col("reg_address").alias("address"), "live_address", "village_code", "hukou_no",
            "true_household_id", "family", "father", "mother", "spouse", "group", "surname",
        )
    )  # fmt: skip
    if len(people) < persons:
        raise ValueError(f"only {len(people)} people for a registry of {persons}")
    people = _more_minorities(people, seed)
    people = _former_names(people, seed)
    people = _namesakes(people, seed, int(SAME_NAME_AND_DAY * len(people)))
    rng = stream(seed, 0, "person numbers")
    order = rng.permutation(len(people))
    number = pl.Series(np.where(order < persons, order + 1, 0)).replace(0, None)
    people = people.with_columns(number.alias("person_no").cast(pl.Int64), pl.lit("here").alias("lives"))
    return Place(_kin_rows(people), seed)


def strangers(place: Place, n: int, namesake_share: float, salt: str) -> pl.DataFrame:
    """People of other prefectures with names and numbers of their own; some share name, sex and birth date with a registered person."""
    rng = stream(place.seed, 2, "strangers " + salt)
    origin = pl.concat(
        [
            population.people(s).persons
            for s in population.plan(max(int(n * 1.2), 400), place.seed + 977, ON, 0)
        ]
    ).filter(pl.col("death_date").is_null())
    base = origin[np.sort(rng.choice(len(origin), n, replace=False))]
    here = place.people.filter(pl.col("person_no").is_not_null())
    twin = np.flatnonzero(rng.random(n) < namesake_share)
    copied = here[rng.choice(len(here), len(twin), replace=False)]
    at = pl.Series(twin)
    base = base.with_columns(
        [put(base[c], at, copied[c]) for c in ("name", "birth_date", "sex", "group", "surname")]
    )
    far = [c for c in places.all_counties() if c[:4] != places.PREFECTURE]
    area = np.array(far)[rng.integers(0, len(far), n)]
    born = base["birth_date"].to_numpy()
    female = (base["sex"] == "2").to_numpy()
    sequence = rng.integers(0, 500, n) * 2 + ~female
    number = ids.resident_ids(area.astype(np.int64), born, sequence % 1000)
    old = ids.old_ids(area.astype(np.int64), born, sequence % 1000)
    old[born >= np.datetime64("1999-10-01")] = None
    county = places.all_counties()
    roads = [r["name"] for r in places.read("street_names.csv") if r["kind"] == "road"]
    address = [
        f"{county[a]}{roads[r]}{k}号"
        for a, r, k in zip(area, rng.integers(0, len(roads), n), rng.integers(1, 300, n), strict=True)
    ]
    phone = ["1" + d for d in ids.padded(rng.integers(3 * 10**9, 10**10, n), 10)]
    return base.select(
        pl.lit(-1, dtype=pl.Int64).alias("true_person_id"),
        "name",
        pl.lit(None, dtype=pl.String).alias("former_name"),
        pl.Series("resident_id", number.tolist(), dtype=pl.String),
        pl.lit(None, dtype=pl.String).alias("former_resident_id"),
        pl.Series("id15", old.tolist(), dtype=pl.String),
        "birth_date",
        "sex",
        pl.Series("phone", phone),
        pl.Series("address", address),
        # Half of them live here for the time being.
        pl.Series("live_address", address)
        .zip_with(pl.Series(rng.random(n) < 0.5), here["address"].gather(rng.integers(0, len(here), n)))
        .alias("live_address"),
        pl.lit(None, dtype=pl.String).alias("village_code"),
        pl.lit(None, dtype=pl.String).alias("hukou_no"),
        pl.lit(-1, dtype=pl.Int64).alias("true_household_id"),
        pl.lit(-1, dtype=pl.Int64).alias("family"),
        *[pl.lit(-1, dtype=pl.Int64).alias(k) for k in ("father", "mother", "spouse")],
        pl.col("group"),
        "surname",
        pl.lit(None, dtype=pl.Int64).alias("person_no"),
        pl.Series(
            "lives", np.where(np.isin(np.arange(n), twin), "far namesake", "far").tolist(), dtype=pl.String
        ),
        *[pl.lit(-1, dtype=pl.Int64).alias(k) for k in ("child", "head")],
    )


# ---------------------------------------------------------------- one source


class Source:
    """Rows of one extract in the making: people drawn, a written value per field, labels of what went wrong."""

    def __init__(self, place: Place, people: pl.DataFrame, errors: Errors, salt: str) -> None:
        self.place, self.people, self.errors = place, people, errors
        self.rng = stream(place.seed, 3, "source " + salt)
        self.n = len(people)
        self.name_error = np.full(self.n, "", dtype=object)
        self.id_state = np.full(self.n, "own", dtype=object)
        age = _ages(people)
        factor = np.where(people["group"].is_in([1, 4, 5, 6, 7]).to_numpy(), 2.0, 1.0)
        factor = factor * np.where(age >= 70, 1.5, np.where(age < 6, 1.5, 1.0))
        stretch = np.where(self.rng.random(self.n // 400 + 1) < 0.05, 6.0, 1.0)
        factor = factor * np.repeat(stretch, 400)[: self.n]
        # Errors keep company: a careless clerk, a name the office does not know, a person who cannot read the form.
        self.factor: Floats = factor / factor.mean()

    def struck(self, percent: float, where: Flags | None = None, is_correlated: bool = True) -> Ints:
        """Rows in which something happens."""
        chance = np.minimum(
            percent / 100 * (self.factor if is_correlated else 1.0), 0.97 if percent < 97 else 1.0
        )
        hit = self.rng.random(self.n) < chance
        return np.flatnonzero(hit if where is None else hit & where)

    def change(self, series: pl.Series, rows: Ints, new: Callable[..., pl.Series]) -> pl.Series:
        """The series with some rows rewritten by a function of the old values and two numbers of chance."""
        if not len(rows):
            return series
        return put(
            series, rows, new(series.gather(rows), self.rng.random(len(rows)), self.rng.random(len(rows)))
        )

    def _labelled(self, series: pl.Series, changed: pl.Series, label: str) -> pl.Series:
        self.name_error[(series != changed).fill_null(False).to_numpy()] = label
        return changed

    def _slip(self, series: pl.Series, rows: Ints) -> pl.Series:
        split = self.errors.split or TYPED
        kinds = self.rng.choice(np.array(list(split)), len(rows), p=list(split.values()))
        for kind in split:
            some = rows[kinds == kind]
            if kind != "other":
                for instead in (kind, "sound"):
                    # Characters without a partner of that kind get one of their sound.
                    changed = self.change(series, some, misspelling.NAME_KINDS[_KINDS[instead]])
                    is_same = (changed == series).gather(some).to_numpy()
                    series, some = self._labelled(series, changed, instead), some[is_same]
                continue
            which = self.rng.choice(4, len(some), p=[0.3, 0.3, 0.15, 0.25])
            for position, other in enumerate(("swap", "drop", "insert", "any")):
                few = some[which == position]
                new = misspelling.NAME_KINDS[other] if other != "any" else _any_character
                series = self._labelled(series, self.change(series, few, new), other)
        return series

    def names(self) -> pl.Series:
        """Names as this office wrote them."""
        e, people = self.errors, self.people
        series = people["name"]
        has_former = people["former_name"].is_not_null().to_numpy()
        rows = self.struck(e.former_name, has_former, is_correlated=False)
        if len(rows):
            series = self._labelled(series, put(series, rows, people["former_name"].gather(rows)), "former")
        minority = people["group"].is_in([1, 5, 6, 7]).to_numpy()
        long = (series.str.len_chars() > 3).to_numpy()
        dotted = series.str.contains(names.DOT, literal=True).to_numpy()
        for label, rate, where, new in (
            ("spelling", e.spelling, minority, lambda s, u, v: _respelled(s, v)),
            ("order", e.order, dotted, lambda s, u, v: misspelling.other_order(s, v)),
            ("surname_added", e.surname, minority & ~dotted, lambda s, u, v: _surname_changed(s, v)),
        ):
            rows = np.flatnonzero((self.rng.random(self.n) < rate / 100) & where)
            series = self._labelled(series, self.change(series, rows, new), label)
        series = self._slip(series, self.struck(e.slip))
        slipped = np.isin(self.name_error, ["sound", "near_sound", "shape", "swap", "insert", "any"])
        series = self._slip(series, self.struck(e.second_slip, slipped, is_correlated=False))
        for label, rate, where, new in (
            ("variant", e.variant, None, misspelling.NAME_KINDS["variant"]),
            ("dot", e.dot, dotted, lambda s, u, v: misspelling.dot_lost(s, v)),
            ("cut", e.cut, long, lambda s, u, v: misspelling.cut(s, v)),
            ("note", e.note, None, _noted),
            ("width", e.odd_width, None, misspelling.NAME_KINDS["full_width"]),
        ):
            rows = self.struck(rate, where, is_correlated=label == "variant")
            series = self._labelled(series, self.change(series, rows, new), label)
        two = (series.str.len_chars() == 2).to_numpy().astype(bool)
        return self.change(
            series, self.struck(e.blank, two, False), lambda s, u, v: s.str.head(1) + "　" + s.str.tail(1)
        )

    def numbers(self) -> pl.Series:
        """Identity numbers as this office wrote them."""
        e, people = self.errors, self.people
        series = people["resident_id"]
        state = self.id_state

        def wrong(rows: Ints, values: pl.Series, label: str) -> None:
            nonlocal series
            series = put(series, rows, values)
            state[rows] = label

        has_former = people["former_resident_id"].is_not_null().to_numpy()
        rows = self.struck(e.id_former, has_former, is_correlated=False)
        wrong(rows, people["former_resident_id"].gather(rows), "former")
        kin = np.stack([people[k].to_numpy() for k in ("mother", "father", "spouse", "head", "child")])
        mine = self.people["resident_id"]
        rows = self.struck(e.id_relative, np.asarray((kin >= 0).any(axis=0)), is_correlated=False)
        if len(rows):
            pick = np.array([self.rng.choice(k[k >= 0]) for k in kin[:, rows].T], dtype=np.int64)
            theirs = self.place.people["resident_id"].gather(pick)
            real = (theirs != mine.gather(rows)).to_numpy()
            wrong(rows[real], theirs.filter(pl.Series(real)), "relative")
        old = people["id15"].is_not_null().to_numpy() & (state == "own")
        rows = self.struck(e.id_15, old, is_correlated=False)
        wrong(rows, people["id15"].gather(rows), "15")
        for label, rate, new in (
            ("digit", e.id_digit, misspelling.digit_wrong),
            ("swapped", e.id_swap, misspelling.digits_swapped),
            ("length", e.id_length, misspelling.length_wrong),
        ):
            rows = self.struck(rate, state == "own")
            wrong(
                rows, pl.Series(new(series.gather(rows).to_list(), *self._two(rows)), dtype=pl.String), label
            )
        ends_x = series.str.ends_with("X").fill_null(False).to_numpy()
        rows = self.struck(e.id_x, ends_x, is_correlated=False)
        wrong(rows, series.gather(rows).str.head(17) + misspelling.choose(self.rng.random(len(rows)), ["x", "×", "Х", "*"]), "x")  # fmt: skip
        broken: Flags = np.repeat(self.rng.random(self.n // 1000 + 1) < e.spreadsheet / 100, 1000)[: self.n]
        rows = np.flatnonzero(broken & (series.str.len_chars() == 18).fill_null(False).to_numpy())
        zeros = series.gather(rows).str.head(15) + "000"
        exponent = series.gather(rows).str.slice(0, 1) + "." + series.gather(rows).str.slice(1, 5) + "E+17"
        wrong(rows, zeros.zip_with(pl.Series(rows // 1000 % 3 > 0), exponent), "spreadsheet")
        rows = self.struck(e.id_filler)
        fillers = ["000000000000000000", "111111111111111111", "无", "不详", "-", "0"]
        wrong(rows, misspelling.choose(self.rng.random(len(rows)), fillers), "filler")
        child = people["birth_date"].dt.year().to_numpy() >= 2019
        rows = np.flatnonzero(
            self.rng.random(self.n)
            < np.where(child & (e.id_missing > 3), max(e.id_missing, 18), e.id_missing) / 100
        )
        wrong(rows, pl.Series([None] * len(rows), dtype=pl.String), "missing")
        return series

    def _two(self, rows: Ints) -> tuple[Floats, Floats]:
        return self.rng.random(len(rows)), self.rng.random(len(rows))

    def birth_dates(self, formats: list[tuple[str, float]]) -> pl.Series:
        """Birth dates as text in the formats of the office (strftime pattern, share)."""
        e = self.errors
        days = self.people["birth_date"]
        rows = self.struck(e.birth)
        days = self.change(days, rows, lambda s, u, v: misspelling.other_birth_date(s, v))
        which = self.rng.choice(len(formats), self.n, p=[share for _, share in formats])
        text = pl.Series([None], dtype=pl.String).gather(np.zeros(self.n, dtype=np.uint32))
        for position, (pattern, _) in enumerate(formats):
            some = np.flatnonzero(which == position)
            if len(some):
                text = put(text, some, days.gather(some).dt.strftime(pattern))
        rows = self.struck(e.birth_rough, is_correlated=False)
        text = self.change(
            put(text, rows, days.gather(rows).dt.strftime("%Y年%m月")),
            rows,
            lambda s, u, v: s.zip_with(pl.Series(u < 0.6), s.str.head(4)),
        )
        return _emptied(text, self.struck(e.birth_missing, is_correlated=False))

    def sexes(self, words: tuple[str, str]) -> pl.Series:
        """Sex in the office's words for men and women."""
        sex = self.people["sex"]
        sex = self.change(sex, self.struck(self.errors.sex), lambda s, u, v: s.replace({"1": "2", "2": "1"}))
        return sex.replace({"1": words[0], "2": words[1]})

    def phones(self) -> pl.Series:
        """Own phones, some changed since, some missing."""
        e = self.errors
        phone = self.people["phone"]
        rows = self.struck(e.phone_other, is_correlated=False)
        other = pl.Series(
            ["1" + d for d in ids.padded(self.rng.integers(3 * 10**9, 10**10, len(rows)), 10)],
            dtype=pl.String,
        )
        phone = put(phone, rows, other)
        return _emptied(phone, self.struck(e.phone_missing, is_correlated=False))

    def relatives_phones(self) -> pl.Series:
        """The phone of whoever reported: child, spouse, parent, head; in some cases one's own or a stranger's."""
        order = [("child", 0.45), ("spouse", 0.7), ("father", 0.8), ("mother", 0.9), ("head", 1.0)]
        u = self.rng.random(self.n)
        at = np.full(self.n, -1, dtype=np.int64)
        for kin, edge in order:
            rows = self.people[kin].to_numpy()
            at = np.where((at < 0) & (u < edge) & (rows >= 0), rows, at)
        phone = self.phones()
        theirs = self.place.people["phone"].gather(pl.Series(np.maximum(at, 0)))
        use = pl.Series((at >= 0) & (self.rng.random(self.n) < 0.9)) & phone.is_not_null()
        is_other = phone != self.people["phone"]
        return theirs.zip_with(use & ~is_other, phone)

    def addresses(self, levels: str = "") -> pl.Series:
        """Address of the register or, for those who moved, of where they live; mostly written freely."""
        e = self.errors
        address = self.people["address"]
        rows = self.struck(e.moved, is_correlated=False)
        address = put(address, rows, self.people["live_address"].gather(rows))
        if levels == "village":
            # As it is said: township and village, seldom more.
            address = address.str.replace(r"^内蒙古自治区乌兰察布市", "")
            tail = r"(?:\d+组)?\d+号.*$"
            few = np.flatnonzero(self.rng.random(self.n) < 0.9)
            address = put(address, few, address.gather(few).str.replace(tail, ""))
            address = self.change(address, np.flatnonzero(self.rng.random(self.n) < 0.4), lambda s, u, v: s.str.replace(r"^[^市县旗区]{2,7}(?:市|县|旗|区)", ""))  # fmt: skip
        if levels == "paper":
            # Half of the old files name the village alone, some the town alone.
            few = np.flatnonzero(self.rng.random(self.n) < 0.5)
            address = put(address, few, address.gather(few).str.replace(r"(?:\d+组)?\d+号.*$", ""))
        if levels in ("paper", "town"):
            few = np.flatnonzero(self.rng.random(self.n) < (1.0 if levels == "town" else 0.15))
            town = r"^(内蒙古自治区乌兰察布市.*?[旗区市县].*?(?:街道|镇|乡|苏木)).*$"
            address = put(address, few, address.gather(few).str.replace(town, "$1"))
        rows = self.struck(e.address_free, is_correlated=False)
        address = self.change(address, rows, lambda s, u, v: misspelling.free_address(s, v))
        return _emptied(address, self.struck(e.address_missing, is_correlated=False))

    def ages(self) -> tuple[pl.Series, pl.Series]:
        """Age in years and the day on which it was asked; a tenth counts in the old way, a few are a year off."""
        day = np.datetime64("2023-01-01") + self.rng.integers(0, 1000, self.n).astype("timedelta64[D]")
        day = np.maximum(day.astype("datetime64[D]"), self.people["birth_date"].to_numpy())
        on = pl.Series(day).cast(pl.Date)
        frame = pl.DataFrame({"b": self.people["birth_date"], "d": on, "u": self.rng.random(self.n)})
        had = pl.col("d").dt.ordinal_day() >= pl.col("b").dt.ordinal_day()
        age = pl.col("d").dt.year() - pl.col("b").dt.year() - (~had).cast(pl.Int32)
        u = pl.col("u")
        said = age + pl.when(u < 0.10).then(1).when(u < 0.125).then(-1).when(u < 0.14).then(2).otherwise(0)
        return frame.select(said.clip(0).cast(pl.String)).to_series(), on

    def truth(self) -> pl.DataFrame:
        """The row's person, family, nearest relative who is registered, and what went wrong."""
        return (
            self.people.with_row_index("row_no", offset=1)
            .select(
                pl.col("row_no").cast(pl.Int64),
                "person_no",
                pl.when(pl.col("family") >= 0).then(pl.col("family")).alias("family"),
                nearest(self.place, self.people).alias("nearest_relative"),
                "lives",
            )
            .with_columns(
                pl.Series("name_error", self.name_error.tolist(), dtype=pl.String),
                pl.Series("id_state", self.id_state.tolist(), dtype=pl.String),
            )
        )


def nearest(place: Place, people: pl.DataFrame) -> pl.Series:
    """twin, sibling, parent, child, spouse or none: the registered relative who is easiest to mistake for the person."""
    everyone = place.people.filter(pl.col("person_no").is_not_null())
    parent = pl.when(pl.col("mother") >= 0).then("mother").when(pl.col("father") >= 0).then("father")
    siblings = (
        everyone.filter(parent.is_not_null())
        .group_by(parent.alias("parent"))
        .agg(pl.len().alias("siblings"), pl.col("birth_date").value_counts().alias("days"))
    )
    days = (
        siblings.explode("days")
        .unnest("days")
        .filter(pl.col("count") > 1)
        .select("parent", "birth_date", pl.lit(True).alias("is_twin"))
    )
    registered = place.people["person_no"].is_not_null()

    def known(kin: str) -> pl.Series:
        at = people[kin]
        return (at >= 0) & registered.gather(at.clip(0))

    return (
        people.with_columns(parent.alias("parent"))
        .join(siblings.select("parent", "siblings"), on="parent", how="left", maintain_order="left")
        .join(days, on=["parent", "birth_date"], how="left", maintain_order="left")
        .select(
            pl.when("is_twin")
            .then(pl.lit("twin"))
            .when(pl.col("siblings") > 1)
            .then(pl.lit("sibling"))
            .when(known("father") | known("mother"))
            .then(pl.lit("parent"))
            .when(known("child"))
            .then(pl.lit("child"))
            .when(known("spouse"))
            .then(pl.lit("spouse"))
            .otherwise(pl.lit("none"))
        )
        .to_series()
    )


def _ages(people: pl.DataFrame) -> Floats:
    """Ages in years on the day of the run."""
    return people.select((pl.lit(ON) - pl.col("birth_date")).dt.total_days() / 365.25).to_series().to_numpy()


def _emptied(series: pl.Series, rows: Ints) -> pl.Series:
    return put(series, rows, None)


def _any_character(series: pl.Series, u: Floats, v: Floats) -> pl.Series:
    """The last character replaced by any character of given names."""
    common = sorted({r["char"] for r in places.read("given_name_chars.csv") if r["birth_decade"] == "1970"})
    return series.str.slice(0, series.str.len_chars() - 1) + misspelling.choose(u, common)


def _noted(series: pl.Series, u: Floats, v: Floats) -> pl.Series:
    """What offices write behind names."""
    notes = [
        "(大)",
        "(小)",
        "2",
        "(户主)",
        "(已故)",
        "（亡）",
        "(残)",
        "（五保）",
        "先生",
        "(又名二娃)",
        "（代）",
    ]
    return series + misspelling.choose(u, notes)


def _respelled(series: pl.Series, v: Floats) -> pl.Series:
    """Other spellings of one or all of the parts that have any."""
    known = names.spellings()
    parts_known = sorted(known, key=len, reverse=True)
    respelled = []
    for name, chance in zip(series.to_list(), v.tolist(), strict=True):
        parts = name.split(names.DOT)
        for i, part in enumerate(parts):
            if part in known:
                parts[i] = known[part][int(chance * len(known[part]))]
            elif len(part) > 2:
                inner = next((p for p in parts_known if len(p) > 1 and part.endswith(p)), None)
                if inner is not None:
                    parts[i] = part.removesuffix(inner) + known[inner][int(chance * len(known[inner]))]
        respelled.append(names.DOT.join(parts))
    return pl.Series(respelled, dtype=pl.String)


def _surname_changed(series: pl.Series, v: Floats) -> pl.Series:
    """A Han surname in front, or the one in front left out."""
    frame = pl.DataFrame({"n": series, "s": misspelling.choose(v, misspelling.SURNAMES)})
    borne = pl.col("n").str.contains("^" + misspelling.BORNE) & (pl.col("n").str.len_chars() > 2)
    return frame.select(
        pl.when(borne).then(pl.col("n").str.slice(1)).otherwise(pl.col("s") + pl.col("n"))
    ).to_series()


# ---------------------------------------------------------------- the sets


ISO, COMPACT, SLASH, CHINESE, DOTS = "%Y-%m-%d", "%Y%m%d", "%Y/%-m/%-d", "%Y年%-m月%-d日", "%Y.%-m.%-d"


def _people(
    place: Place,
    rows: int,
    absent: float,
    salt: str,
    *,
    far: float = 0.5,
    namesakes: float = 0.02,
    weight: Any = None,
) -> pl.DataFrame:
    """People of a source in random order: registered ones, absent locals and people from far away."""
    rng = stream(place.seed, 4, "people " + salt)
    here = np.flatnonzero(place.people["person_no"].is_not_null().to_numpy())
    missing = np.flatnonzero(place.people["person_no"].is_null().to_numpy())
    n_absent = int(rows * absent)
    n_far = max(int(n_absent * far), n_absent - len(missing))
    chance = None if weight is None else weight[here] / weight[here].sum()
    size = min(rows - n_absent, len(here) * 9 // 10 if chance is None else len(here))
    chosen = rng.choice(here, size, replace=False, p=chance)
    local = rng.choice(missing, n_absent - n_far, replace=False)
    parts = [place.people[np.r_[chosen, local]]]
    if n_far:
        parts.append(strangers(place, n_far, namesakes, salt).select(parts[0].columns))
    together = pl.concat(parts, how="vertical_relaxed")
    return together[rng.permutation(len(together))]


def _spec(columns: dict[str, Any], as_of: date = ON) -> dict[str, Any]:
    return {
        "left": LEFT_SPEC,
        "right": {"id": "row_no", "columns": columns},
        "as_of": as_of,
        "left_is_clean": True,
        "right_is_clean": True,
    }


Made = tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]


def _made(
    source: Source, columns: dict[str, tuple[pl.Series, Any]], extra: dict[str, pl.Series] | None = None
) -> Made:
    frame = pl.DataFrame(
        {
            "row_no": pl.Series(np.arange(1, source.n + 1)),
            **{k: s for k, (s, _) in columns.items()},
            **(extra or {}),
        }
    )
    return frame, source.truth(), _spec({k: kind for k, (_, kind) in columns.items()})


def checked(place: Place, rows: int = 60_000) -> Made:
    """Registers checked at the counter: social insurance, medical insurance, tax."""
    s = Source(place, _people(place, rows, 0.01, "checked"), CHECKED, "checked")
    return _made(
        s,
        {
            "xm": (s.names(), "person_name"),
            "zjhm": (s.numbers(), "resident_id"),
            "csrq": (s.birth_dates([(ISO, 0.99), (COMPACT, 0.01)]), "birth_date"),
            "xb": (s.sexes(("1", "2")), "sex"),
            "lxdh": (s.phones(), "phone"),
            "dz": (s.addresses(), "address"),
        },
    )


def imported(place: Place, rows: int = 60_000) -> Made:
    """Lists typed up in villages, schools and clinics and imported from spreadsheets."""
    s = Source(place, _people(place, rows, 0.02, "imported"), IMPORTED, "imported")
    formats = [(ISO, 0.45), (COMPACT, 0.25), (SLASH, 0.15), (DOTS, 0.10), (CHINESE, 0.05)]
    return _made(
        s,
        {
            "姓名": (s.names(), "person_name"),
            "身份证号": (s.numbers(), "resident_id"),
            "出生年月日": (s.birth_dates(formats), "birth_date"),
            "性别": (s.sexes(("男", "女")), "sex"),
            "联系电话": (s.phones(), "phone"),
            "家庭住址": (s.addresses("paper"), "address"),
        },
    )


def paper(place: Place, rows: int = 50_000) -> Made:
    """Old files keyed from handwriting: marriages before 2003, old deeds, personnel files."""
    old = place.people["birth_date"].dt.year().to_numpy() < 1996
    weight = np.where(old, 1.0, 1e-9)
    s = Source(place, _people(place, rows, 0.03, "paper", weight=weight), PAPER, "paper")
    return _made(
        s,
        {
            "姓名": (s.names(), "person_name"),
            "身份证": (s.numbers(), "resident_id"),
            "出生": (s.birth_dates([(CHINESE, 0.5), (DOTS, 0.3), (ISO, 0.2)]), "birth_date"),
            "性别": (s.sexes(("男", "女")), "sex"),
            "地址": (s.addresses("paper"), "address"),
        },
    )


def events(place: Place, rows: int = 40_000) -> Made:
    """Cremations, accidents, disasters: told by a relative, written by ear."""
    age = _ages(place.people)
    s = Source(
        place,
        _people(place, rows, 0.08, "events", far=0.4, weight=0.25 + np.clip((age - 45) / 30, 0, 2)),
        EVENTS,
        "events",
    )
    age_said, day = s.ages()
    return _made(
        s,
        {
            "姓名": (s.names(), "person_name"),
            "证件号码": (s.numbers(), "resident_id"),
            "性别": (s.sexes(("男", "女")), "sex"),
            "年龄": (age_said, {"kind": "age", "as_of": {"column": "发生日期"}}),
            "住址": (s.addresses("village"), "address"),
            "联系人电话": (s.relatives_phones(), "phone"),
        },
        {"发生日期": day},
    )


def masked(place: Place, rows: int = 50_000) -> Made:
    """A platform's reply, wholly masked."""
    s = Source(place, _people(place, rows, 0.02, "masked"), MASKED, "masked")
    name, number, phone = s.names(), s.numbers(), s.phones()
    plain = s.rng.random(s.n) < 0.2
    first_only = name.str.head(1) + pl.Series(["*", "**"]).gather(
        (name.str.len_chars() > 2).cast(pl.UInt32).to_numpy()
    )
    return _made(
        s,
        {
            "name": (first_only.zip_with(pl.Series(plain), misspelling.masked_name(name)), "person_name"),
            "cert_no": (misspelling.masked_number(number), "resident_id"),
            "mobile": (phone.str.slice(0, 3) + "****" + phone.str.slice(7), "phone"),
            "gender": (s.sexes(("M", "F")), "sex"),
        },
    )


def minority(place: Place, rows: int = 40_000) -> Made:
    """Names of minorities: dots, spellings, order of the parts, short fields."""
    own = place.people["group"].is_in([1, 5, 6, 7]).to_numpy()
    n = min(rows, int(own.sum() * 0.85))
    s = Source(
        place, _people(place, n, 0.02, "minority", weight=np.where(own, 1.0, 1e-9)), MINORITY, "minority"
    )
    return _made(
        s,
        {
            "姓名": (s.names(), "person_name"),
            "公民身份号码": (s.numbers(), "resident_id"),
            "出生日期": (s.birth_dates([(ISO, 0.7), (COMPACT, 0.3)]), "birth_date"),
            "性别": (s.sexes(("男", "女")), "sex"),
            "手机": (s.phones(), "phone"),
            "住址": (s.addresses("paper"), "address"),
        },
    )


def nonlocal_people(place: Place, rows: int = 60_000) -> Made:
    """Clinics and employers whose people are 15 % not of this registry, some of them namesakes born on the same day."""
    people = _people(place, rows, 0.15, "nonlocal", far=0.9, namesakes=0.35)
    s = Source(place, people, NONLOCAL, "nonlocal")
    return _made(
        s,
        {
            "姓名": (s.names(), "person_name"),
            "证件号": (s.numbers(), "resident_id"),
            "出生日期": (s.birth_dates([(ISO, 0.8), (COMPACT, 0.2)]), "birth_date"),
            "性别": (s.sexes(("1", "2")), "sex"),
            "电话": (s.phones(), "phone"),
            "现住址": (s.addresses(), "address"),
        },
    )


def _big(place: Place, rows: int, errors: Errors, salt: str, levels: str) -> Made:
    s = Source(place, _people(place, rows, 0.01, salt), errors, salt)
    return _made(
        s,
        {
            "xm": (s.names(), "person_name"),
            "zjhm": (s.numbers(), "resident_id"),
            "csrq": (s.birth_dates([(ISO, 1.0)]), "birth_date"),
            "xb": (s.sexes(("1", "2")), "sex"),
            "sjhm": (s.phones(), "phone"),
            "dz": (s.addresses(levels), "address"),
        },
    )


def hard(place: Place, rows: int = 421_000) -> Made:
    """60 % of the numbers, 15 % of the birth dates, 20 % of the phones missing, names mistyped by sound and shape, no
    address below the township."""
    return _big(place, rows, HARD, "hard", "town")


def easy(place: Place, rows: int = 421_000) -> Made:
    """The same people with 85 % of the numbers, better names and whole addresses."""
    return _big(place, rows, EASY, "easy", "")


SEVEN: dict[str, Callable[..., Made]] = {
    "checked": checked,
    "imported": imported,
    "paper": paper,
    "events": events,
    "masked": masked,
    "minority": minority,
    "nonlocal": nonlocal_people,
}
BIG: dict[str, tuple[Callable[..., Made], int, int]] = {
    "hard": (hard, 1_000_000, 421_000),
    "easy": (easy, 1_000_000, 421_000),
    "huge": (hard, 2_700_000, 1_100_000),
}
SETS = (*SEVEN, *BIG)


def write(folder: Path, place: Place, made: Made) -> None:
    """One set as files. The registry of the folder is written new, so that every set stands alone."""
    right, truth, spec = made
    folder.mkdir(parents=True, exist_ok=True)
    place.left.write_parquet(folder / "left.parquet")
    right.write_parquet(folder / "right.parquet")
    truth.write_parquet(folder / "truth.parquet")
    place.family.write_parquet(folder / "family.parquet")
    (folder / "spec.yaml").write_text(
        yaml.safe_dump(spec, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8"
    )


def main() -> None:
    """Write the sets asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", default="all", choices=["all", "seven", *SETS], dest="which")
    parser.add_argument("--persons", type=int, help="people in the registry; sources shrink with it")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wanted = SETS if asked.which == "all" else tuple(SEVEN) if asked.which == "seven" else (asked.which,)
    held: dict[int, Place] = {}
    for name in wanted:
        persons = asked.persons or (300_000 if name in SEVEN else BIG[name][1])
        if persons not in held:
            held.clear()
            held[persons] = inhabitants(persons, asked.seed)
        place = held[persons]
        if name in SEVEN:
            full = SEVEN[name].__defaults__
            assert full is not None
            made = SEVEN[name](place, int(full[0] * min(1.0, persons / 300_000)))
        else:
            maker, of, rows = BIG[name]
            made = maker(place, int(rows * persons / of))
        write(asked.out / name, place, made)
        print(f"{name}: {persons:,} people, {len(made[0]):,} rows in {asked.out / name}")


if __name__ == "__main__":
    main()
