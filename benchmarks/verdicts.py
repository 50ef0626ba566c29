"""Is a warning right? Held against what the sample county truly is, for every warning and not only for planted situations.

The ruler is the invented world itself (`sample_data.life`): its people, households and events before departments wrote them
down, damaged, delayed or lost them. Each rule has its trigger here once more, as the fact sheet words it and by nothing of
`policy/`; a verdict is `right`, the reason why it is wrong, or null where the world does not say (cash income, a figure so
close to a limit that a way of counting decides, an event whose kin the world does not keep). What departments have been told
by the night counts: an event that nobody has recorded yet is no reason to call a warning wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import polars as pl

from sample_data import life, population
from sample_data.welfare import STANDARD

WRONG_SHOWN = 60

TABLES = """
create macro months_ago(n) as cast(today() - to_months(n) as date);
create macro this_month() as cast(date_trunc('month', today()) as date);
create macro is_severe(kind, grade) as grade in ('1', '2') or (grade = '3' and kind in ('5', '6'));

-- The dead of whom some department has been told; a death that nobody has recorded yet is nobody's mistake.
create table told_dead as
select person from ps_death union select person from ca_cremation union select person from hl_birth_death_cert where cert_type = '2';
create table human as
select p.true_person_id as person, p.birth_date, p.death_date, date_sub('year', p.birth_date, today()) as age,
       p.urban_rural, p.is_registered, p.is_outsider, not (coalesce(p.death_date <= today(), false) and exists (select 1 from told_dead d where d.person = p.true_person_id)) as alive,
       coalesce(s.true_household_id, p.true_household_id) as home
from persons p
left join (select true_person_id, any_value(true_household_id) as true_household_id from households
           where "from" <= today() and ("to" is null or "to" > today()) group by all) s using (true_person_id);

create table in_case as
select m.person, h.case_no, h.category, h.status, h.start_month, m.is_covered, m.labour_ability, m.occupation_status,
       coalesce(m.declared_income, 0) as declared, h.urban_rural
from ca_assist_household h join ca_assist_member m using (case_no)
where h.status in ('1', '2') and h.start_month <= today() and coalesce(h.end_month > this_month(), true)
  and coalesce(m.join_month <= today(), true) and coalesce(m.leave_month > this_month(), true);

-- Who is meant: the household where the person of the warning truly lives, or most of those whom the warning names.
create table home_of as
select w.n, coalesce(h.home, c.home) as home
from warned w
left join human h on h.person = w.person
left join (select n, mode(home order by home) as home from circle join human using (person) where alive group by n) c on c.n = w.n;
create table inside as
select distinct person from ps_custody
where custody_type in ('1', '2', '3', '4') and start_date <= today() and coalesce(end_date >= today(), true) and status = '1';
create table own as
select o.n, h.person, h.age, h.urban_rural from home_of o join human h on h.home = o.home
where h.alive and not h.is_outsider and not exists (select 1 from inside i where i.person = h.person);
create table their_case as
select w.n, c.case_no from warned w join (select distinct case_no from in_case) c on c.case_no = w.case_no
union select o.n, c.case_no from own o join in_case c using (person) join warned w using (n) where w.case_no is null
union select w.n, c.case_no from warned w join in_case c using (person) where w.case_no is null;
create table listed as select t.n, c.* from their_case t join in_case c using (case_no);
create table family as
select distinct n, person from (select n, person from own union all select n, person from listed) join human using (person) where alive;

-- Houses and relief stand in the name of the head, who may be dead.
create table roof as
select o.n, h.person from home_of o join human h on h.home = o.home
union select n, person from family union select n, person from circle;

create table severe as
select person, min(issue_date) filter (where coalesce(gone_on > today(), true)) as issue_date, min(issue_date) as ever,
       max(issue_date) filter (where coalesce(gone_on > today(), true) and status = '1') as newest, max(known_on) as known_on,
       bool_or(status = '1' and coalesce(valid_to >= today(), true) and coalesce(gone_on > today(), true)) as holds
from all_dp_disability_cert where is_severe(dis_type, dis_grade) group by person;
create table ill as
select person, disease, diag_date as since, known_on, coalesce(manage_status, '1') as state from hl_serious_disease;
create table listed_code as
select person, disease, min(settle_date) as since, min(known_on) as known_on
from (select m.person, m.settle_date, m.known_on, d.disease from mi_settlement m
      join diagnosis d on starts_with(replace(m.diag_icd10, '.', ''), d.prefix)
      where not m.refund_flag qualify row_number() over (partition by m.world_row order by length(d.prefix) desc) = 1) group by all;

-- Money by month: what is recorded of people who are paid, pensions without the central part, and what a business leaves.
create table money as
select person, period as month, income - coalesce(si_deduction, 0) - coalesce(tax_withheld, 0) as amount, 'wage' as kind from tx_iit_withholding
union all select person, pay_month, amount, 'pension' from hr_employee_pension where status = '1'
union all select person, pay_month, coalesce(base_local, 0) + coalesce(account_part, 0) + coalesce(other_part, 0), 'pension'
          from hr_resident_pension where status = '1'
union all select person, pay_month, amount, 'benefit' from hr_unemployment_benefit
union all select owner_person, period_from, greatest(coalesce(taxable_income, 0) - coalesce(tax_paid, 0), 0), 'business' from tx_business_income
          where tax_status is distinct from '0'
union all select payee_person, date_trunc('month', pay_date), amount, 'farm' from ag_subsidy_land where amount > 0;
create table year_of as
select person, sum(amount) filter (where kind <> 'farm') as total, sum(amount) filter (where kind = 'wage') as wage, sum(amount) filter (where kind = 'pension') as pension,
       sum(amount) filter (where kind in ('business', 'farm')) as business
from money where month >= this_month() - interval 13 month and month < this_month() - interval 1 month group by person;
create table studying as select distinct person, stage from ed_enrolment where status = '1';
create table known_means as
select h.person from human h
where h.age < 16 or exists (select 1 from money m where m.person = h.person and m.month >= months_ago(8))
   or exists (select 1 from studying s where s.person = h.person)
   or exists (select 1 from hr_jobless_register j where j.person = h.person and coalesce(j.cancel_date > today(), true));
create table purse as
select o.n, count(*) as members, count(k.person) as known, coalesce(sum(y.total), 0) as total,
       sum(case o.urban_rural when '1' then (select urban from standard) else (select rural from standard) end) * 12 as line,
       mode(o.urban_rural order by o.urban_rural) as urban_rural
from own o left join known_means k using (person) left join year_of y using (person) group by o.n;
create table wealth as
select f.n, (select count(*) from ps_vehicle v join family x on x.person = v.owner_person where x.n = f.n and v.vehicle_type[1] in ('K', 'H', 'Q') and v.status = 'A') as cars,
       (select count(distinct unit_no) from re_ownership r join family x on x.person = r.holder_person where x.n = f.n and r.use = '10' and r.status in ('1', '3')) as dwellings,
       (select count(*) > 0 from re_ownership r join family x on x.person = r.holder_person where x.n = f.n and r.use = '10' and r.status in ('1', '3') and r.obtained_by = '3') as relocated,
       (select count(distinct unit_no) from re_ownership r join family x on x.person = r.holder_person where x.n = f.n and r.use not in ('10', '50') and r.status in ('1', '3')) as others,
       (select count(*) from hc_presale_contract r join family x on x.person = r.buyer_person where x.n = f.n and r.status = '1') as contracts,
       (select count(*) from am_entity_role r join family x on x.person = r.person
         where x.n = f.n and r.status = '1' and (r.role in ('1', '4') or (r.role = '2' and r.entity_type <> '3'))) as entities
from (select distinct n from family) f;
-- The parents, children and partners whom the world knows, whether or not a department ever wrote them down.
create table kin as
select true_person_id as person, father as other, 'parent' as kind from first_people where father is not null
union select true_person_id, mother, 'parent' from first_people where mother is not null
union select person, father_person, 'parent' from hl_birth_death_cert where cert_type = '1' and father_person is not null
union select person, mother_person, 'parent' from hl_birth_death_cert where cert_type = '1' and mother_person is not null
union select true_person_id, spouse, 'spouse' from first_people where spouse is not null;
insert into kin select other, person, 'child' from kin where kind = 'parent';
create table supports as
-- Grown, under seventy, free, not severely disabled and not on dibao themselves.
select k.person, k.other, k.kind from kin k join human h on h.person = k.other
where h.alive and h.age between 18 and 69
  and not exists (select 1 from severe s where s.person = k.other and s.holds) and not exists (select 1 from inside i where i.person = k.other)
  and not exists (select 1 from in_case c where c.person = k.other and c.category in ('1', '2') and c.is_covered)
  and not (k.kind = 'spouse' and exists (select 1 from ca_marriage m where m.reg_type in ('2', '3')
           and least(m.male_person, m.female_person) = least(k.person, k.other) and greatest(m.male_person, m.female_person) = greatest(k.person, k.other)));
-- What happened to somebody: the kinds of N01 to N09 that the world dates.
create table happened as
select person, issue_date as on_day, 'N02' as kind from all_dp_disability_cert where is_severe(dis_type, dis_grade)
union all select person, since, 'N03' from ill union all select person, since, 'N03' from listed_code
union all select person, status_date, 'N04' from ed_enrolment where status in ('2', '3')
union all select person, max(pay_month) + interval 1 month, 'N05' from hr_insurance_contribution where payer_type = '1' group by person
union all select person, reg_date, 'N05' from hr_jobless_register
union all select person, pay_month + interval 1 month, 'N05' from hr_unemployment_benefit where used_months >= approved_months
union all select head_person, event_date, 'N07' from em_disaster_relief
union all select person, occur_date, 'N08' from em_accident_casualty where outcome in ('1', '2')
union all select person, death_date, 'N09' from human where death_date <= today()
union all select person, start_date, 'N09' from ps_custody
union all select person, settle_date, 'N01' from mi_settlement where self_pay > 0;
create table selfpay as
select person, sum(case when refund_flag then -abs(self_pay) else self_pay end) as amount from mi_settlement
where settle_date > months_ago(12) and settle_date <= today() group by person;
create table paid_lately as
select person, subsidy_type from ca_welfare_subsidy where status = '1' and pay_month >= this_month() - interval 2 month group by all;
create table pensioned as
select distinct person from (
    select person, pay_month, status from hr_employee_pension qualify row_number() over (partition by person order by pay_month desc, status desc) = 1
    union all select person, pay_month, status from hr_resident_pension qualify row_number() over (partition by person order by pay_month desc, status desc) = 1)
where status = '1' and pay_month >= this_month() - interval 3 month;
create table contributed as
select person, max(pay_month) filter (where payer_type = '1') as last_employer, max(pay_month) as last_any from hr_insurance_contribution
where status = '1' group by person;
"""

DEAD = "not (select alive from human h where h.person = w.person)"
COVERED = (
    "exists (select 1 from in_case c where c.person = w.person and c.category in ('1', '2') and c.is_covered)"
)
NEW = "(({day}) >= today() - interval 90 day or ({known}) > first_night())"


def _over(kind: str) -> str:
    """A case whose declared income is replaced by what is recorded of one kind: over, under, or too close to the line."""
    return f"""
    (select case when sum(greatest(c.declared * 12, coalesce(y.{kind}, 0))) > 1.15 * max(l.line) then 'right'
                 when sum(greatest(c.declared * 12, coalesce(y.total, 0))) < 0.75 * max(l.line) then 'recorded income under the line' end
     from listed c left join year_of y using (person)
     join (select n, case_no, count(*) * 12 * max(case listed.urban_rural when '1' then (select urban from standard) else (select rural from standard) end)
                  * max(case category when '3' then 1.5 else 1 end) as line from listed join human using (person) where alive group by all) l
       on l.n = c.n and l.case_no = c.case_no
     where c.n = w.n and c.category in ('1', '2', '3') and exists (select 1 from human h where h.person = c.person and h.alive))"""


RULES: dict[str, str] = {
    "N01": f"""case when {DEAD} then 'dead'
        when (select amount from selfpay s where s.person = w.person) >
             coalesce((select min(case category when '2' then 1000 when '1' then 5000 else 10000 end) from in_case c
                        where c.person = w.person and (c.is_covered or c.category in ('3', '4', '5'))),
                      (select 10000 from ag_poverty_monitor m where m.person = w.person and not m.risk_removed limit 1), 15000) then 'right'
        else 'own pay under the limit' end""",
    "N02": f"""case when {DEAD} then 'dead' when {COVERED} then 'covered'
        when not coalesce((select holds from severe s where s.person = w.person), false) then 'no severe certificate in force'
        when exists (select 1 from severe s where s.person = w.person and s.ever < s.newest) then 'had a severe certificate before'
        when exists (select 1 from severe s where s.person = w.person and {NEW.format(day="s.newest", known="s.known_on")}) then 'right'
        else 'certificate is not new' end""",
    "N03": f"""case when {DEAD} then 'dead' when {COVERED} then 'covered'
        when exists (select 1 from ill i where i.person = w.person and i.state not in ('2', '3') and {NEW.format(day="i.since", known="i.known_on")}) then 'right'
        when exists (select 1 from listed_code c where c.person = w.person and {NEW.format(day="c.since", known="c.known_on")}) then 'right'
        when exists (select 1 from ill i where i.person = w.person) or exists (select 1 from listed_code c where c.person = w.person) then 'disease is not new'
        else 'no serious disease' end""",
    "N04": """case when w.person is null then
          case when (select count(distinct s.person) from own o join studying s using (person) where o.n = w.n and s.stage in ('0', '3', '4', '5')) < 2 then 'fewer than two at school'
               when exists (select 1 from own o join ed_student_aid a using (person) where o.n = w.n and a.pay_date > months_ago(12)) then 'has student aid'
               when exists (select 1 from listed l where l.n = w.n) or exists (select 1 from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed) then 'right'
               else 'not in the pool' end
        when (select age not between 6 and 15 from human h where h.person = w.person) then 'not of school age'
        when exists (select 1 from studying s where s.person = w.person) then 'goes to school'
        when exists (select 1 from ed_enrolment e where e.person = w.person and e.status in ('2', '3')) then 'right'
        else 'nothing interrupted' end""",
    "N05": f"""case when {DEAD} then 'dead' when (select age not between 16 and 60 from human h where h.person = w.person) then 'not of working age'
        when exists (select 1 from studying s where s.person = w.person) then 'student'
        when exists (select 1 from pensioned s where s.person = w.person) then 'draws a pension'
        when exists (select 1 from contributed c where c.person = w.person and c.last_employer >= this_month() - interval 2 month) then 'employer pays contributions'
        when exists (select 1 from tx_iit_withholding c where c.person = w.person and c.period >= this_month() - interval 2 month and c.income_item = '0101') then 'has wages'
        when exists (select 1 from hr_fiscal_payroll c where c.person = w.person and c.pay_month >= this_month() - interval 1 month) then 'on the payroll'
        when exists (select 1 from hr_employment_record c where c.person = w.person and coalesce(c.end_date > today(), true)
                      and c.start_date > coalesce((select last_employer + interval 1 month from contributed d where d.person = w.person), date '1900-01-01')
                      and not exists (select 1 from hr_jobless_register j where j.person = w.person and j.reg_date > c.start_date)) then 'has a new job'
        when exists (select 1 from contributed c where c.person = w.person and c.last_employer >= this_month() - interval 16 month)
          or exists (select 1 from hr_unemployment_benefit b where b.person = w.person and b.used_months >= b.approved_months)
          or exists (select 1 from hr_jobless_register j where j.person = w.person and coalesce(j.cancel_date > today(), true) and j.reg_date < months_ago(6)) then 'right'
        else 'lost no job' end""",
    "N06": """(select case when max(before) = 0 then 'no income before' when min(recent * 4 - 0.52 * before) <= 0 then 'right'
                      when min(recent * 4 - 0.6 * before) <= 0 then null else 'income did not fall by half' end
          from (select f.ends, coalesce(sum(amount) filter (where month > f.ends - interval 3 month and month <= f.ends), 0) as recent,
                       coalesce(sum(amount) filter (where month > f.ends - interval 15 month and month <= f.ends - interval 3 month), 0) as before
                from own o join money m using (person)
                cross join (select unnest([this_month() - interval 1 month, this_month() - interval 2 month]) as ends) f
                where o.n = w.n and m.kind not in ('business', 'farm') group by f.ends))""",
    "N07": f"""(select case when count(*) = 0 then 'no disaster'
                 when not bool_or({NEW.format(day="e.event_date", known="e.known_on")}) then 'disaster is not new'
                 when sum(e.loss) > (select sum(line) from purse p where p.n = w.n) then 'right'
                 when sum(coalesce(rooms_collapsed, 0) + coalesce(rooms_severe, 0)) = 0 then 'no room lost and little else'
                 when (select dwellings + contracts >= 2 from wealth x where x.n = w.n) then 'has another dwelling'
                 else 'right' end
          from em_disaster_relief e join roof o on o.person = e.head_person where o.n = w.n)""",
    "N08": f"""(select case when count(*) = 0 then 'no casualty'
                 when not bool_or({NEW.format(day="e.occur_date", known="e.known_on")}) then 'accident is not new'
                 when bool_or(e.outcome = '2') and {DEAD} and not bool_or(e.outcome = '1') then 'dead'
                 when bool_or(e.outcome = '1') and not exists (select 1 from own o where o.n = w.n and o.person <> w.person) then 'nobody is left'
                 else 'right' end
          from em_accident_casualty e where e.person = w.person and e.outcome in ('1', '2'))""",
    "N09": """case when not exists (select 1 from human h where h.person = w.person and h.death_date > months_ago(13))
              and not exists (select 1 from inside i where i.person = w.person)
              and not exists (select 1 from em_accident_casualty e where e.person = w.person and e.outcome = '1') then 'alive and free'
        when not exists (select 1 from own o where o.n = w.n and o.person <> w.person) then 'nobody is left'
        when not exists (select 1 from own o where o.n = w.n and o.person <> w.person and o.age between 16 and 59
                          and not exists (select 1 from studying s where s.person = o.person) and not exists (select 1 from severe s where s.person = o.person and s.holds)
                          and not exists (select 1 from in_case c where c.person = o.person and c.labour_ability in ('3', '4', '5')))
          then case when (select date_sub('year', birth_date, coalesce(death_date, today())) between 16 and 59 from human h where h.person = w.person) then 'right' end
        else (select case when mine is null then 'others can work, and nothing was earned' when mine > 0.5 * everybody then 'right'
                          when mine < 0.45 * everybody then 'earned less than half' end
              from (select sum(m.amount) filter (where m.person = w.person) as mine, sum(m.amount) as everybody
                    from (select person from own o where o.n = w.n union select w.person) o join money m using (person)
                    join (select least(coalesce(max(h.death_date), today()), coalesce((select max(k.start_date) from ps_custody k where k.person = w.person), today())) as on_day
                          from human h where h.person = w.person) e on m.month < date_trunc('month', e.on_day) and m.month >= date_trunc('month', e.on_day) - interval 12 month)) end""",
    "N10": f"""case when {DEAD} then 'dead' when exists (select 1 from listed l where l.n = w.n) then 'in a case'
        when (select cars > 0 or dwellings > case when relocated then 2 else 1 end or others > 0 or entities > 0 from wealth x where x.n = w.n) then 'has property'
        when exists (select 1 from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed and m.per_capita_income is not null)
          then (select case when min(m.per_capita_income) < (select rural * 12 from standard) then 'right' else 'surveyed income over the line' end
                from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed)
        when (select total >= 1.15 * line from purse p where p.n = w.n) then 'recorded income over the line'
        when (select known < members from purse p where p.n = w.n) then null
        when (select total < line * 0.98 from purse p where p.n = w.n) then 'right' end""",
    "N11": """case when exists (select 1 from listed l where l.n = w.n and l.category in ('1', '2', '3')) then 'in a case'
        when (select cars > 0 or dwellings > case when relocated then 2 else 1 end or others > 0 or entities > 0 from wealth x where x.n = w.n) then 'has property'
        when exists (select 1 from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed and m.per_capita_income is not null)
          then (select case when min(m.per_capita_income) >= (select rural * 12 from standard) and min(m.per_capita_income) <= (select rural * 18 from standard) then 'right'
                            else 'surveyed income outside' end from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed)
        when (select total > 1.5 * 1.15 * line from purse p where p.n = w.n) then 'recorded income over the edge line'
        when (select known < members from purse p where p.n = w.n) then null
        when (select total < line * 0.85 from purse p where p.n = w.n) then 'recorded income under the standard'
        when (select total between line and line * 1.5 from purse p where p.n = w.n) then 'right' end""",
    "N12": """case when exists (select 1 from listed l where l.n = w.n and l.category <> '5') then 'in a case'
        when (select known < members from purse p where p.n = w.n) then null
        when (select total / members > 55000 from purse p where p.n = w.n) then 'income over the disposable income'
        else (select case when (m.spent + e.spent + r.spent) >= 0.85 * p.total then 'right' when (m.spent + e.spent + r.spent) < 0.6 * p.total then 'spending under the ratio' end
              from purse p,
                   (select coalesce(sum(case when refund_flag then -1 else 1 end * abs(self_pay)), 0) as spent from own o join mi_settlement s using (person)
                     where o.n = w.n and s.settle_date > months_ago(13)) m,
                   (select coalesce(sum(tuition), 0) * 2 as spent from own o join ed_enrolment s using (person) where o.n = w.n and s.status = '1') e,
                   (select coalesce(sum(self_pay), 0) as spent from own o join dp_rehab_service s using (person) where o.n = w.n and s.service_date > months_ago(13)) r
              where p.n = w.n) end""",
    "N13": f"""case when {DEAD} then 'dead' when {COVERED} then 'covered'
        when not exists (select 1 from in_case c where c.person = w.person and c.category = '3') then 'not in an edge family'
        when exists (select 1 from severe s where s.person = w.person and s.holds) or exists (select 1 from ill i where i.person = w.person and i.state not in ('2', '3')) then 'right'
        else 'neither severely disabled nor ill' end""",
    "N14": f"""case when {DEAD} then 'dead' when {COVERED} then 'covered'
        when (select age between 18 and 59 from human h where h.person = w.person) and not exists (select 1 from severe s where s.person = w.person and s.holds) then 'neither old, young nor disabled'
        when exists (select 1 from supports s where s.person = w.person and s.kind <> 'child') then 'has an able partner or parent'
        when exists (select 1 from supports s where s.person = w.person) then 'has an able child'
        when (select total from year_of y where y.person = w.person) > 1.15 * 12 * (select urban from standard) then 'income over the standard'
        else 'right' end""",
    "N15": """case when not exists (select 1 from own o join ag_poverty_monitor m using (person) where o.n = w.n and not m.risk_removed) then 'not monitored'
        when exists (select 1 from family f join ca_temp_relief t using (person) where f.n = w.n and t.grant_date > today() - interval 85 day) then 'had temporary relief'
        when exists (select 1 from family f join mi_medical_aid t using (person) where f.n = w.n and t.pay_date > today() - interval 85 day) then 'had medical aid'
        when exists (select 1 from own o join in_case c using (person) where o.n = w.n) then 'in a case'
        else 'right' end""",
    "N16": """case when exists (select 1 from own o join in_case c using (person) where o.n = w.n and c.category in ('1', '2') and c.is_covered) then 'covered again'
        when not exists (select 1 from own o join (
                 select m.person, coalesce(h.end_month, m.leave_month) as left_on from ca_assist_member m join ca_assist_household h using (case_no)
                 where h.category in ('1', '2') and (h.status = '4' or m.leave_month is not null)
                 union all select applicant_person, decision_date from ca_application where decision = '5' and category in ('1', '2')) e using (person)
             where o.n = w.n and e.left_on > months_ago(25)) then 'nobody left assistance'
        when exists (select 1 from (select person from own o where o.n = w.n union select h.person from home_of x join human h on h.home = x.home where x.n = w.n) o
             join happened e using (person), (select max(coalesce(h.end_month, m.leave_month)) as left_on from own o join ca_assist_member m using (person) join ca_assist_household h using (case_no)
                                   where o.n = w.n and h.category in ('1', '2')) l
             where e.on_day >= l.left_on - interval 1 month) then 'right'
        when w.cause_key like '%N06%' then null else 'nothing happened since' end""",
    "N17": """case when exists (select 1 from own o join in_case c using (person) where o.n = w.n and c.category in ('1', '2') and c.is_covered) then 'covered'
        when not exists (select 1 from own o join ca_application q on q.applicant_person = o.person or list_contains(q.member_persons, o.person)
                          where o.n = w.n and q.decision = '2') then 'nothing was refused'
        when exists (select 1 from (select person from own o where o.n = w.n union select h.person from home_of x join human h on h.home = x.home where x.n = w.n) o
             join happened e using (person), (select min(coalesce(q.decision_date, q.accept_date)) as refused_on from own o
                join ca_application q on q.applicant_person = o.person or list_contains(q.member_persons, o.person) where o.n = w.n and q.decision = '2') l
             where e.on_day >= l.refused_on) then 'right'
        when w.cause_key like '%N06%' then null else 'nothing happened since' end""",
    "N18": f"""case when {DEAD} then 'dead' when (select age >= 18 from human h where h.person = w.person) then 'grown up'
        when exists (select 1 from in_case c where c.person = w.person and c.category = '2') then 'tekun'
        when exists (select 1 from ca_welfare_subsidy s where s.person = w.person and s.subsidy_type in ('4', '5') and s.status = '1' and s.pay_month >= this_month() - interval 2 month) then 'has the subsidy'
        when exists (select 1 from kin k join human h on h.person = k.other where k.person = w.person and k.kind = 'parent' and h.alive
                      and not exists (select 1 from severe s where s.person = k.other and s.holds) and not exists (select 1 from inside i where i.person = k.other)) then 'a parent is there'
        when (select count(*) from kin k where k.person = w.person and k.kind = 'parent') < 2 then null else 'right' end""",
    "N19": """case when not exists (select 1 from roof o join hc_rural_house_safety s on s.head_person = o.person where o.n = w.n) then 'house not assessed'
        when (select arg_max(s.grade, s.assess_date) not in ('C', 'D') from roof o join hc_rural_house_safety s on s.head_person = o.person where o.n = w.n) then 'house is safe'
        when (select arg_max(s.renovation, s.assess_date) in ('2', '3') from roof o join hc_rural_house_safety s on s.head_person = o.person where o.n = w.n) then 'renovated'
        when (select dwellings + contracts >= 2 from wealth x where x.n = w.n) then 'has another dwelling'
        when (select not arg_max(s.only_dwelling, s.assess_date) from roof o join hc_rural_house_safety s on s.head_person = o.person where o.n = w.n) then 'not the only dwelling'
        else 'right' end""",
    "P01": f"""case when {DEAD} then 'dead' when not exists (select 1 from in_case c where c.person = w.person) then 'not in a case'
        when not exists (select 1 from mi_enrolment e where e.person = w.person and e.year = year(today()) and e.pay_status = '1') then 'right'
        when exists (select 1 from mi_enrolment e where e.person = w.person and e.year = year(today()) and e.pay_status = '1'
                      and (e.insu_type = '310' or e.aid_category in ('1', '2') or (e.aid_category <> '0' and exists (
                           select 1 from in_case c where c.person = w.person and c.category = '3')))) then 'enrolled with a subsidy or at work' else 'right' end""",
    "P02": f"""case when {DEAD} then 'dead' when not exists (select 1 from in_case c where c.person = w.person) then 'not in a case'
        when not exists (select 1 from studying s where s.person = w.person) then 'no student'
        when exists (select 1 from ed_student_aid a where a.person = w.person and a.pay_date > months_ago(9)) then 'has aid' else 'right' end""",
    "P03": f"""case when {DEAD} then 'dead'
        when w.cause_key like 'nursing%' then case when not exists (select 1 from severe s where s.person = w.person and s.holds) then 'not severely disabled'
             when exists (select 1 from paid_lately p where p.person = w.person and p.subsidy_type = '2') then 'has the nursing subsidy'
             when exists (select 1 from in_case c where c.person = w.person and c.category = '2') then 'tekun' else 'right' end
        when not exists (select 1 from dp_disability_cert s where s.person = w.person and s.status = '1') then 'not disabled'
        when exists (select 1 from paid_lately p where p.person = w.person and p.subsidy_type = '1') then 'has the living subsidy'
        when exists (select 1 from in_case c where c.person = w.person and c.category = '1' and c.is_covered) then 'right' else 'not on dibao' end""",
    "P04": """case when not exists (select 1 from in_case c where c.case_no = w.case_no and c.category in ('1', '2')) then 'no case in force'
        when exists (select 1 from ca_assist_payment p where p.case_no = w.case_no and p.pay_month = this_month() and p.pay_status = '1' and p.item in ('1', '3'))
         and not exists (select 1 from ca_assist_payment p where p.case_no = w.case_no and p.pay_month >= this_month() - interval 3 month and p.pay_status = '2') then 'was paid'
        else 'right' end""",
    "P05": """case when not exists (select 1 from listed l where l.n = w.n) then 'not in a case'
        when exists (select 1 from family f join hc_housing_aid a on a.applicant_person = f.person or list_contains(a.member_persons, f.person)
                      where f.n = w.n and a.start_date <= today() and coalesce(a.end_date >= today(), true)) then 'has housing aid'
        when exists (select 1 from family f join hc_housing_aid a on a.applicant_person = f.person or list_contains(a.member_persons, f.person) where f.n = w.n) then 'right'
        when not exists (select 1 from roof f join hc_rural_house_safety s on s.head_person = f.person where f.n = w.n) then 'house not assessed'
        when (select arg_max(s.grade, s.assess_date) not in ('C', 'D') from roof f join hc_rural_house_safety s on s.head_person = f.person where f.n = w.n) then 'house is safe'
        when (select arg_max(s.renovation, s.assess_date) in ('2', '3') from roof f join hc_rural_house_safety s on s.head_person = f.person where f.n = w.n) then 'renovated'
        else 'right' end""",
    "P06": f"""case when {DEAD} then 'dead' when not exists (select 1 from in_case c where c.person = w.person and c.category = '1') then 'not on dibao'
        when not exists (select 1 from hr_jobless_register j where j.person = w.person and coalesce(j.cancel_date > today(), true) and j.reg_date <= months_ago(3)) then 'not registered as jobless'
        when (select max(services_count) >= 1 from hr_jobless_register j where j.person = w.person and coalesce(j.cancel_date > today(), true)) then 'had a service' else 'right' end""",
    "P07": f"""case when {DEAD} then 'dead' when (select age < 60 from human h where h.person = w.person) then 'not yet sixty'
        when exists (select 1 from pensioned p where p.person = w.person) then 'draws a pension' else 'right' end""",
    "X01": """case when (select death_date is null from human h where h.person = w.person) then 'alive'
        when exists (select 1 from ca_assist_payment p join ca_assist_member m using (case_no) join human h on h.person = m.person
                      where m.person = w.person and m.is_covered and p.pay_status = '1' and p.pay_month > date_trunc('month', h.death_date) and coalesce(p.pay_month < m.leave_month, true)) then 'right'
        when exists (select 1 from ca_welfare_subsidy p join human h using (person) where p.person = w.person and p.status = '1' and p.pay_month > date_trunc('month', h.death_date)) then 'right'
        when exists (select 1 from hr_employee_pension p join human h using (person) where p.person = w.person and p.status = '1' and p.pay_month > date_trunc('month', h.death_date)) then 'right'
        when exists (select 1 from hr_resident_pension p join human h using (person) where p.person = w.person and p.status = '1' and p.pay_month > date_trunc('month', h.death_date)) then 'right'
        else 'nothing was paid after death' end""",
    "X02": """case when exists (select 1 from ps_custody k join ca_assist_member m using (person) join ca_assist_payment p using (case_no)
                      where k.person = w.person and k.custody_type in ('3', '4') and m.is_covered and p.pay_status = '1' and p.amount > 0
                        and k.start_date <= p.pay_month and coalesce(k.end_date >= last_day(p.pay_month), true) and coalesce(p.pay_month < m.leave_month, true)) then 'right'
        when exists (select 1 from ps_custody k where k.person = w.person) then 'not inside in a paid month' else 'never in custody' end""",
    "X03": f"""case when {DEAD} then 'dead' when not exists (select 1 from family f where f.n = w.n and f.person = w.person) then 'not of the family'
        when not exists (select 1 from listed l where l.n = w.n) then 'no case in force'
        when exists (select 1 from hr_fiscal_payroll p where p.person = w.person and p.post_type in ('1', '2', '3') and p.gross_pay > 0 and p.pay_month >= this_month() - interval 3 month) then 'right'
        else 'not on the payroll' end""",
    "X04": """case when not exists (select 1 from listed l where l.n = w.n) then 'no case in force' when (select cars > 0 from wealth x where x.n = w.n) then 'right' else 'no car' end""",
    "X05": """case when not exists (select 1 from listed l where l.n = w.n) then 'no case in force'
        when (select dwellings + contracts > 1 or others > 0 from wealth x where x.n = w.n) then 'right'
        when exists (select 1 from listed l join re_ownership r on r.holder_person = l.person where l.n = w.n and r.reg_date >= l.start_month and r.status in ('1', '3')) then 'right'
        when exists (select 1 from listed l join hc_presale_contract r on r.buyer_person = l.person where l.n = w.n and r.sign_date >= l.start_month and r.status = '1') then 'right'
        else 'one dwelling, none new' end""",
    "X06": """case when not exists (select 1 from listed l where l.n = w.n) then 'no case in force' when (select entities > 0 from wealth x where x.n = w.n) then 'right' else 'no entity' end""",
    "X07": """(select case when count(*) = 0 then 'no case in force'
             when coalesce(sum(x.amount), 0) > 24 * sum(case l.urban_rural when '1' then s.urban else s.rural end) then 'right' else 'assets under the limit' end
        from (select distinct person, urban_rural from listed where n = w.n) l
        join human h on h.person = l.person and h.alive
        cross join standard s
        left join (select person, sum(amount) as amount from (
              select person, balance as amount from fn_bank_balance where result = '1' and query_date > today() - interval 180 day
                qualify row_number() over (partition by person, bank_code, account_tail order by query_date desc) = 1
              union all select person, coalesce(market_value, 0) + coalesce(cash, 0) + coalesce(fund_value, 0) from fn_securities where result = '1' and query_date > today() - interval 180 day
                qualify row_number() over (partition by person, account_no order by query_date desc) = 1
              union all select person, balance from fn_internet_finance where query_date > today() - interval 180 day
                qualify row_number() over (partition by person, platform order by query_date desc) = 1
              union all select holder_person, cash_value from fn_insurance_policy where status = '1') group by person) x on x.person = l.person)""",
    "X08": _over("wage"),
    "X09": f"""case when {DEAD} then 'dead' when not exists (select 1 from in_case c where c.person = w.person and c.occupation_status = '70') then 'not declared jobless'
        when exists (select 1 from contributed c where c.person = w.person and c.last_employer >= this_month() - interval 3 month) then 'right' else 'no contributions' end""",
    "X10": _over("pension"),
    "X11": f"""case when {DEAD} then 'dead' when not exists (select 1 from family f where f.n = w.n and f.person = w.person) then 'not of the family'
        when not exists (select 1 from listed l where l.n = w.n) then 'no case in force'
        when exists (select 1 from pf_account a where a.person = w.person and a.status = '1' and a.monthly_deposit > 0 and a.last_deposit_month >= this_month() - interval 3 month) then 'right' else 'no deposits' end""",
    "X12": _over("business"),
    "X13": """case when (select count(distinct case_no) from in_case c where c.person = w.person and (c.is_covered or c.category in ('3', '4', '5'))) > 1 then 'right'
        when exists (select 1 from in_case c where c.person = w.person and c.category = '2' and c.is_covered)
         and exists (select 1 from ca_welfare_subsidy s where s.person = w.person and s.subsidy_type in ('4', '5') and s.status = '1' and s.pay_month >= this_month() - interval 2 month) then 'right'
        else 'in one case only' end""",
    "X14": """case when not exists (select 1 from listed l where l.n = w.n) then 'no case in force'
        when split_part(w.cause_key, ':', 1) like 'marri%' then case when exists (select 1 from ca_marriage m where w.person in (m.male_person, m.female_person) and m.reg_type = '1' and m.reg_date > months_ago(25)) then 'right' else 'no marriage' end
        when split_part(w.cause_key, ':', 1) like 'birth%' then case when exists (select 1 from hl_birth_death_cert c where c.cert_type = '1' and w.person in (c.mother_person, c.father_person) and c.event_date > months_ago(25)) then 'right'
             when exists (select 1 from kin k join human h on h.person = k.other where k.person = w.person and k.kind = 'child' and h.birth_date > months_ago(25)) then 'right' else 'no birth' end
        when split_part(w.cause_key, ':', 1) like 'release%' then case when exists (select 1 from ps_custody k where k.person = w.person and k.end_date <= today()) then 'right' else 'not released' end
        when split_part(w.cause_key, ':', 1) like 'grad%' then case when exists (select 1 from ed_enrolment e where e.person = w.person and e.status = '5') then 'right' else 'not graduated' end
        when split_part(w.cause_key, ':', 1) like 'split%' then case when exists (select 1 from ps_hukou_event e where e.person = w.person and e.event_type = '6') then 'right' else 'no split' end
        when split_part(w.cause_key, ':', 1) like 'divorce%' then case when exists (select 1 from ca_marriage m where w.person in (m.male_person, m.female_person) and m.reg_type in ('2', '3')) then 'right' else 'no divorce' end end""",
    "X15": """case when not exists (select 1 from in_case c where c.person = w.person) then 'not in a case'
        when exists (select 1 from ps_hukou_event e where e.person = w.person and e.event_type = '3') then 'right' else 'did not move out' end""",
    "X16": """case when not exists (select 1 from listed l where l.n = w.n) then 'no case in force'
        when exists (select 1 from family f join ag_machinery_vessel m on m.owner_person = f.person where f.n = w.n and m.status = '1'
                      and ((m.kind = '1' and m.power >= 22.1) or m.kind = '2' or (m.kind in ('3', '4') and m.operating))) then 'right' else 'no large machine' end""",
    "X17": """case when not exists (select 1 from in_case c where c.person = w.person and c.category = '2') and not exists (select 1 from listed l where l.n = w.n and l.category = '2') then 'nobody is tekun'
        when exists (select 1 from listed l join supports s on s.person = l.person where l.n = w.n and l.category = '2') then 'right'
        when exists (select 1 from listed l join kin k on k.person = l.person join human h on h.person = k.other where l.n = w.n and h.alive) then null else 'no supporter' end""",
    "X18": """case when exists (select 1 from ca_assist_household h where h.case_no = w.case_no and ((h.category = '4' and h.status = '1' and h.start_month < months_ago(12))
                      or (h.status = '2' and h.grace_end_month < this_month()))) then 'right' else 'not expired' end""",
    "X19": """case when exists (select 1 from ca_assist_household h where h.case_no = w.case_no and h.status in ('1', '2') and h.next_review_month < this_month()) then 'right' else 'not due' end""",
}
"""Verdict of one warning (alias `w`) by rule: 'right', why it is wrong, or null."""


def worlds(persons: int, seed: int, start: date, nights: int) -> Iterable[tuple[pl.DataFrame, life.World]]:
    """The people of the first day, with their kin, and the world of each shard; as `sample_data.build` makes them."""
    for shard in population.plan(persons=persons, seed=seed, start=start, months=24):
        people = population.people(shard)
        yield people.persons, life.live(people, start=start, months=24, nights=nights)


def judged(
    world: life.World,
    first_people: pl.DataFrame,
    warned: pl.DataFrame,
    circle: pl.DataFrame,
    day: date,
    first: date,
    diagnoses: pl.DataFrame,
) -> pl.DataFrame:
    """`n`, `rule_id`, `verdict`: right, the reason why it is wrong, or null.

    `warned`: n, rule_id, person (true, null where none is named or known), case_no, cause_key; `circle`: n, person, the true
    people of the household of the warning. `diagnoses`: prefix and disease of those that count as serious.
    """
    con = duckdb.connect()
    con.execute(f"create macro today() as date '{day}'; create macro first_night() as date '{first}'")
    con.execute(
        f"create table standard as select {STANDARD['1']}::decimal(18, 2) as urban, {STANDARD['2']}::decimal(18, 2) as rural"
    )
    frames = {
        "persons": world.persons,
        "households": world.households,
        "warned": warned,
        "circle": circle,
        "first_people": first_people,
        "diagnosis": diagnoses,
        **world.tables,
    }
    for name, frame in frames.items():
        con.register(f"_{name}", frame.to_arrow())
        kept = "where known_on <= today()" if "known_on" in frame.columns else ""
        standing = f"{kept} and coalesce(gone_on > today(), true)" if kept else ""
        con.execute(f'create table "{name}" as select * from "_{name}" {standing}')
        if kept:
            con.execute(f'create view "all_{name}" as select * from "_{name}" {kept}')
    con.execute(TABLES)
    found = [
        con.execute(
            f"select w.n, w.rule_id, ({sql}) as verdict from warned w where w.rule_id = '{rule_id}'"
        ).pl()
        for rule_id, sql in RULES.items()
        if rule_id in warned["rule_id"].unique().to_list()
    ]
    return (
        pl.concat([f.cast({"verdict": pl.String}) for f in found])
        if found
        else pl.DataFrame(schema={"n": pl.Int64, "rule_id": pl.String, "verdict": pl.String})
    )
