"""Strict equality keys -> pairs of records that are worth comparing: counted before they are made, capped, loss told.

A key is a column of 64-bit codes on each side; two records meet when they are equal in one key. Never a function of
both sides, never a distance. How alike the two records are belongs in `comparison`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from matching.coded import NO_DAY, WILDCARD, Codes, Ints, Names, Side, Small, mix
from matching.sounds import sound_codes

LARGEST_BLOCK = 60
"""A key under which more records of the left side stand than this says too little; it is left to finer keys.

ONS refused blocks of more than 100 people; 60 keeps the pairs of a village's most frequent name.
"""

LARGEST_FAMILY = 12
"""So many people share a telephone or a household; more is an office's number or a collective register."""

_BITS = np.uint64(40)


@dataclass
class Pairs:
    """Candidate pairs, sorted by right then left, each once; and what every key gave and lost."""

    right: Small
    left: Small
    told: list[dict[str, Any]] = field(default_factory=list)

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
    """The keys of one pair of sides. Left columns are made once, right ones for the records asked for."""

    def __init__(self, left: Side, right: Side, names: Names) -> None:
        self.left, self.right, self.names = left, right, names
        self.sounds = sound_codes(names)
        self.rows = {id(side): np.arange(side.n, dtype=np.int32) for side in (left, right)}

    # --- columns by record or by entry

    def _entries(self, side: Side, wanted: np.ndarray[Any, Any] | None) -> tuple[Small, Small]:
        if wanted is None:
            return side.entry_row, side.entry_name
        keep = wanted[side.entry_row]
        return side.entry_row[keep], side.entry_name[keep]

    def _own(self, side: Side, wanted: np.ndarray[Any, Any] | None) -> tuple[Small, Small]:
        rows = self.rows[id(side)] if wanted is None else np.flatnonzero(wanted).astype(np.int32)
        return rows, side.own_name[rows]

    def _long(self, rows: Small, codes: Codes, wanted: np.ndarray[Any, Any] | None) -> tuple[Small, Codes]:
        if wanted is None:
            return rows, codes
        keep = wanted[rows]
        return rows[keep], codes[keep]

    # --- families of keys

    def _with_names(self, wanted: np.ndarray[Any, Any]) -> Iterator[Key]:
        """Keys with the whole name, or its sound, and something else."""
        sides = ((self.left, None), (self.right, wanted))
        for what, of_names in (("name", self.names.hashed), ("sound", self.sounds.whole)):
            columns: dict[str, list[tuple[Small, Codes]]] = {}
            for side, chosen in sides:
                rows, name = self._entries(side, chosen)
                code = of_names[name]
                for label, part in _person_parts(side).items():
                    columns.setdefault(label, []).append((rows, mix(code, part[rows])))
            for label, (left, right) in columns.items():
                yield Key(f"{what}+{label}", left, right)

    def certain(self, wanted: np.ndarray[Any, Any]) -> Iterator[Key]:
        """Keys under which the right person stands almost alone."""
        left, right = self.left, self.right
        chosen = np.flatnonzero(wanted).astype(np.int32)
        yield Key("id", (self.rows[id(left)], left.id_code), (chosen, right.id_code[chosen]), cap=8)
        yield from self._id_parts(wanted)
        yield Key(
            "phone",
            self._long(left.phone_row, left.phone, None),
            self._long(right.phone_row, right.phone, wanted),
            cap=LARGEST_FAMILY,
        )
        yield from self._with_names(wanted)
        yield from self._masked_names(wanted)
        for kind in left.others.keys() & right.others.keys():
            yield Key(
                f"other:{kind}",
                self._long(*left.others[kind], None),
                self._long(*right.others[kind], wanted),
                cap=8,
            )

    def wide(self, wanted: np.ndarray[Any, Any]) -> Iterator[Key]:
        """Keys for those whose name is written otherwise, or of whom little is known."""
        names, left, right = self.names, self.left, self.right
        yield Key(
            "household",
            self._long(left.household_row, left.household, None),
            self._long(right.household_row, right.household, wanted),
            cap=LARGEST_FAMILY,
        )
        sides = ((left, None), (right, wanted))
        columns: dict[str, list[tuple[Small, Codes]]] = {}

        def put(label: str, rows: Small, code: Codes) -> None:
            columns.setdefault(label, []).append((rows, code))

        for side, chosen in sides:
            rows, name = self._own(side, chosen)
            known = name >= 0
            birth = _birth_code(side)[rows]
            sex = side.sex[rows].astype(np.uint64)
            village = side.prefix(12)[rows].astype(np.uint64)
            township = side.prefix(9)[rows].astype(np.uint64)
            county = side.prefix(6)[rows].astype(np.uint64)
            place = np.where(known, name, 0)
            for label, codes in (
                ("first", names.first),
                ("second", names.second),
                ("last", names.last),
                ("first_sound", self.sounds.first),
            ):
                put(f"{label}+birth", rows, mix(np.where(known, codes[place], 0), birth))
            put("township+birth", rows, mix(township, birth))
            put("county+birth+sex", rows, mix(county, birth, sex))
            put("address+sex", rows, mix(side.address[rows], village, sex))
            first = np.where(known, self.sounds.first[place], 0)
            last = np.where(known, self.sounds.last[place], 0)
            second = np.where(known, self.sounds.second[place], 0)
            spread, years = _years_known(side, rows)
            put(
                "village+sex+year+first_sound",
                rows[spread],
                mix(village[spread], sex[spread], years, first[spread]),
            )
            put(
                "village+sex+year+last_sound",
                rows[spread],
                mix(village[spread], sex[spread], years, last[spread]),
            )
            put(
                "village+sex+year+second_sound",
                rows[spread],
                mix(village[spread], sex[spread], years, second[spread]),
            )
            whole = np.where(known, self.sounds.whole[place], 0)
            own = np.where(known, names.hashed[place], 0)
            put("name+sex+year", rows[spread], mix(own[spread], sex[spread], years))
            put("sound+sex+year", rows[spread], mix(whole[spread], sex[spread], years))
            put("sound+township", rows, mix(whole, township))
            put("sound", rows, np.where(known, whole, 0))
        for label, (of_left, of_right) in columns.items():
            yield Key(label, of_left, of_right)

    def _id_parts(self, wanted: np.ndarray[Any, Any]) -> Iterator[Key]:
        """Numbers that are spoiled, cut or masked on one side, by the parts that a single slip leaves as they were."""
        left, right = self.left, self.right
        chosen = wanted & (right.id_kind >= 3) & (right.id_kind != 4)
        spoiled = (left.id_kind >= 3) & (left.id_kind != 4)
        # Whole numbers on the right meet spoiled ones on the left as well.
        both = ((None, chosen), (spoiled, wanted)) if spoiled.any() else ((None, chosen),)
        for of_left, of_right in both:
            if not of_right.any():
                continue
            rows_l = self.rows[id(left)] if of_left is None else np.flatnonzero(of_left).astype(np.int32)
            rows_r = np.flatnonzero(of_right).astype(np.int32)
            text_l, text_r = left.id_text.gather(rows_l), right.id_text.gather(rows_r)
            for label, key in _ID_PARTS.items():
                yield Key(
                    f"id:{label}", (rows_l, _text_codes(text_l, key)), (rows_r, _text_codes(text_r, key))
                )
            masked = text_r.filter(text_r.str.contains("*", literal=True))
            if masked.is_empty():
                continue
            shapes = (
                masked.to_frame("t")
                .select(
                    head=pl.col("t").str.extract(r"^([^*]*)").str.len_chars(),
                    tail=pl.col("t").str.extract(r"([^*]*)$").str.len_chars(),
                )
                .group_by("head", "tail")
                .len()
                .sort("len", "head", "tail", descending=[True, False, False])
            )
            first_l, first_r = (
                np.where(side.own_name[rows] >= 0, self.names.first[side.own_name[rows]], 0)
                for side, rows in ((left, rows_l), (right, rows_r))
            )
            for head, tail, _ in shapes.head(4).iter_rows():
                if head + tail < 4:
                    continue
                shape = rf"^[^*]{{{head}}}\*+[^*]{{{tail}}}$"
                fits = text_r.str.contains(shape).fill_null(False).to_numpy()
                part = pl.concat_str(
                    pl.col("t").str.head(head) if head else pl.lit(""),
                    pl.col("t").str.tail(tail) if tail else pl.lit(""),
                    separator="*",
                )
                code_l, code_r = _text_codes(text_l, part), np.where(fits, _text_codes(text_r, part), 0)
                yield Key(f"id:masked{head}+{tail}", (rows_l, code_l), (rows_r, code_r), cap=20)
                yield Key(
                    f"id:masked{head}+{tail}+first",
                    (rows_l, mix(code_l, first_l)),
                    (rows_r, mix(code_r, first_r)),
                )

    def _masked_names(self, wanted: np.ndarray[Any, Any]) -> Iterator[Key]:
        """Names with hidden characters, by the visible ones and something else."""
        names, left, right = self.names, self.left, self.right
        rows_r, name_r = self._own(right, wanted & (right.own_name >= 0))
        hidden = names.has_wildcard[name_r]
        rows_r, name_r = rows_r[hidden], name_r[hidden]
        if not len(rows_r):
            return
        shape = (names.chars != WILDCARD).astype(np.uint32) @ (1 << np.arange(names.chars.shape[1])).astype(
            np.uint32
        )
        forms = shape[name_r].astype(np.uint64) * np.uint64(64) + names.size[name_r].astype(np.uint64)
        for form in _commonest(forms, 8):
            length, mask = int(form) % 64, int(form) // 64
            seen = [n for n in range(min(length, names.chars.shape[1])) if mask >> n & 1]
            if not seen:
                continue
            fits = forms == form
            rows_l, name_l = self._entries(left, None)
            same = names.size[name_l] == length
            rows_l, name_l = rows_l[same], name_l[same]
            code_l, code_r = (
                mix(*(names.chars[code][:, n] for n in seen)) for code in (name_l, name_r[fits])
            )
            rows = rows_r[fits]
            for label, of_left, of_right in self._beside(rows_l, rows):
                yield Key(
                    f"hidden+{label}",
                    (of_left[0], mix(code_l[of_left[1]], of_left[2])),
                    (of_right[0], mix(code_r[of_right[1]], of_right[2])),
                )

    def _beside(self, rows_l: Small, rows_r: Small) -> Iterator[tuple[str, Any, Any]]:
        """What may stand beside a hidden name: per side records, their places in the list given, codes."""
        left, right = self.left, self.right
        all_l, all_r = np.arange(len(rows_l)), np.arange(len(rows_r))
        for label, of_left in _person_parts(left).items():
            yield (
                label,
                (rows_l, all_l, of_left[rows_l]),
                (rows_r, all_r, _person_parts(right)[label][rows_r]),
            )
        shapes = right.phone_text.filter(right.phone_text.str.contains("*", literal=True))
        if shapes.is_empty():
            return
        part = pl.concat_str(pl.col("t").str.head(3), pl.col("t").str.tail(4))
        code_l, code_r = (_text_codes(side.phone_text, part) for side in (left, right))
        # The first number of a record; further ones are the family's and found by the plain key.
        one_l, one_r = (np.zeros(side.n, dtype=np.uint64) for side in (left, right))
        one_l[left.phone_row[::-1]] = code_l[::-1]
        one_r[right.phone_row[::-1]] = code_r[::-1]
        yield "phone_ends", (rows_l, all_l, one_l[rows_l]), (rows_r, all_r, one_r[rows_r])


_ID_PARTS = {
    "head14": pl.when(pl.col("t").str.len_chars() >= 17).then(pl.col("t").str.head(14)),
    "tail8": pl.when(pl.col("t").str.len_chars() >= 17).then(pl.col("t").str.tail(8)),
    "head10+tail4": pl.when(pl.col("t").str.len_chars() >= 17).then(
        pl.concat_str(pl.col("t").str.head(10), pl.col("t").str.tail(4))
    ),
}
"""One wrong, lost, added or swapped character of an 18-character number leaves at least one of these as it was."""


def _text_codes(texts: pl.Series, part: pl.Expr) -> Codes:
    """Codes of a part of each text; 0 where there is none or where it is not wholly visible."""
    found = texts.to_frame("t").select(part.alias("p")).get_column("p")
    codes: Codes = found.hash(seed=11).to_numpy().astype(np.uint64)
    bad = (found.is_null() | found.str.contains("?", literal=True)).fill_null(True).to_numpy()
    return np.where(bad, np.uint64(0), codes)


def _commonest(values: Codes, most: int) -> Codes:
    distinct, counts = np.unique(values, return_counts=True)
    order = np.lexsort((distinct, -counts))
    return distinct[order[:most]]


def _birth_code(side: Side) -> Codes:
    return np.where(side.birth == NO_DAY, 0, side.birth.astype(np.int64) + (1 << 32)).astype(np.uint64)


def _person_parts(side: Side) -> dict[str, Codes]:
    """What may stand beside a name, one code a record."""
    birth = _birth_code(side)
    known = side.birth != NO_DAY
    month_day = np.where(known, _month_day(side.birth), 0).astype(np.uint64)
    phone = np.zeros(side.n, dtype=np.uint64)
    phone[side.phone_row[::-1]] = side.phone[::-1]
    household = np.zeros(side.n, dtype=np.uint64)
    household[side.household_row[::-1]] = side.household[::-1]
    year = side.year.astype(np.uint64)
    return {
        "birth": birth,
        "phone": phone,
        "household": household,
        "village": side.prefix(12).astype(np.uint64),
        "township": side.prefix(9).astype(np.uint64),
        "year+sex": mix(year, side.sex),
        "month_day+sex": mix(month_day, side.sex),
        "county": side.prefix(6).astype(np.uint64),
        "alone": np.ones(side.n, dtype=np.uint64),
    }


def _month_day(days: Small) -> Ints:
    dates = np.where(days == NO_DAY, 0, days).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    found: Ints = (months.astype(np.int64) % 12 + 1) * 32 + (dates - months).astype(np.int64) + 1
    return found


def _years_known(side: Side, rows: Small) -> tuple[Small, Codes]:
    """Years of birth that are possible, one row a year: places in `rows`, years. Wide intervals give none."""
    low = np.where(side.birth[rows] != NO_DAY, side.birth[rows], side.low[rows])
    high = np.where(side.birth[rows] != NO_DAY, side.birth[rows], side.high[rows])
    known = (low != NO_DAY) & (high != NO_DAY) & (high - low < 366 * 6)
    first = np.where(known, low, 0).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    last = np.where(known, high, 0).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    vague = known & (high > low)
    # Ages are often a year or two off.
    first, last = first - 2 * vague, last + vague
    times = np.where(known, last - first + 1, 0)
    places = np.repeat(np.arange(len(rows)), times)
    offset = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
    return places.astype(np.int32), (first[places] + offset).astype(np.uint64)


def meet(keys: Iterator[Key], n_left: int, known: Pairs | None = None, most: int = 12_000_000) -> Pairs:
    """All pairs that agree in one of the keys, each once. `most`: pairs a key may give; its cap sinks until it fits."""
    found: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
    told: list[dict[str, Any]] = []
    for key in keys:
        right, left, report = _join(key, most)
        told.append(report)
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
    # Nearly all of the left side meets nobody: one look at a table of marks tells.
    marks = np.zeros(1 << 24, dtype=bool)
    marks[code_r >> _BITS] = True
    rows_l, code_l = key.left
    near = np.flatnonzero(marks[code_l >> _BITS] & (code_l != 0))
    rows_l, code_l = rows_l[near], code_l[near]
    order = np.argsort(code_l, kind="stable")
    rows_l, code_l = rows_l[order], code_l[order]
    low = np.searchsorted(code_l, code_r, "left")
    size = np.searchsorted(code_l, code_r, "right") - low
    cap = key.cap
    while cap > 4 and int(size[size <= cap].sum()) > most:
        cap //= 2
    lost = size > cap
    report["lost_pairs"], report["lost_rows"] = int(size[lost].sum()), int(lost.sum())
    size = np.where(lost, 0, size)
    right = np.repeat(rows_r, size)
    place = np.arange(len(right)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)
    report["pairs"], report["rows"] = len(right), int((size > 0).sum())
    return right, rows_l[place], report
