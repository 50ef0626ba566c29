"""What goes without saying in a case, what may be written in words, and what an error tells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from policy.case_tables import Case, frames_of
from policy.cases import main, read_cases, with_parameters
from policy.engine import default_policy

DAY = date(2025, 11, 17)


def rows(table, **given):
    return frames_of(Case(name="x", as_of=DAY, given=given, expect=[]), ())[table].to_dicts()


def column(table, name, told):
    return [row[name] for row in rows(table, **{table: told})]


def run(tmp_path, capsys, name, text):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    status = main([str(path)])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.mark.parametrize(
    ("table", "name", "normal"),
    [
        ("disability", "status", "1"),
        ("vehicle", "status", "A"),
        ("house_safety", "renovation", "0"),
        ("assistance_payment", "pay_status", "1"),
    ],
)
def test_a_row_whose_status_nobody_wrote_is_in_force(table, name, normal):
    assert column(table, name, [{"person_id": 11}, {"person_id": 12}]) == [normal, normal]


def test_a_status_that_one_row_writes_is_unknown_in_the_others():
    assert column("vehicle", "status", [{"person_id": 11, "status": "E"}, {"person_id": 12}]) == ["E", None]
    assert column("vehicle", "status", [{"person_id": 11, "status": None}]) == [None]


def test_custody_lasts_until_its_end():
    told = [
        {"person_id": 11},
        {"person_id": 12, "end_date": DAY},
        {"person_id": 13, "end_date": date(2025, 11, 16)},
    ]
    assert column("custody", "status", told) == ["1", "1", "2"]


def test_things_without_a_number_are_things_of_their_own():
    units = column("dwelling_title", "unit_id", [{"person_id": 11}, {"person_id": 11}])
    assert None not in units
    assert len(set(units)) == 2
    assert column("vehicle", "vehicle_id", [{"person_id": 11, "vehicle_id": "v"}, {"person_id": 11}]) == [
        "v",
        None,
    ]


def test_money_without_a_currency_is_in_yuan_and_no_answer_has_none():
    told = [{"person_id": 11, "result": "1", "amount": 5}, {"person_id": 12, "result": "3"}]
    assert column("financial_asset", "currency", told) == ["CNY", None]


def test_codes_months_amounts_and_yes_may_be_written_as_people_write_them():
    (case,) = rows("assistance_case", cases=[{"category": "低保", "start_month": "202410", "members": [11]}])
    assert (case["category"], case["start_month"]) == ("1", date(2024, 10, 1))
    (wage,) = rows(
        "taxed_income",
        taxed_income=[{"person_id": 11, "income_item": 1, "month": date(2025, 5, 9), "income": "3,000"}],
    )
    assert (wage["income_item"], wage["month"], wage["income"]) == (
        "01",
        date(2025, 5, 1),
        Decimal("3000.00"),
    )
    assert column("rural_monitor", "is_risk_removed", [{"person_id": 11, "is_risk_removed": "no"}]) == [False]


def test_a_member_who_is_also_a_row_of_person_is_one_person():
    (person,) = rows(
        "person", families=[{"members": [11]}], person=[{"person_id": 11, "birth_date": date(1950, 1, 1)}]
    )
    assert (person["birth_date"], person["is_registered"]) == (date(1950, 1, 1), True)


def test_a_case_is_where_its_family_is_whatever_stands_first():
    (case,) = rows(
        "assistance_case",
        cases=[{"members": [11]}],
        families=[{"county": "130104", "urban_rural": "农村", "members": [11]}],
    )
    assert (case["urban_rural"], case["village_code"][:6]) == ("2", "130104")


def test_words_that_a_value_leaves_out_are_those_of_the_country():
    policy = with_parameters(
        default_policy(), {"medical_selfpay_limit": [{"category": ["none", "dibao"], "amount": 12000}]}
    )
    values = {value.keys: value.columns for value in policy.parameters["medical_selfpay_limit"].values}
    assert values == {
        ("none",): (Decimal("12000.00"), "非低收入人口"),
        ("dibao",): (Decimal("12000.00"), "低保对象"),
    }


def test_windows_that_a_case_does_not_speak_of_stay():
    policy = with_parameters(default_policy(), {"warning_window": [{"window": "jobless_over", "length": 9}]})
    values = {value.keys[0]: value.columns for value in policy.parameters["warning_window"].values}
    assert values["jobless_over"] == (9, "month")
    assert values["escalation"] == (90, "day")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("{vehicles: [{person_id: 1}]}", "meant vehicle"),
        ("{vehicle: [{person_id: 1, type: K33}]}", "meant vehicle_type"),
        ("{families: [{members: [{person_id: 1, birthdate: 1980-01-01}]}]}", "meant birth_date"),
        (
            "{vehicle: [{person_id: 1, first_reg_date: soon}]}",
            "vehicle.first_reg_date: 'soon' cannot be read",
        ),
        ("{rural_monitor: [{person_id: 1, is_risk_removed: maybe}]}", "'maybe' is not true or false"),
    ],
)
def test_an_error_tells_what_may_be_meant_and_the_other_cases_run(tmp_path, capsys, given, why):
    text = f"- {{name: a, as_of: 2025-11-17, expect: [], given: {given}}}\n- {{name: b, as_of: 2025-11-17, expect: []}}\n"
    status, out, err = run(tmp_path, capsys, "vehicle_count", text)
    assert status == 2
    assert why in err
    assert "2 cases, 0 do not hold, 1 cannot be read" in out


def test_an_unknown_parameter_tells_what_may_be_meant(tmp_path, capsys):
    text = "- {name: a, as_of: 2025-11-17, expect: [], parameters: {vehicle_limits: [{vehicles_max: 1}]}}"
    status, _, err = run(tmp_path, capsys, "vehicle_count", text)
    assert status == 2
    assert "meant vehicle_limit" in err


def test_words_like_off_need_no_quotes_and_a_file_that_is_not_yaml_says_where(tmp_path, capsys):
    path = tmp_path / "X04_vehicle.yaml"
    path.write_text(
        "- {name: a, as_of: 2025-11-17, expect: [], expect_status: [{status: off}]}", encoding="utf-8"
    )
    assert read_cases(path)[0].case.expect_status == [{"status": "off"}]
    status, _, err = run(tmp_path, capsys, "X04_vehicle", "- {name: a\n- [")
    assert status == 2
    assert "is not YAML" in err


def test_a_case_that_does_not_hold_says_what_may_help(tmp_path, capsys):
    text = """
- name: a name that nobody knows, and a rule that is off
  as_of: 2025-11-17
  given: {source_status: [{class_id: mi_settlement, status: absent}], families: [{members: [11]}]}
  expect: [{person: 11}]
"""
    status, out, _ = run(tmp_path, capsys, "N01_high_medical_selfpay", text)
    assert status == 1
    assert "hint: N01 has no 'person'; it has household_id, person_id" in out
    assert "hint: off in " in out


def test_a_case_that_does_not_hold_tells_what_was_seen_and_left_out(tmp_path, capsys):
    text = """
- name: a covered person
  as_of: 2025-11-17
  given:
    families: [{members: [{person_id: 11, birth_date: 1985-01-01}]}]
    house_safety: [{person_id: 11, grade: D, is_only_dwelling: true, renovation: 在建}]
  expect: [{person_id: 11}]
"""
    status, out, _ = run(tmp_path, capsys, "N19_unsafe_house", text)
    assert status == 1
    assert "hint: seen and left out: 改造在建或已竣工" in out
