"""What the command line looks up and how it prints it. Names are masked and numbers are never shown."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Column, Table

from data_contracts import opaque
from data_contracts.contract import catalogue
from data_contracts.places import township_table, village_table
from pipelines import nights
from pipelines.nights import LEVELS, LISTS, ROWS, CannotRun, Night
from policy.engine import default_policy
from reports import night as report_night
from reports import returns
from reports.manifest import NAME as MANIFEST
from reports.masking import persons_for
from reports.workbook import answer_table

LEVEL_STYLE = {"red": "red", "orange": "dark_orange", "yellow": "yellow", "blue": "blue"}
LIST_NAMES = {"help_in": "may need help", "check_out": "please check"}


LABEL_WIDTH, NIGHT_WIDTH = 23, 13
"""Columns of the terminal that the names of the rows and each night take, frames included."""


def nights_table(console: Console, found: list[Night]) -> None:
    """A column a night: files, rows by what became of them, persons, households, families and warnings by list.

    As many nights beside each other as the terminal is wide; the others stand below.
    """
    beside = max(1, (console.width - LABEL_WIDTH) // NIGHT_WIDTH)
    for start in range(0, len(found), beside):
        console.print(_table_of(found[start : start + beside]))


def _table_of(found: list[Night]) -> Table:
    table = Table(
        Column("", no_wrap=True),
        *(Column(night.batch_date, justify="right", no_wrap=True) for night in found),
        title="Nights",
        title_justify="left",
    )
    for name in ("files", *ROWS, "persons", "households"):
        table.add_row(name.replace("_", " "), *(f"{getattr(night, name):,}" for night in found))
    for kind in LISTS:
        table.add_section()
        table.add_row(f"[bold]“{LIST_NAMES[kind]}”[/bold]")
        totals = [sum(night.families.get(kind, {}).values()) for night in found]
        table.add_row("[bold]families on list[/bold]", *(f"[bold]{total:,}[/bold]" for total in totals))
        for level in LEVELS:
            counts = [night.families.get(kind, {}).get(level, 0) for night in found]
            table.add_row(f"  [{LEVEL_STYLE[level]}]●[/] {level}", *(f"{count:,}" for count in counts))
        raised = [sum(night.warnings.get(kind, {}).values()) for night in found]
        table.add_row("warnings raised", *(f"{count:,}" for count in raised))
    return table


def arrivals(console: Console, night: Night) -> None:
    """What arrived in a night, which sources are not fresh and since when, and which rules are off."""
    day = night.batch_date
    came = ", ".join(f"{department} {len(classes)}" for department, classes in night.arrived.items())
    arrived = f"{night.files} files of {night.classes} classes: {came}" if night.files else "nothing"
    console.print(f"{day} arrived: {arrived}")
    if night.sources:
        counts = ", ".join(f"{n} {state}" for state, n in sorted(night.sources.items()))
        few = "" if len(night.not_fresh) > FEW else "".join(f"; {_not_fresh(r)}" for r in night.not_fresh)
        console.print(f"{day} sources: {counts}{few}")
    if night.not_fresh:
        if len(night.not_fresh) > FEW:
            console.print(_not_fresh_table(night))
        for row in night.not_fresh:
            is_told = any(line.startswith(f"{row['class_id']}: ") for line in night.look_at)
            if row["status"] in ("failed", "held") and row["note_zh"] and not is_told:
                console.print(f"{row['class_id']} {row['status']}: {row['note_zh']}", soft_wrap=True)
    if not night.rules_off:
        console.print(f"{day} rules off: none")


def not_yet(console: Console, night: Night) -> None:
    """One line of the classes that come every night, did not come tonight and are still within their term."""
    if not night.not_yet:
        return
    before = date.fromisoformat(night.batch_date) - timedelta(days=1)
    told = [
        f"{row['class_id']} {row['title_zh']}（期限至{row['expected_by']}"
        + (f"，上次{row['last_batch']}" if row["last_batch"] != before else "")
        + "）"
        for row in night.not_yet
    ]
    console.print(f"{night.batch_date} 昨日有、今日未送达，暂用此前的数据：{'、'.join(told)}", soft_wrap=True)


FEW = 2
"""So many sources that are not fresh are named in a line; more stand in a table."""


def _not_fresh(row: dict[str, Any]) -> str:
    since = f"data of {row['last_batch']}" if row["last_batch"] else "never came"
    due = f", expected by {row['expected_by']}" if row["expected_by"] else ""
    return f"{row['class_id']} {row['status']} ({since}{due})"


def _not_fresh_table(night: Night) -> Table:
    table = Table("source", "state", "data of", "expected by", title="Not fresh", title_justify="left")
    department = None
    for row in night.not_fresh:
        if row["department"] != department:
            department = row["department"]
            table.add_section()
            table.add_row(f"[bold]{department}[/bold]")
        table.add_row(
            f"  {row['class_id']}",
            row["status"],
            str(row["last_batch"] or "never"),
            str(row["expected_by"] or ""),
        )
    return table


def linking(console: Console, night: Night) -> None:
    """How many records found their person tonight, the night before, and the sources that changed; all sources are in --json."""
    rows = [row for row in night.linking if row["identities"]]
    if not rows:
        return
    linked, of = (
        sum(row[c] for row in rows for c in columns) for columns in (("grade_a", "grade_b"), ("identities",))
    )
    known = [row for row in night.linking if row["match_rate_before"] is not None]
    of_before = sum(row["identities_before"] for row in known)
    before = sum(row["match_rate_before"] * row["identities_before"] for row in known)
    told = f"{night.batch_date} linked: {linked / of:.2%} of {of:,} identities"
    rates = f", rates {night.rates}" if night.rates else ""
    console.print(told + (f" (the night before {before / of_before:.2%})" if of_before else "") + rates)
    changed = [row for row in night.linking if row["level"] != "none"]
    if not changed:
        return
    table = Table(
        "source",
        "A",
        "B",
        "C",
        "D",
        "unlinked",
        "rate",
        "before",
        "level",
        title="Not linked as the night before",
        title_justify="left",
    )
    for row in changed:
        table.add_row(
            row["source_class"],
            *(f"{row[c]:,}" for c in ("grade_a", "grade_b", "grade_c", "grade_d", "unlinked")),
            *("" if row[c] is None else f"{row[c]:.1%}" for c in ("match_rate", "match_rate_before")),
            f"[{'red' if row['level'] == 'alarm' else 'yellow'}]{row['level']}[/]",
        )
    console.print(table)


def look_at(console: Console, found: list[Night], limit: int = 20) -> None:
    """What somebody should look at, night by night."""
    for night in found:
        for kind, count in night.lists_off.items():
            console.print(
                f"[yellow]look at[/yellow] {night.batch_date} all {count} rules of “{LIST_NAMES[kind]}” are off: "
                "no new warning on this list tonight",
                soft_wrap=True,
            )
        if night.rules_off:
            console.print(f"{night.batch_date} rules off (said on the lists): {', '.join(night.rules_off)}")
        for line in night.look_at[:limit]:
            console.print(f"[yellow]look at[/yellow] {night.batch_date} {line}", soft_wrap=True)
        if len(night.look_at) > limit:
            console.print(
                f"[yellow]look at[/yellow] {night.batch_date} … and {len(night.look_at) - limit} more (status --json)"
            )


def outputs(console: Console, night: Night, limit: int = 6) -> None:
    """Paths of the lists and reports of a night."""
    for title, paths in (("lists", night.lists), ("reports", night.reports)):
        console.print(f"[bold]{title}[/bold] ({len(paths)})")
        for path in paths[:limit]:
            console.print(f"  {shown(path)}", soft_wrap=True)
        if len(paths) > limit:
            console.print(f"  … {len(paths) - limit} more in {shown(_common(paths))}", soft_wrap=True)


def shown(path: str | Path) -> str:
    """A path as it is printed: from the current folder where it lies below it."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _common(paths: list[str]) -> str:
    return os.path.commonpath(paths)


def number(text: str, letter: str) -> int:
    """P000000123 or 123 -> 123; CannotRun when it is neither."""
    match = re.fullmatch(rf"{letter}?0*(\d+)", text.strip().upper())
    if match is None:
        raise CannotRun(f"{text} is no id; expected something like {letter}000000123")
    return int(match[1])


def household(home: Path, household_id: int, day: date | None) -> dict[str, Any]:
    """A household of a night: place, members with basis, edges among them, its warnings with what became of them.

    Names are masked and relations put into words as in the workbook of a township. CannotRun if unknown.
    """
    folder = nights.latest_folder(home, "households", day)
    mine = pl.col("household_id") == household_id
    members = pl.read_parquet(folder / "household_member.parquet").filter(mine)
    row = pl.read_parquet(folder / "household.parquet").filter(mine)
    if row.is_empty():
        raise CannotRun(f"no household H{household_id:09d} on {_date_of(folder)}")
    lake, night = home / "lake", folder.name
    people = members["person_id"].implode()
    persons = pl.read_parquet(lake / "persons" / night / "persons.parquet").filter(
        pl.col("person_id").is_in(people)
    )
    edges = pl.read_parquet(folder / "household_edge.parquet").filter(
        pl.col("person_id_a").is_in(people) & pl.col("person_id_b").is_in(people)
    )
    as_of = date.fromisoformat(_date_of(folder))
    names = dict(persons_for("township", persons, as_of).select("person_id", "name_zh").rows())
    raised = _warnings(lake / "risk" / night).filter(mine)
    place = row.row(0, named=True)
    return {
        "household_id": f"H{household_id:09d}",
        "as_of": _date_of(folder),
        **row.drop("household_id", "head_person_id").row(0, named=True),
        **_place_zh(place),
        "head": _person(place["head_person_id"]),
        "people": [
            {
                "person": _person(m["person_id"]),
                "name_masked": names.get(m["person_id"], "姓名不详"),
                **{name: m[name] for name in ("relation", "relation_zh", "basis", "basis_zh", "needs_check")},
            }
            for m in _in_words(row, members, persons).iter_rows(named=True)
        ],
        "edges": [
            {**edge, "person_id_a": _person(edge["person_id_a"]), "person_id_b": _person(edge["person_id_b"])}
            for edge in edges.sort(pl.all()).iter_rows(named=True)
        ],
        "warnings": _with_state(raised, lake / "risk" / night / "register.parquet", household_id),
    }


def _in_words(row: pl.DataFrame, members: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Members of one household, the head first, with relation_zh and basis_zh as the lists say them."""
    none = {name: report_night.empty(name) for name in ("warnings", "rule_status", "priority", "register")}
    words = report_night.prepare(
        report_night.NightFrames(**none, household=row, household_member=members, persons=persons),
        date.min,
    ).members
    return words.join(members.select("person_id", "relation", "basis"), on="person_id", how="left").sort(
        "member_no"
    )


def _place_zh(row: dict[str, Any]) -> dict[str, str | None]:
    """Names of the township and the village of a household; null where the code is not known."""
    townships = dict(township_table(row["county_code"] or "-").select("township_code", "township_zh").rows())
    villages = dict(village_table(row["township_code"] or "-").select("village_code", "village_zh").rows())
    return {
        "township_zh": townships.get(row["township_code"]),
        "village_zh": villages.get(row["village_code"]),
    }


def _with_state(raised: pl.DataFrame, register: Path, household_id: int) -> list[dict[str, Any]]:
    """Warnings of a household, open and closed, with state and answer; one that the register lacks is new."""
    columns = ["warning_id", "list_kind", "rule_id", "person_id", "level", "reason_zh"]
    told = ["state", "first_raised_on", "last_raised_on", "result_code", "result_on"]
    if register.is_file():
        known = pl.read_parquet(register).filter(pl.col("household_id") == household_id)
        found = pl.concat(
            [known.select(*columns, *told), raised.join(known, on="warning_id", how="anti").select(columns)],
            how="diagonal",
        )
    else:
        found = raised.select(columns).with_columns(pl.lit(None).alias(name) for name in told)
    titles = {rule.id: rule.header.title.zh for rule in default_policy().rules.values()}
    answers = {str(code): body["zh"] for code, body in answer_table()["results"].items()}
    words = report_night.STATE_ZH | report_night.OTHER_STATE_ZH
    found = found.with_columns(pl.col("state").fill_null("new")).sort("list_kind", "rule_id", "warning_id")
    return [
        {
            **warning,
            "person_id": _person(warning["person_id"]),
            "title_zh": titles.get(warning["rule_id"]),
            "state_zh": words.get(warning["state"], warning["state"]),
            "result_zh": answers.get(warning["result_code"]),
        }
        for warning in found.iter_rows(named=True)
    ]


EDGE_ZH = {
    "spouse": "配偶",
    "parent_child": "亲子",
    "same_register": "同一户口簿",
    "same_case": "同一救助证",
    "guardian": "监护",
    "supporter": "赡（抚、扶）养",
}
CONFIDENCE_ZH = {"certain": "确定", "likely": "较可信", "needs_check": "待核实"}


def print_household(console: Console, found: dict[str, Any]) -> None:
    """A household as an officer reads it, in Chinese throughout."""
    place = " ".join(
        found[f"{what}_zh"] or found[f"{what}_code"] or f"{word}不明"
        for what, word in (("township", "乡镇"), ("village", "村居"))
    )
    console.print(f"[bold]{found['household_id']}[/bold] {place}（{found['as_of']}）")
    people = Table(*(Column(name, overflow="fold") for name in ("人员", "姓名", "关系", "依据", "待核实")))
    for one in found["people"]:
        people.add_row(
            one["person"],
            one["name_masked"],
            one["relation_zh"],
            one["basis_zh"],
            "是" if one["needs_check"] else "",
        )
    console.print(people)
    for edge in found["edges"]:
        source = catalogue().get(edge["source_class"])
        console.print(
            f"  {edge['person_id_a']} – {edge['person_id_b']}：{EDGE_ZH.get(edge['kind'], edge['kind'])}，"
            f"{CONFIDENCE_ZH.get(edge['confidence'], edge['confidence'])}，"
            f"来自{source.title.zh if source else edge['source_class']}（{edge['data_as_of']}）",
            soft_wrap=True,
        )
    names = {one["person"]: one["name_masked"] for one in found["people"]}
    for warning in found["warnings"]:
        style = LEVEL_STYLE.get(warning["level"], "")
        level = report_night.LEVELS.get(warning["level"], (warning["level"],))[0]
        since = f"，{warning['first_raised_on']}首次提示" if warning["first_raised_on"] else ""
        console.print(
            f"[{style}]●[/] {level} {warning['rule_id']} {warning['title_zh'] or ''}"
            f"（{report_night.LIST_ZH[warning['list_kind']]}） {warning['warning_id']}：{warning['state_zh']}{since}",
            soft_wrap=True,
        )
        about = (
            f"{warning['person_id']} {names.get(warning['person_id'], '')}：" if warning["person_id"] else ""
        )
        console.print(f"  {about}{warning['reason_zh']}", soft_wrap=True)
        if warning["result_code"]:
            console.print(
                f"  {warning['result_on'] or ''}核查结果：{warning['result_code']} {warning['result_zh'] or ''}",
                soft_wrap=True,
            )
    if not found["warnings"]:
        console.print("没有提示")


def run_again(
    home: Path, scratch: Path, day: date, tell: Callable[[str, int, int], None] | None = None
) -> tuple[list[str], int]:
    """Run a night apart, from the inbox and the nights before it; the paths that differ and how many were compared."""
    delivered = home / "inbox" / day.isoformat()
    first = home / "outbox" / day.isoformat()
    if not delivered.is_dir():
        raise CannotRun(f"the deliveries of {day} are no longer in {home / 'inbox'}")
    if not first.is_dir():
        raise CannotRun(f"{day} was not run yet; there is nothing to compare with")
    (scratch / "inbox").mkdir(parents=True)
    (scratch / "inbox" / day.isoformat()).symlink_to(delivered.absolute())
    _share_earlier(home / "lake", scratch / "lake", day)
    opaque.share(home / "lake", scratch / "lake")
    why: dict[str, str] = {}
    success, failed = nights.run(scratch, day, tell=tell, why=why)
    if not success:
        return nights.failures(failed, why), 0
    again = scratch / "outbox" / day.isoformat()
    left, right = _files(first), _files(again)
    differences = [
        f"{name}: only {'in the first run' if name in left else 'when run again'}"
        for name in sorted(left ^ right)
    ]
    differences += [
        f"{name}: other bytes"
        for name in sorted(left & right)
        if (first / name).read_bytes() != (again / name).read_bytes()
    ]
    before, now = (
        json.loads((f / MANIFEST).read_text(encoding="utf-8"))["code_version"] for f in (first, again)
    )
    if before != now:
        differences.insert(0, f"the program or its rules have changed since: {before}, now {now}")
    return differences, len(left | right)


def _share_earlier(lake: Path, scratch: Path, day: date) -> None:
    """Links to everything in the lake that is older than the day, so that nothing of the first run can be reused."""
    for path in sorted(lake.rglob("*")):
        match = re.search(r"batch_date=(\d{4}-\d{2}-\d{2})", path.name)
        inside = re.search(r"batch_date=", str(path.parent.relative_to(lake)))
        always = path.parent.name in ("decisions", "rates") and path.is_file()
        if inside is None and (always or (match and date.fromisoformat(match[1]) < day)):
            target = scratch / path.relative_to(lake)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.absolute())


def _files(folder: Path) -> set[str]:
    return {
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")
    }


def _warnings(folder: Path) -> pl.DataFrame:
    path = folder / "warnings.parquet"
    if not path.is_file():
        raise CannotRun(f"the rules were not run on {_date_of(folder)}")
    return pl.read_parquet(path)


def _date_of(folder: Path) -> str:
    return folder.name.removeprefix("batch_date=")


def _person(person_id: int | None) -> str | None:
    return None if person_id is None else f"P{person_id:09d}"


def take_returns(home: Path, workbooks: list[Path], day: date) -> dict[str, Any]:
    """Filled lists -> a delivery of answers in the inbox of a day; the file, its rows and what officers must put right.

    The name carries a hash of the content, so that the same answers twice are one file and others a further part.
    """
    answers = returns.collect(workbooks, day)
    label = hashlib.sha256(returns.delivery_bytes(answers.rows, day)).hexdigest()[:8]
    path = returns.write_delivery(answers, home / "inbox", day, label)
    return {
        "file": str(path) if path else None,
        "rows": answers.rows.height,
        # The kind of a Python error tells an officer nothing.
        "problems": [re.sub(r"（[A-Za-z]*Error）", "", str(message)) for message in answers.messages],
    }
