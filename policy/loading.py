"""Reads rules, measures, parameters and the risk score, and refuses what may not run.

Each refusal is in `checks.py`; what belongs here is which of them every file has to pass, and in which order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from data_contracts.contract import YAML, catalogue
from policy import checks
from policy.bench import Bench
from policy.lineage import Columns, Lineage, of_parameters, of_tables
from policy.parameters import read_parameters
from policy.rulebook import ENGINE_PARAMETERS, Policy
from policy.sql_file import ROOT, Measure, PolicyError, Rule, read_measure, read_rule
from policy.vocabulary import DERIVED, never, tables

ALWAYS_THERE = {*DERIVED, "person"}
"""Tables that no single source feeds, so that no header needs to declare them."""


def _declared(item: Rule | Measure, measures: Iterable[str]) -> set[str]:
    header = item.header
    values = {*header.parameters, *header.parameters_if_known}
    return {*header.needs, *header.uses, *values, *ALWAYS_THERE, *measures}


def load(root: Path = ROOT, cases: Path = checks.CASES, *, locked: bool = True) -> Policy:
    """Read rules, measures, parameters and the risk score; refuse what may not run.

    `locked=False` leaves the lock file alone, for `policy.lock` itself. Raises PolicyError (file, line, why).
    """
    rules = [read_rule(path) for path in sorted(root.glob("rules/*/*.sql"))]
    measures = [read_measure(path) for path in sorted(root.glob("measures/*.sql"))]
    score = read_measure(root / "risk_score.sql")
    parameters = read_parameters(root / "parameters")
    checks.check_unique([*rules, *measures, score])
    policy = Policy(
        {rule.id: rule for rule in sorted(rules, key=lambda r: r.id)},
        {measure.id: measure for measure in measures},
        score,
        parameters,
    )
    for name in ENGINE_PARAMETERS:
        if name not in parameters:
            raise PolicyError(root / "parameters", 1, f"the engine needs {name}.yaml")
    forbidden = never(root / "never.yaml")
    vocabulary = tables()
    known = {*vocabulary, *policy.measures, *parameters}
    lock_path = root / "rules.lock.yaml"
    lock: dict[str, Any] = {}
    if locked:
        lock = yaml.load(lock_path.read_text(encoding="utf-8"), Loader=YAML) if lock_path.is_file() else {}
    items: list[Rule | Measure] = [*measures, *rules, score]
    for item in items:
        extra = {"open_warning"} if item is score else set()
        for fact in (*item.header.needs, *item.header.uses):
            if fact not in vocabulary:
                raise item.file.refuse(f"declares the unknown fact `{fact}`", item.file.line_of_key("needs"))
        for name in (*item.header.parameters, *item.header.parameters_if_known):
            if name not in parameters:
                raise item.file.refuse(
                    f"declares the unknown parameter `{name}`", item.file.line_of_key("parameters")
                )
        _refuse_unknown_sources(item)
        checks.check_query(
            item.file, _declared(item, policy.measures) | extra, known | extra, vocabulary, forbidden
        )
        if locked:
            checks.check_lock(item, lock, lock_path)
    _follow(items, policy, of_tables(vocabulary) | of_parameters(parameters))
    windows = {value.keys[0] for value in parameters["warning_window"].values}
    for item in items:
        checks.check_names(item)
        if item is not score:
            checks.check_cases(item, cases)
        if isinstance(item, Rule):
            checks.check_signal(item, windows)
    bench = Bench(policy, {}, date(2000, 1, 1), (*measures, *rules), counties=())
    try:
        for item in items:
            bench.bind(item)
    finally:
        bench.close()
    return policy


def _follow(items: list[Rule | Measure], policy: Policy, sources: dict[str, Columns]) -> None:
    """Check what the columns of every query are made of, through the measures that it reads."""
    measures = checks.in_order(policy.measures)
    for item in [*measures, *(item for item in items if item.id not in policy.measures)]:
        lineage = Lineage(item.file, sources)
        checks.check_lineage(item, lineage)
        if isinstance(item, Measure):
            sources[item.id] = lineage.columns


@cache
def _feeders() -> dict[str, frozenset[str]]:
    """Class of information -> the facts that it feeds."""
    return {name: frozenset(feed.fact for feed in contract.feeds) for name, contract in catalogue().items()}


def _refuse_unknown_sources(item: Rule | Measure) -> None:
    feeders = _feeders()
    if not feeders:
        return
    for key, needs in (("needs", item.header.needs), ("uses", item.header.uses)):
        for fact, need in needs.items():
            for source in need.sources:
                if source not in feeders:
                    raise item.file.refuse(f"names the unknown source `{source}`", item.file.line_of_key(key))
                if fact not in feeders[source]:
                    why = f"says that `{fact}` comes from `{source}`, which does not feed it"
                    raise item.file.refuse(why, item.file.line_of_key(key))


@cache
def default_policy() -> Policy:
    """The policy of this repository, read once a process."""
    return load()
