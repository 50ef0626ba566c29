"""Spellings of foreign names, their parts and cuts, Han surnames in front: names that are not one of two or three characters.

Frames of pairs in, candidates out; every rule works on whole columns. Frames of pairs have the columns row, left, right (comparing forms, dots kept as U+00B7).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.process import cpdist

from matching.comparators.name_tables import table

SPELLING_BITS = 1.5
"""Cost of a character that another office writes differently: about three spellings in use. Assumed."""
CHOICE_BITS = 1.0
EDIT_BITS = 8.0
"""Cost of an edit that no group of spellings explains: a character out of a few hundred. Assumed."""
LIKE = 0.75
"""Indel ratio of two spellings of one name (CHINESE_DATA, recommendation 4)."""
LONG = 5
CUT_AT_LEAST = 4
SURNAME_AT_MOST = 3
CUT_BITS = 2.0
"""Fields cut at 4, 5, 8 characters or 20 bytes."""

Candidate = tuple[str, pl.DataFrame]
"""Kind, and a frame row, log2_p."""


@cache
def _spellings() -> tuple[list[str], list[str]]:
    """Spellings and what stands for their group. Groups that share a spelling are one group, whatever the language."""
    groups = (
        table("minority_spellings").group_by("ethnic_group", "group_no", maintain_order=True).agg("spelling")
    )
    leader: dict[str, str] = {}

    def lead(spelling: str) -> str:
        while leader.setdefault(spelling, spelling) != spelling:
            spelling = leader[spelling]
        return spelling

    for spellings in groups["spelling"].to_list():
        first = lead(spellings[0])
        for other in spellings[1:]:
            leader[lead(other)] = first
    known = sorted(leader, key=lambda s: (-len(s), s))
    return known, [lead(s) for s in known]


def folded(names: pl.Series) -> pl.Series:
    """Names with one spelling for each group of spellings: longer spellings first, then single characters."""
    known, leaders = _spellings()
    words = [i for i, s in enumerate(known) if len(s) > 1]
    letters = [i for i, s in enumerate(known) if len(s) == 1]
    text = names.str.replace_many([known[i] for i in words], [leaders[i] for i in words], leftmost=True)
    return text.str.replace_many([known[i] for i in letters], [leaders[i] for i in letters])


def _mapped(names: pl.Series, *others: pl.Series) -> pl.DataFrame:
    every = pl.concat([n.alias("name") for n in (names, *others)]).unique().sort()
    return pl.DataFrame({"name": every, "folded": folded(every)})


def _apart(a: pl.Series, b: pl.Series) -> pl.Series:
    """Levenshtein distance, pair by pair."""
    return pl.Series(cpdist(a.to_list(), b.to_list(), scorer=Levenshtein.distance, dtype=np.int32))


def _with_folds(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs with `l`, `r` (dots gone), `lf`, `rf` (spellings folded as well)."""
    plain = pairs.with_columns(
        l=pl.col("left").str.replace_all("·", "", literal=True),
        r=pl.col("right").str.replace_all("·", "", literal=True),
    )
    folds = _mapped(plain["l"], plain["r"])
    return plain.join(
        folds.rename({"name": "l", "folded": "lf"}), on="l", how="left", maintain_order="left"
    ).join(folds.rename({"name": "r", "folded": "rf"}), on="r", how="left", maintain_order="left")


def explained(pairs: pl.DataFrame) -> list[Candidate]:
    """Every way in which a rule of this module explains a pair of names in Han characters."""
    if pairs.is_empty():
        return []
    frame = _with_folds(pairs)
    same = frame.filter(pl.col("l") == pl.col("r"))
    found: list[Candidate] = [("exact", same.select("row", log2_p=pl.lit(0.0)))]
    rest = frame.filter(pl.col("l") != pl.col("r"))
    return [*found, _spelled(rest), _alike(rest), _ordered(rest), _cut(rest), _part(rest), _lost_dot(rest)]


def _spelled(frame: pl.DataFrame) -> Candidate:
    """The same once spellings are folded."""
    same = frame.filter(pl.col("lf") == pl.col("rf"))
    cost = CHOICE_BITS + SPELLING_BITS * _apart(same["l"], same["r"])
    return "spelling", same.select("row").with_columns(log2_p=-cost)


def _alike(frame: pl.DataFrame) -> Candidate:
    """Long names of which few characters differ once spellings are folded."""
    size = pl.max_horizontal(pl.col("lf").str.len_chars(), pl.col("rf").str.len_chars())
    long = frame.filter(
        (size >= LONG)
        & (pl.col("lf") != pl.col("rf"))
        & ~pl.col("l").str.starts_with(pl.col("r"))
        & ~pl.col("r").str.starts_with(pl.col("l"))
    )
    ratio = cpdist(
        long["lf"].to_list(),
        long["rf"].to_list(),
        scorer=Indel.normalized_similarity,
        score_cutoff=LIKE,
        dtype=np.float32,
    )
    like = long.filter(pl.Series(ratio >= LIKE, dtype=pl.Boolean))
    edits = _apart(like["lf"], like["rf"])
    spelled = (_apart(like["l"], like["r"]) - edits).clip(lower_bound=0)
    cost = CHOICE_BITS + SPELLING_BITS * spelled + EDIT_BITS * edits
    return "spelling", like.select("row").with_columns(log2_p=-cost)


def _ordered(frame: pl.DataFrame) -> Candidate:
    """Parts in another order: the dotted parts, or where no dots are, the later part in front."""
    size = pl.col("lf").str.len_chars()
    turned = frame.filter(
        (size == pl.col("rf").str.len_chars())
        & (size >= 4)
        & (pl.col("lf") != pl.col("rf"))
        & (pl.col("lf") + pl.col("lf")).str.contains(pl.col("rf"), literal=True)
    )
    # Two parts have one other order; the place of the part is open where the dot is gone.
    dotted = pl.col("left").str.contains("·") | pl.col("right").str.contains("·")
    plain = (pl.col("l") + pl.col("l")).str.contains(pl.col("r"), literal=True)
    cost = pl.when(dotted).then(0.0).otherwise((pl.col("l").str.len_chars() - 1).log(2.0)) + pl.when(
        plain
    ).then(0.0).otherwise(CHOICE_BITS + SPELLING_BITS)
    return "order", turned.select("row", log2_p=-cost)


def _cut(frame: pl.DataFrame) -> Candidate:
    """The longer name begins with the shorter."""
    ahead = frame.filter(
        (pl.min_horizontal(pl.col("l").str.len_chars(), pl.col("r").str.len_chars()) >= CUT_AT_LEAST)
        & (pl.col("lf").str.starts_with(pl.col("rf")) | pl.col("rf").str.starts_with(pl.col("lf")))
        & (pl.col("lf") != pl.col("rf"))
    )
    plain = pl.col("l").str.starts_with(pl.col("r")) | pl.col("r").str.starts_with(pl.col("l"))
    cost = CUT_BITS + pl.when(plain).then(0.0).otherwise(CHOICE_BITS + SPELLING_BITS)
    return "cut", ahead.select("row", log2_p=-cost)


def _part(frame: pl.DataFrame) -> Candidate:
    """One of the parts between dots stands alone, or parts are missing."""
    dotted = frame.filter(pl.col("left").str.contains("·") | pl.col("right").str.contains("·"))
    parts = dotted.select("row", l=pl.col("left").str.split("·"), r=pl.col("right").str.split("·")).filter(
        pl.col("l").list.len() != pl.col("r").list.len()
    )
    if parts.is_empty():
        return "part", pl.DataFrame(schema={"row": pl.UInt32, "log2_p": pl.Float64})
    every = _mapped(parts["l"].explode().drop_nulls(), parts["r"].explode().drop_nulls())
    fold = dict(every.iter_rows())
    parts = parts.with_columns(
        lf=pl.col("l").list.eval(pl.element().replace_strict(fold, default=None)),
        rf=pl.col("r").list.eval(pl.element().replace_strict(fold, default=None)),
    )
    sizes = pl.col("l").list.len(), pl.col("r").list.len()

    def inside(a: str, b: str) -> pl.Expr:
        common = pl.col(a).list.set_intersection(pl.col(b)).list.len()
        return common == pl.min_horizontal(*sizes)

    cost = pl.max_horizontal(*sizes).cast(pl.Float64).log(2.0) + pl.when(inside("l", "r")).then(
        0.0
    ).otherwise(CHOICE_BITS + SPELLING_BITS)
    return "part", parts.filter(inside("lf", "rf")).select("row", log2_p=-cost)


def _lost_dot(frame: pl.DataFrame) -> Candidate:
    """A dot that came out as one or two question marks."""
    marked = frame.filter(
        (pl.col("l").str.contains("?", literal=True) | pl.col("r").str.contains("?", literal=True))
        & (pl.col("l").str.len_chars() != pl.col("r").str.len_chars())
    ).with_columns(
        l=pl.col("l").str.replace_all("?", "", literal=True),
        r=pl.col("r").str.replace_all("?", "", literal=True),
    )
    same = marked.filter((pl.col("l") == pl.col("r")) & (pl.col("l").str.len_chars() >= 4))
    return "wildcard", same.select("row", log2_p=pl.lit(-2.0))


def surname_added(pairs: pl.DataFrame) -> Candidate:
    """A surname stands in front on one side only, before a name that is no Han given name, which may be spelt otherwise.

    That is a name of three characters or more, one listed among the given names of the groups concerned, or one behind a
    surname of several characters that the groups carry (吉克约布). On the right the surname is one of those; on the left it is gone.
    """
    surnames = table("minority_surnames").select("surname", weight=pl.col("weight").cast(pl.Float64))
    listed = table("minority_given_names")["name"].implode()
    size_l, size_r = pl.col("left").str.len_chars(), pl.col("right").str.len_chars()
    frame = pairs.with_columns(
        long=pl.when(size_l > size_r).then("left").otherwise("right"),
        short=pl.when(size_l > size_r).then("right").otherwise("left"),
        added=size_r > size_l,
    ).filter((size_l - size_r.cast(pl.Int64)).abs().is_between(1, SURNAME_AT_MOST))
    width = pl.col("long").str.len_chars() - pl.col("short").str.len_chars()
    frame = frame.join(
        surnames,
        left_on=pl.col("long").str.slice(0, width),
        right_on="surname",
        how="inner",
        maintain_order="left",
    ).with_columns(given=pl.col("long").str.slice(width))
    folds = _mapped(frame["short"], frame["given"])
    for name in ("short", "given"):
        named = folds.rename({"name": name, "folded": f"{name}_folded"})
        frame = frame.join(named, on=name, how="left", maintain_order="left")
    size = pl.col("short").str.len_chars()
    frame = frame.filter(
        (pl.col("given_folded") == pl.col("short_folded"))
        & (
            (size >= 3)
            | ((size == 2) & (width > 1))
            | pl.col("short").is_in(listed)
            | pl.col("given").is_in(listed)
        )
    )
    chance = pl.when("added").then(pl.col("weight").log(2.0)).otherwise(0.0)
    apart = pl.Series(_apart(frame["given"], frame["short"]), dtype=pl.Float64)
    spelled = (
        pl.when(pl.col("given") == pl.col("short")).then(0.0).otherwise(CHOICE_BITS + SPELLING_BITS * apart)
    )
    return "surname_added", frame.select("row", log2_p=chance - spelled)


@cache
def surname_beginnings() -> str:
    """First characters of the surnames that may be added."""
    return "".join(sorted({name[0] for name in table("minority_surnames")["surname"]}))
