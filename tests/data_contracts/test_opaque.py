"""Opaque ids against Python's hmac, the key that never shows, and where a deployment finds its key."""

from __future__ import annotations

import hashlib
import hmac
import pickle
import stat
from datetime import date

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import opaque
from data_contracts.contract import Feed, catalogue
from data_contracts.feeding import IDENTITY_SCHEMA, keys_now
from data_contracts.opaque import KEY_FILE, MARK_FILE, VARIABLE, Key, KeyRefused, deployment_key

SECRET = "a secret for tests, longer than 32 letters"
OTHER = "another secret, of some thirty-odd letters"


def connected(key: Key) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    opaque.install(connection, key)
    return connection


def in_sql(key: Key, *parts: str | None) -> str | None:
    marks = ", ".join("?" for _ in parts)
    return connected(key).execute(f"SELECT opaque({marks})", list(parts)).fetchone()[0]  # type: ignore[index]


@pytest.mark.parametrize("length", [32, 63, 64, 65, 200])
@pytest.mark.parametrize("text", ["", "0", "JZ-2024-000123", "鄂A12345", "𠀀" * 40, "x" * 1000])
def test_it_is_hmac_sha256_of_rfc_2104(length: int, text: str) -> None:
    """Keys shorter than a block, as long as one, and longer, which are hashed first."""
    secret = ("密key" * 100)[:length]
    expected = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
    assert in_sql(Key(secret), text) == Key(secret).opaque(text) == expected


def test_a_known_value_stays() -> None:
    """Written out: who changes the construction changes every id of every deployment."""
    assert Key(SECRET).opaque("JZ-2024-000123") == "50b9ffa401721a047b1035070d1c7345"
    assert Key(SECRET).opaque("JZ-2024", None, "123") == "e35edbfae5c2a7a97057ca32cb24bafa"


PART = st.one_of(st.none(), st.text(alphabet="1,:-a王", max_size=5))


@settings(max_examples=150, deadline=None)
@given(st.lists(PART, min_size=2, max_size=5), st.lists(PART, min_size=2, max_size=5))
def test_other_parts_are_another_id_and_sql_agrees_with_python(one: list, other: list) -> None:
    key = Key(SECRET)
    assert in_sql(key, *one) == key.opaque(*one)
    if any(one) and any(other):
        assert (key.opaque(*one) == key.opaque(*other)) == (one == other)


def test_nothing_stays_nothing_and_values_are_taken_as_text() -> None:
    connection = connected(Key(SECRET))
    assert connection.execute("SELECT opaque(NULL), opaque(NULL, NULL)").fetchone() == (None, None)
    row = connection.execute(
        "SELECT opaque(42), opaque(DATE '2025-11-17'), opaque('a', NULL) IS NULL"
    ).fetchone()
    assert row == (Key(SECRET).opaque("42"), Key(SECRET).opaque("2025-11-17"), False)


def test_the_key_shows_nowhere() -> None:
    """Repr, pickle, the text of macros, plans (also after running) and errors."""
    key = Key(SECRET)
    inner, outer = key.pads()
    connection = connected(key)
    connection.execute("CREATE TABLE t AS SELECT 'JZ' || range n FROM range(100)")
    told = [repr(key), str([key]), f"{key!s}"]
    for query in ("EXPLAIN SELECT opaque(n) FROM t", "EXPLAIN ANALYZE SELECT opaque(n, n) FROM t"):
        told += [str(connection.execute(query).fetchall())]
    told.append(
        str(connection.execute("SELECT * FROM duckdb_functions() WHERE function_name = 'opaque'").fetchall())
    )
    told.append(str(connection.execute("SELECT * FROM duckdb_tables()").fetchall()))
    for query in (
        "SELECT opaque(n)::INTEGER FROM t",
        "SELECT opaque(n, nobody) FROM t",
        "SELECT opaque(n, error(n)) FROM t",
    ):
        with pytest.raises(duckdb.Error) as failure:
            connection.execute(query).fetchall()
        told.append(str(failure.value))
    with pytest.raises(TypeError):
        pickle.dumps(key)
    secrets = [SECRET, SECRET[:12], inner.hex()[:24], outer.hex()[:24], str(inner)[2:26], str(outer)[2:26]]
    blobs = [
        connection.execute("SELECT ?::BLOB::VARCHAR", [pad]).fetchone()[0][:24] for pad in (inner, outer)
    ]  # type: ignore[index]
    assert len(told) == 10
    assert [s for s in secrets + blobs for text in told if s.lower() in text.lower()] == []


def test_a_short_key_is_refused_without_being_quoted(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "too short a key")
    with pytest.raises(KeyRefused, match="15 characters and needs at least 32") as refused:
        deployment_key(tmp_path)
    assert "too short a key" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_the_first_run_makes_a_key_that_others_cannot_read(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    first = deployment_key(tmp_path / "lake").opaque("x")
    path = tmp_path / "lake" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 64
    assert sorted(p.name for p in path.parent.iterdir()) == [KEY_FILE, MARK_FILE]
    assert deployment_key(tmp_path / "lake").opaque("x") == first
    assert deployment_key(tmp_path / "elsewhere").opaque("x") != first
    path.chmod(0o640)
    with pytest.raises(KeyRefused, match="can be read by others"):
        deployment_key(tmp_path / "lake")


def test_two_folders_with_one_variable_give_one_id(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET + "\n")
    ids = {deployment_key(tmp_path / name).opaque("x") for name in ("one", "two")}
    assert ids == {Key(SECRET).opaque("x")}
    assert not (tmp_path / "one" / KEY_FILE).exists()


def test_another_key_is_refused_until_somebody_says_that_it_is_meant(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    deployment_key(tmp_path)
    monkeypatch.setenv(VARIABLE, OTHER)
    with pytest.raises(KeyRefused, match="is not the one that this lake was written with"):
        deployment_key(tmp_path)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(KeyRefused, match="the key of this lake is gone"):
        deployment_key(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()
    (tmp_path / MARK_FILE).unlink()
    monkeypatch.setenv(VARIABLE, OTHER)
    assert deployment_key(tmp_path).opaque("x") == Key(OTHER).opaque("x")


def test_identities_get_the_names_that_they_would_have_under_the_new_key(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    text = "\x1f".join(
        ["ps_resident", "self", "150902197005010117", *[""] * 4, "1970-05-01", "55", *[""] * 6]
    )
    row = {
        "identity_key": Key(OTHER).opaque(text),
        "source_class": "ps_resident",
        "role": "self",
        "resident_id": "150902197005010117",
        "birth_date": date(1970, 5, 1),
        "age": 55,
    }
    rows = pl.DataFrame([row], schema_overrides=IDENTITY_SCHEMA)
    rows = rows.select(
        pl.col(name) if name in row else pl.lit(None, dtype=kind).alias(name)
        for name, kind in IDENTITY_SCHEMA.items()
    )
    assert keys_now(tmp_path, rows).rows() == [(Key(OTHER).opaque(text), Key(SECRET).opaque(text))]
    tonight = rows.with_columns(identity_key=pl.lit(Key(SECRET).opaque(text)))
    assert keys_now(tmp_path, tonight).is_empty()
    assert keys_now(tmp_path, rows.clear()).is_empty()


@pytest.mark.parametrize(
    "expression",
    ["md5(case_no)", "MD5 (case_no)", "md5_number(case_no)", "sha256(case_no)", "'C' || hash(case_no)"],
)
def test_a_hash_that_anybody_can_compute_is_refused_in_a_feed(expression: str) -> None:
    contract = catalogue()["ca_assist_payment"]
    feed = Feed(fact="assistance_payment", persons={"person_id": "payee"}, columns={"case_id": expression})
    with pytest.raises(ValueError, match=r"feed assistance_payment, case_id: .*use opaque\(\)"):
        type(contract).model_validate(contract.model_dump() | {"feeds": [feed.model_dump()]})
    filtered = feed.model_dump() | {"columns": {}, "where": f"{expression} IS NOT NULL"}
    with pytest.raises(ValueError, match=r"feed assistance_payment, where: .*use opaque\(\)"):
        type(contract).model_validate(contract.model_dump() | {"feeds": [filtered]})


def test_no_feed_can_read_the_key() -> None:
    contract = catalogue()["ca_assist_payment"]
    feed = {
        "fact": "assistance_payment",
        "persons": {},
        "columns": {"case_id": "(SELECT i::VARCHAR FROM _opaque_pads)"},
    }
    with pytest.raises(ValueError, match="nobody's column"):
        type(contract).model_validate(contract.model_dump() | {"feeds": [feed]})


def test_every_number_of_a_department_is_opaque_in_facts() -> None:
    """A column called *_id is made by opaque(); a delivered number goes into no fact as it is."""
    numbers = {"account_no", "disability_cert_no", "student_no", "resident_id", "phone"}
    seen = 0
    for contract in catalogue().values():
        private = {spec.name for spec in contract.fields if spec.type in numbers}
        for feed in contract.feeds:
            for column, expression in feed.columns.items():
                assert expression not in private, (contract.id, column)
                # The outcome return gives our own ids back.
                if column.endswith("_id") and contract.id != "ca_outcome_return":
                    assert expression.startswith("opaque("), (contract.id, column)
                    seen += 1
    assert seen > 20
