"""Runs the rules: parameters become tables, facts become views, a query becomes warnings with reasons and deadlines.

What a rule says belongs in `policy/rules`, not here. Nothing here knows a rule by name. What a query can see is in
`bench.py`, what is refused at load in `checks.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import polars as pl

from policy.bench import Bench, View
from policy.deadlines import finish, window
from policy.loading import default_policy, load
from policy.parameter_words import keys_zh
from policy.priority import PRIORITY_SCHEMA, priority_of
from policy.raising import LEFT_OUT_SCHEMA, RAW_SCHEMA, left_out, raised, unsaid, whole_rows
from policy.repeats import Windows, empty_register, register
from policy.rulebook import Policy
from policy.signals import Memory, news, together
from policy.sources import Sources, day_zh, weigh_sources
from policy.sql_file import Measure, PolicyError, Rule
from policy.working_days import calendar

__all__ = [
    "Bench", "Outcome", "Policy", "Sources", "View", "conclude", "default_policy", "load", "raised", "run", "whole_rows"
]  # fmt: skip

log = logging.getLogger(__name__)

STATUS_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "county_code": pl.String(),
        "status": pl.String(),
        "reason_zh": pl.String(),
        "sources_json": pl.String(),
    }
)


@dataclass(frozen=True)
class Outcome:
    """What a night of rules gives."""

    warnings: pl.DataFrame
    rule_status: pl.DataFrame
    priority: pl.DataFrame
    register: pl.DataFrame
    measures: dict[str, pl.DataFrame] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_OUT_SCHEMA))

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every frame under the path it is stored at."""
        named = {
            "warnings": self.warnings,
            "rule_status": self.rule_status,
            "priority": self.priority,
            "register": self.register,
            "first_seen": self.memory.first_seen,
            "first_heard": self.memory.heard,
            "left_out": self.left_out,
        }
        return named | {f"measures/{name}": frame for name, frame in self.measures.items()}


def _status_row(rule: Rule, county: str | None, status: str, reason: str, sources: Sources) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "county_code": county,
        "status": status,
        "reason_zh": reason,
        "sources_json": sources.as_json,
    }


def _unknown_values(
    policy: Policy, rule: Rule, counties: Iterable[str], as_of: date
) -> dict[str, tuple[bool, str]]:
    """County -> (nothing is known at all, what is not known and why, in Chinese)."""
    found: dict[str, tuple[bool, list[str]]] = {}
    for name in policy.parameters_of(rule):
        parameter = policy.parameters[name]
        for county, gaps in parameter.unknown(counties, as_of).items():
            whole = gaps == [()]
            missing = list(dict.fromkeys(v.keys for v in parameter.values)) if whole else gaps
            label = "" if whole else keys_zh(parameter, gaps)
            because = "；".join(
                dict.fromkeys(
                    v.source for key in missing if (v := parameter.at(county, key, as_of)) is not None
                )
            )
            before, texts = found.get(county, (False, []))
            text = f"{parameter.header.title.zh}{f'（{label}）' if label else ''}当前没有已知数值"
            found[county] = (before or whole, [*texts, f"{text}（{because}）" if because else text])
    return {county: (whole, "；".join(texts)) for county, (whole, texts) in sorted(found.items())}


@dataclass(frozen=True)
class _Spoken:
    """What one rule said."""

    status: list[dict[str, Any]]
    raw: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RAW_SCHEMA))
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_OUT_SCHEMA))
    memory: Memory | None = None
    """Null: as it was."""


def _evaluate(bench: Bench, rule: Rule, status: pl.DataFrame, before: Memory, strict: bool) -> _Spoken:
    """Warnings of one rule, and whether it spoke: for all, and for each county."""
    sources = weigh_sources(bench.policy, rule, status, bench.as_of)
    if bench.as_of > rule.header.expires:
        why = f"规则有效期至{day_zh(rule.header.expires)}，到期未续，本期未核对。"
        return _Spoken([_status_row(rule, None, "off", why, sources)])
    if sources.off_because:
        return _Spoken([_status_row(rule, None, "off", sources.off_because, sources)])
    unknown = _unknown_values(bench.policy, rule, bench.counties, bench.as_of)
    rows: list[dict[str, Any]] = []
    for county, (whole, what) in unknown.items():
        why = f"本县{what}，{'本期未核对' if whole else '对应家庭本期未核对'}，不代表没有问题。"
        rows.append(_status_row(rule, county, "off" if whole else "on", why, sources))
    found, memory = bench.rows(rule, rule.list_kind), None
    if rule.header.new_signal:
        found, memory = news(rule, found, before, bench, sources)
    found, out = left_out(rule, found)
    frame, refused = whole_rows(rule, raised(rule, found, sources), strict=strict)
    # A row that cannot say where or why is nobody's visit; one such row does not silence the rule.
    what = f"（{'、'.join(unsaid(rule, found))}）" if refused else ""
    note = f"另有{refused}条线索缺少家庭或理由要素{what}，未列入清单，已记录。" if refused else ""
    rows.append(_status_row(rule, None, "on", sources.note + note, sources))
    silent = [county for county, (whole, _) in unknown.items() if whole]
    if silent and frame.height:
        places = bench.frame("household").select("household_id", "county_code")
        off = places.filter(pl.col("county_code").is_in(silent)).select("household_id")
        frame = frame.join(off, on="household_id", how="anti")
        out = out.join(off, on="household_id", how="anti")
    return _Spoken(rows, frame, out, memory)


def _register(
    bench: Bench, warnings: pl.DataFrame, status: pl.DataFrame, previous: pl.DataFrame
) -> pl.DataFrame:
    heard = set(status.filter(pl.col("county_code").is_null()).get_column("rule_id").to_list())
    absent = sorted(set(previous.get_column("rule_id").to_list()) - heard)
    unheard = pl.concat(
        [
            status.filter(pl.col("status") == "off").select("rule_id", "county_code"),
            pl.DataFrame(
                {"rule_id": absent, "county_code": [None] * len(absent)},
                schema={"rule_id": pl.String(), "county_code": pl.String()},
            ),
        ]
    )
    return register(
        warnings,
        previous,
        bench.frame("outcome_return"),
        as_of=bench.as_of,
        windows=Windows(quiet_days=window(bench, "repeat_suppressed")),
        never_suppressed={rule.id for rule in bench.policy.rules.values() if rule.header.never_suppress},
        unheard=unheard,
    )


def _say_what_was_counted(rows: list[dict[str, Any]], warnings: pl.DataFrame) -> None:
    """Add to the status of a rule that its deadlines reach into a year whose holidays nobody has announced yet."""
    days = calendar()
    guessed: dict[str, set[int]] = {}
    timed = warnings.filter(pl.col("visit_due_on").is_not_null())
    for rule_id, *due in timed.select("rule_id", "visit_due_on", "close_due_on").unique().rows():
        guessed.setdefault(rule_id, set()).update(day.year for day in due if day and not days.knows(day))
    for row in rows:
        years = sorted(guessed.get(row["rule_id"], ()))
        if years and row["county_code"] is None:
            spoken = "、".join(f"{year}年" for year in years)
            row["reason_zh"] += (
                f"{spoken}节假日安排未公布，期限暂按周一至周五计（元旦、劳动节、国庆节除外）。"
            )


def _rules(
    bench: Bench, wanted: list[str], asked: list[Measure], before: Memory, strict: bool
) -> dict[str, _Spoken]:
    """What each of some rules says. A rule that fails is switched off visibly, unless `strict`.

    Measures that neither a rule to come nor one of `asked` reads are given up on the way.
    """
    state = bench.frame("source_status")
    found = {}
    for at, rule_id in enumerate(wanted):
        bench.release([*(bench.policy.rules[other] for other in wanted[at:]), *asked])
        rule = bench.policy.rules[rule_id]
        try:
            found[rule_id] = _evaluate(bench, rule, state, before, strict)
        except (PolicyError, duckdb.Error, pl.exceptions.PolarsError) as error:
            if strict:
                raise
            # Types only: a message of the engine may quote a value.
            log.error("rule %s failed: %s", rule_id, type(error).__name__)
            why = "规则运行出错，本期未核对，已记录，请数据组处理。"
            found[rule_id] = _Spoken([_status_row(rule, None, "off", why, Sources(None, "", {}))])
    return found


def _make(bench: Bench, measures: Iterable[Measure], strict: bool) -> None:
    """Make measures that no rule may have asked for. One that fails is left out and logged, unless `strict`."""
    for measure in measures:
        try:
            bench.make_measures(measure, "help_in")
            bench.make(measure, "help_in")
        except duckdb.Error as error:
            if strict:
                raise
            log.error("measure %s failed: %s", measure.id, type(error).__name__)


def run(
    views: Mapping[str, View],
    as_of: date,
    previous_register: pl.DataFrame | None = None,
    only: Iterable[str] | None = None,
    *,
    policy: Policy | None = None,
    strict: bool = False,
    conclusion: bool = True,
    memory: Memory | None = None,
    measures: Iterable[str] = (),
) -> Outcome:
    """Every rule on one day's facts.

    `views`: fact tables, household tables, person, division, source_status, each a Parquet file, a folder of them, or a
    frame; a table that is missing is empty. `previous_register`: last night's, or null on the first night. `only`: ids of
    the rules to run; the others are then unheard, and what stood open of them stays open in the register.
    A rule that fails is switched off visibly and the night goes on, unless `strict`. Without `conclusion`, register and
    priority are left empty for `conclude` to make when all rules have spoken. `memory`: what rules of new signals had seen by
    the night before (`signals.py`), or null on the first night. `measures`: published measures that are wanted whether or not
    a rule reads them.

    Frames: `warnings` (repeats.WARNING_SCHEMA), `rule_status` (STATUS_SCHEMA: one row a rule, and one a county for which
    something is not known), `priority`, `register` (repeats.REGISTER_SCHEMA), the measures that were made, the memory after
    tonight, and what rules saw and left out with a reason (raising.LEFT_OUT_SCHEMA).
    """
    policy = policy or default_policy()
    wanted = sorted(policy.rules) if only is None else sorted(set(only))
    if stray := [rule for rule in wanted if rule not in policy.rules]:
        raise ValueError(f"unknown rules: {stray}")
    previous = empty_register() if previous_register is None else previous_register
    asked = [policy.measures[name] for name in sorted(set(measures))]
    items: list[Rule | Measure] = [*(policy.rules[rule_id] for rule_id in wanted), *asked]
    bench = Bench(policy, views, as_of, items, is_scored=conclusion)
    try:
        memory = memory or Memory()
        spoken = _rules(bench, wanted, asked, memory, strict)
        bench.release(asked)
        rows = [row for one in spoken.values() for row in one.status]
        warnings = finish(
            bench,
            pl.concat([pl.DataFrame(schema=RAW_SCHEMA), *(one.raw for one in spoken.values())]),
            previous,
        )
        _say_what_was_counted(rows, warnings)
        status = pl.DataFrame(rows, schema=STATUS_SCHEMA).sort("rule_id", "county_code", nulls_last=False)
        heard = {rule_id: one.memory for rule_id, one in spoken.items() if one.memory is not None}
        after = together([memory.without(heard), *heard.values()])
        out = pl.concat([pl.DataFrame(schema=LEFT_OUT_SCHEMA), *(one.left_out for one in spoken.values())])
        book, priority = empty_register(), pl.DataFrame(schema=PRIORITY_SCHEMA)
        if conclusion:
            book = _register(bench, warnings, status, previous)
            priority = priority_of(bench, book)
        _make(bench, asked, strict)
        bench.release(())
        made = bench.publish()
    finally:
        bench.close()
    return Outcome(warnings, status, priority, book, made, after, out)


def conclude(
    views: Mapping[str, View],
    warnings: pl.DataFrame,
    rule_status: pl.DataFrame,
    as_of: date,
    previous_register: pl.DataFrame | None = None,
    *,
    policy: Policy | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Register and priority from warnings of rules that ran apart (one rule rerun, the others as they were)."""
    policy = policy or default_policy()
    bench = Bench(policy, views, as_of, ())
    try:
        previous = empty_register() if previous_register is None else previous_register
        book = _register(bench, warnings, rule_status, previous)
        return book, priority_of(bench, book)
    finally:
        bench.close()
