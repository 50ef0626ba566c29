"""The command `match`: what it writes and says, its exit statuses, and what it never loads or quotes."""

import json
import re
import subprocess
import sys

import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from matching import linking
from pipelines.cli import main
from reports.match_page import key_zh

SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明"
COLUMNS = {"姓名": "person_name", "出生日期": "birth_date", "性别": "sex", "电话": "phone", "村": "division"}
HEAVY = ("dagster", "great_expectations", "pypinyin", "duckdb", "pandas", "sqlalchemy")


def people():
    """Invented by a rule; every village has every surname."""
    return pl.DataFrame(
        {
            "编号": n,
            "姓名": SURNAMES[n % 10] + GIVEN[n // 10 % 16] + GIVEN[n * 7 % 16],
            "出生日期": f"{1950 + n % 50}{1 + n % 12:02d}{1 + n * 5 % 28:02d}",
            "性别": "男" if n % 2 else "女",
            "电话": f"139{21_340_057 + n * 7919}",
            "村": f"1509020010{n // 10 % 20 + 10}",
        }
        for n in range(600)
    )


@pytest.fixture
def folder(tmp_path):
    left = people()
    left.write_parquet(tmp_path / "left.parquet")
    left[0:200].write_csv(tmp_path / "right.csv")
    pl.concat([left, left[0:40].with_columns(pl.col("编号") + 1000)]).write_csv(tmp_path / "twice.csv")
    side = {"id": "编号", "columns": COLUMNS}
    spec = yaml.safe_dump(
        {"left": side, "right": side, "as_of": "2025-11-17"}, allow_unicode=True, sort_keys=False
    )
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    return tmp_path


def call(folder, *arguments, spec="spec.yaml", out="links.parquet"):
    paths = [str(folder / a) if re.fullmatch(r"\w+\.(parquet|csv|html|yaml)", a) else a for a in arguments]
    return CliRunner().invoke(
        main, ["match", *paths, "--spec", str(folder / spec), "--out", str(folder / out)]
    )


def test_two_tables_become_links(folder):
    result = call(folder, "left.parquet", "right.csv")
    assert result.exit_code == 0, result.output
    links = pl.read_parquet(folder / "links.parquet")
    assert (links["left_id"].cast(pl.String) == links["right_id"]).all()
    assert links["right_id"].n_unique() == 200
    assert result.stdout == ""
    assert "200 links in links.parquet" in result.stderr


def test_links_may_be_text_for_spreadsheets(folder):
    assert call(folder, "left.parquet", "right.csv", out="links.csv").exit_code == 0
    raw = (folder / "links.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfleft_id,right_id,grade,weight,probability,pass,margin,reasons\n")
    assert pl.read_csv(folder / "links.csv").height == 200
    assert not list(folder.glob("*.draft"))


def test_json_is_all_that_stands_on_standard_output(folder):
    said = json.loads(call(folder, "left.parquet", "right.csv", "--json").stdout)
    assert (said["left"], said["right"], said["links"]) == (600, 200, 200)
    assert sum(said["grades"].values()) == 200


def test_one_table_is_searched_for_duplicates(folder):
    result = call(folder, "twice.csv", "--dedupe")
    assert result.exit_code == 0, result.output
    links = pl.read_parquet(folder / "links.parquet").filter(pl.col("grade") != "C")
    assert links["right_id"].cast(pl.Int64).sort().to_list() == list(range(1000, 1040))
    assert links["group"].n_unique() == 40


def test_rates_are_saved_with_where_they_come_from_and_used_again(folder):
    assert call(folder, "left.parquet", "right.csv", "--save-model", "rates.yaml").exit_code == 0
    body = yaml.safe_load((folder / "rates.yaml").read_text(encoding="utf-8"))
    assert body["provenance"]["date"] == "2025-11-17"
    assert (body["provenance"]["left"], body["provenance"]["right"]) == (600, 200)
    assert call(folder, "left.parquet", "right.csv", "--model", "rates.yaml").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [("left.parquet", "right.csv"), ("twice.csv", "--dedupe")], ids=["two", "one"]
)
def test_the_page_stands_alone_and_names_nobody(folder, arguments):
    result = call(folder, *arguments, "--report", "report.html")
    assert result.exit_code == 0, result.output
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=|<script|@import|url\(", page)
    assert page.count("<svg") == 2
    for words in ("确定", "待人工确认", "权重分布", "同名人", "各项填写情况", "Links by grade"):
        assert words in page
    table = people()
    for column in ("姓名", "电话", "出生日期", "村"):
        assert not [value for value in table[column] if value in page], column


def test_every_key_has_its_words(folder):
    left = people().with_columns(
        外文名=pl.lit("NGUYEN THI LAN"), 护照=pl.format("B{}", "编号"), 户=pl.col("编号") + 1
    )
    left = left.with_columns(
        pl.format("150902{}1{}", "出生日期", pl.col("编号").cast(pl.String).str.zfill(3)).alias("号")
    )
    right = left.with_columns(
        pl.concat_str(pl.col("号").str.head(6), pl.lit("*" * 8), pl.col("号").str.tail(4))
    )
    right = right.with_columns(pl.col("姓名").str.head(1) + "**").vstack(left)
    kinds = COLUMNS | {"外文名": "latin_name", "护照": "identifier", "户": "household", "号": "resident_id"}
    side = {"id": "编号", "columns": kinds}
    links = linking.link_tables(left, right, {"left": side, "right": side, "as_of": "2025-11-17"})
    keys = links.linked.pairs.counts()["key"].unique().to_list()
    assert len(keys) > 20
    assert {key: key_zh(key) for key in keys if re.search("[a-z]", key_zh(key))} == {}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("name+village", "姓名＋村（居）"),
        ("name+alone", "仅姓名"),
        ("other:护照", "其他编号"),
        ("id:masked6+4+first", "证件号码可见部分＋首字"),
    ],
)
def test_keys_in_words(key, words):
    assert key_zh(key) == words


def test_no_link_at_all_calls_for_somebody(folder):
    strangers = people()[0:20].with_columns(
        pl.lit("欧阳").alias("姓名") + pl.col("姓名").str.slice(1),
        电话=pl.lit(None),
        出生日期=pl.lit("19010203"),
    )
    strangers.write_csv(folder / "strangers.csv")
    assert call(folder, "left.parquet", "strangers.csv").exit_code == 1


def test_lines_that_were_not_read_are_told_and_the_others_linked(folder):
    lines = (folder / "right.csv").read_text(encoding="utf-8").splitlines()
    lines[3] += ",x"
    (folder / "right.csv").write_text("\n".join(lines), encoding="utf-8")
    result = call(folder, "left.parquet", "right.csv", "--json")
    assert result.exit_code == 1
    assert "look at right.csv: 1 of 200 records were not read" in result.stderr
    assert "line 4;" in result.stderr
    assert json.loads(result.stdout)["links"] == 199
    assert len(json.loads(result.stdout)["problems"]) == 1
    assert not [name for name in people()["姓名"][0:200] if name in result.output]


def test_an_empty_table_gives_no_links_and_calls_for_somebody(folder):
    (folder / "right.csv").write_text(",".join(people().columns) + "\n", encoding="utf-8")
    result = call(folder, "left.parquet", "right.csv")
    assert result.exit_code == 1
    assert "look at the right table has no records" in result.stderr
    assert pl.read_parquet(folder / "links.parquet").is_empty()


@pytest.mark.parametrize(
    "arguments", [("empty.csv", "right.csv"), ("left.parquet", "empty.csv"), ("empty.csv", "--dedupe")]
)
def test_the_page_of_an_empty_table_is_written(folder, arguments):
    (folder / "empty.csv").write_text(",".join(people().columns) + "\n", encoding="utf-8")
    result = call(folder, *arguments, "--report", "report.html")
    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    # An estimate of who is there, or a record that lacks nothing, would be invented.
    assert "据推算" not in page
    unlinked = re.search(r"未关联</td><td class=\"n\">([0-9,]+)<", page)
    assert (unlinked and unlinked[1]) == {
        "empty.csv": {"right.csv": "200"},
        "left.parquet": {"empty.csv": "0"},
    }[arguments[0]].get(arguments[1])
    assert ("<td>各项都有</td>" in page) == ("right.csv" in arguments)


def test_a_column_of_another_kind_and_ids_that_stand_twice_call_for_somebody(folder):
    wrong = (folder / "spec.yaml").read_text(encoding="utf-8").replace("性别: sex", "性别: birth_date", 1)
    (folder / "wrong.yaml").write_text(wrong, encoding="utf-8")
    pl.concat([people(), people()[0:3]]).write_parquet(folder / "again.parquet")
    kinds = call(folder, "left.parquet", "right.csv", spec="wrong.yaml")
    again = call(folder, "again.parquet", "right.csv")
    assert (kinds.exit_code, again.exit_code) == (1, 1)
    assert "look at left.parquet: column '性别': none of 600 cells can be read as birth_date" in kinds.stderr
    assert "look at right.csv: column '性别': none of 200 cells can be read as birth_date" in kinds.stderr
    assert kinds.stderr.count("look at") == 2
    assert "look at again.parquet: column '编号': 3 ids stand there again" in again.stderr


def test_words_for_nothing_call_for_nobody(folder):
    people()[0:200].with_columns(电话=pl.lit("无"), 性别=pl.lit("—")).write_csv(folder / "right.csv")
    assert call(folder, "left.parquet", "right.csv").exit_code == 0


def test_no_file_name_is_told_with_a_number_in_it(folder):
    number = "150902198001011234"
    for old, new in (
        ("left.parquet", "left{}.parquet"),
        ("right.csv", "right{}.csv"),
        ("spec.yaml", "spec{}.yaml"),
    ):
        (folder / old).rename(folder / new.format(number))
    names = [name.format(number) for name in ("left{}.parquet", "right{}.csv")]
    files = {"spec": f"spec{number}.yaml", "out": f"out{number}.parquet"}
    result = call(folder, *names, "--save-model", f"rates{number}.yaml", **files)
    assert result.exit_code == 0, result.output
    (folder / f"rates{number}.yaml").write_text("rates: {name: {exact: 1}}", encoding="utf-8")
    bad = call(folder, *names, "--model", f"rates{number}.yaml", **files)
    absent = call(folder, "absent.parquet", f"no{number}.csv", spec=f"none{number}.yaml")
    assert (bad.exit_code, absent.exit_code) == (2, 2)
    for said in (result, bad, absent):
        assert number not in said.output + said.stderr
    for words in ("reading left150902***", "reading right150902***", "links in out150902***"):
        assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("left.parquet", "absent.csv"), "absent.csv: there is no such file"),
        (("left.parquet",), "a second one is needed, or --dedupe"),
        (("left.parquet", "broken.parquet"), "broken.parquet: "),
        (("left.parquet", "narrow.csv"), "has no column '姓名'"),
        (("left.parquet", "right.csv", "--model", "spec.yaml"), "spec.yaml: is no file of rates"),
        (("left.parquet", "right.csv", "--report", "right.csv"), "--report would overwrite one of the files"),
        (
            ("left.parquet", "right.csv", "--report", "links.parquet"),
            "--report would overwrite what --out writes",
        ),
    ],
    ids=["absent", "one", "broken", "column", "rates", "input", "twice"],
)
def test_what_cannot_be_done_is_one_line_with_status_2(folder, arguments, words):
    (folder / "broken.parquet").write_bytes(b"PAR1" + "张三 13912345678".encode() * 9)
    (folder / "narrow.csv").write_text("编号,xm\n1,张三丰\n", encoding="utf-8")
    result = call(folder, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "张三" not in result.output
    assert "13912345678" not in result.output
    assert not (folder / "links.parquet").exists()


@pytest.mark.parametrize(
    ("out", "words"),
    [("left.parquet", "--out would overwrite one of the files"), ("links.xlsx", "no workbooks")],
    ids=["registry", "workbook"],
)
def test_what_is_read_is_not_overwritten_and_no_workbook_is_feigned(folder, out, words):
    before = (folder / "left.parquet").read_bytes()
    result = call(folder, "left.parquet", "right.csv", out=out)
    assert (result.exit_code, words in result.stderr) == (2, True)
    assert (folder / "left.parquet").read_bytes() == before
    assert not (folder / "links.xlsx").exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("left: [", "bad.yaml, line"),
        ("left: {columns: {姓名: person_nam}}", "did you mean 'person_name'?"),
        ("lft: {}", "did you mean 'left'?"),
        (
            "{left: {columns: {姓名: identifier, 电话: identifier}}, right: {columns: {性别: identifier, 村: identifier}}} # bad.yaml",
            "give columns with the same numbers the same name",
        ),
    ],
    ids=["yaml", "kind", "section", "identifiers"],
)
def test_a_wrong_specification_is_said_with_file_place_and_nearest_word(folder, spec, words):
    (folder / "bad.yaml").write_text(spec, encoding="utf-8")
    result = call(folder, "left.parquet", "right.csv", spec="bad.yaml")
    assert (result.exit_code, "bad.yaml" in result.stderr, words in result.stderr) == (2, True, True)


def test_an_error_that_nobody_foresaw_does_not_quote_a_row(folder, monkeypatch):
    def fails(*_args, **_kwargs):
        raise pl.exceptions.ComputeError("conversion of 110101194912310021 failed")

    monkeypatch.setattr(linking, "link_records", fails)
    result = call(folder, "left.parquet", "right.csv")
    assert result.exit_code == 2
    assert "unexpected ComputeError" in result.stderr
    assert "110101" not in result.output


def test_the_command_loads_only_what_it_needs(folder):
    program = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    paths = [str(folder / name) for name in ("left.parquet", "right.csv")]
    options = ["--spec", str(folder / "spec.yaml"), "--out", str(folder / "links.parquet")]
    command = [sys.executable, "-c", program, "match", *paths, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
