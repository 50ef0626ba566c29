"""Lays rows out as workbooks that can be read, filled in and printed.

What a workbook says belongs in `definitions/`, what can be answered in `answers.yaml`. Here: sheets, widths,
heights, colours, drop-downs, print set-up. The bytes depend on the rows and the business date alone.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
import yaml
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data_contracts.contract import code_lists
from reports.definition import Column, Definition
from reports.masking import Gate

FONT = "宋体"
HEAD_FONT = "黑体"
LINE = 14.5
"""Height of a line of 10 point text, in points."""
TALLEST = 400.0
"""A row cannot be taller than 409 points; what does not fit is on the sheet of single warnings."""
LEVEL_COLOURS = {
    "红": ("#C00000", "#FFFFFF"),
    "橙": ("#F4A259", "#000000"),
    "黄": ("#FFE066", "#000000"),
    "蓝": ("#9DC3E6", "#000000"),
}
ANSWERS = ("处理结果", "入户日期", "核查人员工号", "备注代码")
"""Headers of the answer area; reports.returns reads them back."""
TROUBLE = ("停用", "逾期未更新", "未收到", "校验未通过", "待部门确认")
"""Words that a reader must not overlook in a table."""
CODE_SHEET = "代码"
RETURN_SHEET = "回传"
LIST_SHEET = "清单"
ITEM_SHEET = "逐条反馈"
LAYOUT_VERSION = "1"


@cache
def answer_table() -> dict[str, Any]:
    """families and results of `answers.yaml`."""
    table: dict[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "answers.yaml").read_text(encoding="utf-8")
    )
    return table


def result_labels(list_kind: str) -> list[str]:
    """Answers offered on a list, `code label`, in code order."""
    results = answer_table()["results"]
    return [f"{code} {body['zh']}" for code, body in sorted(results.items()) if list_kind in body["lists"]]


def note_labels() -> list[str]:
    """Notes offered beside an answer, `code label`, in code order."""
    return [f"{code} {zh}" for code, zh in sorted(code_lists()["outcome_note"].codes.items())]


@cache
def _width_of(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def lines_needed(text: str, width: float) -> int:
    """Lines that a text takes in a column of that width when it wraps.

    A little too many rather than one too few: a cut-off sentence is the worse error, and typefaces differ.
    """
    room = max(width * 0.98, 2.0)
    return sum(max(1, math.ceil(sum(map(_width_of, part)) / room)) for part in text.split("\n"))


class Book:
    """A workbook being written: formats made once, every text through the last gate."""

    def __init__(self, as_of: date, title: str, subject: str, gate: Gate) -> None:
        self._buffer = BytesIO()
        self.book = xlsxwriter.Workbook(
            self._buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        # The business date, not the clock: the same night gives the same bytes.
        created = datetime.combine(as_of, datetime.min.time())
        self.book.set_properties({"title": title, "subject": subject, "created": created})
        self.title = title
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._gate = gate

    def form(self, **properties: Any) -> Format:
        """A cell format; the same properties give the same format."""
        base: dict[str, Any] = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
        base.update(properties)
        key = tuple(sorted(base.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(base)
        return self._formats[key]

    def text(self, sheet: Worksheet, row: int, column: int, value: str, form: Format) -> None:
        """Write a text, through the last gate."""
        sheet.write_string(row, column, self._gate.text(value, self.title), form)

    def band(
        self, sheet: Worksheet, row: int, columns: int, value: str, width: float, form: Format, line: float
    ) -> None:
        """A text over the whole width of the table, with the height that it needs."""
        value = self._gate.text(value, self.title)
        sheet.set_row(row, min(TALLEST, lines_needed(value, width) * line + 5))
        if columns > 1:
            sheet.merge_range(row, 0, row, columns - 1, "", form)
        sheet.write_string(row, 0, value, form)

    def close(self) -> bytes:
        """The finished file."""
        self.book.close()
        return self._buffer.getvalue()


def _cell_format(book: Book, column: Column, strong: bool = False) -> Format:
    properties: dict[str, Any] = {"border": 1, "border_color": "#A6A6A6"}
    if column.kind == "wrap":
        properties |= {"text_wrap": True, "align": "left"}
    else:
        properties |= {"align": "center"}
    numbers = {
        "integer": "#,##0",
        "decimal": "General",
        "share": "0.0%",
        "date": "yyyy-mm-dd",
        "day": 'm"月"d"日"',
    }
    if column.kind in numbers:
        properties["num_format"] = numbers[column.kind]
    if strong:
        properties |= {"bold": True, "bg_color": "#F2F2F2"}
    return book.form(**properties)


def _level_format(book: Book, word: str) -> Format:
    back, front = LEVEL_COLOURS.get(word, ("#FFFFFF", "#000000"))
    return book.form(
        border=1, border_color="#A6A6A6", align="center", bold=True, bg_color=back, font_color=front
    )


def _write_cell(
    book: Book,
    sheet: Worksheet,
    at: tuple[int, int],
    column: Column,
    value: object,
    form: Format,
    blank: str = "",
) -> None:
    row, number = at
    if value is None:
        book.text(
            sheet,
            row,
            number,
            blank,
            book.form(border=1, border_color="#A6A6A6", align="center", text_wrap=True),
        )
    elif column.kind == "level":
        book.text(sheet, row, number, str(value), _level_format(book, str(value)))
    elif isinstance(value, bool | str):
        book.text(sheet, row, number, str(value), form)
    elif isinstance(value, date):
        sheet.write_datetime(row, number, datetime.combine(value, datetime.min.time()), form)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, number, float(value), form)
    else:
        raise TypeError(f"{column.name}: no cell for a {type(value).__name__}")


def _print_set_up(
    sheet: Worksheet, header_row: int, columns: int, last_row: int, footer: str, landscape: bool = True
) -> None:
    if landscape:
        sheet.set_landscape()
    else:
        sheet.set_portrait()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    if header_row:
        sheet.repeat_rows(header_row)
    sheet.print_area(0, 0, max(last_row, header_row), columns - 1)
    sheet.center_horizontally()
    sheet.set_footer(f'&L&"{FONT}"&8{footer}&R&"{FONT}"&8第 &P 页，共 &N 页')


def write_table(
    book: Book,
    definition: Definition,
    rows: pl.DataFrame,
    *,
    heading: str,
    bands: Sequence[tuple[str, str]] = (),
    answers: Mapping[str, str] | None = None,
    footer: str,
    shorten: bool = False,
    terms: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """One sheet: title, bands of text (kind, text), header, rows.

    `answers` maps an answer header to the range that its drop-down offers ("" for a cell without one). With `shorten`,
    a text that no row is tall enough for is cut and says where the rest is.
    """
    sheet = book.book.add_worksheet(definition.sheet)
    sheet.hide_gridlines(2)
    shown = definition.columns
    answer_width = {"处理结果": 15.0, "入户日期": 10.5, "核查人员工号": 9.0, "备注代码": 11.0}
    widths = [c.width for c in shown] + [answer_width[a] for a in answers or {}]
    for number, width in enumerate(widths):
        sheet.set_column(number, number, width)
    total, columns = sum(widths), len(widths)

    book.band(
        sheet,
        0,
        columns,
        heading,
        total / 1.6,
        book.form(font_name=HEAD_FONT, font_size=16, bold=True, align="center"),
        22,
    )
    styles = {
        "law": book.form(
            bold=True, font_color="#C00000", bg_color="#FDECEA", text_wrap=True, font_size=11, align="left"
        ),
        "off": book.form(text_wrap=True, bg_color="#FFF4D6", align="left"),
        "plain": book.form(text_wrap=True, align="left"),
    }
    row = 1
    for kind, text in bands:
        wide = total / 1.1 if kind == "law" else total
        book.band(sheet, row, columns, text, wide, styles[kind], 15.0 if kind == "law" else LINE)
        row += 1
    header_row = row
    head = book.form(
        font_name=HEAD_FONT,
        bold=True,
        text_wrap=True,
        align="center",
        border=1,
        border_color="#7F7F7F",
        bg_color="#D9E2F3",
    )
    ask = book.form(
        font_name=HEAD_FONT,
        bold=True,
        text_wrap=True,
        align="center",
        border=1,
        border_color="#7F7F7F",
        bg_color="#E2EFDA",
    )
    for number, column in enumerate(shown):
        book.text(sheet, header_row, number, column.zh, head)
    for number, name in enumerate(answers or {}, start=len(shown)):
        book.text(sheet, header_row, number, name, ask)
    tallest = max(lines_needed(c.zh, c.width) for c in shown)
    sheet.set_row(header_row, max(2, tallest) * LINE + 6)

    formats = [_cell_format(book, c) for c in shown]
    fill = book.form(border=1, border_color="#70AD47", text_wrap=True, align="center", bg_color="#FAFDF7")
    fill_date = book.form(
        border=1, border_color="#70AD47", align="center", bg_color="#FAFDF7", num_format="yyyy-mm-dd"
    )
    fill_text = book.form(
        border=1, border_color="#70AD47", align="center", bg_color="#FAFDF7", num_format="@"
    )
    answer_format = {"入户日期": fill_date, "核查人员工号": fill_text}
    wrapping = [(i, c.width) for i, c in enumerate(shown) if c.kind == "wrap"]

    row = header_row
    values = rows.select([c.name for c in shown])
    place_of_level = next((n for n, c in enumerate(shown) if c.kind == "level"), None)
    for record in values.iter_rows():
        level = record[place_of_level] if place_of_level is not None else ""
        row += 1
        needed = max((lines_needed(record[i], width) for i, width in wrapping if record[i]), default=1)
        height = max(needed * LINE + 6, 2 * LINE + 4 if answers else LINE + 5)
        sheet.set_row(row, min(height, TALLEST))
        for number, (column, value, form) in enumerate(zip(shown, record, formats, strict=True)):
            too_long = shorten and height > TALLEST and column.kind == "wrap" and isinstance(value, str)
            if too_long and lines_needed(value, column.width) * LINE + 6 > TALLEST:
                value = _shortened(value, column.width)
            blank = (terms or {}).get((level, column.name), "") if value is None else ""
            _write_cell(book, sheet, (row, number), column, value, form, blank)
        for number, name in enumerate(answers or {}, start=len(shown)):
            sheet.write_blank(row, number, None, answer_format.get(name, fill))
    if row == header_row:
        row += 1
        book.band(
            sheet,
            row,
            columns,
            definition.empty_zh,
            total,
            book.form(align="center", border=1, border_color="#A6A6A6", font_size=12),
            24,
        )
    else:
        sheet.autofilter(header_row, 0, row, columns - 1)
        if answers:
            _validate(sheet, header_row + 1, row, len(shown), answers, book)
    if any(c.total for c in shown) and rows.height:
        row += 1
        sheet.set_row(row, LINE + 7)
        for number, column in enumerate(shown):
            strong = _cell_format(book, column, strong=True)
            if column.total:
                _write_cell(book, sheet, (row, number), column, rows[column.name].sum(), strong)
            else:
                book.text(sheet, row, number, "合计" if number == 0 else "", strong)
    sheet.freeze_panes(header_row + 1, 0)
    _print_set_up(sheet, header_row, columns, row, footer)


def _shortened(text: str, width: float) -> str:
    """The lines that fit into the tallest row, and where the others are."""
    room = int(TALLEST / LINE) - 3
    kept: list[str] = []
    used = 0
    parts = text.split("\n")
    for part in parts:
        used += lines_needed(part, width)
        if used > room:
            break
        kept.append(part)
    return "\n".join([*kept, f"（另有{len(parts) - len(kept)}条，见“{ITEM_SHEET}”页）"])


def _validate(
    sheet: Worksheet, first: int, last: int, column: int, answers: Mapping[str, str], book: Book
) -> None:
    for number, (name, source) in enumerate(answers.items(), start=column):
        if source:
            sheet.data_validation(
                first, number, last, number,
                {
                    "validate": "list", "source": source, "error_title": "请从下拉列表中选择",
                    "error_message": f"{name}只能从下拉列表中选择。",
                },
            )  # fmt: skip
        elif name == "入户日期":
            sheet.data_validation(
                first, number, last, number,
                {
                    "validate": "date", "criteria": "between", "minimum": _first_day(book),
                    "maximum": _first_day(book) + timedelta(days=400), "input_title": "入户日期",
                    "input_message": "如 2025-11-20", "error_title": "日期有误",
                    "error_message": "请填写实际入户的日期，格式如 2025-11-20；不能早于清单日期前30天。",
                },
            )  # fmt: skip
        else:
            sheet.data_validation(
                first, number, last, number,
                {
                    "validate": "length", "criteria": "between", "minimum": 1, "maximum": 12,
                    "input_title": "核查人员工号", "input_message": "请填工号，不要填身份证号或姓名。",
                    "error_title": "工号有误", "error_message": "请填写工号（12位以内），不要填身份证号。",
                },
            )  # fmt: skip


def _first_day(book: Book) -> date:
    created: datetime = book.book.doc_properties["created"]
    return created.date() - timedelta(days=30)


def write_words(
    book: Book,
    name: str,
    blocks: Iterable[tuple[str, Sequence[Sequence[str]]]],
    widths: Sequence[float],
    footer: str,
) -> None:
    """A sheet of explanations: each block a heading and rows of text; the first row of a block is its header."""
    sheet = book.book.add_worksheet(name)
    sheet.hide_gridlines(2)
    for number, width in enumerate(widths):
        sheet.set_column(number, number, width)
    heading = book.form(font_name=HEAD_FONT, font_size=12, bold=True, bottom=2, bottom_color="#4472C4")
    head = book.form(
        font_name=HEAD_FONT, bold=True, border=1, border_color="#7F7F7F", bg_color="#D9E2F3", text_wrap=True
    )
    cell = book.form(border=1, border_color="#A6A6A6", text_wrap=True, align="left")
    off = book.form(
        border=1, border_color="#A6A6A6", text_wrap=True, align="left", bg_color="#FFF4D6", bold=True
    )
    plain = book.form(text_wrap=True, align="left")
    row = 0
    for title, lines in blocks:
        book.band(sheet, row, len(widths), title, sum(widths), heading, 18)
        row += 1
        for index, line in enumerate(lines):
            if len(line) == 1:
                book.band(sheet, row, len(widths), line[0], sum(widths), plain, LINE)
            else:
                last = len(line) - 1
                # A short line's last cell takes what is left of the width.
                room = [*widths[:last], sum(widths[last:])]
                needed = max(lines_needed(text, width) for text, width in zip(line, room, strict=True))
                sheet.set_row(row, needed * LINE + 5)
                for number, text in enumerate(line):
                    if index == 0:
                        form = head
                    elif text in LEVEL_COLOURS:
                        form = _level_format(book, text)
                    else:
                        form = off if text in TROUBLE else cell
                    if number == last and last < len(widths) - 1:
                        sheet.merge_range(row, number, row, len(widths) - 1, "", form)
                    book.text(sheet, row, number, text, form)
            row += 1
        row += 1
    _print_set_up(sheet, 0, len(widths), row - 1, footer)


def answer_ranges(list_kind: str) -> dict[str, str]:
    """Header of the answer area -> range that its drop-down offers ("" where there is none)."""
    results, notes = result_labels(list_kind), note_labels()
    return {
        "处理结果": f"={CODE_SHEET}!$A$1:$A${len(results)}",
        "入户日期": "",
        "核查人员工号": "",
        "备注代码": f"={CODE_SHEET}!$B$1:$B${len(notes)}",
    }


def write_codes(book: Book, list_kind: str) -> None:
    """The hidden sheet that the drop-downs read."""
    sheet = book.book.add_worksheet(CODE_SHEET)
    form = book.form()
    for column, labels in enumerate((result_labels(list_kind), note_labels())):
        for row, label in enumerate(labels):
            book.text(sheet, row, column, label, form)
    sheet.hide()


def write_return_keys(
    book: Book, items: pl.DataFrame, list_kind: str, township_code: str, as_of: date
) -> None:
    """The hidden sheet by which answers find their warnings: first the list, then household, warning, rule."""
    sheet = book.book.add_worksheet(RETURN_SHEET)
    form = book.form()
    for column, text in enumerate(("版本", LAYOUT_VERSION, list_kind, township_code, as_of.isoformat())):
        book.text(sheet, 0, column, text, form)
    keys = items.select("household_no", "item_no", "warning_id", "rule_id")
    for row, record in enumerate(keys.iter_rows(), start=1):
        for column, value in enumerate(record):
            book.text(sheet, row, column, str(value), form)
    sheet.very_hidden()
