/*---
id: work_signal
version: 2
title: {zh: 就业与收入来源信号, en: Signs of work}
grain: one row a person of whom any source knows something about work
unit: months and dates
period: all history up to the business date
source: 社保缴费、个税、财政工资、就业登记、养老与失业待遇、市场主体各来源的最近记录
columns:
  person_id: person
  last_employer_month: last month for which an employer paid, or owes, contributions
  last_wage_month: last month with taxed labour income
  last_payroll_month: last month on the fiscal payroll
  last_job_start: start of the latest job that has not ended
  last_pension_month: last month with a pension
  last_venture_on: start of the latest open business in which the person is legal representative or operator
needs:
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
uses:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  employment: {max_age_days: 45, all: [hr_employment_record]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
published: false
known_gaps:
  zh: 零工、务农、现金收入不在任何部门的记录中；就业登记常不销记。
  en: Casual work, farming and cash income reach no department; ended jobs are often not closed.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-23, what: "a month on the payroll whose amount nobody could read is one"}
---*/
with sign as (
    select person_id, max(pay_month) as last_employer_month, null::date as last_wage_month,
           null::date as last_payroll_month, null::date as last_job_start, null::date as last_pension_month,
           null::date as last_venture_on
    from insurance_contribution
    where payer_type = '1' and status in ('1', '2') and pay_month <= $as_of
    group by person_id
    union all
    select person_id, null, max(month), null, null, null, null
    from taxed_income
    where income_item in ('01', '02') and income > 0 and month <= $as_of
    group by person_id
    union all
    select person_id, null, null, max(month), null, null, null
    from fiscal_payroll
    where gross_pay_per_month is distinct from 0 and month <= $as_of
    group by person_id
    union all
    select person_id, null, null, null, max(start_date), null, null
    from employment
    where start_date <= $as_of and (end_date is null or end_date > $as_of)
    group by person_id
    union all
    select person_id, null, null, null, null, max(month), null
    from pension
    where status is distinct from '3' and month <= $as_of
    group by person_id
    union all
    select person_id, null, null, null, null, null, max(est_date)
    from entity_role
    where status = '1' and role in ('1', '4') and est_date <= $as_of
    group by person_id
)
select person_id,
       max(last_employer_month) as last_employer_month,
       max(last_wage_month)     as last_wage_month,
       max(last_payroll_month)  as last_payroll_month,
       max(last_job_start)      as last_job_start,
       max(last_pension_month)  as last_pension_month,
       max(last_venture_on)     as last_venture_on
from sign
where person_id is not null
group by person_id
