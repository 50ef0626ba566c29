"""Candidates and suspected families from open warnings; never what is closed, never from the check list."""

from __future__ import annotations

from datetime import date

import polars as pl

from policy.categories import CANDIDATE_SCHEMA, candidates
from policy.repeats import REGISTER_SCHEMA, empty_register

FIRST, SECOND = date(2025, 11, 17), date(2025, 11, 18)


def book(*rows):
    """(rule, household, person, state, first raised)."""
    told = [
        {
            "warning_id": f"W{number}",
            "rule_id": rule,
            "list_kind": "check_out" if rule.startswith("X") else "help_in",
            "household_id": household,
            "person_id": person,
            "state": state,
            "first_raised_on": since,
            "reason_zh": f"理由{number}",
        }
        for number, (rule, household, person, state, since) in enumerate(rows)
    ]
    return pl.DataFrame(
        [{name: row.get(name) for name in REGISTER_SCHEMA} for row in told], schema=REGISTER_SCHEMA
    )


def test_a_candidate_is_named_by_its_warning_and_the_family_is_suspected():
    found = candidates(book(("N10", 1, None, "new", SECOND), ("N01", 1, 11, "repeated", FIRST)))
    assert found.schema == CANDIDATE_SCHEMA
    assert found.select("household_id", "layer", "candidate", "since", "rule_ids").rows() == [
        (1, "candidate", "dibao", SECOND, ["N10"]),
        (1, "suspected", None, FIRST, ["N01", "N10"]),
    ]
    assert found["reason_zh"][1] == "理由1；理由0"


def test_each_category_by_its_rule_and_person():
    rules = ("N10", "N11", "N12", "N13", "N14")
    found = candidates(book(*((rule, n, n, "new", FIRST) for n, rule in enumerate(rules))))
    named = found.filter(pl.col("layer") == "candidate").select("person_id", "candidate").rows()
    assert named == [(0, "dibao"), (1, "edge"), (2, "rigid"), (3, "dibao_single"), (4, "tekun")]


def test_what_is_closed_or_of_the_check_list_or_of_a_policy_gap_suggests_nothing():
    closed = [("N10", 1, None, state, FIRST) for state in ("answered", "expired", "suppressed")]
    assert candidates(book(*closed, ("X04", 2, None, "new", FIRST), ("P01", 3, 3, "new", FIRST))).is_empty()
    assert candidates(empty_register()).is_empty()


def test_the_order_of_rows_does_not_matter():
    rows = [("N10", 2, None, "new", FIRST), ("N14", 1, 11, "new", FIRST), ("N14", 1, 12, "changed", SECOND)]
    one = book(*rows)
    assert candidates(one).equals(candidates(one.reverse()))
