"""Why these two: what every comparison said of a pair, in plain Chinese with bits, for all links at once.

No value of a person stands in these words: what agreed or differed, how common it is, how much it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from matching.comparators.sharing import VILLAGE
from matching.engine import Linked
from matching.evidence import Evidence
from matching.model import BY_NAME, MODEL, Model

WORDS: dict[str, dict[str, str]] = {
    "name": {
        "exact": "姓名相同",
        "sound": "姓名同音字不同",
        "near_sound": "姓名读音相近",
        "shape": "姓名字形相近",
        "other": "姓名一字不同",
        "swap": "姓名用字次序颠倒",
        "drop": "姓名少一字",
        "insert": "姓名多一字",
        "two": "姓名两处不同",
        "pinyin": "姓名一字写作拼音",
        "spelling": "姓名译写不同",
        "order": "姓名各部分次序不同",
        "cut": "姓名只记前一部分",
        "part": "姓名只记其中一部分",
        "surname_added": "姓名多记或少记姓氏",
        "latin": "姓名以拼音或外文书写",
        "former": "曾用名或别名相同",
        "none": "姓名不同",
    },
    "hidden_name": {"fits": "姓名可见部分相符", "slip": "姓名可见部分相近", "none": "姓名可见部分不符"},
    "id": {
        "equal": "证件号码相同",
        "slip": "证件号码一处不同",
        "slips": "证件号码两处不同",
        "relative": "证件号码是同户另一人的",
        "other_person": "证件号码是名册中另一人的",
        "other": "证件号码不同",
        "fits": "证件号码残缺，余下部分相符",
        "differs": "证件号码残缺，余下部分不符",
        "renewed": "护照号码不同（可能已换发）",
    },
    "hidden_id": {"fits": "证件号码可见部分相符", "differs": "证件号码可见部分不符"},
    "birth": {
        "equal": "出生日期相同",
        "lunar": "出生日期似为农历与公历之别",
        "digit": "出生日期一位数字不同",
        "first_of_year": "出生日期一方只记年份（1月1日）",
        "year": "出生日期差一年",
        "swap": "出生日期月日颠倒",
        "same_year": "出生年份相同，日期不同",
        "near": "出生日期相差不到三年",
        "differs": "出生日期不同",
    },
    "age": {
        "within": "年龄相符",
        "one": "年龄差一岁",
        "two": "年龄差两岁",
        "five": "年龄差三至五岁",
        "differs": "年龄不符",
    },
    "sex": {"equal": "性别相同", "differs": "性别不同"},
    "phone": {"equal": "电话相同", "family": "电话是同户家人的", "differs": "电话不同"},
    "hidden_phone": {
        "equal": "电话可见部分相符",
        "family": "电话可见部分与家人的相符",
        "differs": "电话可见部分不符",
    },
    "place": {
        "village": "同村（居）",
        "township": "同乡镇，不同村",
        "county": "同县，不同乡镇",
        "prefecture": "同市，不同县",
        "elsewhere": "住地不在同一市",
        "within_township": "同乡镇",
        "within_county": "同县",
        "within_prefecture": "同市",
        "other_village": "村（居）名不同",
    },
    "address": {"equal": "门牌或村组相同", "differs": "门牌或村组不同"},
    "household": {"equal": "户号相同", "differs": "户号不同"},
    "other": {"equal": "其他编号相同", "differs": "其他编号不同"},
}
"""What is said of each level. `test_waterfall` asks that none is missing."""

AMONG_VILLAGERS = "按本表和本村姓氏"
"""Of two people of one village a name counts by what its surname is there, where that is more than in the table."""

HOW_COMMON = ("exact", "former")
"""Levels of names whose bits are the rarity of the name itself."""


def _sentence(
    comparison: str, rates: np.ndarray[Any, Any], n: int, among: str = "本表"
) -> Callable[[int], str]:
    """What is said of a level and its bits (see `_codes`): the words, for whole names how common `among` whom, the bits."""
    known = BY_NAME[comparison]
    words = [WORDS[comparison][level] for level in (*known.levels, *(name for name, _ in known.pooled))]

    def sentence(code: int) -> str:
        level, tenths = code >> _SHIFT, (code & _MASK) - _ZERO
        if not level:
            return ""
        is_whole = comparison == "name" and known.levels[level - 1] in HOW_COMMON
        common = _how_common(tenths / 10 - float(rates[level]), n, among) + "，" if is_whole else ""
        return f"{words[level - 1]}（{common}{_signed(tenths)}）；"

    return sentence


_SHIFT, _ZERO = 12, 2048
_MASK = (1 << _SHIFT) - 1


def _codes(level: np.ndarray[Any, Any], bits: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Level and bits to a tenth as one number."""
    tenths = np.clip(np.round(bits * 10), -_ZERO + 1, _ZERO - 1).astype(np.int64) + _ZERO
    found: np.ndarray[Any, np.dtype[np.int64]] = (level.astype(np.int64) << _SHIFT) + tenths
    return found


def texts_of(values: np.ndarray[Any, Any], text: Callable[[int], str]) -> pl.Series:
    """A text for every whole number, each distinct one written once. The numbers lie within some millions."""
    if not len(values):
        return pl.Series([], dtype=pl.String)
    low = int(values.min())
    places = values - low
    occurs = np.zeros(int(places.max()) + 1, dtype=bool)
    occurs[places] = True
    texts = [text(value + low) for value in np.flatnonzero(occurs).tolist()]
    return pl.Series(texts, dtype=pl.String).gather((np.cumsum(occurs) - 1)[places])


def _signed(tenths: int) -> str:
    return f"{'−' if tenths < 0 else '+'}{abs(tenths) / 10:.1f}"


def _tenths(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.round(np.asarray(values, dtype=np.float64) * 10).astype(np.int64)


def bits_zh(values: np.ndarray[Any, Any]) -> pl.Series:
    """+11.6 or −3.2."""
    return texts_of(_tenths(values), _signed)


def one_in(bits: float) -> str:
    """3,100 for 11.6 bits: one person in so many, two digits of it."""
    return _two_digits(2 ** max(bits, 0))


def _two_digits(number: float) -> str:
    size = 10 ** max(len(str(int(number))) - 2, 0)
    return f"{round(number / size) * size:,}"


def _how_common(bits: float, n: int, among: str = "本表") -> str:
    """How many people of the left table share a name; beyond its size nothing more is known."""
    if bits <= np.log2(max(n, 1)) + 0.05:
        return f"{among}约每{one_in(bits)}人1人"
    return f"本表不到每{_two_digits(n)}人1人"


def worth(comparison: str, evidence: Evidence, model: Model) -> np.ndarray[Any, Any]:
    """Bits that a comparison adds to the weight of each pair; 0 where it is silent."""
    found: np.ndarray[Any, Any] = np.where(
        evidence.level > 0, model.bits(comparison)[evidence.level] + evidence.bits, 0.0
    )
    return found


def start_bits(n_left: int, share: float) -> float:
    """Bits with which every pair begins: the odds that a given left record is the one, before anything is compared."""
    share = min(max(share, 1e-6), 0.9995)
    return float(-np.log2(max(n_left, 1) * (1 - share) / share))


def reasons(linked: Linked, links: pl.DataFrame, *, with_another: float | None = None) -> pl.Series:
    """One text a link: what counted, how rare it is, bits, where it started, what stood against it, the runner-up.

    `links`: rows of `linked.links`. `with_another`: for one table, the share of records of whose person it holds another.
    """
    is_model = links["pair"].is_not_null()
    certain = _certain(linked, links.filter(~is_model))
    fuzzy = _fuzzy(linked, links.filter(is_model), with_another)
    weighed = is_model.to_numpy()
    place = np.where(weighed, np.cumsum(weighed) + len(certain), np.cumsum(~weighed)) - 1
    return pl.concat([certain, fuzzy]).gather(place).alias("reasons")


def _beside(tenths: int) -> str:
    """What is said of the runner-up: none (negative), as good as this one (less than a bit), or by how much it is behind."""
    if tenths < 0:
        return "；没有别的候选"
    if tenths < 10:
        return f"；次优候选几乎同样可能（只少{tenths / 10:.1f}比特）"
    return f"；比次优候选多{tenths / 10:.1f}比特"


def _certain(linked: Linked, links: pl.DataFrame) -> pl.Series:
    n = linked.people
    size = np.log2(max(n, 1))

    def sentence(tenths: int) -> str:
        rare = _how_common(tenths / 10 - size, n)
        return f"证件号码相同；姓名相同（{rare}）；出生日期、性别没有矛盾；合计{_signed(tenths)}比特"

    return texts_of(_tenths(links["weight"].to_numpy()), sentence)


def _fuzzy(linked: Linked, links: pl.DataFrame, with_another: float | None) -> pl.Series:
    chosen = links["pair"].to_numpy()
    compared, model, n = linked.compared.take(chosen), linked.model, linked.people
    if with_another is None:
        start = start_bits(n, model.in_registry)
        whose = f"左表{n:,}人，约{model.in_registry:.0%}的记录在其中有本人"
    else:
        start = start_bits(n, with_another)
        whose = f"本表{n:,}条记录，约{with_another:.1%}另有同一人的记录"
    total = np.full(len(chosen), start)
    is_one_village = compared.evidence["place"].level == VILLAGE
    parts: list[pl.Series] = []
    for comparison in MODEL:
        evidence = compared.evidence[comparison.name]
        if not evidence.level.any():
            continue
        bits = worth(comparison.name, evidence, model)
        total += bits
        rates, codes = model.bits(comparison.name), _codes(evidence.level, bits)
        said = texts_of(codes, _sentence(comparison.name, rates, n))
        if comparison.name == "name" and is_one_village.any():
            there = texts_of(codes, _sentence(comparison.name, rates, n, AMONG_VILLAGERS))
            said = there.zip_with(pl.Series(is_one_village), said)
        parts.append(said)
    weight = _tenths(links["weight"].to_numpy())
    parts += [
        texts_of(
            np.zeros(len(chosen), dtype=np.int64),
            lambda _: f"起点（{whose}，{bits_zh(np.array([start]))[0]}）；",
        ),
        texts_of(
            _tenths(links["weight"].to_numpy() - total),
            lambda tenths: f"另有可能（家人、同名者、别的候选）（{_signed(tenths)}）；" if tenths else "",
        ),
        texts_of(weight, lambda tenths: f"合计{_signed(tenths)}比特"),
    ]
    if with_another is None:
        margin = links["margin"].fill_null(np.inf).to_numpy()
        gap = np.where(np.isfinite(margin), _tenths(np.where(np.isfinite(margin), margin, 0)), -1)
        parts.append(texts_of(gap, _beside))
    columns = [series.alias(str(number)) for number, series in enumerate(parts)]
    return pl.DataFrame(columns).select(reasons=pl.concat_str(pl.all()))["reasons"]
