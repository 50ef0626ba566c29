/*---
id: quality_passes
version: 2
title: {zh: 比对依据, en: Links by pass}
purpose: By which pass the links were made, most certain first.
audience: audit
part_of: quality_files
place: 7
sheet: 比对依据
order: [grade, pass_id]
columns:
  - {name: grade, zh: 级别, width: 8}
  - {name: pass_zh, zh: 依据, width: 40}
  - {name: pass_id, zh: 编号, width: 16}
  - {name: identities, zh: 身份记录, width: 10, kind: integer, total: true}
  - {name: classes, zh: 涉及类别数, width: 10, kind: integer}
---*/
select coalesce(grade, '未比中')         as grade,
       coalesce(any_value(pass_zh), '')  as pass_zh,
       coalesce(pass_id, '')             as pass_id,
       sum(identities)::bigint           as identities,
       count(distinct source_class)      as classes
from link_count
group by coalesce(grade, '未比中'), coalesce(pass_id, '')
