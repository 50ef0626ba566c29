"""Names: Han surnames and given names by birth decade and sex, generation characters, names of other ethnic groups."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from sample_data.ids import Flags, Ints, Texts
from sample_data.places import read

Weights = np.ndarray[Any, np.dtype[np.float64]]
DOT = "·"
GROUPS = ("汉族", "蒙古族", "满族", "回族", "朝鲜族", "藏族", "维吾尔族", "哈萨克族", "壮族", "彝族")
CODES = ("01", "02", "11", "03", "10", "04", "05", "17", "08", "07")
# Ulanqab, census 2020: about 96 % Han, 2.5 % Mongol, 1 % Manchu; the last five are people who moved in.
SHARES = (0.9585, 0.025, 0.010, 0.0045, 0.0004, 0.0003, 0.0003, 0.0002, 0.0005, 0.0003)
# Four-banner counties in the north hold most of the Mongols.
PASTORAL = {"150929": 4.0, "150928": 2.2, "150927": 1.8, "150926": 1.5}


class _Urn:
    """Draws values by weight."""

    def __init__(self, values: list[str], weights: list[float]) -> None:
        self.values = np.array(values, dtype=object)
        total = np.cumsum(np.array(weights, dtype=np.float64))
        self.edges = total / total[-1]

    def draw(self, rng: np.random.Generator, n: int) -> Texts:
        at = np.minimum(np.searchsorted(self.edges, rng.random(n), side="right"), len(self.values) - 1)
        return np.asarray(self.values[at])


@functools.cache
def _surnames() -> _Urn:
    rows = read("surnames.csv")
    return _Urn([r["surname"] for r in rows], [float(r["share_pct"]) for r in rows])


@functools.cache
def _characters() -> dict[tuple[str, str, str], _Urn]:
    grouped: dict[tuple[str, str, str], tuple[list[str], list[float]]] = {}
    for r in read("given_name_chars.csv"):
        values, weights = grouped.setdefault((r["birth_decade"], r["sex"], r["slot"]), ([], []))
        values.append(r["char"])
        weights.append(float(r["weight"]))
    return {k: _Urn(*v) for k, v in grouped.items()}


@functools.cache
def _common() -> dict[tuple[str, str], _Urn]:
    grouped: dict[tuple[str, str], tuple[list[str], list[float]]] = {}
    for r in read("given_names_common.csv"):
        values, weights = grouped.setdefault((r["birth_decade"], r["sex"]), ([], []))
        values.append(r["given_name"])
        weights.append(float(r["weight"]))
    return {k: _Urn(*v) for k, v in grouped.items()}


@functools.cache
def _shape() -> dict[tuple[str, str], tuple[float, float]]:
    return {
        (r["birth_decade"], r["sex"]): (float(r["single_char_share"]), float(r["common_list_share"]))
        for r in read("given_name_shape.csv")
    }


@functools.cache
def _minority() -> dict[tuple[str, str], _Urn]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for r in read("minority_names.csv"):
        grouped.setdefault((r["ethnic_group"], r["sex"]), []).append(r["name"])
    return {k: _Urn(v, [1 / (i + 12) for i in range(len(v))]) for k, v in grouped.items()}


@functools.cache
def _minority_surnames() -> dict[str, _Urn]:
    grouped: dict[str, tuple[list[str], list[float]]] = {}
    for r in read("minority_surnames.csv"):
        values, weights = grouped.setdefault(r["ethnic_group"], ([], []))
        values.append(r["surname"])
        weights.append(float(r["weight"]))
    return {k: _Urn(*v) for k, v in grouped.items()}


@functools.cache
def spellings() -> dict[str, tuple[str, ...]]:
    """Given name of an ethnic minority -> the other spellings that offices use."""
    return {
        r["name"]: tuple(r["spelling_variants"].split("|"))
        for r in read("minority_names.csv")
        if r["spelling_variants"]
    }


def national_surnames(rng: np.random.Generator, n: int) -> Texts:
    """Surnames at their national shares."""
    return _surnames().draw(rng, n)


def village_surnames(rng: np.random.Generator, village: Ints, is_rural: Flags, n_villages: int) -> Texts:
    """Surname of each male line; a farming village has one to three surnames; the first is that of 30-65 % of its lines."""
    own = _surnames().draw(rng, n_villages * 3).reshape(n_villages, 3)
    share = rng.uniform(0.40, 0.88, n_villages)
    n = len(village)
    surname = national_surnames(rng, n)
    is_own = (rng.random(n) < share[village]) & is_rural
    which = np.searchsorted(np.array([0.74, 0.92]), rng.random(n))
    surname[is_own] = own[village[is_own], which[is_own]]
    return surname


def groups(rng: np.random.Generator, county: Texts) -> Ints:
    """Index into GROUPS for each line of people, by county."""
    boost = np.array([PASTORAL.get(c, 0.45) for c in county])
    edges = np.cumsum(SHARES[1:])
    u = rng.random(len(county))
    mongol = SHARES[1] * boost
    rest = 1 + np.searchsorted(edges - SHARES[1], u - mongol, side="right")
    return np.where(
        u < mongol, 1, np.where(rest >= len(SHARES), 0, np.maximum(rest, 2)) * (u < edges[-1])
    ).astype(np.int64)


def minority_surnames(rng: np.random.Generator, group: Ints, han: Texts) -> Texts:
    """Surname of each line; empty where the group uses none. Han lines keep theirs."""
    surname = han.copy()
    for index in range(1, len(GROUPS)):
        rows = np.flatnonzero(group == index)
        urn = _minority_surnames().get(GROUPS[index])
        if len(rows) and urn is not None:
            surname[rows] = urn.draw(rng, len(rows))
        elif len(rows) and index in (6, 7):
            surname[rows] = ""
    return surname


def given_names(
    rng: np.random.Generator,
    is_female: Flags,
    birth_year: Ints,
    group: Ints,
    generation: Texts,
    surname: Texts,
) -> Texts:
    """Given names. `generation` holds the character that brothers share (or ''), which becomes the first one."""
    n = len(is_female)
    decade = np.clip(birth_year // 10 * 10, 1930, 2020)
    given = np.empty(n, dtype=object)
    for year in range(1930, 2030, 10):
        for sex in ("M", "F"):
            rows = np.flatnonzero((decade == year) & (is_female == (sex == "F")))
            if not len(rows):
                continue
            key = (str(year), sex)
            single_share, common_share = _shape()[key]
            chars = _characters()
            first = chars[(*key, "first")].draw(rng, len(rows))
            second = chars[(*key, "second")].draw(rng, len(rows))
            name = first + second
            u = rng.random(len(rows))
            common = _common()[key].draw(rng, len(rows))
            single = chars[(*key, "single")].draw(rng, len(rows))
            has_common = (u >= single_share) & (u < single_share + (1 - single_share) * common_share)
            name[has_common] = common[has_common]
            is_single = u < single_share
            name[is_single] = single[is_single]
            shared = generation[rows]
            has_shared = shared != ""
            name[has_shared] = shared[has_shared] + second[has_shared]
            given[rows] = name
    for index in range(1, len(GROUPS)):
        for sex in ("M", "F"):
            rows = np.flatnonzero((group == index) & (is_female == (sex == "F")))
            urn = _minority().get((GROUPS[index], sex))
            if not len(rows) or urn is None:
                continue
            own = urn.draw(rng, len(rows))
            # Manchu, Hui and Zhuang mostly carry Han given names; Mongols with a Han surname often do.
            keep = rng.random(len(rows)) < (0.75 if index in (2, 3, 8) else 0.45 if index == 1 else 0.1)
            keep &= surname[rows] != ""
            given[rows] = np.where(keep, given[rows], own)
    return given


def generation_characters(rng: np.random.Generator, n: int, birth_year: Ints) -> Texts:
    """One character a set of brothers and cousins: in use for 40 % of men born before 1980, 15 % after."""
    urn = _characters()
    chars = np.empty(n, dtype=object)
    decade = np.clip(birth_year // 10 * 10, 1930, 2020)
    for year in range(1930, 2030, 10):
        rows = np.flatnonzero(decade == year)
        chars[rows] = urn[(str(year), "M", "first")].draw(rng, len(rows))
    used = rng.random(n) < np.where(birth_year < 1980, 0.40, 0.15)
    return np.where(used, chars, "")


def full_names(
    rng: np.random.Generator, surname: Texts, given: Texts, group: Ints, father_given: Texts
) -> Texts:
    """Surname and given name; Uyghur and Kazakh names are given name, dot, father's given name."""
    name = surname + given
    turkic = (group == 6) | (group == 7)
    if turkic.any():
        rows = np.flatnonzero(turkic)
        urn = {i: _minority()[(GROUPS[i], "M")] for i in (6, 7)}
        for row in rows:
            father = father_given[row] or urn[int(group[row])].draw(rng, 1)[0]
            name[row] = f"{given[row]}{DOT}{father}"
    return name
