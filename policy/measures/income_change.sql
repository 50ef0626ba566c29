/*---
id: income_change
version: 4
title: {zh: 家庭近月与此前收入, en: Income of the last months against the months before}
grain: one row a household whose recorded income of the last months is known and may have dropped
unit: yuan in the months told; recorded wages after the least job cost, pensions that count, unemployment benefit
period: the last months (income_plunge.recent_months, 3) that end with the slowest source of the household, and the months before (12)
source: 国办发〔2023〕39号（关注就业、收入变化）；月数为当地参数
columns:
  household_id: household
  county_code: county
  urban_rural: 1 town, 2 village, 9 unknown
  members: living members
  recent_from: first of the last months
  until_month: the last month
  recent_months: how many the last months are
  recent_sum: recorded income of the last months, all of them known
  before_sum: recorded income of the known months before
  before_known: known months before
  before_median: the middle one of these months; a month of back pay or a bonus does not move it
  same_sum: recorded income of the same months a year earlier; null when one of them is not known
  unknown_members: members of whom nothing is on record
  change_zh: what changed, by person and source
  classes: classes of information behind it, ids by commas
uses:
  jobless_registration: {max_age_days: 45, all: [hr_jobless_register]}
  unemployment_benefit: {max_age_days: 45, all: [hr_unemployment_benefit]}
  insurance_contribution: {max_age_days: 45, all: [hr_insurance_contribution]}
  employment: {max_age_days: 45, all: [hr_employment_record]}
parameters: [income_plunge]
published: false
known_gaps:
  zh: >-
    没有记录的月份不当作零：只有登记失业、领取失业保险金、单位停缴社保、就业登记终止能说明工资停了；养老金暂停发放（未做资格认证）的月份不明。
    经营、务农和现金收入不在其中。
  en: >-
    A month without a record is not zero: only a registration as jobless, a benefit, contributions that stopped or an employment
    that ended say that wages stopped; months of a pension held back for a life certificate are not known. Business, farming and
    cash are not in it.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-22, what: "the words count known months without income as the sums do"}
  - {version: 3, since: 2026-11-22, what: "who cannot have dropped is left out by amounts to the cent, the same in every run"}
  - {version: 4, since: 2026-11-23, what: "the same rows: months are compared before they are kept, contributions read of those asked for"}
---*/
with flow as not materialized (
    select i.person_id, i.month,
           case when i.kind = 'wage' then 'wage' when i.source_zh = '职工养老' then 'employee' when i.source_zh = '居民养老' then 'resident'
                else 'benefit' end as stream,
           i.amount
    from member_income i
    where i.kind = 'wage' or i.source_zh in ('职工养老', '居民养老', '失业保险')
),
running as (
    select m.household_id, m.person_id, r.stream
    from (select distinct person_id, stream from flow) r
    join member_means m on m.person_id = r.person_id
),
horizon as (
    -- No later than the slowest source: one that is a month behind makes nobody poorer. Benefits end; they do not hold others up.
    select f.household_id, min(h.to_month) as until_month
    from running f
    join income_history h on h.stream = f.stream
    where f.stream <> 'benefit'
    group by f.household_id
    having date_diff('month', min(h.to_month), $as_of) <= 3
),
framed as (
    select h.household_id, o.county_code, o.urban_rural, h.until_month, p.recent_months, p.before_months, p.min_known_months
    from horizon h
    join household o on o.household_id = h.household_id
    join income_plunge p on p.county_code = o.county_code and $as_of between p.valid_from and p.valid_to
),
asked as (
    select r.household_id, r.person_id, r.stream, d.until_month, d.recent_months, d.before_months
    from running r
    join framed d on d.household_id = r.household_id
),
rough as (
    -- Whoever cannot have dropped, however the missing months are read, is left out before the months are laid out.
    select household_id
    from (
        select a.household_id, a.person_id, a.stream, a.recent_months,
               coalesce(sum(f.amount) filter (where date_diff('month', f.month, a.until_month) between 0 and a.recent_months - 1), 0) as recent_sum,
               avg(f.amount) filter (where date_diff('month', f.month, a.until_month)
                                           between a.recent_months and a.recent_months + a.before_months - 1) as before_mean
        from asked a
        join flow f on f.person_id = a.person_id and f.stream = a.stream
        group by a.household_id, a.person_id, a.stream, a.recent_months
    )
    group by household_id
    -- To the cent: the last digits of a mean are not the same in every run.
    having round(sum(recent_sum), 2) < round(max(recent_months) * sum(before_mean), 2)
),
placed as (
    select a.household_id, a.person_id, a.stream, f.amount, date_diff('month', f.month, a.until_month) as back,
           a.recent_months, a.before_months
    from asked a
    join flow f on f.person_id = a.person_id and f.stream = a.stream
    where a.household_id in (select household_id from rough)
),
stream as (
    select p.household_id, p.person_id, p.stream, max(p.back) as first_back
    from placed p
    where p.back >= 0
    group by p.household_id, p.person_id, p.stream
),
laid as (
    select s.*, d.until_month, d.recent_months, d.before_months, h.from_month, h.to_month,
           unnest(range(0, d.recent_months + d.before_months)) as back
    from stream s
    join framed d on d.household_id = s.household_id
    join income_history h on h.stream = s.stream
),
dated as (
    select *, cast(until_month - to_months(cast(back as integer)) as date) as month from laid
),
insured as (
    select person_id, min(pay_month) as first_month, max(pay_month) as last_month
    from insurance_contribution
    where payer_type = '1' and status in ('1', '2') and pay_month <= $as_of
      and person_id in (select person_id from stream)
    group by person_id
),
insured_to as (
    select max(pay_month) as last_month from insurance_contribution where pay_month <= $as_of
),
ended as (
    select person_id, max(end_date) as end_date, bool_or(end_date is null) as is_open
    from employment
    where start_date <= $as_of
    group by person_id
),
state as (
    select d.*, p.household_id is not null as has_row, p.amount,
           case when p.household_id is not null then p.amount is not null
                -- Before the first record: no income of this kind, as far back as the data reach; a benefit follows work.
                when d.back > d.first_back then d.stream = 'benefit' or d.month >= d.from_month
                when d.stream = 'benefit' then d.month <= d.to_month
                when d.stream = 'wage' then
                     exists (select 1 from jobless_registration j
                              where j.person_id = d.person_id and j.reg_date <= last_day(d.month)
                                and (j.cancel_date is null or j.cancel_date > d.month))
                  or exists (select 1 from unemployment_benefit u where u.person_id = d.person_id and u.month = d.month)
                  or coalesce(i.last_month < d.month and i.first_month < d.month and t.last_month >= d.month, false)
                  or coalesce(e.end_date < d.month and not e.is_open, false)
                else false end as is_known
    from dated d
    left join placed p on p.household_id = d.household_id and p.person_id = d.person_id and p.stream = d.stream and p.back = d.back
    left join insured i on i.person_id = d.person_id
    left join ended e on e.person_id = d.person_id
    cross join insured_to t
),
monthly as (
    select household_id, back, any_value(recent_months) as recent_months, any_value(before_months) as before_months,
           any_value(until_month) as until_month,
           case when bool_and(is_known) then coalesce(sum(amount), 0) end as amount
    from state
    group by household_id, back
),
summed as (
    select household_id, any_value(recent_months) as recent_months, any_value(until_month) as until_month,
           sum(amount) filter (where back < recent_months)           as recent_sum,
           count(amount) filter (where back < recent_months)         as recent_known,
           sum(amount) filter (where back >= recent_months)          as before_sum,
           count(amount) filter (where back >= recent_months)        as before_known,
           median(amount) filter (where back >= recent_months)       as before_median,
           sum(amount) filter (where back >= 12 and back < 12 + recent_months)   as same_sum,
           count(amount) filter (where back >= 12 and back < 12 + recent_months) as same_known
    from monthly
    group by household_id
),
part as (
    select household_id, person_id, stream,
           coalesce(sum(amount) filter (where back < recent_months), 0) / max(recent_months)  as recent_mean,
           coalesce(avg(coalesce(amount, 0)) filter (where back >= recent_months and is_known), 0) as before_mean
    from state
    group by household_id, person_id, stream
),
words as (
    -- Sorted lists, which are much cheaper than ordered and distinct string_agg: the deepest fall first.
    select household_id,
           array_to_string(list_transform(list_sort(
               list(struct_pack(rise := recent_mean - before_mean, stream := stream, person := person_id,
                                zh := case stream when 'wage' then '工资' when 'employee' then '职工养老金' when 'resident' then '居民养老金' else '失业保险金' end
                                      || '由每月' || cast(round(before_mean) as bigint) || '元变为' || cast(round(recent_mean) as bigint) || '元'))
                   filter (where round(before_mean) <> round(recent_mean))), lambda word: word.zh), '、') as change_zh,
           array_to_string(list_sort(list(distinct case stream when 'wage' then 'tx_iit_withholding' when 'employee' then 'hr_employee_pension'
                                                               when 'resident' then 'hr_resident_pension' else 'hr_unemployment_benefit' end)), ',') as classes
    from part
    group by household_id
),
head as (
    select m.household_id, count(*) as members,
           count(*) filter (where m.person_id is null
                            or (x.means_zh is null and not exists (select 1 from stream s where s.household_id = m.household_id and s.person_id = m.person_id))) as unknown_members
    from household_member m
    left join member_means x on x.household_id = m.household_id and x.person_id = m.person_id
    where m.household_id in (select household_id from rough)
      and not exists (select 1 from known_death k where k.person_id = m.person_id)
    group by m.household_id
)
select s.household_id, d.county_code, d.urban_rural, cast(h.members as integer) as members,
       cast(s.until_month - to_months(cast(s.recent_months as integer) - 1) as date) as recent_from,
       cast(s.until_month as date) as until_month, cast(s.recent_months as integer) as recent_months,
       cast(s.recent_sum as decimal(18, 2)) as recent_sum,
       cast(s.before_sum as decimal(18, 2)) as before_sum,
       cast(s.before_known as integer) as before_known,
       cast(round(s.before_median, 2) as decimal(18, 2)) as before_median,
       cast(case when s.same_known = s.recent_months then s.same_sum end as decimal(18, 2)) as same_sum,
       cast(h.unknown_members as integer) as unknown_members,
       w.change_zh, w.classes
from summed s
join framed d on d.household_id = s.household_id
join words w on w.household_id = s.household_id
join head h on h.household_id = s.household_id
where s.recent_known = s.recent_months and s.before_known >= d.min_known_months
