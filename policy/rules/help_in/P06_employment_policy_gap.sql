/*---
id: P06
version: 2
title: {zh: 就业帮扶未落实, en: No employment service}
legal_basis:
  - 社会救助暂行办法（有劳动能力未就业的低保家庭成员由人社部门给予就业救助）
  - 石家庄市桥西区2021年实施意见（推荐就业不少于3次）
level: blue
owner: 县人力资源和社会保障局（会同县民政局社会救助科）
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
uses:
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
parameters: [employment_service, labour_age]
evidence: [registered_on, months_registered, services, services_min, refusals]
reason: >-
  该成员是低保对象{since_zh}，申报有劳动能力，{registered_on}登记失业，到现在已{months_registered}个月，就业服务记录{services}次，少于{services_min}次。
  {refused_zh}请联系人社部门提供职业介绍、培训或公益性岗位。依据：{limit_source}。
cited: [hr_jobless_register, ca_assist_member]
known_gaps:
  zh: 失业登记是自愿的，没有登记的无业成员不在其中；服务次数是本次登记以来的合计，看不出是哪个月的。
  en: Registration is voluntary, so the jobless who did not register are not here; the number of services is that since registration, without dates.
false_alarms:
  zh: 已就业而未注销登记（有单位缴费、工资的已排除）、在学、领取养老金、照料家人不能外出。
  en: At work while the registration was not cancelled (left out where contributions or wages show it), students, pensioners, people who care for somebody.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
---*/
with spell as (
    -- The spell that is open; of several the latest.
    select person_id, reg_date, services_count, refuse_count,
           row_number() over (partition by person_id order by reg_date desc, row_key desc) as choice
    from jobless_registration
    where person_id is not null and reg_date <= $as_of and (cancel_date is null or cancel_date > $as_of)
)
select a.household_id, a.person_id, a.case_id, 'service:' || s.reg_date as cause_key,
       s.reg_date as registered_on, date_sub('month', s.reg_date, $as_of) as months_registered,
       cast(s.services_count as integer) as services, e.services_min, s.refuse_count as refusals, e.source as limit_source,
       case when a.since is null then '' else strftime(a.since, '（%Y年%-m月起）') end as since_zh,
       case when s.refuse_count > 0 then '登记有' || s.refuse_count || '次无正当理由拒绝。' else '' end as refused_zh,
       -- A sign of work after the registration says that it was not cancelled in time.
       case when (g.last_employer_month > s.reg_date and date_diff('month', g.last_employer_month, $as_of) <= 3)
              or (g.last_wage_month > s.reg_date and date_diff('month', g.last_wage_month, $as_of) <= 3)
              or (g.last_payroll_month > s.reg_date and date_diff('month', g.last_payroll_month, $as_of) <= 3)
              or g.last_job_start >= s.reg_date then '登记失业后已有单位缴费、工资或就业登记'
            when date_diff('month', g.last_pension_month, $as_of) <= 3 then '已领取养老金'
            when exists (select 1 from school_enrolment t where t.person_id = a.person_id and t.status = '1') then '在校学生' end as not_raised_zh
from assisted_person a
join spell s on s.person_id = a.person_id and s.choice = 1
join employment_service e on e.county_code = a.county_code and $as_of between e.valid_from and e.valid_to
join labour_age l on l.county_code = a.county_code and $as_of between l.valid_from and l.valid_to
left join person p on p.person_id = a.person_id
left join work_signal g on g.person_id = a.person_id
where a.category = '1' and a.labour_ability = '1' and not a.is_away
  and (p.birth_date is null or date_sub('year', p.birth_date, $as_of) between l.from_age and l.to_age)
  and s.reg_date + to_months(cast(e.after_months as integer)) <= $as_of
  and s.services_count < e.services_min
