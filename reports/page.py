"""Lays rows out as pages that stand alone: no script, no address, no font or picture from elsewhere.

What a page says belongs in `definitions/` and `templates/`; here rows become HTML and plots become SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup, escape

from reports.definition import Column, Definition
from reports.masking import Gate

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def day_zh(day: date) -> str:
    """2025年11月17日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _lines(text: object) -> Markup:
    return Markup("<br>").join(escape(part) for part in str(text).split("\n"))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = _lines
    return environment


def render(template: str, where: str, gate: Gate, **values: Any) -> bytes:
    """A page as UTF-8. Every text in its values passes the gate."""
    shown = passed(values, where, gate)
    return _environment().get_template(template).render(shown).encode()


def passed(value: Any, where: str, gate: Gate) -> Any:
    """The same value with every text in it through the gate; numbers and dates are nobody's identifier."""
    if isinstance(value, str):
        # A drawing is coordinates; its words are titles of the catalogue.
        return value if value.startswith("<svg") else gate.text(value, where)
    if isinstance(value, Mapping):
        return {key: passed(each, where, gate) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [passed(each, where, gate) for each in value]
    return value


def section(
    definition: Definition,
    rows: pl.DataFrame,
    *,
    plot: str = "",
    bad: pl.Expr | None = None,
    is_folded: bool = False,
) -> dict[str, Any]:
    """One table of a page: title, note, columns, rows, total. `bad` marks rows that must be looked at; a table
    that `is_folded` shows its rows when somebody asks."""
    shown = rows.select([c.name for c in definition.columns])
    marked = rows.select(_bad=bad.fill_null(False) if bad is not None else pl.lit(False))
    records = [
        {**record, "_bad": flag}
        for record, flag in zip(
            shown.to_dicts(), marked["_bad"] if bad is not None else [False] * rows.height, strict=True
        )
    ]
    return {
        "title": definition.title.zh,
        "note": definition.note_zh,
        "empty": definition.empty_zh,
        "columns": definition.columns,
        "rows": records,
        "total": total_line(definition.columns, rows) if rows.height else None,
        "plot": plot,
        "is_folded": is_folded and rows.height > 0,
    }


def total_line(columns: Sequence[Column], rows: pl.DataFrame) -> Mapping[str, object] | None:
    """The last line of a table that has totals; null when no column asks for one."""
    if not any(c.total for c in columns):
        return None
    line: dict[str, object] = {c.name: rows[c.name].sum() if c.total else None for c in columns}
    line[columns[0].name] = "合计"
    return line
