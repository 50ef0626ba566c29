/*---
id: rigid_expenditure
version: 2
title: {zh: 家庭近12个月刚性支出, en: Rigid expenditure of a household in 12 months}
grain: one row a household with any such expenditure on record, or, where living costs count, every household
unit: yuan
period: the 12 months up to and including the business date; schooling one school year
source: 刚性支出困难家庭认定办法第五条（2025年1月1日起施行）
columns:
  household_id: household
  county_code: county
  members: members of the household
  window_from: first day
  window_to: last day, the business date
  living: necessary living costs at so many times the dibao standard; null where the county does not count them
  medical: borne within the policy, after basic and critical-illness insurance, aid, other insurance and payouts; refunds netted
  schooling: care fees, tuition and lodging up to undergraduate at the level of public schools, after aid; loans are no aid
  rehab: basic rehabilitation and devices borne after subsidy
  other: what the county adds; null, because no department records it
  total: sum of what is known
  deducted: aid and payouts that were deducted beside the bills
  basis_zh: what it rests on
  missing_zh: what is missing; null when nothing is
  oldest_on: oldest record behind it
parameters_if_known: [rigid_ratio, dibao_standard]
known_gaps:
  zh: 药店购药、外地就学、自费康复、房租等不在任何部门记录中；理赔经授权才能看到。合计只含看得到的部分。
  en: Medicines bought in shops, schools elsewhere, private rehabilitation and rent reach no department; payouts are seen only when authorised. The total holds what is seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with item as (
    select household_id,
           coalesce(sum(amount) filter (where kind = 'medical'), 0)                as medical,
           coalesce(sum(amount) filter (where kind = 'schooling'), 0)              as schooling,
           coalesce(sum(amount) filter (where kind = 'rehab'), 0)                  as rehab,
           sum(deducted)                                                           as deducted,
           count(distinct person_id) filter (where kind = 'medical')               as patients,
           coalesce(sum(records) filter (where kind = 'medical'), 0)               as bills,
           count(*) filter (where kind = 'schooling')                              as pupils,
           coalesce(sum(records) filter (where kind = 'rehab'), 0)                 as services,
           coalesce(sum(unreadable) filter (where kind = 'medical'), 0)            as bills_unreadable,
           coalesce(sum(unreadable) filter (where kind = 'schooling'), 0)          as fees_unreadable,
           coalesce(sum(unreadable) filter (where kind = 'rehab'), 0)              as services_unreadable,
           coalesce(sum(upper), 0)                                                 as upper,
           coalesce(bool_or(is_payout_unknown), false)                             as is_payout_unknown,
           min(first_on)                                                           as oldest_on
    from rigid_item
    group by household_id
),
living as (
    select o.household_id,
           cast(r.living_times * o.members * d.amount * (case d.period when 'year' then 1 else 12 end) as decimal(18, 2)) as living
    from household o
    join rigid_ratio r on r.county_code = o.county_code and $as_of between r.valid_from and r.valid_to
    join dibao_standard d on d.county_code = o.county_code and d.urban_rural = o.urban_rural and d.period in ('month', 'year')
     and $as_of between d.valid_from and d.valid_to
    where r.living_times > 0
)
select o.household_id, o.county_code, o.members,
       cast($as_of - interval 12 month + interval 1 day as date) as window_from,
       $as_of as window_to,
       l.living,
       cast(coalesce(i.medical, 0) as decimal(18, 2))   as medical,
       cast(coalesce(i.schooling, 0) as decimal(18, 2)) as schooling,
       cast(coalesce(i.rehab, 0) as decimal(18, 2))     as rehab,
       cast(null as decimal(18, 2))                     as other,
       cast(coalesce(l.living, 0) + coalesce(i.medical, 0) + coalesce(i.schooling, 0) + coalesce(i.rehab, 0) as decimal(18, 2)) as total,
       cast(coalesce(i.deducted, 0) as decimal(18, 2))  as deducted,
       concat_ws('，',
           case when l.living > 0 then '生活' || yuan_zh(l.living) || '（按低保标准计）' end,
           case when i.bills > 0 then '医疗' || yuan_zh(i.medical) || '（'
                                      || i.patients || '人' || i.bills || '笔结算）' end,
           case when i.pupils > 0 then '教育' || yuan_zh(i.schooling) || '（' || i.pupils || '名学生）' end,
           case when i.services > 0 then '残疾康复' || yuan_zh(i.rehab) || '（' || i.services || '次服务）' end,
           case when i.deducted > 0 then '已另扣救助、资助和理赔' || yuan_zh(i.deducted) end) as basis_zh,
       nullif(concat_ws('、',
           case when i.bills_unreadable > 0 then i.bills_unreadable || '笔结算没有金额' end,
           case when i.upper > 0 then i.upper || '笔结算没有政策范围内金额，按个人负担计' end,
           case when i.fees_unreadable > 0 then i.fees_unreadable || '名学生的收费不明' end,
           case when i.services_unreadable > 0 then i.services_unreadable || '次康复服务没有金额' end,
           case when i.is_payout_unknown then '商业健康保险理赔没有查询' end), '') as missing_zh,
       i.oldest_on
from household o
left join item i on i.household_id = o.household_id
left join living l on l.household_id = o.household_id
where i.household_id is not null or l.living is not null
