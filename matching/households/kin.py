"""Who is whose parent: birth certificates, the parents that a book names, and relations to the head.

Where sources name two mothers or two fathers, the better source is followed and the other edge needs a check.
"""

from __future__ import annotations

import polars as pl

from matching.households.frames import EDGE

MOTHER, FATHER = 0, 1

YOUNGEST_PARENT = 12
"""Years by which a parent is older than the child at least; less is a mistake of some record. Working value."""

OWN_CHILD = "^[23]"
"""Relations to the head of sons and daughters, with those of a former or second marriage and adopted ones."""

IN_LAW_CHILD = ("28", "38")

OWN_PARENT = ("50", "51", "52", "57", "58", "59")

SPOUSES_PARENT = ("53", "54", "55", "56")

CERTIFICATE, STATED, RELATION, INFERRED = 0, 1, 2, 3
"""How good the word of a source is, best first."""

INFERENCES = (
    (("10", "11", "12"), OWN_CHILD),
    (("51",), "^7[013579]"),
    (("52",), "^7[013579]"),
    (("20", "21", "22", "23", "24", "25", "26"), "^4[012]"),
    (("30", "31", "32", "33", "34", "35", "36"), "^4[34]"),
    (("71", "73"), "^9[34]"),
    (("75", "77"), "^9[56]"),
)
"""Relations to the head of a parent and of children, if the parent is the only one of such a relation in the book: the head's
spouse and the head's children, the head's father and the head's brothers and sisters, the only son and the son's children ..."""


def _claims(membership: pl.DataFrame, birth: pl.DataFrame) -> pl.DataFrame:
    """Everything that some source says: parent, child, role, rank, source."""
    kept = ("source_class", "data_as_of")
    found = []
    for role in ("mother", "father"):
        for table, rank, since in (
            (birth, CERTIFICATE, pl.col("birth_date")),
            (membership, STATED, pl.lit(None, dtype=pl.Date)),
        ):
            found.append(
                table.select(
                    pl.col(f"{role}_person_id").alias("parent"),
                    pl.col("person_id").alias("child"),
                    pl.lit(MOTHER if role == "mother" else FATHER, dtype=pl.Int8).alias("role"),
                    pl.lit(rank, dtype=pl.Int8).alias("rank"),
                    since.alias("since"),
                    *kept,
                )
            )
    relation = pl.col("relation_to_head")
    child = relation.str.contains(OWN_CHILD) & ~relation.is_in(IN_LAW_CHILD)
    book = membership.filter(pl.col("register_id").is_not_null())
    with_spouse = _with_only(book, ("10", "11", "12"))
    inferred = [
        (
            _with_only(book, parent_codes).filter(
                relation.str.contains(codes) & ~relation.is_in(IN_LAW_CHILD)
            ),
            "other",
            "person_id",
            INFERRED,
        )
        for parent_codes, codes in INFERENCES
    ]
    for rows, parent, kid, rank in (
        (membership.filter(child), "head_person_id", "person_id", RELATION),
        (membership.filter(relation.is_in(OWN_PARENT)), "person_id", "head_person_id", RELATION),
        *inferred,
        (with_spouse.filter(relation.is_in(SPOUSES_PARENT)), "person_id", "other", RELATION),
    ):
        found.append(
            rows.select(
                pl.col(parent).alias("parent"),
                pl.col(kid).alias("child"),
                pl.lit(None, dtype=pl.Int8).alias("role"),
                pl.lit(rank, dtype=pl.Int8).alias("rank"),
                pl.lit(None, dtype=pl.Date).alias("since"),
                *kept,
            )
        )
    return pl.concat(found).drop_nulls(["parent", "child"]).filter(pl.col("parent") != pl.col("child"))


def _with_only(book: pl.DataFrame, codes: tuple[str, ...]) -> pl.DataFrame:
    """Rows of the books with `other`: the only person of the book with one of these relations to the head."""
    only = (
        book.filter(pl.col("relation_to_head").is_in(codes))
        .drop_nulls("person_id")
        .unique(["register_id", "person_id"], maintain_order=True)
        .filter(~pl.col("register_id").is_duplicated())
        .select("register_id", pl.col("person_id").alias("other"))
    )
    return book.join(only, on="register_id")


def parents(membership: pl.DataFrame, birth: pl.DataFrame, person: pl.DataFrame) -> pl.DataFrame:
    """Parent claims with what was made of them: EDGE columns of parent (a) and child (b), and `role`, `rank`, `used`.

    `used` claims make families; of the claims to one role the best is used. Where two different persons have
    equally good claims, the later delivered and then the lower number is used, and needs a check like the other.
    """
    claims = _claims(membership, birth)
    born = person.select("person_id", "birth_date")
    sex = person.select("person_id", "sex")
    sources = pl.Enum(claims["source_class"].drop_nulls().unique().sort())
    claims = (
        claims.with_columns(pl.col("source_class").cast(sources))
        .group_by("parent", "child", "source_class")
        .agg(pl.col("role").min(), pl.col("rank").min(), pl.col("since").min(), pl.col("data_as_of").max())
        .join(sex, left_on="parent", right_on="person_id", how="left")
        .with_columns(
            pl.coalesce(
                "role", pl.when(pl.col("sex") == "2").then(MOTHER).when(pl.col("sex") == "1").then(FATHER)
            )
            .cast(pl.Int8)
            .alias("role")
        )
        .join(born, left_on="parent", right_on="person_id", how="left")
        .join(born, left_on="child", right_on="person_id", how="left", suffix="_child")
        .with_columns(
            (pl.col("birth_date").dt.offset_by(f"{YOUNGEST_PARENT}y") > pl.col("birth_date_child"))
            .fill_null(False)
            .alias("too_young")
        )
    )
    named = (
        claims.filter(~pl.col("too_young") & pl.col("role").is_not_null())
        .group_by("child", "role", "parent")
        .agg(pl.col("rank").min(), pl.col("data_as_of").max())
    )
    # Most children have one mother and one father; only the others have to be ranked.
    contested = named.filter(pl.struct("child", "role").is_duplicated())
    best = (
        contested.sort(
            "child", "role", "rank", "data_as_of", "parent", descending=[False, False, False, True, False]
        )
        .with_columns(
            pl.col("parent").first().over("child", "role").alias("winner"),
            (
                (pl.col("rank") == pl.col("rank").min().over("child", "role")).sum().over("child", "role") > 1
            ).alias("tied"),
        )
        .select("child", "role", "parent", "winner", "tied")
    )
    confidence = (
        pl.when(pl.col("too_young") | (pl.col("winner") != pl.col("parent")) | pl.col("tied"))
        .then(pl.lit("needs_check"))
        .when(pl.col("rank") <= STATED)
        .then(pl.lit("certain"))
        .otherwise(pl.lit("likely"))
    )
    return (
        claims.join(best, on=["child", "role", "parent"], how="left")
        .with_columns(
            pl.col("winner").fill_null(pl.col("parent")),
            pl.col("tied").fill_null(False),
        )
        .with_columns(
            confidence.alias("confidence"),
            (~pl.col("too_young") & (pl.col("winner") == pl.col("parent"))).alias("used"),
            pl.lit("parent_child").alias("kind"),
            pl.lit(None, dtype=pl.Date).alias("until"),
            pl.col("source_class").cast(pl.String),
            pl.col("role").replace_strict({MOTHER: "mother", FATHER: "father"}, return_dtype=pl.String),
        )
        .rename({"parent": "person_id_a", "child": "person_id_b"})
        .select(*EDGE.names(), "role", "rank", "used", "too_young", "winner")
        .sort("person_id_a", "person_id_b", "source_class")
    )
