"""What is said about a delivery that is not as agreed: reason codes, their Chinese sentences, and the log of one file.

Each reason has one sentence for what was found and one for what the department can do. Where reasons are found
belongs in `field_types.py`, `deliveries.py` and `reading.py`. No message contains a raw value, nor a number from the
name of a file, sheet or column by which somebody can be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from data_contracts.field_types import hide_numbers, mask_text

Severity = Literal["error", "warning", "info"]

CELLS_NAMED = 1000
"""So many cells of one column and reason are named one by one, for the supplier to mend; the rest are counted in one line."""

ROWS_TOLD = 5
"""So many row numbers stand in the one line of a finding that is only counted."""

ISSUES = pl.Schema(
    {
        "class_id": pl.String(),
        "batch_date": pl.Date(),
        "delivery_id": pl.String(),
        "file": pl.String(),
        "row": pl.Int64(),
        "column": pl.String(),
        "field": pl.String(),
        "reason": pl.String(),
        "severity": pl.String(),
        "masked_value": pl.String(),
        "message_zh": pl.String(),
        "action_zh": pl.String(),
        "rows": pl.Int64(),
    }
)
"""One row a finding; `row` is the data row of the file from 1, the first of several; `rows` is how many rows the finding
speaks of; a finding about the whole file counts as one."""


@dataclass(frozen=True)
class Reason:
    """What was found and what to do, in Chinese. `{...}` are filled in by the finder."""

    severity: Severity
    found: str
    action: str


_CHECK = "请核对原始材料后更正，并在下次报送时补报该行"
_AS_TEXT = "请把该列设为文本格式后从业务系统重新导出，不要用电子表格打开另存"

REASONS: dict[str, Reason] = {
    # cells
    "id_lossy": Reason("error", "证件号码被电子表格截断（科学计数或末三位变为000），已置空", _AS_TEXT),
    "id_placeholder": Reason(
        "warning", "填的是占位内容，不是证件号码，已置空", "请补录真实证件号码；确无证件的请留空"
    ),
    "id_checksum": Reason("warning", "证件号码校验码或出生日期不符，按原样保留", _CHECK),
    "id_malformed": Reason("warning", "证件号码位数或字符不符，按原样保留", _CHECK),
    "id_masked": Reason("info", "证件号码经过脱敏，只能用于核对", "如需准确比对，请按共享协议提供完整号码"),
    "id_other_document": Reason("info", "不是公民身份号码，按其他证件号码保留", "无需处理；如为误录请更正"),
    "id_from_certificate": Reason(
        "info", "填的是残疾人证号，已取其前18位作为身份号码", "请在身份号码列填写身份号码"
    ),
    "number_lossy": Reason("error", "号码或数值被电子表格变为科学计数，尾数已丢失，已置空", _AS_TEXT),
    "uscc_malformed": Reason("warning", "统一社会信用代码不合规则，按原样保留", _CHECK),
    "place_unreadable": Reason(
        "warning", "不是行政区划或村居代码，已置空", "请填写6位区划代码或12位村居代码"
    ),
    "phone_unreadable": Reason("warning", "不是电话号码，已置空", "请填写11位手机号或带区号的固定电话"),
    "phone_several": Reason("info", "有多个电话，只取第一个", "请每格只填一个电话"),
    "certificate_malformed": Reason("warning", "残疾人证号不合规则，按原样保留", _CHECK),
    "student_no_malformed": Reason("info", "学籍号不合规则，按原样保留", _CHECK),
    "code_unknown": Reason("warning", "不在代码表中，已置空", "请按代码表填写，或告知新增代码的含义"),
    "boolean_unreadable": Reason("warning", "看不出是“是”还是“否”，已置空", "请填写“是”或“否”"),
    "date_impossible": Reason("warning", "日期不存在，已置空", _CHECK),
    "date_incomplete": Reason("warning", "日期不完整（缺日），已置空，不推定", "请补全年月日"),
    "date_ambiguous": Reason("warning", "日期写法有歧义，已置空，不推定", "请按“年4位-月2位-日2位”填写"),
    "date_unreadable": Reason("warning", "不是日期，已置空", "请按“年4位-月2位-日2位”填写"),
    "month_unreadable": Reason("warning", "不是月份，已置空", "请按“年4位月2位”填写，如202501"),
    "year_unreadable": Reason("warning", "不是年份，已置空", "请填写4位年份"),
    "money_unreadable": Reason("warning", "不是金额，已置空", "请只填数字，单位按约定"),
    "money_unit_converted": Reason(
        "info", "单元格自带的单位与约定不同，已按单元格的单位换算为元", "请按约定的单位填写数字"
    ),
    "money_period_conflict": Reason(
        "error", "金额的期间与约定（{unit}）不同，不作换算，已置空", "请按约定的期间（{unit}）重新报送该列"
    ),
    "number_unreadable": Reason("warning", "不是数值，已置空", "请只填数字"),
    "mojibake": Reason("error", "内容是无法还原的乱码，已置空", "请检查导出程序的字符编码后重新报送"),
    "mojibake_repaired": Reason("warning", "内容是乱码，已按编码规律还原", "请检查导出程序的字符编码"),
    "undecodable": Reason("warning", "有无法识别的字节，以替代符保留", "请检查该行的生僻字和字符编码"),
    "required_empty": Reason("warning", "不应为空而为空", "请补录"),
    # columns
    "column_unknown": Reason("info", "该列不在约定中，未采用，也未保存", "无需处理；如应采用，请先修订契约"),
    "column_twice": Reason("warning", "同名列出现多次，只采用第一列", "请删除重复的列"),
    "column_absent": Reason("info", "约定的列未报送，按未知处理", "请在下次报送时补上该列"),
    "part_incomplete": Reason(
        "warning",
        "“{found}”缺少必需的列（{missing}），该部分未采用，文件的其余部分照常处理",
        "如是汇总或说明，无需处理；如有数据，请补上该列后重新报送",
    ),
    "column_missing": Reason(
        "error", "缺少必需的列，整个文件未采用{similar}", "请补上该列后重新报送整个文件"
    ),
    "column_renamed": Reason(
        "info", "列名与约定不同（约定为“{expected}”），按该列读取", "请按约定的列名报送"
    ),
    "column_unit": Reason(
        "warning", "列名中的单位是{found}，约定是{unit}，已换算", "请按约定的单位报送，或修订契约"
    ),
    "column_period": Reason(
        "error",
        "列名中的期间是{found}，约定是{unit}；期间不同不作换算，整列已置空",
        "请按约定的期间（{unit}）重新报送该列",
    ),
    # rows
    "ragged": Reason(
        "error", "列数与表头不符（{fields}列，应为{width}列），已隔离", "请检查分隔符和引号后补报该行"
    ),
    "broken_quotes": Reason("error", "引号不成对，已隔离", "请检查引号后补报该行"),
    "broken_record": Reason("error", "内容残缺，已隔离", "请补报该行"),
    "fixed_width": Reason(
        "error", "行长与定长格式不符（{fields}字节，应为{width}字节），已隔离", "请检查定长格式后补报该行"
    ),
    "grain_missing": Reason("error", "主键“{expected}”为空或无法读取，该行未采用", "请补全主键后补报该行"),
    "names_nobody": Reason(
        "error", "姓名和证件号码都为空或无法读取，该行未采用", "请补录姓名或证件号码后补报该行"
    ),
    "other_encoding": Reason(
        "warning", "该行的字符编码与文件其余部分不同，已按{found}读取", "请统一字符编码后导出"
    ),
    "mixed_encoding": Reason("warning", "该行中个别单元格的字符编码不同，已分别读取", "请统一字符编码后导出"),
    "control_characters": Reason("warning", "有控制字符（如NUL、0x1A），已去除", "请检查导出程序"),
    # files
    "encoding_differs": Reason(
        "warning", "字符编码是{found}，约定是{expected}，已按实际编码读取", "请按约定的编码报送，或修订契约"
    ),
    "delimiter_differs": Reason(
        "info", "分隔符是{found}，约定是{expected}，已按实际分隔符读取", "请按约定的分隔符报送，或修订契约"
    ),
    "format_differs": Reason(
        "info", "文件格式是{found}，约定是{expected}，已按实际格式读取", "请按约定的格式报送，或修订契约"
    ),
    "header_absent": Reason("warning", "没有表头，按约定的列序读取", "请在首行加上表头"),
    "header_not_found": Reason(
        "error", "找不到表头，整个文件未采用", "请在数据之前用一行写明约定的列名：{expected}"
    ),
    "header_garbled": Reason(
        "error",
        "找不到表头：开头几行像是乱码，多半是导出时字符编码有误，整个文件未采用",
        "请检查导出程序的字符编码，按UTF-8或GB18030重新导出后报送",
    ),
    "sheet_ignored": Reason("info", "“{found}”中没有约定的列，未读取", "无需处理；如有数据，请加上表头"),
    "truncated": Reason("error", "文件像是传输中断：{found}", "请核对后重新报送完整文件"),
    "unreadable": Reason("error", "文件无法读取：{found}", "请重新生成并报送该文件"),
    "empty_file": Reason("error", "文件是空的", "请重新报送；如确无数据，请报送只有表头的文件"),
    "no_rows": Reason("warning", "只有表头，没有数据行", "请确认本期确无数据"),
    "duplicate_delivery": Reason(
        "warning", "与{found}的内容完全相同，不再重复采用", "无需处理；如应有更新，请重新导出"
    ),
    "duplicate_rows": Reason("info", "有完全相同的行，只采用第一次出现的", "请检查导出程序是否重复取数"),
    "held_shrunk": Reason(
        "error",
        "全量文件比上次少{found}（上次{before}行，本次{now}行），超过允许的{limit}，暂不采用",
        "请确认：如确已减少，请在清单中注明 confirm_shrink；否则请重新报送完整文件",
    ),
    "held_truncated": Reason(
        "error",
        "全量文件不完整（{found}），暂不采用，沿用此前的数据",
        "请重新报送完整文件；如本文件确已完整，请在清单中注明 confirm_shrink",
    ),
    "held_rows": Reason(
        "error",
        "全量文件的行数与清单不符（清单{expected}行，实际{found}行），暂不采用，沿用此前的数据",
        "请重新报送完整文件或更正清单；如本文件确已完整，请在清单中注明 confirm_shrink",
    ),
    "held_sha256": Reason(
        "error",
        "全量文件与清单中的校验值不符，又未写明行数，无法确认完整，暂不采用，沿用此前的数据",
        "请重新报送完整文件或更正清单；如本文件确已完整，请在清单中注明 confirm_shrink",
    ),
    "held_part": Reason(
        "error",
        "同一份全量数据的其他部分（{found}）未被采用，本文件一并暂不采用，沿用此前的数据",
        "请更正未被采用的部分，并把各部分一起重新报送",
    ),
    "held_part_missing": Reason(
        "error",
        "全量数据上次分为多个文件，本次缺少{found}，暂不采用，沿用此前的数据",
        "请把各部分一起重新报送；如确已合并或取消该部分，请在清单中注明 confirm_shrink",
    ),
    "held_checks": Reason(
        "error",
        "增量文件未通过检查（{found}），整份暂不采用，此前的数据不受影响",
        "请更正后重新报送；如数据无误，请联系数据组修订契约",
    ),
    "delta_incomplete": Reason(
        "error",
        "增量文件不完整（{found}）：读取到的行照常采用，但在收到下一份完整的文件之前，相关规则停用",
        "请尽快重新报送完整文件",
    ),
    "nothing_usable": Reason(
        "error", "没有一行可以采用，本文件不作为有效报送", "请按各行的问题更正后重新报送整个文件"
    ),
    "too_few_rows": Reason("error", "行数（{now}）少于下限（{limit}）", "请核对是否完整"),
    "too_many_rows": Reason("warning", "行数（{now}）多于通常的上限（{limit}）", "请核对是否重复取数"),
    "control_rows": Reason("error", "清单写明{expected}行，实际{found}行", "请核对后重新报送"),
    "control_sha256": Reason("error", "文件与清单中的校验值不符", "请核对传输过程后重新报送"),
    "control_total": Reason(
        "error", "“{expected}”合计与清单不符（清单{declared}，实际{found}）", "请核对后重新报送"
    ),
    "control_unknown": Reason("warning", "清单中的合计项“{expected}”不在约定中，未核对", "请更正清单"),
    "manifest_unusable": Reason("warning", "清单中“{expected}”一项无法识别，未核对", "请更正清单"),
}
"""Every reason by code."""


class IssueLog:
    """Findings of one file. Cells beyond the first few of a kind are counted; those of severity info all are, in one line
    that names the first rows and shows the first value."""

    def __init__(self, class_id: str, batch_date: date, file: str) -> None:
        self._file = hide_numbers(file)
        self._fixed = {"class_id": class_id, "batch_date": batch_date, "file": self._file}
        self._rows: list[dict[str, Any]] = []
        self._more: dict[tuple[str, str | None, str | None], int] = {}
        self._named: dict[tuple[str, str | None, str | None], int] = {}
        self._words: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
        self._first: dict[tuple[str, str | None, str | None], list[int]] = {}
        self._example: dict[tuple[str, str | None, str | None], str | None] = {}

    def file(self, reason: str, **words: Any) -> None:
        """A finding about the whole file: one finding, however many rows the file has (those stand in the ledger)."""
        self._add(reason, None, None, None, None, 1, words)

    def column(self, reason: str, column: str, field: str | None = None, rows: int = 0, **words: Any) -> None:
        """A finding about a column."""
        self._add(reason, None, column, field, None, rows, words)

    def row(
        self, reason: str, row: int, column: str | None = None, field: str | None = None, **words: Any
    ) -> None:
        """A finding about a row, or an empty cell of it."""
        self.cells(reason, pl.Series([row], dtype=pl.Int64), None, column, field, None, **words)

    def cells(
        self,
        reason: str,
        rows: pl.Series,
        values: pl.Series | None,
        column: str | None,
        field: str | None,
        kind: str | None,
        **words: Any,
    ) -> None:
        """Findings of one reason in one column; `values` are the delivered cells and are masked here."""
        key = (reason, column, field)
        named = self._named.get(key, 0)
        is_info = REASONS[reason].severity == "info"
        room = 0 if is_info else max(0, CELLS_NAMED - named)
        shown = rows.head(room)
        self._named[key] = named + len(shown)
        if len(rows) > len(shown):
            self._more[key] = self._more.get(key, 0) + len(rows) - len(shown)
            self._words.setdefault(key, words)
        if is_info and len(rows):
            first = self._first.setdefault(key, [])
            first += rows.head(ROWS_TOLD - len(first)).to_list()
            if key not in self._example:
                self._example[key] = _masked(values, kind, 1)[0] if values is not None and kind else None
        if len(shown) == 0:
            return
        masks = (
            _masked(values, kind, len(shown))
            if values is not None and kind is not None
            else [None] * len(shown)
        )
        for row, mask in zip(shown.to_list(), masks, strict=True):
            self._add(reason, row, column, field, mask, 1, words)

    def _add(
        self,
        reason: str,
        row: int | None,
        column: str | None,
        field: str | None,
        mask: str | None,
        rows: int,
        words: dict[str, Any],
        summary: str = "",
    ) -> None:
        meaning = REASONS[reason]
        column = hide_numbers(column) if column else column
        # Totals are sums over a file, and long; every other word may be a name that somebody chose.
        words = {
            key: hide_numbers(word) if isinstance(word, str) and reason != "control_total" else word
            for key, word in words.items()
        }
        where = f"数据第{row}行" if row is not None and not summary else ""
        place = self._file + where + (f"“{column}”列" if column else "")
        self._rows.append(
            {
                **self._fixed,
                "delivery_id": None,
                "row": row,
                "column": column,
                "field": field,
                "reason": reason,
                "severity": meaning.severity,
                "masked_value": mask,
                "message_zh": f"{place}：{summary}{meaning.found.format(**words)}",
                "action_zh": meaning.action.format(**words),
                "rows": rows,
            }
        )

    def has(self, reason: str) -> bool:
        """Whether that was found."""
        return any(row["reason"] == reason for row in self._rows)

    def frame(self, delivery_id: str) -> pl.DataFrame:
        """All findings; errors first, then by column and row."""
        more, self._more = self._more, {}
        for (reason, column, field), count in more.items():
            named = self._named.get((reason, column, field), 0)
            first = self._first.get((reason, column, field), [])
            told = (
                f"（数据第{'、'.join(map(str, first))}行{'等' if count > len(first) else ''}）"
                if first
                else ""
            )
            summary = f"{'另有' if named else '共'}{count}行{told}，" if count > 1 or named else ""
            self._add(
                reason,
                first[0] if first else None,
                column,
                field,
                self._example.get((reason, column, field)),
                count,
                self._words[(reason, column, field)],
                summary,
            )
        found = pl.DataFrame(self._rows, schema=ISSUES).with_columns(delivery_id=pl.lit(delivery_id))
        order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "info": 2}, return_dtype=pl.Int8)
        return found.sort(order, "field", "column", "reason", "row", nulls_last=False, maintain_order=True)


def _masked(values: pl.Series, kind: str, count: int) -> list[str | None]:
    """The first delivered cells, masked by their kind."""
    first = values.head(count).rename("value").to_frame()
    return first.select(mask_text(kind, pl.col("value")))["value"].to_list()
