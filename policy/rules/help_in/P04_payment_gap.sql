/*---
id: P04
version: 4
title: {zh: 救助金未发放或退回, en: Assistance not paid or returned}
legal_basis:
  - 国办发〔2023〕39号（政策未落实的及时落实）
  - 最低生活保障审核确认办法（民发〔2021〕57号）：自确认次月起发放
level: orange
owner: 县民政局社会救助科
expires: 2027-12-31
subject: case
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  assistance_payment: {max_age_days: 45, all: [ca_assist_payment]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [payment_schedule, warning_window]
evidence: [cause, due_month, benefit_per_month]
reason:
  not_paid: 该户现为{category_zh}（自{start_month}起），{due_month}的救助金（每月{benefit_per_month}元）应在当月{pay_by_day}日前发放（依据：{pay_by_source}），至今没有发放成功的记录。
  returned: 该户现为{category_zh}，{due_month}的救助金{returned_amount}元于{returned_on}被银行退回，至今没有重新发放成功的记录。
cited: [ca_assist_payment, ca_assist_household]
known_gaps:
  zh: 以发放台账为准，现金代发和跨年补发可能未登记。
  en: Follows the payment register; cash payments and payments made up in the next year may be missing.
false_alarms:
  zh: 全县推迟发放；成员全部去世后停发；账户更换后次月补发。
  en: The whole county pays late; everybody covered has died; the account changed and the next month makes it up.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the day of payment must be over; an unknown item may be the benefit"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words"}
  - {version: 4, since: 2026-11-23, what: "the sentence says where the day of payment comes from"}
---*/
with due as (
    -- The latest month whose day of payment is over in the data that we have, not on the calendar.
    select c.case_id, c.category_zh, c.start_month, c.benefit_per_month, h.household_id, s.pay_by_day, s.source as pay_by_source, w.length as look_back,
           cast(case when day(least(t.last_batch, $as_of)) > s.pay_by_day
                     then date_trunc('month', least(t.last_batch, $as_of))
                     else date_trunc('month', least(t.last_batch, $as_of)) - interval 1 month end as date) as due_month
    from (select distinct case_id, category_zh, start_month, benefit_per_month from current_assistance where category in ('1', '2')) c
    join case_household h on h.case_id = c.case_id
    join payment_schedule s on s.county_code = h.county_code and $as_of between s.valid_from and s.valid_to
    join warning_window w on w.county_code = h.county_code and w."window" = 'returned_payment'
     and $as_of between w.valid_from and w.valid_to
    cross join (select last_batch from source_status where class_id = 'ca_assist_payment') t
    where c.benefit_per_month > 0
),
covered as (
    select a.case_id, count(*) as members, count(k.person_id) as dead
    from current_assistance a
    left join known_death k on k.person_id = a.person_id
    where a.is_covered is distinct from false
    group by a.case_id
),
paid as (
    select case_id, pay_month, item, pay_status, amount, pay_date
    from assistance_payment
    where pay_date is null or pay_date <= $as_of
),
not_paid as (
    select d.case_id, d.household_id, d.category_zh, d.start_month, d.benefit_per_month, d.pay_by_day, d.pay_by_source,
           'not_paid' as cause, d.due_month, null::decimal(18, 2) as returned_amount, null::date as returned_on
    from due d
    -- Benefit begins in the month after confirmation.
    where d.start_month < d.due_month
      and not exists (
          select 1 from paid p
          where p.case_id = d.case_id and p.pay_month = d.due_month
            -- An unknown item may be the benefit; an unknown status may be a payment. What is returned is the other cause.
            and (p.pay_status is distinct from '1' or p.item in ('1', '3', '6') or p.item is null)
      )
),
returned as (
    select d.case_id, d.household_id, d.category_zh, d.start_month, d.benefit_per_month, d.pay_by_day, d.pay_by_source,
           'returned' as cause, p.pay_month as due_month, p.amount as returned_amount,
           coalesce(p.pay_date, p.pay_month) as returned_on,
           row_number() over (partition by d.case_id order by p.pay_month desc, p.amount desc, p.pay_date desc) as choice
    from due d
    join paid p on p.case_id = d.case_id
    where p.pay_status = '2' and (p.item in ('1', '3') or p.item is null)
      and p.pay_month <= d.due_month
      and p.pay_month > d.due_month - to_months(cast(d.look_back as integer))
      and not exists (
          select 1 from paid q
          where q.case_id = p.case_id and q.pay_status = '1'
            and ((q.pay_month = p.pay_month and (q.item = p.item or q.item is null or p.item is null))
                 or (q.item = '6' and q.pay_month >= p.pay_month))
      )
)
select r.household_id, r.case_id, r.cause || ':' || r.due_month as cause_key,
       r.cause, r.due_month, r.start_month, r.benefit_per_month, r.pay_by_day, r.pay_by_source, r.returned_amount, r.returned_on, r.category_zh
from (
    from not_paid
    union all by name
    select * exclude (choice) from returned where choice = 1
) r
join covered c on c.case_id = r.case_id
where c.members > c.dead
