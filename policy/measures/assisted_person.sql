/*---
id: assisted_person
version: 1
title: {zh: 救助对象本人, en: Persons whom a case in force covers}
grain: one row a living person; of several cases the first category
unit: persons
period: as of the business date
source: 国办发〔2023〕39号（低保、特困为个人，低保边缘、刚性支出困难等为家庭）；民发〔2021〕57号第七条
columns:
  person_id: person
  household_id: household of the person, or else of the case
  county_code: county of that household
  urban_rural: 1 town, 2 village
  case_id: the case
  category: 1 dibao, 2 tekun, 3 edge, 4 rigid, 5 other
  category_zh: the same in words, of the person
  since: month from which the person is covered; null when the register does not say
  labour_ability: as declared
  occupation_status: as declared
  is_away: in prison or compulsory rehabilitation today
needs:
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  custody: {max_age_days: 45, all: [ps_custody]}
parameters: [custody_paid]
published: false
known_gaps:
  zh: 低保、特困只算保障对象；是否保障不明的不在其中。
  en: In dibao and tekun only the covered count; where cover is not known nobody is here.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with member as (
    -- The latest spell of a member in a case.
    select case_id, person_id,
           max(join_month)                                    as join_month,
           arg_max(labour_ability, coalesce(join_month, date '1900-01-01'))    as labour_ability,
           arg_max(occupation_status, coalesce(join_month, date '1900-01-01')) as occupation_status
    from assistance_member
    where person_id is not null and (leave_month is null or leave_month > date_trunc('month', $as_of))
      and (join_month is null or join_month <= $as_of)
    group by case_id, person_id
),
covered as (
    select a.person_id, a.case_id, a.category, a.urban_rural,
           coalesce(h.household_id, c.household_id) as household_id,
           coalesce(h.county_code, c.county_code)   as county_code,
           greatest(a.start_month, m.join_month)    as since,
           m.labour_ability, m.occupation_status,
           row_number() over (partition by a.person_id order by a.category, a.start_month, a.case_id) as choice
    from current_assistance a
    join member m on m.case_id = a.case_id and m.person_id = a.person_id
    left join person_household h on h.person_id = a.person_id
    left join case_household c on c.case_id = a.case_id
    where a.category in ('3', '4', '5') or a.is_covered
)
select c.person_id, c.household_id, c.county_code, c.urban_rural, c.case_id, c.category,
       case c.category when '1' then '低保对象' when '2' then '特困人员' when '3' then '低保边缘家庭成员'
                       when '4' then '刚性支出困难家庭成员' else '其他困难家庭成员' end as category_zh,
       c.since, c.labour_ability, c.occupation_status,
       exists (
           select 1 from custody k
           join custody_paid t on t.county_code = c.county_code and t.custody_type = k.custody_type
            and $as_of between t.valid_from and t.valid_to
           where k.person_id = c.person_id and t.is_away and k.status = '1'
             and k.start_date <= $as_of and (k.end_date is null or k.end_date >= $as_of)
       ) as is_away
from covered c
where c.choice = 1 and c.household_id is not null
  and not exists (select 1 from known_death d where d.person_id = c.person_id)
