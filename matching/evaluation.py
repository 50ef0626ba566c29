"""Precision and recall of links against known truth, with wrong links to relatives counted apart.

Truth comes from the sample county or from clerical review. Measures of households, score bands and drift come with
the fuzzy engine. Nothing here changes a link.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def person_truth(
    links: pl.DataFrame, truth: pl.DataFrame, anchors: Sequence[str] = ("ps_resident",)
) -> pl.DataFrame:
    """Which true person each person id stands for: `person_id`, `meant`.

    The one most of its identities belong to, the register first. `truth` has `identity_key`, `true_person_id`.
    """
    known = links.join(truth.drop_nulls("true_person_id"), on="identity_key").with_columns(
        pl.col("source_class").is_in(anchors).alias("_anchor")
    )
    return (
        known.group_by("person_id", "true_person_id")
        .agg(pl.col("_anchor").sum().alias("_anchors"), pl.len().alias("_rows"))
        .sort("person_id", "_anchors", "_rows", "true_person_id", descending=[False, True, True, False])
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("true_person_id").alias("meant"))
    )


def judged(links: pl.DataFrame, truth: pl.DataFrame, relatives: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every identity of `truth` with its link and verdict: right, wrong, wrong_relative, missed, absent.

    `truth`: `identity_key`, `source_class`, `true_person_id` (null: nobody who is known). `relatives`: pairs
    `true_person_id`, `relative_id`. `absent`: rightly left alone, or a person of its own.
    """
    meant = person_truth(links, truth)
    on_spine = (
        truth.join(links.select("identity_key"), on="identity_key", how="semi")["true_person_id"]
        .drop_nulls()
        .unique()
    )
    rows = truth.join(
        links.select("identity_key", "person_id", "grade", "pass_id"), on="identity_key", how="left"
    ).join(meant, on="person_id", how="left")
    if relatives is None:
        relatives = pl.DataFrame(
            schema={
                "true_person_id": truth.schema["true_person_id"],
                "relative_id": truth.schema["true_person_id"],
            }
        )
    kin = (
        relatives.select("true_person_id", pl.col("relative_id").alias("meant"))
        .unique()
        .with_columns(pl.lit(True).alias("_kin"))
    )
    linked, same = pl.col("person_id").is_not_null(), pl.col("meant") == pl.col("true_person_id")
    return (
        rows.join(kin, on=["true_person_id", "meant"], how="left")
        .with_columns(
            pl.when(linked & pl.col("true_person_id").is_null() & pl.col("meant").is_null())
            .then(pl.lit("absent"))
            .when(linked & same.fill_null(False))
            .then(pl.lit("right"))
            .when(linked & pl.col("_kin").fill_null(False))
            .then(pl.lit("wrong_relative"))
            .when(linked)
            .then(pl.lit("wrong"))
            .when(pl.col("true_person_id").is_in(on_spine.implode()).fill_null(False))
            .then(pl.lit("missed"))
            .otherwise(pl.lit("absent"))
            .alias("verdict")
        )
        .select("identity_key", "source_class", "grade", "pass_id", "person_id", "true_person_id", "verdict")
        .sort("identity_key")
    )


def summary(rows: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Counts, precision and recall of `judged` rows by some of its columns.

    Columns: `by`, identities, right, wrong, wrong_relative, missed, absent, precision, recall. Precision counts wrong
    links to relatives as wrong. A measure without cases is null, not 1. By grade or pass there is no recall.
    """
    verdicts = ("right", "wrong", "wrong_relative", "missed", "absent")
    counted = [(pl.col("verdict") == v).sum().cast(pl.Int64).alias(v) for v in verdicts]
    grouped = (
        rows.group_by(*by).agg(pl.len().cast(pl.Int64).alias("identities"), *counted)
        if by
        else rows.select(pl.len().cast(pl.Int64).alias("identities"), *counted)
    )
    wrong = pl.col("wrong") + pl.col("wrong_relative")
    linked = pl.col("right") + wrong
    due = pl.col("right") + pl.col("missed") + wrong
    return (
        grouped.with_columns(
            pl.when(linked > 0).then(pl.col("right") / linked).alias("precision"),
            pl.when((due > 0) & pl.lit(not {"grade", "pass_id"} & set(by)))
            .then(pl.col("right") / due)
            .alias("recall"),
        ).sort(*by)
        if by
        else grouped.with_columns(
            pl.when(linked > 0).then(pl.col("right") / linked).alias("precision"),
            pl.when(due > 0).then(pl.col("right") / due).alias("recall"),
        )
    )


def pairwise(links: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Pairs of identities put together against pairs that belong together: one row with `pairs_true`,
    `pairs_linked`, `pairs_both`, `precision`, `recall`. Counted from group sizes, never by listing pairs.
    """
    rows = truth.drop_nulls("true_person_id").join(
        links.select("identity_key", "person_id"), on="identity_key", how="left"
    )

    def pairs(*by: str) -> int:
        size = rows.drop_nulls(list(by)).group_by(*by).len()["len"].cast(pl.Int64)
        return int((size * (size - 1) // 2).sum())

    true, linked, both = pairs("true_person_id"), pairs("person_id"), pairs("true_person_id", "person_id")
    return pl.DataFrame(
        {
            "pairs_true": [true],
            "pairs_linked": [linked],
            "pairs_both": [both],
            "precision": [both / linked if linked else None],
            "recall": [both / true if true else None],
        },
        schema_overrides={"precision": pl.Float64, "recall": pl.Float64},
    )
