/*---
id: list_check_out
version: 3
title: {zh: 请核查家庭清单, en: "Families to be checked, please"}
purpose: For which assisted families the records do not agree with the case, most urgent first.
audience: township
list_kind: check_out
layout: list
sheet: 清单
jurisdiction: jurisdiction
folder: township/{jurisdiction}/check_out
file: 请核查_{place}_{as_of}.xlsx
order: [level_no, order_no, household_id]
columns:
  - {name: row_no, zh: 序号, width: 4, kind: integer}
  - {name: household_no, zh: 户编号, width: 11.5}
  - {name: village_zh, zh: 村（社区）, width: 10, kind: wrap}
  - {name: main_members, zh: 户主及主要成员, width: 13.5, kind: wrap}
  - {name: members, zh: 人口, width: 4.5, kind: integer}
  - {name: level_zh, zh: 级别, width: 4.5, kind: level}
  - {name: visit_due_on, zh: 首访期限, width: 8, kind: day}
  - {name: close_due_on, zh: 办结期限, width: 8, kind: day}
  - {name: reasons, zh: 原因, width: 70, kind: wrap}
  - {name: state, zh: 新增或持续, width: 8.5, kind: wrap}
  - {name: score, zh: 评分, width: 6, kind: decimal}
  - {name: parts, zh: 评分构成, width: 20, kind: wrap}
carries: [level_no, order_no, household_id]
note_zh: 本清单仅为线索，不是认定结论：不得据此停发、减发任何救助金；须入户核查、听取本人说明后按规定程序办理。
empty_zh: 本期没有需要核查的家庭。
---*/
with line as (
  select household_id, reason_zh, rule_zh, person_zh,
         row_number() over (partition by household_id order by level_no, rule_id, warning_id) as n
  from listed
),
reason as (
  select household_id,
         string_agg(n || '. 【' || rule_zh || '】' || if(person_zh = '', '', person_zh || '：') || reason_zh,
                    chr(10) order by n) as reasons
  from line
  group by household_id
),
-- Four names tell a family from its neighbours; the sheet of members has all. The dead are named and not counted.
who as (
  select m.household_id,
         string_agg(p.name_zh || '（' || m.relation_zh || if(m.is_dead, '，' || m.died_zh, '') || '）', chr(10) order by m.member_no)
           filter (where m.member_no <= 4)
           || if(max(m.member_no) > 4, chr(10) || '等' || max(m.member_no) || '人', '') as main_members,
         count(*) filter (where not m.is_dead) as members
  from household_member m
  left join person p using (person_id)
  group by m.household_id
)
select f.jurisdiction,
       f.row_no,
       f.household_no,
       coalesce(v.village_zh, '待核实')                as village_zh,
       coalesce(w.main_members, '成员待核实')          as main_members,
       coalesce(w.members, h.members)                 as members,
       f.level_zh,
       f.visit_due_on,
       f.close_due_on,
       r.reasons,
       if(f.state_zh = '新增', '新增',
          f.state_zh || chr(10) || '自' || month(f.first_raised_on) || '月' || day(f.first_raised_on) || '日')
                                                      as state,
       f.score,
       f.parts_zh                                     as parts,
       f.level_no,
       f.order_no,
       f.household_id
from family f
join reason r using (household_id)
left join who w using (household_id)
left join household h using (household_id)
left join village v on v.village_code = coalesce(h.village_code, f.village_code)
