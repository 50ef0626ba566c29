/*---
id: medical_overrun
version: 4
title: {zh: 自付医疗费用超过预警线, en: Own-pay medical cost over the limit}
grain: one row a living person whose own pay of 12 months is over the limit
unit: yuan
period: the 12 months up to and including the business date
source: 国办发〔2023〕39号（关注支出变化）；分档标准见参数
columns:
  person_id: person
  household_id: household of the person
  own_pay: borne by the person, refunds taken off
  limit_amount: limit of the person's category
  limit_source: where the limit comes from
  category: category of the person
  category_zh: the same in words
  settlements: how many settlements
  first_on: first of them
  last_on: last of them
  crossed_on: day on which the sum of the 12 months went over the limit
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [medical_selfpay_limit]
parameters_if_known: [medical_selfpay_ratio, disposable_income]
published: false
known_gaps:
  zh: 跨省结算可能晚到数月；事后发放的医疗救助、商业保险赔付未扣除。
  en: Settlements of other provinces arrive months late; aid and insurance paid afterwards is not taken off.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a local share of the disposable income is a limit too; the lower one warns"}
  - {version: 3, since: 2026-11-23, what: "who is on the list of monitored households without a day is on it"}
  - {version: 4, since: 2026-11-23, what: "refunds under a number of their own are netted"}
---*/
with status as (
    select person_id,
           case category when '1' then 'dibao' when '2' then 'tekun' when '3' then 'edge'
                         when '4' then 'rigid' when '5' then 'other' end as category
    from current_assistance
    where person_id is not null
      -- In a dibao or tekun case only the covered are dibao or tekun; the other categories are families.
      and (category in ('3', '4', '5') or is_covered)
    union
    select person_id, 'rural_monitor'
    from rural_monitor
    where person_id is not null and is_risk_removed = false and (identify_date is null or identify_date <= $as_of)
),
bound as (
    -- The sum, or the share of a year's disposable income where a place has one: own pay of twelve months against a year's figure.
    select l.county_code, l.category, l.category_zh,
           case when d.amount * r.percent < l.amount * 100 then cast(d.amount * r.percent / 100 as decimal(18, 2)) else l.amount end as amount,
           case when d.amount * r.percent < l.amount * 100
                then r.source || '；' || d.source else l.source end as source
    from medical_selfpay_limit l
    left join medical_selfpay_ratio r
      on r.county_code = l.county_code and r.category = l.category and $as_of between r.valid_from and r.valid_to
    left join disposable_income d
      on d.county_code = r.county_code and d.basis = r.basis and $as_of between d.valid_from and d.valid_to
    where $as_of between l.valid_from and l.valid_to
),
judged as (
    select o.person_id, h.household_id, o.own_pay, o.settlements, o.first_on, o.last_on,
           coalesce(s.category, 'none') as category,
           l.amount as limit_amount, l.category_zh, l.source as limit_source,
           row_number() over (partition by o.person_id order by l.amount, l.category) as choice
    from own_medical_pay o
    join person_household h on h.person_id = o.person_id
    left join status s on s.person_id = o.person_id
    join bound l on l.county_code = h.county_code and l.category = coalesce(s.category, 'none')
),
over as (
    select * exclude (choice) from judged
    where choice = 1 and own_pay > limit_amount
      and not exists (select 1 from known_death k where k.person_id = judged.person_id)
),
step as (
    -- Day by day, refunds on the day of what they refund, as the sum itself is made.
    select person_id, settled_on, sum(own_pay) over (partition by person_id order by settled_on) as so_far
    from (
        select person_id, settled_on, sum(case when is_refund or own_pay is null then own_pay else greatest(own_pay, 0) end) as own_pay
        from (
            select m.person_id, coalesce(r.refunds, m.settlement_id, m.row_key) as settlement,
                   coalesce(min(m.settle_date) filter (where m.is_refund is not true and m.self_pay >= 0),
                            min(m.settle_date) filter (where m.is_refund is not true and r.settlement is null),
                            min(r.counts_on)) as settled_on,
                   sum(case when m.is_refund then -abs(m.self_pay) else m.self_pay end) as own_pay,
                   bool_and(r.settlement is not null) as is_refund
            from medical_settlement m
            join over v on v.person_id = m.person_id
            left join refund_alone r on r.person_id = m.person_id and r.settlement = coalesce(m.settlement_id, m.row_key)
            where m.settle_date <= $as_of
            group by all
        )
        where settled_on > $as_of - interval 12 month
        group by person_id, settled_on
    )
)
select v.person_id, v.household_id, v.own_pay, v.limit_amount, v.limit_source, v.category, v.category_zh,
       v.settlements, v.first_on, v.last_on,
       (select min(s.settled_on) from step s where s.person_id = v.person_id and s.so_far > v.limit_amount) as crossed_on
from over v
