/*---
id: X10
version: 3
title: {zh: 养老金收入超线, en: Pension above the line}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（中央确定的基础养老金不计入）、第三十二条
  - 社会救助暂行办法 第五十八条
level: yellow
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  pension: {max_age_days: 45, any: [hr_employee_pension, hr_resident_pension]}
evidence: [members, outside, pensioners, pension_gross_per_month, pension_counted_per_month, pension_months, pension_month, unsplit, declared_per_month, not_declared, per_person_per_month, per_person_12m, line_12m]
reason: >-
  {heads_zh}，申报收入合计每月{declared_per_month}元{not_declared_zh}。其中{pensioners}名成员{outside_zh}正在领取养老金，最近月份（{pension_month}）登记合计每月{pension_gross_per_month}元，
  按规定计入{pension_counted_per_month}元{split_zh}；用它替换这些成员的申报收入，人均每月{per_person_per_month}元（12个月{per_person_12m}元），超过{line_zh}（12个月{line_12m}元）。
  请核实待遇起领时间和实发金额，告知家庭收入变化应当申报。标准依据：{line_source}。
cited: [hr_employee_pension, hr_resident_pension, ca_assist_household]
known_gaps:
  zh: 外省养老待遇看不到；居民养老金只有合计的不计入；“十四五”之后中央基础养老金是否扣除由当地确认，确认前按扣除处理；其他困难家庭没有统一的收入条件，不在其中。
  en: Pensions of other provinces are not seen; a resident pension that came as one total does not count; from 2026 the central part is left out until the place has said whether it counts; other families have no common condition of income and are not here.
false_alarms:
  zh: 年度调待补发（取最近三个月中最低的一个月）；资格认证未通过暂停发放（不计）；刚退休首月含补发（句中注明）；渐退期（已排除）。
  en: Yearly back pay (the least of the last three months counts), pensions held back for a life certificate (not counted), the first month of a pension with arrears (said in the sentence), families phasing out (left out).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 3, since: 2026-11-23, what: "heads and income are those of the family, also members beyond doubt of the household who are on no case, which the sentence says; rigid-expenditure families, against the disposable income; a single-person dibao has the edge line"}
---*/
with summed as (
    select l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source,
           count(*) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0))              as pensioners,
           count(*) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0) and not m.is_listed) as outside_earners,
           sum(m.pension_gross_per_month) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0)) as gross,
           sum(m.pension_per_month) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0)) as counted,
           min(m.pension_months) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0)) as pension_months,
           max(m.pension_month) filter (where m.pension_per_month > coalesce(m.declared_per_month, 0))  as pension_month,
           count(*) filter (where m.is_unsplit)                                                          as unsplit,
           sum(coalesce(m.declared_per_month, 0))                                                        as declared_per_month,
           count(*) filter (where m.person_id is not null and m.is_listed and m.declared_per_month is null
                            and coalesce(m.pension_per_month, 0) <= 0)                                   as not_declared,
           -- A pension goes on: what an ordinary month brings, in the place of what was declared for the month.
           sum(greatest(coalesce(m.declared_per_month, 0), coalesce(m.pension_per_month, 0)))            as per_month
    from case_line l
    join case_member_income m on m.case_id = l.case_id
    group by l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source
)
select household_id, case_id, 'pension' as cause_key,
       members, outside, pensioners, unsplit, not_declared, pension_months, pension_month,
       case when outside > 0 then '该家庭' || members || '人（救助证内' || (members - outside) || '人，另有' || outside || '名未列入保障人口的共同生活成员，依户籍等登记）'
            else '该救助证内' || members || '人' end as heads_zh,
       case when outside_earners > 0 then '（' || outside_earners || '名未列入保障人口）' else '' end as outside_zh,
       cast(gross as decimal(18, 2)) as pension_gross_per_month, cast(counted as decimal(18, 2)) as pension_counted_per_month,
       cast(declared_per_month as decimal(18, 2)) as declared_per_month,
       case when not_declared > 0 then '（' || not_declared || '人未填，未计入）' else '' end as not_declared_zh,
       coalesce('（' || nullif(concat_ws('，',
           case when gross > counted then '中央基础养老金等按规定不计的部分已扣除' end,
           case when unsplit > 0 then unsplit || '人的居民养老金只有合计，无法分列，未计入' end,
           case when pension_months = 1 then '只有一个月的记录，可能含补发' end), '') || '）', '') as split_zh,
       cast(round(per_month / members, 2) as decimal(18, 2)) as per_person_per_month,
       cast(round(per_month * 12 / members, 2) as decimal(18, 2)) as per_person_12m,
       line_12m, line_zh, line_source,
       cast(least(per_month * 12 / (line_12m * members), 999) as decimal(9, 2)) as ratio,
       case when per_month * 12 <= line_12m * members then '按规定计入的养老金加上申报收入，人均没有超过' || line_zh end as not_raised_zh
from summed
-- Close to the line: from nine tenths of it on.
where pensioners > 0 and per_month * 120 >= line_12m * members * 9
