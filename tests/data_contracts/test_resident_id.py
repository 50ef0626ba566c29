"""The identity number against a slow and obvious second opinion."""

import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.resident_id import (
    are_numbers,
    birth_date_of,
    check_character,
    division_of,
    only_digits,
    only_these,
    resident_id_is_valid,
    sex_of,
    upgrade_15_to_18,
)


def obvious_check(body: str) -> str:
    """ISO 7064 MOD 11-2, written as the standard says it."""
    remainder = 0
    for digit in body:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def obvious_is_valid(text: str) -> bool:
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", text, flags=re.ASCII):
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return 1880 <= born.year <= 2100 and obvious_check(text[:17]) == text[17]


bodies = st.builds(
    lambda area, day, sequence: f"{area:06d}{day}{sequence:03d}",
    st.integers(0, 999_999),
    st.one_of(
        st.dates(date(1870, 1, 1), date(2110, 1, 1)).map(lambda d: d.strftime("%Y%m%d")),
        st.from_regex(r"\A[0-9]{8}\Z"),
    ),
    st.integers(0, 999),
)
numbers = st.one_of(
    bodies.map(lambda body: body + obvious_check(body)),
    st.builds(lambda body, last: body + last, bodies, st.sampled_from("0123456789X")),
    st.text(max_size=20),
    st.text(alphabet="0123456789Xx张 *", min_size=14, max_size=18),
)


def test_the_published_number_is_valid():
    assert resident_id_is_valid(pl.Series(["11010519491231002X"])).to_list() == [True]
    assert check_character(pl.Series(["11010519491231002"])).to_list() == ["X"]


@given(st.lists(st.one_of(st.none(), numbers), max_size=30))
def test_validity_agrees_with_the_obvious_definition(values):
    series = pl.Series("id", values, dtype=pl.String)
    expected = [None if v is None else obvious_is_valid(v) for v in values]
    assert resident_id_is_valid(series).to_list() == expected
    frame = series.to_frame().lazy().select(resident_id_is_valid(pl.col("id"))).collect()
    assert frame["id"].to_list() == expected


@given(st.lists(bodies, min_size=1, max_size=30))
def test_check_characters_agree_with_the_obvious_definition(values):
    expected = [obvious_check(v) for v in values]
    assert check_character(pl.Series(values)).to_list() == expected
    assert pl.select(check_character(pl.lit(pl.Series("x", values))))["x"].to_list() == expected


def test_slices_of_a_longer_column_are_read_at_their_own_place():
    series = pl.Series(["11010519491231002X", "11010519491231002x", "110105194912310021"])
    assert resident_id_is_valid(series.slice(1)).to_list() == [False, False]
    assert resident_id_is_valid(series.slice(0, 1)).to_list() == [True]


def test_a_birth_after_the_extract_is_not_valid():
    number = "150902202511170011"[:17]
    number += obvious_check(number)
    series = pl.Series([number])
    assert resident_id_is_valid(series, latest=date(2025, 11, 17)).to_list() == [True]
    assert resident_id_is_valid(series, latest=date(2025, 11, 16)).to_list() == [False]


def test_check_character_needs_seventeen_digits():
    assert (
        check_character(pl.Series(["1101051949123100", None, "张三", ""], dtype=pl.String)).to_list()
        == [None] * 4
    )


@pytest.mark.parametrize(
    ("number", "birth", "sex", "division"),
    [
        ("11010519491231002X", date(1949, 12, 31), "2", "110105"),
        ("150902800101123", date(1980, 1, 1), "1", "150902"),
        ("150902990101998", date(1899, 1, 1), "2", "150902"),
        ("150902198002301234", None, "1", "150902"),
        ("150902********1234", None, None, None),
        ("E12345678", None, None, None),
        (None, None, None, None),
    ],
)
def test_what_a_number_says(number, birth, sex, division):
    series = pl.Series("id", [number], dtype=pl.String)
    assert birth_date_of(series).to_list() == [birth]
    assert sex_of(series).to_list() == [sex]
    assert division_of(series).to_list() == [division]


def test_fifteen_digits_become_eighteen_and_nothing_else_changes():
    values = ["110105491231002", "150902990101998", "150902801301123", "11010519491231002X", "无", None]
    upgraded = upgrade_15_to_18(pl.Series("id", values))
    assert upgraded[0] == "11010519491231002X"
    assert upgraded[1].startswith("15090218990101998")
    assert resident_id_is_valid(upgraded).to_list() == [True, True, False, True, False, None]
    assert upgraded.to_list()[2:] == values[2:]


short = st.lists(
    st.one_of(st.none(), st.sampled_from(["1", "10", "9", "01", "甲", "", "12345", "1\x00"])), max_size=12
)


@given(short, st.sets(st.sampled_from(["1", "10", "01", "甲", "", "1234"])))
def test_only_these_agrees_with_membership(values, known):
    series = pl.Series("v", [None, *values], dtype=pl.String).slice(1)
    assert only_these(series, known) == all(value is None or value in known for value in values)


@given(
    st.lists(st.one_of(st.none(), st.from_regex(r"\A[0-9]{11,13}\Z"), st.just("15090200100a")), max_size=12)
)
def test_only_digits_agrees_with_the_pattern(values):
    series = pl.Series("v", values, dtype=pl.String)
    expected = all(v is None or re.fullmatch(r"[1-9][0-9]{11}", v, flags=re.ASCII) for v in values)
    assert only_digits(series, 12) == expected


@given(
    st.lists(
        st.one_of(
            st.none(), st.from_regex(r"\A[0-9]{4,13}\Z"), st.sampled_from(["12345\x00", "1234a", "00000"])
        ),
        max_size=8,
    )
)
def test_are_numbers_agrees_with_the_pattern(values):
    series = pl.Series("v", values, dtype=pl.String)
    expected = all(v is None or re.fullmatch(r"[0-9]{5,12}", v, flags=re.ASCII) for v in values)
    assert are_numbers(series) == expected
