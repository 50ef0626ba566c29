"""One DuckDB in memory: facts, what each list may see of them, parameters, and measures on demand.

The facts lie in a schema that no query can name; each list has a schema of its own with views of those facts, in which
links below the list's grades are empty, so that a check-out rule cannot read anything but certain links. Measures are made
once a list, when the first rule asks for them, and given up when no rule to come reads them; a rule that is added costs
itself only. What does not fit into `MEMORY_LIMIT` goes to files in a folder of the bench's own, which ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from policy import checks
from policy.rulebook import Policy
from policy.sql_file import Measure, Rule
from policy.vocabulary import GRADES, UNDER_REVIEW, Table, never, possible_of, tables, visible

LISTS = ("help_in", "check_out")
OPEN_WARNING = {
    "warning_id": "VARCHAR",
    "rule_id": "VARCHAR",
    "title_zh": "VARCHAR",
    "list_kind": "VARCHAR",
    "household_id": "BIGINT",
    "county_code": "VARCHAR",
    "level": "VARCHAR",
    "points": "DECIMAL(9,2)",
    "raised_on": "DATE",
    "visit_due_on": "DATE",
    "close_due_on": "DATE",
}
"""Table that the risk score reads beside facts, measures and parameters."""

NATION = "000000"

MACROS = """
create temporary macro yuan_zh(amount) as
    replace(cast(cast(amount as decimal(18, 2)) as varchar), '.00', '') || '元'
"""
"""What every query may call beside what DuckDB has. `yuan_zh`: an amount of money as it stands in a sentence, whole yuan without
decimals and cents with two digits, as columns in the sentence of a header are written too (`wording.py`)."""

MEMORY_LIMIT = "3GB"
"""What DuckDB may hold in memory; the rest of the 6 GiB of a night belongs to the frames of its results."""
TEMP_DIRECTORY: Path | None = None
"""Where the folder of files for what does not fit is made; null: where the machine keeps temporary files."""

FEW_ROWS = 50_000
"""A case, a household and those around it: so many rows need neither threads nor a DuckDB of their own."""

View = Path | str | pl.DataFrame | pl.LazyFrame

_numbers = count(1)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


@cache
def _shared() -> duckdb.DuckDBPyConnection:
    """The DuckDB in which every small bench has a database of its own: starting one takes longer than the work of a case."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'; set temp_directory = ''")
    return connection


class Bench:
    """One DuckDB in memory with facts, views by list, parameters and, on demand, measures."""

    def __init__(
        self,
        policy: Policy,
        views: Mapping[str, View],
        as_of: date,
        items: Iterable[Rule | Measure],
        counties: Iterable[str] | None = None,
        kinds: Iterable[str] = (),
        *,
        is_scored: bool = True,
    ):
        self.policy = policy
        self.is_scored = is_scored
        """Whether the risk score is asked for: without it, nothing is laid out for it."""
        items = list(items)
        lists = {*kinds, *(item.list_kind if isinstance(item, Rule) else "help_in" for item in items)}
        self.as_of = as_of
        self.vocabulary = tables()
        self.forbidden = never()
        self.made: dict[str, set[str]] = {kind: set() for kind in LISTS}
        self.name, self.spill = "memory", None
        frames = [view for view in views.values() if isinstance(view, pl.DataFrame)]
        if len(frames) == len(views) and sum(frame.height for frame in frames) <= FEW_ROWS:
            self.name = f"bench_{next(_numbers)}"
            self.connection = _shared().cursor()
            self.connection.execute(f"attach ':memory:' as {self.name}")
        else:
            self.connection = duckdb.connect()
            # Readable by nobody else, and gone with the bench.
            self.spill = TemporaryDirectory(prefix="policy-", dir=TEMP_DIRECTORY)
            folder = self.spill.name.replace("'", "''")
            self.connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'; set temp_directory = '{folder}'")
        try:
            self._furnish(views, items, sorted(lists | ({"help_in"} if is_scored else set())), counties)
        except BaseException:
            self.close()
            raise

    def _furnish(
        self,
        views: Mapping[str, View],
        items: list[Rule | Measure],
        kinds: list[str],
        counties: Iterable[str] | None,
    ) -> None:
        """Facts, what each list may see of them, and parameters."""
        reads = self.policy.reads(items, is_scored=self.is_scored)
        self.connection.execute(MACROS)
        # Some two hundred tables and views: one transaction instead of one each.
        self.connection.execute(f"set TimeZone = 'UTC'; use {self.name}; begin")
        for schema in ("fact", "parameter", *LISTS):
            self.connection.execute(f"create schema {schema}")
        stray = sorted(set(views) - set(self.vocabulary))
        if stray:
            raise ValueError(f"unknown tables: {stray}")
        for table in self.vocabulary.values():
            if table.id in reads:
                self._fact(table, views.get(table.id))
                for kind in kinds:
                    self._view(table, kind)
        self.counties = tuple(sorted(set(self._counties() if counties is None else counties)))
        for parameter in self.policy.parameters.values():
            if parameter.id not in reads:
                continue
            frame = parameter.table([*self.counties, NATION])
            self.connection.register("incoming", frame.to_arrow())
            self.connection.execute(f"create table parameter.{quoted(parameter.id)} as from incoming")
            self.connection.unregister("incoming")
        self.connection.execute("commit")

    def close(self) -> None:
        """Give the memory and the files back."""
        self.connection.close()
        if self.spill is None:
            _shared().cursor().execute(f"detach {self.name}")
        else:
            self.spill.cleanup()

    def _fact(self, table: Table, view: View | None) -> None:
        """The table as it came, with every column of the vocabulary in its type; a missing column is unknown."""
        name = quoted(table.id)
        if view is None:
            columns = ", ".join(f"{quoted(c)} {kind}" for c, kind in table.columns.items())
            self.connection.execute(f"create table fact.{name} ({columns})")
            return
        if isinstance(view, pl.LazyFrame):
            view = view.collect()
        if isinstance(view, pl.DataFrame):
            source = f"incoming_{table.id}"
            self.connection.register(source, view.to_arrow())
            present = set(view.columns)
        else:
            path = Path(view)
            files = f"{path}/**/*.parquet" if path.is_dir() else str(path)
            source = "read_parquet('" + files.replace("'", "''") + "', union_by_name = true)"
            present = {row[0] for row in self.connection.execute(f"describe from {source}").fetchall()}
        columns = ", ".join(
            f"cast({quoted(c) if c in present else 'null'} as {kind}) as {quoted(c)}"
            for c, kind in table.columns.items()
        )
        self.connection.execute(f"create view fact.{name} as select {columns} from {source}")

    def _view(self, table: Table, kind: str) -> None:
        """What a list may see: no column of never.yaml, and no person whose link is below the list's grades.

        The row itself stays: a payment is made, and a family has so many members, whoever is behind an uncertain number.
        Beside it help-in sees whom a link under review may mean; check-out does not, and its column is empty.
        """
        grades = ", ".join(f"'{grade}'" for grade in GRADES[kind])
        columns = [
            f"case when {quoted(table.persons[c])} in ({grades}) then {quoted(c)} end as {quoted(c)}"
            if c in table.persons
            else quoted(c)
            for c in visible(table, self.forbidden)
        ]
        columns += [
            f"case when {quoted(table.persons[c])} = '{UNDER_REVIEW}' then {quoted(c)} end as {quoted(possible_of(c))}"
            if kind == "help_in"
            else f"cast(null as BIGINT) as {quoted(possible_of(c))}"
            for c in visible(table, self.forbidden)
            if c in table.persons
        ]
        name = quoted(table.id)
        self.connection.execute(f"create view {kind}.{name} as select {', '.join(columns)} from fact.{name}")

    def _counties(self) -> list[str]:
        rows = self.connection.execute(
            "select county_code from fact.household where county_code is not null"
            " union select left(village_code, 6) from fact.assistance_case where village_code is not null"
        ).fetchall()
        return [row[0] for row in rows]

    def _execute(self, kind: str, prefix: str, query: str) -> duckdb.DuckDBPyConnection:
        self.connection.execute(f"set search_path = '{self.name}.{kind},{self.name}.parameter'")
        parameters = {"as_of": self.as_of} if "$as_of" in query else {}
        return self.connection.execute(prefix + query, parameters)

    def missing(self, item: Rule | Measure, kind: str) -> list[Measure]:
        """Measures that have to be made before a query can run, in that order; not those behind a measure that is there."""
        found: dict[str, Measure] = {}

        def visit(current: Rule | Measure) -> None:
            for touch in current.file.tables:
                measure = self.policy.measures.get(touch.name)
                if measure is not None and measure.id not in found and measure.id not in self.made[kind]:
                    visit(measure)
                    found[measure.id] = measure

        visit(item)
        return list(found.values())

    def make_measures(self, item: Rule | Measure, kind: str) -> None:
        """Make the measures that a query rests on, unless the list has them already."""
        for measure in self.missing(item, kind):
            self.make(measure, kind)

    def make(self, measure: Measure, kind: str) -> None:
        """Make one measure unless the list has it already; those that it rests on are made before."""
        if measure.id not in self.made[kind]:
            self._execute(kind, f"create table {kind}.{quoted(measure.id)} as ", measure.file.query)
            self.made[kind].add(measure.id)

    def release(self, to_come: Iterable[Rule | Measure]) -> None:
        """Give up the measures that nothing to come reads: no rule, no measure that has to be made for one, not the score.

        Published measures of the list that shows them stay until `publish`. One that is asked for again is made again.
        """
        items = list(to_come)
        for kind in LISTS:
            coming = [x for x in items if (x.list_kind if isinstance(x, Rule) else "help_in") == kind]
            if kind == "help_in" and self.is_scored:
                coming.append(self.policy.score)
            coming += [measure for item in coming for measure in self.missing(item, kind)]
            read = {touch.name for item in coming for touch in item.file.tables}
            for name in sorted(self.made[kind] - read):
                if not (kind == "help_in" and self.policy.measures[name].header.published):
                    self._drop(name, kind)

    def publish(self) -> dict[str, pl.DataFrame]:
        """Every published measure that was made, in a total order; each table is given up when its rows are out."""
        found = {}
        for name in sorted(self.made["help_in"]):
            if self.policy.measures[name].header.published:
                found[name] = self.connection.execute(f"from help_in.{quoted(name)} order by all").pl()
                self._drop(name, "help_in")
        return found

    def _drop(self, name: str, kind: str) -> None:
        self.connection.execute(f"drop table {kind}.{quoted(name)}")
        self.made[kind].discard(name)

    def rows(self, item: Rule | Measure, kind: str) -> pl.DataFrame:
        """The result of a query as it stands in its file."""
        self.make_measures(item, kind)
        return self._execute(kind, "", item.file.query).pl()

    def bind(self, item: Rule | Measure) -> None:
        """Refuse a query that does not bind to the vocabulary, or whose result is not what its header says."""
        kind = item.list_kind if isinstance(item, Rule) else "help_in"
        if item is self.policy.score:
            self.put("open_warning", pl.DataFrame(), OPEN_WARNING)
        self.make_measures(item, kind)
        self.connection.execute(f"set search_path = '{self.name}.{kind},{self.name}.parameter'")
        columns = checks.described(item.file, self.connection, self.as_of)
        if isinstance(item, Rule):
            checks.check_rule_result(item, columns)
        elif set(item.header.columns) != set(columns):
            stray = sorted(set(item.header.columns) ^ set(columns))
            raise item.file.refuse(
                f"columns declared and returned differ: {stray}", item.file.line_of_key("columns")
            )

    def put(self, name: str, frame: pl.DataFrame, columns: Mapping[str, str]) -> None:
        """A table of ours that only the risk score reads."""
        spelled = ", ".join(f"{quoted(c)} {kind}" for c, kind in columns.items())
        self.connection.execute(f"create or replace table help_in.{quoted(name)} ({spelled})")
        if not frame.is_empty():
            self.connection.register("incoming", frame.select(list(columns)).to_arrow())
            self.connection.execute(f"insert into help_in.{quoted(name)} select * from incoming")
            self.connection.unregister("incoming")

    def frame(self, name: str) -> pl.DataFrame:
        """A table as it came, whatever its grades: for the engine, never for a rule."""
        return self.connection.execute(f"from fact.{quoted(name)}").pl()

    def parameter(self, name: str) -> pl.DataFrame:
        """The values of a parameter on the day."""
        return self.connection.execute(
            f"select * exclude (valid_from, valid_to) from parameter.{quoted(name)}"
            " where $as_of between valid_from and valid_to order by all",
            {"as_of": self.as_of},
        ).pl()
