"""What holds for all tests: a law is searched for counterexamples, never for slow runs, and files that take long come first."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")

LONG = (
    "tests/test_night.py",
    "tests/pipelines/test_killed_nights.py",
    "tests/policy/test_cases.py",
    "tests/pipelines/test_nights.py",
    "tests/matching/test_spine_laws.py",
    "tests/policy/test_engine.py",
    "tests/matching/test_households.py",
    "tests/reports/test_outputs.py",
    "tests/pipelines/test_telling.py",
    "tests/matching/test_provisional.py",
    "tests/matching/test_comparators.py",
    "tests/policy/test_load.py",
)
"""Files of 30 seconds and more, the longest first: begun last, one of them would run alone while the other workers wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files change places, tests of a file never do."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(LONG)))
