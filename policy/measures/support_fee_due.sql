/*---
id: support_fee_due
version: 4
title: {zh: 赡（抚、扶）养费, en: Support fees due to a household}
grain: one row a household that has supporters outside
unit: yuan in the local accounting window
period: that of the household's income
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（赡养费计入转移净收入）；计算办法为当地参数
columns:
  household_id: household that is owed support
  supporters: people who owe it
  unknown_supporters: those whose income is not known, whose kind the local formula does not cover, or whose window has another length
  amount: fees of all supporters; null when one of them is not known
  known_amount: fees of those who are known
  basis_zh: who, how reckoned
  missing_zh: what is missing; null when nothing is
  oldest_on: the oldest data date of the supporters' income
parameters: [support_fee, dibao_standard, labour_age]
published: false
known_gaps:
  zh: 没有协议、判决时的推算；实际收到更多的以实际为准，但没有部门记录。义务人收入不明时赡养费不明，不作零；与义务人同住的受抚养人不计入其负担。
  en: >-
    Reckoned where no agreement or ruling is known; what is really received counts if it is more, and is on no record. Unknown income of a
    supporter makes the fee unknown, not zero; whom the supporter keeps in his own family is not counted among those he owes.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "supporters are those of the measure supporter; support is owed to the old, to minors and to spouses"}
  - {version: 3, since: 2026-11-23, what: "support that parents and spouses owe, as a share of the payer's own income; windows of different length are not added; children alone are counted as children"}
  - {version: 4, since: 2026-11-23, what: "the same fees; they are added in fixed places"}
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
ruled as (
    -- Which of the published formulas holds: parents and spouses pay a share of their own income where the place has such a share, else as the
    -- family formula has it, which asks for no kind; a formula per head is one for grown-up children alone.
    select o.*, p.variant, p.source, p.threshold_multiple, p.line_of, p.rate, p.rate_3_plus, p.divide_by_supported, p.payer_rate, p.payer_cap,
           case when o.kind <> 'child' and p.payer_rate is not null then 'payer'
                when p.base = 'family' then 'family'
                when o.kind = 'child' then 'head' end as formula
    from owed o
    join household h on h.household_id = o.household_id
    join support_fee p on p.county_code = h.county_code and $as_of between p.valid_from and p.valid_to
),
counted as (
    select r.*,
           count(*) filter (where r.kind = 'child') over (partition by r.person_id)                 as children,
           count(*) over (partition by r.supporter_person_id, r.formula)                            as supported,
           count(*) over (partition by r.supporter_person_id, r.formula, r.household_id)            as supported_here,
           count(*) over (partition by r.supporter_household_id, r.formula, r.person_id)            as payers_in_family
    from ruled r
),
payer as (
    select distinct c.supporter_person_id as person_id, f.household_id, f.window_from, f.window_to, f.window_months
    from counted c
    join family_income f on f.household_id = c.supporter_household_id
    where c.formula = 'payer'
),
stream as (
    select p.person_id, case when i.kind = 'wage' then 'wage' when i.source_zh = '职工养老' then 'employee' else 'resident' end as stream,
           p.window_from, count(distinct i.month) as months_there, min(i.month) as first_month, max(i.month) as last_month
    from payer p
    join member_income i on i.person_id = p.person_id and i.month >= p.window_from and i.month <= p.window_to
    where i.kind = 'wage' or i.source_zh in ('居民养老', '职工养老')
    group by all
),
hole as (
    -- Months without a record between two payments, or before the first that the data reach.
    select distinct s.person_id
    from stream s
    join income_history h on h.stream = s.stream
    where s.months_there <= date_diff('month', s.first_month, s.last_month) or (s.first_month > s.window_from and s.first_month <= h.from_month)
),
own as (
    -- What the payer has himself, where all of it is on record.
    select p.person_id, p.household_id, coalesce(sum(i.amount), 0) as income
    from payer p
    join member_means m on m.person_id = p.person_id and m.household_id = p.household_id and m.means_zh is not null
    left join member_income i on i.person_id = p.person_id and i.month >= p.window_from and i.month <= p.window_to
    where p.person_id not in (select person_id from hole)
    group by p.person_id, p.household_id
    having count(*) filter (where i.gap is not null or i.months > p.window_months) = 0
),
judged as (
    select c.household_id, c.person_id, c.supporter_person_id, c.kind, c.formula,
           c.variant, c.source, c.payer_rate, f.oldest_on,
           case when f.is_complete then f.total end as total, f.members, o.income,
           -- Sums of windows of different length are not added.
           f.window_months = t.window_months as is_same_length,
           d.amount * c.threshold_multiple
               * case when d.period = 'month' then f.window_months when d.period = 'year' and f.window_months = 12 then 1 end as line,
           case when c.children >= 3 then coalesce(c.rate_3_plus, c.rate) else c.rate end as rate,
           case when c.divide_by_supported then c.supported else c.supported_here end as shared_by,
           c.payers_in_family as payers,
           least(c.payer_rate, c.payer_cap / c.supported) as payer_share
    from counted c
    left join family_income t on t.household_id = c.household_id
    left join family_income f on f.household_id = c.supporter_household_id
    left join own o on o.person_id = c.supporter_person_id and o.household_id = c.supporter_household_id
    left join dibao_standard d on d.county_code = f.county_code
     and d.urban_rural = case when c.line_of = 'rural' then '2' else f.urban_rural end
     and $as_of between d.valid_from and d.valid_to
),
fee as (
    select *,
           -- Fixed places before fees are added: a sum of quotients is not the same in every run.
           cast(case when is_same_length is distinct from true then null
                when formula = 'payer' then case when income is not null then greatest(income, 0) * payer_share end
                when formula = 'family' then case when total is not null and line is not null then greatest(total - line * members, 0) end * rate / shared_by / payers
                when formula = 'head' then case when total is not null and line is not null then greatest(total / members - line, 0) end * rate / shared_by end as decimal(18, 6)) as amount
    from judged
)
select household_id,
       cast(count(distinct supporter_person_id) as integer)                                 as supporters,
       cast(count(distinct supporter_person_id) filter (where amount is null) as integer)   as unknown_supporters,
       cast(case when count(*) = count(amount) then round(sum(amount), 2) end as decimal(18, 2)) as amount,
       cast(coalesce(round(sum(amount), 2), 0) as decimal(18, 2))                           as known_amount,
       '户外赡（抚、扶）养义务人' || count(distinct supporter_person_id) || '人，按' || min(variant) || '类办法推算'
           || coalesce('，父母、配偶应付的按本人收入的' || min(rtrim(rtrim(cast(payer_rate * 100 as decimal(9, 2))::varchar, '0'), '.')) filter (where formula = 'payer')
                       || '%', '')
           || '（' || min(source) || '）' as basis_zh,
       case when count(*) > count(amount)
            then count(distinct supporter_person_id) filter (where amount is null) || '名赡（抚、扶）养义务人的收入不明，赡养费未计' end as missing_zh,
       min(oldest_on) as oldest_on
from fee
group by household_id
