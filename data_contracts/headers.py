"""Which delivered column is which field: headers as they are written in practice against the contract.

Units and periods in a header are read here too, because 金额(万元) is another number than 金额(元). Nothing here
reads a cell.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from data_contracts.contract import Contract, FieldSpec
from data_contracts.encodings import repair_mojibake
from data_contracts.field_types import BLANKS, Column

_UNIT = re.compile(
    r"^(.+?)[(\[【/]((?:人民币)?[万千亿]?元[^)\]】]*|亩|㎡|m2|平方米|公顷|[^)\]】]{1,8})[)\]】]?$"
)
_SCALE = {"万": 10_000, "千": 1_000, "亿": 100_000_000}
_AREA = {"亩": "亩", "m2": "m2", "㎡": "m2", "平方米": "m2", "平米": "m2", "公顷": "公顷"}
_PERIODS = ("学年", "年", "月", "季")


def header_key(text: str | None) -> str:
    """A header as it is compared: half-width, without blanks, quotes and case."""
    folded = unicodedata.normalize("NFKC", text or "")
    return re.sub(r"[\s\"'*#:]+", "", folded.strip(BLANKS)).casefold()


def known_headers(contract: Contract) -> dict[str, FieldSpec]:
    """Every spelling by which the contract knows a column: header, other headers, name of the field."""
    found: dict[str, FieldSpec] = {}
    for spec in contract.fields:
        for spelling in (spec.source, *spec.source_aliases, spec.name):
            found.setdefault(header_key(spelling), spec)
    return found


_FIELDS_APART = re.compile(r"[|,\t;^~，\x1f]")
_LOST = re.compile("[\ufffd锟斤拷\u0080-\u024f\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""What text turns into when bytes are read as Latin-1 or cp1252, or were replaced."""


def looks_garbled(lines: Sequence[str], contract: Contract) -> bool:
    """Whether first lines in which no header was found are text in a wrong encoding.

    So it is when headers of the contract come back as the reading is undone, or when most of what is not ASCII are
    characters that no Chinese header has.
    """
    known = known_headers(contract)
    texts = [text.strip(BLANKS + '"') for line in lines for text in _FIELDS_APART.split(line)]
    texts += [twice for text in texts if (twice := _read_as_utf8(text)) is not None]
    if any(header_key(meant) in known for text in texts if text and (meant := repair_mojibake(text))):
        return True
    foreign = [char for text in texts for char in text if ord(char) > 127]
    return len(foreign) >= 6 and sum(bool(_LOST.match(char)) for char in foreign) * 2 > len(foreign)


def _read_as_utf8(text: str) -> str | None:
    """Text that was saved as UTF-8 and read as GB18030, which Latin-1 letters in UTF-8 allow; null when it was not."""
    try:
        return text.encode("gb18030").decode("utf-8") if not text.isascii() else None
    except UnicodeError:
        return None


@dataclass
class Match:
    """What the columns of a file are. Positions count from 0."""

    columns: dict[int, Column] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    renamed: list[tuple[str, FieldSpec]] = field(default_factory=list)
    converted: list[tuple[str, FieldSpec, str]] = field(default_factory=list)
    """Headers that state another scale than the contract: values are converted."""
    refused: dict[int, tuple[str, FieldSpec, str]] = field(default_factory=dict)
    """Headers that state another period or measure than the contract: values are not used."""
    missing: list[FieldSpec] = field(default_factory=list)
    """Required columns that are not there."""
    absent: list[FieldSpec] = field(default_factory=list)
    """Other columns that are not there."""

    @property
    def found(self) -> int:
        """Number of columns that are understood."""
        return len(self.columns) + len(self.refused)


def count_known(headers: Sequence[str | None], known: dict[str, FieldSpec]) -> int:
    """How many different fields a row of texts names."""
    return len({spec.name for text in headers if text and (spec := _find(text, known)[0]) is not None})


def match(headers: Sequence[str | None], contract: Contract) -> Match:
    """Each delivered header against the contract."""
    known = known_headers(contract)
    result = Match()
    taken: set[str] = set()
    for position, header in enumerate(headers):
        if header is None or not header_key(header):
            continue
        spec, unit, period = _find(header, known)
        shown = header.strip(BLANKS)
        if spec is None:
            result.unknown.append(shown)
            continue
        if spec.name in taken:
            result.twice.append(shown)
            continue
        taken.add(spec.name)
        known_as = {header_key(text) for text in (spec.source, *spec.source_aliases, spec.name)}
        if header_key(header) not in known_as and unit is None and period is None:
            result.renamed.append((shown, spec))
        column = Column.of(contract, spec)
        other = _conflict(spec, unit, period)
        if other:
            result.refused[position] = (shown, spec, other)
            continue
        factor = _factor(unit) if spec.type == "money" else None
        if factor is not None and factor != column.factor:
            result.converted.append((shown, spec, unit or ""))
            column = Column(spec, column.codes, column.dirty, factor)
        result.columns[position] = column
    left = [spec for spec in contract.fields if spec.name not in taken]
    result.missing = [spec for spec in left if spec.required]
    result.absent = [spec for spec in left if not spec.required]
    return result


def _find(header: str, known: dict[str, FieldSpec]) -> tuple[FieldSpec | None, str | None, str | None]:
    """Field, unit and period that a header states."""
    key = header_key(header)
    if key in known:
        return known[key], None, None
    unit: str | None = None
    base = key
    parts = _UNIT.match(key)
    if parts:
        base, unit = parts[1], parts[2]
        if base in known:
            return known[base], unit, _period(unit)
    for spelling, period in _other_periods(base):
        spec = known.get(spelling)
        if spec is not None and spec.type == "money" and _period(spec.unit):
            return spec, unit, _period(unit) or period
    return None, None, None


def _other_periods(base: str) -> list[tuple[str, str]]:
    """年收入 may be the 月收入 of the contract for another period: spelling to look for, and the period meant."""
    found: list[tuple[str, str]] = []
    if "年" in base:
        found += [(base.replace("年", "月", 1), "年"), (base.replace("年度", "月", 1), "年")]
        found += [(re.sub(r"^(全年|年度|年)", "", base), "年")]
    if "月" in base:
        found += [(base.replace("月", "年", 1), "月"), (re.sub(r"^(每月|月度|月)", "", base), "月")]
    return [(spelling, period) for spelling, period in found if spelling != base]


def _period(unit: str | None) -> str | None:
    for period in _PERIODS:
        if unit and period in unit:
            return period
    return None


def _factor(unit: str | None) -> int | None:
    found = re.match(r"(?:人民币)?([万千亿]?)元", unit or "")
    if not found:
        return None
    return _SCALE.get(found[1], 1)


def _conflict(spec: FieldSpec, unit: str | None, period: str | None) -> str | None:
    """The period or measure that the header states and the contract does not; null when they agree."""
    if spec.type == "money":
        agreed = _period(spec.unit)
        if period and agreed and period != agreed:
            return unit if unit and _period(unit) else f"按{period}"
    if spec.type == "decimal" and unit in _AREA and spec.unit in _AREA and _AREA[unit] != _AREA[spec.unit]:
        return unit
    return None


def similar(spec: FieldSpec, headers: Sequence[str | None]) -> list[str]:
    """Delivered headers that may be meant for a missing column."""
    present = {header_key(text): text.strip(BLANKS) for text in headers if text}
    near = difflib.get_close_matches(header_key(spec.source), list(present), n=3, cutoff=0.5)
    return [present[key] for key in near]
