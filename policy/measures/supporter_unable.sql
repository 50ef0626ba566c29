/*---
id: supporter_unable
version: 3
title: {zh: 视为无履行义务能力的法定义务人, en: Supporters judged unable}
grain: one row a living spouse, parent or child of somebody whom the rules of 2021 judge unable to support
unit: persons
period: as of the business date; income of the 12 months before the month of the business date
source: 特困人员认定办法（民发〔2021〕43号）第八条；低收入家庭财产规定按低保边缘家庭的规定
columns:
  person_id: supporter
  why_zh: on which ground, in words
uses:
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  custody: {max_age_days: 45, all: [ps_custody]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [supporter_unable_age, severe_disability]
parameters_if_known: [disposable_income]
published: false
known_gaps:
  zh: 无民事行为能力、宣告失踪没有记录；收入只按有记录的部分，没有记录不等于没有收入；上年度可支配收入不明的年份不能按年龄和残疾判断。
  en: Civil incapacity and declared missing are on no record; income is the recorded part; where the disposable income is not known, age and disability cannot be judged.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "supporters outside the family too; the reason of an absence is not told"}
  - {version: 3, since: 2026-11-22, what: "income of 12 months from its own measure"}
---*/
with kin as (
    select person_id_a as person_id from household_edge where kind in ('spouse', 'parent_child', 'supporter')
    union
    select person_id_b from household_edge where kind in ('spouse', 'parent_child')
),
living as (
    select k.person_id, h.household_id, h.county_code, date_sub('year', p.birth_date, $as_of) as age
    from kin k
    join person_household h on h.person_id = k.person_id
    left join person p on p.person_id = k.person_id
    where not exists (select 1 from known_death d where d.person_id = k.person_id)
),
severe as (
    select distinct d.person_id
    from disability d
    join person_household h on h.person_id = d.person_id
    join severe_disability s on s.county_code = h.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and d.issue_date <= $as_of and (d.valid_to is null or d.valid_to >= $as_of)
),
assisted as (
    select person_id, min(category) as category, bool_or(category = '2') as is_tekun
    from current_assistance
    where category in ('1', '2') and is_covered and person_id is not null
    group by person_id
),
prisoner as (
    select distinct person_id
    from custody
    where custody_type = '3' and status = '1' and start_date <= $as_of and (end_date is null or end_date >= $as_of)
),
income as (
    -- An amount that nobody could read leaves the person unjudged.
    select person_id, case when is_whole then amount end as amount from income_12m
),
judged as (
    select l.person_id, l.age, coalesce(a.is_tekun, false) as is_tekun,
           coalesce(a.category = '1' and l.age >= g.dibao_from, false)       as is_old_on_dibao,
           coalesce(l.age >= g.low_income_from, false)                       as is_old,
           s.person_id is not null                                           as is_severe,
           c.person_id is not null                                           as is_prisoner,
           coalesce(p.is_blocked, false)                                     as is_rich,
           g.dibao_from, g.low_income_from,
           i.person_id is not null                                           as has_income,
           case when i.person_id is null then d.amount is not null else i.amount < d.amount end as is_poor
    from living l
    join supporter_unable_age g on g.county_code = l.county_code and $as_of between g.valid_from and g.valid_to
    left join assisted a on a.person_id = l.person_id
    left join severe s on s.person_id = l.person_id
    left join prisoner c on c.person_id = l.person_id
    left join income i on i.person_id = l.person_id
    left join disposable_income d on d.county_code = l.county_code and d.basis = 'all' and $as_of between d.valid_from and d.valid_to
    left join property_by_category p on p.household_id = l.household_id and p.category = '3'
)
select person_id,
       case when is_tekun then '特困人员'
            when is_old_on_dibao then dibao_from || '周岁以上的低保对象'
            -- The reason of an absence is for the county alone to know.
            when is_prisoner then '因故离家（可向县民政局了解）'
            when is_severe then '重度残疾，' || case when has_income then '收入低于上年度人均可支配收入' else '没有收入记录' end
            else low_income_from || '周岁以上，' || case when has_income then '收入低于上年度人均可支配收入' else '没有收入记录' end end as why_zh
from judged
where is_tekun or is_old_on_dibao
   or (not is_rich and (is_prisoner or (is_poor and (is_old or is_severe))))
