/*---
id: county_overview_rules
version: 1
title: {zh: 规则启用与线索数, en: Rules and their warnings}
purpose: Which rules ran tonight, why others did not, and how many warnings each gave.
audience: county
part_of: county_overview
place: 3
sheet: 规则
jurisdiction: county_code
order: [list_kind, rule_id]
columns:
  - {name: list_zh, zh: 清单, width: 14}
  - {name: rule_id, zh: 规则编号, width: 9}
  - {name: title_zh, zh: 规则, width: 26, kind: wrap}
  - {name: rule_version, zh: 版本, width: 6, kind: integer}
  - {name: status_zh, zh: 状态, width: 7}
  - {name: open_warnings, zh: 本期线索（条）, width: 10, kind: integer, total: true}
  - {name: fresh, zh: 其中新增, width: 9, kind: integer, total: true}
  - {name: sources_zh, zh: 数据截至, width: 26, kind: wrap}
  - {name: reason_zh, zh: 说明, width: 36, kind: wrap}
carries: [list_kind]
note_zh: 规则停用只表示所需数据未到或有问题，不代表没有这类情况；数据补齐后自动恢复。
---*/
with warning as (
  select county_code, rule_id,
         sum(warnings) filter (where state in ('new', 'repeated', 'changed')) as open_warnings,
         sum(warnings) filter (where state = 'new')                           as fresh
  from warning_count
  group by county_code, rule_id
)
select s.county_code,
       if(s.list_kind = 'help_in', '可能需要帮助', '请核查')   as list_zh,
       s.rule_id,
       s.title_zh,
       s.rule_version,
       s.status_zh,
       coalesce(w.open_warnings, 0)::bigint                    as open_warnings,
       coalesce(w.fresh, 0)::bigint                            as fresh,
       s.sources_zh,
       s.reason_zh,
       -- help first, as on every page
       if(s.list_kind = 'help_in', 1, 2)                       as list_kind
from rule_state s
left join warning w using (county_code, rule_id)
