"""Rule catalogue: one page a rule and an index, in Chinese and English, from headers, parameters and cases.

What belongs here is the making of `docs/rules/*.md`. `python -m policy.pages` writes them; `--check` says whether they are
what the sources give. Hits of a night are not in them: pages belong to the repository, hits to a deployment.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

from data_contracts.contract import catalogue
from policy.cases import Located, read_cases
from policy.checks import CASES
from policy.engine import Policy, default_policy
from policy.parameters import FOREVER, Parameter
from policy.sql_file import ROOT, Need, Rule
from policy.vocabulary import GRADES

FOLDER = ROOT.parent / "docs" / "rules"
MADE = "<!-- Made by `python -m policy.pages`; edit the rule instead. -->\n"
LIST_ZH = {"help_in": "可能需要帮助", "check_out": "请核查"}
LEVEL_ZH = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}
SUBJECT_ZH = {"household": "户", "person": "人", "case": "救助证"}


def _row(*cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def _table(head: list[str], rows: list[list[Any]]) -> str:
    return _row(*head) + _row(*["---"] * len(head)) + "".join(_row(*row) for row in rows) + "\n"


def _titles() -> dict[str, str]:
    return {contract.id: contract.title.zh for contract in catalogue().values()}


def _sources(needs: dict[str, Need], titles: dict[str, str]) -> list[list[Any]]:
    return [
        [
            f"`{fact}`",
            (" 且 " if need.all else " 或 ").join(f"{titles.get(s, s)} `{s}`" for s in need.sources),
            need.max_age_days,
        ]
        for fact, need in needs.items()
    ]


def _until(day: date) -> str:
    return "" if day == FOREVER else day.isoformat()


def _parameter(parameter: Parameter, rule: Rule) -> str:
    """Values of a parameter; of windows only those that the rule names."""
    values = parameter.values
    if "window" in parameter.header.keys:
        values = tuple(value for value in values if f"'{value.keys[0]}'" in rule.file.query)
    head = [
        "地区 division",
        *parameter.header.keys,
        "自 from",
        "至 to",
        *parameter.header.columns,
        "依据 source",
        "性质",
    ]
    rows = [
        [
            value.division,
            *value.keys,
            value.valid_from,
            _until(value.valid_to),
            *(
                value.columns
                if value.columns is not None
                else ["未知 not known"] * len(parameter.header.columns)
            ),
            value.source,
            value.evidence,
        ]
        for value in values
    ]
    text = f"### {parameter.header.title.zh} · {parameter.header.title.en}\n\n`{parameter.id}`，{parameter.header.unit}\n\n"
    return text + _table(head, rows)


def _cases(found: list[Located]) -> str:
    rows = [
        [
            located.case.as_of,
            located.case.name,
            "、".join(_expected(row) for row in located.case.expect) or "不提示 nothing",
        ]
        for located in found
    ]
    return _table(["日期 as of", "用例 case", "应提示 expected"], rows)


def _expected(row: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in row.items() if key != "reason_contains")


def rule_page(rule: Rule, policy: Policy, cases: Path = CASES) -> str:
    """The page of one rule."""
    header = rule.header
    titles = _titles()
    needs, uses = policy.needs_of(rule)
    levels = "、".join(LEVEL_ZH[level] for level in (header.levels or [header.level]))
    sentences = "".join(
        f"- {'' if cause is None else f'`{cause}` '}{template}\n"
        for cause, template in header.sentences().items()
    )
    text = MADE + f"# {header.id} {header.title.zh} · {header.title.en}\n\n"
    text += _table(
        ["", ""],
        [
            ["清单 list", f"{LIST_ZH[rule.list_kind]} `{rule.list_kind}`"],
            ["等级 level", f"{levels}（{', '.join(header.levels or [header.level])}）"],
            ["对象 subject", f"{SUBJECT_ZH[header.subject]} `{header.subject}`"],
            ["版本 version", header.version],
            ["负责 owner", header.owner],
            ["有效期至 expires", header.expires],
            ["关联等级 link grades", "、".join(GRADES[rule.list_kind])],
            [
                "重复静默 suppression",
                "从不 never" if header.never_suppress else "按参数 as the parameter says",
            ],
        ],
    )
    text += "## 依据 Legal basis\n\n" + "".join(f"- {basis}\n" for basis in header.legal_basis)
    text += "\n## 理由 What it says\n\n" + sentences
    text += "\n## 数据 What it needs\n\n缺少其中任何一项（“或”为全部缺少），本规则当晚不作判断，并在清单上注明。\n\n"
    text += "Without one of these (all of them, where it says 或) the rule is off that night, and the list says so.\n\n"
    text += _table(["事实 fact", "来源 sources", "最多天数 days"], _sources(needs, titles))
    if uses:
        text += "仅用于排除或补充 Used to leave somebody out, or to say more:\n\n"
        text += _table(["事实 fact", "来源 sources", "最多天数 days"], _sources(uses, titles))
    text += f"## 已知不足 Known gaps\n\n{header.known_gaps.zh}\n\n{header.known_gaps.en}\n\n"
    text += f"## 可能的误报 False alarms\n\n{header.false_alarms.zh}\n\n{header.false_alarms.en}\n\n"
    names = policy.parameters_of(rule)
    if names:
        text += "## 参数 Parameters\n\n没有数值的县，本规则不作判断。 Where there is no value, the rule is off.\n\n"
        text += "".join(_parameter(policy.parameters[name], rule) for name in names)
    found = read_cases(cases / rule.list_kind / f"{rule.name}.yaml")
    text += f"## 用例 Cases ({len(found)})\n\n" + _cases(found)
    measures = policy.measures_of(rule)
    if measures:
        text += "## 用到的计量 Measures\n\n"
        text += _table(
            ["计量 measure", "粒度 grain", "单位 unit", "期间 period", "依据 source"],
            [
                [
                    f"{m.header.title.zh} `{m.id}`",
                    m.header.grain,
                    m.header.unit,
                    m.header.period,
                    m.header.source,
                ]
                for m in measures
            ],
        )
    text += f"## 查询 Query\n\n```sql\n{rule.file.query}\n```\n\n## 变更 Changes\n\n"
    text += "".join(f"- {change.version} ({change.since}): {change.what}\n" for change in header.changelog)
    return text


def index_page(policy: Policy) -> str:
    """The index of the catalogue."""
    text = MADE + "# 规则目录 · Rule catalogue\n\n"
    text += "规则只提示“请核实”，不作任何决定。 A rule says “please look”; it decides nothing.\n\n"
    for kind, title in LIST_ZH.items():
        rules = [rule for rule in policy.rules.values() if rule.list_kind == kind]
        text += f"## {title} `{kind}`\n\n"
        text += _table(
            ["", "预警", "Warning", "等级", "负责", "依据"],
            [
                [
                    f"[{rule.id}]({rule.name}.md)",
                    rule.header.title.zh,
                    rule.header.title.en,
                    "、".join(LEVEL_ZH[level] for level in (rule.header.levels or [rule.header.level])),
                    rule.header.owner,
                    rule.header.legal_basis[0],
                ]
                for rule in rules
            ],
        )
    return text


def pages(policy: Policy | None = None, cases: Path = CASES) -> dict[str, str]:
    """File name -> text of every page."""
    policy = policy or default_policy()
    found = {f"{rule.name}.md": rule_page(rule, policy, cases) for rule in policy.rules.values()}
    return {"index.md": index_page(policy)} | found


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which differ (exit status 1)."""
    made = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in {*made, *there} if made.get(name) != there.get(name))
    if "--check" in arguments:
        sys.stdout.writelines(
            f"docs/rules/{name} is not what the rules say; run `python -m policy.pages`\n" for name in stale
        )
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in made:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
