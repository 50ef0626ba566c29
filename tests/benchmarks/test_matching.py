"""The sets for the matcher are what they say, and the judge of links counts right."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from benchmarks import matching, matching_sets

ROOT = Path(__file__).resolve().parents[2]
PERSONS = 4_000


@pytest.fixture(scope="module")
def place():
    return matching_sets.inhabitants(PERSONS, seed=5)


@pytest.fixture(scope="module")
def sets(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for name, make in matching_sets.SEVEN.items():
        matching_sets.write(folder / name, place, make(place, 1_000))
    return folder


def test_registry_is_clean_and_holds_a_tenth_minority_names(place):
    left = place.left
    assert len(left) == PERSONS
    assert left["person_no"].n_unique() == PERSONS
    assert left["证件号"].n_unique() == PERSONS
    assert left.filter(
        pl.col("证件号").str.slice(6, 8) != pl.col("出生日期").dt.strftime("%Y%m%d")
    ).is_empty()
    share = place.people["group"].is_in([1, 4, 5, 6, 7]).mean()
    assert 0.07 < share < 0.13
    assert left["姓名"].str.contains("·").any()


@pytest.mark.parametrize("name", matching_sets.SEVEN)
def test_truth_belongs_to_the_rows(sets, name):
    right, truth, left = (pl.read_parquet(sets / name / f"{t}.parquet") for t in ("right", "truth", "left"))
    assert truth["row_no"].to_list() == right["row_no"].to_list() == list(range(1, len(right) + 1))
    assert truth["person_no"].drop_nulls().is_in(left["person_no"].implode()).all()
    assert truth["person_no"].drop_nulls().is_unique().all()
    spec = yaml.safe_load((sets / name / "spec.yaml").read_text(encoding="utf-8"))
    assert set(spec["right"]["columns"]) <= set(right.columns)
    assert set(spec["left"]["columns"]) <= set(left.columns)
    number = next(c for c, kind in spec["right"]["columns"].items() if kind == "resident_id")
    rows = (
        right.select("row_no", pl.col(number).alias("written"))
        .join(truth, on="row_no")
        .join(left, on="person_no")
    )
    own = rows.filter((pl.col("id_state") == "own") & ~pl.col("written").str.contains("*", literal=True))
    assert (own["written"] == own["证件号"]).all()
    relative = rows.filter(pl.col("id_state") == "relative")
    assert (relative["written"] != relative["证件号"]).all()


def test_absent_people_are_there_in_their_share(sets):
    shares = {
        name: pl.read_parquet(sets / name / "truth.parquet")["person_no"].is_null().mean()
        for name in ("events", "nonlocal")
    }
    assert shares["events"] == pytest.approx(0.08, abs=0.005)
    assert shares["nonlocal"] == pytest.approx(0.15, abs=0.005)


def test_masked_source_shows_no_whole_value(sets):
    right = pl.read_parquet(sets / "masked" / "right.parquet")
    assert right["name"].str.contains("*", literal=True).all()
    assert right["cert_no"].drop_nulls().str.contains(r"^\d{6}\*{8}\d{3}[\dX]$").all()
    assert right["mobile"].drop_nulls().str.contains(r"^\d{3}\*{4}\d{4}$").all()


def test_same_seed_same_bytes(tmp_path):
    def digest(out: Path) -> list[str]:
        command = [sys.executable, "benchmarks/matching_sets.py", "--out", out, "--set", "paper"]
        subprocess.run([*command, "--persons", "1500"], cwd=ROOT, check=True, capture_output=True)
        return [hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted((out / "paper").iterdir())]

    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_the_sets_do_not_know_the_matcher():
    text = (ROOT / "benchmarks" / "matching_sets.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(from|import) matching", text, re.MULTILINE)


def judged_links(tmp_path: Path, links: list[tuple[int, int, float, str]]) -> dict[str, object]:
    people = list(range(1, 11))
    pl.DataFrame(
        {
            "row_no": people,
            "person_no": [*people[:8], None, None],
            "family": [1, 1, *range(3, 11)],
            "name_error": "",
        }
    ).write_parquet(tmp_path / "truth.parquet")
    pl.DataFrame({"person_no": people, "family": [1, 1, *range(3, 11)]}).write_parquet(
        tmp_path / "family.parquet"
    )
    frame = pl.DataFrame(links, schema=["left_id", "right_id", "weight", "grade"], orient="row")
    return matching.measures(frame, tmp_path)


def test_recall_counts_the_rows_above_the_deepest_cut(tmp_path):
    links = [(n, n, 30.0 - n, "A") for n in range(1, 7)] + [(8, 7, 5.0, "B"), (3, 9, 4.0, "C")]
    found = judged_links(tmp_path, links)
    assert found["recall@P0.999"] == 6 / 8
    assert (found["precision A"], found["recall A"]) == (1.0, 6 / 8)
    assert found["precision A+B"] == round(6 / 7, 6)
    assert found["absent_linked@P0.99"] == 0.0


def test_equal_weights_stand_or_fall_together(tmp_path):
    found = judged_links(tmp_path, [(1, 1, 9.0, "A"), (2, 2, 5.0, "A"), (9, 3, 5.0, "A")])
    assert found["recall@P0.99"] == 1 / 8


def test_wrong_links_within_the_family_are_counted_apart(tmp_path):
    found = judged_links(tmp_path, [(2, 1, 9.0, "A"), (5, 3, 8.0, "A"), (4, 4, 7.0, "A"), (8, 9, 6.0, "A")])
    assert found["relatives_per_10000 A"] == 2500.0
    assert found["absent_linked A"] == 0.5


def test_a_row_counts_with_its_best_link(tmp_path):
    found = judged_links(tmp_path, [(5, 1, 3.0, "C"), (1, 1, 9.0, "A")])
    assert found["recall A"] == 1 / 8
    assert found["recall@P0.999"] == 1 / 8
