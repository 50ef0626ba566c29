"""Names of places: codes nest, nothing is listed twice, the sample prefecture is complete."""

from __future__ import annotations

import polars as pl

from data_contracts.places import COLUMNS, county_table, division_table, township_table, village_table


def test_one_row_a_village_and_codes_nest():
    table = division_table()
    assert tuple(table.columns) == COLUMNS
    assert table.height > 2669
    assert not table.select("county_code", "township_code", "village_code").is_duplicated().any()
    known = table.drop_nulls()
    assert known.height == 2669
    assert (known["village_code"].str.slice(0, 9) == known["township_code"]).all()
    assert (known["township_code"].str.slice(0, 6) == known["county_code"]).all()


def test_the_sample_prefecture_is_complete():
    assert county_table("1509").height == 11
    assert set(county_table("1509")["prefecture_zh"]) == {"乌兰察布市"}
    assert township_table("1509").height == 110
    assert set(village_table("1509")["township_code"]) == set(township_table("1509")["township_code"])


def test_counties_directly_under_a_province_show_the_province():
    assert county_table("110101").rows() == [("110101", "东城区", "北京市")]
    assert not county_table()["prefecture_zh"].is_in(["市辖区", "县"]).any()


def test_callers_cannot_spoil_the_table():
    table = division_table()
    table.insert_column(0, pl.lit("x").alias("spoilt"))
    assert tuple(division_table().columns) == COLUMNS
