"""What a contract promises, as a Great Expectations suite that runs over the accepted rows of one night.

Derives the suite from the contract and turns its outcome into rows without any value of a person. How a file is
read belongs in `reading.py`; nothing here knows a class by name. Great Expectations costs seconds to import and is
imported only when a class is really checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl

from data_contracts.contract import Contract, FieldSpec, codes_of
from data_contracts.resident_id import CHECK_CHARACTERS, WEIGHTS

Severity = Literal["error", "warning"]

COLLAPSED = 0.5
"""A share below this part of what the contract asks for is an error, not a warning. When most rows of a column are
empty or unreadable the file has shifted columns or the wrong encoding. Engineering constant."""

EARLIEST_DATE = date(1880, 1, 1)
"""No living person and no valid contract is older. Engineering constant, as in `resident_id.py`."""

YEARS_AHEAD = 70
"""Terms of land contracts and titles reach this far into the future (residential land use: 70 years,
民法典 第三百五十九条 with 城镇国有土地使用权出让和转让暂行条例 第十二条)."""

MONEY_RANGES: dict[str, tuple[int, int]] = {
    "元/月": (-1_000_000, 1_000_000),
    "万元/月": (-1_000_000, 1_000_000),
    "元/年": (-12_000_000, 12_000_000),
    "万元/年": (-12_000_000, 12_000_000),
}
"""Yuan between which an amount is plausible, by unit as delivered (reversals are negative). Beyond them the unit is
the likelier mistake: 10,000 times too much. Engineering constants."""

MONEY_RANGE = (-1_000_000_000, 1_000_000_000)
"""The same for amounts without a period (balances, prices, capital)."""

KINDS_ZH = {
    "columns": "字段齐全",
    "row_count": "行数范围",
    "grain": "主键唯一",
    "present": "必填",
    "code": "代码表",
    "date": "日期合理",
    "money": "金额合理",
    "valid": "格式有效",
}

OUTCOMES = pl.Schema(
    {
        "class_id": pl.String(),
        "batch_date": pl.Date(),
        "check": pl.String(),
        "check_zh": pl.String(),
        "field": pl.String(),
        "column": pl.String(),
        "severity": pl.String(),
        "outcome": pl.String(),
        "rows_failed": pl.Int64(),
        "rows_checked": pl.Int64(),
        "share_required": pl.Float64(),
        "note_zh": pl.String(),
    }
)
"""One row an expectation. `outcome`: passed, failed, engine_error. `column` is the Chinese header, `field` our name."""


@dataclass(frozen=True)
class Check:
    """One expectation before Great Expectations knows of it."""

    kind: str
    expectation: str
    """Class in `great_expectations.expectations`."""
    arguments: dict[str, Any]
    says_zh: str
    """What must hold, as an auditor reads it."""
    severity: Severity = "warning"
    spec: FieldSpec | None = None
    mostly: float = 1.0
    collapses: bool = False
    """Whether a share far below `mostly` is an error."""


def checks(contract: Contract, batch_date: date, *, full: bool) -> list[Check]:
    """The expectations of one class on one night, in the order in which they are reported.

    `full`: at least one delivery of the night is a whole register, so that its number of rows means something.
    """
    found = [
        Check(
            "columns",
            "ExpectTableColumnsToMatchSet",
            {"column_set": [spec.name for spec in contract.fields], "exact_match": False},
            "应有契约规定的全部字段",
            "error",
        )
    ]
    if full and (contract.rows.minimum or contract.rows.maximum is not None):
        bounds = {"min_value": contract.rows.minimum, "max_value": contract.rows.maximum}
        found.append(
            Check(
                "row_count",
                "ExpectTableRowCountToBeBetween",
                bounds,
                f"全量行数应在{contract.rows.minimum}与{contract.rows.maximum or '不限'}之间",
                "error",
            )
        )
    found.append(_grain(contract))
    for spec in contract.fields:
        found.extend(_presence(spec))
        found.extend(_validity(contract, spec, batch_date))
    return found


def run(contract: Contract, paths: Sequence[Path], batch_date: date, *, full: bool) -> pl.DataFrame:
    """Hold the accepted rows of a night against the contract; one row an expectation, columns `OUTCOMES`.

    `paths` are accepted Parquet files of this class. An engine that breaks yields outcome `engine_error`, never
    `failed`: it says nothing about the data. No value of any row is in the result.
    """
    planned = checks(contract, batch_date, full=full)
    if not paths:
        return OUTCOMES.to_frame()
    try:
        found = _validate(contract.id, planned, paths)
    except Exception as error:
        reason = _safe_reason(repr(error))
        found = [_Found("engine_error", None, None, reason)] * len(planned)
    return pl.DataFrame(
        [_row(contract, batch_date, check, outcome) for check, outcome in zip(planned, found, strict=True)],
        schema=OUTCOMES,
    )


def worst(outcomes: pl.DataFrame) -> Literal["passed", "warning", "error", "engine_error"]:
    """The gravest outcome; an engine error outweighs all, because then nothing is known."""
    states = set(outcomes["outcome"].to_list())
    if "engine_error" in states:
        return "engine_error"
    failed = outcomes.filter(pl.col("outcome") == "failed")
    if failed.is_empty():
        return "passed"
    return "error" if (failed["severity"] == "error").any() else "warning"


@dataclass(frozen=True)
class _Found:
    outcome: Literal["passed", "failed", "engine_error"]
    unexpected: int | None
    checked: int | None
    reason: str = ""


def _grain(contract: Contract) -> Check:
    many = len(contract.grain) > 1
    arguments: dict[str, Any] = (
        {"column_list": contract.grain, "ignore_row_if": "any_value_is_missing"}
        if many
        else {"column": contract.grain[0]}
    )
    # A delta may carry two states of one row, so that repeated keys alone do not stop the class.
    return Check(
        "grain",
        "ExpectCompoundColumnsToBeUnique" if many else "ExpectColumnValuesToBeUnique",
        arguments,
        "主键（" + "、".join(contract.field(name).source for name in contract.grain) + "）不应重复",
        spec=None if many else contract.field(contract.grain[0]),
        mostly=min(contract.field(name).mostly for name in contract.grain),
        collapses=True,
    )


def _presence(spec: FieldSpec) -> Iterable[Check]:
    if not spec.nullable:
        yield Check(
            "present",
            "ExpectColumnValuesToNotBeNull",
            {"column": spec.name},
            f"应填比例不低于{spec.mostly:.0%}",
            spec=spec,
            mostly=spec.mostly,
            collapses=True,
        )


def _validity(contract: Contract, spec: FieldSpec, batch_date: date) -> Iterable[Check]:
    codes = codes_of(spec)
    if spec.type == "code" and codes is not None and not codes.open:
        yield Check(
            "code",
            "ExpectColumnValuesToBeInSet",
            {"column": spec.name, "value_set": sorted(codes.codes)},
            "取值应在代码表内",
            spec=spec,
            mostly=spec.mostly,
            collapses=True,
        )
    elif spec.type in ("date", "timestamp", "month"):
        born = any(s.evidence.get("birth_date") == spec.name for s in contract.subjects)
        latest = batch_date if born else batch_date + timedelta(days=366 * YEARS_AHEAD)
        yield _between(spec, "date", EARLIEST_DATE, latest, f"日期应在{EARLIEST_DATE}与{latest}之间")
    elif spec.type == "year":
        last = batch_date.year + YEARS_AHEAD
        yield _between(spec, "date", EARLIEST_DATE.year, last, f"年份应在{EARLIEST_DATE.year}与{last}之间")
    elif spec.type == "money":
        low, high = MONEY_RANGES.get(spec.unit or "", MONEY_RANGE)
        yield _between(spec, "money", low, high, f"金额应在{low}元与{high}元之间（单位错误？）")
    elif spec.type in VALID_SQL:
        yield _satisfies(spec, VALID_SQL[spec.type])


def _between(spec: FieldSpec, kind: str, low: Any, high: Any, says_zh: str) -> Check:
    return Check(
        kind,
        "ExpectColumnValuesToBeBetween",
        {"column": spec.name, "min_value": low, "max_value": high},
        says_zh,
        spec=spec,
        mostly=spec.mostly,
        collapses=True,
    )


def _satisfies(spec: FieldSpec, condition: str) -> Check:
    """Share of values that satisfy a SQL condition over `value`.

    The query gives back bad rows, as the constant 1, only when they are more than the contract tolerates.
    """
    bad = f'(select ({condition}) as ok from (select "{spec.name}" as value from {{batch}}) where value is not null)'
    query = (
        f"select 1 as unexpected from {bad} where not ok "
        f'qualify count(*) over () > {1 - spec.mostly:.6f} * (select count("{spec.name}") from {{batch}})'
    )
    return Check(
        "valid",
        "UnexpectedRowsExpectation",
        {"unexpected_rows_query": query},
        f"格式与校验位有效的比例不低于{spec.mostly:.0%}",
        spec=spec,
        mostly=spec.mostly,
        collapses=True,
    )


def _check_digit_sql() -> str:
    total = " + ".join(f"{weight} * (ascii(value[{n}]) - 48)" for n, weight in enumerate(WEIGHTS, start=1))
    return f"value[18] = substr('{CHECK_CHARACTERS}', 1 + ({total}) % 11, 1)"


# Regular expressions have no DuckDB dialect in Great Expectations; the queries pass through str.format, hence {{ }}.
# A masked number says nothing about its validity, and a number of 15 digits has no check character.
VALID_SQL: dict[str, str] = {
    "resident_id": (
        "case when regexp_full_match(value, '[0-9]{{17}}[0-9X]') then " + _check_digit_sql() + " "
        "else contains(value, '*') or regexp_full_match(value, '[0-9]{{15}}') end"
    ),
    "uscc": "regexp_full_match(value, '[0-9A-Z]{{18}}|[0-9]{{13}}|[0-9]{{15}}')",
    "division_code": "regexp_full_match(value, '[0-9]{{6}}([0-9]{{3}}([0-9]{{3}})?)?')",
    "village_code": "regexp_full_match(value, '[0-9]{{12}}')",
}
"""Type -> DuckDB condition over `value` that a valid value satisfies."""


def _validate(name: str, planned: list[Check], paths: Sequence[Path]) -> list[_Found]:
    import great_expectations as gx
    import great_expectations.expectations as gxe

    from data_contracts.expectations_engine import context

    source = context().data_sources.add_duckdb(name=name, connection_string="duckdb:///:memory:")
    try:
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        asset = source.add_query_asset(name, query=f"select * from read_parquet([{listed}])")
        batch = asset.add_batch_definition_whole_table("night").get_batch()
        suite = gx.ExpectationSuite(name=name)
        for number, check in enumerate(planned):
            arguments = {**check.arguments, "meta": {"number": number}}
            if check.mostly < 1 and check.expectation != "UnexpectedRowsExpectation":
                arguments["mostly"] = check.mostly
            suite.add_expectation(getattr(gxe, check.expectation)(**arguments))
        # Without this, failing values of persons would stand in the result.
        silent = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
        report = batch.validate(suite, result_format=silent)
    finally:
        source.get_execution_engine().close()
        context().data_sources.delete(name)
    found = [_Found("engine_error", None, None, "no result")] * len(planned)
    for result in report.results:
        found[result.expectation_config.meta["number"]] = _outcome(result)
    return _with_numbers_checked(planned, found, paths)


def _with_numbers_checked(planned: list[Check], found: list[_Found], paths: Sequence[Path]) -> list[_Found]:
    """A query of our own tells how many rows are wrong, not of how many."""
    asked = {check.spec.name for check in planned if check.kind == "valid" and check.spec}
    if not asked:
        return found
    counts = pl.scan_parquet(list(paths)).select(pl.col(sorted(asked)).count()).collect().row(0, named=True)
    return [
        replace(outcome, checked=counts[check.spec.name]) if check.kind == "valid" and check.spec else outcome
        for check, outcome in zip(planned, found, strict=True)
    ]


def _outcome(result: Any) -> _Found:
    raised = _exceptions(result.exception_info)
    if raised:
        return _Found("engine_error", None, None, _safe_reason(raised[0]))
    body = result.result or {}
    observed = body.get("observed_value")
    unexpected = body.get("unexpected_count", observed if isinstance(observed, int) else None)
    return _Found("passed" if result.success else "failed", unexpected, body.get("element_count"))


def _exceptions(info: Any) -> list[str]:
    """Messages of the exceptions of one result: it holds either one, or one a metric."""
    if not isinstance(info, dict):
        return []
    if "raised_exception" in info:
        return [str(info.get("exception_message"))] if info["raised_exception"] else []
    return [message for part in info.values() for message in _exceptions(part)]


def _safe_reason(message: str) -> str:
    """Kind of an exception without its text, because a database quotes the value that it could not convert."""
    kinds = re.findall(r"\b([A-Z][A-Za-z]*(?:Error|Exception))\b", message)
    return kinds[0] if kinds else "Exception"


def _row(contract: Contract, batch_date: date, check: Check, found: _Found) -> dict[str, Any]:
    severity = check.severity
    share = 1 - found.unexpected / found.checked if found.unexpected is not None and found.checked else None
    if check.collapses and share is not None and share < COLLAPSED * check.mostly:
        severity = "error"
    where = f"{check.spec.source}：" if check.spec else ""
    if found.outcome == "engine_error":
        message = f"{where}检查程序出错（{found.reason}），未能得出结论，不代表数据有误"
    elif found.outcome == "passed":
        message = f"{where}{check.says_zh}"
    else:
        count = (
            ""
            if found.unexpected is None
            else f"，实际{'行数' if check.kind == 'row_count' else '不符'}{found.unexpected}行"
        )
        message = f"{where}{check.says_zh}{count}"
    return {
        "class_id": contract.id,
        "batch_date": batch_date,
        "check": check.kind,
        "check_zh": KINDS_ZH[check.kind],
        "field": check.spec.name if check.spec else None,
        "column": check.spec.source if check.spec else None,
        "severity": severity,
        "outcome": found.outcome,
        "rows_failed": found.unexpected,
        "rows_checked": found.checked,
        "share_required": check.mostly,
        "note_zh": message,
    }
