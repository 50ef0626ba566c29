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

from matching import normalise, passes
from matching.duplicates import components
from matching.passes import LINK_SCHEMA
from matching.tonight import among

PREFIX = "T:"
"""Of the node of a provisional person; behind it stands the lowest of the identities that the person consists of."""

STRONG, NEAR, WEAK, ALONE = "T1", "T1-near", "T2", "T0"
"""Passes: records of several classes with the same exact birth date; the same while somebody registered may be meant;
without the date; one record."""

PASS_IDS = (STRONG, NEAR, WEAK, ALONE)

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
"""Who stands in the same delivered row: `other_key` in the role `role`. The couple of a marriage, a child and its
guardian."""

REGISTERED = pl.Schema({"birth": pl.Date(), "sex": pl.String(), "township": pl.String()})
"""Whom the register knows, as far as somebody under another name may be the same."""

COUNTS = pl.Schema({"what": pl.String(), "identities": pl.Int64()})
"""As `passes.Decided.counts`."""

LARGEST_BLOCK = 60
"""Records of one name with one value in common; more of them are no person but a habit of the source."""


@dataclass(frozen=True)
class Found:
    """Tonight's provisional persons: `links` (`passes.LINK_SCHEMA`) and `nodes` (`NODES`); what was set aside (`COUNTS`).

    A link of a reviewer may lead to any node.
    """

    links: pl.DataFrame
    nodes: pl.DataFrame
    counts: pl.DataFrame

    @classmethod
    def nobody(cls) -> Found:
        """No provisional persons."""
        return cls(LINK_SCHEMA.to_frame(), NODES.to_frame(), COUNTS.to_frame())

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


def registered(keys: pl.LazyFrame, births: pl.Series) -> pl.DataFrame:
    """People of the register (`REGISTERED`) who were born on one of these days, by what it states or by their number.

    `keys`: rows of `tonight.KEYS`.
    """
    mine = keys.filter(pl.col("source_class") == passes.REGISTER)
    days = [
        mine.filter(among(day, births)).select(
            pl.col(day).alias("birth"), pl.col("sex_known").alias("sex"), "township"
        )
        for day in ("birth_stated", "birth")
    ]
    return pl.concat(days).unique().cast(REGISTERED).collect()


def find(
    rows: pl.DataFrame,
    linked: pl.DataFrame,
    generic: pl.Series,
    beside: pl.DataFrame,
    same: pl.DataFrame,
    apart: pl.DataFrame,
    forbidden: pl.DataFrame,
    register: pl.DataFrame,
) -> Found:
    """Provisional persons among identities that nobody could link.

    `rows`: these identities as `normalise.normalise` gives them, and `is_open`, false for those that only a reviewer may
    put here, for they wait for a review or are linked; `linked` (`identity_key`, `node`, `grade`): the links of tonight
    that hold without a review; `generic`: telephones that prove nothing; `beside`: `BESIDE`, for whatever identities;
    `same` and `apart`: decisions of reviewers (`identity_key`, `other_key`); `forbidden`: those that say "not this person"
    of a node of the passes (`identity_key`, `node`); `register`: `REGISTERED`. Pure: rows in any order give the same.

    Records that decisions join, directly or not, while another decision keeps two of them, or one of them and the person
    to whom they lead, apart, are not joined at all: whoever said so could not see the whole chain.
    """
    same = same.filter(pl.col("identity_key") != pl.col("other_key")).unique()
    against = apart.filter(pl.col("identity_key") != pl.col("other_key"))
    groups = _hand_groups(same)
    refused = _apart_within(groups, against)
    while True:
        believed = groups.filter(~among("_group", refused))
        links, torn, crowded = _found(rows, linked, generic, beside, same, believed, apart)
        overruled = _overruled(links, linked, groups, against, forbidden)
        if overruled.is_empty():
            break
        refused = pl.concat([refused, overruled])
    links = _unless_registered(links, rows, register)
    ignored = groups.filter(among("_group", pl.concat([refused, torn])))
    told = {
        "decisions same that contradict others": same.filter(
            among("identity_key", ignored["identity_key"])
        ).height,
        "records in crowds of one name": crowded,
    }
    counts = pl.DataFrame([(what, n) for what, n in told.items() if n], schema=COUNTS, orient="row")
    return Found(links, _nodes(rows, links), counts)


_GRADES = {p: passes.PASSES[p].grade for p in PASS_IDS}


def _found(
    rows: pl.DataFrame,
    linked: pl.DataFrame,
    generic: pl.Series,
    beside: pl.DataFrame,
    same: pl.DataFrame,
    groups: pl.DataFrame,
    apart: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.Series, int]:
    """Links under these groups of reviewers, groups that lead to two persons, and how many records stand in crowds."""
    joined, rest, torn = _by_hand(rows, linked, same, groups)
    evidence = _evidence(rows.filter(among("identity_key", rest)), linked, generic, beside, rows)
    grouped, crowded = _grouped(evidence.filter(_says_who()), apart)
    found = _graded(grouped)
    # Who was joined by hand to a record that says too little on its own is a person all the same.
    roots = (
        joined.join(found, left_on="node", right_on="identity_key", how="anti")
        .filter(among("node", rows["identity_key"]))
        .select(
            pl.col("node").alias("identity_key"),
            (PREFIX + pl.col("node")).alias("node"),
            pl.lit(ALONE).alias("pass_id"),
        )
        .unique()
    )
    found = pl.concat([found, _graded(roots)])
    root = found.select(
        pl.col("identity_key").alias("node"), pl.col("node").alias("_to"), pl.col("grade").alias("_as")
    )
    hand = joined.join(root, on="node", how="left").select(
        "identity_key",
        pl.coalesce("_to", "node").alias("node"),
        pl.lit("H").alias("pass_id"),
        # That two records are one person is no more certain than who one of them is.
        pl.coalesce("_as", "grade").alias("grade"),
    )
    return pl.concat([found, hand]).cast(LINK_SCHEMA).sort("identity_key"), torn, crowded


def _graded(links: pl.DataFrame) -> pl.DataFrame:
    grade = pl.col("pass_id").replace_strict(_GRADES, return_dtype=pl.String).alias("grade")
    return links.select("identity_key", "node", "pass_id", grade)


def _hand_groups(same: pl.DataFrame) -> pl.DataFrame:
    """Records that decisions join to one another, directly or not: `identity_key`, `_group`."""
    keys = pl.concat([same["identity_key"], same["other_key"]]).unique().sort()
    return pl.DataFrame(
        {"identity_key": keys, "_group": _labels(keys, same["identity_key"], same["other_key"])}
    )


def _apart_within(groups: pl.DataFrame, against: pl.DataFrame) -> pl.Series:
    """Groups in which two records are kept apart by a decision."""
    return (
        against.join(groups, on="identity_key")
        .join(groups, left_on="other_key", right_on="identity_key", suffix="_b")
        .filter(pl.col("_group") == pl.col("_group_b"))["_group"]
        .unique()
    )


def _overruled(
    links: pl.DataFrame,
    linked: pl.DataFrame,
    groups: pl.DataFrame,
    against: pl.DataFrame,
    forbidden: pl.DataFrame,
) -> pl.Series:
    """Groups by which a record came to a person, or to a record, from which a decision keeps it apart."""
    hand = links.filter(pl.col("pass_id") == "H").select("identity_key", "node")
    others = linked.filter(~among("identity_key", links["identity_key"]))
    owner = pl.concat([links.select("identity_key", "node"), others.select("identity_key", "node")])
    one = against.join(owner, on="identity_key").join(
        owner, left_on=["other_key", "node"], right_on=["identity_key", "node"]
    )
    wrong = pl.concat(
        [one["identity_key"], one["other_key"], hand.join(forbidden, on=hand.columns)["identity_key"]]
    )
    by_hand = hand.filter(among("identity_key", wrong))["identity_key"]
    return groups.filter(among("identity_key", by_hand))["_group"].unique()


def _by_hand(
    rows: pl.DataFrame, linked: pl.DataFrame, same: pl.DataFrame, groups: pl.DataFrame
) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """What reviewers joined (`identity_key`, `node`: a node of the passes, or an identity; `grade`: of the best record that
    is linked to such a node), the identities left to the rules, and the groups that count for nothing.

    A group of `groups` is one person: the one of the passes that one of them is linked to (those that others were joined to
    go before), else the one of the lowest record to which others were joined. If they are linked to two, the decisions
    contradict each other and none counts.
    """
    open_ = rows.filter("is_open")["identity_key"]
    frame = groups.join(
        linked.select("identity_key", "node", "grade"), on="identity_key", how="left"
    ).with_columns(
        among("identity_key", rows["identity_key"]).alias("_here"),
        among("identity_key", open_).alias("is_open"),
        (~among("identity_key", same["identity_key"])).alias("_asked"),
    )
    of_group = frame.group_by("_group").agg(
        pl.when(pl.col("node").filter("_asked").count() > 0)
        .then(pl.col("node").filter("_asked").drop_nulls().unique().implode())
        .otherwise(pl.col("node").drop_nulls().unique().implode())
        .alias("_nodes"),
        pl.coalesce(
            pl.col("identity_key").filter(where).min()
            for where in (pl.col("is_open") & pl.col("_asked"), pl.col("is_open"), pl.col("_here"))
        ).alias("_root"),
    )
    is_torn = pl.col("_nodes").list.len() > 1
    aims = of_group.filter(~is_torn).select(
        "_group", pl.coalesce(pl.col("_nodes").list.first(), "_root").alias("_to")
    )
    leads = pl.col("node") == pl.col("_to")
    joined = (
        frame.join(aims, on="_group")
        .with_columns(pl.col("grade").filter(leads).min().over("_group").alias("_grade"))
        .filter(
            "_here" & (pl.col("_to") != pl.col("identity_key")) & pl.col("node").ne_missing(pl.col("_to"))
        )
        .select("identity_key", pl.col("_to").alias("node"), pl.col("_grade").alias("grade"))
        .sort("identity_key")
    )
    rest = open_.filter(~open_.is_in(joined["identity_key"].implode()))
    return joined, rest, of_group.filter(is_torn)["_group"]


def _unless_registered(links: pl.DataFrame, rows: pl.DataFrame, register: pl.DataFrame) -> pl.DataFrame:
    """The links, those of `STRONG` as `NEAR` while the register has somebody of that birth date, sex and township.

    Whom two sources know by a former name agrees with itself as well as a stranger does. What nobody states excludes
    nobody.
    """
    said = (
        links.filter(pl.col("pass_id") == STRONG)
        .join(rows, on="identity_key")
        .group_by("node")
        .agg(
            pl.col("birth_stated").drop_nulls().first().alias("birth"),
            pl.col("sex_known").drop_nulls().first().alias("_sex"),
            pl.col("township").drop_nulls().unique().alias("_townships"),
        )
    )
    known = (
        said.join(register, on="birth")
        .filter((pl.col("_sex") == pl.col("sex")).fill_null(True))
        .filter(
            (pl.col("_townships").list.len() == 0)
            | pl.col("_townships").list.contains(pl.col("township")).fill_null(True)
            | pl.col("township").is_null()
        )["node"]
        .unique()
    )
    is_near = among("node", known) & (pl.col("pass_id") == STRONG)
    # Whom a reviewer joined to such a person is as uncertain.
    is_hers = among("node", known) & (pl.col("pass_id") == "H")
    return links.with_columns(
        pl.when(is_near).then(pl.lit(NEAR)).otherwise("pass_id").alias("pass_id"),
        pl.when(is_near | is_hers).then(pl.lit(_GRADES[NEAR])).otherwise("grade").alias("grade"),
    )


def _evidence(
    rows: pl.DataFrame,
    linked: pl.DataFrame,
    generic: pl.Series,
    beside: pl.DataFrame,
    everybody: pl.DataFrame,
) -> pl.DataFrame:
    """What each identity says of who it is; `beside` becomes `companions`: persons, or names of people without one."""
    low, high = normalise.birth_interval(pl.col("birth_stated"))
    return (
        rows.sort("identity_key")
        .with_columns(
            low.alias("low"),
            high.alias("high"),
            pl.when(~among("phone_key", generic)).then("phone_key").alias("phone_key"),
            pl.when(pl.col("id_kind").is_in(["invalid", "masked"]))
            .then(_visible("resident_id"))
            .alias("spoiled"),
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
    """`identity_key`, `companions`: the people beside it.

    Several in one role, in several rows, tell several people apart from none.
    """
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


def _visible(column: str) -> pl.Expr:
    """A number of which some characters are hidden, with a star for each of these; the last may be an X."""
    text = pl.col(column).str.normalize("NFKC").str.to_uppercase().str.replace_all("?", "*", literal=True)
    hidden = text.str.extract(r"(XX+)", 1).fill_null("")
    stars = pl.lit("*").repeat_by(hidden.str.len_chars()).list.join("")
    return pl.when(hidden == "").then(text).otherwise(text.str.replace(r"XX+", stars))


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


def _agreeing(evidence: pl.DataFrame, by: str) -> tuple[pl.DataFrame, pl.Series]:
    """Pairs of records (`a`, `b`) with the same name and one value in common; `is_exact`: with the same day of birth.

    Second: records of which so many have both in common (`LARGEST_BLOCK`) that they are not compared.
    """
    side = evidence.select("identity_key", "source_class", "low", "high", "name_key", by)
    if by == "companions":
        side = side.explode("companions")
    side = side.drop_nulls(by)
    size = pl.len().over("name_key", by)
    crowded = side.filter(size > LARGEST_BLOCK)["identity_key"]
    side = side.filter(size.is_between(2, LARGEST_BLOCK))
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
    compared = pairs.filter(enough).select(
        pl.col("identity_key").alias("a"),
        pl.col("identity_key_b").alias("b"),
        (overlap & day & certain).fill_null(False).alias("is_exact"),
    )
    return compared, crowded


def _grouped(evidence: pl.DataFrame, apart: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Records with `node` and `pass_id`, and how many were in too large a crowd to be compared by one of their values.

    A group that contradicts itself anywhere is no group: each of its records stands alone. Household numbers join nobody:
    each source counts its own.
    """
    keys = evidence["identity_key"]
    met = [_agreeing(evidence, by) for by in ("phone_key", "village_code", "companions")]
    pairs = pl.concat([compared for compared, _ in met])
    crowded = pl.concat([crowd for _, crowd in met]).n_unique()
    # A record of which a reviewer said that it is not such a person stands alone.
    refused = apart.filter(among("identity_key", keys) & among("other_key", keys))["identity_key"]
    pairs = pairs.filter(~among("a", refused) & ~among("b", refused))
    exact = pairs.filter("is_exact")
    frame = evidence.with_columns(
        _labels(keys, pairs["a"], pairs["b"]).alias("_all"),
        _labels(keys, exact["a"], exact["b"]).alias("_exact"),
    )
    several = [pl.col(c).drop_nulls().n_unique().over("_all") > 1 for c in ("sex_known", "id_key")]
    contradicts = reduce(
        lambda x, y: x | y,
        [
            *several,
            among("_all", _numbers_apart(frame)),
            pl.col("low").max().over("_all") > pl.col("high").min().over("_all"),
            pl.col("source_class").n_unique().over("_all") < pl.len().over("_all"),
        ],
    ).fill_null(False)
    own = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = frame.with_columns(pl.when(contradicts).then(own).otherwise("_all").alias("_all"))
    size = pl.len().over("_all")
    is_strong = pl.col("_exact").n_unique().over("_all") == 1
    found = frame.select(
        "identity_key",
        (PREFIX + pl.col("identity_key").min().over("_all")).alias("node"),
        pl.when(size == 1)
        .then(pl.lit(ALONE))
        .when(is_strong)
        .then(pl.lit(STRONG))
        .otherwise(pl.lit(WEAK))
        .alias("pass_id"),
    )
    return found, crowded


def _numbers_apart(frame: pl.DataFrame) -> pl.Series:
    """Groups (`_all`) whose spoiled numbers (`spoiled`) are of several lengths, or differ where several can be read."""
    told = frame.select("_all", "spoiled").drop_nulls().unique()
    told = told.filter(pl.len().over("_all") > 1)
    seen = (
        told.with_row_index("_row")
        .with_columns(pl.col("spoiled").str.split("").alias("_char"))
        .explode("_char")
        .with_columns(pl.int_range(pl.len()).over("_row").alias("_at"))
        .filter(pl.col("_char") != "*")
        .group_by("_all", "_at")
        .agg(pl.col("_char").n_unique().alias("_n"))
    )
    lengths = told.group_by("_all").agg(pl.col("spoiled").str.len_chars().n_unique().alias("_n"))
    return pl.concat([f.filter(pl.col("_n") > 1)["_all"] for f in (seen, lengths)]).unique()


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

    `keys`: its rows of the comparing forms (`tonight.KEYS`). Columns: `identity_key`, `says_zh`, `agrees_zh` (empty for
    one record).
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
