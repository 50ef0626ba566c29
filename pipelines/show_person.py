"""Who a person is made of: every record, why it is here, what was refused. Names are masked, numbers never shown."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Column, Table

from data_contracts.contract import catalogue
from matching import provisional
from matching.explain import GRADES_ZH
from matching.spine import ANSWERED
from pipelines import nights
from pipelines.nights import CannotRun
from reports.masking import persons_for

_EVENT_ZH = {"create": "新建", "absorb": "并入或确认", "merge": "合并", "split": "分出", "retire": "停用"}


def person(home: Path, person_id: int, day: date | None) -> dict[str, Any]:
    """A person of a night: records with grade, rule and reason, what the engine weighed, conflicts and events.

    Of somebody who is not confirmed also what each record says, and what would confirm it.

    CannotRun if unknown.
    """
    folder = nights.latest_folder(home, "persons", day)
    persons = _rows(folder / "persons.parquet", pl.col("person_id") == person_id)
    if persons.is_empty():
        raise CannotRun(f"no person P{person_id:09d} on {folder.name.partition('=')[2]}")
    row = persons.row(0, named=True)
    mine = pl.col("person_id") == person_id
    links = _rows(folder / "links.parquet", mine)
    if (folder / "weighed.parquet").is_file():
        weighed = pl.scan_parquet(folder / "weighed.parquet").select(
            "identity_key", "probability", "margin", "reasons_zh"
        )
        links = links.lazy().join(weighed, on="identity_key", how="left").collect()
    else:
        links = links.with_columns(
            pl.lit(None, dtype=pl.Float64).alias("probability"),
            pl.lit(None, dtype=pl.Float64).alias("margin"),
            pl.lit(None, dtype=pl.String).alias("reasons_zh"),
        )
    links = links.join(_said(folder, links), on="identity_key", how="left")
    as_of = date.fromisoformat(folder.name.partition("=")[2])
    names = dict(persons_for("township", persons, as_of).select("person_id", "name_zh").rows())
    events = pl.concat(
        [
            _rows(path, mine | (pl.col("other_person_id") == person_id))
            for path in sorted(folder.parent.glob("batch_date=*/events.parquet"))
            if path.parent.name <= folder.name
        ]
    )
    conflicts = _rows(folder / "conflicts.parquet", mine)
    return {
        "person": f"P{person_id:09d}",
        "as_of": str(as_of),
        "name_masked": names.get(person_id, "姓名不详"),
        "status": row["status"],
        "is_registered": row["is_registered"],
        "is_provisional": row["is_provisional"],
        "confirm_zh": provisional.confirming_zh(row),
        "records": [
            {**record, "source_zh": _source(record["source_class"]), "role_zh": _role(record)}
            for record in links.sort("grade", "source_class", "role", "identity_key").iter_rows(named=True)
        ],
        "refused": [
            {"source_zh": _source(one["source_class"]), **one}
            for one in conflicts.drop("person_id").sort("conflict_id").iter_rows(named=True)
        ],
        "answered": [
            {"source_zh": _source(one["source_class"]), **one}
            for one in _answered(folder, person_id).iter_rows(named=True)
        ],
        "events": events.sort("on", "event").rows(named=True),
    }


def _rows(path: Path, chosen: pl.Expr) -> pl.DataFrame:
    """Rows of a file that fit; of the others only what `chosen` looks at is read."""
    return pl.scan_parquet(path).filter(chosen).collect()


def _said(folder: Path, links: pl.DataFrame) -> pl.DataFrame:
    """What records of people without a number say, and what of it agrees; no values. Nothing for other records."""
    ours = links.filter(pl.col("pass_id").is_in(provisional.PASS_IDS))["identity_key"]
    if ours.is_empty() or not (folder / "keys.parquet").is_file():
        return pl.DataFrame(schema=dict.fromkeys(("identity_key", "says_zh", "agrees_zh"), pl.String))
    keys = pl.scan_parquet(folder / "keys.parquet").filter(pl.col("identity_key").is_in(ours.implode()))
    return provisional.told(keys.collect())


def _answered(folder: Path, person_id: int) -> pl.DataFrame:
    """Conflicts about the number or a record of a person that found an answer."""
    path = folder / "answered.parquet"
    theirs = (pl.col("person_id") == person_id) | (pl.col("linked_to") == person_id)
    return _rows(path, theirs) if path.is_file() else ANSWERED.to_frame()


def _source(class_id: str) -> str:
    contract = catalogue().get(class_id)
    return contract.title.zh if contract else class_id


def _role(record: dict[str, Any]) -> str:
    contract = catalogue().get(record["source_class"])
    subjects = contract.subjects if contract else ()
    return next((s.title.zh for s in subjects if s.role == record["role"] and s.title), record["role"])


def print_person(console: Console, found: dict[str, Any]) -> None:
    """A person as a reviewer reads it, in Chinese throughout."""
    state = "在户籍登记" if found["is_registered"] else "暂定人员（未见户籍登记）"
    if found["status"] != "active":
        state = "已停用或并入他人"
    console.print(f"[bold]{found['person']}[/bold] {found['name_masked']}，{state}（{found['as_of']}）")
    table = Table(
        Column("来源", overflow="fold", max_width=16),
        Column("身份", overflow="fold", max_width=8),
        Column("把握", overflow="fold", max_width=10),
        Column("自", no_wrap=True),
        Column("为什么是此人", overflow="fold", min_width=16),
    )
    for one in found["records"]:
        table.add_row(
            one["source_zh"],
            one["role_zh"],
            f"{one['grade']} {GRADES_ZH[one['grade']]}",
            str(one["linked_on"]),
            one["reason_zh"],
        )
    console.print(table)
    number = int(found["person"][1:])
    for one in found["records"]:
        if one["reasons_zh"]:
            console.print(
                f"  {one['source_zh']}（{one['role_zh']}）按证据称重，把握{one['probability']:.2%}：{one['reasons_zh']}",
                soft_wrap=True,
            )
        if one["says_zh"]:
            agrees = f"；与其他记录一致的：{one['agrees_zh']}" if one["agrees_zh"] else ""
            console.print(
                f"  {one['source_zh']}（{one['role_zh']}）给出：{one['says_zh']}{agrees}", soft_wrap=True
            )
    if found["confirm_zh"]:
        console.print(f"  怎样确认：{found['confirm_zh']}", soft_wrap=True)
    for one in found["answered"]:
        whose = "记录归入本人" if one["linked_to"] == number else f"记录归入 P{one['linked_to']:09d}"
        console.print(
            f"  曾有冲突：{one['source_zh']}，{whose}，{one['reason_zh']}（{one['answered_on']}）",
            soft_wrap=True,
        )
    for one in found["refused"]:
        console.print(f"  未归入：{one['source_zh']}，{one['reason_zh']}（自{one['since']}）", soft_wrap=True)
    for one in found["events"]:
        other = f"（另一人员 P{one['other_person_id']:09d}）" if one["other_person_id"] else ""
        console.print(
            f"  {one['on']} {_EVENT_ZH.get(one['event'], one['event'])}：{one['reason_zh']}{other}",
            soft_wrap=True,
        )
