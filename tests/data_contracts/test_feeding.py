"""State of a day, identities and facts: what supersedes, what merges, who is named, and what reaches a fact."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts import feeding, sources
from data_contracts.contract import Contract, FactTable
from data_contracts.feeding import AcceptedFile, identities, state_sql
from data_contracts.sources import source_status

ZH = {"zh": "某", "en": "some"}
NIGHTS = [date(2025, 11, 17), date(2025, 11, 18), date(2025, 11, 19)]


def contract(
    kind: str = "full", also: str | None = "delta", full_per: list[str] | None = None, **more
) -> Contract:
    body = {
        "id": "toy_deed",
        "no": 1,
        "title": ZH,
        "department": "toys",
        "supplying_unit": "某",
        "purpose": ZH,
        "legal_basis": ["某"],
        "description": ZH,
        "grain": ["deed_no"],
        "grain_title": ZH,
        "tier": 2,
        "delivery": {
            "kind": kind,
            "also": also,
            "full_per": full_per or [],
            "cadence": "daily",
            "late_after_days": 3,
            "format": "delimited",
            "delimiter": ",",
            "encoding": "utf-8",
            "suffix": "csv",
        },
        "fields": [
            {"name": "deed_no", "source": "证号", "type": "identifier", "required": True},
            {"name": "year", "source": "年度", "type": "year"},
            {"name": "holder_name", "source": "权利人", "type": "person_name_list"},
            {"name": "holder_id_no", "source": "证件号", "type": "resident_id_list"},
            {"name": "student_no", "source": "学籍号", "type": "student_no"},
            {"name": "guardian_name", "source": "监护人", "type": "person_name"},
            {"name": "area", "source": "面积", "type": "decimal", "unit": "m2"},
        ],
        "subjects": [
            {
                "role": "holder",
                "title": ZH,
                "packed": True,
                "evidence": {"resident_id": "holder_id_no", "person_name": "holder_name"},
            },
            {
                "role": "guardian",
                "title": ZH,
                "evidence": {"person_name": "guardian_name"},
                "derived_id": "student_no",
            },
        ],
        "feeds": [
            {
                "fact": "deed",
                "persons": {"person_id": "holder", "guardian_person_id": "guardian"},
                "columns": {"deed_id": "opaque(deed_no)", "area_m2": "area"},
                "where": "area > 0",
            }
        ],
    }
    return Contract.model_validate(body | more)


TABLE = FactTable.model_validate(
    {
        "id": "deed",
        "title": ZH,
        "description": ZH,
        "persons": ["person_id", "guardian_person_id"],
        "columns": [
            {"name": "deed_id", "type": "text", "description": ZH},
            {"name": "area_m2", "type": "decimal", "unit": "m2", "description": ZH},
            {"name": "never_fed", "type": "date", "description": ZH},
        ],
    }
)

COLUMNS = {
    "_delivery_id": pl.String,
    "_row": pl.Int64,
    "deed_no": pl.String,
    "year": pl.Int32,
    "holder_name": pl.List(pl.String),
    "holder_id_no": pl.List(pl.String),
    "student_no": pl.String,
    "guardian_name": pl.String,
    "area": pl.Decimal(18, 4),
}


def deliver(
    lake: Path,
    day: date,
    rows: list[dict],
    kind: str = "full",
    status: str = "accepted",
    file: str = "toy_deed.csv",
    sha: str | None = None,
    **more: object,
) -> AcceptedFile:
    delivery_id = f"{day:%m%d}{kind}{file}"
    folder = lake / "accepted" / "toy_deed" / f"batch_date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    body = [{"_delivery_id": delivery_id, "_row": n, **row} for n, row in enumerate(rows, 1)]
    pl.DataFrame(body, schema=COLUMNS).write_parquet(folder / f"{delivery_id}.parquet")
    book = lake / "ledger" / "toy_deed" / f"batch_date={day}.parquet"
    book.parent.mkdir(parents=True, exist_ok=True)
    line = pl.DataFrame(
        {
            "delivery_id": [delivery_id],
            "batch_date": [day],
            "file": [file],
            "kind": [kind],
            "status": [status],
            "rows_received": [len(rows)],
            "rows_accepted": [len(rows) if status == "accepted" else 0],
            "sha256": [sha or delivery_id],
            "is_incomplete": [False],
        }
    ).with_columns(pl.lit(value).alias(name) for name, value in more.items())
    (pl.concat([pl.read_parquet(book), line]) if book.exists() else line).write_parquet(book)
    return AcceptedFile(folder / f"{delivery_id}.parquet", delivery_id, day, kind, file, len(rows))


def state(lake: Path, subject: Contract, day: date) -> list[tuple]:
    import duckdb

    files = feeding.accepted_files(lake, subject.id, day)
    return duckdb.sql(
        f"SELECT deed_no, year, area::DOUBLE FROM ({state_sql(subject, files)}) ORDER BY ALL"
    ).fetchall()


def test_a_full_supersedes_and_a_delta_merges(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 1}, {"deed_no": "b", "area": 1}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b", "area": 2}, {"deed_no": "c", "area": 2}], kind="delta")
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "c", "area": 3}])
    deed = contract()
    assert state(tmp_path, deed, NIGHTS[0]) == [("a", None, 1), ("b", None, 1)]
    assert state(tmp_path, deed, NIGHTS[1]) == [("a", None, 1), ("b", None, 2), ("c", None, 2)]
    assert state(tmp_path, deed, NIGHTS[2]) == [("c", None, 3)]
    assert state(tmp_path, deed, date(2025, 1, 1)) == []


def test_a_delta_of_the_same_day_comes_after_the_full(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 2}], kind="delta", file="toy_deed.delta.csv")
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 1}], kind="full", file="toy_deed.full.csv")
    assert state(tmp_path, contract(), NIGHTS[0]) == [("a", None, 2)]


def test_a_full_speaks_only_for_the_periods_it_contains(tmp_path):
    deliver(
        tmp_path,
        NIGHTS[0],
        [{"deed_no": "a", "year": 2024, "area": 1}, {"deed_no": "b", "year": 2024, "area": 1}],
    )
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "c", "year": 2025, "area": 2}])
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "a", "year": 2024, "area": 3}])
    deed = contract(full_per=["year"])
    assert state(tmp_path, deed, NIGHTS[1]) == [("a", 2024, 1), ("b", 2024, 1), ("c", 2025, 2)]
    assert state(tmp_path, deed, NIGHTS[2]) == [("a", 2024, 3), ("c", 2025, 2)]


def test_rows_whose_key_is_unknown_stand_each_for_itself(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": None, "area": 1}, {"deed_no": None, "area": 2}])
    assert state(tmp_path, contract(), NIGHTS[0]) == [(None, None, 1), (None, None, 2)]


def test_rejected_and_held_files_never_count(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 1}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b", "area": 1}], status="held")
    assert state(tmp_path, contract(), NIGHTS[1]) == [("a", None, 1)]


def test_a_correction_to_an_earlier_date_is_a_correction(tmp_path):
    deed = contract(kind="delta", also=None, order=["year"])
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "year": 2025, "area": 9}], kind="delta")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "a", "year": 2024, "area": 1}], kind="delta")
    assert state(tmp_path, deed, NIGHTS[1]) == [("a", 2024, 1)]


def test_within_a_night_the_order_of_the_contract_decides(tmp_path):
    deed = contract(kind="delta", also=None, order=["year"])
    rows = [{"deed_no": "a", "year": 2025, "area": 9}, {"deed_no": "a", "year": 2024, "area": 1}]
    deliver(tmp_path, NIGHTS[0], rows, kind="delta")
    assert state(tmp_path, deed, NIGHTS[0]) == [("a", 2025, 9)]


def test_two_refunds_of_one_grain_are_two_facts(tmp_path):
    deed = contract(kind="delta", also=None, kept_apart={"where": "area < 0", "by": ["area"]})
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 9}, {"deed_no": "a", "area": -2}], kind="delta")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "a", "area": -1}, {"deed_no": "a", "area": 8}], kind="delta")
    assert state(tmp_path, deed, NIGHTS[1]) == [("a", None, -2), ("a", None, -1), ("a", None, 8)]


def test_two_people_under_one_number_are_two_rows_and_a_missing_name_is_a_name(tmp_path):
    deed = contract(kind="delta", also=None, kept_apart={"by": ["guardian_name"]})
    names = ["王五", "王小宝", None, None]
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "guardian_name": n} for n in names], kind="delta")
    assert len(state(tmp_path, deed, NIGHTS[0])) == 3


AGAIN = {
    "order of delivery does not matter": [[("a", 2025, 9)], [("a", None, 9)]],
    "the date may come later": [[("a", None, 9)], [("a", 2025, 9)]],
    "without a date twice": [[("a", None, 9)], [("a", None, 9)]],
}


@pytest.mark.parametrize("deliveries", AGAIN.values(), ids=AGAIN)
def test_a_row_sent_again_without_a_part_of_its_key_is_that_row(tmp_path, deliveries):
    found = sent_again(tmp_path, *deliveries)
    assert found == [max((row for rows in deliveries for row in rows), key=lambda row: row[1] or 0)]


@pytest.mark.parametrize(
    "deliveries",
    [
        [[("a", 2025, 9), ("a", None, 9)]],
        [[("a", 2025, 9)], [("a", None, 8)]],
        [[("a", 2025, 9)], [("b", None, 9)]],
        [[("a", 2025, 9)], [("a", 2024, 9)]],
        [[(None, 2025, 9)], [(None, None, 9)]],
    ],
    ids=["one delivery", "another amount", "another number", "two dates", "key unknown"],
)
def test_rows_that_differ_in_what_is_left_of_the_key_are_two(tmp_path, deliveries):
    found = sent_again(tmp_path, *deliveries)
    assert found == sorted(
        (row for rows in deliveries for row in rows), key=lambda r: (r[0] or "", r[1] or 9999, r[2])
    )


def test_without_leave_a_row_without_a_part_of_its_key_stands_for_itself(tmp_path):
    found = sent_again(tmp_path, [("a", 2025, 9)], [("a", None, 9)], lack=[])
    assert found == [("a", 2025, 9), ("a", None, 9)]


def sent_again(lake: Path, *deliveries: list[tuple], lack: tuple | list = ("year",)) -> list[tuple]:
    """State after deltas of (number, year, area), a night each."""
    deed = contract(
        kind="delta",
        also=None,
        grain=["deed_no", "year"],
        kept_apart={"by": ["area"]},
        grain_may_lack=list(lack),
    )
    for night, rows in zip(NIGHTS, deliveries, strict=False):
        body = [{"deed_no": n, "year": y, "area": a} for n, y, a in rows]
        deliver(lake, night, body, kind="delta")
    return state(lake, deed, NIGHTS[-1])


def test_what_a_row_may_lack_is_a_part_of_its_key():
    with pytest.raises(ValueError, match="grain_may_lack: area is not in the grain"):
        contract(grain_may_lack=["area"])
    with pytest.raises(ValueError, match="grain_may_lack: nothing is left of the grain"):
        contract(grain_may_lack=["deed_no"])


def test_an_empty_full_says_nobody_and_a_quiet_delta_says_nothing_new(tmp_path, monkeypatch):
    deed = contract()
    deliver(tmp_path, NIGHTS[0], [], kind="delta")
    assert statuses(tmp_path, NIGHTS[0], monkeypatch) == ("absent", None)
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "a", "area": 1}])
    deliver(tmp_path, NIGHTS[2], [], kind="delta")
    assert state(tmp_path, deed, NIGHTS[2]) == [("a", None, 1)]
    assert statuses(tmp_path, NIGHTS[2], monkeypatch) == ("fresh", NIGHTS[2])
    deliver(tmp_path, date(2025, 11, 20), [])
    assert state(tmp_path, deed, date(2025, 11, 20)) == []
    assert statuses(tmp_path, date(2025, 11, 20), monkeypatch) == ("fresh", date(2025, 11, 20))


ID_A, ID_B = "11010519491231002X", "110105194912310038"


@pytest.mark.parametrize(
    ("names", "ids", "expected"),
    [
        (["张三", "李四"], [ID_A, ID_B], {("张三", ID_A), ("李四", ID_B)}),
        (["张三"], [ID_A, ID_B], {(None, ID_A), (None, ID_B)}),
        (["张三", "李四"], None, {("张三", None), ("李四", None)}),
        (["张三", "李四"], [ID_A, None], {("张三", ID_A), ("李四", None)}),
        (None, [ID_A], {(None, ID_A)}),
        (None, None, set()),
    ],
)
def test_packed_cells_pair_only_in_equal_numbers(tmp_path, names, ids, expected):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "area": 1, "holder_name": names, "holder_id_no": ids}])
    found = identities(tmp_path, NIGHTS[0], [contract()]).filter(pl.col("role") == "holder")
    assert set(found.select("person_name", "resident_id").rows()) == expected


@pytest.mark.parametrize(
    ("student_no", "resident_id"),
    [(f"G{ID_A}", ID_A), (f"L{ID_A}", None), (f"{ID_A}41", ID_A), ("G123", None), (None, None)],
)
def test_an_id_carried_by_another_number_is_found(tmp_path, student_no, resident_id):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "student_no": student_no, "guardian_name": "王五"}])
    found = identities(tmp_path, NIGHTS[0], [contract()])
    assert found.select("person_name", "resident_id", "rows").rows() == [("王五", resident_id, 1)]


def test_who_stands_beside_a_record_without_a_number(tmp_path):
    """Of two roles of a row the one without a number asks; a row that names one person, and a packed role, say nothing."""
    couple = contract(
        fields=[
            *({"name": n, "source": n, "type": "person_name"} for n in ("guardian_name", "wife_name")),
            {"name": "deed_no", "source": "证号", "type": "identifier", "required": True},
            {"name": "student_no", "source": "学籍号", "type": "student_no"},
        ],
        subjects=[
            {
                "role": "man",
                "title": ZH,
                "evidence": {"person_name": "guardian_name"},
                "derived_id": "student_no",
            },
            {"role": "wife", "title": ZH, "evidence": {"person_name": "wife_name"}},
        ],
        feeds=[],
    )
    rows = [
        {"deed_no": "a", "guardian_name": "张三", "wife_name": "李四"},
        {"deed_no": "b", "guardian_name": "张三", "wife_name": "李四"},
        {"deed_no": "c", "guardian_name": "王五", "wife_name": "赵六", "student_no": f"G{ID_A}"},
        {"deed_no": "d", "guardian_name": "孤身", "wife_name": None},
    ]
    deliver(tmp_path, NIGHTS[0], [{k: v for k, v in row.items() if k != "wife_name"} for row in rows])
    path = tmp_path / "accepted" / "toy_deed" / f"batch_date={NIGHTS[0]}" / "1117fulltoy_deed.csv.parquet"
    stored = pl.read_parquet(path)
    stored.with_columns(pl.Series("wife_name", [row["wife_name"] for row in rows])).write_parquet(path)
    called = dict(identities(tmp_path, NIGHTS[0], [couple]).select("identity_key", "person_name").rows())
    found = feeding.beside(tmp_path, NIGHTS[0], [couple])
    assert sorted((called[a], role, called[b]) for a, role, b in found.rows()) == [
        ("张三", "wife", "李四"),
        ("李四", "man", "张三"),
        ("赵六", "man", "王五"),
    ]
    assert feeding.beside(tmp_path, NIGHTS[0], [contract()]).is_empty()


def test_facts_carry_persons_grades_and_origin(tmp_path, monkeypatch):
    deed = contract()
    monkeypatch.setattr(feeding, "catalogue", lambda: {deed.id: deed})
    monkeypatch.setattr(feeding, "fact_tables", lambda: {TABLE.id: TABLE})
    rows = [
        {
            "deed_no": "a",
            "area": 1,
            "holder_name": ["张三", "李四"],
            "holder_id_no": [ID_A, ID_B],
            "guardian_name": "王五",
        },
        {"deed_no": "b", "area": 2, "holder_name": ["赵六"]},
        {"deed_no": "c", "area": 0, "holder_name": ["张三"], "holder_id_no": [ID_A]},
    ]
    deliver(tmp_path, NIGHTS[0], rows)
    who = identities(tmp_path, NIGHTS[0], [deed])
    persons = {"张三": (1, "A"), "李四": (2, "B"), "王五": (3, "A")}
    links = pl.DataFrame(
        [
            {"identity_key": key, "person_id": persons[name][0], "grade": persons[name][1]}
            for key, name in who.select("identity_key", "person_name").iter_rows()
            if name in persons
        ]
    )
    assert feeding.facts(tmp_path, NIGHTS[0], links) == {"deed": 3}
    found = pl.read_parquet(tmp_path / "facts" / "batch_date=2025-11-17" / "deed.parquet")
    assert found.columns == [
        "person_id", "link_grade", "guardian_person_id", "guardian_link_grade", "deed_id", "area_m2", "never_fed",
        "source_class", "data_as_of", "row_key",
    ]  # fmt: skip
    assert found.select("person_id", "link_grade", "guardian_person_id", "guardian_link_grade").rows() == [
        (1, "A", 3, "A"),
        (2, "B", 3, "A"),
        (None, None, None, None),
    ]
    assert found["row_key"].to_list() == [f"1117fulltoy_deed.csv:{n:09d}" for n in (1, 1, 2)]
    assert found["never_fed"].null_count() == 3
    assert found.schema["area_m2"] == pl.Decimal(18, 4)


def statuses(lake: Path, day: date, monkeypatch, **more) -> tuple[str, date | None]:
    deed = contract()
    monkeypatch.setattr(sources, "catalogue", lambda: {deed.id: deed})
    (row,) = source_status(lake, day, **more).iter_rows(named=True)
    return row["status"], row["last_batch"]


def test_a_class_is_absent_then_fresh_then_late(tmp_path, monkeypatch):
    assert statuses(tmp_path, NIGHTS[0], monkeypatch) == ("absent", None)
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    assert statuses(tmp_path, date(2025, 11, 20), monkeypatch) == ("fresh", NIGHTS[0])
    assert statuses(tmp_path, date(2025, 11, 21), monkeypatch) == ("late", NIGHTS[0])


def test_the_last_full_file_sent_again_says_that_nothing_changed(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}], sha="one")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "a"}], sha="one", status="duplicate")
    assert statuses(tmp_path, date(2025, 11, 21), monkeypatch) == ("fresh", NIGHTS[1])


def test_an_older_file_sent_again_says_nothing(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}], sha="one")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], sha="two")
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "a"}], sha="one", status="duplicate")
    assert statuses(tmp_path, date(2025, 11, 22), monkeypatch) == ("late", NIGHTS[1])


@pytest.mark.parametrize(
    ("status", "expected"), [("held", "held"), ("rejected", "failed"), ("failed", "failed")]
)
def test_an_unusable_last_delivery_shows(tmp_path, monkeypatch, status, expected):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status=status)
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == (expected, NIGHTS[0])
    assert statuses(tmp_path, NIGHTS[1], monkeypatch, failed_checks={"toy_deed": "重复"}) == (
        "failed",
        NIGHTS[0],
    )


def test_one_bad_file_of_the_last_day_is_enough(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], kind="delta")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status="held")
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == ("held", NIGHTS[1])


def test_rows_of_which_none_was_accepted_are_no_word(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], kind="delta", rows_accepted=0)
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == ("failed", NIGHTS[0])


def test_a_delta_that_came_before_does_not_mend_what_failed_since(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}], kind="delta", sha="one")
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], status="rejected")
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "a"}], kind="delta", sha="one", status="duplicate")
    assert statuses(tmp_path, NIGHTS[2], monkeypatch) == ("failed", NIGHTS[0])


def test_an_incomplete_delta_fails_its_class_until_a_complete_one_comes(tmp_path, monkeypatch):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a"}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "b"}], kind="delta", sha="cut", is_incomplete=True)
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == ("failed", NIGHTS[1])
    (row,) = source_status(tmp_path, NIGHTS[1], contracts=[contract()]).iter_rows(named=True)
    assert "2025-11-18送达的增量文件不完整" in row["note_zh"]
    deliver(tmp_path, NIGHTS[2], [{"deed_no": "b"}], kind="delta", sha="cut", status="duplicate")
    assert statuses(tmp_path, NIGHTS[2], monkeypatch) == ("failed", NIGHTS[1])
    deliver(tmp_path, date(2025, 11, 20), [{"deed_no": "c"}], kind="delta")
    assert statuses(tmp_path, date(2025, 11, 20), monkeypatch) == ("fresh", date(2025, 11, 20))


def test_only_all_parts_again_say_that_nothing_changed(tmp_path, monkeypatch):
    for part in ("one", "two"):
        deliver(tmp_path, NIGHTS[0], [{"deed_no": part}], file=f"toy_deed.{part}.csv", sha=part)
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "one"}], sha="one", status="duplicate")
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == ("fresh", NIGHTS[0])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "two"}], file="2.csv", sha="two", status="duplicate")
    assert statuses(tmp_path, NIGHTS[1], monkeypatch) == ("fresh", NIGHTS[1])


def test_deliveries_stand_until_a_full_supersedes_them(tmp_path):
    deliver(tmp_path, NIGHTS[0], [{"deed_no": "a", "year": 2024}, {"deed_no": "b", "year": 2023}])
    deliver(tmp_path, NIGHTS[1], [{"deed_no": "a", "year": 2024}], kind="delta")
    days = []
    for per in ([], ["year"]):
        for more in ([2024], [2023, 2024]):
            day = NIGHTS[2] if len(more) == 1 else date(2025, 11, 20)
            if not per:
                deliver(tmp_path, day, [{"deed_no": "c", "year": y} for y in more])
            files = feeding.accepted_files(tmp_path, "toy_deed", day)
            days.append([f.batch_date.day for f in feeding.standing_files(contract(full_per=per), files)])
    assert days == [[19], [20], [17, 19], [20]]
