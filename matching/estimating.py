"""The rates of a deployment, estimated from the state of one of its nights, and how well they foretell what is known.

Records whose number and name settle whose they are show how the sources write a person down; the open ones are counted
by probability. What records with a hidden number get right is held against what the rates promise. Which rates a night
uses belongs in `rates`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from matching import engine, normalise, passes, residue, software
from matching.evaluation import wilson
from matching.model import MODEL, Model
from matching.tonight import AT, LIVE, Tonight, after, among

ANCHORS = 200_000
"""Linked records, and open ones, from which rates are learnt, at most of each."""

HIDDEN = 50_000
"""Persons of whom one record is looked for without its number, at most."""

HELD_OUT = 5
"""One linked record in so many is an anchor, another is hidden: persons are described by the other four."""

BANDS = (0.0, 3.0, 6.0, 9.0, 12.0, 16.0)
"""Bounds of the bands of weight in bits. Grade B begins at 9."""

ALL = "all"

CALIBRATION = pl.Schema(
    {
        "band": pl.String(),
        "links": pl.Int64(),
        "expected": pl.Float64(),
        "right": pl.Int64(),
        "share_expected": pl.Float64(),
        "share": pl.Float64(),
        "share_low": pl.Float64(),
        "share_high": pl.Float64(),
        "says": pl.String(),
    }
)
"""Band of weight (bits), links, how many of them the probabilities add up to, how many are right; both as shares, the
latter with its 95 % interval; and what that says: `as expected`, `too sure`, `too modest`. The last row is `ALL`."""

TOO_SURE = "too sure"

CHANGES = pl.Schema(
    {
        "comparison": pl.String(),
        "level": pl.String(),
        "before": pl.Float64(),
        "after": pl.Float64(),
        "bits": pl.Float64(),
    }
)
"""A rate before and after, and log2 of how many times as frequent it is now."""


class TooFewError(Exception):
    """The night holds too little to estimate rates from."""


@dataclass(frozen=True)
class Estimate:
    """Rates with version and provenance, the calibration table (`CALIBRATION`) and what was counted."""

    model: Model
    table: pl.DataFrame
    counts: dict[str, int]


def estimate(
    identities: pl.DataFrame,
    keys: pl.DataFrame,
    as_of: date,
    *,
    seed: int = 1,
    start: Model | None = None,
    anchors: int = ANCHORS,
    hidden: int = HIDDEN,
) -> Estimate:
    """Rates of the deployment from one night, and their calibration.

    `identities` of that night and `keys` of its state (`spine.Spine.keys`); `start`: the priors, those of the software when
    null, so that estimates of different years do not build on each other. The same night, seed and software give the same
    rates. Raises `TooFewError` when the night has fewer persons than the engine needs, or no record linked by its number.
    """
    night = after(identities, keys, as_of)
    night = replace(night, rows=night.rows.filter(LIVE))
    generic = normalise.generic_phones(night.rows)
    linked, unlinked = _linked(night.rows, seed), _open(night.rows, seed)
    part = linked.height // HELD_OUT
    sure = linked.head(min(part, anchors))
    left = _people(night, generic, sure["identity_key"])
    if left.people.height < residue.FEWEST_PERSONS or not sure.height:
        raise TooFewError(
            f"{left.people.height} persons, {linked.height} records linked by their number: too few to estimate rates "
            f"({residue.FEWEST_PERSONS} persons are needed)"
        )
    sure = sure.filter(among("node", left.people["node"]))
    asked = unlinked.head(anchors)
    model = _rates(left, night, generic, sure, asked, start or residue.rates())
    tried = _one_each(linked[part : 2 * part].filter(pl.col("grade") == "A")).head(hidden)
    known = _people(night, generic, tried["identity_key"])
    tried = tried.filter(among("node", known.people["node"]))
    # The rates say how many of the open records are of nobody who is known: so many persons are taken away here.
    absent = tried["node"].head(round(tried.height * (1 - model.in_registry)))
    known = _people(night, generic, tried["identity_key"], absent)
    found = _found_without_number(known, night, as_of, generic, tried, model)
    table = calibration(found)
    counts = {
        "persons": left.people.height,
        "anchors": sure.height,
        "open": asked.height,
        "hidden": tried.height,
        "hidden_absent": len(absent),
        "hidden_linked": found.height,
    }
    return Estimate(_named(model, as_of, seed, counts, table), table, counts)


def calibration(found: pl.DataFrame) -> pl.DataFrame:
    """Links expected right against links that are, by band of weight (`CALIBRATION`).

    `found`: a row each link with `weight` (bits), `probability`, `is_right`.
    """
    rows = found.with_columns(_band(pl.col("weight")).alias("_band"))
    both = pl.concat([rows, rows.with_columns(pl.lit(len(BANDS) + 1, dtype=pl.Int64).alias("_band"))])
    counted = (
        both.group_by("_band")
        .agg(
            pl.len().cast(pl.Int64).alias("links"),
            # In a fixed order: sums of other orders differ in their last digit.
            pl.col("probability").sort().sum().alias("expected"),
            pl.col("is_right").sum().cast(pl.Int64).alias("right"),
        )
        .sort("_band")
        .with_columns(
            (pl.col("expected") / pl.col("links")).alias("share_expected"),
            *wilson(pl.col("right"), pl.col("links"), "share"),
        )
    )
    promised = pl.col("share_expected")
    return counted.with_columns(
        pl.col("_band").replace_strict(dict(enumerate(_band_names())), return_dtype=pl.String).alias("band"),
        pl.when(promised > pl.col("share_high"))
        .then(pl.lit(TOO_SURE))
        .when(promised < pl.col("share_low"))
        .then(pl.lit("too modest"))
        .otherwise(pl.lit("as expected"))
        .alias("says"),
    ).select(CALIBRATION.names())


def changes(before: Model, after_: Model) -> pl.DataFrame:
    """Rates of both by how much they changed (`CHANGES`), most first."""
    rows = [
        (comparison.name, level, *rates)
        for comparison in MODEL
        for level, *rates in zip(
            comparison.levels, before.rates[comparison.name], after_.rates[comparison.name], strict=True
        )
    ]
    rows += [
        ("open record", "person is known", before.in_registry, after_.in_registry),
        ("stranger", "same name and birth date", before.namesakes, after_.namesakes),
    ]
    return (
        pl.DataFrame(rows, schema=["comparison", "level", "before", "after"], orient="row")
        .with_columns((pl.col("after") / pl.col("before")).log(2).alias("bits"))
        .sort(pl.col("bits").abs().round(6), "comparison", "level", descending=[True, False, False])
        .cast(CHANGES)
    )


def _band(weight: pl.Expr) -> pl.Expr:
    return pl.sum_horizontal((weight >= bound).cast(pl.Int64) for bound in BANDS)


def _band_names() -> list[str]:
    bounds = [f"{bound:g}" for bound in BANDS]
    inner = [f"{low} to {high}" for low, high in pairwise(bounds)]
    return [f"below {bounds[0]}", *inner, f"{bounds[-1]} and more", ALL]


def _shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """In an order that depends on the seed and on which rows there are."""
    return rows.sort("identity_key")[np.random.default_rng(seed).permutation(rows.height)]


_PROVES = pl.col("node").is_not_null() & (pl.col("grade") != "C")


def _linked(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Named records that stand with the person of their own number by a pass. The register describes persons: none of it."""
    by_number = pl.col("id_key") == pl.col("node")
    chosen = _PROVES & by_number & (pl.col("pass_id") != "H") & pl.col("name_key").is_not_null()
    return _shuffled(rows.filter(chosen & (pl.col("source_class") != passes.REGISTER)), seed)


def _open(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Named records that the passes left, or asked a person about: what the night weighs."""
    is_open = pl.col("node").is_null() | ((pl.col("grade") == "C") & (pl.col("pass_id") != "H"))
    return _shuffled(rows.filter(is_open & pl.col("name_key").is_not_null()), seed)


def _one_each(rows: pl.DataFrame) -> pl.DataFrame:
    """One record of each person, so that the cases of the table are independent."""
    return rows.unique("node", keep="first", maintain_order=True)


def _people(
    night: Tonight, generic: pl.Series, without: pl.Series, absent: pl.Series | None = None
) -> residue.People:
    """Persons as records other than these describe them: a record would always agree with itself."""
    members = night.rows.filter(_PROVES & ~among("identity_key", without))
    if absent is not None:
        members = members.filter(~among("node", absent))
    return residue.people(
        night.forms(members, residue.DESCRIBING).with_columns(members["node"]),
        generic,
    )


def _rates(
    left: residue.People,
    night: Tonight,
    generic: pl.Series,
    sure: pl.DataFrame,
    asked: pl.DataFrame,
    start: Model,
) -> Model:
    """Rates by level from anchors and open records; how many open ones are of somebody known, from these alone."""
    persons = residue.left_side(left)
    every = night.forms(pl.concat([sure, asked]).sort("identity_key"))
    model = engine.link(persons, residue.right_side(every, generic), model=start, right_is_clean=False).model
    if not asked.height:
        return replace(model, in_registry=start.in_registry, namesakes=start.namesakes)
    alone = residue.right_side(night.forms(asked.sort("identity_key")), generic)
    share = engine.link(persons, alone, model=model, right_is_clean=False).model
    return replace(model, in_registry=share.in_registry, namesakes=share.namesakes)


def _found_without_number(
    known: residue.People,
    night: Tonight,
    as_of: date,
    generic: pl.Series,
    tried: pl.DataFrame,
    model: Model,
) -> pl.DataFrame:
    """Links of these records as if they had no number: `weight`, `probability`, `is_right`."""
    tried = tried.sort("identity_key")
    no_number = pl.lit(None, dtype=pl.String)
    bare = night.identities[tried[AT].to_numpy()].with_columns(
        resident_id=no_number, former_resident_id=no_number
    )
    right = residue.right_side(normalise.normalise(bare, as_of), generic)
    found = engine.link(
        residue.left_side(known),
        right,
        model=model,
        estimate=False,
        right_is_clean=False,
        strong_at_least=residue.STRONG,
    ).links
    node = known.people["node"].gather(found["left"])
    return found.select("weight", "probability").with_columns(
        (node == tried["node"].gather(found["right"])).alias("is_right")
    )


def _named(model: Model, as_of: date, seed: int, counts: dict[str, int], table: pl.DataFrame) -> Model:
    rows: list[dict[str, Any]] = [
        {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
        for row in table.iter_rows(named=True)
    ]
    provenance = {
        "night": as_of.isoformat(),
        "seed": seed,
        "software": software.digest()[:16],
        "counts": counts,
        "calibration": rows,
    }
    return replace(model, version=f"{as_of}-{seed}", provenance=provenance)
