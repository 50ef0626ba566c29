/*---
id: own_medical_pay
version: 2
title: {zh: 近12个月个人自付医疗费用, en: Own-pay medical cost of the last 12 months}
grain: one row a person
unit: yuan
period: the 12 months up to and including the business date
source: 铜陵市2025年做法：门诊与住院个人自付合计；退费冲抵原结算（另行编号的见 refund_alone）
columns:
  person_id: person
  own_pay: borne by the person, refunds taken off the settlement that they refund, under whatever number; never below zero
  settlements: how many settlements
  first_on: first of them
  last_on: last of them
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
published: false
known_gaps:
  zh: 跨省结算可能晚到数月；事后发放的医疗救助、商业保险赔付未扣除。
  en: Settlements of other provinces arrive months late; aid and insurance paid afterwards is not taken off.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-23, what: "a refund under a number of its own is taken off the settlement that it cancels"}
---*/
with settlement as (
    -- The settlement counts on the day on which it was made, also when it is refunded later.
    select m.person_id,
           coalesce(r.refunds, m.settlement_id, m.row_key)                                       as settlement,
           coalesce(min(m.settle_date) filter (where m.is_refund is not true and m.self_pay >= 0),
                    min(m.settle_date) filter (where m.is_refund is not true and r.settlement is null),
                    min(r.counts_on))                                                            as settled_on,
           sum(case when m.is_refund then -abs(m.self_pay) else m.self_pay end)                  as own_pay,
           bool_and(r.settlement is not null)                                                    as is_refund
    from medical_settlement m
    left join refund_alone r on r.person_id = m.person_id and r.settlement = coalesce(m.settlement_id, m.row_key)
    where m.person_id is not null and m.settle_date <= $as_of
    group by all
)
select person_id,
       cast(greatest(sum(case when is_refund or own_pay is null then own_pay else greatest(own_pay, 0) end), 0) as decimal(18, 2)) as own_pay,
       count(*) filter (where not is_refund)         as settlements,
       min(settled_on) filter (where not is_refund)  as first_on,
       max(settled_on) filter (where not is_refund)  as last_on
from settlement
where settled_on > $as_of - interval 12 month
group by person_id
