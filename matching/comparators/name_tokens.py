"""How common a name in Latin letters is, by its words: order and unseen combinations do not make a name unique.

Names of foreigners are few in a table, and each stands in any order of its words; counting whole texts or letters would
take every one of them for nobody else's. Comparing two names belongs in `name_latin`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

IS_LATIN = "^[A-Z]"
"""Comparing forms of names in Latin letters are upper case."""


def sorted_words(names: pl.Series) -> pl.Series:
    """Names in Latin letters with their words in alphabetical order; others as they are."""
    is_latin = names.str.contains(IS_LATIN).fill_null(False)
    if not is_latin.any():
        return names
    ordered = names.filter(is_latin).str.split(" ").list.sort().list.join(" ")
    # `scatter` works in place.
    return names.clone().scatter(is_latin.arg_true(), ordered)


class Words:
    """Words of the names of a side. `names`: names in any script, one a person."""

    def __init__(self, names: pl.Series) -> None:
        latin = names.filter(names.str.contains(IS_LATIN).fill_null(False))
        self.people = len(latin)
        self._few = np.log2(len(names) / len(latin)) if len(latin) else 0.0
        self._counts = (
            pl.DataFrame({"word": latin.str.split(" ")})
            .explode("word")
            .group_by("word")
            .agg(pl.len().alias("count"))
        )

    def most_bits(self, names: pl.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Most that agreement in each name may be worth: -log2 of the share of names in Latin letters and of the shares of
        its words among these. Infinite for other scripts, and where the side has no name in Latin letters."""
        found = np.full(len(names), np.inf)
        is_latin = names.str.contains(IS_LATIN).fill_null(False)
        if not self.people or not is_latin.any():
            return found
        places = is_latin.arg_true()
        share = (pl.col("count").fill_null(0) + 0.5) / (self.people + 1)
        bits = (
            pl.DataFrame({"place": places, "word": names.gather(places).str.split(" ")})
            .explode("word")
            .join(self._counts, on="word", how="left")
            .group_by("place")
            .agg((-share.log(2.0)).sum().alias("bits"))
        )
        found[bits["place"].to_numpy()] = bits["bits"].to_numpy() + self._few
        return found
