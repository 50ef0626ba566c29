/*---
id: N01
version: 5
title: {zh: 个人自付医疗费用过高, en: Own-pay medical cost is high}
legal_basis:
  - 国办发〔2023〕39号（关注支出、困难情况变化）
  - 铜陵市2025年分档做法（示范值）
level: orange
owner: 县民政局社会救助科（会同医保局）
expires: 2027-12-31
subject: person
parameters: [medical_selfpay_limit]
evidence: [own_pay, limit_amount, category, settlements, first_on, last_on]
reason: >-
  该成员近12个月内共{settlements}笔结算（{span_zh}），个人自付医疗费用合计{own_pay}元，
  超过{category_zh}的年度预警线{limit_amount}元。标准依据：{limit_source}。
cited: [mi_settlement]
known_gaps:
  zh: 跨省结算晚到，事后发放的医疗救助和商业保险赔付未扣除；监测对象名单缺失时按非低收入人口的较高标准。
  en: Settlements of other provinces are late, aid and insurance paid afterwards is not taken off; without the list of monitored households the higher limit applies.
false_alarms:
  zh: 家庭经济条件好、自费项目或美容整形；费用已由商业保险赔付。
  en: Well-off families, elective treatment, costs that an insurance has paid back.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the sentence: one day is said once"}
  - {version: 3, since: 2026-11-22, what: "the sentence: the days are those of the settlements"}
  - {version: 4, since: 2026-11-22, what: "the sum and its limit are a measure that other rules share"}
  - {version: 5, since: 2026-11-23, what: "the same warnings; what the measures declare is not repeated"}
---*/
select household_id, person_id,
       'own_pay:' || category as cause_key,
       own_pay, limit_amount, limit_source, category, category_zh, settlements, first_on, last_on,
       strftime(first_on, '%Y年%-m月%-d日')
           || case when last_on > first_on then strftime(last_on, '至%Y年%-m月%-d日') else '' end as span_zh,
       cast(least(own_pay / limit_amount, 999) as decimal(9, 2)) as ratio
from medical_overrun
