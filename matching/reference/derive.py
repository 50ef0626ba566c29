"""Derives the tables of the name comparator from the full reference tables; run by hand, never at night.

    python matching/reference/derive.py <folder with the full reference tables>

The results are committed, so that nothing depends on this script. Look-alikes use stroke codes (Cangjie, four-corner)
and stroke counts only, never rendered pixels: those are the side of whatever invents errors for a test, and
a matcher that shares a table with the errors it is measured on looks better than it is.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pypinyin.pinyin_dict import pinyin_dict
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

READINGS = 4
"""Readings kept per character, the usual one first."""
PARTNERS = 20
"""Look-alikes kept per character before the table is made symmetric (README of the reference tables: the true
partner is among the first 20 in 81 % of known cases)."""
FLOOR = 0.5
"""Likeness below which two characters are not taken for one another."""
HAND_LISTED = 0.9
"""Likeness of a pair that people have listed as confused, at least."""
SURNAMED = ("蒙古族", "藏族", "彝族")
"""Groups that carry a Han surname in one register and none in another."""


def plain(reading: str) -> str:
    """A reading without its tone; ü is written v."""
    parts = unicodedata.normalize("NFD", reading)
    letters = "".join(c for c in parts if not unicodedata.combining(c))
    # Taken apart, ü is u with a diaeresis, before or after the tone.
    return letters.replace("u", "v") if "\u0308" in parts else letters


def characters(source: Path) -> list[str]:
    """Every character that the reference tables use in names or list as a standard character, sorted."""
    words = [
        pl.read_csv(source / f"{table}.csv", infer_schema=False)[column]
        for table, column in (
            ("char_properties", "char"),
            ("given_name_chars", "char"),
            ("rare_name_chars", "char"),
            ("surnames", "surname"),
            ("surname_readings", "surname"),
            ("minority_names", "name"),
            ("minority_names", "spelling_variants"),
            ("minority_spelling_groups", "spelling"),
        )
    ]
    found = set("".join(pl.concat([w.rename("w") for w in words]).drop_nulls().to_list()))
    return sorted(c for c in found if ord(c) in pinyin_dict)


def readings(source: Path) -> pl.DataFrame:
    """char, readings: toneless, the usual one first, separated by blanks."""
    rows = []
    for char in characters(source):
        spoken = dict.fromkeys(plain(r) for r in pinyin_dict[ord(char)].split(","))
        rows.append((char, " ".join(list(spoken)[:READINGS])))
    return pl.DataFrame(rows, schema=["char", "readings"], orient="row")


def _likeness(table: pl.DataFrame) -> np.ndarray[Any, Any]:
    """Likeness of every character with every other, 0 to 1."""
    codes = table["cangjie"].fill_null("").to_list()
    cangjie = cdist(codes, codes, scorer=Indel.normalized_similarity, dtype=np.float32)
    corners = table["four_corner"].fill_null("").str.replace(".", "", literal=True).str.slice(0, 5)
    digits = np.array([[*c.ljust(5, "-")] for c in corners.to_list()])
    known = digits[:, 0] != "-"
    same = np.zeros(cangjie.shape, np.float32)
    for place, weight in enumerate((0.225, 0.225, 0.225, 0.225, 0.1)):
        same += weight * (digits[:, None, place] == digits[None, :, place])
    same = np.where(known[:, None] & known[None, :], same, 0.8 * cangjie)
    strokes = table["strokes"].cast(pl.Float32).to_numpy()
    gap = np.abs(strokes[:, None] - strokes[None, :]) / np.maximum(strokes[:, None], strokes[None, :])
    score = 0.55 * cangjie + 0.27 * same + 0.18 * (1 - gap)
    np.fill_diagonal(score, 0)
    return score


def shape_partners(source: Path) -> pl.DataFrame:
    """char, similar, likeness: look-alikes by stroke codes, and the pairs listed by hand; symmetric."""
    named = pl.read_csv(source / "given_name_chars.csv", infer_schema=False)["char"].unique()
    table = pl.read_csv(source / "char_properties.csv", infer_schema=False).filter(
        pl.col("standard_level").is_in(["1", "2"]) | pl.col("char").is_in(named.implode())
    )
    score = _likeness(table)
    char = table["char"]
    best = np.argpartition(-score, PARTNERS, axis=1)[:, :PARTNERS]
    rows = np.repeat(np.arange(len(char)), PARTNERS)
    computed = pl.DataFrame(
        {
            "char": char.gather(rows),
            "similar": char.gather(best.ravel()),
            "likeness": score[rows, best.ravel()].astype(np.float64),
        }
    ).filter(pl.col("likeness") >= FLOOR)
    listed = (
        pl.read_csv(source / "confusable_glyphs.csv")
        .filter(pl.col("source") == "hand-listed")
        .select("char", "similar", likeness=pl.lit(HAND_LISTED))
    )
    pairs = pl.concat([computed, listed])
    turned = pairs.select(char="similar", similar="char", likeness="likeness")
    return (
        pl.concat([pairs, turned])
        .group_by("char", "similar")
        .agg(pl.col("likeness").max().round(2))
        .sort("char", "similar")
    )


def minority_given(source: Path) -> pl.DataFrame:
    """name: given names and their spellings of the groups that carry a Han surname in one register and none in another."""
    names = pl.read_csv(source / "minority_names.csv").filter(
        pl.col("ethnic_group").is_in(SURNAMED) & (pl.col("part") == "given")
    )
    every = pl.concat(
        [names["name"], names["spelling_variants"].drop_nulls().str.split("|").explode().rename("name")]
    )
    return every.filter(every.str.len_chars() >= 2).unique().sort().to_frame()


def main(source: Path, target: Path) -> None:
    """Write the tables."""
    readings(source).write_csv(target / "char_readings.csv")
    shape_partners(source).write_csv(target / "shape_partners.csv")
    minority_given(source).write_csv(target / "minority_given_names.csv")
    surnames = pl.read_csv(source / "minority_surnames.csv").filter(
        pl.col("ethnic_group").is_in(SURNAMED) & pl.col("surname").is_not_null()
    )
    surnames.group_by("surname").agg((pl.col("weight").sum() / surnames["weight"].sum()).round(4)).sort(
        "surname"
    ).write_csv(target / "minority_surnames.csv")
    pl.read_csv(source / "fuzzy_sounds.csv").select("part", "a", "b").write_csv(target / "fuzzy_sounds.csv")
    pl.read_csv(source / "minority_spelling_groups.csv").write_csv(target / "minority_spellings.csv")
    compound = pl.read_csv(source / "surnames.csv").filter(pl.col("n_chars") == 2)
    compound.select("surname").sort("surname").write_csv(target / "compound_surnames.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).resolve().parent)
