"""How rows become files in an inbox: spelling of values, delimiters, encodings, headers, workbooks, manifests.

Typed frames go in, with the fields of a contract; what lies in the inbox afterwards looks as a department would
have sent it. Who is who and what goes wrong with a record is not decided here; what befalls a file as a whole
arrives as `FileEvents`. Files are appended to block by block, so nothing here holds a class in memory.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import zipfile
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import polars as pl
import yaml

from data_contracts.contract import Contract, FieldSpec, codes_of
from sample_data.damage import Damage
from sample_data.file_events import FileEvents
from sample_data.odds import Flags, Ints, chance, uniform
from sample_data.sheets import FIXED_TIME, ILLEGAL, Sheet, column_letter

DATE_FORMATS = ["%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y-%-m-%-d"]
USUAL_DATES = {"yyyymmdd": "%Y%m%d", "yyyy-mm-dd": "%Y-%m-%d", "yyyy/m/d": "%Y/%-m/%-d"}
MONTH_FORMATS = ["%Y%m", "%Y-%m", "%Y年%m月", "%Y/%m"]
SEPARATORS = ["、", ",", ";", " "]
SHEET_ROWS = 200_000
"""Data rows in one workbook; a class that has more arrives in several files."""
EXCEL_EPOCH = date(1899, 12, 30)
_NUMBERS = ("money", "decimal", "integer", "year")
_LONG_NUMBERS = ("resident_id", "account_no", "disability_cert_no", "student_no")


@dataclass(frozen=True)
class Spelling:
    """How one source writes values; a property of its system, the same every night."""

    date_format: str
    other_date_format: str
    month_format: str
    separator: str
    labels: bool
    """Codes arrive as their Chinese labels."""
    yes_no: tuple[str, str]
    empty: str
    serial_dates: bool
    """Dates of a workbook are real dates, not text."""


def spelling(damage: Damage, contract: Contract) -> Spelling:
    """Spelling of a source, chosen by seed and class."""

    def choose(options: list[Any], name: str) -> Any:
        return options[int(chance(damage.seed, contract.id, "spelling", name) * len(options))]

    workbook = contract.delivery.format == "workbook"
    fixed = contract.delivery.format == "fixed_width"
    if fixed:
        return Spelling("%Y%m%d", "%Y%m%d", "%Y%m", "、", False, ("1", "0"), "", False)
    usual = USUAL_DATES[contract.delivery.dates]
    formats = [usual, usual, "%Y/%m/%d", "%Y年%m月%d日"] if workbook else [usual]
    return Spelling(
        date_format=choose(formats, "date"),
        other_date_format=choose([f for f in DATE_FORMATS if f != usual], "other date"),
        month_format=choose(MONTH_FORMATS if workbook else MONTH_FORMATS[:2], "month"),
        separator=choose(SEPARATORS if contract.delivery.delimiter != "," else ["、", ";"], "separator"),
        labels=workbook and choose([True, True, False], "labels"),
        yes_no=choose(
            [("是", "否"), ("1", "0")] if workbook else [("1", "0"), ("Y", "N"), ("是", "否")], "yes"
        ),
        empty="" if workbook else choose(["", "", "", "", "NULL", "\\N"], "empty"),
        serial_dates=workbook and choose([True, False], "serial"),
    )


def _dates(values: pl.Series, form: str) -> pl.Series:
    """Dates as text. Few different days stand in many rows, so days are spelled once each."""
    days = values.cast(pl.Int32)
    low, high = days.min(), days.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    calendar = pl.Series(range(low, high + 1), dtype=pl.Int32).cast(pl.Date).dt.to_string(form)
    return calendar.gather((days - low).cast(pl.UInt32)).alias(values.name)


def _plain(values: pl.Series) -> pl.Series:
    """Decimals as text without trailing zeros beyond two places."""
    text = values.cast(pl.String)
    if isinstance(values.dtype, pl.Decimal) and (values.dtype.scale or 0) > 2:
        text = text.str.replace(r"(\.\d\d\d*?)0+$", "$1")
    return text


def spell(
    contract: Contract, frame: pl.DataFrame, how: Spelling, other_format: Flags | None = None
) -> pl.DataFrame:
    """The contract's fields as text in the source's spelling; columns in the contract's order.

    Money comes in yuan and leaves in the unit of the contract. `other_format` marks rows whose dates are
    spelled in another format than the rest.
    """
    columns = []
    for spec in contract.fields:
        if spec.name not in frame.columns:
            columns.append(pl.Series(spec.name, [None] * frame.height, dtype=pl.String))
            continue
        values = frame[spec.name]
        columns.append(_spell_column(spec, values, how, other_format).alias(spec.name))
    return pl.DataFrame(columns)


def _spell_column(spec: FieldSpec, values: pl.Series, how: Spelling, other_format: Flags | None) -> pl.Series:
    kind = values.dtype
    if kind == pl.Date:
        form = how.month_format if spec.type == "month" else how.date_format
        text = _dates(values, form)
        if spec.type == "date" and other_format is not None:
            rows = np.flatnonzero(other_format)
            if len(rows):
                text = text.scatter(rows, _dates(values.gather(rows), how.other_date_format))
        return text
    if isinstance(kind, pl.Datetime):
        return values.dt.to_string("%Y-%m-%d %H:%M:%S")
    if kind == pl.Boolean:
        yes, no = how.yes_no
        if spec.codes is not None and spec.type == "code":
            yes, no = "1", "0"
        return pl.Series([no, yes], dtype=pl.String).gather(values.cast(pl.UInt32))
    if isinstance(kind, pl.List):
        return values.list.join(how.separator)
    if isinstance(kind, pl.Decimal):
        if spec.type == "money" and (spec.unit or "").startswith("万元"):
            values = values.cast(pl.Decimal(38, 6)) / pl.Series([Decimal(10000)], dtype=pl.Decimal(38, 6))
            values = values.cast(pl.Decimal(38, 6))
        return _plain(values)
    if kind.is_integer():
        return values.cast(pl.String)
    if spec.type == "code" and how.labels:
        listed = codes_of(spec)
        if listed is not None:
            labels = {c: z for c, z in listed.codes.items() if list(listed.codes.values()).count(z) == 1}
            return values.replace(labels)
    return values.cast(pl.String)


# ---------------------------------------------------------------- files


@dataclass(frozen=True)
class Written:
    """A finished file, as its manifest tells it."""

    class_id: str
    path: Path
    rows: int
    kind: str
    encoding: str
    declared_encoding: str | None
    totals: dict[str, Decimal]
    """Control totals of the first amounts, in the unit of the file."""


class Sink(Protocol):
    """A file, or a row of files, that rows are appended to."""

    def append(self, text: pl.DataFrame, spared: Flags) -> list[tuple[str, int, int]]:
        """Write the rows; file name, first data row (from 1) and number of rows of every piece."""

    def close(self) -> list[Written]:
        """Finish; what was written."""


def _header(contract: Contract, events: FileEvents) -> list[tuple[str, str]]:
    """Field and header in the order of this delivery."""
    pairs = [(spec.name, spec.source) for spec in contract.fields]
    if events.renamed is not None:
        spec = contract.fields[events.renamed]
        pairs[events.renamed] = (spec.name, spec.source_aliases[0])
    if events.units_in_header:
        units = {spec.name: spec.unit for spec in contract.fields if spec.type == "money"}
        pairs = [(name, f"{header}({units[name]})" if units.get(name) else header) for name, header in pairs]
    if events.moved is not None:
        pairs.append(pairs.pop(events.moved))
    return pairs


def _sample(rows: int, share: float, spared: Flags, seed: int, *names: object) -> Ints:
    """Sampled rows for damage of a line; never rows of planted people."""
    if share <= 0 or rows == 0:
        return np.zeros(0, dtype=np.int64)
    u = np.where(spared, 1.0, uniform(np.arange(rows), seed, *names))
    hit = np.flatnonzero(u < share)
    if len(hit) == 0 and rows >= 20 and not spared.all():
        hit = np.array([int(u.argmin())])
    return hit


def _mojibake(texts: list[str | None]) -> list[str | None]:
    """UTF-8 that somebody read as GBK, or GBK read as Latin-1 where the first would lose the last character."""
    changed: list[str | None] = []
    for text in texts:
        try:
            changed.append(None if text is None else text.encode("utf-8").decode("gb18030"))
        except UnicodeDecodeError:
            changed.append(None if text is None else text.encode("gb18030").decode("latin-1"))
    return changed


@dataclass
class _Named:
    contract: Contract
    folder: Path
    kind: str
    events: FileEvents
    seed: int
    batch: date
    label: str = ""
    rows: int = 0
    blocks: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def add_up(self, text: pl.DataFrame) -> None:
        """Add the amounts of a block to the control totals."""
        for spec in self.contract.fields:
            if spec.type == "money" and spec.name in text.columns:
                amounts = text[spec.name].cast(pl.Decimal(38, 6), strict=False).sum()
                exact = Decimal(amounts or 0).quantize(Decimal("0.000001"))
                self.sums[spec.name] = self.sums.get(spec.name, Decimal(0)) + exact

    def finished(self, path: Path, rows: int, encoding: str) -> Written:
        """The file as its manifest tells it."""
        totals = dict(list(self.sums.items())[:2])
        declared = self.events.declared_encoding
        return Written(self.contract.id, path, rows, self.kind, encoding, declared, totals)

    def name(self, part: int = 1, suffix: str | None = None) -> str:
        """File name of a part."""
        pieces = [self.contract.id]
        if self.label:
            pieces.append(self.label)
        if part > 1:
            pieces.append(str(part))
        return ".".join([*pieces, suffix or self.contract.delivery.suffix])

    def salted(self, what: str) -> tuple[object, ...]:
        return (self.contract.id, self.batch, self.blocks, what)

    def cells_damaged(self, text: pl.DataFrame, spared: Flags) -> pl.DataFrame:
        """Mojibake, control characters and line breaks in cells of sampled rows."""
        wordy = [
            spec.name
            for spec in self.contract.fields
            if spec.type in ("text", "address", "person_name") and spec.name in text.columns
        ]
        if not wordy:
            return text
        events, height = self.events, text.height
        rows = _sample(height, events.mojibake, spared, self.seed, *self.salted("mojibake"))
        for name in wordy if len(rows) else []:
            new = pl.Series(_mojibake(text[name].gather(rows).to_list()), dtype=pl.String)
            text = text.with_columns(text[name].scatter(rows, new))
        last = wordy[-1]
        rows = _sample(height, events.control, spared, self.seed, *self.salted("control"))
        if len(rows):
            text = text.with_columns(text[last].scatter(rows, text[last].gather(rows) + "\x00"))
        rows = _sample(height, events.breaks, spared, self.seed, *self.salted("breaks"))
        free = [
            s.name for s in self.contract.fields if s.type in ("text", "address") and s.name in text.columns
        ]
        if len(rows) and free:
            cell = text[free[-1]].gather(rows)
            text = text.with_columns(
                text[free[-1]].scatter(rows, cell.str.head(2) + "\n" + cell.str.slice(2))
            )
        return text


@dataclass
class DelimitedSink(_Named):
    """Text with a delimiter, quoted or not, in one file that grows; zipped at the end where the class asks for it."""

    total: int = 0
    stream: BinaryIO | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zipped = self.contract.delivery.suffix == "zip" or self.events.zipped
        self.inner = f"{self.contract.title.zh}.txt"
        self.path = self.folder / (self.name() if not self.zipped else self.name(suffix="txt"))
        self.stream = self.path.open("wb")
        self.fields = _header(self.contract, self.events)
        self.codec = {"gb18030": "gb18030", "utf-16-le": "utf-16-le"}.get(self.events.encoding, "utf-8")
        if self.events.bom:
            self.stream.write("\ufeff".encode(self.codec))
        self.stream.write(self._encoded(self._line([h for _, h in self.fields])))

    def _line(self, cells: list[str]) -> str:
        delimiter = self.contract.delivery.delimiter or ","
        if self.contract.delivery.quoted:
            cells = ['"' + c.replace('"', '""') + '"' for c in cells]
        return delimiter.join(cells) + "\r\n"

    def _encoded(self, text: str) -> bytes:
        return text.encode(self.codec)

    def _block(self, text: pl.DataFrame, ending: str = "\r\n") -> str:
        if text.height == 0:
            return ""
        delivery = self.contract.delivery
        buffer = io.BytesIO()
        text.write_csv(
            buffer,
            include_header=False,
            separator=delivery.delimiter or ",",
            line_terminator=ending,
            quote_style="always" if delivery.quoted else "never",
            null_value="",
        )
        return buffer.getvalue().decode("utf-8")

    def append(self, text: pl.DataFrame, spared: Flags) -> list[tuple[str, int, int]]:
        """Append the rows as they stand; a few lines may come out ragged or in another encoding."""
        stream = self.stream
        if stream is None:
            raise ValueError("the file is closed")
        name = self.name(suffix="zip") if self.zipped else self.name()
        if text.height == 0:
            return []
        self.add_up(text)
        text = self.cells_damaged(text, spared).select([f for f, _ in self.fields])
        text = self._without_delimiters(text)
        events, height = self.events, text.height
        ragged = _sample(height, events.ragged, spared, self.seed, *self.salted("ragged"))
        cuts: dict[int, str] = {}
        if events.repeated_header and self.blocks == 0 and height > 40:
            cuts[height // 2] = "header"
        for row in ragged.tolist():
            cuts.setdefault(row, "ragged")
        pasted = self._pasted(height, spared, cuts)
        edges = sorted({0, height, *pasted, *cuts, *(r + 1 for r, k in cuts.items() if k == "ragged")})
        for low, high in itertools.pairwise(edges):
            if cuts.get(low) == "header":
                stream.write(self._encoded(self._line([h for _, h in self.fields])))
            piece = text.slice(low, high - low)
            if cuts.get(low) == "ragged":
                # Every other ragged line has a cell too many, the rest lost their last.
                lost = low % 2 == 0 and piece.width > 2
                piece = (
                    piece.drop(piece.columns[-1]) if lost else piece.with_columns(pl.lit("0").alias("_more"))
                )
            ending = "\n" if events.mixed_newlines and low >= height // 2 else "\r\n"
            block = self._block(piece, ending)
            if pasted and low >= pasted[0] and high <= pasted[1]:
                stream.write(block.encode("utf-8" if events.encoding == "gb18030" else "gb18030"))
            else:
                for start in range(0, len(block), 1 << 24):
                    stream.write(self._encoded(block[start : start + (1 << 24)]))
        first = self.rows + 1
        self.rows += height
        self.blocks += 1
        return [(name, first, height)]

    def _pasted(self, height: int, spared: Flags, cuts: dict[int, str]) -> list[int]:
        """A run of rows that came from a client with another encoding: first and last edge, or nothing."""
        if not self.events.mixed_encoding or self.blocks or height < 40 or cuts:
            return []
        low = int(chance(self.seed, *self.salted("pasted")) * height * 0.8)
        high = min(low + max(3, height // 50), height)
        return [] if spared[low:high].any() else [low, high]

    def _without_delimiters(self, text: pl.DataFrame) -> pl.DataFrame:
        """Without quotes a delimiter in a cell would be a second cell: sources write it wide."""
        delivery = self.contract.delivery
        if delivery.quoted:
            return text
        wide = {"|": "｜", ",": "，", "\t": " "}[delivery.delimiter or ","]
        open_text = [
            spec.name
            for spec in self.contract.fields
            if spec.type in ("text", "address", "text_list", "person_name_list", "resident_id_list")
        ]
        return text.with_columns(
            pl.col(open_text).str.replace_all(delivery.delimiter or ",", wide, literal=True)
        )

    def close(self) -> list[Written]:
        """Total row, end mark, and the archive where the class asks for one."""
        stream = self.stream
        if stream is None:
            return []
        if self.events.total_row:
            cells = ["合计", *[""] * (len(self.fields) - 2), str(self.rows)]
            stream.write(self._encoded(self._line(cells[: len(self.fields)])))
        if self.events.end_mark:
            stream.write("\x1a".encode(self.codec))
        stream.close()
        self.stream = None
        path = self.path
        if self.zipped:
            path = self.folder / self.name(suffix="zip")
            with zipfile.ZipFile(path, "w") as archive:
                _pack(archive, self.inner, self.path)
            self.path.unlink()
        return [self.finished(path, self.rows, self.events.encoding)]


def _pack(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name, FIXED_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as target, path.open("rb") as source:
        while chunk := source.read(1 << 20):
            target.write(chunk)


@dataclass
class FixedWidthSink(_Named):
    """Columns of a fixed number of bytes, as old fund systems write them; no header, no delimiter."""

    stream: BinaryIO | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / self.name()
        self.stream = self.path.open("wb")
        self.codec = "gb18030" if self.events.encoding == "gb18030" else "utf-8"

    def append(self, text: pl.DataFrame, spared: Flags) -> list[tuple[str, int, int]]:
        """Append the rows; a value that is too long loses its end, never half a character."""
        if self.stream is None:
            raise ValueError("the file is closed")
        if text.height == 0:
            return []
        self.add_up(text)
        padded = [self._padded(text[spec.name], spec) for spec in self.contract.fields]
        lines = pl.DataFrame(padded).select(pl.concat_str(pl.all()).alias("line"))
        # Bytes stand in the frame as Latin-1 characters, so that padding is counted in bytes.
        buffer = io.BytesIO()
        lines.write_csv(buffer, include_header=False, quote_style="never", line_terminator="\r\n")
        self.stream.write(buffer.getvalue().decode("utf-8").encode("latin-1"))
        first = self.rows + 1
        self.rows += text.height
        self.blocks += 1
        return [(self.name(), first, text.height)]

    def _padded(self, values: pl.Series, spec: FieldSpec) -> pl.Series:
        width = spec.width or 20
        right = spec.type in _NUMBERS
        distinct = values.fill_null("").unique()
        padded = []
        for value in distinct.to_list():
            encoded = value.encode(self.codec)
            while len(encoded) > width:
                value = value[:-1]
                encoded = value.encode(self.codec)
            padded.append((encoded.rjust(width) if right else encoded.ljust(width)).decode("latin-1"))
        return (
            values.fill_null("").replace_strict(distinct, pl.Series(padded, dtype=pl.String)).alias(spec.name)
        )

    def close(self) -> list[Written]:
        """Finish the file."""
        if self.stream is None:
            return []
        if self.events.end_mark:
            self.stream.write(b"\x1a")
        self.stream.close()
        self.stream = None
        return [self.finished(self.path, self.rows, self.events.encoding)]


@dataclass
class JsonSink(_Named):
    """One array of objects, keys are the headers."""

    stream: BinaryIO | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / self.name()
        self.stream = self.path.open("wb")
        self.stream.write(b"[")
        self.fields = _header(self.contract, self.events)

    def append(self, text: pl.DataFrame, spared: Flags) -> list[tuple[str, int, int]]:
        """Append the rows as objects."""
        if self.stream is None:
            raise ValueError("the file is closed")
        if text.height == 0:
            return []
        self.add_up(text)
        named = self.cells_damaged(text, spared).select([pl.col(f).alias(h) for f, h in self.fields])
        lines = named.write_ndjson().rstrip("\n").replace("\n", ",\n")
        self.stream.write((",\n" if self.rows else "\n").encode() + lines.encode("utf-8"))
        first = self.rows + 1
        self.rows += text.height
        self.blocks += 1
        return [(self.name(), first, text.height)]

    def close(self) -> list[Written]:
        """Close the array."""
        if self.stream is None:
            return []
        self.stream.write(b"\n]\n")
        self.stream.close()
        self.stream = None
        return [self.finished(self.path, self.rows, "utf-8")]


# ---------------------------------------------------------------- workbooks


def _short(amount: Decimal | None) -> Decimal | None:
    """An amount without trailing zeros."""
    return None if amount is None else Decimal(f"{amount.normalize():f}")


@dataclass
class WorkbookSink(_Named):
    """Workbooks with a title above the header and, mostly, a 合计 row below; several when the class is large."""

    spelling: Spelling | None = None
    sheet: Sheet | None = None
    part: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fields = _header(self.contract, self.events)
        self.specs = {spec.name: spec for spec in self.contract.fields}
        self.written: list[Written] = []
        self._next()

    def _next(self) -> None:
        self._finish()
        self.part += 1
        self.path = self.folder / self.name(self.part)
        self.sheet = sheet = Sheet(self.path)
        self.sums = {}
        if self.events.titles:
            last = column_letter(len(self.fields))
            sheet.line([self.contract.title.zh + "明细表"])
            sheet.merges.append(f"A1:{last}1")
            if chance(self.seed, self.contract.id, "second title") < 0.5:
                sheet.line([f"填报单位:{self.contract.supplying_unit}"])
                sheet.merges.append(f"A2:{last}2")
        sheet.line([h for _, h in self.fields])

    def _finish(self) -> None:
        if self.sheet is None:
            return
        if self.events.total_row and self.sheet.rows:
            if chance(self.seed, self.contract.id, self.batch, "blank row") < 0.5:
                self.sheet.line([])
            total: list[str | Decimal | int | None] = ["合计"]
            total += [_short(self.sums.get(f)) for f, _ in self.fields[1:]]
            self.sheet.line(total)
        self.sheet.close()
        self.written.append(self.finished(self.path, self.sheet.rows, "workbook"))
        self.sheet = None

    def append(self, text: pl.DataFrame, spared: Flags) -> list[tuple[str, int, int]]:
        """Append the rows, beginning a new workbook when one is full."""
        text = self.cells_damaged(text, spared)
        pieces, low = [], 0
        while low < text.height:
            if self.sheet is None or self.sheet.rows >= SHEET_ROWS:
                self._next()
            sheet = self.sheet
            if sheet is None:
                raise ValueError("the file is closed")
            size = min(SHEET_ROWS - sheet.rows, text.height - low)
            piece = text.slice(low, size)
            self.add_up(piece)
            pieces.append((self.path.name, sheet.rows + 1, size))
            sheet.block(piece.select([self._cells(piece[f], self.specs[f]) for f, _ in self.fields]))
            low += size
        self.rows += text.height
        self.blocks += 1
        return pieces

    def _cells(self, values: pl.Series, spec: FieldSpec) -> pl.Series:
        clean = values.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
        if spec.type not in _NUMBERS and spec.type not in ("date", "month", "code"):
            clean = clean.str.replace_all(ILLEGAL, "")
        text = '<c t="inlineStr"><is><t xml:space="preserve">' + clean + "</t></is></c>"
        number = "<c><v>" + clean + "</v></c>"
        frame = pl.DataFrame({"v": values, "t": text, "n": number})
        chosen = pl.col("t")
        if spec.type in _NUMBERS:
            chosen = (
                pl.when(pl.col("v").str.contains(r"^-?\d+(\.\d+)?$")).then(pl.col("n")).otherwise(pl.col("t"))
            )
        elif self.events.spreadsheet and spec.type in _LONG_NUMBERS:
            # Fifteen significant digits survive; the rest of the number is gone for ever.
            lossy = "<c><v>" + pl.col("v").str.slice(0, 15) + "000</v></c>"
            chosen = pl.when(pl.col("v").str.contains(r"^\d{16,}$")).then(lossy).otherwise(pl.col("t"))
        elif spec.type == "date" and self.spelling is not None and self.spelling.serial_dates:
            serial = (
                pl.col("v").str.to_date(self.spelling.date_format, strict=False) - pl.lit(EXCEL_EPOCH)
            ).dt.total_days()
            chosen = (
                pl.when(serial.is_not_null())
                .then(pl.lit('<c s="1"><v>') + serial.cast(pl.String) + "</v></c>")
                .otherwise(pl.col("t"))
            )
        return frame.select(chosen.fill_null("<c/>").alias(spec.name)).to_series()

    def close(self) -> list[Written]:
        """Finish the last workbook."""
        self._finish()
        return self.written


def open_sink(
    contract: Contract,
    inbox: Path,
    batch: date,
    kind: str,
    events: FileEvents,
    damage: Damage,
) -> Sink:
    """A sink for one class on one night. The kind stands in the name when it is not the usual one."""
    label = "" if kind == contract.delivery.kind else kind
    folder = inbox / batch.isoformat() / contract.department
    common: dict[str, Any] = {
        "contract": contract,
        "folder": folder,
        "kind": kind,
        "events": events,
        "seed": damage.seed,
        "batch": batch,
        "label": label,
    }
    match contract.delivery.format:
        case "workbook":
            return WorkbookSink(**common, spelling=spelling(damage, contract))
        case "fixed_width":
            return FixedWidthSink(**common)
        case "json":
            return JsonSink(**common)
        case _:
            return DelimitedSink(**common)


def write_manifest(folder: Path, written: list[Written]) -> Path:
    """`_manifest.yaml` beside the files of a department: rows, hash, kind, and the encoding as declared."""
    entries = []
    for item in sorted(written, key=lambda w: w.path.name):
        digest = hashlib.sha256()
        with item.path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        entry: dict[str, Any] = {
            "file": item.path.name,
            "class": item.class_id,
            "kind": item.kind,
            "rows": item.rows,
            "sha256": digest.hexdigest(),
        }
        if item.totals:
            entry["totals"] = {name: f"{amount.normalize():f}" for name, amount in item.totals.items()}
        if item.encoding != "workbook":
            entry["encoding"] = item.declared_encoding or item.encoding
        entries.append(entry)
    path = folder / "_manifest.yaml"
    path.write_text(yaml.safe_dump({"files": entries}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
