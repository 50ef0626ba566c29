/*---
id: monitored_register
version: 1
title: {zh: 低收入人口动态监测对象主题库, en: Register of monitored people}
purpose: Who of a township is on the register as departments confirmed it, or watched, since when, by whom, and what falls due; no warning is in it.
audience: register
folder: register/{jurisdiction}
file: 主题库_{place}_{as_of}.xlsx
sheet: 主题库
jurisdiction: jurisdiction
order: [urgency, review_due_on, household_no, category_no, case_no, people_zh]
columns:
  - {name: household_no, zh: 户编号, width: 12}
  - {name: village_zh, zh: 村（社区）, width: 16, kind: wrap}
  - {name: layer_zh, zh: 登记层次, width: 11, kind: wrap}
  - {name: category_zh, zh: 类别, width: 18, kind: wrap}
  - {name: people, zh: 人数, width: 6, kind: integer}
  - {name: people_zh, zh: 对象, width: 18, kind: wrap}
  - {name: since_zh, zh: 自何时起, width: 12}
  - {name: by_zh, zh: 认定或决定部门, width: 13, kind: wrap}
  - {name: review_months, zh: 复核周期月数, width: 9, kind: integer}
  - {name: review_due_on, zh: 复核期限, width: 12, kind: date}
  - {name: review_zh, zh: 复核状态, width: 11}
  - {name: clock_zh, zh: 复核、渐退和认定有效期, width: 46, kind: wrap}
  - {name: age_zh, zh: 特困未成年人年龄提示, width: 28, kind: wrap}
carries: [urgency, category_no, case_no]
empty_zh: 没有登记的监测对象。
note_zh: >-
  类别以部门台账为准；数据推测的类别另见“数据推测（不是认定）”页，两者互不影响。已逾期和即将到期的排在前面；能否继续救助以复核结果为准，本表不作任何认定。
---*/
with row as (
  select m.*, p.name_zh, h.name_zh as head_zh, v.village_zh
  from monitored m
  left join person p on p.person_id = m.person_id
  left join person h on h.person_id = m.head_person_id
  left join village v on v.village_code = m.village_code
)
select jurisdiction,
       coalesce('H' || lpad(household_id::varchar, 9, '0'), '未关联家庭')  as household_no,
       coalesce(any_value(village_zh), '不详')                             as village_zh,
       case layer when 'confirmed' then '部门已认定' else '扩大监测' end   as layer_zh,
       case category when 'dibao' then '低保对象' when 'tekun' then '特困人员' when 'edge' then '低保边缘家庭成员'
                     when 'rigid' then '刚性支出困难家庭成员' when 'other' then '其他困难人员' when 'rural_monitor' then '防止返贫监测对象'
                     when 'refused' then '申请未获批准' when 'exited' then '退出不满24个月' end as category_zh,
       count(*)                                                            as people,
       case when bool_and(person_id is null) then '全户（户主' || coalesce(any_value(head_zh), '姓名不详') || '）'
            else string_agg(coalesce(name_zh, '姓名不详'), '、' order by person_id) end as people_zh,
       coalesce(case when min(case_no) is not null then strftime(min(since), '%Y年%-m月') else strftime(min(since), '%Y-%m-%d') end, '不详') as since_zh,
       any_value(by_zh)                                                    as by_zh,
       min(review_months)                                                  as review_months,
       min(review_due_on)                                                  as review_due_on,
       case min(review_state) when 'overdue' then '已逾期' when 'soon' then '即将到期' when 'later' then '未到期'
                              when 'unknown' then '不能判断' else '' end   as review_zh,
       coalesce(min(clock_zh), '')                                         as clock_zh,
       coalesce(string_agg(coalesce(name_zh, '姓名不详') || '：' || age_zh, chr(10) order by person_id) filter (where age_zh is not null), '') as age_zh,
       case when min(review_state) = 'overdue' or min(term_state) = 'over' then 1
            when min(review_state) = 'soon' or min(term_state) = 'soon' then 2 else 3 end as urgency,
       case category when 'dibao' then 1 when 'tekun' then 2 when 'rural_monitor' then 3 when 'edge' then 4 when 'rigid' then 5
                     when 'other' then 6 when 'refused' then 7 else 8 end  as category_no,
       case_no
from row
group by jurisdiction, household_id, layer, category, case_no, case when household_id is null then person_id end
