/*---
id: quality_leads
version: 1
title: {zh: 给部门的数据线索, en: Leads for departments}
purpose: What a department should look at in its own data, Q01 to Q04; counts and sentences, no person and no number.
audience: audit
part_of: quality_files
place: 11
sheet: 给部门的数据线索
order: [department_no, lead_id, class_zh, what]
columns:
  - {name: department_zh, zh: 部门, width: 16}
  - {name: lead_zh, zh: 线索, width: 24}
  - {name: class_zh, zh: 信息类别, width: 24}
  - {name: count, zh: 行数或人数, width: 12}
  - {name: since, zh: 首次发现, width: 12}
  - {name: reason_zh, zh: 说明, width: 60, kind: wrap}
carries: [department_no, lead_id, what]
empty_zh: 没有需要部门核对的数据。
note_zh: 只发给报送部门，不发给乡镇和村居，不涉及任何家庭。行号见数据组留存的线索表。
---*/
select department_zh,
       lead_zh,
       class_zh,
       count,
       since,
       reason_zh,
       department_no,
       lead_id,
       what
from department_lead
