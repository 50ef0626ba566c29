"""Best pair, margin, claims and grades against loops that anybody can read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import clustering
from matching.comparison import Compared
from matching.evidence import Evidence
from matching.model import BY_NAME, MODEL

PAIRS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(-3, 3)),
    max_size=25,
    unique_by=lambda p: p[:2],
).map(sorted)


def columns(pairs: list[tuple[int, int, int]]) -> list[np.ndarray]:
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    return [rows[:, 0], rows[:, 1], rows[:, 2].astype(float)]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(PAIRS)
def test_the_best_pair_of_each_record(pairs: list[tuple[int, int, int]]) -> None:
    right, left, weight = columns(pairs)
    found = clustering.best_pairs(right, left, weight)
    records = sorted({r for r, _, _ in pairs})
    assert right[found.pair].tolist() == records
    for record, pair, second, margin in zip(records, found.pair, found.second, found.margin, strict=True):
        ranked = sorted(((-w, a) for r, a, w in pairs if r == record))
        assert (-weight[pair], left[pair]) == ranked[0]
        if len(ranked) == 1:
            assert (second, margin) == (-1, np.inf)
        else:
            assert (-weight[second], left[second]) == ranked[1]
            assert margin == ranked[1][0] - ranked[0][0]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(PAIRS)
def test_claims(pairs: list[tuple[int, int, int]]) -> None:
    right, left, weight = columns(pairs)
    probability = (weight + 3) / 6
    found = clustering.claims(left, right, probability, 7)
    for place, (record, person, _) in enumerate(pairs):
        rivals = [p for (r, a, _), p in zip(pairs, probability, strict=True) if a == person and r != record]
        mine = probability[place]
        strongest = max(rivals, default=0.0)
        # Whoever is strictly the strongest is in nobody's way but the others'.
        expected = 0.0 if mine > strongest else strongest
        assert found[place] == (expected if expected > clustering.CLAIMED else 0.0)


def compared(**levels: list[str]) -> Compared:
    n = len(next(iter(levels.values())))
    evidence = {}
    for comparison in MODEL:
        said = levels.get(comparison.name, [""] * n)
        numbers = [comparison.levels.index(level) + 1 if level else 0 for level in said]
        evidence[comparison.name] = Evidence(np.array(numbers, dtype=np.uint8), np.zeros(n, dtype=np.float32))
    return Compared(evidence, np.zeros(n, dtype=np.float32))


@pytest.mark.parametrize(
    ("levels", "grade"),
    [
        ({"id": "equal", "name": "exact"}, "A"),
        ({"id": "equal", "name": "former"}, "A"),
        ({"id": "equal", "name": "exact", "birth": "equal", "sex": "equal"}, "A"),
        ({"id": "equal", "name": "sound"}, "B"),
        ({"id": "equal", "name": "none"}, "B"),
        ({"id": "equal", "name": "exact", "birth": "digit"}, "B"),
        ({"id": "equal", "name": "exact", "sex": "differs"}, "B"),
        ({"id": "equal", "hidden_name": "fits"}, "B"),
        ({"id": "slip", "name": "exact"}, "B"),
        ({"name": "exact", "birth": "equal"}, "B"),
        ({"id": "relative", "name": "exact", "birth": "equal"}, "B"),
        ({"id": "other", "name": "exact", "birth": "equal"}, "C"),
        ({"id": "other_person", "name": "exact", "birth": "equal"}, "C"),
    ],
)
def test_grades_of_a_pair_that_is_all_but_certain(levels: dict[str, str], grade: str) -> None:
    said = compared(**{name: [level] for name, level in levels.items()})
    for strong in (None, 0.9995):
        assert clustering.grades(said, np.array([1 - 1e-9]), strong).tolist() == [grade]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_strong_are_as_many_as_keep_the_share_of_wrong_links(probabilities: list[float]) -> None:
    n = len(probabilities)
    found = clustering.grades(compared(name=["exact"] * n), np.array(probabilities))
    strong = [p for p, grade in zip(probabilities, found, strict=True) if grade == "B"]
    if strong:
        assert sum(1 - p for p in strong) / len(strong) <= clustering.WRONG_AMONG_STRONG + 1e-12
        assert min(strong) >= clustering.STRONG_AT_LEAST
    rest = [p for p, grade in zip(probabilities, found, strict=True) if grade != "B"]
    assert all(p <= min(strong, default=1.0) for p in rest)
    # The next one would have been too many.
    after = [*strong, max(rest, default=0.0)]
    is_full = sum(1 - p for p in after) / len(after) > clustering.WRONG_AMONG_STRONG
    assert not rest or is_full or max(rest) < clustering.STRONG_AT_LEAST
    review = {p for p, grade in zip(probabilities, found, strict=True) if grade == "C"}
    assert all(p >= clustering.REVIEW_AT_LEAST for p in review)
    assert all(
        p < clustering.REVIEW_AT_LEAST for p, grade in zip(probabilities, found, strict=True) if not grade
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_with_a_fixed_bound_the_grade_of_a_record_is_its_own(probabilities: list[float]) -> None:
    n = len(probabilities)
    together = clustering.grades(compared(name=["exact"] * n), np.array(probabilities), 0.9995).tolist()
    alone = [
        clustering.grades(compared(name=["exact"]), np.array([p]), 0.9995).tolist()[0] for p in probabilities
    ]
    assert together == alone


def test_namesakes_are_proven_by_numbers() -> None:
    said = compared(
        name=["exact", "exact", "sound", "exact", "former"],
        birth=["equal", "digit", "equal", "equal", "equal"],
        id=["other", "other", "other", "relative", "other_person"],
    )
    assert clustering.namesakes(said).tolist() == [True, False, False, False, True]
    assert clustering.two_numbers(said).tolist() == [True, True, True, False, True]
    assert clustering.contradicted(said).tolist() == [False, True, False, False, False]
    assert set(BY_NAME["birth"].levels) > {"equal", "digit"}


def test_of_a_clean_source_each_person_has_one_record() -> None:
    rows_l = np.array([7, 7, 8, 9, 9, 9])
    weight = np.array([10.0, 12.0, 9.0, 11.0, 11.0, 30.0])
    grade = np.array(["B", "B", "B", "B", "A", "C"])
    second = clustering.second_records(rows_l, weight, grade, taken=np.array([8]))
    assert second.tolist() == [True, False, True, False, True, False]
