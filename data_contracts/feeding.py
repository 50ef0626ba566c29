"""From accepted rows to identities and facts, as they stood on a business date.

State is a function of history and day: nothing is updated, the append-only rows of the lake are read anew.
Which column feeds what is said in the contracts; nothing here knows a class by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from pathlib import Path

import duckdb
import polars as pl

from data_contracts import opaque
from data_contracts.contract import Contract, FactTable, Feed, FieldSpec, Subject, catalogue, fact_tables

IDENTITY_FIELDS: dict[str, str] = {
    "resident_id": "VARCHAR",
    "former_resident_id": "VARCHAR",
    "person_name": "VARCHAR",
    "former_name": "VARCHAR",
    "sex": "VARCHAR",
    "birth_date": "DATE",
    "age": "INTEGER",
    "as_of": "DATE",
    "phone": "VARCHAR",
    "address": "VARCHAR",
    "village_code": "VARCHAR",
    "division_code": "VARCHAR",
    "household_no": "VARCHAR",
}
"""What an identity tuple may hold, in the order in which it is hashed."""

FIELD_SQL_TYPES: dict[str, str] = {
    "text_list": "VARCHAR[]",
    "person_name_list": "VARCHAR[]",
    "resident_id_list": "VARCHAR[]",
    "date": "DATE",
    "month": "DATE",
    "year": "INTEGER",
    "timestamp": "TIMESTAMP",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,4)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}
"""DuckDB type of a field or fact column by its kind; every other kind is text."""

IDENTITY_SCHEMA = pl.Schema(
    {
        "identity_key": pl.String(),
        "source_class": pl.String(),
        "role": pl.String(),
        "tier": pl.Int8(),
        **{
            name: {"DATE": pl.Date(), "INTEGER": pl.Int32()}.get(kind, pl.String())
            for name, kind in IDENTITY_FIELDS.items()
        },
        "rows": pl.Int64(),
        "first_batch": pl.Date(),
        "last_batch": pl.Date(),
    }
)


@dataclass(frozen=True)
class AcceptedFile:
    """One accepted delivery of a class, as the ledger knows it."""

    path: Path
    delivery_id: str
    batch_date: date
    kind: str
    file: str
    rows: int


def sql_type(kind: str) -> str:
    """DuckDB type in which a field or fact column of that kind is stored."""
    return FIELD_SQL_TYPES.get(kind, "VARCHAR")


def ledger(lake: Path, class_id: str, as_of: date) -> pl.DataFrame:
    """Ledger rows of a class up to and including a day, oldest first; an empty frame when there are none."""
    paths = [
        p for p in sorted((lake / "ledger" / class_id).glob("batch_date=*.parquet")) if _batch_of(p) <= as_of
    ]
    if not paths:
        return pl.DataFrame()
    return pl.concat([pl.read_parquet(path) for path in paths], how="diagonal_relaxed").sort(
        "batch_date", "file"
    )


def accepted_files(lake: Path, class_id: str, as_of: date) -> list[AcceptedFile]:
    """Accepted deliveries of a class up to and including a day, in the order in which they are read."""
    rows = ledger(lake, class_id, as_of)
    if rows.is_empty():
        return []
    # A full file that says "nobody" is word too, and so is a quiet delta once there was word; a file of which every
    # row was rejected is not.
    told = (pl.col("rows_accepted") > 0) | (pl.col("rows_received") == 0)
    found: list[AcceptedFile] = []
    for row in rows.filter((pl.col("status") == "accepted") & told).iter_rows(named=True):
        if not found and row["kind"] == "delta" and not row["rows_accepted"]:
            continue
        path = (
            lake / "accepted" / class_id / f"batch_date={row['batch_date']}" / f"{row['delivery_id']}.parquet"
        )
        found.append(
            AcceptedFile(
                path, row["delivery_id"], row["batch_date"], row["kind"], row["file"], row["rows_accepted"]
            )
        )
    return found


def standing_files(contract: Contract, files: list[AcceptedFile]) -> list[AcceptedFile]:
    """The deliveries of which rows may be in the state: the last full and what came with it or since.

    Where a full speaks for some periods only (`delivery.full_per`), a delivery stands as long as one of its periods is in
    no later full.
    """
    fulls = [f for f in files if f.kind == "full"]
    per = contract.delivery.full_per
    if not per or not fulls:
        last = max((f.batch_date for f in fulls), default=date.min)
        return [f for f in files if f.batch_date >= last]
    periods = {f.delivery_id: pl.read_parquet(f.path, columns=per).unique() for f in files if f.rows}
    standing = []
    for file in files:
        left = periods.get(file.delivery_id)
        for later in fulls:
            if left is not None and later.batch_date > file.batch_date and later.delivery_id in periods:
                left = left.join(periods[later.delivery_id], on=per, how="anti", nulls_equal=True)
        if left is not None and not left.is_empty():
            standing.append(file)
    return standing


def state_sql(contract: Contract, files: list[AcceptedFile]) -> str:
    """SQL of the rows of a class that hold after these deliveries.

    The last full delivery supersedes everything before it (or, where `delivery.full_per` names fields, everything
    with the same values of them); deltas merge over it. Of rows with the same grain the last delivered stays: by batch,
    a delta over the full of the same night, then by `order`, file and row. Rows whose grain is partly unknown stand each for
    itself, but for `grain_may_lack`. Columns: all fields, `_delivery_id`, `_row`,
    `_batch` (date).
    """
    columns = ", ".join(f'"{spec.name}"' for spec in contract.fields)
    typed = ", ".join(f'NULL::{sql_type(spec.type)} AS "{spec.name}"' for spec in contract.fields)
    nothing = f"SELECT {typed}, NULL::VARCHAR AS _delivery_id, NULL::BIGINT AS _row, NULL::DATE AS _batch"
    if not files:
        return f"{nothing} WHERE false"
    full_days = [f.batch_date for f in files if f.kind == "full"]
    last_full = max(full_days) if full_days else None
    per = contract.delivery.full_per
    if last_full is not None and not per:
        files = [f for f in files if f.batch_date >= last_full]
    files = sorted(files, key=lambda f: (f.batch_date, f.kind != "full", f.file))
    parts = [f"{nothing}, 0 AS _turn, false AS _full WHERE false"] + [
        f"SELECT {columns}, _delivery_id, _row, DATE '{f.batch_date}' AS _batch, {n} AS _turn, "
        f"{str(f.kind == 'full').lower()} AS _full FROM read_parquet({_quoted(str(f.path))})"
        for n, f in enumerate(files)
        if f.rows
    ]
    rows = " UNION ALL ".join(parts)
    if per and full_days:
        keys = ", ".join(f'"{name}"' for name in per)
        # A full file speaks for the periods it contains and is silent about the others.
        rows = (
            f"SELECT * FROM ({rows}) QUALIFY _batch >= coalesce(max(_batch) FILTER (_full) "
            f"OVER (PARTITION BY {keys}), DATE '0001-01-01')"
        )
    chosen = f"SELECT {columns}, _delivery_id, _row, _batch FROM"
    # What is delivered later corrects what came before; `order` decides only among rows of the same night.
    newest = [f'"{name}" DESC NULLS LAST' for name in contract.order]
    ranked = ", ".join(["_batch DESC", "_full", *newest, "_turn DESC", "_row DESC"])
    grain = ", ".join(f'"{name}"' for name in contract.grain)
    unknown = " OR ".join(f'"{name}" IS NULL' for name in contract.grain)
    # Rows whose key is partly unknown cannot be told apart by it: each stands for itself.
    alone = f"CASE WHEN {unknown} THEN _delivery_id || ':' || _row END"
    apart = ""
    if contract.kept_apart:
        holds = f"coalesce(({contract.kept_apart.where}), false)"
        apart = "".join(f', CASE WHEN {holds} THEN "{name}" END' for name in contract.kept_apart.by)
    repeated = _repeats_without_sql(contract, apart)
    return (
        f"{chosen} ({rows}) QUALIFY row_number() OVER (PARTITION BY {grain}{apart}, {alone} ORDER BY {ranked}) = 1"
        + (f" AND NOT {repeated}" if repeated else "")
    )


def _repeats_without_sql(contract: Contract, apart: str) -> str:
    """Condition of rows that repeat a row of another delivery without the fields in `grain_may_lack`; empty for no such.

    The row with the fields outranks the one without, whichever came first; of several without, the last delivery's stay.
    Rows of one delivery never repeat each other.
    """
    lacking = contract.grain_may_lack
    if not lacking:
        return ""
    rest = [f'"{name}"' for name in contract.grain if name not in lacking]
    same = f"PARTITION BY {', '.join(rest)}{apart}"
    bare = " AND ".join(f'"{name}" IS NULL' for name in lacking)
    known = " AND ".join(f"{name} IS NOT NULL" for name in rest)
    full = f"count(*) FILTER (NOT ({bare}))"
    elsewhere = f"{full} OVER ({same}) > {full} OVER ({same}, _delivery_id)"
    later = f"_turn < max(_turn) FILTER ({bare}) OVER ({same})"
    return f"coalesce(({bare}) AND ({known}) AND ({elsewhere} OR {later}), false)"


def identities(lake: Path, as_of: date, contracts: Iterable[Contract] | None = None) -> pl.DataFrame:
    """Distinct identity tuples of every class and role, as of a day.

    Returns the columns of `IDENTITY_SCHEMA`, ordered by `source_class`, `role`, `identity_key`. Values are as
    accepted; comparing forms are made by `matching.normalise`. Rows that name nobody are left out.
    """
    frames = [IDENTITY_SCHEMA.to_frame()]
    with _memory(lake) as connection:
        for contract in contracts if contracts is not None else catalogue().values():
            files = accepted_files(lake, contract.id, as_of)
            if not files or not contract.subjects:
                continue
            connection.execute(f"CREATE OR REPLACE TEMP TABLE state AS {state_sql(contract, files)}")
            frames.extend(
                connection.sql(_identities_sql(contract, subject)).pl().cast(IDENTITY_SCHEMA)
                for subject in contract.subjects
            )
    return pl.concat(frames).sort("source_class", "role", "identity_key")


def keys_now(lake: Path, identities: pl.DataFrame) -> pl.DataFrame:
    """What the identities of a night are called under the key that the lake has now: `identity_key`, `new_key`.

    `identities` comes from `identities`, of any night; empty when the key is still the one they were made with.
    """
    key = _tuple_key_sql("source_class", "role", IDENTITY_FIELDS)
    with _memory(lake) as connection:

        def renamed(rows: pl.DataFrame) -> pl.DataFrame:
            connection.register("named", rows)
            return connection.sql(f"SELECT identity_key, {key} AS new_key FROM named").pl()

        changed = renamed(identities.head(1)).filter(pl.col("identity_key") != pl.col("new_key"))
        return changed if changed.is_empty() else renamed(identities)


def identity_rows(lake: Path, as_of: date, contracts: Iterable[Contract] | None = None) -> pl.DataFrame:
    """Which delivered row, role and place in a packed cell each identity stands for, as of a day.

    Columns: `source_class`, `role`, `delivery_id`, `row`, `position` (0, or 1, 2 ... in a packed cell), `identity_key`.
    For tracing and for holding links against known truth.
    """
    schema = {"source_class": pl.String, "role": pl.String, "delivery_id": pl.String, "row": pl.Int64}
    frames = [pl.DataFrame(schema=schema | {"position": pl.Int64, "identity_key": pl.String})]
    with _memory(lake) as connection:
        for contract in contracts if contracts is not None else catalogue().values():
            files = accepted_files(lake, contract.id, as_of)
            if not files or not contract.subjects:
                continue
            connection.execute(f"CREATE OR REPLACE TEMP TABLE state AS {state_sql(contract, files)}")
            for subject in contract.subjects:
                expressions = _identity_expressions(contract, subject)
                rows = connection.sql(
                    f"SELECT {_quoted(contract.id)} AS source_class, {_quoted(subject.role)} AS role, "
                    f'_delivery_id AS delivery_id, _row AS "row", _n::BIGINT AS "position", '
                    f"{_key_sql(contract, subject, expressions)} AS identity_key "
                    f"FROM ({_unpacked_sql(contract, subject, 'state')}) WHERE {_names_somebody(subject, expressions)}"
                )
                frames.append(rows.pl().cast(frames[0].schema))
    return pl.concat(frames).sort("source_class", "delivery_id", "row", "role", "position")


def beside(lake: Path, as_of: date, contracts: Iterable[Contract] | None = None) -> pl.DataFrame:
    """Who stands in one delivered row with an identity that has no number, as of a day: a spouse, a child, a guardian.

    Columns: `identity_key`, `role` and `other_key` of the other; each pair once, sorted. Packed roles are left out.
    """
    schema = pl.Schema({name: pl.String() for name in ("identity_key", "role", "other_key")})
    frames = [schema.to_frame()]
    with _memory(lake) as connection:
        for contract in contracts if contracts is not None else catalogue().values():
            subjects = [subject for subject in contract.subjects if not subject.packed]
            files = accepted_files(lake, contract.id, as_of) if len(subjects) > 1 else []
            if not files:
                continue
            connection.execute(f"CREATE OR REPLACE TEMP TABLE state AS {state_sql(contract, files)}")
            for one, other in permutations(subjects, 2):
                mine, theirs = (_identity_expressions(contract, subject) for subject in (one, other))
                rows = connection.sql(
                    f"SELECT DISTINCT {_key_sql(contract, one, mine)} AS identity_key, "
                    f"{_quoted(other.role)} AS role, {_key_sql(contract, other, theirs)} AS other_key FROM state "
                    f"WHERE {mine['resident_id']} IS NULL AND {_names_somebody(one, mine)} "
                    f"AND {_names_somebody(other, theirs)}"
                )
                frames.append(rows.pl().cast(schema))
    return pl.concat(frames).sort(pl.all())


def facts(
    lake: Path,
    as_of: date,
    links: pl.DataFrame,
    only: Iterable[str] | None = None,
    report: Callable[[str, int], None] | None = None,
) -> dict[str, int]:
    """Write the fact tables of a day to `lake/facts/batch_date=<day>/<table>.parquet`.

    `links` needs `identity_key`, `person_id`, `grade`. `only` names the tables to write (default: all that a class
    feeds). Every table is written, even when nothing feeds it that day. Returns rows per table.
    """
    tables = fact_tables()
    wanted = sorted(
        set(only) if only is not None else {feed.fact for c in catalogue().values() for feed in c.feeds}
    )
    out = lake / "facts" / f"batch_date={as_of}"
    out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    with _memory(lake) as connection:
        connection.register("links_frame", links.select("identity_key", "person_id", "grade"))
        connection.execute("CREATE TEMP TABLE links AS SELECT * FROM links_frame")
        states: dict[str, str] = {}
        for table_id in wanted:
            table = tables[table_id]
            parts = [_empty_fact_sql(table)]
            for contract in catalogue().values():
                for feed in (f for f in contract.feeds if f.fact == table_id):
                    if contract.id not in states:
                        files = accepted_files(lake, contract.id, as_of)
                        states[contract.id] = f"state_{contract.id}" if files else ""
                        if files:
                            connection.execute(
                                f"CREATE TEMP TABLE state_{contract.id} AS {state_sql(contract, files)}"
                            )
                    if states[contract.id]:
                        parts.append(_feed_sql(contract, feed, table, states[contract.id]))
            draft, final = out / f".{table_id}.parquet.draft", out / f"{table_id}.parquet"
            body = " UNION ALL BY NAME ".join(f"({part})" for part in parts)
            connection.execute(
                f"COPY (SELECT * EXCLUDE (_n) FROM ({body}) ORDER BY source_class, row_key, _n) "
                f"TO {_quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            )
            draft.replace(final)
            (counts[table_id],) = connection.execute(
                f"SELECT count(*) FROM read_parquet({_quoted(str(final))})"
            ).fetchone()  # type: ignore[misc]
            # A class is held in memory only while tables that it feeds are still to be written.
            later = set(wanted[wanted.index(table_id) + 1 :])
            for class_id, name in list(states.items()):
                if name and not later & {f.fact for f in catalogue()[class_id].feeds}:
                    connection.execute(f"DROP TABLE {name}")
                    states[class_id] = ""
            if report:
                report(table_id, counts[table_id])
    return counts


def person_fact(persons: pl.DataFrame) -> pl.DataFrame:
    """The fact table `person` from the spine: person_id, sex, birth_date, village_code, is_registered.

    Absorbed and retired persons are left out. Identity fields stay behind.
    """
    return (
        persons.filter(pl.col("status") == "active")
        .select("person_id", "sex", "birth_date", "village_code", "is_registered")
        .sort("person_id")
    )


def _memory(lake: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, with `opaque` under the key of the lake."""
    connection = duckdb.connect(":memory:")
    opaque.install(connection, opaque.deployment_key(lake))
    connection.execute("SET preserve_insertion_order = true")
    return connection


def _batch_of(path: Path) -> date:
    match = re.search(r"batch_date=(\d{4}-\d{2}-\d{2})", path.name)
    if match is None:
        raise ValueError(f"not a partition of the lake: {path.name}")
    return date.fromisoformat(match[1])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identity_expressions(contract: Contract, subject: Subject) -> dict[str, str]:
    """Field of the identity tuple -> DuckDB expression over one row (after unpacking)."""
    evidence: dict[str, str] = {str(kind): name for kind, name in subject.evidence.items()}
    if subject.as_of:
        evidence["as_of"] = subject.as_of
    found: dict[str, str] = {}
    for name, kind in IDENTITY_FIELDS.items():
        if name not in evidence:
            found[name] = f"NULL::{kind}"
            continue
        spec = contract.field(evidence[name])
        column = f'"_packed_{spec.name}"' if subject.packed and _is_list(spec) else f'"{spec.name}"'
        found[name] = f"CAST({column} AS {kind})"
    if subject.derived_id:
        # A number issued on the basis of a resident id (G + id, id + type + grade) carries it.
        carried = f"""nullif(regexp_extract("{subject.derived_id}", '^G?([0-9]{{17}}[0-9X])', 1), '')"""
        found["resident_id"] = f"coalesce({found['resident_id']}, {carried})"
    if "sex" in evidence:
        found["sex"] = f"CASE WHEN {found['sex']} IN ('1', '2') THEN {found['sex']} END"
    return found


def _is_list(spec: FieldSpec) -> bool:
    return sql_type(spec.type) == "VARCHAR[]"


def _unpacked_sql(contract: Contract, subject: Subject, source: str) -> str:
    """One row a person for a packed role; the position in the cell is `_n`. Values pair up only in equal numbers."""
    lists = [name for name in dict.fromkeys(subject.evidence.values()) if _is_list(contract.field(name))]
    if not subject.packed or not lists:
        return f"SELECT *, 0 AS _n FROM {source}"
    longest = "greatest(" + ", ".join(f'coalesce(len("{name}"), 0)' for name in lists) + ", 0)"
    even = " AND ".join(f'coalesce(len("{name}"), {{n}}) = {{n}}' for name in lists).replace("{n}", longest)
    # Where a cell has more ids than names nobody knows which name is whose: the first list (the ids) counts alone.
    order = sorted(lists, key=lambda name: contract.field(name).type != "resident_id_list")
    columns = []
    for rank, name in enumerate(order):
        cell = f'"{name}"[_n]'
        columns.append(
            f'{cell} AS "_packed_{name}"'
            if rank == 0
            else f'CASE WHEN _even THEN {cell} END AS "_packed_{name}"'
        )
    count = f'CASE WHEN {even} THEN {longest} ELSE greatest(len("{order[0]}"), 1) END'
    inner = f"SELECT *, ({even}) AS _even, unnest(range(1, 1 + {count})) AS _n FROM {source}"
    return f"SELECT *, {', '.join(columns)} FROM ({inner})"


def _key_sql(contract: Contract, subject: Subject, expressions: dict[str, str]) -> str:
    return _tuple_key_sql(_quoted(contract.id), _quoted(subject.role), expressions.values())


def _tuple_key_sql(source_class: str, role: str, values: Iterable[str]) -> str:
    parts = ", ".join(f"coalesce(CAST({value} AS VARCHAR), '')" for value in values)
    return f"opaque(concat_ws(chr(31), {source_class}, {role}, {parts}))"


def _names_somebody(subject: Subject, expressions: dict[str, str]) -> str:
    somebody = f"({expressions['resident_id']} IS NOT NULL OR {expressions['person_name']} IS NOT NULL)"
    return f"{somebody} AND coalesce(({subject.where}), false)" if subject.where else somebody


def _identities_sql(contract: Contract, subject: Subject) -> str:
    expressions = _identity_expressions(contract, subject)
    fields = ", ".join(f"{e} AS {name}" for name, e in expressions.items())
    return (
        f"SELECT {_tuple_key_sql('source_class', 'role', expressions)} AS identity_key, * FROM ("
        f"SELECT {_quoted(contract.id)} AS source_class, {_quoted(subject.role)} AS role, {contract.tier} AS tier, "
        f"{fields}, count(*) AS rows, min(_batch) AS first_batch, max(_batch) AS last_batch "
        f"FROM ({_unpacked_sql(contract, subject, 'state')}) "
        f"WHERE {_names_somebody(subject, expressions)} GROUP BY ALL)"
    )


def _empty_fact_sql(table: FactTable) -> str:
    columns = [f"NULL::BIGINT AS {p}, NULL::VARCHAR AS {table.grade_of(p)}" for p in table.persons]
    columns += [f'NULL::{sql_type(c.type)} AS "{c.name}"' for c in table.columns]
    columns += [
        "NULL::VARCHAR AS source_class",
        "NULL::DATE AS data_as_of",
        "NULL::VARCHAR AS row_key",
        "0 AS _n",
    ]
    return f"SELECT {', '.join(columns)} WHERE false"


def _feed_sql(contract: Contract, feed: Feed, table: FactTable, state: str) -> str:
    """Rows of one feed with its persons resolved through the links."""
    where = f" WHERE {feed.where}" if feed.where else ""
    source = f"(SELECT * FROM {state}{where})"
    packed = [contract.subject(r) for r in feed.persons.values() if contract.subject(r).packed]
    if len(packed) > 1:
        raise ValueError(f"{contract.id} -> {feed.fact}: only one packed role can feed a fact")
    rows = _unpacked_sql(contract, packed[0], source) if packed else f"SELECT *, 0 AS _n FROM {source}"
    keys = []
    for number, role in enumerate(feed.persons.values()):
        subject = contract.subject(role)
        expressions = _identity_expressions(contract, subject)
        key = _key_sql(contract, subject, expressions)
        keys.append(f"CASE WHEN {_names_somebody(subject, expressions)} THEN {key} END AS _key{number}")
    values = {
        c.name: f'CAST(({feed.columns[c.name]}) AS {sql_type(c.type)}) AS "_value_{c.name}"'
        for c in table.columns
        if c.name in feed.columns
    }
    inner = ", ".join([*keys, *values.values(), "_delivery_id", "_row", "_batch", "_n"])
    columns = []
    joins = []
    for number, person in enumerate(feed.persons):
        columns.append(f"_l{number}.person_id AS {person}, _l{number}.grade AS {table.grade_of(person)}")
        joins.append(f"LEFT JOIN links _l{number} ON _l{number}.identity_key = _key{number}")
    columns += [f'"_value_{name}" AS "{name}"' for name in values]
    columns += [
        f"{_quoted(contract.id)} AS source_class",
        "_batch AS data_as_of",
        "_delivery_id || ':' || lpad(_row::VARCHAR, 9, '0') AS row_key",
        "_n",
    ]
    return f"SELECT {', '.join(columns)} FROM (SELECT {inner} FROM ({rows})) {' '.join(joins)}"
