/*---
id: N16
version: 4
title: {zh: 退出低保特困后又有变故, en: Worse off after leaving dibao or tekun}
legal_basis:
  - 民办函〔2024〕31号（退出低保、特困不满两年的继续监测）
  - 国办发〔2023〕39号
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
needs:
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [warning_window]
evidence: [exit_on, category, events, last_kind, last_on]
reason: 该户于{exit_zh}退出{category_zh}，不满{watch_months}个月（依据：{watch_source}），此后有{events}项变故：{events_zh}。请入户了解是否又陷入困难，符合条件的协助重新申请。
cited: [ca_assist_household]
known_gaps:
  zh: 变故只看有确定日期的事件，收入骤减以首月为日期；某类来源逾期时该类不计。
  en: Only events with a day count; a plunge of income counts from its first month; events whose source is late are left out.
false_alarms:
  zh: 退出后收入稳定、变故已由保险或单位赔付、退出时已知的变故。
  en: A stable income after the exit, costs that insurance or the employer paid, events known when the case ended.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a plunge of income is among the events; titles of homes that are late do not switch it off"}
  - {version: 3, since: 2026-11-23, what: "the same warnings; what the measures declare is not repeated"}
  - {version: 4, since: 2026-11-23, what: "an event counts where it befell who left, somebody of the same case, or somebody who lives with them beyond doubt"}
---*/
with event as (
    -- One book may hold two families: what befell the one says nothing of the other, and whether they are one is for a visit to say.
    select l.household_id, e.kind, e.happened_on, e.words_zh,
           bool_or(
               coalesce(list_contains(l.person_ids, e.person_id), false)
               or exists (
                   select 1 from assistance_member x join assistance_member y on y.case_id = x.case_id
                   where x.person_id = e.person_id and list_contains(l.person_ids, y.person_id)
               )
               or (not l.is_in_doubt and not exists (
                   select 1 from household_member m where m.household_id = l.household_id and m.person_id = e.person_id and m.needs_check is distinct from false
               ))
           ) as is_sure
    from left_assistance l
    join hardship_event e on e.household_id = l.household_id and e.happened_on >= l.exit_on
    group by l.household_id, e.kind, e.happened_on, e.words_zh
),
since as (
    select household_id, bool_or(is_sure) as is_sure, count(*) as events,
           string_agg(words_zh, '；' order by happened_on, kind, words_zh) as events_zh,
           arg_max(kind, (happened_on, kind)) as last_kind,
           max(happened_on) as last_on
    from event
    where is_sure or household_id not in (select household_id from event where is_sure)
    group by household_id
)
select l.household_id,
       'exit:' || l.exit_on || ':' || s.last_kind || ':' || s.last_on as cause_key,
       l.exit_on, l.category, l.category_zh, l.watch_months, l.watch_source,
       s.events, s.events_zh, s.last_kind, s.last_on,
       case when day(l.exit_on) = 1 then strftime(l.exit_on, '%Y年%-m月') else strftime(l.exit_on, '%Y年%-m月%-d日') end as exit_zh,
       case when not s.is_sure then '登记在一户，但退出的成员与遇到变故的成员是否共同生活有待核实'
            when exists (
           select 1 from covered_person c join person_household h on h.person_id = c.person_id
           where h.household_id = l.household_id
       ) then '该户现有成员在低保或特困供养中' end as not_raised_zh
from left_assistance l
join since s on s.household_id = l.household_id
