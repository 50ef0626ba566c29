"""What households of many people cost: seconds and peak memory of the first night, and of the night after it.

    python benchmarks/households.py [--rows 10000000] [--persons 5000] [--seed 7] [--home FOLDER --day 2025-11-17]

Runs one night of a sample county (or takes a night of `--home` that has been run) and repeats its facts as
`benchmarks/rules.py` does, each copy under ids of its own, until there are so many rows. Then the households are assembled
as the pipeline does, from files to files, each night in a process of its own: once without a night before, and once with
what the first one wrote, which is what every later night costs (ids are kept, changes become events).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rules import options, repeat
from matching.households import READ, READ_OF_LAST_NIGHT, assemble
from pipelines import nights
from sample_data import build


def night(folder: Path, day: date, before: Path | None, after: Path) -> None:
    """Assemble the households of a folder of tables, write them to `after`, and print what it took in this process."""
    began, cpu = time.perf_counter(), time.process_time()
    facts = {name: pl.scan_parquet(path) for name in READ if (path := folder / f"{name}.parquet").is_file()}
    previous = (
        {name: pl.read_parquet(before / f"{name}.parquet") for name in READ_OF_LAST_NIGHT} if before else None
    )
    found = assemble(facts, previous, day)
    after.mkdir(parents=True, exist_ok=True)
    for name, frame in found.frames().items():
        frame.write_parquet(after / f"{name}.parquet")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{'the night after' if before else 'the first night'}: {seconds:.1f} s ({cpu:.1f} s CPU), "
        f"{found.household_member.height:,} members, {found.household.height:,} households, "
        f"{found.household_event.height:,} events; peak memory {peak / 2**30:.2f} GiB",
        flush=True,
    )


def nights_of(folder: Path, day: date, scratch: Path) -> None:
    """The first night and the one after it, each in a process of its own."""
    first, second = scratch / "first", scratch / "second"
    for before, after in ((None, first), (first, second)):
        command = [sys.executable, __file__, "--whole", str(folder), "--day", day.isoformat()]
        command += ["--after", str(after), *(["--before", str(before)] if before else [])]
        subprocess.run(command, check=True)


def main() -> int:
    """Run and print; exit status 1 when the night of the sample county fails."""
    parser = options(__doc__)
    parser.add_argument("--whole", type=Path, help="a folder of repeated tables, taken as it is")
    parser.add_argument("--before", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--after", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.after:
        night(given.whole, given.day, given.before, given.after)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.whole or Path(scratch) / "repeated"
        if given.whole is None:
            home = given.home or Path(scratch) / "home"
            folder.mkdir()
            if given.home is None:
                build(given.persons, 1, given.seed, home, start=given.day)
                finished, failed = nights.run(home, given.day)
                if not finished:
                    print(f"steps failed: {failed}")
                    return 1
            repeat(home, given.day, given.rows, folder)
        nights_of(folder, given.day, Path(scratch))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
