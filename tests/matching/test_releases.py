"""Another release of the software: what the earlier one read and decided is not used, ids and dates stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from matching import normalise, software, spine
from matching.tonight import living
from tests.matching import world
from tests.matching.test_spine_laws import nights_of_a_county, partition

DAYS = [world.FIRST_DAY + timedelta(days=step) for step in range(3)]
COMPARED = ("nodes", "weighed", "people", "traits", "census_people", "census_traits")


def without_telephones(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """How an earlier release read identities."""
    return _READ(rows, as_of).with_columns(pl.lit(None, dtype=pl.String).alias("phone_key"))


_READ = normalise.normalise


@pytest.fixture(scope="module")
def nights() -> list[pl.DataFrame]:
    return nights_of_a_county(5)


@pytest.fixture(scope="module")
def of_earlier_release(nights: list[pl.DataFrame]) -> spine.SpineResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalise, "normalise", without_telephones)
        patch.setattr(software, "digest", lambda: "an earlier release")
        return spine.resolve(nights[0], None, None, DAYS[0])


def equal(night: spine.SpineResult, rebuilt: spine.SpineResult) -> None:
    assert partition(night) == partition(rebuilt)
    assert night.keys is not None
    assert rebuilt.keys is not None
    assert living(night.keys).sort("identity_key").equals(living(rebuilt.keys).sort("identity_key"))
    for name in COMPARED:
        assert night.frames()[name].equals(rebuilt.frames()[name]), name


def test_nights_after_a_new_release_equal_the_rebuild(
    nights: list[pl.DataFrame], of_earlier_release: spine.SpineResult
) -> None:
    assert of_earlier_release.keys is not None
    assert of_earlier_release.keys["phone_key"].count() == 0
    stored: spine.Spine = spine.Spine.of(of_earlier_release.frames())
    for number in (1, 2):
        night = spine.resolve(nights[number], stored, None, DAYS[number])
        assert night.keys is not None
        assert night.keys["phone_key"].count() > 1000
        # The new release counts anew: the rebuild from nothing needs no count of another night on the first of them.
        rebuilt = spine.resolve(
            nights[number], None, None, DAYS[number], census=None if number == 1 else night.census
        )
        equal(night, rebuilt)
        stored = spine.Spine.of(night.frames())
        assert night.census is not None
        assert night.census.taken_on == DAYS[1]


def test_ids_and_dates_stay_in_a_new_release(
    nights: list[pl.DataFrame], of_earlier_release: spine.SpineResult
) -> None:
    night = spine.resolve(nights[0], of_earlier_release, None, DAYS[1])
    same = ["identity_key", "person_id", "grade", "pass_id"]
    both = night.links.join(of_earlier_release.links, on=same, suffix="_before")
    assert both.height > 0.9 * night.links.height
    assert (both["linked_on"] == DAYS[0]).all()
    numbered = night.persons.filter(pl.col("resident_id").is_not_null())
    before = dict(of_earlier_release.persons.select("spine_key", "person_id").rows())
    assert dict(numbered.select("spine_key", "person_id").rows()).items() <= before.items()


@pytest.mark.parametrize("lost", ["keys", "nodes", "weighed", "known"])
def test_a_state_that_is_not_whole_is_decided_anew_under_its_count(
    nights: list[pl.DataFrame], lost: str
) -> None:
    before = spine.resolve(nights[0], None, None, DAYS[0])
    parts: dict[str, Any] = {lost: None}
    night = spine.resolve(nights[1], before, None, DAYS[1])
    again = spine.resolve(nights[1], replace(before, **parts), None, DAYS[1])
    assert again.census is before.census
    equal(night, again)
    assert night.persons.equals(again.persons)
    assert night.links.equals(again.links)


def test_the_digest_covers_what_matching_reads(tmp_path: Path) -> None:
    covered = {
        p.relative_to(software.HERE.parent).as_posix() for root, g in software.READ for p in root.glob(g)
    }
    assert {
        "matching/spine.py",
        "matching/comparators/__init__.py",
        "matching/reference/rates.yaml",
        "matching/reference/char_variants.csv",
        "data_contracts/places.py",
        "data_contracts/resident_id.py",
        "data_contracts/reference/villages.csv",
    } <= covered
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    names = {"x": one, "y": two}
    assert software.digest_of(names) == software.digest_of(dict(reversed(names.items())))
    assert software.digest_of(names) != software.digest_of({"x": two, "y": one})
    found = software.digest_of(names)
    two.write_text("c")
    assert software.digest_of(names) != found
