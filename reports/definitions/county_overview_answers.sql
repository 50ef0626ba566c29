/*---
id: county_overview_answers
version: 1
title: {zh: 核查反馈与转化, en: Answers so far}
purpose: What the visits found, rule by rule; data faults apart from "nothing to do", since the first is our error and the second the rule's.
audience: county
part_of: county_overview
place: 2
sheet: 核查反馈
jurisdiction: county_code
order: [list_no, rule_id]
columns:
  - {name: list_zh, zh: 清单, width: 14}
  - {name: rule_id, zh: 规则编号, width: 9}
  - {name: title_zh, zh: 规则, width: 26, kind: wrap}
  - {name: answers, zh: 已反馈（条）, width: 10, kind: integer, total: true}
  - {name: delivered, zh: 政策已落实, width: 9, kind: integer, total: true}
  - {name: helped, zh: 已给予帮扶, width: 9, kind: integer, total: true}
  - {name: raised, zh: 提请县级协调, width: 10, kind: integer, total: true}
  - {name: altered, zh: 经规定程序已变更, width: 12, kind: integer, total: true}
  - {name: nothing, zh: 经核查无需处理, width: 11, kind: integer, total: true}
  - {name: faulty, zh: 数据有误, width: 9, kind: integer, total: true}
  - {name: converted, zh: 转化率, width: 9, kind: share}
  - {name: fault_share, zh: 数据差错率, width: 10, kind: share}
carries: [list_no]
note_zh: 转化率=（政策已落实+已给予帮扶+提请县级协调+经规定程序已变更）÷（已反馈-数据有误）；数据差错率=数据有误÷已反馈。
empty_zh: 目前还没有收到核查反馈。
---*/
with counted as (
  select county_code, list_kind, rule_id,
         sum(answers)                                                    as answers,
         coalesce(sum(answers) filter (where result_code like '1%'), 0)  as delivered,
         coalesce(sum(answers) filter (where result_code like '2%'), 0)  as helped,
         coalesce(sum(answers) filter (where result_code like '3%'), 0)  as raised,
         coalesce(sum(answers) filter (where result_code like '4%'), 0)  as altered,
         coalesce(sum(answers) filter (where result_code like '5%'), 0)  as nothing,
         coalesce(sum(answers) filter (where result_code like '6%'), 0)  as faulty
  from answer_count
  group by county_code, list_kind, rule_id
),
title as (
  select rule_id, any_value(title_zh) as title_zh
  from rule_state
  group by rule_id
)
select c.county_code,
       if(c.list_kind = 'help_in', '可能需要帮助', '请核查')   as list_zh,
       coalesce(c.rule_id, '')                                 as rule_id,
       coalesce(t.title_zh, '未注明规则')                      as title_zh,
       c.answers::bigint                                       as answers,
       c.delivered::bigint                                     as delivered,
       c.helped::bigint                                        as helped,
       c.raised::bigint                                        as raised,
       c.altered::bigint                                       as altered,
       c.nothing::bigint                                       as nothing,
       c.faulty::bigint                                        as faulty,
       -- ratios of counts, for reading only
       round((c.delivered + c.helped + c.raised + c.altered) / nullif(c.answers - c.faulty, 0), 4) as converted,
       round(c.faulty / c.answers, 4)                          as fault_share,
       if(c.list_kind = 'help_in', 1, 2)                       as list_no
from counted c
left join title t using (rule_id)
