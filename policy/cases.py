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
from difflib import get_close_matches
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import ValidationError

from data_contracts.contract import YAML, catalogue
from policy.case_tables import MONTH, WORDS, Case, NightBefore, frames_of
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


class _Loader(YAML):
    """As officers read YAML: only true and false are yes and no; `on`, `off`, `yes`, `no` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF")
)

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
    try:
        body = yaml.load(text, Loader=_Loader)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(
            path, mark.line + 1 if mark else 1, f"is not YAML: {getattr(error, 'problem', error)}"
        ) from error
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


def _words_of(parameter: Parameter, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a value that a case leaves out (names, units, comparators), as the latest value of the country has them."""
    header = parameter.header
    words = [name for name, kind in header.columns.items() if kind == "text"]
    wanted = tuple(keys.get(key) for key in header.keys)
    known = [
        value
        for value in parameter.written
        if value.division == "000000" and value.keys == wanted and value.columns is not None
    ]
    if not words or not known:
        return {}
    latest = dict(
        zip(header.columns, max(known, key=lambda value: value.valid_from).columns or (), strict=True)
    )
    return {name: latest[name] for name in words}


def _windows_left_alone(parameter: Parameter, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Windows that a case does not speak of keep their lengths; a value without a window is spoken of all."""
    if "window" not in parameter.header.keys or any("window" not in row for row in rows):
        return []
    at = list(parameter.header.keys).index("window")
    spoken = {name for row in rows for name in _each(row.get("window"))}
    return [
        dict(zip(parameter.header.keys, value.keys, strict=True))
        | dict(zip(parameter.header.columns, value.columns, strict=True))
        | {"division": value.division, "from": value.valid_from, "to": value.valid_to}
        | {"source": value.source, "evidence": value.evidence}
        for value in parameter.written
        if value.columns is not None and value.keys[at] not in spoken
    ]


def _each(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw]


def _one_key_each(parameter: Parameter, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A value of a case as rows with one value for each key: what it lists, and every value of a closed key that it leaves out."""
    keys = {
        key: _each(row[key]) if key in row else domain or [None]
        for key, domain in parameter.header.keys.items()
    }
    found = []
    for combination in product(*keys.values()):
        one = {key: value for key, value in zip(keys, combination, strict=True) if value is not None}
        found.append({**_words_of(parameter, one), **row, **one})
    return found


def with_parameters(policy: Policy, overrides: Mapping[str, list[dict[str, Any]]]) -> Policy:
    """The policy with other values for some parameters."""
    if not overrides:
        return policy
    values = dict(policy.parameters)
    for name, rows in overrides.items():
        if name not in values:
            close = get_close_matches(name, list(values), n=3, cutoff=0.5)
            raise ValueError(
                f"unknown parameter {name!r}" + (f" (meant {' or '.join(close)}?)" if close else "")
            )
        complete = [
            {"source": "用例", "evidence": "published", "from": date(2000, 1, 1), "division": "000000"} | one
            for row in rows
            for one in _one_key_each(values[name], row)
        ]
        values[name] = replaced(values[name], complete + _windows_left_alone(values[name], rows))
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
    views = _frames(located.case, ())
    bench = Bench(policy, views, located.case.as_of, [measure], kinds=[kind], is_scored=False)
    try:
        return bench.rows(measure, kind)
    finally:
        bench.close()


def _same(wanted: Any, got: Any) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    if isinstance(wanted, bool) or isinstance(got, bool):
        return (WORDS.get(wanted.lower()) if isinstance(wanted, str) else wanted) is got
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
    warnings = outcome.warnings.to_dicts()
    problems = differences(located.case.expect, warnings)
    if problems:
        problems += _hints(located, policy, outcome)
    statuses = [row | {"reason_zh": row["reason_zh"] or ""} for row in outcome.rule_status.to_dicts()]
    for wanted in located.case.expect_status:
        if not any(_fits(wanted, row) for row in statuses):
            shown = [
                {k: row[k] for k in ("rule_id", "county_code", "status", "reason_zh")} for row in statuses
            ]
            problems.append(f"expected status {wanted}, got {shown}")
    return problems


def _hints(located: Located, policy: Policy, outcome: Outcome) -> list[str]:
    """Why a rule may not have said what a case expects: no such column, off in a place, or seen and left out with a reason."""
    rule = policy.rules[located.rule_id]
    known = {*outcome.warnings.columns, *rule.header.evidence}
    asked = {key for row in located.case.expect for key in row}
    stray = sorted(key for key in asked if key not in known and _asked(key, known) is None)
    told = [
        f"hint: {rule.header.id} has no {key!r}; it has {', '.join((*TOLD[:-1], *rule.header.evidence))}"
        for key in stray
    ]
    told += [
        f"hint: off in {row['county_code'] or 'every county'}: {row['reason_zh']}"
        for row in outcome.rule_status.to_dicts()
        if row["status"] == "off"
    ]
    told += [f"hint: seen and left out: {row['why_zh']}" for row in outcome.left_out.to_dicts()]
    return told


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
    """Run files of cases; exit status 1 when one does not hold, 2 when a file or a case cannot be read."""
    failed = ran = broken = 0
    try:
        policy = default_policy()
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for name in arguments:
        try:
            located_cases = read_cases(Path(name))
        except (PolicyError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            broken += 1
            continue
        for located in located_cases:
            ran += 1
            try:
                problems = check(located, policy)
            except (PolicyError, ValueError, TypeError, KeyError) as error:
                broken += 1
                sys.stderr.write(f"{located.path.name}:{located.line}: {located.label}\n    {error}\n")
                continue
            if problems:
                failed += 1
                sys.stdout.write(f"{located.path.name}:{located.line}: {located.label}\n")
                sys.stdout.writelines(f"    {problem}\n" for problem in problems)
    unread = f", {broken} cannot be read" if broken else ""
    sys.stdout.write(f"{ran} cases, {failed} do not hold{unread}\n")
    if broken:
        return 2
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
