"""Chance of the damage, and its rates: numbers that depend on seed and names alone, and `damage.yaml` as it is written.

The world draws from streams (`rng.py`); damage asks by key, so that a department that copies from its own
register repeats its error every month, and no result depends on the order of the work.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

HERE = Path(__file__).resolve().parent
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def uniform(keys: npt.NDArray[Any], seed: int, *names: object) -> Floats:
    """Numbers in [0, 1), one a key: the same for the same key, seed and names, in whatever order it is asked."""
    digest = hashlib.blake2b(repr((seed, *names)).encode(), digest_size=8).digest()
    salt = int.from_bytes(digest, "little") | 1
    with np.errstate(over="ignore"):
        x = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def chance(seed: int, *names: object) -> float:
    """One number in [0, 1)."""
    return float(uniform(np.zeros(1, dtype=np.int64), seed, *names)[0])


@cache
def rates() -> dict[str, Any]:
    """`damage.yaml` as it is written."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "damage.yaml").read_text(encoding="utf-8"))
    return loaded
