"""Cases of rules: a YAML file that a policy officer can read, and its run.

What belongs here is the format (docs/policy-cases.md) and the comparison of what a rule raised with what its case expects.
`python -m policy.cases FILE...` runs files of that format from anywhere.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import Field, ValidationError

from data_contracts.contract import YAML, catalogue
from policy.engine import Outcome, Policy, default_policy, run
from policy.parameters import Parameter, replaced
from policy.sql_file import Closed, PolicyError, Text
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


class Case(Closed):
    """One case: a day, what is known on it, and what must come out."""

    name: Text
    as_of: date
    parameters: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    """Parameter -> values that stand in for the file's own in this case."""
    given: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    expect: list[dict[str, Any]]
    expect_status: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class Located:
    """A case, the rule that it is about, and where it stands."""

    rule_id: str
    path: Path
    line: int
    case: Case

    @property
    def label(self) -> str:
        """Name for a test report."""
        return f"{self.rule_id}: {self.case.name}"


def read_cases(path: Path) -> list[Located]:
    """Cases of one file; its name begins with the id of the rule. Raises PolicyError with the line of a bad case."""
    text = path.read_text(encoding="utf-8")
    body = yaml.load(text, Loader=YAML)
    root = yaml.compose(text, Loader=YAML)
    if not isinstance(body, list) or not isinstance(root, yaml.SequenceNode):
        raise PolicyError(path, 1, "a file of cases is a list")
    rule_id = path.stem.split("_", 1)[0]
    found = []
    for row, node in zip(body, root.value, strict=True):
        line = int(node.start_mark.line) + 1
        try:
            found.append(Located(rule_id, path, line, Case.model_validate(row)))
        except ValidationError as error:
            first = error.errors()[0]
            raise PolicyError(path, line, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return found


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


@cache
def _class_ids() -> tuple[str, ...]:
    return tuple(catalogue())


def frames_of(case: Case, sources: Iterable[str]) -> dict[str, pl.DataFrame]:
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


def _left_out(parameter: Parameter, row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every combination of the closed keys that a value of a case leaves out."""
    closed = {key: domain for key, domain in parameter.header.keys.items() if domain and key not in row}
    return [dict(zip(closed, combination, strict=True)) for combination in product(*closed.values())]


def with_parameters(policy: Policy, overrides: Mapping[str, list[dict[str, Any]]]) -> Policy:
    """The policy with other values for some parameters."""
    if not overrides:
        return policy
    values = dict(policy.parameters)
    for name, rows in overrides.items():
        complete = [
            {"source": "用例", "evidence": "published", "from": date(2000, 1, 1), "division": "000000"}
            | keys
            | row
            for row in rows
            for keys in _left_out(values[name], row)
        ]
        values[name] = replaced(values[name], complete)
    return Policy(policy.rules, policy.measures, policy.score, values)


def outcome_of(located: Located, policy: Policy | None = None) -> Outcome:
    """Run the rule of a case on the case's day."""
    policy = with_parameters(policy or default_policy(), located.case.parameters)
    needs, uses = policy.needs_of(policy.rules[located.rule_id])
    named = {source for need in (*needs.values(), *uses.values()) for source in need.sources}
    frames = frames_of(located.case, {*_class_ids(), *named})
    return run(
        frames, located.case.as_of, only=[located.rule_id], policy=policy, strict=True, conclusion=False
    )


def _same(wanted: Any, got: Any) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, int | float | Decimal):
        try:
            return Decimal(str(wanted)) == Decimal(str(got))
        except InvalidOperation:
            return False
    text = str(got)
    return str(wanted) == text or (MONTH.match(str(wanted)) is not None and text == f"{wanted}-01")


def _fits(expected: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    evidence = json.loads(row["evidence_json"])
    for key, wanted in expected.items():
        if key == "reason_contains":
            parts = [wanted] if isinstance(wanted, str) else wanted
            if not all(part in row["reason_zh"] for part in parts):
                return False
        elif key in row:
            if not _same(wanted, row[key]):
                return False
        elif key not in evidence or not _same(wanted, evidence[key]):
            return False
    return True


def differences(expected: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[str]:
    """What a case expected and did not get, or got and did not expect; empty when it holds."""
    left = list(rows)
    problems = []
    for wanted in expected:
        match = next((row for row in left if _fits(wanted, row)), None)
        if match is None:
            problems.append(f"expected and not raised: {wanted}")
        else:
            left.remove(match)
    problems += [
        "raised and not expected: "
        + str(
            {k: row[k] for k in ("household_id", "person_id", "case_id", "level", "cause_key", "reason_zh")}
        )
        for row in left
    ]
    return problems


def check(located: Located, policy: Policy | None = None) -> list[str]:
    """Problems of one case; empty when it holds."""
    outcome = outcome_of(located, policy)
    problems = differences(located.case.expect, outcome.warnings.to_dicts())
    statuses = [
        {**row, "evidence_json": "{}", "reason_zh": row["reason_zh"] or ""}
        for row in outcome.rule_status.to_dicts()
    ]
    for wanted in located.case.expect_status:
        if not any(_fits(wanted, row) for row in statuses):
            shown = [
                {k: row[k] for k in ("rule_id", "county_code", "status", "reason_zh")} for row in statuses
            ]
            problems.append(f"expected status {wanted}, got {shown}")
    return problems


def main(arguments: list[str]) -> int:
    """Run files of cases; exit status 1 when one does not hold, 2 when a file cannot be read."""
    failed = ran = 0
    for name in arguments:
        try:
            located_cases = read_cases(Path(name))
        except (PolicyError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        for located in located_cases:
            ran += 1
            if problems := check(located):
                failed += 1
                sys.stdout.write(f"{located.path.name}:{located.line}: {located.label}\n")
                sys.stdout.writelines(f"    {problem}\n" for problem in problems)
    sys.stdout.write(f"{ran} cases, {failed} do not hold\n")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
