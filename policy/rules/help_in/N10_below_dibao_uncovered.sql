/*---
id: N10
version: 3
title: {zh: 收入可能低于低保标准而未纳入, en: Possibly below the dibao standard and not covered}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条
  - 国办发〔2023〕39号（未纳入而可能符合条件的，按困难类型转办）
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
needs:
  assistance_application: {max_age_days: 10, all: [ca_application]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
uses:
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
parameters: [dibao_standard, warning_window]
evidence: [way, members, income_per_person_12m, until_month, standard_12m, standard_amount, standard_period, hardship]
reason:
  recorded: 该户{members}人，每名成员的收入来源都有记录（{means_zh}），{hardship}；到{until_month}为止的12个月，有记录的收入人均{income_per_person_12m}元，低于低保标准（{standard_zh}）。车辆、不动产、市场主体登记和单位缴费未见超标，救助台账中没有在保记录。现金收入看不到，请入户了解。标准依据：{standard_source}。
  surveyed: 该户{members}人，为防止返贫监测对象且风险未消除；农业农村部门测算的年人均纯收入为{income_per_person_12m}元，低于低保标准（{standard_zh}）。车辆、不动产、市场主体登记和单位缴费未见超标，救助台账中没有在保记录。请入户了解。标准依据：{standard_source}。
cited: [hr_jobless_register, tx_iit_withholding, ag_poverty_monitor, ps_vehicle, re_ownership, am_entity_role, hr_insurance_contribution, ca_assist_household]
known_gaps:
  zh: >-
    现金、务农收入和赡养费不在任何部门记录中，收入不明不等于没有收入：只对每名成员就业状况都有记录（未成年、在学、领养老金、
    登记失业、领取或领满失业保险金、有完税工资）且各月金额可查、有困难情形的家庭估算，有承包地的农户只用监测部门测算的收入。
  en: >-
    Cash, farming and support reach no department, and unknown income is not zero. Only households are estimated in which the
    means of every member are on record and something speaks of hardship; farmers are judged by the surveyed income alone.
false_alarms:
  zh: 子女在外赡养、打零工、有存款未查询；不久前申请被拒的已排除。
  en: Support from children, casual work, savings that nobody queried. Households refused recently are left out.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "means must be on record month by month; whoever has any part in a case is left out; what was looked at is cited"}
  - {version: 3, since: 2026-11-22, what: "the sentences in plainer words; the standard is said once; small inherited shares do not block"}
---*/
with standard as (
    -- Both sides belong to twelve months: a monthly standard times twelve, a yearly one as it is published.
    select county_code, urban_rural, amount, period, source,
           amount * (case period when 'year' then 1 else 12 end) as standard_12m
    from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
),
recorded as (
    select n.household_id, n.county_code, n.urban_rural, 'recorded' as way, n.members,
           n.income_12m as income_total, n.until_month, n.means_zh, n.hardship_zh as hardship
    from household_need n
    where n.hardship_zh is not null
),
surveyed as (
    -- A net income of the year, per head, as the rural department surveyed it: one household, one figure.
    -- Monitored households are farm households: the rural standard is theirs, also where the register does not say.
    select h.household_id, h.county_code, '2' as urban_rural, 'surveyed' as way, o.members,
           max(r.per_capita_income_per_year) * o.members as income_total,
           null::date as until_month, null::varchar as means_zh, '属防止返贫监测且风险未消除' as hardship
    from rural_monitor r
    join person_household h on h.person_id = r.person_id
    join household o on o.household_id = h.household_id
    where r.is_risk_removed = false and r.identify_date <= $as_of and r.per_capita_income_per_year is not null
      and o.members > 0
    group by h.household_id, h.county_code, o.members
),
in_force as (
    -- A case whose status or end is not known may be in force.
    select case_id, person_id from assistance_case
    where coalesce(status, '1') in ('1', '2') and (end_month is null or end_month > date_trunc('month', $as_of))
),
covered as (
    -- By whomever the household is in a case: a member, the applicant, or the household that the case is placed in.
    select h.household_id from current_assistance a join person_household h on h.person_id = a.person_id
    union
    select h.household_id from in_force c join person_household h on h.person_id = c.person_id
    union
    select h.household_id from in_force c join case_household h on h.case_id = c.case_id
),
below as (
    select e.*, s.amount as standard_amount, s.period as standard_period, s.standard_12m, s.source as standard_source
    from (from surveyed union all by name from recorded) e
    join standard s on s.county_code = e.county_code and s.urban_rural = e.urban_rural
    where e.income_total < s.standard_12m * e.members
)
select b.household_id,
       'below_standard' as cause_key,
       b.way as cause, b.way, b.members,
       cast(round(b.income_total / b.members, 2) as decimal(18, 2)) as income_per_person_12m,
       cast(b.standard_12m as decimal(18, 2)) as standard_12m,
       b.standard_amount, b.standard_period, b.standard_source,
       case b.standard_period when 'month' then '每人每月' || rtrim(rtrim(b.standard_amount::varchar, '0'), '.') || '元，12个月合计'
                                                   || rtrim(rtrim(cast(b.standard_12m as decimal(18, 2))::varchar, '0'), '.') || '元'
            else '每人每年' || rtrim(rtrim(b.standard_amount::varchar, '0'), '.') || '元' end as standard_zh,
       b.hardship, b.until_month, b.means_zh
from below b
where not exists (select 1 from property_block p where p.household_id = b.household_id)
  and not exists (select 1 from covered c where c.household_id = b.household_id)
  -- Open or lately refused applications: the survey knows more than the data (a new change after it is N17).
  and not exists (
      select 1 from (
          select person_id, accept_date, decision, decision_date from assistance_application
          union all
          select m.person_id, a.accept_date, a.decision, a.decision_date
          from assistance_application_member m
          join assistance_application a on a.application_id = m.application_id
      ) q
      join person_household h on h.person_id = q.person_id
      join warning_window w on w.county_code = h.county_code and w."window" = 'refused_recently'
       and $as_of between w.valid_from and w.valid_to
      where h.household_id = b.household_id
        and coalesce(q.decision_date, q.accept_date) > $as_of - to_months(cast(w.length as integer))
        and (q.decision is null or q.decision in ('1', '2'))
  )
qualify row_number() over (partition by b.household_id order by b.way desc) = 1
