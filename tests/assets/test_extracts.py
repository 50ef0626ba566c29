"""Departments are read one by one: what breaks in one class stays there, and nothing that leaves names anybody."""

import shutil
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import extracts, quality
from assets.io import Home
from data_contracts import collecting, expectations, reading
from data_contracts.contract import catalogue, departments

DAY = date(2025, 11, 17)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


SMALL = Path(__file__).parents[2] / "sample_data" / "small" / "inbox"


@pytest.fixture
def home(tmp_path):
    shutil.copytree(SMALL / str(DAY), tmp_path / "inbox" / str(DAY))
    return tmp_path


def file_of(home: Path, class_id: str) -> Path:
    return collecting.files_of(home / "inbox" / str(DAY) / catalogue()[class_id].department, class_id)[0]


def read(home: Path, *chosen: str):
    """Materialise the classes of the chosen departments (default all) and the books of the night."""
    selected = [extracts.key(c.id) for c in catalogue().values() if not chosen or c.department in chosen]
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [*extracts.assets, *quality.assets],
            selection=[*selected, *([] if chosen else [quality.KEY])],
            partition_key=DAY.isoformat(),
            resources={"home": Home(root=str(home))},
            instance=instance,
            raise_on_error=False,
            run_config=QUIET,
        )
        log = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    return result, log


def ledger(home: Path) -> pl.DataFrame:
    frames = [pl.read_parquet(p) for p in sorted((home / "lake/ledger").glob(f"*/batch_date={DAY}.parquet"))]
    return pl.concat(frames)


def checks_of(result, class_id: str) -> dict[str, tuple[bool, str]]:
    """Check -> whether it passed, and its verdict or status."""
    return {
        e.check_name: (e.passed, str(e.metadata["verdict" if e.check_name == "contract" else "status"].value))
        for e in result.get_asset_check_evaluations()
        if e.asset_key == extracts.key(class_id)
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    shutil.copytree(SMALL / str(DAY), root / "inbox" / str(DAY))
    result, log = read(root)
    return root, result, log


def test_every_class_is_an_asset_of_its_department():
    keys = {key for assets in extracts.assets for key in assets.keys}
    assert keys == {extracts.key(class_id) for class_id in catalogue()}
    assert len(extracts.assets) == len(departments()) == 12


def test_every_delivered_file_is_read_and_its_ledger_closes(whole):
    home, result, _ = whole
    assert result.success
    files = [p for d in departments() for p in collecting.delivered(home / "inbox" / str(DAY) / d)]
    books = ledger(home)
    assert sorted(books["file"]) == sorted(p.name for p in files)
    assert "failed" not in books["status"].to_list()
    parts = sum(books[part] for part in collecting.PARTS)
    assert (books["rows_received"] - parts).to_list() == [0] * books.height
    assert books["rows_accepted"].sum() > 1000


def test_every_class_says_what_came_of_it(whole):
    _, result, _ = whole
    found = {m.asset_key: m for m in result.asset_materializations_for_node("read_civil_affairs")}
    household = found[extracts.key("ca_assist_household")].metadata
    assert household["received"].value == sum(
        household[n].value for n in ("accepted", "rejected", "duplicate", "quarantined")
    )
    assert "*" in household["preview_masked"].value
    assert "ca_assist_household" in household["ledger"].value
    answers = found[extracts.key("ca_outcome_return")].metadata
    assert (answers["received"].value, answers["note"].value) == (0, "nothing delivered / 本日无文件")


def test_checks_run_and_no_engine_is_broken(whole):
    home, result, _ = whole
    frames = [pl.read_parquet(p) for p in (home / "lake/checks").glob(f"*/batch_date={DAY}.parquet")]
    outcomes = pl.concat(frames)
    assert outcomes.height > 400
    assert (
        outcomes.filter(pl.col("outcome") == "engine_error").select("class_id", "check", "field").rows() == []
    )
    assert len(result.get_asset_check_evaluations()) == 49 * 2 + 1


def test_no_identifier_reaches_a_log_or_metadata(whole):
    """Law 9: every number and name in the accepted rows, held against everything Dagster remembers."""
    home, _, log = whole
    register = pl.read_parquet(next((home / "lake/accepted/ps_resident").rglob("*.parquet")))
    numbers = register["id_no"].drop_nulls().to_list()
    names = register.filter(pl.col("name").str.len_chars() > 1)["name"].drop_nulls().to_list()
    addresses = register["reg_address"].drop_nulls().to_list()
    assert len(numbers) > 100
    assert len(log) > 10_000
    assert [n for n in {*numbers, *addresses} if n in log] == []
    assert [n for n in set(names) if n in log] == []


def test_a_department_in_ruins_leaves_the_other_eleven_as_they_were(whole, home, monkeypatch):
    """Deleted, truncated, mis-encoded, duplicated, of no class, with a broken manifest."""
    monkeypatch.setattr(expectations, "run", lambda *_, **__: expectations.OUTCOMES.to_frame())
    whole_books = ledger(whole[0])
    vehicles, residents, books_of, deaths = (
        file_of(home, c) for c in ("ps_vehicle", "ps_resident", "ps_household_member", "ps_death")
    )
    vehicles.unlink()
    residents.write_bytes(residents.read_bytes()[: residents.stat().st_size // 2])
    books_of.write_bytes(bytes(range(128, 256)) * 40)
    again = deaths.with_name(f"ps_death.again{deaths.suffix}")
    again.write_bytes(deaths.read_bytes())
    folder = vehicles.parent
    (folder / "holiday_plan.doc").write_bytes(b"x")
    (folder / "_manifest.yaml").write_text("files: [", encoding="utf-8")
    result, log = read(home)
    assert result.success
    books = ledger(home)
    others = pl.col("department") != "public_security"
    assert books.filter(others).equals(whole_books.filter(others))
    assert books.filter(others).height > 30
    parts = sum(books[part] for part in collecting.PARTS)
    assert (books["rows_received"] - parts).to_list() == [0] * books.height
    status = dict(books.filter(~others).select("file", "status").iter_rows())
    assert status[books_of.name] == "rejected"
    assert sorted((status[again.name], status[deaths.name])) == ["accepted", "duplicate"]
    assert vehicles.name not in status
    assert checks_of(result, "ps_household_member")["contract"] == (False, "file_not_used")
    assert checks_of(result, "ps_vehicle")["delivered_in_time"] == (False, "absent")
    strays = pl.read_parquet(home / f"lake/unclaimed/public_security/batch_date={DAY}.parquet")
    assert strays["file"].to_list() == ["holiday_plan.doc", "_manifest.yaml"]
    assert "holiday_plan.doc" in log


def test_a_reader_that_breaks_fails_its_class_alone_and_quotes_nothing(home, monkeypatch):
    real = reading.read_delivery

    def breaks(contract, path, **more):
        if contract.id == "hl_serious_disease":
            raise ValueError("cannot read 110105194912310021")
        return real(contract, path, **more)

    monkeypatch.setattr(reading, "read_delivery", breaks)
    result, log = read(home, "health")
    assert result.success
    books = ledger(home)
    assert dict(books.select("class_id", "status").iter_rows()) == {
        "hl_serious_disease": "failed",
        "hl_birth_death_cert": "accepted",
    }
    assert checks_of(result, "hl_serious_disease") == {
        "contract": (False, "reader_failed"),
        "delivered_in_time": (True, "failed"),
    }
    assert checks_of(result, "hl_birth_death_cert")["delivered_in_time"] == (True, "fresh")
    assert "110105194912310021" not in log
    assert "110105194912310021" not in str(
        pl.read_parquet(home / f"lake/issues/hl_serious_disease/batch_date={DAY}.parquet").to_dicts()
    )


def everything(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in (home / "lake").rglob("*") if p.is_file()}


def test_the_same_department_twice_is_the_same_bytes(home):
    read(home, "health")
    first = everything(home)
    read(home, "health")
    assert everything(home) == first
    assert any("accepted" in name for name in first)


def test_one_department_touches_no_other(home):
    read(home, "health", "education")
    before = {n: b for n, b in everything(home).items() if "/ed_" in n or "education" in n}
    shutil.rmtree(home / "inbox" / str(DAY) / "education")
    read(home, "health")
    assert {n: b for n, b in everything(home).items() if "/ed_" in n or "education" in n} == before
    assert before


def test_a_file_that_is_withdrawn_is_withdrawn_from_the_lake(home):
    read(home, "health")
    file_of(home, "hl_serious_disease").unlink()
    draft = home / f"lake/accepted/hl_serious_disease/batch_date={DAY}/.killed.parquet.draft"
    draft.write_bytes(b"")
    read(home, "health")
    assert [n for n in everything(home) if "accepted/hl_serious_disease" in n] == []
    assert pl.read_parquet(home / f"lake/ledger/hl_serious_disease/batch_date={DAY}.parquet").is_empty()
