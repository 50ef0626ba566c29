"""What is really so, written beside everything that is invented: people, households, situations, and whom each row means.

Truth is the ruler that matching and rules are measured with, so nothing here may pass through their code.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sample_data.damage import Role

RECORDS = pl.Schema(
    {
        "class_id": pl.String(),
        "batch_date": pl.Date(),
        "file": pl.String(),
        "row": pl.Int64(),
        "role": pl.String(),
        "position": pl.Int32(),
        "true_person_id": pl.Int64(),
    }
)
"""One row a person named in a delivered row. `row` counts the data rows of the file from 1, as the reader does: titles,
headers, blank rows and totals do not count. `position` counts the people of a packed cell from 1; 0 elsewhere."""


class TruthFiles:
    """The files of `truth/`, each appended to shard by shard."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.open: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self.open.values():
            writer.close()

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """Add rows to truth/<name>.parquet."""
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if name not in self.open:
            path = self.folder / f"{name}.parquet"
            self.open[name] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self.open[name].write_table(pa.table(table).cast(self.open[name].schema))


def records(
    class_id: str, batch: date, pieces: list[tuple[str, int, int]], roles: list[Role]
) -> pl.DataFrame:
    """Whom the rows of one block mean (`RECORDS`); `pieces` say in which file and from which row they stand."""
    files = pl.Series("file", [name for name, _, _ in pieces], dtype=pl.String)
    counts = np.array([count for _, _, count in pieces], dtype=np.int64)
    which = np.repeat(np.arange(len(pieces)), counts)
    row = np.concatenate(
        [np.arange(first, first + count) for _, first, count in pieces] or [np.zeros(0, np.int64)]
    )
    found = []
    for role in roles:
        if role.role.startswith("_"):
            continue
        frame = pl.DataFrame({"file": files.gather(which), "row": row, "true_person_id": role.persons})
        if role.packed:
            frame = frame.with_columns(
                position=pl.int_ranges(1, pl.col("true_person_id").list.len() + 1)
            ).explode("true_person_id", "position")
        else:
            frame = frame.with_columns(position=pl.lit(1 if role.in_list else 0, dtype=pl.Int64))
        found.append(frame.drop_nulls("true_person_id").with_columns(role=pl.lit(role.role)))
    if not found:
        return pl.DataFrame(schema=RECORDS)
    return (
        pl.concat(found)
        .with_columns(class_id=pl.lit(class_id), batch_date=pl.lit(batch))
        .select(pl.col(name).cast(kind) for name, kind in RECORDS.items())
        .sort("file", "row", "role", "position")
    )
