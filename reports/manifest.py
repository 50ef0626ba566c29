"""What left, from what, by which rules: one JSON beside the outputs of a night.

Holds hashes and counts and nothing about a person. No clock: the same night gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from reports.masking import Gate
from reports.night import NightFrames

NAME = "manifest.json"


@dataclass(frozen=True)
class OutputFile:
    """One file that leaves. `path` is relative to outbox/<date>, with forward slashes."""

    path: str
    output: str
    """Id of the definition, or of the page."""
    version: int
    audience: str
    jurisdiction: str | None
    list_kind: str | None
    rows: int
    bytes: int
    sha256: str


def output_file(
    folder: Path,
    path: str,
    content: bytes,
    *,
    output: str,
    version: int,
    audience: str,
    jurisdiction: str | None,
    list_kind: str | None,
    rows: int,
) -> OutputFile:
    """Write a file below `folder` and describe it."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return OutputFile(
        path=path,
        output=output,
        version=version,
        audience=audience,
        jurisdiction=jurisdiction,
        list_kind=list_kind,
        rows=rows,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def manifest(
    files: Sequence[OutputFile],
    night: NightFrames,
    as_of: date,
    code_version: str,
    gate: Gate,
    attention: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest as plain data: files in order of path, inputs in order of class and delivery, rules by id.

    `attention` are the lines of what somebody must look at; the names of inputs pass the gate.
    """
    inputs = night.ledger.select("class_id", "delivery_id", "file", "sha256", "status", "rows_received").sort(
        "class_id", "delivery_id", "file", nulls_last=True
    )
    given = [{**row, "file": gate.file_name(row["file"] or "", NAME)} for row in inputs.iter_rows(named=True)]
    rules = night.rules.select("rule_id", "rule_version").unique().sort("rule_id", "rule_version")
    return {
        "business_date": as_of.isoformat(),
        "code_version": code_version,
        "files": [
            {
                "path": f.path,
                "output": f.output,
                "output_version": f.version,
                "audience": f.audience,
                "jurisdiction": f.jurisdiction,
                "list_kind": f.list_kind,
                "rows": f.rows,
                "bytes": f.bytes,
                "sha256": f.sha256,
            }
            for f in sorted(files, key=lambda f: f.path)
        ],
        "inputs": given,
        "rules": rules.to_dicts(),
        "sources": night.source_status.select("class_id", pl.col("last_batch").cast(pl.String), "status")
        .sort("class_id", nulls_last=True)
        .to_dicts(),
        "attention": [*attention, *gate.attention()],
    }


def manifest_bytes(content: dict[str, Any]) -> bytes:
    """The manifest as UTF-8 JSON."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def attention(folder: Path) -> list[str]:
    """What somebody must look at in the outputs of a night; nothing when the night has no outputs."""
    path = folder / NAME
    found: list[str] = (
        json.loads(path.read_text(encoding="utf-8")).get("attention", []) if path.is_file() else []
    )
    return found


def differences(folder: Path) -> list[str]:
    """Paths of a night's folder that are missing, changed or not listed, against its manifest."""
    content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    listed = {f["path"]: f["sha256"] for f in content["files"]}
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {NAME}
    problems = [f"not listed: {p}" for p in sorted(found - set(listed))]
    for path, sha in sorted(listed.items()):
        if path not in found:
            problems.append(f"missing: {path}")
        elif hashlib.sha256((folder / path).read_bytes()).hexdigest() != sha:
            problems.append(f"changed: {path}")
    return problems
