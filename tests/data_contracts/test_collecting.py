"""Nights of one class from its folder to its status: parts, repeats, and verdicts that stay with the rows."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from data_contracts import collecting, expectations, feeding, sources
from data_contracts.collecting import PARTS, collect, failed_checks
from tests.data_contracts.contracts_for_reading import HEADER, contract, line
from tests.data_contracts.test_reading import other_ids

DAYS = [date(2025, 9, 17), date(2025, 10, 17), date(2025, 11, 17)]
IDS = other_ids(400)


def text(ids: list[str], header: str = HEADER) -> bytes:
    return ("\n".join([header, *(line(id_no=number) for number in ids)]) + "\n").encode("gb18030")


class County:
    """An inbox and a lake with one class."""

    def __init__(self, root: Path):
        self.inbox, self.lake = root / "inbox", root / "lake"
        self.spec = contract(delivery={**contract().delivery.model_dump(), "late_after_days": 60})

    def night(self, day: date, files: dict[str, bytes], **manifest: dict) -> dict[str, str]:
        """Read the files of a night; file -> status."""
        folder = self.inbox / str(day)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / f"zz_test.{name}").write_bytes(content)
        if manifest:
            entries = [
                {"file": f"zz_test.{name}.txt".replace("zz_test.zz_test", "zz_test"), **entry}
                for name, entry in manifest.items()
            ]
            (folder / collecting.MANIFEST).write_text(yaml.safe_dump({"files": entries}), encoding="utf-8")
        self.found = collect(self.spec, folder, self.lake, day)
        books = self.found.ledger
        assert self.found.residual() == 0
        for kind, columns in {"quarantine": PARTS[1::2], "accepted": PARTS[:1]}.items():
            files_there = (self.lake / kind / "zz_test" / f"batch_date={day}").glob("*.parquet")
            assert sum(pl.read_parquet(p).height for p in files_there) == sum(books[c].sum() for c in columns)
        return {file.removeprefix("zz_test."): status for file, status in books["file", "status"].iter_rows()}

    def people(self, day: date) -> int:
        files = feeding.accepted_files(self.lake, "zz_test", day)
        standing = feeding.standing_files(self.spec, files)
        return sum(f.rows for f in standing)

    def status(self, day: date) -> tuple[str, str]:
        failed = failed_checks(self.lake, day)
        row = sources.source_status(self.lake, day, failed, [self.spec]).row(0, named=True)
        return row["status"], row["note_zh"]

    def said(self) -> str:
        return "\n".join(self.found.issues["message_zh"])


@pytest.fixture
def county(tmp_path, monkeypatch):
    made = County(tmp_path)
    monkeypatch.setattr(expectations, "run", lambda *_, **__: expectations.OUTCOMES.to_frame())
    monkeypatch.setattr(collecting, "catalogue", lambda: {made.spec.id: made.spec})
    return made


def test_one_full_becomes_two_parts_and_one_again(county):
    county.night(DAYS[0], {"txt": text(IDS)})
    halves = {"1.txt": text(IDS[:200]), "2.txt": text(IDS[200:])}
    assert county.night(DAYS[1], halves) == {"1.txt": "accepted", "2.txt": "accepted"}
    assert county.people(DAYS[1]) == 400
    assert county.status(DAYS[1])[0] == "fresh"
    assert county.night(DAYS[2], {"txt": text(IDS[::-1])}) == {"txt": "accepted"}
    assert county.people(DAYS[2]) == 400


def test_parts_that_shrink_together_are_held_until_they_are_confirmed(county):
    county.night(DAYS[0], {"txt": text(IDS)})
    parts = {"1.txt": text(IDS[:100]), "2.txt": text(IDS[200:300])}
    assert county.night(DAYS[1], parts) == {"1.txt": "held", "2.txt": "held"}
    assert "zz_test.2.txt：全量文件比上次少50%（上次400行，本次200行）" in county.said()
    assert county.people(DAYS[1]) == 400
    assert county.status(DAYS[1])[0] == "held"
    confirmed = county.night(DAYS[2], parts, **{"1": {"confirm_shrink": True}})
    assert confirmed == {"1.txt": "accepted", "2.txt": "accepted"}
    assert county.people(DAYS[2]) == 200


@pytest.mark.parametrize("share", [200, 390])
def test_a_part_alone_is_held(county, share):
    county.night(DAYS[0], {"1.txt": text(IDS[:share]), "2.txt": text(IDS[share:])})
    assert county.night(DAYS[1], {"1.txt": text(IDS[:share][::-1])}) == {"1.txt": "held"}
    assert county.people(DAYS[1]) == 400
    assert county.status(DAYS[1])[0] == "held"
    assert ("缺少zz_test.2.txt" in county.said()) == (share == 390)


@pytest.mark.parametrize(
    "bad",
    [
        text(IDS[200:], HEADER.replace("姓名", "名称一")),
        text(IDS[200:])[:-30],
        b"",
    ],
)
def test_a_bad_part_holds_the_others(county, bad):
    whole = {"1.txt": text(IDS[:200]), "2.txt": text(IDS[200:])}
    county.night(DAYS[0], whole)
    found = county.night(DAYS[1], {"1.txt": text(IDS[:200][::-1]), "2.txt": bad})
    assert found["1.txt"] == "held"
    assert found["2.txt"] in ("held", "rejected")
    assert "zz_test.1.txt：同一份全量数据的其他部分（zz_test.2.txt）未被采用" in county.said()
    assert county.people(DAYS[1]) == 400
    assert county.status(DAYS[1])[0] == "held"
    # A part as it was is as good as a new one: nothing is used of either.
    assert county.night(DAYS[2], {"1.txt": whole["1.txt"], "2.txt": bad})["1.txt"] == "held"
    assert county.people(DAYS[2]) == 400


def test_a_part_as_it_was_counts_again_beside_a_new_one(county):
    county.night(DAYS[0], {"1.txt": text(IDS[:200]), "2.txt": text(IDS[200:])})
    again = {"1.txt": text(IDS[:200]), "2.txt": text(IDS[201:])}
    assert county.night(DAYS[1], again) == {"1.txt": "accepted", "2.txt": "accepted"}
    assert county.people(DAYS[1]) == 399
    assert county.night(DAYS[2], again) == {"1.txt": "duplicate", "2.txt": "duplicate"}
    assert county.status(DAYS[2]) == ("fresh", f"数据截至{DAYS[2]}")


def test_a_twin_is_no_part(county):
    twins = {"1.txt": text(IDS), "2.txt": text(IDS)}
    assert county.night(DAYS[0], twins) == {"1.txt": "accepted", "2.txt": "duplicate"}
    twins = {"1.txt": text(IDS[:9]), "2.txt": text(IDS[:9])}
    assert county.night(DAYS[1], twins) == {"1.txt": "held", "2.txt": "duplicate"}
    assert county.status(DAYS[1])[0] == "held"


def test_the_first_full_cut_in_the_middle_is_held(county):
    assert county.night(DAYS[0], {"txt": text(IDS[:199])}, zz_test={"rows": 400}) == {"txt": "held"}
    assert county.people(DAYS[0]) == 0
    assert county.status(DAYS[0])[0] == "held"


def test_the_state_goes_back(county):
    for day, ids in zip(DAYS, (IDS[:3], IDS[:4], IDS[:3]), strict=True):
        assert county.night(day, {"txt": text(ids)}) == {"txt": "accepted"}
    assert county.people(DAYS[2]) == 3


def names(*bad: str):
    """Contract checks that fail hard when a name is among the rows."""

    def run(spec, paths, day, *, full):
        found = {name for path in paths for name in pl.read_parquet(path)["name"]}
        rows = [
            {"class_id": spec.id, "outcome": "failed", "severity": "error", "note_zh": f"姓名应填（{name}）"}
            for name in bad
            if name in found
        ]
        return pl.DataFrame(rows, schema=expectations.OUTCOMES)

    return run


def called(name: str, ids: list[str]) -> bytes:
    return text(ids).replace("张三".encode("gb18030"), name.encode("gb18030"))


def test_a_verdict_stays_with_the_rows_of_a_full(county, monkeypatch):
    """The same file again or a good delta mends nothing; a full does."""
    monkeypatch.setattr(expectations, "run", names("坏"))
    days = [date(2025, 11, n) for n in range(1, 5)]
    files = [
        {"txt": called("坏", IDS)},
        {"txt": called("坏", IDS)},
        {"delta.txt": text(IDS[:2])},
        {"txt": text(IDS)},
    ]
    expected = []
    for day, given in zip(days, files, strict=True):
        county.night(day, given)
        expected.append(county.status(day)[0])
    assert expected == ["failed", "failed", "failed", "fresh"]


def test_a_delta_that_fails_a_check_is_held_and_the_class_goes_on_with_the_rest(county, monkeypatch):
    """No full ever comes: the state keeps what it had, and the next good delta switches the rules on again."""
    monkeypatch.setattr(expectations, "run", names("坏"))
    assert county.night(DAYS[0], {"delta.txt": text(IDS[:3])}) == {"delta.txt": "accepted"}
    assert county.night(DAYS[1], {"delta.txt": called("坏", IDS[3:9])}) == {"delta.txt": "held"}
    assert county.found.ledger["rows_quarantined"].to_list() == [6]
    assert county.found.checks["outcome"].to_list() == ["failed"]
    assert "增量文件未通过检查（姓名应填（坏）），整份暂不采用" in county.said()
    status, note = county.status(DAYS[1])
    assert status == "held"
    assert note == (
        f"{DAYS[1]}送达的文件未采用（zz_test.delta.txt：增量文件未通过检查（姓名应填（坏）），整份暂不采用，"
        f"此前的数据不受影响）；沿用{DAYS[0]}的数据，待更正、确认或重报后恢复使用"
    )
    assert county.people(DAYS[1]) == 3
    # Sent again as it was, it is held again, and not taken for something that was used before.
    again = date(2025, 10, 18)
    assert county.night(again, {"delta.txt": called("坏", IDS[3:9])}) == {"delta.txt": "held"}
    assert county.night(DAYS[2], {"delta.txt": text(IDS[9:11])}) == {"delta.txt": "accepted"}
    assert county.people(DAYS[2]) == 5
    assert county.status(DAYS[2])[0] == "fresh"
    assert "2025-10-17、2025-10-18送达的增量文件有2个未采用" in county.status(DAYS[2])[1]


def test_of_several_files_only_the_guilty_delta_is_held(county, monkeypatch):
    monkeypatch.setattr(expectations, "run", names("坏"))
    files = {"txt": text(IDS), "1.delta.txt": called("坏", IDS[:3]), "2.delta.txt": text(IDS[3:6])}
    assert county.night(DAYS[0], files) == {
        "txt": "accepted",
        "1.delta.txt": "held",
        "2.delta.txt": "accepted",
    }
    assert county.found.checks.is_empty()
    assert failed_checks(county.lake, DAYS[0]) == {}


def test_deltas_that_fail_only_together_are_held_together(county, monkeypatch):
    def repeats(spec, paths, day, *, full):
        row = {"class_id": spec.id, "outcome": "failed", "severity": "error", "note_zh": "主键不应重复"}
        return pl.DataFrame([row] if len(paths) > 1 else [], schema=expectations.OUTCOMES)

    monkeypatch.setattr(expectations, "run", repeats)
    files = {"1.delta.txt": text(IDS[:3]), "2.delta.txt": text(IDS[:2])}
    assert county.night(DAYS[0], files) == {"1.delta.txt": "held", "2.delta.txt": "held"}
    assert county.found.checks["outcome"].to_list() == ["failed"]
    assert county.people(DAYS[0]) == 0
