"""Who is poor, who is helped and how: cases, members, payments, applications, relief, subsidies, monitored farm households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sample_data import ids
from sample_data.care import guardians, is_severe
from sample_data.family import NEVER, days, relation
from sample_data.ids import Ints, Texts
from sample_data.work import CASUAL, FARMER, FIRM, PUBLIC, TRADER
from sample_data.world import Book, first_of, pick, spell_months, where

STANDARD = {"1": 813.0, "2": 610.0}
"""Dibao per head and month, prefecture 1509, urban 813 yuan a month and rural 7,320 yuan a year (FACTS 6, source S87)."""
TEKUN_LIVING = {"1": 1358.0, "2": 938.25}
SHARES = {"1": 0.028, "2": 0.0033, "3": 0.0042, "4": 0.001, "5": 0.0085}
"""Share of people in active cases by category: 4.7 % in all with 0.2 % rural monitored (FACTS 3.7, S13)."""
MONITORED = 0.002
CATEGORY_AID = {"1": "2", "2": "1", "3": "3", "4": "0", "5": "0"}


@dataclass
class Cases:
    """Assistance cases of the shard. Months are numbers from the first month; `last` is the last month paid."""

    household: Ints
    category: Texts
    urban_rural: Texts
    applicant: Ints
    first: Ints
    last: Ints
    reason: Texts
    number: Texts
    authorization: Texts


def _household_features(book: Book) -> dict[str, Any]:
    h = book.household
    inside = (h >= 0) & book.alive_on(book.t0) & ~book.outsider
    m = book.n_households

    def count(mask: Any) -> Ints:
        return np.bincount(h[inside & mask], minlength=m)

    status: Ints = book.status
    severe = is_severe(book.dis_type, book.dis_grade)
    earner = np.isin(status, (PUBLIC, FIRM, TRADER)) | (book.employee_pension > 0)
    able = (book.age0 >= 18) & (book.age0 < 60) & ~severe & ~book.ill
    return {
        "size": count(np.ones(book.n, dtype=bool)),
        "registered": count(book.registered),
        "earners": count(earner),
        "able": count(able),
        "away": count(book.away),
        "severe": count(severe),
        "ill": count(book.ill),
        "kids": count(book.age0 < 16),
        "adults": count(book.age0 >= 18),
        "elders": count(book.age0 >= 60),
        "spared": count(book.spared),
        "orphans": count(
            (book.age0 < 18)
            & (book.father >= 0)
            & (book.mother >= 0)
            & ~np.isnat(book.death[np.maximum(book.father, 0)])
            & ~np.isnat(book.death[np.maximum(book.mother, 0)])
        ),
    }


def select(book: Book) -> Cases:
    """Choose the households in assistance by hardship and chance, and give each a history."""
    rng = book.rng("assistance")
    f = _household_features(book)
    m = book.n_households
    lone = (f["size"] == 1) & (f["spared"] == 0) & (f["registered"] == 1) & (f["earners"] == 0)
    head = np.full(m, -1, dtype=np.int64)
    inside = np.flatnonzero(
        (book.household >= 0) & book.alive_on(book.t0) & book.registered & ~book.outsider & (book.age0 >= 16)
    )
    rank = np.lexsort(
        (
            inside,
            -np.abs(book.age0[inside] - 48),
        )
    )
    head[book.household[inside[rank]]] = inside[rank]
    safe = np.maximum(head, 0)
    never = (book.marital[safe] == "10") & (book.slot[safe] != 4)
    severe = is_severe(book.dis_type, book.dis_grade)
    tekun_like = (
        lone
        & (head >= 0)
        & never
        & ((book.age0[safe] >= 60) | (severe[safe] & (book.age0[safe] > 30)))
        & ~book.away[safe]
    )
    score = (
        1.3 * f["severe"]
        + 1.1 * f["ill"]
        + 0.9 * ((f["kids"] > 0) & (f["adults"] == 1))
        + 0.7 * (f["able"] == 0)
        + 0.4 * (f["able"] < f["size"] / 3)
        + 0.5 * f["orphans"]
        - 0.5 * f["away"]
        + rng.normal(0, 0.75, m)
    )
    ok = (
        (f["size"] > 0)
        & (f["registered"] == f["size"])
        & (f["earners"] == 0)
        & (f["spared"] == 0)
        & (head >= 0)
    )
    free = ok.copy()
    people = book.n
    chosen: list[tuple[Ints, str]] = []
    tekun = np.flatnonzero(tekun_like & ok)
    tekun = tekun[np.argsort(-book.age0[safe[tekun]] - 30 * rng.random(len(tekun)), kind="stable")]
    tekun = tekun[: int(people * SHARES["2"] / 0.93)]
    chosen.append((tekun, "2"))
    free[tekun] = False
    order = np.flatnonzero(free)
    order = order[np.argsort(-score[order], kind="stable")]
    running = np.cumsum(f["size"][order])
    start = 0.0
    # Some of those chosen have left by the end; most planted families are in a case as well, five in six of them in dibao.
    planted = {"1": 0.54, "3": 0.07}
    for name, stays in (("1", 0.94), ("3", 0.94), ("4", 0.94), ("5", 0.96)):
        wanted = people * SHARES[name]
        stop = start + max(wanted - planted.get(name, 0.0) * f["spared"].sum(), wanted / 3) / stays
        part = order[(running > start) & (running <= stop)]
        chosen.append((part, name))
        start = stop
    household = np.concatenate([c for c, _ in chosen])
    category = np.concatenate([np.full(len(c), k, dtype=object) for c, k in chosen])
    n = len(household)
    top = book.last_month
    before = rng.random(n) < 0.74
    first = where(before, -rng.integers(0, 110, n), rng.integers(1, top + 1, n))
    ends = rng.random(n) < where(category == "2", 0.02, 0.13)
    last = where(ends, np.maximum(first, 0) + rng.integers(2, 26, n), 10**6)
    reason = where(last < top, pick(rng, ["1", "2", "5", "4", "7", "9"], [50, 12, 18, 6, 8, 6], n), None)
    applicant = head[household]
    # A case of one dies with the person; the office learns of it some months later.
    alone = f["size"][household] == 1
    death = book.death[applicant]
    dies = alone & ~np.isnat(death)
    lag = where(rng.random(n) < 0.82, 0, rng.integers(1, 5, n))
    stop_dead = book.month_no(where(np.isnat(death), book.last, death)) + lag
    died_first = dies & (stop_dead < last)
    last = where(died_first, stop_dead, last)
    reason = where(died_first, "3", reason)
    ok = last >= first
    household, category, first, last = household[ok], category[ok], first[ok], last[ok]
    reason, applicant = reason[ok], applicant[ok]
    urban_rural = where(book.rural[applicant], "2", "1")
    numbers = case_numbers(book, applicant, category, np.arange(len(applicant)))
    return Cases(
        household,
        category,
        urban_rural,
        applicant,
        first,
        last,
        reason,
        numbers,
        authorizations(book, applicant),
    )


def case_numbers(book: Book, applicant: Ints, category: Any, serial: Any) -> Texts:
    """Case numbers: county, category, running number of the shard."""
    return (
        book.county[applicant]
        + np.asarray(category, dtype=object)
        + ids.padded(book.shard.index * 100_000 + np.asarray(serial), 8)
    )


def authorizations(book: Book, applicant: Ints) -> Texts:
    """Numbers of the signed authorisations without which no balance is asked for."""
    return np.array(["SQ1509"], dtype=object) + ids.padded(book.base + np.asarray(applicant), 10)


def members_of(book: Book) -> tuple[Ints, Ints]:
    """People alive and registered on the first day, ordered by household, and where each household begins."""
    rows = np.flatnonzero(
        (book.household >= 0)
        & ~book.outsider
        & book.registered
        & (book.alive_on(book.t0) | (book.born > book.t0))
    )
    rows = rows[np.argsort(book.household[rows], kind="stable")]
    begin = np.searchsorted(book.household[rows], np.arange(book.n_households + 1))
    return rows, begin


def labour(book: Book, rows: Ints) -> Texts:
    """Labour ability by age and disability."""
    severe = is_severe(book.dis_type, book.dis_grade)[rows]
    some = (book.dis_grade[rows] != "") | book.ill[rows]
    age = book.age0[rows] + 1.5
    return first_of([age < 16, severe, age >= 60, some], ["4", "3", "5", "2"], "1").astype(object)


def write_cases(book: Book, cases: Cases, death_known: Any) -> None:
    """Registers of cases and members as they stood on every day, and the payments of each month."""
    rng = book.rng("case records")
    top = book.last_month
    rows, begin = members_of(book)
    n = len(cases.household)
    count = (begin[cases.household + 1] - begin[cases.household]).astype(np.int64)
    # A tekun case holds one person.
    which = np.repeat(np.arange(n), count)
    person = (
        rows[np.concatenate([np.arange(begin[h], begin[h + 1]) for h in cases.household])]
        if n
        else np.zeros(0, dtype=np.int64)
    )
    born_later = book.born[person] > book.month(np.maximum(cases.first[which], 0))
    dead_before = ~np.isnat(book.death[person]) & (
        book.death[person] < book.month(np.maximum(cases.first[which], 0))
    )
    keep = ~born_later & ~dead_before
    which, person = which[keep], person[keep]
    single = np.zeros(n, dtype=bool)
    severe = is_severe(book.dis_type, book.dis_grade)
    any_severe = np.bincount(which, severe[person], minlength=n) > 0
    # The severely disabled person of an edge family may be covered alone.
    edge_single = (cases.category == "3") & any_severe & (rng.random(n) < 0.5)
    covered = np.isin(cases.category, ("1", "2"))[which]
    standard = np.array([STANDARD[u] for u in cases.urban_rural])
    share = rng.beta(2.5, 2.5, n)
    level = first_of(
        [cases.category == "1", cases.category == "2", cases.category == "3"],
        [0.15 + 0.65 * share, 0.1 * share, 1.05 + 0.4 * share],
        1.1 + 1.2 * share,
    )
    income = np.round(standard * level, 0)
    total = np.bincount(which, minlength=n)
    covered_count = np.bincount(which, covered, minlength=n).astype(np.int64)
    gap = np.ceil((standard - income) * covered_count)
    selfcare = where(cases.category == "2", pick(rng, list("123"), [66, 22, 12], n), None)
    benefit = first_of(
        [cases.category == "1", cases.category == "2"],
        [np.maximum(gap, 20.0), np.array([TEKUN_LIVING[u] for u in cases.urban_rural])],
        0.0,
    )
    cycle = where((cases.category == "2") | (rng.random(n) < 0.6), 12, 6)
    ended = cases.last < top
    end_month = cases.last + 1
    night_month = book.month_no(book.night)
    ahead = (cases.first - night_month) % cycle
    review = night_month + where(ahead == 0, cycle, ahead)
    review = where(rng.random(n) < 0.05, review - cycle - 1, review)
    decided = book.month(cases.first) - days(rng.integers(3, 20, n))
    ended_on = book.month(end_month) - days(rng.integers(1, 12, n))
    village = book.village[cases.applicant]
    grace = ended & (cases.reason == "1") & (rng.random(n) < 0.3)
    common: dict[str, Any] = {
        "case_no": cases.number,
        "category": cases.category,
        "urban_rural": cases.urban_rural,
        "applicant_person": cases.applicant,
        "members_total": total,
        "members_covered": covered_count,
        "per_capita_income": income,
        "benefit_month": benefit,
        "start_month": book.month(cases.first),
        "review_cycle": cycle,
        "next_review_month": book.month(review),
        "tekun_mode": where(cases.category == "2", pick(rng, list("12"), [24, 76], n), None),
        "selfcare": selfcare,
        "village_code": village,
    }
    in_grace = book.month(np.maximum(end_month - 4, cases.first + 1))
    first_until = where(grace, in_grace, where(ended, ended_on, NEVER)).astype("datetime64[D]")
    book.write("ca_assist_household", decided, first_until, status="1", **common)
    g = np.flatnonzero(grace & (in_grace < ended_on))
    part = {k: v[g] for k, v in common.items()}
    book.write(
        "ca_assist_household",
        in_grace[g],
        ended_on[g],
        status="2",
        grace_end_month=book.month(end_month[g]),
        **part,
    )
    e = np.flatnonzero(ended)
    part = {k: v[e] for k, v in common.items()}
    book.write(
        "ca_assist_household",
        ended_on[e],
        status="4",
        end_month=book.month(end_month[e]),
        end_reason=cases.reason[e],
        **part,
    )
    # Members: those who die leave when the office learns of it.
    told = death_known[person]
    leave_lag = where(rng.random(len(person)) < 0.85, 0, 2)
    leave = where(
        np.isnat(told), 10**6, book.month_no(where(np.isnat(told), book.last, told)) + 1 + leave_lag
    )
    leave = where((cases.last < top)[which], np.minimum(leave, end_month[which]), leave)
    leaves = leave <= top
    left_on = book.month(where(leaves, leave, 0)) - days(1)
    status_code = first_of(
        [book.age0[person] < 6, book.age0[person] < 19, book.age0[person] >= 65],
        ["90", "31", "90"],
        where(
            np.isin(book.status[person], (FARMER,)), "27", where(book.status[person] == CASUAL, "51", "70")
        ),
    )
    health = first_of(
        [
            book.dis_grade[person] != "",
            book.ill[person],
            rng.random(len(person)) < np.clip(book.age0[person] / 180, 0, 0.5),
        ],
        ["4", "3", "2"],
        "1",
    )
    adult = (book.age0[person] >= 18).astype(float)
    adults = np.maximum(np.bincount(which, adult, minlength=n), 1)
    declared = np.round(where(adult > 0, (income * total / adults)[which], 0.0), 2)
    applicant = cases.applicant[which]
    code = relation(
        book.slot[applicant],
        book.slot[person],
        book.female[person],
        applicant == person,
        np.zeros(len(person), dtype=bool),
    )
    member: dict[str, Any] = {
        "case_no": cases.number[which],
        "person": person,
        "relation_to_applicant": where(code == "02", "01", code),
        "is_covered": covered | (edge_single[which] & severe[person]),
        "single_person_flag": edge_single[which] & severe[person],
        "labour_ability": labour(book, person),
        "health": health,
        "occupation_status": status_code,
        "declared_income": declared,
        "declared_rigid": where(book.ill[person], np.round(rng.lognormal(6.0, 0.6, len(person)), -1), 0.0),
        "join_month": book.month(cases.first)[which],
    }
    book.write(
        "ca_assist_member", decided[which], where(leaves, left_on, NEVER).astype("datetime64[D]"), **member
    )
    at = np.flatnonzero(leaves)
    book.write(
        "ca_assist_member",
        left_on[at],
        leave_month=book.month(leave[at]),
        **{k: v[at] for k, v in member.items()},
    )
    single |= edge_single
    # Months paid. The first payment is in the month after the decision, which is the first month of the case.
    paying = np.flatnonzero(np.isin(cases.category, ("1", "2")))
    row, month = spell_months(cases.first[paying], cases.last[paying], 0, top)
    case = paying[row]
    account = cases.applicant.copy()
    other = rng.random(n) < 0.04
    for i in np.flatnonzero(other):
        family = person[which == i]
        account[i] = family[-1] if len(family) else account[i]
    tekun = cases.category[case] == "2"
    payments(
        book,
        rng,
        cases.number[case],
        month,
        where(tekun, "3", "1"),
        cases.applicant[case],
        account[case],
        benefit[case],
        0.004,
    )
    care = tekun & (selfcare[case] != "1")
    payments(
        book,
        rng,
        cases.number[case][care],
        month[care],
        "4",
        cases.applicant[case][care],
        account[case][care],
        where(selfcare[case] == "3", 880.0, 440.0)[care],
        0.002,
    )
    top_up = (cases.category == "1") & (rng.random(n) < 0.35)
    extra = top_up[case]
    payments(
        book,
        rng,
        cases.number[case][extra],
        month[extra],
        "2",
        cases.applicant[case][extra],
        account[case][extra],
        np.round(standard * 0.12)[case][extra],
        0.002,
    )
    winter = ~tekun & np.isin((book.month(month).astype("datetime64[M]").astype(int) % 12), (0, 1))
    payments(
        book,
        rng,
        cases.number[case][winter],
        month[winter],
        "5",
        cases.applicant[case][winter],
        account[case][winter],
        45.0 * np.maximum(covered_count[case][winter], 1),
        0.001,
    )
    book.aid = np.full(book.n, "0", dtype=object)
    active = (~ended)[which] & ~leaves
    book.aid[person[active]] = np.array([CATEGORY_AID[c] for c in cases.category], dtype=object)[
        which[active]
    ]


def payments(
    book: Book,
    rng: np.random.Generator,
    case_no: Any,
    month: Ints,
    item: Any,
    payee: Ints,
    account: Ints,
    amount: Any,
    failing: float,
) -> None:
    """Payment rows of months; a few come back and are sent again with the next run."""
    m = len(month)
    fails = rng.random(m) < failing
    pay_day = book.month(month) + days(9)
    item = np.broadcast_to(np.asarray(item, dtype=object), m)
    common: dict[str, Any] = {
        "case_no": np.asarray(case_no),
        "pay_month": book.month(month),
        "item": item,
        "payee_person": payee,
        "account_person": account,
        "amount": np.broadcast_to(np.asarray(amount, dtype=np.float64), m).copy(),
    }
    reason = where(fails, pick(rng, ["账号户名不符", "账户已注销", "账户状态异常"], [5, 3, 2], m), None)
    book.write(
        "ca_assist_payment",
        pay_day + days(1),
        pay_status=where(fails, "2", "1"),
        return_reason=reason,
        pay_date=pay_day,
        **common,
    )
    at = np.flatnonzero(fails)
    again = book.month(month[at] + 1) + days(9)
    book.write(
        "ca_assist_payment",
        again + days(1),
        pay_status="1",
        pay_date=again,
        **{k: v[at] for k, v in common.items()},
    )


def applications(book: Book, cases: Cases) -> Any:
    """Applications granted and refused, exits, and the people whose balances may be asked for."""
    rng = book.rng("applications")
    rows, begin = members_of(book)
    top = book.last_month

    def lists(households: Ints) -> pl.Series:
        return pl.Series(
            [(rows[begin[h] : begin[h + 1]] + book.base).tolist() for h in households],
            dtype=pl.List(pl.Int64),
        )

    # Older cases too: without the authorisation of an application nobody may ask a bank.
    new = np.arange(len(cases.first))
    decision = book.month(cases.first[new]) - days(rng.integers(3, 20, len(new)))
    accept = decision - days(rng.integers(15, 42, len(new)))
    _application_rows(
        book,
        rng,
        "A",
        new,
        cases.category[new],
        cases.applicant[new],
        lists(cases.household[new]),
        accept,
        decision,
        "1",
        "0",
        cases.authorization[new],
    )
    over = np.flatnonzero((cases.last < top) & (cases.last >= 0))
    decision = book.month(cases.last[over] + 1) - days(rng.integers(1, 12, len(over)))
    _application_rows(
        book,
        rng,
        "E",
        over,
        cases.category[over],
        cases.applicant[over],
        lists(cases.household[over]),
        decision - days(5),
        decision,
        "5",
        cases.reason[over],
        cases.authorization[over],
    )
    f = _household_features(book)
    helped = np.zeros(book.n_households, dtype=bool)
    helped[cases.household] = True
    candidates = np.flatnonzero(
        ~helped & (f["spared"] == 0) & (f["size"] > 0) & (f["registered"] == f["size"]) & (f["able"] < 3)
    )
    refused = candidates[rng.random(len(candidates)) < 0.004 * book.years]
    head = np.array(
        [rows[begin[h] : begin[h + 1]][np.argmax(book.age0[rows[begin[h] : begin[h + 1]]])] for h in refused],
        dtype=np.int64,
    )
    n = len(refused)
    accept = book.day(rng, n)
    decision = accept + days(rng.integers(12, 45, n))
    outcome = pick(rng, ["2", "3", "4"], [78, 17, 5], n)
    reason = where(outcome == "2", pick(rng, ["1", "2"], [6, 4], n), where(outcome == "3", "5", "8"))
    permission = authorizations(book, head)
    _application_rows(
        book,
        rng,
        "R",
        np.arange(n),
        pick(rng, ["1", "3", "4"], [8, 1, 1], n),
        head,
        lists(refused),
        accept,
        decision,
        outcome,
        reason,
        permission,
    )
    asked = [
        (p, a, book.t0, np.datetime64("NaT"))
        for p, a in zip(*_people_of(cases.household, cases.authorization, rows, begin), strict=True)
    ]
    return asked, [
        (int(p), a, d)
        for h, a, d in zip(refused, permission, accept, strict=True)
        for p in rows[begin[h] : begin[h + 1]]
    ]


def _people_of(household: Ints, permission: Texts, rows: Ints, begin: Ints) -> tuple[list[int], list[str]]:
    people, numbers = [], []
    for h, a in zip(household, permission, strict=True):
        members = rows[begin[h] : begin[h + 1]]
        people += members.tolist()
        numbers += [a] * len(members)
    return people, numbers


def _application_rows(
    book: Book,
    rng: np.random.Generator,
    letter: str,
    serial: Any,
    category: Any,
    applicant: Ints,
    members: pl.Series,
    accept: Any,
    decision: Any,
    outcome: Any,
    reason: Any,
    permission: Any,
) -> None:
    n = len(applicant)
    number = np.array([f"SL{letter}"], dtype=object) + ids.padded(
        book.shard.index * 1_000_000 + np.asarray(serial), 10
    )
    book.write(
        "ca_application",
        decision + days(1),
        apply_no=number,
        category=category,
        applicant_person=applicant,
        member_persons=members,
        accept_date=accept,
        check_report_no=np.array(["HD"], dtype=object) + ids.padded(book.base + applicant, 10),
        survey_date=accept + days(rng.integers(3, 10, n)),
        publicity_from=decision - days(8),
        decision=outcome,
        decision_date=decision,
        reason=reason,
        authorization_no=permission,
    )


def relief(book: Book) -> None:
    """Temporary relief: 0.5 % of people a year, more among the ill; some for people from elsewhere."""
    rng = book.rng("relief")
    weight = where(book.ill | (book.dis_grade != ""), 6.0, 1.0) * where(book.age0 > 18, 1.0, 0.15)
    chance = 0.0042 * book.years * weight / 1.25
    rows = np.flatnonzero(
        (rng.random(book.n) < chance) & ~book.outsider & ~book.spared & book.alive_on(book.t0)
    )
    when = book.day(rng, len(rows))
    ok = np.isnat(book.death[rows]) | (when < book.death[rows])
    rows, when = rows[ok], when[ok]
    n = len(rows)
    cause = where(book.ill[rows], "1", pick(rng, ["1", "2", "3", "4", "5", "9"], [52, 12, 8, 8, 5, 15], n))
    division = np.array(book.frame["register_division"].to_list(), dtype=object)[rows]
    small = rng.random(n) < 0.3
    book.write(
        "ca_temp_relief",
        when + days(where(small, rng.integers(5, 40, n), rng.integers(1, 8, n))),
        grant_no=np.array(["LS"], dtype=object) + ids.padded(book.base + rows, 11),
        person=rows,
        relief_type=where(small, "1", "2"),
        cause=cause,
        amount=where(
            small, np.round(rng.uniform(300, 1500, n), -2), np.round(rng.lognormal(7.9, 0.6, n), -2)
        ),
        grant_date=when,
        place_division=where(book.county[rows] == "", "150902", book.county[rows]),
        hukou_division=division,
    )


def subsidies(book: Book) -> None:
    """Monthly subsidies: disabled in hardship, severely disabled, old age from 80, orphans and unattended children."""
    rng = book.rng("subsidies")
    top = book.last_month
    n = book.n
    base = book.registered & ~book.outsider & ~book.spared & (book.alive_on(book.t0) | (book.born > book.t0))
    died = where(
        np.isnat(book.death), 10**6, book.month_no(where(np.isnat(book.death), book.last, book.death))
    )
    # One family in eight does not tell; the office finds out within half a year.
    died = died + where(rng.random(n) < 0.12, rng.integers(1, 7, n), 0)
    since = where(
        np.isnat(book.dis_since),
        10**6,
        book.month_no(where(np.isnat(book.dis_since), book.last, book.dis_since)) + 2,
    )
    severe = is_severe(book.dis_type, book.dis_grade)
    poor = book.aid == "2"
    eighty = book.month_no(book.born + days(80 * 365.25)) + 1
    father, mother = np.maximum(book.father, 0), np.maximum(book.mother, 0)
    both = (
        (book.father >= 0)
        & (book.mother >= 0)
        & ~np.isnat(book.death[father])
        & ~np.isnat(book.death[mother])
    )
    both_day = np.maximum(book.death[father], book.death[mother])
    orphan_since = where(both, book.month_no(where(both, both_day, book.last)) + 2, 10**6)
    grown = book.month_no(book.born + days(18 * 365.25))
    keeper = guardians(book)
    for kind, mask, first, last, amount in (
        ("1", poor & (book.dis_grade != "") & (rng.random(n) < 0.93), since, died, 100.0),
        ("2", severe & (rng.random(n) < 0.93), since, died, 110.0),
        ("3", (eighty <= top) & (rng.random(n) < 0.96), eighty, died, 100.0),
        ("4", (orphan_since < 10**6) & (book.age0 < 18), orphan_since, np.minimum(died, grown), 1615.0),
    ):
        rows = np.flatnonzero(base & mask)
        row, month = spell_months(first[rows], last[rows], 0, top)
        person = rows[row]
        common: dict[str, Any] = {"subsidy_type": kind, "amount": amount}
        book.write(
            "ca_welfare_subsidy",
            book.month(month) + days(10),
            person=person,
            guardian_person=where((book.age0[person] < 18) | (kind == "4"), keeper[person], -1),
            pay_month=book.month(month),
            status="1",
            **common,
        )
        # The month after the last payment says that it was stopped.
        over = np.flatnonzero((last[rows] >= 0) & (last[rows] < top) & (first[rows] <= last[rows]))
        after = last[rows][over] + 1
        book.write(
            "ca_welfare_subsidy",
            book.month(after) + days(10),
            person=rows[over],
            guardian_person=where(book.age0[rows[over]] < 18, keeper[rows[over]], -1),
            pay_month=book.month(after),
            status="2",
            **common,
        )


def monitored(book: Book, cases: Cases) -> None:
    """Farm households watched against a relapse into poverty: 0.2 % of people, some of them in dibao too."""
    rng = book.rng("monitored")
    f = _household_features(book)
    rows, begin = members_of(book)
    helped = np.zeros(book.n_households, dtype=bool)
    helped[cases.household[cases.last >= book.last_month]] = True
    rural = np.zeros(book.n_households, dtype=bool)
    rural[book.household[rows]] = book.rural[rows]
    score = (
        f["severe"]
        + f["ill"]
        + 0.5 * f["kids"]
        - 0.8 * f["earners"]
        + 0.8 * helped
        + rng.normal(0, 1.0, book.n_households)
    )
    order = np.flatnonzero(rural & (f["spared"] == 0) & (f["size"] > 1) & (f["registered"] == f["size"]))
    order = order[np.argsort(-score[order], kind="stable")]
    size = np.cumsum(f["size"][order])
    homes = order[size <= max(book.n * MONITORED / 0.75, 4)]
    count = begin[homes + 1] - begin[homes]
    which = np.repeat(np.arange(len(homes)), count)
    person = (
        rows[np.concatenate([np.arange(begin[h], begin[h + 1]) for h in homes])]
        if len(homes)
        else np.zeros(0, dtype=np.int64)
    )
    n = len(homes)
    found = where(rng.random(n) < 0.5, book.day(rng, n), book.t0 - days(rng.integers(30, 900, n))).astype(
        "datetime64[D]"
    )
    removed = where(rng.random(n) < 0.3, found + days(rng.integers(200, 700, n)), NEVER).astype(
        "datetime64[D]"
    )
    causes = ["因病", "因残", "因学", "因灾", "因意外", "住房", "饮水", "务工就业"]
    risk = [
        [causes[i]] if j else [causes[i], causes[k]]
        for i, k, j in zip(
            pick(rng, range(4), [5, 3, 2, 1], n), rng.integers(4, 8, n), rng.random(n) < 0.7, strict=True
        )
    ]
    head = np.array(
        [
            rows[begin[h] : begin[h + 1]][
                np.argmax(
                    (book.age0[rows[begin[h] : begin[h + 1]]] < 70) * book.age0[rows[begin[h] : begin[h + 1]]]
                )
            ]
            for h in homes
        ],
        dtype=np.int64,
    )
    code = relation(
        book.slot[head[which]],
        book.slot[person],
        book.female[person],
        head[which] == person,
        np.zeros(len(person), dtype=bool),
    )
    common: dict[str, Any] = {
        "hh_no": (
            np.array(["1509"], dtype=object) + ids.padded(book.shard.index * 100_000 + np.arange(n), 12)
        )[which],
        "member_no": np.array(["1509"], dtype=object) + ids.padded(book.base + person, 14),
        "person": person,
        "relation": code,
        "type": pick(rng, list("123"), [35, 40, 25], n)[which],
        "risk_cause": pl.Series([risk[i] for i in which], dtype=pl.List(pl.String)),
        "identify_date": found[which],
        "per_capita_income": np.round(rng.uniform(5200, 11_500, n), 0)[which],
        "village_code": book.village[person],
    }
    known = found[which] + np.timedelta64(12, "D")
    told = (removed + days(10))[which]
    book.write("ag_poverty_monitor", known, told, risk_removed=False, **common)
    at = np.flatnonzero(~np.isnat(told))
    part = {k: (v[at] if isinstance(v, np.ndarray) else v.gather(at)) for k, v in common.items()}
    book.write("ag_poverty_monitor", told[at], risk_removed=True, removed_date=removed[which][at], **part)
    watched = np.zeros(book.n, dtype=bool)
    watched[person] = True
    book.aid = where((book.aid == "0") & watched, "4", book.aid)
