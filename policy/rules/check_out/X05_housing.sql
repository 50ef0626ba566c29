/*---
id: X05
version: 6
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
parameters: [dwelling_limit, inherited_share, same_home_area]
evidence: [cause, units, units_max, units_bought, units_left_out, outside, event_on, start_month]
reason:
  dwellings: 该户现为{category_zh}，成员名下现有登记住房{units}套{limit_zh}{bought_zh}{left_out_zh}。{outside_zh}请核实产权份额和居住情况。标准依据：{limit_source}。
  non_residential: 该户现为{category_zh}，成员名下现有{kinds_zh}{units}处{parking_zh}{limit_zh}{left_out_zh}。{outside_zh}请核实产权份额和使用情况。标准依据：{limit_source}。
  title_after_start: 该户自{start_month}起为救助对象（现为{category_zh}），此后购买住房{units}套，产权{event_zh}登记。{outside_zh}请核实购房资金来源。
  contract_after_start: 该户自{start_month}起为救助对象（现为{category_zh}），此后签订商品房买卖合同{units}份（{event_zh}签订，现仍有效）。{outside_zh}请核实购房资金来源。
cited: [re_ownership, hc_presale_contract]
known_gaps:
  zh: 农村宅基地房屋多未登记；旧证没有身份证号；网签早于产权登记数月到数年。
  en: Rural houses are mostly not registered; old certificates carry no id; contracts precede titles by months to years.
false_alarms:
  zh: 拆迁安置得到两套（已放宽）、只有小份额的继承（已不计）、已撤销的合同、历史产权、换证登记。
  en: Two relocation flats (allowed for), small inherited shares (not counted), cancelled contracts, historic titles, renewed certificates.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "limits by category"}
  - version: 3
    since: 2026-11-22
    what: >-
      one home is one reason (limit, purchase, contract); small or unknown shares of inheritance are named and not counted;
      the sentences say what the limit means
  - {version: 4, since: 2026-11-22, what: "a limit that is a proposal is called 参考标准"}
  - {version: 5, since: 2026-11-22, what: "parking spaces and garages count where a text says so"}
  - {version: 6, since: 2026-11-23, what: "the family: also members beyond doubt of the household who are on no case, which the sentence says; no homes of the dead; a single-person dibao has the limit of edge families"}
---*/
with member as (
    select case_id, limit_category as category, category_zh, start_month, person_id, household_id, county_code, basis = 'household' as is_outside
    from assisted_family
    where person_id is not null
),
unit as (
    -- Several members may hold one unit: it is one unit, and their shares add up.
    select m.case_id, m.category, m.category_zh, m.start_month, m.household_id, m.county_code, t.unit_id,
           case when min(t.use) = '10' then 'dwellings' when min(t.use) in ('20', '30', '40', '50') then 'non_residential' end as cause,
           min(t.use) = '50' as is_parking,
           bool_and(m.is_outside) as is_outside,
           max(t.area_m2) as area_m2,
           bool_or(t.is_relocation) as is_relocation,
           min(t.bought_on) as bought_on,
           bool_and(t.is_inherited) as is_inherited,
           case when count(t.share_percent) = count(*) then least(sum(t.share_percent), 100)
                when count(*) = min(t.holders) and not bool_or(t.is_by_share) then 100 end as share_percent
    from member m
    join title_held t on t.person_id = m.person_id
    group by m.case_id, m.category, m.category_zh, m.start_month, m.household_id, m.county_code, t.unit_id
),
weighed as (
    select u.*,
           u.is_inherited and coalesce(u.share_percent < s.percent, true) as is_left_out,
           -- In the month in which the case began nobody can say which came first.
           coalesce(u.cause = 'dwellings' and not u.is_relocation and u.bought_on >= u.start_month + interval 1 month, false) as is_later
    from unit u
    join inherited_share s on s.county_code = u.county_code and $as_of between s.valid_from and s.valid_to
    where u.cause is not null
),
counted as (
    select w.case_id, w.category_zh, w.start_month, w.household_id, w.cause,
           count(*) filter (where not w.is_left_out) as units,
           count(*) filter (where w.is_parking and not w.is_left_out) as parking_units,
           count(*) filter (where w.is_outside and not w.is_left_out) as outside,
           case when w.cause = 'non_residential' then l.non_residential_max
                when bool_or(w.is_relocation) then greatest(l.dwellings_max, l.dwellings_max_relocation)
                else l.dwellings_max end as units_max,
           count(*) filter (where w.is_later) as units_bought,
           count(*) filter (where w.is_left_out) as units_left_out,
           max(w.bought_on) filter (where w.is_later) as event_on,
           l.source as limit_source,
           case l.evidence when 'published' then '现行标准' else '参考标准' end as standard_zh,
           string_agg(w.unit_id, ',' order by w.unit_id) filter (where not w.is_left_out) as what
    from weighed w
    join dwelling_limit l on l.county_code = w.county_code and l.category = w.category and $as_of between l.valid_from and l.valid_to
    -- Parking spaces and garages are non-residential only where a text says so.
    where not w.is_parking or coalesce(l.parking_counts, false)
    group by w.case_id, w.category_zh, w.start_month, w.household_id, w.cause, l.dwellings_max, l.dwellings_max_relocation,
             l.non_residential_max, l.source, l.evidence
),
above as (
    from counted where units > units_max
),
bought as (
    -- What is bought since and stands above the limit already is said there: one home, one reason.
    select w.case_id, w.category_zh, w.start_month, w.household_id, 'title_after_start' as cause,
           count(*) as units, count(*) as units_bought, count(*) filter (where w.is_outside) as outside, max(w.bought_on) as event_on,
           string_agg(w.unit_id, ',' order by w.unit_id) as what
    from weighed w
    where w.is_later
      and not exists (select 1 from above a where a.case_id = w.case_id and a.cause = 'dwellings')
    group by w.case_id, w.category_zh, w.start_month, w.household_id
),
contract as (
    select m.case_id, m.category_zh, m.start_month, m.household_id, m.county_code, c.contract_id,
           max(c.area_m2) as area_m2, max(coalesce(c.sign_date, c.filing_date)) as signed_on, bool_and(m.is_outside) as is_outside
    from member m
    join home_contract c on c.person_id = m.person_id
    where c.status = '1' and c.contract_id is not null
      and coalesce(c.sign_date, c.filing_date) >= m.start_month + interval 1 month
      and coalesce(c.sign_date, c.filing_date) <= $as_of
    group by m.case_id, m.category_zh, m.start_month, m.household_id, m.county_code, c.contract_id
),
signed as (
    select c.case_id, c.category_zh, c.start_month, c.household_id, 'contract_after_start' as cause,
           count(*) as units, count(*) as units_bought, count(*) filter (where c.is_outside) as outside, max(c.signed_on) as event_on,
           string_agg(c.contract_id, ',' order by c.contract_id) as what
    from contract c
    join same_home_area s on s.county_code = c.county_code and $as_of between s.valid_from and s.valid_to
    -- The title that came of the contract: bought since, registered later, of the same area as far as both are known.
    where not exists (
        select 1 from weighed w
        where w.case_id = c.case_id and w.is_later and w.bought_on >= c.signed_on
          and coalesce(abs(w.area_m2 - c.area_m2) * 100 <= c.area_m2 * s.percent, true)
    )
    group by c.case_id, c.category_zh, c.start_month, c.household_id
)
select household_id, case_id, cause || ':' || md5(what) as cause_key, cause, category_zh,
       case when parking_units > 0 then '非居住用房' else '商业、办公或工业用房' end as kinds_zh,
       case when parking_units > 0 then '（含按当地规定计入的车位、车库' || parking_units || '处）' else '（车位、车库不计）' end as parking_zh,
       units, outside, coalesce(units_max, 0) as units_max, units_bought, coalesce(units_left_out, 0) as units_left_out, event_on, start_month,
       coalesce(limit_source, '') as limit_source,
       case when units_max = 0 then '；按' || standard_zh || '，此类家庭不得拥有' || case cause when 'dwellings' then '住房' else '这类用房' end
            else '，超过' || standard_zh || '（此类家庭最多' || units_max || case cause when 'dwellings' then '套）' else '处）' end end as limit_zh,
       case when units_bought > 0
            then '；其中' || units_bought || '套是成为救助对象（' || strftime(start_month, '%Y年%-m月') || '）以后购买的，'
                 || case when units_bought > 1 then '最近一套' else '' end || strftime(event_on, '%Y年%-m月%-d日登记') else '' end as bought_zh,
       case when outside > 0
            then '其中' || outside || case cause when 'dwellings' then '套登记在' when 'non_residential' then '处登记在' when 'title_after_start' then '套登记在' else '份由' end
                 || '未列入保障人口的共同生活成员' || case cause when 'contract_after_start' then '签订' else '名下' end || '（救助证上没有，依户籍等登记）。' else '' end as outside_zh,
       case when units_left_out > 0
            then '；另有' || units_left_out || case cause when 'dwellings' then '套' else '处' end || '为继承所得，份额较小或者不明，没有计入'
            else '' end as left_out_zh,
       case when units > 1 then case cause when 'title_after_start' then '最近一套' else '最近一份' end else '' end
           || '于' || strftime(event_on, '%Y年%-m月%-d日') as event_zh
from (from above union all by name from bought union all by name from signed)
