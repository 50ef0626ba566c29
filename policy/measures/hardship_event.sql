/*---
id: hardship_event
version: 4
title: {zh: 家庭突发变故与困难事件, en: Events that bring a household into hardship}
grain: one row a household, person and event
unit: days
period: the 24 months up to the business date
source: 国办发〔2023〕39号（关注重病、残疾、就学、失业、灾害、事故等变化）；与各预警规则同一计量
columns:
  household_id: household
  person_id: person whom the event befell; null where it befell the household
  kind: the warning that speaks of such events, N01 to N09
  happened_on: day from which it holds
  words_zh: what happened, in words that a township may read
uses:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  employment: {max_age_days: 45, all: [hr_employment_record]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
  accident: {max_age_days: 45, all: [em_accident_casualty]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: 某类来源逾期时，该类事件不计；收入骤减以骤减的首月为日期。
  en: Events whose source is late do not count; a plunge of income is dated by its first month.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a plunge of income (N06) is among the events, from the first month of it"}
  - {version: 3, since: 2026-11-23, what: "a first certificate is what the measure of certificates says; titles of homes that are late switch nothing off"}
  - {version: 4, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with rests_on as (
    -- The classes without which nothing can be said of a kind, and how old they may be: as the rules of that kind have it.
    select kind, class_id, max_age_days
    from (values
        ('N01', 'mi_settlement', 10), ('N02', 'dp_disability_cert', 14), ('N03', 'hl_serious_disease', 45), ('N03', 'mi_settlement', 10),
        ('N04', 'ed_enrolment', 45), ('N05', 'hr_insurance_contribution', 45), ('N05', 'hr_unemployment_benefit', 45),
        ('N05', 'hr_jobless_register', 45), ('N05', 'tx_iit_withholding', 45), ('N05', 'hr_employment_record', 45),
        ('N05', 'hr_employee_pension', 45), ('N05', 'hr_resident_pension', 45),
        ('N06', 'tx_iit_withholding', 45), ('N06', 'hr_employee_pension', 45), ('N06', 'hr_resident_pension', 45), ('N06', 'hr_jobless_register', 45), ('N06', 'ed_enrolment', 45),
        ('N07', 'em_disaster_relief', 3650),
        ('N08', 'em_accident_casualty', 45), ('N09', 'tx_iit_withholding', 45), ('N09', 'hr_employee_pension', 45),
        ('N09', 'hr_resident_pension', 45)
    ) as t (kind, class_id, max_age_days)
),
heard as (
    select r.kind
    from rests_on r
    left join source_status s
      on s.class_id = r.class_id and s.status = 'fresh' and date_diff('day', s.last_batch, $as_of) <= r.max_age_days
    group by r.kind
    having count(*) = count(s.class_id)
),
event as (
    select household_id, person_id, 'N01' as kind, crossed_on as happened_on,
           '近12个月个人自付医疗费用累计' || yuan_zh(own_pay) || '，超过' || category_zh || '的预警线'
               || yuan_zh(limit_amount) as what_zh
    from medical_overrun
    union all
    select household_id, person_id, 'N02', first_on, '领到重度残疾的残疾人证' from severe_certificate
    union all
    select h.household_id, d.person_id, 'N03', d.event_on, '确诊或首次治疗重大疾病'
    from serious_diagnosis d
    join person_household h on h.person_id = d.person_id
    where not exists (select 1 from known_death k where k.person_id = d.person_id)
    union all
    select household_id, person_id, 'N04', since_on, '义务教育中断（' || kind_zh || '）' from schooling_interrupted
    union all
    select household_id, person_id, 'N05',
           -- The first month without pay, not the last with it.
           case when cause = 'long_registered' then since else cast(date_trunc('month', since) + interval 1 month as date) end,
           case cause when 'benefit_exhausted' then '失业保险金领满' when 'contributions_stopped' then '单位缴纳的社会保险停缴' else '登记失业至今' end
    from (select * from job_lost qualify row_number() over (partition by person_id order by rank) = 1)
    union all
    -- Judged as a family outside the pool is: everybody's means on record, and below the multiple of the standard.
    select household_id, null, 'N06', recent_from,
           '起家庭有记录的收入骤减：' || change_zh
    from income_plunged
    where not is_spike and not is_season and (pool_zh is not null or (is_low and unknown_members = 0))
    union all
    select household_id, null, 'N07', event_on,
           case when lost_home then '住房因灾倒塌或严重损坏' else '因灾损失' || yuan_zh(loss) end
    from disaster_damage
    where lost_home or lost_much
    union all
    select household_id, person_id, 'N08', event_on, '在' || kind_zh || '中' || case when is_dead then '去世' else '受重伤' end
    from accident_event
    where not is_dead or others > 0
    union all
    select household_id, person_id, 'N09', event_on, '家中主要劳动力' || case event_kind when 'death' then '去世' else '因故离家' end
    from earner_lost
)
select e.household_id, e.person_id, e.kind, e.happened_on,
       strftime(e.happened_on, '%Y年%-m月%-d日') || e.what_zh as words_zh
from event e
join heard d on d.kind = e.kind
where e.household_id is not null and e.happened_on > $as_of - interval 24 month and e.happened_on <= $as_of
