/*---
id: household_need
version: 6
title: {zh: 家庭有记录收入与困难情形, en: What is recorded of a household's income and hardship}
grain: one row a household in which the means of every member are known
unit: persons
period: 12 months that end before the month of the business date, with the last month that every running source has delivered
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条；民办函〔2024〕31号（避免虚拟收入）
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village
  members: living members
  until_month: last of the 12 months
  means_zh: what is on record of the members' means, counted
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
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [labour_age, severe_disability, warning_window]
published: false
known_gaps:
  zh: 现金收入、务农收入、赡养费不在任何部门记录中；因此有一名成员收入来源不明、某月金额缺失或数据起点之前情况不明的家庭不估算，有承包地的家庭不估算；残疾本身不说明收入。
  en: >-
    Cash, farming and support reach no department. A household in which the means of one member are unknown, an amount is
    missing, or the data begin too late is therefore not estimated, nor is one with contracted land. Disability alone says
    nothing about income.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "months and amounts that are not known are not zero; disability alone does not say what somebody lives on"}
  - {version: 3, since: 2026-11-22, what: "the same households without a sum of income of its own, which nothing read: missing months and unreadable amounts are looked for only where all means are known"}
  - {version: 4, since: 2026-11-23, what: "the same rows: money is read once for both its span and the reach of the data"}
  - {version: 5, since: 2026-11-23, what: "a monitored household whose day of listing is not told is one"}
  - {version: 6, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with living as (
    select m.household_id, m.person_id, h.county_code, h.urban_rural, l.from_age, to_months(cast(w.length as integer)) as must_cover
    from household_member m
    join household h on h.household_id = m.household_id
    join labour_age l on l.county_code = h.county_code and $as_of between l.valid_from and l.valid_to
    join warning_window w on w.county_code = h.county_code and w."window" = 'income_known'
     and $as_of between w.valid_from and w.valid_to
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
    having arg_max(used_months, (month, row_key)) >= arg_max(approved_months, (month, row_key))
       and coalesce(arg_max(stop_reason, (month, row_key)), '1') in ('1', '6', '9')
),
ill as (
    select distinct person_id from serious_disease where manage_status = '1' and diagnosed_on <= $as_of
),
monitored as (
    select distinct person_id from rural_monitor where is_risk_removed = false and (identify_date is null or identify_date <= $as_of)
),
record as not materialized (
    -- Monthly money by the stream it comes in. A month without a row in a stream that runs is a month nobody knows.
    select person_id, 'wage' as stream, '' as pension_kind, month, income > 0 as is_paid
    from taxed_income where income_item in ('01', '02')
    union all
    select person_id, 'pension', coalesce(pension_kind, ''), month, status is distinct from '3'
    from pension
    union all
    select person_id, 'benefit', '', month, true
    from unemployment_benefit
),
span as (
    select person_id, stream, pension_kind, min(month) as first_month, max(month) as last_month, max(month) filter (where is_paid) as paid_month
    from record
    where month < date_trunc('month', $as_of)
    group by person_id, stream, pension_kind
),
history as (
    -- From when to when the data that we have reach, for each stream, also by rows of nobody who is known.
    select stream, pension_kind, min(first_month) as from_month, max(last_month) as to_month
    from span
    group by stream, pension_kind
),
stream as (
    select r.person_id, r.stream, r.pension_kind, h.from_month, r.first_month, r.last_month,
           r.paid_month = h.to_month and date_diff('month', h.to_month, $as_of) <= 3 as is_running
    from span r
    join history h on h.stream = r.stream and h.pension_kind = r.pension_kind
    where r.person_id is not null
),
running as (
    select person_id, bool_or(stream = 'pension') as is_pensioner, bool_or(stream = 'wage') as is_paid,
           bool_or(stream = 'benefit') as is_on_benefit
    from stream where is_running
    group by person_id
),
pupil as (
    select distinct person_id from school_enrolment where status = '1'
),
clock as (
    -- The 12 months end where the slowest running stream ends: a source that is a month behind makes nobody poorer.
    select v.household_id,
           coalesce(min(s.last_month) filter (where s.is_running),
                    date_trunc('month', $as_of) - interval 1 month) as until_month
    from living v
    left join stream s on s.person_id = v.person_id
    group by v.household_id
),
member as (
    select v.household_id, v.person_id, v.county_code, v.urban_rural, k.until_month,
           k.until_month + interval 1 month - v.must_cover                     as known_from,
           coalesce(date_sub('year', p.birth_date, $as_of) < v.from_age, false) as is_child,
           e.person_id is not null           as is_student,
           coalesce(w.is_pensioner, false)   as is_pensioner,
           coalesce(w.is_paid, false)        as is_paid,
           coalesce(w.is_on_benefit, false)  as is_on_benefit,
           j.since as jobless_since, x.since as exhausted_since,
           s.person_id is not null as is_severe,
           d.person_id is not null as is_ill,
           r.person_id is not null as is_monitored
    from living v
    join clock k on k.household_id = v.household_id
    left join person p on p.person_id = v.person_id
    left join severe s on s.person_id = v.person_id
    left join jobless j on j.person_id = v.person_id
    left join exhausted x on x.person_id = v.person_id
    left join ill d on d.person_id = v.person_id
    left join monitored r on r.person_id = v.person_id
    left join pupil e on e.person_id = v.person_id
    left join running w on w.person_id = v.person_id
),
described as (
    -- What is known of a member, in one word. Disability alone says nothing about his income.
    select *,
           case when is_child then '未到劳动年龄'
                when is_student then '在学'
                when is_pensioner then '领取养老金'
                when is_paid then '有完税工资'
                when jobless_since is not null then '登记失业'
                when exhausted_since is not null then '失业保险金领满'
                when is_on_benefit then '领取失业保险金' end as means_zh
    from member
),
farmer as (
    select distinct person_id from farm_subsidy where contracted_area_mu > 0 and pay_date > $as_of - interval 24 month
),
able as (
    -- Households in which the means of every member are known: only there are missing months and amounts looked for.
    select d.household_id
    from described d
    left join farmer f on f.person_id = d.person_id
    group by d.household_id
    -- Contracted land brings what nobody records.
    having bool_and(d.means_zh is not null) and count(f.person_id) = 0
),
asked as (
    select d.household_id, d.person_id, d.known_from
    from described d
    join able a on a.household_id = d.household_id
),
reach as (
    select a.household_id, a.person_id, s.stream, s.pension_kind, s.from_month, s.first_month, s.last_month, a.known_from,
           greatest(s.first_month, a.known_from) as from_known
    from asked a
    join stream s on s.person_id = a.person_id
    where s.last_month >= a.known_from
),
recorded as (
    select c.household_id, c.person_id, c.stream, c.pension_kind, count(distinct r.month) as months_there
    from reach c
    join record r on r.person_id = c.person_id and r.stream = c.stream and r.pension_kind = c.pension_kind
     and r.month >= c.from_known and r.month <= c.last_month
    group by c.household_id, c.person_id, c.stream, c.pension_kind
),
unreadable as (
    -- Amounts that nobody could read, of the 24 months that are looked at.
    select person_id, max(month) as month
    from (
        select person_id, month from taxed_income where income_item in ('01', '02') and income is null
        union all
        select person_id, month from fiscal_payroll where gross_pay_per_month is null
        union all
        select person_id, month from pension where amount_per_month is null
        union all
        select person_id, month from unemployment_benefit where amount_per_month is null
    )
    where month >= date_trunc('month', $as_of) - interval 24 month and month < date_trunc('month', $as_of)
    group by person_id
),
gap as (
    -- Months in which money may have come that the data do not show.
    select c.household_id
    from reach c
    join recorded r on r.household_id = c.household_id and r.person_id = c.person_id and r.stream = c.stream
     and r.pension_kind = c.pension_kind
    -- The data begin with this month, so nobody can say that the money did; or there are fewer months than it lasted.
    where (c.first_month > c.known_from and c.first_month <= c.from_month)
       or r.months_there <= date_diff('month', c.from_known, c.last_month)
    union
    -- The tax data begin too late to tell whether a grown-up was paid before.
    select m.household_id
    from described m
    join history h on h.stream = 'wage'
    where h.from_month > m.known_from and not m.is_child and not m.is_student
      and (m.jobless_since is null or m.jobless_since > m.known_from)
      and not exists (select 1 from stream s where s.person_id = m.person_id and s.stream = 'wage')
    union
    select a.household_id
    from asked a
    join unreadable u on u.person_id = a.person_id
    where u.month >= a.known_from
),
counted as (
    -- A sorted list is much cheaper than an ordered string_agg: its first character falls as the number rises.
    select household_id,
           array_to_string(list_transform(list_sort(list(chr(cast(9999 - n as integer)) || means_zh || n || '人')),
                                          lambda word: word[2:]), '、') as means_zh
    from (select d.household_id, d.means_zh, count(*) as n from described d join able a on a.household_id = d.household_id group by d.household_id, d.means_zh)
    group by household_id
)
select d.household_id, d.county_code, d.urban_rural,
       count(*)                                                  as members,
       cast(any_value(d.until_month) as date)                    as until_month,
       any_value(c.means_zh)                                     as means_zh,
       nullif(concat_ws('、',
           case when count(d.jobless_since) > 0 then '有登记失业成员' end,
           case when count(d.exhausted_since) > 0 then '有失业保险金领满成员' end,
           case when bool_or(d.is_severe) then '有重度残疾成员' end,
           case when bool_or(d.is_ill) then '有重大疾病成员' end,
           case when bool_or(d.is_monitored) then '属防止返贫监测且风险未消除' end), '') as hardship_zh
from described d
join able a on a.household_id = d.household_id
left join counted c on c.household_id = d.household_id
where not exists (select 1 from gap g where g.household_id = d.household_id)
  -- Members are persons: one whom nobody could link has no known means.
  and not exists (select 1 from household_member m where m.household_id = d.household_id and m.person_id is null)
group by d.household_id, d.county_code, d.urban_rural
