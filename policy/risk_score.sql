/*---
id: risk_score
version: 4
title: {zh: 综合量化评审（一户一分，仅用于排序）, en: 'Composite index: one score a household and list, for order only'}
grain: one row a household and list with an open warning
unit: points
period: open warnings as of the business date
source: 建议值：未见公开的权重表；分值见 score_points、warning_level、signal_theme 参数
columns:
  household_id: household
  list_kind: help_in or check_out; nothing moves between them
  county_code: county of the household
  level: highest level of its warnings, one higher for three or more independent yellow signals
  level_since: day from which that level counts
  score: sum of the parts
  parts_json: every part with its points and its reason
  signals: signals that are independent of one another
  visit_due_on: earliest of the warnings; of a blue family the month of the next review, the end of the quarter at the latest
  close_due_on: earliest of the warnings
  order_no: place on the list within the county
parameters: [score_points, warning_level, warning_window]
parameters_if_known: [severe_disability, signal_theme]
uses:
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
known_gaps:
  zh: 年龄、残疾情况未知的成员不加分；不代表没有困难。同一主题的预警只算一个信号，主题划分为建议值。
  en: >-
    Members of unknown age or ability add no points, which does not mean that they are well. Warnings of one theme are one
    signal; the themes are a proposal.
changelog:
  - {version: 1, since: 2025-11-01, what: first version}
  - {version: 2, since: 2026-11-22, what: "the dead add no points and are no parents"}
  - {version: 3, since: 2026-11-22, what: "severity and degree are parts of their own; signals count by theme; people aged 70 to 79 and living alone; blue follows the next review; who waits longest goes first among equals"}
  - {version: 4, since: 2026-11-23, what: "a parent of unknown age is a parent; the reason of a degree says how far over the limit at least"}
---*/
with spoken as (
    -- A rule without a theme is a theme of its own; a rule that repeats another adds nothing to it.
    select o.*, coalesce(t.theme, o.rule_id) as theme, coalesce(t.is_derived, false) as is_derived
    from open_warning o
    left join signal_theme t on t.county_code = o.county_code and t."rule" = o.rule_id
     and $as_of between t.valid_from and t.valid_to
),
place as (
    select household_id, list_kind, min(county_code) as county_code,
           max(case level when 'red' then 4 when 'orange' then 3 when 'yellow' then 2 else 1 end) as rank,
           greatest(count(distinct theme) filter (where not is_derived), 1) as signals,
           min(raised_on) as waiting_since,
           min(visit_due_on) as visit_due_on, min(close_due_on) as close_due_on
    from spoken
    group by household_id, list_kind
),
yellow as (
    select o.household_id, o.list_kind, count(distinct o.theme) as signals, max(o.raised_on) as latest_on, max(w.length) as days
    from spoken o
    join warning_window w on w.county_code = o.county_code and w."window" = 'escalation'
     and $as_of between w.valid_from and w.valid_to
    where o.level = 'yellow' and not o.is_derived and date_diff('day', o.raised_on, $as_of) <= w.length
    group by o.household_id, o.list_kind
),
levelled as (
    select p.*,
           -- Three yellow signals make the family orange; what is orange or red already stays as it is.
           p.rank = 2 and coalesce(y.signals >= s.points, false) as is_escalated,
           y.latest_on, y.signals as yellow_signals, y.days
    from place p
    left join yellow y on y.household_id = p.household_id and y.list_kind = p.list_kind
    left join score_points s on s.county_code = p.county_code and s.part = 'escalation_signals'
     and $as_of between s.valid_from and s.valid_to
),
review as (
    -- The month in which the household is looked at anyway.
    select h.household_id, last_day(min(c.next_review_month)) as review_on
    from assistance_case c
    join case_household h on h.case_id = c.case_id
    where c.status in ('1', '2') and c.next_review_month >= date_trunc('month', $as_of)
    group by h.household_id
),
point as (
    select county_code, part, points, "limit", label_zh from score_points where $as_of between valid_from and valid_to
),
living as (
    select m.household_id, m.person_id
    from household_member m
    where not exists (
        select 1 from death d
        where d.person_id = m.person_id and d.death_source in ('register', 'cremation', 'certificate')
          and coalesce(d.death_date, d.recorded_date) <= $as_of)
),
severe as (
    select distinct s.county_code, d.person_id
    from disability d
    join severe_disability s on s.dis_type = d.dis_type and s.dis_grade = d.dis_grade
     and $as_of between s.valid_from and s.valid_to
    where s.is_severe and d.status = '1' and d.person_id is not null and (d.valid_to is null or d.valid_to >= $as_of)
),
people as (
    select p.household_id, p.list_kind, p.county_code,
           count(*) filter (where date_sub('year', n.birth_date, $as_of) < 16)  as children,
           count(*) filter (where date_sub('year', n.birth_date, $as_of) between 70 and 79) as elders_70,
           count(*) filter (where date_sub('year', n.birth_date, $as_of) >= 80) as elders_80,
           count(*) filter (where s.person_id is not null) as severe,
           -- Somebody whose link is not certain is somebody: such a household is not one of a single person.
           count(*) = 1 and bool_or(coalesce(date_sub('year', n.birth_date, $as_of) >= 60, false) or s.person_id is not null) as is_alone
    from place p
    join living m on m.household_id = p.household_id
    left join person n on n.person_id = m.person_id
    left join severe s on s.county_code = p.county_code and s.person_id = m.person_id
    -- Structure counts for help alone: a vulnerable family is not checked sooner.
    where p.list_kind = 'help_in'
    group by all
),
born_to as (
    select distinct person_id_a as parent_id, person_id_b as child_id from household_edge
    where kind = 'parent_child' and confidence is distinct from 'needs_check' and (until is null or until > $as_of)
),
wed as (
    select person_id_a as person_id, person_id_b as spouse_id from household_edge
    where kind = 'spouse' and confidence is distinct from 'needs_check' and (until is null or until > $as_of)
    union
    select person_id_b, person_id_a from household_edge
    where kind = 'spouse' and confidence is distinct from 'needs_check' and (until is null or until > $as_of)
),
lone as (
    -- A child under 18 who has exactly one parent in the household, and that parent no spouse in it.
    select household_id, count(*) as children
    from (
        select p.household_id, c.person_id, min(a.person_id) as parent_id
        from people p
        join living c on c.household_id = p.household_id
        join person n on n.person_id = c.person_id and date_sub('year', n.birth_date, $as_of) < 18
        join born_to b on b.child_id = c.person_id
        join living a on a.person_id = b.parent_id and a.household_id = c.household_id
        group by p.household_id, c.person_id
        having count(distinct a.person_id) = 1
    ) one
    where not exists (
        select 1 from wed w
        join living x on x.person_id = w.spouse_id and x.household_id = one.household_id
        where w.person_id = one.parent_id
    )
    group by household_id
),
severity as (
    -- What a warning has beyond the points of its level is for how far it is over the limit.
    select o.household_id, o.list_kind, o.rule_id, o.warning_id, o.title_zh, o.level, o.points,
           coalesce(v.level_zh, '') as level_zh, least(o.points, coalesce(v.level_points, o.points)) as level_points
    from spoken o
    left join warning_level v on v.county_code = o.county_code and v.level = o.level
     and $as_of between v.valid_from and v.valid_to
),
part as (
    select household_id, list_kind, 1 as place, rule_id || ':' || warning_id as part, level_points as points,
           rule_id || ' ' || title_zh || '（' || level_zh || '）' as reason_zh
    from severity
    union all
    select s.household_id, s.list_kind, 2, 'ratio:' || s.warning_id, s.points - s.level_points,
           -- Points are whole tenths over the limit, and end somewhere: so much over it is certain.
           s.rule_id || ' ' || s.title_zh || '：' || t.label_zh
           || coalesce('（超出标准' || cast(floor((s.points - s.level_points) * 100 / nullif(t.points, 0)) as integer) || '%以上）', '')
    from severity s
    join place p on p.household_id = s.household_id and p.list_kind = s.list_kind
    join point t on t.county_code = p.county_code and t.part = 'ratio'
    where s.points > s.level_points
    union all
    select l.household_id, l.list_kind, 3, 'signal', least((l.signals - 1) * t.points, t."limit"),
           t.label_zh || (l.signals - 1) || '个'
    from levelled l join point t on t.county_code = l.county_code and t.part = 'signal'
    where l.signals > 1
    union all
    select p.household_id, p.list_kind, 4, 'child', least(p.children * t.points, t."limit"), t.label_zh || p.children || '人'
    from people p join point t on t.county_code = p.county_code and t.part = 'child' where p.children > 0
    union all
    select p.household_id, p.list_kind, 5, 'elder_70', least(p.elders_70 * t.points, t."limit"), t.label_zh || p.elders_70 || '人'
    from people p join point t on t.county_code = p.county_code and t.part = 'elder_70' where p.elders_70 > 0
    union all
    select p.household_id, p.list_kind, 6, 'elder_80', least(p.elders_80 * t.points, t."limit"), t.label_zh || p.elders_80 || '人'
    from people p join point t on t.county_code = p.county_code and t.part = 'elder_80' where p.elders_80 > 0
    union all
    select p.household_id, p.list_kind, 7, 'severe_disability', least(p.severe * t.points, t."limit"), t.label_zh || p.severe || '人'
    from people p join point t on t.county_code = p.county_code and t.part = 'severe_disability' where p.severe > 0
    union all
    select p.household_id, p.list_kind, 8, 'single_parent', least(t.points, t."limit"), t.label_zh
    from people p
    join lone o on o.household_id = p.household_id
    join point t on t.county_code = p.county_code and t.part = 'single_parent'
    union all
    select p.household_id, p.list_kind, 9, 'alone', least(t.points, t."limit"), t.label_zh
    from people p join point t on t.county_code = p.county_code and t.part = 'alone' where p.is_alone
    union all
    -- No points: it says why the level is higher than that of any warning.
    select l.household_id, l.list_kind, 10, 'escalation', 0,
           t.label_zh || '（' || l.days || '天内' || l.yellow_signals || '个不同方面的黄色信号，级别上调一级）'
    from levelled l join point t on t.county_code = l.county_code and t.part = 'escalation_signals'
    where l.is_escalated
),
total as (
    select household_id, list_kind,
           cast(sum(points) as decimal(9, 2)) as score,
           cast(to_json(list({'part': part, 'points': cast(cast(points as decimal(9, 2)) as varchar), 'reason_zh': reason_zh}
                             order by place, part)) as varchar) as parts_json
    from part
    group by household_id, list_kind
)
select l.household_id, l.list_kind,
       case l.rank + (case when l.is_escalated then 1 else 0 end)
           when 4 then 'red' when 3 then 'orange' when 2 then 'yellow' else 'blue' end as level,
       -- The county is what deadlines and order belong to.
       l.county_code,
       case when l.is_escalated then l.latest_on end as level_since,
       t.score, t.parts_json, l.signals,
       -- Housekeeping goes with the next review, where one is due before the quarter ends.
       coalesce(l.visit_due_on, case when l.rank = 1 and r.review_on <= l.close_due_on then r.review_on end) as visit_due_on,
       l.close_due_on,
       row_number() over (
           partition by l.list_kind, l.county_code
           order by l.rank + (case when l.is_escalated then 1 else 0 end) desc, t.score desc, l.waiting_since, l.household_id
       ) as order_no
from levelled l
join total t on t.household_id = l.household_id and t.list_kind = l.list_kind
left join review r on r.household_id = l.household_id
