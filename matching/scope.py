"""Whom the changes of a night reach: what must be decided again, and what must be seen to decide it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from matching import normalise, passes
from matching.tonight import AT, KEYS, Tonight, among

COLUMNS = (*KEYS, "node", "pass_id", "grade")
"""What says whether a change reaches an identity."""

LOOKED_AT = (
    "identity_key",
    "source_class",
    "resident_id",
    "id_key",
    "former_id_key",
    "name_key",
    "former_name_key",
    "name_aliases",
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
    "grade",
)
"""Columns in which all identities are searched."""

CONTENT = [
    c
    for c in KEYS
    if c
    not in (
        "identity_key",
        "phone_key",
        "phone_class",
        "first_batch",
        "last_batch",
        "name_aliases",
        "name_sounds",
    )
]
"""What decides, of a row without aliases, whether it belongs to its number, and what it says of others under it."""

EVIDENCE = ("phone_key", "village_code", "household_key")
"""By what a record without a number is recognised beside its name."""


@dataclass(frozen=True)
class Scope:
    """What must be decided tonight (`decide`, identity keys), what must be seen to decide it (`see`), and telephones that
    are everybody's since tonight or no longer (`phones`)."""

    decide: pl.Series
    see: pl.Series
    phones: pl.Series


def event_pairs(forms: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
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


def _redated(tonight: Tonight, forms: pl.LazyFrame) -> pl.Series:
    """Identities whose other dates, or forms, may lead to another link."""
    columns = ["identity_key", "source_class", "id_key", "former_id_key", "first_batch", "last_batch"]
    if tonight.earlier.is_empty():
        return pl.Series("identity_key", [], dtype=pl.String)
    later = _found(forms.select(columns), among("identity_key", tonight.earlier["identity_key"]))
    both = later.join(tonight.earlier.select(columns), on="identity_key", suffix="_old")
    is_register = pl.col("source_class") == passes.REGISTER
    # Of several register rows with one number the last seen speaks; elsewhere only the first sighting matters.
    numbers = both.filter(is_register)["id_key"]
    several = _found(forms, is_register & among("id_key", numbers)).filter(pl.len().over("id_key") > 1)
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


def _speaks() -> pl.Expr:
    """Rows that say something of others under their number: who its holder is, how he is called as well, what replaced it."""
    return (
        pl.col("source_class").is_in([passes.REGISTER, passes.EVENTS])
        | pl.col("former_id_key").is_not_null()
        | pl.col("former_name_key").is_not_null()
        | (pl.col("name_aliases") != "").fill_null(False)
    )


def _says_one_name() -> pl.Expr:
    return pl.col("former_name_key").is_null() & ~(pl.col("name_aliases") != "").fill_null(False)


@dataclass(frozen=True)
class _Split:
    """Changed rows before and after: `loud` ones may change what other rows of their number are linked to, `plain` ones
    are decided alone."""

    plain_before: pl.DataFrame
    plain_after: pl.DataFrame
    loud: pl.DataFrame


def _split(
    before: pl.DataFrame,
    after: pl.DataFrame,
    register: pl.DataFrame,
    register_old: pl.DataFrame,
    pairs: pl.DataFrame,
    by_hand: pl.Series,
    names: pl.DataFrame,
) -> _Split:
    """Which changed rows concern themselves alone.

    That is so under a number that the register anchors, that was never exchanged, whose register rows are all linked to
    it and did not change, for rows that say nothing of others. A register row that comes back with the same content is
    no change either when it is the only one. `names`: name as written by which the register knew each node.
    """
    anchored = (
        register_old.group_by("id_key")
        .agg(
            rows=pl.len(),
            own=((pl.col("node") == pl.col("id_key")) & (pl.col("pass_id") == "P1")).fill_null(False).all(),
        )
        .filter("own")
    )
    is_register = pl.col("source_class") == passes.REGISTER
    stirred = pl.concat([f.filter(is_register)["id_key"] for f in (before, after)]).unique()
    alone = anchored.filter((pl.col("rows") == 1) & among("id_key", stirred))
    once = register.filter(among("id_key", alone["id_key"])).filter(pl.len().over("id_key") == 1)
    same = (
        after.filter(is_register & among("identity_key", once["identity_key"]))
        .join(before.filter(is_register), on=CONTENT, how="semi", nulls_equal=True)
        .join(names, left_on=["id_key", "person_name"], right_on=["node", "person_name"], how="semi")
    )
    moved = stirred.filter(~stirred.is_in(same["id_key"].implode()))
    exchanged = pl.concat([pairs["old"], pairs["new"], moved]).drop_nulls()
    anchored = anchored.filter(~among("id_key", exchanged))
    is_plain = (
        among("id_key", anchored["id_key"])
        & (~_speaks() | (is_register & among("id_key", same["id_key"]) & _says_one_name()))
        & ~among("identity_key", by_hand)
    )
    return _Split(
        before.filter(is_plain),
        after.filter(is_plain),
        pl.concat([before.filter(~is_plain), after.filter(~is_plain).select(before.columns)]),
    )


def _long(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    return pl.concat([rows.select("node", kind=pl.lit(c), value=c).drop_nulls() for c in columns])


def _other_evidence(
    split: _Split, forms: pl.LazyFrame, changed: pl.Series, among_these: pl.Series
) -> pl.Series:
    """Nodes (of `among_these`) for which plain changes may have added or taken away a value that proves something."""
    before = split.plain_before.filter(
        among("node", among_these) & pl.col("node").is_not_null() & (pl.col("grade") != "C")
    )
    after = split.plain_after.with_columns(pl.col("id_key").alias("node")).filter(among("node", among_these))
    # What comes back with the same content is linked as it was.
    lone = [
        rows.join(others.filter(_says_one_name()), on=CONTENT, how="anti", nulls_equal=True)
        for rows, others in ((before, split.plain_after), (after, split.plain_before))
    ]
    said = pl.concat(
        [_long(before, EVIDENCE[:1]), _long(after, EVIDENCE[:1]), *(_long(f, EVIDENCE[1:]) for f in lone)]
    )
    stays = _long(
        # What was itself recognised by such a value proves none.
        _found(
            forms.select("identity_key", "node", "pass_id", "grade", *EVIDENCE), among("node", said["node"])
        ).filter(
            (pl.col("grade") != "C")
            & ~pl.col("pass_id").is_in(passes.BY_EVIDENCE)
            & ~among("identity_key", changed)
        ),
        EVIDENCE,
    )
    return said.join(stays, on=["node", "kind", "value"], how="anti")["node"].unique()


def _found(forms: pl.LazyFrame, which: pl.Expr) -> pl.DataFrame:
    return forms.filter(which).collect()


def reached(tonight: Tonight, old: pl.LazyFrame, nodes: pl.DataFrame, by_hand: pl.DataFrame) -> Scope:
    """Identities whose link may differ from last night's (`old`: all its rows, `nodes`: its `passes.Decided.nodes`).

    A link depends on: the rows with the same number (through all numbers that replaced it) that say who its holder is;
    for rows without one, the persons of that name with what their rows prove, how many bear the name in the township,
    and whether the telephone number is everybody's. So whatever shares one of these with a change is decided again;
    a row that says nothing of others, under a number that the register anchors, is decided alone. `by_hand`: human
    decisions (`identity_key`, `node`).
    """
    whole, forms, old = tonight.searched, tonight.searched.select(LOOKED_AT), old.select(COLUMNS)
    earlier = pl.concat([tonight.gone, tonight.earlier]).select(COLUMNS)
    hands = pl.concat(
        [by_hand["identity_key"], _found(old, pl.col("pass_id") == "H")["identity_key"]]
    ).unique()
    keys = pl.concat([tonight.added, _redated(tonight, forms), hands]).unique()
    if keys.is_empty() and tonight.gone.is_empty():
        nothing = pl.Series(dtype=pl.String)
        return Scope(nothing, nothing, nothing)
    is_register = pl.col("source_class") == passes.REGISTER
    after = _found(whole.select(*COLUMNS, AT), among("identity_key", keys))
    after = after.with_columns(tonight.identities["person_name"].gather(after[AT]))
    # By hand: what stands elsewhere since last night is a change as well.
    before = pl.concat(
        [
            tonight.earlier.select(COLUMNS).filter(among("identity_key", keys)),
            tonight.gone.select(COLUMNS),
            _found(old, among("identity_key", hands)),
        ]
    ).unique("identity_key")
    changed = pl.concat([after.select(COLUMNS), before])

    pairs = pl.concat([event_pairs(forms), event_pairs(earlier)]).unique()
    register = forms.filter(is_register)
    register_old = old.select("source_class", "id_key", "node", "pass_id").filter(is_register)
    numbers = changed["id_key"].drop_nulls().unique()
    split = _split(
        before,
        after,
        _found(register, among("id_key", numbers)),
        _found(register_old, among("id_key", numbers)),
        pairs,
        hands,
        nodes.filter(among("node", numbers)),
    )
    loud = split.loud
    # A row without a number says nothing about those who have one.
    owning = loud.filter(pl.col("id_key").is_not_null() | is_register | among("identity_key", hands))
    numbers = pl.concat([loud["id_key"], loud["former_id_key"], owning["node"], by_hand["node"]])
    # Under a number whose holder is called otherwise, it matters who on the register bears the name of the row.
    registered = _names_of(loud.filter(is_register))
    of_names, of_names_old = (
        _found(f, among("name_key", registered)) for f in (forms, old.select(LOOKED_AT))
    )
    doubtful = of_names.filter(
        pl.col("id_key").is_not_null()
        & (pl.col("pass_id").is_null() | pl.col("pass_id").str.contains("-", literal=True))
    )
    numbers = _with_neighbours(pl.concat([numbers, doubtful["id_key"], doubtful["node"]]), pairs)
    in_block = among("id_key", numbers) | among("former_id_key", numbers) | among("node", numbers)
    block_now = _found(forms, in_block)
    block_before = pl.concat([earlier.filter(in_block), loud]).select(LOOKED_AT)

    generic, generic_old = (
        normalise.generic_phones(
            _found(
                f.select("phone_key", "name_key"),
                among("phone_key", changed["phone_key"].drop_nulls().unique()),
            )
        )
        for f in (forms, old)
    )
    phones = pl.concat(
        [
            generic.filter(~generic.is_in(generic_old.implode())),
            generic_old.filter(~generic_old.is_in(generic.implode())),
        ]
    )
    rarity, rarity_old = passes.name_rarity(of_names), passes.name_rarity(of_names_old)
    everyone = ["township", "name_key", "people"]
    names_here = pl.concat(
        [rarity.join(rarity_old, on=everyone, how="anti"), rarity_old.join(rarity, on=everyone, how="anti")]
    ).select("township", "name_key")

    residue = _found(
        forms,
        pl.col("id_key").is_null()
        & pl.col("name_key").is_not_null()
        & pl.any_horizontal(
            pl.col(c).is_not_null()
            for c in ("resident_id", "birth_stated", "phone_key", "village_code", "household_key")
        ),
    )
    of_nodes = nodes.filter(
        among("node", pl.concat([split.plain_before["node"], split.plain_after["id_key"]]))
        & among("name_key", residue["name_key"])
    )
    evidence = _other_evidence(split, forms, pl.concat([keys, hands]), of_nodes["node"])
    raw = changed.filter(pl.col("id_key").is_null())["resident_id"]
    names = pl.concat(
        [
            _names_of(block_now),
            _names_of(block_before),
            of_nodes.filter(among("node", evidence))["name_key"],
        ]
    ).unique()
    touched = pl.concat(
        [
            residue.filter(among("name_key", names) | among("phone_key", phones))["identity_key"],
            residue.join(names_here, on=["township", "name_key"], how="semi")["identity_key"],
            _found(forms, among("resident_id", raw))["identity_key"],
            after["identity_key"],
        ]
    ).unique()
    fellows = residue.filter(among("name_key", residue.filter(among("identity_key", touched))["name_key"]))
    decide = pl.concat([block_now["identity_key"], touched, fellows["identity_key"]]).unique()
    rows = _found(forms, among("identity_key", decide))
    return Scope(rows["identity_key"], _seen(forms, rows, register, numbers, pairs), phones)


def _seen(
    forms: pl.LazyFrame, rows: pl.DataFrame, register: pl.LazyFrame, whole: pl.Series, pairs: pl.DataFrame
) -> pl.Series:
    """What must be seen to decide some rows: `identity_key`. `whole`: numbers of which everything is decided."""
    # Every person of the names that are without a number, with all rows under their numbers.
    unnumbered = rows.filter(pl.col("id_key").is_null())
    holders = _found(
        forms, among("name_key", unnumbered["name_key"]) | among("resident_id", unnumbered["resident_id"])
    )
    spoiled = holders.filter(pl.col("id_key").is_null())["resident_id"]
    whole = _with_neighbours(pl.concat([holders["id_key"], whole]), pairs)
    under_number = pl.concat(
        [
            _found(forms, among("id_key", whole) | among("resident_id", spoiled)),
            _found(forms, _speaks() & among("id_key", rows["id_key"])),
            rows,
        ]
    )
    # Of numbers that stand under several names: whoever on the register bears one of them.
    named = under_number.filter(pl.col("name_key").is_not_null() & pl.col("id_key").is_not_null())
    exchanged = pl.concat([pairs["old"], pairs["new"]])
    several_names = named.filter(
        (pl.col("name_key").n_unique().over("id_key") > 1) | among("id_key", exchanged)
    )
    namesakes = _found(register, among("name_key", _names_of(several_names)))
    more = _with_neighbours(namesakes.filter(among("id_key", exchanged))["id_key"], pairs)
    beside = (
        _found(forms, among("id_key", more) | among("former_id_key", more))
        if len(more)
        else under_number.clear()
    )
    return pl.concat(
        [
            under_number["identity_key"],
            namesakes["identity_key"],
            holders["identity_key"],
            beside.filter(_speaks())["identity_key"],
        ]
    ).unique()
