"""Files come out as the contract and the plan of events say, the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastexcel
import numpy as np
import polars as pl
import pytest

from data_contracts.contract import Contract
from sample_data import writing
from sample_data.damage import Damage
from sample_data.file_events import FileEvents

D = date(2025, 11, 17)
DAMAGE = Damage(seed=3, strength=0)


def contract(**delivery: Any) -> Contract:
    base = {"kind": "full", "cadence": "daily", "late_after_days": 3}
    described = _described(base | delivery)
    if delivery["format"] != "fixed_width":
        for spec in described["fields"]:
            del spec["width"]
    return Contract.model_validate(described)


def _described(delivery: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "some_class",
        "no": 1,
        "title": {"zh": "某类信息", "en": "Some class"},
        "department": "civil_affairs",
        "supplying_unit": "某科",
        "purpose": {"zh": "测试", "en": "test"},
        "legal_basis": ["某办法"],
        "description": {"zh": "测试", "en": "test"},
        "grain": ["case_no"],
        "grain_title": {"zh": "每案一行", "en": "one row a case"},
        "tier": 3,
        "delivery": delivery,
        "fields": [
            {"name": "case_no", "source": "编号", "type": "identifier", "width": 8},
            {
                "name": "id_no",
                "source": "公民身份号码",
                "source_aliases": ["身份证号"],
                "type": "resident_id",
                "width": 18,
            },
            {"name": "name", "source": "姓名", "type": "person_name", "width": 10},
            {"name": "live_address", "source": "住址", "type": "address", "width": 20},
            {"name": "member_ids", "source": "成员", "type": "resident_id_list", "width": 40},
            {
                "name": "sex",
                "source": "性别",
                "type": "code",
                "codes": {"1": "男", "2": "女"},
                "width": 2,
            },
            {"name": "start_date", "source": "起", "type": "date", "width": 8},
            {"name": "pay_month", "source": "月份", "type": "month", "width": 6},
            {"name": "amount", "source": "金额", "type": "money", "unit": "万元", "width": 12},
            {"name": "is_covered", "source": "是否保障", "type": "boolean", "width": 2},
        ],
        "subjects": [],
        "feeds": [],
    }


TEXT = {"format": "delimited", "delimiter": "|", "encoding": "gb18030", "suffix": "txt"}
CSV = {"format": "delimited", "delimiter": ",", "quoted": True, "encoding": "utf-8", "suffix": "csv"}
BOOK = {"format": "workbook", "encoding": "workbook", "suffix": "xlsx"}
FIXED = {"format": "fixed_width", "encoding": "gb18030", "suffix": "dat"}


def rows(n: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "case_no": [f"{i:06d}" for i in range(n)],
            "id_no": ["150902198001011234"] * n,
            "name": ["张伟", None] * (n // 2),
            "live_address": ['集宁区|新华路1号,"甲"'] * n,
            "member_ids": [["150902198001011234", "150902198001011242"]] * n,
            "sex": ["1", "2"] * (n // 2),
            "start_date": [date(2024, 2, 9), None] * (n // 2),
            "pay_month": [date(2024, 2, 1)] * n,
            "amount": pl.Series([Decimal("12345.60")] * n, dtype=pl.Decimal(18, 2)),
            "is_covered": [True, False] * (n // 2),
        }
    )


def written(
    tmp_path: Path, c: Contract, events: FileEvents | None = None, n: int = 100, **kwargs: Any
) -> list[Any]:
    events = events or FileEvents(encoding=c.delivery.encoding)
    sink = writing.open_sink(c, tmp_path, D, kwargs.get("kind", "full"), events, DAMAGE)
    text = writing.spell(c, rows(n), writing.spelling(DAMAGE, c))
    half = n // 2
    first = sink.append(text.head(half), np.zeros(half, dtype=bool))
    second = sink.append(text.tail(n - half), np.zeros(n - half, dtype=bool))
    assert [(p[1], p[2]) for p in first + second][:1] == [(1, half)]
    return sink.close()


def test_money_leaves_in_the_unit_of_the_contract_and_codes_and_dates_in_the_spelling_of_the_source() -> None:
    how = writing.Spelling("%Y/%m/%d", "%Y%m%d", "%Y年%m月", "、", True, ("是", "否"), "", False)
    flags = np.zeros(2, dtype=bool)
    flags[0] = True
    text = writing.spell(contract(**CSV), rows(2), how, flags)
    assert text.row(0, named=True) == {
        "case_no": "000000",
        "id_no": "150902198001011234",
        "name": "张伟",
        "live_address": '集宁区|新华路1号,"甲"',
        "member_ids": "150902198001011234、150902198001011242",
        "sex": "男",
        "start_date": "20240209",
        "pay_month": "2024年02月",
        "amount": "1.23456",
        "is_covered": "是",
    }
    assert text["start_date"][1] is None


def test_bar_text_in_gb18030_has_one_line_a_row_and_no_stray_delimiter(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**TEXT))
    assert item.path == tmp_path / "2025-11-17" / "civil_affairs" / "some_class.txt"
    lines = item.path.read_bytes().decode("gb18030").splitlines()
    assert lines[0].split("|")[0:3] == ["编号", "公民身份号码", "姓名"]
    assert len(lines) == 101
    assert {len(line.split("|")) for line in lines} == {10}


def test_quoted_text_keeps_delimiters_and_quotes(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**CSV))
    back = pl.read_csv(item.path, infer_schema=False)
    assert back["住址"].unique().to_list() == ['集宁区|新华路1号,"甲"']
    assert back.height == 100


def test_fixed_width_counts_bytes(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**FIXED))
    lines = item.path.read_bytes().split(b"\r\n")[:-1]
    assert {len(line) for line in lines} == {126}
    assert lines[0][26:36].decode("gb18030") == "张伟      "
    assert lines[0][36:56].decode("gb18030").startswith("集宁区")


def test_a_workbook_is_read_back_with_title_header_and_total(tmp_path: Path) -> None:
    events = FileEvents(encoding="workbook", titles=True, total_row=True)
    [item] = written(tmp_path, contract(**BOOK), events)
    sheet = fastexcel.read_excel(item.path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    cells = sheet.rows()
    assert cells[0][0] == "某类信息明细表"
    header = next(i for i, row in enumerate(cells) if row[0] == "编号")
    data = cells[header + 1 : header + 101]
    assert [row[0] for row in data] == [f"{i:06d}" for i in range(100)]
    assert data[0][1] == "150902198001011234"
    assert cells[-1][0] == "合计"
    assert cells[-1][8] == "123.456"


def test_a_large_class_is_several_workbooks_and_rows_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "SHEET_ROWS", 40)
    c = contract(**BOOK)
    sink = writing.open_sink(c, tmp_path, D, "delta", FileEvents(encoding="workbook"), DAMAGE)
    text = writing.spell(c, rows(100), writing.spelling(DAMAGE, c))
    pieces = sink.append(text, np.zeros(100, dtype=bool))
    assert pieces == [
        ("some_class.delta.xlsx", 1, 40),
        ("some_class.delta.2.xlsx", 1, 40),
        ("some_class.delta.3.xlsx", 1, 20),
    ]
    assert [w.rows for w in sink.close()] == [40, 40, 20]


def test_spreadsheet_damage_leaves_fifteen_digits(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**BOOK), FileEvents(encoding="workbook", spreadsheet=True))
    sheet = fastexcel.read_excel(item.path).load_sheet(0).to_polars()
    assert sheet["公民身份号码"].dtype.is_numeric()
    assert f"{sheet['公民身份号码'][0]:.14e}" == "1.50902198001011e+17"


def test_zip_holds_one_file_with_a_chinese_name(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**(TEXT | {"suffix": "zip"})))
    assert [p.name for p in item.path.parent.iterdir()] == ["some_class.zip"]
    with zipfile.ZipFile(item.path) as archive:
        assert archive.namelist() == ["某类信息.txt"]
        assert archive.read("某类信息.txt").decode("gb18030").count("\n") == 101


def test_json_is_an_array_of_objects(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(format="json", encoding="utf-8", suffix="json"))
    back = pl.read_json(io.BytesIO(item.path.read_bytes()))
    assert back.height == 100
    assert back["编号"][99] == "000099"


def test_events_of_a_file_leave_their_marks(tmp_path: Path) -> None:
    events = FileEvents(
        encoding="utf-8",
        bom=True,
        control=0.02,
        ragged=0.02,
        mojibake=0.02,
        mixed_newlines=True,
        repeated_header=True,
        total_row=True,
        renamed=1,
        moved=0,
        end_mark=True,
    )
    [item] = written(tmp_path, contract(**TEXT), events, n=200)
    raw = item.path.read_bytes()
    assert raw[:3] == b"\xef\xbb\xbf"
    assert raw.endswith(b"\x1a")
    assert b"\x00" in raw
    lines = raw[3:-1].decode("utf-8").splitlines()
    assert lines[0].startswith("身份证号|姓名")
    assert lines[0].endswith("|编号")
    assert lines.count(lines[0]) == 2
    assert lines[-1].startswith("合计|")
    assert len({len(line.split("|")) for line in lines}) > 1
    assert 0 < raw.count(b"\r\n") < raw.count(b"\n")
    assert "寮" in raw.decode("utf-8")


def test_headers_may_state_their_unit(tmp_path: Path) -> None:
    [item] = written(
        tmp_path, contract(**CSV), FileEvents(encoding="utf-8", units_in_header=True, zipped=True)
    )
    assert item.path.name == "some_class.zip"
    with zipfile.ZipFile(item.path) as archive:
        [name] = archive.namelist()
        assert "金额(万元)" in archive.read(name).decode().splitlines()[0]


def test_a_spreadsheet_saves_unicode_text(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**CSV), FileEvents(encoding="utf-16-le", bom=True, end_mark=True))
    raw = item.path.read_bytes()
    assert raw[:2] == b"\xff\xfe"
    assert raw.decode("utf-16").count("\n") == 101


def test_pasted_rows_have_another_encoding(tmp_path: Path) -> None:
    [item] = written(tmp_path, contract(**TEXT), FileEvents(encoding="gb18030", mixed_encoding=True), n=400)
    lines = item.path.read_bytes().split(b"\r\n")[:-1]
    utf8 = sum("新华路".encode() in line for line in lines)
    assert 0 < utf8 < 40
    assert sum("新华路".encode("gb18030") in line for line in lines) == 400 - utf8


@pytest.mark.parametrize(
    "delivery", [TEXT, CSV, BOOK, FIXED, TEXT | {"suffix": "zip"}], ids=lambda d: d["suffix"]
)
def test_same_input_same_bytes(tmp_path: Path, delivery: dict[str, Any]) -> None:
    one = written(tmp_path / "a", contract(**delivery))[0].path.read_bytes()
    two = written(tmp_path / "b", contract(**delivery))[0].path.read_bytes()
    assert one == two


def test_the_manifest_names_rows_and_hash(tmp_path: Path) -> None:
    items = written(tmp_path, contract(**TEXT))
    path = writing.write_manifest(items[0].path.parent, items)
    text = path.read_text(encoding="utf-8")
    assert "rows: 100" in text
    assert "encoding: gb18030" in text
    assert "amount: '123.456'" in text
