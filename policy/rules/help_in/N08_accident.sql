/*---
id: N08
version: 2
title: {zh: 事故致死或重伤, en: Death or severe injury by accident}
legal_basis:
  - 国办发〔2023〕39号（关注家庭突发变故）
  - 社会救助暂行办法第四十七条（因火灾、交通事故等意外事件的临时救助）
level: orange
levels: [red, orange]
owner: 县民政局社会救助科（会同应急管理局）
expires: 2027-12-31
subject: person
new_signal: {window: new_accident}
needs:
  accident: {max_age_days: 45, all: [em_accident_casualty]}
  # All of these say no more than who was an earner, or who has died.
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [labour_age, severe_disability, warning_window]
evidence: [cause, event_on, earner, others]
reason:
  dead: 该成员于{event_on}在{kind_zh}中去世（{news_zh}），{earner_zh}，家中还有{others}人。{link_zh}请尽快入户了解生活来源。
  injured: 该成员于{event_on}在{kind_zh}中受重伤（{news_zh}），{earner_zh}。{link_zh}请入户了解治疗费用和生活来源。
cited: [em_accident_casualty]
known_gaps:
  zh: 事故台账证件号常缺，能对应到人的才提示，对应把握为B级的在句中注明，更低的不提示；事后赔偿看不到。
  en: Ids are often missing, so only people who could be told are warned of; links of grade B are marked in the sentence, lower ones are left out; compensation is not seen.
false_alarms:
  zh: 同名他人、已获足额赔偿或工伤待遇、轻伤误记为重伤、无人需要救助的独居者。
  en: Another person of the name, full compensation or injury insurance, a light injury recorded as severe, somebody who lived alone.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "an accident is news on the night it becomes visible; what is left out says why"}
---*/
select a.household_id, a.person_id,
       'accident:' || a.event_on as cause_key,
       case when a.is_dead then 'dead' else 'injured' end as cause,
       case when a.is_dead and a.is_earner then 'red' else 'orange' end as level,
       a.event_on, a.kind_zh, a.others,
       case when a.is_earner then 'yes' when a.is_earner = false then 'no' else 'unknown' end as earner,
       case when a.is_earner then '该成员是家中有劳动能力或有收入记录的人'
            when a.is_earner = false then '该成员不在劳动年龄内，或在学、无劳动能力'
            else '该成员是否家中劳动力没有记录' end as earner_zh,
       case when a.least_grade <> 'A' then '事故台账未能以证件号完全确定到本人，请先核实身份。' else '' end as link_zh,
       -- Whoever lived alone and died leaves nobody in that home; the injured are in need themselves.
       case when a.is_dead and a.others = 0 then '去世者独居，家中没有其他成员' end as not_raised_zh
from accident_event a
