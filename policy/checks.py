"""What a rule or a measure may not do: every refusal at load, with file, line and why.

What belongs here is the reading of a parsed query against the vocabulary, `never.yaml`, the declared needs, the cases and
the lock. Nothing here knows a rule by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from policy.lineage import Lineage
from policy.sql_file import (
    LEFT_OUT,
    NEWS,
    ROOT,
    Measure,
    PolicyError,
    Rule,
    RuleHeader,
    SqlFile,
    desk,
    fingerprint,
    walk,
)
from policy.vocabulary import NeverColumn, Table

CASES = ROOT.parent / "tests" / "policy" / "cases"

ROW_SOURCES = {"unnest", "generate_series", "range"}
"""Table functions that make rows from what is already there; every other reads files or the machine."""

CLOCK = {
    *("now", "today", "current_date", "current_timestamp", "current_time", "get_current_time"),
    *("get_current_timestamp", "transaction_timestamp", "localtime", "localtimestamp"),
}
CHANCE = {"random", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "reservoir_quantile"}
OUTSIDE = {
    *("getenv", "getvariable", "current_setting", "nextval", "currval", "read_text", "read_blob"),
    *(
        "txid_current",
        "current_user",
        "session_user",
        "user",
        "current_database",
        "current_schema",
        "version",
    ),
    *(
        "current_localtime",
        "current_localtimestamp",
        "current_query",
        "current_connection_id",
        "in_search_path",
        "pg_postmaster_start_time",
    ),
}
WHO = {
    "current_user",
    "session_user",
    "user",
    "current_role",
    "current_catalog",
    "current_database",
    "current_schema",
}
UNFINISHED = re.compile(
    r"\b(?:todo|tbd|fixme|xxx)\b|待定|待补|暂缺|未定|^(?:无|没有|不详|未知|n/?a|none|null|\W+)$",
    re.IGNORECASE,
)
"""What stands where somebody has still to write an owner or a legal basis."""
LIVES_YEARS = 5
"""A rule that nobody has to look at again for longer has no expiry."""
ANY_ROW = {
    "first",
    "last",
    "arbitrary",
    "first_value",
    "last_value",
    "nth_value",
    "row_number",
    "lag",
    "lead",
}
"""Take one row of several, or number them: without an order, another run would take another one."""
IN_A_ROW = {"string_agg", "group_concat", "listagg"}
"""Put texts one after the other: without an order, another run would put them in another one."""

REQUIRED = {"household_id": "BIGINT", "cause_key": "VARCHAR"}
SUBJECT_COLUMN = {
    "household": ("household_id", "BIGINT"),
    "person": ("person_id", "BIGINT"),
    "case": ("case_id", "VARCHAR"),
}
MONTHS_A_YEAR = 12
MONTHS_OR_SO = {10, 11, 12, 13, 52, 365, 366}


def refuse_forbidden_columns(file: SqlFile, forbidden: Sequence[NeverColumn]) -> None:
    """A column of never.yaml, by whatever table, alias or struct."""
    # A name is asked about once, where it stands first.
    for touch in reversed({touch.name: touch for touch in reversed(file.columns)}.values()):
        for entry in forbidden:
            if entry.forbids(touch.name):
                raise file.refuse(
                    f"reads `{touch.name}`, which never.yaml forbids: {entry.reason.en}", touch.line
                )
    for node in file.nodes():
        for name in node.get("using_columns") or []:
            for entry in forbidden:
                if entry.forbids(str(name)):
                    why = f"joins on `{name}`, which never.yaml forbids: {entry.reason.en}"
                    raise file.refuse(why, file.line_of_text(r"\busing\s*\("))
    for node, line in file.located("STAR"):
        if node.get("columns") or node.get("expr"):
            raise file.refuse("COLUMNS(...) hides which columns are read; name them", line)


def refuse_foreign_tables(file: SqlFile, known: set[str], declared: set[str]) -> None:
    """A table outside the vocabulary, a schema or file by name, or a fact that the header does not declare."""
    for touch in file.tables:
        if touch.qualifier:
            raise file.refuse(
                f"reads `{touch.qualifier}.{touch.name}`; tables are read by name alone", touch.line
            )
        if touch.name not in known:
            raise file.refuse(f"reads the unknown table `{touch.name}`", touch.line)
        if touch.name not in declared:
            raise file.refuse(f"reads `{touch.name}` without declaring it in the header", touch.line)
    for node, line in file.located("TABLE_FUNCTION"):
        name = node["function"]["function_name"].lower()
        if name not in ROW_SOURCES:
            raise file.refuse(f"calls {name}(): a rule reads the vocabulary only", line)


def refuse_descriptions(file: SqlFile) -> None:
    """DESCRIBE, SUMMARIZE and SHOW: they tell of the database, not of the vocabulary."""
    if file.located("SHOW_REF"):
        why = "describes the database: a rule reads the vocabulary only"
        raise file.refuse(why, file.line_of_text(r"\b(describe|summarize|show|desc)\b"))


def refuse_arbitrary_rows(file: SqlFile) -> None:
    """A sample, or the first rows of no order: another run would give other rows."""
    for touch in file.columns:
        if touch.name.lower() == "rowid":
            raise file.refuse("reads `rowid`, the place of a row in the store", touch.line)
    for node in file.nodes():
        if node.get("type") == "RECURSIVE_CTE_NODE":
            why = "calls itself with WITH RECURSIVE: nothing says that it ends"
            raise file.refuse(why, file.line_of_text(r"\brecursive\b"))
        name = str(node.get("function_name")).lower()
        orders = [*(node.get("orders") or []), *((node.get("order_bys") or {}).get("orders") or [])]
        if name in ANY_ROW | IN_A_ROW and not orders and not node.get("arg_orders"):
            raise file.refuse(f"calls {name}() without an order", file.line_of(node))
        if name.startswith("approx_"):
            raise file.refuse(f"calls {name}(): about is not the same on every run", file.line_of(node))
        if node.get("sample"):
            raise file.refuse(
                "takes a sample: the same input would not give the same rows", file.first_line(node)
            )
        modifiers = node.get("modifiers")
        if not isinstance(modifiers, list):
            continue
        limits = [m for m in modifiers if m["type"] in ("LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER")]
        if limits and not any(m["type"] == "ORDER_MODIFIER" for m in modifiers):
            raise file.refuse("takes the first rows of no order", file.first_line(limits[0]))


@cache
def _unsteady() -> frozenset[str]:
    """Functions whose answer is not that of their arguments alone, as this DuckDB says itself."""
    query = "select lower(function_name) from duckdb_functions() where stability <> 'CONSISTENT'"
    return frozenset(name for (name,) in desk().execute(query).fetchall())


def refuse_clock_and_chance(file: SqlFile) -> None:
    """The clock, chance and the machine: the same input would not give the same bytes."""
    for touch in (*file.functions, *file.columns):
        name = touch.name.lower()
        if name in CLOCK:
            raise file.refuse(f"reads the clock with `{name}`; the business date is $as_of", touch.line)
        if name in WHO:
            raise file.refuse(f"asks the machine with `{name}`", touch.line)
    for touch in file.functions:
        if touch.name in CHANCE | OUTSIDE | _unsteady():
            raise file.refuse(f"calls {touch.name}()", touch.line)
    for node in file.nodes():
        if str(node.get("function_name")).lower() == "age" and len(node.get("children") or []) == 1:
            raise file.refuse("age() of one date reads the clock; name the business date", file.line_of(node))


def _constant(node: Any) -> float | None:
    """The number that an expression of constants is, or null."""
    if not isinstance(node, dict):
        return None
    kind = node.get("type")
    if kind == "VALUE_CONSTANT":
        value = node["value"].get("value")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        scale = ((node["value"].get("type") or {}).get("type_info") or {}).get("scale") or 0
        return float(value) / 10**scale
    if kind == "OPERATOR_CAST":
        return _constant(node.get("child"))
    if node.get("function_name") in ("/", "*") and len(node.get("children", [])) == 2:
        left, right = (_constant(child) for child in node["children"])
        if left is None or right is None:
            return None
        return left * right if node["function_name"] == "*" else (left / right if right else None)
    return None


def _names(node: Any) -> set[str]:
    return {n["column_names"][-1].lower() for n in walk(node) if n.get("type") == "COLUMN_REF"}


def _aliased(tree: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in walk(tree):
        for item in node.get("select_list") or []:
            if isinstance(item, dict) and item.get("alias"):
                yield item["alias"].lower(), item


def _yearly_names(file: SqlFile, yearly: set[str]) -> set[str]:
    """Columns of the year, and every alias in the query that is made of one."""
    found = set(yearly)
    found |= {n for n in (touch.name.lower() for touch in file.columns) if "per_year" in n or "annual" in n}
    while True:
        more = {alias for alias, item in _aliased(file.tree) if alias not in found and _names(item) & found}
        if not more:
            return found
        found |= more


def _share(node: Any) -> float | None:
    """Which multiple of a column an expression is, through products and quotients with constants; null when of none."""
    if not isinstance(node, dict):
        return None
    if node.get("type") == "COLUMN_REF":
        return 1.0
    if node.get("type") == "OPERATOR_CAST":
        return _share(node.get("child"))
    name, children = node.get("function_name"), node.get("children") or []
    if name not in ("/", "//", "*", "divide", "multiply", "fdiv") or len(children) != 2:
        return None
    times = name in ("*", "multiply")
    for amount, number in ((children[0], children[1]), (children[1], children[0])) if times else [children]:
        share, factor = _share(amount), _constant(number)
        if share is not None and factor:
            return share * factor if times else share / factor
    return None


def refuse_spread_years(file: SqlFile, yearly: set[str]) -> None:
    """A yearly amount made into a monthly one.

    Any division by twelve (or multiplication by a twelfth) is refused, because an amount whose period the name does not
    tell may be a year's; a mean over months is avg() over month rows. A yearly amount may not be divided by any number of
    months either. Compare in the unit of the standard: months times twelve is allowed, the year over twelve is not.
    """
    tainted = _yearly_names(file, yearly)
    why = SPREADS
    for node in file.nodes():
        children = node.get("children") or []
        share = _share(node)
        if share is not None and abs(share * MONTHS_A_YEAR - 1) < 1e-9:
            raise file.refuse(why, file.line_of(node))
        if node.get("function_name") in ("/", "//", "divide", "fdiv") and len(children) == 2:
            upper, lower = children
            number = _constant(lower)
            if number == MONTHS_A_YEAR:
                raise file.refuse(why, file.line_of(node))
            over_months = any("month" in name for name in _names(lower)) or number in MONTHS_OR_SO
            if over_months and _names(upper) & tainted:
                raise file.refuse(why, file.line_of(node))
        if node.get("function_name") in ("*", "multiply") and len(children) == 2:
            for factor in children:
                number = _constant(factor)
                if number is not None and 0.083 <= number <= 0.084:
                    raise file.refuse(why, file.line_of(node))


def check_query(
    file: SqlFile,
    declared: set[str],
    known: set[str],
    vocabulary: Mapping[str, Table],
    forbidden: Sequence[NeverColumn],
) -> None:
    """Everything that can be said without running the query."""
    refuse_forbidden_columns(file, forbidden)
    refuse_descriptions(file)
    refuse_foreign_tables(file, known, declared)
    refuse_arbitrary_rows(file)
    refuse_clock_and_chance(file)
    yearly = {name for table in vocabulary.values() for name in table.yearly}
    refuse_spread_years(file, yearly)


SPREADS = "spreads a yearly amount over months; compare in the unit of the standard, or use avg() over months"


def check_lineage(item: Rule | Measure, lineage: Lineage) -> None:
    """What the columns of a query are made of: no year over months, no cause or level that the header does not know."""
    seen = {touch.name.lower() for touch in item.file.tables}
    for name, line in lineage.reads:
        if name not in seen:
            raise item.file.refuse(f"reads `{name}` where a WITH of that name elsewhere hides it", line)
    if lineage.spread:
        raise item.file.refuse(SPREADS, min(lineage.spread))
    if isinstance(item, Measure):
        return
    header, file, columns = item.header, item.file, lineage.columns
    for name in header.placeholders():
        if name in columns and columns[name].values == frozenset({None}):
            raise file.refuse(
                f"the reason shows {{{name}}}, which is never known: every row would be without reason",
                file.line_of_key("reason"),
            )
    told: list[tuple[str, set[str], str]] = [("level", {str(level) for level in header.levels}, "levels")]
    if not isinstance(header.reason, str):
        told.append(("cause", {str(cause) for cause in header.reason}, "reason"))
    for column, allowed, key in told:
        values = columns[column].values if allowed and column in columns else None
        if unknown := sorted(map(str, (values or set()) - allowed - {None})):
            raise file.refuse(
                f"returns the {column} {unknown}, for which `{key}` has nothing: such a row would be without reason"
                if column == "cause"
                else f"returns the {column} {unknown}, which `{key}` does not name",
                file.line_of_key(key),
            )


def check_names(item: Rule | Measure) -> None:
    """An owner, a legal basis or a source that somebody has still to write."""
    header = item.header
    texts = (
        [("owner", header.owner), *(("legal_basis", text) for text in header.legal_basis)]
        if isinstance(header, RuleHeader)
        else []
    )
    for key, text in texts:
        if UNFINISHED.search(text):
            raise item.file.refuse(f"the header has no `{key}` yet: {text}", item.file.line_of_key(key))
    if isinstance(header, RuleHeader) and header.expires.year > header.changelog[-1].since.year + LIVES_YEARS:
        why = f"expires more than {LIVES_YEARS} years after its last change: nobody would have to look at it again"
        raise item.file.refuse(why, item.file.line_of_key("expires"))


def in_order(measures: Mapping[str, Measure]) -> list[Measure]:
    """Measures, those that others rest on first. A measure that rests on itself is refused."""
    found: dict[str, Measure] = {}

    def visit(measure: Measure, above: tuple[str, ...]) -> None:
        if measure.id in found:
            return
        for touch in measure.file.tables:
            if touch.name in (*above, measure.id):
                circle = " -> ".join((*above, measure.id, touch.name))
                raise measure.file.refuse(f"rests on itself: {circle}", touch.line)
            if touch.name in measures:
                visit(measures[touch.name], (*above, measure.id))
        found[measure.id] = measure

    for name in sorted(measures):
        visit(measures[name], ())
    return list(found.values())


def described(file: SqlFile, connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, str]:
    """Column -> type of the result, bound against empty tables. Raises PolicyError with the line DuckDB points at."""
    parameters = {"as_of": as_of} if "$as_of" in file.query else {}
    try:
        rows = connection.execute(f"describe {file.query}", parameters).fetchall()
    except duckdb.Error as error:
        text = str(error)
        line = file.query_line
        marker = text.rfind("LINE ")
        if marker >= 0:
            number = text[marker + 5 :].split(":", 1)[0]
            line = file.query_line + int(number) - 1 if number.isdigit() else line
        raise file.refuse(text.splitlines()[0], line) from error
    names = [row[0] for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise file.refuse(f"returns the columns {twice} twice", file.query_line)
    return {row[0]: row[1] for row in rows}


def check_rule_result(rule: Rule, columns: Mapping[str, str]) -> None:
    """A rule returns its household, its subject, its cause, its evidence and whatever its sentence shows."""
    header, file = rule.header, rule.file
    subject, subject_type = SUBJECT_COLUMN[header.subject]
    wanted = {**REQUIRED, subject: subject_type}
    for name, kind in wanted.items():
        if name not in columns:
            raise file.refuse(f"returns no column `{name}`", file.query_line)
        if columns[name] != kind:
            raise file.refuse(f"`{name}` is {columns[name]}, not {kind}", file.query_line)
    for name in header.evidence:
        if name not in columns:
            raise file.refuse(f"evidence `{name}` is not a column of the query", file.line_of_key("evidence"))
    if LEFT_OUT in columns and columns[LEFT_OUT] != "VARCHAR":
        raise file.refuse(f"`{LEFT_OUT}` is {columns[LEFT_OUT]}, not VARCHAR", file.query_line)
    if NEWS in columns:
        raise file.refuse(f"returns `{NEWS}`, which the engine writes", file.query_line)
    if header.new_signal and columns.get("event_on") != "DATE":
        raise file.refuse(
            "`new_signal` needs a column `event_on` of type DATE", file.line_of_key("new_signal")
        )
    for name in header.placeholders():
        if name not in columns and name != NEWS:
            raise file.refuse(
                f"the reason shows {{{name}}}, which the query does not return", file.line_of_key("reason")
            )
    if not isinstance(header.reason, str) and columns.get("cause") != "VARCHAR":
        raise file.refuse("a reason by cause needs a text column `cause`", file.line_of_key("reason"))
    if header.levels and columns.get("level") != "VARCHAR":
        raise file.refuse("`levels` needs a text column `level`", file.line_of_key("levels"))
    if not header.levels and "level" in columns:
        raise file.refuse("returns `level` without declaring `levels`", file.query_line)
    for name, kind in columns.items():
        if kind in ("DOUBLE", "FLOAT"):
            raise file.refuse(
                f"`{name}` is {kind}; figures are DECIMAL, so that the same input gives the same bytes",
                file.query_line,
            )


A_CASE = re.compile(r"^- ", re.MULTILINE)


def check_cases(item: Rule | Measure, cases: Path) -> None:
    """A rule without cases is an opinion; so is a measure that is published."""
    if isinstance(item, Measure) and not item.header.published:
        return
    where = f"{item.list_kind}/{item.name}.yaml" if isinstance(item, Rule) else f"measures/{item.id}.yaml"
    path = cases / where
    if not path.is_file():
        raise item.file.refuse(f"has no cases ({where})")
    if not A_CASE.search(path.read_text(encoding="utf-8")):
        raise item.file.refuse(f"has no cases: {where} is empty")


def check_signal(rule: Rule, windows: Collection[str]) -> None:
    """The window of `new_signal` is one that there is."""
    signal = rule.header.new_signal
    if signal and signal.window not in windows:
        raise rule.file.refuse(
            f"names the window `{signal.window}`, which warning_window does not have",
            rule.file.line_of_key("new_signal"),
        )


def check_lock(item: Rule | Measure, locked: Mapping[str, Mapping[str, Any]], lock_path: Path) -> None:
    """A query that changed without a new version, or a version that nobody locked."""
    entry = locked.get(item.id)
    line = item.file.line_of_key("version")
    if entry is None:
        raise item.file.refuse(f"is not in {lock_path.name}; run `python -m policy.lock`", line)
    same = entry["sha256"] == fingerprint(item)
    if entry["version"] == item.header.version and not same:
        raise item.file.refuse(
            f"changed without a new version (still {entry['version']}); raise `version`, add to `changelog`, "
            "then run `python -m policy.lock`",
            line,
        )
    if entry["version"] != item.header.version:
        raise item.file.refuse(
            f"is version {item.header.version}, but {entry['version']} is locked; run `python -m policy.lock`",
            line,
        )


def check_unique(items: Sequence[Rule | Measure]) -> None:
    """Two files may not carry one id."""
    seen: dict[str, Path] = {}
    for item in items:
        if item.id in seen:
            raise PolicyError(
                item.file.path, item.file.line_of_key("id"), f"{item.id} is also {seen[item.id].name}"
            )
        seen[item.id] = item.file.path
