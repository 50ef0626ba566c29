"""The suite of a contract finds what was planted, keeps silent about values, and owns up to a broken engine."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from data_contracts import expectations
from data_contracts.contract import Contract

DAY = date(2025, 11, 17)
GOOD_ID = "11010519491231002X"
BAD_ID = "110105194912310021"


def text(zh: str) -> dict[str, str]:
    return {"zh": zh, "en": zh}


def field(name: str, kind: str, **more) -> dict:
    return {"name": name, "source": f"列{name}", "type": kind, **more}


CONTRACT = Contract.model_validate(
    {
        "id": "probe",
        "no": 1,
        "title": text("探针"),
        "department": "nobody",
        "supplying_unit": "无",
        "purpose": text("测试"),
        "legal_basis": [],
        "description": text("测试"),
        "grain": ["resident_no", "paid_in"],
        "grain_title": text("每人每月一行"),
        "tier": 1,
        "delivery": {
            "kind": "full",
            "cadence": "daily",
            "late_after_days": 3,
            "format": "delimited",
            "delimiter": "|",
            "encoding": "utf-8",
            "suffix": "txt",
        },
        "fields": [
            field("resident_no", "resident_id", nullable=False, mostly=0.9),
            field("paid_in", "month", nullable=False),
            field("sex", "code", codes={"1": "男", "2": "女"}),
            field("born", "date"),
            field("benefit", "money", unit="元/月"),
        ],
        "subjects": [
            {
                "role": "payee",
                "title": text("领款人"),
                "evidence": {"resident_id": "resident_no", "birth_date": "born"},
            }
        ],
        "feeds": [],
        "rows": {"minimum": 5, "maximum": 100},
    }
)


def rows(n: int = 10) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "_delivery_id": ["d"] * n,
            "_row": list(range(1, n + 1)),
            "resident_no": [GOOD_ID] * n,
            "paid_in": [date(2024, 1 + k, 1) for k in range(n)],
            "sex": ["1"] * n,
            "born": [date(1949, 12, 31)] * n,
            "benefit": [Decimal("500.00")] * n,
        },
        schema_overrides={"benefit": pl.Decimal(18, 2)},
    )


def outcomes(tmp_path, frame: pl.DataFrame) -> pl.DataFrame:
    path = tmp_path / "d.parquet"
    frame.write_parquet(path)
    return expectations.run(CONTRACT, [path], DAY, full=True)


def changed(frame: pl.DataFrame, column: str, values: dict[int, object]) -> pl.DataFrame:
    column_values = frame[column].to_list()
    for row, value in values.items():
        column_values[row] = value
    return frame.with_columns(pl.Series(column, column_values, dtype=frame.schema[column]))


def test_clean_rows_pass_every_check(tmp_path):
    found = outcomes(tmp_path, rows())
    assert found["outcome"].unique().to_list() == ["passed"]
    assert set(found["check"]) == {
        "columns",
        "row_count",
        "grain",
        "present",
        "valid",
        "code",
        "date",
        "money",
    }
    assert expectations.worst(found) == "passed"


@pytest.mark.parametrize(
    ("column", "planted", "check", "severity"),
    [
        ("resident_no", {0: None, 1: None}, "present", "warning"),
        ("resident_no", dict.fromkeys(range(7)), "present", "error"),
        ("resident_no", {0: BAD_ID, 1: BAD_ID}, "valid", "warning"),
        ("resident_no", dict.fromkeys(range(8), "x"), "valid", "error"),
        ("paid_in", {0: date(2024, 2, 1)}, "grain", "warning"),
        ("paid_in", {0: date(1024, 2, 1)}, "date", "warning"),
        ("sex", {3: "男"}, "code", "warning"),
        ("born", {0: date(2025, 11, 18)}, "date", "warning"),
        ("benefit", {0: Decimal("5000000.00")}, "money", "warning"),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(tmp_path, column, planted, check, severity):
    found = outcomes(tmp_path, changed(rows(), column, planted)).filter(pl.col("outcome") != "passed")
    assert found.select("check", "outcome", "severity").rows() == [(check, "failed", severity)]
    assert expectations.worst(found) == severity


def test_what_the_contract_tolerates_passes(tmp_path):
    found = outcomes(tmp_path, changed(rows(), "resident_no", {0: BAD_ID}))
    assert expectations.worst(found) == "passed"


def test_masked_and_fifteen_digit_numbers_are_not_called_invalid(tmp_path):
    planted = {0: "110105********002X", 1: "110105491231002", 2: "110105********002X"}
    assert expectations.worst(outcomes(tmp_path, changed(rows(), "resident_no", planted))) == "passed"


def test_too_few_rows_and_a_missing_column_are_errors(tmp_path):
    few = outcomes(tmp_path, rows(4)).filter(pl.col("outcome") == "failed")
    assert few.select("check", "severity").rows() == [("row_count", "error")]
    found = outcomes(tmp_path, rows().drop("benefit"))
    assert found.filter(pl.col("check") == "columns")["outcome"].item() == "failed"


def test_no_value_of_a_person_is_in_an_outcome(tmp_path):
    frame = changed(rows(), "resident_no", dict.fromkeys(range(8), BAD_ID))
    assert BAD_ID not in str(outcomes(tmp_path, frame).to_dicts())


def test_a_broken_engine_is_an_engine_error_and_never_bad_data(tmp_path, monkeypatch):
    from data_contracts import expectations_engine

    def refuses(self):
        raise RuntimeError(f"cannot convert {GOOD_ID}")

    monkeypatch.setattr(expectations_engine.DuckDBExecutionEngine, "get_connection", refuses)
    found = outcomes(tmp_path, rows())
    # The list of columns comes from the catalogue of the database, not through a query.
    assert found.filter(pl.col("check") != "columns")["outcome"].unique().to_list() == ["engine_error"]
    assert expectations.worst(found) == "engine_error"
    assert GOOD_ID not in str(found.to_dicts())


def test_an_exception_inside_one_expectation_is_an_engine_error(tmp_path):
    found = outcomes(tmp_path, rows().with_columns(pl.col("benefit").cast(pl.String) + " 元"))
    money = found.filter(pl.col("check") == "money")
    assert money["outcome"].item() == "engine_error"


def test_nothing_delivered_is_nothing_to_check():
    assert expectations.run(CONTRACT, [], DAY, full=True).is_empty()
