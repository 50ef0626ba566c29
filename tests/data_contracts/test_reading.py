"""What becomes of a file: every row is accepted for, every finding says where and what to do."""

import hashlib
import io
import json
import zipfile
from datetime import date
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts import deliveries, reading
from data_contracts.contract import catalogue, codes_of
from data_contracts.field_types import FIELD_TYPES, schema_of
from data_contracts.issues import CELLS_NAMED, ISSUES, REASONS
from data_contracts.ledger import LEDGER, Ledger
from data_contracts.reading import QUARANTINE, read_delivery
from data_contracts.resident_id import check_character
from tests.data_contracts.contracts_for_reading import (
    DELIMITED,
    FIXED_WIDTH,
    HEADER,
    HEADERS,
    ID,
    JSON,
    OTHER_ID,
    WORKBOOK,
    contract,
    line,
)

NIGHT = date(2025, 11, 17)
PARTS = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")


class Read:
    """A file that was read, with what it left in the lake."""

    def __init__(self, folder, content, spec=None, name="zz_test.txt", night=NIGHT, **how):
        spec = spec or contract()
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("gb18030"))
        lake = folder / "lake"
        reading = read_delivery(spec, path, batch_date=night, lake=lake, **how)
        self.book, self.issues = reading.ledger, reading.issues
        place = f"{spec.id}/batch_date={night}/{self.book['delivery_id']}.parquet"
        self.accepted_path, self.quarantine_path = lake / "accepted" / place, lake / "quarantine" / place
        self.accepted = pl.read_parquet(self.accepted_path) if self.accepted_path.exists() else None
        self.quarantine = pl.read_parquet(self.quarantine_path) if self.quarantine_path.exists() else None
        assert not list(lake.rglob("*.draft"))
        assert list(self.book) == list(LEDGER)
        assert self.issues.schema == ISSUES
        assert self.book["rows_received"] == sum(self.book[part] for part in PARTS)
        assert (0 if self.accepted is None else self.accepted.height) == self.book["rows_accepted"]
        kept = self.book["rows_rejected"] + self.book["rows_quarantined"]
        assert (0 if self.quarantine is None else self.quarantine.height) == kept

    def counts(self):
        return tuple(self.book[part] for part in ("rows_received", *PARTS, "rows_other"))

    def reasons(self):
        return self.issues["reason"].to_list()

    def message(self, reason):
        found = self.issues.filter(pl.col("reason") == reason)
        assert found.height == 1, self.reasons()
        return found["message_zh"][0]

    def row(self, number):
        return self.accepted.filter(pl.col("_row") == number).drop("_delivery_id", "_row").row(0, named=True)


@pytest.fixture
def read(tmp_path):
    return lambda content, *args, **how: Read(tmp_path, content, *args, **how)


def lines(*rows):
    return "\n".join([HEADER, *rows]) + "\n"


def other_ids(count):
    bodies = pl.Series([f"150902{1950 + n // 900}0101{100 + n % 900}" for n in range(count)])
    return (bodies + check_character(bodies)).to_list()


# --- a plain file -----------------------------------------------------------------------------------------------


def test_a_plain_file_becomes_typed_rows(read):
    result = read(
        lines(line(), line(id_no=OTHER_ID, name="李四", sex="女", born="1980-1-1", amount="1,234.5"))
    )
    assert result.counts() == (2, 2, 0, 0, 0, 1)
    assert result.book["status"] == "accepted"
    assert result.accepted.schema == pl.Schema(
        {"_delivery_id": pl.String(), "_row": pl.Int64(), **schema_of(contract())}
    )
    assert result.row(2) == {
        "id_no": OTHER_ID,
        "name": "李四",
        "sex": "2",
        "birth_date": date(1980, 1, 1),
        "address": "集宁区",
        "amount": Decimal("1234.50"),
    }
    assert result.accepted["_delivery_id"].unique().to_list() == [result.book["delivery_id"]]
    assert result.issues.is_empty()


def test_the_same_file_gives_the_same_bytes(tmp_path):
    content = lines(*(line(id_no=number) for number in other_ids(300)), "1|2|3")
    outcomes = []
    for attempt in ("one", "two"):
        (tmp_path / attempt).mkdir()
        result = Read(tmp_path / attempt, content)
        outcomes.append(
            (
                result.book,
                result.accepted_path.read_bytes(),
                result.quarantine_path.read_bytes(),
                result.issues.write_csv(),
            )
        )
    assert outcomes[0] == outcomes[1]


def test_the_delivery_id_is_content_and_name(read):
    content = lines(line()).encode("gb18030")
    digest = hashlib.sha256(content).hexdigest()
    expected = hashlib.sha256(f"{digest}zz_test.full.txt".encode()).hexdigest()[:16]
    assert read(content, name="zz_test.full.txt").book["delivery_id"] == expected


@pytest.mark.parametrize(
    ("name", "manifest", "kind"),
    [
        ("zz_test.txt", {}, "full"),
        ("zz_test.delta.txt", {"kind": "full"}, "delta"),
        ("zz_test.第一部分.txt", {"kind": "delta"}, "delta"),
        ("zz_test.full.txt", {}, "full"),
    ],
)
def test_full_or_delta(read, name, manifest, kind):
    assert read(lines(line()), name=name, manifest_entry=manifest).book["kind"] == kind


def test_every_type_survives_the_lake(tmp_path):
    codes = {"1": "是", "2": "否"}
    fields = [
        {
            "name": f"f_{kind}",
            "source": f"列{number}",
            "type": kind,
            **({"codes": codes} if kind == "code" else {}),
            **({"unit": "元"} if kind == "money" else {}),
        }
        for number, kind in enumerate(FIELD_TYPES)
    ]
    spec = contract(fields=fields, grain=["f_identifier"], subjects=[])
    cells = [FIELD_TYPES[field["type"]].samples[0] for field in fields]
    content = "\n".join(
        [
            "|".join(f["source"] for f in fields),
            "|".join(cells),
            "|".join("x" if f["type"] == "identifier" else "" for f in fields),
        ]
    )
    result = Read(tmp_path, content, spec)
    assert result.accepted.drop("_delivery_id", "_row").schema == schema_of(spec)
    first, second = result.accepted.drop("_delivery_id", "_row").rows()
    assert all(value is not None for value in first)
    assert [value is None for value in second].count(False) == 1
    columns = duckdb.sql(f"describe select * from read_parquet('{result.accepted_path}')").fetchall()
    types = {name: kind for name, kind, *_ in columns}
    assert types["f_money"] == "DECIMAL(18,2)"
    assert types["f_text_list"] == "VARCHAR[]"
    assert types["f_timestamp"] == "TIMESTAMP"
    assert types["f_month"] == "DATE"
    assert types["f_code"] == "VARCHAR"


# --- rows that are not accepted ---------------------------------------------------------------------------------


def test_a_row_without_its_key_is_rejected(read):
    result = read(lines(line(id_no=""), line(id_no="无"), line()))
    assert result.counts() == (3, 1, 2, 0, 0, 1)
    assert result.quarantine.schema == QUARANTINE
    assert result.quarantine.select("_row", "disposition", "reason").rows() == [
        (1, "rejected", "grain_missing:id_no"),
        (2, "rejected", "grain_missing:id_no"),
    ]
    assert result.quarantine["raw"][0] == line(id_no="")


def test_a_row_without_a_part_of_its_key_that_may_lack_is_taken_and_the_empty_cell_is_told(read):
    result = read(lines(line(id_no=""), line()), contract(grain=["id_no", "name"], grain_may_lack=["id_no"]))
    assert result.counts() == (2, 2, 0, 0, 0, 1)
    assert result.accepted["id_no"].null_count() == 1
    assert result.issues.select("row", "field", "reason").rows() == [(1, "id_no", "required_empty")]


def test_a_row_that_names_nobody_is_rejected(read):
    spec = contract(
        grain=["address"], fields=[{**f, "nullable": True} for f in contract().model_dump()["fields"]]
    )
    result = read(lines(line(id_no="不详", name="无"), line(id_no="不详", name="张三"), line(name="")), spec)
    assert result.counts() == (3, 2, 1, 0, 0, 1)
    assert result.quarantine["reason"].to_list() == ["names_nobody"]
    assert "第1行" in result.message("names_nobody")


def test_identical_rows_count_once_and_corrections_stay(read):
    rows = [line(), line(amount="-100"), line(), line(sex="男"), line(address=" 集宁区 ")]
    result = read(lines(*rows))
    assert result.counts() == (5, 2, 0, 3, 0, 1)
    assert result.accepted["_row"].to_list() == [1, 2]


def test_identical_rows_are_found_across_batches(read, monkeypatch):
    monkeypatch.setattr(deliveries, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(deliveries, "HEAD_BYTES", 500)
    rows = [line(id_no=number) for number in other_ids(400)]
    result = read(lines(*rows, *rows[::-1], rows[7]))
    assert result.counts() == (801, 400, 0, 401, 0, 1)
    assert result.accepted["_row"].to_list() == list(range(1, 401))


def test_ragged_rows_are_quarantined_with_their_text(read):
    result = read(lines(line(), "1|2|3", line(id_no=OTHER_ID) + "|多"))
    assert result.counts() == (3, 1, 0, 0, 2, 1)
    assert result.quarantine.select("_row", "disposition", "reason", "raw").rows() == [
        (2, "quarantined", "ragged", "1|2|3"),
        (3, "quarantined", "ragged", line(id_no=OTHER_ID) + "|多"),
    ]
    assert "zz_test.txt数据第2行" in result.issues["message_zh"][0]
    assert "应为6列" in result.issues["message_zh"][0]


# --- cells ------------------------------------------------------------------------------------------------------


def test_an_issue_says_where_what_and_what_to_do_and_shows_no_raw_value(read):
    result = read(
        lines(line(), line(id_no="110105194912310021", name="欧阳某某", born="80.1.1", amount="约三千"))
    )
    assert result.row(2)["birth_date"] is None
    found = result.issues.select(
        "row", "column", "field", "reason", "severity", "masked_value", "rows"
    ).rows()
    assert (2, "出生日期", "birth_date", "date_ambiguous", "warning", "80.1.1", 1) in found
    assert (2, "公民身份号码", "id_no", "id_checksum", "warning", "11***（18字）", 1) in found
    assert result.message("money_unreadable") == "zz_test.txt数据第2行“月收入”列：不是金额，已置空"
    assert result.issues["action_zh"].str.len_chars().min() > 3
    everything = result.issues.write_csv()
    assert "19491231" not in everything
    assert "欧阳" not in everything


def test_a_column_that_a_spreadsheet_cut_is_not_believed(read):
    """One id in eleven survives the loss of its digits with a right check character; the column gives it away."""
    damaged = [number[:15] + "000" for number in other_ids(40)]
    bodies = pl.Series(
        [f"150902{year}0101{hundred}00" for year in range(1950, 1999) for hundred in range(1, 10)]
    )
    right = next(n for n in (bodies + check_character(bodies)).to_list() if n.endswith("000"))
    spec = contract(fields=[{**f, "nullable": True} for f in contract().model_dump()["fields"]])
    rows = [
        line(id_no=number, name=f"人{n}") for n, number in enumerate([*damaged, *([right] if right else [])])
    ]
    result = read(lines(*rows), spec)
    assert result.accepted["id_no"].null_count() == result.accepted.height == len(rows)
    assert set(result.reasons()) == {"id_lossy"}
    alone = read(lines(line(id_no=right), *(line(id_no=n) for n in other_ids(5))), spec, name="alone.txt")
    assert alone.accepted["id_no"][0] == right


def test_many_bad_cells_are_named_up_to_a_limit_and_then_counted(read):
    result = read(lines(*(line(id_no=number, born="80.1.1") for number in other_ids(CELLS_NAMED + 50))))
    found = result.issues.filter(pl.col("reason") == "date_ambiguous")
    assert found.height == CELLS_NAMED + 1
    assert found["rows"].sum() == CELLS_NAMED + 50


def test_an_empty_cell_of_a_column_that_may_not_be_empty(read):
    fields = contract().model_dump()["fields"]
    fields[1]["nullable"] = False
    result = read(lines(line(name=""), line(id_no=OTHER_ID)), contract(fields=fields))
    assert result.message("required_empty") == "zz_test.txt数据第1行“姓名”列：不应为空而为空"
    assert result.book["rows_accepted"] == 2


def test_dirty_values_of_the_contract(read):
    spec = contract(
        dirty_values={"birth_date": {"19000101": None}, "address": {"同上": None}, "name": {"张3": "张三"}}
    )
    result = read(
        lines(line(born="19000101", address="同上", name="张3"), line(id_no=OTHER_ID, born="19000102")), spec
    )
    assert result.row(1)["birth_date"] is None
    assert result.row(1)["address"] is None
    assert result.row(1)["name"] == "张三"
    assert result.row(2)["birth_date"] == date(1900, 1, 2)
    assert result.issues.is_empty()


def test_padded_columns_are_no_dirt(read):
    result = read(lines(*(line(id_no=f"{n}  ", name="张三　", sex=" 1 ") for n in other_ids(3))))
    assert result.accepted["name"].to_list() == ["张三"] * 3
    assert result.issues.is_empty()


# --- columns ----------------------------------------------------------------------------------------------------


def test_unknown_columns_are_dropped_and_named_once(read):
    result = read("\n".join([HEADER + "|宗教信仰", line() + "|无", line(id_no=OTHER_ID) + "|有"]))
    assert "宗教信仰" not in str(result.accepted.columns)
    assert result.message("column_unknown").startswith("zz_test.txt“宗教信仰”列")
    assert result.book["rows_accepted"] == 2


def test_a_missing_required_column_rejects_the_file_and_names_what_is_near(read):
    content = "\n".join([HEADER.replace("公民身份号码", "公民身份证号"), line(), line(id_no=OTHER_ID)])
    result = read(content)
    assert result.counts() == (2, 0, 2, 0, 0, 1)
    assert result.book["status"] == "rejected"
    assert "公民身份证号" in result.message("column_missing")
    assert result.quarantine["reason"].unique().to_list() == ["column_missing"]


def test_a_missing_optional_column_is_unknown(read):
    result = read(f"公民身份号码|姓名\n{ID}|张三\n")
    assert result.row(1)["amount"] is None
    assert result.reasons().count("column_absent") == 4


def test_ten_thousands_in_the_header_are_converted_and_said(read):
    result = read(lines(line(amount="1.5")).replace("月收入", "月收入（万元）"))
    assert result.row(1)["amount"] == Decimal("15000.00")
    assert "万元" in result.message("column_unit")


@pytest.mark.parametrize("header", ["年收入", "月收入(元/年)", "年收入（万元）"])
def test_another_period_in_the_header_is_never_converted(read, header):
    result = read(lines(line(amount="12000"), line(id_no=OTHER_ID)).replace("月收入", header))
    assert result.accepted["amount"].null_count() == 2
    found = result.issues.filter(pl.col("reason") == "column_period")
    assert (found["severity"][0], found["rows"].sum()) == ("error", 2)
    assert "元/月" in found["message_zh"][0]


def test_columns_may_come_in_any_order(read):
    result = read("月收入|姓名|公民身份号码\n5|张三|" + ID)
    assert (result.row(1)["amount"], result.row(1)["name"]) == (Decimal("5.00"), "张三")


# --- the whole file ---------------------------------------------------------------------------------------------


def earlier(result, night=date(2025, 11, 16), **changes):
    return pl.DataFrame([result.book | {"batch_date": night} | changes], schema=LEDGER)


def test_a_file_that_came_before_is_a_duplicate(read):
    first = read(lines(line(), line(id_no=OTHER_ID)))
    again = read(lines(line(), line(id_no=OTHER_ID)), history=earlier(first))
    assert again.counts() == (2, 0, 0, 2, 0, 1)
    assert again.book["status"] == "duplicate"
    assert "2025-11-16" in again.message("duplicate_delivery")
    assert again.accepted is None


def test_the_same_night_again_is_no_duplicate(read):
    first = read(lines(line()))
    again = read(lines(line()), history=earlier(first, NIGHT))
    assert again.book == first.book
    twin = read(lines(line()), name="zz_test.copy.txt", history=earlier(first, NIGHT))
    assert twin.book["status"] == "duplicate"


def test_a_full_file_that_shrinks_is_held_until_it_is_confirmed(read):
    rows = [line(id_no=number) for number in other_ids(10)]
    history = earlier(read(lines(*rows)))
    held = read(lines(*rows[:6]), name="b.txt", history=history)
    assert held.counts() == (6, 0, 0, 0, 6, 1)
    assert held.book["status"] == "held"
    assert held.quarantine["reason"].unique().to_list() == ["held_shrunk"]
    assert held.quarantine["_row"].to_list() == [1, 2, 3, 4, 5, 6]
    assert "10行" in held.message("held_shrunk")
    assert read(lines(*rows[:7]), name="b.txt", history=history).book["status"] == "accepted"
    confirmed = read(lines(*rows[:6]), name="b.txt", history=history, manifest_entry={"confirm_shrink": True})
    assert confirmed.counts() == (6, 6, 0, 0, 0, 1)
    assert confirmed.quarantine is None
    assert read(lines(*rows[:1]), name="b.delta.txt", history=history).book["status"] == "accepted"


def test_an_older_full_is_a_new_delivery_and_the_state_goes_back(read):
    rows = [line(id_no=number) for number in other_ids(4)]
    one, two = lines(*rows[:3]), lines(*rows)
    september, october = read(one), read(two)
    days = date(2025, 9, 1), date(2025, 10, 1), date(2025, 11, 1)
    history = pl.concat([earlier(september, days[0]), earlier(october, days[1])])
    back = read(one, history=history)
    assert (back.book["status"], back.book["rows_accepted"]) == ("accepted", 3)
    assert read(two, history=history).book["status"] == "duplicate"
    delta = read(lines(line(name="李四")), name="zz_test.delta.txt")
    changed = pl.concat([history, earlier(delta, days[2])])
    assert read(two, history=changed).book["status"] == "accepted"
    again = read(lines(line(name="李四")), name="zz_test.delta.txt", history=changed)
    assert again.book["status"] == "duplicate"


def test_a_full_file_that_ends_too_early_is_held(read):
    whole = lines(line(), line(id_no=OTHER_ID))
    result = read(whole[:-30])
    assert result.counts() == (2, 0, 0, 0, 2, 1)
    assert result.book["status"] == "held"
    assert result.book["control_ok"] is False
    assert "传输中断" in result.message("truncated")
    assert "zz_test.txt" in result.message("held_truncated")
    assert sorted(result.quarantine["reason"]) == ["held_truncated", "ragged"]
    confirmed = read(whole[:-30], name="c.txt", manifest_entry={"confirm_shrink": True})
    assert (confirmed.book["status"], confirmed.book["rows_accepted"]) == ("accepted", 1)


def test_a_delta_that_ends_too_early_is_used_and_remembered(read):
    whole = lines(line(), line(id_no=OTHER_ID))
    for number, how in enumerate([{}, {"manifest_entry": {"rows": 9}}]):
        content = whole if how else whole[:-30]
        result = read(content, name=f"zz_test.delta.{number}.txt", **how)
        assert result.book["status"] == "accepted"
        assert result.book["is_incomplete"] is True
        assert "停用" in result.message("delta_incomplete")
    assert read(whole, name="zz_test.delta.txt").book["is_incomplete"] is False


@pytest.mark.parametrize(
    ("declared", "rows", "status"),
    [
        (400, 200, "held"),
        (400, 384, "held"),
        (200, 204, "held"),
        (200, 197, "accepted"),
        (200, 203, "accepted"),
        (5, 0, "held"),
        (0, 0, "accepted"),
    ],
)
def test_a_full_file_with_other_rows_than_declared_is_held(read, declared, rows, status):
    content = lines(*(line(id_no=number) for number in other_ids(400)[:rows]))
    result = read(content, manifest_entry={"rows": declared})
    assert result.book["status"] == status
    if status == "held":
        assert result.book["rows_quarantined"] == rows
        assert f"清单{declared}行，实际{rows}行" in result.message("held_rows")
        confirmed = read(content, manifest_entry={"rows": declared, "confirm_shrink": True})
        assert confirmed.book["status"] == "accepted"


def test_a_file_that_is_not_the_declared_one_is_held_unless_its_rows_agree(read):
    content = lines(line(), line(id_no=OTHER_ID))
    assert read(content, manifest_entry={"sha256": "0" * 64}).book["status"] == "held"
    assert read(content, manifest_entry={"sha256": "0" * 64, "rows": 2}).book["status"] == "accepted"


def test_totals_without_the_rows_set_aside_hold_nothing(read):
    result = read(lines(line(amount="5"), "1|2|3"), manifest_entry={"rows": 2, "totals": {"amount": "10"}})
    assert result.counts() == (2, 1, 0, 0, 1, 1)
    assert (result.book["status"], result.book["control_ok"]) == ("accepted", False)


def test_a_file_of_which_nothing_can_be_used_is_rejected(read):
    result = read(lines("1|2|3", line(id_no="")), name="zz_test.delta.txt")
    assert result.counts() == (2, 0, 1, 0, 1, 1)
    assert result.book["status"] == "rejected"
    assert "没有一行可以采用" in result.message("nothing_usable")


def test_the_end_of_a_line_may_be_missing(read):
    whole = lines(line(), line(id_no=OTHER_ID))
    assert read(whole.rstrip("\n"), name="b.txt").book["control_ok"] is None


def test_control_totals(read):
    content = lines(
        line(amount="100.50"), line(id_no=OTHER_ID, amount="-0.50"), line(id_no=OTHER_ID, amount="-0.50")
    )
    digest = hashlib.sha256(content.encode("gb18030")).hexdigest()
    good = read(
        content,
        manifest_entry={"rows": 3, "sha256": digest.upper(), "totals": {"amount": "99.50", "月收入": 99.5}},
    )
    assert good.book["control_ok"] is True
    assert good.book["declared_rows"] == 3
    assert set(good.reasons()) == {"duplicate_rows"}
    bad = read(
        content,
        manifest_entry={"rows": 4, "sha256": "00", "totals": {"amount": "1", "name": "1", "address": None}},
    )
    assert bad.book["control_ok"] is False
    assert bad.book["rows_accepted"] == 2
    assert {"control_rows", "control_sha256", "control_total", "control_unknown"} <= set(bad.reasons())
    assert "实际99.5" in bad.message("control_total")


def test_control_totals_are_in_the_unit_of_the_file(read):
    result = read(
        lines(line(amount="1.5")).replace("月收入", "月收入(万元)"),
        manifest_entry={"totals": {"amount": "1.5"}},
    )
    assert result.book["control_ok"] is True


def test_a_strange_manifest_entry_is_said_and_harms_nothing(read):
    result = read(lines(line()), manifest_entry={"rows": "many", "totals": ["x"], "encoding": 5})
    assert result.reasons().count("manifest_unusable") == 2
    assert result.book["rows_accepted"] == 1


def test_another_encoding_than_agreed_is_read_and_said(read):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        result = read(lines(line()).encode(encoding), name=f"{encoding}.txt")
        assert result.row(1)["name"] == "张三"
        assert "GB18030" in result.message("encoding_differs")
    declared = read(lines(line()).encode(), name="b.txt", manifest_entry={"encoding": "UTF-8"})
    assert declared.issues.is_empty()
    assert declared.book["encoding"] == "utf-8"


def test_one_line_of_another_encoding_is_read_and_said(read):
    content = (
        f"{HEADER}\n{line()}\n".encode("gb18030") + f"{line(id_no=OTHER_ID, name='欧阳娜娜')}\n".encode()
    )
    result = read(content)
    assert result.row(2)["name"] == "欧阳娜娜"
    assert result.message("other_encoding").startswith("zz_test.txt数据第2行")


def test_both_decoders_leave_the_same_lake(read, monkeypatch, tmp_path):
    content = (
        lines(line(name="张䶮龴"), line(id_no=OTHER_ID, name="𠂇ḿ𬭎")).encode("gb18030")
        + b"\xa8\xbc|\xfe\x59|1||\xa6\xd9|1\n"
    )
    one = read(content)
    from data_contracts import encodings

    monkeypatch.setattr(encodings, "_iconv", lambda: None)
    (tmp_path / "python").mkdir()
    two = Read(tmp_path / "python", content)
    assert one.accepted.equals(two.accepted, null_equal=True)
    assert one.issues.equals(two.issues, null_equal=True)
    assert one.accepted["name"].to_list()[2] == "龴"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"PK\x03\x04rubbish",
        b"\xd0\xcf\x11\xe0rubbish",
        "什么也不是".encode("gb18030"),
        b"{",
        b"[]",
    ],
)
def test_what_cannot_be_read_is_rejected_with_a_sentence(read, content):
    result = read(content)
    assert result.book["status"] == "rejected"
    assert result.counts()[:5] == (0, 0, 0, 0, 0)
    assert result.issues["severity"].to_list() == ["error"]
    assert result.issues["message_zh"][0].startswith("zz_test.txt：")


def test_an_attempt_that_fails_leaves_nothing_of_an_earlier_one(tmp_path):
    Read(tmp_path, lines(line()))
    spec = contract()
    path = tmp_path / "zz_test.txt"
    history = pl.DataFrame(
        [
            {
                **read_delivery(spec, path, batch_date=NIGHT, lake=tmp_path / "lake").ledger,
                "batch_date": date(2025, 11, 1),
                "file": "x",
            }
        ],
        schema=LEDGER,
    )
    again = Read(tmp_path, lines(line()), history=history)
    assert again.book["status"] == "duplicate"
    assert not again.accepted_path.exists()


def test_a_file_with_a_header_only_is_said(read):
    result = read(HEADER + "\n")
    assert result.counts() == (0, 0, 0, 0, 0, 1)
    assert result.reasons() == ["no_rows"]


def test_a_torn_zip_is_read_as_far_as_it_goes_and_held(read):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", lines(line(), line(id_no=OTHER_ID)).encode("gb18030"))
    torn = target.getvalue()[:-40]
    result = read(torn, name="zz_test.zip")
    assert (result.counts(), result.book["status"]) == ((2, 0, 0, 0, 2, 1), "held")
    delta = read(torn, name="zz_test.delta.zip")
    assert (delta.counts(), delta.book["is_incomplete"]) == ((2, 2, 0, 0, 0, 1), True)
    assert result.book["control_ok"] is False


def test_limits_of_the_contract(read):
    spec = contract(rows={"minimum": 2, "maximum": 2})
    assert "too_few_rows" in read(lines(line()), spec).reasons()
    many = [line(id_no=number) for number in other_ids(3)]
    assert "too_many_rows" in read(lines(*many), spec, name="b.txt").reasons()


# --- laws -------------------------------------------------------------------------------------------------------

FORMS = [DELIMITED, FIXED_WIDTH, WORKBOOK, JSON, {**DELIMITED, "quoted": True, "delimiter": ","}]
fragments = st.sampled_from(
    [
        HEADER,
        line(),
        line(id_no=OTHER_ID),
        "合计|||||",
        "",
        '"',
        '"a\nb"|',
        "|",
        "张三",
        "欧阳娜娜\x00",
        ID,
        "\r\n",
        "1.1E+17",
        "\ufffd",
        "{",
        '[{"姓名":"x"}',
        "\n",
    ]
)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(fragments, max_size=12).map("\n".join).map(lambda t: t.encode("gb18030", "replace")),
        st.lists(fragments, max_size=12).map("|".join).map(str.encode),
        st.lists(st.one_of(fragments.map(str.encode), st.binary(max_size=20)), max_size=12).map(
            lambda parts: (HEADER + "\n").encode("gb18030") + b"\n".join(parts)
        ),
        st.lists(fragments, max_size=6).map(lambda parts: json.dumps(dict.fromkeys(parts, "x")).encode()),
    ),
    st.sampled_from(FORMS),
)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_closed_book(tmp_path, content, form):
    Read(tmp_path, content, contract(form))


@given(
    st.lists(
        st.sampled_from([line(), line(id_no=OTHER_ID), line(id_no=""), "1|2", line(name="李四"), "", HEADER]),
        max_size=25,
    ),
    st.integers(40, 400),
)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_do_not_matter(tmp_path, rows, size):
    """However a file is cut into blocks, the same becomes of every row."""
    whole = Read(tmp_path, lines(*rows))
    before = deliveries.BLOCK_BYTES, deliveries.HEAD_BYTES
    try:
        deliveries.BLOCK_BYTES, deliveries.HEAD_BYTES = size, 200
        cut = Read(tmp_path, lines(*rows))
    finally:
        deliveries.BLOCK_BYTES, deliveries.HEAD_BYTES = before
    assert cut.book == whole.book
    for one, two in ((cut.accepted, whole.accepted), (cut.quarantine, whole.quarantine)):
        assert (one is None) == (two is None)
        assert one is None or one.sort("_row").equals(two.sort("_row"))


def test_a_book_that_does_not_close_is_an_error():
    book = Ledger(
        "a", "b", "c", NIGHT, "f", "s", 1, "delimited", "utf-8", "full", rows_received=2, rows_accepted=1
    )
    with pytest.raises(ArithmeticError):
        book.row()


def test_every_reason_is_a_sentence_with_something_to_do():
    assert len(REASONS) > 40
    for reason in REASONS.values():
        assert reason.found
        assert reason.action
        assert "。" not in reason.found


@pytest.mark.parametrize("class_id", sorted(catalogue()))
def test_every_class_reads_a_file_in_its_own_form(tmp_path, class_id):
    """A row of sample values, delimited, by the contract's own headers: read without an error of form."""
    spec = catalogue()[class_id]
    cells = []
    for field in spec.fields:
        sample = FIELD_TYPES[field.type].samples[0]
        if field.type == "code":
            sample = next(iter(codes_of(field).codes))
        cells.append(sample)
    content = "\t".join(spec.headers()) + "\n" + "\t".join(cells) + "\n"
    result = Read(tmp_path, content.encode(), spec, name=f"{class_id}.tsv")
    assert result.counts()[:2] == (1, 1), result.issues["message_zh"].to_list()
    values = result.accepted.drop("_delivery_id", "_row").row(0)
    assert all(value is not None for value in values)
    assert set(result.issues["severity"].to_list()) <= {"info", "warning"}
    assert set(result.reasons()) <= {"encoding_differs", "delimiter_differs", "format_differs", "id_checksum"}


def test_headers_of_the_test_contract_are_those_of_its_fields():
    assert contract().headers() == HEADERS


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), max_size=60), max_size=6),
    st.sampled_from([1, 3, 24]),
)
@settings(max_examples=60, deadline=None)
def test_a_repeated_row_is_found_however_crowded_the_slots_are(batches, slots):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading._SeenRows, "_SLOTS", slots)
        seen, before = reading._SeenRows(), set()
        for batch in batches:
            expected = []
            for row in batch:
                expected.append(row in before)
                before.add(row)
            frame = pl.DataFrame(batch, schema={"key": pl.Int64(), "rest": pl.Int64()}, orient="row")
            found = seen.repeated(frame, ["key"])
            assert (found is None) == (not any(expected))
            if found is not None:
                assert found.to_list() == expected
