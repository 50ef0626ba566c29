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
CASES = [located for path in FILES for located in read_cases(path)]


@pytest.mark.parametrize("located", CASES, ids=lambda located: located.label)
def test_case(located):
    assert check(located) == [], f"{located.path.name}:{located.line}"


RULE_FILES = [path for path in FILES if path.parent.name in ("help_in", "check_out")]
MEASURE_FILES = [path for path in FILES if path.parent.name == "measures"]


def test_every_rule_has_cases_and_every_file_a_rule():
    rules = {(rule.list_kind, rule.name) for rule in default_policy().rules.values()}
    assert rules == {(path.parent.name, path.stem) for path in RULE_FILES}
    assert len(rules) >= 12


def test_every_published_measure_has_cases_and_every_file_a_measure():
    measures = default_policy().measures
    named = {path.stem for path in MEASURE_FILES}
    assert {m.id for m in measures.values() if m.header.published} <= named <= set(measures)
    assert named


def test_every_published_measure_has_cases_of_every_kind():
    """Rows and values, unknown input, a false alarm or something that is not counted."""
    for path in MEASURE_FILES:
        cases = read_cases(path)
        assert len(cases) >= 5, path.name
        assert any(located.case.expect for located in cases), path.name
        assert any("unknown" in located.case.name for located in cases), path.name


def test_every_rule_has_cases_of_every_kind():
    """Raised, not raised, unknown, a parameter that changes overnight, a false alarm; grade B for check-out."""
    for path in RULE_FILES:
        names = [located.case.name for located in read_cases(path)]
        assert len(names) >= 8, path.name
        assert any(located.case.expect for located in read_cases(path))
        assert any(not located.case.expect for located in read_cases(path))
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
        twice = [
            n for n, count in Counter(located.case.name for located in read_cases(path)).items() if count > 1
        ]
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


def test_a_case_of_a_measure_that_does_not_hold_is_noticed(tmp_path, capsys):
    path = tmp_path / "current_assistance.yaml"
    path.write_text(
        """
- name: a row that nobody expects
  as_of: 2025-11-17
  given: &one
    cases: [{case_id: c1, members: [11]}]
  expect: []
- name: a row that does not come
  as_of: 2025-11-17
  expect: [{case_id: c1}]
- name: a figure that differs
  as_of: 2025-11-17
  given: *one
  expect: [{case_id: c1, benefit_per_month: 501}]
- name: a text that is not there
  as_of: 2025-11-17
  given: *one
  expect: [{case_id: c1, category_zh_contains: [特困]}]
- name: a row as it is
  as_of: 2025-11-17
  given: *one
  expect: [{case_id: c1, benefit_per_month: 500, category_zh_contains: [低保]}]
""",
        encoding="utf-8",
    )
    assert main([str(path)]) == 1
    assert "5 cases, 4 do not hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "case", "why"),
    [
        ("no_such_measure", "expect: []", "there is no rule and no measure no_such_measure"),
        ("current_assistance", "expect: [{colour: red}]", "has no columns"),
        ("current_assistance", "expect: [], expect_status: [{status: 'on'}]", "a measure has no status"),
        ("current_assistance", "expect: [], list_kind: both", "list_kind"),
    ],
)
def test_a_case_that_asks_for_what_no_measure_has_is_refused(tmp_path, capsys, name, case, why):
    path = tmp_path / f"{name}.yaml"
    path.write_text(f"- {{name: a, as_of: 2025-11-17, {case}}}", encoding="utf-8")
    assert main([str(path)]) == 2
    assert why in capsys.readouterr().err


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
