"""Every rule holds its cases, every rule has them, and a case that does not hold is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from policy.cases import check, main, read_cases
from policy.engine import default_policy
from policy.sql_file import PolicyError

FOLDER = Path(__file__).parent / "cases"
FILES = sorted(FOLDER.glob("*/*.yaml"))
READ = {path: read_cases(path) for path in FILES}
CASES = [located for cases in READ.values() for located in cases]


@pytest.mark.parametrize("located", CASES, ids=lambda located: located.label)
def test_case(located):
    assert check(located) == [], f"{located.path.name}:{located.line}"


def test_every_rule_has_cases_and_every_file_a_rule():
    rules = {(rule.list_kind, rule.name) for rule in default_policy().rules.values()}
    assert rules == {(path.parent.name, path.stem) for path in FILES}
    assert len(rules) == 12


def test_every_rule_has_cases_of_every_kind():
    """Raised, not raised, unknown, a parameter that changes overnight, a false alarm; grade B for check-out."""
    for path in FILES:
        names = [located.case.name for located in READ[path]]
        assert len(names) >= 8, path.name
        assert any(located.case.expect for located in READ[path])
        assert any(not located.case.expect for located in READ[path])
        for words in (
            ("unknown",),
            ("day before",),
            ("day on which", "day it begins", "day from which"),
            ("false alarm", "refund"),
        ):
            assert any(word in name for word in words for name in names), (path.name, words)
        if path.parent.name == "check_out":
            assert any("grade-B" in name for name in names), path.name


def test_names_of_cases_are_distinct():
    for path in FILES:
        twice = [n for n, count in Counter(located.case.name for located in READ[path]).items() if count > 1]
        assert twice == []


def test_a_case_that_does_not_hold_is_noticed(tmp_path, capsys):
    path = tmp_path / "X04_vehicle.yaml"
    path.write_text(
        """
- name: a car that nobody expects
  as_of: 2025-11-17
  given:
    families: [{household_id: 1, members: [11]}]
    cases: [{case_id: c1, members: [11]}]
    vehicle: [{person_id: 11, vehicle_id: v1, vehicle_type: K33, status: A}]
  expect: []
- name: a car that does not come
  as_of: 2025-11-17
  expect: [{case_id: c1}]
- name: a figure that differs
  as_of: 2025-11-17
  given:
    families: [{household_id: 1, members: [11]}]
    cases: [{case_id: c1, members: [11]}]
    vehicle: [{person_id: 11, vehicle_id: v1, vehicle_type: K33, status: A}]
  expect: [{case_id: c1, vehicles: 2}]
""",
        encoding="utf-8",
    )
    assert main([str(path)]) == 1
    shown = capsys.readouterr().out
    assert "3 cases, 3 do not hold" in shown
    assert "raised and not expected" in shown
    assert "expected and not raised" in shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- {name: a, as_of: 2025-11-17, expect: [], wrong: 1}", "wrong"),
        ("- {name: a, expect: []}", "as_of"),
        ("name: a", "a list"),
    ],
)
def test_a_case_with_a_typo_is_refused(tmp_path, text, why):
    path = tmp_path / "X04_vehicle.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=why):
        read_cases(path)


@pytest.mark.parametrize("given", ["{vehicles: [{person_id: 1}]}", "{vehicle: [{owner: 1}]}"])
def test_an_unknown_table_or_column_in_a_case_is_an_error(tmp_path, given):
    path = tmp_path / "X04_vehicle.yaml"
    path.write_text(f"- {{name: a, as_of: 2025-11-17, expect: [], given: {given}}}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"unknown table|has no columns"):
        check(read_cases(path)[0])
