"""World to extracts: the 48 classes as frames with the fields of their contracts, as they stand on a night.

Here a row gets the names and numbers of the people it speaks of, true and undamaged, and it is settled which rows
leave on which night. What goes wrong with them belongs in `damage.py`, how they look on paper in `writing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import polars as pl

from data_contracts.contract import Contract
from sample_data.damage import Role, positions
from sample_data.odds import Ints

PERSON_ROLES = (
    "head",
    "father",
    "mother",
    "spouse",
    "owner",
    "applicant",
    "payee",
    "account",
    "male",
    "female",
    "guardian",
    "holder",
    "insured",
    "buyer",
    "contact",
)
ATTRIBUTES = {"id_no": "resident_id", "name": "name", "phone": "phone"}
MAIN_COLUMNS = ("person", "owner_person", "applicant_person", "payee_person", "head_person", "buyer_person")
OF_THE_MAIN_PERSON = ("phone", "psn_no", "sex", "birth_date", "ethnic", "former_name", "account_no", "bank")
"""Fields that the world keeps with the person instead of with the row."""

ARRIVES_ON_DAY = {
    "hr_insurance_contribution": 26,
    "hr_employee_pension": 13,
    "hr_resident_pension": 13,
    "hr_unemployment_benefit": 13,
    "hr_fiscal_payroll": 21,
    "ca_assist_payment": 12,
    "ca_welfare_subsidy": 12,
    "tx_iit_withholding": 19,
    "pf_account": 29,
    "ps_household_member": 19,
    "mi_medical_aid": 18,
    "ed_enrolment": 18,
}
"""Day of the month on which a monthly class is delivered, the day after the department closes the month."""

NEWS = (
    "ag_poverty_monitor",
    "am_entity_role",
    "dp_disability_cert",
    "fn_bank_balance",
    "hr_jobless_register",
    "hr_unemployment_benefit",
    "mi_settlement",
    "ps_vehicle",
    "re_ownership",
)
"""Classes that also leave on the second and third night, whatever the calendar says: situations are planted that
become visible on these nights by a row of such a class, and a sample of three nights should show them."""
SNAPSHOTS = {"pf_account": "account_no"}
"""Classes of which a file shows how things stand, while the world keeps every month: business key of a row."""


@dataclass(frozen=True)
class Call:
    """One class leaves its department on one night."""

    batch: date
    kind: str
    since: date | None
    """Day of the delivery before; null on the first night."""


def calls(contract: Contract, nights: Iterable[date]) -> list[Call]:
    """The nights on which a class is delivered, and as what.

    The first night brings everything. Later, daily classes come every night (as a delta where the class has
    one), the others when their day has come.
    """
    found: list[Call] = []
    delivery = contract.delivery
    for number, night in enumerate(nights):
        if not found:
            found.append(Call(night, delivery.kind, None))
        elif _due(contract, night) or (number < 3 and contract.id in NEWS):
            kind = "delta" if "delta" in (delivery.kind, delivery.also) else "full"
            found.append(Call(night, kind, found[-1].batch))
    return found


def _due(contract: Contract, night: date) -> bool:
    match contract.delivery.cadence:
        case "daily":
            return True
        case "weekly":
            return night.weekday() == contract.no % 5
        case "monthly":
            return night.day == ARRIVES_ON_DAY.get(contract.id, 1 + contract.no * 7 % 28)
        case "quarterly":
            return night.month % 3 == 1 and night.day == 21
        case "per_event" | "per_batch":
            return (night.toordinal() + contract.no) % 10 == 0
        case "per_term":
            return night.month in (5, 11) and night.day == 20
        case _:
            return night.month == 3 and night.day == 1 + contract.no % 28


def leaving(table: pl.DataFrame, call: Call, key: str | None = None) -> pl.DataFrame:
    """Rows of a world table that are in the file of that night, in their lasting order.

    With a `key` only the latest row of each is sent (`SNAPSHOTS`).
    """
    there = pl.col("known_on") <= call.batch
    if call.since is None or call.kind == "full":
        there &= pl.col("gone_on").is_null() | (pl.col("gone_on") > call.batch)
    else:
        there &= pl.col("known_on") > call.since
    rows = table.filter(there).sort("world_row")
    if key is None:
        return rows
    return rows.sort("known_on", "world_row").unique(key, keep="last", maintain_order=True).sort("world_row")


@dataclass(frozen=True)
class Source:
    """Where a field of a contract comes from: a column of people and an attribute of theirs."""

    column: str
    attribute: str


def source_of(contract: Contract, field: str, columns: Iterable[str]) -> Source | None:
    """People column and attribute behind a field; null when the world has the field itself (or not at all)."""
    have = set(columns)
    if field in have:
        return None
    if field == "member_ids":
        return Source("member_persons", "resident_id")
    if field in ("account_no", "bank") and "account_person" in have:
        return Source("account_person", field)
    if field in ("id_no", "name", "person_id_no", "person_name") and "person" in have:
        return Source("person", "name" if field.endswith("name") else "resident_id")
    for role in PERSON_ROLES:
        if f"{role}_person" in have and field.startswith(role + "_"):
            attribute = ATTRIBUTES.get(field.removeprefix(role + "_"))
            if attribute:
                return Source(f"{role}_person", attribute)
    if field in OF_THE_MAIN_PERSON:
        for column in MAIN_COLUMNS:
            if column in have:
                return Source(column, field)
    return None


@dataclass(frozen=True)
class Extract:
    """One class of one shard on one night, true and typed.

    `frame` has the fields of the contract that the world knows; `days` is the day (since 1970) on which each row
    was written; `roles` say who is meant.
    """

    contract: Contract
    frame: pl.DataFrame
    roles: list[Role]
    days: Ints
    missing: list[str]
    """Fields of the contract that the world does not have."""


def extract(contract: Contract, rows: pl.DataFrame, persons: pl.DataFrame) -> Extract:
    """Give the rows of a world table the fields of the contract.

    `persons` is the world's table of persons, sorted by true_person_id.
    """
    rows = _shared_titles(contract, rows)
    ids = persons["true_person_id"].to_numpy()
    days = rows["known_on"].cast(pl.Int32).cast(pl.Int64).to_numpy()
    columns: list[pl.Series] = []
    missing: list[str] = []
    sources: dict[str, Source] = {}
    places: dict[str, Ints] = {}
    for spec in contract.fields:
        source = source_of(contract, spec.name, rows.columns)
        if source is None:
            if spec.name in rows.columns:
                columns.append(rows[spec.name])
            else:
                missing.append(spec.name)
            continue
        sources[spec.name] = source
        who = rows[source.column]
        if isinstance(who.dtype, pl.List):
            columns.append(_of_many(who, ids, persons[source.attribute]).alias(spec.name))
            continue
        if source.column not in places:
            places[source.column] = positions(ids, who)
        index = pl.Series(places[source.column])
        index = index.set(index < 0, None).cast(pl.UInt32)
        columns.append(persons[source.attribute].gather(index).alias(spec.name))
    frame = pl.DataFrame(columns)
    frame = _of_that_day(contract, frame, rows, persons, places, days)
    return Extract(contract, frame, _roles(contract, rows, frame, sources), days, missing)


def _of_many(who: pl.Series, ids: Ints, values: pl.Series) -> pl.Series:
    flat = pl.DataFrame({"row": np.arange(len(who)), "who": who}).explode("who").drop_nulls("who")
    index = pl.Series(positions(ids, flat["who"])).cast(pl.Int64)
    flat = flat.with_columns(value=values.gather(index.set(index < 0, None).cast(pl.UInt32)))
    packed = flat.group_by("row", maintain_order=True).agg("value")
    frame = pl.DataFrame({"row": np.arange(len(who))})
    return frame.join(packed, on="row", how="left", maintain_order="left")["value"]


def _shared_titles(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Joint owners stand in one cell where the contract reads several; the world has a row a holder."""
    packed = [
        spec.name
        for spec in contract.fields
        if spec.type == "person_name_list" and spec.name == "holder_name"
    ]
    if not packed or "holder_person" not in rows.columns or "unit_no" not in rows.columns:
        return rows
    keys = ["unit_no", "known_on", "status"]
    return (
        rows.sort("world_row")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("holder_person"), pl.all().exclude(*keys, "holder_person").first())
        .select(rows.columns)
        .sort("world_row")
    )


def _of_that_day(
    contract: Contract,
    frame: pl.DataFrame,
    rows: pl.DataFrame,
    persons: pl.DataFrame,
    places: dict[str, Ints],
    days: Ints,
) -> pl.DataFrame:
    """What the register itself knew on the day: no former name before the change, newborns without a number."""
    if contract.id == "ps_resident" and "former_name" in frame.columns:
        index = pl.Series(places["person"]).cast(pl.UInt32)
        changed = persons["name_changed_on"].gather(index).cast(pl.Int32).fill_null(-(10**6))
        early = pl.Series(days < changed.to_numpy())
        frame = frame.with_columns(
            pl.when(early).then(None).otherwise(pl.col("former_name")).alias("former_name")
        )
    if contract.id == "hl_birth_death_cert" and "person" in places:
        index = pl.Series(places["person"]).set(pl.Series(places["person"]) < 0, None).cast(pl.UInt32)
        newborn = persons["newborn_name"].gather(index)
        birth = rows["cert_type"] == "1"
        frame = frame.with_columns(
            pl.when(birth).then(None).otherwise(pl.col("person_id_no")).alias("person_id_no"),
            pl.when(birth & newborn.is_not_null())
            .then(newborn)
            .otherwise(pl.col("person_name"))
            .alias("person_name"),
        )
    return frame


def _roles(
    contract: Contract, rows: pl.DataFrame, frame: pl.DataFrame, sources: dict[str, Source]
) -> list[Role]:
    """Who is named by which fields: the roles of the contract, then fields about people that no role explains."""
    roles: list[Role] = []
    explained: set[str] = set()
    for subject in contract.subjects:
        evidence = {str(kind): name for kind, name in subject.evidence.items() if name in frame.columns}
        told = [
            evidence[k]
            for k in ("resident_id", "person_name", "former_resident_id", "phone")
            if k in evidence
        ]
        column = next((sources[name].column for name in told if name in sources), None)
        if column is None:
            continue
        who = rows[column]
        where = getattr(subject, "where", None)
        if where:
            holds = duckdb.sql(f"SELECT coalesce({where}, false) AS holds FROM frame").pl()["holds"]
            who = pl.DataFrame({"who": who}).select(pl.when(holds).then(pl.col("who"))).to_series()
        packed = isinstance(who.dtype, pl.List)
        roles.append(Role(subject.role, who, evidence, packed=packed, in_list=subject.packed))
        explained |= set(evidence.values())
    loose: dict[str, dict[str, str]] = {}
    kinds = {"resident_id": "resident_id", "name": "person_name", "phone": "phone"}
    for name, source in sources.items():
        if name not in explained and source.attribute in kinds:
            loose.setdefault(source.column, {}).setdefault(kinds[source.attribute], name)
    for column, evidence in loose.items():
        who = rows[column]
        roles.append(Role(f"_{column}", who, evidence, packed=isinstance(who.dtype, pl.List)))
    return roles


def nights_of(start: date, nights: int) -> list[date]:
    """Consecutive days."""
    return [start + timedelta(days=i) for i in range(nights)]
