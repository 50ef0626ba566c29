"""Which of last night's ids a group of tonight keeps: the one with most in common, then the oldest.

Used for persons and for households; what they have in common is counted by the caller.
"""

from __future__ import annotations

import polars as pl


def best_first(claims: pl.DataFrame, group: str, earlier: str) -> pl.DataFrame:
    """One earlier id a group and one group an earlier id, the strongest claim first: columns `group`, `earlier`.

    `claims` has these columns and `shared`, one row a pair. Ties go to the lowest id, then to the first group, so the
    outcome does not depend on the order of rows.
    """
    left = claims.sort("shared", earlier, group, descending=[True, False, False]).with_row_index("_order")
    found = [left.clear()]
    while len(left):
        first = pl.col("_order")
        best = left.filter((first == first.min().over(group)) & (first == first.min().over(earlier)))
        found.append(best)
        left = left.join(best, on=group, how="anti").join(best, on=earlier, how="anti")
    return pl.concat(found).select(group, earlier)
