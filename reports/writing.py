"""Writes what leaves after a night: lists and visit sheets, county overviews, the quality report, the manifest.

Which rows an output has belongs in `definitions/`, how they look in `workbook.py` and `page.py`. Files are written
into a draft folder that takes the place of outbox/<date> when it is whole, so a night that was killed leaves
either the old outputs or the new ones.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from reports import catalogue, page, plot, workbook
from reports import manifest as manifests
from reports.definition import Definition, Output, outputs, run, sheets
from reports.manifest import OutputFile, output_file
from reports.night import (
    LIST_ZH,
    SOURCE_ZH,
    ListKind,
    NightFrames,
    Prepared,
    department_names,
    prepare,
    views,
)

LIST_KINDS: tuple[ListKind, ...] = ("help_in", "check_out")
CONFIDENTIAL = "内部资料，注意保密"

LAW = "本清单仅为线索，不是认定结论：不得据此停发、减发任何救助金；须入户核查后按规定程序办理。"
"""What stands on whatever shows a single warning."""

LOG = logging.getLogger(__name__)

Words = list[tuple[str, list[tuple[str, ...]]]]
"""Blocks of the sheet 说明: a heading and rows of text."""


@dataclass(frozen=True)
class Written:
    """The files that left, in order of path, and in Chinese what somebody must look at (empty when all is well)."""

    files: list[OutputFile]
    attention: list[str]


def write_all(inputs: NightFrames, as_of: date, outbox: Path, code_version: str) -> Written:
    """Write every output of a night to outbox/<as_of> and describe each file.

    Same frames, same date, same code version: same bytes. Replaces what an earlier run of the same night left. An
    identifier in clear is covered and reported; a quality report that cannot be written is left out and reported:
    neither stops a list.
    """
    prepared = prepare(inputs, as_of)
    draft = outbox / f".draft-{as_of}"
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(parents=True)
    files = [
        *write_lists(prepared, draft),
        *write_overviews(prepared, draft),
        *write_tables(prepared, draft, outputs()),
    ]
    broken: list[str] = []
    try:
        files += write_quality(prepared, draft, code_version)
    except Exception as error:
        # Officers wait for the lists; the page for the auditor can be made when its cause is known.
        LOG.error("the quality report could not be written: %s", type(error).__name__)
        broken = [f"质量报告未能生成（程序出错：{type(error).__name__}）"]
    try:
        files += write_catalogues(prepared, draft)
    except Exception as error:
        LOG.error("the rule catalogue could not be written: %s", type(error).__name__)
        broken.append(f"规则目录未能生成（程序出错：{type(error).__name__}）")
    files.sort(key=lambda f: f.path)
    content = manifests.manifest(files, inputs, as_of, code_version, prepared.gate, broken)
    (draft / manifests.NAME).write_bytes(manifests.manifest_bytes(content))
    _replace(draft, outbox / as_of.isoformat(), outbox / f".old-{as_of}")
    return Written(files, content["attention"])


def _replace(draft: Path, final: Path, old: Path) -> None:
    """The draft takes the place of the folder. What a run killed between the two renames left is removed."""
    if final.exists():
        if old.exists():
            shutil.rmtree(old)
        final.rename(old)
    draft.rename(final)
    if old.exists():
        shutil.rmtree(old)


# --- lists ------------------------------------------------------------------------------------------------------


def write_lists(prepared: Prepared, folder: Path) -> list[OutputFile]:
    """Per township and list a workbook and printable visit sheets; a township without a row gets both too."""
    return [file for kind in LIST_KINDS for file in _lists_of_kind(prepared, kind, folder)]


def _by(frame: pl.DataFrame, column: str) -> dict[str, pl.DataFrame]:
    return {
        str(key[0]): part
        for key, part in frame.partition_by(column, as_dict=True, maintain_order=True).items()
    }


def _lists_of_kind(prepared: Prepared, kind: ListKind, folder: Path) -> Iterator[OutputFile]:
    seen = views(prepared, "township", kind)
    every = outputs()
    main = every[f"list_{kind}"]
    parts = {name: every[f"list_{kind}_{name}"] for name in ("members", "items")}
    split = {
        "main": _by(run(main, seen, prepared.as_of), "jurisdiction"),
        **{name: _by(run(part, seen, prepared.as_of), "jurisdiction") for name, part in parts.items()},
    }
    blank = {
        "main": run(main, {k: v.clear() for k, v in seen.items()}, prepared.as_of),
        **{n: run(p, {k: v.clear() for k, v in seen.items()}, prepared.as_of) for n, p in parts.items()},
    }
    states = _by(prepared.rule_states.filter(pl.col("list_kind") == kind), "county_code")
    # What is said of rules and sources is the same in all townships of a county.
    said = {
        county: (
            [_off_band(rules), *_refused_band(_read_by(kind, prepared.sources, rules, prepared.night.rules))],
            _words(kind, prepared.sources, rules, prepared.night.rules),
        )
        for county in prepared.counties["county_code"]
        for rules in [states.get(county, prepared.rule_states.clear())]
    }
    unlisted = set(split["main"]) - set(prepared.townships["township_code"])
    if unlisted:
        raise ValueError(f"families in townships that get no list: {sorted(unlisted)}")
    for place in prepared.townships.iter_rows(named=True):
        code = place["township_code"]
        rows = {name: found.get(code, blank[name]) for name, found in split.items()}
        yield from _township_list(prepared, kind, place, rows, said[place["county_code"]], folder)


def _place_zh(place: Mapping[str, str]) -> str:
    return f"{place['prefecture_zh']}{place['county_zh']}{place['township_zh']}"


def _safe(name: str) -> str:
    """A place's name in a file name; signs that a file system refuses become dashes."""
    return "".join("-" if c in '\\/:*?"<>|' else c for c in name)


def _summary(main: pl.DataFrame) -> str:
    if not main.height:
        return "本期共0户。没有记录只表示按现有数据和启用的规则没有发现线索。"
    levels = Counter(main["level_zh"])
    states = Counter(text[:2] for text in main["state"])
    by_level = "、".join(f"{zh}{levels[zh]}户" for zh in "红橙黄蓝" if zh in levels)
    by_state = "、".join(f"{zh}{states[zh]}户" for zh in ("新增", "持续", "变化") if zh in states)
    return f"本期共{main.height}户：{by_level}；其中{by_state}。请在右侧绿色栏目中填写结果，填好后按原文件名报回；填写说明见“说明”页。"


def _off_band(rules: pl.DataFrame) -> tuple[str, str]:
    off = rules.filter(pl.col("status") != "on")
    limited = rules.filter((pl.col("status") == "on") & (pl.col("reason_zh") != ""))
    if not off.height:
        partly = f"其中{limited.height}条所用数据不全，见“说明”页。" if limited.height else ""
        return ("plain", f"本期各条规则全部启用。{partly}" if rules.height else "本期没有可用的规则。")
    head = f"本期停用的规则（{off.height}条；停用只表示数据未到或有问题，不代表没有这类情况）："
    if off.height > 4:
        names = "、".join(off["title_zh"])
        return ("off", f"{head}{names}。原因见“说明”页。")
    reasons = "\n".join(
        f"· {r['title_zh']}：{r['reason_zh'] or '原因未注明。'}" for r in off.iter_rows(named=True)
    )
    return ("off", f"{head}\n{reasons}")


def _refused_band(sources: pl.DataFrame) -> list[tuple[str, str]]:
    """Which files were refused, and which used though faulty, why, and of which day the data are."""
    refused = sources.filter(pl.col("status").is_in(["failed", "held"]))
    if refused.is_empty():
        return []
    turned_away = pl.col("note_zh").str.contains("未采用")
    return [
        *_told_band("送达的文件未能采用", refused.filter(turned_away)),
        *_told_band("已采用但不完整或未通过检查", refused.filter(~turned_away)),
    ]


def _told_band(what: str, sources: pl.DataFrame) -> list[tuple[str, str]]:
    if sources.is_empty():
        return []
    head = f"有{sources.height}类数据{what}："
    if sources.height > 4:
        return [("off", f"{head}{'、'.join(sources['class_zh'])}。原因和数据日期见“说明”页。")]
    notes = "\n".join(
        f"· {r['class_zh']}：{r['note_zh'].rstrip('。')}。" for r in sources.iter_rows(named=True)
    )
    return [("off", f"{head}\n{notes}")]


def _township_list(
    prepared: Prepared,
    kind: ListKind,
    place: Mapping[str, str],
    rows: Mapping[str, pl.DataFrame],
    said: tuple[list[tuple[str, str]], Words],
    folder: Path,
) -> Iterator[OutputFile]:
    as_of = prepared.as_of
    every = outputs()
    main = every[f"list_{kind}"].definition
    members, items = (every[f"list_{kind}_{n}"].definition for n in ("members", "items"))
    where, day = _place_zh(place), page.day_zh(as_of)
    footer = f"{where} {LIST_ZH[kind]} {day} {CONFIDENTIAL}"
    book = workbook.Book(as_of, f"{main.title.zh} {where} {day}", CONFIDENTIAL, prepared.gate)
    ranges = workbook.answer_ranges(kind)
    workbook.write_table(
        book, main, rows["main"],
        heading=f"{main.title.zh}（{where}，{day}）",
        bands=[("law", main.note_zh or ""), ("plain", _summary(rows["main"])), *said[0]],
        answers=ranges, footer=footer, shorten=True, terms=prepared.terms(place["county_code"]),
    )  # fmt: skip
    workbook.write_table(
        book, members, rows["members"],
        heading=f"{members.title.zh}（{where}，{day}）", bands=[("plain", members.note_zh or "")], footer=footer,
    )  # fmt: skip
    workbook.write_words(
        book,
        "说明",
        said[1],
        (27, 32, 12, 14, 60),
        footer,
    )
    workbook.write_table(
        book, items, rows["items"],
        heading=f"{items.title.zh}（{where}，{day}）", bands=[("plain", items.note_zh or "")],
        answers=ranges, footer=footer,
    )  # fmt: skip
    workbook.write_codes(book, kind)
    workbook.write_return_keys(book, rows["items"], kind, place["township_code"], as_of)
    base = (main.folder or "").format(jurisdiction=place["township_code"])
    name = (main.file or "").format(place=_safe(place["township_zh"]), as_of=as_of)
    shared: dict[str, Any] = {
        "audience": main.audience,
        "jurisdiction": place["township_code"],
        "list_kind": kind,
        "rows": rows["main"].height,
    }
    yield output_file(folder, f"{base}/{name}", book.close(), output=main.id, version=main.version, **shared)
    sheet = _visit_page(prepared, kind, place, rows, main)
    visit = f"{base}/入户核查表_{_safe(place['township_zh'])}_{as_of}.html"
    yield output_file(folder, visit, sheet, output=f"visit_{kind}", version=main.version, **shared)


def _read_by(
    kind: ListKind, sources: pl.DataFrame, rules: pl.DataFrame, catalogue: pl.DataFrame
) -> pl.DataFrame:
    """The sources on which rules of this list rest."""
    read = set(catalogue.filter(pl.col("list_kind") == kind)["sources"].explode().drop_nulls())
    for text in rules["sources_json"].drop_nulls().unique():
        read |= set(json.loads(text))
    return sources.filter(pl.col("class_id").is_in(list(read))) if read else sources


def _words(kind: ListKind, sources: pl.DataFrame, rules: pl.DataFrame, catalogue: pl.DataFrame) -> Words:
    """The sheet 说明 of a list."""
    table = workbook.answer_table()
    answers = [
        (table["families"][code[0]], f"{code} {body['zh']}")
        for code, body in sorted(table["results"].items())
        if kind in body["lists"]
    ]
    shown = _read_by(kind, sources, rules, catalogue)
    return [
        (
            "一、怎么看这份清单",
            [
                ("1. 清单由各部门数据自动比对产生，仅为线索，不是认定结论；不得据此停发、减发任何救助金。",),
                ("2. “清单”页一户一行，先看级别，同一级别内评分高的在前。评分只用来排先后，不代表应否救助。",),
                ("3. “原因”一栏逐条写明线索、数字、标准和数据日期；“涉及成员”的姓名已作遮盖处理，可按户编号、村（社区）和“家庭成员”页核对。",),
                ("4. 数据截至日期之后发生的变化不会出现在清单里；没有数据不等于没有情况，请以入户所见为准。",),
                ("5. “新增”为本期首次出现；“持续”为以前已提示、尚未收到结果；“变化”为级别、数字或线索有变动。",),
            ],
        ),
        (
            "二、怎么填写和报回",
            [
                ("1. 入户后在“清单”页绿色栏目中选择处理结果，填写入户日期、核查人员工号，需要时选择备注代码；一户填一行。",),
                ("2. 一户有多条线索而结果不同时，在“逐条反馈”页对那一条单独填写，其余以“清单”页为准。",),
                ("3. 不要增加、删除列，不要改动户编号；可以排序、筛选、打印。不要填写身份证号、银行卡号和姓名。",),
                ("4. 处理结果只记录核查所见或者其他程序已经作出的决定，本身不会启动或者停止任何救助。",),
            ],
        ),
        (
            "三、级别",
            [
                ("级别", "含义"),
                ("红", "情况紧急，请最先入户"),
                ("橙", "单项线索较强"),
                ("黄", "达到提示标准或由模型估算"),
                ("蓝", "一般事项，可随定期复核办理"),
            ],
        ),
        ("四、处理结果代码", [("类别", "代码和结果"), *answers]),
        (
            "五、所用数据截至日期",
            [
                ("数据类别", "提供部门", "数据截至", "状态", "说明"),
                *[
                    (
                        r["class_zh"], r["department_zh"] or "",
                        r["last_batch"].isoformat() if r["last_batch"] else "未收到", r["status_zh"],
                        r["note_zh"].removeprefix(f"数据截至{r['last_batch']}").removeprefix("；"),
                    )
                    for r in shown.iter_rows(named=True)
                ],
            ],
        ),
        (
            "六、规则启用情况",
            [
                ("规则", "说明", "规则编号", "状态", "依据"),
                *[
                    (
                        r["title_zh"],
                        r["reason_zh"] or ("数据齐全，正常运行。" if r["status"] == "on" else ""),
                        r["rule_id"], r["status_zh"], r["legal_basis_zh"] or "",
                    )
                    for r in rules.iter_rows(named=True)
                ],
            ],
        ),
    ]  # fmt: skip


def _visit_page(
    prepared: Prepared,
    kind: ListKind,
    place: Mapping[str, str],
    rows: Mapping[str, pl.DataFrame],
    main: Definition,
) -> bytes:
    as_of = prepared.as_of
    people = rows["members"].partition_by("household_no", as_dict=True, maintain_order=True)
    items = rows["items"].partition_by("household_no", as_dict=True, maintain_order=True)

    terms = prepared.terms(place["county_code"])

    def due(family: Mapping[str, Any], column: str) -> str:
        day = family[column]
        return f"{day.month}月{day.day}日" if day else terms[family["level_zh"], column]

    families = [
        {
            **family,
            "visit_zh": due(family, "visit_due_on"),
            "close_zh": due(family, "close_due_on"),
            "people": people[(family["household_no"],)].to_dicts()
            if (family["household_no"],) in people
            else [],
            "reasons_why": items[(family["household_no"],)].to_dicts(),
        }
        for family in rows["main"].iter_rows(named=True)
    ]
    where = _place_zh(place)
    return page.render(
        "visit.html",
        f"入户核查表 {LIST_ZH[kind]} {where} {page.day_zh(as_of)}",
        prepared.gate,
        title=f"入户核查表 {where} {LIST_ZH[kind]} {as_of}",
        place_zh=where,
        list_zh=LIST_ZH[kind],
        day_zh=page.day_zh(as_of),
        law_zh=main.note_zh,
        families=families,
        results=workbook.result_labels(kind),
        notes=workbook.note_labels(),
    )


# --- county -----------------------------------------------------------------------------------------------------


def write_overviews(prepared: Prepared, folder: Path) -> list[OutputFile]:
    """Per county a workbook and a page of numbers; no family and no person is in them."""
    seen = views(prepared, "county", None)
    every = {n: outputs()[n] for n in sheets("county_overview", outputs())}
    split = {name: _by(run(o, seen, prepared.as_of), "county_code") for name, o in every.items()}
    blank = {
        name: next(iter(found.values())).clear() if found else pl.DataFrame() for name, found in split.items()
    }
    files = []
    for county in prepared.counties.iter_rows(named=True):
        rows = {
            name: found.get(county["county_code"], _blank(blank[name], every[name].definition))
            for name, found in split.items()
        }
        files += _county(prepared, county, rows, folder)
    return files


def _blank(frame: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    return frame if frame.width else pl.DataFrame(schema=dict.fromkeys(definition.returned, pl.String))


def _county(
    prepared: Prepared, county: Mapping[str, str], rows: Mapping[str, pl.DataFrame], folder: Path
) -> list[OutputFile]:
    as_of, every = prepared.as_of, outputs()
    main = every["county_overview"].definition
    where, day = f"{county['prefecture_zh']}{county['county_zh']}", page.day_zh(as_of)
    book = workbook.Book(as_of, f"县级总览 {where} {day}", CONFIDENTIAL, prepared.gate)
    for name in rows:
        definition = every[name].definition
        workbook.write_table(
            book, definition, rows[name],
            heading=f"{definition.title.zh}（{where}，{day}）",
            bands=[("plain", definition.note_zh)] if definition.note_zh else [],
            footer=f"{where} 县级总览 {day} {CONFIDENTIAL}",
        )  # fmt: skip
    base = (main.folder or "").format(jurisdiction=county["county_code"])
    name = (main.file or "").format(place=_safe(county["county_zh"]), as_of=as_of)
    shared: dict[str, Any] = {
        "version": main.version,
        "audience": main.audience,
        "jurisdiction": county["county_code"],
        "list_kind": None,
        "rows": rows["county_overview"].height,
    }
    html = _county_page(prepared, county, where, rows)
    return [
        output_file(folder, f"{base}/{name}", book.close(), output=main.id, **shared),
        output_file(
            folder, f"{base}/{name.removesuffix('.xlsx')}.html", html, output="county_page", **shared
        ),
    ]


def _level_plot(rows: pl.DataFrame, title: str) -> str:
    busy = rows.filter(pl.col("families") > 0).sort("families", "township_code", descending=[True, False])
    bars = [
        (r["township_zh"], [r[c] for c in ("red", "orange", "yellow", "blue")])
        for r in busy.iter_rows(named=True)
    ]
    return plot.stacked_bars(bars, list(plot.LEVEL_FILL.items()), title=title)


_ANSWER_SERIES = [
    ("delivered", "政策已落实", "#2e7d32"),
    ("helped", "已给予帮扶", "#66bb6a"),
    ("raised", "提请县级协调", "#f9a825"),
    ("altered", "经规定程序已变更", "#8e6bbf"),
    ("nothing", "无需处理", "#b0bec5"),
    ("faulty", "数据有误", "#c62828"),
]

_SOURCE_FILL = {
    "fresh": "#2e7d32",
    "late": "#f9a825",
    "absent": "#c62828",
    "failed": "#c62828",
    "held": "#f4a259",
}


def _freshness_plot(sources: pl.DataFrame, as_of: date) -> str:
    rows = [
        (
            r["class_zh"],
            (as_of - r["last_batch"]).days if r["last_batch"] else None,
            _SOURCE_FILL.get(r["status"], "#607d8b"),
        )
        for r in sources.iter_rows(named=True)
    ]
    return plot.dots_by_days(rows, title="各类数据距今天数")


def _county_page(
    prepared: Prepared, county: Mapping[str, str], where: str, rows: Mapping[str, pl.DataFrame]
) -> bytes:
    every = {name: outputs()[name].definition for name in rows}
    off = prepared.rule_states.filter(
        (pl.col("county_code") == county["county_code"]) & (pl.col("status") != "on")
    )
    help_in, check_out = rows["county_overview"], rows["county_overview_check"]
    answers = rows["county_overview_answers"]
    bars = [(f"{r['title_zh']}", [r[c] for c, _, _ in _ANSWER_SERIES]) for r in answers.iter_rows(named=True)]
    fresh = prepared.sources.filter(pl.col("status") == "fresh").height
    cards = [
        ("乡镇（街道）", f"{help_in.height:,}"),
        ("可能需要帮助（户）", f"{help_in['families'].sum():,}"),
        ("其中红色", f"{help_in['red'].sum():,}"),
        ("请核查（户）", f"{check_out['families'].sum():,}"),
        ("已收到反馈（条）", f"{answers['answers'].cast(pl.Int64).sum():,}" if answers.height else "0"),
        ("数据正常的类别", f"{fresh} / {prepared.sources.height}"),
    ]
    return page.render(
        "county.html",
        f"县级总览（网页） {where} {page.day_zh(prepared.as_of)}",
        prepared.gate,
        title=f"县级总览 {where} {prepared.as_of}",
        heading=f"{where} 低收入人口动态监测总览",
        day_zh=page.day_zh(prepared.as_of),
        cards=cards,
        off=off.to_dicts(),
        lists=[
            page.section(every[name], rows[name], plot=_level_plot(rows[name], every[name].title.zh))
            for name in ("county_overview", "county_overview_check")
        ],
        answers=page.section(
            every["county_overview_answers"], answers,
            plot=plot.stacked_bars(bars, [(zh, c) for _, zh, c in _ANSWER_SERIES], title="核查反馈") if bars else "",
        ),
        rules=page.section(
            every["county_overview_rules"], rows["county_overview_rules"], bad=pl.col("status_zh") == "停用"
        ),
        sources=page.section(
            every["county_overview_sources"], rows["county_overview_sources"],
            plot=_freshness_plot(prepared.sources, prepared.as_of), bad=pl.col("status_zh") != SOURCE_ZH["fresh"],
        ),
    )  # fmt: skip


def write_catalogues(prepared: Prepared, folder: Path) -> list[OutputFile]:
    """Per county the rule catalogue: what each rule is, its values of the day, and how much it found. Numbers only."""
    return [
        output_file(
            folder,
            f"county/{county['county_code']}/{catalogue.TITLE}_{_safe(county['county_zh'])}_{prepared.as_of}.html",
            catalogue.catalogue_page(prepared, county),
            output="rule_catalogue",
            version=1,
            audience="county",
            jurisdiction=county["county_code"],
            list_kind=None,
            rows=len(catalogue.entries()),
        )
        for county in prepared.counties.iter_rows(named=True)
    ]


# --- audit ------------------------------------------------------------------------------------------------------


def write_quality(prepared: Prepared, folder: Path, code_version: str) -> list[OutputFile]:
    """The quality report as a page and, row by row the same, as JSON."""
    seen = views(prepared, "audit", None)
    every = {name: outputs()[name] for name in sheets("quality_files", outputs())}
    rows = {name: run(output, seen, prepared.as_of) for name, output in every.items()}
    main = every["quality_files"].definition
    bad = {
        "quality_files": (pl.col("residual") != 0) | (pl.col("status") != "accepted"),
        "quality_issues": pl.col("severity") == "error",
        "quality_unread": pl.col("file").is_not_null(),
        "quality_checks": (pl.col("failed") > 0) | (pl.col("broken") > 0),
        "quality_sources": pl.col("status") != "fresh",
        "quality_rules": pl.col("status") != "on",
    }
    plots = _quality_plots(rows)
    files, links = rows["quality_files"], rows["quality_links"]
    identities, certain = int(links["identities"].sum()), int(links["grade_a"].sum())
    cards = [
        ("文件", f"{files.height:,}"),
        ("收到行数", f"{files['received'].sum():,}"),
        ("接收行数", f"{files['accepted'].sum():,}"),
        ("未读取的文件", f"{rows['quality_unread'].height:,}"),
        ("问题处数", f"{rows['quality_issues']['cells'].sum():,}"),
        ("身份记录", f"{identities:,}"),
        ("比对确定率", f"{certain / identities:.1%}" if identities else "—"),
        ("身份冲突", f"{rows['quality_conflicts']['conflicts'].sum():,}"),
        ("家庭", f"{rows['quality_households']['homes'].sum():,}"),
    ]
    html = page.render(
        "quality.html",
        "数据质量报告（网页）",
        prepared.gate,
        title=f"数据质量报告 {prepared.as_of}",
        day_zh=page.day_zh(prepared.as_of),
        code_version=code_version,
        cards=cards,
        residual=files.filter(pl.col("residual") != 0).height,
        sections=[
            page.section(
                o.definition,
                rows[name],
                plot=plots.get(name, ""),
                bad=bad.get(name),
                is_folded=name == "quality_hints",
            )
            for name, o in every.items()
        ],
    )
    twin = {
        "business_date": prepared.as_of.isoformat(),
        "code_version": code_version,
        **{name.removeprefix("quality_"): _plain(frame) for name, frame in rows.items()},
    }
    text = (
        json.dumps(page.passed(twin, "数据质量报告（JSON）", prepared.gate), ensure_ascii=False, indent=1)
        + "\n"
    )
    shared: dict[str, Any] = {
        "version": main.version,
        "audience": main.audience,
        "jurisdiction": None,
        "list_kind": None,
        "rows": files.height,
    }
    path = f"{main.folder}/{main.file}"
    return [
        output_file(folder, path, html, output=main.id, **shared),
        output_file(
            folder, path.removesuffix(".html") + ".json", text.encode(), output="quality_json", **shared
        ),
    ]


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.with_columns(pl.col(pl.Date).cast(pl.String), pl.col(pl.Decimal).cast(pl.Float64)).to_dicts()


def _quality_plots(rows: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    def bars(frame: pl.DataFrame, label: str, columns: Sequence[str]) -> list[tuple[str, list[float]]]:
        return [(r[label], [r[c] or 0 for c in columns]) for r in frame.iter_rows(named=True)]

    per_class = (
        rows["quality_files"]
        .group_by("class_no", "class_zh")
        .agg(pl.col("rejected", "duplicate", "quarantined").sum())
        .filter(pl.col("rejected") + pl.col("duplicate") + pl.col("quarantined") > 0)
        .sort("class_no", "class_zh")
    )
    reasons = (
        pl.concat([rows["quality_issues"], rows["quality_hints"]]).group_by("class_no", "class_zh", "severity").agg(pl.col("cells").sum())
        .pivot("severity", index=["class_no", "class_zh"], values="cells", sort_columns=True)
        .sort("class_no", "class_zh")
    )  # fmt: skip
    for column in ("error", "warning", "info"):
        if column not in reasons.columns:
            reasons = reasons.with_columns(pl.lit(0).alias(column))
    sources = rows["quality_sources"]
    return {
        "quality_files": plot.stacked_bars(
            bars(per_class, "class_zh", ("rejected", "duplicate", "quarantined")),
            [("拒收", "#c62828"), ("重复", "#90a4ae"), ("隔离", "#f9a825")],
            title="没有接收的行",
        ),
        "quality_issues": plot.stacked_bars(
            bars(reasons, "class_zh", ("error", "warning", "info")),
            [("错误", "#c62828"), ("提醒", "#f9a825"), ("提示", "#90a4ae")],
            title="各类数据的问题",
        ),
        "quality_links": plot.stacked_bars(
            bars(rows["quality_links"], "class_zh", ("grade_a", "grade_b", "grade_c", "grade_d", "unlinked")),
            [
                ("A 确定", "#2e7d32"),
                ("B 较为确定", "#a5d6a7"),
                ("C 待人工确认", "#f9a825"),
                ("D 暂定", "#90caf9"),
                ("未比中", "#b0bec5"),
            ],
            title="各类身份记录的比对结果",
            share=True,
        ),
        "quality_sources": plot.dots_by_days(
            [
                (r["class_zh"], r["days_old"], _SOURCE_FILL.get(r["status"], "#607d8b"))
                for r in sources.iter_rows(named=True)
            ],
            title="各类数据距今天数",
        ),
    }


# --- everything else --------------------------------------------------------------------------------------------


def write_tables(prepared: Prepared, folder: Path, found: Mapping[str, Output]) -> list[OutputFile]:
    """Every output of layout `table`: a workbook a jurisdiction, with a sheet for the output and each of its parts."""
    mains = [n for n, o in found.items() if o.definition.layout == "table" and o.definition.part_of is None]
    return [file for name in mains for file in _table(prepared, name, folder, found)]


def _table(prepared: Prepared, main: str, folder: Path, found: Mapping[str, Output]) -> Iterator[OutputFile]:
    definition, day = found[main].definition, page.day_zh(prepared.as_of)
    seen = views(prepared, definition.audience, definition.list_kind)
    every = {name: run(found[name], seen, prepared.as_of) for name in sheets(main, found)}
    places = {
        **dict(prepared.counties.select("county_code", "county_zh").iter_rows()),
        **dict(prepared.townships.select("township_code", "township_zh").iter_rows()),
        "000000000": "待分派",
        **department_names(),
    }
    column = definition.jurisdiction
    codes = every[main][column].unique().sort() if column else [None]
    for code in codes:
        place = places.get(code, code) if code else ""
        book = workbook.Book(
            prepared.as_of, f"{definition.title.zh} {place} {day}", CONFIDENTIAL, prepared.gate
        )
        rows = {
            n: f.filter(pl.col(column) == code) if column and column in f.columns else f
            for n, f in every.items()
        }
        for name, frame in rows.items():
            part = found[name].definition
            bands = [("law", LAW)] if part.list_kind else []
            workbook.write_table(
                book, part, frame,
                heading=f"{part.title.zh}（{place}，{day}）" if place else f"{part.title.zh}（{day}）",
                bands=[*bands, *([("plain", part.note_zh)] if part.note_zh else [])],
                footer=f"{place} {part.title.zh} {day} {CONFIDENTIAL}".strip(),
            )  # fmt: skip
        base = (definition.folder or "").format(jurisdiction=code)
        file = (definition.file or "").format(place=_safe(place or ""), as_of=prepared.as_of)
        yield output_file(
            folder, f"{base}/{file}", book.close(), output=main, version=definition.version,
            audience=definition.audience, jurisdiction=code, list_kind=definition.list_kind, rows=rows[main].height,
        )  # fmt: skip
