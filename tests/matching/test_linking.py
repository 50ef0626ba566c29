"""Any two tables, or one with itself: what comes out, in which words, and what never does."""

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pytest

from matching import duplicates, linking, waterfall
from matching.comparators import name_tokens
from matching.linking import COLUMNS, link_files, link_tables
from matching.model import MODEL, Model
from matching.spec import Spec, SpecError
from matching.tables import records_of

AS_OF = "2025-11-17"
KINDS = {
    "name": "person_name",
    "number": "resident_id",
    "birth": "birth_date",
    "sex": "sex",
    "phone": "phone",
    "village": "division",
    "household": "household",
}
SPEC = {"left": {"id": "no", "columns": KINDS}, "right": {"id": "no", "columns": KINDS}, "as_of": AS_OF}
ONE = {"left": SPEC["left"], "as_of": AS_OF}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(place, birth, order):
    body = f"{place}{birth}{order:03d}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红梅鹏飞"


def people(count=1500):
    """Families of three with one village, telephone and household number; names by a rule, all values invented."""
    rows = []
    for n in range(count):
        family, member = divmod(n, 3)
        surname = SURNAMES[family * 7 % 20] if member != 1 else SURNAMES[(family * 11 + 3) % 20]
        given = GIVEN[n * 13 % 30] + GIVEN[(n * 7 + n // 30) % 30]
        year = (1965, 1967, 1992)[member] + family % 9
        day = f"{year}{1 + n % 12:02d}{1 + n * 5 % 28:02d}"
        village = f"1509020010{family % 40 + 10}"
        rows.append(
            {
                "no": n,
                "name": surname + given,
                "number": number("150902", day, (n * 2 + (member != 1)) % 1000),
                "birth": f"{day[:4]}-{day[4:6]}-{day[6:]}",
                "sex": "男" if (n * 2 + (member != 1)) % 2 else "女",
                "phone": f"139{family * 7919 + 20_011_003:08d}",
                "village": village,
                "household": f"{family:06d}",
            }
        )
    return pl.DataFrame(rows)


PEOPLE = people()


def without(rows, *columns):
    return rows.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in columns)


def shifted(rows, by=10_000):
    return rows.with_columns(pl.col("no") + by)


AGAIN = without(shifted(PEOPLE[300:400], 30_000), "number")
"""Second records without a number, so that a table is one in which there are some."""


def test_where_the_left_table_knows_no_home_the_right_one_says_it(tmp_path):
    kinds = {name: KINDS[name] for name in ("name", "birth", "sex", "village")}
    spec = Spec.parse({**SPEC, "left": {"id": "no", "columns": kinds}})
    left = PEOPLE[:50].with_columns(village=pl.lit("霸王河村"))
    right = PEOPLE[:50].with_columns(village=pl.lit(None, dtype=pl.String))
    left.write_csv(tmp_path / "left.csv")
    right.write_csv(tmp_path / "right.csv")
    found = link_tables(left, right, spec), link_files(tmp_path / "left.csv", tmp_path / "right.csv", spec)
    for links in found:
        assert np.unique(links.linked.left.place).tolist() == [150902205205]
        assert links.frame.height == 50


class TestTwoTables:
    def right(self):
        return pl.concat(
            [
                PEOPLE[0:300],
                without(PEOPLE[300:600], "number", "household"),
                without(PEOPLE[600:700], "number", "birth", "household"),
            ]
        )

    def test_links_are_right_and_graded(self):
        found = link_tables(PEOPLE, self.right(), SPEC)
        frame = found.frame
        assert tuple(frame.columns) == COLUMNS
        assert frame.filter(
            pl.col("grade").is_in(["A", "B"]) & (pl.col("left_id") != pl.col("right_id"))
        ).is_empty()
        firm = frame.filter(pl.col("grade").is_in(["A", "B"]))
        assert set(range(600)) <= set(firm["right_id"].to_list())
        assert set(frame.filter(pl.col("right_id") < 300)["grade"]) == {"A"}
        assert "A" not in set(frame.filter(pl.col("right_id") >= 300)["grade"])

    def test_each_right_record_has_one_link_at_most_and_probability_is_the_weight(self):
        frame = link_tables(PEOPLE, self.right(), SPEC).frame
        assert frame["right_id"].is_unique().all()
        said = frame.select(p=1 / (1 + 2 ** (-pl.col("weight"))))["p"]
        assert ((said - frame["probability"]).abs() < 1e-6).all()

    def test_reasons_name_what_counted_and_no_value_of_a_person(self):
        right = self.right()
        reasons = link_tables(PEOPLE, right, SPEC).frame["reasons"]
        text = "\n".join(reasons)
        assert reasons.null_count() == 0
        assert reasons[0].startswith("证件号码相同；姓名相同（本表")
        weighed = reasons[400]
        assert re.search(
            r"姓名相同（(按本表和本村姓氏约每|本表不到每)[0-9,]+人1人，\+\d+\.\d）；出生日期相同（\+\d+\.\d）",
            weighed,
        )
        twins = pl.concat([PEOPLE, PEOPLE[600:700].with_columns(pl.col("no") + 9000)])
        tied = link_tables(twins, right, SPEC).frame.filter(pl.col("margin") < 0.05)["reasons"]
        assert len(tied) > 0
        assert tied.str.ends_with("；次优候选几乎同样可能（只少0.0比特）").all()
        # Without villages in common, the table alone is named.
        nowhere = link_tables(
            PEOPLE, right.drop("village").with_columns(village=pl.lit(None, pl.String)), SPEC
        )
        assert "本村" not in "\n".join(nowhere.frame["reasons"])
        assert re.search(
            r"姓名相同（本表(约每|不到每)[0-9,]+人1人，\+\d+\.\d）；", nowhere.frame["reasons"][400]
        )
        assert re.search(r"起点（左表1,500人，约\d+%的记录在其中有本人，−\d+\.\d）", weighed)
        assert re.search(r"合计[+−]\d+\.\d比特；(比次优候选多\d+\.\d比特|没有别的候选)$", weighed)
        for column in ("name", "number", "phone", "household", "birth"):
            assert not [v for v in right[column].drop_nulls() if v in text], column

    def test_parts_add_up_to_the_weight(self):
        frame = link_tables(PEOPLE, self.right(), SPEC).frame.filter(pl.col("pass") == "model")
        for reasons, weight in frame.select("reasons", "weight").head(50).iter_rows():
            *parts, total = re.findall(r"([+−]\d+\.\d)(?:）|比特(?:；|$))", reasons)
            bits = [float(p.replace("−", "-")) for p in parts]
            assert abs(sum(bits) - weight) < 0.05 * (len(bits) + 1)
            assert abs(float(total.replace("−", "-")) - weight) < 0.051

    def test_ids_of_any_type_and_row_numbers(self):
        spec = {**SPEC, "right": {"columns": KINDS}}
        left = PEOPLE.with_columns(pl.format("p{}", "no").alias("no"))
        frame = link_tables(left, PEOPLE[0:50], spec).frame
        assert frame.select(pl.col("left_id") == pl.format("p{}", "right_id")).to_series().all()

    def test_the_same_tables_give_the_same_frame(self):
        one, two = (link_tables(PEOPLE, self.right(), SPEC).frame for _ in range(2))
        assert one.equals(two)

    def test_tables_that_share_no_evidence_are_refused(self):
        left = {"id": "no", "columns": {"name": "person_name"}}
        right = {"id": "no", "columns": {"phone": "phone"}}
        with pytest.raises(SpecError, match="no kind of evidence in common"):
            link_tables(PEOPLE, PEOPLE, {"left": left, "right": right, "as_of": AS_OF})

    @pytest.mark.parametrize(
        ("left", "right", "words"),
        [
            (PEOPLE, PEOPLE.head(0), ["the right table has no records"]),
            (PEOPLE.head(0), PEOPLE, ["the left table has no records"]),
            (
                PEOPLE.head(0),
                PEOPLE.head(0),
                ["the left table has no records", "the right table has no records"],
            ),
            (PEOPLE, without(PEOPLE[0:9], *KINDS), ["the right table has no value in any column"]),
            (without(PEOPLE, *KINDS), PEOPLE[0:9], ["the left table has no value in any column"]),
        ],
        ids=["right", "left", "both", "null right", "null left"],
    )
    @pytest.mark.parametrize("dedupe", [False, True])
    def test_a_table_that_is_empty_that_day_gives_no_links_and_says_so(self, left, right, words, dedupe):
        said = []
        found = link_tables(left, right, SPEC, dedupe=dedupe, told=said.append)
        assert found.frame.height == 0
        assert tuple(found.frame.columns) == COLUMNS
        assert [problem.split(" in ")[0].split(" of ")[0].split(",")[0] for problem in found.problems] == [
            word.split(" in ")[0] for word in words
        ]
        assert set(found.problems) <= set(said)

    def test_columns_that_are_empty_that_day_are_still_evidence(self):
        spec = {**SPEC, "right": {"id": "no", "columns": {"number": "resident_id", "sex": "sex"}}}
        found = link_tables(PEOPLE, without(PEOPLE[0:9], "number"), spec)
        assert (found.frame.height, found.problems) == (0, [])

    @pytest.mark.parametrize(
        "kinds", [("resident_id", "birth_date"), ("resident_id", "sex"), ("address", "division")]
    )
    def test_kinds_that_say_the_same_of_a_person_are_evidence_in_common(self, kinds):
        sides = [{"columns": {"number": kind}} for kind in kinds]
        spec = {"left": sides[0], "right": sides[1], "as_of": AS_OF}
        assert link_tables(PEOPLE[0:20], PEOPLE[0:5], spec).frame.filter(pl.col("grade") == "A").is_empty()

    def test_left_records_of_one_person_count_as_one_where_the_left_table_is_not_clean(self):
        twice = pl.concat([PEOPLE, without(shifted(PEOPLE[0:60]), "household")])
        right = without(PEOPLE[0:60], "number", "household")
        clean, not_clean = (
            link_tables(twice, right, SPEC | {"left_is_clean": flag}).frame for flag in (True, False)
        )
        assert (not_clean["left_id"] == not_clean["right_id"]).all()
        assert set(not_clean["right_id"]) == set(range(60))
        assert set(not_clean["grade"]) <= {"A", "B"}
        assert set(clean.filter(pl.col("right_id") < 60)["grade"]) == {"C"}

    def test_an_empty_table_holds_no_duplicates(self):
        found = link_tables(PEOPLE.head(0), None, ONE, dedupe=True)
        assert found.frame.height == 0
        assert found.problems == ["the left table has no records, so there are no links"]

    def test_a_spec_without_right_and_without_dedupe_is_refused(self):
        with pytest.raises(SpecError, match="second one is needed"):
            link_tables(PEOPLE, None, SPEC)
        with pytest.raises(SpecError, match="section 'right' is missing"):
            link_tables(PEOPLE, PEOPLE, ONE)
        with pytest.raises(SpecError, match="as_of is missing"):
            link_tables(PEOPLE, None, {"left": SPEC["left"]}, dedupe=True)


@dataclass
class Said:
    level: np.ndarray
    bits: np.ndarray


@dataclass
class Compared:
    evidence: dict


class Rates:
    def bits(self, _name):
        return np.zeros(2)


class TestOneTable:
    def copies(self):
        return pl.concat(
            [
                PEOPLE,
                shifted(PEOPLE[0:60]),
                without(shifted(PEOPLE[0:20], 20_000), "number", "household"),
                without(shifted(PEOPLE[60:120]), "number", "household"),
            ]
        )

    def test_known_duplicates_are_found_and_nothing_else(self):
        frame = link_tables(self.copies(), None, ONE, dedupe=True).frame
        assert frame.columns == [*COLUMNS, "group"]
        firm = frame.filter(pl.col("grade") != "C")
        assert (firm["left_id"] % 10_000 == firm["right_id"] % 10_000).all()
        assert set(firm["right_id"]) == {*range(10_000, 10_120), *range(20_000, 20_020)}
        assert set(firm["left_id"]) == set(range(120))
        assert (firm["group"].n_unique(), firm.group_by("group").len()["len"].max()) == (120, 2)
        assert (
            frame.filter(pl.col("grade") == "C")["group"].null_count()
            == frame.filter(pl.col("grade") == "C").height
        )

    def test_a_clean_table_holds_no_duplicates(self):
        frame = link_tables(PEOPLE, None, ONE, dedupe=True).frame
        assert frame.filter(pl.col("grade") != "C").is_empty()

    def test_twins_and_relatives_stay_apart(self):
        twin = PEOPLE[2:300:3].with_columns(
            pl.col("no") + 50_000,
            name=pl.col("name").str.slice(0, 2) + "双",
            number=pl.lit(None, dtype=pl.String),
        )
        frame = link_tables(pl.concat([PEOPLE, twin]), None, ONE, dedupe=True).frame
        assert frame.filter(pl.col("grade") != "C").is_empty()

    def test_two_valid_numbers_never_stand_in_one_group(self):
        # The third record carries no number and fits both.
        one = PEOPLE[30:31]
        two = one.with_columns(pl.col("no") + 10_000, number=pl.lit(number("150902", "19650101", 777)))
        three = without(shifted(one, 20_000), "number")
        frame = link_tables(pl.concat([PEOPLE, AGAIN, two, three]), None, ONE, dedupe=True).frame
        firm = frame.filter(pl.col("grade") != "C").filter(~pl.col("right_id").is_in(AGAIN["no"].implode()))
        assert firm.height == 1
        assert {*firm["left_id"], *firm["right_id"]} in ({30, 20_030}, {10_030, 20_030})

    def test_a_pair_that_somebody_forbade_is_never_in_a_group(self):
        table = pl.concat([PEOPLE, without(shifted(PEOPLE[30:32]), "number"), AGAIN])
        records = records_of(table, Spec.parse(ONE).left, date(2025, 11, 17))
        free = duplicates.find(records).group
        assert (free[1500], free[1501]) == (30, 31)
        no = pl.DataFrame({"left": [1500], "right": [30]})
        group = duplicates.find(records, forbidden=no).group
        assert (group[1500], group[1501]) == (1500, 31)

    def test_a_forbidden_pair_of_equal_number_and_name_is_parted(self):
        # 30 stands there three times with number and name, once without the number.
        table = pl.concat([PEOPLE, PEOPLE[30:31], PEOPLE[30:31], without(PEOPLE[30:31], "number"), AGAIN])
        records = records_of(table, Spec.parse(ONE).left, date(2025, 11, 17))
        of_one = [30, 1500, 1501, 1502]
        assert set(duplicates.find(records).group[of_one]) == {30}
        for no in ((30, 1500), (1501, 1500), (1501, 30), (1502, 30), (1502, 1501)):
            frame = pl.DataFrame({"left": [no[0]], "right": [no[1]]})
            found = duplicates.find(records, forbidden=frame)
            assert found.group[no[0]] != found.group[no[1]], no
            # Everybody else of the four stands with one of the two.
            assert len(set(found.group[of_one])) == 2, no
            pairs = {
                frozenset(pair)
                for pair in found.linked.links.filter(pl.col("grade") != "C").select("left", "right").rows()
            }
            assert frozenset(no) not in pairs

    def test_a_renewed_passport_is_a_question_and_another_birth_date_is_none(self):
        """Another passport number says nothing; other birth dates do."""
        one = without(PEOPLE[30:31], "number").with_columns(name=pl.lit("阮氏兰"))
        numbers = ("E12345678", "K98761234")
        two = [one.with_columns(pl.col("no") + n, number=pl.lit(number)) for n, number in enumerate(numbers)]
        table = pl.concat([PEOPLE[60:], *two, AGAIN])
        links = duplicates.find(records_of(table, Spec.parse(ONE).left, date(2025, 11, 17))).linked.links
        asked = links.filter((pl.col("left") == 1440) & (pl.col("right") == 1441))
        assert asked["grade"].to_list() == ["C"]
        assert asked["probability"][0] > 0.7
        other = two[1].with_columns(birth=pl.lit("1951-03-02"), sex=pl.lit("女"))
        table = pl.concat([PEOPLE[60:], two[0], other, AGAIN])
        links = duplicates.find(records_of(table, Spec.parse(ONE).left, date(2025, 11, 17))).linked.links
        assert links.filter((pl.col("left") == 1440) & (pl.col("right") == 1441)).is_empty()

    @pytest.mark.parametrize("others", [10, 60], ids=["small group", "large group"])
    def test_what_contradicts_the_group_is_parted_also_from_a_large_one(self, others):
        """Records of one name and telephone, each with the number; one has no number and another birth and sex."""
        compared = []

        class Comparer:
            def compare(self, pairs):
                compared.append((pairs.left.copy(), pairs.right.copy()))
                bad = (pairs.left == others) | (pairs.right == others)
                one = Said(bad.astype(int), np.where(bad, -20.0, 1.0))
                return Compared(dict.fromkeys([c.name for c in MODEL], one))

        label = np.zeros(others + 3, dtype=np.int64)
        label[-2:] = others + 1, others + 2
        head = np.where(np.arange(others + 3) <= others, 5, np.arange(others + 3))
        none = duplicates.Pairs(np.empty(0, np.int32), np.empty(0, np.int32), [])
        low, high = duplicates._contradictions(
            label, Comparer(), Rates(), none, np.empty(0), np.empty((0, 2), np.int64), head
        )
        assert (5, others) in set(zip(low.tolist(), high.tolist(), strict=True))
        assert set(high.tolist()) == {others}
        assert (len(low) == 1) == (others > duplicates.COMPARED_UP_TO)

    def test_a_chain_with_a_contradiction_is_cut_at_its_weakest_link(self):
        label = duplicates.components(4, np.array([0, 1, 2]), np.array([1, 2, 3]))
        cut = duplicates.joined_but(
            label,
            np.array([0, 2, 1]),
            np.array([1, 3, 2]),
            np.array([7, 0, 0, 9], dtype=np.uint64),
            (np.array([], dtype=int), np.array([], dtype=int)),
        )
        assert cut.tolist() == [0, 0, 2, 2]

    def test_the_fullest_record_stands_for_the_person(self):
        table = pl.concat([without(PEOPLE[0:5], "phone", "sex"), shifted(PEOPLE)])
        frame = link_tables(table, None, ONE, dedupe=True).frame
        assert dict(frame.select("right_id", "left_id").head(5).iter_rows()) == {
            n: n + 10_000 for n in range(5)
        }

    def test_both_tables_are_reduced_before_they_are_linked(self):
        left = pl.concat([PEOPLE, shifted(PEOPLE[0:30])])
        right = pl.concat([PEOPLE[0:50], without(shifted(PEOPLE[0:50]), "number")])
        frame = link_tables(left, right, SPEC, dedupe=True).frame
        assert tuple(frame.columns) == COLUMNS
        assert frame.height == 100
        assert (frame["left_id"] == frame["right_id"] % 10_000).all()


WORDS = {
    "family": "NGUYEN TRAN LE PHAM HOANG",
    "middle": "THI VAN NGOC KIM",
    "given": "LAN HUONG MAI HOA THAO LINH",
}
WORDS = {part: words.split() for part, words in WORDS.items()}


def spouses(count=60):
    """Foreign spouses with a passport; some have a name in characters as well."""
    return pl.DataFrame(
        [
            {
                "no": 5_000 + n,
                "name": "阮氏" + GIVEN[n % 30] if n % 3 == 0 else None,
                "latin": " ".join(
                    [WORDS["family"][n % 5], WORDS["middle"][n // 5 % 4], WORDS["given"][n % 6]]
                ),
                "passport": f"B{10_000_000 + n * 7919}",
                "birth": f"{1970 + n % 25}-{1 + n % 12:02d}-{1 + n * 5 % 28:02d}",
                "sex": "女",
                "phone": f"138{23_141_593 + n * 7919}",
            }
            for n in range(count)
        ]
    )


LATIN = {c: KINDS[c] for c in ("name", "number", "birth", "sex", "phone")}
LATIN |= {"latin": "latin_name", "passport": "identifier"}
LATIN_SPEC = {"left": {"id": "no", "columns": LATIN}, "right": {"id": "no", "columns": LATIN}, "as_of": AS_OF}


class TestLatinNames:
    def tables(self):
        left = pl.concat([PEOPLE.drop("village", "household"), spouses()], how="diagonal")
        given_first = pl.col("latin").str.replace(r"^(\w+) (\w+) (\w+)$", "$3, $1 $2").str.to_titlecase()
        right = left.filter(pl.col("latin").is_not_null()).with_columns(
            latin=given_first, name=pl.lit(None, dtype=pl.String)
        )
        return left, right

    @pytest.mark.parametrize(
        "known",
        [("passport",), ("birth", "sex"), ("phone", "sex"), ("passport", "birth", "sex", "phone")],
        ids="+".join,
    )
    def test_words_in_another_order_are_found_by_passport_birth_or_telephone(self, known):
        left, right = self.tables()
        others = [c for c in ("passport", "birth", "sex", "phone") if c not in known]
        frame = link_tables(left, without(right, *others), LATIN_SPEC).frame
        assert (frame["left_id"] == frame["right_id"]).all()
        assert set(frame["right_id"]) == set(right["no"])
        assert frame.filter(pl.col("grade") == "C").height <= 15

    def test_the_only_identifiers_left_over_are_compared_whatever_their_names(self):
        left, right = self.tables()
        right = without(right, "birth", "sex", "phone")
        there = {("document" if c == "passport" else c): kind for c, kind in LATIN.items()}
        spec = LATIN_SPEC | {"right": {"id": "no", "columns": there}}
        said: list[str] = []
        found = link_tables(left, right.rename({"passport": "document"}), spec, told=said.append)
        assert found.frame.rows() == link_tables(left, right, LATIN_SPEC).frame.rows()
        assert found.frame.height == right.height
        assert found.problems == []
        assert "comparing identifiers: left passport with right document" in said

    def test_several_identifiers_left_over_are_named_as_not_compared(self):
        left, right = self.tables()
        right = right.with_columns(document="passport", card="no").drop("passport")
        there = {c: kind for c, kind in LATIN.items() if c != "passport"}
        there |= {"document": "identifier", "card": "identifier"}
        spec = LATIN_SPEC | {"right": {"id": "no", "columns": there}}
        found = link_tables(left, right, spec)
        assert len(found.problems) == 1
        assert "left passport and right document, card" in found.problems[0]

    def test_a_name_with_fewer_words_meets_its_own_by_birth(self):
        left, right = self.tables()
        fewer = without(right, "passport", "phone").with_columns(pl.col("latin").str.replace(r" \w+$", ""))
        pairs = link_tables(left, fewer, LATIN_SPEC).linked.pairs
        assert set(range(60)) <= set(pairs.right[pairs.left == pairs.right + 1500])

    def test_a_namesake_with_another_passport_and_birth_is_nobody_who_is_known(self):
        left, right = self.tables()
        others = right.with_columns(
            pl.format("X{}", pl.col("no") * 31).alias("passport"),
            birth=pl.lit("1961-02-03"),
            phone=pl.format("137{}", pl.col("no") + 20_000_000),
        )
        frame = link_tables(left, pl.concat([others, left[0:200]], how="diagonal"), LATIN_SPEC).frame
        assert frame.filter(pl.col("right_id") >= 5_000).is_empty()

    def test_words_bound_what_a_name_in_letters_is_worth(self):
        words = name_tokens.Words(pl.Series(["NGUYEN THI LAN", "NGUYEN VAN AN", "TRAN THI MAI", "张伟"]))
        bits = words.most_bits(pl.Series(["LAN THI NGUYEN", "张伟", "TRAN VAN LAN"]))
        assert bits[0] == pytest.approx(-np.log2(3 / 4 * 2.5 / 4 * 2.5 / 4 * 1.5 / 4))
        assert np.isinf(bits[1])
        assert bits[2] > bits[0]

    def test_sorting_words_leaves_the_names_themselves_alone(self):
        names = pl.Series(["THI NGUYEN LAN", "张 伟", None])
        assert name_tokens.sorted_words(names).to_list() == ["LAN NGUYEN THI", "张 伟", None]
        assert names[0] == "THI NGUYEN LAN"


class TestComponents:
    def test_components_are_the_lowest_of_what_is_joined(self):
        a, b = pl.Series([5, 3, 9]).to_numpy(), pl.Series([3, 1, 8]).to_numpy()
        assert duplicates.components(10, a, b).tolist() == [0, 1, 2, 1, 4, 1, 6, 7, 8, 8]


class TestWords:
    @pytest.mark.parametrize("comparison", MODEL, ids=lambda c: c.name)
    def test_every_level_has_its_words(self, comparison):
        levels = {*comparison.levels, *(name for name, _ in comparison.pooled)}
        assert set(waterfall.WORDS[comparison.name]) == levels

    @pytest.mark.parametrize(("bits", "text"), [(11.6, "3,100"), (0, "1"), (3.3, "10"), (20, "1,000,000")])
    def test_one_in_so_many_with_two_digits(self, bits, text):
        assert waterfall.one_in(bits) == text

    def test_signs_are_written(self):
        assert waterfall.bits_zh(np.array([1.25, -0.06, 0])).to_list() == ["+1.2", "−0.1", "+0.0"]


class TestModels:
    def test_rates_are_written_with_provenance_and_read_again(self, tmp_path):
        found = link_tables(PEOPLE, PEOPLE[0:300], SPEC)
        path = tmp_path / "rates.yaml"
        linking.save_model(found, path, {"date": AS_OF})
        again = linking.load_model(path)
        assert again.provenance == {"date": AS_OF}
        assert again.in_registry == pytest.approx(found.model.in_registry, abs=1e-6)
        assert Model().rates.keys() == again.rates.keys()

    @pytest.mark.parametrize(
        "text", ["", "[1]", "rates: {}", "version: x\nrates: {name: {exact: 1}}", "\x00"]
    )
    def test_what_is_no_file_of_rates_is_refused(self, tmp_path, text):
        path = tmp_path / "rates.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SpecError, match=r"rates\.yaml"):
            linking.load_model(path)
