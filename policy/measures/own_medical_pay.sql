/*---
id: own_medical_pay
version: 1
title: {zh: 近12个月个人自付医疗费用, en: Own-pay medical cost of the last 12 months}
grain: one row a person
unit: yuan
period: the 12 months up to and including the business date
source: 铜陵市2025年做法：门诊与住院个人自付合计；退费冲抵原结算
columns:
  person_id: person
  own_pay: borne by the person, refunds taken off the settlement that they refund
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
---*/
with settlement as (
    select person_id,
           coalesce(settlement_id, row_key)                                        as settlement,
           -- The settlement counts on the day on which it was made, also when it is refunded later.
           coalesce(min(settle_date) filter (where is_refund is not true and self_pay >= 0),
                    min(settle_date) filter (where is_refund is not true))         as settled_on,
           sum(case when is_refund then -abs(self_pay) else self_pay end)          as own_pay
    from medical_settlement
    where person_id is not null and settle_date <= $as_of
    group by all
)
select person_id,
       cast(sum(own_pay) as decimal(18, 2)) as own_pay,
       count(*)                             as settlements,
       min(settled_on)                      as first_on,
       max(settled_on)                      as last_on
from settlement
where settled_on > $as_of - interval 12 month
group by person_id
