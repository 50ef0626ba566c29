"""A workbook with one sheet, written as XML from whole columns, so that a cell costs no Python call.

Nothing here knows a class or a contract; which cells stand in a sheet belongs in `writing.py`. Times inside the
archive are fixed, so that the same cells give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold."""

_PARTS = {
    "[Content_Types].xml": (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        "</styleSheet>"
    ),
}
ILLEGAL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"


@dataclass
class Sheet:
    """One workbook with one sheet, written as XML from whole columns: a cell costs no Python call."""

    path: Path
    rows: int = 0
    merges: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archive = zipfile.ZipFile(self.path, "w")
        for name, body in _PARTS.items():
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            self.archive.writestr(info, body)
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml", FIXED_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        # Level 1: the sheets are written once and read once.
        info._compresslevel = 1  # type: ignore[attr-defined]
        self.stream = self.archive.open(info, "w", force_zip64=True)
        self.stream.write(
            b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        )

    def line(self, cells: Iterable[str | Decimal | int | None]) -> None:
        """One row of single cells; numbers as numbers."""
        xml = []
        for cell in cells:
            if cell is None or cell == "":
                xml.append("<c/>")
            elif isinstance(cell, str):
                xml.append(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>')
            else:
                xml.append(f"<c><v>{cell}</v></c>")
        self.stream.write(("<row>" + "".join(xml) + "</row>").encode("utf-8"))

    def block(self, cells: pl.DataFrame) -> None:
        """Rows of ready XML cells."""
        if cells.height == 0:
            return
        buffer = io.BytesIO()
        lines = cells.select(
            pl.concat_str([pl.lit("<row>"), *[pl.col(c) for c in cells.columns], pl.lit("</row>")])
        )
        lines.write_csv(buffer, include_header=False, quote_style="never")
        self.stream.write(buffer.getbuffer())
        self.rows += cells.height

    def close(self) -> None:
        """End the sheet; merged title cells are listed after the rows."""
        self.stream.write(b"</sheetData>")
        if self.merges:
            refs = "".join(f'<mergeCell ref="{ref}"/>' for ref in self.merges)
            self.stream.write(f'<mergeCells count="{len(self.merges)}">{refs}</mergeCells>'.encode())
        self.stream.write(b"</worksheet>")
        self.stream.close()
        self.archive.close()


def column_letter(number: int) -> str:
    """Letters of a column, from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
