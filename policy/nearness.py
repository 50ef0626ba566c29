"""Which rules came close to a household, and what kept them from speaking: the rules run again with one limit moved.

What belongs here is the question "what if", put to the rules as they stand. It needs nothing of a rule: every number among the
parameters that a rule reads, by itself or through measures, is moved by a quarter, up and down, and the rule runs once more
on the household and those around it. What a rule then says is a near miss, told with the parameter, its value and the value
at which it speaks. Nothing of it is a warning, and nothing is stored.

The rules see the household, its relatives, their households and cases, and `BESIDE` other people: some measures ask of the
data as a whole, for example from which month they reach. Where this small county does not give the household the warnings
that the night gave it, a rule is not asked further, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from policy.bench import View
from policy.engine import Outcome, run
from policy.parameter_words import COLUMN_ZH, key_zh, number, spoken
from policy.parameters import Parameter
from policy.rulebook import Policy
from policy.signals import Memory
from policy.vocabulary import Table, tables

BESIDE = 1000
"""So many other people, those of the lowest ids, stand beside the household."""

UP, DOWN = Decimal("1.25"), Decimal("0.8")

NO_LIMITS = {
    *("warning_level", "score_points", "signal_theme"),
    *("income_window", "payment_schedule", "school_term", "job_cost", "minimum_wage", "same_home_area"),
}
"""Parameters whose numbers are no limits: order of visits, months over which income is counted, days of a calendar."""

YEARS = ("of_year",)
"""Columns that say of which year a figure is."""

AGES = ("age",)
"""Ages are not moved by a quarter: whoever is twelve is not nearly sixteen."""


@dataclass(frozen=True)
class Near:
    """A rule that does not speak, and would if one number were another."""

    rule_id: str
    parameter: str
    title_zh: str
    column: str
    column_zh: str
    now: str
    then: str
    reason_zh: str


@dataclass(frozen=True)
class Answer:
    """What the rules say of a household when they are asked again."""

    near: list[Near]
    not_asked: dict[str, str]
    """Rule -> why nothing can be said of how near it was."""


def _read(view: View) -> pl.LazyFrame:
    if isinstance(view, pl.LazyFrame):
        return view
    if isinstance(view, pl.DataFrame):
        return view.lazy()
    path = Path(view)
    return pl.scan_parquet(path / "**/*.parquet" if path.is_dir() else path)


def around(views: Mapping[str, View], household_id: int) -> dict[str, pl.DataFrame]:
    """The tables with what concerns a household, its kin and their households, and a thousand others beside."""
    frames = {name: _read(view) for name, view in views.items()}
    member = frames["household_member"].select("household_id", "person_id").collect()
    people = set(member.filter(pl.col("household_id") == household_id)["person_id"].drop_nulls())
    if "household_edge" in frames:
        edges = frames["household_edge"].select("person_id_a", "person_id_b")
        mine = pl.col("person_id_a").is_in(sorted(people)) | pl.col("person_id_b").is_in(sorted(people))
        found = edges.filter(mine).collect()
        people |= set(found["person_id_a"].drop_nulls()) | set(found["person_id_b"].drop_nulls())
    if "assistance_member" in frames:
        listed = frames["assistance_member"].select("case_id", "person_id")
        cases = listed.filter(pl.col("person_id").is_in(sorted(people))).collect()["case_id"].unique()
        people |= set(
            listed.filter(pl.col("case_id").is_in(cases.implode())).collect()["person_id"].drop_nulls()
        )
    others = sorted(set(member["person_id"].drop_nulls()) - people)[:BESIDE]
    everybody = sorted(people | set(others))
    households = member.filter(pl.col("person_id").is_in(everybody))["household_id"].unique()
    everybody = sorted(
        set(member.filter(pl.col("household_id").is_in(households.implode()))["person_id"].drop_nulls())
        | set(everybody)
    )
    cases_of: set[Any] = set()
    for name in ("assistance_case", "assistance_member"):
        if name in frames:
            rows = frames[name].filter(pl.col("person_id").is_in(everybody)).select("case_id").collect()
            cases_of |= set(rows["case_id"].drop_nulls())
    vocabulary = tables()
    return {
        name: _narrowed(vocabulary[name], frame, everybody, sorted(households), sorted(cases_of))
        for name, frame in frames.items()
        if name in vocabulary
    }


def _narrowed(
    table: Table, frame: pl.LazyFrame, people: list[int], households: list[int], cases: list[str]
) -> pl.DataFrame:
    present = frame.collect_schema().names()
    persons = [c for c in present if c in table.persons or c.startswith("person_id")]
    about = [pl.col(c).is_in(people) for c in persons]
    if "household_id" in present:
        about.append(pl.col("household_id").is_in(households))
    if "case_id" in present:
        about.append(pl.col("case_id").is_in(cases))
    return (frame.filter(pl.any_horizontal(about)) if about else frame).collect()


def moved(parameter: Parameter, factor: Decimal, column: str | None = None) -> Parameter:
    """A parameter with its numbers (or one column) moved; counts below eight by one."""
    kinds = list(parameter.header.columns.items())

    def number(value: Any, kind: str, name: str) -> Any:
        if (
            value is None
            or kind not in ("money", "decimal", "integer")
            or (column and name != column)
            or name in YEARS
        ):
            return value
        if kind != "integer":
            places = Decimal("0.01") if kind == "money" else Decimal("0.0001")
            return (value * factor).quantize(places)
        if abs(value) < 8:
            return value + 1 if factor > 1 else max(value - 1, 0)
        return int(value * factor)

    values = tuple(
        value
        if value.columns is None
        else replace(
            value,
            columns=tuple(
                number(v, kind, name) for v, (name, kind) in zip(value.columns, kinds, strict=True)
            ),
        )
        for value in parameter.values
    )
    return Parameter(parameter.path, parameter.header, values)


def limits_of(policy: Policy, rule_id: str) -> list[str]:
    """Parameters whose numbers a rule reads, by itself or through measures, and that are limits."""
    rule = policy.rules[rule_id]
    queries = [rule.file, *(measure.file for measure in policy.measures_of(rule))]
    names = {touch.name for query in queries for touch in query.tables}
    return [
        name
        for name in sorted(names & set(policy.parameters) - NO_LIMITS)
        if not set(name.split("_")) & set(AGES)
        and any(
            kind in ("money", "decimal", "integer")
            for kind in policy.parameters[name].header.columns.values()
        )
    ]


def _said(outcome: Outcome, household_id: int) -> dict[str, list[str]]:
    """Rule -> sentences about the household."""
    mine = outcome.warnings.filter(pl.col("household_id") == household_id)
    found: dict[str, list[str]] = {}
    for rule_id, reason in mine.select("rule_id", "reason_zh").iter_rows():
        found.setdefault(rule_id, []).append(reason)
    return found


def nearly(
    views: Mapping[str, View],
    as_of: date,
    household_id: int,
    raised: Iterable[str],
    policy: Policy,
    memory: Memory | None = None,
    only: Iterable[str] | None = None,
) -> Answer:
    """Rules that would speak of a household if one limit were another.

    `raised`: the rules that spoke of it in the night; those of `only` (default: all) that did not are asked.
    `memory`: what rules of new signals had seen by the night before.
    """
    spoke = set(raised)
    wanted = sorted(set(policy.rules) if only is None else set(only))
    small = around(views, household_id)

    def ask(rules: list[str], changes: Mapping[str, Parameter]) -> dict[str, list[str]]:
        changed = Policy(policy.rules, policy.measures, policy.score, {**policy.parameters, **changes})
        told = run(small, as_of, only=rules, policy=changed, conclusion=False, memory=memory)
        return _said(told, household_id)

    as_is = ask(wanted, {})
    not_asked = {
        rule_id: "单独重算与当夜结果不一致，不作判断"
        for rule_id in wanted
        if (rule_id in as_is) != (rule_id in spoke)
    }
    silent = [rule_id for rule_id in wanted if rule_id not in spoke and rule_id not in not_asked]
    found: list[Near] = []
    for factor in (UP, DOWN):
        names = {name for rule_id in silent for name in limits_of(policy, rule_id)}
        everything = {name: moved(policy.parameters[name], factor) for name in names}
        close = sorted(ask(silent, everything)) if silent else []
        for rule_id in close:
            for name in limits_of(policy, rule_id):
                parameter = policy.parameters[name]
                for column, kind in parameter.header.columns.items():
                    if kind not in ("money", "decimal", "integer") or column in YEARS:
                        continue
                    other = moved(parameter, factor, column)
                    said = ask([rule_id], {name: other}).get(rule_id)
                    if said:
                        county = _county(small, household_id)
                        named = _queries(policy, rule_id)
                        found.append(
                            Near(
                                rule_id,
                                name,
                                parameter.header.title.zh,
                                column,
                                COLUMN_ZH[column],
                                _value(parameter, county, as_of, column, named),
                                _value(other, county, as_of, column, named),
                                said[0],
                            )
                        )
    return Answer(sorted(found, key=lambda n: (n.rule_id, n.parameter, n.column, n.then)), not_asked)


def _county(small: Mapping[str, pl.DataFrame], household_id: int) -> str:
    rows = small["household"].filter(pl.col("household_id") == household_id)["county_code"].drop_nulls()
    return str(rows[0]) if len(rows) else "000000"


def _queries(policy: Policy, rule_id: str) -> str:
    rule = policy.rules[rule_id]
    signal = rule.header.new_signal
    window = f"'{signal.window}'\n" if signal else ""
    files = [rule.file, *(measure.file for measure in policy.measures_of(rule))]
    return window + "\n".join(file.query for file in files)


def _value(parameter: Parameter, county: str, as_of: date, column: str, queries: str) -> str:
    """The values of a column in a county on a day, in words; where they differ by key, each with its key.

    Of windows only those that the queries name.
    """
    rows = parameter.table([county]).filter(
        (pl.col("valid_from") <= as_of) & (pl.col("valid_to") >= as_of) & pl.col(column).is_not_null()
    )
    keys = list(parameter.header.keys)
    said: dict[str, list[str]] = {}
    for row in rows.iter_rows(named=True):
        if "window" in keys and f"'{row['window']}'" not in queries:
            continue
        text = number(row[column]) if isinstance(row[column], Decimal) else str(row[column])
        if "unit" in row:
            text += spoken("unit", row["unit"])
        said.setdefault(text, []).append("、".join(key_zh(key, row[key]) for key in keys))
    if len(said) < 2 and "window" not in keys:
        return "".join(said)
    return "；".join(f"{'、'.join(dict.fromkeys(words))}{text}" for text, words in said.items())
