"""Two tables and a specification -> a frame of links: the engine as a function on polars frames and on files.

How a table is read belongs in `tables`, what the engine does in `engine`, the words in `waterfall`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from matching import engine, waterfall
from matching.engine import Linked
from matching.model import Model
from matching.records import Records
from matching.spec import Spec, SpecError
from matching.tables import learn_places, read_table, records_of

COLUMNS = ("left_id", "right_id", "grade", "weight", "probability", "pass", "margin", "reasons")
"""Columns of `Links.frame`, in this order; `group` follows where one table was searched for duplicates."""

Told = Callable[[str], None]


def silence(text: str) -> None:
    """Tells nobody."""


@dataclass
class Links:
    """What came of a match of two tables, or of one with itself.

    `frame`: left_id, right_id (as in the tables), grade (A certain, B strong, C for review), weight (log2 odds),
    probability, pass, margin (bits to the runner-up, null where there is none), reasons (Chinese, without any value of a
    person); ordered by the right table. For one table: left_id is the record that stands for the person, right_id each
    other record of it, `group` the number of the person. `model`: the rates as estimated. `linked`: all of the engine's
    answer, for reports; `facts`: counts of records and what they carry.
    """

    frame: pl.DataFrame
    model: Model
    linked: Linked
    facts: dict[str, Any] = field(default_factory=dict)


def link_tables(
    left: pl.DataFrame | pl.LazyFrame,
    right: pl.DataFrame | pl.LazyFrame | None,
    spec: Spec | Mapping[str, Any],
    *,
    dedupe: bool = False,
    model: Model | None = None,
    as_of: date | None = None,
    told: Told = silence,
) -> Links:
    """Link each record of `right` to the record of `left` that is the same person.

    `dedupe`: `left` is searched for persons that it holds more than once (then `right` is None). `model`: rates to start from. `as_of`: the day of the run where the
    specification names none. `told` is given progress in English. Raises `SpecError` when the specification or a
    table does not fit; its message holds no value of a table.
    """
    known = spec if isinstance(spec, Spec) else Spec.parse(spec)
    day = _day(known, as_of)
    side_r = _right_side(known, right is not None, dedupe)
    places = learn_places(left, known.left)
    records_l = records_of(left, known.left, day, places)
    records_r = None if side_r is None or right is None else records_of(right, side_r, day, places)
    return link_records(records_l, records_r, known, model=model, told=told)


def link_files(
    left: Path,
    right: Path | None,
    spec: Spec,
    *,
    dedupe: bool = False,
    model: Model | None = None,
    as_of: date | None = None,
    told: Told = silence,
) -> Links:
    """The same for two files; a table is gone from memory as soon as its records are made."""
    day = _day(spec, as_of)
    side_r = _right_side(spec, right is not None, dedupe)
    told(f"reading {left.name}")
    table = read_table(left, spec.left.needed)
    places = learn_places(table, spec.left)
    records_l = records_of(table, spec.left, day, places)
    del table
    records_r = None
    if right is not None and side_r is not None:
        told(f"reading {right.name}")
        records_r = records_of(read_table(right, side_r.needed), side_r, day, places)
    return link_records(records_l, records_r, spec, model=model, told=told)


def _day(spec: Spec, given: date | None) -> date:
    day = spec.as_of or given
    if day is None:
        raise SpecError("spec: as_of is missing, the day of the run")
    return day


def _right_side(spec: Spec, has_right: bool, dedupe: bool) -> Any:
    if not has_right and not dedupe:
        raise SpecError("there is one table: a second one is needed, or --dedupe")
    if has_right and spec.right is None:
        raise SpecError("spec: section 'right' is missing")
    return spec.right if has_right else None


def link_records(
    left: Records, right: Records | None, spec: Spec, *, model: Model | None = None, told: Told = silence
) -> Links:
    """Links between records that were read before."""
    assert right is not None
    linked = engine.link(left, right, model=model, right_is_clean=spec.right_is_clean, told=told)
    links = linked.links.filter(pl.col("grade") != "")
    frame = pl.DataFrame(
        [
            left.ids.gather(links["left"]).alias("left_id"),
            right.ids.gather(links["right"]).alias("right_id"),
            *links.select(
                "grade",
                "weight",
                "probability",
                "pass",
                pl.when(pl.col("margin").is_finite()).then("margin").alias("margin"),
            ).get_columns(),
            waterfall.reasons(linked, links),
        ]
    )
    return Links(frame, linked.model, linked)


def write_links(frame: pl.DataFrame, path: Path) -> None:
    """Parquet, or delimited text with a byte order mark (for spreadsheets) when the name ends in .csv."""
    draft = path.with_name(path.name + ".draft")
    if path.suffix.lower() == ".csv":
        frame.write_csv(draft, include_bom=True)
    else:
        frame.write_parquet(draft)
    draft.replace(path)
