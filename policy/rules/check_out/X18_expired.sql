/*---
id: X18
version: 2
title: {zh: 认定或渐退已到期, en: Recognition or grace has run out}
legal_basis:
  - 刚性支出困难家庭认定办法第十条：认定有效期最长12个月，到期重新申请
  - 2022年10月20日关于进一步做好最低生活保障等社会救助兜底工作的通知：渐退期原则上不超过6个月
level: blue
owner: 县民政局社会救助科
expires: 2027-12-31
subject: case
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [review_cycle]
evidence: [cause, start_month, grace_end_month, months_since, limit_months]
reason:
  rigid: 该户自{start_month}起认定为刚性支出困难家庭，到现在已{months_since}个月，超过认定有效期{limit_months}个月，台账仍为在册。请告知该户重新申请，或按规定办理退出。依据：{limit_source}。
  grace: 该户现为{category_zh}，渐退期到{grace_end_month}为止，已过{months_since}个月，台账仍为渐退。请复核后办理停保，或按复核结果恢复。
cited: [ca_assist_household]
known_gaps:
  zh: 以台账的起保月和渐退截止月为准；重新认定后台账未更新起保月的会误报；渐退截止月未填的不判断。
  en: Follows the month of beginning and the last month of grace in the register; a renewal that was not entered looks expired; grace without its last month is not judged.
false_alarms:
  zh: 已重新认定而台账未更新；停保手续正在办理。
  en: Recognised anew while the register was not updated; the stop is under way.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
---*/
with standing as (
    select f.case_id, f.household_id, f.county_code, f.category, f.category_zh, c.status, f.start_month, c.grace_end_month
    from case_in_force f
    join assistance_case c on c.case_id = f.case_id and c.status in ('1', '2')
),
rigid as (
    select s.household_id, s.case_id, s.category_zh, 'rigid' as cause, s.start_month, null::date as grace_end_month,
           date_diff('month', s.start_month, $as_of) as months_since, v.months as limit_months, v.source as limit_source
    from standing s
    join review_cycle v on v.county_code = s.county_code and v.kind = 'rigid_valid'
     and $as_of between v.valid_from and v.valid_to
    -- Within three months of it comes close.
    where s.category = '4' and s.status = '1' and date_diff('month', s.start_month, $as_of) > v.months - 3
),
grace as (
    select household_id, case_id, category_zh, 'grace' as cause, start_month, grace_end_month,
           date_diff('month', grace_end_month, $as_of) as months_since, null::bigint as limit_months, null::varchar as limit_source
    from standing
    where status = '2' and grace_end_month is not null
)
select household_id, case_id, cause || ':' || coalesce(grace_end_month, start_month) as cause_key,
       cause, category_zh, start_month, grace_end_month, months_since, limit_months, limit_source,
       -- The month of recognition is known, its day is not: only a thirteenth month is certainly too late.
       case when cause = 'rigid' and months_since <= limit_months then '认定到现在' || months_since || '个月，没有超过' || limit_months || '个月'
            when cause = 'grace' and months_since <= 0 then strftime(grace_end_month, '渐退期到%Y年%-m月，还没有过完') end as not_raised_zh
from (select distinct * from (from rigid union all by name from grace))
