/*---
id: child_parents
version: 3
title: {zh: 未成年人父母的状况, en: What is known of the parents of a minor}
grain: one row a child of whom any parent is on record
unit: persons
period: as of the business date
source: 出生医学证明、户籍登记的父母；特困人员认定办法（民发〔2021〕43号）第六条；未满18周岁为未成年人（民法典第十七条）
columns:
  person_id: child
  household_id: household in which the child lives
  age: age in whole years
  parents: parents on record, dead ones included
  parents_dead: of them, dead
  parents_away: of them, away as the county alone may know
  parents_disabled: of them, severely disabled, not counted before
  since_on: day from which all of them are dead, away or severely disabled
  classes: the classes of information on which that rests, but for the reason of an absence
needs:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
uses:
  custody: {max_age_days: 45, all: [ps_custody]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  register_membership: {max_age_days: 45, all: [ps_household_member]}
  birth: {max_age_days: 45, all: [hl_birth_death_cert]}
parameters: [severe_disability]
published: false
known_gaps:
  zh: 只有一方在册的，另一方情况不明，不算去世；失踪、失联没有任何部门登记；继父母、养父母只按户籍登记。
  en: >-
    A parent who is not on record is unknown, not dead; nobody registers people who are missing or cannot be reached; step-parents
    and adoptive parents as the register has them.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "children with one parent on record are there too"}
  - {version: 3, since: 2026-11-23, what: "a child that no edge names has the parents of its household book and birth certificate"}
---*/
with child as (
    select p.person_id, p.birth_date, h.household_id, h.county_code
    from person p
    join person_household h on h.person_id = p.person_id
    where p.birth_date > $as_of - interval 18 year and p.birth_date <= $as_of
      and not exists (select 1 from known_death k where k.person_id = p.person_id)
),
parent as (
    -- Parent (a) and child (b). An edge that somebody has to look at first proves no parent.
    select distinct c.person_id, c.county_code, e.person_id_a as parent_id
    from household_edge e
    join child c on c.person_id = e.person_id_b
    where e.kind = 'parent_child' and e.confidence is distinct from 'needs_check' and (e.until is null or e.until > $as_of)
    union
    -- A child that no edge names: whom its household book or its birth certificate names.
    select c.person_id, c.county_code, n.parent_id
    from child c
    join (
        select person_id, father_person_id as parent_id from register_membership
        union select person_id, mother_person_id from register_membership
        union select person_id, father_person_id from birth
        union select person_id, mother_person_id from birth
    ) n on n.person_id = c.person_id
    where n.parent_id is not null
      and not exists (select 1 from household_edge e where e.kind = 'parent_child' and e.person_id_b = c.person_id)
),
away as (
    -- A list of people in custody that is old may name somebody who is home again. Community correction (5) is at home.
    -- Why somebody is away is for the county alone: no list, key or evidence that a township sees may tell it.
    select c.person_id, max(c.start_date) as since_on
    from custody c
    where c.custody_type in ('1', '2', '3', '4') and c.status = '1'
      and c.start_date <= $as_of and (c.end_date is null or c.end_date >= $as_of)
      and exists (
          select 1 from source_status s
          where s.class_id = 'ps_custody' and s.status = 'fresh' and date_diff('day', s.last_batch, $as_of) <= 45
      )
    group by c.person_id
),
severe as (
    select p.parent_id as person_id, min(d.issue_date) as since_on
    from parent p
    join disability d on d.person_id = p.parent_id
    join severe_disability s on s.county_code = p.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of)
    group by p.parent_id
),
judged as (
    select distinct p.person_id, p.parent_id,
           case when k.person_id is not null then 'dead' when a.person_id is not null then 'away' when v.person_id is not null then 'disabled' end as state,
           case when k.person_id is not null then k.died_on when a.person_id is not null then a.since_on else v.since_on end as since_on,
           case when k.person_id is not null then k.classes when a.person_id is not null then null
                when v.person_id is not null then 'dp_disability_cert' end as classes
    from parent p
    left join known_death k on k.person_id = p.parent_id
    left join away a on a.person_id = p.parent_id
    left join severe v on v.person_id = p.parent_id
)
select c.person_id, c.household_id,
       cast(date_sub('year', c.birth_date, $as_of) as integer) as age,
       count(*)                                               as parents,
       count(*) filter (where j.state = 'dead')               as parents_dead,
       count(*) filter (where j.state = 'away')               as parents_away,
       count(*) filter (where j.state = 'disabled')           as parents_disabled,
       case when count(*) = count(j.state) then max(j.since_on) end as since_on,
       string_agg(distinct j.classes, ',' order by j.classes) as classes
from judged j
join child c on c.person_id = j.person_id
group by c.person_id, c.household_id, c.birth_date
