/*---
id: quality_checks
version: 1
title: {zh: 契约检查, en: Contract checks}
purpose: Which promises of the contracts held; failed ones and engine errors one by one.
audience: audit
part_of: quality_files
place: 4
sheet: 契约检查
order: [class_no, class_id]
columns:
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: passed, zh: 通过, width: 8, kind: integer, total: true}
  - {name: failed, zh: 未通过, width: 8, kind: integer, total: true}
  - {name: broken, zh: 检查程序出错, width: 12, kind: integer, total: true}
  - {name: rows_failed, zh: 涉及行数, width: 10, kind: integer, total: true}
  - {name: what, zh: 未通过的检查, width: 50, kind: wrap}
carries: [class_no, class_id]
note_zh: “检查程序出错”表示检查本身没有做成，不表示数据不好。
---*/
select coalesce(any_value(c.class_zh), k.class_id)                       as class_zh,
       count(*) filter (where k.outcome = 'passed')                      as passed,
       count(*) filter (where k.outcome = 'failed')                      as failed,
       count(*) filter (where k.outcome = 'engine_error')                as broken,
       coalesce(sum(k.rows_failed) filter (where k.outcome = 'failed'), 0)::bigint as rows_failed,
       coalesce(string_agg(k.check_zh || coalesce('（' || nullif(k.note_zh, '') || '）', ''), chr(10)
                order by k.check_zh, k.note_zh) filter (where k.outcome <> 'passed'), '') as what,
       coalesce(any_value(c.class_no), 99)                               as class_no,
       k.class_id
from checked k
left join class c using (class_id)
group by k.class_id
