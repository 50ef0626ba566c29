"""The books of a night over frames that were written by an earlier version."""

from datetime import date

import dagster as dg
import polars as pl

from assets import quality
from assets.io import Home
from data_contracts.ledger import LEDGER

DAY = date(2025, 11, 17)
ROW = dict.fromkeys(LEDGER) | {
    "class_id": "toy",
    "batch_date": DAY,
    "status": "accepted",
    "rows_received": 3,
    "rows_accepted": 3,
    "rows_rejected": 0,
    "rows_duplicate": 0,
    "rows_quarantined": 0,
}


def test_a_ledger_from_before_a_column_is_read_with_its_default(tmp_path):
    older = pl.DataFrame([ROW], schema=LEDGER).drop("is_incomplete", "rows_other")
    newer = pl.DataFrame([ROW | {"class_id": "new", "is_incomplete": True, "rows_other": 2}], schema=LEDGER)
    for name, frame in {"toy": older, "new": newer}.items():
        folder = tmp_path / "lake" / "ledger" / name
        folder.mkdir(parents=True)
        frame.write_parquet(folder / f"batch_date={DAY}.parquet")
    columns = ["class_id", "is_incomplete", "rows_other", "declared_rows", "control_ok"]
    found = quality._all(Home(root=str(tmp_path)), "ledger", f"batch_date={DAY}.parquet", LEDGER)
    assert found.schema == LEDGER
    assert found.select(columns).rows() == [("new", True, 2, None, None), ("toy", False, 0, None, None)]
    result = dg.materialize(
        [quality.night_ledger],
        partition_key=DAY.isoformat(),
        resources={"home": Home(root=str(tmp_path))},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    (made,) = result.get_asset_materialization_events()
    metadata = made.materialization.metadata
    assert (metadata["rows_received"].value, metadata["files"].value) == (6, 2)


def test_what_lies_beside_the_folders_of_departments_is_noted(tmp_path):
    folder = tmp_path / "inbox" / str(DAY)
    for name in ("public_security", "公安局", ".hidden"):
        (folder / name).mkdir(parents=True)
    (folder / "名单110105194912310021.xlsx").write_bytes(b"x")
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            [quality.night_ledger],
            partition_key=DAY.isoformat(),
            resources={"home": Home(root=str(tmp_path))},
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    found = pl.read_parquet(tmp_path / "lake" / "strays" / f"batch_date={DAY}.parquet")
    assert found["message_zh"].to_list() == ["不在任何部门的文件夹中，未读取"] * 2
    assert found["file"][0] == "公安局" or found["file"][1] == "公安局"
    assert "19491231" not in "".join(found["file"])
