/*---
id: refund_alone
version: 1
title: {zh: 另行编号的退费所冲抵的结算, en: "Which settlement a refund under a number of its own cancels"}
grain: one row a person and refund whose number no payment carries
unit: yuan
period: refunds of the 12 months up to and including the business date
source: 退费冲抵原结算（医保结算约定）；另行编号的退费按本说明的顺序推定其原结算
columns:
  person_id: person
  settlement: number of the refund
  refunded_on: day of the refund
  own_pay: what comes back to the person, below zero
  refunds: >-
    number of the settlement that it cancels - of those up to its day with at least that amount the one with the same amount, total and
    day of admission, then the latest; null when there is none
  counts_on: >-
    day on which it reduces a sum of 12 months; that of the settlement that it cancels; without one its own day, if the person settled
    anything in the 12 months up to it; null when it reduces nothing
  is_whole: the whole fee comes back
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
published: false
known_gaps:
  zh: 原结算是推定的：同号的不在此列；原结算在12个月之前的，不冲抵别的费用；原结算没有记录而期内有更早费用的，冲抵期内费用，合计不低于零。
  en: >-
    What it cancels is inferred, refunds under the number of their payment are not here. A payment from before the 12 months takes nothing off others; where the
    payment is on no record and something was paid in the 12 months before it, the refund reduces that sum, never below zero.
changelog:
  - {version: 1, since: 2026-11-23, what: first version}
---*/
with negative as (
    select distinct person_id, coalesce(settlement_id, row_key) as settlement
    from medical_settlement
    where person_id is not null and settle_date > $as_of - interval 12 month and settle_date <= $as_of and (is_refund or self_pay < 0)
),
lone as (
    select n.person_id, n.settlement, max(m.settle_date) as refunded_on, max(m.admit_date) as admit_date,
           sum(case when m.is_refund then -abs(m.self_pay) else m.self_pay end)   as own_pay,
           sum(case when m.is_refund then -abs(m.total_fee) else m.total_fee end) as total_fee
    from negative n
    join medical_settlement m on m.person_id = n.person_id and coalesce(m.settlement_id, m.row_key) = n.settlement and m.settle_date <= $as_of
    group by n.person_id, n.settlement
    having not bool_or(m.is_refund is not true and (m.self_pay is null or m.self_pay >= 0))
),
paid as (
    select m.person_id, coalesce(m.settlement_id, m.row_key) as settlement, max(m.admit_date) as admit_date,
           min(m.settle_date) filter (where m.is_refund is not true and m.self_pay >= 0)   as settled_on,
           sum(case when m.is_refund then -abs(m.self_pay) else m.self_pay end)            as own_pay,
           sum(case when m.is_refund then -abs(m.total_fee) else m.total_fee end)          as total_fee
    from medical_settlement m
    join (select distinct person_id from lone) l on l.person_id = m.person_id
    where m.settle_date <= $as_of
    group by all
),
matched as (
    select l.*, p.settlement as refunds, p.settled_on,
           coalesce(p.total_fee = -l.total_fee, p.own_pay = -l.own_pay) as is_whole
    from lone l
    left join paid p on p.person_id = l.person_id and p.settled_on <= l.refunded_on and p.own_pay >= -l.own_pay
    qualify row_number() over (
        partition by l.person_id, l.settlement
        order by case when p.own_pay = -l.own_pay then 1 else 0 end + case when p.total_fee = -l.total_fee then 1 else 0 end
                     + case when p.admit_date = l.admit_date then 1 else 0 end desc,
                 p.settled_on desc nulls last, p.settlement
    ) = 1
)
select m.person_id, m.settlement, m.refunded_on, cast(m.own_pay as decimal(18, 2)) as own_pay, m.refunds,
       case when m.refunds is not null then m.settled_on
            when exists (
                select 1 from paid p
                where p.person_id = m.person_id and p.settled_on > $as_of - interval 12 month and p.settled_on <= m.refunded_on
            ) then m.refunded_on end as counts_on,
       coalesce(m.refunds is not null and m.is_whole, false) as is_whole
from matched m
