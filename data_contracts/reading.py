"""A delivered file -> accepted rows, quarantine, issues and one row of the ledger.

What becomes of a row is decided here: accepted, rejected, duplicate or quarantined, and nothing else. How a file is
taken apart belongs in `deliveries.py`, what a cell means in `field_types.py`, which files there are in
`collecting.py`. Nothing here knows a class by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts import plain_dates
from data_contracts.contract import Contract, FieldSpec
from data_contracts.deliveries import FORMATS_ZH, Batch, Note, Unreadable, open_delivery
from data_contracts.encodings import ENCODINGS_ZH
from data_contracts.field_types import BLANKS, FIELD_TYPES, Column, hide_numbers, schema_of
from data_contracts.headers import Match, match, similar
from data_contracts.issues import IssueLog
from data_contracts.ledger import Ledger
from data_contracts.resident_id import are_numbers, only_digits, only_these

QUARANTINE = pl.Schema(
    {"_row": pl.Int64(), "disposition": pl.String(), "reason": pl.String(), "raw": pl.String()}
)
"""Rows that were not accepted, with their text. Restricted: never shown, never logged."""

PADDED = 200
"""So many rows are looked at to see whether a column is padded with blanks throughout."""

LARGEST_SUMMARY = 1_000
"""A sheet or member with few of the agreed columns and no more rows is a summary beside the data, not data."""


@dataclass(frozen=True)
class Reading:
    """What came of one file."""

    ledger: dict[str, Any]
    issues: pl.DataFrame


TORN_ROWS = 3
TORN_SHARE = Decimal("0.001")
"""A file may differ from the declared number of rows by so many rows, or by this share of them if that is more: a torn
row counts as two lines, a lost line end joins two rows. Beyond that rows are missing. Engineering constants."""


@dataclass(frozen=True)
class Together:
    """What the other full files of the same night mean for one of them; `collecting.py` finds out."""

    is_part: bool = False
    """One of several: size is judged over all of them."""
    is_renewed: bool = False
    """Another part has changed: this one counts again, although it is the same as before."""
    hold: tuple[str, dict[str, Any]] | None = None
    """Reason and words for which this part may not be used."""


def read_delivery(
    contract: Contract,
    path: Path,
    *,
    batch_date: date,
    lake: Path,
    manifest_entry: dict[str, Any] | None = None,
    history: pl.DataFrame | None = None,
    together: Together = Together(),
) -> Reading:
    """Read one file into the lake and say what became of every row of it.

    `history` holds ledger rows of earlier files of the class (any columns beyond those used are ignored): for
    deliveries that came before, and full files that shrink. `manifest_entry` is what the department declared.

    A full file is a duplicate when it is the standing one (`standing_fulls`) or a twin of the same night; an older one
    is a new delivery, so that the state can go back. A delta is a duplicate of any earlier accepted one. A full file
    that ends too early, or has another number of rows than declared (`TORN_ROWS`, `TORN_SHARE`), or shrinks is held
    unless `confirm_shrink`. Such a delta is used, and the ledger says `is_incomplete`. A file of whose rows none can
    be used is rejected.

    Never raises for what is in the file; OSError when disk or network fail.
    """
    reader = _Reader(contract, path, batch_date, lake, manifest_entry or {}, history, together)
    try:
        return reader.run()
    finally:
        reader.accepted.discard()
        reader.quarantine.discard()
        reader.digest.close()


def standing_fulls(history: pl.DataFrame) -> pl.DataFrame:
    """Ledger rows of the last accepted full, all its parts; none when a delta with rows came with it or since.

    Columns used: batch_date, kind, status, rows_received, rows_accepted.
    """
    word = (pl.col("status") == "accepted") & ((pl.col("rows_accepted") > 0) | (pl.col("rows_received") == 0))
    fulls = history.filter(word & (pl.col("kind") == "full"))
    last = fulls.filter(pl.col("batch_date") == pl.col("batch_date").max())
    if last.is_empty():
        return last
    deltas = history.filter(word & (pl.col("kind") == "delta") & (pl.col("rows_accepted") > 0))
    since = deltas.filter(pl.col("batch_date") >= last["batch_date"].max())
    return last if since.is_empty() else last.clear()


def delivery_id_of(sha256: str, file: str) -> str:
    """The id of a delivery: content and name, 16 hexadecimal digits."""
    return hashlib.sha256(f"{sha256}{file}".encode()).hexdigest()[:16]


class _Reader:
    def __init__(
        self,
        contract: Contract,
        path: Path,
        batch_date: date,
        lake: Path,
        manifest: dict[str, Any],
        history: pl.DataFrame | None,
        together: Together,
    ) -> None:
        self.contract, self.path, self.batch_date, self.manifest = contract, path, batch_date, manifest
        self.together = together
        self.file = hide_numbers(path.name)
        self.log = IssueLog(contract.id, batch_date, path.name)
        self.digest = _Digest(path)
        self.book = Ledger(
            delivery_id="",
            class_id=contract.id,
            department=contract.department,
            batch_date=batch_date,
            file=self.file,
            sha256="",
            bytes=path.stat().st_size,
            format=contract.delivery.format,
            encoding=contract.delivery.encoding,
            kind=kind_of(contract, path, manifest),
        )
        self.history = _relevant(history, self.file, batch_date)
        place = f"{contract.id}/batch_date={batch_date}"
        self.schema = pl.Schema({"_row": pl.Int64(), **schema_of(contract)})
        few = [s.name for s in contract.fields if FIELD_TYPES[s.type].few]
        packed = [s.name for s in contract.fields if s.type in _LONG_TEXT]
        self.accepted = _Draft(
            lake / "accepted" / place, self.digest, self.schema, packed, few, with_delivery_id=True
        )
        self.quarantine = _Draft(
            lake / "quarantine" / place, self.digest, QUARANTINE, ["raw"], ["disposition", "reason"]
        )
        self.seen = _SeenRows()
        self.totals: dict[str, Decimal] = {}
        self.factors: dict[str, int] = {}
        self.dirt: dict[str, list[str]] = {}
        self.cut_short: str | None = None
        self.is_other_file = False

    # --- the whole file

    def run(self) -> Reading:
        same = self._delivered_before()
        if same is not None:
            self.book.status = "duplicate"
            self.book.rows_received = self.book.rows_duplicate = int(same["rows_received"] or 0)
            self.book.rows_other = int(same["rows_other"] or 0)
            self.book.format, self.book.encoding = str(same["format"]), str(same["encoding"])
            self.log.file("duplicate_delivery", found=f"{same['batch_date']}的{same['file']}")
            return self._finish()
        try:
            with self.path.open("rb") as stream:
                self._read(stream)
        except Unreadable as problem:
            self._reject_all(problem)
            return self._finish()
        if self.book.status == "accepted":
            self._judge_controls()
            if self.book.rows_received and not self.book.rows_accepted:
                self.log.file("nothing_usable")
                self.book.status = "rejected"
        if self.book.status == "accepted":
            self._judge_end()
        if self.book.status == "accepted":
            self._judge_size()
        if self.book.status == "accepted" and self.together.hold is not None:
            reason, words = self.together.hold
            self._hold(reason, **words)
        return self._finish()

    def _finish(self) -> Reading:
        self.book.sha256, self.book.delivery_id = self.digest.sha256, self.digest.delivery_id
        if self.book.status == "accepted" and self.book.rows_accepted:
            self.accepted.keep()
        else:
            self.accepted.drop()
        if self.book.rows_rejected or self.book.rows_quarantined:
            self.quarantine.keep()
        else:
            self.quarantine.drop()
        if self.manifest and self.book.control_ok is None and "sha256" in self.manifest:
            self._judge_sha256()
        return Reading(self.book.row(), self.log.frame(self.book.delivery_id))

    def _delivered_before(self) -> dict[str, Any] | None:
        if self.history.is_empty():
            return None
        # Nothing of another size can be the same, and the digest need not be waited for.
        if not (self.history["bytes"] == self.book.bytes).any():
            return None
        same = self.history.filter(
            (pl.col("sha256") == self.digest.sha256)
            & (pl.col("status") == "accepted")
            & (pl.col("kind") == self.book.kind)
        )
        if self.book.kind == "full":
            tonight = pl.col("batch_date") == self.batch_date
            before = standing_fulls(self.history.filter(~tonight))
            if self.together.is_renewed or self._has_delta_tonight():
                before = before.clear()
            standing = pl.col("batch_date").is_in(before["batch_date"].implode())
            same = same.filter(tonight | standing)
        return same.row(0, named=True) if same.height else None

    def _has_delta_tonight(self) -> bool:
        delta = (pl.col("kind") == "delta") & (pl.col("status") == "accepted") & (pl.col("rows_accepted") > 0)
        return not self.history.filter((pl.col("batch_date") == self.batch_date) & delta).is_empty()

    def _read(self, stream: BinaryIO) -> None:
        declared = self.manifest.get("encoding")
        delivery = open_delivery(stream, self.contract, declared if isinstance(declared, str) else None)
        understood = False
        headers_seen: list[list[str | None]] = []
        incomplete: list[tuple[Match, str]] = []
        summaries: list[list[Batch]] = []
        for part in delivery.parts:
            found = match(part.headers, self.contract)
            headers_seen.append(part.headers)
            if found.missing:
                small = self._small_part(part.batches) if found.found * 2 < len(self.contract.fields) else []
                if small:
                    summaries.append(small)
                else:
                    self._reject_part(part.batches)
                incomplete.append((found, part.name or ""))
                continue
            understood = True
            self._report_headers(found)
            for batch in part.batches:
                self._take(batch, found, is_1904=part.is_1904)
        self._take_notes(delivery.notes)
        self.book.format, self.book.encoding = delivery.format, delivery.encoding
        self.book.rows_other += delivery.other
        for batches in summaries:
            if understood:
                self.book.rows_other += sum(b.other + len(b.rows) + len(b.odd) for b in batches)
            else:
                self._reject_part(iter(batches))
        if incomplete and understood:
            for found, name in incomplete:
                missing = "、".join(spec.source for spec in found.missing)
                self.log.file("part_incomplete", found=name, missing=missing)
        elif incomplete:
            self._refuse(min((found for found, _ in incomplete), key=lambda f: len(f.missing)), headers_seen)
        self._report_form(delivery.format, delivery.encoding)
        if delivery.is_truncated:
            self.log.file("truncated", found=delivery.is_truncated)
            self._control(False, delivery.is_truncated)
            self.cut_short = delivery.is_truncated
        if self.book.rows_received == 0 and self.book.status == "accepted":
            self.log.file("no_rows")

    def _refuse(self, blamed: Match, headers: list[list[str | None]]) -> None:
        """A required column is missing wherever one looks: nothing of the file is accepted."""
        present = [text for part in headers for text in part]
        for spec in blamed.missing:
            near = similar(spec, present)
            hint = f"；文件中相近的列名有：{'、'.join(near)}" if near else ""
            self.log.column("column_missing", spec.source, spec.name, self.book.rows_received, similar=hint)
        self.book.status = "rejected"

    def _reject_all(self, problem: Unreadable) -> None:
        self.log.file(problem.reason, **problem.words)
        self.book.status = "rejected"
        self._turn_away("rejected", problem.reason)
        if problem.reason == "unreadable":
            self._control(False, "文件无法读取")

    def _turn_away(self, disposition: str, reason: str) -> None:
        """Rows that were on their way to be accepted, or duplicates of them, go to quarantine instead."""
        moved = self.book.rows_accepted
        if moved:
            for frame in self.accepted.read_back():
                fields = pl.struct(pl.exclude("_delivery_id", "_row")).struct.json_encode()
                self.quarantine.write(
                    frame.select(
                        "_row",
                        disposition=pl.lit(disposition),
                        reason=pl.lit(reason),
                        raw=fields,
                    )
                )
        if disposition == "rejected":
            self.book.rows_rejected += moved
        else:
            self.book.rows_quarantined += moved
        self.book.rows_accepted = 0

    def _hold(self, reason: str, **words: Any) -> None:
        self.log.file(reason, **words)
        self.book.status = "held"
        self._turn_away("quarantined", reason)

    def _judge_end(self) -> None:
        """A file that does not reach its end: a full one is held, a delta is used and remembered as incomplete.

        Totals that differ are no reason by themselves: a row set aside is missing from them.
        """
        problem = self._missing_rows()
        if problem is None:
            return
        reason, words, note = problem
        if self.book.kind == "delta":
            self.log.file("delta_incomplete", found=note)
            self.book.is_incomplete = True
        elif self.manifest.get("confirm_shrink") is not True:
            self._hold(reason, **words)

    def _missing_rows(self) -> tuple[str, dict[str, Any], str] | None:
        """Reason, words and a short form of how it shows that rows are missing."""
        declared, found = self.book.declared_rows, self.book.rows_received
        if self.cut_short is not None:
            return "held_truncated", {"found": self.cut_short}, self.cut_short
        if declared is None:
            return ("held_sha256", {}, "与清单中的校验值不符") if self.is_other_file else None
        if abs(declared - found) <= max(Decimal(TORN_ROWS), declared * TORN_SHARE) and (
            found or not declared
        ):
            return None
        return "held_rows", {"expected": declared, "found": found}, f"清单{declared}行，实际{found}行"

    def _judge_size(self) -> None:
        """Full files that shrink are held; files outside the contract's bounds are named."""
        limits = self.contract.rows
        now = self.book.rows_received
        if limits.maximum is not None and now > limits.maximum:
            self.log.file("too_many_rows", now=now, limit=limits.maximum)
        if now < limits.minimum and self.book.kind == "full" and not self.together.is_part:
            self.log.file("too_few_rows", now=now, limit=limits.minimum)
        confirmed = self.manifest.get("confirm_shrink") is True
        if self.book.kind != "full" or self.together.is_part or confirmed:
            return
        words = shrunk(self.contract, self.history, self.batch_date, {self.file: now})
        if words is not None:
            self._hold("held_shrunk", **words)

    # --- what was declared

    def _control(self, ok: bool, note: str) -> None:
        self.book.control_ok = ok if self.book.control_ok is None else self.book.control_ok and ok
        earlier = self.book.control_note_zh
        self.book.control_note_zh = f"{earlier}；{note}" if earlier else note

    def _judge_sha256(self) -> None:
        declared = str(self.manifest["sha256"]).strip().lower()
        same = declared == self.digest.sha256
        self.is_other_file = not same
        if not same:
            self.log.file("control_sha256")
        self._control(same, "校验值相符" if same else "校验值不符")

    def _judge_controls(self) -> None:
        if not self.manifest:
            return
        if "sha256" in self.manifest:
            self._judge_sha256()
        rows = self.manifest.get("rows")
        if isinstance(rows, int) and not isinstance(rows, bool):
            self.book.declared_rows = rows
            same = rows == self.book.rows_received
            if not same:
                self.log.file("control_rows", expected=rows, found=self.book.rows_received)
            self._control(
                same, "行数相符" if same else f"行数不符（清单{rows}，实际{self.book.rows_received}）"
            )
        elif rows is not None:
            self.log.file("manifest_unusable", expected="rows")
        totals = self.manifest.get("totals")
        if isinstance(totals, dict):
            for name, declared in totals.items():
                self._judge_total(str(name), declared)
        elif totals is not None:
            self.log.file("manifest_unusable", expected="totals")

    def _judge_total(self, name: str, declared: Any) -> None:
        spec = next((s for s in self.contract.fields if name in (s.name, s.source)), None)
        if spec is None or spec.type not in ("money", "decimal", "integer"):
            self.log.file("control_unknown", expected=name)
            return
        try:
            expected = Decimal(str(declared).replace(",", ""))
        except InvalidOperation:
            self.log.file("manifest_unusable", expected=name)
            return
        found = self.totals.get(spec.name, Decimal(0)) / self.factors.get(spec.name, 1)
        same = expected == found
        if not same:
            found_text = f"{found.normalize():f}"
            self.log.column(
                "control_total",
                spec.source,
                spec.name,
                self.book.rows_received,
                expected=spec.source,
                declared=expected,
                found=found_text,
            )
        self._control(same, f"{spec.source}合计{'相符' if same else '不符'}")

    # --- what is said about form

    def _report_headers(self, found: Match) -> None:
        for header in found.unknown:
            self.log.column("column_unknown", header)
        for header in found.twice:
            self.log.column("column_twice", header)
        for header, spec in found.renamed:
            self.log.column("column_renamed", header, spec.name, expected=spec.source)
        for header, spec, unit in found.converted:
            self.log.column("column_unit", header, spec.name, found=unit, unit=spec.unit)
        for spec in found.absent:
            self.log.column("column_absent", spec.source, spec.name)

    def _report_form(self, form: str, encoding: str) -> None:
        agreed = self.contract.delivery
        if form != agreed.format:
            self.log.file(
                "format_differs", found=FORMATS_ZH.get(form, form), expected=FORMATS_ZH[agreed.format]
            )
        expected = self.manifest.get("encoding") or agreed.encoding
        plain = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": "utf-8", "utf8": "utf-8"}
        said = plain.get(str(expected).lower(), str(expected).lower())
        was = plain.get(encoding, encoding)
        if form in ("delimited", "fixed_width", "json") and said in ENCODINGS_ZH and was != said:
            self.log.file("encoding_differs", found=ENCODINGS_ZH[was], expected=ENCODINGS_ZH[said])

    def _take_notes(self, notes: list[Note]) -> None:
        for note in notes:
            if note.row is not None:
                self.log.row(note.reason, note.row, **note.words)
            elif "column" in note.words:
                self.log.column(note.reason, note.words["column"])
            else:
                self.log.file(note.reason, **note.words)

    # --- rows

    def _small_part(self, batches: Iterator[Batch]) -> list[Batch]:
        """All batches of a part that may be a summary; a larger one is rejected at once, and nothing is held."""
        held: list[Batch] = []
        rows = 0
        for batch in batches:
            held.append(batch)
            rows += len(batch.rows) + len(batch.odd)
            if rows > LARGEST_SUMMARY:
                self._reject_part(itertools.chain(held, batches))
                return []
        return held

    def _reject_part(self, batches: Iterator[Batch]) -> None:
        """Rows of a part without its required columns are counted and kept as text."""
        for batch in batches:
            self.book.rows_other += batch.other
            self._set_aside(batch.rows, _raw_text(batch.frame), "rejected", "column_missing")
            for odd in batch.odd:
                self._set_aside(pl.Series([odd.at]), pl.Series([odd.raw]), "rejected", "column_missing")

    def _set_aside(self, rows: pl.Series, raw: pl.Series, disposition: str, reason: str | pl.Series) -> None:
        """Rows that are not accepted, into the book and the quarantine."""
        count = len(rows)
        if count == 0:
            return
        self.book.rows_received += count
        if disposition == "rejected":
            self.book.rows_rejected += count
        else:
            self.book.rows_quarantined += count
        self.quarantine.write(
            pl.DataFrame({"_row": rows, "raw": raw.cast(pl.String)}).select(
                pl.col("_row").cast(pl.Int64),
                disposition=pl.lit(disposition),
                reason=reason if isinstance(reason, pl.Series) else pl.lit(reason),
                raw="raw",
            )
        )

    def _take(self, batch: Batch, found: Match, *, is_1904: bool) -> None:
        self.book.rows_other += batch.other
        self._take_notes(batch.notes)
        for odd in batch.odd:
            self.log.row(odd.reason, odd.at, **odd.words)
            self._set_aside(pl.Series([odd.at]), pl.Series([odd.raw]), "quarantined", odd.reason)
        if batch.frame.is_empty():
            return
        frame = _without_padding(batch.frame, found)
        typed = self._typed(frame, batch.rows, found, is_1904=is_1904, is_tidy=batch.is_tidy)
        self._sum(typed)
        reasons = self._rejections(typed)
        keep: pl.Series | None = None
        if reasons is not None:
            refused = reasons.is_not_null()
            at = refused.arg_true()
            self._report_rejections(reasons.gather(at), batch.rows.gather(at))
            self._set_aside(batch.rows.gather(at), _raw_text(batch.frame[at]), "rejected", reasons.gather(at))
            keep = ~refused
            typed, frame = typed.filter(keep), frame.filter(keep)
        rows = batch.rows if keep is None else batch.rows.filter(keep)
        self.book.rows_received += typed.height
        repeated = self.seen.repeated(_hashable(typed), self.contract.grain)
        if repeated is not None:
            self.book.rows_duplicate += int(repeated.sum())
            self.log.cells("duplicate_rows", rows.filter(repeated), None, None, None, None)
            typed, rows = typed.filter(~repeated), rows.filter(~repeated)
        self.book.rows_accepted += typed.height
        if typed.height:
            self.accepted.write(typed.select(rows.alias("_row"), pl.all()))

    def _typed(
        self, frame: pl.DataFrame, rows: pl.Series, found: Match, *, is_1904: bool, is_tidy: bool
    ) -> pl.DataFrame:
        """Every field of the contract with its type; issues for cells that could not be read or were changed."""
        by_name: dict[str, tuple[str, Column]] = {}
        for position, column in found.columns.items():
            known = replace(column, is_1904=True) if is_1904 else column
            by_name[column.spec.name] = (str(position), known)
            self.factors[column.spec.name] = column.factor
        for name, (_, column) in by_name.items():
            if name not in self.dirt:
                self.dirt[name] = _plain_dirt(column)
        quick = _read_quickly(frame, by_name, self.dirt, is_tidy=is_tidy)
        columns: list[pl.Series] = []
        for spec in self.contract.fields:
            if spec.name not in by_name:
                columns.append(
                    pl.Series(spec.name, [None], dtype=self.schema[spec.name]).new_from_index(0, frame.height)
                )
                continue
            place, column = by_name[spec.name]
            values, dirty = quick[spec.name]
            damaged = _damaged_by_spreadsheet(spec, frame[place])
            if len(dirty):
                cells = frame[place].gather(dirty)
                read, reasons = FIELD_TYPES[spec.type].read(cells, column)
                values = _merge(values, dirty, read)
                if damaged is not None:
                    reasons = reasons.set(damaged.gather(dirty), None)
                self._report_cells(spec, rows.gather(dirty), cells, reasons)
            if damaged is not None:
                values = values.set(damaged, None)
                where = damaged.arg_true()
                code = "id_lossy" if spec.type == "resident_id" else "number_lossy"
                self.log.cells(
                    code, rows.gather(where), frame[place].gather(where), spec.source, spec.name, spec.type
                )
            columns.append(values.alias(spec.name))
            # An empty key is reported with the row that it rejects.
            rejects = spec.name in self.contract.grain and spec.name not in self.contract.grain_may_lack
            if not spec.nullable and not rejects and values.null_count():
                self._report_empty(spec, frame[place], values, rows)
        for position, (header, spec, other) in found.refused.items():
            count = frame.height - frame[str(position)].null_count()
            if count:
                empty = pl.Series(rows.head(count))
                self.log.cells(
                    "column_period", empty, None, header, spec.name, None, found=other, unit=spec.unit
                )
        return pl.DataFrame(columns)

    def _report_cells(self, spec: FieldSpec, rows: pl.Series, cells: pl.Series, reasons: pl.Series) -> None:
        for reason in reasons.drop_nulls().unique(maintain_order=True).to_list():
            where = (reasons == reason).fill_null(False)
            self.log.cells(
                reason,
                rows.filter(where),
                cells.filter(where),
                spec.source,
                spec.name,
                spec.type,
                unit=spec.unit,
            )

    def _report_empty(self, spec: FieldSpec, cells: pl.Series, values: pl.Series, rows: pl.Series) -> None:
        """Cells that say nothing although they must; unreadable ones are reported already."""
        nothing = values.is_null() & cells.is_null()
        if nothing.any():
            self.log.cells("required_empty", rows.filter(nothing), None, spec.source, spec.name, None)

    def _rejections(self, typed: pl.DataFrame) -> pl.Series | None:
        """Why a row cannot be used: no key, or nobody in it. Null when all can be."""
        checks = [
            pl.when(pl.col(name).is_null()).then(pl.lit(f"grain_missing:{name}"))
            for name in self.contract.grain
            if not self.contract.field(name).nullable
            and name not in self.contract.grain_may_lack
            and typed[name].null_count()
        ]
        nobody = self._names_nobody(typed)
        if nobody is not None:
            checks.append(pl.when(nobody).then(pl.lit("names_nobody")))
        if not checks:
            return None
        reasons = typed.select(pl.coalesce(checks).alias("reason"))["reason"]
        return reasons if reasons.null_count() < len(reasons) else None

    def _names_nobody(self, typed: pl.DataFrame) -> pl.Expr | None:
        if not self.contract.subjects:
            return None
        subject = self.contract.subjects[0]
        names = [
            subject.evidence[kind]
            for kind in ("resident_id", "former_resident_id", "person_name", "former_name")
            if kind in subject.evidence
        ]
        names += [subject.derived_id] if subject.derived_id else []
        if not names or any(typed[name].null_count() == 0 for name in names):
            return None
        return pl.all_horizontal(pl.col(name).is_null() for name in names)

    def _report_rejections(self, reasons: pl.Series, rows: pl.Series) -> None:
        for reason in reasons.unique(maintain_order=True).to_list():
            where = rows.filter(reasons == reason)
            code, _, name = reason.partition(":")
            if name:
                spec = self.contract.field(name)
                self.log.cells(code, where, None, spec.source, name, None, expected=spec.source)
            else:
                self.log.cells(code, where, None, None, None, None)

    def _sum(self, typed: pl.DataFrame) -> None:
        declared = self.manifest.get("totals")
        if not isinstance(declared, dict):
            return
        for spec in self.contract.fields:
            if spec.type in ("money", "decimal", "integer") and (
                spec.name in declared or spec.source in declared
            ):
                total = typed[spec.name].cast(pl.Decimal(38, 4)).sum()
                self.totals[spec.name] = self.totals.get(spec.name, Decimal(0)) + Decimal(total or 0)


# --- helpers ----------------------------------------------------------------------------------------------------


def shrunk(
    contract: Contract, history: pl.DataFrame, batch_date: date, now: dict[str, int]
) -> dict[str, Any] | None:
    """Words for a full that lost too many rows against the last accepted one; null when it did not.

    `now`: file -> rows received, all parts of the night: sums are compared, so that a full may be cut in other parts.
    Where a full speaks for some periods only (`delivery.full_per`) files of the same name are compared.
    """
    if history.is_empty():
        return None
    fulls = history.filter(
        (pl.col("kind") == "full") & (pl.col("status") == "accepted") & (pl.col("batch_date") < batch_date)
    )
    last = fulls.filter(pl.col("batch_date") == pl.col("batch_date").max())
    if contract.delivery.full_per:
        same_name = last.filter(pl.col("file").is_in(list(now)))
        last = same_name if same_name.height else last
    before, rows = int(last["rows_received"].sum()), sum(now.values())
    tolerance = contract.rows.shrink_tolerance
    if rows >= before * (1 - tolerance):
        return None
    return {
        "found": f"{(before - rows) / before:.0%}",
        "before": before,
        "now": rows,
        "limit": f"{tolerance:.0%}",
    }


def kind_of(contract: Contract, path: Path, manifest: dict[str, Any]) -> Any:
    """`full` or `delta`: by the label in the file's name, else by the manifest, else by the contract."""
    labels = path.name.split(".")[1:-1]
    for label in labels:
        if label in ("full", "delta"):
            return label
    declared = manifest.get("kind")
    return declared if declared in ("full", "delta") else contract.delivery.kind


_HISTORY = (
    "batch_date",
    "file",
    "sha256",
    "bytes",
    "status",
    "kind",
    "rows_received",
    "rows_accepted",
    "rows_other",
    "format",
    "encoding",
)


def _relevant(history: pl.DataFrame | None, file: str, batch_date: date) -> pl.DataFrame:
    """Earlier files: before this day, or others of this day. The same night again is not a delivery again."""
    if history is None or not set(_HISTORY) <= set(history.columns):
        return pl.DataFrame(schema=dict.fromkeys(_HISTORY, pl.String()))
    return history.filter(
        (pl.col("batch_date") < batch_date)
        | ((pl.col("batch_date") == batch_date) & (pl.col("file") != file))
    ).sort("batch_date", "file")


def _raw_text(frame: pl.DataFrame) -> pl.Series:
    if not frame.width:
        return pl.Series([""] * frame.height, dtype=pl.String)
    return frame.select(raw=pl.concat_str(pl.all().fill_null(""), separator="|"))["raw"]


def _without_padding(frame: pl.DataFrame, found: Match) -> pl.DataFrame:
    """Columns that come padded with blanks (fixed width, old exports) are stripped as a whole."""
    names = [str(position) for position in found.columns]
    head = frame.head(PADDED).lazy().select(names)
    dressed = head.select(
        (pl.col(name).str.strip_chars(BLANKS) != pl.col(name)).any() for name in names
    ).collect()
    padded = [name for name in names if dressed[name][0]]
    if not padded:
        return frame
    stripped = [pl.col(name).str.strip_chars(BLANKS) for name in padded]
    return frame.with_columns(stripped).with_columns(
        pl.when(pl.col(name).str.len_bytes() > 0).then(pl.col(name)) for name in padded
    )


FEW = 4_000
"""A column of codes with more different values than this is not a column of codes; its cells are looked at one by one."""


def _read_quickly(
    frame: pl.DataFrame,
    columns: dict[str, tuple[str, Column]],
    dirt: dict[str, list[str]],
    *,
    is_tidy: bool,
) -> dict[str, tuple[pl.Series, pl.Series]]:
    """Field -> values by the plain spelling, and the places of cells that are spelt in another way."""
    outcome = _tried(frame, columns, is_tidy=is_tidy)
    result: dict[str, tuple[pl.Series, pl.Series]] = {}
    for name, (place, column) in columns.items():
        kind = FIELD_TYPES[column.spec.type]
        cells = frame[place]
        strange = _dirty(cells, dirt[name])
        if kind.is_parsed:
            values = outcome[name]
            if values.null_count() == cells.null_count() and strange is None:
                result[name] = values, _NOWHERE
                continue
            unread = values.is_null() & cells.is_not_null()
        elif kind.plain is not None:
            values = cells
            if strange is None and outcome[name][0]:
                result[name] = values, _NOWHERE
                continue
            plain = kind.plain(pl.col(place), column, is_tidy).fill_null(True)
            unread = ~frame.select(plain.alias("plain"))["plain"]
        else:
            values = pl.Series([None], dtype=kind.dtype).new_from_index(0, len(cells))
            unread = cells.is_not_null()
        result[name] = values, (unread if strange is None else unread | strange).arg_true()
    return result


def _plain_dirt(column: Column) -> list[str]:
    """Dirty values of the contract that look like good ones (19000101). The others never pass the quick way."""
    if not column.dirty:
        return []
    kind = FIELD_TYPES[column.spec.type]
    keys = pl.Series("v", list(column.dirty), dtype=pl.String)
    if kind.forms:
        found = [plain_dates.read(keys, form).is_not_null() for form in kind.forms]
    elif kind.quick is not None:
        found = [kind.read_plain(keys, column, key).is_not_null() for key in keys]
    elif kind.plain is not None:
        found = [keys.to_frame().select(kind.plain(pl.col("v"), column, True))["v"].fill_null(True)]
    else:
        return []
    return [key for key, *passes in zip(keys, *found, strict=True) if any(passes)]


def _dirty(cells: pl.Series, keys: list[str]) -> pl.Series | None:
    """Cells for which the contract says what they mean; null when there are none."""
    if not keys:
        return None
    found = (cells == keys[0] if len(keys) == 1 else cells.is_in(keys)).fill_null(False)
    return found if found.any() else None


_NOWHERE = pl.Series([], dtype=pl.UInt32)


def _tried(
    frame: pl.DataFrame, columns: dict[str, tuple[str, Column]], *, is_tidy: bool
) -> dict[str, pl.Series]:
    """Field -> values (parsed kinds) or one verdict on the whole column (kinds stored as delivered)."""
    parsed: list[pl.Expr] = []
    judged: list[pl.Expr] = []
    few: list[str] = []
    settled: dict[str, pl.Series] = {}
    for name, (place, column) in columns.items():
        kind = FIELD_TYPES[column.spec.type]
        value = pl.col(place)
        if kind.forms:
            known = frame[place].head(PADDED).drop_nulls()
            settled[name] = kind.read_plain(frame[place], column, known[0] if len(known) else None)
        elif kind.quick is not None:
            known = frame[place].head(PADDED).drop_nulls()
            parsed.append(kind.quick(value, column, known[0] if len(known) else None).alias(name))
        elif kind.plain is not None and _is_plain_at_a_glance(frame[place], column):
            settled[name] = pl.Series([True])
        elif kind.plain is not None and kind.few:
            few.append(name)
            judged.append(value.unique().implode().alias(name))
        elif kind.plain is not None:
            judged.append(kind.plain(value, column, is_tidy).all(ignore_nulls=True).alias(name))
    verdicts = {series.name: series for series in frame.select(judged).get_columns()} if judged else {}
    for name in few:
        place, column = columns[name]
        plain = FIELD_TYPES[column.spec.type].plain
        assert plain is not None
        different = verdicts[name].explode().alias(place)
        if len(different) > FEW:
            different = frame[place]
        verdicts[name] = different.to_frame().select(
            plain(pl.col(place), column, is_tidy).all(ignore_nulls=True).alias(name)
        )[name]
    values = {series.name: series for series in frame.select(parsed).get_columns()} if parsed else {}
    return values | verdicts | settled


def _is_plain_at_a_glance(cells: pl.Series, column: Column) -> bool:
    """Codes and numbers as they should be, seen from the bytes that polars keeps in place."""
    if column.spec.type == "code" and column.codes is not None:
        return only_these(cells, column.codes.codes)
    if column.spec.type == "identifier":
        return are_numbers(cells)
    return column.spec.type == "village_code" and only_digits(cells, 12)


def _merge(values: pl.Series, places: pl.Series, read: pl.Series) -> pl.Series:
    """Values with some of them replaced, whatever their type."""
    if len(places) == len(values):
        return read
    slots = pl.int_range(len(values), dtype=pl.UInt32, eager=True).scatter(
        places, pl.int_range(len(values), len(values) + len(places), dtype=pl.UInt32, eager=True)
    )
    return pl.concat([values.rename("v"), read.rename("v")]).gather(slots)


def _damaged_by_spreadsheet(spec: FieldSpec, cells: pl.Series) -> pl.Series | None:
    """Cells whose digits from the sixteenth on are all zero, where most long numbers of the column are like that.

    A spreadsheet keeps fifteen digits. One number that ends in zeros proves nothing; a column of them does.
    """
    if spec.type not in ("resident_id", "account_no"):
        return None
    ends = cells.str.ends_with("0")
    if int(ends.sum()) * 3 < len(cells) - cells.null_count():
        return None
    long = cells.str.contains(r"^'?[0-9]{16,19}(\.0+)?$")
    damaged = cells.str.contains(r"^'?[0-9]{15}0{1,4}(\.0+)?$").fill_null(False)
    many = int(damaged.sum())
    return damaged if many >= 3 and many * 2 > int(long.sum()) else None


def _hashable(typed: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, dtype in typed.schema.items() if isinstance(dtype, pl.List)]
    return (
        typed.with_columns(pl.col(name).list.join("\x1f", ignore_nulls=False) for name in lists)
        if lists
        else typed
    )


class _SeenRows:
    """Which rows came before in the same file: 64 bits of all their fields and 64 of their key must agree."""

    _SLOTS = 24

    def __init__(self) -> None:
        self._owners = np.zeros(1 << self._SLOTS, dtype=np.int32)
        """Number (from 1) of the first row whose fields fall into a slot; 0: none."""
        self._hashes = np.empty((2, 0), dtype=np.uint64)
        """Of all rows so far, at their number less one; longer than needed."""
        self._count = 0
        self._others = np.empty((2, 0), dtype=np.uint64)
        """Of the rows that found their slot taken by a different row, in order."""

    def repeated(self, frame: pl.DataFrame, key: list[str]) -> pl.Series | None:
        """Rows that repeat an earlier one (of this or another batch); null when there is none."""
        if frame.is_empty():
            return None
        first = frame.hash_rows(seed=1).to_numpy()
        second = (frame.select(key) if key else frame).hash_rows(seed=2).to_numpy()
        numbers = self._remember(first, second)
        slots = (first >> np.uint64(64 - self._SLOTS)).view(np.int64)
        owners = self._owners.take(slots)
        # Backwards, so that of several rows for the same free slot the first one has it in the end.
        self._owners[slots[::-1]] = np.where(owners == 0, numbers, owners)[::-1]
        late = np.flatnonzero(self._owners.take(slots) != numbers)
        if len(late) == 0:
            return None
        late_hashes = np.stack([first[late], second[late]])
        owned = self._hashes[:, self._owners[slots[late]] - 1]
        same = np.zeros(len(first), dtype=bool)
        same[late] = (owned == late_hashes).all(axis=0)
        left = ~same[late]
        same[late[left]] = self._among_others(late_hashes[:, left])
        return pl.Series("repeated", same) if same.any() else None

    def _remember(self, first: _Hashes, second: _Hashes) -> np.ndarray[Any, np.dtype[np.int32]]:
        """The numbers of new rows."""
        begin, end = self._count, self._count + len(first)
        if end > self._hashes.shape[1]:
            longer = np.empty((2, 2 * end), dtype=np.uint64)
            longer[:, :begin] = self._hashes[:, :begin]
            self._hashes = longer
        self._hashes[0, begin:end], self._hashes[1, begin:end] = first, second
        self._count = end
        return np.arange(begin + 1, end + 1, dtype=np.int32)

    def _among_others(self, hashes: _Hashes) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows repeat one without a slot, earlier or among themselves; the others join these."""
        known = self._others.shape[1]
        both = np.concatenate([self._others, hashes], axis=1)
        order = np.argsort(both[0], kind="stable")
        ordered = both[:, order]
        if (ordered[0, 1:] == ordered[0, :-1]).any():
            order = np.lexsort((both[1], both[0]))
            ordered = both[:, order]
        again = np.zeros(both.shape[1], dtype=bool)
        again[order[1:]] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=0)
        self._others = ordered[:, ~again[order]]
        return again[known:]


_Hashes = np.ndarray[Any, np.dtype[np.uint64]]


class _Digest:
    """SHA-256 of a file, made by a thread of its own while the file is read; whoever asks first waits."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._future = self._pool.submit(self._work, path)

    @staticmethod
    def _work(path: Path) -> str:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits; OSError when the file cannot be read."""
        return self._future.result()

    @property
    def delivery_id(self) -> str:
        """The id of the delivery."""
        return delivery_id_of(self.sha256, self.file)

    def close(self) -> None:
        """Let go of the thread."""
        self._pool.shutdown()


class _Draft:
    """A Parquet file that is written in batches by a thread of its own, and appears only when it is complete."""

    def __init__(
        self,
        folder: Path,
        digest: _Digest,
        schema: pl.Schema,
        packed: list[str],
        few: list[str],
        *,
        with_delivery_id: bool = False,
    ) -> None:
        self.folder, self.draft = folder, folder / f".{digest.file}.draft"
        self._digest, self._schema, self._with_delivery_id = digest, schema, with_delivery_id
        self._packed, self._few = packed, few
        self._writer: pq.ParquetWriter | None = None
        self._line: queue.Queue[pl.DataFrame | None] = queue.Queue(maxsize=1)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def target(self) -> Path:
        """The finished file, named by the id of the delivery."""
        return self.folder / f"{self._digest.delivery_id}.parquet"

    def write(self, frame: pl.DataFrame) -> None:
        """Rows to be written soon."""
        if self._error is not None:
            raise self._error
        if self._thread is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._line.put(frame.select(pl.col(name).cast(dtype) for name, dtype in self._schema.items()))

    def _work(self) -> None:
        while (frame := self._line.get()) is not None:
            if self._error is not None:
                continue
            try:
                table = frame.to_arrow(compat_level=pl.CompatLevel.newest())
                if self._with_delivery_id:
                    table = _with_constant(table, "_delivery_id", self._digest.delivery_id)
                if self._writer is None:
                    self._writer = _writer(
                        self.draft, table.schema, self._packed, ["_delivery_id", *self._few]
                    )
                self._writer.write_table(table)
            except BaseException as error:
                self._error = error

    def _close(self) -> None:
        if self._thread is not None:
            self._line.put(None)
            self._thread.join()
            self._thread = None
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def read_back(self) -> Iterator[pl.DataFrame]:
        """What was written, batch by batch; nothing can be written any more."""
        self._close()
        if not self.draft.exists():
            return
        with pq.ParquetFile(self.draft) as file:
            for group in range(file.num_row_groups):
                frame = pl.from_arrow(file.read_row_group(group))
                assert isinstance(frame, pl.DataFrame)
                yield frame

    def keep(self) -> None:
        """The draft becomes the file."""
        self._close()
        self.draft.replace(self.target)

    def drop(self) -> None:
        """Neither draft nor file, also when an earlier attempt at the same night left one."""
        self.discard()
        self.target.unlink(missing_ok=True)

    def discard(self) -> None:
        """No draft."""
        with contextlib.suppress(Exception):
            self._close()
        self.draft.unlink(missing_ok=True)


def _with_constant(table: pa.Table, name: str, value: str) -> pa.Table:
    """A first column that holds the same everywhere, as an index, which saves writing it a million times."""
    index = pa.array(np.zeros(table.num_rows, dtype=np.int32))
    return table.add_column(0, name, pa.DictionaryArray.from_arrays(index, pa.array([value], pa.string())))


_LONG_TEXT = ("text", "text_list")


def _writer(path: Path, schema: pa.Schema, packed: list[str], few: list[str]) -> pq.ParquetWriter:
    """Only long texts are worth compressing, only columns with few values a dictionary; the rest would cost time."""
    return pq.ParquetWriter(
        path,
        schema,
        compression={name: "lz4" if name in packed else "none" for name in schema.names},
        use_dictionary=few,
        write_batch_size=1 << 14,
        write_statistics=False,
        store_schema=False,
    )
