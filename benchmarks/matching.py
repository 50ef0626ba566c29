"""How right the matcher is and what it costs, on the sets of `matching_sets.py`, beside Splink 5.

    python benchmarks/matching.py [--sets FOLDER] [--set all|seven|NAME ...] [--persons N] [--seed S] [--splink PYTHON]
                                  [--out FOLDER] [--keep]

Each set is matched in a process of its own (reading and writing included); sets that do not exist yet are invented
first. `--splink` names the Python of an environment with Splink (`make bench-matching` builds one): the same sets,
the same measures, with and without helper columns. Writes `matching.json` and `matching.md`.

Recall is that of row to person links, over the rows whose person is in the registry; "at P >= x" is the deepest cut of
the ranking by weight whose precision is still x. A wrong link is one to a relative when both are of one family.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
BARS = (0.9999, 0.999, 0.99)
ABSENT_BARS = (0.01, 0.006)
"""Shares of people who are not in the registry that may be linked: in lists of events, and in lists with people from elsewhere."""
SEVEN = ("checked", "imported", "paper", "events", "masked", "minority", "nonlocal")
BIG = ("hard", "easy", "huge")


def judged(links: pl.DataFrame, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Best link of each row (right_id, left_id, weight, grade) with is_right, is_absent, is_relative; and the truth.

    `links` needs left_id, right_id, weight and may have grade. Links without a weight are not ranked.
    """
    truth = pl.read_parquet(folder / "truth.parquet")
    family = pl.read_parquet(folder / "family.parquet").select(
        pl.col("person_no").alias("left_id"), pl.col("family").alias("linked_family")
    )
    if "grade" not in links.columns:
        links = links.with_columns(pl.lit(None, dtype=pl.String).alias("grade"))
    best = (
        links.select(pl.col("left_id", "right_id").cast(pl.Int64), pl.col("weight").cast(pl.Float64), "grade")
        .sort("weight", "left_id", descending=[True, False], nulls_last=True)
        .unique("right_id", keep="first", maintain_order=True)
        .join(truth, left_on="right_id", right_on="row_no", how="left", maintain_order="left")
        .join(family, on="left_id", how="left", maintain_order="left")
        .with_columns(
            (pl.col("left_id") == pl.col("person_no")).fill_null(False).alias("is_right"),
            pl.col("person_no").is_null().alias("is_absent"),
        )
        .with_columns(
            ((pl.col("family") == pl.col("linked_family")) & ~pl.col("is_right"))
            .fill_null(False)
            .alias("is_relative")
        )
    )
    return best, truth


def cut(best: pl.DataFrame, bar: float) -> pl.DataFrame:
    """The links above the deepest weight at which precision is still `bar`; equal weights stand or fall together."""
    steps = (
        best.filter(pl.col("weight").is_not_null())
        .group_by("weight")
        .agg(pl.len().alias("n"), pl.col("is_right").sum().alias("right"))
        .sort("weight", descending=True)
        .with_columns(pl.col("n", "right").cum_sum())
        .filter(pl.col("right") >= bar * pl.col("n"))
    )
    if steps.is_empty():
        return best.clear()
    return best.filter(pl.col("weight") >= steps["weight"].min())


def _recall_with_absent(best: pl.DataFrame, present: int, absent: int, bar: float) -> float | None:
    """Recall at the deepest cut of precision .99 at which no more than `bar` of the absent people are linked."""
    if not absent:
        return None
    steps = (
        best.filter(pl.col("weight").is_not_null())
        .group_by("weight")
        .agg(pl.len().alias("n"), pl.col("is_right", "is_absent").sum())
        .sort("weight", descending=True)
        .with_columns(pl.col("n", "is_right", "is_absent").cum_sum())
        .filter((pl.col("is_right") >= 0.99 * pl.col("n")) & (pl.col("is_absent") <= bar * absent))
    )
    return _share(steps["is_right"].max() or 0, present)


def _share(part: Any, whole: Any) -> float | None:
    return round(part / whole, 6) if whole else None


def measures(links: pl.DataFrame, folder: Path) -> dict[str, Any]:
    """Quality of the links of one set: recall at the bars, the grades as delivered, absent people, relatives."""
    best, truth = judged(links, folder)
    present = int(truth["person_no"].is_not_null().sum())
    absent = len(truth) - present
    found: dict[str, Any] = {"rows": len(truth), "present": present, "absent": absent}
    for bar in BARS:
        above = cut(best, bar)
        name = f"P{bar}"
        found[f"recall@{name}"] = _share(above["is_right"].sum(), present)
        found[f"absent_linked@{name}"] = _share(above["is_absent"].sum(), absent)
        found[f"relatives_per_10000@{name}"] = _share(10_000 * above["is_relative"].sum(), len(above))
    for bar in ABSENT_BARS:
        found[f"recall@absent{bar}"] = _recall_with_absent(best, present, absent, bar)
    for label, grades in (("A", ["A"]), ("A+B", ["A", "B"])):
        kept = best.filter(pl.col("grade").is_in(grades))
        found[f"precision {label}"] = _share(kept["is_right"].sum(), len(kept))
        found[f"recall {label}"] = _share(kept["is_right"].sum(), present)
        found[f"relatives_per_10000 {label}"] = _share(10_000 * kept["is_relative"].sum(), len(kept))
        found[f"absent_linked {label}"] = _share(kept["is_absent"].sum(), absent)
    errors = (
        best.select(pl.col("right_id").alias("row_no"), "is_right")
        .join(truth, on="row_no", how="right")
        .filter(pl.col("person_no").is_not_null())
        .group_by("name_error")
        .agg(pl.len(), pl.col("is_right").fill_null(False).mean().round(4).alias("best_is_right"))
        .sort("len", descending=True)
    )
    found["best link right by name error"] = {
        r["name_error"] or "none": [r["len"], r["best_is_right"]] for r in errors.iter_rows(named=True)
    }
    return found


def run(command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    """What a process costs: CPU seconds (with its children), wall seconds, peak memory in MiB, exit status, its words."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        words.seek(0)
        said = words.read().decode(errors="replace")
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_s": round(wall, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "exit": process.returncode,
        "said": said[-4000:],
    }


def ours(folder: Path, out: Path) -> list[str]:
    """The command that matches a set with this project."""
    program = Path(sys.executable).with_name("hardship-watch")
    tables = [str(folder / "left.parquet"), str(folder / "right.parquet")]
    options = ["--spec", str(folder / "spec.yaml"), "--out", str(out)]
    known = subprocess.run([str(program), "match", "--help"], capture_output=True, check=False)
    if known.returncode == 0:
        return [str(program), "match", *tables, *options]
    return [sys.executable, "-m", "matching.engine", *tables, *options]


def look_alikes(path: Path) -> Path:
    """The look-alikes of each character as this project sees them, for Splink: char, similar (text of up to 20)."""
    from matching.comparators.name_shapes import glyphs, likeness
    from matching.comparators.name_tables import table

    rows = table("char_glyphs")
    codes = glyphs(rows)
    characters = rows["char"]
    everyone = np.arange(len(rows))
    similar = []
    for one in everyone:
        alike = likeness(codes, np.full(len(rows), one), everyone)
        best = np.argsort(-alike, kind="stable")[:21]
        similar.append("".join(characters.gather(best[(alike[best] >= 0.6) & (best != one)]).to_list()))
    pl.DataFrame({"char": characters, "similar": similar}).write_parquet(path)
    return path


def theirs(python: str, folder: Path, out: Path, helpers: Path | None) -> list[str]:
    """The command that matches a set with Splink."""
    mode = ["--helpers", str(helpers)] if helpers else []
    return [python, str(HERE / "matching_splink.py"), str(folder), "--out", str(out), *mode]


def measured(name: str, folder: Path, commands: dict[str, list[str]], out: Path) -> list[dict[str, Any]]:
    """One result per command: what it cost and how right it was."""
    results = []
    for system, command in commands.items():
        links = out / f"links-{name}-{system.replace(' ', '-')}.parquet"
        links.unlink(missing_ok=True)
        cost = run([c.replace("{links}", str(links)) for c in command])
        result = {"set": name, "system": system, **cost}
        if cost["exit"] == 0 and not links.exists():
            result |= {"exit": -1, "said": "no links were written"}
        elif cost["exit"] == 0:
            result |= measures(pl.read_parquet(links), folder)
            result.pop("said")
        results.append(result)
        print(line(result), flush=True)
    return results


COLUMNS = (
    ("set", "set"),
    ("system", "system"),
    ("R@.9999", "recall@P0.9999"),
    ("R@.999", "recall@P0.999"),
    ("R@.99", "recall@P0.99"),
    ("P(A)", "precision A"),
    ("R(A)", "recall A"),
    ("P(A+B)", "precision A+B"),
    ("R(A+B)", "recall A+B"),
    ("absent linked@.99", "absent_linked@P0.99"),
    ("R@absent<=1%", "recall@absent0.01"),
    ("R@absent<=.6%", "recall@absent0.006"),
    ("absent linked A+B", "absent_linked A+B"),
    ("relatives/10k@.999", "relatives_per_10000@P0.999"),
    ("relatives/10k A+B", "relatives_per_10000 A+B"),
    ("CPU s", "cpu_s"),
    ("wall s", "wall_s"),
    ("MiB", "peak_mib"),
)


def cell(value: Any) -> str:
    """A figure as it is printed."""
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) and value <= 1 else f"{value}"


def line(result: dict[str, Any]) -> str:
    """One row of the table."""
    if result["exit"] != 0:
        return f"| {result['set']} | {result['system']} | failed ({result['exit']}): {result['said'].strip().splitlines()[-1:]} |"
    return "| " + " | ".join(cell(result.get(key)) for _, key in COLUMNS) + " |"


def report(results: list[dict[str, Any]]) -> str:
    """All results as Markdown."""
    head = "| " + " | ".join(title for title, _ in COLUMNS) + " |"
    rule = "|" + "---|" * len(COLUMNS)
    return "\n".join([head, rule, *(line(r) for r in results)])


def main() -> None:
    """Invent what is missing, match, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=Path, help="folder of sets; made and removed again when not given")
    parser.add_argument("--set", nargs="*", default=["seven"], dest="which")
    parser.add_argument("--persons", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--splink", help="Python with Splink")
    parser.add_argument("--plain", action="store_true", help="Splink without helper columns as well")
    parser.add_argument("--without-ours", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("matching-results"))
    asked = parser.parse_args()
    names = [n for w in asked.which for n in {"all": SEVEN + BIG, "seven": SEVEN, "big": BIG}.get(w, (w,))]
    asked.out.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        sets = asked.sets or Path(temporary)
        print(report([]))
        helpers = look_alikes(asked.out / "look_alikes.parquet") if asked.splink else None
        for name in names:
            if not (sets / name / "spec.yaml").exists():
                size = ["--persons", str(asked.persons)] if asked.persons else []
                maker = [sys.executable, str(HERE / "matching_sets.py"), "--out", str(sets), "--set", name]
                subprocess.run(
                    [*maker, *size, "--seed", str(asked.seed)], check=True, stdout=subprocess.DEVNULL
                )
            folder, links = sets / name, Path("{links}")
            commands: dict[str, list[str]] = {}
            if not asked.without_ours:
                commands["hardship-watch"] = ours(folder, links)
            if asked.splink:
                commands["Splink helped"] = theirs(asked.splink, folder, links, helpers)
                if asked.plain:
                    commands["Splink plain"] = theirs(asked.splink, folder, links, None)
            results += measured(name, folder, commands, asked.out)
    (asked.out / "matching.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    (asked.out / "matching.md").write_text(report(results) + "\n", encoding="utf-8")
    if any(r["exit"] for r in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
