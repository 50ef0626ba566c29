"""Identities and the spine of persons as assets. Who is who is decided in `matching/`; identity frames are restricted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl

from assets import decisions
from assets.extracts import key as extract_key
from assets.io import (
    OWNER,
    Home,
    Metadata,
    bars,
    patient_io,
    readable_frames,
    table,
    write_frames,
    write_parquet,
)
from assets.partitions import batch_date, day_of
from data_contracts import feeding, opaque
from data_contracts.contract import catalogue
from matching import by_source, evaluation, journal, rates, rekeying, software, spine
from matching.census import Census

GROUP = "persons"
BY_SOURCE = "by_source"


def key(name: str) -> dg.AssetKey:
    """Asset key of a frame of the spine."""
    return dg.AssetKey([GROUP, name])


@dg.asset(
    key=key("identities"),
    group_name=GROUP,
    description=(
        "**身份信息组**：各类数据中出现的不同身份信息组合（限制访问）。\n\n"
        "Distinct identity tuples of every class and role, as of the day. Restricted."
    ),
    owners=[OWNER],
    kinds={"duckdb", "parquet"},
    deps=[extract_key(c.id) for c in catalogue().values() if c.subjects],
    partitions_def=batch_date,
)
def identities(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult:
    """Write lake/identities/batch_date=<day>.parquet."""
    day = day_of(context)
    with patient_io(context):
        found = feeding.identities(home.lake, day)
        write_parquet(found, home.lake / "identities" / f"batch_date={day}.parquet")
    by_class = found.group_by("source_class").len("identities").sort("source_class")
    return dg.MaterializeResult(
        metadata={"dagster/row_count": found.height, "plot": bars(by_class.rows(), "identities by class")}
    )


FRAMES = {
    "persons": "**人员**：编号一经赋予永不改变含义（限制访问）。\n\nPersons; ids are minted once and never reused. Restricted.",
    "links": "**关联**：每组身份信息属于谁、等级与理由。\n\nWhose each identity is, with grade and reason. Restricted.",
    "conflicts": "**冲突**：号码一致而姓名等矛盾，等待人工处理。\n\nIdentities that agree and contradict; for a person to decide.",
    "events": "**人员事件**：新建、并入、合并、拆分、停用。\n\nCreate, absorb, merge, split, retire.",
}


@dg.multi_asset(
    name="resolve_persons",
    description="把身份信息关联到人员主干。 Links identities to the spine of persons.",
    specs=[
        dg.AssetSpec(
            key(name),
            group_name=GROUP,
            description=description,
            owners=[OWNER],
            kinds={"polars", "parquet"},
            deps=[key("identities"), extract_key(decisions.ANSWERS)],
        )
        for name, description in FRAMES.items()
    ],
    partitions_def=batch_date,
)
def resolve_persons(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
    """Resolve the identities of the day against the spine of the latest earlier night."""
    day = day_of(context)
    with patient_io(context):
        found = pl.read_parquet(home.lake / "identities" / f"batch_date={day}.parquet")
        secret = opaque.deployment_key(home.lake)
        before, stored = _before(context, home, day, secret)
        decided, problems = decisions.tonight(home, day)
        beside = feeding.beside(home.lake, day)
        model = rates.in_force(home.lake / rates.FOLDER, day)
        result = spine.resolve(found, before, decided, day, secret, model, beside)
        frames = result.frames() | {"picture": evaluation.picture(result.links, found)}
        frames[BY_SOURCE] = by_source.counted(result.links, found, _last_night(home, day, BY_SOURCE))
        frames[rates.FOLDER] = pl.DataFrame({"version": [model.version]})
        alarms = _drift(home, day, frames["picture"])
        is_kept = before is not None and result.census is before.census
        write_frames(home.folder(GROUP, day), frames, stored if is_kept else None)
    context.log.info(
        f"{found.height} identities, {frames['persons'].height} persons, {decided.height} decisions"
    )
    for alarm in alarms["reason_zh"]:
        context.log.warning(f"not as last night: {alarm}")
    doubtful = frames[BY_SOURCE].filter(pl.col("level") == "alarm")
    for source, said in doubtful.select("source_class", "reason_zh").rows():
        context.log.warning(f"not as last night: {source} {said}")
    lost = frames["blocks"].filter(pl.col("lost_rows") > 0)
    for name, pairs, rows in lost.select("key", "lost_pairs", "lost_rows").rows():
        context.log.info(f"blocks too large to compare: key {name}, {rows} identities, {pairs} pairs")
    for problem in problems:
        context.log.warning(f"review file: {problem}")
    linked = frames["links"].group_by("source_class", "grade").len("identities")
    shown = {
        "persons": frames["persons"].group_by("status", "is_registered", "is_provisional").len("persons"),
        "links": linked.group_by("grade").agg(pl.col("identities").sum()),
        "conflicts": frames["conflicts"].group_by("source_class", "kind").len("conflicts"),
        "events": frames["events"].group_by("event").len("events"),
    }
    for name in FRAMES:
        frame = frames[name]
        counts = shown[name].sort(pl.all())
        metadata: Metadata = {"dagster/row_count": frame.height, "counts": table(counts, 60)}
        if name == "links":
            metadata["not as last night"] = table(alarms.select("measure", "item", "share_before", "share"))
            metadata["blocks"] = table(frames["blocks"], 60)
            metadata["pairs not compared"] = int(lost["lost_pairs"].sum())
            metadata["by source"] = table(frames[BY_SOURCE].drop("reason_zh"), 60)
            metadata["rates"] = model.version
            metadata["alarm level"] = by_source.worst(frames[BY_SOURCE])
            rows = [(str(grade), n) for grade, n in counts.rows()]
            metadata["plot"] = bars(rows, "identities by grade of link")
        yield dg.MaterializeResult(asset_key=key(name), metadata=metadata)


def _drift(home: Home, day: date, tonight: pl.DataFrame) -> pl.DataFrame:
    """What is too different from the latest earlier night (`evaluation.drift`); nothing on the first."""
    last_night = _last_night(home, day, "picture")
    return evaluation.drift(tonight, tonight if last_night is None else last_night).filter("is_alarm")


def _last_night(home: Home, day: date, name: str) -> pl.DataFrame | None:
    """A frame of the latest earlier night; null where there is none."""
    folder = home.before(GROUP, day)
    path = folder / f"{name}.parquet" if folder else None
    return pl.read_parquet(path) if path and path.is_file() else None


IDS = ("persons", "links", "conflicts")
"""What gives ids and dates: nothing else can make them again."""


def state(home: Home, day: date, warn: Callable[[str], object]) -> tuple[spine.Spine | None, dict[str, Path]]:
    """The state of the latest earlier night, and the files that hold its count of the county; null and none on the first night.

    Of that night `IDS` must be there. Where anything else is missing, unreadable or of another release, everything is decided
    anew, under the count that is stored with that night, or with the latest night before it that has one: so the night
    ends as if nothing had been missing. Whether that count is still good says `Census.is_due`. Raises `LookupError`
    without `IDS`: ids would be given twice.
    """
    folder = home.before(GROUP, day)
    if folder is None:
        return None, {}
    frames = readable_frames(folder)
    missing = [name for name in IDS if name not in frames]
    if missing:
        raise LookupError(
            f"{', '.join(missing)} of {folder.name} cannot be read; ids are kept there: take the folder from the backup"
        )
    previous = spine.Spine.of(frames)
    if previous.software != software.digest():
        warn("the last night was decided by another release; everything is decided anew, ids stay")
    elif previous.read_by(software.digest()) is not previous:
        warn("the state of the last night is not whole; everything is decided anew, ids stay")
    counted: Path | None = folder
    while counted is not None and previous.census is None:
        counted = home.before(GROUP, date.fromisoformat(counted.name.removeprefix("batch_date=")))
        found = readable_frames(counted, Census.FRAMES) if counted else {}
        if len(found) == len(Census.FRAMES):
            previous = replace(previous, census=Census.of(found))
    if counted is None:
        warn("no earlier night has a count of the county that can be read; tonight's is taken")
        return previous, {}
    return previous, {name: counted / f"{name}.parquet" for name in Census.FRAMES}


def _before(
    context: dg.AssetExecutionContext, home: Home, day: date, secret: opaque.Key
) -> tuple[spine.Spine | None, dict[str, Path]]:
    """`state`; if the key of the deployment has changed since, under the new key.

    Decisions about identities of earlier nights are then written once more, under the new names.
    """
    previous, counted = state(home, day, context.log.warning)
    folder = home.before(GROUP, day)
    if previous is None or folder is None:
        return None, {}
    nights = sorted(path for path in _identities(home).glob("*.parquet") if path.stem < folder.name)
    last = _identities(home) / f"{folder.name}.parquet"
    if not last.is_file():
        return previous, counted
    new_keys = feeding.keys_now(home.lake, pl.read_parquet(last))
    if new_keys.is_empty():
        return previous, counted
    context.log.warning(
        "the key of the deployment has changed since the last night; its persons keep their ids"
    )
    stored = journal.stored(home.lake / journal.FOLDER, day)
    if stored.height:
        named = pl.concat([stored["identity_key"], stored["person_key"]]).drop_nulls().unique()
        about = pl.col("identity_key").is_in(named.implode())
        names = [
            feeding.keys_now(home.lake, pl.scan_parquet(path).filter(about).collect())
            for path in [*nights, last]
        ]
        again = rekeying.decisions_again(stored, pl.concat(names).unique().sort(pl.all()))
        write_parquet(again, home.lake / journal.FOLDER / f"new_key_batch_date={day}.parquet")
    return rekeying.rekeyed(previous, new_keys, secret), {}


def _identities(home: Home) -> Path:
    return home.lake / "identities"


assets = [identities, resolve_persons]
