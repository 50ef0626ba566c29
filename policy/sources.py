"""Whether the sources of a rule carry it tonight, and what is said when they do not.

How far a class can be relied upon is decided in `data_contracts/sources.py`; which classes a rule needs, in its header.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from data_contracts.contract import ContractError, catalogue
from policy.rulebook import Policy
from policy.sql_file import Need, Rule

log = logging.getLogger(__name__)

BRACKETS_AT_END = re.compile(r"（[^（）]*）$")
STATE_ZH = {
    "late": "逾期未更新",
    "absent": "尚未收到",
    "failed": "有文件未采用或不完整",
    "held": "有文件待部门确认",
}


@cache
def _titles() -> dict[str, str]:
    try:
        return {contract.id: contract.title.zh for contract in catalogue().values()}
    except ContractError:
        log.warning("the catalogue of contracts cannot be read; sources are named by their ids")
        return {}


def _title(class_id: str) -> str:
    return _titles().get(class_id, class_id)


@dataclass(frozen=True)
class Sources:
    """Whether the sources of a rule carry it tonight."""

    off_because: str | None
    note: str
    dates: dict[str, str | None]

    @property
    def as_json(self) -> str:
        """Class -> date of its last delivery."""
        return json.dumps(self.dates, ensure_ascii=False, sort_keys=True)


def weigh_sources(policy: Policy, rule: Rule, status: pl.DataFrame, as_of: date) -> Sources:
    """What the state of the sources makes of a rule: off and why, or what is missing. `status`: table `source_status`."""
    needs, uses = policy.needs_of(rule)
    by_class = {row["class_id"]: row for row in status.iter_rows(named=True)}

    def why_not(source: str, need: Need) -> str | None:
        row = by_class.get(source)
        if row is None or row["status"] == "absent":
            return f"{_title(source)}{STATE_ZH['absent']}"
        if row["last_batch"] is None:
            # Something came and was refused: to say that nothing came would contradict what stands beside it.
            refused = row["status"] in ("failed", "held")
            return f"{_title(source)}{'送达的文件未采用，没有可用的数据' if refused else STATE_ZH['absent']}"
        if row["status"] != "fresh":
            return f"{_title(source)}{STATE_ZH.get(row['status'], '不可用')}（数据截至{day_zh(row['last_batch'])}）"
        if (as_of - row["last_batch"]).days > need.max_age_days:
            return f"{_title(source)}已超过{need.max_age_days}天未更新（数据截至{day_zh(row['last_batch'])}）"
        return None

    off: list[str] = []
    notes: list[str] = []
    for need in needs.values():
        missing = [why for source in need.sources if (why := why_not(source, need))]
        if (need.all and missing) or (need.any and len(missing) == len(need.any)):
            off += missing
        else:
            notes += missing
    for need in uses.values():
        notes += [why for source in need.sources if (why := why_not(source, need))]
    classes = sorted({s for need in (*needs.values(), *uses.values()) for s in need.sources})
    last = {c: by_class[c]["last_batch"] if c in by_class else None for c in classes}
    dates = {c: day.isoformat() if day else None for c, day in last.items()}
    off, notes = list(dict.fromkeys(off)), list(dict.fromkeys(notes))
    return Sources(
        f"{'；'.join(off)}。本期未核对，不代表没有问题。" if off else None,
        f"部分参考数据缺失：{'；'.join(notes)}。" if notes else "",
        dates,
    )


def day_zh(day: date) -> str:
    """A day as it stands in a Chinese sentence."""
    return f"{day.year}年{day.month}月{day.day}日"


NAME_BESIDE_A_PERSON = {"hl_serious_disease": "重大疾病登记"}
"""Classes whose title would hint at a mental disorder where it stands beside a person."""


def closing(classes: Iterable[str], dates: Mapping[str, str | None]) -> str:
    """Where the figures come from and how old they are, as the end of every sentence."""
    by_day: dict[date, list[str]] = {}
    for source in classes:
        if day := dates.get(source):
            name = NAME_BESIDE_A_PERSON.get(source) or BRACKETS_AT_END.sub("", _title(source))
            by_day.setdefault(date.fromisoformat(day), []).append(name)
    told = [f"{day_zh(day)}，{'、'.join(names)}" for day, names in sorted(by_day.items(), reverse=True)]
    return f"（数据截至：{'；'.join(told)}）" if told else ""
