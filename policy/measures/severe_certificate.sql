/*---
id: severe_certificate
version: 1
title: {zh: 首次取得的重度残疾证, en: First certificate of a severe disability}
grain: one row a living person
unit: persons and days
period: certificates of the 24 months up to the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条
columns:
  person_id: person
  household_id: household of the person
  issue_date: day of the certificate
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
---*/
select d.person_id, h.household_id, min(d.issue_date) as issue_date
from disability d
join person_household h on h.person_id = d.person_id
join severe_disability s on s.county_code = h.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
 and $as_of between s.valid_from and s.valid_to
where s.is_severe and d.issue_date <= $as_of
  and not exists (select 1 from known_death k where k.person_id = d.person_id)
group by d.person_id, h.household_id
having min(d.issue_date) > $as_of - interval 24 month
   and bool_or(d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of))
