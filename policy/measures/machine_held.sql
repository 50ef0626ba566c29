/*---
id: machine_held
version: 1
title: {zh: 名下农机与船舶, en: Machines and vessels held}
grain: one row a person and machine or vessel that is not cancelled
unit: machines and vessels
period: as of the business date
source: 最低生活保障审核确认办法（民发〔2021〕57号）第十四条；计入的农机和船舶见参数
columns:
  person_id: owner
  household_id: household of the owner
  county_code: county of that household
  machine: key of the machine; rows alike in kind, power, tonnage and day are one
  standing: counted, exempt or unclear
  is_vessel: a vessel; null when the kind is not known
  shown_zh: what it is, in words; null when the kind is not known
  reg_date: registered on
  data_as_of: date of the data
  limit_source: where it is said that it counts
needs:
  machinery: {max_age_days: 400, all: [ag_machinery_vessel]}
parameters: [machine_limit]
published: false
known_gaps:
  zh: 登记每年送达一次，证件号常缺；没有登记号，类别、功率、吨位和登记日期都相同的视为同一台。
  en: The register arrives once a year and often lacks the id; it has no number here, so rows alike in kind, power, tonnage and day are one machine.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
select m.person_id, h.household_id, h.county_code,
       case when m.reg_date is null then m.row_key
            else concat_ws('|', m.kind, m.power_kw::varchar, m.tonnage::varchar, m.reg_date::varchar) end as machine,
       case when l.kind is null or m.status is null then 'unclear'
            when l.must_operate and m.is_operating is null then 'unclear'
            when l.must_operate and not m.is_operating then 'exempt'
            when l.from_power_kw > 0 and m.power_kw is null then 'unclear'
            when m.power_kw < l.from_power_kw then 'exempt'
            else 'counted' end as standing,
       l.is_vessel,
       l.kind_zh || case when not l.is_vessel and m.power_kw is not null
                         then '（' || rtrim(rtrim(m.power_kw::varchar, '0'), '.') || '千瓦）' else '' end as shown_zh,
       m.reg_date, m.data_as_of, l.source as limit_source
from machinery m
join person_household h on h.person_id = m.person_id
left join machine_limit l on l.county_code = h.county_code and l.kind = m.kind and $as_of between l.valid_from and l.valid_to
where m.status is distinct from '2' and (m.reg_date is null or m.reg_date <= $as_of)
