"""What a rule or a measure may not do: every refusal at load, with file, line and why.

What belongs here is the reading of a parsed query against the vocabulary, `never.yaml`, the declared needs, the cases and
the lock. Nothing here knows a rule by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from policy.sql_file import ROOT, Measure, PolicyError, Rule, SqlFile, fingerprint, walk
from policy.vocabulary import NeverColumn, Table

CASES = ROOT.parent / "tests" / "policy" / "cases"

ROW_SOURCES = {"unnest", "generate_series", "range"}
"""Table functions that make rows from what is already there; every other reads files or the machine."""

CLOCK = {
    *("now", "today", "current_date", "current_timestamp", "current_time", "get_current_time"),
    *("get_current_timestamp", "transaction_timestamp", "localtime", "localtimestamp"),
}
CHANCE = {"random", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"}
OUTSIDE = {"getenv", "getvariable", "current_setting", "nextval", "currval", "read_text", "read_blob"}

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
    for touch in file.columns:
        for entry in forbidden:
            if entry.forbids(touch.name):
                raise file.refuse(
                    f"reads `{touch.name}`, which never.yaml forbids: {entry.reason.en}", touch.line
                )
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


def refuse_clock_and_chance(file: SqlFile) -> None:
    """The clock, chance and the machine: the same input would not give the same bytes."""
    for touch in (*file.functions, *file.columns):
        name = touch.name.lower()
        if name in CLOCK:
            raise file.refuse(f"reads the clock with `{name}`; the business date is $as_of", touch.line)
    for touch in file.functions:
        if touch.name in CHANCE | OUTSIDE:
            raise file.refuse(f"calls {touch.name}()", touch.line)


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
    aliased = [(alias, _names(item)) for alias, item in _aliased(file.tree)]
    while True:
        more = {alias for alias, names in aliased if alias not in found and names & found}
        if not more:
            return found
        found |= more


def refuse_spread_years(file: SqlFile, yearly: set[str]) -> None:
    """A yearly amount made into a monthly one.

    Any division by twelve (or multiplication by a twelfth) is refused, because an amount whose period the name does not
    tell may be a year's; a mean over months is avg() over month rows. A yearly amount may not be divided by any number of
    months either. Compare in the unit of the standard: months times twelve is allowed, the year over twelve is not.
    """
    tainted = _yearly_names(file, yearly)
    why = "spreads a yearly amount over months; compare in the unit of the standard, or use avg() over months"
    for node in file.nodes:
        children = node.get("children") or []
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
    refuse_foreign_tables(file, known, declared)
    refuse_clock_and_chance(file)
    yearly = {name for table in vocabulary.values() for name in table.yearly}
    refuse_spread_years(file, yearly)


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
    for name in header.placeholders():
        if name not in columns:
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


def check_cases(rule: Rule, cases: Path) -> None:
    """A rule without cases is an opinion."""
    path = cases / rule.list_kind / f"{rule.name}.yaml"
    if not path.is_file():
        raise rule.file.refuse(f"has no cases ({rule.list_kind}/{rule.name}.yaml)")


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
