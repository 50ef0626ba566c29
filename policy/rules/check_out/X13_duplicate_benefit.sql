/*---
id: X13
version: 3
title: {zh: 重复享受救助, en: Duplicate benefit}
legal_basis:
  - 特困人员认定办法（民发〔2021〕43号）第九条：孤儿、事实无人抚养儿童待遇与特困供养不重复
  - 最低生活保障审核确认办法（民发〔2021〕57号）
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
parameters: [warning_window]
evidence: [cause, cases, counties, categories_zh, last_paid_month]
reason:
  dibao_and_tekun: 该成员同时是低保和特困供养的保障对象，列在{cases}个在保的救助证上。两项待遇不能同时享受，请核实。
  two_counties: 该成员同时是{counties}个县（市、区、旗）的保障对象，列在{cases}个在保的救助证上（{categories_zh}）。请与对方县核实其户籍和居住地。
  two_cases: 该成员同时列在本县{cases}个在保的救助证上（{categories_zh}）。请核实是否重复登记，或转户后旧证未注销。
  tekun_and_child_money: 该成员享受特困供养，{last_paid_month}又领取了{subsidy_zh}。两项待遇只能选择一项，请核实。
cited: [ca_assist_household, ca_assist_member]
known_gaps:
  zh: 只能看到本平台收到数据的县；转户当月可能两证并存。
  en: Only counties whose data arrive here are seen; in the month of a move two cases may stand.
false_alarms:
  zh: 单人保与家庭边缘证并存（已排除）、转户当月、同名误关联（已限定为确定关联）。
  en: A single-person dibao beside the family's edge case (left out), the month of a move.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: the sentences in plainer words}
  - {version: 3, since: 2026-11-22, what: "two recognised families of one person, for such cases cover nobody by name; a person without a household stands with the case"}
---*/
with covered as (
    select distinct a.person_id, a.case_id, a.category, coalesce(a.is_single_person, false) as is_single_person,
           a.county_code, coalesce(a.is_covered, false) as is_covered
    from current_assistance a
    -- Edge, rigid and other families are recognised whole: whoever is listed belongs to one of them only.
    where a.person_id is not null and (a.is_covered or a.category in ('3', '4', '5'))
),
held as (
    select person_id,
           list(distinct case_id order by case_id)                                 as case_ids,
           count(distinct case_id)                                                 as cases,
           count(distinct case_id) filter (where is_covered)                       as covered_cases,
           count(distinct case_id) filter (where category in ('3', '4', '5'))      as family_cases,
           count(distinct county_code)                                             as counties,
           bool_or(is_covered and category = '1') and bool_or(is_covered and category = '2')                     as is_dibao_and_tekun,
           -- A single-person dibao legitimately sits beside the edge or rigid case of its family.
           bool_or(is_single_person) and count(distinct case_id) filter (where category in ('1', '2')) = 1 as is_single_beside_family,
           string_agg(distinct case category when '1' then '低保' when '2' then '特困' when '3' then '低保边缘'
                                             when '4' then '刚性支出困难' else '其他困难' end, '、'
                      order by case category when '1' then '低保' when '2' then '特困' when '3' then '低保边缘'
                                             when '4' then '刚性支出困难' else '其他困难' end) as categories_zh
    from covered
    group by person_id
),
two as (
    select person_id, case_ids, cases, counties, categories_zh, null::date as last_paid_month, null::varchar as subsidy_zh,
           case when is_dibao_and_tekun then 'dibao_and_tekun'
                when counties > 1 then 'two_counties' else 'two_cases' end as cause
    from held
    where (family_cases > 1 or (covered_cases > 1 and not is_single_beside_family))
),
child as (
    select c.person_id, list(distinct c.case_id order by c.case_id) as case_ids,
           count(distinct c.case_id) as cases, count(distinct c.county_code) as counties, '特困' as categories_zh,
           max(s.pay_month) as last_paid_month,
           case max(s.subsidy_type) when '4' then '孤儿基本生活费' else '事实无人抚养儿童基本生活补贴' end as subsidy_zh,
           'tekun_and_child_money' as cause
    from covered c
    left join person_household o on o.person_id = c.person_id
    left join case_household k on k.case_id = c.case_id
    join warning_window w on w.county_code = coalesce(o.county_code, k.county_code) and w."window" = 'duplicate_subsidy'
     and $as_of between w.valid_from and w.valid_to
    join welfare_subsidy s on s.person_id = c.person_id
    where c.category = '2' and c.is_covered and s.subsidy_type in ('4', '5') and s.status = '1'
      and s.pay_month <= $as_of and date_diff('month', s.pay_month, $as_of) <= w.length
    group by c.person_id
)
select coalesce(h.household_id, k.household_id) as household_id, d.person_id,
       d.cause || ':' || md5(array_to_string(d.case_ids, ',')) as cause_key,
       d.cause, d.cases, d.counties, d.categories_zh, d.last_paid_month, d.subsidy_zh
from (from two union all by name from child) d
left join person_household h on h.person_id = d.person_id
left join case_household k on k.case_id = d.case_ids[1]
where coalesce(h.household_id, k.household_id) is not null
