"""Where a deployment keeps its files: nights are found by date, and half a night is no night."""

from datetime import date

import dagster as dg
import polars as pl
import pytest

from assets import io
from assets.io import RETRIES, Home, bars, patient_io, read_frames, table, write_frames

FRAME = {"persons": pl.DataFrame({"person_id": [1]})}


@pytest.fixture
def home(tmp_path):
    return Home(root=str(tmp_path))


def test_the_night_before_is_the_latest_complete_one(home):
    for day in (date(2025, 11, 16), date(2025, 11, 17), date(2025, 11, 20)):
        write_frames(home.folder("persons", day), FRAME)
    (home.folder("persons", date(2025, 11, 18))).mkdir()
    assert home.before("persons", date(2025, 11, 19)).name == "batch_date=2025-11-17"
    assert home.before("persons", date(2025, 11, 17)).name == "batch_date=2025-11-16"
    assert home.before("persons", date(2025, 11, 16)) is None


def test_frames_replace_what_was_there(home):
    folder = home.folder("persons", date(2025, 11, 16))
    write_frames(folder, {**FRAME, "left_over": FRAME["persons"]})
    write_frames(folder, FRAME)
    assert list(read_frames(folder)) == ["persons"]
    assert read_frames(None) == {}
    with pytest.raises(FileNotFoundError):
        read_frames(folder, ["persons", "links"])
    assert list(read_frames(folder, ["persons"])) == ["persons"]


def test_a_table_shows_a_few_rows_and_says_how_many_more():
    shown = table(pl.DataFrame({"a": range(30), "b": ["x|y"] * 30}), 2).value
    assert shown.splitlines()[2] == "| 0 | x\\|y |"
    assert "28 more" in shown


def test_bars_are_an_inline_picture():
    assert bars([("收到", 3)], "t").value.startswith("![t](data:image/svg+xml;base64,")


@pytest.mark.parametrize(("failures", "succeeds"), [(0, True), (RETRIES, True), (RETRIES + 1, False)])
def test_a_disk_is_asked_again_and_then_no_more(monkeypatch, failures, succeeds):
    monkeypatch.setattr(io, "FIRST_WAIT_SECONDS", 0)
    tried = []

    @dg.asset
    def stored(context: dg.AssetExecutionContext):
        with patient_io(context):
            tried.append(context.retry_number)
            if len(tried) <= failures:
                raise OSError("stale file handle")

    assert dg.materialize([stored], raise_on_error=False).success == succeeds
    assert len(tried) == min(failures, RETRIES) + 1


def test_what_is_no_disk_is_not_tried_again_and_is_told_without_values():
    tried = []

    @dg.asset
    def wrong(context: dg.AssetExecutionContext):
        with patient_io(context):
            tried.append(1)
            raise ValueError("Could not convert '张伟' or 110105194912310021 to DATE")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([wrong], instance=instance, raise_on_error=False)
        log = "\n".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert not result.success
    assert len(tried) == 1
    assert "ValueError: Could not convert … or … to DATE" in log
    assert "110105194912310021" not in log
    assert "张伟" not in log
