"""Kinds of value: how each is stored, read from a cell, recognised, masked and written again.

Reading is in two steps, so that clean files do not pay for dirt. `quick` turns the plain spelling into the typed
value and everything else into null; the cells that it does not understand, and only they, go through `careful`,
which knows every spelling that we have seen and gives a reason where it had to give up or change something.
What a reason means to the reader is in `issues.py`; which file a cell comes from is known to `reading.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl

from data_contracts import plain_dates
from data_contracts.contract import CodeList, Contract, FieldSpec, codes_of
from data_contracts.encodings import REPLACEMENT, repair_mojibake
from data_contracts.plain_dates import EARLIEST_YEAR, LATEST_YEAR
from data_contracts.resident_id import birth_date_of, check_character, resident_id_is_valid

BLANKS = " \t\n\r\u3000\u00a0\u2002\u2003\u2009\u200b\u200c\u200d\u2060\ufeff"
"""What may stand before and after a value and means nothing (full-width, no-break and zero-width blanks)."""

EMPTY = (
    "NULL",
    "Null",
    "null",
    "(null)",
    "<null>",
    "[NULL]",
    r"\N",
    r"\n",
    "None",
    "none",
    "NaN",
    "nan",
    "N/A",
    "n/a",
    "#N/A",
    "NA",
    "-",
    "--",
    "---",
    "—",
    "——",
    "－",
    "/",
    "\\",
    "空",
    "不详",
    "未知",
    "不明",
    "暂无",
    "未填",
    "未填写",
    "#DIV/0!",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "''",
    '""',
)
"""Spellings of "nothing" that no kind of value uses for anything else."""

EMPTY_WORDS = (*EMPTY, "无", "无。", "没有", "(无)", "（无）")
"""The same for names, texts, addresses, numbers of documents, dates: there 无 is nothing too."""

_EMPTY_WORDS = pl.Series(EMPTY_WORDS)
_EMPTY_NUMBERS = pl.Series([*EMPTY_WORDS, "0", "9999"])

OPEN_ENDED = ("长期", "长期有效", "永久", "至今", "无固定期限", "长期有效期")
"""Dates that say that there is no end."""

ID_SEPARATORS = r"[\s\u3000、，,;；/／|｜]+"
NAME_SEPARATORS = r"[、，,;；/／|｜]+"

Read = tuple[pl.Series, pl.Series]
"""Typed values, and for each the code of a reason or null."""


@dataclass(frozen=True)
class Column:
    """What reading needs to know of one column of one file, beside its kind."""

    spec: FieldSpec
    codes: CodeList | None = None
    dirty: dict[str, str | None] = field(default_factory=dict)
    factor: int = 1
    """Delivered amounts are multiplied by this to become yuan (10,000 for 万元)."""
    is_1904: bool = False
    """The workbook counts its days from 1904."""

    @classmethod
    def of(cls, contract: Contract, spec: FieldSpec) -> Column:
        """The column as the contract describes it."""
        return cls(
            spec=spec,
            codes=codes_of(spec),
            dirty=contract.dirty_values.get(spec.name, {}),
            factor=10_000 if (spec.unit or "").startswith("万元") else 1,
        )


Quick = Callable[[pl.Expr, Column, str | None], pl.Expr]
Plain = Callable[[pl.Expr, Column, bool], pl.Expr]
Careful = Callable[[pl.Series, Column], Read]
Mask = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class FieldType:
    """One kind of value."""

    name: str
    dtype: pl.DataType
    careful: Careful
    """Text cells (no nulls, outer blanks removed) -> typed values and reasons."""
    mask: Mask
    """Typed value -> text that may be shown to somebody who must not know whom it is about."""
    samples: tuple[str, ...]
    """Invented values as they are delivered, for documentation."""
    quick: Quick | None = None
    """Parsed kinds: text -> typed value, null where the spelling is not the plain one. The third argument is a first
    value of the column, from which the spelling of the rest is guessed."""
    plain: Plain | None = None
    """Kinds stored as they are delivered: whether a cell needs nothing done to it. The third argument says that no cell
    of the batch has outer blanks or may have been read in the wrong encoding, so that need not be asked again."""
    forms: tuple[str, ...] = ()
    """Parsed kinds with fixed places: the forms of `plain_dates.py`, which need no expression."""
    few: bool = False
    """Columns of this kind hold few different values: they are looked at instead of every cell."""
    pattern: str | None = None
    """What a stored value looks like when it is valid (regular expression), where that can be said."""

    @property
    def is_parsed(self) -> bool:
        """Stored as something else than the text that was delivered."""
        return self.quick is not None or bool(self.forms)

    def read_plain(self, cells: pl.Series, column: Column, first: str | None) -> pl.Series:
        """Parsed kinds: values of the cells in the plain spelling (that of `first`), null for all others."""
        if self.forms:
            return plain_dates.read(cells, plain_dates.form_of(first, self.forms))
        assert self.quick is not None
        return cells.to_frame("v").select(self.quick(pl.col("v"), column, first).alias(cells.name))[
            cells.name
        ]

    def read(self, cells: pl.Series, column: Column) -> Read:
        """Typed values and reasons of any cells; the slow and complete way."""
        stripped = strip(cells)
        known = stripped.is_not_null().arg_true()
        values, reasons = _with_dirty_values(self, stripped.gather(known), column)
        return _spread(values, known, len(cells)), _spread(reasons, known, len(cells))

    def text_of(self, value: pl.Expr, spec: FieldSpec) -> pl.Expr:
        """A typed value as it is spelt in a delivery (date 20250131, month 202501, yes 是, yuan in the unit of the field)."""
        return _text_of(self.name, value, spec)


def strip(cells: pl.Series) -> pl.Series:
    """Cells without outer blanks; what is then empty is null."""
    stripped = cells.str.strip_chars(BLANKS)
    return stripped.set(stripped.str.len_bytes() == 0, None)


def _spread(values: pl.Series, places: pl.Series, length: int) -> pl.Series:
    """Values at their places in a column of the given length, null elsewhere."""
    if len(places) == length:
        return values
    slots = pl.Series([None], dtype=pl.UInt32).new_from_index(0, length)
    slots = slots.scatter(places, pl.int_range(len(places), dtype=pl.UInt32, eager=True))
    return values.gather(slots)


def _with_dirty_values(kind: FieldType, cells: pl.Series, column: Column) -> Read:
    if not column.dirty:
        return kind.careful(cells, column)
    meant = cells.replace(dict(column.dirty))
    known = meant.is_not_null().arg_true()
    values, reasons = kind.careful(meant.gather(known), column)
    return _spread(values, known, len(cells)), _spread(reasons, known, len(cells))


def _expressions(cells: pl.Series, value: pl.Expr, reason: pl.Expr | None = None, **steps: pl.Expr) -> Read:
    """Evaluates steps one after the other over a column `v`, then the value and the reason."""
    frame = cells.to_frame("v").lazy()
    for name, step in steps.items():
        frame = frame.with_columns(step.alias(name))
    result = frame.select(
        value=value, reason=(pl.lit(None) if reason is None else reason).cast(pl.String)
    ).collect()
    if result.height != len(cells):  # only literals: one row
        result = pl.concat([result] * len(cells)) if len(cells) else result.clear()
    return result["value"], result["reason"]


V = pl.col("v")


def _half_width(value: pl.Expr) -> pl.Expr:
    return value.str.normalize("NFKC")


def _undressed(value: pl.Expr) -> pl.Expr:
    """A number or code without what spreadsheets put around it: '1509, ="1509", quotes, zero-width blanks."""
    return (
        _half_width(value)
        .str.replace_all(r"[\u200b-\u200d\u2060\ufeff]", "")
        .str.replace_all(r"^[='\"`‘’“”]+|['\"`‘’“”]+$", "")
        .str.strip_chars(BLANKS)
    )


def _is_empty(value: pl.Expr, words: tuple[str, ...] = EMPTY_WORDS) -> pl.Expr:
    return value.is_in(list(words)) | (value.str.len_bytes() == 0)


IS_LOSSY = r"^[+-]?[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,3}$"
"""A number that a spreadsheet shortened: 1.10105E+17. What stood behind the last digit is lost."""

IS_LOSSY_CODE = r"^[0-9](?:\.[0-9]+[eE]\+?|[eE]\+)[0-9]{1,3}$"
"""The same among numbers of documents, where 12E3 may be a number of its own."""

# --- texts ------------------------------------------------------------------------------------------------------


def _careful_text(cells: pl.Series, column: Column) -> Read:
    cleaned = strip(cells.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff]", ""))
    cleaned = cleaned.set(cleaned.is_in(_EMPTY_WORDS), None)
    reasons = pl.Series("reason", [None] * len(cells), dtype=pl.String)
    wrong = (cleaned.str.contains(_MOJIBAKE)).fill_null(False).arg_true()
    if len(wrong):
        texts = cleaned.gather(wrong).to_list()
        meant = [repair_mojibake(text) for text in texts]
        found = [_verdict(text, repaired) for text, repaired in zip(texts, meant, strict=True)]
        cleaned = cleaned.scatter(wrong, pl.Series([value for value, _ in found], dtype=pl.String))
        reasons = reasons.scatter(wrong, pl.Series([reason for _, reason in found], dtype=pl.String))
    return cleaned, reasons


def _mojibake_characters() -> str:
    """First characters of UTF-8 that was read as GBK, as a class of a regular expression."""
    firsts = {
        bytes([lead, trail]).decode("gb18030") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0)
    }
    return "[" + "".join(sorted(firsts)) + "]"


_MOJIBAKE = (
    f"{_mojibake_characters()}."  # 寮犱紵
    r"|[\u00c0-\u00ff].{0,2}[\u0080-\u00ff\u0152-\u0178\u02c6-\u02dc\u2013-\u203a\u20ac\u2122]"  # ÕÅÎ°, å¼ ä¼Ÿ
    r"|锟斤拷|\ufffd"
)


def _verdict(text: str, repaired: str | None) -> tuple[str | None, str | None]:
    if repaired is not None:
        return repaired, "mojibake_repaired"
    if "锟斤拷" in text:
        return None, "mojibake"
    if REPLACEMENT in text:
        rest = text.replace(REPLACEMENT, "").strip(BLANKS)
        return (text, "undecodable") if rest else (None, "undecodable")
    return text, None


def _careful_name(cells: pl.Series, column: Column) -> Read:
    return _careful_text(cells.str.replace_all(r"[\n\r\t]+", ""), column)


def _is_untouched(value: pl.Expr) -> pl.Expr:
    """Something, no outer blank, no word for nothing, nothing read in the wrong encoding."""
    return (
        (value.str.len_bytes() > 0)  # workbooks have cells with an empty text
        & (value.str.strip_chars(BLANKS) == value)
        & ~value.is_in(_EMPTY_WORDS)
        & ~value.str.contains(_MOJIBAKE)
    )


def _plain_text(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return ~value.is_in(_EMPTY_WORDS) if is_tidy else _is_untouched(value)


def _mask_text(value: pl.Expr) -> pl.Expr:
    """Free text may name anybody: its first character and its length class are enough to find the cell."""
    return pl.when(value.str.len_chars() <= 1).then(value).otherwise(value.str.slice(0, 1) + "***")


# --- names ------------------------------------------------------------------------------------------------------


def _plain_name(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    plain = _plain_text(value, column, is_tidy)
    return plain if is_tidy else plain & ~value.str.contains(r"[\n\r\t]")


def _mask_name(value: pl.Expr) -> pl.Expr:
    return value.str.slice(0, 1) + "*"


# --- identity numbers -------------------------------------------------------------------------------------------

_ONE_DIGIT = "^(" + "|".join(f"{digit}+" for digit in "0123456789") + "|[xX]+)$"
_FILLER = (
    r"^(123456789012345678|12345678901234567X|123456789012345|987654321098765432|1234567890+|9{3,}|0{3,})$"
)
_NO_SUCH = (
    "无",
    "不详",
    "未知",
    "不明",
    "暂无",
    "未填",
    "没有",
    "无证件",
    "无身份证",
    "无证",
    "未办理",
    "未办",
    "待补",
)


def _careful_resident_id(cells: pl.Series, column: Column) -> Read:
    bare = (
        _undressed(
            pl.when(V.str.contains(r"[0-9０-９][Хх×✕╳ⅹⅩ]\s*$"))
            .then(V.str.replace(r"[Хх×✕╳ⅹⅩ]\s*$", "X"))
            .otherwise(V)
        )
        .str.replace_all(r"\s+", "")
        .str.replace(r"^([0-9]{15}|[0-9]{17}[0-9xX]?)\.0+$", "$1")
        .str.to_uppercase()
    )
    # Seventeen digits and a star: X, where the arithmetic says so; otherwise somebody masked the last character.
    star = pl.col("bare").str.contains(r"^[0-9]{17}\*$")
    head = pl.col("bare").str.slice(0, 17)
    number = pl.when(star & (check_character(head) == "X")).then(head + pl.lit("X")).otherwise(pl.col("bare"))
    certificate = pl.col("number").str.contains(r"^[0-9]{17}[0-9X][1-7][1-4](B[0-9]{1,2})?$")
    inner = pl.when(certificate).then(pl.col("number").str.slice(0, 18)).otherwise(pl.col("number"))
    n = pl.col("inner")
    is_lossy = n.str.contains(IS_LOSSY) | (n.str.contains(r"^[0-9]{15}000$") & ~pl.col("valid"))
    filler = n.is_in(list(_NO_SUCH)) | n.str.contains(_ONE_DIGIT) | n.str.contains(_FILLER)
    silent = n.is_in(list(EMPTY)) | (n.str.len_bytes() == 0) | n.is_in(["0", "9999"])
    old = n.str.contains(r"^[0-9]{15}$") & birth_date_of(n).is_not_null()
    reason = (
        pl.when(filler & ~n.is_in(["0", "9999"]))
        .then(pl.lit("id_placeholder"))
        .when(silent)
        .then(None)
        .when(is_lossy)
        .then(pl.lit("id_lossy"))
        .when(pl.col("valid") & certificate)
        .then(pl.lit("id_from_certificate"))
        .when(pl.col("valid") | old)
        .then(None)
        .when(n.str.contains(r"[*＊]"))
        .then(pl.lit("id_masked"))
        .when(n.str.contains(r"^[0-9]{17}[0-9X]$"))
        .then(pl.lit("id_checksum"))
        .when(n.str.contains(r"^[A-Z]{1,3}[0-9]{6,12}$|^[0-9]{8}$"))
        .then(pl.lit("id_other_document"))
        .otherwise(pl.lit("id_malformed"))
    )
    value = pl.when(pl.col("why").is_in(["id_placeholder", "id_lossy"]) | silent).then(None).otherwise(n)
    return _expressions(
        cells,
        value,
        pl.col("why"),
        bare=bare,
        number=number,
        inner=inner,
        valid=resident_id_is_valid(pl.col("inner")),
        why=reason,
    )


def _plain_resident_id(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return resident_id_is_valid(value)


def _mask_resident_id(value: pl.Expr) -> pl.Expr:
    """The county only: beside a year of birth, the last four characters would leave a handful of people.

    A star in the number changes nothing, because whoever put it there may have left the rest to be read.
    """
    return (
        pl.when(value.str.contains(r"^[0-9]{6}.{12}$"))
        .then(value.str.slice(0, 6) + "************")
        .when(value.str.contains(r"^[0-9]{6}.{9}$"))
        .then(value.str.slice(0, 6) + "*********")
        .otherwise(value.str.slice(0, 2) + "***")
    )


# --- numbers of documents, accounts, places ---------------------------------------------------------------------

_PLAIN_IDENTIFIER = r"^[0-9A-Za-z\u4e00-\u9fff（）()〔〕\[\]_/*-]+$"


def _plain_identifier(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return value.str.contains(_PLAIN_IDENTIFIER) & ~value.is_in(_EMPTY_NUMBERS)


def _careful_identifier(cells: pl.Series, column: Column) -> Read:
    bare = _undressed(V).str.replace(r"^([0-9]+)\.0+$", "$1")
    b = pl.col("bare")
    # Only ASCII is made half-width: brackets of certificates (（2020）) are part of the number.
    kept = (
        pl.when(bare.str.contains(r"^[\x00-\x7f]*$"))
        .then(bare)
        .otherwise(V.str.replace_all(r"^['\"`‘’“”]+|['\"`‘’“”]+$", "").str.strip_chars(BLANKS))
    )
    lossy = b.str.contains(IS_LOSSY_CODE)
    nothing = _is_empty(b) | b.is_in(["0", "9999"])
    return _expressions(
        cells,
        pl.when(lossy | nothing).then(None).otherwise(kept),
        pl.when(lossy).then(pl.lit("number_lossy")),
        bare=bare,
    )


def _plain_account(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return value.str.contains(r"^[0-9]{5,32}$|^[0-9]{4}$|^[0-9]*\*+[0-9]+$") & ~value.is_in(["9999", "0000"])


def _careful_account(cells: pl.Series, column: Column) -> Read:
    bare = (
        _undressed(V).str.replace_all(r"[\s-]+", "").str.replace(r"^([0-9]+)\.0+$", "$1").str.to_uppercase()
    )
    b = pl.col("bare")
    lossy = b.str.contains(IS_LOSSY)
    nothing = _is_empty(_undressed(V)) | _is_empty(b) | b.str.contains(r"^0+$|^9999$")
    return _expressions(
        cells,
        pl.when(lossy | nothing).then(None).otherwise(b),
        pl.when(lossy).then(pl.lit("number_lossy")),
        bare=bare,
    )


def _mask_account(value: pl.Expr) -> pl.Expr:
    return value.str.slice(-4).str.replace("^", "****")


def _mask_identifier(value: pl.Expr) -> pl.Expr:
    """Numbers of cases, books and certificates lead to a person: the last four characters are enough to find a row."""
    last = pl.when(value.str.len_chars() > 4).then(value.str.slice(-4)).otherwise(value.str.slice(0, 0))
    return last.str.replace("^", "****")


USCC = r"^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"


def _plain_uscc(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return value.str.contains(USCC)


def _careful_uscc(cells: pl.Series, column: Column) -> Read:
    bare = _undressed(V).str.replace_all(r"\s+", "").str.to_uppercase().str.replace(r"^([0-9]+)\.0+$", "$1")
    b = pl.col("bare")
    lossy = b.str.contains(IS_LOSSY_CODE)
    nothing = _is_empty(b) | b.str.contains(r"^0+$|^9999$")
    known = b.str.contains(USCC) | b.str.contains(r"^[0-9A-Z*]{8,20}$")
    return _expressions(
        cells,
        pl.when(lossy | nothing).then(None).otherwise(b),
        pl.when(lossy).then(pl.lit("number_lossy")).when(~nothing & ~known).then(pl.lit("uscc_malformed")),
        bare=bare,
    )


def _place(accept: str) -> Careful:
    def careful(cells: pl.Series, column: Column) -> Read:
        bare = _undressed(V).str.replace_all(r"\s+", "").str.replace(r"^([0-9]+)\.0+$", "$1")
        b = pl.col("bare")
        lossy = b.str.contains(IS_LOSSY)
        nothing = _is_empty(b) | b.str.contains(r"^0+$|^9+$")
        short = (
            b.str.replace(r"^([0-9]{6})000000$", "$1").str.replace(r"^([0-9]{9})000$", "$1")
            if accept != _VILLAGE
            else b
        )
        good = pl.col("short").str.contains(accept)
        return _expressions(
            cells,
            pl.when(good & ~nothing & ~lossy).then(pl.col("short")),
            pl.when(nothing)
            .then(None)
            .when(lossy)
            .then(pl.lit("number_lossy"))
            .when(~good)
            .then(pl.lit("place_unreadable")),
            bare=bare,
            short=short,
        )

    return careful


_DIVISION = r"^[1-9][0-9]{5}(?:[0-9]{3}(?:[0-9]{3})?)?$"
_PLAIN_DIVISION = r"^[1-9][0-9]{5}$"
_VILLAGE = r"^[1-9][0-9]{11}$"


def _as_it_is(value: pl.Expr) -> pl.Expr:
    return value


def _mask_place(value: pl.Expr) -> pl.Expr:
    """A village may be a few dozen families: the township is enough."""
    return pl.when(value.str.len_chars() > 9).then(value.str.slice(0, 9) + "***").otherwise(value)


def _plain_phone(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    return value.str.contains(r"^1[3-9][0-9]{9}$")


def _careful_phone(cells: pl.Series, column: Column) -> Read:
    several = _undressed(V).str.replace(r"^([0-9]+)\.0+$", "$1")
    first = pl.col("several").str.extract(r"^([^、，,;；/|]+)").fill_null(pl.col("several"))
    bare = (
        first.str.replace_all(r"[\s()（）-]+", "")
        .str.replace(r"^(\+86|0086|86)(1[3-9][0-9*]{9})$", "$2")
        .str.replace(r"^01([3-9][0-9]{9})$", "1$1")
    )
    b = pl.col("bare")
    nothing = _is_empty(pl.col("several")) | _is_empty(b) | b.str.contains(_ONE_DIGIT) | b.is_in(["9999"])
    lossy = b.str.contains(IS_LOSSY)
    good = b.str.contains(
        r"^1[3-9][0-9]{9}$|^0[1-9][0-9]{8,10}$|^[2-9][0-9]{6,7}$|^[0-9]{2,4}\*+[0-9]{0,4}$|^400[0-9]{7}$"
    )
    more = pl.col("several").str.contains(r"[0-9][、，,;；/|]\s*[0-9]")
    return _expressions(
        cells,
        pl.when(good & ~nothing).then(b),
        pl.when(nothing)
        .then(None)
        .when(lossy)
        .then(pl.lit("number_lossy"))
        .when(~good)
        .then(pl.lit("phone_unreadable"))
        .when(more)
        .then(pl.lit("phone_several")),
        several=several,
        bare=bare,
    )


def _mask_phone(value: pl.Expr) -> pl.Expr:
    return (
        pl.when(value.str.len_chars() >= 11)
        .then(value.str.slice(0, 3) + "****" + value.str.slice(-4))
        .otherwise(value.str.slice(-2).str.replace("^", "****"))
    )


def _mask_address(value: pl.Expr) -> pl.Expr:
    """Province, prefecture, county and township at most; whose door it is stays out."""
    level = value.str.extract(
        r"^((?:.{1,12}?(?:省|自治区|特别行政区))?(?:.{1,10}?(?:市|地区|自治州|盟))?(?:.{1,10}?(?:县|区|旗))?(?:.{1,10}?(?:街道|镇|乡|苏木))?)"
    )
    shown = pl.when(level.str.len_chars() > 0).then(level).otherwise(value.str.slice(0, 2))
    return shown + "***"


_DISABILITY = r"^[0-9]{17}[0-9X][1-7][1-4](B[0-9]{1,2})?$"
_STUDENT = r"^[GJL]?[0-9]{17}[0-9X]$"


def _certificate(pattern: str, reason: str) -> Careful:
    def careful(cells: pl.Series, column: Column) -> Read:
        bare = (
            _undressed(V)
            .str.replace_all(r"\s+", "")
            .str.to_uppercase()
            .str.replace(r"[ХХ×](.{0,4})$", "X$1")
            .str.replace(r"^([0-9]+)\.0+$", "$1")
        )
        b = pl.col("bare")
        lossy = b.str.contains(IS_LOSSY)
        nothing = _is_empty(b) | b.str.contains(_ONE_DIGIT)
        return _expressions(
            cells,
            pl.when(lossy | nothing).then(None).otherwise(b),
            pl.when(nothing)
            .then(None)
            .when(lossy)
            .then(pl.lit("number_lossy"))
            .when(~b.str.contains(pattern) & ~b.str.contains(r"\*"))
            .then(pl.lit(reason)),
            bare=bare,
        )

    return careful


def _matches(pattern: str) -> Plain:
    def plain(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
        return value.str.contains(pattern)

    return plain


def _mask_certificate(value: pl.Expr) -> pl.Expr:
    """These numbers contain the identity number: shown like it, after the letter of a student number."""
    county = value.str.extract(r"^([A-Z]?[0-9]{6})")
    return pl.coalesce(county, value.str.slice(0, 2)) + "************"


# --- codes ------------------------------------------------------------------------------------------------------


@cache
def _spellings(codes: tuple[tuple[str, str], ...], aliases: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Everything that means a code: label, alias, code with lost or added zero, code and label together."""
    found: dict[str, str] = {}
    labels = [label for _, label in codes]
    for code, label in codes:
        for spelling in (
            f"{code}.0",
            f"{code}-{label}",
            f"{code}{label}",
            f"{code} {label}",
            f"{code}:{label}",
            f"{code}.{label}",
            f"{code}、{label}",
            f"{label}({code})",
            f"{label}({code})",
            f"({code}){label}",
            code.lower(),
            code.upper(),
            *([code.lstrip("0")] if code.isdigit() and code.strip("0") else []),
            *(["0" + code] if code.isdigit() else []),
            *([code.lstrip("0") + ".0"] if code.isdigit() and code.strip("0") else []),
            *([label] if labels.count(label) == 1 else []),
        ):
            found.setdefault(spelling, code)
    found.update(dict(aliases))
    found.update({code: code for code, _ in codes})
    return found


def _spellings_of(column: Column) -> dict[str, str]:
    assert column.codes is not None
    return _spellings(tuple(column.codes.codes.items()), tuple(column.codes.aliases.items()))


def _plain_code(value: pl.Expr, column: Column, is_tidy: bool) -> pl.Expr:
    assert column.codes is not None
    if column.codes.open:
        strange = {spelling for spelling, code in _spellings_of(column).items() if spelling != code}
        return value.str.contains(r"^[0-9A-Za-z.+*-]+$") & ~value.is_in([*strange, *EMPTY])
    return value.is_in(list(column.codes.codes))


def _careful_code(cells: pl.Series, column: Column) -> Read:
    assert column.codes is not None
    spellings = {_plain_key(spelling): code for spelling, code in _spellings_of(column).items()}
    is_open = column.codes.open
    distinct = cells.unique(maintain_order=True)
    values: list[str | None] = []
    reasons: list[str | None] = []
    for text in distinct.to_list():
        key = _plain_key(text)
        code = spellings.get(key)
        if code is None and key not in _EMPTY_KEYS:
            values.append(text if is_open else None)
            reasons.append(None if is_open else "code_unknown")
        else:
            values.append(code)
            reasons.append(None)
    return _looked_up(cells, distinct, values, reasons, pl.String())


def _plain_key(text: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKC", text).strip(BLANKS + "'\"")
    return folded.replace(" ", "").casefold()


_EMPTY_KEYS = {_plain_key(word) for word in EMPTY_WORDS} | {""}


def _looked_up(
    cells: pl.Series,
    distinct: pl.Series,
    values: list[Any],
    reasons: list[str | None],
    dtype: pl.DataType,
) -> Read:
    """The outcome for each cell from the outcome for each distinct text."""
    table = pl.DataFrame(
        {
            "v": distinct.rename("v"),
            "value": pl.Series(values, dtype=dtype),
            "reason": pl.Series(reasons, dtype=pl.String),
        }
    )
    found = cells.to_frame("v").join(table, on="v", how="left", maintain_order="left")
    return found["value"], found["reason"]


_TRUE = (
    "是",
    "1",
    "Y",
    "y",
    "YES",
    "Yes",
    "yes",
    "true",
    "TRUE",
    "True",
    "T",
    "t",
    "有",
    "√",
    "✓",
    "对",
    "1.0",
    "真",
)
_FALSE = (
    "否",
    "0",
    "N",
    "n",
    "NO",
    "No",
    "no",
    "false",
    "FALSE",
    "False",
    "F",
    "f",
    "×",
    "✗",
    "不是",
    "非",
    "0.0",
    "假",
)


def _quick_boolean(value: pl.Expr, column: Column, first: str | None) -> pl.Expr:
    yes, no = ("是", "否") if first in ("是", "否") else ("1", "0")
    return pl.when(value == yes).then(True).when(value == no).then(False)


def _careful_boolean(cells: pl.Series, column: Column) -> Read:
    meaning: dict[str, bool] = {_plain_key(word): True for word in _TRUE}
    meaning |= {_plain_key(word): False for word in _FALSE}
    distinct = cells.unique(maintain_order=True)
    keys = [_plain_key(text) for text in distinct.to_list()]
    silent = {_plain_key(word) for word in EMPTY} | {""}
    values = [meaning.get(key) for key in keys]
    reasons = [None if key in meaning or key in silent else "boolean_unreadable" for key in keys]
    return _looked_up(cells, distinct, values, reasons, pl.Boolean())


# --- days, months, years ----------------------------------------------------------------------------------------

_TENS = {"": 0, "十": 10, "二十": 20, "廿": 20, "三十": 30, "卅": 30}
_ONES = {"": 0} | {character: number for number, character in enumerate("一二三四五六七八九", start=1)}
_SMALL_NUMERALS = {
    tens + ones: str(_TENS[tens] + _ONES[ones])
    for tens in _TENS
    for ones in _ONES
    if 0 < _TENS[tens] + _ONES[ones] <= 31
} | {"元": "1", "正": "1", "一十": "10", "冬": "11", "腊": "12"}

_TIME = r"(?:[T ]?\s*(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2})(?:\.\d+)?秒?)?分?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)"


def _arabic_numerals(value: pl.Expr) -> pl.Expr:
    """一九八〇年一月十二日 -> 1980年1月12日."""
    chinese = r"^([〇零○一二三四五六七八九]{4})年([元正冬腊一二三四五六七八九十]{1,3})月(?:初?([一二三四五六七八九十廿卅]{1,3})日?)?$"
    year = value.str.extract(chinese, 1).str.replace_many(
        list("〇零○一二三四五六七八九"), list("000123456789")
    )
    month = value.str.extract(chinese, 2).replace_strict(
        _SMALL_NUMERALS, default=None, return_dtype=pl.String
    )
    day = value.str.extract(chinese, 3).replace_strict(_SMALL_NUMERALS, default=None, return_dtype=pl.String)
    whole = year + "年" + month + "月"
    return (
        pl.when(value.str.contains(chinese))
        .then(
            pl.coalesce(
                whole + day + "日", pl.when(value.str.extract(chinese, 3).is_null()).then(whole), value
            )
        )
        .otherwise(value)
    )


def _spelt(value: pl.Expr) -> pl.Expr:
    """A date in one manner of writing: half-width, Arabic numerals, without a trailing .0."""
    return _arabic_numerals(_undressed(value)).str.replace(r"^(\d{5,14})\.0+$", "$1")


_YMD = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?\s*" + _TIME + r"?$"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?|\s*" + _TIME + r")?$"
_SERIAL = r"^(\d{5})(?:\.\d+)?$"
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 80_000
"""1927 to 2119 as day numbers of a spreadsheet. Four digits would be taken for a year."""
_FIRST_RECENT_SERIAL = 30_000
"""1982: five digits below are a day only where somebody may be that old. 20247 may just as well be July of 2024."""
_LOCAL = 8 * 3600
"""Days are those of Shanghai; what is written in another time is brought over."""


def _is_birth(spec: FieldSpec) -> bool:
    return "birth" in spec.name or "出生" in spec.source


def _number(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Int32, strict=False)


def _calendar_day(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    text = (
        year.cast(pl.String).str.zfill(4)
        + month.cast(pl.String).str.zfill(2)
        + day.cast(pl.String).str.zfill(2)
    )
    return pl.when(year >= 1).then(text).str.to_date("%Y%m%d", strict=False)


def _day_steps(column: Column) -> dict[str, pl.Expr]:
    text = pl.col("text")
    part = {
        name: _number(pl.coalesce(text.str.extract(_YMD, at), text.str.extract(_COMPACT, at)))
        for at, name in enumerate(("year", "month", "day"), start=1)
    }
    clock = {
        name: _number(
            pl.coalesce(
                text.str.extract(_YMD, at), text.str.extract(_COMPACT, at), text.str.extract(_COMPACT, at + 3)
            )
        ).fill_null(0)
        for at, name in enumerate(("hour", "minute", "second"), start=4)
    }
    zone = pl.col("zone")
    ahead = _number(zone.str.slice(1, 2)) * 3600 + _number(zone.str.slice(-2)) * pl.when(
        zone.str.len_chars() > 3
    ).then(60).otherwise(0)
    epoch = pl.date(1904, 1, 1) if column.is_1904 else pl.date(1899, 12, 30)
    serial = text.str.extract(_SERIAL, 1).cast(pl.Int32, strict=False)
    first = _FIRST_SERIAL if _is_birth(column.spec) else _FIRST_RECENT_SERIAL
    if column.is_1904:
        first -= 1462
    named = _calendar_day(pl.col("year"), pl.col("month"), pl.col("day"))
    seconds = pl.col("hour") * 3600 + pl.col("minute") * 60 + pl.col("second")
    return {
        "text": _spelt(V),
        **part,
        **clock,
        "zone": pl.coalesce(text.str.extract(_YMD, 7), text.str.extract(_COMPACT, 10)),
        "shift": pl.when(zone.str.contains("(?i)^z$"))
        .then(_LOCAL)
        .when(zone.is_not_null())
        .then(_LOCAL - pl.when(zone.str.starts_with("-")).then(-ahead).otherwise(ahead))
        .otherwise(0),
        "serial": pl.when(serial.is_between(first, _LAST_SERIAL)).then(serial),
        "is_unsure": serial.is_between(_FIRST_SERIAL, first - 1).fill_null(False),
        "named": named,
        "moved": pl.when(pl.col("shift") != 0)
        .then(
            (pl.col("named").cast(pl.Datetime("us")) + pl.duration(seconds=seconds + pl.col("shift"))).cast(
                pl.Date
            )
        )
        .otherwise(pl.col("named")),
        "found": pl.coalesce(pl.col("moved"), epoch + pl.duration(days=pl.col("serial"))),
    }


def _is_no_date(text: pl.Expr) -> pl.Expr:
    return _is_empty(text) | text.is_in([*OPEN_ENDED, "0", "9999", "0.0"])


def _in_range(day: pl.Expr) -> pl.Expr:
    return day.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR)


def _careful_date(cells: pl.Series, column: Column) -> Read:
    text, found = pl.col("text"), pl.col("found")
    shaped = pl.col("year").is_not_null()
    reason = (
        pl.when(_is_no_date(text) | _in_range(found))
        .then(None)
        .when(shaped & (pl.col("year") >= 2900))
        .then(None)
        .when(shaped | text.str.contains(r"^0+$"))
        .then(pl.lit("date_impossible"))
        .when(text.str.contains(r"^\d{6}$|^\d{4}[-/.年]\d{1,2}月?$|^\d{4}年?$"))
        .then(pl.lit("date_incomplete"))
        .when(pl.col("is_unsure") | text.str.contains(r"^\d{1,2}[-/.年]\d{1,2}[-/.月]\d{1,4}日?"))
        .then(pl.lit("date_ambiguous"))
        .otherwise(pl.lit("date_unreadable"))
    )
    return _expressions(cells, pl.when(_in_range(found)).then(found), reason, **_day_steps(column))


def _careful_timestamp(cells: pl.Series, column: Column) -> Read:
    steps = _day_steps(column)
    text = pl.col("text")
    fraction = text.str.extract(r"^\d{5}(\.\d+)$").cast(pl.Float64, strict=False)
    seconds = (
        pl.when(pl.col("serial").is_not_null())
        .then((fraction.fill_null(0.0) * 86_400).round(0).cast(pl.Int64))
        .otherwise(pl.col("hour") * 3600 + pl.col("minute") * 60 + pl.col("second") + pl.col("shift"))
    )
    real = (
        _in_range(pl.col("found")) & (pl.col("hour") < 25) & (pl.col("minute") < 60) & (pl.col("second") < 61)
    )
    # The day as it is written, because the seconds hold the way to local time.
    moment = pl.coalesce("named", "found").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("seconds"))
    far = pl.col("year") >= 2900
    return _expressions(
        cells,
        pl.when(real).then(moment),
        pl.when(_is_no_date(text) | real | far.fill_null(False))
        .then(None)
        .when(pl.col("is_unsure"))
        .then(pl.lit("date_ambiguous"))
        .otherwise(pl.lit("date_unreadable")),
        **steps,
        seconds=seconds,
    )


_MONTH = r"^(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*月?份?$"


def _careful_month(cells: pl.Series, column: Column) -> Read:
    steps = _day_steps(column)
    text = pl.col("text")
    month = _calendar_day(
        _number(text.str.extract(_MONTH, 1)), _number(text.str.extract(_MONTH, 2)), pl.lit(1, dtype=pl.Int32)
    )
    found = pl.coalesce(
        pl.when(~text.str.contains(r"^\d{5}$")).then(month), pl.col("found").dt.truncate("1mo")
    )
    steps["whole"] = found
    good = _in_range(pl.col("whole"))
    far = text.str.contains(r"^(2[9]|[3-9]\d)\d{2}")
    return _expressions(
        cells,
        pl.when(good).then(pl.col("whole")),
        pl.when(_is_no_date(text) | good | far | text.is_in(["999912", "000000"]))
        .then(None)
        .when(pl.col("is_unsure"))
        .then(pl.lit("date_ambiguous"))
        .otherwise(pl.lit("month_unreadable")),
        **steps,
    )


def _careful_year(cells: pl.Series, column: Column) -> Read:
    text = pl.col("text")
    year = _number(text.str.extract(r"^(\d{4})(?:\.0+|年度?|学年)?$", 1))
    good = pl.col("year").is_between(EARLIEST_YEAR, LATEST_YEAR)
    return _expressions(
        cells,
        pl.when(good).then(pl.col("year")),
        pl.when(_is_no_date(text) | good).then(None).otherwise(pl.lit("year_unreadable")),
        text=_undressed(V),
        year=year,
    )


def _quick_year(value: pl.Expr, column: Column, first: str | None) -> pl.Expr:
    year = pl.when(value.str.len_bytes() == 4).then(value).cast(pl.Int32, strict=False)
    return pl.when(year.is_between(EARLIEST_YEAR, LATEST_YEAR)).then(year)


# --- amounts and counts -----------------------------------------------------------------------------------------

_YUAN = pl.Decimal(18, 2)
_QUANTITY = pl.Decimal(18, 4)
_WIDE = pl.Decimal(38, 8)
_AMOUNT = r"^([+-]?)[¥￥$]?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)"


def _amount_steps(units: str) -> dict[str, pl.Expr]:
    text = pl.col("text")
    shape = _AMOUNT + r"\s*(" + units + r")?$"
    digits = text.str.extract(shape, 1) + text.str.extract(shape, 2).str.replace_all(",", "")
    return {
        "text": _undressed(V)
        .str.replace_all(r"人民币|RMB|CNY|约?合计", "")
        .str.replace_all(r"[−–—﹣]", "-")
        .str.replace(r"^\(([\d,.¥]+)\)$", "-$1")
        .str.replace(r"整$", "")
        .str.strip_chars(BLANKS),
        "digits": digits.str.replace(r"^\+", "").str.replace(r"^--", "-"),
        "suffix": text.str.extract(shape, 3),
        "number": pl.when(pl.col("digits").str.len_chars() <= 22)
        .then(pl.col("digits"))
        .cast(_WIDE, strict=False),
    }


def _careful_money(cells: pl.Series, column: Column) -> Read:
    period = _period_of(column.spec.unit)
    suffix = pl.col("suffix")
    stated = _period_in(suffix)
    conflict = stated.is_not_null() & pl.lit(period is not None) & (stated != pl.lit(period or ""))
    factor = (
        pl.when(suffix.str.starts_with("万"))
        .then(10_000)
        .when(suffix.is_not_null())
        .then(1)
        .otherwise(column.factor)
        .cast(pl.Decimal(38, 0))
    )
    number = pl.col("number")
    yuan = (number * factor).round(2, mode="half_away_from_zero")
    fits = yuan.abs() < 10**15
    nothing = _is_empty(pl.col("text")) | _is_empty(V)
    lossy = pl.col("text").str.contains(IS_LOSSY)
    bad = (number.is_null() | ~fits) & ~nothing
    changed = suffix.is_not_null() & (factor != pl.lit(column.factor).cast(pl.Decimal(38, 0)))
    return _expressions(
        cells,
        pl.when(fits & ~conflict.fill_null(False)).then(yuan).cast(_YUAN, strict=False),
        pl.when(lossy)
        .then(pl.lit("number_lossy"))
        .when(bad)
        .then(pl.lit("money_unreadable"))
        .when(conflict)
        .then(pl.lit("money_period_conflict"))
        .when(changed)
        .then(pl.lit("money_unit_converted")),
        **_amount_steps(
            r"(?:万元|万|元|圆|块)(?:/(?:人|户|亩))?(?:/?(?:每|/)?(?:月|年|季|季度|学年|人月|人年))?"
        ),
    )


def _period_in(suffix: pl.Expr) -> pl.Expr:
    return suffix.str.extract(r"(学年|月|年|季)度?$", 1)


def _period_of(unit: str | None) -> str | None:
    """月, 年, 季 or 学年 in a unit; null for amounts without a period."""
    for period in ("学年", "月", "年", "季"):
        if unit and period in unit:
            return period
    return None


def _quick_money(value: pl.Expr, column: Column, first: str | None) -> pl.Expr:
    if column.factor != 1:
        plain = pl.when(value.str.contains(r"^-?[0-9]{1,11}(\.[0-9]{1,6})?$")).then(value)
        return (plain.cast(_WIDE, strict=False) * pl.lit(column.factor).cast(pl.Decimal(38, 0))).cast(_YUAN)
    return (
        pl.when(value.str.contains(r"^-?[0-9]{1,15}(\.[0-9]{1,2})?$")).then(value).cast(_YUAN, strict=False)
    )


def _careful_decimal(cells: pl.Series, column: Column) -> Read:
    number = pl.col("number")
    fits = number.abs() < 10**13
    nothing = _is_empty(pl.col("text")) | _is_empty(V)
    lossy = pl.col("text").str.contains(IS_LOSSY)
    return _expressions(
        cells,
        pl.when(fits).then(number.round(4, mode="half_away_from_zero")).cast(_QUANTITY, strict=False),
        pl.when(lossy)
        .then(pl.lit("number_lossy"))
        .when((number.is_null() | ~fits) & ~nothing)
        .then(pl.lit("number_unreadable")),
        **_amount_steps(r"亩|㎡|m2|m²|平方米|平米|平|%|％|千瓦|kW|KW|kw|吨|公顷"),
    )


def _quick_decimal(value: pl.Expr, column: Column, first: str | None) -> pl.Expr:
    plain = pl.when(value.str.contains(r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$")).then(value)
    return plain.cast(_QUANTITY, strict=False)


def _careful_integer(cells: pl.Series, column: Column) -> Read:
    number = pl.col("number")
    whole = number.round(0) == number
    nothing = _is_empty(pl.col("text")) | _is_empty(V)
    return _expressions(
        cells,
        pl.when(whole).then(number.cast(pl.Int64, strict=False)),
        pl.when((number.is_null() | ~whole) & ~nothing).then(pl.lit("number_unreadable")),
        **_amount_steps(r"人|口|个|户|次|个?月|周?岁|天|间|毫升|ml|mL|ML|CC|cc|辆|套|期|元|年"),
    )


def _quick_integer(value: pl.Expr, column: Column, first: str | None) -> pl.Expr:
    return value.cast(pl.Int64, strict=False)


# --- several values in one cell ---------------------------------------------------------------------------------


def _several(one: str, separators: str) -> Careful:
    """Reads each part as the kind of one value. A part that means nothing stays null, so that ids and names pair up."""

    def careful(cells: pl.Series, column: Column) -> Read:
        text = cells.str.strip_chars(BLANKS + "、，,;；/／|｜[]【】")
        if one == "person_name":
            # A blank separates names only where nothing else does and no part is a single character (张　伟).
            apart = text.str.contains(r"^[\u4e00-\u9fff·]{2,}([\s\u3000]+[\u4e00-\u9fff·]{2,})+$")
            spaced = text.str.replace_all(r"[\s\u3000]+", "、")
            text = text.zip_with(~apart.fill_null(False), spaced)
        parts = text.str.replace_all(separators, "\x1f").str.split("\x1f")
        frame = pl.DataFrame({"at": pl.int_range(len(cells), eager=True), "part": parts}).explode("part")
        values, reasons = FIELD_TYPES[one].read(frame["part"], column)
        gathered = (
            frame.select("at", value=values, reason=reasons)
            .group_by("at", maintain_order=True)
            .agg("value", pl.col("reason").drop_nulls().first())
        )
        lists = gathered["value"]
        nothing = lists.list.drop_nulls().list.len() == 0
        return _null_where(lists, nothing), gathered["reason"]

    return careful


def _null_where(lists: pl.Series, nothing: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"lists": lists, "nothing": nothing})
    return frame.select(pl.when(~pl.col("nothing")).then(pl.col("lists")))["lists"]


def _mask_each(one: Mask) -> Mask:
    def mask(value: pl.Expr) -> pl.Expr:
        return value.list.eval(one(pl.element())).list.join("、", ignore_nulls=True)

    return mask


# --- the kinds --------------------------------------------------------------------------------------------------


def _shown(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.String)


def _month_shown(value: pl.Expr) -> pl.Expr:
    return value.dt.strftime("%Y-%m")


def _birth_year_shown(value: pl.Expr) -> pl.Expr:
    """A full date next to a surname is nearly a name: the year is enough to look at a preview."""
    return value.dt.strftime("%Y")


_TEXT = pl.String()
_LIST = pl.List(pl.String())

FIELD_TYPES: dict[str, FieldType] = {
    kind.name: kind
    for kind in (
        FieldType("text", _TEXT, _careful_text, _mask_text, ("生产经营", "外出务工"), plain=_plain_text),
        FieldType(
            "address",
            _TEXT,
            _careful_text,
            _mask_address,
            ("集宁区新体路街道某社区3号楼2单元401室",),
            plain=_plain_text,
        ),
        FieldType(
            "person_name",
            _TEXT,
            _careful_name,
            _mask_name,
            ("王小明", "其木格", "阿不都·买买提"),
            plain=_plain_name,
        ),
        FieldType(
            "resident_id",
            _TEXT,
            _careful_resident_id,
            _mask_resident_id,
            ("11010519491231002X",),
            plain=_plain_resident_id,
            pattern=r"^([1-9][0-9]{16}[0-9X]|[1-9][0-9]{14})$",
        ),
        FieldType(
            "identifier",
            _TEXT,
            _careful_identifier,
            _mask_identifier,
            ("J150902-2024-000123",),
            plain=_plain_identifier,
        ),
        FieldType(
            "account_no",
            _TEXT,
            _careful_account,
            _mask_account,
            ("6228480000000000018", "****1234"),
            plain=_plain_account,
        ),
        FieldType(
            "uscc", _TEXT, _careful_uscc, _as_it_is, ("91150902MA0N000018",), plain=_plain_uscc, pattern=USCC
        ),
        FieldType(
            "division_code",
            _TEXT,
            _place(_DIVISION),
            _mask_place,
            ("150902",),
            plain=_matches(_PLAIN_DIVISION),
            few=True,
            pattern=_DIVISION,
        ),
        FieldType(
            "village_code",
            _TEXT,
            _place(_VILLAGE),
            _mask_place,
            ("150902001001",),
            plain=_matches(_VILLAGE),
            few=True,
            pattern=_VILLAGE,
        ),
        FieldType("code", _TEXT, _careful_code, _as_it_is, ("1",), plain=_plain_code, few=True),
        FieldType(
            "phone",
            _TEXT,
            _careful_phone,
            _mask_phone,
            ("13900001234", "0474-8200000", "138****0000"),
            plain=_plain_phone,
            pattern=r"^(1[3-9][0-9]{9}|0[1-9][0-9]{8,10}|[2-9][0-9]{6,7}|400[0-9]{7})$",
        ),
        FieldType(
            "disability_cert_no",
            _TEXT,
            _certificate(_DISABILITY, "certificate_malformed"),
            _mask_certificate,
            ("11010519491231002X43", "11010519491231002X43B1"),
            plain=_matches(_DISABILITY),
            pattern=_DISABILITY,
        ),
        FieldType(
            "student_no",
            _TEXT,
            _certificate(_STUDENT, "student_no_malformed"),
            _mask_certificate,
            ("G11010519491231002X",),
            plain=_matches(r"^[GL][0-9]{17}[0-9X]$"),
            pattern=_STUDENT,
        ),
        FieldType(
            "date",
            pl.Date(),
            _careful_date,
            _shown,
            ("20250131", "2025-01-31"),
            forms=plain_dates.DATE_FORMS,
        ),
        FieldType(
            "month",
            pl.Date(),
            _careful_month,
            _month_shown,
            ("202501", "2025-01"),
            forms=plain_dates.MONTH_FORMS,
        ),
        FieldType("year", pl.Int32(), _careful_year, _shown, ("2025",), quick=_quick_year),
        FieldType(
            "timestamp",
            pl.Datetime("us"),
            _careful_timestamp,
            _shown,
            ("2025-01-31 08:30:00", "20250131083000"),
            forms=plain_dates.MOMENT_FORMS,
        ),
        FieldType("money", _YUAN, _careful_money, _shown, ("1234.50", "-200.00"), quick=_quick_money),
        FieldType("decimal", _QUANTITY, _careful_decimal, _shown, ("12.5", "3.1416"), quick=_quick_decimal),
        FieldType("integer", pl.Int64(), _careful_integer, _shown, ("3",), quick=_quick_integer),
        FieldType("boolean", pl.Boolean(), _careful_boolean, _shown, ("是", "否"), quick=_quick_boolean),
        FieldType(
            "resident_id_list",
            _LIST,
            _several("resident_id", ID_SEPARATORS),
            _mask_each(_mask_resident_id),
            ("11010519491231002X、15090219800101123X",),
        ),
        FieldType(
            "person_name_list",
            _LIST,
            _several("person_name", NAME_SEPARATORS),
            _mask_each(_mask_name),
            ("王小明、李小红",),
        ),
        FieldType(
            "text_list", _LIST, _several("text", NAME_SEPARATORS), _mask_each(_mask_text), ("因病、因学",)
        ),
    )
}
"""Every kind of value by name."""


def dtype_of(spec: FieldSpec) -> pl.DataType:
    """How values of a field are stored."""
    return FIELD_TYPES[spec.type].dtype


def schema_of(contract: Contract) -> pl.Schema:
    """Stored columns of a class, without the two that say which delivery and row they come from."""
    return pl.Schema({spec.name: dtype_of(spec) for spec in contract.fields})


def mask_text(kind: str, text: pl.Expr) -> pl.Expr:
    """Delivered text of a column of that kind, fit to be shown in an issue.

    Unlike the mask of a typed value it assumes nothing about the text: a cell may hold anything.
    """
    first = pl.when(text.str.contains(r"^[0-9]")).then(text.str.slice(0, 2)).otherwise(text.str.slice(0, 1))
    hidden = first + "***（" + text.str.len_chars().cast(pl.String) + "字）"
    shape = _HARMLESS.get(kind)
    return hidden if shape is None else pl.when(text.str.contains(shape)).then(text).otherwise(hidden)


_SHORT_DATE = (
    r"^[0-9]{4,6}$"
    r"|^[0-9]{4}[-/.年][0-9]{1,2}(?:[-/.月][0-9]{0,2}[日号]?)?(?:[T ][0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?)?$"
    r"|^[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{1,2}|[0-9]{4})$"
)
_SHORT_NUMBER = (
    r"^[¥￥$]?[+-]?(?:[0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3}){1,2})?(?:\.[0-9]{0,5})?(?:[eE]\+?[0-9]{1,3})?"
    r"[万千元亩人口个户次岁天年月季度/每%％]{0,5}$"
)
_SHORT_CODE = r"^[A-Za-z]{0,2}[-.]?[0-9]{1,6}(?:\.0)?$|^[A-Za-z]$"
_HARMLESS = {
    "date": _SHORT_DATE,
    "month": _SHORT_DATE,
    "timestamp": _SHORT_DATE,
    "year": _SHORT_DATE,
    "money": _SHORT_NUMBER,
    "decimal": _SHORT_NUMBER,
    "integer": _SHORT_NUMBER,
    "boolean": _SHORT_CODE,
    "code": _SHORT_CODE,
    "division_code": r"^[0-9]{1,6}$",
    "village_code": r"^[0-9]{1,6}$",
}
"""Kinds whose cells tell nothing about anybody, and what such a cell looks like. Anything else that stands in such a
column (a name, a telephone number, an identity number with blanks in it) is hidden like any text."""


_NUMBERS_IN_NAMES = re.compile(
    r"(?P<number>\d{15,}[XxＸｘ]?)"
    r"|(?P<spaced>\d{6}[\s-](?:18|19|20)\d{2}[\s-]?\d{4}[\s-]?\d{3}[\dXxＸｘ])"
    r"|(?<!\d)(?P<mobile>1[3-9]\d(?:\d{8}|[\s-]\d{4}[\s-]\d{4}))(?!\d)"
)


def hide_numbers(name: str) -> str:
    """A name of a file, sheet or column as it may be told: long numbers keep six digits, mobile numbers three.

    An identity number and a place, day and serial number in one look the same; both are hidden.
    """

    def hidden(found: re.Match[str]) -> str:
        return f"{found[0][:3]}***" if found["mobile"] else f"{found[0][:6]}***"

    return _NUMBERS_IN_NAMES.sub(hidden, name)


def masked(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Accepted rows of a class as text that may be shown: every field through the mask of its kind.

    Birth dates keep the year, places the township, identity numbers the county. Columns that are not in the contract are left out.
    """
    births = {
        name
        for subject in contract.subjects
        for kind, name in subject.evidence.items()
        if kind == "birth_date"
    } | {spec.name for spec in contract.fields if spec.type == "date" and _is_birth(spec)}
    columns = [spec for spec in contract.fields if spec.name in frame.columns]
    return frame.select(
        (_birth_year_shown if spec.name in births else FIELD_TYPES[spec.type].mask)(pl.col(spec.name)).alias(
            spec.name
        )
        for spec in columns
    )


def _text_of(kind: str, value: pl.Expr, spec: FieldSpec) -> pl.Expr:
    if kind == "date":
        return value.dt.strftime("%Y%m%d")
    if kind == "month":
        return value.dt.strftime("%Y%m")
    if kind == "timestamp":
        return value.dt.strftime("%Y-%m-%d %H:%M:%S")
    if kind == "boolean":
        return value.replace_strict({True: "是", False: "否"}, default=None, return_dtype=pl.String)
    if kind == "money" and (spec.unit or "").startswith("万元"):
        in_ten_thousands = value.cast(pl.Decimal(38, 6)) / pl.lit(10_000).cast(pl.Decimal(38, 0))
        return (
            in_ten_thousands.cast(pl.Decimal(38, 6))
            .cast(pl.String)
            .str.strip_chars_end("0")
            .str.strip_chars_end(".")
        )
    if kind.endswith("_list"):
        return value.list.join("、", ignore_nulls=True)
    return value.cast(pl.String)
