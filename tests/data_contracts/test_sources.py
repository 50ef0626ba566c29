"""How far a class can be relied upon after files that were refused, left out or have not come, and what is said of it."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts.issues import ISSUES
from data_contracts.sources import source_status
from tests.data_contracts.test_feeding import NIGHTS, contract, deliver

LAST = date(2025, 11, 20)


def status(lake: Path, day: date, **more) -> tuple[str, date | None, str]:
    (row,) = source_status(lake, day, contracts=[contract(**more)]).iter_rows(named=True)
    return row["status"], row["last_batch"], row["note_zh"]


def blame(lake: Path, day: date, delivery_id: str, *found: tuple[str, str, int | None]) -> None:
    """Issues of a night: reason, sentence, row."""
    path = lake / "issues" / "toy_deed" / f"batch_date={day}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "delivery_id": delivery_id,
            "reason": reason,
            "severity": "error",
            "message_zh": said,
            "row": row,
        }
        for reason, said, row in found
    ]
    pl.DataFrame(rows, schema=ISSUES).write_parquet(path)


def test_a_refused_file_is_named_with_its_reason_and_the_day_of_the_data(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    bad = deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status="held")
    blame(
        tmp_path,
        NIGHTS[1],
        bad.delivery_id,
        ("control_rows", "toy_deed.csv：清单写明9行，实际1行", None),
        ("held_rows", "toy_deed.csv：全量文件的行数与清单不符（清单9行，实际1行），暂不采用", None),
        ("grain_missing", "toy_deed.csv数据第1行：主键为空", 1),
    )
    assert status(tmp_path, NIGHTS[1]) == (
        "held",
        NIGHTS[0],
        "2025-11-18送达的文件未采用（toy_deed.csv：全量文件的行数与清单不符（清单9行，实际1行），暂不采用）；"
        "沿用2025-11-17的数据，待更正、确认或重报后恢复使用",
    )


def test_a_file_refused_on_the_first_night_leaves_nothing(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}], status="rejected")
    assert status(tmp_path, NIGHTS[0]) == (
        "failed",
        None,
        "2025-11-17送达的文件未采用（toy_deed.csv：文件无法使用）；此前没有可用的数据，待更正后重报",
    )


def test_many_refused_files_are_counted(tmp_path):
    for number in range(5):
        deliver(tmp_path, NIGHTS[0], [{}], status="rejected", file=f"toy_deed.{number}.csv")
    _, _, note = status(tmp_path, NIGHTS[0])
    assert [f"toy_deed.{n}.csv" in note for n in range(5)] == [True] * 3 + [False] * 2
    assert "另有2个文件未采用" in note


@pytest.mark.parametrize("refused", ["held", "rejected", "failed"])
def test_a_delta_does_not_mend_a_refused_full(tmp_path, refused):
    expected = "held" if refused == "held" else "failed"
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status=refused)
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "c"}], kind="delta")
    found, last, note = status(tmp_path, NIGHTS[2])
    assert (found, last) == (expected, NIGHTS[2])
    assert note.startswith("2025-11-18送达的文件未采用（toy_deed.csv：")
    assert note.endswith("；全量数据仍为2025-11-17的，增量采用至2025-11-19，待全量更正、确认或重报后恢复使用")
    deliver(tmp_path, LAST, [{"deed_no": "b"}])
    assert status(tmp_path, LAST) == ("fresh", LAST, "数据截至2025-11-20")


def test_the_standing_full_sent_again_mends_a_refused_one(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}], sha="one")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status="held")
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "a"}], sha="one", status="duplicate")
    assert status(tmp_path, NIGHTS[2]) == ("fresh", NIGHTS[2], "数据截至2025-11-19")


def test_a_refused_delta_is_mended_by_the_next_one_with_rows_and_stays_visible(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], kind="delta", status="rejected")
    deliver(tmp_path, NIGHTS[2], [], kind="delta")
    assert status(tmp_path, NIGHTS[2])[0] == "failed"
    deliver(tmp_path, LAST, [{"deed_no": "c"}], kind="delta")
    assert status(tmp_path, LAST) == (
        "fresh",
        LAST,
        "数据截至2025-11-20；2025-11-18送达的增量文件有1个未采用，请确认其中的数据已补报",
    )
    deliver(tmp_path, date(2025, 11, 21), [{"deed_no": "a"}])
    assert status(tmp_path, date(2025, 11, 21))[2] == "数据截至2025-11-21"


def test_a_delivery_that_has_not_come_is_said_before_it_is_late(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    assert status(tmp_path, NIGHTS[0])[2] == "数据截至2025-11-17"
    assert status(tmp_path, NIGHTS[1]) == (
        "fresh",
        NIGHTS[0],
        "数据截至2025-11-17；2025-11-18起应有新数据，尚未收到，在2025-11-20前暂用上述数据",
    )
    assert status(tmp_path, date(2025, 11, 21))[0] == "late"
