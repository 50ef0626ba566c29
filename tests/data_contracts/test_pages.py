"""Committed pages and schemas are what the declarations give, and say what a supplier must know."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from data_contracts.contract import ROOT, Contract, catalogue, code_lists, departments, fact_tables
from data_contracts.pages import (
    contract_page,
    fact_page,
    index_page,
    pages,
    schemas,
    write_pages,
    write_schemas,
)

DOCS = ROOT.parent / "docs"
EVERY_CONTRACT = pytest.mark.parametrize("contract", catalogue().values(), ids=lambda c: c.id)


def test_committed_pages_are_the_generated_ones() -> None:
    generated = pages()
    assert len(generated) == len(catalogue()) + len(fact_tables()) + 3
    stale = [name for name, text in generated.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m data_contracts.pages"


def test_no_page_is_left_over() -> None:
    found = {
        f"{folder}/{path.name}" for folder in ("contracts", "facts") for path in (DOCS / folder).glob("*")
    }
    assert found == set(pages())


def test_committed_schemas_are_the_generated_ones() -> None:
    stale = [name for name, text in schemas().items() if (ROOT / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m data_contracts.pages"
    assert {f"schema/{path.name}" for path in (ROOT / "schema").glob("*")} == set(schemas())


@EVERY_CONTRACT
def test_a_page_tells_what_a_supplier_must_know(contract: Contract) -> None:
    page = contract_page(contract)
    assert contract.title.zh in page
    assert contract.title.en in page
    assert contract.supplying_unit in page
    assert contract.purpose.zh in page
    assert contract.purpose.en in page
    assert all(basis in page for basis in contract.legal_basis)
    assert f"{contract.id}.{contract.delivery.suffix}" in page
    for spec in contract.fields:
        line = next(
            line
            for line in page.splitlines()
            if f"| `{spec.name}` |" in line and line.startswith(f"| {spec.source} |")
        )
        assert ("是 yes" in line) == spec.required
        assert ("不可 no" in line) == (not spec.nullable)
        assert spec.unit is None or f"| {spec.unit} |" in line
    for subject in contract.subjects:
        assert f"| `{subject.role}` |" in page
    for feed in contract.feeds:
        assert f"../facts/{feed.fact}.md" in page
    assert all(f"`{code}`" in page for code in contract.warnings)
    assert all(quirk.zh in page and quirk.en in page for quirk in contract.known_quirks)


@EVERY_CONTRACT
def test_tables_of_a_page_are_even(contract: Contract) -> None:
    """A bar inside a cell must not make a column."""
    widths: list[int] = []
    for line in [*contract_page(contract).splitlines(), ""]:
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(set(widths)) <= 1, line
            widths = []


def test_links_lead_to_pages() -> None:
    generated = pages()
    checked = 0
    for name, text in generated.items():
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            path = ((DOCS / name).parent / target).resolve()
            assert path.exists() or path.relative_to(DOCS).as_posix() in generated, (name, target)
            checked += 1
    assert checked > 500


def test_anchors_lead_to_code_lists() -> None:
    wanted = {a for text in pages().values() for a in re.findall(r"code_lists\.md#(\w+)", text)}
    assert wanted
    assert wanted <= set(code_lists())


def test_the_index_names_every_class_and_department() -> None:
    page = index_page()
    assert all(f"({contract.id}.md)" in page for contract in catalogue().values())
    assert all(f"## {department.title.zh}" in page for department in departments().values())


def test_a_fact_page_shows_units_with_their_period() -> None:
    page = fact_page(fact_tables()["rural_monitor"])
    assert "元/年" in page
    assert "`link_grade`" in page
    assert "ag_poverty_monitor.md" in page
    assert "derived by matching" in fact_page(fact_tables()["person"])


def test_masks_on_pages_hide_the_value() -> None:
    page = contract_page(catalogue()["ps_resident"])
    line = next(line for line in page.splitlines() if line.startswith("| 公民身份号码 |"))
    assert "*" in line
    assert not re.search(r"\d{17}[\dX]", line)


def test_pages_and_schemas_are_written_where_asked(tmp_path: Path) -> None:
    written = write_pages(tmp_path / "docs") + write_schemas(tmp_path / "room")
    assert len(written) == len(pages()) + len(schemas())
    assert (tmp_path / "docs/contracts/ps_resident.md").read_text(encoding="utf-8") == pages()[
        "contracts/ps_resident.md"
    ]


def test_schemas_are_closed_and_know_every_key_in_use() -> None:
    schema = json.loads((ROOT / "schema/contract.schema.json").read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    assert all(
        body.get("additionalProperties") is False
        for body in schema["$defs"].values()
        if body["type"] == "object"
    )
    assert set(catalogue()["ps_resident"].model_dump()) == set(schema["properties"])


def test_first_line_of_a_declaration_names_its_schema() -> None:
    files = [*ROOT.glob("departments/*/*.yaml"), *ROOT.glob("facts/*.yaml"), ROOT / "code_lists.yaml"]
    assert len(files) == 49 + 12 + len(fact_tables()) + 1
    for path in files:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        target = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert target, path.name
        assert (path.parent / target[1]).resolve().exists(), path.name


def test_declarations_stay_readable_for_plain_yaml() -> None:
    """Editors and other tools read the same values (apart from `no`, which YAML 1.1 takes for a boolean)."""
    for path in ROOT.glob("departments/*/*.yaml"):
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
