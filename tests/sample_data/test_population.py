"""The invented people: valid unique numbers, plausible ages, names and families, the same from the same seed."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from data_contracts.resident_id import birth_date_of, division_of, resident_id_is_valid, sex_of
from sample_data import ids, names, places, population

N = 20_000


@pytest.fixture(scope="module")
def shard() -> population.Shard:
    [one] = population.plan(N, seed=11)
    return one


@pytest.fixture(scope="module")
def persons(shard: population.Shard) -> pl.DataFrame:
    return population.people(shard).persons


@pytest.fixture(scope="module")
def living(persons: pl.DataFrame, shard: population.Shard) -> pl.DataFrame:
    days = (pl.lit(shard.on) - pl.col("birth_date")).dt.total_days()
    return persons.filter(pl.col("death_date").is_null()).with_columns(age=days / 365.25)


def test_as_many_people_as_asked_for(living: pl.DataFrame) -> None:
    assert abs(living.height - N) < N * 0.01


def test_same_seed_same_people_other_seed_others(persons: pl.DataFrame, shard: population.Shard) -> None:
    assert population.people(shard).persons.equals(persons, null_equal=True)
    [other] = population.plan(N, seed=12)
    assert not population.people(other).persons["resident_id"].equals(persons["resident_id"])


def test_numbers_are_valid_unique_and_say_birth_and_sex(persons: pl.DataFrame) -> None:
    number = persons["resident_id"]
    assert resident_id_is_valid(number).all()
    assert number.n_unique() == persons.height
    assert birth_date_of(number).equals(persons["birth_date"].alias("resident_id"))
    assert sex_of(number).equals(persons["sex"].alias("resident_id"))
    former = persons["former_resident_id"].drop_nulls()
    assert len(former) > 10
    assert resident_id_is_valid(former).all()
    assert not set(former) & set(number)


def test_fifteen_digits_are_the_same_number(persons: pl.DataFrame) -> None:
    old = persons.filter(pl.col("id15").is_not_null())
    made = old["resident_id"].str.slice(0, 6) + old["resident_id"].str.slice(8, 9)
    assert made.equals(old["id15"].alias(made.name))
    assert old["birth_date"].max() < date(1999, 10, 1)  # type: ignore[operator]


def test_numbers_carry_the_code_in_force_when_they_were_issued(persons: pl.DataFrame) -> None:
    own = persons.with_columns(area=division_of(pl.col("resident_id")), year=pl.col("birth_date").dt.year())
    before = own.filter(pl.col("year") <= 2002)
    since = own.filter(pl.col("year") >= 2003)
    assert not before["area"].str.starts_with("1509").any()
    assert before["area"].str.starts_with("1526").mean() > 0.85  # type: ignore[operator]
    assert not since["area"].str.starts_with("1526").any()


def test_division_history_of_the_place() -> None:
    assert places.code_in_force("150902", 1990) == "152601"
    assert places.code_in_force("150981", 1985) == "152628"
    assert places.code_in_force("150981", 1995) == "152602"
    assert places.code_in_force("150981", 2003) == "150981"


def test_ages_of_an_ageing_prefecture(living: pl.DataFrame) -> None:
    share = living.select(
        child=(pl.col("age") < 15).mean(),
        old=(pl.col("age") >= 60).mean(),
        rural=(pl.col("urban_rural") == "2").mean(),
    ).row(0, named=True)
    assert 0.09 < share["child"] < 0.15
    assert 0.22 < share["old"] < 0.31
    assert 0.51 < share["rural"] < 0.59
    assert living["age"].max() < 112  # type: ignore[operator]


def test_no_birthday_is_shared_by_a_crowd(living: pl.DataFrame) -> None:
    # A clipped age once gave fifty wives of a township one birthday.
    most = living.group_by("birth_date").len()["len"].max()
    assert isinstance(most, int)
    assert most < 20


def test_twins(living: pl.DataFrame) -> None:
    twins = living.filter(pl.col("twin_group").is_not_null())
    assert 0.012 < twins.height / living.height < 0.025
    per = twins.group_by("twin_group").agg(pl.len(), pl.col("birth_date").n_unique().alias("dates"))
    assert (per["dates"] == 1).all()
    assert (per["len"] <= 3).all()


def test_households_of_all_kinds(living: pl.DataFrame) -> None:
    home = living.group_by("true_household_id").agg(
        pl.len().alias("size"),
        (pl.col("age") >= 55).sum().alias("elders"),
        ((pl.col("age") < 16) & ~pl.col("is_away")).sum().alias("kids_here"),
        ((pl.col("age") >= 18) & (pl.col("age") < 55) & ~pl.col("is_away")).sum().alias("able_here"),
        ((pl.col("age") >= 18) & pl.col("is_away")).sum().alias("away"),
        ((pl.col("age") >= 18) & ~pl.col("is_away")).sum().alias("adults_here"),
    )
    size = living.height / home.height
    assert 2.0 < size < 3.0
    left_behind = home.filter((pl.col("kids_here") > 0) & (pl.col("away") > 0) & (pl.col("able_here") == 0))
    assert left_behind.height > 5
    assert (left_behind["elders"] > 0).sum() == left_behind.height
    assert home.filter((pl.col("kids_here") > 0) & (pl.col("adults_here") == 0)).height < 5
    alone = living.join(home.filter(pl.col("size") == 1), on="true_household_id")
    assert alone.filter((pl.col("age") >= 60) & (pl.col("marital") == "10")).height > 20
    assert living.filter(pl.col("is_collective"))["hukou_no"].str.ends_with("9001").all()
    assert living["is_collective"].sum() > 50
    assert {"10", "20", "22", "30", "40"} <= set(living["marital"])


def test_kin_fits(persons: pl.DataFrame) -> None:
    born = persons.select("true_person_id", "birth_date", "sex")
    for parent, sex in (("father", "1"), ("mother", "2")):
        pairs = persons.filter(pl.col(parent).is_not_null()).join(
            born, left_on=parent, right_on="true_person_id", suffix="_parent"
        )
        assert pairs.height > 1000
        assert (pairs["sex_parent"] == sex).all()
        gap = (pairs["birth_date"] - pairs["birth_date_parent"]).dt.total_days() / 365.25
        assert gap.min() > 14  # type: ignore[operator]
    couples = persons.filter(pl.col("spouse").is_not_null())
    back = couples.join(couples, left_on="spouse", right_on="true_person_id", suffix="_b")
    assert (back["spouse_b"] == back["true_person_id"]).all()
    assert (back["sex"] != back["sex_b"]).all()


def test_names_by_village_generation_and_group(living: pl.DataFrame) -> None:
    rural = living.filter((pl.col("urban_rural") == "2") & (pl.col("slot") == 2) & (pl.col("ethnic") == "01"))
    top = (
        rural.group_by("village_code", "surname")
        .len()
        .group_by("village_code")
        .agg(pl.col("len").max() / pl.col("len").sum())["len"]
    )
    assert 0.25 < top.mean() < 0.65  # type: ignore[operator]
    brothers = living.filter(
        (pl.col("sex") == "1") & pl.col("slot").is_in([2, 7]) & (pl.col("ethnic") == "01")
    )
    pairs = (
        brothers.group_by("clan")
        .agg(pl.col("name").str.slice(1, 1).alias("first"))
        .filter(pl.col("first").list.len() == 2)
    )
    shared = pairs.filter(pl.col("first").list.n_unique() == 1).height / pairs.height
    assert 0.2 < shared < 0.6
    mongols = living.filter(pl.col("ethnic") == "02")
    assert 0.01 < mongols.height / living.height < 0.08
    assert mongols["name_spellings"].is_not_null().any()
    assert not living["name"].str.contains(r"\s|None").any()
    assert living["name"].str.len_chars().min() >= 2  # type: ignore[operator]


def test_uyghur_names_have_two_parts_and_the_one_right_dot() -> None:
    rng = np.random.default_rng(1)
    group = np.full(4, 6)
    empty = np.full(4, "", dtype=object)
    given = names.given_names(rng, np.zeros(4, dtype=bool), np.full(4, 1970), group, empty, empty)
    assert all("·" in n for n in names.full_names(rng, empty, given, group, empty))


def test_people_of_one_name_and_birthday(persons: pl.DataFrame) -> None:
    planted = persons.filter(pl.col("planted") == "namesake")
    pairs = planted.group_by("name", "birth_date", "sex").agg(
        pl.len(), pl.col("clan").n_unique().alias("clans")
    )
    assert pairs.height >= 3
    assert (pairs["clans"] >= 2).all()


def test_addresses_and_phones(living: pl.DataFrame) -> None:
    assert living["phone"].str.contains(r"^1[3-9]\d{9}$").all()
    per_phone = living.group_by("phone").len()["len"]
    assert per_phone.max() > 4  # type: ignore[operator]
    away = living.filter(pl.col("is_away"))
    assert 0.05 < away.height / living.height < 0.25
    assert away["live_village_code"].null_count() == away.height
    assert away["live_address"].str.contains("深圳市").any()
    incoming = living.filter(~pl.col("is_registered"))
    assert 0.02 < incoming.height / living.height < 0.06
    assert not incoming["register_division"].str.starts_with("1509").any()


def test_shards_share_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "SHARD_PERSONS", 1500)
    shards = population.plan(6000, seed=3)
    assert len(shards) >= 3
    assert any(n > 1 for s in shards for _, _, n in s.sharers), "no county is split, so nothing is tested"
    frames = [population.people(s).persons for s in shards]
    for column in ("resident_id", "true_person_id", "true_household_id", "hukou_no"):
        values = [set(f[column].drop_nulls()) for f in frames]
        if column == "hukou_no":
            values = [{v for v in s if not v.endswith("9001")} for s in values]
        assert sum(map(len, values)) == len(set().union(*values))


def test_a_whole_prefecture_is_planned_in_pieces() -> None:
    shards = population.plan(2_700_000, seed=1)
    assert sum(s.persons for s in shards) == 2_700_000
    assert 20 <= len(shards) <= 40
    assert max(s.persons for s in shards) < 200_000
    assert sum(len(s.villages) for s in shards) == len(places.villages())
    seen = [code[:9] for s in shards for code in dict.fromkeys(v[:9] + "000" for v, _ in s.villages)]
    assert len(seen) == len(set(seen)), "a township is in two shards"


def test_too_few_people_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        population.plan(10, seed=1)


def test_sequence_numbers_run_out_loudly() -> None:
    n = 401
    born = np.full(n, np.datetime64("1990-01-01"))
    one = np.ones(n, dtype=np.int64)
    with pytest.raises(ValueError, match="sequence numbers"):
        ids.sequence_numbers(one * 150_902, born, one == 0, one == 1, one * 0, one)


def test_credit_codes_follow_the_standard() -> None:
    # GB 32100: weighted sum of the first seventeen and the check character is divisible by 31.
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for code in ids.credit_codes(np.array([150_902, 150_928]), ["91", "12"], np.array([5, 77_000_123])):
        assert len(code) == 18
        values = [alphabet.index(c) for c in code]
        assert (sum(v * pow(3, i, 31) for i, v in enumerate(values[:17])) + values[17]) % 31 == 0


def test_plates_and_frames_are_unique() -> None:
    serial = np.arange(0, 5_000_000, 997)
    assert len(set(ids.plates(serial))) == len(serial)
    assert len(set(ids.vins(serial))) == len(serial)
