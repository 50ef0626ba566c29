/*---
id: P03
version: 4
title: {zh: 残疾人两项补贴未落实, en: Subsidies for the disabled not paid}
legal_basis:
  - 国务院关于全面建立困难残疾人生活补贴和重度残疾人护理补贴制度的意见（国发〔2015〕52号）
  - 国办发〔2023〕39号（已纳入救助的查政策是否落实）
level: yellow
owner: 县民政局福利科（会同县残联）
expires: 2027-12-31
subject: person
needs:
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  registered_resident: {max_age_days: 10, all: [ps_resident]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [nursing_grade, subsidy_exclusion, delivery_window]
evidence: [cause, dis_type, dis_grade, issued_on, since, last_paid_month, stopped_month]
reason:
  nursing: 该成员持有有效残疾人证（{dis_zh}，{issued_zh}），符合重度残疾人护理补贴的等级，但{state_zh}。请核实是否已申请、是否有其他护理待遇，应享未享的协助申领。依据：{limit_source}。
  living: 该成员是低保对象{since_zh}，持有有效残疾人证（{dis_zh}，{issued_zh}），但困难残疾人生活补贴{state_zh}。请核实是否已申请，应享未享的协助申领。依据：国发〔2015〕52号。
cited: [dp_disability_cert, ca_welfare_subsidy]
known_gaps:
  zh: 工伤保险的生活护理费、离休和因公致残的护理补贴不在数据中；人已外迁而残疾人证未迁的可能误报。
  en: Care paid by the work injury insurance or to the war-disabled is in no source; holders who moved away and left the certificate here may be raised.
false_alarms:
  zh: 特困人员（已排除）、孤儿不领生活补贴（已排除）、刚发证或刚纳入低保还在办理、有工伤护理费、本人放弃。
  en: Tekun persons and, for the living subsidy, orphans (left out), certificates and cover that are new, care by work injury insurance, people who decline.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
  - {version: 3, since: 2026-11-23, what: "the sentence: that a disability is mental is not told to a township"}
  - {version: 4, since: 2026-11-23, what: "a subsidy whose link is under review may have been paid to this person"}
---*/
with place as (
    select h.person_id, h.household_id, h.county_code, w.length as wait_months, v.length as seen_months,
           least((select last_batch from source_status where class_id = 'ca_welfare_subsidy'), $as_of) as seen_until
    from person_household h
    join delivery_window w on w.county_code = h.county_code and w."window" = 'disability_wait'
     and $as_of between w.valid_from and w.valid_to
    join delivery_window v on v.county_code = h.county_code and v."window" = 'subsidy_seen'
     and $as_of between v.valid_from and v.valid_to
    where not exists (select 1 from known_death k where k.person_id = h.person_id)
      -- Whose register is elsewhere applies there.
      and not exists (select 1 from registered_resident r where r.person_id = h.person_id and r.register_status = '2')
      and not exists (select 1 from person p where p.person_id = h.person_id and p.is_registered = false)
),
certificate as (
    select p.person_id, d.dis_type, d.dis_grade, d.issue_date, g.is_due as is_nursing, g.source as limit_source
    from place p
    join disability d on d.person_id = p.person_id
    left join nursing_grade g on g.county_code = p.county_code and g.dis_type = d.dis_type and g.dis_grade = d.dis_grade
     and $as_of between g.valid_from and g.valid_to
    where d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of)
      and (d.issue_date is null or d.issue_date <= $as_of)
),
held as (
    select person_id, dis_type, dis_grade, issue_date, 'nursing' as cause, '2' as subsidy_type, limit_source from certificate where is_nursing
    union all
    select person_id, dis_type, dis_grade, issue_date, 'living', '1', null from certificate
),
worst as (
    -- One certificate a person: of several the worst, and of equal ones the oldest.
    select *, row_number() over (partition by person_id, cause
                                 order by dis_grade nulls last, issue_date nulls last, dis_type) as choice
    from held
),
paid as (
    select person_id, subsidy_type,
           max(pay_month) filter (where status is distinct from '2') as last_paid_month,
           max(pay_month) filter (where status = '2')                as stopped_month
    from welfare_subsidy
    where person_id is not null and (pay_month is null or pay_month <= $as_of)
    group by person_id, subsidy_type
),
undated as (
    -- A payment whose month nobody knows may be this month's.
    select distinct person_id, subsidy_type from welfare_subsidy where pay_month is null and status is distinct from '2'
),
excluded as (
    select a.person_id, 'tekun' as because from assisted_person a where a.category = '2'
    union
    select w.person_id, 'orphan_money'
    from welfare_subsidy w
    join place p on p.person_id = w.person_id
    where w.subsidy_type = '4' and w.status is distinct from '2'
      and w.pay_month <= $as_of and date_diff('month', w.pay_month, p.seen_until) <= p.seen_months
)
select p.household_id, w.person_id, a.case_id, w.cause || ':' || w.dis_type || w.dis_grade as cause_key,
       w.cause, w.dis_type, w.dis_grade, w.issue_date as issued_on, w.limit_source,
       case when w.cause = 'living' then a.since end as since,
       y.last_paid_month, case when y.stopped_month > y.last_paid_month or y.last_paid_month is null then y.stopped_month end as stopped_month,
       case w.dis_type when '1' then '视力' when '2' then '听力' when '3' then '言语' when '4' then '肢体' when '5' then '智力'
                       when '6' then '' when '7' then '多重' else '类别不明' end
           || case w.dis_grade when '1' then '一级' when '2' then '二级' when '3' then '三级' when '4' then '四级' else '等级不明' end as dis_zh,
       case when w.issue_date is null then '发证日期不详' else strftime(w.issue_date, '%Y年%-m月%-d日发证') end as issued_zh,
       case when a.since is null then '' else strftime(a.since, '（%Y年%-m月起）') end as since_zh,
       case when y.stopped_month is not null and (y.last_paid_month is null or y.stopped_month > y.last_paid_month)
            then strftime(y.stopped_month, '自%Y年%-m月起登记为停发')
            when y.last_paid_month is not null then strftime(y.last_paid_month, '最后一次发放是%Y年%-m月，此后没有记录')
            else '没有发放记录' end as state_zh,
       -- The office has its time: after the certificate, and for the living subsidy after dibao began.
       case when w.issue_date + to_months(cast(p.wait_months as integer)) > $as_of then '发证未满' || p.wait_months || '个月，可能还在办理'
            when w.cause = 'living' and date_diff('month', a.since, $as_of) <= p.wait_months
            then '纳入低保未满' || p.wait_months || '个月，可能还在办理'
            when exists (
                select 1 from welfare_subsidy s
                where s.possible_person_id = w.person_id and s.subsidy_type = w.subsidy_type and s.status is distinct from '2'
                  and (s.pay_month is null or (s.pay_month <= $as_of and date_diff('month', s.pay_month, p.seen_until) <= p.seen_months))
            ) then '有一笔同类补贴可能发给了该成员，身份关联待人工确认' end as not_raised_zh
from worst w
join place p on p.person_id = w.person_id
left join assisted_person a on a.person_id = w.person_id
left join paid y on y.person_id = w.person_id and y.subsidy_type = w.subsidy_type
where w.choice = 1
  and (w.cause = 'nursing' or a.category = '1')
  and coalesce(a.is_away, false) = false
  and (y.last_paid_month is null or date_diff('month', y.last_paid_month, p.seen_until) > p.seen_months
       or coalesce(y.stopped_month > y.last_paid_month, false))
  and not exists (select 1 from undated u where u.person_id = w.person_id and u.subsidy_type = w.subsidy_type)
  and not exists (
      select 1 from excluded e
      join subsidy_exclusion x on x.county_code = p.county_code and x.subsidy_type = w.subsidy_type and x.because = e.because
       and $as_of between x.valid_from and x.valid_to
      where e.person_id = w.person_id and x.is_excluded
  )
