"""The posterior of every candidate against adding up all hypotheses by hand; rates that data cannot talk into anything."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import scoring
from matching.model import BY_NAME, MODEL, Model
from matching.residue import RATES
from tests.matching import invented
from tests.matching.slow_engine import Slow, hypotheses, posterior
from tests.matching.test_comparators import world

BITS = st.floats(-60, 60, allow_nan=False)
CANDIDATES = st.lists(st.lists(st.tuples(BITS, BITS, BITS), min_size=1, max_size=5), min_size=1, max_size=6)


def scored(
    records: list[list[tuple[float, float, float]]], n_left: int, model: Model
) -> tuple[scoring.Scored, np.ndarray]:
    rows = np.repeat(np.arange(len(records)), [len(r) for r in records])
    same, kin, namesake = (np.array(column) for column in zip(*(c for r in records for c in r), strict=True))
    return scoring.score(rows, scoring.Weights(same, kin, namesake), n_left, model), rows


@pytest.mark.parametrize("seed", range(4))
def test_every_probability_against_the_slow_engine(seed: int) -> None:
    tables, found, pairs = world(seed)
    model = replace(Model(), in_registry=0.8, namesakes=0.01)
    said = scoring.weights(found, model)
    fast = scoring.score(pairs.right, said, 30, model)
    slow = Slow(invented.records(tables.left), invented.records(tables.right))
    for row in range(20):
        candidates = []
        for place in np.flatnonzero(pairs.right == row):
            a, b = slow.left[pairs.left[place]], slow.right[row]
            what = slow.compare(a, b)
            if what["name"] and what["name"][0] == "two":
                name = found.evidence["name"]
                level = BY_NAME["name"].levels[int(name.level[place]) - 1]
                what["name"] = (level, float(name.bits[place]))
            candidates.append(hypotheses(slow, a, b, what, model))
            got = said.same[place], said.kin[place], said.namesake[place]
            assert got == pytest.approx(candidates[-1], abs=1e-2)
        expected = posterior(candidates, 30, model)
        assert fast.probability[pairs.right == row] == pytest.approx(expected, abs=1e-3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CANDIDATES, st.integers(1, 10**6), st.floats(0.02, 0.999), st.floats(1e-6, 0.5))
def test_probabilities_add_up(
    records: list[list[tuple[float, float, float]]], n_left: int, share: float, namesakes: float
) -> None:
    model = replace(Model(), in_registry=share, namesakes=namesakes)
    found, rows = scored(records, n_left, model)
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    assert np.isfinite(found.log_odds).all()
    assert (np.bincount(rows, found.probability) <= 1 + 1e-9).all()
    odds = np.exp2(np.clip(found.log_odds, -40, 40))
    assert found.probability == pytest.approx(odds / (1 + odds), abs=1e-6)
    for row, candidates in enumerate(records):
        assert found.probability[rows == row] == pytest.approx(posterior(candidates, n_left, model), abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(CANDIDATES, st.integers(0, 5), st.floats(0.1, 30))
def test_more_weight_is_more_probable_and_every_rival_costs(
    records: list[list[tuple[float, float, float]]], which: int, more: float
) -> None:
    model = Model()
    before, rows = scored(records, 1000, model)
    which %= len(rows)
    stronger = [list(r) for r in records]
    inside = which - int(np.flatnonzero(rows == rows[which])[0])
    same, kin, namesake = stronger[rows[which]][inside]
    stronger[rows[which]][inside] = (same + more, kin, namesake)
    after, _ = scored(stronger, 1000, model)
    assert after.log_odds[which] > before.log_odds[which]
    others = (rows == rows[which]) & (np.arange(len(rows)) != which)
    assert (after.log_odds[others] <= before.log_odds[others] + 1e-9).all()
    elsewhere = rows != rows[which]
    assert (after.log_odds[elsewhere] == before.log_odds[elsewhere]).all()


def test_relatives_and_namesakes_stand_beside_the_person() -> None:
    model = Model()
    alone, _ = scored([[(30.0, -60.0, -60.0)]], 1000, model)
    kin, _ = scored([[(30.0, 34.0, -60.0)]], 1000, model)
    namesake, _ = scored([[(30.0, -60.0, 34.0)]], 1000, model)
    assert alone.log_odds[0] > 20
    assert kin.log_odds[0] == pytest.approx(-4 - np.log2(0.03 / 0.9), abs=0.01)
    assert namesake.log_odds[0] == pytest.approx(-4 - np.log2(0.1 * 0.005 / 0.9), abs=0.01)


def test_a_twin_of_equal_weight_leaves_even_odds() -> None:
    found, _ = scored([[(40.0, -60.0, -60.0), (40.0, -60.0, -60.0)]], 1000, Model())
    assert found.probability == pytest.approx([0.5, 0.5], abs=1e-4)
    assert found.log_odds == pytest.approx([0.0, 0.0], abs=1e-3)


def test_nothing_to_score() -> None:
    nothing = np.zeros(0)
    found = scoring.score(nothing, scoring.Weights(nothing, nothing, nothing), 10, Model())
    assert (len(found.log_odds), len(found.probability)) == (0, 0)


# --- the model

LEVELS = {c.name: len(c.levels) for c in MODEL}


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.data())
def test_rates_stay_rates_and_unclear_levels_stay_rare(data: st.DataObject) -> None:
    counts = {
        c.name: np.array([data.draw(st.floats(0, 1e6)) for _ in range(len(c.levels) + len(c.pooled) + 1)])
        for c in data.draw(st.lists(st.sampled_from(MODEL), unique=True, max_size=4))
    }
    found = Model().with_counts(counts, 0.9, 0.01)
    for comparison in MODEL:
        rates = dict(zip(comparison.levels, found.rates[comparison.name], strict=True))
        assert sum(rates.values()) == pytest.approx(1)
        assert all(0 < rate < 1 for rate in rates.values())
        prior = dict(zip(comparison.levels, comparison.rates, strict=True))
        for level in comparison.unclear:
            clear = 1 - sum(prior[unclear] for unclear in comparison.unclear)
            most = prior[level] / clear
            for twice, parts in comparison.twice:
                if twice == level:
                    # Two at once: as often as chance makes two of these.
                    most = max(most, (sum(rates[part] for part in parts) / 2) ** 2 * 1.1)
            assert rates[level] <= most * (1 + 1e-9)


def test_wrong_links_among_the_data_cannot_make_other_names_usual() -> None:
    counts = {"name": np.zeros(len(BY_NAME["name"].levels) + 1)}
    counts["name"][1] = 1000
    counts["name"][1 + BY_NAME["name"].levels.index("none")] = 1000
    counts["name"][1 + BY_NAME["name"].levels.index("sound")] = 500
    found = Model().with_counts(counts, 0.9, 0.01)
    levels = BY_NAME["name"].levels
    assert found.rates["name"][levels.index("none")] < 0.001
    assert found.rates["name"][levels.index("sound")] > 0.2


def test_counts_of_pooled_levels_are_shared_out() -> None:
    place = BY_NAME["place"]
    counts = {"place": np.zeros(len(place.levels) + len(place.pooled) + 1)}
    counts["place"][1 + len(place.levels) + 1] = 10_000  # within the county
    found = dict(zip(place.levels, Model().with_counts(counts, 0.9, 0.01).rates["place"], strict=True))
    assert found["village"] / found["township"] == pytest.approx(0.72 / 0.09, rel=0.01)
    assert found["elsewhere"] < 0.01


def test_a_model_survives_its_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = replace(Model(), in_registry=0.75, namesakes=0.02, version="x", provenance={"by": "a test"})
    model.save(tmp_path / "rates.yaml")
    again = Model.load(tmp_path / "rates.yaml")
    assert (again.version, again.provenance) == ("x", {"by": "a test"})
    assert (again.in_registry, again.namesakes) == (0.75, 0.02)
    for name, rates in model.rates.items():
        assert again.rates[name] == pytest.approx(rates, rel=1e-5)


def test_a_file_with_other_levels_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rates.yaml"
    Model().save(path)
    path.write_text(path.read_text(encoding="utf-8").replace("swap:", "swapped:"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"rates\.name must have the levels exact, sound"):
        Model.load(path)


def test_the_rates_of_the_night_are_a_file_that_fits() -> None:
    model = Model.load(RATES)
    assert model.version
    assert model.provenance
    for comparison in MODEL:
        assert sum(model.rates[comparison.name]) == pytest.approx(1, abs=1e-4)


def test_prior_rates_sum_to_one_and_fall_with_agreement() -> None:
    for comparison in MODEL:
        assert sum(comparison.rates) == pytest.approx(1)
    for name in ("age", "place"):
        falling = [r for level, r in zip(BY_NAME[name].levels, BY_NAME[name].rates, strict=True)]
        assert all(a >= b for a, b in pairwise(falling[:4]))
