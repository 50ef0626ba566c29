/*---
id: accident_event
version: 1
title: {zh: 事故死亡与重伤, en: Deaths and severe injuries by accident}
grain: one row a person and accident
unit: persons
period: accidents of the 24 months up to the business date
source: 应急管理、消防、公安交管部门事故伤亡台账；国办发〔2023〕39号（关注家庭突发变故）
columns:
  person_id: person who was hurt
  household_id: household of the person, or of the nearest kin after death
  county_code: county of that household
  event_on: day of the accident
  kind_zh: kind of accident, in words
  is_dead: died in it, or of it within 30 days as another source says
  is_earner: true when the person earned or was of labour age and able; false when known not to; null when nothing says
  others: members who live on in the household
  least_grade: grade of the link
needs:
  accident: {max_age_days: 45, all: [em_accident_casualty]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  employment: {max_age_days: 45, all: [hr_employment_record]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [labour_age, severe_disability]
published: false
known_gaps:
  zh: 证件号常缺，按姓名与地点不能确定到人的看不到；务农与打零工的收入没有记录，劳动年龄内、没有丧失劳动能力记录的按有收入的劳动力看。
  en: >-
    Ids are often missing, and whom name and place do not tell is not seen; farming and casual work leave no record, so people
    of labour age without a sign of inability are taken for earners.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with listed as (
    -- Two rows of one day are one accident of that person; the graver outcome stands.
    select person_id, occur_date as event_on, min(outcome) as outcome,
           min(accident_type) as accident_type, max(link_grade) as least_grade
    from accident
    where person_id is not null and outcome in ('1', '2') and occur_date <= $as_of and occur_date > $as_of - interval 24 month
    group by person_id, occur_date
),
placed as (
    select a.*, n.household_id, n.county_code,
           a.outcome = '1' or coalesce(date_diff('day', a.event_on, k.died_on) between 0 and 30, false) as is_dead
    from listed a
    join nearest_household n on n.person_id = a.person_id
    left join known_death k on k.person_id = a.person_id
    -- Who was hurt and died later of something else is in no need himself; that death is seen by its own rule.
    where a.outcome = '1' or k.person_id is null or date_diff('day', a.event_on, k.died_on) between 0 and 30
),
severe as (
    select distinct d.person_id
    from disability d
    join placed a on a.person_id = d.person_id
    join severe_disability s on s.county_code = a.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.issue_date < a.event_on and d.status in ('1', '4')
),
declared as (
    select person_id, min(labour_ability) as labour_ability from current_assistance where person_id is not null group by person_id
),
remaining as (
    select a.person_id, a.event_on, count(m.person_id) as others
    from placed a
    left join household_member m on m.household_id = a.household_id and m.person_id <> a.person_id
     and not exists (select 1 from known_death k where k.person_id = m.person_id)
    group by a.person_id, a.event_on
)
select a.person_id, a.household_id, a.county_code, a.event_on,
       case a.accident_type when '1' then '火灾' when '2' then '道路交通事故' when '3' then '生产安全事故' when '4' then '溺水事故'
                            else '事故' end as kind_zh,
       a.is_dead,
       case
           -- Work on record in the year before the accident, at whatever age.
           when g.last_employer_month > a.event_on - interval 12 month or g.last_wage_month > a.event_on - interval 12 month
             or g.last_payroll_month > a.event_on - interval 12 month
             or (g.last_job_start <= a.event_on and date_sub('year', p.birth_date, a.event_on) <= l.to_age) then true
           when date_sub('year', p.birth_date, a.event_on) not between l.from_age and l.to_age then false
           when d.labour_ability in ('3', '4', '5') or v.person_id is not null then false
           when exists (select 1 from school_enrolment e where e.person_id = a.person_id and e.status = '1') then false
           when p.birth_date is not null then true
       end as is_earner,
       r.others, a.least_grade
from placed a
join remaining r on r.person_id = a.person_id and r.event_on = a.event_on
join labour_age l on l.county_code = a.county_code and $as_of between l.valid_from and l.valid_to
left join person p on p.person_id = a.person_id
left join work_signal g on g.person_id = a.person_id
left join severe v on v.person_id = a.person_id
left join declared d on d.person_id = a.person_id
