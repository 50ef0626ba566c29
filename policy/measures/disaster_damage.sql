/*---
id: disaster_damage
version: 1
title: {zh: 灾害造成的倒损与损失, en: What a disaster did to a household}
grain: one row a household and disaster
unit: yuan; rooms
period: disasters of the 24 months up to the business date
source: 自然灾害救助条例；损失与全户一年的低保标准比较
columns:
  household_id: household
  event_on: first day on which the disaster is dated
  event_zh: name of the disaster as registered
  rooms_collapsed: rooms collapsed
  rooms_severe: rooms severely damaged
  loss: direct loss in yuan
  relief: relief paid so far in yuan
  least_grade: least certain grade of the links
  members: living members
  is_only: the dwelling is the only one; null when the records do not say
  loss_limit: dibao of a year for all members, in yuan; null where the standard is not known
  amount: the standard
  period: month or year
  standard_source: where the standard comes from
  lost_home: rooms collapsed or severely damaged, and no other home on record
  lost_much: the loss is over the limit
needs:
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
parameters: [warning_window]
parameters_if_known: [dibao_standard]
published: false
known_gaps:
  zh: 农村住房多未登记，是否唯一住房常靠入户核实；低保标准不明的县不核对损失。
  en: Whether a house is the only one is often told by the visit alone; where the standard is not known, losses are not weighed.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with standard as (
    -- A monthly standard times twelve, a yearly one as it is published.
    select county_code, urban_rural, amount, period, source,
           amount * (case period when 'year' then 1 else 12 end) as standard_12m
    from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
),
living as (
    select m.household_id, count(*) as members
    from household_member m
    where not exists (select 1 from known_death k where k.person_id = m.person_id)
    group by m.household_id
),
struck as (
    select e.*, l.members, k.is_only,
           cast(s.standard_12m * l.members as decimal(18, 2)) as loss_limit,
           s.amount, s.period, s.source as standard_source
    from disaster_event e
    join household h on h.household_id = e.household_id
    join living l on l.household_id = e.household_id
    left join home_known k on k.household_id = e.household_id
    left join standard s on s.county_code = h.county_code and s.urban_rural = h.urban_rural
),
judged as (
    select *,
           -- Another home on record: the family has where to live. Not on record: the visit has to tell.
           (coalesce(rooms_collapsed, 0) > 0 or coalesce(rooms_severe, 0) > 0) and is_only is distinct from false as lost_home,
           loss > loss_limit as lost_much
    from struck
)
select household_id, event_on, event_zh, rooms_collapsed, rooms_severe, loss, relief, least_grade, members, is_only, loss_limit,
       amount, period, standard_source, lost_home, coalesce(lost_much, false) as lost_much
from judged
