/*---
id: X09
version: 2
title: {zh: 申报无业但单位仍在缴费, en: Declared jobless while an employer pays contributions}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十三条、第十七条
level: blue
owner: 县民政局核对中心
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
uses:
  employment: {max_age_days: 45, all: [hr_employment_record]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [exit_window]
evidence: [months, first_month, last_month, base_per_month, employers, insurances]
reason: >-
  该户现为{category_zh}，该成员申报为无业，但近{window_months}个月有{months}个月（{months_zh}）由用人单位缴纳社会保险{base_zh}，涉及{employers_zh}。
  {post_zh}缴费基数不等于实际工资，请核实是否已就业、收入是否申报。
cited: [hr_insurance_contribution, ca_assist_member]
known_gaps:
  zh: 以费款所属期为准，补缴以前月份的不在其中；欠缴月份不计；基数有上下限，不等于工资。
  en: Goes by the month that a contribution is for, so old periods paid late do not count; nor do months owed; the base is not the wage.
false_alarms:
  zh: 补缴历史欠费（不计）、公益性岗位、离职后单位停保滞后、挂靠代缴。
  en: Back-payments of old periods (left out), public-welfare posts, an employer that reports the leaving late, contributions paid through a firm by agreement.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with declared as (
    select distinct f.case_id, f.household_id, f.county_code, f.category_zh, m.person_id
    from case_in_force f
    join assistance_member m on m.case_id = f.case_id
    where m.person_id is not null and m.occupation_status = '70'
      and (m.join_month is null or m.join_month <= $as_of)
      and (m.leave_month is null or m.leave_month > date_trunc('month', $as_of))
      and not exists (select 1 from known_death k where k.person_id = m.person_id)
),
paid as (
    select d.case_id, d.household_id, d.category_zh, d.person_id, w.length as window_months,
           count(distinct c.pay_month)                                                   as months,
           min(c.pay_month)                                                              as first_month,
           max(c.pay_month)                                                              as last_month,
           arg_max(c.base_per_month, (c.pay_month, c.base_per_month)) filter (where c.base_per_month > 0) as base_per_month,
           count(distinct c.employer_uscc)                                               as employers,
           count(distinct c.insurance)                                                   as insurances
    from declared d
    join exit_window w on w.county_code = d.county_code and w."window" = 'employer_contribution'
     and $as_of between w.valid_from and w.valid_to
    join insurance_contribution c on c.person_id = d.person_id
    where c.payer_type = '1' and c.status = '1'
      and c.pay_month <= $as_of and date_diff('month', c.pay_month, $as_of) <= w.length
    group by d.case_id, d.household_id, d.category_zh, d.person_id, w.length
)
select p.household_id, p.person_id, p.case_id, 'contribution:' || p.case_id as cause_key,
       p.category_zh, p.window_months, p.months, p.first_month, p.last_month, p.base_per_month, p.employers, p.insurances,
       strftime(p.first_month, '%Y年%-m月')
           || case when p.last_month > p.first_month then strftime(p.last_month, '至%Y年%-m月') else '' end as months_zh,
       case when p.base_per_month is null then '（缴费基数不明）'
            else '（最近缴费基数每月' || yuan_zh(p.base_per_month) || '）' end as base_zh,
       case when p.employers = 0 then '未载明名称的单位' else p.employers || '家单位' end as employers_zh,
       case when exists (
                select 1 from employment e
                where e.person_id = p.person_id and e.job_form = '3' and e.start_date <= $as_of
                  and (e.end_date is null or e.end_date > $as_of)
            ) then '其就业登记为公益性岗位。' else '' end as post_zh
from paid p
