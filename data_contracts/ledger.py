"""The book of one delivered file: every row that came in is in exactly one column on the way out.

Counting belongs here, and the check that it closes; deciding what happens to a row belongs in `reading.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

Status = Literal["accepted", "rejected", "held", "duplicate"]


@dataclass
class Ledger:
    """One row of the ledger; counts are rows. `rows_other` are headers, titles, blanks and totals, which are not data."""

    delivery_id: str
    class_id: str
    department: str
    batch_date: date
    file: str
    sha256: str
    bytes: int
    format: str
    encoding: str
    kind: Literal["full", "delta"]
    rows_received: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    rows_other: int = 0
    status: Status = "accepted"
    declared_rows: int | None = None
    control_ok: bool | None = None
    control_note_zh: str | None = None
    is_incomplete: bool = False
    """A delta that was used although rows of it are missing."""

    @property
    def residual(self) -> int:
        """Rows that were received and went nowhere. Zero, always."""
        gone = self.rows_accepted + self.rows_rejected + self.rows_duplicate + self.rows_quarantined
        return self.rows_received - gone

    def row(self) -> dict[str, Any]:
        """The row as it is stored; ArithmeticError when the book does not close."""
        if self.residual:
            raise ArithmeticError(f"{self.file}: {self.residual} rows are in no column of the ledger")
        return asdict(self)


LEDGER = pl.Schema(
    {
        "delivery_id": pl.String(),
        "class_id": pl.String(),
        "department": pl.String(),
        "batch_date": pl.Date(),
        "file": pl.String(),
        "sha256": pl.String(),
        "bytes": pl.Int64(),
        "format": pl.String(),
        "encoding": pl.String(),
        "kind": pl.String(),
        "rows_received": pl.Int64(),
        "rows_accepted": pl.Int64(),
        "rows_rejected": pl.Int64(),
        "rows_duplicate": pl.Int64(),
        "rows_quarantined": pl.Int64(),
        "rows_other": pl.Int64(),
        "status": pl.String(),
        "declared_rows": pl.Int64(),
        "control_ok": pl.Boolean(),
        "control_note_zh": pl.String(),
        "is_incomplete": pl.Boolean(),
    }
)
"""Columns of the stored ledger."""
