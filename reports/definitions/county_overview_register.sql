/*---
id: county_overview_register
version: 1
title: {zh: 主题库与复核时限, en: Register of monitored people and its clocks}
purpose: How many people of each category are on the register in a township, how many reviews are overdue or due, what of grace and recognition has run out.
audience: county
part_of: county_overview
place: 5
sheet: 主题库
jurisdiction: county_code
order: [township_code, category_no]
columns:
  - {name: township_zh, zh: 乡镇（街道）, width: 20, kind: wrap}
  - {name: layer_zh, zh: 登记层次, width: 12}
  - {name: category_zh, zh: 类别, width: 20}
  - {name: people, zh: 人数（整户监测的按户）, width: 11, kind: integer}
  - {name: overdue, zh: 复核已逾期, width: 10, kind: integer, total: true}
  - {name: soon, zh: 即将到期, width: 10, kind: integer, total: true}
  - {name: unknown, zh: 复核时间不能判断, width: 11, kind: integer, total: true}
  - {name: term_soon, zh: 渐退期、有效期即将届满, width: 13, kind: integer, total: true}
  - {name: term_over, zh: 渐退期、有效期已届满, width: 12, kind: integer, total: true}
carries: [township_code, category_no]
note_zh: 类别以部门台账为准；“候选”和“疑似”是数据推测，按户或人计，不是认定。
empty_zh: 本期没有主题库数据。
---*/
with word as (
  select * from (values
    ('confirmed', 'dibao', '部门已认定', '低保对象', 1), ('confirmed', 'tekun', '部门已认定', '特困人员', 2),
    ('confirmed', 'rural_monitor', '部门已认定', '防止返贫监测对象', 3), ('confirmed', 'edge', '部门已认定', '低保边缘家庭成员', 4),
    ('confirmed', 'rigid', '部门已认定', '刚性支出困难家庭成员', 5), ('confirmed', 'other', '部门已认定', '其他困难人员', 6),
    ('wider', 'refused', '扩大监测', '申请未获批准', 7), ('wider', 'exited', '扩大监测', '退出不满24个月', 8),
    ('suspected', '', '扩大监测', '疑似困难家庭', 9),
    ('candidate', 'dibao', '数据推测', '低保（候选）', 10), ('candidate', 'dibao_single', '数据推测', '单人保（候选）', 11),
    ('candidate', 'edge', '数据推测', '低保边缘（候选）', 12), ('candidate', 'rigid', '数据推测', '刚性支出困难（候选）', 13),
    ('candidate', 'tekun', '数据推测', '特困（候选）', 14)
  ) as w(layer, category, layer_zh, category_zh, category_no)
),
counted as (
  select county_code, jurisdiction, layer, category, people, review_state, term_state from monitored_count
  union all
  select county_code, jurisdiction, layer, coalesce(candidate, ''), rows, null, null from candidate_count
)
select c.county_code,
       coalesce(t.township_zh, '待分派')                                  as township_zh,
       w.layer_zh,
       w.category_zh,
       sum(people)::bigint                                                as people,
       coalesce(sum(people) filter (where review_state = 'overdue'), 0)::bigint as overdue,
       coalesce(sum(people) filter (where review_state = 'soon'), 0)::bigint    as soon,
       coalesce(sum(people) filter (where review_state = 'unknown'), 0)::bigint as unknown,
       coalesce(sum(people) filter (where term_state = 'soon'), 0)::bigint      as term_soon,
       coalesce(sum(people) filter (where term_state = 'over'), 0)::bigint      as term_over,
       c.jurisdiction                                                     as township_code,
       w.category_no
from counted c
join word w on w.layer = c.layer and w.category = c.category
left join township t on t.township_code = c.jurisdiction
group by all
