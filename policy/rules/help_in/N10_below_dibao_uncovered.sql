/*---
id: N10
version: 9
title: {zh: 收入可能低于低保标准而未纳入, en: Possibly below the dibao standard and not covered}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条
  - 国办发〔2023〕39号（未纳入而可能符合条件的，按困难类型转办）
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
needs:
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
parameters: [dibao_standard]
evidence: [way, members, window_months, income_per_person_month, income_per_person_12m, until_month, standard_12m, standard_amount, standard_period, hardship, support_fee, income_basis, missing]
reason:
  recorded: 该户{members}人，每名成员的收入来源都有记录（{means_zh}），{hardship}；到{until_month}为止的{window_months}个月，有记录的收入人均{income_per_person}元（平均每月{income_per_person_month}元），低于低保标准（{standard_zh}）。{support_zh}车辆、不动产、市场主体登记和单位缴费未见超标，救助台账中没有在保记录。现金收入看不到，请入户了解。标准依据：{standard_source}。
  surveyed: 该户{members}人，为防止返贫监测对象且风险未消除；农业农村部门测算的年人均纯收入为{income_per_person}元，低于低保标准（{standard_zh}）。车辆、不动产、市场主体登记和单位缴费未见超标，救助台账中没有在保记录。请入户了解。标准依据：{standard_source}。
cited: [hr_jobless_register, tx_iit_withholding, ag_poverty_monitor, ps_vehicle, re_ownership, am_entity_role, hr_insurance_contribution, ca_assist_household]
known_gaps:
  zh: >-
    现金、务农收入和赡养费不在任何部门记录中，收入不明不等于没有收入：只对每名成员就业状况都有记录（未成年、在学、领养老金、
    登记失业、领取或领满失业保险金、有完税工资）且各月金额可查、有困难情形的家庭估算，有承包地的农户只用监测部门测算的收入。
  en: >-
    Cash, farming and support reach no department, and unknown income is not zero. Only households are estimated in which the
    means of every member are on record and something speaks of hardship; farmers are judged by the surveyed income alone.
false_alarms:
  zh: 子女在外赡养、打零工、有存款未查询；不久前申请被拒的已排除。
  en: Support from children, casual work, savings that nobody queried. Households refused recently are left out.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "means must be on record month by month; whoever has any part in a case is left out; what was looked at is cited"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words; the standard is said once; small inherited shares do not block"}
  - {version: 4, since: 2026-11-22, what: "income of all four kinds over the local window, least job cost and withheld tax off, support fees counted where known and named where not; fixed-quota and zero-return firms, held-back pensions are no income of zero"}
  - {version: 5, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 6, since: 2026-11-23, what: "wages or an employee pension below the standard need no other sign of hardship; a monitored household without a day of listing is one"}
  - {version: 7, since: 2026-11-23, what: "children and pupils of whom no adult is on record are not estimated; what was surveyed outranks what is recorded, as in N11"}
  - {version: 8, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
  - {version: 9, since: 2026-11-23, what: "the recorded income is told by the month as well, beside a standard by the month"}
---*/
with standard as (
    select county_code, urban_rural, amount, period, source,
           amount * (case period when 'year' then 1 else 12 end) as standard_12m
    from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
),
recorded as (
    -- The most that the records allow; support fees are added where they are known, and named where they are not.
    select n.household_id, n.county_code, n.urban_rural, 'recorded' as way, n.members, i.window_months,
           i.total as income_total, i.window_to as until_month, n.means_zh, coalesce(n.hardship_zh, '没有登记的残疾、大病或失业情形') as hardship,
           i.support_fee, i.per_person_month as income_per_person_month, i.basis_zh as income_basis, i.support_missing_zh as missing
    from household_need n
    join household_income i on i.household_id = n.household_id
    -- Nobody lives on a residents' pension alone: beside one, something must speak of hardship. Wages and employee pensions are what they are.
    where i.is_ceiling
      and (n.hardship_zh is not null
           or not exists (
               select 1 from pension p
               join person_household h on h.person_id = p.person_id
               where h.household_id = n.household_id and p.pension_kind is distinct from 'employee'
           ))
),
surveyed as (
    -- A net income of the year, per head, as the rural department surveyed it: one household, one figure.
    -- Monitored households are farm households: the rural standard is theirs, also where the register does not say.
    select h.household_id, h.county_code, '2' as urban_rural, 'surveyed' as way, o.members, 12 as window_months,
           max(r.per_capita_income_per_year) * o.members as income_total,
           null::date as until_month, null::varchar as means_zh, '属防止返贫监测且风险未消除' as hardship,
           null::decimal(18, 2) as support_fee, null::decimal(18, 2) as income_per_person_month, null::varchar as income_basis, null::varchar as missing
    from rural_monitor r
    join person_household h on h.person_id = r.person_id
    join household o on o.household_id = h.household_id
    where r.is_risk_removed = false and (r.identify_date is null or r.identify_date <= $as_of) and r.per_capita_income_per_year is not null
      and o.members > 0
    group by h.household_id, h.county_code, o.members
),
estimated as (
    -- What was surveyed outranks what is recorded, also when it says that the household is no candidate.
    from (from surveyed union all by name from recorded)
    qualify row_number() over (partition by household_id order by way desc) = 1
),
below as (
    -- Both sides in one period and without division: a monthly standard times the months of the window; against a yearly one
    -- an income of fewer months is taken times twelve, the standard times those months.
    select e.*, s.amount as standard_amount, s.period as standard_period, s.standard_12m, s.source as standard_source
    from estimated e
    join standard s on s.county_code = e.county_code and s.urban_rural = e.urban_rural
    where e.income_total * 12 < s.standard_12m * e.window_months * e.members
)
select b.household_id,
       'below_standard' as cause_key,
       b.way as cause, b.way, b.members, b.window_months,
       cast(round(b.income_total / b.members, 2) as decimal(18, 2)) as income_per_person,
       case when b.window_months = 12 then cast(round(b.income_total / b.members, 2) as decimal(18, 2)) end as income_per_person_12m,
       b.income_per_person_month,
       cast(b.standard_12m as decimal(18, 2)) as standard_12m,
       b.standard_amount, b.standard_period, b.standard_source,
       case b.standard_period when 'month' then '每人每月' || yuan_zh(b.standard_amount) || '，' || b.window_months || '个月合计'
                                                   || yuan_zh(b.standard_amount * b.window_months)
            else '每人每年' || yuan_zh(b.standard_amount) end as standard_zh,
       b.hardship, b.until_month, b.means_zh, b.support_fee, b.income_basis, b.missing,
       case when b.missing is not null then b.missing || '。'
            when b.support_fee > 0 then '其中按公布办法推算的赡养费' || yuan_zh(b.support_fee) || '。' else '' end as support_zh,
       -- Open or lately refused applications: the survey knows more than the data (a new change after it is N17).
       case when c.household_id is not null
                 then case when c.state = 'covered' then '救助台账中已有在保记录' when c.state = 'applied' then '救助申请正在办理' else '不久前申请未获确认，入户调查结论比数据更全' end
            -- Children and pupils alone: whoever keeps them is not of this household, and what he earns is not known.
            when b.way = 'recorded' and not exists (
                select 1 from member_means m
                where m.household_id = b.household_id and m.means_zh not in ('在学', '未到劳动年龄')
            ) then '登记在一户的只有未成年人或在校学生，抚养人不在其中，收入多少没有记录'
            when p.household_id is not null then '有不支持困难的记录：' || p.blocks_zh end as not_raised_zh
from below b
left join property_block p on p.household_id = b.household_id
left join (select household_id, min(state) as state from household_in_process group by household_id) c on c.household_id = b.household_id
