"""Damage keeps to its rates, repeats itself, spares whom it must, and is nothing when it is off."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from data_contracts.contract import Contract, catalogue
from sample_data import file_events, misspelling
from sample_data.damage import Damage, People, Role
from sample_data.odds import uniform

TODAY = date(2025, 11, 17)
N = 40_000


def check_character(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(w * int(c) for w, c in zip(weights, body, strict=True)) % 11]


def number(i: int, born: date) -> str:
    body = f"150902{born:%Y%m%d}{i % 1000:03d}"
    return body + check_character(body)


def persons(n: int = N) -> pl.DataFrame:
    born = [date(1935 + i % 90, 1 + i % 12, 1 + i % 28) for i in range(n)]
    minority = [i % 5 == 0 for i in range(n)]
    surnames, given = "王李张刘陈", "伟丽芳娜秀英军勇杰婷"
    return pl.DataFrame(
        {
            "true_person_id": np.arange(n) + 10,
            "resident_id": [number(i, b) for i, b in enumerate(born)],
            "id15": [
                None if b.year > 1990 else f"150902{b:%y%m%d}{i % 1000:03d}" for i, b in enumerate(born)
            ],
            "former_resident_id": pl.Series([None] * n, dtype=pl.String),
            "id_changed_on": pl.Series([None] * n, dtype=pl.Date),
            "name": [
                "阿里木·买买提"
                if m and i % 2
                else "其木格"
                if m
                else surnames[i % 5] + given[i % 10] + given[i % 7]
                for i, m in enumerate(minority)
            ],
            "former_name": ["王小狗" if i % 100 == 1 else None for i in range(n)],
            "name_changed_on": [date(2025, 6, 1) if i % 200 == 1 else None for i in range(n)],
            "name_spellings": [
                ["琪木格", "齐木格"] if m and not i % 2 else None for i, m in enumerate(minority)
            ],
            "sex": ["1", "2"] * (n // 2),
            "birth_date": born,
            "ethnic": ["02" if m else "01" for m in minority],
            "phone": [f"138{i:08d}" for i in range(n)],
            "village_code": [f"1509021000{i % 50:02d}" for i in range(n)],
            "true_household_id": np.arange(n) // 3,
        }
    )


def contract(tier: int, class_id: str = "some_class") -> Contract:
    return Contract.model_validate(
        {
            "id": class_id,
            "no": 1,
            "title": {"zh": "某类", "en": "Some"},
            "department": "civil_affairs",
            "supplying_unit": "某科",
            "purpose": {"zh": "测试", "en": "test"},
            "legal_basis": ["某办法"],
            "description": {"zh": "测试", "en": "test"},
            "grain": ["id_no"],
            "grain_title": {"zh": "每人一行", "en": "one row a person"},
            "tier": tier,
            "delivery": {
                "kind": "full", "cadence": "daily", "late_after_days": 3, "format": "delimited",
                "delimiter": ",", "quoted": True, "encoding": "utf-8", "suffix": "csv",
            },
            "fields": [
                {"name": "id_no", "source": "证号", "type": "resident_id"},
                {"name": "name", "source": "姓名", "type": "person_name"},
                {"name": "birth_date", "source": "出生", "type": "date"},
                {"name": "phone", "source": "电话", "type": "phone"},
                {"name": "live_address", "source": "住址", "type": "address"},
            ],
            "subjects": [],
            "feeds": [],
        }
    )  # fmt: skip


EVIDENCE = {
    "resident_id": "id_no",
    "person_name": "name",
    "birth_date": "birth_date",
    "phone": "phone",
    "address": "live_address",
}
PERSONS = persons()


def run(
    tier: int, strength: float = 1.0, planted: tuple[int, ...] = (), **kwargs: Any
) -> tuple[pl.DataFrame, pl.DataFrame]:
    c = contract(tier, kwargs.get("class_id", "some_class"))
    people = People.of(PERSONS, planted, TODAY)
    clean = PERSONS.select(
        pl.col("resident_id").alias("id_no"),
        "name",
        "birth_date",
        "phone",
        pl.lit("内蒙古自治区乌兰察布市集宁区某乡某村3组12号").alias("live_address"),
    )
    harm = Damage(kwargs.get("seed", 5), strength)
    roles = [Role("person", PERSONS["true_person_id"], EVIDENCE)]
    tiers = harm.tiers(c, clean)
    days = np.full(clean.height, kwargs.get("day", TODAY).toordinal() - date(1970, 1, 1).toordinal())
    typed = harm.typed(c, clean, roles, people, tiers, TODAY, days)
    return clean, harm.text(c, typed, roles, people, tiers, TODAY, days)


def share(clean: pl.DataFrame, dirty: pl.DataFrame, column: str) -> float:
    return float((clean[column].ne_missing(dirty[column])).mean() or 0)


def test_off_means_untouched_but_for_names_of_the_day() -> None:
    clean, dirty = run(4, strength=0)
    assert dirty.equals(clean)
    _, before = run(4, strength=0, day=date(2025, 1, 1))
    old = PERSONS["name_changed_on"].is_not_null()
    assert before.filter(old)["name"].unique().to_list() == ["王小狗"]
    assert before.filter(~old).equals(clean.filter(~old))


def test_worse_sources_have_more_errors_in_names_and_numbers() -> None:
    rates = [[share(*run(tier), column) for tier in (1, 2, 3, 4)] for column in ("name", "id_no")]
    for row in rates:
        assert row == sorted(row)
    # Tier 1: 99.7 % of names exact, every number present (CHINESE_DATA D2); minorities are a fifth here.
    assert rates[0][0] < 0.02
    assert rates[1][0] == 0
    assert 0.3 < rates[1][3] < 0.8


@pytest.mark.parametrize(("tier", "expected"), [(2, 0.003), (3, 0.006)])
def test_birth_dates_differ_at_the_published_rate(tier: int, expected: float) -> None:
    assert share(*run(tier), "birth_date") == pytest.approx(expected, rel=0.25)


def test_missing_numbers_at_the_rate_of_the_class() -> None:
    _, dirty = run(3, class_id="ca_cremation")
    assert dirty["id_no"].is_null().mean() == pytest.approx(0.20, rel=0.1)


def test_errors_are_correlated_with_the_group() -> None:
    clean, dirty = run(3)
    changed = clean["name"] != dirty["name"]
    minority = PERSONS["ethnic"] == "02"
    assert changed.filter(minority).mean() > 2 * changed.filter(~minority).mean()  # type: ignore[operator]


def test_planted_people_keep_readable_identities() -> None:
    planted = tuple(range(10, 2010))
    clean, dirty = run(4, planted=planted)
    assert (
        clean.head(2000)["id_no"]
        .str.to_uppercase()
        .equals(dirty.head(2000)["id_no"].str.replace("[x×Х*]$", "X"))
    )
    assert share(clean.tail(2000), dirty.tail(2000), "id_no") > 0.2


def test_a_source_repeats_its_own_error() -> None:
    assert run(3)[1].equals(run(3)[1])
    assert not run(3)[1].equals(run(3, seed=6)[1])
    people = People.of(PERSONS, (), TODAY)
    harm = Damage(5)
    c = contract(3)
    twice = pl.concat([PERSONS["true_person_id"]] * 2)
    names = pl.DataFrame({"name": pl.concat([PERSONS["name"]] * 2)})
    tier, days = np.full(2 * N, 2), np.full(2 * N, 20_000)
    result = harm.text(c, names, [Role("person", twice, {"person_name": "name"})], people, tier, TODAY, days)
    same = (result["name"].head(N) == result["name"].tail(N)).mean()
    assert isinstance(same, float)
    assert same > 0.95


def test_every_kind_of_name_error_changes_something_and_stays_a_name() -> None:
    names = pl.Series(["王伟明", "李丽", "张秀英"] * 50)
    u, v = np.linspace(0, 0.999, 150), np.linspace(0.999, 0, 150)
    for kind, make in misspelling.NAME_KINDS.items():
        changed = make(names, u, v)
        assert changed.null_count() == 0, kind
        assert changed.str.len_chars().min() >= 1, kind  # type: ignore[operator]
        assert (changed != names).mean() > 0.3, kind  # type: ignore[operator]


def test_addresses_lose_levels_and_groups_are_spoken_of() -> None:
    whole = "内蒙古自治区乌兰察布市察哈尔右翼后旗某镇某村民委员会3组12号"
    said = misspelling.free_address(pl.Series([whole] * 5), np.array([0.1, 0.3, 0.6, 0.65, 0.9])).to_list()
    assert said == [
        "乌兰察布市察哈尔右翼后旗某镇某村民委员会3组12号",
        "察哈尔右翼后旗某镇某村民委员会3组12号",
        "内蒙古自治区乌兰察布市察哈尔右翼后旗某镇某村民委员会三组12号",
        "内蒙古自治区乌兰察布市察哈尔右翼后旗某镇某村民委员会三社12号",
        "内蒙古自治区乌兰察布市察哈尔右翼后旗某镇某村民委员会3组",
    ]
    assert misspelling.free_address(pl.Series(["某村13组"]), np.array([0.6])).to_list() == ["某村13组"]


def test_look_alikes_are_few_and_their_own() -> None:
    table = misspelling.confusions()
    assert table.height > 1000
    for kind in ("sound", "near_sound", "shape", "variant"):
        assert table[kind].str.len_chars().max() <= 8  # type: ignore[operator]
        assert not table.select(pl.col(kind).str.contains(pl.col("char"), literal=True)).to_series().any()


def test_packed_cells_keep_their_pairs() -> None:
    c = contract(3)
    people = People.of(PERSONS, (), TODAY)
    who = pl.Series([[10, 11], [12], None, [13, 14, 15]], dtype=pl.List(pl.Int64))
    ids = PERSONS["resident_id"].to_list()
    cells = [[ids[p - 10] for p in row] if row else None for row in who.to_list()]
    frame = pl.DataFrame({"id_no": pl.Series(cells, dtype=pl.List(pl.String))})
    for seed in range(30):
        result = Damage(seed).typed(
            c, frame, [Role("member", who, {"resident_id": "id_no"}, packed=True)], people,
            np.full(4, 3), TODAY, np.full(4, 20_000),
        )  # fmt: skip
        assert result["id_no"].list.len().to_list() == [2, 1, None, 3]
    off = Damage(1, 0).typed(
        c, frame, [Role("member", who, {"resident_id": "id_no"}, packed=True)], people,
        np.full(4, 3), TODAY, np.full(4, 20_000),
    )  # fmt: skip
    assert off.equals(frame)


def test_paper_rows_of_a_checked_source_are_worse() -> None:
    c = contract(2, "ca_marriage")
    frame = pl.DataFrame({"reg_date": [date(1990, 1, 1), date(2010, 1, 1), None]})
    assert Damage(1).tiers(c, frame).tolist() == [3, 1, 1]


def test_few_files_are_damaged_and_always_the_same_ones() -> None:
    harm = Damage(11)
    events = [file_events.file_events(harm, contract(3, f"class_{i}"), TODAY) for i in range(400)]
    again = [file_events.file_events(Damage(11), contract(3, f"class_{i}"), TODAY) for i in range(400)]
    assert events == again
    other = sum(e.encoding != "utf-8" for e in events) / 400
    assert other == pytest.approx(0.10, abs=0.05)
    assert sum(e.ragged > 0 for e in events) / 400 == pytest.approx(0.10, abs=0.05)
    quiet = file_events.file_events(Damage(11, 0), contract(3), TODAY)
    assert quiet == file_events.FileEvents(encoding="utf-8")


def test_the_first_night_shows_every_kind_of_damaged_file() -> None:
    contracts = [c for c in catalogue().values() if c.no <= 48]
    for seed in range(5):
        events = file_events.night_events(Damage(seed), contracts, TODAY, show_all=True)
        for name in (
            "mixed_encoding",
            "mojibake",
            "control",
            "breaks",
            "ragged",
            "spreadsheet",
            "zipped",
            "sent_twice",
        ):
            assert any(getattr(e, name) for e in events), (seed, name)
        assert any(e.encoding == "utf-16-le" for e in events)
        assert any(e.renamed is not None for e in events)
        assert sum(e.spreadsheet for e in events) <= 3
        assert all(
            not e.spreadsheet for e, c in zip(events, contracts, strict=True) if c.id == "fn_bank_balance"
        )
    quiet = file_events.night_events(Damage(1, 0), contracts, TODAY, show_all=True)
    assert not any(e.ragged or e.spreadsheet or e.mojibake for e in quiet)


def test_chance_is_even() -> None:
    u = uniform(np.arange(100_000), 7, "anything")
    assert u.min() >= 0
    assert u.max() < 1
    assert np.histogram(u, bins=10)[0] == pytest.approx(10_000, rel=0.05)
    assert np.corrcoef(u[1:], u[:-1])[0, 1] == pytest.approx(0, abs=0.02)


def test_first_figures_differ_and_planted_people_have_none() -> None:
    people = People.of(PERSONS, range(10, 10_010), TODAY)
    c = contract(2, "tx_iit_withholding")
    frame = pl.DataFrame({"income": pl.Series([1000] * N).cast(pl.Decimal(18, 2))})
    place = np.arange(N)
    early = Damage(1).first_figures(c, frame, people, place)
    assert early.height == pytest.approx(N * 0.75 * 0.003, rel=0.4)
    assert early["_row"].min() >= 10_000  # type: ignore[operator]
    assert early["income"].n_unique() > 5
    assert Damage(1, 0).first_figures(c, frame, people, place).height == 0
    assert Damage(1).first_figures(contract(2), frame, people, place).height == 0
