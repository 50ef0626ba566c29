/*---
id: P02
version: 3
title: {zh: 学生资助未落实, en: Student without aid}
legal_basis:
  - 国办发〔2023〕39号（已纳入救助的查政策是否落实）
  - 学生资助资金管理办法
level: yellow
owner: 县教育局学生资助中心（会同县民政局社会救助科）
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  student_aid: {max_age_days: 220, all: [ed_student_aid]}
parameters: [student_aid_stage, school_term]
evidence: [term, stage, category, since, last_term, status_date]
reason: >-
  该学生为{category_zh}{since_zh}，{stage_zh}在读，{term_zh}及以后没有学生资助发放记录（{last_zh}）。
  请与学校核实是否漏报、资助是否在外地学校发放，应助未助的补报。依据：{limit_source}。
cited: [ed_enrolment, ed_student_aid, ca_assist_member]
known_gaps:
  zh: 外地就读的资助由外地发放，本地台账可能没有；每学期只在资助应发期满后核对；只看有没有发放，不看项目和金额是否够。
  en: Aid of schools elsewhere may not be in the local register; each term is judged once its aid is due; whether the items and amounts suffice is not judged.
false_alarms:
  zh: 资助打入家长账户并登记在家长名下（已排除）、学期刚开始或假期（按上一学期核对）、学期开始后才纳入救助、外地就读。
  en: Aid registered with a parent (left out), the beginning of a term and the holidays (judged by the term before), cover that began after the term, schools elsewhere.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "aid whose link is under review may have been given to this student"}
  - {version: 3, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with judged as (
    -- Terms are counted in half-years: autumn 2025 is 4050, spring 2026 is 4051.
    select county_code, term, term_zh, cast(begins as date) as begins,
           cast(left(term, 4) as integer) * 2 + cast(right(term, 1) as integer) - 1 as number
    from school_term
    where $as_of between valid_from and valid_to
),
student as (
    select a.person_id, a.household_id, a.county_code, a.case_id, a.category, a.category_zh, a.since,
           min(e.stage) as stage, arg_min(s.stage_zh, e.stage) as stage_zh, arg_min(s.source, e.stage) as limit_source,
           min(e.status_date) as status_date, list(distinct e.guardian_person_id) as guardians,
           t.term, t.term_zh, t.begins, t.number
    from assisted_person a
    join school_enrolment e on e.person_id = a.person_id and e.status = '1'
    join student_aid_stage s on s.county_code = a.county_code and s.stage = e.stage
     and $as_of between s.valid_from and s.valid_to
    join judged t on t.county_code = a.county_code
    left join person b on b.person_id = a.person_id
    where s.is_expected and not a.is_away
      -- In assistance when the term began, and not known to have come to school after it: whoever is beyond the first year
      -- of school by age or stage was there.
      and (a.since is null or a.since <= t.begins)
      and (e.status_date is null or e.status_date < t.begins + interval 6 month or e.stage in ('2', '3', '4')
           or (e.stage = '1' and date_sub('year', b.birth_date, t.begins) >= 7))
    group by a.person_id, a.household_id, a.county_code, a.case_id, a.category, a.category_zh, a.since, t.term, t.term_zh, t.begins, t.number
),
aid as (
    -- 2025-2026-1, 2025-2026学年第一学期, 2025秋, 2026年春季: the year and the half of it.
    select person_id, possible_person_id, term, pay_date, amount, row_key,
           case when regexp_matches(term, '\d{4}\D+\d{4}.*[12一二上下秋春]')
                then cast(regexp_extract(term, '(\d{4})', 1) as integer) * 2
                     + case when regexp_matches(term, '\d{4}\D+\d{4}\D*([1一上]|.*秋)') then 0 else 1 end
                when regexp_matches(term, '\d{4}\D*秋') then cast(regexp_extract(term, '(\d{4})', 1) as integer) * 2
                when regexp_matches(term, '\d{4}\D*春') then (cast(regexp_extract(term, '(\d{4})', 1) as integer) - 1) * 2 + 1
           end as number
    from student_aid
    where (person_id is not null or possible_person_id is not null) and (amount is null or amount > 0)
),
relative as (
    -- Who may stand in the register of aid in a student's place: the guardian, or a member of the family who is not at school.
    select s.person_id, unnest(s.guardians) as other_person_id from student s
    union
    select s.person_id, m.person_id
    from student s
    join household_member m on m.household_id = s.household_id
    where m.person_id <> s.person_id
      and not exists (select 1 from school_enrolment e where e.person_id = m.person_id and e.status = '1')
),
received as (
    select s.person_id, a.number, a.term, a.pay_date from student s join aid a on a.person_id = s.person_id
    union all
    select r.person_id, a.number, a.term, a.pay_date
    from relative r
    join aid a on a.person_id = r.other_person_id
    where r.other_person_id is not null
),
last_aid as (
    select person_id, max(number) as last_number, arg_max(term, (number, term)) filter (where number is not null) as last_term
    from received
    where number is not null
    group by person_id
)
select s.household_id, s.person_id, s.case_id, 'aid:' || s.term as cause_key,
       s.term, s.term_zh, s.stage, s.stage_zh, s.category, s.category_zh, s.since, s.status_date, l.last_term, s.limit_source,
       case when s.since is null then '' else strftime(s.since, '（%Y年%-m月起）') end as since_zh,
       case when l.last_term is null then '此前也没有资助记录' else '最近一次资助是' || l.last_term || '学期' end as last_zh
from student s
left join last_aid l on l.person_id = s.person_id
where coalesce(l.last_number, 0) < s.number
  -- A term that nobody can read, or none at all, counts by the day of payment; without that too it may be this one.
  and not exists (
      select 1 from received r
      where r.person_id = s.person_id and r.number is null and (r.pay_date is null or r.pay_date >= s.begins)
  )
  -- What was paid to somebody who may be this student is not "no aid".
  and not exists (
      select 1 from aid a
      where a.possible_person_id = s.person_id
        and (a.number >= s.number or (a.number is null and (a.pay_date is null or a.pay_date >= s.begins)))
  )
