/*---
id: household_need
version: 1
title: {zh: 家庭有记录收入与困难情形, en: What is recorded of a household's income and hardship}
grain: one row a household in which the means of every member are known
unit: yuan per person and 12 months
period: the 12 months before the month of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条；民办函〔2024〕31号（避免虚拟收入）
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village
  members: living members
  income_12m: recorded income of all members in 12 months, in yuan
  hardship_zh: what says that the household is in hardship; null when nothing does
needs:
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
uses:
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [labour_age, severe_disability]
published: false
known_gaps:
  zh: 现金收入、务农收入、赡养费不在任何部门记录中；因此有一名成员收入来源不明的家庭不估算，有承包地的家庭不估算。
  en: >-
    Cash, farming and support reach no department. A household in which the means of one member are unknown is therefore not
    estimated, nor is one with contracted land.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
---*/
with living as (
    select m.household_id, m.person_id, h.county_code, h.urban_rural
    from household_member m
    join household h on h.household_id = m.household_id
    where not exists (select 1 from known_death k where k.person_id = m.person_id)
),
severe as (
    select distinct d.person_id
    from disability d
    join person_household h on h.person_id = d.person_id
    join severe_disability s on s.county_code = h.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of)
),
jobless as (
    select person_id, min(reg_date) as since
    from jobless_registration
    where reg_date <= $as_of and (cancel_date is null or cancel_date > $as_of)
    group by person_id
),
exhausted as (
    select person_id, max(month) as since
    from unemployment_benefit
    where month <= $as_of
    group by person_id
    having arg_max(used_months, month) >= arg_max(approved_months, month)
       and coalesce(arg_max(stop_reason, month), '1') in ('1', '6', '9')
),
ill as (
    select distinct person_id from serious_disease where manage_status = '1' and diagnosed_on <= $as_of
),
monitored as (
    select distinct person_id from rural_monitor where is_risk_removed = false and identify_date <= $as_of
),
income as (
    select person_id, sum(amount) as amount
    from recorded_income
    where month >= date_trunc('month', $as_of) - interval 12 month
    group by person_id
),
means as (
    select v.*, i.amount,
           -- Known: a child, a student, a pensioner, registered jobless, benefit used up, no work because of severe disability, or a taxed wage.
           coalesce(date_sub('year', p.birth_date, $as_of) < l.from_age, false)
           or exists (select 1 from school_enrolment e where e.person_id = v.person_id and e.status = '1')
           or coalesce(date_diff('month', g.last_pension_month, $as_of) <= 3, false)
           or coalesce(date_diff('month', g.last_wage_month, $as_of) <= 3, false)
           or j.person_id is not null
           or x.person_id is not null
           or s.person_id is not null                                          as is_known,
           j.since as jobless_since, x.since as exhausted_since,
           s.person_id is not null as is_severe,
           d.person_id is not null as is_ill,
           r.person_id is not null as is_monitored
    from living v
    join labour_age l on l.county_code = v.county_code and $as_of between l.valid_from and l.valid_to
    left join person p on p.person_id = v.person_id
    left join work_signal g on g.person_id = v.person_id
    left join income i on i.person_id = v.person_id
    left join severe s on s.person_id = v.person_id
    left join jobless j on j.person_id = v.person_id
    left join exhausted x on x.person_id = v.person_id
    left join ill d on d.person_id = v.person_id
    left join monitored r on r.person_id = v.person_id
)
select household_id, county_code, urban_rural,
       count(*)                                             as members,
       cast(coalesce(sum(amount), 0) as decimal(18, 2))     as income_12m,
       nullif(concat_ws('、',
           case when count(jobless_since) > 0 then '有登记失业成员' end,
           case when count(exhausted_since) > 0 then '有失业保险金领满成员' end,
           case when bool_or(is_severe) then '有重度残疾成员' end,
           case when bool_or(is_ill) then '有重大疾病成员' end,
           case when bool_or(is_monitored) then '属防止返贫监测且风险未消除' end), '') as hardship_zh
from means
group by household_id, county_code, urban_rural
having bool_and(is_known)
   and not bool_or(exists (
       select 1 from farm_subsidy f
       where f.person_id = means.person_id and f.contracted_area_mu > 0 and f.pay_date > $as_of - interval 24 month
   ))
