/*---
id: entity_held
version: 1
title: {zh: 家庭成员在市场主体中的角色, en: Roles in market entities}
grain: one row a household with a role in an entity that is not deregistered or moved away
unit: entities; subscribed capital in yuan
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十七条；计入的角色见参数
columns:
  household_id: household
  county_code: county
  entities: active entities in which a member has a role that counts
  operated: those among them in which he is legal representative or operator
  subscribed: capital subscribed as an investor in active entities, in yuan; null when it is not stated
  coop_members: roles as mere member of a farmers' co-operative, which count for nothing
  shells: roles in entities that are revoked and not deregistered, which count for nothing
  unclear: roles in entities whose kind, role or status is not known
  oldest_on: earliest foundation among those that count
  basis_zh: what it rests on
  missing_zh: what is not known; null when nothing is
needs:
  entity_role: {max_age_days: 14, all: [am_entity_role]}
parameters: [entity_role_blocking]
known_gaps:
  zh: 证件号有时脱敏；冒名登记、挂名无法识别；认缴不等于实缴。
  en: Ids are sometimes masked; stolen names and nominal roles cannot be told; subscribed is not paid-in capital.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with role as (
    select h.household_id, h.county_code, coalesce(r.uscc, r.row_key) as entity, r.role, r.subscribed_capital, r.est_date,
           case when r.entity_type = '3' and r.role in ('2', '5') or r.role = '5' then 'coop'
                when r.status = '2' then 'shell'
                when r.status is null or b.is_blocking is null or r.uscc is null then 'unclear'
                when b.is_blocking then 'counted' else 'other' end as standing,
           case r.role when '1' then '法定代表人' when '2' then '投资人' when '3' then '高级管理人员' when '4' then '经营者' else '其他角色' end as role_zh
    from entity_role r
    join person_household h on h.person_id = r.person_id
    left join entity_role_blocking b on b.county_code = h.county_code and b.entity_type = r.entity_type and b.role = r.role
     and $as_of between b.valid_from and b.valid_to
    where coalesce(r.status, '') not in ('3', '4') and (r.est_date is null or r.est_date <= $as_of)
),
summed as (
    select household_id, county_code,
           count(distinct entity) filter (where standing = 'counted')                          as entities,
           count(distinct entity) filter (where standing = 'counted' and role in ('1', '4'))   as operated,
           case when count(*) filter (where standing = 'counted' and role = '2' and subscribed_capital is null) = 0
                then coalesce(sum(subscribed_capital) filter (where standing = 'counted' and role = '2'), 0) end as subscribed,
           count(*) filter (where standing = 'coop')                                           as coop_members,
           count(*) filter (where standing = 'shell')                                          as shells,
           count(*) filter (where standing = 'unclear')                                        as unclear,
           min(est_date) filter (where standing = 'counted')                                   as oldest_on,
           count(*) filter (where standing = 'counted' and est_date is null)                   as undated,
           string_agg(distinct role_zh, '、' order by role_zh) filter (where standing = 'counted') as roles_zh
    from role
    where standing <> 'other'
    group by household_id, county_code
)
select household_id, county_code, entities, operated, cast(subscribed as decimal(18, 2)) as subscribed, coop_members, shells, unclear, oldest_on,
       concat_ws('；',
           case when entities > 0 then '存续主体' || entities || '个（' || roles_zh || '）' end,
           case when coop_members > 0 then '合作社成员身份' || coop_members || '项，不计' end,
           case when shells > 0 then '已吊销未注销' || shells || '项，不计' end,
           case when unclear > 0 then '情况不明' || unclear || '项，未判断' end) as basis_zh,
       nullif(concat_ws('、', case when unclear > 0 then unclear || '项主体类型、角色或状态不明' end,
                              case when subscribed is null then '认缴出资额不明' end,
                              case when undated > 0 then '成立日期不明' end), '') as missing_zh
from summed
