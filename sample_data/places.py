"""The place: counties, townships and villages of prefecture 1509 and how many people each of them gets."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parent / "reference"
PREFECTURE = "1509"
# The seat and, beside it, banners with pastoral and farming townships come first, so small samples are mixed.
COUNTY_ORDER = (
    "150902",
    "150928",
    "150929",
    "150921",
    "150981",
    "150923",
    "150926",
    "150925",
    "150924",
    "150927",
    "150922",
)
FORMER_NAMES = {"集宁区": ("集宁市",), "丰镇市": ("丰镇县",)}
_SUFFIXES = (
    "社区居民委员会",
    "社区居委会",
    "居民委员会",
    "居委会",
    "嘎查村民委员会",
    "村民委员会",
    "村委会",
    "嘎查委员会",
    "委员会",
)


@dataclass(frozen=True)
class Village:
    """A village or community: 12-digit code, name as people say it, where it lies."""

    code: str
    name: str
    township: str
    county: str
    is_urban: bool

    @property
    def address(self) -> str:
        """Prefecture, county, township and village in words."""
        return f"内蒙古自治区乌兰察布市{counties()[self.county]}{townships()[self.township]}{self.name}"


def read(name: str) -> list[dict[str, str]]:
    """One reference table as rows of text."""
    with (REFERENCE / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@functools.cache
def counties() -> dict[str, str]:
    """Code and name of the counties of the prefecture."""
    return {
        r["code"]: r["county"]
        for r in read("divisions.csv")
        if r["code"][:4] == PREFECTURE and r["level"] == "county"
    }


@functools.cache
def townships() -> dict[str, str]:
    """Code and name of the townships of the prefecture."""
    return {r["code"]: r["name"] for r in read("townships.csv")}


@functools.cache
def villages() -> dict[str, Village]:
    """Villages and communities by 12-digit code."""
    found = {}
    for row in read("villages.csv"):
        name = row["name"]
        is_urban = "社区" in name or "居" in name
        for suffix in _SUFFIXES:
            if name.endswith(suffix):
                kind = "嘎查" if "嘎查" in suffix else "社区" if "居" in suffix else "村"
                stem = name.removesuffix(suffix)
                name = stem if stem.endswith(kind) else stem + kind
                break
        township = row["township_code"]
        found[row["code"]] = Village(row["code"], name, township, township[:6], is_urban)
    return found


@functools.cache
def area_codes() -> dict[str, tuple[tuple[int, int, str], ...]]:
    """County of today -> (first year, last year, code in force): what an identity number issued then begins with."""
    history = read("division_history.csv")
    table = {}
    for code, name in counties().items():
        names = (name, *FORMER_NAMES.get(name, ()))
        spans = [
            (int(r["first_year"] or 1900), int(r["last_year"] or 9999), r["code"])
            for r in history
            if r["name"] in names and (r["code"] == code or r["code"][:4] == "1526")
        ]
        table[code] = tuple(sorted(s for s in spans if s[1] >= 1982))
    return table


def code_in_force(county: str, year: int) -> str:
    """The division code that a number issued in `year` carries (1982 or later)."""
    for first, last, code in area_codes()[county]:
        if first <= max(year, 1982) <= last:
            return code
    return county


@functools.cache
def all_counties() -> dict[str, str]:
    """Every county of the country: code and full name, for people from elsewhere."""
    return {
        r["code"]: r["province"]
        + ("" if r["prefecture"] in ("市辖区", "县", r["province"]) else r["prefecture"])
        + r["county"]
        for r in read("divisions.csv")
        if r["level"] == "county"
    }


def chosen(persons: int) -> list[tuple[str, int]]:
    """Villages of a sample and the people in each: whole townships of several counties, 45 % of people in communities.

    Small samples use few townships of few counties; from about 1.3 million people on, the whole prefecture.
    """
    by_county: dict[str, list[str]] = {c: [] for c in COUNTY_ORDER}
    by_township: dict[str, list[Village]] = {}
    for village in villages().values():
        by_township.setdefault(village.township, []).append(village)
    for township in townships():
        if township in by_township:
            by_county[township[:6]].append(township)
    ordered = {}
    for county, names in by_county.items():
        # The seat first, then a township in the open country, then the rest.
        urban = [t for t in names if sum(v.is_urban for v in by_township[t]) * 2 >= len(by_township[t])]
        rural = [t for t in names if t not in urban]
        seat = urban or names[:1]
        rest = [t for t in rural if t not in seat]
        mixed = []
        while seat or rest:
            mixed += seat[:1] + rest[:1]
            seat, rest = seat[1:], rest[1:]
        ordered[county] = mixed
    total_villages = len(villages())
    wanted = min(total_villages, max(8, -(-persons // 850)))
    n_townships = min(len(by_township), max(4, -(-persons // 3500)))
    n_counties = min(len(COUNTY_ORDER), max(2, -(-n_townships // 3)))
    picked: list[str] = []
    depth = 0
    while len(picked) < n_townships:
        for county in COUNTY_ORDER[:n_counties] if depth < 60 else COUNTY_ORDER:
            if (
                depth < len(ordered[county])
                and ordered[county][depth] not in picked
                and len(picked) < n_townships
            ):
                picked.append(ordered[county][depth])
        depth += 1
        if depth >= 60 and n_counties < len(COUNTY_ORDER):
            n_counties, depth = n_counties + 1, 0
    picked.sort(key=lambda t: (COUNTY_ORDER.index(t[:6]), t))
    if wanted == total_villages or n_townships == len(by_township):
        share = 1.0
    else:
        share = wanted / sum(len(by_township[t]) for t in picked)
    list_: list[Village] = []
    for township in picked:
        here = by_township[township]
        urban_here = [v for v in here if v.is_urban]
        rural_here = [v for v in here if not v.is_urban]
        for part in (urban_here, rural_here):
            if part:
                n = min(len(part), max(1, round(len(part) * min(share, 1.0))))
                list_ += [part[i * len(part) // n] for i in range(n)]
    is_urban = np.array([v.is_urban for v in list_])
    spread = 0.7 + 0.6 * ((np.array([int(v.code[-6:]) for v in list_]) * 7919) % 1000) / 1000
    weight = np.where(
        is_urban,
        0.45 * spread / max(spread[is_urban].sum(), 1e-9),
        0.55 * spread / max(spread[~is_urban].sum(), 1e-9),
    )
    exact = persons * weight / weight.sum()
    count = np.floor(exact).astype(int)
    for i in np.argsort(-(exact - count), kind="stable")[: persons - count.sum()]:
        count[i] += 1
    return [(v.code, int(n)) for v, n in zip(list_, count, strict=True)]
