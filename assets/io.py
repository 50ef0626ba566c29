"""Where a deployment keeps its files, and how a frame is shown in the Dagster UI.

Only counts, codes and masked values may be shown: metadata is kept in the event log and read by the whole data team.
"""

import base64
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from data_contracts.collecting import write_parquet

RETRIES = 3
FIRST_WAIT_SECONDS = 2
"""A disk or a network share that does not answer is asked again after 2, 4 and 8 seconds."""

OWNER = "team:data_team"

Metadata = dict[str, Any]
"""What Dagster shows of a materialisation: counts, codes, masked values."""


class Home(dg.ConfigurableResource):
    """The one folder that a deployment writes to: inbox, lake, outbox, alerts."""

    root: str

    @property
    def inbox(self) -> Path:
        """Deliveries: inbox/<batch_date>/<department>/<class>.<ext>."""
        return Path(self.root) / "inbox"

    @property
    def lake(self) -> Path:
        """Append-only Parquet, partitioned by kind, class and batch date."""
        return Path(self.root) / "lake"

    @property
    def outbox(self) -> Path:
        """Lists and reports by business date, audience and jurisdiction."""
        return Path(self.root) / "outbox"

    def folder(self, kind: str, day: date) -> Path:
        """The folder of a kind of output on one day."""
        return self.lake / kind / f"batch_date={day}"

    def before(self, kind: str, day: date) -> Path | None:
        """The same for the latest earlier day that is complete; null on the first night.

        Only earlier days count, so that a night can be run again whatever its first attempt left behind.
        """
        done = [
            path
            for path in sorted((self.lake / kind).glob("batch_date=*"))
            if path.is_dir() and (path / DONE).is_file() and path.name < f"batch_date={day}"
        ]
        return done[-1] if done else None


DONE = "_complete"
"""Marks a folder of which every file was written; a night that was killed leaves none."""


def write_frames(
    folder: Path, frames: dict[str, pl.DataFrame], stored: Mapping[str, Path] | None = None
) -> None:
    """Replace the files of a folder by these frames; marked as complete when all are there.

    `stored`: files of earlier nights that hold some of the frames already. They become one file in two folders, where the
    disk can do that; no file is ever changed in place.
    """
    stored = stored or {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DONE).unlink(missing_ok=True)
    for path in folder.glob("*.parquet"):
        if path.stem not in frames:
            path.unlink()
    for name, frame in frames.items():
        path = folder / f"{name}.parquet"
        if name not in stored or not _is_linked(stored[name], path):
            write_parquet(frame, path)
    (folder / DONE).touch()


def _is_linked(stored: Path, path: Path) -> bool:
    """Make the file stand here as well; false where that cannot be."""
    path.unlink(missing_ok=True)
    try:
        path.hardlink_to(stored)
    except OSError:
        return False
    return True


def read_frames(folder: Path | None, names: Sequence[str] | None = None) -> dict[str, pl.DataFrame]:
    """What `write_frames` wrote: all, or some by name, each of which has to be there; empty for null."""
    if folder is None:
        return {}
    paths = sorted(folder.glob("*.parquet")) if names is None else [folder / f"{n}.parquet" for n in names]
    return {path.stem: pl.read_parquet(path) for path in paths}


def readable_frames(folder: Path, names: Sequence[str] | None = None) -> dict[str, pl.DataFrame]:
    """Those frames of a folder (all, or some by name) that are there and are Parquet. A disk that fails raises OSError."""
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        if names is None or path.stem in names:
            with suppress(pl.exceptions.PolarsError):
                found[path.stem] = pl.read_parquet(path)
    return found


@contextmanager
def patient_io(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Ask Dagster to try the step again, each time later, when a disk or a network share fails.

    Any other error fails the step at once, and is told without the values that a database or a parser quotes: Dagster
    keeps what it is told.
    """
    try:
        yield
    except OSError as error:
        context.log.warning(f"I/O failed ({type(error).__name__}), trying again")
        raise dg.RetryRequested(
            max_retries=RETRIES, seconds_to_wait=FIRST_WAIT_SECONDS * 2**context.retry_number
        ) from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        places = "\n".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)
        raise dg.Failure(
            description=f"{type(error).__name__}: {without_values(str(error))}",
            metadata={"where": dg.MetadataValue.text(places)},
            allow_retries=False,
        ) from None


def without_values(text: str) -> str:
    """The words of an error message; what is quoted and what may be a number of a person becomes an ellipsis."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[0-9][0-9Xx*]{5,}|[\u3400-\u9fff·]+", "…", text)[:500]


def table(frame: pl.DataFrame, limit: int = 20) -> dg.MarkdownMetadataValue:
    """The first rows of a frame as a table. The caller answers for what is in it: counts, codes, masked values."""
    if frame.is_empty():
        return dg.MetadataValue.md("*nothing / 无*")
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * frame.width]
    lines += ["| " + " | ".join(_cell(v) for v in row) + " |" for row in frame.head(limit).iter_rows()]
    if frame.height > limit:
        lines.append(f"\n… {frame.height - limit} more / 另有{frame.height - limit}行")
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def bars(counts: Sequence[tuple[str, int]], title: str) -> dg.MarkdownMetadataValue:
    """Counts as horizontal bars, where a person would rather look than read: an inline SVG of a few hundred bytes."""
    if not counts:
        return dg.MetadataValue.md("*nothing / 无*")
    widest = max(max(count for _, count in counts), 1)
    rows = []
    for n, (label, count) in enumerate(counts):
        y = 26 + 20 * n
        rows.append(
            f'<text x="196" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="204" y="{y}" width="{300 * count / widest:.1f}" height="14" fill="#4878a8"/>'
            f'<text x="{210 + 300 * count / widest:.1f}" y="{y + 12}">{count:,}</text>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="{34 + 20 * len(counts)}" font-size="12" '
        f'font-family="sans-serif"><text x="4" y="15" font-weight="bold">{escape(title)}</text>{"".join(rows)}</svg>'
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")
