"""Arithmetic of the citizen identity number (GB 11643-1999): is it valid, and what it says about its holder.

The number has 18 characters: 6 division, 8 birth date, 3 sequence (odd for men), 1 check character by
ISO 7064 MOD 11-2. Numbers issued before 1999 have 15 digits: no century and no check character. How a
delivered cell is cleaned belongs in `field_types.py`; nothing here repairs, masks or reports anything.

Every function takes a polars expression or series and gives back the same. Unknown in, unknown out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Any, TypeVar

import numpy as np
import polars as pl

Column = TypeVar("Column", pl.Expr, pl.Series)

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.uint16)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH_YEAR = 1880
LATEST_BIRTH_YEAR = 2100

_CHECK_BYTES = np.frombuffer(CHECK_CHARACTERS.encode(), dtype=np.uint8)
_BLOCK = 1 << 16
_Matrix = np.ndarray[Any, np.dtype[np.uint8]]
_Flags = np.ndarray[Any, np.dtype[np.bool_]]


def _days_that_exist() -> tuple[_Flags, _Flags]:
    """Month and day as one number (0..9999) -> does that day exist, in a common and in a leap year."""
    common = np.zeros(10_000, dtype=bool)
    for month, days in enumerate([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], start=1):
        common[month * 100 + 1 : month * 100 + days + 1] = True
    leap = common.copy()
    leap[229] = True
    return common, leap


def _leap_years() -> _Flags:
    years = np.arange(10_000)
    return np.asarray((years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0)))


_COMMON_DAY, _LEAP_DAY = _days_that_exist()
_IS_LEAP = _leap_years()


def _apply(column: Column, kernel: Callable[[pl.Series], pl.Series], dtype: Any) -> Column:
    if isinstance(column, pl.Series):
        return kernel(column)
    return column.map_batches(kernel, return_dtype=dtype, is_elementwise=True)


def inline_views(series: pl.Series) -> _Matrix | None:
    """Sixteen bytes a value: its length (four bytes, little end first) and, up to twelve bytes of length, its text.

    Without a copy: polars keeps short texts in place (the string view of Arrow). None when the column is laid out
    otherwise. What stands for a null is undefined.
    """
    array = series.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    if str(array.type) != "string_view" or len(array) != len(series):
        return None
    count = 16 * len(array)
    return np.frombuffer(array.buffers()[1], dtype=np.uint8, count=count, offset=16 * array.offset).reshape(
        -1, 16
    )


def bytes_of_width(series: pl.Series, width: int) -> tuple[_Flags | None, _Matrix]:
    """The values that are `width` bytes long as one matrix, and which rows they are (none given: all rows).

    Reading the contiguous buffer is what makes a million checks cost milliseconds.
    """
    if width <= 12 and len(series) and not series.null_count():
        views = inline_views(series)
        if views is not None and (views.view(np.uint32)[:, 0] == width).all():
            return None, views[:, 4 : 4 + width]
    rows: _Flags | None = None
    fits = (series.str.len_bytes() == width).fill_null(False)
    if not fits.all():
        rows = fits.to_numpy()
        series = series.filter(fits)
    if len(series) == 0:
        return rows, np.empty((0, width), dtype=np.uint8)
    array = series.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    start = int(np.frombuffer(offsets, dtype=np.int64)[array.offset])
    flat = np.frombuffer(data, dtype=np.uint8, count=len(series) * width, offset=start)
    return rows, flat.reshape(len(series), width)


def only_these(series: pl.Series, values: Collection[str]) -> bool:
    """Whether a column holds nothing else than the given short texts (nulls aside). False where that is not plain to
    see: for long texts or many of them.
    """
    known = [value.encode() for value in values]
    if len(known) > 40 or any(len(value) > 4 for value in known):
        return False
    series = series.drop_nulls() if series.null_count() else series
    views = inline_views(series) if len(series) else None
    if views is None:
        return len(series) == 0
    # Length and the first four bytes side by side are one number of eight bytes.
    heads = np.ascontiguousarray(views.view(np.uint64)[:, 0])
    wanted = np.frombuffer(
        b"".join(len(value).to_bytes(4, "little") + value.ljust(4, b"\0") for value in known), dtype=np.uint64
    )
    found = np.zeros(len(heads), dtype=bool)
    for word in wanted:
        found |= heads == word
    return bool(found.all())


def only_digits(series: pl.Series, width: int) -> bool:
    """Whether every value (nulls aside) is a number of that many digits, at most twelve, without a leading zero."""
    rows, matrix = bytes_of_width(series.drop_nulls() if series.null_count() else series, width)
    if rows is not None:
        return False
    for start in range(0, len(matrix), _BLOCK):
        columns = np.ascontiguousarray(matrix[start : start + _BLOCK].T)
        if not ((columns - np.uint8(48)) <= 9).all() or (columns[0] == 48).any():
            return False
    return True


def are_numbers(series: pl.Series) -> bool:
    """Whether every value (nulls aside) consists of five to twelve digits. False where that is not plain to see."""
    series = series.drop_nulls() if series.null_count() else series
    views = inline_views(series) if len(series) else None
    if views is None:
        return len(series) == 0
    for start in range(0, len(views), _BLOCK):
        block = views[start : start + _BLOCK]
        lengths = block.view(np.uint32)[:, 0]
        if lengths.min() < 5 or lengths.max() > 12:
            return False
        # What lies behind the end of a short text is zero.
        columns = np.ascontiguousarray(block[:, 4:].T)
        if not (((columns - np.uint8(48)) <= 9) | (columns == 0)).all():
            return False
        if np.count_nonzero(columns) != int(lengths.sum()):
            return False
    return True


def _check_bytes(digits: _Matrix) -> _Matrix:
    """Check character of each column of 17 digits (transposed: 17 rows)."""
    total = np.zeros(digits.shape[1], dtype=np.uint16)
    for weight, row in zip(WEIGHTS, digits, strict=True):
        total += row * weight
    return np.asarray(_CHECK_BYTES[total % 11])


def _valid_block(block: _Matrix, latest: int | None) -> _Flags:
    columns = np.ascontiguousarray(block.T)
    digits = columns[:17] - np.uint8(48)
    ok: _Flags = digits.max(axis=0) <= 9
    # Anything that is no digit is judged already; zeros keep the tables below within bounds.
    if not ok.all():
        digits[:, ~ok] = 0
    ok &= digits[0] > 0
    ok &= _check_bytes(digits) == columns[17]
    wide = digits[6:14].astype(np.uint16)
    year = wide[0] * 1000 + wide[1] * 100 + wide[2] * 10 + wide[3]
    day = wide[4] * 1000 + wide[5] * 100 + wide[6] * 10 + wide[7]
    ok &= np.where(_IS_LEAP[year], _LEAP_DAY[day], _COMMON_DAY[day])
    ok &= (year >= EARLIEST_BIRTH_YEAR) & (year <= LATEST_BIRTH_YEAR)
    if latest is not None:
        ok &= year.astype(np.int32) * 10_000 + day <= latest
    return ok


def resident_id_is_valid(column: Column, latest: date | None = None) -> Column:
    """Whether each value is an 18-character number with a real birth date and the right check character.

    False for everything else, 15-digit and masked numbers included; null for null. Births before 1880 or
    after `latest` (default: the year 2100) are not valid. The division is not looked up: places are
    dissolved, numbers stay.
    """
    limit = None if latest is None else latest.year * 10_000 + latest.month * 100 + latest.day

    def kernel(series: pl.Series) -> pl.Series:
        rows, matrix = bytes_of_width(series, 18)
        verdict = np.empty(len(matrix), dtype=bool)
        for start in range(0, len(matrix), _BLOCK):
            verdict[start : start + _BLOCK] = _valid_block(matrix[start : start + _BLOCK], limit)
        if rows is not None:
            everywhere = np.zeros(len(series), dtype=bool)
            everywhere[rows] = verdict
            verdict = everywhere
        result = pl.Series(series.name, verdict)
        if series.null_count():
            result = result.set(series.is_null(), None)
        return result

    return _apply(column, kernel, pl.Boolean)


def check_character(column: Column) -> Column:
    """The check character that belongs to the first 17 digits of each value ('0'..'9', 'X').

    Null where the value does not begin with 17 digits.
    """

    def kernel(series: pl.Series) -> pl.Series:
        head = series.str.extract(r"^([0-9]{17})")
        rows, matrix = bytes_of_width(head, 17)
        known = _check_bytes(np.ascontiguousarray(matrix.T) - np.uint8(48)) if len(matrix) else matrix[:, 0]
        codes = np.zeros(len(series), dtype=np.uint8)
        codes[rows if rows is not None else slice(None)] = known
        names = {code: chr(code) for code in map(int, _CHECK_BYTES)}
        return (
            pl.Series(series.name, codes)
            .replace_strict(names, default=None, return_dtype=pl.String)
            .alias(series.name)
        )

    return _apply(column, kernel, pl.String)


def _expression(column: Column, build: Callable[[pl.Expr], pl.Expr]) -> Column:
    if isinstance(column, pl.Series):
        frame = column.to_frame("value")
        return frame.select(build(pl.col("value")).alias(column.name)).to_series()
    return build(column)


def birth_date_of(column: Column) -> Column:
    """The birth date in each number (18 or 15 characters) as Date; null where there is none that is real.

    Fifteen digits are read as 19YY, except sequence numbers 996 to 999, which old registers gave to people
    born in the 1800s (GB 11643).
    """

    def build(value: pl.Expr) -> pl.Expr:
        old = (
            pl.when(value.str.contains(r"^[0-9]{12}99[6-9]$"))
            .then(pl.lit("18") + value.str.slice(6, 6))
            .when(value.str.contains(r"^[0-9]{15}$"))
            .then(pl.lit("19") + value.str.slice(6, 6))
        )
        text = pl.when(value.str.contains(r"^[0-9]{17}[0-9X]$")).then(value.str.slice(6, 8)).otherwise(old)
        day = text.str.to_date("%Y%m%d", strict=False)
        real = day.dt.year().is_between(1800, LATEST_BIRTH_YEAR)
        return pl.when(real).then(day)

    return _expression(column, build)


def sex_of(column: Column) -> Column:
    """Sex in each number by GB/T 2261.1 ('1' male, '2' female); null where the value is no number."""

    def build(value: pl.Expr) -> pl.Expr:
        digit = (
            pl.when(value.str.contains(r"^[0-9]{17}[0-9X]$"))
            .then(value.str.slice(16, 1))
            .when(value.str.contains(r"^[0-9]{15}$"))
            .then(value.str.slice(14, 1))
            .cast(pl.Int8, strict=False)
        )
        return pl.when(digit % 2 == 1).then(pl.lit("1")).when(digit % 2 == 0).then(pl.lit("2"))

    return _expression(column, build)


def division_of(column: Column) -> Column:
    """The six-digit division in force when each number was given; null where the value is no number."""

    def build(value: pl.Expr) -> pl.Expr:
        return pl.when(value.str.contains(r"^([0-9]{17}[0-9X]|[0-9]{15})$")).then(value.str.slice(0, 6))

    return _expression(column, build)


def upgrade_15_to_18(column: Column) -> Column:
    """Fifteen-digit numbers with their century and check character; every other value as it is.

    A number whose date is not real stays as it is: making it longer would make it look checked.
    """

    def build(value: pl.Expr) -> pl.Expr:
        century = pl.when(value.str.contains(r"99[6-9]$")).then(pl.lit("18")).otherwise(pl.lit("19"))
        body = value.str.slice(0, 6) + century + value.str.slice(6, 9)
        is_old = value.str.contains(r"^[0-9]{15}$") & birth_date_of(value).is_not_null()
        return pl.when(is_old).then(body + check_character(body)).otherwise(value)

    return _expression(column, build)
