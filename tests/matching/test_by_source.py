"""Links by source: counts that add up, rates against the night before, levels against sums written out."""

from __future__ import annotations

import math

import polars as pl
import pytest

from matching import by_source


def night(**sources: tuple[int, int, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """By source: identities, of these linked with grade A, and linked with grade C."""
    rows = [
        (f"{name}{n}", name, "A" if n < sure else "C" if n < sure + review else None)
        for name, (of, sure, review) in sources.items()
        for n in range(of)
    ]
    schema = dict.fromkeys(["identity_key", "source_class", "grade"], pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.filter(pl.col("grade").is_not_null()), frame.drop("grade")


def levels(before: dict[str, tuple[int, int, int]], now: dict[str, tuple[int, int, int]]) -> dict[str, str]:
    first = by_source.counted(*night(**before), None)
    return dict(by_source.counted(*night(**now), first).select("source_class", "level").rows())


def test_counts_and_rates() -> None:
    found = by_source.counted(*night(a=(10, 6, 3), b=(4, 4, 0)), None)
    assert found.schema == by_source.BY_SOURCE
    columns = ["source_class", "identities", "grade_a", "grade_b", "grade_c", "grade_d", "unlinked"]
    assert found.select(columns).rows() == [("a", 10, 6, 0, 3, 0, 1), ("b", 4, 4, 0, 0, 0, 0)]
    assert found["match_rate"].to_list() == [0.6, 1.0]
    assert found["match_rate_before"].to_list() == [None, None]
    assert set(found["level"]) == {"none"}
    assert found["reason_zh"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("before", "now", "level"),
    [
        ((10_000, 9_900, 0), (10_000, 9_900, 0), "none"),
        ((10_000, 9_900, 0), (10_000, 9_850, 0), "none"),
        ((10_000, 9_900, 0), (10_000, 9_700, 0), "notice"),
        ((10_000, 9_700, 0), (10_000, 9_900, 0), "notice"),
        ((10_000, 9_900, 0), (10_000, 9_000, 0), "alarm"),
        ((10, 10, 0), (10, 8, 0), "none"),
        ((10, 10, 0), (0, 0, 0), "alarm"),
        ((0, 0, 0), (10, 0, 0), "none"),
    ],
)
def test_levels(before: tuple[int, int, int], now: tuple[int, int, int], level: str) -> None:
    (n, k, _), (m, j, _) = now, before
    if n and m:
        pooled = (k + j) / (n + m)
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        size = abs(k / n - j / m)
        is_real = size > by_source.CHANCE * error
        slow = "alarm" if is_real and size > by_source.ALARM else "notice" if is_real and size > by_source.BOUND else "none"  # fmt: skip
        assert slow == level
    assert levels({"x": before}, {"x": now})["x"] == level


def test_what_is_said_names_the_rates() -> None:
    first = by_source.counted(*night(a=(10_000, 9_900, 0), b=(5, 5, 0)), None)
    found = by_source.counted(*night(a=(10_000, 9_000, 1_000)), first)
    said = dict(found.select("source_class", "reason_zh").rows())
    assert said["a"] == "关联到人的比例由99.0%变为90.0%，请核查来源数据是否有变化。"
    assert said["b"] == "上一晚有5条身份记录，今晚一条也没有，请核查。"
    # On the night after, what is gone is compared with nothing.
    assert levels({"a": (9, 9, 0)}, {"a": (9, 9, 0)}) == {"a": "none"}
    third = by_source.counted(*night(a=(10_000, 9_000, 1_000)), found)
    assert third["source_class"].to_list() == ["a"]
    assert third["level"].to_list() == ["none"]
