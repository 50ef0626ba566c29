/*---
id: quality_rules
version: 1
title: {zh: 规则运行情况, en: Rules}
purpose: Which rules ran, in how many counties, why others did not, and how many open warnings they have.
audience: audit
part_of: quality_files
place: 10
sheet: 规则
order: [rule_id, status]
columns:
  - {name: rule_id, zh: 规则编号, width: 9}
  - {name: title_zh, zh: 规则, width: 26}
  - {name: rule_version, zh: 版本, width: 6, kind: integer}
  - {name: status_zh, zh: 状态, width: 8}
  - {name: counties, zh: 县（区、旗）数, width: 10, kind: integer}
  - {name: warnings, zh: 未办结线索, width: 10, kind: integer}
  - {name: reason_zh, zh: 说明, width: 40, kind: wrap}
  - {name: legal_basis_zh, zh: 依据, width: 36, kind: wrap}
carries: [status]
---*/
with warning as (
  select rule_id, sum(warnings)::bigint as warnings
  from warning_count
  group by rule_id
)
select s.rule_id,
       any_value(s.title_zh)                         as title_zh,
       any_value(s.rule_version)                     as rule_version,
       any_value(s.status_zh)                        as status_zh,
       count(distinct s.county_code)                 as counties,
       if(s.status = 'on', coalesce(any_value(w.warnings), 0), null) as warnings,
       coalesce(string_agg(distinct nullif(s.reason_zh, ''), chr(10) order by nullif(s.reason_zh, '')), '') as reason_zh,
       coalesce(any_value(s.legal_basis_zh), '')     as legal_basis_zh,
       s.status
from rule_state s
left join warning w using (rule_id)
group by s.rule_id, s.status
