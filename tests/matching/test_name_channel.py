"""Laws of the noisy channel of names, an oracle for its alignment, and cases that a registrar can read."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from matching.comparators import name_alignment, name_long, name_shapes, name_sounds
from matching.comparators.name import NameChannel
from matching.comparators.name_rates import KINDS, RATES, TYPICAL

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "cases" / "name_pairs.yaml").read_text(encoding="utf-8")
)
assert CASES

REGISTER = pl.DataFrame(
    {
        "name": ["张伟", "王芳", "李娜", "张伟明", "王小明", "张明", "陈婷", "李红", "刘建军", "王建国", "张炜", "李秀英",
                 "欧阳娜娜", "欧阳红", "包图雅", "图雅", "其木格", "买买提吐尔逊", "阿布都热合曼", "单红", "孙静华", "张?红", "SMITH JOHN"],
        "count": [90, 80, 70, 9, 6, 20, 11, 30, 12, 14, 2, 40, 1, 1, 2, 3, 5, 4, 2, 1, 1, 1, 1],
    }
)  # fmt: skip
CHANNEL = NameChannel(REGISTER)

LETTERS = "张章伟炜明名婷停兰南"
names = st.text(LETTERS, min_size=1, max_size=4)
with_lost = st.text(LETTERS[:5] + "?", min_size=1, max_size=4)


def compare(
    pairs: list[tuple[str | None, str | None]], channel: NameChannel = CHANNEL
) -> list[tuple[str, float]]:
    left = pl.Series([a for a, _ in pairs], dtype=pl.String)
    right = pl.Series([b for _, b in pairs], dtype=pl.String)
    return channel.compare(left, right).rows()


@pytest.mark.parametrize("case", CASES, ids=[f"{c['left']} {c['right']}" for c in CASES])
def test_case(case: dict[str, Any]) -> None:
    ((kind, log2_p),) = compare([(case["left"], case["right"])])
    expected = case["kind"] if isinstance(case["kind"], list) else [case["kind"]]
    assert kind in expected
    assert (log2_p == -math.inf) is (kind == "none")


@settings(deadline=None)
@given(names)
def test_a_name_is_itself(name: str) -> None:
    assert compare([(name, name)]) == [("exact", 0.0)]


@settings(deadline=None)
@given(st.lists(st.tuples(with_lost, with_lost), max_size=30))
def test_a_probability_is_at_most_one_and_none_has_none(pairs: list[tuple[str, str]]) -> None:
    for kind, log2_p in compare(pairs):
        assert log2_p <= 1e-9
        assert (kind == "none") is (log2_p == -math.inf)


@settings(deadline=None)
@given(st.lists(st.tuples(names, names), max_size=30))
def test_what_is_explained_one_way_is_explained_the_other_way(pairs: list[tuple[str, str]]) -> None:
    there = [kind == "none" for kind, _ in compare(pairs)]
    back = [kind == "none" for kind, _ in compare([(b, a) for a, b in pairs])]
    assert there == back


MIRROR = {"drop": "insert", "insert": "drop"}


@settings(deadline=None)
@given(st.lists(st.tuples(names, names), max_size=30))
def test_kinds_of_place_mirror(pairs: list[tuple[str, str]]) -> None:
    placed = {"exact", "swap", "two", "drop", "insert", "none"}
    for (there, _), (back, _) in zip(compare(pairs), compare([(b, a) for a, b in pairs]), strict=True):
        if there in placed:
            assert back == MIRROR.get(there, there)


@settings(deadline=None, max_examples=10)
@given(st.permutations(CASES))
def test_pairs_do_not_see_one_another(cases: list[dict[str, Any]]) -> None:
    pairs = [(c["left"], c["right"]) for c in cases]
    assert compare(pairs) == [compare([p])[0] for p in pairs[:5]] + compare(pairs[5:])


def test_nothing_and_nobody() -> None:
    empty = CHANNEL.compare(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.String))
    assert (empty.height, empty.columns) == (0, ["kind", "log2_p"])
    assert empty["kind"].dtype == pl.Enum(KINDS)
    assert compare([(None, "张伟"), ("张伟", None), (None, None), ("", "张伟")]) == [("none", -math.inf)] * 4
    nobody = NameChannel(
        pl.DataFrame({"name": [], "count": []}, schema={"name": pl.String, "count": pl.UInt32})
    )
    assert compare([("张伟", "张炜"), ("张伟", "李娜")], nobody)[0][0] in ("sound", "shape")
    assert -60 < nobody.population(pl.Series(["张伟"])).item() < -10


# ---- one character for another

KNOWN = np.flatnonzero(name_sounds.reading_table()[0])


@pytest.mark.parametrize("slot", [name_sounds.SURNAME, name_sounds.GIVEN])
@pytest.mark.parametrize("char", [*"张单伟婷乐兰英明曾娜㛃"])
def test_partners_of_a_character_share_at_most_one(char: str, slot: int) -> None:
    model = name_alignment.Substitutions(CHANNEL.frequencies, TYPICAL)
    others = KNOWN[ord(char) != KNOWN]
    table = model.table(np.full(len(others), ord(char)), others, np.full(len(others), slot))
    total = dict(zip(name_alignment.SUBSTITUTIONS, table.sum(0), strict=True))
    assert all(share <= 1 + 1e-9 for share in total.values())
    assert total["sound"] == pytest.approx(1, abs=1e-6)
    assert total["shape"] == pytest.approx(1, abs=1e-3) or total["shape"] == 0


def test_sounds_as_one_would_count_them() -> None:
    pairs = list(itertools.permutations(LETTERS + "单乐", 2))
    a, b = (np.array([ord(p[i]) for p in pairs]) for i in (0, 1))
    same, near = CHANNEL.frequencies.sounds.probabilities(a, b, np.full(len(pairs), name_sounds.GIVEN))
    spoken = name_sounds.readings().filter(pl.col("slot") == name_sounds.GIVEN)
    weights = {(c, r): w for c, r, w in spoken.select("char", "reading", "weight").iter_rows()}
    said = dict(spoken.group_by("reading").agg("char").iter_rows())
    chance = CHANNEL.frequencies.chance[name_sounds.GIVEN]
    merged = name_sounds.merged()
    number = {s: i for i, s in enumerate(name_sounds.syllables())}
    expected = dict.fromkeys(pairs, 0.0)
    expected_near = dict.fromkeys(pairs, 0.0)
    for char in LETTERS + "单乐":
        for reading, weight in ((r, w) for (c, r), w in weights.items() if c == char):
            group = [c for c in said[reading] if c != char]
            around = [c for r in said if merged[number[reading], number[r]] for c in said[r]]
            for result, heard in ((expected, group), (expected_near, around)):
                mass = sum(chance[ord(c)] for c in heard)
                for c in heard:
                    if (char, c) in result:
                        result[char, c] += weight * chance[ord(c)] / mass
    assert same == pytest.approx(np.array([expected[p] for p in pairs]), rel=1e-6)
    assert near == pytest.approx(np.array([expected_near[p] for p in pairs]), rel=1e-6)
    assert (same > 0).any()
    assert (near > 0).any()


def test_surnames_have_their_own_reading() -> None:
    spoken = name_sounds.readings().filter(pl.col("char") == "单").sort("slot", "place")
    assert spoken.filter(pl.col("slot") == name_sounds.SURNAME)["reading"].to_list() == ["shan", "dan"]
    assert spoken.filter(pl.col("slot") == name_sounds.GIVEN)["reading"].to_list() == ["dan", "chan", "shan"]


def test_weights_of_readings_sum_to_one() -> None:
    sums = name_sounds.readings().group_by("char", "slot").agg(pl.col("weight").sum())["weight"]
    assert sums.len() > 16_000
    assert ((sums - 1).abs() < 1e-9).all()


def test_merged_sounds() -> None:
    number = {s: i for i, s in enumerate(name_sounds.syllables())}
    merged = name_sounds.merged()
    assert (merged == merged.T).all()
    assert not merged.diagonal().any()
    for a, b, expected in [
        ("lan", "nan", True), ("zhang", "zan", True), ("fei", "hei", True), ("ying", "yin", True),
        ("fang", "huang", True), ("hui", "fei", True), ("lv", "li", True), ("wei", "hui", False), ("lan", "lan", False), ("ma", "na", False),
    ]:  # fmt: skip
        assert merged[number[a], number[b]] == expected, (a, b)


def test_look_alikes_go_both_ways() -> None:
    a, b = (np.array([ord(c) for c in side]) for side in ("未戌婷晖", "末戍停辉"))
    unlike = np.full(4, ord("一"))
    assert (name_shapes.probabilities(a, b) > 0.01).all()
    assert (name_shapes.probabilities(b, a) > 0.01).all()
    assert not name_shapes.probabilities(a, a).any()
    assert not name_shapes.probabilities(a, unlike).any()


@given(st.lists(st.text("ABC", max_size=5), min_size=2, max_size=10))
def test_common_letters_are_those_of_rapidfuzz(codes: list[str]) -> None:
    table = pl.DataFrame({"cangjie": codes, "four_corner": [""] * len(codes), "strokes": ["1"] * len(codes)})
    letters = name_shapes.glyphs(table).cangjie
    a, b = (np.array(side) for side in zip(*itertools.product(range(len(codes)), repeat=2), strict=True))
    found = name_shapes._common_letters(letters[a], letters[b])
    assert found.tolist() == [LCSseq.similarity(codes[i], codes[j]) for i, j in zip(a, b, strict=True)]


# ---- a slow and obvious oracle


def oracle(left: str, right: str) -> float:
    """Best rate-weighted log2 P over every way to make the right name from the left one by the rules of places."""
    model = name_alignment.Substitutions(CHANNEL.frequencies, TYPICAL)
    size = len(left)
    weigh = name_alignment.place_weights

    def substituted(at: int) -> tuple[list[float], bool]:
        pair = (np.array([ord(s[at])]) for s in (left, right))
        found = model.table(*pair, np.array([min(at, 1)]))[0]
        return [float(p) for p in found], bool(found[:-1].any())

    if left == right:
        return math.log2(TYPICAL["exact"])
    ways: list[float] = []
    if len(right) == size:
        wrong = [i for i in range(size) if left[i] != right[i]]
        kinds = name_alignment.SUBSTITUTIONS
        if len(wrong) == 1:
            chances, _ = substituted(wrong[0])
            ways += [TYPICAL[k] * weigh(size)[wrong[0]] * p for k, p in zip(kinds, chances, strict=True)]
        swaps = [left[:i] + left[i + 1] + left[i] + left[i + 2 :] for i in range(size - 1)]
        if right in swaps:
            ways.append(TYPICAL["swap"] / (size - 1))
        elif len(wrong) == 2 and size >= 3:
            both = [substituted(i) for i in wrong]
            if any(related for _, related in both):
                total = sum(TYPICAL[k] for k in kinds)
                mixed = [sum(TYPICAL[k] * p for k, p in zip(kinds, c, strict=True)) / total for c, _ in both]
                all_places = [
                    weigh(size)[i] + weigh(size)[j] for i, j in itertools.combinations(range(size), 2)
                ]
                place = (weigh(size)[wrong[0]] + weigh(size)[wrong[1]]) / sum(all_places)
                ways.append(TYPICAL["two"] * place * math.prod(mixed))
    if len(right) == size - 1 >= 2:
        ways.append(
            TYPICAL["drop"] * sum(weigh(size)[i] for i in range(size) if left[:i] + left[i + 1 :] == right)
        )
    if len(right) == size + 1 >= 3:
        chance = CHANNEL.frequencies.chance
        ways.append(
            TYPICAL["insert"]
            * sum(
                weigh(size + 1)[i] * chance[min(i, 1), ord(right[i])]
                for i in range(size + 1)
                if right[:i] + right[i + 1 :] == left
            )
        )
    best = max(ways, default=0.0)
    return math.log2(best) if best > 0 else -math.inf


@settings(deadline=None)
@given(st.lists(st.tuples(names, names), min_size=1, max_size=25))
def test_alignment_is_what_the_oracle_finds(pairs: list[tuple[str, str]]) -> None:
    for (left, right), (kind, log2_p) in zip(pairs, compare(pairs), strict=True):
        assert math.log2(TYPICAL[kind]) + log2_p == pytest.approx(oracle(left, right)), (left, right, kind)


@settings(deadline=None)
@given(names.filter(lambda n: len(n) >= 2), st.data())
def test_a_lost_character_fits_what_it_hides(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    lost = name[:at] + "?" + name[at + 1 :]
    assert compare([(name, lost)]) == [("wildcard", 0.0)]
    ((kind, log2_p),) = compare([(lost, name)])
    assert kind == "wildcard"
    assert log2_p < 0


# ---- population


def population(*asked: str | None) -> list[float]:
    return CHANNEL.population(pl.Series(asked, dtype=pl.String)).to_list()


def test_probabilities_of_the_register_leave_something_for_the_unseen() -> None:
    full = REGISTER.filter(pl.col("name").str.contains("^[^?]+$"))["name"]
    total = sum(2**p for p in population(*full.to_list()))
    assert 0.5 < total < 1


def test_frequent_names_are_probable() -> None:
    weis, fangs, rare = population("张伟", "王芳", "欧阳红")
    assert weis > fangs > rare
    assert weis == pytest.approx(math.log2(90 / REGISTER["count"].sum()), abs=0.3)


def test_unseen_names_go_by_surname_and_given_characters() -> None:
    likely, unlikely, foreign = population("王伟", "王㛃", "㛃㛄")
    (seen_once,) = population("单红")
    assert seen_once > likely > unlikely > foreign > -60
    assert population(None) == [None]


def test_a_surname_of_two_characters_is_one_surname() -> None:
    known, unknown = population("欧阳伟", "欧芳伟")
    assert known > unknown


@settings(deadline=None)
@given(st.text(LETTERS[:6], min_size=2, max_size=3), st.data())
def test_a_lost_character_is_more_probable_than_what_it_hides(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    lost = name[:at] + "?" + name[at + 1 :]
    whole, masked = population(name, lost)
    assert masked >= whole - 1e-9


def test_a_mask_counts_everybody_it_fits() -> None:
    masked, unmasked = population("张??", "张伟明")
    people = 9 + 1  # 张伟明 and 张?红
    assert masked == pytest.approx(math.log2(people / REGISTER["count"].sum()), abs=0.7)
    assert masked > unmasked


def test_letters_are_as_probable_as_the_names_they_spell() -> None:
    spelt, nonsense, mixed = population("ZHANG WEI", "XQZHANGW", "张WEI")
    assert spelt == pytest.approx(math.log2(0.6 * 92 / REGISTER["count"].sum()), abs=0.7)
    assert nonsense < -25
    assert -8 < mixed < population("张?")[0]


@settings(deadline=None)
@given(st.lists(st.text(LETTERS + "?·A", min_size=1, max_size=7), min_size=1, max_size=10))
def test_every_name_has_a_probability(asked: list[str]) -> None:
    for p in population(*asked):
        assert -math.inf < p <= 1e-9


def test_order_of_the_register_does_not_matter() -> None:
    turned = NameChannel(REGISTER.reverse())
    asked = pl.Series(["张伟", "王伟", "张?", "图雅", "ZHANG WEI"])
    assert turned.population(asked).to_list() == CHANNEL.population(asked).to_list()
    pairs = [(c["left"], c["right"]) for c in CASES]
    assert compare(pairs, turned) == compare(pairs)  # type: ignore[arg-type]


# ---- tables


@pytest.mark.parametrize("tier", RATES)
def test_rates_sum_to_one(tier: int) -> None:
    assert tuple(RATES[tier]) == KINDS
    assert sum(RATES[tier].values()) == pytest.approx(1, abs=1e-12)
    assert all(rate >= 0 for rate in RATES[tier].values())


def test_rates_are_near_the_share_of_exact_names_that_sources_have() -> None:
    assert [RATES[t]["exact"] for t in RATES] == pytest.approx([0.997, 0.985, 0.96, 0.92], abs=0.011)


def test_spellings_fold_to_one() -> None:
    folded = name_long.folded(
        pl.Series(["阿布都热合曼", "阿卜杜热合曼", "阿不都热合曼", "阿卜都热合曼", "张伟"])
    )
    assert folded[:4].n_unique() == 1
    assert folded[4] == "张伟"


def test_importing_reads_no_dictionary() -> None:
    check = "import matching.comparators.name, sys; print(sorted({'pypinyin', 'dagster', 'great_expectations'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
