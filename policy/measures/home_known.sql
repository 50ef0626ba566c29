/*---
id: home_known
version: 1
title: {zh: 家庭住房与是否唯一住房, en: Homes of a household and whether there is only one}
grain: one row a household of whose homes anything is on record
unit: dwellings
period: as of the business date
source: 不动产登记、商品房网签、农村住房安全鉴定、住房保障台账
columns:
  household_id: household
  homes: dwellings that members hold by title
  homes_elsewhere: those of them that were neither built by the holder nor inherited, and so are not the rural house
  new_homes: contracts in force for a new home
  rents_public: lives in public rental housing
  is_only: the household has one dwelling and no other; null where the records do not say
uses:
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
  housing_aid: {max_age_days: 120, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 120, all: [hc_housing_aid]}
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
published: false
known_gaps:
  zh: 农村宅基地房屋多未登记，没有登记不等于没有住房；县外住房看不到。
  en: Rural houses are mostly not registered, and none on record is not none; homes in other counties are not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with titled as (
    select h.household_id,
           count(distinct t.unit_id)                                                                  as homes,
           count(distinct t.unit_id) filter (where coalesce(d.obtained_by, '1') not in ('2', '4'))     as homes_elsewhere
    from title_held t
    join person_household h on h.person_id = t.person_id
    left join dwelling_title d on d.person_id = t.person_id and d.unit_id = t.unit_id and d.status in ('1', '3')
    where t.use = '10'
    group by h.household_id
),
contracted as (
    select h.household_id, count(distinct coalesce(c.contract_id, c.row_key)) as new_homes
    from home_contract c
    join person_household h on h.person_id = c.person_id
    where c.status = '1' and coalesce(c.sign_date, c.filing_date) <= $as_of
    group by h.household_id
),
public as (
    select distinct h.household_id
    from (
        select person_id, aid_type, start_date, end_date from housing_aid
        union all
        select person_id, aid_type, start_date, end_date from housing_aid_member
    ) a
    join person_household h on h.person_id = a.person_id
    where a.aid_type = '1' and a.start_date <= $as_of and (a.end_date is null or a.end_date >= $as_of)
),
known as (
    select household_id from titled
    union
    select household_id from contracted
    union
    select household_id from public
    union
    select household_id from house_assessed
)
select k.household_id,
       coalesce(t.homes, 0)           as homes,
       coalesce(t.homes_elsewhere, 0) as homes_elsewhere,
       coalesce(c.new_homes, 0)       as new_homes,
       p.household_id is not null     as rents_public,
       -- A contract and the title that came of it are one home.
       case when greatest(coalesce(t.homes, 0), coalesce(c.new_homes, 0)) >= 2 or p.household_id is not null then false
            when a.is_only_dwelling = false then false
            -- A home that was bought or came by relocation is not the house that a farmer built: the records contradict.
            when a.is_only_dwelling and coalesce(t.homes_elsewhere, 0) = 0 and c.household_id is null then true
            when a.is_only_dwelling is null and t.homes = 1 and (t.homes_elsewhere = 0 or h.urban_rural = '1') then true
       end as is_only
from known k
join household h on h.household_id = k.household_id
left join titled t on t.household_id = k.household_id
left join contracted c on c.household_id = k.household_id
left join public p on p.household_id = k.household_id
left join house_assessed a on a.household_id = k.household_id
