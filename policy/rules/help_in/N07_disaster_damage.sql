/*---
id: N07
version: 3
title: {zh: 住房倒损或重大灾害损失, en: Home destroyed or heavy disaster loss}
legal_basis:
  - 国办发〔2023〕39号（关注家庭突发变故）
  - 自然灾害救助条例（国务院令第577号）第十四条
level: orange
levels: [red, orange]
owner: 县民政局社会救助科（会同应急管理局）
expires: 2027-12-31
subject: household
new_signal: {window: new_disaster}
needs:
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
uses:
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
  housing_aid: {max_age_days: 120, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 120, all: [hc_housing_aid]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window]
parameters_if_known: [dibao_standard]
evidence: [cause, event_on, rooms_collapsed, rooms_severe, loss, loss_limit, members, home]
reason:
  home: 该户在{event_zh}（{event_on}，{news_zh}）中住房{damage_zh}，{home_zh}；{loss_zh}{relief_zh}{link_zh}请尽快入户，落实安置、应急救助和住房重建。
  loss: 该户在{event_zh}（{event_on}，{news_zh}）中直接经济损失{loss}元，超过全户一年的低保标准{loss_limit}元（{standard_zh}，{members}人；标准依据：{standard_source}）；{relief_zh}{link_zh}请入户了解生活是否有困难。
cited: [em_disaster_relief]
known_gaps:
  zh: 户主证件号常缺，对应不到人的看不到；没有发生日期的登记不计；农村住房多未登记，是否唯一住房常靠入户核实；低保标准不明的县不核对损失。
  en: The id of the head is often missing; rows without a day do not count; whether a house is the only one is often told by the visit alone; where the standard is not known, losses are not weighed.
false_alarms:
  zh: 倒塌的是附属房、圈舍或无人居住的旧房；另有住房；同一房屋在两轮中重复登记（已合并）；损失主要由农业保险赔付。
  en: Outbuildings or empty old houses, another home, a house listed in two rounds (taken as one), losses that insurance pays.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a disaster is news on the night it becomes visible; what is left out says why"}
  - {version: 3, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
select household_id,
       'disaster:' || event_on as cause_key,
       case when lost_home then 'home' else 'loss' end as cause,
       case when lost_home and is_only then 'red' else 'orange' end as level,
       event_on, coalesce(event_zh, '一次灾害') as event_zh,
       rooms_collapsed, rooms_severe, loss, loss_limit, members,
       case when is_only then 'only' when is_only is null then 'unknown' else 'other' end as home,
       concat_ws('、', case when rooms_collapsed > 0 then '倒塌' || rooms_collapsed || '间' end,
                 case when rooms_severe > 0 then '严重损坏' || rooms_severe || '间' end) as damage_zh,
       case when is_only then '是该户唯一住房' else '是否唯一住房没有记录，须入户核实' end as home_zh,
       case when loss > 0 then '登记直接经济损失' || yuan_zh(loss) || '；' else '' end as loss_zh,
       case when relief > 0 then '已发受灾救助' || yuan_zh(relief) || '。' else '尚无受灾救助发放记录。' end as relief_zh,
       case when least_grade <> 'A' then '户主身份由登记信息推定，请先核实是否本户。' else '' end as link_zh,
       case period when 'month' then '每人每月' || yuan_zh(amount) || '，12个月合计'
            else '每人每年' || yuan_zh(amount) end as standard_zh,
       standard_source,
       case when loss_limit > 0 and lost_much then cast(least(loss / loss_limit, 999) as decimal(9, 2)) end as ratio,
       case when not lost_home and not lost_much then '登记有其他住房或公租房，损失未超过全户一年的低保标准' end as not_raised_zh
from disaster_damage
where lost_home or lost_much or rooms_collapsed > 0 or rooms_severe > 0
