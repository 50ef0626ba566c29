/*---
id: N02
version: 8
title: {zh: 新发重度残疾, en: New severe disability}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条
  - 国办发〔2023〕39号
level: orange
owner: 县民政局社会救助科（会同残联）
expires: 2027-12-31
subject: person
new_signal: {window: new_disability}
parameters: [severe_disability, warning_window]
evidence: [dis_type, dis_grade, issue_date]
reason: >-
  该成员于{issue_date}领到{type_zh}残疾{grade_zh}的残疾人证（{news_zh}），属重度残疾（依据{severe_source}），
  救助台账中没有其低保或特困供养记录。
cited: [dp_disability_cert, ca_assist_household]
known_gaps:
  zh: 已迁出人员的残疾人证可能仍在原县有效；多重残疾按最重一项定级。
  en: Holders who moved away stay valid in the old county; multiple disability takes the grade of the worst.
false_alarms:
  zh: 到期换证、升级换新号而原来已是重度（已排除能查到旧证的）；家庭经济条件好。
  en: A renewal of an older severe certificate (left out where the old one is on file); well-off families.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the sentence fits day 90; an unlinked member of the applicant's case may be covered"}
  - {version: 3, since: 2026-11-22, what: "the age of the certificate is no evidence, or a warning would change every night"}
  - {version: 4, since: 2026-11-22, what: "the sentence in plainer words"}
  - {version: 5, since: 2026-11-22, what: "a certificate is news on the night it becomes visible; what is left out says why"}
  - {version: 6, since: 2026-11-22, what: "the reason for leaving out stands in a column of its own name"}
  - {version: 7, since: 2026-11-23, what: "the sentence: that a disability is mental is not told to a township"}
  - {version: 8, since: 2026-11-23, what: "the same warnings, from the measure of severe certificates; a link under review may be cover"}
---*/
select n.household_id, n.person_id,
       'certificate:' || n.issue_date as cause_key,
       n.dis_type, n.dis_grade, n.issue_date, n.issue_date as event_on, n.severe_source,
       case n.dis_type when '1' then '视力' when '2' then '听力' when '3' then '言语' when '4' then '肢体'
                       when '5' then '智力' when '6' then '' else '多重' end as type_zh,
       case n.dis_grade when '1' then '一级' when '2' then '二级' else '三级' end as grade_zh,
       case when n.first_on < n.issue_date then '换领的残疾人证：此前已持有重度残疾的证'
            -- A member whose cover or link is not known may be covered: unknown is not "no".
            when c.person_id is not null then '本人已纳入或可能已纳入低保、特困供养' end as not_raised_zh
from severe_certificate n
left join covered_person c on c.person_id = n.person_id
where n.issue_date > $as_of - interval 24 month
