/*---
id: severe_certificate
version: 2
title: {zh: 重度残疾证, en: Certificate of a severe disability}
grain: one row a living person with a valid certificate of a severe disability
unit: persons and days
period: as of the business date; a first one of whatever age, also one that is no longer valid
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条
columns:
  person_id: person
  household_id: household of the person
  dis_type: type of the newest
  dis_grade: its grade
  issue_date: its day
  severe_source: by which rule it is severe
  first_on: day of the first severe certificate on file
needs:
  disability: {max_age_days: 14, all: [dp_disability_cert]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [severe_disability]
published: false
known_gaps:
  zh: 换领新证而旧证查不到的，会当作首次取得。
  en: A renewal whose older certificate is not on file looks like a first one.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "every valid certificate, the newest with type, grade and source, and the day of the first: N02 and the events after an exit say the same"}
---*/
with severe as (
    select d.person_id, h.household_id, d.dis_type, d.dis_grade, d.issue_date, s.source as severe_source,
           coalesce(d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of), false) as is_valid
    from disability d
    join person_household h on h.person_id = d.person_id
    join severe_disability s on s.county_code = h.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.issue_date <= $as_of
      and not exists (select 1 from known_death k where k.person_id = d.person_id)
),
dated as (
    select *, min(issue_date) over (partition by person_id) as first_on from severe
)
select person_id, household_id, dis_type, dis_grade, issue_date, severe_source, first_on
from dated
where is_valid
qualify row_number() over (partition by person_id order by issue_date desc, dis_grade, dis_type) = 1
