"""Two nights on the small county: rows of every room, planted situations, lists, and one department in ruins.

Runs that are killed, proved or partial are in tests/pipelines/test_nights.py.
"""

import json
import re
import shutil
import zipfile
from datetime import date
from hashlib import sha256
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from data_contracts import opaque
from data_contracts.contract import catalogue
from pipelines import nights

SMALL = Path(__file__).parents[1] / "sample_data" / "small"
FIRST, SECOND = date(2025, 11, 17), date(2025, 11, 18)


def bytes_of(folder: Path) -> dict[str, str]:
    """Relative path -> hash of every file below a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


def frame(home: Path, kind: str, name: str, day: date) -> pl.DataFrame:
    return pl.read_parquet(home / "lake" / kind / f"batch_date={day}" / f"{name}.parquet")


def books(home: Path, kind: str, day: date) -> pl.DataFrame:
    return pl.concat(
        [pl.read_parquet(p) for p in sorted((home / "lake" / kind).glob(f"*/batch_date={day}.parquet"))]
    )


@pytest.fixture(scope="session")
def after_first(tmp_path_factory) -> Path:
    """A home in which the first night has run."""
    home = tmp_path_factory.mktemp("county")
    shutil.copytree(SMALL / "inbox", home / "inbox")
    assert nights.run(home, FIRST) == (True, [])
    return home


@pytest.fixture(scope="session")
def after_second(after_first, tmp_path_factory) -> Path:
    """The same a night later."""
    home = tmp_path_factory.mktemp("later") / "home"
    shutil.copytree(after_first, home)
    assert nights.run(home, SECOND) == (True, [])
    return home


def test_every_class_is_read_and_every_ledger_closes(after_first):
    ledger = books(after_first, "ledger", FIRST)
    assert set(ledger["class_id"]) == set(catalogue()) - {"ca_outcome_return"}
    parts = ["rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined"]
    assert ledger.filter(pl.col("rows_received") != pl.sum_horizontal(parts)).is_empty()
    assert ledger["rows_accepted"].sum() > 10_000
    assert ledger.filter(pl.col("status") == "failed").is_empty()


def test_no_check_breaks_its_engine(after_first):
    checks = books(after_first, "checks", FIRST)
    assert checks.height > 500
    assert checks.filter(pl.col("outcome") == "engine_error").is_empty()


def test_what_was_planted_is_raised_and_typical_false_alarms_are_not(after_second):
    """Situations of the truth against warnings, by the true family; the families of the dead are their survivors'."""
    raised = pl.concat([frame(after_second, "risk", "warnings", day) for day in (FIRST, SECOND)])
    truth = pl.read_parquet(SMALL / "truth" / "situations.parquet").filter(pl.col("visible_on") <= SECOND)
    numbers = pl.read_parquet(SMALL / "truth" / "persons.parquet").select("true_person_id", "resident_id")
    persons = frame(after_second, "persons", "persons", SECOND).select("resident_id", "person_id")
    family = (
        pl.read_parquet(SMALL / "truth" / "households.parquet")
        .select("true_household_id", "true_person_id")
        .unique()
    )
    members = frame(after_second, "households", "household_member", SECOND).select(
        "person_id", "household_id"
    )
    hits = (
        truth.join(family, on="true_household_id", suffix="_member")
        .join(numbers, left_on="true_person_id_member", right_on="true_person_id")
        .join(persons, on="resident_id")
        .join(members, on="person_id")
        .join(raised.select("rule_id", "household_id").unique(), on=["rule_id", "household_id"])[
            "situation_id"
        ]
        .unique()
    )
    found = truth.with_columns(pl.col("situation_id").is_in(hits.implode()).alias("raised"))
    assert found.filter(pl.col("expectation") == "must").height >= 8
    missed = found.filter((pl.col("expectation") == "must") & ~pl.col("raised"))
    wrong = found.filter((pl.col("expectation") == "must_not") & pl.col("raised"))
    assert missed.select("rule_id", "kind").rows() == []
    assert wrong.select("rule_id", "kind").rows() == []


def test_each_household_stands_on_the_lists_once_and_lists_are_apart(after_first):
    """Law 2 and the promise of one row a household: the priority table against the printed lists."""
    outbox = after_first / "outbox" / str(FIRST)
    priority = frame(after_first, "risk", "priority", FIRST)
    for kind in ("help_in", "check_out"):
        printed = []
        for book in sorted(outbox.glob(f"township/*/{kind}/*.xlsx")):
            sheet = fastexcel.read_excel(book).load_sheet("清单", header_row=None).to_polars()
            cells = "\n".join(str(cell) for row in sheet.rows() for cell in row if cell is not None)
            printed += re.findall(r"\bH\d{9}\b", cells)
        wanted = priority.filter(pl.col("list_kind") == kind)["household_id"]
        assert sorted(printed) == sorted(f"H{number:09d}" for number in wanted)
    assert priority.height > 0


def test_every_warning_says_why_with_its_sources(after_first):
    warnings = frame(after_first, "risk", "warnings", FIRST)
    assert warnings.height > 0
    for row in warnings.iter_rows(named=True):
        assert re.search(r"[一-鿿]{6,}", row["reason_zh"])
        assert json.loads(row["sources_json"])
        assert json.loads(row["evidence_json"])
        assert row["expires_on"] > FIRST


def test_the_manifest_names_every_file_and_its_hash(after_first):
    outbox = after_first / "outbox" / str(FIRST)
    manifest = json.loads((outbox / "manifest.json").read_text(encoding="utf-8"))
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    found = bytes_of(outbox)
    found.pop("manifest.json")
    assert listed == found
    assert len(found) > 20


def test_one_department_in_ruins_switches_its_rules_off_on_the_list(after_first, tmp_path):
    """Payments deleted, cases truncated, members of another encoding: said on the list, and nobody else is touched."""
    home = tmp_path / "home"
    shutil.copytree(SMALL / "inbox" / str(FIRST), home / "inbox" / str(FIRST))
    folder = home / "inbox" / str(FIRST) / "civil_affairs"
    (folder / "_manifest.yaml").unlink(missing_ok=True)
    next(folder.glob("ca_assist_payment.*")).unlink()
    cases = next(folder.glob("ca_assist_household.*"))
    cases.write_bytes(cases.read_bytes()[:10])
    members = next(folder.glob("ca_assist_member.*"))
    members.write_bytes(members.read_bytes().decode("utf-8-sig").encode("gb18030"))
    finished, failed = nights.run(home, FIRST)
    assert (finished, failed) == (True, [])
    ruined = {"ca_assist_payment", "ca_assist_household", "ca_assist_member"}
    others = ~pl.col("class_id").is_in(list(ruined))
    columns = ["class_id", "file", "rows_received", "rows_accepted", "status"]
    assert (
        books(home, "ledger", FIRST)
        .filter(others)
        .select(columns)
        .equals(books(after_first, "ledger", FIRST).filter(others).select(columns))
    )
    recoded = books(home, "ledger", FIRST).filter(pl.col("class_id") == "ca_assist_member")
    intact = books(after_first, "ledger", FIRST).filter(pl.col("class_id") == "ca_assist_member")
    assert recoded["rows_accepted"].to_list() == intact["rows_accepted"].to_list()
    status = frame(home, "risk", "rule_status", FIRST)
    off = status.filter(pl.col("status") == "off")
    assert {"P04", "X01", "X04"} <= set(off["rule_id"])
    book = next((home / "outbox" / str(FIRST)).glob("township/*/check_out/*.xlsx"))
    sheet = fastexcel.read_excel(book).load_sheet("清单", header_row=None).to_polars()
    said = "\n".join(str(cell) for row in sheet.rows() for cell in row if cell is not None)
    assert re.search("停用的规则.*家庭成员名下有车辆", said)
    assert re.search(rf"{FIRST}送达的文件未采用（{cases.name}：.*此前没有可用的数据", said)


def test_files_cut_in_the_middle_switch_their_rules_off_on_the_list(after_first, tmp_path):
    """Cut at a line's end with a manifest that counts rows, and inside a line without: held, said, and rules off."""
    home = tmp_path / "home"
    shutil.copytree(after_first, home)
    folder = home / "inbox" / str(SECOND) / "civil_affairs"
    shutil.copytree(SMALL / "inbox" / str(FIRST) / "civil_affairs", folder, dirs_exist_ok=True)
    cases, members = (next(folder.glob(f"{c}.*")) for c in ("ca_assist_household", "ca_assist_member"))
    content = cases.read_bytes()
    rows = content.count(b"\n") - 1
    cases.write_bytes(content[: content.rindex(b"\n", 0, len(content) * 9 // 10) + 1])
    (folder / "_manifest.yaml").write_text(
        f"files:\n- {{file: {cases.name}, class: ca_assist_household, rows: {rows}}}\n", encoding="utf-8"
    )
    content = members.read_bytes()
    members.write_bytes(content[: content.rindex(b"\n", 0, len(content) * 9 // 10) + 25])
    assert nights.run(home, SECOND) == (True, [])
    cut = books(home, "ledger", SECOND).filter(pl.col("file").is_in([cases.name, members.name]))
    assert cut["status"].to_list() == ["held", "held"]
    assert cut["rows_accepted"].to_list() == [0, 0]
    assert (cut["rows_quarantined"] == cut["rows_received"]).all()
    status = frame(home, "risk", "rule_status", SECOND)
    off = set(status.filter(pl.col("status") == "off")["rule_id"])
    assert {"X01", "X04"} <= off
    assert not {"X01", "X04"} & set(frame(home, "risk", "warnings", SECOND)["rule_id"])
    book = next((home / "outbox" / str(SECOND)).glob("township/*/check_out/*.xlsx"))
    sheet = fastexcel.read_excel(book).load_sheet("清单", header_row=None).to_polars()
    said = "\n".join(str(cell) for row in sheet.rows() for cell in row if cell is not None)
    assert re.search("停用的规则.*家庭成员名下有车辆", said)
    assert re.search(rf"{SECOND}送达的文件未采用（{cases.name}：全量文件.*沿用{FIRST}的数据", said)
    assert re.search(rf"{SECOND}送达的文件未采用（{members.name}：全量文件.*沿用{FIRST}的数据", said)
    report = (home / "outbox" / str(SECOND) / "audit" / "quality_report.html").read_text(encoding="utf-8")
    assert f"{SECOND}送达的文件未采用（{cases.name}：" in report


ID_COLUMNS = {"assistance_case": "case_id", "vehicle": "vehicle_id", "dwelling_title": "unit_id"}
"""Fact tables with the opaque ids of cases, vehicles and units of buildings."""


def opaque_ids(home: Path, day: date) -> set[str]:
    return {
        value
        for table, column in ID_COLUMNS.items()
        for value in frame(home, "facts", table, day)[column].drop_nulls().to_list()
    }


def test_the_key_stays_in_its_file_and_opaque_ids_in_the_lake(after_second):
    """What Dagster remembers, the alerts and the outbox (workbooks unpacked) against the key and the ids made with it."""
    path = after_second / "lake" / opaque.KEY_FILE
    secret, mark = (path.with_name(n).read_text().strip() for n in (opaque.KEY_FILE, opaque.MARK_FILE))
    ids = opaque_ids(after_second, SECOND)
    assert len(ids) > 100
    looked = 0
    for file in (
        p for p in after_second.rglob("*") if p.is_file() and p.name not in (path.name, opaque.MARK_FILE)
    ):
        parts = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        for part in parts:
            assert secret.encode() not in part, file.name
            if "lake" not in file.parts:
                looked += 1
                found = {
                    word.decode() for word in re.findall(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", part)
                }
                assert not found & (ids | {mark}), file.name
    assert looked > 100


def test_under_a_new_key_persons_households_and_families_on_the_lists_stay(
    after_first, after_second, tmp_path
):
    """Facts get other ids; what is known by case or by things counted one by one is raised anew, once."""
    home = tmp_path / "home"
    shutil.copytree(after_first, home)
    for name in (opaque.KEY_FILE, opaque.MARK_FILE):
        (home / "lake" / name).unlink()
    assert nights.run(home, SECOND) == (True, [])

    assert not opaque_ids(home, SECOND) & opaque_ids(after_second, SECOND)
    people, calm = (frame(h, "persons", "persons", SECOND) for h in (home, after_second))
    assert people.height > 500
    assert people.drop("spine_key").equals(calm.drop("spine_key"))
    links = ["source_class", "role", "person_id", "grade", "pass_id", "linked_on"]
    left, right = (
        frame(h, "persons", "links", SECOND).select(links).sort(links) for h in (home, after_second)
    )
    assert left.equals(right)
    for table in ("household", "household_member"):
        assert frame(home, "households", table, SECOND).equals(
            frame(after_second, "households", table, SECOND)
        )
    for path in sorted((after_second / "lake" / "facts" / f"batch_date={SECOND}").glob("*.parquet")):
        assert frame(home, "facts", path.stem, SECOND).height == pl.read_parquet(path).height, path.stem

    what = ["rule_id", "household_id", "person_id", "level", "reason_zh", "evidence_json"]
    left, right = (frame(h, "risk", "warnings", SECOND) for h in (home, after_second))
    assert left.height > 10
    assert left.select(what).sort(what).equals(right.select(what).sort(what))
    same = left["warning_id"].is_in(right["warning_id"].implode())
    assert set(left["rule_id"].filter(~same)) == RAISED_ANEW & set(left["rule_id"])
    assert set(left["rule_id"].filter(same)) == set(left["rule_id"]) - RAISED_ANEW
    assert left["rule_id"].filter(~same).len() > 0


RAISED_ANEW = {"P04", *(f"X{number:02}" for number in range(1, 20))}
"""Rules whose warnings are known by case, or by a cause that names cases or things (docs/operations.md, A new key)."""


NUMBER = re.compile(
    rb"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX](?![0-9A-Za-z])"
)


def test_no_identity_number_leaves(after_second):
    """Law 9: everything in the outbox, workbooks unpacked."""
    looked = 0
    for path in sorted(p for p in (after_second / "outbox").rglob("*") if p.is_file()):
        parts = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        looked += len(parts)
        assert not any(NUMBER.search(part) for part in parts), path.name
    assert looked > 100
