/*---
id: dwelling_count
version: 1
title: {zh: 家庭名下房产, en: Real estate of a household}
grain: one row a household with a title that stands, or a contract of the last 12 months
unit: units of real estate
period: as of the business date; contracts of the last 12 months
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；民法典第二百九十八条（按份共有）
columns:
  household_id: household
  county_code: county
  dwellings: dwellings that count
  non_residential: shops, offices and industrial units that count
  parking: parking spaces and garages, which count only where a text says so
  relocation: dwellings among those that count which came of relocation
  left_out: units inherited by a small or unknown share, which are named and not counted
  shared: units that count of which others hold a part, or may
  unclear: units of another or unknown use
  contracts_12m: contracts for a new home of the last 12 months that stand
  newest_on: latest purchase among the dwellings that count
  oldest_on: oldest registration behind it
  basis_zh: what it rests on
  missing_zh: what is not known; null when nothing is
uses:
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
parameters: [inherited_share]
known_gaps:
  zh: 农村宅基地房屋多未登记；旧证没有身份证号；共有人在未送达的证上的看不到。
  en: Rural houses are mostly not registered; old certificates carry no id; holders on certificates that did not arrive are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with unit as (
    -- Several members may hold one unit: it is one unit, and their shares add up.
    select h.household_id, h.county_code, t.unit_id, min(t.use) as use, bool_or(t.is_relocation) as is_relocation,
           bool_and(t.is_inherited) as is_inherited, min(t.bought_on) as bought_on, min(t.registered_on) as registered_on,
           case when count(t.share_percent) = count(*) then least(sum(t.share_percent), 100)
                when count(*) = min(t.holders) and not bool_or(t.is_by_share) then 100 end as share_percent
    from title_held t
    join person_household h on h.person_id = t.person_id
    group by h.household_id, h.county_code, t.unit_id
),
weighed as (
    select u.household_id, u.county_code, u.is_relocation, u.bought_on, u.registered_on,
           coalesce(u.share_percent < 100, true) as is_shared,
           u.share_percent is null as is_share_unknown,
           case when u.use = '50' then 'parking'
                when u.use is null or u.use not in ('10', '20', '30', '40') then 'unclear'
                when u.is_inherited and coalesce(u.share_percent < s.percent, true) then 'left_out'
                when u.use = '10' then 'dwelling' else 'non_residential' end as standing
    from unit u
    join inherited_share s on s.county_code = u.county_code and $as_of between s.valid_from and s.valid_to
),
titled as (
    select household_id, county_code,
           count(*) filter (where standing = 'dwelling')                                     as dwellings,
           count(*) filter (where standing = 'non_residential')                              as non_residential,
           count(*) filter (where standing = 'parking')                                      as parking,
           count(*) filter (where standing = 'dwelling' and is_relocation)                   as relocation,
           count(*) filter (where standing = 'left_out')                                     as left_out,
           count(*) filter (where standing in ('dwelling', 'non_residential') and is_shared) as shared,
           count(*) filter (where standing in ('dwelling', 'non_residential') and is_share_unknown) as share_unknown,
           count(*) filter (where standing = 'unclear')                                      as unclear,
           max(bought_on) filter (where standing = 'dwelling')                               as newest_on,
           min(registered_on)                                                                as oldest_on
    from weighed
    group by household_id, county_code
),
contract as (
    select h.household_id, h.county_code, count(distinct coalesce(c.contract_id, c.row_key)) as contracts_12m,
           min(coalesce(c.sign_date, c.filing_date)) as oldest_on
    from home_contract c
    join person_household h on h.person_id = c.person_id
    where c.status = '1' and coalesce(c.sign_date, c.filing_date) > $as_of - interval 12 month
      and coalesce(c.sign_date, c.filing_date) <= $as_of
    group by h.household_id, h.county_code
),
both_kinds as (
    select coalesce(t.household_id, c.household_id) as household_id, coalesce(t.county_code, c.county_code) as county_code,
           coalesce(t.dwellings, 0) as dwellings, coalesce(t.non_residential, 0) as non_residential, coalesce(t.parking, 0) as parking,
           coalesce(t.relocation, 0) as relocation, coalesce(t.left_out, 0) as left_out, coalesce(t.shared, 0) as shared,
           coalesce(t.share_unknown, 0) as share_unknown, coalesce(t.unclear, 0) as unclear,
           coalesce(c.contracts_12m, 0) as contracts_12m, t.newest_on,
           coalesce(least(t.oldest_on, c.oldest_on), t.oldest_on, c.oldest_on) as oldest_on
    from titled t
    full join contract c on c.household_id = t.household_id
)
select household_id, county_code, dwellings, non_residential, parking, relocation, left_out, shared, unclear, contracts_12m,
       newest_on, oldest_on,
       concat_ws('；',
           case when dwellings > 0 then '住房' || dwellings || '套' || case when relocation > 0 then '（其中安置房' || relocation || '套）' else '' end end,
           case when non_residential > 0 then '商业、办公或工业用房' || non_residential || '处' end,
           case when parking > 0 then '车位或车库' || parking || '处' end,
           case when shared > 0 then '其中' || shared || '处与他人共有或份额未载明' end,
           case when left_out > 0 then '继承所得小份额' || left_out || '处没有计入' end,
           case when contracts_12m > 0 then '近12个月商品房合同' || contracts_12m || '份' end,
           case when unclear > 0 then '其他或用途不明' || unclear || '处没有计入' end) as basis_zh,
       nullif(concat_ws('、', case when unclear > 0 then unclear || '处用途不明' end,
                              case when share_unknown > 0 then share_unknown || '处份额不明' end), '') as missing_zh
from both_kinds
