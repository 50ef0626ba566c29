"""Persons whose ids never change meaning from night to night, and which identities are theirs.

An id is minted once, in an order that depends on what is known and not on the order of rows, and is never used for
anybody else. Only identities that are new, changed, gone, or stand where something changed are decided again; the
outcome is the same as deciding all of them. How an identity is linked belongs in `passes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import polars as pl

from data_contracts import opaque, resident_id
from matching import continuity, explain, normalise, passes, residue
from matching import decisions as human
from matching.model import Model

PERSONS = pl.Schema(
    {
        "person_id": pl.Int64(),
        "resident_id": pl.String(),
        "person_name": pl.String(),
        "former_names": pl.List(pl.String()),
        "sex": pl.String(),
        "birth_date": pl.Date(),
        "birth_date_basis": pl.String(),
        "address": pl.String(),
        "village_code": pl.String(),
        "phone": pl.String(),
        "household_no": pl.String(),
        "is_registered": pl.Boolean(),
        "is_provisional": pl.Boolean(),
        "created_on": pl.Date(),
        "status": pl.String(),
        "absorbed_into": pl.Int64(),
        "spine_key": pl.String(),
    }
)
LINKS = pl.Schema(
    {
        "identity_key": pl.String(),
        "source_class": pl.String(),
        "role": pl.String(),
        "person_id": pl.Int64(),
        "grade": pl.String(),
        "pass_id": pl.String(),
        "reason_zh": pl.String(),
        "linked_on": pl.Date(),
    }
)
CONFLICTS = pl.Schema(
    {
        "conflict_id": pl.String(),
        "identity_key": pl.String(),
        "source_class": pl.String(),
        "person_id": pl.Int64(),
        "kind": pl.String(),
        "reason_zh": pl.String(),
        "since": pl.Date(),
    }
)
EVENTS = pl.Schema(
    {
        "event": pl.String(),
        "person_id": pl.Int64(),
        "other_person_id": pl.Int64(),
        "on": pl.Date(),
        "reason_zh": pl.String(),
    }
)
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
"""Columns that are kept from night to night so that an identity is normalised once."""

SCOPE = (
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

FORMS_ONLY = [
    c
    for c in KEYS
    if c not in ("source_class", "role", "resident_id", "village_code", "first_batch", "last_batch")
]


@dataclass(frozen=True, kw_only=True)
class Spine:
    """The state of a night that the next night needs. Without `keys`, `nodes`, `weighed` everything is decided anew.

    `persons`, `links`, `conflicts`: see `PERSONS`, `LINKS`, `CONFLICTS`. `keys`: comparing forms by identity, with
    the node, pass, grade and conflict that the passes gave each. `nodes`: whom each node of the passes names
    (`passes.Decided`). `weighed`: the engine's links (`residue.WEIGHED`). All are restricted: they hold identifying data.
    """

    persons: pl.DataFrame
    links: pl.DataFrame
    conflicts: pl.DataFrame
    keys: pl.DataFrame | None = None
    nodes: pl.DataFrame | None = None
    weighed: pl.DataFrame | None = None

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame]) -> Self:
        """The state from frames by name, as `SpineResult.frames` gave them."""
        return cls(
            persons=frames["persons"],
            links=frames["links"],
            conflicts=frames["conflicts"],
            keys=frames.get("keys"),
            nodes=frames.get("nodes"),
            weighed=frames.get("weighed"),
        )


@dataclass(frozen=True, kw_only=True)
class SpineResult(Spine):
    """A night's outcome: the state, what happened to persons (`events`), and what each pass did (`counts`)."""

    events: pl.DataFrame
    counts: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything that is stored, by name."""
        found = {name: getattr(self, name) for name in ("persons", "links", "conflicts", "events", "counts")}
        kept = {"keys": self.keys, "nodes": self.nodes, "weighed": self.weighed}
        return found | {name: frame for name, frame in kept.items() if frame is not None}


def _among(column: str, values: pl.Series) -> pl.Expr:
    return pl.col(column).is_in(values.drop_nulls().unique().implode()).fill_null(False)


def _forms(identities: pl.DataFrame, previous: Spine | None, as_of: date) -> pl.DataFrame:
    """Comparing forms of tonight's identities; those of known identities are taken from last night."""
    if previous is None or previous.keys is None:
        return normalise.normalise(identities, as_of)
    # Whether the holder of a number is born yet depends on the day.
    unborn = [
        (pl.col(kept) & resident_id.resident_id_is_valid(pl.col(number))).fill_null(False)
        for number, kept in (("resident_id", "_refused"), ("former_resident_id", "_refused_former"))
    ]
    stale = (
        identities.select("identity_key", "resident_id", "former_resident_id")
        .join(
            previous.keys.select(
                "identity_key",
                (pl.col("id_kind") == "invalid").alias("_refused"),
                pl.col("former_id_key").is_null().alias("_refused_former"),
                ((pl.col("birth_basis") == "resident_id") & (pl.col("birth") > as_of)).alias("_future"),
            ).filter(
                pl.col("_refused").fill_null(False)
                | pl.col("_refused_former")
                | pl.col("_future").fill_null(False)
            ),
            on="identity_key",
        )
        .filter(pl.any_horizontal(*unborn, pl.col("_future").fill_null(False)))
    )
    known = previous.keys.select(FORMS_ONLY).join(stale, on="identity_key", how="anti")
    old = identities.join(known, on="identity_key", how="inner")
    new = identities.join(known.select("identity_key"), on="identity_key", how="anti")
    fresh = normalise.normalise(new, as_of)
    return pl.concat([old.select(fresh.columns), fresh]).sort("identity_key")


def _event_pairs(forms: pl.DataFrame) -> pl.DataFrame:
    return (
        forms.filter(
            (pl.col("source_class") == passes.EVENTS)
            & pl.col("id_key").is_not_null()
            & pl.col("former_id_key").is_not_null()
        )
        .select(pl.col("former_id_key").alias("old"), pl.col("id_key").alias("new"))
        .unique()
    )


def _with_neighbours(numbers: pl.Series, pairs: pl.DataFrame) -> pl.Series:
    """Numbers and all numbers that were ever exchanged for them."""
    numbers = numbers.drop_nulls().unique()
    while len(pairs):
        near = pairs.filter(_among("old", numbers) | _among("new", numbers))
        grown = pl.concat([numbers, near["old"], near["new"]]).unique()
        if len(grown) == len(numbers):
            break
        numbers = grown
    return numbers


def _names_of(frame: pl.DataFrame) -> pl.Series:
    return frame["name_key"].drop_nulls().unique()


@dataclass(frozen=True)
class _Scope:
    """What must be decided tonight (`decide`, identity keys) and what must be seen to decide it (`see`)."""

    decide: pl.Series
    see: pl.Series
    phones: pl.Series


def _scope(
    forms: pl.DataFrame,
    old: pl.DataFrame,
    generic: pl.Series,
    rarity: pl.DataFrame,
    by_hand: pl.DataFrame,
) -> _Scope:
    """Identities whose link may differ from last night's.

    A link depends on: the rows with the same number (through all numbers that replaced it); for rows without one, the
    persons of that name with all their rows, how many bear the name in the township, and whether the telephone number
    is everybody's. So whatever shares one of these with a change is decided again.
    """
    forms, old = forms.select(SCOPE), old.select(SCOPE)
    both = pl.concat([forms, old])
    added = forms.join(old, on="identity_key", how="anti")
    removed = old.join(forms, on="identity_key", how="anti")
    dated = ["identity_key", "source_class", "id_key", "former_id_key", "first_batch", "last_batch"]
    redated = forms.select(dated).join(old.select(dated), on="identity_key", suffix="_old")
    # Of several register rows with one number the last seen speaks; elsewhere only the first sighting matters.
    several = pl.col("id_key").is_null() | (pl.len().over("source_class", "id_key") > 1)
    is_register = pl.col("source_class") == passes.REGISTER
    redated = redated.filter(
        (pl.col("first_batch") != pl.col("first_batch_old"))
        # Its holder is born by now.
        | pl.col("id_key").ne_missing(pl.col("id_key_old"))
        | pl.col("former_id_key").ne_missing(pl.col("former_id_key_old"))
        | ((pl.col("last_batch") != pl.col("last_batch_old")) & is_register & several)
    )
    keys = pl.concat([added["identity_key"], redated["identity_key"], by_hand["identity_key"]])
    keys = pl.concat([keys, old.filter(pl.col("pass_id") == "H")["identity_key"]]).unique()
    changed = pl.concat([both.filter(_among("identity_key", keys)), removed])

    pairs = pl.concat([_event_pairs(forms), _event_pairs(old)]).unique()
    numbers = pl.concat([changed["id_key"], changed["former_id_key"], changed["node"], by_hand["node"]])
    # Under a number whose holder is called otherwise, it matters who on the register bears the name of the row.
    registered = _names_of(changed.filter(pl.col("source_class") == passes.REGISTER))
    doubtful = both.filter(
        pl.col("id_key").is_not_null()
        & (pl.col("pass_id").is_null() | pl.col("pass_id").str.contains("-", literal=True))
        & _among("name_key", registered)
    )
    numbers = pl.concat([numbers, doubtful["id_key"], doubtful["node"]])
    numbers = _with_neighbours(numbers, pairs)
    block = both.filter(
        _among("id_key", numbers) | _among("former_id_key", numbers) | _among("node", numbers)
    )
    block = pl.concat([block, changed])

    old_generic = normalise.generic_phones(old)
    phones = pl.concat(
        [
            generic.filter(~generic.is_in(old_generic.implode())),
            old_generic.filter(~old_generic.is_in(generic.implode())),
        ]
    )
    before = passes.name_rarity(old)
    everyone = ["township", "name_key", "people"]
    names_here = pl.concat(
        [rarity.join(before, on=everyone, how="anti"), before.join(rarity, on=everyone, how="anti")]
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
    reached = pl.concat(
        [
            residue.filter(_among("name_key", _names_of(block)))["identity_key"],
            residue.filter(_among("phone_key", phones))["identity_key"],
            residue.join(names_here, on=["township", "name_key"], how="semi")["identity_key"],
            forms.filter(_among("resident_id", raw))["identity_key"],
            forms.filter(_among("identity_key", changed["identity_key"]))["identity_key"],
        ]
    ).unique()
    fellows = residue.filter(_among("name_key", residue.filter(_among("identity_key", reached))["name_key"]))
    decide = pl.concat(
        [
            forms.filter(_among("identity_key", block["identity_key"]))["identity_key"],
            reached,
            fellows["identity_key"],
        ]
    ).unique()

    # To be seen: every person of the names that are without a number, with all rows under their numbers.
    rows = forms.filter(_among("identity_key", decide))
    unnumbered = rows.filter(pl.col("id_key").is_null())
    holders = pl.concat(
        [
            forms.filter(_among("name_key", unnumbered["name_key"])),
            forms.filter(_among("resident_id", unnumbered["resident_id"])),
            rows,
        ]
    )
    numbers = _with_neighbours(holders["id_key"], pairs)
    # Of numbers that stand under several names: whoever on the register bears one of them.
    under_number = forms.filter(_among("id_key", numbers) & pl.col("name_key").is_not_null())
    several_names = under_number.filter(
        (pl.col("name_key").n_unique().over("id_key") > 1)
        | _among("id_key", pl.concat([pairs["old"], pairs["new"]]))
    )
    namesakes = forms.filter(
        (pl.col("source_class") == passes.REGISTER) & _among("name_key", _names_of(several_names))
    )
    holders = pl.concat([holders, namesakes])
    spoiled = holders.filter(pl.col("id_key").is_null())["resident_id"]
    numbers = _with_neighbours(holders["id_key"], pairs)
    see = pl.concat(
        [
            forms.filter(_among("id_key", numbers))["identity_key"],
            forms.filter(_among("resident_id", spoiled))["identity_key"],
            holders["identity_key"],
        ]
    ).unique()
    return _Scope(decide=decide, see=see, phones=phones)


def _decide(
    forms: pl.DataFrame,
    previous: Spine | None,
    forced: pl.DataFrame,
    forbidden: pl.DataFrame,
    key: opaque.Key,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.Series | None]:
    """Links and conflicts of all identities by node, description of the nodes looked at, counts, and what was decided.

    The last is null when everything was.
    """
    generic, rarity = normalise.generic_phones(forms), passes.name_rarity(forms)
    if previous is None or previous.keys is None or previous.nodes is None:
        done = passes.decide(forms, generic, rarity, forced, forbidden, key)
        return done.links, done.conflicts, done.nodes, done.counts, None
    old = previous.keys
    known = forms.select(c for c in SCOPE if c not in ("node", "pass_id")).join(
        old.select("identity_key", "node", "pass_id", "grade", "conflict", "conflict_node"),
        on="identity_key",
        how="left",
    )
    scope = _scope(known, old, generic, rarity, pl.concat([forced, forbidden]))
    seen = forms.filter(_among("identity_key", scope.see))
    done = passes.decide(seen, generic, rarity, forced, forbidden, key)
    untouched = known.filter(~_among("identity_key", scope.decide))
    links = pl.concat(
        [
            untouched.filter(pl.col("node").is_not_null()).select(passes.LINK_SCHEMA.names()),
            done.links.filter(_among("identity_key", scope.decide)),
        ]
    ).sort("identity_key")
    conflicts = pl.concat(
        [
            untouched.filter(pl.col("conflict").is_not_null()).select(
                "identity_key", pl.col("conflict_node").alias("node"), pl.col("conflict").alias("kind")
            ),
            done.conflicts.filter(_among("identity_key", scope.decide)),
        ]
    ).sort("identity_key", "node")
    # Nodes whose telephone number became, or is no longer, everybody's are described anew as well.
    decided = pl.concat(
        [scope.decide, forms.filter(_among("phone_key", scope.phones))["identity_key"]]
    ).unique()
    elsewhere = previous.nodes.join(done.nodes, on="node", how="anti").join(links, on="node", how="semi")
    nodes = pl.concat([elsewhere, done.nodes]).sort("node")
    return links, conflicts, nodes, done.counts, decided


def _weighed(
    forms: pl.DataFrame,
    links: pl.DataFrame,
    previous: Spine | None,
    forced: pl.DataFrame,
    forbidden: pl.DataFrame,
    model: Model,
) -> tuple[pl.DataFrame, pl.Series]:
    """Tonight's links of the engine, and the identities for which they are others than last night."""
    found = residue.weigh(forms, links, normalise.generic_phones(forms), forced, forbidden, model)
    if previous is None or previous.weighed is None:
        return found, found["identity_key"]
    what = ["identity_key", "node", "pass_id", "grade", "words_zh"]
    changed = pl.concat(
        [
            found.join(previous.weighed, on=what, how="anti")["identity_key"],
            previous.weighed.join(found, on=what, how="anti")["identity_key"],
        ]
    )
    return found, changed.unique()


def _named_by(
    forms: pl.DataFrame, decisions: pl.DataFrame | None, previous: Spine | None, key: opaque.Key
) -> pl.DataFrame | None:
    """Nodes of the identities by which decisions name persons: `identity_key`, `node`.

    What stands under a number is the person of that number, also after a rebuild; what stood elsewhere last night
    is that person. A number that the register gives to several names names nobody.
    """
    if decisions is None or "person_key" not in decisions.columns:
        return None
    rows = forms.filter(_among("identity_key", decisions["person_key"]))
    if rows.is_empty():
        return None
    columns = ["identity_key", "node"]
    register = forms.filter(pl.col("source_class") == passes.REGISTER)
    shared = register.group_by("id_key").agg(pl.col("name_key").n_unique()).filter(pl.col("name_key") > 1)
    by_number = (
        passes.effective_ids(forms)
        .join(rows, on="identity_key", how="semi")
        .join(shared, left_on="node", right_on="id_key", how="anti")
    )
    own = passes.own_nodes(
        rows.filter((pl.col("source_class") == passes.REGISTER) & pl.col("name_key").is_not_null()), key
    )
    found = [by_number.select(columns), own.join(by_number, on="identity_key", how="anti")]
    if previous is not None:
        before = (
            previous.links.join(rows, on="identity_key", how="semi")
            .join(previous.persons.select("person_id", pl.col("spine_key").alias("node")), on="person_id")
            .select(
                *columns, (pl.col("node").str.starts_with("R:") | (pl.col("pass_id") == "H")).alias("_first")
            )
        )
        found = [
            before.filter("_first").select(columns),
            by_number.select(columns),
            before.select(columns),
            own,
        ]
    return pl.concat(found).unique("identity_key", keep="first", maintain_order=True)


def _layered(links: pl.DataFrame, weighed: pl.DataFrame) -> pl.DataFrame:
    """Links of the passes, with those of the engine where the passes said nothing or asked for a review."""
    return pl.concat(
        [links.join(weighed, on="identity_key", how="anti"), weighed.select(links.columns)]
    ).sort("identity_key")


def _claims(
    links: pl.DataFrame, touched: pl.Series, previous: Spine, pairs: pl.DataFrame, revived: pl.DataFrame
) -> pl.DataFrame:
    """Which person of last night may be which node of tonight: `node`, `person_id`, `shared` identities, `by`.

    By identities that both have; then by the same number; then by a number that the police replaced.
    """
    mine = links.filter(_among("node", touched))
    shared = (
        mine.join(previous.links.select("identity_key", "person_id"), on="identity_key")
        .group_by("node", "person_id")
        .agg(pl.len().cast(pl.Int64).alias("shared"))
    )
    nodes = mine.select("node").unique()
    same = revived.join(nodes, left_on="spine_key", right_on="node", how="semi").select(
        pl.col("spine_key").alias("node"), "person_id", pl.lit(0, dtype=pl.Int64).alias("shared")
    )
    replaced = (
        pairs.filter(pl.col("old") != pl.col("new"))
        .join(nodes, left_on="new", right_on="node", how="semi")
        .join(revived, left_on="old", right_on="spine_key")
        .select(pl.col("new").alias("node"), "person_id", pl.lit(-1, dtype=pl.Int64).alias("shared"))
    )
    return pl.concat([shared, same, replaced]).group_by("node", "person_id").agg(pl.col("shared").max())


def _described(
    members: pl.DataFrame, nodes: pl.DataFrame, identities: pl.DataFrame, generic: pl.Series
) -> pl.DataFrame:
    """What is known of each node: the descriptive columns of `PERSONS` and `node`.

    `members` has `identity_key`, `node`, `grade`. What stands in review (grade C) describes nobody.
    """
    rows = members.filter(pl.col("grade") != "C").join(identities, on="identity_key")
    best = rows.sort("node", "tier", "last_batch", "identity_key", descending=[False, False, True, False])
    latest = rows.sort("node", "first_batch", "tier", "identity_key", descending=[False, True, False, False])
    usable = ~pl.col("phone_key").is_in(generic.implode())
    first_of = (
        best.group_by("node", maintain_order=True)
        .agg(
            pl.col("address").drop_nulls().first(),
            pl.col("village_code").drop_nulls().first(),
            pl.col("household_no").filter(pl.col("tier") == 1).drop_nulls().first(),
            pl.col("sex").drop_nulls().first().alias("_sex"),
            pl.col("birth_stated").drop_nulls().first().alias("_birth"),
            pl.col("former_name").drop_nulls().unique().sort().alias("former_names"),
            (pl.col("source_class") == passes.REGISTER).any().alias("is_registered"),
        )
        .join(
            latest.filter(pl.col("phone_key").is_not_null() & usable)
            .group_by("node", maintain_order=True)
            .agg(pl.col("phone_key").first().alias("phone")),
            on="node",
            how="left",
        )
    )
    is_number = pl.col("node").str.contains(r"^[0-9]{17}[0-9X]$")
    return (
        nodes.select("node", "person_name", "birth", "sex")
        .join(members.select("node").unique(), on="node", how="semi")
        .join(first_of, on="node", how="left")
        .with_columns(
            pl.when(is_number).then("node").alias("resident_id"),
            pl.coalesce("birth", "_birth").alias("birth_date"),
            pl.when(is_number & pl.col("birth").is_not_null())
            .then(pl.lit("resident_id"))
            .when(pl.coalesce("birth", "_birth").is_not_null())
            .then(pl.lit("stated"))
            .alias("birth_date_basis"),
            pl.coalesce("sex", "_sex").alias("sex"),
            pl.col("is_registered").fill_null(False),
            pl.col("former_names")
            .fill_null([])
            .list.set_difference(pl.concat_list("person_name"))
            .list.sort(),
        )
    )


def resolve(
    identities: pl.DataFrame,
    previous: Spine | None,
    decisions: pl.DataFrame | None,
    as_of: date,
    key: opaque.Key = opaque.PUBLIC,
    model: Model | None = None,
) -> SpineResult:
    """Tonight's persons and links, from all identities as of tonight, last night's state and human decisions.

    `identities` comes from `feeding.identities`; `previous` is null on the first night; `key` is the one under which
    `identities` and `previous` were made (`rekeying` brings a state under another key); `model` are the rates by which
    the engine weighs, those of the software when null. Ids that were given stay;
    the same inputs give the same frames, whatever the order of rows. Raises `decisions.DecisionError` for decisions
    that lack a part. Everything returned has a total order.
    """
    identities = identities.sort("identity_key")
    forms = _forms(identities, previous, as_of)
    pairs = _event_pairs(forms)
    forced, forbidden, unknown = human.settled(
        decisions, as_of, previous.persons if previous else None, _named_by(forms, decisions, previous, key)
    )
    successors = pairs.rename({"old": "node", "new": "_new"})
    forbidden = pl.concat(
        [
            forbidden,
            forbidden.join(successors, on="node").select("identity_key", pl.col("_new").alias("node")),
        ]
    ).unique()
    by_pass, conflicts, nodes, counts, decided = _decide(forms, previous, forced, forbidden, key)
    weighed, reweighed = _weighed(forms, by_pass, previous, forced, forbidden, model or residue.rates())
    # Whose number it is stays open until a person says so, unless the engine is sure whose row it is.
    disputed = pl.col("grade").is_in(["C"]) & _among("identity_key", conflicts["identity_key"])
    answered = weighed.filter(pl.col("grade") != "C")
    links = _layered(by_pass, weighed.filter(~disputed))
    by_pass_conflicts = conflicts
    conflicts = conflicts.join(answered, on="identity_key", how="anti")
    if decided is not None:
        decided = pl.concat([decided, reweighed]).unique()

    before = previous or Spine(
        persons=PERSONS.to_frame(), links=LINKS.to_frame(), conflicts=CONFLICTS.to_frame()
    )
    active = before.persons.filter(pl.col("status") == "active")
    gone = before.links.join(identities.select("identity_key"), on="identity_key", how="anti")
    if decided is None:
        touched = links["node"].unique()
        stirred = active["person_id"]
    else:
        earlier = before.links.filter(_among("identity_key", decided))
        stirred = pl.concat([gone["person_id"], earlier["person_id"]]).unique()
        touched = pl.concat(
            [
                links.filter(_among("identity_key", decided))["node"],
                active.filter(_among("person_id", stirred))["spine_key"],
            ]
        ).unique()
        stirred = pl.concat([stirred, active.filter(_among("spine_key", touched))["person_id"]]).unique()
        # A person may be claimed through rows that lie in other nodes: those are looked at as well.
        touched = pl.concat(
            [
                touched,
                links.filter(
                    _among("identity_key", before.links.filter(_among("person_id", stirred))["identity_key"])
                )["node"],
            ]
        ).unique()
    claimable = before.persons.filter(_among("person_id", stirred) | (pl.col("status") == "retired")).select(
        "spine_key", "person_id"
    )
    given = continuity.best_first(_claims(links, touched, before, pairs, claimable), "node", "person_id")

    mine = links.filter(_among("node", touched))
    fresh = (
        mine.join(given, on="node", how="anti")
        .join(identities.select("identity_key", "first_batch"), on="identity_key")
        .group_by("node")
        .agg(pl.col("first_batch").min(), pl.col("identity_key").min())
        .with_columns(pl.col("node").str.contains(r"^[0-9]").alias("_numbered"))
        .sort("_numbered", "node", "first_batch", "identity_key", descending=[True, False, False, False])
    )
    highest = int(before.persons["person_id"].max() or 0)  # type: ignore[arg-type]
    minted = (
        fresh.select("node").with_row_index("person_id", offset=highest + 1).cast({"person_id": pl.Int64})
    )
    owners = pl.concat([given.select("node", "person_id"), minted.select("node", "person_id")])

    # Links: rows of nodes that were not touched stay as they are.
    again = mine.join(owners, on="node").join(
        identities.select("identity_key", "source_class", "role"), on="identity_key"
    )
    again = again.join(
        before.links.select(
            "identity_key", "person_id", "pass_id", pl.col("linked_on").alias("_since"), "grade"
        ),
        on=["identity_key", "person_id", "pass_id", "grade"],
        how="left",
    ).with_columns(
        pl.coalesce("_since", pl.lit(as_of)).alias("linked_on"),
        explain.reason_zh(pl.col("pass_id")).alias("reason_zh"),
    )
    again = again.join(
        weighed.select("identity_key", "words_zh"), on="identity_key", how="left"
    ).with_columns(pl.coalesce("words_zh", "reason_zh").alias("reason_zh"))
    kept = before.links
    if decided is None:
        kept = kept.clear()
    else:
        kept = kept.join(again, on="identity_key", how="anti").filter(~_among("person_id", stirred))
    new_links = pl.concat([kept, again.select(LINKS.names())]).sort("identity_key")

    # Persons.
    generic = normalise.generic_phones(forms)
    full = identities.drop("birth_date").join(
        forms.select("identity_key", "phone_key", "birth_stated"), on="identity_key"
    )
    described = _described(mine, nodes, full.filter(_among("identity_key", mine["identity_key"])), generic)
    described = described.join(owners, on="node").join(
        before.persons.select("person_id", pl.col("created_on").alias("_created")), on="person_id", how="left"
    )
    described = described.with_columns(
        (~pl.col("is_registered")).alias("is_provisional"),
        pl.coalesce("_created", pl.lit(as_of)).alias("created_on"),
        pl.lit("active").alias("status"),
        pl.lit(None, dtype=pl.Int64).alias("absorbed_into"),
        pl.col("node").alias("spine_key"),
    ).select(PERSONS.names())
    homeless = active.filter(_among("person_id", stirred)).join(described, on="person_id", how="anti")
    whereto = (
        homeless.select("person_id")
        .join(before.links.select("identity_key", "person_id"), on="person_id")
        .join(new_links.select("identity_key", pl.col("person_id").alias("other")), on="identity_key")
        .group_by("person_id", "other")
        .len()
        .sort("person_id", "len", "other", descending=[False, True, False])
        .unique("person_id", keep="first", maintain_order=True)
    )
    by_number = (
        homeless.join(pairs, left_on="spine_key", right_on="old")
        .join(owners.rename({"person_id": "other"}), left_on="new", right_on="node")
        .select("person_id", "other")
        .unique("person_id", keep="first", maintain_order=True)
        .join(whereto, on="person_id", how="anti")
    )
    whereto = pl.concat([whereto.select("person_id", "other"), by_number])
    homeless = homeless.join(whereto, on="person_id", how="left").with_columns(
        pl.when(pl.col("other").is_null())
        .then(pl.lit("retired"))
        .otherwise(pl.lit("absorbed"))
        .alias("status"),
        pl.col("other").alias("absorbed_into"),
    )
    persons = (
        pl.concat(
            [
                before.persons.join(described, on="person_id", how="anti").join(
                    homeless, on="person_id", how="anti"
                ),
                described,
                homeless.select(PERSONS.names()),
            ]
        )
        .cast(PERSONS)
        .sort("person_id")
    )

    events = _events(before, active, described, minted, mine, homeless, as_of)
    owner_of = persons.filter(pl.col("status") == "active").select("spine_key", "person_id")
    new_conflicts = (
        conflicts.join(identities.select("identity_key", "source_class"), on="identity_key")
        .join(owner_of, left_on="node", right_on="spine_key", how="left")
        .join(
            before.conflicts.select("identity_key", "kind", pl.col("since").alias("_since")),
            on=["identity_key", "kind"],
            how="left",
        )
        .with_columns(
            ("K" + pl.col("identity_key").str.slice(0, 16)).alias("conflict_id"),
            explain.conflict_zh(pl.col("kind")).alias("reason_zh"),
            pl.coalesce("_since", pl.lit(as_of)).alias("since"),
        )
        .select(CONFLICTS.names())
        .cast(CONFLICTS)
        .sort("conflict_id")
    )
    if unknown:
        counts = pl.concat(
            [counts, pl.DataFrame({"what": ["decisions about unknown persons"], "identities": [unknown]})]
        )
    keys = (
        forms.select(KEYS)
        .join(by_pass, on="identity_key", how="left")
        .join(
            by_pass_conflicts.select(
                "identity_key", pl.col("kind").alias("conflict"), pl.col("node").alias("conflict_node")
            ),
            on="identity_key",
            how="left",
        )
        .sort("identity_key")
    )
    per_grade = (
        weighed.filter(_among("identity_key", reweighed))
        .group_by("pass_id")
        .len("identities")
        .sort("pass_id")
    )
    counts = pl.concat(
        [
            counts,
            per_grade.select(
                pl.format("{} linked", "pass_id").alias("what"), pl.col("identities").cast(pl.Int64)
            ),
        ]
    )
    return SpineResult(
        persons=persons,
        links=new_links,
        conflicts=new_conflicts,
        keys=keys,
        nodes=nodes,
        weighed=weighed,
        events=events,
        counts=counts,
    )


def _events(
    before: Spine,
    active: pl.DataFrame,
    described: pl.DataFrame,
    minted: pl.DataFrame,
    mine: pl.DataFrame,
    homeless: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """What happened to persons tonight; see `EVENTS`.

    A provisional person whom the register confirms keeps the id (`absorb` without another person). Two provisional
    persons, or one and a registered one, becoming one is `absorb`; two registered ones is `merge`.
    """
    nobody = pl.lit(None, dtype=pl.Int64).alias("other_person_id")

    def rows(frame: pl.DataFrame, event: str, said: str, other: pl.Expr = nobody) -> pl.DataFrame:
        return frame.select(
            pl.lit(event).alias("event"),
            "person_id",
            other,
            pl.lit(as_of).alias("on"),
            pl.lit(explain.EVENTS_ZH[said]).alias("reason_zh"),
        )

    came_from = (
        mine.join(minted, on="node")
        .join(before.links.select("identity_key", pl.col("person_id").alias("other")), on="identity_key")
        .group_by("person_id", "other")
        .len()
        .sort("person_id", "len", "other", descending=[False, True, False])
        .unique("person_id", keep="first", maintain_order=True)
    )
    was = before.persons.select(
        "person_id", pl.col("is_provisional").alias("_was"), pl.col("status").alias("_status")
    )
    now = described.join(was, on="person_id")
    gone = homeless.filter(pl.col("status") == "absorbed")
    other = pl.col("absorbed_into").alias("other_person_id")
    return (
        pl.concat(
            [
                rows(minted.join(came_from, on="person_id", how="anti"), "create", "create"),
                rows(came_from, "split", "split", pl.col("other").alias("other_person_id")),
                rows(now.filter(pl.col("_status") == "retired"), "create", "return"),
                rows(now.filter(pl.col("_was") & pl.col("is_registered")), "absorb", "confirm"),
                rows(gone.filter(~pl.col("is_registered")), "absorb", "absorb", other),
                rows(gone.filter(pl.col("is_registered")), "merge", "merge", other),
                rows(homeless.filter(pl.col("status") == "retired"), "retire", "retire"),
            ]
        )
        .cast(EVENTS)
        .sort("person_id", "event", "other_person_id")
    )
