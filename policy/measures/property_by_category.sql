/*---
id: property_by_category
version: 2
title: {zh: 家庭财产与各类救助财产规定对照, en: Property of a household against the rules of each category}
grain: one row a household with anything on record and category (1 dibao, 2 tekun, 3 edge, 4 rigid)
unit: "yes or no, and words"
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；刚性支出困难家庭认定办法第四条；各地财产规定见参数
columns:
  household_id: household
  category: category of assistance whose rule is asked for
  is_blocked: something on record stands above the rule
  blocked_zh: what, with its figure and limit; null when nothing does
  unknown_zh: what nobody can tell; null when nothing is open
  oldest_on: oldest date behind it
uses:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
  machinery: {max_age_days: 400, all: [ag_machinery_vessel]}
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
parameters_if_known: [vehicle_limit, dwelling_limit]
published: false
known_gaps:
  zh: 农村宅基地房屋多未登记；金融资产只在有授权时可见；来源没有送达的财产看不到。
  en: Rural houses are mostly not registered; financial assets are seen only with an authorisation; what did not arrive is not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with ill as (
    select distinct h.household_id
    from serious_disease d
    join person_household h on h.person_id = d.person_id
    where d.manage_status = '1' and d.diagnosed_on <= $as_of
),
held as (
    select o.household_id, o.county_code, o.urban_rural, o.members,
           coalesce(v.vehicles, 0) as vehicles, v.missing_zh as vehicles_missing,
           coalesce(d.dwellings, 0) as dwellings, coalesce(d.non_residential, 0) as non_residential, coalesce(d.parking, 0) as parking,
           coalesce(d.relocation, 0) as relocation, coalesce(d.contracts_12m, 0) as contracts_12m, d.missing_zh as dwellings_missing,
           coalesce(e.entities, 0) as entities, coalesce(e.subscribed, 0) as subscribed, e.missing_zh as entities_missing,
           coalesce(m.machines, 0) + coalesce(m.vessels, 0) as machines, m.missing_zh as machines_missing,
           a.amount, a.household_id is null as is_not_asked, a.missing_zh as assets_missing,
           i.household_id is not null as is_ill,
           list_min([v.oldest_on, d.oldest_on, e.oldest_on, m.oldest_on, a.oldest_on]) as oldest_on
    from household o
    left join vehicle_count v on v.household_id = o.household_id
    left join dwelling_count d on d.household_id = o.household_id
    left join entity_held e on e.household_id = o.household_id
    left join machinery_owned m on m.household_id = o.household_id
    left join asset_per_head a on a.household_id = o.household_id
    left join ill i on i.household_id = o.household_id
    where coalesce(v.household_id, d.household_id, e.household_id, m.household_id, a.household_id) is not null
),
category as (
    select unnest(['1', '2', '3', '4']) as category
),
limited as (
    select h.*, c.category, v.vehicles_max, f.limit_per_person, f.limit_zh, f.is_equal_within, f.exempt_ill_to,
           coalesce(f.counts_capital, false) as counts_capital, f.category is not null as is_money_limited,
           case when h.relocation > 0 then greatest(w.dwellings_max, w.dwellings_max_relocation) else w.dwellings_max end as dwellings_max,
           w.non_residential_max, h.non_residential + case when w.parking_counts then h.parking else 0 end as other_units,
           case when f.counts_capital then coalesce(h.amount, 0) + h.subscribed else h.amount end as money
    from held h
    cross join category c
    left join vehicle_limit v on v.county_code = h.county_code and v.category = c.category and $as_of between v.valid_from and v.valid_to
    left join dwelling_limit w on w.county_code = h.county_code and w.category = c.category and $as_of between w.valid_from and w.valid_to
    left join financial_limit_due f on f.county_code = h.county_code and f.urban_rural = h.urban_rural and f.category = c.category
),
judged as (
    select *,
           vehicles > vehicles_max                                            as is_car,
           dwellings > dwellings_max                                          as is_home,
           other_units > non_residential_max                                  as is_other_unit,
           entities > 0 and not counts_capital                                as is_firm,
           case when is_equal_within then money > limit_per_person * members else money >= limit_per_person * members end
             and not coalesce(is_ill and money <= exempt_ill_to * members, false) as is_money
    from limited
)
select household_id, category,
       coalesce(is_car, false) or coalesce(is_home, false) or coalesce(is_other_unit, false) or contracts_12m > 0 or is_firm
         or machines > 0 or coalesce(is_money, false) as is_blocked,
       nullif(concat_ws('、',
           case when is_car then '车辆' || vehicles || '辆（限' || vehicles_max || '辆）' end,
           case when is_home then '住房' || dwellings || '套（限' || dwellings_max || '套）' end,
           case when is_other_unit then '非居住用房' || other_units || '处（限' || non_residential_max || '处）' end,
           case when contracts_12m > 0 then '近12个月签订商品房合同' || contracts_12m || '份' end,
           case when is_firm then '存续的市场主体' || entities || '个' end,
           case when machines > 0 then '大型农机或营运船舶' || machines || '台（艘）' end,
           case when is_money then '金融资产人均' || yuan_zh(round(money / members, 2))
                                   || '（限' || yuan_zh(limit_per_person) || '，' || limit_zh || '）' end), '') as blocked_zh,
       nullif(concat_ws('、',
           case when vehicles > 0 and vehicles_max is null then '有车辆' || vehicles || '辆，当地限额不明' end,
           '车辆' || vehicles_missing,
           case when dwellings > 0 and dwellings_max is null then '有住房' || dwellings || '套，当地限额不明' end,
           '房产' || dwellings_missing, '市场主体' || entities_missing, '农机船舶' || machines_missing,
           case when is_not_asked then '金融资产没有查询' end,
           case when money > 0 and limit_per_person is null then '当地金融资产限额不明' end,
           '金融资产' || assets_missing), '') as unknown_zh,
       oldest_on
from judged
