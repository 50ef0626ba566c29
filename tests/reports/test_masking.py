"""What is left of a person when an output leaves."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from reports.masking import (
    COVERED,
    Gate,
    age_on,
    audiences,
    cover,
    cover_file_name,
    mask_name,
    mask_to_surname,
    persons_for,
)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张明", "张*"),
        ("张小明", "张*明"),
        ("欧阳小明", "欧阳*明"),
        ("巴特尔苏和", "巴特*和"),
        ("阿布力·买买提", "阿*·买*"),
        ("其", "*"),
        (" 张小明 ", "张*明"),
        ("", None),
        (None, None),
    ],
)
def test_a_name_keeps_what_tells_neighbours_apart(name, masked):
    frame = pl.DataFrame({"n": [name]}, schema={"n": pl.String})
    assert frame.select(mask_name(pl.col("n"))).to_series().to_list() == [masked]
    assert masked is None or masked != (name or "").strip()


def test_a_child_keeps_the_surname_only():
    frame = pl.DataFrame({"n": ["张小明", "张明", None]})
    assert frame.select(mask_to_surname(pl.col("n"))).to_series().to_list() == ["张**", "张**", None]


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        (date(2011, 11, 17), 14),
        (date(2011, 11, 18), 13),
        (date(2024, 2, 29), 1),
        (date(2026, 1, 1), None),
        (None, None),
    ],
)
def test_age_counts_full_years(birth, age):
    frame = pl.DataFrame({"b": [birth]}, schema={"b": pl.Date})
    assert frame.select(age_on(pl.col("b"), date(2025, 11, 17))).to_series().to_list() == [age]


def test_each_audience_sees_what_the_table_says():
    persons = pl.DataFrame(
        {
            "person_id": [2, 1, 3],
            "person_name": ["张小明", "李小芳", None],
            "sex": ["1", "2", None],
            "birth_date": [date(2011, 11, 18), date(1960, 1, 1), None],
        }
    )
    day = date(2025, 11, 17)
    assert persons_for("township", persons, day).rows() == [
        (1, "李*芳", "女", 65),
        (2, "张**", "男", 13),
        (3, "姓名不详", "不详", None),
    ]
    for audience in ("county", "audit", "department"):
        assert persons_for(audience, persons, day).columns == ["person_id"]


def test_every_mask_has_grounds():
    assert set(audiences()) == {"township", "county", "audit", "register", "department"}
    for body in audiences().values():
        assert body["why"]
        for rule in body["person"].values():
            assert rule["grounds"]
            assert rule["mask"] in {"part", "none", "hidden"}


@pytest.mark.parametrize(
    "raw",
    [
        "110105194912310021",
        "11010519491231002X",
        "11010519491231002x",
        "150902 198001 011234",
        "150902-19800101-1234",
        "1509 0219 8001 0112 34",
        "１５０９０２１９８００１０１１２３４",
        "150902800101123",
        "150902 800101 123",
        "13800000000",
        "139-0000-1234",
        "139 0000 1234",
    ],
)
def test_the_last_gate_covers_numbers_however_they_are_written(raw):
    gate = Gate()
    assert gate.text(f"号码{raw}。", "a page") == f"号码{COVERED}。"
    assert gate.text(raw, "a page") == COVERED
    assert [line.split("：")[0] for line in gate.attention()] == ["a page"]
    assert raw not in gate.attention()[0]


@pytest.mark.parametrize(
    "text",
    [
        "110105 1949",
        "H000000123",
        "W0123456789abcde",
        "金额1,234,567.00元",
        "13900001234.00",
        "2025-11-17 2025-11-18",
        "2025-11 2025-11-17 1234",
        "202511170101001",
        "150902003 2025-11-17",
        "0000000000000001",
        "ab110105194912310021",
    ],
)
def test_the_last_gate_lets_other_numbers_pass(text):
    assert cover(text) == (text, 0)


def test_every_long_run_of_digits_in_a_file_name_is_covered():
    assert cover_file_name("x6222020000000000000.csv") == (f"x{COVERED}.csv", 1)
    assert cover_file_name("ps_resident.full.txt") == ("ps_resident.full.txt", 0)
