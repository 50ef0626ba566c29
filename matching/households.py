"""Persons to households: who shares a life, from registers, marriages and births, every edge with source and date.

A household book is evidence of a family, not the family. What follows the law (社会救助暂行办法 art. 7) is done here;
what a person has to look at is marked `needs_check`. The declared family of an assistance case is not used: the
difference to it is a finding of its own (X14). Who is who belongs in `spine`.

First cut: one household is one book, except that married couples, minor children and students are brought together,
and a couple that lives elsewhere than the head of its book is a household of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from matching import continuity

ADULT_AGE = 18
"""Age in years from which a child is no longer a minor (民法典 art. 17)."""

PRISON, COMPULSORY_REHABILITATION = "3", "4"
"""Kinds of custody that take a person out of the family for the spell; arrest and community correction do not."""

ENROLLED = ("1", "2")
"""A pupil or student in school, or on leave from it."""

LARGEST_UNSTATED_BOOK = 12
"""Living people up to whom a book that does not say whether it is collective may be a family's. Working value: three
generations with married sons; dormitories and work units have more."""

LARGEST_FAMILY_BOOK = 20
"""Living people beyond whom a book is treated as collective whatever it says. Working value."""

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
MEMBER = pl.Schema(
    {
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "relation": pl.String(),
        "basis": pl.String(),
        "since": pl.Date(),
        "needs_check": pl.Boolean(),
    }
)
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
EVENT = pl.Schema(
    {"event": pl.String(), "household_id": pl.Int64(), "other_household_id": pl.Int64(), "on": pl.Date()}
)
STATE = pl.Schema({"highest_household_id": pl.Int64()})

Facts = Mapping[str, pl.LazyFrame | pl.DataFrame]

_READ: dict[str, tuple[str, ...]] = {
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
    "school_enrolment": ("person_id", "guardian_person_id", "status", "status_date"),
    "assistance_case": ("person_id", "case_id", "village_code", "status"),
    "assistance_member": ("person_id", "case_id", "leave_month"),
    "welfare_subsidy": ("person_id", "pay_month", "status"),
}


@dataclass(frozen=True)
class Households:
    """A night's households: `HOUSEHOLD`, `MEMBER`, `EDGE`, `EVENT` (tonight's), and `STATE`, which keeps ids unused."""

    household: pl.DataFrame
    household_member: pl.DataFrame
    household_edge: pl.DataFrame
    household_event: pl.DataFrame
    household_state: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything that is stored, by name."""
        return dict(vars(self))


def _dtype(column: str) -> pl.DataType:
    if column.endswith("person_id"):
        return pl.Int64()
    if column.endswith(("_date", "_since", "_to", "_month", "_as_of")):
        return pl.Date()
    return pl.Boolean() if column.startswith("is_") else pl.String()


def _read(facts: Facts, name: str) -> pl.DataFrame:
    """The columns that are needed of one fact table; a person who is linked in review only counts as unknown."""
    persons = [c for c in _READ[name] if c.endswith("person_id")]
    wanted = [*_READ[name], "source_class", "data_as_of"]
    schema = {c: _dtype(c) for c in wanted}
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
        .select(pl.col(c).cast(dtype) for c, dtype in schema.items())
        .collect()
    )


def _dead(death: pl.DataFrame) -> pl.DataFrame:
    """First known day of each death: `person_id`, `died_on`."""
    return (
        death.with_columns(pl.coalesce("death_date", "recorded_date").alias("died_on"))
        .drop_nulls(["person_id", "died_on"])
        .group_by("person_id")
        .agg(pl.col("died_on").min())
        .sort("person_id")
    )


def _away(custody: pl.DataFrame, as_of: date) -> pl.Series:
    """Persons in prison or compulsory rehabilitation on the day."""
    begun = pl.col("start_date").is_null() | (pl.col("start_date") <= as_of)
    lasting = pl.col("end_date").is_null() | (pl.col("end_date") >= as_of)
    inside = pl.col("custody_type").is_in([PRISON, COMPULSORY_REHABILITATION]) & (
        pl.col("status").is_null() | (pl.col("status") != "2")
    )
    return custody.filter(inside & begun & lasting)["person_id"].drop_nulls().unique()


def _couples(marriage: pl.DataFrame, membership: pl.DataFrame, dead: pl.DataFrame) -> pl.DataFrame:
    """Spouse edges. The latest registration of a pair counts; divorce, death and a later marriage end it."""
    events = marriage.drop_nulls(["male_person_id", "female_person_id", "reg_date"]).filter(
        pl.col("male_person_id") != pl.col("female_person_id")
    )
    events = events.with_columns(
        pl.min_horizontal("male_person_id", "female_person_id").alias("person_id_a"),
        pl.max_horizontal("male_person_id", "female_person_id").alias("person_id_b"),
        pl.col("reg_type").is_in(["2", "3"]).alias("_ends"),
    )
    last = (
        events.sort("person_id_a", "person_id_b", "reg_date", "_ends", "reg_type")
        .group_by("person_id_a", "person_id_b", maintain_order=True)
        .agg(
            # A certificate that is issued again does not begin a marriage.
            pl.coalesce(
                pl.col("reg_date").filter(pl.col("reg_type") == "1").last(),
                pl.col("reg_date").filter(pl.col("reg_type") == "4").first(),
            ).alias("since"),
            pl.when(pl.col("_ends").last()).then(pl.col("reg_date").last()).alias("until"),
            pl.col("source_class").last(),
            pl.col("data_as_of").max(),
        )
        .with_columns(pl.lit("certain").alias("confidence"))
    )
    stated = membership.filter(pl.col("spouse_person_id").is_not_null()).select(
        "person_id", pl.col("spouse_person_id").alias("other"), "source_class", "data_as_of"
    )
    by_relation = membership.filter(
        pl.col("relation_to_head").str.starts_with("1") & pl.col("head_person_id").is_not_null()
    ).select("person_id", pl.col("head_person_id").alias("other"), "source_class", "data_as_of")
    book = (
        pl.concat([stated, by_relation])
        .filter(pl.col("person_id").is_not_null() & (pl.col("person_id") != pl.col("other")))
        .group_by(
            pl.min_horizontal("person_id", "other").alias("person_id_a"),
            pl.max_horizontal("person_id", "other").alias("person_id_b"),
        )
        .agg(pl.col("source_class").min(), pl.col("data_as_of").max())
        .join(last, on=["person_id_a", "person_id_b"], how="anti")
        .with_columns(
            pl.lit(None, dtype=pl.Date).alias("since"),
            pl.lit(None, dtype=pl.Date).alias("until"),
            pl.lit("likely").alias("confidence"),
        )
    )
    edges = pl.concat([last, book.select(last.columns)])
    for side in ("person_id_a", "person_id_b"):
        edges = (
            edges.join(dead, left_on=side, right_on="person_id", how="left")
            .with_columns(pl.min_horizontal("until", "died_on").alias("until"))
            .drop("died_on")
        )
    # Court divorces reach nobody: whoever married again is not married to the one before.
    newest = pl.concat(
        [edges.select(pl.col(side).alias("person_id"), "since") for side in ("person_id_a", "person_id_b")]
    ).drop_nulls()
    newest = newest.group_by("person_id").agg(pl.col("since").max().alias("_newest"))
    for side in ("person_id_a", "person_id_b"):
        later = pl.col("_newest") > pl.col("since").fill_null(date(1, 1, 1))
        edges = (
            edges.join(newest, left_on=side, right_on="person_id", how="left")
            .with_columns(
                pl.when(pl.col("until").is_null() & later).then("_newest").otherwise("until").alias("until")
            )
            .drop("_newest")
        )
    return edges.with_columns(pl.lit("spouse").alias("kind")).select(EDGE.names())


def _parents(membership: pl.DataFrame, birth: pl.DataFrame) -> pl.DataFrame:
    """Parent (a) and child (b) edges from birth certificates, the register's parent columns, and the relation to the head."""
    found = []
    for parent in ("mother_person_id", "father_person_id"):
        found.append(
            birth.select(
                pl.col(parent).alias("person_id_a"),
                pl.col("person_id").alias("person_id_b"),
                "source_class",
                pl.col("birth_date").alias("since"),
                pl.lit("certain").alias("confidence"),
                "data_as_of",
            )
        )
        found.append(
            membership.select(
                pl.col(parent).alias("person_id_a"),
                pl.col("person_id").alias("person_id_b"),
                "source_class",
                pl.lit(None, dtype=pl.Date).alias("since"),
                pl.lit("certain").alias("confidence"),
                "data_as_of",
            )
        )
    code = pl.col("relation_to_head")
    own_child = code.str.contains("^[23]") & ~code.is_in(["28", "38"])
    own_parent = code.is_in(["50", "51", "52", "57", "58", "59"])
    for condition, parent, child in (
        (own_child, "head_person_id", "person_id"),
        (own_parent, "person_id", "head_person_id"),
    ):
        found.append(
            membership.filter(condition).select(
                pl.col(parent).alias("person_id_a"),
                pl.col(child).alias("person_id_b"),
                "source_class",
                pl.lit(None, dtype=pl.Date).alias("since"),
                pl.lit("likely").alias("confidence"),
                "data_as_of",
            )
        )
    return (
        pl.concat(found)
        .drop_nulls(["person_id_a", "person_id_b"])
        .filter(pl.col("person_id_a") != pl.col("person_id_b"))
        .group_by("person_id_a", "person_id_b", "source_class")
        .agg(pl.col("since").min(), pl.col("confidence").min(), pl.col("data_as_of").max())
        .with_columns(pl.lit("parent_child").alias("kind"), pl.lit(None, dtype=pl.Date).alias("until"))
        .select(EDGE.names())
    )


def _of_families(membership: pl.DataFrame, dead: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Rows of the register in family books, with `unstated`: the book does not say that it is a family's.

    What a row does not say another row of the book may; if none does, only a small book may be a family's. Rows without
    a known person count as one living person each.
    """
    open_ = pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    begun = pl.col("join_date").is_null() | (pl.col("join_date") <= as_of)
    alive = pl.col("person_id").is_null() | ~pl.col("person_id").is_in(dead["person_id"].implode())
    sizes = (
        membership.filter(open_ & begun & alive & pl.col("register_id").is_not_null())
        .group_by("register_id")
        .agg((pl.col("person_id").drop_nulls().n_unique() + pl.col("person_id").null_count()).alias("_size"))
    )
    stated = pl.coalesce("is_collective", pl.col("is_collective").max().over("register_id"))
    size = pl.col("_size").fill_null(0)
    fits = (
        pl.when(pl.col("_stated").is_null()).then(size <= LARGEST_UNSTATED_BOOK).otherwise(~pl.col("_stated"))
    )
    return (
        membership.filter(pl.col("register_id").is_not_null())
        .join(sizes, on="register_id", how="left", maintain_order="left")
        .with_columns(stated.alias("_stated"))
        .filter(fits & (size <= LARGEST_FAMILY_BOOK))
        .with_columns(pl.col("_stated").is_null().alias("unstated"))
        .drop("_size", "_stated")
    )


def _books(families: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The family book each person stands in on the day: the one joined last. Collective books never form a family."""
    open_ = pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    begun = pl.col("join_date").is_null() | (pl.col("join_date") <= as_of)
    return (
        families.filter(open_ & begun & pl.col("person_id").is_not_null())
        .sort(
            "person_id",
            "join_date",
            "data_as_of",
            "register_id",
            descending=[False, True, True, False],
            nulls_last=True,
        )
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "register_id", "head_person_id", "relation_to_head", "join_date", "unstated")
    )


def _live_village(residence: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Where each person lives by the latest residence permit in force: `person_id`, `lives_in`."""
    return (
        residence.filter(
            pl.col("person_id").is_not_null()
            & pl.col("village_code").is_not_null()
            & (pl.col("live_since").is_null() | (pl.col("live_since") <= as_of))
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= as_of))
        )
        .sort("person_id", "live_since", "village_code", descending=[False, True, False], nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("village_code").alias("lives_in"))
    )


def _registered(table: pl.DataFrame) -> pl.DataFrame:
    """The current register row of each person: `person_id`, `registered_in`, `urban_rural`, `register_status`."""
    return (
        table.filter(pl.col("person_id").is_not_null())
        .sort("person_id", "register_status", "data_as_of", "village_code", nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("village_code").alias("registered_in"), "urban_rural", "register_status")
    )


def _is_minor(birth_date: pl.Expr, as_of: date) -> pl.Expr:
    """Whether somebody is under age on the day; null when the birth date is unknown."""
    try:
        limit = as_of.replace(year=as_of.year - ADULT_AGE)
    except ValueError:  # 29 February
        limit = date(as_of.year - ADULT_AGE, 3, 1)
    return birth_date > limit


def assemble(facts: Facts, previous: Mapping[str, pl.DataFrame] | None, as_of: date) -> Households:
    """Households as of a day, with ids that survive the night.

    `facts` are the fact tables by name (missing ones count as empty); `previous` are the frames of the last night.
    Everybody who is registered, lives here, or is in an assistance case, is alive and not in prison or compulsory
    rehabilitation belongs to exactly one household. The dead leave from the month after death. Where nobody else is left,
    the last person of an open assistance case keeps the household (basis `case`), for somebody must be sent there. Link
    grades A and B count. Every frame has a total order.
    """
    tables = {name: _read(facts, name) for name in _READ}
    membership = tables["register_membership"].filter(
        pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    )
    dead = _dead(tables["death"])
    spouses = _couples(tables["marriage"], membership, dead)
    parents = _parents(membership, tables["birth"])
    families = _of_families(tables["register_membership"], dead, as_of)
    books = _books(families, as_of)
    people = _people(tables, books, dead, as_of)
    homes = _group(people, spouses, parents)
    edges = _edges(spouses, parents, tables, families)
    return _numbered(people, homes, spouses, parents, edges, previous, as_of)


def _people(
    tables: Mapping[str, pl.DataFrame], books: pl.DataFrame, dead: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Everybody who needs a household, with what decides about it."""
    registered = _registered(tables["registered_resident"])
    is_active = pl.col("register_status").is_null() | (pl.col("register_status") == "1")
    live = _live_village(tables["residence"], as_of)
    in_case = tables["assistance_member"].filter(
        pl.col("leave_month").is_null() | (pl.col("leave_month") > as_of.replace(day=1))
    )
    everyone = pl.concat(
        [
            registered.filter(is_active)["person_id"],
            books["person_id"],
            live["person_id"],
            in_case["person_id"],
            tables["assistance_case"]["person_id"],
            tables["birth"]["person_id"],
            tables["person"].filter("is_registered")["person_id"],
        ]
    )
    moved_out = (
        registered.filter(~is_active)
        .join(books, on="person_id", how="anti")
        .join(live, on="person_id", how="anti")
    )
    buried = dead.filter(pl.col("died_on") < as_of.replace(day=1))["person_id"]
    cancelled = registered.filter(pl.col("register_status") == "3")["person_id"]
    absent = pl.concat(
        [
            moved_out["person_id"],
            buried,
            cancelled.filter(~cancelled.is_in(dead["person_id"].implode())),
            _away(tables["custody"], as_of),
        ]
    ).unique()
    last = _last_of_a_case(tables, books, in_case, everyone, absent, as_of)
    absent = absent.filter(~absent.is_in(last.implode()))
    known = (
        tables["person"]
        .drop_nulls("person_id")
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "sex", "birth_date")
    )
    school = (
        tables["school_enrolment"].filter(pl.col("status").is_in(ENROLLED))["person_id"].drop_nulls().unique()
    )
    cases = (
        tables["assistance_case"]
        .drop_nulls(["person_id", "village_code"])
        .sort("person_id", "village_code")
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("village_code").alias("helped_in"))
    )
    return (
        everyone.drop_nulls()
        .unique()
        .sort()
        .alias("person_id")
        .to_frame()
        .filter(~pl.col("person_id").is_in(absent.implode()))
        .join(known, on="person_id", how="left")
        .join(books, on="person_id", how="left")
        .join(live, on="person_id", how="left")
        .join(registered.drop("register_status"), on="person_id", how="left")
        .join(cases, on="person_id", how="left")
        .with_columns(
            _is_minor(pl.col("birth_date"), as_of).fill_null(False).alias("is_minor"),
            pl.col("person_id").is_in(school.implode()).alias("is_student"),
            pl.coalesce("lives_in", "registered_in").alias("at"),
            (pl.col("person_id") == pl.col("head_person_id")).fill_null(False).alias("is_head"),
            pl.col("person_id").is_in(last.implode()).alias("is_last_of_case"),
        )
        .sort("person_id")
    )


def _last_of_a_case(
    tables: Mapping[str, pl.DataFrame],
    books: pl.DataFrame,
    in_case: pl.DataFrame,
    everyone: pl.Series,
    absent: pl.Series,
    as_of: date,
) -> pl.Series:
    """Absent persons of open cases (not ended) all of whose people, and all of whose book, are absent too.

    A welfare subsidy paid within three months counts as a case of its own person. Payments to somebody who died alone would otherwise belong to no household, and stand on no list.
    """
    present = everyone.filter(~everyone.is_in(absent.implode()))
    is_present = pl.col("person_id").is_in(present.implode())
    cases = tables["assistance_case"].filter(pl.col("status").is_null() | (pl.col("status") != "4"))
    paid = tables["welfare_subsidy"].filter(
        (pl.col("status") == "1")
        & (pl.col("pay_month") >= pl.lit(as_of).dt.month_start().dt.offset_by("-3mo"))
    )
    people = pl.concat(
        [
            cases.select("case_id", "person_id"),
            in_case.join(cases, on="case_id", how="semi").select("case_id", "person_id"),
            paid.select((pl.lit("S:") + pl.col("person_id").cast(pl.String)).alias("case_id"), "person_id"),
        ],
        how="vertical",
    ).drop_nulls()
    living_books = books.filter(is_present)["register_id"].implode()
    at_home = books.filter(pl.col("register_id").is_in(living_books))["person_id"].implode()
    somebody = is_present | pl.col("person_id").is_in(at_home)
    empty = people.group_by("case_id").agg(somebody.any().alias("somebody")).filter(~pl.col("somebody"))
    return people.join(empty, on="case_id", how="semi")["person_id"].unique().sort()


def _pairs(spouses: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Couples of tonight: `a`, `b`. One spouse a person: the surer, then the later marriage."""
    here = pl.col("person_id")
    open_ = (
        spouses.filter(pl.col("until").is_null())
        .rename({"person_id_a": "a", "person_id_b": "b"})
        .join(people.select(here.alias("a")), on="a", how="semi")
        .join(people.select(here.alias("b")), on="b", how="semi")
        .sort("confidence", "since", "a", "b", descending=[False, True, False, False], nulls_last=True)
        .with_row_index("_order")
        .select("_order", "a", "b")
    )
    found = [open_.clear()]
    while len(open_):
        ends = pl.concat([open_.select("_order", pl.col(side).alias("p")) for side in ("a", "b")])
        first = ends.group_by("p").agg(pl.col("_order").min().alias("_first"))
        best = (
            open_.join(first.rename({"_first": "_fa"}), left_on="a", right_on="p")
            .join(first.rename({"_first": "_fb"}), left_on="b", right_on="p")
            .filter((pl.col("_order") == pl.col("_fa")) & (pl.col("_order") == pl.col("_fb")))
            .select("_order", "a", "b")
        )
        found.append(best)
        taken = pl.concat([best["a"], best["b"]]).implode()
        open_ = open_.filter(~pl.col("a").is_in(taken) & ~pl.col("b").is_in(taken))
    return pl.concat(found).select("a", "b").sort("a")


def _group(people: pl.DataFrame, spouses: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    """Which people share a household: `person_id`, `home` (a text without meaning), `basis`, `moved`."""
    book = pl.when(pl.col("register_id").is_not_null()).then(pl.lit("B:") + pl.col("register_id"))
    alone = pl.lit("P:") + pl.col("person_id").cast(pl.String)
    homes = people.with_columns(
        pl.coalesce(book, alone).alias("home"),
        pl.when(pl.col("register_id").is_not_null())
        .then(pl.lit("register"))
        .otherwise(pl.lit("alone"))
        .alias("basis"),
        pl.col("register_id").is_null().alias("unbooked"),
        pl.lit(False).alias("moved"),
    )
    heads = homes.filter("is_head").select("register_id", pl.col("at").alias("head_at")).unique("register_id")
    homes = homes.join(heads, on="register_id", how="left").sort("person_id")
    columns = ["person_id", "home", "is_head", "unbooked", "at", "head_at", "is_minor"]
    pairs = _pairs(spouses, people)
    couples = pairs.join(homes.select(columns), left_on="a", right_on="person_id").join(
        homes.select(columns), left_on="b", right_on="person_id", suffix="_b"
    )
    together = pl.col("home") == pl.col("home_b")
    # A couple in one book that lives elsewhere than its head is a household of its own.
    elsewhere = (
        together
        & ~pl.col("is_head")
        & ~pl.col("is_head_b")
        & (pl.col("at") == pl.col("at_b")).fill_null(False)
        & (pl.col("at") != pl.col("head_at")).fill_null(False)
    )
    own = pl.lit("C:") + pl.col("a").cast(pl.String)
    # Registered apart: a book beats no book, the head of a book beats a child of one, then the place where one lives.
    keeps_a = (
        pl.when(pl.col("unbooked") != pl.col("unbooked_b"))
        .then(~pl.col("unbooked"))
        .when(pl.col("is_head") != pl.col("is_head_b"))
        .then("is_head")
        .otherwise(pl.lit(True))
    )
    target = (
        pl.when(elsewhere)
        .then(own)
        .when(together)
        .then("home")
        .when(pl.col("unbooked") & pl.col("unbooked_b"))
        .then(own)
        .when(keeps_a)
        .then("home")
        .otherwise("home_b")
    )
    couples = couples.with_columns(target.alias("target"), elsewhere.alias("elsewhere"))
    married = pl.concat(
        [
            couples.select(pl.col(side).alias("person_id"), "target", "elsewhere", pl.col(home).alias("from"))
            for side, home in (("a", "home"), ("b", "home_b"))
        ]
    )
    homes = (
        homes.join(married, on="person_id", how="left")
        .with_columns(
            pl.when(pl.col("elsewhere"))
            .then(pl.lit("address"))
            .when(pl.col("target") != pl.col("home"))
            .then(pl.lit("spouse"))
            .otherwise("basis")
            .alias("basis"),
            (
                (pl.col("target") != pl.col("home")).fill_null(False)
                & ~pl.col("elsewhere").fill_null(False)
                & ~pl.col("unbooked")
            ).alias("moved"),
            pl.coalesce("target", "home").alias("home"),
        )
        .drop("target", "elsewhere", "from")
    )
    # Minor children, and students who have no spouse, live with their parents: with the one in whose household the
    # other is too, or who stands in their book, or else the mother.
    in_pair = pl.concat([pairs["a"], pairs["b"]]).implode()
    dependent = (
        homes.filter(
            (pl.col("is_minor") | (pl.col("is_student") & pl.col("unbooked")))
            & ~pl.col("person_id").is_in(in_pair)
        )
        .select("person_id", "home", "register_id")
        .join(
            parents.group_by("person_id_b", "person_id_a").agg(pl.col("confidence").min()),
            left_on="person_id",
            right_on="person_id_b",
        )
        .join(
            homes.select(
                pl.col("person_id").alias("person_id_a"),
                pl.col("home").alias("parent_home"),
                pl.col("register_id").alias("parent_book"),
                pl.col("sex").alias("parent_sex"),
            ),
            on="person_id_a",
        )
        .with_columns(
            pl.len().over("person_id", "parent_home").alias("_both"),
            (pl.col("parent_home") == pl.col("home")).alias("_at_home"),
            (pl.col("parent_book") == pl.col("register_id")).fill_null(False).alias("_same_book"),
            (pl.col("parent_sex") == "2").fill_null(False).alias("_mother"),
        )
        .sort(
            "person_id",
            "_both",
            "_at_home",
            "_same_book",
            "_mother",
            "person_id_a",
            descending=[False, True, True, True, True, False],
        )
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "parent_home", "_same_book")
    )
    homes = homes.join(dependent, on="person_id", how="left").with_columns(
        pl.when((pl.col("parent_home") != pl.col("home")).fill_null(False))
        .then(pl.lit("parent_child"))
        .otherwise("basis")
        .alias("basis"),
        (
            pl.col("moved")
            | (
                (pl.col("parent_home") != pl.col("home")).fill_null(False)
                & ~pl.col("unbooked")
                & ~pl.col("_same_book")
            )
        ).alias("moved"),
        pl.coalesce("parent_home", "home").alias("home"),
    )
    kept = people.select("person_id", "is_last_of_case")
    return (
        homes.join(kept, on="person_id", suffix="_kept")
        .with_columns(pl.when("is_last_of_case").then(pl.lit("case")).otherwise("basis").alias("basis"))
        .select("person_id", "home", "basis", "moved", "unbooked")
        .sort("person_id")
    )


def _beyond(near: pl.DataFrame, far: pl.DataFrame) -> pl.DataFrame:
    """Two steps from the head: pairs of `head` and `person_id`, from two frames of such pairs."""
    return (
        near.rename({"person_id": "_via"})
        .join(far.rename({"head": "_via"}), on="_via")
        .select("head", "person_id")
        .unique()
    )


def _relations(
    people: pl.DataFrame, homes: pl.DataFrame, spouses: pl.DataFrame, parents: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Members with relation to the head (GB/T 4761) and `needs_check`, and the head of each home.

    The head is the head of the book if at home, else whoever stands first in it, else the oldest adult.
    """
    members = homes.join(people, on="person_id")
    rank = (
        pl.when("is_head")
        .then(0)
        .when(pl.col("is_minor"))
        .then(3)
        .when(pl.col("basis") == "register")
        .then(1)
        .otherwise(2)
    )
    heads = (
        members.with_columns(rank.alias("_rank"))
        .sort("home", "_rank", "birth_date", "person_id", nulls_last=True)
        .unique("home", keep="first", maintain_order=True)
        .select("home", pl.col("person_id").alias("head"))
    )
    members = members.join(heads, on="home")
    open_ = spouses.filter(pl.col("until").is_null())
    married = pl.concat(
        [
            open_.select(pl.col("person_id_a").alias("head"), pl.col("person_id_b").alias("person_id")),
            open_.select(pl.col("person_id_b").alias("head"), pl.col("person_id_a").alias("person_id")),
        ]
    ).unique()
    child = parents.select(
        pl.col("person_id_a").alias("head"), pl.col("person_id_b").alias("person_id")
    ).unique()
    parent = parents.select(
        pl.col("person_id_b").alias("head"), pl.col("person_id_a").alias("person_id")
    ).unique()
    of_spouse = _beyond(married, child)
    of_child = _beyond(child, child)
    in_law = _beyond(child, married)
    members = members.with_columns(pl.struct("head", "person_id").alias("_pair"))
    for name, pairs in (
        ("_married", married),
        ("_child", child),
        ("_parent", parent),
        ("_step", of_spouse),
        ("_grandchild", of_child),
        ("_in_law", in_law),
    ):
        members = members.join(
            pairs.with_columns(pl.lit(True).alias(name)), on=["head", "person_id"], how="left"
        ).with_columns(pl.col(name).fill_null(False))
    male, female = pl.col("sex") == "1", pl.col("sex") == "2"
    from_book = pl.when((pl.col("head") == pl.col("head_person_id")).fill_null(False)).then(
        "relation_to_head"
    )
    by_edges = (
        pl.when("_married")
        .then(pl.when(male).then(pl.lit("11")).when(female).then(pl.lit("12")).otherwise(pl.lit("10")))
        .when(pl.col("_child") | pl.col("_step"))
        .then(pl.when(female).then(pl.lit("30")).otherwise(pl.lit("20")))
        .when("_in_law")
        .then(pl.when(female).then(pl.lit("38")).otherwise(pl.lit("28")))
        .when("_grandchild")
        .then(pl.lit("40"))
        .when("_parent")
        .then(pl.when(male).then(pl.lit("51")).when(female).then(pl.lit("52")).otherwise(pl.lit("50")))
        .otherwise(pl.lit("80"))
    )
    relation = (
        pl.when(pl.col("person_id") == pl.col("head"))
        .then(pl.lit("02"))
        .otherwise(pl.coalesce(from_book, by_edges))
    )
    members = members.with_columns(relation.alias("relation"))
    dependent = pl.col("is_minor") | pl.col("is_student")
    nuclear = pl.col("relation").str.contains("^[01]") | (
        pl.col("relation").str.contains("^[23]") & dependent
    )
    # A book that does not say what it is: somebody who stands in it alone shares nothing with anybody.
    in_doubt = (
        pl.col("unstated").fill_null(False) & (pl.col("basis") == "register") & (pl.len().over("home") > 1)
    )
    # Adult children with parents, and everybody further away, may or may not share the household's means: the duty
    # is certain, the common life is not. People brought here from another book are to be looked at as well.
    return (
        members.with_columns(
            (~nuclear | pl.col("moved") | (pl.col("basis") == "case") | in_doubt).alias("needs_check")
        ),
        heads,
    )


def _edges(
    spouses: pl.DataFrame,
    parents: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    families: pl.DataFrame,
) -> pl.DataFrame:
    """All evidence of who belongs to whom, open and ended: see `EDGE`."""
    school = tables["school_enrolment"]
    guardians = school.select(
        pl.col("guardian_person_id").alias("person_id_a"),
        pl.col("person_id").alias("person_id_b"),
        pl.lit("guardian").alias("kind"),
        "source_class",
        pl.lit(None, dtype=pl.Date).alias("since"),
        pl.lit(None, dtype=pl.Date).alias("until"),
        pl.lit("needs_check").alias("confidence"),
        "data_as_of",
    )
    same = families.select(
        pl.col("head_person_id").alias("person_id_a"),
        pl.col("person_id").alias("person_id_b"),
        pl.lit("same_register").alias("kind"),
        "source_class",
        pl.col("join_date").alias("since"),
        pl.col("leave_date").alias("until"),
        pl.lit("likely").alias("confidence"),
        "data_as_of",
    )
    order = ["person_id_a", "person_id_b", "kind", "source_class", "since", "until"]
    return (
        pl.concat([spouses, parents, guardians, same])
        .cast(EDGE)
        .drop_nulls(["person_id_a", "person_id_b"])
        .filter(pl.col("person_id_a") != pl.col("person_id_b"))
        .sort(*order, "confidence", "data_as_of")
        .unique(order, keep="last", maintain_order=True)
    )


def _numbered(
    people: pl.DataFrame,
    homes: pl.DataFrame,
    spouses: pl.DataFrame,
    parents: pl.DataFrame,
    edges: pl.DataFrame,
    previous: Mapping[str, pl.DataFrame] | None,
    as_of: date,
) -> Households:
    """Ids for the homes: that of the household of last night from which most members come, then the lowest."""
    members, heads = _relations(people, homes, spouses, parents)
    before = (
        previous["household_member"].select("household_id", "person_id") if previous else MEMBER.to_frame()
    )
    before = before.select("household_id", "person_id")
    highest = int(before["household_id"].max() or 0)  # type: ignore[arg-type]
    if previous and "household_state" in previous:
        highest = max(highest, int(previous["household_state"]["highest_household_id"].max() or 0))  # type: ignore[arg-type]
    shared = (
        members.select("home", "person_id")
        .join(before, on="person_id")
        .group_by("home", "household_id")
        .agg(pl.len().alias("shared"))
    )
    kept = continuity.best_first(shared, "home", "household_id")
    minted = (
        heads.join(kept, on="home", how="anti")
        .sort("head")
        .with_row_index("household_id", offset=highest + 1)
        .select("home", pl.col("household_id").cast(pl.Int64))
    )
    ids = pl.concat([kept.select("home", "household_id"), minted])
    members = members.join(ids, on="home")

    first = ["lives_in", "registered_in", "helped_in"]
    place = members.with_columns(
        pl.when(pl.col("basis") == "address")
        .then(pl.coalesce(*first))
        .otherwise(pl.coalesce("registered_in", "lives_in", "helped_in"))
        .alias("place"),
        (pl.col("person_id") == pl.col("head")).alias("_leads"),
    ).sort("household_id", "_leads", "person_id", descending=[False, True, False])
    household = (
        place.group_by("household_id", maintain_order=True)
        .agg(
            pl.col("head").first().alias("head_person_id"),
            pl.col("place").drop_nulls().first().alias("village_code"),
            pl.col("urban_rural").drop_nulls().first().fill_null("9"),
            pl.len().cast(pl.Int32).alias("members"),
        )
        .with_columns(
            pl.col("village_code").str.slice(0, 6).alias("county_code"),
            pl.col("village_code").str.slice(0, 9).alias("township_code"),
        )
        .select(HOUSEHOLD.names())
        .cast(HOUSEHOLD)
        .sort("household_id")
    )
    since = pl.when(pl.col("basis") == "register").then("join_date")
    member = (
        members.select("household_id", "person_id", "relation", "basis", since.alias("since"), "needs_check")
        .cast(MEMBER)
        .sort("household_id", "person_id")
    )
    counter = max(highest, int(minted["household_id"].max() or 0))  # type: ignore[arg-type]
    return Households(
        household=household,
        household_member=member,
        household_edge=edges,
        household_event=_what_happened(before, member, minted, as_of),
        household_state=pl.DataFrame({"highest_household_id": [counter]}, schema=STATE),
    )


def _what_happened(
    before: pl.DataFrame, member: pl.DataFrame, minted: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """create, split (new, out of another), absorb (went into another), retire (nobody left): see `EVENT`."""
    moves = (
        before.rename({"household_id": "was"})
        .join(member.select("person_id", pl.col("household_id").alias("now")), on="person_id")
        .group_by("was", "now")
        .len()
    )
    came = moves.sort("now", "len", "was", descending=[False, True, False]).unique(
        "now", keep="first", maintain_order=True
    )
    went = moves.sort("was", "len", "now", descending=[False, True, False]).unique(
        "was", keep="first", maintain_order=True
    )
    new = minted.select(pl.col("household_id").alias("now")).join(came, on="now", how="left")
    ended = (
        before.select(pl.col("household_id").alias("was"))
        .unique()
        .join(member.select(pl.col("household_id").alias("was")).unique(), on="was", how="anti")
        .join(went, on="was", how="left")
    )
    return (
        pl.concat(
            [
                new.select(
                    pl.when(pl.col("was").is_null())
                    .then(pl.lit("create"))
                    .otherwise(pl.lit("split"))
                    .alias("event"),
                    pl.col("now").alias("household_id"),
                    pl.col("was").alias("other_household_id"),
                ),
                ended.select(
                    pl.when(pl.col("now").is_null())
                    .then(pl.lit("retire"))
                    .otherwise(pl.lit("absorb"))
                    .alias("event"),
                    pl.col("was").alias("household_id"),
                    pl.col("now").alias("other_household_id"),
                ),
            ]
        )
        .with_columns(pl.lit(as_of).alias("on"))
        .cast(EVENT)
        .sort("household_id", "event")
    )
