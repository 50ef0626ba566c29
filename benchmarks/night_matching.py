"""CPU of a night with 2 % new or changed identities, as a share of deciding all of them.

`python -m benchmarks.night_matching --lake data/lake --day 2025-11-18 --copies 10` takes the identities of a county (a
parquet file with `--identities`), repeats them under other numbers, names, places and telephones, changes one in a hundred, adds
one in a hundred, and measures `spine.resolve` both ways in one process. The state goes through parquet in between, as
it does between two nights. Prints medians and the parts of the night, and whether the night equals the rebuild under
the same count (ADR 8).
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl

from data_contracts import feeding, resident_id
from data_contracts.contract import catalogue
from matching import spine
from matching.tonight import living

PROVINCES = [
    "15",
    "13",
    "14",
    "21",
    "22",
    "23",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "50",
    "51",
]
T = TypeVar("T")


def copies(county: pl.DataFrame, number: int) -> pl.DataFrame:
    """The county and its copies, each in a province of its own, with its own people."""
    return pl.concat([_copy(county, n) for n in range(number)]).sort("source_class", "role", "identity_key")


def _copy(county: pl.DataFrame, number: int) -> pl.DataFrame:
    if number == 0:
        return county
    province = PROVINCES[number]
    return county.with_columns(
        (pl.col("identity_key") + f"{number:02d}").alias("identity_key"),
        *(_number(pl.col(c), province).alias(c) for c in ("resident_id", "former_resident_id")),
        *(_names(county[c], number).alias(c) for c in ("person_name", "former_name")),
        *(
            (province + pl.col(c).str.slice(2)).alias(c)
            for c in ("village_code", "division_code", "household_no")
        ),
        (
            pl.col("phone").str.head(3)
            + pl.col("phone").str.slice(3, 4).str.reverse()
            + pl.col("phone").str.slice(7).str.replace_all("1", str(number % 10))
        ).alias("phone"),
    )


def _number(number: pl.Expr, province: str) -> pl.Expr:
    moved = pl.lit(province) + number.str.slice(2)
    valid = resident_id.resident_id_is_valid(number).fill_null(False)
    body = pl.when(valid).then(moved.str.head(17))
    return pl.coalesce(body + body.map_batches(resident_id.check_character, return_dtype=pl.String), moved)


def _names(names: pl.Series, number: int) -> pl.Series:
    """Names in which every character of a given name stands for another one, the same throughout a copy."""
    distinct = names.drop_nulls().unique().sort()
    used = sorted({c for name in distinct.to_list() for c in name[1:] if "\u4e00" <= c <= "\u9fff"})
    others = used.copy()
    random.Random(number).shuffle(others)
    table = str.maketrans(dict(zip(used, others, strict=True)))
    moved = pl.Series([name[:1] + name[1:].translate(table) for name in distinct.to_list()], dtype=pl.String)
    return names.replace_strict(distinct, moved, default=None)


def night_after(
    identities: pl.DataFrame, day: date, classes: set[str] | None = None, seed: int = 1
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Last night and tonight: of all identities one in a hundred is new, and one in a hundred has another telephone.

    They are drawn from all classes, or from `classes` alone: then the same number of rows concerns fewer persons' other rows.
    """
    may = pl.lit(True) if classes is None else pl.col("source_class").is_in(sorted(classes))
    order = pl.int_range(len(identities), eager=True).sample(fraction=1.0, shuffle=True, seed=seed)
    drawn = identities.select(pl.when(may).then(order).rank("ordinal")).to_series()
    each = len(identities) // 100
    is_new = (drawn <= each).fill_null(False)
    is_other = ((drawn > each) & (drawn <= 2 * each)).fill_null(False)
    before = identities.filter(~is_new)
    changed = identities.filter(is_other).with_columns(
        (pl.col("identity_key") + "z").alias("identity_key"),
        (pl.col("phone").str.head(7) + pl.col("phone").str.slice(7).str.reverse()).alias("phone"),
        pl.lit(day).alias("first_batch"),
        pl.lit(day).alias("last_batch"),
    )
    kept = identities.filter(~is_other)
    return before, pl.concat([kept, changed]).sort("source_class", "role", "identity_key")


def _cpu(run: Callable[[], T]) -> tuple[float, float, T]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = run()
    return time.process_time() - cpu, time.perf_counter() - wall, found


def _equal(night: spine.SpineResult, tonight: pl.DataFrame, day: date) -> bool:
    """Whether deciding everything under the count of the night gives the same links, weights and forms."""
    rebuilt = spine.resolve(tonight, None, None, day, census=night.census)

    def outcome(result: spine.SpineResult) -> list[pl.DataFrame]:
        named = result.persons.select("person_id", "spine_key")
        links = result.links.join(named, on="person_id").drop("person_id", "linked_on").sort("identity_key")
        frames = result.frames()
        return [
            links,
            living(frames["keys"]).sort("identity_key"),
            *(frames[n] for n in ("nodes", "weighed", "traits")),
        ]

    return all(a.equals(b) for a, b in zip(outcome(night), outcome(rebuilt), strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--identities", type=Path)
    parser.add_argument("--day", type=date.fromisoformat, default=date(2025, 11, 18))
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument(
        "--daily", action="store_true", help="what changed stands in the classes that come daily, not in all"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", action="store_true", help="print where the time of the last night goes")
    given = parser.parse_args()
    county = (
        pl.read_parquet(given.identities) if given.identities else feeding.identities(given.lake, given.day)
    )
    tomorrow = given.day + timedelta(days=1)
    daily = {c.id for c in catalogue().values() if c.delivery.cadence == "daily"} if given.daily else None
    before, tonight = night_after(copies(county, given.copies), tomorrow, daily)
    first = spine.resolve(before, None, None, given.day)
    with tempfile.TemporaryDirectory() as folder:
        state = {}
        for name, frame in first.frames().items():
            frame.write_parquet(Path(folder) / f"{name}.parquet")
            state[name] = pl.read_parquet(Path(folder) / f"{name}.parquet")
    previous = spine.Spine.of(state)
    del first
    full, night = [], []
    for _ in range(given.rounds):
        cpu, wall, rebuilt = _cpu(lambda: spine.resolve(tonight, None, None, tomorrow))
        full.append(cpu)
        print(f"all of {len(tonight):,} identities: {cpu:.2f} s CPU, {wall:.2f} s", flush=True)
        cpu, wall, stepped = _cpu(lambda: spine.resolve(tonight, previous, None, tomorrow))
        night.append(cpu)
        print(f"the night: {cpu:.2f} s CPU, {wall:.2f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{peak:.1f} GiB at most")
    print(f"links {len(rebuilt.links):,} and {len(stepped.links):,}")
    print(
        f"the night {'equals' if _equal(stepped, tonight, tomorrow) else 'IS NOT'} the rebuild under its count"
    )
    ratio = statistics.median(night) / statistics.median(full)
    print(f"medians {statistics.median(full):.2f} and {statistics.median(night):.2f} s CPU: {ratio:.1%}")
    if given.parts:
        profile = cProfile.Profile(time.process_time)
        profile.runcall(spine.resolve, tonight, previous, None, tomorrow)
        said = io.StringIO()
        pstats.Stats(profile, stream=said).sort_stats("cumulative").print_stats(r"matching/", 40)
        print(said.getvalue())


if __name__ == "__main__":
    main()
