/*---
id: N09
version: 7
title: {zh: 主要劳动力去世或因故离家, en: Earner died or is away}
legal_basis:
  - 国办发〔2023〕39号（关注家庭突发变故）
  - 特困人员认定办法（民发〔2021〕43号）第五条（劳动能力）
level: red
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
parameters: [labour_age, earner_share, warning_window, severe_disability]
parameters_if_known: [dibao_standard]
evidence: [cause, event_kind, event_on, others, income_share_percent, share_limit_percent]
reason:
  main_income: 该成员于{event_on}{event_zh}，此前12个月其收入占家庭有记录收入的{income_share_percent}%（超过{share_limit_percent}%即提示，依据：{share_source}）；家中还有{others}人。
  only_worker: 该成员于{event_on}{event_zh}，是家中唯一有劳动能力的人；家中还有{others}人，属未成年、老年、在学、重度残疾或丧失劳动能力（劳动年龄{from_age}至{to_age}周岁，依据：{age_source}）。
cited: [ps_death, tx_iit_withholding]
known_gaps:
  zh: 土葬、在家死亡可能晚报；现金与务农收入不在收入占比内；羁押信息仅返回匹配人员。
  en: Deaths at home are late; cash and farm income is not in the share; custody is returned for matched persons only.
false_alarms:
  zh: 子女已另立户但仍赡养；死者收入高而家庭有积蓄；注销有误。
  en: Children outside the household who support it, families with savings, a wrong cancellation.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "custody is not told to townships; a share needs the others' income on record, or a sum above the dibao standard"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words"}
  - {version: 4, since: 2026-11-22, what: "cites the classes on which the row rests, and not the reason of an absence"}
  - {version: 5, since: 2026-11-22, what: "what is such an event is a measure that other rules share"}
  - {version: 6, since: 2026-11-22, what: "a death that the list of accidents tells of counts; a list of custody that is late puts nobody away"}
  - {version: 7, since: 2026-11-23, what: "the sentences say where the limit comes from; what the measure declares is not repeated"}
---*/
select e.household_id, e.person_id, e.event_kind || ':' || e.event_on as cause_key,
       e.cause, e.event_kind, e.event_on, e.event_sources,
       case when e.event_classes is not null or e.event_kind = 'away'
            then concat_ws(',', e.event_classes, case when e.cause = 'only_worker' then null else e.income_classes end)
       end as cited_classes,
       e.others, e.income_share_percent, e.share_limit_percent, r.source as share_source, l.from_age, l.to_age, l.source as age_source,
       case e.event_kind when 'death' then '去世（' || e.event_sources || '）' else '因故离家（可向县民政局了解）' end as event_zh
from earner_lost e
join earner_share r on r.county_code = e.county_code and $as_of between r.valid_from and r.valid_to
join labour_age l on l.county_code = e.county_code and $as_of between l.valid_from and l.valid_to
join warning_window s on s.county_code = e.county_code and s."window" = 'earner_lost_seen'
 and $as_of between s.valid_from and s.valid_to
join warning_window x on x.county_code = e.county_code and x."window" = 'earner_lost_event'
 and $as_of between x.valid_from and x.valid_to
where e.event_on > $as_of - to_months(cast(x.length as integer))
  and date_diff('day', e.seen_on, $as_of) between 0 and s.length
qualify row_number() over (partition by e.person_id order by e.event_kind desc, e.event_on desc) = 1
