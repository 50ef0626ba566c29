/*---
id: X17
version: 7
title: {zh: 特困人员的法定义务人可能有履行义务能力, en: A supporter of a tekun person may have become able}
legal_basis:
  - 特困人员认定办法（民发〔2021〕43号）第八条、第二十四条第（五）项
level: yellow
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  entity_role: {max_age_days: 14, all: [am_entity_role]}
  dwelling_title: {max_age_days: 14, all: [re_ownership]}
uses:
  fiscal_payroll: {max_age_days: 45, all: [hr_fiscal_payroll]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
  custody: {max_age_days: 45, all: [ps_custody]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window, entity_role_blocking, dwelling_limit, payroll_post]
parameters_if_known: [disposable_income]
evidence: [case_id, start_month, relation, signals, income_12m, income_limit]
reason: >-
  该成员{start_zh}享受特困供养，认定时其法定义务人无履行义务能力。现查到其{relation}{signals}。
  请核实该义务人的履行义务能力，以及认定后情况有无变化。依据：特困人员认定办法第八条、第二十四条。
cited: [ca_assist_household, hr_insurance_contribution, hr_fiscal_payroll, am_entity_role, re_ownership, tx_iit_withholding]
known_gaps:
  zh: 只看登记中确定的配偶、父母、子女；义务人在外省的收入和财产看不到；上年度人均可支配收入不明的年份不比收入。
  en: Spouses, parents and children by certain registers only; means in other provinces are not seen; where the disposable income is not known, income is not compared.
false_alarms:
  zh: 义务人本人是特困人员、60周岁以上低保对象、在监狱服刑，或者70周岁以上、重度残疾且收入和财产都低（已排除）；村（社区）干部误工补贴和编外人员（只在财政供养名册中的不计）；已离婚、已送养；挂名任职。
  en: Supporters who are tekun, on dibao at 60, in prison, or old or severely disabled with little (left out); pay of village cadres and contract staff (not counted by itself); divorced or given for adoption; nominal roles.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "reads supporters outside the family"}
  - {version: 3, since: 2026-11-22, what: "taxed wages of the last months are a job; whoever works and whose age is not recorded is grown up"}
  - {version: 4, since: 2026-11-22, what: "income of 12 months from its own measure"}
  - {version: 5, since: 2026-11-23, what: "a tie of support whose confidence is not written is taken as other ties are"}
  - {version: 6, since: 2026-11-23, what: "village cadres and contract staff on the payroll are no sign of means by that alone"}
  - {version: 7, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
---*/
with tekun as (
    select a.person_id, a.case_id, a.start_month, coalesce(p.household_id, h.household_id) as household_id, coalesce(p.county_code, h.county_code) as county_code
    from current_assistance a
    join case_household h on h.case_id = a.case_id
    left join person_household p on p.person_id = a.person_id
    where a.category = '2' and a.is_covered and a.person_id is not null
      and not exists (select 1 from known_death k where k.person_id = a.person_id)
    qualify row_number() over (partition by a.person_id order by a.start_month nulls last, a.case_id) = 1
),
edge as (
    select person_id_a, person_id_b, kind
    from household_edge
    where kind in ('spouse', 'parent_child') and coalesce(confidence, 'certain') = 'certain'
      and (until is null or until > $as_of) and (since is null or since <= $as_of)
),
owing as (
    select t.*, e.person_id_b as supporter_id, case e.kind when 'spouse' then '配偶' else '子女' end as relation
    from tekun t join edge e on e.person_id_a = t.person_id
    union
    select t.*, e.person_id_a, case e.kind when 'spouse' then '配偶' else '父母' end
    from tekun t join edge e on e.person_id_b = t.person_id
    union
    select t.*, s.supporter_person_id, case s.kind when 'spouse' then '配偶' when 'parent' then '父母' else '子女' end
    from tekun t join supporter s on s.person_id = t.person_id
    where s.is_certain
    union
    -- A tie of support that says nothing of its confidence is taken as the other ties are.
    select t.*, e.person_id_a, '法定义务人'
    from tekun t join household_edge e on e.person_id_b = t.person_id
    where e.kind = 'supporter' and e.confidence is null
      and (e.until is null or e.until > $as_of) and (e.since is null or e.since <= $as_of)
),
adult as (
    select s.*, coalesce(h.county_code, s.county_code) as supporter_county
    from owing s
    left join person_household h on h.person_id = s.supporter_id
    left join person p on p.person_id = s.supporter_id
    where not coalesce(date_sub('year', p.birth_date, $as_of) < 18, false)
      and s.supporter_id <> s.person_id
      and not exists (select 1 from known_death k where k.person_id = s.supporter_id)
      -- Still judged unable, whatever small means are on record.
      and not exists (select 1 from supporter_unable u where u.person_id = s.supporter_id)
),
payroll as (
    -- Posts with small pay (village cadres, contract staff) are no job here, as in X03; a post that nobody stated is one.
    select a.supporter_id, a.supporter_county,
           max(p.month) filter (where coalesce(t.is_checked, true)) as last_month,
           max(p.month) filter (where not t.is_checked)             as last_small_month,
           arg_max(t.post_zh, (p.month, p.post_type)) filter (where not t.is_checked) as small_zh
    from (select distinct supporter_id, supporter_county from adult) a
    join fiscal_payroll p on p.person_id = a.supporter_id
    left join payroll_post t on t.county_code = a.supporter_county and t.post_type = p.post_type and $as_of between t.valid_from and t.valid_to
    where p.gross_pay_per_month is distinct from 0 and p.month <= $as_of
    group by a.supporter_id, a.supporter_county
),
job as (
    select a.supporter_id, a.supporter_county,
           case when date_diff('month', f.last_month, $as_of) <= w.length then '在财政供养名册中（最近' || strftime(f.last_month, '%Y年%-m月') || '）'
                when date_diff('month', g.last_employer_month, $as_of) <= w.length then '由用人单位缴纳社会保险（最近' || strftime(g.last_employer_month, '%Y年%-m月') || '）'
                when date_diff('month', g.last_wage_month, $as_of) <= w.length
                    then '有个人所得税工资记录（最近' || strftime(g.last_wage_month, '%Y年%-m月')
                         || case when date_diff('month', f.last_small_month, $as_of) <= w.length then '，可能是其任' || f.small_zh || '的报酬' else '' end || '）' end as signal_zh
    from (select distinct supporter_id, supporter_county from adult) a
    join work_signal g on g.person_id = a.supporter_id
    left join payroll f on f.supporter_id = a.supporter_id and f.supporter_county = a.supporter_county
    join warning_window w on w.county_code = a.supporter_county and w."window" = 'contributions_stopped'
     and $as_of between w.valid_from and w.valid_to
),
firm as (
    select a.supporter_id, a.supporter_county, '在' || count(distinct r.uscc) || '个存续的市场主体中任职或出资' as signal_zh
    from (select distinct supporter_id, supporter_county from adult) a
    join entity_role r on r.person_id = a.supporter_id
    join entity_role_blocking b on b.county_code = a.supporter_county and b.entity_type = r.entity_type and b.role = r.role
     and $as_of between b.valid_from and b.valid_to
    where r.status = '1' and b.is_blocking and r.uscc is not null and (r.est_date is null or r.est_date <= $as_of)
    group by a.supporter_id, a.supporter_county
),
home as (
    select a.supporter_id, a.supporter_county, '名下有登记住房' || count(distinct t.unit_id) || '套' as signal_zh
    from (select distinct supporter_id, supporter_county from adult) a
    join title_held t on t.person_id = a.supporter_id
    join dwelling_limit l on l.county_code = a.supporter_county and l.category = '3' and $as_of between l.valid_from and l.valid_to
    where t.use = '10' and not t.is_inherited
    group by a.supporter_id, a.supporter_county, l.dwellings_max, l.dwellings_max_relocation
    having count(distinct t.unit_id)
           > case when bool_or(t.is_relocation) then greatest(l.dwellings_max, l.dwellings_max_relocation) else l.dwellings_max end
),
income as (
    -- What is on record is the least that came in.
    select a.supporter_id, a.supporter_county, i.amount as income_12m, d.amount as income_limit,
           '到' || strftime($as_of - interval 1 month, '%Y年%-m月') || '为止的12个月有记录的收入' || yuan_zh(i.amount)
             || '，不低于' || d.of_year || '年人均可支配收入' || yuan_zh(d.amount) as signal_zh
    from (select distinct supporter_id, supporter_county from adult) a
    join income_12m i on i.person_id = a.supporter_id
    join disposable_income d on d.county_code = a.supporter_county and d.basis = 'all' and $as_of between d.valid_from and d.valid_to
    where i.amount >= d.amount
),
signal as (
    select supporter_id, supporter_county, 'job' as kind, signal_zh from job where signal_zh is not null
    union all
    select supporter_id, supporter_county, 'firm', signal_zh from firm
    union all
    select supporter_id, supporter_county, 'home', signal_zh from home
    union all
    select supporter_id, supporter_county, 'income', signal_zh from income
)
select a.household_id, a.person_id, a.case_id, a.start_month,
       'supporter:' || md5(a.supporter_id || ' ' || string_agg(s.kind, ',' order by s.kind)) as cause_key,
       coalesce(min(a.relation) filter (where a.relation <> '法定义务人'), '法定义务人') as relation,
       string_agg(s.signal_zh, '，' order by s.kind desc) as signals,
       cast(any_value(i.income_12m) as decimal(18, 2)) as income_12m, any_value(i.income_limit) as income_limit,
       coalesce('自' || strftime(a.start_month, '%Y年%-m月') || '起', '') as start_zh
from adult a
join signal s on s.supporter_id = a.supporter_id and s.supporter_county = a.supporter_county
left join income i on i.supporter_id = a.supporter_id and i.supporter_county = a.supporter_county
group by a.household_id, a.person_id, a.case_id, a.start_month, a.supporter_id
