/*---
id: income_12m
version: 1
title: {zh: 个人近12个月有记录的收入, en: Recorded income of a person in 12 months}
grain: one row a person with any record
unit: yuan
period: the 12 months before the month of the business date
source: 特困人员认定办法（民发〔2021〕43号）第八条（本人收入）
columns:
  person_id: person
  amount: wages (of a month the larger of tax and payroll records), pensions and unemployment benefit; what could not be read is left out
  is_whole: every amount could be read
needs:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
published: false
known_gaps:
  zh: 现金、务农、经营收入不在其中。
  en: Cash, farming and business are not in it.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with wage as (
    select person_id, month, max(amount) as amount, bool_and(is_whole) as is_whole
    from (
        select person_id, month, 1 as source, sum(income) as amount, count(*) = count(income) as is_whole
        from taxed_income
        where income_item in ('01', '02') and month >= date_trunc('month', $as_of) - interval 12 month and month < date_trunc('month', $as_of)
        group by person_id, month
        union all
        select person_id, month, 2, sum(gross_pay_per_month), count(*) = count(gross_pay_per_month)
        from fiscal_payroll
        where month >= date_trunc('month', $as_of) - interval 12 month and month < date_trunc('month', $as_of)
        group by person_id, month
    )
    group by person_id, month
)
select person_id, cast(coalesce(sum(amount), 0) as decimal(18, 2)) as amount, bool_and(is_whole) as is_whole
from (
    select person_id, amount, is_whole from wage
    union all
    select person_id, amount_per_month, amount_per_month is not null from pension
    where month >= date_trunc('month', $as_of) - interval 12 month and month < date_trunc('month', $as_of)
    union all
    select person_id, amount_per_month, amount_per_month is not null from unemployment_benefit
    where month >= date_trunc('month', $as_of) - interval 12 month and month < date_trunc('month', $as_of)
)
where person_id is not null
group by person_id
