"""A night in a process of its own that kills itself (SIGKILL) at a stage: no handler runs and nothing is tidied up.

python night_that_dies.py HOME DATE reading|feeding|replacing|never
"""

import os
import signal
import sys
from datetime import date
from pathlib import Path

from assets import extracts
from data_contracts import expectations, feeding
from pipelines import nights


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def after(calls, function):
    """The function, which dies at that call after half of its work is on the disk."""
    seen = []

    def counted(*arguments, **named):
        seen.append(1)
        result = function(*arguments, **named)
        if len(seen) == calls:
            die()
        return result

    return counted


def before_the_second_rename(rename):
    def renamed(path, target):
        if path.name.startswith(".draft-"):
            die()
        return rename(path, target)

    return renamed


def prepare_to_die(stage):
    if stage == "reading":
        # Thirty classes are on the disk, the next ones are not.
        extracts.collect = after(30, extracts.collect)
    elif stage == "feeding":
        real = feeding.facts

        def some(lake, as_of, links, only=None, report=None):
            real(lake, as_of, links, only=sorted(only)[:5])
            die()

        feeding.facts = some
    elif stage == "replacing":
        Path.rename = before_the_second_rename(Path.rename)


if __name__ == "__main__":
    home, day, stage = sys.argv[1:]
    # Contracts are held against rows in tests/assets; here their seconds are saved.
    expectations.run = lambda *_, **__: expectations.OUTCOMES.to_frame()
    prepare_to_die(stage)
    success, failed = nights.run(Path(home), date.fromisoformat(day))
    sys.exit(0 if success and not failed else 1)
