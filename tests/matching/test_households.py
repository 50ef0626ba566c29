"""Households: cases a registrar can read, and laws on random families."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching import households
from matching.households import cases, couples, exclusions, frames
from matching.households.cases import Case

DAY = date(2025, 11, 17)
FILES = sorted((Path(__file__).parent / "cases" / "households").glob("*.yaml"))
CASES = [(path.stem, case) for path in FILES for case in cases.read_cases(path)]
HOME = cases.HOME


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A fact table from rows that say only what matters; every link is certain."""
    columns = {c: frames.dtype(c) for c in (*frames.READ[name], "source_class", "data_as_of")}
    grades = {
        c.removesuffix("person_id") + "link_grade": pl.String() for c in columns if c.endswith("person_id")
    }
    filled = [
        dict.fromkeys(columns) | dict.fromkeys(grades, "A") | {"source_class": name, "data_as_of": DAY} | row
        for row in rows
    ]
    return pl.DataFrame(filled, schema=columns | grades)


def facts_of(body: dict[str, Any]) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    case = Case.model_validate({"name": "", "expect": {"families": []}} | body)
    facts, ids, _ = cases.facts_of(case, case)
    return facts, ids


def named(name: str) -> dict[str, Any]:
    """The body of one case of the files."""
    (found,) = [case for _, case in CASES if case.name == name]
    return found.model_dump()


@pytest.mark.parametrize("case", [c for _, c in CASES], ids=[f"{f}: {c.name}" for f, c in CASES])
def test_cases(case: Case) -> None:
    assert cases.check(case) == []
    for _, result, _, _ in cases.results(case):
        assert result.household["members"].sum() == len(result.household_member)


def test_a_case_that_does_not_hold_says_what_was_found() -> None:
    body = named("a family in one book") | {
        "expect": {"families": [["man"], ["wife", "child"]], "check": ["child"]}
    }
    assert cases.check(Case.model_validate(body)) == [
        "families: found [['child', 'man', 'wife']], expected [['child', 'wife'], ['man']]",
        "check: found [], expected ['child']",
    ]


def test_a_file_of_cases_that_cannot_be_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("- {name: x, people: {}, wives: {}, expect: {families: []}}", encoding="utf-8")
    assert cases.main([str(path)]) == 2
    assert "bad.yaml: x: wives" in capsys.readouterr().err
    path.write_text("- {name: x, people: {a: [男, 1980-01-01]}, expect: {families: []}}", encoding="utf-8")
    assert cases.main([str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad.yaml: x",
        "    families: found [['a']], expected []",
        "1 cases, 1 do not hold",
    ]


@pytest.mark.parametrize(
    ("collective", "size", "dead", "together"),
    [
        (None, 12, 0, True),
        (None, 13, 0, False),
        (None, 13, 1, True),
        (False, 13, 0, True),
        (False, 20, 0, True),
        (False, 21, 0, False),
        (False, 23, 3, True),
    ],
)
def test_a_book_too_large_for_a_family(collective: bool | None, size: int, dead: int, together: bool) -> None:
    names = [f"p{n:02d}" for n in range(size)]
    kind = "unstated" if collective is None else "books"
    facts, _ = facts_of(
        {
            "people": {n: ["1", date(1980, 1, 1)] for n in names},
            kind: {"b1": {n: "02" if n == names[0] else "80" for n in names}},
            "deaths": dict.fromkeys(names[size - dead :], date(2020, 1, 1)),
        }
    )
    result = households.assemble(facts, None, DAY)
    assert len(result.household) == (1 if together else size - dead)
    assert len(result.household_member) == size - dead
    same = result.household_edge.filter(pl.col("kind") == "same_register")
    assert same.is_empty() is not together


def test_what_one_row_of_a_book_does_not_say_another_does() -> None:
    facts, ids = facts_of(
        {
            "people": {n: ["1", date(1980, 1, 1)] for n in "abcd"},
            "collective": {"b1": {"a": "80"}},
            "unstated": {"b1": {"b": "80"}, "b2": {"c": "02"}},
            "books": {"b2": {"d": "80"}},
        }
    )
    result = households.assemble(facts, None, DAY)
    homes = dict(result.household_member.select("person_id", "household_id").iter_rows())
    assert homes[ids["a"]] != homes[ids["b"]]
    assert homes[ids["c"]] == homes[ids["d"]]


def test_relation_place_and_head_come_from_the_book() -> None:
    facts, ids = facts_of(named("three generations stay in one book, and somebody looks"))
    result = households.assemble(facts, None, DAY)
    home = result.household.row(0, named=True)
    assert home == {
        "household_id": 1,
        "head_person_id": ids["old"],
        "county_code": "150902",
        "township_code": "150902100",
        "village_code": HOME,
        "urban_rural": "2",
        "members": 4,
    }
    assert result.household_member["relation"].to_list() == ["02", "20", "38", "42"]
    spouse = result.household_edge.filter(pl.col("kind") == "spouse").row(0, named=True)
    assert (spouse["source_class"], spouse["since"], spouse["until"], spouse["confidence"]) == (
        "ca_marriage",
        date(2010, 5, 1),
        None,
        "certain",
    )


def test_an_edge_ends_with_divorce_and_death() -> None:
    facts, _ = facts_of(named("after a divorce each lives in the own book"))
    facts["death"] = table("death", [{"person_id": 1, "death_date": date(2024, 1, 1)}])
    edges = households.assemble(facts, None, DAY).household_edge.filter(pl.col("kind") == "spouse")
    assert edges["until"].to_list() == [date(2023, 5, 1)]


def test_a_link_in_review_buries_nobody_and_marries_nobody() -> None:
    facts, _ = facts_of(named("the dead leave from the month after death"))
    facts["death"] = facts["death"].with_columns(pl.lit("C").alias("link_grade"))
    assert len(households.assemble(facts, None, DAY).household_member) == 2
    facts, _ = facts_of(
        named("a wife who is still in her parents' book lives with her husband, and somebody looks")
    )
    facts["marriage"] = facts["marriage"].with_columns(pl.lit("C").alias("female_link_grade"))
    result = households.assemble(facts, None, DAY)
    assert result.household_edge.filter(pl.col("kind") == "spouse").is_empty()


def test_ids_survive_the_night_by_majority_and_are_never_used_again() -> None:
    facts, _ = facts_of(
        named(
            "a couple that lives elsewhere than the head of its book is a household of its own, with its children"
        )
    )
    joined = {k: v for k, v in facts.items() if k != "residence"}
    first = households.assemble(joined, None, DAY)
    assert first.household["household_id"].to_list() == [1]
    # The couple with the child moves out: three of four keep the id, the one who stays gets a new one.
    second = households.assemble(facts, first.frames(), DAY + timedelta(days=1))
    assert second.household_member.filter(pl.col("person_id") == 1)["household_id"].to_list() == [2]
    told = ["event", "household_id", "other_household_id", "person_id", "reason"]
    assert second.household_event.select(told).rows() == [
        ("leave", 1, 2, 1, "household"),
        ("split", 2, 1, None, None),
    ]
    third = households.assemble(joined, second.frames(), DAY + timedelta(days=2))
    assert third.household_event.select(told).rows() == [
        ("join", 1, 2, 1, "register"),
        ("merge", 2, 1, None, None),
    ]
    fourth = households.assemble(facts, third.frames(), DAY + timedelta(days=3))
    assert fourth.household["household_id"].to_list() == [1, 3]


def test_nothing_is_known() -> None:
    result = households.assemble({}, None, DAY)
    for name, schema in (
        ("household", households.HOUSEHOLD),
        ("household_member", households.MEMBER),
        ("household_edge", households.EDGE),
        ("household_event", households.EVENT),
    ):
        assert result.frames()[name].is_empty()
        assert result.frames()[name].schema == schema


PEOPLE = 10
ids_ = st.integers(1, PEOPLE)
days = st.dates(date(1990, 1, 1), date(2025, 12, 31))
worlds = st.fixed_dictionaries(
    {
        "births": st.lists(st.dates(date(1940, 1, 1), DAY), min_size=PEOPLE, max_size=PEOPLE),
        "books": st.lists(
            st.tuples(
                ids_,
                st.sampled_from(["b1", "b2", "b3"]),
                ids_,
                st.sampled_from(["02", "12", "20", "38", "51", "80", None]),
                st.one_of(st.none(), days),
            ),
            max_size=14,
        ),
        "collective": st.sets(st.sampled_from(["b1", "b2", "b3"]), max_size=1),
        "marriages": st.lists(st.tuples(ids_, ids_, st.sampled_from(["1", "1", "2", "4"]), days), max_size=6),
        "parents": st.lists(st.tuples(ids_, ids_), max_size=6),
        "deaths": st.lists(st.tuples(ids_, st.one_of(st.none(), days)), max_size=2),
        "custody": st.lists(st.tuples(ids_, st.sampled_from("12345"), days), max_size=2),
        "lives": st.lists(st.tuples(ids_, st.sampled_from([HOME, "150902101200"])), max_size=5),
        "pupils": st.lists(st.tuples(ids_, st.one_of(st.none(), ids_), st.sampled_from("1235")), max_size=4),
        "disabled": st.lists(st.tuples(ids_, st.sampled_from("123")), max_size=3),
        "flats": st.lists(st.tuples(ids_, st.sampled_from(["f1", "f2"])), max_size=4),
        "cases": st.lists(st.tuples(ids_, st.sampled_from(["c1", "c2"]), st.sampled_from("14")), max_size=5),
    }
)


def random_facts(drawn: dict[str, Any]) -> dict[str, pl.DataFrame]:
    everyone = range(1, PEOPLE + 1)
    return {
        "person": table(
            "person",
            [
                {
                    "person_id": i,
                    "sex": "12"[i % 2],
                    "birth_date": drawn["births"][i - 1],
                    "is_registered": True,
                }
                for i in everyone
            ],
        ),
        "registered_resident": table(
            "registered_resident",
            [{"person_id": i, "village_code": HOME, "register_status": "1"} for i in everyone],
        ),
        "register_membership": table(
            "register_membership",
            [
                {
                    "person_id": p,
                    "register_id": b,
                    "head_person_id": h,
                    "relation_to_head": r,
                    "leave_date": leave,
                    "is_collective": b in drawn["collective"],
                }
                for p, b, h, r, leave in drawn["books"]
            ],
        ),
        "marriage": table(
            "marriage",
            [
                {"male_person_id": a, "female_person_id": b, "reg_type": k, "reg_date": d}
                for a, b, k, d in drawn["marriages"]
            ],
        ),
        "birth": table("birth", [{"person_id": c, "mother_person_id": m} for c, m in drawn["parents"]]),
        "death": table("death", [{"person_id": p, "death_date": d} for p, d in drawn["deaths"]]),
        "custody": table(
            "custody",
            [
                {"person_id": p, "custody_type": k, "start_date": d, "status": "1"}
                for p, k, d in drawn["custody"]
            ],
        ),
        "residence": table("residence", [{"person_id": p, "village_code": v} for p, v in drawn["lives"]]),
        "school_enrolment": table(
            "school_enrolment",
            [{"person_id": p, "guardian_person_id": g, "status": s} for p, g, s in drawn["pupils"]],
        ),
        "disability": table(
            "disability",
            [{"person_id": p, "dis_type": "4", "dis_grade": g, "status": "1"} for p, g in drawn["disabled"]],
        ),
        "housing_aid_member": table(
            "housing_aid_member", [{"person_id": p, "row_key": f} for p, f in drawn["flats"]]
        ),
        "assistance_case": table(
            "assistance_case",
            [
                {"person_id": p, "case_id": c, "status": s, "category": "1", "village_code": HOME}
                for p, c, s in drawn["cases"]
            ],
        ),
        "assistance_member": table(
            "assistance_member", [{"person_id": p, "case_id": c} for p, c, _ in drawn["cases"]]
        ),
    }


few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@few
@given(worlds, worlds)
def test_laws_of_households(drawn: dict[str, Any], tomorrow: dict[str, Any]) -> None:
    facts = random_facts(drawn)
    first = households.assemble(facts, None, DAY)
    member = first.household_member
    # Everybody who is alive and not in prison or rehabilitation, in exactly one household; nobody else but the last of a case.
    buried = {p for p, d in drawn["deaths"] if d and d < DAY.replace(day=1)}
    inside = {p for p, k, d in drawn["custody"] if k in "34" and d <= DAY}
    kept = set(member.filter(pl.col("basis") == "case")["person_id"])
    assert member["person_id"].is_unique().all()
    assert set(member["person_id"]) == set(range(1, PEOPLE + 1)) - buried - inside | kept
    assert kept <= (buried | inside) & {p for p, _, _ in drawn["cases"]}
    assert set(member["household_id"]) == set(first.household["household_id"])
    heads = first.household.join(
        member, left_on=["household_id", "head_person_id"], right_on=["household_id", "person_id"], how="anti"
    )
    assert heads.is_empty()
    assert (member.group_by("household_id").agg((pl.col("relation") == "02").sum())["relation"] >= 1).all()
    leads = member.group_by("household_id").agg((pl.col("dependant_kind") == "head").sum())["dependant_kind"]
    assert (leads == 1).all()
    assert (member["needs_check"] == member["check_zh"].is_not_null()).all()

    # Husband and wife whom no record gives anybody else are of one household.
    home = dict(member.select("person_id", "household_id").iter_rows())
    open_ = [
        (row["person_id_a"], row["person_id_b"])
        for row in first.household_edge.iter_rows(named=True)
        if row["kind"] == "spouse" and row["until"] is None and row["confidence"] != "needs_check"
    ]
    ends = [p for pair in open_ for p in pair]
    for a, b in open_:
        if ends.count(a) == ends.count(b) == 1 and a in home and b in home:
            assert home[a] == home[b]
    # Whoever is of one's household is no supporter from outside.
    assert not {
        (row["person_id_a"], row["person_id_b"])
        for row in first.household_edge.iter_rows(named=True)
        if row["kind"] == "supporter" and home.get(row["person_id_a"]) == home[row["person_id_b"]]
    }

    # The order of rows does not matter, and the same night twice changes nothing.
    turned = {name: frame.reverse() for name, frame in facts.items()}
    for name, frame in households.assemble(turned, None, DAY).frames().items():
        assert frame.equals(first.frames()[name]), name
    again = households.assemble(facts, first.frames(), DAY)
    assert again.household_event.is_empty()
    assert again.household_member.equals(member)

    # Ids come from last night or are new, and new ones are higher than any before.
    second = households.assemble(random_facts(tomorrow), first.frames(), DAY)
    known = set(first.household["household_id"])
    fresh = set(second.household["household_id"]) - known
    assert all(h > max(known) for h in fresh)
    made = second.household_event.filter(pl.col("event").is_in(["form", "split"]))["household_id"]
    assert set(made) == fresh
    ended = second.household_event.filter(pl.col("event").is_in(["merge", "dissolve"]))["household_id"]
    assert set(ended) == known - set(second.household["household_id"])

    # An id is not used again, even if its household was gone for a night.
    third = households.assemble(facts, second.frames(), DAY)
    gone = known - set(second.household["household_id"])
    assert not gone & set(third.household["household_id"])

    # A night upon another is the night rebuilt: only the numbers of households differ.
    rebuilt = households.assemble(random_facts(tomorrow), None, DAY)
    assert without_ids(rebuilt) == without_ids(second)

    # Who changed households has an event, and nobody else.
    assert moved(first, second) == told(second)


def without_ids(night: households.Households) -> dict[str, Any]:
    """The frames of a night without numbers of households: families as sets of their people, members, edges and the rest."""
    member = night.household_member
    return {
        "families": {
            frozenset(people) for _, people in member.group_by("household_id").agg("person_id").iter_rows()
        },
        "members": sorted(map(str, member.drop("household_id").iter_rows())),
        "edges": night.household_edge.rows(),
        "conflicts": night.household_conflict.rows(),
        "exclusions": night.household_exclusion.rows(),
        "declared": night.household_declared.drop("household_id", "person_household_id").rows(),
    }


def moved(first: households.Households, second: households.Households) -> set[tuple[str, int, int]]:
    """Who came into, and who left, a household that is there on both nights."""
    was, now = (
        set(night.household_member.select("household_id", "person_id").iter_rows())
        for night in (first, second)
    )
    lasting = {h for h, _ in was} & {h for h, _ in now}
    return {("join", h, p) for h, p in now - was if h in lasting} | {
        ("leave", h, p) for h, p in was - now if h in lasting
    }


def told(night: households.Households) -> set[tuple[str, int, int]]:
    """The events of people."""
    people = night.household_event.filter(pl.col("person_id").is_not_null())
    return set(people.select("event", "household_id", "person_id").iter_rows())


def slow_couples(marriages: list[tuple[int, int, str, date]]) -> set[tuple[int, int]]:
    """Who is married, told the long way round."""
    state: dict[tuple[int, int], tuple[date, bool]] = {}
    since: dict[tuple[int, int], date] = {}
    for a, b, kind, on in sorted(marriages, key=lambda m: (m[3], m[2] in "23")):
        if a == b:
            continue
        pair = (min(a, b), max(a, b))
        state[pair] = (on, kind in "14")
        if kind == "1" or (kind == "4" and pair not in since):
            since[pair] = on
    newest: dict[int, date] = {}
    for pair, on in since.items():
        for person in pair:
            newest[person] = max(newest.get(person, on), on)
    return {
        pair
        for pair, (_, married) in state.items()
        if married and all(newest[person] <= since[pair] for person in pair)
    }


@few
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.integers(1, 4),
            st.sampled_from(["1", "2", "4"]),
            st.dates(date(2000, 1, 1), date(2000, 1, 9)),
        ),
        max_size=8,
    )
)
def test_couples_against_a_slow_reading_of_the_register(marriages: list[Any]) -> None:
    # A certificate issued again before the wedding was seen is dated by the wedding in both readings or in neither.
    first: dict[tuple[int, int], date] = {}
    for a, b, kind, on in marriages:
        if kind == "1":
            pair = (min(a, b), max(a, b))
            first[pair] = max(first.get(pair, on), on)
    rows = [m for m in marriages if not (m[2] == "4" and (min(m[:2]), max(m[:2])) in first)]
    frame = table(
        "marriage",
        [{"male_person_id": a, "female_person_id": b, "reg_type": k, "reg_date": d} for a, b, k, d in rows],
    )
    empty = {"register_membership": table("register_membership", []), "death": table("death", [])}
    dead = exclusions.deaths(empty["death"])
    sex = pl.DataFrame(schema={"person_id": pl.Int64, "sex": pl.String})
    edges = couples.spouses(frame, empty["register_membership"], dead, sex)
    found = set(edges.filter(pl.col("until").is_null()).select("person_id_a", "person_id_b").rows())
    assert found == slow_couples(rows)
