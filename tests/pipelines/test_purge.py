"""What is thrown away, and that nothing else is."""

from datetime import date

import pytest

from assets.retention import purge

AS_OF = date(2026, 3, 1)


@pytest.fixture
def root(tmp_path):
    for path in (
        "inbox/2025-11-30/health/a.txt",
        "inbox/2025-12-01/health/a.txt",
        "inbox/2026-02-28/health/a.txt",
        "inbox/not-a-date/a.txt",
        "lake/accepted/hl/batch_date=2025-11-30/d.parquet",
        "lake/accepted/hl/batch_date=2025-11-30/.d.parquet.draft",
        "lake/quarantine/hl/batch_date=2025-11-30/q.parquet",
        "lake/quarantine/hl/batch_date=2025-11-30/.q.parquet.draft",
        "lake/quarantine/hl/batch_date=2025-12-01/q.parquet",
        "outbox/2025-11-30/township/list.xlsx",
        "outbox/.draft-2026-02-27/township/list.xlsx",
        "outbox/.old-2026-02-27/township/list.xlsx",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1234567")
    return tmp_path


def files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


def test_a_dry_run_reports_and_removes_nothing(root):
    before = files(root)
    found = purge(root, AS_OF)
    assert [(item.what, item.path, item.files, item.bytes) for item in found] == [
        ("inbox", "inbox/2025-11-30", 1, 7),
        ("quarantine", "lake/quarantine/hl/batch_date=2025-11-30", 2, 14),
        ("draft", "lake/accepted/hl/batch_date=2025-11-30/.d.parquet.draft", 1, 7),
        ("draft", "outbox/.draft-2026-02-27", 1, 7),
        ("draft", "outbox/.old-2026-02-27", 1, 7),
    ]
    assert files(root) == before


def test_the_exact_day_stays_and_the_day_before_goes(root):
    before = files(root)
    purge(root, AS_OF, keep_days=90, dry_run=False)
    assert before - files(root) == {
        "inbox/2025-11-30/health/a.txt",
        "lake/accepted/hl/batch_date=2025-11-30/.d.parquet.draft",
        "lake/quarantine/hl/batch_date=2025-11-30/q.parquet",
        "lake/quarantine/hl/batch_date=2025-11-30/.q.parquet.draft",
        "outbox/.draft-2026-02-27/township/list.xlsx",
        "outbox/.old-2026-02-27/township/list.xlsx",
    }


def test_negative_days_are_refused(root):
    with pytest.raises(ValueError, match="negative"):
        purge(root, AS_OF, keep_days=-1)
