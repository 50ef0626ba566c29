"""A small invented world for the tests of matching: people, families, and records of them with known truth.

Its errors are made here by simple rules of its own, so that they share no table with the matcher.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import polars as pl

from data_contracts.resident_id import check_character

SURNAMES = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
CHARS = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文海春梅红云龙飞鹏宇婷雪晶辉斌浩")
SOUND = {
    "伟": "炜",
    "丽": "莉",
    "静": "靖",
    "军": "君",
    "英": "瑛",
    "辉": "晖",
    "斌": "彬",
    "婷": "庭",
    "芳": "方",
    "明": "鸣",
}
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "identity_key": pl.String,
    "source_class": pl.String,
    "role": pl.String,
    "tier": pl.Int8,
    "resident_id": pl.String,
    "former_resident_id": pl.String,
    "person_name": pl.String,
    "former_name": pl.String,
    "sex": pl.String,
    "birth_date": pl.Date,
    "age": pl.Int32,
    "as_of": pl.Date,
    "phone": pl.String,
    "address": pl.String,
    "village_code": pl.String,
    "division_code": pl.String,
    "household_no": pl.String,
    "rows": pl.Int64,
    "first_batch": pl.Date,
    "last_batch": pl.Date,
}
FIRST_DAY = date(2025, 11, 17)


def number(division: str, birth: date, sequence: int) -> str:
    """A valid 18-character number."""
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return body + str(check_character(pl.Series([body]))[0])


def identity(**fields: object) -> dict[str, object]:
    """One identity with defaults; its key is the hash of what it says."""
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    row |= {"source_class": "ps_resident", "role": "self", "tier": 1, "rows": 1}
    row |= {"first_batch": FIRST_DAY, "last_batch": FIRST_DAY}
    row |= fields
    if row["identity_key"] is None:
        said = "|".join(
            str(row[c]) for c in COLUMNS if c not in ("rows", "first_batch", "last_batch", "tier")
        )
        row["identity_key"] = hashlib.md5(said.encode()).hexdigest()
    return row


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Identities as `feeding.identities` gives them."""
    return (
        pl.DataFrame(rows, schema=COLUMNS).unique("identity_key").sort("source_class", "role", "identity_key")
    )


def population(people: int, seed: int) -> pl.DataFrame:
    """Registered people in families of four: parents and two children who share a surname, an address, a phone."""
    rng = np.random.default_rng(seed)
    n = people
    family = np.arange(n) // 4
    seat = np.arange(n) % 4
    families = family.max() + 1
    surname = np.array(SURNAMES)[rng.integers(0, len(SURNAMES), families)]
    mother = np.array(SURNAMES)[rng.integers(0, len(SURNAMES), families)]
    generation = np.array(CHARS)[rng.integers(0, len(CHARS), families)]
    first = np.array(CHARS)[rng.integers(0, len(CHARS), n)]
    second = np.array(CHARS)[rng.integers(0, len(CHARS), n)]
    second = np.where(rng.random(n) < 0.2, "", second)
    given = np.where((seat >= 2) & (rng.random(n) < 0.4), generation[family] + first, first + second)
    name = np.where(seat == 1, mother[family], surname[family]).astype(object) + given.astype(object)
    age_days = np.where(seat < 2, rng.integers(28 * 365, 70 * 365, n), rng.integers(100, 20 * 365, n))
    birth = np.array([FIRST_DAY - timedelta(days=int(d)) for d in age_days])
    sex = np.where(seat == 0, 1, np.where(seat == 1, 2, rng.integers(1, 3, n)))
    division = np.array(["150902", "150921", "150922", "152601"])[rng.integers(0, 4, n)]
    body = pl.Series(
        [
            f"{d}{b:%Y%m%d}{s:03d}"
            for d, b, s in zip(division, birth, rng.integers(0, 499, n) * 2 + sex % 2, strict=True)
        ]
    )
    village = rng.integers(0, max(1, n // 600), families)
    return pl.DataFrame(
        {
            "true_person_id": np.arange(n),
            "family": family,
            "seat": seat,
            "resident_id": body + check_character(body),
            "name": name.astype(str),
            "sex": sex.astype(str),
            "birth_date": birth,
            "phone": [f"139{p:08d}" for p in (10_000_000 + family * 7 + (seat == 1) * 3)],
            "village_code": [
                f"1509{2 + v // 200:02d}{100 + v // 10 % 20:03d}{200 + v % 10:03d}" for v in village[family]
            ],
            "household_no": [f"{h:09d}" for h in family + 1],
        }
    ).unique("resident_id", keep="first", maintain_order=True)


def extract(
    people: pl.DataFrame,
    source: str,
    tier: int,
    seed: int,
    share: float = 0.5,
    missing: float = 0.0,
    relative: float = 0.0,
    misspelt: float = 0.0,
    slips: float = 0.0,
    old: float = 0.0,
    strangers: float = 0.0,
) -> pl.DataFrame:
    """Records of one source about some of the people: identities with `true_person_id` (null: not a person here)."""
    rng = np.random.default_rng(seed)
    chosen = people.filter(pl.Series(rng.random(len(people)) < share))
    n = len(chosen)
    ids = chosen["resident_id"].to_list()
    names = chosen["name"].to_list()
    births = chosen["birth_date"].to_list()
    phones, villages = chosen["phone"].to_list(), chosen["village_code"].to_list()
    head = dict(people.filter(pl.col("seat") == 0).select("family", "resident_id").iter_rows())
    families = chosen["family"].to_list()
    truth: list[int | None] = chosen["true_person_id"].to_list()
    draw = rng.random((n, 6))
    for i in range(n):
        if draw[i, 0] < missing:
            ids[i] = None
        elif draw[i, 0] < missing + relative:
            ids[i] = head.get(families[i], ids[i])
        elif draw[i, 0] < missing + relative + slips:
            place = int(rng.integers(0, 17))
            ids[i] = ids[i][:place] + str((int(ids[i][place]) + 1) % 10) + ids[i][place + 1 :]
        elif draw[i, 0] < missing + relative + slips + old and ids[i][6:8] == "19":
            ids[i] = ids[i][:6] + ids[i][8:17]
        if draw[i, 1] < misspelt:
            for right, wrong in SOUND.items():
                if right in names[i][1:]:
                    names[i] = names[i][0] + names[i][1:].replace(right, wrong)
                    break
        if draw[i, 2] < strangers:
            # A namesake from elsewhere, born on the same day, with a number and a telephone of his own.
            ids[i] = number("440305", births[i], int(rng.integers(0, 999)))
            phones[i], villages[i], truth[i] = f"137{rng.integers(10_000_000, 99_999_999)}", None, None
    batch = [FIRST_DAY] * n
    said = [f"{source}|{a}|{b}|{c}|{i}" for i, (a, b, c) in enumerate(zip(ids, names, births, strict=True))]
    return (
        pl.DataFrame(
            {
                "identity_key": [hashlib.md5(s.encode()).hexdigest() for s in said],
                "source_class": [source] * n,
                "role": ["self"] * n,
                "tier": [tier] * n,
                "resident_id": ids,
                "person_name": names,
                "sex": chosen["sex"],
                "birth_date": births,
                "phone": phones if tier > 1 else [None] * n,
                "village_code": villages,
                "household_no": chosen["household_no"] if tier == 1 else [None] * n,
                "rows": [1] * n,
                "first_batch": batch,
                "last_batch": batch,
                "true_person_id": truth,
            },
            schema_overrides={
                "resident_id": pl.String,
                "phone": pl.String,
                "village_code": pl.String,
                "household_no": pl.String,
            },
        )
        .with_columns(
            *(
                pl.lit(None, dtype=dtype).alias(c)
                for c, dtype in COLUMNS.items()
                if c in ("former_resident_id", "former_name", "age", "as_of", "address", "division_code")
            )
        )
        .select(*(pl.col(c).cast(dtype) for c, dtype in COLUMNS.items()), "true_person_id")
    )


def records(people: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The register and four sources of falling quality."""
    return pl.concat(
        [
            extract(people, "ps_resident", 1, seed, share=1.0),
            extract(
                people,
                "ca_assist_member",
                2,
                seed + 1,
                share=0.3,
                missing=0.01,
                misspelt=0.02,
                relative=0.001,
            ),
            extract(
                people, "mi_enrolment", 2, seed + 2, share=0.9, misspelt=0.02, slips=0.001, strangers=0.01
            ),
            extract(
                people,
                "ed_enrolment",
                3,
                seed + 3,
                share=0.2,
                missing=0.15,
                relative=0.01,
                misspelt=0.04,
                slips=0.005,
            ),
            extract(
                people,
                "re_ownership",
                4,
                seed + 4,
                share=0.3,
                missing=0.4,
                old=0.3,
                misspelt=0.06,
                slips=0.01,
            ),
        ]
    ).sort("source_class", "role", "identity_key")


def with_relatives_numbers(
    records: pl.DataFrame, most: int
) -> tuple[pl.DataFrame, dict[str, tuple[str, str]]]:
    """At most so many records under their own name and birth date with the number of another of the household.

    Columns as `records` has them; and by record its own number and the number it bears.
    """
    register = records.filter((pl.col("source_class") == "ps_resident") & pl.col("resident_id").is_not_null())
    pairs = (
        register.filter(pl.len().over("household_no") > 1)
        .group_by("household_no", maintain_order=True)
        .agg(
            pl.col("identity_key").first(),
            pl.col("resident_id").first().alias("own"),
            pl.col("resident_id").get(1).alias("other"),
        )
        .filter(pl.col("own") != pl.col("other"))
        .head(most)
    )
    given = (
        register.join(pairs.select("identity_key", "other"), on="identity_key")
        .with_columns(
            pl.col("other").alias("resident_id"),
            pl.lit("ca_assist_member").alias("source_class"),
            pl.lit("member").alias("role"),
            (pl.lit("zz") + pl.col("identity_key").str.slice(2)).alias("identity_key"),
        )
        .select(records.columns)
    )
    return given, {"zz" + key[2:]: (own, other) for key, own, other in pairs.drop("household_no").rows()}
