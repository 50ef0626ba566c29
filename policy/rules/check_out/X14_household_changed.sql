/*---
id: X14
version: 6
title: {zh: 家庭人口变化未更新, en: A change of the family that the case does not show}
legal_basis:
  - 2022年10月20日关于进一步做好最低生活保障等社会救助兜底工作的通知：家庭情况发生变化的应当及时报告，超过3个月未报告的可以批评教育
  - 最低生活保障审核确认办法（民发〔2021〕57号）第七条、第三十一条
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  marriage: {max_age_days: 10, all: [ca_marriage]}
uses:
  birth: {max_age_days: 21, all: [hl_birth_death_cert]}
  register_event: {max_age_days: 10, all: [ps_hukou_event]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  custody: {max_age_days: 45, all: [ps_custody]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [exit_window, graduation_stage, custody_paid]
evidence: [cause, happened_on, listed]
reason:
  marriage: 该户现为{category_zh}，成员于{happened_on}登记结婚，已超过{limit_months}个月，救助证上{partner_zh}。请核实配偶是否共同生活、收入是否计入。
  divorce: 该户现为{category_zh}，成员于{happened_on}登记离婚，已超过{limit_months}个月，双方仍在同一救助证上。请核实现在由谁共同生活。
  birth: 该户现为{category_zh}，成员于{happened_on}有子女出生，已超过{limit_months}个月，救助证上没有该子女。请核实是否需要增员。
  split: 该户现为{category_zh}，成员于{happened_on}办理户籍分户，已超过{limit_months}个月，仍与其他{others}名成员列在同一救助证上。请核实是否已经分开生活；分户不等于分居。
  graduation: 该户现为{category_zh}，成员于{happened_on}从{stage_zh}毕业，已超过{limit_months}个月，救助证上{occupation_zh}。请核实是否就业、收入是否计入，是否仍需家庭供养。
  release: 该户现为{category_zh}，家庭成员于{happened_on}结束依法被收押、服刑等情形，已超过{limit_months}个月，救助证上没有该成员。请核实是否回家共同生活，是否需要增员并计入其收入。
  not_listed: 该户现为{category_zh}，根据{basis_zh}，一名成员自{happened_on}起与该户共同生活，已超过{limit_months}个月，救助证上没有该成员。请核实是否共同生活。
cited: [ca_assist_member, ca_marriage, hl_birth_death_cert, ps_hukou_event, ed_enrolment, ps_custody]
known_gaps:
  zh: 法院判决离婚、丧偶不在婚姻登记中；外地登记的婚姻看不到；毕业后到外地升学的看不到；只看起保以后、两年以内的变化。
  en: Court divorces are not in the register of marriages, nor are marriages elsewhere or studies elsewhere after leaving school; only changes since the case began and of two years are looked at.
false_alarms:
  zh: 已减员或增员、已复核而台账未更新、配偶在外地另行保障、分户不分居、毕业后继续升学、出狱后未回家。
  en: Members added or removed in time, a register not updated, a spouse covered elsewhere, split on paper alone, graduates who study on, people who did not come home.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "the ground of a household's member in more words; the same rows, joined on equal keys"}
  - {version: 3, since: 2026-11-22, what: "births are joined on the parent alone: the same rows in a fraction of the time"}
  - {version: 4, since: 2026-11-23, what: "a marriage whose spouse, or a birth whose child, is linked by less than a certain link says nothing"}
  - {version: 5, since: 2026-11-23, what: "the sentence: which kind of custody has ended is not told to a township"}
  - {version: 6, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with standing as (
    select f.case_id, f.household_id, f.county_code, f.category, f.category_zh, f.start_month,
           w.length as limit_months,
           $as_of - to_months(cast(w.length as integer)) as before_day,
           $as_of - to_months(cast(v.length as integer)) as from_day
    from case_in_force f
    join exit_window w on w.county_code = f.county_code and w."window" = 'household_change'
     and $as_of between w.valid_from and w.valid_to
    join exit_window v on v.county_code = f.county_code and v."window" = 'household_change_seen'
     and $as_of between v.valid_from and v.valid_to
    -- Without the month of beginning nobody can say what was known then.
    where f.start_month is not null
),
roll as (
    -- Who stands in the case today; of several rows of one member the latest.
    select s.case_id, m.person_id, m.row_key, m.join_month, m.occupation_status, m.is_single_person
    from standing s
    join assistance_member m on m.case_id = s.case_id
    where (m.join_month is null or m.join_month <= $as_of)
      and (m.leave_month is null or m.leave_month > date_trunc('month', $as_of))
),
member as (
    select s.case_id, s.household_id, s.county_code, s.category, s.category_zh, s.limit_months, s.before_day, s.from_day, r.person_id,
           min(greatest(s.start_month, r.join_month))           as since,
           arg_max(r.occupation_status, coalesce(r.join_month, s.start_month)) as occupation_status,
           bool_or(coalesce(r.is_single_person, false))         as is_single_person
    from standing s
    join roll r on r.case_id = s.case_id
    where r.person_id is not null and not exists (select 1 from known_death k where k.person_id = r.person_id)
    group by all
),
couple as (
    -- The latest event of a pair; a certificate that was issued again is none.
    select least(male_person_id, female_person_id) as one, greatest(male_person_id, female_person_id) as other,
           male_person_id, female_person_id, reg_type, reg_date, row_key,
           coalesce(male_link_grade = 'B', false) or coalesce(female_link_grade = 'B', false) as is_doubtful,
           row_number() over (partition by coalesce(least(male_person_id, female_person_id)::varchar || '-' || greatest(male_person_id, female_person_id)::varchar, row_key)
                              order by reg_date desc, reg_type desc, row_key) as choice
    from marriage
    where reg_type in ('1', '2', '3') and reg_date <= $as_of
),
wedded as (
    select male_person_id as person_id, female_person_id as partner_id, reg_type, reg_date, is_doubtful from couple where choice = 1 and male_person_id is not null
    union
    select female_person_id, male_person_id, reg_type, reg_date, is_doubtful from couple where choice = 1 and female_person_id is not null
),
wedding as (
    -- The latest marriage of a member.
    select m.*, w.partner_id, w.reg_type, w.reg_date, w.is_doubtful,
           row_number() over (partition by m.case_id, m.person_id order by w.reg_date desc, w.partner_id) as choice
    from member m
    join wedded w on w.person_id = m.person_id
),
marriage_told as (
    select w.household_id, w.person_id, w.case_id, w.category_zh, w.limit_months, 'marriage' as cause, w.reg_date as happened_on, w.partner_id as told_person_id,
           case when w.partner_id is null then '其后没有增加成员（配偶未能对应到人）' else '没有其配偶' end as partner_zh
    from wedding w
    -- A spouse who is probably somebody we know may stand in the case: this list does not guess.
    where w.choice = 1 and w.reg_type = '1' and not w.is_doubtful
      and w.reg_date >= w.since and w.reg_date < w.before_day and w.reg_date >= w.from_day
      and not exists (select 1 from roll r where r.case_id = w.case_id and r.person_id = w.partner_id)
      -- Somebody whom nobody could link, and who came since, may be the spouse.
      and not exists (
          select 1 from roll r
          where r.case_id = w.case_id and (r.person_id is null or w.partner_id is null)
            and r.join_month >= date_trunc('month', w.reg_date)
      )
      and not exists (select 1 from known_death k where k.person_id = w.partner_id)
),
divorce_told as (
    select w.household_id, w.person_id, w.case_id, w.category_zh, w.limit_months, 'divorce' as cause, w.reg_date as happened_on
    from wedding w
    join member o on o.case_id = w.case_id and o.person_id = w.partner_id
    where w.choice = 1 and w.reg_type = '2' and w.person_id < w.partner_id
      and w.reg_date >= greatest(w.since, o.since) and w.reg_date < w.before_day and w.reg_date >= w.from_day
),
parent as (
    -- With the day of birth on each parent's row, so that cases are found by the person alone and never by days.
    select row_key, person_id as child_id, birth_date, mother_person_id as person_id, 0 as rank from birth where mother_person_id is not null and link_grade is distinct from 'B'
    union all
    select row_key, person_id, birth_date, father_person_id, 1 from birth where father_person_id is not null and link_grade is distinct from 'B'
),
newborn as (
    select m.household_id, m.case_id, m.category_zh, m.limit_months, b.birth_date, b.child_id, b.row_key,
           m.person_id,
           row_number() over (partition by m.case_id, b.row_key order by b.rank, m.person_id) as choice
    from parent b
    join member m on m.person_id = b.person_id
    where b.birth_date >= m.since and b.birth_date < m.before_day and b.birth_date >= m.from_day
      and not exists (select 1 from known_death k where k.person_id = b.child_id)
      -- In this case, in another one, or possibly somebody who came in since and whom nobody could link.
      and not exists (select 1 from current_assistance a where a.person_id = b.child_id)
      and not exists (
          select 1 from roll r
          left join person p on p.person_id = r.person_id
          where r.case_id = m.case_id
            and (r.person_id = b.child_id
                 or (r.person_id is null and r.join_month >= date_trunc('month', b.birth_date))
                 or (b.child_id is null and p.birth_date = b.birth_date))
      )
),
birth_told as (
    select household_id, person_id, case_id, category_zh, limit_months, 'birth' as cause, birth_date as happened_on, min(child_id) as told_person_id
    from newborn
    where choice = 1
    group by household_id, person_id, case_id, category_zh, limit_months, birth_date
),
split_event as (
    select person_id, event_type, event_date,
           row_number() over (partition by person_id order by event_date desc, event_type desc, row_key) as choice
    from register_event
    where person_id is not null and event_type in ('6', '7') and event_date <= $as_of
),
split_told as (
    -- Split from those in the case who did not split on the same day.
    select m.household_id, m.person_id, m.case_id, m.category_zh, m.limit_months, 'split' as cause, e.event_date as happened_on,
           count(distinct o.person_id) as others
    from member m
    join split_event e on e.person_id = m.person_id and e.choice = 1 and e.event_type = '6'
    join member o on o.case_id = m.case_id and o.person_id <> m.person_id
    where e.event_date >= m.since and e.event_date < m.before_day and e.event_date >= m.from_day
      and not exists (
          select 1 from split_event t
          where t.person_id = o.person_id and t.event_type = '6' and t.event_date = e.event_date
      )
    group by all
),
graduation_told as (
    select m.household_id, m.person_id, m.case_id, m.category_zh, m.limit_months, 'graduation' as cause,
           max(e.status_date) as happened_on, arg_max(g.stage_zh, (e.status_date, e.stage)) filter (where e.status_date is not null) as stage_zh,
           case when m.occupation_status = '31' then '仍登记为学生' else '没有登记从业状况' end as occupation_zh
    from member m
    join school_enrolment e on e.person_id = m.person_id and e.status = '5'
    join graduation_stage g on g.county_code = m.county_code and g.stage = e.stage and $as_of between g.valid_from and g.valid_to
    where g.is_change and coalesce(m.occupation_status, '31') = '31'
      and e.status_date >= m.since and e.status_date < m.before_day and e.status_date >= m.from_day
      and not exists (select 1 from school_enrolment c where c.person_id = m.person_id and c.status in ('1', '2'))
    group by m.household_id, m.person_id, m.case_id, m.category_zh, m.limit_months, m.occupation_status
),
at_home as (
    -- Members beyond doubt of the household, whom the case does not list and no other case does.
    select s.case_id, s.household_id, s.county_code, s.category, s.category_zh, s.start_month, s.limit_months, s.before_day, s.from_day,
           h.person_id, h.since, h.basis
    from standing s
    join household_member h on h.household_id = s.household_id
    where h.person_id is not null and h.needs_check is not true
      -- Tekun and single-person cover are of one person.
      and s.category <> '2'
      and not exists (select 1 from roll r where r.case_id = s.case_id and r.is_single_person)
      and not exists (select 1 from current_assistance a where a.person_id = h.person_id)
      and not exists (select 1 from known_death k where k.person_id = h.person_id)
      and not exists (select 1 from roll r where r.case_id = s.case_id and r.person_id is null and r.join_month > s.start_month)
),
release_told as (
    select a.household_id, a.person_id, a.case_id, a.category_zh, a.limit_months, 'release' as cause,
           max(c.end_date) as happened_on
    from at_home a
    join custody c on c.person_id = a.person_id and c.status = '2'
    join custody_paid t on t.county_code = a.county_code and t.custody_type = c.custody_type and t.is_away
     and $as_of between t.valid_from and t.valid_to
    where c.end_date >= a.start_month and c.end_date < a.before_day and c.end_date >= a.from_day
      and not exists (
          select 1 from custody o where o.person_id = a.person_id and o.status = '1' and o.custody_type in ('1', '2', '3', '4')
      )
    group by a.household_id, a.person_id, a.case_id, a.category_zh, a.limit_months
),
not_listed_told as (
    select a.household_id, a.person_id, a.case_id, a.category_zh, a.limit_months, 'not_listed' as cause, a.since as happened_on,
           case a.basis when 'register' then '户籍登记' when 'spouse' then '婚姻登记' when 'student' then '学籍和户籍登记'
                        when 'dwelling' then '居住登记' when 'guardian' then '监护登记' else '亲属关系登记' end as basis_zh
    from at_home a
    where a.since >= a.start_month and a.since < a.before_day and a.since >= a.from_day
      and not exists (select 1 from marriage_told t where t.case_id = a.case_id and t.told_person_id = a.person_id)
      and not exists (select 1 from newborn t where t.case_id = a.case_id and t.child_id = a.person_id)
      and not exists (select 1 from release_told t where t.case_id = a.case_id and t.person_id = a.person_id)
),
told as (
    from marriage_told
    union all by name from divorce_told
    union all by name from birth_told
    union all by name from split_told
    union all by name from graduation_told
    union all by name from release_told
    union all by name from not_listed_told
)
select t.household_id, t.person_id, t.case_id, t.cause || ':' || t.happened_on || ':' || t.case_id as cause_key,
       t.cause, cast(t.happened_on as date) as happened_on, t.category_zh, t.limit_months,
       t.partner_zh, t.others, t.stage_zh, t.occupation_zh, t.basis_zh, n.listed,
       'ca_assist_member' || case t.cause when 'marriage' then ',ca_marriage' when 'divorce' then ',ca_marriage' when 'birth' then ',hl_birth_death_cert'
                                          when 'split' then ',ps_hukou_event' when 'graduation' then ',ed_enrolment' when 'release' then ',ps_custody'
                                          else '' end as cited_classes
from told t
join (select case_id, count(*) as listed from roll group by case_id) n on n.case_id = t.case_id
