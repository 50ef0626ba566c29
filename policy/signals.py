"""What was visible on earlier nights: an event is news on the night it becomes visible, whatever its own date.

What belongs here is the memory of the rules whose header says `new_signal`, and which of tonight's events are news. Which
events there are is decided by the queries; whether a raised warning is dispatched again, by `repeats.py`.

The law, for a rule that speaks tonight and an event that its query returns (and does not leave out):

- an event whose own date lies within the window is raised;
- an older one, or one without a date, is raised while the night on which it was first seen lies within the window, unless
  that night could not know what is news: the first night on which the rule spoke, spoke in a new version, or had a class
  of information that it never had before. What is visible then and was not known is remembered, not raised.

An event that is left out (`not_raised_zh`) is seen all the same, so that it is no news when the reason to leave it out ends. An
event that disappears and comes back keeps its first night. A rule that is off remembers what it knew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from policy.bench import Bench
from policy.sources import Sources
from policy.sql_file import Rule

FIRST_SEEN_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "household_id": pl.Int64(),
        "person_id": pl.Int64(),
        "subject_key": pl.String(),
        "cause_key": pl.String(),
        "event_on": pl.Date(),
        "first_seen_on": pl.Date(),
        "last_seen_on": pl.Date(),
        "is_baseline": pl.Boolean(),
    }
)
"""One row an event (rule, subject, cause). `is_baseline`: first seen on a night that could not know what is news."""

HEARD_SCHEMA = pl.Schema(
    {
        "rule_id": pl.String(),
        "rule_version": pl.Int32(),
        "classes": pl.List(pl.String()),
        "spoke_on": pl.Date(),
    }
)
"""One row a rule: the version and the classes of information with which it last spoke."""

KEY = ["subject_key", "cause_key"]
FORGOTTEN_AFTER = timedelta(days=3 * 366)
"""An event that no query has returned for so long is out of every window; queries look back 24 months."""


@dataclass(frozen=True)
class Memory:
    """What the rules had seen by a night."""

    first_seen: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FIRST_SEEN_SCHEMA))
    heard: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEARD_SCHEMA))

    def without(self, rules: Iterable[str]) -> Memory:
        """The memory of the other rules."""
        others = ~pl.col("rule_id").is_in(sorted(rules))
        return Memory(self.first_seen.filter(others), self.heard.filter(others))

    def of(self, rule_id: str) -> Memory:
        """The memory of one rule."""
        mine = pl.col("rule_id") == rule_id
        return Memory(self.first_seen.filter(mine), self.heard.filter(mine))

    def sorted(self) -> Memory:
        """The same in a total order."""
        return Memory(
            self.first_seen.select(FIRST_SEEN_SCHEMA.names()).sort("rule_id", *KEY),
            self.heard.select(HEARD_SCHEMA.names()).sort("rule_id"),
        )


def together(parts: Iterable[Memory]) -> Memory:
    """Several memories of different rules as one, in a total order."""
    found = list(parts)
    return Memory(
        pl.concat([pl.DataFrame(schema=FIRST_SEEN_SCHEMA), *(part.first_seen for part in found)]),
        pl.concat([pl.DataFrame(schema=HEARD_SCHEMA), *(part.heard for part in found)]),
    ).sorted()


def subject_key(rule: Rule) -> pl.Expr:
    """Whom a row is about, in one text that stays from night to night."""
    column = {"household": "household_id", "person": "person_id", "case": "case_id"}[rule.header.subject]
    return pl.lit(f"{rule.header.subject}:") + pl.col(column).cast(pl.String())


def news(
    rule: Rule, rows: pl.DataFrame, before: Memory, bench: Bench, sources: Sources
) -> tuple[pl.DataFrame, Memory]:
    """Tonight's rows that are news, with `news_zh`, and the memory of the rule after tonight.

    `rows`: what the query returns, with `event_on`, and `not_raised_zh` for what is seen and not raised. `news_zh` says in
    Chinese why the event is news: how recent it is, or when it was first seen.
    """
    signal = rule.header.new_signal
    if signal is None:
        raise ValueError(f"{rule.id} declares no new_signal")
    as_of = bench.as_of
    mine = before.of(rule.id)
    classes = sorted(name for name, day in sources.dates.items() if day is not None)
    knows = _knows(mine, rule, classes)
    known = mine.first_seen.select(*KEY, "first_seen_on", "is_baseline", seen_last="last_seen_on")
    told = rows.with_columns(subject_key=subject_key(rule)).join(known, on=KEY, how="left")
    told = told.with_columns(
        first_seen_on=pl.coalesce("first_seen_on", pl.lit(as_of)),
        is_baseline=pl.coalesce("is_baseline", pl.lit(not knows)),
    )
    window = _windows(bench, signal.window)
    told = told.join(window, on="household_id", how="left", maintain_order="left")
    recent = (pl.col("event_on") >= pl.col("since")) & (pl.col("event_on") <= as_of)
    seen_now = ~pl.col("is_baseline") & (pl.col("first_seen_on") >= pl.col("since"))
    past = (pl.col("event_on") <= as_of).fill_null(True)
    seen_zh = pl.col("first_seen_on").dt.strftime("%Y年%-m月%-d日") + "首次在数据中看到"
    told = told.with_columns(
        news_zh=pl.when(recent)
        .then(pl.concat_str(pl.lit("距今不超过"), "length", "unit_zh"))
        .when(past & seen_now)
        .then(
            pl.when(pl.col("event_on").is_null()).then(pl.lit("日期不详，")).otherwise(pl.lit("发生较早，"))
            + seen_zh
        )
    )
    after = _after(mine, told, rule, as_of, classes)
    left_out = pl.col("not_raised_zh").is_not_null() if "not_raised_zh" in rows.columns else pl.lit(False)
    kept = told.filter(pl.col("news_zh").is_not_null() | left_out)
    return kept.select(*rows.columns, "news_zh"), after


def _knows(mine: Memory, rule: Rule, classes: list[str]) -> bool:
    """Whether the rule spoke before, as it is now, with all the classes that it has now: what is unknown is then news."""
    if mine.heard.is_empty():
        return False
    last = mine.heard.row(0, named=True)
    return last["rule_version"] == rule.header.version and set(classes) <= set(last["classes"])


def _windows(bench: Bench, name: str) -> pl.DataFrame:
    """household_id -> first day of the window in its county, and how long it is, in words."""
    values = bench.parameter("warning_window").filter(pl.col("window") == name)
    as_of = pl.lit(bench.as_of)
    months = pl.col("unit") == "month"
    back = pl.format("-{}{}", "length", pl.when(months).then(pl.lit("mo")).otherwise(pl.lit("d")))
    values = values.with_columns(
        since=as_of.dt.offset_by(back),
        unit_zh=pl.when(months).then(pl.lit("个月")).otherwise(pl.lit("天")),
    )
    places = bench.frame("household").select("household_id", "county_code")
    return places.join(
        values.select("county_code", "since", "length", "unit_zh"), on="county_code", how="inner"
    ).drop("county_code")


def _after(mine: Memory, told: pl.DataFrame, rule: Rule, as_of: date, classes: list[str]) -> Memory:
    person = pl.col("person_id") if "person_id" in told.columns else pl.lit(None, dtype=pl.Int64)
    tonight = (
        told.drop_nulls(KEY)
        .sort(*KEY, "event_on", "household_id", nulls_last=True)
        .unique(KEY, keep="first", maintain_order=True)
        .select(
            rule_id=pl.lit(rule.id),
            household_id="household_id",
            person_id=person,
            subject_key="subject_key",
            cause_key="cause_key",
            event_on="event_on",
            first_seen_on="first_seen_on",
            last_seen_on=pl.lit(as_of),
            is_baseline="is_baseline",
        )
        .cast(FIRST_SEEN_SCHEMA)
    )
    kept = mine.first_seen.join(tonight, on=KEY, how="anti").filter(
        pl.col("last_seen_on") >= as_of - FORGOTTEN_AFTER
    )
    had = mine.heard["classes"].to_list()[0] if mine.heard.height else []
    heard = pl.DataFrame(
        {
            "rule_id": [rule.id],
            "rule_version": [rule.header.version],
            "classes": [sorted({*had, *classes})],
            "spoke_on": [as_of],
        },
        schema=HEARD_SCHEMA,
    )
    return Memory(pl.concat([kept.select(FIRST_SEEN_SCHEMA.names()), tonight]), heard)
