"""A night that is killed without warning, wherever it stands, and run again leaves what an undisturbed night leaves."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from data_contracts import opaque

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "sample_data" / "small" / "inbox"
DAY = date(2025, 11, 17)
DRIVER = Path(__file__).parent / "night_that_dies.py"
KILLED = -signal.SIGKILL


def start(home: Path, stage: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(home), str(DAY), stage],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            opaque.VARIABLE: "one key for both homes, so that bytes agree",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def home_with_inbox(root: Path) -> Path:
    shutil.copytree(SMALL / str(DAY), root / "inbox" / str(DAY))
    return root


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """The home of an undisturbed night, and that of a night killed at every stage, with the exit status of each run."""
    calm = home_with_inbox(tmp_path_factory.mktemp("calm"))
    killed = home_with_inbox(tmp_path_factory.mktemp("killed"))
    # An earlier run of the day had left outputs: they stand until new ones take their place.
    (killed / "outbox" / str(DAY)).mkdir(parents=True)
    (killed / "outbox" / str(DAY) / "earlier.txt").write_text("earlier")
    undisturbed = start(calm, "never")
    ends, standing = {}, {}
    for stage in ("reading", "feeding", "replacing", "never"):
        ends[stage] = start(killed, stage).wait(timeout=300)
        standing[stage] = sorted(p.name for p in (killed / "outbox").iterdir())
    assert undisturbed.wait(timeout=300) == 0
    return calm, killed, ends, standing


def test_the_night_was_killed_at_each_stage_and_ended_at_last(homes):
    _, _, ends, standing = homes
    assert ends == {"reading": KILLED, "feeding": KILLED, "replacing": KILLED, "never": 0}
    assert standing["reading"] == standing["feeding"] == [str(DAY)]
    # Killed between the two renames: the old outputs are aside, the new ones not yet in place.
    assert standing["replacing"] == [f".draft-{DAY}", f".old-{DAY}"]
    assert standing["never"] == [str(DAY)]


def test_the_outbox_is_that_of_an_undisturbed_night_byte_for_byte(homes):
    calm, killed, _, _ = homes
    expected = everything(calm / "outbox")
    assert len(expected) > 50
    assert everything(killed / "outbox") == expected


def test_the_lake_is_that_of_an_undisturbed_night_and_holds_no_draft(homes):
    calm, killed, _, _ = homes
    left, right = everything(calm / "lake"), everything(killed / "lake")
    assert set(left) == set(right)
    assert [name for name in right if "draft" in name] == []
