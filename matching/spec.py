"""Which column of a table is which kind of evidence: the specification of a match, read and checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr

from data_contracts.field_types import hide_numbers

Kind = Literal[
    "person_name",
    "former_name",
    "latin_name",
    "resident_id",
    "identifier",
    "birth_date",
    "age",
    "sex",
    "phone",
    "address",
    "division",
    "household",
    "text",
]
KINDS: tuple[str, ...] = get_args(Kind)

_TOP = ("left", "right", "as_of", "left_is_clean", "right_is_clean")
_SIDE = ("id", "columns")
_COLUMN = ("kind", "as_of", "nominal")


class SpecError(ValueError):
    """A specification that cannot be used, or a table that lacks one of its columns.

    The message names file, section and column, and the nearest known word; never a value of the table.
    """


class _Loader(yaml.SafeLoader):
    """Only true and false are booleans: a column may be called no, yes, on or off."""


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRef(_Closed):
    """A column that holds the value row by row."""

    column: str


class ColumnSpec(_Closed):
    """What a column holds."""

    kind: Kind
    as_of: date | ColumnRef | None = None
    """Ages: the day on which they were true, or the column that holds it; default: `as_of` of the specification."""
    nominal: bool = False
    """Ages: counted by calendar years from one (虚岁), also where the cells do not say so."""


class Side(_Closed):
    """One of the two tables."""

    id: str | None = None
    """Column with the id of a record; without it records are numbered by position, from 0."""
    columns: dict[str, ColumnSpec]
    """Name of a column -> what it holds. Columns that are not named are not read."""
    _where: str = PrivateAttr("table")

    def of(self, *kinds: str) -> list[str]:
        """Columns of these kinds, in the order of the specification."""
        return [name for name, spec in self.columns.items() if spec.kind in kinds]

    @property
    def needed(self) -> list[str]:
        """Every column of the table that is read, each once."""
        dated = [spec.as_of.column for spec in self.columns.values() if isinstance(spec.as_of, ColumnRef)]
        names = [*([] if self.id is None else [self.id]), *self.columns, *dated]
        return list(dict.fromkeys(names))

    def check(self, available: Collection[str]) -> None:
        """Raises `SpecError` when a column of the specification is not among those of the table."""
        for name in self.needed:
            if name not in available:
                raise SpecError(
                    f"{self._where}: the table has no column {hide_numbers(name)!r}{others(self.needed, available)}"
                )


class Spec(_Closed):
    """Specification of a match of two tables; `docs/matching.md` is its reference."""

    left: Side
    right: Side | None = None
    """Absent where one table is searched for persons that it holds twice."""
    as_of: date | None = None
    """The day of the run: ages without a day of their own were true then, nobody is born later."""
    left_is_clean: bool = True
    """The left table holds at most one record of a person; where false, its records of one person count as one."""
    right_is_clean: bool = True
    """The right table holds at most one record of a person; where false, several may be linked to one on the left."""

    @classmethod
    def load(cls, path: Path | str) -> Spec:
        """The specification in a YAML file; `SpecError` when it cannot be read or does not fit."""
        path = Path(path)
        shown = hide_numbers(path.name)
        try:
            raw = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
        except OSError as error:
            raise SpecError(f"{shown}: {error.strerror or 'cannot be read'}") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            mark = getattr(error, "problem_mark", None)
            at = f", line {mark.line + 1}" if mark else ""
            raise SpecError(f"{shown}{at}: is not YAML in UTF-8") from error
        except ValueError as error:
            # What looks like a day and is none: 2025-13-17.
            raise SpecError(f"{shown}: holds a day that does not exist ({error})") from error
        return cls.parse(raw, source=shown)

    @classmethod
    def parse(cls, raw: Any, *, source: str = "spec") -> Spec:
        """The specification in a mapping as YAML gives it; `SpecError` names `source`, section and column."""
        top = _mapping(raw, source, _TOP)
        if "left" not in top:
            raise SpecError(f"{source}: section 'left' is missing")
        sides = {name: _side(top[name], f"{source}: {name}") for name in ("left", "right") if name in top}
        flags = {name: top[name] for name in ("left_is_clean", "right_is_clean") if name in top}
        for name, value in flags.items():
            if not isinstance(value, bool):
                raise SpecError(f"{source}: {name} must be true or false")
        return cls(**sides, **flags, as_of=_day(top.get("as_of"), f"{source}: as_of"))


def _nearest(word: str, known: Collection[str], what: str) -> str:
    found = difflib.get_close_matches(word, list(known), 1, 0.5)
    if found:
        return f"; did you mean {hide_numbers(found[0])!r}?"
    some = ", ".join(hide_numbers(name) for name in list(known)[:20])
    return f"; {what}: {some}" if some else ""


def others(needed: Collection[str], available: Collection[str]) -> str:
    """What a table does have. Only names out of the specification are told: a header may be a row of data."""
    there = [hide_numbers(name) for name in needed if name in available]
    named = f", among them {', '.join(there)}" if there else ", none of them named in the specification"
    return f"; it has {len(available)}{named} (the first line of a text file must hold their names)"


def _mapping(raw: Any, where: str, keys: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping) or not raw:
        raise SpecError(f"{where}: is empty; known words: {', '.join(keys)}")
    for key in raw:
        if key not in keys:
            shown = hide_numbers(str(key))
            raise SpecError(f"{where}: unknown word {shown!r}{_nearest(str(key), keys, 'known words')}")
    return raw


def _day(raw: Any, where: str) -> date | None:
    if raw is None or (isinstance(raw, date) and not isinstance(raw, datetime)):
        return raw
    try:
        return date.fromisoformat(str(raw))
    except ValueError:
        raise SpecError(f"{where} must be a day such as 2025-11-17") from None


def _side(raw: Any, where: str) -> Side:
    body = _mapping(raw, where, _SIDE)
    columns = body.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise SpecError(f"{where}: 'columns' is empty; it maps columns to kinds: {', '.join(KINDS)}")
    found = {
        str(name): _column(spec, f"{where}: column {hide_numbers(str(name))}")
        for name, spec in columns.items()
    }
    key = body.get("id")
    side = Side(id=None if key is None else str(key), columns=found)
    side._where = where
    return side


def _column(raw: Any, where: str) -> ColumnSpec:
    body = {"kind": raw} if isinstance(raw, str) else _mapping(raw, where, _COLUMN)
    kind = body.get("kind")
    if not isinstance(kind, str):
        raise SpecError(f"{where}: 'kind' is missing; known kinds: {', '.join(KINDS)}")
    if kind not in KINDS:
        raise SpecError(f"{where}: unknown kind {kind!r}{_nearest(kind, KINDS, 'known kinds')}")
    extra = [key for key in ("as_of", "nominal") if key in body]
    if extra and kind != "age":
        raise SpecError(f"{where}: {extra[0]!r} belongs to the kind age, not to {kind}")
    as_of = body.get("as_of")
    day: date | ColumnRef | None
    if isinstance(as_of, Mapping):
        day = ColumnRef(column=str(_mapping(as_of, f"{where}: as_of", ("column",))["column"]))
    else:
        day = _day(as_of, f"{where}: as_of")
    nominal = body.get("nominal", False)
    if not isinstance(nominal, bool):
        raise SpecError(f"{where}: nominal must be true or false")
    return ColumnSpec(kind=kind, as_of=day, nominal=nominal)
