/*---
id: supporter
version: 1
title: {zh: 户外赡（抚、扶）养义务人, en: Who owes support and is not of the family}
grain: one row a member who is owed support and a person outside the household who owes it
unit: persons
period: as of the business date
source: 民法典第一千零五十九条、第一千零六十七条；最低生活保障审核确认办法（民发〔2021〕57号）第七条、第十三条；户籍、婚姻、出生登记
columns:
  household_id: household of the member
  person_id: the member who is owed support
  supporter_person_id: who owes it; alive
  supporter_household_id: household of the supporter; null when the supporter is in no household here (in prison, elsewhere, not known)
  kind: what the supporter is to the member, child, parent or spouse
  is_certain: a marriage or birth registration, or parents named in the register; false where only the relation to a head says so
  basis_zh: which register says so, with the day where it has one
  source_class: class of information that the edge comes from
  since: day of the wedding or the birth, as far as it is recorded
  oldest_on: data date of the edge
published: false
known_gaps:
  zh: 只有登记在册的亲属；法院判决的离婚、收养的解除、事实上的断绝往来不在登记中。赡养义务以被赡养人无劳动能力或生活困难为前提，由使用者判断。
  en: >-
    Registered kin only; court divorces, adoptions that ended and ties that were broken off are in no register. The duty presupposes
    that the member cannot work or is in need, which whoever uses this has to judge.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with owed as (
    select m.household_id, e.person_id_b as person_id, e.person_id_a as supporter_person_id,
           e.source_class, e.since, e.confidence, e.data_as_of
    from household_edge e
    join household_member m on m.person_id = e.person_id_b
    where e.kind = 'supporter' and e.confidence is distinct from 'needs_check'
      and not exists (select 1 from known_death k where k.person_id in (e.person_id_a, e.person_id_b))
),
kin as (
    -- A parent may be recorded as a spouse by mistake, never the other way round: the parent edge says what somebody is.
    select distinct person_id_a as parent_person_id, person_id_b as child_person_id
    from household_edge where kind = 'parent_child' and confidence is distinct from 'needs_check'
)
select o.household_id, o.person_id, o.supporter_person_id,
       s.household_id                                                                        as supporter_household_id,
       case when p.parent_person_id is not null then 'parent'
            when c.parent_person_id is not null then 'child'
            else 'spouse' end                                                                as kind,
       coalesce(o.confidence = 'certain', false)                                             as is_certain,
       concat(
           case when p.parent_person_id is not null then '父母'
                when c.parent_person_id is not null then '成年子女'
                else '配偶' end,
           case o.source_class when 'ca_marriage' then '（婚姻登记'
                               when 'hl_birth_death_cert' then '（出生医学证明'
                               when 'ps_household_member' then '（户籍登记'
                               else '（登记' end,
           coalesce('，' || strftime(o.since, '%Y-%m-%d'), ''), '），不在本户')               as basis_zh,
       o.source_class, o.since, o.data_as_of                                                 as oldest_on
from owed o
left join person_household s on s.person_id = o.supporter_person_id
left join kin p on p.parent_person_id = o.supporter_person_id and p.child_person_id = o.person_id
left join kin c on c.parent_person_id = o.person_id and c.child_person_id = o.supporter_person_id
where s.household_id is distinct from o.household_id
