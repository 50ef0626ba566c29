/*---
id: quality_conflicts
version: 2
title: {zh: 身份冲突, en: Identity conflicts}
purpose: Conflicts by kind; they wait for a human decision and are never linked.
audience: audit
part_of: quality_files
place: 8
sheet: 身份冲突
order: [class_no, class_id, kind]
columns:
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: kind_zh, zh: 冲突类型, width: 40}
  - {name: conflicts, zh: 数量, width: 10, kind: integer, total: true}
carries: [class_no, class_id, kind]
---*/
select coalesce(c.class_zh, f.source_class)  as class_zh,
       coalesce(any_value(f.kind_zh), '')    as kind_zh,
       sum(f.conflicts)::bigint              as conflicts,
       coalesce(c.class_no, 99)              as class_no,
       f.source_class                        as class_id,
       coalesce(f.kind, '')                  as kind
from conflict_count f
left join class c on c.class_id = f.source_class
group by f.source_class, c.class_zh, c.class_no, f.kind
