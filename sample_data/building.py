"""From nothing to an inbox: invents the people, lives their lives, and writes what twelve departments deliver.

The rooms are joined here and nowhere else: population -> life -> extracts -> damage -> writing, with the truth
beside. A shard is done from beginning to end before the next is begun, so memory does not grow with the place.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from data_contracts.contract import Contract, catalogue, departments
from sample_data import life, population
from sample_data.damage import Damage, People, Role, positions
from sample_data.extracts import SNAPSHOTS, Call, calls, extract, leaving, nights_of
from sample_data.file_events import FileEvents, night_events
from sample_data.odds import chance, uniform
from sample_data.truth import TruthFiles, records
from sample_data.writing import Sink, Spelling, Written, open_sink, spell, spelling, write_manifest

BLOCK_ROWS = 250_000
"""Rows of a class that are damaged and written at a time."""

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is being done."""


@dataclasses.dataclass
class _Delivery:
    contract: Contract
    call: Call
    events: FileEvents
    spelling: Spelling
    sink: Sink


def build(
    persons: int,
    nights: int,
    seed: int,
    out: Path,
    start: date = date(2025, 11, 17),
    months: int = 24,
    progress: Progress | None = None,
    damage: Literal["realistic", "none"] = "realistic",
) -> dict[str, Any]:
    """Write out/inbox/<D>/<department>/<class>.<ext> and out/truth/*.parquet; the same bytes for the same arguments.

    The first night (`start`) carries the full registers and `months` months of history, the later ones deltas and
    what falls due. Returns persons, situations, and per night and class the files and rows written.
    """
    out = Path(out)
    harm = Damage(seed, 1.0 if damage == "realistic" else 0.0)
    shards = population.plan(persons=persons, seed=seed, start=start, months=months)
    dates = nights_of(start, nights)
    deliveries = _deliveries(out, dates, harm)
    steps, done = len(shards) * 3 + 1, 0

    def tell(what: str) -> None:
        nonlocal done
        if progress is not None:
            progress(done, steps, what)
        done += 1

    totals = {"persons": 0, "situations": 0}
    try:
        with TruthFiles(out / "truth") as truth:
            for number, shard in enumerate(shards, start=1):
                where = f"{number}/{len(shards)}"
                tell(f"inventing people {where}")
                people = population.people(shard)
                tell(f"living their lives {where}")
                world = life.live(people, start=start, months=months, nights=nights)
                tell(f"writing extracts {where}")
                found = world.persons.sort("true_person_id")
                truth.append("persons", found)
                truth.append("households", world.households)
                truth.append("situations", world.situations)
                totals["persons"] += found.height
                totals["situations"] += world.situations.height
                lookup = People.of(found, _planted_people(found, world.situations), start)
                for delivery in deliveries:
                    _write_shard(delivery, world.tables[delivery.contract.id], found, lookup, harm, truth)
                # Otherwise two shards are in memory while the next one is invented.
                del people, world, found, lookup
    except BaseException:
        for delivery in deliveries:
            delivery.sink.close()
        raise
    tell("manifests")
    written = [(delivery, item) for delivery in deliveries for item in _sent(delivery)]
    _write_manifests(out / "inbox", dates, written, harm)
    return totals | _summary(written)


def _deliveries(out: Path, dates: list[date], harm: Damage) -> list[_Delivery]:
    waiting: dict[date, list[tuple[Contract, Call]]] = {night: [] for night in dates}
    for contract in catalogue().values():
        if contract.id in life.DEPARTMENT_TABLES:
            for call in calls(contract, dates):
                waiting[call.batch].append((contract, call))
    found = []
    for night, leaving_then in waiting.items():
        happening = night_events(harm, [c for c, _ in leaving_then], night, show_all=night == dates[0])
        found += [(*which, events) for which, events in zip(leaving_then, happening, strict=True)]
    most = harm.rates["most_damaged_files"]
    counts: dict[tuple[date, str], int] = {}
    result = []
    for contract, call, events in found:
        plain = FileEvents(encoding=events.encoding)
        for event in (
            "sent_twice",
            "mixed_encoding",
            "mojibake",
            "control",
            "ragged",
            "spreadsheet",
            "renamed",
            "moved",
        ):
            if getattr(events, event) == getattr(plain, event):
                continue
            counts[call.batch, event] = counts.get((call.batch, event), 0) + 1
            if counts[call.batch, event] > (1 if event == "sent_twice" else most):
                events = dataclasses.replace(events, **{event: getattr(plain, event)})
        sink = open_sink(contract, out / "inbox", call.batch, call.kind, events, harm)
        result.append(_Delivery(contract, call, events, spelling(harm, contract), sink))
    return result


def _sent(delivery: _Delivery) -> list[Written]:
    """Finished files. Nobody sends an empty one, but for the daily interfaces, and the first night of all."""
    sent = []
    for item in delivery.sink.close():
        if item.rows or delivery.call.since is None or delivery.contract.delivery.cadence == "daily":
            sent.append(item)
        else:
            item.path.unlink()
    usual = delivery.call.kind == delivery.contract.delivery.kind
    if sent and usual and delivery.events.sent_twice:
        last = sent[-1]
        name = last.path.name.split(".")
        again = last.path.with_name(".".join([name[0], "again", name[-1]]))
        shutil.copyfile(last.path, again)
        sent.append(dataclasses.replace(last, path=again))
    return sent


def _write_shard(
    delivery: _Delivery,
    table: pl.DataFrame,
    persons: pl.DataFrame,
    people: People,
    harm: Damage,
    truth: TruthFiles,
) -> None:
    """All rows of one class of one shard that leave on that night."""
    contract, call = delivery.contract, delivery.call
    rows = leaving(table, call, SNAPSHOTS.get(contract.id))
    rows = harm.swapped(contract, rows, people)
    for low in range(0, rows.height, BLOCK_ROWS):
        block = extract(contract, rows.slice(low, BLOCK_ROWS), persons)
        frame, roles, days = block.frame, block.roles, block.days
        tier = harm.tiers(contract, frame)
        main = next((r for r in roles if not r.packed), None)
        if main is not None:
            place = positions(people.ids, main.persons)
            early = harm.first_figures(contract, frame, people, place)
            twice = harm.repeated(contract, people, place, tier)
            if early.height or len(twice):
                # First figures stand above their correction, second copies at the end.
                order = np.concatenate([early["_row"].to_numpy(), np.arange(frame.height), twice])
                frame = pl.concat([early.drop("_row"), frame, frame[twice]])
                days, tier = days[order], tier[order]
                roles = [dataclasses.replace(r, persons=r.persons.gather(order)) for r in roles]
        frame = harm.typed(contract, frame, roles, people, tier, call.batch, days)
        other = None
        if not harm.off:
            share = np.asarray(harm.rates["date_other_format"])[tier] / 100
            other = (
                uniform(np.arange(frame.height), harm.seed, contract.id, call.batch, "format", low) < share
            )
        text = spell(contract, frame, delivery.spelling, other)
        text = harm.text(contract, text, roles, people, tier, call.batch, days)
        text = _source_habits(delivery, text, harm)
        pieces = delivery.sink.append(text, _planted(roles, people, frame.height))
        truth.append("records", records(contract.id, call.batch, pieces, roles))


def _planted_people(persons: pl.DataFrame, situations: pl.DataFrame) -> list[int]:
    """Everybody who lives in the household of a planted situation, and whoever it is about."""
    homes, people = situations["true_household_id"].drop_nulls(), situations["true_person_id"].drop_nulls()
    concerned = persons.filter(
        pl.col("true_household_id").is_in(homes.implode()) | pl.col("true_person_id").is_in(people.implode())
    )
    return concerned["true_person_id"].to_list()


def _planted(roles: list[Role], people: People, height: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows that name somebody of a planted situation."""
    flags = np.zeros(height, dtype=bool)
    wanted = pl.Series(people.ids[people.planted], dtype=pl.Int64)
    for role in roles:
        if role.packed:
            flags |= (
                role.persons.list.eval(pl.element().is_in(wanted.implode()))
                .list.any()
                .fill_null(False)
                .to_numpy()
            )
        else:
            flags |= role.persons.is_in(wanted.implode()).fill_null(False).to_numpy()
    return flags


def _source_habits(delivery: _Delivery, text: pl.DataFrame, harm: Damage) -> pl.DataFrame:
    """What a system does to every row: masks, padding, lost leading zeros, its own word for nothing."""
    contract, events = delivery.contract, delivery.events
    if not harm.off:
        for name in harm.rates["masked_always"].get(contract.id, []):
            if name in text.columns:
                text = text.with_columns(pl.col(name).str.replace(r"^(\d{3})\d{4}(\d{4})$", "${1}****$2"))
    if events.zeros_lost:
        books = {s.evidence["household_no"] for s in contract.subjects if "household_no" in s.evidence}
        books |= {"hh_no"} & set(text.columns)
        text = text.with_columns(pl.col(sorted(books)).str.strip_chars_start("0")) if books else text
    if events.padded:
        names = [spec.name for spec in contract.fields if spec.type in ("person_name", "text", "address")]
        text = text.with_columns(pl.col(names) + "  ") if names else text
    if delivery.spelling.empty:
        # Only what is no part of a key: a key that says NULL is no key.
        optional = [s.name for s in contract.fields if s.nullable and s.name not in contract.grain]
        text = text.with_columns(pl.col(optional).fill_null(delivery.spelling.empty))
    return text


def _write_manifests(
    inbox: Path, dates: list[date], written: list[tuple[_Delivery, Written]], harm: Damage
) -> None:
    wanted = sorted(departments(), key=lambda d: chance(harm.seed, d, "manifest"))
    wanted = wanted[: harm.rates["manifest_departments"]] if not harm.off else wanted
    for night in dates:
        for department in sorted(wanted):
            items = [w for d, w in written if d.call.batch == night and d.contract.department == department]
            if items:
                write_manifest(inbox / night.isoformat() / department, items)


def _summary(written: list[tuple[_Delivery, Written]]) -> dict[str, Any]:
    nights: dict[str, dict[str, int]] = {}
    for delivery, item in written:
        night = nights.setdefault(delivery.call.batch.isoformat(), {"files": 0, "rows": 0, "bytes": 0})
        night["files"] += 1
        night["rows"] += item.rows
        night["bytes"] += item.path.stat().st_size
    return {
        "files": sum(n["files"] for n in nights.values()),
        "rows": sum(n["rows"] for n in nights.values()),
        "bytes": sum(n["bytes"] for n in nights.values()),
        "nights": nights,
    }
