/*---
id: income_history
version: 2
title: {zh: 各收入来源数据的起止月份, en: From when to when the data of each stream of income reach}
grain: one row a stream that has any record
unit: months
period: all records before the month of the business date
source: 各来源已送达的最早与最近月份
columns:
  stream: wage, employee or resident (pension), benefit
  from_month: first month of which there is a record
  to_month: last month of which there is a record
uses:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
published: false
known_gaps:
  zh: 全体人员的起止月份，不是某个人的。
  en: Of everybody together, not of one person.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "pensions of employees and residents apart: they do not arrive together"}
---*/
select stream, min(month) as from_month, max(month) as to_month
from (
    select 'wage' as stream, month from taxed_income where income_item in ('01', '02')
    union all
    select pension_kind, month from pension where pension_kind is not null
    union all
    select 'benefit', month from unemployment_benefit
)
where month < date_trunc('month', $as_of)
group by stream
