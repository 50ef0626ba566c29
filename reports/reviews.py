"""Review sheets: pairs laid out as a workbook or a text file with an answer to choose, and read back as delivered.

Which pairs there are, and what an answer means, is not known here. What may be seen was decided by whoever made the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import fastexcel
import polars as pl
import yaml

from reports.masking import Gate
from reports.workbook import HEAD_FONT, Book

ANSWER, NOTE = "判断", "备注"
"""Headers of the two columns that are filled in; they stand first."""

CHOICES = ("同一人", "不是同一人", "不确定")
SHEET = "待确认"
HELP = (
    "请逐行比较左右两边，在“判断”一栏选择答案；拿不准选“不确定”。【】内是两边不同的地方，证件号码和电话只显示不同的位置。"
    "不要删除或改名列。本表含个人信息，仅供审核，用后请按规定销毁。"
)


class ReviewFileError(ValueError):
    """A review file that cannot be read; the message says why and quotes nothing of it."""


def review_book(rows: pl.DataFrame, as_of: date, title: str, hidden: Sequence[str] = ()) -> bytes:
    """A workbook of pairs: answer and note first, then the columns of `rows` (text); `hidden` ones are there but not seen.

    The bytes depend on the rows and the date alone.
    """
    gate = Gate()
    book = Book(as_of, title, "人工审核", gate)
    sheet = book.book.add_worksheet(SHEET)
    names = [ANSWER, NOTE, *rows.columns]
    head = book.form(bold=True, font_name=HEAD_FONT, bg_color="#D9E2F3", border=1, text_wrap=True)
    cell = book.form(border=1, border_color="#A6A6A6", text_wrap=True, align="left")
    answer = book.form(border=1, border_color="#A6A6A6", bg_color="#FFF9E5")
    shown = [name for name in names if name not in hidden]
    book.band(sheet, 0, len(names), f"{title}（{as_of}）", 100.0, book.form(bold=True, font_size=14), 20)
    book.band(sheet, 1, len(names), HELP, 100.0, book.form(text_wrap=True), 15)
    for number, name in enumerate(names):
        book.text(sheet, 2, number, name, head)
        longest = max((len(text or "") for text in rows[name]), default=0) if name in rows.columns else 0
        width = min(max(longest * 1.6 + 2, 12), 46)
        sheet.set_column(number, number, width, None, {} if name in shown else {"hidden": True})
    for at, row in enumerate(rows.iter_rows(), start=3):
        for number in (0, 1):
            sheet.write_blank(at, number, None, answer)
        for number, value in enumerate(row, start=2):
            book.text(sheet, at, number, "" if value is None else str(value), cell)
    if rows.height:
        sheet.data_validation(
            3,
            0,
            2 + rows.height,
            0,
            {"validate": "list", "source": list(CHOICES), "error_title": "请从下拉列表中选择"},
        )
        sheet.autofilter(2, 0, 2 + rows.height, len(names) - 1)
    sheet.freeze_panes(3, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    return book.close()


def review_text(rows: pl.DataFrame) -> bytes:
    """The same rows as a text file (UTF-8 with a mark, as spreadsheets like it)."""
    blank = rows.select(pl.lit("").alias(ANSWER), pl.lit("").alias(NOTE), pl.all())
    return b"\xef\xbb\xbf" + blank.write_csv().encode()


def write_review(path: Path, rows: pl.DataFrame, as_of: date, title: str, hidden: Sequence[str] = ()) -> None:
    """Write a workbook (.xlsx) or a text file (.csv), readable by the owner alone. Raises `ReviewFileError`."""
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise ReviewFileError("a review file is .xlsx or .csv")
    is_book = path.suffix.lower() == ".xlsx"
    body = review_book(rows, as_of, title, hidden) if is_book else review_text(rows)
    path.touch(mode=0o600)
    path.write_bytes(body)


def read_review(path: Path) -> pl.DataFrame:
    """A filled review file as text, one row each: workbook, text file (.csv, .txt), or YAML (a list of mappings).

    Raises `ReviewFileError`.
    """
    try:
        kind = path.suffix.lower()
        if kind == ".xlsx":
            return _from_book(path)
        if kind in (".yaml", ".yml"):
            return _from_yaml(path)
        body = path.read_bytes()
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = body.decode("gb18030")
        return pl.read_csv(BytesIO(text.encode()), infer_schema=False)
    except (ReviewFileError, OSError):
        raise
    except Exception as error:  # whatever is wrong with the file, its content is not quoted
        raise ReviewFileError(f"the review file cannot be read ({type(error).__name__})") from None


def _from_book(path: Path) -> pl.DataFrame:
    book = fastexcel.read_excel(path)
    name = SHEET if SHEET in book.sheet_names else book.sheet_names[0]
    frame = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
    rows = [tuple(None if v is None else str(v).strip() for v in row) for row in frame.iter_rows()]
    heads = [n for n, row in enumerate(rows) if ANSWER in row or "decision" in row]
    if not heads:
        raise ReviewFileError(f"the workbook has no column {ANSWER}")
    columns = {place: text for place, text in enumerate(rows[heads[0]]) if text}
    body = [{text: row[place] for place, text in columns.items()} for row in rows[heads[0] + 1 :]]
    return pl.DataFrame(body, schema=dict.fromkeys(columns.values(), pl.String))


def _from_yaml(path: Path) -> pl.DataFrame:
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise ReviewFileError("a review file in YAML is a list of mappings")
    columns = list(dict.fromkeys(str(key) for row in body for key in row))
    rows = [{name: None if row.get(name) is None else str(row[name]) for name in columns} for row in body]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
