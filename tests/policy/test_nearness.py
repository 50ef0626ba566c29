"""What came close: one limit moved at a time, told with both values; never a warning."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from data_contracts.contract import catalogue
from policy.case_tables import Case, frames_of
from policy.engine import default_policy, run
from policy.nearness import DOWN, UP, YEARS, around, limits_of, moved, nearly
from policy.parameter_words import COLUMN_ZH

NIGHT = date(2025, 11, 17)


def frames(**given):
    return frames_of(Case(name="x", as_of=NIGHT, given=given, expect=[]), tuple(catalogue()))


def ill(amount):
    bill = {"person_id": 11, "settlement_id": "s1", "settle_date": date(2025, 6, 1), "self_pay": amount}
    return frames(
        families=[{"household_id": 1, "members": [11]}, {"household_id": 2, "members": [21]}],
        medical_settlement=[bill | {"is_refund": False}],
    )


@pytest.mark.parametrize(("amount", "is_near"), [(12000, False), (12001, True), (15000, True), (2000, False)])
def test_an_amount_just_below_the_line_is_near_and_one_far_below_is_not(amount, is_near):
    answer = nearly(ill(amount), NIGHT, 1, [], default_policy(), only=["N01"])
    assert [(one.rule_id, one.parameter, one.column) for one in answer.near] == (
        [("N01", "medical_selfpay_limit", "amount")] if is_near else []
    )
    assert answer.not_asked == {}
    for one in answer.near:
        assert "非低收入人口15000" in one.now
        assert "非低收入人口12000" in one.then
        assert one.column_zh == "金额（元）"
        assert f"{amount}元，超过" in one.reason_zh


def test_a_rule_that_spoke_is_not_asked_and_another_household_is_not_told():
    assert nearly(ill(16000), NIGHT, 1, ["N01"], default_policy(), only=["N01"]).near == []
    assert nearly(ill(14000), NIGHT, 2, [], default_policy(), only=["N01"]).near == []


def test_a_rule_that_does_not_say_again_what_it_said_in_the_night_is_not_asked_and_says_so():
    for amount, raised in ((16000, []), (14000, ["N01"])):
        answer = nearly(ill(amount), NIGHT, 1, raised, default_policy(), only=["N01"])
        assert answer.near == []
        assert "不一致" in answer.not_asked["N01"]


def test_a_window_of_time_is_a_limit_too():
    certificate = {"person_id": 11, "dis_type": "4", "dis_grade": "1", "status": "1"}
    found = frames(
        families=[{"household_id": 1, "members": [11]}],
        disability=[certificate | {"issue_date": date(2025, 8, 10)}],
    )
    (one,) = nearly(found, NIGHT, 1, [], default_policy(), only=["N02"]).near
    assert (one.parameter, one.column, one.column_zh) == ("warning_window", "length", "期限")
    # Of all windows those of the rule and its measures, in words.
    assert "新办残疾证的提示期" in one.now
    assert "90天" in one.now
    assert "失业" not in one.now
    assert not re.search("[a-z_]", one.now + one.then + one.column_zh)
    assert "距今不超过112天" in one.reason_zh


def test_numbers_are_moved_by_a_quarter_and_small_counts_by_one():
    parameters = default_policy().parameters
    amounts = {v.columns[0] for v in parameters["medical_selfpay_limit"].values if v.columns}
    up = {v.columns[0] for v in moved(parameters["medical_selfpay_limit"], UP).values if v.columns}
    assert up == {(amount * UP).quantize(Decimal("0.01")) for amount in amounts}
    counts = {v.columns[0] for v in parameters["vehicle_limit"].values if v.columns}
    assert 0 in counts
    assert {v.columns[0] for v in moved(parameters["vehicle_limit"], UP).values if v.columns} == {
        count + 1 for count in counts
    }
    assert {v.columns[0] for v in moved(parameters["vehicle_limit"], DOWN).values if v.columns} == {
        max(count - 1, 0) for count in counts
    }


def test_ages_and_what_is_no_limit_are_not_moved():
    policy = default_policy()
    named = {name for rule_id in policy.rules for name in limits_of(policy, rule_id)}
    assert "medical_selfpay_limit" in named
    assert not {"labour_age", "warning_level", "score_points", "income_window"} & named


def test_every_number_that_can_be_moved_has_a_name_in_chinese():
    policy = default_policy()
    moved_columns = {
        column
        for rule_id in policy.rules
        for name in limits_of(policy, rule_id)
        for column, kind in policy.parameters[name].header.columns.items()
        if kind in ("money", "decimal", "integer") and column not in YEARS
    }
    assert "amount" in moved_columns
    assert moved_columns - set(COLUMN_ZH) == set()


def test_the_small_county_has_the_household_its_kin_and_their_cases_and_no_more_than_some_others():
    families = [{"household_id": n, "members": [n * 10]} for n in range(1, 1500)]
    found = around(
        frames(
            families=families,
            household_edge=[{"person_id_a": 10, "person_id_b": 14000, "kind": "parent_child"}],
            cases=[{"case_id": "c9", "members": [14000, 14100]}],
        ),
        1,
    )
    people = set(found["household_member"]["person_id"])
    assert {10, 14000} <= people
    assert 14990 not in people
    assert len(people) <= 1003
    assert found["assistance_member"]["person_id"].to_list() == [14000, 14100]


def test_asking_leaves_no_trace_in_the_policy():
    before = {name: p.values for name, p in default_policy().parameters.items()}
    nearly(ill(14000), NIGHT, 1, [], default_policy(), only=["N01"])
    assert {name: p.values for name, p in default_policy().parameters.items()} == before
    assert run(ill(14000), NIGHT, only=["N01"]).warnings.filter(pl.col("household_id") == 1).is_empty()
