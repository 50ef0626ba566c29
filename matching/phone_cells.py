"""Cells with telephone numbers: every number in a cell as digits, hidden digits as `*`.

Whether a number says anything about a person (a village office's does not) is for whoever compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from data_contracts.resident_id import inline_views
from matching.cells import as_text, distinct
from matching.records import PHONES

_EDGE = r"(?-u:\b)"
_MOBILE = r"1[3-9][0-9*][\s.-]*[0-9*]{4}[\s.-]*[0-9*]{4}"
_LANDLINE = r"\(?0[1-9][0-9]{1,2}\)?[\s.-]*[2-8][0-9]{6,7}"
_NUMBERS = (
    rf"{_EDGE}(?:(?:00)?86[\s-]*)?{_MOBILE}|{_LANDLINE}{_EDGE}|{_EDGE}400[\s-]?[0-9]{{3}}[\s-]?[0-9]{{4}}{_EDGE}"
    rf"|{_EDGE}[2-8][0-9]{{6,7}}{_EDGE}"
)
_FILLER = r"0{7}|1{7}|2{7}|3{7}|4{7}|5{7}|6{7}|7{7}|8{7}|9{7}"
_BLOCK = 1 << 16


def is_plain(phones: pl.Series) -> Any:
    """Which cells are mobile numbers of eleven digits without many equal ones in a row (array of flags)."""
    views = inline_views(phones) if len(phones) else None
    verdict = np.zeros(len(phones), dtype=bool)
    if views is None:
        return verdict
    for start in range(0, len(phones), _BLOCK):
        block = views[start : start + _BLOCK]
        length = np.ascontiguousarray(block[:, :4]).view(np.uint32)[:, 0]
        digits = np.ascontiguousarray(block[:, 4:15].T) - np.uint8(48)
        good = (length == 11) & (digits.max(axis=0) <= 9) & (digits[0] == 1) & (digits[1] >= 3)
        # Seven equal digits in a row have three equal ones in the middle.
        good &= ~((digits[5] == digits[4]) & (digits[5] == digits[6]))
        verdict[start : start + _BLOCK] = good
    return verdict & phones.is_not_null().to_numpy() if phones.null_count() else verdict


def phone_rows(cells: pl.Series) -> pl.DataFrame:
    """Telephone numbers of a column: row, phone (digits and `*`), each number of a cell once.

    Mobile numbers without +86, landlines with their area code where it is given. Cells that hold none give no row.
    """
    texts = as_text(cells)
    rows = pl.int_range(len(texts), dtype=pl.UInt32, eager=True).alias("row")
    plain = is_plain(texts)
    if plain.all():
        return pl.DataFrame({"row": rows, "phone": texts}, schema=PHONES)
    known = pl.Series(plain)
    open_ = ~known & texts.is_not_null()
    fast = pl.DataFrame({"row": rows.filter(known), "phone": texts.filter(known)}, schema=PHONES)
    if not open_.any():
        return fast
    values, codes = distinct(texts.filter(open_))
    found = _careful(values)
    slow = (
        pl.DataFrame({"row": rows.filter(open_), "code": codes})
        .join(found, on="code", maintain_order="left")
        .select(PHONES.names())
    )
    return pl.concat([fast, slow])


def _careful(cells: pl.Series) -> pl.DataFrame:
    """Numbers in distinct cells: code (position of the cell), phone."""
    text = (
        pl.col("cell")
        .str.normalize("NFKC")
        .str.replace_all(r"[\p{Cf}\p{Cc}]", "")
        .str.replace(r"^\s*([0-9]{7,12})\.0+\s*$", "$1")
        .str.replace_all(r"[×•●#]", "*")
        .str.replace_all(r"([0-9])[xX]{3,}", "${1}****")
        .str.replace_all(r"[—–−]", "-")
        .str.replace_all(r"(?-u:\b)(?:00)?86(1[3-9][0-9]{9})(?-u:\b)", "$1")
        .str.replace_all(r"[0-9]{15,}[xX]?", " ")
        .str.replace_all(r"(?-u:\b)0(1[3-9][0-9]{9})(?-u:\b)", "$1")
        # Numbers that were stored as numbers have lost the zero of their area code.
        .str.replace(r"^\s*([2-9][1-9][0-9]{8}|[3-9][1-9][0-9]{9})\s*$", "0$1")
    )
    return (
        cells.alias("cell")
        .to_frame()
        .lazy()
        .with_row_index("code")
        .select("code", text.str.extract_all(_NUMBERS).alias("phone"))
        .explode("phone")
        .with_columns(
            pl.col("phone").str.replace_all(r"[^0-9*]", "").str.replace(r"^(?:0086|86)(1[0-9*]{10})$", "$1")
        )
        .filter(
            pl.col("phone").is_not_null()
            & ~pl.col("phone").str.contains(_FILLER)
            & (pl.col("phone").str.count_matches(r"[0-9]") >= 5)
        )
        .unique(maintain_order=True)
        .collect()
    )
