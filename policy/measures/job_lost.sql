/*---
id: job_lost
version: 5
title: {zh: 失业或断缴的人员, en: Persons who lost their job}
grain: one row a person and sign of the loss, without any later sign of work, study or pension
unit: months and days
period: losses of any date up to the business date
source: 国办发〔2023〕39号（关注就业情况变化）；期限见参数
columns:
  person_id: person
  household_id: household of the person
  cause: benefit_exhausted, contributions_stopped or long_registered
  rank: which sign is told of first, 1 before 3
  since: month or day of the loss
  months_missed: months without contributions
  months_allowed: limit
  limit_source: where the limit comes from
  approved_months: months of unemployment benefit
  is_recent: within the window of the sign
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
published: false
known_gaps:
  zh: 失业登记自愿，覆盖不全；零工、外出务工和现金收入看不到；跨省参保看不到。
  en: Registration is voluntary; casual work, migrant work, cash income and insurance in other provinces are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "where fresh deliveries bring no employer month at all, the months up to the delivery are missed"}
  - {version: 3, since: 2026-11-23, what: "a benefit that stopped because its term is over is used up, also where its months are not told"}
  - {version: 4, since: 2026-11-23, what: "tells where the limit comes from"}
  - {version: 5, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with reported as (
    -- The last month that has arrived, and that is over: a month that nobody has delivered yet is not a month missed.
    -- Deliveries that go on for more than three months after it without any month of an employer are no months that are still to come.
    select case when date_diff('month', month, delivered_on) > 3
                then cast(date_trunc('month', delivered_on) - interval 1 month as date) else month end as month
    from (
        select max(pay_month) filter (where payer_type = '1' and status in ('1', '2')
                                        and pay_month < date_trunc('month', $as_of)) as month,
               least(max(data_as_of), $as_of) as delivered_on
        from insurance_contribution
    )
),
lost as (
    select s.person_id, 1 as rank, 'benefit_exhausted' as cause, b.month as since, null::bigint as months_missed,
           w.length as months_allowed, w.source as limit_source, b.approved_months,
           date_diff('month', b.month, $as_of) <= w.length as is_recent
    from (
        select person_id, max(month) as month, arg_max(used_months, (month, row_key)) as used_months,
               arg_max(approved_months, (month, row_key)) as approved_months, arg_max(stop_reason, (month, row_key)) as stop_reason
        from unemployment_benefit where month <= $as_of group by person_id
    ) b
    join person_household s on s.person_id = b.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'benefit_exhausted'
     and $as_of between w.valid_from and w.valid_to
    -- Where the months are not told, the office's own word that the term is over.
    where (b.used_months >= b.approved_months
           or (b.stop_reason = '1' and (b.used_months is null or b.approved_months is null)))
      -- Stopped for a job, the army, a move abroad, a pension or death: no hardship of this kind.
      and (b.stop_reason is null or b.stop_reason in ('1', '6', '9'))
    union all
    select s.person_id, 2, 'contributions_stopped', g.last_employer_month,
           date_diff('month', g.last_employer_month, r.month), w.length, w.source, null,
           date_diff('month', g.last_employer_month, r.month) <= x.length
    from work_signal g
    cross join reported r
    join person_household s on s.person_id = g.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'contributions_stopped'
     and $as_of between w.valid_from and w.valid_to
    join warning_window x on x.county_code = s.county_code and x."window" = 'contributions_stopped_latest'
     and $as_of between x.valid_from and x.valid_to
    where date_diff('month', g.last_employer_month, r.month) >= w.length
    union all
    select s.person_id, 3, 'long_registered', min(j.reg_date), null, min(w.length), min(w.source), null, true
    from jobless_registration j
    join person_household s on s.person_id = j.person_id
    join warning_window w on w.county_code = s.county_code and w."window" = 'jobless_over'
     and $as_of between w.valid_from and w.valid_to
    where (j.cancel_date is null or j.cancel_date > $as_of)
      and j.reg_date < $as_of - to_months(cast(w.length as integer))
    group by s.person_id
)
select c.person_id, h.household_id, c.cause, cast(c.rank as integer) as rank, cast(c.since as date) as since, c.months_missed,
       c.months_allowed, c.limit_source, c.approved_months, c.is_recent
from lost c
join person_household h on h.person_id = c.person_id
join labour_age l on l.county_code = h.county_code and $as_of between l.valid_from and l.valid_to
left join work_signal g on g.person_id = c.person_id
left join person p on p.person_id = c.person_id
where (p.birth_date is null or date_sub('year', p.birth_date, $as_of) between l.from_age and l.to_age)
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
