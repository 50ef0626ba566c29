"""Laws of the spine, on random nights: any order and split of nights gives what one run gives."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching import spine
from matching.tonight import LIVE, MOST_DEAD, beside, compacted, living
from tests.matching import world

NIGHTS = 4
BIRTHS = [date(1970, 5, 1), date(1970, 5, 2), date(1999, 12, 31)]
NUMBERS = [
    world.number("150902", BIRTHS[0], 11),
    world.number("150902", BIRTHS[0], 12),
    world.number("150921", BIRTHS[1], 21),
    world.number("440305", BIRTHS[2], 31),
    world.number("440305", BIRTHS[2], 33),
]
OLD = NUMBERS[0][:6] + NUMBERS[0][8:17]
SPOILED = NUMBERS[0][:16] + "9" + NUMBERS[0][17]
NAMES = [
    "王建国",
    "王建囯",
    "王建軍",
    "王建军",
    "王?国",
    "李四",
    "王建国(又名 李四)",
    "王丽之女",
    "阿依古丽·买买提",
    "阿依古丽买买提",
]
VILLAGES = ["150902100200", "150902100201", "150921100200", None]

PEOPLE: list[dict[str, Any]] = [
    # Namesakes of one birth date, one of them without a usable number; a relative; a stranger; somebody renumbered.
    {
        "resident_id": NUMBERS[0],
        "person_name": "王建国",
        "sex": "1",
        "birth_date": BIRTHS[0],
        "phone": "13912345671",
    },
    {
        "resident_id": SPOILED,
        "person_name": "王建国",
        "sex": "1",
        "birth_date": BIRTHS[0],
        "phone": "13912345672",
    },
    {
        "resident_id": NUMBERS[2],
        "person_name": "王建军",
        "sex": "2",
        "birth_date": BIRTHS[1],
        "phone": "13912345671",
    },
    {
        "resident_id": NUMBERS[3],
        "person_name": "李四",
        "sex": "1",
        "birth_date": BIRTHS[2],
        "phone": "13912345673",
    },
    {
        "resident_id": NUMBERS[4],
        "person_name": "李四",
        "sex": "1",
        "birth_date": BIRTHS[2],
        "phone": "13912345674",
    },
]
NOISE: dict[str, list[Any]] = {
    "source_class": ["ps_resident", "ps_hukou_event", "mi_enrolment", "ca_cremation"],
    "role": ["self", "self", "mother"],
    "tier": [1, 2, 4],
    "resident_id": [None, None, None, OLD, "E12345678", *NUMBERS],
    "former_resident_id": [None, *NUMBERS[:4]],
    "person_name": [*NAMES, None],
    "former_name": [None, None, None, "李四"],
    "sex": [None, "1", "2"],
    "birth_date": [None, *BIRTHS],
    "phone": [None, "13912345671", "13912345672"],
    "village_code": VILLAGES,
    "household_no": [None, None, "000123", "123"],
    "first_batch": [world.FIRST_DAY, world.FIRST_DAY - timedelta(days=9)],
}


@st.composite
def rows(draw: Any) -> dict[str, Any]:
    """A record of one of a few people, with a few things missing or somebody else's."""
    person = {"village_code": "150902100200", **draw(st.sampled_from(PEOPLE))}
    wrong = draw(st.sets(st.sampled_from(sorted(person)), max_size=2))
    wrong |= set(NOISE) - set(person)
    row = {c: draw(st.sampled_from(NOISE[c])) if c in wrong else person[c] for c in NOISE}
    if row["source_class"] != "ps_resident" and draw(st.booleans()):
        row["resident_id"] = draw(st.sampled_from([None, None, SPOILED, NUMBERS[0][:14] + "****"]))
    return row


lives = st.tuples(
    rows(),
    st.integers(0, NIGHTS - 1),  # first night
    st.integers(2, 2 * NIGHTS),  # nights it stays
    st.integers(0, NIGHTS),  # last night on which it was delivered anew
)


def tonight(history: list[tuple[dict[str, Any], int, int, int]], night: int) -> pl.DataFrame:
    """Identities as of one night. A row only carries a former number if it is an event of the register."""
    found = []
    for fields, begins, stays, refreshed in history:
        if begins <= night < begins + stays:
            known = dict(fields)
            if known["source_class"] != "ps_hukou_event":
                known["former_resident_id"] = None
            row = world.identity(**known)
            row["last_batch"] = world.FIRST_DAY + timedelta(days=min(night, refreshed))
            found.append(row)
    return world.frame(sorted(found, key=lambda r: (str(r["identity_key"]), str(r["last_batch"]))))


def partition(result: spine.Spine) -> tuple[Any, ...]:
    """Everything that matters except the numbers of the persons."""
    links = result.links.join(
        result.persons.select("person_id", "spine_key"), on="person_id", how="left", maintain_order="left"
    )
    described = (
        result.persons.filter(pl.col("status") == "active").drop("person_id", "created_on").sort("spine_key")
    )
    return (
        links.select("identity_key", "spine_key", "pass_id", "grade", "reason_zh").rows(),
        result.conflicts.select("identity_key", "kind").rows(),
        described.rows(),
    )


def settle(history: list[tuple[dict[str, Any], int, int, int]], order: list[int]) -> spine.SpineResult:
    result: spine.SpineResult | None = None
    for step, night in enumerate(order):
        day = world.FIRST_DAY + timedelta(days=step)
        result = spine.resolve(tonight(history, night), result, None, day)
    assert result is not None
    return result


many = settings(
    max_examples=int(os.environ.get("MATCHING_EXAMPLES", "6")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="MATCHING_EXAMPLES" not in os.environ,
)


@many
@given(st.lists(lives, min_size=1, max_size=30))
def test_nights_one_after_another_give_what_one_run_gives(history: list[Any]) -> None:
    step_by_step = settle(history, list(range(NIGHTS)))
    at_once = settle(history, [NIGHTS - 1])
    assert partition(step_by_step) == partition(at_once)


@many
@given(st.lists(lives, min_size=1, max_size=30), st.permutations(range(NIGHTS)))
def test_any_order_of_nights_gives_what_one_run_gives(history: list[Any], order: list[int]) -> None:
    """The last night seen decides, whatever was seen before it."""
    assert partition(settle(history, order)) == partition(settle(history, order[-1:]))


@many
@given(st.lists(lives, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(history: list[Any], random: Any) -> None:
    rows = tonight(history, 0)
    numbers = list(range(len(rows)))
    random.shuffle(numbers)
    straight = spine.resolve(rows, None, None, world.FIRST_DAY)
    shuffled = spine.resolve(rows[numbers], None, None, world.FIRST_DAY)
    for name, frame in straight.frames().items():
        assert frame.equals(shuffled.frames()[name]), name


@many
@given(st.lists(lives, min_size=1, max_size=30))
def test_laws_of_every_night(history: list[Any]) -> None:
    result: spine.SpineResult | None = None
    seen: set[int] = set()
    for night in range(NIGHTS):
        identities = tonight(history, night)
        before = result
        result = spine.resolve(identities, before, None, world.FIRST_DAY + timedelta(days=night))
        active = result.persons.filter(pl.col("status") == "active")
        # Every identity belongs to at most one person, who is active; every active person has an identity.
        assert result.links["identity_key"].is_unique().all()
        assert set(result.links["person_id"]) == set(active["person_id"])
        assert set(result.links["identity_key"]) <= set(identities["identity_key"])
        # A number is one person's.
        assert active["resident_id"].drop_nulls().is_unique().all()
        # Ids are never forgotten, and new ones are higher than all before.
        ids = set(result.persons["person_id"])
        assert seen <= ids
        assert not seen or all(i > max(seen) for i in ids - seen)
        made = result.events.filter(pl.col("event").is_in(["create", "split"]))["person_id"]
        assert ids - seen <= set(made)
        seen = ids
        # What is linked under another valid number was renumbered by the police.
        numbers = result.links.join(identities, on="identity_key").join(active, on="person_id", suffix="_p")
        other = numbers.filter(
            pl.col("resident_id").is_in(NUMBERS)
            & pl.col("resident_id_p").is_not_null()
            & (pl.col("resident_id") != pl.col("resident_id_p"))
        )
        assert other["pass_id"].str.starts_with("PE").all()
        # A conflict is never also a link.
        assert not set(result.conflicts["identity_key"]) & set(
            result.links.filter(~pl.col("pass_id").is_in(["PS", "H"]))["identity_key"]
        )


def test_a_namesake_nearby_who_comes_or_goes_reaches_rows_under_somebody_elses_number() -> None:
    village = "150902100200"
    father = world.identity(resident_id=NUMBERS[0], person_name="王建国", village_code=village)
    daughter = world.identity(resident_id=NUMBERS[2], person_name="王见国", village_code=village)
    car = world.identity(
        source_class="ps_vehicle", role="owner", resident_id=NUMBERS[0], person_name="王见国"
    )
    alone, both = world.frame([father, car]), world.frame([father, daughter, car])
    result: spine.SpineResult | None = None
    for step, rows in enumerate([alone, both, alone]):
        result = spine.resolve(rows, result, None, world.FIRST_DAY + timedelta(days=step))
        assert partition(result) == partition(spine.resolve(rows, None, None, world.FIRST_DAY))
        assert (car["identity_key"] in set(result.links["identity_key"])) is (rows is alone)


def test_a_number_becomes_valid_on_the_day_its_holder_is_born() -> None:
    born = world.FIRST_DAY + timedelta(days=1)
    child = world.identity(
        source_class="mi_enrolment", resident_id=world.number("150902", born, 11), person_name="王建国"
    )
    nights = [world.FIRST_DAY, born, born + timedelta(days=1), world.FIRST_DAY]
    result: spine.SpineResult | None = None
    for day in nights:
        result = spine.resolve(world.frame([child]), result, None, day)
        assert len(result.links) == (day >= born)
        assert partition(result) == partition(spine.resolve(world.frame([child]), None, None, day))


def test_a_quiet_night_decides_nothing_and_changes_nothing() -> None:
    identities = world.records(world.population(800, 3), 3).drop("true_person_id")
    first = spine.resolve(identities, None, None, world.FIRST_DAY)
    second = spine.resolve(identities, first, None, world.FIRST_DAY + timedelta(days=1))
    assert len(first.persons) > 700
    assert second.counts["identities"].sum() == 0
    assert second.events.is_empty()
    for name in ("persons", "links", "conflicts", "keys"):
        assert getattr(first, name).equals(getattr(second, name)), name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_night_of_changes_on_a_larger_world_equals_the_rebuild(seed: int) -> None:
    identities = world.records(world.population(1500, seed), seed).drop("true_person_id")
    rng = pl.Series(range(len(identities))).sample(fraction=1.0, shuffle=True, seed=seed)
    before = identities.filter(rng % 20 != 0)
    tomorrow = identities.filter(rng % 20 != 1)
    stepped = spine.resolve(
        tomorrow, spine.resolve(before, None, None, world.FIRST_DAY), None, world.FIRST_DAY
    )
    rebuilt = spine.resolve(tomorrow, None, None, world.FIRST_DAY, census=stepped.census)
    assert partition(stepped) == partition(rebuilt)
    assert stepped.counts["identities"].sum() < len(tomorrow) / 2


def nights_of_a_county(seed: int) -> list[pl.DataFrame]:
    """Five nights of one county: rows come and go, telephones, names and dates change, some are delivered anew."""
    identities = world.records(world.population(2000, seed), seed).drop("true_person_id")
    found = []
    for night in range(5):
        draw = pl.int_range(len(identities), eager=True).sample(
            fraction=1.0, shuffle=True, seed=seed * 10 + night
        )
        day = world.FIRST_DAY + timedelta(days=night)
        other = (draw % 50).is_between(1, 2)
        changed = identities.filter(other).with_columns(
            (pl.col("identity_key") + str(night)).alias("identity_key"),
            (pl.col("phone").str.head(7) + pl.col("phone").str.slice(7).str.reverse()).alias("phone"),
            pl.when(pl.col("source_class") == "ps_resident").then("resident_id").alias("resident_id"),
            pl.when(pl.col("identity_key").str.contains("^[0-7]"))
            .then(pl.col("person_name").str.replace("伟", "炜").str.replace("芳", "方"))
            .otherwise("person_name")
            .alias("person_name"),
            pl.lit(day).alias("first_batch"),
            pl.lit(day).alias("last_batch"),
        )
        again = pl.when(pl.Series(draw % 50 == 3)).then(pl.lit(day)).otherwise("last_batch")
        kept = identities.with_columns(again.alias("last_batch")).filter(~other & pl.Series(draw % 50 != 0))
        found.append(pl.concat([kept, changed]).sort("source_class", "role", "identity_key"))
    return found


@pytest.mark.parametrize(("seed", "order"), [(5, [0, 1, 2, 3, 4]), (6, [3, 0, 4, 1]), (7, [4, 2, 0, 3, 1])])
def test_any_order_of_nights_of_a_county_gives_what_one_run_gives(seed: int, order: list[int]) -> None:
    """Large enough for the engine to weigh: its links, with weights, words and margins, are the same too."""
    nights = nights_of_a_county(seed)
    stepped: spine.SpineResult | None = None
    for step, night in enumerate(order):
        day = world.FIRST_DAY + timedelta(days=step)
        stepped = spine.resolve(nights[night], stepped, None, day)
        rebuilt = spine.resolve(nights[night], None, None, day, census=stepped.census)
        assert partition(stepped) == partition(rebuilt)
        assert living(stepped.keys).sort("identity_key").equals(living(rebuilt.keys))
        for name in ("nodes", "weighed", "people", "traits"):
            assert stepped.frames()[name].equals(rebuilt.frames()[name]), (step, name)
        assert len(stepped.weighed) >= 20
        assert len(stepped.frames()["people"]) >= 300


def test_rows_that_are_no_more_stay_marked_until_they_are_many() -> None:
    rows = pl.DataFrame({"identity_key": [f"{n:032x}" for n in range(20)], LIVE: [True] * 20})
    few = rows.with_columns((pl.int_range(20) >= 20 * MOST_DEAD).alias(LIVE))
    many = rows.with_columns((pl.int_range(20) > 20 * MOST_DEAD).alias(LIVE))
    assert compacted(few).height == 20
    assert compacted(many).height == 17
    assert living(few)["identity_key"].to_list() == [f"{n:032x}" for n in range(2, 20)]


def test_a_column_beside_a_frame_in_pieces_has_the_same_pieces() -> None:
    pieces = [
        pl.DataFrame({"a": list(range(start, start + size))}) for start, size in ((0, 3), (3, 1), (4, 5))
    ]
    rows = pl.concat(pieces, rechunk=False)
    column = beside(rows, "b", np.arange(9) * 2)
    assert column.chunk_lengths() == rows["a"].chunk_lengths() == [3, 1, 5]
    assert rows.with_columns(column).rows() == [(n, 2 * n) for n in range(9)]


def test_replaced_rows_are_not_seen_again_over_many_nights() -> None:
    identities = world.records(world.population(400, 5), 5).drop("true_person_id")
    dead = []
    day, state = world.FIRST_DAY, spine.resolve(identities, None, None, world.FIRST_DAY)
    for night in range(1, 5):
        tonight = identities.filter(pl.int_range(pl.len()) % 100 != night)
        state = spine.resolve(tonight, state, None, day + timedelta(days=night))
        assert state.keys is not None
        assert sorted(living(state.keys)["identity_key"]) == sorted(tonight["identity_key"])
        assert sorted(state.links["identity_key"].unique()) == sorted(
            spine.resolve(tonight, None, None, day, census=state.census).links["identity_key"].unique()
        )
        dead.append(state.keys.height - living(state.keys).height)
        assert dead[-1] <= MOST_DEAD * state.keys.height
    assert any(dead)
