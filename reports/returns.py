"""Turns lists that officers have filled in into the delivery `ca_outcome_return`, and says what is half filled.

The columns of the delivery belong to its contract, the layout of a list to `workbook.py`. Nothing is guessed: a row
that cannot be understood is left out and named in a message that the officer can act on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import fastexcel
import polars as pl
import xlsxwriter

from data_contracts.contract import catalogue
from reports.night import LIST_ZH
from reports.workbook import (
    ANSWERS,
    ITEM_SHEET,
    LAYOUT_VERSION,
    LIST_SHEET,
    RETURN_SHEET,
    note_labels,
    result_labels,
)

CLASS_ID = "ca_outcome_return"

SCHEMA = {
    "warning_id": pl.String,
    "household_id": pl.String,
    "list_kind": pl.String,
    "rule_id": pl.String,
    "result_code": pl.String,
    "visited_on": pl.Date,
    "officer": pl.String,
    "note_code": pl.String,
    "township_code": pl.String,
}
"""Answers, one row a warning. household_id as on the list (H000000123), note_code null when none was chosen."""

_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
_EXCEL_ZERO = date(1899, 12, 30)
_OFFICER = re.compile(r"^[0-9A-Za-z-]{1,12}$")


@dataclass(frozen=True)
class Message:
    """Something that an officer must put right: where, and what to do. Never repeats a number that was typed in."""

    file: str
    sheet: str
    row: int
    """Row of the sheet as the spreadsheet shows it; 0 for the whole file."""
    household: str
    text_zh: str

    def __str__(self) -> str:
        place = f"{self.file}" + (f"“{self.sheet}”页第{self.row}行" if self.row else "")
        return f"{place}{f'（{self.household}）' if self.household else ''}：{self.text_zh}"


@dataclass(frozen=True)
class Answers:
    """Answers (`SCHEMA`, ordered by warning_id) and what could not be taken over."""

    rows: pl.DataFrame
    messages: list[Message]


@dataclass(frozen=True)
class _Given:
    """The four answer cells of a row, understood."""

    result: str | None
    visited_on: date | None
    officer: str | None
    note: str | None


class _Sheet:
    """A sheet as text: header row found by its words, rows numbered as the spreadsheet numbers them."""

    def __init__(self, book: fastexcel.ExcelReader, name: str) -> None:
        frame = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
        self.name = name
        rows = [
            tuple(None if v is None or not str(v).strip() else str(v).strip() for v in r)
            for r in frame.iter_rows()
        ]
        found = [i for i, r in enumerate(rows) if "户编号" in r and ANSWERS[0] in r]
        self.header = rows[found[0]] if found else ()
        self.rows = list(enumerate(rows[found[0] + 1 :], start=found[0] + 2)) if found else []

    def cell(self, row: Sequence[str | None], name: str) -> str | None:
        """Text below a header; null when it is empty or the header is gone."""
        return row[self.header.index(name)] if name in self.header else None

    @property
    def whole(self) -> bool:
        """Whether all headers are there that an answer needs."""
        return all(name in self.header for name in ("户编号", *ANSWERS))


def read_workbook(path: Path, received_on: date) -> Answers:
    """Answers of one filled list. `received_on`: the day of the delivery; nobody has visited after it."""
    file = path.name
    nothing = pl.DataFrame(schema=SCHEMA)
    try:
        book = fastexcel.read_excel(path)
    except Exception as error:  # whatever is wrong with the file, the other files go on
        kind = type(error).__name__
        return Answers(
            nothing, [Message(file, "", 0, "", f"文件打不开（{kind}），请确认是清单工作簿并重新报送。")]
        )
    if not {LIST_SHEET, ITEM_SHEET, RETURN_SHEET} <= set(book.sheet_names):
        return Answers(
            nothing,
            [Message(file, "", 0, "", "不是本系统生成的清单，或者工作表已被删除，请使用原清单填写。")],
        )
    keys = book.load_sheet(RETURN_SHEET, header_row=None, dtypes="string").to_polars().rows()
    head = [str(v) for v in keys[0] if v is not None] if keys else []
    if len(head) < 5 or head[0] != "版本" or head[1] != LAYOUT_VERSION or head[2] not in LIST_ZH:
        return Answers(nothing, [Message(file, "", 0, "", "清单版本不符，请使用最近一期的清单填写。")])
    kind, township, listed_on = head[2], head[3], date.fromisoformat(head[4])
    known = {(str(h), str(no)): (str(w), str(r)) for h, no, w, r, *_ in keys[1:]}
    reader = _Reader(file, kind, listed_on, received_on)
    families, items = _Sheet(book, LIST_SHEET), _Sheet(book, ITEM_SHEET)
    for sheet in (families, items):
        if not sheet.whole:
            reader.say(sheet.name, 0, "", "表头不完整，请不要删除或改名列，使用原清单填写。")
    if reader.messages:
        return Answers(nothing, reader.messages)
    of_family = reader.families(families, {h for h, _ in known})
    of_item = reader.items(items, known, of_family)
    rows = []
    for (household, number), (warning, rule) in known.items():
        given = of_item.get((household, number)) or of_family.get(household)
        if given is not None and (household, number) not in reader.refused:
            rows.append(
                (
                    warning,
                    household,
                    kind,
                    rule,
                    given.result,
                    given.visited_on,
                    given.officer,
                    given.note,
                    township,
                )
            )
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("warning_id")
    return Answers(frame, reader.messages)


class _Reader:
    """Understands the answer cells of one workbook and gathers what it cannot understand."""

    def __init__(self, file: str, kind: str, listed_on: date, received_on: date) -> None:
        self.file, self.listed_on, self.received_on = file, listed_on, received_on
        self.kind = kind
        self.results = {label[:3] for label in result_labels(kind)}
        self.notes = {label[:2] for label in note_labels()}
        self.messages: list[Message] = []
        self.refused: set[tuple[str, str]] = set()
        """Single warnings whose own answer could not be understood: the family's answer must not stand in for it."""

    def say(self, sheet: str, row: int, household: str, text: str) -> None:
        """Note something for the officer."""
        self.messages.append(Message(self.file, sheet, row, household, text))

    def _day(self, text: str) -> date | None:
        for form in _DATES:
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        if re.fullmatch(r"\d{5}(\.0)?", text):
            return _EXCEL_ZERO + timedelta(days=int(text[:5]))
        return None

    def understand(
        self, sheet: _Sheet, number: int, row: Sequence[str | None], household: str, above: _Given | None
    ) -> _Given | None:
        """The answer of a row; null when there is none or it cannot be taken over (then a message says why)."""
        result, day, officer, note = (sheet.cell(row, name) for name in ANSWERS)
        if result is None and day is None and officer is None and note is None:
            return None
        problems = []
        if result is None:
            problems.append("已填其他栏目，但没有选处理结果，请补选")
        elif result[:3] not in self.results:
            problems.append(f"处理结果不在“{LIST_ZH[self.kind]}”清单的可选范围内，请从下拉列表中选择")
        visited = self._day(day) if day else (above.visited_on if above else None)
        if day and visited is None:
            problems.append("入户日期无法识别，请按“2025-11-20”的格式填写")
        elif visited is None:
            problems.append("没有填入户日期，请补填")
        elif visited > self.received_on:
            problems.append("入户日期晚于报送日期，请核对")
        elif visited < self.listed_on - timedelta(days=30):
            problems.append("入户日期早于清单日期30天以上，请核对")
        officer = officer or (above.officer if above else None)
        if officer is None:
            problems.append("没有填核查人员工号，请补填")
        elif not _OFFICER.match(officer):
            problems.append("核查人员工号有误，请填工号（12位以内的字母、数字），不要填姓名或身份证号")
        if note is not None and note[:2] not in self.notes:
            problems.append("备注代码请从下拉列表中选择")
        if problems:
            self.say(sheet.name, number, household, "；".join(problems) + "。本行没有报回。")
            return None
        return _Given(result[:3] if result else None, visited, officer, note[:2] if note else None)

    def families(self, sheet: _Sheet, known: set[str]) -> dict[str, _Given]:
        """Household -> the answer of its row."""
        found: dict[str, _Given] = {}
        twice: set[str] = set()
        for number, row in sheet.rows:
            household = sheet.cell(row, "户编号") or ""
            given = self.understand(sheet, number, row, household, None)
            if given is None:
                continue
            if household not in known:
                self.say(
                    sheet.name, number, household, "户编号不在本清单内，请不要改动户编号。本行没有报回。"
                )
            elif household in found and found[household] != given:
                self.say(
                    sheet.name, number, household, "同一户填了两行而结果不同，请只保留一行。两行都没有报回。"
                )
                twice.add(household)
            else:
                found[household] = given
        return {h: g for h, g in found.items() if h not in twice}

    def items(
        self, sheet: _Sheet, known: dict[tuple[str, str], tuple[str, str]], families: dict[str, _Given]
    ) -> dict[tuple[str, str], _Given]:
        """Household and number of the warning -> its own answer; day and officer may stand in the family's row."""
        found: dict[tuple[str, str], _Given] = {}
        for number, row in sheet.rows:
            household = sheet.cell(row, "户编号") or ""
            key = (household, (sheet.cell(row, "条次") or "").removesuffix(".0"))
            before = len(self.messages)
            given = self.understand(sheet, number, row, household, families.get(household))
            if len(self.messages) > before:
                self.refused.add(key)
            elif given is not None and key not in known:
                self.say(
                    sheet.name, number, household, "户编号或条次不在本清单内，请不要改动。本行没有报回。"
                )
            elif given is not None:
                found[key] = given
        return found


def collect(paths: Iterable[Path], received_on: date) -> Answers:
    """Answers of several filled lists. Of two answers to one warning the later visit counts; on one day they must agree."""
    parts = [(path.name, read_workbook(path, received_on)) for path in sorted(paths)]
    messages = [message for _, part in parts for message in part.messages]
    if not parts:
        return Answers(pl.DataFrame(schema=SCHEMA), messages)
    every = pl.concat([part.rows.with_columns(file=pl.lit(name)) for name, part in parts])
    latest = every.filter(pl.col("visited_on") == pl.col("visited_on").max().over("warning_id")).unique(
        ["warning_id", "result_code"], keep="first", maintain_order=True
    )
    torn = latest.filter(pl.len().over("warning_id") > 1).sort("warning_id", "file")
    for household, files in (
        torn.group_by("household_id", maintain_order=True).agg(pl.col("file").unique().sort()).iter_rows()
    ):
        messages.append(
            Message(
                "、".join(files),
                LIST_SHEET,
                0,
                household,
                "几份清单对同一条线索在同一天的结果不同，请核对。都没有报回。",
            )
        )
    rows = latest.join(torn, on="warning_id", how="anti").select(list(SCHEMA)).sort("warning_id")
    return Answers(rows, messages)


def delivery_bytes(rows: pl.DataFrame, batch_date: date) -> bytes:
    """The answers as a workbook by the contract of `ca_outcome_return`; the same answers give the same bytes."""
    contract = catalogue()[CLASS_ID]
    buffer = BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    )
    book.set_properties(
        {"title": contract.title.zh, "created": datetime.combine(batch_date, datetime.min.time())}
    )
    sheet = book.add_worksheet(contract.title.zh)
    text = book.add_format({"num_format": "@"})
    ordered = rows.with_columns(pl.col("visited_on").dt.strftime("%Y-%m-%d")).select(
        [f.name for f in contract.fields]
    )
    for column, header in enumerate(contract.headers()):
        sheet.write_string(0, column, header, text)
        sheet.set_column(column, column, 16)
    for number, record in enumerate(ordered.sort("warning_id").iter_rows(), start=1):
        for column, value in enumerate(record):
            if value is not None:
                sheet.write_string(number, column, value, text)
    book.close()
    return buffer.getvalue()


def write_delivery(answers: Answers, inbox: Path, batch_date: date, label: str | None = None) -> Path | None:
    """Put the answers into inbox/<batch_date>/civil_affairs; null when there is none. `label` names one of several parts."""
    if not answers.rows.height:
        return None
    contract = catalogue()[CLASS_ID]
    folder = inbox / batch_date.isoformat() / contract.department
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{CLASS_ID}{f'.{label}' if label else ''}.xlsx"
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(delivery_bytes(answers.rows, batch_date))
    draft.rename(path)
    return path
