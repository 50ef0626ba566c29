/*---
id: quality_sources
version: 1
title: {zh: 数据到达情况, en: Freshness of the sources}
purpose: How old the data of each class are.
audience: audit
part_of: quality_files
place: 5
sheet: 数据到达
order: [class_no, class_id]
columns:
  - {name: department_zh, zh: 部门, width: 16}
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: last_batch, zh: 数据截至, width: 12, kind: date}
  - {name: expected_by, zh: 应到日期, width: 12, kind: date}
  - {name: days_old, zh: 距今天数, width: 9, kind: integer}
  - {name: status_zh, zh: 状态, width: 12}
  - {name: note_zh, zh: 说明, width: 40, kind: wrap}
carries: [class_no, class_id, status]
---*/
select department_zh,
       class_zh,
       last_batch,
       expected_by,
       date_diff('day', last_batch, $as_of::date)::bigint as days_old,
       status_zh,
       note_zh,
       class_no,
       class_id,
       status
from source
