/*---
id: N11
version: 5
title: {zh: 可能符合低保边缘而未认定, en: Possibly an edge family and not recognised}
legal_basis:
  - 国办发〔2023〕39号（最低生活保障边缘家庭）
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
needs:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
evidence: [way, members, window_months, until_month, income_per_person, income_per_person_month, comparator, edge_line_12m, support_fee, income_basis, missing, property_unknown]
reason:
  recorded: 该户{members}人，每名成员的收入来源都有记录（{means_zh}）；到{until_month}为止的{window_months}个月，有记录的收入人均{income_per_person}元（平均每月{income_per_person_month}元），不低于{standard_zh}，{within_zh}。{support_zh}车辆、不动产、市场主体登记未见超过边缘家庭的规定{property_zh}，没有在保记录。现金收入看不到，请入户了解，符合条件的告知可申请低保边缘家庭认定。标准依据：{line_source}。
  surveyed: 该户{members}人，为防止返贫监测对象且风险未消除；农业农村部门测算的年人均纯收入为{income_per_person}元，不低于{standard_zh}，{within_zh}。车辆、不动产、市场主体登记未见超过边缘家庭的规定{property_zh}，没有在保记录。请入户了解，符合条件的告知可申请低保边缘家庭认定。标准依据：{line_source}。
cited: [hr_jobless_register, tx_iit_withholding, hr_employee_pension, hr_resident_pension, ag_poverty_monitor, ps_vehicle, re_ownership, am_entity_role, ca_assist_household]
known_gaps:
  zh: 只估算每名成员收入来源都有记录的家庭；现金、务农收入和收入不明的子女的赡养费不在其中；金融资产只在有授权时可见。
  en: Only households in which the means of every member are on record; cash, farming and the support of children of unknown income are not in it; financial assets are seen only with an authorisation.
false_alarms:
  zh: 子女在外赡养、打零工、有存款未查询；不久前申请被拒的已排除。
  en: Support from children, casual work, savings that nobody queried. Households refused recently are left out.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "property by the rule of the edge; work does not speak against an edge family"}
  - {version: 3, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 4, since: 2026-11-23, what: "a monitored household without a day of listing is one"}
  - {version: 5, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with line as (
    select d.county_code, d.urban_rural, d.line_zh as standard_zh, d.line_12m as standard_12m,
           e.line_zh as edge_zh, e.line_12m, e.comparator, e.source as line_source
    from income_line d
    join income_line e on e.county_code = d.county_code and e.urban_rural = d.urban_rural and e.category = '3'
    where d.category = '1'
),
recorded as (
    select n.household_id, n.county_code, n.urban_rural, 'recorded' as way, n.members, i.window_months,
           i.total as income_total, i.window_to as until_month, n.means_zh, i.per_person_month as income_per_person_month,
           i.support_fee, i.basis_zh as income_basis, i.support_missing_zh as missing
    from household_need n
    join household_income i on i.household_id = n.household_id
    where i.is_ceiling
),
surveyed as (
    -- Monitored households are farm households: the rural standard is theirs, also where the register does not say.
    select h.household_id, h.county_code, '2' as urban_rural, 'surveyed' as way, o.members, 12 as window_months,
           max(r.per_capita_income_per_year) * o.members as income_total,
           null::date as until_month, null::varchar as means_zh, null::decimal(18, 2) as income_per_person_month,
           null::decimal(18, 2) as support_fee, null::varchar as income_basis, null::varchar as missing
    from rural_monitor r
    join person_household h on h.person_id = r.person_id
    join household o on o.household_id = h.household_id
    where r.is_risk_removed = false and (r.identify_date is null or r.identify_date <= $as_of) and r.per_capita_income_per_year is not null
      and o.members > 0
    group by h.household_id, h.county_code, o.members
),
judged as (
    -- What was surveyed outranks what is recorded, also when it says that the household is no candidate.
    select e.*, l.standard_zh, l.edge_zh, l.line_source, l.comparator, l.line_12m as edge_line_12m,
           e.income_total * 12 as income_12m,
           l.standard_12m * e.window_months * e.members as from_12m,
           l.line_12m * e.window_months * e.members as to_12m
    from (from surveyed union all by name from recorded) e
    join line l on l.county_code = e.county_code and l.urban_rural = e.urban_rural
    qualify row_number() over (partition by e.household_id order by e.way desc) = 1
)
select j.household_id,
       'edge' as cause_key,
       j.way as cause, j.way, j.members, j.window_months, j.until_month, j.means_zh, j.income_per_person_month,
       cast(round(j.income_total / j.members, 2) as decimal(18, 2)) as income_per_person,
       j.line_source, j.comparator, j.standard_zh, j.edge_line_12m,
       case j.comparator when '<=' then '不高于' else '低于' end || j.edge_zh as within_zh,
       j.support_fee, j.income_basis, j.missing,
       case when j.missing is not null then j.missing || '。'
            when j.support_fee > 0 then '其中按公布办法推算的赡养费' || yuan_zh(j.support_fee) || '。' else '' end as support_zh,
       case when p.household_id is null then '金融资产没有查询' else p.unknown_zh end as property_unknown,
       coalesce('（' || property_unknown || '）', '') as property_zh,
       case when c.household_id is not null
                 then case when c.state = 'covered' then '救助台账中已有在保记录' when c.state = 'applied' then '救助申请正在办理'
                           else '不久前申请未获确认，入户调查结论比数据更全' end
            when p.is_blocked then '财产超过边缘家庭的规定：' || p.blocked_zh end as not_raised_zh
from judged j
left join property_by_category p on p.household_id = j.household_id and p.category = '3'
left join (select household_id, min(state) as state from household_in_process group by household_id) c on c.household_id = j.household_id
where j.income_12m >= j.from_12m
  and (j.income_12m < j.to_12m or (j.comparator = '<=' and j.income_12m = j.to_12m))
