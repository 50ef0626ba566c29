"""What three nights cost and how right they are: the sample county against its recorded truth.

    python benchmarks/county.py [--persons 20000] [--seed 7] [--damage realistic|none] [--keep FOLDER]

Builds a county in a temporary folder, runs the nights through Dagster and prints: seconds a night; links by grade
(right, wrong, of which relatives, missed); provisional persons without a number; households against the true ones; planted
situations by rule (raised of those that must be, raised of those that must not be). Numbers of one seed are an example, not
a claim: run several.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data_contracts.feeding import identity_rows, ledger
from matching.evaluation import bcubed, by_group, groups, judged
from matching.provisional import PASS_IDS, PREFIX
from pipelines import nights
from sample_data import build

FIRST = date(2025, 11, 17)
COUNTY = ["1509"]
SHOWN = ["group", "identities", "precision", "precision_low", "precision_high", "recall"]


def stored(home: Path, kind: str, name: str, day: date) -> pl.DataFrame:
    """A frame of the lake."""
    return pl.read_parquet(home / "lake" / kind / f"batch_date={day}" / f"{name}.parquet")


def truth_of_identities(home: Path, day: date) -> pl.DataFrame:
    """`identity_key`, `source_class`, `true_person_id`: identities that stand for one true person, or for nobody known."""
    rows = identity_rows(home / "lake", day)
    books = pl.concat(
        [
            ledger(home / "lake", class_id, day).select(
                "delivery_id", "batch_date", "file", pl.lit(class_id).alias("class_id")
            )
            for class_id in sorted(set(rows["source_class"]))
        ]
    )
    records = pl.read_parquet(home / "truth" / "records.parquet").with_columns(
        pl.col("batch_date").cast(pl.Date), pl.col("row", "position").cast(pl.Int64)
    )
    # A file that was sent twice stands once in the truth, whichever of the two was read.
    books = books.with_columns(pl.col("file").str.replace(".again.", ".", literal=True))
    known = rows.join(books.rename({"class_id": "source_class"}), on=["source_class", "delivery_id"]).join(
        records.rename({"class_id": "source_class"}),
        on=["source_class", "batch_date", "file", "row", "role", "position"],
    )
    return (
        known.group_by("identity_key", "source_class")
        .agg(pl.col("true_person_id").unique().alias("who"))
        .filter(pl.col("who").list.len() == 1)
        .select("identity_key", "source_class", pl.col("who").list.first().alias("true_person_id"))
    )


def planted(home: Path, day: date) -> pl.DataFrame:
    """Situations by rule: how many must and must not be raised, and how many are, by the true family."""
    truth = home / "truth"
    situations = pl.read_parquet(truth / "situations.parquet").filter(pl.col("visible_on") <= day)
    family = (
        pl.read_parquet(truth / "households.parquet").select("true_household_id", "true_person_id").unique()
    )
    numbers = pl.read_parquet(truth / "persons.parquet").select("true_person_id", "resident_id")
    raised = (
        situations.join(family, on="true_household_id", suffix="_member")
        .join(numbers, left_on="true_person_id_member", right_on="true_person_id")
        .join(stored(home, "persons", "persons", day).select("resident_id", "person_id"), on="resident_id")
        .join(
            stored(home, "households", "household_member", day).select("person_id", "household_id"),
            on="person_id",
        )
        .join(
            stored(home, "risk", "warnings", day).select("rule_id", "household_id").unique(),
            on=["rule_id", "household_id"],
        )["situation_id"]
        .unique()
    )
    is_raised, must = pl.col("situation_id").is_in(raised.implode()), pl.col("expectation") == "must"
    warnings = stored(home, "risk", "warnings", day).group_by("rule_id").agg(pl.len().alias("warnings"))
    return (
        situations.group_by("rule_id")
        .agg(
            must.sum().alias("must"),
            (must & is_raised).sum().alias("raised"),
            (~must).sum().alias("must_not"),
            (~must & is_raised).sum().alias("raised_wrongly"),
        )
        .join(warnings, on="rule_id", how="left")
        .with_columns(pl.col("warnings").fill_null(0))
        .sort("rule_id")
    )


def unnamed(home: Path, day: date) -> pl.DataFrame:
    """Provisional persons without a number by pass: how many are of one true person, and of these how many are nobody else yet.

    `twice`: true persons who are several such persons.
    """
    persons, links = (stored(home, "persons", name, day) for name in ("persons", "links"))
    truth = truth_of_identities(home, day).select("identity_key", "true_person_id")
    ours = persons.filter((pl.col("status") == "active") & pl.col("spine_key").str.starts_with(PREFIX))
    rows = links.join(truth, on="identity_key", how="left")
    others = rows.join(ours, on="person_id", how="anti").filter(pl.col("grade") != "C")["true_person_id"]
    known = pl.col("true_person_id").drop_nulls()
    return (
        rows.join(ours.select("person_id"), on="person_id")
        .group_by("person_id")
        .agg(
            pl.col("pass_id").max(),
            pl.len().alias("records"),
            known.n_unique().alias("_people"),
            known.first().alias("_who"),
        )
        .with_columns(
            (pl.col("_people") <= 1).alias("_one"),
            pl.col("_who").is_in(others.drop_nulls().unique().implode()).alias("_there"),
            (pl.col("_who").is_duplicated() & pl.col("_who").is_not_null()).alias("_twice"),
        )
        .group_by("pass_id")
        .agg(
            pl.len().alias("persons"),
            pl.col("records").sum(),
            pl.col("_one").sum().alias("of_one_true_person"),
            (pl.col("_one") & ~pl.col("_there").fill_null(False)).sum().alias("not_there_otherwise"),
            pl.col("_twice").sum().alias("twice"),
        )
        .sort("pass_id")
    )


def families(home: Path, day: date) -> pl.DataFrame:
    """Derived households against the true ones, by the pairs of people who share one.

    People are those of tonight's households who have a number of the truth and a true household on the day. `precision`: pairs
    that share a derived household and a true one; `flagged`: of the pairs that share a derived one only, those of whom a
    member says that it needs a check; `alike`: derived households that are exactly a true one.
    """
    truth = home / "truth"
    spell = (pl.col("from") <= day) & (pl.col("to").is_null() | (pl.col("to") > day))
    true = pl.read_parquet(truth / "households.parquet").filter(spell).unique("true_person_id")
    numbers = pl.read_parquet(truth / "persons.parquet").select("true_person_id", "resident_id")
    member = (
        stored(home, "households", "household_member", day)
        .join(stored(home, "persons", "persons", day).select("person_id", "resident_id"), on="person_id")
        .join(numbers, on="resident_id")
        .join(true, on="true_person_id")
        .select("true_person_id", "household_id", "true_household_id", "needs_check")
    )

    def pairs(column: str) -> pl.DataFrame:
        one = member.select(column, pl.col("true_person_id").alias("a"), "needs_check")
        both = one.join(one.rename({"a": "b"}), on=column).filter(pl.col("a") < pl.col("b"))
        return both.select("a", "b", (pl.col("needs_check") | pl.col("needs_check_right")).alias("flagged"))

    derived, right = pairs("household_id"), pairs("true_household_id")
    both = derived.join(right, on=["a", "b"], how="semi").height
    wrong = derived.join(right, on=["a", "b"], how="anti")
    sets = [
        member.group_by(column).agg(pl.col("true_person_id").sort())
        for column in ("household_id", "true_household_id")
    ]
    return pl.DataFrame(
        {
            "pairs": [derived.height],
            "precision": [both / derived.height],
            "recall": [both / right.height],
            "flagged": [wrong["flagged"].mean()],
            "households": [sets[0].height],
            "alike": [sets[0].join(sets[1], on="true_person_id").height],
            "needs_check": [member["needs_check"].mean()],
        }
    )


def main() -> int:
    """Run and print; exit status 1 when a night fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--damage", choices=["realistic", "none"], default="realistic")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.keep or Path(folder)
        begun = time.perf_counter()
        build(given.persons, given.nights, given.seed, home, start=FIRST, damage=given.damage)
        print(
            f"{given.persons} people, seed {given.seed}, damage {given.damage}: {time.perf_counter() - begun:.0f} s"
        )
        for n in range(given.nights):
            day, begun, cpu = FIRST + timedelta(days=n), time.perf_counter(), time.process_time()
            finished, failed = nights.run(home, day)
            print(f"{day}: {time.perf_counter() - begun:.0f} s wall, {time.process_time() - cpu:.0f} s CPU")
            if not finished:
                print(f"steps failed: {failed}")
                return 1
        truth = truth_of_identities(home, day)
        links = stored(home, "persons", "links", day)
        # Who is a provisional person without a number was linked to nobody.
        named = links.filter(~pl.col("pass_id").is_in(PASS_IDS))
        verdicts = judged(named, truth)
        identities = pl.read_parquet(home / "lake" / "identities" / f"batch_date={day}.parquet")
        with pl.Config(tbl_rows=80, tbl_cols=12, tbl_hide_dataframe_shape=True):
            print(verdicts.group_by("grade", "verdict").len().sort("grade", "verdict", nulls_last=True))
            print(by_group(verdicts, groups(identities, COUNTY)).select(SHOWN))
            print(bcubed(links.filter(pl.col("grade") != "C"), truth))
            print(unnamed(home, day))
            print(families(home, day))
            print(planted(home, day))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
