/*---
id: monitored_register_suggested
version: 1
title: {zh: 数据推测（不是认定）, en: What the data suggest}
purpose: Families and people whom open warnings suggest a category for, or a need; apart from the register, and never a decision.
audience: register
part_of: monitored_register
place: 1
sheet: 数据推测（不是认定）
jurisdiction: jurisdiction
order: [layer_no, household_no, category_zh, people_zh]
columns:
  - {name: household_no, zh: 户编号, width: 12}
  - {name: village_zh, zh: 村（社区）, width: 16, kind: wrap}
  - {name: layer_zh, zh: 性质, width: 14, kind: wrap}
  - {name: category_zh, zh: 数据推测的类别, width: 18, kind: wrap}
  - {name: people_zh, zh: 对象, width: 20, kind: wrap}
  - {name: since, zh: 自何日起, width: 12, kind: date}
  - {name: rules_zh, zh: 依据的线索, width: 60, kind: wrap}
carries: [layer_no]
empty_zh: 没有推测的类别。
note_zh: 只是线索：未经申请、核查和确认，任何人不得据此纳入或者退出。数字、标准和数据日期见“可能需要帮助”清单。
---*/
select c.jurisdiction,
       'H' || lpad(c.household_id::varchar, 9, '0')          as household_no,
       coalesce(v.village_zh, '不详')                        as village_zh,
       case c.layer when 'candidate' then '候选类别' else '疑似困难家庭' end as layer_zh,
       case c.candidate when 'dibao' then '低保' when 'dibao_single' then '单人保' when 'edge' then '低保边缘'
                        when 'rigid' then '刚性支出困难' when 'tekun' then '特困' else '—' end as category_zh,
       case when c.person_id is null then '全户（户主' || coalesce(h.name_zh, '姓名不详') || '）' else coalesce(p.name_zh, '姓名不详') end as people_zh,
       c.since,
       (select string_agg(coalesce(t.title_zh, r.id), '；' order by r.id)
        from unnest(c.rule_ids) as r(id) left join rule_title t on t.rule_id = r.id) as rules_zh,
       case c.layer when 'candidate' then 1 else 2 end       as layer_no
from candidate c
left join person p on p.person_id = c.person_id
left join person h on h.person_id = c.head_person_id
left join village v on v.village_code = c.village_code
