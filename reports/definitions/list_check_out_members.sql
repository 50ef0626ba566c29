/*---
id: list_check_out_members
version: 2
title: {zh: 家庭成员, en: Members of the families}
purpose: Who lives in the families of the list, and on which register that rests.
audience: township
list_kind: check_out
part_of: list_check_out
place: 1
sheet: 家庭成员
jurisdiction: jurisdiction
order: [row_no, member_no]
columns:
  - {name: row_no, zh: 清单序号, width: 9, kind: integer}
  - {name: household_no, zh: 户编号, width: 13}
  - {name: village_zh, zh: 村（社区）, width: 22, kind: wrap}
  - {name: name_zh, zh: 姓名, width: 16}
  - {name: relation_zh, zh: 与户主关系, width: 14}
  - {name: sex_zh, zh: 性别, width: 6}
  - {name: age, zh: 年龄, width: 6, kind: integer}
  - {name: basis_zh, zh: 认定依据, width: 26, kind: wrap}
  - {name: check_zh, zh: 待核实事项, width: 20, kind: wrap}
carries: [is_dead, member_no]
note_zh: 家庭成员由户籍、婚姻等登记信息推断，入户时请核对是否共同生活；未满十四周岁的儿童只显示姓氏。
empty_zh: 本期没有需要核查的家庭。
---*/
select f.jurisdiction,
       f.row_no,
       f.household_no,
       coalesce(v.village_zh, '待核实')                    as village_zh,
       coalesce(p.name_zh, '姓名不详')                     as name_zh,
       m.relation_zh,
       coalesce(p.sex_zh, '不详')                          as sex_zh,
       p.age,
       m.basis_zh,
       case when m.is_dead then m.died_zh when m.needs_check then '待核实是否共同生活' else '' end as check_zh,
       m.is_dead,
       m.member_no
from family f
join household_member m using (household_id)
left join household h using (household_id)
left join person p using (person_id)
left join village v on v.village_code = coalesce(h.village_code, f.village_code)
