/*---
id: known_death
version: 3
title: {zh: 已知死亡, en: Known deaths}
grain: one row a person of whom any source says that he died
unit: persons
period: up to the business date
source: 户籍死亡注销、殡葬火化、死亡医学证明三个来源
columns:
  person_id: person
  died_on: day of death; the day of the record where the source does not give it
  seen_on: day on which a source first recorded it
  died_on_latest: the latest day that a source gives; what check-out goes by
  source_count: how many sources say so; one when their dates contradict each other, for they confirm nothing
  dates_agree: the sources' dates lie within the tolerance; null when there is one source
  dates_zh: every source with its date, when they contradict each other
  sources_zh: which
  classes: the classes of information that say so, ids by commas
needs:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window]
published: false
known_gaps:
  zh: 土葬地区和在家死亡可能无殡葬或医学证明；注销日期可能晚于死亡多年。
  en: Burial areas and deaths at home have no cremation or certificate; cancellation may lag by years.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "contradicting dates confirm nothing"}
  - {version: 3, since: 2026-11-22, what: "tells the classes of information behind a death"}
---*/
with said as (
    select person_id, death_source, death_date, recorded_date, source_class,
           case death_source when 'register' then '户籍注销' when 'cremation' then '殡葬火化' else '死亡医学证明' end as source_zh
    from death
    where person_id is not null
      -- A record that does not say where it comes from confirms nothing.
      and death_source in ('register', 'cremation', 'certificate')
      and coalesce(death_date, recorded_date) <= $as_of
),
summed as (
    select person_id,
           coalesce(min(death_date), min(recorded_date))               as died_on,
           coalesce(max(death_date), max(recorded_date))               as died_on_latest,
           coalesce(min(recorded_date), min(death_date))               as seen_on,
           count(distinct death_source)                                as sources,
           -- A register may lag by years, so a late record contradicts nothing; a record before the death does.
           date_diff('day', least(min(death_date), min(recorded_date)), max(death_date)) as days_apart,
           string_agg(distinct source_zh, '、' order by source_zh)      as sources_zh,
           string_agg(distinct source_class, ',' order by source_class) as classes,
           string_agg(distinct source_zh || strftime(coalesce(death_date, recorded_date), '%Y年%-m月%-d日'), '、'
                      order by source_zh || strftime(coalesce(death_date, recorded_date), '%Y年%-m月%-d日')) as all_dates_zh
    from said
    group by person_id
),
tolerated as (
    -- How far two records of one death may lie apart is a matter of records, the same everywhere.
    select max(length) as days from warning_window
    where county_code = '000000' and "window" = 'death_dates_agree' and $as_of between valid_from and valid_to
)
select s.person_id, s.died_on, s.died_on_latest, s.seen_on, s.sources_zh, s.classes,
       case when coalesce(s.days_apart, 0) <= t.days then s.sources else 1 end                 as source_count,
       case when s.sources >= 2 or s.days_apart > t.days then coalesce(s.days_apart, 0) <= t.days end as dates_agree,
       case when s.days_apart > t.days then s.all_dates_zh end                                 as dates_zh
from summed s
cross join tolerated t
