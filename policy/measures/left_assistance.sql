/*---
id: left_assistance
version: 2
title: {zh: 退出低保、特困的家庭, en: Households that left dibao or tekun}
grain: one row a household, its last exit
unit: days
period: exits of the local period of watching up to the business date
source: 民办函〔2024〕31号（退出不满两年的继续监测）
columns:
  household_id: household in which a person lives who left
  county_code: county of that household
  exit_on: day of the decision, or the first day of the month from which nothing was paid
  category: 1 dibao, 2 tekun
  category_zh: the same in words
  watch_months: how long such households are watched
  watch_source: where that comes from
  person_ids: people of the household who left
  is_in_doubt: whether all of them are in the household with a doubt (whoever else lives there may be another family)
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  assistance_application: {max_age_days: 10, all: [ca_application]}
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window]
published: false
known_gaps:
  zh: 外县退出的看不到；因死亡、户籍迁出、转为其他救助类别而停保的不算退出。
  en: Exits in other counties are not seen; a case that ended by death, a move or for another category is no exit.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "says who left, and whether they are in the household with a doubt"}
---*/
with said as (
    select c.person_id, c.end_month as exit_on, c.category
    from assistance_case c
    where c.status = '4' and coalesce(c.end_reason, '9') not in ('3', '4', '7')
    union all
    select m.person_id, c.end_month, c.category
    from assistance_member m
    join assistance_case c on c.case_id = m.case_id
    where c.status = '4' and coalesce(c.end_reason, '9') not in ('3', '4', '7')
      and m.is_covered is distinct from false and (m.leave_month is null or m.leave_month >= c.end_month)
    union all
    -- One who left a case that goes on without him.
    select m.person_id, m.leave_month, c.category
    from assistance_member m
    join assistance_case c on c.case_id = m.case_id
    where m.is_covered and m.leave_month is not null and (c.end_month is null or m.leave_month < c.end_month)
    union all
    select a.person_id, a.decision_date, a.category
    from assistance_application a
    where a.decision = '5' and coalesce(a.reason, '9') not in ('3', '4', '7')
    union all
    select m.person_id, a.decision_date, a.category
    from assistance_application_member m
    join assistance_application a on a.application_id = m.application_id
    where a.decision = '5' and coalesce(a.reason, '9') not in ('3', '4', '7')
),
placed as (
    select h.household_id, h.county_code, s.person_id, coalesce(m.needs_check, true) as is_in_doubt, s.exit_on, s.category, w.length as watch_months, w.source as watch_source
    from said s
    join person_household h on h.person_id = s.person_id
    left join household_member m on m.household_id = h.household_id and m.person_id = s.person_id
    join warning_window w on w.county_code = h.county_code and w."window" = 'exit_watch'
     and $as_of between w.valid_from and w.valid_to
    where s.category in ('1', '2') and s.exit_on <= $as_of
      and s.exit_on > $as_of - to_months(cast(w.length as integer))
      and not exists (select 1 from known_death k where k.person_id = s.person_id)
)
select household_id, min(county_code) as county_code, max(exit_on) as exit_on,
       arg_max(category, (exit_on, category)) as category,
       case arg_max(category, (exit_on, category)) when '1' then '低保' else '特困供养' end as category_zh,
       min(watch_months) as watch_months, min(watch_source) as watch_source,
       list_sort(list(distinct person_id)) as person_ids, bool_and(is_in_doubt) as is_in_doubt
from placed
group by household_id
