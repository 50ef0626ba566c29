"""How many records of each source found their person tonight, beside the night before, and how alarming a change is.

What else changes from night to night (passes, empty columns, records a person) is in `evaluation`.
"""

from __future__ import annotations

import polars as pl

GRADES = ("A", "B", "C", "D")

BOUND = 0.01
"""Change of a source's match rate from one night to the next beyond which it is noted. Proposal: a night brings 2 % new
identities, so that half of them would have to stay unlinked."""

ALARM = 0.05
"""Change beyond which somebody must look before the lists of the night are believed. Proposal."""

CHANCE = 4.0
"""And the change must be this many standard errors (two proportions), so that small sources do not cry wolf."""

LEVELS = ("none", "notice", "alarm")

BY_SOURCE = pl.Schema(
    {
        "source_class": pl.String(),
        "identities": pl.Int64(),
        **{f"grade_{grade.lower()}": pl.Int64() for grade in GRADES},
        "unlinked": pl.Int64(),
        "match_rate": pl.Float64(),
        "identities_before": pl.Int64(),
        "match_rate_before": pl.Float64(),
        "change": pl.Float64(),
        "level": pl.String(),
        "reason_zh": pl.String(),
    }
)
"""One row a source. `identities` distinct identities, by grade of their link; `match_rate` share with grade A or B, 0 to 1;
`..._before` the same of the night before (null where there is none); `level` see `LEVELS`; `reason_zh` null without a level."""


def worst(found: pl.DataFrame) -> str:
    """The gravest level of a night."""
    return max(found["level"], key=LEVELS.index, default=LEVELS[0])


def counted(links: pl.DataFrame, identities: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Tonight's `BY_SOURCE`, sorted by source; `before` is last night's, null where it is not known.

    `links`: `identity_key`, `grade`; `identities`: `identity_key`, `source_class`. A source that is gone altogether is there
    with no identity, and is an alarm; a new one is compared with nothing. Nobody is named.
    """
    grade = pl.col("grade")
    now = (
        identities.select("identity_key", "source_class")
        .join(links.select("identity_key", "grade"), on="identity_key", how="left")
        .group_by("source_class")
        .agg(
            pl.len().cast(pl.Int64).alias("identities"),
            *((grade == g).sum().cast(pl.Int64).alias(f"grade_{g.lower()}") for g in GRADES),
            grade.is_null().sum().cast(pl.Int64).alias("unlinked"),
        )
    )
    earlier = (BY_SOURCE.to_frame() if before is None else before).filter(pl.col("identities") > 0)
    both = now.join(
        earlier.select(
            "source_class",
            pl.col("identities").alias("identities_before"),
            pl.col("match_rate").alias("match_rate_before"),
        ),
        on="source_class",
        how="full",
        coalesce=True,
    ).with_columns(
        pl.col("identities", "unlinked", *(f"grade_{g.lower()}" for g in GRADES)).fill_null(0),
    )
    n, m = pl.col("identities"), pl.col("identities_before")
    linked, linked_before = pl.col("grade_a") + pl.col("grade_b"), pl.col("match_rate_before") * m
    pooled = (linked + linked_before) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    is_gone = (n == 0) & (m > 0)
    size = pl.col("change").abs()
    beyond_chance = (size > CHANCE * error).fill_null(False)
    percent = [pl.col(c).mul(100).round(1).cast(pl.String) for c in ("match_rate_before", "match_rate")]
    return (
        both.with_columns(pl.when(n > 0).then(linked / n).alias("match_rate"))
        .with_columns((pl.col("match_rate") - pl.col("match_rate_before")).alias("change"))
        .with_columns(
            pl.when(is_gone.fill_null(False) | (beyond_chance & (size > ALARM)))
            .then(pl.lit("alarm"))
            .when(beyond_chance & (size > BOUND))
            .then(pl.lit("notice"))
            .otherwise(pl.lit("none"))
            .alias("level")
        )
        .with_columns(
            pl.when(is_gone.fill_null(False))
            .then(pl.format("上一晚有{}条身份记录，今晚一条也没有，请核查。", m))
            .when(pl.col("level") != "none")
            .then(pl.format("关联到人的比例由{}%变为{}%，请核查来源数据是否有变化。", *percent))
            .alias("reason_zh")
        )
        .select(BY_SOURCE.names())
        .cast(BY_SOURCE)
        .sort("source_class")
    )
