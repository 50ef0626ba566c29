/*---
id: county_overview_sources
version: 1
title: {zh: 数据到达情况, en: Freshness of the sources}
purpose: How old the data of each class are, and which are late or missing.
audience: county
part_of: county_overview
place: 4
sheet: 数据到达
jurisdiction: county_code
order: [class_no, class_id]
columns:
  - {name: class_no, zh: 序号, width: 6, kind: integer}
  - {name: department_zh, zh: 部门, width: 26, kind: wrap}
  - {name: class_zh, zh: 数据类别, width: 32, kind: wrap}
  - {name: last_batch, zh: 数据截至, width: 12, kind: date}
  - {name: days_old, zh: 距今天数, width: 9, kind: integer}
  - {name: status_zh, zh: 状态, width: 12}
  - {name: note_zh, zh: 说明, width: 50, kind: wrap}
carries: [class_id]
---*/
select c.county_code,
       s.class_no,
       s.department_zh,
       s.class_zh,
       s.last_batch,
       date_diff('day', s.last_batch, $as_of::date)::bigint as days_old,
       s.status_zh,
       -- What is fresh has nothing to add to its date.
       if(s.status = 'fresh', '', s.note_zh) as note_zh,
       s.class_id
from county c
cross join source s
