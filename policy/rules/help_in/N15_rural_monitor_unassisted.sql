/*---
id: N15
version: 4
title: {zh: 防止返贫监测户久未得到帮扶, en: Monitored rural household without help}
legal_basis:
  - 2022年10月20日关于进一步做好最低生活保障等社会救助兜底工作的通知（与防止返贫监测对象定期比对）
  - 民办函〔2024〕31号（防止返贫监测对象一并监测）
level: yellow
owner: 县民政局社会救助科（会同农业农村局）
expires: 2027-12-31
subject: household
needs:
  rural_monitor: {max_age_days: 45, all: [ag_poverty_monitor]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  temporary_relief: {max_age_days: 14, all: [ca_temp_relief]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
  medical_aid: {max_age_days: 45, all: [mi_medical_aid]}
  medical_settlement: {max_age_days: 10, all: [mi_settlement]}
uses:
  student_aid: {max_age_days: 220, all: [ed_student_aid]}
  housing_aid: {max_age_days: 120, all: [hc_housing_aid]}
  housing_aid_member: {max_age_days: 120, all: [hc_housing_aid]}
  rehab_service: {max_age_days: 120, all: [dp_rehab_service]}
  house_safety: {max_age_days: 120, all: [hc_rural_house_safety]}
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
parameters: [warning_window]
evidence: [cause, identify_date, last_help_on, until_on, days_limit]
reason:
  never: 该户自{identify_date}起列为防止返贫监测户（{type_zh}{risks_zh}），风险未消除；截至{until_on}已满{days_limit}天（期限依据：{window_source}），各部门没有低保、临时救助、福利补贴、医疗救助、学生资助等任何帮扶记录。请入户了解困难，落实帮扶。
  lapsed: 该户自{identify_date}起列为防止返贫监测户（{type_zh}{risks_zh}），风险未消除；最近一次帮扶为{last_help_on}的{last_help_zh}，截至{until_on}已满{days_limit}天（期限依据：{window_source}）没有新的帮扶记录。请入户了解困难，落实帮扶。
cited: [ag_poverty_monitor, ca_assist_household, ca_temp_relief, ca_welfare_subsidy, mi_medical_aid]
known_gaps:
  zh: 村里的帮扶、产业和就业帮扶、社会捐助没有记录；按数据最旧的一个来源计算天数；身份关联待人工确认的帮扶按可能已给予处理。
  en: Help of villages, support of production and jobs and charity are not on record; days are counted up to the oldest of the sources; help whose link waits for a decision may have been given.
false_alarms:
  zh: 已有产业或就业帮扶、包户干部帮扶；风险已消除而名单未更新；户主已随子女外迁。
  en: Support of production or jobs, help by a cadre, a risk that is gone and still listed, a family that moved to its children.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "what is left out says why"}
  - {version: 3, since: 2026-11-23, what: "help whose link waits for a decision is help that may have been given, and is not told as none"}
  - {version: 4, since: 2026-11-23, what: "the same rows; where two records tie, the same one counts in every run"}
---*/
with arrived as (
    -- A day that a source has not delivered yet is not a day without help.
    select min(least(last_batch, $as_of)) as until_on
    from source_status
    where class_id in ('ag_poverty_monitor', 'ca_assist_household', 'ca_temp_relief', 'ca_welfare_subsidy', 'mi_medical_aid', 'mi_settlement')
),
listed as (
    select coalesce(r.monitor_household_id, 'person ' || r.person_id) as monitored, r.person_id, h.household_id, h.county_code,
           r.identify_date, r.is_risk_removed, r.monitor_type, r.risk_causes
    from rural_monitor r
    join person_household h on h.person_id = r.person_id
),
monitored as (
    select monitored,
           min(identify_date)                                    as identify_date,
           mode(household_id order by household_id)              as household_id,
           min(monitor_type)                                     as monitor_type,
           array_to_string(list_sort(list_distinct(flatten(list(risk_causes)))), '、') as risks
    from listed
    group by monitored
    -- One that says removed and one that says not: the list contradicts itself, and nothing is said.
    having bool_or(is_risk_removed = false) and not bool_or(coalesce(is_risk_removed, false))
),
people as (
    select monitored, person_id from listed
    union
    select l.monitored, m.person_id
    from listed l join household_member m on m.household_id = l.household_id
),
judged as (
    select m.*, a.until_on, w.length as days_limit, w.source as window_source,
           (select max(g.helped_on) from people p join help_received g on g.person_id = p.person_id
             where p.monitored = m.monitored) as last_help_on,
           (select arg_max(g.kind_zh, (g.helped_on, g.kind_zh)) from people p join help_received g on g.person_id = p.person_id
             where p.monitored = m.monitored) as last_help_zh,
           (select max(g.possible_on) from people p join help_received g on g.person_id = p.person_id
             where p.monitored = m.monitored) as possible_on,
           (select arg_max(g.possible_zh, (g.possible_on, g.possible_zh)) from people p join help_received g on g.person_id = p.person_id
             where p.monitored = m.monitored) as possible_zh
    from monitored m
    cross join arrived a
    join household h on h.household_id = m.household_id
    join warning_window w on w.county_code = h.county_code and w."window" = 'monitor_unassisted'
     and $as_of between w.valid_from and w.valid_to
)
select household_id,
       'unassisted:' || min(greatest(identify_date, coalesce(last_help_on, identify_date))) as cause_key,
       case when max(last_help_on) is null then 'never' else 'lapsed' end as cause,
       min(identify_date) as identify_date, max(last_help_on) as last_help_on,
       arg_max(last_help_zh, (last_help_on, last_help_zh)) as last_help_zh,
       min(until_on) as until_on, min(days_limit) as days_limit, min(window_source) as window_source,
       case min(monitor_type) when '1' then '脱贫不稳定户' when '2' then '边缘易致贫户' when '3' then '突发严重困难户' else '类别未载明' end as type_zh,
       case when min(risks) <> '' then '，' || min(risks) else '' end as risks_zh,
       case when coalesce(bool_or(date_diff('day', greatest(identify_date, coalesce(last_help_on, identify_date)), until_on) >= days_limit),
                          false)
                -- What was given to somebody who may be of this household is not "no help".
                then case when bool_or(date_diff('day', possible_on, until_on) < days_limit)
                          then strftime(max(possible_on), '%Y年%-m月%-d日') || '的' || arg_max(possible_zh, (possible_on, possible_zh))
                               || '可能给的是该户成员，身份关联待人工确认' end
            when max(last_help_on) > min(identify_date) then '最近一次帮扶至今不满期限' else '列入监测至今不满期限' end as not_raised_zh
from judged j
where identify_date is not null
  and exists (
      select 1 from people p
      where p.monitored = j.monitored and not exists (select 1 from known_death k where k.person_id = p.person_id)
  )
group by household_id
