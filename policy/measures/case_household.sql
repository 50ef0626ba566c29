/*---
id: case_household
version: 1
title: {zh: 救助证所在家庭, en: The household of a case}
grain: one row a case
unit: cases
period: as of the business date
source: 申请人所在家庭；申请人无家庭记录时取在册成员中编号最小的家庭
columns:
  case_id: the case
  household_id: household of the applicant, or else of a member of the case
  county_code: county of that household, or else of the case
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
published: false
known_gaps:
  zh: 申请人与成员都未关联到家庭的救助证不在其中，不能列入清单。
  en: A case none of whose people is linked to a household is not here, and cannot be put on a list.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
---*/
with people as (
    select case_id, village_code, person_id, 0 as rank from assistance_case
    union all
    select m.case_id, c.village_code, m.person_id, 1 as rank
    from assistance_member m join assistance_case c on c.case_id = m.case_id
)
select p.case_id,
       arg_min(h.household_id, (p.rank, h.household_id))                                          as household_id,
       arg_min(coalesce(h.county_code, left(p.village_code, 6)), (p.rank, h.household_id))        as county_code
from people p
join person_household h on h.person_id = p.person_id
group by p.case_id
