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
        ("110101", date(2024, 6, 1), [("1", 1320.0, "month"), ("2", 1320.0, "month")]),
        ("110101", date(2021, 6, 1), []),
        ("130105", date(2024, 6, 1), [("1", 810.0, "month"), ("2", 610.0, "month")]),
        ("130183", date(2024, 6, 1), [("1", 800.0, "month"), ("2", 600.0, "month")]),
        ("130133", date(2024, 6, 1), [("1", 790.0, "month"), ("2", 590.0, "month")]),
        ("130172", date(2024, 6, 1), []),
        ("130202", date(2024, 6, 1), [("1", 10536.0, "year"), ("2", 8412.0, "year")]),
        ("440604", date(2024, 6, 1), [("1", 1226.0, "month"), ("2", 1226.0, "month")]),
        ("520102", date(2024, 6, 1), [("2", 5292.0, "year")]),
        ("620102", date(2024, 6, 1), [("1", 920.0, "month"), ("2", 5580.0, "year")]),
        ("620123", date(2024, 6, 1), [("1", 700.0, "month"), ("2", 5580.0, "year")]),
        ("500106", date(2023, 8, 31), [("1", 717.0, "month"), ("2", 581.0, "month")]),
        ("500106", date(2023, 9, 1), [("1", 735.0, "month"), ("2", 600.0, "month")]),
        ("341522", date(2025, 6, 30), []),
        ("341522", date(2025, 7, 1), [("1", 779.0, "month"), ("2", 721.0, "month")]),
        ("130202", date(2027, 12, 31), [("1", 10536.0, "year"), ("2", 8412.0, "year")]),
        ("130202", date(2028, 1, 1), []),
    ],
)
def test_published_standards_stand_as_published(county, day, expected):
    assert standard(county, day) == expected


CARRIED = FILE.replace("columns:", "carried: {after_months: 12, up_to_months: 60}\ncolumns:")


def test_what_nobody_ended_is_carried_with_weaker_evidence_and_then_not_known(tmp_path):
    found = parameter(tmp_path, CARRIED)
    rows = found.table(["150921"]).filter(urban_rural="1", amount=800)
    assert [
        (row["valid_from"], row["valid_to"], row["evidence"], row["source"]) for row in rows.to_dicts()
    ] == [
        (date(2023, 7, 1), date(2024, 6, 30), "published", "s"),
        (date(2024, 7, 1), date(2028, 6, 30), "proxy", "s；之后是否调整未见"),
    ]
    assert found.unknown(["150921"], date(2028, 6, 30)) == {"150921": [("2",)]}
    assert found.unknown(["150921"], date(2028, 7, 1)) == {"150921": [()]}


def test_what_a_notice_ended_is_not_carried(tmp_path):
    found = parameter(tmp_path, CARRIED)
    assert spells(found, "150902")[1] == (date(2023, 1, 1), date(2023, 12, 31), 750.0)
    assert found.table(["150921"]).filter(urban_rural="2")["evidence"].to_list() == ["proxy"]


def test_one_row_may_stand_for_several_divisions_and_keys(tmp_path):
    row = '{division: ["420100", "420200"], urban_rural: ["1", "2"], from: 2022-01-01, amount: 9, source: s, evidence: proxy}'
    found = parameter(tmp_path, FILE + f"  - {row}\n")
    for county in ("420106", "420202"):
        assert spells(found, county, "1") == spells(found, county, "2") == [(date(2022, 1, 1), FOREVER, 9.0)]


def test_a_list_with_a_bad_member_is_refused(tmp_path):
    row = '{division: ["420100", "42"], urban_rural: "1", from: 2022-01-01, amount: 9, source: s, evidence: proxy}'
    with pytest.raises(PolicyError, match="six digits"):
        parameter(tmp_path, FILE + f"  - {row}\n")


def test_why_a_value_is_not_known_can_be_asked(tmp_path):
    found = parameter(tmp_path)
    hidden = found.at("150922", ("1",), date(2024, 1, 1))
    assert hidden is not None
    assert (hidden.division, hidden.columns, hidden.source) == ("150922", None, "s")
    assert found.at("150922", ("1",), date(2021, 1, 1)) is None
    known = found.at("150902", ("1",), date(2024, 1, 1))
    assert known is not None
    assert known.division == "150000"
