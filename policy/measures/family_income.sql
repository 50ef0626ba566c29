/*---
id: family_income
version: 4
title: {zh: 家庭收入（未含赡养费）, en: Income of a family without support fees}
grain: one row a household
unit: yuan in the local accounting window
period: the local window of complete months that ends with the last month every running source of the family has delivered
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条；核算期为当地参数
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village, 9 unknown
  members: living members, also those whom nobody could link
  window_months: months of the window
  window_from: first month
  window_to: last month
  wage: wages after the least job cost; a known sum, never zero for unknown (see missing_zh)
  business: net business income and farm subsidies of periods that end in the window
  property: interest, rent, royalties, sales
  transfer: pensions that count, benefits, less tax and contributions
  total: the four together
  total_low: what counts for certain (most job cost, without what may be excluded)
  basis_zh: sources with their sums
  missing_zh: what is missing; null when nothing is
  oldest_on: the oldest of the sources' data dates
  is_complete: nothing is missing
  is_ceiling: the records allow no more than the total (support fees aside)
parameters: [income_window]
published: false
known_gaps:
  zh: 现金、务农收入看不到；有一名成员情况不明即为不完整。
  en: Cash and farming are not seen; with one member whose means are unknown the income is incomplete.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what only lowers the income is said with the basis; is_ceiling tells when no more than the total is possible"}
  - {version: 3, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
  - {version: 4, since: 2026-11-23, what: "the same rows: income is joined and summed once, by person and source"}
---*/
with length as (
    select county_code, urban_rural, window_months from income_window where $as_of between valid_from and valid_to
    union all
    -- Town or village unknown: known where both have the same window.
    select county_code, '9', min(window_months) from income_window where $as_of between valid_from and valid_to
    group by county_code having min(window_months) = max(window_months)
),
head as (
    select m.household_id, count(*) as members, count(*) filter (where m.person_id is null) as unlinked
    from household_member m
    where not exists (select 1 from known_death k where k.person_id = m.person_id)
    group by m.household_id
),
means as (
    select household_id, min(until_month) as until_month,
           count(*) filter (where means_zh is null) as unexplained
    from member_means
    group by household_id
),
frame as (
    select h.household_id, h.county_code, h.urban_rural, d.members, d.unlinked, coalesce(m.unexplained, 0) as unexplained,
           l.window_months,
           cast(coalesce(m.until_month, date_trunc('month', $as_of) - interval 1 month) as date) as window_to,
           cast(coalesce(m.until_month, date_trunc('month', $as_of) - interval 1 month)
                - to_months(cast(l.window_months as integer) - 1) as date) as window_from
    from household h
    join head d on d.household_id = h.household_id
    join length l on l.county_code = h.county_code and l.urban_rural = coalesce(h.urban_rural, '9')
    left join means m on m.household_id = h.household_id
),
received as (
    -- Many millions of rows: they are joined and summed once, by person and source; what follows reads these sums.
    select f.household_id, f.window_from, i.person_id, i.kind, i.source_zh,
           cast(sum(i.amount) filter (where i.months <= f.window_months) as decimal(18, 2)) as amount,
           cast(sum(i.amount_low) filter (where i.months <= f.window_months) as decimal(18, 2)) as amount_low,
           count(i.amount) filter (where i.months <= f.window_months) as rows_counted,
           -- The switch for the central basic pension is not known: it is counted, and said.
           bool_or(i.gap is null and i.amount > i.amount_low) as is_unconfirmed,
           max(i.data_as_of) as data_as_of,
           min(i.month) as first_month, max(i.month) as last_month,
           -- One bit a month of the window: which months are there.
           bit_or(cast(1 as bigint) << date_diff('month', f.window_from, i.month)) as months_there
    from frame f
    join member_means m on m.household_id = f.household_id
    join member_income i on i.person_id = m.person_id and i.month >= f.window_from and i.month <= f.window_to
    group by f.household_id, f.window_from, i.person_id, i.kind, i.source_zh
),
doubt as (
    -- What cannot be counted, or not as it stands, of the few rows of which that can be said.
    select f.household_id,
           count(*) filter (where i.gap = 'unreadable') as unreadable,
           count(*) filter (where i.gap = 'suspended') as suspended,
           count(*) filter (where i.gap = 'unsplit') as unsplit,
           count(*) filter (where i.gap = 'quota') as quota,
           count(*) filter (where i.gap = 'zero_return') as zero_return,
           count(*) filter (where i.gap = 'land') as land,
           count(*) filter (where i.months > f.window_months) as too_long,
           count(*) filter (where i.source_zh = '财产转让' or (i.source_zh = '经营所得' and i.months = 1)) as without_cost
    from frame f
    join member_means m on m.household_id = f.household_id
    join member_income i on i.person_id = m.person_id and i.month >= f.window_from and i.month <= f.window_to
    where i.gap is not null or i.months > 1 or i.source_zh in ('财产转让', '经营所得')
    group by f.household_id
),
flow as (
    select household_id, kind, source_zh, sum(amount) as amount, sum(amount_low) as amount_low, sum(rows_counted) as rows_counted,
           bool_or(is_unconfirmed) as is_unconfirmed, max(data_as_of) as data_as_of
    from received
    group by household_id, kind, source_zh
),
stream as (
    select household_id, person_id, case when kind = 'wage' then 'wage' when source_zh = '职工养老' then 'employee' else 'resident' end as stream,
           window_from, bit_count(bit_or(months_there)) as months_there, min(first_month) as first_month, max(last_month) as last_month
    from received
    where kind = 'wage' or source_zh in ('居民养老', '职工养老')
    group by all
),
hole as (
    -- Months between two payments without a record; a stream as old as the data may be older than they are.
    select s.household_id,
           count(*) filter (where s.months_there <= date_diff('month', s.first_month, s.last_month)) as with_holes,
           count(*) filter (where s.first_month > s.window_from and s.first_month <= h.from_month)   as cut_off
    from stream s
    join income_history h on h.stream = s.stream
    group by s.household_id
),
summed as (
    select household_id,
           sum(amount) filter (where kind = 'wage') as wage,
           sum(amount) filter (where kind = 'business') as business,
           sum(amount) filter (where kind = 'property') as property,
           sum(amount) filter (where kind = 'transfer') as transfer,
           sum(amount) as total, sum(amount_low) as total_low,
           bool_or(is_unconfirmed and source_zh = '居民养老') as is_unconfirmed, min(data_as_of) as oldest_on,
           -- A sorted list is much cheaper than an ordered string_agg: its first character is the place of the kind.
           array_to_string(list_transform(list_sort(
               list(case kind when 'wage' then '1' when 'transfer' then '2' when 'property' then '3' else '4' end
                    || source_zh || rows_counted || '笔' || yuan_zh(amount))
                   filter (where rows_counted > 0)), lambda word: word[2:]), '、') as basis_zh
    from flow
    group by household_id
)
select f.household_id, f.county_code, f.urban_rural,
       cast(f.members as integer) as members,
       cast(f.window_months as integer) as window_months,
       cast(f.window_from as date) as window_from, cast(f.window_to as date) as window_to,
       cast(coalesce(s.wage, 0) as decimal(18, 2))      as wage,
       cast(coalesce(s.business, 0) as decimal(18, 2))  as business,
       cast(coalesce(s.property, 0) as decimal(18, 2))  as property,
       cast(coalesce(s.transfer, 0) as decimal(18, 2))  as transfer,
       cast(coalesce(s.total, 0) as decimal(18, 2))     as total,
       cast(coalesce(s.total_low, 0) as decimal(18, 2)) as total_low,
       coalesce(s.basis_zh, '没有收入记录')
           || case when s.is_unconfirmed then '（中央基础养老金是否计入待当地确认，暂全部计入）' else '' end
           || case when u.without_cost > 0 then '（转让或经营所得未扣成本）' else '' end as basis_zh,
       nullif(concat_ws('；',
           case when f.unlinked > 0 then f.unlinked || '名成员未能关联到人' end,
           case when f.unexplained > 0 then f.unexplained || '名成员的收入情况没有记录' end,
           case when o.with_holes > 0 or o.cut_off > 0 then '有月份没有送达记录' end,
           case when u.unreadable > 0 then u.unreadable || '笔金额无法识别' end,
           case when u.suspended > 0 then u.suspended || '个月养老金暂停发放（多因未做资格认证），未计' end,
           case when u.unsplit > 0 then '居民养老金只有合计，未分列中央基础养老金' end,
           case when u.quota > 0 then '定期定额户未达起征点，核定收入不是实际收入，未计' end,
           case when u.zero_return > 0 then '有零申报，实际经营收入不明' end,
           case when u.land > 0 then '有承包地，收益没有记录' end,
           case when u.too_long > 0 then u.too_long || '笔整季或整年的金额长于核算期，未计' end), '') as missing_zh,
       s.oldest_on,
       missing_zh is null as is_complete,
       -- A pension that is not split is counted whole: what is missing there could only lower the total.
       f.unlinked = 0 and f.unexplained = 0 and coalesce(o.with_holes, 0) = 0 and coalesce(o.cut_off, 0) = 0
           and coalesce(u.unreadable + u.suspended + u.quota + u.zero_return + u.land + u.too_long, 0) = 0 as is_ceiling
from frame f
left join summed s on s.household_id = f.household_id
left join doubt u on u.household_id = f.household_id
left join hole o on o.household_id = f.household_id
