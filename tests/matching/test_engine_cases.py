"""Dangerous pairs that an officer can read and write: tests/matching/cases/matches.yaml, in the night and for two tables."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from matching import engine, residue, waterfall
from matching.spec import Spec
from matching.tables import records_of
from tests.matching import world

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "cases" / "matches.yaml").read_text(encoding="utf-8")
)
KINDS: dict[str, Any] = {
    "姓名": "person_name",
    "曾用名": "former_name",
    "证件号": "resident_id",
    "出生日期": "birth_date",
    "性别": "sex",
    "年龄": "age",
    "电话": "phone",
    "村": "division",
    "户号": "household",
}
AS_OF = date(2025, 11, 17)
SPEC = Spec.parse({"left": {"id": "代号", "columns": KINDS}, "as_of": AS_OF})
NOBODY, EITHER = "无人", "任一"


def _background(people: int) -> list[dict[str, Any]]:
    columns = {
        "name": "姓名",
        "resident_id": "证件号",
        "sex": "性别",
        "phone": "电话",
        "village_code": "村",
        "household_no": "户号",
    }
    known = world.population(people, 1)
    rows = known.select(pl.col(old).alias(new) for old, new in columns.items()).to_dicts()
    births = known["birth_date"].to_list()
    return [
        row | {"出生日期": str(b), "代号": f"背景{n}"}
        for n, (row, b) in enumerate(zip(rows, births, strict=True))
    ]


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = ["代号", *KINDS]
    cells = [{c: None if row.get(c) is None else str(row[c]) for c in columns} for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String))


@cache
def _linked(mode: str) -> dict[str, tuple[str, str, str]]:
    """By record (case/number): the name of the person it was linked to, grade, reasons. All cases in one match."""
    background = _background(3000)
    people = [
        row | {"代号": f"{case['name']}/{who}"} for case in CASES for who, row in case["registry"].items()
    ]
    asked = [
        record | {"代号": f"{case['name']}/{n}"} for case in CASES for n, record in enumerate(case["records"])
    ]
    left = records_of(_frame(people + background), SPEC.left, AS_OF)
    if mode == "night":
        right = records_of(_frame(asked), SPEC.left, AS_OF)
        found = engine.link(
            left,
            right,
            model=residue.rates(),
            estimate=False,
            right_is_clean=False,
            strong_at_least=residue.STRONG,
        )
    else:
        # Among a thousand ordinary records, from which the rates are learnt.
        ordinary = [row | {"代号": "普" + row["代号"]} for row in background[::3]]
        ordinary = [row | {"证件号": None} if n % 3 == 0 else row for n, row in enumerate(ordinary)]
        right = records_of(_frame(asked + ordinary), SPEC.left, AS_OF)
        found = engine.link(left, right)
    told = found.links.with_columns(
        left.ids.gather(found.links["left"]).alias("person"),
        right.ids.gather(found.links["right"]).alias("record"),
        waterfall.reasons(found, found.links),
    )
    return {
        str(record): (str(person), str(grade), str(reasons))
        for record, person, grade, reasons in told.select("record", "person", "grade", "reasons").rows()
    }


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
@pytest.mark.parametrize("mode", ["night", "tables"])
def test_links(mode: str, case: dict[str, Any]) -> None:
    links = _linked(mode)
    for number, record in enumerate(case["records"]):
        person, grade, reasons = links.get(f"{case['name']}/{number}", ("", "无", ""))
        assert grade in record["等级"], (grade, person, reasons)
        who = person.removeprefix(f"{case['name']}/")
        if grade in ("A", "B") or (grade == "C" and record["本人"] in case["registry"]):
            assert who == record["本人"], reasons
        elif grade == "C":
            assert who in case["registry"], reasons


def test_the_cases_can_fail() -> None:
    """Every case names a person of its registry, nobody, or leaves it open; links of nobody are never sure."""
    assert len(CASES) >= 35
    for case in CASES:
        for record in case["records"]:
            assert record["本人"] in {NOBODY, EITHER, *case["registry"]}
            assert set(record["等级"]) < {"A", "B", "C", "无"}
            assert record["本人"] in case["registry"] or set(record["等级"]) <= {"C", "无"}


def test_ordinary_records_beside_the_cases_go_to_their_own() -> None:
    ordinary = {r: p for r, (p, g, _) in _linked("tables").items() if r.startswith("普") and g in "AB"}
    assert len(ordinary) > 950
    assert all(record == "普" + person for record, person in ordinary.items())
