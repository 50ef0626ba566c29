"""Whom the changes of a night reach: what must be decided again, and what must be seen to decide it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from matching import normalise, passes
from matching.tonight import Tonight, among

COLUMNS = (
    "identity_key",
    "source_class",
    "resident_id",
    "id_key",
    "former_id_key",
    "name_key",
    "birth_stated",
    "birth",
    "phone_key",
    "village_code",
    "household_key",
    "township",
    "first_batch",
    "last_batch",
    "node",
    "pass_id",
)
"""What says whether a change reaches an identity."""


@dataclass(frozen=True)
class Scope:
    """What must be decided tonight (`decide`, identity keys), what must be seen to decide it (`see`), and telephones that
    are everybody's since tonight or no longer (`phones`)."""

    decide: pl.Series
    see: pl.Series
    phones: pl.Series


def event_pairs(forms: pl.DataFrame) -> pl.DataFrame:
    """Numbers that the police replaced: `old`, `new`."""
    return (
        forms.lazy()
        .filter(
            (pl.col("source_class") == passes.EVENTS)
            & pl.col("id_key").is_not_null()
            & pl.col("former_id_key").is_not_null()
        )
        .select(pl.col("former_id_key").alias("old"), pl.col("id_key").alias("new"))
        .unique()
        .collect()
    )


def _with_neighbours(numbers: pl.Series, pairs: pl.DataFrame) -> pl.Series:
    """Numbers and all numbers that were ever exchanged for them."""
    numbers = numbers.drop_nulls().unique()
    while len(pairs):
        near = pairs.filter(among("old", numbers) | among("new", numbers))
        grown = pl.concat([numbers, near["old"], near["new"]]).unique()
        if len(grown) == len(numbers):
            break
        numbers = grown
    return numbers


def _names_of(frame: pl.DataFrame) -> pl.Series:
    return frame["name_key"].drop_nulls().unique()


def _redated(tonight: Tonight, forms: pl.DataFrame) -> pl.Series:
    """Identities whose other dates, or forms, may lead to another link."""
    columns = ["identity_key", "source_class", "id_key", "former_id_key", "first_batch", "last_batch"]
    later = forms.filter(among("identity_key", tonight.earlier["identity_key"])).select(columns)
    both = later.join(tonight.earlier.select(columns), on="identity_key", suffix="_old")
    is_register = pl.col("source_class") == passes.REGISTER
    # Of several register rows with one number the last seen speaks; elsewhere only the first sighting matters.
    numbers = both.filter(is_register)["id_key"]
    several = forms.filter(is_register & among("id_key", numbers)).filter(pl.len().over("id_key") > 1)
    return both.filter(
        (pl.col("first_batch") != pl.col("first_batch_old"))
        # Its holder is born by now.
        | pl.col("id_key").ne_missing(pl.col("id_key_old"))
        | pl.col("former_id_key").ne_missing(pl.col("former_id_key_old"))
        | (
            (pl.col("last_batch") != pl.col("last_batch_old"))
            & is_register
            & (pl.col("id_key").is_null() | among("id_key", several["id_key"]))
        )
    )["identity_key"]


def reached(tonight: Tonight, old: pl.DataFrame, by_hand: pl.DataFrame) -> Scope:
    """Identities whose link may differ from last night's (`old`: all its rows).

    A link depends on: the rows with the same number (through all numbers that replaced it); for rows without one, the
    persons of that name with all their rows, how many bear the name in the township, and whether the telephone number
    is everybody's. So whatever shares one of these with a change is decided again. `by_hand`: human decisions
    (`identity_key`, `node`).
    """
    forms, old = tonight.rows.select(COLUMNS), old.select(COLUMNS)
    before = pl.concat([tonight.gone, tonight.earlier]).select(COLUMNS)
    both = pl.concat([forms, before])
    keys = pl.concat(
        [
            tonight.added,
            _redated(tonight, forms),
            by_hand["identity_key"],
            old.filter(pl.col("pass_id") == "H")["identity_key"],
        ]
    ).unique()
    if keys.is_empty() and tonight.gone.is_empty():
        nothing = pl.Series(dtype=pl.String)
        return Scope(nothing, nothing, nothing)
    changed = pl.concat([both.filter(among("identity_key", keys)), tonight.gone.select(COLUMNS)])

    pairs = pl.concat([event_pairs(forms), event_pairs(before)]).unique()
    numbers = pl.concat([changed["id_key"], changed["former_id_key"], changed["node"], by_hand["node"]])
    # Under a number whose holder is called otherwise, it matters who on the register bears the name of the row.
    registered = _names_of(changed.filter(pl.col("source_class") == passes.REGISTER))
    of_names, of_names_old = (f.filter(among("name_key", registered)) for f in (both, old))
    doubtful = of_names.filter(
        pl.col("id_key").is_not_null()
        & (pl.col("pass_id").is_null() | pl.col("pass_id").str.contains("-", literal=True))
    )
    numbers = pl.concat([numbers, doubtful["id_key"], doubtful["node"]])
    numbers = _with_neighbours(numbers, pairs)
    block = both.filter(among("id_key", numbers) | among("former_id_key", numbers) | among("node", numbers))
    block = pl.concat([block, changed])

    generic, generic_old = (
        normalise.generic_phones(f.filter(among("phone_key", changed["phone_key"]))) for f in (forms, old)
    )
    phones = pl.concat(
        [
            generic.filter(~generic.is_in(generic_old.implode())),
            generic_old.filter(~generic_old.is_in(generic.implode())),
        ]
    )
    here = forms.filter(among("name_key", registered)) if before.height else of_names
    rarity, rarity_old = passes.name_rarity(here), passes.name_rarity(of_names_old)
    everyone = ["township", "name_key", "people"]
    names_here = pl.concat(
        [rarity.join(rarity_old, on=everyone, how="anti"), rarity_old.join(rarity, on=everyone, how="anti")]
    ).select("township", "name_key")

    residue = forms.filter(
        pl.col("id_key").is_null()
        & pl.col("name_key").is_not_null()
        & pl.any_horizontal(
            pl.col(c).is_not_null()
            for c in ("resident_id", "birth_stated", "phone_key", "village_code", "household_key")
        )
    )
    raw = changed.filter(pl.col("id_key").is_null())["resident_id"]
    touched = pl.concat(
        [
            residue.filter(among("name_key", _names_of(block)))["identity_key"],
            residue.filter(among("phone_key", phones))["identity_key"],
            residue.join(names_here, on=["township", "name_key"], how="semi")["identity_key"],
            forms.filter(among("resident_id", raw))["identity_key"],
            changed["identity_key"],
        ]
    ).unique()
    fellows = residue.filter(among("name_key", residue.filter(among("identity_key", touched))["name_key"]))
    decide = pl.concat([block["identity_key"], touched, fellows["identity_key"]]).unique()

    # To be seen: every person of the names that are without a number, with all rows under their numbers.
    rows = forms.filter(among("identity_key", decide))
    unnumbered = rows.filter(pl.col("id_key").is_null())
    holders = pl.concat(
        [
            forms.filter(
                among("name_key", unnumbered["name_key"]) | among("resident_id", unnumbered["resident_id"])
            ),
            rows,
        ]
    )
    numbers = _with_neighbours(holders["id_key"], pairs)
    # Of numbers that stand under several names: whoever on the register bears one of them.
    under_number = forms.filter(among("id_key", numbers))
    named = under_number.filter(pl.col("name_key").is_not_null())
    several_names = named.filter(
        (pl.col("name_key").n_unique().over("id_key") > 1)
        | among("id_key", pl.concat([pairs["old"], pairs["new"]]))
    )
    namesakes = forms.filter(
        (pl.col("source_class") == passes.REGISTER) & among("name_key", _names_of(several_names))
    )
    holders = pl.concat([holders, namesakes])
    spoiled = holders.filter(pl.col("id_key").is_null())["resident_id"]
    more = _with_neighbours(namesakes["id_key"], pairs)
    more = more.filter(~more.is_in(numbers.implode()))
    see = pl.concat(
        [
            under_number["identity_key"],
            forms.filter(among("id_key", more) | among("resident_id", spoiled))["identity_key"],
            holders["identity_key"],
        ]
    ).unique()
    return Scope(decide=rows["identity_key"], see=see, phones=phones)
