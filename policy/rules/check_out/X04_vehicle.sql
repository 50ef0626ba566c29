/*---
id: X04
version: 6
title: {zh: 家庭成员名下有车辆, en: Vehicle in the family}
legal_basis:
  - 社会救助暂行办法 第九条、第十三条
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十四条、第十七条
level: yellow
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
parameters: [vehicle_limit, vehicle_type_counted]
parameters_if_known: [vehicle_livelihood]
evidence: [vehicles, outside, vehicles_max, families_zh, newest_reg]
reason: >-
  该户现为{category_zh}，成员名下有正常状态的机动车{vehicles}辆（{families_zh}，{registered_zh}）{limit_zh}。{outside_zh}请核实车辆用途和现值。标准依据：{limit_source}。
cited: [ps_vehicle, ca_assist_member]
known_gaps:
  zh: 登记信息没有价格；挂名、已报废未注销、借名购车无法识别；单位车辆不含。
  en: No price is registered; nominal holding and scrapped cars cannot be told; company cars are not in it.
false_alarms:
  zh: 残疾人专用车辆、唯一谋生小型车辆、挂名车辆、康复或治疗用车。
  en: Vehicles for the disabled, the one small vehicle a family lives on, nominal holding, medical use.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "limits by category"}
  - {version: 3, since: 2026-11-22, what: "the sentence says what the limit means"}
  - {version: 4, since: 2026-11-22, what: "a limit that is a proposal is called 参考标准"}
  - {version: 5, since: 2026-11-22, what: "the one small vehicle that a family lives on is left out where a text exempts it"}
  - {version: 6, since: 2026-11-23, what: "the family: also members beyond doubt of the household who are on no case, which the sentence says; no cars of the dead; a single-person dibao has the limit of edge families"}
---*/
with owned as (
    select a.case_id, a.limit_category, a.category_zh, a.household_id, a.county_code, v.vehicle_id,
           bool_and(a.basis = 'household') as is_outside,
           bool_or(coalesce(e.is_exempt_alone, false)) as is_livelihood,
           max(greatest(v.first_reg_date, v.transfer_date)) as registered_on,
           min(t.family_zh) as family_zh
    from assisted_family a
    join vehicle v on v.person_id = a.person_id
    join vehicle_type_counted t on t.county_code = a.county_code and t.family = left(v.vehicle_type, 1)
     and $as_of between t.valid_from and t.valid_to
    left join vehicle_livelihood e on e.county_code = a.county_code and e.vehicle_type = v.vehicle_type
     and $as_of between e.valid_from and e.valid_to
    where v.status = 'A' and t.is_counted and v.vehicle_id is not null
      and (v.first_reg_date is null or v.first_reg_date <= $as_of)
    group by a.case_id, a.limit_category, a.category_zh, a.household_id, a.county_code, v.vehicle_id
)
select o.household_id, o.case_id,
       'vehicles:' || md5(string_agg(o.vehicle_id, ',' order by o.vehicle_id)) as cause_key,
       count(*) as vehicles, count(*) filter (where o.is_outside) as outside, l.vehicles_max, l.source as limit_source,
       string_agg(distinct o.family_zh, '、' order by o.family_zh) as families_zh,
       coalesce(strftime(max(o.registered_on), '%Y年%-m月%-d日'), '日期不详') as newest_reg,
       case when max(o.registered_on) is null then '登记日期不详'
            else case when count(*) > 1 then '最近一辆' else '' end || strftime(max(o.registered_on), '%Y年%-m月%-d日登记') end as registered_zh,
       case when l.vehicles_max = 0 then '；按' || l.standard_zh || '，此类家庭不得拥有这类机动车'
            else '，超过' || l.standard_zh || '（此类家庭最多' || l.vehicles_max || '辆）' end as limit_zh,
       case when count(*) filter (where o.is_outside) > 0
            then '其中' || count(*) filter (where o.is_outside) || '辆登记在未列入保障人口的共同生活成员名下（救助证上没有，依户籍等登记）。' else '' end as outside_zh,
       min(o.category_zh) as category_zh
from owned o
join (select *, case evidence when 'published' then '现行标准' else '参考标准' end as standard_zh from vehicle_limit) l on l.county_code = o.county_code and l.category = o.limit_category and $as_of between l.valid_from and l.valid_to
group by o.household_id, o.case_id, l.vehicles_max, l.source, l.standard_zh
-- The one small vehicle that a family lives on, where a text exempts it.
having count(*) > l.vehicles_max and not (count(*) = 1 and bool_or(o.is_livelihood))
