/*---
id: N05
version: 3
title: {zh: 失业或断缴, en: Job loss}
legal_basis:
  - 国办发〔2023〕39号（关注就业情况变化）
  - 2022年10月20日关于进一步做好最低生活保障等社会救助兜底工作的通知（连续三个月无收入）
level: orange
owner: 县民政局社会救助科（会同人社局）
expires: 2027-12-31
subject: person
needs:
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  employment: {max_age_days: 45, all: [hr_employment_record]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  registered_resident: {max_age_days: 45, all: [ps_resident]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window, labour_age]
evidence: [cause, since, months_missed, months_allowed]
reason:
  benefit_exhausted: 该成员的失业保险金已领满核定的{approved_months}个月（最后一个月为{since_month}），此后没有新的就业、养老待遇或在学记录。
  contributions_stopped: 该成员由单位缴纳的社会保险最后一次缴到{since_month}，此后已连续{months_missed}个月没有缴费（满{months_allowed}个月提示），没有新的就业、养老待遇或在学记录。
  long_registered: 该成员自{since}起登记失业，至今未注销，已超过{months_allowed}个月，没有新的就业、养老待遇或在学记录。
cited: [hr_insurance_contribution, hr_unemployment_benefit, hr_jobless_register]
known_gaps:
  zh: 失业登记自愿，覆盖不全；零工、外出务工和现金收入看不到；跨省参保看不到。
  en: Registration is voluntary; casual work, migrant work, cash income and insurance in other provinces are not seen.
false_alarms:
  zh: 跳槽到外地参保、单位欠缴补缴、自愿离职且家庭条件好、自己经营未登记。
  en: A new job insured elsewhere, late payments by the employer, leaving by choice, unregistered business.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "missed months are counted to the last month that has arrived"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words"}
---*/
with reported as (
    -- The last month that has arrived, and that is over: a month that nobody has delivered yet is not a month missed.
    select max(pay_month) as month
    from insurance_contribution
    where payer_type = '1' and status in ('1', '2') and pay_month < date_trunc('month', $as_of)
),
lost as (
    select s.person_id, 1 as rank, 'benefit_exhausted' as cause, b.month as since, null::bigint as months_missed,
           w.length as months_allowed, b.approved_months
    from (
        select person_id, max(month) as month, arg_max(used_months, month) as used_months,
               arg_max(approved_months, month) as approved_months, arg_max(stop_reason, month) as stop_reason
        from unemployment_benefit where month <= $as_of group by person_id
    ) b
    join person_household s on s.person_id = b.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'benefit_exhausted'
     and $as_of between w.valid_from and w.valid_to
    where b.used_months >= b.approved_months
      -- Stopped for a job, the army, a move abroad, a pension or death: no hardship of this kind.
      and (b.stop_reason is null or b.stop_reason in ('1', '6', '9'))
      and date_diff('month', b.month, $as_of) <= w.length
    union all
    select s.person_id, 2, 'contributions_stopped', g.last_employer_month,
           date_diff('month', g.last_employer_month, r.month), w.length, null
    from work_signal g
    cross join reported r
    join person_household s on s.person_id = g.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'contributions_stopped'
     and $as_of between w.valid_from and w.valid_to
    join warning_window x on x.county_code = s.county_code and x."window" = 'contributions_stopped_latest'
     and $as_of between x.valid_from and x.valid_to
    where date_diff('month', g.last_employer_month, r.month) >= w.length
      and date_diff('month', g.last_employer_month, r.month) <= x.length
    union all
    select s.person_id, 3, 'long_registered', min(j.reg_date), null, any_value(w.length), null
    from jobless_registration j
    join person_household s on s.person_id = j.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'jobless_over'
     and $as_of between w.valid_from and w.valid_to
    where (j.cancel_date is null or j.cancel_date > $as_of)
      and j.reg_date < $as_of - to_months(cast(w.length as integer))
    group by s.person_id
),
chosen as (
    select *, row_number() over (partition by person_id order by rank) as choice from lost
)
select h.household_id, c.person_id,
       c.cause || ':' || c.since as cause_key,
       c.cause,
       cast(c.since as date) as since,
       cast(c.since as date) as since_month,
       c.months_missed, c.months_allowed, c.approved_months
from chosen c
join person_household h on h.person_id = c.person_id
join labour_age l on l.county_code = h.county_code and $as_of between l.valid_from and l.valid_to
left join work_signal g on g.person_id = c.person_id
left join person p on p.person_id = c.person_id
where c.choice = 1
  and (p.birth_date is null or date_sub('year', p.birth_date, $as_of) between l.from_age and l.to_age)
  -- A later sign of work or of a pension. The month of the loss itself is the old job still.
  and (g.last_employer_month is null or g.last_employer_month <= c.since)
  and (g.last_wage_month is null or g.last_wage_month <= date_trunc('month', c.since) + interval 1 month)
  and (g.last_payroll_month is null or g.last_payroll_month <= date_trunc('month', c.since) + interval 1 month)
  and (g.last_job_start is null or g.last_job_start <= last_day(c.since))
  and (g.last_venture_on is null or g.last_venture_on <= last_day(c.since))
  and (g.last_pension_month is null or g.last_pension_month <= c.since)
  and not exists (
      select 1 from school_enrolment e
      where e.person_id = c.person_id and e.status = '1'
  )
  and not exists (select 1 from known_death k where k.person_id = c.person_id)
  and not exists (
      select 1 from registered_resident r where r.person_id = c.person_id and r.register_status in ('2', '3', '4')
  )
