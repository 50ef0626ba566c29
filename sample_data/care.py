"""Illness, disability, accidents, school: what clinics, the insurance, the federation of the disabled and schools record."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample_data import ids, places
from sample_data.family import NEVER, days
from sample_data.ids import Flags, Ints
from sample_data.world import Book, first_of, pick, where

SEVERE = ("1", "2")
HOSPITALS = ("H15090200001", "H15090200014", "H15092800003", "H15092900002", "H15010500021", "H11010100077")


def guardians(book: Book) -> Ints:
    """Row of a guardian of everybody: father, mother, else the oldest adult of the household; -1 for none."""
    n = book.n
    alive = book.alive_on(book.t0) | (book.born > book.t0)
    found = np.full(n, -1, dtype=np.int64)
    adults = np.flatnonzero((book.age0 > 22) & alive & (book.household >= 0) & ~book.outsider)
    adults = adults[np.argsort(-book.born[adults].astype(np.int64), kind="stable")]
    eldest = np.full(book.n_households, -1, dtype=np.int64)
    eldest[book.household[adults]] = adults
    inside = book.household >= 0
    found[inside] = eldest[book.household[inside]]
    for parent in (book.mother, book.father):
        ok = (parent >= 0) & alive[np.maximum(parent, 0)]
        found = where(ok, parent, found)
    return where(found == np.arange(n), -1, found)


def is_severe(kind: Any, grade: Any) -> Flags:
    """Severe for assistance: grade 1-2 of any type, grade 3 intellectual or mental."""
    return np.asarray(np.isin(grade, SEVERE) | ((np.asarray(grade) == "3") & np.isin(kind, ("5", "6"))))


def disability(book: Book) -> None:
    """Certificates: about 2.7 % of people, 1.1 % severe; renewals, freezes, holders who died."""
    rng = book.rng("disability")
    n = book.n
    chance = np.interp(
        book.age0, [0, 10, 25, 45, 60, 75, 90], [0.003, 0.008, 0.015, 0.025, 0.042, 0.055, 0.05]
    )
    has = (rng.random(n) < chance) & book.registered & ~book.outsider & ~book.spared & (book.age0 > 0)
    has &= book.alive_on(book.t0)
    rows = np.flatnonzero(has)
    m = len(rows)
    kind = pick(rng, list("4126573"), [0.44, 0.13, 0.15, 0.12, 0.08, 0.06, 0.02], m)
    grade = pick(rng, list("1234"), [0.145, 0.245, 0.29, 0.32], m)
    recent = rng.random(m) < 0.085 * book.years
    issued = where(recent, book.day(rng, m), book.t0 - days(rng.integers(10, 4200, m)))
    issued = np.maximum(issued, book.born[rows] + days(200)).astype("datetime64[D]")
    dies = book.death[rows]
    ok = np.isnat(dies) | (issued < dies)
    rows, kind, grade, issued = rows[ok], kind[ok], grade[ok], issued[ok]
    book.dis_type = np.full(n, "", dtype=object)
    book.dis_grade = np.full(n, "", dtype=object)
    book.dis_since = np.full(n, NEVER, dtype="datetime64[D]")
    book.dis_type[rows], book.dis_grade[rows], book.dis_since[rows] = kind, grade, issued
    certificates(book, rows, kind, grade, issued, "life")
    # Services: 9 % of holders a year.
    served = rows[rng.random(len(rows)) < 0.18]
    when = book.day(rng, len(served))
    late = book.dis_since[served] < when
    served, when = served[late], when[late]
    cost = np.round(rng.lognormal(7.2, 0.9, len(served)), 2)
    borne = np.round(cost * rng.choice(np.array([0.0, 0.0, 0.2, 0.4]), len(served)), 2)
    book.write(
        "dp_rehab_service",
        when + days(rng.integers(20, 95, len(served))),
        cert_no=_certificate_numbers(book, served, book.dis_type[served], book.dis_grade[served]),
        person=served,
        service=pick(rng, list("12345"), [3, 4, 1, 1, 3], len(served)),
        org=pick(
            rng, ["乌兰察布市残疾人康复中心", "县残联辅具服务站", "旗县医院康复科"], [2, 3, 2], len(served)
        ),
        service_date=when,
        total_cost=cost,
        gov_subsidy=cost - borne,
        self_pay=borne,
    )


def _certificate_numbers(book: Book, rows: Ints, kind: Any, grade: Any) -> Any:
    number = np.array(book.frame[rows.tolist()]["resident_id"].to_list(), dtype=object)
    return number + np.asarray(kind, dtype=object) + np.asarray(grade, dtype=object)


def certificates(
    book: Book, rows: Ints, kind: Any, grade: Any, issued: Any, name: str, known: Any = None
) -> None:
    """Certificate rows of holders: the present one, and its end when the holder dies."""
    rng = book.rng("certificates " + name)
    m = len(rows)
    number = _certificate_numbers(book, rows, kind, grade)
    again = (rng.random(m) < 0.08) & (issued < book.t0) & (name == "life")
    number = where(again, number + "B1", number)
    guard = guardians(book)[rows]
    needs = (book.age0[rows] < 18) | np.isin(kind, ("5", "6", "7")) | np.isin(grade, ("1",))
    known = issued + days(rng.integers(3, 25, m)) if known is None else np.broadcast_to(known, m)
    told = book.death[rows] + days(rng.integers(20, 500, m))
    common: dict[str, Any] = {
        "cert_no": number,
        "person": rows,
        "dis_type": kind,
        "dis_grade": grade,
        "issue_date": issued,
        "valid_to": issued + np.timedelta64(3652, "D"),
        "guardian_person": where(needs, guard, -1),
        "village_code": book.village[rows],
    }
    state = where((rng.random(m) < 0.012) & (name == "life"), "2", "1")
    book.write("dp_disability_cert", known, told, status=state, **common)
    dead = ~np.isnat(told)
    book.write("dp_disability_cert", told[dead], status="4", **{k: v[dead] for k, v in common.items()})


def serious_disease(book: Book) -> None:
    """Serious diseases and severe mental disorders: about 1 % of people."""
    rng = book.rng("serious disease")
    n = book.n
    chance = np.interp(book.age0, [0, 20, 40, 55, 70, 85], [0.0008, 0.0015, 0.005, 0.012, 0.024, 0.025])
    rows = np.flatnonzero(
        (rng.random(n) < chance) & ~book.outsider & ~book.spared & (book.age0 > 0) & book.alive_on(book.t0)
    )
    m = len(rows)
    disease = pick(rng, ["01", "06", "03", "05", "02", "11", "07", "99"], [30, 26, 18, 10, 7, 2, 1, 6], m)
    code = {
        "01": "C34",
        "06": "I63",
        "03": "F20",
        "05": "I21",
        "02": "N18",
        "11": "Z94",
        "07": "C95",
        "99": "D61",
    }
    found = where(
        rng.random(m) < 0.25 * book.years / 2, book.day(rng, m), book.t0 - days(rng.integers(5, 2500, m))
    )
    found = np.maximum(found, book.born[rows] + days(60)).astype("datetime64[D]")
    known = found + days(rng.integers(10, 70, m))
    told = book.death[rows] + days(rng.integers(15, 120, m))
    common: dict[str, Any] = {
        "person": rows,
        "disease": disease,
        "icd10": np.array([code[d] for d in disease], dtype=object),
        "diag_date": found,
        "hospital": pick(
            rng,
            ["乌兰察布市中心医院", "内蒙古自治区人民医院", "北京某三级医院", "县人民医院"],
            [4, 3, 1, 3],
            m,
        ),
        "guardian_person": where(disease == "03", guardians(book)[rows], -1),
        "village_code": book.village[rows],
    }
    book.write(
        "hl_serious_disease", known, told, manage_status=pick(rng, ["1", "2", "4"], [90, 7, 3], m), **common
    )
    dead = ~np.isnat(told)
    book.write("hl_serious_disease", told[dead], manage_status="3", **{k: v[dead] for k, v in common.items()})
    book.ill = np.zeros(n, dtype=bool)
    book.ill[rows] = True


def enrolment(book: Book, worker: Flags, aid: Any) -> None:
    """Medical insurance of 2024 and 2025: about 95 % of people. `aid` is the subsidy category by person."""
    rng = book.rng("medical enrolment")
    employer_names = book.employer_of
    for year in range(book.shard.on.year + 1, book.last.astype("datetime64[Y]").astype(int) + 1971):
        day = np.datetime64(f"{year}-01-01")
        here = book.alive_on(day) & ~book.outsider & (book.registered | (rng.random(book.n) < 0.3))
        # Planted families are insured, unless their story is another.
        here[list(book.enrolled_apart)] = False
        rows = np.flatnonzero(here & ((rng.random(book.n) < 0.965) | book.spared))
        m = len(rows)
        category = where(worker[rows], "0", aid[rows])
        paid = where(rng.random(m) < 0.985, "1", "2")
        paid = where((paid == "2") & ((category != "0") | book.spared[rows]), "1", paid)
        fee = where(
            worker[rows],
            0.0,
            400.0
            - where(
                category == "1",
                400.0,
                where(category == "2", 300.0, where(category == "0", 0.0, 200.0)),
            ),
        )
        book.write(
            "mi_enrolment",
            day + days(rng.integers(15, 50, m)),
            person=rows,
            insu_type=where(worker[rows], "310", "390"),
            year=np.full(m, year),
            pay_status=paid,
            aid_category=category,
            self_paid=fee,
            employer_name=where(worker[rows], employer_names[rows], None),
            division=where(book.county[rows] == "", "150902", book.county[rows]),
        )


def settlement_rows(
    book: Book, who: Ints, when: Any, kind: Any, total: Any, covered: Any, name: str, **given: Any
) -> Any:
    """Settlements with their parts: basic, critical-illness, aid and own payment. Returns the running numbers and own payments.

    `covered` is the aid category by row ('0' none). Given columns (self_pay, known_on, refund_flag ...) win over the computed ones.
    """
    rng = book.rng("settlements " + name)
    m = len(who)
    kind, total = np.asarray(kind), np.round(np.asarray(total, dtype=np.float64), 2)
    inpatient = kind == "21"
    scope = np.round(total * rng.uniform(0.78, 0.97, m), 2)
    rate = where(inpatient, rng.uniform(0.50, 0.72, m), rng.uniform(0.35, 0.6, m))
    basic = np.round(np.maximum(scope - where(inpatient, 500.0, 0.0), 0) * rate, 2)
    rest = scope - basic
    critical = np.round(np.maximum(rest - 14_000, 0) * 0.6, 2)
    rest = rest - critical
    aid = np.round(
        where(
            covered == "1",
            rest * 0.9,
            where(covered == "2", rest * 0.7, where(covered == "0", 0.0, rest * 0.5)),
        ),
        2,
    )
    aid = where(inpatient | (kind == "14"), aid, 0.0)
    own = np.round(total - basic - critical - aid, 2)
    if "self_pay" in given:
        own = np.asarray(given.pop("self_pay"), dtype=np.float64)
        basic = np.round(total - own, 2)
        critical = aid = np.zeros(m)
    stay = where(inpatient, rng.integers(3, 18, m), 0)
    known = given.pop("known_on", None)
    if known is None:
        known = when + days(where(rng.random(m) < 0.04, rng.integers(30, 120, m), rng.integers(1, 8, m)))
    number = given.pop("settle_id", None)
    if number is None:
        number = np.array([f"S{name[:1].upper()}"], dtype=object) + ids.padded(
            book.shard.index * 10**9 + np.arange(m), 14
        )
    code = where(
        inpatient,
        pick(
            rng,
            ["I63", "I25", "J18", "J44", "C34", "K80", "S72", "M51", "E11", "O80", "N18"],
            [15, 12, 14, 9, 6, 8, 6, 9, 9, 4, 4],
            m,
        ),
        where(
            kind == "14",
            pick(rng, ["I10", "E11", "N18", "F20"], [5, 4, 1, 1], m),
            pick(rng, ["J06", "K29", "I10", "M17"], [5, 3, 3, 2], m),
        ),
    )
    book.write(
        "mi_settlement",
        known,
        settle_id=number,
        person=who,
        visit_type=kind,
        hospital_code=pick(rng, HOSPITALS, [3, 2, 2, 2, 1, 1], m),
        admit_date=where(inpatient, when - days(stay), NEVER).astype("datetime64[D]"),
        settle_date=when,
        total_fee=total,
        in_scope_fee=scope,
        basic_pay=basic,
        critical_pay=critical,
        aid_pay=aid,
        other_pay=0.0,
        self_pay=own,
        diag_icd10=given.pop("diag_icd10", code),
        refund_flag=given.pop("refund_flag", False),
    )
    return number, own, aid, known


def treatments(book: Book, aid: Any) -> None:
    """Visits and stays: inpatient about 15 % of people a year, outpatient 1.2 settlements a head; refunds; aid."""
    rng = book.rng("treatments")
    n = book.n
    base = ~book.outsider & ~book.spared & (book.registered | (rng.random(n) < 0.3))
    ill = book.ill
    stays = np.interp(
        book.age0, [0, 3, 15, 30, 50, 65, 80], [0.16, 0.07, 0.03, 0.07, 0.13, 0.27, 0.34]
    ) * where(ill, 3.5, 1.0)
    visits = np.interp(book.age0, [0, 5, 20, 45, 65, 80], [1.2, 0.9, 0.5, 0.9, 1.6, 1.8])
    chronic = (rng.random(n) < np.interp(book.age0, [30, 50, 70], [0.01, 0.08, 0.25])) | (
        ill & (rng.random(n) < 0.5)
    )
    parts = []
    for name, rate in (("21", stays), ("11", visits), ("14", where(chronic, 2.0, 0.0))):
        times = rng.poisson(where(base, rate * book.years, 0.0))
        who = np.repeat(np.arange(n), times)
        when = book.day(rng, len(who))
        ok = book.alive_on(book.t0)[who] | (book.born[who] > book.t0)
        ok &= (when >= book.born[who]) & (np.isnat(book.death[who]) | (when <= book.death[who]))
        parts.append((name, who[ok], when[ok]))
    who = np.concatenate([p[1] for p in parts])
    when = np.concatenate([p[2] for p in parts])
    kind = np.concatenate([np.full(len(p[1]), p[0], dtype=object) for p in parts])
    m = len(who)
    total = first_of(
        [kind == "21", kind == "14"],
        [rng.lognormal(8.85, 0.75, m), rng.lognormal(5.9, 0.6, m)],
        rng.lognormal(4.9, 0.8, m),
    )
    number, own, paid, known = settlement_rows(book, who, when, kind, total, aid[who], "life")
    back = np.flatnonzero(rng.random(m) < 0.004)
    late = known[back] + days(rng.integers(3, 40, len(back)))
    # A refund repeats the settlement with the sign turned; the two must be netted by their number.
    book.write(
        "mi_settlement",
        late,
        settle_id=number[back],
        person=who[back],
        visit_type=kind[back],
        hospital_code=HOSPITALS[0],
        settle_date=when[back],
        total_fee=-np.round(total[back], 2),
        in_scope_fee=-np.round(total[back] * 0.9, 2),
        basic_pay=-np.round(total[back] - own[back] - paid[back], 2),
        critical_pay=0.0,
        aid_pay=-paid[back],
        other_pay=0.0,
        self_pay=-own[back],
        diag_icd10="K29",
        refund_flag=True,
    )
    helped = np.flatnonzero(paid > 0)
    helped = np.setdiff1d(helped, back)
    book.write(
        "mi_medical_aid",
        when[helped] + days(rng.integers(5, 60, len(helped))),
        person=who[helped],
        aid_type=where(kind[helped] == "21", "2", "3"),
        category=aid[who[helped]],
        amount=paid[helped],
        pay_date=when[helped] + days(3),
        settle_id=number[helped],
    )
    subsidised = np.flatnonzero((aid != "0") & base & book.alive_on(book.last))
    for year in (2024, 2025):
        paid_on = np.datetime64(f"{year}-02-20")
        book.write(
            "mi_medical_aid",
            paid_on + days(20),
            person=subsidised,
            aid_type="1",
            category=aid[subsidised],
            amount=first_of([aid[subsidised] == "1", aid[subsidised] == "2"], [400.0, 300.0], 200.0),
            pay_date=paid_on,
        )


def accidents(book: Book) -> None:
    """Fires, traffic, work: 0.1 % of people a year, some dead among those who died anyway."""
    rng = book.rng("accidents")
    hurt = np.flatnonzero(
        (rng.random(book.n) < 0.0011 * book.years)
        & ~book.outsider
        & ~book.spared
        & (book.age0 > 4)
        & book.alive_on(book.last)
    )
    dead = np.flatnonzero(
        (book.death >= book.t0) & (book.age0 < 65) & (rng.random(book.n) < 0.14) & ~book.spared
    )
    rows = np.r_[hurt, dead]
    m = len(rows)
    when = where(
        np.arange(m) < len(hurt), book.day(rng, m), book.death[rows] - days(rng.integers(0, 3, m))
    ).astype("datetime64[D]")
    outcome = where(np.arange(m) < len(hurt), pick(rng, ["2", "3", "4"], [3, 5, 2], m), "1")
    kind = pick(rng, ["2", "3", "1", "4", "9"], [60, 18, 12, 4, 6], m)
    place = np.array(
        [
            places.villages()[v].name + t
            for v, t in zip(
                book.village[rows], pick(rng, ["附近", "路段", "境内", "院内"], [1, 2, 2, 1], m), strict=True
            )
        ],
        dtype=object,
    )
    book.write(
        "em_accident_casualty",
        when + days(rng.integers(3, 35, m)),
        accident_no=np.array(["SG"], dtype=object) + ids.padded(rows + book.base, 11),
        accident_type=kind,
        occur_date=when,
        place=place,
        person=rows,
        outcome=outcome,
        property_loss=where(rng.random(m) < 0.5, np.round(rng.lognormal(8.3, 1.0, m), -2), np.nan),
    )


def custody(book: Book) -> None:
    """Prison, detention, compulsory rehabilitation, community correction: about 0.2 % of adults in the window."""
    rng = book.rng("custody")
    chance = where(book.female, 0.0003, 0.0032)
    rows = np.flatnonzero(
        (rng.random(book.n) < chance)
        & (book.age0 > 18)
        & (book.age0 < 65)
        & ~book.outsider
        & ~book.spared
        & book.alive_on(book.last)
    )
    m = len(rows)
    kind = pick(rng, list("12345"), [15, 12, 38, 10, 25], m)
    begin = where(rng.random(m) < 0.55, book.day(rng, m), book.t0 - days(rng.integers(0, 900, m))).astype(
        "datetime64[D]"
    )
    length = first_of(
        [kind == "1", kind == "2", kind == "4"],
        [rng.integers(5, 35, m), rng.integers(60, 200, m), rng.integers(365, 730, m)],
        rng.integers(200, 2500, m),
    )
    end = begin + days(length)
    common: dict[str, Any] = {
        "person": rows,
        "custody_type": kind,
        "start_date": begin,
        "end_date": end,
        "facility_division": pick(rng, ["150902", "150105", "150203"], [3, 2, 1], m),
    }
    out = end + days(rng.integers(1, 20, m))
    book.write("ps_custody", begin + days(rng.integers(3, 30, m)), out, status="1", **common)
    book.write("ps_custody", out, status="2", **common)


def schools(book: Book, poor: Flags) -> None:
    """Enrolments of each school year, changes of status, aid by term."""
    rng = book.rng("schools")
    n = book.n
    guard = guardians(book)
    leaves = book.school_age
    leaves = np.r_[leaves, np.full(n - len(leaves), 18.6)]
    number = np.array(["G"], dtype=object) + np.array(book.frame["resident_id"].to_list(), dtype=object)
    temporary = rng.random(n) < 0.03
    number = where(
        temporary, np.array(["L1509"], dtype=object) + ids.padded(np.arange(n) + book.base, 14), number
    )
    private = rng.random(n) < 0.1
    boards = rng.random(n) < where(book.rural, 0.5, 0.12)
    trade = rng.random(n) < 0.42
    kinder, college = rng.random(n) < 0.84, rng.random(n) < 0.35
    first_year = book.shard.on.year
    # Ages in whole years on the first of September.
    for year in range(first_year, book.last.astype("datetime64[Y]").astype(int) + 1971):
        opening = np.datetime64(f"{year}-09-01")
        age = ((opening - book.born).astype(np.int64) / 365.2425).astype(int)
        exact = (opening - book.born).astype(np.int64) / 365.25
        here = book.alive_on(opening) & ~book.outsider & (book.registered | (rng.random(n) < 0.7))
        here &= (exact < leaves) | (age < 15)
        stage = first_of(
            [age < 6, age < 12, age < 15, (age < 18) & trade, age < 18], ["0", "1", "2", "4", "3"], "5"
        )
        here &= (age >= 3) & (age < 23) & ((stage != "0") | kinder) & ((stage != "5") | college)
        # A planted family's adult children do not study by chance.
        here &= ~book.spared | (age < 18)
        here[list(book.schooled_apart)] = False
        rows = np.flatnonzero(here)
        level = first_of(
            [stage == "0", stage == "1", stage == "2", stage == "5"],
            [age - 2, age - 5, age - 11, age - 17],
            age - 14,
        )[rows]
        words = {
            "0": "幼儿园",
            "1": "小学",
            "2": "初级中学",
            "3": "高级中学",
            "4": "职业中等专业学校",
            "5": "职业技术学院",
        }
        town = np.array([places.townships().get(v[:9], "乌兰察布") for v in book.village[rows]], dtype=object)
        school = town + np.array([words[s] for s in stage[rows]], dtype=object)
        m = len(rows)
        tuition = first_of(
            [stage[rows] == "0", stage[rows] == "3", stage[rows] == "5"], [3600.0, 800.0, 5000.0], 0.0
        ) * where(private[rows], 3.0, 1.0)
        common: dict[str, Any] = {
            "student_no": number[rows],
            "person": rows,
            "school": school,
            "school_nature": where(private[rows], "2", "1"),
            "stage": stage[rows],
            "grade": np.array([f"{g}年级" for g in level], dtype=object),
            "boarding": boards[rows] & (stage[rows] != "0"),
            "tuition": tuition,
            "guardian_person": where(age[rows] < 18, guard[rows], -1),
        }
        known = opening + np.timedelta64(19, "D")
        following = np.datetime64(f"{year + 1}-09-20")
        stops = rng.random(m) < 0.006
        change = opening + days(rng.integers(40, 280, m))
        told = where(stops & ~book.spared[rows], change + days(10), NEVER).astype("datetime64[D]")
        until = where(np.isnat(told), following, told).astype("datetime64[D]")
        book.write("ed_enrolment", known, until, status="1", status_date=opening, **common)
        at = ~np.isnat(told)
        book.write(
            "ed_enrolment",
            told[at],
            following,
            status=pick(rng, ["2", "3", "4"], [25, 12, 63], int(at.sum())),
            status_date=change[at],
            **{k: v[at] for k, v in common.items()},
        )
        needy = rows[(poor[rows] & (rng.random(m) < 0.8)) | (rng.random(m) < 0.04)]
        needy = needy[~book.spared[needy]]
        for term, paid in ((f"{year}秋", f"{year}-11-10"), (f"{year + 1}春", f"{year + 1}-05-15")):
            k = len(needy)
            book.write(
                "ed_student_aid",
                np.datetime64(paid) + days(rng.integers(3, 25, k)),
                student_no=number[needy],
                person=needy,
                item=where(np.isin(stage[needy], ("0", "1", "2")), "2", "1"),
                hardship=where(poor[needy], "1", pick(rng, ["2", "3"], [1, 2], k)),
                term=term,
                amount=first_of(
                    [stage[needy] == "0", stage[needy] == "1", stage[needy] == "2", stage[needy] == "5"],
                    [500.0, 500.0, 625.0, 1650.0],
                    1000.0,
                ),
                pay_date=np.datetime64(paid),
            )
