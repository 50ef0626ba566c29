"""Leads to departments: what is counted, at the limit and below, with the rows to mend and the day since when."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from data_contracts.issues import ISSUES
from data_contracts.ledger import LEDGER
from policy import leads
from policy.parameters import read_parameter
from policy.sql_file import ROOT

NIGHT = date(2025, 11, 17)
LIMIT = leads.limits(read_parameter(ROOT / "parameters" / "lead_limit.yaml"), NIGHT)


def table(rows, schema):
    return pl.DataFrame(
        [{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row"
    )


def test_two_names_under_one_number_are_told_to_the_class_with_their_rows_and_no_number():
    conflicts = pl.DataFrame(
        {
            "identity_key": ["a", "b", "c"],
            "source_class": ["mi_enrolment", "mi_enrolment", "ps_vehicle"],
            "kind": ["name", "name", "birth"],
        }
    )
    rows = pl.DataFrame(
        {
            "identity_key": ["a", "a", "b", "c", "d"],
            "source_class": ["mi_enrolment"] * 3 + ["ps_vehicle", "mi_enrolment"],
            "delivery_id": ["d1"] * 5,
            "row": [7, 9, 3, 1, 2],
        }
    )
    (one,) = leads.two_names(conflicts, rows)
    assert (one["lead_id"], one["class_id"], one["count"]) == ("Q01", "mi_enrolment", 3)
    assert one["row_keys"] == ["d1:3", "d1:7", "d1:9"]
    assert one["department"] == "medical_insurance"
    assert "3行" in one["reason_zh"]


def facts(died_on=date(2025, 6, 1), admitted=date(2025, 8, 1), grade="A", status="3"):
    return {
        "death": pl.LazyFrame(
            {
                "person_id": [11],
                "link_grade": [grade],
                "death_date": [died_on],
                "recorded_date": [died_on],
                "death_source": ["cremation"],
                "source_class": ["ca_cremation"],
                "row_key": ["d1:1"],
            },
            schema_overrides={"death_date": pl.Date(), "recorded_date": pl.Date()},
        ),
        "registered_resident": pl.LazyFrame(
            {
                "person_id": [11],
                "link_grade": ["A"],
                "register_status": [status],
                "source_class": ["ps_resident"],
                "row_key": ["d3:5"],
            }
        ),
        "medical_settlement": pl.LazyFrame(
            {
                "person_id": [11],
                "link_grade": ["A"],
                "admit_date": [admitted],
                "source_class": ["mi_settlement"],
                "row_key": ["d2:4"],
            },
            schema_overrides={"admit_date": pl.Date()},
        ),
    }


def test_alive_in_one_class_and_dead_in_another_is_told_to_both():
    found = leads.alive_and_dead(facts(), NIGHT, LIMIT["alive_after_death"])
    assert [(one["class_id"], one["what"], one["count"], one["row_keys"]) for one in found] == [
        ("mi_settlement", "alive:ca_cremation", 1, ["d2:4"]),
        ("ca_cremation", "dead:mi_settlement", 1, ["d1:1"]),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"admitted": date(2025, 7, 2)},
        {"admitted": None},
        {"admitted": date(2025, 12, 1)},
        {"died_on": None},
        {"grade": "B"},
        {"died_on": date(2025, 12, 1)},
    ],
)
def test_a_month_after_death_an_unknown_day_the_future_or_a_link_below_a_contradicts_nothing(changed):
    assert leads.alive_and_dead(facts(**changed), NIGHT, LIMIT["alive_after_death"]) == []


def test_who_is_active_in_the_register_is_said_to_live_and_who_is_not_known_is_not():
    admitted = date(2025, 6, 1)
    found = leads.alive_and_dead(facts(admitted=admitted, status="1"), NIGHT, LIMIT["alive_after_death"])
    assert {one["class_id"] for one in found} == {"ps_resident", "ca_cremation"}
    assert leads.alive_and_dead(facts(admitted=admitted, status=None), NIGHT, 31) == []
    # The day on which a month has gone is not yet more than a month.
    assert leads.alive_and_dead(facts(date(2025, 10, 17), admitted, status="1"), NIGHT, 31) == []
    assert leads.alive_and_dead(facts(date(2025, 10, 16), admitted, status="1"), NIGHT, 31) != []


def book(*rows):
    return table(
        [
            {"class_id": "ps_resident", "kind": "full", "delivery_id": f"d{n}", "rows_received": received}
            | {"batch_date": day}
            for n, (day, received) in enumerate(rows)
        ],
        LEDGER,
    )


STATUS = {
    "class_id": pl.String(),
    "status": pl.String(),
    "note_zh": pl.String(),
}


@pytest.mark.parametrize(
    ("now", "what"), [(1000, None), (701, None), (700, "shrunk"), (1, "shrunk"), (0, "empty")]
)
def test_an_extract_that_shrank_or_is_empty(now, what):
    ledger = book((date(2025, 11, 16), 1000), (NIGHT, now))
    found = leads.late_or_short(table([], STATUS), ledger, NIGHT, LIMIT["shrunk"])
    assert [one["what"] for one in found] == ([what] if what else [])


def test_a_first_delivery_and_one_of_another_night_are_not_compared():
    assert leads.late_or_short(table([], STATUS), book((NIGHT, 3)), NIGHT, 30) == []
    assert (
        leads.late_or_short(
            table([], STATUS), book((date(2025, 11, 15), 9), (date(2025, 11, 16), 1)), NIGHT, 30
        )
        == []
    )


def test_what_is_late_is_told_and_what_is_fresh_is_not():
    status = table(
        [
            {"class_id": "ps_vehicle", "status": "late", "note_zh": "已逾期"},
            {"class_id": "ps_resident", "status": "fresh", "note_zh": "数据截至今日"},
        ],
        STATUS,
    )
    (one,) = leads.late_or_short(status, table([], LEDGER), NIGHT, 30)
    assert (one["class_id"], one["what"], one["department"]) == ("ps_vehicle", "late", "public_security")
    assert "已逾期" in one["reason_zh"]


@pytest.mark.parametrize(("failed", "is_told"), [(29, False), (30, True), (300, True)])
def test_a_jump_of_numbers_that_fail_their_checksum(failed, is_told):
    """Usually 1 per cent; told from 3 per cent on, by the parameter."""
    ledger = book((date(2025, 11, 16), 1000), (NIGHT, 1000))
    issues = table(
        [
            {"delivery_id": "d0", "reason": "id_checksum", "rows": 10},
            {"delivery_id": "d1", "reason": "id_checksum", "rows": failed - 1},
            {"delivery_id": "d1", "reason": "id_checksum", "rows": 1, "row": 5},
            {"delivery_id": "d1", "reason": "id_masked", "rows": 500},
        ],
        ISSUES,
    )
    found = leads.checksum_jump(issues, ledger, NIGHT, LIMIT["checksum_points"], LIMIT["checksum_rows"])
    assert [(one["count"], one["of"], one["row_keys"]) for one in found] == (
        [(failed, 1000, ["d1:5"])] if is_told else []
    )


def test_few_rows_and_a_first_delivery_are_no_jump():
    few = book((date(2025, 11, 16), 10), (NIGHT, 10))
    issues = table([{"delivery_id": "d1", "reason": "id_checksum", "rows": 9}], ISSUES)
    assert leads.checksum_jump(issues, few, NIGHT, 2, LIMIT["checksum_rows"]) == []
    first = table([{"delivery_id": "d0", "reason": "id_checksum", "rows": 500}], ISSUES)
    assert leads.checksum_jump(first, book((NIGHT, 1000)), NIGHT, 2, 10) == []


def test_a_lead_keeps_the_day_since_when_and_the_order_is_total():
    status = table(
        [{"class_id": name, "status": "late", "note_zh": "已逾期"} for name in ("ps_vehicle", "ps_death")],
        STATUS,
    )
    found = leads.late_or_short(status, table([], LEDGER), NIGHT, 30)
    first = leads.with_since(found[:1], None, date(2025, 11, 16))
    second = leads.with_since(found[::-1], first, NIGHT)
    assert second.schema == leads.LEAD_SCHEMA
    assert second.select("class_id", "since").rows() == [
        ("ps_death", NIGHT),
        ("ps_vehicle", date(2025, 11, 16)),
    ]
    assert leads.with_since([], None, NIGHT).is_empty()
