/*---
id: house_assessed
version: 1
title: {zh: 农村住房最近一次鉴定, en: Latest assessment of a rural house}
grain: one row a household whose house was assessed
unit: dwellings
period: as of the business date
source: 住房和城乡建设部门农村住房安全鉴定与危房改造台账
columns:
  household_id: household in which the householder lives
  person_id: householder
  grade: A safe, B basically safe, C partly dangerous, D dangerous
  assess_date: day of that assessment; null when it is not known
  is_only_dwelling: the only dwelling, as the housing bureau has it
  renovation: 0 not listed, 1 planned, 2 under way, 3 finished
  is_renovated: renovation finished on or after that assessment, or under way
uses:
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
published: false
known_gaps:
  zh: 户主不一定居住在该房；同一房屋每年重新鉴定，以最近一次为准；自行翻建未报的看不到。
  en: The householder need not live there; a house is assessed every year and the latest counts; houses rebuilt without a report are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with placed as (
    select h.household_id, s.person_id, s.grade, s.assess_date, s.is_only_dwelling, s.renovation, s.finish_date
    from house_safety s
    join person_household h on h.person_id = s.person_id
    where s.grade is not null and (s.assess_date is null or s.assess_date <= $as_of)
),
latest as (
    -- Two rows of one assessment: the further renovation is the later state of the same house.
    select *, row_number() over (
        partition by household_id
        order by assess_date desc nulls last, renovation desc nulls last, grade desc, person_id
    ) as choice
    from placed
)
select l.household_id, l.person_id, l.grade, l.assess_date, l.is_only_dwelling, l.renovation,
       coalesce(l.renovation in ('2', '3'), false)
           or coalesce(l.finish_date <= $as_of, false)
           -- Finished after that assessment, as another row of the household says.
           or exists (
               select 1 from placed p
               where p.household_id = l.household_id and p.finish_date <= $as_of
                 and (l.assess_date is null or p.finish_date >= l.assess_date)
           ) as is_renovated
from latest l
where l.choice = 1
