"""From the rows of a query to warnings without place and deadlines; what is not whole is refused.

Place, points and deadlines are added in `deadlines.py`.
"""

from __future__ import annotations

import polars as pl

from policy.signals import subject_key
from policy.sources import Sources
from policy.sql_file import LEFT_OUT, PLACEHOLDER, Rule
from policy.wording import closings, evidence, reasons

RAW_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "rule_version": pl.Int32(),
        "list_kind": pl.String(),
        "subject_key": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "case_id": pl.String(),
        "cause_key": pl.String(),
        "level": pl.String(),
        "ratio": pl.Decimal(9, 2),
        "reason_zh": pl.String(),
        "evidence_json": pl.String(),
        "sources_json": pl.String(),
    }
)


NEEDED = ("household_id", "subject_key", "cause_key", "reason_zh")


LEFT_OUT_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "cause_key": pl.String(),
        "why_zh": pl.String(),
    }
)
"""What a rule saw and did not raise, and why, in its own words."""


def left_out(rule: Rule, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that are raised, and those that the query leaves out with a reason (`not_raised_zh`)."""
    if LEFT_OUT not in rows.columns:
        return rows, pl.DataFrame(schema=LEFT_OUT_SCHEMA)
    person = pl.col("person_id") if "person_id" in rows.columns else pl.lit(None)
    out = rows.filter(pl.col(LEFT_OUT).is_not_null() & pl.col("household_id").is_not_null()).select(
        rule_id=pl.lit(rule.id),
        household_id="household_id",
        person_id=person,
        cause_key="cause_key",
        why_zh=LEFT_OUT,
    )
    kept = rows.filter(pl.col(LEFT_OUT).is_null())
    return kept, out.cast(LEFT_OUT_SCHEMA).unique().sort(pl.all(), nulls_last=True)


def raised(rule: Rule, rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Rows of a rule as warnings without place and deadlines.

    Raises PolicyError for a level that the rule does not have, and for a row that is there twice: that would be two visits
    for one cause.
    """
    header = rule.header
    present = set(rows.columns)
    frame = rows.with_columns(
        reason_zh=reasons(rule, rows) + closings(rule, rows, sources.dates),
        evidence_json=evidence(rule, rows),
    ).select(
        rule_id=pl.lit(rule.id),
        rule_version=pl.lit(header.version),
        list_kind=pl.lit(rule.list_kind),
        subject_key=subject_key(rule),
        household_id=pl.col("household_id"),
        person_id=pl.col("person_id") if "person_id" in present else pl.lit(None),
        case_id=pl.col("case_id") if "case_id" in present else pl.lit(None),
        cause_key=pl.col("cause_key"),
        level=pl.col("level") if header.levels else pl.lit(header.level),
        ratio=pl.col("ratio") if "ratio" in present else pl.lit(None),
        reason_zh=pl.col("reason_zh"),
        evidence_json=pl.col("evidence_json"),
        sources_json=pl.lit(sources.as_json),
    )
    frame = frame.cast(RAW_SCHEMA) if frame.height else pl.DataFrame(schema=RAW_SCHEMA)
    allowed = header.levels or [header.level]
    if stray := sorted(set(frame.get_column("level").fill_null("null").to_list()) - set(allowed)):
        raise rule.file.refuse(f"returned the levels {stray}, not {allowed}", rule.file.query_line)
    whole = frame.drop_nulls(NEEDED)
    twice = whole.height - whole.select("subject_key", "cause_key").n_unique()
    if twice:
        raise rule.file.refuse(f"returned {twice} rows twice for one subject and cause", rule.file.query_line)
    return frame


def whole_rows(rule: Rule, frame: pl.DataFrame, *, strict: bool) -> tuple[pl.DataFrame, int]:
    """Rows with household, subject, cause and reason, and how many had to be refused; `strict` makes it an error."""
    if strict:
        for column in NEEDED:
            if missing := frame.get_column(column).null_count():
                raise rule.file.refuse(f"returned {missing} rows without `{column}`", rule.file.query_line)
    whole = frame.drop_nulls(NEEDED)
    return whole, frame.height - whole.height


def unsaid(rule: Rule, rows: pl.DataFrame) -> list[str]:
    """Columns without which rows of a query could not be warnings: household, subject, cause, and what the sentence shows."""
    subject = {"household": "household_id", "person": "person_id", "case": "case_id"}[rule.header.subject]
    found = [name for name in ("household_id", subject, "cause_key") if rows[name].null_count()]
    for cause, template in rule.header.sentences().items():
        own = rows if cause is None else rows.filter(pl.col("cause") == cause)
        found += [name for name in PLACEHOLDER.findall(template) if own[name].null_count()]
    if None not in rule.header.sentences():
        known = [cause for cause in rule.header.sentences() if cause is not None]
        found += ["cause"] if rows.filter(~pl.col("cause").is_in(known).fill_null(False)).height else []
    return list(dict.fromkeys(found))
