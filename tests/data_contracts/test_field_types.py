"""Every spelling that is seen in practice, and what it means."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import plain_dates
from data_contracts.contract import FieldSpec, codes_of
from data_contracts.field_types import (
    BLANKS,
    FIELD_TYPES,
    Column,
    hide_numbers,
    mask_text,
    masked,
    schema_of,
)
from data_contracts.issues import IssueLog
from tests.data_contracts.contracts_for_reading import ID, contract

UNITS = {"money": "元/月", "decimal": "亩"}


def column_of(kind, unit=None, dirty=None, **more):
    codes = {"01": "汉族", "02": "蒙古族"} if kind == "code" else None
    spec = FieldSpec(name="x", source="列", type=kind, unit=unit or UNITS.get(kind), codes=codes)
    factor = 10_000 if (spec.unit or "").startswith("万元") else 1
    return Column(spec, codes_of(spec), dirty or {}, factor, **more)


def read(kind, *cells, **how):
    values, reasons = FIELD_TYPES[kind].read(pl.Series(cells, dtype=pl.String), column_of(kind, **how))
    assert values.dtype == FIELD_TYPES[kind].dtype
    return list(zip(values.to_list(), reasons.to_list(), strict=True))


CASES = [
    # identity numbers
    *[
        ("resident_id", cell, ID, None)
        for cell in (
            ID,
            "11010519491231002x",
            "11010519491231002×",
            "11010519491231002Х",
            "11010519491231002х",
            "11010519491231002*",
            "１１０１０５１９４９１２３１００２Ｘ",
            " 110105 19491231 002X\u3000",
            "'11010519491231002X",
            '="11010519491231002X"',
            "\u200b11010519491231002X",
        )
    ],
    ("resident_id", "150902800101123", "150902800101123", None),
    ("resident_id", "150902800101123.0", "150902800101123", None),
    ("resident_id", "1.10105E+17", None, "id_lossy"),
    ("resident_id", "1.50902198001011E+17", None, "id_lossy"),
    ("resident_id", "110105194912310000", None, "id_lossy"),
    *[
        ("resident_id", cell, None, "id_placeholder")
        for cell in ("000000000000000000", "111111111111111111", "123456789012345678", "无", "不详", "XXXX")
    ],
    *[("resident_id", cell, None, None) for cell in ("", "NULL", r"\N", "-", "0", "9999", "  ")],
    ("resident_id", "150902********123X", "150902********123X", "id_masked"),
    ("resident_id", "110105194912310021", "110105194912310021", "id_checksum"),
    ("resident_id", "150902801301123", "150902801301123", "id_malformed"),
    ("resident_id", "1101051949123100", "1101051949123100", "id_malformed"),
    ("resident_id", "E12345678", "E12345678", "id_other_document"),
    ("resident_id", ID + "43", ID, "id_from_certificate"),
    # dates
    *[
        ("date", cell, date(1980, 1, 1), None)
        for cell in (
            "19800101",
            "1980-01-01",
            "1980-1-1",
            "1980/1/1",
            "1980.1.1",
            "1980年1月1日",
            "一九八〇年一月一日",
            "一九八○年元月一日",
            "1980-01-01 00:00:00",
            "1980/1/1 8:05",
            "19800101123000",
            "１９８０－０１－０１",
        )
    ],
    ("date", "45658", date(2025, 1, 1), None),
    ("date", "45658.75", date(2025, 1, 1), None),
    ("date", "20247", None, "date_ambiguous"),
    *[
        ("date", cell, date(2025, 10, 20), None)
        for cell in (
            "2025-10-19T16:00:00.000Z",
            "2025-10-19T16:00:00+00:00",
            "2025-10-20T00:00:00+08:00",
            "2025-10-20 23:59:59+08",
            "2025-10-19T19:00:00-0500",
        )
    ],
    ("month", "2025-10-31T16:00:00.000Z", date(2025, 11, 1), None),
    ("month", "20247", None, "date_ambiguous"),
    ("timestamp", "20247", None, "date_ambiguous"),
    ("timestamp", "2025-10-19T16:00:05.000Z", datetime(2025, 10, 20, 0, 0, 5), None),
    ("timestamp", "2025-10-19T16:00:05+00:00", datetime(2025, 10, 20, 0, 0, 5), None),
    ("timestamp", "2025-10-20T00:00:05+08:00", datetime(2025, 10, 20, 0, 0, 5), None),
    ("date", "一九七九年十二月三十一日", date(1979, 12, 31), None),
    ("date", "2000年2月二十九日", None, "date_unreadable"),
    ("date", "198001", None, "date_incomplete"),
    ("date", "1980-01", None, "date_incomplete"),
    ("date", "80.1.1", None, "date_ambiguous"),
    ("date", "01/02/1980", None, "date_ambiguous"),
    ("date", "0000-00-00", None, "date_impossible"),
    ("date", "00000000", None, "date_impossible"),
    ("date", "1900-01-00", None, "date_impossible"),
    ("date", "1979-02-29", None, "date_impossible"),
    ("date", "明天", None, "date_unreadable"),
    *[
        ("date", cell, None, None)
        for cell in ("", "NULL", "无", "不详", "-", "0", "9999", "长期", "99991231")
    ],
    # months, years, moments
    *[
        ("month", cell, date(2024, 7, 1), None)
        for cell in (
            "202407",
            "2024-07",
            "2024-7",
            "2024/7",
            "2024年7月",
            "2024年07月份",
            "20240715",
            "45474",
            "2024-07-01 00:00:00",
        )
    ],
    ("month", "202413", None, "month_unreadable"),
    ("month", "000000", None, None),
    ("year", "2024", 2024, None),
    ("year", "2024年", 2024, None),
    ("year", "2024.0", 2024, None),
    ("year", "24", None, "year_unreadable"),
    *[
        ("timestamp", cell, datetime(2024, 7, 1, 12, 0, 5), None)
        for cell in (
            "2024-07-01 12:00:05",
            "20240701120005",
            "2024/7/1 12:0:05",
            "2024-07-01T04:00:05.250Z",
            "2024年7月1日12时0分5秒",
        )
    ],
    ("timestamp", "2024-07-01", datetime(2024, 7, 1), None),
    ("timestamp", "2024-07-01 99:00:00", None, "date_unreadable"),
    # money
    ("money", "1,234.50", Decimal("1234.50"), None),
    ("money", "¥1234.5", Decimal("1234.50"), None),
    ("money", "￥１，２３４．５０元", Decimal("1234.50"), None),
    ("money", "-300", Decimal("-300.00"), None),
    ("money", "(300.10)", Decimal("-300.10"), None),
    ("money", "0", Decimal("0.00"), None),
    ("money", "9999", Decimal("9999.00"), None),
    ("money", "0.30000000000000004", Decimal("0.30"), None),
    ("money", "1.2万元", Decimal("12000.00"), "money_unit_converted"),
    ("money", "12元/月", Decimal("12.00"), None),
    ("money", "12元/年", None, "money_period_conflict"),
    ("money", "1.2E+05", None, "number_lossy"),
    ("money", "约500", None, "money_unreadable"),
    ("money", "12,34", None, "money_unreadable"),
    *[("money", cell, None, None) for cell in ("", "-", "无", "NULL", "不详")],
    # other numbers
    ("decimal", "12.5亩", Decimal("12.5000"), None),
    ("decimal", "１２．５", Decimal("12.5000"), None),
    ("decimal", "很多", None, "number_unreadable"),
    ("integer", "3", 3, None),
    ("integer", "3人", 3, None),
    ("integer", "2.0", 2, None),
    ("integer", "2.5", None, "number_unreadable"),
    ("integer", "0", 0, None),
    # yes and no
    *[("boolean", cell, True, None) for cell in ("是", "1", "Y", "y", "true", "TRUE", "有", "√")],
    *[("boolean", cell, False, None) for cell in ("否", "0", "N", "false", "×")],
    ("boolean", "也许", None, "boolean_unreadable"),
    ("boolean", "无", None, "boolean_unreadable"),
    ("boolean", "NULL", None, None),
    # codes
    *[
        ("code", cell, "01", None)
        for cell in ("01", "1", "01.0", "1.0", "汉族", "01-汉族", "汉族(01)", "０１")
    ],
    ("code", "火星族", None, "code_unknown"),
    ("code", "不详", None, None),
    # telephones
    ("phone", "13800000000", "13800000000", None),
    ("phone", "+86 138-0000-0000", "13800000000", None),
    ("phone", "１３８００００００００", "13800000000", None),
    ("phone", "13800000000.0", "13800000000", None),
    ("phone", "0474-8200000", "04748200000", None),
    ("phone", "138****0000", "138****0000", None),
    ("phone", "13800000000、13900000000", "13800000000", "phone_several"),
    ("phone", "1.38E+10", None, "number_lossy"),
    ("phone", "123", None, "phone_unreadable"),
    ("phone", "0", None, None),
    # names and texts
    ("person_name", "张　伟", "张　伟", None),
    ("person_name", " 张伟\u3000\u00a0", "张伟", None),
    ("person_name", "张\n伟", "张伟", None),
    ("person_name", "阿不都·买买提", "阿不都·买买提", None),
    ("person_name", "寮犱紵", "张伟", "mojibake_repaired"),
    ("person_name", "ÕÅÎ°", "张伟", "mojibake_repaired"),
    ("person_name", "锟斤拷", None, "mojibake"),
    ("person_name", "王\ufffd", "王\ufffd", "undecodable"),
    ("person_name", "\ufffd\ufffd", None, "undecodable"),
    ("person_name", "无", None, None),
    ("text", r"\N", None, None),
    ("text", "无", None, None),
    ("text", "0", "0", None),
    # numbers of documents and places
    ("identifier", "'00012", "00012", None),
    ("identifier", "00012.0", "00012", None),
    ("identifier", "1.2E+15", None, "number_lossy"),
    ("identifier", "（2020）字第1号", "（2020）字第1号", None),
    ("identifier", "无", None, None),
    ("account_no", "6222 0000 1111 2222", "6222000011112222", None),
    ("account_no", "6222****1234", "6222****1234", None),
    ("account_no", "6.222E+18", None, "number_lossy"),
    ("uscc", "91150902ma0n000018", "91150902MA0N000018", None),
    ("uscc", "查无", "查无", "uscc_malformed"),
    ("division_code", "150902", "150902", None),
    ("division_code", "150902000000", "150902", None),
    ("division_code", "1.50902E+11", None, "number_lossy"),
    ("division_code", "集宁", None, "place_unreadable"),
    ("village_code", "150902001001", "150902001001", None),
    ("village_code", "150902", None, "place_unreadable"),
    ("disability_cert_no", "11010519491231002x43b1", ID + "43B1", None),
    ("disability_cert_no", "1101", "1101", "certificate_malformed"),
    ("student_no", "g11010519491231002x", "G" + ID, None),
    # several values
    ("resident_id_list", f"{ID}、150902800101123", [ID, "150902800101123"], None),
    ("resident_id_list", f"{ID} ,无；150902800101123", [ID, None, "150902800101123"], "id_placeholder"),
    ("resident_id_list", "NULL", None, None),
    ("person_name_list", "张三、李四", ["张三", "李四"], None),
    ("person_name_list", "张三,李四；王五/赵六", ["张三", "李四", "王五", "赵六"], None),
    ("person_name_list", "张三 李四", ["张三", "李四"], None),
    ("person_name_list", "张　伟", ["张　伟"], None),
    ("text_list", "因病，因学", ["因病", "因学"], None),
]


@pytest.mark.parametrize(("kind", "cell", "value", "reason"), CASES)
def test_what_a_cell_means(kind, cell, value, reason):
    assert read(kind, cell) == [(value, reason)]


def test_every_kind_has_cases_and_reads_its_own_samples():
    assert {case[0] for case in CASES} | {"address"} == set(FIELD_TYPES)
    for kind in set(FIELD_TYPES) - {"code", "division_code"}:
        for value, reason in read(kind, *FIELD_TYPES[kind].samples):
            assert value is not None
            assert reason in (None, "id_checksum"), (kind, value)


def test_ten_thousands_are_multiplied_out_and_a_cell_may_say_otherwise():
    assert read("money", "1.2345678", "3万元", "500元", unit="万元") == [
        (Decimal("12345.68"), None),
        (Decimal("30000.00"), None),
        (Decimal("500.00"), "money_unit_converted"),
    ]


def test_a_workbook_may_count_its_days_from_1904():
    assert read("date", "44196", is_1904=True) == [(date(2025, 1, 1), None)]


def test_early_days_as_numbers_are_believed_of_births_only():
    birth = Column(FieldSpec(name="birth_date", source="出生日期", type="date"))
    cells = pl.Series(["29221", "29221.0", "45658", "10959"])
    days = [date(1980, 1, 1), date(1980, 1, 1), date(2025, 1, 1), date(1930, 1, 1)]
    assert FIELD_TYPES["date"].read(cells, birth)[0].to_list() == days


def test_dirty_values_of_the_contract_come_first():
    dirty = {"1900/1/1": None, "去年": "2024-12-31"}
    assert read("date", "1900/1/1", "去年", dirty=dirty) == [(None, None), (date(2024, 12, 31), None)]


QUICK = [name for name, kind in FIELD_TYPES.items() if kind.is_parsed or kind.plain]


@pytest.mark.parametrize("kind", QUICK)
def test_the_quick_way_says_the_same_as_the_careful_one(kind):
    """Whatever the quick way settles, the careful way reads alike: speed changes no value."""
    cells = [cell for name, cell, *_ in CASES if name == kind] + list(FIELD_TYPES[kind].samples)
    cells += [
        "0",
        "1",
        "2024",
        "202407",
        "20240701",
        "2024-07-01",
        "x",
        "无",
        "NULL",
        "12.5",
        "-3",
        "1e5",
        "00",
    ]
    how = FIELD_TYPES[kind]
    column = column_of(kind)
    careful, reasons = how.read(pl.Series(cells), column)
    settled = 0
    for first in cells:
        frame = pl.DataFrame({"v": cells})
        if how.is_parsed:
            quick = how.read_plain(frame["v"], column, first)
            sure = quick.is_not_null()
        else:
            stripped = [cell.strip(BLANKS) for cell in cells]
            frame = pl.DataFrame({"v": stripped})
            quick = frame["v"]
            tidy = not any(careful_reason and "mojibake" in careful_reason for careful_reason in reasons)
            sure = frame.select(
                how.plain(pl.col("v"), column, tidy and "\ufffd" not in "".join(cells)).alias("q")
            )["q"]
        settled += int(sure.sum())
        assert quick.filter(sure).equals(careful.filter(sure).rename(quick.name), null_equal=True)
    assert settled > 0


day = st.dates(date(1840, 1, 1), date(2210, 1, 1))


@given(
    st.lists(
        st.one_of(
            day.map(str),
            day.map(lambda d: d.strftime("%Y%m%d")),
            st.text("0123456789-/", max_size=11),
            st.none(),
        ),
        max_size=20,
    )
)
@settings(deadline=None)
def test_plain_dates_agree_with_the_calendar(cells):
    for form, shape in (("YYYYMMDD", "%Y%m%d"), ("YYYY-MM-DD", "%Y-%m-%d")):
        expected = []
        for cell in cells:
            try:
                found = datetime.strptime(cell or "", shape).date()
                good = len(cell) == len(form) and 1850 <= found.year <= 2199
            except ValueError:
                good = False
            expected.append(found if good else None)
        assert plain_dates.read(pl.Series(cells, dtype=pl.String), form).to_list() == expected


@given(st.datetimes(datetime(1850, 1, 1), datetime(2199, 12, 31)).map(lambda d: d.replace(microsecond=0)))
def test_plain_moments_agree_with_the_calendar(moment):
    for form, text in zip(
        plain_dates.MOMENT_FORMS,
        (
            str(moment),
            moment.strftime("%Y%m%d%H%M%S"),
            moment.strftime("%Y/%m/%d %H:%M:%S"),
            moment.isoformat(),
        ),
        strict=True,
    ):
        text = (
            text.zfill(len(form))
            if text[0].isdigit() and "T" not in form and "-" not in form and "/" not in form
            else text
        )
        assert plain_dates.form_of(text, plain_dates.MOMENT_FORMS) == form
        assert plain_dates.read(pl.Series([text]), form).to_list() == [moment]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("resident_id", "15090219800101123X", "150902************"),
        ("resident_id", "150902800101123", "150902*********"),
        ("resident_id", "*11010519491231002X", "*1***"),
        ("resident_id", "110105194912310021*", "11***"),
        ("resident_id", "1101051949123100**", "110105************"),
        ("village_code", "150902001001", "150902001***"),
        ("division_code", "150902", "150902"),
        ("student_no", "G11010519491231002X", "G110105************"),
        ("person_name", "张三", "张*"),
        ("phone", "13812345678", "138****5678"),
        ("account_no", "6222000011112222", "****2222"),
        (
            "address",
            "内蒙古自治区乌兰察布市集宁区新体路街道某社区3号楼",
            "内蒙古自治区乌兰察布市集宁区新体路街道***",
        ),
        ("disability_cert_no", "11010519491231002X43", "110105************"),
    ],
)
def test_masks(kind, value, shown):
    frame = pl.DataFrame({"v": [value]})
    assert frame.select(FIELD_TYPES[kind].mask(pl.col("v")))["v"].to_list() == [shown]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=10))
@settings(deadline=None)
def test_no_mask_shows_a_long_number_or_more_than_the_start_of_a_text(cells):
    series = pl.Series("v", [*cells, ID, f"住址{ID}附近"])
    for kind in FIELD_TYPES:
        for shown in series.to_frame().select(mask_text(kind, pl.col("v")))["v"].to_list():
            assert "1949" not in shown
            assert len(shown) <= 40


@pytest.mark.parametrize("kind", sorted(FIELD_TYPES))
@pytest.mark.parametrize(
    "cell",
    [
        "王小明",
        "150902 198001 011234",
        "139-0000-1234",
        "13900001234",
        "*11010519491231002X",
        "110105194912310021*",
        "1101051949123100**",
        "150902001001",
    ],
)
def test_a_cell_in_the_wrong_column_is_hidden_whatever_the_column_holds(kind, cell):
    shown = pl.DataFrame({"v": [cell]}).select(mask_text(kind, pl.col("v"))).item()
    assert shown.endswith(f"***（{len(cell)}字）")
    assert len(shown.split("***")[0]) <= 2


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("date", "2025-13-01"),
        ("date", "80.1.1"),
        ("date", "198013"),
        ("month", "2025年13月"),
        ("timestamp", "2024-07-01 99:00:00"),
        ("money", "50元"),
        ("money", "1.2E+05"),
        ("money", "12元/年"),
        ("integer", "3.5人"),
        ("code", "07"),
        ("boolean", "2"),
        ("division_code", "1509"),
    ],
)
def test_a_harmless_cell_is_shown_as_it_was_written(kind, cell):
    assert pl.DataFrame({"v": [cell]}).select(mask_text(kind, pl.col("v"))).item() == cell


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("附件_11010519491231002X.txt", "附件_110105***.txt"),
        ("附件_１１０１０５１９４９１２３１００２Ｘ", "附件_１１０１０５***"),
        ("ps_resident.150902202511170001.txt", "ps_resident.150902***.txt"),
        ("150902800101123", "150902***"),
        ("150902 19800101 1234", "150902***"),
        ("电话13900001234（新）", "电话139***（新）"),
        ("139-0000-1234", "139***"),
        ("ps_resident.full.txt", "ps_resident.full.txt"),
        ("ps_resident.150902_20251117_001.txt", "ps_resident.150902_20251117_001.txt"),
        ("20251117083000", "20251117083000"),
    ],
)
def test_names_of_files_sheets_and_columns_are_told_without_long_numbers(name, shown):
    assert hide_numbers(name) == shown


def test_no_message_repeats_a_number_from_a_name():
    log = IssueLog("ps_resident", date(2025, 11, 17), f"ps_resident.{ID}.txt")
    log.file("sheet_ignored", found=f"压缩包内的附件_王某_{ID}.txt")
    log.column("column_unknown", f"{ID}的电话13900001234")
    log.file("control_total", expected="金额", declared="1", found="123456789012345.67")
    text = str(log.frame("0" * 16).rows())
    assert ID[6:] not in text
    assert "13900001234" not in text
    assert "110105***" in text
    assert "123456789012345.67" in text


def test_a_masked_frame_holds_no_raw_identifier():
    spec = contract()
    frame = pl.DataFrame(
        {
            "id_no": [ID],
            "name": ["欧阳某某"],
            "sex": ["2"],
            "birth_date": [date(1949, 12, 31)],
            "address": ["集宁区某路一号"],
            "amount": [Decimal("5")],
        },
        schema=schema_of(spec),
    )
    shown = masked(frame, spec).row(0)
    assert shown == ("110105************", "欧*", "2", "1949", "集宁区***", "5.00")


@pytest.mark.parametrize(
    ("kind", "unit", "value", "text"),
    [
        ("date", None, date(2025, 1, 31), "20250131"),
        ("month", None, date(2025, 1, 1), "202501"),
        ("boolean", None, True, "是"),
        ("money", "元", Decimal("12.50"), "12.50"),
        ("money", "万元", Decimal("123456.78"), "12.345678"),
        ("resident_id_list", None, [ID, "150902800101123"], f"{ID}、150902800101123"),
        ("timestamp", None, datetime(2025, 1, 31, 8, 30), "2025-01-31 08:30:00"),
        ("code", None, "01", "01"),
    ],
)
def test_what_is_written_is_read_again(kind, unit, value, text):
    spec = column_of(kind, unit=unit).spec
    frame = pl.DataFrame({"v": pl.Series([value], dtype=FIELD_TYPES[kind].dtype)})
    written = frame.select(FIELD_TYPES[kind].text_of(pl.col("v"), spec))["v"].to_list()
    assert written == [text]
    assert read(kind, *written, unit=unit) == [(value, None)]


def test_null_stays_null_in_every_kind():
    for kind in FIELD_TYPES.values():
        frame = pl.DataFrame({"v": pl.Series([None], dtype=kind.dtype)})
        assert read(kind.name, None) == [(None, None)]
        assert frame.select(kind.text_of(pl.col("v"), column_of(kind.name).spec))["v"].to_list() in (
            [None],
            [""],
        )


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_no_cell_is_too_strange_to_be_read(cells):
    for kind in FIELD_TYPES:
        outcome = read(kind, *cells)
        assert len(outcome) == len(cells)
