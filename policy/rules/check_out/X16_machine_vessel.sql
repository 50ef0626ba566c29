/*---
id: X16
version: 2
title: {zh: 家庭成员名下有大型农机或营运船舶, en: Large machine or operating vessel in the family}
legal_basis:
  - 社会救助暂行办法 第九条、第十三条
  - 最低生活保障审核确认办法（民发〔2021〕57号）第十四条、第十七条
level: blue
owner: 县民政局核对中心
expires: 2027-12-31
subject: case
needs:
  machinery: {max_age_days: 400, all: [ag_machinery_vessel]}
parameters: [machine_limit]
evidence: [machines, outside, shown, newest_reg]
reason: >-
  该户现为{category_zh}，成员名下有在用的大型农机或营运船舶{machines}台（艘）（{shown}，{registered_zh}）。{outside_zh}请核实现值、用途和经营收入。计入依据：{limit_source}。
cited: [ag_machinery_vessel, ca_assist_member]
known_gaps:
  zh: 登记每年送达一次，证件号常缺；报废未注销、转卖未过户看不出；功率或用途不明的没有计入。
  en: The register arrives once a year and often lacks the id; scrapped or sold without a note cannot be told; unknown power or use is left out.
false_alarms:
  zh: 小型和手扶拖拉机属生产资料（已排除）；非营运的小船（已排除）；合作社或他人出资、挂名登记；已转卖未过户。
  en: Small and walking tractors (left out), boats that are not used for business (left out), nominal owners, machines sold without a note.
changelog:
  - {version: 1, since: 2026-11-22, what: first version}
  - {version: 2, since: 2026-11-23, what: "the family: also members beyond doubt of the household who are on no case, which the sentence says"}
---*/
with owned as (
    -- Members may own one machine together: it is one machine.
    select a.household_id, a.case_id, a.category_zh, m.machine, min(m.shown_zh) as shown_zh, max(m.reg_date) as reg_date,
           bool_and(a.basis = 'household') as is_outside,
           min(m.limit_source) as limit_source
    from assisted_family a
    join machine_held m on m.person_id = a.person_id
    where m.standing = 'counted'
    group by a.household_id, a.case_id, a.category_zh, m.machine
)
select household_id, case_id, 'machines:' || md5(string_agg(machine, ',' order by machine)) as cause_key,
       min(category_zh) as category_zh, count(*) as machines, count(*) filter (where is_outside) as outside,
       case when count(*) filter (where is_outside) > 0
            then '其中' || count(*) filter (where is_outside) || '台（艘）登记在未列入保障人口的共同生活成员名下（救助证上没有，依户籍等登记）。' else '' end as outside_zh,
       string_agg(shown_zh, '、' order by shown_zh, machine) as shown,
       coalesce(strftime(max(reg_date), '%Y年%-m月%-d日'), '日期不详') as newest_reg,
       case when max(reg_date) is null then '登记日期不详'
            else case when count(*) > 1 then '最近一台' else '' end || strftime(max(reg_date), '%Y年%-m月%-d日登记') end as registered_zh,
       string_agg(distinct limit_source, '；' order by limit_source) as limit_source
from owned
group by household_id, case_id
