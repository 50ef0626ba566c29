/*---
id: recorded_income
version: 4
title: {zh: 部门登记的月收入, en: Income that departments record}
grain: one row a person and month; of people whose family lost somebody, and of who was lost
unit: yuan a month
period: the 24 months before the month of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条：工资性、转移性收入；基础养老金按当地开关扣除
columns:
  person_id: person
  month: month
  amount: wages (the larger of tax and payroll records), pensions that count, unemployment benefit; null when one of them is not readable
  classes: the classes of information that carry it, as a list
needs:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  custody: {max_age_days: 45, all: [ps_custody]}
  accident: {max_age_days: 45, all: [em_accident_casualty]}
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
parameters_if_known: [pension_exclusion]
published: false
known_gaps:
  zh: 现金收入、务农、赡养费不在其中；一次性收入按所得月份计，不分摊。
  en: Cash, farming and support are not in it; a lump sum stays in its month and is never spread.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "an amount that cannot be read makes the month unknown"}
  - {version: 3, since: 2026-11-22, what: "tells the classes of information behind an income"}
  - {version: 4, since: 2026-11-22, what: "only of people whose family lost somebody, which is all that is read: the same amounts"}
---*/
with lost as (
    -- Wider than the events that count: who died, was hurt or is away.
    select person_id from known_death where died_on > $as_of - interval 24 month
    union
    select person_id from accident
    union
    select person_id from custody
),
asked as (
    select m.person_id
    from lost l
    join nearest_household h on h.person_id = l.person_id
    join household_member m on m.household_id = h.household_id
    where m.person_id is not null
    union
    select person_id from lost where person_id is not null
),
excluded as (
    select h.person_id
    from person_household h
    join pension_exclusion x on x.county_code = h.county_code and $as_of between x.valid_from and x.valid_to
    where x.is_excluded
),
wage as (
    select person_id, month, case when count(*) = count(amount) then max(amount) end as amount, flatten(list(classes)) as classes
    from (
        select person_id, month, case when count(*) = count(income) then sum(income) end as amount,
               list(distinct source_class) as classes
        from taxed_income where income_item in ('01', '02') and person_id in (from asked) group by person_id, month
        union all
        select person_id, month, case when count(*) = count(gross_pay_per_month) then sum(gross_pay_per_month) end,
               list(distinct source_class)
        from fiscal_payroll where person_id in (from asked) group by person_id, month
    )
    group by person_id, month
),
transfer as (
    select p.person_id, p.month,
           case when count(*) = count(p.amount_per_month) then sum(p.amount_per_month
               - case when e.person_id is not null and p.pension_kind = 'resident'
                      then coalesce(p.central_base_part, 0) else 0 end) end as amount,
           list(distinct p.source_class) as classes
    from pension p
    left join excluded e on e.person_id = p.person_id
    where p.person_id in (from asked)
    group by p.person_id, p.month
    union all
    select person_id, month, case when count(*) = count(amount_per_month) then sum(amount_per_month) end,
           list(distinct source_class)
    from unemployment_benefit where person_id in (from asked) group by person_id, month
)
-- An amount that nobody could read is not zero: the month of that person is unknown.
select person_id, month, cast(case when count(*) = count(amount) then sum(amount) end as decimal(18, 2)) as amount,
       list_distinct(flatten(list(classes))) as classes
from (from wage union all from transfer)
where person_id is not null
  and month >= date_trunc('month', $as_of) - interval 24 month
  and month < date_trunc('month', $as_of)
group by person_id, month
