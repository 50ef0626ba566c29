"""Places and addresses: the hard cases of CHINESE_DATA C5, levels dropped, old names, and what is left as a key."""

from __future__ import annotations

import polars as pl
import pytest

from matching import gazetteer
from matching.addresses import fold, learn_places, place_forms


def read(*addresses: str | None) -> list[tuple[str | None, str | None]]:
    found = place_forms([], [pl.Series(addresses, dtype=pl.String)], len(addresses))
    return found.select("place", "address_key").rows()


CASES = [
    (
        "内蒙古自治区乌兰察布市集宁区新体路街道体育场社区人民路3号锦绣花园5号楼2单元1203室",
        "150902001002",
        "人民路3号锦绣花园5-2-1203",
    ),
    ("内蒙古乌兰察布市集宁区体育场社区居民委员会人民路３号", "150902001002", "人民路3"),
    ("乌盟集宁市新体路办事处体育场社区", "150902001002", None),
    ("乌兰察布市 集宁区", "150902", None),
    ("內蒙古自治區烏蘭察布市集寧區", "150902", None),
    ("乌兰察布盟集宁市", "150902", None),
    ("内蒙古乌兰察布市察右前旗土贵乌拉镇三组12号", "150926105", "3组12"),
    ("乌兰察布市前旗土贵乌拉镇", "150926105", None),
    ("集宁区马莲渠乡霸王河村民委员会3组", "150902205205", "3组"),
    ("集宁区马莲渠乡霸王河村3社", "150902205205", "3组"),
    ("集宁区马莲渠乡霸王河三组", "150902205205", "3组"),
    ("乌兰察布市卓资山镇东街社区", "150921106001", None),
    ("石家庄桥东区裕华东路12号", "1301", "裕华东路12"),
    ("河北省石家庄市桥西区裕华西路12号", "130104", "裕华西路12"),
    ("广东省深圳市宝安县新安街道3号", "440306017", "3"),
    ("广东省深圳市深汕特别合作区鹅埠镇3号", "441521103", "3"),
    ("绵竹县富新镇三组", "510683119", "3组"),
    ("绵竹县富新公社三社", "510683119", "3组"),
    ("绵竹县富新乡友花大队三社", "510683119201", "3组"),
    ("集宁市友花大队三社", "150902", "友花村3组"),
    ("集宁市马莲渠人民公社霸王河生产大队3队", "150902205205", "3组"),
    ("集宁市马莲渠镇霸王河大队", "150902205205", None),
    ("某某人民公社某某生产大队第三生产队", None, "某某公社某某村3组"),
    ("四川绵竹", "510683", None),
    ("四川省成都市金牛区抚琴街道光明社区3号", "510106", "抚琴街道光明社区3"),
    ("伊盟东胜市3号", "150602", "3"),
    ("恩施州恩施市3号", "422801", "3"),
    ("吉林市船营区3号", "220204", "3"),
    ("青海省海南藏族自治州共和县恰卜恰镇1号", "632521", "恰卜恰镇1"),
    ("北京路3号", None, "北京路3"),
    ("深圳路5号", None, "深圳路5"),
    ("新华区3号", None, "新华区3"),
    ("第三村民小组", None, "3组"),
    ("12号", None, "12"),
    ("无", None, None),
    ("", None, None),
    (None, None, None),
]


@pytest.mark.parametrize(("address", "place", "key"), CASES)
def test_addresses(address: str | None, place: str | None, key: str | None) -> None:
    assert read(address) == [(place, key)]


def test_many_at_once_give_what_each_gives_alone() -> None:
    """Against a table that knows no home: half of the rows lie elsewhere."""
    elsewhere = [f"广东省深圳市福田区{n}号" for n in range(2 * len(CASES))]
    found = read(*(address for address, _, _ in CASES), *elsewhere)[: len(CASES)]
    assert found == [(place, key) for _, place, key in CASES]


def test_the_home_of_a_table_decides_between_places_of_one_name() -> None:
    home = ["河北省石家庄市新华区3号"] * 3
    assert read(*home, "桥西区3号")[-1] == ("130104", "3")
    assert read("桥西区3号") == [(None, "桥西区3")]


def test_a_stated_division_decides_where_and_outranks_the_address() -> None:
    divisions = pl.Series(["130104", "150902", "150902001002", "石家庄市桥西区", None])
    addresses = pl.Series(["桥西区3号", "深圳市福田区3号", "集宁区3号", "新华区3号", "深圳市福田区"])
    assert place_forms([divisions], [addresses], 5)["place"].to_list() == [
        "130104",
        "150902",
        "150902001002",
        "130104",
        "440304",
    ]


def test_an_address_that_says_more_about_the_same_place_is_taken() -> None:
    found = place_forms([pl.Series(["150902"])], [pl.Series(["新体路街道体育场社区3号"])], 1)
    assert found.rows() == [("150902001002", "3", None)]


@pytest.mark.parametrize(
    ("code", "today"),
    [
        ("150902", "150902"),
        ("150902000000", "150902"),
        ("150902001000", "150902001"),
        ("150902001002", "150902001002"),
        ("152601", "150902"),
        ("152600", "1509"),
        ("512822", "510683"),
        ("510622", "510683"),
        ("440321", "440306"),
        ("130103", "1301"),
        ("152601001002", "150902"),
        ("150000", "15"),
        ("15", "15"),
        ("99", None),
        ("1509021", None),
    ],
)
def test_codes_of_the_past_lead_to_today(code: str, today: str | None) -> None:
    found = pl.DataFrame({"c": [code]}).select(gazetteer.today(pl.col("c"))).item()
    assert found == today


def test_every_successor_is_a_place_of_today() -> None:
    successors = gazetteer.successors()
    known = set(gazetteer.names()["code"])
    assert set(successors.values()) <= known
    assert not {code for code in successors if len(code) != len(successors[code]) and len(code) == 2}
    assert len(successors) > 3000


@pytest.mark.parametrize(
    "spellings",
    [
        ["三组", "3组", "三社", "第三村民小组", "3队", "第3生产队", "３组"],
        ["5号楼2单元301室", "5栋2单元301", "5幢2单元301室", "五号楼二单元301", "5-2-301"],
        ["人民路3号", "人民路 ３号", "人民路3"],
        ["二十一组5号", "21社5"],
    ],
)
def test_spellings_of_one_door_are_one_key(spellings: list[str]) -> None:
    assert fold(pl.Series(spellings)).n_unique() == 1


def test_names_of_roads_with_numerals_stay() -> None:
    assert fold(pl.Series(["五一路3号", "三道街5号", "第一大街"])).to_list() == [
        "五一路3",
        "三道街5",
        "一大街",
    ]


def test_a_table_teaches_the_villages_that_the_gazetteer_lacks() -> None:
    divisions = ["510106031002"] * 5 + ["510106031004"] * 5 + ["510106031009"] * 2
    addresses = [
        *["四川省成都市金牛区抚琴街道光明社区3号"] * 5,
        *["成都市金牛区抚琴街道西南社区金鱼街5号"] * 5,
        *["成都市金牛区抚琴街道少见社区5号"] * 2,
    ]
    learnt = learn_places([pl.Series(divisions)], [pl.Series(addresses)])
    assert learnt.home == "5101"
    assert learnt.names.select("name", "code").rows() == [
        ("抚琴街道", "510106031"),
        ("光明社区", "510106031002"),
        ("西南社区", "510106031004"),
    ]
    right = pl.Series(["金牛区光明社区7号", "抚琴街道西南社区", "少见社区5号", "北京市东城区3号"])
    found = place_forms([], [right], 4, learnt)
    assert found["place"].to_list() == ["510106031002", "510106031004", None, "110101"]
    assert place_forms([], [right], 4)["place"].to_list() == ["510106", None, None, "110101"]


def test_old_names_are_read_unless_another_place_of_the_prefecture_bears_them_today() -> None:
    rows = [
        (9, "红旗乡", "990101100"),
        (9, "红旗镇", "990102100"),
        (12, "东风村", "990101100201"),
        (12, "红旗社区", "990101100001"),
        (12, "东风", "990101100201"),
        (12, "甲村", "990101100202"),
    ]
    known = pl.DataFrame([(*row, row[1] == "东风") for row in rows], schema=gazetteer.NAMES, orient="row")
    found = gazetteer.old_names(known, known)
    assert found.select("name", "code").rows() == [
        ("红旗人民公社", "990101100"),
        ("红旗人民公社", "990102100"),
        ("红旗公社", "990101100"),
        ("红旗公社", "990102100"),
        ("东风大队", "990101100201"),
        ("东风生产大队", "990101100201"),
        ("红旗大队", "990101100001"),
        ("红旗村", "990101100001"),
        ("红旗生产大队", "990101100001"),
    ]
    assert not found["is_short"].any()


def test_village_names_alone_are_read_at_the_home_of_the_other_table() -> None:
    left = learn_places([pl.Series(["150902205205", "150902001002"] * 5)], [])
    villages = pl.Series(["霸王河村", "体育场社区", "无此村"])
    assert place_forms([villages], [], 3, left)["place"].to_list() == ["150902205205", "150902001002", None]
    assert place_forms([villages], [], 3)["place"].to_list() == [None, None, None]


def test_a_village_that_nobody_knows_is_a_key_where_there_is_no_address() -> None:
    villages = pl.Series(["某某村", "乌兰察布市集宁区某某村", "150902", "无", None])
    assert place_forms([villages], [], 5).drop("village_name").rows() == [
        (None, "某某村"),
        ("150902", "某某村"),
        ("150902", None),
        (None, None),
        (None, None),
    ]
    assert place_forms([villages[:1]], [pl.Series(["3组"])], 1).rows() == [(None, "3组", "某某")]


@pytest.mark.parametrize(
    ("address", "village"),
    [
        ("某某村", "某某"),
        ("某某村委会", "某某"),
        ("某某社区居委会3号", "某某"),
        ("某某公社某某大队三队", "某某"),
        ("集宁市某某乡李村三组", "李村"),
        ("青海省海南藏族自治州共和县恰卜恰镇上塔迈村1号", "上塔迈"),
        ("集宁区马莲渠乡霸王河村", None),
        ("某某村路3号", None),
        ("人民路某某社区", None),
        ("某某村镇3号", None),
        ("某某社区花园3号", None),
        ("三组12号", None),
    ],
)
def test_what_looks_like_the_name_of_a_village_that_nobody_knows_is_kept_as_a_name(
    address: str, village: str | None
) -> None:
    columns = [pl.Series([address], dtype=pl.String)]
    assert place_forms([], columns, 1)["village_name"].to_list() == [village]
    assert place_forms(columns, [], 1)["village_name"].to_list() == [village]


def test_a_name_that_several_villages_bear_is_kept_as_a_name() -> None:
    """Five of that name lie in the prefecture: one in Liangcheng, two in Huade."""
    said = [
        "三道沟村",
        "凉城县三道沟村",
        "三道沟村委会3组",
        "三道沟",
        "化德县三道沟村",
        "集宁区无此村",
    ]
    divisions = pl.Series([None, None, None, None, None, "150922201208"], dtype=pl.String)
    home = ["内蒙古乌兰察布市集宁区"] * 9
    texts = [*said, *home]
    found = place_forms([divisions.extend_constant(None, 9)], [pl.Series(texts)], len(texts))
    assert found["village_name"].head(6).to_list() == ["三道沟", None, "三道沟", None, "三道沟", None]
    expected = [None, "150925104219", None, None, "150922", "150922201208"]
    assert found["place"].head(6).to_list() == expected
    alone = place_forms([pl.Series(said[:1])], [], 1)
    assert alone.rows() == [(None, "三道沟村", "三道沟")]


def test_a_prefecture_does_not_take_the_beginning_of_a_village() -> None:
    home = ["内蒙古乌兰察布市集宁区"] * 3
    assert read(*home, "乌兰察布综合物流产业园区社区")[-1] == ("150924109400", None)
    assert read(*home, "乌兰察布集宁区")[-1] == ("150902", None)
