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

import numpy as np
import polars as pl
from pypinyin.pinyin_dict import pinyin_dict

from matching.comparators import name_shapes

READINGS = 4
"""Readings kept per character, the usual one first."""
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


def glyph_tables(source: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """char_glyphs (char, cangjie, four_corner, strokes, partners) and look_alikes (char, similar), both sorted.

    `partners` is the sum of the weights of all characters of the table that look like this one.
    """
    named = pl.concat(
        [
            pl.read_csv(source / f"{t}.csv", infer_schema=False)["char"]
            for t in ("given_name_chars", "rare_name_chars")
        ]
    ).unique()
    chars = (
        pl.read_csv(source / "char_properties.csv", infer_schema=False)
        .filter(
            pl.col("standard_level").is_in(["1", "2"])
            | (pl.col("in_gb2312") == "1")
            | pl.col("char").is_in(named.implode())
        )
        # X in front only tells apart characters of one code.
        .select(
            "char",
            pl.col("cangjie").str.strip_prefix("X"),
            pl.col("four_corner").str.replace(".", "", literal=True),
            "strokes",
        )
        .sort("char")
    )
    known = chars["char"].implode()
    listed = pl.read_csv(source / "confusable_glyphs.csv").filter(
        (pl.col("source") == "hand-listed")
        & (pl.col("char") < pl.col("similar"))
        & pl.col("char").is_in(known)
        & pl.col("similar").is_in(known)
    )
    look_alikes = listed.select("char", "similar").unique().sort("char", "similar")
    row = {c: i for i, c in enumerate(chars["char"])}
    pairs = [(row[a], row[b]) for a, b in look_alikes.iter_rows()]
    keys = np.unique([x * len(row) + y for a, b in pairs for x, y in ((a, b), (b, a))])
    codes = name_shapes.glyphs(chars)
    every = np.arange(len(row))
    total = [name_shapes.weights(codes, keys, np.full(len(row), a), every).sum() for a in every]
    return chars.with_columns(partners=pl.Series(total).round(12)), look_alikes


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
    chars, look_alikes = glyph_tables(source)
    chars.write_csv(target / "char_glyphs.csv")
    look_alikes.write_csv(target / "look_alikes.csv")
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
