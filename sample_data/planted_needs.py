"""Situations of the help-in list that are planted beside those of `planted`: illness, school, income, disasters, kin, houses.

Taken from the wording of the warning catalogue and the standards of prefecture 1509, not from the rules' code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sample_data.family import NEVER
from sample_data.planted import DAY, Family, Planter, kind
from sample_data.planted_checks import pension
from sample_data.welfare import STANDARD, authorizations
from sample_data.world import Book

YEAR_STANDARD = {"1": 813.0 * 12, "2": 7320.0}
"""Dibao standard of twelve months, urban and rural."""


# ---- which families suit a story ---------------------------------------------------------------------------------


def one_pupil(book: Book, f: Family) -> bool:
    """One child, of primary or lower secondary school at the end and a year before it."""
    return len(f.kids) == 1 and 6.0 <= book.age0[f.kids[0]] <= 11.0


def two_pupils(book: Book, f: Family) -> bool:
    """Two children of compulsory school age."""
    return len(f.kids) == 2 and all(6.0 <= book.age0[c] <= 11.5 for c in f.kids)


def one_toddler(book: Book, f: Family) -> bool:
    """One child, of three to five at the end: kindergarten, not compulsory school."""
    return len(f.kids) == 1 and 1.3 <= book.age0[f.kids[0]] <= 3.3


def two_in_paid_study(book: Book, f: Family) -> bool:
    """Two children at least of kindergarten age or beyond lower secondary school at the end."""
    return sum(1.2 <= book.age0[c] <= 4.2 or book.age0[c] >= 13.2 for c in f.kids) >= 2


def own_children(book: Book, f: Family) -> bool:
    """The children are those of the couple."""
    return bool(f.kids) and all(book.father[c] == f.head and book.mother[c] == f.partner for c in f.kids)


def without_kin(book: Book, f: Family) -> bool:
    """Never married, no child, no parent alive."""
    alive = book.alive_on(book.t0)
    parents = (book.father[f.head], book.mother[f.head])
    childless = not ((book.father == f.head) | (book.mother == f.head)).any()
    return book.marital[f.head] == "10" and childless and all(x < 0 or not alive[x] for x in parents)


def with_children(book: Book, f: Family) -> bool:
    """Living grown-up children elsewhere."""
    mine = (book.father == f.head) | (book.mother == f.head)
    return bool((mine & book.alive_on(book.last) & (book.age0 > 20) & (book.age0 < 55)).any())


# ---- rows that several stories write -----------------------------------------------------------------------------


def disease(
    p: Planter, person: int, found: Any, known: Any, code: str = "01", icd: str = "C34", manage: str = "1"
) -> None:
    """A row in the register of serious diseases."""
    p.add(
        "hl_serious_disease",
        known,
        person=person,
        disease=code,
        icd10=icd,
        diag_date=found,
        hospital="乌兰察布市中心医院",
        manage_status=manage,
        village_code=p.book.village[person],
    )


def school(
    p: Planter,
    child: int,
    status: str,
    since: Any = None,
    known: Any = None,
    stage: str = "",
    gone: Any = NEVER,
) -> None:
    """What the school says of a child in this school year; `gone` is when the row gives way to the next."""
    book = p.book
    book.schooled_apart.add(child)
    night = book.night.item()
    opening = np.datetime64(f"{night.year if night.month >= 9 else night.year - 1}-09-01")
    age = int((opening - book.born[child]).astype(int) / 365.25)
    stage = stage or ("0" if age < 6 else "1" if age < 12 else "2" if age < 15 else "4")
    begun = opening if since is None else since
    p.add(
        "ed_enrolment",
        begun + 10 * DAY if known is None else known,
        gone_on=gone,
        student_no=f"G{book.frame['resident_id'][child]}",
        person=child,
        school={"0": "中心幼儿园", "1": "中心小学", "2": "第二初级中学"}.get(stage, "职业中等专业学校"),
        school_nature="1",
        stage=stage,
        grade=f"{max(age - {'0': 2, '1': 5, '2': 11}.get(stage, 14), 1)}年级",
        status=status,
        status_date=begun,
        boarding=False,
        tuition=3600.0 if stage == "0" else 0.0,
        guardian_person=int(book.mother[child]) if book.mother[child] >= 0 else int(book.father[child]),
    )


def disaster(
    p: Planter, f: Family, ago: int, loss: float, collapsed: int = 0, severe: int = 0, item: str = "1"
) -> None:
    """A family in the register of a disaster."""
    day = p.ago(ago)
    p.add(
        "em_disaster_relief",
        day + 6 * DAY,
        event_name=f"{day.item().year}年{day.item().month}月洪涝灾害",
        disaster_type="01",
        event_date=day,
        head_person=f.head,
        affected_count=len(f.rows),
        rooms_collapsed=collapsed,
        rooms_severe=severe,
        crop_area=12.0,
        loss=loss,
        relief_item=item,
        amount=320.0,
        pay_date=day + 5 * DAY,
    )


def accident(p: Planter, person: int, ago: int, outcome: str, type_: str = "2") -> None:
    """A person in the register of accidents."""
    p.add(
        "em_accident_casualty",
        p.ago(ago) + 9 * DAY,
        accident_no=f"SGP{p.next():010d}",
        accident_type=type_,
        occur_date=p.ago(ago),
        place=f"{p.book.frame['live_address'][person]}附近路段",
        person=person,
        outcome=outcome,
    )


def house(
    p: Planter,
    f: Family,
    grade: str,
    renovation: str = "0",
    ago: int = 300,
    finished: Any = None,
    only: bool = True,
    gone: Any = NEVER,
) -> None:
    """An assessment of a rural house."""
    p.add(
        "hc_rural_house_safety",
        p.ago(ago) + 20 * DAY,
        gone_on=gone,
        head_person=f.head,
        village_code=p.book.village[f.head],
        grade=grade,
        assess_date=p.ago(ago),
        only_dwelling=only,
        renovation=renovation,
        finish_date=finished,
        subsidy=0.0 if finished is None else 14_000.0,
    )


def refused(p: Planter, f: Family, ago: int, decision: str = "2", reason: str = "1") -> None:
    """An application for dibao that was refused, or withdrawn ('3')."""
    accept = p.ago(ago + 30)
    p.add(
        "ca_application",
        p.ago(ago) + DAY,
        apply_no=f"SLP{p.next():010d}",
        category="1",
        applicant_person=f.head,
        member_persons=[p.book.base + r for r in f.rows],
        accept_date=accept,
        check_report_no=f"HD{p.serial:010d}",
        survey_date=accept + 6 * DAY,
        publicity_from=accept + 15 * DAY,
        decision=decision,
        decision_date=p.ago(ago),
        reason=reason,
        authorization_no=authorizations(p.book, np.array([f.head]))[0],
    )


def relieved(p: Planter, person: int, ago: int) -> None:
    """A grant of temporary relief."""
    county = str(p.book.county[person])
    p.add(
        "ca_temp_relief",
        p.ago(ago) + 4 * DAY,
        grant_no=f"LSP{p.next():010d}",
        person=person,
        relief_type="2",
        cause="1",
        amount=2000.0,
        grant_date=p.ago(ago),
        place_division=county,
        hukou_division=county,
    )


def wages(p: Planter, person: int, amount: float, first: int = 0, last: int = 999) -> None:
    """Taxed wages month by month, of an employer who declares and does not insure."""
    for month in range(max(first, 0), min(last, p.book.last_month) + 1):
        p.wage(person, month, amount)


# ---- N03 new serious disease -------------------------------------------------------------------------------------


@kind("N03", "must", "couple_rural couple_urban family_rural", "50天前确诊恶性肿瘤并登记，未纳入救助")
def cancer_registered(p: Planter, f: Family) -> None:
    """Diagnosed fifty days ago and registered since."""
    disease(p, f.head, p.ago(50), p.ago(35))


@kind("N03", "must", "couple_urban couple_rural", "首次以恶性肿瘤为主诊断住院结算，数据后到", late=True)
def cancer_settled(p: Planter, f: Family) -> None:
    """The first settlement with a listed main diagnosis arrives on a later night."""
    p.settle(f.partner, 8, 3200.0, known=p.visible, diagnosis="C50")
    p.person = f.partner


@kind("N03", "must", "family_rural couple_rural family_urban", "低保边缘家庭成员（未保障）新患白血病")
def leukaemia_in_edge_family(p: Planter, f: Family) -> None:
    """An edge family's member is not covered."""
    p.case(f, "3")
    disease(p, f.head, p.ago(30), p.ago(18), "07", "C92")


@kind("N03", "must_not", "couple_rural couple_urban", "新患重大疾病，但已是低保保障对象")
def ill_and_covered(p: Planter, f: Family) -> None:
    """Covered by dibao already."""
    p.case(f)
    disease(p, f.head, p.ago(50), p.ago(35))


@kind("N03", "must_not", "couple_urban couple_rural", "五年前确诊，近日才登记")
def old_case_of_the_backlog(p: Planter, f: Family) -> None:
    """Diagnosed five years ago, registered lately."""
    disease(p, f.head, p.ago(1800), p.ago(20), "06", "I63")


@kind("N03", "must_not", "couple_rural couple_urban", "近日以肺炎住院，不是重大疾病")
def pneumonia(p: Planter, f: Family) -> None:
    """A stay for pneumonia."""
    p.settle(f.head, 30, 2600.0, diagnosis="J18")


@kind("N03", "must_not", "couple_urban couple_rural", "95天前确诊，已不是新患")
def diagnosed_95_days_ago(p: Planter, f: Family) -> None:
    """A few days more than ninety."""
    disease(p, f.head, p.ago(95), p.ago(80))


# ---- N04 schooling -----------------------------------------------------------------------------------------------


@kind("N04", "must", "family_rural family_urban", "义务教育阶段学生辍学两个月", fits=one_pupil)
def dropped_out(p: Planter, f: Family) -> None:
    """A child of compulsory school age has dropped out."""
    school(p, f.kids[0], "3", p.ago(62))
    p.person = f.kids[0]


@kind(
    "N04",
    "must",
    "family_urban family_rural",
    "义务教育阶段学生休学，学籍异动后到",
    late=True,
    fits=one_pupil,
)
def suspended_just_told(p: Planter, f: Family) -> None:
    """The school tells it on a later night."""
    school(p, f.kids[0], "1", gone=p.visible)
    school(p, f.kids[0], "2", p.ago(21), known=p.visible)
    p.person = f.kids[0]


@kind(
    "N04",
    "must",
    "family_urban family_rural",
    "低保边缘家庭两名子女在非义务教育阶段就读，没有学生资助",
    fits=two_in_paid_study,
)
def two_in_paid_schools(p: Planter, f: Family) -> None:
    """Two children at kindergarten or vocational school in an edge family, no aid."""
    p.case(f, "3")
    for child in f.kids:
        school(p, child, "1")


@kind("N04", "must_not", "family_rural family_urban", "转学到外地，学籍为转出", fits=one_pupil)
def changed_school(p: Planter, f: Family) -> None:
    """Moved to a school elsewhere."""
    school(p, f.kids[0], "4", p.ago(50))
    p.person = f.kids[0]


@kind("N04", "must_not", "family_urban family_rural", "幼儿园儿童休学，不属义务教育", fits=one_toddler)
def left_kindergarten(p: Planter, f: Family) -> None:
    """A child below school age left the kindergarten."""
    school(p, f.kids[0], "2", p.ago(45), stage="0")
    p.person = f.kids[0]


@kind("N04", "must_not", "family_rural family_urban", "低保户两名子女都在义务教育阶段在读", fits=two_pupils)
def two_in_compulsory_school(p: Planter, f: Family) -> None:
    """Two children at compulsory school in a dibao family."""
    p.case(f)
    for child in f.kids:
        school(p, child, "1")


# ---- N06 plunge of income ----------------------------------------------------------------------------------------


@kind("N06", "must", "couple_urban couple_rural", "低保边缘家庭主要成员停工，近三个月没有工资")
def edge_family_without_wage(p: Planter, f: Family) -> None:
    """A recognised edge family whose wage stopped five months ago."""
    p.case(f, "3")
    p.job(f.head, -20, p.now - 6, 2600.0)


@kind("N06", "must", "couple_rural couple_urban", "夫妻一人失去工作，家庭月收入由6600元降到1400元")
def one_of_two_wages_lost(p: Planter, f: Family) -> None:
    """The larger of two wages is gone; 700 yuan a head remain."""
    p.job(f.head, -20, p.now - 6, 5200.0)
    wages(p, f.partner, 1400.0)


@kind("N06", "must", "couple_urban couple_rural", "工资停发三个月以上，失业登记后到", late=True)
def wage_over_as_registered(p: Planter, f: Family) -> None:
    """The registration that says that the wage is over arrives on a later night."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 4300.0, 0, p.now - 6)
    p.jobless(f.head, p.ago(150), known=p.visible)


@kind("N06", "must_not", "couple_urban couple_rural", "年终奖拉高此前平均，每月工资未变")
def bonus_before(p: Planter, f: Family) -> None:
    """1,500 yuan a month throughout, and a bonus of 40,000 once."""
    p.jobless(f.partner, p.ago(100))
    for month in range(p.book.last_month + 1):
        p.wage(f.head, month, 41_500.0 if month == p.now - 10 else 1500.0)


@kind("N06", "must_not", "couple_rural couple_urban", "工资由2000元降到1200元，减少40%，未达一半")
def forty_percent_less(p: Planter, f: Family) -> None:
    """Forty per cent less, in an edge family."""
    p.case(f, "3")
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2000.0, 0, p.now - 5)
    wages(p, f.head, 1200.0, p.now - 4)


@kind("N06", "must_not", "couple_urban couple_rural", "收入减半后人均仍高于两倍低保标准")
def still_well_off(p: Planter, f: Family) -> None:
    """Half of 12,000 yuan is still far above twice the standard for two."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 12_000.0, 0, p.now - 5)
    wages(p, f.head, 5000.0, p.now - 4)


@kind("N06", "must", "couple_urban couple_rural", "低保边缘家庭工资由2400元降到1200元，恰好减少一半")
def exactly_half(p: Planter, f: Family) -> None:
    """Exactly half: the rule says at least."""
    p.case(f, "3")
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2400.0, 0, p.now - 5)
    wages(p, f.head, 1200.0, p.now - 4)


# ---- N07 disasters -----------------------------------------------------------------------------------------------


@kind("N07", "must", "couple_rural oldcouple_rural family_rural", "洪涝中唯一住房倒塌三间")
def only_house_collapsed(p: Planter, f: Family) -> None:
    """Three rooms of the only house are gone."""
    house(p, f, "B", ago=500)
    disaster(p, f, 32, 48_000.0, collapsed=3, severe=1)


@kind("N07", "must", "family_rural couple_rural", "农业损失超过全户一年的低保标准")
def crop_and_livestock_lost(p: Planter, f: Family) -> None:
    """A loss of twice the yearly standard of all members."""
    disaster(p, f, 45, YEAR_STANDARD["2"] * len(f.rows) * 2)


@kind("N07", "must_not", "couple_rural oldcouple_rural", "损失恰为全户一年的低保标准，未超过")
def loss_at_the_limit(p: Planter, f: Family) -> None:
    """Exactly the yearly standard."""
    disaster(p, f, 40, YEAR_STANDARD["2"] * len(f.rows))


@kind("N07", "must_not", "family_rural couple_rural", "农作物损失4000元，住房完好")
def small_loss(p: Planter, f: Family) -> None:
    """A small loss of crops."""
    disaster(p, f, 50, 4000.0)


@kind("N07", "must_not", "couple_rural oldcouple_rural", "倒塌的是旧房，另有购买的住房，损失不大")
def old_house_collapsed(p: Planter, f: Family) -> None:
    """The house that fell is not the only one."""
    p.title(f.head)
    house(p, f, "C", ago=500, only=False)
    disaster(p, f, 35, 5000.0, collapsed=1)


# ---- N08 accidents -----------------------------------------------------------------------------------------------


@kind("N08", "must", "couple_rural family_rural couple_urban", "道路交通事故重伤")
def badly_injured(p: Planter, f: Family) -> None:
    """Severely injured forty days ago."""
    accident(p, f.head, 40, "2")


@kind(
    "N08",
    "must",
    "family_urban family_rural couple_rural",
    "主要劳动力在生产安全事故中去世",
    dies=lambda book, f, v: [(f.head, book.night - 34 * DAY, book.night - 20 * DAY)],
)
def died_in_an_accident(p: Planter, f: Family) -> None:
    """The earner died in an accident at work."""
    p.job(f.head, -20, p.now - 2, 4700.0)
    accident(p, f.head, 34, "1", "3")
    p.death_rows(f.head, "r", p.ago(20))


@kind("N08", "must_not", "couple_urban couple_rural", "事故中只受轻伤")
def lightly_injured(p: Planter, f: Family) -> None:
    """A light injury."""
    accident(p, f.head, 40, "3")


@kind("N08", "must_not", "couple_rural couple_urban", "火灾只有财产损失")
def property_burnt(p: Planter, f: Family) -> None:
    """A fire without anybody hurt."""
    accident(p, f.head, 30, "4", "1")


@kind("N08", "must_not", "couple_urban couple_rural", "重伤事故发生在14个月以前")
def injured_long_ago(p: Planter, f: Family) -> None:
    """Fourteen months ago."""
    accident(p, f.head, 425, "2")


# ---- N11 edge candidate ------------------------------------------------------------------------------------------


@kind("N11", "must", "family_rural couple_rural", "防返贫监测户，人均纯收入9000元，未认定")
def surveyed_between(p: Planter, f: Family) -> None:
    """9,000 yuan a head and year: between the standard and 1.5 times of it."""
    p.monitored(f, 9000.0, p.ago(60), p.ago(40))


@kind("N11", "must", "couple_rural family_rural", "防返贫监测户，人均纯收入10979元，数据后到", late=True)
def surveyed_below_the_edge(p: Planter, f: Family) -> None:
    """One yuan below the edge line, told on a later night."""
    p.monitored(f, 10_979.0, p.ago(20), p.visible)


@kind("N11", "must", "couple_urban couple_rural", "夫妻一人有工资、一人登记失业，人均为低保标准的1.2至1.45倍")
def wage_between(p: Planter, f: Family) -> None:
    """A wage of 1.45 times the standard a head before job cost, nothing else."""
    p.jobless(f.partner, p.ago(120))
    wages(p, f.head, round(STANDARD[p.urban(f.head)] * 1.45 * 2, 2))


@kind("N11", "must_not", "family_rural couple_rural", "监测户人均纯收入恰为10980元，不低于边缘线")
def surveyed_at_the_edge(p: Planter, f: Family) -> None:
    """Exactly 1.5 times the standard."""
    p.monitored(f, 10_980.0, p.ago(60), p.ago(40))


@kind("N11", "must_not", "couple_rural family_rural", "收入在边缘线内，已认定为低保边缘家庭")
def already_recognised(p: Planter, f: Family) -> None:
    """Recognised already."""
    p.case(f, "3")
    p.monitored(f, 9000.0, p.ago(200), p.ago(180))


@kind("N11", "must_not", "couple_rural family_rural", "收入在边缘线内，名下有小轿车和两套住房")
def between_with_property(p: Planter, f: Family) -> None:
    """A car and two flats speak against it."""
    p.monitored(f, 9000.0, p.ago(90), p.ago(70))
    p.vehicle(f.head, "K33", "大众牌SVW71510", p.ago(700))
    p.title(f.head)
    p.title(f.head, gained=p.book.t0 - 900 * DAY)


# ---- N12 rigid expenditure ---------------------------------------------------------------------------------------


@kind("N12", "must", "couple_urban couple_rural", "年收入3万元，近12个月医疗自付约4万元，未纳入救助")
def medical_cost_eats_the_wage(p: Planter, f: Family) -> None:
    """A wage of 2,500 yuan a month for two, 37,000 yuan of in-scope own pay."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2500.0)
    p.settle(f.partner, 150, 30_000.0)
    p.settle(f.partner, 50, 20_000.0)


@kind("N12", "must", "couple_rural couple_urban", "刚性支出超过收入八成，最后一笔结算后到", late=True)
def last_bill_just_now(p: Planter, f: Family) -> None:
    """The bill that passes the ratio arrives on a later night."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2500.0)
    p.settle(f.head, 120, 15_000.0)
    p.settle(f.head, 10, 38_000.0, known=p.visible)


@kind("N12", "must_not", "couple_urban couple_rural", "大额住院费已退费冲抵")
def bill_refunded(p: Planter, f: Family) -> None:
    """The large bill came back."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2500.0)
    number = p.settle(f.partner, 90, 50_000.0)
    p.settle(f.partner, 90, 50_000.0, known=p.ago(60), refund_of=number)


@kind("N12", "must_not", "couple_rural couple_urban", "刚性支出约为收入的三成")
def a_third_of_the_wage(p: Planter, f: Family) -> None:
    """About 9,000 yuan in scope of 30,000."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 2500.0)
    p.settle(f.partner, 90, 12_000.0)


@kind("N12", "must_not", "couple_urban couple_rural", "支出比例高，但人均收入高于上年人均可支配收入")
def spends_much_earns_much(p: Planter, f: Family) -> None:
    """168,000 yuan a year for two."""
    p.jobless(f.partner, p.ago(100))
    wages(p, f.head, 14_000.0)
    p.settle(f.partner, 90, 220_000.0)


# ---- N13 single-person dibao -------------------------------------------------------------------------------------


@kind("N13", "must", "couple_rural couple_urban family_rural", "低保边缘家庭成员肢体一级残疾，未单独纳入低保")
def severe_in_edge_family(p: Planter, f: Family) -> None:
    """Severely disabled for years, in an edge family."""
    p.case(f, "3")
    p.certificate(f.partner, "4", "1", p.ago(1100))
    p.person = f.partner


@kind("N13", "must", "couple_urban family_urban couple_rural", "低保边缘家庭成员为尿毒症患者，未单独纳入低保")
def ill_in_edge_family(p: Planter, f: Family) -> None:
    """Seriously ill for a year."""
    p.case(f, "3")
    disease(p, f.head, p.ago(380), p.ago(350), "02", "N18.5")


@kind("N13", "must", "couple_rural couple_urban", "低保边缘家庭成员精神三级残疾证，数据后到", late=True)
def certificate_in_edge_family(p: Planter, f: Family) -> None:
    """The certificate arrives on a later night."""
    p.case(f, "3")
    p.certificate(f.head, "6", "3", p.ago(9), known=p.visible)


@kind("N13", "must_not", "couple_rural couple_urban", "低保边缘家庭成员肢体三级残疾，不属重度")
def light_in_edge_family(p: Planter, f: Family) -> None:
    """Limb grade 3 is not severe."""
    p.case(f, "3")
    p.certificate(f.head, "4", "3", p.ago(1100))


@kind("N13", "must_not", "couple_urban couple_rural", "重度残疾成员已按单人户纳入低保")
def single_already(p: Planter, f: Family) -> None:
    """Covered alone already."""
    p.certificate(f.partner, "1", "1", p.ago(1400))
    p.case(f, "3")
    p.case(f, members=[f.partner], single=f.partner)
    p.person = f.partner


@kind("N13", "must_not", "couple_rural couple_urban", "残疾证已注销")
def cancelled_in_edge_family(p: Planter, f: Family) -> None:
    """The certificate was cancelled."""
    p.case(f, "3")
    p.certificate(f.head, "4", "1", p.ago(2000), status="3")


# ---- N14 tekun candidate -----------------------------------------------------------------------------------------


@kind(
    "N14", "must", "old_rural old_urban", "独居老人未婚无子女，只有居民养老金，未纳入供养", fits=without_kin
)
def elder_without_kin(p: Planter, f: Family) -> None:
    """Never married, no child, the resident pension alone."""


@kind(
    "N14",
    "must",
    "single_rural single_urban",
    "无父母、配偶、子女的登记失业人员，肢体一级残疾证后到",
    late=True,
    fits=without_kin,
)
def disabled_without_kin(p: Planter, f: Family) -> None:
    """The certificate arrives on a later night."""
    p.jobless(f.head, p.ago(400))
    p.certificate(f.head, "4", "1", p.ago(14), known=p.visible)


@kind(
    "N14",
    "must",
    "threegen_rural threegen_urban",
    "父母双亡的未成年人随祖辈生活，未纳入任何供养",
    fits=own_children,
    dies=lambda book, f, v: [
        (f.head, book.night - 300 * DAY, book.night - 280 * DAY),
        (f.partner, book.night - 120 * DAY, book.night - 100 * DAY),
    ],
)
def orphan_with_grandparents(p: Planter, f: Family) -> None:
    """Both parents are dead; the grandparents' pensions keep the child."""
    p.death_rows(f.head, "r", p.ago(280))
    p.death_rows(f.partner, "r", p.ago(100))
    p.person = f.kids[0]


@kind("N14", "must_not", "old_rural old_urban", "独居老人有成年子女，户籍未登记亲子关系", fits=with_children)
def elder_with_children(p: Planter, f: Family) -> None:
    """Grown-up children live elsewhere, whatever the books say."""


@kind("N14", "must_not", "old_urban old_rural", "未婚无子女，职工养老金高于低保标准", fits=without_kin)
def elder_with_pension(p: Planter, f: Family) -> None:
    """A pension of 2,300 yuan."""
    p.unpensioned.add(f.head)
    pension(p, f.head, dict.fromkeys(range(max(p.now - 15, 0), p.now + 1), 2300.0))


@kind("N14", "must_not", "old_rural old_urban", "未婚无子女，已是特困供养人员", fits=without_kin)
def elder_in_tekun(p: Planter, f: Family) -> None:
    """Tekun already."""
    p.case(f, "2")


# ---- N15 monitored and not helped --------------------------------------------------------------------------------


@kind("N15", "must", "family_rural couple_rural", "监测户风险未消除，列入200天没有任何帮扶")
def monitored_without_help(p: Planter, f: Family) -> None:
    """Two hundred days on the list, nothing given."""
    p.monitored(f, 11_800.0, p.ago(200), p.ago(188))


@kind("N15", "must", "couple_rural family_rural", "监测户列入130天没有帮扶，名单后到", late=True)
def monitored_told_late(p: Planter, f: Family) -> None:
    """The list that names the family arrives on a later night."""
    p.monitored(f, 12_100.0, p.ago(130), p.visible)


@kind("N15", "must", "couple_rural family_rural", "监测户最近一次临时救助在150天前")
def helped_long_ago(p: Planter, f: Family) -> None:
    """One grant, a hundred and fifty days ago."""
    p.monitored(f, 11_500.0, p.ago(320), p.ago(308))
    relieved(p, f.head, 150)


@kind("N15", "must_not", "family_rural couple_rural", "列入监测才60天")
def monitored_lately(p: Planter, f: Family) -> None:
    """Sixty days on the list."""
    p.monitored(f, 11_800.0, p.ago(60), p.ago(48))


@kind("N15", "must_not", "couple_rural family_rural", "监测户30天前得到临时救助")
def helped_lately(p: Planter, f: Family) -> None:
    """A grant thirty days ago."""
    p.monitored(f, 11_800.0, p.ago(300), p.ago(288))
    relieved(p, f.head, 30)


@kind("N15", "must_not", "couple_rural family_rural", "风险已消除")
def risk_removed(p: Planter, f: Family) -> None:
    """The risk was marked removed."""
    p.monitored(f, 11_800.0, p.ago(600), p.ago(70), removed=p.ago(80))


@kind("N15", "must", "family_rural couple_rural", "监测户列入91天没有帮扶")
def monitored_for_91_days(p: Planter, f: Family) -> None:
    """One day more than ninety."""
    p.monitored(f, 11_900.0, p.ago(91), p.ago(79))


@kind("N15", "must_not", "couple_rural family_rural", "监测户列入89天没有帮扶，未满90天")
def monitored_for_89_days(p: Planter, f: Family) -> None:
    """One day less than ninety."""
    p.monitored(f, 11_900.0, p.ago(89), p.ago(77))


# ---- N16 left assistance and worse -------------------------------------------------------------------------------


@kind("N16", "must", "couple_rural couple_urban family_rural", "退出低保10个月，40天前新发重度残疾证")
def left_and_disabled(p: Planter, f: Family) -> None:
    """A severe certificate after the exit."""
    p.case(f, first=0, last=p.now - 10)
    p.certificate(f.head, "4", "1", p.ago(40))


@kind("N16", "must", "couple_urban couple_rural", "退出低保6个月，自付医疗费超过15000元，结算后到", late=True)
def left_and_ill(p: Planter, f: Family) -> None:
    """Own pay passes the limit with a bill of a later night."""
    p.case(f, first=0, last=p.now - 7)
    p.settle(f.head, 60, 9000.0, diagnosis="M51")
    p.settle(f.head, 9, 8500.0, known=p.visible, diagnosis="M51")


@kind("N16", "must", "family_rural couple_rural", "退出低保5个月，洪涝中唯一住房倒塌")
def left_and_homeless(p: Planter, f: Family) -> None:
    """A disaster after the exit."""
    p.case(f, first=0, last=p.now - 6)
    house(p, f, "B", ago=500)
    disaster(p, f, 40, 52_000.0, collapsed=3)


@kind("N16", "must_not", "couple_urban couple_rural", "重度残疾证发于退出以前")
def disabled_before_the_exit(p: Planter, f: Family) -> None:
    """The certificate is older than the exit."""
    p.certificate(f.head, "4", "1", p.ago(900))
    p.case(f, first=0, last=p.now - 8)


@kind("N16", "must_not", "couple_rural couple_urban", "退出已26个月")
def left_long_ago(p: Planter, f: Family) -> None:
    """Twenty-six months ago."""
    p.case(f, first=p.now - 40, last=p.now - 27)
    p.certificate(f.head, "4", "1", p.ago(40))


@kind("N16", "must_not", "couple_urban couple_rural", "退出一年内没有新的困难")
def left_and_well(p: Planter, f: Family) -> None:
    """Nothing happened since."""
    p.case(f, first=0, last=p.now - 9)


@kind("N16", "must", "couple_urban couple_rural", "退出低保22个月，50天前确诊恶性肿瘤")
def left_22_months_ago(p: Planter, f: Family) -> None:
    """Within the twenty-four months still."""
    p.case(f, first=p.now - 40, last=p.now - 23)
    disease(p, f.head, p.ago(50), p.ago(35))


# ---- N17 refused and worse ---------------------------------------------------------------------------------------


@kind("N17", "must", "couple_urban couple_rural", "申请低保未获批200天，此后新发重度残疾证")
def refused_and_disabled(p: Planter, f: Family) -> None:
    """A severe certificate after the refusal."""
    refused(p, f, 200)
    p.certificate(f.partner, "2", "1", p.ago(35))


@kind(
    "N17",
    "must",
    "couple_rural couple_urban",
    "申请低保未获批，此后自付医疗费超过15000元，结算后到",
    late=True,
)
def refused_and_ill(p: Planter, f: Family) -> None:
    """Own pay passes the limit with a bill of a later night."""
    refused(p, f, 240)
    p.settle(f.head, 70, 9500.0, diagnosis="M51")
    p.settle(f.head, 7, 8000.0, known=p.visible, diagnosis="M51")


@kind("N17", "must", "family_rural couple_rural couple_urban", "申请低保未获批，此后成员事故重伤")
def refused_and_injured(p: Planter, f: Family) -> None:
    """An accident after the refusal."""
    refused(p, f, 160)
    accident(p, f.head, 45, "2")


@kind("N17", "must_not", "couple_rural couple_urban", "重度残疾证发于申请以前")
def disabled_before_the_refusal(p: Planter, f: Family) -> None:
    """The survey knew of it."""
    p.certificate(f.head, "4", "1", p.ago(700))
    refused(p, f, 150)


@kind("N17", "must_not", "couple_urban couple_rural", "未获批后再次申请，已纳入低保")
def approved_since(p: Planter, f: Family) -> None:
    """Covered since."""
    refused(p, f, 400)
    p.case(f, first=p.now - 6)
    p.certificate(f.head, "4", "1", p.ago(40))


@kind("N17", "must_not", "couple_rural couple_urban", "申请人自行撤回，不是未获批")
def withdrawn(p: Planter, f: Family) -> None:
    """Withdrawn by the applicant."""
    refused(p, f, 180, "3", "5")
    p.certificate(f.head, "4", "1", p.ago(40))


# ---- N18 child without anybody to care for it --------------------------------------------------------------------


@kind("N18", "must", "family_rural family_urban", "父母均为一级残疾", fits=own_children)
def parents_disabled(p: Planter, f: Family) -> None:
    """Both parents are severely disabled."""
    p.certificate(f.head, "4", "1", p.ago(1500))
    p.certificate(f.partner, "5", "2", p.ago(1900))
    p.person = f.kids[0]


@kind(
    "N18",
    "must",
    "threegen_rural threegen_urban family_rural",
    "父亲服刑，母亲去世",
    fits=own_children,
    dies=lambda book, f, v: [(f.partner, book.night - 60 * DAY, book.night - 45 * DAY)],
)
def father_in_prison_mother_dead(p: Planter, f: Family) -> None:
    """The father serves a sentence, the mother has died."""
    p.custody(f.head, "3", p.ago(400), NEVER)
    p.death_rows(f.partner, "rc", p.ago(45))
    p.person = f.kids[0]


@kind(
    "N18",
    "must",
    "family_urban family_rural",
    "母亲重度残疾，父亲去世，死亡信息后到",
    late=True,
    fits=own_children,
    dies=lambda book, f, v: [(f.head, book.night - 8 * DAY, v)],
)
def father_died_just_now(p: Planter, f: Family) -> None:
    """The father's death becomes known on a later night."""
    p.certificate(f.partner, "6", "2", p.ago(1300))
    p.death_rows(f.head, "r", p.visible)
    p.person = f.kids[0]


@kind("N18", "must_not", "family_rural family_urban", "只有父亲重度残疾，母亲健在", fits=own_children)
def one_parent_disabled(p: Planter, f: Family) -> None:
    """The mother can care for the child."""
    p.certificate(f.head, "4", "1", p.ago(1500))
    p.person = f.kids[0]


@kind(
    "N18",
    "must_not",
    "family_urban family_rural",
    "母亲重度残疾，父亲为社区矫正，人在家中",
    fits=own_children,
)
def father_corrected_at_home(p: Planter, f: Family) -> None:
    """Community correction takes nobody from a child."""
    p.certificate(f.partner, "4", "1", p.ago(1500))
    p.custody(f.head, "5", p.ago(200), p.ago(-200))
    p.person = f.kids[0]


@kind(
    "N18",
    "must_not",
    "family_rural family_urban",
    "父母重残，子女已领事实无人抚养儿童补贴",
    fits=own_children,
)
def child_has_the_subsidy(p: Planter, f: Family) -> None:
    """The children draw the money for unattended children."""
    p.certificate(f.head, "4", "1", p.ago(1500))
    p.certificate(f.partner, "4", "2", p.ago(1200))
    for child in f.kids:
        p.subsidy(child, "5", 1615.0, p.now - 14, guardian=f.partner)
    p.person = f.kids[0]


@kind(
    "N18",
    "must_not",
    "family_urban family_rural",
    "父亲去世，母亲健在",
    fits=own_children,
    dies=lambda book, f, v: [(f.head, book.night - 90 * DAY, book.night - 75 * DAY)],
)
def mother_is_there(p: Planter, f: Family) -> None:
    """The mother lives and is well."""
    p.death_rows(f.head, "rc", p.ago(75))
    p.person = f.kids[0]


@kind("N18", "must_not", "family_rural family_urban", "母亲重度残疾，父亲拘留十日后已释放", fits=own_children)
def father_home_again(p: Planter, f: Family) -> None:
    """Ten days of detention are over."""
    p.certificate(f.partner, "4", "1", p.ago(1500))
    p.custody(f.head, "1", p.ago(80), p.ago(70), status="2")
    p.person = f.kids[0]


# ---- N19 unsafe house --------------------------------------------------------------------------------------------


@kind("N19", "must", "oldcouple_rural couple_rural", "唯一住房鉴定为D级，未列入改造")
def house_of_grade_d(p: Planter, f: Family) -> None:
    """The only house, grade D."""
    house(p, f, "D")


@kind("N19", "must", "couple_rural family_rural", "唯一住房鉴定为C级，未列入改造")
def house_of_grade_c(p: Planter, f: Family) -> None:
    """The only house, grade C."""
    house(p, f, "C", ago=200)


@kind("N19", "must_not", "oldcouple_rural couple_rural", "D级危房已改造竣工")
def house_rebuilt(p: Planter, f: Family) -> None:
    """Rebuilt last year."""
    house(p, f, "D", "3", ago=600, finished=p.ago(250))


@kind("N19", "must_not", "couple_rural family_rural", "鉴定为B级，不是危房")
def house_of_grade_b(p: Planter, f: Family) -> None:
    """Grade B."""
    house(p, f, "B")


@kind("N19", "must_not", "couple_rural oldcouple_rural", "C级旧房不是唯一住房，另有购买的住房")
def old_house_beside_a_flat(p: Planter, f: Family) -> None:
    """They live in a flat of their own."""
    p.title(f.head)
    house(p, f, "C", only=False)
