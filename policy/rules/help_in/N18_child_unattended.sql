/*---
id: N18
version: 4
title: {zh: 未成年人可能无人抚养, en: Child that may have nobody to care for it}
legal_basis:
  - 关于改革完善社会救助制度的意见（中共中央办公厅、国务院办公厅，2020年）
  - 民发〔2019〕62号（事实无人抚养儿童保障，文号待核）
  - 特困人员认定办法（民发〔2021〕43号）
level: red
owner: 县民政局儿童福利科、社会救助科
expires: 2027-12-31
subject: person
needs:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
uses:
  custody: {max_age_days: 45, all: [ps_custody]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
parameters: [severe_disability, warning_window]
evidence: [age, parents, parents_dead, parents_away, parents_disabled]
reason: 该未成年人{age}周岁，在册的父母{parents}人中{state_zh}，没有查到能履行抚养责任的父母；近{subsidy_months}个月（期限依据：{subsidy_source}）没有孤儿或事实无人抚养儿童基本生活补贴的发放记录{covered_zh}。请尽快入户，了解由谁照料，核实监护情况和是否应纳入儿童福利保障。
known_gaps:
  zh: 失踪、失联没有任何部门登记；父母一方未登记的，情况不明，不提示；重病按当地标准另行核实。
  en: Nobody registers people who are missing; with one parent not on record nothing is said; serious illness of parents is judged locally.
false_alarms:
  zh: 祖父母或其他亲属已依法担任监护人并照料；父母短期离家即将返回；已被收养；补贴正在办理。
  en: Grandparents or other kin are guardians and care for the child, a parent is away for a short time, the child was adopted, the subsidy is on its way.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out says why"}
  - {version: 3, since: 2026-11-23, what: "money whose link is under review may be this child's"}
  - {version: 4, since: 2026-11-23, what: "the sentence says where the months without money come from"}
---*/
select c.household_id, c.person_id,
       'unattended:' || coalesce(c.since_on::varchar, 'undated') as cause_key,
       c.age, c.parents, c.parents_dead, c.parents_away, c.parents_disabled, w.length as subsidy_months, w.source as subsidy_source,
       concat_ws('、', case when c.parents_dead > 0 then c.parents_dead || '人已去世' end,
                 case when c.parents_away > 0 then c.parents_away || '人因故离家（可向县民政局了解）' end,
                 case when c.parents_disabled > 0 then c.parents_disabled || '人重度残疾' end) as state_zh,
       case when v.category = '1' then '（该未成年人现为低保对象）' else '' end as covered_zh,
       concat_ws(',', c.classes, 'ca_welfare_subsidy') as cited_classes,
       case when c.parents = 1 then '在册的只有父母一方，另一方情况不明'
            -- Tekun and the money for orphans exclude each other: whoever has one is cared for.
            when v.category = '2' then '已纳入特困供养'
            when exists (
                -- A month or a status that is not known may be this month's payment.
                select 1 from welfare_subsidy s
                where s.person_id = c.person_id and s.subsidy_type in ('4', '5') and s.status is distinct from '2'
                  and (s.pay_month is null
                       or s.pay_month > date_trunc('month', $as_of) - to_months(cast(w.length as integer)))
            ) then '孤儿或事实无人抚养儿童基本生活补贴已在发放'
            when exists (
                select 1 from welfare_subsidy s
                where s.possible_person_id = c.person_id and s.subsidy_type in ('4', '5') and s.status is distinct from '2'
                  and (s.pay_month is null
                       or s.pay_month > date_trunc('month', $as_of) - to_months(cast(w.length as integer)))
            ) then '有孤儿或事实无人抚养儿童基本生活补贴可能发给了该未成年人，身份关联待人工确认' end as not_raised_zh
from child_parents c
join household h on h.household_id = c.household_id
join warning_window w on w.county_code = h.county_code and w."window" = 'care_subsidy_paid'
 and $as_of between w.valid_from and w.valid_to
left join covered_person v on v.person_id = c.person_id
where c.parents_dead + c.parents_away + c.parents_disabled = c.parents
