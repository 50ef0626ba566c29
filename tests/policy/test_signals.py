"""An event is news on the night on which it becomes visible: checked against a slow twin, and on the edges."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.bench import Bench
from policy.case_tables import Case, frames_of
from policy.engine import default_policy, run
from policy.signals import FIRST_SEEN_SCHEMA, Memory, news, together
from policy.sources import Sources

FIRST = date(2025, 6, 1)
WINDOW = 90
ONE = {"dp_disability_cert": "2025-06-01"}
TWO = ONE | {"ps_death": "2025-06-01"}


def rows(events: list[tuple[int, date | None, bool]]) -> pl.DataFrame:
    """Events (person, day, left out) as the query returns them, in household 1."""
    schema = {
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "cause_key": pl.String(),
        "event_on": pl.Date(),
        "not_raised_zh": pl.String(),
    }
    told = [(1, person, f"c:{person}", day, "已纳入" if out else None) for person, day, out in events]
    return pl.DataFrame(told, schema=schema, orient="row")


class Night:
    """The memory of N02 from night to night."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.rule = default_policy().rules["N02"]
        case = Case(
            name="x", as_of=FIRST, given={"families": [{"household_id": 1, "members": [1]}]}, expect=[]
        )
        self.bench = Bench(default_policy(), frames_of(case, ()), FIRST, [self.rule])

    def close(self) -> None:
        self.bench.close()

    def __call__(self, as_of: date, events: list[tuple[int, date | None, bool]], dates=ONE) -> dict[int, str]:
        """Person -> why the event is news, of those that are raised."""
        self.bench.as_of = as_of
        kept, self.memory = news(self.rule, rows(events), self.memory, self.bench, Sources(None, "", dates))
        raised = kept.filter(pl.col("not_raised_zh").is_null())
        return dict(raised.select("person_id", "news_zh").iter_rows())


@pytest.fixture
def night():
    found = Night()
    yield found
    found.close()


class Twin:
    """The law as it is written, an event at a time."""

    def __init__(self) -> None:
        self.first: dict[int, date] = {}
        self.history: set[int] = set()
        self.classes: set[str] | None = None

    def __call__(self, as_of, events, dates):
        knows = self.classes is not None and set(dates) <= self.classes
        self.classes = (self.classes or set()) | set(dates)
        found = set()
        for person, day, left_out in events:
            if person not in self.first:
                self.first[person] = as_of
                if not knows:
                    self.history.add(person)
            recent = day is not None and as_of - timedelta(days=WINDOW) <= day <= as_of
            visible = person not in self.history and (as_of - self.first[person]).days <= WINDOW
            if not left_out and (recent or (visible and (day is None or day <= as_of))):
                found.add(person)
        return found


EVENT = st.tuples(
    st.integers(1, 6),
    st.none() | st.integers(-700, 30).map(lambda n: FIRST + timedelta(days=n)),
    st.booleans(),
)
NIGHTS = st.lists(
    st.tuples(
        st.integers(1, 80), st.lists(EVENT, max_size=6, unique_by=lambda e: e[0]), st.sampled_from([ONE, TWO])
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(NIGHTS)
def test_the_memory_does_what_the_law_says(nights):
    memory, twin, as_of = Night(), Twin(), FIRST
    try:
        for days, events, dates in nights:
            as_of += timedelta(days=days)
            assert set(memory(as_of, events, dates)) == twin(as_of, events, dates)
    finally:
        memory.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(EVENT, max_size=6, unique_by=lambda e: e[0]))
def test_the_first_night_never_raises_what_is_older_than_the_window(events):
    memory = Night()
    try:
        raised = memory(FIRST, events)
        assert set(raised) == {
            p for p, day, out in events if not out and day and FIRST - timedelta(days=WINDOW) <= day <= FIRST
        }
        # The next night brings nothing that the first did not, for what was visible then.
        again = memory(FIRST + timedelta(days=1), events)
        came_of_age = {p for p, day, _ in events if day == FIRST + timedelta(days=1)}
        assert set(again) <= set(raised) | came_of_age
    finally:
        memory.close()


OLD = FIRST - timedelta(days=400)


def test_an_old_event_that_becomes_visible_is_raised_until_its_window_ends(night):
    assert night(FIRST, []) == {}
    seen = FIRST + timedelta(days=1)
    assert night(seen, [(1, OLD, False)]) == {1: "发生较早，2025年6月2日首次在数据中看到"}
    assert set(night(seen + timedelta(days=WINDOW), [(1, OLD, False)])) == {1}
    assert night(seen + timedelta(days=WINDOW + 1), [(1, OLD, False)]) == {}


def test_an_event_within_the_window_is_raised_on_the_very_first_night(night):
    last, older = FIRST - timedelta(days=WINDOW), FIRST - timedelta(days=WINDOW + 1)
    assert night(FIRST, [(1, last, False), (2, older, False)]) == {1: "距今不超过90天"}


def test_an_event_that_disappears_and_comes_back_is_no_news(night):
    night(FIRST, [(1, OLD, False)])
    night(FIRST + timedelta(days=1), [])
    assert night(FIRST + timedelta(days=2), [(1, OLD, False)]) == {}


def test_an_event_without_a_day_is_news_when_it_becomes_visible_and_says_so(night):
    night(FIRST, [(1, None, False)])
    assert night(FIRST + timedelta(days=1), [(1, None, False), (2, None, False)]) == {
        2: "日期不详，2025年6月2日首次在数据中看到"
    }


def test_a_new_version_of_the_rule_floods_nobody(night):
    night(FIRST, [(1, OLD, False)])
    night(FIRST + timedelta(days=1), [(1, OLD, False), (2, OLD, False)])
    night.memory = Memory(
        night.memory.first_seen, night.memory.heard.with_columns(rule_version=pl.lit(1, dtype=pl.Int32()))
    )
    # 2 was news under the old version and stays so; 3 may only be there because the query is another one.
    third = [(1, OLD, False), (2, OLD, False), (3, OLD, False)]
    assert set(night(FIRST + timedelta(days=2), third)) == {2}
    assert set(night(FIRST + timedelta(days=3), [*third, (4, OLD, False)])) == {2, 4}


def test_the_first_delivery_of_a_class_floods_nobody(night):
    night(FIRST, [])
    assert night(FIRST + timedelta(days=1), [(1, OLD, False)], TWO) == {}
    assert set(night(FIRST + timedelta(days=2), [(1, OLD, False), (2, OLD, False)], TWO)) == {2}
    # A class that was there before and is not tonight changes nothing.
    assert set(night(FIRST + timedelta(days=3), [(2, OLD, False), (3, OLD, False)], ONE)) == {2, 3}
    assert set(night(FIRST + timedelta(days=4), [(4, OLD, False)], TWO)) == {4}


def test_what_nobody_has_seen_for_three_years_is_forgotten(night):
    night(FIRST, [(1, OLD, False)])
    night(FIRST + timedelta(days=3 * 366), [])
    assert night.memory.first_seen.height == 1
    night(FIRST + timedelta(days=3 * 366 + 1), [])
    assert night.memory.first_seen.height == 0


def test_memories_of_rules_lie_side_by_side():
    one = pl.DataFrame({"rule_id": ["N02"]}).with_columns(
        pl.lit(None).alias(c) for c in FIRST_SEEN_SCHEMA if c != "rule_id"
    )
    memory = Memory(one.select(FIRST_SEEN_SCHEMA.names()).cast(FIRST_SEEN_SCHEMA))
    assert memory.without(["N02"]).first_seen.is_empty()
    assert memory.of("N02").first_seen.height == together([memory, Memory()]).first_seen.height == 1


# ---- through the engine ------------------------------------------------------------------------------------------

CERTIFICATE = {"person_id": 11, "dis_type": "4", "dis_grade": "1", "issue_date": OLD, "status": "1"}
CLASSES = ["dp_disability_cert", "ca_assist_household", "ca_assist_member", "ps_death"]


def frames(as_of, certificates, **more):
    told = {"families": [{"household_id": 1, "members": [11]}], "disability": certificates, **more}
    return frames_of(Case(name="x", as_of=as_of, given=told, expect=[]), CLASSES)


def test_a_rule_that_is_off_forgets_nothing_and_sees_later_what_it_missed():
    late = [{"class_id": "dp_disability_cert", "status": "late", "last_batch": date(2025, 5, 1)}]
    first = run(frames(FIRST, []), FIRST, only=["N02"], strict=True)
    second_day, third_day = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
    off = run(
        frames(second_day, [CERTIFICATE], source_status=late),
        second_day,
        first.register,
        ["N02"],
        memory=first.memory,
    )
    assert off.rule_status["status"].to_list() == ["off"]
    assert off.memory.heard.equals(first.memory.heard)
    on = run(frames(third_day, [CERTIFICATE]), third_day, off.register, ["N02"], memory=off.memory)
    assert on.warnings["person_id"].to_list() == [11]
    assert "2025年6月3日首次在数据中看到" in on.warnings["reason_zh"][0]


def test_a_warning_keeps_its_id_and_is_repeated_as_any_other():
    memory, book, states, ids = Memory(), None, [], set()
    for day in range(4):
        as_of = FIRST + timedelta(days=day)
        outcome = run(
            frames(as_of, [CERTIFICATE] if day else []), as_of, book, ["N02"], memory=memory, strict=True
        )
        memory, book = outcome.memory, outcome.register
        states.append(book["state"].to_list())
        ids |= set(book["warning_id"])
    assert states == [[], ["new"], ["repeated"], ["repeated"]]
    assert len(ids) == 1


def test_what_is_left_out_says_why_and_is_no_warning():
    covered = {"cases": [{"case_id": "c1", "members": [11]}]}
    recent = CERTIFICATE | {"issue_date": FIRST}
    outcome = run(frames(FIRST, [recent], **covered), FIRST, only=["N02"], strict=True)
    assert outcome.warnings.is_empty()
    assert outcome.left_out.select("rule_id", "person_id", "why_zh").rows() == [
        ("N02", 11, "本人已纳入或可能已纳入低保、特困供养")
    ]


def test_the_memory_of_a_rule_that_does_not_run_stays_as_it_was():
    first = run(frames(FIRST, [CERTIFICATE]), FIRST, only=["N02"], strict=True)
    other = run(frames(FIRST, []), FIRST + timedelta(days=1), only=["X04"], memory=first.memory)
    assert other.memory.first_seen.equals(first.memory.first_seen)
    assert first.memory.first_seen["is_baseline"].to_list() == [True]
