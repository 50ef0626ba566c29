"""The rule catalogue of a county: every rule, what it rests on, the values of the day there, and how much it found."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from night_fixture import D
from night_fixture import night as make_night

from policy.case_tables import Case
from policy.engine import default_policy
from reports.catalogue import catalogue_page, entries, kind_of
from reports.night import Prepared, prepare
from reports.writing import write_all

COUNTY = {"county_code": "150921", "county_zh": "卓资县", "prefecture_zh": "乌兰察布市"}


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(make_night(), D)


@pytest.fixture(scope="module")
def text(prepared) -> str:
    return catalogue_page(prepared, COUNTY).decode()


def section(text: str, rule_id: str) -> str:
    found = re.search(rf'<section id="{rule_id}">(.*?)</section>', text, re.DOTALL)
    assert found, rule_id
    return unescape(re.sub(r"<[^>]+>", "", found.group(1)))


def test_every_rule_has_its_part_and_says_what_an_officer_asks(text):
    rules = default_policy().rules.values()
    assert re.findall(r'<section id="(\w+)">', text) == [entry.rule.id for entry in entries()]
    assert {entry.rule.id for entry in entries()} == {rule.id for rule in rules}
    for rule in rules:
        part = section(text, rule.id)
        header = rule.header
        for words in (
            header.title.zh, header.known_gaps.zh, header.false_alarms.zh, header.legal_basis[0], header.owner, "查什么", "验证用例",
        ):  # fmt: skip
            assert words in part, (rule.id, words)
        assert "{" not in part


def test_a_rule_shows_the_values_of_its_county_on_the_day(text):
    part = section(text, "X07")
    for words in (
        "每人每月813元",
        "每人每年7320元",
        "代用值",
        "乌兰察布市标准未见",
        "人均不超过低保标准的24个月",
    ):
        assert words in part, words
    assert "每人每月1595元" not in text  # Shanghai's


def test_of_windows_only_those_of_the_rule_are_shown(text):
    assert "金融查询结果有效：180天" in section(text, "X07")
    assert "登记失业超过" not in section(text, "X07")
    assert "登记失业超过：6个月" in section(text, "N05")


def test_a_county_without_a_standard_is_told_so(prepared):
    page = catalogue_page(
        prepared, {"county_code": "650102", "county_zh": "天山区", "prefecture_zh": "乌鲁木齐市"}
    )
    assert "本县没有数值" in section(page.decode(), "X07")


def test_hits_are_those_of_the_county_and_of_open_warnings(prepared, text):
    own = prepared.listed.filter(pl.col("county_code") == "150921")
    assert not own.is_empty()
    counted = dict(own.group_by("rule_id").agg(pl.len()).iter_rows())
    ids = set(default_policy().rules)
    for rule_id, number in counted.items():
        if rule_id in ids:
            assert f"{number} 条" in section(text, rule_id), rule_id
    assert set(counted) & ids


def test_a_rule_that_is_off_says_why_and_no_number_of_hits(prepared, text):
    states = prepared.rule_states.filter(pl.col("county_code") == "150921")
    ids = set(default_policy().rules)
    off = [
        row for row in states.filter(pl.col("status") != "on").iter_rows(named=True) if row["rule_id"] in ids
    ]
    assert off
    for row in off:
        part = section(text, row["rule_id"])
        assert "本期停用" in part
        assert (row["reason_zh"] or "原因未注明") in part
        assert "本期未办结" not in part


def test_links_lead_to_anchors_and_nothing_is_fetched(text):
    anchors = set(re.findall(r'id="([^"]+)"', text))
    for target in re.findall(r'href="([^"]+)"', text):
        assert target.startswith("#")
        assert target[1:] in anchors, target
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert not re.search(r"<(img|link|iframe)\b", text)


def test_no_person_and_no_household_is_on_the_page(prepared, text):
    assert not re.search(r"\b[HP]\d{9}\b", text)
    for name in prepared.night.persons["person_name"].drop_nulls().to_list():
        assert name not in text


def test_the_same_night_gives_the_same_bytes(prepared, text):
    assert catalogue_page(prepared, COUNTY).decode() == text


def test_every_county_gets_its_page(tmp_path: Path):
    written = write_all(make_night(), D, tmp_path, "code-1")
    found = {f.jurisdiction for f in written.files if f.output == "rule_catalogue"}
    assert found == {f.jurisdiction for f in written.files if f.output == "county_page"}
    assert len(found) >= 2
    assert not [line for line in written.attention if "规则目录" in line]


def test_a_catalogue_that_cannot_be_written_costs_no_township_its_list(tmp_path, monkeypatch):
    def breaks(*_: object) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setattr("reports.writing.catalogue.catalogue_page", breaks)
    written = write_all(make_night(counties=("150921",)), D, tmp_path, "code-1")
    assert [line for line in written.attention if "规则目录未能生成" in line]
    assert [f for f in written.files if f.output == "list_help_in"]
    assert not [f for f in written.files if f.output == "rule_catalogue"]


def case(**more):
    return Case.model_validate({"name": "n", "as_of": date(2025, 11, 17), "expect": []} | more)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"expect_status": [{"rule_id": "N01", "status": "off"}]}, "数据缺失或逾期"),
        ({"expect_status": [{"rule_id": "N01", "status": "on"}], "expect": [{"person_id": 11}]}, "应当提示"),
        ({"parameters": {"edge_multiple": [{"to": date(2025, 11, 17)}]}}, "参数变更日"),
        ({"parameters": {"edge_multiple": [{"from": "2025-11-17"}]}}, "参数变更日"),
        ({"parameters": {"edge_multiple": [{"from": date(2020, 1, 1)}]}}, "不应提示"),
        ({"given": {"pension": [{"person_id": 11, "link_grade": "B"}]}}, "B级关联"),
        ({"name": "false alarm, a refund"}, "已知误报"),
        ({"name": "an unknown day says nothing"}, "信息不明"),
        ({"name": "Shanghai, the day on which it does"}, "参数变更日"),
    ],
)
def test_the_kind_of_a_case_is_told_in_chinese(more, kind):
    assert kind_of(case(**more)) == kind


def test_every_rule_tells_how_many_cases_of_each_kind_it_has():
    for entry in entries():
        counts = dict(entry.values["case_kinds"])
        assert sum(counts.values()) == len(entry.values["cases"]) >= 8
        assert counts["参数变更日"] >= 1
        assert counts["已知误报"] >= 1
