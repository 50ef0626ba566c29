/*---
id: assisted_family
version: 2
title: {zh: 救助证对应的共同生活家庭, en: The family behind a case in force}
grain: one row a case in force that has a household, and living member of its family
unit: persons
period: as of the business date
source: >-
  最低生活保障审核确认办法（民发〔2021〕57号）第七条：共同生活的家庭成员；第八条：单人保按低保边缘家庭的收入和财产条件
columns:
  case_id: the case
  household_id: household of the applicant, or else of a member
  county_code: county of that household, or else of the case
  category: 1 dibao, 2 tekun, 3 edge, 4 rigid, 5 other
  category_zh: the same in words, as it stands in a sentence
  limit_category: whose limits of income and property hold; that of edge families for a single-person dibao, else the category
  urban_rural: 1 town, 2 village
  start_month: month from which the case gives benefit
  person_id: member; null when nobody is certain
  basis: covered (the benefit covers the member), listed (on the case and not covered, or cover unknown), household (on no case, and beyond doubt in the household of this one, like a member of the case)
needs:
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: >-
    救助证以外的成员只取登记上没有疑问的，救助证成员本人在该户也须没有疑问；特困、单人保以人为单位，不补充成员；有成员未能对应到人的救助证也不补充；已从救助证减员的、列在其他在保救助证上的不再计入；一户有几本救助证的，只补充到其中一本。
  en: >-
    Beside the people of the case, members of the household beyond doubt alone, where a member of the case is beyond doubt there too. Tekun and single-person cover are of one person; whoever has left the case or stands
    in another case in force is not taken, nor is anybody where a member of the case could not be linked with certainty. Of several cases of one household one takes them.
changelog:
  - {version: 1, since: 2026-11-23, what: first version}
  - {version: 2, since: 2026-11-23, what: "nobody is added where the people of the case are in the household with a doubt themselves"}
---*/
with listed as (
    select a.case_id, h.household_id, h.county_code, a.category, a.category_zh, a.urban_rural, a.start_month, a.person_id,
           coalesce(a.is_single_person, false) as is_single_person,
           case when a.is_covered then 'covered' else 'listed' end as basis
    from current_assistance a
    join case_household h on h.case_id = a.case_id
    where not exists (select 1 from known_death k where k.person_id = a.person_id)
),
standing as (
    select case_id, household_id, county_code, category, category_zh, urban_rural, start_month,
           bool_or(is_single_person) as is_single_person,
           -- Somebody whom nobody could link may be the very member of the household who seems to be missing.
           bool_and(person_id is not null) as is_linked
    from listed
    group by case_id, household_id, county_code, category, category_zh, urban_rural, start_month
),
gone as (
    select distinct s.household_id, m.person_id
    from standing s
    join assistance_member m on m.case_id = s.case_id
    where m.person_id is not null and m.leave_month <= date_trunc('month', $as_of)
),
host as (
    -- Where several cases stand in one household, its other members are counted once, with dibao before the others.
    select household_id, arg_min(case_id, (category, case_id)) as case_id
    from standing
    where category <> '2' and not is_single_person
    group by household_id
),
beside as (
    select s.case_id, s.household_id, s.county_code, s.category, s.category_zh, s.urban_rural, s.start_month, m.person_id, 'household' as basis
    from standing s
    join host o on o.case_id = s.case_id
    join household_member m on m.household_id = s.household_id
    where s.is_linked
      -- Doubt goes both ways: where the people of the case are themselves in that household with a doubt (parents in the book of
      -- a grown child), who is beyond doubt there is so beside somebody else.
      and exists (
          select 1 from listed l
          join household_member c on c.household_id = s.household_id and c.person_id = l.person_id
          where l.case_id = s.case_id and c.needs_check = false
      )
      and m.person_id is not null and m.needs_check = false
      and not exists (select 1 from current_assistance a where a.person_id = m.person_id)
      and not exists (select 1 from gone g where g.household_id = s.household_id and g.person_id = m.person_id)
      and not exists (select 1 from known_death k where k.person_id = m.person_id)
)
select f.case_id, f.household_id, f.county_code, f.category, f.category_zh,
       case when f.category = '1' and s.is_single_person then '3' else f.category end as limit_category,
       f.urban_rural, f.start_month, f.person_id, f.basis
from (
    select case_id, household_id, county_code, category, category_zh, urban_rural, start_month, person_id, basis from listed
    union all
    select case_id, household_id, county_code, category, category_zh, urban_rural, start_month, person_id, basis from beside
) f
join standing s on s.case_id = f.case_id
