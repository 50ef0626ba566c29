"""Rows leave on the right night, with the names and numbers of the people they speak of."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from data_contracts.contract import catalogue
from sample_data.extracts import Call, calls, extract, leaving, nights_of, source_of
from sample_data.truth import RECORDS, records

NIGHTS = nights_of(date(2025, 11, 17), 3)

PERSONS = pl.DataFrame(
    {
        "true_person_id": [10, 11, 12, 13],
        "resident_id": ["150902198001011234", "15090219820202124X", "150902201003031256", None],
        "name": ["王伟", "李丽", "王小明", "王宝"],
        "former_name": [None, "李小丽", None, None],
        "name_changed_on": [None, date(2025, 11, 18), None, None],
        "newborn_name": [None, None, None, "李丽之女"],
        "sex": ["1", "2", "1", "2"],
        "birth_date": [date(1980, 1, 1), date(1982, 2, 2), date(2010, 3, 3), date(2025, 11, 1)],
        "ethnic": ["01", "02", "01", "02"],
        "phone": ["13800000010", "13800000011", None, None],
        "account_no": ["6217000010", "6217000011", None, None],
        "bank": ["103", "402", None, None],
        "psn_no": ["P10", "P11", "P12", "P13"],
    }
)


def table(**columns: list[Any]) -> pl.DataFrame:
    n = len(next(iter(columns.values())))
    return pl.DataFrame(
        columns
        | {
            "known_on": columns.get("known_on", [date(2025, 1, 1)] * n),
            "gone_on": pl.Series(columns.get("gone_on", [None] * n), dtype=pl.Date),
            "world_row": list(range(n)),
        }
    )


def test_a_night_takes_what_became_known_since_and_a_full_file_what_is_there() -> None:
    rows = table(
        case_no=["old", "gone", "new", "later"],
        known_on=[date(2025, 1, 1), date(2025, 1, 1), date(2025, 11, 18), date(2025, 11, 19)],
        gone_on=[None, date(2025, 11, 18), None, None],
    )
    full = leaving(rows, Call(NIGHTS[1], "full", NIGHTS[0]))
    delta = leaving(rows, Call(NIGHTS[1], "delta", NIGHTS[0]))
    first = leaving(rows, Call(NIGHTS[0], "delta", None))
    assert full["case_no"].to_list() == ["old", "new"]
    assert delta["case_no"].to_list() == ["new"]
    assert first["case_no"].to_list() == ["old", "gone"]


def test_a_snapshot_has_one_row_a_key() -> None:
    rows = table(
        account_no=["a", "a", "b"], known_on=[date(2025, 10, 1), date(2025, 11, 1), date(2025, 10, 1)]
    )
    sent = leaving(rows, Call(NIGHTS[0], "full", None), "account_no")
    assert sent["world_row"].to_list() == [1, 2]


def test_everything_comes_on_the_first_night_and_the_daily_classes_every_night() -> None:
    for contract in catalogue().values():
        found = calls(contract, NIGHTS)
        assert (found[0].batch, found[0].since) == (NIGHTS[0], None)
        assert found[0].kind == contract.delivery.kind
        if contract.delivery.cadence == "daily":
            assert [c.batch for c in found] == NIGHTS
        for before, after in itertools.pairwise(found):
            assert after.since == before.batch
            assert after.kind in (contract.delivery.kind, contract.delivery.also)
    assert [c.kind for c in calls(catalogue()["ps_resident"], NIGHTS)] == ["full", "delta", "delta"]
    assert [c.kind for c in calls(catalogue()["ca_assist_household"], NIGHTS)] == ["full"] * 3
    month = nights_of(date(2025, 11, 17), 35)
    monthly = [c for c in catalogue().values() if c.delivery.cadence in ("monthly", "weekly")]
    assert all(len(calls(c, month)) >= 2 for c in monthly)


def test_a_register_knows_a_former_name_only_after_the_change() -> None:
    rows = table(
        person=[10, 11, 11],
        hukou_no=["0001", "0001", "0001"],
        known_on=[date(2025, 1, 1), date(2025, 1, 1), date(2025, 11, 18)],
    )
    found = extract(catalogue()["ps_resident"], rows, PERSONS)
    assert found.frame["id_no"].to_list() == [
        "150902198001011234",
        "15090219820202124X",
        "15090219820202124X",
    ]
    assert found.frame["former_name"].to_list() == [None, None, "李小丽"]
    assert found.frame["birth_date"].to_list() == [date(1980, 1, 1), date(1982, 2, 2), date(1982, 2, 2)]
    [role] = found.roles
    assert (role.role, role.persons.to_list()) == ("self", [10, 11, 11])


def test_packed_members_and_their_truth() -> None:
    rows = table(
        apply_no=["a", "b"],
        applicant_person=[10, 11],
        member_persons=pl.Series([[11, 12], []], dtype=pl.List(pl.Int64)).to_list(),
    ).with_columns(pl.col("member_persons").cast(pl.List(pl.Int64)))
    found = extract(catalogue()["ca_application"], rows, PERSONS)
    assert found.frame["member_ids"].to_list() == [["15090219820202124X", "150902201003031256"], None]
    truth = records("ca_application", NIGHTS[0], [("ca_application.csv", 5, 2)], found.roles)
    assert truth.schema == RECORDS
    assert truth.select("row", "role", "position", "true_person_id").rows() == [
        (5, "applicant", 0, 10),
        (5, "member", 1, 11),
        (5, "member", 2, 12),
        (6, "applicant", 0, 11),
    ]


def test_joint_owners_share_a_cell_where_the_contract_reads_several() -> None:
    contract = catalogue()["re_ownership"]
    rows = table(unit_no=["u1", "u1", "u2"], status=["1", "1", "1"], holder_person=[10, 11, 12])
    found = extract(contract, rows, PERSONS)
    if contract.field("holder_name").type == "person_name_list":
        assert found.frame["holder_name"].to_list() == [["王伟", "李丽"], ["王小明"]]
        assert found.frame["holder_id_no"].list.len().to_list() == [2, 1]
    else:
        assert found.frame["holder_name"].to_list() == ["王伟", "李丽", "王小明"]


def test_newborns_have_no_number_and_the_name_of_their_mother() -> None:
    rows = table(cert_type=["1", "2"], person=[13, 10], mother_person=[11, None], father_person=[10, None])
    frame = extract(catalogue()["hl_birth_death_cert"], rows, PERSONS).frame
    assert frame["person_id_no"].to_list() == [None, "150902198001011234"]
    assert frame["person_name"].to_list() == ["李丽之女", "王伟"]
    assert frame["mother_name"].to_list() == ["李丽", None]


def test_an_account_belongs_to_its_holder_not_to_the_payee() -> None:
    rows = table(case_no=["c"], payee_person=[12], account_person=[11])
    frame = extract(catalogue()["ca_assist_payment"], rows, PERSONS).frame
    assert frame.select("payee_name", "account_name", "account_no", "bank").row(0) == (
        "王小明",
        "李丽",
        "6217000011",
        "402",
    )


def test_a_field_of_the_world_is_taken_before_one_of_the_person() -> None:
    contract = catalogue()["pf_account"]
    assert source_of(contract, "account_no", ["person", "account_no"]) is None
    assert source_of(contract, "account_no", ["person"]) is not None
    assert source_of(contract, "employer_name", ["person", "employer_name"]) is None


def test_days_are_those_on_which_the_row_was_written() -> None:
    rows = table(person=[10], known_on=[date(1970, 1, 11)])
    assert extract(catalogue()["ps_custody"], rows, PERSONS).days.tolist() == np.array([10]).tolist()
