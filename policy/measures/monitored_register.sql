/*---
id: monitored_register
version: 1
title: {zh: 低收入人口动态监测对象登记（主题库）, en: Register of monitored people}
grain: one row a person (or a household, where nobody in it is named) and category or way into the wider pool
unit: persons
period: as of the business date
source: 国办发〔2023〕39号（六类低收入人口）；民办函〔2024〕31号（申请未获批、退出不满两年的继续监测）；刚性支出困难家庭认定办法第十条（认定有效期12个月）
columns:
  household_id: household; null when the person belongs to none
  person_id: person; null where the household as a whole is watched
  layer: confirmed by the department, or wider (watched, not recognised)
  category: dibao, tekun, edge, rigid, other, rural_monitor; refused, exited in the wider pool
  case_id: case; null where there is none
  since: from when; null when not known
  by_zh: who confirmed or decided it
  grace_until: last month of the grace period; null when there is none
  until: end of the recognition or of the watching; null when it has none or it is not known
  review_on: month of the next review; null when not known
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  assistance_application: {max_age_days: 10, all: [ca_application]}
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters_if_known: [review_cycle]
known_gaps:
  zh: 以部门台账为准，不含数据推测的类别；预警未结的家庭另见预警登记。台账没有写明复核月的，复核时间不详。
  en: What departments confirmed, never what data suggest; families with open warnings stand in the register of warnings. A review that the case register does not date is not known.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with rigid_valid as (
    select county_code, months from review_cycle
    where kind = 'rigid_valid' and $as_of between valid_from and valid_to
),
recognised as (
    select h.household_id, a.person_id, 'confirmed' as layer,
           case a.category when '1' then 'dibao' when '2' then 'tekun' when '3' then 'edge' when '4' then 'rigid' else 'other' end as category,
           a.case_id, a.start_month as since, '民政部门' as by_zh,
           case when c.status = '2' then c.grace_end_month end as grace_until,
           -- A recognition of rigid expenditure stands for so many months; the others stand until they are ended.
           case when a.category = '4' then cast(a.start_month + to_months(cast(v.months as integer)) as date) end as until,
           c.next_review_month as review_on
    from current_assistance a
    join assistance_case c on c.case_id = a.case_id
    left join person_household h on h.person_id = a.person_id
    left join rigid_valid v on v.county_code = a.county_code
    where a.person_id is not null
      -- Dibao and tekun are of persons: whom a case does not cover is none. Edge and rigid are of families.
      and (a.category in ('3', '4', '5') or a.is_covered is distinct from false)
),
monitored as (
    select h.household_id, r.person_id, 'confirmed' as layer, 'rural_monitor' as category, cast(null as varchar) as case_id,
           min(r.identify_date) as since, '农业农村部门' as by_zh, cast(null as date) as grace_until, cast(null as date) as until,
           cast(null as date) as review_on
    from rural_monitor r
    left join person_household h on h.person_id = r.person_id
    where r.person_id is not null and r.is_risk_removed = false and r.identify_date <= $as_of
    group by h.household_id, r.person_id
),
refused as (
    select f.household_id, cast(null as bigint) as person_id, 'wider' as layer, 'refused' as category, cast(null as varchar) as case_id,
           f.refused_on as since, '民政部门' as by_zh, cast(null as date) as grace_until, cast(null as date) as until,
           cast(null as date) as review_on
    from refused_application f
),
exited as (
    select l.household_id, cast(null as bigint) as person_id, 'wider' as layer, 'exited' as category, cast(null as varchar) as case_id,
           l.exit_on as since, '民政部门' as by_zh, cast(null as date) as grace_until,
           cast(l.exit_on + to_months(cast(l.watch_months as integer)) as date) as until, cast(null as date) as review_on
    from left_assistance l
)
select *
from (from recognised union all from monitored union all from refused union all from exited) e
where not exists (select 1 from known_death k where k.person_id = e.person_id)
