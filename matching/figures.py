"""Figures about a match for the page and the summary: counts, rates and shares, never a value of a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from matching import clustering, waterfall
from matching.coded import NO_DAY, Side
from matching.linking import Links
from matching.model import MODEL

BIN = 2.0
"""Bits of one bar of the histogram."""

LOWEST, HIGHEST = -40.0, 60.0

CARRIES = ("姓名", "证件号码", "出生日期", "只有年龄或年份", "性别", "电话", "住地", "户号")


@dataclass
class Figures:
    """`weights`: low (bits), A, B, C, none: records by the weight of their best candidate. `bounds`: lowest weight of each
    grade. `rates`: comparison, level (Chinese), prior, estimated, pairs (links of A and B that show it). `keys`: key,
    pairs, lost_pairs, lost_rows. `alone`: lacked (Chinese), records without any candidate. `carries`: field, left, right
    (shares). `counts`: single figures."""

    counts: dict[str, Any]
    weights: pl.DataFrame
    bounds: dict[str, float]
    rates: pl.DataFrame
    keys: pl.DataFrame
    alone: pl.DataFrame
    carries: pl.DataFrame


def figures(links: Links) -> Figures:
    """All figures of a match."""
    linked = links.linked
    found = linked.links
    best = _best(links)
    chosen = found.filter(pl.col("pair").is_not_null())
    firm = chosen.filter(pl.col("grade").is_in(["A", "B"]))["pair"].to_numpy()
    close = chosen.filter((pl.col("grade") == "C") & (pl.col("margin") < 5)).height
    strangers = clustering.namesakes(linked.compared)
    counts = links.counts | {
        "firm": found.filter(pl.col("grade").is_in(["A", "B"])).height,
        "by_number": found.filter(pl.col("pair").is_null()).height,
        "review_between_two": close,
        "namesakes_proven": 0 if links.is_one_table else len(np.unique(linked.pairs.right[strangers])),
        "namesakes_rate": linked.model.namesakes,
        "without_candidate": int((~_met(links)).sum()),
    }
    bounds = {
        grade: float(weight)
        for grade, weight in chosen.group_by("grade").agg(pl.col("weight").min()).sort("grade").iter_rows()
    }
    keys = (
        linked.pairs.counts()
        .group_by("key", maintain_order=True)
        .agg(pl.col("pairs", "rows", "lost_pairs", "lost_rows").sum())
    )
    return Figures(
        counts, _histogram(best), bounds, _rates(links, firm), keys, _alone(links), _carried(links)
    )


def _met(links: Links) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Right records that have a candidate, or a link by number and name."""
    linked = links.linked
    met = np.zeros(linked.right.n, dtype=bool)
    met[linked.pairs.right] = True
    by_number = linked.links.filter(pl.col("pair").is_null())["right"].to_numpy()
    met[by_number[by_number < linked.right.n]] = True
    return met


def _best(links: Links) -> pl.DataFrame:
    """weight, grade of the best candidate of each right record that has one (for one table: of each pair)."""
    linked = links.linked
    graded = linked.links.select("weight", "grade")
    if links.is_one_table:
        return graded
    pairs = clustering.best_pairs(linked.pairs.right, linked.pairs.left, linked.scored.log_odds).pair
    told = linked.links["pair"].drop_nulls().to_numpy()
    rest = pairs[~np.isin(pairs, told)]
    none = pl.DataFrame(
        {"weight": linked.scored.log_odds[rest], "grade": ["none"] * len(rest)}, schema=graded.schema
    )
    return pl.concat([graded, none])


def _histogram(best: pl.DataFrame) -> pl.DataFrame:
    low = (pl.col("weight").clip(LOWEST, HIGHEST - BIN) / BIN).floor() * BIN
    counted = best.with_columns(low.alias("low")).group_by("low", "grade").len()
    bars = pl.DataFrame({"low": np.arange(LOWEST, HIGHEST, BIN)})
    for grade in ("A", "B", "C", "none"):
        of_grade = counted.filter(pl.col("grade") == grade).select(
            "low", pl.col("len").cast(pl.Int64).alias(grade)
        )
        bars = bars.join(of_grade, on="low", how="left", maintain_order="left")
    return bars.with_columns(pl.col("A", "B", "C", "none").fill_null(0))


def _rates(links: Links, firm: np.ndarray[Any, Any]) -> pl.DataFrame:
    """Only comparisons that said something about some link."""
    rows = []
    for comparison in MODEL:
        levels = links.linked.compared.evidence[comparison.name].level[firm]
        if not levels.any():
            continue
        seen = np.bincount(levels, minlength=len(comparison.levels) + 1)
        rows += [
            {
                "comparison": comparison.zh,
                "level": waterfall.WORDS[comparison.name][level],
                "prior": prior,
                "estimated": estimated,
                "pairs": int(count),
            }
            for level, prior, estimated, count in zip(
                comparison.levels,
                comparison.rates,
                links.model.rates[comparison.name],
                seen[1 : len(comparison.levels) + 1],
                strict=True,
            )
        ]
    schema = {
        "comparison": pl.String,
        "level": pl.String,
        "prior": pl.Float64,
        "estimated": pl.Float64,
        "pairs": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def _fields(side: Side) -> pl.DataFrame:
    """By record, which fields it carries (`CARRIES`)."""

    def rows(places: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        has = np.zeros(side.n, dtype=bool)
        has[places] = True
        return has

    exact = side.birth != NO_DAY
    found = (
        side.own_name >= 0,
        side.id_kind > 0,
        exact,
        ~exact & (side.low != NO_DAY),
        side.sex != 0,
        rows(side.phone_row),
        side.depth > 0,
        rows(side.household_row),
    )
    return pl.DataFrame(dict(zip(CARRIES, found, strict=True)))


def _carried(links: Links) -> pl.DataFrame:
    left, right = (
        _fields(side).select(pl.all().mean().fill_null(0.0)).row(0)
        for side in (links.linked.left, links.linked.right)
    )
    return pl.DataFrame(
        {"field": CARRIES, "left": left, "right": right},
        schema_overrides={"left": pl.Float64, "right": pl.Float64},
    )


def _alone(links: Links) -> pl.DataFrame:
    """Records without any candidate, by what they lack of what other records of the table have."""
    side = links.linked.right
    fields = _fields(side)
    usual = [name for name in CARRIES if name != CARRIES[3] and fields[name].any()]
    alone = fields.filter(pl.Series(~_met(links)))
    # Of a table without records nothing is usual, and polars joins no less than one expression.
    lacked = pl.concat_str(
        [pl.lit(None, dtype=pl.String), *(pl.when(~pl.col(name)).then(pl.lit(name)) for name in usual)],
        separator="、",
        ignore_nulls=True,
    )
    return (
        alone.with_columns(pl.when(lacked == "").then(pl.lit("各项都有")).otherwise(lacked).alias("lacked"))
        .group_by("lacked")
        .agg(pl.len().cast(pl.Int64).alias("records"))
        .sort("records", "lacked", descending=[True, False])
    )
