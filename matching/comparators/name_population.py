"""How often characters and names occur among the people of the left side."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from matching.comparators import name_tables as tables
from matching.comparators.name_sounds import GIVEN, SURNAME, Sounds, reading_table, syllables
from matching.comparators.name_tables import CODE_POINTS, WILDCARD, Codes, Floats, Ints

BORROWED = 0.02
"""Weight, as a share of a slot's characters, of what is known from the whole names; assumed. A surname may come out
as a character that is no surname."""
BORROWED_AT_LEAST = 50.0
UNSEEN = 0.5
"""Count of a character that no name has."""
SINGLETONS_WITHIN = (0.02, 1.0)
"""Bounds of the weight of surname x given characters against counted full names. In between it is the share of people
whose name nobody else has (Good and Turing's estimate of what a count has not seen)."""
SCRIPT_SHARES = 1e-4
"""Least share of a length or script of names that nobody on the left side has."""

LETTER_BITS = 4.2
"""Surprise of one letter of a name in Latin letters; about what English and pinyin have."""

SINGLE, FIRST, SECOND, LONG, DOUBLE, SETTLED = 2, 3, 4, 5, 6, 7
"""Slots of `Frequencies.chance` beyond surname and given: a given name of one character, the first and the second of
two, names that are not surname and one or two characters (minority names), the first of a surname of two characters,
and the second one, which the first settles."""
SLOTS = 8


class Frequencies:
    """Chance of a character by slot, chance of a shape of names, and counts of full names.

    `names`: columns name (comparing form), count. Names with lost characters, Latin letters or dots count as full
    names only. Characters that no name has keep a small chance. `is_distinct`: each name stands once, and none is null.
    """

    def __init__(self, names: pl.DataFrame, *, is_distinct: bool = False) -> None:
        counted = names.select(pl.col("name"), pl.col("count").cast(pl.Float64))
        if not is_distinct:
            counted = counted.drop_nulls().group_by("name").agg(pl.col("count").sum()).sort("name")
        self.counts = counted
        self.people = max(float(counted["count"].sum()), 1.0)
        alone = float(counted.filter(pl.col("count") <= 1)["count"].sum())
        self.backing = min(max(alone / self.people, SINGLETONS_WITHIN[0]), SINGLETONS_WITHIN[1])
        code = tables.codes(counted["name"])
        weight = counted["count"].to_numpy()
        plain = np.flatnonzero(~tables.any_in(code, special()) & (code.length > 0))
        code = Codes(code.flat, code.start[plain], code.length[plain])
        weight = weight[plain]
        shape = shapes(counted["name"].gather(plain), code)
        self._characters(code, weight, shape)
        self._shapes(code, weight, shape)
        self.sounds = Sounds(self.chance[:2])

    def _characters(self, code: Codes, weight: Floats, shape: Ints) -> None:
        raw = np.zeros((SLOTS, CODE_POINTS))
        counted = np.zeros((2, CODE_POINTS))
        for kind, length, rows in alike(shape, code.length):
            points, own = code.matrix(rows, length), weight[rows]
            for at, slot in enumerate(slots_of(kind, length)):
                count = np.bincount(points[:, at], weights=own, minlength=CODE_POINTS)
                counted[SURNAME if at == 0 else GIVEN] += count
                if slot != SURNAME:
                    raw[slot] += count
        raw[:2] = counted
        pool = raw[SURNAME] + raw[GIVEN]
        used = (pool > 0) | (reading_table()[0] > 0)
        pool = (pool + UNSEEN) / (pool.sum() + UNSEEN * used.sum())
        borrowed = np.maximum(BORROWED * raw.sum(1), BORROWED_AT_LEAST)[:, None]
        self.chance = (raw + borrowed * pool) / (raw.sum(1)[:, None] + borrowed)
        self.log_chance = np.log2(self.chance)
        self.log_chance[SETTLED] = 0.0
        self.log_chance[:, WILDCARD] = 0.0
        self.log_chance[:, tables.latin()] = -LETTER_BITS
        self.log_chance[:, ord(" ")] = 0.0

    def _shapes(self, code: Codes, weight: Floats, shape: Ints) -> None:
        pairs = np.minimum(code.length, 31) * 8 + shape
        share = np.bincount(pairs, weights=weight, minlength=256) / max(weight.sum(), 1.0)
        self.shape_share = np.maximum(share, SCRIPT_SHARES)

    def product(self, text: pl.Series, code: Codes) -> Floats:
        """log2 of shape x surname x given characters; lost characters may be anything."""
        shape = shapes(text, code)
        result = np.log2(self.shape_share[np.minimum(code.length, 31) * 8 + shape])
        for kind, length, rows in alike(shape, code.length):
            points = code.matrix(rows, length)
            for at, slot in enumerate(slots_of(kind, length)):
                result[rows] += self.log_chance[slot, points[:, at]]
        return result


def alike(shape: Ints, length: Ints) -> Iterator[tuple[int, int, Ints]]:
    """Shape, length and rows of the names that have both."""
    both = shape * 1000 + np.minimum(length, 999)
    for value in np.unique(both):
        yield int(value) // 1000, int(value) % 1000, np.flatnonzero(both == value)


def letters_of(name: pl.Expr) -> pl.Expr:
    """Letters alone; LYU and NYU, the passport's lü and nü, as LV and NV."""
    return name.str.replace_all("[^A-Z]", "").str.replace_all("([LN])YU", "${1}V")


def special() -> Ints:
    """What keeps a name out of the counts of characters: ?, dots, blanks, Latin letters (a truth value per code point)."""
    found: Ints = tables.latin() | tables.members("?· ")
    return found


COMPOUND, ORDINARY, OTHER = 0, 1, 2


def shapes(text: pl.Series, code: Codes) -> Ints:
    """ORDINARY (surname and one or two characters), COMPOUND (surname of two) or OTHER names."""
    compound = np.zeros(len(code.length), bool)
    rows = np.flatnonzero((code.length == 3) | (code.length == 4))
    if len(rows):
        known = tables.codes(pl.Series(tables.compound_surnames()))
        pairs = known.matrix(np.arange(len(known.length)), 2)
        first = tables.members("".join(chr(c) for c in pairs[:, 0]))
        head = code.matrix(rows, 2)
        likely = first[head[:, 0]]
        rows, head = rows[likely], head[likely]
        compound[rows] = np.isin(
            head[:, 0].astype(np.int64) << 21 | head[:, 1], pairs[:, 0].astype(np.int64) << 21 | pairs[:, 1]
        )
    ordinary = (code.length == 2) | (code.length == 3)
    return np.where(compound, COMPOUND, np.where(ordinary, ORDINARY, OTHER))


def slots_of(shape: int, length: int) -> list[int]:
    """Slots of the characters of a name, for counting how often whole names occur."""
    given = [SINGLE] if length - (1 if shape == ORDINARY else 2) == 1 else [FIRST, SECOND]
    if shape == ORDINARY:
        return [SURNAME, *given]
    return [DOUBLE, SETTLED, *given] if shape == COMPOUND else [LONG] * length


class Population:
    """How probable a name is for a random person of the left side."""

    def __init__(
        self, frequencies: Frequencies, romanised: Callable[[pl.DataFrame, pl.Series], pl.DataFrame]
    ) -> None:
        """`romanised`: (name, count), letters -> letters, count (`name_latin.usual_letters`); called when a name in letters is asked."""
        self.of = frequencies
        self._romanised = romanised
        self._hidden: dict[str, pl.DataFrame] = {}

    def log2(self, names: pl.Series) -> pl.Series:
        """log2 P(name), same order; null for a null. A lost character stands for all that it may hide."""
        asked = names.unique().drop_nulls().sort()
        known = pl.DataFrame({"name": asked, "log2_p": self.of_distinct(asked)})
        return (
            names.alias("name").to_frame().join(known, on="name", how="left", maintain_order="left")["log2_p"]
        )

    def of_distinct(self, names: pl.Series, people: Ints | None = None) -> pl.Series:
        """log2 P(name) of distinct names, none of them null. `people`: how many bear each, where that is known."""
        asked = (
            names.alias("name")
            .to_frame()
            .with_columns(
                plain=pl.col("name").str.replace_all("·", "", literal=True),
                letters=pl.col("name").str.contains("[A-Z]"),
                mixed=pl.col("name").str.contains(r"[A-Z]") & pl.col("name").str.contains(r"\p{Han}"),
            )
        )
        run = pl.col("plain").str.extract("([A-Z]+)").str.to_lowercase()
        # A character that stands as its pinyin is a lost one of which the sound is known.
        asked = asked.with_columns(
            known=pl.when("mixed").then(pl.col("plain").str.replace("[A-Z]+", "?")).otherwise("plain"),
            sound=pl.when("mixed").then(self._sounding(asked.select(run).to_series())).otherwise(0.0),
        )
        counts = self._people(asked["known"], asked["name"], people)
        plain = self._plain(asked["known"], asked["letters"] & ~asked["mixed"], counts)
        chance = np.exp2(plain + asked["sound"].to_numpy())
        return pl.Series("log2_p", np.log2(np.minimum(chance, 1.0)))

    def _people(self, names: pl.Series, asked: pl.Series, people: Ints | None) -> Floats:
        """How many people bear each name: `people` know it of the names as they were asked, unless something is lost."""
        if people is None:
            return self._counts(names).to_numpy().copy()
        counts = people.astype(np.float64)
        other = np.flatnonzero((names.str.contains("?", literal=True) | (names != asked)).to_numpy())
        if len(other):
            counts[other] = self._counts(names.gather(other)).to_numpy()
        return counts

    def _plain(self, names: pl.Series, in_letters: pl.Series, counts: Floats) -> Floats:
        product = np.exp2(self.of.product(names, tables.codes(names)))
        if in_letters.any():
            rows = in_letters.arg_true().to_numpy()
            counts[rows] = np.maximum(counts[rows], self._spelt(names.gather(rows)))
        weight = self.of.backing * self.of.people
        result: Floats = np.log2(np.maximum(counts + weight * product, 1e-300)) - np.log2(
            self.of.people + weight
        )
        return result

    def _sounding(self, runs: pl.Series) -> pl.Series:
        """log2 of the share of given characters that are read so."""
        spoken = self.of.sounds.spoken[GIVEN]
        shares = {s: float(np.log2(max(share, 1e-6))) for s, share in zip(syllables(), spoken, strict=True)}
        return runs.replace_strict(shares, default=float(np.log2(1e-6)), return_dtype=pl.Float64)

    def _spelt(self, names: pl.Series) -> Floats:
        """People whose name is written so in Latin letters."""
        han = self.of.counts.filter(pl.col("name").str.contains(r"^\p{Han}{2,6}$"))
        asked = pl.DataFrame({"letters": names}).select(letters=letters_of(pl.col("letters")))
        known = self._romanised(han, asked["letters"])
        found = asked.join(known, on="letters", how="left", maintain_order="left")
        result: Floats = found["count"].fill_null(0.0).to_numpy()
        return result

    def _counts(self, names: pl.Series) -> pl.Series:
        """People of the name; with lost characters, of every name that fits what is left of it, letter for letter."""
        frame = names.alias("name").to_frame().with_row_index("row")
        hidden = pl.col("name").str.contains("?", literal=True)
        found = [frame.filter(~hidden).join(self.of.counts, on="name", how="inner").select("row", "count")]
        lost = frame.filter(hidden).with_columns(pattern=pl.col("name").str.replace_all(r"[^?]", "x"))
        for (pattern,), part in lost.group_by(["pattern"], maintain_order=True):
            found.append(part.join(self._masked(str(pattern)), on="name", how="inner").select("row", "count"))
        return (
            frame.select("row")
            .join(pl.concat(found), on="row", how="left", maintain_order="left")["count"]
            .fill_null(0.0)
        )

    def _masked(self, pattern: str) -> pl.DataFrame:
        """Counts of names of the pattern's length, with its lost places hidden; made once a pattern."""
        if pattern not in self._hidden:
            self._hidden[pattern] = self._masked_anew(pattern)
        return self._hidden[pattern]

    def _masked_anew(self, pattern: str) -> pl.DataFrame:
        shown = [pl.lit("?") if c == "?" else pl.col("name").str.slice(i, 1) for i, c in enumerate(pattern)]
        same = self.of.counts.filter(pl.col("name").str.len_chars() == len(pattern))
        return same.group_by(name=pl.concat_str(shown)).agg(pl.col("count").sum())
