/*---
id: household_income
version: 2
title: {zh: 家庭人均月收入, en: Income of a household per head and month}
grain: one row a household
unit: yuan in the local accounting window; per head and month where the name says so
period: the local window of complete months (income_window), the last month being that which every running source has delivered
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（工资性、经营净、财产净、转移净收入；不计入的项目）
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village, 9 unknown
  members: living members, also those whom nobody could link
  window_months: months of the window
  window_from: first month
  window_to: last month
  wage: wages after the least job cost
  business: net business income and farm subsidies of periods that end in the window
  property: interest, rent, royalties, sales
  transfer: pensions that count and benefits, less tax and contributions
  support_fee: support fees due; null when a supporter's income is not known
  total: all of these that are known, in yuan of the window
  total_low: what counts for certain (most job cost, without what may be excluded, without support fees)
  per_person_month: total over months and members, rounded once; compare totals, not this
  basis_zh: what it rests on
  missing_zh: what is missing; null when nothing is
  oldest_on: the oldest of the data dates
  is_complete: nothing is missing
  is_ceiling: the records allow no more than the total, support fees aside
  support_missing_zh: whose support fee is not known; null when all are
known_gaps:
  zh: 现金、务农收入不在任何部门记录中；不完整的收入只是有记录的部分，不得当作实际收入。
  en: Cash and farming reach no department; an incomplete income is the recorded part only and must not be taken for the true one.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "tells whether the records allow no more than the total"}
---*/
select f.household_id, f.county_code, f.urban_rural, f.members, f.window_months, f.window_from, f.window_to,
       f.wage, f.business, f.property, f.transfer,
       case when s.household_id is null then cast(0 as decimal(18, 2)) else s.amount end as support_fee,
       cast(f.total + coalesce(s.known_amount, 0) as decimal(18, 2)) as total,
       f.total_low,
       cast(round((f.total + coalesce(s.known_amount, 0)) / f.window_months / f.members, 2) as decimal(18, 2)) as per_person_month,
       strftime(f.window_from, '%Y年%-m月') || strftime(f.window_to, '至%Y年%-m月') || '：' || f.basis_zh
           || coalesce('；' || s.basis_zh, '') as basis_zh,
       nullif(concat_ws('；', f.missing_zh, s.missing_zh), '') as missing_zh,
       least(f.oldest_on, s.oldest_on) as oldest_on,
       f.is_complete and s.missing_zh is null as is_complete,
       f.is_ceiling, s.missing_zh as support_missing_zh
from family_income f
left join support_fee_due s on s.household_id = f.household_id
