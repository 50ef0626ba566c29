"""Two tables and a specification -> a frame of links: the engine as a function on polars frames and on files.

How a table is read belongs in `tables`, what the engine does in `engine`, the words in `waterfall`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from data_contracts.field_types import hide_numbers
from matching import duplicates, engine, waterfall
from matching.addresses import Places
from matching.cells import NOTHING, as_text
from matching.engine import Linked
from matching.model import Model
from matching.records import Records
from matching.spec import Side, Spec, SpecError
from matching.tables import Delivered, deliver, learn_places, records_of

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
    person; ordered by the right table. For one table: left_id is the record that stands for the person, right_id each
    other record of it, `group` the number of the person. `model`: the rates as estimated. `linked`: all of the engine's
    answer, for reports; `facts`: counts of records and what they carry.
    """

    frame: pl.DataFrame
    model: Model
    linked: Linked
    records: tuple[int, int]
    """Records of the left and of the right table; the second is 0 for one table."""
    problems: list[str] = field(default_factory=list)
    """What somebody must look at: lines that were not read, tables with nothing to compare. English, without any value."""

    @property
    def is_one_table(self) -> bool:
        """Whether one table was searched for duplicates."""
        return "group" in self.frame.columns

    @property
    def counts(self) -> dict[str, Any]:
        """Records, links by grade, pairs that were compared, share of right records whose person is on the
        left (of one table: share of records of whose person it holds another)."""
        grades = self.frame["grade"].value_counts().sort("grade")
        left, right = self.records
        return {
            **({"records": left} if self.is_one_table else {"left": left, "right": right}),
            "grades": dict(grades.iter_rows()),
            "pairs": len(self.linked.pairs.right),
            "with_another" if self.is_one_table else "in_registry": round(self.model.in_registry, 4),
        }


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

    `dedupe`: without `right`, `left` is searched for persons that it holds more than once; with `right`, each table is
    first reduced to one record a person, and links are given for all records of the right one. `model`: rates to start
    from. `as_of`: the day of the run where the specification names none. `told` is given progress in English. Raises
    `SpecError` when the specification or a table does not fit; its message holds no value of a table.
    """
    known = spec if isinstance(spec, Spec) else Spec.parse(spec)
    day = _day(known, as_of)
    side_r = _right_side(known, right is not None, dedupe)
    places = learn_places(left, known.left)
    if side_r is not None and right is not None and _is_homeless(places, known.left):
        places = replace(places, home=learn_places(right, side_r).home)
    records_l = records_of(left, known.left, day, places)
    records_r = None if side_r is None or right is None else records_of(right, side_r, day, places)
    return link_records(records_l, records_r, known, dedupe=dedupe, model=model, told=told)


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
    problems: list[str] = []
    read = _delivered(left, spec.left.needed, problems, told)
    places = learn_places(read.table, spec.left)
    other = None
    if right is not None and side_r is not None and _is_homeless(places, spec.left):
        other = _delivered(right, side_r.needed, problems, told)
        places = replace(places, home=learn_places(other.table, side_r).home)
    records_l = records_of(read.table, spec.left, day, places, read.numbers)
    _doubted(left, read.table, spec.left, day, problems, told, is_one_each=spec.left_is_clean and not dedupe)
    del read
    records_r = None
    if right is not None and side_r is not None:
        read = other or _delivered(right, side_r.needed, problems, told)
        records_r = records_of(read.table, side_r, day, places, read.numbers)
        _doubted(right, read.table, side_r, day, problems, told)
        del read
    found = link_records(records_l, records_r, spec, dedupe=dedupe, model=model, told=told)
    return replace(found, problems=problems + found.problems)


def _is_homeless(places: Places, side: Side) -> bool:
    """Whether a table has places of which nothing in it says in which prefecture they lie: the other table may know."""
    return places.home is None and bool(side.of("division", "address"))


def _delivered(path: Path, columns: list[str], problems: list[str], told: Told) -> Delivered:
    """A table and, in `problems`, what of it was not read; why it cannot be read is said without quoting a value."""
    shown = hide_numbers(path.name)
    told(f"reading {shown}")
    try:
        found = deliver(path, columns)
    except SpecError:
        raise
    except (pl.exceptions.PolarsError, OSError, ValueError, csv.Error) as error:
        raise SpecError(f"{shown}: cannot be read ({type(error).__name__})") from None
    problem = found.problem(shown)
    if problem:
        told(problem)
        problems.append(problem)
    return found


LOOKED_AT = 1_000
"""Cells of a column that are read to see whether its kind is the right one."""


def _doubted(
    path: Path,
    table: pl.DataFrame | pl.LazyFrame,
    side: Side,
    day: date,
    problems: list[str],
    told: Told,
    *,
    is_one_each: bool = False,
) -> None:
    """Into `problems`: columns of which nothing can be read as what they are said to hold; ids of several records of a registry."""
    found: list[str] = []
    for name, column in side.columns.items():
        alone = Side(columns={name: column})
        cells = table.lazy().select(alone.needed).filter(pl.col(name).is_not_null()).head(LOOKED_AT).collect()
        texts = as_text(cells[name]).str.strip_chars()
        stated = cells.filter(
            (texts != "") & ~texts.is_in(NOTHING.implode()) & texts.str.contains(r"[\p{L}1-9]")
        )
        if stated.height and _is_silent(records_of(stated, alone, day)):
            found.append(
                f"column {hide_numbers(name)!r}: none of {stated.height} cells can be read as {column.kind}"
            )
    if is_one_each and side.id is not None:
        ids = table.lazy().select(pl.col(side.id).drop_nulls()).collect()[side.id]
        if ids.n_unique() < len(ids):
            found.append(
                f"column {hide_numbers(side.id)!r}: {len(ids) - ids.n_unique():,} ids stand there again"
            )
    for words in found:
        told(f"{hide_numbers(path.name)}: {words}")
        problems.append(f"{hide_numbers(path.name)}: {words}")


def _is_silent(records: Records) -> bool:
    several = (records.names, records.phones, records.households, records.others)
    return all(frame.is_empty() for frame in several) and all(
        records.rows[name].null_count() == records.height for name in _FORMS
    )


def _day(spec: Spec, given: date | None) -> date:
    day = spec.as_of or given
    if day is None:
        raise SpecError("spec: as_of is missing, the day of the run")
    return day


def _right_side(spec: Spec, has_right: bool, dedupe: bool) -> Any:
    if not has_right and not dedupe:
        raise SpecError("there is one table: a second one is needed, or --dedupe")
    if not has_right:
        return None
    if spec.right is None:
        raise SpecError("spec: section 'right' is missing")
    pair, unclear = _paired_identifiers(spec)
    if not _kinds(spec.left) & _kinds(spec.right) and pair is None:
        raise SpecError(f"spec: {unclear or 'the two tables have no kind of evidence in common'}")
    return spec.right


_EVIDENCE = {
    "person_name": ("name",),
    "former_name": ("name",),
    "latin_name": ("name",),
    # A number says when its bearer was born, and of which sex.
    "resident_id": ("number", "birth", "sex"),
    "birth_date": ("birth",),
    "age": ("birth",),
    "address": ("address", "place"),
    "division": ("place",),
}
"""Kind of column -> what it says; identifiers and texts compare with the column of the same name (identifiers also where one is
left over on each side), all others with their kind."""


def _paired_identifiers(spec: Spec) -> tuple[tuple[str, str] | None, str | None]:
    """The columns of kind identifier that are compared though their names differ, being the only ones left over on the left
    and on the right; and what is wrong where several are left over, of which nothing says which belong together.
    """
    if spec.right is None:
        return None, None
    named = [set(side.of("identifier", "text")) for side in (spec.left, spec.right)]
    of_left, of_right = (
        [name for name in side.of("identifier") if name not in other]
        for side, other in ((spec.left, named[1]), (spec.right, named[0]))
    )
    if len(of_left) == len(of_right) == 1:
        return (of_left[0], of_right[0]), None
    if not of_left or not of_right:
        return None, None
    said = " and ".join(
        f"{section} {', '.join(hide_numbers(name) for name in names)}"
        for section, names in (("left", of_left), ("right", of_right))
    )
    return None, (
        f"identifiers are compared where their columns have one name, so these were not compared: {said}; "
        "give columns with the same numbers the same name in both tables"
    )


def _kinds(side: Side) -> set[str]:
    """What a table may say about a person, by its specification: a column that is empty today is still evidence."""
    found: set[str] = set()
    for name, column in side.columns.items():
        own = f"other {name}" if column.kind in ("identifier", "text") else column.kind
        found |= {*_EVIDENCE.get(column.kind, (own,))}
    return found


def _idle(tables: Mapping[str, Records]) -> list[str]:
    """Which of the tables hold nothing to compare, in words."""
    said = []
    for name, records in tables.items():
        filled = sum(f.height for f in (records.names, records.phones, records.households, records.others))
        if not records.height:
            said.append(f"the {name} table has no records, so there are no links")
        elif not filled and not any(_has(records.rows, column) for column in _FORMS):
            said.append(
                f"the {name} table has no value in any column of the specification, so there are no links"
            )
    return said


_FORMS = ("id_text", "birth", "birth_low", "sex", "place", "address_key")


def link_records(
    left: Records,
    right: Records | None,
    spec: Spec,
    *,
    dedupe: bool = False,
    model: Model | None = None,
    told: Told = silence,
) -> Links:
    """Links between records that were read before."""
    problems = _idle({"left": left} if right is None else {"left": left, "right": right})
    for problem in problems:
        told(problem)
    if right is None:
        return replace(_duplicates(left, model, told), problems=problems)
    pair, unclear = _paired_identifiers(spec)
    if unclear is not None:
        told(unclear)
        problems.append(unclear)
    if pair is not None:
        told("comparing identifiers: left {} with right {}".format(*(hide_numbers(name) for name in pair)))
        kind = pl.col("kind").replace({pair[1]: pair[0]})
        right = replace(right, others=right.others.with_columns(kind))
    return replace(_between(left, right, spec, dedupe, model, told), problems=problems)


def _between(
    left: Records, right: Records, spec: Spec, dedupe: bool, model: Model | None, told: Told
) -> Links:
    """Links of two tables; of which more than one record may be a person, the one that stands for the person is compared."""
    heights = left.height, right.height
    if not dedupe and not spec.left_is_clean:
        group = duplicates.find(left, model=model, told=told).group
        left = duplicates.only(left, np.flatnonzero(group == np.arange(len(group))))
    if not dedupe:
        linked = engine.link(left, right, model=model, right_is_clean=spec.right_is_clean, told=told)
        return Links(_frame(left, right, linked, linked.links), linked.model, linked, heights)
    groups_l, groups_r = (duplicates.find(records, model=model, told=told).group for records in (left, right))
    rows_l, rows_r = (np.flatnonzero(g == np.arange(len(g))) for g in (groups_l, groups_r))
    first_l, first_r = duplicates.only(left, rows_l), duplicates.only(right, rows_r)
    linked = engine.link(first_l, first_r, model=model, told=told)
    frame = _frame(first_l, first_r, linked, linked.links)
    # What is said of the record that stands for a person holds for the person's other records.
    members = pl.DataFrame(
        {"right": pl.Series(groups_r), "row": np.arange(len(groups_r)), "right_id": right.ids}
    )
    stands = frame.drop("right_id").with_columns(
        right=pl.Series(rows_r)[linked.links["right"]].cast(pl.Int64)
    )
    found = members.join(stands, on="right", maintain_order="left").select(COLUMNS)
    return Links(found, linked.model, linked, heights)


def _has(rows: pl.DataFrame, column: str) -> bool:
    return rows[column].null_count() < rows.height


def _frame(left: Records, right: Records, linked: Linked, links: pl.DataFrame, **words: Any) -> pl.DataFrame:
    return pl.DataFrame(
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
            waterfall.reasons(linked, links, **words),
        ]
    )


def _duplicates(records: Records, model: Model | None, told: Told) -> Links:
    found = duplicates.find(records, model=model, told=told)
    linked, links = found.linked, found.linked.links
    frame = _frame(records, records, linked, links, with_another=found.share)
    # Persons are numbered in the order in which the table first names them.
    first = pl.DataFrame({"head": found.group}).unique(maintain_order=True).with_row_index("group", offset=1)
    heads = links.select(head=pl.Series(found.group).gather(links["left"]))
    number = heads.join(first, on="head", how="left", maintain_order="left")["group"]
    group = pl.select(pl.when(links["grade"] != "C").then(number)).to_series().alias("group")
    order = pl.DataFrame({"group": group, "right": links["right"]}).select(
        pl.arg_sort_by("group", "right", nulls_last=True)
    )
    ordered = frame.with_columns(group).select(pl.all().gather(order.to_series()))
    return Links(ordered, linked.model, linked, (records.height, 0))


def load_model(path: Path) -> Model:
    """The rates in a file; `SpecError` when it is not there or does not fit this version."""
    shown = hide_numbers(path.name)
    try:
        return Model.load(path)
    except OSError as error:
        raise SpecError(f"{shown}: {error.strerror or 'cannot be read'}") from error
    except ValueError as error:
        raise SpecError(str(error).replace(str(path), shown).replace(path.name, shown)) from error
    except (KeyError, TypeError, AttributeError, UnicodeError, yaml.YAMLError) as error:
        raise SpecError(f"{shown}: is no file of rates") from error


def save_model(links: Links, path: Path, provenance: Mapping[str, Any]) -> None:
    """The rates as estimated, with where they come from."""
    replace(links.model, provenance=dict(provenance)).save(path)


_ROWS_OF_A_GROUP = 1 << 16
"""Groups are laid out in memory one after the other; large ones need fresh memory for their texts."""


def write_links(frame: pl.DataFrame, path: Path) -> None:
    """Parquet, or delimited text with a byte order mark (for spreadsheets) when the name ends in .csv."""
    draft = path.with_name(path.name + ".draft")
    if path.suffix.lower() == ".csv":
        frame.write_csv(draft, include_bom=True)
    else:
        frame.write_parquet(draft, compression="lz4", row_group_size=_ROWS_OF_A_GROUP)
    draft.replace(path)
