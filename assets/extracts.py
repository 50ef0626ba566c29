"""The 48 classes and the officers' answers as assets: one step a department, each class selectable by itself.

Reading belongs in `data_contracts/reading.py`, the books of a night in `data_contracts/collecting.py`. This module
runs them for a selection and tells Dagster what was found.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from assets.io import OWNER, Home, Metadata, bars, patient_io, table
from assets.partitions import batch_date, day_of
from data_contracts.collecting import Collected, collect, manifest_is_broken, unclaimed, write_parquet
from data_contracts.contract import Contract, Department, catalogue, departments
from data_contracts.expectations import worst
from data_contracts.field_types import hide_numbers, masked
from data_contracts.sources import source_status

GROUP = "extracts"
PREVIEW_ROWS = 5


def key(class_id: str) -> dg.AssetKey:
    """Asset key of a class."""
    return dg.AssetKey([GROUP, class_id])


def classes_of(department: str) -> list[Contract]:
    """Classes that a department delivers, in the order of the catalogue."""
    return [contract for contract in catalogue().values() if contract.department == department]


CHECKS = {
    "contract": (
        "文件可用、台账相符、采用的行符合契约（Great Expectations，DuckDB）。"
        " Files are usable, the ledger closes, accepted rows keep what the contract promises."
    ),
    "delivered_in_time": "应到未到：以业务日期计。 Expected but absent, counted from the business date.",
}


def _spec(contract: Contract, department: Department) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(
            spec.name,
            spec.type,
            description=spec.source + (f" ({spec.unit})" if spec.unit else ""),
            constraints=dg.TableColumnConstraints(nullable=spec.nullable),
        )
        for spec in contract.fields
    ]
    return dg.AssetSpec(
        key(contract.id),
        group_name=GROUP,
        description=(
            f"**{contract.title.zh}** · {contract.title.en}\n\n{contract.description.zh}\n\n{contract.description.en}"
            f"\n\n{department.title.zh}（{contract.supplying_unit}）· {contract.delivery.cadence}"
        ),
        owners=[OWNER, f"team:{contract.department}"],
        kinds={"polars", "parquet"},
        tags={"department": contract.department},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "legal_basis": "；".join(contract.legal_basis),
            "purpose": contract.purpose.zh,
        },
    )


def extract_assets(department: Department) -> dg.AssetsDefinition:
    """The step of one department. A file that breaks its reader fails that class and no other."""
    contracts = {key(contract.id): contract for contract in classes_of(department.id)}

    @dg.multi_asset(
        name=f"read_{department.id}",
        description=f"{department.title.zh} · {department.title.en}",
        specs=[_spec(contract, department) for contract in contracts.values()],
        check_specs=[
            dg.AssetCheckSpec(name, asset=asset_key, description=description)
            for asset_key in contracts
            for name, description in CHECKS.items()
        ],
        can_subset=True,
        partitions_def=batch_date,
        op_tags={"department": department.id},
    )
    def _read(context: dg.AssetExecutionContext, home: Home) -> Iterator[dg.MaterializeResult]:
        day = day_of(context)
        folder = home.inbox / day.isoformat() / department.id
        chosen = [c for asset_key, c in contracts.items() if asset_key in context.selected_asset_keys]
        with patient_io(context):
            _note_unclaimed(context, home, department, day)
            found = []
            for contract in chosen:
                collected = collect(contract, folder, home.lake, day)
                context.log.info(
                    f"{contract.id}: {collected.ledger.height} files, "
                    f"{collected.ledger['rows_received'].sum()} rows received"
                )
                found.append(collected)
            status = source_status(home.lake, day, contracts=chosen)
        for collected in found:
            yield report(
                collected, status.row(by_predicate=pl.col("class_id") == collected.contract.id, named=True)
            )

    return _read


def report(collected: Collected, status: dict[str, Any]) -> dg.MaterializeResult:
    """What Dagster is told of one class: counts, issues, ledger, a masked preview and the outcome of its checks."""
    books = collected.ledger
    totals = {
        name.removeprefix("rows_"): int(books[name].sum())
        for name in ("rows_received", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_quarantined")
    }
    metadata: Metadata = {"dagster/row_count": totals["accepted"], **totals, "files": books.height}
    if books.is_empty():
        metadata["note"] = "nothing delivered / 本日无文件"
    else:
        reasons = (
            collected.issues.group_by("reason", "severity").agg(pl.col("rows").sum()).sort("rows", "reason")
        )
        metadata |= {
            "ledger": table(
                books.select("file", "status", "kind", "encoding", pl.col("^rows_.*$"), "control_note_zh")
            ),
            "issues": table(reasons.reverse()),
            "rows_plot": bars(list(totals.items()), collected.contract.title.zh),
        }
        if collected.accepted:
            sample = pl.read_parquet(collected.accepted[0], n_rows=PREVIEW_ROWS)
            metadata["preview_masked"] = table(masked(sample, collected.contract))
    return dg.MaterializeResult(
        asset_key=key(collected.contract.id),
        metadata=metadata,
        check_results=[
            _contract_check(collected),
            _in_time_check(collected, status),
        ],
    )


def _result(
    collected: Collected, name: str, passed: bool, error: bool, **metadata: Any
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=key(collected.contract.id),
        check_name=name,
        severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _contract_check(collected: Collected) -> dg.AssetCheckResult:
    verdict = _verdict(collected)
    shown = collected.checks.filter(pl.col("outcome") != "passed").select(
        "severity", "outcome", "check", "column", "rows_failed", "rows_checked", "note_zh"
    )
    return _result(
        collected,
        "contract",
        verdict == "passed",
        verdict != "warning",
        verdict=verdict,
        residual=collected.residual(),
        statuses=", ".join(collected.ledger["status"]) or "nothing delivered",
        expectations=collected.checks.height,
        not_met=table(shown),
    )


def _verdict(collected: Collected) -> str:
    """The gravest thing that is wrong, from a broken reader down to a warning."""
    statuses = set(collected.ledger["status"])
    if collected.failed:
        return "reader_failed"
    if collected.residual():
        return "ledger_does_not_close"
    if statuses & {"rejected", "held"}:
        return "file_not_used"
    return worst(collected.checks)


def _in_time_check(collected: Collected, status: dict[str, Any]) -> dg.AssetCheckResult:
    return _result(
        collected,
        "delivered_in_time",
        status["status"] not in ("late", "absent"),
        False,
        status=str(status["status"]),
        last_batch=str(status["last_batch"]),
        expected_by=str(status["expected_by"]),
        note=str(status["note_zh"]),
    )


def _note_unclaimed(context: dg.AssetExecutionContext, home: Home, department: Department, day: date) -> None:
    """Files of no class pass neither into the lake nor into silence."""
    folder = home.inbox / day.isoformat() / department.id
    rows = [
        (hide_numbers(path.name), "文件名不属于本部门的任何信息类别，未读取") for path in unclaimed(folder)
    ]
    if manifest_is_broken(folder):
        rows.append(("_manifest.yaml", "清单无法解析，未与文件核对"))
    frame = pl.DataFrame(rows, schema={"file": pl.String, "message_zh": pl.String}, orient="row")
    for name, message in rows:
        context.log.warning(f"{department.id}/{name}: {message}")
    write_parquet(frame, home.lake / "unclaimed" / department.id / f"batch_date={day}.parquet")


assets = [extract_assets(department) for department in departments().values()]
