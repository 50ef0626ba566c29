/*---
id: X05
version: 2
title: {zh: 住房超标, en: Housing above the limit}
legal_basis:
  - 社会救助暂行办法 第九条、第十三条
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十四条、第十七条
level: orange
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
uses:
  home_contract: {max_age_days: 14, all: [hc_presale_contract]}
parameters: [dwelling_limit]
evidence: [cause, units, units_max, event_on, start_month]
reason:
  dwellings: 该户现为救助对象，成员名下有现势住房{units}套，超过当地允许的{units_max}套。请核实产权份额和居住情况。标准依据：{limit_source}。
  non_residential: 该户现为救助对象，成员名下有商业、办公或工业用房{units}处，超过当地允许的{units_max}处（车位车库不计）。标准依据：{limit_source}。
  title_after_start: 该户自{start_month}起为救助对象，此后于{event_on}以购买方式登记了{units}套住房的产权。请核实购房资金来源。
  contract_after_start: 该户自{start_month}起为救助对象，此后于{event_on}网签了{units}份有效商品房合同。请核实购房资金来源。
cited: [re_ownership, hc_presale_contract]
known_gaps:
  zh: 农村宅基地房屋多未登记；旧证没有身份证号；网签早于产权登记数月到数年。
  en: Rural houses are mostly not registered; old certificates carry no id; contracts precede titles by months to years.
false_alarms:
  zh: 拆迁安置得到两套（已放宽）、继承的份额、已撤销的合同、历史产权、换证登记。
  en: Two relocation flats (allowed for), inherited shares, cancelled contracts, historic titles, renewed certificates.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "limits by category"}
---*/
with member as (
    select distinct a.case_id, a.category, a.start_month, a.person_id, h.household_id, h.county_code
    from current_assistance a
    join case_household h on h.case_id = a.case_id
    where a.person_id is not null
),
unit as (
    -- Several members may hold one unit: it is one unit. A limited title (mortgage, seizure) is owned still.
    select m.case_id, m.category, m.start_month, m.household_id, m.county_code, d.unit_id,
           min(d.use) as use,
           bool_or(d.obtained_by = '3') as is_relocation,
           min(d.reg_date) filter (where d.obtained_by = '1') as bought_on
    from member m
    join dwelling_title d on d.person_id = m.person_id
    where d.status in ('1', '3') and d.unit_id is not null and (d.reg_date is null or d.reg_date <= $as_of)
    group by all
),
dwellings as (
    select u.case_id, u.start_month, u.household_id, 'dwellings' as cause, count(*) as units,
           case when bool_or(u.is_relocation) then greatest(l.dwellings_max, l.dwellings_max_relocation)
                else l.dwellings_max end as units_max,
           null::date as event_on, l.source as limit_source, string_agg(u.unit_id, ',' order by u.unit_id) as what
    from unit u
    join dwelling_limit l on l.county_code = u.county_code and l.category = u.category and $as_of between l.valid_from and l.valid_to
    where u.use = '10'
    group by u.case_id, u.start_month, u.household_id, l.dwellings_max, l.dwellings_max_relocation, l.source
),
non_residential as (
    select u.case_id, u.start_month, u.household_id, 'non_residential' as cause, count(*) as units,
           l.non_residential_max as units_max, null::date as event_on, l.source as limit_source,
           string_agg(u.unit_id, ',' order by u.unit_id) as what
    from unit u
    join dwelling_limit l on l.county_code = u.county_code and l.category = u.category and $as_of between l.valid_from and l.valid_to
    where u.use in ('20', '30', '40')
    group by u.case_id, u.start_month, u.household_id, l.non_residential_max, l.source
),
bought as (
    -- In the month in which the case began nobody can say which came first.
    select u.case_id, u.start_month, u.household_id, 'title_after_start' as cause, count(*) as units, 0::bigint as units_max,
           max(u.bought_on) as event_on, '' as limit_source, string_agg(u.unit_id, ',' order by u.unit_id) as what
    from unit u
    where u.use = '10' and not u.is_relocation and u.bought_on >= u.start_month + interval 1 month
    group by u.case_id, u.start_month, u.household_id
),
signed as (
    select m.case_id, m.start_month, m.household_id, 'contract_after_start' as cause, count(distinct c.contract_id) as units,
           0::bigint as units_max, max(coalesce(c.sign_date, c.filing_date)) as event_on, '' as limit_source,
           string_agg(distinct c.contract_id, ',' order by c.contract_id) as what
    from member m
    join home_contract c on c.person_id = m.person_id
    where c.status = '1' and c.contract_id is not null
      and coalesce(c.sign_date, c.filing_date) >= m.start_month + interval 1 month
      and coalesce(c.sign_date, c.filing_date) <= $as_of
    group by m.case_id, m.start_month, m.household_id
)
select household_id, case_id, cause || ':' || md5(what) as cause_key, cause, units, units_max, event_on, start_month, limit_source
from (
    select * from dwellings where units > units_max
    union all by name
    select * from non_residential where units > units_max
    union all by name
    from bought
    union all by name
    from signed
)
