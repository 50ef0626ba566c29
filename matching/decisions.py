"""What people decided: same, not same, unsure. Rows with who and when, never edited, which outrank the passes.

Three doors lead here: the review tool, review files, and answers of officers ("the data are somebody else's"). The tool
and the reading of files do not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from matching.duplicates import components

SCHEMA = pl.Schema(
    {
        "identity_key": pl.String(),
        "person_id": pl.Int64(),
        "decision": pl.String(),
        "who": pl.String(),
        "decided_on": pl.Date(),
        "note": pl.String(),
        "person_key": pl.String(),
        "door": pl.String(),
        "entry": pl.Int64(),
    }
)
"""`identity_key`: the record; `person_id`: the person as numbered that night; `decision`: see `ANSWERS`; `who`: number
of the reviewer or officer; `note`: free, never a name; `person_key`: an identity of the person, by which the person is
found when ids were given anew; `door`: see `DOORS`; `entry`: of several decisions of one day the highest is the last.
The last three may be null, and be missing in files of earlier versions."""

ANSWERS = ("same", "not_same", "unsure")
DOORS = ("review", "file", "outcome_return")
UNDONE = "undone"
"""Note on a row that takes the one before it back."""

WRONG_PERSON = "601"
"""Result code of an outcome: the data are not this person's (domain facts 3.5)."""

NODES = pl.Schema({"identity_key": pl.String(), "node": pl.String()})


class DecisionError(ValueError):
    """A row that cannot be a decision; the message says how many, never about whom."""


def merged(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of any version of `SCHEMA` as one; nothing is dropped but rows that are wholly the same."""
    return pl.concat([SCHEMA.to_frame(), *map(aligned, frames)]).unique().sort(_ORDER)


def aligned(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame of any version of `SCHEMA` in the columns of this one. Raises `PolarsError` where a value does not fit."""
    missing = [name for name in SCHEMA.names() if name not in frame.columns]
    return (
        frame.with_columns(pl.lit(None, dtype=SCHEMA[name]).alias(name) for name in missing)
        .select(SCHEMA.names())
        .cast(SCHEMA)
    )


_ORDER = ["decided_on", "entry", "identity_key", "person_id", "who", "decision", "note", "person_key", "door"]
"""What is sorted later overrides: a later day, on one day a later entry; the rest makes the order total."""


def sound(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Rows (`SCHEMA`) that have identity, person, answer, who and when, and how many others there are."""
    faulty = (
        pl.any_horizontal(pl.col(c).is_null() for c in ("identity_key", "who", "decided_on"))
        | (pl.col("person_id").is_null() & pl.col("person_key").is_null())
        | ~pl.col("decision").is_in(ANSWERS).fill_null(False)
    )
    good = rows.filter(~faulty)
    return good, rows.height - good.height


def _valid(decisions: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """Rows up to a day, in order. Raises `DecisionError`."""
    rows, faulty = sound(merged([] if decisions is None else [decisions]))
    if faulty:
        raise DecisionError(f"{faulty} decisions lack identity, person, answer, who or when")
    return rows.filter(pl.col("decided_on") <= as_of).sort(_ORDER)


def _last(rows: pl.DataFrame, person: str) -> pl.DataFrame:
    """The last decision about each pair, without `unsure`; of several `same` of an identity the last."""
    last = rows.unique(["identity_key", person], keep="last", maintain_order=True)
    same = last.filter(pl.col("decision") == "same").unique("identity_key", keep="last", maintain_order=True)
    return pl.concat([same, last.filter(pl.col("decision") == "not_same")]).sort("identity_key", person)


_PERSON = pl.coalesce("person_key", pl.col("person_id").cast(pl.String)).alias("_person")


def in_force(decisions: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """The last decision about each pair up to a day; `unsure` takes a decision back.

    An identity can be the same as one person only: the last `same` counts. Raises `DecisionError` when a row lacks
    identity, person, who or when, or has an unknown answer.
    """
    rows = _valid(decisions, as_of).with_columns(_PERSON)
    return _last(rows, "_person").select(SCHEMA.names()).sort("identity_key", "person_id", "person_key")


def disagreements(
    decisions: pl.DataFrame | None, as_of: date, links: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Pairs about which reviewers think differently: `identity_key`, `person_id`, `person_key`, `answers`, `in_force`.

    Of each reviewer only the last word counts, and `unsure` contradicts nobody. `answers` lists structs (`who`,
    `decision`, `decided_on`), the last one last. An identity that two reviewers gave to two persons is there once for each.
    So is every link of a chain of `same` that ends in a `not_same`; of people whom no number names such a chain joins
    nobody (`provisional.find`). With `links` of the night (`spine.LINKS`) a chain may lead through a person.
    """
    rows = _valid(decisions, as_of).with_columns(_PERSON)
    words = rows.unique(["identity_key", "_person", "who"], keep="last", maintain_order=True).filter(
        pl.col("decision") != "unsure"
    )
    pairs = words.filter(pl.col("decision").n_unique().over("identity_key", "_person") > 1)
    same = words.filter(pl.col("decision") == "same")
    elsewhere = same.filter(pl.col("_person").n_unique().over("identity_key") > 1)
    force = _last(rows, "_person").select("identity_key", "_person", pl.col("decision").alias("in_force"))
    doubted = pl.concat(
        [f.select("identity_key", "_person") for f in (pairs, elsewhere, _chained(rows, links))]
    ).unique()
    return (
        words.join(doubted, on=["identity_key", "_person"], how="semi")
        .group_by("identity_key", "_person", maintain_order=True)
        .agg(
            pl.col("person_id").last(),
            pl.col("person_key").last(),
            pl.struct("who", "decision", "decided_on").alias("answers"),
        )
        .join(force, on=["identity_key", "_person"], how="left")
        .sort("identity_key", "_person")
        .select("identity_key", "person_id", "person_key", "answers", "in_force")
    )


def _chained(rows: pl.DataFrame, links: pl.DataFrame | None) -> pl.DataFrame:
    """Decisions in force (`identity_key`, `_person`) that join records which one of them keeps apart.

    A record and the person to whom the night links it are joined as well.
    """
    none = pl.DataFrame(schema={"identity_key": pl.String, "_at": pl.String})
    sure = none if links is None else links.filter(pl.col("grade") != "C")
    owner = (
        none
        if links is None
        else sure.select("identity_key", pl.col("person_id").cast(pl.String).alias("_at"))
    )
    current = rows.join(
        owner.rename({"identity_key": "_person"}), on="_person", how="left", maintain_order="left"
    ).with_columns(pl.coalesce("_at", "_person").alias("_at"))
    force = _last(current, "_at")
    same = force.filter(pl.col("decision") == "same")
    theirs = owner.join(force, on="identity_key", how="semi")
    edges = pl.concat([f.select("identity_key", "_at") for f in (same, theirs)])
    ends = pl.concat([force["identity_key"], force["_at"], edges["_at"]]).unique().sort()
    place = pl.DataFrame({"_end": ends}).with_row_index("_place")

    def at(frame: pl.DataFrame, column: str) -> pl.Series:
        return frame.join(place, left_on=column, right_on="_end", how="left", maintain_order="left")["_place"]

    label = components(len(ends), at(edges, "identity_key").to_numpy(), at(edges, "_at").to_numpy())
    group = pl.Series(label)
    joined = force.with_columns(
        group.gather(at(force, "identity_key")).alias("_group"),
        group.gather(at(force, "_at")).alias("_other"),
    ).filter(pl.col("_group") == pl.col("_other"))
    # A record that a "not the same" took from a person is no chain: only a "same" makes one.
    return joined.filter(pl.col("decision").n_unique().over("_group") > 1).select("identity_key", "_person")


def settled(
    decisions: pl.DataFrame | None,
    as_of: date,
    persons: pl.DataFrame | None,
    owners: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Decisions as (`forced`, `forbidden`) pairs of `identity_key` and spine key, and how many name nobody we know.

    A person is found by `person_key` through `owners` (`identity_key`, `node`), which holds after a rebuild that gave
    ids anew; else by id, if the id is not younger than a decision that has a `person_key`. Who was absorbed stands for
    the one who absorbed them. Decisions about ids that are one person by now are one pair. Raises `DecisionError`.
    """
    rows = _valid(decisions, as_of).with_row_index("_at")
    empty = NODES.to_frame()
    if rows.is_empty():
        return empty, empty, 0
    known = (empty if owners is None else owners).select(
        pl.col("identity_key").alias("person_key"), pl.col("node").alias("_by_key")
    )
    current = rows.join(known.unique("person_key"), on="person_key", how="left", maintain_order="left")
    if persons is None:
        current = current.with_columns(pl.lit(None, dtype=pl.String).alias("_by_id"))
    else:
        current = current.join(_now(persons), on="person_id", how="left", maintain_order="left").with_columns(
            pl.when(
                pl.col("person_key").is_null() | (pl.col("_created") <= pl.col("decided_on")).fill_null(False)
            )
            .then("_by_id")
            .alias("_by_id")
        )
    current = current.with_columns(pl.coalesce("_by_key", "_by_id").alias("node")).sort("_at")
    found = _last(current.filter(pl.col("node").is_not_null()), "node").select(*NODES.names(), "decision")
    lost = _last(current.filter(pl.col("node").is_null()).with_columns(_PERSON), "_person")
    return (
        found.filter(pl.col("decision") == "same").select(NODES.names()),
        found.filter(pl.col("decision") == "not_same").select(NODES.names()),
        len(lost),
    )


def _now(persons: pl.DataFrame) -> pl.DataFrame:
    """`person_id`, `_by_id` (spine key of the one who stands for it today), `_created`."""
    current = persons.select("person_id", pl.col("person_id").alias("_now"))
    absorbed = persons.filter(pl.col("absorbed_into").is_not_null()).select(
        pl.col("person_id").alias("_now"), "absorbed_into"
    )
    for _ in range(len(absorbed) + 1):
        current = current.join(absorbed, on="_now", how="left", maintain_order="left")
        moved = current["absorbed_into"].is_not_null().any()
        current = current.with_columns(pl.coalesce("absorbed_into", "_now").alias("_now")).drop(
            "absorbed_into"
        )
        if not moved:
            break
    created = pl.col("created_on") if "created_on" in persons.columns else pl.lit(None, dtype=pl.Date)
    return (
        current.join(
            persons.select(pl.col("person_id").alias("_now"), pl.col("spine_key").alias("_by_id")), on="_now"
        )
        .join(persons.select("person_id", created.alias("_created")), on="person_id")
        .drop("_now")
    )


# --- doors


@dataclass(frozen=True)
class Taken:
    """Rows that are decisions (`SCHEMA`), and what could not be taken over: one Chinese line each, without values."""

    rows: pl.DataFrame
    problems: list[str]


HEADERS = {
    "identity_key": ("identity_key", "记录标识", "身份信息标识"),
    "person_id": ("person_id", "人员编号"),
    "decision": ("decision", "判断", "结论", "答复"),
    "who": ("who", "reviewer", "审核人", "审核人员", "审核人员工号", "工号"),
    "decided_on": ("decided_on", "date", "审核日期", "日期"),
    "note": ("note", "备注"),
    "person_key": ("person_key", "人员标识"),
}
"""Names under which a review file may have each column."""

WORDS = {
    **dict.fromkeys(("same", "s", "yes", "1", "是", "同一人", "是同一人"), "same"),
    **dict.fromkeys(
        ("not_same", "not same", "n", "no", "0", "否", "不是", "不是同一人", "非同一人"), "not_same"
    ),
    **dict.fromkeys(("unsure", "u", "?", "？", "不确定", "不清楚", "说不准"), "unsure"),
}
"""Answers as people write them."""


def from_table(
    table: pl.DataFrame, day: date, who: str | None = None, door: str = "file", first_entry: int = 0
) -> Taken:
    """Decisions of a review file, all columns as text or typed. Rows without an answer were not looked at.

    `who` and `day` stand where the file has no reviewer or no date. A row is left out, and named by its position below the header,
    when its answer is not understood, when identity, person or reviewer is missing, or when its date is after `day`.
    """
    names = {given.strip().lower(): given for given in table.columns}
    chosen = {
        column: next((names[h.lower()] for h in headers if h.lower() in names), None)
        for column, headers in HEADERS.items()
    }
    lacking = [HEADERS[c][1] for c in ("identity_key", "decision") if chosen[c] is None]
    if chosen["person_id"] is None and chosen["person_key"] is None:
        lacking.append(HEADERS["person_id"][1])
    if lacking:
        return Taken(SCHEMA.to_frame(), [f"缺少列：{'、'.join(lacking)}。"])

    def text(column: str) -> pl.Expr:
        name = chosen[column]
        if name is None:
            return pl.lit(None, dtype=pl.String)
        stripped = pl.col(name).cast(pl.String).str.strip_chars()
        return pl.when(stripped != "").then(stripped)

    day_text = text("decided_on").str.head(10).str.replace_all(r"[/.年月]", "-")
    rows = (
        table.with_row_index("_row", offset=2)
        .with_columns(text("decision").alias("_answer"))
        .filter(pl.col("_answer").is_not_null())
        .select(
            "_row",
            text("identity_key").alias("identity_key"),
            text("person_id")
            .str.extract(r"^[Pp]?0*(\d{1,18})(?:\.0)?$", 1)
            .cast(pl.Int64)
            .alias("person_id"),
            pl.col("_answer")
            .str.to_lowercase()
            .replace_strict(WORDS, default=None, return_dtype=pl.String)
            .alias("decision"),
            pl.coalesce(text("who"), pl.lit(who, dtype=pl.String)).alias("who"),
            pl.when(text("decided_on").is_null())
            .then(pl.lit(day))
            .otherwise(day_text.str.to_date("%Y-%m-%d", strict=False))
            .alias("decided_on"),
            text("note").alias("note"),
            text("person_key").alias("person_key"),
        )
        .with_columns(
            pl.lit(door).alias("door"), (pl.int_range(pl.len(), dtype=pl.Int64) + first_entry).alias("entry")
        )
    )
    faults = {
        "判断不明，请填 同一人、不是同一人 或 不确定": pl.col("decision").is_null(),
        "缺少记录标识": pl.col("identity_key").is_null(),
        "缺少人员编号": pl.col("person_id").is_null() & pl.col("person_key").is_null(),
        "缺少审核人员": pl.col("who").is_null(),
        "审核日期不明或晚于收到之日": pl.col("decided_on").is_null() | (pl.col("decided_on") > day),
    }
    judged = rows.with_columns(
        pl.coalesce(pl.when(bad).then(pl.lit(said)) for said, bad in faults.items()).alias("_fault")
    )
    refused = judged.filter(pl.col("_fault").is_not_null())
    return Taken(
        judged.filter(pl.col("_fault").is_null()).select(SCHEMA.names()).cast(SCHEMA),
        [f"第{row}行：{fault}。" for row, fault in refused.select("_row", "_fault").iter_rows()],
    )


def from_outcomes(
    outcomes: pl.DataFrame, evidence: pl.DataFrame, links: pl.DataFrame, keys: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What answers 601 ("the data are somebody else's") say: decisions (`SCHEMA`), and pairs for review.

    `outcomes`: fact outcome_return. `evidence`: `warning_id`, `person_id`, `source_class`: on whose data, and out of which
    class, a warning rests. `links`: as of the night of the warning. An answer names a warning, not a record: it is a
    decision where the warning rests on one record of one person, else every record that may be meant is for review
    (`identity_key`, `person_id`, `who`, `decided_on`). `keys`: `person_id`, `person_key`, an identity by which a person is known;
    a record is never parted from the one it is known by, since the register says who a person is.
    """
    wrong = (
        outcomes.filter(pl.col("result_code").cast(pl.String) == WRONG_PERSON)
        .drop_nulls(["warning_id", "visited_on", "officer"])
        .select(
            "warning_id",
            pl.col("officer").cast(pl.String).alias("who"),
            pl.col("visited_on").alias("decided_on"),
        )
        .unique()
    )
    known = (
        keys if keys is not None else pl.DataFrame(schema={"person_id": pl.Int64, "person_key": pl.String})
    )
    own = known.select("person_id", pl.col("person_key").alias("identity_key"))
    suspects = (
        wrong.join(evidence.select("warning_id", "person_id", "source_class").unique(), on="warning_id")
        .join(links.select("identity_key", "source_class", "person_id"), on=["person_id", "source_class"])
        .join(own, on=["person_id", "identity_key"], how="anti")
        .join(known, on="person_id", how="left")
        .with_columns(pl.col("identity_key").n_unique().over("warning_id").alias("_records"))
        .sort("decided_on", "warning_id", "identity_key", "who")
    )
    certain = suspects.filter(pl.col("_records") == 1)
    decided = certain.select(
        "identity_key",
        "person_id",
        pl.lit("not_same").alias("decision"),
        "who",
        "decided_on",
        pl.lit(WRONG_PERSON).alias("note"),
        "person_key",
        pl.lit("outcome_return").alias("door"),
        pl.lit(None, dtype=pl.Int64).alias("entry"),
    )
    unclear = suspects.filter(pl.col("_records") > 1)
    return (
        decided.cast(SCHEMA).unique().sort(_ORDER),
        unclear.select("identity_key", "person_id", "who", "decided_on").unique().sort(pl.all()),
    )


def known_by(links: pl.DataFrame, register: str = "ps_resident") -> pl.DataFrame:
    """An identity by which each person is known: `person_id`, `person_key`; a certain row of the register if there is one.

    A row that was put there by hand, or is in review, is the last choice.
    """
    return (
        links.with_columns(
            ((pl.col("pass_id") == "H") | (pl.col("grade") == "C")).alias("_weak"),
            (pl.col("source_class") != register).alias("_other"),
        )
        .sort("person_id", "_weak", "_other", "grade", "identity_key")
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("identity_key").alias("person_key"))
    )
