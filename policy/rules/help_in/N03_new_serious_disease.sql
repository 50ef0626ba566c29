/*---
id: N03
version: 3
title: {zh: 新患重大疾病, en: New serious disease}
legal_basis:
  - 国办发〔2023〕39号（比对重病患者，关注支出变化）
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条（重病患者单独申请）
level: orange
owner: 县民政局社会救助科（会同卫生健康委、医保局）
expires: 2027-12-31
subject: person
new_signal: {window: new_disease}
parameters: [listed_diagnosis, warning_window]
evidence: [cause, event_on]
reason:
  register: 该成员于{event_on}确诊，已列入重大疾病登记（{kind_zh}；{news_zh}），救助台账中没有其低保或特困供养记录。请入户了解治疗费用和家庭负担。
  settlement: 该成员于{event_on}首次以{named_zh}为主诊断结算医疗费用（{news_zh}；此前的结算数据中没有，尚未列入重大疾病登记），救助台账中没有其低保或特困供养记录。请入户了解是否确诊和家庭负担。
cited: [hl_serious_disease, mi_settlement, ca_assist_household]
known_gaps:
  zh: 积压病例没有确诊日期，不算新发；在外省确诊的晚到；慢性肾脏病等看不出轻重的诊断不计；病种范围为建议值。
  en: Cases of the backlog carry no date; diagnoses made in other provinces are late; codes that do not say how grave the disease is do not count; the list is a proposal.
false_alarms:
  zh: 疑似、复查或已退费的结算；多年前确诊而近期才登记；家庭经济条件好、商业保险足以负担。
  en: Suspected cases, check-ups and refunded visits; old diagnoses registered lately; well-off or well-insured families.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a disease is news on the night it becomes visible; what is left out says why"}
  - {version: 3, since: 2026-11-23, what: "the same warnings; what the measures declare is not repeated"}
---*/
select h.household_id, d.person_id,
       'disease:' || d.event_on as cause_key,
       case d.way when 'settlement' then 'settlement' else 'register' end as cause,
       case d.way when 'settlement' then 'mi_settlement,ca_assist_household' else 'hl_serious_disease,ca_assist_household' end as cited_classes,
       d.event_on,
       coalesce('病种：' || d.diseases_zh, '病种可向县民政局了解') as kind_zh, coalesce(d.diseases_zh, '重大疾病') as named_zh,
       case when c.person_id is not null then '本人已纳入或可能已纳入低保、特困供养' end as not_raised_zh
from serious_diagnosis d
join person_household h on h.person_id = d.person_id
left join covered_person c on c.person_id = d.person_id
where not exists (select 1 from known_death k where k.person_id = d.person_id)
