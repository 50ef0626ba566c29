/*---
id: title_held
version: 2
title: {zh: 名下不动产, en: Titles held}
grain: one row a person and unit of real estate that the person holds now
unit: units of real estate; shares in per cent
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；民法典第二百九十八条（按份共有）
columns:
  person_id: holder
  unit_id: unit
  use: use
  area_m2: floor area of the whole unit
  is_relocation: obtained by relocation
  is_inherited: obtained by inheritance and in no other way
  bought_on: first registered as bought
  registered_on: first registered in any way
  share_percent: share of this holder; null where the record does not say
  is_by_share: held by shares, whatever they are
  holders: holders of the unit on record, whoever they are
needs:
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
published: false
known_gaps:
  zh: 共同共有和未载明份额的，份额不明；共有人在另一本证上而未送达的看不到。
  en: Joint titles, and shares that are not stated, are unknown; a holder on a certificate that did not arrive is not seen.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: tells when a title was first registered}
---*/
with held as (
    -- A limited title (mortgage, seizure) is owned still.
    select person_id, row_key, unit_id, use, area_m2, obtained_by, reg_date, share_mode, share_percent
    from dwelling_title
    where status in ('1', '3') and unit_id is not null and (reg_date is null or reg_date <= $as_of)
),
holders as (
    select unit_id, count(distinct coalesce('person ' || person_id, 'row ' || row_key, 'unknown')) as holders
    from held
    group by unit_id
)
select d.person_id, d.unit_id,
       min(d.use)                                              as use,
       max(d.area_m2)                                          as area_m2,
       coalesce(bool_or(d.obtained_by = '3'), false)           as is_relocation,
       bool_and(coalesce(d.obtained_by = '2', false))          as is_inherited,
       min(d.reg_date) filter (where d.obtained_by = '1')      as bought_on,
       min(d.reg_date)                                         as registered_on,
       max(coalesce(d.share_percent, case when d.share_mode = '1' then 100 end)) as share_percent,
       coalesce(bool_or(d.share_mode = '3'), false)            as is_by_share,
       min(h.holders)                                          as holders
from held d
join holders h on h.unit_id = d.unit_id
where d.person_id is not null
group by d.person_id, d.unit_id
