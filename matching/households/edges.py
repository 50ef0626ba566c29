"""All evidence as edges, open and ended, and who owes support across households."""

from __future__ import annotations

from datetime import date

import polars as pl

from matching.households.frames import EDGE

ORDER = ("person_id_a", "person_id_b", "kind", "source_class", "since", "until")


def _edge(
    frame: pl.DataFrame, kind: str, confidence: str, a: str, b: str, since: str | None, until: str | None
) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.Date)
    return frame.select(
        pl.col(a).alias("person_id_a"),
        pl.col(b).alias("person_id_b"),
        pl.lit(kind).alias("kind"),
        "source_class",
        (pl.col(since) if since else none).alias("since"),
        (pl.col(until) if until else none).alias("until"),
        pl.lit(confidence).alias("confidence"),
        "data_as_of",
    )


def guardians(school: pl.DataFrame) -> pl.DataFrame:
    """Guardian (a) of a pupil (b): mostly a parent, often a grandparent, so it needs a check."""
    return _edge(school, "guardian", "needs_check", "guardian_person_id", "person_id", None, None)


def same_register(families: pl.DataFrame) -> pl.DataFrame:
    """The head of a family book (a) and who stands in it (b)."""
    return _edge(
        families, "same_register", "likely", "head_person_id", "person_id", "join_date", "leave_date"
    )


def together(shared: pl.DataFrame) -> pl.DataFrame:
    """People of one case or one spell of housing aid: the lowest number of each (a) with the others (b)."""
    return shared.with_columns(pl.col("person_id").min().over("kind", "key").alias("first")).select(
        pl.col("first").alias("person_id_a"),
        pl.col("person_id").alias("person_id_b"),
        (pl.lit("same_") + pl.col("kind")).alias("kind"),
        "source_class",
        "since",
        pl.lit(None, dtype=pl.Date).alias("until"),
        pl.lit("likely").alias("confidence"),
        "data_as_of",
    )


def ordered(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The edges of several frames, each once, in a total order: see `EDGE`."""
    return (
        pl.concat([frame.select(EDGE.names()).cast(EDGE) for frame in frames])
        .drop_nulls(["person_id_a", "person_id_b"])
        .filter(pl.col("person_id_a") != pl.col("person_id_b"))
        .sort(*ORDER, "confidence", "data_as_of", nulls_last=True)
        .unique(list(ORDER), keep="last", maintain_order=True)
    )


def supporters(
    spouses: pl.DataFrame,
    parents: pl.DataFrame,
    homes: pl.DataFrame,
    adults: pl.Series,
    dependants: pl.Series,
    dead: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """Who owes support (a) to somebody of tonight's households (b) and is not of that household.

    Grown children of their parents; parents of minors and of grown children who cannot live on their own; spouses.
    The dead owe nothing; whoever is in prison, or has no household here, is named all the same. `homes`: person_id, home.
    """
    used = parents.filter("used")
    of_child = used.filter(pl.col("person_id_b").is_in(adults.implode())).rename(
        {"person_id_a": "person_id_b", "person_id_b": "person_id_a"}
    )
    of_parent = used.filter(pl.col("person_id_b").is_in(dependants.implode()))
    open_ = spouses.filter(
        (pl.col("until").is_null() | (pl.col("until") > as_of)) & (pl.col("confidence") != "needs_check")
    )
    turned = open_.rename({"person_id_a": "person_id_b", "person_id_b": "person_id_a"})
    claims = pl.concat([frame.select(EDGE.names()) for frame in (of_child, of_parent, open_, turned)])
    buried = dead["person_id"].implode()
    theirs = homes.select(pl.col("person_id").alias("person_id_a"), pl.col("home").alias("_home_a"))
    return (
        claims.filter(~pl.col("person_id_a").is_in(buried) & ~pl.col("person_id_b").is_in(buried))
        .join(homes.select(pl.col("person_id").alias("person_id_b"), "home"), on="person_id_b")
        .join(theirs, on="person_id_a", how="left")
        .filter((pl.col("_home_a") != pl.col("home")).fill_null(True))
        # One edge a pair: the surest, then the first source.
        .sort("person_id_a", "person_id_b", "confidence", "source_class", "since", nulls_last=True)
        .unique(["person_id_a", "person_id_b"], keep="first", maintain_order=True)
        .with_columns(pl.lit("supporter").alias("kind"), pl.lit(None, dtype=pl.Date).alias("until"))
        .select(EDGE.names())
    )
