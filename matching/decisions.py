"""What people decided: same, not same, unsure. Rows with who and when, never edited, which outrank the passes.

Where decisions come from (review tool, answers of officers) does not belong here.
"""

from __future__ import annotations

from datetime import date

import polars as pl

SCHEMA = pl.Schema(
    {
        "identity_key": pl.String(),
        "person_id": pl.Int64(),
        "decision": pl.String(),
        "who": pl.String(),
        "decided_on": pl.Date(),
        "note": pl.String(),
    }
)
ANSWERS = ("same", "not_same", "unsure")


class DecisionError(ValueError):
    """A row that cannot be a decision; the message says how many, never about whom."""


def in_force(decisions: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """The last decision about each pair up to a day; `unsure` takes a decision back.

    An identity can be the same as one person only: the last `same` counts. Raises `DecisionError` when a row lacks
    identity, person, who or when, or has an unknown answer.
    """
    if decisions is None or decisions.is_empty():
        return SCHEMA.to_frame()
    rows = decisions.select(SCHEMA.names()).cast(SCHEMA)
    bad = rows.filter(
        pl.any_horizontal(pl.col(c).is_null() for c in ("identity_key", "person_id", "who", "decided_on"))
        | ~pl.col("decision").is_in(ANSWERS).fill_null(False)
    )
    if len(bad):
        raise DecisionError(f"{len(bad)} decisions lack identity, person, answer, who or when")
    order = ["identity_key", "person_id", "decided_on", "who", "decision", "note"]
    last = (
        rows.filter(pl.col("decided_on") <= as_of)
        .sort(order)
        .unique(["identity_key", "person_id"], keep="last", maintain_order=True)
        .filter(pl.col("decision") != "unsure")
    )
    same = (
        last.filter(pl.col("decision") == "same")
        .sort("identity_key", "decided_on", "person_id")
        .unique("identity_key", keep="last", maintain_order=True)
    )
    return pl.concat([same, last.filter(pl.col("decision") == "not_same")]).sort("identity_key", "person_id")


def as_nodes(rows: pl.DataFrame, persons: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Decisions as (`forced`, `forbidden`) pairs of `identity_key` and spine key, and how many name nobody we know.

    A person who was absorbed stands for the one who absorbed them.
    """
    empty = pl.DataFrame(schema={"identity_key": pl.String, "node": pl.String})
    if rows.is_empty():
        return empty, empty, 0
    if persons is None:
        return empty, empty, len(rows)
    current = rows.with_columns(pl.col("person_id").alias("_person"))
    absorbed = persons.filter(pl.col("absorbed_into").is_not_null()).select(
        pl.col("person_id").alias("_person"), "absorbed_into"
    )
    while True:
        current = current.join(absorbed, on="_person", how="left", maintain_order="left")
        moved = current["absorbed_into"].is_not_null().any()
        current = current.with_columns(pl.coalesce("absorbed_into", "_person").alias("_person")).drop(
            "absorbed_into"
        )
        if not moved:
            break
    known = current.join(
        persons.select(pl.col("person_id").alias("_person"), pl.col("spine_key").alias("node")), on="_person"
    )
    pairs = known.select("identity_key", "node", "decision")
    return (
        pairs.filter(pl.col("decision") == "same").select("identity_key", "node"),
        pairs.filter(pl.col("decision") == "not_same").select("identity_key", "node"),
        len(rows) - len(known),
    )
