/*---
id: X12
version: 4
title: {zh: 经营收入超线, en: Business income above the line}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（经营净收入）、第三十二条
  - 社会救助暂行办法 第五十八条
level: yellow
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  business_income: {max_age_days: 120, all: [tx_business_income]}
uses:
  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}
evidence: [members, outside, earners, business, business_periods, business_left_out, farm, declared_per_month, not_declared, per_person_12m, line_12m]
reason: >-
  {heads_zh}，申报收入合计每月{declared_per_month}元{not_declared_zh}。近12个月其中{earners}名成员{outside_zh}{earned_zh}；
  用它替换这些成员的申报收入，12个月人均{per_person_12m}元，超过{line_zh}（12个月{line_12m}元）。{left_out_zh}请入户核实实际经营情况和成本。标准依据：{line_source}。
cited: [tx_business_income, ag_subsidy_land, ca_assist_household]
known_gaps:
  zh: 其他困难家庭没有统一的收入条件，不在其中；未登记的经营、土地流转收入看不到；承包地收益只在当地确认每亩纯收益后才计；经营所得以税务部门的应纳税所得额减税额为准。
  en: Other families have no common condition of income and are not here. Unregistered trade and leased land are not seen; the yield of land counts only where the county has confirmed one; business income is what the tax office assessed, less the tax.
false_alarms:
  zh: 定期定额户未达起征点的核定收入是推定值（不计）；零申报（不说明收入）；惠农补贴由户主代全家、代亲友领取；已注销的经营（不计）。
  en: Fixed quotas below the threshold are fictions (not counted), zero returns say nothing, subsidies drawn for relatives, firms struck off (not counted).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 3, since: 2026-11-23, what: "heads and income are those of the family, also members beyond doubt of the household who are on no case, which the sentence says; rigid-expenditure families, against the disposable income; a single-person dibao has the edge line"}
  - {version: 4, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with member as (
    select m.*, coalesce(m.declared_per_month, 0) * 12 as declared_12m, coalesce(m.wage, 0) + m.pension_12m as other_12m,
           m.business + m.farm as earned_12m
    from case_member_income m
),
summed as (
    select l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source,
           count(*) filter (where m.earned_12m > 0)       as earners,
           count(*) filter (where m.earned_12m > 0 and not m.is_listed) as outside_earners,
           sum(m.business)                                as business,
           sum(m.business_periods)                        as business_periods,
           sum(m.business_left_out)                       as business_left_out,
           sum(m.farm)                                    as farm,
           sum(coalesce(m.declared_per_month, 0))         as declared_per_month,
           count(*) filter (where m.person_id is not null and m.is_listed and m.declared_per_month is null and m.earned_12m <= 0) as not_declared,
           bool_or(m.earned_12m > m.declared_12m)         as is_more,
           sum(greatest(m.declared_12m, m.earned_12m))                as total_alone,
           sum(greatest(m.declared_12m, m.other_12m))                 as total_without,
           sum(greatest(m.declared_12m, m.other_12m + m.earned_12m))  as total_with
    from case_line l
    join member m on m.case_id = l.case_id
    group by l.case_id, l.household_id, l.members, l.outside, l.line_12m, l.line_zh, l.line_source
),
judged as (
    -- Business alone, or with wages and pensions where these alone do not do it (that would be X08 or X10).
    select *, case when total_alone > line_12m * members then total_alone else total_with end as total
    from summed
    where earners > 0
)
select household_id, case_id, 'business' as cause_key,
       members, outside, earners, cast(business_periods as integer) as business_periods, cast(business_left_out as integer) as business_left_out,
       case when outside > 0 then '该家庭' || members || '人（救助证内' || (members - outside) || '人，另有' || outside || '名未列入保障人口的共同生活成员，依户籍等登记）'
            else '该救助证内' || members || '人' end as heads_zh,
       case when outside_earners > 0 then '（' || outside_earners || '名未列入保障人口）' else '' end as outside_zh,
       cast(business as decimal(18, 2)) as business, cast(farm as decimal(18, 2)) as farm,
       cast(declared_per_month as decimal(18, 2)) as declared_per_month, not_declared,
       case when not_declared > 0 then '（' || not_declared || '人未填，未计入）' else '' end as not_declared_zh,
       concat_ws('，', case when business_periods > 0 then '经营所得' || business_periods || '期，税后共' || yuan_zh(business) end,
                 case when farm > 0 then '惠农补贴和承包地收益共' || yuan_zh(farm) end) as earned_zh,
       case when business_left_out > 0 then '另有' || business_left_out || '期为未达起征点的核定收入或零申报，未计入。' else '' end as left_out_zh,
       cast(round(total / members, 2) as decimal(18, 2)) as per_person_12m,
       line_12m, line_zh, line_source,
       cast(least(total / (line_12m * members), 999) as decimal(9, 2)) as ratio,
       case when total <= line_12m * members then '经营收入加上申报收入，12个月人均没有超过' || line_zh
            when not (total_alone > line_12m * members and is_more) and total_without > line_12m * members
                 then '经营收入没有超过申报的收入，或不计经营收入已经超线' end as not_raised_zh
from judged
-- Close to the line: from nine tenths of it on.
where total * 10 >= line_12m * members * 9
