"""People whom no usable number names and nobody on the spine explains: which records are one such person, by strict rules.

Whom the passes, the engine or a reviewer could link is not looked at here, nor who waits for a reviewer. What happens to
the ids of these people from night to night belongs in `spine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import polars as pl

from matching import passes
from matching.duplicates import components
from matching.passes import LINK_SCHEMA
from matching.tonight import among

PREFIX = "T:"
"""Of the node of a provisional person; behind it stands the lowest of the identities that the person consists of."""

STRONG, WEAK, ALONE = "T1", "T2", "T0"
"""Passes: records of several classes with the same exact birth date; without it; one record."""

PASS_IDS = (STRONG, WEAK, ALONE)

NODES = pl.Schema(
    {
        "node": pl.String(),
        "name_key": pl.String(),
        "person_name": pl.String(),
        "birth": pl.Date(),
        "sex": pl.String(),
        "is_registered": pl.Boolean(),
    }
)
"""As `passes.Decided.nodes`."""

BESIDE = pl.Schema({"identity_key": pl.String(), "role": pl.String(), "other_key": pl.String()})
"""Who stands in the same delivered row: `other_key` in the role `role`. The couple of a marriage, a child and its guardian."""

LARGEST_BLOCK = 60
"""Records of one name with one value in common; more of them are no person but a habit of the source."""


@dataclass(frozen=True)
class Found:
    """Tonight's provisional persons: `links` (`passes.LINK_SCHEMA`) and `nodes` (`NODES`). A link of a reviewer may lead to any node."""

    links: pl.DataFrame
    nodes: pl.DataFrame

    @classmethod
    def nobody(cls) -> Found:
        """No provisional persons."""
        return cls(LINK_SCHEMA.to_frame(), NODES.to_frame())

    def changed(self, links: pl.DataFrame, persons: pl.DataFrame) -> pl.Series:
        """Identities whose link is another than last night's (`spine.LINKS`, `spine.PERSONS`)."""
        columns = LINK_SCHEMA.names()
        mine = pl.col("pass_id").is_in([*PASS_IDS, "H"]) | among("identity_key", self.links["identity_key"])
        before = (
            links.filter(mine)
            .join(persons.select("person_id", pl.col("spine_key").alias("node")), on="person_id")
            .select(columns)
        )
        return pl.concat(
            [
                self.links.join(before, on=columns, how="anti")["identity_key"],
                before.join(self.links, on=columns, how="anti")["identity_key"],
            ]
        ).unique()


def pointers(decided: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Human decisions (`identity_key`, `node`) as those about persons of the passes, and those about provisional ones.

    The latter are pairs of identities, `identity_key` and `other_key`: a node of theirs names an identity.
    """
    is_ours = pl.col("node").str.starts_with(PREFIX)
    return decided.filter(~is_ours), decided.filter(is_ours).select(
        "identity_key", pl.col("node").str.strip_prefix(PREFIX).alias("other_key")
    )


def find(
    rows: pl.DataFrame,
    linked: pl.DataFrame,
    generic: pl.Series,
    beside: pl.DataFrame,
    same: pl.DataFrame,
    apart: pl.DataFrame,
) -> Found:
    """Provisional persons among identities that nobody could link.

    `rows`: these identities as `normalise.normalise` gives them, and `is_open`, false for those that only a reviewer may put
    here, for they wait for a review; `linked` (`identity_key`, `node`): the links of tonight that hold without a review; `generic`: telephones that prove nothing; `beside`: `BESIDE`, for whatever identities; `same` and
    `apart`: decisions of reviewers (`identity_key`, `other_key`). Pure: rows in any order give the same.
    """
    joined, rest = _by_hand(rows, linked, same)
    evidence = _evidence(rows.filter(among("identity_key", rest)), linked, generic, beside, rows)
    grouped = _grouped(evidence.filter(_says_who()), apart)
    found = grouped.select(
        "identity_key", "node", "pass_id", pl.col("pass_id").replace_strict(_GRADES).alias("grade")
    )
    # Who was joined by hand to a record that says too little on its own is a person all the same.
    roots = (
        joined.join(found, left_on="node", right_on="identity_key", how="anti")
        .filter(among("node", rows["identity_key"]))
        .select(
            pl.col("node").alias("identity_key"),
            (PREFIX + pl.col("node")).alias("node"),
            pl.lit(ALONE).alias("pass_id"),
            pl.lit(_GRADES[ALONE]).alias("grade"),
        )
        .unique()
    )
    found = pl.concat([found, roots])
    hand = joined.join(
        found.select(pl.col("identity_key").alias("node"), pl.col("node").alias("_to")), on="node", how="left"
    ).select(
        "identity_key",
        pl.coalesce("_to", "node").alias("node"),
        pl.lit("H").alias("pass_id"),
        # Two records are one person, but who that is, is not confirmed.
        pl.when(pl.col("_to").is_null())
        .then(pl.lit(passes.PASSES["H"].grade))
        .otherwise(pl.lit("B"))
        .alias("grade"),
    )
    links = pl.concat([found, hand]).cast(LINK_SCHEMA).sort("identity_key")
    return Found(links, _nodes(rows, links))


_GRADES = {p: passes.PASSES[p].grade for p in PASS_IDS}


def _by_hand(rows: pl.DataFrame, linked: pl.DataFrame, same: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """What reviewers joined (`identity_key`, `node`: a node of the passes, or an identity), and the identities left to the rules.

    Records joined to one another, directly or not, are one person: the one of the passes that one of them is linked to (those
    that others were joined to go before), else the one of the lowest record to which others were joined. If they are linked to two, the decisions contradict each other and none counts.
    """
    open_ = rows.filter("is_open")["identity_key"]
    pairs = same.filter(pl.col("identity_key") != pl.col("other_key")).unique()
    if pairs.is_empty():
        return pl.DataFrame(schema={"identity_key": pl.String, "node": pl.String}), open_
    keys = pl.concat([pairs["identity_key"], pairs["other_key"]]).unique().sort()
    group = _labels(keys, pairs["identity_key"], pairs["other_key"])
    frame = (
        pl.DataFrame({"identity_key": keys, "_group": group})
        .join(linked.select("identity_key", "node"), on="identity_key", how="left")
        .with_columns(
            among("identity_key", rows["identity_key"]).alias("_here"),
            among("identity_key", open_).alias("is_open"),
            (~among("identity_key", pairs["identity_key"])).alias("_asked"),
        )
    )
    of_group = (
        frame.group_by("_group")
        .agg(
            pl.when(pl.col("node").filter("_asked").count() > 0)
            .then(pl.col("node").filter("_asked").drop_nulls().unique().implode())
            .otherwise(pl.col("node").drop_nulls().unique().implode())
            .alias("node"),
            pl.coalesce(
                pl.col("identity_key").filter(where).min()
                for where in (pl.col("is_open") & pl.col("_asked"), pl.col("is_open"), pl.col("_here"))
            ).alias("_root"),
        )
        .filter(pl.col("node").list.len() <= 1)
        .select("_group", pl.coalesce(pl.col("node").list.first(), "_root").alias("_to"))
    )
    joined = (
        frame.filter("_here")
        .join(of_group, on="_group")
        .filter((pl.col("_to") != pl.col("identity_key")) & pl.col("node").ne_missing(pl.col("_to")))
        .select("identity_key", pl.col("_to").alias("node"))
        .sort("identity_key")
    )
    return joined, open_.filter(~open_.is_in(joined["identity_key"].implode()))


def _evidence(
    rows: pl.DataFrame,
    linked: pl.DataFrame,
    generic: pl.Series,
    beside: pl.DataFrame,
    everybody: pl.DataFrame,
) -> pl.DataFrame:
    """What each identity says of who it is; `beside` becomes `companions`: persons, or names of people without one."""
    has_age = pl.col("age").is_not_null() & pl.col("as_of").is_not_null() & pl.col("birth_stated").is_null()
    born_by = pl.col("as_of").dt.offset_by(pl.format("-{}y", pl.col("age").fill_null(0)))
    return (
        rows.sort("identity_key")
        .with_columns(
            pl.when(has_age)
            .then(born_by.dt.offset_by("-1y") + pl.duration(days=1))
            .otherwise("birth_stated")
            .alias("low"),
            pl.when(has_age).then(born_by).otherwise("birth_stated").alias("high"),
            pl.when(~among("phone_key", generic)).then("phone_key").alias("phone_key"),
            pl.when(pl.col("id_kind").is_in(["invalid", "masked"])).then("resident_id").alias("spoiled"),
        )
        .join(
            _companions(rows, linked, beside, everybody),
            on="identity_key",
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("companions").fill_null([]))
    )


def _companions(
    rows: pl.DataFrame, linked: pl.DataFrame, beside: pl.DataFrame, everybody: pl.DataFrame
) -> pl.DataFrame:
    """`identity_key`, `companions`: the people beside it. Several in one role, in several rows, tell several people apart from none."""
    mine = beside.filter(among("identity_key", rows["identity_key"]))
    one = mine.filter(pl.col("other_key").n_unique().over("identity_key", "role") == 1)
    other = pl.col("identity_key").alias("other_key")
    persons = linked.filter(among("identity_key", one["other_key"])).select(
        other, (pl.lit("P:") + pl.col("node")).alias("_person")
    )
    names = everybody.filter(~pl.col("name_has_wildcard")).select(
        other, (pl.lit("N:") + pl.col("name_key")).alias("_name")
    )
    return (
        one.join(persons, on="other_key", how="left")
        .join(names, on="other_key", how="left")
        .select("identity_key", pl.coalesce("_person", "_name").alias("companions"))
        .drop_nulls()
        .group_by("identity_key")
        .agg(pl.col("companions").unique().sort())
    )


def _says_who() -> pl.Expr:
    """Whether a record says enough to be recognised again: a whole name, and one more thing. A name alone is anybody's."""
    digits = pl.col("spoiled").str.count_matches(r"[0-9X]")
    return (
        pl.col("name_key").is_not_null()
        & (pl.col("name_key").str.len_chars() > 1)
        & ~pl.col("name_has_wildcard")
        & (
            pl.any_horizontal(
                pl.col(c).is_not_null() for c in ("low", "phone_key", "village_code", "household_key")
            )
            | (pl.col("companions").list.len() > 0)
            | (digits >= passes.VISIBLE_DIGITS).fill_null(False)
        )
    ).fill_null(False)


def _labels(keys: pl.Series, a: pl.Series, b: pl.Series) -> pl.Series:
    """By key (sorted), the place of the lowest key that it is joined to by the pairs (a, b)."""
    at = pl.DataFrame({"k": keys}).with_row_index("at")

    def places(side: pl.Series) -> pl.Series:
        return side.alias("k").to_frame().join(at, on="k", how="left", maintain_order="left")["at"]

    return pl.Series(components(len(keys), places(a).to_numpy(), places(b).to_numpy()))


def _agreeing(evidence: pl.DataFrame, by: str) -> pl.DataFrame:
    """Pairs of records (`a`, `b`) with the same name and one value in common; `is_exact`: with the same day of birth."""
    columns = ["identity_key", "source_class", "low", "high", "name_key", by]
    side = evidence.select(columns)
    if by == "companions":
        side = side.explode("companions")
    side = side.drop_nulls(by).filter(pl.len().over("name_key", by).is_between(2, LARGEST_BLOCK))
    pairs = side.join(side, on=["name_key", by], suffix="_b").filter(
        (pl.col("identity_key") < pl.col("identity_key_b"))
        & (pl.col("source_class") != pl.col("source_class_b"))
    )
    overlap = (pl.col("low") <= pl.col("high_b")) & (pl.col("low_b") <= pl.col("high"))
    # A telephone or a relative beside the name is enough where one of the two says nothing of the birth.
    enough = overlap.fill_null(True) if by in ("phone_key", "companions") else overlap.fill_null(False)
    day = (pl.col("low") == pl.col("high")) & (pl.col("low_b") == pl.col("high_b"))
    # Whoever bears the name, was born that day and lives in that village may be two people; nobody counts them here.
    # Nor is a spouse known by name alone somebody.
    certain = pl.lit(by != "village_code") & (
        pl.col(by).str.starts_with("P:") if by == "companions" else pl.lit(True)
    )
    return pairs.filter(enough).select(
        pl.col("identity_key").alias("a"),
        pl.col("identity_key_b").alias("b"),
        (overlap & day & certain).fill_null(False).alias("is_exact"),
    )


def _grouped(evidence: pl.DataFrame, apart: pl.DataFrame) -> pl.DataFrame:
    """Records with `node` and `pass_id`. A group that contradicts itself anywhere is no group: each of its records stands alone."""
    keys = evidence["identity_key"]
    pairs = pl.concat(
        [_agreeing(evidence, by) for by in ("phone_key", "household_key", "village_code", "companions")]
    )
    # A record of which a reviewer said that it is not such a person stands alone.
    refused = apart.filter(among("identity_key", keys) & among("other_key", keys))["identity_key"]
    pairs = pairs.filter(~among("a", refused) & ~among("b", refused))
    exact = pairs.filter("is_exact")
    frame = evidence.with_columns(
        _labels(keys, pairs["a"], pairs["b"]).alias("_all"),
        _labels(keys, exact["a"], exact["b"]).alias("_exact"),
    )
    several = [pl.col(c).drop_nulls().n_unique().over("_all") > 1 for c in ("sex_known", "id_key", "spoiled")]
    contradicts = reduce(
        lambda x, y: x | y,
        [
            *several,
            pl.col("low").max().over("_all") > pl.col("high").min().over("_all"),
            pl.col("source_class").n_unique().over("_all") < pl.len().over("_all"),
        ],
    ).fill_null(False)
    own = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = frame.with_columns(pl.when(contradicts).then(own).otherwise("_all").alias("_all"))
    size = pl.len().over("_all")
    is_strong = pl.col("_exact").n_unique().over("_all") == 1
    return frame.select(
        "identity_key",
        (PREFIX + pl.col("identity_key").min().over("_all")).alias("node"),
        pl.when(size == 1)
        .then(pl.lit(ALONE))
        .when(is_strong)
        .then(pl.lit(STRONG))
        .otherwise(pl.lit(WEAK))
        .alias("pass_id"),
    )


def _nodes(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Whom the new nodes name: the record of the best source speaks, the earliest first."""
    return (
        links.filter(pl.col("node").str.starts_with(PREFIX))
        .join(rows, on="identity_key")
        .sort("node", pl.col("pass_id") == "H", "tier", "first_batch", "identity_key")
        .group_by("node", maintain_order=True)
        .agg(
            pl.col("name_key").drop_nulls().first(),
            pl.col("person_name").drop_nulls().first(),
            pl.col("birth_stated").drop_nulls().first().alias("birth"),
            pl.col("sex_known").drop_nulls().first().alias("sex"),
            pl.lit(False).alias("is_registered"),
        )
        .select(NODES.names())
        .cast(NODES)
        .sort("node")
    )


# --- in words

_FIELDS_ZH = {
    "name_key": "姓名",
    "birth_stated": "出生日期",
    "sex_known": "性别",
    "phone_key": "联系电话",
    "village_code": "村（居）",
    "household_key": "户号",
    "resident_id": "不完整的号码",
}

NUMBERED_ZH = "有有效证件号码，但未见本地户籍登记。户籍登记中出现同一号码、姓名一致时即确认，编号不变。"
UNNAMED_ZH = (
    "没有可用的证件号码，所述也不足以对应到现有人员（不一定是新的人员）。下列任一情况可以确认：任一来源以有效证件号码登记同名人员，且{known}相符；"
    "户籍登记中出现这样的人员；审核人员确认其记录属于哪一人员。确认后编号不变，或并入已有人员，编号不再另作他用。{missing}"
)
ONLY_NAME_ZH = "同行的亲属"


def told(keys: pl.DataFrame) -> pl.DataFrame:
    """What each record of one provisional person says, and what of it another record says too: no values.

    `keys`: its rows of the comparing forms (`tonight.KEYS`). Columns: `identity_key`, `says_zh`, `agrees_zh` (empty for one record).
    """
    words = [
        (pl.col(column).is_not_null(), pl.col(column).is_duplicated() & pl.col(column).is_not_null(), word)
        for column, word in _FIELDS_ZH.items()
    ]

    def listed(which: int) -> pl.Expr:
        said = [pl.when(row[which]).then(pl.lit(row[2])) for row in words]
        return pl.concat_list(said).list.drop_nulls().list.join("、")

    return keys.select("identity_key", listed(0).alias("says_zh"), listed(1).alias("agrees_zh"))


def confirming_zh(person: Mapping[str, Any]) -> str | None:
    """What would confirm a provisional person (a row of `spine.PERSONS`), in one paragraph; null for anybody else."""
    if not person["is_provisional"] or person["status"] != "active":
        return None
    if not str(person["spine_key"]).startswith(PREFIX):
        return NUMBERED_ZH
    columns = {"birth_date": "出生日期", "phone": "联系电话", "village_code": "村（居）", "sex": "性别"}
    known = [word for column, word in columns.items() if person[column] is not None and column != "sex"]
    missing = [word for column, word in columns.items() if person[column] is None]
    return UNNAMED_ZH.format(
        known="、".join(known) or ONLY_NAME_ZH,
        missing=f"目前不知道：{'、'.join(missing)}。" if missing else "",
    )
