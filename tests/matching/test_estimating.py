"""Rates estimated from a night: deterministic, held by the priors, and a calibration table that an obvious count confirms."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from matching import estimating, rates, residue, spine
from matching.model import BY_NAME, Model
from tests.matching import world
from tests.matching.test_residue import everything

Z2 = 1.959963984540054**2


@cache
def night(people: int = 1500, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Identities with their true persons, and the keys of the state that a night left."""
    records = everything(people, seed)
    state = spine.resolve(records.drop("true_person_id"), None, None, world.FIRST_DAY)
    assert state.keys is not None
    return records, state.keys


@cache
def estimated(seed: int = 1) -> estimating.Estimate:
    records, keys = night()
    return estimating.estimate(records.drop("true_person_id"), keys, world.FIRST_DAY, seed=seed)


def obvious(links: list[tuple[float, float, bool]]) -> list[tuple[object, ...]]:
    """The table by hand: every band looks at every link."""
    ends = [-math.inf, *estimating.BANDS, math.inf]
    named = [(f"{low:g} to {high:g}", low, high) for low, high in pairwise(ends)]
    named[0] = (f"below {ends[1]:g}", *named[0][1:])
    named[-1] = (f"{ends[-2]:g} and more", *named[-1][1:])
    rows: list[tuple[object, ...]] = []
    for name, low, high in [*named, (estimating.ALL, -math.inf, math.inf)]:
        inside = [link for link in links if low <= link[0] < high]
        if not inside:
            continue
        n, right = len(inside), sum(link[2] for link in inside)
        promised = math.fsum(link[1] for link in inside)
        p = right / n
        half = math.sqrt(Z2 * p * (1 - p) / n + Z2 * Z2 / (4 * n * n))
        bottom, top = ((p + Z2 / (2 * n) + sign * half) / (1 + Z2 / n) for sign in (-1, 1))
        bottom, top = (0.0 if right == 0 else bottom), (1.0 if right == n else top)
        says = "too sure" if promised / n > top else "too modest" if promised / n < bottom else "as expected"
        rows.append((name, n, promised, right, promised / n, p, bottom, top, says))
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_the_table_is_what_an_obvious_count_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = np.concatenate([rng.normal(6, 6, int(rng.integers(1, 400))), rng.choice(estimating.BANDS, 5)])
    probability = 1 / (1 + 2.0**-weight)
    right = rng.random(len(weight)) < (probability if seed % 2 else probability * 0.7)
    found = pl.DataFrame({"weight": weight, "probability": probability, "is_right": right})
    table = estimating.calibration(found)
    assert table.schema == estimating.CALIBRATION
    by_hand = pl.DataFrame(obvious(list(found.iter_rows())), schema=estimating.CALIBRATION, orient="row")
    assert_frame_equal(table, by_hand, abs_tol=1e-9)
    assert_frame_equal(estimating.calibration(found.reverse()), table, check_exact=True)


def test_promises_that_are_not_kept_are_told() -> None:
    kept = [(4.0, 0.94, n % 16 != 0) for n in range(400)]
    broken = [(10.0, 0.999, n % 10 != 0) for n in range(400)]
    hidden = [(1.0, 0.6, True) for _ in range(400)]
    found = pl.DataFrame(
        [*kept, *broken, *hidden], schema=["weight", "probability", "is_right"], orient="row"
    )
    said = dict(estimating.calibration(found).select("band", "says").iter_rows())
    assert said["3 to 6"] == "as expected"
    assert said["9 to 12"] == "too sure"
    assert said["0 to 3"] == "too modest"


def test_rows_add_up() -> None:
    found = estimated()
    bands, total = found.table[:-1], found.table[-1]
    assert total["band"].item() == estimating.ALL
    assert bands["links"].sum() == total["links"].item() == found.counts["hidden_linked"]
    assert bands["right"].sum() == total["right"].item()
    assert bands["expected"].sum() == pytest.approx(total["expected"].item())
    assert 0 < found.counts["hidden_absent"] < found.counts["hidden"]
    assert 50 < found.counts["hidden_linked"] <= found.counts["hidden"]
    # Who was taken away is nobody's right link.
    assert total["right"].item() <= found.counts["hidden"] - found.counts["hidden_absent"]


def test_the_same_night_gives_the_same_rates_in_any_order_of_rows() -> None:
    records, keys = night()
    other = records.drop("true_person_id").sample(fraction=1.0, shuffle=True, seed=3)
    again = estimating.estimate(
        other, keys.sample(fraction=1.0, shuffle=True, seed=4), world.FIRST_DAY, seed=1
    )
    assert again.model == estimated().model
    assert again.counts == estimated().counts
    assert_frame_equal(again.table, estimated().table, check_exact=True)
    assert estimated(2).model.rates != estimated().model.rates
    assert estimated(2).model.version != estimated().model.version


def test_rates_follow_the_sources_and_stay_within_the_priors() -> None:
    model, start = estimated().model, residue.rates()
    assert model.rates != start.rates
    for name, found in model.rates.items():
        assert sum(found) == pytest.approx(1)
        levels = BY_NAME[name].levels
        doubled = {level for level, _ in BY_NAME[name].twice}
        for level in set(BY_NAME[name].unclear) - doubled:
            at = levels.index(level)
            clear = [i for i, each in enumerate(levels) if each not in BY_NAME[name].unclear]
            # Held against what the clear levels of the same comparison came to.
            most = start.rates[name][at] / sum(start.rates[name][i] for i in clear)
            assert found[at] / sum(found[i] for i in clear) <= most * (1 + 1e-6)
    # The world misspells by sound, far more often than the prior says.
    at = BY_NAME["name"].levels.index("sound")
    assert model.rates["name"][at] > 2 * start.rates["name"][at]
    assert 0.02 < model.in_registry < 1


def test_what_is_estimated_is_no_worse_than_its_promises_on_known_truth() -> None:
    """Hidden numbers are the test inside; here the open records of the world, whose persons are known, are the test."""
    records, _ = night()
    identities = records.drop("true_person_id")
    forms = spine.resolve(identities, None, None, world.FIRST_DAY, model=estimated().model)
    assert forms.weighed is not None
    number = records.filter(pl.col("source_class") == "ps_resident").select(
        node="resident_id", meant="true_person_id"
    )
    judged = (
        forms.weighed.join(records.select("identity_key", "true_person_id"), on="identity_key")
        .join(number, on="node", how="left")
        .with_columns((pl.col("meant") == pl.col("true_person_id")).fill_null(False).alias("is_right"))
    )
    assert len(judged) > 100
    strong = judged.filter(pl.col("grade") == "B")
    assert len(strong) > 20
    assert strong["is_right"].mean() == 1.0


def test_a_record_is_not_held_against_itself() -> None:
    """Telephones that only one record of a person states can never agree with what the others know."""
    records, _ = night()
    register = pl.col("source_class") == "ps_resident"
    row = pl.int_range(pl.len())
    alone = records.filter(register | (pl.col("source_class") == "mi_enrolment")).with_columns(
        pl.when(register)
        .then(None)
        .otherwise(pl.format("138{}", row.cast(pl.String).str.zfill(8)))
        .alias("phone")
    )
    identities = alone.drop("true_person_id")
    keys = spine.resolve(identities, None, None, world.FIRST_DAY).keys
    assert keys is not None
    found = estimating.estimate(identities, keys, world.FIRST_DAY)
    assert found.counts["anchors"] > 100
    phone = dict(zip(BY_NAME["phone"].levels, found.model.rates["phone"], strict=True))
    prior = dict(zip(BY_NAME["phone"].levels, residue.rates().rates["phone"], strict=True))
    assert phone["equal"] <= prior["equal"] * (1 + 1e-4)


def test_too_small_a_county_is_refused() -> None:
    records = world.records(world.population(200, 5), 5).drop("true_person_id")
    keys = spine.resolve(records, None, None, world.FIRST_DAY).keys
    assert keys is not None
    with pytest.raises(estimating.TooFewError, match="300 persons are needed"):
        estimating.estimate(records, keys, world.FIRST_DAY)


def test_the_file_loads_and_says_where_it_comes_from(tmp_path: Path) -> None:
    model = estimated().model
    path = rates.adopt(model, tmp_path / "rates", date(2025, 12, 1))
    assert [p.name for p in (tmp_path / "rates").iterdir()] == ["from=2025-12-01.yaml"]
    again = Model.load(path)
    assert again.version == model.version
    assert again.provenance == model.provenance
    for name, found in model.rates.items():
        assert again.rates[name] == pytest.approx(found, rel=1e-5)
    assert again.provenance["night"] == "2025-11-17"
    assert again.provenance["seed"] == 1
    assert again.provenance["counts"]["hidden"] == estimated().counts["hidden"]
    assert [row["links"] for row in again.provenance["calibration"]] == estimated().table["links"].to_list()


def test_the_newest_rates_of_the_day_are_in_force(tmp_path: Path) -> None:
    shipped = residue.rates()
    assert rates.in_force(tmp_path / "nowhere", date(2025, 12, 1)) == shipped
    for since in (date(2026, 1, 5), date(2025, 12, 1)):
        rates.adopt(replace(shipped, version=f"of {since}"), tmp_path, since)
    (tmp_path / "from=soon.yaml").write_text("nothing")
    versions = {
        date(2025, 11, 30): shipped.version,
        date(2025, 12, 1): "of 2025-12-01",
        date(2026, 1, 4): "of 2025-12-01",
        date(2026, 1, 5): "of 2026-01-05",
        date(2027, 1, 1): "of 2026-01-05",
    }
    assert {day: rates.in_force(tmp_path, day).version for day in versions} == versions


def test_changes_name_the_rates_that_changed_most() -> None:
    before = residue.rates()
    name = list(before.rates["name"])
    place = BY_NAME["name"].levels.index("swap")
    name[place] *= 8
    after = replace(before, rates=before.rates | {"name": tuple(name)}, in_registry=before.in_registry / 2)
    rows = estimating.changes(before, after).rows()
    assert [(*row[:2], round(row[4], 6)) for row in rows[:3]] == [
        ("name", "swap", 3.0),
        ("open record", "person is known", -1.0),
        ("address", "differs", 0.0),
    ]
    assert len(rows) == sum(len(found) for found in before.rates.values()) + 2
