"""Small pictures as SVG text, for pages that must not load anything from elsewhere.

A plot is drawn from labels and numbers; which numbers is said by the page. Coordinates are rounded, so the same
numbers give the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

LEVEL_FILL = {"红": "#c00000", "橙": "#f4a259", "黄": "#ffd84d", "蓝": "#6fa8dc"}
_FONT = "font-family='sans-serif' font-size='12'"


def _label(words: str, longest: int = 18) -> str:
    """A name that fits beside its bar."""
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _text(x: float, y: float, words: str, anchor: str = "start", fill: str = "#333") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{fill}' {_FONT}>{escape(words)}</text>"
    )


def stacked_bars(
    rows: Sequence[tuple[str, Sequence[float]]],
    series: Sequence[tuple[str, str]],
    *,
    title: str,
    width: int = 860,
    label_width: int = 190,
    share: bool = False,
) -> str:
    """Horizontal bars, one a row, made of the series (name, colour). With `share`, every bar is 100 %."""
    if not rows:
        return f"<p class='none'>{escape(title)}：没有数据。</p>"
    high, top = 22, 44
    room = width - label_width - 80
    totals = [sum(values) for _, values in rows]
    largest = max(totals) or 1
    height = top + high * len(rows) + 8
    parts = [f"<svg viewBox='0 0 {width} {height}' width='100%' role='img' aria-label='{escape(title)}'>"]
    parts.append(f"<title>{escape(title)}</title>")
    x = float(label_width)
    for name, colour in series:
        parts.append(f"<rect x='{x:.1f}' y='12' width='12' height='12' fill='{colour}'/>")
        parts.append(_text(x + 16, 22, name))
        x += 34 + 13 * len(name)
    for index, ((label, values), total) in enumerate(zip(rows, totals, strict=True)):
        y = top + index * high
        parts.append(_text(label_width - 8, y + 13, _label(label, 14), "end"))
        x = float(label_width)
        scale = room / (total or 1) if share else room / largest
        for value, (name, colour) in zip(values, series, strict=True):
            if value <= 0:
                continue
            wide = value * scale
            hint = f"{label} {name}：{value:,.0f}"
            parts.append(
                f"<rect x='{x:.1f}' y='{y}' width='{wide:.1f}' height='{high - 6}' fill='{colour}'>"
                f"<title>{escape(hint)}</title></rect>"
            )
            x += wide
        parts.append(_text(x + 6, y + 13, f"{total:,.0f}"))
    parts.append("</svg>")
    return "".join(parts)


def dots_by_days(rows: Sequence[tuple[str, int | None, str]], *, title: str, width: int = 860) -> str:
    """How many days ago each source was last delivered: (label, days or null, colour). Beyond 60 days: at the edge."""
    if not rows:
        return f"<p class='none'>{escape(title)}：没有数据。</p>"
    high, top, label_width, edge = 18, 34, 270, 60
    room = width - label_width - 90
    height = top + high * len(rows) + 10
    parts = [f"<svg viewBox='0 0 {width} {height}' width='100%' role='img' aria-label='{escape(title)}'>"]
    parts.append(f"<title>{escape(title)}</title>")
    for day in (0, 10, 20, 30, 40, 50, 60):
        x = label_width + room * day / edge
        parts.append(f"<line x1='{x:.1f}' y1='{top - 8}' x2='{x:.1f}' y2='{height - 8}' stroke='#e3e3e3'/>")
        parts.append(_text(x, top - 14, f"{day}天" if day < edge else "60天以上", "middle", "#777"))
    for index, (label, days, colour) in enumerate(rows):
        y = top + index * high + 8
        parts.append(_text(label_width - 10, y + 4, _label(label), "end"))
        if days is None:
            parts.append(_text(label_width + 4, y + 4, "未收到", "start", "#c00000"))
            continue
        x = label_width + room * min(max(days, 0), edge) / edge
        parts.append(
            f"<line x1='{label_width}' y1='{y}' x2='{x:.1f}' y2='{y}' stroke='{colour}' stroke-width='3'/>"
        )
        parts.append(f"<circle cx='{x:.1f}' cy='{y}' r='5' fill='{colour}'/>")
        parts.append(_text(x + 9, y + 4, f"{days}天", "start", "#555"))
    parts.append("</svg>")
    return "".join(parts)
