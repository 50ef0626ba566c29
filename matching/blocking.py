"""Strict equality keys -> pairs of records that are worth comparing: counted before they are made, capped, loss told.

A key is a column of 64-bit codes on each side; two records meet when they are equal in one key. Never a function of
both sides, never a distance. How alike the two records are belongs in `comparison`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from matching import number_parts
from matching.coded import NO_DAY, WILDCARD, Codes, Ints, Names, Side, Small, mix, month_days_of, years_of
from matching.comparators.name_long import folded
from matching.comparators.name_tables import all_in, transliterating
from matching.comparators.name_tables import codes as codes_of
from matching.comparators.sharing import family_phones
from matching.evidence import counted, may_be, positions
from matching.sounds import sound_codes

LARGEST_BLOCK = 60
"""A key under which more records of the left side stand than this says too little; it is left to finer keys.

ONS refused blocks of more than 100 people; 60 keeps the pairs of a village's most frequent name.
"""

LARGEST_ALONE = {"name": 30, "sound": 12}
"""A name, or its sound, with nothing else beside it says something only where few bear it."""

LONGEST_HIDDEN = 5
"""Names up to this length have keys for every way of hiding characters; longer ones are found by birth date and place."""

LARGEST_FAMILY = 12
"""So many people share a telephone or a household; more is an office's number or a collective register."""

SHORTEST_BY_SOUND = 3
"""Names of so many characters, all of which write down sounds, may be parts of a dotted name."""

_NOWHERE = np.empty(0, dtype=np.int64)
Marked = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class Pairs:
    """Candidate pairs, sorted by right then left, each once; and what every key gave and lost."""

    right: Small
    left: Small
    told: list[dict[str, Any]] = field(default_factory=list)

    def take(self, some: Marked) -> Pairs:
        """The marked pairs, with what is told of all."""
        return Pairs(self.right[some], self.left[some], self.told)

    def counts(self) -> pl.DataFrame:
        """Columns: key, pairs, rows (of the right side that the key reached), lost_pairs, lost_rows (blocks too large)."""
        schema = {
            "key": pl.String,
            "pairs": pl.Int64,
            "rows": pl.Int64,
            "lost_pairs": pl.Int64,
            "lost_rows": pl.Int64,
        }
        return pl.DataFrame(self.told, schema=schema)


@dataclass(frozen=True)
class Key:
    """One key: its name, and per side the records and their codes (a record may stand several times)."""

    name: str
    left: tuple[Small, Codes]
    right: tuple[Small, Codes]
    cap: int = LARGEST_BLOCK


class Index:
    """The keys of one pair of sides, in stages: each is for the records that the stages before left open."""

    def __init__(self, left: Side, right: Side, names: Names) -> None:
        self.left, self.right, self.names = left, right, names
        self.sounds = sound_codes(names)
        self._all = np.arange(left.n, dtype=np.int32)
        self._parts = {id(side): Parts(side) for side in (left, right)}

    def stages(self) -> Sequence[Callable[[Marked], Iterator[Key]]]:
        """Keys from the narrowest to the widest; `wanted` marks the right records they are for."""
        return (self.narrow, self.usual, self.wide)

    def narrow(self, wanted: Marked) -> Iterator[Key]:
        """The number, or the name with birth date or telephone: the right person stands there almost alone."""
        yield Key("id", (self._all, self.left.id_code), _some(self.right.id_code, wanted), cap=8)
        yield from self._id_parts(wanted)
        yield from self._others(wanted)
        yield from self._with_name("name", self.names.hashed, ("birth", "phone"), wanted)
        yield from self._hidden_names(wanted)

    def usual(self, wanted: Marked) -> Iterator[Key]:
        """The name or its sound with one other thing; a telephone alone."""
        left, right = self.left, self.right
        yield Key(
            "phone",
            (left.phone_row, left.phone),
            _long(right.phone_row, right.phone, wanted),
            cap=LARGEST_FAMILY,
        )
        yield from self._family_phones(wanted)
        yield from self._with_name(
            "name",
            self.names.hashed,
            ("household", *self._villages(), "township", "year+sex", "month_day+sex"),
            wanted,
        )
        yield from self._with_name(
            "sound",
            self.sounds.whole,
            ("birth", "phone", "household", *self._villages(), "year+sex"),
            wanted,
        )
        yield from self._words(wanted)
        yield from self._beside_birth(wanted)

    def wide(self, wanted: Marked) -> Iterator[Key]:
        """For those whose name is written otherwise, or of whom little is known."""
        names, left, right = self.names, self.left, self.right
        yield Key(
            "household",
            (left.household_row, left.household),
            _long(right.household_row, right.household, wanted),
            cap=LARGEST_FAMILY,
        )
        yield from self._with_name("name", names.hashed, ("county", "alone"), wanted)
        yield from self._with_name(
            "sound", self.sounds.whole, ("township", "county", "month_day+sex", "alone"), wanted
        )
        chosen = np.flatnonzero(wanted).astype(np.int32)
        villages = {
            label: (self._parts[id(left)].of(label), self._parts[id(right)].of(label))
            for label in self._villages()
        }
        address_l, address_r = (
            np.where(place != 0, side.address, 0).astype(np.uint64)
            for side, place in zip((left, right), villages["village"], strict=True)
        )
        yield from self._alike("address+sex", (address_l, address_r), chosen, villages["village"])
        for label, codes in (
            ("first_sound", self.sounds.first),
            ("second_sound", self.sounds.second),
            ("last_sound", self.sounds.last),
        ):
            beside = (self._of_own(left, codes), self._of_own(right, codes))
            for village, of_sides in villages.items():
                yield from self._alike(f"{village}+sex+year+{label}", of_sides, chosen, beside, years=True)
        # A character that only looks like the right one sounds otherwise, and without a day of birth little else is left.
        undated = chosen[right.birth[chosen] == NO_DAY]
        two = {
            label: (self._of_own(left, codes), self._of_own(right, codes))
            for label, codes in (names.two_of_three.items() if len(undated) else ())
        }
        for village, of_sides in villages.items():
            known = undated[of_sides[1][undated] != 0]
            for label, beside in two.items() if len(known) else ():
                yield from self._alike(f"{village}+sex+{label}", of_sides, known, beside)
        for label, codes in (("name", names.hashed), ("sound", self.sounds.whole)):
            whole = (self._of_own(left, codes), self._of_own(right, codes))
            yield from self._alike(f"{label}+sex+year_known", whole, chosen, years=True)
        yield from self._parts_beside(wanted)

    def _villages(self) -> tuple[str, ...]:
        """By code; by name as well where one side knows the names of some only."""
        named = self.left.village_name.any() and self.right.village_name.any()
        return ("village", "village_name") if named else ("village",)

    def _of_own(self, side: Side, of_names: Codes) -> Codes:
        """By record, what is said of its own name; 0 where it has none."""
        return np.where(side.own_name >= 0, of_names[np.maximum(side.own_name, 0)], 0).astype(np.uint64)

    def _alike(
        self,
        label: str,
        main: tuple[Codes, Codes],
        chosen: Small,
        beside: tuple[Codes, Codes] | None = None,
        *,
        years: bool = False,
    ) -> Iterator[Key]:
        """A key of codes by record (left, right) with the sex, and with every year of birth that is possible.

        Left records whose `main` code nobody on the right has are not looked at again.
        """
        rows_l, _ = _met(self._all, main[0], main[1][chosen])
        columns = []
        for number, (side, rows) in enumerate(((self.left, rows_l), (self.right, chosen))):
            parts = [main[number][rows], side.sex[rows].astype(np.uint64)]
            if beside is not None:
                parts.append(beside[number][rows])
            if years:
                spread, possible = self._parts[id(side)].years_known(rows)
                rows, parts = rows[spread], [*(part[spread] for part in parts), possible]
            columns.append((rows, mix(*parts)))
        yield Key(label, columns[0], columns[1])

    # --- families of keys

    def _own(self, side: Side, wanted: Marked | None) -> tuple[Small, Small, Marked]:
        """Records, the place of their own name, and whether they have one."""
        rows = (
            np.arange(side.n, dtype=np.int32) if wanted is None else np.flatnonzero(wanted).astype(np.int32)
        )
        name = side.own_name[rows]
        return rows, np.maximum(name, 0), name >= 0

    def _with_name(self, what: str, of_names: Codes, beside: Sequence[str], wanted: Marked) -> Iterator[Key]:
        """Keys of the whole name (any of a record's) and something else."""
        keep = wanted[self.right.entry_row]
        rows_r, name_r = self.right.entry_row[keep], of_names[self.right.entry_name[keep]]
        # Names that nobody on the other side bears need no second look.
        rows_l, name_l = _met(self.left.entry_row, of_names[self.left.entry_name], name_r)
        for label in beside:
            of_left, of_right = (self._parts[id(side)].of(label) for side in (self.left, self.right))
            yield Key(
                f"{what}+{label}",
                (rows_l, mix(name_l, of_left[rows_l])),
                (rows_r, mix(name_r, of_right[rows_r])),
                LARGEST_ALONE[what] if label == "alone" else LARGEST_BLOCK,
            )

    def _others(self, wanted: Marked) -> Iterator[Key]:
        for kind in sorted(self.left.others.keys() & self.right.others.keys()):
            yield Key(f"other:{kind}", self.left.others[kind], _long(*self.right.others[kind], wanted), cap=8)

    def _family_phones(self, wanted: Marked) -> Iterator[Key]:
        """The telephone of somebody of the household, whole or hidden in part, with the first character of the name."""
        left, right = self.left, self.right
        first_l, first_r = (self._of_own(side, self.names.first) for side in (left, right))
        is_hidden = right.phone_text.str.contains("*", literal=True).fill_null(False).to_numpy()
        ways = [("phone", left.phone, right.phone, ~is_hidden)]
        if is_hidden.any():
            ends_l, ends_r = (_text_codes(side.phone_text, _PHONE_ENDS) for side in (left, right))
            ways.append(("phone_ends", ends_l, ends_r, is_hidden))
        for label, of_left, of_right, these in ways:
            keep = these & wanted[right.phone_row]
            rows_r, code_r = right.phone_row[keep], of_right[keep]
            rows_l, code_l = family_phones(left, code_r, of_left)
            yield Key(
                f"family_{label}+first",
                (rows_l, mix(code_l, first_l[rows_l])),
                (rows_r, mix(code_r, first_r[rows_r])),
                cap=LARGEST_FAMILY,
            )

    def _words(self, wanted: Marked) -> Iterator[Key]:
        """One word of a name in Latin letters, or one dotted part, with birth date or telephone: in any order, more or fewer."""
        columns = []
        for side, chosen in ((self.left, None), (self.right, wanted)):
            first = self.names.chars[side.entry_name, 0]
            latin = (first >= ord("A")) & (first <= ord("Z"))
            if chosen is not None:
                latin = latin & chosen[side.entry_row]
            rows = side.entry_row[latin]
            words = pl.DataFrame({"row": rows, "word": self.names.texts.gather(side.entry_name[latin])})
            words = words.with_columns(pl.col("word").str.split(" ")).explode("word")
            dotted, parts = self._parts_of_names(side, chosen)
            columns.append(
                (
                    side,
                    np.concatenate([words["row"].to_numpy(), dotted]),
                    np.concatenate([_text_codes(words["word"], pl.col("t")), parts]),
                )
            )
        if not all(len(rows) for _, rows, _ in columns):
            return
        for label in ("birth", "phone"):
            of_left, of_right = (
                (rows, mix(words, self._parts[id(side)].of(label)[rows])) for side, rows, words in columns
            )
            yield Key(f"word+{label}", of_left, of_right)

    def _parts_of_names(self, side: Side, chosen: Marked | None) -> tuple[Small, Codes]:
        """Records and the dotted parts of their names, long, in one spelling for all that are written by sound.

        A name that is written by sound without a dot is one part, where the other side has dotted names.
        """
        table, start, codes = self._named_parts
        names = side.spelt_name if chosen is None else np.where(chosen, side.spelt_name, -1)
        rows = np.flatnonzero((names >= 0) & (table[np.maximum(names, 0)] > 0)).astype(np.int32)
        times, first = table[names[rows]], start[names[rows]]
        at = (
            np.repeat(first, times) + np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
        )
        return np.repeat(rows, times), codes[at]

    @cached_property
    def _named_parts(self) -> tuple[Small, Ints, Codes]:
        """By name, how many parts it has, where the first of them stands, and the codes of all parts."""
        texts = self.names.texts
        dotted = texts.str.contains("·", literal=True).fill_null(False)
        times = np.zeros(len(texts), dtype=np.int32)
        start = np.zeros(len(texts), dtype=np.int64)
        if not dotted.any():
            return times, start, np.empty(0, dtype=np.uint64)
        by_sound = (self.names.size >= SHORTEST_BY_SOUND) & all_in(codes_of(texts), transliterating())
        asked = np.flatnonzero(dotted.to_numpy() | by_sound)
        words = folded(texts.gather(asked)).str.split("·")
        times[asked] = words.list.len().to_numpy()
        start[asked] = np.cumsum(times[asked]) - times[asked]
        return times, start, _text_codes(words.explode(), pl.col("t"))

    def _parts_beside(self, wanted: Marked) -> Iterator[Key]:
        """A dotted part of a name with the village, or with every year of birth that is possible and the sex."""
        columns = [
            (side, *self._parts_of_names(side, chosen))
            for side, chosen in ((self.left, None), (self.right, wanted))
        ]
        if not all(len(rows) for _, rows, _ in columns):
            return
        beside: dict[str, list[tuple[Small, Codes]]] = {"part+village": [], "part+sex+year_known": []}
        for side, rows, words in columns:
            parts = self._parts[id(side)]
            beside["part+village"].append((rows, mix(words, parts.of("village")[rows])))
            spread, possible = parts.years_known(rows)
            rows, words = rows[spread], words[spread]
            beside["part+sex+year_known"].append((rows, mix(words, possible, side.sex[rows])))
        for label, (of_left, of_right) in beside.items():
            yield Key(label, of_left, of_right)

    def _beside_birth(self, wanted: Marked) -> Iterator[Key]:
        """The birth date with one character of the name, or with the place."""
        births_r = self._parts[id(self.right)].of("birth")
        rows_r, name_r, known_r = self._own(self.right, wanted & (births_r != 0))
        rows_l, births_l = _met(self._all, self._parts[id(self.left)].of("birth"), births_r[rows_r])
        own = self.left.own_name[rows_l]
        name_l, known_l = np.maximum(own, 0), own >= 0
        births_r = births_r[rows_r]
        for label, codes in (
            ("first", self.names.first),
            ("second", self.names.second),
            ("last", self.names.last),
            ("first_sound", self.sounds.first),
        ):
            code_l, code_r = np.where(known_l, codes[name_l], 0), np.where(known_r, codes[name_r], 0)
            yield Key(f"birth+{label}", (rows_l, mix(births_l, code_l)), (rows_r, mix(births_r, code_r)))
        for label, digits in (("township", 9), ("county+sex", 6)):
            place_l, place_r = self.left.prefix(digits)[rows_l], self.right.prefix(digits)[rows_r]
            if digits == 6:
                code_l, code_r = (
                    mix(births_l, place_l, self.left.sex[rows_l]),
                    mix(births_r, place_r, self.right.sex[rows_r]),
                )
            else:
                code_l, code_r = mix(births_l, place_l), mix(births_r, place_r)
            yield Key(f"birth+{label}", (rows_l, code_l), (rows_r, code_r))

    def _id_parts(self, wanted: Marked) -> Iterator[Key]:
        """Numbers that are spoiled, cut or masked on one side, by the parts that a single slip leaves as they were."""
        left, right = self.left, self.right
        chosen = wanted & (right.id_kind >= 3) & (right.id_kind != 4)
        spoiled = (left.id_kind >= 3) & (left.id_kind != 4)
        # Whole numbers on the right meet spoiled ones on the left as well.
        both = ((None, chosen), (spoiled, wanted)) if spoiled.any() else ((None, chosen),)
        for of_left, of_right in both:
            if not of_right.any():
                continue
            some = None if of_left is None else np.flatnonzero(of_left).astype(np.int32)
            rows_l = self._all if some is None else some
            rows_r = np.flatnonzero(of_right).astype(np.int32)
            text_r = right.id_text.gather(rows_r)
            long = (text_r.str.len_chars() >= 17).fill_null(False).to_numpy()
            for label, (head, tail) in _ID_PARTS.items():
                code_l = number_parts.of_side(left, head, tail, some)
                code_r = np.where(long, number_parts.of_side(right, head, tail, rows_r), 0)
                yield Key(f"id:{label}", (rows_l, code_l), (rows_r, code_r.astype(np.uint64)))
            yield from self._hidden_ids(rows_l, rows_r, text_r)

    def _hidden_ids(self, rows_l: Small, rows_r: Small, text_r: pl.Series) -> Iterator[Key]:
        masked = text_r.filter(text_r.str.contains("*", literal=True).fill_null(False))
        if masked.is_empty():
            return
        head, tail = pl.col("t").str.extract(r"^([^*]*)"), pl.col("t").str.extract(r"([^*]*)$")
        shapes = (
            masked.to_frame("t")
            .select(head=head.str.len_chars(), tail=tail.str.len_chars())
            .unique()
            .sort("head", "tail")
        )
        first_l, first_r = (
            np.where(side.own_name[rows] >= 0, self.names.first[side.own_name[rows]], 0)
            for side, rows in ((self.left, rows_l), (self.right, rows_r))
        )
        for shown_head, shown_tail in shapes.iter_rows():
            if shown_head + shown_tail < 4:
                continue
            shape = rf"^[^*]{{{shown_head}}}\*+[^*]{{{shown_tail}}}$"
            fits = text_r.str.contains(shape).fill_null(False).to_numpy()
            code_l = number_parts.of_side(self.left, shown_head, shown_tail, rows_l)
            of_r = number_parts.of_side(self.right, shown_head, shown_tail, rows_r)
            code_r = np.where(fits, of_r, 0).astype(np.uint64)
            name = f"id:masked{shown_head}+{shown_tail}"
            yield Key(name, (rows_l, code_l), (rows_r, code_r), cap=20)
            yield Key(f"{name}+first", (rows_l, mix(code_l, first_l)), (rows_r, mix(code_r, first_r)))

    def _hidden_names(self, wanted: Marked) -> Iterator[Key]:
        """Names with hidden characters, by the visible ones and something else."""
        names, left, right = self.names, self.left, self.right
        rows_r, name_r, known = self._own(right, wanted)
        hidden = known & names.has_wildcard[name_r]
        rows_r, name_r = rows_r[hidden], name_r[hidden]
        if not len(rows_r):
            return
        width = names.chars.shape[1]
        shape = (names.chars[name_r] != WILDCARD) @ (1 << np.arange(width))
        forms = shape.astype(np.uint64) * np.uint64(64) + names.size[name_r].astype(np.uint64)
        for form in counted(forms)[0]:
            length, mask = int(form) % 64, int(form) // 64
            seen = [n for n in range(min(length, width)) if mask >> n & 1]
            fits = forms == form
            if not seen or length > LONGEST_HIDDEN:
                continue
            same = np.flatnonzero(names.size == length)
            visible = np.zeros(len(names.size), dtype=np.uint64)
            visible[same] = mix(*(names.chars[same, n] for n in seen))
            rows = rows_r[fits]
            code_r = mix(*(names.chars[name_r[fits], n] for n in seen))
            rows_l, code_l = _met(left.entry_row, visible[left.entry_name], code_r)
            for label in (*PARTS_BESIDE, *self._villages()[1:]):
                of_left, of_right = (self._parts[id(side)].of(label) for side in (left, right))
                yield Key(
                    f"hidden+{label}",
                    (rows_l, mix(code_l, of_left[rows_l])),
                    (rows, mix(code_r, of_right[rows])),
                )


PARTS_BESIDE = ("birth", "phone", "phone_ends", "household", "village", "township", "year+sex", "alone")


class Parts:
    """What may stand beside a name, one code a record, made when first asked for."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._made: dict[str, Codes] = {}

    def of(self, label: str) -> Codes:
        """Codes by record; 0 where the record says nothing."""
        if label not in self._made:
            self._made[label] = self._make(label)
        return self._made[label]

    def _make(self, label: str) -> Codes:
        side = self.side
        if label == "birth":
            return np.where(side.birth == NO_DAY, 0, side.birth.astype(np.int64) + (1 << 32)).astype(
                np.uint64
            )
        if label == "month_day+sex":
            return mix(month_days_of(side.birth), side.sex)
        if label == "year+sex":
            return mix(side.year, side.sex)
        if label == "alone":
            return np.ones(side.n, dtype=np.uint64)
        if label in ("village", "township", "county"):
            return side.prefix({"village": 12, "township": 9, "county": 6}[label]).astype(np.uint64)
        if label == "village_name":
            return side.village_name
        if label == "phone_ends":
            return _first(side.phone_row, _text_codes(side.phone_text, _PHONE_ENDS), side.n)
        rows, codes = (
            (side.phone_row, side.phone) if label == "phone" else (side.household_row, side.household)
        )
        return _first(rows, codes, side.n)

    def years_known(self, rows: Small) -> tuple[Small, Codes]:
        """Years of birth that are possible, one row a year: places in `rows`, years. Wide intervals give none."""
        side = self.side
        exact = side.birth[rows] != NO_DAY
        low = np.where(exact, side.birth[rows], side.low[rows])
        high = np.where(exact, side.birth[rows], side.high[rows])
        known = (low != NO_DAY) & (high != NO_DAY) & (high - low < 366 * 6)
        first, last = (years_of(np.where(known, days, 0).astype(np.int32)) for days in (low, high))
        vague = known & (high > low)
        # Ages are often a year or two off.
        first, last = first - 2 * vague, last + vague
        times = np.where(known, last - first + 1, 0)
        places = np.repeat(np.arange(len(rows)), times)
        offset = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
        return places.astype(np.int32), (first[places] + offset).astype(np.uint64)


def _first(rows: Small, codes: Codes, n: int) -> Codes:
    """The first value of each record."""
    found = np.zeros(n, dtype=np.uint64)
    found[rows[::-1]] = codes[::-1]
    return found


def _some(codes: Codes, wanted: Marked) -> tuple[Small, Codes]:
    rows = np.flatnonzero(wanted & (codes != 0)).astype(np.int32)
    return rows, codes[rows]


def _long(rows: Small, codes: Codes, wanted: Marked) -> tuple[Small, Codes]:
    keep = wanted[rows]
    return rows[keep], codes[keep]


def _met(rows: Small, codes: Codes, others: Codes) -> tuple[Small, Codes]:
    """Rows whose code may be among `others`: one look at a table of marks."""
    near = np.flatnonzero(may_be(codes, others))
    return rows[near], codes[near]


_PHONE_ENDS = pl.concat_str(pl.col("t").str.head(3), pl.col("t").str.tail(4))

_ID_PARTS = {"head14": (14, 0), "tail8": (0, 8), "head10+tail4": (10, 4)}
"""One wrong, lost, added or swapped character of an 18-character number leaves at least one of these as it was."""


def _text_codes(texts: pl.Series, part: pl.Expr) -> Codes:
    """Codes of a part of each text; 0 where there is none or where it is not wholly visible."""
    found = texts.to_frame("t").select(part.alias("p")).get_column("p")
    codes: Codes = found.hash(seed=11).to_numpy().astype(np.uint64)
    bad = (found.is_null() | found.str.contains("?", literal=True)).fill_null(True).to_numpy()
    return np.where(bad, np.uint64(0), codes)


MOST_OF_KEY, MOST_OF_STAGE = 12_000_000, 36_000_000
"""Pairs that one key, and all keys of a stage together, may give: some 0.6 GB."""


def meet(
    keys: Iterator[Key],
    n_left: int,
    known: Pairs | None = None,
    most: int = MOST_OF_KEY,
    most_of_all: int = MOST_OF_STAGE,
) -> Pairs:
    """All pairs that agree in one of the keys, each once.

    `most`: pairs that a key may give, `most_of_all`: that all may give, repeated ones included; the cap of a key sinks until
    it fits, and what is lost is told.
    """
    found: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
    told: list[dict[str, Any]] = []
    for key in keys:
        right, left, report = _join(key, max(min(most, most_of_all), 0))
        told.append(report)
        most_of_all -= len(right)
        if len(right):
            found.append(right.astype(np.uint64) * np.uint64(n_left) + left.astype(np.uint64))
    if known is not None:
        found.append(known.right.astype(np.uint64) * np.uint64(n_left) + known.left.astype(np.uint64))
        told = known.told + told
    codes = np.concatenate(found) if found else np.empty(0, dtype=np.uint64)
    codes.sort()
    codes = codes[np.concatenate([[True], codes[1:] != codes[:-1]])] if len(codes) else codes
    return Pairs(
        (codes // np.uint64(n_left)).astype(np.int32), (codes % np.uint64(n_left)).astype(np.int32), told
    )


def _join(key: Key, most: int) -> tuple[Small, Small, dict[str, Any]]:
    rows_r, code_r = key.right
    keep = code_r != 0
    rows_r, code_r = rows_r[keep], code_r[keep]
    report: dict[str, Any] = {"key": key.name, "pairs": 0, "rows": 0, "lost_pairs": 0, "lost_rows": 0}
    nothing = np.empty(0, dtype=np.int32)
    if not len(rows_r):
        return nothing, nothing, report
    # Nearly all of the left side meets nobody, and much of the right.
    rows_l, code_l = _met(*key.left, code_r)
    rows_r, code_r = _met(rows_r, code_r, code_l)
    order = np.argsort(code_l)
    rows_l, code_l = rows_l[order], code_l[order]
    starts = np.flatnonzero(np.concatenate([[True], code_l[1:] != code_l[:-1]])) if len(code_l) else _NOWHERE
    sizes = np.diff(np.append(starts, len(code_l)))
    distinct = code_l[starts]
    if not len(distinct):
        return nothing, nothing, report
    place = np.minimum(positions(distinct, code_r), len(distinct) - 1)
    hit = distinct[place] == code_r
    low, size = starts[place], np.where(hit, sizes[place], 0)
    cap = key.cap
    while cap and int(size[size <= cap].sum()) > most:
        cap //= 2
    lost = size > cap
    report["lost_pairs"], report["lost_rows"] = int(size[lost].sum()), int(lost.sum())
    size = np.where(lost, 0, size)
    right = np.repeat(rows_r, size)
    place = np.arange(len(right)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)
    report["pairs"], report["rows"] = len(right), int((size > 0).sum())
    return right, rows_l[place], report
