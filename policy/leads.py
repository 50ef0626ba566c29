"""Leads about the quality of data, for the department that supplied them: never for a village, never about a family.

Q01 one number under two names, Q02 alive in one class and dead in another, Q03 an extract that is late, refused, empty or
shrunk, Q04 more numbers that fail their checksum than before. What belongs here is which of them there are tonight; the
frames come from the night (facts, conflicts, ledgers, issues, state of the classes), and no raw number is among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from data_contracts.contract import catalogue
from policy.parameters import Parameter

LEAD_SCHEMA = pl.Schema(
    {
        "lead_id": pl.String(),
        "department": pl.String(),
        "class_id": pl.String(),
        "what": pl.String(),
        "count": pl.Int64(),
        "of": pl.Int64(),
        "row_keys": pl.List(pl.String()),
        "reason_zh": pl.String(),
        "since": pl.Date(),
    }
)
"""One row a lead, class and `what`. `count` of `of` rows (null: not counted in rows); `row_keys` are delivery:row of the
department's own files, as in `row_key` of the facts."""

TITLES_ZH = {
    "Q01": "同一证件号码对应两个姓名",
    "Q02": "一处在世、一处死亡",
    "Q03": "数据逾期、未采用、为空或明显减少",
    "Q04": "证件号码校验不符的比例突然升高",
}

SIGNS_OF_LIFE = {
    "medical_settlement": "admit_date",
    "employment": "start_date",
    "jobless_registration": "reg_date",
    "serious_disease": "diagnosed_on",
    "disability": "issue_date",
}
"""Facts that somebody must be alive for, and the day that says so; those that a night does not have are left out."""


def limits(parameter: Parameter, as_of: date) -> dict[str, float]:
    """Values of `lead_limit` on a day. They are matters of data, the same everywhere."""
    rows = parameter.table(["000000"]).filter((pl.col("valid_from") <= as_of) & (pl.col("valid_to") >= as_of))
    return {row["lead"]: float(row["limit"]) for row in rows.iter_rows(named=True)}


def _department(class_id: str) -> str | None:
    contract = catalogue().get(class_id)
    return contract.department if contract else None


def _title(class_id: str) -> str:
    contract = catalogue().get(class_id)
    return contract.title.zh if contract else class_id


def _lead(
    lead_id: str, class_id: str, what: str, reason: str, keys: list[str], count: int, of: int | None = None
) -> dict[str, object]:
    return {
        "lead_id": lead_id,
        "department": _department(class_id),
        "class_id": class_id,
        "what": what,
        "count": count,
        "of": of,
        "row_keys": sorted(keys),
        "reason_zh": reason,
        "since": None,
    }


def two_names(conflicts: pl.DataFrame, rows: pl.DataFrame) -> list[dict[str, object]]:
    """Q01. `conflicts`: identity_key, source_class, kind; `rows`: identity_key, source_class, delivery_id, row."""
    found = (
        conflicts.filter(pl.col("kind") == "name")
        .select("identity_key", "source_class")
        .unique()
        .join(rows, on=["identity_key", "source_class"])
        .with_columns(key=pl.concat_str("delivery_id", pl.lit(":"), pl.col("row").cast(pl.String())))
    )
    return [
        _lead(
            "Q01",
            class_id,
            "name",
            f"{_title(class_id)}中有{len(set(keys))}行的证件号码与户籍登记一致而姓名不同，可能误录了亲属的号码，"
            "也可能是未登记的改名，请核对原始材料后更正。",
            sorted(set(keys)),
            len(set(keys)),
        )
        for (class_id,), part in found.group_by("source_class", maintain_order=True)
        for keys in [part["key"].to_list()]
        if isinstance(class_id, str)
    ]


def alive_and_dead(
    facts: Mapping[str, pl.LazyFrame], as_of: date, after_days: float
) -> list[dict[str, object]]:
    """Q02, by certain links alone: to the class that says dead, and to the one that shows life after it.

    `facts`: tables of the night by name (`death`, `registered_resident`, `SIGNS_OF_LIFE`). A record that came in the first
    `after_days` after the death, or on a day that is not known, contradicts nothing.
    """
    if "death" not in facts:
        return []
    day = pl.coalesce("death_date", "recorded_date")
    dead = (
        facts["death"]
        .filter((pl.col("link_grade") == "A") & day.is_not_null() & (day <= as_of))
        .select("person_id", "death_source", died_on=day, dead_class="source_class", dead_key="row_key")
        .collect()
    )
    margin = timedelta(days=after_days)
    signs = []
    for name, column in SIGNS_OF_LIFE.items():
        scan = facts.get(name)
        if scan is None or not {column, "person_id", "link_grade"} <= set(scan.collect_schema().names()):
            continue
        signs.append(
            scan.filter((pl.col("link_grade") == "A") & (pl.col(column) <= as_of))
            .select(
                "person_id",
                seen_on=column,
                alive_class="source_class",
                alive_key="row_key",
                what=pl.lit(name),
            )
            .collect()
        )
    if "registered_resident" in facts:
        # The register is a state: whoever is active in it today is said to live today.
        signs.append(
            facts["registered_resident"]
            .filter((pl.col("link_grade") == "A") & (pl.col("register_status") == "1"))
            .select(
                "person_id",
                seen_on=pl.lit(as_of),
                alive_class="source_class",
                alive_key="row_key",
                what=pl.lit("registered_resident"),
            )
            .collect()
        )
    if not signs:
        return []
    both = pl.concat(signs).join(dead, on="person_id").filter(pl.col("seen_on") > pl.col("died_on") + margin)
    found = []
    for (alive, said), part in both.group_by("alive_class", "dead_class", maintain_order=True):
        people = part["person_id"].n_unique()
        alive_id, dead_id = str(alive), str(said)
        found.append(
            _lead(
                "Q02",
                alive_id,
                f"alive:{dead_id}",
                f"{_title(alive_id)}中有{people}人在{_title(dead_id)}记载的死亡日期{after_days:.0f}天以后仍有记录或仍为正常状态，"
                "请核对本人是否在世、是否他人冒用或登记未更新。",
                part["alive_key"].unique().to_list(),
                people,
            )
        )
        found.append(
            _lead(
                "Q02",
                dead_id,
                f"dead:{alive_id}",
                f"{_title(dead_id)}中有{people}人记载为死亡，而{_title(alive_id)}在其死亡日期{after_days:.0f}天以后仍有记录或仍为"
                "正常状态，请核对死亡记录是否记错了人或日期。",
                part["dead_key"].unique().to_list(),
                people,
            )
        )
    return found


def late_or_short(
    status: pl.DataFrame, ledger: pl.DataFrame, as_of: date, shrunk_percent: float
) -> list[dict[str, object]]:
    """Q03. `status`: table source_status; `ledger`: rows of the ledgers of all nights up to the day."""
    found = [
        _lead(
            "Q03",
            row["class_id"],
            row["status"],
            f"{_title(row['class_id'])}：{row['note_zh'] or ''}。",
            [],
            0,
        )
        for row in status.filter(pl.col("status") != "fresh").iter_rows(named=True)
    ]
    full = ledger.filter((pl.col("kind") == "full") & (pl.col("batch_date") <= as_of)).sort(
        "class_id", "batch_date", "delivery_id"
    )
    for (class_id,), part in full.group_by("class_id", maintain_order=True):
        last = part.row(-1, named=True)
        if last["batch_date"] != as_of:
            continue
        name = str(class_id)
        if last["rows_received"] == 0:
            found.append(
                _lead("Q03", name, "empty", f"{_title(name)}：{as_of}送达的全量数据没有一行。", [], 0)
            )
            continue
        if part.height < 2:
            continue
        before = int(part.row(-2, named=True)["rows_received"])
        less = 100 * (before - int(last["rows_received"])) / before if before else 0
        if less >= shrunk_percent:
            found.append(
                _lead(
                    "Q03",
                    name,
                    "shrunk",
                    f"{_title(name)}：{as_of}送达的全量数据为{last['rows_received']}行，比上一份的{before}行少{less:.0f}%"
                    f"（提示标准：少{shrunk_percent:.0f}%），请确认是否完整。",
                    [],
                    int(last["rows_received"]),
                    before,
                )
            )
    return found


def checksum_jump(
    issues: pl.DataFrame, ledger: pl.DataFrame, as_of: date, points: float, least_rows: float
) -> list[dict[str, object]]:
    """Q04. `issues`, `ledger`: all nights up to the day. The mean before is that of all earlier deliveries of the class."""
    failed = (
        issues.filter(pl.col("reason") == "id_checksum")
        .group_by("delivery_id")
        .agg(failed=pl.col("rows").sum())
    )
    rates = (
        ledger.filter((pl.col("rows_received") > 0) & (pl.col("batch_date") <= as_of))
        .join(failed, on="delivery_id", how="left")
        .with_columns(pl.col("failed").fill_null(0))
    )
    found = []
    for (class_id,), part in rates.group_by("class_id", maintain_order=True):
        tonight, before = (
            part.filter(pl.col("batch_date") == as_of),
            part.filter(pl.col("batch_date") < as_of),
        )
        if tonight.is_empty() or before.is_empty():
            continue
        now, of = int(tonight["failed"].sum()), int(tonight["rows_received"].sum())
        share = 100 * now / of
        usual = 100 * int(before["failed"].sum()) / int(before["rows_received"].sum())
        if now < least_rows or share - usual < points:
            continue
        named = issues.filter(
            (pl.col("reason") == "id_checksum")
            & pl.col("delivery_id").is_in(tonight["delivery_id"].implode())
            & pl.col("row").is_not_null()
        )
        keys = [f"{delivery}:{row}" for delivery, row in named.select("delivery_id", "row").iter_rows()]
        found.append(
            _lead(
                "Q04",
                str(class_id),
                "id_checksum",
                f"{_title(str(class_id))}：{as_of}送达的{of}行中有{now}行证件号码校验不符（{share:.1f}%），此前平均为{usual:.1f}%"
                f"（提示标准：高出{points:.0f}个百分点），请检查导出过程。",
                keys,
                now,
                of,
            )
        )
    return found


def with_since(found: list[dict[str, object]], previous: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """The leads of a night in a total order; one that stood the night before keeps the day since when."""
    key = ["lead_id", "class_id", "what"]
    frame = pl.DataFrame(found, schema=LEAD_SCHEMA)
    if previous is not None:
        frame = frame.join(previous.select(*key, was="since"), on=key, how="left").with_columns(
            since=pl.coalesce("was", "since")
        )
    return (
        frame.with_columns(since=pl.coalesce("since", pl.lit(as_of)))
        .select(LEAD_SCHEMA.names())
        .sort("department", *key, nulls_last=True)
    )
