"""The log of one file: what is named row by row, what is counted, and what the one line of a count says."""

from datetime import date

import polars as pl
import pytest

from data_contracts.issues import CELLS_NAMED, ISSUES, IssueLog

DAY = date(2025, 11, 17)
COLUMNS = ["row", "column", "reason", "masked_value", "message_zh", "rows"]


def log() -> IssueLog:
    return IssueLog("toy", DAY, "toy.csv")


def test_repeated_rows_are_one_line_with_the_first_row_numbers():
    made = log()
    made.cells("duplicate_rows", pl.Series([7, 9]), None, None, None, None)
    made.cells("duplicate_rows", pl.Series([12, 30, 31, 44]), None, None, None, None)
    found = made.frame("d")
    assert found.schema == ISSUES
    said = "toy.csv：共6行（数据第7、9、12、30、31行等），有完全相同的行，只采用第一次出现的"
    assert found.select(COLUMNS).rows() == [(7, None, "duplicate_rows", None, said, 6)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([5], "toy.csv数据第5行“电话”列：有多个电话，只取第一个"),
        ([5, 8], "toy.csv“电话”列：共2行（数据第5、8行），有多个电话，只取第一个"),
    ],
)
def test_a_hint_shows_its_first_row_and_value_masked(rows, said):
    made = log()
    cells = pl.Series(["13912345678、04741234567"] * len(rows))
    made.cells("phone_several", pl.Series(rows), cells, "电话", "phone", "phone")
    ((row, column, _, masked, message, count),) = made.frame("d").select(COLUMNS).rows()
    assert (row, column, message, count) == (5, "电话", said, len(rows))
    assert "*" in masked
    assert "12345678" not in masked


def test_cells_beyond_those_that_are_named_are_counted_without_a_row():
    made = log()
    made.cells("required_empty", pl.Series(range(1, CELLS_NAMED + 3)), None, "姓名", "name", None)
    found = made.frame("d")
    assert found.height == CELLS_NAMED + 1
    assert found.filter(pl.col("row").is_null()).select("message_zh", "rows").rows() == [
        ("toy.csv“姓名”列：另有2行，不应为空而为空", 2)
    ]
