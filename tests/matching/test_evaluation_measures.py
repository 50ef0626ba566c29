"""Measures against slow and obvious versions, laws that any measure keeps, samples for reviewers, drift."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import evaluation
from tests.matching import world

DAY = date(2025, 11, 17)
Cases = list[tuple[int, int | None]]
cases = st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 4))), max_size=14)


def tables(rows: Cases) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links and truth of records with a true and a found person."""
    keys = [f"k{i:03d}" for i in range(len(rows))]
    truth = pl.DataFrame(
        {"identity_key": keys, "source_class": ["x"] * len(rows), "true_person_id": [t for t, _ in rows]},
        schema={"identity_key": pl.String, "source_class": pl.String, "true_person_id": pl.Int64},
    )
    links = pl.DataFrame(
        {"identity_key": keys, "person_id": [p for _, p in rows]},
        schema={"identity_key": pl.String, "person_id": pl.Int64},
    ).drop_nulls()
    return (
        links.with_columns(
            pl.lit("x").alias("source_class"), pl.lit("A").alias("grade"), pl.lit("P1").alias("pass_id")
        ),
        truth,
    )


def slow_bcubed(rows: Cases) -> tuple[float, float] | None:
    """Bagga and Baldwin's sums, written out record by record."""
    if not rows:
        return None
    found = [p if p is not None else f"alone {n}" for n, (_, p) in enumerate(rows)]
    precision = recall = 0.0
    for e in range(len(rows)):
        mates = {i for i in range(len(rows)) if found[i] == found[e]}
        family = {i for i in range(len(rows)) if rows[i][0] == rows[e][0]}
        precision += len(mates & family) / len(mates)
        recall += len(mates & family) / len(family)
    return precision / len(rows), recall / len(rows)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(cases)
def test_bcubed_against_the_sums_written_out(rows: Cases) -> None:
    links, truth = tables(rows)
    found = evaluation.bcubed(links, truth).row(0, named=True)
    assert found["identities"] == len(rows)
    expected = slow_bcubed(rows)
    if expected is None:
        assert found["precision"] is None
        assert found["recall"] is None
    else:
        assert found["precision"] == pytest.approx(expected[0], abs=1e-12)
        assert found["recall"] == pytest.approx(expected[1], abs=1e-12)


def test_bcubed_of_the_example_of_the_literature() -> None:
    # Bagga and Baldwin 1998, figures 1-3: 1-5, 6-7 and 8-12 in truth; the second and the third put together.
    truth = [0] * 5 + [1] * 2 + [2] * 5
    second = [0] * 5 + [1] * 2 + [1] * 5
    first = [0] * 5 + [1] * 2 + [0] * 5
    for response, precision in ((second, 0.76190), (first, 0.58333)):
        links, known = tables(list(zip(truth, response, strict=True)))
        found = evaluation.bcubed(links, known).row(0, named=True)
        assert found["precision"] == pytest.approx(precision, abs=1e-5)
        assert found["recall"] == 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases.filter(bool), st.randoms(use_true_random=False))
def test_permuting_rows_and_renaming_persons_changes_nothing(rows: Cases, random: Any) -> None:
    links, truth = tables(rows)
    names = list(range(10, 15))
    random.shuffle(names)
    other = links.with_columns(
        pl.col("person_id").replace_strict(dict(enumerate(names)), return_dtype=pl.Int64)
    )
    orders = [random.sample(range(f.height), f.height) for f in (other, truth)]
    other, shuffled = other[orders[0]], truth[orders[1]]
    assert evaluation.bcubed(links, truth).equals(evaluation.bcubed(other, shuffled))
    assert evaluation.pairwise(links, truth).equals(evaluation.pairwise(other, shuffled))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=14))
def test_perfect_links_give_one_everywhere(people: list[int]) -> None:
    links, truth = tables([(p, p) for p in people])
    judged = evaluation.judged(links, truth)
    assert set(judged["verdict"]) == {"right"}
    total = evaluation.summary(judged).row(0, named=True)
    assert (total["precision"], total["recall"], total["precision_high"]) == (1, 1, 1)
    cubed = evaluation.bcubed(links, truth).row(0, named=True)
    assert cubed["precision"] == pytest.approx(1)
    assert cubed["recall"] == pytest.approx(1)
    persons = evaluation.per_person(judged).row(0, named=True)
    assert (persons["persons"], persons["all_right"], persons["share"]) == (len(set(people)),) * 2 + (1,)
    drift = evaluation.drift(*[evaluation.picture(links, registered(truth))] * 2)
    assert not drift["is_alarm"].any()


def registered(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.select("identity_key", "source_class", pl.lit("王建国").alias("person_name"))


# --- intervals


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe 1998, table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_of_the_literature(hits: int, of: int, low: float, high: float) -> None:
    row = pl.DataFrame({"k": [hits], "n": [of]}).select(evaluation.wilson(pl.col("k"), pl.col("n"), "p"))
    assert row["p"][0] == hits / of
    assert row["p_low"][0] == pytest.approx(low, abs=6e-5)
    assert row["p_high"][0] == pytest.approx(high, abs=6e-5)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(1, 5000), st.floats(0, 1))
def test_an_interval_solves_the_equation_of_the_score(of: int, share: float) -> None:
    hits = round(share * of)
    row = pl.DataFrame({"k": [hits], "n": [of]}).select(evaluation.wilson(pl.col("k"), pl.col("n"), "p"))
    low, p, high = row["p_low"][0], row["p"][0], row["p_high"][0]
    assert 0 <= low <= p <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(p - end) == pytest.approx(
                evaluation.Z * math.sqrt(end * (1 - end) / of), rel=1e-6, abs=1e-9
            )


def test_nothing_to_measure_is_null_not_one() -> None:
    links, truth = tables([])
    total = evaluation.summary(evaluation.judged(links, truth)).row(0, named=True)
    assert total["identities"] == 0
    assert [total[c] for c in ("precision", "precision_low", "recall", "recall_high")] == [None] * 4
    assert evaluation.per_person(evaluation.judged(links, truth))["share"].to_list() == [None]


# --- verdicts, persons, groups


def test_namesakes_and_relatives_are_counted_apart() -> None:
    truth = pl.DataFrame(
        {
            "identity_key": list("abcdefg"),
            "source_class": ["ps_resident"] * 4 + ["x"] * 3,
            "true_person_id": [1, 2, 3, 4, 1, 2, 3],
        }
    )
    links = pl.DataFrame(
        {
            "identity_key": list("abcdefg"),
            "source_class": ["ps_resident"] * 4 + ["x"] * 3,
            "person_id": [10, 20, 30, 40, 20, 30, 10],
            "grade": ["A"] * 7,
            "pass_id": ["P1"] * 7,
        }
    )
    kin = pl.DataFrame({"true_person_id": [1], "relative_id": [2]})
    names = pl.DataFrame({"true_person_id": [1, 2, 3, 4], "name": ["王伟", "李静", "李静", "王伟"]})
    judged = evaluation.judged(links, truth, kin, names)
    assert dict(judged.select("identity_key", "verdict").rows()) == {
        **dict.fromkeys("abcd", "right"),
        "e": "wrong_relative",
        "f": "wrong_namesake",
        "g": "wrong",
    }
    total = evaluation.summary(judged).row(0, named=True)
    assert total["precision"] == 4 / 7
    # Of the four persons only the fourth is spoiled neither by a record that is elsewhere nor by one that is not theirs.
    persons = evaluation.per_person(judged).row(0, named=True)
    assert (persons["persons"], persons["all_right"], persons["share"]) == (4, 1, 0.25)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cases)
def test_persons_against_looking_at_each(rows: Cases) -> None:
    links, truth = tables(rows)
    judged = evaluation.judged(links, truth)
    lines = judged.to_dicts()
    due = {r["true_person_id"] for r in lines if r["true_person_id"] is not None and r["verdict"] != "absent"}
    good = 0
    for person in due:
        own = [r for r in lines if r["true_person_id"] == person and r["verdict"] != "absent"]
        homes = {r["person_id"] for r in own if r["verdict"] == "right"}
        guests = [r for r in lines if r["person_id"] in homes and r["verdict"] in evaluation.WRONG]
        good += all(r["verdict"] == "right" for r in own) and not guests
    found = evaluation.per_person(judged).row(0, named=True)
    assert (found["persons"], found["all_right"]) == (len(due), good)


def test_bands_hold_every_probability_once() -> None:
    values = [0.0, 0.2, 0.499, 0.5, 0.9, 0.97, 0.999, 0.99989, 0.9999, 1.0, None]
    found = pl.DataFrame({"p": values}, schema={"p": pl.Float64}).select(evaluation.band(pl.col("p")))["band"]
    assert found.to_list() == [
        *["0.0000-0.5000"] * 3,
        "0.5000-0.8000",
        "0.9000-0.9500",
        "0.9500-0.9800",
        "0.9990-0.9999",
        "0.9990-0.9999",
        *["0.9999-1.0000"] * 2,
        None,
    ]
    judged = pl.DataFrame({"band": ["a", "a", "b"], "verdict": ["right", "wrong", "right"]})
    by_band = evaluation.summary(judged, ["band"])
    assert by_band["precision"].to_list() == [0.5, 1.0]
    assert by_band["recall"].to_list() == [None, None]


def test_groups() -> None:
    local = "150902197005010117"
    people = {
        "plain": {"person_name": "王建国", "resident_id": local, "birth_date": date(1970, 5, 1)},
        "dotted": {"person_name": "阿依古丽·买买提", "resident_id": local, "birth_date": date(1970, 5, 1)},
        "long": {"person_name": "阿拉坦其其格", "resident_id": local},
        "child": {"person_name": "王小红", "birth_date": DAY - timedelta(days=365 * 5)},
        "old": {"person_name": "王伟", "resident_id": "150902195011170012"},
        "compound": {"person_name": "欧阳修", "resident_id": local},
        "compound_two": {"person_name": "欧阳", "resident_id": "无"},
        "elsewhere": {"person_name": "李建国", "resident_id": "510681197005010117"},
        "moved_here": {
            "person_name": "李建国",
            "resident_id": "510681197005010117",
            "village_code": "150902100200",
        },
    }
    rows = world.frame([world.identity(identity_key=key, last_batch=DAY, **f) for key, f in people.items()])
    found: dict[str, set[str]] = {key: set() for key in people}
    for key, group in evaluation.groups(rows, ["1509"]).rows():
        found[key].add(group)
    assert found == {
        "plain": set(),
        "dotted": {"minority"},
        "long": {"minority"},
        "child": {"under_6", "no_id"},
        "old": {"over_70", "one_character_name"},
        "compound": {"one_character_name"},
        "compound_two": {"one_character_name", "no_id"},
        "elsewhere": {"non_local"},
        "moved_here": set(),
    }
    judged = pl.DataFrame(
        {"identity_key": ["plain", "old", "child"], "verdict": ["right", "missed", "wrong"]}
    )
    by_group = evaluation.by_group(judged, evaluation.groups(rows, ["1509"]))
    assert dict(by_group.select("group", "recall").rows()) == {
        "no_id": 0,
        "one_character_name": 0,
        "others": 1,
        "over_70": 0,
        "under_6": 0,
    }


# --- clerical samples


@pytest.fixture(scope="module")
def linked() -> tuple[pl.DataFrame, pl.DataFrame]:
    """600 people with a register row and a second record; probabilities by position."""
    people = world.population(600, 5)
    register = world.extract(people, "ps_resident", 1, 5, share=1.0)
    second = world.extract(people, "mi_enrolment", 2, 6, share=0.9, misspelt=0.1)
    forms = pl.concat([register, second])
    links = forms.select(
        "identity_key",
        "source_class",
        pl.col("true_person_id").alias("person_id"),
        pl.when(pl.col("tier") == 1).then(pl.lit("A")).otherwise(pl.lit("B")).alias("grade"),
        pl.when(pl.col("tier") == 1).then(pl.lit("P1")).otherwise(pl.lit("MB")).alias("pass_id"),
    ).with_row_index("_n")
    links = links.with_columns(
        pl.when(pl.col("grade") == "B")
        .then(
            pl.when(pl.col("_n") % 40 == 0)
            .then(0.3)
            .when(pl.col("_n") % 3 == 0)
            .then(0.985)
            .otherwise(0.99995)
        )
        .alias("probability")
    )
    return links.drop("_n"), forms.drop("true_person_id")


def test_a_sample_is_stratified_blind_and_repeatable(linked: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    links, forms = linked
    sample = evaluation.clerical_sample(links, forms, 60, 1)
    sizes = Counter(sample["stratum"])
    assert set(sizes) == {"0.0000-0.5000", "0.9800-0.9900", "0.9999-1.0000"}
    rare = links.filter(pl.col("probability") == 0.3).height
    assert sizes["0.0000-0.5000"] == min(20, rare)
    assert sum(sizes.values()) == 60
    of = dict(sample.select("stratum", "in_stratum").unique().iter_rows())
    assert of["0.0000-0.5000"] == rare
    assert sum(of.values()) == links.filter(pl.col("grade") == "B").height
    assert sample["identity_key"].n_unique() == 60
    again = evaluation.clerical_sample(links.sample(fraction=1, shuffle=True, seed=9), forms.reverse(), 60, 1)
    assert again.equals(sample)
    assert not evaluation.clerical_sample(links, forms, 60, 2).equals(sample)
    # Bands stand in no order, so that the place in the sheet says nothing.
    assert sample["stratum"].to_list() != sample["stratum"].sort().to_list()


def test_the_sheet_says_neither_how_sure_nor_whose_number(linked: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    links, forms = linked
    sample = evaluation.clerical_sample(links, forms, 200, 1)
    sheet = sample.select(evaluation.clerical_columns(sample))
    assert not {"stratum", "in_stratum", "identity_key", "person_id", "grade"} & set(sheet.columns)
    assert sheet["姓名（人员）"].str.len_chars().min() > 1  # type: ignore[operator]
    text = sheet.write_csv()
    for number in [*forms["resident_id"].drop_nulls(), *forms["phone"].drop_nulls()]:
        assert number not in text
    assert sheet.filter(pl.col("姓名（人员）").str.contains("【", literal=True)).height > 5


def test_more_asked_for_than_there_is_gives_everything(linked: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    links, forms = linked
    few = links.filter((pl.col("grade") == "A") | (pl.col("probability") == 0.3))
    sample = evaluation.clerical_sample(few, forms, 10_000, 1)
    assert set(sample["identity_key"]) == set(few.filter(pl.col("grade") == "B")["identity_key"])
    assert evaluation.clerical_sample(few.clear(), forms, 10, 1).is_empty()


def test_precision_from_a_judged_sheet() -> None:
    sheet = pl.DataFrame(
        {
            "stratum": ["a"] * 4 + ["b"] * 2 + ["c"],
            "in_stratum": [900] * 4 + [100] * 2 + [50],
            "answer": ["same", "same", "same", "not_same", "not_same", "unsure", None],
        }
    )
    found = {r["stratum"]: r for r in evaluation.from_clerical(sheet).to_dicts()}
    assert (found["a"]["precision"], found["b"]["precision"], found["c"]["precision"]) == (0.75, 0.0, None)
    assert found["b"]["precision_at_worst"] == 0.0
    assert found["c"]["answered"] == 0
    total = found["all"]
    assert total["in_stratum"] == 1000
    assert total["precision"] == pytest.approx(0.9 * 0.75)
    low = 0.675 - math.sqrt((0.9 * (0.75 - found["a"]["precision_low"])) ** 2 + 0.0)
    high = 0.675 + math.sqrt(
        (0.9 * (found["a"]["precision_high"] - 0.75)) ** 2 + (0.1 * found["b"]["precision_high"]) ** 2
    )
    assert total["precision_low"] == pytest.approx(low)
    assert total["precision_high"] == pytest.approx(min(high, 1))
    with pytest.raises(ValueError, match="1 answers"):
        evaluation.from_clerical(sheet.with_columns(pl.Series("answer", ["yes", *[None] * 6])))


def test_one_stratum_is_simply_wilson() -> None:
    sheet = pl.DataFrame(
        {"stratum": ["a"] * 50, "in_stratum": [9] * 50, "answer": ["same"] * 49 + ["not_same"]}
    )
    one, total = evaluation.from_clerical(sheet).to_dicts()
    assert {k: v for k, v in total.items() if k != "stratum"} == pytest.approx(
        {k: v for k, v in one.items() if k != "stratum"}
    )


# --- drift


def test_two_nights_alike_raise_no_alarm_and_a_silent_column_does(
    linked: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    links, forms = linked
    before = evaluation.picture(links, forms)
    assert not evaluation.drift(before, before)["is_alarm"].any()
    assert evaluation.drift(before, before)["change"].fill_null(0).abs().max() == 0
    silent = forms.with_columns(pl.when(pl.col("source_class") != "mi_enrolment").then("sex").alias("sex"))
    found = evaluation.drift(evaluation.picture(links, silent), before)
    alarms = found.filter("is_alarm")
    assert ("null", "mi_enrolment.sex") in alarms.select("measure", "item").rows()
    assert set(alarms["measure"]) == {"null", "pattern"}
    row = alarms.filter(pl.col("measure") == "null").row(0, named=True)
    assert (row["share_before"], row["share"]) == (0, 1)
    assert row["reason_zh"] == "空值比例 mi_enrolment.sex 由0.0%变为100.0%，超出界限，请核查。"


def test_links_that_are_lost_and_persons_that_grow_raise_an_alarm(
    linked: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    links, forms = linked
    before = evaluation.picture(links, forms)
    lost = links.filter((pl.col("pass_id") != "MB") | (pl.col("probability") > 0.99))
    alarms = evaluation.drift(evaluation.picture(lost, forms), before).filter("is_alarm")
    assert {("pass", "none"), ("pass", "MB"), ("grade", "none"), ("size", "1")} <= set(
        alarms.select("measure", "item").rows()
    )
    chained = links.with_columns(pl.col("person_id") // 4)
    alarms = evaluation.drift(evaluation.picture(chained, forms), before).filter("is_alarm")
    assert set(alarms["measure"]) == {"size"}
    assert ("size", "4-7") in alarms.select("measure", "item").rows()


def test_a_small_source_does_not_cry_wolf() -> None:
    def night(nulls: int, of: int) -> pl.DataFrame:
        return pl.DataFrame(
            {"measure": ["null"], "item": ["x.sex"], "count": [nulls], "of": [of]}, schema=evaluation.PICTURE
        )

    assert not evaluation.drift(night(3, 10), night(1, 10))["is_alarm"].any()
    assert evaluation.drift(night(3000, 10_000), night(1000, 10_000))["is_alarm"].all()
    assert not evaluation.drift(night(1040, 10_000), night(1000, 10_000))["is_alarm"].any()
    # A class that did not come has no share of nothing.
    gone = evaluation.drift(night(0, 0), night(1000, 10_000))
    assert gone["share"].to_list() == [None]
    assert not gone["is_alarm"].any()


def test_a_picture_names_nobody_and_adds_up(linked: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    links, forms = linked
    picture = evaluation.picture(links, forms)
    for measure in ("pass", "grade", "pattern", "size"):
        part = picture.filter(pl.col("measure") == measure)
        assert part["count"].sum() == part["of"].max()
    text = picture.write_csv()
    assert not any(name in text for name in forms["person_name"].drop_nulls().unique())
