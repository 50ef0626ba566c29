"""What open warnings suggest beside the register of monitored people: a candidate category, or that a family is suspected.

What belongs here is the reading of tonight's register of warnings. Neither is a decision, and neither stands in the register
of monitored people (measure `monitored_register`), which has what departments confirmed and nothing else.
"""

from __future__ import annotations

import polars as pl

from policy.repeats import OPEN_STATES

CANDIDATE_OF = {"N10": "dibao", "N11": "edge", "N12": "rigid", "N13": "dibao_single", "N14": "tekun"}
"""Warnings that name a category by their estimate."""

CANDIDATE_SCHEMA = pl.Schema(
    {
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "layer": pl.String(),
        "candidate": pl.String(),
        "since": pl.Date(),
        "rule_ids": pl.List(pl.String()),
        "warning_ids": pl.List(pl.String()),
        "reason_zh": pl.String(),
    }
)
"""One row a household, person and category (`layer` candidate), or a household (`layer` suspected, candidate null)."""


def candidates(register: pl.DataFrame) -> pl.DataFrame:
    """The categories that data suggest, and the families with open warnings of need. Total order.

    `register`: tonight's (repeats.REGISTER_SCHEMA). A warning that was answered, has expired or is silent suggests nothing;
    a warning of the check list makes nobody suspected of need.
    """
    standing = register.filter(
        pl.col("state").is_in(OPEN_STATES)
        & (pl.col("list_kind") == "help_in")
        & pl.col("household_id").is_not_null()
    ).sort("rule_id", "warning_id")
    named = {
        "since": pl.col("first_raised_on").min(),
        "rule_ids": pl.col("rule_id").unique(maintain_order=True),
        "warning_ids": pl.col("warning_id"),
        "reason_zh": pl.col("reason_zh").str.join("；"),
    }
    by_category = (
        standing.filter(pl.col("rule_id").is_in(list(CANDIDATE_OF)))
        .with_columns(
            layer=pl.lit("candidate"), candidate=pl.col("rule_id").replace_strict(CANDIDATE_OF, default=None)
        )
        .group_by("household_id", "person_id", "layer", "candidate", maintain_order=True)
        .agg(**named)
    )
    suspected = (
        standing.filter(pl.col("rule_id").str.starts_with("N"))
        .with_columns(
            person_id=pl.lit(None, dtype=pl.Int64),
            layer=pl.lit("suspected"),
            candidate=pl.lit(None, dtype=pl.String),
        )
        .group_by("household_id", "person_id", "layer", "candidate", maintain_order=True)
        .agg(**named)
    )
    found = pl.concat([frame.select(CANDIDATE_SCHEMA.names()) for frame in (by_category, suspected)])
    return found.cast(CANDIDATE_SCHEMA).sort(
        "household_id", "layer", "candidate", "person_id", nulls_last=True
    )
