/*---
id: vehicle_count
version: 1
title: {zh: 家庭名下机动车, en: Vehicles of a household}
grain: one row a household with a vehicle that is not scrapped or sold
unit: vehicles
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；计入的车辆类型和豁免见参数
columns:
  household_id: household
  county_code: county
  vehicles: cars and lorries in use that count
  exempt: vehicles of kinds that do not count, and the one small vehicle that a family lives on where a text exempts it
  unclear: vehicles of an unknown kind or status, or in a status that is neither in use nor ended
  newest_on: latest registration or transfer of those that count
  oldest_on: oldest day of the register's rows behind it
  basis_zh: what it rests on
  missing_zh: what is not known; null when nothing is
needs:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
parameters: [vehicle_type_counted]
parameters_if_known: [vehicle_livelihood]
known_gaps:
  zh: 登记信息没有价格；挂名、借名购车无法识别；单位车辆不含。
  en: No price is registered; nominal holding cannot be told; company cars are not in it.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with held as (
    -- Members may own one vehicle together: it is one vehicle.
    select h.household_id, h.county_code, coalesce(v.vehicle_id, v.row_key) as vehicle,
           min(v.vehicle_type) as vehicle_type, min(v.status) as status,
           bool_or(v.vehicle_id is null) as is_nameless,
           max(greatest(v.first_reg_date, v.transfer_date)) as registered_on,
           min(v.data_as_of) as data_as_of
    from vehicle v
    join person_household h on h.person_id = v.person_id
    where coalesce(v.status, '') not in ('B', 'E', 'M', 'P') and (v.first_reg_date is null or v.first_reg_date <= $as_of)
    group by h.household_id, h.county_code, coalesce(v.vehicle_id, v.row_key)
),
weighed as (
    select d.*, t.family_zh, coalesce(l.is_exempt_alone, false) as is_livelihood,
           case when not t.is_counted then 'exempt'
                when t.is_counted and d.status = 'A' and not d.is_nameless then 'counted' else 'unclear' end as standing
    from held d
    left join vehicle_type_counted t on t.county_code = d.county_code and t.family = left(d.vehicle_type, 1)
     and $as_of between t.valid_from and t.valid_to
    left join vehicle_livelihood l on l.county_code = d.county_code and l.vehicle_type = d.vehicle_type
     and $as_of between l.valid_from and l.valid_to
),
settled as (
    select * replace (case when standing = 'counted' and is_livelihood
                            and count(*) filter (where standing in ('counted', 'unclear')) over (partition by household_id) = 1
                           then 'livelihood' else standing end as standing)
    from weighed
)
select household_id, county_code,
       count(*) filter (where standing = 'counted')                   as vehicles,
       count(*) filter (where standing in ('exempt', 'livelihood'))   as exempt,
       count(*) filter (where standing = 'unclear')                   as unclear,
       max(registered_on) filter (where standing = 'counted')         as newest_on,
       min(data_as_of)                                                as oldest_on,
       concat_ws('；',
           case when count(*) filter (where standing = 'counted') > 0
                then '计入' || count(*) filter (where standing = 'counted') || '辆（'
                     || string_agg(distinct family_zh, '、' order by family_zh) filter (where standing = 'counted') || '）' end,
           case when count(*) filter (where standing = 'exempt') > 0
                then '不计入' || count(*) filter (where standing = 'exempt') || '辆（'
                     || string_agg(distinct family_zh, '、' order by family_zh) filter (where standing = 'exempt') || '）' end,
           case when count(*) filter (where standing = 'livelihood') > 0 then '唯一谋生小型车辆1辆，按当地规定不计' end,
           case when count(*) filter (where standing = 'unclear') > 0
                then '另有' || count(*) filter (where standing = 'unclear') || '辆未判断' end)       as basis_zh,
       case when count(*) filter (where standing = 'unclear') > 0
            then count(*) filter (where standing = 'unclear') || '辆类型、状态或识别代号不明，或者处于停驶、查封、逾期未检验等状态' end as missing_zh
from settled
group by household_id, county_code
