"""An invented night for the tests of reports: every name is a sample （样）, no person is meant."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from data_contracts.places import township_table, village_table
from reports.night import NightFrames

D = date(2025, 11, 17)

RULES = [
    # rule, list, level, title, sources, reason
    ("N01", "help_in", "orange", "医疗自付费用过高", ["mi_settlement"],
     "近12个月个人自付医疗费用{money}元，超过低保对象提示标准5,000元（依据：测试市医保提示标准；统计期2024年11月至2025年10月）。"),
    ("N05", "help_in", "orange", "失业或停保", ["hr_insurance_contribution", "hr_unemployment_benefit"],
     "职工养老保险自2025年7月起已连续停缴4个月，未见新的就业登记、养老金或在读信息（提示标准：连续3个月）。"),
    ("N09", "help_in", "red", "主要劳动力亡故或被羁押", ["ps_resident", "ca_cremation"],
     "家庭唯一有劳动能力的成员已于2025年11月3日登记死亡，其余3名成员为未成年人或重度残疾人。"),
    ("N10", "help_in", "yellow", "收入低于低保标准而未纳入", ["hr_insurance_contribution", "tx_iit_withholding"],
     "按已归集数据估算，家庭月人均收入{money}元，低于当地农村低保标准627元（2025年7月1日起执行），且未见应排除的财产。"),
    ("P04", "help_in", "orange", "救助金未发放到位", ["ca_assist_payment"],
     "救助证在保，2025年11月没有成功发放记录（最近一次成功发放为2025年10月，金额{money}元）。"),
    ("X01", "check_out", "red", "死亡后仍有发放", ["ps_death", "ca_cremation", "ca_assist_payment"],
     "公安登记死亡日期2025年8月2日，火化登记日期2025年8月4日；2025年9月至11月仍有3笔发放，合计{money}元。"),
    ("X04", "check_out", "yellow", "名下有机动车", ["ps_vehicle"],
     "名下有1辆正常状态的小型轿车（2023年5月初次登记），不属于可豁免的两轮车或残疾人代步车。"),
    ("X07", "check_out", "yellow", "金融资产超过标准", ["fn_bank_balance"],
     "查询日2025年11月1日家庭人均金融资产{money}元，超过标准15,048元（低保标准627元×24个月）；另有1项查询未答复。"),
]  # fmt: skip

FIRST = ["张样明", "李样", "王样样", "赵样芳", "欧阳样例", "陈样", "刘样", "斯样仁·巴样", "孙样德", "吴样兰"]
RELATIONS = ["02", "10", "20", "30", "50"]


CLASSES = [
    ("ps_resident", 1, "常住人口登记信息", "公安局"),
    ("ps_death", 2, "死亡注销信息", "公安局"),
    ("ps_vehicle", 3, "机动车登记信息", "公安局"),
    ("ca_assist_payment", 4, "救助资金发放明细", "民政局"),
    ("ca_cremation", 5, "殡葬火化信息", "民政局"),
    ("hr_insurance_contribution", 6, "社会保险缴费信息", "人社局"),
    ("hr_unemployment_benefit", 7, "失业保险待遇发放", "人社局"),
    ("tx_iit_withholding", 8, "个人所得税扣缴申报", "税务局"),
    ("fn_bank_balance", 9, "银行账户余额", "金融机构"),
    ("mi_settlement", 10, "医疗费用结算", "医疗保障局"),
]


def class_titles() -> pl.DataFrame:
    """Stands in for the catalogue."""
    schema = {"class_id": pl.String, "class_no": pl.Int64, "class_zh": pl.String, "department_zh": pl.String}
    return pl.DataFrame(CLASSES, schema=schema, orient="row")


def night(*, counties: tuple[str, ...] = ("150902", "150921"), families: int = 24) -> NightFrames:
    """A night with `families` households in the first townships; the last township of each county has none."""
    towns = pl.concat([township_table(c).head(4) for c in counties])
    codes = towns["township_code"].to_list()
    busy = [c for i, c in enumerate(codes) if i % 4 != 3]
    villages = village_table().group_by("township_code", maintain_order=True).agg("village_code")
    of_town = dict(villages.iter_rows())
    household, member, person, warnings, priority, register = [], [], [], [], [], []
    number = 0
    for h in range(1, families + 1):
        lost = h == families  # the last family has no known township
        town = busy[h % len(busy)]
        village = None if lost else of_town[town][h % len(of_town[town])]
        size = h % 5 + 1
        people = []
        for m in range(size):
            number += 1
            people.append(number)
            birth = date(1950 + (h * 7 + m * 23) % 70, h % 12 + 1, h % 28 + 1)
            person.append((number, FIRST[(h + m) % len(FIRST)], "12"[(h + m) % 2], birth))
            member.append((h, number, RELATIONS[m], "same_register" if m < 3 else "marriage", m == 3))
        place = (town[:6], None if lost else town, village)
        household.append((h, people[0], *place, size))
        for i, (rule, kind, level, _, sources, reason) in enumerate(RULES):
            if (h + i) % 4 and not (h == 3 and kind == "help_in"):
                continue
            wid = f"{rule}-{h:06d}-{i}"
            state = ["new", "repeated", "changed", "new", "answered", "suppressed"][(h + i * 2) % 6]
            first = D if state == "new" else D - timedelta(days=14)
            days = json.dumps(
                {s: None if s == "fn_bank_balance" else str(D - timedelta(days=i)) for s in sources}
            )
            due = (D + timedelta(days=7), D + timedelta(days=21)) if level != "blue" else (None, None)
            text = reason.format(money=f"{h * 731 + 400:,}.00")
            row = (
                wid,
                rule,
                1,
                kind,
                h,
                people[-1],
                *place,
                level,
                text,
                days,
                first,
                D + timedelta(days=90),
                *due,
            )
            warnings.append(row)
            register.append((wid, state, first, D if h != 11 else D - timedelta(days=3)))
        for kind in ("help_in", "check_out"):
            parts = [{"label": "线索", "points": 30 + h}, {"label": "家庭结构（有未成年人）", "points": 5}]
            own = [w for w in warnings if w[4] == h and w[3] == kind]
            if own:
                order = ["red", "orange", "yellow", "blue"]
                worst = min((w[9] for w in own), key=order.index)
                score = Decimal(35 + h) + Decimal("0.5")
                due = (own[0][14], own[0][15])
                priority.append(
                    (h, kind, worst, score, json.dumps(parts, ensure_ascii=False), *due, len(priority) + 1)
                )

    def frame(name: str, rows: list[tuple]) -> pl.DataFrame:
        from reports.night import SHAPES

        return pl.DataFrame(rows, schema=SHAPES[name], orient="row")

    status = [(r, None, "on", "", None) for r, *_ in RULES if r not in ("X07", "N10")]
    status.append(
        (
            "X07",
            None,
            "off",
            "银行存款查询结果尚未收到，应于2025年11月10日前到达。",
            '{"fn_bank_balance": null}',
        )
    )
    status.append(("N10", counties[0], "on", "", None))
    if len(counties) > 1:
        status.append(
            ("N10", counties[1], "off", "个人所得税数据逾期20天（最近一次为2025年10月18日）。", None)
        )
    sources = [
        ("ps_resident", "public_security", D, D, "fresh", ""),
        ("ca_assist_payment", "civil_affairs", D - timedelta(days=2), D, "fresh", ""),
        (
            "fn_bank_balance",
            "financial",
            None,
            date(2025, 11, 10),
            "absent",
            "应于11月10日前到达，尚未收到。",
        ),
        ("tx_iit_withholding", "tax_market", date(2025, 10, 18), date(2025, 10, 28), "late", "逾期20天。"),
    ]
    ledger = [
        (f"{i:016x}", c, dept, D, f"{c}.txt", f"{i:064x}", 1000 * i, "delimited", "gb18030", "full",
         1000 * i, 990 * i, 6 * i, 3 * i, i, 2, status_, True if i % 2 else None, None)
        for i, (c, dept, status_) in enumerate(
            [("ps_resident", "public_security", "accepted"), ("ca_assist_payment", "civil_affairs", "accepted"),
             ("tx_iit_withholding", "tax_market", "held")], start=1)
    ]  # fmt: skip
    issues = [
        ("ps_resident", "ps_resident.txt", 17, "公民身份号码", "bad_check_digit", "warning", "150902********123X",
         "校验位不符", "请核对原始登记。", 4),
        ("ps_resident", "ps_resident.txt", 20, "公民身份号码", "bad_check_digit", "warning", "150902********1231",
         "校验位不符", "请核对原始登记。", 1),
        ("ca_assist_payment", "ca_assist_payment.txt", 5, "发放金额", "unreadable", "error", "1,2*", "金额无法识别",
         "请按“元”重新报送。", 2),
    ]  # fmt: skip
    issues += [
        ("ps_resident", "ps_resident.txt", 9, None, "duplicate_rows", "info", None,
         "ps_resident.txt：共3行（数据第9、12、31行），有完全相同的行，只采用第一次出现的", "请检查导出程序是否重复取数", 3),
        ("ps_resident", "ps_resident.2.txt", 4, None, "duplicate_rows", "info", None,
         "ps_resident.2.txt数据第4行：有完全相同的行，只采用第一次出现的", "请检查导出程序是否重复取数", 1),
        ("ps_resident", "ps_resident.txt", 5, "电话", "phone_several", "info", "139****5678",
         "ps_resident.txt“电话”列：共2行（数据第5、8行），有多个电话，只取第一个", "请每格只填一个电话", 2),
    ]  # fmt: skip
    unread = [
        ("public_security", "户籍变动.csv", "文件名不属于本部门的任何信息类别，未读取"),
        ("public_security", "_manifest.yaml", "清单无法解析，未与文件核对"),
        (None, "新建文件夹", "不在任何部门的文件夹中，未读取"),
    ]
    checks = [
        ("ps_resident", "应有契约规定的全部字段", "passed", "error", 0, ""),
        ("ps_resident", "公民身份号码格式有效", "failed", "warning", 5, "要求98%，实际97.1%"),
        ("ca_assist_payment", "行数范围", "engine_error", "warning", 0, ""),
    ]
    links = [("ps_resident", "A", "id_and_name", 950), ("ps_resident", "B", "name_birth_sex", 30),
             ("ca_assist_payment", None, None, 12), ("ca_assist_payment", "A", "id_and_name", 400)]  # fmt: skip
    answers = [
        (h, "help_in", "N01", f"N01-{h:06d}-0", code, D - timedelta(days=30))
        for h, code in enumerate(["205", "201", "502", "601", "301", "503"], start=1)
    ]
    told = (
        "应在2025年10月31日前复核（台账登记），已逾期17天",
        "应在2025年11月30日前复核（台账登记），还有13天",
    )
    monitored = [
        (1, member[0][1], "confirmed", "dibao", "c1", date(2024, 5, 1), "民政部门", None, None, None, 12,
         date(2025, 10, 31), "overdue", None, told[0]),
        (2, member[1][1], "confirmed", "tekun", "c2", date(2019, 6, 1), "民政部门", None, None, None, 12,
         date(2025, 11, 30), "soon", "已满18周岁，请核实是否仍在接受义务教育", told[1]),
        (2, member[2][1], "confirmed", "tekun", "c2", date(2019, 6, 1), "民政部门", None, None, None, 12,
         date(2025, 11, 30), "soon", "已满16周岁", told[1]),
        (3, member[4][1], "confirmed", "rigid", "c3", date(2024, 10, 1), "民政部门", None, date(2025, 10, 1), "over", None,
         None, None, None, "认定有效期到2025年10月（自2024年10月起12个月），已经届满，继续救助须重新申请"),
        (4, None, "wider", "refused", None, date(2025, 3, 20), "民政部门", None, None, None, None, None, None, None, None),
        (None, 2, "confirmed", "other", "c9", None, "民政部门", None, None, None, None, None, "unknown", None,
         "台账没有登记下次复核月，复核是否到期不能判断"),
    ]  # fmt: skip
    rules = [(r, 1, kind, title, "测试依据 第一条", sources_) for r, kind, _, title, sources_, _ in RULES]
    return NightFrames(
        warnings=frame("warnings", warnings),
        rule_status=frame("rule_status", status),
        priority=frame("priority", priority),
        register=frame("register", register),
        household=frame("household", household),
        household_member=frame("household_member", member),
        persons=frame("persons", person),
        source_status=frame("source_status", sources),
        ledger=frame("ledger", ledger),
        issues=frame("issues", issues),
        unread=frame("unread", unread),
        leads=frame(
            "leads",
            [
                (
                    "Q03",
                    "financial",
                    "fn_bank_balance",
                    "absent",
                    0,
                    [],
                    "银行账户余额：尚未收到任何数据。",
                    D,
                ),
                (
                    "Q01",
                    "public_security",
                    "ps_resident",
                    "name",
                    2,
                    [f"{1:016x}:17", f"{1:016x}:9"],
                    "常住人口登记信息中有2行的证件号码与户籍登记一致而姓名不同，请核对原始材料后更正。",
                    D - timedelta(days=3),
                ),
            ],
        ),
        delivered=frame("delivered", [(f"{1:016x}", "ps_resident", D, "ps_resident.txt")]),
        monitored=frame("monitored", monitored),
        candidate=frame(
            "candidate",
            [
                (1, None, "candidate", "dibao", D, ["N10"]),
                (1, None, "suspected", None, D - timedelta(days=9), ["N01", "N10"]),
                (2, person[1][0], "candidate", "tekun", D, ["N14"]),
            ],
        ),
        checks=frame("checks", checks),
        links=frame("links", links),
        conflicts=frame("conflicts", [("ps_resident", "证件号码相同而姓名不符", 3)]),
        answers=frame("answers", answers),
        rules=frame("rules", rules),
    )
