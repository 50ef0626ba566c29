"""Blocks of delimited text -> columns of text: records, quotes, and the lines that do not fit.

Works on whole blocks with numpy and polars; only lines that do not fit are looked at one by one. What a file
is and which header it has belongs in `deliveries.py`.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from data_contracts.encodings import count

QUOTE = 34
NEWLINE = 10
LINES_JOINED = 50
"""An opened quote is given up when it is not closed within so many lines: it was a stray one."""

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]
_Places = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Odd:
    """A record that could not be brought into columns."""

    at: int
    raw: str
    reason: str
    words: dict[str, Any] = field(default_factory=dict)


@dataclass
class Block:
    """What a block of text holds. `at` are line numbers within the block, strictly rising."""

    frame: pl.DataFrame
    at: _Places | None = None
    """Line of each row of the frame; null when rows and lines are the same."""
    odd: list[Odd] = field(default_factory=list)
    blank: int = 0
    rest: bytes = b""
    """An unfinished quoted record at the end, to be put before the next block."""
    lines: int = 0
    """Lines that were used up (without `rest`)."""


def empty_frame(width: int) -> pl.DataFrame:
    """No rows of that many text columns, named by position."""
    return pl.DataFrame(schema={str(n): pl.String() for n in range(width)})


def _parse(utf8: bytes, separator: str, width: int, *, quoted: bool) -> pl.DataFrame | None:
    """Columns of text, or None when polars finds the block not to be a plain table."""
    if not utf8:
        return empty_frame(width)
    try:
        return pl.read_csv(
            utf8,
            separator=separator,
            has_header=False,
            quote_char='"' if quoted else None,
            schema={str(n): pl.String() for n in range(width)},
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, ValueError):
        return None


def split(utf8: bytes, separator: str, width: int, *, quoting: bool | None, final: bool) -> Block:
    """A block of whole lines as a table of `width` text columns. Never raises, never loses a line.

    `quoting` says whether quotes enclose fields; None where that is to be seen from the block, because many writers
    quote only the fields that need it.
    """
    if not utf8:
        return Block(empty_frame(width))
    if not utf8.endswith(b"\n"):
        utf8 += b"\n"
    raw = np.frombuffer(utf8, dtype=np.uint8)
    code = ord(separator)
    if quoting is not False and b'"' in utf8 and (quoting or _opens_a_quote(utf8, separator)):
        return _split_quoted(utf8, raw, separator, width, final=final)
    lines = count(utf8, NEWLINE)
    if width > 1 and count(utf8, code) == lines * (width - 1):
        # As many separators as there should be, and polars refuses a line with too many: so none has too few.
        frame = _parse(utf8, separator, width, quoted=False)
        if frame is not None and frame.height == lines:
            return Block(frame, lines=lines)
    ends = np.flatnonzero(raw == NEWLINE)
    separators = np.flatnonzero(raw == code)
    counts = np.diff(np.searchsorted(separators, ends), prepend=0)
    shorter = _without_surplus(raw, code, ends, counts, width)
    if shorter is not None:
        return split(shorter, separator, width, quoting=False, final=final)
    starts = np.concatenate([[0], ends[:-1] + 1])
    good = (counts == width - 1) & (ends > starts)
    return _mended(utf8, starts, ends, good, separator, width, quoted=False, final=True)


def _opens_a_quote(utf8: bytes, separator: str) -> bool:
    """Whether any field begins with a quote."""
    return utf8.startswith(b'"') or separator.encode() + b'"' in utf8 or b'\n"' in utf8


def _without_surplus(raw: _Bytes, code: int, ends: _Places, counts: Any, width: int) -> bytes | None:
    """The block without the separators at the ends of records that have too many; None where there are none."""
    if not ((counts >= width) & (raw[np.maximum(ends - 1, 0)] == code)).any():
        return None
    others = np.flatnonzero(raw != code)
    before = np.searchsorted(others, ends) - 1
    trailing = ends - np.where(before >= 0, others[np.maximum(before, 0)], -1) - 1
    drop = np.clip(np.minimum(counts - (width - 1), trailing), 0, None)
    # The places ends-1, ends-2 ... of each record, as many as it has to lose.
    within = np.arange(int(drop.sum())) - np.repeat(np.cumsum(drop) - drop, drop)
    keep = np.ones(len(raw), dtype=bool)
    keep[np.repeat(ends, drop) - 1 - within] = False
    return raw[keep].tobytes()


def _split_quoted(utf8: bytes, raw: _Bytes, separator: str, width: int, *, final: bool) -> Block:
    quotes = np.flatnonzero(raw == QUOTE)
    ends = np.flatnonzero(raw == NEWLINE)
    code = ord(separator)
    around = np.zeros(256, dtype=bool)
    around[[code, NEWLINE, QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    regular = bool(
        around[raw[np.maximum(opening - 1, 0)]][opening > 0].all()
        and around[raw[np.minimum(closing + 1, len(raw) - 1)]].all()
    )
    outside = np.searchsorted(quotes, ends) % 2 == 0
    if not regular or not outside.any():
        return _line_by_line(utf8, ends, separator, width, final=final)
    ends_of_records = ends[outside]
    last = int(ends_of_records[-1]) + 1
    rest = utf8[last:]
    if rest and (final or rest.count(b"\n") > LINES_JOINED):
        return _line_by_line(utf8, ends, separator, width, final=final)
    starts = np.concatenate([[0], ends_of_records[:-1] + 1])
    separators = np.flatnonzero(raw == code)
    separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    counts = np.diff(np.searchsorted(separators, ends_of_records), prepend=0)
    shorter = _without_surplus(raw, code, ends_of_records, counts, width)
    if shorter is not None:
        # What follows the last whole record is no record yet, and stays as it is.
        return _split_quoted(shorter, np.frombuffer(shorter, dtype=np.uint8), separator, width, final=final)
    good = (counts == width - 1) & (ends_of_records > starts)
    block = _mended(
        utf8[:last], starts, ends_of_records, good, separator, width, quoted=True, final=True, all_ends=ends
    )
    block.rest = rest
    return block


def _mended(
    utf8: bytes,
    starts: _Places,
    ends: _Places,
    good: Any,
    separator: str,
    width: int,
    *,
    quoted: bool,
    final: bool,
    all_ends: _Places | None = None,
) -> Block:
    """The good records as one table, and the others repaired or named, each at its line."""
    line_of = np.arange(len(ends)) if all_ends is None else np.searchsorted(all_ends, ends)
    total = int(len(ends) if all_ends is None else np.searchsorted(all_ends, ends[-1]) + 1)
    bad = np.flatnonzero(~good)
    pieces: list[bytes] = []
    here = 0
    for number in bad:
        pieces.append(utf8[here : int(starts[number])])
        here = int(ends[number]) + 1
    pieces.append(utf8[here:])
    frame = _parse(b"".join(pieces), separator, width, quoted=quoted)
    places = line_of[good]
    if frame is None or frame.height != len(places):
        return _line_by_line(
            utf8,
            np.flatnonzero(np.frombuffer(utf8, dtype=np.uint8) == NEWLINE),
            separator,
            width,
            final=final,
        )
    if quoted:
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    block = Block(frame, places, lines=total)
    mended: list[tuple[int, list[str]]] = []
    for number in bad:
        text = utf8[int(starts[number]) : int(ends[number])].decode("utf-8", "replace")
        _judge(text, int(line_of[number]), separator, width, block, mended)
    return _with_rows(block, mended, width)


def _judge(
    text: str, at: int, separator: str, width: int, block: Block, mended: list[tuple[int, list[str]]]
) -> None:
    """One line that does not fit: blank, one separator too many at its end, quoted after all, or odd."""
    if not text.strip(" \t\r\u3000" + separator):
        block.blank += 1
        return
    fields = text.split(separator)
    while len(fields) > width and not fields[-1].strip():
        fields.pop()
    if len(fields) != width and '"' in text:
        fields = _fields(text, separator) or fields
    if len(fields) == width:
        mended.append((at, fields))
    else:
        block.odd.append(Odd(at, text, "ragged", {"fields": len(fields), "width": width}))


def _fields(text: str, separator: str) -> list[str] | None:
    """Fields of a line with well-formed quotes; None where the quotes are not."""
    if re.search(rf'(?:^|{re.escape(separator)})"', text) is None:
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _line_by_line(utf8: bytes, ends: _Places, separator: str, width: int, *, final: bool) -> Block:
    """Lines joined while a quote is open, given up after some; for blocks with stray quotes.

    `ends` are the places of all line ends of `utf8`.
    """
    lines = utf8.decode("utf-8", "replace").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    block = Block(empty_frame(width))
    rows: list[tuple[int, list[str]]] = []
    pieces: list[tuple[pl.DataFrame, _Places]] = []
    quotes = np.flatnonzero(np.frombuffer(utf8, dtype=np.uint8) == QUOTE)
    quoted = [*np.unique(np.searchsorted(ends, quotes)).tolist(), len(lines)]
    upcoming = 0
    number = 0
    while number < len(lines):
        line = lines[number]
        while quoted[upcoming] < number:
            upcoming += 1
        if len(quotes) and quoted[upcoming] - number > LINES_JOINED:
            # No record is open here, so all up to the next quote are plain lines.
            plain = "\n".join(lines[number : quoted[upcoming]]).encode()
            found = split(plain, separator, width, quoting=False, final=True)
            own = np.arange(found.frame.height) if found.at is None else found.at
            pieces.append((found.frame, own + number))
            block.odd += [Odd(odd.at + number, odd.raw, odd.reason, odd.words) for odd in found.odd]
            block.blank += found.blank
            number = quoted[upcoming]
            continue
        if '"' not in line:
            _judge(line, number, separator, width, block, rows)
            number += 1
            continue
        taken = 0
        for more in range(1, LINES_JOINED + 1):
            if number + more > len(lines):
                break
            text = "\n".join(lines[number : number + more])
            if more > 1 and text.count('"') % 2:
                continue
            fields = _fields(text, separator)
            if fields is not None and len(fields) == width:
                rows.append((number, fields))
                taken = more
                break
        if not taken and not final and number + LINES_JOINED > len(lines) and line.count('"') % 2:
            # Perhaps the rest of the record is in the next block.
            block.rest = "\n".join(lines[number:]).encode() + b"\n"
            break
        if not taken:
            _judge_stray(line, number, separator, width, block, rows)
            taken = 1
        number += taken
    block.lines = number
    if pieces:
        block.frame = pl.concat([frame for frame, _ in pieces])
        block.at = np.concatenate([at for _, at in pieces])
    return _with_rows(block, rows, width)


def _judge_stray(
    line: str, at: int, separator: str, width: int, block: Block, rows: list[tuple[int, list[str]]]
) -> None:
    """A line whose quotes do not pair: they stand for themselves where the fields are right without them."""
    fields = line.split(separator)
    if len(fields) == width:
        rows.append((at, fields))
    elif not line.strip():
        block.blank += 1
    else:
        block.odd.append(Odd(at, line, "broken_quotes", {}))


def _with_rows(block: Block, rows: list[tuple[int, list[str]]], width: int) -> Block:
    """The block with more rows, in the order of lines."""
    if not rows:
        return block
    at = np.array([place for place, _ in rows], dtype=np.int64)
    more = pl.DataFrame(
        {str(n): [fields[n] or None for _, fields in rows] for n in range(width)},
        schema={str(n): pl.String() for n in range(width)},
    )
    had = block.at if block.at is not None else np.arange(block.frame.height)
    places = np.concatenate([had, at])
    order = np.argsort(places, kind="stable")
    block.frame = pl.concat([block.frame, more])[order.tolist()] if len(order) else block.frame
    block.at = places[order]
    return block
