"""The command `rates`, and that nights weigh with adopted rates from their day on and not before."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner

from assets import persons
from assets.io import Home, write_frames
from matching import rates, residue, spine
from matching.model import Model
from pipelines import nights, show
from pipelines.cli import main
from tests.matching import world
from tests.matching.test_residue import everything

DAY = world.FIRST_DAY
SINCE = DAY + timedelta(days=2)


def call(home: Path, *arguments: str):
    return CliRunner().invoke(main, ["--home", str(home), *arguments])


def write_night(home: Path, day: date, identities: pl.DataFrame) -> None:
    (home / "lake" / "identities").mkdir(parents=True, exist_ok=True)
    identities.write_parquet(home / "lake" / "identities" / f"batch_date={day}.parquet")


@pytest.fixture(scope="module")
def county() -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    identities = everything(1200, 1).drop("true_person_id")
    return identities, spine.resolve(identities, None, None, DAY).frames()


@pytest.fixture
def home(tmp_path: Path, county) -> Path:
    """A home with the state of one night."""
    identities, frames = county
    write_night(tmp_path, DAY, identities)
    write_frames(tmp_path / "lake" / "persons" / f"batch_date={DAY}", frames)
    return tmp_path


def test_rates_are_written_and_told_and_nothing_is_adopted(home, tmp_path):
    out = tmp_path / "rates.yaml"
    result = call(home, "rates", "--out", str(out))
    assert result.exit_code in (0, 1)
    assert (result.exit_code == 1) == ("look at weight" in result.output)
    model = Model.load(out)
    assert model.version == f"{DAY}-1"
    assert f"changed most against rates {residue.rates().version}:" in result.output
    assert re.search(r"name, sound: [\d.]+% -> [\d.]+%, [\d.]+ times as often", result.output)
    assert re.search(r"^all +\d", result.output, re.M)
    assert "not adopted" in result.output
    assert not (home / "lake" / "rates").exists()
    # Neither the file nor what is told holds a number or a name.
    said = result.output + out.read_text(encoding="utf-8")
    assert not re.search(r"\d{15}", said.replace("software: ", "software: x"))
    assert not re.search("[\u4e00-\u9fff]", said)
    again = call(home, "rates", "--out", str(tmp_path / "again.yaml"), "--date", str(DAY), "--json")
    assert (tmp_path / "again.yaml").read_bytes() == out.read_bytes()
    body = json.loads(again.stdout)
    assert body["version"] == model.version
    assert sum(row["links"] for row in body["calibration"][:-1]) == body["calibration"][-1]["links"]


def test_what_cannot_be_done_is_said_in_one_line(home, tmp_path):
    out = str(tmp_path / "rates.yaml")
    other = tmp_path / "other"
    cases = [
        (call(other, "rates", "--out", out), "no night was run yet"),
        (
            call(home, "rates", "--out", out, "--date", "2025-11-30"),
            f"no complete night of 2025-11-30; .* {DAY}",
        ),
        (call(home, "rates", "--out", out, "--from", str(DAY)), f"the night of {DAY} was run already"),
        (
            call(home, "rates", "--out", str(tmp_path / "15090219800101123X" / "r.yaml")),
            r"there is no folder .*/150902\*\*\*",
        ),
    ]
    release = home / "lake" / "persons" / f"batch_date={DAY}" / "software.parquet"
    release.unlink()
    pl.DataFrame({"digest": ["of old"]}).write_parquet(release)
    cases.append((call(home, "rates", "--out", out), f"{DAY} was decided by another release"))
    (home / "lake" / "identities" / f"batch_date={DAY}.parquet").unlink()
    cases.append((call(home, "rates", "--out", out), f"the state of {DAY} is not whole: lake/identities"))
    for result, words in cases:
        assert result.exit_code == 2, words
        assert re.search(words, result.stderr)
        assert len(result.stderr.strip().splitlines()) == 1
        assert "15090219800101123X" not in result.stderr
    assert not Path(out).exists()
    assert not (home / "lake" / "rates").exists()


def run_night(home: Path, day: date) -> dict[str, pl.DataFrame]:
    done = dg.materialize(
        [persons.resolve_persons],
        partition_key=str(day),
        resources={"home": Home(root=str(home))},
        selection=[persons.key(name) for name in persons.FRAMES],
    )
    assert done.success
    shown = done.asset_materializations_for_node("resolve_persons")
    folder = home / "lake" / "persons" / f"batch_date={day}"
    frames = {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}
    told = [m.metadata["rates"].value for m in shown if "rates" in m.metadata]
    assert told == [frames["rates"]["version"].item()]
    return frames


def test_nights_weigh_with_adopted_rates_from_their_day_on(tmp_path, county):
    identities, _ = county
    for step in range(3):
        write_night(tmp_path, DAY + timedelta(days=step), identities)
    shipped = residue.rates().version
    first = run_night(tmp_path, DAY)
    assert first["rates"]["version"].item() == shipped
    out = tmp_path / "rates.yaml"
    assert call(tmp_path, "rates", "--out", str(out), "--from", str(SINCE)).exit_code in (0, 1)
    stored = tmp_path / "lake" / "rates" / f"from={SINCE}.yaml"
    assert stored.read_bytes() == out.read_bytes()

    second, third = (run_night(tmp_path, DAY + timedelta(days=step)) for step in (1, 2))
    assert second["rates"]["version"].item() == shipped
    assert second["weighed"].equals(first["weighed"])
    assert third["rates"]["version"].item() == Model.load(out).version == f"{DAY}-1"
    assert third["census"]["weighed_with"].item() != second["census"]["weighed_with"].item()
    assert third["census"]["taken_on"].item() == SINCE
    adopted = spine.resolve(identities, None, None, SINCE, model=Model.load(stored)).weighed
    assert adopted is not None
    assert third["weighed"]["weight"].to_list() == adopted["weight"].to_list()
    assert third["weighed"]["weight"].to_list() != second["weighed"]["weight"].to_list()

    # An earlier night that is run again keeps the rates of its day.
    again = run_night(tmp_path, DAY + timedelta(days=1))
    for name, frame in again.items():
        assert frame.equals(second[name]), name
    assert nights.summary(tmp_path, SINCE).rates == f"{DAY}-1"
    assert nights.summary(tmp_path, DAY).rates == shipped


def test_a_night_that_is_proved_finds_its_rates(tmp_path):
    """Both runs of a night see the same files, whichever were adopted since."""
    path = rates.adopt(residue.rates(), tmp_path / "lake" / rates.FOLDER, SINCE)
    show._share_earlier(tmp_path / "lake", tmp_path / "scratch", SINCE)
    shared = tmp_path / "scratch" / rates.FOLDER / path.name
    assert shared.read_bytes() == path.read_bytes()
