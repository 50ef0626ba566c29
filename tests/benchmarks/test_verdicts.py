"""Warnings held against an invented world: every rule has its verdict, and what the world says decides."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benchmarks.verdicts import RULES, judged
from sample_data.life import World
from sample_data.world import KINDS, SCHEMAS

NIGHT = date(2025, 11, 17)
ROOT = Path(__file__).resolve().parents[2]
EXTRA = {"known_on": pl.Date, "gone_on": pl.Date, "world_row": pl.Int64}
PEOPLE = range(1, 7)

PENSION = {"pay_month": date(2025, 11, 1), "status": "1", "known_on": date(2025, 11, 12)}
ALLOWANCE = {
    "subsidy_type": "3",
    "status": "1",
    "pay_month": date(2025, 8, 1),
    "known_on": date(2025, 8, 11),
}
ROWS: dict[str, list[dict[str, object]]] = {
    "ps_death": [{"person": 2, "death_date": date(2025, 5, 3), "known_on": date(2025, 6, 1)}],
    "hr_resident_pension": [
        PENSION | {"person": 3},
        PENSION | {"person": 4, "status": "2"},
        PENSION | {"person": 5, "known_on": date(2025, 11, 18)},
    ],
    "hr_employee_pension": [
        {
            "person": 6,
            "amount": 2000,
            "pay_month": date(2025, m, 1),
            "status": "1",
            "known_on": date(2025, m, 12),
        }
        for m in range(1, 10)
    ],
    "ca_welfare_subsidy": [ALLOWANCE | {"person": 1}, ALLOWANCE | {"person": 2}],
}


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[str, int], str | None]:
    """Verdicts on elders who live alone: 2 died in May, the others draw what `ROWS` says."""
    people = pl.DataFrame(
        [
            (p, date(1950, 1, 1), date(2025, 5, 3) if p == 2 else None, "1", True, False, p * 10)
            for p in PEOPLE
        ],
        schema=[
            "true_person_id",
            "birth_date",
            "death_date",
            "urban_rural",
            "is_registered",
            "is_outsider",
            "true_household_id",
        ],
        orient="row",
    )
    homes = pl.DataFrame(
        [(p * 10, p, date(2020, 1, 1), None) for p in PEOPLE],
        schema={
            "true_household_id": pl.Int64,
            "true_person_id": pl.Int64,
            "from": pl.Date,
            "to": pl.Date,
        },
        orient="row",
    )
    tables = {
        name: pl.DataFrame(ROWS.get(name, []), schema={**{c: KINDS[k] for c, k in columns.items()}, **EXTRA})
        for name, columns in SCHEMAS.items()
    }
    asked = [(rule, person) for rule in ("P07", "X01", "N10") for person in PEOPLE]
    warned = pl.DataFrame(
        [(n, rule, person, None, "") for n, (rule, person) in enumerate(asked)],
        schema={
            "n": pl.Int64,
            "rule_id": pl.String,
            "person": pl.Int64,
            "case_no": pl.String,
            "cause_key": pl.String,
        },
        orient="row",
    )
    found = judged(
        World(people, homes, pl.DataFrame(), tables),
        pl.DataFrame(schema=dict.fromkeys(("true_person_id", "father", "mother", "spouse"), pl.Int64)),
        warned,
        warned.select("n", "person"),
        NIGHT,
        NIGHT,
        pl.DataFrame({"prefix": ["C"], "disease": ["01"]}),
    )
    return dict(zip(asked, found.sort("n")["verdict"].to_list(), strict=True))


def test_every_rule_has_a_verdict() -> None:
    assert set(RULES) == {p.name[:3] for p in (ROOT / "policy" / "rules").rglob("*.sql")}


def test_a_pension_of_this_month_refutes_that_there_is_none_and_a_suspended_one_does_not(
    verdicts: dict[tuple[str, int], str | None],
) -> None:
    assert [verdicts["P07", p] for p in (1, 2, 3, 4)] == ["right", "dead", "draws a pension", "right"]


def test_what_no_department_has_told_by_the_night_refutes_nothing(
    verdicts: dict[tuple[str, int], str | None],
) -> None:
    assert verdicts["P07", 5] == "right"


def test_a_payment_after_a_death_is_right_of_the_dead_and_wrong_of_the_living(
    verdicts: dict[tuple[str, int], str | None],
) -> None:
    assert [verdicts["X01", p] for p in (1, 2)] == ["alive", "right"]


def test_an_income_that_nobody_knows_is_not_judged(
    verdicts: dict[tuple[str, int], str | None],
) -> None:
    assert [verdicts["N10", p] for p in (1, 6)] == [None, "recorded income over the line"]
