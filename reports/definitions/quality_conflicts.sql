/*---
id: quality_conflicts
version: 1
title: {zh: 身份冲突, en: Identity conflicts}
purpose: Conflicts by kind; they wait for a human decision and are never linked.
audience: audit
part_of: quality_files
place: 6
sheet: 身份冲突
order: [class_no, class_id, kind]
columns:
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: kind, zh: 冲突类型, width: 30}
  - {name: conflicts, zh: 数量, width: 10, kind: integer, total: true}
carries: [class_no, class_id]
---*/
select coalesce(c.class_zh, f.source_class)  as class_zh,
       coalesce(f.kind, '')                  as kind,
       sum(f.conflicts)::bigint              as conflicts,
       coalesce(c.class_no, 99)              as class_no,
       f.source_class                        as class_id
from conflict_count f
left join class c on c.class_id = f.source_class
group by all
