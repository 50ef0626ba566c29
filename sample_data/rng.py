"""Where chance comes from: one independent generator per seed, shard and purpose.

A table that draws one number more must not change the others, so nobody passes a generator around.
"""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, shard: int, name: str) -> np.random.Generator:
    """A generator that depends on nothing but the seed, the shard and what it is for."""
    return np.random.default_rng([seed, shard, zlib.crc32(name.encode())])
