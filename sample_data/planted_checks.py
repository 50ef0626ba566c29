"""Situations of the check list that are planted beside those of `planted`: custody, payroll, income, moves, overdue reviews.

Taken from the wording of the warning catalogue and the standards of prefecture 1509, not from the rules' code.
"""

from __future__ import annotations

from typing import Any

from sample_data.family import NEVER
from sample_data.planted import DAY, Family, Planter, kind
from sample_data.work import clip_base


def payroll(p: Planter, person: int, post: str, first: int, last: int, pay: float) -> None:
    """Months on the fiscal payroll."""
    for month in range(max(first, 0), last + 1):
        p.add(
            "hr_fiscal_payroll",
            p.book.month(month) + 19 * DAY,
            person=person,
            unit_name="察哈尔右翼某某中心小学",
            unit_uscc=str(p.employers.firm_code[0]),
            post_type=post,
            gross_pay=pay,
            pay_month=p.book.month(month),
        )


def contributions(
    p: Planter, person: int, first: int, last: int, payer: str = "1", known: Any = None
) -> None:
    """Months of the employee pension insurance without a taxed wage; `known` is when the last of them is told."""
    for month in range(max(first, 0), last + 1):
        late = known is not None and month == last
        p.add(
            "hr_insurance_contribution",
            known if late else p.book.month(month) + 24 * DAY,
            person=person,
            insurance="110",
            employer_uscc=str(p.employers.firm_code[0]) if payer == "1" else None,
            employer_name=str(p.employers.firm_name[0]) if payer == "1" else None,
            payer_type=payer,
            pay_month=p.book.month(month),
            base_amount=float(clip_base(3000.0)),
            status="1",
        )


def pension(p: Planter, person: int, months: dict[int, float], status: str = "1") -> None:
    """Months of an employee pension with their amounts."""
    for month, amount in months.items():
        if month >= 0:
            p.add(
                "hr_employee_pension",
                p.book.month(month) + 11 * DAY,
                person=person,
                benefit_type="1",
                amount=amount,
                pay_month=p.book.month(month),
                first_month=p.book.month(min(months)),
                status=status,
            )


def fund(p: Planter, person: int, last_paid: int, status: str, deposit: float) -> None:
    """A provident-fund account as of each month, with deposits up to one month."""
    number = f"{p.book.shard.index * 10**7 + 9 * 10**6 + p.next():012d}"
    for month in range(max(p.now - 8, 0), p.now + 1):
        pays = status == "1" and month <= last_paid
        p.add(
            "pf_account",
            p.book.month(month) + 27 * DAY,
            person=person,
            account_no=number,
            unit_name=str(p.employers.firm_name[0]),
            base=deposit / 0.24,
            monthly_deposit=deposit if pays else 0.0,
            balance=9600.0,
            last_deposit_month=p.book.month(min(month, last_paid)),
            status=status,
            withdraw_ytd=0.0,
            loan_balance=0.0,
        )


def business(p: Planter, owner: int, method: str, revenue: float, taxable: float) -> None:
    """Four quarters of a business's returns, the last one of them the quarter before the first night."""
    night = p.book.night.astype("datetime64[M]")
    quarter = night - (int(night.astype(int)) % 3)
    code = str(p.employers.firm_code[p.next() % len(p.employers.firm_code)])
    for back in range(1, 5):
        begin = (quarter - 3 * back).astype("datetime64[D]")
        end = (quarter - 3 * back + 3).astype("datetime64[D]") - DAY
        p.add(
            "tx_business_income",
            end + 20 * DAY,
            uscc=code,
            taxpayer_name="察哈尔右翼某某便利店",
            owner_person=owner,
            collect_method=method,
            period_from=begin,
            period_to=end,
            revenue=revenue,
            taxable_income=taxable,
            tax_paid=0.0,
            tax_status="1",
        )


def move(p: Planter, person: int, type_: str, when: Any, from_: str, to: str, known: Any = None) -> None:
    """A change of the hukou: 2 moved in, 3 moved out."""
    p.add(
        "ps_hukou_event",
        when + DAY if known is None else known,
        event_id=f"HJ9{p.book.shard.index:03d}{p.next():08d}",
        person=person,
        event_type=type_,
        event_date=when,
        from_division=from_,
        to_division=to,
        reason="投靠亲属",
    )


def machine(
    p: Planter,
    owner: int,
    type_: str,
    power: float,
    status: str = "1",
    operating: bool = True,
    known: Any = None,
) -> None:
    """A machine or vessel."""
    since = p.book.t0 - 400 * DAY
    p.add(
        "ag_machinery_vessel",
        since if known is None else known,
        owner_person=owner,
        kind=type_,
        reg_no=f"蒙09P{p.next():08d}",
        power=power,
        tonnage=18.0 if type_ in ("3", "4") else None,
        reg_date=since - 30 * DAY,
        status=status,
        operating=operating,
    )


def wedding_event(p: Planter, f: Family, type_: str, when: Any, known: Any = None) -> None:
    """A registration of the two adults of a family at the marriage registry."""
    him, her = (f.partner, f.head) if p.book.female[f.head] else (f.head, f.partner)
    p.add(
        "ca_marriage",
        when + DAY if known is None else known,
        cert_no=f"L{p.book.county[f.head]}-2025-9{p.next():07d}",
        reg_type=type_,
        reg_date=when,
        male_person=him,
        female_person=her,
        reg_division=p.book.county[f.head],
    )


# ---- X02 in custody and paid -------------------------------------------------------------------------------------


@kind("X02", "must", "couple_rural couple_urban family_rural", "服刑成员仍在保障人数内，低保金照发")
def in_prison_and_paid(p: Planter, f: Family) -> None:
    """The partner has been in prison for seven months and is covered still."""
    p.case(f)
    p.custody(f.partner, "3", p.ago(215), NEVER)
    p.person = f.partner


@kind("X02", "must", "couple_urban couple_rural", "强制隔离戒毒期间仍领取低保金")
def in_rehabilitation_and_paid(p: Planter, f: Family) -> None:
    """Compulsory rehabilitation for five months."""
    p.case(f)
    p.custody(f.partner, "4", p.ago(160), p.ago(-570))
    p.person = f.partner


@kind("X02", "must_not", "couple_rural couple_urban", "社区矫正不影响共同生活")
def corrected_in_the_community(p: Planter, f: Family) -> None:
    """Community correction is no custody."""
    p.case(f)
    p.custody(f.partner, "5", p.ago(200), p.ago(-160))


@kind("X02", "must_not", "couple_urban couple_rural", "入狱后已及时减员")
def prisoner_left_the_case(p: Planter, f: Family) -> None:
    """The member left the case in the month of the sentence."""
    p.case(f, left={f.partner: p.now - 6})
    p.custody(f.partner, "3", p.book.month(p.now - 6) + 4 * DAY, NEVER)


@kind("X02", "must_not", "couple_rural couple_urban", "刑满释放后才申请低保")
def served_before_the_case(p: Planter, f: Family) -> None:
    """The spell ended before the first paid month."""
    p.case(f, first=p.now - 8)
    p.custody(f.partner, "3", p.ago(900), p.ago(420), status="2")


@kind("X02", "must_not", "couple_urban couple_rural", "拘留十日，不属于服刑或强制戒毒")
def detained_ten_days(p: Planter, f: Family) -> None:
    """Ten days of detention."""
    p.case(f)
    p.custody(f.partner, "1", p.ago(80), p.ago(70), status="2")


# ---- X03 fiscal payroll ------------------------------------------------------------------------------------------


@kind("X03", "must", "couple_urban couple_rural family_urban", "在保家庭成员为事业单位在编人员")
def public_servant(p: Planter, f: Family) -> None:
    """The partner works in a public unit."""
    p.case(f)
    payroll(p, f.partner, "2", p.now - 9, p.now - 1, 4300.0)
    p.person = f.partner


@kind("X03", "must", "oldcouple_urban oldcouple_rural", "在保家庭成员为机关退休人员")
def public_pensioner(p: Planter, f: Family) -> None:
    """A retired civil servant."""
    p.case(f)
    payroll(p, f.partner, "3", p.now - 12, p.now - 1, 3900.0)
    p.person = f.partner


@kind("X03", "must_not", "couple_rural family_rural", "村干部补贴只作备注")
def village_cadre(p: Planter, f: Family) -> None:
    """A village cadre's allowance."""
    p.case(f)
    payroll(p, f.head, "5", p.now - 9, p.now - 1, 900.0)


@kind("X03", "must_not", "couple_urban couple_rural", "编外聘用人员，不属财政供养")
def temporary_post(p: Planter, f: Family) -> None:
    """A temporary post with small pay."""
    p.case(f)
    payroll(p, f.head, "4", p.now - 5, p.now - 1, 1100.0)


@kind("X03", "must_not", "couple_urban couple_rural", "一年多以前已离开财政供养岗位")
def left_the_payroll(p: Planter, f: Family) -> None:
    """Paid until fourteen months ago, before the case."""
    p.case(f, first=p.now - 10)
    payroll(p, f.head, "2", p.now - 20, p.now - 14, 4100.0)


# ---- X08 taxed wages ---------------------------------------------------------------------------------------------


@kind("X08", "must", "couple_urban couple_rural family_urban", "低保户成员个税工资人均超过低保标准")
def wage_over_the_line(p: Planter, f: Family) -> None:
    """Sixteen months of 2,100 yuan a head: over the line also when job cost and contributions are taken off."""
    p.case(f)
    p.job(f.head, p.now - 16, p.now, 2100.0 * len(f.rows))


@kind("X08", "must", "couple_urban couple_rural", "低保边缘家庭成员个税工资人均超过边缘线")
def wage_over_the_edge_line(p: Planter, f: Family) -> None:
    """An edge family far above 1.5 times the standard."""
    p.case(f, "3")
    p.job(f.head, p.now - 16, p.now, 6800.0)


@kind("X08", "must_not", "couple_urban couple_rural", "工资较低，人均未超过标准")
def wage_below_the_line(p: Planter, f: Family) -> None:
    """700 yuan a month for two."""
    p.case(f)
    for month in range(p.now - 15, p.now - 1):
        p.wage(f.head, month, 700.0)


@kind(
    "X08", "must_not", "couple_urban couple_rural family_urban", "只有一个月务工收入，按十二个月人均未超标准"
)
def one_good_month(p: Planter, f: Family) -> None:
    """One month of 4,800 yuan in a year."""
    p.case(f)
    p.wage(f.head, p.now - 6, 4800.0)


@kind("X08", "must_not", "couple_urban couple_rural", "一年半前已失业，近十二个月没有工资")
def wage_long_ago(p: Planter, f: Family) -> None:
    """A job that ended before the case."""
    p.case(f, first=p.now - 9)
    for month in range(p.now - 22, p.now - 15):
        p.wage(f.head, month, 5200.0)


# ---- X09 employer contributions ----------------------------------------------------------------------------------


@kind("X09", "must", "couple_urban couple_rural", "申报无业，单位仍在缴纳养老保险")
def declared_jobless_insured(p: Planter, f: Family) -> None:
    """Declared without work, contributions up to last month."""
    p.case(f)
    contributions(p, f.head, p.now - 7, p.now - 1)


@kind("X09", "must", "couple_rural couple_urban", "配偶申报无业，单位刚开始缴纳养老保险")
def contribution_has_begun(p: Planter, f: Family) -> None:
    """The first month is two months back."""
    p.case(f)
    contributions(p, f.partner, p.now - 2, p.now - 1)
    p.person = f.partner


@kind("X09", "must_not", "couple_urban couple_rural", "灵活就业人员自缴，不能说明有工作")
def pays_himself(p: Planter, f: Family) -> None:
    """Contributions as a flexible worker."""
    p.case(f)
    contributions(p, f.head, p.now - 9, p.now - 1, payer="2")


@kind("X09", "must_not", "couple_rural couple_urban", "单位缴费半年前已停止")
def contributions_over(p: Planter, f: Family) -> None:
    """Stopped six months ago."""
    p.case(f)
    contributions(p, f.head, p.now - 14, p.now - 6)


@kind("X09", "must_not", "couple_urban couple_rural", "补缴早年的养老保险，不是近期缴费")
def back_payment(p: Planter, f: Family) -> None:
    """A month of a year and a half ago that was paid last month."""
    p.case(f)
    contributions(p, f.head, p.now - 18, p.now - 18, known=p.ago(20))


# ---- X10 pension -------------------------------------------------------------------------------------------------


@kind("X10", "must", "oldcouple_urban oldcouple_rural", "低保户成员职工养老金使人均超过标准")
def pension_over_the_line(p: Planter, f: Family) -> None:
    """3,600 yuan a month for two."""
    p.case(f)
    pension(p, f.head, dict.fromkeys(range(p.now - 15, p.now + 1), 3600.0))


@kind("X10", "must", "old_urban old_rural", "独居老人职工养老金超过低保标准")
def pension_of_one(p: Planter, f: Family) -> None:
    """2,300 yuan for one."""
    p.case(f)
    pension(p, f.head, dict.fromkeys(range(p.now - 15, p.now + 1), 2300.0))


@kind("X10", "must_not", "oldcouple_rural oldcouple_urban", "只有城乡居民养老金，基础养老金不计入")
def resident_pension_only(p: Planter, f: Family) -> None:
    """The resident pension alone."""
    p.case(f)


@kind("X10", "must_not", "oldcouple_urban", "一次补发不分摊到以后月份，全年人均未超标准")
def back_pay_once(p: Planter, f: Family) -> None:
    """600 yuan a month, 3,000 once in back pay."""
    p.case(f)
    months = dict.fromkeys(range(p.now - 15, p.now + 1), 600.0)
    pension(p, f.head, months | {p.now - 4: 3600.0})


# ---- X11 provident fund ------------------------------------------------------------------------------------------


@kind("X11", "must", "couple_urban couple_rural", "住房公积金近三个月正常缴存")
def fund_paid_in(p: Planter, f: Family) -> None:
    """Deposits up to last month."""
    p.case(f)
    fund(p, f.head, p.now, "1", 560.0)


@kind("X11", "must", "couple_rural couple_urban family_urban", "配偶住房公积金近三个月正常缴存")
def fund_of_partner(p: Planter, f: Family) -> None:
    """The partner's account."""
    p.case(f)
    fund(p, f.partner, p.now, "1", 430.0)
    p.person = f.partner


@kind("X11", "must_not", "couple_urban couple_rural", "公积金账户已封存")
def fund_sealed(p: Planter, f: Family) -> None:
    """A sealed account of a former worker."""
    p.case(f)
    fund(p, f.head, p.now - 30, "2", 560.0)


@kind("X11", "must_not", "couple_rural couple_urban", "公积金半年前停止缴存")
def fund_stopped(p: Planter, f: Family) -> None:
    """No deposit for six months, not sealed yet."""
    p.case(f)
    fund(p, f.head, p.now - 6, "1", 560.0)


# ---- X12 business income -----------------------------------------------------------------------------------------


@kind("X12", "must", "couple_urban couple_rural family_urban", "查账征收的经营所得使人均超过标准")
def business_over_the_line(p: Planter, f: Family) -> None:
    """36,000 yuan of taxable income a quarter."""
    p.case(f)
    business(p, f.head, "1", 210_000.0, 36_000.0)


@kind("X12", "must", "couple_rural couple_urban", "配偶查账征收的经营所得使人均超过标准")
def business_of_partner(p: Planter, f: Family) -> None:
    """The partner's business, 24,000 yuan a quarter."""
    p.case(f)
    business(p, f.partner, "1", 160_000.0, 24_000.0)
    p.person = f.partner


@kind("X12", "must_not", "couple_urban couple_rural", "零申报，没有经营所得")
def zero_returns(p: Planter, f: Family) -> None:
    """Returns of zero."""
    p.case(f)
    business(p, f.head, "1", 0.0, 0.0)


@kind("X12", "must_not", "couple_urban couple_rural", "经营所得很少，人均未超标准")
def small_business(p: Planter, f: Family) -> None:
    """900 yuan a quarter."""
    p.case(f)
    business(p, f.head, "1", 11_000.0, 900.0)


@kind("X12", "must_not", "couple_rural couple_urban", "定期定额户，核定额低于起征点，不是实际收入")
def fixed_quota(p: Planter, f: Family) -> None:
    """A quota below the threshold of the tax."""
    p.case(f)
    business(p, f.head, "2", 18_000.0, 900.0)


# ---- X14 the household changed -----------------------------------------------------------------------------------


@kind("X14", "must", "couple_urban couple_rural", "夫妻离婚已五个月，两人仍在同一低保证")
def divorced_still_together(p: Planter, f: Family) -> None:
    """Divorced five months ago, both in the case."""
    p.case(f)
    wedding_event(p, f, "2", p.ago(150))


@kind("X14", "must", "couple_rural couple_urban", "成员刑满释放四个多月，未纳入家庭成员")
def released_not_added(p: Planter, f: Family) -> None:
    """The partner came home from prison and is in no case."""
    p.case(f, members=[f.head])
    p.custody(f.partner, "3", p.ago(900), p.ago(135), status="2")
    p.person = f.partner


@kind("X14", "must_not", "couple_urban couple_rural", "离婚刚满一个月，仍在三个月报告期内")
def divorced_lately(p: Planter, f: Family) -> None:
    """Within the three months in which the family must report."""
    p.case(f)
    wedding_event(p, f, "2", p.ago(30))


@kind("X14", "must_not", "couple_rural couple_urban", "补领结婚证，家庭没有变化")
def certificate_again(p: Planter, f: Family) -> None:
    """A certificate issued again changes nothing."""
    p.case(f)
    wedding_event(p, f, "4", p.ago(160))


# ---- X15 moved out -----------------------------------------------------------------------------------------------


@kind("X15", "must", "couple_rural couple_urban", "申请人户籍已迁出本旗县，低保仍在发放")
def moved_out(p: Planter, f: Family) -> None:
    """Moved to another league a hundred days ago."""
    p.case(f)
    move(p, f.head, "3", p.ago(100), str(p.book.county[f.head]), "150102")


@kind("X15", "must", "couple_urban couple_rural", "户籍迁出信息后到", late=True)
def moved_out_just_now(p: Planter, f: Family) -> None:
    """Told on a later night."""
    p.case(f)
    move(p, f.head, "3", p.ago(12), str(p.book.county[f.head]), "150202", known=p.visible)


@kind("X15", "must_not", "couple_rural couple_urban", "迁出后又迁回")
def came_back(p: Planter, f: Family) -> None:
    """Moved away and came back."""
    p.case(f)
    county = str(p.book.county[f.head])
    move(p, f.head, "3", p.ago(300), county, "150102")
    move(p, f.head, "2", p.ago(120), "150102", county)


@kind("X15", "must_not", "couple_rural couple_urban", "在本旗县内迁移")
def moved_within(p: Planter, f: Family) -> None:
    """Moved within the county."""
    p.case(f)
    county = str(p.book.county[f.head])
    move(p, f.head, "2", p.ago(90), county, county)


# ---- X16 machines and vessels ------------------------------------------------------------------------------------


@kind("X16", "must", "couple_rural family_rural", "低保户名下有联合收割机")
def harvester(p: Planter, f: Family) -> None:
    """A combine harvester in use."""
    p.case(f)
    machine(p, f.head, "2", 74.0)


@kind("X16", "must", "family_rural couple_rural", "低保户名下有营运船舶")
def vessel(p: Planter, f: Family) -> None:
    """A vessel that operates."""
    p.case(f)
    machine(p, f.head, "4", 58.0)


@kind("X16", "must_not", "couple_rural family_rural", "小型手扶拖拉机是生产资料")
def walking_tractor(p: Planter, f: Family) -> None:
    """A walking tractor."""
    p.case(f)
    machine(p, f.head, "1", 8.8, operating=False)


@kind("X16", "must_not", "family_rural couple_rural", "收割机已注销")
def machine_cancelled(p: Planter, f: Family) -> None:
    """A harvester that was struck off."""
    p.case(f)
    machine(p, f.head, "2", 74.0, status="2", operating=False)


# ---- X18 expired -------------------------------------------------------------------------------------------------


@kind("X18", "must", "couple_urban couple_rural", "刚性支出困难家庭认定已满十二个月")
def rigid_over_a_year(p: Planter, f: Family) -> None:
    """Recognised fifteen months ago."""
    p.case(f, "4", first=p.now - 15)


@kind("X18", "must", "couple_rural couple_urban", "渐退期已满，仍未退出")
def grace_over(p: Planter, f: Family) -> None:
    """The grace period ended two months ago."""
    p.case(f, status="2", row={"grace_end_month": p.book.month(p.now - 2)})


@kind("X18", "must_not", "couple_urban couple_rural", "刚性支出困难家庭认定尚在十二个月内")
def rigid_within_a_year(p: Planter, f: Family) -> None:
    """Recognised eight months ago."""
    p.case(f, "4", first=p.now - 8)


@kind("X18", "must_not", "couple_rural couple_urban", "尚在渐退期内")
def grace_lasts(p: Planter, f: Family) -> None:
    """The grace period ends in three months."""
    p.case(f, status="2", row={"grace_end_month": p.book.month(p.now + 3)})


# ---- X19 review overdue ------------------------------------------------------------------------------------------


@kind("X19", "must", "couple_rural couple_urban family_rural", "定期复核月份已过两个月，未复核")
def review_overdue(p: Planter, f: Family) -> None:
    """The review was due two months ago."""
    p.case(f, row={"next_review_month": p.book.month(p.now - 2)})


@kind("X19", "must", "old_rural old_urban", "特困人员年度复核已过四个月，未复核")
def tekun_review_overdue(p: Planter, f: Family) -> None:
    """A tekun elder whose review was due four months ago."""
    p.case(f, "2", row={"next_review_month": p.book.month(p.now - 4)})


@kind("X19", "must_not", "couple_urban couple_rural", "本月应复核，尚未逾期")
def review_this_month(p: Planter, f: Family) -> None:
    """Due this month."""
    p.case(f, row={"next_review_month": p.book.month(p.now)})


@kind("X19", "must_not", "couple_rural couple_urban", "已终止救助，不再复核")
def ended_needs_no_review(p: Planter, f: Family) -> None:
    """Ended before the review was due."""
    p.case(f, last=p.now - 4, row={"next_review_month": p.book.month(p.now - 2)})
