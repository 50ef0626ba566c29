/*---
id: quality_households
version: 1
title: {zh: 家庭, en: Households}
purpose: Households and persons in them, by county.
audience: audit
part_of: quality_files
place: 9
sheet: 家庭
order: [county_code]
columns:
  - {name: county_zh, zh: 县（区、旗）, width: 20}
  - {name: homes, zh: 家庭数, width: 10, kind: integer, total: true}
  - {name: members, zh: 人数, width: 10, kind: integer, total: true}
carries: [county_code]
---*/
select coalesce(c.county_zh, '辖区不明')   as county_zh,
       h.homes::bigint                     as homes,
       h.members::bigint                   as members,
       coalesce(h.county_code, '000000')   as county_code
from home_count h
left join county c using (county_code)
