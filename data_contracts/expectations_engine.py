"""Great Expectations on DuckDB: one connection that outlives each query, and the data source that uses it.

Importing this module imports Great Expectations, which takes seconds: import it inside functions. As shipped, the
SQL engine leaves the context of a connection before it fetches the rows, and every expectation fails on DuckDB.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

import great_expectations as gx
import sqlalchemy
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keeps its connection open until it is closed."""

    _kept: sqlalchemy.Connection | None = None

    @contextmanager
    def get_connection(self) -> Iterator[sqlalchemy.Connection]:
        """The one connection of this engine."""
        if self._kept is None:
            self._kept = self.engine.connect()
        yield self._kept

    def close(self) -> None:
        """Close the connection and the database in memory with it."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        super().close()


class DuckDBDatasource(SQLDatasource):
    """A DuckDB in memory as a source of Great Expectations; registers itself as `add_duckdb`."""

    @property
    def execution_engine_type(self) -> builtins.type[SqlAlchemyExecutionEngine]:
        """The engine above."""
        return DuckDBExecutionEngine

    type: Literal["duckdb"] = "duckdb"


@cache
def context() -> EphemeralDataContext:
    """One context a process, in memory, that calls nobody and draws no progress bars."""
    found = gx.get_context(mode="ephemeral")
    found.enable_analytics(False)
    found.variables.progress_bars = ProgressBarsConfig(globally=False)
    return found
