"""The register from night to night."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from policy.repeats import REGISTER_SCHEMA, WARNING_SCHEMA, Windows, empty_register, register

NIGHT = date(2025, 11, 17)
OUTCOMES = {
    "household_id": pl.Int64,
    "rule_id": pl.String,
    "warning_id": pl.String,
    "result_code": pl.String,
    "visited_on": pl.Date,
    "data_as_of": pl.Date,
    "row_key": pl.String,
}
NOBODY = pl.DataFrame(schema={"rule_id": pl.String, "county_code": pl.String})


def warning(
    name: str = "W1", *, rule: str = "X04", level: str = "yellow", evidence: str = "{}", on: date = NIGHT
):
    return {
        "warning_id": name,
        "rule_id": rule,
        "rule_version": 1,
        "list_kind": "check_out",
        "household_id": 1,
        "person_id": None,
        "case_id": "c1",
        "county_code": "150902",
        "township_code": "150902001",
        "village_code": "150902001001",
        "cause_key": "v",
        "level": level,
        "points": Decimal("10.00"),
        "reason_zh": "理由",
        "evidence_json": evidence,
        "sources_json": "{}",
        "raised_on": on,
        "expires_on": on + timedelta(days=90),
        "visit_due_on": on + timedelta(days=14),
        "close_due_on": on + timedelta(days=28),
    }


def frame(*rows):
    return pl.DataFrame(list(rows), schema=WARNING_SCHEMA)


def answer(code: str, on: date, name: str = "W1"):
    return {
        "warning_id": name,
        "result_code": code,
        "visited_on": on,
        "data_as_of": on,
        "row_key": f"{on}{code}",
    }


def night(raised, previous=None, answers=(), *, on=NIGHT, stubborn=(), unheard=NOBODY):
    return register(
        raised,
        empty_register() if previous is None else previous,
        pl.DataFrame(list(answers), schema=OUTCOMES),
        as_of=on,
        windows=Windows(quiet_days=90),
        never_suppressed=set(stubborn),
        unheard=unheard,
    )


def states(book):
    return dict(zip(book["warning_id"].to_list(), book["state"].to_list(), strict=True))


def after(days: int) -> date:
    return NIGHT + timedelta(days=days)


def test_new_then_repeated_then_changed():
    first = night(frame(warning()))
    assert states(first) == {"W1": "new"}
    assert first.schema == REGISTER_SCHEMA
    second = night(frame(warning()), first, on=after(1))
    assert states(second) == {"W1": "repeated"}
    assert second["first_raised_on"].to_list() == [NIGHT]
    assert second["last_raised_on"].to_list() == [after(1)]
    third = night(frame(warning(evidence='{"vehicles":2}')), second, on=after(2))
    assert states(third) == {"W1": "changed"}


def test_gone_is_expired_and_comes_back_as_new():
    first = night(frame(warning()))
    second = night(frame(), first, on=after(1))
    assert states(second) == {"W1": "expired"}
    assert states(night(frame(), second, on=after(2))) == {"W1": "expired"}
    third = night(frame(warning()), second, on=after(2))
    assert states(third) == {"W1": "new"}
    assert third["first_raised_on"].to_list() == [after(2)]


def test_silence_of_a_rule_that_could_not_speak_says_nothing():
    first = night(frame(warning()))
    off = pl.DataFrame({"rule_id": ["X04"], "county_code": [None]}, schema=NOBODY.schema)
    second = night(frame(), first, on=after(1), unheard=off)
    assert states(second) == {"W1": "repeated"}
    assert second["last_raised_on"].to_list() == [NIGHT]
    assert states(night(frame(), second, on=after(91), unheard=off)) == {"W1": "expired"}
    elsewhere = pl.DataFrame({"rule_id": ["X04"], "county_code": ["150921"]}, schema=NOBODY.schema)
    assert states(night(frame(), first, on=after(1), unheard=elsewhere)) == {"W1": "expired"}
    here = pl.DataFrame({"rule_id": ["X04"], "county_code": ["150902"]}, schema=NOBODY.schema)
    assert states(night(frame(), first, on=after(1), unheard=here)) == {"W1": "repeated"}


def test_nothing_to_do_silences_a_repeat_for_ninety_days():
    first = night(frame(warning()))
    told = [answer("501", after(3))]
    assert states(night(frame(warning()), first, told, on=after(4))) == {"W1": "suppressed"}
    assert states(night(frame(warning()), first, told, on=after(93))) == {"W1": "suppressed"}
    assert states(night(frame(warning()), first, told, on=after(94))) == {"W1": "repeated"}


def test_a_data_fault_silences_too_and_a_higher_level_breaks_the_silence():
    first = night(frame(warning()))
    told = [answer("603", after(3))]
    assert states(night(frame(warning()), first, told, on=after(4))) == {"W1": "suppressed"}
    assert states(night(frame(warning(level="orange")), first, told, on=after(4))) == {"W1": "changed"}
    assert states(night(frame(warning(level="blue")), first, told, on=after(4))) == {"W1": "suppressed"}


def test_payments_after_death_are_never_suppressed():
    first = night(frame(warning(rule="X01")))
    told = [answer("501", after(3))]
    assert states(night(frame(warning(rule="X01")), first, told, on=after(4), stubborn=["X01"])) == {
        "W1": "repeated"
    }


def test_an_action_is_an_answer_and_new_evidence_of_a_stubborn_rule_reopens_it():
    first = night(frame(warning(rule="X01", evidence='{"last":"2025-10"}')))
    told = [answer("401", after(3))]
    same = night(
        frame(warning(rule="X01", evidence='{"last":"2025-10"}')), first, told, on=after(4), stubborn=["X01"]
    )
    assert states(same) == {"W1": "answered"}
    assert same["result_code"].to_list() == ["401"]
    more = night(
        frame(warning(rule="X01", evidence='{"last":"2025-11"}')), same, told, on=after(30), stubborn=["X01"]
    )
    assert states(more) == {"W1": "changed"}


def test_answered_and_gone():
    first = night(frame(warning()))
    second = night(frame(), first, [answer("201", after(1))], on=after(2))
    assert states(second) == {"W1": "answered"}
    assert second["result_on"].to_list() == [after(1)]
    assert states(night(frame(), second, on=after(3))) == {"W1": "answered"}


def test_the_latest_answer_counts_and_one_from_the_future_does_not():
    first = night(frame(warning()))
    told = [answer("501", after(1)), answer("201", after(2)), answer("502", after(9))]
    book = night(frame(warning()), first, told, on=after(3))
    assert book["result_code"].to_list() == ["201"]
    assert states(book) == {"W1": "answered"}


def test_order_of_rows_does_not_matter():
    rows = [warning("W2"), warning("W1"), warning("W3")]
    assert night(frame(*rows)).equals(night(frame(*reversed(rows))))
