/*---
id: county_overview
version: 1
title: {zh: 县级总览：可能需要帮助, en: "County overview, may need help"}
purpose: How many families of each township are on tonight's list, by level and state, and what became of earlier warnings.
audience: county
list_kind: help_in
layout: overview
folder: county/{jurisdiction}
file: 县级总览_{place}_{as_of}.xlsx
sheet: 可能需要帮助
jurisdiction: county_code
order: [township_code]
columns:
  - {name: township_zh, zh: 乡镇（街道）, width: 20, kind: wrap}
  - {name: families, zh: 清单户数, width: 9, kind: integer, total: true}
  - {name: red, zh: 红, width: 7, kind: integer, total: true}
  - {name: orange, zh: 橙, width: 7, kind: integer, total: true}
  - {name: yellow, zh: 黄, width: 7, kind: integer, total: true}
  - {name: blue, zh: 蓝, width: 7, kind: integer, total: true}
  - {name: fresh, zh: 新增户, width: 8, kind: integer, total: true}
  - {name: lasting, zh: 持续户, width: 8, kind: integer, total: true}
  - {name: changed, zh: 变化户, width: 8, kind: integer, total: true}
  - {name: open_warnings, zh: 线索条数, width: 9, kind: integer, total: true}
  - {name: answered, zh: 已反馈（条）, width: 10, kind: integer, total: true}
  - {name: expired, zh: 已过期（条）, width: 10, kind: integer, total: true}
  - {name: suppressed, zh: 近期已核查不再提示（条）, width: 13, kind: integer, total: true}
  - {name: homes, zh: 辖区家庭数, width: 11, kind: integer, total: true}
carries: [township_code]
note_zh: 本表只有数量，没有个人和家庭信息；清单仅为线索，不得据此停发、减发任何救助金。
---*/
with family as (
  select jurisdiction,
         sum(families)                                       as families,
         sum(families) filter (where level_no = 1)           as red,
         sum(families) filter (where level_no = 2)           as orange,
         sum(families) filter (where level_no = 3)           as yellow,
         sum(families) filter (where level_no = 4)           as blue,
         sum(families) filter (where state_zh = '新增')      as fresh,
         sum(families) filter (where state_zh = '持续')      as lasting,
         sum(families) filter (where state_zh = '变化')      as changed
  from family_count
  where list_kind = $list_kind
  group by jurisdiction
),
warning as (
  select jurisdiction,
         sum(warnings) filter (where state in ('new', 'repeated', 'changed')) as open_warnings,
         sum(warnings) filter (where state = 'answered')     as answered,
         sum(warnings) filter (where state = 'expired')      as expired,
         sum(warnings) filter (where state = 'suppressed')   as suppressed
  from warning_count
  where list_kind = $list_kind
  group by jurisdiction
),
home as (
  select jurisdiction, sum(homes) as homes
  from home_count
  group by jurisdiction
)
select t.county_code,
       t.township_zh,
       coalesce(f.families, 0)::bigint       as families,
       coalesce(f.red, 0)::bigint            as red,
       coalesce(f.orange, 0)::bigint         as orange,
       coalesce(f.yellow, 0)::bigint         as yellow,
       coalesce(f.blue, 0)::bigint           as blue,
       coalesce(f.fresh, 0)::bigint          as fresh,
       coalesce(f.lasting, 0)::bigint        as lasting,
       coalesce(f.changed, 0)::bigint        as changed,
       coalesce(w.open_warnings, 0)::bigint  as open_warnings,
       coalesce(w.answered, 0)::bigint       as answered,
       coalesce(w.expired, 0)::bigint        as expired,
       coalesce(w.suppressed, 0)::bigint     as suppressed,
       coalesce(h.homes, 0)::bigint          as homes,
       t.township_code
from township t
left join family f on f.jurisdiction = t.township_code
left join warning w on w.jurisdiction = t.township_code
left join home h on h.jurisdiction = t.township_code
