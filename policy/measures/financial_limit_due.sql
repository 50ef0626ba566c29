/*---
id: financial_limit_due
version: 2
title: {zh: 人均金融资产限额, en: Financial limit a head}
grain: one row a county, kind of place and category for which a limit is known
unit: yuan per person
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；各地财产规定见参数
columns:
  county_code: county
  urban_rural: 1 town, 2 village
  category: category of assistance
  limit_per_person: limit per person
  is_equal_within: an amount equal to the limit is within it
  exempt_ill_to: a family with a seriously ill member may keep so much a head; null where no text says so
  counts_capital: subscribed capital is in the money
  limit_zh: what the limit is made of, in words
  months_of_dibao: months of the dibao standard; null where the limit rests on disposable income
  source: where the base of the limit is published
  limit_source: where the limit itself is published
  standard_zh: 现行标准 when published, 参考标准 when it is a proposal
parameters_if_known: [financial_limit, dibao_standard, disposable_income]
published: false
known_gaps:
  zh: 低保标准或人均可支配收入不明的地方没有限额，不作判断。
  en: Where the dibao standard or the disposable income is not known there is no limit, and nothing is judged.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "where a base is not known there is no limit, and whoever asks says so"}
---*/
with place as (
    select distinct county_code, urban_rural from household where urban_rural in ('1', '2')
    union
    select county_code, urban_rural from dibao_standard where $as_of between valid_from and valid_to
),
based as (
    -- The limit in the unit of its base: so many months of a monthly standard, so many years of a yearly one.
    select p.county_code, p.urban_rural, l.category, l.months_of_dibao, l.exempt_ill_to, l.counts_capital, l.source as limit_source,
           coalesce(l.comparator, '<=') <> '<' as is_equal_within,
           case l.evidence when 'published' then '现行标准' else '参考标准' end as standard_zh,
           case when l.times_of_income is not null then i.source else d.source end as source,
           cast(case when l.times_of_income is not null then l.times_of_income * i.amount
                     when d.period = 'month' then l.months_of_dibao * d.amount
                     when d.period = 'year' then l.years_of_dibao * d.amount end as decimal(18, 2)) as limit_per_person,
           case when l.times_of_income is not null
                then i.of_year || '年人均可支配收入的' || rtrim(rtrim(l.times_of_income::varchar, '0'), '.') || '倍'
                when d.period = 'month' then '低保标准的' || l.months_of_dibao || '个月'
                else '低保标准的' || rtrim(rtrim(l.years_of_dibao::varchar, '0'), '.') || '年' end as limit_zh
    from place p
    join financial_limit l on l.county_code = p.county_code and $as_of between l.valid_from and l.valid_to
    left join dibao_standard d on d.county_code = p.county_code and d.urban_rural = p.urban_rural
     and $as_of between d.valid_from and d.valid_to and d.period in ('month', 'year')
    left join disposable_income i on i.county_code = p.county_code and i.basis = 'all'
     and $as_of between i.valid_from and i.valid_to
)
select county_code, urban_rural, category, limit_per_person, is_equal_within, exempt_ill_to,
       coalesce(counts_capital, false) as counts_capital, limit_zh, months_of_dibao, source, limit_source, standard_zh
from based
where limit_per_person is not null and source is not null
