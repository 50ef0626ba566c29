"""What keyed ids cost: `opaque()` over numbers in DuckDB, beside md5, and beside Python's hmac.

    python benchmarks/opaque.py [--values 10000000]

The last line is Python's hmac on a tenth of the values, times ten.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data_contracts import opaque


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--values", type=int, default=10_000_000)
    values = parser.parse_args().values
    key = opaque.Key("a key for measuring, known to everybody")
    connection = duckdb.connect()
    opaque.install(connection, key)
    connection.execute(
        f"CREATE TABLE t AS SELECT 'JZ' || lpad(range::VARCHAR, 12, '0') AS n FROM range({values})"
    )
    for expression in ("md5(n)", "opaque(n)", "opaque(n, n)"):
        began, spent = time.perf_counter(), time.process_time()
        connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS SELECT {expression} AS id FROM t")
        wall, cpu = time.perf_counter() - began, time.process_time() - spent
        (different,) = connection.execute("SELECT count(DISTINCT id) FROM made").fetchone()  # type: ignore[misc]
        assert different == values
        print(f"{expression:14} {values:>12,} values {wall:7.1f} s, {cpu:7.1f} s of CPU")
    few = [n for (n,) in connection.execute(f"SELECT n FROM t LIMIT {values // 10}").fetchall()]
    began, spent = time.perf_counter(), time.process_time()
    for number in few:
        key.opaque(number)
    wall, cpu = 10 * (time.perf_counter() - began), 10 * (time.process_time() - spent)
    print(f"{'Python hmac':14} {values:>12,} values {wall:7.1f} s, {cpu:7.1f} s of CPU")


if __name__ == "__main__":
    main()
