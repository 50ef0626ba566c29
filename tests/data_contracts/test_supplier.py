"""A supplier who has only the contract and `data_contracts/README.md` writes files that are read without an issue.

The writer here is made for this test and shares nothing with the sample county.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from data_contracts.contract import Contract, FieldSpec, catalogue, codes_of
from data_contracts.reading import read_delivery

ROWS = 40
DAY = date(2025, 11, 17)
SPELLINGS = {"yyyymmdd": "%Y%m%d", "yyyy-mm-dd": "%Y-%m-%d", "yyyy/m/d": "%Y/%m/%d"}


def resident_id(number: int) -> str:
    born = date(1941, 3, 7) + timedelta(days=97 * (number % 280))
    body = f"150902{born:%Y%m%d}{number % 900 + 1:03d}"
    weights = [2**place % 11 for place in range(17, 0, -1)]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def credit_code(number: int) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91150902{number:09d}"
    total = sum(alphabet.index(letter) * pow(3, place, 31) for place, letter in enumerate(body))
    return body + alphabet[-total % 31]


def name(number: int) -> str:
    return "王李张刘陈杨赵"[number % 7] + ("伟", "芳", "秀英", "建国", "娜", "海龙")[number % 6]


def cell(contract: Contract, spec: FieldSpec, row: int) -> str:
    """What a careful clerk would write in one cell."""
    number = row * 31 + len(spec.name) * 7
    day = date(2025, 1, 1) + timedelta(days=number % 300)
    if spec.nullable and spec.name not in contract.grain and number % 4 == 0:
        return ""
    listed = codes_of(spec)
    if spec.type == "code" and listed is not None:
        codes = list(listed.codes.items())
        code, label = codes[number % len(codes)]
        return code if row % 2 or contract.delivery.format == "fixed_width" else label
    match spec.type:
        case "resident_id":
            return resident_id(number)
        case "resident_id_list":
            return "、".join((resident_id(number), resident_id(number + 1)))
        case "person_name":
            return name(number)
        case "person_name_list":
            return "、".join((name(number), name(number + 1)))
        case "text_list":
            return "因病、因学"
        case "uscc":
            return credit_code(number)
        case "division_code":
            return "150902"
        case "village_code":
            return "150902001001"
        case "date":
            return day.strftime(SPELLINGS[contract.delivery.dates])
        case "month":
            return day.strftime("%Y%m")
        case "year":
            return "2025"
        case "timestamp":
            return f"{day} 08:30:00"
        case "money":
            return f"{number * 13 % 9000}.{number % 100:02d}"
        case "decimal":
            return f"{number % 90}.5"
        case "integer":
            return str(number % 12 + 1)
        case "boolean":
            return "10"[number % 2]
        case "phone":
            return f"138{number:08d}"
        case "disability_cert_no":
            return resident_id(number) + "42"
        case "student_no":
            return "G" + resident_id(number)
        case "account_no":
            return f"6217000{number:012d}"
        case "address":
            return f"集宁区新体路街道{number}号"
        case _:
            return f"{spec.name[:8]}{number:06d}"


def deliver(contract: Contract, inbox: Path) -> Path:
    """A file of the class, as the README tells."""
    delivery = contract.delivery
    path = inbox / contract.department / f"{contract.id}.{delivery.suffix}"
    path.parent.mkdir(parents=True)
    rows = [[cell(contract, spec, row) for spec in contract.fields] for row in range(ROWS)]
    table = [[spec.source for spec in contract.fields], *rows]
    if delivery.format == "workbook":
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for row, cells in enumerate(table):
                for column, text in enumerate(cells):
                    sheet.write_string(row, column, text)
        return path
    if delivery.format == "fixed_width":
        path.write_bytes(
            b"".join(
                b"".join(padded(spec, text) for spec, text in zip(contract.fields, cells, strict=True))
                + b"\n"
                for cells in rows
            )
        )
        return path
    buffer = io.StringIO()
    if delivery.quoted:
        csv.writer(buffer, delimiter=delivery.delimiter or ",", lineterminator="\r\n").writerows(table)
    else:
        buffer.writelines((delivery.delimiter or ",").join(cells) + "\r\n" for cells in table)
    path.write_bytes(buffer.getvalue().encode(delivery.encoding))
    return path


def padded(spec: FieldSpec, text: str) -> bytes:
    raw = text.encode("gb18030")
    width = spec.width or 0
    assert len(raw) <= width, f"{spec.name} does not fit"
    return raw.rjust(width) if spec.type in ("money", "decimal", "integer") else raw.ljust(width)


@pytest.mark.parametrize("contract", catalogue().values(), ids=lambda c: c.id)
def test_a_file_made_from_the_contract_alone_is_read_without_an_issue(
    contract: Contract, tmp_path: Path
) -> None:
    path = deliver(contract, tmp_path / "inbox" / str(DAY))
    reading = read_delivery(contract, path, batch_date=DAY, lake=tmp_path / "lake")
    assert reading.issues.select("field", "reason").rows() == []
    assert (reading.ledger["status"], reading.ledger["rows_received"], reading.ledger["rows_accepted"]) == (
        "accepted",
        ROWS,
        ROWS,
    )
    accepted = pl.read_parquet(next((tmp_path / "lake" / "accepted" / contract.id).rglob("*.parquet")))
    for spec in contract.fields:
        empty = sum(cell(contract, spec, row) == "" for row in range(ROWS))
        assert accepted[spec.name].null_count() == empty, spec.name
