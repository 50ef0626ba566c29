"""From a warning to the delivered rows: those that its rule used, and those that it read past, with the reason."""

import json
import re
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from data_contracts.contract import FactTable, catalogue, codes_of, fact_tables
from pipelines import nights
from pipelines.nights import CannotRun
from policy.engine import default_policy
from policy.vocabulary import GRADES
from reports import night as report_night

_SPANS = (
    ("first_paid_month", "last_paid_month", "pay_month"),
    ("first_paid_month", "last_paid_month", "month"),
    ("first_on", "last_on", "settle_date"),
)
"""Evidence that bounds a sum, and the column of a fact that it bounds."""

_PAID_BY_CAUSE = {"assistance": "assistance_payment", "subsidy": "welfare_subsidy", "pension": "pension"}
"""Of which payments a warning adds up, where its evidence says that it adds up payments."""

_EVIDENCE_ZH = {
    "died_on": "死亡日期",
    "source_count": "来源数",
    "sources_zh": "来源",
    "dates_zh": "各来源的日期",
    "paid_months": "发放月数",
    "first_paid_month": "最早所属月份",
    "last_paid_month": "最晚所属月份",
    "paid_amount": "金额合计（元）",
    "other_members": "其他保障成员数",
    "own_pay": "个人自付合计（元）",
    "limit_amount": "预警线（元）",
    "settlements": "结算笔数",
    "first_on": "最早日期",
    "last_on": "最晚日期",
    "issue_date": "发证日期",
    "since": "起始",
    "months_missed": "中断月数",
    "months_allowed": "允许月数",
    "event_on": "事件日期",
    "others": "其余成员数",
    "income_share_percent": "收入占比（%）",
    "share_limit_percent": "占比界限（%）",
    "members": "成员数",
    "income_per_person_12m": "12个月人均收入（元）",
    "until_month": "截至月份",
    "standard_12m": "12个月标准（元）",
    "hardship": "困难情形",
    "due_month": "应发月份",
    "benefit_per_month": "每月应发（元）",
    "vehicles": "车辆数",
    "vehicles_max": "车辆上限",
    "families_zh": "车辆类别",
    "newest_reg": "最近登记",
    "units": "住房套数",
    "units_max": "套数上限",
    "units_bought": "其中购入套数",
    "units_left_out": "未计入套数",
    "start_month": "享受待遇起始月份",
    "entities": "市场主体数",
    "roles_zh": "任职",
    "oldest_est": "最早成立",
    "subscribed_total": "认缴出资合计",
    "total": "金融资产合计（元）",
    "per_person": "人均（元）",
    "limit_per_person": "人均限额（元）",
    "accounts": "笔数",
    "not_answered": "未回复查询数",
    "mismatched": "不一致数",
    "foreign_accounts": "外币账户数",
    "oldest_query": "最早查询日期",
    "cases": "救助证数",
    "counties": "涉及县区数",
    "categories_zh": "待遇类别",
}
"""Names of evidence for a reader; what is not here is a code of the rule and stands in --json only."""

NOT_COUNTED_ZH = (
    "数据第几行：从1数起，只数数据行；标题行、表头行、空行和合计行不计，因此在原文件中的行号要大一些。"
)
USED_ZH = "用到：规则读取了该行；未用到：括号内为原因。规则不读取的数据表不在此列。"


def warning(home: Path, warning_id: str, day: date | None) -> dict[str, Any]:
    """A warning with its evidence and the delivered rows that its rule read, each with `used` and `why_zh`.

    Tables that the rule merely may use, and does not cite, are left out. CannotRun if the warning is unknown.
    """
    folder = nights.latest_folder(home, "risk", day)
    as_of = folder.name.removeprefix("batch_date=")
    path = folder / "warnings.parquet"
    if not path.is_file():
        raise CannotRun(f"the rules were not run on {as_of}")
    rows = pl.read_parquet(path).filter(pl.col("warning_id") == warning_id)
    if rows.is_empty():
        raise CannotRun(f"no warning {warning_id} on {as_of}")
    row = rows.row(0, named=True)
    lake, night = home / "lake", folder.name
    members = pl.read_parquet(lake / "households" / night / "household_member.parquet").filter(
        pl.col("household_id") == row["household_id"]
    )
    people = [row["person_id"]] if row["person_id"] is not None else members["person_id"].to_list()
    sources = json.loads(row["sources_json"] or "{}")
    evidence = json.loads(row["evidence_json"] or "{}")
    found = [
        one
        for fact, classes in sorted(_read_by(row["rule_id"], sources).items())
        if (lake / "facts" / night / f"{fact}.parquet").is_file()
        for one in _delivered_rows(lake, night, fact_tables()[fact], classes, people, row, evidence)
    ]
    return {
        "warning_id": warning_id,
        "as_of": as_of,
        "rule_id": row["rule_id"],
        "rule_version": row["rule_version"],
        "list_kind": row["list_kind"],
        "level": row["level"],
        "household_id": f"H{row['household_id']:09d}",
        "person": _person(row["person_id"]),
        "reason_zh": row["reason_zh"],
        "evidence": evidence,
        "sources": sources,
        "rows": found,
    }


def _read_by(rule_id: str, sources: dict[str, Any]) -> dict[str, list[str]]:
    """Fact table -> classes on which a warning of the rule rests; all that its sources feed if the rule is gone."""
    policy = default_policy()
    rule = policy.rules.get(rule_id)
    if rule is None:
        found: dict[str, list[str]] = {}
        for class_id in sorted(set(sources) & set(catalogue())):
            for fact in {feed.fact for feed in catalogue()[class_id].feeds}:
                found.setdefault(fact, []).append(class_id)
        return found
    needs, uses = policy.needs_of(rule)
    cited = set(rule.header.cited_sources())
    rests_on = needs | {fact: need for fact, need in uses.items() if cited & set(need.sources)}
    return {fact: sorted(need.sources) for fact, need in rests_on.items() if fact in fact_tables()}


def _delivered_rows(
    lake: Path,
    night: str,
    table: FactTable,
    classes: list[str],
    people: list[int],
    warned: dict[str, Any],
    evidence: dict[str, Any],
) -> list[dict[str, Any]]:
    """Rows of a fact table about these people, or the case of the warning, down to file and data row."""
    scan = pl.scan_parquet(lake / "facts" / night / f"{table.id}.parquet")
    present = scan.collect_schema().names()
    persons = [column for column in table.persons if column in present]
    about = pl.any_horizontal(pl.lit(False), *(pl.col(c).is_in(people) for c in persons))
    if "case_id" in present and warned["case_id"]:
        about = about | (pl.col("case_id") == warned["case_id"])
    rows = (
        scan.filter(pl.col("source_class").is_in(classes) & about)
        .unique()
        .sort("source_class", "data_as_of", "row_key")
        .collect()
    )
    files = _files(lake, rows["source_class"].unique().to_list())
    found = []
    for row in rows.iter_rows(named=True):
        why = _why_not_used(table, row, people, warned, evidence)
        delivery_id, number = row["row_key"].split(":")[:2]
        name, other = files.get(delivery_id, (None, 0))
        found.append(
            {
                "class_id": row["source_class"],
                "fact": table.id,
                "person": ", ".join(_person(row[p]) or "" for p in persons if row[p] in people),
                "batch_date": row["data_as_of"],
                "delivery_id": delivery_id,
                "file": name,
                "row": int(number),
                "lines_not_counted": other,
                "used": why is None,
                "why_zh": why,
                "values_zh": _told(table, row),
                "amount": _amount(table, row),
            }
        )
    return found


def _files(lake: Path, classes: list[str]) -> dict[str, tuple[str, int]]:
    """Delivery -> name of its file, and how many of its lines are no data rows."""
    columns = ["delivery_id", "file", "rows_other"]
    return {
        entry["delivery_id"]: (entry["file"], entry["rows_other"] or 0)
        for class_id in classes
        for ledger in sorted((lake / "ledger" / class_id).glob("*.parquet"))
        for entry in pl.read_parquet(ledger, columns=columns).iter_rows(named=True)
    }


def _why_not_used(
    table: FactTable, row: dict[str, Any], people: list[int], warned: dict[str, Any], evidence: dict[str, Any]
) -> str | None:
    """Why the rule did not go by a row it read; null when it did.

    The members of a case are persons; its payments belong to the case, whoever is linked to them.
    """
    is_case = bool(warned["case_id"]) and row.get("case_id") == warned["case_id"]
    if warned["case_id"] and "case_id" in row and not is_case:
        return "另一救助证"
    grades = [row[table.grade_of(p)] for p in table.persons if row.get(p) in people]
    if (table.id.endswith("_member") or not is_case) and grades:
        allowed = GRADES[warned["list_kind"]]
        if not any(grade in allowed for grade in grades):
            return f"关联等级{min(grades)}"
    counted = _PAID_BY_CAUSE.get(evidence.get("cause", "")) if "paid_amount" in evidence else None
    is_payment = "pay_month" in row or table.id == "pension"
    if counted and is_payment:
        if table.id != counted:
            return "本提示不计这类发放"
        if table.id == "welfare_subsidy":
            if row["person_id"] not in people:
                return "领取人是他人"
            if not str(warned["cause_key"]).endswith(f":{row['subsidy_type']}"):
                return "本提示说的是另一类补贴"
    for first, last, column in _SPANS:
        bounds, value = (evidence.get(first), evidence.get(last)), row.get(column)
        if all(bounds) and value is not None and not bounds[0] <= value.isoformat() <= bounds[1]:
            return "不在所述期间"
    if counted and is_payment:
        if row.get("pay_status", row.get("status")) != "1":
            return "未发放成功"
        if row.get("item") == "6":
            return "该项目不计"
    return None


def _told(table: FactTable, row: dict[str, Any]) -> str:
    """Months (days where there are none), results of payments and amounts of a fact, in words."""
    kinds = {column.type for column in table.columns if row.get(column.name) is not None}
    when = "month" if "month" in kinds else "date"
    said = []
    for column in table.columns:
        value = row.get(column.name)
        if value is None:
            continue
        name = re.split("[：（，]", column.description.zh)[0]
        if column.type == when:
            said.append(f"{name}{value:%Y-%m}" if when == "month" else f"{name}{value}")
        elif column.type == "money":
            said.append(f"{name}{value}{column.unit or ''}")
        elif column.name == "pay_status":
            labels = codes_of(column)
            said.append((labels.codes if labels else {}).get(value, value))
    return "，".join(said)


def _amount(table: FactTable, row: dict[str, Any]) -> Any:
    """The amount that can be added up; null where a fact has none or several."""
    money = [column.name for column in table.columns if column.type == "money"]
    return row.get(money[0]) if len(money) == 1 else None


def _person(person_id: int | None) -> str | None:
    return None if person_id is None else f"P{person_id:09d}"


def print_warning(console: Console, found: dict[str, Any], limit: int = 60) -> None:
    """A warning as an auditor follows it, in Chinese throughout: used rows first, with their sum."""
    level = report_night.LEVELS.get(found["level"], (found["level"],))[0]
    console.print(
        f"[bold]{found['warning_id']}[/bold] {found['rule_id']}第{found['rule_version']}版，"
        f"{report_night.LIST_ZH[found['list_kind']]}，{level}，{found['household_id']} {found['person'] or ''}"
    )
    console.print(found["reason_zh"], soft_wrap=True)
    for name, value in found["evidence"].items():
        if value is not None and name in _EVIDENCE_ZH:
            console.print(f"  {_EVIDENCE_ZH[name]}：{value}", soft_wrap=True)
    if not found["rows"]:
        console.print("没有可以列出的数据行")
        return
    console.print(USED_ZH, soft_wrap=True)
    console.print(NOT_COUNTED_ZH, soft_wrap=True)
    left = limit
    for _, group in groupby(
        found["rows"], key=lambda row: (row["fact"], row["class_id"], row["delivery_id"])
    ):
        rows = sorted(group, key=lambda row: (not row["used"], row["row"]))
        _print_file(console, rows, left)
        left = max(0, left - len(rows))


def _print_file(console: Console, rows: list[dict[str, Any]], limit: int) -> None:
    """The rows of one file that went into one fact."""
    first = rows[0]
    source = catalogue().get(first["class_id"])
    console.print(
        f"[bold]{fact_tables()[first['fact']].title.zh}[/bold]：{source.title.zh if source else first['class_id']}，"
        f"{first['batch_date']}送达 {first['file'] or '文件名不详'}（不计的行共{first['lines_not_counted']}行，"
        f"送达编号{first['delivery_id']}）",
        soft_wrap=True,
    )
    used = [row for row in rows if row["used"]]
    for row in rows[:limit]:
        state = "用到" if row["used"] else f"未用到（{row['why_zh']}）"
        about = f"，{row['person']}" if row["person"] else ""
        told = f"：{row['values_zh']}" if row["values_zh"] else ""
        console.print(f"  数据第{row['row']}行 {state}{about}{told}", soft_wrap=True)
    if len(rows) > limit:
        console.print(f"  另有{len(rows) - limit}行未列出（用 --json 查看）")
    amounts = [row["amount"] for row in used if row["amount"] is not None]
    if amounts:
        console.print(f"  用到{len(used)}行，金额合计{sum(amounts)}元")
