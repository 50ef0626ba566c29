"""What leaves after a night: the laws, and the texts as people see them (golden files).

To accept new texts after looking at them: UPDATE_GOLDEN=1 pytest tests/reports/test_outputs.py
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import zipfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import fastexcel
import openpyxl
import polars as pl
import pytest
from night_fixture import D
from night_fixture import night as make_night
from openpyxl.utils import get_column_letter

from data_contracts.contract import catalogue, code_lists
from matching.passes import CONFLICTS_ZH, PASSES
from reports import manifest, write_all
from reports.definition import parse
from reports.manifest import differences
from reports.masking import COVERED
from reports.night import (
    NightError,
    _days_zh,
    _deaths,
    _parts_zh,
    _short_village,
    _supplier,
    _unread,
    class_titles,
    conflict_zh,
    listed_warnings,
    pass_zh,
    prepare,
    townships,
)
from reports.workbook import LEVEL_COLOURS, answer_table, lines_needed, note_labels, result_labels
from reports.writing import write_quality, write_tables

GOLDEN = Path(__file__).parent / "golden"
RAW = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")


@cache
def load(path: Path) -> openpyxl.Workbook:
    """A workbook, read once: several tests look at all of them."""
    return openpyxl.load_workbook(path)


def texts(path: Path) -> str:
    """Everything readable of a file."""
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def dump(path: Path) -> str:
    """A workbook as text: sheets, print set-up, cells."""
    book = load(path)
    out = []
    for sheet in book.worksheets:
        page = sheet.page_setup
        out.append(
            f"== {sheet.title} [{sheet.sheet_state}] {page.orientation} paper {page.paperSize} "
            f"freeze {sheet.freeze_panes} repeat {sheet.print_title_rows} filter {sheet.auto_filter.ref}"
        )
        for row in sheet.iter_rows():
            cells = [
                c.value.date().isoformat() if isinstance(c.value, datetime) else str(c.value)
                for c in row
                if c.value is not None
            ]
            if cells:
                out.append(" | ".join(cells).replace("\n", "⏎"))
        out += [
            f"-- {rule.sqref} {rule.type} {rule.formula1} {rule.formula2 or ''}".rstrip()
            for rule in sheet.data_validations.dataValidation
        ]
    return "\n".join(out) + "\n"


def one(folder: Path, pattern: str) -> Path:
    """The only file of that pattern."""
    (found,) = sorted(folder.glob(pattern))
    return found


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("list_help_in", "township/150902003/help_in/*.xlsx"),
        ("list_check_out", "township/150921108/check_out/*.xlsx"),
        ("county_overview", "county/150902/*.xlsx"),
        ("quality_files", "audit/quality_report.json"),
        ("monitored_register", "register/150902003/*.xlsx"),
        ("department_leads", "department/public_security/*.xlsx"),
    ],
)
def test_golden(written, name, pattern):
    path = one(written[0], pattern)
    seen = dump(path) if path.suffix == ".xlsx" else path.read_text(encoding="utf-8")
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(seen, encoding="utf-8")
    assert seen == golden.read_text(encoding="utf-8")


def test_same_night_same_bytes(written, tmp_path):
    folder, files = written
    again = write_all(make_night(), D, tmp_path, "code-1").files
    assert again == files
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / folder.name / path.relative_to(folder)).read_bytes(), (
            path.name
        )


def test_order_of_input_rows_does_not_matter(written, tmp_path):
    shuffled = {
        f.name: getattr(make_night(), f.name).sample(fraction=1, shuffle=True, seed=7)
        for f in dataclasses.fields(make_night())
    }
    assert write_all(type(make_night())(**shuffled), D, tmp_path, "code-1").files == written[1]


def test_a_killed_run_leaves_nothing_behind(written, tmp_path):
    (tmp_path / f".draft-{D}" / "township").mkdir(parents=True)
    (tmp_path / f".draft-{D}" / "township" / "half.xlsx").write_text("half")
    (tmp_path / D.isoformat() / "old").mkdir(parents=True)
    (tmp_path / D.isoformat() / "old" / "stale.xlsx").write_text("stale")
    files = write_all(make_night(), D, tmp_path, "code-1").files
    assert files == written[1]
    assert [p.name for p in tmp_path.iterdir()] == [D.isoformat()]
    assert differences(tmp_path / D.isoformat()) == []


def test_the_manifest_holds_every_file(written):
    folder, files = written
    content = json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    on_disk = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {manifest.NAME}
    assert {f["path"] for f in content["files"]} == on_disk == {f.path for f in files}
    for entry in content["files"]:
        body = (folder / entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        assert entry["audience"] == entry["path"].split("/")[0]
    assert content["business_date"] == D.isoformat()
    assert content["code_version"] == "code-1"
    assert len(content["inputs"]) == 3
    assert {r["rule_id"] for r in content["rules"]} >= {"N01", "X01"}
    assert differences(folder) == []


def test_differences_names_what_was_touched(written, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(written[0], folder)
    gone, touched = one(folder, "audit/*.json"), one(folder, "audit/*.html")
    gone.unlink()
    touched.write_text("x")
    (folder / "more.txt").write_text("x")
    assert differences(folder) == [
        "not listed: more.txt",
        "changed: audit/quality_report.html",
        "missing: audit/quality_report.json",
    ]


def test_every_open_warning_appears_once_on_the_list_of_its_township_and_kind(written, night):
    listed = listed_warnings(night, D)
    assert listed.height > 20
    assert set(listed["state"]) == {"new", "repeated", "changed"}
    found = []
    for path in sorted(written[0].glob("township/*/*/*.xlsx")):
        code, kind = path.parts[-3], path.parts[-2]
        keys = (
            fastexcel.read_excel(path).load_sheet("回传", header_row=None, dtypes="string").to_polars().rows()
        )
        assert keys[0][2:4] == (kind, code)
        found += [(kind, code, row[2]) for row in keys[1:]]
    assert sorted(found) == sorted(listed.select("list_kind", "jurisdiction", "warning_id").rows())


def test_the_reason_of_every_warning_is_on_the_list_whole(written, night):
    listed = listed_warnings(night, D)
    for (code, kind), part in listed.group_by("jurisdiction", "list_kind"):
        book = load(one(written[0], f"township/{code}/{kind}/*.xlsx"))
        words = "\n".join(str(c.value) for c in book["清单"]["I"])
        for reason, rule in part.select("reason_zh", "rule_zh").iter_rows():
            assert reason in words
            assert f"【{rule}】" in words


def test_the_two_lists_never_share_a_file(written, night):
    folder, files = written
    lists = [f for f in files if f.audience == "township"]
    assert {f.list_kind for f in lists} == {"help_in", "check_out"}
    titles = {
        kind: set(night.rules.filter(pl.col("list_kind") == kind)["title_zh"])
        for kind in ("help_in", "check_out")
    }
    other = {"help_in": "check_out", "check_out": "help_in"}
    for file in lists:
        assert f"/{file.list_kind}/" in file.path
        seen = texts(folder / file.path)
        assert not [t for t in titles[other[file.list_kind]] if t in seen], file.path


def test_no_raw_identifier_and_no_name_leaves(written, night):
    folder, files = written
    assert files
    names = {n for n in night.persons["person_name"] if len(n) > 1}
    for file in files:
        seen = texts(folder / file.path)
        assert not RAW.search(seen), file.path
        assert not [n for n in names if n in seen], file.path


def spoilt(**changed: pl.DataFrame):
    return dataclasses.replace(make_night(counties=("150921",)), **changed)


@pytest.mark.parametrize("raw", ["11010519491231002X", "150902 198001 011234", "139-0000-1234"])
def test_an_identifier_in_a_reason_is_covered_and_reported_and_the_lists_leave(tmp_path, raw):
    warnings = make_night(counties=("150921",)).warnings
    worst = warnings["warning_id"].sort()[0]
    reason = pl.when(pl.col("warning_id") == worst).then(pl.lit(f"证件号码{raw}登记死亡。"))
    night = spoilt(warnings=warnings.with_columns(reason_zh=reason.otherwise("reason_zh")))
    written = write_all(night, D, tmp_path, "code-1")
    seen = {f.path: texts(tmp_path / str(D) / f.path) for f in written.files}
    assert not [path for path, text in seen.items() if raw in text]
    hit = {path for path, text in seen.items() if f"证件号码{COVERED}登记死亡" in text}
    assert len({path.split("/")[1] for path in hit}) == 1
    assert len(hit) == 2  # the list and the visit sheet of one township
    assert len(written.attention) == 2
    assert raw not in "".join(written.attention)
    assert manifest.attention(tmp_path / str(D)) == written.attention
    assert {f.path for f in written.files} == {f.path for f in write_all(spoilt(), D, tmp_path, "x").files}


def test_an_identifier_in_the_quality_report_costs_no_township_its_list(tmp_path):
    raw = "150902198001011234"
    issues = make_night(counties=("150921",)).issues
    night = spoilt(issues=issues.with_columns(message_zh=pl.lit(f"号码{raw}有误")))
    written = write_all(night, D, tmp_path, "code-1")
    plain = write_all(spoilt(), D, tmp_path / "plain", "code-1")
    lists = [f for f in written.files if f.audience == "township"]
    assert lists == [f for f in plain.files if f.audience == "township"]
    assert plain.attention == []
    assert {line.split("：")[0] for line in written.attention} == {
        "数据质量报告（JSON）",
        "数据质量报告（网页）",
    }
    for path in (tmp_path / str(D) / "audit").iterdir():
        assert raw not in path.read_text(encoding="utf-8")
        assert COVERED in path.read_text(encoding="utf-8")


def test_a_quality_report_that_cannot_be_written_costs_no_township_its_list(tmp_path, monkeypatch):
    def breaks(*_):
        raise KeyError("150902198001011234")

    monkeypatch.setattr("reports.writing.write_quality", breaks)
    written = write_all(spoilt(), D, tmp_path, "code-1")
    assert written.attention == ["质量报告未能生成（程序出错：KeyError）"]
    assert manifest.attention(tmp_path / str(D)) == written.attention
    assert {f.audience for f in written.files} == {"township", "county", "register", "department"}
    assert differences(tmp_path / str(D)) == []


def test_the_names_of_delivered_files_are_covered_in_the_manifest(tmp_path):
    ledger = make_night(counties=("150921",)).ledger
    name = "ps_resident.150902198001011234_6222020000000000.txt"
    night = spoilt(ledger=ledger.with_columns(file=pl.lit(name)))
    written = write_all(night, D, tmp_path, "code-1")
    text = (tmp_path / str(D) / manifest.NAME).read_text(encoding="utf-8")
    assert {i["file"] for i in json.loads(text)["inputs"]} == {f"ps_resident.{COVERED}_{COVERED}.txt"}
    assert any(line.startswith(manifest.NAME) for line in written.attention)


def test_a_run_killed_between_the_two_renames_leaves_nothing_after_the_next(tmp_path):
    (tmp_path / f".old-{D}" / "audit").mkdir(parents=True)
    (tmp_path / f".old-{D}" / "audit" / "quality_report.html").write_text("earlier")
    write_all(spoilt(), D, tmp_path, "code-1")
    assert [p.name for p in tmp_path.iterdir()] == [D.isoformat()]


def test_a_township_without_rows_gets_both_lists_that_say_so(written, night):
    folder, files = written
    every = set(townships(night)["township_code"])
    assert len(every) == 19
    for kind in ("help_in", "check_out"):
        assert {f.jurisdiction for f in files if f.list_kind == kind} == every
    empty = one(folder, "township/150921210/help_in/*.xlsx")
    sheet = load(empty)["清单"]
    words = [str(c.value) for row in sheet.iter_rows() for c in row if c.value]
    assert "本期没有需要核查的家庭。" in words
    assert any(w.startswith("本期共0户") for w in words)
    assert "本期没有需要入户核查的家庭" in texts(one(folder, "township/150921210/help_in/*.html"))


def test_the_law_stands_on_every_list_before_anything_else(written):
    for path in written[0].glob("township/*/*/*"):
        seen = texts(path)
        assert "本清单仅为线索" in seen
        assert "不得据此停发、减发任何救助金" in seen


def test_a_rule_that_is_off_says_so_where_it_is_off(written):
    folder = written[0]

    def band(pattern: str) -> str:
        return str(load(one(folder, pattern))["清单"]["A4"].value)

    assert "金融资产超过标准：银行存款查询结果尚未收到" in band("township/150902003/check_out/*.xlsx")
    assert "收入低于低保标准而未纳入：个人所得税数据逾期" in band("township/150921108/help_in/*.xlsx")
    assert band("township/150902003/help_in/*.xlsx") == "本期各条规则全部启用。"
    page = texts(one(folder, "county/150921/县级总览*.html"))
    assert "本期停用的规则（2条" in page


def test_a_rule_without_a_status_counts_as_off():
    whole = make_night()
    silent = dataclasses.replace(whole, rule_status=whole.rule_status.filter(pl.col("rule_id") != "N01"))
    states = prepare(silent, D).rule_states.filter(pl.col("rule_id") == "N01")
    assert set(states["status"]) == {"off"}
    assert set(states["reason_zh"]) == {"本期没有运行。"}


def test_a_warning_that_could_not_be_confirmed_says_so(night):
    listed = listed_warnings(night, D)
    kept = listed.filter(pl.col("last_raised_on") < D)
    assert kept.height > 0
    assert kept["reason_zh"].str.ends_with("（本期未能重新核对，沿用11月14日的结果。）").all()


def test_a_family_without_a_known_township_is_not_lost(written, night):
    listed = listed_warnings(night, D)
    lost = listed.filter(pl.col("township_code").is_null())
    assert set(lost["jurisdiction"]) == {"150902000"}
    assert one(written[0], "township/150902000/help_in/可能需要帮助_待分派_*.xlsx")


def test_a_warning_that_the_register_forgot_is_new(night):
    forgotten = dataclasses.replace(night, register=night.register.clear())
    listed = listed_warnings(forgotten, D)
    assert listed.height == night.warnings.height
    assert set(listed["state"]) == {"new"}


def test_an_open_warning_of_the_register_alone_is_listed_or_refused(night):
    with pytest.raises(NightError, match="lack"):
        listed_warnings(dataclasses.replace(night, warnings=night.warnings.head(0)), D)
    carried = night.register.join(night.warnings, on="warning_id")
    kept = dataclasses.replace(night, warnings=night.warnings.head(0), register=carried)
    assert listed_warnings(kept, D).height == listed_warnings(night, D).height


def test_no_row_without_a_reason(night):
    bare = dataclasses.replace(night, warnings=night.warnings.with_columns(reason_zh=pl.lit(" ")))
    with pytest.raises(NightError, match="without a reason"):
        listed_warnings(bare, D)


def test_a_missing_column_is_named(night):
    with pytest.raises(NightError, match="warnings: column missing: level"):
        dataclasses.replace(night, warnings=night.warnings.drop("level"))


def test_officers_read_words_not_codes(written, night):
    codes = "|".join(
        ["help_in", "check_out", "red", "orange", "yellow", "same_register", "ps_resident", "None", "null"]
    )
    for path in written[0].glob("township/*/*/*.xlsx"):
        book = load(path)
        for name in ("清单", "家庭成员", "说明", "逐条反馈"):
            for row in book[name].iter_rows():
                for cell in row:
                    assert not re.search(rf"\b({codes})\b", str(cell.value or "")), (
                        path.name,
                        name,
                        cell.value,
                    )


def test_rows_are_tall_enough_for_their_text(written):
    for path in written[0].glob("township/*/*/*.xlsx"):
        book = load(path)
        for name in ("清单", "逐条反馈"):
            sheet = book[name]
            # Neighbours of one width are stored as one range.
            width = {
                get_column_letter(n): d.width
                for d in sheet.column_dimensions.values()
                for n in range(d.min, d.max + 1)
            }
            head = sheet.freeze_panes
            first = int(re.sub(r"\D", "", head))
            for row in sheet.iter_rows(min_row=first):
                if len([c for c in row if c.value]) < 3:
                    continue
                needed = max(
                    lines_needed(str(c.value), width[c.column_letter])
                    for c in row
                    if isinstance(c.value, str)
                )
                assert sheet.row_dimensions[row[0].row].height >= needed * 13 or "另有" in str(row[8].value)


def test_a_very_long_reason_is_cut_on_the_list_and_whole_on_the_sheet_of_items(tmp_path):
    long = make_night(counties=("150921",))
    sentence = "家庭连续多月支出明显高于收入，" * 90
    spoilt = dataclasses.replace(
        long,
        warnings=long.warnings.with_columns(
            reason_zh=pl.when(pl.col("rule_id") == "N01")
            .then(pl.lit(sentence))
            .otherwise(pl.col("reason_zh"))
        ),
    )
    write_all(spoilt, D, tmp_path, "code-1")
    cut = 0
    for path in (tmp_path / D.isoformat()).glob("township/*/help_in/*.xlsx"):
        book = load(path)
        for row in book["清单"].iter_rows(min_row=6):
            assert (book["清单"].row_dimensions[row[0].row].height or 0) <= 409
            if "见“逐条反馈”页" in str(row[8].value):
                cut += 1
                assert any(sentence in str(c.value) for c in book["逐条反馈"]["G"])
    assert cut > 0


def test_pages_load_nothing_from_elsewhere(written):
    pages = list(written[0].rglob("*.html"))
    assert len(pages) > 3
    for page in pages:
        seen = page.read_text(encoding="utf-8")
        assert not re.search(r"(?i)https?://|<script|<link|<iframe|@import|url\(|src=", seen), page.name


def test_overview_counts_the_same_families_as_the_lists(written):
    folder = written[0]
    for county in ("150902", "150921"):
        book = load(one(folder, f"county/{county}/*.xlsx"))
        for name, kind in (("可能需要帮助", "help_in"), ("请核查", "check_out")):
            total = [c.value for c in list(book[name].iter_rows())[-1]][1]
            lists = [
                len(load(p)["清单"].auto_filter.ref or "") and _families(p)
                for p in folder.glob(f"township/{county}*/{kind}/*.xlsx")
            ]
            assert total == sum(lists)


def _families(path: Path) -> int:
    return sum(1 for c in load(path)["清单"]["B"] if re.fullmatch(r"H\d{9}", str(c.value)))


def refused_night():
    """The night with a file of a class refused."""
    note = "2025-11-17送达的文件未采用（ps_resident.txt：全量文件不完整（末行残缺），暂不采用）；沿用2025-11-16的数据"
    held = pl.col("class_id") == "ps_resident"
    night = make_night()
    status = night.source_status.with_columns(
        status=pl.when(held).then(pl.lit("held")).otherwise("status"),
        note_zh=pl.when(held).then(pl.lit(note)).otherwise("note_zh"),
    )
    return note, dataclasses.replace(night, source_status=status)


def test_a_list_says_above_its_rows_which_file_was_refused_and_why(tmp_path):
    note, night = refused_night()
    write_all(night, D, tmp_path, "code-1")
    paths = sorted((tmp_path / D.isoformat()).glob("township/*/help_in/*.xlsx"))
    assert len(paths) > 3
    for path in paths:
        (sheet,) = (s for s in load(path).worksheets if s.title == "清单")
        above = [str(cell.value) for row in sheet.iter_rows(max_row=6) for cell in row if cell.value]
        assert f"有1类数据送达的文件未能采用：\n· 常住人口登记信息：{note}。" in above, path.name
    (county,) = (tmp_path / D.isoformat()).glob("county/150902/*.xlsx")
    assert note in texts(county)
    report = (tmp_path / D.isoformat() / "audit" / "quality_report.html").read_text(encoding="utf-8")
    assert note in report


def test_nothing_is_said_of_refused_files_when_all_were_used(written):
    said = [dump(path) for path in sorted(written[0].glob("township/*/*/*.xlsx"))]
    assert len(said) > 3
    assert not any("未能采用" in text for text in said)


def test_a_source_that_is_fine_and_still_has_a_note_says_it_on_the_list(tmp_path):
    told = "2025-11-17起应有新数据，尚未收到，在2025-11-19前暂用上述数据"
    fresh = pl.col("class_id") == "ps_resident"
    night = make_night()
    status = night.source_status.with_columns(
        note_zh=pl.when(fresh).then(pl.format("数据截至{}；" + told, "last_batch")).otherwise("note_zh")
    )
    write_all(dataclasses.replace(night, source_status=status), D, tmp_path, "code-1")
    path = sorted((tmp_path / D.isoformat()).glob("township/*/help_in/*.xlsx"))[0]
    (sheet,) = (s for s in load(path).worksheets if s.title == "说明")
    (row,) = (row for row in sheet.iter_rows(values_only=True) if row[0] == "常住人口登记信息")
    assert row[3:5] == ("正常", told)


def test_the_quality_page_folds_hints_and_names_files_nobody_read(written):
    report = (written[0] / "audit" / "quality_report.html").read_text(encoding="utf-8")
    (folded,) = re.findall(r"<details>.*?</details>", report, re.DOTALL)
    assert "有多个电话，只取第一个" in folded
    assert "有完全相同的行" not in folded
    assert report.count("有完全相同的行，只采用第一次出现的") == 2
    assert "户籍变动.csv" in report
    assert "文件名须以类别代号开头（ps_resident、" in report


def test_files_nobody_read_are_read_from_the_lake(tmp_path):
    one = pl.DataFrame({"file": ["户籍.csv"], "message_zh": ["未读取"]})
    for folder in ("unclaimed/public_security", "strays"):
        (tmp_path / folder).mkdir(parents=True)
        one.write_parquet(tmp_path / folder / f"batch_date={D}.parquet")
    one.write_parquet(tmp_path / "strays" / f"batch_date={D - timedelta(days=1)}.parquet")
    found = _unread(tmp_path, D)
    assert found.rows() == [("public_security", "户籍.csv", "未读取"), (None, "户籍.csv", "未读取")]
    assert _unread(tmp_path, D + timedelta(days=1)).is_empty()


def test_the_quality_report_shows_a_ledger_that_does_not_close(tmp_path):
    whole = make_night()
    torn = dataclasses.replace(
        whole, ledger=whole.ledger.with_columns(rows_rejected=pl.col("rows_rejected") - 1)
    )
    write_quality(prepare(torn, D), tmp_path, "code-1")
    audit = tmp_path / "audit"
    assert "有 3 个文件的行数不符" in (audit / "quality_report.html").read_text(encoding="utf-8")
    twin = json.loads((audit / "quality_report.json").read_text(encoding="utf-8"))
    assert [f["residual"] for f in twin["files"]] == [1, 1, 1]


def test_a_night_of_nothing_still_reports(tmp_path):
    whole = make_night(counties=("150921",))
    bare = type(whole)(
        **{
            f.name: getattr(whole, f.name).clear()
            if f.name not in ("household", "persons")
            else getattr(whole, f.name)
            for f in dataclasses.fields(whole)
        }
    )
    files = write_all(bare, D, tmp_path, "code-1").files
    assert sum(f.rows for f in files if f.audience == "township") == 0
    assert len([f for f in files if f.audience == "township"]) == 9 * 4


def test_an_output_is_one_file(night, tmp_path):
    head = """/*---
id: rule_yield
version: 1
title: {zh: 规则产出, en: Yield}
purpose: To be tested.
audience: county
sheet: 产出
jurisdiction: county_code
folder: county/{jurisdiction}
file: 规则产出_{place}_{as_of}.xlsx
order: [rule_id]
columns:
  - {name: rule_id, zh: 规则编号}
  - {name: n, zh: 条数, kind: integer, total: true}
---*/
select county_code, rule_id, sum(warnings)::bigint as n from warning_count group by all
"""
    output = parse(head, "rule_yield")
    files = write_tables(prepare(night, D), tmp_path, {"rule_yield": output})
    assert [f.path for f in files] == [
        f"county/150902/规则产出_集宁区_{D}.xlsx",
        f"county/150921/规则产出_卓资县_{D}.xlsx",
    ]
    sheet = openpyxl.load_workbook(tmp_path / files[0].path)["产出"]
    rows = list(sheet.iter_rows(values_only=True))
    here = night.warnings.filter(pl.col("county_code") == "150902")
    assert rows[-1] == ("合计", here.height)
    assert {r[0] for r in rows[2:-1]} == set(here["rule_id"])


def test_every_class_of_the_catalogue_has_a_title():
    # the stand-in of conftest replaces the module's name, not this one
    known = class_titles()
    assert known["class_id"].to_list() == list(catalogue())
    assert not known["department_zh"].str.contains("[（(]").any()


def test_many_sources_of_a_day_are_counted_and_missing_ones_named():
    titles = {c: f"类别{c}" for c in "abcdefgh"}
    days = (
        dict.fromkeys("abcd", "2025-11-17") | {"e": "2025-11-03"} | dict.fromkeys("fgh", None) | {"i": None}
    )
    assert _days_zh(days, titles) == "11月17日 共4类数据\n11月3日 类别e\n未收到 i、类别f、类别g、类别h"


def test_parts_of_a_score_are_words():
    parts = [
        {"part": "warning", "points": "30.00", "reason_zh": "N01 医疗自付（橙色）"},
        {"part": "age", "points": "2.50", "reason_zh": "80周岁及以上成员1人"},
    ]
    assert _parts_zh(json.dumps(parts)) == "医疗自付（橙色） 30分\n80周岁及以上成员1人 2.50分"
    assert _parts_zh(None) == ""
    child = {"part": "warning", "points": "40.00", "reason_zh": "N18 未成年人可能无人抚养（红色）"}
    assert (
        _parts_zh(json.dumps([child, parts[0], child]))
        == "未成年人可能无人抚养（红色） 2条各40分\n医疗自付（橙色） 30分"
    )


@pytest.mark.parametrize(
    ("official", "called"),
    [
        ("温家村村民委员会", "温家村"),
        ("石咀村民委员会", "石咀村"),
        ("石咀村委会", "石咀村"),
        ("第三嘎查村民委员会", "第三嘎查"),
        ("那仁格日勒嘎查委员会", "那仁格日勒嘎查"),
        ("民生社区居民委员会", "民生社区"),
        ("支农路社区居委会", "支农路社区"),
        ("前进居民委员会", "前进居委会"),
        ("第一社区", "第一社区"),
    ],
)
def test_a_village_is_called_as_people_call_it(official, called):
    assert pl.select(_short_village(pl.lit(official))).item() == called


def test_answers_offered_are_those_of_the_contract():
    results = code_lists()["outcome_result"].codes
    assert set(answer_table()["results"]) == set(results)
    for kind in ("help_in", "check_out"):
        offered = {label[:3] for label in result_labels(kind)}
        assert {"301", "503", "505", "601", "602", "603", "604"} <= offered
    assert not {label[:3] for label in result_labels("help_in")} & {"401", "402", "403", "404", "405", "406"}
    assert not {label[:3] for label in result_labels("check_out")} & {"201", "205"}
    assert [label[:2] for label in note_labels()] == sorted(code_lists()["outcome_note"].codes)
    assert set(answer_table()["families"]) == {code[0] for code in results}


def test_levels_have_colours_and_words():
    assert list(LEVEL_COLOURS) == ["红", "橙", "黄", "蓝"]


def test_deadlines_are_dates_or_words(written):
    sheet = load(one(written[0], "township/150902003/help_in/*.xlsx"))["清单"]
    dates = [row[6].value for row in sheet.iter_rows(min_row=6) if re.fullmatch(r"H\d{9}", str(row[1].value))]
    assert dates
    assert {d.date() if isinstance(d, datetime) else d for d in dates} == {D + timedelta(days=7)}


@pytest.mark.parametrize(
    ("level", "visit", "close"),
    [
        ("red", "3个工作日内", "10个工作日内"),
        ("orange", "5个工作日内", "15个工作日内"),
        ("yellow", "10个工作日内", "20个工作日内"),
        ("blue", "随定期复核", "随定期复核"),
    ],
)
def test_only_the_lowest_level_follows_the_periodic_review(tmp_path, level, visit, close):
    """A day that could not be counted (no calendar of working days) is still a deadline."""
    whole = make_night(counties=("150921",))
    nowhere = {c: pl.lit(None, dtype=pl.Date) for c in ("visit_due_on", "close_due_on")}
    night = spoilt(
        warnings=whole.warnings.with_columns(**nowhere, level=pl.lit(level)),
        priority=whole.priority.with_columns(**nowhere, level=pl.lit(level)),
    )
    written = write_all(night, D, tmp_path, "code-1")
    folder = tmp_path / str(D)
    file = next(f for f in written.files if f.rows and f.path.endswith(".xlsx") and f.list_kind)
    rows = [
        r for r in load(folder / file.path)["清单"].iter_rows() if re.fullmatch(r"H\d{9}", str(r[1].value))
    ]
    assert {(row[6].value, row[7].value) for row in rows} == {(visit, close)}
    page = texts(next((folder / file.path).parent.glob("*.html")))
    assert f"首访 {visit}；办结 {close}" in page


def test_the_auditor_reads_words_for_passes_and_conflicts(tmp_path):
    night = spoilt(
        links=pl.DataFrame(
            [("ps_resident", "A", "P2-sound", 5), ("ps_resident", "B", "Z9-new", 1)],
            schema=["source_class", "grade", "pass_id", "identities"],
            orient="row",
        ),
        conflicts=pl.DataFrame(
            [("ps_resident", "shared_number", 2), ("ps_resident", "brand_new", 1)],
            schema=["source_class", "kind", "conflicts"],
            orient="row",
        ),
    )
    write_quality(prepare(night, D), tmp_path, "code-1")
    twin = json.loads((tmp_path / "audit" / "quality_report.json").read_text(encoding="utf-8"))
    assert [p["pass_zh"] for p in twin["passes"]] == ["公民身份号码一致，姓名写法有别（读音相同）", "Z9-new"]
    assert [c["kind_zh"] for c in twin["conflicts"]] == ["brand_new", "户籍登记中两人同号"]


def test_every_family_of_passes_and_every_conflict_of_matching_has_words():
    assert [p for p in PASSES if not re.search("[一-鿿]", pass_zh(p))] == []
    assert not [k for k in CONFLICTS_ZH if conflict_zh(k) == k]


def test_the_dead_are_marked_not_counted_and_nobody_asks_whether_they_live_there(tmp_path):
    plain = make_night()
    family, head = (
        plain.household.filter(pl.col("household_id") == 23).select("household_id", "head_person_id").row(0)
    )
    deaths = pl.DataFrame({"person_id": [head], "died_on": [D - timedelta(days=233)]})
    write_all(dataclasses.replace(plain, deaths=deaths), D, tmp_path, "code-1")
    number = f"H{family:09d}"
    day = D - timedelta(days=233)
    mark = f"已登记死亡 {day.month}月{day.day}日"
    (path,) = (
        p for p in (tmp_path / D.isoformat()).glob("township/*/check_out/*.xlsx")
        if any(c.value == number for c in load(p)["清单"]["B"])
    )  # fmt: skip
    (row,) = (r for r in load(path)["清单"].iter_rows(min_row=6, values_only=True) if r[1] == number)
    assert f"（户主，{mark}）" in row[3]
    assert row[4] == 3
    members = [r for r in load(path)["家庭成员"].iter_rows(values_only=True) if r[1] == number]
    assert [r[8] or "" for r in members] == [mark, "", "", "待核实是否共同生活"]
    (page,) = path.parent.glob("*.html")
    (sheet,) = (s for s in page.read_text(encoding="utf-8").split("<section>") if number in s)
    assert sheet.count(f"<td>{mark}</td>") == 1
    assert sheet.count("□ 是&emsp;□ 否") == 3


def test_a_death_of_the_lake_is_told_once_with_its_first_day_and_never_before_it(tmp_path):
    path = tmp_path / "death.parquet"
    pl.DataFrame(
        [
            (1, D - timedelta(days=9), D, "register", "A"),
            (1, D - timedelta(days=10), D, "cremation", "B"),
            (2, None, D - timedelta(days=3), "certificate", "A"),
            (3, D + timedelta(days=1), D + timedelta(days=1), "register", "A"),
            (4, D - timedelta(days=1), D, None, "A"),
            (5, D - timedelta(days=1), D, "certificate", "C"),
            (6, D - timedelta(days=1), D, "cremation", "D"),
            (None, D - timedelta(days=1), D, "register", "A"),
        ],
        schema={
            "person_id": pl.Int64, "death_date": pl.Date, "recorded_date": pl.Date, "death_source": pl.String,
            "link_grade": pl.String,
        },
        orient="row",
    ).write_parquet(path)  # fmt: skip
    assert _deaths(path, D).rows() == [(1, D - timedelta(days=10)), (2, D - timedelta(days=3))]
    assert _deaths(tmp_path / "none.parquet", D).is_empty()


def test_a_reason_tells_which_of_the_family_is_meant(written):
    said = "\n".join(dump(p) for p in sorted(written[0].glob("township/*/help_in/*.xlsx")))
    assert re.search(r"】\S{1,9}\*\S*（[^，（）]+，\d{1,3}岁）：", said)
    # Nobody is named without it: every warning of the invented night names a member of known age.
    assert not re.search(r"】[^：（⏎]{1,9}：", said)


def test_a_faulty_file_that_is_used_does_not_stand_under_those_refused(tmp_path):
    note = "2025-11-17送达的增量文件不完整，待下一份完整的文件送达后恢复使用"
    cut = pl.col("class_id") == "ps_resident"
    night = make_night()
    status = night.source_status.with_columns(
        status=pl.when(cut).then(pl.lit("failed")).otherwise("status"),
        note_zh=pl.when(cut).then(pl.lit(note)).otherwise("note_zh"),
    )
    write_all(dataclasses.replace(night, source_status=status), D, tmp_path, "code-1")
    path = one(tmp_path / D.isoformat(), "township/150902003/help_in/*.xlsx")
    said = dump(path)
    assert f"有1类数据已采用但不完整或未通过检查：⏎· 常住人口登记信息：{note}。" in said
    assert "未能采用" not in said


@pytest.mark.parametrize(
    ("unit", "office", "asked"),
    [
        ("民政局殡葬管理部门、殡仪馆", "民政局", "民政局"),
        ("市场监督管理局", "税务局", "市场监督管理局"),
        ("不动产登记中心", "住房和城乡建设局", "不动产登记中心"),
        ("乡镇（街道）核查人员，经民政局汇总", "民政局", "乡镇核查人员"),
    ],
)
def test_the_unit_that_supplies_a_class_is_named(unit, office, asked):
    assert _supplier(unit, office) == asked
