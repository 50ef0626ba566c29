"""Pages of the policy in Chinese and English: rules, measures and parameters, from headers, values and cases.

What belongs here is the making of `docs/rules`, `docs/measures` and `docs/parameters`. `python -m policy.pages` writes them;
`--check` says whether they are what the sources give. No page here knows a night: hits belong to a deployment and stand in
the catalogue that each night writes (`reports/catalogue.py`), as does which value holds today.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_contracts.contract import catalogue
from policy.cases import Located, read_cases
from policy.checks import CASES
from policy.engine import Policy, default_policy
from policy.parameter_words import EVIDENCE_EN, EVIDENCE_ZH, Saying, latest, place_zh, sayings
from policy.parameters import Parameter, Value
from policy.sql_file import ROOT, Measure, Need, Rule
from policy.vocabulary import GRADES

DOCS = ROOT.parent / "docs"
FOLDERS = ("rules", "measures", "parameters")
MADE = "<!-- Made by `python -m policy.pages`; edit the rule, measure or parameter instead. -->\n"
LIST_ZH = {"help_in": "可能需要帮助", "check_out": "请核查"}
LEVEL_ZH = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}
SUBJECT_ZH = {"household": "户", "person": "人", "case": "救助证"}
SECOND_HAND = ("凭记忆", "须核实", "待核", "原文未见", "转载", "仅一处来源", "疑似")
"""Words by which a source says of itself that its text was not read."""

VALUE_HEAD = ["地区 place", "数值 value", "自 from", "至 to", "性质 evidence", "依据 source"]


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


def _said(place: str, saying: Saying) -> list[Any]:
    return [
        place,
        saying.text,
        saying.valid_from,
        saying.until_zh,
        f"{EVIDENCE_ZH[saying.evidence]} {saying.evidence}",
        saying.source,
    ]


def _places(values: Iterable[Value]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        found[value.division].append(value)
    return dict(sorted(found.items()))


def _latest_rows(parameter: Parameter, values: Iterable[Value]) -> list[list[Any]]:
    """What each place has last, places of which all is the same together."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for division, own in _places(values).items():
        key = tuple(sayings(parameter, latest(own)))
        alike.setdefault(key, []).append(division)
    return [
        _said("、".join(map(place_zh, divisions)), saying)
        for said, divisions in alike.items()
        for saying in said
    ]


def _parameter(parameter: Parameter, rule: Rule) -> str:
    """The last value of every place; of windows only those that the rule or its measures name."""
    values = parameter.written
    if "window" in parameter.header.keys:
        own = [value for value in values if f"'{value.keys[0]}'" in rule.file.query]
        values = tuple(own) or values
    header = parameter.header
    text = f"### {header.title.zh} · {header.title.en}\n\n"
    text += f"[`{parameter.id}`](../parameters/{parameter.id}.md)，{header.unit}\n\n"
    return text + _table(VALUE_HEAD, _latest_rows(parameter, values))


def _measures(found: list[Measure]) -> str:
    return _table(
        ["计量 measure", "粒度 grain", "单位 unit", "期间 period", "依据 source"],
        [
            [
                f"[{m.header.title.zh} `{m.id}`](../measures/{m.id}.md)",
                m.header.grain,
                m.header.unit,
                m.header.period,
                m.header.source,
            ]
            for m in found
        ],
    )


def _changes(item: Rule | Measure) -> str:
    changes = item.header.changelog
    return "## 变更 Changes\n\n" + "".join(f"- {c.version} ({c.since}): {c.what}\n" for c in changes)


def _query(item: Rule | Measure) -> str:
    return f"## 查询 Query\n\n```sql\n{item.file.query}\n```\n\n"


def _data(needs: dict[str, Need], uses: dict[str, Need], what_zh: str, what_en: str) -> str:
    titles = _titles()
    text = f"## 数据 What it needs\n\n缺少其中任何一项（“或”为全部缺少），{what_zh}当晚不作判断，并在清单上注明。\n\n"
    text += f"Without one of these (all of them, where it says 或) {what_en} is off that night, and the list says so.\n\n"
    text += _table(["事实 fact", "来源 sources", "最多天数 days"], _sources(needs, titles))
    if uses:
        text += "仅用于排除或补充 Used to leave somebody out, or to say more:\n\n"
        text += _table(["事实 fact", "来源 sources", "最多天数 days"], _sources(uses, titles))
    return text


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
    text += "\n" + _data(needs, uses, "本规则", "the rule")
    text += f"## 已知不足 Known gaps\n\n{header.known_gaps.zh}\n\n{header.known_gaps.en}\n\n"
    text += f"## 可能的误报 False alarms\n\n{header.false_alarms.zh}\n\n{header.false_alarms.en}\n\n"
    names = policy.parameters_of(rule)
    if names:
        text += "## 各地参数 Parameters by place\n\n"
        text += "每地只列最后一段；全部历史见参数页。没有数值、或注明未知的县，本规则不作判断，并在清单上注明。\n\n"
        text += "The last value of each place; its history is on the page of the parameter. Where there is no value, or it is said "
        text += "not to be known, the rule is off and the list says so.\n\n"
        text += "".join(_parameter(policy.parameters[name], rule) for name in names)
    if optional := _parameters_if_known(rule, policy):
        text += "没有也能判断的参数 Parameters it does without: "
        text += "、".join(f"[`{name}`](../parameters/{name}.md)" for name in optional) + "\n\n"
    found = read_cases(cases / rule.list_kind / f"{rule.name}.yaml")
    text += f"## 用例 Cases ({len(found)})\n\n" + _cases(found)
    if measures := policy.measures_of(rule):
        text += "## 用到的计量 Measures\n\n" + _measures(measures)
    return text + _query(rule) + _changes(rule)


def _parameters_if_known(rule: Rule, policy: Policy) -> list[str]:
    """Parameters that the rule and its measures read and do without where they are not known."""
    named = {*rule.header.parameters_if_known}
    for measure in policy.measures_of(rule):
        named |= set(measure.header.parameters_if_known)
    return sorted(named - set(policy.parameters_of(rule)))


def _rests_on(measure: Measure, policy: Policy) -> list[Rule]:
    return [rule for rule in policy.rules.values() if measure in policy.measures_of(rule)]


def measure_page(measure: Measure, policy: Policy, cases: Path = CASES) -> str:
    """The page of one measure, or of the composite index."""
    header = measure.header
    text = MADE + f"# {header.title.zh} · {header.title.en}\n\n"
    rules = _rests_on(measure, policy)
    text += _table(
        ["", ""],
        [
            ["计量 measure", f"`{measure.id}`"],
            ["粒度 grain", header.grain],
            ["单位 unit", header.unit],
            ["期间 period", header.period],
            ["依据 source", header.source],
            ["版本 version", header.version],
            ["每晚留存 kept every night", "是 yes" if header.published else "否 no"],
            ["用到它的规则 rules", "、".join(f"[{r.id}](../rules/{r.name}.md)" for r in rules) or "—"],
        ],
    )
    text += "## 列 Columns\n\n" + _table(
        ["列 column", "含义 meaning"], [[f"`{name}`", what] for name, what in header.columns.items()]
    )
    text += _data(header.needs, header.uses, "用到它的规则", "a rule that rests on it")
    text += f"## 已知不足 Known gaps\n\n{header.known_gaps.zh}\n\n{header.known_gaps.en}\n\n"
    if names := [*header.parameters, *header.parameters_if_known]:
        text += "## 参数 Parameters\n\n" + "".join(
            f"- [{policy.parameters[name].header.title.zh} `{name}`](../parameters/{name}.md)\n"
            for name in names
        )
        text += "\n"
    path = cases / "measures" / f"{measure.id}.yaml"
    if path.is_file():
        found = read_cases(path)
        text += f"## 用例 Cases ({len(found)})\n\n" + _cases(found)
    if below := policy.measures_of(measure):
        text += "## 用到的计量 Measures\n\n" + _measures(below)
    return text + _query(measure) + _changes(measure)


def measures_index(policy: Policy) -> str:
    """The index of the measures."""
    text = MADE + "# 计量目录 · Measures\n\n"
    text += "规则共用的数量：每项写明粒度、单位、期间和依据。 Quantities that rules share, each with grain, unit, period and source.\n\n"
    return text + _table(
        ["计量 measure", "Measure", "粒度 grain", "单位 unit", "期间 period", "用到它的规则 rules"],
        [
            [
                f"[{m.header.title.zh} `{m.id}`]({m.id}.md)",
                m.header.title.en,
                m.header.grain,
                m.header.unit,
                m.header.period,
                "、".join(rule.id for rule in _rests_on(m, policy)) or "—",
            ]
            for m in [*policy.measures.values(), policy.score]
        ],
    )


def _readers(parameter: Parameter, policy: Policy) -> list[Rule]:
    return [
        rule
        for rule in policy.rules.values()
        if parameter.id in {*policy.parameters_of(rule), *_parameters_if_known(rule, policy)}
    ]


def _evidence_zh(values: Iterable[Value]) -> str:
    counts = Counter(value.evidence for value in values)
    return "、".join(f"{zh}{counts[name]}" for name, zh in EVIDENCE_ZH.items() if counts[name])


def parameter_page(parameter: Parameter, policy: Policy) -> str:
    """Every dated value of one parameter, place by place."""
    header = parameter.header
    rules = _readers(parameter, policy)
    text = MADE + f"# {header.title.zh} · {header.title.en}\n\n"
    rows = [
        ["参数 parameter", f"`{parameter.id}`"],
        ["单位 unit", header.unit],
        ["键 keys", "、".join(f"`{key}`" for key in header.keys) or "—"],
        ["列 columns", "、".join(f"`{name}` {kind}" for name, kind in header.columns.items())],
        ["用到它的规则 rules", "、".join(f"[{r.id}](../rules/{r.name}.md)" for r in rules) or "—"],
    ]
    if header.carried:
        rows.append(
            [
                "沿用 carried on",
                f"最后一次所见的数值{header.carried.after_months}个月后降为代用值，{header.carried.up_to_months}个月后按未知处理 · "
                f"weaker after {header.carried.after_months} months, not known after {header.carried.up_to_months}",
            ]
        )
    text += _table(["", ""], rows)
    if header.description:
        text += f"{header.description.zh}\n\n{header.description.en}\n\n"
    text += "## 数值 Values\n\n"
    said = [
        _said(place_zh(division), saying)
        for division, own in _places(parameter.written).items()
        for saying in sayings(parameter, sorted(own, key=lambda v: v.valid_from))
    ]
    return text + _table(VALUE_HEAD, said)


def parameters_index(policy: Policy) -> str:
    """All parameters, then every place with what it has of its own."""
    found = policy.parameters
    text = MADE + "# 各地参数 · Parameters by place\n\n"
    text += (
        "规则中的数值都在这里，按地区和日期保存，写明依据和性质；最具体的地区优先。注明“未知”的，相关规则在当地停用并在清单上注明；"
        "没有列出的地方，用全国一栏；全国一栏也没有的（如低保标准），相关规则停用。\n\n"
    )
    text += (
        "Every number that a rule uses stands here, by place and date, with its source and what it is worth. The most specific place "
        "wins. Where a value is said not to be known the rules that need it are off, and say so; a place that is not listed has what "
        "the country has, and where the country has nothing (as of the dibao standard) the rules are off.\n\n"
    )
    text += _table(
        ["性质 evidence", "", "meaning"],
        [[f"`{name}`", zh, EVIDENCE_EN[name]] for name, zh in EVIDENCE_ZH.items()],
    )
    own_standard = {value.division for value in found["dibao_standard"].values if value.columns}
    text += "待当地确认的：[to-confirm](to-confirm.md)。 What is to be confirmed: [to-confirm](to-confirm.md).\n\n"
    text += f"有低保标准的行政区划：{len(own_standard)}个。 Divisions with a dibao standard: {len(own_standard)}.\n\n"
    text += "## 参数 Parameters\n\n" + _table(
        ["参数", "Parameter", "单位 unit", "地区数 places", "性质 evidence", "规则 rules"],
        [
            [
                f"[{p.header.title.zh} `{p.id}`]({p.id}.md)",
                p.header.title.en,
                p.header.unit,
                len({value.division for value in p.values}),
                _evidence_zh(latest_of_all(p)),
                "、".join(rule.id for rule in _readers(p, policy)) or "—",
            ]
            for p in found.values()
        ],
    )
    text += "## 地区 Places\n\n每地只列最后一段。 The last value of each place.\n\n"
    alike: dict[tuple[tuple[str, Saying], ...], list[str]] = {}
    for division in sorted({value.division for p in found.values() for value in p.values}):
        rows = tuple(
            (p.id, saying)
            for p in found.values()
            for saying in sayings(p, latest([v for v in p.written if v.division == division]))
        )
        alike.setdefault(rows, []).append(division)
    for rows, divisions in alike.items():
        text += f"### {'、'.join(map(place_zh, divisions))}\n\n" + _table(
            ["参数 parameter", *VALUE_HEAD[1:]],
            [_said(f"[{found[name].header.title.zh} `{name}`]({name}.md)", saying) for name, saying in rows],
        )
    return text


def latest_of_all(parameter: Parameter) -> list[Value]:
    """The last value of every place and combination of keys."""
    return [value for own in _places(parameter.written).values() for value in latest(own)]


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


def _to_confirm_rows(policy: Policy, evidence: str | None) -> list[list[Any]]:
    """The last values of one evidence, or of any evidence those whose source is second-hand; place by place."""
    return [
        [f"[{p.header.title.zh} `{p.id}`]({p.id}.md)", *_said(place_zh(division), saying)]
        for p in policy.parameters.values()
        for division, own in _places(p.written).items()
        for saying in sayings(p, latest(own))
        if (saying.evidence == evidence if evidence else any(word in saying.source for word in SECOND_HAND))
    ]


def to_confirm(policy: Policy) -> str:
    """What a deployment has to confirm: sources that nobody read in full, values not known, borrowed or proposed."""
    head = ["参数 parameter", *VALUE_HEAD]
    text = MADE + "# 待当地确认的数值与出处 · Values and sources to be confirmed\n\n"
    text += (
        "以下各项由参数文件和规则说明头自动汇总：只列各地最后一段。确认后，在参数文件里写上本地数值、起始日和依据，本页随之减少。"
        "还有哪些问题需要当地答复，见[政策待确认事项](../policy-open-points.md)。\n\n"
    )
    text += (
        "Gathered from parameters and headers; of each place the last value. What is confirmed is written into the parameter with its day "
        "and source, and is gone from here. Questions that are no single value: [open points](../policy-open-points.md).\n\n"
    )
    text += "## 文件依据未核 Legal bases not checked\n\n" + _table(
        ["规则 rule", "依据 legal basis"],
        [
            [f"[{rule.id}](../rules/{rule.name}.md)", basis]
            for rule in policy.rules.values()
            for basis in rule.header.legal_basis
            if any(word in basis for word in SECOND_HAND)
        ],
    )
    text += "## 出处未见原文 Sources that were not read in full\n\n"
    text += _table(head, _to_confirm_rows(policy, None))
    for evidence in ("not_known", "model", "proposal", "proxy"):
        text += f"## {EVIDENCE_ZH[evidence]} `{evidence}`\n\n{EVIDENCE_EN[evidence]}.\n\n"
        text += _table(head, _to_confirm_rows(policy, evidence))
    return text


def pages(policy: Policy | None = None, cases: Path = CASES) -> dict[str, str]:
    """Path below docs -> text of every page."""
    policy = policy or default_policy()
    return {
        "rules/index.md": index_page(policy),
        "measures/index.md": measures_index(policy),
        "parameters/index.md": parameters_index(policy),
        "parameters/to-confirm.md": to_confirm(policy),
        **{f"rules/{rule.name}.md": rule_page(rule, policy, cases) for rule in policy.rules.values()},
        **{
            f"measures/{measure.id}.md": measure_page(measure, policy, cases)
            for measure in [*policy.measures.values(), policy.score]
        },
        **{f"parameters/{p.id}.md": parameter_page(p, policy) for p in policy.parameters.values()},
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which differ (exit status 1)."""
    made = pages()
    there = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in (DOCS / folder).glob("*.md")
    }
    stale = sorted(name for name in {*made, *there} if made.get(name) != there.get(name))
    if "--check" in arguments:
        sys.stdout.writelines(
            f"docs/{name} is not what the policy says; run `python -m policy.pages`\n" for name in stale
        )
        return 1 if stale else 0
    for name in stale:
        path = DOCS / name
        if name in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
