/*---
id: schooling_interrupted
version: 1
title: {zh: 义务教育中断, en: Compulsory schooling interrupted}
grain: one row a child
unit: children
period: as of the business date
source: 义务教育法第十一条；国办发〔2023〕39号（关注就学）
columns:
  person_id: child
  household_id: household of the child
  kind: suspended or dropped
  kind_zh: the same in words
  since_on: day from which the status holds; null when the school does not say
  age: age in whole years
  from_age: age from which schooling is compulsory
  to_age: age up to which it is
  age_source: where these ages come from
needs:
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
parameters: [compulsory_school_age]
published: false
known_gaps:
  zh: 转到县外、毕业的不算中断；从未入学的儿童没有学籍，看不到。
  en: Moving to a school elsewhere and finishing are no interruption; a child who never went to school has no record.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with latest as (
    select person_id, status, status_date,
           row_number() over (partition by person_id order by status_date desc nulls last, status desc) as choice
    from school_enrolment
    where person_id is not null and (status_date is null or status_date <= $as_of)
)
select l.person_id, h.household_id,
       case l.status when '2' then 'suspended' else 'dropped' end as kind,
       case l.status when '2' then '休学' else '辍学' end as kind_zh,
       l.status_date as since_on,
       cast(date_sub('year', p.birth_date, $as_of) as integer) as age,
       a.from_age, a.to_age, a.source as age_source
from latest l
join person p on p.person_id = l.person_id
join person_household h on h.person_id = l.person_id
join compulsory_school_age a on a.county_code = h.county_code and $as_of between a.valid_from and a.valid_to
where l.choice = 1 and l.status in ('2', '3')
  and date_sub('year', p.birth_date, $as_of) between a.from_age and a.to_age
  -- Another record of the child, from that day on or without a day, may be the school that it goes to now.
  and not exists (
      select 1 from school_enrolment e
      where e.person_id = l.person_id and (e.status is null or e.status in ('1', '4', '5'))
        and (e.status_date is null or l.status_date is null or (e.status_date >= l.status_date and e.status_date <= $as_of))
  )
  and not exists (select 1 from known_death k where k.person_id = l.person_id)
