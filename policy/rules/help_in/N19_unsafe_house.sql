/*---
id: N19
version: 2
title: {zh: 唯一住房为危房未改造, en: Only home unsafe and not renovated}
legal_basis:
  - 国办发〔2023〕39号（住房困难的专项救助）
  - 农村危房改造补助资金管理办法
level: yellow
owner: 县民政局社会救助科（会同住房和城乡建设局）
expires: 2027-12-31
subject: household
needs:
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
uses:
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
  housing_aid: {max_age_days: 120, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 120, all: [hc_housing_aid]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [unsafe_house_grade]
evidence: [grade, assess_date, renovation]
reason: 该户唯一住房{assessed_zh}鉴定为{grade}级（{grade_zh}，依据：{grade_source}），{renovation_zh}，没有已竣工或在建的改造记录；名下没有查到其他住房。请入户查看是否有人居住，会同住建部门落实改造或安置。
cited: [hc_rural_house_safety]
known_gaps:
  zh: 户主不一定居住在该房；城镇危房和县外住房看不到；自行翻建未报的看不到。
  en: The householder need not live there; unsafe houses in town and homes elsewhere are not seen, nor is rebuilding that nobody reported.
false_alarms:
  zh: 已投亲靠友或随子女居住、另有住房、已自行翻建或改造已竣工而鉴定未更新、无人居住的旧房。
  en: Lives with children or kin, another home, rebuilt or renovated since, an old house that nobody lives in.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out says why"}
---*/
select a.household_id,
       'unsafe:' || a.grade || ':' || coalesce(a.assess_date::varchar, 'undated') as cause_key,
       a.grade, a.assess_date, a.renovation, g.grade_zh, g.source as grade_source,
       coalesce(strftime(a.assess_date, '于%Y年%-m月%-d日'), '（鉴定日期未载明）') as assessed_zh,
       case a.renovation when '0' then '未列入改造计划' when '1' then '已列入改造计划、尚未动工' end as renovation_zh,
       case when a.is_renovated then '改造在建或已竣工'
            when k.is_only = false then '登记有其他住房，或已住公租房'
            when k.is_only is null then '是否唯一住房，各部门记录不明或不一致'
            -- A state of renovation that nobody told is not "none".
            when a.renovation is null then '改造状态未载明' end as not_raised_zh
from house_assessed a
join household h on h.household_id = a.household_id
join home_known k on k.household_id = a.household_id
join unsafe_house_grade g on g.county_code = h.county_code and g.grade = a.grade and $as_of between g.valid_from and g.valid_to
where g.is_unsafe
  and exists (
      select 1 from household_member m
      where m.household_id = a.household_id and not exists (select 1 from known_death d where d.person_id = m.person_id)
  )
