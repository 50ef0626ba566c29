/*---
id: N17
version: 3
title: {zh: 申请未获批后又有变故, en: Worse off after a refused application}
legal_basis:
  - 民办函〔2024〕31号（申请未通过的纳入监测）
  - 国办发〔2023〕39号
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
parameters: [warning_window]
evidence: [refused_on, category, events, last_kind, last_on]
reason: 该户申请{category_zh}，于{refused_on}未获批；此后有{events}项变故：{events_zh}。请入户了解情况是否已变化，符合条件的协助重新申请。
cited: [ca_application]
known_gaps:
  zh: 变故只看有确定日期的事件，收入骤减以首月为日期；某类来源逾期时该类不计。
  en: Only events with a day count; a plunge of income counts from its first month; events whose source is late are left out.
false_alarms:
  zh: 变故已由保险或单位赔付、家庭财产充足、申请时已知的变故。
  en: Costs that insurance or the employer paid, ample property, events known at the time of the application.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a plunge of income is among the events; titles of homes that are late do not switch it off"}
  - {version: 3, since: 2026-11-23, what: "the same warnings; what the measures declare is not repeated"}
---*/
with since as (
    select r.household_id, count(*) as events,
           string_agg(e.words_zh, '；' order by e.happened_on, e.kind, e.words_zh) as events_zh,
           arg_max(e.kind, (e.happened_on, e.kind)) as last_kind,
           max(e.happened_on) as last_on
    from refused_application r
    join (select distinct household_id, kind, happened_on, words_zh from hardship_event) e
      on e.household_id = r.household_id and e.happened_on > r.refused_on
    group by r.household_id
)
select r.household_id,
       'refused:' || r.refused_on || ':' || s.last_kind || ':' || s.last_on as cause_key,
       r.refused_on, r.category, r.category_zh, s.events, s.events_zh, s.last_kind, s.last_on,
       case when r.asks_again then '该户已再次申请，正在办理'
            when exists (
                select 1 from covered_person c join person_household h on h.person_id = c.person_id
                where h.household_id = r.household_id
            ) then '该户现有成员在低保或特困供养中' end as not_raised_zh
from refused_application r
join since s on s.household_id = r.household_id
