"""Which people share a household: first the cores that the law ties whatever the book says, then duty plus co-residence.

A core is a couple or a single adult with minor children and with grown children who cannot live on their own. Cores of one
book are joined where one owes the other support (parents and grown children) and nothing says that they live apart;
brothers and sisters who are grown owe each other nothing.
"""

from __future__ import annotations

import polars as pl

ATTACHED = pl.Schema({"person_id": pl.Int64(), "to": pl.Int64(), "how": pl.String()})


def attached(
    people: pl.DataFrame, pairs: pl.DataFrame, parents: pl.DataFrame, guardians: pl.DataFrame
) -> pl.DataFrame:
    """Who belongs to somebody else's core: `person_id`, `to` (whose), `how`: parent_child | guardian | register.

    Minors; students and the severely disabled who are grown and not married. Of two parents who live apart, the one who stands in
    the child's book, then the head of it, else the mother. A minor none of whose parents is there goes with the guardian who stands in the same
    book, else with the book, else with the guardian.
    """
    in_pair = pl.concat([pairs["a"], pairs["b"]]).implode()
    core = cores(people, pairs)
    dependent = people.filter(
        (pl.col("is_minor") | pl.col("is_student") | pl.col("is_severe"))
        & ~pl.col("person_id").is_in(in_pair)
    ).select("person_id", "register_id", "is_minor")
    grown_up = people.select(
        pl.col("person_id").alias("to"),
        pl.col("register_id").alias("their_book"),
        pl.col("sex").alias("their_sex"),
        pl.col("is_minor").alias("they_are_minor"),
        pl.col("is_head").alias("they_head"),
    ).join(core.rename({"person_id": "to"}), on="to")
    same_book = (pl.col("their_book") == pl.col("register_id")).fill_null(False)
    with_parent = (
        dependent.join(parents.select("person_id", pl.col("parent").alias("to")), on="person_id")
        .join(grown_up, on="to")
        .with_columns(
            pl.len().over("person_id", "core").alias("_both"),
            same_book.alias("_same"),
            (same_book & pl.col("they_head")).alias("_heads"),
            (pl.col("their_sex") == "2").fill_null(False).alias("_mother"),
        )
        .sort(
            "person_id",
            "_both",
            "_same",
            "_heads",
            "_mother",
            "to",
            descending=[False, True, True, True, True, False],
        )
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "to", pl.lit("parent_child").alias("how"))
    )
    lost = dependent.filter("is_minor").join(with_parent, on="person_id", how="anti")
    guarded = (
        lost.join(guardians, on="person_id")
        .join(grown_up.filter(~pl.col("they_are_minor")), on="to")
        .with_columns(same_book.alias("_same"))
        .sort("person_id", "_same", "to", descending=[False, True, False])
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", "to", pl.lit("guardian").alias("how"), "_same")
    )
    booked = (
        lost.join(anchors(people), on="register_id")
        .filter(pl.col("to") != pl.col("person_id"))
        .select("person_id", "to", pl.lit("register").alias("how"))
    )
    near = guarded.filter("_same").drop("_same")
    far = guarded.filter(~pl.col("_same")).drop("_same").join(booked, on="person_id", how="anti")
    return (
        pl.concat([with_parent, near, booked.join(near, on="person_id", how="anti"), far])
        .cast(ATTACHED)
        .sort("person_id")
    )


def anchors(people: pl.DataFrame) -> pl.DataFrame:
    """Who stands for a family book: the head if present, else the head's spouse, else the oldest: `register_id`, `to`."""
    return (
        people.drop_nulls("register_id")
        .with_columns(pl.col("relation_to_head").str.starts_with("1").fill_null(False).alias("_spouse"))
        .sort(
            "register_id",
            "is_head",
            "_spouse",
            "birth_date",
            "person_id",
            descending=[False, True, True, False, False],
            nulls_last=True,
        )
        .unique("register_id", keep="first", maintain_order=True)
        .select("register_id", pl.col("person_id").alias("to"))
    )


def cores(people: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`person_id`, `core`: the lower number of a couple, or one's own."""
    both = pl.concat(
        [pairs.select(pl.col(side).alias("person_id"), pl.col("a").alias("core")) for side in ("a", "b")]
    )
    return (
        people.select("person_id")
        .join(both, on="person_id", how="left")
        .with_columns(pl.coalesce("core", "person_id").alias("core"))
    )


def with_dependants(core: pl.DataFrame, attached: pl.DataFrame) -> pl.DataFrame:
    """`core` of everybody, dependants at the end of their chain (a student's child, the student's parents).

    Who is attached in a circle, which only contradicting records make, stays alone.
    """
    chain = attached.select("person_id", "to")
    for _ in range(4):
        chain = (
            chain.join(chain.rename({"person_id": "to", "to": "_beyond"}), on="to", how="left")
            .with_columns(pl.coalesce("_beyond", "to").alias("to"))
            .drop("_beyond")
        )
    chain = chain.join(attached.select(pl.col("person_id").alias("to")), on="to", how="anti")
    root = chain.join(core.rename({"person_id": "to"}), on="to").select(
        "person_id", pl.col("core").alias("_root")
    )
    return (
        core.join(root, on="person_id", how="left")
        .with_columns(pl.coalesce("_root", "core").alias("core"))
        .drop("_root")
    )


def duties(
    people: pl.DataFrame,
    nuclei: pl.DataFrame,
    attached: pl.DataFrame,
    parents: pl.DataFrame,
    shared: pl.DataFrame,
) -> pl.DataFrame:
    """Cores of a grown child and of a parent who may live together: one row a child and parent core.

    `child`, `parent` (persons), `child_core`, `parent_core`, `register_id` (the book that both stand in, null where only a
    dwelling joins them), `proof` (case | dwelling | address, null: only the book says so), `apart` (they live in
    different places for long, and no proof says otherwise), `disputed` (a case says so, but a permit the contrary), `has_family` (the child's core is more than one person), `is_head` (the child heads the book),
    `verdict`: joined | apart | rival (another married child of the parents stands in the book, too) | two_books (husband and
    wife stand in different books, and nothing says which is theirs) | married_away (the other's book is theirs) | other_parent (of parents who are no couple, the child lives
    with the other).
    """
    own = people.join(attached, on="person_id", how="anti").select(
        "person_id", "register_id", "lives_in", "is_long_term", "registered_in", "is_head"
    )
    sides = own.join(nuclei, on="person_id")
    size = nuclei.group_by("core").len("_size")
    home = _place(sides)
    book = _book(sides, people.join(attached, on="person_id", how="semi").join(nuclei, on="person_id"))
    found = (
        parents.rename({"person_id": "child"})
        .join(_side(sides, "child"), on="child")
        .join(_side(people.join(nuclei, on="person_id"), "parent"), on="parent")
        .filter(pl.col("child_core") != pl.col("parent_core"))
    )
    proofs = _proofs(found, _of_whole_cores(sides, shared))
    for side in ("child", "parent"):
        found = found.join(
            home.rename({"core": f"{side}_core", "place": f"{side}_place", "permit": f"{side}_permit"}),
            on=f"{side}_core",
            how="left",
        )
    same = (pl.col("child_book") == pl.col("parent_book")).fill_null(False)
    settled = pl.col("child_permit").fill_null(False) | pl.col("parent_permit").fill_null(False)
    differ = (pl.col("child_place") != pl.col("parent_place")).fill_null(False) & settled
    address = (
        (pl.col("child_place") == pl.col("parent_place")).fill_null(False)
        & pl.col("child_permit").fill_null(False)
        & pl.col("parent_permit").fill_null(False)
    )
    found = (
        found.join(proofs, on=["child", "parent"], how="left")
        .with_columns(pl.coalesce("proof", pl.when(address).then(pl.lit("address"))).alias("proof"))
        .filter(same | (pl.col("proof") == "dwelling").fill_null(False))
        .with_columns(
            pl.when(same).then("child_book").alias("register_id"),
            (differ & pl.col("proof").is_null()).alias("apart"),
            (differ & (pl.col("proof") == "case")).fill_null(False).alias("disputed"),
            pl.col("child_head").alias("is_head"),
        )
        .join(size.rename({"core": "child_core"}), on="child_core")
        .join(book.rename({"core": "child_core"}), on="child_core", how="left")
        .with_columns(
            (pl.col("_size") > 1).alias("has_family"),
            (same & (pl.col("child_book") != pl.col("core_book")).fill_null(True)).alias("_other_book"),
            pl.col("core_book").is_null().alias("_bookless"),
        )
    )
    return _judged(found)


def _side(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.select(
        pl.col("person_id").alias(name),
        pl.col("core").alias(f"{name}_core"),
        pl.col("register_id").alias(f"{name}_book"),
        pl.col("is_head").alias(f"{name}_head"),
    )


def _place(sides: pl.DataFrame) -> pl.DataFrame:
    """Where the adults of a core live, if all of them live there: `core`, `place`, `permit` (a permit of long standing says so)."""
    long = pl.col("lives_in").is_not_null() & (
        pl.col("is_long_term").fill_null(False) | pl.col("registered_in").is_null()
    )
    at = pl.when(long).then("lives_in").otherwise("registered_in")
    return (
        sides.with_columns(at.alias("_at"), long.alias("_long"))
        .group_by("core")
        .agg(
            pl.when(pl.col("_at").n_unique() == 1).then(pl.col("_at").first()).alias("place"),
            pl.col("_long").all().alias("permit"),
        )
    )


def _book(sides: pl.DataFrame, dependants: pl.DataFrame) -> pl.DataFrame:
    """The book of each core: `core`, `core_book`; null for a couple of two books of whom nothing says which.

    That which one of them heads, else that in which most of their dependants stand.
    """
    young = dependants.drop_nulls("register_id").group_by("core", "register_id").agg(pl.len().alias("_young"))
    ranked = (
        sides.drop_nulls("register_id")
        .group_by("core", "register_id")
        .agg(pl.col("is_head").any())
        .join(young, on=["core", "register_id"], how="left")
        .with_columns(
            (pl.col("is_head").cast(pl.Int64) * 1000 + pl.col("_young").fill_null(0)).alias("_score")
        )
        .with_columns((pl.col("_score") == pl.col("_score").max().over("core")).alias("_best"))
    )
    return (
        ranked.filter("_best")
        .filter(~pl.col("core").is_duplicated())
        .select("core", pl.col("register_id").alias("core_book"))
    )


def _of_whole_cores(sides: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """What people share, without cases that name one of a couple alone: of a child who married out they prove nothing."""
    adults = sides.select("person_id", "core").join(
        sides.group_by("core").agg(pl.len().alias("_adults")), on="core"
    )
    whole = (
        shared.filter(pl.col("kind") == "case")
        .join(adults, on="person_id")
        .group_by("core", "key")
        .agg(pl.len().alias("_named"), pl.col("_adults").first())
        .filter(pl.col("_named") == pl.col("_adults"))
        .join(adults.select("core", "person_id"), on="core")
        .select("person_id", "key", pl.lit("case").alias("kind"))
    )
    others = shared.join(sides, on="person_id", how="anti").filter(pl.col("kind") == "case")
    return pl.concat(
        [
            frame.select("person_id", "kind", "key")
            for frame in (shared.filter(pl.col("kind") != "case"), others, whole)
        ]
    ).unique()


def _proofs(found: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """`child`, `parent`, `proof`: what shows that they live together. `shared`: person_id, kind, key."""
    ends = found.select("child", "parent").unique()
    return (
        ends.join(shared.rename({"person_id": "child"}), on="child")
        .join(shared.rename({"person_id": "parent"}), on=["parent", "kind", "key"])
        .with_columns(
            pl.col("kind").replace_strict({"dwelling": 0, "case": 1}, return_dtype=pl.Int8).alias("_rank")
        )
        .sort("child", "parent", "_rank")
        .unique(["child", "parent"], keep="first", maintain_order=True)
        .select("child", "parent", pl.col("kind").alias("proof"))
    )


def _judged(found: pl.DataFrame) -> pl.DataFrame:
    """The duties with `verdict`.

    With parents lives at most one child who has a family of the own: the one for whom something proves it, else the one who
    heads the book, else none. A child's core lives with the core of one parent (of each spouse): proof, then the mother's.
    """
    proven = pl.col("proof").is_not_null()
    open_ = found.filter(~pl.col("apart"))
    per_core = (
        open_.group_by("parent_core", "child_core", "has_family")
        .agg(
            proven.any().alias("_proven"),
            pl.col("is_head").any().alias("_head"),
            pl.col("_other_book").all().alias("_other_book"),
            pl.col("_bookless").all().alias("_bookless"),
        )
        .with_columns(
            pl.when(pl.col("_proven")).then(2).when(pl.col("_head")).then(1).otherwise(0).alias("_claim")
        )
    )
    away = ~pl.col("_proven") & pl.col("_other_book")
    families = (
        per_core.filter(pl.col("has_family") & ~away)
        .with_columns(
            pl.len().over("parent_core").alias("_rivals"),
            pl.col("_claim").max().over("parent_core").alias("_best"),
        )
        .with_columns(
            ((pl.col("_claim") == pl.col("_best")).sum().over("parent_core") == 1).alias("_single_best")
        )
    )
    wins = (pl.col("_rivals") == 1) | (
        (pl.col("_claim") == pl.col("_best")) & pl.col("_single_best") & (pl.col("_best") > 0)
    )
    verdict = pl.when(wins).then(pl.lit("joined")).otherwise(pl.lit("rival"))
    judged = pl.concat(
        [
            per_core.filter(~pl.col("has_family")).select(
                "parent_core", "child_core", "_claim", pl.lit("joined").alias("verdict")
            ),
            families.select("parent_core", "child_core", "_claim", verdict.alias("verdict")),
            per_core.filter(pl.col("has_family") & away).select(
                "parent_core",
                "child_core",
                "_claim",
                pl.when("_bookless")
                .then(pl.lit("two_books"))
                .otherwise(pl.lit("married_away"))
                .alias("verdict"),
            ),
        ]
    )
    # Parents who are no couple have cores of their own, and a child lives with one of them.
    chosen = (
        open_.join(judged.filter(pl.col("verdict") == "joined"), on=["parent_core", "child_core"])
        .sort(
            "child",
            "_claim",
            "parent_head",
            "parent_is_mother",
            "parent",
            descending=[False, True, True, True, False],
        )
        .unique("child", keep="first", maintain_order=True)
        .select("child", "parent_core", pl.lit(True).alias("_chosen"))
    )
    return (
        found.join(judged.drop("_claim"), on=["parent_core", "child_core"], how="left")
        .join(chosen, on=["child", "parent_core"], how="left")
        .with_columns(
            pl.when("apart")
            .then(pl.lit("apart"))
            .when((pl.col("verdict") == "joined") & pl.col("_chosen").is_null())
            .then(pl.lit("other_parent"))
            .otherwise("verdict")
            .alias("verdict")
        )
        .select(
            "child",
            "parent",
            "child_core",
            "parent_core",
            "register_id",
            "proof",
            "apart",
            "disputed",
            "has_family",
            "is_head",
            "verdict",
        )
        .sort("child", "parent")
    )


def strangers(
    people: pl.DataFrame,
    nuclei: pl.DataFrame,
    attached: pl.DataFrame,
    duty: pl.DataFrame,
    known_parent: pl.Series,
    known_spouse: pl.Series,
) -> pl.DataFrame:
    """People of a book whom no duty joins: `person_id`, `core`, `anchor_core`, `verdict`: unknown | no_duty.

    `unknown`: the book does not say what they are to the head, or makes them grandchildren none of whose parents is known
    to live, or the wife of a son of whom nobody knows which: nobody can tell, so they stay with the book and somebody asks.
    `known_parent`: people with a living parent who is known; `known_spouse`: people of whom any marriage is known.
    """
    has_duty = pl.concat([duty["child_core"], duty["parent_core"]]).unique()
    core_of = nuclei.rename({"person_id": "to", "core": "anchor_core"})
    adults = (
        people.join(attached, on="person_id", how="anti")
        .drop_nulls("register_id")
        .join(nuclei, on="person_id")
        .join(anchors(people), on="register_id")
        .join(core_of, on="to")
        .filter(pl.col("core") != pl.col("anchor_core"))
    )
    relation = pl.col("relation_to_head")
    grandchild = relation.str.starts_with("4") & ~relation.is_in(["45", "46"])
    unclear = (
        relation.is_null()
        | (relation == "80")
        | (grandchild & ~pl.col("person_id").is_in(known_parent.implode()))
        | relation.str.starts_with("6")
        | (relation.is_in(["28", "38", "45", "46"]) & ~pl.col("person_id").is_in(known_spouse.implode()))
    )
    # A couple stays with a book only if both stand in it, or one in none.
    sides = people.join(attached, on="person_id", how="anti").join(nuclei, on="person_id")
    books = sides.group_by("core").agg(pl.col("register_id").drop_nulls().n_unique().alias("_books"))
    return (
        adults.join(books, on="core")
        .with_columns((unclear & (pl.col("_books") == 1)).alias("_unclear"))
        .group_by("core", "anchor_core")
        .agg(pl.col("person_id").min(), pl.col("_unclear").all())
        .filter(~pl.col("core").is_in(has_duty.implode()))
        .sort("core", "anchor_core")
        .unique("core", keep="first", maintain_order=True)
        .select(
            "person_id",
            "core",
            "anchor_core",
            pl.when("_unclear").then(pl.lit("unknown")).otherwise(pl.lit("no_duty")).alias("verdict"),
        )
    )


def components(nuclei: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """`person_id`, `home`: the lowest core of everything that `links` (`one`, `other`: cores) tie together."""
    ties = pl.concat(
        [
            links.select("one", "other"),
            links.select(pl.col("other").alias("one"), pl.col("one").alias("other")),
        ]
    )
    label = ties.select(pl.col("one").alias("core")).unique().with_columns(pl.col("core").alias("home"))
    while True:
        near = (
            ties.join(label.rename({"core": "other"}), on="other")
            .group_by(pl.col("one").alias("core"))
            .agg(pl.col("home").min().alias("_near"))
        )
        step = label.join(near, on="core").with_columns(pl.min_horizontal("home", "_near").alias("_next"))
        moved = step.filter(pl.col("_next") != pl.col("home"))
        if moved.is_empty():
            break
        label = step.select("core", pl.col("_next").alias("home"))
    return nuclei.join(label, on="core", how="left").select(
        "person_id", "core", pl.coalesce("home", "core").alias("home")
    )
