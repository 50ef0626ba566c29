"""The comparisons and their rates: how often a record of the same person agrees, is a little off, or is another value.

The list is what a newcomer adds a comparator to. Rates are priors from the sources named here; a match estimates its
own from the data, starting from them, and writes them with their provenance. What a value is worth (how rare it is)
is not a rate and is not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from data_contracts.contract import YAML


@dataclass(frozen=True)
class Comparison:
    """One comparison: levels with prior rates (sum 1), how strong the prior is, and whether a family shares the value."""

    name: str
    zh: str
    levels: tuple[str, ...]
    rates: tuple[float, ...]
    strength: float = 200.0
    """So many records' worth of data does the prior weigh."""
    is_family: bool = False
    """The value is common to a household: it cannot tell a person from a relative."""
    pooled: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Levels that stand for several of the others, where no more is known: their rate is the sum, and their counts are shared out."""
    unclear: tuple[str, ...] = ()
    """Levels whose rate is never estimated above the prior (others' numbers, other names): EM would learn its own errors."""
    twice: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Unclear levels that are two of other levels at once: they may be as common as chance makes two of these."""


NAME_LEVELS = (
    "exact",
    "sound",
    "near_sound",
    "shape",
    "other",
    "swap",
    "drop",
    "insert",
    "two",
    "pinyin",
    "spelling",
    "order",
    "cut",
    "part",
    "surname_added",
    "latin",
    "former",
    "none",
)

MODEL: tuple[Comparison, ...] = (
    Comparison(
        "name",
        "姓名",
        NAME_LEVELS,
        # CHINESE_DATA D3, tier 3; `exact` takes what is left.
        (
            0.9658,
            0.0100,
            0.0030,
            0.0060,
            0.0015,
            0.0008,
            0.0010,
            0.0008,
            0.0010,
            0.0004,
            0.0012,
            0.0003,
            0.0005,
            0.0005,
            0.0005,
            0.0002,
            0.0060,
            0.0005,
        ),
        unclear=("other", "two", "none"),
        twice=(("two", ("sound", "near_sound", "shape")),),
    ),
    Comparison(
        "hidden_name",
        "姓名（部分隐去）",
        ("fits", "slip", "none"),
        (0.955, 0.035, 0.01),
        unclear=("none",),
    ),
    Comparison(
        "id",
        "证件号码",
        ("equal", "slip", "slips", "relative", "other_person", "other", "fits", "differs"),
        # CHINESE_DATA D3: somebody else's number 0.7 %, of these nearly all a relative's; two numbers 0.2 %; slips 0.5 %.
        (0.974, 0.008, 0.002, 0.0065, 0.0005, 0.002, 0.006, 0.001),
        # A passport is renewed under another number: two of them say nothing, but what they are is known (`clustering.grades`).
        pooled=(
            ("renewed", ("equal", "slip", "slips", "relative", "other_person", "other", "fits", "differs")),
        ),
        unclear=("relative", "other_person", "other", "differs"),
    ),
    Comparison(
        "hidden_id", "证件号码（部分隐去）", ("fits", "differs"), (0.985, 0.015), unclear=("differs",)
    ),
    Comparison(
        "birth",
        "出生日期",
        ("equal", "lunar", "digit", "first_of_year", "year", "swap", "same_year", "near", "differs"),
        # CHINESE_DATA D3: 0.6 % differ in tier 3, split lunar 35, digit 20, 01-01 20, year 15, day/month 10.
        (0.988, 0.0030, 0.0020, 0.0018, 0.0014, 0.0010, 0.0008, 0.0010, 0.0010),
        unclear=("same_year", "near", "differs"),
    ),
    Comparison(
        "age",
        "年龄",
        ("within", "one", "two", "five", "differs"),
        (0.86, 0.08, 0.03, 0.02, 0.01),
        unclear=("five", "differs"),
    ),
    Comparison("sex", "性别", ("equal", "differs"), (0.997, 0.003), unclear=("differs",)),
    Comparison(
        "phone",
        "联系电话",
        ("equal", "family", "differs"),
        # 12 % change their number in a year; families share 10-25 %.
        (0.55, 0.15, 0.30),
        is_family=True,
    ),
    Comparison(
        "hidden_phone",
        "联系电话（部分隐去）",
        ("equal", "family", "differs"),
        (0.55, 0.15, 0.30),
        is_family=True,
    ),
    Comparison(
        "place",
        "住地",
        ("village", "township", "county", "prefecture", "elsewhere"),
        # A mover a generation: most records of a person come from one county.
        (0.72, 0.09, 0.08, 0.05, 0.06),
        is_family=True,
        pooled=(
            ("within_township", ("village", "township")),
            ("within_county", ("village", "township", "county")),
            ("within_prefecture", ("village", "township", "county", "prefecture")),
            ("other_village", ("township", "county", "prefecture", "elsewhere")),
        ),
    ),
    Comparison("address", "住址门牌", ("equal", "differs"), (0.45, 0.55), is_family=True),
    Comparison("household", "户号", ("equal", "differs"), (0.88, 0.12), is_family=True),
    Comparison("other", "其他编号", ("equal", "differs"), (0.95, 0.05)),
)
"""Every comparison. A newcomer adds a line here and a function in `comparison.COMPARATORS`."""

BY_NAME = {comparison.name: comparison for comparison in MODEL}

IN_REGISTRY = 0.9
"""Prior share of right records whose person is on the left; estimated from the data."""

UNLISTED_RELATIVES = 0.03
"""Prior: a record may be of somebody of the same household who is not on the left (newborns, spouses from elsewhere)."""

NAMESAKES_AMONG_STRANGERS = 0.005
"""Prior: somebody who is not on the left bears name and birth date of somebody who is. By chance hardly anybody does;
one person under two registrations, and lists in which namesakes were taken for one another, are why it is not less."""

SECOND_RECORD = 0.006
"""A second record of one person in a source that should hold each person once (CHINESE_DATA D3: 0.3-0.8 %)."""


@dataclass(frozen=True)
class Model:
    """Rates by comparison and level, with their provenance. Immutable; `estimated` gives a new one."""

    rates: dict[str, tuple[float, ...]] = field(default_factory=lambda: {c.name: c.rates for c in MODEL})
    in_registry: float = IN_REGISTRY
    namesakes: float = NAMESAKES_AMONG_STRANGERS
    version: str = "prior-1"
    provenance: dict[str, Any] = field(default_factory=dict)

    def bits(self, comparison: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        """log2 of the rates by level number; level 0 (silent) is 0."""
        rates = np.array(self.rates[comparison])
        levels = BY_NAME[comparison].levels
        sums = [sum(rates[levels.index(part)] for part in parts) for _, parts in BY_NAME[comparison].pooled]
        rates = np.maximum(np.concatenate([rates, sums]), 1e-7)
        return np.concatenate([[0.0], np.log2(rates)]).astype(np.float32)

    def with_counts(
        self, counts: dict[str, np.ndarray[Any, Any]], in_registry: float, namesakes: float
    ) -> Model:
        """Rates re-estimated from (weighted) counts by level, held by the priors."""
        rates = dict(self.rates)
        for comparison in MODEL:
            seen = counts.get(comparison.name)
            if seen is None or seen[1:].sum() <= 0:
                continue
            prior = np.array(self.rates[comparison.name])
            seen = _shared_out(comparison, seen, np.array(self.rates[comparison.name]))
            found = (seen[1:] + comparison.strength * prior) / (seen[1:].sum() + comparison.strength)
            unclear = np.isin(comparison.levels, comparison.unclear)
            most = prior / prior[~unclear].sum() * found[~unclear].sum()
            for level, parts in comparison.twice:
                # Two slips in two characters, where each is made as often as is seen alone.
                alone = sum(found[comparison.levels.index(part)] for part in parts)
                place = comparison.levels.index(level)
                most[place] = max(most[place], (alone / 2) ** 2)
            found = np.where(unclear, np.minimum(found, most), found)
            rates[comparison.name] = tuple((found / found.sum()).tolist())
        return replace(self, rates=rates, in_registry=in_registry, namesakes=namesakes, version="estimated")

    def save(self, path: Path) -> None:
        """As YAML that a person can read."""
        levels = {c.name: c.levels for c in MODEL}
        body = {
            "version": self.version,
            "in_registry": round(self.in_registry, 6),
            "namesakes": round(self.namesakes, 6),
            "provenance": self.provenance,
            "rates": {
                name: {level: float(f"{rate:.6g}") for level, rate in zip(levels[name], rates, strict=True)}
                for name, rates in self.rates.items()
            },
        }
        path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Model:
        """The model of a file; ValueError when its levels are not ours."""
        body = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML)
        rates = {}
        for comparison in MODEL:
            given = body["rates"].get(comparison.name)
            if given is None or set(given) != set(comparison.levels):
                raise ValueError(
                    f"{path}: rates.{comparison.name} must have the levels {', '.join(comparison.levels)}"
                )
            rates[comparison.name] = tuple(float(given[level]) for level in comparison.levels)
        return cls(
            rates,
            float(body["in_registry"]),
            float(body["namesakes"]),
            str(body["version"]),
            body.get("provenance", {}),
        )


def _shared_out(
    comparison: Comparison, seen: np.ndarray[Any, Any], rates: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Counts by level (from 1) with those of pooled levels given to their parts in proportion."""
    n = len(comparison.levels)
    found = seen[: n + 1].astype(float)
    for number, (_, parts) in enumerate(comparison.pooled):
        places = [comparison.levels.index(part) + 1 for part in parts]
        share = rates[[p - 1 for p in places]]
        found[places] += seen[n + 1 + number] * share / share.sum()
    return found
