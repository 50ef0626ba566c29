"""Why a household is on a list or not: its measures with what they rest on, and every rule with what kept it silent."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from assets import risk
from assets.io import Home
from pipelines import nights
from pipelines.measure_words import in_words
from policy.engine import default_policy
from policy.nearness import nearly
from reports.night import LIST_ZH

TOLD_LAST = ("basis_zh", "missing_zh", "oldest_on")
"""Columns of a measure that are said after its figures: what it rests on, what is missing, the oldest date."""


def why(home: Path, household_id: int, day: date | None, *, near: bool = True) -> dict[str, Any]:
    """Measures of a household and its members, and every rule: spoke, off, left out, near, or nothing.

    With `near`, the rules that did not speak are asked again with one limit moved (`policy/nearness.py`); nothing is stored.
    """
    folder = nights.latest_folder(home, "households", day)
    night, lake = folder.name, home / "lake"
    as_of = date.fromisoformat(night.removeprefix("batch_date="))
    members = pl.read_parquet(folder / "household_member.parquet").filter(
        pl.col("household_id") == household_id
    )
    people = members["person_id"].drop_nulls().to_list()
    counties = pl.read_parquet(folder / "household.parquet").filter(pl.col("household_id") == household_id)
    county = counties["county_code"][0] if counties.height else None
    return {
        "measures": _measures(lake / "risk" / night / "measures", household_id, people),
        "rules": _rules(home, lake / "risk" / night, as_of, household_id, county, near),
    }


def _measures(folder: Path, household_id: int, people: list[int]) -> list[dict[str, Any]]:
    """Rows of the stored measures that are about the household, its members or their cases."""
    found = []
    for path in sorted(folder.glob("*.parquet")):
        measure = default_policy().measures.get(path.stem)
        scan = pl.scan_parquet(path)
        names = scan.collect_schema().names()
        if measure is None or not {"household_id", "person_id"} & set(names):
            continue
        about = pl.col("household_id") == household_id if "household_id" in names else pl.lit(False)
        if "household_id" not in names:
            about = pl.col("person_id").is_in(people)
        header = measure.header
        found += [
            {
                "measure": path.stem,
                "title_zh": header.title.zh,
                "unit": header.unit,
                "period": header.period,
                "values": {name: row[name] for name in names if name not in TOLD_LAST},
                **{name: row.get(name) for name in TOLD_LAST},
                "known_gaps_zh": header.known_gaps.zh,
            }
            for row in scan.filter(about).collect().rows(named=True)
        ]
    return found


def _mine(path: Path, household_id: int) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return pl.read_parquet(path).filter(pl.col("household_id") == household_id).to_dicts()


def _rules(
    home: Path, folder: Path, as_of: date, household_id: int, county: str | None, near: bool
) -> list[dict[str, Any]]:
    policy = default_policy()
    raised = _mine(folder / "warnings.parquet", household_id)
    spoke = {row["rule_id"] for row in raised}
    left_out = _mine(folder / "left_out.parquet", household_id)
    off: dict[str, list[str]] = {}
    if (path := folder / "rule_status.parquet").is_file():
        for row in pl.read_parquet(path).iter_rows(named=True):
            if row["status"] == "off" and row["county_code"] in (None, county):
                off.setdefault(row["rule_id"], []).append(row["reason_zh"])
    answer = None
    if near and (folder / "warnings.parquet").is_file():
        place = Home(root=str(home))
        asked = sorted(set(policy.rules) - set(off))
        answer = nearly(
            risk.views(place, as_of), as_of, household_id, spoke, policy, risk.memory(place, as_of), asked
        )
    found = []
    for rule in policy.rules.values():
        said = [row["reason_zh"] for row in raised if row["rule_id"] == rule.id]
        out = [row["why_zh"] for row in left_out if row["rule_id"] == rule.id]
        close = [asdict(one) for one in answer.near if one.rule_id == rule.id] if answer else []
        state = (
            "raised"
            if said
            else "off"
            if rule.id in off
            else "left_out"
            if out
            else "near"
            if close
            else "silent"
        )
        found.append(
            {
                "rule_id": rule.id,
                "title_zh": rule.header.title.zh,
                "list_kind": rule.list_kind,
                "state": state,
                "off_zh": off.get(rule.id, []),
                "left_out_zh": out,
                "near": close,
                "not_asked_zh": answer.not_asked.get(rule.id) if answer else None,
            }
        )
    return found


def print_why(console: Console, found: dict[str, Any]) -> None:
    """Measures and rules as an officer reads them."""
    if found["measures"]:
        console.print("[bold]计量[/bold]（写“不知道”的是没有资料，不是零）")
    for one in found["measures"]:
        console.print(f"  {one['title_zh']}：{in_words(one['values'])}", soft_wrap=True)
        for name, word in (("basis_zh", "依据"), ("missing_zh", "缺少"), ("oldest_on", "最早数据")):
            if one[name] is not None:
                console.print(f"    {word}：{one[name]}", soft_wrap=True)
    console.print("[bold]未提示的规则[/bold]")
    silent = []
    for rule in found["rules"]:
        name = f"{rule['rule_id']} {rule['title_zh']}（{LIST_ZH[rule['list_kind']]}）"
        for text in rule["off_zh"] if rule["state"] == "off" else []:
            console.print(f"  {name}：未核对。{text}", soft_wrap=True)
        for text in dict.fromkeys(rule["left_out_zh"]):
            console.print(f"  {name}：看到而未提示，{text}", soft_wrap=True)
        for near in rule["near"] if rule["state"] != "raised" else []:
            console.print(
                f"  {name}：接近。{near['title_zh']}的{near['column_zh']}现为“{near['now']}”，若为“{near['then']}”则会提示："
                f"{near['reason_zh']}",
                soft_wrap=True,
            )
        if rule["not_asked_zh"]:
            console.print(f"  {name}：{rule['not_asked_zh']}", soft_wrap=True)
        elif rule["state"] == "silent":
            silent.append(f"{rule['rule_id']} {rule['title_zh']}")
    if silent:
        console.print(f"  其余规则没有发现，也不接近：{'、'.join(silent)}", soft_wrap=True)
