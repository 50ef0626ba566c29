"""What happens to persons over nights, and human decisions, which outrank the passes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from matching import decisions, explain, spine
from tests.matching import world

N = ["150902197005010117", "150902197005010133", "152601195502030178"]
DAYS = [world.FIRST_DAY + timedelta(days=i) for i in range(5)]
REGISTERED = world.identity(resident_id=N[0], person_name="王建国", village_code="150902100200")
INSURED = world.identity(source_class="mi_enrolment", tier=2, resident_id=N[0], person_name="王建国")
TAXED = world.identity(
    source_class="tx_iit_withholding", tier=2, resident_id=N[0], person_name="王建国", phone="13812345678"
)
OTHER = world.identity(resident_id=N[1], person_name="李四")
RELATIVE = world.identity(source_class="ag_subsidy_land", tier=3, resident_id=N[0], person_name="赵小花")


def night(
    previous: spine.Spine | None, number: int, *rows: dict[str, Any], decided: Any = None
) -> spine.SpineResult:
    return spine.resolve(world.frame(list(rows)), previous, decided, DAYS[number])


def events(result: spine.SpineResult) -> list[tuple[str, int, int | None]]:
    return list(result.events.select("event", "person_id", "other_person_id").iter_rows())


def owner(result: spine.Spine, row: dict[str, Any]) -> int | None:
    found = result.links.filter(pl.col("identity_key") == row["identity_key"])["person_id"]
    return found[0] if len(found) else None


def decision(
    row: dict[str, Any], person: int, answer: str, on: date = DAYS[1], who: str = "王审核"
) -> dict[str, Any]:
    return {
        "identity_key": row["identity_key"],
        "person_id": person,
        "decision": answer,
        "who": who,
        "decided_on": on,
        "note": None,
    }


def test_a_provisional_person_is_confirmed_by_the_register_and_keeps_the_id() -> None:
    first = night(None, 0, INSURED)
    assert events(first) == [("create", 1, None)]
    assert first.persons.row(0, named=True)["is_provisional"]
    second = night(first, 1, INSURED, REGISTERED)
    assert events(second) == [("absorb", 1, None)]
    person = second.persons.row(0, named=True)
    assert (person["person_id"], person["is_provisional"], person["is_registered"]) == (1, False, True)
    assert (person["created_on"], person["resident_id"], person["birth_date"]) == (
        DAYS[0],
        N[0],
        date(1970, 5, 1),
    )
    assert person["village_code"] == "150902100200"


def test_ids_are_minted_by_number_not_by_row() -> None:
    result = night(
        None, 0, OTHER, REGISTERED, world.identity(resident_id=None, person_name="无号人", household_no="9")
    )
    assert result.persons["resident_id"].to_list() == [N[0], N[1], None]
    assert result.persons["person_id"].to_list() == [1, 2, 3]


def test_a_replaced_number_absorbs_the_provisional_person_under_the_old_one() -> None:
    old = world.identity(source_class="mi_enrolment", tier=2, resident_id=N[2], person_name="王建国")
    first = night(None, 0, REGISTERED, INSURED, old)
    assert owner(first, old) == 2
    event = world.identity(
        source_class="ps_hukou_event", resident_id=N[0], former_resident_id=N[2], person_name="王建国"
    )
    second = night(first, 1, REGISTERED, INSURED, old, event)
    assert {owner(second, row) for row in (REGISTERED, INSURED, old, event)} == {1}
    assert events(second) == [("absorb", 2, 1)]
    gone = second.persons.row(1, named=True)
    assert (gone["status"], gone["absorbed_into"]) == ("absorbed", 1)


def test_a_person_keeps_the_id_when_the_register_itself_replaces_the_number() -> None:
    before = world.identity(resident_id=N[2], person_name="王建国")
    first = night(None, 0, before)
    event = world.identity(
        source_class="ps_hukou_event", resident_id=N[0], former_resident_id=N[2], person_name="王建国"
    )
    second = night(first, 1, REGISTERED, event)
    assert second.persons.select("person_id", "resident_id", "status").rows() == [(1, N[0], "active")]
    assert events(second) == []


def test_two_registered_people_who_are_one_are_merged() -> None:
    twice = world.identity(resident_id=N[2], person_name="王建国")
    first = night(None, 0, REGISTERED, INSURED, twice)
    event = world.identity(
        source_class="ps_hukou_event", resident_id=N[0], former_resident_id=N[2], person_name="王建国"
    )
    second = night(first, 1, REGISTERED, INSURED, twice, event)
    assert events(second) == [("merge", 2, 1)]


def test_a_person_is_split_when_the_register_says_so() -> None:
    """The replacement was withdrawn: the records of the old number are somebody else's again."""
    old = world.identity(source_class="mi_enrolment", tier=2, resident_id=N[2], person_name="王建国")
    event = world.identity(
        source_class="ps_hukou_event", resident_id=N[0], former_resident_id=N[2], person_name="王建国"
    )
    first = night(None, 0, REGISTERED, old, event)
    second = night(first, 1, REGISTERED, old)
    assert events(second) == [("split", 2, 1)]


def test_who_is_gone_is_retired_and_comes_back_under_the_same_id() -> None:
    first = night(None, 0, REGISTERED, OTHER)
    second = night(first, 1, REGISTERED)
    assert events(second) == [("retire", 2, None)]
    third = night(second, 2, REGISTERED, world.identity(resident_id=N[2], person_name="赵六"))
    assert events(third) == [("create", 3, None)]
    fourth = night(third, 3, REGISTERED, OTHER)
    assert events(fourth) == [("create", 2, None), ("retire", 3, None)]
    assert fourth.persons.row(1, named=True)["status"] == "active"


def test_same_overrules_the_passes_and_not_same_parts() -> None:
    first = night(None, 0, REGISTERED, INSURED, OTHER, RELATIVE)
    assert owner(first, RELATIVE) is None
    assert first.conflicts["kind"].to_list() == ["name"]
    decided = pl.DataFrame(
        [decision(RELATIVE, 1, "same"), decision(INSURED, 1, "not_same")], schema=decisions.SCHEMA
    )
    second = night(first, 1, REGISTERED, INSURED, OTHER, RELATIVE, decided=decided)
    assert owner(second, RELATIVE) == 1
    assert owner(second, INSURED) is None
    assert second.conflicts.is_empty()
    assert second.links.filter(pl.col("pass_id") == "H")["grade"].to_list() == ["A"]
    # They hold on the nights that follow, and after a rebuild from the same persons.
    third = night(second, 2, REGISTERED, INSURED, OTHER, RELATIVE, decided=decided)
    rebuilt = spine.resolve(
        world.frame([REGISTERED, INSURED, OTHER, RELATIVE]),
        spine.Spine(persons=second.persons, links=second.links, conflicts=second.conflicts),
        decided,
        DAYS[2],
    )
    for result in (third, rebuilt):
        assert result.links.equals(second.links)


def test_a_decision_can_be_taken_back_and_does_not_act_before_its_day() -> None:
    first = night(None, 0, REGISTERED, INSURED, RELATIVE)
    decided = pl.DataFrame(
        [decision(RELATIVE, 1, "same", DAYS[2]), decision(RELATIVE, 1, "unsure", DAYS[3])],
        schema=decisions.SCHEMA,
    )
    owners = []
    result = first
    for number in (1, 2, 3):
        result = night(result, number, REGISTERED, INSURED, RELATIVE, decided=decided)
        owners.append(owner(result, RELATIVE))
    assert owners == [None, 1, None]


def test_a_decision_about_an_absorbed_person_holds_for_the_one_who_absorbed() -> None:
    old = world.identity(source_class="mi_enrolment", tier=2, resident_id=N[2], person_name="王建国")
    event = world.identity(
        source_class="ps_hukou_event", resident_id=N[0], former_resident_id=N[2], person_name="王建国"
    )
    first = night(None, 0, REGISTERED, INSURED, old, OTHER)
    absorbed = owner(first, old)
    assert absorbed == 3
    second = night(first, 1, REGISTERED, INSURED, old, OTHER, event)
    decided = pl.DataFrame([decision(RELATIVE, absorbed, "same", DAYS[2])], schema=decisions.SCHEMA)
    third = night(second, 2, REGISTERED, INSURED, old, OTHER, event, RELATIVE, decided=decided)
    assert owner(third, RELATIVE) == 1


def test_a_decision_about_nobody_is_counted_not_followed() -> None:
    decided = pl.DataFrame([decision(RELATIVE, 99, "same")], schema=decisions.SCHEMA)
    result = night(night(None, 0, REGISTERED, RELATIVE), 1, REGISTERED, RELATIVE, decided=decided)
    assert owner(result, RELATIVE) is None
    assert ("decisions about unknown persons", 1) in result.counts.rows()


@pytest.mark.parametrize("missing", ["identity_key", "person_id", "who", "decided_on"])
def test_a_decision_without_who_or_when_is_refused(missing: str) -> None:
    rows = pl.DataFrame([decision(RELATIVE, 1, "same") | {missing: None}], schema=decisions.SCHEMA)
    with pytest.raises(decisions.DecisionError, match="1 decisions lack"):
        decisions.in_force(rows, DAYS[1])


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(decisions.DecisionError):
        decisions.in_force(pl.DataFrame([decision(RELATIVE, 1, "maybe")], schema=decisions.SCHEMA), DAYS[1])


def test_a_link_explains_itself_without_naming_anybody() -> None:
    result = night(None, 0, REGISTERED, INSURED, RELATIVE)
    linked = explain.explain(str(INSURED["identity_key"]), result.links, result.conflicts)
    assert linked == "归入人员 P000000001（确定，规则 P1）：公民身份号码一致，姓名一致。"
    refused = explain.explain(str(RELATIVE["identity_key"]), result.links, result.conflicts)
    assert refused == "列入冲突清单：公民身份号码相同，但姓名不同：可能是亲属的号码或未登记的改名。"
    assert "没有一条确定规则" in explain.explain("nobody", result.links, result.conflicts)
    for text in (linked, refused):
        assert N[0] not in text
        assert "王建国" not in text


def test_the_state_survives_being_stored() -> None:
    first = night(None, 0, REGISTERED, INSURED, TAXED, OTHER, RELATIVE)
    again = spine.Spine.of(first.frames())
    second = spine.resolve(world.frame([REGISTERED, INSURED, TAXED, OTHER, RELATIVE]), again, None, DAYS[1])
    assert second.persons.equals(first.persons)
    assert second.links.equals(first.links)
    for name, schema in (
        ("persons", spine.PERSONS),
        ("links", spine.LINKS),
        ("conflicts", spine.CONFLICTS),
        ("events", spine.EVENTS),
    ):
        assert first.frames()[name].schema == schema


def test_no_identities_at_all() -> None:
    empty = world.frame([])
    result = spine.resolve(empty, None, None, DAYS[0])
    assert all(
        frame.is_empty() or name in ("counts", "census", "software")
        for name, frame in result.frames().items()
    )
    assert spine.resolve(empty, result, None, DAYS[1]).persons.is_empty()
