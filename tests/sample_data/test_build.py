"""A county from nothing to its inbox: complete, repeatable, and true to its own truth."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

import sample_data
from data_contracts.contract import catalogue
from data_contracts.reading import read_delivery
from sample_data import life, population
from sample_data.extracts import calls, nights_of

SMALL = Path(sample_data.__file__).resolve().parent / "small"
FIRST = "2025-11-17"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("county")
    sample_data.build(800, 2, 5, out)
    return out


def test_every_class_arrives_on_the_first_night(county: Path) -> None:
    found = {
        p.name.split(".")[0]
        for p in (county / "inbox" / FIRST).rglob("*.*")
        if p.is_file() and p.suffix != ".yaml"
    }
    assert found == set(catalogue()) - {"ca_outcome_return"}


def test_same_seed_same_bytes(county: Path, tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    summary = sample_data.build(800, 2, 5, tmp_path, progress=lambda *step: said.append(step))
    assert digests(tmp_path) == digests(county)
    assert [step[0] for step in said] == list(range(len(said)))
    assert said[-1][0] < said[-1][1]
    assert summary["nights"].keys() == {FIRST, "2025-11-18"}
    assert summary["rows"] == sum(night["rows"] for night in summary["nights"].values())


def test_another_year_and_a_shorter_past(tmp_path: Path) -> None:
    start = date(2024, 3, 4)
    summary = sample_data.build(300, 1, 5, tmp_path, start=start, months=6)
    assert list(summary["nights"]) == ["2024-03-04"]
    births = pl.read_parquet(tmp_path / "truth" / "persons.parquet")["birth_date"]
    assert births.max() <= start  # type: ignore[operator]


def test_truth_names_people_that_exist_and_rows_that_were_written(county: Path) -> None:
    records = pl.read_parquet(county / "truth" / "records.parquet")
    persons = pl.read_parquet(county / "truth" / "persons.parquet")
    assert records["true_person_id"].is_in(persons["true_person_id"].implode()).all()
    assert records.select("class_id", "batch_date", "file", "row", "role", "position").is_unique().all()
    files = {(p.parent.parent.name, p.name) for p in (county / "inbox").rglob("*") if p.is_file()}
    named = set(records.select(pl.col("batch_date").dt.to_string("%Y-%m-%d"), "file").unique().rows())
    assert named <= files
    assert len(named) > 30
    roles = {c.id: {s.role for s in c.subjects} for c in catalogue().values()}
    for class_id, role in records.select("class_id", "role").unique().rows():
        assert role in roles[class_id]


def test_later_nights_bring_less(county: Path) -> None:
    first = sum(p.stat().st_size for p in (county / "inbox" / FIRST).rglob("*") if p.is_file())
    second = sum(p.stat().st_size for p in (county / "inbox" / "2025-11-18").rglob("*") if p.is_file())
    assert 0 < second < first / 3
    assert (county / "inbox" / "2025-11-18" / "public_security" / "ps_resident.delta.txt").exists()


def test_what_becomes_visible_later_is_delivered_on_that_night() -> None:
    nights = nights_of(date.fromisoformat(FIRST), 3)
    [shard] = population.plan(persons=20_000, seed=5)
    world = life.live(population.people(shard), start=nights[0], months=24, nights=3)
    later = world.situations.filter(pl.col("visible_on") > nights[0])
    assert later.height > 5
    home = world.persons.select("true_person_id", "true_household_id")
    concerned = later.select("situation_id", "true_household_id", "visible_on").join(
        home, on="true_household_id"
    )
    shown = set()
    for contract in catalogue().values():
        table = world.tables.get(contract.id)
        if table is None:
            continue
        delivered = {call.batch for call in calls(contract, nights)}
        for column in (c for c in table.columns if c.endswith("person")):
            news = table.filter(pl.col("known_on") > nights[0]).select(
                true_person_id=pl.col(column), visible_on=pl.col("known_on")
            )
            hits = news.join(concerned, on=["true_person_id", "visible_on"], how="inner")
            shown |= {
                number
                for number, night in hits.select("situation_id", "visible_on").rows()
                if night in delivered
            }
    assert shown == set(later["situation_id"])


def test_shards_are_appended_to_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "SHARD_PERSONS", 400)
    assert len(population.plan(persons=1200, seed=5)) > 1
    sample_data.build(1200, 1, 5, tmp_path, damage="none")
    path = tmp_path / "inbox" / FIRST / "public_security" / "ps_resident.txt"
    contract = catalogue()["ps_resident"]
    lines = path.read_bytes().decode("gb18030").splitlines()
    assert lines[0] == "|".join(contract.headers())
    assert lines.count(lines[0]) == 1
    records = pl.read_parquet(tmp_path / "truth" / "records.parquet").filter(
        (pl.col("class_id") == "ps_resident") & (pl.col("role") == "self")
    )
    numbers = pl.read_parquet(tmp_path / "truth" / "persons.parquet").select(
        "true_person_id", "resident_id", "former_resident_id"
    )
    meant = records.join(numbers, on="true_person_id", how="left").sort("row")
    delivered = pl.Series([line.split("|")[0] for line in lines[1:]])
    assert meant["row"].to_list() == list(range(1, len(lines)))
    assert ((meant["resident_id"] == delivered) | (meant["former_resident_id"] == delivered)).all()


def read(folder: Path, lake: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ledger and issues of every file of an inbox."""
    ledger, issues = [], []
    declared = {
        path.parent / entry["file"]: entry
        for path in folder.glob("inbox/*/*/_manifest.yaml")
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["files"]
    }
    for path in sorted(folder.glob("inbox/*/*/*")):
        if path.suffix != ".yaml":
            contract = catalogue()[path.name.split(".")[0]]
            night = date.fromisoformat(path.parent.parent.name)
            reading = read_delivery(
                contract, path, batch_date=night, lake=lake, manifest_entry=declared.get(path)
            )
            ledger.append(reading.ledger)
            issues.append(reading.issues)
    return pl.DataFrame(ledger, infer_schema_length=None), pl.concat(issues)


def residual(ledger: pl.DataFrame) -> pl.Series:
    """Received minus all that became of it."""
    parts = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")
    return ledger.select(pl.col("rows_received") - pl.sum_horizontal(parts)).to_series()


def test_without_damage_every_row_is_accepted_and_nothing_is_found(tmp_path: Path) -> None:
    sample_data.build(500, 2, 9, tmp_path / "county", damage="none")
    ledger, issues = read(tmp_path / "county", tmp_path / "lake")
    assert ledger["class_id"].n_unique() == 48
    assert ledger["status"].unique().to_list() == ["accepted"]
    assert ledger["rows_accepted"].sum() > 5_000
    assert (residual(ledger) == 0).all()
    assert ledger["rows_rejected"].sum() + ledger["rows_quarantined"].sum() == 0
    assert ledger["control_ok"].all()
    assert ledger["control_ok"].null_count() == 0
    # Equal rows of a register are equal in the world too; an interface with no news sends its header.
    assert set(issues["reason"]) <= {"duplicate_rows", "no_rows"}


def test_the_committed_sample_is_read_without_a_rest_and_truth_knows_its_rows(tmp_path: Path) -> None:
    ledger, issues = read(SMALL, tmp_path)
    assert (residual(ledger) == 0).all()
    assert ledger["class_id"].n_unique() == 48
    assert ledger["rows_accepted"].sum() > 0.95 * ledger["rows_received"].sum()
    assert issues["reason"].n_unique() > 5
    records = pl.read_parquet(SMALL / "truth" / "records.parquet")
    last = records.group_by("batch_date", "file").agg(pl.col("row").max())
    both = ledger.select("batch_date", "file", "rows_received").join(last, on=["batch_date", "file"])
    assert both.height > 30
    assert (both["row"] <= both["rows_received"]).all()
    assert (both["row"] == both["rows_received"]).mean() > 0.9  # type: ignore[operator]


def test_the_committed_sample_is_small_and_whole() -> None:
    size = sum(p.stat().st_size for p in SMALL.rglob("*") if p.is_file())
    assert 0 < size < 2_000_000
    assert {p.name for p in (SMALL / "truth").iterdir()} >= {
        "persons.parquet",
        "records.parquet",
        "situations.parquet",
    }
    assert len([p for p in (SMALL / "inbox").iterdir() if date.fromisoformat(p.name)]) == 2
