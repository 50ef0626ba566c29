"""The closed model of a contract, a department, a code list and a fact table, and the catalogue that loads them.

What one class says belongs in its YAML, not here. Nothing here knows a class by name, reads a file of
data, or imports another room.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ROOT = Path(__file__).resolve().parent

TypeName = Literal[
    "text",
    "text_list",
    "person_name",
    "person_name_list",
    "resident_id",
    "resident_id_list",
    "identifier",
    "account_no",
    "uscc",
    "division_code",
    "village_code",
    "code",
    "date",
    "month",
    "year",
    "timestamp",
    "money",
    "decimal",
    "integer",
    "boolean",
    "phone",
    "address",
    "disability_cert_no",
    "student_no",
]
"""Kinds of value. How each is read, checked and masked is in `field_types.py`."""

Evidence = Literal[
    "resident_id",
    "former_resident_id",
    "person_name",
    "former_name",
    "sex",
    "birth_date",
    "age",
    "phone",
    "address",
    "village_code",
    "division_code",
    "household_no",
]
"""Kinds of evidence about who a person is, that matching understands."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


PLAIN_HASH = re.compile(r"\b(md5\w*|sha1|sha256|hash|crc32)\s*\(", re.IGNORECASE)
"""Hashes that anybody can compute: whoever tries all numbers finds the one behind the hash."""


class Closed(BaseModel):
    """A mistyped key is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Closed):
    zh: str
    en: str


class CodeList(Closed):
    """A list of codes with its standard; `aliases` are other spellings that mean the code (男性, M ...)."""

    title: Bilingual
    standard: str | None = None
    codes: dict[str, str]
    aliases: dict[str, str] = {}
    open: bool = False
    """True when codes outside the list are legal (large national lists of which we name only a part)."""

    @model_validator(mode="after")
    def _aliases_lead_somewhere(self) -> Self:
        stray = sorted(set(self.aliases.values()) - set(self.codes))
        if stray:
            raise ValueError(f"aliases lead to unknown codes: {stray}")
        return self


class FieldSpec(Closed):
    """One column as it is delivered and as it is understood."""

    name: Name
    source: str
    """The Chinese header."""
    source_aliases: list[str] = []
    """Other headers under which the column has arrived."""
    type: TypeName
    unit: str | None = None
    """Unit and period as delivered: 元, 万元, 元/月, 元/年, 亩, m2 ... Money is stored in yuan, its period is kept."""
    codes: str | dict[str, str] | None = None
    """Name of a shared list in code_lists.yaml, or the list itself (code -> Chinese label)."""
    required: bool = False
    """The column must be in the file; a file without it is rejected."""
    nullable: bool = True
    """The value may be empty. An empty cell of a column that may not be empty is an issue; if the column is
    part of the grain, and not of `grain_may_lack`, the row is rejected."""
    mostly: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of rows in which the value should be present (if not nullable) and valid for the check to pass."""
    description: Bilingual | None = None
    width: int | None = None
    """Bytes in a fixed-width file, in the encoding of the file."""

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.type == "code" and self.codes is None:
            raise ValueError(f"{self.name}: a code needs a list of codes")
        if self.codes is not None and self.type not in ("code", "boolean"):
            raise ValueError(f"{self.name}: only a code has codes")
        if self.type == "money" and (self.unit is None or not self.unit.startswith(("元", "万元"))):
            raise ValueError(f"{self.name}: money needs a unit in 元 or 万元")
        return self


class Delivery(Closed):
    """How the class arrives, and when it counts as late."""

    kind: Literal["full", "delta"]
    """What a file is when its name says nothing. A `full` supersedes what came before; a `delta` adds to it."""
    also: Literal["full", "delta"] | None = None
    full_per: list[str] = []
    """Fields (a month, a year) for whose values a full file is complete; about other values it is silent."""
    cadence: Literal[
        "daily", "weekly", "monthly", "quarterly", "yearly", "per_term", "per_batch", "per_event"
    ]
    late_after_days: Annotated[int, Field(gt=0)] | None
    """Days after the last delivery from which the class counts as late; null for classes that come when something happens."""
    format: Literal["delimited", "fixed_width", "workbook", "json"]
    delimiter: Literal[",", "|", "\t"] | None = None
    quoted: bool = False
    encoding: Literal["gb18030", "utf-8", "utf-8-sig", "workbook"]
    dates: Literal["yyyymmdd", "yyyy-mm-dd", "yyyy/m/d"] = "yyyymmdd"
    """How days are usually spelt in the files; other spellings are read as well."""
    suffix: Literal["txt", "csv", "tsv", "dat", "xlsx", "json", "zip"]

    @model_validator(mode="after")
    def _format_fits(self) -> Self:
        if (self.format == "delimited") != (self.delimiter is not None):
            raise ValueError("a delimiter belongs to delimited files, and to them alone")
        if (self.format == "workbook") != (self.encoding == "workbook"):
            raise ValueError("a workbook has no text encoding")
        return self


class Subject(Closed):
    """A role in which a row names a person, and the fields that say who it is."""

    role: Name
    title: Bilingual
    evidence: dict[Evidence, str]
    """Kind of evidence -> field."""
    as_of: str | None = None
    """Field with the day on which an `age` was true."""
    packed: bool = False
    """The fields hold several persons in one cell; values are paired by position."""
    derived_id: str | None = None
    """Field whose value contains the resident id (certificate of disability, student number) when it has none itself."""
    where: str | None = None
    """DuckDB condition over the fields of this class: only such rows name a person in this role (a vehicle may belong to
    a company, a certificate is of a birth or of a death)."""


class Feed(Closed):
    """Rows of this class that become rows of one fact table."""

    fact: Name
    persons: dict[Name, Name] = {}
    """Person column of the fact -> role of this class."""
    columns: dict[Name, str] = {}
    """Column of the fact -> DuckDB expression over the fields of this class and `_batch`, the batch date of the row.
    `opaque(x)`, or `opaque(a, b)` for a number in parts, is the keyed hash that stands for a department's number."""
    where: str | None = None
    """DuckDB condition over the fields of this class."""


class KeptApart(Closed):
    """Rows of one grain that are several facts, not corrections of each other: two refunds of one settlement, two people
    under one number. An empty value counts as a value here."""

    by: list[Name]
    where: str = "true"
    """DuckDB condition over the fields of this class: in which rows `by` counts."""


class Rows(Closed):
    minimum: Annotated[int, Field(ge=0)] = 0
    maximum: int | None = None
    shrink_tolerance: Annotated[float, Field(gt=0, le=1)] = 0.3
    """A full file that is smaller than the last one by more than this share is held until somebody confirms it."""


class Contract(Closed):
    """One class of information: what arrives, in which shape, under which law, and what it feeds."""

    id: Name
    no: Annotated[int, Field(ge=1)]
    title: Bilingual
    department: Name
    supplying_unit: str
    purpose: Bilingual
    legal_basis: list[str]
    description: Bilingual
    grain: list[Name]
    grain_title: Bilingual
    kept_apart: KeptApart | None = None
    grain_may_lack: list[Name] = []
    """Fields of the grain that may be empty: such a row is taken and stands for itself. Sent again without them, a row that
    agrees in the rest of the grain and in `kept_apart.by` with one of another delivery is that row, not another."""
    tier: Annotated[int, Field(ge=1, le=4)]
    """How identities were captured: 1 live-checked register, 2 checked at the counter, 3 imported list, 4 keyed from paper."""
    delivery: Delivery
    fields: list[FieldSpec]
    dirty_values: dict[Name, dict[str, str | None]] = {}
    """Field -> delivered text -> what it means (null: nothing)."""
    subjects: list[Subject]
    feeds: list[Feed]
    rows: Rows = Rows()
    order: list[Name] = []
    """Fields that say which of two rows with the same grain is newer when both were delivered in the same night; otherwise
    the one that was delivered later stays."""
    known_quirks: list[Bilingual] = []
    warnings: list[str] = []
    """Warning codes that rest on this class."""
    restricted: bool = False
    """Only persons who gave a written authorisation may be in it (classes 31-34)."""

    def field(self, name: str) -> FieldSpec:
        """The field of that name; KeyError names the class."""
        for spec in self.fields:
            if spec.name == name:
                return spec
        raise KeyError(f"{self.id} has no field {name}")

    def subject(self, role: str) -> Subject:
        """The subject of that role; KeyError names the class."""
        for subject in self.subjects:
            if subject.role == role:
                return subject
        raise KeyError(f"{self.id} has no subject {role}")

    def headers(self) -> list[str]:
        """Chinese headers in the order of the contract."""
        return [spec.source for spec in self.fields]

    @model_validator(mode="after")
    def _refers_to_itself(self) -> Self:
        names = [spec.name for spec in self.fields]
        sources = [h for spec in self.fields for h in (spec.source, *spec.source_aliases)]
        problems = [f"field {n} twice" for n in sorted({n for n in names if names.count(n) > 1})]
        problems += [f"header {h} twice" for h in sorted({h for h in sources if sources.count(h) > 1})]
        known = set(names)
        used = {("grain", n) for n in self.grain} | {("order", n) for n in self.order}
        used |= {("kept_apart.by", n) for n in (self.kept_apart.by if self.kept_apart else ())}
        used |= {("grain_may_lack", n) for n in self.grain_may_lack}
        problems += [
            f"grain_may_lack: {n} is not in the grain" for n in self.grain_may_lack if n not in self.grain
        ]
        if self.grain_may_lack and not set(self.grain) - set(self.grain_may_lack):
            problems.append("grain_may_lack: nothing is left of the grain")
        used |= {("delivery.full_per", n) for n in self.delivery.full_per}
        used |= {("dirty_values", n) for n in self.dirty_values}
        roles: set[str] = set()
        for subject in self.subjects:
            if subject.role in roles:
                problems.append(f"role {subject.role} twice")
            roles.add(subject.role)
            used |= {(f"subject {subject.role}", n) for n in subject.evidence.values()}
            used |= {(f"subject {subject.role}", n) for n in (subject.as_of, subject.derived_id) if n}
        problems += [f"{place} names unknown field {n}" for place, n in sorted(used) if n not in known]
        for feed in self.feeds:
            problems += [
                f"feed {feed.fact} names unknown role {r}" for r in feed.persons.values() if r not in roles
            ]
            problems += [
                f"feed {feed.fact}, {place}: {problem}"
                for place, sql in {**feed.columns, "where": feed.where or ""}.items()
                if (problem := _unsafe(sql))
            ]
        fixed = self.delivery.format == "fixed_width"
        problems += [
            f"field {spec.name}: a width belongs to fixed-width files, and there to every field"
            for spec in self.fields
            if (spec.width is not None) != fixed
        ]
        if problems:
            raise ValueError(f"{self.id}: " + "; ".join(problems))
        return self


def _unsafe(sql: str) -> str | None:
    """Why an expression of a feed is refused, if it is."""
    plain = PLAIN_HASH.search(sql)
    if plain:
        return f"{plain[1]}() of a number is undone by trying all numbers; use opaque(), which is keyed"
    return "the key behind opaque() is nobody's column" if "_opaque" in sql.lower() else None


class Department(Closed):
    """One of the twelve accountable departments."""

    id: Name
    no: Annotated[int, Field(ge=1, le=12)]
    title: Bilingual
    bodies: list[str]
    legal_basis: list[str]
    contact: str
    """Desk to call, never a person."""


class FactColumn(Closed):
    name: Name
    type: Literal[
        "text", "code", "date", "month", "year", "money", "decimal", "integer", "boolean", "text_list"
    ]
    unit: str | None = None
    codes: str | dict[str, str] | None = None
    description: Bilingual


class FactTable(Closed):
    """A table in our own vocabulary. Matching, rules and reports see nothing else.

    Every table also carries, for each person column, the grade of the link (`person_id` -> `link_grade`,
    `x_person_id` -> `x_link_grade`), and `source_class`, `data_as_of`, `row_key`.
    """

    id: Name
    title: Bilingual
    description: Bilingual
    persons: list[Name]
    columns: list[FactColumn]

    def grade_of(self, person_column: str) -> str:
        """Name of the column that holds the grade of a person column."""
        return person_column.removesuffix("person_id") + "link_grade"


YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""What `yaml.safe_load` reads with, ten times faster where libyaml is there."""


class _Loader(YAML):
    """YAML 1.2 as editors read it: only true and false are booleans (`no` is a key of ours, `N` a code)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _no_key_twice(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"key twice: {', '.join(twice)}", node.start_mark)
    return {
        key: loader.construct_object(value, deep=True)
        for key, (_, value) in zip(keys, node.value, strict=True)
    }


_Loader.add_constructor("tag:yaml.org,2002:map", _no_key_twice)


def _load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


T = TypeVar("T", bound=Closed)


class ContractError(ValueError):
    """A declaration does not fit the model; the message names file and key."""


def _parse(model: type[T], path: Path) -> T:
    try:
        return model.model_validate(_load(path))
    except (ValueError, yaml.YAMLError) as error:
        raise ContractError(f"{path.parent.name}/{path.name}: {error}") from error


@cache
def code_lists(root: Path = ROOT) -> dict[str, CodeList]:
    """Shared code lists by name."""
    path = root / "code_lists.yaml"
    try:
        return {name: CodeList.model_validate(body) for name, body in _load(path).items()}
    except (ValueError, yaml.YAMLError) as error:
        raise ContractError(f"{path.name}: {error}") from error


@cache
def departments(root: Path = ROOT) -> dict[str, Department]:
    """The twelve departments by id, ordered by number."""
    found = [_parse(Department, path) for path in sorted(root.glob("departments/*/_department.yaml"))]
    return {department.id: department for department in sorted(found, key=lambda d: d.no)}


@cache
def catalogue(root: Path = ROOT) -> dict[str, Contract]:
    """Every class by id, ordered by number: the 48 classes and the outcome return."""
    paths = sorted(path for path in root.glob("departments/*/*.yaml") if not path.name.startswith("_"))
    found = [_parse(Contract, path) for path in paths]
    for path, contract in zip(paths, found, strict=True):
        if (path.stem, path.parent.name) != (contract.id, contract.department):
            raise ContractError(
                f"{path.relative_to(root)}: file and folder must be named as the class and department"
            )
    numbers = [contract.no for contract in found]
    twice = sorted({no for no in numbers if numbers.count(no) > 1})
    if twice:
        who = sorted(contract.id for contract in found if contract.no in twice)
        raise ContractError(
            f"number {twice} is given twice: {', '.join(who)}; the next free one is {max(numbers) + 1}"
        )
    return {contract.id: contract for contract in sorted(found, key=lambda c: c.no)}


@cache
def fact_tables(root: Path = ROOT) -> dict[str, FactTable]:
    """Every fact table by id, in alphabetical order."""
    found = [_parse(FactTable, path) for path in sorted(root.glob("facts/*.yaml"))]
    return {table.id: table for table in found}


def codes_of(spec: FieldSpec | FactColumn, root: Path = ROOT) -> CodeList | None:
    """The list behind a coded field, whether shared or written in place; null for fields without codes."""
    if spec.codes is None:
        return None
    if isinstance(spec.codes, str):
        return code_lists(root)[spec.codes]
    return CodeList(title=Bilingual(zh=spec.name, en=spec.name), codes=spec.codes)
