/*---
id: machinery_owned
version: 2
title: {zh: 家庭名下农机与船舶, en: Farm machines and vessels of a household}
grain: one row a household with a machine or vessel that is not cancelled
unit: machines and vessels
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；计入的农机和船舶见参数
columns:
  household_id: household
  county_code: county
  machines: large machines that count
  vessels: vessels used for business
  exempt: small and walking tractors and vessels that are not used for business, which count for nothing
  unclear: machines and vessels whose kind, power, use or status is not known
  newest_on: latest registration of those that count
  oldest_on: oldest day of the register's rows behind it
  basis_zh: what it rests on
  missing_zh: what is not known; null when nothing is
known_gaps:
  zh: 登记每年送达一次，证件号常缺；没有登记号，同一台农机由两名成员共有时按两台计不可避免，已按类别、功率和登记日期合并。
  en: The register arrives once a year and often lacks the id; it has no number here, so rows alike in kind, power and date are one machine.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: rests on machine_held}
---*/
with held as (
    -- Members may own one machine together: it is one machine.
    select household_id, county_code, machine, min(standing) as standing, bool_or(is_vessel) as is_vessel,
           min(shown_zh) as shown_zh, min(reg_date) as reg_date, min(data_as_of) as data_as_of
    from machine_held
    group by household_id, county_code, machine
)
select household_id, county_code,
       count(*) filter (where standing = 'counted' and not is_vessel) as machines,
       count(*) filter (where standing = 'counted' and is_vessel)     as vessels,
       count(*) filter (where standing = 'exempt')                    as exempt,
       count(*) filter (where standing = 'unclear')                   as unclear,
       max(reg_date) filter (where standing = 'counted')              as newest_on,
       min(data_as_of)                                                as oldest_on,
       concat_ws('；',
           case when count(*) filter (where standing = 'counted') > 0
                then '计入' || string_agg(shown_zh, '、' order by shown_zh) filter (where standing = 'counted') end,
           case when count(*) filter (where standing = 'exempt') > 0
                then '不计入' || string_agg(shown_zh, '、' order by shown_zh) filter (where standing = 'exempt') end,
           case when count(*) filter (where standing = 'unclear') > 0
                then '另有' || count(*) filter (where standing = 'unclear') || '台（艘）未判断' end) as basis_zh,
       case when count(*) filter (where standing = 'unclear') > 0
            then count(*) filter (where standing = 'unclear') || '台（艘）类别、功率、用途或状态不明' end as missing_zh
from held
group by household_id, county_code
