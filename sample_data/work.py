"""Jobs, wages, contributions, taxes, pensions, joblessness, firms: what the offices of work and tax record."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample_data import ids, places
from sample_data.family import NEVER, days
from sample_data.ids import Flags, Ints
from sample_data.world import Book, first_of, pick, spell_months, where

REFERENCE_WAGE = 7_350.0
"""Monthly reference wage of contributions: base at least 60 %, at most 300 % of it."""
CENTRAL_PENSION = ((-(10**6), 103.0), (8, 123.0), (20, 143.0))
"""Central basic resident pension by month number from November 2023: 103 yuan, 123 from July 2024, 143 from July 2025."""
LOCAL_PENSION = 37.0

PUBLIC, FIRM, FLEXIBLE, TRADER, FARMER, CASUAL, IDLE, CADRE = range(1, 9)
INDUSTRIES = (
    "商贸",
    "建筑工程",
    "食品",
    "物业服务",
    "运输",
    "农牧业科技",
    "新能源",
    "餐饮管理",
    "化工",
    "绒毛",
    "建材",
    "电力工程",
)
WORDS = (
    "鑫源",
    "宏达",
    "蒙源",
    "恒信",
    "华泰",
    "金瑞",
    "盛世",
    "永兴",
    "天和",
    "德隆",
    "万通",
    "富民",
    "蓝天",
    "草原",
    "嘉业",
    "顺达",
)
PUBLIC_UNITS = (
    "教育局",
    "第一中学",
    "人民医院",
    "民政局",
    "水利局",
    "林业和草原局",
    "中心小学",
    "财政局",
    "农牧局",
    "人民政府",
)


class Employers:
    """Firms and public units of the shard: name and credit code."""

    def __init__(self, book: Book) -> None:
        rng = book.rng("employers")
        counties = [c for c, _, _ in book.shard.sharers]
        short = {
            c: n.removesuffix("县").removesuffix("旗").removesuffix("市").removesuffix("区")
            for c, n in places.counties().items()
        }
        n = max(12, book.n // 130)
        area = pick(rng, counties, [1.0] * len(counties), n)
        word, industry = (
            pick(rng, WORDS, [1] * len(WORDS), n),
            pick(rng, INDUSTRIES, [1] * len(INDUSTRIES), n),
        )
        extra = pick(rng, list("一二三四五中东西南北新"), [1] * 11, n)
        self.firm_name = np.array(
            [
                f"{short[a]}{w}{e if k % 3 else ''}{i}有限公司"
                for k, (a, w, e, i) in enumerate(zip(area, word, extra, industry, strict=True))
            ],
            dtype=object,
        )
        serial = 10**7 * (book.shard.index + 1) + np.arange(n)
        self.firm_code = ids.credit_codes(area.astype(np.int64), ["91"] * n, serial)
        units = [(c, u) for c in counties for u in PUBLIC_UNITS]
        self.unit_name = np.array([places.counties()[c] + u for c, u in units], dtype=object)
        at = np.array([int(c) for c, _ in units])
        kinds = ["11" if u.endswith(("局", "政府")) else "12" for _, u in units]
        # A unit is one and the same in all shards that hold a part of its county.
        serial = at * 100 + np.tile(np.arange(len(PUBLIC_UNITS)), len(counties))
        self.unit_code = ids.credit_codes(at, kinds, serial)


class Jobs:
    """Job spells: person, months, wage, employer; filled by `jobs`, read by the other chapters."""

    def __init__(self) -> None:
        self.person = self.first = self.last = np.zeros(0, dtype=np.int64)
        self.wage = np.zeros(0)
        self.public = np.zeros(0, dtype=bool)
        self.name = self.code = np.zeros(0, dtype=object)


def schooling_end(book: Book) -> Any:
    """Age at which each person leaves school."""
    rng = book.rng("schooling end")
    u = rng.random(book.n)
    return first_of([u < 0.05, u < 0.38, u < 0.93], [15.6, 18.6, 22.6], 24.6) - where(
        book.rural & (u > 0.38) & (u < 0.52), 4.0, 0.0
    )


def jobs(book: Book, employers: Employers) -> Jobs:
    """Who works where from when to when, how jobs are lost, changed and found."""
    rng = book.rng("jobs")
    n = book.n
    book.school_age = schooling_end(book)
    adult = (
        (book.age0 > book.school_age)
        & (book.age0 < 60)
        & ~book.spared
        & ~book.outsider
        & book.alive_on(book.t0)
    )
    retire_age = where(book.female, where(rng.random(n) < 0.6, 50.0, 55.0), 60.0)
    u = rng.random(n)
    town = first_of(
        [u < 0.11, u < 0.40, u < 0.52, u < 0.60, u < 0.76], [PUBLIC, FIRM, FLEXIBLE, TRADER, CASUAL], IDLE
    )
    land = first_of(
        [u < 0.012, u < 0.020, u < 0.065, u < 0.095, u < 0.125, u < 0.80, u < 0.88],
        [PUBLIC, CADRE, FIRM, FLEXIBLE, TRADER, FARMER, CASUAL],
        IDLE,
    )
    gone = first_of([u < 0.04, u < 0.07], [FIRM, TRADER], CASUAL)
    status = where(book.away, gone, where(book.rural, land, town))
    status = where(adult, status, 0)
    status = where((status == PUBLIC) & (book.age0 < 23), FIRM, status)
    status = where((status == FIRM) & (book.age0 > retire_age), IDLE, status)
    status = where((status == PUBLIC) & (book.age0 > np.maximum(retire_age, 55)), IDLE, status)
    book.status = status
    book.retire_age = retire_age
    top = book.last_month
    # First spells of those at work when the months begin.
    who = np.flatnonzero(np.isin(status, (PUBLIC, FIRM)))
    public = status[who] == PUBLIC
    # Farmers, day labourers and idle people who find a job.
    seekers = np.flatnonzero(
        np.isin(status, (CASUAL, IDLE, FARMER))
        & ~book.away
        & (rng.random(n) < 0.025 * book.years)
        & (book.age0 < 50)
    )
    young = np.flatnonzero(
        (book.age0 <= book.school_age)
        & (book.age0 + book.years > book.school_age)
        & (book.age0 > 16)
        & ~book.spared
        & ~book.outsider
    )
    young = young[rng.random(len(young)) < where(book.rural[young], 0.12, 0.4)]
    starters = np.r_[seekers, young]
    start_at = rng.integers(1, max(top, 2), len(starters))
    ready = book.month_no(book.born[starters] + days(book.school_age[starters] * 365.25)) + 1
    start_at = np.maximum(start_at, where(book.age0[starters] < 26, ready, 0))
    person = np.r_[who, starters]
    is_public = np.r_[public, np.zeros(len(starters), dtype=bool)]
    first = np.r_[-rng.integers(1, 150, len(who)), start_at]
    risk = where(is_public, 0.0006, 0.0055)
    last = np.maximum(first, -1) + rng.geometric(risk)
    retire = book.month_no(book.born[person] + days(retire_age[person] * 365.25))
    last = np.minimum(last, np.maximum(retire, first))
    # After a job is lost: another at once, after a month, after some, or none.
    lost = np.flatnonzero((last < top) & (last < retire - 3) & ~is_public)
    gap = pick(rng, [0, 1, 2, 3, 5, 99], [0.30, 0.24, 0.08, 0.06, 0.07, 0.25], len(lost)).astype(np.int64)
    again = lost[gap < 99]
    wage = where(is_public, rng.normal(7600, 1300, len(person)), rng.lognormal(8.42, 0.32, len(person)))
    wage = np.round(np.clip(wage, 1980, 26_000), -1)
    employer = rng.integers(0, len(employers.firm_name), len(person))
    unit = rng.integers(0, len(employers.unit_name), len(person))
    # A unit in one's own county, where that county has units.
    own = np.array([f"{places.counties().get(c, '')}" for c in book.county[person]], dtype=object)
    per = len(PUBLIC_UNITS)
    county_at = {places.counties()[c]: i for i, (c, _, _) in enumerate(book.shard.sharers)}
    unit = np.array([county_at.get(c, 0) for c in own]) * per + unit % per
    result = Jobs()
    result.person = np.r_[person, person[again]]
    result.public = np.r_[is_public, np.zeros(len(again), dtype=bool)]
    result.first = np.r_[first, last[again] + 1 + gap[gap < 99]]
    new_last = result.first[len(person) :] + rng.geometric(0.01, len(again))
    result.last = np.r_[last, np.minimum(new_last, np.maximum(retire[again], result.first[len(person) :]))]
    result.wage = np.r_[wage, np.round(wage[again] * rng.normal(0.95, 0.12, len(again)), -1)]
    second = (employer[again] + 1 + rng.integers(0, len(employers.firm_name) - 1, len(again))) % len(
        employers.firm_name
    )
    all_firm = np.r_[employer, second]
    all_unit = np.r_[unit, unit[again]]
    result.name = where(result.public, employers.unit_name[all_unit], employers.firm_name[all_firm])
    result.code = where(result.public, employers.unit_code[all_unit], employers.firm_code[all_firm])
    end = where(
        np.isnat(book.death[result.person]),
        10**6,
        book.month_no(where(np.isnat(book.death), book.last, book.death))[result.person],
    )
    result.last = np.minimum(result.last, end)
    ok = result.last >= result.first
    for name in ("person", "public", "first", "last", "wage", "name", "code"):
        setattr(result, name, getattr(result, name)[ok])
    order = np.lexsort((result.first, result.person))
    for name in ("person", "public", "first", "last", "wage", "name", "code"):
        setattr(result, name, getattr(result, name)[order])
    return result


def clip_base(wage: Any) -> Any:
    """Contribution base of a wage: floored and capped."""
    return np.round(np.clip(wage, 0.6 * REFERENCE_WAGE, 3 * REFERENCE_WAGE), 2)


def write_job_months(book: Book, spells: Jobs, name: str) -> None:
    """Contributions, taxes, payroll and provident fund of job spells, month by month; employment records."""
    rng = book.rng("job months " + name)
    top = book.last_month
    m = len(spells.person)
    row, month = spell_months(spells.first, spells.last, 0, top)
    person, wage, public = spells.person[row], spells.wage[row], spells.public[row]
    raised = where(month >= 8, 1.03, 1.0) * where(month >= 20, 1.03, 1.0)
    base = clip_base(wage * where(public, raised, 1.0))
    paid = where(rng.random(len(row)) < 0.004, "2", "1")
    for insurance in ("养老", "失业"):
        kind = where(public, "120", "110") if insurance == "养老" else "210"
        book.write(
            "hr_insurance_contribution",
            book.month(month) + days(24),
            person=person,
            insurance=kind,
            employer_uscc=spells.code[row],
            employer_name=spells.name[row],
            payer_type="1",
            pay_month=book.month(month),
            base_amount=base,
            status=paid,
        )
    # Tax: not every small employer declares; a bonus in January.
    declares = (rng.random(m) < where(spells.public, 1.0, 0.85))[row]
    bonus = where(
        (book.month(month).astype("datetime64[M]").astype(int) % 12 == 0) & (rng.random(len(row)) < 0.35),
        wage * rng.uniform(0.3, 1.5, len(row)),
        0.0,
    )
    noise = rng.normal(1.0, 0.03, len(row))
    income = np.round(wage * noise * raised + bonus, 2)
    social = np.round(base * 0.105 + where(public, wage * 0.12, 0.0), 2)
    tax = np.round(np.maximum(income - 5000 - social - 1500, 0) * 0.03, 2)
    book.write(
        "tx_iit_withholding",
        book.month(month[declares] + 1) + days(17),
        id_type="201",
        person=person[declares],
        payer_uscc=spells.code[row][declares],
        payer_name=spells.name[row][declares],
        income_item="01",
        period=book.month(month[declares]),
        income=income[declares],
        si_deduction=social[declares],
        tax_withheld=tax[declares],
    )
    # Payroll of the public units.
    book.write(
        "hr_fiscal_payroll",
        (book.month(month) + days(19))[public],
        person=person[public],
        unit_name=spells.name[row][public],
        unit_uscc=spells.code[row][public],
        post_type=where((spells.person % 3 == 0), "1", "2")[row][public],
        gross_pay=np.round(wage * raised, 2)[public],
        pay_month=book.month(month)[public],
    )
    # Provident fund: all public units, half of the firms. The account stays, sealed, when the job ends.
    funded = spells.public | (rng.random(m) < 0.5)
    at = np.flatnonzero(funded)
    account = ids.padded(book.shard.index * 10**7 + 5 * 10**6 * (name != "life") + np.arange(m), 12)
    end = where(spells.last >= top, top, spells.last)
    loan = where(rng.random(m) < 0.14, rng.uniform(30_000, 380_000, m), 0.0)
    loan_date = where(loan > 0, book.t0 - days(rng.integers(100, 3000, m)), NEVER).astype("datetime64[D]")
    f_row, f_month = spell_months(np.maximum(spells.first[at], 0), np.full(len(at), top), 0, top)
    f_row = at[f_row]
    works = f_month <= end[f_row]
    opened = f_month >= spells.first[f_row]
    f_row, f_month, works = f_row[opened], f_month[opened], works[opened]
    deposit = np.round(spells.wage * where(spells.public, 0.24, 0.12), 2)
    paid_months = np.clip(np.minimum(f_month, end[f_row]) - spells.first[f_row] + 1, 0, 150)
    drawn = (rng.random(m) * 0.6)[f_row]
    balance = np.round(deposit[f_row] * paid_months * (1 - drawn), 2)
    book.write(
        "pf_account",
        book.month(f_month) + days(27),
        person=spells.person[f_row],
        account_no=account[f_row],
        unit_name=spells.name[f_row],
        base=spells.wage[f_row],
        monthly_deposit=where(works, deposit[f_row], 0.0),
        balance=balance,
        last_deposit_month=book.month(np.minimum(f_month, end[f_row])),
        status=where(works, "1", "2"),
        withdraw_ytd=where(rng.random(m) < 0.2, np.round(deposit * 10, 2), 0.0)[f_row],
        loan_balance=np.round(np.maximum(loan[f_row] - 1200.0 * f_month * (loan[f_row] > 0), 0), 2),
        loan_date=loan_date[f_row],
    )
    # Employment records: most contracts; the end of a job is often not reported.
    noted = np.flatnonzero(rng.random(m) < where(spells.public, 0.1, 0.75))
    begun = book.month(spells.first[noted]) + days(rng.integers(0, 12, len(noted)))
    ended_at = book.month(np.minimum(spells.last[noted], top) + 1) - days(1)
    over = (spells.last[noted] < top) & (rng.random(len(noted)) < 0.7)
    common: dict[str, Any] = {"job_form": "1"}
    known = begun + days(rng.integers(5, 40, len(noted)))
    ended_known = ended_at + days(rng.integers(3, 35, len(noted)))
    book.write(
        "hr_employment_record",
        known,
        where(over, ended_known, NEVER).astype("datetime64[D]"),
        person=spells.person[noted],
        employer_uscc=spells.code[noted],
        employer_name=spells.name[noted],
        start_date=begun,
        wage=spells.wage[noted],
        **common,
    )
    closed = noted[over]
    book.write(
        "hr_employment_record",
        ended_known[over],
        person=spells.person[closed],
        employer_uscc=spells.code[closed],
        employer_name=spells.name[closed],
        start_date=begun[over],
        end_date=ended_at[over],
        wage=spells.wage[closed],
        **common,
    )


def other_contributions(book: Book) -> None:
    """Flexible workers by month, residents once a year, migrant work as people report it, village cadres."""
    rng = book.rng("other contributions")
    status: Ints = book.status
    top = book.last_month
    end = where(
        np.isnat(book.death), 10**6, book.month_no(where(np.isnat(book.death), book.last, book.death))
    )
    flexible = np.flatnonzero(status == FLEXIBLE)
    retire = book.month_no(book.born[flexible] + days(book.retire_age[flexible] * 365.25))
    row, month = spell_months(np.full(len(flexible), -1), np.minimum(retire, end[flexible]), 0, top)
    skips = rng.random(len(row)) < 0.05
    row, month = row[~skips], month[~skips]
    book.write(
        "hr_insurance_contribution",
        book.month(month) + days(24),
        person=flexible[row],
        insurance="110",
        payer_type="2",
        pay_month=book.month(month),
        base_amount=np.round(0.6 * REFERENCE_WAGE, 2),
        status="1",
    )
    # Resident pension: one payment a year, by people of 16 to 59 without another.
    payers = (
        (book.age0 > book.school_age) & (book.age0 < 59) & book.registered & ~book.outsider & ~book.spared
    )
    payers &= np.isin(status, (FARMER, CASUAL, IDLE, TRADER, 0)) & book.alive_on(book.last)
    for year in (2024, 2025):
        rows = np.flatnonzero(payers & (rng.random(book.n) < where(book.rural, 0.72, 0.4)))
        paid = np.datetime64(f"{year}-03-01") + days(rng.integers(0, 200, len(rows)))
        book.write(
            "hr_insurance_contribution",
            paid + days(20),
            person=rows,
            insurance="170",
            payer_type="3",
            pay_month=paid.astype("datetime64[M]").astype("datetime64[D]"),
            base_amount=pick(
                rng, [200.0, 300.0, 500.0, 1000.0, 2000.0], [60, 18, 12, 7, 3], len(rows)
            ).astype(float),
            status="1",
        )
    away = np.flatnonzero(book.away & (status == CASUAL) & (rng.random(book.n) < 0.4))
    begun = book.t0 - days(rng.integers(-500, 700, len(away)))
    book.write(
        "hr_employment_record",
        begun + days(rng.integers(10, 90, len(away))),
        person=away,
        employer_name=pick(
            rng, [None, "建筑工地", "电子厂", "物流公司", "餐饮店"], [4, 3, 2, 2, 2], len(away)
        ),
        job_form="4",
        start_date=begun,
        wage=np.round(rng.normal(4600, 1100, len(away)).clip(1800), -2),
    )
    casual = np.flatnonzero(np.isin(status, (CASUAL, FLEXIBLE)) & ~book.away & (rng.random(book.n) < 0.15))
    begun = book.t0 - days(rng.integers(-600, 700, len(casual)))
    book.write(
        "hr_employment_record",
        begun + days(25),
        person=casual,
        job_form="2",
        start_date=begun,
        wage=np.round(rng.normal(2900, 700, len(casual)).clip(900), -2),
    )
    # Paid for odd jobs, a few months a year: labour service instead of wages.
    hired = np.flatnonzero(
        np.isin(status, (CASUAL, FLEXIBLE, FARMER)) & ~book.away & (rng.random(book.n) < 0.02)
    )
    times = rng.integers(1, 6, len(hired))
    row = np.repeat(np.arange(len(hired)), times)
    month = rng.integers(0, max(top, 1), len(row))
    ok = month < end[hired[row]]
    row, month = row[ok], month[ok]
    code = ids.credit_codes(np.full(8, 150_902), ["91"] * 8, 9 * 10**8 + np.arange(8))
    book.write(
        "tx_iit_withholding",
        book.month(month + 1) + days(17),
        id_type="201",
        person=hired[row],
        payer_uscc=code[hired[row] % 8],
        payer_name=np.array([f"乌兰察布市{WORDS[k % 8]}劳务有限公司" for k in hired[row]], dtype=object),
        income_item="02",
        period=book.month(month),
        income=np.round(rng.lognormal(7.3, 0.5, len(row)), 2),
        si_deduction=0.0,
        tax_withheld=0.0,
    )
    cadres = np.flatnonzero(status == CADRE)
    row, month = spell_months(np.full(len(cadres), -1), end[cadres], 0, top)
    book.write(
        "hr_fiscal_payroll",
        book.month(month) + days(19),
        person=cadres[row],
        unit_name=np.array(
            [places.villages()[v].name + "委员会" for v in book.village[cadres]], dtype=object
        )[row],
        unit_uscc=ids.credit_codes(
            book.county[cadres].astype(np.int64), ["12"] * len(cadres), 77 * 10**6 + cadres + book.base
        )[row],
        post_type="5",
        gross_pay=np.round(rng.normal(2300, 250, len(cadres)), -1)[row],
        pay_month=book.month(month),
    )


def pensions(book: Book, spells: Jobs, death_known: Any) -> None:
    """Employee and resident pensions, month by month; they stop when the office learns of a death."""
    rng = book.rng("pensions")
    n, top = book.n, book.last_month
    retire_age = book.retire_age
    worked = np.zeros(n, dtype=bool)
    worked[spells.person] = True
    worked |= book.status == FLEXIBLE
    eligible = ~book.spared & ~book.outsider & (book.alive_on(book.t0))
    at_age = where(book.age0 > 60, where(book.female, 52.0, 60.0), retire_age)
    first = book.month_no(book.born + days(at_age * 365.25)) + 1
    old = (book.age0 >= at_age) & (rng.random(n) < where(book.rural, 0.055, 0.56)) & ~worked
    new = worked & (first <= top) & (first > -200)
    employee = eligible & (old | new) & ~book.away
    # The office learns of a death from the register, seldom at once; every tenth time some months late.
    late = where(rng.random(n) < 0.10, rng.integers(1, 6, n), 0)
    stop = where(
        np.isnat(death_known),
        10**6,
        book.month_no(where(np.isnat(death_known), book.last, death_known)) + late,
    )
    told = where(
        np.isnat(book.death), 10**6, book.month_no(where(np.isnat(book.death), book.last, book.death))
    )
    # Families mostly tell the office themselves in the month of the death.
    tells = rng.random(n) < 0.9
    last = where(tells, told, np.maximum(stop, told))
    rows = np.flatnonzero(employee)
    amount = (
        where(book.rural[rows], rng.normal(2100, 450, len(rows)), rng.normal(3150, 750, len(rows)))
        .clip(950)
        .round(1)
    )
    row, month = spell_months(np.maximum(first[rows], 0), last[rows], 0, top)
    person = rows[row]
    growth = 1 + 0.03 * (month >= 8) + 0.02 * (month >= 20)
    value = np.round(amount[row] * growth, 2)
    # The yearly re-rating is paid in July with the arrears of half a year.
    back = where(month == 8, amount[row] * 0.03 * 6, where(month == 20, amount[row] * 1.03 * 0.02 * 6, 0.0))
    held = _suspensions(rng, rows, row, month)
    _employee_rows(
        book,
        person,
        month,
        where(held, 0.0, value + back),
        book.month(first)[person],
        where(held, "2", "1"),
    )
    _ended_rows(book, "hr_employee_pension", rows, last, top, benefit_type="1", first_month=book.month(first))
    turned = book.month_no(book.born + days(60 * 365.25)) + 1
    resident = eligible & ~employee & book.registered & (turned <= top) & (rng.random(n) < 0.975)
    rows = np.flatnonzero(resident)
    row, month = spell_months(np.maximum(turned[rows], 0), last[rows], 0, top)
    account = np.round(rng.gamma(1.6, 22, len(rows)), 2)
    held = _suspensions(rng, rows, row, month)
    resident_rows(book, rows[row], month, account[row], held)
    _ended_rows(book, "hr_resident_pension", rows, last, top)
    book.employee_pension = where(employee, 1.0, 0.0)


def _employee_rows(book: Book, person: Ints, month: Ints, amount: Any, first: Any, status: Any) -> None:
    book.write(
        "hr_employee_pension",
        book.month(month) + days(11),
        person=person,
        benefit_type="1",
        amount=amount,
        pay_month=book.month(month),
        first_month=first,
        status=status,
    )


def resident_rows(book: Book, person: Ints, month: Ints, account: Any, held: Any) -> None:
    """Resident pensions with their parts: central and local base, account, supplement from 70 and 80 on."""
    shift = book.month_no(np.datetime64("2023-11-01"))
    central = first_of(
        [month - shift >= CENTRAL_PENSION[2][0], month - shift >= CENTRAL_PENSION[1][0]],
        [143.0, 123.0],
        103.0,
    )
    age = (book.month(month) - book.born[person]).astype(np.int64) / 365.25
    other = where(age >= 80, 20.0, where(age >= 70, 10.0, 0.0))
    gone = np.asarray(held)
    book.write(
        "hr_resident_pension",
        book.month(month) + days(11),
        person=person,
        base_central=where(gone, 0.0, central),
        base_local=where(gone, 0.0, LOCAL_PENSION),
        account_part=where(gone, 0.0, account),
        other_part=where(gone, 0.0, other),
        pay_month=book.month(month),
        status=where(gone, "2", "1"),
    )


def _suspensions(rng: np.random.Generator, rows: Ints, row: Ints, month: Ints) -> Flags:
    """Pensions held back for two to four months because no sign of life was given; the people live."""
    start = where(rng.random(len(rows)) < 0.012, rng.integers(2, 24, len(rows)), 10**6)
    length = rng.integers(2, 5, len(rows))
    return np.asarray((month >= start[row]) & (month < start[row] + length[row]))


def _ended_rows(book: Book, table: str, rows: Ints, last: Ints, top: int, **columns: Any) -> None:
    """One row with status 3 in the month after the last payment."""
    at = rows[(last[rows] + 1 <= top) & (last[rows] + 1 >= 0)]
    at = at[~np.isnat(book.death[at])]
    month = last[at] + 1
    more = {k: (v[at] if hasattr(v, "__len__") and not isinstance(v, str) else v) for k, v in columns.items()}
    amounts: dict[str, Any] = (
        {"amount": 0.0}
        if table == "hr_employee_pension"
        else dict.fromkeys(("base_central", "base_local", "account_part", "other_part"), 0.0)
    )
    book.write(
        table,
        book.month(month) + days(11),
        person=at,
        pay_month=book.month(month),
        status="3",
        **amounts,
        **more,
    )


def joblessness(book: Book, spells: Jobs) -> None:
    """Unemployment benefits and registrations of those who lost a job, and of others without work."""
    rng = book.rng("joblessness")
    top = book.last_month
    n = len(spells.person)
    next_start = np.full(n, 10**6)
    same = np.r_[spells.person[1:] == spells.person[:-1], False]
    next_start[:-1][same[:-1]] = spells.first[1:][same[:-1]]
    retire = book.month_no(book.born[spells.person] + days(book.retire_age[spells.person] * 365.25))
    dead = ~np.isnat(book.death[spells.person])
    lost = (
        (spells.last < top)
        & (spells.last >= -1)
        & (next_start - spells.last > 2)
        & (retire > spells.last + 1)
        & ~spells.public
        & ~dead
    )
    at = np.flatnonzero(lost & (rng.random(n) < 0.45))
    approved = np.clip((spells.last - spells.first)[at] // 8, 2, 24)
    begin = spells.last[at] + 2
    until = np.minimum(begin + approved - 1, next_start[at] - 1)
    row, month = spell_months(begin, until, 0, top)
    who = spells.person[at][row]
    used = month - begin[row] + 1
    final = month == until[row]
    reason = where(
        final & (used == approved[row]), "1", where(final & (next_start[at][row] < 10**6), "2", None)
    )
    book.write(
        "hr_unemployment_benefit",
        book.month(month) + days(14),
        person=who,
        claim_no=np.array(["SY"], dtype=object) + ids.padded(book.base + at[row], 12),
        approved_months=approved[row],
        used_months=used,
        amount=where(month >= 12, 1782.0, 1722.0),
        pay_month=book.month(month),
        stop_reason=reason,
    )
    listed = np.flatnonzero(lost & (rng.random(n) < 0.4))
    reg = book.month(spells.last[listed] + 1) + days(rng.integers(2, 30, len(listed)))
    back = next_start[listed]
    status: Ints = book.status
    idle = np.flatnonzero((status == IDLE) & (rng.random(book.n) < 0.06))
    person = np.r_[spells.person[listed], idle]
    reg = np.r_[reg, book.t0 - days(rng.integers(-650, 400, len(idle)))]
    cancel = np.r_[
        where(back < 10**6, book.month(np.minimum(back, 500)) + days(20), NEVER).astype("datetime64[D]"),
        where(
            rng.random(len(idle)) < 0.6, reg[len(listed) :] + days(rng.integers(60, 500, len(idle))), NEVER
        ).astype("datetime64[D]"),
    ]
    cancel = where(cancel > book.last, NEVER, cancel).astype("datetime64[D]")
    m = len(person)
    category = where(np.arange(m) < len(listed), "1", pick(rng, ["1", "2", "3"], [70, 27, 3], m))
    services = rng.integers(0, 5, m)
    refuse = where(rng.random(m) < 0.05, rng.integers(1, 4, m), 0)
    common: dict[str, Any] = {
        "person": person,
        "category": category,
        "reg_date": reg,
        "services_count": services,
        "refuse_count": refuse,
    }
    known = reg + days(10)
    told = cancel + days(10)
    book.write("hr_jobless_register", known, told, **common)
    over = ~np.isnat(cancel)
    book.write(
        "hr_jobless_register",
        told[over],
        cancel_date=cancel[over],
        cancel_reason=where(
            np.arange(m) < len(listed), "1", pick(rng, ["1", "5", "6", "7"], [6, 1, 1, 2], m)
        )[over],
        **{k: v[over] for k, v in common.items()},
    )
    posts = np.flatnonzero((status == IDLE) & ~book.away & (rng.random(book.n) < 0.01))
    begun = book.t0 - days(rng.integers(-400, 300, len(posts)))
    book.write(
        "hr_employment_record",
        begun + days(12),
        person=posts,
        employer_name="乡镇公益性岗位",
        job_form="3",
        start_date=begun,
        wage=pick(rng, [600.0, 833.0, 1200.0, 1980.0], [1, 1, 1, 1], len(posts)).astype(float),
    )


def business(book: Book) -> None:
    """Shops, firms and co-operatives: roles, capital, quarterly taxes."""
    rng = book.rng("business")
    status: Ints = book.status
    top = book.last_month
    words = np.array(WORDS, dtype=object)
    kinds = ("百货店", "餐馆", "理发店", "五金店", "粮油店", "汽修部", "小吃店", "服装店", "养殖场", "诊所")
    traders = np.flatnonzero((status == TRADER) & (rng.random(book.n) < 0.8))
    quiet = np.flatnonzero(
        np.isin(status, (FARMER, CASUAL, IDLE)) & (rng.random(book.n) < 0.006)
        | (status == FIRM) & (rng.random(book.n) < 0.01)
    )
    owner = np.r_[traders, quiet]
    n = len(owner)
    area = where(book.county[owner] == "", "150902", book.county[owner]).astype(np.int64)
    code = ids.credit_codes(area, ["92"] * n, 4 * 10**8 + book.base + owner)
    short = {
        c: v.removesuffix("区").removesuffix("县").removesuffix("旗").removesuffix("市")
        for c, v in places.counties().items()
    }
    name = np.array(
        [
            f"{short[str(a)]}{w}{k}"
            for a, w, k in zip(
                area,
                words[rng.integers(0, len(words), n)],
                pick(rng, kinds, [1] * len(kinds), n),
                strict=True,
            )
        ],
        dtype=object,
    )
    founded = book.t0 - days(rng.integers(-600, 4500, n))
    founded = np.minimum(founded, book.last - days(5))
    closes = rng.random(n) < 0.08 * book.years
    closed = where(closes, np.maximum(book.day(rng, n), founded + days(60)), NEVER).astype("datetime64[D]")
    revoked = rng.random(n) < 0.03
    role: dict[str, Any] = {
        "person": owner,
        "uscc": code,
        "entity_name": name,
        "entity_type": "2",
        "role": "4",
        "subscribed_capital": pick(
            rng, [10_000.0, 30_000.0, 50_000.0, 100_000.0, 200_000.0], [3, 3, 3, 2, 1], n
        ).astype(float),
        "share_ratio": np.full(n, 100.0),
        "est_date": founded,
    }
    opened = founded + days(4)
    status_on = closed + days(5)
    book.write(
        "am_entity_role", opened, status_on, status=where(revoked, "2", "1"), status_date=founded, **role
    )
    at = ~np.isnat(closed)
    book.write(
        "am_entity_role",
        status_on[at],
        status="3",
        status_date=closed[at],
        **{k: (v[at] if isinstance(v, np.ndarray) else v) for k, v in role.items()},
    )
    quarter = np.arange(-1, top // 3 + 1)
    row = np.repeat(np.arange(n), len(quarter))
    q = np.tile(quarter, n)
    # Quarters of the calendar: the window begins in the middle of one.
    offset = int(book.first_month.astype(int)) % 3
    begin = book.month(q * 3 - offset)
    end = book.month(q * 3 - offset + 3) - days(1)
    live = (
        (begin >= book.t0 - days(40))
        & (founded[row] < end)
        & ~(closed[row] < begin)
        & ~revoked[row]
        & (rng.random(len(row)) < 0.97)
    )
    row, begin, end = row[live], begin[live], end[live]
    fixed = (rng.random(n) < 0.7)[row]
    scale = rng.lognormal(10.1, 0.8, n)[row]
    revenue = where(
        fixed,
        np.round(np.clip(scale, 3000, 90_000), -3),
        np.round(scale * rng.lognormal(0, 0.25, len(row)), 2),
    )
    revenue = where(rng.random(len(row)) < 0.12, 0.0, revenue)
    book.write(
        "tx_business_income",
        end + days(20),
        uscc=code[row],
        taxpayer_name=name[row],
        owner_person=owner[row],
        collect_method=where(fixed, "2", "1"),
        period_from=begin,
        period_to=end,
        revenue=revenue,
        taxable_income=where(fixed, np.round(revenue * 0.05, 2), np.round(revenue * 0.12, 2)),
        tax_paid=where(revenue > 90_000, np.round(revenue * 0.006, 2), 0.0),
        tax_status="1",
    )
    adult = np.flatnonzero(
        (book.age0 > 22) & (book.age0 < 68) & ~book.spared & ~book.outsider & book.alive_on(book.t0)
    )
    bosses = adult[rng.random(len(adult)) < where(book.rural[adult], 0.004, 0.016)]
    n = len(bosses)
    code = ids.credit_codes(
        where(book.county[bosses] == "", "150902", book.county[bosses]).astype(np.int64),
        ["91"] * n,
        5 * 10**8 + book.base + bosses,
    )
    name = np.array(
        [
            f"乌兰察布市{w}{i}有限责任公司"
            for w, i in zip(
                words[rng.integers(0, len(words), n)],
                pick(rng, INDUSTRIES, [1] * len(INDUSTRIES), n),
                strict=True,
            )
        ],
        dtype=object,
    )
    founded = book.t0 - days(rng.integers(0, 5000, n))
    state = pick(rng, ["1", "2", "3"], [72, 10, 18], n)
    capital = pick(
        rng, [100_000.0, 500_000.0, 1_000_000.0, 2_000_000.0, 5_000_000.0], [3, 4, 5, 2, 1], n
    ).astype(float)
    for number, share in (("1", 100.0), ("2", 60.0), ("3", 0.0)):
        part = np.ones(n, dtype=bool) if number == "1" else rng.random(n) < (0.7 if number == "2" else 0.4)
        book.write(
            "am_entity_role",
            (founded + days(5))[part],
            person=bosses[part],
            uscc=code[part],
            entity_name=name[part],
            entity_type="1",
            role=number,
            subscribed_capital=(capital * share / 100)[part],
            share_ratio=np.full(int(part.sum()), share),
            est_date=founded[part],
            status=state[part],
            status_date=where(state == "1", founded, founded + days(700))[part],
        )
    members = np.flatnonzero((status == FARMER) & (rng.random(book.n) < 0.07))
    coop = members % 23
    area = book.county[members]
    book.write(
        "am_entity_role",
        np.datetime64("2019-05-01"),
        person=members,
        uscc=ids.credit_codes(
            area.astype(np.int64), ["93"] * len(members), 6 * 10**8 + book.shard.index * 1000 + coop
        ),
        entity_name=np.array(
            [
                f"{places.counties()[a]}{WORDS[c % 16]}农牧业专业合作社"
                for a, c in zip(area, coop, strict=True)
            ],
            dtype=object,
        ),
        entity_type="3",
        role="5",
        subscribed_capital=pick(rng, [0.0, 1000.0, 5000.0], [6, 3, 1], len(members)).astype(float),
        share_ratio=np.full(len(members), 1.0),
        est_date=np.datetime64("2019-04-15"),
        status="1",
        status_date=np.datetime64("2019-04-15"),
    )


def insured(book: Book, spells: Jobs) -> None:
    """Who is in the employees' medical insurance at the end, and at which employer."""
    book.insured_at_work = np.zeros(book.n, dtype=bool)
    book.employer_of = np.full(book.n, None, dtype=object)
    now = spells.last >= book.last_month - 1
    book.insured_at_work[spells.person[now]] = True
    book.employer_of[spells.person[now]] = spells.name[now]
    book.insured_at_work |= book.employee_pension > 0
