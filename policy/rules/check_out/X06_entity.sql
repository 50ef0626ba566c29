/*---
id: X06
version: 5
title: {zh: 家庭成员经营市场主体, en: Active role in a market entity}
legal_basis:
  - 社会救助暂行办法 第九条、第十三条
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十七条
level: yellow
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  entity_role: {max_age_days: 14, all: [am_entity_role]}
parameters: [entity_role_blocking]
parameters_if_known: [financial_limit]
evidence: [entities, outside, roles_zh, oldest_est, subscribed_total]
reason: >-
  该户现为{category_zh}，成员在{entities}个存续的市场主体中任{roles_zh}（{est_zh}{capital_zh}）。{outside_zh}请核实是否实际经营、有无收入。标准依据：{limit_source}。
cited: [am_entity_role, ca_assist_member]
known_gaps:
  zh: 证件号有时脱敏；吊销未注销的空壳不在其中；认缴不等于实缴。
  en: Ids are sometimes masked; revoked shells are left out; subscribed is not paid-in capital.
false_alarms:
  zh: 被冒名登记、挂名法人、长期停业未注销、合作社成员（已排除）。
  en: Registered in a stolen name, nominal representatives, dormant firms; co-operative members are left out.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the sentence leaves out what is nothing or not known"}
  - {version: 3, since: 2026-11-22, what: "left to X07 where subscribed capital is in the limit of money"}
  - {version: 4, since: 2026-11-23, what: "the family: also members beyond doubt of the household who are on no case, which the sentence says; no roles of the dead"}
  - {version: 5, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with role as (
    select a.case_id, a.category_zh, a.household_id, r.uscc, r.role, max(r.subscribed_capital) as subscribed_capital,
           bool_and(a.basis = 'household') as is_outside, min(r.est_date) as est_date, min(b.source) as limit_source
    from assisted_family a
    join entity_role r on r.person_id = a.person_id
    join entity_role_blocking b on b.county_code = a.county_code and b.entity_type = r.entity_type and b.role = r.role
     and $as_of between b.valid_from and b.valid_to
    -- Where subscribed capital is in the limit of money, X07 speaks of it and business alone stands against nobody.
    left join financial_limit f on f.county_code = a.county_code and f.category = a.limit_category and $as_of between f.valid_from and f.valid_to
    where r.status = '1' and b.is_blocking and r.uscc is not null and not coalesce(f.counts_capital, false)
      and (r.est_date is null or r.est_date <= $as_of)
    group by a.case_id, a.category_zh, a.household_id, r.uscc, r.role
),
summed as (
    select household_id, case_id, min(category_zh) as category_zh,
           string_agg(distinct uscc || role, ',' order by uscc || role) as what,
           count(distinct uscc) as entities,
           count(distinct uscc) - count(distinct uscc) filter (where not is_outside) as outside,
           string_agg(distinct role_zh, '、' order by role_zh) as roles_zh,
           min(est_date) as oldest_on,
           cast(coalesce(sum(subscribed_capital) filter (where role = '2'), 0) as decimal(18, 2)) as subscribed_total,
           min(limit_source) as limit_source
    from (
        select *, case role when '1' then '法定代表人' when '2' then '投资人' when '3' then '高级管理人员'
                            when '4' then '经营者' else '其他角色' end as role_zh
        from role
    )
    group by household_id, case_id
)
select household_id, case_id, 'entities:' || md5(what) as cause_key,
       entities, outside, roles_zh, subscribed_total,
       case when outside > 0 then '其中' || outside || '个是未列入保障人口的共同生活成员任职或出资的（救助证上没有，依户籍等登记）。' else '' end as outside_zh,
       limit_source, category_zh,
       coalesce(strftime(oldest_on, '%Y年%-m月%-d日'), '日期不详') as oldest_est,
       case when oldest_on is null then '成立日期不详'
            else case when entities > 1 then '最早' else '' end || strftime(oldest_on, '%Y年%-m月%-d日成立') end as est_zh,
       case when subscribed_total > 0
            then '，认缴出资' || case when entities > 1 then '合计' else '' end || yuan_zh(subscribed_total)
            else '' end as capital_zh
from summed
