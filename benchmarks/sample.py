"""What it takes to invent a county: seconds, CPU and peak memory of `sample_data.build`.

    python benchmarks/sample.py [--persons 100000] [--nights 1] [--seed 7] [--damage realistic|none]

Writes into a temporary folder that is removed; the peak is that of the largest process, and the CPU that of all of
them, since `build` may share its work among processes. Reading and matching what is written is not in it
(`benchmarks/county.py`).
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sample_data import build

FIRST = date(2025, 11, 17)


def main() -> int:
    """Build and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--nights", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--damage", choices=["realistic", "none"], default="realistic")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        build(given.persons, given.nights, given.seed, Path(folder), start=FIRST, damage=given.damage)
        seconds = time.perf_counter() - began
        files = [p for p in (Path(folder) / "inbox").rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for p in files)
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(used.ru_utime + used.ru_stime for used in (own, children))
    peak = max(own.ru_maxrss, children.ru_maxrss) * 1024
    print(f"{given.persons:,} people, {given.nights} night(s), seed {given.seed}, damage {given.damage}")
    print(f"{len(files)} files, {size / 1e6:.0f} MB in the inbox")
    print(f"{seconds:.1f} s, {cpu:.1f} s CPU, peak memory {peak / 2**30:.2f} GiB in one process")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
