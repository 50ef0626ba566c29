"""Pairs that a person should look at, in the order in which a look helps most, and what of them may be shown side by side.

How a terminal or a workbook shows them does not belong here, nor where answers go (`journal`).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from rapidfuzz.distance import Indel

from matching import decisions

KINDS_ZH = {
    "answered": "入户核查答复“数据不是本人的”",
    "review": "待人工确认的关联",
    "conflict": "号码一致而其他信息矛盾",
    "below": "最可能的人员，但把握不足",
}
"""Why a pair is grey, in words."""

ANSWERED_ZH = "核查人员答复预警所依据的数据不是本人的；该预警依据多条记录，请逐条确认是否为本人。"

QUEUE = pl.Schema(
    {
        "identity_key": pl.String(),
        "person_id": pl.Int64(),
        "person_key": pl.String(),
        "kind": pl.String(),
        "probability": pl.Float64(),
        "margin": pl.Float64(),
        "reason_zh": pl.String(),
        "has_warnings": pl.Boolean(),
        "said_unsure": pl.Int64(),
    }
)
"""`kind`: see `KINDS_ZH`; `probability` that the two are the same, `margin` in bits to the runner-up (null where nothing was weighed);
`has_warnings`: the person's household stands on a list; `said_unsure`: reviewers who could not say."""

BAND = 0.05
"""Probabilities this close are equally doubtful; then the household on a list comes first."""

UNWEIGHED = {"answered": 0.5, "review": 0.5, "conflict": 0.3, "below": 0.1}
"""Where nothing was weighed: how probable a kind is taken to be, for the order alone. Conflicts are mostly relatives."""


def queue(
    links: pl.DataFrame,
    conflicts: pl.DataFrame,
    *,
    decided: pl.DataFrame | None = None,
    as_of: date,
    weighed: pl.DataFrame | None = None,
    answered: pl.DataFrame | None = None,
    warned: pl.Series | None = None,
    reviewer: str | None = None,
) -> pl.DataFrame:
    """Grey pairs (`QUEUE`), the most helpful first: probability nearest one half, then households on a list.

    `links` and `conflicts` of a night (`spine.LINKS`, `spine.CONFLICTS`); `weighed` has `identity_key`, `person_id`,
    `probability`, `margin`, `reasons_zh`: rows that are no link are candidates below the bar; `answered` comes from
    `decisions.from_outcomes`; `warned` are person ids. Pairs that were decided are left out, and those of which `reviewer`
    said "unsure" (not where it was only taken back); others see these. The order is total.
    """
    known = decisions.known_by(links)
    scores = _scores(weighed)
    if answered is not None:
        answered = answered.with_columns(pl.lit(ANSWERED_ZH).alias("reason_zh"))
    grey = links.filter(pl.col("grade") == "C")
    parts = [
        _pairs(answered, "answered"),
        _pairs(grey, "review"),
        _pairs(conflicts, "conflict"),
        _pairs(scores.join(links, on="identity_key", how="anti"), "below"),
    ]
    rank = pl.col("kind").replace_strict({kind: n for n, kind in enumerate(KINDS_ZH)}, return_dtype=pl.Int64)
    pairs = (
        pl.concat(parts)
        .drop_nulls(["identity_key", "person_id"])
        .sort("identity_key", "person_id", rank, "reason_zh")
        .unique(["identity_key", "person_id"], keep="first", maintain_order=True)
        .join(scores.rename({"reason_zh": "_why"}), on=["identity_key", "person_id"], how="left")
        .with_columns(pl.coalesce("_why", "reason_zh").alias("reason_zh"))
        .join(known, on="person_id", how="left")
    )
    # A person who is known by this very record has nothing to be compared with.
    pairs = pairs.filter(pl.col("identity_key").ne_missing(pl.col("person_key")))
    pairs = _open(pairs, decided, as_of, reviewer)
    on_list = pl.Series(dtype=pl.Int64) if warned is None else warned.drop_nulls().unique()
    doubt = (
        pl.coalesce("probability", pl.col("kind").replace_strict(UNWEIGHED, return_dtype=pl.Float64)) - 0.5
    ).abs()
    return (
        pairs.with_columns(
            pl.col("person_id").is_in(on_list.implode()).alias("has_warnings"),
            (pl.col("kind") != "answered").alias("_asked"),
            (doubt / BAND + 1e-9).floor().alias("_doubt"),
            doubt.alias("_exact"),
        )
        .sort(
            "_asked",
            "said_unsure",
            "_doubt",
            "has_warnings",
            "_exact",
            rank,
            "identity_key",
            "person_id",
            descending=[False, False, False, True, False, False, False, False],
        )
        .select(QUEUE.names())
        .cast(QUEUE)
    )


def _pairs(rows: pl.DataFrame | None, kind: str) -> pl.DataFrame:
    schema = {"identity_key": pl.String, "person_id": pl.Int64, "reason_zh": pl.String, "kind": pl.String}
    if rows is None or rows.is_empty():
        return pl.DataFrame(schema=schema)
    why = pl.col("reason_zh") if "reason_zh" in rows.columns else pl.lit(None, dtype=pl.String)
    return rows.select(
        "identity_key", pl.col("person_id").cast(pl.Int64), why.alias("reason_zh"), pl.lit(kind).alias("kind")
    )


def _scores(weighed: pl.DataFrame | None) -> pl.DataFrame:
    schema = {
        "identity_key": pl.String,
        "person_id": pl.Int64,
        "probability": pl.Float64,
        "margin": pl.Float64,
        "reason_zh": pl.String,
    }
    if weighed is None:
        return pl.DataFrame(schema=schema)
    return (
        weighed.rename({"reasons_zh": "reason_zh"})
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
        .sort("identity_key", "probability", "person_id", descending=[False, True, False])
        .unique(["identity_key", "person_id"], keep="first", maintain_order=True)
    )


def _open(
    pairs: pl.DataFrame, decided: pl.DataFrame | None, as_of: date, reviewer: str | None
) -> pl.DataFrame:
    """Without pairs that are decided; with the number of reviewers who could not say."""
    rows = decisions.merged([] if decided is None else [decided]).filter(pl.col("decided_on") <= as_of)
    mine = [
        rows.filter(pl.col(column).is_not_null()).select("identity_key", column, "decision", "who", "note")
        for column in ("person_id", "person_key")
    ]
    found = pairs.with_row_index("_n")
    last = pl.concat(
        [
            found.select("_n", "identity_key", column)
            .join(frame.with_row_index("_at"), on=["identity_key", column])
            .select("_n", "_at", "decision", "who", "note")
            for column, frame in zip(("person_id", "person_key"), mine, strict=True)
        ]
    )
    closed = (
        last.sort("_n", "_at")
        .unique("_n", keep="last", maintain_order=True)
        .filter(pl.col("decision") != "unsure")
    )
    last_of_each = last.sort("_n", "_at").unique(["_n", "who"], keep="last", maintain_order=True)
    unsure = last_of_each.filter(
        (pl.col("decision") == "unsure") & (pl.col("note").ne_missing(decisions.UNDONE))
    )
    own = unsure.filter(pl.col("who") == (reviewer or ""))
    return (
        found.join(closed, on="_n", how="anti")
        .join(own, on="_n", how="anti")
        .join(unsure.group_by("_n").agg(pl.len().cast(pl.Int64).alias("said_unsure")), on="_n", how="left")
        .with_columns(pl.col("said_unsure").fill_null(0))
        .drop("_n")
    )


def as_decision(
    pair: Mapping[str, Any], answer: str, who: str, day: date, note: str | None = None, door: str = "review"
) -> pl.DataFrame:
    """One answer about a row of `QUEUE` as a decision; `entry` is given when it is written."""
    row = {
        "identity_key": pair["identity_key"],
        "person_id": pair["person_id"],
        "decision": answer,
        "who": who,
        "decided_on": day,
        "note": note,
        "person_key": pair["person_key"],
        "door": door,
    }
    return pl.DataFrame([row], schema=decisions.SCHEMA)


# --- what may be shown

Span = tuple[str, bool]
"""A piece of text, and whether it differs from the other side."""

MASK = "*"
MOST_SHOWN = 4
"""A number of which more characters differ is another number, and stays hidden whole."""


VERDICTS_ZH = {"equal": "一致", "fits": "可见部分一致", "near": "有几处不同", "differs": "不同", "": ""}


@dataclass(frozen=True)
class Field:
    """One line of the comparison. `verdict`: see `VERDICTS_ZH`; empty where one side is silent."""

    label: str
    person: tuple[Span, ...]
    record: tuple[Span, ...]
    verdict: str


@dataclass(frozen=True)
class Card:
    """What a reviewer sees of one pair."""

    kind_zh: str
    probability: float | None
    reasons: tuple[str, ...]
    source_zh: str
    fields: tuple[Field, ...]
    has_warnings: bool
    said_unsure: int


def _folded(text: str | None) -> str:
    return unicodedata.normalize("NFKC", text or "").strip().upper()


def spans(a: str, b: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Two texts cut into pieces that agree and pieces that differ."""
    left: list[Span] = []
    right: list[Span] = []
    for code in Indel.opcodes(a, b):
        differs = code.tag != "equal"
        if code.src_end > code.src_start:
            left.append((a[code.src_start : code.src_end], differs))
        if code.dest_end > code.dest_start:
            right.append((b[code.dest_start : code.dest_end], differs))
    return tuple(left), tuple(right)


def compared(label: str, a: str | None, b: str | None, *, is_hidden: bool = False) -> Field:
    """A line of the comparison. Of hidden values (numbers) only the places that differ are shown, if they are few."""
    one, two = _folded(a), _folded(b)
    left: tuple[Span, ...] = ((one, False),) if one else ()
    right: tuple[Span, ...] = ((two, False),) if two else ()
    if not one or not two or one == two:
        if is_hidden:
            left, right = _hide_all(left), _hide_all(right)
        return Field(label, left, right, "equal" if one and one == two else "")
    is_number = is_hidden or not any(c.isalpha() for c in one + two)
    left, right = _by_place(one, two) if is_number and len(one) == len(two) else spans(one, two)
    most = max(sum(len(t) for t, differs in side if differs) for side in (left, right))
    longest = max(len(one), len(two))
    if is_hidden:
        if not most:
            return Field(label, _hide_all(left), _hide_all(right), "fits")
        few = most <= MOST_SHOWN and most < longest / 2
        hide = _hide_equal if few else _hide_all
        return Field(label, hide(left), hide(right), "near" if few else "differs")
    return Field(label, left, right, "near" if most < longest else "differs")


def _by_place(a: str, b: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Numbers of one length are read place by place; a place that a source hid differs from nothing."""
    left: list[Span] = []
    right: list[Span] = []
    for x, y in zip(a, b, strict=True):
        differs = x != y and MASK not in (x, y)
        left.append((x, differs))
        right.append((y, differs))
    return _joined(left), _joined(right)


def _joined(pieces: list[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for text, differs in pieces:
        if found and found[-1][1] == differs:
            found[-1] = (found[-1][0] + text, differs)
        else:
            found.append((text, differs))
    return tuple(found)


def _hide_equal(side: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple((text if differs else MASK * len(text), differs) for text, differs in side)


def _hide_all(side: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple((MASK * len(text), differs) for text, differs in side)


SEX_ZH = {"1": "男", "2": "女"}


def card(
    pair: Mapping[str, Any],
    person: Mapping[str, Any],
    identity: Mapping[str, Any],
    *,
    source_zh: str = "",
    villages: Mapping[str, str] | None = None,
) -> Card:
    """What is shown of a row of `queue`: the row of `spine.PERSONS` beside the identity as delivered.

    Names, births, sex and places in clear, so that a person can judge; numbers and telephones only where they differ.
    """
    place = villages or {}

    def village(code: Any) -> str | None:
        return place.get(str(code), str(code)) if code else None

    former = "、".join(person.get("former_names") or [])
    lines = [
        ("姓名", person.get("person_name"), identity.get("person_name"), False),
        ("曾用名", former, identity.get("former_name"), False),
        (
            "性别",
            SEX_ZH.get(person.get("sex") or ""),
            SEX_ZH.get(identity.get("sex") or "", identity.get("sex")),
            False,
        ),
        ("出生日期", _text(person.get("birth_date")), _text(identity.get("birth_date")), False),
        ("年龄", *_ages(person.get("birth_date"), identity), False),
        ("证件号码", person.get("resident_id"), identity.get("resident_id"), True),
        ("联系电话", person.get("phone"), identity.get("phone"), True),
        ("村（居）", village(person.get("village_code")), village(identity.get("village_code")), False),
        ("住址", person.get("address"), identity.get("address"), False),
        ("户号", person.get("household_no"), identity.get("household_no"), True),
    ]
    reason = pair.get("reason_zh") or ""
    margin = pair.get("margin")
    if margin is not None and math.isfinite(margin) and "次优候选" not in reason:
        reason += f"；比次优候选多{margin:.1f}比特。" if reason else f"比次优候选多{margin:.1f}比特。"
    return Card(
        kind_zh=KINDS_ZH[pair["kind"]],
        probability=pair.get("probability"),
        reasons=tuple(part for part in reason.replace("；", "；\n").split("\n") if part.strip()),
        source_zh=source_zh or str(identity.get("source_class") or ""),
        fields=tuple(compared(label, a, b, is_hidden=hidden) for label, a, b, hidden in lines if a or b),
        has_warnings=bool(pair.get("has_warnings")),
        said_unsure=int(pair.get("said_unsure") or 0),
    )


def _ages(birth: date | None, identity: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Full years of the person on the day for which the record states an age, and that age; nothing where it states none."""
    age, day = identity.get("age"), identity.get("as_of")
    if age is None:
        return None, None
    if birth is None or day is None:
        return None, f"{age}岁"
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    return f"{years}岁", f"{age}岁"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def shown(side: tuple[Span, ...], before: str = "[", after: str = "]") -> str:
    """A side as one text, with marks around what differs."""
    return "".join(f"{before}{text}{after}" if differs else text for text, differs in side)
