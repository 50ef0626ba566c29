"""Whole nights: killed and run again, proved, looked into; one rule and one department touch nothing else."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from assets import risk
from data_contracts import expectations, feeding
from data_contracts.contract import catalogue
from pipelines import nights
from pipelines.cli import main

DAY = date(2025, 11, 17)
SMALL = Path(__file__).parents[2] / "sample_data" / "small" / "inbox"


def call(home: Path, *arguments: str):
    return CliRunner().invoke(main, ["--home", str(home), *arguments])


@pytest.fixture(scope="module", autouse=True)
def without_expectations():
    """Contracts are held against rows in tests/assets; here their seconds are saved."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expectations, "run", lambda *_, **__: expectations.OUTCOMES.to_frame())
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which the night was killed while facts were written, and then run again."""
    root = tmp_path_factory.mktemp("home")
    shutil.copytree(SMALL / str(DAY), root / "inbox" / str(DAY))
    real = feeding.facts

    def killed(lake, as_of, links, only=None, report=None):
        real(lake, as_of, links, only=sorted(only)[:5])
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeding, "facts", killed)
        assert not nights.run(root, DAY)[0]
    assert not (root / "outbox").exists()
    assert nights.run(root, DAY) == (True, [])
    return root


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_killed_night_run_again_gives_the_bytes_of_a_night_run_once(home):
    result = call(home, "verify", "--date", str(DAY), "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["differences"]) == (0, [])
    assert body["files_compared"] > 5


def test_verify_sees_one_changed_byte(home, monkeypatch):
    """The night is not run a third time: the copy is put where the second run would stand."""
    path = next((home / "outbox" / str(DAY)).rglob("*.xlsx"))
    original = path.read_bytes()

    def again(scratch, day, tell=None, why=None):
        shutil.copytree(home / "outbox", scratch / "outbox")
        (scratch / "outbox" / str(day) / path.relative_to(home / "outbox" / str(DAY))).write_bytes(
            original[:-1]
        )
        return True, []

    monkeypatch.setattr(nights, "run", again)
    result = call(home, "verify", "--date", str(DAY), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"] == [
        f"{path.relative_to(home / 'outbox' / str(DAY))}: other bytes"
    ]


def test_the_numbers_of_the_night_are_told(home):
    (night,) = json.loads(call(home, "status", "--json").stdout)
    assert night["classes"] >= 48
    assert night["residual"] == 0
    assert night["rows_received"] == sum(night[row] for row in nights.ROWS[1:])
    assert night["persons"] > 100
    assert night["households"] > 30
    assert set(night["warnings"]) == {"help_in", "check_out"}
    assert any(path.endswith(".xlsx") for path in night["lists"])
    assert any(path.endswith("manifest.json") for path in night["reports"])


def test_one_rule_touches_nothing_else(home):
    before = everything(home / "lake") | everything(home / "outbox")
    rule = home / f"lake/risk/batch_date={DAY}/rules/N05.parquet"
    status = home / f"lake/risk/batch_date={DAY}/status/N05.parquet"
    rule.unlink()
    status.unlink()
    result = call(home, "run", "--date", str(DAY), "--rule", "N05", "--json")
    assert json.loads(result.stdout)[0]["failed_steps"] == []
    assert everything(home / "lake") | everything(home / "outbox") == before
    assert rule.is_file()
    assert status.is_file()


def test_one_department_touches_nothing_else(home):
    mine = {c.id for c in catalogue().values() if c.department == "emergency"}
    before = everything(home / "lake") | everything(home / "outbox")
    for class_id in mine:
        for kind in ("ledger", "issues", "checks"):
            (home / f"lake/{kind}/{class_id}/batch_date={DAY}.parquet").unlink()
    result = call(home, "run", "--date", str(DAY), "--department", "emergency", "--json")
    assert json.loads(result.stdout)[0]["failed_steps"] == []
    assert everything(home / "lake") | everything(home / "outbox") == before


def test_a_warning_is_traced_to_delivered_rows_and_its_household_explained(home):
    warnings = pl.read_parquet(home / f"lake/risk/batch_date={DAY}/warnings.parquet").sort("warning_id")
    # N01 adds up settlements; a rule about what is missing (P07: no pension paid) may have no row to show.
    row = warnings.filter(pl.col("rule_id") == "N01").row(0, named=True)
    traced = json.loads(call(home, "trace", row["warning_id"], "--json").stdout)
    assert (traced["rule_id"], traced["reason_zh"]) == (row["rule_id"], row["reason_zh"])
    assert traced["rows"]
    for found in traced["rows"]:
        path = home / f"lake/accepted/{found['class_id']}/batch_date={DAY}/{found['delivery_id']}.parquet"
        assert found["row"] in pl.read_parquet(path, columns=["_row"])["_row"].to_list()
    told = json.loads(call(home, "explain", f"H{row['household_id']:09d}", "--json").stdout)
    assert row["warning_id"] in [w["warning_id"] for w in told["warnings"]]
    assert told["people"]


def test_ids_that_do_not_exist_cannot_be_explained(home):
    assert call(home, "trace", "W000000000000000").exit_code == 2
    assert call(home, "explain", "H999999999").exit_code == 2


def test_a_person_is_explained_record_by_record(home: Path) -> None:
    links = pl.read_parquet(sorted((home / "lake" / "persons").glob("batch_date=*"))[-1] / "links.parquet")
    weighed = links.filter(pl.col("pass_id") == "MB").sort("identity_key")
    one = weighed.row(0, named=True)
    person = f"P{one['person_id']:09d}"
    told = json.loads(call(home, "explain", person, "--json").stdout)
    own = links.filter(pl.col("person_id") == one["person_id"])
    assert {record["identity_key"] for record in told["records"]} == set(own["identity_key"])
    (record,) = (r for r in told["records"] if r["identity_key"] == one["identity_key"])
    assert record["reason_zh"].startswith("综合比对：")
    assert "比特" in record["reasons_zh"]
    assert re.search(r"\d{11}", json.dumps([r["reasons_zh"] for r in told["records"]])) is None
    text = call(home, "explain", person).output
    assert "按证据称重" in text
    assert call(home, "explain", "P999999999").exit_code == 2


def test_no_identifier_stands_in_what_dagster_remembers_or_alerts_say(home):
    """Law 9, on the bytes of the event log, the captured output and the alerts."""
    register = pl.read_parquet(next((home / "lake/accepted/ps_resident").rglob("*.parquet")))
    numbers = {n.encode() for n in register["id_no"].drop_nulls() if len(n) >= 15 and "*" not in n}
    addresses = {a.encode() for a in register["reg_address"].drop_nulls() if len(a) > 8}
    kept = b"\n".join([*everything(home / "dagster").values(), *everything(home / "alerts").values()])
    assert len(numbers) > 100
    assert len(kept) > 100_000
    assert [n for n in numbers | addresses if n in kept] == []


def test_the_register_of_the_night_before_counts_and_never_that_of_the_day(home):
    found = risk._previous_register(risk.Home(root=str(home)), DAY)
    assert found is None
