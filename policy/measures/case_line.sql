/*---
id: case_line
version: 1
title: {zh: 救助证适用的收入线, en: The income line of a case}
grain: one row a case in force (dibao, tekun, edge; not phasing out) whose line is known
unit: yuan per person in twelve months
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条（低保标准、边缘线）；特困人员认定办法（民发〔2021〕43号）第六条（收入低于低保标准）
columns:
  case_id: the case
  household_id: household of the case
  county_code: county of that household
  category: 1 dibao, 2 tekun, 3 edge
  members: living members, also those whom nobody could link
  line_12m: the line per person over twelve months
  line_zh: the line in words
  line_source: where it comes from
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: 刚性支出困难和其他困难家庭的收入条件不同，不在其中；渐退期内的家庭收入超线是允许的，不在其中。
  en: Rigid-expenditure and other families have other conditions; a family phasing out may be over the line. Neither is here.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
select a.case_id, h.household_id, h.county_code, a.category, count(*) as members,
       l.line_12m, l.line_zh, l.source as line_source
from current_assistance a
join case_household h on h.case_id = a.case_id
join assistance_case c on c.case_id = a.case_id and c.status = '1'
join income_line l on l.county_code = h.county_code and l.urban_rural = a.urban_rural
 and l.category = case a.category when '3' then '3' else '1' end
where a.category in ('1', '2', '3') and not exists (select 1 from known_death k where k.person_id = a.person_id)
group by a.case_id, h.household_id, h.county_code, a.category, l.line_12m, l.line_zh, l.source
