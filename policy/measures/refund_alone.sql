/*---
id: refund_alone
version: 2
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
    number of the settlement that it cancels - of those of the same amount, total and day of admission (else of amount and total) the last
    up to its day that no refund between has cancelled; a part: of those left with at least that amount the one with most of these the same,
    then the latest, as long as all its parts are no more than it cost; null when there is none
  counts_on: >-
    day on which it reduces a sum of 12 months; that of the settlement that it cancels; without one its own day, if the person settled
    anything in the 12 months up to it that it may belong to; null when it reduces nothing
  is_whole: the whole fee comes back
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
published: false
known_gaps:
  zh: 原结算是推定的：同号的不在此列；原结算在12个月之前的，不冲抵别的费用；原结算没有记录而期内有更早费用的，冲抵期内费用，合计不低于零；退费多于原结算的部分不冲抵。
  en: >-
    What it cancels is inferred, refunds under the number of their payment are not here. A payment from before the 12 months takes nothing off others; where the
    payment is on no record and something was paid in the 12 months before it, the refund reduces that sum, never below zero;
    of refunds that come to more than the only settlement they can belong to, the later reduce nothing.
changelog:
  - {version: 1, since: 2026-11-23, what: first version}
  - {version: 2, since: 2026-11-23, what: "equal refunds cancel as many equal settlements, each the last that is still open; none cancels more than was paid"}
---*/
with person as (
    select distinct person_id
    from medical_settlement
    where person_id is not null and settle_date > $as_of - interval 12 month and settle_date <= $as_of and (is_refund or self_pay < 0)
),
bill as (
    -- All that these persons ever settled: a refund from before the 12 months keeps the settlement that it cancelled.
    select m.person_id, coalesce(m.settlement_id, m.row_key) as settlement, max(m.admit_date) as admit_date,
           max(m.settle_date) as last_on,
           min(m.settle_date) filter (where m.is_refund is not true and m.self_pay >= 0)   as settled_on,
           sum(case when m.is_refund then -abs(m.self_pay) else m.self_pay end)            as own_pay,
           sum(case when m.is_refund then -abs(m.total_fee) else m.total_fee end)          as total_fee,
           bool_or(m.is_refund is not true and (m.self_pay is null or m.self_pay >= 0))    as is_payment
    from medical_settlement m
    join person p on p.person_id = m.person_id
    where m.settle_date <= $as_of
    group by all
),
lone as (
    select person_id, settlement, last_on as refunded_on, admit_date, own_pay, total_fee from bill where not is_payment
),
paid as (
    select person_id, settlement, settled_on, admit_date, own_pay, total_fee from bill where settled_on is not null and own_pay >= 0
),
entry as (
    -- On one day the payment is first.
    select person_id, settlement, true as is_payment, settled_on as day, own_pay as amount, total_fee, admit_date from paid
    union all
    select person_id, settlement, false, refunded_on, -own_pay, -total_fee, admit_date from lone where own_pay is not null
),
levelled as (
    -- Equal payments and refunds are brackets: a refund closes the last payment that is still open, that is the last one to reach the
    -- balance from which it takes one. Below zero there is nothing to close.
    select *, sum(case when is_payment then 1 else -1 end) over (
                  partition by person_id, amount, total_fee, admit_date order by day, is_payment desc, settlement rows unbounded preceding
              ) + case when is_payment then 0 else 1 end as level
    from entry
),
neighbour as (
    select *, lag(case when is_payment then settlement end) over (
                  partition by person_id, amount, total_fee, admit_date, level order by day, is_payment desc, settlement
              ) as opened
    from levelled
),
exact as (
    select person_id, settlement, opened from neighbour where not is_payment and opened is not null
),
levelled_again as (
    -- The same once more for what is left, whatever the days of admission say or do not say.
    select e.*, sum(case when e.is_payment then 1 else -1 end) over (
                    partition by e.person_id, e.amount, e.total_fee order by e.day, e.is_payment desc, e.settlement rows unbounded preceding
                ) + case when e.is_payment then 0 else 1 end as level
    from entry e
    where not exists (
        select 1 from exact x where x.person_id = e.person_id and e.settlement = case when e.is_payment then x.opened else x.settlement end
    )
),
neighbour_again as (
    select *, lag(case when is_payment then settlement end) over (
                  partition by person_id, amount, total_fee, level order by day, is_payment desc, settlement
              ) as opened
    from levelled_again
),
pair as (
    select person_id, settlement, opened from exact
    union all
    select person_id, settlement, opened from neighbour_again where not is_payment and opened is not null
),
part as (
    -- What is no pair is part of one that is not yet cancelled.
    select l.person_id, l.settlement, l.refunded_on, l.own_pay, p.settlement as opened, p.own_pay as paid,
           count(*) filter (where p.settled_on > $as_of - interval 12 month) over (partition by l.person_id, l.settlement)
               - case when p.settled_on > $as_of - interval 12 month then 1 else 0 end as others
    from lone l
    join paid p on p.person_id = l.person_id and p.settled_on <= l.refunded_on and p.own_pay >= -l.own_pay
    where not exists (select 1 from pair x where x.person_id = l.person_id and x.settlement = l.settlement)
      and not exists (select 1 from pair x where x.person_id = p.person_id and x.opened = p.settlement)
    qualify row_number() over (
        partition by l.person_id, l.settlement
        order by case when p.own_pay = -l.own_pay then 1 else 0 end + case when p.total_fee = -l.total_fee then 1 else 0 end
                     + case when p.admit_date = l.admit_date then 1 else 0 end desc,
                 p.settled_on desc, p.settlement
    ) = 1
),
share as (
    -- Never more than it cost, in the order of the days.
    select *, paid + sum(own_pay) over (
                  partition by person_id, opened order by refunded_on, settlement rows unbounded preceding
              ) >= 0 as has_room
    from part
),
matched as (
    select l.person_id, l.settlement, l.refunded_on, l.own_pay, p.settlement as refunds, p.settled_on,
           coalesce(p.total_fee = -l.total_fee, p.own_pay = -l.own_pay) as is_whole,
           -- Where no settlement has room but one of that amount is on record, more came back than was paid: a refund told twice.
           case when s.settlement is not null then s.others > 0
                else not exists (
                    select 1 from paid c where c.person_id = l.person_id and c.settled_on <= l.refunded_on and c.own_pay >= -l.own_pay
                ) end as is_of_others
    from lone l
    left join pair x on x.person_id = l.person_id and x.settlement = l.settlement
    left join share s on s.person_id = l.person_id and s.settlement = l.settlement
    left join paid p on p.person_id = l.person_id and p.settlement = coalesce(x.opened, case when s.has_room then s.opened end)
    where l.refunded_on > $as_of - interval 12 month
)
select m.person_id, m.settlement, m.refunded_on, cast(m.own_pay as decimal(18, 2)) as own_pay, m.refunds,
       case when m.refunds is not null then m.settled_on
            when m.is_of_others and exists (
                select 1 from paid p
                where p.person_id = m.person_id and p.settled_on > $as_of - interval 12 month and p.settled_on <= m.refunded_on
            ) then m.refunded_on end as counts_on,
       coalesce(m.refunds is not null and m.is_whole, false) as is_whole
from matched m
