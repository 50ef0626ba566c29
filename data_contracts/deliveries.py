"""A file on disk -> numbered rows of text, whatever it is: delimited, fixed width, workbook, JSON, or these in a zip.

What is found on the way (another encoding, a torn line, a title) is noted, never dropped in silence. What a column
means belongs in `headers.py`, what a cell means in `field_types.py`, what becomes of a row in `reading.py`.
"""

from __future__ import annotations

import codecs
import io
import itertools
import json
import queue
import re
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, TypeVar

import numpy as np
import polars as pl

from data_contracts.contract import Contract
from data_contracts.delimited import Block, Odd, empty_frame, split
from data_contracts.encodings import Encoding, decode, sniff
from data_contracts.field_types import BLANKS
from data_contracts.headers import count_known, header_key, known_headers, looks_garbled
from data_contracts.workbooks import BrokenWorkbook, sheets

BLOCK_BYTES = 16 << 20
"""Text is read in blocks of about this size; memory grows with it, not with the file."""

HEAD_BYTES = 1 << 20
"""Encoding, separator and header are found in the first so many bytes."""

LONGEST_LINE = 32 << 20
"""A line longer than this is cut; it is no line."""

ROWS_AT_ONCE = 50_000
"""Rows of a workbook or a JSON file in one batch."""

LARGEST_MEMBER = 4 << 30
"""Bytes of one file in a zip; more is refused as a decompression bomb."""

LARGEST_SALVAGED = 1 << 30
"""The same for a member of a broken zip, whose size nobody states beforehand. It is inflated into a temporary file."""

HEADER_WITHIN = 30
TOTAL = r"^[\s\u3000]*(?:本页|本月|本年|全部|以上)?[\s\u3000]*[合总小累共][\s\u3000]*计[\s\u3000]*[:：]?[\s\u3000]*[0-9]*[\s\u3000]*(?:人|户|条|笔|元)?[\s\u3000]*$"
FIELD_MARK = "\x1f"
"""Stands between the columns of a fixed-width line once they are cut."""

DELIMITERS_ZH = {",": "逗号", "|": "竖线", "\t": "制表符", ";": "分号", "^": "脱字符", "~": "波浪号"}
FORMATS_ZH = {"delimited": "分隔符文本", "fixed_width": "定长文本", "workbook": "Excel工作簿", "json": "JSON"}


class Unreadable(ValueError):  # noqa: N818 - says what the file is
    """The file cannot be used at all. `reason` is a code of `issues.py`, `words` fill its sentence."""

    def __init__(self, reason: str, **words: Any) -> None:
        super().__init__(reason)
        self.reason, self.words = reason, words


@dataclass(frozen=True)
class Note:
    """Something about a part or one of its rows that somebody should know."""

    reason: str
    row: int | None = None
    words: dict[str, Any] = field(default_factory=dict)


@dataclass
class Batch:
    """Some rows of a part. Columns are named by position: "0", "1" ..."""

    frame: pl.DataFrame
    rows: pl.Series
    """Data row of the file, from 1, of each row of the frame."""
    odd: list[Odd] = field(default_factory=list)
    """Rows that could not be brought into columns; `at` is the data row."""
    other: int = 0
    """Lines that are no data: blanks, repeated headers, totals."""
    notes: list[Note] = field(default_factory=list)
    is_tidy: bool = False
    """No cell has outer blanks or line breaks, and none may have been read in the wrong encoding."""


@dataclass
class Part:
    """One table of the delivery: the file itself, a sheet, a member of a zip."""

    headers: list[str | None]
    batches: Iterator[Batch]
    name: str | None = None
    is_1904: bool = False


@dataclass
class Delivery:
    """What a file turned out to be. Parts are read one after the other."""

    format: str = "delimited"
    encoding: str = ""
    other: int = 0
    """Titles and headers, which are no data."""
    notes: list[Note] = field(default_factory=list)
    parts: Iterator[Part] = field(default_factory=lambda: iter(()))
    is_truncated: str | None = None
    """How it shows that the end is missing, in Chinese; known when all parts are read."""


def open_delivery(stream: BinaryIO, contract: Contract, declared_encoding: str | None = None) -> Delivery:
    """Looks at a file and says what it is; Unreadable when it is nothing that we know.

    The caller keeps the stream open while the parts are read. Unreadable may also come from reading the parts.
    """
    delivery = Delivery()
    delivery.parts = _parts(stream, delivery, contract, declared_encoding, _Counter(), name=None)
    return delivery


class _Counter:
    """Data rows so far, over all parts of a file."""

    def __init__(self) -> None:
        self.rows = 0


def _parts(
    stream: BinaryIO,
    delivery: Delivery,
    contract: Contract,
    declared: str | None,
    counter: _Counter,
    name: str | None,
) -> Iterator[Part]:
    head = stream.read(HEAD_BYTES)
    if not head.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf"):
        raise Unreadable("empty_file")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        content = stream if stream.seekable() else io.BytesIO(head + stream.read())
        content.seek(0)
        if head.startswith(b"PK") and name is None and not _is_workbook(content, head):
            content.seek(0)
            return _zip_parts(content, delivery, contract, declared, counter)
        content.seek(0)
        delivery.format = "workbook"
        delivery.encoding = "workbook"
        return _workbook_parts(content.read(), delivery, contract, counter)
    encoding, mark = sniff(head, declared or contract.delivery.encoding)
    delivery.encoding = "utf-8-sig" if encoding == "utf-8" and mark else encoding
    first = decode(head[mark : mark + 4096], encoding).utf8.lstrip(b" \t\r\n")[:1]
    if first in (b"[", b"{"):
        delivery.format = "json"
        return _json_parts(head[mark:], stream, encoding, delivery, counter)
    return iter([_text_part(head, mark, stream, encoding, delivery, contract, counter)])


# --- text -------------------------------------------------------------------------------------------------------


def _text_part(
    head: bytes,
    mark: int,
    stream: BinaryIO,
    encoding: Encoding,
    delivery: Delivery,
    contract: Contract,
    counter: _Counter,
) -> Part:
    newline = _newline(head, encoding)
    top = head[mark:].split(newline)[: HEADER_WITHIN + 1]
    lines = [decode(line, encoding).utf8.decode("utf-8", "replace").rstrip("\r") for line in top]
    if len(head) >= HEAD_BYTES and len(top) <= HEADER_WITHIN:
        lines = lines[:-1] or lines
    known = known_headers(contract)
    separator, at = _find_header(lines, contract, known)
    source = _Source(head, mark, stream, newline, encoding)
    if at is not None:
        delivery.format = "delimited"
        headers: list[str | None] = list(_header_fields(lines[at], separator))
        _drop_unnamed(headers, lines[at + 1 :], separator)
        above = at + 1
    elif contract.delivery.format == "fixed_width" or (
        len(lines[0]) > 0 and _fits_fixed_width(top, contract)
    ):
        delivery.format = "fixed_width"
        return _fixed_width_part(lines, source, encoding, delivery, contract, counter)
    elif separator and _is_headless(lines, separator, contract):
        delivery.format = "delimited"
        headers = [spec.source for spec in contract.fields]
        above = 0
        delivery.notes.append(Note("header_absent"))
    else:
        raise _no_header(lines, contract)
    if separator != contract.delivery.delimiter and contract.delivery.delimiter and separator != FIELD_MARK:
        delivery.notes.append(
            Note(
                "delimiter_differs",
                words={
                    "found": DELIMITERS_ZH.get(separator, "其他字符"),
                    "expected": DELIMITERS_ZH[contract.delivery.delimiter],
                },
            )
        )
    delivery.other += above
    # Without a sign of quotes so far each block is asked: most writers quote only the fields that need it.
    quoting = True if contract.delivery.quoted or _has_quoted_field(lines, separator) else None
    source.skip(above)
    blocks = _blocks(source, separator, len(headers), quoting=quoting, delivery=delivery)
    return Part(headers, _numbered(prefetched(blocks), headers, counter))


def _newline(head: bytes, encoding: Encoding) -> bytes:
    for mark in ("\n", "\r"):
        newline = mark.encode(encoding)
        if newline in head:
            return newline
    return "\n".encode(encoding)


def _header_fields(line: str, separator: str) -> list[str]:
    return [text.strip(BLANKS + '"') for text in line.split(separator)]


def _drop_unnamed(headers: list[str | None], below: list[str], separator: str) -> None:
    """A separator at the end of the header is no column, unless the rows have as many."""
    named = len(headers)
    while named > 1 and not header_key(headers[named - 1]):
        named -= 1
    widths = [line.count(separator) + 1 for line in below if line.strip(BLANKS + separator)]
    if sum(width >= len(headers) for width in widths) * 2 <= len(widths):
        del headers[named:]


def _find_header(lines: list[str], contract: Contract, known: dict[str, Any]) -> tuple[str, int | None]:
    """The separator and the line of the header; the separator alone (from the contract or the lines) when there is none."""
    agreed = contract.delivery.delimiter
    candidates = [s for s in dict.fromkeys((agreed, "|", ",", "\t", ";", "^", "~", FIELD_MARK, "，")) if s]
    best, where = 0, None
    found: str = agreed or ""
    for separator in candidates:
        for at, line in enumerate(lines):
            if separator not in line:
                continue
            score = count_known(_header_fields(line, separator), known)
            if score > best:
                best, found, where = score, separator, at
    if best == 0 and len(contract.fields) == 1:
        for at, line in enumerate(lines):
            if count_known([line], known):
                return agreed or ",", at
    if best < min(2, len(contract.fields)):
        where = None
    return found, where


def _no_header(lines: Sequence[str], contract: Contract) -> Unreadable:
    """Why no header was found in the first lines: they are garbled, or there is none."""
    if looks_garbled(lines, contract):
        return Unreadable("header_garbled")
    return Unreadable(
        "header_not_found", expected="、".join(spec.source for spec in contract.fields[:6]) + "等"
    )


def _is_headless(lines: list[str], separator: str, contract: Contract) -> bool:
    """Every line has as many fields as the contract has columns, and ids or dates stand where they should."""
    full = [line.split(separator) for line in lines if line.strip()]
    if not full or any(len(fields) != len(contract.fields) for fields in full) or len(contract.fields) < 3:
        return False
    shapes = {
        "resident_id": r"\d{15}|\d{17}[\dXx]",
        "date": r"\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?",
        "month": r"\d{4}-?\d{2}",
        "village_code": r"\d{12}",
    }
    tried = hit = 0
    for fields in full:
        for spec, text in zip(contract.fields, fields, strict=True):
            if spec.type in shapes and text.strip():
                tried += 1
                hit += re.fullmatch(shapes[spec.type], text.strip(BLANKS + '"')) is not None
    return tried > 0 and hit >= 0.8 * tried


def _has_quoted_field(lines: list[str], separator: str) -> bool:
    mark = re.escape(separator)
    return any(re.search(rf'(?:^|{mark})"[^"]*(?:""[^"]*)*"(?:{mark}|$)', line) for line in lines)


class _Source:
    """Blocks of whole lines of a stream of bytes."""

    def __init__(self, head: bytes, mark: int, stream: BinaryIO, newline: bytes, encoding: Encoding) -> None:
        self._stream, self._newline, self.encoding = stream, newline, encoding
        self._rest = head[mark:]
        self._is_first = True
        self.torn = False
        """The file ended without a line end."""
        self.failed: str | None = None
        """The bytes could not be read to the end, and why (Chinese)."""

    def skip(self, lines: int) -> None:
        """Drop lines from the start of what is not yet read."""
        for _ in range(lines):
            end = self._cut(self._rest, first=True)
            self._rest = self._rest[end:] if end else b""

    def _cut(self, data: bytes, *, first: bool = False) -> int:
        """Length of the data up to and including the last (or first) line end; 0 when there is none."""
        step = len(self._newline)
        at = data.find(self._newline) if first else data.rfind(self._newline)
        while at >= 0 and step == 2 and at % 2:
            at = data.find(self._newline, at + 1) if first else data.rfind(self._newline, 0, at + 1)
        return at + step if at >= 0 else 0

    def _more(self) -> bytes:
        try:
            more = self._stream.read(BLOCK_BYTES)
            if self._newline == b"\n" and more and not more.endswith(b"\n"):
                # To the end of the line, so that nothing is left over that would have to be copied.
                more += self._stream.readline(LONGEST_LINE)
            return more
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            if isinstance(error, OSError) and not isinstance(self._stream, zipfile.ZipExtFile | io.BytesIO):
                raise
            self.failed = "压缩包内的文件已损坏"
            return b""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            more = self._more()
            data = self._rest + more if self._rest else more
            if not more:
                if data:
                    self.torn = not data.endswith(self._newline)
                    yield data
                return
            end = self._cut(data)
            if end == 0 and len(data) > LONGEST_LINE:
                end = len(data) - len(data) % 2
            self._rest = data[end:]
            if end:
                yield data if end == len(data) else data[:end]


@dataclass
class _Located:
    """A block with its notes by line."""

    block: Block
    notes: list[tuple[int, str, dict[str, Any]]]
    is_tidy: bool = False


def _blocks(
    source: _Source, separator: str, width: int, *, quoting: bool | None, delivery: Delivery
) -> Iterator[_Located]:
    """Decoded and split blocks. The last line of a file that ends without a line end may be torn."""
    rest = b""
    main = source.encoding
    other = "GB18030/GBK" if main == "utf-8" else "UTF-8"
    mark = separator.encode() if separator.isascii() else None
    # Decoding runs ahead of parsing, which runs ahead of typing: three threads that each wait for the next.
    ahead = prefetched(decode(data, main, mark) for data in source)
    for decoded, is_last in _with_last(ahead):
        before = rest.count(b"\n")
        notes = [(line + before, "other_encoding", {"found": other}) for line in decoded.other_encoding]
        notes += [(line + before, "mixed_encoding", {}) for line in decoded.mixed]
        notes += [(line + before, "control_characters", {}) for line in decoded.control]
        utf8 = rest + decoded.utf8 if rest else decoded.utf8
        block = split(utf8, separator, width, quoting=quoting, final=is_last)
        rest = block.rest
        if is_last:
            delivery.is_truncated = delivery.is_truncated or source.failed
            if source.torn and block.odd and block.odd[-1].at == block.lines - 1:
                delivery.is_truncated = delivery.is_truncated or "最后一行不完整"
        is_tidy = decoded.is_tidy and b'"' not in utf8
        yield _Located(block, notes, is_tidy)


T = TypeVar("T")


def _with_last(items: Iterator[T]) -> Iterator[tuple[T, bool]]:
    """Each item, and whether it is the last one."""
    held: list[T] = []
    for item in items:
        if held:
            yield held.pop(), False
        held.append(item)
    if held:
        yield held.pop(), True


def prefetched(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """The same items, made by a thread of their own while the last one is worked on."""
    line: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(kind: str, item: Any) -> bool:
        while not stop.is_set():
            try:
                line.put((kind, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
            put("end", None)
        except BaseException as error:
            put("error", error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while True:
            kind, item = line.get()
            if kind == "end":
                return
            if kind == "error":
                raise item
            yield item
    finally:
        stop.set()
        worker.join()


def _numbered(blocks: Iterator[_Located], headers: list[str | None], counter: _Counter) -> Iterator[Batch]:
    """Gives every data row its number and takes out what is no data."""
    for located in blocks:
        block = located.block
        frame, at = block.frame, block.at
        no_data = _no_data(frame, headers)
        other = block.blank
        if no_data is not None:
            other += int(no_data.sum())
            keep = ~no_data
            at = (np.arange(frame.height) if at is None else at)[keep.to_numpy()]
            frame = frame.filter(keep)
        base = counter.rows
        if at is None and not block.odd:
            rows = pl.int_range(base + 1, base + frame.height + 1, dtype=pl.Int64, eager=True)
            odd: list[Odd] = []
            numbers = None
        else:
            own = np.arange(frame.height) if at is None else at
            numbers = np.sort(np.concatenate([own, np.array([o.at for o in block.odd], dtype=np.int64)]))
            rows = pl.Series(np.searchsorted(numbers, own) + base + 1, dtype=pl.Int64)
            odd = [
                Odd(int(np.searchsorted(numbers, o.at)) + base + 1, o.raw, o.reason, o.words)
                for o in block.odd
            ]
        counter.rows += frame.height + len(odd)
        notes = []
        for line, reason, words in located.notes:
            row = (
                base
                + 1
                + (line if numbers is None else max(0, int(np.searchsorted(numbers, line, "right")) - 1))
            )
            notes.append(Note(reason, min(row, max(counter.rows, 1)), words))
        yield Batch(frame, rows, odd, other, notes, located.is_tidy)


def _no_data(frame: pl.DataFrame, headers: list[str | None]) -> pl.Series | None:
    """Rows that are blank, a repeated header or a total; null when there is none."""
    if frame.is_empty() or not frame.width:
        return None
    marks: list[pl.Expr] = []
    first = frame["0"]
    if first.null_count():
        marks.append(pl.all_horizontal(pl.all().is_null()))
    # A total is written short, so a first column of long numbers holds none, and then the second does not either.
    shortest = first.str.len_bytes().min()
    if first.null_count() or not isinstance(shortest, int) or shortest < 15:
        marks += [
            pl.col(str(number)).str.contains(TOTAL).fill_null(False)
            for number in range(min(2, frame.width))
            if frame[str(number)].str.contains(r"^.{0,4}[总小累共合][\s\u3000]*计").any()
        ]
    named = next((n for n, text in enumerate(headers) if text and n < frame.width), None)
    if named is not None and (frame[str(named)] == headers[named]).any():
        same = [
            (pl.col(str(n)).str.strip_chars(BLANKS) == text).fill_null(False).cast(pl.Int32)
            for n, text in enumerate(headers)
            if text and n < frame.width
        ]
        marks.append(pl.sum_horizontal(same) * 2 > len(same))
    if not marks:
        return None
    found = frame.select(pl.any_horizontal(marks).fill_null(False).alias("no_data"))["no_data"]
    return found if found.any() else None


# --- fixed width ------------------------------------------------------------------------------------------------


def _widths(contract: Contract) -> list[int] | None:
    widths = [spec.width for spec in contract.fields]
    return [width for width in widths if width] if widths and all(widths) else None


def _fits_fixed_width(lines: list[bytes], contract: Contract) -> bool:
    widths = _widths(contract)
    if widths is None:
        return False
    whole = [line.rstrip(b"\r") for line in lines if line.strip()]
    return bool(whole) and sum(len(line) == sum(widths) for line in whole) * 2 > len(whole)


def _fixed_width_part(
    lines: list[str],
    source: _Source,
    encoding: Encoding,
    delivery: Delivery,
    contract: Contract,
    counter: _Counter,
) -> Part:
    widths = _widths(contract)
    if widths is None:
        raise _no_header(lines, contract)
    names = [header_key(spec.source) for spec in contract.fields]
    above = 0
    for at, line in enumerate(lines[:5]):
        if sum(name in header_key(line) for name in names) * 2 > len(names):
            above = at + 1
    delivery.other += above
    source.skip(above)
    headers: list[str | None] = [spec.source for spec in contract.fields]
    blocks = _fixed_width_blocks(source, widths, delivery)
    return Part(headers, _numbered(prefetched(blocks), headers, counter))


def _fixed_width_blocks(source: _Source, widths: list[int], delivery: Delivery) -> Iterator[_Located]:
    """Cuts lines at their bytes and marks the cuts, so that the rest is delimited text."""
    total = sum(widths)
    cuts = [0, *np.cumsum(widths).tolist()]
    mark = FIELD_MARK.encode()
    for data, is_last in _with_last(iter(source)):
        plain = data.replace(b"\r\n", b"\n").replace(FIELD_MARK.encode(), b" ")
        if source.encoding.startswith("utf-16"):
            plain = decode(plain, source.encoding).utf8
        lines = plain.split(b"\n")
        if lines and not lines[-1]:
            lines.pop()
        odd: list[Odd] = []
        marked: list[bytes] = []
        for at, line in enumerate(lines):
            body = line.rstrip(b"\x1a\x00")
            if body.strip() and not total - widths[-1] < len(body) <= total and len(body.rstrip()) != total:
                text = decode(body, source.encoding).utf8.decode("utf-8", "replace")
                odd.append(Odd(at, text, "fixed_width", {"fields": len(body), "width": total}))
                marked.append(b"")
            else:
                marked.append(
                    mark.join(body[a:b] for a, b in itertools.pairwise(cuts)) if body.strip() else b""
                )
        decoded = decode(
            b"\n".join(marked) + b"\n",
            "utf-8" if source.encoding.startswith("utf-16") else source.encoding,
            mark,
        )
        # The marks are control characters; decoding takes those out, so they are put in again as they were.
        block = split(decoded.utf8, FIELD_MARK, len(widths), quoting=False, final=True)
        block.blank -= len(odd)
        block.odd = sorted([*block.odd, *odd], key=lambda o: o.at)
        notes = [(line, "other_encoding", {"found": "其他编码"}) for line in decoded.other_encoding]
        if is_last:
            delivery.is_truncated = delivery.is_truncated or source.failed
            if source.torn and block.odd and block.odd[-1].at == len(lines) - 1:
                delivery.is_truncated = delivery.is_truncated or "最后一行不完整"
        yield _Located(block, notes)


# --- workbooks --------------------------------------------------------------------------------------------------


def _workbook_parts(
    content: bytes, delivery: Delivery, contract: Contract, counter: _Counter
) -> Iterator[Part]:
    known = known_headers(contract)
    used = 0
    top: list[str] = []
    try:
        for sheet in sheets(content, known):
            top += [text or "" for row in (sheet.header or (), *sheet.rows.head(5).rows()) for text in row]
            if sheet.header is None or count_known(sheet.header, known) < min(2, len(contract.fields)):
                if sheet.rows.height:
                    delivery.notes.append(Note("sheet_ignored", words={"found": f"工作表{sheet.name}"}))
                continue
            used += 1
            delivery.other += sheet.above
            blocks = (
                _Located(Block(sheet.rows.slice(start, ROWS_AT_ONCE)), [])
                for start in range(0, max(sheet.rows.height, 1), ROWS_AT_ONCE)
            )
            yield Part(sheet.header, _numbered(blocks, sheet.header, counter), sheet.name, sheet.is_1904)
    except BrokenWorkbook:
        if used:
            delivery.is_truncated = "工作簿的后一部分已损坏"
            return
        raise Unreadable("unreadable", found="工作簿已损坏，或设有打开密码") from None
    if not used:
        raise _no_header(top, contract)


# --- JSON -------------------------------------------------------------------------------------------------------


def _json_parts(
    head: bytes, stream: BinaryIO, encoding: Encoding, delivery: Delivery, counter: _Counter
) -> Iterator[Part]:
    records = _json_batches(_json_records(head, stream, encoding, delivery))
    first = next(records, None)
    if first is None:
        raise Unreadable("unreadable", found="JSON中没有数据")
    names = list(dict.fromkeys(key for record in first if isinstance(record, dict) for key in record))
    if not names:
        raise Unreadable("unreadable", found="JSON中没有列名")
    headers: list[str | None] = list(names)
    seen = set(names)

    def blocks() -> Iterator[_Located]:
        for batch in _chain(first, records):
            block = Block(empty_frame(len(names)), np.empty(0, dtype=np.int64))
            good: list[tuple[int, dict[str, Any]]] = []
            for at, record in enumerate(batch):
                if isinstance(record, dict):
                    good.append((at, record))
                else:
                    block.odd.append(Odd(at, str(record), "broken_record", {}))
            late = {key for _, record in good for key in record} - seen
            for key in sorted(late):
                delivery.notes.append(Note("column_unknown", words={"column": key}))
            seen.update(late)
            block.frame = pl.DataFrame(
                {str(n): [_json_text(record.get(key)) for _, record in good] for n, key in enumerate(names)},
                schema={str(n): pl.String() for n in range(len(names))},
            )
            block.at = np.array([at for at, _ in good], dtype=np.int64)
            yield _Located(block, [])

    yield Part(headers, _numbered(blocks(), headers, counter))


def _chain(first: list[Any], rest: Iterator[list[Any]]) -> Iterator[list[Any]]:
    yield first
    yield from rest


def _json_batches(records: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for record in records:
        batch.append(record)
        if len(batch) >= ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if value else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "、".join(_json_text(item) or "" for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


class _Broken(str):
    """Text that should have been a record."""


def _json_records(head: bytes, stream: BinaryIO, encoding: Encoding, delivery: Delivery) -> Iterator[Any]:
    """Records of an array, of lines, or of the one list inside an envelope; numbers stay as they are written."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)
    reader = codecs.getincrementaldecoder(encoding)("replace")
    text = reader.decode(head)
    ended = False
    place = 0
    depth_known = False
    while True:
        found = re.compile(r"[\s,\ufeff\x00\x1a]*").match(text, place)
        place = found.end() if found else place
        if not depth_known and place < len(text):
            envelope = re.compile(
                r'\{\s*(?:"[^"]*"\s*:\s*(?:"[^"]*"|[\d.+-]+|null|true|false)\s*,\s*)*"[^"]*"\s*:\s*\[\s*\{'
            ).match(text, place)
            if text[place] == "[":
                place += 1
            elif envelope and '"' in envelope[0]:
                place = envelope.end() - 1
            depth_known = True
            continue
        if place < len(text) and text[place] in "]}":
            place += 1
            depth_known = True
            if text[place:].strip(" \t\r\n\x00\x1a]},") and not ended:
                continue
            if ended and not text[place:].strip(" \t\r\n\x00\x1a]},"):
                return
            continue
        if place < len(text):
            try:
                record, place_after = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                if not ended and len(text) - place < LONGEST_LINE:
                    place_after = -1
                else:
                    line = text.find("\n", place)
                    broken = text[place:] if line < 0 else text[place:line]
                    if line < 0:
                        delivery.is_truncated = "JSON在中途结束"
                        yield _Broken(broken)
                        return
                    yield _Broken(broken)
                    place = line + 1
                    continue
            if place_after >= 0:
                place = place_after
                yield record
                continue
        elif ended:
            return
        more = stream.read(BLOCK_BYTES)
        ended = not more
        text = text[place:] + reader.decode(more, final=ended)
        place = 0


# --- zip --------------------------------------------------------------------------------------------------------


def _is_workbook(content: BinaryIO, head: bytes) -> bool:
    try:
        with zipfile.ZipFile(content) as archive:
            return any(name.startswith(("xl/", "[Content_Types]")) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return (
            b"[Content_Types].xml" in head[:4096] or b"xl/" in head[:65536] or b"_rels/.rels" in head[:4096]
        )


def member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member as it was meant: Windows packers write GBK and say nothing, Python reads cp437."""
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _zip_parts(
    content: BinaryIO, delivery: Delivery, contract: Contract, declared: str | None, counter: _Counter
) -> Iterator[Part]:
    used = 0
    refused: Unreadable | None = None
    for name, stream in _members(content, delivery):
        before = delivery.format, delivery.encoding
        try:
            parts = _parts(stream, delivery, contract, declared, counter, name)
            for part in parts:
                used += 1
                part.name = name if part.name is None else f"{name}/{part.name}"
                yield part
        except Unreadable as problem:
            refused = problem
            delivery.format, delivery.encoding = before
            delivery.notes.append(Note("sheet_ignored", words={"found": f"压缩包内的{name}"}))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
            delivery.is_truncated = "压缩包内的文件已损坏"
    if not used:
        if refused is not None and not delivery.is_truncated:
            raise refused
        raise Unreadable("unreadable", found="压缩包已损坏、设有密码或没有数据文件")


def _members(content: BinaryIO, delivery: Delivery) -> Iterator[tuple[str, BinaryIO]]:
    """Data files of a zip, in the order of their names; what can be saved of a broken one."""
    try:
        archive = zipfile.ZipFile(content)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        delivery.is_truncated = "压缩包不完整"
        content.seek(0)
        yield from _salvaged(content.read(), delivery)
        return
    with archive:
        for info in sorted(archive.infolist(), key=member_name):
            name = member_name(info)
            short = name.rsplit("/", 1)[-1]
            if info.is_dir() or not short or short[0] in "._" or "__MACOSX" in name:
                continue
            if info.file_size > LARGEST_MEMBER:
                delivery.notes.append(Note("sheet_ignored", words={"found": f"压缩包内的{name}（过大）"}))
                continue
            try:
                stream = archive.open(info)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError, struct.error):
                delivery.is_truncated = "压缩包内的文件已损坏或设有密码"
                continue
            with stream:
                yield short, stream  # type: ignore[misc]


def _salvaged(content: bytes, delivery: Delivery) -> Iterator[tuple[str, Any]]:
    """Members found by their own headers, when the directory at the end of the zip is gone."""
    place = 0
    while (place := content.find(b"PK\x03\x04", place)) >= 0 and place + 30 <= len(content):
        flags, method = struct.unpack_from("<HH", content, place + 6)
        name_length, extra_length = struct.unpack_from("<HH", content, place + 26)
        start = place + 30 + name_length + extra_length
        info = zipfile.ZipInfo(content[place + 30 : place + 30 + name_length].decode("cp437") or "文件")
        info.flag_bits = flags
        place += 4
        if method == 8 and not flags & 1:
            name = member_name(info).rsplit("/", 1)[-1]
            with tempfile.TemporaryFile() as data:
                if not _inflate(memoryview(content)[start:], data):
                    delivery.notes.append(Note("sheet_ignored", words={"found": f"压缩包内的{name}（过大）"}))
                elif data.tell():
                    data.seek(0)
                    yield name, data


def _inflate(content: memoryview, data: IO[bytes]) -> bool:
    """Inflates what goes, up to the damage, into a file; False when that is too much to be a delivery."""
    inflater = zlib.decompressobj(-15)
    size = 0
    for at in range(0, len(content), _STEP):
        piece: bytes | memoryview = content[at : at + _STEP]
        while len(piece):
            try:
                inflated = inflater.decompress(piece, BLOCK_BYTES)
            except zlib.error:
                # Byte by byte up to the damage would gain a few rows; a piece at a time is enough.
                return True
            size += len(inflated)
            if size > LARGEST_SALVAGED:
                return False
            data.write(inflated)
            piece = inflater.unconsumed_tail
        if inflater.eof:
            break
    return True


_STEP = 4096
