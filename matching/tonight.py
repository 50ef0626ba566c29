"""Tonight's identities beside last night's: which are new, gone or dated anew, without reading more than three columns of all.

What such a change reaches belongs in `scope`, what it leads to in `spine`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from data_contracts import resident_id
from matching import normalise

KEYS = (
    "identity_key",
    "source_class",
    "role",
    "resident_id",
    "id_kind",
    "id_key",
    "id_sex",
    "former_id_key",
    *normalise.NAME_COLUMNS,
    "former_name_key",
    "birth_stated",
    "birth",
    "birth_basis",
    "sex_known",
    "phone_key",
    "phone_class",
    "township",
    "village_code",
    "household_key",
    "first_batch",
    "last_batch",
)
"""Columns that are kept from night to night so that an identity is normalised once; lists as `packed` has them."""

DECIDED = pl.Schema(
    {
        "node": pl.String(),
        "pass_id": pl.String(),
        "grade": pl.String(),
        "conflict": pl.String(),
        "conflict_node": pl.String(),
    }
)
"""What the passes made of an identity: kept beside its comparing forms."""

FORMS_ONLY = [
    c
    for c in KEYS
    if c
    not in (
        "identity_key",
        "source_class",
        "role",
        "resident_id",
        "village_code",
        "first_batch",
        "last_batch",
    )
]

_LISTS = ("name_aliases", "name_sounds")
_BETWEEN = "\x1f"

AT = "_at"
"""Place of an identity in the frame of tonight's identities."""

LIVE = "is_live"
"""False for a row that was replaced or is no more: copying all others to leave it out would cost more than what changed."""

_GONE = "_gone"

MOST_DEAD = 0.1
"""Share of dead rows from which on the living are copied. Engineering constant: ten nights of a hundredth each."""


def living(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows without the dead ones, and without the column that tells them."""
    return (rows if rows[LIVE].all() else rows.filter(LIVE)).drop(LIVE)


def compacted(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, without the dead ones where these became many."""
    dead = rows.height - int(rows[LIVE].sum())
    return rows.filter(LIVE) if dead > MOST_DEAD * rows.height else rows


def beside(rows: pl.DataFrame, name: str, values: np.ndarray[Any, Any] | pl.Series) -> pl.Series:
    """A column in pieces as long as those of `rows`: of unlike pieces, all columns would be copied into one."""
    if rows.n_chunks() == 1:
        return pl.Series(name, values)
    ends = np.cumsum(rows.to_series(0).chunk_lengths())
    pieces = (values[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True))
    return pl.concat([pl.Series(name, piece) for piece in pieces], rechunk=False)


def packed(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with each list as one text: lists of a million rows take as long to copy as all other columns together."""
    lists = [c for c in _LISTS if rows.schema.get(c) == pl.List(pl.String)]
    return rows.with_columns(pl.col(c).list.join(_BETWEEN) for c in lists)


def _unpacked(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        pl.when(pl.col(c) == "")
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(pl.col(c).str.split(_BETWEEN))
        .alias(c)
        for c in _LISTS
        if c in rows.columns
    )


def among(column: str, values: pl.Series) -> pl.Expr:
    """Whether a value is one of these; null is not."""
    return pl.col(column).is_in(pl.Series([values])).fill_null(False)


@dataclass(frozen=True)
class Tonight:
    """The identities of a night with what last night knew of them.

    `rows`: `KEYS`, `DECIDED` as of last night (null for new ones), `LIVE` and `AT`; those that were known come first, in
    last night's order, `known` of them, the dead among them. `gone`: rows of last night that are no more. `earlier`: rows
    of last night of identities that have other dates or forms tonight.
    """

    identities: pl.DataFrame
    rows: pl.DataFrame
    known: int
    gone: pl.DataFrame
    earlier: pl.DataFrame

    @property
    def searched(self) -> pl.LazyFrame:
        """The rows of tonight without the dead ones."""
        return self.rows.lazy().filter(LIVE)

    @property
    def added(self) -> pl.Series:
        """Identities that were not there last night."""
        fresh = self.rows[self.known :]
        return fresh.filter(~among("identity_key", self.earlier["identity_key"]))["identity_key"]

    def forms(self, rows: pl.DataFrame, columns: Collection[str] | None = None) -> pl.DataFrame:
        """Some of the identities as `normalise.normalise` gives them, with all or some of its columns."""
        mine = [c for c in FORMS_ONLY if columns is None or c in columns]
        theirs = [c for c in self.identities.columns if columns is None or c in columns]
        delivered = self.identities.select(theirs)[rows[AT].to_numpy()]
        return pl.concat([delivered, _unpacked(rows.select(mine))], how="horizontal")


def first(identities: pl.DataFrame, as_of: date) -> tuple[Tonight, pl.DataFrame]:
    """A night of which nothing is known from before, and the comparing forms of all its identities."""
    forms = normalise.normalise(identities.sort("identity_key"), as_of)
    rows = packed(forms.select(KEYS)).with_columns(
        *(pl.lit(None, dtype=dtype).alias(name) for name, dtype in DECIDED.items()),
        pl.lit(True).alias(LIVE),
        pl.int_range(pl.len()).alias(AT),
    )
    identities = forms.select(identities.columns)
    return Tonight(identities, rows, 0, rows.clear(), rows.clear()), forms


def after(identities: pl.DataFrame, keys: pl.DataFrame, as_of: date) -> Tonight:
    """A night after the one that left `keys` (`KEYS`, `DECIDED`, `LIVE`)."""
    dates = ["first_batch", "last_batch"]
    met = _met(identities, keys, dates)
    found = met.filter(pl.col("_old").is_not_null())
    at = np.full(keys.height, -1, dtype=np.int64)
    at[found["_old"].to_numpy()] = found[AT].to_numpy()
    redated = found.filter(pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_old")) for c in dates))
    now = keys.with_columns(beside(keys, AT, at))
    changed = redated["_old"]
    if len(redated):
        now = now.with_columns(
            beside(keys, c, keys[c].rechunk().clone().scatter(changed, redated[c])) for c in dates
        )
    stale = _stale(now, identities, as_of)
    is_live = at >= 0
    is_live[stale.to_numpy()] = False
    fresh_at = pl.concat([met.filter(pl.col("_old").is_null())[AT].cast(pl.Int64), now[AT].gather(stale)])
    fresh = packed(normalise.normalise(identities[fresh_at.to_numpy()], as_of).select(KEYS)).with_columns(
        pl.Series(AT, fresh_at), pl.lit(True).alias(LIVE)
    )
    decided = now[stale.to_numpy()].select("identity_key", *DECIDED.names())
    rows = now.with_columns(beside(keys, LIVE, is_live))
    fresh = fresh.join(decided, on="identity_key", how="left").select(rows.columns).sort("identity_key")
    earlier = pl.concat([changed.cast(pl.UInt32), stale]).unique().sort()
    return Tonight(
        identities,
        pl.concat([rows, fresh], rechunk=False),
        rows.height,
        keys.with_columns(beside(keys, _GONE, at < 0)).filter(LIVE, _GONE).drop(LIVE, _GONE),
        keys[earlier.to_numpy()].drop(LIVE),
    )


def _met(identities: pl.DataFrame, keys: pl.DataFrame, dates: list[str]) -> pl.DataFrame:
    """Every identity of tonight with its place last night: `AT`, `_old` (null for new ones) and the dates of both."""

    def joined(by: pl.Expr) -> pl.DataFrame:
        before = keys.lazy().with_row_index("_old").filter(LIVE)
        return (
            identities.lazy()
            .select(by.alias("_by"), *dates)
            .with_row_index(AT)
            .join(
                before.select("_old", by.alias("_by"), *(pl.col(c).alias(f"{c}_old") for c in dates)),
                on="_by",
                how="left",
            )
            .drop("_by")
            .collect()
        )

    key = pl.col("identity_key")
    found = joined(key.hash(1))
    both = found.filter(pl.col("_old").is_not_null())
    here, there = (f.lazy().select(key.hash(2)).collect().to_series() for f in (identities, keys))
    same = here.gather(both[AT]) == there.gather(both["_old"])
    # Two keys of one hash: once in a hundred million nights.
    return found if found.height == identities.height and same.all() else joined(key)


def _stale(now: pl.DataFrame, identities: pl.DataFrame, as_of: date) -> pl.Series:
    """Places of those whose forms depend on the day: the holder of a number is born by now, or not yet."""
    unborn = (pl.col("birth") > as_of) & (pl.col("birth_basis") == "resident_id")
    former = identities.select(pl.arg_where(pl.col("former_resident_id").is_not_null())).to_series()
    doubtful = (
        now.lazy()
        .select(AT, "id_kind", "former_id_key", "birth_basis", "birth")
        .with_row_index("_old")
        .filter(
            (pl.col(AT) >= 0)
            & (
                (pl.col("id_kind") == "invalid").fill_null(False)
                | unborn.fill_null(False)
                | (pl.col("former_id_key").is_null() & among(AT, former.cast(pl.Int64)))
            )
        )
        .collect()
    )
    raw = identities[doubtful[AT].to_numpy()].select("resident_id", "former_resident_id")
    # Whether the holder of a number is born yet depends on the day.
    return (
        pl.concat([doubtful, raw], how="horizontal")
        .filter(
            (
                (pl.col("id_kind") == "invalid") & resident_id.resident_id_is_valid(pl.col("resident_id"))
            ).fill_null(False)
            | (
                pl.col("former_id_key").is_null()
                & resident_id.resident_id_is_valid(pl.col("former_resident_id"))
            ).fill_null(False)
            | ((pl.col("birth_basis") == "resident_id") & (pl.col("birth") > as_of)).fill_null(False)
        )["_old"]
        .cast(pl.UInt32)
    )
