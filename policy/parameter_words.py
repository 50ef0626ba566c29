"""Values of parameters in words: for the pages of the repository and for the catalogue of a night.

What belongs here is how a value, its keys, its place and its evidence are said in Chinese. Which value holds is decided in
`parameters.py`; where it is shown, in `pages.py` and in the reports.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from data_contracts.contract import code_lists
from data_contracts.places import division_names
from policy.parameters import CHOICE, FOREVER, Parameter, Value
from policy.sql_file import PLACEHOLDER

EVIDENCE_ZH = {
    "published": "公布值",
    "proxy": "代用值",
    "model": "示范值",
    "proposal": "建议值",
    "not_known": "未知",
}
EVIDENCE_EN = {
    "published": "a text or an official page gives this value for this place",
    "proxy": "another place's, a mean, a floor, an inferred day, or a value that was surely adjusted since",
    "model": "another place's published practice, shown until the local value is known",
    "proposal": "ours, since nothing published was found",
    "not_known": "nobody has a source: rules that need it are off there and say so",
}
CODE_LIST_OF_KEY = {
    "category": "assistance_category",
    "role": "entity_role",
    "dis_type": "disability_type",
    "dis_grade": "disability_grade",
    "stage": "school_stage",
    "kind": "machine_kind",
    "service": "rehab_service",
    "grade": "house_grade",
    "aid_category": "enrolment_aid",
    "subsidy_type": "welfare_subsidy",
}
"""Keys whose values are codes of a list of another name."""

KEY_ZH: dict[str, dict[str, str]] = {
    "basis": {"all": "全体居民", "urban": "城镇居民", "rural": "农村居民"},
    "level": {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"},
    "category": {
        "tekun": "特困人员",
        "dibao": "低保对象",
        "edge": "低保边缘家庭成员",
        "rigid": "刚性支出困难家庭成员",
        "rural_monitor": "防止返贫监测对象",
        "other": "其他困难人员",
        "none": "非低收入人口",
    },
    "kind": {
        "dibao_stable": "低保（收入稳定）",
        "dibao_unsteady": "低保（收入不稳定或有劳动能力成员）",
        "tekun": "特困",
        "edge": "低保边缘",
        "rigid_valid": "刚性支出认定有效期",
    },
    "item": {
        "preferential_pension": "优待抚恤金",
        "family_planning_reward": "计划生育奖励与扶助金",
        "scholarship": "奖学金",
        "assistance_money": "社会救助款物",
        "old_age_allowance": "高龄津贴",
        "disability_subsidy": "残疾人两项补贴",
        "child_money": "孤儿和事实无人抚养儿童基本生活费",
        "pension_local_base": "地方确定的基础养老金",
        "farm_subsidy": "惠农补贴",
    },
    "because": {"tekun": "已纳入特困供养", "orphan_money": "已享受孤儿基本生活费"},
    "window": {
        "accident_seen": "事故登记后提示",
        "benefit_exhausted": "失业保险金领满后",
        "care_subsidy_paid": "护理补贴有发放即为已落实",
        "contributing_seen": "养老保险仍在缴费的期间",
        "contributions_stopped": "单位停缴达到",
        "contributions_stopped_latest": "单位停缴最长追溯",
        "disability_wait": "残疾补贴审核期",
        "death_dates_agree": "两处死亡日期相差不超过",
        "duplicate_subsidy": "重复补贴追溯",
        "earner_lost_event": "劳动力丧失事件追溯",
        "earner_lost_seen": "劳动力丧失登记后提示",
        "employer_contribution": "单位缴费追溯",
        "escalation": "黄色信号合并升级的期间",
        "exit_watch": "退出后跟踪期",
        "financial_query": "金融查询结果有效",
        "household_change": "家庭变化未申报超过",
        "household_change_seen": "家庭变化最长追溯",
        "housing_aid_ended": "住房保障到期未续追溯",
        "income_known": "收入有记录的期间",
        "jobless_over": "登记失业超过",
        "monitor_unassisted": "监测户未获帮扶达到",
        "new_accident": "新发生事故的提示期",
        "new_disability": "新办残疾证的提示期",
        "new_disaster": "新发生灾害的提示期",
        "new_disease": "新登记疾病的提示期",
        "newborn": "新生儿参保期",
        "newly_covered": "新纳入后不提示",
        "no_study_aid": "未获学生资助的期间",
        "paid_after_death": "死亡后发放追溯",
        "paid_in_custody": "羁押期间发放追溯",
        "payroll_seen": "财政供养追溯",
        "pension_seen": "养老金有发放即为在领",
        "pension_wait": "到龄后领取养老金的等待期",
        "provident_deposit": "公积金缴存追溯",
        "refused_recently": "申请未获批准后不再提示",
        "renovation_wait": "列入改造计划后开工期限",
        "repeat_suppressed": "反馈后不重复提示",
        "returned_payment": "退回款项追溯",
        "review_overdue": "复核逾期超过",
        "same_disaster": "视为同一次灾害的间隔",
        "study_aid_lasts": "学生资助视为有效的期间",
        "subsidy_seen": "补贴有发放即为已落实",
        "warning_expires": "预警有效期",
    },
}
SAID_BY_VALUE = {"part", "family"}
"""Keys whose words stand in a column of the value."""
"""Words for keys that are ours and in no code list."""

WORDS: dict[tuple[str, Any], str] = {
    ("period", "month"): "月",
    ("period", "year"): "年",
    ("unit", "month"): "个月",
    ("unit", "day"): "天",
    ("comparator", "<"): "低于",
    ("comparator", "<="): "不高于",
    ("comparator", ">"): "高于",
    ("comparator", ">="): "不低于",
    ("basis", "all"): "全体居民",
    ("basis", "urban"): "城镇居民",
    ("basis", "rural"): "农村居民",
    ("income_basis", "all"): "全体居民",
    ("income_basis", "urban"): "城镇居民",
    ("income_basis", "rural"): "农村居民",
    ("income_basis", "own"): "本户城乡属性居民",
    ("mode", "rate"): "按工资比例",
    ("mode", "fixed"): "按月定额",
    ("mode", "minimum_wage"): "按最低工资比例",
    ("mode", "either"): "按工资或最低工资比例",
    ("visit_working_days", None): "随定期复核",
    ("close_working_days", None): "季度末",
}
COLUMN_ZH = {
    "after_months": "登记满几个月",
    "amount": "金额（元）",
    "before_months": "此前的月数",
    "dibao_multiple": "低保标准的倍数",
    "drop_percent": "下降比例（%）",
    "dwellings_max": "住房套数上限",
    "dwellings_max_relocation": "安置房套数上限",
    "exempt_ill_to": "重病家庭每人可保留金额（元）",
    "from_power_kw": "起计功率（千瓦）",
    "judged_from_month": "起核月份",
    "least_amount": "最低支出（元）",
    "length": "期限",
    "living_times": "生活支出按低保标准的倍数",
    "lodging_per_year": "每年住宿费（元）",
    "members_min": "最少人数",
    "min_known_months": "至少有记录的月数",
    "months": "月数",
    "months_of_dibao": "低保标准的月数",
    "multiple": "倍数",
    "net_per_mu": "每亩年纯收益（元）",
    "non_residential_max": "非居住用房上限",
    "payer_cap": "父母、配偶应付的合计上限",
    "payer_rate": "父母、配偶应付的比例",
    "percent": "比例（%）",
    "rate": "赡养比例",
    "rate_3_plus": "三个及以上子女的赡养比例",
    "recent_months": "最近的月数",
    "services_min": "最少服务次数",
    "threshold_multiple": "起算线的倍数",
    "times_of_income": "人均可支配收入的倍数",
    "tuition_per_year": "每年学费（元）",
    "vehicles_max": "车辆数上限",
    "years_of_dibao": "低保标准的年数",
}
"""Numeric columns of limits, as `explain` names the one that was moved."""
NOT_KNOWN_ZH = "未知"
YES = "是"
OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def number(value: Decimal) -> str:
    """810.00 -> 810, 730.06 -> 730.06."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def spoken(column: str, value: Any) -> str:
    """A single column of a value."""
    if value is None:
        return WORDS.get((column, None), "不限")
    if isinstance(value, bool):
        return YES if value else "否"
    if isinstance(value, Decimal):
        return number(value)
    return WORDS.get((column, value), str(value))


def value_zh(parameter: Parameter, value: Value) -> str:
    """A value in words: `每人每月810元`."""
    if value.columns is None:
        return NOT_KNOWN_ZH
    shown = {
        name: spoken(name, item) for name, item in zip(parameter.header.columns, value.columns, strict=True)
    }
    if parameter.header.says:
        # What stands in [ ] is left out where one of its columns is empty.
        empty = {name for name, item in zip(shown, value.columns, strict=True) if item is None}
        kept = OPTIONAL.sub(
            lambda match: "" if empty & set(PLACEHOLDER.findall(match.group(1))) else match.group(1),
            parameter.header.says,
        )
        chosen = CHOICE.sub(lambda match: match.group(2 if shown[match.group(1)] == YES else 3), kept)
        return PLACEHOLDER.sub(lambda match: shown[match.group(1)], chosen)
    return "，".join(f"{name} {text}" for name, text in shown.items())


def key_zh(name: str, value: str) -> str:
    """A key in words: the code list's, ours, or the key as it is."""
    if value in KEY_ZH.get(name, {}):
        return KEY_ZH[name][value]
    lists = code_lists()
    found = lists.get(CODE_LIST_OF_KEY.get(name, name))
    return found.codes.get(value, value) if found else value


def keys_zh(parameter: Parameter, several: Iterable[tuple[str, ...]]) -> str:
    """Several combinations of keys, in as few words as say them all; nothing when all of closed lists are meant.

    `城镇、乡村`, and of two keys `智力、精神（三级）；视力、听力（一级、二级）`.
    """
    names = list(parameter.header.keys)
    rests: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in dict.fromkeys(several) if names else []:
        rests.setdefault(first, []).append(tuple(rest))
    blocks: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for first, combined in rests.items():
        blocks.setdefault(tuple(sorted(combined)), []).append(first)
    said = []
    for found, firsts in blocks.items():
        words = [_key_values_zh(parameter, names[0], firsts, len(blocks) == 1)]
        words += [
            _key_values_zh(parameter, name, list(dict.fromkeys(row[place] for row in found)), True)
            for place, name in enumerate(names[1:])
        ]
        head, *tail = [word for word in words if word] or [""]
        said.append(f"{head}（{'，'.join(tail)}）" if tail else head)
    return "；".join(word for word in said if word)


def _key_values_zh(parameter: Parameter, name: str, values: list[str], may_be_all: bool) -> str:
    domain = parameter.header.keys[name]
    if name in SAID_BY_VALUE or (may_be_all and domain and len(domain) > 1 and set(values) == set(domain)):
        return ""
    return "、".join(key_zh(name, value) for value in values)


@dataclass(frozen=True)
class Saying:
    """Keys for which the same holds, in words."""

    keys_zh: str
    value_zh: str
    valid_from: date
    valid_to: date
    evidence: str
    source: str
    is_known: bool

    @property
    def text(self) -> str:
        """`城镇：每人每月810元`."""
        return f"{self.keys_zh}：{self.value_zh}" if self.keys_zh else self.value_zh

    @property
    def until_zh(self) -> str:
        """Last day, or nothing while it holds."""
        return "" if self.valid_to == FOREVER else self.valid_to.isoformat()


def sayings(parameter: Parameter, values: Iterable[Value]) -> list[Saying]:
    """Values in words, those together of which only the keys differ. In the order of the file."""
    together: dict[tuple[Any, ...], list[Value]] = {}
    for value in values:
        same = (value.valid_from, value.valid_to, value_zh(parameter, value), value.evidence, value.source)
        together.setdefault(same, []).append(value)
    return [
        Saying(
            keys_zh(parameter, [row.keys for row in rows]),
            said,
            start,
            end,
            evidence,
            source,
            rows[0].columns is not None,
        )
        for (start, end, said, evidence, source), rows in together.items()
    ]


def on_day(
    parameter: Parameter, county: str, day: date, wanted: Collection[str] | None = None
) -> list[Saying]:
    """What holds in a county on a day, in words; empty when no row is about that day. `wanted`: only these first keys."""
    keys = list(dict.fromkeys(value.keys for value in parameter.values))
    found = [parameter.at(county, key, day) for key in keys if wanted is None or key[0] in wanted]
    return sayings(parameter, [value for value in found if value is not None])


def latest(values: Iterable[Value]) -> list[Value]:
    """Of each combination of keys the value that begins last, and when that is `not known` also the last that was known."""
    spells: dict[tuple[str, ...], list[Value]] = {}
    for value in sorted(values, key=lambda v: v.valid_from):
        spells.setdefault(value.keys, []).append(value)
    found = []
    for row in spells.values():
        known = [value for value in row if value.columns is not None]
        found += [
            value
            for value in row
            if value is row[-1] or (row[-1].columns is None and known and value is known[-1])
        ]
    return sorted(found, key=lambda v: v.valid_from)


def place_zh(division: str) -> str:
    """Name of a division, with its code."""
    return f"{division_names().get(division, '')} {division}".strip()
