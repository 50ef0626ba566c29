/*---
id: N13
version: 3
title: {zh: 边缘家庭中的重残重病成员可申请单人保, en: Severely disabled or ill member of an edge family}
legal_basis:
  - 最低生活保障审核确认办法（民发〔2021〕57号）第八条：低保边缘家庭中的重度残疾人、重病患者可以参照单人户提出申请
level: orange
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  disability: {max_age_days: 14, all: [dp_disability_cert]}
uses:
  serious_disease: {max_age_days: 45, all: [hl_serious_disease]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  assistance_application: {max_age_days: 10, all: [ca_application]}
parameters: [severe_disability, warning_window]
evidence: [cause, case_id, dis_type, dis_grade, issue_date, diagnosed_on]
reason:
  disability: 该成员所在家庭现为低保边缘家庭，本人持有{type_zh}残疾{grade_zh}的残疾人证（{issued_zh}），属重度残疾（依据{severe_source}），救助台账中没有其低保或特困供养记录。可以参照单人户申请低保，请告知并协助申请。
  disease: 该成员所在家庭现为低保边缘家庭，本人已列入重大疾病登记（{diagnosed_zh}），救助台账中没有其低保或特困供养记录。重病患者可以参照单人户申请低保（病种按当地规定），请告知并协助申请。
  both: 该成员所在家庭现为低保边缘家庭，本人持有{type_zh}残疾{grade_zh}的残疾人证（{issued_zh}），属重度残疾（依据{severe_source}），并已列入重大疾病登记（{diagnosed_zh}），救助台账中没有其低保或特困供养记录。可以参照单人户申请低保，请告知并协助申请。
cited: [dp_disability_cert, hl_serious_disease, ca_assist_household]
known_gaps:
  zh: 只看已认定的低保边缘家庭；重病病种由当地规定，登记的病种不一定都在其中；是否保障未填的成员按可能已保障处理。
  en: Recognised edge families alone; which diseases count is a local matter; a member whose cover is not stated may be covered.
false_alarms:
  zh: 本人已提出申请正在办理或近期被拒（已排除）；病情已治愈而登记未更新；残疾人证已冻结或过期（已排除）。
  en: Applications that are open or were refused lately (left out), a disease that is cured and still registered, frozen or expired certificates (left out).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "a registered disease counts until the register says that it is cured, as in N03"}
  - {version: 3, since: 2026-11-23, what: "the sentence: that a disability is mental is not told to a township"}
---*/
with edge_member as (
    select a.person_id, h.household_id, h.county_code, min(a.case_id) as case_id
    from current_assistance a
    join person_household h on h.person_id = a.person_id
    where a.category = '3'
    group by a.person_id, h.household_id, h.county_code
),
severe as (
    select e.person_id, d.dis_type, d.dis_grade, d.issue_date, s.source as severe_source
    from edge_member e
    join disability d on d.person_id = e.person_id
    join severe_disability s on s.county_code = e.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and (d.issue_date is null or d.issue_date <= $as_of)
      and (d.valid_to is null or d.valid_to >= $as_of)
    qualify row_number() over (partition by e.person_id order by d.dis_grade, d.issue_date desc nulls last, d.dis_type, d.row_key) = 1
),
ill as (
    select person_id, min(diagnosed_on) as diagnosed_on
    from serious_disease
    where manage_status is distinct from '2' and manage_status is distinct from '3' and (diagnosed_on is null or diagnosed_on <= $as_of)
    group by person_id
)
select e.household_id, e.person_id, e.case_id, 'single_person' as cause_key,
       case when s.person_id is not null and i.person_id is not null then 'both'
            when s.person_id is not null then 'disability' else 'disease' end as cause,
       case when i.person_id is null then 'dp_disability_cert,ca_assist_household'
            when s.person_id is null then 'hl_serious_disease,ca_assist_household' end as cited_classes,
       s.dis_type, s.dis_grade, s.issue_date, i.diagnosed_on, s.severe_source,
       case s.dis_type when '1' then '视力' when '2' then '听力' when '3' then '言语' when '4' then '肢体'
                       when '5' then '智力' when '6' then '' else '多重' end as type_zh,
       case s.dis_grade when '1' then '一级' when '2' then '二级' else '三级' end as grade_zh,
       coalesce(strftime(s.issue_date, '%Y年%-m月%-d日领证'), '领证日期不详') as issued_zh,
       coalesce(strftime(i.diagnosed_on, '%Y年%-m月%-d日确诊'), '确诊日期不详') as diagnosed_zh
from edge_member e
left join severe s on s.person_id = e.person_id
left join ill i on i.person_id = e.person_id
where (s.person_id is not null or i.person_id is not null)
  and not exists (select 1 from covered_person c where c.person_id = e.person_id)
  and not exists (select 1 from known_death k where k.person_id = e.person_id)
  -- His own application for dibao is open, or was refused not long ago: the survey knows more than the data.
  and not exists (
      select 1 from assistance_application q
      join warning_window w on w.county_code = e.county_code and w."window" = 'refused_recently'
       and $as_of between w.valid_from and w.valid_to
      where q.person_id = e.person_id and q.category = '1' and (q.decision is null or q.decision = '2')
        and coalesce(q.decision_date, q.accept_date) > $as_of - to_months(cast(w.length as integer))
  )
