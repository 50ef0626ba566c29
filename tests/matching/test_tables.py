"""Tables of any source become records: every spelling that CHINESE_DATA D3 names, typed columns, specs that are wrong."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.resident_id import check_character
from matching import birth_cells, id_cells
from matching.name_cells import is_plain
from matching.tables import Records, Spec, SpecError, deliver, learn_places, read_table, records_of

AS_OF = date(2025, 11, 17)
NUMBER = "11010519491231002X"


def records(columns: dict[str, Any], values: dict[str, list[Any]]) -> Records:
    spec = Spec.parse({"left": {"columns": columns}})
    return records_of(pl.DataFrame(values, strict=False), spec.left, AS_OF)


def names_of(cell: str | None, kind: str = "person_name") -> list[tuple[str, str]]:
    found = records({"n": kind}, {"n": [cell, "张三"]}).names
    return found.filter(pl.col("row") == 0).select("name", "kind").rows()


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("张伟", [("张伟", "own")]),
        ("张　伟 ", [("张伟", "own")]),
        ("張偉", [("张伟", "own")]),
        ("张伟2", [("张伟", "own")]),
        ("张伟(已故)", [("张伟", "own")]),
        ("张三（又名李四）", [("张三", "own"), ("李四", "alias")]),
        ("张三曾用名李四", [("张三", "own"), ("李四", "alias")]),
        ("张*明", [("张?明", "own")]),
        ("张**", [("张??", "own")]),
        ("张\ue863", [("张?", "own")]),
        ("张□", [("张?", "own")]),
        ("李（王+韦）", [("李?", "own")]),
        ("买买提•艾力", [("买买提艾力", "own"), ("买买提·艾力", "parts")]),
        ("艾力.买买提", [("艾力买买提", "own"), ("艾力·买买提", "parts")]),
        ("孙JING华", [("孙JING华", "own")]),
        ("寮犱纻", [("寮犱纻", "own")]),
        ("王丽之女", []),
        ("李芳宝宝", []),
        ("不详", []),
        ("  ", []),
        (None, []),
        ("Nguyễn Thị  Hoa", [("NGUYEN THI HOA", "latin")]),
        ("SMITH, John", [("SMITH JOHN", "latin")]),
    ],
)
def test_names(cell: str | None, names: list[tuple[str, str]]) -> None:
    assert names_of(cell) == names


def test_former_names_of_one_cell_and_latin_columns() -> None:
    assert names_of("王五、赵六", "former_name") == [("王五", "former"), ("赵六", "former")]
    assert names_of("Li, Na", "latin_name") == [("LI NA", "latin")]


def test_a_clean_name_goes_the_fast_way_to_the_same_end() -> None:
    cells = pl.Series(
        ["张伟", "欧阳锋", "司马相如", "王之子", "李先生", "張伟", "张 伟", None, "A", "买买提艾力江"]
    )
    assert is_plain(cells).tolist() == [True, True, True, False, False, False, False, False, False, False]


@pytest.mark.parametrize(
    ("cell", "kind", "key", "text"),
    [
        (NUMBER, "valid18", NUMBER, NUMBER),
        ("11010519491231002x", "valid18", NUMBER, NUMBER),
        ("11010519491231002Х", "valid18", NUMBER, NUMBER),
        ("11010519491231002×", "valid18", NUMBER, NUMBER),
        ("11010519491231002*", "valid18", NUMBER, NUMBER),
        ("'" + NUMBER, "valid18", NUMBER, NUMBER),
        ("１１０１０５１９４９１２３１００２Ｘ", "valid18", NUMBER, NUMBER),
        ("110105 19491231 002X", "valid18", NUMBER, NUMBER),
        (NUMBER + "43B1", "valid18", NUMBER, NUMBER),
        ("130503670401001", "valid15", "130503196704010016", "130503670401001"),
        ("130503670401001.0", "valid15", "130503196704010016", "130503670401001"),
        ("150902********123X", "masked", None, "150902********123X"),
        ("150902＊＊＊＊＊＊＊＊123X", "masked", None, "150902********123X"),
        ("110105194912310021", "invalid", None, "110105194912310021"),
        ("150902198001011000", "invalid", None, "150902198001011???"),
        ("1.50902198001011E+17", "invalid", None, "150902198001011???"),
        ("15090219800101123", "invalid", None, "15090219800101123"),
        ("E12345678", "foreign", "F:E12345678", "E12345678"),
        ("111111111111111111", None, None, None),
        ("无", None, None, None),
        ("0", None, None, None),
        ("123456789012345678", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_identity_numbers(cell: str | None, kind: str | None, key: str | None, text: str | None) -> None:
    row = id_cells.id_forms(pl.Series(["510683198001011231", cell], dtype=pl.String), AS_OF).row(
        1, named=True
    )
    assert (row["id_kind"], row["id_key"], row["id_text"]) == (kind, key, text)


def test_a_number_stored_with_a_floating_point_has_lost_its_end() -> None:
    row = id_cells.id_forms(pl.Series([150902198001011234.0]), AS_OF).row(0, named=True)
    assert (row["id_kind"], row["id_text"]) == ("invalid", "150902198001011???")


def test_where_a_spreadsheet_cut_numbers_those_that_validate_by_chance_are_cut_as_well() -> None:
    heads = pl.Series([f"51068319800101{n:03d}" for n in range(1, 200)])
    sound = (heads + check_character(heads)).to_list()
    chance = "510683198001018000"
    cut = [f"1509021975{day}1000" for day in ("0101", "0212", "1031")]
    columns = {"sound": sound, "alone": [], "cut": sound + cut, "marked": [*sound, "'" + chance, *cut]}
    read = {name: id_cells.id_forms(pl.Series([chance, *more]), AS_OF) for name, more in columns.items()}
    kinds = {name: forms.row(0)[:3] for name, forms in read.items()}
    assert kinds["sound"] == kinds["alone"] == (chance, "valid18", chance)
    assert kinds["cut"] == kinds["marked"] == (None, "invalid", "510683198001018???")
    assert read["marked"].row(200) == (None, "invalid", "510683198001018???", None, None)
    assert read["cut"]["id_key"][1:200].to_list() == sound


@pytest.mark.parametrize(
    ("numbers", "home"),
    [
        (["152601198001011230", "150902********1231", "'150926198001011", "510683198001011231"], "1509"),
        (["130104198001011239", "510683198001011231", "440306198001011230"], None),
        (["5106831980", "无", None], None),
    ],
)
def test_numbers_say_where_the_home_of_a_table_is_whose_places_do_not(
    numbers: list[str | None], home: str | None
) -> None:
    side = Spec.parse({"left": {"columns": {"id": "resident_id", "village": "division"}}}).left
    villages = ["霸王河村"] * len(numbers)
    assert learn_places(pl.DataFrame({"id": numbers, "village": villages}), side).home == home
    stated = ["130104"] * len(numbers)
    assert learn_places(pl.DataFrame({"id": numbers, "village": stated}), side).home == "1301"


def day(text: str) -> date:
    return date.fromisoformat(text)


EXACT = [
    "19800105",
    "1980-01-05",
    "1980-1-5",
    "1980/1/5",
    "1980.1.5",
    "1980年1月5日",
    "一九八〇年一月五日",
    "一九八〇年一月5日",
    "1980年元月五日",
    "八〇年一月五号",
    "1980-01-05 00:00:00",
    "29225",
    "80.1.5",
    "800105",
    "315849600",
    "１９８０－１－５",
    "19800105.0",
]


@pytest.mark.parametrize("month", [1, 9, 10, 11, 12])
@pytest.mark.parametrize("day_of_month", [1, 9, 10, 11, 19, 20, 21, 30, 31])
def test_days_in_chinese_numerals_beside_figures(month: int, day_of_month: int) -> None:
    spoken = ["", *"一二三四五六七八九十", "十一", "十二"]
    tens = ["", "十", "二十", "三十"][day_of_month // 10]
    cells = [
        f"1980年{spoken[month]}月{day_of_month}日",
        f"一九八〇年{month}月{tens}{spoken[day_of_month % 10]}日",
    ]
    found = birth_cells.stated_births(pl.Series(cells), AS_OF)["birth"]
    is_day = day_of_month < 31 or month not in (9, 11)
    assert found.to_list() == [date(1980, month, day_of_month) if is_day else None] * 2


@pytest.mark.parametrize("cell", EXACT)
def test_every_spelling_of_a_day(cell: str) -> None:
    found = birth_cells.stated_births(pl.Series(["19700101", cell]), AS_OF).row(1)
    assert found == (*[day("1980-01-05")] * 3, "stated")


@pytest.mark.parametrize(
    ("cell", "low", "high", "basis"),
    [
        ("198002", "1980-02-01", "1980-02-29", "month"),
        ("1980年2月", "1980-02-01", "1980-02-29", "month"),
        ("一九八〇年二月", "1980-02-01", "1980-02-29", "month"),
        ("一九八〇年十二月生", "1980-12-01", "1980-12-31", "month"),
        ("1980-02-00", "1980-02-01", "1980-02-29", "month"),
        ("19800200", "1980-02-01", "1980-02-29", "month"),
        ("19800230", "1980-02-01", "1980-02-29", "month"),
        ("1980", "1980-01-01", "1980-12-31", "year"),
        ("1980年", "1980-01-01", "1980-12-31", "year"),
        ("19800000", "1980-01-01", "1980-12-31", "year"),
    ],
)
def test_incomplete_days_are_intervals(cell: str, low: str, high: str, basis: str) -> None:
    found = birth_cells.stated_births(pl.Series(["19700101", cell]), AS_OF).row(1)
    assert found == (None, day(low), day(high), basis)


@pytest.mark.parametrize(
    "cell", ["1900-01-01", "1899-12-30", "9999-12-31", "20991231", "无", "0", "abc", "", None]
)
def test_what_is_no_birth_date(cell: str | None) -> None:
    found = birth_cells.stated_births(pl.Series(["19700101", cell]), AS_OF).row(1)
    assert found == (None, None, None, None)


def test_day_numbers_count_from_1904_where_the_identity_numbers_say_so() -> None:
    found = records(
        {"n": "resident_id", "d": "birth_date"}, {"n": [NUMBER, None], "d": ["16801", "27759"]}
    ).rows
    assert found["birth"].to_list() == [day("1949-12-31"), day("1980-01-01")]
    plain = records({"d": "birth_date"}, {"d": ["18264"]}).rows
    assert plain["birth"].to_list() == [day("1950-01-01")]


@pytest.mark.parametrize(
    ("cell", "low", "high"),
    [
        ("78", "1945-06-01", "1946-05-31"),
        ("78岁", "1945-06-01", "1946-05-31"),
        ("７８ 周岁", "1945-06-01", "1946-05-31"),
        ("78.0", "1945-06-01", "1946-05-31"),
        ("七十八岁", "1945-06-01", "1946-05-31"),
        ("虚岁78", "1946-06-01", "1948-05-31"),
        ("78虚岁", "1946-06-01", "1948-05-31"),
        ("3个月", "2024-02-01", "2024-02-29"),
        ("1岁2个月", "2023-03-01", "2023-03-31"),
        ("5天", "2024-05-26", "2024-05-26"),
        ("约40", "1981-06-01", "1986-05-31"),
        ("999", None, None),
        ("不详", None, None),
        (None, None, None),
    ],
)
def test_ages(cell: str | None, low: str | None, high: str | None) -> None:
    on = pl.Series([day("2024-05-31")])
    found = birth_cells.ages(pl.Series([cell], dtype=pl.String), on).row(0)
    assert found == (low and day(low), high and day(high))


def test_what_is_known_of_a_birth_and_from_where() -> None:
    columns = {"n": "resident_id", "d": "birth_date", "a": {"kind": "age", "as_of": {"column": "t"}}}
    values = {
        "n": [NUMBER, NUMBER, NUMBER, NUMBER, None, None],
        "d": ["19500101", None, "1949", None, None, None],
        "a": [None, None, None, "30", "30", "30"],
        "t": [None, None, None, "2024-05-31", "20240531", None],
    }
    rows = records(columns, values).rows
    assert rows["birth_basis"].to_list() == ["stated", "resident_id", "resident_id", "age", "age", "age"]
    assert rows["birth"].to_list() == [
        day("1950-01-01"),
        day("1949-12-31"),
        day("1949-12-31"),
        None,
        None,
        None,
    ]
    assert rows["birth_high"].to_list()[3:] == [day("1994-05-31"), day("1994-05-31"), day("1995-11-17")]


def test_sex_in_every_spelling_then_from_the_number() -> None:
    cells = ["1", "男", "M", "男性", "２", "女", "f", "女士", "0", "9", None]
    rows = records({"s": "sex", "n": "resident_id"}, {"s": cells, "n": [NUMBER] * len(cells)}).rows
    assert rows["sex"].to_list() == ["1"] * 4 + ["2"] * 4 + ["2", "2", "2"]


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("13800001234", ["13800001234"]),
        ("+86 138-0000-1234", ["13800001234"]),
        ("008613800001234", ["13800001234"]),
        ("电话13800001234", ["13800001234"]),
        ("013800001234", ["13800001234"]),
        ("１３８００００１２３４", ["13800001234"]),
        ("13800001234/13900001235", ["13800001234", "13900001235"]),
        ("13800001234 0474-8200001", ["13800001234", "04748200001"]),
        ("(0474)8200001", ["04748200001"]),
        ("4748200001", ["04748200001"]),
        ("8200001", ["8200001"]),
        ("138****8000", ["138****8000"]),
        ("13800001234.0", ["13800001234"]),
        ("1.38E+10", []),
        ("13800000000", []),
        ("150902198001011234", []),
        ("无", []),
        (None, []),
    ],
)
def test_phones(cell: str | None, phones: list[str]) -> None:
    found = records({"p": "phone"}, {"p": [cell, "13700001111"]}).phones
    assert found.filter(pl.col("row") == 0)["phone"].to_list() == phones


def test_two_columns_of_a_kind_are_both_evidence() -> None:
    found = records(
        {"p": "phone", "q": "phone", "a": "identifier", "b": "text"},
        {"p": ["13800001234"], "q": ["13800001234 13900001235"], "a": ["ab 12"], "b": ["好 的"]},
    )
    assert found.phones.rows() == [(0, "13800001234"), (0, "13900001235")]
    assert found.others.rows() == [(0, "a", "AB12"), (0, "b", "好 的")]


def test_households_lose_the_zeros_that_spreadsheets_drop() -> None:
    found = records({"h": "household"}, {"h": ["00123", "123", "0", "无", None, "A-7"]}).households
    assert found.rows() == [(0, "123"), (1, "123"), (5, "A-7")]


def test_typed_columns_are_taken_as_they_are() -> None:
    values = {
        "x": ["张三", "李四"],
        "n": [110105194912310, 130503196704010016],
        "d": [day("1949-12-31"), None],
        "a": [75, None],
        "s": [1, 2],
        "p": [13800001234, 8200001],
        "v": [150902001001, 150902],
        "h": [1, 2],
    }
    kinds = ["person_name", "resident_id", "birth_date", "age", "sex", "phone", "division", "household"]
    found = records(dict(zip(values, kinds, strict=True)), values)
    assert found.rows["id_kind"].to_list() == ["invalid", "valid18"]
    assert found.rows["birth_basis"].to_list() == ["stated", "resident_id"]
    assert found.rows["sex"].to_list() == ["1", "2"]
    assert found.rows["place"].to_list() == ["150902001001", "150902"]
    assert found.phones.height == 2
    assert found.households.height == 2


@pytest.mark.parametrize("rows", [0, 3])
def test_columns_without_anything(rows: int) -> None:
    kinds = ["person_name", "former_name", "latin_name", "resident_id", "identifier", "birth_date", "age"]
    kinds += ["sex", "phone", "address", "division", "household", "text"]
    values = {kind: pl.Series([None] * rows, dtype=pl.String) for kind in kinds}
    found = records({kind: kind for kind in kinds}, values)
    assert found.ids.to_list() == list(range(rows))
    assert found.rows.drop("row").null_count().sum_horizontal().to_list() == [11 * rows]
    assert found.names.height + found.phones.height + found.households.height + found.others.height == 0


def test_order_and_ids_stay() -> None:
    spec = Spec.parse({"left": {"id": "k", "columns": {"n": "person_name"}}})
    table = pl.DataFrame({"k": ["b", "a", "a"], "n": ["张三", "x", None], "other": [1, 2, 3]})
    found = records_of(table.lazy(), spec.left, AS_OF)
    assert found.ids.to_list() == ["b", "a", "a"]
    assert found.rows["row"].to_list() == [0, 1, 2]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", "|", ";"])
def test_delimited_files(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "table.csv"
    lines = [["编号", "姓名"], ["001", "张三"], ["2", '"李，四"'], ["3", ""]]
    path.write_bytes("\r\n".join(separator.join(line) for line in lines).encode(encoding))
    assert read_table(path).to_dict(as_series=False) == {
        "编号": ["001", "2", "3"],
        "姓名": ["张三", "李，四", None],
    }


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = pl.DataFrame({"n": [1, 2], "d": [day("1980-01-01"), None]})
    table.write_parquet(path)
    assert read_table(path).equals(table)
    assert read_table(path, ["n"]).columns == ["n"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "twice.csv").write_text("a,a\n1,2\n")
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    for name, message in {
        "none.csv": "no such file",
        "empty.csv": "is empty",
        "twice.csv": "columns 1 and 2 have one name;",
        "book.xlsx": "neither Parquet nor delimited",
    }.items():
        with pytest.raises(SpecError, match=f"{name}.*{message}"):
            read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("body", "rows", "numbers", "lines"),
    [
        ("1,张伟\n2,李四\n", [("1", "张伟"), ("2", "李四")], None, ()),
        ("1,张伟,x\n2,李四\n3\n\n4,王五\n", [("2", "李四"), ("4", "王五")], [1, 3], (2, 4)),
        ('1,"张\n伟"\n2,李,四\n3,"王,五"\n', [("1", "张\n伟"), ("3", "王,五")], [0, 2], (4,)),
        ('1,"张伟\n2,李四,x\n3,王五\n', [("1", '"张伟'), ("3", "王五")], [0, 2], (3,)),
        ("1\n2,3,4\n", [], [], (2, 3)),
        ("1,张伟,\n2,李四,,\n", [("1", "张伟"), ("2", "李四")], None, ()),
    ],
    ids=["whole", "ragged", "quoted", "stray quote", "none fits", "surplus at the end"],
)
def test_lines_that_do_not_fit_are_named_and_the_others_keep_their_numbers(
    tmp_path: Path, body: str, rows: list[Any], numbers: list[int] | None, lines: tuple[int, ...]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,name\n" + body, encoding="utf-8")
    found = deliver(path)
    assert found.table.rows() == rows
    assert (None if found.numbers is None else found.numbers.to_list()) == numbers
    assert found.not_read == lines
    spec = Spec.parse({"left": {"columns": {"name": "person_name"}}})
    ids = records_of(found.table, spec.left, AS_OF, numbers=found.numbers).ids
    assert ids.to_list() == (numbers if numbers is not None else list(range(len(rows))))
    if lines:
        with pytest.raises(
            SpecError, match=f"t.csv: {len(lines)} of {len(rows) + len(lines)} records were not"
        ):
            read_table(path)


def test_of_many_lines_that_do_not_fit_the_first_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\nid,name\n" + "1,2,3\n" * 1500, encoding="utf-8")
    problem = deliver(path).problem("t.csv")
    assert problem is not None
    assert "1,500 of 1,500" in problem
    assert "line 3, 4, 5" in problem
    assert "22 and 1,480 more" in problem


def test_a_first_line_of_data_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("张伟,李四,张伟\n李四,王五,李四\n", encoding="utf-8")
    with pytest.raises(SpecError, match="columns 1 and 3 have one name;") as caught:
        read_table(path, ["xm"])
    assert "张伟" not in str(caught.value)
    path.write_text("张伟1,李四\n李四,王五\n", encoding="utf-8")
    spec = Spec.parse({"left": {"columns": {"张伟": "person_name", "李四": "former_name"}}})
    for read in (
        lambda: read_table(path, spec.left.needed),
        lambda: records_of(read_table(path), spec.left, AS_OF),
    ):
        with pytest.raises(SpecError, match="no column '张伟'; it has 2, among them 李四 ") as caught:
            read()
        assert "张伟1" not in str(caught.value)
    path.write_text("姓名,姓名\n李四,王五\n", encoding="utf-8")
    with pytest.raises(SpecError, match="columns 1 and 2 have one name '姓名';"):
        read_table(path, ["姓名"])


# ---------------------------------------------------------------- specifications


def side(**columns: Any) -> dict[str, Any]:
    return {"left": {"columns": columns or {"x": "person_name"}}}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "s.yaml: is empty; known words: left, right"),
        ({"right": {}}, "s.yaml: section 'left' is missing"),
        ({"left": {}}, "s.yaml: left: is empty"),
        ({"left": {"columns": {}}}, "s.yaml: left: 'columns' is empty"),
        ({"lefft": {}}, "s.yaml: unknown word 'lefft'; did you mean 'left'?"),
        (side(xb="sexx"), "s.yaml: left: column xb: unknown kind 'sexx'; did you mean 'sex'?"),
        (side(xb={"as_of": "2024-01-01"}), "s.yaml: left: column xb: 'kind' is missing"),
        (side(xb={"kind": "sex", "as_of": "2024-01-01"}), "'as_of' belongs to the kind age, not to sex"),
        (side(nl={"kind": "age", "as_of": "gestern"}), "as_of must be a day such as 2025-11-17"),
        (side(nl={"kind": "age", "nominall": True}), "unknown word 'nominall'; did you mean 'nominal'?"),
        (side() | {"right": {"columns": {"a": "text"}, "key": "a"}}, "s.yaml: right: unknown word 'key'"),
        (side() | {"right_is_clean": "ja"}, "right_is_clean must be true or false"),
        (side() | {"as_of": "2025"}, "s.yaml: as_of must be a day"),
    ],
)
def test_errors_of_a_spec_name_the_place_and_the_nearest_word(raw: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.parse(raw, source="s.yaml")
    assert message in str(caught.value)


def test_a_column_that_the_table_lacks(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "left: {id: 编号, columns: {姓名: person_name, 年龄: {kind: age, as_of: {column: 时间}}}}", "utf-8"
    )
    spec = Spec.load(path)
    assert spec.left.needed == ["编号", "姓名", "年龄", "时间"]
    with pytest.raises(
        SpecError, match=r"s\.yaml: left: the table has no column '姓名'; it has 2, among them 编号 "
    ):
        records_of(pl.DataFrame({"编号": [1], "姓名1": ["a"]}), spec.left, AS_OF)


def test_yaml_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("left: {columns: [", "utf-8")
    with pytest.raises(SpecError, match=r"s\.yaml, line 1: is not YAML"):
        Spec.load(path)
    with pytest.raises(SpecError, match=r"none\.yaml: "):
        Spec.load(tmp_path / "none.yaml")


def test_words_that_old_yaml_reads_as_booleans_are_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "left: {id: no, columns: {yes: sex, on: {kind: age, nominal: true}, off: phone}}\nleft_is_clean: false",
        "utf-8",
    )
    spec = Spec.load(path)
    assert spec.left.needed == ["no", "yes", "on", "off"]
    assert spec.left.columns["on"].nominal is True
    assert spec.left_is_clean is False
    path.write_text("left: {columns: {a: sex}}\nleft_is_clean: no", "utf-8")
    with pytest.raises(SpecError, match="left_is_clean must be true or false"):
        Spec.load(path)


def test_a_file_name_with_an_identity_number_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_table(tmp_path / f"{NUMBER}.csv")
    assert NUMBER not in str(caught.value)
    path = tmp_path / f"{NUMBER}.yaml"
    for body in ("left: [", "lefft: {}", None):
        path.unlink(missing_ok=True)
        if body:
            path.write_text(body, "utf-8")
        with pytest.raises(SpecError, match=r"^110105\*\*\*") as caught:
            Spec.load(path)
        assert NUMBER not in str(caught.value)


def test_reading_tables_needs_nothing_heavy() -> None:
    code = "import sys, matching.tables; print([m for m in ('dagster', 'great_expectations', 'pypinyin', 'duckdb') if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_day_that_does_not_exist_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("left: {columns: {b: person_name}}\nas_of: 2025-13-17\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"^spec\.yaml: holds a day that does not exist"):
        Spec.load(path)
