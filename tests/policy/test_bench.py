"""The bench gives up what nothing to come reads, and says the same as if it had kept everything."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from policy import bench
from policy.bench import Bench
from policy.cases import Case, frames_of
from policy.engine import default_policy

DAY = date(2025, 11, 17)


def rules(*ids: str):
    return [default_policy().rules[name] for name in ids]


def an_empty_county() -> dict:
    return frames_of(Case(name="x", as_of=DAY, given={}, expect=[]), frozenset())


def test_a_measure_stays_as_long_as_a_rule_to_come_reads_it():
    kept, first, later = rules("N09", "N16", "N10")
    place = Bench(default_policy(), an_empty_county(), DAY, [kept, first, later])
    try:
        place.make_measures(kept, "help_in")
        assert {"recorded_income", "earner_lost", "known_death"} <= place.made["help_in"]
        place.release([first, later])
        # What hardship events are made from stays; what only earners were made from goes.
        assert {"earner_lost", "known_death"} <= place.made["help_in"]
        assert "recorded_income" not in place.made["help_in"]
        place.release([later])
        assert "earner_lost" not in place.made["help_in"]
        assert "known_death" in place.made["help_in"]
        present = {
            row[0] for row in place.connection.execute("select table_name from duckdb_tables()").fetchall()
        }
        assert "earner_lost" not in present
        assert "known_death" in present
    finally:
        place.close()


def test_what_was_given_up_is_made_again_when_asked_for():
    (rule,) = rules("N09")
    place = Bench(default_policy(), an_empty_county(), DAY, [rule])
    try:
        before = place.rows(rule, "help_in")
        place.release(())
        assert "earner_lost" not in place.made["help_in"]
        assert place.rows(rule, "help_in").equals(before)
        assert "earner_lost" in place.made["help_in"]
    finally:
        place.close()


def test_published_measures_stay_until_their_rows_are_out():
    (rule,) = rules("N10")
    place = Bench(default_policy(), an_empty_county(), DAY, [rule])
    try:
        place.make_measures(rule, "help_in")
        place.release(())
        published = {name for name, m in default_policy().measures.items() if m.header.published}
        wanted = published & {m.id for m in default_policy().measures_of(rule)}
        assert "household_income" in wanted
        assert set(place.publish()) == wanted
        assert not published & place.made["help_in"]
    finally:
        place.close()


def test_what_does_not_fit_goes_to_a_folder_that_ends_with_the_bench(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "TEMP_DIRECTORY", tmp_path)
    monkeypatch.setattr(bench, "MEMORY_LIMIT", "64MB")
    # Frames that are not in memory yet may be of any size, as files are: such a bench has a DuckDB of its own.
    unread = {"household": pl.LazyFrame({"household_id": [1]})}
    place = Bench(default_policy(), unread, DAY, [])
    try:
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        # 160 MB of rows that do not compress.
        place.connection.execute(
            "create temp table big as select hash(i) as a, hash(i + 1) as b from range(10000000) r(i)"
        )
        assert sum(f.stat().st_size for f in Path(folder).iterdir()) > 0
        assert place.connection.execute("select count(*) from big").fetchone() == (10_000_000,)
    finally:
        place.close()
    assert not list(tmp_path.iterdir())


def test_small_benches_share_a_duckdb_and_see_nothing_of_one_another():
    """Two at once with other rows under the same names; of a bench that is closed, or that could not be made, nothing is left."""

    def databases() -> int:
        (number,) = bench._shared().cursor().execute("select count(*) from duckdb_databases()").fetchone()
        return number

    def of(person: int):
        given = {"vehicle": [{"person_id": person, "vehicle_id": f"v{person}"}]}
        return frames_of(Case(name="x", as_of=DAY, given=given, expect=[]), frozenset())

    before = databases()
    first, second = (Bench(default_policy(), of(person), DAY, rules("X04")) for person in (11, 12))
    try:
        assert databases() == before + 2
        assert first.frame("vehicle")["vehicle_id"].to_list() == ["v11"]
        assert second.frame("vehicle")["vehicle_id"].to_list() == ["v12"]
        first.make_measures(rules("X04")[0], "check_out")
        assert first.made["check_out"]
        assert second.made["check_out"] == set()
        made = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'check_out'"
        assert {name for (name,) in first.connection.execute(made, [first.name]).fetchall()} == first.made[
            "check_out"
        ]
        assert second.connection.execute(made, [second.name]).fetchall() == []
    finally:
        first.close()
        second.close()
    with pytest.raises(ValueError, match="unknown tables"):
        Bench(default_policy(), {"no_such_table": pl.DataFrame()}, DAY, [])
    assert databases() == before


def test_what_the_score_alone_reads_is_not_laid_out_where_it_is_not_asked_for():
    (rule,) = rules("X04")
    laid = []
    for is_scored in (True, False):
        place = Bench(default_policy(), an_empty_county(), DAY, [rule], is_scored=is_scored)
        try:
            found = place.connection.execute(
                "select schema_name, view_name from duckdb_views() where database_name = ?", [place.name]
            )
            laid.append({tuple(row) for row in found.fetchall() if not row[1].startswith("duckdb")})
            said = place.rows(rule, rule.list_kind)
            assert said.is_empty()
        finally:
            place.close()
    assert {kind for kind, _ in laid[0]} >= {"help_in", "check_out"}
    assert "help_in" not in {kind for kind, _ in laid[1]}
    assert {name for kind, name in laid[1] if kind == "check_out"} >= {"vehicle", "assistance_case"}


def test_whom_a_link_under_review_may_mean_is_seen_by_help_in_alone():
    grants = [
        {"person_id": 10 + n, "link_grade": grade, "grant_date": DAY}
        for n, grade in enumerate(("A", "B", "C", "D"))
    ]
    given = frames_of(Case(name="x", as_of=DAY, given={"temporary_relief": grants}, expect=[]), frozenset())
    place = Bench(default_policy(), given, DAY, rules("N15", "X13"))
    try:
        seen = {
            kind: place.connection.execute(
                f"select person_id, possible_person_id from {kind}.temporary_relief order by row_key"
            ).fetchall()
            for kind in ("help_in", "check_out")
        }
    finally:
        place.close()
    assert seen == {
        "help_in": [(10, None), (11, None), (None, 12), (None, None)],
        "check_out": [(10, None), (None, None), (None, None), (None, None)],
    }
