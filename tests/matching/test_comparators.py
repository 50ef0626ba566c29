"""Every comparison against the slow engine, pair by pair; more agreement never counts for less; single hard pairs."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.blocking import Index, Pairs
from matching.coded import NO_DAY, Side, coded
from matching.comparators import birth, identity
from matching.comparators.name import NameChannel
from matching.comparison import Compared, Comparer
from matching.evidence import Births, Evidence, Population, Shares, counted
from matching.model import BY_NAME, MODEL, Model
from tests.matching import invented
from tests.matching.slow_engine import Slow

MODEL_OF_TESTS = Model()


def compared(tables: invented.Tables) -> tuple[Side, Side, Pairs, Compared]:
    """All pairs of two tables, compared by the engine."""
    left, right, names = coded(invented.records(tables.left), invented.records(tables.right))
    distinct, counts = counted(left.own_name[left.own_name >= 0].astype(np.uint64))
    channel = NameChannel(pl.DataFrame({"name": names.texts.gather(distinct), "count": counts}))
    comparer = Comparer(
        left, right, names, Index(left, right, names).sounds, channel, Population(left, right)
    )
    rows_r = np.repeat(np.arange(right.n), left.n).astype(np.int32)
    rows_l = np.tile(np.arange(left.n), right.n).astype(np.int32)
    pairs = Pairs(rows_r, rows_l)
    return left, right, pairs, comparer.compare(pairs)


@cache
def world(seed: int) -> tuple[invented.Tables, Compared, Pairs]:
    tables = invented.tables(30, 20, seed)
    _, _, pairs, found = compared(tables)
    return tables, found, pairs


def level_name(comparison: str, number: int) -> str | None:
    known = BY_NAME[comparison]
    return [None, *known.levels, *(name for name, _ in known.pooled)][number]


@pytest.mark.parametrize("seed", range(6))
def test_every_pair_against_the_slow_engine(seed: int) -> None:
    tables, found, pairs = world(seed)
    slow = Slow(invented.records(tables.left), invented.records(tables.right))
    assert len(pairs.left) == 600
    for place, (row_l, row_r) in enumerate(zip(pairs.left, pairs.right, strict=True)):
        a, b = slow.left[row_l], slow.right[row_r]
        said = slow.compare(a, b)
        for comparison in MODEL:
            evidence = found.evidence[comparison.name]
            level, bits = level_name(comparison.name, int(evidence.level[place])), evidence.bits[place]
            expected = said[comparison.name] or (None, 0.0)
            if comparison.name == "name" and (level, expected[0]) == ("none", "two"):
                # The one economy: two characters that both sound otherwise are not looked at.
                assert a.own
                assert b.own
                assert sum(x != y for x, y in zip(a.own, b.own, strict=True)) == 2
                continue
            assert (comparison.name, level) == (comparison.name, expected[0])
            assert bits == pytest.approx(expected[1], abs=1e-3), (comparison.name, level)
        assert found.relative[place] == pytest.approx(slow.relative(a, b, said), abs=1e-3)


def test_the_worlds_say_something_about_every_comparison() -> None:
    for comparison in MODEL:
        levels = {int(n) for seed in range(6) for n in world(seed)[1].evidence[comparison.name].level}
        spoken = {level_name(comparison.name, n) for n in levels} - {None}
        assert len(spoken) >= 2, comparison.name
    assert {level_name("id", int(n)) for seed in range(6) for n in world(seed)[1].evidence["id"].level} >= {
        "equal",
        "slip",
        "other",
        "fits",
    }


# --- more agreement never counts for less

LADDERS = {
    "name": (("exact",), ("sound", "shape", "other", "swap", "drop", "insert"), ("none",)),
    "hidden_name": (("fits",), ("none",)),
    "id": (("equal",), ("slip", "fits"), ("differs",)),
    "hidden_id": (("fits",), ("differs",)),
    "birth": (("equal",), ("digit", "swap", "year", "lunar", "first_of_year"), ("differs",)),
    "age": (("within",), ("differs",)),
    "sex": (("equal",), ("differs",)),
    "phone": (("equal",), ("differs",)),
    "hidden_phone": (("equal",), ("differs",)),
    "place": (("village",), ("township",), ("county", "prefecture", "elsewhere")),
    "address": (("equal",), ("differs",)),
    "household": (("equal",), ("differs",)),
    "other": (("equal",), ("differs",)),
}
"""Rungs by comparison: whatever stands on a lower one never outweighs what stands on a higher one for the same record."""


@pytest.mark.parametrize("name", [c.name for c in MODEL])
@pytest.mark.parametrize("seed", range(6))
def test_more_agreement_never_counts_for_less(seed: int, name: str) -> None:
    _, found, pairs = world(seed)
    evidence, rungs = found.evidence[name], LADDERS[name]
    rates = MODEL_OF_TESTS.bits(name)
    worth = np.where(evidence.level > 0, rates[evidence.level] + evidence.bits, np.nan)
    names = np.array([level_name(name, int(n)) or "" for n in evidence.level])
    seen = 0
    for row in range(20):
        mine = pairs.right == row
        of_rung = [worth[mine & np.isin(names, rung)] for rung in rungs]
        for higher in range(len(rungs)):
            for lower in range(higher + 1, len(rungs)):
                if len(of_rung[higher]) and len(of_rung[lower]):
                    seen += 1
                    assert of_rung[higher].min() >= of_rung[lower].max(), (rungs[higher], rungs[lower])
    assert seen or name not in ("name", "id", "birth", "sex", "place")


def evidence_of_births(ours: list[date], theirs: date, everybody: list[date]) -> Evidence:
    day = np.array([(d - date(1970, 1, 1)).days for d in everybody], dtype=np.int32)

    class Left:
        birth = day
        n = len(day)

    population = Population(Left(), Left())  # type: ignore[arg-type]
    left = np.array([(d - date(1970, 1, 1)).days for d in ours], dtype=np.int32)
    right = np.full(len(left), (theirs - date(1970, 1, 1)).days, dtype=np.int32)
    return birth.compare_births(left, right, population)


@pytest.mark.parametrize(
    ("ours", "level"),
    [
        (date(1963, 4, 12), "equal"),
        (date(1963, 1, 1), "first_of_year"),
        (date(1963, 12, 4), "swap"),
        (date(1963, 4, 13), "digit"),
        (date(1964, 4, 12), "digit"),
        (date(1968, 4, 12), "digit"),
        (date(1963, 3, 19), "lunar"),
        (date(1963, 5, 6), "lunar"),
        (date(1963, 9, 27), "same_year"),
        (date(1965, 1, 30), "near"),
        (date(1961, 8, 30), "near"),
        (date(1990, 8, 30), "differs"),
    ],
)
def test_birth_dates(ours: date, level: str) -> None:
    said = evidence_of_births([ours], date(1963, 4, 12), [date(1960, 1, 1), date(1963, 4, 12)])
    assert level_name("birth", int(said.level[0])) == level


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.dates(date(1930, 1, 1), date(2024, 12, 31)), st.integers(-20_000, 20_000))
def test_two_birth_dates_say_the_same_whichever_side_they_stand_on(day: date, apart: int) -> None:
    other = min(max(day + timedelta(days=apart), date(1930, 1, 1)), date(2024, 12, 31))
    one = evidence_of_births([day], other, [day, other])
    two = evidence_of_births([other], day, [day, other])
    assert (one.level[0], one.bits[0]) == (two.level[0], two.bits[0])
    equal = evidence_of_births([day], day, [day, other])
    rates = MODEL_OF_TESTS.bits("birth")
    assert equal.bits[0] + rates[equal.level[0]] >= one.bits[0] + rates[one.level[0]]


def test_a_date_that_many_share_says_less() -> None:
    default = date(1960, 1, 1)
    crowd = [default] * 50 + [date(1930, 1, 1) + timedelta(days=17 * n) for n in range(950)]
    common = evidence_of_births([default], default, crowd)
    rare = evidence_of_births([crowd[70]], crowd[70], crowd)
    assert common.bits[0] == pytest.approx(np.log2(1001 / 50), abs=0.1)
    assert rare.bits[0] == pytest.approx(np.log2(1001), abs=0.1)


def test_an_unknown_day_is_silent() -> None:
    days = np.array([NO_DAY, 0, NO_DAY], dtype=np.int32)

    class Left:
        birth = days
        n = 3

    population = Population(Left(), Left())  # type: ignore[arg-type]
    said = birth.compare_births(days, np.array([5, NO_DAY, NO_DAY], dtype=np.int32), population)
    assert said.level.tolist() == [0, 0, 0]
    aged = birth.compare_ages(days, np.full(3, NO_DAY), np.full(3, NO_DAY), population)
    assert aged.level.tolist() == [0, 0, 0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(-20_000, 18_000), max_size=40), st.integers(-21_000, 19_000), st.integers(0, 900))
def test_the_mass_of_an_interval_is_counted(days: list[int], low: int, width: int) -> None:
    class Left:
        birth = np.array([*days, NO_DAY], dtype=np.int32)

    births = Births.of(Left())  # type: ignore[arg-type]
    found = births.mass(np.array([low]), np.array([low + width]))[0]
    people = sum(low <= day <= low + width for day in days)
    assert found == pytest.approx(min((people + (width + 1) / 36_525) / (len(days) + 1), 1.0))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=30))
def test_shares_are_counts(entries: list[tuple[int, int]]) -> None:
    rows = np.array([r for r, _ in entries], dtype=np.int32)
    codes = np.array([c for _, c in entries], dtype=np.uint64)
    shares = Shares(rows, codes)
    assert shares.records == max(len({r for r, c in entries if c}), 1)
    asked = np.arange(8, dtype=np.uint64)
    assert shares.count(asked).tolist() == [sum(c == x != 0 for _, c in entries) for x in range(8)]


# --- numbers


def one_pair(ours: dict[str, Any], theirs: dict[str, Any], beside: int = 20) -> dict[str, str | None]:
    """Level by comparison of one left and one right row; `beside`: people on the left who are neither."""
    blank = dict.fromkeys(invented.COLUMNS)
    left = [blank | ours | {"no": 900}, *invented.people(beside, 5)]
    _, _, _, found = compared(invented.Tables(left, [blank | theirs | {"no": 1}], [None]))
    return {name: level_name(name, int(e.level[0])) for name, e in found.evidence.items()}


NUMBER = invented.world.number("150902", date(1980, 3, 7), 123)
SWAPPED = NUMBER[:14] + NUMBER[15] + NUMBER[14] + NUMBER[16:]


@pytest.mark.parametrize(
    ("theirs", "comparison", "level"),
    [
        (NUMBER, "id", "equal"),
        (NUMBER[:6] + NUMBER[8:17], "id", "equal"),
        (NUMBER[:16] + NUMBER[17], "id", "slip"),
        (NUMBER + "7", "id", "slip"),
        (SWAPPED, "id", "slip"),
        (NUMBER[:15] + "9" + NUMBER[16:], "id", "slip"),
        (NUMBER[:13] + "87" + NUMBER[15:], "id", "slips"),
        (NUMBER[:8] + "7" + NUMBER[9:12] + "999" + NUMBER[15:], "id", "differs"),
        (NUMBER[:15] + "000", "id", "fits"),
        (f"1.{NUMBER[1:15]}E+17", "id", "fits"),
        (f"1.{NUMBER[1:14]}9E+17", "id", "differs"),
        (NUMBER[:6] + "********" + NUMBER[14:], "hidden_id", "fits"),
        (NUMBER[:6] + "********9999", "hidden_id", "differs"),
        (NUMBER[:12] + "******", "hidden_id", "fits"),
        (f"{NUMBER[:6]}****{NUMBER[14:]}", "hidden_id", "fits"),
        (f"***{NUMBER[14:]}", "hidden_id", "fits"),
        (NUMBER[:6] + NUMBER[8:16] + str((int(NUMBER[16]) + 1) % 10), "id", "slip"),
        (NUMBER[:6] + "804307" + NUMBER[14:17], "id", "slip"),
        (NUMBER[:6] + "804399" + NUMBER[14:17], "id", "differs"),
    ],
)
def test_numbers(theirs: str, comparison: str, level: str) -> None:
    said = one_pair({"id": NUMBER}, {"id": theirs})
    assert (said[comparison], said[{"id": "hidden_id", "hidden_id": "id"}[comparison]]) == (level, None)


def test_somebody_elses_number_says_whose_it_is() -> None:
    people = invented.people(24, 5)
    father, fellow, neighbour = people[0], people[1], people[8]
    blank = dict.fromkeys(invented.COLUMNS)
    right = [blank | {"no": 1, "id": fellow["id"], "name": father["name"]}]
    _, _, pairs, found = compared(invented.Tables(people, right, [None]))
    levels = {
        int(row): level_name("id", int(n))
        for row, n in zip(pairs.left, found.evidence["id"].level, strict=True)
    }
    assert levels[0] == "relative"
    assert levels[1] == "equal"
    assert levels[int(neighbour["no"])] == "other_person"


def test_a_day_taken_from_the_number_is_not_counted_twice() -> None:
    number = invented.world.number("150902", date(1980, 3, 7), 123)
    said = one_pair({"id": number, "birth": "1980-03-07"}, {"id": number})
    assert (said["id"], said["birth"]) == ("equal", None)
    said = one_pair({"id": number, "birth": "1980-03-07"}, {"id": number, "birth": "1980-03-07"})
    assert (said["id"], said["birth"]) == ("equal", "equal")
    said = one_pair({"birth": "1980-03-07"}, {"id": number})
    assert (said["id"], said["birth"]) == (None, "equal")


# --- what a household shares


def test_telephones_of_the_house_and_of_an_office() -> None:
    people = invented.people(40, 5)
    office = "13912300000"
    for row in people[:14]:
        row["phone2"] = office
    blank = dict.fromkeys(invented.COLUMNS)
    people[3]["phone"] = "13987654321"
    right = [blank | {"no": 1, "phone": office}, blank | {"no": 2, "phone": people[3]["phone"]}]
    _, _, pairs, found = compared(invented.Tables(people, right, [None, None]))
    levels = {
        (int(r), int(a)): level_name("phone", int(n))
        for r, a, n in zip(pairs.right, pairs.left, found.evidence["phone"].level, strict=True)
    }
    assert {levels[0, n] for n in range(40)} == {None}
    assert levels[1, 3] == "equal"
    assert levels[1, 2] == "family"
    assert levels[1, 9] == "differs"


@pytest.mark.parametrize(
    ("theirs", "level"),
    [
        ("150902100200", "village"),
        ("150902100201", "township"),
        ("150902101200", "county"),
        ("150921100200", "prefecture"),
        ("440305100200", "elsewhere"),
        ("150902100", "within_township"),
        ("150902", "within_county"),
        ("1509", "within_prefecture"),
        ("1301", "elsewhere"),
        (None, None),
    ],
)
def test_places(theirs: str | None, level: str | None) -> None:
    assert one_pair({"village": "150902100200"}, {"village": theirs})["place"] == level


@pytest.mark.parametrize(
    ("theirs", "level"),
    [
        ("三道沟村", "village"),
        ("三道沟村委会", "village"),
        ("下沙社区", "other_village"),
        ("乌兰察布市东十号村", "prefecture"),
    ],
)
def test_a_village_by_its_name_alone(theirs: str, level: str) -> None:
    """Several villages bear each of these names; the left record lies in one called 三道沟."""
    assert one_pair({"village": "150922201208"}, {"village": theirs})["place"] == level
    assert one_pair({"village": theirs}, {"village": "150922201208"})["place"] == level


def test_the_name_of_a_village_is_worth_those_who_live_in_villages_of_that_name() -> None:
    people = invented.people(40, 5)
    for number, row in enumerate(people):
        row["village"] = ("150922201208", "150927217340", "440304005036", "440304005037")[number % 4]
    blank = dict.fromkeys(invented.COLUMNS)
    right = [
        blank | {"no": 1, "village": "三道沟村"},
        blank | {"no": 2, "village": "乌兰察布市三道沟村"},
        blank | {"no": 3, "village": "下沙社区"},
    ]
    _, _, pairs, found = compared(invented.Tables(people, right, [None] * 3))
    said = {
        (int(r), int(a)): (level_name("place", int(n)), float(b))
        for r, a, n, b in zip(
            pairs.right, pairs.left, found.evidence["place"].level, found.evidence["place"].bits, strict=True
        )
    }
    assert said[0, 0] == said[0, 1] == said[1, 0] == ("village", 1.0)
    assert said[2, 2] == ("village", 2.0)
    assert said[0, 2] == ("other_village", 0.0)
    assert said[1, 2] == ("elsewhere", 0.0)


def test_who_lives_there_counts_for_more_than_who_lives_next_to_it() -> None:
    """Also where nearly all live in one village: there are few people beside it, but none of them is meant oftener."""
    blank = dict.fromkeys(invented.COLUMNS)
    villages = ["150902100200"] * 28 + ["150902100201", "150921100200"]
    left = [blank | {"no": n, "village": village} for n, village in enumerate(villages)]
    right = [blank | {"no": n, "village": village} for n, village in enumerate(sorted(set(villages)))]
    _, _, _, found = compared(invented.Tables(left, right, [None] * 3))
    evidence = found.evidence["place"]
    worth = (MODEL_OF_TESTS.bits("place")[evidence.level] + evidence.bits).reshape(3, 30)
    for row, record in enumerate(right):
        there = [n for n, village in enumerate(villages) if village == record["village"]]
        elsewhere = [n for n in range(30) if n not in there]
        assert worth[row, there].min() > worth[row, elsewhere].max()


def test_a_house_says_nothing_outside_its_village() -> None:
    home = {"village": "150902100200", "address": "3组7号"}
    assert one_pair(home, home)["address"] == "equal"
    assert one_pair(home, home | {"address": "3组8号"})["address"] == "differs"
    assert one_pair(home, home | {"village": "150902100201"})["address"] is None
    assert one_pair(home, {"address": "3组7号"})["address"] is None


# --- names


@pytest.mark.parametrize(
    ("ours", "theirs", "comparison", "level"),
    [
        ("王建国", "王建国", "name", "exact"),
        ("王建军", "王建君", "name", "sound"),
        ("王建国", "王建國", "name", "exact"),
        ("王建国", "王国建", "name", "swap"),
        ("王建国", "王建", "name", "drop"),
        ("王建", "王建国", "name", "insert"),
        ("王建国", "李红梅", "name", "none"),
        ("王建国", "王*国", "hidden_name", "fits"),
        ("王建国", "王**", "hidden_name", "fits"),
        ("王建国", "李*国", "hidden_name", "none"),
        ("买买提·阿不都热依木", "买买提阿不都热依木", "name", "exact"),
        ("买买提·阿不都热依木", "阿不都热依木·买买提", "name", "order"),
    ],
)
def test_names(ours: str, theirs: str, comparison: str, level: str) -> None:
    said = one_pair({"name": ours}, {"name": theirs})
    assert said[comparison] == level
    assert said[{"name": "hidden_name", "hidden_name": "name"}[comparison]] is None


def test_a_former_name_counts_as_its_own_rarity() -> None:
    assert one_pair({"name": "王建国", "former": "王狗娃"}, {"name": "王狗娃"})["name"] == "former"
    assert one_pair({"name": "王建国"}, {"name": "李春(又名王建国)"})["name"] == "former"


def test_within_one_table_a_misspelt_name_does_not_count_as_a_name_that_somebody_bears() -> None:
    people = invented.people(200, 5)
    people[0]["name"], people[1]["name"] = "荷花", "荷萑"
    left, right, names = coded(invented.records(people), invented.records(people))
    population = Population(left, right)
    distinct, counts = counted(left.own_name.astype(np.uint64))
    channel = NameChannel(pl.DataFrame({"name": names.texts.gather(distinct), "count": counts}))
    sounds = Index(left, right, names).sounds
    pair = Pairs(np.array([1], np.int32), np.array([0], np.int32))
    said = [
        Comparer(left, right, names, sounds, channel, population, one_table=one_table).compare(pair)
        for one_table in (False, True)
    ]
    two_tables, one_table = (found.evidence["name"] for found in said)
    assert (
        level_name("name", int(one_table.level[0])) == level_name("name", int(two_tables.level[0])) == "shape"
    )
    assert one_table.bits[0] > two_tables.bits[0] + 1


def test_levels_of_numbers_are_those_of_the_model() -> None:
    levels = BY_NAME["id"].levels
    assert levels.index("equal") + 1 == identity.EQUAL
    assert levels.index("relative") + 1 == identity.RELATIVE
    assert levels.index("other_person") + 1 == identity.OTHER_PERSON
    assert levels.index("other") + 1 == identity.OTHER
    assert levels.index("differs") + 1 == identity.DIFFERS


def test_a_passport_beside_an_identity_number_says_nothing() -> None:
    said = one_pair({"id": NUMBER}, {"id": "E12345678"})
    assert (said["id"], said["hidden_id"]) == (None, None)


def test_a_number_of_somebody_at_an_office_telephone_is_not_a_relative_s() -> None:
    """Thirteen people at one telephone are no household: whose number it is says nothing then."""
    people = invented.people(40, 5)
    for row in people[:13]:
        row |= {"phone": "13900001111", "address": None, "household": None}
    theirs = dict.fromkeys(invented.COLUMNS) | {"no": 1, "name": people[0]["name"], "id": people[1]["id"]}
    _, _, _, found = compared(invented.Tables(people, [theirs], [None]))
    assert level_name("id", int(found.evidence["id"].level[0])) == "other_person"
    small = [row | ({"phone": None} if n > 1 else {}) for n, row in enumerate(people)]
    _, _, _, found = compared(invented.Tables(small, [theirs], [None]))
    assert level_name("id", int(found.evidence["id"].level[0])) == "relative"
