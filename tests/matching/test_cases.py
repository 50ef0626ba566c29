"""Hard cases that a registrar can read and write: tests/matching/cases/*.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from matching import normalise, passes, spine
from tests.matching import world

CASES = Path(__file__).parent / "cases"


def load(name: str) -> Any:
    return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))


def named(cases: list[dict[str, Any]]) -> Any:
    assert cases
    return pytest.mark.parametrize("case", cases, ids=[c["name"] for c in cases])


@named(load("names"))
def test_names(case: dict[str, Any]) -> None:
    row = normalise.name_forms(pl.Series([case["given"]])).row(0, named=True)
    assert row["name_key"] == case["key"]
    assert row["name_is_newborn"] == case.get("newborn", False)
    assert row["name_has_wildcard"] == case.get("wildcard", False)
    assert row["name_aliases"] == case.get("aliases", [])
    for field in ("parts", "sounds"):
        if field in case:
            assert row[f"name_{field}"] == case[field]


@named(load("ids"))
def test_ids(case: dict[str, Any]) -> None:
    row = normalise.id_forms(pl.Series([case["given"]])).row(0, named=True)
    assert (row["id_kind"], row["id_key"]) == (case["kind"], case["key"])
    assert (row["id_birth_date"], row["id_sex"]) == (case.get("birth"), case.get("sex"))


@named(load("phones"))
def test_phones(case: dict[str, Any]) -> None:
    row = normalise.phone_forms(pl.Series([case["given"]])).row(0, named=True)
    assert (row["phone_key"], row["phone_class"]) == (case["key"], case["class"])


LINKS = load("links")


@named(LINKS["cases"])
def test_links(case: dict[str, Any]) -> None:
    people = LINKS["people"] | case.get("register", {})
    register = {name: world.identity(**fields) for name, fields in people.items()}
    records = []
    for fields in case["records"]:
        said = {"source_class": "mi_enrolment", "tier": 3} | {
            k: v for k, v in fields.items() if k != "expect"
        }
        records.append(world.identity(**said))
    result = spine.resolve(world.frame([*register.values(), *records]), None, None, world.FIRST_DAY)
    links = {row["identity_key"]: row for row in result.links.iter_rows(named=True)}
    conflicts = {row["identity_key"]: row for row in result.conflicts.iter_rows(named=True)}
    persons = {row["person_id"]: row for row in result.persons.iter_rows(named=True)}
    own = {name: links[str(row["identity_key"])]["person_id"] for name, row in register.items()}
    assert len(set(own.values())) == len(own), "two people of the register became one"
    for record, fields in zip(records, case["records"], strict=True):
        expected = fields["expect"] or {}
        link, conflict = links.get(str(record["identity_key"])), conflicts.get(str(record["identity_key"]))
        if "person" in expected:
            assert link is not None
            assert link["person_id"] == own[expected["person"]]
            assert (link["pass_id"], link["grade"]) == (expected["pass"], expected["grade"])
            assert link["reason_zh"] == passes.PASSES[expected["pass"]].reason_zh
        elif expected.get("provisional"):
            assert link is not None
            assert persons[link["person_id"]]["is_provisional"]
            assert link["person_id"] not in own.values()
        else:
            assert link is None
        assert (conflict["kind"] if conflict else None) == expected.get("conflict")
