/*---
id: P01
version: 3
title: {zh: 医保资助参保未落实, en: Not enrolled in medical insurance or enrolled without subsidy}
legal_basis:
  - 国办发〔2023〕39号（已纳入救助的查政策是否落实）
  - 国办发〔2021〕42号（特困人员全额资助、低保对象定额资助参保）
level: yellow
owner: 县医疗保障局（会同县民政局社会救助科）
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  medical_enrolment: {max_age_days: 45, all: [mi_enrolment]}
parameters: [enrolment_subsidy, enrolment_period, delivery_window]
evidence: [cause, year, category, since, aid_category, self_paid]
reason:
  not_enrolled: 该成员为{category_zh}{since_zh}，{year}年度{state_zh}，可能没有基本医疗保险。请核实是否在外地参保，应参未参的协助参保并落实资助。
  no_subsidy: 该成员为{category_zh}{since_zh}，{year}年度已参加城乡居民医保，资助参保类别登记为{aid_zh}（个人缴费{paid_zh}），没有按{category_zh}落实参保资助。依据：{limit_source}。
cited: [mi_enrolment, ca_assist_member]
known_gaps:
  zh: 外地参保只有登记到本地的才看得到；参保时点以后才纳入救助的，当年资助按当地规定处理，这里不提示。
  en: Enrolment elsewhere is seen only where it was reported here; who came into assistance after enrolment is left to the local rule of that year.
false_alarms:
  zh: 新生儿随母参保、职工医保、外地参保、集中参保期内、参保后才纳入救助（均已排除）。
  en: New-borns insured with the mother, employees' insurance, enrolment elsewhere, the time of central enrolment, cover that began after it (all left out).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "an enrolment whose link is under review may be this person's"}
  - {version: 3, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with person_in as (
    select a.person_id, a.household_id, a.county_code, a.case_id, a.category, a.category_zh, a.since, p.judged_from_month
    from assisted_person a
    join enrolment_period p on p.county_code = a.county_code and $as_of between p.valid_from and p.valid_to
    join delivery_window n on n.county_code = a.county_code and n."window" = 'newborn'
     and $as_of between n.valid_from and n.valid_to
    join delivery_window w on w.county_code = a.county_code and w."window" = 'newly_covered'
     and $as_of between w.valid_from and w.valid_to
    left join person b on b.person_id = a.person_id
    where not a.is_away and month($as_of) >= p.judged_from_month
      and (b.birth_date is null or b.birth_date + to_months(cast(n.length as integer)) < $as_of)
      and (a.since is null or date_diff('month', a.since, $as_of) > w.length)
),
enrolled as (
    select coalesce(person_id, possible_person_id)                                     as person_id,
           bool_or(pay_status = '1')                                                   as is_paid,
           bool_or(pay_status is null or year is null or person_id is null)                               as is_unknown,
           bool_or(pay_status = '2')                                                   as is_unpaid,
           bool_or(pay_status = '3')                                                   as is_stopped
    from medical_enrolment
    where coalesce(person_id, possible_person_id) is not null and (year = year($as_of) or year is null)
    group by 1
),
not_enrolled as (
    select i.person_id, i.household_id, i.case_id, i.category, i.category_zh, i.since, 'not_enrolled' as cause,
           case when e.is_unpaid then '有参保登记但没有缴费' when e.is_stopped then '参保已停保，没有其他参保记录' else '没有参保记录' end as state_zh,
           null::varchar as aid_category, null::varchar as aid_zh, null::decimal(18, 2) as self_paid, null::varchar as limit_source
    from person_in i
    left join enrolled e on e.person_id = i.person_id
    where not coalesce(e.is_paid, false) and not coalesce(e.is_unknown, false)
),
paid as (
    -- Every enrolment of the year that was paid: one that needs no subsidy, is elsewhere, or has a sufficient one settles it.
    select i.person_id, i.household_id, i.case_id, i.category, i.category_zh, i.since,
           m.aid_category, s.aid_zh, m.self_paid, s.source as limit_source,
           m.insurance = '390' and (m.division is null or left(m.division, 6) = i.county_code) and not s.is_enough as is_short,
           row_number() over (partition by i.person_id order by m.aid_category, m.self_paid desc nulls last, m.row_key) as choice,
           count(*) over (partition by i.person_id)                                            as enrolments,
           -- Who came into assistance after this year's enrolment had closed paid for himself, by the rules.
           i.since is null or i.since < make_date(year($as_of), cast(i.judged_from_month as integer), 1) as is_in_time
    from person_in i
    join medical_enrolment m on m.person_id = i.person_id and m.year = year($as_of) and m.pay_status = '1'
    left join enrolment_subsidy s on s.county_code = i.county_code and s.category = i.category
     and s.aid_category = m.aid_category and $as_of between s.valid_from and s.valid_to
),
no_subsidy as (
    select person_id, household_id, case_id, category, category_zh, since, 'no_subsidy' as cause, null::varchar as state_zh,
           aid_category, aid_zh, self_paid, limit_source
    from paid p
    where choice = 1 and is_in_time
      and (select count(*) from paid q where q.person_id = p.person_id and q.is_short) = enrolments
)
select household_id, person_id, case_id, cause || ':' || year($as_of) as cause_key,
       cause, cast(year($as_of) as integer) as year, category, category_zh, since, state_zh, aid_category, aid_zh, self_paid, limit_source,
       case when since is null then '' else strftime(since, '（%Y年%-m月起）') end as since_zh,
       case when self_paid is null then '金额不明' else yuan_zh(self_paid) end as paid_zh
from (from not_enrolled union all by name from no_subsidy)
