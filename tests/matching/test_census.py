"""Among whom it is counted how common values are: kept for a month, given to a rebuild, taken anew when it is due."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from matching import residue, spine
from matching.census import Census
from matching.model import Model
from tests.matching import world
from tests.matching.test_residue import everything
from tests.matching.test_spine_laws import partition

LAST_OF_MONTH = date(2025, 11, 30)


def nights(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two nights of a county between which one identity in fifty comes and one goes."""
    identities = everything(900, seed).drop("true_person_id")
    # One in ten has a name that is written by its sound, here and there in another spelling.
    number = pl.col("resident_id").str.slice(14, 1).cast(pl.Int32, strict=False)
    spelt = pl.when(pl.col("source_class") == "re_ownership").then(pl.lit("古力")).otherwise(pl.lit("古丽"))
    sounded = pl.lit("阿依") + spelt + "·" + pl.col("person_name").str.slice(1) + pl.lit("买提")
    identities = identities.with_columns(
        pl.when((number == 3).fill_null(False)).then(sounded).otherwise("person_name").alias("person_name"),
        # Some hide the middle of the telephone.
        pl.when((number == 4).fill_null(False) & (pl.col("source_class") != "ps_resident"))
        .then(pl.col("phone").str.head(3) + "****" + pl.col("phone").str.tail(4))
        .otherwise("phone")
        .alias("phone"),
        pl.when((number == 4).fill_null(False) & (pl.col("source_class") == "re_ownership"))
        .then(None)
        .otherwise("resident_id")
        .alias("resident_id"),
    )
    draw = pl.int_range(len(identities), eager=True).sample(fraction=1.0, shuffle=True, seed=seed)
    return identities.filter(draw % 50 != 0), identities.filter(draw % 50 != 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_count_is_kept_within_a_month_and_taken_anew_in_the_next(seed: int) -> None:
    before, tonight = nights(seed)
    first = spine.resolve(before, None, None, LAST_OF_MONTH - timedelta(days=1))
    second = spine.resolve(tonight, first, None, LAST_OF_MONTH)
    third = spine.resolve(tonight, second, None, LAST_OF_MONTH + timedelta(days=1))
    assert first.census is not None
    assert first.census.taken_on == LAST_OF_MONTH - timedelta(days=1)
    assert second.census is first.census
    assert third.census is not None
    assert third.census.taken_on == LAST_OF_MONTH + timedelta(days=1)
    assert third.census.people is third.known
    # Each night is the rebuild under the same count; another count gives other weights.
    weights = []
    for night, day in ((second, LAST_OF_MONTH), (third, LAST_OF_MONTH + timedelta(days=1))):
        rebuilt = spine.resolve(tonight, None, None, day, census=night.census)
        assert night.weighed is not None
        assert rebuilt.weighed is not None
        assert night.weighed.equals(rebuilt.weighed)
        assert partition(night) == partition(rebuilt)
        weights.append(night.weighed["weight"].to_list())
        assert night.weighed["reasons_zh"].str.contains("电话可见部分").any()
        assert night.weighed["reasons_zh"].str.contains("姓名译写不同").any()
    assert len(weights[0]) > 10
    assert weights[0] != weights[1]
    at_once = spine.resolve(tonight, None, None, LAST_OF_MONTH + timedelta(days=1))
    assert third.weighed is not None
    assert third.weighed.equals(at_once.weighed)


def test_a_count_goes_through_files() -> None:
    before, tonight = nights(3)
    first = spine.resolve(before, None, None, world.FIRST_DAY)
    read = spine.Spine.of(first.frames())
    assert first.census is not None
    assert read.census is not None
    assert read.census.taken_on == first.census.taken_on
    by_file = spine.resolve(tonight, read, None, world.FIRST_DAY + timedelta(days=1))
    by_hand = spine.resolve(tonight, first, None, world.FIRST_DAY + timedelta(days=1))
    for name, frame in by_hand.frames().items():
        assert frame.equals(by_file.frames()[name]), name


def test_a_count_is_taken_anew_for_other_people_and_other_rates() -> None:
    before, _ = nights(1)
    known = spine.resolve(before, None, None, world.FIRST_DAY).known
    assert known is not None
    model = residue.rates()
    census = Census.taken(known, world.FIRST_DAY, model)
    assert not census.is_due(known, world.FIRST_DAY, model)
    few = residue.People(known.people.head(known.people.height * 9 // 10), known.traits)
    assert census.is_due(few, world.FIRST_DAY, model)
    assert Census.taken(few, world.FIRST_DAY, model).is_due(known, world.FIRST_DAY, model)
    other = Model(rates=model.rates, in_registry=model.in_registry / 2, namesakes=model.namesakes)
    assert census.is_due(known, world.FIRST_DAY, other)


@pytest.mark.parametrize("seed", [4, 5])
def test_a_night_weighs_only_what_a_change_reaches(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, tonight = nights(seed)
    first = spine.resolve(before, None, None, world.FIRST_DAY)
    sizes: list[int] = []
    weigh = residue.weigh

    def counted(persons: Any, open_: pl.DataFrame, *rest: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
        sizes.append(open_.height)
        return weigh(persons, open_, *rest)

    monkeypatch.setattr(residue, "weigh", counted)
    day = world.FIRST_DAY + timedelta(days=1)
    second = spine.resolve(tonight, first, None, day)
    spine.resolve(tonight, None, None, day, census=second.census)
    spine.resolve(tonight, second, None, day + timedelta(days=1))
    some, everybody, nobody = sizes
    assert 0 < some < everybody / 2
    assert nobody == 0


def test_who_is_not_born_yet_is_not_forgotten() -> None:
    """A number of somebody who is born in three days is looked at every night, and its row stays."""
    born = world.FIRST_DAY + timedelta(days=3)
    child = world.identity(
        source_class="mi_enrolment", resident_id=world.number("150902", born, 11), person_name="王建国"
    )
    result: spine.SpineResult | None = None
    for step in range(5):
        day = world.FIRST_DAY + timedelta(days=step)
        result = spine.resolve(world.frame([child]), result, None, day)
        assert result.keys is not None
        assert result.keys["identity_key"].to_list() == [child["identity_key"]]
        assert len(result.links) == (day >= born)
