/*---
id: income_line
version: 2
title: {zh: 收入认定线, en: Income lines of dibao and the edge}
grain: one row a county, town or village, and category
unit: yuan per person and `period`
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条；公布有边缘线金额的用公布金额，没有的用低保标准乘倍数
columns:
  county_code: county
  urban_rural: 1 town, 2 village
  category: 1 dibao, 3 edge
  amount: the line, in the unit in which it is published
  period: month or year
  line_12m: the line over twelve months, in yuan
  comparator: how income must stand to the line to be within it, < or <=
  line_zh: the line in words, with its amount
  source: where it comes from
parameters: [dibao_standard, edge_multiple]
parameters_if_known: [edge_line]
published: false
known_gaps:
  zh: 没有公布低保标准的地方没有线。
  en: There is no line where the dibao standard is not known.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with every as (
    select county_code, urban_rural, '1' as category, amount, period, '<' as comparator, '低保标准' as what_zh, source
    from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
    union all
    -- A published amount outranks the multiple, which rounds differently.
    select s.county_code, s.urban_rural, '3', coalesce(l.amount, s.amount * m.multiple),
           case when l.amount is not null then l.period else s.period end, coalesce(l.comparator, m.comparator),
           case when l.amount is not null then '低保边缘线' else '低保标准的' || rtrim(rtrim(m.multiple::varchar, '0'), '.') || '倍' end,
           coalesce(l.source, s.source || '；' || m.source)
    from dibao_standard s
    join edge_multiple m on m.county_code = s.county_code and $as_of between m.valid_from and m.valid_to
    left join edge_line l on l.county_code = s.county_code and l.urban_rural = s.urban_rural
     and $as_of between l.valid_from and l.valid_to and l.period in ('month', 'year')
    where $as_of between s.valid_from and s.valid_to and s.period in ('month', 'year')
)
select county_code, urban_rural, category, cast(amount as decimal(18, 2)) as amount, period,
       cast(amount * (case period when 'year' then 1 else 12 end) as decimal(18, 2)) as line_12m, comparator,
       what_zh || case period when 'year' then '每人每年' else '每人每月' end
           || yuan_zh(amount) as line_zh,
       source
from every
