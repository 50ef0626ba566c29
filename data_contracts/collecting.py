"""One class on one night: find its files, read each, and keep the books of the night.

Writes ledger, issues and checks of the class and clears away what an earlier attempt at the same night left behind.
How a file is read belongs in `reading.py`, what a contract promises in `expectations.py`. Nothing here knows a class
by name, and nothing here stops another class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from data_contracts import expectations
from data_contracts.contract import Contract, catalogue
from data_contracts.feeding import ledger as earlier_ledger
from data_contracts.field_types import hide_numbers
from data_contracts.issues import ISSUES
from data_contracts.ledger import LEDGER

MANIFEST = "_manifest.yaml"

PARTS = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")


@dataclass(frozen=True)
class Collected:
    """What one night brought of one class."""

    contract: Contract
    batch_date: date
    ledger: pl.DataFrame
    issues: pl.DataFrame
    checks: pl.DataFrame
    accepted: list[Path]

    @property
    def failed(self) -> bool:
        """The reader broke on a file."""
        return (self.ledger["status"] == "failed").any()

    def residual(self) -> int:
        """Rows that were received and are in no other column; zero, or the reader loses rows."""
        books = self.ledger.fill_null(0)
        return int(books["rows_received"].sum()) - sum(int(books[part].sum()) for part in PARTS)


def files_of(folder: Path, class_id: str) -> list[Path]:
    """Files of a class in the folder of a department, in the order in which they are read."""
    return [path for path in delivered(folder) if path.name.split(".")[0] == class_id]


def delivered(folder: Path) -> list[Path]:
    """Every finished file in the folder of a department; what is hidden, a manifest or still being written is not."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name[0] not in "._" and path.suffix not in {".part", ".tmp", ".draft"}
    ]


def unclaimed(folder: Path) -> list[Path]:
    """Files that belong to no class of this department; somebody must look at them."""
    return [
        path
        for path in delivered(folder)
        if path.name.split(".")[0] not in catalogue()
        or catalogue()[path.name.split(".")[0]].department != folder.name
    ]


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """File name -> entry of the manifest beside the files; empty when there is none or it cannot be read."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {entry["file"]: entry for entry in body["files"]}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return {}


def manifest_is_broken(folder: Path) -> bool:
    """There is a manifest, and nothing in it can be used."""
    return (folder / MANIFEST).is_file() and not read_manifest(folder)


def collect(contract: Contract, folder: Path, lake: Path, batch_date: date) -> Collected:
    """Read every file of a class in the folder of its department and write the books of the night.

    Never raises for what a file contains; an unforeseen failure of the reader becomes a ledger row of status `failed`
    that names its kind and no value. OSError (disk, network) is raised: trying again may help.
    """
    from data_contracts.reading import read_delivery

    manifest = read_manifest(folder)
    history = earlier_ledger(lake, contract.id, batch_date - timedelta(days=1))
    books: list[dict[str, Any]] = []
    issues: list[pl.DataFrame] = [ISSUES.to_frame()]
    for path in files_of(folder, contract.id):
        known = [frame for frame in (history, _frame(books, LEDGER)) if not frame.is_empty()]
        try:
            reading = read_delivery(
                contract,
                path,
                batch_date=batch_date,
                lake=lake,
                manifest_entry=manifest.get(path.name),
                history=pl.concat(known, how="diagonal_relaxed") if known else None,
            )
            books.append(reading.ledger)
            issues.append(reading.issues)
        except OSError:
            raise
        except Exception as error:
            row, finding = _failure(contract, path, batch_date, error)
            books.append(row)
            issues.append(finding)
    book = _frame(books, LEDGER)
    findings = pl.concat([frame.select(list(ISSUES)).cast(ISSUES) for frame in issues])
    _clear(lake, contract.id, batch_date, set(book["delivery_id"]))
    accepted = _accepted(lake, contract.id, batch_date, book)
    full = bool(((book["kind"] == "full") & (book["status"] == "accepted")).any())
    outcomes = expectations.run(contract, accepted, batch_date, full=full)
    # The ledger is written last: what it names is complete.
    write_parquet(outcomes, lake / "checks" / contract.id / f"batch_date={batch_date}.parquet")
    write_parquet(findings, lake / "issues" / contract.id / f"batch_date={batch_date}.parquet")
    write_parquet(book, lake / "ledger" / contract.id / f"batch_date={batch_date}.parquet")
    return Collected(contract, batch_date, book, findings, outcomes, accepted)


def failed_checks(lake: Path, as_of: date) -> dict[str, str]:
    """Class -> why its rules are off (Chinese): the last night that brought something failed a hard check.

    An engine error is not among the reasons: it says nothing about the data.
    """
    found: dict[str, str] = {}
    for class_id in catalogue():
        book = earlier_ledger(lake, class_id, as_of)
        if book.is_empty():
            continue
        last = max(book["batch_date"].to_list())
        path = lake / "checks" / class_id / f"batch_date={last}.parquet"
        if not path.is_file():
            continue
        hard = pl.read_parquet(path).filter((pl.col("outcome") == "failed") & (pl.col("severity") == "error"))
        if not hard.is_empty():
            found[class_id] = f"{last}数据未通过检查：" + "；".join(hard["note_zh"].to_list())
    return found


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write to a draft and rename, so that a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    frame.write_parquet(draft)
    draft.replace(path)


def _frame(rows: Iterable[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _accepted(lake: Path, class_id: str, batch_date: date, book: pl.DataFrame) -> list[Path]:
    wanted = book.filter((pl.col("status") == "accepted") & (pl.col("rows_accepted") > 0))["delivery_id"]
    folder = lake / "accepted" / class_id / f"batch_date={batch_date}"
    return [folder / f"{delivery_id}.parquet" for delivery_id in sorted(wanted)]


def _clear(lake: Path, class_id: str, batch_date: date, keep: set[str]) -> None:
    """Remove what an earlier attempt at this night read from files that are no longer in the inbox, and drafts."""
    for kind in ("accepted", "quarantine"):
        folder = lake / kind / class_id / f"batch_date={batch_date}"
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            if path.stem not in keep or path.suffix != ".parquet":
                path.unlink()


def _failure(
    contract: Contract, path: Path, batch_date: date, error: Exception
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Ledger row and issue of a file on which the reader broke. The text of the error may quote a value: left out."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    delivery_id = hashlib.sha256(f"{digest}{path.name}".encode()).hexdigest()[:16]
    kind = type(error).__name__
    row = {
        "delivery_id": delivery_id,
        "class_id": contract.id,
        "department": contract.department,
        "batch_date": batch_date,
        "file": hide_numbers(path.name),
        "sha256": digest,
        "bytes": path.stat().st_size,
        "kind": contract.delivery.kind,
        "status": "failed",
        "control_note_zh": f"读取程序出错（{kind}）",
        **dict.fromkeys(["rows_received", *PARTS, "rows_other"], 0),
    }
    finding = {
        "class_id": contract.id,
        "batch_date": batch_date,
        "delivery_id": delivery_id,
        "file": hide_numbers(path.name),
        "reason": "reader_failed",
        "severity": "error",
        "message_zh": f"文件未能读取：程序出错（{kind}），本班次不使用该文件",
        "action_zh": "请联系数据组排查；部门无需重报，除非另行通知",
        "rows": 0,
    }
    return row, _frame([finding], ISSUES)
