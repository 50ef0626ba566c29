"""Sentences and evidence: the columns of a query in the words of its header.

What the sentence of a rule says belongs in the header of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from policy.sources import closing
from policy.sql_file import PLACEHOLDER, Rule


def closings(rule: Rule, rows: pl.DataFrame, dates: Mapping[str, str | None]) -> pl.Expr:
    """The closing of every row: of the classes in its `cited_classes` where the query knows them, else of the header's."""
    usual = pl.lit(closing(rule.header.cited_sources(), dates))
    if "cited_classes" not in rows.columns:
        return usual
    cited = pl.col("cited_classes")
    ends = {
        text: closing(sorted(set(text.split(","))), dates)
        for text in rows["cited_classes"].drop_nulls().unique()
    }
    own = cited.replace_strict(ends, default="", return_dtype=pl.String)
    return pl.when(cited.is_null()).then(usual).otherwise(own)


def _spoken(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as it stands in a Chinese sentence."""
    column = pl.col(name)
    if kind == pl.Date():
        return column.dt.strftime("%Y年%-m月" if name.endswith("month") else "%Y年%-m月%-d日")
    if isinstance(kind, pl.Decimal):
        return column.cast(pl.String()).str.replace(r"\.0+$", "")
    if kind == pl.Boolean():
        return pl.when(column).then(pl.lit("是")).when(~column).then(pl.lit("否"))
    return column.cast(pl.String())


def _sentence(template: str, schema: pl.Schema) -> pl.Expr:
    """The template with its figures; null when one of them is unknown."""
    parts: list[pl.Expr] = []
    position = 0
    for match in PLACEHOLDER.finditer(template):
        parts.append(pl.lit(template[position : match.start()]))
        parts.append(_spoken(match.group(1), schema[match.group(1)]))
        position = match.end()
    parts.append(pl.lit(template[position:]))
    return pl.concat_str(parts, ignore_nulls=False)


def reasons(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    """The sentence of every row; null when a figure is unknown or the row's cause has no sentence."""
    sentences = rule.header.sentences()
    if None in sentences:
        return _sentence(sentences[None], rows.schema)
    chosen = pl.lit(None, dtype=pl.String())
    for cause, template in sentences.items():
        chosen = pl.when(pl.col("cause") == cause).then(_sentence(template, rows.schema)).otherwise(chosen)
    return chosen


def evidence(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    """Evidence as JSON: counts as numbers, everything else as text, so that money keeps its digits."""
    fields = [
        pl.col(name)
        if rows.schema[name].is_integer() or rows.schema[name] == pl.Boolean()
        else pl.col(name).cast(pl.String())
        for name in rule.header.evidence
    ]
    return pl.struct(fields).struct.json_encode()
