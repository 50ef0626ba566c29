"""Two small invented tables for the tests of the engine: people of one township, and damaged records of some of them.

Every damage is made here by rules of its own; `truth` says whose record each is, null where nobody on the left is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from matching.records import Records
from matching.spec import Spec
from matching.tables import records_of
from tests.matching import world

AS_OF = date(2025, 11, 17)
COLUMNS = {
    "no": pl.Int64,
    "id": pl.String,
    "name": pl.String,
    "former": pl.String,
    "sex": pl.String,
    "birth": pl.String,
    "age": pl.String,
    "phone": pl.String,
    "phone2": pl.String,
    "village": pl.String,
    "address": pl.String,
    "household": pl.String,
    "card": pl.String,
}
KINDS: dict[str, Any] = {
    "id": "resident_id",
    "name": "person_name",
    "former": "former_name",
    "sex": "sex",
    "birth": "birth_date",
    "age": {"kind": "age", "as_of": AS_OF},
    "phone": "phone",
    "phone2": "phone",
    "village": "division",
    "address": "address",
    "household": "household",
    "card": "identifier",
}
SPEC = Spec.parse({"left": {"id": "no", "columns": KINDS}, "as_of": AS_OF})
NAMES = list("王李张刘"), list("伟芳娜敏静丽强磊军洋勇艳建国志文海春梅红")
LIKE = {"伟": "炜", "丽": "莉", "静": "靖", "军": "君", "建": "健", "芳": "方", "强": "弹", "红": "江"}
"""A character and one that sounds or looks alike."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Tables:
    """`left`, `right`: rows; `truth`: by right row the `no` of its person, or None."""

    left: list[Row]
    right: list[Row]
    truth: list[int | None]


def records(rows: list[Row]) -> Records:
    """Rows as the engine sees them."""
    return records_of(pl.DataFrame(rows, schema=COLUMNS), SPEC.left, AS_OF)


def _person(rng: np.random.Generator, no: int, family: int, surname: str, generation: str, born: date) -> Row:
    sex = int(rng.integers(1, 3))
    chars = NAMES[1]
    given = str(rng.choice(chars)) + ("" if rng.random() < 0.25 else str(rng.choice(chars)))
    if rng.random() < 0.3:
        given = generation + str(rng.choice(chars))
    village = f"1509021002{family % 3:02d}"
    return {
        "no": no,
        "id": world.number("150902", born, int(rng.integers(0, 499)) * 2 + sex % 2),
        "name": surname + given,
        "former": surname + str(rng.choice(chars)) + str(rng.choice(chars)) if rng.random() < 0.1 else None,
        "sex": str(sex),
        "birth": born.isoformat(),
        "age": None,
        "phone": f"139{10_000_000 + family * 7:08d}" if rng.random() < 0.9 else None,
        "phone2": None,
        "village": village,
        "address": f"{family % 5 + 1}组{family + 1}号",
        "household": f"{family + 1:06d}",
        "card": f"C{no:05d}",
    }


def people(n: int, seed: int) -> list[Row]:
    """Families of four with one telephone; every tenth person is a twin of the one before."""
    rng = np.random.default_rng(seed)
    found: list[Row] = []
    for no in range(n):
        family = no // 4
        if no % 4 == 0:
            surname, generation = str(rng.choice(NAMES[0])), str(rng.choice(NAMES[1]))
        born = AS_OF - timedelta(days=int(rng.integers(200, 80 * 365)))
        if no % 10 == 9:
            born = date.fromisoformat(str(found[-1]["birth"]))
        found.append(_person(rng, no, family, surname, generation, born))
    return found


def damaged(row: Row, others: list[Row], rng: np.random.Generator) -> Row:
    """The record of a person as some source keeps it: each field may be missing, slipped, hidden or a relative's."""
    said = dict(row)
    family = [o for o in others if o["household"] == row["household"]]
    fate = rng.random(12)
    if fate[0] < 0.35:
        said["id"] = None
    elif fate[0] < 0.45:
        place = int(rng.integers(6, 17))
        said["id"] = said["id"][:place] + str((int(said["id"][place]) + 1) % 10) + said["id"][place + 1 :]
    elif fate[0] < 0.55:
        said["id"] = said["id"][:6] + "*" * 8 + said["id"][14:]
    elif fate[0] < 0.6:
        said["id"] = str(rng.choice([o["id"] for o in family]))
    elif fate[0] < 0.65:
        said["id"] = said["id"][:15] + "000"
    name = str(said["name"])
    if fate[1] < 0.1:
        name = name[0] + "".join(LIKE.get(c, c) for c in name[1:])
    elif fate[1] < 0.17:
        name = name[0] + "*" + name[2:]
    elif fate[1] < 0.22:
        name = name[0] + name[:0:-1]
    elif fate[1] < 0.26:
        name = name + str(rng.choice(NAMES[1]))
    elif fate[1] < 0.30 and said["former"]:
        name = said["former"]
    said["name"] = name
    said["former"] = None
    born = date.fromisoformat(said["birth"])
    if fate[2] < 0.25:
        said["birth"] = None
    elif fate[2] < 0.35:
        said["birth"] = f"{born.year}-01-01"
    elif fate[2] < 0.45:
        said["birth"], said["age"] = None, str((AS_OF - born).days * 4 // 1461)
    elif fate[2] < 0.5:
        said["birth"] = (born - timedelta(days=int(rng.integers(17, 50)))).isoformat()
    if fate[3] < 0.2:
        said["sex"] = None
    if fate[4] < 0.25:
        said["phone"] = None
    elif fate[4] < 0.4 and said["phone"]:
        said["phone"] = said["phone"][:3] + "****" + said["phone"][7:]
    elif fate[4] < 0.5:
        said["phone"] = f"137{int(rng.integers(10_000_000, 99_999_999))}"
    if fate[5] < 0.2:
        said["village"] = None
    elif fate[5] < 0.4:
        said["village"] = said["village"][:9]
    elif fate[5] < 0.45:
        said["village"] = "150921100200"
    if fate[6] < 0.6:
        said["address"] = None
    if fate[7] < 0.7:
        said["household"] = None
    if fate[8] < 0.8:
        said["card"] = None
    return said


def stranger(rng: np.random.Generator, like: Row) -> Row:
    """Somebody from elsewhere, at times a namesake with the same birth date."""
    born = AS_OF - timedelta(days=int(rng.integers(200, 80 * 365)))
    row = _person(rng, 0, 90, str(rng.choice(NAMES[0])), str(rng.choice(NAMES[1])), born)
    row |= {"id": world.number("440305", born, int(rng.integers(0, 999))), "village": None, "address": None}
    row |= {"household": None, "card": None, "former": None, "phone": "13700000017"}
    if rng.random() < 0.3:
        born = date.fromisoformat(str(like["birth"]))
        number = world.number("440305", born, 500 + int(like["sex"]) % 2)
        row |= {"name": like["name"], "birth": like["birth"], "sex": like["sex"], "id": number}
    return row


def tables(n_left: int, n_right: int, seed: int) -> Tables:
    """A registry, and records of a source that holds each person at most once."""
    rng = np.random.default_rng(seed)
    left = people(n_left, seed)
    right: list[Row] = []
    truth: list[int | None] = []
    for no in rng.permutation(n_left)[:n_right]:
        if rng.random() < 0.12:
            right.append(stranger(rng, left[no]))
            truth.append(None)
        else:
            right.append(damaged(left[no], left, rng))
            truth.append(int(no))
        right[-1]["no"] = 1000 + len(right)
    return Tables(left, right, truth)
