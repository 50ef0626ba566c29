"""Identity numbers: the same, one slip apart, a relative's, hidden in part, or two different valid ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from matching import number_parts
from matching.coded import ID_KINDS, Codes, Side, Small, mix
from matching.evidence import GENERIC, Evidence, Population, Shares, is_among, may_be, silent

EQUAL, SLIP, SLIPS, RELATIVE, OTHER_PERSON, OTHER, FITS, DIFFERS, RENEWED = range(1, 10)
MASKED, FOREIGN = ID_KINDS["masked"], ID_KINDS["foreign"]


SOMEBODY_ELSES = 0.007
"""Records with somebody else's number (CHINESE_DATA D3)."""


class Holders:
    """Who on the left has the numbers of the right side, and who lives in one home with them.

    `open_`: the right records that may have somebody else's number. `by_home`: whether homes are looked at.
    """

    def __init__(
        self,
        left: Side,
        right: Side,
        open_: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
        *,
        by_home: bool = True,
    ) -> None:
        self._left, self._by_home = left, by_home
        wanted = right.id_code if open_ is None else right.id_code[open_]
        self._rows = np.flatnonzero(may_be(left.id_code, wanted)).astype(np.int32)
        self._held = np.sort(left.id_code[self._rows])

    def is_held(self, codes: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether somebody on the left has each number of an open record."""
        return is_among(self._held, codes)

    def is_of_home(self, codes: Codes, rows_l: Small) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether somebody in the home of each left record has the number."""
        if not self._by_home or not len(rows_l):
            return np.zeros(len(rows_l), dtype=bool)
        holders = self._rows[may_be(self._left.id_code[self._rows], codes)]
        wanted = np.zeros(self._left.n, dtype=bool)
        wanted[holders] = True
        wanted[rows_l] = True
        home = _home(self._left, wanted)
        homes = mix(self._left.id_code[holders], home[holders])
        return is_among(np.sort(homes[homes != 0]), mix(codes, home[rows_l])) & (home[rows_l] != 0)


def _home(side: Side, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> Codes:
    """One code for the household of each record that is `wanted`: its number, else its telephone, else its address.

    A number, telephone or address of more people than a household has is nobody's home.
    """
    home = np.zeros(side.n, dtype=np.uint64)
    for rows, codes in (
        (np.arange(side.n, dtype=np.int32), side.home_address),
        (side.phone_row, side.phone),
        (side.household_row, side.household),
    ):
        at = np.flatnonzero(wanted[rows] & (codes != 0))
        asked = codes[at]
        small = Shares(rows, codes, asked).count(asked) <= GENERIC
        home[rows[at[small]]] = asked[small]
    return home


def compare_ids(
    left: Side,
    right: Side,
    rows_l: Small,
    rows_r: Small,
    population: Population,
    holders: Holders,
) -> Evidence:
    """Numbers of pairs of records.

    A number of a valid form that is another person's says most by whose it is (`holders`): relatives' numbers are common,
    strangers' are not. A passport beside an identity number says nothing.
    """
    evidence = silent(len(rows_l))
    kind_l, kind_r = left.id_kind[rows_l], right.id_kind[rows_r]
    code_l, code_r = left.id_code[rows_l], right.id_code[rows_r]
    whole = (code_l != 0) & (code_r != 0) & ((kind_l == FOREIGN) == (kind_r == FOREIGN))
    bits_n = np.float32(np.log2(population.n))
    equal = whole & (code_l == code_r)
    evidence.level[equal] = EQUAL
    if equal.any():
        same = np.maximum(population.ids.count(code_l[equal]), 1)
        evidence.bits[equal] = bits_n - np.log2(same).astype(np.float32)
    apart = whole & ~equal
    at = np.flatnonzero(apart)
    held, kin = np.zeros(len(rows_l), dtype=bool), np.zeros(len(rows_l), dtype=bool)
    held[at] = holders.is_held(code_r[at])
    at = at[held[at]]
    kin[at] = holders.is_of_home(code_r[at], rows_l[at])
    evidence.level[apart] = OTHER
    evidence.level[apart & held] = OTHER_PERSON
    # A stranger whose record has the number of somebody on the left has somebody else's as well.
    evidence.bits[apart & held] = -np.log2(SOMEBODY_ELSES)
    # A passport is renewed under another number: two different ones say nothing, unless one is somebody else's.
    foreign = np.flatnonzero(apart & ~held & (kind_l == FOREIGN))
    renewed = np.zeros(len(rows_l), dtype=bool)
    renewed[foreign] = _are_passports(
        left.id_text.gather(rows_l[foreign]), right.id_text.gather(rows_r[foreign])
    )
    evidence.level[renewed] = RENEWED
    evidence.level[kin] = RELATIVE
    # One of some four people of the house.
    evidence.bits[kin] = bits_n - 2
    # What is hidden, cut or spoiled is compared as text, once for each pair of texts; so are numbers of 15 digits, which
    # have no check character: one that differs may be a slip of the pen.
    whole_text = left.of_fifteen[rows_l] | right.of_fifteen[rows_r]
    spoiled = ~((code_l != 0) & (code_r != 0)) & (kind_l > 0) & (kind_r > 0)
    spoiled &= ~((kind_l == MASKED) | (kind_r == MASKED)) & ((kind_l == FOREIGN) == (kind_r == FOREIGN))
    rest = np.flatnonzero(spoiled | (apart & ~kin & whole_text) | renewed)
    if len(rest):
        level, bits = _slips(
            left.id_text.gather(rows_l[rest]),
            right.id_text.gather(rows_r[rest]),
            population.n,
            whole_text[rest] | renewed[rest],
        )
        known = apart[rest] & (level == DIFFERS)
        evidence.level[rest] = np.where(known, evidence.level[rest], level)
        evidence.bits[rest] = np.where(known, evidence.bits[rest], bits)
    return evidence


_KEPT = r"^[HM][0-9]{8}"
"""Travel permits of people of Hong Kong and Macao keep their number (回乡证); passports do not."""


def _are_passports(left: pl.Series, right: pl.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pairs of foreign documents of which neither keeps its number when it is renewed."""
    if not len(left):
        return np.zeros(0, dtype=bool)
    kept = left.str.contains(_KEPT) | right.str.contains(_KEPT)
    return (~kept.fill_null(True)).to_numpy()


def _slips(
    left: pl.Series, right: pl.Series, n: int, is_old: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Levels of numbers of which at least one is no whole number; `?` stands for what a spreadsheet destroyed.

    `is_old`: one of the two has 15 digits (GB 11643-1989); those are compared in the 15-digit form, and a slip proves
    less, because some tenth of all people have somebody's number one slip from theirs.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    level = np.full(len(left), DIFFERS, dtype=np.uint8)
    bits = np.zeros(len(left), dtype=np.float32)
    l_texts, r_texts = (
        pl.DataFrame({"t": texts.fill_null(""), "old": pl.Series(is_old)})
        .select(
            t=pl.when(pl.col("old") & (pl.col("t").str.len_chars() == 18))
            .then(pl.col("t").str.slice(0, 6) + pl.col("t").str.slice(8, 9))
            .otherwise("t")
        )["t"]
        .to_list()
        for texts in (left, right)
    )
    distance = process.cpdist(
        l_texts, r_texts, scorer=OSA.distance, score_cutoff=4, dtype=np.uint8, workers=1
    )
    lost = (left.str.count_matches(r"\?") + right.str.count_matches(r"\?")).fill_null(0).to_numpy()
    true = distance.astype(np.int32) - np.minimum(lost, 5).astype(np.int32)
    slip = (true <= 1) & (distance <= 4) & (lost == 0)
    slips = (true == 2) & (distance <= 4) & (lost == 0)
    fits = (true <= 0) & (lost > 0) & (distance <= 4)
    level[slip], bits[slip] = SLIP, np.where(is_old[slip], max(np.log2(n) - 4, 1), np.log2(n))
    slips &= ~is_old
    level[slips], bits[slips] = SLIPS, max(np.log2(n) - 5, 1)
    level[fits], bits[fits] = FITS, np.log2(n) - 1
    return level, bits


def compare_hidden_ids(
    left: Side, right: Side, rows_l: Small, rows_r: Small, population: Population
) -> Evidence:
    """Numbers of which one is hidden in part: does what can be seen agree, and how many share it."""
    evidence = silent(len(rows_l))
    hidden = np.flatnonzero(
        ((left.id_kind[rows_l] == MASKED) | (right.id_kind[rows_r] == MASKED))
        & (left.id_kind[rows_l] > 0)
        & (right.id_kind[rows_r] > 0)
    )
    if not len(hidden):
        return evidence
    a, b = left.id_text.gather(rows_l[hidden]), right.id_text.gather(rows_r[hidden])
    # By what is visible at both ends: masks come in any length.
    ends = [
        pl.col(c).str.extract(pattern, 1).alias(f"{c}_{end}")
        for c in ("a", "b")
        for end, pattern in (("head", r"^([^*]*)"), ("tail", r"([^*]*)$"))
    ]
    frame = pl.DataFrame({"a": a, "b": b}).with_columns(ends)
    head = pl.min_horizontal(pl.col("a_head").str.len_chars(), pl.col("b_head").str.len_chars())
    tail = pl.min_horizontal(pl.col("a_tail").str.len_chars(), pl.col("b_tail").str.len_chars())
    fits = (pl.col("a_head").str.head(head) == pl.col("b_head").str.head(head)) & (
        pl.col("a_tail").str.tail(tail) == pl.col("b_tail").str.tail(tail)
    )
    found = frame.select(fits=fits.fill_null(False))
    ok = found["fits"].to_numpy()
    worth = _worth(a, b, population)
    evidence.level[hidden] = np.where(ok, 1, 2)
    evidence.bits[hidden] = np.where(ok, worth, 0)
    return evidence


def _worth(a: pl.Series, b: pl.Series, population: Population) -> np.ndarray[Any, Any]:
    """Bits of what is visible: -log2 of the share of left numbers with the same visible ends."""
    frame = pl.DataFrame({"a": a, "b": b}).select(
        t=pl.when(pl.col("b").str.contains("*", literal=True)).then("b").otherwise("a")
    )
    frame = frame.with_columns(
        head=pl.col("t").str.extract(r"^([^*]*)").str.len_chars(),
        tail=pl.col("t").str.extract(r"([^*]*)$").str.len_chars(),
    )
    worth = np.zeros(len(a))
    shapes = frame.select("head", "tail").unique().sort("head", "tail")
    for head, tail in shapes.iter_rows():
        here = ((frame["head"] == head) & (frame["tail"] == tail)).to_numpy()
        worth[here] = population.number_ends(head, tail).bits(
            number_parts.of_texts(frame["t"].filter(here), head, tail)
        )
    return worth
