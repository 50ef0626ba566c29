"""Derives `confusions.csv` and `rare_chars.csv` from the project's reference tables; run by hand, never at night.

    python sample_data/reference/derive.py <folder with the full reference tables>

The result is committed, so that nothing depends on this script. Look-alikes are ordered by the PIXEL column
alone: the matcher may use the other columns (stroke codes), and a matcher that shares the generator's table
would look better than it is.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import polars as pl
from pypinyin import Style, pinyin

SOUND, NEAR, SHAPE, VARIANT = 8, 6, 6, 3
"""Partners kept per character and kind."""
SHAPE_FLOOR = 0.6
"""Pixel likeness below which two characters are not taken for one another (README of the reference tables)."""


def plain(syllable: str) -> str:
    """A reading without its tone; ü is written v."""
    folded = unicodedata.normalize("NFD", syllable.replace("ü", "v"))
    return "".join(letter for letter in folded if letter.isascii())


def merged(reading: str, sounds: list[tuple[str, str, str]]) -> set[str]:
    """Readings that a speaker may take for this one, by the table of merged sounds."""
    initial = next((i for i in ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw") if reading.startswith(i)), "")
    final = reading[len(initial) :]
    found = set()
    for part, a, b in sounds:
        for one, other in ((a, b), (b, a)):
            if part == "initial" and initial == one:
                found.add(other + final)
            if part == "final" and final == one:
                found.add(initial + other)
    return found


def main(source: Path, target: Path) -> None:
    """Write the two tables."""
    given = pl.read_csv(source / "given_name_chars.csv").group_by("char").agg(pl.col("weight").sum())
    weight: dict[str, float] = dict(given.iter_rows())
    surnames = pl.read_csv(source / "surnames.csv")
    for surname, share in surnames.select("surname", "share_pct").iter_rows():
        for char in surname:
            weight[char] = weight.get(char, 0) + share / 10
    minority = pl.read_csv(source / "minority_names.csv")
    for name in minority["name"].to_list():
        for char in name:
            weight.setdefault(char, 0.001)
    names = sorted(weight, key=lambda c: (-weight[c], c))
    known = [c for c in names if weight[c] > 3e-6]

    readings = {c: {plain(r) for r in pinyin(c, style=Style.NORMAL, heteronym=True)[0]} for c in known}
    first = {c: plain(pinyin(c, style=Style.NORMAL)[0][0]) for c in known}
    for surname, reading in pl.read_csv(source / "surname_readings.csv")["surname", "reading"].iter_rows():
        if len(surname) == 1 and surname in readings:
            readings[surname].add(reading)
    by_reading: dict[str, list[str]] = defaultdict(list)
    for char in known:
        by_reading[first[char]].append(char)
    sounds = list(pl.read_csv(source / "fuzzy_sounds.csv")["part", "a", "b"].iter_rows())

    glyphs = pl.read_csv(source / "confusable_glyphs.csv").filter(pl.col("pixel_similarity") >= SHAPE_FLOOR)
    glyphs = glyphs.sort("char", "pixel_similarity", "similar", descending=[False, True, False])
    shape: dict[str, list[str]] = defaultdict(list)
    for char, similar in glyphs["char", "similar"].iter_rows():
        shape[char].append(similar)

    variants: dict[str, list[str]] = defaultdict(list)
    table = pl.read_csv(source / "char_variants.csv").filter(~pl.col("kind").str.contains("compat|lookalike"))
    for variant, standard in table.sort("variant")["variant", "standard"].iter_rows():
        if len(variant) == 1 and ord(variant) < 0x20000:
            variants[standard].append(variant)

    rows = []
    for char in sorted(known):
        alike = [c for r in sorted(readings[char]) for c in by_reading[r] if c != char]
        alike.sort(key=lambda c, own=first[char]: (first[c] != own, -weight[c], c))  # type: ignore[misc]
        nearby = set(merged(first[char], sounds)) - readings[char]
        near = sorted({c for r in nearby for c in by_reading[r][:4]}, key=lambda c: (-weight[c], c))
        rows.append(
            {
                "char": char,
                "sound": "".join(dict.fromkeys(alike))[:SOUND],
                "near_sound": "".join(near[:NEAR]),
                "shape": "".join(shape[char][:SHAPE]),
                "variant": "".join(variants[char][:VARIANT]),
            }
        )
    pl.DataFrame(rows).write_csv(target / "confusions.csv")

    rare = pl.read_csv(source / "rare_name_chars.csv")
    rows = []
    for char, reading, legacy in rare["char", "reading", "legacy_pua"].iter_rows():
        sound = plain(reading) if reading else ""
        alike = shape[char][:1] or by_reading[sound][:1]
        code = chr(int(legacy.removeprefix("U+"), 16)) if legacy else ""
        rows.append({"char": char, "pinyin": sound, "shape": "".join(alike), "private_use": code})
    pl.DataFrame(rows).sort("char").write_csv(target / "rare_chars.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).resolve().parent)
