"""What comes close to a warning is kept with the reason why it is none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy.cases import Case, Located, outcome_of

DAY = date(2025, 11, 17)
FAMILY = [{"household_id": 1, "members": [11]}]


def left_out(rule: str, **given):
    case = Case(name="close", as_of=DAY, given={"families": FAMILY} | given, expect=[])
    outcome = outcome_of(Located(rule, Path("close.yaml"), 1, case))
    assert outcome.warnings.is_empty()
    return outcome.left_out.select("rule_id", "household_id", "why_zh").rows()


CASE = {"case_id": "c1", "members": [11]}
SEVERE = {"person_id": 11, "dis_type": "4", "dis_grade": "1", "status": "1"}


@pytest.mark.parametrize(
    ("rule", "given", "why"),
    [
        (
            "X19",
            {"cases": [CASE | {"next_review_month": "2025-12"}]},
            "下次复核月为2025年12月，还没有逾期",
        ),
        (
            "X18",
            {"cases": [CASE | {"category": "4", "start_month": "2024-12"}]},
            "认定到现在11个月，没有超过12个月",
        ),
        (
            "X18",
            {"cases": [CASE | {"status": "2", "grace_end_month": "2026-01"}]},
            "渐退期到2026年1月，还没有过完",
        ),
        (
            "X03",
            {
                "cases": [CASE],
                "fiscal_payroll": [
                    {"person_id": 11, "post_type": "5", "gross_pay_per_month": 900, "month": "2025-10"}
                ],
            },
            "村（社区）干部补贴低，只作提示",
        ),
        (
            "X11",
            {
                "cases": [CASE],
                "provident_fund": [
                    {"person_id": 11, "account_id": "a", "status": "2", "last_deposit_month": "2025-10"}
                ],
            },
            "账户已封存或销户",
        ),
        (
            "X15",
            {
                "cases": [CASE],
                "school_enrolment": [{"person_id": 11, "stage": "5", "status": "1"}],
                "register_event": [
                    {
                        "person_id": 11,
                        "event_type": "3",
                        "event_date": date(2025, 9, 9),
                        "to_division": "110105",
                    }
                ],
            },
            "在校学生的户口在学校所在地",
        ),
        (
            "P03",
            {"disability": [SEVERE | {"issue_date": date(2025, 10, 20)}]},
            "发证未满2个月，可能还在办理",
        ),
        (
            "P07",
            {
                "families": [
                    {"household_id": 1, "members": [{"person_id": 11, "birth_date": date(1962, 1, 1)}]}
                ],
                "insurance_contribution": [
                    {
                        "person_id": 11,
                        "insurance": "170",
                        "payer_type": "3",
                        "pay_month": "2025-02",
                        "status": "1",
                    }
                ],
            },
            "仍在缴纳养老保险",
        ),
    ],
)
def test_what_comes_close_says_why_it_is_not_raised(rule, given, why):
    assert left_out(rule, **given) == [(rule, 1, why)]


def test_what_is_far_from_a_limit_is_not_said():
    """A review in half a year, a recognition of this spring."""
    assert left_out("X19", cases=[CASE | {"next_review_month": "2026-06"}]) == []
    assert left_out("X18", cases=[CASE | {"category": "4", "start_month": "2025-04"}]) == []
