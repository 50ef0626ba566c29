/*---
id: X02
version: 3
title: {zh: 依法被收押、服刑等期间仍在发放, en: Paid while in prison or compulsory rehabilitation}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第七条：在监狱内服刑、在强制隔离戒毒的人员不计入共同生活的家庭成员
  - 特困人员认定办法（民发〔2021〕43号）：在监狱服刑的终止救助供养
  - 资阳市雁江区2024年比对做法（服刑未停）
level: red
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
never_suppress: true
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  assistance_payment: {max_age_days: 45, all: [ca_assist_payment]}
  custody: {max_age_days: 45, all: [ps_custody]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [custody_paid, exit_window]
evidence: [custody_type, custody_from, custody_until, paid_months, first_paid_month, last_paid_month, paid_amount, other_members]
reason: >-
  该成员有依法被收押、服刑等情形（{spell_zh}），其所在救助证在此期间（{paid_span}）仍发放{paid_months}个整月，全证合计{paid_amount}元，{others_zh}。
  此期间不计入共同生活的家庭成员和保障人口，请核实发放时是否已按规定调整；具体情形请向县民政局了解，不要向他人透露。依据：{limit_source}。
cited: [ps_custody, ca_assist_payment, ca_assist_member]
known_gaps:
  zh: 只看整月都在服刑或强制戒毒的月份；起止日期可能因减刑变化；已释放而没有实际释放日期的不判断；合计金额为全证金额，含其他成员应得部分。
  en: Only months spent inside from first to last day; ends move with commutation; a release without its date is not judged; the sum is that of the whole case.
false_alarms:
  zh: 社区矫正、监外执行、拘留和逮捕（均不在其中）；入狱当月、出狱当月的发放；保障金已减去该成员份额而成员名单未更新。
  en: Community correction, detention and arrest (all left out), the month of entering and of leaving, benefit already cut while the list of members was not.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the sentence: which kind of custody it is, prison or compulsory rehabilitation, is not told to a township"}
  - {version: 3, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with spell as (
    -- Whoever is said to be free again, without the day on which, was inside until nobody knows when.
    select person_id, custody_type, start_date, end_date
    from custody
    where person_id is not null and start_date <= $as_of
      and not (status = '2' and (end_date is null or end_date > $as_of))
),
covered as (
    select m.case_id, m.person_id, min(m.join_month) as join_month,
           case when bool_and(m.leave_month is not null) then max(m.leave_month) end as leave_month
    from assistance_member m
    where m.is_covered
    group by m.case_id, m.person_id, case when m.person_id is null then m.row_key end
),
placed as (
    -- Somebody in prison belongs to no household: the case says where, or kin beyond doubt.
    select c.*, coalesce(h.household_id, k.household_id) as household_id, coalesce(h.county_code, k.county_code) as county_code
    from covered c
    left join case_household h on h.case_id = c.case_id
    left join nearest_household k on k.person_id = c.person_id and k.is_certain
    where c.person_id is not null
),
paid as (
    -- A month counts when the spell covers it from its first day to its last.
    select p.household_id, p.county_code, p.case_id, p.person_id, s.custody_type, t.source as limit_source,
           s.start_date, s.end_date, y.pay_month, y.amount, y.row_key
    from placed p
    join spell s on s.person_id = p.person_id
    join custody_paid t on t.county_code = p.county_code and t.custody_type = s.custody_type and t.is_away
     and $as_of between t.valid_from and t.valid_to
    join assistance_payment y on y.case_id = p.case_id
    where y.pay_status = '1' and y.item is distinct from '6' and y.amount > 0 and y.pay_month <= $as_of
      and y.pay_month >= coalesce(p.join_month, y.pay_month)
      and (p.leave_month is null or y.pay_month < p.leave_month)
      and s.start_date <= y.pay_month
      and (s.end_date is null or s.end_date >= last_day(y.pay_month))
),
once as (
    -- Two records of one spell overlap: a payment counts once.
    select household_id, county_code, case_id, person_id, pay_month, row_key,
           any_value(amount)                     as amount,
           min(start_date)                       as start_date,
           max(coalesce(end_date, date '9999-12-31')) as end_date,
           arg_min(custody_type, (start_date, custody_type))     as custody_type,
           arg_min(limit_source, (start_date, custody_type))     as limit_source
    from paid
    group by all
),
summed as (
    select household_id, county_code, case_id, person_id,
           min(start_date)                            as custody_from,
           max(end_date)                              as last_day_known,
           arg_min(custody_type, (start_date, custody_type))          as custody_type,
           arg_min(limit_source, (start_date, custody_type))          as limit_source,
           count(distinct pay_month)                  as paid_months,
           min(pay_month)                             as first_paid_month,
           max(pay_month)                             as last_paid_month,
           cast(sum(amount) as decimal(18, 2))        as paid_amount
    from once
    group by household_id, county_code, case_id, person_id
)
select s.household_id, s.person_id, s.case_id,
       'custody:' || s.custody_type || ':' || s.custody_from || ':' || s.case_id as cause_key,
       s.custody_type, s.custody_from, s.limit_source,
       case when s.last_day_known < date '9999-12-31' then s.last_day_known end as custody_until,
       strftime(s.custody_from, '%Y年%-m月%-d日起')
           || case when s.last_day_known = date '9999-12-31' then '，截止日期未登记'
                   when s.last_day_known > $as_of then strftime(s.last_day_known, '，预计至%Y年%-m月%-d日')
                   else strftime(s.last_day_known, '至%Y年%-m月%-d日') end as spell_zh,
       strftime(s.first_paid_month, '%Y年%-m月')
           || case when year(s.last_paid_month) > year(s.first_paid_month) then strftime(s.last_paid_month, '至%Y年%-m月')
                   when s.last_paid_month > s.first_paid_month then strftime(s.last_paid_month, '至%-m月') else '' end as paid_span,
       s.paid_months, s.first_paid_month, s.last_paid_month, s.paid_amount, o.other_members,
       case when o.other_members > 0 then '该证另有' || o.other_members || '名保障成员' else '该证没有其他保障成员' end as others_zh
from summed s
join exit_window w on w.county_code = s.county_code and w."window" = 'paid_in_custody'
 and $as_of between w.valid_from and w.valid_to
join lateral (
    select count(*) as other_members from covered o
    where o.case_id = s.case_id and o.person_id is distinct from s.person_id
      and (o.leave_month is null or o.leave_month > s.last_paid_month)
) o on true
where s.household_id is not null
  and not exists (select 1 from known_death k where k.person_id = s.person_id and k.died_on <= s.first_paid_month)
  and date_diff('month', s.last_paid_month, $as_of) <= w.length
