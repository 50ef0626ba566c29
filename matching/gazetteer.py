"""Names and codes of places, of today and of the past: which spelling means which division.

Codes here are short: 2 digits province, 4 prefecture, 6 county, 9 township, 12 village. Townships and villages are
known for the places of `data_contracts/reference` only; what a table itself teaches is in `addresses`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import polars as pl

from data_contracts.places import REFERENCE as PLACES

REFERENCE = Path(__file__).resolve().parent / "reference"

LEVELS = {"province": 2, "prefecture": 4, "county": 6, "township": 9, "village": 12}
"""Level -> digits of its codes."""

NAMES = pl.Schema({"digits": pl.Int8(), "name": pl.String(), "code": pl.String(), "is_short": pl.Boolean()})

_BRACKETS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
_PEOPLES = (
    "壮|回|维吾尔|蒙古|藏|苗|彝|侗|瑶|白|傣|土家|土|哈尼|黎|傈僳|景颇|朝鲜|哈萨克|柯尔克孜|塔吉克|锡伯|满|达斡尔|鄂伦春|鄂温克|"
    "仫佬|毛南|布依|仡佬|水|羌|畲|佤|拉祜|纳西|普米|怒|独龙|布朗|东乡|保安|撒拉|裕固|各"
)
_AUTONOMOUS = re.compile(rf"(?:(?:{_PEOPLES})族|蒙古|哈萨克|柯尔克孜|塔吉克|锡伯|裕固族)*自治(?:州|县|旗)$")
_SUFFIX = re.compile(r"(?:地区|特别行政区|特区|林区|新区|市|县|区|旗|盟)$")
_VILLAGE = re.compile(
    r"(?:社区居民委员会|社区居委会|社区居委|社区民委会|居民委员会|居委会|嘎查村民委员会|嘎查村委会|嘎查委员会|村民委员会|村民委会|村委会|委员会|虚拟社区|生活区)$"
)


def stem(name: str) -> str:
    """A name without what says what kind of division it is; names of one character keep it (赵县)."""
    bare = _AUTONOMOUS.sub("", name)
    bare = _SUFFIX.sub("", name) if bare == name or len(bare) < 2 else bare
    return bare if len(bare) >= 2 else name


def _short(code: str) -> str:
    return code.removesuffix("0000") if code.endswith("0000") else code.removesuffix("00")


@cache
def _today() -> dict[str, str]:
    """Code of today -> name; brackets of the code list that are no places have an empty name."""
    table = pl.read_csv(PLACES / "divisions.csv", infer_schema=False)
    own = table.select("code", pl.coalesce("county", "prefecture", "province")).iter_rows()
    return {_short(code): "" if name in _BRACKETS else name for code, name in own}


@cache
def _past() -> list[tuple[str, str]]:
    """Codes and names that were in force at some time, latest first, in which the list of today differs."""
    table = pl.read_csv(REFERENCE / "division_history.csv", infer_schema=False)
    table = table.with_columns(pl.col("last_year").fill_null("9999")).sort(
        "last_year", "code", descending=True
    )
    rows = ((_short(code), name) for code, name in table.select("code", "name").iter_rows())
    today = _today()
    return [(code, name) for code, name in rows if today.get(code) != name and name not in _BRACKETS]


@cache
def _aliases() -> list[tuple[str, str, str]]:
    """Alias, code, kind."""
    table = pl.read_csv(REFERENCE / "division_aliases.csv", infer_schema=False)
    return [
        (alias, _short(code), kind) for alias, code, kind in table.select("alias", "code", "kind").iter_rows()
    ]


@cache
def _meanings() -> dict[tuple[str, str], str]:
    """Code and name of the past -> code of today."""
    today = _today()
    by_stem: dict[tuple[str, int], set[str]] = {}
    for code, name in today.items():
        if name:
            for key in (name, stem(name)):
                by_stem.setdefault((key, len(code)), set()).add(code)
    for alias, code, kind in _aliases():
        if kind in ("old", "old_split"):
            by_stem.setdefault((alias, len(code)), set()).add(code)
    found: dict[tuple[str, str], str] = {}
    latest: dict[str, str] = {}
    for digits in (2, 4, 6):
        for code, name in _past():
            if len(code) != digits:
                continue
            parts = [code[:n] for n in (4, 2) if n < digits]
            around = next((c for c in (p if today.get(p) else latest.get(p) for p in parts) if c), "")
            same = by_stem.get((name, digits)) or by_stem.get((stem(name), digits)) or set()
            if name.endswith("区") and digits == 6:
                same = {c for c in same if len(around) == 4 and c.startswith(around)}
            elif len(near := {c for c in same if around and c.startswith(around)}) == 1:
                same = near
            else:
                # Chongqing and Hainan were made of parts of Sichuan and Guangdong.
                homes = {code[:2], around[:2], {"51": "50", "44": "46"}.get(code[:2], code[:2])}
                same = {c for c in same if c[:2] in homes}
            meant = next(iter(same)) if len(same) == 1 else code if today.get(code) else around
            if meant:
                found[code, name] = meant
                latest.setdefault(code, meant)
    return found


@cache
def successors() -> dict[str, str]:
    """A code of the past -> the code of today: the same place, or the smallest place around it that is certain.

    The same place is one with the same name, or with a name that differs in its kind only (绵竹县, 绵竹市), if there is
    just one: for districts (区) in the same prefecture, for all others in the same province. Places that were
    divided or dissolved lead to the prefecture or province. A code that meant several places is read as the last.
    """
    found: dict[str, str] = {}
    for (code, _), meant in _meanings().items():
        if code not in _today():
            found.setdefault(code, meant)
    return found


def today(codes: pl.Expr) -> pl.Expr:
    """Division codes of 2 to 12 digits as short codes of today; null where no such place is or was known.

    A township or village under a code of the past is led back to its county: its own digits meant something else.
    """
    bare = (
        codes.str.replace(r"^([0-9]{2})0{4}(?:0{3}|0{6})?$", "$1")
        .str.replace(r"^([0-9]{4})00(?:0{3}|0{6})?$", "$1")
        .str.replace(r"^([0-9]{6})0{3}(?:0{3})?$", "$1")
        .str.replace(r"^([0-9]{9})000$", "$1")
    )
    head = bare.str.slice(0, 6)
    whole = bare.str.len_bytes().is_in(list(LEVELS.values()))
    known = head.is_in(list(_today()))
    moved = head.replace_strict(successors(), default=None, return_dtype=pl.String)
    # A county that is missing in both lists still lies somewhere.
    around = pl.coalesce(
        pl.when(head.str.slice(0, n).is_in([c for c in _today() if len(c) == n])).then(head.str.slice(0, n))
        for n in (4, 2)
    )
    return pl.when(whole & known).then(bare).when(whole).then(pl.coalesce(moved, around))


def village_stem(name: str) -> str:
    """A village or community without what says that it is one: 红旗村, 红旗村委会, 红旗社区, 红旗大队 -> 红旗."""
    bare = _VILLAGE.sub("", name)
    return re.sub(r"(?:社区|村|嘎查|(?:生产)?大队)$", "", bare) if len(bare) > 2 else bare


@cache
def village_stems() -> dict[str, str]:
    """Code -> stem of its name, of all villages that are known."""
    table = pl.read_csv(PLACES / "villages.csv", infer_schema=False)
    return {code: village_stem(name) for code, name in table.select("code", "name").iter_rows()}


def village_spellings(name: str) -> list[tuple[str, bool]]:
    """Ways to write a village or community, with whether it is the bare name."""
    kind = _VILLAGE.search(name)
    ending = kind[0] if kind else ""
    bare = name.removesuffix(ending)
    urban = "社区" in ending or "居" in ending or bare.endswith("社区")
    rural = "嘎查" in ending or bare.endswith("嘎查")
    bare = village_stem(name)
    words = ["社区", "居委会", "居民委员会"] if urban else ["嘎查"] if rural else ["村"]
    full = [(f"{bare}{word}", False) for word in words]
    # A road and the community named after it are told apart by the ending alone.
    short = [] if urban or len(bare) < 2 else [(bare, True)]
    return [(name, False), *full, *short]


@cache
def names() -> pl.DataFrame:
    """Every spelling of a place: `digits` (of the level at which it is written), `name`, `code`, `is_short`.

    A short spelling has no ending that says what it is (绵竹, 内蒙) and counts only where no road or estate follows.
    The code of a dissolved county is that of the place around it. A name may mean several places.
    """
    rows: set[tuple[int, str, str, bool]] = set()
    for code, name in _today().items():
        if name:
            rows.add((len(code), name, code, False))
            short = stem(name) if len(code) > 2 else _province(name)
            if short != name:
                rows.add((len(code), short, code, True))
            if len(code) == 4 and name.endswith("自治州"):
                rows.add((4, short + "州", code, False))
    for (code, name), meant in _meanings().items():
        if len(name) > 2:
            rows.add((len(code), name, meant, False))
    for alias, code, kind in _aliases():
        if kind != "old_split":
            ends = bool(re.search(r"(?:市|县|区|旗|盟|州)$", alias))
            rows.add((len(code), alias, code, not ends or len(alias) < 3))
    for code, name in (
        pl.read_csv(PLACES / "townships.csv", infer_schema=False).select("code", "name").iter_rows()
    ):
        rows.add((9, name, code, False))
        if name.endswith("街道"):
            rows |= {
                (9, name + "办事处", code, False),
                (9, name.removesuffix("街道") + "办事处", code, False),
            }
        if re.search(r"(?:民族|族)(?:乡|镇)$", name):
            rows.add((9, re.sub(rf"(?:(?:{_PEOPLES})族)*(?:民族)?(乡|镇)$", r"\1", name), code, False))
    for code, name in (
        pl.read_csv(PLACES / "villages.csv", infer_schema=False).select("code", "name").iter_rows()
    ):
        rows |= {(12, spelling, code, is_short) for spelling, is_short in village_spellings(name)}
    known = pl.DataFrame(sorted(rows), schema=NAMES, orient="row").filter(pl.col("name").str.len_chars() > 1)
    return pl.concat([known, old_names(known, known)])


_OLD_NAMES = {
    9: (r"^(.{2,})(?:街道|苏木|镇|乡)$", ("公社", "人民公社", "乡", "镇")),
    12: (r"^(.{2,})(?:社区|嘎查|村)$", ("大队", "生产大队", "村")),
}
"""Of places that were people's communes and production brigades until 1983, and of townships that became towns."""


def old_names(places: pl.DataFrame, among: pl.DataFrame) -> pl.DataFrame:
    """How paper of past decades writes townships and villages, in columns of `NAMES`.

    No spelling that is the name of another place of the prefecture (`among`): today's name goes before the old one.
    """
    found = pl.concat(
        places.filter((pl.col("digits") == digits) & ~pl.col("is_short"))
        .with_columns(pl.col("name").str.extract(pattern))
        .drop_nulls("name")
        .join(pl.DataFrame({"kind": kinds}), how="cross")
        .select("digits", pl.concat_str("name", "kind"), "code", "is_short")
        for digits, (pattern, kinds) in _OLD_NAMES.items()
    )
    prefecture = pl.col("code").str.slice(0, 4)
    return (
        found.join(among, on=["digits", "name", prefecture], how="anti")
        .unique()
        .sort("digits", "name", "code")
    )


def _province(name: str) -> str:
    return name[:3] if name.startswith(("内蒙古", "黑龙江")) else name[:2]
