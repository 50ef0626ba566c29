/*---
id: quality_hints
version: 1
title: {zh: 数据提示, en: Hints by reason}
purpose: What was noticed and needs nobody tonight, by file and reason; folded up on the page.
audience: audit
part_of: quality_files
place: 3
sheet: 数据提示
order: [class_no, class_id, severity_no, severity, reason, file, column_zh]
columns:
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: file, zh: 文件, width: 22}
  - {name: column_zh, zh: 字段, width: 16}
  - {name: severity_zh, zh: 程度, width: 6}
  - {name: cells, zh: 处数, width: 9, kind: integer, total: true}
  - {name: example, zh: 示例（已脱敏）, width: 18}
  - {name: first_row, zh: 首见行号, width: 9, kind: integer}
  - {name: message_zh, zh: 问题, width: 40, kind: wrap}
  - {name: action_zh, zh: 处理建议, width: 34, kind: wrap}
carries: [class_no, class_id, reason, severity, severity_no]
note_zh: 不影响使用，供部门改进报送时参考。
---*/
select coalesce(any_value(c.class_zh), i.class_id)     as class_zh,
       i.file,
       coalesce(i."column", '')                        as column_zh,
       case i.severity when 'error' then '错误' when 'warning' then '提醒' else '提示' end as severity_zh,
       sum(i.rows)::bigint                             as cells,
       -- The example is the first one in the file, value and sentence together.
       coalesce(first(i.masked_value order by i.masked_value is null, i."row", i.masked_value, i.message_zh), '') as example,
       first(i."row" order by i.masked_value is null, i."row", i.masked_value, i.message_zh) as first_row,
       coalesce(first(i.message_zh order by i.masked_value is null, i."row", i.masked_value, i.message_zh), '') as message_zh,
       coalesce(min(i.action_zh), '')                  as action_zh,
       coalesce(any_value(c.class_no), 99)             as class_no,
       i.class_id,
       i.reason,
       i.severity,
       case i.severity when 'error' then 1 when 'warning' then 2 else 3 end as severity_no
from issue i
left join class c using (class_id)
where i.severity = 'info' and i.reason <> 'duplicate_rows'
group by i.class_id, i.file, i.reason, i.severity, coalesce(i."column", '')
