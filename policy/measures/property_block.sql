/*---
id: property_block
version: 3
title: {zh: 财产与就业阻断, en: Property or work that speaks against hardship}
grain: one row a household with at least one of them
unit: "yes, or no row"
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；各地财产规定见参数
columns:
  household_id: household
  blocks_zh: which
needs:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
  provident_fund: {max_age_days: 45, all: [pf_account]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
uses:
  machinery: {max_age_days: 400, all: [ag_machinery_vessel]}
parameters: [vehicle_limit, vehicle_type_counted, dwelling_limit, inherited_share, entity_role_blocking, financial_limit, dibao_standard]
published: false
known_gaps:
  zh: 农村宅基地房屋多未登记；金融资产只在有授权时可见。
  en: Rural houses are mostly not registered; financial assets are seen only with an authorisation.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "limits by category; financial assets as authorised"}
  - {version: 3, since: 2026-11-22, what: "homes counted as X05 counts them: relocation allowed for, small inherited shares left out"}
---*/
with car as (
    select h.household_id, '车辆' as block
    from vehicle v
    join person_household h on h.person_id = v.person_id
    join vehicle_type_counted t on t.county_code = h.county_code and t.family = left(v.vehicle_type, 1)
     and $as_of between t.valid_from and t.valid_to
    join vehicle_limit l on l.county_code = h.county_code and l.category = '1' and $as_of between l.valid_from and l.valid_to
    where v.status = 'A' and t.is_counted
    group by h.household_id, l.vehicles_max
    having count(distinct v.vehicle_id) > l.vehicles_max
),
unit as (
    select h.household_id, h.county_code, t.unit_id, min(t.use) as use, bool_or(t.is_relocation) as is_relocation,
           bool_and(t.is_inherited) as is_inherited,
           case when count(t.share_percent) = count(*) then least(sum(t.share_percent), 100)
                when count(*) = min(t.holders) and not bool_or(t.is_by_share) then 100 end as share_percent
    from title_held t
    join person_household h on h.person_id = t.person_id
    group by h.household_id, h.county_code, t.unit_id
),
home as (
    -- Counted as X05 counts: small or unknown shares of inheritance speak against nobody.
    select u.household_id, '住房或非居住用房' as block
    from unit u
    join inherited_share s on s.county_code = u.county_code and $as_of between s.valid_from and s.valid_to
    join dwelling_limit l on l.county_code = u.county_code and l.category = '1' and $as_of between l.valid_from and l.valid_to
    where not u.is_inherited or u.share_percent >= s.percent
    group by u.household_id, l.dwellings_max, l.dwellings_max_relocation, l.non_residential_max
    having count(*) filter (where u.use = '10')
           > case when bool_or(u.is_relocation) then greatest(l.dwellings_max, l.dwellings_max_relocation) else l.dwellings_max end
        or count(*) filter (where u.use in ('20', '30', '40')) > l.non_residential_max
),
bought as (
    select distinct h.household_id, '一年内购房' as block
    from home_contract c
    join person_household h on h.person_id = c.person_id
    where c.status = '1' and coalesce(c.sign_date, c.filing_date) > $as_of - interval 12 month
),
firm as (
    select distinct h.household_id, '市场主体' as block
    from entity_role r
    join person_household h on h.person_id = r.person_id
    join entity_role_blocking b on b.county_code = h.county_code and b.entity_type = r.entity_type and b.role = r.role
     and $as_of between b.valid_from and b.valid_to
    where r.status = '1' and b.is_blocking
),
job as (
    select distinct h.household_id, '近3个月单位缴费或公积金' as block
    from person_household h
    left join work_signal g on g.person_id = h.person_id
    left join provident_fund f on f.person_id = h.person_id and f.status = '1'
    where date_diff('month', g.last_employer_month, $as_of) <= 3
       or date_diff('month', g.last_payroll_month, $as_of) <= 3
       or date_diff('month', f.last_deposit_month, $as_of) <= 3
),
machine as (
    select distinct h.household_id, '大型农机或营运船舶' as block
    from machinery m
    join person_household h on h.person_id = m.person_id
    where m.is_operating
),
money as (
    select h.household_id, '金融资产' as block
    from authorised_asset a
    join person_household h on h.person_id = a.person_id
    join household o on o.household_id = h.household_id
    join dibao_standard s on s.county_code = h.county_code and s.urban_rural = h.urban_rural
     and $as_of between s.valid_from and s.valid_to
    join financial_limit l on l.county_code = h.county_code and l.category = '1'
     and $as_of between l.valid_from and l.valid_to
    where a.result = '1' and a.currency = 'CNY' and a.query_date > $as_of - interval 12 month
    group by h.household_id, o.members, s.amount, s.period, l.months_of_dibao, l.years_of_dibao
    having sum(a.amount) > o.members * s.amount * (case s.period when 'month' then l.months_of_dibao else l.years_of_dibao end)
)
select household_id, string_agg(block, '、' order by block) as blocks_zh
from (from car union from home union from bought union from firm union from job union from machine union from money)
group by household_id
