"""Which characters sound alike: readings of a character by slot of the name, and readings that a region merges."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from matching.comparators.name_tables import CODE_POINTS, Floats, Ints, table

SURNAME, GIVEN = 0, 1
READINGS = 4
USUAL_READING = 0.75
"""Share of the usual reading among all readings of a character; assumed. The others share the rest."""

ROUNDED = {
    "a": "ua",
    "ai": "uai",
    "an": "uan",
    "ang": "uang",
    "ei": "ui",
    "en": "un",
    "eng": "ong",
    "o": "uo",
}
"""Where f and h are merged, f alone stands for h and a rounded final: 方 and 荒, 飞 and 辉, 凤 and 红."""

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


def _parts(reading: str) -> tuple[str, str]:
    initial = next((i for i in _INITIALS if reading.startswith(i)), "")
    return initial, reading[len(initial) :]


@cache
def readings() -> pl.DataFrame:
    """char, slot, reading, weight: weights of a character in a slot sum to 1.

    In the slot of the surname the surname's own reading comes first, then other right readings, then what a clerk
    may read by default (单: shan, dan).
    """
    general = table("char_readings").select(
        "char", reading=pl.col("readings").str.split(" ").list.head(READINGS)
    )
    surname = table("surname_readings").filter(pl.col("surname").str.len_chars() == 1)
    own = surname.select(
        char="surname",
        own=pl.concat_list(
            pl.col("reading").str.split("|"),
            pl.col("other_readings").fill_null("").str.split("|"),
            pl.col("library_default").str.split("|"),
        ).list.set_difference([""]),
    )
    by_surname = (
        general.join(own, on="char", how="full", coalesce=True)
        .with_columns(
            reading=pl.coalesce("own", "reading").list.unique(maintain_order=True).list.head(READINGS)
        )
        .drop("own")
    )
    both = pl.concat(
        [by_surname.with_columns(slot=pl.lit(SURNAME)), general.with_columns(slot=pl.lit(GIVEN))]
    ).with_columns(others=pl.col("reading").list.len() - 1)
    place = pl.int_range(pl.len()).over("char", "slot")
    return (
        both.explode("reading")
        .with_columns(place=place)
        .select(
            "char",
            "slot",
            "reading",
            "place",
            weight=pl.when(pl.col("others") == 0)
            .then(1.0)
            .when(pl.col("place") == 0)
            .then(USUAL_READING)
            .otherwise((1 - USUAL_READING) / pl.col("others")),
        )
        .sort("slot", "char", "place")
    )


@cache
def syllables() -> list[str]:
    """Every reading in use, sorted; its place is its number."""
    return readings()["reading"].unique().sort().to_list()


@cache
def merged() -> Ints:
    """Truth table syllable x syllable: heard as one another by some region, by one or both of initial and final."""
    known = {s: i for i, s in enumerate(syllables())}
    near = np.zeros((len(known), len(known)), bool)
    pairs: dict[str, dict[str, set[str]]] = {"initial": {}, "final": {}}
    for part, a, b in table("fuzzy_sounds").iter_rows():
        pairs[part].setdefault(a, set()).add(b)
        pairs[part].setdefault(b, set()).add(a)
    for syllable, number in known.items():
        initial, final = _parts(syllable)
        for i in {initial, *pairs["initial"].get(initial, ())}:
            finals = {final, *pairs["final"].get(final, ())}
            if (initial, i) == ("f", "h"):
                finals |= {ROUNDED[f] for f in finals if f in ROUNDED}
            for f in finals:
                other = known.get(i + f)
                if other is not None and other != number:
                    near[number, other] = near[other, number] = True
    return near


@cache
def reading_table() -> tuple[Ints, Ints, Floats]:
    """Row of a code point (0: no reading); syllables [slot, row, reading], -1 for none; weights of the same shape."""
    spoken = readings()
    chars = spoken["char"].unique().sort()
    row_of = np.zeros(CODE_POINTS, np.int32)
    points = np.array([ord(c) for c in chars.to_list()])
    row_of[points] = np.arange(1, len(points) + 1)
    row = row_of[[ord(c) for c in spoken["char"].to_list()]]
    shape = (2, len(points) + 1, READINGS)
    number = np.full(shape, -1, np.int16)
    weight = np.zeros(shape)
    at = (spoken["slot"].to_numpy(), row, spoken["place"].to_numpy())
    number[at] = np.searchsorted(np.array(syllables()), spoken["reading"].to_numpy().astype(str))
    weight[at] = spoken["weight"].to_numpy()
    return row_of, number, weight


class Sounds:
    """P(b | a, sound) and P(b | a, near_sound) for frequencies of characters by slot.

    A reading of `a` is taken by its weight, then a character that has this reading (or one merged with it) by its
    frequency in the slot. So the probabilities over all b sum to 1 or less.
    """

    def __init__(self, frequency: Floats) -> None:
        """`frequency` [slot, code point], each slot summing to 1."""
        row_of, number, _ = reading_table()
        self.frequency = frequency
        points = np.flatnonzero(row_of)
        self.spoken = np.zeros((2, len(syllables())))
        for slot in (SURNAME, GIVEN):
            for place in range(READINGS):
                said = number[slot, row_of[points], place]
                has = said >= 0
                self.spoken[slot] += np.bincount(
                    said[has], weights=frequency[slot, points[has]], minlength=len(syllables())
                )
        self.nearby = self.spoken @ merged()

    def probabilities(self, a: Ints, b: Ints, slot: Ints) -> tuple[Floats, Floats]:
        """P(b | a, sound), P(b | a, near_sound) of pairs of code points."""
        row_of, number, weight = reading_table()
        near = merged()
        chance = self.frequency[slot, b]
        own = self.frequency[slot, a]
        same_sum = np.zeros(len(a))
        near_sum = np.zeros(len(a))
        row_a, row_b = row_of[a], row_of[b]
        for i in range(READINGS):
            said = number[slot, row_a, i]
            rows = np.flatnonzero(said >= 0)
            if not len(rows):
                break
            heard = said[rows]
            slots = slot[rows]
            share = weight[slots, row_a[rows], i]
            others = self.spoken[slots, heard] - own[rows]
            around = self.nearby[slots, heard]
            for j in range(READINGS):
                answer = number[slots, row_b[rows], j]
                same = answer == heard
                same_sum[rows[same]] += share[same] / np.maximum(others[same], chance[rows[same]])
                merge = (answer >= 0) & near[heard, answer]
                near_sum[rows[merge]] += share[merge] / around[merge]
        return same_sum * chance, near_sum * chance
