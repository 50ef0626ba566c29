/*---
id: household_in_process
version: 2
title: {zh: 已在救助台账或办理中的家庭, en: Households that are in a case or in the procedure}
grain: one row a household and reason
unit: words
period: as of the business date; refusals of the local window refused_recently
source: 最低生活保障审核确认办法（民发〔2021〕57号）：已保障的不再提示；入户调查结论比数据更全，刚办结的不重复提示
columns:
  household_id: household
  state: covered (a case that is or may be in force), applied (open application), refused (lately refused)
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_application: {max_age_days: 10, all: [ca_application]}
uses:
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
parameters: [warning_window]
published: false
known_gaps:
  zh: 外县的救助和申请看不到。
  en: Cases and applications of other counties are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "cases and applications whose link is under review count"}
---*/
with in_force as (
    -- A case whose status or end is not known may be in force.
    select case_id, coalesce(person_id, possible_person_id) as person_id from assistance_case
    where coalesce(status, '1') in ('1', '2') and (end_month is null or end_month > date_trunc('month', $as_of))
),
asked as (
    -- Whom a link under review may mean may have asked.
    select coalesce(person_id, possible_person_id) as person_id, accept_date, decision, decision_date from assistance_application
    union all
    select coalesce(m.person_id, m.possible_person_id), a.accept_date, a.decision, a.decision_date
    from assistance_application_member m
    join assistance_application a on a.application_id = m.application_id
)
-- By whomever the household is in a case: a member, the applicant, or the household that the case is placed in.
select h.household_id, 'covered' as state
from current_assistance a join person_household h on h.person_id = coalesce(a.person_id, a.possible_person_id)
union
select h.household_id, 'covered' from in_force c join person_household h on h.person_id = c.person_id
union
select h.household_id, 'covered' from in_force c join case_household h on h.case_id = c.case_id
union
select h.household_id, case when q.decision is null then 'applied' else 'refused' end
from asked q
join person_household h on h.person_id = q.person_id
join warning_window w on w.county_code = h.county_code and w."window" = 'refused_recently'
 and $as_of between w.valid_from and w.valid_to
where coalesce(q.decision_date, q.accept_date) > $as_of - to_months(cast(w.length as integer))
  and (q.decision is null or q.decision in ('1', '2'))
