"""Why a link was made, or was not: one Chinese sentence, without any number or name of the person.

The sentences of the passes stand beside the passes; here they are put on rows.
"""

from __future__ import annotations

import polars as pl

from matching.passes import CONFLICTS_ZH, PASSES

GRADES_ZH = {"A": "确定", "B": "较为确定", "C": "待人工确认", "D": "暂定"}

EVENTS_ZH = {
    "create": "首次出现，新建人员编号。",
    "return": "重新出现，恢复原人员编号。",
    "confirm": "暂定人员经户籍登记确认，编号不变。",
    "numbered": "暂定人员的记录有了可用的证件号码，编号不变。",
    "pending": "记录正待人工确认是否为他人，暂停使用人员编号。",
    "absorb": "暂定人员与已有人员为同一人，并入。",
    "merge": "两名登记人员经户籍变动或人工确认为同一人，并入。",
    "split": "原归入另一人员的记录分出，新建人员编号。",
    "retire": "已无任何记录支持，停用人员编号。",
}


ANSWERED_ZH = {
    "evidence": "其他信息综合比对表明是另一人的记录（号码可能是亲属的），已归入该人，不再列入冲突清单。",
    "holder": "其他信息综合比对表明就是号码持有人的记录，不再列入冲突清单。",
    "hand": "经工作人员确认归属，不再列入冲突清单。",
}
"""What became of a conflict that found an answer; stands behind the sentence of the conflict."""


def reason_zh(pass_id: pl.Expr) -> pl.Expr:
    """The sentence of each pass."""
    return pass_id.replace_strict({p.id: p.reason_zh for p in PASSES.values()}, return_dtype=pl.String)


def conflict_zh(kind: pl.Expr) -> pl.Expr:
    """The sentence of each kind of conflict."""
    return kind.replace_strict(CONFLICTS_ZH, return_dtype=pl.String)


def explain(
    identity_key: str, links: pl.DataFrame, conflicts: pl.DataFrame, answered: pl.DataFrame | None = None
) -> str:
    """Why one identity belongs to its person, or why it belongs to nobody, in one paragraph.

    `answered` (`spine.ANSWERED`) says of a record that was once in conflict how that ended.
    """
    link = links.filter(pl.col("identity_key") == identity_key)
    conflict = conflicts.filter(pl.col("identity_key") == identity_key)
    parts = [
        f"归入人员 P{row['person_id']:09d}（{GRADES_ZH[row['grade']]}，规则 {row['pass_id']}）：{row['reason_zh']}"
        for row in link.iter_rows(named=True)
    ]
    parts += [f"列入冲突清单：{row['reason_zh']}" for row in conflict.iter_rows(named=True)]
    if answered is not None:
        past = answered.filter(pl.col("identity_key") == identity_key)
        parts += [
            f"曾有冲突（{row['answered_on']}解决）：{row['reason_zh']}" for row in past.iter_rows(named=True)
        ]
    return "".join(parts) or "未归入任何人员：没有一条确定规则同时满足唯一性要求。"
