/*---
id: serious_diagnosis
version: 3
title: {zh: 新出现的重大疾病, en: Serious diseases that are new}
grain: one row a person and day on which one begins to be known
unit: persons and days
period: the 24 months up to the business date
source: 国办发〔2023〕39号（关注重病患者）；病种范围见参数
columns:
  person_id: person
  event_on: day of the diagnosis in the register, or of the first settlement with a listed main diagnosis
  way: register, settlement or both
  diseases_zh: which, in words; null where no kind is to be told
needs:
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
parameters: [listed_diagnosis]
published: false
known_gaps:
  zh: 积压病例没有确诊日期，不算新发；结算数据开始之前的诊断看不到；只写到三位、看不出轻重的诊断（如慢性肾脏病）不计。
  en: >-
    Cases of the backlog carry no date and are not new; diagnoses before the settlements begin are not seen; codes of three
    characters that do not say how grave the disease is are left out.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "the same rows; a code is held against the list once"}
  - {version: 3, since: 2026-11-23, what: "a visit refunded as a whole under another number did not take place"}
---*/
with registered as (
    -- Every row of the register, with or without a date: an undated one says that the disease is an old one.
    select person_id, disease, diagnosed_on as event_on, manage_status
    from serious_disease
    where person_id is not null and (diagnosed_on is null or diagnosed_on <= $as_of)
),
named as (
    -- Kinds without a name of their own are told as a serious disease and no more.
    select disease, min(disease_zh) as disease_zh
    from listed_diagnosis
    where county_code = '000000' and $as_of between valid_from and valid_to
    group by disease
),
coded as (
    -- Every code that is delivered, held against the list once: the longest beginning wins.
    select d.diagnosis, l.county_code, l.disease, l.disease_zh
    from (select distinct diagnosis from medical_settlement) d
    join listed_diagnosis l
      on starts_with(upper(replace(d.diagnosis, '.', '')), replace(l.prefix, '.', '')) and $as_of between l.valid_from and l.valid_to
    qualify row_number() over (partition by d.diagnosis, l.county_code order by length(l.prefix) desc) = 1
),
seen as (
    select m.person_id, coalesce(m.settlement_id, m.row_key) as settlement, coalesce(m.settle_date, m.admit_date) as settled_on,
           c.disease, c.disease_zh
    from medical_settlement m
    join person_household h on h.person_id = m.person_id
    join coded c on c.diagnosis = m.diagnosis and c.county_code = h.county_code
    where m.is_refund is not true and coalesce(m.settle_date, m.admit_date) <= $as_of
),
refunded as (
    -- A visit that was refunded as a whole did not take place; nor can a refund of an unknown sum show that it did.
    select m.person_id, coalesce(m.settlement_id, m.row_key) as settlement
    from medical_settlement m
    join (select distinct person_id, settlement from seen) s
      on s.person_id = m.person_id and s.settlement = coalesce(m.settlement_id, m.row_key)
    group by all
    having bool_or(coalesce(m.is_refund, false))
       and coalesce(sum(case when m.is_refund then -abs(m.total_fee) else m.total_fee end), 0) <= 0
    union
    select person_id, refunds from refund_alone where is_whole
),
treated as (
    select person_id, disease, min(disease_zh) as disease_zh, min(settled_on) as event_on
    from seen s
    where not exists (select 1 from refunded r where r.person_id = s.person_id and r.settlement = s.settlement)
    group by person_id, disease
),
found as (
    select r.person_id, r.event_on, 'register' as way, n.disease_zh
    from registered r
    left join named n on n.disease = r.disease
    where r.event_on is not null and r.manage_status is distinct from '2' and r.manage_status is distinct from '3'
      -- The same disease is there before, dated earlier or not dated at all.
      and not exists (
          select 1 from registered e
          where e.person_id = r.person_id and e.disease = r.disease
            and (e.event_on is null or e.event_on < r.event_on)
      )
    union all
    select t.person_id, t.event_on, 'settlement', t.disease_zh
    from treated t
    where not exists (
        -- Registered with this disease, whenever that was: the register says when it began, or that it is of the backlog.
        select 1 from registered r where r.person_id = t.person_id and r.disease = t.disease
    )
)
select person_id, event_on,
       case when count(distinct way) > 1 then 'both' else min(way) end as way,
       string_agg(distinct disease_zh, '、' order by disease_zh) as diseases_zh
from found
where event_on > $as_of - interval 24 month
group by person_id, event_on
