/*---
id: N14
version: 9
title: {zh: 可能符合特困人员条件而未纳入, en: Possibly a tekun person and not covered}
legal_basis:
  - 特困人员认定办法（民发〔2021〕43号）第四条至第八条
  - 关于改革完善社会救助制度的意见（2020年，未成年人放宽到18周岁）
level: orange
owner: 县民政局社会救助科
expires: 2027-12-31
subject: person
needs:
  assistance_case: {max_age_days: 10, all: [ca_assist_household]}
  assistance_member: {max_age_days: 10, all: [ca_assist_member]}
  disability: {max_age_days: 14, all: [dp_disability_cert]}
  death: {max_age_days: 45, any: [ps_death, ca_cremation, hl_birth_death_cert]}
uses:
  assistance_application: {max_age_days: 10, all: [ca_application]}
  custody: {max_age_days: 45, all: [ps_custody]}
  registered_resident: {max_age_days: 45, all: [ps_resident]}
  welfare_subsidy: {max_age_days: 45, all: [ca_welfare_subsidy]}
parameters: [tekun_age, tekun_disability, dibao_standard, warning_window]
evidence: [cause, age, kin_found, kin_dead, kin_unable, income, months, standard_amount, standard_period]
reason:
  elder: 该成员{age}周岁，按特困人员认定办法视为无劳动能力；{kin_zh}；{income_zh}，低于低保标准（{standard_zh}）。有记录的财产未见超出规定，救助台账中没有其低保或特困供养记录。{missing_zh}请入户了解有无其他亲属和收入。标准依据：{standard_source}。
  child: 该成员{age}周岁，为未成年人{labour_zh}；{kin_zh}；{income_zh}，低于低保标准（{standard_zh}）。没有查到其低保、特困供养或孤儿（事实无人抚养儿童）待遇。{missing_zh}请入户了解由谁抚养。标准依据：{standard_source}；年龄依据：{age_source}。
  disabled: 该成员持有{type_zh}残疾{grade_zh}的残疾人证，按特困人员认定办法视为无劳动能力；{kin_zh}；{income_zh}，低于低保标准（{standard_zh}）。有记录的财产未见超出规定，救助台账中没有其低保或特困供养记录。{missing_zh}请入户了解有无其他亲属和收入。标准依据：{standard_source}。
cited: [ps_household_member, ca_marriage, dp_disability_cert, hr_resident_pension, ca_assist_household]
known_gaps:
  zh: >-
    登记中没有查到亲属，不等于没有亲属：早年的父母子女关系多未登记，已婚、丧偶、离婚而没有查到子女的不提示。收入情况没有记录的人不估算；中央确定的基础养老金不计；
    只有全部法定义务人去世或视为无履行义务能力时才提示；未成年人的父母在本县没有任何记录的，情况不明，不提示；省级补充的情形不在其中。
  en: >-
    That no kin are found does not say that there are none: old ties are often not registered, so nobody is raised who is or was married and of whom no child is on record. Nobody is estimated whose means are on no
    record. A warning is raised only when every spouse, parent and child has died or is judged unable; of a minor whose parents are on no record of the county nothing is said; provincial additions are not in it.
false_alarms:
  zh: 子女关系未登记；与兄弟姐妹、孙辈同住由其照料（同户有60周岁以下成年人的已排除）；务农和现金收入；已领孤儿或事实无人抚养儿童待遇的（已排除）。
  en: Ties that are not registered, care by siblings or grandchildren (whoever lives with an adult under 60 is left out), farming and cash, children with orphan money (left out).
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "reads supporters outside the family"}
  - {version: 3, since: 2026-11-22, what: "no child on record says little of somebody who is or was married"}
  - {version: 4, since: 2026-11-22, what: "an orphan who lives with other kin is raised"}
  - {version: 5, since: 2026-11-23, what: "the sentence: that a disability is mental is not told to a township"}
  - {version: 6, since: 2026-11-23, what: "the sentence of a child names the source of the ages"}
  - {version: 7, since: 2026-11-23, what: "money for orphans and applications whose link is under review may be this person's"}
  - {version: 8, since: 2026-11-23, what: "amounts of money are written in one form: cents with two digits, whole yuan without"}
  - {version: 9, since: 2026-11-23, what: "a minor whose parents are on no record of the county is left out, and it is said why: unknown parents are not no parents"}
---*/
with listed as (
    select d.person_id, d.dis_type, d.dis_grade
    from disability d
    join person_household h on h.person_id = d.person_id
    join tekun_disability t on t.county_code = h.county_code and t.dis_type = d.dis_type and t.dis_grade = d.dis_grade
     and $as_of between t.valid_from and t.valid_to
    where t.is_unable and d.status = '1' and (d.issue_date is null or d.issue_date <= $as_of) and (d.valid_to is null or d.valid_to >= $as_of)
    qualify row_number() over (partition by d.person_id order by d.dis_grade, d.dis_type, d.row_key) = 1
),
living as (
    select h.household_id, h.county_code, h.urban_rural, h.person_id, date_sub('year', p.birth_date, $as_of) as age,
           g.elder_from, g.child_below, g.no_labour_below, g.source as age_source, l.dis_type, l.dis_grade
    from person_household h
    left join person p on p.person_id = h.person_id
    join tekun_age g on g.county_code = h.county_code and $as_of between g.valid_from and g.valid_to
    left join listed l on l.person_id = h.person_id
    where not exists (select 1 from known_death k where k.person_id = h.person_id)
),
candidate as (
    select *, case when age < child_below then 'child' when age >= elder_from then 'elder' else 'disabled' end as cause
    from living
    where (age < child_below or age >= elder_from or dis_type is not null)
      and not exists (select 1 from covered_person c where c.person_id = living.person_id)
      -- Nobody under 60 who is grown up lives with them, unless he is judged unable himself; of a minor the parents are asked.
      and (age < child_below or not exists (
          select 1 from living o
          where o.household_id = living.household_id and o.person_id <> living.person_id
            and coalesce(o.age >= 18 and o.age < o.elder_from, o.age is null) and o.dis_type is null
      ))
),
edge as (
    select person_id_a as person_id, person_id_b as other_id, kind, 'child' as side from household_edge
    where kind in ('spouse', 'parent_child') and (until is null or until > $as_of) and (since is null or since <= $as_of)
    union all
    select person_id_b, person_id_a, kind, 'parent' from household_edge
    where kind in ('spouse', 'parent_child') and (until is null or until > $as_of) and (since is null or since <= $as_of)
),
ended_by_death as (
    -- A marriage that ended with a death is kin that was found.
    select person_id_a as person_id, person_id_b as other_id from household_edge where kind = 'spouse' and until <= $as_of
    union all
    select person_id_b, person_id_a from household_edge where kind = 'spouse' and until <= $as_of
),
kin as (
    select distinct c.person_id, e.other_id, case e.kind when 'spouse' then 'spouse' else e.side end as kin_kind
    from candidate c join edge e on e.person_id = c.person_id
    where e.other_id <> c.person_id
    union
    select distinct c.person_id, e.other_id, 'spouse'
    from candidate c join ended_by_death e on e.person_id = c.person_id
    where exists (select 1 from known_death k where k.person_id = e.other_id)
    union
    select distinct c.person_id, s.supporter_person_id, s.kind
    from candidate c join supporter s on s.person_id = c.person_id
),
judged as (
    select k.person_id, k.kin_kind, k.other_id,
           case when d.person_id is not null then 'dead'
                when coalesce(date_sub('year', p.birth_date, $as_of) < 18, false) then 'minor'
                when u.person_id is not null then 'unable' else 'able' end as standing,
           u.why_zh
    from kin k
    left join known_death d on d.person_id = k.other_id
    left join person p on p.person_id = k.other_id
    left join supporter_unable u on u.person_id = k.other_id
),
support as (
    select person_id, count(distinct other_id) as kin_found,
           count(distinct other_id) filter (where standing = 'dead')   as kin_dead,
           count(distinct other_id) filter (where standing = 'unable') as kin_unable,
           count(distinct other_id) filter (where standing = 'minor')  as kin_minor,
           count(distinct other_id) filter (where standing = 'able')   as kin_able,
           count(distinct other_id) filter (where kin_kind = 'parent') as parents_found,
           count(distinct other_id) filter (where kin_kind = 'child')  as children_found,
           string_agg(distinct why_zh, '；' order by why_zh) filter (where standing = 'unable') as why_zh
    from judged
    group by person_id
),
ever_married as (
    select distinct person_id from registered_resident where marital_status in ('20', '21', '22', '23', '30', '40')
),
alone as (
    select c.*, coalesce(s.kin_found, 0) as kin_found, coalesce(s.kin_dead, 0) as kin_dead, coalesce(s.kin_unable, 0) as kin_unable,
           coalesce(s.kin_minor, 0) as kin_minor, coalesce(s.parents_found, 0) as parents_found, s.why_zh
    from candidate c
    left join support s on s.person_id = c.person_id
    left join ever_married v on v.person_id = c.person_id
    where coalesce(s.kin_able, 0) = 0
      -- Old ties to children are often not registered: of somebody who is or was married, no child on record says little.
      and (c.cause = 'child' or v.person_id is null or s.children_found > 0)
      -- A minor of whose parents nothing is known has parents somewhere. With an adult beside him nothing is said; of one alone it is said why he is left out.
      and (c.cause <> 'child' or s.parents_found > 0
           or not exists (select 1 from living o where o.household_id = c.household_id and coalesce(o.age >= 18, true)))
),
means as (
    select a.person_id, m.means_zh,
           coalesce(cast(m.until_month as date), date_trunc('month', $as_of) - interval 1 month) as until_month
    from alone a
    join member_means m on m.person_id = a.person_id and m.household_id = a.household_id
    where m.means_zh is not null
),
money as (
    -- What certainly counts: the central basic pension, old-age allowance and the like are not income of a tekun person.
    select m.person_id, m.means_zh, m.until_month,
           -- Where the central part is not told, the whole pension is the most that can count.
           sum(case when i.gap = 'unsplit' then i.gross when i.kind = 'transfer' then i.amount_low else i.amount end) as income,
           coalesce(bool_or(i.gap is not null and i.gap <> 'unsplit'), false) as is_unreadable,
           count(distinct i.month) filter (where i.kind = 'wage' or i.source_zh in ('居民养老', '职工养老')) as months_there,
           min(i.month) filter (where i.kind = 'wage' or i.source_zh in ('居民养老', '职工养老'))            as first_month
    from means m
    left join member_income i on i.person_id = m.person_id
     and i.month > m.until_month - interval 12 month and i.month <= m.until_month
    group by m.person_id, m.means_zh, m.until_month
),
counted as (
    -- Somebody whose pension began within the year is judged by the months since; a month without a row is a month nobody knows.
    select *, case when means_zh in ('领取养老金', '有完税工资') then date_diff('month', first_month, until_month) + 1 else 12 end as months
    from money
    where not is_unreadable
),
standard as (
    select county_code, urban_rural, amount, period, source from dibao_standard
    where $as_of between valid_from and valid_to and period in ('month', 'year')
),
below as (
    select a.*, c.means_zh, c.until_month, coalesce(c.income, 0) as income, c.months, s.amount as standard_amount, s.period as standard_period, s.source as standard_source
    from alone a
    join counted c on c.person_id = a.person_id
    join standard s on s.county_code = a.county_code and s.urban_rural = a.urban_rural
    where (c.months_there = 0 or c.months_there >= date_diff('month', c.first_month, c.until_month) + 1 or c.means_zh not in ('领取养老金', '有完税工资'))
      and case s.period when 'month' then coalesce(c.income, 0) < s.amount * c.months
                        else coalesce(c.income, 0) * 12 < s.amount * c.months end
)
select b.household_id, b.person_id, b.cause || ':tekun' as cause_key, b.cause, b.age, b.kin_found, b.kin_dead, b.kin_unable,
       cast(b.income as decimal(18, 2)) as income, b.months, b.standard_amount, b.standard_period, b.standard_source, b.age_source,
       case when b.kin_found = 0 then '登记中没有查到配偶、父母和子女'
            else '登记中查到配偶、父母、子女共' || b.kin_found || '人，'
                 || concat_ws('，', case when b.kin_dead > 0 then '已去世' || b.kin_dead || '人' end,
                                   case when b.kin_unable > 0 then '视为无履行义务能力' || b.kin_unable || '人（' || b.why_zh || '）' end,
                                   case when b.kin_minor > 0 then '未成年' || b.kin_minor || '人' end)
                 || case when b.cause = 'child' and b.parents_found = 1 then '，父母中另一方没有记录' else '' end end as kin_zh,
       case when b.income > 0 then '到' || strftime(b.until_month, '%Y年%-m月') || '为止的' || b.months || '个月计入的收入共'
                                   || yuan_zh(b.income) || '（' || b.means_zh || '）'
            else b.means_zh || '，没有计入的收入' end as income_zh,
       case b.standard_period when 'month' then '每人每月' else '每人每年' end || yuan_zh(b.standard_amount) as standard_zh,
       case when b.age < b.no_labour_below then '，视为无劳动能力' else '，已满' || b.no_labour_below || '周岁，劳动能力需要评估' end as labour_zh,
       case b.dis_type when '1' then '视力' when '4' then '肢体' when '5' then '智力' when '6' then '' end as type_zh,
       case b.dis_grade when '1' then '一级' when '2' then '二级' else '三级' end as grade_zh,
       coalesce('看不到的部分：' || coalesce(p.unknown_zh, '金融资产没有查询') || '。', '') as missing_zh,
       case when b.cause = 'child' and b.parents_found = 0
                 then '本县记录中没有该未成年人父母的任何登记（可能登记在外地），父母是否健在、能否抚养不明' end as not_raised_zh
from below b
left join property_by_category p on p.household_id = b.household_id and p.category = '2'
where coalesce(p.is_blocked, false) = false
  -- Not in prison or compulsory rehabilitation, not a child with orphan money, not refused lately.
  and not exists (
      select 1 from custody c
      where c.person_id = b.person_id and c.custody_type in ('1', '2', '3', '4') and c.status = '1'
        and c.start_date <= $as_of and (c.end_date is null or c.end_date >= $as_of)
  )
  and not exists (
      select 1 from welfare_subsidy s
      join warning_window w on w.county_code = b.county_code and w."window" = 'duplicate_subsidy' and $as_of between w.valid_from and w.valid_to
      where coalesce(s.person_id, s.possible_person_id) = b.person_id and s.subsidy_type in ('4', '5') and s.status = '1'
        and s.pay_month <= $as_of and date_diff('month', s.pay_month, $as_of) <= w.length
  )
  and not exists (
      select 1 from assistance_application q
      join warning_window w on w.county_code = b.county_code and w."window" = 'refused_recently' and $as_of between w.valid_from and w.valid_to
      where coalesce(q.person_id, q.possible_person_id) = b.person_id and q.category in ('1', '2') and (q.decision is null or q.decision in ('1', '2'))
        and coalesce(q.decision_date, q.accept_date) > $as_of - to_months(cast(w.length as integer))
  )
