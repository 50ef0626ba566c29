"""Identities of the night that no pass settled, and the persons of the spine, as two sides for the engine.

Which person an identity is, is decided in `engine`; which links the passes made, in `passes`. Here the frames of the
night become `Records` and the engine's answer becomes links of the night.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from matching import engine, normalise, waterfall
from matching.blocking import Index
from matching.census import PEOPLE, TRAITS, People
from matching.coded import coded
from matching.evidence import is_among
from matching.model import Model
from matching.records import HOUSEHOLDS, NAMES, OTHERS, PHONES, ROWS, Records

RATES = Path(__file__).resolve().parent / "reference" / "rates.yaml"
"""The rates of the night: a file with a version, so that tonight weighs as last night did."""

WEIGHED = pl.Schema(
    {
        "identity_key": pl.String(),
        "node": pl.String(),
        "pass_id": pl.String(),
        "grade": pl.String(),
        "weight": pl.Float64(),
        "probability": pl.Float64(),
        "margin": pl.Float64(),
        "reasons_zh": pl.String(),
        "words_zh": pl.String(),
    }
)
"""Links that the engine made: log2 odds, probability, bits to the runner-up, and why in Chinese: in full, and in words
alone, which do not change from night to night when the county grows by one."""

BLOCKS = pl.Schema(
    {
        "key": pl.String(),
        "pairs": pl.Int64(),
        "rows": pl.Int64(),
        "lost_pairs": pl.Int64(),
        "lost_rows": pl.Int64(),
    }
)
"""What was looked at tonight, by key: pairs of an identity and a person, identities that have such pairs, and the same of blocks
that are too large and were left out (an identity or pair may be found by another key)."""

STRONG = 0.998
"""Probability of a link of grade B: at most one in 500 of the weakest of them is wrong by expectation."""

FEWEST_PERSONS = 300
"""Of fewer people nobody can say how common a name is; then the passes alone speak."""

PASS_OF_GRADE = {"A": "MB", "B": "MB", "C": "MC"}
"""Without an agreed number nothing that is weighed is certain: check-out rules never rest on it."""


def weigh(
    persons: People,
    open_: pl.DataFrame,
    generic_phones: pl.Series,
    forbidden: pl.DataFrame,
    model: Model,
    counted: People | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Engine links (`WEIGHED`) for identities that passes left without a link, or with one for review only; and what each key
    of `blocking` gave and lost (`BLOCKS`).

    `persons` as `people` gives them; `open_`: identities as `normalise.normalise` gives them, which have a name;
    `generic_phones`: telephones that prove nothing, of those that they state; `forbidden`: human decisions (`identity_key`,
    `node`); `counted`: among whom it is counted how common values are (`persons` when null). Every identity is weighed on its
    own against the persons of the passes, so that the outcome does not depend on which others are weighed with it.
    """
    open_ = open_.sort("identity_key")
    if open_.is_empty() or persons.people.height < FEWEST_PERSONS:
        return WEIGHED.to_frame(), BLOCKS.to_frame()
    nodes = persons.people.select("node").with_row_index("row")
    left = left_side(persons)
    right = right_side(open_, generic_phones)
    no = (
        forbidden.join(open_.select("identity_key").with_row_index("right"), on="identity_key")
        .join(nodes.select("node", left="row"), on="node")
        .select("left", "right")
    )
    found = engine.link(
        left if counted is None else _joined(left, left_side(counted)),
        right,
        model=model,
        estimate=False,
        right_is_clean=False,
        forbidden=no,
        strong_at_least=STRONG,
        candidates=None if counted is None else left.height,
    )
    told = found.links.with_columns(reasons_zh=waterfall.reasons(found, found.links))
    links = (
        told.select(
            pl.col("right").cast(pl.UInt32),
            pl.col("left").cast(pl.UInt32),
            pl.col("grade").replace_strict(PASS_OF_GRADE).alias("pass_id"),
            pl.when(pl.col("grade") == "C").then(pl.lit("C")).otherwise(pl.lit("B")).alias("grade"),
            "weight",
            "probability",
            "margin",
            "reasons_zh",
            _words("reasons_zh").alias("words_zh"),
        )
        .join(open_.select("identity_key").with_row_index("right"), on="right")
        .join(nodes.select("node", left="row"), on="left")
        .select(WEIGHED.names())
        .cast(WEIGHED)
        .sort("identity_key")
    )
    return links, found.pairs.counts().group_by("key").sum().sort("key").cast(BLOCKS)


def _words(column: str) -> pl.Expr:
    """What agreed and what did not, without figures."""
    said = (
        pl.col(column)
        .str.replace(r"；(?:起点|合计).*$", "")
        .str.replace_all(r"（[^（）]*(?:（[^（）]*）[^（）]*)*）", "")
    )
    return pl.lit("综合比对：") + said + "。"


DESCRIBING = (
    "identity_key",
    "tier",
    "last_batch",
    "birth",
    "birth_stated",
    "sex_known",
    "village_code",
    "township",
    "name_key",
    "name_aliases",
    "former_name_key",
    "name_parts",
    "phone",
    "phone_key",
    "phone_class",
    "household_key",
)
"""Columns of `normalise.normalise` by which the engine knows a person."""


def people(members: pl.DataFrame, generic: pl.Series) -> People:
    """What is known of the persons of the passes, as the engine needs it.

    `members`: identities with their forms (`DESCRIBING`) and the `node` that they prove something about (no links for review).
    `generic`: telephones that prove nothing.
    """
    rows = members.sort("node", "tier", "last_batch", "identity_key", descending=[False, False, True, False])
    best = rows.group_by("node", maintain_order=True).agg(
        pl.col("birth").drop_nulls().first(),
        pl.col("birth_stated").drop_nulls().first(),
        pl.col("sex_known").drop_nulls().first().alias("sex"),
        pl.col("village_code").drop_nulls().first(),
        pl.col("township").drop_nulls().first(),
        pl.col("name_key").drop_nulls().first(),
    )
    alias = pl.col("name_aliases")
    names = pl.concat(
        [
            best.select("node", kind=pl.lit("own"), value="name_key"),
            rows.select("node", kind=pl.lit("alias"), value="name_key"),
            rows.select("node", kind=pl.lit("former"), value="former_name_key"),
            rows.filter(alias.list.len() > 0)
            .select("node", kind=pl.lit("alias"), value="name_aliases")
            .explode("value"),
        ]
    ).drop_nulls("value")
    parts = rows.select("node", kind=pl.lit("parts"), value="name_parts").drop_nulls("value")
    traits = pl.concat(
        [
            names.unique(["node", "value"], keep="first", maintain_order=True),
            parts.unique(),
            _phones(rows, generic, "node").select("node", kind=pl.lit("phone"), value="phone"),
            _long(rows, "household_key", "value", "node").select(
                "node", pl.lit("household").alias("kind"), "value"
            ),
        ]
    )
    return People(
        best.select(
            "node",
            pl.coalesce("birth", "birth_stated").alias("birth"),
            "sex",
            pl.coalesce("village_code", "township").alias("place"),
        ).cast(PEOPLE),
        traits.cast(TRAITS).sort("node", "kind", "value"),
    )


def renewed(before: People, now: People, nodes: pl.Series) -> People:
    """The same people, with those of `nodes` as they are in `now`; who is not there any more is gone."""
    other = ~pl.col("node").is_in(nodes.implode())
    return People(
        before.people.filter(other).merge_sorted(now.people, "node"),
        before.traits.filter(other).merge_sorted(now.traits, "node"),
    )


def differing(before: People, now: People, nodes: pl.Series) -> People:
    """Of these nodes, the persons that the engine sees otherwise than before: as they were and as they are, the latter with
    all who share the telephone or the household that came or went, since family counts."""
    chosen = pl.col("node").is_in(nodes.implode())
    people = [f.people.filter(chosen) for f in (before, now)]
    traits = [f.traits.filter(chosen) for f in (before, now)]

    def apart(frames: list[pl.DataFrame]) -> pl.DataFrame:
        a, b = frames
        columns = a.columns
        return pl.concat([x.join(y, on=columns, how="anti", nulls_equal=True) for x, y in ((a, b), (b, a))])

    said = apart(traits)
    other = pl.concat([apart(people)["node"], said["node"]]).unique()
    is_other = pl.col("node").is_in(other.implode())
    of_family = pl.col("kind").is_in(["phone", "household"])
    # A member's other telephone is another telephone of the family, whose household stays.
    stirred = said.filter(of_family)["node"].unique()
    homes = (pl.col("kind") == "household") & pl.col("node").is_in(stirred.implode())
    shared = pl.concat([said.filter(of_family), *(f.filter(homes) for f in traits)])["value"].unique()
    family = now.traits.filter(pl.col("value").is_in(shared.implode()) & of_family)["node"]
    theirs = pl.col("node").is_in(pl.concat([other, family]).unique().implode())
    was = People(people[0].filter(is_other), traits[0].filter(is_other))
    return People(
        pl.concat([was.people.with_columns(_as_was()), now.people.filter(theirs)]),
        pl.concat([was.traits.with_columns(_as_was()), now.traits.filter(theirs)]),
    )


def _as_was() -> pl.Expr:
    """Nodes of earlier versions stay apart from those of tonight; the number in them can still be read."""
    return (pl.col("node") + _EARLIER).alias("node")


_EARLIER = " "


def meeting(persons: People, open_: pl.DataFrame, generic_phones: pl.Series) -> pl.Series:
    """Identities among `open_` that agree with one of these persons in any key, however many do (`identity_key`)."""
    if open_.is_empty() or persons.people.is_empty():
        return pl.Series("identity_key", [], dtype=pl.String)
    left, right, names = coded(left_side(persons), right_side(open_, generic_phones))
    index = Index(left, right, names)
    met = np.zeros(right.n, dtype=bool)
    for stage in index.stages():
        for key in stage(~met):
            rows, codes = key.right
            theirs = np.sort(key.left[1])
            met[rows[is_among(theirs[theirs != 0], codes) & (codes != 0)]] = True
    return open_["identity_key"].filter(pl.Series(met))


def _joined(first: Records, second: Records) -> Records:
    """The records of both, one behind the other."""
    later = pl.col("row") + first.height

    def both(name: str) -> pl.DataFrame:
        mine, theirs = getattr(first, name), getattr(second, name)
        return pl.concat([mine, theirs.with_columns(later)]).cast(mine.schema)

    return Records(
        pl.concat([first.ids, second.ids]),
        *(both(n) for n in ("rows", "names", "phones", "households", "others")),
    )


def left_side(known: People) -> Records:
    """The spine as left side: one row a person, with all names, telephones and households known of it."""
    nodes = known.people.select("node").with_row_index("row")
    best = known.people.with_row_index("row")
    number = pl.col("node").str.strip_suffix(_EARLIER)
    is_number = number.str.contains(r"^[0-9]{17}[0-9X]$")
    is_foreign = number.str.starts_with("F:")
    table = best.select(
        "row",
        pl.when(is_number | is_foreign).then(number).alias("id_key"),
        pl.when(is_number).then(pl.lit("valid18")).when(is_foreign).then(pl.lit("foreign")).alias("id_kind"),
        pl.when(is_number).then(number).when(is_foreign).then(number.str.slice(2)).alias("id_text"),
        "birth",
        pl.col("birth").alias("birth_low"),
        pl.col("birth").alias("birth_high"),
        pl.when(pl.col("birth").is_not_null()).then(pl.lit("stated")).alias("birth_basis"),
        "sex",
        "place",
        pl.lit(None, dtype=pl.String).alias("address_key"),
        pl.lit(None, dtype=pl.String).alias("village_name"),
    )
    traits = known.traits.join(nodes, on="node", how="left", maintain_order="left")
    kind = pl.col("kind")
    return Records(
        ids=nodes["node"],
        rows=table.cast(ROWS),
        names=traits.filter(~kind.is_in(["phone", "household"]))
        .select("row", pl.col("value").alias("name"), "kind")
        .cast(NAMES),
        phones=traits.filter(kind == "phone").select("row", pl.col("value").alias("phone")).cast(PHONES),
        households=traits.filter(kind == "household")
        .select("row", pl.col("value").alias("household"))
        .cast(HOUSEHOLDS),
        others=OTHERS.to_frame(),
    )


def right_side(open_: pl.DataFrame, generic: pl.Series) -> Records:
    """Open identities as right side."""
    rows = open_.with_row_index("row")
    as_of = pl.col("as_of")
    # What the record says of the person goes before what its number says: the number may be somebody else's.
    has_age = pl.col("age").is_not_null() & as_of.is_not_null() & pl.col("birth_stated").is_null()
    day = pl.when(~has_age).then(pl.coalesce("birth_stated", "birth"))
    low, high = normalise.birth_interval(day)
    kind = pl.col("id_kind")
    spoiled = kind.is_in(["masked", "invalid"])
    table = rows.select(
        "row",
        "id_key",
        "id_kind",
        pl.when(spoiled)
        .then(pl.col("resident_id").str.normalize("NFKC").str.replace_all(r"X(X+)", "**"))
        .when(pl.col("id_key").is_not_null())
        .then(pl.col("id_key").str.strip_prefix("F:"))
        .alias("id_text"),
        day.alias("birth"),
        low.alias("birth_low"),
        high.alias("birth_high"),
        pl.when(pl.col("birth_stated").is_not_null())
        .then(pl.lit("stated"))
        .when(has_age)
        .then(pl.lit("age"))
        .when(pl.col("birth").is_not_null())
        .then(pl.lit("resident_id"))
        .alias("birth_basis"),
        pl.col("sex_known").alias("sex"),
        pl.coalesce("village_code", "township", "division_code").alias("place"),
        pl.lit(None, dtype=pl.String).alias("address_key"),
        pl.lit(None, dtype=pl.String).alias("village_name"),
    )
    names = pl.concat(
        [
            rows.select("row", name="name_key", kind=pl.lit("own")),
            rows.select("row", name="former_name_key", kind=pl.lit("former")),
            rows.select("row", pl.col("name_aliases").alias("name"), kind=pl.lit("alias")).explode("name"),
        ]
    )
    names = names.drop_nulls("name").unique(["row", "name"], keep="first", maintain_order=True)
    parts = rows.select("row", name="name_parts", kind=pl.lit("parts")).drop_nulls("name")
    return Records(
        ids=open_["identity_key"],
        rows=table.with_columns(pl.col("place").str.replace(r"^(\d{6})0{6}$", "${1}")).cast(ROWS),
        names=pl.concat([names, parts]).sort("row", "kind", "name").cast(NAMES),
        phones=_phones(rows, generic).cast(PHONES),
        households=_long(rows, "household_key", "household").cast(HOUSEHOLDS),
        others=OTHERS.to_frame(),
    )


def _phones(rows: pl.DataFrame, generic: pl.Series, by: str = "row") -> pl.DataFrame:
    hidden = pl.when(pl.col("phone_class") == "masked").then(
        pl.col("phone").str.normalize("NFKC").str.replace_all(r"[xX]", "*").str.replace_all(r"[^0-9*]", "")
    )
    rows = rows.select(by, pl.coalesce("phone_key", hidden).alias("phone_key"))
    usable = rows.filter(~pl.col("phone_key").is_in(generic.implode()).fill_null(False))
    return _long(usable, "phone_key", "phone", by)


def _long(rows: pl.DataFrame, column: str, name: str, by: str = "row") -> pl.DataFrame:
    return rows.select(by, pl.col(column).alias(name)).drop_nulls(name).unique().sort(by, name)


def rates(path: Path | None = None) -> Model:
    """The model of a deployment, or the one that comes with the software."""
    return Model.load(path if path is not None and path.exists() else RATES)


__all__ = ["PEOPLE", "RATES", "TRAITS", "WEIGHED", "People", "left_side", "rates", "right_side", "weigh"]
