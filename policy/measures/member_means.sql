/*---
id: member_means
version: 3
title: {zh: 成员收入情况是否有记录, en: Whether anything is on record of what a member lives on}
grain: one row a household and living member
unit: words
period: as of the business date; streams of money are running when they have the last month that was delivered
source: 民办函〔2024〕31号（避免虚拟收入）：没有记录不等于没有收入
columns:
  household_id: household
  person_id: member
  means_zh: what he lives on, as far as a register says; null when none does
  until_month: last month of the slowest stream that runs; null when none runs
needs:
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
uses:
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [labour_age]
published: false
known_gaps:
  zh: 打零工、务农、靠亲友接济的人没有记录，列为情况不明。
  en: Casual workers, farmers and those whom relatives keep are on no record; their means are unknown.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "pensions of employees and residents apart"}
  - {version: 3, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with living as (
    select m.household_id, m.person_id, h.county_code, p.birth_date, l.from_age
    from household_member m
    join household h on h.household_id = m.household_id
    join labour_age l on l.county_code = h.county_code and $as_of between l.valid_from and l.valid_to
    left join person p on p.person_id = m.person_id
    where m.person_id is not null
      and not exists (select 1 from known_death k where k.person_id = m.person_id)
),
last_row as (
    select person_id,
           case when kind = 'wage' then 'wage' when source_zh = '职工养老' then 'employee' when source_zh = '居民养老' then 'resident'
                else 'benefit' end as stream,
           max(month) as last_month
    from member_income
    where kind = 'wage' and gross > 0 or source_zh in ('居民养老', '职工养老', '失业保险')
    group by 1, 2
),
running as (
    select r.person_id, max(r.last_month) filter (where r.stream = 'wage') as wage_month,
           max(r.last_month) filter (where r.stream in ('employee', 'resident')) as pension_month,
           max(r.last_month) filter (where r.stream = 'benefit') as benefit_month,
           min(r.last_month) as until_month
    from last_row r
    join income_history h on h.stream = r.stream
    where r.last_month = h.to_month and date_diff('month', h.to_month, $as_of) <= 3
    group by r.person_id
),
jobless as (
    select distinct person_id from jobless_registration
    where reg_date <= $as_of and (cancel_date is null or cancel_date > $as_of)
),
exhausted as (
    select person_id
    from unemployment_benefit
    where month <= $as_of
    group by person_id
    having arg_max(used_months, (month, row_key)) >= arg_max(approved_months, (month, row_key))
       and coalesce(arg_max(stop_reason, (month, row_key)), '1') in ('1', '6', '9')
)
select v.household_id, v.person_id,
       case when date_sub('year', v.birth_date, $as_of) < v.from_age then '未到劳动年龄'
            when exists (select 1 from school_enrolment e where e.person_id = v.person_id and e.status = '1') then '在学'
            when r.pension_month is not null then '领取养老金'
            when r.wage_month is not null then '有完税工资'
            when j.person_id is not null then '登记失业'
            when x.person_id is not null then '失业保险金领满'
            when r.benefit_month is not null then '领取失业保险金' end as means_zh,
       cast(r.until_month as date) as until_month
from living v
left join running r on r.person_id = v.person_id
left join jobless j on j.person_id = v.person_id
left join exhausted x on x.person_id = v.person_id
