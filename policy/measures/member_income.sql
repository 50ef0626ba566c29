/*---
id: member_income
version: 5
title: {zh: 成员按月收入, en: Income of a person by month and kind}
grain: one row a person, month and source
unit: yuan of the period that the row covers; `months` says how long it is
period: the 18 months before the month of the business date
source: >-
  最低生活保障审核确认办法（民发〔2021〕57号）第十三条：工资性（扣必要就业成本）、经营净、财产净、转移净收入；
  不计入的项目按当地开关，扣除比例按当地参数
columns:
  person_id: person
  month: month of the income; of a tax period or a yearly payment, the month in which it ends or was paid
  months: how many months the amount belongs to; 1, a quarter 3, a year 12 - never spread over them
  kind: wage, business, property or transfer
  source_zh: where it is recorded
  gross: as recorded
  amount: what counts at most, after the least job cost and what is certainly excluded; null when not known
  amount_low: what counts for certain, after the most job cost and without what may be excluded
  gap: >-
    why amount and certain amount are not the recorded money; unreadable, suspended (pension held back, life certificate), unsplit
    (one total, central part not told), quota (fixed-quota revenue below the threshold), zero_return, land (no yield known)
  data_as_of: date of the data
needs:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  business_income: {max_age_days: 120, all: [tx_business_income]}
  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
parameters_if_known: [job_cost, minimum_wage, income_exclusion, pension_exclusion, farm_income]
published: false
known_gaps:
  zh: 现金收入、赡养费不在任何部门记录中；财产转让的成本、定额户和零申报户的实际收入不明；一次性收入留在所得月份。
  en: Cash and support reach no department; the cost of what was sold and the true income of quota and zero-return firms are not known; a lump sum stays in its month.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "job cost may be a share of the minimum wage of the month"}
  - {version: 3, since: 2026-11-23, what: "a fixed quota without tax is a quota also where the return names no taxable income"}
  - {version: 4, since: 2026-11-23, what: "the same rows: read from the first month on, in sums of the width of an amount"}
  - {version: 5, since: 2026-11-23, what: "of the wage or a minimum wage that is not known nothing may come off, and nothing is certain"}
---*/
-- The 18 months stand as constants, not as a row to join: a file of facts is read from the first of them only. The sums of
-- pensions, most of all rows, are cast back to the width of one amount at once: twice the width would be carried to the end.
with cost as (
    select county_code, mode, low, high from job_cost where $as_of between valid_from and valid_to
),
excluded as (
    select county_code, item, is_excluded from income_exclusion where $as_of between valid_from and valid_to
),
central as (
    select county_code, is_excluded from pension_exclusion where $as_of between valid_from and valid_to
),
taxed as (
    -- Several payers, and a correction with a negative amount, make one wage of the month.
    select t.person_id, t.month, sum(t.income) as income, count(*) > count(t.income) as is_unreadable,
           sum(coalesce(t.si_deduction, 0) + coalesce(t.tax_withheld, 0)) as paid, max(t.data_as_of) as data_as_of
    from taxed_income t
    where t.income_item in ('01', '02', '03')
      and t.month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and t.month < date_trunc('month', $as_of)
    group by t.person_id, t.month
),
payroll as (
    select f.person_id, f.month, sum(f.gross_pay_per_month) as income, count(*) > count(f.gross_pay_per_month) as is_unreadable,
           max(f.data_as_of) as data_as_of
    from fiscal_payroll f
    where f.month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and f.month < date_trunc('month', $as_of)
    group by f.person_id, f.month
),
wage as (
    -- The treasury's payroll and the tax office see the same pay: the larger counts, once.
    select coalesce(t.person_id, p.person_id) as person_id, coalesce(t.month, p.month) as month,
           case when coalesce(t.income, -1) >= coalesce(p.income, -1) then '个税工资' else '财政工资' end as source_zh,
           greatest(t.income, p.income) as gross,
           coalesce(t.is_unreadable, false) or coalesce(p.is_unreadable, false) as is_unreadable,
           coalesce(t.paid, 0) as paid, greatest(t.data_as_of, p.data_as_of) as data_as_of
    from taxed t
    full join payroll p on p.person_id = t.person_id and p.month = t.month
),
paid_wage as (
    -- Never more than the wage. A share of a minimum wage that is not known may be nothing, and may be all of it.
    select w.*, c.mode, c.low, c.high,
           case c.mode when 'rate' then w.gross * c.low when 'fixed' then least(greatest(w.gross, 0), c.low)
                       when 'minimum_wage' then case when m.amount is null then 0 else least(greatest(w.gross, 0), m.amount * c.low) end
                       when 'either' then case when m.amount is null then 0 else least(w.gross * c.low, m.amount * c.low) end else 0 end as off_low,
           case c.mode when 'rate' then w.gross * c.high when 'fixed' then least(greatest(w.gross, 0), c.high)
                       when 'minimum_wage' then case when m.amount is not null then least(greatest(w.gross, 0), m.amount * c.high) end
                       when 'either' then case when m.amount is not null
                                               then greatest(w.gross * c.high, least(greatest(w.gross, 0), m.amount * c.high)) end end as off_high
    from wage w
    join person_household h on h.person_id = w.person_id
    left join cost c on c.county_code = h.county_code
    left join minimum_wage m on m.county_code = h.county_code and w.month between m.valid_from and m.valid_to
),
pensions as (
    select p.person_id, p.month, p.pension_kind,
           cast(sum(p.amount_per_month) as decimal(18, 2)) as gross,
           count(*) > count(p.amount_per_month) as is_unreadable,
           bool_or(p.status = '2') as is_suspended,
           cast(sum(p.central_base_part) as decimal(18, 2)) as central_part,
           count(*) > count(p.central_base_part) as is_unsplit,
           cast(coalesce(sum(p.local_base_part), 0) as decimal(18, 2)) as local_part,
           max(p.data_as_of) as data_as_of
    from pension p
    where p.month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and p.month < date_trunc('month', $as_of)
    group by p.person_id, p.month, p.pension_kind
),
pension_counted as (
    select p.*, h.county_code,
           coalesce(p.pension_kind = 'resident', false) as is_resident,
           c.is_excluded as central_excluded,
           case when p.pension_kind = 'resident' and coalesce(l.is_excluded, false) then p.local_part else 0 end as local_off
    from pensions p
    join person_household h on h.person_id = p.person_id
    left join central c on c.county_code = h.county_code
    left join excluded l on l.county_code = h.county_code and l.item = 'pension_local_base'
),
welfare as (
    select w.person_id, w.pay_month as month, x.is_excluded, cast(sum(w.amount_per_month) as decimal(18, 2)) as gross,
           count(*) > count(w.amount_per_month) as is_unreadable, max(w.data_as_of) as data_as_of
    from welfare_subsidy w
    join person_household h on h.person_id = w.person_id
    left join excluded x on x.county_code = h.county_code
     and x.item = case when w.subsidy_type in ('1', '2') then 'disability_subsidy' when w.subsidy_type = '3' then 'old_age_allowance'
                       when w.subsidy_type in ('4', '5') then 'child_money' end
    where w.pay_month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and w.pay_month < date_trunc('month', $as_of)
      and x.is_excluded is distinct from true
    group by w.person_id, w.pay_month, x.is_excluded
),
business as (
    select b.person_id, date_trunc('month', b.period_to) as month,
           greatest(date_diff('month', b.period_from, b.period_to) + 1, 1) as months,
           b.revenue, b.taxable_income, coalesce(b.tax_paid, 0) as tax_paid, b.data_as_of,
           -- Who is taxed by a quota declares no taxable income: the reason is the quota, not a gap in the record.
           case when b.collect_method = '2' and coalesce(b.tax_paid, 0) <= 0 then 'quota'
                when b.taxable_income is null then 'unreadable'
                when b.taxable_income = 0 and coalesce(b.revenue, 0) = 0 then 'zero_return' end as gap
    from business_income b
    where b.period_to <= $as_of and b.period_to >= cast(date_trunc('month', $as_of) - interval 18 month as date)
      and b.person_id in (select person_id from person_household)
),
farm as (
    select f.person_id, date_trunc('month', f.pay_date) as month, cast(sum(f.amount) as decimal(18, 2)) as gross,
           count(*) > count(f.amount) as is_unreadable, max(f.contracted_area_mu) as contracted_area_mu,
           max(f.data_as_of) as data_as_of
    from farm_subsidy f
    where f.person_id is not null and f.pay_date <= $as_of
      and f.pay_date >= cast(date_trunc('month', $as_of) - interval 18 month as date)
    group by f.person_id, date_trunc('month', f.pay_date)
),
land as (
    -- The latest area, once a year; its yield counts only where the county has confirmed one.
    select f.person_id, max(f.month) as month, arg_max(f.contracted_area_mu, f.month) as area_mu, max(f.data_as_of) as data_as_of
    from farm f
    where f.contracted_area_mu > 0
    group by f.person_id
),
every as (
    select person_id, month, 1 as months, 'wage' as kind, source_zh, gross,
           case when not is_unreadable then gross - off_low end as amount,
           gross - off_high as amount_low,
           case when is_unreadable then 'unreadable' end as gap, data_as_of
    from paid_wage
    union all
    -- Tax and contributions that were withheld are transfers paid out.
    select person_id, month, 1, 'transfer', '个税社保', -paid, -paid, -paid, null, data_as_of
    from paid_wage where paid <> 0
    union all
    select person_id, month, 1, 'transfer', case when is_resident then '居民养老' else '职工养老' end, gross,
           case when is_unreadable or is_suspended then null
                when is_resident and central_excluded and not is_unsplit then gross - central_part - local_off
                else gross - local_off end,
           case when is_unreadable or is_suspended then 0
                when is_resident and central_excluded is distinct from false
                     then case when is_unsplit then 0 else greatest(gross - central_part - local_off, 0) end
                else gross - local_off end,
           case when is_unreadable then 'unreadable' when is_suspended then 'suspended'
                when is_resident and is_unsplit and central_excluded is distinct from false then 'unsplit' end,
           data_as_of
    from pension_counted
    union all
    select u.person_id, u.month, 1, 'transfer', '失业保险', sum(u.amount_per_month),
           case when count(*) = count(u.amount_per_month) then sum(u.amount_per_month) end,
           coalesce(sum(u.amount_per_month), 0), case when count(*) > count(u.amount_per_month) then 'unreadable' end, max(u.data_as_of)
    from unemployment_benefit u
    where u.month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and u.month < date_trunc('month', $as_of)
      and u.person_id in (select person_id from person_household)
    group by u.person_id, u.month
    union all
    select person_id, month, 1, 'transfer', '福利补贴', gross,
           case when not is_unreadable then gross end, case when is_excluded = false then coalesce(gross, 0) else 0 end,
           case when is_unreadable then 'unreadable' end, data_as_of
    from welfare
    union all
    select person_id, month, months, 'business', '经营所得', coalesce(taxable_income, revenue),
           case when gap is null then taxable_income end,
           case when gap is null then taxable_income - tax_paid else 0 end, gap, data_as_of
    from business
    union all
    select f.person_id, f.month, 12, 'business', '惠农补贴', f.gross,
           case when not f.is_unreadable then f.gross end,
           case when x.is_excluded = false then coalesce(f.gross, 0) else 0 end,
           case when f.is_unreadable then 'unreadable' end, f.data_as_of
    from farm f
    join person_household h on h.person_id = f.person_id
    left join excluded x on x.county_code = h.county_code and x.item = 'farm_subsidy'
    where x.is_excluded is distinct from true
    union all
    select l.person_id, l.month, 12, 'business', '承包地', null,
           l.area_mu * y.net_per_mu, coalesce(l.area_mu * y.net_per_mu, 0),
           case when y.net_per_mu is null then 'land' end, l.data_as_of
    from land l
    join person_household h on h.person_id = l.person_id
    left join farm_income y on y.county_code = h.county_code and $as_of between y.valid_from and y.valid_to
    union all
    select t.person_id, t.month, 1,
           case when t.income_item in ('04', '06', '07', '08') then 'property' when t.income_item = '05' then 'business' else 'transfer' end,
           case t.income_item when '04' then '特许使用' when '05' then '经营所得' when '06' then '利息股息' when '07' then '财产租赁'
                              when '08' then '财产转让' else '偶然所得' end,
           sum(t.income),
           case when count(*) = count(t.income) then sum(t.income) end,
           -- What was sold had its cost, and a business its expenses: nobody knows how much of it is income.
           case when t.income_item in ('05', '08') then 0 else coalesce(sum(t.income), 0) end,
           case when count(*) > count(t.income) then 'unreadable' end, max(t.data_as_of)
    from taxed_income t
    where t.income_item in ('04', '05', '06', '07', '08', '09')
      and t.month >= cast(date_trunc('month', $as_of) - interval 18 month as date) and t.month < date_trunc('month', $as_of)
      and t.person_id in (select person_id from person_household)
    group by t.person_id, t.month, t.income_item
)
select e.person_id, cast(e.month as date) as month, cast(e.months as integer) as months, e.kind, e.source_zh,
       cast(e.gross as decimal(18, 2)) as gross, cast(e.amount as decimal(18, 2)) as amount,
       cast(e.amount_low as decimal(18, 2)) as amount_low, e.gap, e.data_as_of
from every e
