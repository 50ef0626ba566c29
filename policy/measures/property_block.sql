/*---
id: property_block
version: 4
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
  - {version: 4, since: 2026-11-22, what: "property is that of property_ok; small tractors and old answers of banks speak against nobody"}
---*/
with job as (
    select distinct h.household_id, '近3个月单位缴费或公积金' as block
    from person_household h
    left join work_signal g on g.person_id = h.person_id
    left join provident_fund f on f.person_id = h.person_id and f.status = '1'
    where date_diff('month', g.last_employer_month, $as_of) <= 3
       or date_diff('month', g.last_payroll_month, $as_of) <= 3
       or date_diff('month', f.last_deposit_month, $as_of) <= 3
),
machine as (
    -- A machine used for business earns something that nobody records, whatever its size.
    select distinct h.household_id, '经营性农机或船舶' as block
    from machinery m
    join person_household h on h.person_id = m.person_id
    where m.is_operating and m.status is distinct from '2'
)
select household_id, string_agg(block, '、' order by block) as blocks_zh
from (
    select household_id, blocked_zh as block from property_ok where is_blocked
    union all
    select household_id, block from job
    union all
    select household_id, block from machine
)
group by household_id
