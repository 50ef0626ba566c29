"""What `trace` says of the rows behind a warning: which were used, what they add up to, where they stand."""

import json
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from click.testing import CliRunner

from data_contracts.contract import fact_tables
from data_contracts.ledger import LEDGER
from pipelines import show_trace
from pipelines.cli import main

NIGHT = "batch_date=2025-11-20"
EVIDENCE = {
    "cause": "assistance", "dates_zh": None, "paid_months": 2, "paid_amount": "800.00",
    "first_paid_month": "2025-04-01", "last_paid_month": "2025-05-01",
}  # fmt: skip
PAID = {
    "person_id": 7, "link_grade": "B", "case_id": "c1", "item": "1", "amount": Decimal("400.00"), "pay_status": "1",
    "pay_date": date(2025, 4, 25), "source_class": "ca_assist_payment", "data_as_of": date(2025, 11, 20),
}  # fmt: skip


def put(home, path, *rows, schema=None):
    target = home / "lake" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=schema).write_parquet(target)


@pytest.fixture
def home(tmp_path):
    """A dead person (8) on a case; its payments go to a living one (7); somebody like him was treated later."""
    warned = {
        "warning_id": "W1", "rule_id": "X01", "rule_version": 3, "list_kind": "check_out", "household_id": 3,
        "person_id": 8, "case_id": "c1", "cause_key": "assistance:c1", "level": "red", "reason_zh": "合计800元。",
        "evidence_json": json.dumps(EVIDENCE), "sources_json": json.dumps({"ca_assist_payment": None}),
    }  # fmt: skip
    put(tmp_path, f"risk/{NIGHT}/warnings.parquet", warned)
    put(tmp_path, f"households/{NIGHT}/household_member.parquet", {"household_id": 3, "person_id": 8})
    put(
        tmp_path,
        f"facts/{NIGHT}/assistance_payment.parquet",
        *(
            PAID | {"pay_month": date(2025, month, 1), "pay_status": status, "row_key": f"d1:{month:09d}"}
            for month, status in ((3, "1"), (4, "1"), (5, "1"), (5, "2"))
        ),
    )
    death = {"death_date": date(2025, 3, 1), "recorded_date": None, "data_as_of": date(2025, 11, 20)}
    put(
        tmp_path,
        f"facts/{NIGHT}/death.parquet",
        death
        | {"person_id": 8, "link_grade": "B", "source_class": "ca_cremation", "row_key": "d2:000000136"},
        death | {"person_id": 8, "link_grade": "A", "source_class": "ps_death", "row_key": "d3:000000005"},
    )
    treated = {"person_id": 8, "link_grade": "A", "source_class": "mi_settlement", "row_key": "d4:000000001"}
    put(tmp_path, f"facts/{NIGHT}/medical_settlement.parquet", treated | {"data_as_of": date(2025, 11, 20)})
    book = dict.fromkeys(LEDGER) | {"delivery_id": "d2", "file": "ca_cremation.xlsx", "rows_other": 3}
    put(tmp_path, f"ledger/ca_cremation/{NIGHT}.parquet", book, schema=LEDGER)
    return tmp_path


def test_the_rows_that_were_used_add_up_to_the_sum_of_the_reason(home):
    rows = show_trace.warning(home, "W1", None)["rows"]
    paid = [row for row in rows if row["fact"] == "assistance_payment"]
    assert [row["why_zh"] for row in paid] == ["不在所述期间", None, None, "未发放成功"]
    assert sum(row["amount"] for row in paid if row["used"]) == Decimal("800.00")


def test_a_link_of_a_grade_the_list_may_not_read_is_marked(home):
    rows = show_trace.warning(home, "W1", None)["rows"]
    assert [(row["class_id"], row["row"], row["why_zh"]) for row in rows if row["fact"] == "death"] == [
        ("ca_cremation", 136, "关联等级B"),
        ("ps_death", 5, None),
    ]


def test_facts_on_which_the_warning_does_not_rest_are_left_out(home):
    assert {row["fact"] for row in show_trace.warning(home, "W1", None)["rows"]} == {
        "assistance_payment",
        "death",
    }


def test_the_text_counts_data_rows_and_says_so_in_chinese(home):
    text = CliRunner().invoke(main, ["--home", str(home), "trace", "W1"]).output
    assert "数据第136行 未用到（关联等级B），P000000008：死亡日期2025-03-01" in text
    assert "ca_cremation.xlsx（不计的行共3行" in text
    assert "标题行、表头行、空行和合计行不计" in text
    assert "数据第4行 用到：所属月份2025-04，金额400.00元，发放成功" in text
    assert "用到2行，金额合计800.00元" in text
    assert "None" not in text
    assert " row " not in text


def test_payments_of_another_kind_or_case_are_not_used():
    table = fact_tables()["assistance_payment"]
    row = PAID | {"pay_month": date(2025, 4, 1)}
    warned = {"case_id": "c2", "list_kind": "check_out", "cause_key": "assistance:c2"}
    assert show_trace._why_not_used(table, row, [7], warned, EVIDENCE) == "另一救助证"
    subsidy = {"case_id": None, "list_kind": "check_out", "cause_key": "subsidy:2"}
    said = show_trace._why_not_used(
        table, row | {"link_grade": "A"}, [7], subsidy, EVIDENCE | {"cause": "subsidy"}
    )
    assert said == "本提示不计这类发放"


def test_a_pension_after_death_is_the_months_that_the_warning_adds_up():
    table = fact_tables()["pension"]
    row = {
        "person_id": 8,
        "link_grade": "A",
        "pension_kind": "resident",
        "status": "1",
        "month": date(2025, 4, 1),
    }
    warned = {"case_id": "c1", "list_kind": "check_out", "cause_key": "pension:resident"}
    told = EVIDENCE | {"cause": "pension"}

    def why(evidence, **other):
        return show_trace._why_not_used(table, row | other, [8], warned, evidence)

    assert why(told) is None
    assert why(told, month=date(2025, 3, 1)) == "不在所述期间"
    assert why(told, status="2") == "未发放成功"
    assert why(EVIDENCE) == "本提示不计这类发放"
