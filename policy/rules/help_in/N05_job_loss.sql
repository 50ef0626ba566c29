/*---
id: N05
version: 6
title: {zh: 失业或断缴, en: Job loss}
legal_basis:
  - 国办发〔2023〕39号（关注就业情况变化）
  - 2022年10月20日关于进一步做好最低生活保障等社会救助兜底工作的通知（连续三个月无收入）
level: orange
owner: 县民政局社会救助科（会同人社局）
expires: 2027-12-31
subject: person
parameters: [warning_window, labour_age]
evidence: [cause, since, months_missed, months_allowed]
reason:
  benefit_exhausted: 该成员的失业保险金已领满{approved_zh}（最后一个月为{since_month}），此后没有新的就业、养老待遇或在学记录。
  contributions_stopped: 该成员由单位缴纳的社会保险最后一次缴到{since_month}，此后已连续{months_missed}个月没有缴费（满{months_allowed}个月提示，期限依据：{limit_source}），没有新的就业、养老待遇或在学记录。
  long_registered: 该成员自{since}起登记失业，至今未注销，已超过{months_allowed}个月（期限依据：{limit_source}），没有新的就业、养老待遇或在学记录。
cited: [hr_insurance_contribution, hr_unemployment_benefit, hr_jobless_register]
known_gaps:
  zh: 失业登记自愿，覆盖不全；零工、外出务工和现金收入看不到；跨省参保看不到。
  en: Registration is voluntary; casual work, migrant work, cash income and insurance in other provinces are not seen.
false_alarms:
  zh: 跳槽到外地参保、单位欠缴补缴、自愿离职且家庭条件好、自己经营未登记。
  en: A new job insured elsewhere, late payments by the employer, leaving by choice, unregistered business.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "missed months are counted to the last month that has arrived"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words"}
  - {version: 4, since: 2026-11-22, what: "what is a loss is a measure that other rules share"}
  - {version: 5, since: 2026-11-23, what: "a benefit whose months are not told and whose term is over"}
  - {version: 6, since: 2026-11-23, what: "the sentences say where the limit comes from; what the measure declares is not repeated"}
---*/
select household_id, person_id,
       cause || ':' || since as cause_key,
       cause, since, since as since_month, months_missed, months_allowed, limit_source,
       coalesce('核定的' || approved_months || '个月', '核定期限') as approved_zh
from job_lost
where is_recent
qualify row_number() over (partition by person_id order by rank) = 1
