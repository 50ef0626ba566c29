/*---
id: department_leads_rows
version: 1
title: {zh: 所涉数据行, en: Rows that a lead means}
purpose: File and row of the department's own deliveries, so that it finds them without a number or a name being sent.
audience: department
part_of: department_leads
place: 1
sheet: 所涉数据行
jurisdiction: department
order: [lead_id, class_zh, what, batch_date, file, row]
columns:
  - {name: lead_zh, zh: 线索, width: 30, kind: wrap}
  - {name: class_zh, zh: 信息类别, width: 30, kind: wrap}
  - {name: batch_date, zh: 送达批次, width: 12, kind: date}
  - {name: file, zh: 文件, width: 34, kind: wrap}
  - {name: row, zh: 数据第几行, width: 10, kind: integer}
carries: [lead_id, what]
empty_zh: 这些线索不涉及具体的行。
note_zh: 数据第几行从表头以下数起。每条线索最多列2000行，行数以“线索”页为准。
---*/
select department, lead_zh, coalesce(class_zh, class_id) as class_zh, batch_date, file, row, lead_id, what
from lead_row
where row_no <= 2000 and department is not null
