"""Cells with birth dates and ages: the day, or the interval of days, that they state.

Whether a stated day or the one in an identity number is the right one is not decided here.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from data_contracts import plain_dates
from data_contracts.contract import FieldSpec
from data_contracts.field_types import FIELD_TYPES, Column
from matching.cells import as_text, distinct, half_width, slots

FORMS = pl.Schema(
    {"birth": pl.Date(), "birth_low": pl.Date(), "birth_high": pl.Date(), "birth_basis": pl.String()}
)

PLACEHOLDERS = (
    date(1899, 12, 30),
    date(1899, 12, 31),
    date(1900, 1, 1),
    date(1900, 1, 2),
    date(1904, 1, 1),
    date(1904, 1, 2),
)
"""Days that old systems and spreadsheets write for "not known"."""

_EARLIEST = date(1850, 1, 1)
_COLUMN = Column(FieldSpec(name="birth_date", source="出生日期", type="date"))
_DAYS_1904 = 1462
"""Days between the two ways in which spreadsheets count days."""


def stated_births(
    cells: pl.Series, as_of: date | None = None, known: pl.Series | None = None
) -> pl.DataFrame:
    """What a column of birth dates states, row by row: `birth` (the exact day), `birth_low`, `birth_high`, `birth_basis`.

    Basis: stated, month, year; null where nothing is stated (placeholders, days after `as_of`, unreadable cells).
    `known` are birth dates from elsewhere (identity numbers); they decide from which year day numbers of a
    spreadsheet count.
    """
    if cells.dtype.is_temporal() and cells.dtype != pl.Duration():
        return _exact(cells.cast(pl.Date, strict=False), as_of)
    texts = as_text(cells)
    first = texts.drop_nulls().head(1)
    form = plain_dates.form_of(first[0] if len(first) else None, plain_dates.DATE_FORMS)
    days = plain_dates.read(texts, form)
    open_ = texts.is_not_null() & days.is_null()
    plain = _exact(days, as_of)
    if not open_.any():
        return plain
    values, codes = distinct(texts.filter(open_))
    table = _careful(values, as_of)
    if known is not None and table["serial"].any():
        table = _recounted(table, codes, known.filter(open_), as_of)
    found = slots(np.flatnonzero(open_.to_numpy()), len(texts), codes)
    late = table.select(pl.col(FORMS.names()).gather(found))
    return pl.DataFrame({name: late[name].fill_null(plain[name]) for name in FORMS.names()}, schema=FORMS)


def _usable(day: pl.Expr, as_of: date | None) -> pl.Expr:
    latest = date(plain_dates.LATEST_YEAR, 12, 31) if as_of is None else as_of
    return pl.when(day.is_between(_EARLIEST, latest) & ~day.is_in(list(PLACEHOLDERS))).then(day)


def _exact(days: pl.Series, as_of: date | None) -> pl.DataFrame:
    frame = days.alias("birth").to_frame().select(_usable(pl.col("birth"), as_of).alias("birth"))
    basis = pl.when(pl.col("birth").is_not_null()).then(pl.lit("stated"))
    return frame.with_columns(
        birth_low="birth",
        birth_high="birth",
        birth_basis=basis if frame.height else pl.lit("", dtype=pl.String),
    ).select(FORMS.names())


_SEPARATED = (
    r"^([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})(?:\s*[-/.月]\s*([0-9]{0,2})\s*[日号]?)?\s*月?\s*(?:[T ].*)?$"
)
_COMPACT = r"^([0-9]{4})([0-9]{2})([0-9]{2})?$"
_SHORT = r"^([0-9]{2})\s*[-/.年]\s*([0-9]{1,2})(?:\s*[-/.月]\s*([0-9]{1,2})\s*[日号]?)?\s*月?$"
_DAY_FIRST = r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})$"
_YEAR = r"^([0-9]{4})(?:[-/.]0{1,2}(?:[-/.]0{1,2})?|0000|年(?:生|出生|左右)?)?$"
_NUMERALS = dict(zip("〇零○一二三四五六七八九", "000123456789", strict=True))
_CHINESE_YEAR = r"^([〇零○一二三四五六七八九]{4}|[〇零○一二三四五六七八九]{2})年"
_NUMERAL_BEFORE = r"[一二三四五六七八九十廿卅元][月日号]"
_ONES = ["", *"一二三四五六七八九"]
_COUNTED = {
    f"{tens}{one}{unit}": f"{10 * value + number}{unit}"
    for value, spoken in ((3, ("三十", "卅")), (2, ("二十", "廿")), (1, ("十", "一十")), (0, ("",)))
    for tens in spoken
    for number, one in enumerate(_ONES)
    for unit in "月日号"
    if tens or one
} | {"元月": "1月"}
"""Chinese numerals up to 39 before a month or a day, longer ones first, and the same in Arabic figures."""


def _careful(cells: pl.Series, as_of: date | None) -> pl.DataFrame:
    """The columns of `FORMS` for distinct cells in any spelling, and `serial`: read as a day number of a spreadsheet."""
    days, _ = FIELD_TYPES["date"].read(cells, _COLUMN)
    text = (
        half_width(pl.col("cell")).str.replace(r"^([0-9]{4,14})\.0+$", "$1").str.replace(r"(?:出生|生)$", "")
    )
    limit = 2100 if as_of is None else as_of.year
    frame = pl.DataFrame({"cell": cells, "day": days}).lazy().with_columns(text=text)
    counted = pl.col("text").str.replace_many(list(_COUNTED), list(_COUNTED.values()), leftmost=True)
    chinese = pl.col("text").str.extract(_CHINESE_YEAR)
    frame = frame.with_columns(
        text=pl.when(pl.col("text").str.contains(_NUMERAL_BEFORE)).then(counted).otherwise("text")
    ).with_columns(
        text=pl.when(chinese.is_not_null())
        .then(chinese.str.replace_many(_NUMERALS) + pl.col("text").str.replace(_CHINESE_YEAR, "年"))
        .otherwise("text")
    )
    t = pl.col("text")

    def part(pattern: str, at: int) -> pl.Expr:
        return t.str.extract(pattern, at).cast(pl.Int32, strict=False)

    two = part(_SHORT, 1).fill_null(part(r"^([0-9]{2})([0-9]{2})([0-9]{2})$", 1))
    is_short_compact = t.str.contains(r"^[0-9]{6}$") & ~(
        part(_COMPACT, 1).is_between(1850, limit) & part(_COMPACT, 2).is_between(0, 12)
    )
    century = pl.when(two > limit % 100).then(1900).otherwise(limit // 100 * 100)
    short = t.str.contains(_SHORT) | is_short_compact
    year = (
        pl.when(short)
        .then(two + century)
        .when(t.str.contains(_DAY_FIRST))
        .then(part(_DAY_FIRST, 3))
        .otherwise(pl.coalesce(part(_SEPARATED, 1), part(_COMPACT, 1), part(_YEAR, 1)))
    )
    one, other = part(_DAY_FIRST, 1), part(_DAY_FIRST, 2)
    turned = t.str.contains(_DAY_FIRST)
    compact = r"^([0-9]{2})([0-9]{2})([0-9]{2})$"
    month = (
        pl.when(turned)
        .then(pl.when((one > 12) | (one == other)).then(other).when(other > 12).then(one))
        .when(short)
        .then(pl.coalesce(part(_SHORT, 2), part(compact, 2)))
        .otherwise(pl.coalesce(part(_SEPARATED, 2), part(_COMPACT, 2)))
    )
    day = (
        pl.when(turned)
        .then(pl.when(one > 12).then(one).when((other > 12) | (one == other)).then(other))
        .when(short)
        .then(pl.coalesce(part(_SHORT, 3), part(compact, 3)))
        .otherwise(pl.coalesce(part(_SEPARATED, 3), part(_COMPACT, 3)))
    )
    # Seconds (or thousandths) since 1970; days are those of Shanghai.
    seconds = pl.when(t.str.contains(r"^-?[0-9]{9,10}$|^-[0-9]{5,8}$")).then(t.cast(pl.Int64, strict=False))
    thousandths = pl.when(t.str.contains(r"^-?[0-9]{11,13}$")).then(t.cast(pl.Int64, strict=False) // 1000)
    moment = pl.coalesce(seconds, thousandths)
    frame = frame.with_columns(
        serial=t.str.contains(r"^[0-9]{5}(?:\.[0-9]+)?$") & pl.col("day").is_not_null(),
        year=pl.when(year.is_between(1850, limit)).then(year),
        month=month,
        number=day,
        day=pl.col("day").fill_null(
            pl.date(1970, 1, 1) + pl.duration(days=(moment + 8 * 3600).floordiv(86_400))
        ),
    )
    real = (pl.col("month").is_between(1, 12) & pl.col("number").is_between(1, 31)).fill_null(False)
    text8 = (
        pl.col("year").cast(pl.String)
        + pl.col("month").cast(pl.String).str.zfill(2)
        + pl.col("number").cast(pl.String).str.zfill(2)
    )
    written = pl.when(real).then(text8).str.to_date("%Y%m%d", strict=False)
    frame = frame.with_columns(birth=_usable(pl.coalesce("day", written), as_of))
    exact = pl.col("birth").is_not_null()
    # A placeholder is no year either.
    blank = (
        pl.coalesce("day", written).is_in(list(PLACEHOLDERS)).fill_null(False) | pl.col("day").is_not_null()
    )
    in_month = pl.col("month").is_between(1, 12).fill_null(False) & pl.col("year").is_not_null() & ~blank
    in_year = pl.col("year").is_not_null() & ~blank & ~pl.col("year").is_in([1899, 1900])
    first = pl.date("year", pl.when(in_month).then("month").otherwise(1), 1)
    last = pl.when(in_month).then(first.dt.month_end()).otherwise(pl.date("year", 12, 31))
    return (
        frame.with_columns(
            birth_basis=pl.when(exact)
            .then(pl.lit("stated"))
            .when(in_month & in_year)
            .then(pl.lit("month"))
            .when(in_year)
            .then(pl.lit("year"))
        )
        .with_columns(
            birth_low=pl.when(exact).then("birth").when(pl.col("birth_basis").is_not_null()).then(first),
            birth_high=pl.when(exact).then("birth").when(pl.col("birth_basis").is_not_null()).then(last),
        )
        .select(*FORMS.names(), "serial")
        .collect()
    )


def _recounted(table: pl.DataFrame, codes: pl.Series, known: pl.Series, as_of: date | None) -> pl.DataFrame:
    """Day numbers counted from 1904 where more birth dates known from elsewhere say so than say 1900."""
    said = table.select("birth", "serial").select(pl.all().gather(codes)).with_columns(known=known)
    gap = (pl.col("known") - pl.col("birth")).dt.total_days()
    votes = said.filter("serial").select(old=(gap == 0).sum(), new=(gap == _DAYS_1904).sum()).row(0)
    if votes[1] <= votes[0]:
        return table
    moved = _usable(pl.col("birth") + pl.duration(days=_DAYS_1904), as_of)
    columns = [pl.when("serial").then(moved).otherwise(name).alias(name) for name in FORMS.names()[:3]]
    basis = (
        pl.when("serial").then(pl.when(moved.is_not_null()).then(pl.lit("stated"))).otherwise("birth_basis")
    )
    return table.with_columns(*columns, basis.alias("birth_basis"))


_MONTHS = r"([0-9]{1,3})\s*(?:个月|月龄|月|M)"
_DAYS = r"([0-9]{1,3})\s*(?:天|日龄|日|D)"
_TENS = {
    "": 0,
    "十": 10,
    "二十": 20,
    "三十": 30,
    "四十": 40,
    "五十": 50,
    "六十": 60,
    "七十": 70,
    "八十": 80,
    "九十": 90,
}
_SPOKEN = {
    tens + one: str(value + number)
    for tens, value in _TENS.items()
    for number, one in enumerate(["", *"一二三四五六七八九"])
    if value + number
} | {"两": "2", "一百": "100"}


def ages(cells: pl.Series, on: pl.Series, *, nominal: bool = False) -> pl.DataFrame:
    """Intervals of birth dates from ages: `birth_low`, `birth_high` (both included), null where no age can be read.

    `on` is the day on which each age was true. Full years, months (3个月) and days (5天) are read; a nominal age
    (虚岁, or `nominal`) is one or two years above the full age. An age with 约, 左右 or 多 is two years wider on
    each side.
    """
    texts = as_text(cells)
    pairs = (
        pl.DataFrame({"cell": texts, "on": on})
        .with_row_index("row")
        .filter(pl.col("cell").is_not_null() & pl.col("on").is_not_null())
    )
    values = pairs.select("cell", "on").unique().sort("cell", "on")
    table = _age_table(values, nominal)
    found = pairs.join(table, on=["cell", "on"], maintain_order="left")
    places = slots(found["row"].to_numpy(), len(texts))
    return found.select(pl.col("birth_low", "birth_high").gather(places))


def _age_table(values: pl.DataFrame, nominal: bool) -> pl.DataFrame:
    spoken = pl.col("text").str.extract(r"^([一二两三四五六七八九十百]{1,4})(?:周岁|岁|个月|天|虚岁)")
    frame = values.lazy().with_columns(
        text=half_width(pl.col("cell")).str.to_uppercase().str.replace_all(r"\s", "")
    )
    frame = frame.with_columns(
        is_nominal=pl.col("text").str.contains("虚") | pl.lit(nominal),
        is_rough=pl.col("text").str.contains("约|左右|多|余|大概"),
        text=pl.col("text").str.replace_all(r"虚岁?[::]?|约|左右|多|余|大概|年龄|周岁", ""),
    ).with_columns(
        text=pl.when(spoken.is_not_null())
        .then(spoken.replace(_SPOKEN) + pl.col("text").str.extract(r"^[一二两三四五六七八九十百]+(.*)$"))
        .otherwise("text")
    )
    t = pl.col("text")
    shape = r"^(?:[0-9]{1,3}(?:\.[0-9]+)?(?:岁|Y)?)?(?:[0-9]{1,3}(?:个月|月龄|月|M))?(?:[0-9]{1,3}(?:天|日龄|日|D))?$"
    numbers = {"years": r"^" + r"([0-9]{1,3})(?:\.[0-9]+)?(?:岁|Y|$)", "months": _MONTHS, "days": _DAYS}
    frame = frame.with_columns(
        **{name: t.str.extract(pattern).cast(pl.Int32, strict=False) for name, pattern in numbers.items()}
    ).with_columns(
        good=t.str.contains(shape)
        & (t.str.len_bytes() > 0)
        & (pl.coalesce("years", 0) <= 130)
        & pl.any_horizontal(pl.col("years", "months", "days").is_not_null())
    )
    years = pl.col("years").fill_null(0)
    months = pl.col("months").fill_null(0)
    days = pl.col("days").fill_null(0)
    day = pl.col("on")

    def before(y: pl.Expr, m: pl.Expr, d: pl.Expr) -> pl.Expr:
        return day.dt.offset_by(pl.format("-{}y{}mo{}d", y, m, d))

    step = (
        pl.when(pl.col("days").is_not_null())
        .then(before(years, months, days + 1))
        .when(pl.col("months").is_not_null())
        .then(before(years, months + 1, days))
        .otherwise(before(years + 1, months, days))
    )
    wide = pl.when(pl.col("is_rough")).then(2).otherwise(0)
    is_nominal = pl.col("is_nominal") & pl.col("months").is_null() & pl.col("days").is_null()
    youngest = pl.when(is_nominal).then((years - 2).clip(0)).otherwise(years)
    low = pl.when(is_nominal).then(before(years.clip(1), months, days)).otherwise(step)
    high = before(youngest, months, days)
    low_edge = low.dt.offset_by(pl.format("-{}y", wide)) + pl.duration(days=1)
    high_edge = pl.min_horizontal(high.dt.offset_by(pl.format("{}y", wide)), day)
    return frame.select(
        "cell",
        "on",
        pl.when("good").then(low_edge).alias("birth_low"),
        pl.when("good").then(high_edge).alias("birth_high"),
    ).collect()
