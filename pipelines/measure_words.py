"""The columns of stored measures in Chinese words, for what `explain` prints; ids that are said elsewhere are left out."""

from datetime import date
from typing import Any

LEFT_OUT = frozenset(
    {"household_id", "case_id", "county_code", "applicant_person_id", "category_zh", "unknown_zh", "members"}
)
"""Said in the line above or below, or a key that tells a reader nothing."""

COLUMN_ZH = {
    "age_zh": "年龄",
    "accounts": "有金额的账户和保单数",
    "amount": "金额（元）",
    "asked": "查询笔数",
    "benefit_per_month": "全证每月救助金（元）",
    "blocked_zh": "超出规定的",
    "business": "经营净收入（元）",
    "by_zh": "认定部门",
    "category": "类别",
    "clock_zh": "期限",
    "contracts_12m": "近12个月网签合同数",
    "coop_members": "合作社成员身份（不计）",
    "deducted": "已扣除的救助和赔付（元）",
    "dwellings": "计入的住房套数",
    "entities": "任职或出资的存续市场主体数",
    "exempt": "不计入的数量",
    "foreign_accounts": "外币账户（未折算）",
    "found": "查到笔数",
    "grace_until": "渐退期至",
    "is_blocked": "有超出规定的财产",
    "is_ceiling": "有记录的收入即为上限",
    "is_complete": "收入资料齐全",
    "is_covered": "列入保障",
    "is_single_person": "单人保",
    "labour_ability": "申报的劳动能力",
    "layer": "登记层次",
    "left_out": "继承份额小或不明（不计）",
    "living": "基本生活支出（元）",
    "machines": "计入的大型农机台数",
    "medical": "医疗支出（元）",
    "members_asked": "已查询成员数",
    "mismatched": "户名不符笔数",
    "newest_on": "最近一次登记",
    "non_residential": "计入的非居住用房数",
    "none": "查无笔数",
    "operated": "其中任法定代表人或经营者",
    "other": "其他支出（元）",
    "parking": "车位车库数",
    "per_head": "人均（元）",
    "per_person_month": "人均每月（元）",
    "person_id": "成员",
    "possible_person_id": "可能的成员（关联待人工确认）",
    "property": "财产净收入（元）",
    "rehab": "康复支出（元）",
    "relocation": "其中安置房套数",
    "review_on": "下次复核",
    "review_due_on": "复核期限",
    "review_months": "规定的复核周期（月）",
    "review_source": "周期依据",
    "review_state": "复核",
    "schooling": "教育支出（元）",
    "shared": "与他人共有",
    "shells": "已吊销未注销（不计）",
    "since": "自",
    "start_month": "起保月份",
    "subscribed": "认缴出资额（元）",
    "support_fee": "赡（抚、扶）养费（元）",
    "support_missing_zh": "赡（抚、扶）养费不明的",
    "term_state": "渐退期或有效期",
    "total": "合计（元）",
    "total_low": "能确定的合计（元）",
    "transfer": "转移净收入（元）",
    "unanswered": "未答复笔数",
    "unclear": "不能判断的数量",
    "until": "至",
    "urban_rural": "城乡",
    "vehicles": "计入的机动车辆数",
    "vessels": "计入的营运船舶艘数",
    "wage": "工资性收入（元）",
    "window_from": "期间从",
    "window_months": "期间月数",
    "window_to": "期间到",
}

VALUE_ZH = {
    "category": {
        "1": "低保家庭", "2": "特困供养户", "3": "低保边缘家庭", "4": "刚性支出困难家庭", "5": "其他困难家庭",
        "dibao": "低保对象", "tekun": "特困人员", "edge": "低保边缘家庭成员", "rigid": "刚性支出困难家庭成员",
        "other": "其他困难人员", "rural_monitor": "防止返贫监测对象", "refused": "申请未获批准", "exited": "退出后跟踪",
    },
    "labour_ability": {
        "1": "有劳动能力", "2": "部分丧失劳动能力", "3": "完全丧失劳动能力", "4": "未成年", "5": "老年",
    },
    "layer": {"confirmed": "部门已认定", "wider": "扩大监测，未认定"},
    "review_state": {"overdue": "已逾期", "soon": "即将到期", "later": "未到期", "unknown": "不能判断"},
    "term_state": {"over": "已届满", "soon": "即将届满", "later": "未届满", "unknown": "不详"},
    "urban_rural": {"1": "城镇", "2": "农村", "9": "不明"},
}  # fmt: skip

NOTHING_WHEN_NULL = frozenset(
    {
        "age_zh",
        "blocked_zh",
        "clock_zh",
        "grace_until",
        "newest_on",
        "review_due_on",
        "review_months",
        "review_source",
        "review_state",
        "support_missing_zh",
        "term_state",
        "until",
    }
)
"""Null says here that there is none, by the description of the column; of every other column it says not known."""


def in_words(values: dict[str, Any]) -> str:
    """The figures of one row of a measure; a column without words keeps its name, so that nothing is lost."""
    said = []
    for name, value in values.items():
        if name in LEFT_OUT or (value is None and name in NOTHING_WHEN_NULL):
            continue
        said.append(f"{COLUMN_ZH.get(name, name)} {_value(name, value)}")
    return "，".join(said)


def _value(name: str, value: Any) -> str:
    if value is None:
        return "不知道"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    if name == "person_id":
        return f"P{value:09d}"
    return VALUE_ZH.get(name, {}).get(str(value), str(value))
