/*---
id: N12
version: 3
title: {zh: 可能符合刚性支出困难家庭条件, en: Possibly a family of rigid expenditure}
legal_basis:
  - 刚性支出困难家庭认定办法 第四条、第五条
  - 国办发〔2023〕39号（未纳入而可能符合条件的，按困难类型转办）
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: household
needs:
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
uses:
  assistance_application: {max_age_days: 10, all: [ca_application]}
  assistance_application_member: {max_age_days: 10, all: [ca_application]}
parameters: [rigid_ratio, disposable_income, warning_window]
evidence: [members, income_12m, income_per_person, income_limit, rigid, medical, tuition_and_lodging, rehab, percent, percent_limit, window_to, spending_oldest]
reason: >-
  该户{members}人，{window_zh}有记录的收入共{income_12m}元，人均{income_per_person}元，低于{of_year}年{basis_zh}人均可支配收入{income_limit}元（{income_source}）；
  近12个月看得到的刚性支出{rigid}元（{spending_zh}），{ratio_zh}，{limit_zh}（{ratio_source}）。
  有记录的财产未见超出规定，救助台账中没有低保、特困、低保边缘或刚性支出困难家庭的在保记录。{missing_zh}请入户了解实际收入和票据。
cited: [mi_settlement, ed_enrolment, dp_rehab_service, tx_iit_withholding, ps_vehicle, re_ownership, am_entity_role, ca_assist_household]
known_gaps:
  zh: >-
    现金、务农收入看不到，只对收入记录足以封顶、核算期为12个月的家庭估算，支出金额很小的不提示；药店购药、外地就学、房租等支出看不到，
    医疗按政策范围内扣除各项支付计；金融资产只在有授权时可见；当地比例或上年度可支配收入不明的地方不估算。
  en: >-
    Cash and farming are not seen: only households are estimated whose records allow no more income over 12 months; small sums are left out. Medicines bought in shops,
    schools elsewhere and rent are not seen. Where the local ratio or the disposable income is not known nothing is estimated.
false_alarms:
  zh: 已退费的结算（已冲抵）；事后发放的救助和理赔（有记录的已扣除）；由亲友或慈善承担的费用；近期申请被拒的已排除。
  en: Refunded settlements (netted), aid and payouts afterwards (deducted where recorded), costs borne by kin or charities; households refused lately are left out.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "income of which the records allow no more is enough; small sums and households of pupils alone are left out"}
  - {version: 3, since: 2026-11-23, what: "cases and applications whose link is under review count"}
---*/
with income as (
    -- Income of which the records allow no more, over the twelve months that the law names. Unknown income says nothing.
    select household_id, county_code, urban_rural, members, total, window_from, window_to
    from household_income
    where is_ceiling and support_missing_zh is null and window_months = 12 and members > 0
      -- Pupils and children alone: whoever keeps them is not of this household, and what he earns is not known.
      and exists (
          select 1 from member_means m
          where m.household_id = household_income.household_id and m.means_zh not in ('在学', '未到劳动年龄')
      )
),
held as (
    select i.household_id, i.members, i.total as income_12m, i.window_from, i.window_to,
           r.percent as percent_limit, coalesce(r.comparator, '>') as comparator, coalesce(r.least_amount, 0) as least_amount, r.source as ratio_source,
           d.amount as income_limit, d.of_year, d.source as income_source,
           case d.basis when 'urban' then '城镇居民' when 'rural' then '农村居民' else '居民' end as basis_zh,
           e.total as rigid, e.medical, e.schooling as tuition_and_lodging, e.rehab, e.basis_zh as spending_zh, e.missing_zh, e.oldest_on as spending_oldest
    from income i
    join rigid_expenditure e on e.household_id = i.household_id
    join rigid_ratio r on r.county_code = i.county_code and $as_of between r.valid_from and r.valid_to
    join disposable_income d on d.county_code = i.county_code and $as_of between d.valid_from and d.valid_to
     and d.basis = case when r.income_basis <> 'own' then r.income_basis
                        when i.urban_rural = '1' then 'urban' when i.urban_rural = '2' then 'rural' else 'all' end
),
above as (
    -- Per head against the yearly figure, both for the whole family: nothing is rounded before it is compared.
    select * from held
    where income_12m < income_limit * members
      and rigid > 0 and rigid >= least_amount
      and case comparator when '>=' then rigid * 100 >= income_12m * percent_limit else rigid * 100 > income_12m * percent_limit end
),
in_force as (
    -- A case whose status or end is not known may be in force.
    select case_id, coalesce(person_id, possible_person_id) as person_id from assistance_case
    where coalesce(status, '1') in ('1', '2') and coalesce(category, '1') <> '5'
      and (end_month is null or end_month > date_trunc('month', $as_of))
),
covered as (
    select h.household_id from current_assistance a join person_household h on h.person_id = coalesce(a.person_id, a.possible_person_id)
    where coalesce(a.category, '1') <> '5'
    union
    select h.household_id from in_force c join person_household h on h.person_id = c.person_id
    union
    select h.household_id from in_force c join case_household h on h.case_id = c.case_id
)
select a.household_id, 'rigid' as cause_key, a.members, a.income_12m, a.income_limit, a.of_year, a.basis_zh, a.income_source,
       cast(round(a.income_12m / a.members, 2) as decimal(18, 2)) as income_per_person,
       strftime(a.window_from, '%Y年%-m月') || strftime(a.window_to, '至%Y年%-m月') as window_zh, a.window_to,
       a.rigid, a.medical, a.tuition_and_lodging, a.rehab, a.spending_zh, a.spending_oldest,
       cast(round(a.rigid * 100 / nullif(a.income_12m, 0), 1) as decimal(9, 1)) as percent, a.percent_limit,
       case when a.income_12m > 0 then '相当于收入的' || rtrim(rtrim(cast(round(a.rigid * 100 / a.income_12m, 1) as decimal(9, 1))::varchar, '0'), '.') || '%'
            else '同期没有收入' end as ratio_zh,
       case a.comparator when '>=' then '达到' else '超过' end || case when a.percent_limit > 0 then a.percent_limit || '%的比例' else '比例' end as limit_zh,
       a.ratio_source,
       coalesce('看不全的部分：' || nullif(concat_ws('；', a.missing_zh, coalesce(p.unknown_zh, '金融资产没有查询')), '') || '。', '') as missing_zh,
       cast(least(a.rigid * 100 / nullif(a.income_12m * a.percent_limit, 0), 999) as decimal(9, 2)) as ratio
from above a
left join property_by_category p on p.household_id = a.household_id and p.category = '4'
where coalesce(p.is_blocked, false) = false
  and not exists (select 1 from covered c where c.household_id = a.household_id)
  -- Open or lately refused applications: the survey knows more than the data.
  and not exists (
      select 1 from (
          select coalesce(person_id, possible_person_id) as person_id, accept_date, decision, decision_date, category from assistance_application
          union all
          select coalesce(m.person_id, m.possible_person_id), q.accept_date, q.decision, q.decision_date, q.category
          from assistance_application_member m
          join assistance_application q on q.application_id = m.application_id
      ) q
      join person_household h on h.person_id = q.person_id
      join warning_window w on w.county_code = h.county_code and w."window" = 'refused_recently'
       and $as_of between w.valid_from and w.valid_to
      where h.household_id = a.household_id and coalesce(q.category, '4') = '4'
        and coalesce(q.decision_date, q.accept_date) > $as_of - to_months(cast(w.length as integer))
        and (q.decision is null or q.decision in ('1', '2'))
  )
