"""A conflict that the engine answers leaves the conflict list with a note: whose number, whose record, since when."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from matching import explain, spine
from tests.matching import world

TOMORROW = world.FIRST_DAY + timedelta(days=1)


def with_a_relative_s_number() -> tuple[pl.DataFrame, dict[str, tuple[str, str]]]:
    """A county, and eight records with the number of another of the household (`world.with_relatives_numbers`)."""
    records = world.records(world.population(1200, 1), 1)
    given, numbers = world.with_relatives_numbers(records, 8)
    return pl.concat([records, given]).drop("true_person_id"), numbers


def test_an_answered_conflict_leaves_a_note() -> None:
    identities, numbers = with_a_relative_s_number()
    result = spine.resolve(identities, None, None, world.FIRST_DAY)
    answered = result.answered
    assert answered is not None
    assert answered.schema == spine.ANSWERED
    mine = answered.filter(pl.col("identity_key").is_in(list(numbers)))
    assert mine.height >= 5
    assert not set(mine["identity_key"]) & set(result.conflicts["identity_key"])
    number_of = dict(result.persons.select("person_id", "resident_id").rows())
    for key, person, linked in mine.select("identity_key", "person_id", "linked_to").rows():
        assert (number_of[linked], number_of[person]) == numbers[key]
    assert set(mine["pass_id"]) == {"MB"}
    said = explain.explain(mine["identity_key"][0], result.links, result.conflicts, answered)
    assert "归入人员 P" in said
    assert "曾有冲突（2025-11-17解决）：公民身份号码相同" in said
    assert "另一人的记录" in said
    assert not answered["reason_zh"].str.contains(r"\d{5}").any()


def test_the_note_keeps_its_day_and_goes_with_the_record() -> None:
    identities, numbers = with_a_relative_s_number()
    first = spine.resolve(identities, None, None, world.FIRST_DAY)
    second = spine.resolve(identities, spine.Spine.of(first.frames()), None, TOMORROW)
    assert second.answered is not None
    assert first.answered is not None
    assert second.answered.equals(first.answered)
    gone = identities.filter(~pl.col("identity_key").is_in(list(numbers)))
    third = spine.resolve(gone, second, None, TOMORROW + timedelta(days=1))
    assert third.answered is not None
    assert not set(third.answered["identity_key"]) & set(numbers)
    rebuilt = spine.resolve(identities, None, None, TOMORROW)
    assert rebuilt.answered is not None
    what = ["identity_key", "kind", "pass_id", "reason_zh"]
    assert rebuilt.answered.select(what).equals(second.answered.select(what))
