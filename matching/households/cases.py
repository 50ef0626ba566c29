"""Cases of households that an officer can write: people, facts, and the families that must come out of them.

    python -m matching.households.cases FILE...

Exit status 1 when a case does not hold, 2 when a file cannot be read. The format is told in `docs/household-cases.md`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from data_contracts.contract import YAML, codes_of, fact_tables
from matching.households import Households, assemble
from matching.households.frames import READ, dtype

HOME = "150902100200"
"""Village in which everybody is registered unless the case says otherwise."""

SOURCES = {
    "register_membership": "ps_household_member",
    "registered_resident": "ps_resident",
    "residence": "ps_residence_permit",
    "marriage": "ca_marriage",
    "birth": "hl_birth_death_cert",
    "death": "ps_death",
    "custody": "ps_custody",
    "school_enrolment": "ed_enrolment",
    "disability": "dp_disability_cert",
    "housing_aid_member": "hc_housing_aid",
    "assistance_case": "ca_assist_household",
    "assistance_member": "ca_assist_member",
    "welfare_subsidy": "ca_welfare_subsidy",
}
"""Class that a fact comes from where the case does not say."""

MONTH = re.compile(r"\d{4}-\d{2}$")


class CaseError(Exception):
    """A file of cases that cannot be read."""


class Closed(BaseModel):
    """A model without unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Expected(Closed):
    """What must come out. A key that is left out is not looked at; families always are."""

    families: list[list[str]]
    check: list[str] | dict[str, str] | None = None
    kinds: dict[str, str] = {}
    relations: dict[str, str] = {}
    basis: dict[str, str] = {}
    edges: list[dict[str, Any]] = []
    supporters: list[dict[str, Any]] | None = None
    conflicts: list[dict[str, Any]] | None = None
    excluded: list[dict[str, Any]] | None = None
    declared: list[dict[str, Any]] | None = None
    events: list[dict[str, Any]] | None = None


class Night(Closed):
    """One night: what is known, in short notations and as rows of fact tables, and what must come out."""

    as_of: date | None = None
    books: dict[str, dict[str, Any]] = {}
    collective: dict[str, dict[str, Any]] = {}
    unstated: dict[str, dict[str, Any]] = {}
    left: dict[str, date] = {}
    parents: dict[str, tuple[str | None, str | None]] = {}
    marriages: list[tuple[str, str, str, date]] = []
    births: list[tuple[str, str | None, str | None]] = []
    deaths: dict[str, date | None] = {}
    custody: dict[str, tuple[str, date | None, date | None, str]] = {}
    lives: dict[str, str] = {}
    pupils: list[str] = []
    guardians: dict[str, str] = {}
    disabled: dict[str, tuple[str, str]] = {}
    dwellings: dict[str, list[str]] = {}
    helped: dict[str, list[str]] = {}
    subsidies: dict[str, date] = {}
    facts: dict[str, list[dict[str, Any]]] = {}
    expect: Expected


class Case(Night):
    """A first night, and nights that follow: a key that is written takes the place of that of the night before."""

    name: str
    people: dict[str, tuple[str, date | None]]
    nights: list[dict[str, Any]] = []


@cache
def _codes(table: str, column: str) -> dict[str, str]:
    """Chinese labels and aliases of the codes of a fact column, and what code each means."""
    for found in fact_tables()[table].columns:
        if found.name == column and (listed := codes_of(found)):
            return {zh: code for code, zh in listed.codes.items()} | listed.aliases
    return {}


def _value(table: str, column: str, raw: Any, ids: Mapping[str, int]) -> Any:
    """A value of a case in the type of its column: names become ids, Chinese words codes, 2025-08 a day."""
    if raw is None:
        return None
    kind = dtype(column)
    if kind == pl.Int64():
        return ids[raw]
    if kind == pl.Date():
        return (
            raw
            if isinstance(raw, date)
            else date.fromisoformat(f"{raw}-01" if MONTH.match(str(raw)) else str(raw))
        )
    if kind == pl.Boolean():
        return raw
    return _codes(table, column).get(str(raw), str(raw))


def _table(name: str, rows: list[dict[str, Any]], ids: Mapping[str, int], as_of: date) -> pl.DataFrame:
    """A fact table from rows that say only what matters; every link is certain unless the row says otherwise."""
    columns: dict[str, pl.DataType] = {c: dtype(c) for c in (*READ[name], "source_class", "data_as_of")}
    grades = {
        c.removesuffix("person_id") + "link_grade": pl.String() for c in columns if c.endswith("person_id")
    }
    plain = {c.removesuffix("_person_id").removesuffix("_id"): c for c in columns if c.endswith("person_id")}
    filled = []
    for number, row in enumerate(rows):
        named = {plain.get(key, key): value for key, value in row.items()}
        if stray := sorted(set(named) - set(columns) - set(grades)):
            raise CaseError(f"{name} has no column {', '.join(stray)}")
        start: dict[str, Any] = dict.fromkeys(columns) | dict.fromkeys(grades, "A")
        start |= {"source_class": SOURCES.get(name, name), "data_as_of": as_of}
        if "row_key" in columns:
            start["row_key"] = f"r{number}"
        filled.append(
            start
            | {key: value if key in grades else _value(name, key, value, ids) for key, value in named.items()}
        )
    return pl.DataFrame(filled, schema={**columns, **grades})


def _membership(night: Night) -> list[dict[str, Any]]:
    rows = []
    for collective, books in ((False, night.books), (True, night.collective), (None, night.unstated)):
        for book, people in books.items():
            entries = {p: e if isinstance(e, dict) else {"relation": e} for p, e in people.items()}
            head = next((p for p, e in entries.items() if e["relation"] in ("02", "户主")), None)
            for person, entry in entries.items():
                mother, father = night.parents.get(person, (None, None))
                rows.append(
                    {
                        "person_id": person,
                        "head_person_id": head,
                        "mother_person_id": mother,
                        "father_person_id": father,
                        "register_id": book,
                        "is_collective": collective,
                        "relation_to_head": entry["relation"],
                        "join_date": entry.get("since", date(2010, 1, 1)),
                        "leave_date": entry.get("until", night.left.get(person)),
                        "spouse_person_id": entry.get("spouse"),
                    }
                )
    return rows


def facts_of(case: Case, night: Night) -> tuple[dict[str, pl.DataFrame], dict[str, int], date]:
    """The fact tables of a night of a case, the ids of its people, and its day."""
    ids = {name: number for number, name in enumerate(case.people, start=1)}
    as_of = night.as_of or case.as_of or date(2025, 11, 17)
    written = night.facts
    rows: dict[str, list[dict[str, Any]]] = {
        "person": [
            {"person_id": p, "sex": sex, "birth_date": born, "is_registered": True}
            for p, (sex, born) in case.people.items()
        ],
        "registered_resident": [
            {"person_id": p, "village_code": HOME, "urban_rural": "2", "register_status": "1"}
            for p in case.people
            if p not in {row.get("person") for row in written.get("registered_resident", [])}
        ],
        "register_membership": _membership(night),
        "marriage": [
            {"male_person_id": m, "female_person_id": f, "reg_type": kind, "reg_date": on}
            for m, f, kind, on in night.marriages
        ],
        "birth": [
            {"person_id": c, "mother_person_id": m, "father_person_id": f, "birth_date": case.people[c][1]}
            for c, m, f in night.births
        ],
        "death": [{"person_id": p, "death_date": on} for p, on in night.deaths.items()],
        "custody": [
            {"person_id": p, "custody_type": kind, "start_date": start, "end_date": end, "status": status}
            for p, (kind, start, end, status) in night.custody.items()
        ],
        "school_enrolment": [
            *(
                {"person_id": p, "status": "1", "guardian_person_id": night.guardians.get(p)}
                for p in night.pupils
            ),
            *(
                {"person_id": p, "guardian_person_id": g}
                for p, g in night.guardians.items()
                if p not in night.pupils
            ),
        ],
        "disability": [
            {"person_id": p, "dis_type": kind, "dis_grade": grade, "status": "1"}
            for p, (kind, grade) in night.disabled.items()
        ],
        "residence": [
            {"person_id": p, "village_code": village, "live_since": date(2020, 1, 1)}
            for p, village in night.lives.items()
        ],
        "housing_aid_member": [
            {"person_id": p, "row_key": home, "start_date": date(2020, 1, 1)}
            for home, people in night.dwellings.items()
            for p in people
        ],
        "assistance_case": [
            {
                "person_id": people[0],
                "case_id": number,
                "status": status,
                "category": "1",
                "start_month": date(2024, 1, 1),
            }
            for number, (status, *people) in night.helped.items()
        ],
        "assistance_member": [
            {"person_id": p, "case_id": number, "is_covered": True}
            for number, (_, *people) in night.helped.items()
            for p in people
        ],
        "welfare_subsidy": [
            {"person_id": p, "pay_month": month, "status": "1"} for p, month in night.subsidies.items()
        ],
    }
    if stray := sorted(set(written) - set(rows)):
        raise CaseError(f"households do not read {', '.join(stray)}")
    tables = {
        name: _table(name, [*found, *written.get(name, [])], ids, as_of) for name, found in rows.items()
    }
    return tables, ids, as_of


def nights_of(case: Case) -> list[Night]:
    """The nights of a case, each with what it keeps of the one before."""
    keys = set(Night.model_fields)
    found = [Night.model_validate(case.model_dump(include=keys))]
    for change in case.nights:
        before = found[-1].model_dump(exclude={"expect"})
        found.append(Night.model_validate(before | change))
    return found


def results(case: Case) -> list[tuple[Night, Households, dict[int, str], Households | None]]:
    """Every night with its households, the names of the people by id, and the households of the night before."""
    found: list[tuple[Night, Households, dict[int, str], Households | None]] = []
    before: Households | None = None
    for night in nights_of(case):
        tables, ids, as_of = facts_of(case, night)
        result = assemble(tables, before.frames() if before else None, as_of)
        found.append((night, result, {number: name for name, number in ids.items()}, before))
        before = result
    return found


def _differs(what: str, found: Any, expected: Any) -> list[str]:
    return [] if found == expected else [f"{what}: found {found}, expected {expected}"]


def _fits(row: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether a row has what a case says of it; `<column>_contains` asks for a text in a column."""
    for key, value in expected.items():
        if key.endswith("_contains"):
            texts = value if isinstance(value, list) else [value]
            if not all(str(text) in str(row[key.removesuffix("_contains")]) for text in texts):
                return False
        elif row[key] != value:
            return False
    return True


def _rows(what: str, found: list[dict[str, Any]], expected: list[dict[str, Any]] | None) -> list[str]:
    """Every found row must be expected, every expected one found: pairwise in any order."""
    if expected is None:
        return []
    left, missing = list(found), []
    for row in expected:
        if stray := [k for k in row if found and k.removesuffix("_contains") not in found[0]]:
            return [f"{what} have no {', '.join(stray)}"]
        hit = next((r for r in left if _fits(r, row)), None)
        if hit is None:
            missing.append(row)
        else:
            left.remove(hit)
    return [f"{what}: not found {row}" for row in missing] + [f"{what}: not expected {row}" for row in left]


def _named(frame: pl.DataFrame, names: Mapping[int, str], columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows with people by name; `columns`: column of the frame -> key of a case."""
    people = {c for c in columns if "person_id" in c}
    return [
        {key: names.get(row[c], row[c]) if c in people else row[c] for c, key in columns.items()}
        for row in frame.iter_rows(named=True)
    ]


def _problems(
    night: Night, result: Households, names: Mapping[int, str], before: Households | None
) -> list[str]:
    """What does not hold of one night, in words."""
    expect, member = night.expect, result.household_member
    by_name = {names[row["person_id"]]: row for row in member.iter_rows(named=True)}
    homes: dict[int, list[str]] = {}
    for name, row in by_name.items():
        homes.setdefault(row["household_id"], []).append(name)
    problems = _differs(
        "families", sorted(sorted(h) for h in homes.values()), sorted(sorted(h) for h in expect.families)
    )
    flagged = {name: row["check_zh"] for name, row in by_name.items() if row["needs_check"]}
    if isinstance(expect.check, dict):
        problems += _differs("check", sorted(flagged), sorted(expect.check))
        problems += [
            f"check of {name}: {flagged[name]} does not say {text}"
            for name, text in expect.check.items()
            if name in flagged and text not in flagged[name]
        ]
    elif expect.check is not None:
        problems += _differs("check", sorted(flagged), sorted(expect.check))
    for what, wanted, column in (
        ("kind", expect.kinds, "dependant_kind"),
        ("relation", expect.relations, "relation"),
        ("basis", expect.basis, "basis"),
    ):
        for name, value in wanted.items():
            code = (
                _codes("register_membership", "relation_to_head").get(value, value)
                if column == "relation"
                else value
            )
            problems += _differs(f"{what} of {name}", by_name.get(name, {}).get(column), code)
    edge_keys = {"person_id_a": "a", "person_id_b": "b"} | {
        c: c for c in ("kind", "source_class", "since", "until", "confidence")
    }
    edges = _named(result.household_edge, names, edge_keys)
    problems += [f"edges: not found {row}" for row in expect.edges if not any(_fits(e, row) for e in edges)]
    support = [
        {"of": e["b"], "by": e["a"], "confidence": e["confidence"]} for e in edges if e["kind"] == "supporter"
    ]
    problems += _rows("supporters", support, expect.supporters)
    conflict = {
        "person_id": "person",
        "kind": "kind",
        "claim_person_id_1": "first",
        "claim_person_id_2": "second",
    }
    conflict |= {c: c for c in ("source_class_1", "source_class_2", "since", "reason_zh")}
    problems += _rows("conflicts", _named(result.household_conflict, names, conflict), expect.conflicts)
    spells = {"person_id": "person"} | {c: c for c in ("kind", "happened_on", "since", "until")}
    problems += _rows("excluded", _named(result.household_exclusion, names, spells), expect.excluded)
    cases = {"case_id": "case", "person_id": "person"} | {
        c: c for c in ("case_unit", "in_case", "in_family", "kind", "since", "reason_zh")
    }
    told = result.household_declared.filter(pl.col("kind").is_not_null())
    problems += _rows("declared", _named(told, names, cases), expect.declared)
    problems += _rows("events", _events(result, names, before), expect.events)
    return problems


def _events(result: Households, names: Mapping[int, str], before: Households | None) -> list[dict[str, Any]]:
    """Events with households told by their people: of last night, or of tonight where there were none."""
    whose: dict[int, list[str]] = {}
    for frame in (result.household_member, before.household_member if before else None):
        if frame is not None:
            for household_id, people in frame.group_by("household_id").agg("person_id").iter_rows():
                whose[household_id] = sorted(names[p] for p in people)
    return [
        {
            "event": row["event"],
            "household": whose.get(row["household_id"]),
            "other": whose.get(row["other_household_id"]),
            "person": names.get(row["person_id"]),
            "reason": row["reason"],
        }
        for row in result.household_event.iter_rows(named=True)
    ]


def check(case: Case) -> list[str]:
    """What does not hold of a case, in words; nothing when it holds."""
    found = []
    for number, (night, result, names, before) in enumerate(results(case)):
        which = f"night {number + 1}: " if case.nights else ""
        found += [which + problem for problem in _problems(night, result, names, before)]
    return found


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. CaseError when one is not of the format, with its name."""
    body = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML)
    if not isinstance(body, list):
        raise CaseError(f"{path.name}: a file of cases is a list")
    found = []
    for row in body:
        try:
            found.append(Case.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise CaseError(f"{path.name}: {row.get('name', '?')}: {where}: {first['msg']}") from error
    return found


def main(arguments: list[str]) -> int:
    """Run files of cases and print what does not hold."""
    ran = failed = 0
    for name in arguments:
        try:
            cases = read_cases(Path(name))
            for case in cases:
                ran += 1
                if problems := check(case):
                    failed += 1
                    sys.stdout.write(f"{Path(name).name}: {case.name}\n")
                    sys.stdout.writelines(f"    {problem}\n" for problem in problems)
        except (CaseError, OSError, KeyError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(f"{ran} cases, {failed} do not hold\n")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
