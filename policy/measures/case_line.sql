/*---
id: case_line
version: 3
title: {zh: 救助证适用的收入线, en: The income line of a case}
grain: one row a case in force (not phasing out) whose line is known; other families have none
unit: yuan per person in twelve months
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条（低保标准、边缘线）；特困人员认定办法（民发〔2021〕43号）第六条（收入低于低保标准）；刚性支出困难家庭认定办法第四条（人均收入低于上年度人均可支配收入）
columns:
  case_id: the case
  household_id: household of the case
  county_code: county of that household
  category: 1 dibao, 2 tekun, 3 edge, 4 rigid
  members: living members of the family, also those whom nobody could link
  outside: of these, members beyond doubt of the household who are on no case
  line_12m: the line per person over twelve months
  line_zh: the line in words
  line_source: where it comes from
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
parameters_if_known: [rigid_ratio, disposable_income]
published: false
known_gaps:
  zh: 其他困难家庭没有统一的收入条件（一事一议），不在其中；渐退期内的家庭收入超线是允许的，不在其中；当地刚性支出认定办法或上年度人均可支配收入不明的，刚性支出困难家庭没有线。
  en: Other families have no common condition of income (case by case); a family phasing out may be over the line. Neither is here, nor rigid-expenditure families where the place's text or the disposable income is not known.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "rigid-expenditure families, against the disposable income; heads are those of the family; a single-person dibao has the edge line"}
  - {version: 3, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with family as (
    select f.case_id, f.household_id, f.county_code, f.category, f.limit_category, f.urban_rural, count(*) as members,
           count(*) filter (where f.basis = 'household') as outside
    from assisted_family f
    join assistance_case c on c.case_id = f.case_id and c.status = '1'
    group by f.case_id, f.household_id, f.county_code, f.category, f.limit_category, f.urban_rural
),
line as (
    select county_code, urban_rural, category as limit_category, line_12m, line_zh, source
    from income_line
    union all
    -- Tekun people are held to the dibao standard.
    select county_code, urban_rural, '2', line_12m, line_zh, source
    from income_line
    where category = '1'
    union all
    -- Rigid expenditure: the disposable income of the previous year, of the residents whom the place's text names.
    select r.county_code, u.urban_rural, '4', d.amount,
           d.of_year || '年' || case d.basis when 'urban' then '城镇居民' when 'rural' then '农村居民' else '居民' end || '人均可支配收入每人每年'
               || yuan_zh(d.amount), d.source
    from rigid_ratio r
    cross join (values ('1'), ('2')) u(urban_rural)
    join disposable_income d on d.county_code = r.county_code and $as_of between d.valid_from and d.valid_to
     and d.basis = case when r.income_basis <> 'own' then r.income_basis when u.urban_rural = '1' then 'urban' else 'rural' end
    where $as_of between r.valid_from and r.valid_to
)
select f.case_id, f.household_id, f.county_code, f.category, f.members, f.outside,
       cast(l.line_12m as decimal(18, 2)) as line_12m, l.line_zh, l.source as line_source
from family f
join line l on l.county_code = f.county_code and l.urban_rural = f.urban_rural and l.limit_category = f.limit_category
