"""What all rules cost over many rows of facts: seconds a measure and a rule, the whole run, its peak memory.

    python benchmarks/rules.py [--rows 10000000] [--persons 5000] [--seed 7] [--home FOLDER --day 2025-11-17] [--without RULE]
    python benchmarks/rules.py --whole FOLDER [--day 2025-11-17] [--without RULE]
    python benchmarks/rules.py --steps FOLDER [--day 2025-11-17]

Runs one night of a sample county (or takes a night of `--home` that has been run) and repeats its facts, persons and
households until there are so many rows of facts: each copy under ids of its own (persons, households, cases, units,
contracts, firms, vehicles, accounts ...), in the same counties and on the same days. So the shape of a family and the
share of families that a rule finds are those of the small county; joins by county see as many counties as there, and
columns compress better than in life. Prints what each measure and rule takes in one process (a measure is made once a
list), and what each rule costs alone: its own query, and the measures that no other rule of its list and not the risk
score rests on. That is what adding the rule to a night adds, and all that it adds. Then, in a process of its own,
`engine.run` with register and priority, and the peak memory of that process; with `--without` once more, in another process,
without that rule. `--whole` and `--steps` take a folder of tables that is there already, and do one of the two.
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

import duckdb
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data_contracts.places import division_table
from pipelines import nights
from policy import engine
from policy.raising import left_out
from policy.signals import news
from policy.vocabulary import tables
from sample_data import build

FIRST = date(2025, 11, 17)
NOT_OURS = {"rule_id", "class_id", "warning_id"}
"""Text ids that name what is the same in every copy."""


def renamed(column: str, kind: str) -> str:
    """SQL of a column in copy number `copy`: an id gets the number, everything else stays as it is."""
    if kind == "BIGINT" and ("person_id" in column or column.endswith("household_id")):
        return f"{column} + copy * 1000000000 as {column}"
    is_id = column.endswith("_id") or column in {"uscc", "row_key"}
    if kind == "VARCHAR" and is_id and column not in NOT_OURS:
        return f"{column} || '#' || copy as {column}"
    return column


def repeat(home: Path, day: date, rows: int, folder: Path) -> dict[str, Path]:
    """Tables of a night, repeated until facts have at least `rows` rows: table -> Parquet file."""
    kinds = ("facts", "households")
    found = {
        p.stem: p for kind in kinds for p in (home / "lake" / kind / f"batch_date={day}").glob("*.parquet")
    }
    found = {name: path for name, path in found.items() if name in tables()}
    facts = sum(
        pl.scan_parquet(path).select(pl.len()).collect().item()
        for name, path in found.items()
        if tables()[name].is_fact
    )
    copies = -(-rows // facts)
    written = {}
    with duckdb.connect() as connection:
        for name, path in sorted(found.items()):
            present = connection.execute(f"describe from '{path}'").fetchall()
            columns = ", ".join(renamed(column, kind) for column, kind, *_ in present)
            times = 1 if name == "source_status" else copies
            written[name] = folder / path.name
            connection.execute(
                f"copy (select {columns} from '{path}', range({times}) as r(copy)) to '{written[name]}' (format parquet)"
            )
    persons = pl.scan_parquet(written["person"]).select(pl.len()).collect().item()
    print(f"{facts:,} rows of facts x {copies} copies = {facts * copies:,} rows, {persons:,} persons")
    return written


def views(folder: Path) -> dict[str, engine.View]:
    """Repeated tables as the engine takes them."""
    return {"division": division_table(), **{path.stem: path for path in sorted(folder.glob("*.parquet"))}}


def line(what: str, kind: str, began: float, cpu: float) -> float:
    """Print what one query took since, and what the process holds now; seconds of CPU."""
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    held = pages * resource.getpagesize() / 2**30
    print(f"{seconds:7.2f} s {cpu:7.2f} s CPU {held:6.2f} GiB  {kind:<9} {what}", flush=True)
    return cpu


def measures_alone(policy: engine.Policy) -> dict[str, set[str]]:
    """Rule -> measures that only it rests on: no other rule of its list does, nor the risk score."""
    behind = {rule.id: {m.id for m in policy.measures_of(rule)} for rule in policy.rules.values()}
    score = {m.id for m in policy.measures_of(policy.score)}
    return {
        rule.id: behind[rule.id].difference(
            *(
                behind[other.id]
                for other in policy.rules.values()
                if other.id != rule.id and other.list_kind == rule.list_kind
            ),
            score if rule.list_kind == "help_in" else set(),
        )
        for rule in policy.rules.values()
    }


def alone(policy: engine.Policy, took: dict[tuple[str, str], float]) -> None:
    """Print what each rule adds to a night, the dearest first. `took`: (list, rule or measure) -> seconds of CPU."""
    whole = sum(took.values())
    print(
        f"what a rule adds to the {whole:.1f} s CPU of all queries: its own, its measures that no other reads"
    )
    costs = []
    for rule_id, measures in measures_alone(policy).items():
        kind = policy.rules[rule_id].list_kind
        own, shared = took[kind, rule_id], {name: took[kind, name] for name in measures}
        costs.append(
            (own + sum(shared.values()), own, rule_id, sorted(shared, key=lambda name: -shared[name]))
        )
    for total, own, rule_id, names in sorted(costs, reverse=True):
        print(
            f"{total:7.2f} s CPU ({total / whole:6.1%})  {rule_id}  query {own:.2f} s; {', '.join(names) or 'no measure'}"
        )


def each(folder: Path, day: date) -> None:
    """Print what every measure and rule takes."""
    policy = engine.default_policy()
    bench = engine.Bench(policy, views(folder), day, policy.rules.values())
    try:
        rules = list(policy.rules.values())
        took: dict[tuple[str, str], float] = {}
        for at, rule in enumerate(rules):
            bench.release(rules[at:])
            for measure in bench.missing(rule, rule.list_kind):
                began, cpu = time.perf_counter(), time.process_time()
                bench.make(measure, rule.list_kind)
                took[rule.list_kind, measure.id] = line(f"measure {measure.id}", rule.list_kind, began, cpu)
            began, cpu = time.perf_counter(), time.process_time()
            rows, sources = bench.rows(rule, rule.list_kind), engine.Sources(None, "", {})
            if rule.header.new_signal:
                rows, _ = news(rule, rows, engine.Memory(), bench, sources)
            rows, _ = left_out(rule, rows)
            raised = engine.raised(rule, rows, sources)
            said = f"{rule.id:<24}{raised.height:>9,} warnings"
            took[rule.list_kind, rule.id] = line(said, rule.list_kind, began, cpu)
        alone(policy, took)
    finally:
        bench.close()


def whole(folder: Path, day: date, without: str | None = None) -> None:
    """Print what a whole run takes, in the process that calls; `without` a rule if one is named."""
    began, cpu = time.perf_counter(), time.process_time()
    only = None
    if without:
        policy = engine.default_policy()
        if without not in policy.rules:
            raise SystemExit(f"there is no rule {without}")
        only = set(policy.rules) - {without}
    outcome = engine.run(views(folder), day, only=only)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    off = outcome.rule_status.filter((pl.col("status") == "off") & pl.col("county_code").is_null()).height
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"all rules{f' but {without}' if without else ''}, register and priority: {seconds:.1f} s ({cpu:.1f} s CPU), {outcome.warnings.height:,} warnings, "
        f"{outcome.priority.height:,} families and lists, {off} rules off; peak memory {peak / 2**30:.2f} GiB"
    )


def options(description: str | None) -> argparse.ArgumentParser:
    """Options of a benchmark over a night that is repeated until it has so many rows."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--persons", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--home", type=Path, help="a home in which the night of --day has been run")
    parser.add_argument("--day", type=date.fromisoformat, default=FIRST)
    return parser


def main() -> int:
    """Run and print; exit status 1 when the night fails."""
    parser = options(__doc__)
    parser.add_argument("--without", metavar="RULE", help="run everything once more without this rule")
    parser.add_argument(
        "--whole", type=Path, metavar="FOLDER", help="run everything over these tables, no more"
    )
    parser.add_argument(
        "--steps", type=Path, metavar="FOLDER", help="measures and rules over these tables, no more"
    )
    given = parser.parse_args()
    if given.whole:
        whole(given.whole, given.day, given.without)
        return 0
    if given.steps:
        each(given.steps, given.day)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        home, folder = given.home or Path(scratch) / "home", Path(scratch) / "repeated"
        folder.mkdir()
        if given.home is None:
            build(given.persons, 1, given.seed, home, start=given.day)
            finished, failed = nights.run(home, given.day)
            if not finished:
                print(f"steps failed: {failed}")
                return 1
        repeat(home, given.day, given.rows, folder)
        each(folder, given.day)
        command = [sys.executable, __file__, "--whole", str(folder), "--day", given.day.isoformat()]
        for without in ([], ["--without", given.without]) if given.without else ([],):
            subprocess.run([*command, *without], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
