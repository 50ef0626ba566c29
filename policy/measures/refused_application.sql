/*---
id: refused_application
version: 3
title: {zh: 最近一次申请未获批的家庭, en: Households whose last application was refused}
grain: one row a household
unit: days
period: applications up to the business date
source: 民办函〔2024〕31号（申请未通过的纳入监测）
columns:
  household_id: household of the applicant or of a member of the application
  county_code: county of that household
  refused_on: day of the refusal; of the acceptance where the decision carries no day
  category: category applied for
  category_zh: the same in words
  asks_again: another application is open since
needs:
  assistance_application: {max_age_days: 10, all: [ca_application]}
uses:
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
published: false
known_gaps:
  zh: 外县的申请看不到；撤回申请、终止办理不算未获批。
  en: Applications in other counties are not seen; withdrawn and discontinued ones are no refusals.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "a refusal whose day of acceptance is not told is a refusal"}
  - {version: 3, since: 2026-11-23, what: "an applicant who has died leaves the refusal to those who live on in the household"}
---*/
with asked as (
    select application_id, person_id, category, accept_date, decision, decision_date, reason from assistance_application
    union
    select a.application_id, m.person_id, a.category, a.accept_date, a.decision, a.decision_date, a.reason
    from assistance_application_member m
    join assistance_application a on a.application_id = m.application_id
),
placed as (
    select h.household_id, h.county_code, q.application_id, q.category, q.accept_date, q.decision, q.reason,
           coalesce(q.decision_date, q.accept_date) as decided_on
    from asked q
    join person_household h on h.person_id = q.person_id
    where coalesce(q.accept_date, q.decision_date) <= $as_of and (q.decision_date is null or q.decision_date <= $as_of)
      -- The death of the applicant may be the very change that a refused family is watched for.
      and exists (
          select 1 from household_member m
          where m.household_id = h.household_id and not exists (select 1 from known_death k where k.person_id = m.person_id)
      )
),
decided as (
    -- Withdrawn (3) and discontinued (4) say nothing of the family; an approval, or an exit (5), is a later word than a refusal before it.
    select *, row_number() over (partition by household_id order by decided_on desc, decision, application_id desc) as choice
    from placed
    where decision in ('1', '2', '5')
)
select d.household_id, d.county_code, d.decided_on as refused_on, d.category,
       case d.category when '1' then '低保' when '2' then '特困供养' when '3' then '低保边缘家庭认定' when '4' then '刚性支出困难家庭认定'
                       else '其他困难家庭认定' end as category_zh,
       exists (
           select 1 from placed p
           where p.household_id = d.household_id and p.decision is null and p.accept_date >= d.decided_on
       ) as asks_again
from decided d
where d.choice = 1 and d.decision = '2' and coalesce(d.reason, '9') not in ('3', '4')
