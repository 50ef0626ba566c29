/*---
id: support_fee_due
version: 2
title: {zh: 赡（抚、扶）养费, en: Support fees due to a household}
grain: one row a household that has supporters outside
unit: yuan in the local accounting window
period: that of the household's income
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（赡养费计入转移净收入）；计算办法为当地参数
columns:
  household_id: household that is owed support
  supporters: people who owe it
  unknown_supporters: those whose family's income is not known
  amount: fees of all supporters; null when one of them is not known
  known_amount: fees of those who are known
  basis_zh: who, how reckoned
  missing_zh: what is missing; null when nothing is
  oldest_on: the oldest data date of the supporters' income
parameters: [support_fee, dibao_standard, labour_age]
published: false
known_gaps:
  zh: 没有协议、判决时的推算；实际收到更多的以实际为准。义务人收入不明时赡养费不明，不作零。
  en: Reckoned where no agreement or ruling is known; what is really received counts if it is more. Unknown income of a supporter makes the fee unknown, not zero.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "supporters are those of the measure supporter; support is owed to the old, to minors and to spouses"}
---*/
with owed as (
    -- The duty presupposes need: parents past working age, children who are minors, spouses.
    select s.household_id, s.person_id, s.supporter_person_id, s.supporter_household_id, s.kind
    from supporter s
    join household h on h.household_id = s.household_id
    join labour_age l on l.county_code = h.county_code and $as_of between l.valid_from and l.valid_to
    join person p on p.person_id = s.person_id
    where case s.kind when 'child' then date_sub('year', p.birth_date, $as_of) > l.to_age
                      when 'parent' then date_sub('year', p.birth_date, $as_of) < 18
                      else true end
      and not exists (select 1 from known_death k where k.person_id = s.person_id)
),
counted as (
    select s.*,
           count(*) over (partition by s.person_id)                                    as children,
           count(*) over (partition by s.supporter_person_id)                          as supported,
           count(*) over (partition by s.supporter_person_id, s.household_id)          as supported_here,
           count(*) over (partition by s.supporter_household_id, s.person_id)          as payers_in_family
    from owed s
),
judged as (
    select c.household_id, c.person_id, c.supporter_person_id, c.kind,
           p.variant, p.source, f.oldest_on,
           f.total, f.members, f.is_complete,
           d.amount * p.threshold_multiple
               * case when d.period = 'month' then f.window_months when d.period = 'year' and f.window_months = 12 then 1 end as line,
           case when c.children >= 3 then coalesce(p.rate_3_plus, p.rate) else p.rate end as rate,
           case when p.divide_by_supported then c.supported else c.supported_here end as shared_by,
           case when p.base = 'family' then c.payers_in_family else 1 end as payers, p.base, p.payer_rate
    from counted c
    join household h on h.household_id = c.household_id
    join support_fee p on p.county_code = h.county_code and $as_of between p.valid_from and p.valid_to
    left join family_income f on f.household_id = c.supporter_household_id
    left join dibao_standard d on d.county_code = f.county_code and d.urban_rural = f.urban_rural
     and $as_of between d.valid_from and d.valid_to
),
fee as (
    select *,
           case when kind <> 'child' or is_complete is distinct from true then null
                when base = 'family' then greatest(total - line * members, 0) * rate / shared_by / payers
                else greatest(total / members - line, 0) * rate / shared_by end as amount
    from judged
)
select household_id,
       cast(count(distinct supporter_person_id) as integer)                                 as supporters,
       cast(count(distinct supporter_person_id) filter (where amount is null) as integer)   as unknown_supporters,
       cast(case when count(*) = count(amount) then round(sum(amount), 2) end as decimal(18, 2)) as amount,
       cast(coalesce(round(sum(amount), 2), 0) as decimal(18, 2))                           as known_amount,
       '户外赡（抚、扶）养义务人' || count(distinct supporter_person_id) || '人，按' || min(variant) || '类办法推算（' || min(source) || '）' as basis_zh,
       case when count(*) > count(amount)
            then count(distinct supporter_person_id) filter (where amount is null) || '名赡（抚、扶）养义务人的收入不明，赡养费未计' end as missing_zh,
       min(oldest_on) as oldest_on
from fee
group by household_id
