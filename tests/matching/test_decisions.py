"""Decisions: which row counts, whom it is about after a rebuild, the doors they come by, and where they lie."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import opaque
from matching import decisions, journal, rekeying, spine
from tests.matching import world

N = ["150902197005010117", "150902197005010133", "", world.number("150902", date(1960, 1, 1), 1)]
DAYS = [world.FIRST_DAY + timedelta(days=i) for i in range(6)]
FIRST = world.identity(resident_id=N[0], person_name="王建国", village_code="150902100200")
SECOND = world.identity(resident_id=N[1], person_name="李四")
EARLIER = world.identity(resident_id=N[3], person_name="高平")
RELATIVE = world.identity(source_class="ag_subsidy_land", tier=3, resident_id=N[0], person_name="赵小花")
ROWS = [FIRST, SECOND, RELATIVE]


def row(**fields: Any) -> dict[str, Any]:
    base = {
        "identity_key": "x",
        "person_id": 1,
        "decision": "same",
        "who": "0417",
        "decided_on": DAYS[1],
    }
    return base | fields


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=decisions.SCHEMA)


def night(previous: spine.Spine | None, day: date, rows: list[Any], decided: Any) -> spine.SpineResult:
    return spine.resolve(world.frame(rows), previous, decided, day)


def owner(result: spine.Spine, identity: dict[str, Any]) -> int | None:
    found = result.links.filter(pl.col("identity_key") == identity["identity_key"])["person_id"]
    return found[0] if len(found) else None


def test_a_decision_is_about_the_same_person_after_a_rebuild_that_gives_other_ids() -> None:
    first = night(None, DAYS[0], ROWS, None)
    assert owner(first, FIRST) == 1
    decided = frame(row(identity_key=RELATIVE["identity_key"], person_id=1, person_key=FIRST["identity_key"]))
    assert owner(night(first, DAYS[1], ROWS, decided), RELATIVE) == 1
    # With somebody who comes first by number, everybody has another id.
    rebuilt = night(None, DAYS[3], [EARLIER, *ROWS], decided)
    assert owner(rebuilt, EARLIER) == 1
    assert owner(rebuilt, FIRST) == 2
    assert owner(rebuilt, RELATIVE) == 2
    assert owner(night(rebuilt, DAYS[4], [EARLIER, *ROWS], decided), RELATIVE) == 2


def test_without_a_key_of_the_person_a_rebuild_from_nothing_follows_nobody() -> None:
    decided = frame(row(identity_key=RELATIVE["identity_key"], person_id=1))
    rebuilt = night(None, DAYS[3], [EARLIER, *ROWS], decided)
    assert owner(rebuilt, RELATIVE) not in (1, 2)
    assert ("decisions about unknown persons", 1) in rebuilt.counts.rows()


def test_an_id_that_is_younger_than_the_decision_is_somebody_else() -> None:
    persons = pl.DataFrame(
        {"person_id": [1], "spine_key": ["node"], "absorbed_into": [None], "created_on": [DAYS[2]]},
        schema_overrides={"absorbed_into": pl.Int64},
    )
    gone = frame(row(person_key="nobody knows this record any more"))
    forced, forbidden, unknown = decisions.settled(gone, DAYS[5], persons)
    assert (forced.height, forbidden.height, unknown) == (0, 0, 1)
    later = gone.with_columns(pl.lit(DAYS[2]).alias("decided_on"))
    assert decisions.settled(later, DAYS[5], persons)[0].rows() == [("x", "node")]


def test_unsure_takes_back_what_was_said_under_another_id() -> None:
    owners = pl.DataFrame({"identity_key": ["k1", "k2"], "node": ["node", "node"]})
    said = frame(
        row(person_id=5, person_key="k1"),
        row(person_id=7, person_key="k2", decision="unsure", decided_on=DAYS[2]),
    )
    assert decisions.settled(said, DAYS[1], None, owners)[0].rows() == [("x", "node")]
    assert decisions.settled(said, DAYS[2], None, owners)[0].rows() == []


def test_of_one_day_the_last_entry_counts() -> None:
    said = frame(row(entry=1), row(decision="not_same", entry=2))
    assert decisions.in_force(said, DAYS[1])["decision"].to_list() == ["not_same"]
    turned = frame(row(entry=2), row(decision="not_same", entry=1))
    assert decisions.in_force(turned, DAYS[1])["decision"].to_list() == ["same"]


def slowly(rows: list[dict[str, Any]], as_of: date) -> tuple[set[Any], set[Any]]:
    """Row by row in order, as one would with pencil and paper."""
    last: dict[tuple[str, int], dict[str, Any]] = {}
    in_order = sorted(rows, key=lambda r: (r["decided_on"], r["entry"]))
    for one in in_order:
        if one["decided_on"] <= as_of:
            last.pop((one["identity_key"], one["person_id"]), None)
            last[one["identity_key"], one["person_id"]] = one
    same = {r["identity_key"]: r["person_id"] for r in last.values() if r["decision"] == "same"}
    no = {(r["identity_key"], r["person_id"]) for r in last.values() if r["decision"] == "not_same"}
    return set(same.items()), no


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(1, 3),
            st.sampled_from(decisions.ANSWERS),
            st.integers(0, 3),
        ),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_what_counts_against_pencil_and_paper_in_any_order_of_rows(told: list[Any], random: Any) -> None:
    rows = [
        row(identity_key=i, person_id=p, decision=d, decided_on=DAYS[n], entry=e)
        for e, (i, p, d, n) in enumerate(told)
    ]
    same, no = slowly(rows, DAYS[2])
    shuffled = random.sample(rows, len(rows))
    found = decisions.in_force(frame(*shuffled), DAYS[2])
    assert set(found.filter(pl.col("decision") == "same").select("identity_key", "person_id").rows()) == same
    assert (
        set(found.filter(pl.col("decision") == "not_same").select("identity_key", "person_id").rows()) == no
    )
    persons = pl.DataFrame(
        {"person_id": [1, 2, 3], "spine_key": ["n1", "n2", "n3"], "absorbed_into": [None] * 3},
        schema_overrides={"absorbed_into": pl.Int64},
    )
    forced, forbidden, unknown = decisions.settled(frame(*shuffled), DAYS[2], persons)
    assert set(forced.rows()) == {(i, f"n{p}") for i, p in same}
    assert set(forbidden.rows()) == {(i, f"n{p}") for i, p in no}
    assert unknown == 0


def test_reviewers_who_think_differently_are_listed_with_their_words() -> None:
    said = frame(
        row(who="A"),
        row(who="B", decision="not_same", decided_on=DAYS[2]),
        row(identity_key="y", who="A"),
        row(identity_key="y", who="B", decision="unsure", decided_on=DAYS[2]),
        row(identity_key="z", who="A"),
        row(identity_key="z", who="A", decision="not_same", decided_on=DAYS[2]),
        row(identity_key="v", who="A", person_id=1),
        row(identity_key="v", who="B", person_id=2),
    )
    found = decisions.disagreements(said, DAYS[3])
    assert [(i, p, f) for i, p, f in found.select("identity_key", "person_id", "in_force").rows()] == [
        ("v", 1, None),
        ("v", 2, "same"),
        ("x", 1, "not_same"),
    ]
    answers = found.filter(pl.col("identity_key") == "x")["answers"][0].to_list()
    assert [(a["who"], a["decision"]) for a in answers] == [("A", "same"), ("B", "not_same")]
    assert decisions.disagreements(said, DAYS[1])["identity_key"].to_list() == ["v", "v"]


def test_a_chain_of_same_that_ends_in_not_same_is_told_whole() -> None:
    said = frame(
        row(identity_key="c", person_key="a", person_id=3),
        row(identity_key="d", person_key="c", person_id=4),
        row(identity_key="d", person_key="a", person_id=3, decision="not_same", decided_on=DAYS[2]),
        row(identity_key="e", person_key="f", person_id=5),
        row(identity_key="e", person_key="g", person_id=6, decision="not_same"),
    )
    columns = ["identity_key", "person_key", "in_force"]
    found = decisions.disagreements(said, DAYS[3])
    assert found.select(columns).rows() == [("c", "a", "same"), ("d", "a", "not_same"), ("d", "c", "same")]
    assert decisions.disagreements(said, DAYS[1]).is_empty()


def test_a_chain_may_lead_through_the_person_to_whom_the_night_links_a_record() -> None:
    said = frame(
        row(identity_key="a", person_key="register", decision="not_same"),
        row(identity_key="c", person_key="a", person_id=2),
    )
    owners = [("register", 1, "A"), ("a", 2, "D"), ("c", 1, "B")]
    links = pl.DataFrame(owners, schema=["identity_key", "person_id", "grade"], orient="row")
    found = decisions.disagreements(said, DAYS[3], links)
    assert found["identity_key"].to_list() == ["a", "c"]
    assert decisions.disagreements(said, DAYS[3]).is_empty()
    # What is in review links nobody, and who was moved by the last word is no chain.
    waiting = links.with_columns(
        grade=pl.when(pl.col("identity_key") == "c").then(pl.lit("C")).otherwise("grade")
    )
    assert decisions.disagreements(said, DAYS[3], waiting).is_empty()
    moved = frame(
        row(identity_key="a", person_key="register"),
        row(identity_key="a", decision="not_same", decided_on=DAYS[2]),
    )
    assert decisions.disagreements(moved, DAYS[3], links).is_empty()


def test_decisions_of_earlier_versions_are_read_beside_new_ones() -> None:
    old = frame(row()).drop("person_key", "door", "entry")
    both = decisions.merged([old, frame(row(identity_key="y", door="review"))])
    assert both.schema == decisions.SCHEMA
    assert both.select("identity_key", "door").rows() == [("x", None), ("y", "review")]


# --- doors


def test_a_review_file_with_chinese_headers() -> None:
    table = pl.DataFrame(
        {
            "记录标识": ["a", "b", "c", "d", "e", None],
            "人员编号": ["P000000012", "13", "x", "14", "15", "16"],
            "判断": ["同一人", "不是同一人", "不确定", "", "也许", "同一人"],
            "审核日期": ["2025-11-18", None, None, None, None, "2025年11月18日"],
        }
    )
    taken = decisions.from_table(table, DAYS[2], "0417")
    assert taken.rows.select("identity_key", "person_id", "decision", "who", "decided_on", "door").rows() == [
        ("a", 12, "same", "0417", DAYS[1], "file"),
        ("b", 13, "not_same", "0417", DAYS[2], "file"),
    ]
    assert taken.problems == [
        "第4行：缺少人员编号。",
        "第6行：判断不明，请填 同一人、不是同一人 或 不确定。",
        "第7行：缺少记录标识。",
    ]
    assert decisions.in_force(taken.rows, DAYS[2]).height == 2


@pytest.mark.parametrize(
    ("fields", "fault"),
    [({"decided_on": "2025-12-31"}, "审核日期"), ({"who": ""}, "缺少审核人员")],
)
def test_a_row_from_the_future_or_from_nobody_is_left_out(fields: dict[str, str], fault: str) -> None:
    given_row = {"identity_key": "a", "person_id": "1", "decision": "same", "who": "0417"} | fields
    taken = decisions.from_table(pl.DataFrame([given_row]), DAYS[2])
    assert taken.rows.is_empty()
    assert len(taken.problems) == 1
    assert fault in taken.problems[0]


def test_a_file_that_is_no_review_file() -> None:
    taken = decisions.from_table(pl.DataFrame({"姓名": ["王建国"]}), DAYS[2])
    assert taken.rows.is_empty()
    assert taken.problems == ["缺少列：记录标识、判断、人员编号。"]
    assert "王建国" not in str(taken.problems)


def outcomes(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"warning_id": w, "result_code": code, "officer": "0421", "visited_on": DAYS[2]} for w, code in rows]
    )


def test_an_answer_601_is_a_decision_only_where_one_record_can_be_meant() -> None:
    links = pl.DataFrame(
        {
            "identity_key": ["p1", "tax1", "p2", "tax2", "tax2b", "med2"],
            "source_class": ["ps_resident", "tax", "ps_resident", "tax", "tax", "med"],
            "person_id": [1, 1, 2, 2, 2, 2],
            "grade": ["A"] * 6,
            "pass_id": ["P1"] * 6,
        }
    )
    evidence = pl.DataFrame(
        {
            "warning_id": ["W1", "W1", "W2", "W3", "W4"],
            "person_id": [1, 1, 2, 2, 1],
            "source_class": ["tax", "ps_resident", "tax", "med", "tax"],
        }
    )
    answers = outcomes(("W1", "601"), ("W2", "601"), ("W3", "602"), ("W5", "601"))
    decided, unclear = decisions.from_outcomes(answers, evidence, links, decisions.known_by(links))
    assert decided.select(
        "identity_key", "person_id", "decision", "who", "decided_on", "note", "door"
    ).rows() == [("tax1", 1, "not_same", "0421", DAYS[2], "601", "outcome_return")]
    assert decided["person_key"].to_list() == ["p1"]
    assert unclear.rows() == [("tax2", 2, "0421", DAYS[2]), ("tax2b", 2, "0421", DAYS[2])]


def test_a_person_is_known_by_a_certain_row_of_the_register() -> None:
    links = pl.DataFrame(
        {
            "identity_key": ["a", "b", "c", "d", "e"],
            "source_class": ["tax", "ps_resident", "ps_resident", "tax", "med"],
            "person_id": [1, 1, 1, 2, 2],
            "grade": ["A", "A", "A", "C", "B"],
            "pass_id": ["P1", "H", "P1", "P7", "P4"],
        }
    )
    assert decisions.known_by(links).rows() == [(1, "c"), (2, "e")]


# --- where they lie


def test_the_journal_only_grows_and_counts_its_entries(tmp_path: Path) -> None:
    first = journal.append(tmp_path, frame(row()), DAYS[1])
    body = (tmp_path / f"journal_{DAYS[1]}.jsonl").read_bytes()
    second = journal.append(tmp_path, frame(row(decision="not_same"), row(identity_key="y")), DAYS[1])
    assert (tmp_path / f"journal_{DAYS[1]}.jsonl").read_bytes().startswith(body)
    assert [*first["entry"], *second["entry"]] == [1, 2, 3]
    stored = journal.stored(tmp_path, DAYS[1])
    assert decisions.in_force(stored, DAYS[1]).select("identity_key", "decision").rows() == [
        ("x", "not_same"),
        ("y", "same"),
    ]
    assert (tmp_path / f"journal_{DAYS[1]}.jsonl").stat().st_mode & 0o077 == 0


def test_a_night_does_not_see_what_later_days_brought(tmp_path: Path) -> None:
    journal.append(tmp_path, frame(row(decided_on=DAYS[0])), DAYS[2])
    frame(row(identity_key="y")).write_parquet(tmp_path / f"outcome_batch_date={DAYS[3]}.parquet")
    frame(row(identity_key="z")).drop("entry").write_parquet(tmp_path / "by_hand.parquet")
    assert journal.stored(tmp_path, DAYS[1])["identity_key"].to_list() == ["z"]
    assert journal.stored(tmp_path, DAYS[2])["identity_key"].to_list() == ["x", "z"]
    assert sorted(journal.stored(tmp_path, DAYS[3])["identity_key"]) == ["x", "y", "z"]


def test_a_line_that_a_power_failure_cut_is_nothing_and_harms_nothing(tmp_path: Path) -> None:
    journal.append(tmp_path, frame(row()), DAYS[1])
    with (tmp_path / f"journal_{DAYS[1]}.jsonl").open("a") as file:
        file.write('{"identity_key": "torn", "pers')
    written = journal.append(tmp_path, frame(row(identity_key="y")), DAYS[1])
    assert sorted(journal.stored(tmp_path, DAYS[1])["identity_key"]) == ["x", "y"]
    assert written["entry"][0] > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"decided_on": "2025-99-99"},
        {"decided_on": 5},
        {"person_id": "1"},
        {"person_id": True},
        {"person_id": 1 << 70},
        {"decision": "perhaps"},
        {"who": None},
    ],
    ids=str,
)
def test_a_line_that_is_no_decision_is_told_and_hides_no_other(tmp_path: Path, wrong: dict[str, Any]) -> None:
    journal.append(tmp_path, frame(row()), DAYS[1])
    path = tmp_path / f"journal_{DAYS[1]}.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(json.loads(path.read_text()) | {"identity_key": "bad"} | wrong) + "\n")
    journal.append(tmp_path, frame(row(identity_key="y")), DAYS[1])
    found = journal.read(tmp_path, DAYS[1])
    assert sorted(found.rows["identity_key"]) == ["x", "y"]
    assert found.problems == [
        f"决定文件{path.name}：1行缺少记录、人员、答复、审核人员或有效日期，未采用，请更正。"
    ]


def test_reviewers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda n: journal.append(tmp_path, frame(row(identity_key=f"k{n}")), DAYS[1]), range(40))
        )
    stored = journal.stored(tmp_path, DAYS[1])
    assert sorted(stored["entry"]) == list(range(1, 41))
    assert stored["identity_key"].n_unique() == 40


def test_a_new_key_of_the_deployment_renames_record_and_person() -> None:
    key = opaque.Key("k" * 40)
    names = pl.DataFrame({"identity_key": ["x", "p"], "new_key": [key.opaque("x"), key.opaque("p")]})
    said = frame(row(person_key="p"), row(identity_key="kept", person_key="p"), row(identity_key="kept"))
    again = rekeying.decisions_again(said, names)
    assert again.select("identity_key", "person_key").sort(pl.all()).rows() == sorted(
        [(key.opaque("x"), key.opaque("p")), ("kept", key.opaque("p"))]
    )
