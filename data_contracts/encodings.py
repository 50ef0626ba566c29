"""Bytes of a delivery -> UTF-8: which encoding it is, decoding by the block, lines that differ from the rest.

What a line means (fields, header, type) belongs in `deliveries.py` and `field_types.py`. Nothing here knows
a contract. Two decoders give the same text: glibc's iconv where there is one (fast, and it lets other threads
run), Python's codec everywhere else and for every block that iconv refuses.
"""

from __future__ import annotations

import codecs
import csv
import ctypes
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Encoding = Literal["gb18030", "utf-8", "utf-16-le", "utf-16-be"]

PUA_MAP = Path(__file__).resolve().parent / "reference" / "pua_map.csv"

ENCODINGS_ZH: dict[str, str] = {
    "gb18030": "GB18030/GBK",
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}

_CONTROL = bytes(code for code in (*range(32), 127) if code not in (9, 10, 13))
_PRIVATE_USE = re.compile(rb"\xee[\x80-\xbf][\x80-\xbf]|\xef[\x80-\xa3][\x80-\xbf]")
_TWO_HAN_IN_UTF8 = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2}")
REPLACEMENT = "\ufffd"


@cache
def private_use_map() -> dict[int, str]:
    """Private-use code points of old GBK and GB 18030 systems -> the standard character."""
    with PUA_MAP.open(encoding="utf-8", newline="") as lines:
        return {
            int(row["legacy_pua"].removeprefix("U+"), 16): row["standard_char"]
            for row in csv.DictReader(lines)
        }


@cache
def _private_use_bytes() -> dict[bytes, bytes]:
    return {chr(code).encode(): standard.encode() for code, standard in private_use_map().items()}


def map_private_use(utf8: bytes) -> bytes:
    """The same text with legacy private-use characters replaced by the standard ones; unknown ones stay."""
    if b"\xee" not in utf8:
        return utf8
    table = _private_use_bytes()
    return _PRIVATE_USE.sub(lambda found: table.get(found[0], found[0]), utf8)


class _Iconv:
    """A conversion from GB 18030 by the C library. One per thread: a descriptor has state."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._open, self._run = library.iconv_open, library.iconv
        self._open.restype, self._open.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
        self._run.restype, self._run.argtypes = ctypes.c_size_t, [ctypes.c_void_p] * 5
        self._handle = self._open(b"UTF-8", b"GB18030")
        if self._handle in (None, ctypes.c_void_p(-1).value):
            raise OSError("no conversion from GB18030")
        self._target: _Bytes = np.empty(0, dtype=np.uint8)
        sample = bytes.fromhex("d5c5a1a48130813095329836fe9f0a7c")
        if self.convert(sample) != sample.decode("gb18030").encode():
            raise OSError("iconv reads GB18030 in its own way")

    def convert(self, data: bytes) -> bytes | None:
        """UTF-8, or None when a byte does not fit."""
        room = len(data) * 2 + 16
        if len(self._target) < room:
            self._target = np.empty(room, dtype=np.uint8)
        target = self._target
        # The source is only read; a view of the bytes object saves a copy.
        source = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
        source_left, target_left = ctypes.c_size_t(len(data)), ctypes.c_size_t(room)
        place = ctypes.c_void_p(target.ctypes.data)
        self._run(self._handle, None, None, None, None)
        done = self._run(
            self._handle,
            ctypes.byref(source),
            ctypes.byref(source_left),
            ctypes.byref(place),
            ctypes.byref(target_left),
        )
        if done != 0 or source_left.value:
            return None
        return target[: room - target_left.value].tobytes()


_local = threading.local()


def _iconv() -> _Iconv | None:
    if not hasattr(_local, "iconv"):
        try:
            _local.iconv = _Iconv()
        except (OSError, AttributeError):
            _local.iconv = None
    found: _Iconv | None = _local.iconv
    return found


def gb18030_to_utf8(data: bytes, *, use_iconv: bool = True) -> bytes:
    """GB 18030 (and GBK, GB 2312) as UTF-8 with standard characters; UnicodeDecodeError when it is not that."""
    converter = _iconv() if use_iconv else None
    utf8 = converter.convert(data) if converter else None
    if utf8 is None:
        utf8 = data.decode("gb18030").encode("utf-8", "surrogatepass")
        if _has_surrogate(utf8):
            raise UnicodeDecodeError("gb18030", data[:1] or b"?", 0, 1, "surrogate")
    return map_private_use(utf8)


def _has_surrogate(utf8: bytes) -> bool:
    return b"\xed" in utf8 and re.search(rb"\xed[\xa0-\xbf]", utf8) is not None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def sniff(sample: bytes, declared: str | None = None) -> tuple[Encoding, int]:
    """The encoding of a file and the length of its byte order mark, from its first bytes (cut anywhere).

    `declared` decides only where the bytes themselves allow both.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    if sample.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 2
    if sample.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 2
    head = sample[:4096]
    if len(head) >= 4 and head.count(0) > len(head) // 8:
        odd, even = head[1::2].count(0), head[0::2].count(0)
        if odd > 4 * even:
            return "utf-16-le", 0
        if even > 4 * odd:
            return "utf-16-be", 0
    # The first lines decide; only where they are plain ASCII are more of them looked at.
    for size in (_FIRST_LOOK, len(sample)):
        votes = _votes(sample[:size].split(b"\n")[: -1 if b"\n" in sample[:size] else None])
        if votes["utf-8"] != votes["gb18030"]:
            return ("utf-8" if votes["utf-8"] > votes["gb18030"] else "gb18030"), 0
    return ("gb18030" if declared in ("gb18030", "gbk") else "utf-8"), 0


_FIRST_LOOK = 1 << 15


def _votes(lines: list[bytes]) -> dict[str, int]:
    """How many lines speak for an encoding."""
    votes = {"utf-8": 0, "gb18030": 0}
    for line in lines:
        if line.isascii():
            continue
        if _is_utf8(line) and (_TWO_HAN_IN_UTF8.search(line) or not _is_gb18030(line)):
            votes["utf-8"] += 1
        elif _is_gb18030(line):
            votes["gb18030"] += 1
    return votes


def _is_gb18030(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


@dataclass
class Decoded:
    """A block of whole lines as UTF-8, and which of its lines (from 0) were not like the rest."""

    utf8: bytes
    other_encoding: list[int] = field(default_factory=list)
    """Lines that were written in another encoding than the file and read in it."""
    damaged: list[int] = field(default_factory=list)
    """Lines with bytes that mean nothing in any encoding we know; U+FFFD stands in their place."""
    mixed: list[int] = field(default_factory=list)
    """Lines in which single cells were written in another encoding; they were read in it."""
    control: list[int] = field(default_factory=list)
    """Lines that held control characters (NUL, 0x1A ...), which were removed."""
    is_tidy: bool = False
    """No blank stands next to a separator or line end, and nothing may have been read in the wrong encoding."""


def decode(block: bytes, encoding: Encoding, separator: bytes | None = None) -> Decoded:
    """Whole lines as UTF-8 with `\\n` line ends, without control characters, private use mapped.

    Never raises: what cannot be read becomes U+FFFD and is named in `damaged`. `separator` is where a line
    may change its encoding.
    """
    if encoding in ("utf-16-le", "utf-16-be"):
        text = block.decode(encoding, "replace")
        utf8 = text.encode("utf-8", "replace")
        result = Decoded(map_private_use(_plain_line_ends(utf8) if b"\r" in utf8 else utf8))
        if REPLACEMENT in text:
            result.damaged = [n for n, line in enumerate(text.split("\n")) if REPLACEMENT in line]
    else:
        if b"\r" in block:
            block = _plain_line_ends(block)
        result = (
            _decode_gb18030(block, separator) if encoding == "gb18030" else _decode_utf8(block, separator)
        )
    has_control, has_outer_blank = _low_bytes(result.utf8, separator)
    if has_control:
        _remove_control(result, separator)
    may_be_wrong = result.other_encoding or result.mixed or result.damaged or result.control
    # UTF-8 may hold text that was read wrongly before it was written; in GB 18030 it was seen while decoding.
    if encoding == "gb18030" and separator and not may_be_wrong and not has_outer_blank:
        result.is_tidy = _is_tidy(result.utf8, separator) and not _holds_lost(block)
    return result


def _plain_line_ends(block: bytes) -> bytes:
    block = block.replace(b"\r\n", b"\n")
    # A carriage return alone ends a line only where nothing else does.
    return block.replace(b"\r", b" " if b"\n" in block else b"\n")


def _decode_utf8(block: bytes, separator: bytes | None) -> Decoded:
    if _is_utf8(block):
        return Decoded(map_private_use(block))
    return _by_line(block, "utf-8", range(block.count(b"\n") + 1), separator)


def _decode_gb18030(block: bytes, separator: bytes | None) -> Decoded:
    suspects = _lines_that_may_be_utf8(block)
    if not suspects:
        try:
            return Decoded(gb18030_to_utf8(block))
        except UnicodeDecodeError:
            suspects = list(range(block.count(b"\n") + 1))
    return _by_line(block, "gb18030", suspects, separator)


_STEP = 1 << 19
"""Blocks are searched in pieces that fit the cache."""


def _pieces(raw: Any) -> Iterator[tuple[int, Any]]:
    """Where each piece begins, and the piece."""
    for start in range(0, len(raw), _STEP):
        yield start, raw[start : start + _STEP]


_LEADS, _TRAILS = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
_LEADS[0xE3:0xEA] = True
_TRAILS[0x80:0xC0] = True


def _lines_that_may_be_utf8(block: bytes) -> list[int]:
    """Lines of a GB 18030 block with two UTF-8 Han characters in a row, and a byte that GB 2312 never uses.

    Common Chinese in GB has no byte from 0x80 to 0xA0, and UTF-8 has one in nearly every character or two.
    """
    signed = np.frombuffer(block, dtype=np.int8)
    found = [np.flatnonzero(piece <= -96) + start for start, piece in _pieces(signed) if piece.min() <= -96]
    if not found:
        return []
    places = np.concatenate(found)
    raw = np.frombuffer(block + bytes(6), dtype=np.uint8)
    is_two_han = np.zeros(len(places), dtype=bool)
    for offset in (1, 2, 4, 5):
        start = np.maximum(places - offset, 0)
        fits = _LEADS[raw[start]] & _LEADS[raw[start + 3]]
        for trail in (1, 2, 4, 5):
            fits &= _TRAILS[raw[start + trail]]
        is_two_han |= fits
    if not is_two_han.any():
        return []
    ends = np.flatnonzero(signed == 10)
    return [int(line) for line in np.unique(np.searchsorted(ends, places[is_two_han]))]


def count(data: bytes, code: int) -> int:
    """How often a byte occurs."""
    raw = np.frombuffer(data, dtype=np.uint8)
    return sum(int(np.count_nonzero(piece == code)) for _, piece in _pieces(raw))


def _low_bytes(utf8: bytes, separator: bytes | None) -> tuple[bool, bool]:
    """Whether there are control characters, and whether a blank stands next to a separator or a line end."""
    raw = np.frombuffer(utf8, dtype=np.uint8)
    last = len(raw) - 1
    harmless, edge = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
    harmless[[9, 10, 13, 32, *(separator or b"")]] = True
    edge[[10, *(separator or b"")]] = True
    has_control, has_outer_blank = b"\x7f" in utf8, False
    for start, piece in _pieces(raw):
        low = np.flatnonzero(piece <= 32)
        found = piece[low]
        has_control = has_control or not harmless[found].all()
        blanks = low[found == 32] + start
        if len(blanks) and not has_outer_blank:
            beside = edge[raw[np.maximum(blanks - 1, 0)]] | edge[raw[np.minimum(blanks + 1, last)]]
            has_outer_blank = bool(beside.any() or blanks[0] == 0 or blanks[-1] == last)
    return has_control, has_outer_blank


def _is_tidy(utf8: bytes, separator: bytes) -> bool:
    """Whether no cell can have blanks at its ends, or have been read in the wrong encoding, by characters other than
    the blank itself.
    """
    if b"\t" in utf8 and separator != b"\t":
        return False
    # Blanks and replacement characters outside ASCII, and the accented letters of GBK read as Latin-1, by their
    # first bytes. Nearly all blocks have none of most of these.
    for lead, seconds in _TELLING:
        if utf8.find(bytes([lead])) < 0:
            continue
        if not seconds:
            return False
        raw = np.frombuffer(utf8, dtype=np.uint8)
        places = np.flatnonzero(raw == lead)
        if np.isin(raw[np.minimum(places + 1, len(raw) - 1)], seconds).any():
            return False
    return True


def _holds_lost(block: bytes) -> bool:
    """Whether 锟斤拷 may be in a GB 18030 block: the bytes of U+FFFD in UTF-8."""
    raw = np.frombuffer(block, dtype=np.uint8)
    for start in range(0, len(raw), _STEP):
        piece = raw[start : start + _STEP + 2]
        found = piece[:-2] == 0xEF
        found &= piece[1:-1] == 0xBF
        if found.any() and (found & (piece[2:] == 0xBD)).any():
            return True
    return False


_TELLING: tuple[tuple[int, tuple[int, ...]], ...] = (
    (0xC2, (0xA0,)),
    (0xC3, ()),
    (0xE2, (0x80, 0x81)),
    (0xE3, (0x80,)),
    (0xEF, (0xBB, 0xBF)),
)


def _by_line(block: bytes, main: Encoding, suspects: Any, separator: bytes | None) -> Decoded:
    """Decodes the suspected lines one by one and the rest at once."""
    lines = block.split(b"\n")
    result = Decoded(b"")
    wanted = set(suspects)
    plain = [b"" if number in wanted else line for number, line in enumerate(lines)]
    try:
        whole = b"\n".join(plain)
        decoded = gb18030_to_utf8(whole) if main == "gb18030" else map_private_use(_checked_utf8(whole))
    except UnicodeDecodeError:
        return _by_line(block, main, range(len(lines)), separator)
    readable = decoded.split(b"\n")
    for number in sorted(wanted):
        line = lines[number]
        readable[number] = line if line.isascii() else _one_line(line, number, main, separator, result)
    result.utf8 = b"\n".join(readable)
    return result


def _checked_utf8(data: bytes) -> bytes:
    data.decode("utf-8")
    return data


def _one_line(line: bytes, number: int, main: Encoding, separator: bytes | None, result: Decoded) -> bytes:
    as_utf8, as_gb = _try(line, "utf-8"), _try(line, "gb18030")
    if main == "utf-8":
        if as_utf8 is not None:
            return as_utf8
        if separator and (cells := _cell_by_cell(line, main, separator)) is not None:
            result.mixed.append(number)
            return cells
        if as_gb is not None:
            result.other_encoding.append(number)
            return as_gb
    else:
        if as_utf8 is not None and _TWO_HAN_IN_UTF8.search(line):
            result.other_encoding.append(number)
            return as_utf8
        if separator and (cells := _cell_by_cell(line, main, separator)) is not None:
            result.mixed.append(number)
            return cells
        if as_gb is not None:
            return as_gb
        if as_utf8 is not None:
            result.other_encoding.append(number)
            return as_utf8
    result.damaged.append(number)
    return map_private_use(line.decode(main, "replace").encode())


def _try(line: bytes, encoding: Encoding) -> bytes | None:
    try:
        return gb18030_to_utf8(line) if encoding == "gb18030" else map_private_use(_checked_utf8(line))
    except UnicodeDecodeError:
        return None


def _cell_by_cell(line: bytes, main: Encoding, separator: bytes) -> bytes | None:
    """The line with each cell in the encoding that it is in; None unless cells really differ."""
    cells: list[bytes] = []
    differs = False
    for cell in line.split(separator):
        if cell.isascii():
            cells.append(cell)
            continue
        as_utf8 = _try(cell, "utf-8")
        is_other = as_utf8 is not None and _reads_as_common_han(as_utf8)
        if main == "utf-8":
            is_other = as_utf8 is None
            decoded = as_utf8 if as_utf8 is not None else _try(cell, "gb18030")
        else:
            decoded = as_utf8 if is_other else _try(cell, "gb18030")
        if decoded is None:
            return None
        differs |= is_other
        cells.append(decoded)
    return separator.join(cells) if differs else None


def _reads_as_common_han(utf8: bytes) -> bool:
    """Whether the text is such that nobody would get it by chance: two or more characters, all in GB 2312."""
    text = utf8.decode("utf-8")
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return sum("一" <= character <= "鿿" for character in text) >= 2


def _remove_control(decoded: Decoded, separator: bytes | None) -> None:
    unwanted = _CONTROL if separator is None else bytes(code for code in _CONTROL if code not in separator)
    pattern = re.compile(b"[" + re.escape(unwanted) + b"]")
    lines = decoded.utf8.split(b"\n")
    decoded.control = [number for number, line in enumerate(lines) if pattern.search(line)]
    decoded.utf8 = decoded.utf8.translate(None, unwanted)


def repair_mojibake(text: str) -> str | None:
    """The text that was meant, where reading it in the wrong encoding can be undone without loss.

    寮犱紵 -> 张伟 (UTF-8 read as GBK), ÕÅÎ° -> 张伟 (GBK read as Latin-1), å¼ ä¼Ÿ -> 张伟 (UTF-8 read as
    cp1252). None where the text is not that, or was read with loss (锟斤拷).
    """
    for wrong, right in (
        ("gb18030", "utf-8"),
        ("latin-1", "gb18030"),
        ("cp1252", "utf-8"),
        ("latin-1", "utf-8"),
    ):
        try:
            meant = text.encode(wrong).decode(right)
        except UnicodeError:
            continue
        if meant != text and len(meant) < len(text) and _reads_as_common_han(meant.encode()):
            return meant
    return None
