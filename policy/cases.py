"""Cases of rules and measures: YAML files that a policy officer can read, and their run.

What belongs here is the comparison of what came out with what a case expects (docs/policy-cases.md); what a case gives is in
`case_tables.py`.
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
from pydantic import ValidationError

from data_contracts.contract import YAML, catalogue
from policy.case_tables import MONTH, Case, NightBefore, frames_of
from policy.engine import Bench, Outcome, Policy, default_policy, run
from policy.parameters import Parameter, replaced
from policy.sql_file import PolicyError

__all__ = [
    "Case",
    "Located",
    "check",
    "differences",
    "frames_of",
    "main",
    "outcome_of",
    "read_cases",
    "with_parameters",
]

IS_RULE = re.compile(r"^[NPXQ]\d{2}(?=_|$)")


@dataclass(frozen=True)
class Located:
    """A case, the rule or measure that it is about, and where it stands."""

    rule_id: str
    """Id of the rule, or of the measure."""
    path: Path
    line: int
    case: Case

    @property
    def label(self) -> str:
        """Name for a test report."""
        return f"{self.rule_id}: {self.case.name}"


def read_cases(path: Path) -> list[Located]:
    """Cases of one file. Raises PolicyError with the line of a bad case.

    The name of the file begins with the id of the rule and `_`, or is the id of the measure.
    """
    text = path.read_text(encoding="utf-8")
    body = yaml.load(text, Loader=YAML)
    root = yaml.compose(text, Loader=YAML)
    if not isinstance(body, list) or not isinstance(root, yaml.SequenceNode):
        raise PolicyError(path, 1, "a file of cases is a list")
    named = IS_RULE.match(path.stem)
    rule_id = named[0] if named else path.stem
    found = []
    for row, node in zip(body, root.value, strict=True):
        line = int(node.start_mark.line) + 1
        try:
            found.append(Located(rule_id, path, line, Case.model_validate(row)))
        except ValidationError as error:
            first = error.errors()[0]
            raise PolicyError(path, line, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return found


@cache
def _class_ids() -> tuple[str, ...]:
    return tuple(catalogue())


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


def _frames(case: Case | NightBefore, needed: Iterable[str]) -> dict[str, pl.DataFrame]:
    return frames_of(case, {*_class_ids(), *needed})


def outcome_of(located: Located, policy: Policy | None = None) -> Outcome:
    """Run the rule of a case on the case's day, after the nights before it."""
    case = located.case
    policy = with_parameters(policy or default_policy(), case.parameters)
    needs, uses = policy.needs_of(policy.rules[located.rule_id])
    named = {source for need in (*needs.values(), *uses.values()) for source in need.sources}
    only, memory, book = [located.rule_id], None, None
    for night in case.before:
        earlier = run(
            _frames(night, named), night.as_of, book, only, policy=policy, strict=True, memory=memory
        )
        memory, book = earlier.memory, earlier.register
    return run(
        _frames(case, named),
        case.as_of,
        book,
        only,
        policy=policy,
        strict=True,
        conclusion=False,
        memory=memory,
    )


def measured(located: Located, policy: Policy | None = None) -> pl.DataFrame:
    """Rows of the measure of a case on the case's day, as the list of the case sees them."""
    policy = with_parameters(policy or default_policy(), located.case.parameters)
    measure = policy.measures[located.rule_id]
    kind = located.case.list_kind
    bench = Bench(policy, _frames(located.case, ()), located.case.as_of, [measure], kinds=[kind])
    try:
        return bench.rows(measure, kind)
    finally:
        bench.close()


def _same(wanted: Any, got: Any) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, list):
        return (
            isinstance(got, list)
            and len(wanted) == len(got)
            and all(_same(one, other) for one, other in zip(wanted, got, strict=True))
        )
    if isinstance(wanted, int | float | Decimal):
        try:
            return Decimal(str(wanted)) == Decimal(str(got))
        except InvalidOperation:
            return False
    text = str(got)
    return str(wanted) == text or (MONTH.match(str(wanted)) is not None and text == f"{wanted}-01")


def _contains(texts: str | list[str], text: Any) -> bool:
    parts = [texts] if isinstance(texts, str) else texts
    return text is not None and all(part in str(text) for part in parts)


def _fits(expected: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row, or its evidence, has every value; `<column>_contains` asks for texts in `<column>` or `<column>_zh`."""
    everything = json.loads(row.get("evidence_json") or "{}") | dict(row)
    for key, wanted in expected.items():
        if key in everything:
            if not _same(wanted, everything[key]):
                return False
        elif not _contains(wanted, everything.get(_asked(key, everything) or "")):
            return False
    return True


def _asked(key: str, columns: Iterable[str]) -> str | None:
    """The column whose text `<column>_contains` asks for; null where there is none."""
    name = key.removesuffix("_contains")
    return None if name == key else next((c for c in (name, f"{name}_zh") if c in columns), None)


TOLD = ("household_id", "person_id", "case_id", "level", "cause_key", "reason_zh")
"""What is shown of a warning that nobody expected; of a measure, the whole row."""


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
        "raised and not expected: " + str({k: row[k] for k in (TOLD if "reason_zh" in row else row)})
        for row in left
    ]
    return problems


def check(located: Located, policy: Policy | None = None) -> list[str]:
    """Problems of one case of a rule or a measure; empty when it holds."""
    policy = policy or default_policy()
    if located.rule_id in policy.measures:
        return _check_measure(located, policy)
    if located.rule_id not in policy.rules:
        raise PolicyError(located.path, located.line, f"there is no rule and no measure {located.rule_id}")
    outcome = outcome_of(located, policy)
    problems = differences(located.case.expect, outcome.warnings.to_dicts())
    statuses = [row | {"reason_zh": row["reason_zh"] or ""} for row in outcome.rule_status.to_dicts()]
    for wanted in located.case.expect_status:
        if not any(_fits(wanted, row) for row in statuses):
            shown = [
                {k: row[k] for k in ("rule_id", "county_code", "status", "reason_zh")} for row in statuses
            ]
            problems.append(f"expected status {wanted}, got {shown}")
    return problems


def _check_measure(located: Located, policy: Policy) -> list[str]:
    columns = set(policy.measures[located.rule_id].header.columns)
    if located.case.expect_status:
        raise PolicyError(located.path, located.line, "a measure has no status; sources switch off rules")
    keys = {key for row in located.case.expect for key in row}
    stray = {key for key in keys if key not in columns and _asked(key, columns) is None}
    if stray:
        raise PolicyError(
            located.path,
            located.line,
            f"{located.rule_id} has no columns {sorted(stray)}, yet they are expected",
        )
    return differences(located.case.expect, measured(located, policy).to_dicts())


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
            try:
                problems = check(located)
            except PolicyError as error:
                sys.stderr.write(f"{error}\n")
                return 2
            if problems:
                failed += 1
                sys.stdout.write(f"{located.path.name}:{located.line}: {located.label}\n")
                sys.stdout.writelines(f"    {problem}\n" for problem in problems)
    sys.stdout.write(f"{ran} cases, {failed} do not hold\n")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
