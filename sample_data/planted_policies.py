"""Situations of policies that were not delivered, and of supporters who became able, planted beside those of `planted`.

Taken from the wording of the warning catalogue and the standards of prefecture 1509, not from the rules' code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sample_data.family import NEVER
from sample_data.planted import DAY, Family, Planter, kind
from sample_data.planted_checks import contributions, payroll, pension
from sample_data.planted_needs import house, one_pupil
from sample_data.world import Book

OTHER_DIVISION = "150102"
"""A county of another league, where somebody may be insured."""


def parent_of_head(book: Book, f: Family) -> int:
    """The elder of the family who is a parent of its head; -1 where there is none."""
    return next((e for e in f.elders if e in (book.father[f.head], book.mother[f.head])), -1)


def head_keeps_parent(book: Book, f: Family) -> bool:
    """One elder only, the head's father or mother."""
    return len(f.elders) == 1 and parent_of_head(book, f) >= 0


# ---- rows that several stories write -----------------------------------------------------------------------------


def enrolled(
    p: Planter,
    person: int,
    insurance: str = "390",
    aid: str = "0",
    paid: float = 400.0,
    division: str = "",
    status: str = "1",
) -> None:
    """Medical enrolment of this year, in place of the usual one."""
    book = p.book
    book.enrolled_apart.add(person)
    year = book.night.item().year
    p.add(
        "mi_enrolment",
        np.datetime64(f"{year}-01-22"),
        person=person,
        insu_type=insurance,
        year=year,
        pay_status=status,
        aid_category=aid,
        self_paid=paid,
        employer_name=str(p.employers.firm_name[0]) if insurance == "310" else None,
        division=division or str(book.county[person]),
    )


def aided(p: Planter, child: int) -> None:
    """Student aid of the last two terms, as far as they have been paid."""
    night = p.book.night.item()
    year = night.year if night.month >= 3 else night.year - 1
    spring, autumn = f"{year}春", f"{year if night.month >= 9 else year - 1}秋"
    for term, day in ((spring, f"{spring[:4]}-05-15"), (autumn, f"{autumn[:4]}-11-04")):
        paid = np.datetime64(day)
        p.add(
            "ed_student_aid",
            paid + 4 * DAY,
            student_no=f"G{p.book.frame['resident_id'][child]}",
            person=child,
            item="2",
            hardship="1",
            term=term,
            amount=625.0,
            pay_date=paid,
        )


def rented(p: Planter, f: Family, type_: str, start: Any, end: Any = NEVER) -> None:
    """Public housing ('1') or a rent allowance ('2')."""
    p.add(
        "hc_housing_aid",
        p.ago(700),
        applicant_person=f.head,
        member_persons=[p.book.base + r for r in f.rows],
        aid_type=type_,
        area=52.0 if type_ == "1" else None,
        rent=110.0 if type_ == "1" else 0.0,
        subsidy=0.0 if type_ == "1" else 260.0,
        start_date=start,
        end_date=end,
        address="阳光小区保障房" if type_ == "1" else None,
    )


# ---- P01 medical insurance ---------------------------------------------------------------------------------------


@kind("P01", "must", "couple_rural couple_urban family_rural", "低保成员本年度没有参保")
def not_enrolled(p: Planter, f: Family) -> None:
    """A dibao member without any enrolment of this year."""
    p.case(f)
    p.book.enrolled_apart.add(f.head)


@kind("P01", "must", "couple_urban couple_rural", "低保成员自行缴费400元参保，没有资助")
def enrolled_without_subsidy(p: Planter, f: Family) -> None:
    """Enrolled at the full fee."""
    p.case(f)
    enrolled(p, f.partner)
    p.person = f.partner


@kind("P01", "must", "old_rural old_urban", "特困人员没有参保，台账补录后到", late=True)
def tekun_not_enrolled(p: Planter, f: Family) -> None:
    """The case is entered on a later night, for half a year back."""
    p.case(f, "2", first=p.now - 6, known=p.visible)
    p.book.enrolled_apart.add(f.head)


@kind("P01", "must_not", "couple_rural couple_urban", "低保成员由单位参加职工医保，不需资助")
def insured_by_employer(p: Planter, f: Family) -> None:
    """Employees' insurance needs no subsidy."""
    p.case(f)
    enrolled(p, f.head, "310", paid=0.0)


@kind("P01", "must_not", "couple_urban couple_rural", "已按低保对象定额资助参保")
def enrolled_with_subsidy(p: Planter, f: Family) -> None:
    """Enrolled as the policy says."""
    p.case(f)


@kind("P01", "must_not", "couple_rural couple_urban", "参保缴费期结束后才纳入低保")
def covered_after_enrolment(p: Planter, f: Family) -> None:
    """Covered from July, enrolled in January."""
    p.case(f, first=p.now - 4)
    for member in f.rows:
        enrolled(p, member)


# ---- P02 student aid ---------------------------------------------------------------------------------------------


@kind("P02", "must", "family_rural family_urban", "低保家庭在读学生没有学生资助", fits=one_pupil)
def pupil_without_aid(p: Planter, f: Family) -> None:
    """A dibao family's pupil, no aid in any term."""
    p.case(f)
    p.person = f.kids[0]


@kind(
    "P02",
    "must",
    "family_urban family_rural",
    "低保家庭学生没有资助，台账补录后到",
    late=True,
    fits=one_pupil,
)
def pupil_of_a_late_case(p: Planter, f: Family) -> None:
    """The case is entered on a later night, for a year back."""
    p.case(f, first=p.now - 13, known=p.visible)
    p.person = f.kids[0]


@kind("P02", "must_not", "family_rural family_urban", "低保家庭学生按学期领到生活补助", fits=one_pupil)
def pupil_with_aid(p: Planter, f: Family) -> None:
    """Aid in both terms."""
    p.case(f)
    aided(p, f.kids[0])
    p.person = f.kids[0]


@kind("P02", "must_not", "family_urban family_rural", "家庭未纳入救助", fits=one_pupil)
def pupil_of_no_case(p: Planter, f: Family) -> None:
    """No case at all."""
    p.person = f.kids[0]


@kind("P02", "must_not", "family_rural family_urban", "上月才纳入低保，本学期已开学", fits=one_pupil)
def pupil_newly_covered(p: Planter, f: Family) -> None:
    """Covered after the term had begun."""
    p.case(f, first=p.now - 1)
    p.person = f.kids[0]


# ---- P03 subsidies for the disabled ------------------------------------------------------------------------------


@kind("P03", "must", "couple_rural couple_urban", "肢体一级残疾四百天，没有护理补贴")
def severe_without_nursing(p: Planter, f: Family) -> None:
    """A severe certificate, no nursing subsidy."""
    p.certificate(f.head, "4", "1", p.ago(400))


@kind("P03", "must", "couple_urban couple_rural", "低保对象肢体三级残疾，没有生活补贴")
def poor_without_living(p: Planter, f: Family) -> None:
    """A disabled dibao member without the living subsidy."""
    p.case(f)
    p.certificate(f.partner, "4", "3", p.ago(700))
    p.person = f.partner


@kind(
    "P03", "must", "couple_rural couple_urban", "一级残疾证发证五个月没有护理补贴，残疾证数据后到", late=True
)
def certificate_told_late(p: Planter, f: Family) -> None:
    """Issued five months ago, delivered on a later night."""
    p.certificate(f.head, "1", "1", p.ago(150), known=p.visible)


@kind("P03", "must_not", "couple_rural couple_urban", "护理补贴按月发放")
def nursing_paid(p: Planter, f: Family) -> None:
    """The nursing subsidy is paid."""
    p.certificate(f.head, "4", "1", p.ago(900))
    p.subsidy(f.head, "2", 110.0, 0)


@kind("P03", "must_not", "couple_urban couple_rural", "发证才20天，补贴正在办理")
def certificate_too_new(p: Planter, f: Family) -> None:
    """Issued twenty days ago."""
    p.certificate(f.head, "4", "1", p.ago(20))


@kind("P03", "must_not", "old_rural old_urban", "特困人员不享受残疾人两项补贴")
def tekun_has_no_subsidy(p: Planter, f: Family) -> None:
    """Tekun excludes both subsidies."""
    p.case(f, "2")
    p.certificate(f.head, "4", "1", p.ago(900))


# ---- P05 housing -------------------------------------------------------------------------------------------------


@kind("P05", "must", "couple_rural oldcouple_rural", "低保户住房鉴定为D级，没有改造")
def covered_in_grade_d(p: Planter, f: Family) -> None:
    """A dibao family in a house of grade D."""
    p.case(f)
    house(p, f, "D")


@kind("P05", "must", "couple_rural family_rural", "特困、低保台账补录后到，住房为C级未改造", late=True)
def covered_in_grade_c(p: Planter, f: Family) -> None:
    """The case is entered on a later night."""
    house(p, f, "C", ago=260)
    p.case(f, first=p.now - 5, known=p.visible)


@kind("P05", "must", "couple_urban family_urban", "低保户在住房保障名册，没有起始日期和保障内容")
def listed_without_housing(p: Planter, f: Family) -> None:
    """On the list, nothing given."""
    p.case(f)
    p.add(
        "hc_housing_aid",
        p.ago(400),
        applicant_person=f.head,
        member_persons=[p.book.base + r for r in f.rows],
        aid_type="1",
    )


@kind("P05", "must_not", "couple_rural oldcouple_rural", "低保户危房已改造竣工")
def covered_and_rebuilt(p: Planter, f: Family) -> None:
    """Rebuilt."""
    p.case(f)
    house(p, f, "D", "3", ago=600, finished=p.ago(200))


@kind("P05", "must_not", "couple_urban family_urban", "低保户已住公租房")
def covered_in_public_housing(p: Planter, f: Family) -> None:
    """Public housing since two years."""
    p.case(f)
    rented(p, f, "1", p.ago(720))


@kind("P05", "must_not", "couple_rural family_rural", "D级危房，家庭未纳入救助")
def unsafe_and_not_covered(p: Planter, f: Family) -> None:
    """Not a covered family."""
    house(p, f, "D")


# ---- P06 employment services -------------------------------------------------------------------------------------


@kind("P06", "must", "couple_rural couple_urban", "低保家庭有劳动能力成员登记失业五个月，没有就业服务")
def jobless_without_service(p: Planter, f: Family) -> None:
    """Registered five months ago, no service."""
    p.case(f)
    p.jobless(f.head, p.ago(150), services=0)


@kind("P06", "must", "couple_urban couple_rural", "登记失业四个月没有就业服务，登记数据后到", late=True)
def registered_without_service(p: Planter, f: Family) -> None:
    """The registration arrives on a later night."""
    p.case(f)
    p.jobless(f.partner, p.ago(125), known=p.visible, services=0)
    p.person = f.partner


@kind("P06", "must_not", "couple_rural couple_urban", "已有三次就业服务")
def served_three_times(p: Planter, f: Family) -> None:
    """Three services."""
    p.case(f)
    p.jobless(f.head, p.ago(150), services=3)


@kind("P06", "must_not", "couple_urban couple_rural", "登记失业才一个月")
def registered_a_month_ago(p: Planter, f: Family) -> None:
    """Within three months."""
    p.case(f)
    p.jobless(f.head, p.ago(32), services=0)


@kind("P06", "must_not", "couple_rural couple_urban", "已就业，失业登记未注销")
def at_work_again(p: Planter, f: Family) -> None:
    """Contributions since the registration show work."""
    p.case(f)
    p.jobless(f.head, p.ago(220), services=0)
    contributions(p, f.head, p.now - 5, p.now - 1)


# ---- P07 pension not claimed -------------------------------------------------------------------------------------


@kind("P07", "must", "old_rural old_urban", "60周岁以上，没有任何养老金")
def elder_without_pension(p: Planter, f: Family) -> None:
    """No pension at all."""
    p.unpensioned.add(f.head)


@kind("P07", "must", "oldcouple_rural oldcouple_urban", "老年夫妻一人领取居民养老金，另一人没有")
def partner_without_pension(p: Planter, f: Family) -> None:
    """One of two draws nothing."""
    p.unpensioned.add(f.partner)
    p.person = f.partner


@kind("P07", "must_not", "oldcouple_urban oldcouple_rural", "领取职工养老金，没有居民养老金")
def employee_pension_instead(p: Planter, f: Family) -> None:
    """The employees' pension."""
    p.unpensioned.add(f.head)
    pension(p, f.head, dict.fromkeys(range(max(p.now - 20, 0), p.now + 1), 2450.0))


@kind("P07", "must_not", "old_urban old_rural", "财政供养的离退休人员")
def retired_on_the_payroll(p: Planter, f: Family) -> None:
    """A retired civil servant is on the payroll."""
    p.unpensioned.add(f.head)
    payroll(p, f.head, "3", p.now - 20, p.now, 4100.0)


@kind("P07", "must_not", "oldcouple_rural oldcouple_urban", "夫妻均领取居民养老金")
def both_draw(p: Planter, f: Family) -> None:
    """Both draw the resident pension."""


# ---- X17 supporter able ------------------------------------------------------------------------------------------


def _tekun_elder(p: Planter, f: Family) -> int:
    """A tekun case of the head's parent, judged while the head could not support."""
    elder = parent_of_head(p.book, f)
    p.case(f, "2", members=[elder], applicant=elder, first=p.now - 18)
    p.person = elder
    return elder


@kind(
    "X17",
    "must",
    "threegen_rural threegen_urban",
    "特困老人之子近半年有单位缴费和工资",
    fits=head_keeps_parent,
)
def son_has_a_job(p: Planter, f: Family) -> None:
    """The son found a job half a year ago."""
    _tekun_elder(p, f)
    p.job(f.head, p.now - 6, 999, 5200.0)


@kind(
    "X17",
    "must",
    "threegen_urban threegen_rural",
    "特困老人之子新任公司法定代表人，数据后到",
    late=True,
    fits=head_keeps_parent,
)
def son_has_a_firm(p: Planter, f: Family) -> None:
    """A company founded days ago."""
    _tekun_elder(p, f)
    p.entity(f.head, "1", "1", since=p.visible - 7 * DAY, known=p.visible)


@kind(
    "X17",
    "must_not",
    "threegen_rural threegen_urban",
    "特困老人之子没有收入和财产记录",
    fits=head_keeps_parent,
)
def son_without_means(p: Planter, f: Family) -> None:
    """The son is registered unemployed."""
    _tekun_elder(p, f)
    p.jobless(f.head, p.ago(140))


@kind(
    "X17", "must_not", "threegen_urban threegen_rural", "特困老人之子仅为合作社成员", fits=head_keeps_parent
)
def son_in_a_coop(p: Planter, f: Family) -> None:
    """A member of a co-operative without income."""
    _tekun_elder(p, f)
    p.entity(f.head, "3", "5")


@kind(
    "X17", "must", "threegen_rural threegen_urban", "特困老人之子名下有两套购买的住房", fits=head_keeps_parent
)
def son_has_two_flats(p: Planter, f: Family) -> None:
    """A second home."""
    _tekun_elder(p, f)
    p.title(f.head)
    p.title(f.head, gained=p.book.t0 + 300 * DAY)


@kind(
    "X17",
    "must_not",
    "threegen_rural threegen_urban",
    "特困老人之子的工作八个月前已结束",
    fits=head_keeps_parent,
)
def son_lost_his_job(p: Planter, f: Family) -> None:
    """A job of four months that ended long ago."""
    _tekun_elder(p, f)
    p.job(f.head, p.now - 12, p.now - 9, 2300.0)


@kind("P01", "must_not", "couple_urban couple_rural", "低保成员在外地参保缴费")
def insured_elsewhere(p: Planter, f: Family) -> None:
    """Enrolled and paid where he works."""
    p.case(f)
    enrolled(p, f.head, division=OTHER_DIVISION)


@kind("P06", "must_not", "couple_urban couple_rural", "登记失业五个月没有服务，家庭为低保边缘，不是低保")
def edge_member_without_service(p: Planter, f: Family) -> None:
    """The rule speaks of dibao families."""
    p.case(f, "3")
    p.jobless(f.head, p.ago(150), services=0)
