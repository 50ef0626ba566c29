/*---
id: rigid_item
version: 2
title: {zh: 成员刚性支出分项, en: Rigid expenditure of a member by kind}
grain: one row a person and kind (medical, schooling, rehab) with an amount or with something that cannot be read
unit: yuan
period: the 12 months up to and including the business date; schooling one school year
source: 刚性支出困难家庭认定办法第五条（2025年1月1日起施行）
columns:
  person_id: person
  household_id: household
  kind: medical, schooling or rehab
  gross: borne before what is deducted below
  deducted: aid, payouts and subsidies that came beside the bill, as far as they were deducted
  amount: what remains, never below zero
  records: bills, enrolments or services behind it
  unreadable: records without a readable amount, which are not counted
  upper: settlements whose share within the policy is not known, counted with all that the person paid
  is_payout_unknown: no policy of a health insurer was queried for the person
  first_on: first of the records
  last_on: last of the records
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
uses:
  medical_aid: {max_age_days: 45, all: [mi_medical_aid]}
  insurance_policy: {max_age_days: 180, all: [fn_insurance_policy]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  student_aid: {max_age_days: 220, all: [ed_student_aid]}
  rehab_service: {max_age_days: 120, all: [dp_rehab_service]}
parameters: [public_school_fee, rehab_counted]
published: false
known_gaps:
  zh: 跨省结算可能晚到数月；药店购药、外地就学、自费康复不在其中；理赔只有本年累计数，经授权才能看到。
  en: Settlements of other provinces arrive months late; medicines bought in shops, schools elsewhere and private rehabilitation are not in it; payouts are those of the calendar year and seen only when authorised.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "a refund under a number of its own is taken off the settlement that it cancels"}
---*/
with bill as (
    -- A refund is the same settlement with the opposite sign, however the department wrote it.
    -- Under a number of its own it belongs to the settlement that it cancels (refund_alone).
    select h.household_id, s.person_id, coalesce(r.refunds, s.settlement_id, s.row_key) as settlement, s.settle_date, s.is_refund,
           r.settlement is not null as is_alone, r.counts_on,
           case when s.is_refund then -1 else 1 end as sign,
           case when s.is_refund then abs(s.self_pay) else s.self_pay end as self_pay,
           case when s.is_refund then abs(s.aid_pay) else s.aid_pay end as aid_pay,
           -- What the policy covers, less what insurance and aid paid of it; or what the person paid, less what lies outside.
           case when s.is_refund
                then coalesce(abs(s.in_scope_fee) - abs(s.basic_pay) - abs(s.critical_pay) - abs(s.aid_pay) - abs(s.other_pay),
                              abs(s.self_pay) - (abs(s.total_fee) - abs(s.in_scope_fee)))
                else coalesce(s.in_scope_fee - s.basic_pay - s.critical_pay - s.aid_pay - s.other_pay,
                              s.self_pay - (s.total_fee - s.in_scope_fee)) end as in_scope_pay
    from medical_settlement s
    join person_household h on h.person_id = s.person_id
    left join refund_alone r on r.person_id = s.person_id and r.settlement = coalesce(s.settlement_id, s.row_key)
    where s.settle_date <= $as_of
),
settlement as (
    select household_id, person_id, settlement,
           coalesce(min(settle_date) filter (where is_refund is not true and self_pay >= 0),
                    min(settle_date) filter (where is_refund is not true and not is_alone),
                    min(counts_on)) as settled_on,
           bool_and(is_alone) as is_refund,
           sum(sign * coalesce(least(in_scope_pay, self_pay), self_pay, in_scope_pay)) as own,
           bool_or(coalesce(in_scope_pay, self_pay) is null) as is_unreadable,
           bool_or(in_scope_pay is null) as is_upper,
           coalesce(sum(sign * aid_pay), 0) as aid_in_bill
    from bill
    group by household_id, person_id, settlement
),
aid as (
    select person_id, settlement_id, sum(amount) as amount, max(pay_date) as pay_date
    from medical_aid
    where aid_type in ('2', '3', '4') and pay_date <= $as_of and person_id is not null and amount is not null
    group by person_id, settlement_id
),
net as (
    -- Aid that is on the bill is not taken off a second time.
    select s.household_id, s.person_id, s.settled_on, s.is_unreadable, s.is_upper, s.is_refund,
           case when s.is_refund then s.own else greatest(s.own, 0) end as gross,
           least(greatest(s.own, 0), greatest(coalesce(a.amount, 0) - s.aid_in_bill, 0)) as aided
    from settlement s
    left join aid a on a.person_id = s.person_id and a.settlement_id = s.settlement
    where s.settled_on > $as_of - interval 12 month
),
loose_aid as (
    -- Aid paid beside any bill that is known here.
    select a.person_id, sum(a.amount) as amount
    from aid a
    left join settlement s on s.person_id = a.person_id and s.settlement = a.settlement_id
    where s.settlement is null and a.pay_date > $as_of - interval 12 month
    group by a.person_id
),
payout as (
    -- One policy is one payout, whoever holds it together.
    select person_id, sum(amount) as amount, count(*) as policies
    from (
        select coalesce(insured_person_id, person_id) as person_id, start_date, annual_premium, max(coalesce(payout_this_year, 0)) as amount
        from insurance_policy
        where product_type = '2' and start_date <= $as_of
        group by all
    )
    where person_id is not null
    group by person_id
),
medical as (
    select n.household_id, n.person_id, 'medical' as kind,
           greatest(coalesce(sum(n.gross) filter (where not n.is_unreadable), 0), 0) as gross,
           coalesce(sum(n.aided) filter (where not n.is_unreadable), 0) + coalesce(any_value(l.amount), 0) + coalesce(any_value(p.amount), 0) as deductible,
           count(*) filter (where not n.is_refund) as records,
           count(*) filter (where n.is_unreadable) as unreadable,
           count(*) filter (where n.is_upper and not n.is_unreadable and not n.is_refund) as upper,
           any_value(p.person_id) is null as is_payout_unknown,
           min(n.settled_on) filter (where not n.is_refund) as first_on, max(n.settled_on) filter (where not n.is_refund) as last_on
    from net n
    left join loose_aid l on l.person_id = n.person_id
    left join payout p on p.person_id = n.person_id
    group by n.household_id, n.person_id
),
pupil as (
    select h.household_id, h.county_code, e.person_id, e.stage, e.is_boarding, e.school_nature, e.tuition_per_year, e.status_date
    from school_enrolment e
    join person_household h on h.person_id = e.person_id
    where e.status = '1' and (e.status_date is null or e.status_date <= $as_of)
      -- Postgraduates are not in article 5.
      and not coalesce(regexp_matches(e.grade, '研|硕|博'), false)
    qualify row_number() over (partition by e.person_id order by e.status_date desc nulls last, e.stage desc, e.row_key) = 1
),
school_aid as (
    -- A loan has to be paid back: it is no aid.
    select person_id, sum(amount) as amount
    from student_aid
    where item in ('1', '2', '3') and pay_date > $as_of - interval 12 month and pay_date <= $as_of and amount is not null
    group by person_id
),
fee as (
    select u.household_id, u.person_id, u.status_date, a.amount as aid,
           -- The tuition of a public school is the level itself; any other counts up to that level.
           case when f.tuition_per_year = 0 then 0
                when u.school_nature = '1' then u.tuition_per_year
                else least(u.tuition_per_year, case when u.tuition_per_year is not null then f.tuition_per_year end) end as tuition,
           case when u.is_boarding then f.lodging_per_year else 0 end as lodging
    from pupil u
    left join public_school_fee f on f.county_code = u.county_code and f.stage = u.stage and $as_of between f.valid_from and f.valid_to
    left join school_aid a on a.person_id = u.person_id
),
schooling as (
    select household_id, person_id, 'schooling' as kind, coalesce(tuition, 0) + coalesce(lodging, 0) as gross, coalesce(aid, 0) as deductible,
           1 as records, case when tuition is null or lodging is null then 1 else 0 end as unreadable, 0 as upper, false as is_payout_unknown,
           status_date as first_on, status_date as last_on
    from fee
    where tuition is null or lodging is null or tuition + lodging > 0
),
service as (
    select h.household_id, r.person_id, r.service_date,
           least(r.self_pay, r.total_cost - r.gov_subsidy) as own
    from rehab_service r
    join person_household h on h.person_id = r.person_id
    join rehab_counted c on c.county_code = h.county_code and c.service = r.service and $as_of between c.valid_from and c.valid_to
    where c.is_counted and r.service_date > $as_of - interval 12 month and r.service_date <= $as_of
),
rehab as (
    select household_id, person_id, 'rehab' as kind, greatest(coalesce(sum(own), 0), 0) as gross, 0 as deductible,
           count(*) as records, count(*) filter (where own is null) as unreadable, 0 as upper, false as is_payout_unknown,
           min(service_date) as first_on, max(service_date) as last_on
    from service
    group by household_id, person_id
)
select person_id, household_id, kind,
       cast(gross as decimal(18, 2)) as gross,
       cast(least(gross, deductible) as decimal(18, 2)) as deducted,
       cast(gross - least(gross, deductible) as decimal(18, 2)) as amount,
       records, unreadable, upper, is_payout_unknown, first_on, last_on
from (from medical union all by name from schooling union all by name from rehab)
where gross > 0 or unreadable > 0
