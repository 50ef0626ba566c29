"""Places and addresses as comparing forms: the longest known division code, and what is left of the address.

A text is read from its beginning, level by level, each level by the longest name that fits what is known so far; any
level may be missing. Names and codes come from `gazetteer`. Work is done on distinct beginnings (what stands before the
first figure), not on rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from matching import gazetteer
from matching.cells import NOTHING, distinct, numbered, spread

FORMS = pl.Schema({"place": pl.String(), "address_key": pl.String(), "village_name": pl.String()})

HOME_SHARE = 0.5
"""Where a prefecture holds more than this share of a table's known addresses, names without anything above them are looked for
there first. Assumed."""

_CODE = r"^[1-9][0-9]{1,11}$"
_DAMAGED_CODE = r"^([1-9])\.([0-9]{5,})E\+?(?:11|8)$"

_FOLLOWED_BY_MORE = (
    r"^(?:[东南西北中]?(?:大道|大街|路|街|巷|道|里|桥|门|村|镇|乡|社区|花园|小区|市场|饭店|大厦|广场|新村|新区|站|屯|庄|庙)"
    r"|市|地区|州|盟|县|区|旗|.{0,9}自治[州县旗])"
)
_COUNTY_AFTER_ALL = (
    r"^(?:桥[东西头]|门[头源]|路[北南桥]|道[里外县孚真]|站前|镇[江平原安赉远沅宁雄康坪巴]|庄[河浪]|乡宁)"
)
"""Counties whose names begin like a road or a village."""
_VILLAGE_FOLLOWED_BY = r"^(?:$|[一二三四五六七八九十第]|东|西|南|北)"

_TRADITIONAL = dict(
    zip(
        "區縣鎮鄉號樓單組內蘭烏爾寧蘇廣東門園莊嶺溝馬龍興華長豐棟層圍陽陰漢濟瀋遼貴慶雲鐵橋衛灣營聯爾德勝",
        "区县镇乡号楼单组内兰乌尔宁苏广东门园庄岭沟马龙兴华长丰栋层围阳阴汉济沈辽贵庆云铁桥卫湾营联尔德胜",
        strict=True,
    )
)

_GROUPS = ("村民小组", "生产小组", "居民小组", "生产队", "村民组", "居民组", "小组", "队", "社", "组")
_BUILDINGS = ("号楼", "栋楼", "号栋", "单元", "幢", "栋", "座")
_UNITS = {
    "社区": "社区",
    "小区": "小区",
    "人民公社": "公社",
    "公社": "公社",
    **dict.fromkeys(("生产大队", "大队"), "村"),
    **dict.fromkeys(_GROUPS, "组"),
    "号院": "号",
    **dict.fromkeys(_BUILDINGS, "-"),
    **dict.fromkeys(("室", "房", "户", "第"), ""),
    **dict.fromkeys("—－–−#", "-"),
    **dict.fromkeys("，,、。；;：:（）()[]【】_/·.*'\"", ""),
}
"""Words of an address and what stands for them in a key; longer ones first."""

_COUNTED = (*_GROUPS, *_BUILDINGS, "号", "室", "层", "楼", "排", "巷", "弄", "户")
_ODD = r"[^\x{4e00}-\x{9fff}0-9A-Z\-]"
_SPOKEN = r"[一二两三四五六七八九十][组社队小村生居号栋幢座单室层楼排巷弄户]"
_ONES = "一二三四五六七八九"


@cache
def _numerals() -> dict[str, str]:
    """Chinese numerals from 1 to 99 before a word that is counted, and the same in Arabic figures."""
    spoken = {1 + n: one for n, one in enumerate(_ONES)} | {10: "十"}
    for tens in range(1, 10):
        head = "十" if tens == 1 else _ONES[tens - 1] + "十"
        spoken |= {10 * tens: head} | {10 * tens + 1 + n: head + one for n, one in enumerate(_ONES)}
    table = {text + unit: f"{number}{unit}" for number, text in spoken.items() for unit in _COUNTED}
    table |= {"两" + unit: f"2{unit}" for unit in _COUNTED}
    return dict(sorted(table.items(), key=lambda pair: -len(pair[0])))


def fold(texts: pl.Series) -> pl.Series:
    """Ends of addresses in one manner of writing: 三组, 三社, 第三村民小组 -> 3组; 5号楼2单元301室 -> 5-2-301."""
    if texts.str.contains(rf"{_ODD}|{_SPOKEN}").any():
        if texts.str.contains(_ODD).any():
            texts = texts.str.normalize("NFKC").str.replace_all(r"[\s\p{C}]+", "").str.to_uppercase()
        spoken = texts.str.contains(_SPOKEN).fill_null(False)
        numerals = _numerals()
        meant = texts.filter(spoken).str.replace_many(list(numerals), list(numerals.values()), leftmost=True)
        texts = texts.scatter(spoken.arg_true(), meant)
    texts = texts.str.replace_many(list(_UNITS), list(_UNITS.values()), leftmost=True)
    if texts.str.contains("--", literal=True).any():
        texts = texts.str.replace_all("--+", "-")
    return texts.str.strip_chars_end("号-")


def place_forms(
    divisions: list[pl.Series], addresses: list[pl.Series], height: int, places: Places | None = None
) -> pl.DataFrame:
    """`place`, `address_key` and `village_name` for each row, from columns with divisions (codes or names) and with addresses.

    A division that is stated outranks the one in the address, unless the address says more about the same place.
    `places` is what another table taught (`learn_places`).
    """
    places = places or NOTHING_LEARNT
    book = places.book()
    place = pl.repeat(None, height, dtype=pl.String, eager=True).alias("place")
    key, village = place.alias("address_key"), place.alias("village_name")
    for cells in divisions:
        found = _division(cells, book, places.home)
        place = _first(place, found["place"])
        village = _first(village, found["village"])
        if not addresses:
            # The name of a village that nobody knows still tells two villages apart.
            key = _first(key, found["rest"])
    for cells in addresses:
        found = _address(cells, place, book, places.home)
        said, read = pl.col("said"), pl.col("read")
        place = (
            pl.DataFrame({"said": place, "read": found["place"]})
            .select(
                pl.when(said.is_null() | read.str.starts_with(said)).then(read).otherwise(said).alias("place")
            )
            .to_series()
        )
        key = _first(key, found["address_key"])
        village = _first(village, found["village"])
    if village.null_count() < height:
        village = village.set(place.str.len_bytes().fill_null(0) == 12, None)
    return pl.DataFrame({"place": place, "address_key": key, "village_name": village}, schema=FORMS)


def _first(one: pl.Series, other: pl.Series) -> pl.Series:
    if other.null_count() == len(other):
        return one
    return other.alias(one.name) if one.null_count() == len(one) else one.fill_null(other)


def _division(cells: pl.Series, book: dict[int, _Level], home: str | None) -> pl.DataFrame:
    """`place`, the codes of today of a column of divisions, written as codes or as names; `rest`, what is left of names;
    `village`, see `_named_villages`.
    """
    values, codes = distinct(cells)
    frame = (
        values.alias("v")
        .to_frame()
        .with_columns(
            pl.col("v")
            .str.normalize("NFKC")
            .str.replace_all(r"[\s\p{C}'`\"=]+", "")
            .str.replace(r"^([0-9]+)\.0+$", "$1")
            .str.replace(_DAMAGED_CODE, "$1$2")
            .alias("text")
        )
    )
    is_code = pl.col("text").str.contains(_CODE)
    six = (
        pl.when(pl.col("v").str.contains("E", literal=True))
        .then(pl.col("text").str.slice(0, 6))
        .otherwise("text")
    )
    frame = frame.with_columns(
        place=pl.when(is_code).then(gazetteer.today(six)),
        rest=pl.lit(None, dtype=pl.String),
        village=pl.lit(None, dtype=pl.String),
    )
    named = frame.select((~is_code & pl.col("text").str.contains(r"\p{Han}")).fill_null(False)).to_series()
    if named.any():
        read = _with_home(_tidy(frame["text"].filter(named)), None, book, home)
        at = named.arg_true()
        frame = frame.with_columns(
            place=frame["place"].scatter(at, read["place"]),
            rest=frame["rest"].scatter(at, fold(read["rest"])),
            village=frame["village"].scatter(at, read["village"]),
        )
    return frame.select(pl.col("place", "rest", "village").replace("", None).gather(codes))


def _address(cells: pl.Series, place: pl.Series, book: dict[int, _Level], home: str | None) -> pl.DataFrame:
    """`place`, `address_key`, `village` of a column of addresses; `place` is where the row is said to be, where that is known."""
    values, codes = distinct(cells)
    raw = pl.col("text").cast(pl.Binary)
    halves = (
        values.alias("text")
        .to_frame()
        .with_columns(at=pl.col("text").str.find(r"[0-9]").fill_null(pl.col("text").str.len_bytes()))
        .select(
            head=raw.bin.slice(0, pl.col("at")).cast(pl.String),
            tail=raw.bin.slice(pl.col("at")).cast(pl.String),
        )
    )
    heads, head_of = distinct(halves["head"])
    tails, tail_of = distinct(halves["tail"])
    texts, ends = _tidy(heads), fold(tails).gather(tail_of)
    rows = np.bincount(head_of.gather(codes.drop_nulls()).to_numpy(), minlength=len(heads))
    read = _with_home(texts, pl.Series(rows, dtype=pl.UInt32), book, home)
    of_heads = read.select("place", fold(read["rest"]).alias("rest"), "village")
    found = _forms(of_heads.select(pl.all().gather(head_of)), ends)
    vague = (read["place"].str.len_bytes() < 9).fill_null(True) & (read["rest"].str.len_bytes() > 0)
    if vague.any() and place.null_count() < len(place):
        # Where the table says in which county the row lies, that decides between places of one name.
        open_ = (vague.gather(head_of).gather(codes) & place.is_not_null()).fill_null(False).arg_true()
        value = codes.gather(open_)
        hints, hint = distinct(place.gather(open_).str.slice(0, 6))
        of_rows, way = _pairs(value, hint)
        value, hint = value.gather(of_rows), hint.gather(of_rows)
        of_ways, pair = _pairs(head_of.gather(value), hint)
        head, hint = head_of.gather(value.gather(of_ways)), hint.gather(of_ways)
        again = _read(_state(texts.gather(head), hints.gather(hint)), book)
        of_heads = again.select(
            pl.col("known").replace("", None).alias("place"),
            fold(again["rest"]).alias("rest"),
            _named_villages(again, book).alias("village"),
        )
        more = _forms(of_heads.select(pl.all().gather(pair)), ends.gather(value))
        codes = codes.scatter(open_, way + found.height)
        found = pl.concat([found, more])
    return found.select(pl.all().gather(codes))


def _pairs(one: pl.Series, other: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Places where pairs of two columns of codes stand first, and for each row which pair it has."""
    both = one.to_numpy().astype(np.uint64) << np.uint64(32) | other.to_numpy()
    places, codes = numbered(spread(both))
    return pl.Series(places), pl.Series(codes)


def _forms(heads: pl.DataFrame, end: pl.Series) -> pl.DataFrame:
    """Columns place, rest, village of the beginning of each address, and its end."""
    key = pl.concat_str("rest", "end")
    return heads.with_columns(end=end).select(
        "place", pl.when(key.str.len_bytes() > 0).then(key).alias("address_key"), "village"
    )


def _tidy(texts: pl.Series) -> pl.Series:
    """Beginnings of addresses in one width and script, without blanks and words for nothing."""
    odd = texts.str.contains(r"[^\x{4e00}-\x{9fff}]").fill_null(False)
    if odd.any():
        plain = texts.filter(odd).str.normalize("NFKC").str.replace_all(r"[\s\p{C}，,、。；;·.\-—_/]+", "")
        texts = texts.scatter(odd.arg_true(), plain)
    old = texts.str.contains("[" + "".join(_TRADITIONAL) + "]").fill_null(False)
    if old.any():
        texts = texts.scatter(old.arg_true(), texts.filter(old).str.replace_many(_TRADITIONAL))
    return texts.set(texts.is_in(NOTHING), "").str.replace(r"^(?:中华人民共和国|中国)", "")


def _state(texts: pl.Series, hints: pl.Series | None) -> pl.DataFrame:
    frame = pl.DataFrame({"rest": texts.fill_null("")}).with_row_index("n")
    hint = pl.lit(None, dtype=pl.String) if hints is None else hints
    return frame.with_columns(known=pl.lit(""), hint=hint)


def _with_home(
    texts: pl.Series, rows: pl.Series | None, book: dict[int, _Level], home: str | None
) -> pl.DataFrame:
    """`place`, `rest`, `village` of distinct texts that stand in so many rows. What stays vague is sought where most rows are, or at
    `home` where no prefecture holds most of them.
    """
    read = _read(_state(texts, None), book)
    vague = (read["known"].str.len_bytes() < 9) & (read["rest"].str.len_bytes() > 0)
    if not vague.any():
        return _read_places(read, book)
    counts = (
        pl.DataFrame({"home": read["known"].str.slice(0, 4)})
        .with_columns(rows=pl.lit(1, dtype=pl.UInt32) if rows is None else rows)
        .filter(pl.col("home").str.len_bytes() == 4)
        .group_by("home")
        .agg(pl.col("rows").sum())
        .sort("rows", "home", descending=[True, False])
    )
    if counts.height and counts["rows"][0] > HOME_SHARE * int(counts["rows"].sum()):
        home = counts["home"][0]
    if home is not None:
        near = read["known"].str.starts_with(home) | (read["known"].str.len_bytes() < 4)
        again = read.filter(vague & near).with_columns(hint=pl.lit(home))
        read = read.update(_read(again, book), on="n", how="left")
    return _read_places(read, book)


def _read_places(read: pl.DataFrame, book: dict[int, _Level]) -> pl.DataFrame:
    village = _named_villages(read, book).alias("village")
    return read.select(pl.col("known").replace("", None).alias("place"), "rest", village)


_TOWN_BEFORE = r"^.{1,8}?(?:街道|镇|乡|苏木|公社)"
_VILLAGE_OF_ANY_NAME = (
    r"^([^路街道巷弄号区县市]{1,8}?(?:社区|嘎查|大队|村))(?:$|[^路街道巷弄里口站新镇乡花大])"
)


def _named_villages(read: pl.DataFrame, book: dict[int, _Level]) -> pl.Series:
    """The stem of the longest name of a village with which `rest` begins, where `known` leaves open which village that is;
    of a village that nobody knows, the stem of what looks like its name.

    Bare stems (红旗) do not count: they may be a township's.
    """
    names, lengths, _ = book[gazetteer.LEVELS["village"]]
    rest, known = pl.col("rest"), pl.col("known")
    open_ = read.select("n", "rest", "known").filter(
        (known.str.len_bytes() < 12) & (rest.str.len_chars() > 1)
    )
    said = (
        open_.with_columns(begin=rest.str.slice(0, 2))
        .join(lengths, on="begin")
        .with_columns(name=rest.str.slice(0, pl.col("length")))
        .join(names, on=["name", "length"])
        .filter(pl.col("code").str.starts_with(known) & ~pl.col("is_short"))
        .sort("n", "length", "name", descending=[False, True, False])
        .unique("n", keep="first", maintain_order=True)
        .select("n", "name")
    )
    others = (
        open_.join(said, on="n", how="anti")
        .select("n", rest.str.replace(_TOWN_BEFORE, "").str.extract(_VILLAGE_OF_ANY_NAME).alias("name"))
        .drop_nulls("name")
    )
    said = pl.concat([said, others])
    stems = {name: gazetteer.village_stem(name) for name in said["name"].unique()}
    stem = said["name"].replace_strict(stems, return_dtype=pl.String) if stems else said["name"]
    of = pl.DataFrame({"n": said["n"], "village": stem})
    return read.select("n").join(of, on="n", how="left", maintain_order="left")["village"]


def _read(state: pl.DataFrame, book: dict[int, _Level]) -> pl.DataFrame:
    """Columns n, rest, known, hint: takes the names of places from the beginning of `rest`, the code goes to `known`."""
    for digits in gazetteer.LEVELS.values():
        state = _level(state, digits, book[digits])
    return state


_Level = tuple[pl.DataFrame, pl.DataFrame, int]
"""Names of a level; lengths of names by their first two characters; the longest length."""


def _level_of(names: pl.DataFrame, digits: int) -> _Level:
    table = names.filter(pl.col("digits") == digits)
    table = table.select("name", "code", "is_short", pl.col("name").str.len_chars().alias("length"))
    begin = pl.col("name").str.slice(0, 2).alias("begin")
    longest = table.select(pl.col("length").max()).item()
    return table, table.select(begin, "length").unique().sort("begin", "length"), longest


@cache
def _book() -> dict[int, _Level]:
    return {digits: _level_of(gazetteer.names(), digits) for digits in gazetteer.LEVELS.values()}


@cache
def _begins_like_others() -> pl.Expr:
    """Whether a `window` begins with a township or village whose own name begins with the short name of a county or
    prefecture (卓资山镇)."""
    names = gazetteer.names()
    short = names.filter(pl.col("is_short") & (pl.col("digits") <= 6))["name"].unique().implode()
    place, length = pl.col("name"), pl.col("name").str.len_chars()
    smaller = names.filter((pl.col("digits") >= 9) & ~pl.col("is_short")).select(place.unique())
    longest = smaller.select(length.max()).item()
    found = smaller.filter(
        pl.any_horizontal(
            (length >= n + 2) & place.str.slice(0, n).is_in(short) for n in range(2, longest - 1)
        )
    )
    lengths = found.select(length.unique().sort()).to_series().to_list()
    places = found["name"].implode()
    return pl.any_horizontal(pl.col("window").str.slice(0, n).is_in(places) for n in lengths)


@dataclass(frozen=True, eq=False)
class Places:
    """What a table teaches about places beyond the gazetteer, for reading itself and others."""

    names: pl.DataFrame
    """Names of townships and villages that the gazetteer lacks, in its columns."""
    home: str | None = None
    """Prefecture in which most rows lie."""

    def book(self) -> dict[int, _Level]:
        """Names of all levels, the learnt ones among them."""
        if not self.names.height:
            return _book()
        known = pl.concat([gazetteer.names(), self.names])
        whole = pl.concat([known, gazetteer.old_names(self.names, known)])
        new = set(self.names["digits"].to_list())
        return {n: _level_of(whole, n) if n in new else level for n, level in _book().items()}


NOTHING_LEARNT = Places(pl.DataFrame(schema=gazetteer.NAMES))

_LEAST_ROWS, _LEAST_SHARE = 3, 0.9
"""A name is learnt when this many rows have it and this share of them the same code. Assumed."""
_HOME_SAMPLE = 20_000


def learn_places(divisions: list[pl.Series], addresses: list[pl.Series]) -> Places:
    """Names of townships and villages from a table that states divisions of 9 or 12 digits beside its addresses, and its home.

    Only places are learnt that the gazetteer lacks. A name stands for a code where at least three rows say so, and nine
    in ten of those that have it.
    """
    if not divisions and not addresses:
        return NOTHING_LEARNT
    sample = [[some(cells) for cells in columns] for columns in (divisions, addresses)]
    height = len((sample[0] or sample[1])[0])
    home = _home(place_forms(sample[0], sample[1], height)["place"].drop_nulls())
    if not divisions or not addresses:
        return Places(NOTHING_LEARNT.names, home)
    values, codes = distinct(divisions[0])
    code = _division(values, _book(), home)["place"]
    known = gazetteer.names()["code"].unique()
    is_new = ((code.str.len_bytes() >= 9) & ~code.str.slice(0, 9).is_in(known.implode())) | (
        (code.str.len_bytes() == 12) & ~code.is_in(known.implode())
    )
    if not is_new.any():
        return Places(NOTHING_LEARNT.names, home)
    is_new, code = is_new.gather(codes).fill_null(False), code.gather(codes)
    rows = pl.DataFrame(
        {
            "text": _tidy(addresses[0].filter(is_new).str.extract(r"^([^0-9０-９]+)")),
            "code": code.filter(is_new),
        }
    )
    rows = rows.drop_nulls().group_by("text", "code").len("rows").sort("text", "code")
    read = _read(_state(rows["text"], rows["code"].str.slice(0, 6)), _book())
    rows = rows.with_columns(rest=read["rest"], known=read["known"])
    towns = rows.filter(pl.col("known") == pl.col("code").str.slice(0, 6)).with_columns(
        name=pl.col("rest").str.extract(_ENDINGS[9]), meant=pl.col("code").str.slice(0, 9)
    )
    learnt = _agreed(towns, 6, 9)
    if learnt.height:
        read = _read(_state(rows["text"], rows["code"].str.slice(0, 6)), Places(learnt).book())
        rows = rows.with_columns(rest=read["rest"], known=read["known"])
    villages = rows.filter(
        (pl.col("code").str.len_bytes() == 12)
        & pl.col("code").str.starts_with(pl.col("known"))
        & (pl.col("known") != "")
    ).with_columns(name=pl.col("rest").str.extract(_ENDINGS[12]), meant=pl.col("code"))
    return Places(pl.concat([learnt, _agreed(villages, 9, 12)]), home)


def some(cells: pl.Series) -> pl.Series:
    """As many cells of a column as it takes to see where its home is."""
    return cells.gather_every(max(1, len(cells) // _HOME_SAMPLE))


def home_of_numbers(numbers: pl.Series) -> str | None:
    """Prefecture in which most of the identity numbers were given; whole, masked or spoiled ones."""
    areas = numbers.str.extract(r"^[^0-9]?([1-8][0-9]{5})[0-9Xx*]{9}").drop_nulls()
    return _home(areas.to_frame("area").select(gazetteer.today(pl.col("area"))).to_series().drop_nulls())


def _home(places: pl.Series) -> str | None:
    homes = (
        places.str.slice(0, 4).alias("home").value_counts().sort("count", "home", descending=[True, False])
    )
    found = homes.filter(
        (pl.col("count") >= HOME_SHARE * len(places)) & (pl.col("home").str.len_bytes() == 4)
    )
    return found["home"][0] if found.height else None


def _agreed(rows: pl.DataFrame, around: int, digits: int) -> pl.DataFrame:
    """Columns name, meant, rows -> names that mean one code within the place around it."""
    counts = (
        rows.drop_nulls("name")
        .group_by("name", "meant")
        .agg(pl.col("rows").sum())
        .with_columns(total=pl.col("rows").sum().over("name", pl.col("meant").str.slice(0, around)))
        .filter((pl.col("rows") >= _LEAST_ROWS) & (pl.col("rows") >= _LEAST_SHARE * pl.col("total")))
        .sort("name", "meant")
    )
    return counts.select(
        digits=pl.lit(digits, dtype=pl.Int8), name="name", code="meant", is_short=pl.lit(False)
    ).filter(pl.col("name").str.len_chars() > 1)


_ENDINGS = {
    6: r"^(.{1,12}?[区县旗市])",
    9: r"^(.{1,12}?(?:街道|镇|乡|苏木|公社))",
    12: r"^(.{1,14}?(?:社区|嘎查|村|大队))",
}
"""What a name of a level mostly looks like. Tried first, because it leaves few different texts to look at."""


def _level(state: pl.DataFrame, digits: int, level: _Level) -> pl.DataFrame:
    """One level: the longest name that fits what is known and means one place."""
    longest = level[2]
    whole = pl.col("rest").str.slice(0, longest + 4)
    found = state.with_columns(code=pl.lit(None, dtype=pl.String), length=pl.lit(None, dtype=pl.UInt32))
    for window in (pl.col("rest").str.extract(_ENDINGS[digits]) if digits in _ENDINGS else None, whole):
        if window is None:
            continue
        open_ = (
            (pl.col("known").str.len_bytes() < digits)
            & (pl.col("rest").str.len_bytes() > 3)
            & pl.col("code").is_null()
        )
        here = found.with_columns(window=pl.when(open_).then(window))
        table = _resolved(
            here.drop_nulls("window").select("window", "known", "hint").unique(),
            digits,
            level,
            window is whole,
        )
        if table.height:
            hits = here.select("window", "known", "hint").join(
                table, on=["window", "known", "hint"], how="left", nulls_equal=True, maintain_order="left"
            )
            found = here.drop("window").with_columns(
                code=pl.coalesce("code", hits["code"]), length=pl.coalesce("length", hits["length"])
            )
    more = pl.col("rest").str.slice(pl.col("length").fill_null(0))
    if digits == 9:
        more = more.str.replace(r"^(?:街道办事处|办事处|街道办|人民政府)", "")
    elif digits == 12:
        more = more.str.replace(r"^(?:社区|村)?(?:居民|居|村民|村|民)?委(?:员)?会", "")
    return found.select(
        "n",
        pl.when(pl.col("code").is_null()).then("rest").otherwise(more).alias("rest"),
        pl.coalesce("code", "known").alias("known"),
        "hint",
    )


def _resolved(windows: pl.DataFrame, digits: int, level: _Level, is_open: bool) -> pl.DataFrame:
    """Columns window, known, hint -> those with a name at the beginning, with its `code` and `length`.

    `is_open`: the name may be shorter than the window; otherwise the window is the whole name.
    """
    names, lengths, _ = level
    windows = windows.with_row_index("w")
    if is_open:
        cut = (
            windows.with_columns(begin=pl.col("window").str.slice(0, 2))
            .join(lengths, on="begin")
            .with_columns(name=pl.col("window").str.slice(0, pl.col("length")))
        )
    else:
        cut = windows.with_columns(name=pl.col("window"), length=pl.col("window").str.len_chars())
        names = names.filter(~pl.col("is_short"))
    return windows.join(_chosen(cut.join(names, on=["name", "length"]), digits), on="w").drop("w")


def _chosen(candidates: pl.DataFrame, digits: int) -> pl.DataFrame:
    """For each `w` the longest name that can mean one place only, its `code` and `length`."""
    code, known, hint = pl.col("code"), pl.col("known"), pl.col("hint")
    after = pl.col("window").str.slice(pl.col("length"))
    # The zone belongs to one prefecture and is run by another: its code stands wherever the name does.
    inside = code.str.starts_with(known) | (pl.col("name") == "深汕特别合作区")
    near = (
        code.str.starts_with(hint.str.slice(0, 6)).cast(pl.Int8)
        + code.str.starts_with(hint.str.slice(0, 4)).cast(pl.Int8)
    ).fill_null(0)
    width = known.str.len_bytes()
    good = inside
    if digits == 6:
        good = good & ((width >= 2) | (pl.col("near") > 0) | ~pl.col("is_short"))
    elif digits > 6:
        good = good & ((width >= 4) | (pl.col("near") > 0))
    if digits == 12:
        good = good & (~pl.col("is_short") | ((width >= 9) & after.str.contains(_VILLAGE_FOLLOWED_BY)))
    else:
        is_road = after.str.contains(_FOLLOWED_BY_MORE) & ~after.str.contains(_COUNTY_AFTER_ALL)
        good = good & ~(pl.col("is_short") & (is_road | _begins_like_others()))
    return (
        candidates.with_columns(near=near)
        .filter(good)
        .filter(pl.col("near") == pl.col("near").max().over("w", "length"))
        .group_by("w", "length")
        .agg(code.n_unique().alias("codes"), code.first())
        .filter(pl.col("codes") == 1)
        .sort("w", "length", descending=[False, True])
        .unique("w", keep="first", maintain_order=True)
        .select("w", "code", "length")
    )
