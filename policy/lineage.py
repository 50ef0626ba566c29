"""Where the columns of a query come from: which carry an amount of a year, and which are constants.

What belongs here is the walk over DuckDB's parsed tree by scope: WITH names, subqueries, joins, set operations, lambdas. What
is done with the answer (no yearly amount over months, no cause without a sentence) is in `checks.py`.

A sum over the accounting window, into which amounts of a year came beside those of months, may be divided by the months that
the window counts (the formula of the law); an amount of a year alone may not, and nothing may be divided by twelve.
A tag follows a column through aliases, arithmetic, aggregates and subqueries, and over files through measures. It is lost
where a query does what nobody can follow by reading: text made of numbers and back, joins to a table of divisors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb

from policy.parameters import Parameter
from policy.sql_file import SqlFile, desk, walk
from policy.vocabulary import Table

YEARLY_NAMES = ("per_year", "annual", "yearly", "_12m")
"""Parts of a name that say that an amount belongs to a year."""
MONTH_SHARE = (1 / 13.5, 1 / 10.5)
"""A factor between these makes a month's amount of a year's."""
MOST = 16
"""More values or factors than these are not followed."""

_AGGREGATED = {
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "any_value",
    "first",
    "last",
    "median",
    "mode",
    "arg_max",
    "arg_min",
}
_ADDED = {"+", "-", "add", "subtract", "greatest", "least"}
_COUNTED = {"count", "count_star", "row_number", "rank", "dense_rank"}
_LIST_MEANS = {
    "list_avg",
    "list_mean",
    "array_avg",
    "list_aggregate",
    "list_aggr",
    "array_aggregate",
    "array_aggr",
    "aggregate",
}
_NO_AMOUNT = _COUNTED | {"list_contains", "len", "length"}


@dataclass(frozen=True)
class Tag:
    """What is known of a column or expression."""

    yearly: frozenset[float] = frozenset()
    """By which constants the amount of a year has been multiplied; empty when it is no amount of a year."""
    is_mixed: bool = False
    """It may as well be an amount of a month: a row, a branch or a summand of another period came in."""
    values: frozenset[Any] | None = None
    """Every value that it can have, when they are constants; null when they are not."""


NOTHING = Tag()
YEARLY = Tag(frozenset({1.0}))
Columns = Mapping[str, Tag]


def union(tags: list[Tag]) -> Tag:
    """What is known of a value that is one of several."""
    if not tags:
        return NOTHING
    values: frozenset[Any] | None = frozenset()
    for tag in tags:
        values = None if values is None or tag.values is None else values | tag.values
    if values is not None and len(values) > MOST:
        values = None
    return Tag(frozenset().union(*(tag.yearly for tag in tags)), _mixed(tags), values)


def _mixed(tags: list[Tag]) -> bool:
    yearly = any(tag.yearly for tag in tags)
    return yearly and any(tag.is_mixed or not (tag.yearly or tag.values is not None) for tag in tags)


@dataclass
class Relation:
    """What a FROM clause brings: its name, and its columns in their order."""

    name: str
    columns: dict[str, Tag]
    other: Tag = NOTHING
    """For columns that are not known by name."""


@dataclass
class Scope:
    """The relations that an expression can name, and what lies around them."""

    relations: list[Relation] = field(default_factory=list)
    aliases: dict[str, Tag] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, parts: list[str]) -> Tag:
        """The column of a name, as near as it can be found."""
        lowered = [part.lower() for part in parts]
        named = [r for r in self.relations if len(lowered) > 1 and r.name == lowered[-2]]
        for relation in named:
            if lowered[-1] in relation.columns:
                return relation.columns[lowered[-1]]
        if named:
            return union([relation.other for relation in named])
        for relation in self.relations:
            if lowered[0] in relation.columns:
                return relation.columns[lowered[0]]
        if lowered[0] in self.aliases:
            return self.aliases[lowered[0]]
        whole = [relation for relation in self.relations if relation.name == lowered[0]]
        if whole:
            # The row as a struct: a field of it, or all of it.
            return whole[0].columns.get(lowered[-1]) or union([*whole[0].columns.values(), whole[0].other])
        if self.outer is not None:
            return self.outer.find(parts)
        return union([relation.other for relation in self.relations])


class Lineage:
    """The columns that a query returns, and the places at which it spreads a year over months."""

    def __init__(self, file: SqlFile, sources: Mapping[str, Columns]):
        self.file = file
        self.sources = sources
        self.spread: list[int] = []
        """Lines at which an amount of a year is made into one of a month."""
        self.reads: list[tuple[str, int]] = []
        """Tables from outside the query, with the line on which each is read."""
        self.columns = self._query(file.tree, {}, None)

    # ---- queries ---------------------------------------------------------------------------------------------------

    def _query(
        self, node: dict[str, Any], ctes: Mapping[str, dict[str, Tag]], outer: Scope | None
    ) -> dict[str, Tag]:
        own = dict(ctes)
        for entry in (node.get("cte_map") or {}).get("map", []):
            value = entry["value"]
            columns = self._query(value["query"]["node"], own, outer)
            own[entry["key"].lower()] = _renamed(columns, value.get("aliases"))
        kind = node.get("type")
        if kind == "SELECT_NODE":
            return self._select(node, own, outer)
        if kind == "RECURSIVE_CTE_NODE":
            first = self._query(node["left"], own, outer)
            name = node["cte_name"].lower()
            return _by_place(first, self._query(node["right"], own | {name: first}, outer))
        if kind == "SET_OPERATION_NODE":
            sides = node.get("children") or [node["left"], node["right"]]
            found = self._query(sides[0], own, outer)
            for side in sides[1:]:
                other = self._query(side, own, outer)
                by_name = "BY_NAME" in str(node.get("setop_type"))
                found = _by_name(found, other) if by_name else _by_place(found, other)
            return found
        for part in ("query", "child", "left", "right"):
            if isinstance(node.get(part), dict):
                return self._query(node[part].get("node", node[part]), own, outer)
        return {}

    def _select(
        self, node: dict[str, Any], ctes: Mapping[str, dict[str, Tag]], outer: Scope | None
    ) -> dict[str, Tag]:
        scope = Scope(outer=outer)
        self._from(node.get("from_table"), ctes, scope)
        found: dict[str, Tag] = {}
        for number, item in enumerate(node.get("select_list") or []):
            if item.get("type") == "STAR":
                found |= self._star(item, ctes, scope)
                continue
            tag = self._tag(item, ctes, scope)
            name = item.get("alias") or (
                item["column_names"][-1] if item.get("type") == "COLUMN_REF" else f"?{number}"
            )
            found[name.lower()] = tag
            if item.get("alias"):
                scope.aliases[item["alias"].lower()] = tag
        for part in ("where_clause", "having", "qualify", "group_expressions", "modifiers"):
            self._all(node.get(part), ctes, scope)
        return found

    def _star(self, item: dict[str, Any], ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> dict[str, Tag]:
        wanted = (item.get("relation_name") or "").lower()
        found: dict[str, Tag] = {}
        for relation in scope.relations:
            if not wanted or relation.name == wanted:
                found |= relation.columns
        for entry in item.get("replace_list") or []:
            found[str(entry["key"]).lower()] = self._tag(entry["value"], ctes, scope)
        for entry in item.get("exclude_list") or []:
            found.pop(str(entry).lower(), None)
        return found

    def _from(self, node: Any, ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> None:
        if not isinstance(node, dict):
            return
        kind, name = node.get("type"), (node.get("alias") or node.get("table_name") or "").lower()
        if kind == "JOIN":
            self._from(node["left"], ctes, scope)
            self._from(node["right"], ctes, scope)
            self._all(node.get("condition"), ctes, scope)
        elif kind == "BASE_TABLE":
            table = node["table_name"].lower()
            if table not in ctes:
                self.reads.append((table, self.file.line_of(node)))
            columns = ctes[table] if table in ctes else dict(self.sources.get(table, {}))
            scope.relations.append(Relation(name, _renamed(columns, node.get("column_name_alias"))))
        elif kind == "SUBQUERY":
            # A lateral subquery sees what stands to its left.
            columns = self._query(node["subquery"]["node"], ctes, Scope(scope.relations, outer=scope.outer))
            scope.relations.append(Relation(name, _renamed(columns, node.get("column_name_alias"))))
        elif kind == "EXPRESSION_LIST":
            rows = [[self._tag(cell, ctes, scope) for cell in row] for row in node.get("values") or []]
            names = node.get("expected_names") or [f"col{i}" for i in range(len(rows[0]) if rows else 0)]
            columns = {n.lower(): union([row[i] for row in rows]) for i, n in enumerate(names)}
            scope.relations.append(Relation(name, _renamed(columns, node.get("column_name_alias"))))
        elif kind == "TABLE_FUNCTION":
            tags = [self._tag(child, ctes, scope) for child in node["function"].get("children") or []]
            names = [n.lower() for n in node.get("column_name_alias") or []]
            whole = union(tags)
            scope.relations.append(Relation(name, dict.fromkeys(names, whole), whole))
        elif kind != "EMPTY":
            tags = [self._tag(n, ctes, scope) for n in walk(node) if n.get("type") == "COLUMN_REF"]
            scope.relations.append(Relation(name, {}, union(tags)))

    def _all(self, part: Any, ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> None:
        """Look at expressions whose value nobody asks for."""
        for node in part if isinstance(part, list) else [part]:
            if isinstance(node, dict):
                if node.get("class") or node.get("type") == "SUBQUERY":
                    self._tag(node, ctes, scope)
                else:
                    for value in node.values():
                        self._all(value, ctes, scope)
            elif isinstance(node, list):
                self._all(node, ctes, scope)

    # ---- expressions -----------------------------------------------------------------------------------------------

    def _tag(self, node: Any, ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> Tag:
        if not isinstance(node, dict):
            return NOTHING
        kind, name = node.get("type"), (node.get("function_name") or "").lower()
        if kind == "COLUMN_REF":
            tag = scope.find(node["column_names"])
            if not tag.yearly and is_yearly(node["column_names"][-1]):
                tag = Tag(YEARLY.yearly, False, tag.values)
            return tag
        if kind == "SUBQUERY":
            if node.get("child"):
                self._tag(node["child"], ctes, scope)
            columns = list(self._query(node["subquery"]["node"], ctes, scope).values())
            first = columns[0] if columns else NOTHING
            return NOTHING if node.get("subquery_type") not in (None, "SCALAR") else first
        if kind == "CASE_EXPR":
            branches = []
            for check in node.get("case_checks") or []:
                self._tag(check["when_expr"], ctes, scope)
                branches.append(self._tag(check["then_expr"], ctes, scope))
            branches.append(self._tag(node.get("else_expr"), ctes, scope))
            return union(branches)
        if name and any(child.get("type") == "LAMBDA" for child in node.get("children") or []):
            return self._lambda(node, ctes, scope)
        parts = list(_children(node))
        tags = [self._tag(part, ctes, scope) for part in parts]
        if name in ("/", "//", "divide", "fdiv", "*", "multiply") and len(tags) == 2:
            return self._scaled(node, name in ("*", "multiply"), parts, tags)
        if node.get("class") in ("COMPARISON", "CONJUNCTION", "BETWEEN"):
            return NOTHING
        if name in _NO_AMOUNT:
            return Tag(values=_folded(node)) if _is_fixed(node) else NOTHING
        if kind in (
            "OPERATOR_IS_NULL",
            "OPERATOR_IS_NOT_NULL",
            "OPERATOR_NOT",
            "COMPARE_IN",
            "COMPARE_NOT_IN",
        ):
            return NOTHING
        yearly = frozenset[float]().union(*(tag.yearly for tag in tags))
        if kind in ("OPERATOR_COALESCE", "OPERATOR_CAST") or (name in _AGGREGATED and tags):
            whole = union(tags if kind == "OPERATOR_COALESCE" else tags[:1])
            if whole.values is not None and (kind != "OPERATOR_CAST" or not _is_fixed(node)):
                return whole
            return Tag(_few(whole.yearly), whole.is_mixed, _folded(node) if _is_fixed(node) else None)
        if yearly and name in _LIST_MEANS and _makes_a_mean(name, node):
            length = max(len(part.get("children") or []) for part in parts)
            if MONTH_SHARE[0] <= 1 / max(length, 1) <= MONTH_SHARE[1]:
                self.spread.append(self.file.line_of(node))
        is_mixed = any(tag.is_mixed for tag in tags) or (name in _ADDED and _mixed(tags))
        return Tag(_few(yearly), is_mixed, _folded(node) if _is_fixed(node) else None)

    def _lambda(self, node: dict[str, Any], ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> Tag:
        children = node["children"]
        items = union(
            [self._items(child, ctes, scope) for child in children if child.get("type") != "LAMBDA"]
        )
        found = []
        for child in children:
            if child.get("type") == "LAMBDA":
                names = [n["column_names"][-1].lower() for n in walk(child["lhs"]) if n.get("column_names")]
                inner = Scope([Relation("", dict.fromkeys(names, items))], outer=scope)
                found.append(self._tag(child["expr"], ctes, inner))
        whole = union(found)
        return Tag(whole.yearly, whole.is_mixed)

    def _items(self, node: dict[str, Any], ctes: Mapping[str, dict[str, Tag]], scope: Scope) -> Tag:
        """What the items of a list are."""
        if (node.get("function_name") or "").lower() in ("list_value", "array_value", "list_pack"):
            return union([self._tag(child, ctes, scope) for child in node["children"]])
        tag = self._tag(node, ctes, scope)
        return Tag(tag.yearly, tag.is_mixed)

    def _scaled(self, node: dict[str, Any], is_product: bool, parts: list[Any], tags: list[Tag]) -> Tag:
        """A product or a quotient: the factors of the year, and whether they are a month's."""
        left, right = tags
        if not is_product and right.yearly:
            # A share of a year's amount in another has no period.
            return NOTHING
        amount, other, part = (
            (right, left, parts[0]) if right.yearly and is_product else (left, right, parts[1])
        )
        numbers = [float(v) for v in other.values or () if _is_number(v) and float(v) != 0]
        scales = [n if is_product else 1 / n for n in numbers]
        factors = _few(frozenset(f * s for f in amount.yearly for s in scales) if scales else amount.yearly)
        twelfth = any(abs(s * 12 - 1) < 0.006 for s in scales) or (
            is_product and any(abs(float(v) * 12 - 1) < 0.006 for v in left.values or () if _is_number(v))
        )
        pure = bool(amount.yearly) and not amount.is_mixed
        over_months = not is_product and pure and not scales and _says_months(part)
        share = any(MONTH_SHARE[0] <= abs(f) <= MONTH_SHARE[1] for f in factors)
        was_share = any(MONTH_SHARE[0] <= abs(f) <= MONTH_SHARE[1] for f in amount.yearly)
        if twelfth or over_months or (share and not was_share):
            self.spread.append(self.file.line_of(node))
        values = _folded(node) if _is_fixed(node) else _product(left, right, is_product)
        return Tag(factors, amount.is_mixed, values)


def is_yearly(name: str) -> bool:
    """Whether the name of a column says that its amount belongs to a year."""
    return any(part in name.lower() for part in YEARLY_NAMES)


def _renamed(columns: Mapping[str, Tag], names: Any) -> dict[str, Tag]:
    if not names:
        return dict(columns)
    old = list(columns.items())
    return {
        (names[i].lower() if i < len(names) else name): tag for i, (name, tag) in enumerate(old)
    } or dict.fromkeys([n.lower() for n in names], NOTHING)


def _by_place(left: dict[str, Tag], right: dict[str, Tag]) -> dict[str, Tag]:
    others = list(right.values())
    return {
        name: union([tag, others[i]]) if i < len(others) else tag
        for i, (name, tag) in enumerate(left.items())
    }


def _by_name(left: dict[str, Tag], right: dict[str, Tag]) -> dict[str, Tag]:
    return {name: union([side[name] for side in (left, right) if name in side]) for name in {**left, **right}}


def _children(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The expressions directly inside an expression."""
    for key, value in node.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and key not in ("value", "cast_type", "order_bys"):
                if item.get("class"):
                    yield item
                elif key in ("orders", "partitions", "arg_orders") and isinstance(
                    item.get("expression"), dict
                ):
                    yield item["expression"]


def _is_fixed(node: dict[str, Any]) -> bool:
    """Whether an expression names nothing: it is the same number for every row and every day."""
    return not any(
        n.get("type") in ("COLUMN_REF", "VALUE_PARAMETER", "BASE_TABLE", "STAR", "LAMBDA", "TABLE_FUNCTION")
        or n.get("class") == "WINDOW"
        or n.get("function_name") in _COUNTED
        for n in walk(node)
    )


def _folded(node: dict[str, Any]) -> frozenset[Any] | None:
    """The value of an expression that names nothing, as DuckDB sees it; null when it has none."""
    if node.get("type") == "VALUE_CONSTANT":
        value = node["value"]
        scale = ((value.get("type") or {}).get("type_info") or {}).get("scale") or 0
        plain = None if value.get("is_null") else value.get("value")
        if plain is not None and _is_number(plain) and scale:
            plain = float(plain) / 10**scale
        return frozenset({plain}) if plain is None or isinstance(plain, str) or _is_number(plain) else None
    return _evaluated(LOCATION.sub(r"\g<1>0", json.dumps(node)))


LOCATION = re.compile(r'("query_location": )\d+')


@cache
def _evaluated(expression: str) -> frozenset[Any] | None:
    try:
        row = desk().execute("select json_serialize_sql('select 1')").fetchone()
        whole = json.loads(row[0]) if row else {}
        whole["statements"][0]["node"]["select_list"] = [json.loads(expression)]
        found = desk().execute("from json_execute_serialized_sql($q)", {"q": json.dumps(whole)}).fetchone()
    except duckdb.Error:
        return None
    value = found[0] if found else None
    return frozenset({value}) if value is None or isinstance(value, str) or _is_number(value) else None


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _product(left: Tag, right: Tag, is_product: bool) -> frozenset[Any] | None:
    if left.values is None or right.values is None:
        return None
    found = set()
    for one in left.values:
        for other in right.values:
            if not (_is_number(one) and _is_number(other)) or (not is_product and float(other) == 0):
                return None
            found.add(float(one) * float(other) if is_product else float(one) / float(other))
    return frozenset(found) if len(found) <= MOST else None


def _makes_a_mean(name: str, node: dict[str, Any]) -> bool:
    """Whether a function of lists takes the mean: by its name, or by the aggregate that it is told."""
    if "agg" not in name:
        return True
    told = [n["value"].get("value") for n in node.get("children") or [] if n.get("type") == "VALUE_CONSTANT"]
    return bool({"avg", "mean"} & set(told))


def _few(factors: frozenset[float]) -> frozenset[float]:
    return factors if len(factors) <= MOST else frozenset({1.0})


def _says_months(node: dict[str, Any]) -> bool:
    """Whether a divisor counts months, by the names that it uses."""
    for part in walk(node):
        names = [*(part.get("column_names") or []), part.get("function_name") or ""]
        if part.get("type") == "VALUE_CONSTANT" and isinstance(part["value"].get("value"), str):
            names.append(part["value"]["value"])
        if any("month" in name.lower() for name in names):
            return True
    return False


def of_tables(vocabulary: Mapping[str, Table]) -> dict[str, Columns]:
    """What is known of the columns of facts: which of them are amounts of a year, by the unit of their contract."""
    return {
        table.id: {column: YEARLY if column in table.yearly else NOTHING for column in table.columns}
        for table in vocabulary.values()
    }


def of_parameters(parameters: Mapping[str, Parameter]) -> dict[str, Columns]:
    """The same of parameters: money whose unit is of a year and nothing else."""
    found: dict[str, Columns] = {}
    for parameter in parameters.values():
        unit = parameter.header.unit.lower()
        yearly = ("year" in unit or "12 months" in unit) and "`" not in unit
        found[parameter.id] = {
            name: YEARLY if yearly and kind == "money" else NOTHING
            for name, kind in parameter.header.columns.items()
        }
    return found
