"""Shares in a title, as registers write them: what the feed of `re_ownership` makes of the cell."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from data_contracts.contract import catalogue


@pytest.mark.parametrize(
    ("mode", "cell", "holders", "place", "percent"),
    [
        ("1", None, ["张三"], 1, "100"),
        ("3", "50%", ["张三"], 1, "50"),
        ("3", "33.3%", ["张三"], 1, "33.3"),
        ("3", "1/6", ["张三"], 1, "16.6667"),
        ("3", "1/4、3/4", ["张三", "李四"], 1, "25"),
        ("3", "1/4、3/4", ["张三", "李四"], 2, "75"),
        ("3", "40％；60％", ["张三", "李四"], 2, "60"),
        ("3", "1/2", ["张三", "李四"], 2, None),
        ("3", "1/0", ["张三"], 1, None),
        ("3", "一半", ["张三"], 1, None),
        ("2", None, ["张三", "李四"], 1, None),
    ],
)
def test_share_of_a_holder(mode, cell, holders, place, percent):
    feed = next(f for f in catalogue()["re_ownership"].feeds if f.fact == "dwelling_title")
    got = duckdb.execute(
        f"select cast(({feed.columns['share_percent']}) as decimal(18, 4)) from "
        "(select ? as share_mode, ? as share_ratio, ?::varchar[] as holder_name, ? as _n)",
        [mode, cell, holders, place],
    ).fetchall()
    assert got == [(None if percent is None else Decimal(percent),)]
