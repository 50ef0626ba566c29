/*---
id: P05
version: 3
title: {zh: 住房保障政策未落实, en: Housing policy not delivered}
legal_basis:
  - 国办发〔2023〕39号（已纳入救助的查政策是否落实）
  - 农村低收入群体等重点对象住房安全保障（危房改造）政策
level: yellow
owner: 县住房和城乡建设局（会同县民政局社会救助科）
expires: 2027-12-31
subject: household
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
uses:
  housing_aid: {max_age_days: 45, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 45, all: [hc_housing_aid]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [delivery_window]
evidence: [cause, grade, assessed_on, renovation, ended_on]
reason:
  unsafe: 该户现为{category_zh}，住房在{assessed_zh}鉴定为{grade}级{only_zh}，{renovation_zh}。请核实是否仍在居住，符合条件的纳入危房改造或其他住房保障。
  waiting: 该户现为{category_zh}，住房在{assessed_zh}鉴定为{grade}级{only_zh}，已列入改造计划，超过{wait_months}个月（期限依据：{wait_source}）没有开工记录。请核实原因并督促落实。
  listed: 该户现为{category_zh}，住房保障登记中有{aid_zh}，但没有起始日期和保障内容，可能在册而未落实。请与住房保障部门核实。
  ended: 该户现为{category_zh}，{aid_zh}已于{ended_on}到期，没有续期记录，名下也没有查到住房。请核实现在的住处，符合条件的续保。
cited: [hc_rural_house_safety, hc_housing_aid, ca_assist_household]
known_gaps:
  zh: 鉴定登记的是户主，不一定是实际居住人；公租房轮候名册不在数据中；农村宅基地房屋多未登记产权，到期未续只看城镇家庭。
  en: An assessment names the householder, who may not live there; waiting lists of public housing do not arrive; rural houses have no titles, so ended aid is looked at in towns alone.
false_alarms:
  zh: 已住公租房、已竣工、已列入当年计划或正在施工（均已排除）；危房无人居住；到期后已自行解决住房。
  en: Families in public housing, finished, planned this year or being built (left out), a house nobody lives in, families that found a home.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the sentence says where the term of renovation comes from"}
  - {version: 3, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with standing as (
    -- One case a household: the first category that it has.
    select *, row_number() over (partition by household_id order by category, case_id) as choice
    from case_in_force
),
family as (
    select s.household_id, s.case_id, s.county_code, s.category_zh, a.person_id
    from standing s join current_assistance a on a.case_id = s.case_id
    where s.choice = 1 and a.person_id is not null
    union
    select s.household_id, s.case_id, s.county_code, s.category_zh, m.person_id
    from standing s join household_member m on m.household_id = s.household_id
    where s.choice = 1 and m.person_id is not null and m.needs_check is not true
),
aid as (
    select person_id, aid_type, start_date, end_date,
           coalesce(area_m2, 0) > 0 or coalesce(rent_per_month, 0) > 0 or coalesce(subsidy_per_month, 0) > 0 as has_content
    from housing_aid
    union all
    select person_id, aid_type, start_date, end_date, false from housing_aid_member
),
helped as (
    select f.household_id,
           bool_or(a.start_date <= $as_of and (a.end_date is null or a.end_date >= $as_of))             as is_helped,
           bool_or(a.start_date is null and a.has_content)                                               as maybe_helped,
           bool_or(a.start_date is null and not a.has_content and (a.end_date is null or a.end_date >= $as_of)) as is_listed,
           max(a.end_date) filter (where a.start_date <= $as_of and a.end_date < $as_of)                as ended_on,
           arg_max(a.aid_type, (a.end_date, a.aid_type)) filter (where a.end_date < $as_of)                            as ended_type,
           min(a.aid_type) filter (where a.start_date is null)                                           as listed_type
    from family f
    join aid a on a.person_id = f.person_id
    group by f.household_id
),
house as (
    -- The same house is assessed again: the latest counts, and of one day the worst.
    select f.household_id, f.case_id, f.county_code, f.category_zh, s.grade, s.assess_date, s.is_only_dwelling, s.renovation, s.finish_date,
           row_number() over (partition by f.household_id order by s.assess_date desc nulls last, s.grade desc nulls last, s.row_key) as choice
    from family f
    join house_safety s on s.person_id = f.person_id
    where s.assess_date is null or s.assess_date <= $as_of
),
unsafe as (
    select h.household_id, h.case_id, h.category_zh, h.grade, h.assess_date as assessed_on, h.renovation, h.is_only_dwelling, w.length as wait_months, w.source as wait_source,
           case when h.renovation = '1' then 'waiting' else 'unsafe' end as cause
    from house h
    join delivery_window w on w.county_code = h.county_code and w."window" = 'renovation_wait'
     and $as_of between w.valid_from and w.valid_to
    left join helped a on a.household_id = h.household_id
    where h.choice = 1 and h.grade in ('C', 'D')
      and h.is_only_dwelling is distinct from false
      and (h.finish_date is null or h.finish_date > $as_of)
      and (coalesce(h.renovation, '0') = '0'
           or (h.renovation = '1' and h.assess_date + to_months(cast(w.length as integer)) < $as_of))
      and not coalesce(a.is_helped, false)
),
security as (
    select s.household_id, s.case_id, s.category_zh,
           case when a.is_listed then 'listed' else 'ended' end as cause,
           case when a.is_listed then a.listed_type else a.ended_type end as aid_type,
           case when not a.is_listed then a.ended_on end as ended_on
    from standing s
    join helped a on a.household_id = s.household_id
    join household o on o.household_id = s.household_id
    join delivery_window w on w.county_code = s.county_code and w."window" = 'housing_aid_ended'
     and $as_of between w.valid_from and w.valid_to
    where s.choice = 1 and not coalesce(a.is_helped, false) and not coalesce(a.maybe_helped, false)
      and (a.is_listed
           or (o.urban_rural = '1' and a.ended_on + to_months(cast(w.length as integer)) >= $as_of
               and not exists (
                   select 1 from title_held t join family f on f.person_id = t.person_id
                   where f.household_id = s.household_id and t.use = '10'
               )))
)
select household_id, case_id,
       cause || ':' || coalesce(grade || coalesce(assessed_on::varchar, ''), ended_on::varchar, aid_type, '') as cause_key,
       cause, category_zh, grade, assessed_on, renovation, ended_on, wait_months, wait_source,
       case when assessed_on is null then '日期不详的一次' else strftime(assessed_on, '%Y年%-m月%-d日') end as assessed_zh,
       case when is_only_dwelling then '，登记为唯一住房' else '，是否唯一住房未登记' end as only_zh,
       case when renovation = '0' then '没有列入改造计划' else '改造情况未登记' end as renovation_zh,
       case aid_type when '1' then '公租房保障' when '2' then '住房租赁补贴' else '住房保障' end as aid_zh
from (from unsafe union all by name from security)
