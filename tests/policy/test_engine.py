"""A night of rules: ids and deadlines that survive the night, order, unknowns, and rules that are off."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policy import engine
from policy.cases import Case, frames_of, read_cases
from policy.engine import Bench, Outcome, conclude, default_policy, run
from policy.repeats import REGISTER_SCHEMA, WARNING_SCHEMA
from policy.sources import weigh_sources
from policy.sql_file import ROOT, PolicyError
from policy.vocabulary import tables

NIGHT = date(2025, 11, 17)
FOLDER = Path(__file__).parent / "cases"


@cache
def all_sources() -> frozenset[str]:
    policy = default_policy()
    found = set()
    for rule in policy.rules.values():
        for part in policy.needs_of(rule):
            found |= {source for need in part.values() for source in need.sources}
    return frozenset(found)


def frames(given_rows, as_of=NIGHT):
    return frames_of(Case(name="x", as_of=as_of, given=given_rows, expect=[]), all_sources())


@cache
def everything() -> Mapping[str, pl.DataFrame]:
    """All cases of that night in one county: every case keeps to people of its own. Made once, and read-only."""
    merged: dict[str, list[pl.DataFrame]] = {}
    offset = 0
    for path in sorted([*FOLDER.glob("help_in/*.yaml"), *FOLDER.glob("check_out/*.yaml")]):
        for located in read_cases(path):
            if (
                located.case.as_of != NIGHT
                or located.case.parameters
                or "source_status" in located.case.given
            ):
                continue
            offset += 1000
            for name, frame in frames_of(located.case, all_sources()).items():
                if name == "source_status":
                    continue
                shifted = frame.with_columns(
                    [pl.col(c) + offset for c in frame.columns if "person_id" in c or c == "household_id"]
                    + [
                        pl.col(c) + f"-{offset}"
                        for c in ("case_id", "application_id", "row_key")
                        if c in frame.columns
                    ]
                )
                merged.setdefault(name, []).append(shifted)
    return MappingProxyType(
        {name: pl.concat(parts) for name, parts in merged.items()}
        | {"source_status": frames({})["source_status"]}
    )


@cache
def night() -> Outcome:
    return run(everything(), NIGHT, strict=True)


CAR = {
    "families": [{"household_id": 1, "members": [11]}],
    "cases": [{"case_id": "c1", "members": [11]}],
    "vehicle": [{"person_id": 11, "vehicle_id": "v1", "vehicle_type": "K33", "status": "A"}],
}


def test_every_rule_speaks_in_one_night():
    outcome = night()
    assert set(outcome.warnings["rule_id"].to_list()) == set(default_policy().rules)
    assert outcome.warnings.schema == WARNING_SCHEMA
    assert outcome.register.schema == REGISTER_SCHEMA
    on = outcome.rule_status.filter(pl.col("county_code").is_null())
    assert on["status"].to_list() == ["on"] * len(default_policy().rules)


def test_every_warning_has_household_reason_sources_expiry_and_a_place():
    warnings = night().warnings
    for column in (
        "warning_id",
        "household_id",
        "reason_zh",
        "evidence_json",
        "sources_json",
        "expires_on",
    ):
        assert warnings[column].null_count() == 0, column
    place = ["household_id", "county_code", "township_code"]
    homes = set(everything()["household"].select(place).rows())
    assert set(warnings.select(place).rows()) <= homes
    assert warnings["township_code"].null_count() < warnings.height / 10
    assert warnings["warning_id"].n_unique() == warnings.height
    assert warnings["warning_id"].str.contains(r"^W[0-9a-f]{15}$").all()
    for row in warnings.to_dicts():
        # Which class tells of an absence is for the county alone.
        is_away = row["rule_id"] == "N09" and "因故离家" in row["reason_zh"]
        assert ("数据截至：" in row["reason_zh"]) != is_away
        assert "{" not in row["reason_zh"]
        assert " " not in row["reason_zh"]
        assert "null" not in row["reason_zh"]
        assert json.loads(row["sources_json"])
        assert row["expires_on"] == NIGHT + timedelta(days=90)


def test_deadlines_are_working_days_by_level():
    by_level = {
        row["level"]: (row["visit_due_on"], row["close_due_on"]) for row in night().warnings.to_dicts()
    }
    expected = {
        "red": (date(2025, 11, 20), date(2025, 12, 1)),
        "orange": (date(2025, 11, 24), date(2025, 12, 8)),
        "yellow": (date(2025, 12, 1), date(2025, 12, 15)),
        "blue": (None, date(2025, 12, 31)),
    }
    assert {"red", "orange", "yellow"} <= set(by_level)
    assert by_level == {level: expected[level] for level in by_level}


def test_a_warning_keeps_its_id_and_its_deadline_the_next_night():
    first = run(frames(CAR), NIGHT, only=["X04"], strict=True)
    tomorrow = NIGHT + timedelta(days=1)
    second = run(frames(CAR, tomorrow), tomorrow, first.register, only=["X04"], strict=True)
    before, after = first.warnings.to_dicts()[0], second.warnings.to_dicts()[0]
    for column in ("warning_id", "raised_on", "visit_due_on", "close_due_on"):
        assert before[column] == after[column], column
    assert after["expires_on"] == tomorrow + timedelta(days=90)
    assert second.register["state"].to_list() == ["repeated"]
    other_car = CAR | {
        "vehicle": [{"person_id": 11, "vehicle_id": "v2", "vehicle_type": "K33", "status": "A"}]
    }
    third = run(frames(other_car, tomorrow), tomorrow, first.register, only=["X04"], strict=True)
    assert sorted(third.register["state"].to_list()) == ["expired", "new"]


def test_a_higher_level_counts_from_tonight_but_never_ends_later():
    dead = {
        "families": [{"household_id": 1, "members": [11]}],
        "cases": [{"case_id": "c1", "members": [11]}],
        "death": [{"person_id": 11, "death_date": date(2025, 8, 1), "death_source": "register"}],
        "assistance_payment": [
            {
                "person_id": 11,
                "case_id": "c1",
                "pay_month": "2025-09",
                "item": "1",
                "amount": 1,
                "pay_status": "1",
            }
        ],
    }
    first = run(frames(dead), NIGHT, only=["X01"], strict=True)
    assert first.warnings["visit_due_on"].to_list() == [date(2025, 11, 24)]
    dead["death"].append({"person_id": 11, "death_date": date(2025, 8, 1), "death_source": "cremation"})
    for day, due in ((date(2025, 11, 18), date(2025, 11, 21)), (date(2025, 11, 21), date(2025, 11, 24))):
        second = run(frames(dead, day), day, first.register, only=["X01"], strict=True)
        assert second.warnings["level"].to_list() == ["red"]
        assert second.warnings["raised_on"].to_list() == [NIGHT]
        assert second.warnings["visit_due_on"].to_list() == [due]
        assert second.register["state"].to_list() == ["changed"]


def test_one_rule_alone_gives_what_it_gives_among_all():
    whole = night().warnings
    for rule_id in ("N10", "X05"):
        alone = run(everything(), NIGHT, only=[rule_id], strict=True)
        assert alone.warnings.equals(whole.filter(rule_id=rule_id))
        assert alone.rule_status["rule_id"].unique().to_list() == [rule_id]


def test_rules_run_apart_and_concluded_are_the_whole_night():
    whole = night()
    book, priority = conclude(everything(), whole.warnings, whole.rule_status, NIGHT)
    assert book.equals(whole.register)
    assert priority.equals(whole.priority)


def test_parquet_files_and_folders_are_read_like_frames(tmp_path):
    views: dict[str, engine.View] = {}
    for name, frame in frames(CAR).items():
        if name == "vehicle":
            (tmp_path / name).mkdir()
            frame.write_parquet(tmp_path / name / "part.parquet")
            views[name] = tmp_path / name
        else:
            frame.write_parquet(tmp_path / f"{name}.parquet")
            views[name] = tmp_path / f"{name}.parquet"
    assert run(views, NIGHT, strict=True).warnings.equals(run(frames(CAR), NIGHT, strict=True).warnings)


def test_unknown_rules_and_tables_are_errors():
    with pytest.raises(ValueError, match="unknown rules"):
        run({}, NIGHT, only=["Z99"])
    with pytest.raises(ValueError, match="unknown tables"):
        run({"vehicles": pl.DataFrame()}, NIGHT, only=["X04"])


def test_without_sources_every_rule_is_off_and_says_so():
    outcome = run({}, NIGHT)
    assert outcome.warnings.is_empty()
    assert outcome.priority.is_empty()
    assert outcome.rule_status["status"].to_list() == ["off"] * len(default_policy().rules)
    assert outcome.rule_status["reason_zh"].str.contains("不代表没有问题").all()


def test_money_in_a_text_of_a_query_is_written_as_in_the_sentence_of_a_header():
    bench = Bench(default_policy(), {}, NIGHT, ())
    try:
        row = bench.connection.execute(
            "select yuan_zh(1234.5), yuan_zh(813), yuan_zh(1000.00), yuan_zh(0.004), yuan_zh(19512.01::decimal(18, 4)), yuan_zh(null)"
        ).fetchone()
    finally:
        bench.close()
    assert row == ("1234.50元", "813元", "1000元", "0元", "19512.01元", None)
    assert [
        f"{path.name}: {line.strip()}"
        for path in sorted(ROOT.rglob("*.sql"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "'0'), '.') || '元" in line
    ] == []


def test_an_expired_rule_is_off():
    day = date(2028, 1, 3)
    outcome = run(frames(CAR, day), day, only=["X04"])
    assert outcome.rule_status["status"].to_list() == ["off"]
    assert "到期" in outcome.rule_status["reason_zh"].item()


def test_deadlines_in_a_year_that_nobody_has_announced_count_monday_to_friday_and_say_so():
    day = date(2026, 12, 28)
    outcome = run(frames(CAR, day), day, only=["X04"], strict=True)
    row = outcome.warnings.to_dicts()[0]
    assert row["visit_due_on"] == date(2027, 1, 12)
    assert row["close_due_on"] == date(2027, 1, 26)
    said = outcome.rule_status.filter(pl.col("county_code").is_null()).get_column("reason_zh").item()
    assert "2027年节假日安排未公布，期限暂按周一至周五计" in said


def test_a_rule_that_fails_is_off_and_the_night_goes_on(monkeypatch):
    broken = engine.raised

    def raised(rule, rows, sources):
        if rule.id == "X04":
            raise rule.file.refuse("returned 1 rows without `reason_zh`")
        return broken(rule, rows, sources)

    monkeypatch.setattr(engine, "raised", raised)
    outcome = run(frames(CAR), NIGHT, only=["X04", "X06"])
    status = dict(
        outcome.rule_status.filter(pl.col("county_code").is_null()).select("rule_id", "status").iter_rows()
    )
    assert status == {"X04": "off", "X06": "on"}
    with pytest.raises(PolicyError):
        run(frames(CAR), NIGHT, only=["X04"], strict=True)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("household_id", None, "without `household_id`"),
        ("cause_key", None, "without `cause_key`"),
        ("vehicles", None, "without `reason_zh`"),
    ],
)
def test_a_row_without_household_cause_or_reason_is_refused(column, value, why):
    rule = default_policy().rules["X04"]
    rows = pl.DataFrame(
        {
            "household_id": [1],
            "case_id": ["c"],
            "cause_key": ["v"],
            "vehicles": [1],
            "vehicles_max": [0],
            "outside": [0],
            "outside_zh": [""],
            "limit_source": ["s"],
            "families_zh": ["车"],
            "newest_reg": ["日"],
            "registered_zh": ["日"],
            "limit_zh": ["限"],
            "category_zh": ["低保"],
        }
    )
    sources = engine.Sources(None, "", {})
    assert engine.raised(rule, rows, sources).height == 1
    with pytest.raises(PolicyError, match="twice"):
        engine.raised(rule, pl.concat([rows, rows]), sources)
    bad = pl.concat([rows.with_columns(pl.lit(value, dtype=rows.schema[column]).alias(column)), rows])
    frame = engine.raised(rule, bad, sources)
    with pytest.raises(PolicyError, match=why):
        engine.whole_rows(rule, frame, strict=True)
    kept, refused = engine.whole_rows(rule, frame, strict=False)
    assert (kept.height, refused) == (1, 1)


# ---- check-out reads certain links alone -------------------------------------------------------------------------


def test_check_out_sees_nobody_behind_a_link_below_grade_a():
    rows = {
        "vehicle": [
            {
                "person_id": 1,
                "link_grade": grade,
                "vehicle_id": str(grade),
                "vehicle_type": "K33",
                "status": "A",
            }
            for grade in ("A", "B", "C", "D", None)
        ]
    }
    policy = default_policy()
    bench = engine.Bench(policy, frames(rows), NIGHT, [policy.rules["X04"]])
    seen = {
        kind: bench.connection.execute(
            f"select vehicle_id from {kind}.vehicle where person_id is not null order by 1"
        ).fetchall()
        for kind in ("help_in", "check_out")
    }
    bench.close()
    assert seen == {"check_out": [("A",)], "help_in": [("A",), ("B",)]}


def downgrade(views):
    """The same night with every link one grade worse than certain."""
    vocabulary = tables()
    return {
        name: frame.with_columns(pl.lit("B").alias(grade) for grade in vocabulary[name].persons.values())
        for name, frame in views.items()
    }


def test_without_certain_links_nothing_is_checked():
    outcome = run(downgrade(everything()), NIGHT, strict=True)
    assert outcome.warnings.filter(list_kind="check_out").is_empty()
    assert not outcome.warnings.filter(list_kind="help_in").is_empty()


def test_help_in_and_check_out_never_mix():
    for row in night().priority.to_dicts():
        codes = {json.loads(row["parts_json"])[i]["part"][0] for i in range(row["signals"])}
        assert codes <= ({"X"} if row["list_kind"] == "check_out" else {"N", "P"})


# ---- order -------------------------------------------------------------------------------------------------------


def test_the_order_of_input_rows_does_not_change_a_byte():
    chance = random.Random(7)
    reference = night()
    for _ in range(2):
        mixed = {
            name: frame.sample(fraction=1, shuffle=True, seed=chance.randrange(10**6))
            for name, frame in everything().items()
        }
        again = run(mixed, NIGHT, strict=True)
        for name, frame in reference.frames().items():
            assert again.frames()[name].equals(frame), name
            assert again.frames()[name].write_json() == frame.write_json(), name


def test_priority_is_a_total_order_with_level_first():
    priority = night().priority
    rank = {"red": 4, "orange": 3, "yellow": 2, "blue": 1}
    homes = night().warnings.select("household_id", "county_code").unique("household_id")
    for _, part in priority.join(homes, on="household_id").group_by("list_kind", "county_code"):
        rows = part.sort("order_no").to_dicts()
        assert [row["order_no"] for row in rows] == list(range(1, len(rows) + 1))
        # Of the first night all wait since the same day.
        keys = [(-rank[row["level"]], -row["score"], row["household_id"]) for row in rows]
        assert keys == sorted(keys)


def test_the_score_is_the_sum_of_its_parts_and_each_has_a_reason():
    for row in night().priority.to_dicts():
        parts = json.loads(row["parts_json"])
        assert sum(float(part["points"]) for part in parts) == float(row["score"])
        assert all(part["reason_zh"] for part in parts)


# ---- the score ---------------------------------------------------------------------------------------------------


def test_three_yellow_signals_make_a_family_orange():
    rows = {
        "families": [{"household_id": 1, "members": [11]}],
        "cases": [{"case_id": "c1", "members": [11]}],
        "assistance_application": [
            {
                "person_id": 11,
                "application_id": "a",
                "accept_date": date(2025, 6, 1),
                "has_authorization": True,
            }
        ],
        "vehicle": CAR["vehicle"],
        "entity_role": [{"person_id": 11, "uscc": "u", "entity_type": "2", "role": "4", "status": "1"}],
    }
    two = run(frames(rows), NIGHT, strict=True).priority.filter(list_kind="check_out").to_dicts()
    assert [(row["level"], row["signals"]) for row in two] == [("yellow", 2)]
    # Ten points for each yellow signal, and three for the second: what has no ratio gets no points for one.
    assert float(two[0]["score"]) == 23.0
    assert two[0]["visit_due_on"] == date(2025, 12, 1)
    rows["financial_asset"] = [
        {
            "person_id": 11,
            "asset_kind": "bank",
            "asset_id": "b",
            "amount": 90000,
            "currency": "CNY",
            "query_date": date(2025, 10, 1),
            "result": "1",
        }
    ]
    three = run(frames(rows), NIGHT, strict=True).priority.filter(list_kind="check_out").to_dicts()
    assert [(row["level"], row["signals"]) for row in three] == [("orange", 3)]
    assert three[0]["visit_due_on"] == date(2025, 11, 24)


def test_structure_counts_for_help_and_not_for_checking():
    rows = {
        "families": [
            {
                "household_id": 1,
                "members": [
                    {"person_id": 11, "birth_date": date(1985, 1, 1)},
                    {"person_id": 12, "birth_date": date(2015, 1, 1)},
                    {"person_id": 13, "birth_date": date(1940, 1, 1)},
                ],
            }
        ],
        "household_edge": [
            {"person_id_a": 11, "person_id_b": 12, "kind": "parent_child", "confidence": "certain"}
        ],
        "cases": [{"case_id": "c1", "members": [11, 12, 13]}],
        "disability": [
            {
                "person_id": 13,
                "dis_type": "4",
                "dis_grade": "1",
                "issue_date": date(2010, 1, 1),
                "status": "1",
            }
        ],
        "vehicle": CAR["vehicle"],
        "medical_settlement": [
            {"person_id": 11, "settlement_id": "s", "settle_date": date(2025, 3, 1), "self_pay": 6000}
        ],
        "assistance_payment": [
            {
                "person_id": 11,
                "case_id": "c1",
                "pay_month": "2025-10",
                "item": "1",
                "amount": 1,
                "pay_status": "1",
            }
        ],
    }
    found = run(frames(rows), NIGHT, only=["N01", "X04"], strict=True).priority
    priority = {row["list_kind"]: row for row in found.to_dicts()}
    names = {
        kind: [p["part"].split(":")[0] for p in json.loads(row["parts_json"])]
        for kind, row in priority.items()
    }
    assert names == {
        "help_in": ["N01", "ratio", "child", "elder_80", "severe_disability", "single_parent"],
        "check_out": ["X04"],
    }
    # 20 for orange, 2 for a fifth over the limit, 2 + 4 + 4 + 4 for the family.
    assert float(priority["help_in"]["score"]) == 36.0


def test_an_answered_warning_is_not_in_the_order_of_visits():
    first = run(frames(CAR), NIGHT, only=["X04"], strict=True)
    told = CAR | {
        "outcome_return": [
            {
                "warning_id": first.warnings["warning_id"].item(),
                "result_code": "501",
                "visited_on": NIGHT,
                "rule_id": "X04",
            }
        ]
    }
    tomorrow = NIGHT + timedelta(days=1)
    second = run(frames(told, tomorrow), tomorrow, first.register, only=["X04"], strict=True)
    assert second.register["state"].to_list() == ["suppressed"]
    assert second.priority.is_empty()
    assert second.warnings.height == 1


# ---- unknown is not "no" -----------------------------------------------------------------------------------------


def facts() -> list[str]:
    return sorted(
        name
        for name, table in tables().items()
        if table.is_fact and name in everything() and name != "outcome_return"
    )


def known(warnings: pl.DataFrame) -> set[tuple[str, int, str]]:
    return {
        (r["rule_id"], r["household_id"], str(r["case_id"] or r["person_id"])) for r in warnings.to_dicts()
    }


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_rows_of_unknown_values_never_make_a_check(data):
    """Rows that name a person and say nothing else (all null) raise no check-out warning that was not there."""
    before = known(night().warnings.filter(list_kind="check_out"))
    views = dict(everything())
    for name in data.draw(st.lists(st.sampled_from(facts()), min_size=3, max_size=8, unique=True)):
        frame = views[name]
        table = tables()[name]
        keep = {*table.persons, *table.persons.values(), "source_class", "data_as_of"}
        # An empty leaving month is how a register says "still a member": a second row of a membership is no unknown.
        if name != "assistance_member" and data.draw(st.booleans()):
            keep.add("case_id")
        blank = frame.with_columns(
            [pl.lit(None, dtype=frame.schema[c]).alias(c) for c in frame.columns if c not in keep]
        ).with_columns((pl.int_range(pl.len()).cast(pl.String) + f"-{name}-blank").alias("row_key"))
        views[name] = pl.concat([frame, blank])
    after = known(
        run(views, NIGHT, only=[r for r in default_policy().rules if r[0] == "X"], strict=True).warnings
    )
    assert after <= before


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_a_value_that_becomes_unknown_never_makes_a_check(data):
    """Blanking the facts that weigh against a family (not those in its favour) takes warnings away, and adds none."""
    against = [
        "vehicle",
        "dwelling_title",
        "home_contract",
        "entity_role",
        "financial_asset",
        "death",
        "assistance_payment",
    ]
    name = data.draw(st.sampled_from([n for n in against if n in everything()]))
    frame = everything()[name]
    table = tables()[name]
    column = data.draw(
        st.sampled_from(
            [c for c in table.columns if c not in ("row_key", "asset_id", "obtained_by", "query_date")]
        )
    )
    views = dict(everything()) | {
        name: frame.with_columns(pl.lit(None, dtype=frame.schema[column]).alias(column))
    }
    # A death weighs against a family in the rule of the dead alone: who may still be alive is looked at by the others.
    rules = [r for r in default_policy().rules if (r == "X01" if name == "death" else r[0] == "X")]
    after = known(run(views, NIGHT, only=rules, strict=True).warnings)
    assert after <= known(night().warnings.filter(list_kind="check_out"))


@pytest.mark.parametrize("rule_id", ["N16", "N17"])
def test_rules_of_later_events_stay_on_whichever_one_source_of_events_is_late(rule_id):
    policy = default_policy()
    rule = policy.rules[rule_id]
    day = date(2025, 11, 17)
    needs, uses = policy.needs_of(rule)
    register = {source for need in needs.values() for source in need.sources}
    events = {source for need in uses.values() for source in need.sources} - register
    assert {"mi_settlement", "tx_iit_withholding", "dp_disability_cert", "re_ownership"} <= events
    assert register <= {"ca_assist_household", "ca_assist_member", "ca_application"}
    for late in sorted(events | register):
        status = pl.DataFrame(
            {"class_id": [*sorted(events | register)], "last_batch": [day] * len(events | register)}
        ).with_columns(
            status=pl.when(pl.col("class_id") == late).then(pl.lit("late")).otherwise(pl.lit("fresh"))
        )
        found = weigh_sources(policy, rule, status, day)
        assert (found.off_because is None) == (late in events), late
