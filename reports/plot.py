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


def histogram(
    bars: Sequence[tuple[float, Sequence[float]]],
    series: Sequence[tuple[str, str]],
    *,
    marks: Sequence[tuple[float, str]] = (),
    title: str,
    width: int = 860,
    height: int = 300,
) -> str:
    """Upright bars (low end, values by series stacked) with named marks on the axis. Heights by square root: few are seen."""
    seen = [index for index, (_, values) in enumerate(bars) if sum(values) > 0]
    if not seen:
        return f"<p class='none'>{escape(title)}：没有数据。</p>"
    bars = bars[max(seen[0] - 1, 0) : seen[-1] + 2]
    step = bars[1][0] - bars[0][0] if len(bars) > 1 else 1.0
    left, right, top, bottom = 46, 12, 56, 40
    room, high = width - left - right, height - top - bottom
    wide = room / len(bars)
    largest = max(sum(values) for _, values in bars)
    start = bars[0][0]

    def x_of(value: float) -> float:
        return left + (value - start) / step * wide

    def y_of(value: float) -> float:
        return top + high * (1 - (value / largest) ** 0.5)

    parts = [f"<svg viewBox='0 0 {width} {height}' width='100%' role='img' aria-label='{escape(title)}'>"]
    parts.append(f"<title>{escape(title)}</title>")
    x = float(left)
    for name, colour in series:
        parts.append(f"<rect x='{x:.1f}' y='6' width='12' height='12' rx='2' fill='{colour}'/>")
        parts.append(_text(x + 17, 16, name))
        x += 40 + 12 * len(name)
    for part in (0.04, 0.25, 1.0):
        value = _round_down(largest * part)
        if value >= 1:
            y = y_of(value)
            parts.append(
                f"<line x1='{left}' y1='{y:.1f}' x2='{width - right}' y2='{y:.1f}' stroke='#e6e9ee'/>"
            )
            parts.append(_text(left - 6, y + 4, f"{value:,.0f}", "end", "#777"))
    for low, values in bars:
        below = 0.0
        for value, (name, colour) in zip(values, series, strict=True):
            if value <= 0:
                continue
            y, foot = y_of(below + value), y_of(below)
            hint = f"{low:.0f} 至 {low + step:.0f} 比特，{name}：{value:,.0f}"
            parts.append(
                f"<rect x='{x_of(low) + 0.6:.1f}' y='{y:.1f}' width='{wide - 1.2:.1f}' height='{foot - y:.1f}' "
                f"fill='{colour}'><title>{escape(hint)}</title></rect>"
            )
            below += value
    floor = top + high
    parts.append(f"<line x1='{left}' y1='{floor}' x2='{width - right}' y2='{floor}' stroke='#8a94a3'/>")
    every = 10 if len(bars) * step > 30 else max(step, 2)
    value = -(-start // every) * every + 0.0
    while value <= bars[-1][0] + step:
        parts.append(_text(x_of(value), floor + 16, f"{value:.0f}".replace("-", "−"), "middle", "#555"))
        value += every
    parts.append(_text(width - right, floor + 33, title, "end", "#777"))
    for index, (value, words) in enumerate(marks):
        x = x_of(value)
        parts.append(
            f"<line x1='{x:.1f}' y1='{top - 14}' x2='{x:.1f}' y2='{floor}' stroke='#333' stroke-dasharray='4 3'/>"
        )
        parts.append(_text(x + (4 if index else -4), top - 6, words, "start" if index else "end"))
    parts.append("</svg>")
    return "".join(parts)


def _round_down(value: float) -> float:
    """1, 2 or 5 times a power of ten that is not greater."""
    if value < 1:
        return 0
    size = 10 ** (len(str(int(value))) - 1)
    return next(size * n for n in (5, 2, 1) if size * n <= value)
