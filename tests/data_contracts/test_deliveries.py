"""Files of every shape become the same rows of text."""

import io
import json
import tracemalloc
import zipfile
from datetime import date, datetime

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import delimited, deliveries, encodings
from data_contracts.delimited import split
from data_contracts.deliveries import Unreadable, open_delivery, prefetched
from data_contracts.encodings import decode, gb18030_to_utf8, private_use_map, repair_mojibake, sniff
from data_contracts.headers import match
from data_contracts.issues import IssueLog
from data_contracts.reading import read_delivery
from tests.data_contracts.contracts_for_reading import (
    FIXED_WIDTH,
    HEADER,
    HEADERS,
    ID,
    JSON,
    OTHER_ID,
    WIDTHS,
    WORKBOOK,
    contract,
    line,
)

ROWS = [line(), line(id_no=OTHER_ID, name="李四", sex="2", born="19800101", amount="-3.50")]
CELLS = [row.split("|") for row in ROWS]
NEWLINE = "\n"


def rows_of(content, spec=None):
    """Rows of text (in the order of the contract), data row numbers, what is odd, what is no data, the delivery."""
    spec = spec or contract()
    delivery = open_delivery(io.BytesIO(content), spec)
    rows, numbers, odd, other = [], [], [], 0
    for part in delivery.parts:
        places = {column.spec.name: place for place, column in match(part.headers, spec).columns.items()}
        for batch in part.batches:
            rows += [
                [(row[places[f.name]] or "") if f.name in places else "" for f in spec.fields]
                for row in batch.frame.rows()
            ]
            numbers += batch.rows.to_list()
            odd += batch.odd
            other += batch.other
    return rows, numbers, odd, other + delivery.other, delivery


# --- encodings --------------------------------------------------------------------------------------------------

ALL_TWO_BYTES = [bytes([a, b]) for a in range(0x81, 0xFF) for b in range(0x40, 0xFF) if b != 0x7F]


def test_both_decoders_give_the_same_text_for_every_two_bytes():
    assert encodings._Iconv().convert(b"a") == b"a"
    for start in range(0, len(ALL_TWO_BYTES), 190):
        block = b"|".join(ALL_TWO_BYTES[start : start + 190])
        assert gb18030_to_utf8(block) == gb18030_to_utf8(block, use_iconv=False)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_both_decoders_give_the_same_text_for_any_text(text):
    block = text.encode("gb18030")
    assert gb18030_to_utf8(block) == gb18030_to_utf8(block, use_iconv=False)


@given(st.binary(max_size=40))
def test_both_decoders_refuse_the_same_bytes(block):
    outcomes = []
    for use_iconv in (True, False):
        try:
            outcomes.append(gb18030_to_utf8(block, use_iconv=use_iconv))
        except UnicodeDecodeError:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


def test_private_use_becomes_the_standard_character():
    assert gb18030_to_utf8(bytes.fromhex("a8bc fe59 fe9f a6d9 fe51")).decode() == "ḿ龴䶮︐𠂇"
    assert decode("\ue863".encode(), "utf-8").utf8.decode() == "䶮"
    assert len(private_use_map()) == 91


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (HEADER, "gb18030", ("gb18030", 0)),
        (HEADER, "utf-8", ("utf-8", 0)),
        (HEADER, "utf-8-sig", ("utf-8", 3)),
        (HEADER, "utf-16", ("utf-16-le", 2)),
        ("id_no|name|sex", "utf-16-le", ("utf-16-le", 0)),
        ("id_no|name|sex", "utf-16-be", ("utf-16-be", 0)),
        ("联通", "gb18030", ("gb18030", 0)),
        ("plain", "utf-8", ("gb18030", 0)),
    ],
)
def test_the_encoding_is_seen(text, encoding, found):
    assert sniff(text.encode(encoding), declared="gb18030") == found


@given(
    st.lists(st.sampled_from(["欧阳娜娜", "张伟", "集宁区解放路", "abc"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_lines_of_another_encoding_are_read_in_it(words, is_gb):
    main, other = ("gb18030", "utf-8") if is_gb else ("utf-8", "gb18030")
    strange = "|".join(words)
    block = f"{HEADER}\n".encode(main) + f"{strange}\n".encode(other) + ROWS[0].encode(main) + b"\n"
    decoded = decode(block, main, b"|")
    assert decoded.utf8.decode().split("\n") == [HEADER, strange, ROWS[0], ""]
    assert (
        decoded.other_encoding in ([1], [])
        if strange.isascii()
        else decoded.other_encoding + decoded.mixed == [1]
    )


def test_a_cell_of_another_encoding_is_read_in_it():
    block = "张三|".encode("gb18030") + "欧阳娜娜".encode() + "|李四\n".encode("gb18030")
    decoded = decode(block, "gb18030", b"|")
    assert (decoded.utf8.decode(), decoded.mixed) == ("张三|欧阳娜娜|李四\n", [0])


def test_control_characters_are_taken_out_and_named():
    decoded = decode(b"a\x00b|c\nd|e\n\x1a", "gb18030", b"|")
    assert (decoded.utf8, decoded.control) == (b"ab|c\nd|e\n", [0, 2])


def test_bytes_that_mean_nothing_are_marked():
    decoded = decode(b"abc\n\xff\xff|x\n", "gb18030", b"|")
    assert decoded.damaged == [1]
    assert decoded.utf8.startswith(b"abc\n\xef\xbf\xbd")


@pytest.mark.parametrize("name", ["张伟", "欧阳娜娜", "王小明", "其木格"])
def test_mojibake_is_undone(name):
    assert repair_mojibake(name.encode().decode("gb18030", "replace")) in (name, None)
    assert repair_mojibake(name.encode("gb18030").decode("latin-1")) == name
    assert repair_mojibake(name) is None


# --- delimited --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", ["|", ",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ends", [True, False])
def test_encodings_separators_and_line_ends(encoding, separator, newline, ends):
    lines = [row.replace("|", separator) for row in (HEADER, *ROWS)]
    content = newline.join(lines) + (newline if ends else "")
    rows, numbers, odd, other, _ = rows_of(content.encode(encoding))
    assert (rows, numbers, odd, other) == (CELLS, [1, 2], [], 1)


def test_what_is_no_data_is_counted_and_takes_no_number():
    content = "\n".join(
        [
            "公安局常住人口",
            "",
            HEADER,
            ROWS[0],
            "",
            HEADER,
            "|||||",
            "合　计|||||99",
            ROWS[1],
            "总计：|2||||",
            "",
        ]
    )
    rows, numbers, odd, other, _ = rows_of(content.encode("gb18030"))
    assert (rows, numbers, odd) == (CELLS, [1, 2], [])
    assert other == 8


def test_ragged_rows_keep_their_place():
    content = "\n".join([HEADER, "1|2|3", ROWS[0], ROWS[1] + "|x|y", ROWS[1] + "||", ROWS[1]]) + "\n"
    rows, numbers, odd, _, _ = rows_of(content.encode("gb18030"))
    assert rows == [CELLS[0], CELLS[1], CELLS[1]]
    assert numbers == [2, 4, 5]
    assert [(o.at, o.reason, o.words["fields"]) for o in odd] == [(1, "ragged", 3), (3, "ragged", 8)]


def test_a_separator_at_every_line_end_is_no_column():
    content = "\n".join(row + "|" for row in (HEADER, *ROWS))
    assert rows_of(content.encode("gb18030"))[0] == CELLS


@pytest.mark.parametrize("surplus", [1, 3])
@pytest.mark.parametrize("quoted", [False, True])
def test_surplus_separators_go_a_block_at_a_time(monkeypatch, surplus, quoted):
    def judged(*_):
        raise AssertionError("a line was looked at by itself")

    monkeypatch.setattr(delimited, "_judge", judged)
    marks = "|" * surplus
    first = f'"a"|"b|{NEWLINE}{marks}"|c' if quoted else "a|b|c"
    text = f"{first}{marks}{NEWLINE}d|e|f{NEWLINE}g||{marks}{NEWLINE}"
    block = split(text.encode(), "|", 3, quoting=None, final=True)
    second = f"b|{NEWLINE}{marks}" if quoted else "b"
    assert block.frame.rows() == [("a", second, "c"), ("d", "e", "f"), ("g", None, None)]
    assert not block.odd


@pytest.mark.parametrize("ends", [("||", ""), ("| ", ""), ("|", "|"), ("||", "||"), ("", "||")])
def test_separators_at_the_end_of_header_or_rows_are_no_columns(ends):
    above, below = ends
    rows, numbers, odd, other, _ = rows_of(
        (HEADER + above + NEWLINE + NEWLINE.join(row + below for row in ROWS) + NEWLINE).encode("gb18030")
    )
    assert (rows, numbers, odd, other) == (CELLS, [1, 2], [], 1)


def test_an_unnamed_last_column_with_values_is_a_column():
    rows, _, odd, _, _ = rows_of(
        (HEADER + "|" + NEWLINE + NEWLINE.join(r + "|x" for r in ROWS)).encode("gb18030")
    )
    assert (rows, odd) == (CELLS, [])


def test_quotes_that_are_first_seen_late_are_understood():
    plain = [line(name=f"张{n}") for n in range(40)]
    late = line(name='"李""四"')
    torn = line(address='"集宁区' + NEWLINE + '解放路|3号"')
    rows, numbers, odd, _, _ = rows_of(NEWLINE.join([HEADER, *plain, late, torn]).encode("gb18030"))
    cells = [row.split("|") for row in plain]
    assert rows[:40] == cells
    assert rows[40][1] == '李"四'
    assert rows[41][4] == f"集宁区{NEWLINE}解放路|3号"
    assert (numbers, odd) == (list(range(1, 43)), [])


def test_one_stray_quote_leaves_the_rest_of_a_block_as_it_is():
    lines = [f"a{n}|b|c" for n in range(400)]
    lines[100], lines[150], lines[300] = '"a100|b|c', "a|b", ""
    block = split(NEWLINE.join([*lines, ""]).encode(), "|", 3, quoting=None, final=True)
    expected = [tuple(text.split("|")) for text in lines if text.count("|") == 2]
    assert block.frame.rows() == expected
    assert block.at.tolist() == [n for n in range(400) if n not in (150, 300)]
    assert [(odd.at, odd.raw) for odd in block.odd] == [(150, "a|b")]
    assert (block.blank, block.lines) == (1, 400)


def test_quotes_within_a_field_stay():
    rows, _, odd, _, _ = rows_of(NEWLINE.join([HEADER, line(name='张"三"')]).encode("gb18030"))
    assert (rows[0][1], odd) == ('张"三"', [])


def test_quotes_hold_separators_quotes_and_line_breaks():
    body = [[ID, 'a "b" c', "1", "19491231", "第一行\n第二行,完", "1"], [OTHER_ID, "", "2", "", "x", "2"]]
    quoted = "\n".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [HEADERS, *body]
    )
    rows, numbers, odd, _, _ = rows_of(quoted.encode(), contract())
    assert (rows, numbers, odd) == (body, [1, 2], [])


def test_stray_quotes_do_not_swallow_the_file():
    lines = [HEADER, f'{ID}|"开头|1|19491231|a|1', f'{ID}|5" 管|1|19491231|a|2', '"|1|2', *ROWS * 60]
    rows, _, odd, _, _ = rows_of("\n".join(lines).encode("gb18030"), contract(DELIMITED_QUOTED))
    assert [row[5] for row in rows[:2]] == ["1", "2"]
    assert len(rows) == 122
    assert [o.at for o in odd] == [3]


DELIMITED_QUOTED = {
    "format": "delimited",
    "delimiter": "|",
    "quoted": True,
    "encoding": "gb18030",
    "suffix": "txt",
}


@given(
    st.lists(st.lists(st.text('ab",|\n', max_size=5), min_size=3, max_size=3), min_size=1, max_size=12),
    st.integers(1, 40),
)
@settings(deadline=None)
def test_blocks_may_be_cut_anywhere_between_lines(table, step):
    """Well-formed quoted text gives the same rows however it is cut."""
    table = [["x" + cell for cell in row] for row in table]
    lines = "".join(",".join('"' + c.replace('"', '""') + '"' for c in row) + "\n" for row in table).encode()
    rows, rest, pieces = [], b"", lines.splitlines(keepends=True)
    for start in range(0, len(pieces), step):
        final = start + step >= len(pieces)
        block = split(rest + b"".join(pieces[start : start + step]), ",", 3, quoting=True, final=final)
        rows += [list(row) for row in block.frame.rows()]
        assert not block.odd
        rest = block.rest
    assert rows == table
    assert rest == b""


@given(st.text('ab"|\n ', max_size=80), st.booleans())
@settings(deadline=None)
def test_no_line_is_lost(text, quoting):
    block = split(text.encode(), "|", 3, quoting=quoting, final=True)
    counted = block.frame.height + len(block.odd) + block.blank
    lines = text.count("\n") + (not text.endswith("\n") and text != "")
    assert counted == lines if not quoting or '"' not in text else counted <= lines
    assert all(len(row) == 3 for row in block.frame.rows())
    letters = sum("".join(cell or "" for cell in row).count("a") for row in block.frame.rows())
    assert letters + sum(o.raw.count("a") for o in block.odd) == text.count("a")


def test_a_long_file_is_read_in_blocks(monkeypatch):
    monkeypatch.setattr(deliveries, "BLOCK_BYTES", 700)
    monkeypatch.setattr(deliveries, "HEAD_BYTES", 300)
    body = [line(name=f"人{n}", address='"a\nb"' if n % 7 == 0 else "c") for n in range(500)]
    rows, numbers, odd, _, _ = rows_of(
        "\n".join([HEADER, *body]).encode("gb18030"), contract(DELIMITED_QUOTED)
    )
    assert [row[1] for row in rows] == [f"人{n}" for n in range(500)]
    assert numbers == list(range(1, 501))
    assert not odd


def test_a_file_without_a_header_is_read_in_the_order_of_the_contract():
    rows, _, _, other, delivery = rows_of("\n".join(ROWS).encode("gb18030"))
    assert (rows, other) == (CELLS, 0)
    assert [note.reason for note in delivery.notes] == ["header_absent"]


@pytest.mark.parametrize(
    "content", [b"", b"  \n\x00\x1a\n", "说明|文字\n1|2\n".encode(), b"\x00\x01\x02\x03"]
)
def test_what_is_no_delivery_says_so(content):
    with pytest.raises(Unreadable):
        rows_of(content)


# --- fixed width ------------------------------------------------------------------------------------------------


def fixed(cells, encoding="gb18030"):
    return b"".join(
        cell.encode(encoding).ljust(width)[:width] for cell, width in zip(cells, WIDTHS, strict=True)
    )


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_fixed_width_is_cut_by_bytes(encoding, newline):
    lines = [fixed(cells, encoding) for cells in CELLS]
    lines += [b"short", lines[0].rstrip()]
    rows, numbers, odd, _, delivery = rows_of(newline.join(lines) + newline, contract(FIXED_WIDTH))
    assert delivery.format == "fixed_width"
    assert [[cell.strip() for cell in row] for row in rows] == [*CELLS, CELLS[0]]
    assert numbers == [1, 2, 4]
    assert [(o.at, o.reason) for o in odd] == [(3, "fixed_width")]


def test_a_delimited_file_of_a_fixed_width_class_is_seen():
    assert rows_of("\n".join([HEADER, *ROWS]).encode("gb18030"), contract(FIXED_WIDTH))[0] == CELLS


# --- workbooks --------------------------------------------------------------------------------------------------


def workbook(write):
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    write(book)
    book.close()
    return target.getvalue()


def test_titles_two_row_headers_blanks_totals_and_several_sheets():
    def write(book):
        sheet = book.add_worksheet("一月")
        sheet.merge_range(0, 0, 0, 5, "救助台账")
        sheet.merge_range(1, 0, 2, 0, "公民身份号码")
        sheet.merge_range(1, 1, 1, 3, "基本情况")
        sheet.write_row(2, 1, ["姓名", "性别", "出生日期"])
        sheet.merge_range(1, 4, 2, 4, "住址")
        sheet.merge_range(1, 5, 2, 5, "月收入")
        sheet.write_row(3, 0, CELLS[0][:3])
        sheet.write_datetime(3, 3, datetime(1949, 12, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_row(3, 4, ["集宁区", 100])
        sheet.write_row(5, 0, ["合计", None, None, None, None, 100])
        book.add_worksheet("说明").write(0, 0, "填表说明")
        more = book.add_worksheet("二月")
        more.write_row(0, 0, HEADERS)
        more.write_row(1, 0, CELLS[1])

    rows, numbers, _, other, delivery = rows_of(workbook(write), contract(WORKBOOK))
    assert rows[0] == [ID, "张三", "1", "1949-12-31 00:00:00", "集宁区", "100"]
    assert rows[1] == CELLS[1]
    assert numbers == [1, 2]
    assert other == 3 + 2 + 1
    assert [note.words["found"] for note in delivery.notes] == ["工作表说明"]


def test_numbers_that_lost_their_digits_are_told_from_texts():
    def write(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADERS)
        sheet.write_number(1, 0, 150902198001011232)
        sheet.write_string(2, 0, "150902198001011000")
        sheet.write_number(3, 0, 150902800101123)

    rows = rows_of(workbook(write), contract(WORKBOOK))[0]
    assert [row[0] for row in rows] == ["1E+17", "150902198001011000", "150902800101123"]


def test_a_workbook_that_counts_from_1904_says_so():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"date_1904": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADERS)
    sheet.write_row(1, 0, CELLS[0])
    book.close()
    parts = list(open_delivery(io.BytesIO(target.getvalue()), contract(WORKBOOK)).parts)
    assert [part.is_1904 for part in parts] == [True]


def test_a_torn_workbook_cannot_be_read():
    content = workbook(lambda book: book.add_worksheet().write_row(0, 0, HEADERS))
    with pytest.raises(Unreadable):
        rows_of(content[:-200], contract(WORKBOOK))


# --- JSON -------------------------------------------------------------------------------------------------------

OBJECTS = [dict(zip(HEADERS, cells, strict=True)) for cells in CELLS]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("shape", ["array", "lines", "envelope", "indented"])
def test_json_in_its_shapes(shape, encoding):
    text = {
        "array": json.dumps(OBJECTS, ensure_ascii=False),
        "lines": "\n".join(json.dumps(o, ensure_ascii=False) for o in OBJECTS),
        "envelope": json.dumps({"code": 0, "msg": "成功", "data": OBJECTS}, ensure_ascii=False),
        "indented": json.dumps(OBJECTS, ensure_ascii=False, indent=2),
    }[shape]
    rows, numbers, odd, _, delivery = rows_of(text.encode(encoding), contract(JSON))
    assert (rows, numbers, odd) == (CELLS, [1, 2], [])
    assert delivery.is_truncated is None


def test_numbers_in_json_keep_their_digits():
    text = '[{"公民身份号码": 150902198001011232, "姓名": "张三", "月收入": 0.10, "住址": null, "性别": 1}]'
    assert rows_of(text.encode(), contract(JSON))[0] == [["150902198001011232", "张三", "1", "", "", "0.10"]]


def test_torn_json_keeps_what_came_before():
    text = "\n".join(json.dumps(o, ensure_ascii=False) for o in OBJECTS)
    rows, _, odd, _, delivery = rows_of((text + "\n{oops}\n" + text[:30]).encode(), contract(JSON))
    assert rows == CELLS
    assert [o.at for o in odd] == [3, 4]
    assert delivery.is_truncated


# --- parts beside the data --------------------------------------------------------------------------------------


def reading_of(folder, content, name):
    spec = contract()
    path = folder / name
    path.write_bytes(content)
    found = read_delivery(spec, path, batch_date=date(2025, 11, 17), lake=folder / "lake")
    book = found.ledger
    assert book["rows_received"] == book["rows_accepted"] + book["rows_rejected"] + book["rows_quarantined"]
    return book, found.issues


def zip_of(*members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


SUMMARY = NEWLINE.join(["姓名|性别|人数", "张三|1|5", "李四|2|6"]).encode("gb18030")
INCOMPLETE = NEWLINE.join(["姓名|性别|出生日期|住址|月收入", "张三|1|19491231|集宁区|100"]).encode("gb18030")
COMPLETE = NEWLINE.join([HEADER, *ROWS]).encode("gb18030")


@pytest.mark.parametrize("names", [("a.txt", "b.txt"), ("b.txt", "a.txt")])
def test_a_summary_beside_the_data_is_left_aside(tmp_path, names):
    book, issues = reading_of(
        tmp_path, zip_of((names[0], COMPLETE), (names[1], SUMMARY)), f"zz_test.{ID}.zip"
    )
    counts = [
        book[key] for key in ("status", "rows_received", "rows_accepted", "rows_rejected", "rows_other")
    ]
    assert counts == ["accepted", 2, 2, 0, 4]
    found = issues.filter(reason="part_incomplete")
    assert found.select("severity", "rows").rows() == [("warning", 1)]
    assert f"“{names[1]}”缺少必需的列（公民身份号码）" in found["message_zh"][0]
    assert book["file"] == "zz_test.110105***.zip"
    assert ID not in str(issues.rows())


@pytest.mark.parametrize("names", [("a.txt", "b.txt"), ("b.txt", "a.txt")])
def test_a_part_without_a_required_column_does_not_take_the_others_with_it(tmp_path, names):
    book, issues = reading_of(tmp_path, zip_of((names[0], COMPLETE), (names[1], INCOMPLETE)), "zz_test.zip")
    counts = [
        book[key] for key in ("status", "rows_received", "rows_accepted", "rows_rejected", "rows_other")
    ]
    assert counts == ["accepted", 3, 2, 1, 2]
    assert issues.filter(reason="part_incomplete")["rows"].to_list() == [1]
    assert "column_missing" not in issues["reason"].to_list()


def test_a_file_of_incomplete_parts_only_is_refused(tmp_path):
    book, issues = reading_of(tmp_path, zip_of(("a.txt", SUMMARY), ("b.txt", INCOMPLETE)), "zz_test.zip")
    assert (book["status"], book["rows_received"], book["rows_rejected"]) == ("rejected", 3, 3)
    assert issues.filter(reason="column_missing")["rows"].to_list() == [3]


# --- zip --------------------------------------------------------------------------------------------------------


def packed(members):
    """A zip as Windows packs it: names in GBK, and no word about it."""
    target = io.BytesIO()
    stand_ins = {}
    with zipfile.ZipFile(target, "w") as archive:
        for number, (name, content) in enumerate(members):
            raw = name.encode("gb18030")
            stand_ins[bytes([97 + number]) * len(raw)] = raw
            info = zipfile.ZipInfo(chr(97 + number) * len(raw))
            archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)
    packed = target.getvalue()
    for stand_in, raw in stand_ins.items():
        packed = packed.replace(stand_in, raw)
    return packed


def test_a_zip_of_several_members_is_one_delivery():
    book = workbook(lambda b: b.add_worksheet().write_row(0, 0, HEADERS))
    content = packed(
        [
            ("人口/第二部分.txt", "\n".join([HEADER, ROWS[1]]).encode("gb18030")),
            ("人口/第一部分.csv", "\n".join([HEADER, ROWS[0]]).replace("|", ",").encode()),
            ("空表.xlsx", book),
            ("__MACOSX/第一部分.csv", b"x"),
            ("说明.txt", "本压缩包".encode()),
        ]
    )
    rows, numbers, _, _, delivery = rows_of(content)
    assert sorted(rows) == sorted(CELLS)
    assert numbers == [1, 2]
    assert [note.words["found"] for note in delivery.notes if note.reason == "sheet_ignored"] == [
        "压缩包内的说明.txt"
    ]


def test_names_of_members_are_read_as_gbk():
    content = packed([("人口.txt", "\n".join([HEADER, ROWS[0]]).encode("gb18030"))])
    assert [part.name for part in open_delivery(io.BytesIO(content), contract()).parts] == ["人口.txt"]


def test_a_torn_zip_keeps_what_can_be_unpacked():
    body = "\n".join([HEADER, *(line(name=f"人{n}", address=f"第{n * 7919 % 9973}号") for n in range(2000))])
    content = packed([("a.txt", body.encode("gb18030"))])
    rows, _, _, _, delivery = rows_of(content[: len(content) // 2])
    assert 100 < len(rows) < 2000
    assert delivery.is_truncated == "压缩包不完整"


def test_a_torn_zip_is_not_unpacked_without_end(monkeypatch):
    monkeypatch.setattr(deliveries, "LARGEST_SALVAGED", 1 << 20)
    monkeypatch.setattr(deliveries, "BLOCK_BYTES", 1 << 16)
    text = NEWLINE.join([HEADER, *ROWS]).encode("gb18030")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.txt", bytes(64 << 20))
        archive.writestr("good.txt", text)
    torn = target.getvalue()[:-60]
    tracemalloc.start()
    rows, _, _, _, delivery = rows_of(torn)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == CELLS
    assert peak < 16 << 20
    assert "压缩包内的bomb.txt（过大）" in [note.words.get("found") for note in delivery.notes]


def test_a_zip_of_nothing_cannot_be_read():
    for content in (b"PK\x03\x04rubbish", packed([]), packed([("a.txt", b"rubbish")])):
        with pytest.raises(Unreadable):
            rows_of(content)


# --- headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "factor", "refused"),
    [
        ("月收入", 1, False),
        (" 月 收入 ", 1, False),
        ("amount", 1, False),
        ("月收入(元)", 1, False),
        ("月收入（万元）", 10_000, False),
        ("月收入(元/月)", 1, False),
        ("月收入（元/年）", None, True),
        ("年收入", None, True),
        ("年收入(万元)", None, True),
    ],
)
def test_units_and_periods_in_headers(header, factor, refused):
    found = match(["公民身份号码", "姓名", header], contract())
    assert (2 in found.refused) == refused
    if not refused:
        assert found.columns[2].factor == factor
    assert not found.missing


def test_the_contract_may_say_ten_thousands_and_the_header_yuan():
    spec = contract(
        fields=[
            {"name": "id_no", "source": "号", "type": "resident_id"},
            {"name": "loss", "source": "损失", "type": "money", "unit": "万元"},
        ],
        subjects=[],
    )
    assert match(["号", "损失"], spec).columns[1].factor == 10_000
    assert match(["号", "损失(元)"], spec).columns[1].factor == 1


def test_unknown_twice_and_missing_columns_are_named():
    found = match(["姓名", "姓名", "备注", None, ""], contract())
    assert (found.unknown, found.twice) == (["备注"], ["姓名"])
    assert [spec.name for spec in found.missing] == ["id_no"]


# --- the thread that reads ahead --------------------------------------------------------------------------------


def test_reading_ahead_keeps_order_and_passes_errors_on():
    def items():
        yield 1
        yield 2
        raise KeyError("x")

    taken = []
    with pytest.raises(KeyError):
        taken.extend(prefetched(items()))
    assert list(prefetched(iter(range(100)))) == list(range(100))


def test_reading_ahead_stops_when_nobody_reads_any_more():
    made = []

    def items():
        for number in range(1000):
            made.append(number)
            yield number

    ahead = prefetched(items())
    assert next(ahead) == 0
    ahead.close()
    assert len(made) < 10


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=60)
def test_any_bytes_are_read_or_refused(content):
    try:
        rows, numbers, odd, other, _ = rows_of(content)
    except Unreadable:
        return
    assert len(rows) == len(numbers)
    assert sorted([*numbers, *(o.at for o in odd)]) == list(range(1, len(rows) + len(odd) + 1))
    assert other >= 0


def test_polars_frames_are_text_only():
    rows = open_delivery(io.BytesIO("\n".join([HEADER, *ROWS]).encode("gb18030")), contract())
    frames = [batch.frame for part in rows.parts for batch in part.batches]
    assert {dtype for frame in frames for dtype in frame.dtypes} == {pl.String()}


@pytest.mark.parametrize("filler", [0, 1, encodings._STEP - 2, encodings._STEP - 1, encodings._STEP])
@pytest.mark.parametrize("strange", ["锟斤拷", " |", "| ", "\u3000", "\x00"])
def test_what_makes_a_block_untidy_is_seen_wherever_it_stands(filler, strange):
    plain = "a" * filler + "|b c|张伟\n"
    assert decode(plain.encode("gb18030"), "gb18030", b"|").is_tidy
    assert not decode(("a" * filler + strange + "\n").encode("gb18030"), "gb18030", b"|").is_tidy


@pytest.mark.parametrize(
    ("wrong", "right"), [("utf-8", "latin-1"), ("utf-8", "gb18030"), ("gb18030", "latin-1")]
)
def test_a_garbled_header_is_called_an_error_of_encoding(wrong, right):
    text = "\n".join([HEADER, *ROWS]).encode(wrong).decode(right, "replace")
    with pytest.raises(Unreadable) as caught:
        list(open_delivery(io.BytesIO(text.encode()), contract()).parts)
    assert caught.value.reason == "header_garbled"


def test_text_without_a_header_is_not_called_garbled():
    with pytest.raises(Unreadable) as caught:
        list(open_delivery(io.BytesIO("说明：本月没有数据\n请查收\n".encode()), contract()).parts)
    assert caught.value.reason == "header_not_found"


def test_a_finding_about_a_file_counts_once(tmp_path):
    log = IssueLog("ps_death", date(2025, 11, 20), "ps_death.csv")
    log.file("held_truncated", found="最后一行不完整")
    assert log.frame("d1")["rows"].to_list() == [1]
