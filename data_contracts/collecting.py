"""One class on one night: find its files, read each, and keep the books of the night.

Writes ledger, issues and checks of the class and clears away what an earlier attempt at the same night left behind.
How a file is read belongs in `reading.py`, what a contract promises in `expectations.py`. Nothing here knows a class
by name, and nothing here stops another class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from data_contracts import expectations, reading
from data_contracts.contract import Contract, catalogue, departments
from data_contracts.feeding import accepted_files, standing_files
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


def strays(inbox: Path) -> list[str]:
    """What lies in the inbox of a day outside the folders of the departments: nobody reads it."""
    names = [path.name for path in sorted(inbox.iterdir())] if inbox.is_dir() else []
    return [hide_numbers(name) for name in names if name not in departments() and name[0] not in "._"]


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
    night = _Night(contract, folder, lake, batch_date)
    for path in night.paths:
        night.read(path)
    night.judge_parts()
    outcomes = night.judge_deltas()
    books = [night.books[path.name] for path in night.paths]
    issues = [ISSUES.to_frame(), *(night.issues[path.name] for path in night.paths)]
    book = _frame(books, LEDGER)
    findings = pl.concat([frame.select(list(ISSUES)).cast(ISSUES) for frame in issues])
    _clear(lake, contract.id, batch_date, set(book["delivery_id"]))
    accepted = _accepted(lake, contract.id, batch_date, book)
    # The ledger is written last: what it names is complete.
    write_parquet(outcomes, lake / "checks" / contract.id / f"batch_date={batch_date}.parquet")
    write_parquet(findings, lake / "issues" / contract.id / f"batch_date={batch_date}.parquet")
    write_parquet(book, lake / "ledger" / contract.id / f"batch_date={batch_date}.parquet")
    return Collected(contract, batch_date, book, findings, outcomes, accepted)


class _Night:
    """The files of one class on one night: read, and judged together where they are parts of one full."""

    def __init__(self, contract: Contract, folder: Path, lake: Path, batch_date: date) -> None:
        self.contract, self.lake, self.batch_date = contract, lake, batch_date
        self.manifest = read_manifest(folder)
        self.paths = files_of(folder, contract.id)
        self.history = earlier_ledger(lake, contract.id, batch_date - timedelta(days=1))
        self.books: dict[str, dict[str, Any]] = {}
        self.issues: dict[str, pl.DataFrame] = {}
        fulls = [path for path in self.paths if self._kind(path) == "full"]
        self.together = reading.Together(is_part=len(fulls) > 1)

    def _entry(self, path: Path) -> dict[str, Any]:
        entry = self.manifest.get(path.name)
        return entry if isinstance(entry, dict) else {}

    def _kind(self, path: Path) -> str:
        return str(reading.kind_of(self.contract, path, self._entry(path)))

    def read(self, path: Path, **together: Any) -> None:
        """Read one file with what came before it, this night and earlier; again when the verdict on it changed."""
        before = [self.books[p.name] for p in self.paths if p.name in self.books and p < path]
        known = [frame for frame in (self.history, _frame(before, LEDGER)) if not frame.is_empty()]
        alone = reading.Together(hold=together.get("hold"))
        part = replace(self.together, **together) if self._kind(path) == "full" else alone
        try:
            found = reading.read_delivery(
                self.contract,
                path,
                batch_date=self.batch_date,
                lake=self.lake,
                manifest_entry=self._entry(path),
                history=pl.concat(known, how="diagonal_relaxed") if known else None,
                together=part,
            )
            self.books[path.name], self.issues[path.name] = found.ledger, found.issues
        except OSError:
            raise
        except Exception as error:
            self.books[path.name], self.issues[path.name] = _failure(
                self.contract, path, self._kind(path), self.batch_date, error
            )

    def judge_parts(self) -> None:
        """A full in several files is used as a whole or not at all; the state stays what it was otherwise."""
        again = [p for p in self._parts() if self._status(p) == "duplicate"]
        if len(again) == len(self._parts()):
            return
        for path in again:
            # One part is as it was, another is new: together they are a new full.
            self.read(path, is_renewed=True)
        parts = self._parts()
        used = [p for p in parts if self._status(p) == "accepted"]
        hold = self._reason(parts, used) if used else None
        for path in used if hold else []:
            self.read(path, is_renewed=True, hold=hold)

    def judge_deltas(self) -> pl.DataFrame:
        """Hold the deltas that fail a hard check, so that the class can go on without them; outcomes of the checks.

        The outcomes are those of the rows that are used; of a night of which nothing is used, those that decided.
        """
        outcomes = self._checked(self._used())
        deltas = [p for p in self._used() if self._kind(p) == "delta"]
        if not _hard(outcomes) or not deltas:
            return outcomes
        is_alone = len(self._used()) == 1
        guilty = {p: found for p in deltas if (found := _hard(outcomes if is_alone else self._checked([p])))}
        if not guilty and len(deltas) == len(self._used()):
            guilty = dict.fromkeys(deltas, _hard(outcomes))
        for path, notes in guilty.items():
            self.read(path, hold=("held_checks", {"found": "；".join(notes)}))
        rest = self._checked(self._used())
        is_silent = not any(book["status"] == "accepted" for book in self.books.values())
        return outcomes if guilty and is_silent else rest

    def _used(self) -> list[Path]:
        """Files of which rows are used."""
        books = self.books
        return [
            p for p in self.paths if self._status(p) == "accepted" and int(books[p.name]["rows_accepted"])
        ]

    def _checked(self, paths: list[Path]) -> pl.DataFrame:
        folder = self.lake / "accepted" / self.contract.id / f"batch_date={self.batch_date}"
        rows = sorted(folder / f"{self.books[p.name]['delivery_id']}.parquet" for p in paths)
        full = any(self._kind(p) == "full" and self._status(p) == "accepted" for p in self.paths)
        return expectations.run(self.contract, rows, self.batch_date, full=full)

    def _status(self, path: Path) -> str:
        return str(self.books[path.name]["status"])

    def _parts(self) -> list[Path]:
        """Full files of the night but for twins of another."""
        fulls = [p for p in self.paths if self._kind(p) == "full"]
        read = {self.books[p.name]["sha256"] for p in fulls if self._status(p) != "duplicate"}
        return [
            p for p in fulls if self._status(p) != "duplicate" or self.books[p.name]["sha256"] not in read
        ]

    def _reason(self, parts: list[Path], used: list[Path]) -> tuple[str, dict[str, Any]] | None:
        if len(used) < len(parts):
            bad = "、".join(p.name for p in parts if p not in used)
            return "held_part", {"found": bad}
        if any(self._entry(p).get("confirm_shrink") is True for p in parts):
            return None
        if self.together.is_part:
            now = {p.name: int(self.books[p.name]["rows_received"]) for p in parts}
            words = reading.shrunk(self.contract, self.history, self.batch_date, now)
            if words is not None:
                return "held_shrunk", words
        absent = self._absent({hide_numbers(p.name) for p in parts})
        return ("held_part_missing", {"found": "、".join(absent)}) if absent else None

    def _absent(self, names: set[str]) -> list[str]:
        """Parts of the last full that are not there, when all that is there bears the name of another of them."""
        if self.history.is_empty() or self.contract.delivery.full_per:
            return []
        fulls = self.history.filter((pl.col("kind") == "full") & (pl.col("status") == "accepted"))
        last = fulls.filter(pl.col("batch_date") == pl.col("batch_date").max())
        before = set(last["file"].to_list())
        return sorted(before - names) if names < before else []


def failed_checks(lake: Path, as_of: date) -> dict[str, str]:
    """Class -> why its rules are off (Chinese): a night whose rows belong to the state failed a hard check.

    The verdict stays with the rows: it holds until a full file supersedes them, whatever comes in between, the same
    file again or a good delta. Deltas that fail are held at the door (`_Night.judge_deltas`). An engine error is not among the reasons: it says nothing about the data.
    """
    found: dict[str, str] = {}
    for contract in catalogue().values():
        standing = standing_files(contract, accepted_files(lake, contract.id, as_of))
        said = []
        for day in sorted({file.batch_date for file in standing}):
            path = lake / "checks" / contract.id / f"batch_date={day}.parquet"
            if not path.is_file():
                continue
            notes = _hard(pl.read_parquet(path))
            if notes:
                said.append(f"{day}数据未通过检查：" + "；".join(notes))
        if said:
            found[contract.id] = "；".join(said)
    return found


def _hard(outcomes: pl.DataFrame) -> list[str]:
    """Notes of the hard checks that failed."""
    hard = (pl.col("outcome") == "failed") & (pl.col("severity") == "error")
    return outcomes.filter(hard)["note_zh"].to_list()


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
    contract: Contract, path: Path, kind: str, batch_date: date, error: Exception
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Ledger row and issue of a file on which the reader broke. The text of the error may quote a value: left out."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    delivery_id = hashlib.sha256(f"{digest}{path.name}".encode()).hexdigest()[:16]
    error_kind = type(error).__name__
    row = {
        "delivery_id": delivery_id,
        "class_id": contract.id,
        "department": contract.department,
        "batch_date": batch_date,
        "file": hide_numbers(path.name),
        "sha256": digest,
        "bytes": path.stat().st_size,
        "kind": kind,
        "status": "failed",
        "control_note_zh": f"读取程序出错（{error_kind}）",
        **dict.fromkeys(["rows_received", *PARTS, "rows_other"], 0),
    }
    finding = {
        "class_id": contract.id,
        "batch_date": batch_date,
        "delivery_id": delivery_id,
        "file": hide_numbers(path.name),
        "reason": "reader_failed",
        "severity": "error",
        "message_zh": f"文件未能读取：程序出错（{error_kind}），本班次不使用该文件",
        "action_zh": "请联系数据组排查；部门无需重报，除非另行通知",
        "rows": 0,
    }
    return row, _frame([finding], ISSUES)
