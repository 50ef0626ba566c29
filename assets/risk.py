"""Rules, measures, register and priority as assets: one a rule, so that one can be run again and touches nothing else.

What a rule says belongs in `policy/`, how it is run in `policy/engine.py`.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import dagster as dg
import polars as pl

from assets import households
from assets.facts import key as fact_key
from assets.io import OWNER, Home, Metadata, bars, patient_io, table, write_frames, write_parquet
from assets.partitions import batch_date, day_of
from data_contracts.contract import fact_tables
from data_contracts.places import division_table
from policy import engine
from policy.categories import candidates
from policy.repeats import WARNING_SCHEMA
from policy.signals import Memory
from policy.sql_file import ROOT as POLICY
from policy.sql_file import Measure, Rule, read_measure, read_rule
from policy.vocabulary import tables

RULES = "rules"
GROUP = "risk"
READ_BY_REPORTS = ("warnings", "rule_status", "register", "priority")

DESCRIPTIONS = {
    "warnings": "**当夜全部预警**，每条带理由。\n\nAll warnings of the night, each with its reason.",
    "rule_status": "**规则状态**：哪些规则当夜未核对及原因。\n\nWhich rules were off tonight, and why.",
    "register": "**预警登记**：新增、持续、变化、过期、已反馈、暂不提示。\n\nNew, repeated, changed, expired, answered, suppressed.",
    "priority": "**入户次序**：每户一个优先级及其组成。\n\nOne priority a household, with its parts.",
    "first_seen": "**首次可见**：各项变化最早在哪一夜的数据中看到。\n\nOn which night an event was first visible.",
    "first_heard": "**规则记忆**：规则以哪一版本、哪些数据核对过。\n\nWith which version and classes a rule last spoke.",
    "left_out": "**看到而未提示**：及其原因。\n\nWhat rules saw and left out, and why.",
}
DESCRIPTIONS["candidate"] = (
    "**数据推测的类别**：候选类别与疑似困难家庭，不是认定。\n\nWhat open warnings suggest; never a decision."
)
KEPT_BY_RULE = ("first_seen", "first_heard", "left_out")
"""Frames that every rule writes by itself, and the night puts together: what it remembers, and what it left out."""


@cache
def rules() -> dict[str, Rule]:
    """Every rule by id, read from its file; what the engine would refuse is refused when it runs."""
    found = [read_rule(path) for path in sorted(POLICY.glob("rules/*/*.sql"))]
    return {rule.id: rule for rule in sorted(found, key=lambda rule: rule.id)}


@cache
def measures() -> dict[str, Measure]:
    """Every published measure by id."""
    found = [read_measure(path) for path in sorted(POLICY.glob("measures/*.sql"))]
    return {measure.id: measure for measure in found if measure.header.published}


def rule_ids() -> list[str]:
    """Ids of all rules, in order."""
    return list(rules())


def rule_key(rule_id: str) -> dg.AssetKey:
    """Asset key of the warnings of one rule."""
    return dg.AssetKey(["warnings", rule_id])


def measure_key(name: str) -> dg.AssetKey:
    """Asset key of a measure."""
    return dg.AssetKey(["measures", name])


def key(name: str) -> dg.AssetKey:
    """Asset key of a frame over all rules."""
    return dg.AssetKey([GROUP, name])


def _deps(item: Rule | Measure) -> list[dg.AssetKey]:
    """Facts and households that a query and its measures read."""
    return [
        *(fact_key(name) for name in sorted({*item.header.needs, *item.header.uses} & set(fact_tables()))),
        *(households.key(name) for name in households.FRAMES),
        fact_key("person"),
        fact_key("source_status"),
    ]


def _rule_spec(rule: Rule) -> dg.AssetSpec:
    header = rule.header
    return dg.AssetSpec(
        rule_key(rule.id),
        group_name=RULES,
        description=(
            f"**{header.title.zh}** · {header.title.en}\n\n依据：{'；'.join(header.legal_basis)}\n\n"
            f"已知不足：{header.known_gaps.zh}\n\n{header.known_gaps.en}"
        ),
        owners=[OWNER, "team:policy"],
        kinds={"duckdb", "sql"},
        tags={"list": rule.list_kind},
        deps=_deps(rule),
        code_version=str(header.version),
        metadata={"rule_version": header.version, "owner": header.owner, "expires": str(header.expires)},
    )


def _measure_spec(measure: Measure) -> dg.AssetSpec:
    header = measure.header
    return dg.AssetSpec(
        measure_key(measure.id),
        group_name=GROUP,
        description=f"**{header.title.zh}** · {header.title.en}\n\n{header.grain}; {header.unit}; {header.period}",
        owners=[OWNER, "team:policy"],
        kinds={"duckdb", "sql"},
        deps=_deps(measure),
        code_version=str(header.version),
    )


def views(home: Home, day: date) -> dict[str, engine.View]:
    """Everything a rule may see on a day; tables that no rule knows are left out."""
    found: dict[str, engine.View] = {"division": division_table()}
    for kind in ("facts", households.GROUP):
        for path in sorted(home.folder(kind, day).glob("*.parquet")):
            found[path.stem] = path
    return {name: view for name, view in found.items() if name in tables()}


def _previous_register(home: Home, day: date) -> pl.DataFrame | None:
    before = home.before(GROUP, day)
    return pl.read_parquet(before / "register.parquet") if before else None


def memory(home: Home, day: date) -> Memory | None:
    """What the rules had seen by the latest earlier night; null where no such night kept it."""
    before = home.before(GROUP, day)
    if before is None or not (before / "first_heard.parquet").is_file():
        return None
    return Memory(
        pl.read_parquet(before / "first_seen.parquet"), pl.read_parquet(before / "first_heard.parquet")
    )


@dg.multi_asset(
    name="run_rules",
    description="逐条规则得出预警。 Rules to warnings, each rule by itself.",
    specs=[*map(_rule_spec, rules().values()), *map(_measure_spec, measures().values())],
    can_subset=True,
    partitions_def=batch_date,
)
def run_rules(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Run the selected rules and write the warnings and the status of each to files of its own."""
    day = day_of(context)
    folder = home.folder(GROUP, day)
    chosen = {rule_id for rule_id in rules() if rule_key(rule_id) in context.selected_asset_keys}
    wanted = [name for name in measures() if measure_key(name) in context.selected_asset_keys]
    with patient_io(context):
        policy = engine.default_policy()
        resting = {
            rule.id
            for rule in policy.rules.values()
            if {m.id for m in policy.measures_of(rule)} & set(wanted)
        }
        outcome = engine.run(
            views(home, day),
            day,
            _previous_register(home, day),
            only=chosen | resting,
            # `conclude` makes register and priority of what all rules said.
            conclusion=False,
            memory=memory(home, day),
            measures=wanted,
        )
        kept = {name: outcome.frames()[name] for name in KEPT_BY_RULE}
        for rule_id in sorted(chosen):
            mine = pl.col("rule_id") == rule_id
            write_parquet(outcome.warnings.filter(mine), folder / RULES / f"{rule_id}.parquet")
            write_parquet(outcome.rule_status.filter(mine), folder / "status" / f"{rule_id}.parquet")
            for name, frame in kept.items():
                write_parquet(frame.filter(mine), folder / name / f"{rule_id}.parquet")
        for name in wanted:
            path = folder / "measures" / f"{name}.parquet"
            if name in outcome.measures:
                write_parquet(outcome.measures[name], path)
            else:
                path.unlink(missing_ok=True)
    for rule_id in sorted(chosen):
        yield _rule_result(outcome, rule_id)
    for name in wanted:
        made = outcome.measures.get(name)
        yield dg.MaterializeResult(
            asset_key=measure_key(name),
            metadata={
                "dagster/row_count": 0 if made is None else made.height,
                "note": "no rule that reads it was on / 使用它的规则均未运行" if made is None else "",
            },
        )


def _rule_result(outcome: engine.Outcome, rule_id: str) -> dg.MaterializeResult:
    warnings = outcome.warnings.filter(pl.col("rule_id") == rule_id)
    status = outcome.rule_status.filter(pl.col("rule_id") == rule_id)
    by_level = warnings.group_by("level").len().sort("level")
    return dg.MaterializeResult(
        asset_key=rule_key(rule_id),
        metadata={
            "dagster/row_count": warnings.height,
            "households": warnings["household_id"].n_unique(),
            "status": table(status.select("county_code", "status", "reason_zh"), 10),
            "levels": bars(by_level.rows(), rule_id),
        },
    )


@dg.multi_asset(
    name="conclude",
    description="汇总各规则的预警，更新登记并排序。 All rules together: register and priority.",
    specs=[
        dg.AssetSpec(
            key(name),
            group_name=GROUP,
            description=DESCRIPTIONS[name],
            owners=[OWNER],
            kinds={"duckdb", "parquet"},
            deps=[rule_key(rule_id) for rule_id in rules()],
        )
        for name in (*READ_BY_REPORTS, "candidate", *KEPT_BY_RULE)
    ],
    partitions_def=batch_date,
)
def conclude(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Compare the warnings of all rules with the register of the latest earlier night, and put households in order."""
    day = day_of(context)
    folder = home.folder(GROUP, day)
    with patient_io(context):
        warnings = _of_all_rules(folder / RULES).cast(WARNING_SCHEMA).sort("warning_id")
        status = _of_all_rules(folder / "status").sort("rule_id", "county_code", nulls_last=False)
        book, priority = engine.conclude(
            views(home, day), warnings, status, day, _previous_register(home, day)
        )
        frames = {"warnings": warnings, "rule_status": status, "register": book, "priority": priority}
        frames["candidate"] = candidates(book)
        frames |= {name: _of_all_rules(folder / name) for name in KEPT_BY_RULE}
        write_frames(folder, frames)
    by_list = warnings.group_by("list_kind", "level").len("warnings").sort("list_kind", "level")
    off = status.filter(pl.col("status") == "off").select("rule_id", "county_code", "reason_zh")
    shown: dict[str, Metadata] = {
        "warnings": {
            "by_list": table(by_list),
            "plot": bars(warnings.group_by("rule_id").len().sort("rule_id").rows(), "warnings by rule"),
        },
        "rule_status": {"off": table(off, 60)},
        "register": {
            "states": table(book.group_by("list_kind", "state").len("warnings").sort("list_kind", "state"))
        },
        "priority": {
            "levels": table(
                priority.group_by("list_kind", "level").len("households").sort("list_kind", "level")
            )
        },
    }
    shown["left_out"] = {
        "by_rule": table(frames["left_out"].group_by("rule_id").len("rows").sort("rule_id"), 60)
    }
    for name in frames:
        metadata = shown.get(name, {})
        yield dg.MaterializeResult(
            asset_key=key(name), metadata={"dagster/row_count": frames[name].height, **metadata}
        )


def _of_all_rules(folder: Path) -> pl.DataFrame:
    """The files of every rule there is today, one below the other; FileNotFoundError names a rule that was not run."""
    return pl.concat([pl.read_parquet(folder / f"{rule_id}.parquet") for rule_id in rules()])


assets = [run_rules, conclude]
