"""How one name or one number comes out wrong: other characters, lost dots, swapped digits, masks.

Functions from the written values and numbers of chance to the values as somebody else wrote them. How often, to
whom and where it happens belongs in `damage.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from sample_data.odds import HERE, Floats, Ints, rates

SURNAMES = ["包", "白", "王", "李", "吴", "陈", "何", "韩"]
BORNE = "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤包]"
"""First characters that are Han surnames: such a name gets no second one."""


@cache
def confusions() -> pl.DataFrame:
    """Partners of each character: char, sound, near_sound, shape, variant (strings of characters, commonest first)."""
    return pl.read_csv(HERE / "reference" / "confusions.csv", infer_schema=False).fill_null("")


@cache
def rare_characters() -> pl.DataFrame:
    """Characters that old systems cannot store: char, pinyin, shape, private_use."""
    return pl.read_csv(HERE / "reference" / "rare_chars.csv", infer_schema=False).fill_null("")


def written(series: pl.Series, rows: Ints, values: pl.Series) -> pl.Series:
    """The series with new values in some rows."""
    return series.scatter(rows, values) if len(rows) else series


def mistyped(names: pl.Series, kind: str, u: Floats, v: Floats) -> pl.Series:
    """One character replaced by a partner of that kind; names without a partner stay as they are."""
    frame = pl.DataFrame({"n": names, "u": u, "v": v}).with_columns(size=pl.col("n").str.len_chars())
    # The surname is known to whoever types; four errors of five fall on the given name.
    place = (
        pl.when((pl.col("u") < 0.2) | (pl.col("size") < 2))
        .then(0)
        .otherwise(1 + ((pl.col("u") - 0.2) / 0.8 * (pl.col("size") - 1)).floor())
        .cast(pl.Int64)
    )
    frame = frame.with_columns(at=place)
    frame = frame.with_columns(char=pl.col("n").str.slice(pl.col("at"), 1)).join(
        confusions().select("char", partners=kind), on="char", how="left", maintain_order="left"
    )
    # Partners stand commonest first, and the first are taken most often.
    pick = (pl.col("v").pow(2) * pl.col("partners").str.len_chars()).floor().cast(pl.Int64)
    changed = (
        pl.col("n").str.slice(0, pl.col("at"))
        + pl.col("partners").str.slice(pick, 1)
        + pl.col("n").str.slice(pl.col("at") + 1)
    )
    return frame.select(
        pl.when(pl.col("partners").str.len_chars() > 0).then(changed).otherwise(pl.col("n"))
    ).to_series()


def choose(u: Floats, options: list[Any]) -> pl.Series:
    """One of the options for each number of chance."""
    return pl.Series(options).gather((u * len(options)).astype(np.uint32))


def _shape(names: pl.Series, expression: pl.Expr) -> pl.Series:
    return pl.DataFrame({"n": names}).select(expression).to_series()


_N = pl.col("n")


def _swap(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, _N.str.head(-2) + _N.str.tail(1) + _N.str.slice(-2, 1))


def _drop(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, pl.when(_N.str.len_chars() > 2).then(_N.str.head(-1)).otherwise(_N))


def _insert(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return _shape(names, _N + _N.str.tail(1))


def _note(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return names + choose(u, ["(大)", "(小)", "2", "(户主)", "(已故)", "（亡）", "(残)"])


def _full_width(names: pl.Series, u: Floats, v: Floats) -> pl.Series:
    return names.str.head(1) + choose(u, ["\u00a0", "\u200b", "\ufeff"]) + names.str.slice(1)


def masked_name(names: pl.Series) -> pl.Series:
    """张*明, 张*."""
    star = (
        pl.when(_N.str.len_chars() > 2)
        .then(_N.str.head(1) + "*" + _N.str.tail(1))
        .otherwise(_N.str.head(1) + "*")
    )
    return _shape(names, star)


def masked_number(numbers: pl.Series) -> pl.Series:
    """152601********123X."""
    return _shape(
        numbers,
        pl.when(_N.str.len_chars() == 18).then(_N.str.head(6) + "********" + _N.str.tail(4)).otherwise(_N),
    )


NAME_KINDS: dict[str, Callable[[pl.Series, Floats, Floats], pl.Series]] = {
    "homophone": lambda n, u, v: mistyped(n, "sound", u, v),
    "near_sound": lambda n, u, v: mistyped(n, "near_sound", u, v),
    "look_alike": lambda n, u, v: mistyped(n, "shape", u, v),
    "variant": lambda n, u, v: mistyped(n, "variant", u, v),
    "swap": _swap,
    "drop": _drop,
    "insert": _insert,
    "note": _note,
    "full_width": _full_width,
    "masked": lambda n, u, v: masked_name(n),
}


def dot_lost(names: pl.Series, u: Floats) -> pl.Series:
    """What stands where the name dot should, by the shares of `dot_forms`."""
    forms = rates()["dot_forms"]
    edges = np.cumsum([weight for _, weight in forms]) / sum(weight for _, weight in forms)
    kind = np.searchsorted(edges, u, side="right")
    for position, (form, _) in enumerate(forms):
        rows = np.flatnonzero(kind == position)
        names = written(names, rows, names.gather(rows).str.replace_all("·", form, literal=True))
    return names


def rare_lost(names: pl.Series, u: Floats) -> pl.Series:
    """? or □ 45 %, pinyin 20, look-alike 20, private-use code 15 (CHINESE_DATA D3; descriptions count as ?)."""
    table = rare_characters()
    old = table["char"].to_list()
    forms = [
        ["?"] * len(old),
        ["□"] * len(old),
        [p.upper() or "?" for p in table["pinyin"]],
        [s or "□" for s in table["shape"]],
        [p or "?" for p in table["private_use"]],
    ]
    kind = np.searchsorted(np.array([0.25, 0.45, 0.65, 0.85, 1.0]), u, side="right")
    for position, new in enumerate(forms):
        rows = np.flatnonzero(kind == position)
        names = written(names, rows, names.gather(rows).str.replace_many(old, new))
    return names


def other_order(names: pl.Series, u: Floats) -> pl.Series:
    """父名·名 for 名·父名, or the father's part dropped."""
    parts = _N.str.split("·")
    turned = parts.list.reverse().list.join("·")
    first = parts.list.first()
    frame = pl.DataFrame({"n": names, "u": u})
    return frame.select(pl.when(pl.col("u") < 0.5).then(turned).otherwise(first)).to_series()


def cut(names: pl.Series, u: Floats) -> pl.Series:
    """Names longer than the field."""
    lengths = choose(u, rates()["cut_lengths"])
    return pl.DataFrame({"n": names, "k": lengths}).select(_N.str.slice(0, pl.col("k"))).to_series()


# ---------------------------------------------------------------- numbers


def _another_digit(character: str, u: float) -> str:
    return str((int(character) + 1 + int(u * 9)) % 10) if character.isdigit() else "1"


def digit_wrong(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    """One digit wrong; 40 % in the date part."""
    changed = []
    for number, a, b in zip(numbers, u.tolist(), v.tolist(), strict=True):
        if len(number) != 18:
            changed.append(number)
            continue
        others = (*range(6), *range(14, 17))
        at = 6 + int(a / 0.4 * 8) if a < 0.4 else others[int((a - 0.4) / 0.6 * len(others))]
        changed.append(number[:at] + _another_digit(number[at], b) + number[at + 1 :])
    return changed


def digits_swapped(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    """Two neighbouring digits in each other's place."""
    changed = []
    for number, a in zip(numbers, u.tolist(), strict=True):
        at = int(a * max(len(number) - 2, 1))
        changed.append(number[:at] + number[at + 1 : at + 2] + number[at : at + 1] + number[at + 2 :])
    return changed


def length_wrong(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    """A digit too few or twice."""
    changed = []
    for number, a, b in zip(numbers, u.tolist(), v.tolist(), strict=True):
        at = int(a * len(number))
        changed.append(
            number[:at] + number[at + 1 :] if b < 0.6 else number[:at] + number[at : at + 1] + number[at:]
        )
    return changed


def spelled_full_width(numbers: list[str], u: Floats, v: Floats) -> list[str]:
    """Full-width digits, blanks inside, a leading apostrophe."""
    wide = {ord(c): ord(c) + 0xFEE0 for c in "0123456789X"}
    changed = []
    for number, a in zip(numbers, u.tolist(), strict=True):
        if a < 0.5:
            changed.append(number.translate(wide))
        elif a < 0.75:
            changed.append(f"{number[:6]} {number[6:14]} {number[14:]}")
        else:
            changed.append("'" + number)
    return changed


# ---------------------------------------------------------------- addresses and days


def free_address(addresses: pl.Series, w: Floats) -> pl.Series:
    """Levels dropped, old names, 三组 or 三社 for 3组, house number missing."""
    frame = pl.DataFrame({"n": addresses, "w": w})
    old = (
        _N.str.replace("乌兰察布市", "乌盟", literal=True)
        .str.replace("集宁区", "集宁市", literal=True)
        .str.replace("察哈尔右翼", "察右", literal=True)
    )
    numerals = dict(zip("123456789", "一二三四五六七八九", strict=True))
    is_group = _N.str.contains(r"(?:^|[^0-9])[1-9]组")
    spoken = _N.str.replace_many({f"{n}组": f"{zh}组" for n, zh in numerals.items()})
    spoken = pl.when(pl.col("w") < 0.63).then(spoken).otherwise(spoken.str.replace("组", "社", literal=True))
    free = (
        pl.when(pl.col("w") < 0.2)
        .then(_N.str.replace(r"^[^省]{2,5}(?:省|自治区)", ""))
        .when(pl.col("w") < 0.45)
        .then(_N.str.replace(r"^(?:[^省]{2,5}(?:省|自治区))?[^市盟]{2,6}(?:市|盟)", ""))
        .when(pl.col("w") < 0.55)
        .then(old)
        .when((pl.col("w") < 0.7) & is_group)
        .then(spoken)
        .when(pl.col("w") < 0.8)
        .then(_N.str.replace("村民委员会|村委会", "村").str.replace("社区居民委员会|社区居委会", "社区"))
        .otherwise(_N.str.replace(r"\d+号?$", ""))
    )
    return frame.select(pl.when(free.str.len_chars() > 2).then(free).otherwise(_N)).to_series()


def other_birth_date(values: pl.Series, w: Floats) -> pl.Series:
    """Lunar shift 35, digit of the day 20, 1 January 20, a year 15, day and month exchanged 10 (CD D3)."""
    frame = pl.DataFrame({"d": values, "w": w})
    d, kind = pl.col("d"), pl.col("w")
    exchanged = pl.date(d.dt.year(), pl.when(d.dt.day() < 13).then(d.dt.day()).otherwise(1), d.dt.month())
    return frame.select(
        pl.when(kind < 0.35)
        .then(d - pl.duration(days=(20 + kind * 80).cast(pl.Int64)))
        .when(kind < 0.55)
        .then(d + pl.duration(days=10))
        .when(kind < 0.75)
        .then(pl.date(d.dt.year(), 1, 1))
        .when(kind < 0.90)
        .then(d.dt.offset_by("1y"))
        .otherwise(exchanged)
    ).to_series()
