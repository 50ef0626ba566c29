"""The values of places: their codes exist, their dates are whole, their units and evidence are plain, and a gap switches a rule off."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest

from data_contracts.contract import catalogue
from data_contracts.places import REFERENCE
from policy.cases import Case, frames_of, with_parameters
from policy.engine import Policy, default_policy, run
from policy.parameters import FOREVER, Parameter, Value, reach
from policy.rulebook import ENGINE_PARAMETERS

PARAMETERS = sorted(default_policy().parameters)
STANDARDS = ["dibao_standard", "edge_line", "tekun_standard"]
DAY = date(2025, 11, 17)


def parameter(name: str) -> Parameter:
    return default_policy().parameters[name]


def divisions() -> set[str]:
    return set(pl.read_csv(REFERENCE / "divisions.csv", infer_schema=False)["code"]) | {"000000"}


def spells(found: Parameter) -> dict[tuple[str, tuple[str, ...]], list[Value]]:
    rows: dict[tuple[str, tuple[str, ...]], list[Value]] = defaultdict(list)
    for value in sorted(found.values, key=lambda v: v.valid_from):
        rows[value.division, value.keys].append(value)
    return rows


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_division_exists(name):
    assert {value.division for value in parameter(name).values} - divisions() == set()


def test_a_code_that_does_not_exist_would_be_found():
    assert {"150900", "130104", "130171"} <= divisions()
    assert not {"150999", "132000", "440399"} & divisions()


@pytest.mark.parametrize("name", PARAMETERS)
def test_dates_neither_overlap_nor_leave_a_gap(name):
    found = parameter(name)
    for (division, keys), values in spells(found).items():
        for earlier, later in pairwise(values):
            assert later.valid_from == earlier.valid_to + timedelta(days=1), (division, keys, later.line)
        end = values[-1].valid_to
        if end < FOREVER:
            # What ends without a word must be taken up by a wider division.
            wider = [
                value
                for value in found.values
                if value.keys == keys
                and value.division != division
                and division.startswith(reach(value.division))
                and value.valid_from <= end + timedelta(days=1) <= value.valid_to
            ]
            assert wider, (division, keys, values[-1].line)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_value_says_where_it_comes_from_and_what_it_is_worth(name):
    for value in parameter(name).values:
        assert value.source
        assert (value.columns is None) == (value.evidence == "not_known")
        if value.evidence == "published":
            assert not any(word in value.source for word in ("代用", "推定", "建议值", "示范值", "凭记忆")), (
                value
            )
        if "建议值" in value.source.split("；")[0]:
            assert value.evidence == "proposal", value


@pytest.mark.parametrize("name", PARAMETERS)
def test_comparators_and_periods_are_of_the_few_that_rules_read(name):
    columns = list(parameter(name).header.columns)
    for value in parameter(name).values:
        row = dict(zip(columns, value.columns or [], strict=False))
        assert row.get("comparator", "<") in {"<", "<=", ">", ">="}, value
        assert row.get("period", "month") in {"month", "year"}, value


@pytest.mark.parametrize("name", STANDARDS)
def test_amounts_fit_their_period(name):
    """A standard of a year that was written as one of a month, or the reverse, is off by twelve."""
    for value in parameter(name).values:
        if value.columns:
            amount, period = value.columns[:2]
            low, high = (4000, 20000) if period == "year" else (400, 3500)
            assert low <= amount <= high, value


def test_at_least_25_divisions_have_a_dibao_standard():
    known = {value.division for value in parameter("dibao_standard").values if value.columns}
    prefectures = {division[:4] for division in known if division[:4] != "0000"}
    assert len(known) >= 25
    assert len(prefectures) >= 25
    for division in ("130104", "510600", "440300", "150900", "152200", "341522", "620121", "450900"):
        assert division in known


def test_a_standard_that_was_never_published_is_nowhere_a_default():
    for name in (*STANDARDS, "rural_monitor_line", "minimum_wage"):
        assert not any(value.columns for value in parameter(name).values if value.division == "000000"), name


@pytest.mark.parametrize(
    ("county", "day", "multiple", "dibao", "published"),
    [
        ("440106", date(2024, 6, 1), "1.6", 1282, 2052),
        ("510502", date(2024, 9, 1), "1.3", 788, 1025),
        ("310115", date(2024, 9, 1), "1.3", 1595, 2075),
        ("511402", date(2020, 9, 1), "1.3", 630, 820),
    ],
)
def test_published_tekun_amounts_are_not_the_product(county, day, multiple, dibao, published):
    """Places round as they like, so what is published is stored."""

    def at(name: str, keys: tuple[str, ...]) -> Decimal:
        value = parameter(name).at(county, keys, day)
        assert value is not None
        assert value.columns is not None
        return Decimal(value.columns[0])

    assert at("dibao_standard", ("1",)) == dibao
    assert at("tekun_standard", ("1", "1")) == published
    assert at("tekun_standard", ("1", "1")) != Decimal(multiple) * dibao


def test_months_and_years_of_a_financial_limit_agree():
    for value in parameter("financial_limit").values:
        if value.columns:
            months, years, comparator, times_of_income = value.columns[:4]
            assert comparator in ("<", "<=")
            if times_of_income is None:
                assert months == years * 12
            else:
                assert months is None
                assert years is None


@pytest.mark.parametrize(
    ("name", "county", "keys", "word"),
    [
        ("rigid_ratio", "620102", (), "60%至90%"),
        ("rigid_ratio", "510683", (), "具体比例未见"),
        ("medical_selfpay_limit", "371602", ("none",), "疑似对调"),
        ("medical_selfpay_limit", "371602", ("edge",), "疑似对调"),
        ("financial_limit", "310101", ("3",), "42108"),
        ("vehicle_limit", "620102", ("4",), "没有车价"),
        ("pension_exclusion", "150902", (), "十四五"),
        ("disposable_income", "150902", ("all",), "未录入"),
        ("minimum_wage", "130104", (), "未见"),
        ("rural_monitor_line", "150902", (), "未见"),
    ],
)
def test_where_a_default_would_be_wrong_nothing_is_known(name, county, keys, word):
    value = parameter(name).at(county, keys, date(2026, 6, 1))
    assert value is not None
    assert value.columns is None
    assert word in value.source


def _rule_that_needs(name: str) -> str | None:
    policy = default_policy()
    return next((rule.id for rule in policy.rules.values() if name in policy.parameters_of(rule)), None)


def _unknown_everywhere(name: str) -> Policy:
    header = parameter(name).header
    # A case that names some windows leaves the others as they are: every key that has a value is named.
    names = [key for key, domain in header.keys.items() if domain is None]
    at = [list(header.keys).index(key) for key in names]
    known = {tuple(value.keys[n] for n in at) for value in parameter(name).values}
    return with_parameters(
        default_policy(),
        {
            name: [
                {"not_known": True, "evidence": "not_known", **dict(zip(names, key, strict=True))}
                for key in sorted(known)
            ]
        },
    )


def _status(policy: Policy, rule_id: str, county: str, day: date = DAY) -> list[dict[str, str]]:
    case = Case.model_validate(
        {
            "name": "one family",
            "as_of": day,
            "given": {"families": [{"household_id": 1, "county": county, "members": [11]}]},
            "expect": [],
        }
    )
    frames = frames_of(case, sorted(catalogue()))
    outcome = run(frames, day, only=[rule_id], policy=policy, strict=True, conclusion=False)
    assert outcome.warnings.is_empty()
    return outcome.rule_status.filter(pl.col("county_code") == county).to_dicts()


@pytest.mark.parametrize("name", [name for name in PARAMETERS if _rule_that_needs(name)])
def test_a_rule_whose_value_is_not_known_is_off_there_and_says_so(name):
    rule_id = _rule_that_needs(name)
    assert rule_id is not None
    rows = _status(_unknown_everywhere(name), rule_id, "150902")
    assert [row["status"] for row in rows] == ["off"]
    assert parameter(name).header.title.zh in rows[0]["reason_zh"]
    assert "没有已知数值" in rows[0]["reason_zh"]


def test_the_engine_cannot_do_without_its_own_parameters():
    for name in ENGINE_PARAMETERS:
        assert all(value.columns for value in parameter(name).values if value.division == "000000"), name


@pytest.mark.parametrize(
    ("county", "status", "word"),
    [
        ("110101", None, None),  # a standard for all
        ("520102", "on", "城镇"),  # villages known, towns not
        ("520102", "on", "分725、705、660元三类地区"),  # and why
        ("440402", "off", "最低生活保障标准"),  # floors by class, class not known
        ("440402", "off", "（广东省2021年分四类最低标准"),
        ("650102", "off", "最低生活保障标准"),  # nothing was seen
    ],
)
def test_places_of_the_published_table_switch_a_rule_off_and_on(county, status, word):
    rows = _status(default_policy(), "X07", county)
    assert [row["status"] for row in rows] == ([] if status is None else [status])
    assert all(word in row["reason_zh"] for row in rows if word)
