"""Persons night after night through the assets: what a night uses of the one before, and of one that is not whole."""

from datetime import date, timedelta
from functools import partial
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import persons
from assets.io import Home, read_frames, write_parquet
from data_contracts import feeding
from matching import blocking, engine, software
from matching.tonight import living
from tests.matching import world
from tests.matching.test_spine_laws import nights_of_a_county

DAYS = [world.FIRST_DAY + timedelta(days=step) for step in range(3)]
COUNTED = ("census_people", "census_traits")
STATE = ("keys", "nodes", "weighed", "people", "traits")


def night(home: Home, day: date) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [persons.resolve_persons],
        partition_key=str(day),
        resources={"home": home},
        raise_on_error=False,
    )


def stored(home: Home, day: date) -> dict[str, pl.DataFrame]:
    frames = read_frames(home.folder("persons", day))
    # Stored in no order, and what the passes did again.
    return {
        name: living(frame).sort("identity_key") if name == "keys" else frame
        for name, frame in frames.items()
        if name not in ("counts", "blocks")
    }


@pytest.fixture(scope="module", autouse=True)
def under_one_key():
    """Invented identities are not named under the key of the home."""
    unchanged = pl.DataFrame(schema={"identity_key": pl.String, "new_key": pl.String})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeding, "keys_now", lambda *_: unchanged)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Three nights, of which the first takes the count."""
    home = Home(root=str(tmp_path_factory.mktemp("home")))
    for rows, day in zip(nights_of_a_county(5), DAYS, strict=False):
        write_parquet(rows, home.lake / "identities" / f"batch_date={day}.parquet")
        assert night(home, day).success
    return home


@pytest.fixture(scope="module")
def third(home):
    return stored(home, DAYS[2])


def folder_of_second(home: Home) -> Path:
    return home.folder("persons", DAYS[1])


@pytest.fixture
def second(home):
    """The folder of the second night, whole again after the test."""
    folder = folder_of_second(home)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    yield folder
    for name, content in kept.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)


def same(frames: dict[str, pl.DataFrame], others: dict[str, pl.DataFrame]) -> None:
    assert frames.keys() == others.keys()
    for name, frame in frames.items():
        assert frame.equals(others[name]), name


def test_an_unchanged_count_is_one_file_in_all_folders(home):
    for name in COUNTED:
        inodes = {(home.folder("persons", day) / f"{name}.parquet").stat().st_ino for day in DAYS}
        assert len(inodes) == 1
    assert read_frames(home.folder("persons", DAYS[2]))["census"]["taken_on"].to_list() == [DAYS[0]]
    before = (folder_of_second(home) / "census_people.parquet").read_bytes()
    assert night(home, DAYS[2]).success
    assert (folder_of_second(home) / "census_people.parquet").read_bytes() == before


@pytest.mark.parametrize("lost", [("keys",), STATE, (*STATE, "census"), (*STATE, "census", *COUNTED)])
@pytest.mark.parametrize("how", ["missing", "unreadable"])
def test_a_rebuild_uses_the_stored_count(home, third, second, lost, how):
    """Deleted or spoiled, the night ends as it did; under a count of its own it would not."""
    for name in lost:
        path = second / f"{name}.parquet"
        path.unlink()
        if how == "unreadable":
            path.write_bytes(b"PAR1 no more")
    assert night(home, DAYS[2]).success
    same(stored(home, DAYS[2]), third)


def test_what_large_blocks_lose_is_stored_and_shown(home, second, monkeypatch):
    (second / "keys.parquet").unlink()
    monkeypatch.setattr(engine, "meet", partial(blocking.meet, most=5))
    (shown,) = night(home, DAYS[2]).asset_materializations_for_node("resolve_persons")[1:2]
    lost = read_frames(home.folder("persons", DAYS[2]))["blocks"]["lost_pairs"].sum()
    assert lost > 0
    assert shown.metadata["pairs not compared"].value == lost
    assert "name+birth" in str(shown.metadata["blocks"].value)
    monkeypatch.undo()
    assert night(home, DAYS[2]).success


def test_a_rebuild_without_any_count_takes_its_own(home, third, second):
    first = home.folder("persons", DAYS[0])
    away = {path: path.read_bytes() for path in first.glob("census*.parquet")}
    for path in [*away, *second.glob("census*.parquet")]:
        path.unlink()
    said: list[str] = []
    found, files = persons.state(home, DAYS[2], said.append)
    assert found is not None
    assert found.census is None
    assert files == {}
    assert "no earlier night has a count" in said[-1]
    assert night(home, DAYS[2]).success
    now = stored(home, DAYS[2])
    assert now["census"]["taken_on"].to_list() == [DAYS[2]]
    assert not now["weighed"].equals(third["weighed"])
    for path, content in away.items():
        path.write_bytes(content)


@pytest.mark.parametrize("name", persons.IDS)
def test_ids_are_not_given_anew_where_they_cannot_be_read(home, second, name):
    (second / f"{name}.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(LookupError, match=f"{name} of batch_date={DAYS[1]} cannot be read"):
        persons.state(home, DAYS[2], print)
    assert not night(home, DAYS[2]).success


def test_another_release_is_told_and_counts_anew(home, second, monkeypatch):
    before = stored(home, DAYS[1])
    monkeypatch.setattr(software, "digest", lambda: "a new release")
    said: list[str] = []
    persons.state(home, DAYS[2], said.append)
    assert "another release" in said[0]
    assert night(home, DAYS[2]).success
    now = stored(home, DAYS[2])
    assert now["software"]["digest"].to_list() == ["a new release"]
    assert now["census"]["taken_on"].to_list() == [DAYS[2]]
    kept = before["persons"].join(now["persons"], on=["person_id", "created_on"], how="semi")
    assert kept.height == before["persons"].height


def test_the_first_night_has_nothing_before_it(home):
    assert persons.state(home, DAYS[0], pytest.fail) == (None, {})
