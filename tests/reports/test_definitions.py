"""Definitions keep their promises: closed headers, columns as declared, a total order, nothing an audience may not see."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from night_fixture import D

from reports.definition import DefinitionError, outputs, parse, run
from reports.night import prepare, views

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = """/*---
id: sample
version: 1
title: {zh: 样例, en: Sample}
purpose: To be tested.
audience: county
sheet: 样例
jurisdiction: county_code
folder: county/{jurisdiction}
file: x_{place}.xlsx
order: [n]
columns:
  - {name: n, zh: 数}
---*/
select '150902' as county_code, n from numbers
"""


def test_there_are_definitions_and_each_file_has_a_golden():
    mains = {n for n, o in outputs().items() if o.definition.part_of is None}
    assert mains == {
        "list_help_in", "list_check_out", "county_overview", "quality_files", "monitored_register", "department_leads",
    }  # fmt: skip
    assert mains == {p.stem for p in GOLDEN.glob("*.txt")}


@pytest.mark.parametrize("name", sorted(outputs()))
def test_an_output_runs_on_its_audience_s_views(name, night):
    output = outputs()[name]
    seen = views(prepare(night, D), output.definition.audience, output.definition.list_kind)
    rows = run(output, seen, D)
    assert rows.columns == output.definition.returned
    assert rows.height > 0


@pytest.mark.parametrize("name", sorted(outputs()))
def test_headers_read_by_people_are_chinese(name):
    shown = outputs()[name].definition
    for words in [shown.title.zh, shown.sheet, *[c.zh for c in shown.columns]]:
        assert re.search(r"[\u4e00-\u9fff]", words)


def test_county_and_audit_views_hold_no_person_and_no_family(night):
    prepared = prepare(night, D)
    for audience in ("county", "audit"):
        for name, view in views(prepared, audience, None).items():
            forbidden = {"person_id", "household_id", "person_name", "name_zh", "resident_id", "birth_date"}
            assert not forbidden & set(view.columns), f"{audience}.{name}"


def test_a_list_sees_warnings_of_its_own_kind_only(night):
    prepared = prepare(night, D)
    for kind in ("help_in", "check_out"):
        seen = views(prepared, "township", kind)
        assert set(seen["listed"]["list_kind"]) == {kind}
        assert set(seen["family"]["list_kind"]) == {kind}
        assert "person_name" not in seen["person"].columns


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("purpose:", "porpose:", "porpose"),
        ("order: [n]", "order: [m]", "unknown"),
        ("id: sample", "id: other", "named as the output"),
        ("audience: county", "audience: township", "list kind"),
        ("file: x_{place}.xlsx\n", "", "a file has a folder"),
        (
            "audience: county\nsheet: 样例\njurisdiction: county_code",
            "audience: register\nsheet: 样例",
            "split by it",
        ),
    ],
)
def test_a_wrong_header_is_refused(old, new, says):
    assert old in SAMPLE
    with pytest.raises(DefinitionError, match=says):
        parse(SAMPLE.replace(old, new), "sample")


def test_rows_that_agree_in_the_declared_order_are_put_by_their_other_columns():
    output = parse(
        SAMPLE.replace("{name: n, zh: 数}", "{name: n, zh: 数}\n  - {name: m, zh: 量}").replace(
            "n from", "n, m from"
        ),
        "sample",
    )
    day = date(2025, 1, 1)
    numbers = pl.DataFrame({"n": [2, 1, 1, 1], "m": [0, 3, None, 1]})
    for rows in (numbers, numbers.reverse()):
        assert run(output, {"numbers": rows}, day).select("n", "m").rows() == [
            (1, 1),
            (1, 3),
            (1, None),
            (2, 0),
        ]


def test_a_query_that_gives_other_columns_is_refused():
    output = parse(SAMPLE.replace("n from numbers", "n, 1 as more from numbers"), "sample")
    with pytest.raises(DefinitionError, match="promised"):
        run(output, {"numbers": pl.DataFrame({"n": [1]})}, date(2025, 1, 1))


def test_a_definition_like_another_says_only_what_differs():
    own = "/*---\nid: twin\nlike: sample\nlist_kind: help_in\nsheet: 双份\n---*/\n"
    text = SAMPLE.replace("n from numbers", "n from numbers where kind = $list_kind")
    twin = parse(own, "twin", {"sample": text})
    assert (twin.definition.sheet, twin.definition.purpose) == ("双份", "To be tested.")
    numbers = pl.DataFrame({"n": [1, 2], "kind": ["help_in", "check_out"]})
    assert run(twin, {"numbers": numbers}, date(2025, 1, 1))["n"].to_list() == [1]
    for wrong in (own + "select 1", own.replace("like: sample", "like: nobody")):
        with pytest.raises(DefinitionError, match="like"):
            parse(wrong, "twin", {"sample": text})


def test_both_lists_and_both_overviews_rest_on_one_query_each():
    found = outputs()
    for part in ("", "_items", "_members"):
        help_in, check_out = found[f"list_help_in{part}"], found[f"list_check_out{part}"]
        assert help_in.query == check_out.query
        assert (help_in.definition.list_kind, check_out.definition.list_kind) == ("help_in", "check_out")
    assert found["county_overview"].query == found["county_overview_check"].query


def test_places_on_a_list_count_from_one_in_each_township(night):
    families = prepare(night, D).families
    for _, own in families.group_by("list_kind", "jurisdiction"):
        assert own["row_no"].to_list() == list(range(1, own.height + 1))
    assert families["household_no"].to_list() == [f"H{number:09d}" for number in families["household_id"]]


def test_a_fresh_source_does_not_say_its_date_twice(night):
    overview = views(prepare(night, D), "county", None)
    told = overview["source"].with_columns(note_zh=pl.lit("数据截至2025-11-17"))
    rows = run(outputs()["county_overview_sources"], overview | {"source": told}, D)
    fresh = rows.filter(pl.col("status_zh") == "正常")
    assert fresh.height > 0
    assert set(fresh["note_zh"]) == {""}
    assert set(rows.filter(pl.col("status_zh") != "正常")["note_zh"]) == {"数据截至2025-11-17"}
