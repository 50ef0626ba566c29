/*---
id: X19
version: 2
title: {zh: 定期复核逾期, en: Periodic review is overdue}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第三十一条：每年或者每半年核查一次
  - 2020年改革完善社会救助制度的意见：特困人员每年核查一次
level: blue
owner: 县民政局社会救助科
expires: 2027-12-31
subject: case
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [exit_window]
parameters_if_known: [review_cycle]
evidence: [next_review_month, months_overdue, review_cycle_months, rule_months]
reason: >-
  该户现为{category_zh}，台账登记的下次复核月是{next_review_month}，已过{months_overdue}个月没有登记新的复核。{cycle_zh}请尽快复核并登记结果。
cited: [ca_assist_household]
known_gaps:
  zh: 以台账登记的下次复核月为准；未填写的不判断。
  en: Follows the month in the register; where none is written nothing is said.
false_alarms:
  zh: 已经复核而台账未更新。
  en: Reviewed already while the register was not updated.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
---*/
with standing as (
    select f.case_id, f.household_id, f.county_code, f.category, f.category_zh,
           min(c.next_review_month) as next_review_month, min(c.review_cycle_months) as review_cycle_months
    from case_in_force f
    join assistance_case c on c.case_id = f.case_id and c.status in ('1', '2')
    group by all
),
kind as (
    -- Somebody who can work makes the half-yearly cycle; a declaration that is missing does not.
    select s.*,
           case when s.category = '2' then 'tekun'
                when exists (
                    select 1 from current_assistance a
                    where a.case_id = s.case_id and a.labour_ability = '1'
                      and not exists (select 1 from known_death k where k.person_id = a.person_id)
                ) then 'dibao_unsteady' else 'dibao_stable' end as kind
    from standing s
)
select k.household_id, k.case_id, 'review:' || k.next_review_month as cause_key,
       k.category_zh, k.next_review_month, k.review_cycle_months, r.months as rule_months,
       date_diff('month', k.next_review_month, $as_of) as months_overdue,
       case when k.review_cycle_months > r.months and k.category in ('1', '2')
            then '台账的复核周期是' || k.review_cycle_months || '个月，'
                 || case k.kind when 'dibao_unsteady' then '有劳动能力成员的家庭' when 'tekun' then '特困人员' else '该类家庭' end
                 || '应为' || r.months || '个月（' || r.source || '）。'
            when k.review_cycle_months is not null then '复核周期为' || k.review_cycle_months || '个月。'
            else '台账没有登记复核周期。' end as cycle_zh,
       case when date_diff('month', k.next_review_month, $as_of) <= w.length
            then strftime(k.next_review_month, '下次复核月为%Y年%-m月，还没有逾期') end as not_raised_zh
from kind k
join exit_window w on w.county_code = k.county_code and w."window" = 'review_overdue'
 and $as_of between w.valid_from and w.valid_to
left join review_cycle r on r.county_code = k.county_code and r.kind = k.kind and $as_of between r.valid_from and r.valid_to
-- Due within three months comes close.
where date_diff('month', k.next_review_month, $as_of) > w.length - 4
