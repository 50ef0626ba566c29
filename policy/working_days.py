"""Which days are working days in China, as dated data, and dates so many working days on.

The days stand in `public_holidays.yaml`, with the notice of each year. In a year without a notice Monday to Friday are
counted, but for the days that the regulation has off in every year, so that no warning is without a deadline; `knows` tells
the caller, who says so.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import polars as pl
import yaml
from pydantic import field_validator

from data_contracts.contract import YAML
from policy.sql_file import ROOT, Closed, Text

SATURDAY = 5


class Off(Closed):
    """A public holiday, both days included."""

    name: Text
    from_: date
    to: date


class Year(Closed):
    """One year's notice: days off, and weekend days on which work is made up."""

    source: Text
    evidence: Literal["published", "proxy"]
    days_off: list[Off]
    make_up: list[date]

    @field_validator("days_off", mode="before")
    @classmethod
    def _from_is_a_keyword(cls, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{("from_" if key == "from" else key): value for key, value in row.items()} for row in rows]


@dataclass(frozen=True)
class Calendar:
    """Working days of the years whose notice is known."""

    years: dict[int, Year]
    working: tuple[date, ...]
    every_year: frozenset[str]
    """Days (month-day) that are off in any year, whatever its notice moves."""

    def knows(self, day: date) -> bool:
        """Whether the notice of that year is known."""
        return day.year in self.years

    def is_working_day(self, day: date) -> bool:
        """Raises ValueError for a year without a notice."""
        if not self.knows(day):
            raise ValueError(f"{day.year}年放假安排未知")
        index = bisect_right(self.working, day)
        return index > 0 and self.working[index - 1] == day

    def counts(self, day: date) -> bool:
        """Whether the day counts for a deadline: a working day, or in a year without a notice Monday to Friday.

        A holiday by the calendar of the moon is not known there.
        """
        if self.knows(day):
            return self.is_working_day(day)
        return day.weekday() < SATURDAY and f"{day:%m-%d}" not in self.every_year

    def add(self, day: date, working_days: int) -> date:
        """The day that is so many working days after `day`, which itself does not count."""
        found, left = day, working_days
        while left > 0:
            found += timedelta(days=1)
            left -= self.counts(found)
        return found

    def due_dates(self, days: pl.Series, working_days: int) -> pl.Series:
        """`add` for every day of a column."""
        distinct = days.drop_nulls().unique().sort().to_list()
        return days.replace_strict(
            distinct, [self.add(day, working_days) for day in distinct], default=None, return_dtype=pl.Date()
        )


@cache
def calendar(path: Path = ROOT / "public_holidays.yaml") -> Calendar:
    """The calendar of the notices on file."""
    body = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML)
    years = {year: Year.model_validate(notice) for year, notice in body["years"].items()}
    working: list[date] = []
    for year in sorted(years):
        notice = years[year]
        off = {
            spell.from_ + timedelta(days=n)
            for spell in notice.days_off
            for n in range((spell.to - spell.from_).days + 1)
        }
        made_up = set(notice.make_up)
        day = date(year, 1, 1)
        while day.year == year:
            if day in made_up or (day.weekday() < SATURDAY and day not in off):
                working.append(day)
            day += timedelta(days=1)
    return Calendar(years, tuple(working), frozenset(body["every_year"]))
