/*---
id: current_assistance
version: 3
title: {zh: 在保成员, en: Members of cases in force}
grain: one row a case in force and member who has not left it
unit: persons
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第七条：共同生活的家庭成员；渐退期仍在保
columns:
  case_id: the case
  category: 1 dibao, 2 tekun, 3 edge, 4 rigid, 5 other
  category_zh: the same in words, as it stands in a sentence
  urban_rural: 1 town, 2 village
  start_month: month from which the case gives benefit
  benefit_per_month: yuan a month for the whole case
  county_code: county of the case
  applicant_person_id: applicant
  person_id: member; null when nobody is certain
  possible_person_id: who that may be where a link waits for a decision; for leaving somebody out, never for raising
  is_covered: the benefit covers this member; unknown stays null
  is_single_person: covered alone beside a family that is not
  labour_ability: as declared
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
known_gaps:
  zh: 以民政台账为准，台账成员数与实际共同生活成员可能不一致。
  en: Follows the case register, whose members drift from the family that really lives together.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: the category in words}
  - {version: 3, since: 2026-11-23, what: "a member whose link waits for a decision is named as possible"}
---*/
select c.case_id,
       c.category,
       case c.category when '1' then '低保家庭' when '2' then '特困供养户' when '3' then '低保边缘家庭'
                       when '4' then '刚性支出困难家庭' else '其他困难家庭' end as category_zh,
       c.urban_rural,
       c.start_month,
       c.benefit_per_month,
       left(c.village_code, 6)  as county_code,
       c.person_id              as applicant_person_id,
       m.person_id,
       any_value(case when m.person_id is null then m.possible_person_id end) as possible_person_id,
       bool_or(m.is_covered)    as is_covered,
       bool_or(m.is_single_person) as is_single_person,
       min(m.labour_ability)    as labour_ability
from assistance_case c
join assistance_member m on m.case_id = c.case_id
where c.status in ('1', '2')
  and (c.start_month is null or c.start_month <= $as_of)
  and (c.end_month is null or c.end_month > date_trunc('month', $as_of))
  and (m.join_month is null or m.join_month <= $as_of)
  and (m.leave_month is null or m.leave_month > date_trunc('month', $as_of))
group by c.case_id, c.category, c.urban_rural, c.start_month, c.benefit_per_month, c.village_code, c.person_id, m.person_id,
         case when m.person_id is null then m.row_key end
