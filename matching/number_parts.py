"""First and last characters of identity numbers as codes: what is left of a number that was masked, cut or spoiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from matching.coded import Codes, Side, Small, mix

_DIGITS = 17
"""Digits before the check character of a number (GB 11643-1999)."""
_CHECK = {**{str(n): n for n in range(10)}, "X": 10}


def of_side(side: Side, head: int, tail: int, rows: Small | None = None) -> Codes:
    """Codes of the first `head` and last `tail` characters of the numbers of a side; 0 where one of them is lost or absent."""
    digits, check = side.digits
    texts = side.id_text
    if rows is not None:
        digits, check, texts = digits[rows], check[rows], texts.gather(rows)
    found = _coded(digits // 10 ** (_DIGITS - head), _tail(digits, check, tail))
    other = np.flatnonzero(digits < 0)
    if len(other):
        found[other] = of_texts(texts.gather(other), head, tail)
    return found


def of_texts(texts: pl.Series, head: int, tail: int) -> Codes:
    """The same of numbers in writing, whole or not."""
    first, last = pl.col("t").str.head(head), pl.col("t").str.tail(tail)
    body = last.str.head(max(tail - 1, 0))
    frame = texts.to_frame("t").select(
        first=pl.when(first.str.contains(r"^[0-9]*$")).then(_number(first)),
        body=pl.when(body.str.contains(r"^[0-9]*$")).then(_number(body)),
        check=last.str.tail(1).replace_strict(_CHECK, default=None, return_dtype=pl.Int64)
        if tail
        else pl.lit(0, dtype=pl.Int64),
        text=pl.concat_str(first, last, separator="*"),
        short=pl.col("t").str.len_chars() < max(head, tail),
    )
    whole = frame.select(
        pl.all_horizontal(pl.col("first", "body", "check").is_not_null()) & ~pl.col("short")
    ).to_series()
    values = frame.select(pl.col("first", "body", "check").fill_null(0))
    end = values["body"].to_numpy() * 16 + values["check"].to_numpy() if tail else np.zeros(len(texts), int)
    found = _coded(values["first"].to_numpy(), end)
    # Letters where digits should be are compared as they stand.
    hashed = frame["text"].hash(seed=17).to_numpy()
    lost = (frame["text"].is_null() | frame["text"].str.contains("?", literal=True)).to_numpy()
    found = np.where(whole.to_numpy(), found, hashed)
    return np.where(lost, np.uint64(0), found)


def _number(text: pl.Expr) -> pl.Expr:
    return pl.when(text == "").then(pl.lit(0)).otherwise(text.cast(pl.Int64, strict=False))


def _tail(
    digits: np.ndarray[Any, np.dtype[np.int64]], check: np.ndarray[Any, Any], tail: int
) -> np.ndarray[Any, np.dtype[np.int64]]:
    if not tail:
        return np.zeros(len(digits), dtype=np.int64)
    found: np.ndarray[Any, np.dtype[np.int64]] = digits % 10 ** (tail - 1) * 16 + check
    return found


def _coded(head: np.ndarray[Any, Any], tail: np.ndarray[Any, Any]) -> Codes:
    return mix((head + 1).astype(np.uint64), (tail + 1).astype(np.uint64))
