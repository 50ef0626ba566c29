"""Cells with names as comparing forms: folded, notes taken out, what is lost or hidden as `?`.

Nothing here compares two names. A comparing form is never shown or stored as a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data_contracts.field_types import NAME_SEPARATORS
from data_contracts.resident_id import inline_views
from matching.cells import distinct
from matching.records import NAMES

REFERENCE = Path(__file__).resolve().parent / "reference"

WILDCARD = "?"
"""Stands for a character that the source could not store or hid: ?, □, �, *, 某, ○, 〇, X behind a Han character, private-use code points."""

DOTS = "·•‧・･．.。∙⋅●﹒、ꞏ᛫"
"""What is found where U+00B7 should stand (民委发〔2016〕33号 asks for U+00B7)."""

JOINTS = r"[\s·\-_'`\x{2019}]"
"""What may stand between the parts of a name."""

_HIDDEN = r"[?\x{25A1}\x{FFFD}*＊×╳某○◯〇\x{3013}\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}]"
_ALIAS = r"(?:又名|曾用名|原名|小名|别名|化名|乳名|也叫)[::]?"
_NOT_A_NAME = r"^(?:无|无名氏?|无姓名|不详|不明|未知|未填|空|NULL|NONE|测试)$"
_NEWBORN = r"(?:之[长次三四五大二小]?[子女儿]|男婴|女婴|婴儿|宝宝|新生儿|未取名|未起名|未命名)$"

_WATCHED = "之无未不婴又名叫某"
"""A name with one of these may be a word for nothing, a newborn's, partly hidden, or hold a note."""

_WATCHED_ENDS = ("宝宝", "生儿", "先生", "女士", "同志", "老师", "测试")


@cache
def variants() -> dict[str, str]:
    """Variant characters and their standard characters, for comparison only."""
    table = pl.read_csv(REFERENCE / "char_variants.csv")
    return dict(table.select("variant", "standard").iter_rows())


def replaced(text: pl.Series, table: Mapping[str, str]) -> pl.Series:
    """Characters replaced by a table. Only those that occur are looked for: the whole table is slow to get ready."""
    occurring = text.drop_nulls().str.split("").explode().unique().sort().to_list()
    known = [c for c in occurring if c in table]
    return text.str.replace_many(known, [table[c] for c in known]) if known else text


def _note(inside: str) -> str:
    return rf"[(\[【〔<《]{inside}[)\]】〕>》]"


def bare_names(names: pl.Series) -> pl.DataFrame:
    """Distinct cells with the name in them: `cell`, `bare` (width, case, script and variants folded, without notes;
    dots and blanks still there), `aliases` (folded names found in notes), `is_newborn`, `is_name`, `is_divided`.
    """
    text = names.str.normalize("NFKC").str.replace_all(r"\p{Cf}", "").str.strip_chars()
    # A description of a character that could not be typed, (王+韦), is one lost character.
    text = text.str.replace_all(_note(r"[^()\[\]【】]*\+[^()\[\]【】]*"), WILDCARD)
    text = replaced(text, dict.fromkeys(DOTS, "·") | variants()).str.to_uppercase()
    said = text.str.extract_all(rf"{_ALIAS}\s*[\p{{Han}}·]+")
    bare = (
        text.str.replace_all(_note(r"[^()\[\]【】〔〕<>《》]*") + "?", "")
        .str.replace(rf"(.){_ALIAS}.*$", "${1}")
        .str.replace(r"(\p{Han})[0-9]+$", "${1}")
        .str.replace(r"(\p{Han}{2,})(?:先生|女士|同志|老师)$", "${1}")
        .str.replace_all(_HIDDEN, WILDCARD)
        .str.replace_all(r"·+", "·")
        .str.strip_chars("· ")
    )
    frame = pl.DataFrame({"cell": names, "bare": _without_crosses(bare), "said": said})
    is_newborn = pl.col("bare").str.contains(_NEWBORN)
    no_name = pl.col("bare").str.contains(_NOT_A_NAME) | ~pl.col("bare").str.contains(r"\p{L}")
    return frame.select(
        "cell",
        "bare",
        pl.col("said")
        .list.eval(pl.element().str.replace(_ALIAS, "").str.replace_all(JOINTS, ""))
        .list.unique()
        .list.sort()
        .alias("aliases"),
        is_newborn.alias("is_newborn"),
        (~(is_newborn | no_name)).alias("is_name"),
        # A blank inside 张　伟 is typesetting; between two longer parts it stands for a lost dot.
        pl.col("bare").str.contains(r"\p{L}·\p{L}|\p{L}{2,}\s+\p{L}{2,}").alias("is_divided"),
    )


_CROSSES = 4
"""So many X one behind the other are hidden characters."""


def _without_crosses(names: pl.Series) -> pl.Series:
    """X between or behind Han characters as hidden ones: 张X明, 张XX. Longer runs of letters are a reading (孙XIN华)."""
    if not names.str.contains(r"[\p{Han}?]X").any():
        return names
    for count in range(1, _CROSSES + 1):
        # Twice, because two neighbouring runs share the character between them.
        for _ in range(2):
            names = names.str.replace_all(
                rf"([\p{{Han}}?])X{{{count}}}([\p{{Han}}?·\s]|$)", "${1}" + WILDCARD * count + "${2}"
            )
    return names


@cache
def _plain_characters() -> Any:
    """For every code point below 65536: a standard Han character that stands for itself in any name."""
    plain = np.zeros(1 << 16, dtype=bool)
    plain[0x4E00:0xA000] = True
    for character in [*variants(), *_WATCHED]:
        if ord(character) < len(plain):
            plain[ord(character)] = False
    return plain


@cache
def _ends() -> tuple[Any, Any]:
    """Characters with which the last two of a watched ending begin and end."""
    first, last = np.zeros(1 << 16, dtype=bool), np.zeros(1 << 16, dtype=bool)
    for word in _WATCHED_ENDS:
        first[ord(word[0])] = last[ord(word[1])] = True
    return first, last


_BLOCK = 1 << 16


def is_plain(names: pl.Series) -> Any:
    """Which cells are names of two to four standard characters that need nothing done to them (array of flags)."""
    views = inline_views(names) if len(names) else None
    verdict = np.zeros(len(names), dtype=bool)
    if views is None:
        return verdict
    plain, (first, last) = _plain_characters(), _ends()
    for start in range(0, len(names), _BLOCK):
        block = views[start : start + _BLOCK]
        length = np.ascontiguousarray(block[:, :4]).view(np.uint32)[:, 0]
        data = np.ascontiguousarray(block[:, 4:].T)
        good = (length == 6) | (length == 9) | (length == 12)
        codes = []
        for place in range(4):
            one, two, three = (data[3 * place + k].astype(np.uint16) for k in range(3))
            code = (one << 12) | ((two & 63) << 6) | (three & 63)
            inside = length > 3 * place
            good &= ~inside | (((one >> 4) == 14) & plain[code])
            codes.append(code)
        for width in (2, 3, 4):
            ending = (length == 3 * width) & last[codes[width - 1]]
            good &= ~(ending & first[codes[width - 2]])
        verdict[start : start + _BLOCK] = good
    return verdict & names.is_not_null().to_numpy() if names.null_count() else verdict


def name_rows(cells: pl.Series, kind: str) -> pl.DataFrame:
    """Names of a column: row, name, kind (that of the column, alias, parts or latin).

    A cell of Latin letters is a Latin name whatever the column. Cells of former names may hold several.
    "Newborn of ..." and words for nothing give no row.
    """
    rows = pl.int_range(len(cells), dtype=pl.UInt32, eager=True).alias("row")
    plain = is_plain(cells)
    if plain.all():
        return _long(rows, cells, kind)
    rest = pl.DataFrame({"row": rows, "cell": cells}).filter(pl.Series(~plain) & cells.is_not_null())
    if kind == "former":
        rest = (
            rest.with_columns(pl.col("cell").str.replace_all(NAME_SEPARATORS, "|").str.split("|"))
            .explode("cell")
            .filter(pl.col("cell") != "")
        )
    texts, codes = distinct(rest["cell"])
    forms = _long_forms(texts, kind)
    slow = (
        pl.DataFrame({"row": rest["row"], "code": codes})
        .join(forms, on="code", maintain_order="left")
        .select(NAMES.names())
    )
    known = pl.Series(plain)
    return pl.concat([_long(rows.filter(known), cells.filter(known), kind), slow])


def _long(rows: pl.Series, names: pl.Series, kind: str) -> pl.DataFrame:
    return pl.DataFrame({"row": rows, "name": names, "kind": pl.repeat(kind, len(rows), eager=True)})


def _latin(text: pl.Expr) -> pl.Expr:
    """Latin letters without marks, single blanks between the parts, upper case."""
    return (
        text.str.replace_many({"Đ": "D", "đ": "D", "Ø": "O", "ø": "O", "Ł": "L", "ł": "L", "ß": "SS"})
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_uppercase()
        .str.replace_all(r"['`’]", "")
        .str.replace_all(r"[^A-Z?]+", " ")
        .str.strip_chars(" ")
    )


def _long_forms(texts: pl.Series, kind: str) -> pl.DataFrame:
    """Distinct cells by position: code, name, kind."""
    frame = bare_names(texts).with_row_index("code").filter("is_name")
    is_latin = pl.col("bare").str.contains(r"^[\p{Latin}\p{M}\s·.,'`’\-]+$") & pl.col("bare").str.contains(
        r"\p{Latin}.*\p{Latin}"
    )
    frame = frame.with_columns(
        is_latin.alias("is_latin") if kind != "latin" else pl.lit(True).alias("is_latin")
    )
    key = pl.col("bare").str.replace_all(JOINTS, "")
    parts = pl.col("bare").str.replace_all(r"[·\s]+", "·")
    forms = [
        frame.filter(~pl.col("is_latin")).select("code", key.alias("name"), pl.lit(kind).alias("kind")),
        frame.filter("is_latin").select(
            "code", _latin(pl.col("bare")).alias("name"), pl.lit("latin").alias("kind")
        ),
        frame.filter(pl.col("is_divided") & ~pl.col("is_latin")).select(
            "code", parts.alias("name"), pl.lit("parts").alias("kind")
        ),
        frame.select("code", pl.col("aliases").alias("name"), pl.lit("alias").alias("kind"))
        .explode("name")
        .drop_nulls("name"),
    ]
    return pl.concat(forms).filter(pl.col("name").str.len_bytes() > 0)
