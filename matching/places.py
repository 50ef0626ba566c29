"""Divisions of many records as a short list and a place in it: what is asked of a division is asked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_Ints = np.ndarray[Any, np.dtype[np.int64]]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SLOT_BITS = 18
_SHIFT, _LAST, _WIDTH = np.uint64(0), np.uint64(40), np.uint64(64 - _SLOT_BITS)
_FEW = 1 << 17


def distinct(codes: _Ints) -> tuple[_Ints, np.ndarray[Any, np.dtype[np.int32]]]:
    """Distinct codes (rising) and for each record its place among them: `np.unique`, fast where few are distinct."""
    found: list[_Ints] = []
    of = np.empty(len(codes), dtype=np.int32)
    rows = np.arange(len(codes), dtype=np.int32)
    shift, known = _SHIFT, 0
    while len(rows):
        left = codes[rows]
        slots = ((left.astype(np.uint64) * _ODD) << shift >> _WIDTH).astype(np.int32)
        table = np.zeros(1 << _SLOT_BITS, dtype=np.int64)
        used = np.zeros(1 << _SLOT_BITS, dtype=bool)
        table[slots], used[slots] = left, True
        # Of two codes in one slot the other one waits for the next table.
        won = table[slots] == left
        places = np.flatnonzero(used)
        found.append(table[places])
        number = np.cumsum(used, dtype=np.int32)
        of[rows[won]] = number[slots[won]] - 1 + known
        known += len(places)
        rows = rows[~won]
        if known > _FEW or shift >= _LAST:
            whole, back = np.unique(codes, return_inverse=True)
            return whole, back.astype(np.int32)
        shift += np.uint64(5)
    code = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    order = np.argsort(code)
    rank = np.empty(len(code), dtype=np.int32)
    rank[order] = np.arange(len(code), dtype=np.int32)
    return code[order], rank[of]


@dataclass(frozen=True)
class Places:
    """Distinct divisions of a side. `code`: 12 digits, padded; `depth`: digits known; `of`: place in the list by record."""

    code: _Ints
    depth: _Ints
    of: np.ndarray[Any, np.dtype[np.int32]]

    @classmethod
    def among(cls, code: _Ints, depth: np.ndarray[Any, Any]) -> Places:
        """From the columns of a side."""
        found, of = distinct(code * 16 + depth)
        return cls(found // 16, found % 16, of)

    def prefix(self, digits: int) -> _Ints:
        """The division of so many digits of each in the list; 0 where less is known."""
        return np.where(self.depth >= digits, self.code // 10 ** (12 - digits), 0)
