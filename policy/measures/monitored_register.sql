/*---
id: monitored_register
version: 3
title: {zh: 低收入人口动态监测对象登记（主题库）, en: Register of monitored people}
grain: one row a person (or a household, where nobody in it is named) and category or way into the wider pool
unit: persons
period: as of the business date
source: 国办发〔2023〕39号（六类低收入人口）；民办函〔2024〕31号（申请未获批、退出不满两年的继续监测）；刚性支出困难家庭认定办法第十条（认定有效期12个月）；民发〔2021〕57号第三十一条（每年或者每半年核查）；民发〔2021〕43号（特困未成年人）
columns:
  household_id: household; null when the person belongs to none
  person_id: person; null where the household as a whole is watched
  layer: confirmed by the department, or wider (watched, not recognised)
  category: dibao, tekun, edge, rigid, other, rural_monitor; refused, exited in the wider pool
  case_id: case; null where there is none
  since: from when; null when not known
  by_zh: who confirmed or decided it
  grace_until: last month of the grace period; null when there is none
  until: end of the recognition (a month) or of the watching (a day); null when it has none or it is not known
  term_state: of grace or recognition, over, soon (within review_soon), later, unknown; null where there is no term
  review_on: month of the next review as the case register has it; null when not known
  review_months: how often the category is reviewed; null where no rule says so
  review_source: where that comes from
  review_due_on: last day on which the review is in time; null when not known or none is owed
  review_state: overdue, soon (within review_soon), later, unknown; null where none is owed
  age_zh: what the age of a tekun minor means for the cover; null when nothing
  clock_zh: review, grace and validity in words; null when nothing runs
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  assistance_application: {max_age_days: 10, all: [ca_application]}
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
parameters_if_known: [review_cycle, grace_period, tekun_age, tekun_disability, warning_window]
known_gaps:
  zh: 以部门台账为准，不含数据推测的类别；预警未结的家庭另见预警登记。台账没有写明复核月、起保又早于一个复核周期的，复核时间不详。渐退从哪个月开始没有登记，只能看出明显超过最长期限的。收入是否稳定没有登记，有人有劳动能力的家庭按半年复核，其他按一年。
  en: What departments confirmed, never what data suggest; families with open warnings stand in the register of warnings. A review that the case register does not date is known for the first cycle after the recognition alone. When a grace began is not told, so that only one certainly too long is seen. Whether an income is steady is not told; families with somebody who can work have the half-yearly cycle, others the yearly one.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "by which day a review is due, by the case register or the cycle of the category; grace and validity that run out; ages of tekun minors"}
  - {version: 3, since: 2026-11-23, what: "a monitored person whose day of listing is not told is on it"}
---*/
with cycle as (
    select county_code, kind, months, source from review_cycle where $as_of between valid_from and valid_to
),
soon as (
    select county_code, length as days from warning_window
    where "window" = 'review_soon' and $as_of between valid_from and valid_to
),
grace as (
    select county_code, grace_months, source from grace_period where $as_of between valid_from and valid_to
),
able as (
    -- Somebody who can work makes the half-yearly cycle; a declaration that is missing does not.
    select distinct a.case_id from current_assistance a
    where a.labour_ability = '1' and not exists (select 1 from known_death k where k.person_id = a.person_id)
),
standing as (
    select h.household_id, a.person_id, a.category, a.case_id, a.county_code, a.start_month, c.status, c.grace_end_month,
           c.next_review_month, c.review_cycle_months,
           case a.category when '1' then case when b.case_id is null then 'dibao_stable' else 'dibao_unsteady' end
                           when '2' then 'tekun' when '3' then 'edge' end as kind
    from current_assistance a
    join assistance_case c on c.case_id = a.case_id
    left join person_household h on h.person_id = a.person_id
    left join able b on b.case_id = a.case_id
    where a.person_id is not null
      -- Dibao and tekun are of persons: whom a case does not cover is none. Edge and rigid are of families.
      and (a.category in ('3', '4', '5') or a.is_covered is distinct from false)
),
clock as (
    select s.*, y.months as review_months, y.source as review_source, coalesce(o.days, 0) as soon_days,
           g.grace_months, g.source as grace_source, v.months as valid_months,
           -- A longer cycle in the case register than the rule has: the review is due earlier by the difference.
           case when s.category = '4' then null
                when s.review_cycle_months > y.months
                then cast(s.next_review_month - to_months(cast(s.review_cycle_months - y.months as integer)) as date)
                else s.next_review_month end as told_month,
           -- Before one cycle is over since the recognition nobody can have reviewed yet: the clock runs from there.
           case when s.start_month + to_months(cast(y.months as integer)) >= date_trunc('month', $as_of)
                then cast(s.start_month + to_months(cast(y.months as integer)) as date) end as first_month
    from standing s
    left join cycle y on y.county_code = s.county_code and y.kind = s.kind
    left join cycle v on v.county_code = s.county_code and v.kind = 'rigid_valid' and s.category = '4'
    left join grace g on g.county_code = s.county_code
    left join soon o on o.county_code = s.county_code
),
due as (
    select *, last_day(least(told_month, first_month)) as review_due_on,
           case when first_month < told_month or told_month is null
                then case when next_review_month is null then '台账没有登记复核月，' else '' end
                     || strftime(start_month, '自%Y年%-m月') || '起按' || review_months || '个月推算'
                when told_month < next_review_month
                then '台账的周期是' || review_cycle_months || '个月，规定为' || review_months || '个月，按规定推算'
                else '台账登记' end as due_zh,
           -- A recognition of rigid expenditure stands for so many months; the others stand until they are ended.
           case when category = '4' then cast(start_month + to_months(cast(valid_months as integer)) as date) end as until,
           case when status = '2' then grace_end_month end as grace_until
    from clock
),
termed as (
    select *, last_day(coalesce(grace_until, until)) as term_on, date_diff('day', $as_of, review_due_on) as days_left
    from due
),
stated as (
    select *,
           case when category = '4' then null when review_due_on is null then 'unknown' when days_left < 0 then 'overdue'
                when days_left <= soon_days then 'soon' else 'later' end as review_state,
           case when term_on < $as_of then 'over' when date_diff('day', $as_of, term_on) <= soon_days then 'soon'
                when term_on is not null then 'later' when status = '2' or category = '4' then 'unknown' end as term_state
    from termed
),
listed as (
    select distinct t.county_code, d.person_id
    from disability d
    join tekun_disability t on t.dis_type = d.dis_type and t.dis_grade = d.dis_grade and $as_of between t.valid_from and t.valid_to
    where t.is_unable and d.status = '1' and d.person_id is not null and (d.valid_to is null or d.valid_to >= $as_of)
),
at_school as (
    select person_id, min(case stage when '1' then '小学' when '2' then '初中' when '3' then '普通高中' else '中等职业学校' end) as school_zh
    from school_enrolment
    where stage in ('1', '2', '3', '4') and status in ('1', '2') and person_id is not null
    group by person_id
),
minor as (
    -- Covered since before the age at which minors are no longer covered: what the age means today, by the rule of the day.
    select s.case_id, s.person_id,
           case when date_sub('year', n.birth_date, $as_of) >= g.child_below
                then '已满' || g.child_below || '周岁，'
                     || coalesce('学籍显示仍在' || e.school_zh || '就读，可继续供养',
                                 '请核实是否仍在接受义务教育或者在普通高中、中等职业学校就读，以及劳动能力')
                else '已满' || g.no_labour_below || '周岁，供养待遇可到'
                     || strftime(cast(n.birth_date + to_years(cast(g.child_below as integer)) as date), '%Y年%-m月%-d日')
                     || '满' || g.child_below || '周岁为止' end as age_zh
    from standing s
    join person n on n.person_id = s.person_id
    join tekun_age g on g.county_code = s.county_code and $as_of between g.valid_from and g.valid_to
    left join at_school e on e.person_id = s.person_id
    left join listed l on l.person_id = s.person_id and l.county_code = s.county_code
    where s.category = '2' and l.person_id is null
      and date_sub('year', n.birth_date, s.start_month) < g.child_below
      and date_sub('year', n.birth_date, $as_of) between g.no_labour_below and g.elder_from - 1
),
recognised as (
    select s.household_id, s.person_id, 'confirmed' as layer,
           case s.category when '1' then 'dibao' when '2' then 'tekun' when '3' then 'edge' when '4' then 'rigid' else 'other' end as category,
           s.case_id, s.start_month as since, '民政部门' as by_zh, s.grace_until, s.until, s.term_state,
           s.next_review_month as review_on, s.review_months, s.review_source, s.review_due_on, s.review_state, m.age_zh,
           nullif(concat_ws('；',
               case s.review_state when 'unknown' then '台账没有登记下次复核月，复核是否到期不能判断'
                                   when 'overdue' then strftime(s.review_due_on, '应在%Y年%-m月%-d日前复核（') || s.due_zh || '），已逾期' || -s.days_left || '天'
                                   when 'soon' then strftime(s.review_due_on, '应在%Y年%-m月%-d日前复核（') || s.due_zh || '），'
                                                    || case s.days_left when 0 then '今天到期' else '还有' || s.days_left || '天' end
                                   when 'later' then strftime(s.review_due_on, '应在%Y年%-m月%-d日前复核（') || s.due_zh || '）' end,
               case when s.status = '2' and s.grace_until is null then '处于渐退期，台账没有登记渐退截止月'
                    when s.status = '2' then strftime(s.grace_until, '渐退期到%Y年%-m月为止')
                                             || case s.term_state when 'over' then '，已经届满' when 'soon' then '，' || s.soon_days || '天内届满' else '' end
                                             -- It began this month at the latest.
                                             || case when date_diff('month', $as_of, s.grace_until) + 1 > s.grace_months
                                                     then '，登记的渐退期长于' || s.grace_months || '个月（' || s.grace_source || '）' else '' end end,
               case when s.category = '4' and s.until is null then '认定有效期不详'
                    when s.category = '4' then strftime(s.until, '认定有效期到%Y年%-m月') || strftime(s.start_month, '（自%Y年%-m月起') || s.valid_months || '个月）'
                                               || case s.term_state when 'over' then '，已经届满，继续救助须重新申请'
                                                                    when 'soon' then '，' || s.soon_days || '天内届满，继续救助须重新申请' else '' end end
           ), '') as clock_zh
    from stated s
    left join minor m on m.case_id = s.case_id and m.person_id = s.person_id
),
monitored as (
    select h.household_id, r.person_id, 'confirmed' as layer, 'rural_monitor' as category, cast(null as varchar) as case_id,
           min(r.identify_date) as since, '农业农村部门' as by_zh, cast(null as date) as grace_until, cast(null as date) as until,
           cast(null as varchar) as term_state, cast(null as date) as review_on, cast(null as bigint) as review_months,
           cast(null as varchar) as review_source, cast(null as date) as review_due_on, cast(null as varchar) as review_state,
           cast(null as varchar) as age_zh, cast(null as varchar) as clock_zh
    from rural_monitor r
    left join person_household h on h.person_id = r.person_id
    where r.person_id is not null and r.is_risk_removed = false and (r.identify_date is null or r.identify_date <= $as_of)
    group by h.household_id, r.person_id
),
refused as (
    select f.household_id, cast(null as bigint) as person_id, 'wider' as layer, 'refused' as category, cast(null as varchar) as case_id,
           f.refused_on as since, '民政部门' as by_zh, cast(null as date) as grace_until, cast(null as date) as until,
           cast(null as varchar) as term_state, cast(null as date) as review_on, cast(null as bigint) as review_months,
           cast(null as varchar) as review_source, cast(null as date) as review_due_on, cast(null as varchar) as review_state,
           cast(null as varchar) as age_zh, cast(null as varchar) as clock_zh
    from refused_application f
),
exited as (
    select l.household_id, cast(null as bigint) as person_id, 'wider' as layer, 'exited' as category, cast(null as varchar) as case_id,
           l.exit_on as since, '民政部门' as by_zh, cast(null as date) as grace_until,
           cast(l.exit_on + to_months(cast(l.watch_months as integer)) as date) as until, cast(null as varchar) as term_state, cast(null as date) as review_on, cast(null as bigint) as review_months,
           cast(null as varchar) as review_source, cast(null as date) as review_due_on, cast(null as varchar) as review_state,
           cast(null as varchar) as age_zh, strftime(cast(l.exit_on + to_months(cast(l.watch_months as integer)) as date), '退出后跟踪到%Y年%-m月%-d日') as clock_zh
    from left_assistance l
)
select *
from (from recognised union all from monitored union all from refused union all from exited) e
where not exists (select 1 from known_death k where k.person_id = e.person_id)
