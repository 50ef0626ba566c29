"""A new key of the deployment: identities and nodes get new names, persons and decisions stay whose they were."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from data_contracts import opaque
from matching import decisions, rekeying, spine
from tests.matching import world

OLD, NEW = (
    opaque.Key("the key of the nights before, long"),
    opaque.Key("the key of tonight, which is long too"),
)
TOMORROW = world.FIRST_DAY + timedelta(days=1)


def renamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Identities as they are called under the new key."""
    names = [NEW.opaque(name) for name in rows["identity_key"]]
    return rows.with_columns(pl.Series("identity_key", names)).sort("identity_key")


def names_of(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("identity_key", pl.Series("new_key", [NEW.opaque(n) for n in rows["identity_key"]]))


@pytest.fixture(scope="module")
def register() -> list[dict[str, object]]:
    """Numbered people, people without a number or with a spoiled one, and records of both."""
    numbers = ["150902197005010117", "150902197005010133", "152601195502030178"]
    return [
        *(
            world.identity(resident_id=n, person_name=f"张{w}", household_no=w)
            for n, w in zip(numbers, "伟丽军", strict=True)
        ),
        *(
            world.identity(person_name=f"李{w}", household_no=w, phone=f"1380000000{n}")
            for n, w in enumerate("英辉斌婷")
        ),
        world.identity(resident_id="150902197005010118", person_name="张明", household_no="明"),
        world.identity(source_class="mi_enrolment", tier=2, resident_id=numbers[0], person_name="张伟"),
        world.identity(
            source_class="mi_enrolment", tier=2, resident_id="150902197005010118", person_name="张明"
        ),
        world.identity(source_class="mi_enrolment", tier=2, person_name="李辉", phone="13800000001"),
        world.identity(source_class="ag_subsidy_land", tier=3, resident_id=numbers[1], person_name="赵小花"),
    ]


def test_a_night_under_a_new_key_is_the_night_under_the_old_one_by_other_names(register) -> None:
    rows = world.frame(register)
    first = spine.resolve(rows, None, None, world.FIRST_DAY, OLD)
    newcomer = world.identity(
        source_class="tx_iit_withholding", tier=2, person_name="李英", phone="13800000000"
    )
    tonight = world.frame([*register, newcomer])
    calm = spine.resolve(tonight, first, None, TOMORROW, OLD)
    moved = spine.resolve(renamed(tonight), rekeying.rekeyed(first, names_of(rows), NEW), None, TOMORROW, NEW)

    own = calm.persons.filter(pl.col("spine_key").str.starts_with("R:"))
    assert own.height == 5
    assert moved.persons.drop("spine_key").equals(calm.persons.drop("spine_key"))
    assert not set(own["spine_key"]) & set(moved.persons["spine_key"])
    assert moved.links.equals(renamed(calm.links).sort("identity_key"))
    assert calm.conflicts.height == 1
    assert moved.conflicts.drop("conflict_id").equals(renamed(calm.conflicts).drop("conflict_id"))
    assert moved.conflicts["conflict_id"].to_list() == ["K" + moved.conflicts["identity_key"][0][:16]]
    assert moved.events.equals(calm.events)
    rebuilt = spine.resolve(renamed(tonight), None, None, TOMORROW, NEW)
    assert set(rebuilt.links.select("identity_key", "pass_id", "grade").rows()) == set(
        moved.links.select("identity_key", "pass_id", "grade").rows()
    )


def test_without_it_people_without_a_number_would_be_new_people(register) -> None:
    """What the renaming is for: only a number finds its person again under other names."""
    rows = world.frame(register)
    first = spine.resolve(rows, None, None, world.FIRST_DAY, OLD)
    second = spine.resolve(renamed(rows), first, None, TOMORROW, NEW)
    active = second.persons.filter(pl.col("status") == "active")
    known = set(first.persons["person_id"])
    assert sorted(active.filter(pl.col("person_id").is_in(known).not_())["person_name"]) == [
        "张明",
        "李婷",
        "李斌",
        "李英",
        "李辉",
    ]


def test_decisions_hold_under_the_new_names(register) -> None:
    rows = world.frame(register)
    first = spine.resolve(rows, None, None, world.FIRST_DAY, OLD)
    relative = next(r for r in register if r["person_name"] == "赵小花")
    whose = first.persons.filter(pl.col("person_name") == "张军")["person_id"][0]
    decided = pl.DataFrame(
        [
            {
                "identity_key": relative["identity_key"],
                "person_id": whose,
                "decision": "same",
                "who": "王审核",
                "decided_on": world.FIRST_DAY,
                "note": None,
            }
        ],
        schema=decisions.SCHEMA,
    )
    again = rekeying.decisions_again(decided, names_of(rows))
    assert again.drop("identity_key").equals(decided.drop("identity_key"))
    state = rekeying.rekeyed(first, names_of(rows), NEW)
    result = spine.resolve(renamed(rows), state, pl.concat([decided, again]), TOMORROW, NEW)
    name = NEW.opaque(str(relative["identity_key"]))
    assert result.links.filter(pl.col("identity_key") == name).select("person_id", "pass_id").rows() == [
        (whose, "H")
    ]


def test_a_state_without_keys_keeps_its_numbered_people(register) -> None:
    rows = world.frame(register)
    first = spine.resolve(rows, None, None, world.FIRST_DAY, OLD)
    bare = spine.Spine(persons=first.persons, links=first.links, conflicts=first.conflicts)
    state = rekeying.rekeyed(bare, names_of(rows), NEW)
    second = spine.resolve(renamed(rows), state, None, TOMORROW, NEW)
    assert second.persons.drop("spine_key").equals(first.persons.drop("spine_key"))
