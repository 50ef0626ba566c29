"""The queue of grey pairs, and what of a pair is shown."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import decisions, review, spine
from tests.matching import world

DAY = world.FIRST_DAY
NEXT = DAY + timedelta(days=1)


def links(*rows: tuple[str, str, int, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "identity_key": i,
                "source_class": c,
                "role": "self",
                "person_id": p,
                "grade": g,
                "pass_id": passed,
                "reason_zh": "因为",
                "linked_on": DAY,
            }
            for i, c, p, g, passed in rows
        ],
        schema=spine.LINKS,
    )


def conflicts(*rows: tuple[str, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"identity_key": i, "person_id": p, "kind": "name", "reason_zh": "矛盾", "since": DAY}
            for i, p in rows
        ],
        schema=spine.CONFLICTS,
    )


def weighed(*rows: tuple[str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"identity_key": i, "person_id": p, "probability": q, "margin": 2.0, "reasons_zh": "比较"}
            for i, p, q in rows
        ],
        schema={
            "identity_key": pl.String,
            "person_id": pl.Int64,
            "probability": pl.Float64,
            "margin": pl.Float64,
            "reasons_zh": pl.String,
        },
    )


PERSONS = [(f"r{p}", "ps_resident", p, "A", "P1") for p in range(1, 8)]
GREY = [("c1", "tax", 1, "C", "MC"), ("c2", "tax", 2, "C", "MC"), ("c3", "tax", 3, "C", "P7")]
WEIGHED = weighed(("c1", 1, 0.9), ("c2", 2, 0.52), ("below", 4, 0.12))


def the_queue(**options: Any) -> list[str]:
    given_options: dict[str, Any] = {"as_of": NEXT, "weighed": WEIGHED} | options
    found = review.queue(links(*PERSONS, *GREY), conflicts(("x", 5), ("nobody", None)), **given_options)
    assert found.schema == review.QUEUE
    return found["identity_key"].to_list()


def test_the_most_doubtful_comes_first_and_certain_links_do_not_come() -> None:
    # 0.52; a pass without a weight counts as one half; conflicts 0.3; 0.12; 0.9.
    assert the_queue() == ["c3", "c2", "x", "below", "c1"]


def test_of_equally_doubtful_ones_the_household_on_a_list_comes_first() -> None:
    assert the_queue(warned=pl.Series([2, 1])) == ["c2", "c3", "x", "below", "c1"]


def test_what_an_officer_answered_comes_before_everything() -> None:
    answered = pl.DataFrame({"identity_key": ["q"], "person_id": [6], "who": ["0421"], "decided_on": [DAY]})
    assert the_queue(answered=answered)[0] == "q"


def said(identity: str, person: int, answer: str, who: str = "0417", note: str | None = None) -> pl.DataFrame:
    pair = {"identity_key": identity, "person_id": person, "person_key": f"r{person}"}
    return review.as_decision(pair, answer, who, NEXT, note).with_columns(
        pl.lit(1, dtype=pl.Int64).alias("entry")
    )


@pytest.mark.parametrize("answer", ["same", "not_same"])
def test_what_is_decided_is_not_asked_again_by_whomever(answer: str) -> None:
    assert "c2" not in the_queue(decided=said("c2", 2, answer), reviewer="0418")
    # Not before its day.
    assert "c2" in the_queue(decided=said("c2", 2, answer), as_of=DAY)


def test_a_decision_counts_although_the_person_has_another_id_by_now() -> None:
    decided = said("c2", 2, "same").with_columns(pl.lit(99, dtype=pl.Int64).alias("person_id"))
    assert "c2" not in the_queue(decided=decided)


def test_who_was_unsure_is_not_asked_again_others_are_at_the_end() -> None:
    unsure = said("c2", 2, "unsure")
    assert "c2" not in the_queue(decided=unsure, reviewer="0417")
    assert the_queue(decided=unsure, reviewer="0418")[-1] == "c2"
    undone = said("c2", 2, "unsure", note=decisions.UNDONE)
    assert "c2" in the_queue(decided=undone, reviewer="0417")


def test_a_person_who_is_known_by_the_record_alone_is_no_pair() -> None:
    alone = links(("only", "tax", 9, "C", "MC"))
    assert review.queue(alone, conflicts(), as_of=NEXT).is_empty()


def test_the_order_does_not_depend_on_the_order_of_rows() -> None:
    everything = links(*PERSONS, *GREY)
    first = review.queue(everything, conflicts(("x", 5)), as_of=NEXT, weighed=WEIGHED)
    again = review.queue(everything.reverse(), conflicts(("x", 5)), as_of=NEXT, weighed=WEIGHED.reverse())
    assert first.equals(again)
    assert first.filter(pl.col("identity_key") == "c2").row(0, named=True) == {
        "identity_key": "c2",
        "person_id": 2,
        "person_key": "r2",
        "kind": "review",
        "probability": 0.52,
        "margin": 2.0,
        "reason_zh": "比较",
        "has_warnings": False,
        "said_unsure": 0,
    }


# --- what is shown


def both(field: review.Field) -> tuple[str, str, str]:
    return review.shown(field.person), review.shown(field.record), field.verdict


def test_differing_characters_of_names_are_marked() -> None:
    assert both(review.compared("姓名", "王建国", "王建囯")) == ("王建[国]", "王建[囯]", "near")
    assert both(review.compared("姓名", "王建国", "王国")) == ("王[建]国", "王国", "near")
    assert both(review.compared("姓名", "王建国", " 王建国 ")) == ("王建国", "王建国", "equal")
    assert both(review.compared("姓名", "王建国", None)) == ("王建国", "", "")
    assert both(review.compared("出生日期", "1970-05-01", "1971-05-10")) == (
        "197[0]-05-[01]",
        "197[1]-05-[10]",
        "near",
    )


def test_of_numbers_only_the_few_places_that_differ_are_shown() -> None:
    def number(a: str | None, b: str | None) -> tuple[str, str, str]:
        return both(review.compared("证件号码", a, b, is_hidden=True))

    a = "150902197005010117"
    assert number(a, a) == ("*" * 18, "*" * 18, "equal")
    assert number(a, "150902197005010171") == ("*" * 16 + "[17]", "*" * 16 + "[71]", "near")
    assert number(a, "150902********0117") == ("*" * 18, "*" * 18, "fits")
    assert number(a, None) == ("*" * 18, "", "")
    left, right, verdict = number(a, "510681198811223344")
    assert verdict == "differs"
    assert not any(c.isdigit() for c in left + right)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text("0123456789X*", max_size=19), st.text("0123456789X*", max_size=19))
def test_a_hidden_value_never_shows_more_than_a_few_places(a: str, b: str) -> None:
    field = review.compared("证件号码", a, b, is_hidden=True)
    for side, value in ((field.person, a), (field.record, b)):
        text = "".join(piece for piece, _ in side)
        assert len(text) == len(value)
        assert sum(c != "*" for c in text) <= review.MOST_SHOWN
        assert all(c in ("*", v) for c, v in zip(text, value, strict=True))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text("王建国伟A·", max_size=6), st.text("王建国伟A·", max_size=6))
def test_pieces_put_together_are_the_value(a: str, b: str) -> None:
    left, right = review.spans(a, b)
    assert "".join(t for t, _ in left) == a
    assert "".join(t for t, _ in right) == b
    assert [t for t, d in left if not d] == [t for t, d in right if not d]


def test_a_card_says_what_there_is_in_words() -> None:
    person = {
        "person_name": "王建国",
        "former_names": ["王小狗"],
        "sex": "1",
        "birth_date": date(1970, 5, 1),
        "resident_id": "150902197005010117",
        "village_code": "150902100200",
    }
    record = world.identity(
        person_name="王建囯", age=54, as_of=DAY, village_code="150902100201", phone="13812345678", sex="1"
    )
    pair = {"kind": "conflict", "probability": 0.4, "margin": 3.25, "reason_zh": "甲；乙", "said_unsure": 1}
    card = review.card(
        pair, person, record, source_zh="医保", villages={"150902100200": "一村", "150902100201": "二村"}
    )
    lines = {f.label: both(f) for f in card.fields}
    assert lines["曾用名"] == ("王小狗", "", "")
    assert lines["性别"] == ("男", "男", "equal")
    assert lines["出生日期"] == ("1970-05-01", "", "")
    assert lines["年龄"] == ("5[5]岁", "5[4]岁", "near")
    assert lines["村（居）"] == ("[一]村", "[二]村", "near")
    assert lines["联系电话"] == ("", "*" * 11, "")
    assert card.reasons == ("甲；", "乙；", "比次优候选多3.2比特。")
    assert (card.kind_zh, card.source_zh, card.said_unsure) == ("号码一致而其他信息矛盾", "医保", 1)
