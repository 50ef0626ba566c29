/*---
id: nearest_household
version: 3
title: {zh: 本人或最近亲属所在家庭, en: The household of a person or of the nearest kin}
grain: one row a person who has a household, or whose kin have one
unit: persons
period: as of the business date
source: 去世、羁押的人次月起不再计入家庭；此时取配偶、父母子女、监护人、同户人员所在家庭
columns:
  person_id: person
  household_id: own household, or else that of the nearest kin
  county_code: county of that household
  is_certain: own household, kin by an edge that is certain, or the spouse in the same book
published: false
known_gaps:
  zh: 只有登记在册的亲属关系；亲属所在家庭不一定了解情况。
  en: Registered kinship only; kin may know little.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the spouse in the same book goes before parents and children who live elsewhere"}
  - {version: 3, since: 2026-11-23, what: "the same rows: kin are looked for only of who has no household"}
---*/
with homeless as (
    -- Kin are looked for only of who has no household: a few of all the people that edges name.
    select person_id_a as person_id from household_edge
    where person_id_a not in (select person_id from person_household)
    union
    select person_id_b from household_edge
    where person_id_b not in (select person_id from person_household)
),
kin as (
    select person_id_a as person_id, person_id_b as other_person_id, kind, confidence from household_edge
    where person_id_a in (select person_id from homeless)
    union
    select person_id_b, person_id_a, kind, confidence from household_edge
    where person_id_b in (select person_id from homeless)
),
ranked as (
    -- Who was married and in one book lived there, also where a parent's register is the surer source of kinship.
    select k.*, k.kind = 'spouse' and exists (
               select 1 from kin b
               where b.person_id = k.person_id and b.other_person_id = k.other_person_id and b.kind = 'same_register'
           ) as is_home
    from kin k
    where k.kind in ('spouse', 'parent_child', 'guardian', 'same_register')
      and k.confidence is distinct from 'needs_check'
),
choice as (
    select k.person_id, h.household_id, h.county_code, k.confidence = 'certain' or k.is_home as is_certain,
           row_number() over (
               partition by k.person_id
               order by case when k.is_home or k.confidence = 'certain' then 0 else 1 end,
                        case k.kind when 'spouse' then 1 when 'parent_child' then 2 when 'guardian' then 3 else 4 end,
                        h.household_id
           ) as place
    from ranked k
    join person_household h on h.person_id = k.other_person_id
)
select person_id, household_id, county_code, true as is_certain from person_household
union all
select person_id, household_id, county_code, coalesce(is_certain, false) from choice where place = 1
