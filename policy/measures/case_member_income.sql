/*---
id: case_member_income
version: 5
title: {zh: 在保成员申报收入与登记收入, en: What members of cases declared and what is recorded}
grain: one row a case in force (dibao, tekun, edge, rigid; not phasing out) and living member of the family
unit: yuan in twelve months, or a month where the name says so; only what counts for certain
period: the last 12 months that the tax office has delivered, the last 3 that the pension office has, tax periods and payments of the last 12 months
source: >-
  最低生活保障审核确认办法（民发〔2021〕57号）第十三条；就业成本按当地上限扣除，不能确定计入的部分不计
columns:
  case_id: the case
  person_id: member; null when nobody is certain
  is_listed: stands on the case; else a member beyond doubt of the household who is on no case
  declared_per_month: declared income; null when not filled in
  wage_from: first month looked at for wages
  wage_to: last month looked at
  wage_gross: taxed wages in these months; null when there are none
  wage: after the most job cost, tax and contributions
  wage_months: months with wages
  payers: employers who declared them
  since_months: of these months, those in which the case gave benefit
  wage_since: what counts of the wages of these months
  pension_gross_per_month: the pension of an ordinary month, the least of the last months paid; null when none is paid now
  pension_per_month: what counts of it for certain
  pension_months: months on which that rests, 1 to 3
  pension_month: last month with a pension
  is_unsplit: a resident pension came as one total, and none of it is counted
  pension_12m: what counts of all pensions of the twelve months
  business: net business income of tax periods that ended in the last 12 months, after tax
  business_periods: how many
  business_left_out: fixed quotas below the threshold and zero returns, which say nothing
  farm: farm subsidies of the last 12 months, and the yield of the land where the county has confirmed one
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  business_income: {max_age_days: 120, all: [tx_business_income]}
  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}
  custody: {max_age_days: 45, all: [ps_custody]}
parameters: [labour_age]
parameters_if_known: [job_cost, minimum_wage, income_exclusion, pension_exclusion, farm_income]
published: false
known_gaps:
  zh: 申报收入是申请时的；未满劳动年龄和服刑月份的工资申报多为冒用身份，不计；补发月份的养老金不作平常月份。
  en: Declared income is that of the application; wages of children and of months in prison are most likely declared under a stolen identity and do not count; a month of back pay is not an ordinary month.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "job cost may be a share of the minimum wage of the month"}
  - {version: 3, since: 2026-11-23, what: "the family, also members beyond doubt of the household who are on no case; rigid-expenditure families"}
  - {version: 4, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
  - {version: 5, since: 2026-11-23, what: "of the wage or a minimum wage that is not known nothing is certain"}
---*/
with family as (
    select a.case_id, a.person_id, a.basis <> 'household' as is_listed, a.start_month, a.county_code, p.birth_date, l.from_age
    from assisted_family a
    join assistance_case c on c.case_id = a.case_id and c.status = '1'
    join labour_age l on l.county_code = a.county_code and $as_of between l.valid_from and l.valid_to
    left join person p on p.person_id = a.person_id
    where a.category in ('1', '2', '3', '4')
),
declared as (
    select case_id, person_id, max(declared_income_per_month) as declared_per_month
    from assistance_member
    where person_id is not null and (leave_month is null or leave_month > date_trunc('month', $as_of))
    group by case_id, person_id
),
someone as (
    select distinct person_id, county_code, birth_date, from_age from family where person_id is not null
),
clock as (
    select max(to_month) filter (where stream = 'wage') as wage_to,
           max(to_month) filter (where stream = 'employee') as employee_to,
           max(to_month) filter (where stream = 'resident') as resident_to
    from income_history
    where date_diff('month', to_month, $as_of) <= 3
),
taxed as (
    select t.person_id, t.month, s.county_code, sum(t.income) as gross,
           sum(coalesce(t.si_deduction, 0) + coalesce(t.tax_withheld, 0)) as paid,
           list(distinct t.payer_uscc) filter (where t.payer_uscc is not null) as payers
    from taxed_income t
    join someone s on s.person_id = t.person_id
    cross join clock c
    where t.income_item in ('01', '02', '03')
      and t.month > c.wage_to - interval 12 month and t.month <= c.wage_to
      and (s.birth_date is null or date_sub('year', s.birth_date, t.month) >= s.from_age)
      and not exists (
          select 1 from custody u
          where u.person_id = t.person_id and u.custody_type in ('3', '4') and u.start_date <= t.month
            and (u.end_date is null or u.end_date > t.month)
      )
    group by t.person_id, t.month, s.county_code
),
wage as (
    select t.person_id, t.month, t.gross, t.payers,
           case j.mode when 'rate' then t.gross * (1 - j.high) - t.paid
                       when 'fixed' then greatest(t.gross - j.high, 0) - t.paid
                       -- Where the minimum wage is not known, neither is what its share leaves.
                       when 'minimum_wage' then t.gross - case when m.amount is not null then least(greatest(t.gross, 0), m.amount * j.high) end - t.paid
                       when 'either' then t.gross - case when m.amount is not null
                                                    then greatest(t.gross * j.high, least(greatest(t.gross, 0), m.amount * j.high)) end - t.paid end as counted
    from taxed t
    left join job_cost j on j.county_code = t.county_code and $as_of between j.valid_from and j.valid_to
    left join minimum_wage m on m.county_code = t.county_code and t.month between m.valid_from and m.valid_to
),
wages as (
    select f.case_id, f.person_id,
           sum(w.gross) as gross, sum(w.counted) as counted, count(*) filter (where w.gross > 0) as months,
           len(list_distinct(flatten(list(w.payers)))) as payers,
           coalesce(sum(w.counted) filter (where w.month >= coalesce(f.start_month, w.month)), 0) as since
    from family f
    join wage w on w.person_id = f.person_id
    group by f.case_id, f.person_id
),
pension_row as (
    select p.person_id, p.month, sum(p.amount_per_month) as gross,
           sum(case when p.pension_kind = 'resident' and x.is_excluded is distinct from false
                        then coalesce(greatest(p.amount_per_month - p.central_base_part
                             - case when l.is_excluded then coalesce(p.local_base_part, 0) else 0 end, 0), 0)
                    when p.pension_kind = 'resident' and l.is_excluded then p.amount_per_month - coalesce(p.local_base_part, 0)
                    else coalesce(p.amount_per_month, 0) end) as counted,
           bool_or(p.pension_kind = 'resident' and p.central_base_part is null and x.is_excluded is distinct from false) as is_unsplit,
           bool_or(p.month = case p.pension_kind when 'resident' then c.resident_to else c.employee_to end) as is_latest
    from pension p
    join someone s on s.person_id = p.person_id
    cross join clock c
    left join pension_exclusion x on x.county_code = s.county_code and $as_of between x.valid_from and x.valid_to
    left join income_exclusion l on l.county_code = s.county_code and l.item = 'pension_local_base'
     and $as_of between l.valid_from and l.valid_to
    where p.month > greatest(c.employee_to, c.resident_to) - interval 12 month and p.month < date_trunc('month', $as_of)
      -- A pension held back for want of a life certificate, or ended, is not paid.
      and p.status is distinct from '2' and p.status is distinct from '3'
    group by p.person_id, p.month
),
pension_now as (
    -- The least of the last three months: the month in which the yearly re-rating is paid back is no ordinary month.
    select person_id, min(gross) as gross, min(counted) as counted, count(*) as months, max(month) as last_month, bool_or(is_unsplit) as is_unsplit
    from (select *, row_number() over (partition by person_id order by month desc) as place,
                 bool_or(is_latest) over (partition by person_id) as is_paid
          from pension_row)
    where is_paid and place <= 3
    group by person_id
),
pension_year as (
    select person_id, sum(counted) as counted from pension_row group by person_id
),
period as (
    select b.person_id, b.period_to, b.taxable_income - coalesce(b.tax_paid, 0) as net,
           coalesce(b.collect_method = '2' and coalesce(b.tax_paid, 0) <= 0, false)
               or coalesce(b.taxable_income = 0 and coalesce(b.revenue, 0) = 0, false) as says_nothing,
           -- A firm that has been struck off since earns no more.
           arg_max(b.tax_status, (b.period_to, b.tax_status)) over (partition by b.person_id, b.uscc) as last_status
    from business_income b
    join someone s on s.person_id = b.person_id
    where b.period_to <= $as_of and b.period_to > $as_of - interval 12 month
),
businesses as (
    select person_id, sum(net) filter (where not says_nothing) as net,
           count(*) filter (where not says_nothing and net is not null) as periods,
           count(*) filter (where says_nothing) as left_out
    from period
    where last_status is distinct from '3'
    group by person_id
),
farms as (
    select f.person_id,
           sum(case when x.is_excluded = false then coalesce(f.amount, 0) else 0 end)
               + coalesce(max(f.contracted_area_mu) * max(y.net_per_mu), 0) as amount
    from farm_subsidy f
    join someone s on s.person_id = f.person_id
    left join income_exclusion x on x.county_code = s.county_code and x.item = 'farm_subsidy' and $as_of between x.valid_from and x.valid_to
    left join farm_income y on y.county_code = s.county_code and $as_of between y.valid_from and y.valid_to
    where f.pay_date <= $as_of and f.pay_date > $as_of - interval 12 month
    group by f.person_id
)
select f.case_id, f.person_id, f.is_listed, cast(d.declared_per_month as decimal(18, 2)) as declared_per_month,
       cast(c.wage_to - interval 11 month as date) as wage_from, c.wage_to,
       cast(w.gross as decimal(18, 2)) as wage_gross, cast(w.counted as decimal(18, 2)) as wage,
       cast(coalesce(w.months, 0) as integer) as wage_months, cast(coalesce(w.payers, 0) as integer) as payers,
       cast(case when f.start_month is null then 12
                 else greatest(least(date_diff('month', f.start_month, c.wage_to) + 1, 12), 0) end as integer) as since_months,
       cast(w.since as decimal(18, 2)) as wage_since,
       cast(n.gross as decimal(18, 2)) as pension_gross_per_month, cast(n.counted as decimal(18, 2)) as pension_per_month,
       cast(n.months as integer) as pension_months, n.last_month as pension_month, coalesce(n.is_unsplit, false) as is_unsplit,
       cast(coalesce(y.counted, 0) as decimal(18, 2)) as pension_12m,
       cast(coalesce(b.net, 0) as decimal(18, 2)) as business, cast(coalesce(b.periods, 0) as integer) as business_periods,
       cast(coalesce(b.left_out, 0) as integer) as business_left_out,
       cast(coalesce(r.amount, 0) as decimal(18, 2)) as farm
from family f
cross join clock c
left join declared d on d.case_id = f.case_id and d.person_id = f.person_id
left join wages w on w.case_id = f.case_id and w.person_id = f.person_id
left join pension_now n on n.person_id = f.person_id
left join pension_year y on y.person_id = f.person_id
left join businesses b on b.person_id = f.person_id
left join farms r on r.person_id = f.person_id
