"""Workbooks -> columns of text: where the header is, merged and two-row headers, numbers that lost their digits.

Reads with calamine through fastexcel; a sheet is held in memory, as the format has no other way. Which column
is which field belongs in `headers.py`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import fastexcel
import polars as pl

from data_contracts.contract import FieldSpec
from data_contracts.field_types import BLANKS
from data_contracts.headers import count_known, header_key

HEADER_WITHIN = 30
"""The header is looked for in so many rows from the top."""

LOSSY = "1E+17"
"""Stands for a number with more digits than a spreadsheet keeps; readers of numbers know the shape."""


@dataclass
class Sheet:
    """One sheet with its header found. `header` is null where no row names a known column."""

    name: str
    header: list[str | None] | None
    rows: pl.DataFrame
    above: int
    """Rows down to the header: titles and header."""
    is_1904: bool


class BrokenWorkbook(ValueError):  # noqa: N818 - a sentence about the file, not about us
    """The file cannot be read as a workbook."""


def sheets(content: bytes, known: dict[str, FieldSpec]) -> Iterator[Sheet]:
    """Every sheet with its rows as text; BrokenWorkbook when the file cannot be opened."""
    try:
        book = fastexcel.read_excel(content)
        names = list(book.sheet_names)
    except Exception as error:
        # calamine raises several kinds, and panics on some damaged files; all mean the same to us.
        raise BrokenWorkbook(type(error).__name__) from None
    epoch = _is_1904(content)
    for number, name in enumerate(names):
        try:
            cells = _cells(book, number)
        except Exception as error:
            raise BrokenWorkbook(type(error).__name__) from None
        above, header = _header(cells, known)
        rows = cells.slice(above)
        if header is not None:
            rows = _with_lossy_numbers(book, number, above, rows)
        yield Sheet(name, header, rows, above if header is not None else 0, epoch)


def _cells(book: fastexcel.ExcelReader, number: int) -> pl.DataFrame:
    frame = book.load_sheet(number, header_row=None, dtypes="string").to_polars()
    return _named(frame)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({name: str(n) for n, name in enumerate(frame.columns)})


def _is_1904(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            body = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        return False
    return re.search(r'date1904="(?:1|true)"', body) is not None


def _header(cells: pl.DataFrame, known: dict[str, FieldSpec]) -> tuple[int, list[str | None] | None]:
    """Number of rows down to and including the header, and the header, which may take two rows."""
    top = [list(row) for row in cells.head(HEADER_WITHIN).rows()]
    best, found, rows_above = 0, None, 0
    for at, row in enumerate(top):
        candidates = [(row, at + 1)]
        if at + 1 < len(top):
            candidates.append((_two_rows(row, top[at + 1], known), at + 2))
        for candidate, above in candidates:
            score = count_known(candidate, known)
            if score > best:
                best, found, rows_above = score, candidate, above
    return rows_above, found


def _two_rows(
    upper: list[str | None], lower: list[str | None], known: dict[str, FieldSpec]
) -> list[str | None]:
    """Header over two rows: the lower cell counts, the upper one where it is merged down, both where only both are known."""
    filled: list[str | None] = []
    for cell in upper:
        filled.append(cell if cell and cell.strip(BLANKS) else (filled[-1] if filled else None))
    result: list[str | None] = []
    for own, spread, below in zip(upper, filled, lower, strict=True):
        if not below or not below.strip(BLANKS):
            result.append(own)
        elif header_key(below) not in known and spread and header_key(spread + below) in known:
            result.append(spread + below)
        else:
            result.append(below)
    return result


def _with_lossy_numbers(
    book: fastexcel.ExcelReader, number: int, above: int, rows: pl.DataFrame
) -> pl.DataFrame:
    """Long numbers that were stored as numbers, spelt so that they are seen to have lost their last digits.

    As text they look whole: 150902198001011000. A second load of such a column as yes or no tells numbers (which
    become yes) from texts (which become nothing).
    """
    long = [
        int(name)
        for name in rows.columns
        if rows[name].str.contains(r"^\d{16,}(\.0+)?$").fill_null(False).any()
    ]
    if not long:
        return rows
    sheet = book.load_sheet(number, header_row=None, use_columns=long, dtypes=dict.fromkeys(long, "boolean"))
    is_number = sheet.to_polars().slice(above)
    if is_number.height != rows.height or is_number.width != len(long):
        return rows
    return rows.with_columns(
        pl.when(is_number.to_series(at).is_not_null() & pl.col(str(name)).str.contains(r"^\d{16,}(\.0+)?$"))
        .then(pl.lit(LOSSY))
        .otherwise(pl.col(str(name)))
        .alias(str(name))
        for at, name in enumerate(long)
    )
