/*---
id: person_household
version: 1
title: {zh: 人员所在家庭, en: The household of a person}
grain: one row a person
unit: persons
period: as of the business date
source: 户籍、婚姻等登记推出的共同生活家庭（见 matching 的家庭组成）
columns:
  person_id: person
  household_id: household
  county_code: county of the household
  urban_rural: 1 town, 2 village, 9 unknown
published: false
known_gaps:
  zh: 由登记推出，分户不分居、长期外出等情形要靠入户核实。
  en: Derived from registers; only a visit tells who really lives together.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
---*/
select m.person_id,
       min(m.household_id)                        as household_id,
       arg_min(h.county_code, m.household_id)     as county_code,
       arg_min(h.urban_rural, m.household_id)     as urban_rural
from household_member m
join household h on h.household_id = m.household_id
where m.person_id is not null
group by m.person_id
