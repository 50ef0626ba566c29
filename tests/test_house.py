"""The house keeps its shape: who may import whom, where Dagster lives, which folders exist, what files say first."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ["assets", "data_contracts", "matching", "pipelines", "policy", "reports", "sample_data"]
MAY_IMPORT: dict[str, set[str]] = {
    "data_contracts": set(),
    "matching": {"data_contracts"},
    "policy": {"data_contracts"},
    "reports": {"data_contracts", "policy"},
    "sample_data": {"data_contracts"},
    "assets": {"data_contracts", "matching", "policy", "reports"},
    "pipelines": set(ROOMS) - {"pipelines"},
}
TOP_LEVEL = {*ROOMS, "tests", "docs", "benchmarks"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


MODULES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))


def test_there_are_modules_in_every_room():
    assert {p.relative_to(ROOT).parts[0] for p in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    room = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imports(path)} & set(ROOMS) - {room}
    assert ours <= MAY_IMPORT[room], f"{room} must not import {sorted(ours - MAY_IMPORT[room])}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_dagster_lives_in_assets_and_pipelines_alone(path):
    uses = any(name.split(".")[0] == "dagster" for name in imports(path))
    assert not uses or path.relative_to(ROOT).parts[0] in {"assets", "pipelines"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_belongs_in_it(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert docstring.partition("\n")[0].rstrip().endswith((".", ":")), "a first line that is a sentence"


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(ROOT).parts[0] in {"assets", "pipelines"}],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_asset_modules_keep_their_annotations(path):
    assert "from __future__ import annotations" not in path.read_text(encoding="utf-8"), (
        "Dagster refuses the context"
    )


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(ROOT).parts[0] not in {"pipelines"}],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_clock_is_read_below_pipelines(path):
    """Law 7: the business date is a parameter."""
    text = path.read_text(encoding="utf-8")
    calls = re.findall(r"(?:date\.today|datetime\.now|datetime\.utcnow|time\.time)\(", text)
    assert not calls, f"reads a clock: {calls}"


def test_no_query_reads_a_clock():
    queries = [p for room in ROOMS for p in (ROOT / room).rglob("*.sql")]
    assert queries
    pattern = re.compile(r"\b(?:current_date|current_timestamp|today\(\)|now\(\))", re.IGNORECASE)
    assert [str(p.relative_to(ROOT)) for p in queries if pattern.search(p.read_text(encoding="utf-8"))] == []


def test_no_script_hides_a_module_of_the_standard_library():
    """A script's folder comes first on the import path of every script in it."""
    scripts = {p.stem for p in (ROOT / "benchmarks").glob("*.py")}
    assert scripts
    assert scripts & sys.stdlib_module_names == set()


def test_no_folder_beside_those_of_the_design():
    folders = {p.relative_to(ROOT).parts[0] for p in tracked() if len(p.relative_to(ROOT).parts) > 1}
    assert {f for f in folders if not f.startswith(".")} <= TOP_LEVEL


def test_no_file_names_a_machine_or_a_registry():
    pattern = re.compile(rb"/(?:work|root|tmp)/[a-z]|https?://[a-z.]*(?:pypi|pythonhosted|npmjs)\.")
    own = Path(__file__).resolve()
    hits = [
        str(p.relative_to(ROOT))
        for p in tracked()
        if p != own and p.stat().st_size < 2**21 and pattern.search(p.read_bytes())
    ]
    assert tracked()
    assert not hits
