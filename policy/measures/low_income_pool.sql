/*---
id: low_income_pool
version: 2
title: {zh: 低收入人口库内家庭, en: Households in the pool of low-income people}
grain: one row a household
unit: households
period: as of the business date
source: 国办发〔2023〕39号（低收入人口范围）；民办函〔2024〕31号（防止返贫监测对象一并监测）
columns:
  household_id: household
  pool_zh: as what it is in the pool, in words
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
published: false
known_gaps:
  zh: 只含在保家庭和风险未消除的防止返贫监测户；不含申请未获批和退出不满两年的家庭。
  en: Cases in force and monitored households alone, not refused applicants nor those who left less than two years ago.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "who is on the list of monitored households without a day is on it"}
---*/
select household_id, string_agg(distinct kind_zh, '、' order by kind_zh) as pool_zh
from (
    select h.household_id, a.category_zh as kind_zh
    from current_assistance a
    join person_household h on h.person_id = a.person_id
    union all
    select h.household_id, '防止返贫监测户'
    from rural_monitor r
    join person_household h on h.person_id = r.person_id
    where r.is_risk_removed = false and (r.identify_date is null or r.identify_date <= $as_of)
)
group by household_id
