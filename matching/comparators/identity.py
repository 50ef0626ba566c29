"""Identity numbers: the same, one slip apart, a relative's, hidden in part, or two different valid ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from matching.coded import ID_KINDS, Codes, Side, Small
from matching.evidence import Evidence, Population, number_ends, silent

EQUAL, SLIP, SLIPS, RELATIVE, OTHER_PERSON, OTHER, FITS, DIFFERS = range(1, 9)
MASKED = ID_KINDS["masked"]


def compare_ids(
    left: Side,
    right: Side,
    rows_l: Small,
    rows_r: Small,
    population: Population,
    is_held: np.ndarray[Any, np.dtype[np.bool_]],
    household_of_holder: Codes,
    household_of_left: Codes,
) -> Evidence:
    """Numbers of pairs of records.

    `is_held`: by right record, whether somebody on the left has its number. `household_of_holder`: by right record, the household (or family telephone) of whoever on the left holds the number;
    0 where nobody does. `household_of_left`: the same by left record. A number of a valid form that is another
    person's says most by whose it is: relatives' numbers are common, strangers' are not.
    """
    evidence = silent(len(rows_l))
    kind_l, kind_r = left.id_kind[rows_l], right.id_kind[rows_r]
    code_l, code_r = left.id_code[rows_l], right.id_code[rows_r]
    whole = (code_l != 0) & (code_r != 0)
    bits_n = np.float32(np.log2(population.n))
    equal = whole & (code_l == code_r)
    evidence.level[equal] = EQUAL
    evidence.bits[equal] = bits_n - np.log2(np.maximum(population.ids.count(code_l[equal]), 1)).astype(
        np.float32
    )
    apart = whole & ~equal
    held = is_held[rows_r]
    kin = (
        held & (household_of_holder[rows_r] != 0) & (household_of_holder[rows_r] == household_of_left[rows_l])
    )
    evidence.level[apart] = OTHER
    evidence.level[apart & held] = OTHER_PERSON
    evidence.level[apart & kin] = RELATIVE
    # One of some four people of the house.
    evidence.bits[apart & kin] = bits_n - 2
    # What is hidden, cut or spoiled is compared as text, once for each pair of texts.
    rest = np.flatnonzero(~whole & (kind_l > 0) & (kind_r > 0) & ~((kind_l == MASKED) | (kind_r == MASKED)))
    if len(rest):
        level, bits = _slips(
            left.id_text.gather(rows_l[rest]), right.id_text.gather(rows_r[rest]), population.n
        )
        evidence.level[rest], evidence.bits[rest] = level, bits
    return evidence


def _slips(left: pl.Series, right: pl.Series, n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Levels of numbers of which at least one is no whole number; `?` stands for what a spreadsheet destroyed."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    level = np.full(len(left), DIFFERS, dtype=np.uint8)
    bits = np.zeros(len(left), dtype=np.float32)
    l_texts, r_texts = left.fill_null("").to_list(), right.fill_null("").to_list()
    distance = process.cpdist(
        l_texts, r_texts, scorer=OSA.distance, score_cutoff=4, dtype=np.uint8, workers=1
    )
    lost = (left.str.count_matches(r"\?") + right.str.count_matches(r"\?")).fill_null(0).to_numpy()
    true = distance.astype(np.int32) - np.minimum(lost, 5).astype(np.int32)
    slip = (true <= 1) & (distance <= 4) & (lost == 0)
    slips = (true == 2) & (distance <= 4) & (lost == 0)
    fits = (true <= 0) & (lost > 0) & (distance <= 4)
    level[slip], bits[slip] = SLIP, np.log2(n)
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
    frame = pl.DataFrame({"a": a, "b": b})
    fits, shown = pl.lit(True), pl.lit(0, dtype=pl.Int32)
    for place in range(18):
        x, y = pl.col("a").str.slice(place, 1), pl.col("b").str.slice(place, 1)
        seen = (x != "*") & (y != "*") & (x != "") & (y != "")
        fits &= ~seen | (x == y)
        shown += seen.cast(pl.Int32)
    found = frame.select(fits=fits.fill_null(False), shown=shown)
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
            number_ends(frame["t"].filter(here), head, tail)
        )
    return worth
