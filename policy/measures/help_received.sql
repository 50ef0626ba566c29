/*---
id: help_received
version: 2
title: {zh: 最近一次得到的帮扶, en: Help that was last received}
grain: one row a person who has received any
unit: days
period: up to the business date
source: 国办发〔2023〕39号（分层分类救助）；民政、医保、教育、残联、住建、应急各部门救助发放记录
columns:
  person_id: person
  helped_on: last day that any help covers; the business date where it goes on; null where all of it is only possible
  kind_zh: which help that was
  possible_on: the same of help whose link waits for a decision, and may have been given to this person
  possible_zh: which help that was
uses:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  temporary_relief: {max_age_days: 14, all: [ca_temp_relief]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
  medical_aid: {max_age_days: 45, all: [mi_medical_aid]}
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
  student_aid: {max_age_days: 220, all: [ed_student_aid]}
  housing_aid: {max_age_days: 120, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 120, all: [hc_housing_aid]}
  rehab_service: {max_age_days: 120, all: [dp_rehab_service]}
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
parameters: [warning_window]
published: false
known_gaps:
  zh: 村里的帮扶、社会捐助、产业和就业帮扶不在任何部门的记录中；高龄津贴和惠农补贴人人有份，不算帮扶。
  en: Help of villages and charities, and support of production and jobs, reach no department; allowances that all elders or farmers get are no help.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "help whose link waits for a decision is told apart, as help that may have been given"}
---*/
with term as (
    -- How long aid for a term of study lasts is a matter of the school year, the same everywhere.
    select max(length) as days from warning_window
    where county_code = '000000' and "window" = 'study_aid_lasts' and $as_of between valid_from and valid_to
),
given as (
    select coalesce(person_id, possible_person_id) as person_id, person_id is not null as is_sure,
           $as_of as helped_on, '救助在册（' || category_zh || '）' as kind_zh
    from current_assistance
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, grant_date, '临时救助' from temporary_relief where grant_date <= $as_of
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, least(last_day(pay_month), $as_of), '福利补贴' from welfare_subsidy
    where pay_month <= $as_of and subsidy_type is distinct from '3' and status is distinct from '2'
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, pay_date, '医疗救助' from medical_aid where pay_date <= $as_of
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, settle_date, '医疗救助' from medical_settlement
    where settle_date <= $as_of and aid_pay > 0 and is_refund is distinct from true
    union all
    select coalesce(s.person_id, s.possible_person_id), s.person_id is not null, least(cast(s.pay_date + to_days(cast(t.days as integer)) as date), $as_of), '学生资助'
    from student_aid s cross join term t
    where s.pay_date <= $as_of
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, least(coalesce(end_date, $as_of), $as_of), '住房保障'
    from (
        select person_id, possible_person_id, start_date, end_date from housing_aid
        union all
        select person_id, possible_person_id, start_date, end_date from housing_aid_member
    )
    where start_date <= $as_of
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, service_date, '残疾康复补助' from rehab_service where service_date <= $as_of and gov_subsidy > 0
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, finish_date, '危房改造补助' from house_safety where finish_date <= $as_of and subsidy > 0
    union all
    select coalesce(person_id, possible_person_id), person_id is not null, pay_date, '受灾救助' from disaster_loss where pay_date <= $as_of and amount > 0
)
select person_id,
       max(helped_on) filter (where is_sure)                              as helped_on,
       arg_max(kind_zh, (helped_on, kind_zh)) filter (where is_sure)      as kind_zh,
       max(helped_on) filter (where not is_sure)                          as possible_on,
       arg_max(kind_zh, (helped_on, kind_zh)) filter (where not is_sure)  as possible_zh
from given
where person_id is not null and helped_on is not null
group by person_id
