"""By which software a state was made: a digest of everything that decides how an identity is read and linked."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACTS = HERE.parent / "data_contracts"
READ = (
    (HERE, "*.py"),
    (HERE, "comparators/*.py"),
    (HERE, "reference/*.csv"),
    (HERE, "reference/*.yaml"),
    (CONTRACTS, "*.py"),
    (CONTRACTS, "reference/*.csv"),
)
"""Rather too much than too little: a change that says nothing new costs one night in which everything is decided."""


@cache
def digest() -> str:
    """The same for the same files, wherever they lie."""
    return digest_of(
        {f"{root.name}/{p.relative_to(root)}": p for root, glob in READ for p in root.glob(glob)}
    )


def digest_of(files: dict[str, Path]) -> str:
    """SHA-256 of files by name."""
    found = hashlib.sha256()
    for name in sorted(files):
        content = files[name].read_bytes()
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()
