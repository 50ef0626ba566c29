"""Dated values: which one applies, when there is none, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from policy.engine import default_policy
from policy.parameters import FOREVER, Parameter, reach, read_parameter, replaced
from policy.sql_file import PolicyError

FILE = """
id: standard
title: {zh: 标准, en: Standard}
unit: yuan
keys: {urban_rural: ["1", "2"]}
columns: {amount: money}
values:
  - {division: "150000", urban_rural: "1", from: 2022-01-01, amount: 700, source: s, evidence: published}
  - {division: "150900", urban_rural: "1", from: 2023-01-01, to: 2023-12-31, amount: 750, source: s, evidence: published}
  - {division: "150921", urban_rural: "1", from: 2023-07-01, amount: 800, source: s, evidence: published}
  - {division: "150922", urban_rural: "1", from: 2023-01-01, not_known: true, source: s}
  - {division: "150921", urban_rural: "2", from: 2023-07-01, to: 2024-06-30, amount: 500.5, source: s, evidence: proxy}
"""


def parameter(tmp_path, text: str = FILE) -> Parameter:
    path = tmp_path / "standard.yaml"
    path.write_text(text, encoding="utf-8")
    return read_parameter(path)


def spells(found: Parameter, county: str, kind: str = "1"):
    rows = found.table([county]).filter(urban_rural=kind)
    return [(row["valid_from"], row["valid_to"], float(row["amount"])) for row in rows.to_dicts()]


@pytest.mark.parametrize(
    ("division", "digits"),
    [("000000", ""), ("150000", "15"), ("150900", "1509"), ("150921", "150921"), ("130104", "130104")],
)
def test_reach_of_a_division(division, digits):
    assert reach(division) == digits


def test_the_most_specific_division_wins_on_every_day(tmp_path):
    assert spells(parameter(tmp_path), "150921") == [
        (date(2022, 1, 1), date(2022, 12, 31), 700.0),
        (date(2023, 1, 1), date(2023, 6, 30), 750.0),
        (date(2023, 7, 1), FOREVER, 800.0),
    ]


def test_a_standard_of_the_new_year_is_one_line_and_ends_the_one_before_it(tmp_path):
    row = '{division: "150921", urban_rural: "1", from: 2025-01-01, amount: 900, source: s, evidence: published}'
    assert spells(parameter(tmp_path, FILE + f"  - {row}\n"), "150921")[2:] == [
        (date(2023, 7, 1), date(2024, 12, 31), 800.0),
        (date(2025, 1, 1), FOREVER, 900.0),
    ]


def test_after_the_dates_of_a_prefecture_the_province_holds_again(tmp_path):
    assert spells(parameter(tmp_path), "150902") == [
        (date(2022, 1, 1), date(2022, 12, 31), 700.0),
        (date(2023, 1, 1), date(2023, 12, 31), 750.0),
        (date(2024, 1, 1), FOREVER, 700.0),
    ]


def test_not_known_hides_what_a_wider_division_says(tmp_path):
    found = parameter(tmp_path)
    assert spells(found, "150922") == [(date(2022, 1, 1), date(2022, 12, 31), 700.0)]
    assert found.unknown(["150922"], date(2024, 1, 1)) == {"150922": [()]}


def test_outside_all_dates_there_is_no_row(tmp_path):
    found = parameter(tmp_path)
    assert found.unknown(["150921"], date(2021, 12, 31)) == {"150921": [()]}
    assert found.unknown(["110101"], date(2024, 1, 1)) == {"110101": [()]}
    assert found.table(["110101"]).is_empty()


def test_known_for_towns_and_not_for_villages(tmp_path):
    found = parameter(tmp_path)
    assert found.unknown(["150921"], date(2024, 6, 30)) == {}
    assert found.unknown(["150921"], date(2024, 7, 1)) == {"150921": [("2",)]}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (
            '{division: "1509", urban_rural: "1", from: 2022-01-01, amount: 1, source: s, evidence: published}',
            "six digits",
        ),
        (
            '{division: 150900, urban_rural: "1", from: 2022-01-01, amount: 1, source: s, evidence: published}',
            "six digits",
        ),
        (
            '{division: "150900", urban_rural: "3", from: 2022-01-01, amount: 1, source: s, evidence: published}',
            "urban_rural",
        ),
        (
            '{division: "150900", urban_rural: "1", amount: 1, source: s, evidence: published}',
            "dates in order",
        ),
        (
            '{division: "150900", urban_rural: "1", from: 2022-01-01, to: 2021-01-01, amount: 1, source: s, evidence: published}',
            "dates in order",
        ),
        (
            '{division: "150900", urban_rural: "1", from: 2022-01-01, amount: 1, evidence: published}',
            "source",
        ),
        ('{division: "150900", urban_rural: "1", from: 2022-01-01, amount: 1, source: s}', "evidence"),
        (
            '{division: "150900", urban_rural: "1", from: 2022-01-01, amount: many, source: s, evidence: published}',
            "not a number",
        ),
        (
            '{division: "150900", urban_rural: "1", from: 2022-01-01, amuont: 1, source: s, evidence: published}',
            "amuont",
        ),
        (
            '{division: "150900", urban_rural: "1", from: 2023-06-01, amount: 1, source: s, evidence: published}',
            "overlaps the value of line 9",
        ),
        (
            '{division: "150921", urban_rural: "1", from: 2023-07-01, amount: 1, source: s, evidence: published}',
            "begins on the day of the value of line 10",
        ),
    ],
)
def test_a_bad_value_is_refused_with_its_line(tmp_path, row, why):
    with pytest.raises(PolicyError, match=why) as caught:
        parameter(tmp_path, FILE + f"  - {row}\n")
    assert caught.value.line == 13


def test_a_file_is_named_as_its_parameter(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(FILE, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"standard\.yaml"):
        read_parameter(path)


def test_values_of_a_case_stand_in(tmp_path):
    found = parameter(tmp_path)
    other = replaced(
        found,
        [
            {
                "division": "000000",
                "urban_rural": "1",
                "from": date(2020, 1, 1),
                "amount": 5,
                "source": "s",
                "evidence": "model",
            }
        ],
    )
    assert spells(other, "110101") == [(date(2020, 1, 1), FOREVER, 5.0)]


def standard(county: str, day: date) -> list[tuple[str, float, str]]:
    table = default_policy().parameters["dibao_standard"].table([county])
    rows = [row for row in table.to_dicts() if row["valid_from"] <= day <= row["valid_to"]]
    return [(row["urban_rural"], float(row["amount"]), row["period"]) for row in rows]


@pytest.mark.parametrize(
    ("county", "day", "expected"),
    [
        ("130104", date(2024, 6, 1), [("1", 810.0, "month"), ("2", 610.0, "month")]),
        ("510683", date(2024, 6, 1), [("1", 680.0, "month"), ("2", 480.0, "month")]),
        ("440305", date(2024, 6, 1), [("1", 1365.0, "month"), ("2", 1365.0, "month")]),
        ("150981", date(2025, 11, 17), [("1", 813.0, "month"), ("2", 7320.0, "year")]),
        ("420106", date(2024, 6, 1), [("1", 940.0, "month"), ("2", 820.0, "month")]),
        ("440106", date(2024, 6, 1), [("1", 1282.0, "month"), ("2", 1282.0, "month")]),
        ("440106", date(2023, 6, 1), []),
        ("310115", date(2024, 6, 30), [("1", 1510.0, "month"), ("2", 1510.0, "month")]),
        ("310115", date(2024, 7, 1), [("1", 1595.0, "month"), ("2", 1595.0, "month")]),
        ("110101", date(2024, 6, 1), []),
    ],
)
def test_published_standards_stand_as_published(county, day, expected):
    assert standard(county, day) == expected


def test_at_least_five_divisions_have_a_standard():
    values = default_policy().parameters["dibao_standard"].values
    assert len({value.division for value in values if value.columns}) >= 5


def test_months_and_years_of_a_financial_limit_agree():
    for value in default_policy().parameters["financial_limit"].values:
        months, years = value.columns
        assert months == years * 12


def test_every_value_names_its_source():
    for found in default_policy().parameters.values():
        assert all(value.source for value in found.values), found.id
