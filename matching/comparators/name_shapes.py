"""Which characters look alike: the table of look-alikes, as probabilities of taking one for another."""

from __future__ import annotations

from functools import cache

import numpy as np

from matching.comparators.name_tables import Floats, Ints, table

SHARPNESS = 6
"""P(b | a) ~ likeness to this power (README of the reference tables)."""


@cache
def _partners() -> tuple[Ints, Floats]:
    rows = table("shape_partners")
    text = "".join(rows["char"].to_list()), "".join(rows["similar"].to_list())
    char, similar = (np.frombuffer(t.encode("utf-32-le"), np.uint32).astype(np.int64) for t in text)
    weight = rows["likeness"].cast(float).to_numpy() ** SHARPNESS
    total = np.bincount(char, weights=weight)
    key = char << 21 | similar
    order = np.argsort(key)
    return key[order], (weight / total[char])[order]


def probabilities(a: Ints, b: Ints) -> Floats:
    """P(b | a, shape) of pairs of code points; over all b it sums to 1, or is 0 for a character without partners."""
    known, share = _partners()
    key = a.astype(np.int64) << 21 | b.astype(np.int64)
    place = np.searchsorted(known, key)
    place[place == len(known)] = 0
    return np.where(known[place] == key, share[place], 0.0)
