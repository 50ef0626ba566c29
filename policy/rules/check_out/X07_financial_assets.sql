/*---
id: X07
version: 8
title: {zh: 人均金融资产超标, en: Financial assets per head above the limit}
legal_basis:
  - 社会救助暂行办法 第九条、第五十八条（经授权查询）
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十四条、第十七条
level: yellow
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  financial_asset: {max_age_days: 180, any: [fn_bank_balance, fn_securities, fn_internet_finance, fn_insurance_policy]}
  assistance_application: {max_age_days: 10, all: [ca_application]}
uses:
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
parameters: [financial_limit, dibao_standard, warning_window]
evidence: [total, members, outside, per_person, limit_per_person, months_of_dibao, accounts, not_answered, mismatched, foreign_accounts, oldest_query]
reason: >-
  {heads_zh}，经授权查到金融资产{accounts}笔共{total}元{capital_zh}，人均{per_person}元，{over_zh}每人{limit_per_person}元的限额（{limit_zh}）；
  查询日期最早为{oldest_query}。{left_out_zh}请核实资金来源（救助金结余、卖房治病款、代他人保管的钱等可按规定豁免）。标准依据：{standard_source}。
cited: [fn_bank_balance, fn_insurance_policy, fn_securities, fn_internet_finance]
known_gaps:
  zh: 未反馈不等于没有；只含有授权的成员；余额只是某一天的；外币未折算。
  en: Not answered is not none; only authorised members; a balance is that of one day; foreign currency is not converted.
false_alarms:
  zh: 救助金与工资卡的临时余额、治病卖房款、为他人代管、贷款形成的存款。
  en: Balances of pay-in accounts on the day, money from a house sold for treatment, money held for others, loans.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "accounts by currency, answers without an account from the latest query only, none from before the authorisation"}
  - {version: 3, since: 2026-11-22, what: "the sentence says that heads are those of the case, not of the household"}
  - {version: 4, since: 2026-11-22, what: "the sentence in plainer words; answers of which there are none are not said"}
  - {version: 5, since: 2026-11-22, what: "the comparator, the disposable income as base, the exemption of seriously ill families and subscribed capital where a text has them"}
  - {version: 6, since: 2026-11-23, what: "answers that did not come are called 未反馈, as the list of answers has it"}
  - {version: 7, since: 2026-11-23, what: "heads are those of the family, also members beyond doubt of the household who are on no case; an authorisation without its day or number opens, one that has run out does not; a single-person dibao has the limit of edge families"}
  - {version: 8, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with family as (
    -- Everybody counts as a head, certain or not: a larger family is the safer reading.
    select case_id, limit_category as category, urban_rural, household_id, county_code, count(*) as members,
           count(*) filter (where basis = 'household') as outside
    from assisted_family
    group by case_id, limit_category, urban_rural, household_id, county_code
),
held as (
    select m.case_id, l.*
    from assisted_family m
    join authorised_asset l on l.person_id = m.person_id
),
summed as (
    select f.case_id, f.category, f.urban_rural, f.household_id, f.county_code, f.members, f.outside,
           sum(h.amount) filter (where h.result = '1' and h.currency = 'CNY')                    as total,
           count(*) filter (where h.result = '1' and h.currency = 'CNY' and h.amount > 0)        as accounts,
           count(*) filter (where h.result = '3')                                                as not_answered,
           count(*) filter (where h.result = '4')                                                as mismatched,
           count(*) filter (where h.result = '1' and h.currency is distinct from 'CNY')          as foreign_accounts,
           min(h.query_date) filter (where h.result = '1' and h.currency = 'CNY')                as oldest_query
    from family f
    join held h on h.case_id = f.case_id
    join warning_window w on w.county_code = f.county_code and w."window" = 'financial_query'
     and $as_of between w.valid_from and w.valid_to
    where date_diff('day', h.query_date, $as_of) <= w.length
    group by f.case_id, f.category, f.urban_rural, f.household_id, f.county_code, f.members, f.outside
),
ill as (
    select distinct a.case_id
    from assisted_family a
    join serious_disease d on d.person_id = a.person_id
    where d.manage_status = '1' and d.diagnosed_on <= $as_of
),
capital as (
    -- Where subscribed capital is in the money; what is not stated is not counted.
    select a.case_id, sum(r.subscribed_capital) as subscribed
    from assisted_family a
    join entity_role r on r.person_id = a.person_id
    where r.role = '2' and r.status = '1' and r.entity_type is distinct from '3' and (r.est_date is null or r.est_date <= $as_of)
    group by a.case_id
),
judged as (
    select s.* replace (cast(s.total + case when l.counts_capital then coalesce(c.subscribed, 0) else 0 end as decimal(18, 2)) as total),
           case when l.counts_capital and c.subscribed > 0
                then '（含认缴出资' || yuan_zh(c.subscribed) || '）' else '' end as capital_zh,
           l.months_of_dibao, l.source as standard_source, l.limit_zh, l.limit_per_person, l.is_equal_within,
           l.exempt_ill_to is not null and i.case_id is not null as is_ill, l.exempt_ill_to
    from summed s
    join financial_limit_due l on l.county_code = s.county_code and l.urban_rural = s.urban_rural and l.category = s.category
    left join capital c on c.case_id = s.case_id
    left join ill i on i.case_id = s.case_id
)
select household_id, case_id, 'assets' as cause_key,
       total, members, outside,
       case when outside > 0 then '该家庭' || members || '人（救助证内' || (members - outside) || '人，另有' || outside || '名未列入保障人口的共同生活成员，依户籍等登记）'
            else '该救助证内' || members || '人' end as heads_zh,
       accounts, not_answered, mismatched, foreign_accounts, oldest_query,
       months_of_dibao, standard_source, limit_per_person, limit_zh, capital_zh,
       case when is_equal_within then '超过' else '达到' end as over_zh,
       coalesce('另有' || nullif(concat_ws('、', case when not_answered > 0 then not_answered || '笔查询未反馈' end,
                                          case when mismatched > 0 then mismatched || '笔户名不符' end,
                                          case when foreign_accounts > 0 then foreign_accounts || '笔外币' end), '') || '，均未计入。', '') as left_out_zh,
       cast(round(total / members, 2) as decimal(18, 2)) as per_person,
       cast(least(total / (limit_per_person * members), 999) as decimal(9, 2)) as ratio
from judged
where case when is_equal_within then total > limit_per_person * members else total >= limit_per_person * members end
  -- A text says that such a family may keep so much.
  and not (is_ill and total <= exempt_ill_to * members)
