/*---
id: X11
version: 4
title: {zh: 住房公积金正常缴存, en: Provident fund is being paid into}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十七条（住房公积金信息核对）
level: blue
owner: 县民政局核对中心
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  provident_fund: {max_age_days: 45, all: [pf_account]}
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [exit_window]
evidence: [role, last_deposit_month, deposit_per_month, base_per_month, accounts]
reason: >-
  该户现为{category_zh}，{role_zh}的住房公积金账户状态正常，已缴存到{last_deposit_month}{deposit_zh}。
  请核实其工作单位和工资是否如实申报。
cited: [pf_account, ca_assist_member]
known_gaps:
  zh: 灵活就业人员自愿缴存也在其中；账户余额另由金融资产核查。
  en: Voluntary deposits of the self-employed are in it; balances are looked at elsewhere.
false_alarms:
  zh: 离职后账户已封存（不计）；单位补缴；一人多个账户（合为一条）。
  en: Sealed accounts of former workers (left out), an employer's back-payment, several accounts of one person (one warning).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the same warnings; what comes close and is not raised is kept with its reason"}
  - {version: 3, since: 2026-11-23, what: "the family: also members beyond doubt of the household who are on no case, which the sentence says"}
  - {version: 4, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with account as (
    -- An account is as its latest month has it: one that was sealed since is sealed.
    select person_id, coalesce(account_id, row_key) as account_id,
           arg_max(status, (last_deposit_month, row_key))                     as status,
           max(last_deposit_month)                                            as last_deposit_month,
           arg_max({'v': deposit_per_month}, (last_deposit_month, row_key))['v'] as deposit_per_month,
           arg_max({'v': base_per_month}, (last_deposit_month, row_key))['v']    as base_per_month
    from provident_fund
    where person_id is not null and last_deposit_month <= $as_of
    group by all
),
held as (
    select f.household_id, f.person_id, f.case_id, f.category_zh, f.basis, p.status, p.last_deposit_month, p.deposit_per_month, p.base_per_month,
           p.status = '1' and p.deposit_per_month is distinct from 0
               and date_diff('month', p.last_deposit_month, $as_of) <= w.length as is_paid_into
    from assisted_family f
    join exit_window w on w.county_code = f.county_code and w."window" = 'provident_deposit'
     and $as_of between w.valid_from and w.valid_to
    join account p on p.person_id = f.person_id
)
select household_id, person_id, case_id, 'provident:' || case_id as cause_key, category_zh, basis as role,
       case basis when 'household' then '未列入保障人口的共同生活成员（救助证上没有，依户籍等登记）' else '该成员' end as role_zh,
       max(last_deposit_month) filter (where is_paid_into)                              as last_deposit_month,
       cast(sum(deposit_per_month) filter (where is_paid_into) as decimal(18, 2))       as deposit_per_month,
       max(base_per_month) filter (where is_paid_into)                                  as base_per_month,
       count(*) filter (where is_paid_into)                                             as accounts,
       case when count(*) filter (where is_paid_into) > count(deposit_per_month) filter (where is_paid_into) then '（缴存额不明）'
            else '，每月缴存' || yuan_zh(sum(deposit_per_month) filter (where is_paid_into)) end as deposit_zh,
       case when count(*) filter (where is_paid_into) = 0
            then case when bool_and(status in ('2', '3')) then '账户已封存或销户'
                      when bool_or(status is null) then '账户状态不明'
                      else strftime(max(last_deposit_month), '只缴存到%Y年%-m月') end end as not_raised_zh
from held
group by household_id, person_id, case_id, category_zh, basis
