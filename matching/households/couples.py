"""Who is married to whom: marriage registrations, what the books say, and how marriages end.

Court divorces and widowhood are not among the registrations: a death, and a later marriage, close a marriage.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from matching.households.frames import EDGE, one_of

ENDS = ("2", "3")
"""Kinds of registration that end a marriage: divorce, annulment."""


COUPLES = (
    (("51",), ("52",)),
    (("61",), ("62",)),
    (("63",), ("64",)),
    (("20", "21", "22", "23", "24", "25", "26"), ("38",)),
    (("30", "31", "32", "33", "34", "35", "36"), ("28",)),
    (("71",), ("72",)),
    (("73",), ("74",)),
    (("75",), ("76",)),
    (("77",), ("78",)),
)
"""Relations to the head (GB/T 4761) of two people who are a couple, if each is the only one of the book: both parents of the
head, the son and the daughter-in-law, the elder brother and his wife ..."""


def _pair(frame: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """The frame with `person_id_a` < `person_id_b` for two different persons; rows with one person only are left out."""
    return frame.filter(pl.col(one) != pl.col(other)).with_columns(
        pl.min_horizontal(one, other).alias("person_id_a"),
        pl.max_horizontal(one, other).alias("person_id_b"),
    )


def registered(marriage: pl.DataFrame) -> pl.DataFrame:
    """The latest registration of every pair that counts, as spouse edges."""
    events = _pair(marriage.drop_nulls("reg_date"), "male_person_id", "female_person_id").with_columns(
        pl.col("reg_type").is_in(ENDS).alias("_ends")
    )
    return (
        events.sort("person_id_a", "person_id_b", "reg_date", "_ends", "reg_type", "source_class")
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


def in_books(membership: pl.DataFrame) -> pl.DataFrame:
    """Pairs that a book calls spouses: `person_id_a`, `person_id_b`, `source_class`, `data_as_of`.

    By number, by the relation to the head, or by two relations to the head that make a couple (`COUPLES`), where the book
    names no other spouse of either.
    """
    kept = ("source_class", "data_as_of")
    stated = membership.select("person_id", pl.col("spouse_person_id").alias("other"), *kept)
    relation = pl.col("relation_to_head")
    of_head = membership.filter(relation.str.starts_with("1")).select(
        "person_id", pl.col("head_person_id").alias("other"), *kept
    )
    named = pl.concat([stated.drop_nulls("other")["person_id"], stated["other"].drop_nulls()]).unique()
    free = membership.filter(
        ~one_of("person_id", named) & pl.col("register_id").is_not_null() & pl.col("person_id").is_not_null()
    )
    both = [_only(free, one, other) for one, other in COUPLES]
    return (
        _pair(pl.concat([stated, of_head, *both]), "person_id", "other")
        .group_by("person_id_a", "person_id_b")
        .agg(pl.col("source_class").min(), pl.col("data_as_of").max())
    )


def _only(free: pl.DataFrame, one: tuple[str, ...], other: tuple[str, ...]) -> pl.DataFrame:
    """Two people of a book who are the only ones of their relation to the head."""
    sides = []
    for codes in (one, other):
        side = free.filter(pl.col("relation_to_head").is_in(codes)).unique(
            ["register_id", "person_id"], maintain_order=True
        )
        sides.append(side.filter(~pl.col("register_id").is_duplicated()))
    left, right = sides
    return (
        left.select("register_id", "person_id", "source_class", "data_as_of")
        .join(right.select("register_id", pl.col("person_id").alias("other")), on="register_id")
        .select("person_id", "other", "source_class", "data_as_of")
    )


def spouses(
    marriage: pl.DataFrame, membership: pl.DataFrame, dead: pl.DataFrame, sex: pl.DataFrame
) -> pl.DataFrame:
    """All spouse edges, open and ended: `EDGE`, and `parted`: the day of a divorce or a later marriage. `membership` holds the rows in force; `sex` is of `person_id`.

    A pair of whom only a book speaks is likely; one of the same sex is a mistake of some record and needs a check.
    """
    last = registered(marriage)
    book = (
        in_books(membership)
        .join(last, on=["person_id_a", "person_id_b"], how="anti")
        .with_columns(
            pl.lit(None, dtype=pl.Date).alias("since"),
            pl.lit(None, dtype=pl.Date).alias("until"),
            pl.lit("likely").alias("confidence"),
        )
    )
    edges = pl.concat([last, book.select(last.columns)])
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
    edges = edges.with_columns(pl.col("until").alias("parted"))
    died = dead.select("person_id", "died_on")
    for side in ("person_id_a", "person_id_b"):
        edges = (
            edges.join(died, left_on=side, right_on="person_id", how="left")
            .with_columns(pl.min_horizontal("until", "died_on").alias("until"))
            .drop("died_on")
        )
    known = sex.filter(pl.col("sex").is_in(["1", "2"]))
    return (
        edges.join(known, left_on="person_id_a", right_on="person_id", how="left")
        .join(known, left_on="person_id_b", right_on="person_id", how="left", suffix="_b")
        .with_columns(
            pl.when((pl.col("sex") == pl.col("sex_b")).fill_null(False))
            .then(pl.lit("needs_check"))
            .otherwise("confidence")
            .alias("confidence"),
            pl.lit("spouse").alias("kind"),
        )
        .select(*EDGE.names(), "parted")
        .sort("person_id_a", "person_id_b")
    )


def pairs(edges: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Couples of tonight: `a`, `b`. One spouse a person: the surer, then the later marriage.

    Death parts nobody here: the dead are of the family to the end of the month, and then no longer among the people.
    """
    here = pl.col("person_id")
    open_ = (
        edges.filter(pl.col("parted").is_null() & (pl.col("confidence") != "needs_check"))
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
