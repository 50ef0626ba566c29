"""Last night's state and people's decisions under a new key of the deployment: names of identities and nodes, nothing else."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from data_contracts import opaque
from matching import decisions as human
from matching import passes, provisional
from matching.residue import People
from matching.spine import Spine
from matching.tonight import LIVE


def rekeyed(previous: Spine, new_keys: pl.DataFrame, key: opaque.Key) -> Spine:
    """The same persons, links and conflicts, as if they had been made under `key`.

    `new_keys` (`identity_key`, `new_key`) comes from `feeding.keys_now` for the identities of that night. Persons keep
    their ids. A person of the register without a number who is retired keeps the old node, and gets a new id if the
    row should come back; the same holds where `keys` is missing.
    """
    keys = None if previous.keys is None else previous.keys.filter(LIVE)
    if keys is None:
        nodes = pl.DataFrame(schema={"node": pl.String, "new_node": pl.String})
    else:
        own = keys.filter(pl.col("pass_id") == "PS")
        nodes = (
            own.select("identity_key", "node")
            .join(passes.own_nodes(own, key).rename({"node": "new_node"}), on="identity_key")
            .select("node", "new_node")
            .unique()
        )
    ours = [
        (provisional.PREFIX + pl.col(c)).alias(n)
        for c, n in zip(new_keys.columns, nodes.columns, strict=True)
    ]
    persons = _renamed(_renamed(previous.persons, "spine_key", nodes), "spine_key", new_keys.select(ours))
    if keys is not None:
        keys = _renamed(keys, "identity_key", new_keys)
        keys = _renamed(_renamed(keys, "node", nodes), "conflict_node", nodes).sort("identity_key")
    conflicts = _renamed(previous.conflicts, "identity_key", new_keys).with_columns(
        ("K" + pl.col("identity_key").str.slice(0, 16)).alias("conflict_id")
    )
    return Spine(
        persons=persons,
        links=_renamed(previous.links, "identity_key", new_keys).sort("identity_key"),
        conflicts=conflicts.sort("conflict_id"),
        answered=None
        if previous.answered is None
        else _renamed(previous.answered, "identity_key", new_keys).sort("identity_key", "kind", "person_id"),
        keys=keys,
        nodes=None if previous.nodes is None else _renamed(previous.nodes, "node", nodes).sort("node"),
        weighed=None
        if previous.weighed is None
        else _renamed(_renamed(previous.weighed, "identity_key", new_keys), "node", nodes).sort(
            "identity_key"
        ),
        known=previous.known and _people(previous.known, nodes),
        census=previous.census and replace(previous.census, people=_people(previous.census.people, nodes)),
        software=previous.software,
    )


def _people(known: People, nodes: pl.DataFrame) -> People:
    return People(
        _renamed(known.people, "node", nodes).sort("node"),
        _renamed(known.traits, "node", nodes).sort("node", "kind", "value"),
    )


def decisions_again(decisions: pl.DataFrame, new_keys: pl.DataFrame) -> pl.DataFrame:
    """Decisions about identities that have another name now, under that name; who decided, when and what stays."""
    given = human.merged([decisions])
    renamed = _renamed(_renamed(given, "identity_key", new_keys), "person_key", new_keys)
    return renamed.join(given, on=given.columns, how="anti", nulls_equal=True).sort(pl.all())


def _renamed(frame: pl.DataFrame, column: str, names: pl.DataFrame) -> pl.DataFrame:
    """`names` has the old value and the new one; a value that is not among them stays."""
    old, new = names.columns
    renamed = frame.join(names, left_on=column, right_on=old, how="left", maintain_order="left")
    return renamed.with_columns(pl.coalesce(new, column).alias(column)).select(frame.columns)
