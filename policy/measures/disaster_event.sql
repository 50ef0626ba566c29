/*---
id: disaster_event
version: 1
title: {zh: 受灾事件, en: Disasters that struck a household}
grain: one row a household and disaster
unit: yuan of direct loss; rooms
period: disasters of the 24 months up to the business date
source: 应急管理部门受灾人员与倒损住房台账；损失在各救助项目、各轮登记中重复，取最大一次，不相加
columns:
  household_id: household of the head, or of the nearest kin when the head has died
  county_code: county of that household
  person_id: head as registered
  event_on: first day on which the disaster is dated
  event_zh: name of the disaster as registered
  rooms_collapsed: rooms collapsed, the most that one row says
  rooms_severe: rooms severely damaged, the most that one row says
  loss: direct loss in yuan, the most that one row says
  relief: relief paid so far in yuan, each item once
  least_grade: least certain grade of the links
needs:
  disaster_loss: {max_age_days: 3650, all: [em_disaster_relief]}
parameters: [warning_window]
published: false
known_gaps:
  zh: 户主证件号常缺，未能对应到人的看不到；没有发生日期的登记不计。
  en: The id of the head is often missing, and rows linked to nobody are not seen, nor are rows without the day of the disaster.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
---*/
with listed as (
    select n.household_id, n.county_code, d.person_id, d.event_name, d.event_date, d.rooms_collapsed, d.rooms_severe, d.loss,
           d.relief_item, d.amount, d.pay_date, d.link_grade, w.length as same_days
    from disaster_loss d
    join nearest_household n on n.person_id = d.person_id
    join warning_window w on w.county_code = n.county_code and w."window" = 'same_disaster'
     and $as_of between w.valid_from and w.valid_to
    where d.event_date <= $as_of and d.event_date > $as_of - interval 24 month
),
named as (
    -- One name is one disaster, whatever day a round of it was dated.
    select *, min(event_date) over (partition by household_id, coalesce(event_name, event_date::varchar)) as first_on,
           max(event_date) over (partition by household_id, coalesce(event_name, event_date::varchar))    as last_on
    from listed
),
parted as (
    -- The same house in two rounds is one disaster: what begins within so many days of the one before belongs to it.
    select *, case when date_diff('day',
                        max(last_on) over (partition by household_id order by first_on, coalesce(event_name, '')
                                           rows between unbounded preceding and 1 preceding),
                        first_on) <= same_days then 0 else 1 end as begins
    from named
),
numbered as (
    select *, sum(begins) over (partition by household_id order by first_on, coalesce(event_name, '')
                                rows between unbounded preceding and current row) as number
    from parted
),
item as (
    select household_id, number, relief_item, max(amount) as amount
    from numbered
    where pay_date <= $as_of and amount > 0
    group by all
)
select n.household_id, any_value(n.county_code) as county_code, min(n.person_id) as person_id,
       min(n.event_date)                  as event_on,
       arg_min(n.event_name, (n.event_date, coalesce(n.event_name, ''))) as event_zh,
       max(n.rooms_collapsed)             as rooms_collapsed,
       max(n.rooms_severe)                as rooms_severe,
       max(n.loss)                        as loss,
       (select sum(i.amount) from item i where i.household_id = n.household_id and i.number = n.number) as relief,
       max(n.link_grade)                  as least_grade
from numbered n
group by n.household_id, n.number
