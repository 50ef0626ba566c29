"""The register of warnings: what is new, repeated, changed, expired, answered or suppressed tonight.

What belongs here is the comparison of tonight's warnings with last night's register and the officers' answers. Which
warnings are raised is decided by the rules alone; a suppressed warning is still raised, it is only not dispatched again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

OPEN_STATES = ("new", "repeated", "changed")
"""States of a warning that stands on a list."""

NOTHING_TO_DO = ("5", "6")
"""Families of result codes that silence a repeat: nothing to do (5), data fault (6)."""

LEVEL_RANK = {"red": 4, "orange": 3, "yellow": 2, "blue": 1}

WARNING_SCHEMA = pl.Schema(
    {
        "warning_id": pl.String(),
        "rule_id": pl.String(),
        "rule_version": pl.Int32(),
        "list_kind": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "case_id": pl.String(),
        "county_code": pl.String(),
        "township_code": pl.String(),
        "village_code": pl.String(),
        "cause_key": pl.String(),
        "level": pl.String(),
        "points": pl.Decimal(9, 2),
        "reason_zh": pl.String(),
        "evidence_json": pl.String(),
        "sources_json": pl.String(),
        "raised_on": pl.Date(),
        "expires_on": pl.Date(),
        "visit_due_on": pl.Date(),
        "close_due_on": pl.Date(),
    }
)

REGISTER_SCHEMA = pl.Schema(
    {
        **WARNING_SCHEMA,
        "state": pl.String(),
        "first_raised_on": pl.Date(),
        "last_raised_on": pl.Date(),
        "result_code": pl.String(),
        "result_on": pl.Date(),
    }
)


@dataclass(frozen=True)
class Windows:
    """Days for which an answer holds, from `policy/parameters/warning_window.yaml`."""

    quiet_days: int
    """A repeat of the same rule, subject and cause is silent for so long after an answer."""


def empty_register() -> pl.DataFrame:
    """A register before the first night."""
    return pl.DataFrame(schema=REGISTER_SCHEMA)


def answers(outcomes: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Latest answer a warning: warning_id, result_code, result_on. Answers from after the day are not seen."""
    return (
        outcomes.with_columns(result_on=pl.coalesce("visited_on", "data_as_of"))
        .filter(
            pl.col("warning_id").is_not_null()
            & pl.col("result_code").is_not_null()
            & (pl.col("result_on") <= as_of)
        )
        .sort("warning_id", "result_on", "result_code", "row_key", nulls_last=True)
        .group_by("warning_id", maintain_order=True)
        .agg(pl.col("result_code").last(), pl.col("result_on").last())
    )


def _rank(column: str) -> pl.Expr:
    return pl.col(column).replace_strict(LEVEL_RANK, default=0, return_dtype=pl.Int64())


def open_since(previous: pl.DataFrame) -> pl.DataFrame:
    """Warnings that were open last night: warning_id, first_raised_on, and what they said then."""
    return previous.filter(pl.col("state").is_in([*OPEN_STATES, "answered", "suppressed"])).select(
        "warning_id",
        "first_raised_on",
        was_level="level",
        was_evidence="evidence_json",
        was_visit_due_on="visit_due_on",
        was_close_due_on="close_due_on",
    )


def register(
    warnings: pl.DataFrame,
    previous: pl.DataFrame,
    outcomes: pl.DataFrame,
    *,
    as_of: date,
    windows: Windows,
    never_suppressed: set[str],
    unheard: pl.DataFrame,
) -> pl.DataFrame:
    """Tonight's register: one row a warning, in the order of its id. Columns: `REGISTER_SCHEMA`.

    `warnings`: tonight's, columns `WARNING_SCHEMA`. `previous`: last night's register. `outcomes`: fact `outcome_return`.
    `never_suppressed`: rules whose warnings an answer "nothing to do" does not silence.
    `unheard`: rule_id, county_code of rules that could not speak tonight (off, or not run): silence then means nothing,
    and an open warning stays open until it expires.

    - new: not open last night. repeated: as last night. changed: level or evidence is another one.
    - answered: a result of family 1 to 4 holds for `quiet_days`; or the answer came and the warning is gone.
    - suppressed: raised again within `quiet_days` of a result of family 5 or 6. A higher level breaks the silence.
    - expired: no longer raised, or not confirmed until `expires_on`.
    """
    answered = answers(outcomes, as_of)
    quiet_from = as_of - timedelta(days=windows.quiet_days)
    before = open_since(previous)
    family = pl.col("result_code").str.head(1)
    rises = _rank("level") > _rank("was_level")
    moved = (pl.col("level") != pl.col("was_level")) | pl.col("evidence_json").ne_missing(
        pl.col("was_evidence")
    )
    silent_family = family.is_in(NOTHING_TO_DO)
    stubborn = pl.col("rule_id").is_in(sorted(never_suppressed))
    holds = pl.col("result_on").is_not_null() & (pl.col("result_on") >= quiet_from) & ~rises.fill_null(False)
    known = pl.col("was_level").is_not_null()
    tonight = (
        warnings.join(before, on="warning_id", how="left")
        .join(answered, on="warning_id", how="left")
        .with_columns(
            state=pl.when(holds & silent_family & ~stubborn)
            .then(pl.lit("suppressed"))
            .when(holds & ~silent_family & ~(stubborn & moved.fill_null(False)))
            .then(pl.lit("answered"))
            .when(~known)
            .then(pl.lit("new"))
            .when(moved)
            .then(pl.lit("changed"))
            .otherwise(pl.lit("repeated")),
            first_raised_on=pl.coalesce("first_raised_on", pl.lit(as_of)),
            last_raised_on=pl.lit(as_of),
        )
        .select(REGISTER_SCHEMA.names())
    )
    silence = unheard.select("rule_id", "county_code").unique()
    everywhere = silence.filter(pl.col("county_code").is_null()).get_column("rule_id").to_list()
    somewhere = silence.filter(pl.col("county_code").is_not_null()).with_columns(cannot_speak=pl.lit(True))
    still_open = pl.col("state").is_in(OPEN_STATES)
    mute = pl.col("rule_id").is_in(everywhere) | pl.col("cannot_speak").fill_null(False)
    gone = (
        previous.drop("result_code", "result_on")
        .join(warnings.select("warning_id"), on="warning_id", how="anti")
        .join(
            previous.select("warning_id", was_code="result_code", was_on="result_on"),
            on="warning_id",
            how="left",
        )
        .join(answered, on="warning_id", how="left")
        .join(somewhere, on=["rule_id", "county_code"], how="left")
        .with_columns(
            result_code=pl.coalesce("result_code", "was_code"), result_on=pl.coalesce("result_on", "was_on")
        )
        .with_columns(
            state=pl.when(
                still_open
                & pl.col("result_code").is_not_null()
                & (pl.col("result_on") >= pl.col("first_raised_on"))
            )
            .then(pl.lit("answered"))
            .when(still_open & mute & (pl.col("expires_on") >= as_of))
            .then(pl.lit("repeated"))
            .when(still_open | (pl.col("state") == "suppressed"))
            .then(pl.lit("expired"))
            .otherwise(pl.col("state"))
        )
        .select(REGISTER_SCHEMA.names())
    )
    return pl.concat([tonight, gone]).cast(REGISTER_SCHEMA).sort("warning_id")
