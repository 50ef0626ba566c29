"""Numbers of the law as dated data: the closed model of a parameter file and its expansion to counties.

What belongs here is how values are declared, which of several applies, and when there is none. The values stand in
`policy/parameters/*.yaml`; who asks for which is declared by rules and measures.

A division is a county (6 digits), a prefecture (xxxx00), a province (xx0000) or the whole country (000000). On every day
the most specific division that has a value for the day wins. `not_known: true` is a value too: it says that nobody has
a source for that place and time, and it hides what a wider division says. Outside all dates there is no row, never a zero.

A row may name several divisions, and several values of a key, in a list: it stands for each of them. Amounts that places
publish anew every year declare `carried`: the last one seen is taken over with weaker evidence, and in the end not known.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import Field, ValidationError

from data_contracts.contract import YAML
from policy.sql_file import PLACEHOLDER, Chinese, Closed, Name, PolicyError, Text, Words

FOREVER = date(9999, 12, 31)
ColumnType = Literal["money", "decimal", "integer", "boolean", "text"]

POLARS_TYPES: dict[str, Any] = {
    "money": pl.Decimal(18, 2),
    "decimal": pl.Decimal(18, 4),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
}
_EVIDENCE = {"published", "proxy", "model", "proposal", "not_known"}
CARRIED_ZH = "之后是否调整未见"
CHOICE = re.compile(r"\{(\w+)\?([^|{}]*)\|([^{}]*)\}")
"""In `says`: a yes or no in words of its own, {is_excluded?不计入|计入}."""


class Carried(Closed):
    """How long the last value that was seen stands in for those that came after it and were not seen."""

    after_months: Annotated[int, Field(gt=0)]
    """From then on its evidence is `proxy`, and its source says that later ones were not seen."""
    up_to_months: Annotated[int, Field(gt=0)]
    """From then on nothing is known."""


class ParameterHeader(Closed):
    """What a parameter file declares besides its values."""

    id: Name
    title: Words
    unit: Text
    description: Words | None = None
    keys: dict[Name, list[str] | None] = Field(default_factory=dict)
    """Further keys beside division and dates: their values, or null when the list is open."""
    columns: dict[Name, ColumnType]
    says: Chinese | None = None
    """A value in words for an officer, with {columns} and {yes_or_no?one way|the other}; what stands in [ ] falls away where one
    of its columns is empty. Without it the columns are named."""
    carried: Carried | None = None


@dataclass(frozen=True)
class Value:
    """One dated value of one division."""

    division: str
    keys: tuple[str, ...]
    valid_from: date
    valid_to: date
    columns: tuple[Any, ...] | None
    """Null: not known."""
    source: str
    evidence: str
    line: int


def reach(division: str) -> str:
    """The digits by which the counties of a division begin: '1509' for 150900, '' for 000000."""
    text = division
    while text.endswith("00"):
        text = text[:-2]
    return text


@dataclass(frozen=True)
class Parameter:
    """One parameter file."""

    path: Path
    header: ParameterHeader
    values: tuple[Value, ...]
    written: tuple[Value, ...] = ()
    """The values as the file has them, before what was seen last is carried on."""

    @property
    def id(self) -> str:
        """Name of its table."""
        return self.header.id

    @cached_property
    def schema(self) -> pl.Schema:
        """Columns of its table."""
        return pl.Schema(
            {
                "county_code": pl.String(),
                **{key: pl.String() for key in self.header.keys},
                "valid_from": pl.Date(),
                "valid_to": pl.Date(),
                **{name: POLARS_TYPES[kind] for name, kind in self.header.columns.items()},
                "source": pl.String(),
                "evidence": pl.String(),
            }
        )

    def table(self, counties: Iterable[str]) -> pl.DataFrame:
        """One row a county, key and spell in which a value is known, ordered by all of them."""
        by_reach: dict[str, list[Value]] = defaultdict(list)
        for value in self.values:
            by_reach[reach(value.division)].append(value)
        rows: list[tuple[Any, ...]] = []
        for county in sorted(set(counties)):
            candidates: dict[tuple[str, ...], list[tuple[int, Value]]] = defaultdict(list)
            for length in (0, 2, 4, 6):
                for value in by_reach.get(county[:length], []):
                    candidates[value.keys].append((length, value))
            for keys in sorted(candidates):
                for start, end, value in _spells(candidates[keys]):
                    if value.columns is not None:
                        rows.append((county, *keys, start, end, *value.columns, value.source, value.evidence))
        return pl.DataFrame(rows, schema=self.schema, orient="row")

    def unknown(self, counties: Iterable[str], as_of: date) -> dict[str, list[tuple[str, ...]]]:
        """County -> keys for which there is no value on the day; `[()]` when there is none at all.

        Keys are those named anywhere in the file, so that a county may be known for towns and not for villages.
        """
        table = self.table(counties).filter((pl.col("valid_from") <= as_of) & (pl.col("valid_to") >= as_of))
        names = list(self.header.keys)
        present: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for row in table.select("county_code", *names).iter_rows():
            present[row[0]].add(tuple(row[1:]))
        wanted = {value.keys for value in self.values}
        missing: dict[str, list[tuple[str, ...]]] = {}
        for county in sorted(set(counties)):
            if not present[county]:
                missing[county] = [()]
            elif gaps := sorted(wanted - present[county]):
                missing[county] = gaps
        return missing

    def at(self, county: str, keys: tuple[str, ...], day: date) -> Value | None:
        """What holds in a county on a day: a value, one that says `not_known`, or null when no row is about that day."""
        found = [
            (len(reach(value.division)), value)
            for value in self.values
            if value.keys == keys
            and county.startswith(reach(value.division))
            and value.valid_from <= day <= value.valid_to
        ]
        return max(found, key=lambda item: item[0])[1] if found else None


def _spells(candidates: list[tuple[int, Value]]) -> list[tuple[date, date, Value]]:
    """Cut time where any candidate begins or ends, and let the most specific one win in each piece."""
    cuts = sorted(
        {value.valid_from for _, value in candidates}
        | {value.valid_to + timedelta(days=1) for _, value in candidates if value.valid_to < FOREVER}
    )
    spells: list[tuple[date, date, Value]] = []
    for index, start in enumerate(cuts):
        end = cuts[index + 1] - timedelta(days=1) if index + 1 < len(cuts) else FOREVER
        inside = [(depth, v) for depth, v in candidates if v.valid_from <= start and v.valid_to >= end]
        if not inside:
            continue
        winner = max(inside, key=lambda item: item[0])[1]
        if spells and spells[-1][2] is winner and spells[-1][1] == start - timedelta(days=1):
            spells[-1] = (spells[-1][0], end, winner)
        else:
            spells.append((start, end, winner))
    return spells


def _typed(kind: str, raw: Any) -> Any:
    """A value in the type of its column; raises ValueError. A float is refused: it is not the number that was written."""
    if raw is None:
        return None
    if kind == "boolean" and isinstance(raw, bool):
        return raw
    if kind == "text" and isinstance(raw, str):
        return raw
    if kind == "integer" and isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if kind in ("money", "decimal") and isinstance(raw, int | float | str) and not isinstance(raw, bool):
        try:
            number = Decimal(str(raw))
        except InvalidOperation as error:
            raise ValueError(f"{raw!r} is not a number") from error
        return number.quantize(Decimal("0.01") if kind == "money" else Decimal("0.0001"))
    raise ValueError(f"{raw!r} is not {kind}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) and raw else [raw]


def parse_values(
    path: Path, header: ParameterHeader, rows: list[dict[str, Any]], lines: list[int]
) -> tuple[Value, ...]:
    """Rows of a parameter file as values. Raises PolicyError with the line of the row."""
    fixed = {"division", "from", "to", "source", "evidence", "not_known"}
    found: list[Value] = []
    for row, line in zip(rows, lines, strict=True):

        def refuse(why: str, line: int = line) -> PolicyError:
            return PolicyError(path, line, why)

        stray = sorted(set(row) - fixed - set(header.keys) - set(header.columns))
        if stray:
            raise refuse(f"unknown keys {stray}")
        divisions = _listed(row.get("division"))
        for division in divisions:
            if not isinstance(division, str) or len(division) != 6 or not division.isdigit():
                raise refuse(f"division {division!r} is not a code of six digits in quotes")
        start, end = row.get("from"), row.get("to") or FOREVER
        if not isinstance(start, date) or not isinstance(end, date) or end < start:
            raise refuse("`from` and `to` must be dates in order")
        if not isinstance(row.get("source"), str) or not row["source"].strip():
            raise refuse("a value needs its source")
        keys = []
        for key, domain in header.keys.items():
            values = _listed(row.get(key))
            for value in values:
                if not isinstance(value, str) or (domain is not None and value not in domain):
                    raise refuse(f"{key} {value!r} is not one of {domain}")
            keys.append(values)
        evidence = row.get("evidence", "not_known" if row.get("not_known") else None)
        if evidence not in _EVIDENCE:
            raise refuse(f"evidence {evidence!r} is not one of {sorted(_EVIDENCE)}")
        columns: tuple[Any, ...] | None = None
        if not row.get("not_known"):
            try:
                columns = tuple(_typed(kind, row.get(name)) for name, kind in header.columns.items())
            except ValueError as error:
                raise refuse(str(error)) from error
        found += [
            Value(division, combination, start, end, columns, row["source"].strip(), evidence, line)
            for division in divisions
            for combination in product(*keys)
        ]
    spells: dict[tuple[str, tuple[str, ...]], list[Value]] = defaultdict(list)
    for item in found:
        spells[(item.division, item.keys)].append(item)
    ends: dict[tuple[str, tuple[str, ...], date], date] = {}
    for items in spells.values():
        items.sort(key=lambda v: v.valid_from)
        for earlier, later in pairwise(items):
            if later.valid_from == earlier.valid_from:
                raise PolicyError(path, later.line, f"begins on the day of the value of line {earlier.line}")
            if earlier.valid_to == FOREVER:
                # A new standard ends the one before it, as the notices say: one new line is enough.
                ends[earlier.division, earlier.keys, earlier.valid_from] = later.valid_from - timedelta(
                    days=1
                )
            elif later.valid_from <= earlier.valid_to:
                raise PolicyError(path, later.line, f"overlaps the value of line {earlier.line}")
    return tuple(replace(v, valid_to=ends.get((v.division, v.keys, v.valid_from), v.valid_to)) for v in found)


def months_on(day: date, months: int) -> date:
    """The first of the month that lies so many months after the month of a day."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def carried_on(values: tuple[Value, ...], rule: Carried | None) -> tuple[Value, ...]:
    """Values that nobody ended, cut into what was published, what is taken over from it, and what is not known."""
    if rule is None:
        return values
    found: list[Value] = []
    for value in values:
        weaker = months_on(value.valid_from, rule.after_months)
        nothing = months_on(value.valid_from, rule.up_to_months)
        if value.columns is None or value.valid_to != FOREVER:
            found.append(value)
            continue
        source = f"{value.source}；{CARRIED_ZH}"
        found += [
            replace(value, valid_to=weaker - timedelta(days=1)),
            replace(
                value,
                valid_from=weaker,
                valid_to=nothing - timedelta(days=1),
                source=source,
                evidence="proxy",
            ),
            replace(value, valid_from=nothing, columns=None, source=source, evidence="not_known"),
        ]
    return tuple(found)


def read_parameter(path: Path) -> Parameter:
    """One parameter file. Raises PolicyError with file, line and why."""
    text = path.read_text(encoding="utf-8")
    try:
        body = yaml.load(text, Loader=YAML)
        root = yaml.compose(text, Loader=YAML)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(path, (mark.line + 1) if mark else 1, f"not YAML: {error}") from error
    if not isinstance(body, dict) or not isinstance(root, yaml.MappingNode):
        raise PolicyError(path, 1, "the file must be a mapping")
    rows = body.pop("values", None)
    if not isinstance(rows, list) or not rows:
        raise PolicyError(path, 1, "the file has no values")
    try:
        header = ParameterHeader.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise PolicyError(path, 1, f"`{'.'.join(str(p) for p in first['loc'])}`: {first['msg']}") from error
    if header.id != path.stem:
        raise PolicyError(path, 1, f"the file must be named as its parameter, {header.id}.yaml")
    shown = {
        *PLACEHOLDER.findall(header.says or ""),
        *(name for name, *_ in CHOICE.findall(header.says or "")),
    }
    if stray := sorted(shown - set(header.columns)):
        raise PolicyError(path, 1, f"`says` shows {stray}, which are no columns")
    node = next(value for key, value in root.value if key.value == "values")
    values = parse_values(path, header, rows, [_line(item) for item in node.value])
    return Parameter(path, header, carried_on(values, header.carried), values)


def read_parameters(folder: Path) -> dict[str, Parameter]:
    """Every parameter by id."""
    found = [read_parameter(path) for path in sorted(folder.glob("*.yaml"))]
    return {parameter.id: parameter for parameter in found}


def replaced(parameter: Parameter, rows: list[dict[str, Any]]) -> Parameter:
    """The same parameter with other values, for cases that must not change when a standard does."""
    values = parse_values(parameter.path, parameter.header, rows, [0] * len(rows))
    return Parameter(parameter.path, parameter.header, values, values)
