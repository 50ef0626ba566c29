"""The pages of rules, measures and parameters are what headers, values and cases give."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from policy.engine import default_policy
from policy.pages import DOCS, FOLDERS, latest_of_all, main, pages
from policy.parameter_words import keys_zh, latest, on_day, place_zh, value_zh
from policy.parameters import Parameter, read_parameter
from policy.sql_file import PolicyError

DAY = date(2025, 11, 17)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_pages_in_the_repository_are_up_to_date(made):
    assert main(["--check"]) == 0
    there = {path.relative_to(DOCS).as_posix() for folder in FOLDERS for path in (DOCS / folder).glob("*.md")}
    assert there == set(made)


def test_there_is_a_page_for_every_rule_measure_and_parameter(made):
    policy = default_policy()
    assert {name for name in made if name.startswith("rules/")} == {
        "rules/index.md",
        *(f"rules/{rule.name}.md" for rule in policy.rules.values()),
    }
    assert len([name for name in made if name.startswith("measures/")]) == len(policy.measures) + 2
    assert len([name for name in made if name.startswith("parameters/")]) == len(policy.parameters) + 2


def test_a_page_of_a_rule_says_what_an_officer_asks(made):
    text = made["rules/X07_financial_assets.md"]
    for part in (
        "请核查",
        "县民政局核对中心",
        "银行",
        "未知 not_known",
        "without a signed authorisation",
        "select",
        "上海市 310000 | 每人每月1595元 | 2024-07-01",
        "公布值 published",
        "河北省石家庄市桥西区 130104",
    ):
        assert part in text, part
    for rule in default_policy().rules.values():
        assert rule.header.title.zh in made["rules/index.md"]
        page = made[f"rules/{rule.name}.md"]
        for part in (rule.header.known_gaps.zh, rule.header.false_alarms.en, rule.header.legal_basis[0]):
            assert part in page, (rule.id, part)
        for name in default_policy().parameters_of(rule):
            assert f"(../parameters/{name}.md)" in page, (rule.id, name)


def test_a_page_of_a_measure_says_what_it_is_and_who_uses_it(made):
    text = made["measures/recorded_income.md"]
    assert default_policy().measures["recorded_income"].header.known_gaps.zh in text
    assert "综合量化评审" in made["measures/risk_score.md"]
    for measure in default_policy().measures.values():
        assert f"]({measure.id}.md)" in made["measures/index.md"]
        assert all(f"`{name}`" in made[f"measures/{measure.id}.md"] for name in measure.header.columns)


def test_the_page_of_places_has_every_place_and_what_is_not_known(made):
    text = made["parameters/index.md"]
    for policy_parameter in default_policy().parameters.values():
        for value in policy_parameter.values:
            assert place_zh(value.division) in text
    for part in (
        "内蒙古自治区乌兰察布市 150900",
        "每人每年7320元",
        "疑似对调",
        "四川省德阳市 510600",
        "未知 not_known",
    ):
        assert part in text, part


def test_what_is_to_be_confirmed_is_gathered_from_sources_and_headers(made):
    text = made["parameters/to-confirm.md"]
    parts = {part.split("\n", 1)[0]: part for part in text.split("\n## ")[1:]}
    assert "文号待核" in parts["文件依据未核 Legal bases not checked"]
    assert (
        "国家统计局2024年全国数（代用，须核实）" in parts["出处未见原文 Sources that were not read in full"]
    )
    assert "四川省 510000" in parts["未知 `not_known`"]
    assert "人均可支配收入" in parts["示范值 `model`"]
    assert "建议值，待当地确认" in parts["建议值 `proposal`"]
    assert "公布值 published" not in parts["建议值 `proposal`"]
    for parameter in default_policy().parameters.values():
        weak = {value.evidence for value in latest_of_all(parameter)} - {"published"}
        assert not weak or f"`{parameter.id}`" in text


def test_links_between_pages_lead_somewhere(made):
    for name, text in made.items():
        folder = name.split("/")[0]
        for target in re.findall(r"\]\(([^)#]+\.md)\)", text):
            if target == "../policy-open-points.md":
                assert (DOCS / "policy-open-points.md").is_file()
                continue
            path = target.removeprefix("../") if target.startswith("../") else f"{folder}/{target}"
            assert path in made, (name, target)


def test_no_table_is_broken_by_a_bar_or_a_line_break(made):
    for name, text in made.items():
        widths: list[int] = []
        for line in text.split("```sql")[0].splitlines():
            if line.startswith("|"):
                widths.append(len(re.findall(r"(?<!\\)\|", line)))
                assert widths[-1] == widths[0], (name, line)
            else:
                widths = []


WORDS = """
id: limit
title: {zh: 限额, en: Limit}
unit: yuan
keys: {urban_rural: ["1", "2"], dis_type: ["5", "6", "7"]}
columns: {amount: money, period: text, is_open: boolean, extra: integer}
says: "每人每{period}{amount}元[，另加{extra}]，{is_open?开放|不开放}"
values:
  - {division: "000000", urban_rural: "1", dis_type: ["5", "6"], from: 2020-01-01, amount: 810, period: month, is_open: true, evidence: model, source: s}
  - {division: "000000", urban_rural: "1", dis_type: "7", from: 2020-01-01, amount: 730.06, period: year, is_open: false, extra: 5, evidence: model, source: s}
  - {division: "000000", urban_rural: "2", dis_type: ["5", "6", "7"], from: 2020-01-01, not_known: true, source: s}
  - {division: "150900", urban_rural: "2", dis_type: ["5", "6", "7"], from: 2020-01-01, to: 2020-12-31, amount: 1, period: year, evidence: proxy, source: s}
  - {division: "150900", urban_rural: "2", dis_type: ["5", "6", "7"], from: 2021-01-01, not_known: true, source: s}
"""


def limit(tmp_path, text: str = WORDS) -> Parameter:
    path = tmp_path / "limit.yaml"
    path.write_text(text, encoding="utf-8")
    return read_parameter(path)


def test_values_are_said_in_words(tmp_path):
    found = limit(tmp_path)
    assert [saying.text for saying in on_day(found, "110101", DAY)] == [
        "城镇（智力、精神）：每人每月810元，开放",
        "城镇（多重）：每人每年730.06元，另加5，不开放",
        "乡村：未知",
    ]
    assert value_zh(found, found.values[0]) == "每人每月810元，开放"


def test_keys_are_said_in_few_words(tmp_path):
    found = limit(tmp_path)
    assert keys_zh(found, [("1", "5"), ("1", "6"), ("2", "7")]) == "城镇（智力、精神）；乡村（多重）"
    assert keys_zh(found, [(a, b) for a in "12" for b in "567"]) == ""


def test_of_a_place_the_last_value_is_shown_also_when_the_next_is_not_known(tmp_path):
    own = [value for value in limit(tmp_path).values if value.division == "150900"]
    assert [(v.valid_from.year, v.columns is None) for v in latest(own)] == [(2020, False)] * 3 + [
        (2021, True)
    ] * 3


def test_words_of_columns_that_do_not_exist_are_refused(tmp_path):
    with pytest.raises(PolicyError, match="'amuont'"):
        limit(tmp_path, WORDS.replace("{amount}", "{amuont}"))
    with pytest.raises(PolicyError, match="'is_shut'"):
        limit(tmp_path, WORDS.replace("{is_open?", "{is_shut?"))


def test_amounts_keep_their_digits():
    standard = default_policy().parameters["dibao_standard"]
    yunnan = standard.at("530102", ("1",), date(2023, 10, 1))
    assert yunnan is not None
    assert yunnan.columns is not None
    assert yunnan.columns[0] == Decimal("730.06")
    assert value_zh(standard, yunnan) == "每人每月730.06元"
