"""The catalogue page of every rule is what its header, parameters and cases give."""

from __future__ import annotations

from policy.engine import default_policy
from policy.pages import FOLDER, main, pages


def test_pages_in_the_repository_are_up_to_date():
    assert main(["--check"]) == 0
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages())


def test_a_page_says_what_an_officer_asks():
    made = pages()
    assert len(made) == len(default_policy().rules) + 1
    text = made["X07_financial_assets.md"]
    for part in (
        "请核查",
        "县民政局核对中心",
        "银行",
        "未知 not known",
        "without a signed authorisation",
        "select",
        "1595.00",
    ):
        assert part in text, part
    for rule in default_policy().rules.values():
        assert rule.header.title.zh in made["index.md"]
        assert rule.header.known_gaps.zh in made[f"{rule.name}.md"]
