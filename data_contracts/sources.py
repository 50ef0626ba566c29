"""How far each class can be relied upon on a day, and what is said about it on lists and reports.

What is in the state of a day belongs in `feeding.py`; what a rule makes of a class that is not fresh, in `policy/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from data_contracts.contract import Contract, catalogue
from data_contracts.feeding import accepted_files, ledger

SOURCE_STATUS_SCHEMA = pl.Schema(
    {
        "class_id": pl.String(),
        "department": pl.String(),
        "last_batch": pl.Date(),
        "expected_by": pl.Date(),
        "status": pl.String(),
        "note_zh": pl.String(),
    }
)

FILES_TOLD = 3
"""So many refused files are named in a note; more are counted, since the quality report names them all."""

CADENCE_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
"""Days from one delivery to the next by cadence; the other cadences follow events and have no such day."""


def source_status(
    lake: Path,
    as_of: date,
    failed_checks: Mapping[str, str] | None = None,
    contracts: Iterable[Contract] | None = None,
) -> pl.DataFrame:
    """How far each class can be relied upon on a day: one row a class, in the order of the catalogue.

    `fresh`: delivered within `delivery.late_after_days`, and no file is waiting to be mended; `late`: not in time;
    `absent`: never delivered; `failed`: a file was of no use and nothing since has made it good (`_refused`), or rows of
    the state failed a hard check (`failed_checks`: class -> reason in Chinese; until a full supersedes them), or rows of a
    delta are missing (until the next complete delivery); `held`: the same for a file that waits for a correction or a
    confirmation. Why a file that was refused switches the class off, within its term too: docs/adr/0005.

    The note (Chinese) says which file was refused, why, and of which day the data are; for a fresh class also that the
    next delivery of its cadence has not come, and which deltas were left out. `contracts`: the classes to speak of
    (default: all). Columns: `SOURCE_STATUS_SCHEMA`.
    """
    failed_checks = failed_checks or {}
    rows = []
    for contract in contracts if contracts is not None else catalogue().values():
        book = ledger(lake, contract.id, as_of)
        good = accepted_files(lake, contract.id, as_of)
        confirmed = _confirmed(book)
        last = max(
            (d for d in (*(f.batch_date for f in good), confirmed if good else None) if d), default=None
        )
        days = contract.delivery.late_after_days
        expected = last + timedelta(days=days) if last and days else None
        refused, left_out = _refused(book, confirmed)
        cut = _cut_short(book)
        if contract.id in failed_checks:
            status, note = "failed", failed_checks[contract.id]
        elif not refused.is_empty():
            status = "held" if "held" in refused["status"] else "failed"
            note = _refused_zh(lake, contract.id, refused, book, last)
        elif cut:
            status, note = "failed", f"{cut}送达的增量文件不完整，待下一份完整的文件送达后恢复使用"
        elif last is None:
            status, note = "absent", "尚未收到任何数据"
        elif expected and as_of > expected:
            status, note = "late", f"最近一次数据为{last}，应在{expected}前更新，已逾期"
        else:
            status = "fresh"
            note = f"数据截至{last}" + _not_yet_zh(contract, last, expected, as_of) + _left_out_zh(left_out)
        rows.append(
            {
                "class_id": contract.id,
                "department": contract.department,
                "last_batch": last,
                "expected_by": expected,
                "status": status,
                "note_zh": note,
            }
        )
    return pl.DataFrame(rows, schema=SOURCE_STATUS_SCHEMA)


def _of_use() -> pl.Expr:
    """Files that said something: accepted with rows, or without any because there were none."""
    said = (pl.col("rows_accepted") > 0) | (pl.col("rows_received") == 0)
    return (pl.col("status") == "accepted") & said


def _refused(book: pl.DataFrame, confirmed: date | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ledger rows of files of no use: those that nothing since has made good, and deltas whose rows may still be missing.

    A full is made good by a full of a later day, or by the standing one sent again; a delta by these, and by a complete
    delta with rows of a later day, which need not bring the missing rows: such deltas are in the second frame.
    """
    if book.is_empty():
        return book, book
    use = book.filter(_of_use())
    whole = ~pl.col("is_incomplete").fill_null(False) if "is_incomplete" in book.columns else pl.lit(True)
    full = use.filter(pl.col("kind") == "full")["batch_date"].max()
    delta = use.filter((pl.col("kind") == "delta") & (pl.col("rows_accepted") > 0) & whole)[
        "batch_date"
    ].max()
    since_full = max((d for d in (full, confirmed) if isinstance(d, date)), default=date.min)
    since_delta = max((d for d in (delta, since_full) if isinstance(d, date)), default=date.min)
    bad = book.filter(~_of_use() & (pl.col("status") != "duplicate") & (pl.col("batch_date") >= since_full))
    healed = (pl.col("kind") == "delta") & (pl.col("batch_date") < since_delta)
    return bad.filter(~healed), bad.filter(healed)


def _refused_zh(
    lake: Path, class_id: str, refused: pl.DataFrame, book: pl.DataFrame, last: date | None
) -> str:
    """Which files were refused, why, and on the data of which day the class stands."""
    told = [
        f"{row['batch_date']}送达的文件未采用（{_why(lake, class_id, row)}）"
        for row in refused.sort("batch_date", "file").head(FILES_TOLD).iter_rows(named=True)
    ]
    more = f"，另有{refused.height - len(told)}个文件未采用" if refused.height > len(told) else ""
    said = "；".join(told) + more
    if last is None:
        return f"{said}；此前没有可用的数据，待更正后重报"
    full = book.filter(_of_use() & (pl.col("kind") == "full"))["batch_date"].max()
    first = refused["batch_date"].min()
    if isinstance(full, date) and isinstance(first, date) and full < first < last:
        return f"{said}；全量数据仍为{full}的，增量采用至{last}，待全量更正、确认或重报后恢复使用"
    return f"{said}；沿用{last}的数据，待更正、确认或重报后恢复使用"


def _why(lake: Path, class_id: str, row: Mapping[str, object]) -> str:
    """File and reason in one sentence, from the issues of its night; what decided outranks what was noticed besides."""
    path = lake / "issues" / class_id / f"batch_date={row['batch_date']}.parquet"
    if path.is_file():
        whole = (pl.col("severity") == "error") & pl.col("row").is_null()
        found = (
            pl.read_parquet(path, columns=["delivery_id", "severity", "row", "reason", "message_zh"])
            .filter((pl.col("delivery_id") == row["delivery_id"]) & whole)
            .sort(~pl.col("reason").str.starts_with("held"), "reason", "message_zh")
        )
        if found.height:
            return str(found["message_zh"][0])
    what = "全量文件不完整或比上次明显减少" if row["status"] == "held" else "文件无法使用"
    return f"{row['file']}：{what}"


def _not_yet_zh(contract: Contract, last: date, expected: date | None, as_of: date) -> str:
    """That the delivery which the cadence promises by today has not come; empty when it has, or none is promised."""
    days = CADENCE_DAYS.get(contract.delivery.cadence)
    due = last + timedelta(days=days) if days else None
    if due is None or expected is None or as_of < due:
        return ""
    return f"；{due}起应有新数据，尚未收到，在{expected}前暂用上述数据"


def _left_out_zh(left_out: pl.DataFrame) -> str:
    if left_out.is_empty():
        return ""
    days = "、".join(str(d) for d in left_out["batch_date"].unique().sort().to_list()[-FILES_TOLD:])
    return f"；{days}送达的增量文件有{left_out.height}个未采用，请确认其中的数据已补报"


def _cut_short(book: pl.DataFrame) -> date | None:
    """Day of the last delta of which rows are missing, unless something complete with rows came on a later day."""
    if book.is_empty() or "is_incomplete" not in book.columns:
        return None
    cut = pl.col("is_incomplete").fill_null(False)
    day = book.filter(_of_use() & cut)["batch_date"].max()
    if not isinstance(day, date):
        return None
    whole = (pl.col("rows_accepted") > 0) | (pl.col("kind") == "full")
    healed = book.filter(_of_use() & ~cut & whole & (pl.col("batch_date") > day))
    return day if healed.is_empty() else None


def _confirmed(book: pl.DataFrame) -> date | None:
    """Last day on which the standing full came again, all its parts, and so said that nothing had changed."""
    if book.is_empty():
        return None
    fulls = book.filter(_of_use() & (pl.col("kind") == "full"))
    if fulls.is_empty():
        return None
    standing = fulls.filter(pl.col("batch_date") == pl.col("batch_date").max())["sha256"].unique()
    again = book.filter((pl.col("status") == "duplicate") & pl.col("sha256").is_in(standing.implode()))
    whole = (
        again.group_by("batch_date")
        .agg(pl.col("sha256").n_unique())
        .filter(pl.col("sha256") == len(standing))
    )
    day = whole["batch_date"].max()
    return day if isinstance(day, date) else None
