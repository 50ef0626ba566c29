/*---
id: department_leads
version: 1
title: {zh: 数据质量线索, en: Leads about data for a department}
purpose: What a department should look at in its own data, Q01 to Q04; the data team forwards the file. No person, no number, no family.
audience: department
folder: department/{jurisdiction}
file: 数据质量线索_{place}_{as_of}.xlsx
sheet: 线索
jurisdiction: department
order: [lead_id, class_zh, what]
columns:
  - {name: lead_zh, zh: 线索, width: 30, kind: wrap}
  - {name: class_zh, zh: 信息类别, width: 30, kind: wrap}
  - {name: count, zh: 行数或人数, width: 9, kind: integer}
  - {name: since, zh: 首次发现, width: 12, kind: date}
  - {name: reason_zh, zh: 情况和请求, width: 76, kind: wrap}
carries: [lead_id, what]
empty_zh: 没有需要核对的数据。
note_zh: 由夜间自动比对产生，只涉及贵单位报送的数据，请核对原始登记；更正后重新报送，下一夜自动消除。所涉行见“所涉数据行”页。
---*/
select department,
       lead_zh,
       coalesce(class_zh, class_id) as class_zh,
       count,
       since,
       reason_zh,
       lead_id,
       what
from department_lead
where department is not null
