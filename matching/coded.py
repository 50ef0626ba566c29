"""Both sides of a match as numbers: what `blocking` and `comparison` work on, so that no string is touched per pair.

A text becomes its 64-bit hash (0: nothing), a name a place in one table of distinct names with its characters as code
points. What a text means was decided before, in `tables` or `normalise`; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import polars as pl

from matching import gazetteer
from matching.cells import distinct, numbered
from matching.comparators.name_tokens import sorted_words
from matching.places import Places
from matching.records import Records

Codes = np.ndarray[Any, np.dtype[np.uint64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Small = np.ndarray[Any, np.dtype[np.int32]]

NO_DAY = np.int32(-(1 << 30))
"""Stands for a date that is not known; days are counted from 1970-01-01."""

LONGEST_NAME = 16
"""Characters of a name that are looked at one by one; longer names are compared as whole texts."""

OWN, FORMER, ALIAS, LATIN, PARTS = 0, 1, 2, 3, 4
NAME_KINDS = {"own": OWN, "former": FORMER, "alias": ALIAS, "latin": LATIN, "parts": PARTS}
SEXES = {"1": 1, "2": 2}
ID_KINDS = {"valid18": 1, "valid15": 2, "masked": 3, "foreign": 4, "invalid": 5}
WILDCARD = ord("?")

_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def mix(*parts: np.ndarray[Any, Any]) -> Codes:
    """One 64-bit key of several columns; 0 wherever one of them is 0 (unknown never equals unknown)."""
    known = np.ones(len(parts[0]), dtype=bool)
    key = np.zeros(len(parts[0]), dtype=np.uint64)
    for number, part in enumerate(parts):
        codes = part.astype(np.uint64, copy=False)
        known &= codes != 0
        key = (key ^ codes) * _ODD
        key ^= key >> _SHIFT
        key += np.uint64(number + 1)
    key[~known] = 0
    return key


def _hashed(texts: pl.Series) -> Codes:
    codes: Codes = texts.hash(seed=7).to_numpy().astype(np.uint64)
    if texts.null_count():
        codes = np.where(texts.is_null().to_numpy(), np.uint64(0), codes)
    return codes


def _numbers(words: pl.Series, known: Mapping[str, int]) -> Small:
    """A column of few known words as their numbers; 0 for all else."""
    found = np.zeros(len(words), dtype=np.int32)
    for word, number in known.items():
        if number:
            is_word: np.ndarray[Any, Any] = (words == word).fill_null(False).to_numpy()
            found += is_word.astype(np.int32) * np.int32(number)
    return found


def _places(codes: pl.Series) -> tuple[Ints, Small]:
    """Division codes filled up to twelve digits, and how many digits are known; 0 where nothing is."""
    texts, at = distinct(codes)
    # One more, at the end, is the place of those that lie nowhere.
    padded = texts.str.pad_end(12, "0").cast(pl.Int64, strict=False).fill_null(0).extend(pl.Series([0]))
    digits = texts.str.len_chars().cast(pl.Int32).extend(pl.Series([0], dtype=pl.Int32))
    slot = at.fill_null(len(texts)).to_numpy()
    return padded.to_numpy()[slot], digits.to_numpy()[slot]


def _days(dates: pl.Series) -> Small:
    days: Small = dates.cast(pl.Date).to_physical().fill_null(int(NO_DAY)).to_numpy().astype(np.int32)
    return days


@dataclass(frozen=True)
class Names:
    """The distinct names of both sides. `chars`: (names, LONGEST_NAME) code points, 0 beyond the end."""

    texts: pl.Series
    chars: np.ndarray[Any, np.dtype[np.uint32]]
    size: Small

    @cached_property
    def has_wildcard(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Names in which a character is lost or hidden, beyond the characters looked at as well."""
        found: np.ndarray[Any, np.dtype[np.bool_]] = self.texts.str.contains("?", literal=True).to_numpy()
        return found

    @cached_property
    def hashed(self) -> Codes:
        """One key a name, whatever the order of words in Latin letters; 0 for names with a wildcard."""
        codes = _hashed(sorted_words(self.texts))
        return np.where(self.has_wildcard, np.uint64(0), codes)

    @cached_property
    def first(self) -> Codes:
        """First character; 0 when it is lost."""
        return self._at(np.zeros(len(self.size), dtype=np.int64))

    @cached_property
    def second(self) -> Codes:
        """Second character; 0 when it is lost or absent."""
        return self._at(np.ones(len(self.size), dtype=np.int64))

    @cached_property
    def last(self) -> Codes:
        """Last character; 0 when it is lost."""
        return self._at(np.maximum(np.minimum(self.size, LONGEST_NAME) - 1, 0).astype(np.int64))

    @property
    def two_of_three(self) -> dict[str, Codes]:
        """Of names of three characters each two; 0 for other names, and where one of the two is lost."""
        of_three = np.where((self.size == 3)[:, None] & (self.chars[:, :3] != WILDCARD), self.chars[:, :3], 0)
        return {
            f"characters{a + 1}{b + 1}": mix(of_three[:, a], of_three[:, b])
            for a, b in ((0, 1), (0, 2), (1, 2))
        }

    def _at(self, place: Ints) -> Codes:
        found = self.chars[np.arange(len(place)), place]
        return np.where(found == WILDCARD, 0, found).astype(np.uint64)


def table_of_names(texts: pl.Series) -> Names:
    """Distinct names with their characters."""
    cut = texts.str.slice(0, LONGEST_NAME)
    size = cut.str.len_chars().to_numpy().astype(np.int32)
    flat = np.frombuffer((cut.str.join()[0] or "").encode("utf-32-le"), dtype=np.uint32)
    starts = np.cumsum(size) - size
    chars = np.zeros((len(texts), LONGEST_NAME), dtype=np.uint32)
    for place in range(int(size.max(initial=0))):
        longer = np.flatnonzero(size > place)
        chars[longer, place] = flat[starts[longer] + place]
    return Names(texts, chars, size)


@dataclass(frozen=True)
class Side:
    """One side as arrays; those without a remark have one place a record.

    `entry_*`: one place a name of a record (`entry_row` rising). `phone_*`, `household_*`: long, one place a value.
    """

    n: int
    id_code: Codes
    id_kind: Small
    id_text: pl.Series
    birth: Small
    low: Small
    high: Small
    is_stated: np.ndarray[Any, np.dtype[np.bool_]]
    sex: Small
    place: Ints
    depth: Small
    address: Codes
    own_name: Small
    spelt_name: Small
    entry_row: Small
    entry_name: Small
    entry_kind: Small
    phone_row: Small
    phone: Codes
    phone_text: pl.Series
    household_row: Small
    household: Codes
    others: dict[str, tuple[Small, Codes]]
    village_name: Codes
    """Stem of the name of the village, where the other side knows that of some villages only; 0 elsewhere."""

    def part(self, first: int, last: int) -> Side:
        """The records from `first` to before `last`."""

        def long(rows: Small, *columns: Any) -> list[Any]:
            at = np.flatnonzero((rows >= first) & (rows < last))
            return [
                rows[at] - np.int32(first),
                *(c.gather(at) if isinstance(c, pl.Series) else c[at] for c in columns),
            ]

        entries = long(self.entry_row, self.entry_name, self.entry_kind)
        phones = long(self.phone_row, self.phone, self.phone_text)
        households = long(self.household_row, self.household)
        of_records = [
            "id_code",
            "id_kind",
            "id_text",
            "birth",
            "low",
            "high",
            "is_stated",
            "sex",
            "place",
            "depth",
            "address",
            "village_name",
            "own_name",
            "spelt_name",
        ]
        return replace(
            self,
            n=last - first,
            **{name: getattr(self, name)[first:last] for name in of_records},
            **dict(zip(("entry_row", "entry_name", "entry_kind"), entries, strict=True)),
            **dict(zip(("phone_row", "phone", "phone_text"), phones, strict=True)),
            **dict(zip(("household_row", "household"), households, strict=True)),
            others={kind: tuple(long(rows, codes)) for kind, (rows, codes) in self.others.items()},
        )

    def bare(self) -> Side:
        """The same without what was worked out from it."""
        return replace(self)

    @cached_property
    def places(self) -> Places:
        """The divisions of the side, each once."""
        return Places.among(self.place, self.depth)

    @cached_property
    def _prefixes(self) -> dict[int, Ints]:
        return {}

    def prefix(self, digits: int) -> Ints:
        """The place down to so many digits; 0 where less is known."""
        if digits not in self._prefixes:
            self._prefixes[digits] = self.places.prefix(digits)[self.places.of]
        return self._prefixes[digits]

    @cached_property
    def digits(self) -> tuple[Ints, Small]:
        """The 17 digits and the check character (X as 10) of every valid number; -1 where there is none."""
        valid = np.flatnonzero((self.id_kind == ID_KINDS["valid18"]) | (self.id_kind == ID_KINDS["valid15"]))
        texts = self.id_text.gather(valid)
        digits, check = np.full(self.n, -1, dtype=np.int64), np.full(self.n, -1, dtype=np.int32)
        digits[valid] = texts.str.head(17).cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        last = texts.str.tail(1)
        check[valid] = last.cast(pl.Int32, strict=False).fill_null(10).to_numpy()
        return digits, check

    @cached_property
    def number_day(self) -> Small:
        """The birth date in each valid number; `NO_DAY` where there is none."""
        digits, _ = self.digits
        known = np.flatnonzero(digits >= 0)
        date = digits[known] // 1000 % 100_000_000
        years, months, days = date // 10_000, date // 100 % 100, date % 100
        months = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
        found = np.full(self.n, NO_DAY, dtype=np.int32)
        found[known] = (months.astype("datetime64[D]").astype(np.int64) + days - 1).astype(np.int32)
        return found

    @cached_property
    def of_fifteen(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Records whose number has 15 digits, valid or not."""
        found: np.ndarray[Any, np.dtype[np.bool_]] = self.id_kind == ID_KINDS["valid15"]
        odd = np.flatnonzero(self.id_kind == ID_KINDS["invalid"])
        found[odd] = self.id_text.gather(odd).str.contains(r"^[0-9]{15}$").to_numpy()
        return found

    @cached_property
    def home_address(self) -> Codes:
        """One code for the address, where the township is known."""
        return np.where((self.address != 0) & (self.depth >= 9), mix(self.address, self.place), 0).astype(
            np.uint64
        )

    @cached_property
    def year(self) -> Small:
        """Year of birth; 0 when no day is known."""
        return years_of(self.birth)


_FIRST_DAY, _LAST_DAY = -54_787, 36_524
"""1820-01-01 and 2069-12-31: nobody in a file was born outside."""


@cache
def _calendar() -> tuple[Small, Small]:
    """Year, and month x 32 + day, of every day from `_FIRST_DAY` on."""
    days = np.arange(_FIRST_DAY, _LAST_DAY + 1).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month_day = (months.astype(np.int64) % 12 + 1) * 32 + (days - months).astype(np.int64) + 1
    return (days.astype("datetime64[Y]").astype(np.int32) + 1970).astype(np.int32), month_day.astype(np.int32)


def years_of(days: Small) -> Small:
    """Year of each day; 0 where it is not known."""
    return _looked_up(days, _calendar()[0])


def month_days_of(days: Small) -> Small:
    """Month x 32 + day of the month; 0 where the day is not known."""
    return _looked_up(days, _calendar()[1])


def _looked_up(days: Small, table: Small) -> Small:
    known = (days >= _FIRST_DAY) & (days <= _LAST_DAY)
    return np.where(known, table[np.where(known, days - _FIRST_DAY, 0)], 0).astype(np.int32)


def coded(left: Records, right: Records) -> tuple[Side, Side, Names]:
    """Both sides with one table of names."""
    texts = pl.concat([records.names["name"] for records in (left, right)])
    if len(texts):
        places, codes = numbered(_hashed(texts))
        names = table_of_names(texts.gather(places))
    else:
        # Where nobody has a name, one that is wholly lost stands in the table: it is equal to nothing.
        codes, names = np.empty(0, dtype=np.uint32), table_of_names(pl.Series("name", [chr(WILDCARD)]))
    of_left = left.names.height
    own = codes.astype(np.int32)
    side_l = _side(left, own[:of_left], has_named_villages(right if right.height else left))
    return side_l, _side(right, own[of_left:], has_named_villages(left)), names


def has_named_villages(records: Records) -> bool:
    """Whether of some village only a name is known that others bear too."""
    return records.rows["village_name"].null_count() < records.height


def _village_names(rows: pl.DataFrame, of_all: bool) -> Codes:
    """Names of villages; of those that are known by their code too if `of_all`."""
    found = _hashed(rows["village_name"])
    if not of_all:
        return found
    codes, at = distinct(rows["place"])
    stems = codes.replace_strict(gazetteer.village_stems(), default=None, return_dtype=pl.String)
    of_codes = np.append(_hashed(stems), np.uint64(0))
    return np.where(found != 0, found, of_codes[at.fill_null(len(codes)).to_numpy()])


def _side(records: Records, codes: Small, names_of_villages: bool) -> Side:
    """`codes`: of each row of `records.names` the place of its name in the table of names."""
    rows = records.rows.sort("row") if not records.rows["row"].is_sorted() else records.rows
    n = rows.height
    row, kind = records.names["row"].to_numpy(), _numbers(records.names["kind"], NAME_KINDS)
    # By row, then kind, then code; columns that were read one after the other are runs, which a stable sort merges.
    order = np.argsort((row.astype(np.int64) << 3 | kind) << 32 | codes, kind="stable")
    is_part = kind[order] == PARTS
    entries, parts = order[~is_part], np.flatnonzero(kind == PARTS)
    entry_row, entry_name = row[entries].astype(np.int32), codes[entries]
    own_name = np.full(n, -1, dtype=np.int32)
    first = np.flatnonzero(np.diff(entry_row, prepend=-1))
    own_name[entry_row[first]] = entry_name[first]
    # Where the parts of a name were told apart, they are compared in that form.
    spelt_name = own_name.copy()
    spelt_name[row[parts][::-1]] = codes[parts][::-1]
    place, depth = _places(rows["place"])
    others = {
        str(kind[0]): (frame["row"].to_numpy().astype(np.int32), _hashed(frame["value"]))
        for kind, frame in sorted(records.others.partition_by("kind", as_dict=True).items())
    }
    return Side(
        n=n,
        id_code=_hashed(rows["id_key"]),
        id_kind=_numbers(rows["id_kind"], ID_KINDS),
        # A 15-digit number is compared in its 18-character form.
        id_text=rows.select(t=pl.when(pl.col("id_kind") == "valid15").then("id_key").otherwise("id_text"))[
            "t"
        ],
        birth=_days(rows["birth"]),
        low=_days(rows["birth_low"]),
        high=_days(rows["birth_high"]),
        is_stated=(rows["birth_basis"] == "stated").fill_null(False).to_numpy(),
        sex=_numbers(rows["sex"], SEXES),
        place=place,
        depth=depth,
        address=_hashed(rows["address_key"]),
        own_name=own_name,
        spelt_name=spelt_name,
        entry_row=entry_row,
        entry_name=entry_name,
        entry_kind=kind[entries],
        phone_row=records.phones["row"].to_numpy().astype(np.int32),
        phone=_hashed(records.phones["phone"]),
        phone_text=records.phones["phone"],
        household_row=records.households["row"].to_numpy().astype(np.int32),
        household=_hashed(records.households["household"]),
        others=others,
        village_name=_village_names(rows, names_of_villages),
    )
