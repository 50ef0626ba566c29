/*---
id: N06
version: 4
title: {zh: 收入骤减, en: Plunge of income}
legal_basis:
  - 国办发〔2023〕39号（关注就业、支出、困难情况变化）
  - 铜陵市“家庭收入骤减”模型（示范，未公布数值）
level: yellow
owner: 县民政局社会救助科（会同人社局）
expires: 2027-12-31
subject: household
uses:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
parameters: [income_plunge]
evidence: [members, recent_from, until_month, recent_mean, before_mean, before_known, before_median, drop_percent, pool, per_person_month, line_12m, unknown_members, change]
reason:
  low_income: 该户{members}人，{recent_from}至{until_month}有记录的收入平均每月{recent_mean}元，比此前{before_known}个月的平均每月{before_mean}元减少{drop_percent}%（达到{limit_percent}%即提示）：{change_zh}。目前人均每月{per_person_month}元，低于{multiple}倍低保标准（{line_zh}）。每名成员的收入来源都有记录，但现金收入看不到，请入户了解减收原因和生活情况。标准依据：{limit_source}；{standard_source}。
  in_pool: 该户{members}人，为{pool_zh}；{recent_from}至{until_month}有记录的收入平均每月{recent_mean}元，比此前{before_known}个月的平均每月{before_mean}元减少{drop_percent}%（达到{limit_percent}%即提示）：{change_zh}。{unknown_zh}请入户了解减收原因，需要调整救助的及时办理。标准依据：{limit_source}。
known_gaps:
  zh: >-
    经营、务农、现金收入不在其中；某月没有记录又没有失业、停缴等佐证的，不当作零，该户不提示；不在低收入人口库、又有成年成员收入情况不明的家庭不提示。
  en: >-
    Business, farming and cash are not in it. A month without a record, and without anything that says that work ended, is not
    zero: such a household is not warned of, nor is one outside the pool of whose grown-ups one has unknown means.
false_alarms:
  zh: 年终奖、调待补发所在月份拉高此前平均（另与中位月份比较，已排除）；季节性务工淡季（与上年同月比较，已排除）；养老金未认证暂停（已排除）；换工作中间空档。
  en: Bonus and back-pay months that lift the mean before (left out, the middle month counts too), the off-season (left out, the same months a year ago count too), a pension held back for a life certificate (left out), a gap between two jobs.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out, or comes close, says why"}
  - {version: 3, since: 2026-11-22, what: "what is a plunge is a measure that other rules share"}
  - {version: 4, since: 2026-11-22, what: "an income of a few months alone does not plunge"}
---*/
select household_id, 'plunge' as cause_key,
       case when pool_zh is not null then 'in_pool' else 'low_income' end as cause,
       members, recent_from as recent_from_month, strftime(recent_from, '%Y年%-m月') as recent_from, until_month, before_known, before_median,
       cast(round(recent_sum / recent_months, 2) as decimal(18, 2)) as recent_mean,
       cast(round(before_sum / before_known, 2) as decimal(18, 2)) as before_mean,
       cast(floor(100 - recent_sum * before_known * 100 / (before_sum * recent_months)) as integer) as drop_percent,
       cast(limit_percent as integer) as limit_percent, limit_source,
       pool_zh as pool, pool_zh,
       cast(round(recent_sum / recent_months / members, 2) as decimal(18, 2)) as per_person_month,
       cast(standard_12m as decimal(18, 2)) as line_12m,
       rtrim(rtrim(dibao_multiple::varchar, '0'), '.') as multiple, standard_zh as line_zh, standard_source,
       unknown_members, change_zh as change, change_zh,
       case when unknown_members > 0 then unknown_members || '名成员的收入情况没有记录，未计入。' else '' end as unknown_zh,
       classes || case when pool_zh is not null then ',ca_assist_household' else '' end as cited_classes,
       case when is_spike then '此前的收入集中在个别月份（补发、奖金或短工），与中位月份相比没有骤减'
            when is_season then '上年同月的收入同样低，可能是季节性务工'
            when pool_zh is null and standard_12m is null then '当地低保标准不明，无法判断是否低收入'
            when pool_zh is null and not is_low then '收入虽减少，人均仍不低于' || rtrim(rtrim(dibao_multiple::varchar, '0'), '.') || '倍低保标准'
            when pool_zh is null and unknown_members > 0 then unknown_members || '名成员的收入情况没有记录，无法判断是否低收入' end as not_raised_zh
from income_plunged
