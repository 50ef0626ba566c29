/*---
id: X08
version: 4
title: {zh: 工资收入超线, en: Wages above the line}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十三条、第十七条、第三十二条
  - 社会救助暂行办法 第五十八条
level: orange
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
evidence: [members, outside, earners, wage_gross, wage_counted, wage_months, payers, wage_from, wage_to, declared_per_month, not_declared, per_person_12m, line_12m]
reason: >-
  {heads_zh}，申报收入合计每月{declared_per_month}元{not_declared_zh}。税务部门登记其中{earners}名成员{outside_zh}{wage_from}至{wage_to}有{wage_months}个月的工资劳务收入，
  共{wage_gross}元；按当地最高标准扣除就业成本并扣除税费后为{wage_counted}元。用它替换这些成员的申报收入，12个月人均{per_person_12m}元，
  超过{line_zh}（12个月{line_12m}元）。请向本人和单位核实收入；本人否认在该单位任职的，可能是身份被冒用申报，请协助其向税务部门申诉。标准依据：{line_source}。
cited: [tx_iit_withholding, ca_assist_household]
known_gaps:
  zh: 未申报纳税的收入看不到；已停止的工作，12个月内的工资仍计入；其他困难家庭没有统一的收入条件，不在其中；未填申报收入的成员按未计入处理。
  en: Income that is not declared for tax is not seen; wages of a job that has ended still count within twelve months; other families have no common condition of income and are not here; declared income that is not filled in is left out.
false_alarms:
  zh: 冒用身份申报（未满16周岁、服刑期间的申报已排除）；季节性务工（按12个月合计，不看单月）；起保前的工资（只看起保后的月份）；渐退期（已排除）。
  en: Stolen identities (declarations for children and prisoners are left out), seasonal work (twelve months together, never one), wages from before the case (only months since its start), families phasing out (left out).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 3, since: 2026-11-22, what: "orange, as the table of levels has it"}
  - {version: 4, since: 2026-11-23, what: "heads and income are those of the family, also members beyond doubt of the household who are on no case, which the sentence says; rigid-expenditure families, against the disposable income; a single-person dibao has the edge line"}
---*/
with member as (
    select m.*, coalesce(m.declared_per_month, 0) as declared,
           m.wage > coalesce(m.declared_per_month, 0) * 12 as is_replaced
    from case_member_income m
),
summed as (
    select l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source,
           count(*) filter (where m.is_replaced)                                     as earners,
           count(*) filter (where m.is_replaced and not m.is_listed)                 as outside_earners,
           sum(m.wage_gross) filter (where m.is_replaced)                            as wage_gross,
           sum(m.wage) filter (where m.is_replaced)                                  as wage_counted,
           max(m.wage_months) filter (where m.is_replaced)                           as wage_months,
           sum(m.payers) filter (where m.is_replaced)                                as payers,
           min(m.wage_from) as wage_from, min(m.wage_to) as wage_to, min(m.since_months) as since_months,
           sum(m.declared)                                                           as declared_per_month,
           count(*) filter (where m.person_id is not null and m.is_listed and m.declared_per_month is null and coalesce(m.wage, 0) <= 0) as not_declared,
           sum(greatest(m.declared * 12, coalesce(m.wage, 0)))                       as total,
           sum(greatest(m.declared * 12, m.pension_12m))                             as total_without_wage,
           sum(greatest(m.declared * 12, coalesce(m.wage, 0) + m.pension_12m))       as total_with_pension,
           -- Only months in which the case gave benefit: what was earned before it was looked at when it was granted.
           sum(greatest(m.declared * m.since_months, coalesce(m.wage_since, 0)))     as total_since,
           sum(greatest(m.declared * m.since_months, coalesce(m.wage_since, 0) + m.pension_12m)) as total_since_with_pension
    from case_line l
    join member m on m.case_id = l.case_id
    group by l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source
),
judged as (
    -- Wages alone, or wages and a pension where the pension alone does not do it (that would be X10).
    select *, total > line_12m * members as is_over_alone,
           case when total > line_12m * members then total else total_with_pension end as total_counted,
           case when total > line_12m * members then total_since else total_since_with_pension end as since_counted
    from summed
    where earners > 0 and since_months > 0
)
select household_id, case_id, 'wage' as cause_key,
       members, outside, earners, wage_months, payers, wage_from as wage_from_month, wage_to as wage_to_month,
       strftime(wage_from, '%Y年%-m月') as wage_from, strftime(wage_to, '%Y年%-m月') as wage_to,
       case when outside > 0 then '该家庭' || members || '人（救助证内' || (members - outside) || '人，另有' || outside || '名未列入保障人口的共同生活成员，依户籍等登记）'
            else '该救助证内' || members || '人' end as heads_zh,
       case when outside_earners > 0 then '（' || outside_earners || '名未列入保障人口）' else '' end as outside_zh,
       cast(wage_gross as decimal(18, 2)) as wage_gross, cast(wage_counted as decimal(18, 2)) as wage_counted,
       cast(declared_per_month as decimal(18, 2)) as declared_per_month, not_declared,
       case when not_declared > 0 then '（' || not_declared || '人未填，未计入）' else '' end as not_declared_zh,
       cast(round(total_counted / members, 2) as decimal(18, 2)) as per_person_12m,
       line_12m, line_zh, line_source,
       cast(least(total_counted / (line_12m * members), 999) as decimal(9, 2)) as ratio,
       -- A case younger than the window: its own months, taken to a year, must be over the line as well.
       case when total_counted <= line_12m * members then '扣除就业成本和税费后，12个月人均没有超过' || line_zh
            when not is_over_alone and total_without_wage > line_12m * members then '不计工资已经超线，见养老金收入超线'
            when since_counted * 12 <= line_12m * members * since_months then '工资主要在起保之前，起保后的月份没有超线' end as not_raised_zh
from judged
-- Close to the line: from nine tenths of it on.
where total_counted * 10 >= line_12m * members * 9
