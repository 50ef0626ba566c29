"""A table of any source as records that can be compared: which reader sees which column, and what the readers' answers add up to.

How cells of a kind are read is in `name_cells`, `id_cells`, `birth_cells`, `phone_cells` and `addresses`; which
column is of which kind is in `spec`. Every reader decides by one look whether a column is clean; only cells that
are not clean are worked on, each distinct text once.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts import delimited, encodings
from data_contracts.field_types import hide_numbers
from data_contracts.resident_id import only_these
from matching import addresses, birth_cells, id_cells, phone_cells
from matching.cells import NOTHING, as_text, distinct, half_width
from matching.name_cells import name_rows
from matching.records import HOUSEHOLDS, NAMES, OTHERS, PHONES, ROWS, Records
from matching.spec import ColumnRef, ColumnSpec, Side, Spec, SpecError, others

__all__ = ["Records", "Side", "Spec", "SpecError", "deliver", "learn_places", "read_table", "records_of"]

SEX = {
    **dict.fromkeys(("1", "男", "男性", "M", "MALE", "男人", "1-男", "1男", "先生", "男孩", "01", "♂"), "1"),
    **dict.fromkeys(
        ("2", "女", "女性", "F", "FEMALE", "女人", "2-女", "2女", "女士", "女孩", "02", "♀"), "2"
    ),
}
"""Spellings of GB/T 2261.1; 0 and 9 (unknown, not stated) and everything else are nothing."""

LINES_TOLD = 20
"""So many lines of a file that could not be read are named one by one."""

_NAME_KINDS = {"person_name": "own", "former_name": "former", "latin_name": "latin"}


@dataclass(frozen=True)
class Delivered:
    """A table as it lies in a file, and what of the file could not be read."""

    table: pl.DataFrame
    numbers: pl.Series | None = None
    """Of each row, its number among the records of the file, from 0, those counted that were not read; null when none is missing."""
    not_read: tuple[int, ...] = ()
    """Numbers of the lines of the file, from 1, that have more or fewer fields than the header."""

    def problem(self, shown: str) -> str | None:
        """What has to be mended in the file `shown`, in one English line; null when all was read."""
        if not self.not_read:
            return None
        some = ", ".join(str(line) for line in self.not_read[:LINES_TOLD])
        more = len(self.not_read) - LINES_TOLD
        return (
            f"{shown}: {len(self.not_read):,} of {self.table.height + len(self.not_read):,} records were not read, having "
            f"more or fewer fields than the first line: line {some}{f' and {more:,} more' if more > 0 else ''}; "
            "put quotes around fields that hold the separator, or deliver the file again"
        )


def read_table(path: Path | str, columns: list[str] | None = None) -> pl.DataFrame:
    """As `deliver`, of a file that has to be whole. Raises `SpecError` also when a line of it cannot be read."""
    found = deliver(path, columns)
    problem = found.problem(hide_numbers(Path(path).name))
    if problem:
        raise SpecError(problem)
    return found.table


def deliver(path: Path | str, columns: list[str] | None = None) -> Delivered:
    """A table as delivered: Parquet with its types; delimited text (.csv, .txt, .tsv) as text, empty cells null.

    Lines that do not fit are left out and named. The encoding (UTF-8, GB 18030, UTF-16, with or without a byte order mark), the separator (comma, tab, semicolon,
    bar) and quoting are found out; private-use characters of old systems become the standard ones. `columns` limits what
    is read. Raises `SpecError` for a file that is not there, is empty, or lacks one of `columns`.
    """
    path = Path(path)
    shown = hide_numbers(path.name)
    if not path.is_file():
        raise SpecError(f"{shown}: there is no such file")
    with path.open("rb") as stream:
        is_parquet = stream.read(4) == b"PAR1"
    if is_parquet:
        lazy = pl.scan_parquet(path)
        _check(columns, lazy.collect_schema().names(), shown)
        return Delivered((lazy if columns is None else lazy.select(columns)).collect())
    if path.suffix.lower() in (".parquet", ".xlsx", ".xls", ".zip"):
        raise SpecError(f"{shown}: neither Parquet nor delimited text")
    found = _read_delimited(path, columns, shown)
    _check(columns, found.table.columns, shown)
    return found if columns is None else replace(found, table=found.table.select(columns))


def _check(columns: list[str] | None, available: list[str], shown: str) -> None:
    for name in columns or []:
        if name not in available:
            raise SpecError(
                f"{shown}: has no column {hide_numbers(name)!r}{others(columns or [], available)}"
            )


def _read_delimited(path: Path, columns: list[str] | None, shown: str) -> Delivered:
    raw = path.read_bytes()
    encoding, mark = encodings.sniff(raw[: 1 << 20])
    whole = encodings.decode(raw[mark:], encoding).utf8
    utf8 = whole.lstrip(b"\n")
    line, _, body = utf8.partition(b"\n")
    head = line.decode("utf-8", "replace")
    separator = max(",\t;|", key=head.count)
    names = [name.strip() for name in next(csv.reader([head], delimiter=separator), [])]
    if not any(names):
        raise SpecError(f"{shown}: is empty")
    for name in names:
        places = [n for n, other in enumerate(names, start=1) if other == name]
        if len(places) > 1:
            # Where the first line is a row of data, what stands there twice is a value.
            told = f" {hide_numbers(name)!r}" if name in (columns or []) else ""
            at = " and ".join(str(place) for place in places)
            raise SpecError(
                f"{shown}: columns {at} have one name{told}; has the file a first line of column names?"
            )
    block = delimited.split(body, separator, len(names), quoting=None, final=True)
    block.frame.columns = names
    table = block.frame.with_columns(pl.all().replace("", None))
    if not block.odd:
        return Delivered(table)
    unread = np.array(sorted(odd.at for odd in block.odd), dtype=np.int64)
    lines = np.arange(table.height) if block.at is None else block.at
    numbers = np.arange(table.height) + np.searchsorted(unread, lines)
    first = len(whole) - len(utf8) + 2
    return Delivered(table, pl.Series("id", numbers, dtype=pl.UInt32), tuple((unread + first).tolist()))


def learn_places(table: pl.DataFrame | pl.LazyFrame, side: Side) -> addresses.Places:
    """What a table teaches about places: its home, and names of townships and villages that it states with their codes.

    Where its places do not say which prefecture is home, the numbers of its people do. To be given to `records_of` for
    both tables. Raises `SpecError` when the table lacks a column of the specification.
    """
    side.check(table.collect_schema().names())
    frame = table.lazy().select(side.of("division", "address")).collect()
    found = addresses.learn_places(*_place_columns(frame, side))
    numbers = side.of("resident_id")[:1]
    if found.home is not None or not frame.width or not numbers:
        return found
    cells = table.lazy().select(numbers).collect().to_series()
    return replace(found, home=addresses.home_of_numbers(as_text(addresses.some(cells))))


def _place_columns(frame: pl.DataFrame, side: Side) -> tuple[list[pl.Series], list[pl.Series]]:
    divisions, texts = ([as_text(frame[name]) for name in side.of(kind)] for kind in ("division", "address"))
    return divisions, texts


def records_of(
    table: pl.DataFrame | pl.LazyFrame,
    side: Side,
    as_of: date,
    places: addresses.Places | None = None,
    numbers: pl.Series | None = None,
) -> Records:
    """Comparing forms of a table's records. Columns may be text or typed; rows keep their order and none is dropped.

    `as_of`: nobody is born later, and ages without a day of their own were true then. `places`: what `learn_places` found
    in one of the tables. `numbers`: what stands for the id of a record where the specification names no column, by default the
    number of the row from 0. Raises `SpecError` when the table lacks a column of the specification.
    """
    side.check(table.collect_schema().names())
    frame = table.lazy().select(side.needed).collect()
    if side.id is not None:
        ids = frame[side.id]
    else:
        ids = pl.int_range(frame.height, dtype=pl.UInt32, eager=True) if numbers is None else numbers
        ids = ids.alias("id")
    id_forms = _resident_ids(frame, side, as_of)
    rows = pl.DataFrame(
        [
            pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias("row"),
            *id_forms.get_columns()[:3],
            *_births(frame, side, id_forms["id_birth"], as_of).get_columns(),
            _sex(frame, side, id_forms["id_sex"]).alias("sex"),
            *addresses.place_forms(*_place_columns(frame, side), frame.height, places).get_columns(),
        ]
    )
    return Records(
        ids=ids,
        rows=rows.select(ROWS.names()),
        names=_names(frame, side),
        phones=_stacked([phone_cells.phone_rows(frame[name]) for name in side.of("phone")], PHONES),
        households=_stacked([_households(frame[name]) for name in side.of("household")], HOUSEHOLDS),
        others=_stacked(
            [_others(frame[name], name, side.columns[name]) for name in side.of("identifier", "text")], OTHERS
        ),
    )


def _stacked(frames: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    if len(frames) < 2:
        return frames[0] if frames else pl.DataFrame(schema=schema)
    long = pl.concat(frames)
    # Most records have one value; only those with several can have one of them twice.
    several = np.bincount(long["row"].to_numpy(), minlength=1) > 1
    places = several[long["row"].to_numpy()].nonzero()[0]
    some = long.select(pl.all().gather(pl.Series(places, dtype=pl.UInt32)))
    again = ~some.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    if not again.any():
        return long
    keep = np.ones(long.height, dtype=bool)
    keep[places[again.to_numpy()]] = False
    return long.filter(pl.Series(keep))


def _names(frame: pl.DataFrame, side: Side) -> pl.DataFrame:
    columns = side.of(*_NAME_KINDS)
    found = [name_rows(as_text(frame[name]), _NAME_KINDS[side.columns[name].kind]) for name in columns]
    return _stacked(found, NAMES)


def _empty(schema: pl.Schema, height: int) -> pl.DataFrame:
    return pl.DataFrame(
        [pl.repeat(None, height, dtype=kind, eager=True).alias(name) for name, kind in schema.items()]
    )


def _resident_ids(frame: pl.DataFrame, side: Side, as_of: date) -> pl.DataFrame:
    """Forms of the identity number; of several columns the first with a number that may name a person, then any."""
    columns = [id_cells.id_forms(frame[name], as_of) for name in side.of("resident_id")]
    if not columns:
        return _empty(id_cells.FORMS, frame.height)
    best, *others = columns
    for other in others:
        better = (best["id_key"].is_null() & other["id_key"].is_not_null()) | best["id_kind"].is_null()
        best = pl.DataFrame([other[name].zip_with(better, best[name]) for name in best.columns])
    return best


def _births(frame: pl.DataFrame, side: Side, known: pl.Series, as_of: date) -> pl.DataFrame:
    """The birth as it is stated, else as a valid number has it, else the interval of an incomplete date or an age.

    A number that contradicts what is stated, be it only an age, does not replace it.
    """
    stated = [birth_cells.stated_births(frame[name], as_of, known) for name in side.of("birth_date")]
    found = stated[0] if stated else _empty(birth_cells.FORMS, frame.height)
    for other in stated[1:]:
        found = _filled(found, other, found["birth_basis"].is_null())
    for name in side.of("age"):
        on = _days_of(frame, side.columns[name], as_of)
        spans = birth_cells.ages(frame[name], on, nominal=side.columns[name].nominal)
        aged = spans.select(
            pl.lit(None, dtype=pl.Date).alias("birth"),
            "birth_low",
            "birth_high",
            pl.when(pl.col("birth_low").is_not_null()).then(pl.lit("age")).alias("birth_basis"),
        )
        found = _filled(found, aged, found["birth_basis"].is_null())
    if known.null_count() != len(known):
        inside = (known >= found["birth_low"]) & (known <= found["birth_high"])
        vague = found["birth"].is_null()
        take = vague & known.is_not_null() & (found["birth_basis"].is_null() | inside.fill_null(False))
        if take.any():
            basis = pl.repeat("resident_id", len(known), dtype=pl.String, eager=True)
            filled = pl.DataFrame(
                {"birth": known, "birth_low": known, "birth_high": known, "birth_basis": basis}
            )
            found = _filled(found, filled, take)
    return found


def _filled(first: pl.DataFrame, second: pl.DataFrame, where: pl.Series) -> pl.DataFrame:
    if where.all():
        return second
    return pl.DataFrame([second[name].zip_with(where, first[name]).alias(name) for name in first.columns])


def _days_of(frame: pl.DataFrame, column: ColumnSpec, as_of: date) -> pl.Series:
    if isinstance(column.as_of, ColumnRef):
        return birth_cells.stated_births(frame[column.as_of.column])["birth"].fill_null(as_of)
    return pl.repeat(column.as_of or as_of, frame.height, dtype=pl.Date, eager=True)


def _sex(frame: pl.DataFrame, side: Side, known: pl.Series) -> pl.Series:
    found = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    for name in side.of("sex"):
        found = (
            found.fill_null(_sex_of(as_text(frame[name])))
            if found.null_count() < len(found)
            else _sex_of(as_text(frame[name]))
        )
    return found.fill_null(known) if found.null_count() else found


def _sex_of(texts: pl.Series) -> pl.Series:
    if only_these(texts, ("1", "2")):
        return texts
    values, codes = distinct(texts)
    folded = (
        values.alias("v")
        .to_frame()
        .select(half_width(pl.col("v")).str.to_uppercase().str.replace_all(r"\s", ""))
    )
    return folded["v"].replace_strict(SEX, default=None, return_dtype=pl.String).gather(codes)


_PLAIN_NUMBER = r"^[0-9A-Z]+$"


def _households(cells: pl.Series) -> pl.DataFrame:
    """Numbers of households: row, household; leading zeros go, because spreadsheets drop them."""
    found = _long(_folded(as_text(cells)), "household")
    if not found["household"].str.starts_with("0").any():
        return found
    bare = pl.col("household").str.strip_chars_start("0")
    return found.with_columns(bare).filter(pl.col("household").str.len_bytes() > 0)


def _folded(texts: pl.Series) -> pl.Series:
    """Numbers of documents in upper case and one width without blanks; words for nothing are null."""
    if texts.str.contains(_PLAIN_NUMBER).all() and not texts.is_in(NOTHING).any():
        return texts
    values, codes = distinct(texts)
    bare = (
        half_width(pl.col("v"))
        .str.to_uppercase()
        .str.replace_all(r"\s", "")
        .str.replace(r"^([0-9]+)\.0+$", "$1")
    )
    table = values.alias("v").to_frame().select(value=pl.when(~bare.is_in(NOTHING.to_list())).then(bare))
    return table["value"].gather(codes)


def _long(values: pl.Series, name: str) -> pl.DataFrame:
    rows = pl.int_range(len(values), dtype=pl.UInt32, eager=True).alias("row")
    return pl.DataFrame([rows, values.alias(name)]).drop_nulls(name)


def _others(cells: pl.Series, name: str, column: ColumnSpec) -> pl.DataFrame:
    """Identifiers and texts: row, kind (the column), value."""
    texts = as_text(cells)
    if column.kind == "identifier":
        found = _long(_folded(texts), "value").filter(~pl.col("value").str.contains(r"^0*$"))
    else:
        values, codes = distinct(texts)
        folded = half_width(pl.col("v")).str.to_uppercase()
        table = (
            values.alias("v").to_frame().select(value=pl.when(~folded.is_in(NOTHING.to_list())).then(folded))
        )
        found = _long(table["value"].gather(codes), "value")
    return found.select("row", pl.lit(name).alias("kind"), "value")
