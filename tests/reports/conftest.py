from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import night_fixture

import reports.night
from reports import OutputFile, write_all


@pytest.fixture(scope="session", autouse=True)
def titles():
    """A small catalogue that does not move: a new extract must not change golden files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports.night, "class_titles", night_fixture.class_titles)
        yield


@pytest.fixture(scope="session")
def night():
    return night_fixture.night()


@pytest.fixture(scope="session")
def written(night, tmp_path_factory) -> tuple[Path, list[OutputFile]]:
    """outbox/<date> of the invented night, and what write_all said of it."""
    outbox = tmp_path_factory.mktemp("outbox")
    files = write_all(night, night_fixture.D, outbox, "code-1").files
    return outbox / night_fixture.D.isoformat(), files
