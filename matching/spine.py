"""Persons whose ids never change meaning from night to night, and which identities are theirs.

An id is minted once, in an order that depends on what is known and not on the order of rows, and is never used for
anybody else. Only identities that are new, changed, gone, or stand where something changed are decided again; the
outcome is the same as deciding all of them. How an identity is linked belongs in `passes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import polars as pl

from data_contracts import opaque
from matching import continuity, explain, normalise, passes, provisional, residue, software
from matching import decisions as human
from matching.census import Census
from matching.model import Model
from matching.residue import People
from matching.scope import event_pairs, reached
from matching.tonight import (
    AT,
    DECIDED,
    LIVE,
    Tonight,
    after,
    among,
    beside,
    compacted,
    first,
    living,
    packed,
)

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
ANSWERED = pl.Schema(
    {
        "identity_key": pl.String(),
        "source_class": pl.String(),
        "kind": pl.String(),
        "person_id": pl.Int64(),
        "linked_to": pl.Int64(),
        "pass_id": pl.String(),
        "answered_on": pl.Date(),
        "reason_zh": pl.String(),
    }
)
"""Conflicts of the passes that are none any more: whose number it is (`person_id`), whose record it is by all other evidence
(`linked_to`), and since which night that is known."""
EVENTS = pl.Schema(
    {
        "event": pl.String(),
        "person_id": pl.Int64(),
        "other_person_id": pl.Int64(),
        "on": pl.Date(),
        "reason_zh": pl.String(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Spine:
    """The state of a night that the next night needs. Without `keys`, `nodes`, `weighed`, `known`, or where another `software`
    made them, everything is decided anew, and ids stay.

    `persons`, `links`, `conflicts`: see `PERSONS`, `LINKS`, `CONFLICTS`. `keys`: comparing forms by identity (in no order, the dead among
    them: `tonight.LIVE`), with the node, pass, grade and conflict that the passes gave each. `nodes`: whom each node of the passes names
    (`passes.Decided`). `weighed`: the engine's links (`residue.WEIGHED`). `known`: the persons as the engine sees them. `census`: among whom it is counted
    how common values are. `software`: digest (`software.digest`) of what read and decided. All are restricted: they hold
    identifying data.
    """

    persons: pl.DataFrame
    links: pl.DataFrame
    conflicts: pl.DataFrame
    answered: pl.DataFrame | None = None
    """Conflicts that found an answer (`ANSWERED`)."""
    keys: pl.DataFrame | None = None
    nodes: pl.DataFrame | None = None
    weighed: pl.DataFrame | None = None
    known: People | None = None
    census: Census | None = None
    software: str | None = None

    def read_by(self, digest: str) -> Self:
        """The same, without what other software made of identities and persons, or what is not there in full."""
        parts = (self.keys, self.nodes, self.weighed, self.known)
        if self.software == digest and all(part is not None for part in parts):
            return self
        return replace(self, keys=None, nodes=None, weighed=None, known=None)

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame]) -> Self:
        """The state from frames by name, as `SpineResult.frames` gave them."""
        return cls(
            persons=frames["persons"],
            links=frames["links"],
            conflicts=frames["conflicts"],
            answered=frames.get("answered"),
            keys=packed(frames["keys"]) if "keys" in frames else None,
            nodes=frames.get("nodes"),
            weighed=frames.get("weighed"),
            known=People(frames["people"], frames["traits"]) if {"people", "traits"} <= set(frames) else None,
            census=Census.of(frames) if set(Census.FRAMES) <= set(frames) else None,
            software=frames["software"].item() if "software" in frames else None,
        )


@dataclass(frozen=True, kw_only=True)
class SpineResult(Spine):
    """A night's outcome: the state, what happened to persons (`events`), what each pass did (`counts`), and what each key of
    the engine gave and lost among those that were weighed tonight (`blocks`, `residue.BLOCKS`)."""

    events: pl.DataFrame
    counts: pl.DataFrame
    blocks: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything that is stored, by name."""
        found = {
            name: getattr(self, name)
            for name in ("persons", "links", "conflicts", "events", "counts", "blocks")
        }
        kept = {
            "keys": self.keys,
            "nodes": self.nodes,
            "weighed": self.weighed,
            "answered": self.answered,
        }
        if self.known is not None:
            kept |= {"people": self.known.people, "traits": self.known.traits}
        if self.census is not None:
            kept |= self.census.frames()
        kept["software"] = pl.DataFrame({"digest": [self.software]}, schema={"digest": pl.String})
        return found | {name: frame for name, frame in kept.items() if frame is not None}


def _decide(
    tonight: Tonight,
    forms: pl.DataFrame | None,
    previous: Spine | None,
    forced: pl.DataFrame,
    forbidden: pl.DataFrame,
    key: opaque.Key,
) -> _Decided:
    """Links and conflicts of the passes. `forms` of all identities where nothing is known from last night."""
    if previous is None or previous.keys is None or previous.nodes is None or forms is not None:
        all_forms = tonight.forms(tonight.rows) if forms is None else forms
        done = passes.decide(
            all_forms,
            normalise.generic_phones(all_forms),
            passes.name_rarity(all_forms),
            forced,
            forbidden,
            key,
        )
        keys = _with_outcome(tonight.rows, done)
        return _Decided(keys, done.nodes, done.counts, None, None)
    scope = reached(
        tonight, previous.keys.lazy().filter(LIVE), previous.nodes, pl.concat([forced, forbidden])
    )
    seen_at = tonight.rows.select(pl.arg_where(among("identity_key", scope.see) & pl.col(LIVE))).to_series()
    seen_rows = tonight.rows[seen_at]
    order = seen_rows["identity_key"].arg_sort()
    seen_at, seen_rows = seen_at.gather(order), seen_rows[order]
    seen = tonight.forms(seen_rows)
    generic = generic_among(tonight.searched, seen["phone_key"])
    # All who bear a name that somebody without a number has are seen, and so counted.
    done = passes.decide(seen, generic, passes.name_rarity(seen), forced, forbidden, key)
    is_decided = seen_rows.select(among("identity_key", scope.decide)).to_series()
    decided, at = seen_rows.filter(is_decided), seen_at.filter(is_decided)
    now = _with_outcome(decided, done)
    is_late = at >= tonight.known
    is_other = now.select(
        pl.any_horizontal(pl.col(c).ne_missing(decided[c]) for c in DECIDED.names()) | is_late
    ).to_series()
    other, late = now.filter(is_other), tonight.rows[tonight.known :]
    late = pl.concat([other, late.filter(~among("identity_key", other["identity_key"]))])
    keys = tonight.rows[: tonight.known]
    if len(late):
        stays = keys[LIVE].to_numpy(writable=True)
        stays[at.filter(is_other & ~is_late).to_numpy()] = False
        keys = pl.concat([keys.with_columns(beside(keys, LIVE, stays)), late], rechunk=False)
    # Nodes whose telephone number became, or is no longer, everybody's are described anew as well.
    again = (
        keys.lazy()
        .filter(
            pl.col(LIVE),
            among("phone_key", scope.phones) | among("identity_key", tonight.earlier["identity_key"]),
        )
        .select("identity_key", "node", "phone_key")
        .collect()
    )
    was = pl.concat([tonight.gone, tonight.earlier])
    evidence = pl.concat([f["node"] for f in (decided.filter(is_other), other, was, again)])
    evidence = evidence.drop_nulls().unique()
    still = keys.lazy().filter(pl.col(LIVE), among("node", evidence)).select(pl.col("node").unique())
    left = still.collect()["node"]
    known = done.nodes.filter(among("node", now["node"]))
    gone = pl.concat([evidence.filter(~evidence.is_in(left.implode())), known["node"]])
    return _Decided(
        keys,
        previous.nodes.filter(~among("node", gone)).merge_sorted(known, "node"),
        done.counts,
        pl.concat([other["identity_key"], again["identity_key"]]).unique(),
        evidence,
    )


@dataclass(frozen=True)
class _Decided:
    """Tonight's `keys` with what the passes made of them, description of the nodes, counts, what was decided again, and
    the nodes about which other identities speak than last night; the last two are null when everything was."""

    keys: pl.DataFrame
    nodes: pl.DataFrame
    counts: pl.DataFrame
    decided: pl.Series | None
    changed: pl.Series | None


def _with_outcome(rows: pl.DataFrame, done: passes.Decided) -> pl.DataFrame:
    conflicts = done.conflicts.select(
        "identity_key", pl.col("kind").alias("conflict"), pl.col("node").alias("conflict_node")
    )
    return (
        rows.drop(DECIDED.names())
        .join(done.links, on="identity_key", how="left", maintain_order="left")
        .join(conflicts, on="identity_key", how="left", maintain_order="left")
        .select(rows.columns)
    )


def generic_among(rows: pl.LazyFrame, phones: pl.Series) -> pl.Series:
    """Those of some telephones that prove nothing, by all identities."""
    some = rows.select("phone_key", "name_key").filter(among("phone_key", phones.drop_nulls().unique()))
    return normalise.generic_phones(some.collect())


def _known(tonight: Tonight, made: _Decided, forms: pl.DataFrame | None, previous: Spine | None) -> People:
    """The persons of the passes as the engine sees them."""
    proves = pl.col("node").is_not_null() & (pl.col("grade") != "C")
    before = None if previous is None else previous.known
    if before is None or made.changed is None:
        rows = living(made.keys)
        members = rows.filter(proves)
        generic = normalise.generic_phones(rows)
        return residue.people(_members(tonight, members, forms), generic)
    searched = made.keys.lazy().filter(LIVE)
    members = searched.filter(proves & among("node", made.changed)).collect()
    generic = generic_among(searched, members["phone_key"])
    return residue.renewed(before, residue.people(_members(tonight, members, None), generic), made.changed)


def _members(tonight: Tonight, rows: pl.DataFrame, forms: pl.DataFrame | None) -> pl.DataFrame:
    columns = residue.DESCRIBING
    forms = forms.select(columns)[rows[AT].to_numpy()] if forms is not None else tonight.forms(rows, columns)
    return forms.with_columns(rows["node"])


def _weighed(
    tonight: Tonight,
    made: _Decided,
    known: People,
    previous: Spine | None,
    forced: pl.DataFrame,
    forbidden: pl.DataFrame,
    decisions: pl.DataFrame | None,
    model: Model,
    census: Census,
) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Tonight's links of the engine, the identities for which they are others than last night, and `residue.BLOCKS` of tonight.

    Under the count of last night only those are weighed that are open since tonight or other, about whom somebody decided,
    or that agree in a key with a person who is seen otherwise than last night.
    """
    keys = made.keys.lazy().filter(LIVE)
    settled = (pl.col("grade") != "C") | (pl.col("pass_id") == "H")
    rows = keys.filter(
        (pl.col("node").is_null() | ~settled)
        & pl.col("name_key").is_not_null()
        & ~among("identity_key", forced["identity_key"])
    ).collect()
    generic = generic_among(keys, rows["phone_key"])
    counted = None if census.people is known else census.people
    if (
        previous is None
        or previous.weighed is None
        or previous.known is None
        or made.decided is None
        or made.changed is None
        or previous.census is not census
        or min(previous.known.people.height, known.people.height) < residue.FEWEST_PERSONS
    ):
        found, blocks = residue.weigh(known, tonight.forms(rows), generic, forbidden, model, counted)
    else:
        others = residue.differing(previous.known, known, made.changed)
        asked = [made.decided] if decisions is None else [made.decided, decisions["identity_key"]]
        forms = tonight.forms(rows)
        again = pl.concat([*asked, residue.meeting(others, forms, generic)])
        is_again = among("identity_key", again)
        found, blocks = residue.weigh(known, forms.filter(is_again), generic, forbidden, model, counted)
        stays = previous.weighed.filter(~is_again & among("identity_key", rows["identity_key"]))
        found = stays.merge_sorted(found, "identity_key")
    if previous is None or previous.weighed is None:
        return found, found["identity_key"], blocks
    what = ["identity_key", "node", "pass_id", "grade", "words_zh"]
    changed = pl.concat(
        [
            found.join(previous.weighed, on=what, how="anti")["identity_key"],
            previous.weighed.join(found, on=what, how="anti")["identity_key"],
        ]
    )
    return found, changed.unique(), blocks


def _named_by(
    tonight: Tonight, decisions: pl.DataFrame | None, previous: Spine | None, key: opaque.Key
) -> pl.DataFrame | None:
    """Nodes of the identities by which decisions name persons: `identity_key`, `node`.

    What stands under a number is the person of that number, also after a rebuild; what stood elsewhere last night
    is that person. A number that the register gives to several names names nobody. A record without a number names itself,
    whoever it is given to: a link of the machine is not made certain by a decision that was about the record.
    """
    if decisions is None or "person_key" not in decisions.columns:
        return None
    forms = living(tonight.rows)
    rows = forms.filter(among("identity_key", decisions["person_key"]))
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
    itself = (provisional.PREFIX + pl.col("identity_key")).alias("node")
    nameable = pl.col("id_key").is_null() & (pl.col("source_class") != passes.REGISTER)
    found = [rows.filter(nameable).select("identity_key", itself), *found]
    is_provisional = pl.col("node").str.starts_with(provisional.PREFIX)
    return (
        pl.concat(found)
        .unique("identity_key", keep="first", maintain_order=True)
        .with_columns(pl.when(is_provisional).then(itself).otherwise("node").alias("node"))
    )


def _kept_from(apart: pl.DataFrame, previous: Spine | None) -> pl.DataFrame:
    """Who is not the person of a record is not the one, either, to whom that record was linked last night."""
    if previous is None or apart.is_empty():
        return human.NODES.to_frame()
    links = previous.links.filter(among("identity_key", apart["other_key"]) & (pl.col("grade") != "C"))
    node = pl.col("spine_key").alias("node")
    return (
        apart.join(links.select(pl.col("identity_key").alias("other_key"), "person_id"), on="other_key")
        .join(previous.persons.select("person_id", node), on="person_id")
        .filter(~pl.col("node").str.starts_with(provisional.PREFIX))
        .select(human.NODES.names())
    )


@dataclass(frozen=True)
class _Links:
    """Links of the passes, with those of the engine where the passes said nothing or asked for a review."""

    keys: pl.LazyFrame
    weighed: pl.DataFrame

    def where(self, chosen: pl.Expr) -> pl.DataFrame:
        """Links that fit; `chosen` looks at `identity_key` or `node`."""
        columns = passes.LINK_SCHEMA.names()
        found = self.keys.filter(chosen).select(columns).collect()
        by_pass = found.filter(
            pl.col("node").is_not_null() & ~among("identity_key", self.weighed["identity_key"])
        )
        return pl.concat([by_pass, self.weighed.select(columns).filter(chosen)])

    def replaced(self, others: pl.DataFrame) -> _Links:
        """The same with other links for some identities."""
        kept = self.weighed.filter(~among("identity_key", others["identity_key"]))
        return _Links(self.keys, pl.concat([kept, others], how="diagonal"))


def _provisional(
    tonight: Tonight,
    keys: pl.LazyFrame,
    links: _Links,
    conflicts: pl.DataFrame,
    beside: pl.DataFrame | None,
    same: pl.DataFrame,
    apart: pl.DataFrame,
    forbidden: pl.DataFrame,
) -> provisional.Found:
    """Tonight's people whom no number names (`provisional.find`): who is linked, in conflict or waits for a review is none."""
    weighed = links.weighed
    taken = pl.concat([weighed["identity_key"], conflicts["identity_key"]])
    may_be_open = pl.col("node").is_null() & pl.col("name_key").is_not_null()
    is_open = may_be_open & ~among("identity_key", taken)
    asked = pl.concat([same["identity_key"], same["other_key"]])
    rows = keys.filter(may_be_open | among("identity_key", asked)).collect()
    rows = rows.with_columns(is_open.alias("is_open")).filter(
        pl.col("is_open") | among("identity_key", asked)
    )
    beside = provisional.BESIDE.to_frame() if beside is None else beside
    beside = beside.filter(among("identity_key", rows["identity_key"]))
    named = [rows["identity_key"], beside["other_key"], asked, apart["identity_key"], apart["other_key"]]
    wanted = among("identity_key", pl.concat(named))
    linked = links.where(wanted).filter(pl.col("grade") != "C").select("identity_key", "node", "grade")
    found = linked.filter(~among("identity_key", same["identity_key"]))
    rows = rows.join(found, on="identity_key", how="anti", maintain_order="left")
    forms = tonight.forms(rows).with_columns(rows["is_open"])
    generic = generic_among(keys, rows["phone_key"])
    register = provisional.registered(keys, rows["birth_stated"].drop_nulls().unique())
    return provisional.find(forms, linked, generic, beside, same, apart, forbidden, register)


def _contested(
    now: pl.DataFrame, earlier: pl.DataFrame, persons: pl.DataFrame, links: pl.DataFrame
) -> pl.Series:
    """Nodes, of those that a change reached, whose person must be found: new and vanished ones, and those between which an
    identity moved. All others are the person that they were.

    `now` and `earlier`: links of what was decided again, tonight and last night; `persons` (`spine_key`, `person_id`): whom
    the change reached; `links`: all of tonight under their nodes.
    """
    moved = (
        now.join(earlier.select("identity_key", "person_id"), on="identity_key")
        .join(persons.rename({"spine_key": "was"}), on="person_id", how="left")
        .filter(pl.col("node").ne_missing(pl.col("was")))
    )
    new = now.filter(~among("node", persons["spine_key"]))["node"]
    # Whom only records for review name is no person.
    here = links.filter(pl.col("grade") != "C")["node"]
    vanished = persons.filter(~among("spine_key", here))["spine_key"]
    return pl.concat([moved["node"], moved["was"], new, vanished]).drop_nulls().unique()


def _claims(mine: pl.DataFrame, previous: Spine, pairs: pl.DataFrame, revived: pl.DataFrame) -> pl.DataFrame:
    """Which person of last night may be which node of tonight: `node`, `person_id`, `shared` identities, `by`.

    By identities that both have; then by the same number; then by a number that the police replaced. What stands in review
    hands no id on: it may be somebody else's.
    """
    sure = pl.col("grade") != "C"
    before = previous.links.filter(sure).select("identity_key", "person_id")
    shared = (
        mine.filter(sure)
        .join(before.filter(among("identity_key", mine["identity_key"])), on="identity_key")
        .group_by("node", "person_id")
        .agg(pl.len().cast(pl.Int64).alias("shared"))
    )
    # Who was known by records without a number gives way to whoever was known by the number.
    ours = previous.persons.filter(pl.col("spine_key").str.starts_with(provisional.PREFIX))["person_id"]
    gives_way = among("person_id", ours) & ~pl.col("node").str.starts_with(provisional.PREFIX)
    shared = shared.with_columns(pl.col("shared") - pl.when(gives_way).then(1 << 40).otherwise(0))
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


_DESCRIBING = [
    "identity_key",
    "source_class",
    "tier",
    "first_batch",
    "last_batch",
    "sex",
    "former_name",
    "address",
    "village_code",
    "household_no",
]


def _described(
    members: pl.DataFrame, nodes: pl.DataFrame, identities: pl.DataFrame, generic: pl.Series
) -> pl.DataFrame:
    """What is known of each node: the descriptive columns of `PERSONS` and `node`.

    `members` has `identity_key`, `node`, `grade`. What stands in review (grade C) describes nobody.
    """
    rows = members.filter(pl.col("grade") != "C").join(identities, on="identity_key")
    best = rows.sort("node", "tier", "last_batch", "identity_key", descending=[False, False, True, False])
    usable = pl.col("phone_key").is_not_null() & ~pl.col("phone_key").is_in(generic.implode())
    latest = rows.filter(usable).sort(
        "node", "first_batch", "tier", "identity_key", descending=[False, True, False, False]
    )
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
            latest.group_by("node", maintain_order=True).agg(pl.col("phone_key").first().alias("phone")),
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
    beside: pl.DataFrame | None = None,
    census: Census | None = None,
) -> SpineResult:
    """Tonight's persons and links, from all identities as of tonight, last night's state and human decisions.

    `identities` comes from `feeding.identities`; `previous` is null on the first night; `key` is the one under which
    `identities` and `previous` were made (`rekeying` brings a state under another key); `model` are the rates by which
    the engine weighs, those of the software when null; `beside` (`provisional.BESIDE`) says who stands in one row with
    whom, for people known by a name and a relative; `census`, among whom it is counted how common values are: last night's
    when null, or tonight's persons when that is due. Ids that were given stay;
    the same inputs give the same frames, whatever the order of rows. Raises `decisions.DecisionError` for decisions
    that lack a part. Everything returned has a total order. What other software made of `previous` is not used: ids, links
    with their dates and conflicts stay, everything is decided anew.
    """
    forms: pl.DataFrame | None = None
    previous = previous and previous.read_by(software.digest())
    if previous is None or previous.keys is None:
        tonight, forms = first(identities, as_of)
        identities = tonight.identities
    else:
        tonight = after(identities, previous.keys, as_of)
    pairs = event_pairs(tonight.searched)
    forced, forbidden, unknown = human.settled(
        decisions,
        as_of,
        previous.persons if previous else None,
        _named_by(tonight, decisions, previous, key),
    )
    successors = pairs.rename({"old": "node", "new": "_new"})
    forbidden = pl.concat(
        [
            forbidden,
            forbidden.join(successors, on="node").select("identity_key", pl.col("_new").alias("node")),
        ]
    ).unique()
    forced, same = provisional.pointers(forced)
    forbidden, apart = provisional.pointers(forbidden)
    forbidden = pl.concat([forbidden, _kept_from(apart, previous)]).unique()
    made = _decide(tonight, forms, previous, forced, forbidden, key)
    keys, nodes, counts, decided = made.keys.lazy().filter(LIVE), made.nodes, made.counts, made.decided
    known = _known(tonight, made, forms, previous)
    model = model or residue.rates()
    held = census or (previous.census if previous else None)
    if held is None or (census is None and held.is_due(known, as_of, model)):
        held = Census.taken(known, as_of, model)
    weighed, reweighed, blocks = _weighed(
        tonight, made, known, previous, forced, forbidden, decisions, model, held
    )
    conflicts = (
        keys.filter(pl.col("conflict").is_not_null())
        .select(
            "identity_key",
            "source_class",
            pl.col("conflict_node").alias("node"),
            pl.col("conflict").alias("kind"),
        )
        .collect()
    )
    # Whose number it is stays open until a person says so, unless the engine is sure whose row it is.
    disputed = pl.col("grade").is_in(["C"]) & among("identity_key", conflicts["identity_key"])
    answered = weighed.filter(pl.col("grade") != "C")
    links = _Links(keys, weighed.filter(~disputed))
    contradicted = conflicts
    conflicts = conflicts.join(answered, on="identity_key", how="anti")
    before = previous or Spine(
        persons=PERSONS.to_frame(), links=LINKS.to_frame(), conflicts=CONFLICTS.to_frame()
    )
    unnamed = provisional.Found.nobody()
    if known.people.height >= residue.FEWEST_PERSONS:
        unnamed = _provisional(tonight, keys, links, conflicts, beside, same, apart, forbidden)
    links = links.replaced(unnamed.links)
    conflicts = conflicts.join(unnamed.links, on="identity_key", how="anti")
    if decided is not None:
        decided = pl.concat([decided, reweighed, unnamed.changed(before.links, before.persons)]).unique()

    active = before.persons.filter(pl.col("status") == "active")
    if decided is None:
        described_too = links.where(pl.lit(True))
        mine, quiet = described_too, described_too.clear()
        stirred = active["person_id"]
        owned = active.select("spine_key", "person_id").clear()
    else:
        now = links.where(among("identity_key", decided))
        earlier = before.links.filter(
            among("identity_key", pl.concat([decided, tonight.gone["identity_key"]]))
        )
        reached_by = active.filter(
            among("person_id", earlier["person_id"]) | among("spine_key", now["node"])
        ).select("spine_key", "person_id")
        touched = pl.concat([now["node"], reached_by["spine_key"]]).unique()
        described_too = links.where(among("node", touched))
        contested = _contested(now, earlier, reached_by, described_too)
        # A person may be claimed through rows that lie in other nodes: those are looked at as well.
        stirred = active.filter(among("spine_key", contested))["person_id"]
        theirs = before.links.filter(among("person_id", stirred))["identity_key"]
        beyond = links.where(among("identity_key", theirs))["node"].unique()
        beyond = beyond.filter(~beyond.is_in(pl.Series([touched])))
        described_too = pl.concat([described_too, links.where(among("node", beyond))])
        is_contested = among("node", pl.concat([contested, beyond]))
        mine = described_too.filter(is_contested)
        quiet = now.filter(~is_contested)
        owned = reached_by.filter(~among("spine_key", contested))
    claimable = before.persons.filter(among("person_id", stirred) | (pl.col("status") == "retired")).select(
        "spine_key", "person_id"
    )
    given = continuity.best_first(_claims(mine, before, pairs, claimable), "node", "person_id")
    if decided is not None:
        keys = keys.filter(among("identity_key", described_too["identity_key"]))
    here = keys.select(
        "identity_key", "source_class", "role", "first_batch", "phone_key", "birth_stated", AT
    ).collect()

    fresh = (
        mine.join(given, on="node", how="anti")
        .join(here.select("identity_key", "first_batch"), on="identity_key")
        .group_by("node")
        .agg(pl.col("first_batch").min(), pl.col("identity_key").min())
        .with_columns(pl.col("node").str.contains(r"^[0-9]").alias("_numbered"))
        .sort("_numbered", "node", "first_batch", "identity_key", descending=[True, False, False, False])
    )
    highest = int(before.persons["person_id"].max() or 0)  # type: ignore[arg-type]
    minted = (
        fresh.select("node").with_row_index("person_id", offset=highest + 1).cast({"person_id": pl.Int64})
    )
    owners = pl.concat(
        [
            given.select("node", "person_id"),
            minted.select("node", "person_id"),
            owned.select(pl.col("spine_key").alias("node"), "person_id"),
        ]
    )

    # Links: rows that were not decided again, of nodes about which nobody quarrels, stay as they are.
    again = pl.concat([mine, quiet])
    again = again.join(owners, on="node").join(
        here.select("identity_key", "source_class", "role"), on="identity_key"
    )
    again = again.join(
        before.links.filter(among("identity_key", again["identity_key"])).select(
            "identity_key", "person_id", "pass_id", pl.col("linked_on").alias("_since"), "grade"
        ),
        on=["identity_key", "person_id", "pass_id", "grade"],
        how="left",
    ).with_columns(
        pl.coalesce("_since", pl.lit(as_of)).alias("linked_on"),
        explain.reason_zh(pl.col("pass_id")).alias("reason_zh"),
    )
    again = again.join(
        weighed.select("identity_key", "node", "words_zh"), on=["identity_key", "node"], how="left"
    ).with_columns(pl.coalesce("words_zh", "reason_zh").alias("reason_zh"))
    kept = before.links
    if decided is None:
        kept = kept.clear()
    else:
        away = pl.concat([again["identity_key"], decided, tonight.gone["identity_key"]])
        kept = kept.filter(~among("identity_key", away) & ~among("person_id", stirred))
    new_links = kept.merge_sorted(again.select(LINKS.names()).sort("identity_key"), "identity_key")

    # Persons.
    generic = generic_among(made.keys.lazy().filter(LIVE), here["phone_key"])
    full = pl.concat(
        [
            identities.select(_DESCRIBING)[here[AT].to_numpy()],
            here.select("phone_key", "birth_stated"),
        ],
        how="horizontal",
    )
    described = _described(described_too, pl.concat([nodes, unnamed.nodes]), full, generic)
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
    homeless = active.filter(among("person_id", stirred)).join(described, on="person_id", how="anti")
    homes = before.links.filter(among("person_id", homeless["person_id"]))
    whereto = (
        homeless.select("person_id")
        .join(homes.select("identity_key", "person_id"), on="person_id")
        .join(
            new_links.filter(among("identity_key", homes["identity_key"]) & (pl.col("grade") != "C")).select(
                "identity_key", pl.col("person_id").alias("other")
            ),
            on="identity_key",
        )
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
        conflicts.join(owner_of, left_on="node", right_on="spine_key", how="left")
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
    settled = contradicted.join(conflicts, on="identity_key", how="anti")
    counts = pl.concat([counts, unnamed.counts])
    if unknown:
        counts = pl.concat(
            [counts, pl.DataFrame({"what": ["decisions about unknown persons"], "identities": [unknown]})]
        )
    per_grade = (
        weighed.filter(among("identity_key", reweighed)).group_by("pass_id").len("identities").sort("pass_id")
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
        answered=_answered(settled, owner_of, new_links, before, as_of),
        keys=compacted(made.keys.drop(AT)),
        nodes=nodes,
        weighed=weighed,
        known=known,
        census=held,
        software=software.digest(),
        events=events,
        counts=counts,
        blocks=blocks,
    )


def _answered(
    conflicts: pl.DataFrame, owner_of: pl.DataFrame, links: pl.DataFrame, before: Spine, as_of: date
) -> pl.DataFrame:
    """Conflicts whose record was linked by other evidence (`ANSWERED`), each with the night since which it is."""
    earlier = ANSWERED.to_frame() if before.answered is None else before.answered
    same = ["identity_key", "kind", "linked_to"]
    how = (
        pl.when(pl.col("pass_id") == "H")
        .then(pl.lit("hand"))
        .when((pl.col("person_id") == pl.col("linked_to")).fill_null(False))
        .then(pl.lit("holder"))
        .otherwise(pl.lit("evidence"))
    )
    mine = links.filter(among("identity_key", conflicts["identity_key"])).select(
        "identity_key", "pass_id", pl.col("person_id").alias("linked_to")
    )
    return (
        conflicts.join(owner_of, left_on="node", right_on="spine_key", how="left")
        .join(mine, on="identity_key")
        .join(earlier.select(*same, pl.col("answered_on").alias("_since")).unique(same), on=same, how="left")
        .with_columns(
            pl.coalesce("_since", pl.lit(as_of)).alias("answered_on"),
            (explain.conflict_zh(pl.col("kind")) + how.replace_strict(explain.ANSWERED_ZH)).alias(
                "reason_zh"
            ),
        )
        .select(ANSWERED.names())
        .cast(ANSWERED)
        .sort("identity_key", "kind", "person_id")
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

    sure = pl.col("grade") != "C"
    came_from = (
        mine.filter(sure)
        .join(minted, on="node")
        .join(
            before.links.filter(among("identity_key", mine["identity_key"]) & sure).select(
                "identity_key", pl.col("person_id").alias("other")
            ),
            on="identity_key",
        )
        .group_by("person_id", "other")
        .len()
        .sort("person_id", "len", "other", descending=[False, True, False])
        .unique("person_id", keep="first", maintain_order=True)
    )
    unnamed = pl.col("spine_key").str.starts_with(provisional.PREFIX)
    was = before.persons.select(
        "person_id",
        pl.col("is_provisional").alias("_was"),
        pl.col("status").alias("_status"),
        unnamed.alias("_unnamed"),
    )
    now = described.join(was, on="person_id")
    retired = homeless.filter(pl.col("status") == "retired")
    asked = before.links.filter(among("person_id", retired["person_id"])).join(
        mine, on="identity_key", how="semi"
    )
    is_asked = among("person_id", asked["person_id"])
    gone = homeless.filter(pl.col("status") == "absorbed")
    other = pl.col("absorbed_into").alias("other_person_id")
    return (
        pl.concat(
            [
                rows(minted.join(came_from, on="person_id", how="anti"), "create", "create"),
                rows(came_from, "split", "split", pl.col("other").alias("other_person_id")),
                rows(now.filter(pl.col("_status") == "retired"), "create", "return"),
                rows(now.filter(pl.col("_was") & pl.col("is_registered")), "absorb", "confirm"),
                rows(
                    now.filter(pl.col("_unnamed") & ~unnamed & ~pl.col("is_registered")), "absorb", "numbered"
                ),
                rows(gone.filter(~pl.col("is_registered")), "absorb", "absorb", other),
                rows(gone.filter(pl.col("is_registered")), "merge", "merge", other),
                rows(retired.filter(~is_asked), "retire", "retire"),
                rows(retired.filter(is_asked), "retire", "pending"),
            ]
        )
        .cast(EVENTS)
        .sort("person_id", "event", "other_person_id")
    )
