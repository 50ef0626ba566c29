/*---
id: P07
version: 3
title: {zh: 满60周岁未领取养老金, en: Of age without a pension}
legal_basis:
  - 国务院关于建立统一的城乡居民基本养老保险制度的意见（国发〔2014〕8号）
  - 国办发〔2023〕39号（政策未落实的及时落实）
level: blue
owner: 县人力资源和社会保障局社保经办机构
expires: 2027-12-31
subject: person
needs:
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  registered_resident: {max_age_days: 10, all: [ps_resident]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [pension_age, delivery_window]
evidence: [cause, age, turned_on, last_month]
reason:
  none: 该成员{age}周岁（{turned_on}满{from_age}周岁），职工养老和城乡居民养老都没有待遇发放记录。请核实是否在外地领取、是否需要补缴，符合条件的协助申领。依据：{limit_source}。
  suspended: 该成员{age}周岁，养老待遇自{last_month}起登记为暂停发放，多为没有完成领取资格认证。人可能健在，请上门协助认证，恢复发放；如已去世请告知经办机构。
  ended: 该成员{age}周岁，养老待遇到{last_month}为止，此后没有发放记录{ended_zh}，也没有其他养老待遇。请核实原因，符合条件的协助恢复或重新申领。
cited: [hr_employee_pension, hr_resident_pension]
known_gaps:
  zh: 在外地领取的养老金不在数据中；退役军人、工伤等其他定期待遇不在数据中。
  en: Pensions paid elsewhere are not in the data, nor are regular benefits to veterans or by work injury insurance.
false_alarms:
  zh: 在外地领取；财政供养离退休；仍在工作或仍在缴费、补缴（均已排除）；刚满60周岁还在办理。
  en: Paid elsewhere; retired on the fiscal payroll, at work, or still contributing (left out); just turned sixty.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
  - {version: 3, since: 2026-11-23, what: "a pension whose link is under review may be this person's"}
---*/
with old as (
    select h.person_id, h.household_id, h.county_code, a.from_age, a.source as limit_source,
           cast(p.birth_date + to_years(cast(a.from_age as integer)) as date) as turned_on,
           date_sub('year', p.birth_date, $as_of) as age,
           s.length as seen_months, c.length as contributing_months
    from person_household h
    join person p on p.person_id = h.person_id
    join pension_age a on a.county_code = h.county_code and $as_of between a.valid_from and a.valid_to
    join delivery_window w on w.county_code = h.county_code and w."window" = 'pension_wait' and $as_of between w.valid_from and w.valid_to
    join delivery_window s on s.county_code = h.county_code and s."window" = 'pension_seen' and $as_of between s.valid_from and s.valid_to
    join delivery_window c on c.county_code = h.county_code and c."window" = 'contributing_seen' and $as_of between c.valid_from and c.valid_to
    where p.birth_date + to_years(cast(a.from_age as integer)) + to_months(cast(w.length as integer)) <= $as_of
      and p.is_registered is distinct from false
      and not exists (select 1 from known_death k where k.person_id = h.person_id)
      and not exists (select 1 from registered_resident r where r.person_id = h.person_id and r.register_status in ('2', '3', '4'))
),
latest as (
    -- Each kind as its latest month has it: what was paid before a suspension is not paid now.
    select o.person_id, p.pension_kind, o.seen_months, max(p.month) as month, bool_or(p.month is null) as is_undated,
           arg_min(coalesce(p.status, '1'), (-date_diff('month', date '1900-01-01', p.month), coalesce(p.status, '1'))) as status
    from old o
    join pension p on p.person_id = o.person_id
    where p.month is null or p.month <= $as_of
    group by o.person_id, p.pension_kind, o.seen_months
),
drawn as (
    select person_id,
           -- A state or a month that nobody knows may be a pension that is paid.
           bool_or(is_undated or (status not in ('2', '3') and date_diff('month', month, $as_of) <= seen_months)) as is_drawn,
           max(month)                                            as last_month,
           arg_max(status, (month, status))                      as last_status
    from latest
    group by person_id
),
paused as (
    -- Since when it has stood still: the first month without a paid one after it.
    select p.person_id, min(p.month) as since
    from pension p
    where p.status = '2' and p.month <= $as_of
      and not exists (
          select 1 from pension q
          where q.person_id = p.person_id and q.status is distinct from '2' and q.status is distinct from '3'
            and q.month > p.month and q.month <= $as_of
      )
    group by p.person_id
)
select o.household_id, o.person_id,
       case when d.person_id is null then 'none' when d.last_status = '2' then 'suspended' else 'ended' end as cause,
       case when d.person_id is null then 'none' when d.last_status = '2' then 'suspended:' || u.since
            else 'ended:' || d.last_month end as cause_key,
       cast(o.age as integer) as age, o.from_age, o.turned_on, o.limit_source,
       case when d.last_status = '2' then u.since else d.last_month end as last_month,
       case when d.last_status = '3' then '（登记为终止）' else '' end as ended_zh,
       case when exists (
                select 1 from fiscal_payroll f
                where f.person_id = o.person_id and f.month <= $as_of and date_diff('month', f.month, $as_of) <= o.seen_months
            ) then '在财政供养名册中'
            -- At work, or still paying in for the years that are missing.
            when exists (
                select 1 from insurance_contribution c
                where c.person_id = o.person_id and c.insurance in ('110', '120', '170') and c.status = '1'
                  and c.pay_month <= $as_of and date_diff('month', c.pay_month, $as_of) <= o.contributing_months
            ) then '仍在缴纳养老保险'
            when exists (
                select 1 from pension p
                where p.possible_person_id = o.person_id and coalesce(p.status, '1') not in ('2', '3')
                  and (p.month is null or (p.month <= $as_of and date_diff('month', p.month, $as_of) <= o.seen_months))
            ) then '有一笔养老待遇可能发给了该成员，身份关联待人工确认' end as not_raised_zh
from old o
left join drawn d on d.person_id = o.person_id
left join paused u on u.person_id = o.person_id
where not coalesce(d.is_drawn, false)
