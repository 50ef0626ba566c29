/*---
id: earner_lost
version: 3
title: {zh: 去世或因故离家的主要劳动力, en: Earners who died or are away}
grain: one row a person who was the only one able to work, or gave the greater part of the recorded income
unit: per cent, persons
period: events of the 24 months up to the business date
source: 国办发〔2023〕39号（关注家庭突发变故）；民发〔2021〕43号第五条（劳动能力）
columns:
  person_id: who died or is away
  household_id: household of the person, or of the nearest kin
  county_code: county of that household
  event_kind: death or away; why somebody is away is not told
  event_on: day of the event
  seen_on: day on which a source first recorded it
  event_sources: which sources tell of a death, in words
  event_classes: classes of information that tell of a death
  income_classes: classes of information with the income
  cause: only_worker or main_income
  others: members who live on in the household
  income_share_percent: share of the recorded income of 12 months before
  share_limit_percent: limit of that share
needs:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}
  pension: {max_age_days: 45, all: [hr_employee_pension, hr_resident_pension]}
uses:
  custody: {max_age_days: 45, all: [ps_custody]}
  accident: {max_age_days: 45, all: [em_accident_casualty]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  school_enrolment: {max_age_days: 45, all: [ed_enrolment]}
parameters: [labour_age, earner_share, severe_disability]
parameters_if_known: [dibao_standard]
published: false
known_gaps:
  zh: 土葬、在家死亡可能晚报；现金与务农收入不在收入占比内；羁押信息仅返回匹配人员。
  en: Deaths at home are late; cash and farm income is not in the share; custody is returned for matched persons only.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "a death that the list of accidents tells of counts; a list of custody that is late puts nobody away"}
  - {version: 3, since: 2026-11-22, what: "the classes behind an income in one order, whatever the order of the rows"}
---*/
with event as (
    select person_id, 'death' as event_kind, died_on as event_on, greatest(seen_on, died_on) as seen_on, sources_zh as event_sources,
           classes as event_classes
    from known_death
    union all
    -- The list of accidents is keyed from paper: a death that it alone tells of counts where the link is certain.
    select person_id, 'death', min(occur_date), min(occur_date), '事故伤亡台账', 'em_accident_casualty'
    from accident
    where outcome = '1' and link_grade = 'A' and occur_date <= $as_of
      and not exists (select 1 from known_death k where k.person_id = accident.person_id)
    group by person_id
    union all
    -- Community correction (5) takes nobody out of a family.
    -- Why somebody is away is for the county alone: no list, key or evidence that a township sees may tell it.
    select person_id, 'away', max(start_date), max(start_date), null, null
    from custody
    where custody_type in ('1', '2', '3', '4') and status = '1'
      and start_date <= $as_of and (end_date is null or end_date >= $as_of)
      -- A list that is late may name somebody who is home again.
      and exists (
          select 1 from source_status s
          where s.class_id = 'ps_custody' and s.status = 'fresh' and date_diff('day', s.last_batch, $as_of) <= 45
      )
    group by person_id
),
recent as (
    -- The dead leave the household from the month after death: the family is where their nearest kin live.
    select e.*, h.household_id, h.county_code
    from event e
    join nearest_household h on h.person_id = e.person_id
    where e.event_on > $as_of - interval 24 month and e.event_on <= $as_of
),
severe as (
    select distinct d.person_id
    from disability d
    join person_household h on h.person_id = d.person_id
    join severe_disability s on s.county_code = h.county_code and s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and (d.valid_to is null or d.valid_to >= $as_of)
),
declared as (
    select person_id, min(labour_ability) as labour_ability from current_assistance group by person_id
),
roll as (
    -- The one who is lost, and everybody who lives on in the household.
    select r.person_id as lost_person_id, r.event_kind, r.person_id, true as is_lost from recent r
    union all
    select r.person_id, r.event_kind, m.person_id, false
    from recent r
    join household_member m on m.household_id = r.household_id
    where m.person_id <> r.person_id
      and not exists (select 1 from known_death k where k.person_id = m.person_id)
),
able as (
    -- true, false, or unknown: without an age and a declared ability nothing is said.
    select o.lost_person_id, o.event_kind, o.person_id, o.is_lost,
           case when d.labour_ability in ('3', '4', '5') then false
                when v.person_id is not null then false
                when date_sub('year', p.birth_date, r.event_on) < l.from_age
                  or date_sub('year', p.birth_date, r.event_on) > l.to_age then false
                when exists (select 1 from school_enrolment e where e.person_id = o.person_id and e.status = '1') then false
                when d.labour_ability in ('1', '2') then true
                when p.birth_date is not null then true
           end as is_able
    from roll o
    join recent r on r.person_id = o.lost_person_id and r.event_kind = o.event_kind
    join labour_age l on l.county_code = r.county_code and $as_of between l.valid_from and l.valid_to
    left join person p on p.person_id = o.person_id
    left join severe v on v.person_id = o.person_id
    left join declared d on d.person_id = o.person_id
),
income as (
    select o.lost_person_id, o.event_kind,
           case when count(*) = count(i.amount) then sum(i.amount) end as total,
           sum(i.amount) filter (where o.is_lost)                      as lost_amount,
           string_agg(distinct array_to_string(list_sort(i.classes), ','), ','
                      order by array_to_string(list_sort(i.classes), ',')) as income_classes
    from roll o
    join recent r on r.person_id = o.lost_person_id and r.event_kind = o.event_kind
    join recorded_income i on i.person_id = o.person_id
     and i.month < date_trunc('month', r.event_on)
     and i.month >= date_trunc('month', r.event_on) - interval 12 month
    group by all
),
others as (
    -- Whether the income of all who are left is on record: a child, somebody in school, or amounts in the 12 months.
    select o.lost_person_id, o.event_kind,
           bool_and(coalesce(date_sub('year', p.birth_date, r.event_on) < l.from_age, false)
                    or exists (select 1 from school_enrolment e where e.person_id = o.person_id and e.status = '1')
                    or exists (select 1 from recorded_income i
                                where i.person_id = o.person_id and i.amount > 0
                                  and i.month < date_trunc('month', r.event_on)
                                  and i.month >= date_trunc('month', r.event_on) - interval 12 month)) as others_known
    from roll o
    join recent r on r.person_id = o.lost_person_id and r.event_kind = o.event_kind
    join labour_age l on l.county_code = r.county_code and $as_of between l.valid_from and l.valid_to
    left join person p on p.person_id = o.person_id
    where not o.is_lost
    group by all
),
standard as (
    select county_code, urban_rural, amount * (case period when 'year' then 1 else 12 end) as standard_12m
    from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
),
judged as (
    select r.household_id, r.county_code, r.person_id, r.event_kind, r.event_on, r.seen_on, r.event_sources, r.event_classes, i.income_classes, s.percent as share_limit_percent,
           (select count(*) from able a where a.lost_person_id = r.person_id and a.event_kind = r.event_kind and not a.is_lost) as others,
           (select bool_and(a.is_able) and count(*) filter (where a.is_able is null) = 0 from able a
             where a.lost_person_id = r.person_id and a.event_kind = r.event_kind and a.is_lost) as lost_was_able,
           (select bool_and(not a.is_able) and count(*) filter (where a.is_able is null) = 0 from able a
             where a.lost_person_id = r.person_id and a.event_kind = r.event_kind and not a.is_lost) as nobody_else_is_able,
           i.lost_amount * 100 > i.total * s.percent
               -- A share of what is on record says something when the others are on record too, or when the sum alone was
               -- more than the dibao standard of one person.
               and (o.others_known or i.lost_amount > d.standard_12m) as was_main_income,
           cast(round(i.lost_amount * 100 / nullif(i.total, 0), 0) as bigint) as income_share_percent
    from recent r
    join earner_share s on s.county_code = r.county_code and $as_of between s.valid_from and s.valid_to
    left join income i on i.lost_person_id = r.person_id and i.event_kind = r.event_kind
    left join others o on o.lost_person_id = r.person_id and o.event_kind = r.event_kind
    left join household u on u.household_id = r.household_id
    left join standard d on d.county_code = r.county_code and d.urban_rural = u.urban_rural
)
select person_id, household_id, county_code, event_kind, event_on, seen_on, event_sources, event_classes, income_classes,
       case when lost_was_able and nobody_else_is_able then 'only_worker' else 'main_income' end as cause,
       others, income_share_percent, share_limit_percent
from judged
where others > 0
  and ((lost_was_able and nobody_else_is_able) or was_main_income)
