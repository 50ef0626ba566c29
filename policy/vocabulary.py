"""The tables that a query may read, with the type of every column.

What belongs here is how fact tables of `data_contracts/facts` and the derived tables (households, persons, places, state
of the sources) are typed, so that an empty or partial input still has the shape that rules expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from data_contracts.contract import YAML, fact_tables
from data_contracts.feeding import sql_type
from policy.sql_file import ROOT, Closed, Text, Words

DERIVED: dict[str, dict[str, str]] = {
    "household": {
        "household_id": "BIGINT",
        "head_person_id": "BIGINT",
        "county_code": "VARCHAR",
        "township_code": "VARCHAR",
        "village_code": "VARCHAR",
        "urban_rural": "VARCHAR",
        "members": "INTEGER",
    },
    "household_member": {
        "household_id": "BIGINT",
        "person_id": "BIGINT",
        "relation": "VARCHAR",
        "basis": "VARCHAR",
        "since": "DATE",
        "needs_check": "BOOLEAN",
        "dependant_kind": "VARCHAR",
        "check_zh": "VARCHAR",
    },
    "household_edge": {
        "person_id_a": "BIGINT",
        "person_id_b": "BIGINT",
        "kind": "VARCHAR",
        "source_class": "VARCHAR",
        "since": "DATE",
        "until": "DATE",
        "confidence": "VARCHAR",
        "data_as_of": "DATE",
    },
    "household_event": {
        "event": "VARCHAR",
        "household_id": "BIGINT",
        "other_household_id": "BIGINT",
        "person_id": "BIGINT",
        "reason": "VARCHAR",
        "event_on": "DATE",
    },
    "household_exclusion": {
        "person_id": "BIGINT",
        "kind": "VARCHAR",
        "happened_on": "DATE",
        "since": "DATE",
        "until": "DATE",
        "source_class": "VARCHAR",
        "data_as_of": "DATE",
    },
    "household_conflict": {
        "person_id": "BIGINT",
        "kind": "VARCHAR",
        "claim_person_id_1": "BIGINT",
        "claim_zh_1": "VARCHAR",
        "source_class_1": "VARCHAR",
        "claim_person_id_2": "BIGINT",
        "claim_zh_2": "VARCHAR",
        "source_class_2": "VARCHAR",
        "since": "DATE",
        "reason_zh": "VARCHAR",
    },
    "household_declared": {
        "case_id": "VARCHAR",
        "household_id": "BIGINT",
        "person_id": "BIGINT",
        "person_household_id": "BIGINT",
        "case_unit": "VARCHAR",
        "in_case": "BOOLEAN",
        "in_family": "BOOLEAN",
        "is_covered": "BOOLEAN",
        "needs_check": "BOOLEAN",
        "kind": "VARCHAR",
        "since": "DATE",
        "reason_zh": "VARCHAR",
    },
    "person": {
        "person_id": "BIGINT",
        "sex": "VARCHAR",
        "birth_date": "DATE",
        "village_code": "VARCHAR",
        "is_registered": "BOOLEAN",
    },
    "division": {
        "county_code": "VARCHAR",
        "county_zh": "VARCHAR",
        "prefecture_zh": "VARCHAR",
        "township_code": "VARCHAR",
        "township_zh": "VARCHAR",
        "village_code": "VARCHAR",
        "village_zh": "VARCHAR",
    },
    "source_status": {
        "class_id": "VARCHAR",
        "department": "VARCHAR",
        "last_batch": "DATE",
        "expected_by": "DATE",
        "status": "VARCHAR",
        "note_zh": "VARCHAR",
    },
}
"""Tables that come from matching and feeding, not from one class."""

GRADES = {"help_in": ("A", "B"), "check_out": ("A",)}
"""Grades of a link that a list may rest on. A wrong person is the worst error: check-out reads certain links alone;
help-in also reads strong ones, and leaves those under review alone."""

UNDER_REVIEW = "C"
"""Grade of a link that waits for a person to decide. Whom it may be is shown beside, to help-in alone (`possible_of`)."""


def possible_of(person_column: str) -> str:
    """Name of the column that says whom a link under review may mean: `person_id` -> `possible_person_id`.

    A grant under review is not "no help": it may keep somebody from being warned of, and nothing may be raised on it.
    """
    return person_column.removesuffix("person_id") + "possible_person_id"


class NeverColumn(Closed):
    """A column, or a pattern of columns, that no query may read."""

    column: Text
    reason: Words

    def forbids(self, name: str) -> bool:
        """Whether the pattern covers the name, in whatever case it is written."""
        return fnmatchcase(name.lower(), self.column)


@cache
def never(path: Path = ROOT / "never.yaml") -> tuple[NeverColumn, ...]:
    """The columns of `never.yaml`."""
    body = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML)
    return tuple(NeverColumn.model_validate(row) for row in body["columns"])


@dataclass(frozen=True)
class Table:
    """One table: typed columns, and for each person column the column with the grade of its link."""

    id: str
    columns: dict[str, str]
    persons: dict[str, str]
    is_fact: bool
    yearly: frozenset[str]
    """Columns whose amount belongs to a year."""


@cache
def tables() -> dict[str, Table]:
    """Every table that a query may read, by id."""
    found: dict[str, Table] = {}
    for fact in fact_tables().values():
        columns: dict[str, str] = {}
        persons: dict[str, str] = {}
        derived = fact.id == "person"
        for person in fact.persons:
            columns[person] = "BIGINT"
            if not derived:
                grade = fact.grade_of(person)
                columns[grade] = "VARCHAR"
                persons[person] = grade
        yearly = set()
        for column in fact.columns:
            columns[column.name] = sql_type(column.type)
            if column.unit and "年" in column.unit:
                yearly.add(column.name)
        if not derived:
            columns |= {"source_class": "VARCHAR", "data_as_of": "DATE", "row_key": "VARCHAR"}
        found[fact.id] = Table(fact.id, columns, persons, not derived, frozenset(yearly))
    for name, columns in DERIVED.items():
        found[name] = Table(name, columns, {}, False, frozenset())
    return dict(sorted(found.items()))


def visible(table: Table, forbidden: Sequence[NeverColumn]) -> list[str]:
    """Columns of a table that rules may see."""
    patterns = tuple(entry.column for entry in forbidden)
    return [c for c in table.columns if not _is_covered(c, patterns)]


@cache
def _is_covered(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
