"""One output, one SQL file with a header: who it is for, how it is split, its columns, order and file name.

An output that differs from another in a few words says `like: <the other>` and those words, and has no query of its own.
What an output says belongs in `definitions/`, not here. Nothing here knows an output by name. A query reads the
views of `night.views`, which hold only what the audience of the output may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import duckdb
import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from reports.masking import Audience

FOLDER = Path(__file__).resolve().parent / "definitions"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class DefinitionError(ValueError):
    """A definition does not fit the model, or its query does not give what its header promises."""


class Closed(BaseModel):
    """A mistyped key is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Closed):
    zh: str
    en: str


class Column(Closed):
    """A column that is shown."""

    name: Name
    zh: str
    width: Annotated[float, Field(gt=0, le=80)] = 10
    """In characters of a digit's width, as spreadsheets count."""
    kind: Literal["text", "wrap", "integer", "decimal", "share", "date", "day", "level"] = "text"
    """`day` is a date shown as month and day; `share` a fraction shown in percent; `level` a colour word."""
    total: bool = False
    """Sum the column in a last line."""


class Definition(Closed):
    """Header of an output, or of a further sheet of one (`part_of`)."""

    id: Name
    version: Annotated[int, Field(ge=1)]
    title: Bilingual
    purpose: str
    audience: Audience
    list_kind: Literal["help_in", "check_out"] | None = None
    """The query sees the warnings of this list alone, and its name as `$list_kind`; null: it sees no single warning."""
    layout: Literal["list", "overview", "quality", "table"] = "table"
    """How a file is laid out. `table`: a workbook with one plain sheet for the output and each of its parts."""
    part_of: Name | None = None
    place: int = 0
    """Order of the parts within their file."""
    sheet: str
    jurisdiction: Name | None = None
    """Column by which rows are split into files; null: one file for everything."""
    folder: str | None = None
    """Folder below outbox/<date>; {jurisdiction} is filled in."""
    file: str | None = None
    """File name; {place} (name of the jurisdiction) and {as_of} are filled in."""
    order: list[Name]
    """Columns that order the rows. Within a jurisdiction no two rows agree in all of them."""
    columns: list[Column]
    carries: list[Name] = []
    """Columns that the writer needs and nobody is shown."""
    note_zh: str | None = None
    """A line below the title."""
    empty_zh: str = "没有记录。"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.part_of is None) != (self.file is not None) or (self.file is None) != (self.folder is None):
            raise ValueError("a file has a folder and a name; a part of a file has neither")
        names = [c.name for c in self.columns] + self.carries
        if len(set(names)) < len(names):
            raise ValueError("a column twice")
        unknown = set(self.order) - set(names)
        if unknown or not self.order:
            raise ValueError(f"order needs columns of the output; unknown: {sorted(unknown)}")
        if self.audience == "township" and (self.list_kind is None or self.jurisdiction is None):
            raise ValueError("what goes to a township is split by township and of one list kind")
        if self.audience in ("register", "department") and self.jurisdiction is None:
            raise ValueError("what goes to a register or a department is split by it")
        return self

    @property
    def returned(self) -> list[str]:
        """Columns that the query must give, in order: jurisdiction, shown, carried."""
        own = [c.name for c in self.columns] + self.carries
        return ([self.jurisdiction] if self.jurisdiction and self.jurisdiction not in own else []) + own


class Output(Closed):
    """A definition with its query."""

    definition: Definition
    query: str


def parse(text: str, name: str, others: Mapping[str, str] | None = None) -> Output:
    """Header and query of a file's text; `others` are the texts that it may be like. DefinitionError names the file."""
    head, query = _split(text, name)
    if "like" in head:
        model = head.pop("like")
        if query or model not in (others or {}):
            raise DefinitionError(f"{name}: `like` names another definition, which gives the query")
        shared, query = _split((others or {})[model], model)
        head = shared | head
    try:
        definition = Definition.model_validate(head)
    except ValueError as error:
        raise DefinitionError(f"{name}: {error}") from error
    if definition.id != name:
        raise DefinitionError(f"{name}: the file must be named as the output ({definition.id})")
    return Output(definition=definition, query=query)


def _split(text: str, name: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("/*---\n") or "\n---*/\n" not in text:
        raise DefinitionError(f"{name}: a definition starts with /*--- header ---*/")
    head, query = text.removeprefix("/*---\n").split("\n---*/\n", 1)
    try:
        header = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise DefinitionError(f"{name}: {error}") from error
    if not isinstance(header, dict):
        raise DefinitionError(f"{name}: a header is keys and values")
    return header, query.strip()


@cache
def outputs(folder: Path = FOLDER) -> dict[str, Output]:
    """Every output and part by id, in alphabetical order."""
    texts = {p.stem: p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.sql"))}
    found = {name: parse(text, name, texts) for name, text in texts.items()}
    stray = {o.definition.part_of for o in found.values() if o.definition.part_of} - set(found)
    if stray:
        raise DefinitionError(f"parts of unknown outputs: {sorted(stray)}")
    return found


def sheets(main: str, found: Mapping[str, Output]) -> list[str]:
    """An output and its parts in the order of their places."""
    parts = [n for n, o in found.items() if o.definition.part_of == main]
    return [main, *sorted(parts, key=lambda n: (found[n].definition.place, n))]


def run(output: Output, views: Mapping[str, pl.DataFrame], as_of: date) -> pl.DataFrame:
    """Rows of an output in their order; DefinitionError when the columns are not as promised.

    Rows that agree in the declared order are put by their other columns, so that the order is total whatever comes.
    """
    definition = output.definition
    with duckdb.connect(config={"threads": 2}) as connection:
        for name, frame in views.items():
            connection.register(name, frame.to_arrow())
        known = {"as_of": as_of, "list_kind": definition.list_kind}
        parameters = {name: value for name, value in known.items() if f"${name}" in output.query}
        try:
            rows = connection.execute(output.query, parameters).pl()
        except duckdb.Error as error:
            raise DefinitionError(f"{definition.id}: {error}") from error
    if rows.columns != definition.returned:
        raise DefinitionError(f"{definition.id}: returns {rows.columns}, promised {definition.returned}")
    key = ([definition.jurisdiction] if definition.jurisdiction else []) + definition.order
    others = [name for name in rows.columns if name not in key and not rows.schema[name].is_nested()]
    return rows.sort([*key, *others], nulls_last=True)
