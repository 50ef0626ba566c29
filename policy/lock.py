"""`python -m policy.lock`: write down which text each version of a rule, measure or score has.

What belongs here is the renewal of `rules.lock.yaml`. The refusal of a changed query is in `checks.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from policy.checks import CASES
from policy.engine import Policy, load
from policy.sql_file import ROOT, Measure, PolicyError, Rule, fingerprint

TITLE = "# Written by `python -m policy.lock`. Version and hash of every query, so that a warning can be traced to its text.\n"


def entries(policy: Policy) -> dict[str, dict[str, Any]]:
    """Id -> version and hash, in the order of the ids."""
    items: list[Rule | Measure] = [*policy.rules.values(), *policy.measures.values(), policy.score]
    return {
        item.id: {"version": item.header.version, "sha256": fingerprint(item)}
        for item in sorted(items, key=lambda i: i.id)
    }


def renew(root: Path = ROOT, cases: Path = CASES) -> list[str]:
    """Write the lock and return what changed. A text that changed under an old version is refused, never locked."""
    path = root / "rules.lock.yaml"
    before: dict[str, dict[str, Any]] = {}
    if path.is_file():
        before = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    policy = load(root, cases, locked=False)
    after = entries(policy)
    items = {**policy.rules, **policy.measures, policy.score.id: policy.score}
    for name, entry in after.items():
        old = before.get(name)
        line = items[name].file.line_of_key("version")
        if old and old["version"] == entry["version"] and old["sha256"] != entry["sha256"]:
            raise items[name].file.refuse(f"changed without a new version (still {entry['version']})", line)
        if old and old["version"] > entry["version"]:
            raise items[name].file.refuse(f"goes back from version {old['version']}", line)
    path.write_text(TITLE + yaml.safe_dump(after, sort_keys=True), encoding="utf-8")
    return [
        f"{name}: {(before.get(name) or {}).get('version', 'new')} -> {(after.get(name) or {}).get('version', 'gone')}"
        for name in sorted(set(before) | set(after))
        if before.get(name) != after.get(name)
    ]


def main() -> int:
    """Exit status 0, or 2 when a file is refused."""
    try:
        changes = renew()
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{change}\n" for change in changes) or "nothing changed\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
