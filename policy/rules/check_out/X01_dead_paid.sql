/*---
id: X01
version: 5
title: {zh: 已死亡仍在发放, en: Paid after death}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）：成员死亡后三个月内复核调整
  - 特困人员认定办法（民发〔2021〕43号）：死亡的终止救助供养
level: orange
levels: [red, orange]
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
never_suppress: true
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  assistance_payment: {max_age_days: 45, all: [ca_assist_payment]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
uses:
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
parameters: [warning_window]
evidence: [cause, died_on, source_count, sources_zh, dates_zh, paid_months, first_paid_month, last_paid_month, paid_amount, other_members]
reason:
  assistance: 该成员{died_zh}；其所在救助证此后（{paid_span}）仍发放{paid_months}个月，全证合计{paid_amount}元，{others_zh}。请核实是否死亡、救助金是否已按规定调整。
  subsidy: 该成员{died_zh}；其{subsidy_zh}此后（{paid_span}）仍发放{paid_months}个月，合计{paid_amount}元。请核实是否死亡、发放是否有误。
  pension: 该成员{died_zh}，仍在救助证上；其{subsidy_zh}此后（{paid_span}）仍发放{paid_months}个月，合计{paid_amount}元。请核实是否死亡；确已死亡的，调整救助，并告知人力资源和社会保障局。
cited: [ca_assist_payment, ca_welfare_subsidy, hr_employee_pension, hr_resident_pension, ps_death, ca_cremation, hl_birth_death_cert]
known_gaps:
  zh: 土葬地区无火化记录；死亡日期未载明的按登记日期；合计金额为全证金额，含其他成员应得部分；养老金只看在保救助证上的成员；惠农补贴按年发给户主代全家领取，不看。
  en: No cremation where burial is the custom; without a day of death the day of the record counts; the sum is that of the whole case; pensions of members of cases in force alone; farm subsidies, which a head draws once a year for the family, are not read.
false_alarms:
  zh: 户籍误注销（只有一个来源且此后仍有就医记录的已排除）；死亡当月已发、补发生前月份；三个月内正在复核。
  en: Wrong cancellations (left out where one source alone says so and the person was treated later), back pay for months alive, a review under way.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "contradicting dates of death count as one source, by the latest, and are shown"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words; no counts of nobody; the source of subsidies is cited"}
  - {version: 4, since: 2026-11-22, what: "cites the classes on which the row rests"}
  - {version: 5, since: 2026-11-23, what: "pensions that run on after the death of a member of a case in force, as the catalogue of classes has it"}
---*/
with dead as (
    -- Where the sources give different days, the latest: the safer reading on this list.
    select k.person_id, k.died_on_latest as died_on, k.source_count, k.sources_zh, k.dates_zh, k.classes as death_classes
    from known_death k
    -- One source alone, and treated more than a month after it: more likely a wrong record than a wrong payment.
    where k.source_count >= 2
       or not exists (
           select 1 from medical_settlement s
           where s.person_id = k.person_id
             and coalesce(s.admit_date, s.settle_date) > k.died_on_latest + interval 1 month
             and s.is_refund is not true and s.settle_date <= $as_of
       )
),
covered as (
    select m.case_id, m.person_id,
           case when bool_and(m.leave_month is not null) then max(m.leave_month) end as leave_month
    from assistance_member m
    where m.is_covered
    group by m.case_id, m.person_id, case when m.person_id is null then m.row_key end
),
assistance as (
    select d.person_id, d.died_on, d.source_count, d.sources_zh, d.dates_zh, d.death_classes, p.source_class, 'assistance' as cause, c.case_id, c.case_id as paid_by,
           p.pay_month, p.amount
    from dead d
    join covered c on c.person_id = d.person_id
    join assistance_payment p on p.case_id = c.case_id
    where p.pay_status = '1' and p.item is distinct from '6' and p.amount > 0
      and p.pay_month > date_trunc('month', d.died_on) and p.pay_month <= $as_of
      and (c.leave_month is null or p.pay_month < c.leave_month)
),
subsidy as (
    select d.person_id, d.died_on, d.source_count, d.sources_zh, d.dates_zh, d.death_classes, w.source_class, 'subsidy' as cause, null as case_id,
           w.subsidy_type as paid_by, w.pay_month, w.amount_per_month as amount
    from dead d
    join welfare_subsidy w on w.person_id = d.person_id
    where w.status = '1' and w.amount_per_month > 0
      and w.pay_month > date_trunc('month', d.died_on) and w.pay_month <= $as_of
),
pension_paid as (
    -- Of members of cases in force alone: other people's pensions are no matter of this list.
    select d.person_id, d.died_on, d.source_count, d.sources_zh, d.dates_zh, d.death_classes, p.source_class, 'pension' as cause,
           (select min(a.case_id) from current_assistance a where a.person_id = d.person_id) as case_id,
           p.pension_kind as paid_by, p.month as pay_month, p.amount_per_month as amount
    from dead d
    join pension p on p.person_id = d.person_id
    where p.status = '1' and p.amount_per_month > 0
      and p.month > date_trunc('month', d.died_on) and p.month <= $as_of
      and d.person_id in (select a.person_id from current_assistance a where a.person_id is not null)
),
summed as (
    select person_id, died_on, source_count, sources_zh, dates_zh, death_classes, cause, case_id, paid_by,
           string_agg(distinct source_class, ',' order by source_class) as paid_classes,
           min(pay_month) as first_paid_month, max(pay_month) as last_paid_month,
           count(distinct pay_month) as paid_months, cast(sum(amount) as decimal(18, 2)) as paid_amount
    from (from assistance union all by name from subsidy union all by name from pension_paid)
    group by all
),
placed as (
    -- Own household, or that of the case, or of kin beyond doubt: somebody must be sent somewhere.
    select s.*, coalesce(h.household_id, c.household_id, k.household_id) as household_id,
           coalesce(h.county_code, c.county_code, k.county_code) as county_code
    from summed s
    left join case_household c on c.case_id = s.case_id
    left join person_household h on h.person_id = s.person_id
    left join nearest_household k on k.person_id = s.person_id and k.is_certain
),
with_others as (
    select p.*, (select count(*) from covered o
                  where o.case_id = p.case_id and o.person_id is distinct from p.person_id
                    and (o.leave_month is null or o.leave_month > p.last_paid_month)) as other_members
    from placed p
)
select p.household_id, p.person_id, p.case_id,
       p.cause || ':' || p.paid_by as cause_key,
       p.cause,
       case when p.source_count >= 2 then 'red' else 'orange' end as level,
       strftime(p.first_paid_month, '%Y年%-m月')
           || case when year(p.last_paid_month) > year(p.first_paid_month) then strftime(p.last_paid_month, '至%Y年%-m月')
                   when p.last_paid_month > p.first_paid_month then strftime(p.last_paid_month, '至%-m月') else '' end as paid_span,
       case when p.dates_zh is null
            then '于' || strftime(p.died_on, '%Y年%-m月%-d日') || '死亡（' || p.sources_zh || case when p.source_count = 1 then '，仅此一个来源' else '，共' || p.source_count || '个来源' end || '）'
            else '有死亡记录，但各来源日期不一致（' || p.dates_zh || '），暂按最晚的' || strftime(p.died_on, '%Y年%-m月%-d日') || '计' end as died_zh,
       p.died_on, p.source_count, p.sources_zh, p.dates_zh, p.first_paid_month, p.last_paid_month, p.paid_months, p.paid_amount,
       nullif(concat_ws(',', p.death_classes, p.paid_classes), '') as cited_classes,
       p.other_members,
       case when p.other_members > 0 then '该证另有' || p.other_members || '名保障成员' else '该证没有其他保障成员' end as others_zh,
       case p.paid_by when '1' then '困难残疾人生活补贴' when '2' then '重度残疾人护理补贴' when '3' then '高龄津贴'
                      when '4' then '孤儿基本生活费' when '5' then '事实无人抚养儿童补贴'
                      when 'employee' then '职工养老金' when 'resident' then '城乡居民养老金' else '福利补贴' end as subsidy_zh
from with_others p
join warning_window w on w.county_code = p.county_code and w."window" = 'paid_after_death'
 and $as_of between w.valid_from and w.valid_to
where p.household_id is not null
  and p.last_paid_month > $as_of - to_months(cast(w.length as integer))
