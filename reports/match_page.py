"""The page about a match of two tables: how many were linked, how surely, on what; no value of any person.

Figures come from outside as frames and numbers; here they get words, colours and places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from reports import page
from reports.masking import Gate
from reports.plot import histogram, stacked_bars

GRADES = (
    ("A", "A 确定", "#1b7f4d"),
    ("B", "B 较为确定", "#6cc08b"),
    ("C", "C 待人工确认", "#f4b942"),
    ("none", "未关联", "#c3c9d2"),
)
"""Grade, words, colour."""

PARTS_OF_KEYS = {
    "id": "证件号码",
    "name": "姓名",
    "sound": "姓名读音",
    "hidden": "姓名可见部分",
    "birth": "出生日期",
    "phone": "电话",
    "phone_ends": "电话首尾",
    "family_phone": "同户家人的电话",
    "family_phone_ends": "同户家人的电话首尾",
    "household": "户号",
    "village": "村（居）",
    "township": "乡镇",
    "county": "县",
    "year": "出生年",
    "year_known": "可能的出生年",
    "month_day": "出生月日",
    "sex": "性别",
    "address": "门牌",
    "first": "首字",
    "second": "第二字",
    "last": "末字",
    "first_sound": "首字读音",
    "second_sound": "第二字读音",
    "last_sound": "末字读音",
    "head14": "前14位",
    "tail8": "后8位",
    "head10": "前10位",
    "tail4": "后4位",
    "word": "外文名一词",
}

ODD = 2.0
"""A rate that is this many times its prior (or the reverse) is pointed at."""

TELLING = 0.005
"""Rates below this on both sides are not spoken of."""


def match_page(
    *,
    title: str,
    tables: Sequence[str],
    day: str,
    counts: Mapping[str, Any],
    weights: pl.DataFrame,
    bounds: Mapping[str, float],
    rates: pl.DataFrame,
    keys: pl.DataFrame,
    alone: pl.DataFrame,
    carries: pl.DataFrame,
    steps: Sequence[tuple[str, float]],
    seconds: float,
    gate: Gate,
) -> bytes:
    """The page as UTF-8.

    `counts`: left, right, in_registry (for one table: records, with_another), grades, pairs, firm, by_number, without_candidate, namesakes_rate,
    namesakes_proven, review_between_two. `weights`: low, A, B, C, none. `rates`: comparison, level, prior, estimated,
    pairs. `keys`: key, pairs, rows, lost_pairs, lost_rows. `alone`: lacked, records. `carries`: field, left, right.
    `steps`: what was done, seconds from the start.
    """
    one_table = len(tables) == 1
    grades = counts["grades"]
    total = max(counts["records"] if one_table else counts["right"], 1)
    rest = 0 if one_table else counts["right"] - sum(grades.values())
    shares = [*(grades.get(g, 0) for g, _, _ in GRADES[:3]), rest]
    series = [(words, colour) for _, words, colour in GRADES]
    if one_table:
        series, shares = series[:3], shares[:3]
    shown = [grade for grade, _, _ in GRADES[: len(series)]]
    bars = [(row["low"], [row[grade] for grade in shown]) for row in weights.iter_rows(named=True)]
    return page.render(
        "match.html",
        "match",
        gate,
        title=title,
        tables=[gate.file_name(name, "match") for name in tables],
        day=day,
        one_table=one_table,
        counts=dict(counts),
        share=counts["firm"] / total,
        grade_bars=stacked_bars([("记录", shares)], series, title="各级别的记录数", label_width=60),
        histogram=histogram(
            bars,
            series,
            marks=[(bounds[g], f"{g} 级下限") for g in ("C", "B") if g in bounds],
            title="权重（比特）" if one_table else "最佳候选的权重（比特）",
        ),
        grades=[
            (words, colour, grades.get(g, 0), grades.get(g, 0) / total) for g, words, colour in GRADES[:3]
        ],
        rest=rest,
        rest_share=rest / total,
        sentences=_sentences(rates),
        rates=_grouped(rates),
        keys=[
            row | {"words": key_zh(row["key"])}
            for row in keys.iter_rows(named=True)
            if row["pairs"] or row["lost_pairs"]
        ],
        lost=int(keys["lost_pairs"].sum()),
        alone=list(alone.iter_rows(named=True)),
        carries=list(carries.iter_rows(named=True)),
        steps=list(steps),
        seconds=seconds,
    )


def key_zh(key: str) -> str:
    """name+village -> 姓名＋村（居）, name+alone -> 仅姓名; what has no word is left as it is."""
    kind, _, rest = key.partition(":")
    if kind == "other":
        return "其他编号"
    parts = [*([kind] if rest else []), *(rest or key).split("+")]
    if any(part.startswith("masked") for part in parts):
        parts = ["证件号码可见部分" if p.startswith("masked") else p for p in parts if p != "id"]
        parts = [p for p in parts if not p.isdigit()]
    said = "＋".join(PARTS_OF_KEYS.get(part, part) for part in parts if part != "alone")
    return f"仅{said}" if "alone" in parts else said


def _grouped(rates: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows by comparison, each with a mark where the data differ from the prior."""
    found = []
    for (name,), rows in rates.group_by("comparison", maintain_order=True):
        lines = [
            row | {"is_odd": _is_odd(row["prior"], row["estimated"])} for row in rows.iter_rows(named=True)
        ]
        found.append({"name": name, "rows": lines})
    return found


def _is_odd(prior: float, estimated: float) -> bool:
    return max(prior, estimated) >= TELLING and not 1 / ODD <= estimated / max(prior, 1e-9) <= ODD


def _sentences(rates: pl.DataFrame) -> list[str]:
    """Where these data are unlike what is usual, a sentence a comparison; then what that means."""
    found = []
    for (name,), rows in rates.group_by("comparison", maintain_order=True):
        odd = [row for row in rows.iter_rows(named=True) if _is_odd(row["prior"], row["estimated"])]
        if odd:
            parts = [
                f"“{row['level']}”约占{_percent(row['estimated'])}（通常{_percent(row['prior'])}）"
                for row in odd
            ]
            found.append(f"{name}：同一人的记录中，" + "，".join(parts) + "。")
    return found


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else f"{share:.2%}"
