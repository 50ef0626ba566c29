"""Which rates a night weighs with: those of the software until a deployment adopts its own, each from a day on.

A night keeps the rates of its day however often it is run again. How rates are found belongs in `estimating`.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from matching import residue
from matching.model import Model

FOLDER = "rates"
"""Folder in the lake, beside the state of the nights."""

_NAME = re.compile(r"from=(\d{4}-\d{2}-\d{2})\.yaml")


def adopted(folder: Path) -> dict[date, Path]:
    """Files of adopted rates by the day from which they count, oldest first."""
    found = {_NAME.fullmatch(path.name): path for path in folder.glob("from=*.yaml")}
    days = {date.fromisoformat(name[1]): path for name, path in found.items() if name}
    return dict(sorted(days.items()))


def in_force(folder: Path, day: date) -> Model:
    """The rates of a night: the newest that count from that day or an earlier one, else those of the software.

    ValueError when the file does not fit this software.
    """
    known = [path for since, path in adopted(folder).items() if since <= day]
    return residue.rates(known[-1] if known else None)


def adopt(model: Model, folder: Path, since: date) -> Path:
    """Stores rates that every night from `since` on weighs with; what was stored for that day is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"from={since}.yaml"
    draft = path.with_name(path.name + ".draft")
    model.save(draft)
    draft.replace(path)
    return path
