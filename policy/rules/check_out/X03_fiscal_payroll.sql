/*---
id: X03
version: 4
title: {zh: 家庭成员由财政供养, en: On the fiscal payroll}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十三条（工资性收入计入家庭收入）
  - 随州市救助对象信息比对做法（财政供养人员，示范）
level: orange
owner: 县民政局核对中心
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [payroll_post, exit_window]
evidence: [post_type, last_month, gross_pay_per_month, role, months, mentioned]
reason: >-
  该户现为{category_zh}，{role_zh}在财政供养名册中登记为{post_zh}，最近一次发放为{last_month}{pay_zh}。
  请核实其工资是否计入家庭收入、家庭是否仍符合条件。{mentioned_zh}依据：{limit_source}。
cited: [hr_fiscal_payroll, ca_assist_member]
known_gaps:
  zh: 名册只含本地财政统发人员；离退休人员可能与养老待遇重复；应发工资不是实发。
  en: Only people whom this place pays; retirees may also draw a pension; gross is not net.
false_alarms:
  zh: 村（社区）干部和编外人员补贴低，只作提示、不单独预警；公益性岗位；同户登记但已分开生活的子女。
  en: Village cadres and contract staff are mentioned only; public-welfare posts; children registered together who live apart.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
  - {version: 3, since: 2026-11-23, what: "the family as in the other rules: nobody is added to tekun or single-person cover, nor whoever left the case or stands in another one"}
  - {version: 4, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with family as (
    select case_id, household_id, county_code, category_zh, person_id, basis as role
    from assisted_family
    where person_id is not null
),
post as (
    select f.case_id, f.household_id, f.category_zh, f.person_id, f.role, p.month, p.post_type, p.gross_pay_per_month,
           t.is_checked, t.is_mentioned, t.post_zh, t.source as limit_source
    from family f
    join exit_window w on w.county_code = f.county_code and w."window" = 'payroll_seen'
     and $as_of between w.valid_from and w.valid_to
    join fiscal_payroll p on p.person_id = f.person_id
    join payroll_post t on t.county_code = f.county_code and t.post_type = p.post_type
     and $as_of between t.valid_from and t.valid_to
    where p.month <= $as_of and date_diff('month', p.month, $as_of) <= w.length
      -- An amount that nobody could read is still a month on the payroll; a zero is none.
      and p.gross_pay_per_month is distinct from 0
),
checked as (
    select case_id, household_id, category_zh, person_id, role,
           count(distinct month)                                      as months,
           max(month)                                                 as last_month,
           arg_max(post_type, (month, post_type))                     as post_type,
           arg_max(post_zh, (month, post_type))                       as post_zh,
           arg_max(limit_source, (month, post_type))                  as limit_source,
           arg_max({'pay': gross_pay_per_month}, (month, post_type))['pay'] as gross_pay_per_month
    from post
    where is_checked
    group by case_id, household_id, category_zh, person_id, role
    union all by name
    -- Posts that are only mentioned, of people who hold no other.
    select case_id, household_id, category_zh, person_id, role,
           count(distinct month)                                      as months,
           max(month)                                                 as last_month,
           arg_max(post_type, (month, post_type))                     as post_type,
           arg_max(post_zh, (month, post_type))                       as post_zh,
           arg_max(limit_source, (month, post_type))                  as limit_source,
           arg_max({'pay': gross_pay_per_month}, (month, post_type))['pay'] as gross_pay_per_month,
           arg_max(post_zh, (month, post_type)) || '补贴低，只作提示'      as not_raised_zh
    from post
    group by case_id, household_id, category_zh, person_id, role
    having not bool_or(is_checked) and bool_or(is_mentioned)
),
mentioned as (
    select case_id, count(distinct person_id) as mentioned, string_agg(distinct post_zh, '、' order by post_zh) as posts_zh
    from post
    where is_mentioned
    group by case_id
)
select c.household_id, c.person_id, c.case_id,
       'payroll:' || c.post_type || ':' || c.case_id as cause_key,
       c.category_zh, c.role, c.post_type, c.post_zh, c.last_month, c.months, c.gross_pay_per_month, c.limit_source,
       case c.role when 'covered' then '保障成员' when 'listed' then '救助证所列的家庭成员'
                   else '未列入保障人口的共同生活成员（救助证上没有，依户籍等登记）' end as role_zh,
       case when c.gross_pay_per_month is null then '（金额不明）'
            else '，应发工资' || yuan_zh(c.gross_pay_per_month) end as pay_zh,
       coalesce(n.mentioned, 0) as mentioned,
       case when n.mentioned > 0 then '另有' || n.mentioned || '名成员为' || n.posts_zh || '，供参考。' else '' end as mentioned_zh,
       c.not_raised_zh
from checked c
left join mentioned n on n.case_id = c.case_id
