/*---
id: case_in_force
version: 1
title: {zh: 在保的救助证, en: Cases in force}
grain: one row a case in force that has a living member and a household
unit: cases
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）；渐退期仍在保
columns:
  case_id: the case
  household_id: household of the applicant, or else of a member
  county_code: county of that household, or else of the case
  category: 1 dibao, 2 tekun, 3 edge, 4 rigid, 5 other
  category_zh: the same in words, as it stands in a sentence
  start_month: month from which the case gives benefit
  members: living members of the case
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: 申请人和成员都未关联到家庭的救助证不在其中；成员全部去世的另由死亡预警处理。
  en: A case none of whose people is linked to a household is not here; one whose members have all died is left to the warning of deaths.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
select a.case_id, h.household_id, h.county_code, a.category, a.category_zh, a.start_month,
       count(*) as members
from current_assistance a
join case_household h on h.case_id = a.case_id
where not exists (select 1 from known_death k where k.person_id = a.person_id)
group by all
