"""Tables of a case: what a policy officer writes, as the tables that the engine reads.

What belongs here is the short notation of `given` (docs/policy-cases.md), the types of its columns, and what a row of a case
is where nobody wrote it: in force, and a thing of its own. Data of departments know no such defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

import polars as pl
from pydantic import Field

from data_contracts.contract import code_lists, codes_of, fact_tables
from policy.sql_file import Closed, Text
from policy.vocabulary import Table, tables

COUNTY = "150902"
MONTH = re.compile(r"^\d{4}-\d{2}$")
MONTH_OF_SIX = re.compile(r"^(\d{4})(\d{2})$")
WORDS = {
    "yes": True,
    "on": True,
    "是": True,
    "true": True,
    "no": False,
    "off": False,
    "否": False,
    "false": False,
}

IN_FORCE: dict[str, tuple[str, str]] = {
    "business_income": ("tax_status", "1"),
    "disability": ("status", "1"),
    "dwelling_title": ("status", "1"),
    "entity_role": ("status", "1"),
    "home_contract": ("status", "1"),
    "house_safety": ("renovation", "0"),
    "insurance_contribution": ("status", "1"),
    "insurance_policy": ("status", "1"),
    "machinery": ("status", "1"),
    "medical_enrolment": ("pay_status", "1"),
    "pension": ("status", "1"),
    "provident_fund": ("status", "1"),
    "registered_resident": ("register_status", "1"),
    "school_enrolment": ("status", "1"),
    "serious_disease": ("manage_status", "1"),
    "vehicle": ("status", "A"),
    "welfare_subsidy": ("status", "1"),
    "assistance_payment": ("pay_status", "1"),
}
"""What a row is where no row of its table in the case says it: valid, paid, in school, not renovated. A case that writes the column
in one row of the table means what it leaves out: unknown."""

OWN_NUMBER = {
    "dwelling_title": "unit_id",
    "entity_role": "uscc",
    "home_contract": "contract_id",
    "medical_settlement": "settlement_id",
    "provident_fund": "account_id",
    "vehicle": "vehicle_id",
}
"""The number of a thing; where no row of its table in the case has one, each row is a thing of its own."""

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


@cache
def _spellings() -> dict[tuple[str, str], dict[str, str]]:
    """Of each coded column every label and other spelling of its codes, and codes without their leading zero."""
    lists = {
        (fact.id, column.name): codes_of(column)
        for fact in fact_tables().values()
        for column in fact.columns
        if column.codes is not None
    }
    lists["household", "urban_rural"] = code_lists()["urban_rural"]
    found = {}
    for key, listed in lists.items():
        if listed is None:
            continue
        words = {label: code for code, label in listed.codes.items()} | listed.aliases
        words |= {
            code.lstrip("0"): code for code in listed.codes if code.lstrip("0") not in (*listed.codes, "")
        }
        found[key] = {word: code for word, code in words.items() if word not in listed.codes}
    return found


@cache
def _months() -> frozenset[tuple[str, str]]:
    """Columns that hold a month: whatever day is written, it is the first."""
    return frozenset(
        (fact.id, column.name)
        for fact in fact_tables().values()
        for column in fact.columns
        if column.type == "month"
    )


def _day(raw: Any) -> date:
    if isinstance(raw, date):
        return raw
    text = str(raw).replace("/", "-")
    if six := MONTH_OF_SIX.match(text):
        text = f"{six[1]}-{six[2]}"
    return date.fromisoformat(f"{text}-01" if MONTH.match(text) else text)


def _value(raw: Any, kind: str, place: tuple[str, str]) -> Any:
    """A value of a case in the type of its column: months may be written 2025-08, codes by their label."""
    if raw is None:
        return None
    try:
        if kind == "DATE":
            day = _day(raw)
            return day.replace(day=1) if place in _months() else day
        if kind.startswith("DECIMAL"):
            return Decimal(str(raw).replace(",", ""))
        if kind in ("BIGINT", "INTEGER"):
            return int(raw)
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{'.'.join(place)}: {raw!r} cannot be read") from error
    if kind == "BOOLEAN":
        word = raw if isinstance(raw, bool) else WORDS.get(str(raw).lower())
        if word is None:
            raise ValueError(f"{'.'.join(place)}: {raw!r} is not true or false")
        return word
    if kind == "VARCHAR":
        return _spellings().get(place, {}).get(str(raw), str(raw))
    return raw


def _stray(names: Iterable[str], known: Iterable[str]) -> str:
    """Names that nobody knows, each with the ones that may be meant."""
    told = []
    for name in sorted(map(str, names)):
        close = get_close_matches(name, list(known), n=3, cutoff=0.5)
        told.append(f"{name!r}" + (f" (meant {' or '.join(close)}?)" if close else ""))
    return ", ".join(told)


def _as_member(entry: Any) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, dict) else {"person_id": entry}


def _families(rows: Iterable[dict[str, Any]], given: dict[str, list[dict[str, Any]]]) -> None:
    """Short notation of a family: household, household_member and person rows."""
    own = set(tables()["person"].columns)
    for number, row in enumerate(rows, start=1):
        row = {"household_id": number} | dict(row)
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
                raise ValueError(
                    f"unknown keys of a member: {_stray(stray, (*own, 'relation', 'needs_check'))}"
                )
            given["person"].append({"is_registered": True} | member)


def _cases(rows: Iterable[dict[str, Any]], given: dict[str, list[dict[str, Any]]]) -> None:
    """Short notation of an assistance case: assistance_case and assistance_member rows. A case is where its family is."""
    homes = {row["household_id"]: row for row in given["household"]}
    lives = {row["person_id"]: homes.get(row["household_id"], {}) for row in given["household_member"]}
    for number, row in enumerate(rows, start=1):
        row = {"case_id": f"case-{number}"} | dict(row)
        members = [_as_member(entry) for entry in row.pop("members", [])]
        home = lives.get(row.get("person_id", members[0]["person_id"] if members else None), {})
        county = row.pop("county", row.pop("county_code", home.get("county_code") or COUNTY))
        case = {
            "category": "1",
            "urban_rural": home.get("urban_rural") or "1",
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


def _one_of_each(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a person: a member of a family and a row of `person` are the same person, and what the row says goes before."""
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        found[row["person_id"]] = found.get(row["person_id"], {}) | row
    return list(found.values())


def _filled(name: str, rows: list[dict[str, Any]], as_of: date) -> list[dict[str, Any]]:
    """Rows with what goes without saying in a case: in force, of its own number, in yuan."""

    def nobody_wrote(column: str) -> bool:
        return not any(column in row for row in rows)

    missing: list[dict[str, Any]] = [{} for _ in rows]
    if name in IN_FORCE and nobody_wrote(IN_FORCE[name][0]):
        column, normal = IN_FORCE[name]
        missing = [{column: normal} for _ in rows]
    if name in OWN_NUMBER and nobody_wrote(OWN_NUMBER[name]):
        for number, told in enumerate(missing, start=1):
            told[OWN_NUMBER[name]] = f"{name}-{number}"
    if name == "custody" and nobody_wrote("status"):
        for row, told in zip(rows, missing, strict=True):
            end = row.get("end_date")
            told["status"] = "1" if end is None or _day(end) >= as_of else "2"
    if name == "financial_asset" and nobody_wrote("currency"):
        missing = [{"currency": "CNY"} if row.get("amount") is not None else {} for row in rows]
    return [told | row for told, row in zip(missing, rows, strict=True)]


def _columns(table: Table, rows: list[dict[str, Any]], as_of: date) -> Mapping[str, list[Any]]:
    grades = {grade: person for person, grade in table.persons.items()}
    columns: dict[str, list[Any]] = {column: [] for column in table.columns}
    for number, row in enumerate(rows, start=1):
        if stray := set(row) - set(table.columns):
            raise ValueError(
                f"{table.id} has no columns {_stray(stray, table.columns)}; it has {', '.join(table.columns)}"
            )
        for column, kind in table.columns.items():
            value = row.get(column)
            if column in grades and column not in row:
                value = "A" if row.get(grades[column]) is not None else None
            elif column == "row_key" and column not in row:
                value = f"{table.id}-{number:04d}"
            elif column == "data_as_of" and table.is_fact and column not in row:
                value = as_of
            columns[column].append(_value(value, kind, (table.id, column)))
    return columns


def frames_of(case: Case | NightBefore, sources: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Tables of a case. Missing columns are unknown; a person that is named is linked with grade A.

    Every source is fresh as of the day, unless the case says otherwise under `source_status`.
    """
    vocabulary = tables()
    given: dict[str, list[dict[str, Any]]] = {name: [] for name in vocabulary}
    _families(case.given.get("families", []), given)
    _cases(case.given.get("cases", []), given)
    for name, rows in case.given.items():
        if name in vocabulary:
            given[name] += rows
        elif name not in ("families", "cases"):
            raise ValueError(f"unknown table {_stray([name], (*vocabulary, 'families', 'cases'))}")
    given["person"] = _one_of_each(given["person"])
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
        columns = _columns(table, _filled(name, rows, case.as_of), case.as_of)
        frames[name] = pl.DataFrame(columns, schema={c: POLARS[kind] for c, kind in table.columns.items()})
    return frames
