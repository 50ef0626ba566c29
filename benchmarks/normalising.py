"""How long two clean tables of a match take to become comparable records: 1.0 M rows of a registry, 0.42 M of an extract.

    python benchmarks/normalising.py [--rows 1000000] [--runs 3] [--parts]

Writes both as Parquet (name, number, birth date, sex, phone, address; the registry also the village code), then reads and
normalises them. Prints CPU and wall seconds of the median run, with `--parts` the CPU by kind of column (each kind
alone, reading included). Exit status 1 when the median is above 2.5 s of CPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.reading import invent
from data_contracts.places import village_table
from matching.spec import Side, Spec
from matching.tables import records_of

AS_OF = date(2025, 11, 17)
MOST_CPU = 2.5
SHARE_OF_EXTRACT = 0.421

REGISTRY = {
    "姓名": "person_name",
    "公民身份号码": "resident_id",
    "出生日期": "birth_date",
    "性别": "sex",
    "电话": "phone",
    "户籍地址": "address",
    "村居代码": "division",
}
EXTRACT = {name: kind for name, kind in REGISTRY.items() if kind != "division"}
SPEC = {"left": {"id": "no", "columns": REGISTRY}, "right": {"id": "no", "columns": EXTRACT}, "as_of": AS_OF}


def write_tables(rows: int, folder: Path) -> tuple[Path, Path]:
    """The two tables as Parquet; a third of the addresses lie in town, with road, estate, building and door."""
    rng = np.random.default_rng(2)
    table = invent(rows).with_row_index("no")
    roads = np.array(
        [
            a + b
            for a in ["人民", "解放", "建设", "新华", "和平", "中山", "团结", "工农", "民主", "胜利"]
            for b in ["路", "大街", "东路", "西街"]
        ]
    )
    estates = np.array(
        [
            a + b
            for a in ["锦绣", "阳光", "幸福", "和谐", "世纪", "金色", "丽景", "恒大", "万和", "康居"]
            for b in ["花园", "家园", "小区", "苑"]
        ]
    )
    town = np.char.add(
        np.char.add(roads[rng.integers(0, len(roads), rows)], rng.integers(1, 200, rows).astype(str)),
        np.char.add(
            np.char.add("号", estates[rng.integers(0, len(estates), rows)]),
            np.char.add(
                np.char.add(rng.integers(1, 25, rows).astype(str), "号楼"),
                np.char.add(
                    np.char.add(rng.integers(1, 6, rows).astype(str), "单元"),
                    rng.integers(101, 1804, rows).astype(str),
                ),
            ),
        ),
    )
    is_town = pl.Series(rng.random(rows) < 1 / 3)
    country = rng.integers(1, 20, rows).astype(str), rng.integers(1, 400, rows).astype(str)
    group = np.char.add(np.char.add(country[0], "组"), np.char.add(country[1], "号"))
    places = village_table("1509").select(
        pl.col("village_code").alias("村居代码"),
        pl.concat_str(pl.lit("内蒙古自治区乌兰察布市"), "county_zh", "township_zh", "village_zh").alias(
            "place"
        ),
    )
    end = pl.when(is_town).then(pl.Series(town) + "室").otherwise(pl.Series(group))
    table = table.join(places, on="村居代码", how="left", maintain_order="left").with_columns(
        (pl.col("place").str.replace("村民委员会$", "村").str.replace("居民委员会$|委员会$", "") + end).alias(
            "户籍地址"
        ),
        pl.Series("电话", rng.integers(13_000_000_000, 19_999_999_999, rows)).cast(pl.String),
        pl.when(pl.col("公民身份号码").str.slice(16, 1).cast(pl.Int8) % 2 == 1)
        .then(pl.lit("1"))
        .otherwise(pl.lit("2"))
        .alias("性别"),
    )
    left, right = folder / "registry.parquet", folder / "extract.parquet"
    table.select("no", *REGISTRY).write_parquet(left)
    table.sample(int(rows * SHARE_OF_EXTRACT), seed=3, shuffle=True).select("no", *EXTRACT).write_parquet(
        right
    )
    return left, right


def timed(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median CPU and wall seconds."""
    cpu, wall = [], []
    for _ in range(runs):
        start, begun = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - begun)
    return statistics.median(cpu), statistics.median(wall)


def only(side: Side, *kinds: str) -> Side:
    """The side with columns of these kinds alone."""
    return Side(id=side.id, columns={name: spec for name, spec in side.columns.items() if spec.kind in kinds})


def main() -> int:
    """Runs and prints."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--parts", action="store_true")
    chosen = options.parse_args()
    spec = Spec.parse(SPEC)
    assert spec.right is not None
    with tempfile.TemporaryDirectory() as folder:
        paths = write_tables(chosen.rows, Path(folder))
        sides = (spec.left, spec.right)

        def both(*kinds: str) -> None:
            for path, side in zip(paths, sides, strict=True):
                records_of(pl.scan_parquet(path), only(side, *kinds) if kinds else side, AS_OF)

        first = timed(both, 1)
        print(f"first run (tables of the gazetteer are made): {first[0]:.2f} s CPU, {first[1]:.2f} s wall")
        cpu, wall = timed(both, chosen.runs)
        print(
            f"{chosen.rows * (1 + SHARE_OF_EXTRACT):,.0f} rows: {cpu:.2f} s CPU, {wall:.2f} s wall (most: {MOST_CPU} s CPU)"
        )
        if chosen.parts:
            for kinds in (
                ("person_name",),
                ("resident_id",),
                ("birth_date",),
                ("sex",),
                ("phone",),
                ("address",),
                ("division",),
                ("address", "division"),
            ):
                part = timed(lambda kinds=kinds: both(*kinds), chosen.runs)  # type: ignore[misc]
                print(f"  {' + '.join(kinds):22} {part[0]:.2f} s CPU")
    return int(cpu > MOST_CPU)


if __name__ == "__main__":
    raise SystemExit(main())
