/*---
id: list_check_out_items
version: 2
title: {zh: 逐条反馈（选填）, en: Answers to single warnings}
purpose: Every warning once, so that one of several can be answered apart and every reason can be read whole.
audience: township
list_kind: check_out
part_of: list_check_out
place: 2
sheet: 逐条反馈
jurisdiction: jurisdiction
order: [row_no, item_no]
columns:
  - {name: row_no, zh: 清单序号, width: 5, kind: integer}
  - {name: item_no, zh: 条次, width: 5, kind: integer}
  - {name: household_no, zh: 户编号, width: 12}
  - {name: rule_zh, zh: 线索类型, width: 16, kind: wrap}
  - {name: level_zh, zh: 级别, width: 5, kind: level}
  - {name: person_zh, zh: 涉及成员, width: 12, kind: wrap}
  - {name: reason_zh, zh: 原因, width: 70, kind: wrap}
  - {name: first_raised_on, zh: 首次发现, width: 8.5, kind: day}
  - {name: expires_on, zh: 有效期至, width: 8.5, kind: day}
carries: [household_id, warning_id, rule_id]
note_zh: 一户有多条线索而结果不同时，才需要在本页逐条填写；本页未填的线索，以“清单”页该户的结果为准。
empty_zh: 本期没有需要核查的家庭。
---*/
select f.jurisdiction,
       f.row_no,
       row_number() over (partition by f.household_id order by w.level_no, w.rule_id, w.warning_id) as item_no,
       f.household_no,
       w.rule_zh,
       w.level_zh,
       w.person_zh,
       w.reason_zh,
       w.first_raised_on,
       w.expires_on,
       w.household_id,
       w.warning_id,
       w.rule_id
from family f
join listed w on w.household_id = f.household_id and w.jurisdiction = f.jurisdiction
