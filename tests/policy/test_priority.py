"""The composite index: which points there are and why, what raises a level, which day is due, and in which order families stand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from data_contracts.contract import catalogue
from policy.cases import Case, frames_of, with_parameters
from policy.engine import conclude, default_policy
from policy.repeats import WARNING_SCHEMA

NIGHT = date(2025, 11, 17)
COUNTY = "150902"
LEVEL_POINTS = {"red": 40, "orange": 20, "yellow": 10, "blue": 2}
STATUS = {"rule_id": pl.String(), "county_code": pl.String(), "status": pl.String(), "reason_zh": pl.String()}


def warning(
    rule_id: str, level: str, household_id: int = 1, *, extra: int = 0, **more: Any
) -> dict[str, Any]:
    due = None if level == "blue" else date(2025, 11, 28)
    return {
        "warning_id": f"W{rule_id}{household_id}{more.get('cause_key', '')}",
        "rule_id": rule_id,
        "rule_version": 1,
        "list_kind": "check_out" if rule_id.startswith("X") else "help_in",
        "household_id": household_id,
        "county_code": COUNTY,
        "cause_key": "c",
        "level": level,
        "points": Decimal(LEVEL_POINTS[level] + extra),
        "reason_zh": "理由",
        "evidence_json": "{}",
        "sources_json": "{}",
        "raised_on": NIGHT,
        "expires_on": date(2026, 2, 15),
        "visit_due_on": due,
        "close_due_on": date(2025, 12, 31),
    } | more


def priority(
    warnings: list[dict[str, Any]],
    given: dict[str, list[dict[str, Any]]] | None = None,
    parameters: dict[str, list[dict[str, Any]]] | None = None,
    since: dict[str, date] | None = None,
) -> pl.DataFrame:
    """The order of a night: `since` says from which day an earlier night's warnings stand."""
    given = given or {"families": [{"household_id": h, "members": [h * 10]} for h in range(1, 10)]}
    case = Case.model_validate({"name": "n", "as_of": NIGHT, "given": given, "expect": []})
    policy = with_parameters(default_policy(), parameters or {})
    frame = pl.DataFrame(warnings, schema=WARNING_SCHEMA)
    status = pl.DataFrame(
        [
            {"rule_id": r, "county_code": None, "status": "on", "reason_zh": ""}
            for r in sorted({w["rule_id"] for w in warnings})
        ],
        schema=STATUS,
    )
    before = None
    if since:
        first = frame.filter(pl.col("warning_id").is_in(list(since)))
        views = frames_of(case, sorted(catalogue()))
        before, _ = conclude(views, first, status, NIGHT, None, policy=policy)
        before = before.with_columns(
            first_raised_on=pl.col("warning_id").replace_strict(since, default=NIGHT, return_dtype=pl.Date())
        )
    _, found = conclude(frames_of(case, sorted(catalogue())), frame, status, NIGHT, before, policy=policy)
    return found


def one(*args: Any, **kwargs: Any) -> dict[str, Any]:
    rows = priority(*args, **kwargs).to_dicts()
    assert len(rows) == 1
    return rows[0]


def parts(row: dict[str, Any]) -> dict[str, Decimal]:
    return {part["part"].split(":")[0]: Decimal(part["points"]) for part in json.loads(row["parts_json"])}


def family(*members: Any, **more: Any) -> dict[str, list[dict[str, Any]]]:
    return {"families": [{"household_id": 1, "members": list(members)}]} | more


def born(person_id: int, year: int, month: int = 11, day: int = 17) -> dict[str, Any]:
    return {"person_id": person_id, "birth_date": date(year, month, day)}


def test_severity_and_degree_are_parts_of_their_own():
    row = one([warning("N01", "orange", extra=4)])
    assert parts(row) == {"N01": 20, "ratio": 4}
    assert row["score"] == 24
    reasons = [part["reason_zh"] for part in json.loads(row["parts_json"])]
    assert reasons == [
        "N01 个人自付医疗费用过高（橙色）",
        "N01 个人自付医疗费用过高：超过标准的程度（超出标准40%以上）",
    ]


@pytest.mark.parametrize(("level", "points"), sorted(LEVEL_POINTS.items()))
def test_points_of_a_level_without_a_degree(level, points):
    row = one([warning("N01", level)])
    assert (row["level"], row["score"], parts(row)) == (level, points, {"N01": points})


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (born(11, 2009, 11, 18), {"child": 2}),  # 15 years, the day before the sixteenth birthday
        (born(11, 2009, 11, 17), {}),  # 16 today
        (born(11, 1955, 11, 18), {}),  # 69
        (born(11, 1955, 11, 17), {"elder_70": 2}),  # 70 today
        (born(11, 1945, 11, 18), {"elder_70": 2}),  # 79
        (born(11, 1945, 11, 17), {"elder_80": 4}),  # 80 today
        ({"person_id": 11}, {}),  # unknown age adds nothing
    ],
)
def test_ages_count_from_the_birthday_on(member, expected):
    row = one([warning("N01", "yellow")], family(member, born(12, 1990)))
    assert {k: v for k, v in parts(row).items() if k != "N01"} == expected


def test_a_part_gives_no_more_than_its_limit():
    row = one([warning("N01", "yellow")], family(*(born(n, 2015) for n in range(11, 16)), born(16, 1990)))
    assert parts(row) == {"N01": 10, "child": 6}
    assert "未满16周岁成员5人" in row["parts_json"]


@pytest.mark.parametrize(
    ("members", "more", "alone"),
    [
        ([born(11, 1965)], {}, True),  # 60 today
        ([born(11, 1965, 11, 18)], {}, False),  # 59
        ([born(11, 1950), born(12, 1990)], {}, False),
        (
            [born(11, 1950), born(12, 1950)],
            {"death": [{"person_id": 12, "death_source": "register", "death_date": date(2025, 11, 1)}]},
            True,
        ),
        (
            [born(11, 1990)],
            {"disability": [{"person_id": 11, "dis_type": "6", "dis_grade": "3", "status": "1"}]},
            True,
        ),
        (
            [born(11, 1990)],
            {"disability": [{"person_id": 11, "dis_type": "4", "dis_grade": "3", "status": "1"}]},
            False,
        ),
    ],
)
def test_living_alone(members, more, alone):
    found = parts(one([warning("N01", "yellow")], family(*members, **more)))
    assert found.get("alone", 0) == (4 if alone else 0)


def test_a_member_whose_link_is_not_certain_is_company():
    given = family(born(11, 1950)) | {
        "household_member": [{"household_id": 1, "person_id": None, "basis": "register"}]
    }
    assert "alone" not in parts(one([warning("N01", "yellow")], given))


@pytest.mark.parametrize(
    ("until", "single"),
    [(None, False), (date(2025, 11, 17), True), (date(2025, 11, 18), False)],
)
def test_a_parent_whose_marriage_has_ended_is_single(until, single):
    edges = [
        {"person_id_a": 11, "person_id_b": 13, "kind": "parent_child", "confidence": "certain"},
        {"person_id_a": 11, "person_id_b": 12, "kind": "spouse", "confidence": "certain", "until": until},
    ]
    given = family(born(11, 1985), born(12, 1985), born(13, 2015), household_edge=edges)
    assert ("single_parent" in parts(one([warning("N01", "yellow")], given))) is single


def test_a_parent_of_unknown_age_is_a_parent():
    edges = [
        {"person_id_a": parent, "person_id_b": 13, "kind": "parent_child", "confidence": "certain"}
        for parent in (11, 12)
    ]
    given = family({"person_id": 11}, born(12, 1985), born(13, 2015), household_edge=edges)
    assert "single_parent" not in parts(one([warning("N01", "yellow")], given))
    alone = family({"person_id": 11}, born(13, 2015), household_edge=edges[:1])
    assert parts(one([warning("N01", "yellow")], alone))["single_parent"] == 4


def test_a_minor_with_a_child_of_their_own_is_not_its_child():
    edges = [{"person_id_a": 11, "person_id_b": 13, "kind": "parent_child", "confidence": "certain"}]
    given = family(born(11, 2009), born(12, 1985), born(13, 2025, 3), household_edge=edges)
    assert parts(one([warning("N01", "yellow")], given))["single_parent"] == 4
    childless = family(born(11, 2009), {"person_id": 13, "birth_date": None}, household_edge=edges)
    assert "single_parent" not in parts(one([warning("N01", "yellow")], childless))


def test_the_degree_is_told_also_where_its_points_end():
    row = one([warning("N01", "orange", extra=10)])
    assert "超出标准100%以上" in row["parts_json"]


def test_structure_counts_for_help_alone():
    given = family(born(11, 1940))
    assert parts(one([warning("X04", "yellow")], given)) == {"X04": 10}
    assert set(parts(one([warning("N01", "yellow")], given))) == {"N01", "elder_80", "alone"}


def test_warnings_of_one_theme_are_one_signal():
    """A lost job, a fallen income and an income below the line are one event."""
    row = one([warning("N05", "yellow"), warning("N06", "yellow"), warning("N10", "yellow")])
    assert (row["signals"], row["level"]) == (1, "yellow")
    assert parts(row) == {"N05": 10, "N06": 10, "N10": 10}


def test_what_repeats_another_rule_adds_no_signal_and_alone_is_one():
    assert one([warning("N16", "yellow"), warning("N01", "yellow")])["signals"] == 1
    assert one([warning("N16", "yellow")])["signals"] == 1


def test_each_further_independent_signal_adds_points_up_to_the_limit():
    two = one([warning("N01", "orange"), warning("N02", "orange")])
    assert (two["signals"], parts(two)["signal"]) == (2, 3)
    rules = ["N01", "N02", "N04", "N05", "N07", "N09", "N12", "N14", "P04"]
    many = one([warning(rule, "orange") for rule in rules])
    assert (many["signals"], parts(many)["signal"]) == (9, 15)


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        (["N01", "N04"], "yellow"),  # two
        (["N01", "N04", "N12"], "orange"),  # three
        (["N01", "N03", "N12"], "yellow"),  # three, two of one theme
        (["N01", "N16", "N12"], "yellow"),  # three, one that repeats another
    ],
)
def test_three_independent_yellow_signals_raise_the_level_by_one(rules, level):
    row = one([warning(rule, "yellow") for rule in rules])
    assert row["level"] == level
    assert ("escalation" in parts(row)) is (level == "orange")
    if level == "orange":
        assert "90天内3个不同方面的黄色信号，级别上调一级" in row["parts_json"]
        # Five working days, as for every orange family, instead of ten.
        assert row["visit_due_on"] == date(2025, 11, 24)


def test_escalation_goes_up_one_level_and_never_to_red():
    rules = ["N01", "N04", "N12", "N14", "N19", "P03"]
    assert one([warning(rule, "yellow") for rule in rules])["level"] == "orange"
    with_orange = [warning(rule, "yellow") for rule in rules] + [warning("P04", "orange")]
    assert one(with_orange)["level"] == "orange"
    assert one([*with_orange, warning("N09", "red")])["level"] == "red"


@pytest.mark.parametrize(("first", "level"), [(date(2025, 8, 19), "orange"), (date(2025, 8, 18), "yellow")])
def test_signals_older_than_the_window_do_not_escalate(first, level):
    """90 days before the night is 19 August."""
    rows = [warning("N01", "yellow"), warning("N04", "yellow"), warning("N12", "yellow")]
    assert one(rows, since={"WN011": first})["level"] == level


def test_signals_of_the_two_lists_are_never_counted_together():
    rows = [
        warning("N01", "yellow"),
        warning("N04", "yellow"),
        warning("X04", "yellow"),
        warning("X05", "yellow"),
    ]
    found = {row["list_kind"]: row for row in priority(rows).to_dicts()}
    assert {kind: (row["level"], row["signals"]) for kind, row in found.items()} == {
        "help_in": ("yellow", 2),
        "check_out": ("yellow", 2),
    }


@pytest.mark.parametrize(
    ("review", "due"),
    [
        (date(2025, 12, 1), date(2025, 12, 31)),  # in the quarter
        (date(2025, 11, 1), date(2025, 11, 30)),  # this month
        (date(2026, 1, 1), None),  # after the quarter: with the review, as the list says
        (date(2025, 10, 1), None),  # passed
        (None, None),
    ],
)
def test_a_blue_family_is_visited_with_the_next_review(review, due):
    given = family(11) | {"cases": [{"case_id": "c1", "members": [11], "next_review_month": review}]}
    row = one([warning("X19", "blue")], given)
    assert (row["level"], row["visit_due_on"], row["close_due_on"]) == ("blue", due, date(2025, 12, 31))
    yellow = one([warning("X04", "yellow")], given)
    assert yellow["visit_due_on"] == date(2025, 11, 28)


def test_the_order_is_level_then_score_then_who_waits_longest_then_the_number():
    rows = [
        warning("N01", "yellow", 1, extra=10),
        warning("N01", "orange", 2),
        warning("N01", "yellow", 3),
        warning("N01", "yellow", 4),
        warning("N01", "yellow", 5),
        warning("N09", "red", 6),
    ]
    found = priority(rows, since={"WN015": date(2025, 11, 3)}).sort("order_no")
    assert found["household_id"].to_list() == [6, 2, 1, 5, 3, 4]
    assert found["order_no"].to_list() == [1, 2, 3, 4, 5, 6]


def test_all_points_are_parameters():
    more = {
        "warning_level": [
            {
                "level": level,
                "level_points": 7,
                "visit_working_days": 1,
                "close_working_days": 2,
                "closes_at_quarter_end": False,
                "level_zh": "某色",
            }
            for level in LEVEL_POINTS
        ],
        "score_points": [
            {"part": part, "points": 1, "limit": 1, "label_zh": part}
            for part in (
                "ratio",
                "signal",
                "child",
                "elder_70",
                "elder_80",
                "severe_disability",
                "single_parent",
                "alone",
            )
        ]
        + [{"part": "escalation_signals", "points": 2, "limit": 2, "label_zh": "升级"}],
        "signal_theme": [{"rule": "N01", "theme": "a", "theme_zh": "甲", "is_derived": False}],
    }
    row = one(
        [warning("N01", "yellow", points=Decimal(9)), warning("N04", "yellow", points=Decimal(7))],
        family(born(11, 1940), born(12, 2015)),
        more,
    )
    assert row["level"] == "orange"
    assert parts(row) == {
        "N01": 7,
        "ratio": 2,
        "N04": 7,
        "signal": 1,
        "child": 1,
        "elder_80": 1,
        "escalation": 0,
    }
    assert row["score"] == 19
