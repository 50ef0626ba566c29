"""Persons to households: who shares a life, from registers, marriages and births, every edge with source and date.

A household book is evidence of a family, not the family. What follows the law (最低生活保障审核确认办法 art. 7) is done
here; what a person has to look at is marked `needs_check` with the reason in words. The declared family of an assistance case
makes no family: it only shows that people who stand in one book live together, and the difference to it is told
(`household_declared`, X14). Who is who belongs in `spine`.

`frames` has the columns, `exclusions` who is of no family, `couples` and `kin` the edges, `books` the register, `people` who needs a
household, `grouping` who shares one, `roles` what each is in it, `conflicts` what contradicts what, `declared` the cases, `ids` the
ids that survive the night. `docs/households.md` tells it to officers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from matching.households import (
    books,
    conflicts,
    couples,
    declared,
    edges,
    exclusions,
    grouping,
    ids,
    kin,
    people,
    roles,
)
from matching.households.frames import (
    CONFLICT,
    DECLARED,
    EDGE,
    EVENT,
    EXCLUSION,
    HOUSEHOLD,
    MEMBER,
    READ,
    STATE,
    Facts,
    Households,
    numbered,
    read,
)

__all__ = [
    "CONFLICT",
    "DECLARED",
    "EDGE",
    "EVENT",
    "EXCLUSION",
    "HOUSEHOLD",
    "MEMBER",
    "READ",
    "READ_OF_LAST_NIGHT",
    "STATE",
    "Facts",
    "Households",
    "assemble",
]

READ_OF_LAST_NIGHT = ("household_member", "household_state")
"""Frames of the last night that are read: who was where, and which ids have been given."""
REGISTER = "ps_household_member"
"""The class that books come from, where a row has no source of its own."""


def assemble(facts: Facts, previous: Mapping[str, pl.DataFrame] | None, as_of: date) -> Households:
    """Households as of a day, with ids that survive the night.

    `facts` are the fact tables by name (missing ones count as empty); `previous` are the frames of the last night: they
    decide about ids and events alone, never about who belongs together. Everybody who is registered, lives here, or is in
    an assistance case, is alive and not in prison or compulsory rehabilitation belongs to exactly one household. The dead
    leave from the month after death. Where nobody else is left, the last person of an open assistance case keeps the
    household (basis `case`), for somebody must be sent there. Link grades A and B count. Every frame has a total order.
    """
    tables = {name: read(facts, name) for name in READ}
    whole = _with_heads(numbered(tables["register_membership"], "register_id"), as_of)
    tables = tables | {"register_membership": whole}
    membership = whole.filter(pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of))
    dead = exclusions.deaths(tables["death"])
    person = (
        tables["person"]
        .drop_nulls("person_id")
        .sort("person_id", "birth_date", "sex", nulls_last=True)
        .unique("person_id", keep="first", maintain_order=True)
    )
    tables = tables | {"person": person}
    spouse_edges = couples.spouses(tables["marriage"], membership, dead, person.select("person_id", "sex"))
    parent_edges = kin.parents(membership, tables["birth"], person)
    families = books.of_families(whole, dead, as_of)
    book = books.books(families, as_of)
    live = books.live_village(tables["residence"], as_of)
    registered = books.registered(tables["registered_resident"])

    everyone = people.everybody(tables, registered, book, live, as_of)
    known = pl.concat([book["person_id"], live["person_id"]]).unique()
    spells = exclusions.exclusions(dead, tables["custody"], registered, known)
    absent = exclusions.absent(spells, as_of)
    last = people.last_of_a_case(tables, book, everyone, absent["person_id"], as_of)
    present = people.people(tables, everyone, absent["person_id"], last, registered, book, live, as_of)

    couple = couples.pairs(spouse_edges, present)
    parent = _used(parent_edges, present)
    shared = _shared(tables, as_of)
    guardian = edges.guardians(tables["school_enrolment"])
    guarded = guardian.select(pl.col("person_id_b").alias("person_id"), pl.col("person_id_a").alias("to"))
    attached = grouping.attached(present, couple, parent, guarded.drop_nulls().unique())
    nuclei = grouping.with_dependants(grouping.cores(present, couple), attached)
    duty = grouping.duties(present, nuclei, attached, parent, shared)
    alive = present["person_id"]
    stranger = grouping.strangers(
        present,
        nuclei,
        attached,
        duty,
        _children_of(parent_edges, alive),
        pl.concat([spouse_edges["person_id_a"], spouse_edges["person_id_b"]]).unique(),
    )
    links = pl.concat(
        [
            duty.filter(pl.col("verdict") == "joined").select(
                pl.col("child_core").alias("one"), pl.col("parent_core").alias("other")
            ),
            stranger.filter(pl.col("verdict") == "unknown").select(
                pl.col("core").alias("one"), pl.col("anchor_core").alias("other")
            ),
        ]
    )
    homes = grouping.components(nuclei, links)
    members = _members(present, homes, attached, couple, parent, duty, stranger)

    support = edges.supporters(
        spouse_edges,
        parent_edges,
        homes,
        present.filter(~pl.col("is_minor") & pl.col("birth_date").is_not_null())["person_id"],
        present.filter(pl.col("is_minor") | pl.col("person_id").is_in(attached["person_id"].implode()))[
            "person_id"
        ],
        dead,
        as_of,
    )
    found = [
        *conflicts.of_spouses(spouse_edges, couple, couples.in_books(membership), alive),
        *conflicts.of_parents(parent_edges, alive),
        *conflicts.of_books(books.in_force(families, as_of), membership, alive),
        *conflicts.of_duties(duty, REGISTER),
    ]
    evidence = edges.ordered(
        [spouse_edges, parent_edges, guardian, edges.same_register(families), edges.together(shared), support]
    )
    return _numbered(
        members,
        evidence,
        spells,
        absent,
        conflicts.conflicts(found, as_of),
        tables,
        spouse_edges,
        previous,
        as_of,
    )


def _with_heads(membership: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The rows of the register; where a row names no known head, whoever the book itself calls its head."""
    open_ = pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)
    own = (
        membership.filter(open_ & (pl.col("relation_to_head") == "02"))
        .drop_nulls(["register_id", "person_id"])
        .unique(["register_id", "person_id"])
        .filter(~pl.col("register_id").is_duplicated())
        .select("register_id", pl.col("person_id").alias("_head"))
    )
    return (
        membership.join(own, on="register_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("head_person_id", "_head").alias("head_person_id"))
        .drop("_head")
    )


def _used(parent_edges: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Parents of tonight's people among tonight's people: `person_id`, `parent`, `parent_is_mother`."""
    here = present["person_id"].implode()
    return (
        parent_edges.filter("used")
        .select(
            pl.col("person_id_b").alias("person_id"),
            pl.col("person_id_a").alias("parent"),
            (pl.col("role") == "mother").fill_null(False).alias("parent_is_mother"),
        )
        .filter(pl.col("person_id").is_in(here) & pl.col("parent").is_in(here))
        .group_by("person_id", "parent")
        .agg(pl.col("parent_is_mother").any())
        .sort("person_id", "parent")
    )


def _children_of(parent_edges: pl.DataFrame, alive: pl.Series) -> pl.Series:
    """People who have a parent among the living of tonight."""
    return parent_edges.filter(pl.col("used") & pl.col("person_id_a").is_in(alive.implode()))[
        "person_id_b"
    ].unique()


def _shared(tables: Mapping[str, pl.DataFrame], as_of: date) -> pl.DataFrame:
    """What shows that people live together: person_id, kind (case | dwelling), key, source_class, since, data_as_of."""
    cases = people.open_cases(tables)
    rows = people.case_members(tables, as_of).join(cases, on="case_id", how="semi")
    kept = ("source_class", "data_as_of")
    case = pl.concat(
        [
            rows.select(
                "person_id", pl.col("case_id").alias("key"), pl.col("join_month").alias("since"), *kept
            ),
            cases.select(
                "person_id", pl.col("case_id").alias("key"), pl.col("start_month").alias("since"), *kept
            ),
        ]
    ).with_columns(pl.lit("case").alias("kind"))
    aid = tables["housing_aid_member"].filter(
        (pl.col("start_date").is_null() | (pl.col("start_date") <= as_of))
        & (pl.col("end_date").is_null() | (pl.col("end_date") >= as_of))
    )
    dwelling = aid.select(
        "person_id", pl.col("row_key").alias("key"), pl.col("start_date").alias("since"), *kept
    ).with_columns(pl.lit("dwelling").alias("kind"))
    return (
        pl.concat([case, dwelling])
        .drop_nulls(["person_id", "key"])
        .sort("kind", "key", "person_id", "since", "source_class", "data_as_of", nulls_last=True)
        .unique(["kind", "key", "person_id"], keep="first", maintain_order=True)
    )


def _members(
    present: pl.DataFrame,
    homes: pl.DataFrame,
    attached: pl.DataFrame,
    couple: pl.DataFrame,
    parent: pl.DataFrame,
    duty: pl.DataFrame,
    stranger: pl.DataFrame,
) -> pl.DataFrame:
    """Tonight's people with home, head, relation, basis, and what is in doubt."""
    members = (
        present.join(homes, on="person_id")
        .join(attached, on="person_id", how="left")
        .with_columns(pl.col("to").is_not_null().alias("is_attached"))
    )
    members = members.join(roles.heads(members), on="home").sort("person_id")
    members = roles.relations(members, couple, parent)
    in_pair = pl.concat([couple["a"], couple["b"]]).implode()
    booked = pl.col("register_id").is_not_null()
    at_home = (booked & (pl.col("register_id") == pl.col("main_book"))).fill_null(False)
    apart = duty.filter("apart")
    split = pl.concat([apart["child_core"], apart["parent_core"]]).unique().implode()
    lives_apart = (
        pl.col("core").is_in(split)
        & pl.col("lives_in").is_not_null()
        & (pl.col("lives_in") != pl.col("registered_in")).fill_null(True)
    )
    joined = duty.filter(pl.col("verdict") == "joined")
    by_dwelling = joined.filter(pl.col("register_id").is_null())
    dwelling = pl.concat([by_dwelling["child_core"], by_dwelling["parent_core"]]).unique().implode()
    basis = (
        pl.when("is_last_of_case")
        .then(pl.lit("case"))
        .when(lives_apart)
        .then(pl.lit("address"))
        .when(at_home)
        .then(pl.lit("register"))
        .when(pl.col("how") == "guardian")
        .then(pl.lit("guardian"))
        .when(pl.col("is_attached") & pl.col("is_student") & ~pl.col("is_minor"))
        .then(pl.lit("student"))
        .when("is_attached")
        .then(pl.lit("parent_child"))
        .when(pl.col("person_id").is_in(in_pair))
        .then(pl.lit("spouse"))
        .when(pl.col("core").is_in(dwelling) & (pl.len().over("home") > 1))
        .then(pl.lit("dwelling"))
        .otherwise(pl.lit("alone"))
    )
    proved = pl.col("proof").is_not_null() & ~pl.col("disputed")
    unproved = joined.filter(~proved & pl.col("register_id").is_not_null())
    ends = pl.concat([unproved["child_core"], unproved["parent_core"]]).unique().implode()
    judged = {name: duty.filter(pl.col("verdict") == name) for name in ("rival", "two_books", "other_parent")}
    cores = {
        name: pl.concat([frame["child_core"], frame["parent_core"]]).unique().implode()
        for name, frame in judged.items()
    }
    unknown = stranger.filter(pl.col("verdict") == "unknown")["core"].implode()
    no_duty = stranger.filter(pl.col("verdict") == "no_duty")["core"].implode()
    core = pl.col("core")
    beyond_head = core != pl.col("head_core")
    moved = booked & ~at_home & (pl.col("register_id") != pl.col("main_book")).fill_null(True)
    members = members.with_columns(
        basis.alias("basis"),
        pl.col("is_last_of_case").alias("_of_case"),
        core.is_in(unknown).alias("_unknown"),
        core.is_in(no_duty).alias("_no_duty"),
        core.is_in(cores["rival"]).alias("_rival"),
        core.is_in(cores["two_books"]).alias("_two_books"),
        core.is_in(cores["other_parent"]).alias("_other_parent"),
        (pl.col("how").is_in(["guardian", "register"]).fill_null(False)).alias("_guarded"),
        moved.alias("_moved"),
        (core.is_in(ends) & beyond_head).alias("_co_resident"),
        (core.is_in(dwelling) & beyond_head).alias("_dwelling"),
        (pl.col("unstated").fill_null(False) & at_home & (pl.len().over("home") > 1)).alias("_unstated"),
    )
    return roles.doubts(members)


def _since(members: pl.DataFrame, evidence: pl.DataFrame) -> pl.DataFrame:
    """The members with `since`: the day of the book, the wedding, the birth that the basis rests on."""
    wed = evidence.filter((pl.col("kind") == "spouse") & pl.col("until").is_null())
    wedding = (
        pl.concat(
            [wed.select(pl.col(side).alias("person_id"), "since") for side in ("person_id_a", "person_id_b")]
        )
        .group_by("person_id")
        .agg(pl.col("since").max().alias("_wed"))
    )
    since = (
        pl.when(pl.col("basis") == "register")
        .then("join_date")
        .when(pl.col("basis") == "spouse")
        .then("_wed")
        .when(pl.col("basis") == "parent_child")
        .then("birth_date")
    )
    return members.join(wedding, on="person_id", how="left").with_columns(since.alias("since"))


def _numbered(
    members: pl.DataFrame,
    evidence: pl.DataFrame,
    spells: pl.DataFrame,
    absent: pl.DataFrame,
    conflict: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    spouse_edges: pl.DataFrame,
    previous: Mapping[str, pl.DataFrame] | None,
    as_of: date,
) -> Households:
    """Everything that is stored, with the ids of the households."""
    earlier, highest = ids.before(previous)
    numbers, minted = ids.ids(members, earlier, highest)
    members = _since(members.join(numbers, on="home"), evidence)
    place = members.with_columns(
        pl.when(pl.col("basis") == "address")
        .then(pl.coalesce("lives_in", "registered_in", "helped_in"))
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
    member = members.select(MEMBER.names()).cast(MEMBER).sort("household_id", "person_id")
    counter = max(highest, int(minted["household_id"].max() or 0))  # type: ignore[arg-type]
    return Households(
        household=household,
        household_member=member,
        household_edge=evidence,
        household_event=ids.events(earlier, member, minted, absent, as_of),
        household_exclusion=spells,
        household_conflict=conflict,
        household_declared=declared.declared(tables, member, spells, absent, spouse_edges, as_of),
        household_state=pl.DataFrame({"highest_household_id": [counter]}, schema=STATE),
    )
