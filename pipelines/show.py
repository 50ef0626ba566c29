"""What the command line looks up and how it prints it. Names are masked and numbers are never shown."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Column, Table

from data_contracts.contract import catalogue
from pipelines import nights
from pipelines.nights import LEVELS, LISTS, ROWS, CannotRun, Night
from reports import returns
from reports.manifest import NAME as MANIFEST

LEVEL_STYLE = {"red": "red", "orange": "dark_orange", "yellow": "yellow", "blue": "blue"}
LIST_NAMES = {"help_in": "may need help", "check_out": "please check"}


def nights_table(console: Console, found: list[Night]) -> None:
    """A column a night: files, rows by what became of them, persons, households, warnings by list and level."""
    table = Table(
        "",
        *(Column(night.batch_date, justify="right") for night in found),
        title="Nights",
        title_justify="left",
    )
    for name in ("files", *ROWS, "persons", "households"):
        table.add_row(name.replace("_", " "), *(f"{getattr(night, name):,}" for night in found))
    for kind in LISTS:
        table.add_section()
        totals = [sum(night.warnings.get(kind, {}).values()) for night in found]
        table.add_row(f"[bold]{LIST_NAMES[kind]}[/bold]", *(f"[bold]{total:,}[/bold]" for total in totals))
        for level in LEVELS:
            counts = [night.warnings.get(kind, {}).get(level, 0) for night in found]
            table.add_row(f"  [{LEVEL_STYLE[level]}]●[/] {level}", *(f"{count:,}" for count in counts))
    console.print(table)


def look_at(console: Console, found: list[Night], limit: int = 12) -> None:
    """What somebody should look at, night by night."""
    for night in found:
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
            console.print(f"  {path}", soft_wrap=True)
        if len(paths) > limit:
            console.print(f"  … {len(paths) - limit} more in {_common(paths)}", soft_wrap=True)


def _common(paths: list[str]) -> str:
    return os.path.commonpath(paths)


def number(text: str, letter: str) -> int:
    """P000000123 or 123 -> 123; CannotRun when it is neither."""
    match = re.fullmatch(rf"{letter}?0*(\d+)", text.strip().upper())
    if match is None:
        raise CannotRun(f"{text} is no id; expected something like {letter}000000123")
    return int(match[1])


def masked_name(name: str | None) -> str:
    """The first character of a name; the rest is nobody's business on a terminal."""
    return name[0] + "*" * min(len(name) - 1, 3) if name else "?"


def household(home: Path, household_id: int, day: date | None) -> dict[str, Any]:
    """A household of a night: members with basis, edges among them, open warnings with reasons. CannotRun if unknown."""
    folder = nights.latest_folder(home, "households", day)
    members = pl.read_parquet(folder / "household_member.parquet").filter(
        pl.col("household_id") == household_id
    )
    row = pl.read_parquet(folder / "household.parquet").filter(pl.col("household_id") == household_id)
    if row.is_empty():
        raise CannotRun(f"no household H{household_id:09d} on {_date_of(folder)}")
    lake, night = home / "lake", folder.name
    people = members["person_id"].implode()
    names = pl.read_parquet(lake / "persons" / night / "persons.parquet").filter(
        pl.col("person_id").is_in(people)
    )
    who = {p["person_id"]: p for p in names.iter_rows(named=True)}
    edges = pl.read_parquet(folder / "household_edge.parquet").filter(
        pl.col("person_id_a").is_in(people) & pl.col("person_id_b").is_in(people)
    )
    warnings = _warnings(lake / "risk" / night).filter(pl.col("household_id") == household_id)
    return {
        "household_id": f"H{household_id:09d}",
        "as_of": _date_of(folder),
        **row.drop("household_id", "head_person_id").row(0, named=True),
        "head": _person(row["head_person_id"].item()),
        "people": [
            {
                "person": _person(m["person_id"]),
                "name_masked": masked_name(who.get(m["person_id"], {}).get("person_name")),
                "relation": m["relation"],
                "basis": m["basis"],
                "needs_check": m["needs_check"],
            }
            for m in members.sort("person_id").iter_rows(named=True)
        ],
        "edges": [
            {**edge, "person_id_a": _person(edge["person_id_a"]), "person_id_b": _person(edge["person_id_b"])}
            for edge in edges.sort(pl.all()).iter_rows(named=True)
        ],
        "warnings": warnings.select("warning_id", "list_kind", "rule_id", "level", "reason_zh")
        .sort("list_kind", "rule_id", "warning_id")
        .to_dicts(),
    }


def print_household(console: Console, found: dict[str, Any]) -> None:
    """A household as a person reads it."""
    console.print(
        f"[bold]{found['household_id']}[/bold] as of {found['as_of']}, village {found['village_code']}"
    )
    people = Table("person", "name", "relation", "because of", "to be checked")
    for one in found["people"]:
        mark = "head" if one["person"] == found["head"] else ""
        people.add_row(
            one["person"],
            one["name_masked"],
            f"{one['relation']} {mark}",
            one["basis"],
            "yes" if one["needs_check"] else "",
        )
    console.print(people)
    for edge in found["edges"]:
        console.print(
            f"  {edge['person_id_a']} – {edge['person_id_b']}: {edge['kind']}, {edge['confidence']}, "
            f"from {edge['source_class']} of {edge['data_as_of']}"
        )
    for warning in found["warnings"]:
        style = LEVEL_STYLE.get(warning["level"], "")
        console.print(
            f"[{style}]●[/] {warning['rule_id']} {LIST_NAMES[warning['list_kind']]} ({warning['warning_id']}): "
            f"{warning['reason_zh']}",
            soft_wrap=True,
        )
    if not found["warnings"]:
        console.print("no open warning")


def warning(home: Path, warning_id: str, day: date | None) -> dict[str, Any]:
    """A warning with its evidence and the delivered rows of its sources that speak of its household. CannotRun if unknown."""
    folder = nights.latest_folder(home, "risk", day)
    rows = _warnings(folder).filter(pl.col("warning_id") == warning_id)
    if rows.is_empty():
        raise CannotRun(f"no warning {warning_id} on {_date_of(folder)}")
    row = rows.row(0, named=True)
    lake, night = home / "lake", folder.name
    members = pl.read_parquet(lake / "households" / night / "household_member.parquet").filter(
        pl.col("household_id") == row["household_id"]
    )
    people = [row["person_id"]] if row["person_id"] is not None else members["person_id"].to_list()
    sources = json.loads(row["sources_json"] or "{}")
    found = []
    for class_id in sorted(sources):
        for feed in sorted(
            {feed.fact for feed in catalogue()[class_id].feeds} if class_id in catalogue() else ()
        ):
            path = lake / "facts" / night / f"{feed}.parquet"
            if path.is_file():
                found += _delivered_rows(lake, path, class_id, people)
    return {
        "warning_id": warning_id,
        "as_of": _date_of(folder),
        "rule_id": row["rule_id"],
        "rule_version": row["rule_version"],
        "list_kind": row["list_kind"],
        "level": row["level"],
        "household_id": f"H{row['household_id']:09d}",
        "person": _person(row["person_id"]),
        "reason_zh": row["reason_zh"],
        "evidence": json.loads(row["evidence_json"] or "{}"),
        "sources": sources,
        "rows": found,
    }


def _delivered_rows(lake: Path, path: Path, class_id: str, people: list[int]) -> list[dict[str, Any]]:
    """Rows of a fact table that one class delivered about these people, down to file and row."""
    scan = pl.scan_parquet(path)
    persons = [c for c in scan.collect_schema().names() if c.endswith("person_id")]
    about = pl.any_horizontal(pl.col(c).is_in(people) for c in persons)
    rows = (
        scan.filter((pl.col("source_class") == class_id) & about)
        .select("row_key", "data_as_of", *(pl.col(p) for p in persons))
        .unique()
        .sort("data_as_of", "row_key")
        .collect()
    )
    files = {
        entry["delivery_id"]: entry["file"]
        for ledger in sorted((lake / "ledger" / class_id).glob("*.parquet"))
        for entry in pl.read_parquet(ledger, columns=["delivery_id", "file"]).iter_rows(named=True)
    }
    return [
        {
            "class_id": class_id,
            "fact": path.stem,
            "person": ", ".join(_person(row[p]) or "" for p in persons if row[p] in people),
            "batch_date": row["data_as_of"],
            "delivery_id": row["row_key"].split(":")[0],
            "file": files.get(row["row_key"].split(":")[0]),
            "row": int(row["row_key"].split(":")[1]),
        }
        for row in rows.iter_rows(named=True)
    ]


def print_warning(console: Console, found: dict[str, Any], limit: int = 40) -> None:
    """A warning as an auditor follows it."""
    console.print(
        f"[bold]{found['warning_id']}[/bold] {found['rule_id']} version {found['rule_version']}, "
        f"{LIST_NAMES[found['list_kind']]}, {found['level']}, {found['household_id']} {found['person'] or ''}"
    )
    console.print(found["reason_zh"], soft_wrap=True)
    for name, value in found["evidence"].items():
        console.print(f"  {name} = {value}")
    for row in found["rows"][:limit]:
        console.print(
            f"  {row['fact']} of {row['person']}: {row['class_id']} {row['batch_date']}, {row['file']} row {row['row']} "
            f"(delivery {row['delivery_id']})",
            soft_wrap=True,
        )
    if len(found["rows"]) > limit:
        console.print(f"… {len(found['rows']) - limit} more rows (--json)")


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
    success, failed = nights.run(scratch, day, tell=tell)
    if not success:
        return [f"step {step} failed" for step in failed], 0
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
        decided = path.parent.name == "decisions" and path.is_file()
        if inside is None and (decided or (match and date.fromisoformat(match[1]) < day)):
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
        "problems": [str(message) for message in answers.messages],
    }
