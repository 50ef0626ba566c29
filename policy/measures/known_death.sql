/*---
id: known_death
version: 1
title: {zh: 已知死亡, en: Known deaths}
grain: one row a person of whom any source says that he died
unit: persons
period: up to the business date
source: 户籍死亡注销、殡葬火化、死亡医学证明三个来源
columns:
  person_id: person
  died_on: day of death; the day of the record where the source does not give it
  seen_on: day on which a source first recorded it
  source_count: how many sources say so
  sources_zh: which
needs:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: 土葬地区和在家死亡可能无殡葬或医学证明；注销日期可能晚于死亡多年。
  en: Burial areas and deaths at home have no cremation or certificate; cancellation may lag by years.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
---*/
select person_id,
       coalesce(min(death_date), min(recorded_date))               as died_on,
       coalesce(min(recorded_date), min(death_date))               as seen_on,
       count(distinct death_source)                                as source_count,
       string_agg(distinct case death_source
                      when 'register' then '户籍注销'
                      when 'cremation' then '殡葬火化'
                      when 'certificate' then '死亡医学证明'
                  end, '、' order by case death_source
                      when 'register' then '户籍注销'
                      when 'cremation' then '殡葬火化'
                      when 'certificate' then '死亡医学证明'
                  end)                                             as sources_zh
from death
where person_id is not null
  -- A record that does not say where it comes from confirms nothing.
  and death_source in ('register', 'cremation', 'certificate')
  and coalesce(death_date, recorded_date) <= $as_of
group by person_id
