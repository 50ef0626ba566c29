"""One side of a match: what the engine sees of a table, as plain frames. How a table becomes this is `tables`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import polars as pl

ROWS = pl.Schema(
    {
        "row": pl.UInt32(),
        "id_key": pl.String(),
        "id_kind": pl.String(),
        "id_text": pl.String(),
        "birth": pl.Date(),
        "birth_low": pl.Date(),
        "birth_high": pl.Date(),
        "birth_basis": pl.String(),
        "sex": pl.String(),
        "place": pl.String(),
        "address_key": pl.String(),
        "village_name": pl.String(),
    }
)
NAMES = pl.Schema({"row": pl.UInt32(), "name": pl.String(), "kind": pl.String()})
PHONES = pl.Schema({"row": pl.UInt32(), "phone": pl.String()})
HOUSEHOLDS = pl.Schema({"row": pl.UInt32(), "household": pl.String()})
OTHERS = pl.Schema({"row": pl.UInt32(), "kind": pl.String(), "value": pl.String()})

NAME_KINDS = ("own", "former", "alias", "latin", "parts")
ID_KINDS = ("valid18", "valid15", "masked", "foreign", "invalid")

_SCHEMAS = {"rows": ROWS, "names": NAMES, "phones": PHONES, "households": HOUSEHOLDS, "others": OTHERS}


@dataclass(frozen=True, eq=False)
class Records:
    """Comparing forms of the records of one table.

    `row` is the position in the delivered table, 0 to n-1; `rows` has one row for each, in order, the other frames
    any number. All of it is for comparing and none of it for showing: what was delivered stays in the table.
    """

    ids: pl.Series
    """The ids of the records as delivered, of any type, in the order of `row`."""
    rows: pl.DataFrame
    """row, id_key, id_kind, id_text, birth, birth_low, birth_high (days, both included), birth_basis,
    sex (GB/T 2261.1: 1 male, 2 female), place (division code of 2, 4, 6, 9 or 12 digits), address_key,
    village_name (stem of a name that several villages or none that is known bear, where that is all that is known of
    the village)."""
    names: pl.DataFrame
    """row, name, kind (own, former, alias, latin, parts); `?` in a name is one character lost or hidden."""
    phones: pl.DataFrame
    """row, phone: digits, `*` where the source hid one."""
    households: pl.DataFrame
    """row, household: a number that means something within its source only."""
    others: pl.DataFrame
    """row, kind, value: further identifiers and texts; `kind` is the name of the column in the spec."""

    def __post_init__(self) -> None:
        for name, schema in _SCHEMAS.items():
            found = getattr(self, name).schema
            if found != schema:
                raise ValueError(f"{name}: columns are {dict(found)}, should be {dict(schema)}")
        if len(self.ids) != self.rows.height:
            raise ValueError(f"{len(self.ids)} ids for {self.rows.height} rows")

    @property
    def height(self) -> int:
        """Number of records."""
        return self.rows.height

    @classmethod
    def empty(cls, ids: pl.Series) -> Records:
        """Records about which nothing is known."""
        count = len(ids)
        blank = pl.DataFrame(
            {name: pl.repeat(None, count, dtype=kind, eager=True) for name, kind in ROWS.items()}
        )
        rows = blank.with_columns(pl.int_range(count, dtype=pl.UInt32, eager=True).alias("row"))
        return cls(ids, rows, *(pl.DataFrame(schema=_SCHEMAS[field.name]) for field in fields(cls)[2:]))
