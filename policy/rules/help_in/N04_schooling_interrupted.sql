/*---
id: N04
version: 4
title: {zh: 学业中断或就学负担重, en: Schooling interrupted or costly}
legal_basis:
  - 国办发〔2023〕39号（比对家庭经济困难学生，关注就学情况）
  - 中华人民共和国义务教育法第十一条、第十四条
level: yellow
owner: 县民政局社会救助科（会同教育局）
expires: 2027-12-31
subject: household
needs:
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
uses:
  student_aid: {max_age_days: 220, all: [ed_student_aid]}
  registered_resident: {max_age_days: 45, all: [ps_resident]}
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [compulsory_school_age, study_burden, warning_window]
evidence: [cause, age, since_on, members, members_min, aid_months]
reason:
  interrupted: 该户一名{age}周岁的成员学籍状态为{kind_zh}（{since_zh}），属义务教育年龄（{from_age}至{to_age}周岁，依据：{age_source}）。请入户了解原因并会同学校劝返。
  burden: 该户为{pool_zh}，有{members}名成员在非义务教育阶段就读（{stages_zh}），达到{members_min}名的提示线（依据：{burden_source}）；近{aid_months}个月（期限依据：{aid_source}）没有这些成员的学生资助记录。请入户了解学费负担，核实是否应享受资助。
cited: [ed_enrolment]
known_gaps:
  zh: 外地就读的学生和从未入学的儿童没有本地学籍；资助按学期送达，资助数据逾期时不核对就学负担。
  en: Pupils elsewhere and children who never went to school have no record here; aid comes by term, and without it the burden of study is not judged.
false_alarms:
  zh: 转学到县外、已复学而学籍未更新、因病经批准休学、重度残疾儿童送教上门；资助打入家长账户未及时登记。
  en: A move to a school elsewhere, a return not yet recorded, leave for illness, teaching at home of severely disabled children; aid recorded late.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "aid whose link is under review may have been given"}
  - {version: 3, since: 2026-11-23, what: "the sentence says where the months without aid come from"}
  - {version: 4, since: 2026-11-23, what: "of a household in the pool only those count as in study who are in the pool themselves, or beyond doubt in one household with somebody of it"}
---*/
with pooled as (
    -- Who is in the pool, and whether he lives in his household beyond doubt: parents in the book of a grown child may have a home of their own.
    select h.household_id, p.person_id, bool_or(coalesce(m.needs_check, true)) as is_in_doubt
    from (
        select person_id from current_assistance where person_id is not null
        union
        select person_id from rural_monitor
        where is_risk_removed = false and (identify_date is null or identify_date <= $as_of) and person_id is not null
    ) p
    join person_household h on h.person_id = p.person_id
    left join household_member m on m.household_id = h.household_id and m.person_id = p.person_id
    group by h.household_id, p.person_id
),
in_study as (
    select e.*, h.household_id, h.county_code,
           exists (select 1 from pooled p where p.household_id = h.household_id and p.person_id = e.person_id)
           or (not exists (select 1 from household_member m where m.household_id = h.household_id and m.person_id = e.person_id and m.needs_check is distinct from false)
               and exists (select 1 from pooled p where p.household_id = h.household_id and not p.is_in_doubt)) as is_sure
    from school_enrolment e
    join person_household h on h.person_id = e.person_id
),
burden as (
    select e.household_id, e.county_code, o.pool_zh, b.members_min, b.source as burden_source, w.length as aid_months, w.source as aid_source,
           count(distinct e.person_id) as members_any,
           count(distinct e.person_id) filter (where e.is_sure) as members,
           string_agg(distinct case e.stage when '0' then '幼儿园' when '3' then '普通高中' when '4' then '中等职业学校' else '高等学校' end,
                      '、' order by case e.stage when '0' then '幼儿园' when '3' then '普通高中' when '4' then '中等职业学校' else '高等学校' end)
               filter (where e.is_sure) as stages_zh,
           bool_or(exists (
               -- Aid whose day of payment is not known may be this year's.
               select 1 from student_aid s
               where coalesce(s.person_id, s.possible_person_id) = e.person_id
                 and (s.pay_date is null or s.pay_date > $as_of - to_months(cast(w.length as integer)))
           )) as is_aided
    from in_study e
    join low_income_pool o on o.household_id = e.household_id
    join study_burden b on b.county_code = e.county_code and $as_of between b.valid_from and b.valid_to
    join warning_window w on w.county_code = e.county_code and w."window" = 'no_study_aid'
     and $as_of between w.valid_from and w.valid_to
    where e.status = '1' and e.stage in ('0', '3', '4', '5') and (e.status_date is null or e.status_date <= $as_of)
      and not exists (select 1 from known_death k where k.person_id = e.person_id)
      -- A later record of the same pupil, or one of another status without a day, may say that this school is over.
      and not exists (
          select 1 from school_enrolment l
          where l.person_id = e.person_id and l.status is distinct from '1'
            and (l.status_date is null or e.status_date is null or (l.status_date >= e.status_date and l.status_date <= $as_of))
      )
    group by all
)
select s.household_id, s.person_id,
       'interrupted:' || s.person_id || ':' || coalesce(s.since_on::varchar, s.kind) as cause_key,
       'interrupted' as cause,
       'ed_enrolment' as cited_classes,
       s.age, s.from_age, s.to_age, s.age_source, s.kind_zh, s.since_on,
       coalesce(strftime(s.since_on, '自%Y年%-m月%-d日起'), '起始日期学校未载明') as since_zh,
       null::varchar as pool_zh, null::bigint as members, null::bigint as members_min, null::varchar as stages_zh,
       null::varchar as burden_source, null::bigint as aid_months, null::varchar as aid_source, null::varchar as not_raised_zh
from schooling_interrupted s
where not exists (
    select 1 from registered_resident r where r.person_id = s.person_id and r.register_status in ('2', '3', '4')
)
union all
select b.household_id, null, 'burden', 'burden', 'ed_enrolment,ed_student_aid',
       null, null, null, null, null, null, null,
       b.pool_zh, b.members, b.members_min, b.stages_zh, b.burden_source, b.aid_months, b.aid_source,
       case when b.members < b.members_min then '登记在一户，但在库的成员与在读的成员是否共同生活有待核实' end
from burden b
where b.members_any >= b.members_min and not b.is_aided
  -- That nothing was given can be said only where what was given has arrived.
  and exists (
      select 1 from source_status t
      where t.class_id = 'ed_student_aid' and t.status = 'fresh' and date_diff('day', t.last_batch, $as_of) <= 220
  )
