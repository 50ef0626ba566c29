"""What one night found, as frames, and the views of it that an audience's outputs may read.

What belongs here: the shape of the input (`NightFrames`), reading it from the lake, and preparing the views.
What an output shows belongs in `definitions/`; what an audience may see of a person in `audiences.yaml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

from data_contracts.contract import catalogue, code_lists, departments
from data_contracts.places import county_table, township_table, village_table
from policy import sql_file
from policy.leads import TITLES_ZH
from policy.parameters import read_parameter
from reports.masking import Audience, Gate, persons_for

ListKind = Literal["help_in", "check_out"]

LEVELS = {"red": ("红", 1), "orange": ("橙", 2), "yellow": ("黄", 3), "blue": ("蓝", 4)}
LIST_ZH = {"help_in": "可能需要帮助", "check_out": "请核查"}
STATE_ZH = {"new": "新增", "repeated": "持续", "changed": "变化"}
"""States of a warning that is open, and so on the list."""
OTHER_STATE_ZH = {"expired": "已过期", "answered": "已反馈", "suppressed": "近期已核查不再提示"}
SOURCE_ZH = {
    "fresh": "正常",
    "late": "逾期未更新",
    "absent": "未收到",
    "failed": "校验未通过",
    "held": "待部门确认",
}

GROUP_ZH = {
    "0": "本人", "1": "配偶", "2": "子", "3": "女儿", "4": "孙辈", "5": "父母", "6": "祖辈", "7": "兄弟姐妹", "8": "其他亲属",
    "9": "非亲属",
}  # fmt: skip
"""First digit of GB/T 4761-2008: what is said when the second digit is not known, or its title is too long for a list."""
BASIS_ZH = {
    "same_register": "同一户口簿",
    "register": "户口簿",
    "spouse": "婚姻登记",
    "marriage": "婚姻登记",
    "parent_child": "亲子关系登记",
    "guardian": "监护关系登记",
    "case": "救助台账（无其他成员在家）",
    "student": "在外就学的子女",
    "dwelling": "同一住房保障",
    "address": "居住登记（与同户人员分开居住）",
    "alone": "单独立户",
}

_PERSON_ID = re.compile(r"P(\d{9})")
_RULE_ID = re.compile(r"^[NPXQ]\d{2} ")

SHAPES: dict[str, dict[str, Any]] = {
    "warnings": {
        "warning_id": pl.String, "rule_id": pl.String, "rule_version": pl.Int64, "list_kind": pl.String,
        "household_id": pl.Int64, "person_id": pl.Int64, "county_code": pl.String, "township_code": pl.String,
        "village_code": pl.String, "level": pl.String, "reason_zh": pl.String, "sources_json": pl.String,
        "raised_on": pl.Date, "expires_on": pl.Date, "visit_due_on": pl.Date, "close_due_on": pl.Date,
    },
    "rule_status": {
        "rule_id": pl.String, "county_code": pl.String, "status": pl.String, "reason_zh": pl.String,
        "sources_json": pl.String,
    },
    "priority": {
        "household_id": pl.Int64, "list_kind": pl.String, "level": pl.String, "score": pl.Decimal(18, 2),
        "parts_json": pl.String, "visit_due_on": pl.Date, "close_due_on": pl.Date, "order_no": pl.Int64,
    },
    "register": {
        "warning_id": pl.String, "state": pl.String, "first_raised_on": pl.Date, "last_raised_on": pl.Date,
    },
    "household": {
        "household_id": pl.Int64, "head_person_id": pl.Int64, "county_code": pl.String, "township_code": pl.String,
        "village_code": pl.String, "members": pl.Int32,
    },
    "household_member": {
        "household_id": pl.Int64, "person_id": pl.Int64, "relation": pl.String, "basis": pl.String,
        "needs_check": pl.Boolean,
    },
    "persons": {
        "person_id": pl.Int64, "person_name": pl.String, "sex": pl.String, "birth_date": pl.Date,
    },
    "deaths": {
        "person_id": pl.Int64, "died_on": pl.Date,
    },
    "source_status": {
        "class_id": pl.String, "department": pl.String, "last_batch": pl.Date, "expected_by": pl.Date,
        "status": pl.String, "note_zh": pl.String,
    },
    "ledger": {
        "delivery_id": pl.String, "class_id": pl.String, "department": pl.String, "batch_date": pl.Date,
        "file": pl.String, "sha256": pl.String, "bytes": pl.Int64, "format": pl.String, "encoding": pl.String,
        "kind": pl.String, "rows_received": pl.Int64, "rows_accepted": pl.Int64, "rows_rejected": pl.Int64,
        "rows_duplicate": pl.Int64, "rows_quarantined": pl.Int64, "rows_other": pl.Int64, "status": pl.String,
        "control_ok": pl.Boolean, "control_note_zh": pl.String,
    },
    "issues": {
        "class_id": pl.String, "file": pl.String, "row": pl.Int64, "column": pl.String, "reason": pl.String,
        "severity": pl.String, "masked_value": pl.String, "message_zh": pl.String, "action_zh": pl.String,
        "rows": pl.Int64,
    },
    "leads": {
        "lead_id": pl.String, "department": pl.String, "class_id": pl.String, "what": pl.String, "count": pl.Int64,
        "row_keys": pl.List(pl.String), "reason_zh": pl.String, "since": pl.Date,
    },
    "delivered": {
        "delivery_id": pl.String, "class_id": pl.String, "batch_date": pl.Date, "file": pl.String,
    },
    "monitored": {
        "household_id": pl.Int64, "person_id": pl.Int64, "layer": pl.String, "category": pl.String, "case_id": pl.String,
        "since": pl.Date, "by_zh": pl.String, "grace_until": pl.Date, "until": pl.Date, "term_state": pl.String,
        "review_months": pl.Int64, "review_due_on": pl.Date, "review_state": pl.String, "age_zh": pl.String, "clock_zh": pl.String,
    },
    "candidate": {
        "household_id": pl.Int64, "person_id": pl.Int64, "layer": pl.String, "candidate": pl.String, "since": pl.Date,
        "rule_ids": pl.List(pl.String),
    },
    "unread": {
        "department": pl.String, "file": pl.String, "message_zh": pl.String,
    },
    "checks": {
        "class_id": pl.String, "check_zh": pl.String, "outcome": pl.String, "severity": pl.String,
        "rows_failed": pl.Int64, "note_zh": pl.String,
    },
    "links": {
        "source_class": pl.String, "grade": pl.String, "pass_id": pl.String, "identities": pl.Int64,
    },
    "conflicts": {
        "source_class": pl.String, "kind": pl.String, "conflicts": pl.Int64,
    },
    "answers": {
        "household_id": pl.Int64, "list_kind": pl.String, "rule_id": pl.String, "warning_id": pl.String,
        "result_code": pl.String, "visited_on": pl.Date,
    },
    "rules": {
        "rule_id": pl.String, "rule_version": pl.Int64, "list_kind": pl.String, "title_zh": pl.String,
        "legal_basis_zh": pl.String, "sources": pl.List(pl.String),
    },
}  # fmt: skip
"""Frames of a night and the columns that reports read. More columns are welcome and not looked at."""


class NightError(ValueError):
    """A frame of the night is missing a column or holds what no list can show."""


def empty(name: str) -> pl.DataFrame:
    """An empty frame of the shape that reports read."""
    return pl.DataFrame(schema=SHAPES[name])


@dataclass(frozen=True)
class NightFrames:
    """What a night found. The shape of each frame is in `SHAPES`; the first seven are needed, others may be empty.

    `warnings`, `rule_status`, `priority`, `register` come from policy; `household`, `household_member`, `persons`
    (restricted: names) from matching; `answers` is the fact table outcome_return, all answers so far; `deaths` has whom any source
    calls dead, one row a person; `delivered` are the deliveries of all nights that rows of leads come from; `monitored` is the measure
    `monitored_register` and `candidate` what stands apart from it; `links` and
    `conflicts` are counts, never rows about a person; `unread` are files that no contract claims (department null: outside
    the folders of the departments); `checks.outcome` is passed | failed | engine_error.
    """

    warnings: pl.DataFrame
    rule_status: pl.DataFrame
    priority: pl.DataFrame
    register: pl.DataFrame
    household: pl.DataFrame
    household_member: pl.DataFrame
    persons: pl.DataFrame
    deaths: pl.DataFrame = field(default_factory=lambda: empty("deaths"))
    source_status: pl.DataFrame = field(default_factory=lambda: empty("source_status"))
    ledger: pl.DataFrame = field(default_factory=lambda: empty("ledger"))
    issues: pl.DataFrame = field(default_factory=lambda: empty("issues"))
    unread: pl.DataFrame = field(default_factory=lambda: empty("unread"))
    leads: pl.DataFrame = field(default_factory=lambda: empty("leads"))
    delivered: pl.DataFrame = field(default_factory=lambda: empty("delivered"))
    monitored: pl.DataFrame = field(default_factory=lambda: empty("monitored"))
    candidate: pl.DataFrame = field(default_factory=lambda: empty("candidate"))
    checks: pl.DataFrame = field(default_factory=lambda: empty("checks"))
    links: pl.DataFrame = field(default_factory=lambda: empty("links"))
    conflicts: pl.DataFrame = field(default_factory=lambda: empty("conflicts"))
    answers: pl.DataFrame = field(default_factory=lambda: empty("answers"))
    rules: pl.DataFrame = field(default_factory=lambda: empty("rules"))

    def __post_init__(self) -> None:
        for name, shape in SHAPES.items():
            missing = set(shape) - set(getattr(self, name).columns)
            if missing:
                raise NightError(f"{name}: column missing: {', '.join(sorted(missing))}")
            typed = getattr(self, name).with_columns(pl.col(c).cast(t, strict=True) for c, t in shape.items())
            object.__setattr__(self, name, typed)


# --- reading ----------------------------------------------------------------------------------------------------


def _scan(path: Path, name: str) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    missing = {c: t for c, t in SHAPES[name].items() if c not in frame.columns}
    # An older night may lack a column that came later; what is needed to show a row is checked by NightFrames.
    optional = {"control_note_zh", "control_ok", "action_zh", "masked_value", "note_zh", "legal_basis_zh"}
    if name == "monitored":
        optional |= {"term_state", "review_months", "review_due_on", "review_state", "age_zh", "clock_zh"}
    return frame.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in missing.items() if c in optional)


def _optional(path: Path, name: str) -> pl.DataFrame:
    return _scan(path, name) if path.exists() else empty(name)


def _per_class(lake: Path, folder: str, name: str, as_of: date) -> pl.DataFrame:
    found = [_scan(p, name) for p in sorted(lake.glob(f"{folder}/*/batch_date={as_of}.parquet"))]
    wanted = list(SHAPES[name])
    return pl.concat([f.select(wanted) for f in found], how="vertical_relaxed") if found else empty(name)


def _unread(lake: Path, as_of: date) -> pl.DataFrame:
    """Files that nobody read: those in the folder of a department, and those beside the folders."""
    paths: list[tuple[Path, str | None]] = [
        (p, p.parent.name) for p in sorted(lake.glob(f"unclaimed/*/batch_date={as_of}.parquet"))
    ]
    paths += [(p, None) for p in sorted(lake.glob(f"strays/batch_date={as_of}.parquet"))]
    frames = [
        pl.read_parquet(path).with_columns(department=pl.lit(department, dtype=pl.String))
        for path, department in paths
    ]
    return pl.concat([empty("unread"), *(frame.select(list(SHAPES["unread"])) for frame in frames)])


def _deaths(path: Path, as_of: date) -> pl.DataFrame:
    """Whom a source called dead by the day, with the first day that any gives (as the measure `known_death`).

    A record in review, or of somebody who is not confirmed, marks nobody on a list as dead.
    """
    if not path.exists():
        return empty("deaths")
    known = pl.col("death_source").is_in(["register", "cremation", "certificate"])
    return (
        pl.read_parquet(
            path, columns=["person_id", "link_grade", "death_date", "recorded_date", "death_source"]
        )
        .filter(known & pl.col("person_id").is_not_null() & pl.col("link_grade").is_in(["A", "B"]))
        .filter(pl.coalesce("death_date", "recorded_date") <= as_of)
        .group_by("person_id")
        .agg(died_on=pl.coalesce(pl.col("death_date").min(), pl.col("recorded_date").min()))
        .sort("person_id")
    )


def _delivered(lake: Path, leads: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The deliveries that rows of leads came in: a row may be of an earlier night."""
    classes = leads.filter(pl.col("row_keys").list.len() > 0)["class_id"].unique().sort()
    found = [
        pl.read_parquet(path, columns=list(SHAPES["delivered"]))
        for name in classes
        for path in sorted((lake / "ledger" / name).glob("batch_date=*.parquet"))
        if path.stem <= f"batch_date={as_of}"
    ]
    return pl.concat([empty("delivered"), *found], how="vertical_relaxed").unique(maintain_order=True)


def rules_of_policy() -> pl.DataFrame:
    """Titles, versions and sources of the rules, from the headers of their files."""
    paths = sorted((sql_file.ROOT / "rules").glob("*/*.sql"))
    rows = [
        {
            "rule_id": rule.id,
            "rule_version": rule.header.version,
            "list_kind": rule.list_kind,
            "title_zh": rule.header.title.zh,
            "legal_basis_zh": "；".join(rule.header.legal_basis),
            "sources": sorted(
                {
                    s
                    for need in [*rule.header.needs.values(), *rule.header.uses.values()]
                    for s in need.sources
                }
            ),
        }
        for rule in map(sql_file.read_rule, paths)
    ]
    return pl.DataFrame(rows, schema=SHAPES["rules"]) if rows else empty("rules")


def read_night(lake: Path, as_of: date) -> NightFrames:
    """The frames of a night from the lake; FileNotFoundError when rules, persons or households were not run."""
    day = f"batch_date={as_of}"
    risk, people, homes, facts = (lake / room / day for room in ("risk", "persons", "households", "facts"))
    links = pl.scan_parquet(people / "links.parquet")
    conflicts = pl.scan_parquet(people / "conflicts.parquet")
    leads = _optional(lake / "leads" / day / "department_lead.parquet", "leads")
    return NightFrames(
        warnings=pl.read_parquet(risk / "warnings.parquet"),
        rule_status=pl.read_parquet(risk / "rule_status.parquet"),
        priority=pl.read_parquet(risk / "priority.parquet"),
        register=pl.read_parquet(risk / "register.parquet"),
        household=pl.read_parquet(homes / "household.parquet"),
        household_member=pl.read_parquet(homes / "household_member.parquet"),
        persons=pl.scan_parquet(people / "persons.parquet").select(list(SHAPES["persons"])).collect(),
        deaths=_deaths(facts / "death.parquet", as_of),
        source_status=_optional(facts / "source_status.parquet", "source_status"),
        ledger=_per_class(lake, "ledger", "ledger", as_of),
        issues=_per_class(lake, "issues", "issues", as_of),
        unread=_unread(lake, as_of),
        leads=leads,
        delivered=_delivered(lake, leads, as_of),
        monitored=_optional(risk / "measures" / "monitored_register.parquet", "monitored"),
        candidate=_optional(risk / "candidate.parquet", "candidate"),
        checks=_per_class(lake, "checks", "checks", as_of),
        links=links.group_by("source_class", "grade", "pass_id").agg(identities=pl.len()).collect(),
        conflicts=conflicts.group_by("source_class", "kind").agg(conflicts=pl.len()).collect(),
        answers=_optional(facts / "outcome_return.parquet", "answers"),
        rules=rules_of_policy(),
    )


# --- preparing --------------------------------------------------------------------------------------------------


def _short_office(name: str) -> str:
    """税务局（含市场监管局共享） -> 税务局: what stands in brackets is for the catalogue."""
    return name.split("（")[0].split("(")[0]


def _supplier(unit: str, office: str) -> str:
    """Who is to be asked for a class: the office, or the unit that supplies it where that is another.

    民政局殡葬管理部门 of 民政局 -> 民政局; 市场监督管理局 of 税务局 -> 市场监督管理局.
    """
    if unit.startswith(office):
        return office
    return re.sub(r"[（(][^）)]*[）)]", "", unit).split("，")[0] or office


def class_titles() -> pl.DataFrame:
    """class_id, class_no, class_zh, department_zh (who supplies it) of the catalogue, in its order."""
    names = departments()
    rows = [
        (
            c.id,
            c.no,
            c.title.zh,
            _supplier(
                c.supplying_unit,
                _short_office(names[c.department].title.zh if c.department in names else c.department),
            ),
        )
        for c in catalogue().values()
    ]
    schema = {"class_id": pl.String, "class_no": pl.Int64, "class_zh": pl.String, "department_zh": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _jurisdiction() -> pl.Expr:
    """Township of a row. A family whose township is unknown goes to a desk of its county, never nowhere."""
    return pl.coalesce("township_code", pl.col("county_code") + "000", pl.lit("000000000"))


def townships(night: NightFrames) -> pl.DataFrame:
    """Every township that gets lists: county_code, county_zh, prefecture_zh, township_code, township_zh.

    All townships of each county in which families live, so that a township without a warning learns that
    there is none, and the desk of a county where families have no known township.
    """
    served = pl.concat(
        [f.select("county_code", township_code=_jurisdiction()) for f in (night.household, night.warnings)]
    ).unique()
    known = township_table().filter(pl.col("county_code").is_in(served["county_code"].unique().implode()))
    stray = (
        served.join(known, on="township_code", how="anti")
        .with_columns(county_code=pl.col("county_code").fill_null("000000"))
        .join(county_table(), on="county_code", how="left")
        .select(
            "county_code",
            pl.col("county_zh").fill_null("辖区不明"),
            pl.col("prefecture_zh").fill_null(""),
            "township_code",
            township_zh=pl.when(pl.col("township_code").str.ends_with("000"))
            .then(pl.lit("待分派"))
            .otherwise(pl.col("township_code")),
        )
    )
    return pl.concat([known.select(stray.columns), stray]).unique("township_code").sort("township_code")


NAMED_SOURCES = 3
"""So many sources of one day are named in a cell; more are counted, since the sheet of explanations names them all."""


def _days_zh(days: Mapping[str, str | None], titles: Mapping[str, str]) -> str:
    """Days and sources in words, one line a day, the latest first: `11月17日 医疗费用结算、医疗救助待遇`."""
    by_day: dict[str, list[str]] = {}
    for name in sorted(days, key=lambda n: titles.get(n, n)):
        by_day.setdefault(days[name] or "", []).append(titles.get(name, name))
    lines = []
    for day, names in sorted(by_day.items(), reverse=True):
        when = f"{int(day[5:7])}月{int(day[8:10])}日" if day else "未收到"
        # What is missing is named whatever the number: a reader must see what was not known.
        few = len(names) <= NAMED_SOURCES or not day
        lines.append(f"{when} {'、'.join(names) if few else f'共{len(names)}类数据'}")
    return "\n".join(lines)


def _sources_zh(jsons: pl.Series, titles: Mapping[str, str]) -> pl.DataFrame:
    """sources_json -> sources_zh; read once per distinct text."""
    distinct = jsons.drop_nulls().unique().sort()
    return pl.DataFrame(
        {"sources_json": distinct, "sources_zh": [_days_zh(json.loads(text), titles) for text in distinct]},
        schema={"sources_json": pl.String, "sources_zh": pl.String},
    )


def _parts_zh(text: str | None) -> str:
    """Parts of a score in words, one a line: `家庭结构 5分`, equal ones together: `… 2条各40分`; one without points is only said."""
    if not text:
        return ""
    parts = json.loads(text)
    items = parts.items() if isinstance(parts, dict) else parts
    lines: dict[tuple[str, str], int] = {}
    for item in items:
        if isinstance(item, dict):
            label = next(
                (
                    item[k]
                    for k in ("reason_zh", "title_zh", "label_zh", "part_zh", "label", "part")
                    if k in item
                ),
                "",
            )
            points = str(item.get("points", "")).removesuffix(".00")
        else:
            label, points = item[0], item[1]
        said = (str(label), "") if str(points) in ("", "0") else (_RULE_ID.sub("", str(label)), f"{points}分")
        lines[said] = lines.get(said, 0) + 1
    return "\n".join(
        f"{label} {f'{count}条各' if count > 1 else ''}{points}" if points else label
        for (label, points), count in lines.items()
    )


def listed_warnings(night: NightFrames, as_of: date) -> pl.DataFrame:
    """Open warnings, one row each, with words instead of codes: what the lists are made of.

    A warning that the register does not know counts as new: better on the list twice in a month than lost. One that
    stays open because its rule could not speak tonight says so.
    """
    state = night.register.select("warning_id", "state", "first_raised_on", "last_raised_on")
    carried = night.register
    detail = night.warnings
    absent = carried.filter(pl.col("state").is_in(list(STATE_ZH))).join(detail, on="warning_id", how="anti")
    if absent.height:
        missing = set(SHAPES["warnings"]) - set(absent.columns)
        if missing:
            raise NightError(
                f"register: {absent.height} open warnings are not among tonight's and lack {', '.join(sorted(missing))}"
            )
        wanted = list(SHAPES["warnings"])
        detail = pl.concat(
            [detail.select(wanted), absent.select(pl.col(c).cast(t) for c, t in SHAPES["warnings"].items())]
        )
    levels = pl.DataFrame(
        [(k, zh, no) for k, (zh, no) in LEVELS.items()],
        schema={"level": pl.String, "level_zh": pl.String, "level_no": pl.Int64},
        orient="row",
    )
    listed = (
        detail.join(state, on="warning_id", how="left")
        .with_columns(
            pl.col("state").fill_null("new"), first_raised_on=pl.coalesce("first_raised_on", "raised_on")
        )
        .filter(pl.col("state").is_in(list(STATE_ZH)))
        .join(night.rules.select("rule_id", rule_zh="title_zh"), on="rule_id", how="left")
        .join(levels, on="level", how="left")
        # A family goes to one township, the one where it lives, even when a case of it is kept elsewhere.
        .join(night.household.select("household_id", home=_jurisdiction()), on="household_id", how="left")
        .with_columns(
            state_zh=pl.col("state").replace_strict(STATE_ZH),
            reason_zh=pl.when(pl.col("last_raised_on") < as_of)
            .then(
                pl.col("reason_zh")
                + pl.format(
                    "（本期未能重新核对，沿用{}月{}日的结果。）",
                    pl.col("last_raised_on").dt.month(),
                    pl.col("last_raised_on").dt.day(),
                )
            )
            .otherwise(pl.col("reason_zh")),
            rule_zh=pl.coalesce("rule_zh", "rule_id"),
            jurisdiction=pl.coalesce("home", _jurisdiction()),
        )
    )
    bare = listed.filter(
        pl.col("reason_zh").is_null()
        | (pl.col("reason_zh").str.strip_chars() == "")
        | pl.col("level_no").is_null()
    )
    if bare.height:
        rules = ", ".join(sorted(bare["rule_id"].unique()))
        raise NightError(
            f"warnings: {bare.height} rows without a reason or with an unknown level (rules {rules})"
        )
    return listed.sort("list_kind", "jurisdiction", "household_id", "level_no", "rule_id", "warning_id")


def listed_households(night: NightFrames, listed: pl.DataFrame) -> pl.DataFrame:
    """Families with an open warning, one row a family and list: level, score, deadlines, state."""
    parts = night.priority.select("household_id", "list_kind", "level", "score", "order_no", "parts_json")
    texts = parts["parts_json"].drop_nulls().unique().sort()
    words = pl.DataFrame(
        {"parts_json": texts, "parts_zh": [_parts_zh(t) for t in texts]},
        schema={"parts_json": pl.String, "parts_zh": pl.String},
    )
    number = {k: no for k, (_, no) in LEVELS.items()}
    word = {no: zh for zh, no in LEVELS.values()}
    due = night.priority.select(
        "household_id", "list_kind", own_visit="visit_due_on", own_close="close_due_on"
    )
    families = listed.group_by("list_kind", "household_id", "jurisdiction").agg(
        county_code=pl.col("county_code").first(),
        village_code=pl.col("village_code").first(),
        worst=pl.col("level_no").min(),
        visit_due_on=pl.col("visit_due_on").min(),
        close_due_on=pl.col("close_due_on").min(),
        first_raised_on=pl.col("first_raised_on").min(),
        warnings=pl.len(),
        states=pl.col("state").unique(),
    )
    changed = pl.col("states").list.contains("changed")
    new, old = pl.col("states").list.contains("new"), pl.col("states").list.contains("repeated")
    state_zh = (
        pl.when(changed | (new & old))
        .then(pl.lit("变化"))
        .when(new)
        .then(pl.lit("新增"))
        .otherwise(pl.lit("持续"))
    )
    return (
        families.join(parts, on=["household_id", "list_kind"], how="left")
        .join(words, on="parts_json", how="left")
        .join(due, on=["household_id", "list_kind"], how="left")
        .with_columns(
            level_no=pl.coalesce(pl.col("level").replace_strict(number, default=None, return_dtype=pl.Int64), "worst"),
            state_zh=state_zh,
            parts_zh=pl.col("parts_zh").fill_null(""),
            # A family that came to the list without a score stands after those of its level that have one.
            order_no=pl.col("order_no").fill_null(2**31),
            visit_due_on=pl.coalesce("own_visit", "visit_due_on"),
            close_due_on=pl.coalesce("own_close", "close_due_on"),
        )
        .with_columns(level_zh=pl.col("level_no").replace_strict(word, return_dtype=pl.String))
        .select(
            "list_kind", "jurisdiction", "county_code", "village_code", "household_id", "level_no", "level_zh",
            "order_no", "score", "parts_zh", "visit_due_on", "close_due_on", "first_raised_on", "state_zh",
            "warnings",
        )
        .sort("list_kind", "jurisdiction", "level_no", "order_no", "household_id")
        .with_columns(
            row_no=pl.int_range(1, pl.len() + 1).over("list_kind", "jurisdiction"),
            household_no="H" + pl.col("household_id").cast(pl.String).str.zfill(9),
        )
    )  # fmt: skip


def _members(night: NightFrames, as_of: date) -> pl.DataFrame:
    """Members with words for relation, basis and death; the head first, then by relation and id."""
    this_year = pl.col("died_on").dt.year() == as_of.year
    relation = pl.col("relation").str.strip_chars()
    titles = {code: zh for code, zh in code_lists()["family_relation"].codes.items() if len(zh) <= 6}
    titles["30"] = GROUP_ZH["3"]
    basis = pl.col("basis").str.strip_chars()
    chinese = r"\p{Han}"
    return (
        night.household_member.join(
            night.household.select("household_id", "head_person_id"), on="household_id", how="left"
        )
        .with_columns(
            is_head=(pl.col("person_id") == pl.col("head_person_id")).fill_null(False),
            relation_zh=pl.coalesce(
                relation.replace_strict(titles, default=None, return_dtype=pl.String),
                relation.str.slice(0, 1).replace_strict(GROUP_ZH, default=None, return_dtype=pl.String),
                pl.when(relation.str.contains(chinese)).then(relation),
                pl.lit("关系待核实"),
            ),
            basis_zh=pl.coalesce(
                basis.replace_strict(BASIS_ZH, default=None, return_dtype=pl.String),
                pl.when(basis.str.contains(chinese)).then(basis),
                pl.lit("登记信息"),
            ),
        )
        .with_columns(
            relation_zh=pl.when(pl.col("is_head")).then(pl.lit("户主")).otherwise(pl.col("relation_zh")),
            needs_check=pl.col("needs_check").fill_null(False),
        )
        .join(night.deaths.select("person_id", "died_on"), on="person_id", how="left")
        .with_columns(
            died_zh=pl.when(this_year)
            .then(pl.col("died_on").dt.strftime("已登记死亡 %-m月%-d日"))
            .otherwise(pl.col("died_on").dt.strftime("已登记死亡 %Y年%-m月%-d日"))
            .fill_null(""),
            is_dead=pl.col("died_on").is_not_null(),
        )
        .sort("household_id", ~pl.col("is_head"), "relation", "person_id", nulls_last=True)
        .with_columns(member_no=pl.int_range(pl.len()).over("household_id") + 1)
        .select(
            "household_id",
            "person_id",
            "member_no",
            "is_head",
            "relation_zh",
            "basis_zh",
            "needs_check",
            "is_dead",
            "died_zh",
        )
    )


def _named(listed: pl.DataFrame, person: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Reasons of an audience that may see names: the person's (masked) name instead of the number, with relation and age.

    Masked names of one family are often the same: 吴**（子，6岁） tells which of them is meant.
    """
    named = (
        listed.join(
            person.select("person_id", "name_zh", age_zh=pl.format("{}岁", "age")), on="person_id", how="left"
        )
        .join(
            members.select("household_id", "person_id", who="relation_zh"),
            on=["household_id", "person_id"],
            how="left",
        )
        .with_columns(about=pl.concat_str("who", "age_zh", separator="，", ignore_nulls=True))
        .with_columns(
            person_zh=pl.when(pl.col("about") != "")
            .then(pl.format("{}（{}）", "name_zh", "about"))
            .otherwise("name_zh")
            .fill_null("")
        )
        .drop("name_zh", "age_zh", "who", "about")
    )
    if not named["reason_zh"].str.contains(_PERSON_ID.pattern).any():
        return named
    names = dict(person.select("person_id", "name_zh").iter_rows())
    reasons = [
        _PERSON_ID.sub(lambda m: names.get(int(m.group(1)), "家庭成员"), r) if "P" in r else r
        for r in named["reason_zh"]
    ]
    return named.with_columns(reason_zh=pl.Series(reasons, dtype=pl.String))


def rule_states(night: NightFrames, counties: pl.DataFrame) -> pl.DataFrame:
    """Every rule in every county: rule_id, county_code, status, reason_zh. A status without county holds everywhere."""
    every = night.rule_status.filter(pl.col("county_code").is_null()).drop("county_code")
    spread = counties.select("county_code").join(every, how="cross")
    own = night.rule_status.filter(pl.col("county_code").is_not_null()).select(spread.columns)
    spread = spread.join(own, on=["county_code", "rule_id"], how="anti")
    titles = night.rules.select("rule_id", "rule_version", "list_kind", "title_zh", "legal_basis_zh")
    # A rule that has no status did not run: it counts as off, visibly, and not as silently fine.
    silent = (
        counties.select("county_code")
        .join(titles.select("rule_id"), how="cross")
        .join(pl.concat([spread, own]), on=["county_code", "rule_id"], how="anti")
        .with_columns(
            status=pl.lit("off"),
            reason_zh=pl.lit("本期没有运行。"),
            sources_json=pl.lit(None, dtype=pl.String),
        )
        .select(spread.columns)
    )
    class_zh = dict(class_titles().select("class_id", "class_zh").iter_rows())
    states = pl.concat([spread, own, silent]).filter(
        pl.col("county_code").is_in(counties["county_code"].implode())
    )
    return (
        states.join(_sources_zh(states["sources_json"], class_zh), on="sources_json", how="left")
        .join(titles, on="rule_id", how="left")
        .with_columns(
            title_zh=pl.coalesce("title_zh", "rule_id"),
            status_zh=pl.when(pl.col("status") == "on").then(pl.lit("启用")).otherwise(pl.lit("停用")),
            list_kind=pl.coalesce(
                "list_kind",
                pl.when(pl.col("rule_id").str.starts_with("X"))
                .then(pl.lit("check_out"))
                .otherwise(pl.lit("help_in")),
            ),
            reason_zh=pl.col("reason_zh").fill_null(""),
            sources_zh=pl.col("sources_zh").fill_null(""),
        )
        .sort("county_code", "list_kind", "rule_id")
    )


def sources(night: NightFrames) -> pl.DataFrame:
    """Every class with the day of its last accepted data: class_no, class_zh, department_zh, last_batch, status_zh, note_zh."""
    titles = class_titles()
    return (
        night.source_status.join(titles, on="class_id", how="full", coalesce=True)
        .with_columns(
            status=pl.col("status").fill_null("absent"),
            class_zh=pl.coalesce("class_zh", "class_id"),
            department_zh=pl.coalesce("department_zh", "department"),
            class_no=pl.col("class_no").fill_null(99),
        )
        .with_columns(
            status_zh=pl.col("status").replace_strict(SOURCE_ZH, default="状态不明"), note_zh=pl.col("note_zh").fill_null("")
        )
        .select(
            "class_no", "class_id", "class_zh", "department_zh", "last_batch", "expected_by", "status", "status_zh",
            "note_zh",
        )
        .sort("class_no", "class_id")
    )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A night with everything put into words once, from which the views of each audience are cut."""

    night: NightFrames
    as_of: date
    townships: pl.DataFrame
    counties: pl.DataFrame
    listed: pl.DataFrame
    families: pl.DataFrame
    members: pl.DataFrame
    rule_states: pl.DataFrame
    sources: pl.DataFrame
    gate: Gate = field(default_factory=Gate)
    """What every text of every output of the night goes through."""

    def terms(self, county_code: str) -> dict[tuple[str, str], str]:
        """(level, column of the deadline) -> what stands where the day could not be counted."""
        return _terms(county_code, self.as_of)


@cache
def _terms(county_code: str, as_of: date) -> dict[tuple[str, str], str]:
    """The lowest level follows the periodic review; the others have their number of working days (policy parameters),
    also when the calendar of working days does not reach that far."""
    table = read_parameter(sql_file.ROOT / "parameters" / "warning_level.yaml").table([county_code])
    known = table.filter((pl.col("valid_from") <= as_of) & (pl.col("valid_to") >= as_of)).rows_by_key(
        "level", named=True, unique=True
    )
    said = {}
    for level, (level_zh, _) in LEVELS.items():
        for column, days in (("visit_due_on", "visit_working_days"), ("close_due_on", "close_working_days")):
            number = known[level][days] if level in known else None
            otherwise = "随定期复核" if level == "blue" else "期限待定"
            said[level_zh, column] = f"{number}个工作日内" if number is not None else otherwise
    return said


def prepare(night: NightFrames, as_of: date) -> Prepared:
    """Put a night into words."""
    places = townships(night)
    counties = (
        places.select("county_code", "county_zh", "prefecture_zh").unique("county_code").sort("county_code")
    )
    listed = listed_warnings(night, as_of)
    return Prepared(
        night=night,
        as_of=as_of,
        townships=places,
        counties=counties,
        listed=listed,
        families=listed_households(night, listed),
        members=_members(night, as_of),
        rule_states=rule_states(night, counties),
        sources=sources(night),
    )


def views(prepared: Prepared, audience: Audience, list_kind: ListKind | None) -> dict[str, pl.DataFrame]:
    """The views that an output of this audience may read. Who may not see a family gets counts alone."""
    if audience == "township":
        if list_kind is None:
            raise NightError("a township's output is of one list kind")
        return _township_views(prepared, list_kind)
    if audience == "county":
        return _county_views(prepared)
    if audience == "register":
        return _register_views(prepared)
    if audience == "department":
        return {"department_lead": department_leads(prepared.night), "lead_row": lead_rows(prepared)}
    return _audit_views(prepared)


def _short_village(name: pl.Expr) -> pl.Expr:
    """温家村村民委员会 -> 温家村, 石咀村民委员会 -> 石咀村, 民生社区居民委员会 -> 民生社区: as people call it."""
    return (
        name.str.replace(r"嘎查(村民)?委员?会$", "嘎查")
        .str.replace(r"村村(民委员|委)会$", "村")
        .str.replace(r"村(民委员|委)会$", "村")
        .str.replace(r"社区居(民委员|委)会$", "社区")
        .str.replace(r"居民委员会$", "居委会")
    )


def _township_views(p: Prepared, list_kind: ListKind) -> dict[str, pl.DataFrame]:
    families = p.families.filter(pl.col("list_kind") == list_kind)
    own = families.select("household_id").unique()
    listed = p.listed.filter(pl.col("list_kind") == list_kind)
    # Nobody else's name is even masked: only members of listed families and the persons that warnings name.
    needed = pl.concat(
        [
            p.members.join(own, on="household_id", how="semi").select("person_id"),
            listed.select("person_id").drop_nulls(),
        ]
    ).unique()
    person = persons_for("township", p.night.persons.join(needed, on="person_id", how="semi"), p.as_of)
    return {
        "listed": _named(listed, person, p.members),
        "family": families,
        "household": p.night.household.join(own, on="household_id", how="semi"),
        "household_member": p.members.join(own, on="household_id", how="semi"),
        "person": person,
        "village": village_table().select("village_code", village_zh=_short_village(pl.col("village_zh"))),
        "township": p.townships,
    }


def _watched(p: Prepared, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows about households or persons with the township they belong to; who belongs to none goes to a desk."""
    home = p.night.household.select(
        "household_id", "county_code", "village_code", "head_person_id", jurisdiction=_jurisdiction()
    )
    return frame.join(home, on="household_id", how="left").with_columns(
        pl.col("county_code").fill_null("000000"), pl.col("jurisdiction").fill_null("000000000")
    )


def _register_views(p: Prepared) -> dict[str, pl.DataFrame]:
    """The register of monitored people, and apart from it what data suggest. Names masked; nobody else's is there."""
    monitored, candidate = _watched(p, p.night.monitored), _watched(p, p.night.candidate)
    named = pl.concat(
        [f[c] for f in (monitored, candidate) for c in ("person_id", "head_person_id")]
    ).drop_nulls()
    person = persons_for(
        "register", p.night.persons.filter(pl.col("person_id").is_in(named.unique().implode())), p.as_of
    )
    return {
        # The number of a case tells cases of one household apart; its hash is nobody's business here.
        "monitored": monitored.with_columns(case_no=pl.col("case_id").rank("dense").cast(pl.Int64)).drop(
            "case_id"
        ),
        "candidate": candidate,
        "person": person,
        "village": village_table().select("village_code", village_zh=_short_village(pl.col("village_zh"))),
        "rule_title": p.night.rules.select("rule_id", "title_zh"),
    }


def lead_rows(p: Prepared) -> pl.DataFrame:
    """The rows of a department's own files that leads mean: file, day of delivery, number of the row. Names of files are covered."""
    leads = department_leads(p.night).explode("row_keys").drop_nulls("row_keys")
    part = pl.col("row_keys").str.splitn(":", 2)
    rows = leads.with_columns(
        delivery_id=part.struct.field("field_0"), row=part.struct.field("field_1").cast(pl.Int64)
    ).join(p.night.delivered, on=["delivery_id", "class_id"], how="left")
    names = rows["file"].drop_nulls().unique().sort()
    covered = {name: p.gate.file_name(name, "部门数据质量线索") for name in names}
    return rows.select(
        "department", "department_no", "lead_id", "lead_zh", "class_id", "class_zh", "what", "batch_date", "row",
        file=pl.col("file").replace(covered).fill_null("文件不详"),
        row_no=pl.int_range(1, pl.len() + 1).over("lead_id", "class_id", "what"),
        of_rows=pl.len().over("lead_id", "class_id", "what"),
    )  # fmt: skip


def _county_views(p: Prepared) -> dict[str, pl.DataFrame]:
    n = p.night
    place = ["county_code", "jurisdiction", "list_kind"]
    everything = (
        n.warnings.with_columns(jurisdiction=_jurisdiction())
        .join(n.register.select("warning_id", "state"), on="warning_id", how="left")
        .with_columns(pl.col("state").fill_null("new"))
    )
    home = n.household.select("household_id", "county_code", jurisdiction=_jurisdiction())
    closed = n.register.join(n.warnings, on="warning_id", how="anti")
    if {"household_id", "list_kind", "rule_id", "level"} <= set(closed.columns):
        gone = closed.select("household_id", "list_kind", "rule_id", "level", "state").join(
            home, on="household_id", how="inner"
        )
        columns = [*place, "rule_id", "level", "state"]
        counted = pl.concat([everything.select(columns), gone.select(columns)], how="vertical_relaxed")
    else:
        counted = everything.select(*place, "rule_id", "level", "state")
    answers = n.answers.join(home, on="household_id", how="left").with_columns(
        pl.col("county_code").fill_null("000000")
    )
    return {
        "township": p.townships,
        "county": p.counties,
        "family_count": p.families.group_by(*place, "level_no", "level_zh", "state_zh").agg(
            families=pl.len()
        ),
        "warning_count": counted.group_by(*place, "rule_id", "level", "state").agg(warnings=pl.len()),
        "answer_count": answers.group_by("county_code", "list_kind", "rule_id", "result_code").agg(
            answers=pl.len()
        ),
        "rule_state": p.rule_states,
        "source": p.sources,
        "home_count": home.group_by("county_code", "jurisdiction").agg(homes=pl.len()),
        "monitored_count": _watched(p, n.monitored)
        .group_by("county_code", "jurisdiction", "layer", "category", "review_state", "term_state")
        .agg(people=pl.len(), homes=pl.col("household_id").n_unique()),
        "candidate_count": _watched(p, n.candidate)
        .group_by("county_code", "jurisdiction", "layer", "candidate")
        .agg(rows=pl.len()),
    }


@cache
def _matching_words() -> dict[str, dict[str, str]]:
    text = (Path(__file__).resolve().parent / "matching_words.yaml").read_text(encoding="utf-8")
    words: dict[str, dict[str, str]] = yaml.safe_load(text)
    return words


def pass_zh(pass_id: str) -> str:
    """P2-sound -> 公民身份号码一致，姓名写法有别（读音相同）; what is not known stays as it is."""
    words = _matching_words()
    family, *how = pass_id.split("-")
    if family not in words["passes"]:
        return pass_id
    return words["passes"][family] + (
        f"（{'；'.join(words['names'].get(h, h) for h in how)}）" if how else ""
    )


def conflict_zh(kind: str) -> str:
    """name -> 号码相同，姓名不同; what is not known stays as it is."""
    return _matching_words()["conflicts"].get(kind, kind)


def unread(night: NightFrames) -> pl.DataFrame:
    """Files that nobody read, with what to do: department, department_no, department_zh, file, message_zh, action_zh."""
    names = departments()
    rows = []
    for row in night.unread.iter_rows(named=True):
        known = names.get(row["department"])
        office = _short_office(known.title.zh) if known else ""
        own = [c.id for c in catalogue().values() if c.department == row["department"]]
        if row["file"].startswith("_manifest"):
            action = "请更正清单的格式；清单更正前，各文件的行数、合计和校验值均未核对"
        elif known:
            action = f"如应报送：文件名须以类别代号开头（{'、'.join(own)}），请更名后放回原文件夹，并重跑该部门；如非报送文件，请移出收件夹"
        else:
            action = f"如应报送：请放入部门的文件夹（{'、'.join(names)}），并重跑该部门；如非报送文件，请移出收件夹"
        rows.append(
            {
                **row,
                "department": row["department"] or "",
                "department_no": known.no if known else 99,
                "department_zh": office or "部门不明",
                "action_zh": action,
            }
        )
    schema = {
        **SHAPES["unread"],
        "department_no": pl.Int64,
        "department_zh": pl.String,
        "action_zh": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


def department_names() -> dict[str, str]:
    """Department -> its short name."""
    return {key: _short_office(known.title.zh) for key, known in departments().items()}


def department_leads(night: NightFrames) -> pl.DataFrame:
    """Leads Q01-Q04 with the names of departments and classes; never a person, never a row."""
    names = departments()
    found = night.leads.join(class_titles(), on="class_id", how="left")
    office = department_names()
    number = {key: known.no for key, known in names.items()}
    return found.with_columns(
        department_zh=pl.col("department").replace_strict(office, default="部门不明", return_dtype=pl.String),
        department_no=pl.col("department").replace_strict(number, default=99, return_dtype=pl.Int64),
        lead_zh=pl.col("lead_id") + " " + pl.col("lead_id").replace_strict(TITLES_ZH, return_dtype=pl.String),
    )


def _audit_views(p: Prepared) -> dict[str, pl.DataFrame]:
    n = p.night
    return {
        "class": class_titles(),
        "ledger": n.ledger,
        "issue": n.issues,
        "unread": unread(n),
        "department_lead": department_leads(n),
        "checked": n.checks,
        "link_count": n.links.with_columns(
            pass_zh=pl.col("pass_id").map_elements(pass_zh, return_dtype=pl.String)
        ),
        "conflict_count": n.conflicts.with_columns(
            kind_zh=pl.col("kind").map_elements(conflict_zh, return_dtype=pl.String)
        ),
        "source": p.sources,
        "rule_state": p.rule_states,
        "home_count": n.household.group_by("county_code").agg(
            homes=pl.len(), members=pl.col("members").sum()
        ),
        "warning_count": p.listed.group_by("rule_id", "list_kind", "level").agg(warnings=pl.len()),
        "county": p.counties,
    }
