/*---
id: X15
version: 3
title: {zh: 户籍已迁出本县, en: Registered elsewhere now}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第五条（向户籍所在地申请）
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  register_event: {max_age_days: 10, all: [ps_hukou_event]}
uses:
  registered_resident: {max_age_days: 10, all: [ps_resident]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [move_out_exempt]
evidence: [moved_on, to_division, others_here]
reason: >-
  该户现为{category_zh}，{role_zh}的户籍于{moved_on}迁出本县（{where_zh}），此后没有迁回记录。{others_zh}
  请核实是否仍在本地共同生活，是否需要减员、转由户籍地保障或办理退出。
cited: [ps_hukou_event, ca_assist_member]
known_gaps:
  zh: 只看户籍变动登记；迁入地未登记且户籍状态也未更新的不判断；成员户籍不一致的家庭可以由任一成员的户籍地受理。
  en: Follows the register of changes; where the destination is unknown and the register's state is not "moved", nothing is said; a family of several places may be covered in any of them.
false_alarms:
  zh: 学生户口迁入学校集体户（已排除）；县内迁移；迁出后又迁回；起保以前的迁移。
  en: Students in the book of their school (left out), moves inside the county, people who came back, moves before the case began.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
  - {version: 3, since: 2026-11-23, what: "the place is named"}
---*/
with member as (
    select f.case_id, f.household_id, f.category_zh, a.person_id, a.county_code, min(a.start_month) as start_month,
           bool_or(a.is_covered) as is_covered, bool_or(a.person_id = a.applicant_person_id) as is_applicant
    from case_in_force f
    join current_assistance a on a.case_id = f.case_id
    where a.person_id is not null and (f.category in ('3', '4', '5') or a.is_covered)
      and not exists (select 1 from known_death k where k.person_id = a.person_id)
    group by f.case_id, f.household_id, f.category_zh, a.person_id, a.county_code
),
place as (
    -- A county with its prefecture; of the counties directly under a province the province.
    select county_code, min(coalesce(prefecture_zh, '') || county_zh) as place_zh
    from division
    where county_zh is not null
    group by county_code
),
move as (
    select person_id, event_type, event_date, from_division, to_division, row_key
    from register_event
    where person_id is not null and event_type in ('2', '3') and event_date <= $as_of
),
latest as (
    -- The latest move decides; of two on one day the arrival.
    select m.case_id, m.household_id, m.category_zh, m.person_id, m.county_code, m.start_month, m.is_covered, m.is_applicant,
           v.event_type, v.event_date, left(v.to_division, 6) as to_division, left(v.from_division, 6) as from_division,
           row_number() over (partition by m.case_id, m.person_id
                              order by v.event_date desc, v.event_type, v.row_key desc) as choice
    from member m
    join move v on v.person_id = m.person_id
),
gone as (
    select l.*,
           exists (
               select 1 from school_enrolment e
               join move_out_exempt x on x.county_code = l.county_code and x.stage = e.stage
                and $as_of between x.valid_from and x.valid_to
               where e.person_id = l.person_id and e.status = '1' and x.is_exempt
           ) as is_student
    from latest l
    where l.choice = 1
      -- A move to elsewhere, whichever side wrote it down; without a destination only if the register says so as well.
      and (l.to_division <> l.county_code
           or (l.to_division is null and l.event_type = '3'
               and exists (select 1 from registered_resident r where r.person_id = l.person_id and r.register_status = '2')))
      and l.event_date >= coalesce(l.start_month, l.event_date)
)
select g.household_id, g.person_id, g.case_id,
       'moved:' || g.event_date || ':' || g.case_id as cause_key,
       g.category_zh, g.event_date as moved_on, g.to_division, o.others_here,
       case when g.is_applicant then '申请人' when g.is_covered then '保障成员' else '家庭成员' end as role_zh,
       case when g.to_division is null then '迁往地未登记，户籍状态为迁出' else '迁往' || coalesce(d.place_zh, '外地，地名未查到，区划代码' || g.to_division) end as where_zh,
       case when o.others_here > 0 then '该证另有' || o.others_here || '名成员没有迁出记录。' else '该证没有其他户籍仍在本县的成员。' end as others_zh,
       case when g.is_student then '在校学生的户口在学校所在地' end as not_raised_zh
from gone g
left join place d on d.county_code = g.to_division
join lateral (
    select count(*) as others_here from member m
    where m.case_id = g.case_id and m.person_id <> g.person_id
      and not exists (select 1 from gone n where n.case_id = m.case_id and n.person_id = m.person_id and not n.is_student)
) o on true
