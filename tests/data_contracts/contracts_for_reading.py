"""Small contracts that the tests of reading share."""

from typing import Any

from data_contracts.contract import Contract

ID = "11010519491231002X"
OTHER_ID = "15090219800101123X"

FIELDS: list[dict[str, Any]] = [
    {"name": "id_no", "source": "公民身份号码", "type": "resident_id", "nullable": False, "required": True},
    {"name": "name", "source": "姓名", "type": "person_name", "required": True},
    {"name": "sex", "source": "性别", "type": "code", "codes": {"1": "男", "2": "女"}},
    {"name": "birth_date", "source": "出生日期", "type": "date"},
    {"name": "address", "source": "住址", "type": "address"},
    {"name": "amount", "source": "月收入", "type": "money", "unit": "元/月"},
]
WIDTHS = [18, 12, 2, 10, 30, 12]
HEADERS = [field["source"] for field in FIELDS]

DELIMITED = {"format": "delimited", "delimiter": "|", "encoding": "gb18030", "suffix": "txt"}
FIXED_WIDTH = {"format": "fixed_width", "encoding": "gb18030", "suffix": "dat"}
WORKBOOK = {"format": "workbook", "encoding": "workbook", "suffix": "xlsx"}
JSON = {"format": "json", "encoding": "utf-8", "suffix": "json"}


def contract(form: dict[str, Any] | None = None, **changes: Any) -> Contract:
    """A class of persons with an id, a name, a code, a day, an address and an amount."""
    form = form or DELIMITED
    both = {"zh": "试", "en": "test"}
    fields = [dict(field) for field in FIELDS]
    if form["format"] == "fixed_width":
        fields = [field | {"width": width} for field, width in zip(fields, WIDTHS, strict=True)]
    body: dict[str, Any] = {
        "id": "zz_test",
        "no": 1,
        "title": both,
        "department": "public_security",
        "supplying_unit": "公安局户政",
        "purpose": both,
        "legal_basis": ["社会救助暂行办法"],
        "description": both,
        "grain": ["id_no"],
        "grain_title": both,
        "tier": 1,
        "delivery": {"kind": "full", "cadence": "daily", "late_after_days": 3, **form},
        "fields": fields,
        "subjects": [
            {"role": "person", "title": both, "evidence": {"resident_id": "id_no", "person_name": "name"}}
        ],
        "feeds": [],
    }
    return Contract.model_validate(body | changes)


def line(
    *,
    id_no: str = ID,
    name: str = "张三",
    sex: str = "1",
    born: str = "19491231",
    address: str = "集宁区",
    amount: str = "100",
) -> str:
    """One row in the order of the contract."""
    return "|".join([id_no, name, sex, born, address, amount])


HEADER = "|".join(HEADERS)
