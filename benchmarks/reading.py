"""How long a million rows of class 1 take from file to lake, against reading them as text with polars alone.

    python benchmarks/reading.py [--rows 1000000] [--runs 5] [--keep FOLDER]

Writes one GB 18030 file of `ps_resident` and the same rows as UTF-8, then takes turns: `read_delivery` (decoded,
typed, checked, duplicates sought, written) and `pl.read_csv(infer_schema=False)`. Prints the medians, their ratio,
and the peak memory of a reading in a process of its own. Exit status 1 when the ratio is above 4 or the peak
above 2 GiB.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data_contracts.contract import catalogue, codes_of
from data_contracts.places import REFERENCE
from data_contracts.reading import read_delivery
from data_contracts.resident_id import check_character

CLASS = "ps_resident"
NIGHT = date(2025, 11, 17)
MOST_TIME, MOST_BYTES = 4.0, 2 << 30

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂红玉萍鹏华建国志文宇轩梓涵浩然欣怡子萱雨晨佳琪俊豪思远海燕春梅淑珍凤翠云飞龙天佑宏博睿哲晓东立新永康庆丰家兴振民德福长生金宝银花巧玲秋菊冬雪夏荷格日勒图娅其木巴特尔乌兰苏和那仁高娃萨仁塔娜镕喆堃婧妤祎昊"


def invent(rows: int) -> pl.DataFrame:
    """Rows of class 1 as text: unique ids, some 200,000 different names, addresses in real villages."""
    rng = np.random.default_rng(1)
    villages = pl.read_csv(REFERENCE / "villages.csv", infer_schema=False).filter(
        pl.col("code").str.starts_with("1509")
    )
    surnames, given = np.array(list(SURNAMES)), np.array(list(GIVEN))
    first = surnames[np.minimum(rng.geometric(0.035, rows) - 1, len(surnames) - 1)]
    second, third = given[rng.integers(0, len(given), rows)], given[rng.integers(0, len(given), rows)]
    number = np.arange(rows)
    frame = pl.DataFrame(
        {
            "days": rng.permutation(number) % 32_000,
            "sequence": 1 + number // 32_000,
            "county": rng.choice(["150902", "150921", "150922", "150923", "150981", "152601"], rows),
            "village": rng.integers(0, villages.height, rows),
            "group": rng.integers(1, 20, rows).astype(str),
            "house": rng.integers(1, 400, rows).astype(str),
            "one": np.char.add(first, np.where(rng.random(rows) < 0.2, "", second)),
            "two": third,
            "changed": np.where(rng.random(rows) < 0.01, np.char.add(first, second), ""),
            "seconds": rng.integers(1_600_000_000, 1_763_000_000, rows),
        }
    )
    born = pl.date(1936, 1, 1) + pl.duration(days=pl.col("days"))
    frame = frame.with_columns(born=born.dt.strftime("%Y%m%d"))
    body = frame["county"] + frame["born"] + frame["sequence"].cast(pl.String).str.zfill(3)
    columns = {
        "id_no": body + check_character(body),
        "name": frame["one"] + frame["two"],
        "former_name": frame["changed"],
        "birth_date": frame["born"],
        "hukou_no": pl.Series(1_509_000_000 + number // 3).cast(pl.String),
        "reg_address": "内蒙古自治区乌兰察布市"
        + villages["name"].gather(frame["village"])
        + frame["group"]
        + "组"
        + frame["house"]
        + "号",
        "village_code": villages["code"].gather(frame["village"]),
        "updated_at": pl.from_epoch(frame["seconds"]).dt.strftime("%Y-%m-%d %H:%M:%S"),
    }
    for spec in catalogue()[CLASS].fields:
        if (codes := codes_of(spec)) is not None:
            columns[spec.name] = pl.Series(rng.choice(list(codes.codes)[:6], rows))
    return pl.DataFrame([columns[spec.name].alias(spec.source) for spec in catalogue()[CLASS].fields])


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """The delivery in GB 18030 and the same rows in UTF-8."""
    delivery, plain = folder / f"{CLASS}.full.txt", folder / "plain.txt"
    invent(rows).write_csv(plain, separator="|", quote_style="never")
    with (
        plain.open(encoding="utf-8", newline="") as source,
        delivery.open("w", encoding="gb18030", newline="") as target,
    ):
        while text := source.read(1 << 24):
            target.write(text)
    return delivery, plain


def read_once(delivery: Path, folder: Path) -> float:
    """Seconds from file to lake."""
    began = time.perf_counter()
    reading = read_delivery(catalogue()[CLASS], delivery, batch_date=NIGHT, lake=folder / "lake")
    seconds = time.perf_counter() - began
    book = reading.ledger
    if book["status"] != "accepted" or book["rows_accepted"] != book["rows_received"]:
        raise SystemExit(f"the file is not clean: {book} {reading.issues['message_zh'].head(3).to_list()}")
    return seconds


def read_text(plain: Path) -> float:
    """Seconds that polars takes for the same rows as text."""
    began = time.perf_counter()
    pl.read_csv(plain, separator="|", infer_schema=False)
    return time.perf_counter() - began


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--keep", type=Path, help="write the files here and leave them")
    arguments.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.peak:
        read_once(chosen.peak, chosen.peak.parent)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        delivery, plain = write(folder, chosen.rows)
        print(
            f"{chosen.rows:,} rows: {delivery.stat().st_size / 1e6:.0f} MB GB18030, {plain.stat().st_size / 1e6:.0f} MB UTF-8"
        )
        read_once(delivery, folder)
        read_text(plain)
        ours, theirs = [], []
        for _ in range(chosen.runs):
            ours.append(read_once(delivery, folder))
            theirs.append(read_text(plain))
        peak = int(
            subprocess.run(
                [sys.executable, __file__, "--peak", str(delivery)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"file to lake  {statistics.median(ours):6.2f} s   ({', '.join(f'{t:.2f}' for t in ours)})")
    print(f"polars text   {statistics.median(theirs):6.2f} s   ({', '.join(f'{t:.2f}' for t in theirs)})")
    print(f"ratio         {ratio:6.2f}     (at most {MOST_TIME})")
    print(f"peak memory   {peak / 2**30:6.2f} GiB (at most {MOST_BYTES / 2**30:.0f})")
    return 0 if ratio <= MOST_TIME and peak <= MOST_BYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
