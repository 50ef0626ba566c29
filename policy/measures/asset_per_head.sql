/*---
id: asset_per_head
version: 2
title: {zh: 家庭人均金融资产, en: Financial assets a head}
grain: one row a household of which somebody's assets were queried under an authorisation
unit: yuan
period: the latest answers, not older than the window of a query
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条、第十七条；社会救助暂行办法第五十八条（经授权查询）
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village
  members: members of the household; everybody counts as a head
  amount: found in yuan; zero when answers say that there is nothing; null when nothing was answered
  per_head: the same a head, rounded for reading; compare the amount
  accounts: accounts and policies with money
  asked: queries that were made, members and kinds of asset
  found: queries answered with something
  none: queries answered that there is nothing
  unanswered: queries that nobody answered; neither found nor none
  mismatched: answers under another name, which say nothing
  foreign_accounts: accounts in another currency, which are not converted
  members_asked: members of whom anything was queried
  oldest_on: oldest day of an answer that counts
  basis_zh: what it rests on
  missing_zh: what is missing; null when nothing is
uses:
  financial_asset: {max_age_days: 180, any: [fn_bank_balance, fn_securities, fn_internet_finance, fn_insurance_policy]}
parameters: [warning_window]
known_gaps:
  zh: 未反馈不等于没有；余额只是某一天的；外币未折算；没有授权的成员看不到；没有账户号的同额反馈只算一笔。
  en: Not answered is not none; a balance is that of one day; foreign currency is not converted; members without an authorisation are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "answers that did not come are called 未反馈, as the list of answers has it"}
---*/
with answer as (
    select h.household_id, a.person_id, a.asset_kind, a.result, a.currency, a.amount, a.query_date
    from authorised_asset a
    join person_household h on h.person_id = a.person_id
    join warning_window w on w.county_code = h.county_code and w."window" = 'financial_query'
     and $as_of between w.valid_from and w.valid_to
    where date_diff('day', a.query_date, $as_of) <= w.length
),
summed as (
    select household_id,
           -- An amount that nobody could read is not zero: what is found is then not known.
           case when count(*) filter (where result in ('1', '2')) > 0
                 and count(*) filter (where result = '1' and currency = 'CNY' and amount is null) = 0
                then coalesce(sum(amount) filter (where result = '1' and currency = 'CNY'), 0) end as amount,
           count(*) filter (where result = '1' and currency = 'CNY' and amount > 0)                as accounts,
           count(*) filter (where result = '1' and amount is null)                                 as unreadable,
           count(*)                                                                                as asked,
           count(*) filter (where result = '1')                                                    as found,
           count(*) filter (where result = '2')                                                    as none,
           count(*) filter (where result = '3' or result is null)                                  as unanswered,
           count(*) filter (where result = '4')                                                    as mismatched,
           count(*) filter (where result = '1' and currency is distinct from 'CNY')                as foreign_accounts,
           count(distinct person_id)                                                               as members_asked,
           min(query_date) filter (where result in ('1', '2'))                                     as oldest_on
    from answer
    group by household_id
)
select o.household_id, o.county_code, o.urban_rural, o.members,
       cast(s.amount as decimal(18, 2)) as amount,
       cast(round(s.amount / nullif(o.members, 0), 2) as decimal(18, 2)) as per_head,
       s.accounts, s.asked, s.found, s.none, s.unanswered, s.mismatched, s.foreign_accounts, s.members_asked, s.oldest_on,
       '经授权查询' || s.members_asked || '人' || s.asked || '笔：查到' || s.found || '笔，查无' || s.none || '笔' as basis_zh,
       nullif(concat_ws('、', case when s.members_asked < o.members then (o.members - s.members_asked) || '人没有查询' end,
                              case when s.unanswered > 0 then s.unanswered || '笔查询未反馈' end,
                              case when s.mismatched > 0 then s.mismatched || '笔户名不符' end,
                              case when s.foreign_accounts > 0 then s.foreign_accounts || '笔外币没有折算' end,
                              case when s.unreadable > 0 then s.unreadable || '笔没有金额' end), '') as missing_zh
from summed s
join household o on o.household_id = s.household_id
