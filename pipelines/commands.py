"""What every command shares: exit statuses, the home directory, errors said in one line. Imports nothing heavy."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

FINE, LOOK, CANNOT = 0, 1, 2
"""Done; done, but something must be looked at; could not run."""

VARIABLE = "HARDSHIP_WATCH_HOME"
DEFAULT = "data"


class CannotRun(Exception):  # noqa: N818
    """A command cannot do what it was asked for; the message says why and what to do."""


def home_directory(given: str | Path | None = None) -> Path:
    """The root of everything a deployment writes: what was given, else HARDSHIP_WATCH_HOME, else ./data."""
    return Path(given or os.environ.get(VARIABLE) or DEFAULT).expanduser().absolute()


def refused(error: Exception) -> bool:
    """Whether an error is about what we were given (settings, contracts, specifications) and quotes no row."""
    # Named, not imported: a command loads only the rooms that it works with.
    ours = {"CannotRun", "ContractError", "PolicyError", "SpecError"}
    return any(kind.__name__ in ours for kind in type(error).__mro__)


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command returns its exit status; what it cannot do is said in one line, without a traceback."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            status = function(*args, **kwargs)
        except Exception as error:
            if not refused(error):
                raise
            click.echo(click.style("cannot run:", fg="red") + f" {error}", err=True)
            status = CANNOT
        sys.exit(status or FINE)

    return wrapped
