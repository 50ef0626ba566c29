"""Filled lists become a delivery that the contract accepts; what is half filled is said, never guessed."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from night_fixture import D

from data_contracts.contract import catalogue
from data_contracts.reading import read_delivery
from reports.returns import CLASS_ID, collect, delivery_bytes, read_workbook, write_delivery

LATER = D + timedelta(days=5)
GOOD = ("205 已给予临时救助", date(2025, 11, 20), "N0123", "02 电话联系核实")


class Filled:
    """A copy of a list into which answers are written, as an officer would."""

    def __init__(self, source: Path, target: Path) -> None:
        self.path = target / source.name
        shutil.copy(source, self.path)
        self.book = openpyxl.load_workbook(self.path)

    def rows(self, sheet: str) -> list[int]:
        """Row numbers of families or items."""
        cells = self.book[sheet].iter_rows()
        return [r[0].row for r in cells if any(str(c.value).startswith("H0000") for c in r)]

    def household(self, sheet: str, row: int) -> str:
        """户编号 of a row."""
        return next(str(c.value) for c in self.book[sheet][row] if str(c.value).startswith("H0000"))

    def answer(self, sheet: str, row: int, *values: object) -> None:
        """Write into the four answer cells."""
        last = self.book[sheet].max_column
        for column, value in enumerate(values, start=last - 3):
            self.book[sheet].cell(row, column).value = value

    def save(self) -> Path:
        """Write the file."""
        self.book.save(self.path)
        return self.path


@pytest.fixture
def filled(written, tmp_path):
    (source,) = written[0].glob("township/150902003/help_in/*.xlsx")
    return Filled(source, tmp_path)


@pytest.fixture
def several(written, tmp_path):
    """A list with a family that has more than one warning."""
    for source in sorted(written[0].glob("township/*/help_in/*.xlsx")):
        book = Filled(source, tmp_path)
        homes = [book.household("逐条反馈", r) for r in book.rows("逐条反馈")]
        twice = [h for h in homes if homes.count(h) > 1]
        if twice:
            return book, twice[0]
    raise AssertionError("no family with two warnings")


def test_an_answer_reaches_every_warning_of_the_family(several):
    book, home = several
    row = next(r for r in book.rows("清单") if book.household("清单", r) == home)
    book.answer("清单", row, *GOOD)
    answers = read_workbook(book.save(), LATER)
    assert answers.messages == []
    items = [r for r in book.rows("逐条反馈") if book.household("逐条反馈", r) == home]
    assert answers.rows.height == len(items) > 1
    assert set(answers.rows["household_id"]) == {home}
    assert set(answers.rows.select("result_code", "visited_on", "officer", "note_code").rows()) == {
        ("205", date(2025, 11, 20), "N0123", "02")
    }


def test_a_single_warning_may_be_answered_apart(several):
    book, home = several
    row = next(r for r in book.rows("清单") if book.household("清单", r) == home)
    book.answer("清单", row, *GOOD)
    first, *rest = [r for r in book.rows("逐条反馈") if book.household("逐条反馈", r) == home]
    book.answer("逐条反馈", first, "601 数据不是本人的（对错了人）", None, None, None)
    answers = read_workbook(book.save(), LATER)
    assert answers.messages == []
    assert sorted(answers.rows["result_code"]) == sorted(["601", *["205"] * len(rest)])
    assert set(answers.rows["officer"]) == {"N0123"}


def test_an_own_answer_that_cannot_be_read_is_not_replaced_by_the_family_s(several):
    book, home = several
    row = next(r for r in book.rows("清单") if book.household("清单", r) == home)
    book.answer("清单", row, *GOOD)
    first, *rest = [r for r in book.rows("逐条反馈") if book.household("逐条反馈", r) == home]
    book.answer("逐条反馈", first, "看过了", None, None, None)
    answers = read_workbook(book.save(), LATER)
    assert len(answers.messages) == 1
    assert answers.rows.height == len(rest)


def test_an_empty_list_answers_nothing_and_complains_of_nothing(filled):
    answers = read_workbook(filled.save(), LATER)
    assert answers.rows.height == 0
    assert answers.messages == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((None, date(2025, 11, 20), "N0123", None), "没有选处理结果"),
        (("205 已给予临时救助", None, "N0123", None), "没有填入户日期"),
        (("205 已给予临时救助", date(2025, 11, 20), None, None), "没有填核查人员工号"),
        (("205 已给予临时救助", "上周三", "N0123", None), "入户日期无法识别"),
        (("205 已给予临时救助", date(2025, 11, 23), "N0123", None), "晚于报送日期"),
        (("205 已给予临时救助", date(2025, 9, 23), "N0123", None), "早于清单日期"),
        (
            ("401 经规定程序已终止救助", date(2025, 11, 20), "N0123", None),
            "不在“可能需要帮助”清单的可选范围内",
        ),
        (("已帮助", date(2025, 11, 20), "N0123", None), "请从下拉列表中选择"),
        (("205 已给予临时救助", date(2025, 11, 20), "11010519491231002X", None), "不要填姓名或身份证号"),
        (("205 已给予临时救助", date(2025, 11, 20), "N0123", "去过两次"), "备注代码请从下拉列表中选择"),
    ],
)
def test_a_half_filled_row_is_named_and_left_out(filled, values, says):
    first, second, *_ = filled.rows("清单")
    filled.answer("清单", first, *values)
    filled.answer("清单", second, *GOOD)
    answers = read_workbook(filled.save(), LATER)
    (message,) = answers.messages
    assert says in message.text_zh
    assert (message.sheet, message.row, message.household) == ("清单", first, filled.household("清单", first))
    assert f"“清单”页第{first}行" in str(message)
    assert "1949" not in str(message)
    assert set(answers.rows["household_id"]) == {filled.household("清单", second)}


@pytest.mark.parametrize(
    "written_day", ["2025-11-20", "2025/11/20", "2025.11.20", "20251120", "2025年11月20日", "45981", 45981]
)
def test_a_day_may_be_written_in_many_ways(filled, written_day):
    row = filled.rows("清单")[0]
    filled.answer("清单", row, GOOD[0], written_day, "N0123", None)
    answers = read_workbook(filled.save(), LATER)
    assert answers.messages == []
    assert set(answers.rows["visited_on"]) == {date(2025, 11, 20)}


def test_rows_may_be_sorted(filled):
    sheet = filled.book["清单"]
    one, two = filled.rows("清单")[:2]
    filled.answer("清单", one, *GOOD)
    home = filled.household("清单", one)
    for column in range(1, sheet.max_column + 1):
        a, b = sheet.cell(one, column), sheet.cell(two, column)
        a.value, b.value = b.value, a.value
    answers = read_workbook(filled.save(), LATER)
    assert set(answers.rows["household_id"]) == {home}


def test_a_changed_household_number_is_refused(filled):
    row = filled.rows("清单")[0]
    filled.answer("清单", row, *GOOD)
    filled.book["清单"].cell(row, 2).value = "H000999999"
    answers = read_workbook(filled.save(), LATER)
    assert answers.rows.height == 0
    assert "户编号不在本清单内" in answers.messages[0].text_zh


def test_other_files_are_refused_in_words(tmp_path, filled):
    text = tmp_path / "notes.xlsx"
    text.write_text("not a workbook")
    assert "文件打不开" in read_workbook(text, LATER).messages[0].text_zh
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    assert "不是本系统生成的清单" in read_workbook(other, LATER).messages[0].text_zh
    filled.book["回传"]["B1"].value = "0"
    assert "版本不符" in read_workbook(filled.save(), LATER).messages[0].text_zh


def test_the_later_visit_counts_and_a_tie_must_agree(filled, tmp_path):
    row, tie, *_ = filled.rows("清单")
    filled.answer("清单", row, *GOOD)
    filled.answer("清单", tie, *GOOD)
    filled.path = tmp_path / "a.xlsx"
    filled.save()
    filled.answer("清单", row, "502 经核查家庭没有困难", date(2025, 11, 21), "N0123", None)
    filled.answer("清单", tie, "504 家庭表示不需要", date(2025, 11, 20), "N0123", None)
    filled.path = tmp_path / "b.xlsx"
    filled.save()
    answers = collect([tmp_path / "b.xlsx", tmp_path / "a.xlsx"], LATER)
    assert set(answers.rows["household_id"]) == {filled.household("清单", row)}
    assert set(answers.rows["result_code"]) == {"502"}
    (message,) = answers.messages
    assert message.household == filled.household("清单", tie)
    assert "结果不同" in message.text_zh


def test_nothing_to_collect(tmp_path):
    answers = collect([], LATER)
    assert answers.rows.height == 0
    assert write_delivery(answers, tmp_path, LATER) is None


def test_the_delivery_is_what_the_contract_asks_for(filled, tmp_path):
    for row in filled.rows("清单"):
        filled.answer("清单", row, *GOOD)
    answers = collect([filled.save()], LATER)
    path = write_delivery(answers, tmp_path / "inbox", LATER)
    assert path == tmp_path / "inbox" / LATER.isoformat() / "civil_affairs" / f"{CLASS_ID}.xlsx"
    sheet = openpyxl.load_workbook(path).worksheets[0]
    contract = catalogue()[CLASS_ID]
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0]) == contract.headers()
    assert len(rows) - 1 == answers.rows.height
    back = pl.DataFrame([dict(zip([f.name for f in contract.fields], r, strict=True)) for r in rows[1:]])
    assert back.with_columns(pl.col("visited_on").str.to_date())[answers.rows.columns].equals(answers.rows)
    assert (
        delivery_bytes(answers.rows, LATER)
        == delivery_bytes(answers.rows.reverse(), LATER)
        == path.read_bytes()
    )


def test_the_delivery_passes_the_door(filled, tmp_path):
    first, second, *_ = filled.rows("清单")
    filled.answer("清单", first, *GOOD)
    filled.answer("清单", second, "601 数据不是本人的（对错了人）", date(2025, 11, 21), "N0456", None)
    answers = collect([filled.save()], LATER)
    path = write_delivery(answers, tmp_path / "inbox", LATER)
    contract = catalogue()[CLASS_ID]
    reading = read_delivery(contract, path, batch_date=LATER, lake=tmp_path / "lake")
    assert reading.ledger["rows_accepted"] == reading.ledger["rows_received"] == answers.rows.height > 1
    assert reading.issues.height == 0
    (accepted,) = (tmp_path / "lake" / "accepted" / CLASS_ID).rglob("*.parquet")
    columns = answers.rows.columns
    assert pl.read_parquet(accepted).select(columns).sort("warning_id").equals(answers.rows)
