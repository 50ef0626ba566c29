"""Tables of a case: what a policy officer writes, as the tables that the engine reads.

What belongs here is the short notation of `given` (docs/policy-cases.md) and the types of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import polars as pl
from pydantic import Field

from policy.sql_file import Closed, Text
from policy.vocabulary import tables

COUNTY = "150902"
MONTH = re.compile(r"^\d{4}-\d{2}$")

POLARS: dict[str, Any] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "VARCHAR": pl.String(),
    "VARCHAR[]": pl.List(pl.String()),
    "DATE": pl.Date(),
    "BOOLEAN": pl.Boolean(),
    "DECIMAL(18,2)": pl.Decimal(18, 2),
    "DECIMAL(18,4)": pl.Decimal(18, 4),
}


class NightBefore(Closed):
    """An earlier night of a case: what was known then. Nothing else of it is looked at."""

    as_of: date
    given: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)


class Case(Closed):
    """One case: a day, what is known on it, and what must come out."""

    name: Text
    as_of: date
    parameters: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    """Parameter -> values that stand in for the file's own in this case."""
    given: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    before: list[NightBefore] = Field(default_factory=list)
    """Nights that ran before, the earliest first; without them, the night of the case is the first."""
    list_kind: Literal["help_in", "check_out"] = "help_in"
    """What a measure may see in this case; a rule has a list of its own."""
    expect: list[dict[str, Any]]
    expect_status: list[dict[str, Any]] = Field(default_factory=list)


def _value(raw: Any, kind: str) -> Any:
    """A value of a case in the type of its column: months may be written 2025-08."""
    if raw is None:
        return None
    if kind == "DATE":
        if isinstance(raw, date):
            return raw
        text = str(raw)
        return date.fromisoformat(f"{text}-01" if MONTH.match(text) else text)
    if kind.startswith("DECIMAL"):
        return Decimal(str(raw))
    if kind == "VARCHAR":
        return str(raw)
    return raw


def _as_member(entry: Any) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, dict) else {"person_id": entry}


def _families(rows: Iterable[dict[str, Any]], given: dict[str, list[dict[str, Any]]]) -> None:
    """Short notation of a family: household, household_member and person rows."""
    own = set(tables()["person"].columns)
    for row in rows:
        row = dict(row)
        members = [_as_member(entry) for entry in row.pop("members", [])]
        county = row.pop("county", row.pop("county_code", COUNTY))
        household = {
            "county_code": county,
            "township_code": f"{county}001" if county else None,
            "village_code": f"{county}001001" if county else None,
            "urban_rural": "1",
            "members": len(members),
            "head_person_id": members[0]["person_id"] if members else None,
        }
        given["household"].append(household | row)
        for member in members:
            given["household_member"].append(
                {
                    "household_id": row["household_id"],
                    "person_id": member["person_id"],
                    "relation": member.pop("relation", None),
                    "basis": "register",
                    "needs_check": member.pop("needs_check", False),
                }
            )
            if stray := sorted(set(member) - own):
                raise ValueError(f"unknown keys of a member: {stray}")
            given["person"].append({"is_registered": True} | member)


def _cases(rows: Iterable[dict[str, Any]], given: dict[str, list[dict[str, Any]]]) -> None:
    """Short notation of an assistance case: assistance_case and assistance_member rows."""
    for row in rows:
        row = dict(row)
        members = [_as_member(entry) for entry in row.pop("members", [])]
        county = row.pop("county", COUNTY)
        case = {
            "category": "1",
            "urban_rural": "1",
            "status": "1",
            "start_month": date(2024, 1, 1),
            "benefit_per_month": 500,
            "members_total": len(members),
            "members_covered": len(members),
            "village_code": f"{county}001001",
            "person_id": members[0]["person_id"] if members else None,
        }
        given["assistance_case"].append(case | row)
        given["assistance_member"] += [
            {"case_id": row["case_id"], "is_covered": True, "is_single_person": False} | member
            for member in members
        ]


def frames_of(case: Case | NightBefore, sources: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Tables of a case. Missing columns are unknown; a person that is named is linked with grade A.

    Every source is fresh as of the day, unless the case says otherwise under `source_status`.
    """
    vocabulary = tables()
    given: dict[str, list[dict[str, Any]]] = {name: [] for name in vocabulary}
    for name, rows in case.given.items():
        if name == "families":
            _families(rows, given)
        elif name == "cases":
            _cases(rows, given)
        elif name in vocabulary:
            given[name] += rows
        else:
            raise ValueError(f"unknown table {name}")
    told = {row["class_id"]: row for row in given["source_status"]}
    given["source_status"] = [
        {"class_id": source, "last_batch": case.as_of, "status": "fresh"} | told.get(source, {})
        for source in sorted({*sources, *told})
    ]
    frames = {}
    for name, rows in given.items():
        if not rows:
            continue
        table = vocabulary[name]
        grades = {grade: person for person, grade in table.persons.items()}
        columns: dict[str, list[Any]] = {column: [] for column in table.columns}
        for number, row in enumerate(rows, start=1):
            if stray := sorted(set(row) - set(table.columns)):
                raise ValueError(f"{name} has no columns {stray}")
            for column, kind in table.columns.items():
                value = row.get(column)
                if column in grades and column not in row:
                    value = "A" if row.get(grades[column]) is not None else None
                elif column == "row_key" and column not in row:
                    value = f"{name}-{number:04d}"
                elif column == "data_as_of" and table.is_fact and column not in row:
                    value = case.as_of
                columns[column].append(_value(value, kind))
        frames[name] = pl.DataFrame(columns, schema={c: POLARS[kind] for c, kind in table.columns.items()})
    return frames
