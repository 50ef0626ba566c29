"""Dates, months and moments in their plain spellings, by arithmetic on the bytes of a whole column.

Only the spellings with fixed places (20250131, 2025-01-31, 2025-01-31 08:30:00 ...); every other one is read in
`field_types.py`. A value in another spelling, or a day that does not exist, is null here and nothing is raised.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from data_contracts.resident_id import bytes_of_width

EARLIEST_YEAR, LATEST_YEAR = 1850, 2199
"""Years outside are typing errors or stand for "no date" (9999-12-31)."""

DATE_FORMS = ("YYYYMMDD", "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD")
MONTH_FORMS = ("YYYYMM", "YYYY-MM", "YYYY/MM")
MOMENT_FORMS = ("YYYY-MM-DD hh:mm:ss", "YYYYMMDDhhmmss", "YYYY/MM/DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss")

_BLOCK = 1 << 15
_EPOCH = date(1970, 1, 1).toordinal()


def _tables() -> tuple[Any, Any, Any]:
    """Days from 1970 to the first of January of each year, and month and day -> day of the year (-1: no such day)."""
    year_start = np.zeros(10_000, dtype=np.int32)
    year_start[EARLIEST_YEAR : LATEST_YEAR + 1] = [
        date(year, 1, 1).toordinal() - _EPOCH for year in range(EARLIEST_YEAR, LATEST_YEAR + 1)
    ]
    of_year = []
    for year in (2001, 2000):
        table = np.full(10_000, -1, dtype=np.int16)
        for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
            day = date.fromordinal(ordinal)
            table[day.month * 100 + day.day] = ordinal - date(year, 1, 1).toordinal()
        of_year.append(table)
    return year_start, of_year[0], of_year[1]


_YEAR_START, _COMMON, _LEAP = _tables()
_YEARS = np.arange(10_000)
_IS_LEAP = (_YEARS % 4 == 0) & ((_YEARS % 100 != 0) | (_YEARS % 400 == 0))


def form_of(first: str | None, forms: tuple[str, ...]) -> str:
    """The form that a first value of a column has; the first of the forms when it has none of them."""
    for form in forms:
        if (
            first is not None
            and len(first) == len(form)
            and all(
                (mark.isalpha() and mark != "T" and found.isdecimal()) or mark == found
                for mark, found in zip(form, first, strict=True)
            )
        ):
            return form
    return forms[0]


def _number(columns: Any, form: str, letter: str) -> Any:
    total = np.zeros(columns.shape[1], dtype=np.uint16)
    for place, mark in enumerate(form):
        if mark == letter:
            total = total * np.uint16(10) + columns[place]
    return total


def _read_block(block: Any, form: str) -> tuple[Any, Any]:
    """Microseconds since midnight 1970 as (days, seconds), and which rows are real."""
    columns = np.ascontiguousarray(block.T)
    digits = [place for place, mark in enumerate(form) if mark in "YMDhms"]
    ok = np.ones(columns.shape[1], dtype=bool)
    for place, mark in enumerate(form):
        if place not in digits:
            ok &= columns[place] == ord(mark)
    columns = columns - np.uint8(48)
    ok &= columns[digits].max(axis=0) <= 9
    if not ok.all():
        columns[:, ~ok] = 0
    year = _number(columns, form, "Y")
    month_day = _number(columns, form, "M") * np.uint16(100) + (
        _number(columns, form, "D") if "D" in form else np.uint16(1)
    )
    of_year = np.where(_IS_LEAP[year], _LEAP[month_day], _COMMON[month_day])
    ok &= (of_year >= 0) & (year >= EARLIEST_YEAR) & (year <= LATEST_YEAR)
    days = _YEAR_START[year] + of_year
    if "h" not in form:
        return days, ok
    hour, minute, second = (_number(columns, form, letter) for letter in "hms")
    ok &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = hour.astype(np.int64) * 3600 + minute * np.int64(60) + second
    return (days.astype(np.int64) * 86_400 + seconds) * 1_000_000, ok


def read(series: pl.Series, form: str) -> pl.Series:
    """Dates (or moments, for forms with hours) of a text column; null for everything that is not in that form."""
    rows, matrix = bytes_of_width(series, len(form))
    whole = pl.Datetime("us") if "h" in form else pl.Date()
    values = np.zeros(len(matrix), dtype=np.int64 if "h" in form else np.int32)
    ok = np.zeros(len(matrix), dtype=bool)
    for start in range(0, len(matrix), _BLOCK):
        stop = min(start + _BLOCK, len(matrix))
        values[start:stop], ok[start:stop] = _read_block(matrix[start:stop], form)
    if rows is not None:
        spread, spread_ok = np.zeros(len(series), dtype=values.dtype), np.zeros(len(series), dtype=bool)
        spread[rows], spread_ok[rows] = values, ok
        values, ok = spread, spread_ok
    found = pl.Series(series.name, values).cast(whole)
    return found if ok.all() else found.to_frame("v").select(pl.when(pl.Series(ok)).then(pl.col("v")))["v"]
