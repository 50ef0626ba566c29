/*---
id: covered_person
version: 2
title: {zh: 已由低保或特困覆盖（含可能已覆盖）的人员, en: Persons whom dibao or tekun covers or may cover}
grain: one row a person
unit: persons
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第八条、第三十二条
columns:
  person_id: person
  category: 1 dibao, 2 tekun; the lower number where both
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
published: false
known_gaps:
  zh: 是否保障对象未填的按可能已保障处理；成员无法对应到人的，申请人按可能已保障处理；关联待人工确认的，所指的人按可能已保障处理。
  en: A member whose cover is not stated may be covered, and so may the applicant of a case one of whose members nobody could link, and whoever a link under review may mean.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "whom a link under review may mean may be covered"}
---*/
select person_id, min(category) as category
from (
    select person_id, category from current_assistance
    where category in ('1', '2') and is_covered is distinct from false
    union all
    -- The applicant of a case one of whose members nobody could link: that member may be he.
    select applicant_person_id, category from current_assistance
    where category in ('1', '2') and person_id is null
    union all
    select possible_person_id, category from current_assistance
    where category in ('1', '2') and is_covered is distinct from false
)
where person_id is not null
group by person_id
