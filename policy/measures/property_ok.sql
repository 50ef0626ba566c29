/*---
id: property_ok
version: 1
title: {zh: 家庭财产是否在低保规定以内, en: Whether a household's property is within the dibao rule}
grain: one row a household
unit: "yes or no, and words"
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；各地财产规定见参数
columns:
  household_id: household
  is_blocked: something on record stands above the rule; false is not a clean record, see unknown_zh
  blocked_zh: what, with its figure and limit; null when nothing does
  unknown_zh: what nobody can tell; null when nothing is open
  basis_zh: what it rests on
  missing_zh: the same as unknown_zh, under the name that every measure has
  oldest_on: oldest date behind it; null when nothing is on record
known_gaps:
  zh: 农村宅基地房屋多未登记；金融资产只在有授权时可见。边缘、刚性支出、特困的规定见 property_by_category。
  en: Rural houses are mostly not registered; financial assets are seen only with an authorisation. The rules of the other categories are in property_by_category.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
select o.household_id,
       coalesce(p.is_blocked, false)                                                       as is_blocked,
       p.blocked_zh,
       case when p.household_id is null then '金融资产没有查询' else p.unknown_zh end      as unknown_zh,
       case when p.household_id is null then '车辆、房产、市场主体、农机船舶均无记录'
            when p.is_blocked then '超出规定：' || p.blocked_zh else '有记录的财产在规定以内' end as basis_zh,
       case when p.household_id is null then '金融资产没有查询' else p.unknown_zh end      as missing_zh,
       p.oldest_on
from household o
left join property_by_category p on p.household_id = o.household_id and p.category = '1'
