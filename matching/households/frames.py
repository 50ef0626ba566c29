"""The frames of a night's households, column by column, and how fact tables are read for them.

Persons, not records: a person who is linked in review only counts as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

TRUSTED = ("A", "B")
"""Links in review (grade C) tie nobody to a family, and bury nobody."""

HOUSEHOLD = pl.Schema(
    {
        "household_id": pl.Int64(),
        "head_person_id": pl.Int64(),
        "county_code": pl.String(),
        "township_code": pl.String(),
        "village_code": pl.String(),
        "urban_rural": pl.String(),
        "members": pl.Int32(),
    }
)
"""One row a household. `members` counts the people of `MEMBER`; `urban_rural` is 1 town, 2 village, 9 unknown."""

MEMBER = pl.Schema(
    {
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "relation": pl.String(),
        "basis": pl.String(),
        "since": pl.Date(),
        "needs_check": pl.Boolean(),
        "dependant_kind": pl.String(),
        "check_zh": pl.String(),
    }
)
"""One row a person, in one household.

- `relation`: to the head (GB/T 4761).
- `basis`: register | spouse | parent_child | student | guardian | dwelling | address | alone | case.
- `since`: day of the book, the marriage or the birth that the basis rests on; null when it is not recorded.
- `needs_check`: somebody has to ask who really lives together; `check_zh` says in words why (null when nothing is in doubt).
- `dependant_kind`: head | spouse (of the head) | minor_child | student | disabled_child | adult_child | parent | co_resident.
  A minor child, a student or a disabled child is one whose parent, or who stands in for the parent, is a member.
"""

EDGE = pl.Schema(
    {
        "person_id_a": pl.Int64(),
        "person_id_b": pl.Int64(),
        "kind": pl.String(),
        "source_class": pl.String(),
        "since": pl.Date(),
        "until": pl.Date(),
        "confidence": pl.String(),
        "data_as_of": pl.Date(),
    }
)
"""One row a piece of evidence that two people belong to each other; people of different households, too.

- `kind`: spouse | parent_child (a is the parent) | same_register (a is the head of the book) | guardian (a guards b)
  | same_case, same_dwelling (two people of one open case, of one spell of housing aid) | supporter (a owes support to b and is
  not of b's family: derived from the spouse and parent edges, whose source it has).
- `until`: day on which it ended; null while it lasts. `confidence`: certain | likely | needs_check.
"""

EVENT = pl.Schema(
    {
        "event": pl.String(),
        "household_id": pl.Int64(),
        "other_household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "reason": pl.String(),
        "event_on": pl.Date(),
    }
)
"""What happened to households since the last night.

- form: a new household of people who were in none. split: a new one, most of whose people come from `other_household_id`.
- merge: it went into `other_household_id`, where most of its people are now. dissolve: nobody of it is in any household.
- join: `person_id` came into a household that was there before; `other_household_id` is where the person was, null if nowhere;
  `reason` is the basis of the new membership. leave: `person_id` is no more in a household that is still there;
  `other_household_id` is where the person is now; `reason` is dead | prison | rehabilitation | cancelled | moved_out |
  household (now in another one) | unknown.
"""

EXCLUSION = pl.Schema(
    {
        "person_id": pl.Int64(),
        "kind": pl.String(),
        "happened_on": pl.Date(),
        "since": pl.Date(),
        "until": pl.Date(),
        "source_class": pl.String(),
        "data_as_of": pl.Date(),
    }
)
"""Spells in which a person is of no family (art. 7): past, present and stated for the future.

- `kind`: dead | prison | rehabilitation | cancelled (struck off the register, no word why) | moved_out.
- `happened_on`: the death, the first day inside. `since`: first day out of the family (of the dead, the first of the month
  after); null when it is not recorded. `until`: last day; null while it lasts.
"""

CONFLICT = pl.Schema(
    {
        "person_id": pl.Int64(),
        "kind": pl.String(),
        "claim_person_id_1": pl.Int64(),
        "claim_zh_1": pl.String(),
        "source_class_1": pl.String(),
        "claim_person_id_2": pl.Int64(),
        "claim_zh_2": pl.String(),
        "source_class_2": pl.String(),
        "since": pl.Date(),
        "reason_zh": pl.String(),
    }
)
"""Two claims about one person that cannot both be true, or not both be followed. The first claim is the one that was followed.

- `kind`: two_spouses | divorced_in_one_source | spouse_sex | two_mothers | two_fathers | parent_age | two_books | book_kind |
  book_and_address | case_and_address | married_siblings (which of the married children of the book the parents live with).
- `claim_person_id_*`: the person that the claim names, null when it names none. `since`: when the second claim began, as far
  as it is recorded. `reason_zh`: what contradicts what, and how it was resolved.
"""

DECLARED = pl.Schema(
    {
        "case_id": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "person_household_id": pl.Int64(),
        "case_unit": pl.String(),
        "in_case": pl.Boolean(),
        "in_family": pl.Boolean(),
        "is_covered": pl.Boolean(),
        "needs_check": pl.Boolean(),
        "kind": pl.String(),
        "since": pl.Date(),
        "reason_zh": pl.String(),
    }
)
"""The declared family of an open case beside the derived one: one row a case and person of either.

- `household_id`: the derived household of the case (the applicant's, or else that of most of its people); null if there is none.
  `person_household_id`: where the person is now. `case_unit`: family, or person for tekun and for people covered alone, whose case
  is not meant to hold the family: their relatives are no difference and have no row.
- `in_case`: a member of the case tonight (or its applicant); `in_family`: of the household of the case.
- `needs_check`: whether the person belongs to the family of tonight is itself in doubt; null if of no household.
- `kind`: null where both agree. In the case and not in the family: dead | custody | cancelled | moved_out | divorced | married_out |
  graduated | split | unknown. In the family and not in the case: born | married | released | joined. In both: graduated (a member who
  has left school since the case began and may now earn).
- `since`: day of the death, birth, wedding, release ...; null when no source has it. `reason_zh`: the same in words.
"""

STATE = pl.Schema({"highest_household_id": pl.Int64()})
"""The highest id ever given: it keeps ids unused."""

Facts = Mapping[str, pl.LazyFrame | pl.DataFrame]

READ: dict[str, tuple[str, ...]] = {
    "person": ("person_id", "sex", "birth_date", "is_registered"),
    "registered_resident": ("person_id", "urban_rural", "village_code", "register_status"),
    "register_membership": (
        "person_id",
        "head_person_id",
        "father_person_id",
        "mother_person_id",
        "spouse_person_id",
        "register_id",
        "is_collective",
        "relation_to_head",
        "join_date",
        "leave_date",
    ),
    "residence": ("person_id", "village_code", "live_since", "valid_to"),
    "marriage": ("male_person_id", "female_person_id", "reg_type", "reg_date"),
    "birth": ("person_id", "mother_person_id", "father_person_id", "birth_date"),
    "death": ("person_id", "death_date", "recorded_date"),
    "custody": ("person_id", "custody_type", "start_date", "end_date", "status"),
    "school_enrolment": ("person_id", "guardian_person_id", "stage", "grade", "status", "status_date"),
    "disability": ("person_id", "dis_type", "dis_grade", "status", "valid_to"),
    "housing_aid_member": ("person_id", "row_key", "start_date", "end_date"),
    "assistance_case": ("person_id", "case_id", "village_code", "category", "status", "start_month"),
    "assistance_member": (
        "person_id",
        "case_id",
        "is_covered",
        "is_single_person",
        "join_month",
        "leave_month",
    ),
    "welfare_subsidy": ("person_id", "pay_month", "status"),
}
"""The columns that are needed of each fact table."""


@dataclass(frozen=True)
class Households:
    """A night's households: one field a frame, each in a total order; `household_state` keeps ids unused."""

    household: pl.DataFrame
    household_member: pl.DataFrame
    household_edge: pl.DataFrame
    household_event: pl.DataFrame
    household_exclusion: pl.DataFrame
    household_conflict: pl.DataFrame
    household_declared: pl.DataFrame
    household_state: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything that is stored, by name."""
        return dict(vars(self))


def dtype(column: str) -> pl.DataType:
    """Type of a fact column, by its name."""
    if column.endswith("person_id"):
        return pl.Int64()
    if column.endswith(("_date", "_since", "_to", "_month", "_as_of")):
        return pl.Date()
    return pl.Boolean() if column.startswith("is_") else pl.String()


def read(facts: Facts, name: str) -> pl.DataFrame:
    """The columns of `READ` of one fact table, with `source_class` and `data_as_of`; an absent table is an empty one."""
    persons = [c for c in READ[name] if c.endswith("person_id")]
    wanted = [*READ[name], "source_class", "data_as_of"]
    schema = {c: dtype(c) for c in wanted}
    if name not in facts:
        return pl.DataFrame(schema=schema)
    table = facts[name].lazy()
    present = table.collect_schema().names()
    grades = {c: c.removesuffix("person_id") + "link_grade" for c in persons}
    trusted = [
        pl.when(pl.col(grade).is_in(TRUSTED)).then(pl.col(c)).alias(c)
        for c, grade in grades.items()
        if grade in present
    ]
    missing = [pl.lit(None, dtype=schema[c]).alias(c) for c in wanted if c not in present]
    return (
        table.with_columns(missing)
        .with_columns(trusted)
        .select(pl.col(c).cast(kind) for c, kind in schema.items())
        .collect()
    )


def numbered(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The frame with a text column as numbers in the order of the texts: equal where they are, and quicker to join."""
    order = frame[column].drop_nulls().unique().sort()
    ranks = pl.DataFrame({column: order, "_rank": pl.int_range(len(order), eager=True, dtype=pl.Int64)})
    return (
        frame.join(ranks, on=column, how="left", maintain_order="left")
        .with_columns(pl.col("_rank").alias(column))
        .drop("_rank")
    )


def years_before(day: date, years: int) -> date:
    """The same day of the year, `years` years earlier; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


def one_of(column: str, values: pl.Series) -> pl.Expr:
    """Whether a column is one of the values; false for null."""
    return pl.col(column).is_in(values.implode()).fill_null(False)
