"""Evaluation: against listing every pair, and what the passes reach on an invented world."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import evaluation, spine
from tests.matching import world


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3))), max_size=12))
def test_pairs_against_listing_them(rows: list[tuple[int, int | None]]) -> None:
    keys = [f"k{i}" for i in range(len(rows))]
    truth = pl.DataFrame(
        {"identity_key": keys, "true_person_id": [t for t, _ in rows]},
        schema={"identity_key": pl.String, "true_person_id": pl.Int64},
    )
    links = pl.DataFrame(
        {"identity_key": keys, "person_id": [p for _, p in rows]},
        schema={"identity_key": pl.String, "person_id": pl.Int64},
    ).drop_nulls()
    together = [(a[0] == b[0], a[1] is not None and a[1] == b[1]) for a, b in combinations(rows, 2)]
    found = evaluation.pairwise(links, truth).row(0, named=True)
    assert found["pairs_true"] == sum(t for t, _ in together)
    assert found["pairs_linked"] == sum(p for _, p in together)
    assert found["pairs_both"] == sum(t and p for t, p in together)
    assert found["recall"] == (found["pairs_both"] / found["pairs_true"] if found["pairs_true"] else None)


def test_verdicts() -> None:
    truth = pl.DataFrame(
        {
            "identity_key": list("abcdefg"),
            "source_class": ["ps_resident", "ps_resident", "x", "x", "x", "x", "x"],
            "true_person_id": [1, 2, 1, 1, 2, None, 3],
        }
    )
    links = pl.DataFrame(
        {
            "identity_key": list("abcde"),
            "source_class": ["ps_resident", "ps_resident", "x", "x", "x"],
            "person_id": [10, 20, 10, 20, 10],
            "grade": ["A"] * 5,
            "pass_id": ["P1"] * 5,
        }
    )
    kin = pl.DataFrame({"true_person_id": [1], "relative_id": [2]})
    verdicts = dict(evaluation.judged(links, truth, kin).select("identity_key", "verdict").iter_rows())
    assert verdicts == {
        "a": "right",
        "b": "right",
        "c": "right",
        "d": "wrong_relative",
        "e": "wrong",
        "f": "absent",
        "g": "absent",
    }
    total = evaluation.summary(evaluation.judged(links, truth, kin)).row(0, named=True)
    assert (total["precision"], total["recall"]) == (3 / 5, 3 / 5)
    by_grade = evaluation.summary(evaluation.judged(links, truth, kin), ["grade"])
    assert by_grade["recall"].is_null().all()


@pytest.fixture(scope="module")
def outcome() -> tuple[pl.DataFrame, spine.SpineResult]:
    people = world.population(6000, 11)
    records = world.records(people, 11)
    result = spine.resolve(records.drop("true_person_id"), None, None, world.FIRST_DAY)
    family = people.select("true_person_id", "family")
    kin = family.join(family.rename({"true_person_id": "relative_id"}), on="family").filter(
        pl.col("true_person_id") != pl.col("relative_id")
    )
    truth = records.select("identity_key", "source_class", "true_person_id")
    return evaluation.judged(result.links, truth, kin), result


def test_the_passes_reach_their_precision_on_an_invented_world(
    outcome: tuple[pl.DataFrame, spine.SpineResult],
) -> None:
    rows, _ = outcome
    # What is for review (C) is a question, not a link.
    for_review = (pl.col("grade") == "C").fill_null(False)
    assert rows.filter(for_review).height <= 60
    rows = rows.filter(~for_review)
    total = evaluation.summary(rows).row(0, named=True)
    assert total["precision"] >= 0.9999
    assert total["recall"] >= 0.995
    assert total["wrong_relative"] == 0
    by_source = evaluation.summary(rows, ["source_class"])
    assert (by_source["precision"] >= 0.999).all()
    recall = dict(by_source.select("source_class", "recall").iter_rows())
    assert recall["ps_resident"] == 1
    assert recall["mi_enrolment"] >= 0.999
    assert recall["re_ownership"] >= 0.97


def test_relatives_numbers_become_conflicts(outcome: tuple[pl.DataFrame, spine.SpineResult]) -> None:
    _, result = outcome
    assert len(result.conflicts) > 5
    assert set(result.conflicts["kind"]) <= {"name", "name_and_birth_or_sex", "unknown_holder"}
    assert not set(result.conflicts["identity_key"]) & set(result.links["identity_key"])
