"""Opaque ids: keyed hashes that stand in facts for the numbers of departments, and the key of a deployment behind them.

What has an opaque id is said in the contracts (`opaque(case_no)`); here is how it is made, and where the key lies.
A plain hash of a number is undone by hashing all numbers; without the key this cannot be done.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

VARIABLE = "HARDSHIP_WATCH_KEY"
"""Environment variable with the key of the deployment; it outranks the key file."""

SHORTEST = 32
"""Characters that a key must have at least."""

DIGITS = 32
"""Hexadecimal digits of an opaque id: 128 of the 256 bits (RFC 2104, section 5, allows no fewer)."""

KEY_FILE = "opaque.key"
"""In the lake: the key that was made at the first run where no variable gave one; readable by its owner alone."""

MARK_FILE = "opaque.mark"
"""In the lake: how a fixed text hashes under the key that the lake was written with, so that another key is noticed."""

MOST_PARTS = 5
"""Parts that `opaque` takes in a contract."""

_PADS = "_opaque_pads"
_BLOCK = 64  # bytes of a block of SHA-256
_MARK_TEXT = "hardship-watch"


class KeyRefused(ValueError):  # noqa: N818
    """The deployment has no usable key; the message says what to do and never contains a key."""


class Key:
    """The secret of a deployment. It never prints itself."""

    def __init__(self, secret: str):
        if len(secret) < SHORTEST:
            raise KeyRefused(
                f"the key has {len(secret)} characters and needs at least {SHORTEST}: set {VARIABLE} to a random text, "
                'made for example by python -c "import secrets; print(secrets.token_hex(32))"'
            )
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a key is not stored with other things")

    def opaque(self, *parts: str | None) -> str | None:
        """The opaque id of a text, or of several parts; the same as `opaque(...)` in SQL.

        HMAC-SHA-256 (RFC 2104) over the UTF-8 bytes, its first 32 hexadecimal digits. Several parts are hashed as
        `<characters>:<text>` each, a missing one as `-`, with commas between them, so that no two lists of parts are the
        same text. Null when all parts are.
        """
        if all(part is None for part in parts):
            return None
        if len(parts) == 1:
            text = parts[0] or ""
        else:
            text = ",".join("-" if part is None else f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:DIGITS]

    def pads(self) -> tuple[bytes, bytes]:
        """The inner and the outer block of RFC 2104. Secret: whoever has them has the key."""
        block = self._secret if len(self._secret) <= _BLOCK else hashlib.sha256(self._secret).digest()
        block = block.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


PUBLIC = Key("people who were invented have no secrets")
"""For tests and benchmarks. A deployment has its own key."""


def install(connection: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Define `opaque(x)` ... `opaque(a, b, c, d, e)` on a connection: text of 32 hexadecimal digits, null for nothing.

    The key is bound as a value into a temporary table, so it stands in no query text, plan or error message.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_PADS} AS SELECT ?::BLOB AS i, ?::BLOB AS o", key.pads()
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP MACRO opaque{', '.join(map(_overload, range(1, MOST_PARTS + 1)))}"
    )


def _overload(count: int) -> str:
    names = [f"part{n}" for n in range(1, count + 1)]
    return f"({', '.join(names)}) AS {_hmac_sql(_text_sql(names))}"


def _text_sql(names: Sequence[str]) -> str:
    texts = [f"CAST({name} AS VARCHAR)" for name in names]
    if len(texts) == 1:
        return texts[0]
    parts = ", ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts)
    return f"CASE WHEN coalesce({', '.join(texts)}) IS NOT NULL THEN concat_ws(',', {parts}) END"


def _hmac_sql(text: str) -> str:
    inner = f"unhex(sha256((SELECT i FROM {_PADS}) || encode({text})))"
    return f"left(sha256((SELECT o FROM {_PADS}) || {inner}), {DIGITS})"


def deployment_key(lake: Path) -> Key:
    """The key of the deployment that this lake belongs to: the variable, else the key file, made at the first run.

    Raises `KeyRefused` for a key that is too short, a key file that others can read, and a key that is not the one with
    which the lake was written.
    """
    given, path, mark = os.environ.get(VARIABLE, "").strip(), lake / KEY_FILE, lake / MARK_FILE
    if not given and not path.exists():
        if mark.exists():
            raise KeyRefused(
                f"the key of this lake is gone: set {VARIABLE} or bring back {KEY_FILE}; {_ELSE}"
            )
        _write_once(path, secrets.token_hex(32))
    if not given and path.stat().st_mode & 0o077:
        raise KeyRefused(f"{KEY_FILE} in the lake can be read by others: chmod 600 it")
    key = Key(given or path.read_text(encoding="ascii").strip())
    found = str(key.opaque(_MARK_TEXT))
    _write_once(mark, found)
    if not hmac.compare_digest(mark.read_text(encoding="ascii").strip(), found):
        where = VARIABLE if given else KEY_FILE
        raise KeyRefused(f"the key in {where} is not the one that this lake was written with; {_ELSE}")
    return key


_ELSE = f"if the key is to change, remove {MARK_FILE} from the lake (docs/operations.md, “A new key”)"


def share(lake: Path, other: Path) -> None:
    """Let another lake use the key file of this one, where there is one."""
    if (lake / KEY_FILE).exists():
        other.mkdir(parents=True, exist_ok=True)
        (other / KEY_FILE).symlink_to((lake / KEY_FILE).absolute())


def _write_once(path: Path, text: str) -> None:
    """A file that only its owner can read; whoever comes first writes it, whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        except OSError:  # a share that knows no hard links
            Path(draft).rename(path)
    finally:
        Path(draft).unlink(missing_ok=True)
