"""What holds for all tests: a law is searched for counterexamples, never for slow runs (a busy machine is no finding)."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
