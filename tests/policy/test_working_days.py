"""Working days in China: holidays, make-up days, and years that nobody has announced."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from policy.working_days import calendar

DAYS = calendar()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 11, 17), True),  # a Monday
        (date(2025, 11, 15), False),  # a Saturday
        (date(2025, 10, 1), False),
        (date(2025, 10, 8), False),
        (date(2025, 9, 28), True),  # Sunday, made up
        (date(2025, 10, 11), True),  # Saturday, made up
        (date(2024, 2, 4), True),
        (date(2024, 2, 12), False),
        (date(2023, 1, 28), True),
        (date(2026, 2, 14), True),
        (date(2026, 2, 23), False),
        (date(2026, 9, 20), True),
    ],
)
def test_day(day, expected):
    assert DAYS.is_working_day(day) is expected


@pytest.mark.parametrize(("year", "days"), [(2023, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_working_days_of_a_year(year, days):
    assert sum(1 for day in DAYS.working if day.year == year) == days


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        (date(2025, 11, 17), 3, date(2025, 11, 20)),
        (date(2025, 11, 14), 1, date(2025, 11, 17)),  # Friday to Monday
        (date(2025, 11, 15), 1, date(2025, 11, 17)),  # from a Saturday too
        (date(2025, 9, 30), 3, date(2025, 10, 11)),  # over the National Day, with the Saturday made up
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # over New Year into a made-up Sunday
    ],
)
def test_so_many_working_days_on(day, count, due):
    assert DAYS.add(day, count) == due


def test_in_a_year_without_a_notice_monday_to_friday_count_and_the_year_is_not_known():
    # 1 January is a day off by the regulation on holidays, whatever a notice will say of the days around it.
    assert DAYS.add(date(2026, 12, 30), 5) == date(2027, 1, 7)
    assert DAYS.add(date(2022, 12, 30), 1) == date(2023, 1, 3)
    assert not DAYS.knows(date(2027, 1, 6))
    with pytest.raises(ValueError, match="2027"):
        DAYS.is_working_day(date(2027, 1, 4))


def test_a_column_of_days():
    days = pl.Series([date(2025, 11, 14), None, date(2025, 11, 17)])
    assert DAYS.due_dates(days, 1).to_list() == [date(2025, 11, 17), None, date(2025, 11, 18)]


def test_the_years_that_nights_reach_are_known():
    assert {2023, 2024, 2025, 2026} <= set(DAYS.years)
    assert DAYS.years[2026].evidence == "published"


@pytest.mark.parametrize(
    ("day", "days", "due"),
    [
        (
            date(2026, 2, 13),
            3,
            date(2026, 2, 25),
        ),  # over the Spring Festival: Saturday 14, then Tuesday and Wednesday
        (date(2026, 9, 18), 2, date(2026, 9, 21)),  # the Sunday that makes up for National Day counts
        (date(2024, 4, 28), 5, date(2024, 5, 8)),  # from a made-up Sunday over the Labour Day
        (
            date(2026, 12, 25),
            10,
            date(2027, 1, 11),
        ),  # into a year that nobody has announced: Monday to Friday
        (date(2027, 4, 30), 1, date(2027, 5, 3)),  # 1 and 2 May are a weekend there
        (date(2027, 9, 30), 1, date(2027, 10, 4)),
        (date(2024, 2, 8), 3, date(2024, 2, 19)),  # Friday, the made-up Sunday after the festival, Monday
        (date(2025, 1, 24), 3, date(2025, 2, 5)),  # a made-up Sunday, Monday, then the festival
        (date(2026, 2, 6), 10, date(2026, 2, 27)),
    ],
)
def test_deadlines_over_holidays(day, days, due):
    assert DAYS.add(day, days) == due


def test_every_holiday_is_near_its_year_and_every_make_up_day_is_a_weekend():
    for year, notice in DAYS.years.items():
        assert "号" in notice.source
        assert notice.evidence in {"published", "proxy"}
        assert len(notice.days_off) >= 6
        for spell in notice.days_off:
            assert spell.from_ <= spell.to < spell.from_ + timedelta(days=10)
            assert spell.from_.year == year
        assert all(day.weekday() >= 5 and day.year == year for day in notice.make_up)
