"""The rule catalogue of a county for a night: every rule in plain Chinese, its values of the day, and what it found.

What belongs here is putting rules, measures and parameters of the policy beside the counts of a night. What a rule says is
in its header; how the page looks is in `templates/catalogue.html`. Counts only: no family and no person is on it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl

from data_contracts.contract import catalogue
from policy.case_tables import Case
from policy.cases import read_cases
from policy.checks import CASES
from policy.engine import Policy, default_policy
from policy.parameter_words import EVIDENCE_ZH, on_day
from policy.sql_file import PLACEHOLDER, Need, Rule
from reports import page
from reports.night import LEVELS, LIST_ZH, STATE_ZH, Prepared

TITLE = "规则目录"
SUBJECT_ZH = {"household": "户", "person": "人", "case": "救助证"}
EVIDENCE_EXPLAINED = (
    ("published", "见于文件或官方页面，就是本地的规定"),
    ("proxy", "其他地方、平均数、最低标准，或起始日为推定、之后可能已调整"),
    ("model", "借用其他地方公布的做法，本地数值确定前示范使用"),
    ("proposal", "未见公布，由本系统建议，待当地确认"),
    ("not_known", "没有依据，需要它的规则在本县停用"),
)
SCORE_PARAMETERS = ("warning_level", "score_points", "signal_theme")


CASE_KINDS = ("数据缺失或逾期", "参数变更日", "B级关联", "已知误报", "信息不明", "应当提示", "不应提示")
"""What a case shows, by what is in it; the first that fits. Names of cases are English."""


def kind_of(case: Case) -> str:
    """The kind of a case in Chinese."""
    rows = [row for values in case.parameters.values() for row in values]
    turns = {str(case.as_of), str(case.as_of + timedelta(days=1))}
    if case.expect_status and all(row.get("status") == "off" for row in case.expect_status):
        return "数据缺失或逾期"
    if any(str(row.get("from")) in turns or str(row.get("to")) == str(case.as_of) for row in rows):
        return "参数变更日"
    if any(
        row.get(name) == "B"
        for given in case.given.values()
        for row in given
        for name in row
        if name.endswith("link_grade")
    ):
        return "B级关联"
    if case.name.startswith("false alarm"):
        return "已知误报"
    if re.search(r"the day (before|on which|from which|it )", case.name):
        return "参数变更日"
    if "unknown" in case.name or "not known" in case.name:
        return "信息不明"
    return "应当提示" if case.expect else "不应提示"


@dataclass(frozen=True)
class Entry:
    """What of a rule is the same in every county and every night."""

    rule: Rule
    values: Mapping[str, Any]
    parameters: tuple[str, ...]
    windows: frozenset[str]
    sources: tuple[tuple[tuple[str, ...], bool, int], ...]
    """Classes, whether all of them are needed, and how old they may be."""


def _windows(rule: Rule, policy: Policy) -> frozenset[str]:
    """Quoted words of the rule and its measures: of parameters keyed by window only these matter."""
    texts = [rule.file.query, *(measure.file.query for measure in policy.measures_of(rule))]
    return frozenset(word for text in texts for word in re.findall(r"'([a-z][a-z0-9_]*)'", text))


def _needs(needs: Mapping[str, Need]) -> tuple[tuple[tuple[str, ...], bool, int], ...]:
    found: dict[tuple[tuple[str, ...], bool, int], None] = {}
    for need in needs.values():
        found[tuple(need.sources), bool(need.all), need.max_age_days] = None
    return tuple(found)


@cache
def entries() -> tuple[Entry, ...]:
    """Every rule of the policy, help first, then in the order of the ids."""
    policy = default_policy()
    order = list(LIST_ZH)
    rules = sorted(policy.rules.values(), key=lambda r: (order.index(r.list_kind), r.id))
    return tuple(_entry(rule, policy) for rule in rules)


def _entry(rule: Rule, policy: Policy) -> Entry:
    header = rule.header
    needs, _ = policy.needs_of(rule)
    optional = {*header.parameters_if_known}
    for measure in policy.measures_of(rule):
        optional |= set(measure.header.parameters_if_known)
    needed = policy.parameters_of(rule)
    cases = [located.case for located in read_cases(CASES / rule.list_kind / f"{rule.name}.yaml")]
    kinds = Counter(map(kind_of, cases))
    return Entry(
        rule,
        {
            "id": rule.id,
            "title": header.title.zh,
            "list_kind": rule.list_kind,
            "list_zh": LIST_ZH[rule.list_kind],
            "levels": [(level, LEVELS[level][0]) for level in (header.levels or [header.level])],
            "subject_zh": SUBJECT_ZH[header.subject],
            "owner": header.owner,
            "version": header.version,
            "expires": page.day_zh(header.expires),
            "legal_basis": header.legal_basis,
            "sentences": [PLACEHOLDER.sub("…", text) for text in header.sentences().values()],
            "known_gaps": header.known_gaps.zh,
            "false_alarms": header.false_alarms.zh,
            "measures": [(m.id, m.header.title.zh) for m in policy.measures_of(rule)],
            "cases": [(case.as_of.isoformat(), case.name, len(case.expect), kind_of(case)) for case in cases],
            "case_kinds": [(kind, count) for kind in CASE_KINDS if (count := kinds[kind])],
        },
        (*needed, *sorted(optional - set(needed))),
        _windows(rule, policy),
        _needs(needs),
    )


@cache
def _titles() -> Mapping[str, str]:
    return {contract.id: contract.title.zh for contract in catalogue().values()}


def _values_of(
    names: Iterable[str], county: str, day: date, windows: frozenset[str] | None
) -> list[dict[str, Any]]:
    """Parameters with what holds in the county on the day, in words."""
    policy = default_policy()
    shown = []
    for name in names:
        parameter = policy.parameters[name]
        wanted = windows if windows is not None and "window" in parameter.header.keys else None
        rows = [
            {
                "text": saying.text,
                "evidence": saying.evidence,
                "evidence_zh": EVIDENCE_ZH[saying.evidence],
                "source": saying.source,
                "since": saying.valid_from.isoformat(),
            }
            for saying in on_day(parameter, county, day, wanted)
        ]
        shown.append({"id": name, "title": parameter.header.title.zh, "rows": rows})
    return shown


def _hits(prepared: Prepared, county: str) -> dict[str, dict[str, Any]]:
    """Rule -> open warnings of the county: how many, how many new tonight, how many of each level."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"open": 0, "new": 0, "levels": Counter()})
    own = prepared.listed.filter(pl.col("county_code") == county)
    for row in own.group_by("rule_id", "state_zh", "level_zh").agg(n=pl.len()).iter_rows(named=True):
        hit = found[row["rule_id"]]
        hit["open"] += row["n"]
        hit["levels"][row["level_zh"]] += row["n"]
        if row["state_zh"] == STATE_ZH["new"]:
            hit["new"] += row["n"]
    return found


def _sources(entry: Entry, states: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the rule cannot do without, and whether it is there tonight."""
    return [
        {
            "names": [(_titles().get(c, c), states.get(c, "状态不明")) for c in classes],
            "together": "且" if needs_all else "或",
            "days": days,
        }
        for classes, needs_all, days in entry.sources
    ]


def catalogue_page(prepared: Prepared, county: Mapping[str, str]) -> bytes:
    """The page of one county as UTF-8."""
    code, day = county["county_code"], prepared.as_of
    policy = default_policy()
    hits = _hits(prepared, code)
    states = {
        row["rule_id"]: row
        for row in prepared.rule_states.filter(pl.col("county_code") == code).iter_rows(named=True)
    }
    sources = dict(prepared.sources.select("class_id", "status_zh").iter_rows())
    rules = []
    for entry in entries():
        state = states.get(entry.rule.id)
        hit = hits.get(entry.rule.id, {"open": 0, "new": 0, "levels": Counter()})
        rules.append(
            {
                **entry.values,
                "is_on": state is not None and state["status"] == "on",
                "status_zh": state["status_zh"] if state else "停用",
                "status_why": state["reason_zh"] if state else "本期没有运行。",
                "open": hit["open"],
                "new": hit["new"],
                "by_level": "、".join(
                    f"{zh}{hit['levels'][zh]}" for zh, _ in LEVELS.values() if hit["levels"][zh]
                ),
                "sources": _sources(entry, sources),
                "parameters": _values_of(entry.parameters, code, day, entry.windows),
            }
        )
    where = f"{county['prefecture_zh']}{county['county_zh']}"
    return page.render(
        "catalogue.html",
        f"{TITLE} {where} {page.day_zh(day)}",
        prepared.gate,
        title=f"{TITLE} {where} {day}",
        place_zh=where,
        day_zh=page.day_zh(day),
        lists=[(kind, zh, [r for r in rules if r["list_kind"] == kind]) for kind, zh in LIST_ZH.items()],
        rules=rules,
        cards=[
            ("规则", str(len(rules))),
            ("本期启用", str(sum(r["is_on"] for r in rules))),
            ("未办结线索（条）", f"{sum(r['open'] for r in rules):,}"),
            ("其中本期新增", f"{sum(r['new'] for r in rules):,}"),
        ],
        evidence=[(name, EVIDENCE_ZH[name], why) for name, why in EVIDENCE_EXPLAINED],
        score_gaps=policy.score.header.known_gaps.zh,
        score=_values_of(SCORE_PARAMETERS, code, day, None),
        measures=[
            {
                "id": m.id,
                "title": m.header.title.zh,
                "source": m.header.source,
                "known_gaps": m.header.known_gaps.zh,
                "rules": [
                    e.rule.id for e in entries() if any(m.id == used for used, _ in e.values["measures"])
                ],
            }
            for m in policy.measures.values()
        ],
    )
