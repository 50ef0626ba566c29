"""Names of places: which village lies in which township, county and prefecture.

What belongs here is the reading of `reference/{divisions,townships,villages}.csv`. Which standard holds where
is a parameter of policy, not a property of a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import polars as pl

REFERENCE = Path(__file__).resolve().parent / "reference"

COLUMNS = (
    "county_code",
    "county_zh",
    "prefecture_zh",
    "township_code",
    "township_zh",
    "village_code",
    "village_zh",
)

# A prefecture that is only a bracket in the code list ("directly under") has no name of its own.
_BRACKETS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")


def _read(name: str) -> pl.DataFrame:
    return pl.read_csv(REFERENCE / name, infer_schema=False)


@cache
def _division_table() -> pl.DataFrame:
    places = _read("divisions.csv")
    county = places.filter(pl.col("level") == "county").select(
        county_code="code",
        county_zh="county",
        prefecture_zh=pl.when(pl.col("prefecture").is_in(_BRACKETS))
        .then(pl.col("province"))
        .otherwise(pl.col("prefecture")),
    )
    township = _read("townships.csv").select("county_code", township_code="code", township_zh="name")
    village = _read("villages.csv").select("township_code", village_code="code", village_zh="name")
    return (
        county.join(township, on="county_code", how="left")
        .join(village, on="township_code", how="left")
        .select(COLUMNS)
        .sort("county_code", "township_code", "village_code", nulls_last=True)
    )


def division_table() -> pl.DataFrame:
    """One row a village; a township or county whose parts are not listed has one row with null below it.

    Columns (all text): county_code (6 digits), county_zh, prefecture_zh (the province, for counties directly
    under it), township_code (9), township_zh, village_code (12), village_zh. Ordered by the three codes.
    """
    return _division_table().clone()


def county_table(prefix: str = "") -> pl.DataFrame:
    """county_code, county_zh, prefecture_zh of the counties whose code starts with `prefix`, in code order."""
    return (
        division_table()
        .filter(pl.col("county_code").str.starts_with(prefix))
        .select("county_code", "county_zh", "prefecture_zh")
        .unique(maintain_order=True)
    )


def township_table(prefix: str = "") -> pl.DataFrame:
    """county_code, county_zh, prefecture_zh, township_code, township_zh: known townships whose code starts with `prefix`."""
    return (
        division_table()
        .filter(pl.col("township_code").is_not_null() & pl.col("township_code").str.starts_with(prefix))
        .select(COLUMNS[:5])
        .unique(maintain_order=True)
    )


def village_table(prefix: str = "") -> pl.DataFrame:
    """All columns of `division_table` for the known villages whose code starts with `prefix`."""
    return division_table().filter(
        pl.col("village_code").is_not_null() & pl.col("village_code").str.starts_with(prefix)
    )


@cache
def division_names() -> Mapping[str, str]:
    """Code of six digits -> name with its province and prefecture (河北省石家庄市桥西区), for counties, prefectures, provinces."""
    names = {"000000": "全国"}
    for row in _read("divisions.csv").iter_rows(named=True):
        parts = [row["province"], row["prefecture"], row["county"]]
        own = row["level"] == "prefecture"
        kept = [p for p in parts if p and (p not in _BRACKETS or (own and p == row["name"]))]
        names[row["code"]] = "".join(kept)
    return MappingProxyType(names)
