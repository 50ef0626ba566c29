"""A rule or a measure is one SQL file: a YAML header, then the query that runs as it stands.

What belongs here is the closed model of the headers and the reading of a file: what it declares, and, from DuckDB's own
parser, what its query touches (tables, columns, functions, lines). Whether that is allowed is decided in `checks.py`;
what the rules say stands in `policy/rules` and `policy/measures`.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import duckdb
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from data_contracts.contract import YAML

ROOT = Path(__file__).resolve().parent
Level = Literal["red", "orange", "yellow", "blue"]
ListKind = Literal["help_in", "check_out"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[NPXQ]\d{2}$")]

OPEN, CLOSE = "/*---", "---*/"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NEWS = "news_zh"
"""Column that the engine adds to the rows of a rule with `new_signal`."""
LEFT_OUT = "not_raised_zh"
"""Column of a query with which a row says why it is not raised; null where it is."""


class PolicyError(ValueError):
    """A file of `policy/` is refused. The message names the file, the line and why."""

    def __init__(self, path: Path | str, line: int, why: str) -> None:
        place = Path(path)
        shown = place.relative_to(ROOT.parent) if place.is_relative_to(ROOT.parent) else place
        super().__init__(f"{shown}:{line}: {why}")
        self.line = line
        self.why = why


class Closed(BaseModel):
    """A mistyped key is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OneOfEach(YAML):
    """YAML in which a key that stands twice is an error: the second would silently take the place of the first."""


def _no_key_twice(loader: OneOfEach, node: yaml.MappingNode) -> Iterator[dict[Any, Any]]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
            raise yaml.constructor.ConstructorError(
                None, None, f"the key `{key.value}` stands twice", key.start_mark
            )
        seen.add(str(key.value))
    yield from loader.construct_yaml_map(node)


OneOfEach.add_constructor("tag:yaml.org,2002:map", _no_key_twice)


def unfolded(text: str) -> str:
    """Chinese text that YAML folded over several lines: the blanks that folding leaves between characters are taken out."""
    return re.sub(
        r"(?<=[^\x00-\x7f}]) (?=[^\x00-\x7f{])|(?<=[^\x00-\x7f]) (?={)|(?<=}) (?=[^\x00-\x7f])", "", text
    )


Chinese = Annotated[Text, AfterValidator(unfolded)]


class Words(Closed):
    """The same in Chinese, for the officer, and in English."""

    zh: Chinese
    en: Text


class Need(Closed):
    """Sources behind a fact that is read, and how old their last delivery may be.

    `all`: every one of them must be fresh; `any`: one is enough, the others are named when they are missing.
    """

    max_age_days: Annotated[int, Field(gt=0)]
    all: list[Name] = []
    any: list[Name] = []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.all) == bool(self.any):
            raise ValueError("a need declares its sources under `all` or under `any`")
        return self

    @property
    def sources(self) -> list[str]:
        """The classes of information behind the fact."""
        return [*self.all, *self.any]


class Change(Closed):
    version: Annotated[int, Field(gt=0)]
    since: date
    what: Text


class NewSignal(Closed):
    """The rule warns of events, on the night on which they become visible (`policy/signals.py`)."""

    window: Name
    """Value of `warning_window`: so long an event, or the night on which it was first seen, is news."""


class Header(Closed):
    """What rules and measures both declare."""

    version: Annotated[int, Field(gt=0)]
    title: Words
    needs: dict[Name, Need] = {}
    """Facts without which nothing can be said: a source that is late, absent, failed or held switches the rule off."""
    uses: dict[Name, Need] = {}
    """Facts that only ever take somebody off the list or make a sentence fuller: a missing source is named, no more."""
    parameters: list[Name] = []
    """Dated values without which nothing can be said in a county."""
    parameters_if_known: list[Name] = []
    """Dated values that the query does without where they are not known, because it reads them with a left join."""
    changelog: Annotated[list[Change], Field(min_length=1)]

    @model_validator(mode="after")
    def _history_is_whole(self) -> Self:
        if [change.version for change in self.changelog] != list(range(1, self.version + 1)):
            raise ValueError(f"changelog must name versions 1 to {self.version}, oldest first")
        if twice := sorted(set(self.needs) & set(self.uses)):
            raise ValueError(f"{twice} both needed and used")
        return self


class MeasureHeader(Header):
    """One quantity that several rules share: its grain, unit, period and source."""

    id: Name
    grain: Text
    unit: Text
    period: Text
    source: Text
    columns: dict[Name, Text]
    published: bool = True
    """False for a step on the way that is too large to be kept."""
    known_gaps: Words


class RuleHeader(Header):
    """One warning: who owns it, on which law it rests, what it says and where it errs."""

    id: RuleId
    legal_basis: Annotated[list[Text], Field(min_length=1)]
    owner: Text
    expires: date
    subject: Literal["household", "person", "case"]
    level: Level
    levels: list[Level] = []
    """Levels that the query may give a row in its own column `level`; without it, every row has `level`."""
    new_signal: NewSignal | None = None
    """The query returns every event of the last 24 months with its day, `event_on`; the sentence shows {news_zh}."""
    never_suppress: bool = False
    """True: an answer "nothing to do" does not silence a repeat."""
    evidence: Annotated[list[Name], Field(min_length=1)]
    reason: Chinese | dict[Name, Chinese]
    """Chinese sentence with {columns} of the query; or one sentence for each value of the column `cause`."""
    cited: list[Name] = []
    """Classes whose date closes the sentence; without it, all classes under `needs`.

    A query that knows on which classes a row rests gives them itself, in a text column `cited_classes` (ids by commas;
    empty: none, null: those of the header).
    """
    known_gaps: Words
    false_alarms: Words

    def sentences(self) -> dict[str | None, str]:
        """Cause -> template; the key is null when the rule has one sentence."""
        if isinstance(self.reason, str):
            return {None: self.reason}
        return dict(self.reason.items())

    def placeholders(self) -> list[str]:
        """Columns that the sentences show, in order of appearance."""
        return list(dict.fromkeys(n for t in self.sentences().values() for n in PLACEHOLDER.findall(t)))

    def cited_sources(self) -> list[str]:
        """Classes whose date closes the sentence."""
        return self.cited or list(dict.fromkeys(s for need in self.needs.values() for s in need.sources))

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        for template in self.sentences().values():
            if not PLACEHOLDER.search(template):
                raise ValueError(f"reason without a figure: {template}")
            if not CHINESE.search(PLACEHOLDER.sub("", template)):
                raise ValueError(f"a reason is a Chinese sentence, not {template}")
        if (NEWS in self.placeholders()) != (self.new_signal is not None):
            raise ValueError(
                "{news_zh} stands in the reason of a rule that declares `new_signal`, and in no other"
            )
        if self.new_signal and any(NEWS not in PLACEHOLDER.findall(t) for t in self.sentences().values()):
            raise ValueError("every reason of a rule with `new_signal` says why it is news: {news_zh}")
        if LEFT_OUT in self.placeholders():
            raise ValueError(f"the reason of a warning cannot show {LEFT_OUT}, why there is none")
        if self.new_signal and "warning_window" not in self.parameters:
            raise ValueError("`new_signal` needs the parameter warning_window")
        if self.levels and self.level not in self.levels:
            raise ValueError("`level` must be one of `levels`")
        return self


@dataclass(frozen=True)
class Touch:
    """Something that a query reads or calls, and the line of the file on which it does."""

    name: str
    line: int
    qualifier: str = ""


@cache
def _kept() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def desk() -> duckdb.DuckDBPyConnection:
    """A cursor on an empty database that is kept, for parsing and for expressions that name nothing."""
    return _kept().cursor()


@dataclass(frozen=True)
class SqlFile:
    """Header and query of one file."""

    path: Path
    header_text: str
    header_line: int
    query: str
    query_line: int

    def line_of_key(self, key: str) -> int:
        """Line of a top-level key of the header; the first line when it is not there."""
        for offset, line in enumerate(self.header_text.splitlines()):
            if line.startswith(f"{key}:"):
                return self.header_line + offset
        return 1

    def refuse(self, why: str, line: int | None = None) -> PolicyError:
        """The error for this file, at a line."""
        return PolicyError(self.path, line or 1, why)

    def _line(self, location: Any) -> int:
        """Line of a place in the query, which the parser gives in bytes."""
        size, ends = self._line_ends
        if not isinstance(location, int) or not 0 <= location <= size:
            return self.query_line
        return self.query_line + bisect_left(ends, location)

    @cached_property
    def _line_ends(self) -> tuple[int, list[int]]:
        """Bytes of the query, and the place of every line end among them."""
        raw = self.query.encode()
        return len(raw), [place for place, byte in enumerate(raw) if byte == 10]

    @cached_property
    def tree(self) -> Any:
        """The query as DuckDB's parser sees it. Raises PolicyError if it is not one SELECT."""
        row = desk().execute("select json_serialize_sql($q)", {"q": self.query}).fetchone()
        parsed = json.loads(row[0]) if row else {}
        if parsed.get("error", True):
            position = str(parsed.get("position", ""))
            line = self._line(int(position)) if position.isdigit() else self.query_line
            raise self.refuse(f"the query does not parse: {parsed.get('error_message')}", line)
        statements = parsed["statements"]
        if len(statements) != 1:
            raise self.refuse("one file holds one query", self.query_line)
        return statements[0]["node"]

    @cached_property
    def _nodes(self) -> tuple[dict[str, Any], ...]:
        return tuple(walk(self.tree))

    def nodes(self) -> tuple[dict[str, Any], ...]:
        """Every node of the tree, the outermost first."""
        return self._nodes

    @cached_property
    def tables(self) -> list[Touch]:
        """Tables that the query reads from outside itself (its own WITH names left out)."""
        own = {
            entry["key"].lower()
            for node in self.nodes()
            if isinstance(node.get("cte_map"), dict)
            for entry in node["cte_map"].get("map", [])
        }
        found = []
        for node in self.nodes():
            if node.get("type") == "BASE_TABLE":
                qualifier = ".".join(q for q in (node.get("catalog_name"), node.get("schema_name")) if q)
                if qualifier or node["table_name"].lower() not in own:
                    found.append(Touch(node["table_name"], self._line(node.get("query_location")), qualifier))
        return found

    @cached_property
    def columns(self) -> list[Touch]:
        """Every column named in the query, with each part of a dotted name."""
        return [
            Touch(part, self._line(node.get("query_location")))
            for node in self.nodes()
            if node.get("type") == "COLUMN_REF"
            for part in node["column_names"]
        ]

    @cached_property
    def functions(self) -> list[Touch]:
        """Every function and operator called in the query."""
        return [
            Touch(node["function_name"].lower(), self._line(node.get("query_location")))
            for node in self.nodes()
            if node.get("function_name")
        ]

    def located(self, wanted: str) -> list[tuple[dict[str, Any], int]]:
        """Nodes of one type with their lines."""
        return [(n, self._line(n.get("query_location"))) for n in self.nodes() if n.get("type") == wanted]

    def line_of(self, node: dict[str, Any]) -> int:
        """Line of a node."""
        return self._line(node.get("query_location"))

    def line_of_text(self, pattern: str) -> int:
        """Line of the first place of the query that fits; for what the parser gives no place."""
        found = re.search(pattern, self.query, re.IGNORECASE)
        return self.query_line + (self.query[: found.start()].count("\n") if found else 0)

    def first_line(self, node: dict[str, Any]) -> int:
        """Line of the first place inside a node that has one."""
        size = len(self.query.encode())
        places = [n["query_location"] for n in walk(node) if "query_location" in n]
        return self._line(min((place for place in places if place <= size), default=0))


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary inside a parsed tree, the outermost first."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield here
        parts = list(here.values() if isinstance(here, dict) else here)
        waiting += [part for part in reversed(parts) if isinstance(part, dict | list)]


def read(path: Path) -> SqlFile:
    """Split a file into header and query. Raises PolicyError when one of them is missing."""
    text = path.read_text(encoding="utf-8")
    if not text.startswith(OPEN):
        raise PolicyError(path, 1, f"the file must begin with its header, {OPEN} ... {CLOSE}")
    end = text.find(CLOSE)
    if end < 0:
        raise PolicyError(path, 1, f"the header is not closed with {CLOSE}")
    head = text[len(OPEN) : end]
    tail = text[end + len(CLOSE) :]
    blank = len(tail) - len(tail.lstrip())
    query = tail.strip().rstrip(";")
    if not query:
        raise PolicyError(path, text[:end].count("\n") + 1, "the file has no query")
    query_line = text[: end + len(CLOSE) + blank].count("\n") + 1
    return SqlFile(path, head, 1, query, query_line)


def _parse_header(file: SqlFile, model: type[Header]) -> Any:
    try:
        values = yaml.load(file.header_text, Loader=OneOfEach)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise file.refuse(f"the header is not YAML: {error}", (mark.line + 1) if mark else 1) from error
    if not isinstance(values, dict):
        raise file.refuse("the header must be a mapping")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        keys = ".".join(str(part) for part in first["loc"])
        what = "lacks" if first["type"] == "missing" else "has a wrong"
        why = f"the header {what} `{keys}`: {first['msg']}" if keys else first["msg"]
        raise file.refuse(why, file.line_of_key(str(first["loc"][0])) if first["loc"] else 1) from error


@dataclass(frozen=True)
class Measure:
    """A quantity that rules share."""

    file: SqlFile
    header: MeasureHeader

    @property
    def id(self) -> str:
        """Name of its table."""
        return self.header.id


@dataclass(frozen=True)
class Rule:
    """A warning and the list it writes to."""

    file: SqlFile
    header: RuleHeader
    list_kind: ListKind

    @property
    def id(self) -> str:
        """Code of the warning."""
        return self.header.id

    @property
    def name(self) -> str:
        """Name of the file, which its cases carry too."""
        return self.file.path.stem


def read_measure(path: Path) -> Measure:
    """A measure; its file is named as its table."""
    file = read(path)
    header: MeasureHeader = _parse_header(file, MeasureHeader)
    if header.id != path.stem:
        raise file.refuse(f"the file must be named as its measure, {header.id}.sql", file.line_of_key("id"))
    return Measure(file, header)


def read_rule(path: Path) -> Rule:
    """A rule; its folder says which list it writes to, and its file name begins with its id."""
    kind = path.parent.name
    if kind not in ("help_in", "check_out"):
        raise PolicyError(path, 1, "a rule lives in rules/help_in or rules/check_out")
    file = read(path)
    header: RuleHeader = _parse_header(file, RuleHeader)
    if not path.stem.startswith(f"{header.id}_"):
        raise file.refuse(f"the file name must begin with {header.id}_", file.line_of_key("id"))
    if (kind == "check_out") != header.id.startswith("X"):
        raise file.refuse(f"{header.id} does not belong in {kind}", file.line_of_key("id"))
    return Rule(file, header, "check_out" if kind == "check_out" else "help_in")


_CAME_LATER = {"new_signal"}


def fingerprint(item: Rule | Measure) -> str:
    """Hash of everything that decides what is warned of: the query and the binding half of the header.

    Known gaps, false alarms and the history may be written on without a new version.
    """
    prose = {"version", "changelog", "known_gaps", "false_alarms", "title"}
    binding = item.header.model_dump(mode="json", exclude=prose)
    # A key that came later and is not used does not make a new text of every older rule.
    binding = {k: v for k, v in binding.items() if not (k in _CAME_LATER and not v)}
    text = json.dumps({"query": item.file.query, "header": binding}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
