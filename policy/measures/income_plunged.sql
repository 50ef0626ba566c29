/*---
id: income_plunged
version: 2
title: {zh: 收入骤减的家庭, en: Households whose income plunged}
grain: one row a household whose mean of the last months is at or below the limit
unit: yuan in the months told
period: as income_change has it
source: 国办发〔2023〕39号（关注就业、收入变化）；幅度和倍数为当地参数
columns:
  household_id: household
  county_code: county of the household
  urban_rural: 1 town, 2 village, 9 unknown
  members: living members
  recent_from: first of the last months
  until_month: the last month
  recent_months: how many the last months are
  recent_sum: recorded income of the last months
  before_sum: recorded income of the known months before
  before_known: known months before
  before_median: the middle one of these months
  same_sum: recorded income of the same months a year earlier
  unknown_members: members of whom nothing is on record
  change_zh: what changed, by person and source
  classes: classes of information behind it
  limit_percent: drop from which it is a plunge
  dibao_multiple: multiple of the dibao standard below which a household is poor
  limit_source: where these come from
  standard_12m: dibao standard of 12 months; null where it is not known
  standard_zh: the same in words
  standard_source: where it comes from
  pool_zh: as what the household is in the pool of low-income people; null when it is not
  is_low: below the multiple of the standard
  is_spike: the mean before was lifted by single months
  is_season: as low in the same months of the year before
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
parameters: [income_plunge]
published: false
known_gaps:
  zh: 经营、务农、现金收入不在其中。
  en: Business, farming and cash are not in it.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "an income of a few months alone does not plunge"}
---*/
select c.*, p.drop_percent as limit_percent, p.dibao_multiple, p.source as limit_source,
       s.standard_12m, s.line_zh as standard_zh, s.standard_source,
       l.pool_zh,
       -- Over a year and for all: no division by months, and in the unit of the standard.
       s.standard_12m is not null and c.recent_sum * 12 < s.standard_12m * p.dibao_multiple * c.members * c.recent_months as is_low,
       -- A bonus or back pay lifts the mean and not the middle month; the off-season was as low a year ago.
       -- Who was paid in a few months alone had nothing that could plunge.
       c.before_median <= 0 or c.recent_sum * 100 > c.before_median * c.recent_months * (100 - p.drop_percent) as is_spike,
       coalesce(c.recent_sum * 100 > c.same_sum * (100 - p.drop_percent), false)                as is_season
from income_change c
join income_plunge p on p.county_code = c.county_code and $as_of between p.valid_from and p.valid_to
left join (
    select county_code, urban_rural, line_12m as standard_12m, line_zh, source as standard_source from income_line where category = '1'
) s on s.county_code = c.county_code and s.urban_rural = c.urban_rural
left join low_income_pool l on l.household_id = c.household_id
where c.before_sum > 0
  and c.recent_sum * c.before_known * 100 <= c.before_sum * c.recent_months * (100 - p.drop_percent)
