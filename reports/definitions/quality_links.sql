/*---
id: quality_links
version: 3
title: {zh: 人员比对, en: Links}
purpose: How surely the identities of each class were linked to persons, by grade, and how many conflicts wait.
audience: audit
part_of: quality_files
place: 6
sheet: 人员比对
order: [class_no, class_id]
columns:
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: identities, zh: 身份记录, width: 10, kind: integer, total: true}
  - {name: grade_a, zh: A 确定, width: 9, kind: integer, total: true}
  - {name: grade_b, zh: B 较为确定, width: 11, kind: integer, total: true}
  - {name: grade_c, zh: C 待人工确认, width: 11, kind: integer, total: true}
  - {name: grade_d, zh: D 暂定, width: 9, kind: integer, total: true}
  - {name: unlinked, zh: 未比中, width: 9, kind: integer, total: true}
  - {name: share_a, zh: 确定率, width: 8, kind: share}
  - {name: conflicts, zh: 冲突, width: 8, kind: integer, total: true}
carries: [class_no, class_id]
note_zh: 核查规则只使用 A 级比对结果；冲突是指证件号码相同而姓名、出生日期、性别明显不符等情形，一律不自动合并；D 暂定是指没有可用号码、所述也不足以对应到现有人员，清单和规则均不采用。
---*/
with linked as (
  select source_class as class_id,
         sum(identities)::bigint                                              as identities,
         coalesce(sum(identities) filter (where grade = 'A'), 0)::bigint      as grade_a,
         coalesce(sum(identities) filter (where grade = 'B'), 0)::bigint      as grade_b,
         coalesce(sum(identities) filter (where grade = 'C'), 0)::bigint      as grade_c,
         coalesce(sum(identities) filter (where grade = 'D'), 0)::bigint      as grade_d,
         coalesce(sum(identities) filter (where grade is null), 0)::bigint    as unlinked
  from link_count
  group by source_class
),
conflict as (
  select source_class as class_id, sum(conflicts)::bigint as conflicts
  from conflict_count
  group by source_class
),
joined as (
  select coalesce(l.class_id, f.class_id) as class_id, l.*  exclude (class_id), f.conflicts
  from linked l
  full join conflict f on f.class_id = l.class_id
)
select coalesce(c.class_zh, j.class_id)          as class_zh,
       coalesce(j.identities, 0)                 as identities,
       coalesce(j.grade_a, 0)                    as grade_a,
       coalesce(j.grade_b, 0)                    as grade_b,
       coalesce(j.grade_c, 0)                    as grade_c,
       coalesce(j.grade_d, 0)                    as grade_d,
       coalesce(j.unlinked, 0)                   as unlinked,
       round(j.grade_a / nullif(j.identities, 0), 4) as share_a,
       coalesce(j.conflicts, 0)                  as conflicts,
       coalesce(c.class_no, 99)                  as class_no,
       j.class_id
from joined j
left join class c using (class_id)
