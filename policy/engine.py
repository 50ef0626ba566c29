"""Runs the rules: parameters become tables, facts become views, a query becomes warnings with reasons and deadlines.

What a rule says belongs in `policy/rules`, not here. Nothing here knows a rule by name.

Inside DuckDB, in memory: the facts lie in a schema that no query can name; each list has a schema of its own with views of
those facts, in which links below the list's grades are empty, so that a check-out rule cannot read anything but certain
links. Measures are made once a list, when the first rule asks for them; a rule that is added costs itself only.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from data_contracts.contract import YAML, ContractError, catalogue, code_lists
from policy import checks
from policy.parameters import Parameter, read_parameters
from policy.repeats import (
    OPEN_STATES,
    WARNING_SCHEMA,
    Windows,
    empty_register,
    open_since,
    register,
)
from policy.sql_file import PLACEHOLDER, ROOT, Measure, Need, PolicyError, Rule, read_measure, read_rule
from policy.vocabulary import GRADES, Table, never, tables, visible
from policy.working_days import calendar

log = logging.getLogger(__name__)

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

ENGINE_TABLES = ("household", "assistance_case", "outcome_return", "source_status")
"""Tables that the engine itself reads every night."""

ENGINE_PARAMETERS = ("warning_level", "warning_window", "score_points")
"""Parameters that the engine itself reads for every warning."""

NATION = "000000"
ALWAYS_THERE = {"household", "household_member", "household_edge", "person", "division", "source_status"}
"""Tables that no single source feeds, so that no header needs to declare them."""

STATUS_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "county_code": pl.String(),
        "status": pl.String(),
        "reason_zh": pl.String(),
        "sources_json": pl.String(),
    }
)
PRIORITY_SCHEMA = pl.Schema(
    {
        "household_id": pl.Int64(),
        "list_kind": pl.String(),
        "level": pl.String(),
        "score": pl.Decimal(9, 2),
        "parts_json": pl.String(),
        "signals": pl.Int32(),
        "visit_due_on": pl.Date(),
        "close_due_on": pl.Date(),
        "order_no": pl.Int64(),
    }
)
BRACKETS_AT_END = re.compile(r"（[^（）]*）$")
STATE_ZH = {
    "late": "逾期未更新",
    "absent": "尚未收到",
    "failed": "有文件未采用或不完整",
    "held": "有文件待部门确认",
}

View = Path | str | pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True)
class Policy:
    """Everything of `policy/` that has been read and not refused."""

    rules: dict[str, Rule]
    measures: dict[str, Measure]
    score: Measure
    parameters: dict[str, Parameter]

    def measures_of(self, item: Rule | Measure) -> list[Measure]:
        """Measures that a query rests on, those it needs first."""
        found: dict[str, Measure] = {}

        def visit(current: Rule | Measure) -> None:
            for touch in current.file.tables:
                measure = self.measures.get(touch.name)
                if measure is not None and measure.id not in found:
                    visit(measure)
                    found[measure.id] = measure

        visit(item)
        return list(found.values())

    def needs_of(self, rule: Rule) -> tuple[dict[str, Need], dict[str, Need]]:
        """Facts needed and facts used, by the rule and its measures. What the rule itself declares outranks a measure."""
        needs, uses = dict(rule.header.needs), dict(rule.header.uses)
        for measure in self.measures_of(rule):
            for fact, need in measure.header.needs.items():
                if fact not in needs and fact not in rule.header.uses:
                    needs[fact] = need
                    uses.pop(fact, None)
            for fact, need in measure.header.uses.items():
                if fact not in needs:
                    uses.setdefault(fact, need)
        return dict(sorted(needs.items())), dict(sorted(uses.items()))

    def reads(self, items: Iterable[Rule | Measure]) -> set[str]:
        """Tables and parameters that some queries, their measures, the score and the engine itself read."""
        wanted = [*items, self.score]
        wanted += [measure for item in wanted for measure in self.measures_of(item)]
        return {
            *ENGINE_TABLES,
            *ENGINE_PARAMETERS,
            *(touch.name for item in wanted for touch in item.file.tables),
        }

    def parameters_of(self, rule: Rule) -> list[str]:
        """Parameters that the rule and its measures cannot do without."""
        names = list(rule.header.parameters)
        for measure in self.measures_of(rule):
            names += measure.header.parameters
        return sorted(set(names))


def _declared(item: Rule | Measure, measures: Iterable[str]) -> set[str]:
    header = item.header
    values = {*header.parameters, *header.parameters_if_known}
    return {*header.needs, *header.uses, *values, *ALWAYS_THERE, *measures}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def load(root: Path = ROOT, cases: Path = checks.CASES, *, locked: bool = True) -> Policy:
    """Read rules, measures, parameters and the risk score; refuse what may not run.

    `locked=False` leaves the lock file alone, for `policy.lock` itself. Raises PolicyError (file, line, why).
    """
    rules = [read_rule(path) for path in sorted(root.glob("rules/*/*.sql"))]
    measures = [read_measure(path) for path in sorted(root.glob("measures/*.sql"))]
    score = read_measure(root / "risk_score.sql")
    parameters = read_parameters(root / "parameters")
    checks.check_unique([*rules, *measures, score])
    policy = Policy(
        {rule.id: rule for rule in sorted(rules, key=lambda r: r.id)},
        {measure.id: measure for measure in measures},
        score,
        parameters,
    )
    for name in ENGINE_PARAMETERS:
        if name not in parameters:
            raise PolicyError(root / "parameters", 1, f"the engine needs {name}.yaml")
    forbidden = never(root / "never.yaml")
    vocabulary = tables()
    known = {*vocabulary, *policy.measures, *parameters}
    lock_path = root / "rules.lock.yaml"
    lock: dict[str, Any] = {}
    if locked:
        lock = yaml.load(lock_path.read_text(encoding="utf-8"), Loader=YAML) if lock_path.is_file() else {}
    items: list[Rule | Measure] = [*measures, *rules, score]
    for item in items:
        extra = {"open_warning"} if item is score else set()
        for fact in (*item.header.needs, *item.header.uses):
            if fact not in vocabulary:
                raise item.file.refuse(f"declares the unknown fact `{fact}`", item.file.line_of_key("needs"))
        for name in (*item.header.parameters, *item.header.parameters_if_known):
            if name not in parameters:
                raise item.file.refuse(
                    f"declares the unknown parameter `{name}`", item.file.line_of_key("parameters")
                )
        _refuse_unknown_sources(item)
        checks.check_query(
            item.file, _declared(item, policy.measures) | extra, known | extra, vocabulary, forbidden
        )
        if locked:
            checks.check_lock(item, lock, lock_path)
    for rule in rules:
        checks.check_cases(rule, cases)
    bench = Bench(policy, {}, date(2000, 1, 1), (*measures, *rules), counties=())
    try:
        for item in items:
            bench.bind(item)
    finally:
        bench.close()
    return policy


def _refuse_unknown_sources(item: Rule | Measure) -> None:
    classes = set(catalogue())
    if not classes:
        return
    for need in (*item.header.needs.values(), *item.header.uses.values()):
        for source in need.sources:
            if source not in classes:
                raise item.file.refuse(f"names the unknown source `{source}`", item.file.line_of_key("needs"))


@cache
def default_policy() -> Policy:
    """The policy of this repository, read once a process."""
    return load()


class Bench:
    """One DuckDB in memory with facts, views by list, parameters and, on demand, measures."""

    def __init__(
        self,
        policy: Policy,
        views: Mapping[str, View],
        as_of: date,
        items: Iterable[Rule | Measure],
        counties: Iterable[str] | None = None,
    ):
        self.policy = policy
        items = list(items)
        reads = policy.reads(items)
        kinds = sorted({"help_in", *(item.list_kind for item in items if isinstance(item, Rule))})
        self.as_of = as_of
        self.vocabulary = tables()
        self.forbidden = never()
        self.made: dict[str, set[str]] = {kind: set() for kind in LISTS}
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
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
        for parameter in policy.parameters.values():
            if parameter.id not in reads:
                continue
            frame = parameter.table([*self.counties, NATION])
            self.connection.register("incoming", frame.to_arrow())
            self.connection.execute(f"create table parameter.{_quoted(parameter.id)} as from incoming")
            self.connection.unregister("incoming")

    def close(self) -> None:
        """Give the memory back."""
        self.connection.close()

    def _fact(self, table: Table, view: View | None) -> None:
        """The table as it came, with every column of the vocabulary in its type; a missing column is unknown."""
        name = _quoted(table.id)
        if view is None:
            columns = ", ".join(f"{_quoted(c)} {kind}" for c, kind in table.columns.items())
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
            f"cast({_quoted(c) if c in present else 'null'} as {kind}) as {_quoted(c)}"
            for c, kind in table.columns.items()
        )
        self.connection.execute(f"create view fact.{name} as select {columns} from {source}")

    def _view(self, table: Table, kind: str) -> None:
        """What a list may see: no column of never.yaml, and no person whose link is below the list's grades.

        The row itself stays: a payment is made, and a family has so many members, whoever is behind an uncertain number.
        """
        grades = ", ".join(f"'{grade}'" for grade in GRADES[kind])
        columns = [
            f"case when {_quoted(table.persons[c])} in ({grades}) then {_quoted(c)} end as {_quoted(c)}"
            if c in table.persons
            else _quoted(c)
            for c in visible(table, self.forbidden)
        ]
        name = _quoted(table.id)
        self.connection.execute(f"create view {kind}.{name} as select {', '.join(columns)} from fact.{name}")

    def _counties(self) -> list[str]:
        rows = self.connection.execute(
            "select county_code from fact.household where county_code is not null"
            " union select left(village_code, 6) from fact.assistance_case where village_code is not null"
        ).fetchall()
        return [row[0] for row in rows]

    def _execute(self, kind: str, prefix: str, query: str) -> duckdb.DuckDBPyConnection:
        self.connection.execute(f"set search_path = '{kind},parameter'")
        parameters = {"as_of": self.as_of} if "$as_of" in query else {}
        return self.connection.execute(prefix + query, parameters)

    def make_measures(self, item: Rule | Measure, kind: str) -> None:
        """Make the measures that a query rests on, unless the list has them already."""
        for measure in self.policy.measures_of(item):
            self.make(measure, kind)

    def make(self, measure: Measure, kind: str) -> None:
        """Make one measure unless the list has it already; those that it rests on are made before."""
        if measure.id not in self.made[kind]:
            self._execute(kind, f"create table {kind}.{_quoted(measure.id)} as ", measure.file.query)
            self.made[kind].add(measure.id)

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
        self.connection.execute(f"set search_path = '{kind},parameter'")
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
        spelled = ", ".join(f"{_quoted(c)} {kind}" for c, kind in columns.items())
        self.connection.execute(f"create or replace table help_in.{_quoted(name)} ({spelled})")
        if not frame.is_empty():
            self.connection.register("incoming", frame.select(list(columns)).to_arrow())
            self.connection.execute(f"insert into help_in.{_quoted(name)} select * from incoming")
            self.connection.unregister("incoming")

    def frame(self, name: str) -> pl.DataFrame:
        """A table as it came, whatever its grades: for the engine, never for a rule."""
        return self.connection.execute(f"from fact.{_quoted(name)}").pl()

    def parameter(self, name: str) -> pl.DataFrame:
        """The values of a parameter on the day."""
        return self.connection.execute(
            f"select * exclude (valid_from, valid_to) from parameter.{_quoted(name)}"
            " where $as_of between valid_from and valid_to order by all",
            {"as_of": self.as_of},
        ).pl()


@dataclass(frozen=True)
class Outcome:
    """What a night of rules gives."""

    warnings: pl.DataFrame
    rule_status: pl.DataFrame
    priority: pl.DataFrame
    register: pl.DataFrame
    measures: dict[str, pl.DataFrame] = field(default_factory=dict)

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every frame under the path it is stored at."""
        named = {
            "warnings": self.warnings,
            "rule_status": self.rule_status,
            "priority": self.priority,
            "register": self.register,
        }
        return named | {f"measures/{name}": frame for name, frame in self.measures.items()}


@cache
def _titles() -> dict[str, str]:
    try:
        return {contract.id: contract.title.zh for contract in catalogue().values()}
    except ContractError:
        log.warning("the catalogue of contracts cannot be read; sources are named by their ids")
        return {}


def _title(class_id: str) -> str:
    return _titles().get(class_id, class_id)


@dataclass(frozen=True)
class Sources:
    """Whether the sources of a rule carry it tonight."""

    off_because: str | None
    note: str
    dates: dict[str, str | None]

    @property
    def as_json(self) -> str:
        """Class -> date of its last delivery."""
        return json.dumps(self.dates, ensure_ascii=False, sort_keys=True)


def _weigh_sources(policy: Policy, rule: Rule, status: pl.DataFrame, as_of: date) -> Sources:
    needs, uses = policy.needs_of(rule)
    by_class = {row["class_id"]: row for row in status.iter_rows(named=True)}

    def why_not(source: str, need: Need) -> str | None:
        row = by_class.get(source)
        if row is None or row["status"] == "absent":
            return f"{_title(source)}{STATE_ZH['absent']}"
        if row["last_batch"] is None:
            # Something came and was refused: to say that nothing came would contradict what stands beside it.
            refused = row["status"] in ("failed", "held")
            return f"{_title(source)}{'送达的文件未采用，没有可用的数据' if refused else STATE_ZH['absent']}"
        if row["status"] != "fresh":
            return f"{_title(source)}{STATE_ZH.get(row['status'], '不可用')}（数据截至{_day(row['last_batch'])}）"
        if (as_of - row["last_batch"]).days > need.max_age_days:
            return f"{_title(source)}已超过{need.max_age_days}天未更新（数据截至{_day(row['last_batch'])}）"
        return None

    off: list[str] = []
    notes: list[str] = []
    for need in needs.values():
        missing = [why for source in need.sources if (why := why_not(source, need))]
        if (need.all and missing) or (need.any and len(missing) == len(need.any)):
            off += missing
        else:
            notes += missing
    for need in uses.values():
        notes += [why for source in need.sources if (why := why_not(source, need))]
    classes = sorted({s for need in (*needs.values(), *uses.values()) for s in need.sources})
    last = {c: by_class[c]["last_batch"] if c in by_class else None for c in classes}
    dates = {c: day.isoformat() if day else None for c, day in last.items()}
    off, notes = list(dict.fromkeys(off)), list(dict.fromkeys(notes))
    return Sources(
        f"{'；'.join(off)}。本期未核对，不代表没有问题。" if off else None,
        f"部分参考数据缺失：{'；'.join(notes)}。" if notes else "",
        dates,
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _closing(classes: Iterable[str], dates: Mapping[str, str | None]) -> str:
    """Where the figures come from and how old they are, as the end of every sentence."""
    by_day: dict[date, list[str]] = {}
    for source in classes:
        if day := dates.get(source):
            by_day.setdefault(date.fromisoformat(day), []).append(BRACKETS_AT_END.sub("", _title(source)))
    told = [f"{_day(day)}，{'、'.join(names)}" for day, names in sorted(by_day.items(), reverse=True)]
    return f"（数据截至：{'；'.join(told)}）" if told else ""


def _closings(rule: Rule, rows: pl.DataFrame, dates: Mapping[str, str | None]) -> pl.Expr:
    """The closing of every row: of the classes in its `cited_classes` where the query knows them, else of the header's."""
    usual = pl.lit(_closing(rule.header.cited_sources(), dates))
    if "cited_classes" not in rows.columns:
        return usual
    cited = pl.col("cited_classes")
    ends = {
        text: _closing(sorted(set(text.split(","))), dates)
        for text in rows["cited_classes"].drop_nulls().unique()
    }
    own = cited.replace_strict(ends, default="", return_dtype=pl.String)
    return pl.when(cited.is_null()).then(usual).otherwise(own)


def _spoken(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as it stands in a Chinese sentence."""
    column = pl.col(name)
    if kind == pl.Date():
        return column.dt.strftime("%Y年%-m月" if name.endswith("month") else "%Y年%-m月%-d日")
    if isinstance(kind, pl.Decimal):
        return column.cast(pl.String()).str.replace(r"\.0+$", "")
    if kind == pl.Boolean():
        return pl.when(column).then(pl.lit("是")).when(~column).then(pl.lit("否"))
    return column.cast(pl.String())


def _sentence(template: str, schema: pl.Schema) -> pl.Expr:
    """The template with its figures; null when one of them is unknown."""
    parts: list[pl.Expr] = []
    position = 0
    for match in PLACEHOLDER.finditer(template):
        parts.append(pl.lit(template[position : match.start()]))
        parts.append(_spoken(match.group(1), schema[match.group(1)]))
        position = match.end()
    parts.append(pl.lit(template[position:]))
    return pl.concat_str(parts, ignore_nulls=False)


def _reasons(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    sentences = rule.header.sentences()
    if None in sentences:
        return _sentence(sentences[None], rows.schema)
    chosen = pl.lit(None, dtype=pl.String())
    for cause, template in sentences.items():
        chosen = pl.when(pl.col("cause") == cause).then(_sentence(template, rows.schema)).otherwise(chosen)
    return chosen


def _evidence(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    """Evidence as JSON: counts as numbers, everything else as text, so that money keeps its digits."""
    fields = [
        pl.col(name)
        if rows.schema[name].is_integer() or rows.schema[name] == pl.Boolean()
        else pl.col(name).cast(pl.String())
        for name in rule.header.evidence
    ]
    return pl.struct(fields).struct.json_encode()


RAW_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "rule_version": pl.Int32(),
        "list_kind": pl.String(),
        "subject_key": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "case_id": pl.String(),
        "cause_key": pl.String(),
        "level": pl.String(),
        "ratio": pl.Decimal(9, 2),
        "reason_zh": pl.String(),
        "evidence_json": pl.String(),
        "sources_json": pl.String(),
    }
)


NEEDED = ("household_id", "subject_key", "cause_key", "reason_zh")


def raised(rule: Rule, rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Rows of a rule as warnings without place and deadlines.

    Raises PolicyError for a level that the rule does not have, and for a row that is there twice: that would be two visits
    for one cause.
    """
    header = rule.header
    subject = {"household": "household_id", "person": "person_id", "case": "case_id"}[header.subject]
    present = set(rows.columns)
    frame = rows.with_columns(
        reason_zh=_reasons(rule, rows) + _closings(rule, rows, sources.dates),
        evidence_json=_evidence(rule, rows),
    ).select(
        rule_id=pl.lit(rule.id),
        rule_version=pl.lit(header.version),
        list_kind=pl.lit(rule.list_kind),
        subject_key=pl.lit(f"{header.subject}:") + pl.col(subject).cast(pl.String()),
        household_id=pl.col("household_id"),
        person_id=pl.col("person_id") if "person_id" in present else pl.lit(None),
        case_id=pl.col("case_id") if "case_id" in present else pl.lit(None),
        cause_key=pl.col("cause_key"),
        level=pl.col("level") if header.levels else pl.lit(header.level),
        ratio=pl.col("ratio") if "ratio" in present else pl.lit(None),
        reason_zh=pl.col("reason_zh"),
        evidence_json=pl.col("evidence_json"),
        sources_json=pl.lit(sources.as_json),
    )
    frame = frame.cast(RAW_SCHEMA) if frame.height else pl.DataFrame(schema=RAW_SCHEMA)
    allowed = header.levels or [header.level]
    if stray := sorted(set(frame.get_column("level").fill_null("null").to_list()) - set(allowed)):
        raise rule.file.refuse(f"returned the levels {stray}, not {allowed}", rule.file.query_line)
    whole = frame.drop_nulls(NEEDED)
    twice = whole.height - whole.select("subject_key", "cause_key").n_unique()
    if twice:
        raise rule.file.refuse(f"returned {twice} rows twice for one subject and cause", rule.file.query_line)
    return frame


def whole_rows(rule: Rule, frame: pl.DataFrame, *, strict: bool) -> tuple[pl.DataFrame, int]:
    """Rows with household, subject, cause and reason, and how many had to be refused; `strict` makes it an error."""
    if strict:
        for column in NEEDED:
            if missing := frame.get_column(column).null_count():
                raise rule.file.refuse(f"returned {missing} rows without `{column}`", rule.file.query_line)
    whole = frame.drop_nulls(NEEDED)
    return whole, frame.height - whole.height


def _status_row(rule: Rule, county: str | None, status: str, reason: str, sources: Sources) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "county_code": county,
        "status": status,
        "reason_zh": reason,
        "sources_json": sources.as_json,
    }


def _unknown_values(
    policy: Policy, rule: Rule, counties: Iterable[str], as_of: date
) -> dict[str, tuple[bool, str]]:
    """County -> (nothing is known at all, what is not known, in Chinese)."""
    found: dict[str, tuple[bool, list[str]]] = {}
    for name in policy.parameters_of(rule):
        parameter = policy.parameters[name]
        for county, gaps in parameter.unknown(counties, as_of).items():
            whole = gaps == [()]
            labels = "" if whole else "（" + "、".join(_key_label(parameter, gap) for gap in gaps) + "）"
            before, texts = found.get(county, (False, []))
            found[county] = (before or whole, [*texts, f"{parameter.header.title.zh}{labels}"])
    return {county: (whole, "、".join(texts)) for county, (whole, texts) in sorted(found.items())}


def _key_label(parameter: Parameter, keys: tuple[str, ...]) -> str:
    lists = code_lists()
    labels = []
    for name, value in zip(parameter.header.keys, keys, strict=True):
        labels.append(lists[name].codes.get(value, value) if name in lists else value)
    return "/".join(labels)


def _evaluate(
    bench: Bench, rule: Rule, status: pl.DataFrame, strict: bool
) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Warnings of one rule, and whether it spoke: for all, and for each county."""
    nothing = pl.DataFrame(schema=RAW_SCHEMA)
    sources = _weigh_sources(bench.policy, rule, status, bench.as_of)
    if bench.as_of > rule.header.expires:
        why = f"规则有效期至{_day(rule.header.expires)}，到期未续，本期未核对。"
        return nothing, [_status_row(rule, None, "off", why, sources)]
    if sources.off_because:
        return nothing, [_status_row(rule, None, "off", sources.off_because, sources)]
    unknown = _unknown_values(bench.policy, rule, bench.counties, bench.as_of)
    rows: list[dict[str, Any]] = []
    for county, (whole, what) in unknown.items():
        why = f"本县{what}：当前没有已知数值，{'本期未核对' if whole else '对应家庭本期未核对'}，不代表没有问题。"
        rows.append(_status_row(rule, county, "off" if whole else "on", why, sources))
    frame, refused = whole_rows(rule, raised(rule, bench.rows(rule, rule.list_kind), sources), strict=strict)
    # A row that cannot say where or why is nobody's visit; one such row does not silence the rule.
    note = f"另有{refused}条线索缺少家庭或理由要素，未列入清单，已记录。" if refused else ""
    rows.append(_status_row(rule, None, "on", sources.note + note, sources))
    silent = [county for county, (whole, _) in unknown.items() if whole]
    if silent and frame.height:
        places = bench.frame("household").select("household_id", "county_code")
        off = places.filter(pl.col("county_code").is_in(silent)).select("household_id")
        frame = frame.join(off, on="household_id", how="anti")
    return frame, rows


def _window(bench: Bench, name: str) -> int:
    rows = bench.parameter("warning_window").filter(
        (pl.col("county_code") == NATION) & (pl.col("window") == name)
    )
    if rows.height != 1:
        raise ValueError(f"warning_window has no national value for {name} on {bench.as_of}")
    return int(rows.get_column("length").item())


def _deadlines(frame: pl.DataFrame, levels: pl.DataFrame, base: str) -> pl.DataFrame:
    """Add visit_due_on and close_due_on: working days after `base`, or the end of its quarter."""
    days = calendar()
    joined = frame.join(levels, on=["county_code", "level"], how="left", maintain_order="left")
    for column, out in (("visit_working_days", "visit_due_on"), ("close_working_days", "close_due_on")):
        due = pl.Series(out, [None] * joined.height, dtype=pl.Date())
        for count in joined.get_column(column).drop_nulls().unique().sort().to_list():
            counted = days.due_dates(joined.get_column(base), count)
            mask = (joined.get_column(column) == count).fill_null(False)
            due = pl.select(pl.when(mask).then(counted).otherwise(due).alias(out)).to_series()
        joined = joined.with_columns(due.alias(out))
    quarter_end = pl.col(base).dt.truncate("1q").dt.offset_by("1q").dt.offset_by("-1d")
    return joined.with_columns(
        close_due_on=pl.when(pl.col("closes_at_quarter_end"))
        .then(quarter_end)
        .otherwise(pl.col("close_due_on"))
    )


def finish(bench: Bench, raw: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Give warnings their id, place, points and deadlines. Columns and order: `WARNING_SCHEMA`, by warning_id.

    A warning that was open last night keeps the day on which it was first raised, and with it its deadlines, unless its
    level has changed since: then they count from tonight, and never end later than they did.
    """
    if raw.is_empty():
        return pl.DataFrame(schema=WARNING_SCHEMA)
    bench.connection.register("incoming", raw.to_arrow())
    named = bench.connection.execute(
        "select 'W' || left(sha256(rule_id || '|' || subject_key || '|' || cause_key), 15) as warning_id, * from incoming"
    ).pl()
    bench.connection.unregister("incoming")
    places = bench.frame("household").select("household_id", "county_code", "township_code", "village_code")
    levels = bench.parameter("warning_level")
    ratio = bench.parameter("score_points").filter(pl.col("part") == "ratio")
    placed = named.join(places, on="household_id", how="left").with_columns(
        home=pl.col("county_code"), county_code=pl.coalesce("county_code", pl.lit(NATION))
    )
    placed = placed.join(open_since(previous), on="warning_id", how="left").with_columns(
        raised_on=pl.coalesce("first_raised_on", pl.lit(bench.as_of)),
        same_level=(pl.col("was_level") == pl.col("level")).fill_null(False),
    )
    placed = placed.with_columns(
        counted_from=pl.when("same_level").then("raised_on").otherwise(pl.lit(bench.as_of))
    )
    placed = _deadlines(placed, levels.select("county_code", "level", *LEVEL_COLUMNS), "counted_from")
    placed = placed.join(
        ratio.select("county_code", ratio_points="points", ratio_limit="limit"), on="county_code", how="left"
    )
    # Whole points for each tenth over the limit, in integers: a float would round differently from night to night.
    hundredths = (pl.col("ratio") * 100).cast(pl.Int64())
    over = ((hundredths - 100).clip(lower_bound=0) * pl.col("ratio_points").cast(pl.Int64())) // 100
    capped = pl.min_horizontal(over, pl.col("ratio_limit").cast(pl.Int64()))
    extra = pl.when(over.is_null()).then(0).otherwise(capped)
    expires = timedelta(days=_window(bench, "warning_expires"))
    was_later = [
        pl.when(pl.col("same_level") | pl.col(f"was_{due}").is_null())
        .then(pl.col(due))
        .otherwise(pl.min_horizontal(pl.col(due), pl.col(f"was_{due}")))
        .alias(due)
        for due in ("visit_due_on", "close_due_on")
    ]
    return (
        placed.with_columns(
            *was_later,
            points=pl.col("level_points").cast(pl.Int64()).fill_null(0) + extra,
            expires_on=pl.lit(bench.as_of + expires),
            county_code=pl.col("home"),
        )
        .select(WARNING_SCHEMA.names())
        .cast(WARNING_SCHEMA)
        .sort("warning_id")
    )


LEVEL_COLUMNS = ("level_points", "visit_working_days", "close_working_days", "closes_at_quarter_end")


def _register(
    bench: Bench, warnings: pl.DataFrame, status: pl.DataFrame, previous: pl.DataFrame
) -> pl.DataFrame:
    heard = set(status.filter(pl.col("county_code").is_null()).get_column("rule_id").to_list())
    absent = sorted(set(previous.get_column("rule_id").to_list()) - heard)
    unheard = pl.concat(
        [
            status.filter(pl.col("status") == "off").select("rule_id", "county_code"),
            pl.DataFrame(
                {"rule_id": absent, "county_code": [None] * len(absent)},
                schema={"rule_id": pl.String(), "county_code": pl.String()},
            ),
        ]
    )
    return register(
        warnings,
        previous,
        bench.frame("outcome_return"),
        as_of=bench.as_of,
        windows=Windows(quiet_days=_window(bench, "repeat_suppressed")),
        never_suppressed={rule.id for rule in bench.policy.rules.values() if rule.header.never_suppress},
        unheard=unheard,
    )


def _priority(bench: Bench, book: pl.DataFrame) -> pl.DataFrame:
    """The risk score over open warnings: one row a household and list, in the order in which to visit."""
    titles = {rule.id: rule.header.title.zh for rule in bench.policy.rules.values()}
    standing = book.filter(pl.col("state").is_in(OPEN_STATES)).with_columns(
        title_zh=pl.col("rule_id").replace_strict(
            titles, default=pl.col("rule_id"), return_dtype=pl.String()
        ),
        county_code=pl.coalesce("county_code", pl.lit(NATION)),
        raised_on=pl.col("first_raised_on"),
    )
    bench.put("open_warning", standing, OPEN_WARNING)
    rows = bench.rows(bench.policy.score, "help_in")
    levels = bench.parameter("warning_level").select("county_code", "level", *LEVEL_COLUMNS)
    timed = _deadlines(
        rows.rename({"visit_due_on": "first_visit", "close_due_on": "first_close"}), levels, "level_since"
    )
    return (
        timed.with_columns(
            visit_due_on=pl.min_horizontal("visit_due_on", "first_visit"),
            close_due_on=pl.min_horizontal("close_due_on", "first_close"),
        )
        .select(PRIORITY_SCHEMA.names())
        .cast(PRIORITY_SCHEMA)
        .sort("list_kind", "order_no", "household_id")
    )


def _say_what_was_counted(rows: list[dict[str, Any]], warnings: pl.DataFrame) -> None:
    """Add to the status of a rule that its deadlines reach into a year whose holidays nobody has announced yet."""
    days = calendar()
    guessed: dict[str, set[int]] = {}
    timed = warnings.filter(pl.col("visit_due_on").is_not_null())
    for rule_id, *due in timed.select("rule_id", "visit_due_on", "close_due_on").unique().rows():
        guessed.setdefault(rule_id, set()).update(day.year for day in due if day and not days.knows(day))
    for row in rows:
        years = sorted(guessed.get(row["rule_id"], ()))
        if years and row["county_code"] is None:
            spoken = "、".join(f"{year}年" for year in years)
            row["reason_zh"] += f"{spoken}节假日安排未公布，期限暂按周一至周五计。"


def _rules(
    bench: Bench, wanted: Iterable[str], previous: pl.DataFrame, strict: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Warnings and status of some rules. A rule that fails is switched off visibly, unless `strict`."""
    state = bench.frame("source_status")
    frames = [pl.DataFrame(schema=RAW_SCHEMA)]
    rows: list[dict[str, Any]] = []
    for rule_id in wanted:
        rule = bench.policy.rules[rule_id]
        try:
            frame, spoken = _evaluate(bench, rule, state, strict)
        except (PolicyError, duckdb.Error, pl.exceptions.PolarsError) as error:
            if strict:
                raise
            # Types only: a message of the engine may quote a value.
            log.error("rule %s failed: %s", rule_id, type(error).__name__)
            why = "规则运行出错，本期未核对，已记录，请数据组处理。"
            frame = pl.DataFrame(schema=RAW_SCHEMA)
            spoken = [_status_row(rule, None, "off", why, Sources(None, "", {}))]
        frames.append(frame)
        rows += spoken
    warnings = finish(bench, pl.concat(frames), previous)
    _say_what_was_counted(rows, warnings)
    return warnings, pl.DataFrame(rows, schema=STATUS_SCHEMA).sort("rule_id", "county_code", nulls_last=False)


def run(
    views: Mapping[str, View],
    as_of: date,
    previous_register: pl.DataFrame | None = None,
    only: Iterable[str] | None = None,
    *,
    policy: Policy | None = None,
    strict: bool = False,
    conclusion: bool = True,
) -> Outcome:
    """Every rule on one day's facts.

    `views`: fact tables, household tables, person, division, source_status, each a Parquet file, a folder of them, or a
    frame; a table that is missing is empty. `previous_register`: last night's, or null on the first night. `only`: ids of
    the rules to run; the others are then unheard, and what stood open of them stays open in the register.
    A rule that fails is switched off visibly and the night goes on, unless `strict`. Without `conclusion`, register and
    priority are left empty for `conclude` to make when all rules have spoken.

    Frames: `warnings` (repeats.WARNING_SCHEMA), `rule_status` (STATUS_SCHEMA: one row a rule, and one a county for which
    something is not known), `priority`, `register` (repeats.REGISTER_SCHEMA), and the measures that were made.
    """
    policy = policy or default_policy()
    wanted = sorted(policy.rules) if only is None else sorted(set(only))
    if stray := [rule for rule in wanted if rule not in policy.rules]:
        raise ValueError(f"unknown rules: {stray}")
    previous = empty_register() if previous_register is None else previous_register
    bench = Bench(policy, views, as_of, [policy.rules[rule_id] for rule_id in wanted])
    try:
        warnings, status = _rules(bench, wanted, previous, strict)
        book, priority = empty_register(), pl.DataFrame(schema=PRIORITY_SCHEMA)
        if conclusion:
            book = _register(bench, warnings, status, previous)
            priority = _priority(bench, book)
        measures = {
            name: bench.connection.execute(f"from help_in.{_quoted(name)} order by all").pl()
            for name in sorted(bench.made["help_in"])
            if policy.measures[name].header.published
        }
    finally:
        bench.close()
    return Outcome(warnings, status, priority, book, measures)


def conclude(
    views: Mapping[str, View],
    warnings: pl.DataFrame,
    rule_status: pl.DataFrame,
    as_of: date,
    previous_register: pl.DataFrame | None = None,
    *,
    policy: Policy | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Register and priority from warnings of rules that ran apart (one rule rerun, the others as they were)."""
    policy = policy or default_policy()
    bench = Bench(policy, views, as_of, ())
    try:
        previous = empty_register() if previous_register is None else previous_register
        book = _register(bench, warnings, rule_status, previous)
        return book, _priority(bench, book)
    finally:
        bench.close()
