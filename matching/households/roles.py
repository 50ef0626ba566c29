"""What each member is in the household: its head, the relation to the head, the kind of dependant, and what is in doubt."""

from __future__ import annotations

import polars as pl


def _beyond(near: pl.DataFrame, far: pl.DataFrame) -> pl.DataFrame:
    """Two steps from the head: pairs of `head` and `person_id`, from two frames of such pairs."""
    return (
        near.rename({"person_id": "_via"})
        .join(far.rename({"head": "_via"}), on="_via")
        .select("head", "person_id")
        .unique()
    )


def heads(members: pl.DataFrame) -> pl.DataFrame:
    """`home`, `head`: the head of the book if at home, else the first of the adults of a book, else the oldest adult."""
    rank = (
        pl.when("is_head")
        .then(0)
        .when(pl.col("is_minor"))
        .then(3)
        .when(pl.col("register_id").is_not_null())
        .then(1)
        .otherwise(2)
    )
    # Of several heads of books the one in whose book most of the household stand.
    there = pl.len().over("home", "register_id").fill_null(0)
    return (
        members.with_columns(rank.alias("_rank"), there.alias("_there"))
        .sort(
            "home",
            "_rank",
            "_there",
            "birth_date",
            "person_id",
            descending=[False, False, True, False, False],
            nulls_last=True,
        )
        .unique("home", keep="first", maintain_order=True)
        .select(
            "home",
            pl.col("person_id").alias("head"),
            pl.col("register_id").alias("main_book"),
            pl.col("core").alias("head_core"),
        )
    )


def relations(members: pl.DataFrame, pairs: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    """The members with `relation` (GB/T 4761) and `dependant_kind`. `members` has `home`, `head`, and the facts of people.

    The book's word where the head of the household is the head of the book, else what the edges say.
    """
    married = pl.concat(
        [
            pairs.select(pl.col("a").alias("head"), pl.col("b").alias("person_id")),
            pairs.select(pl.col("b").alias("head"), pl.col("a").alias("person_id")),
        ]
    )
    child = parents.select(pl.col("parent").alias("head"), "person_id").unique()
    parent = parents.select(pl.col("person_id").alias("head"), pl.col("parent").alias("person_id")).unique()
    found = {
        "_married": married,
        "_child": child,
        "_parent": parent,
        "_step": _beyond(married, child),
        "_parent_in_law": _beyond(married, parent),
        "_grandchild": _beyond(child, child),
        "_in_law": _beyond(child, married),
    }
    here = members.select("head", "person_id")
    for name, near in found.items():
        flag = here.join(near, on=["head", "person_id"], how="semi").with_columns(pl.lit(True).alias(name))
        members = members.join(flag, on=["head", "person_id"], how="left").with_columns(
            pl.col(name).fill_null(False)
        )
    with_parent = (
        members.select("person_id", "home")
        .join(parents.select("person_id", "parent"), on="person_id")
        .join(members.select(pl.col("person_id").alias("parent"), "home"), on=["parent", "home"], how="semi")[
            "person_id"
        ]
        .unique()
    )
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
    is_leader = pl.col("person_id") == pl.col("head")
    members = members.with_columns(
        pl.when(is_leader).then(pl.lit("02")).otherwise(pl.coalesce(from_book, by_edges)).alias("relation")
    )
    raised = one_home(with_parent) | (pl.col("how").is_in(["guardian", "register"])).fill_null(False)
    code = pl.col("relation")
    kind = (
        pl.when(is_leader)
        .then(pl.lit("head"))
        .when(pl.col("_married") | code.str.starts_with("1"))
        .then(pl.lit("spouse"))
        .when(pl.col("is_minor") & raised)
        .then(pl.lit("minor_child"))
        .when(pl.col("is_severe") & pl.col("is_attached") & raised)
        .then(pl.lit("disabled_child"))
        .when(pl.col("is_student") & pl.col("is_attached") & raised)
        .then(pl.lit("student"))
        .when(pl.col("_child") | pl.col("_step") | (code.str.contains("^[23]") & ~code.is_in(["28", "38"])))
        .then(pl.lit("adult_child"))
        .when(pl.col("_parent") | pl.col("_parent_in_law") | code.str.starts_with("5"))
        .then(pl.lit("parent"))
        .otherwise(pl.lit("co_resident"))
    )
    return members.with_columns(kind.alias("dependant_kind"))


def one_home(people: pl.Series) -> pl.Expr:
    """Whether a member is one of the people."""
    return pl.col("person_id").is_in(people.implode())


DOUBTS: tuple[tuple[str, str], ...] = (
    ("_of_case", "已去世或不在家庭的人员，因救助证（或补贴）未终止且家中无其他成员而保留，请核实并办理停保"),
    ("_unknown", "与户主同户登记，户口簿未载明可确认的关系，是否共同生活请核实"),
    ("_no_duty", "与他人同户登记，但登记中没有赡养、扶养、抚养关系，未并入其家庭，请核实"),
    ("_rival", "同一户口簿上有两个以上已成家子女，父母随谁生活没有依据，暂各自成户，请核实"),
    ("_two_books", "夫妻户口不在同一户，是否与同户登记的父母共同生活没有依据，暂各自成户，请核实"),
    ("_other_parent", "父母登记中不是夫妻但同户登记，子女随其中一方认定，请核实"),
    ("_guarded", "未成年人父母不在本地登记的家庭中，按户口簿或学籍监护人归户，请核实由谁抚养"),
    ("_dwelling", "户口不在同一户，按同一住房保障归入本户，请核实是否长期共同居住"),
    ("_moved", "户口在另一户，按婚姻或亲子关系归入本户，请核实是否共同生活"),
    ("_co_resident", "同户登记且有赡养、扶养、抚养关系，没有同住的其他依据，请核实是否长期共同居住"),
    ("_unstated", "户口簿未注明是家庭户还是集体户，请核实是否为一家人"),
)
"""Why somebody has to ask, the weightiest first: column of the grouping, words for the officer."""


def doubts(members: pl.DataFrame) -> pl.DataFrame:
    """The members with `needs_check` and `check_zh`; `members` has the boolean columns of `DOUBTS`."""
    words = pl.coalesce(*(pl.when(pl.col(name)).then(pl.lit(zh)) for name, zh in DOUBTS))
    return members.with_columns(words.alias("check_zh")).with_columns(
        pl.col("check_zh").is_not_null().alias("needs_check")
    )
