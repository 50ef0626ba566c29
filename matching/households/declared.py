"""The declared family of each open case beside the derived one: what differs, since when, and why. See `DECLARED`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from matching.households.frames import DECLARED
from matching.households.people import case_members, open_cases

TEKUN = "2"
"""Category of cases whose unit is a person."""

GRADUATED = "5"

WORDS = {
    "dead": "在册成员已去世",
    "custody": "在册成员在监狱服刑或强制隔离戒毒",
    "cancelled": "在册成员户口已注销",
    "moved_out": "在册成员户口已迁出",
    "divorced": "在册成员已与家庭中的配偶离婚，现在另一家庭",
    "married_out": "在册成员已婚，现与配偶为另一家庭",
    "graduated": "在册成员已毕业，不再是在校学生",
    "split": "在册成员现在另一家庭",
    "unknown": "在册成员不在本地任何家庭中，原因不明",
    "born": "家庭新生子女未列入救助证成员",
    "married": "成员的配偶未列入救助证成员",
    "released": "刑满释放或解除戒毒回到家庭的成员未列入救助证成员",
    "joined": "家庭成员未列入救助证成员",
}
"""Every kind of difference in words."""


def declared(
    tables: Mapping[str, pl.DataFrame],
    member: pl.DataFrame,
    spells: pl.DataFrame,
    absent: pl.DataFrame,
    spouses: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """All open cases: see `DECLARED`. `member`: person_id, household_id, needs_check of tonight; `absent`: person_id, kind, happened_on."""
    cases = (
        open_cases(tables)
        .drop_nulls("case_id")
        .sort("case_id", "person_id", "category", "start_month", nulls_last=True)
        .unique("case_id", keep="first", maintain_order=True)
        .select("case_id", pl.col("person_id").alias("applicant"), "category", "start_month")
    )
    rows = case_members(tables, as_of).join(cases, on="case_id", how="semi").drop_nulls("person_id")
    alone = rows.group_by("case_id").agg(pl.col("is_single_person").any().alias("_alone"))
    people = (
        pl.concat(
            [
                rows.select("case_id", "person_id", "is_covered"),
                cases.select(
                    "case_id",
                    pl.col("applicant").alias("person_id"),
                    pl.lit(None, dtype=pl.Boolean).alias("is_covered"),
                ),
            ]
        )
        .drop_nulls("person_id")
        .group_by("case_id", "person_id")
        .agg(pl.col("is_covered").max())
    )
    here = member.select("person_id", pl.col("household_id").alias("person_household_id"), "needs_check")
    home = (
        people.join(here.drop("needs_check"), on="person_id")
        .join(cases.select("case_id", "applicant"), on="case_id")
        .group_by("case_id", "person_household_id")
        .agg(
            (pl.col("person_id") == pl.col("applicant")).any().fill_null(False).alias("_own"),
            pl.len().alias("_n"),
        )
        .sort("case_id", "_own", "_n", "person_household_id", descending=[False, True, True, False])
        .unique("case_id", keep="first", maintain_order=True)
        .select("case_id", pl.col("person_household_id").alias("household_id"))
    )
    unit = (
        cases.join(alone, on="case_id", how="left")
        .join(home, on="case_id", how="left")
        .select(
            "case_id",
            "household_id",
            "start_month",
            pl.when((pl.col("category") == TEKUN).fill_null(False) | pl.col("_alone").fill_null(False))
            .then(pl.lit("person"))
            .otherwise(pl.lit("family"))
            .alias("case_unit"),
        )
    )
    family = (
        unit.filter(pl.col("case_unit") == "family")
        .join(member.select("household_id", "person_id"), on="household_id")
        .select("case_id", "person_id", pl.lit(True).alias("_family"))
    )
    whole = (
        people.with_columns(pl.lit(True).alias("in_case"))
        .join(family, on=["case_id", "person_id"], how="full", coalesce=True)
        .join(unit, on="case_id")
        .join(here, on="person_id", how="left")
        .with_columns(
            pl.col("in_case").fill_null(False),
            (pl.col("person_household_id") == pl.col("household_id")).fill_null(False).alias("in_family"),
        )
    )
    return _told(whole, tables, spells, absent, spouses, as_of)


def _told(
    whole: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    spells: pl.DataFrame,
    absent: pl.DataFrame,
    spouses: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """The rows with kind, day and words."""
    wed = pl.concat(
        [
            spouses.filter(pl.col("confidence") != "needs_check").select(
                pl.col(a).alias("person_id"), pl.col(b).alias("other"), "since", "until"
            )
            for a, b in (("person_id_a", "person_id_b"), ("person_id_b", "person_id_a"))
        ]
    )
    others = whole.filter("in_case").select("case_id", pl.col("person_id").alias("other"))
    of_case = (
        whole.select("case_id", "person_id").join(wed, on="person_id").join(others, on=["case_id", "other"])
    )
    living = pl.col("until").is_null() | (pl.col("until") > as_of)
    # A marriage that ended because somebody died is no divorce.
    dead = absent.filter(pl.col("kind") == "dead")["person_id"].implode()
    wedding = (
        of_case.filter(living)
        .group_by("case_id", "person_id")
        .agg(pl.col("since").max().alias("_wed"), pl.lit(True).alias("_is_wed"))
    )
    divorce = (
        of_case.filter(~living & ~pl.col("other").is_in(dead))
        .group_by("case_id", "person_id")
        .agg(pl.col("until").max().alias("_divorced"))
    )
    outside = (
        wed.filter(pl.col("until").is_null() | (pl.col("until") > as_of))
        .group_by("person_id")
        .agg(pl.col("since").max().alias("_wed_out"), pl.col("other").min().alias("_partner"))
    )
    released = (
        spells.filter(pl.col("kind").is_in(["prison", "rehabilitation"]) & (pl.col("until") < as_of))
        .group_by("person_id")
        .agg(pl.col("until").max().alias("_released"))
    )
    school = tables["school_enrolment"].drop_nulls("person_id")
    left = (
        school.filter(pl.col("status") == GRADUATED)
        .join(school.filter(pl.col("status").is_in(["1", "2"])), on="person_id", how="anti")
        .group_by("person_id")
        .agg(pl.col("status_date").max().alias("_left"))
    )
    born = (
        tables["person"]
        .drop_nulls("person_id")
        .group_by("person_id")
        .agg(pl.col("birth_date").min().alias("_born"))
    )
    book = (
        tables["register_membership"]
        .filter(
            (pl.col("leave_date").is_null() | (pl.col("leave_date") > as_of)) & (pl.col("join_date") <= as_of)
        )
        .drop_nulls("person_id")
        .group_by("person_id")
        .agg(pl.col("join_date").max().alias("_joined"))
    )
    gone = absent.select("person_id", pl.col("kind").alias("_gone"), pl.col("happened_on").alias("_gone_on"))
    whole = (
        whole.join(gone, on="person_id", how="left")
        .join(wedding, on=["case_id", "person_id"], how="left")
        .join(divorce, on=["case_id", "person_id"], how="left")
        .join(outside, on="person_id", how="left")
        .join(released, on="person_id", how="left")
        .join(left, on="person_id", how="left")
        .join(born, on="person_id", how="left")
        .join(book, on="person_id", how="left")
    )
    start = pl.col("start_month")
    new = {
        name: (pl.col(name).is_not_null() & (pl.col(name) >= start)).fill_null(False)
        for name in ("_born", "_released", "_left", "_wed_out")
    }
    out = pl.col("in_case") & ~pl.col("in_family")
    added = ~pl.col("in_case")
    custody = pl.col("_gone").is_in(["prison", "rehabilitation"])
    cases = (
        (out & (pl.col("_gone") == "dead"), "dead", "_gone_on"),
        (out & custody, "custody", "_gone_on"),
        (out & (pl.col("_gone") == "cancelled"), "cancelled", "_gone_on"),
        (out & (pl.col("_gone") == "moved_out"), "moved_out", "_gone_on"),
        (out & pl.col("_divorced").is_not_null() & pl.col("_is_wed").is_null(), "divorced", "_divorced"),
        (
            out
            & pl.col("_partner").is_not_null()
            & pl.col("_is_wed").is_null()
            & pl.col("person_household_id").is_not_null()
            & new["_wed_out"],
            "married_out",
            "_wed_out",
        ),
        (out & new["_left"] & pl.col("person_household_id").is_not_null(), "graduated", "_left"),
        (out & pl.col("person_household_id").is_not_null(), "split", "_joined"),
        (out, "unknown", None),
        (added & new["_born"], "born", "_born"),
        (added & new["_released"], "released", "_released"),
        (added & pl.col("_is_wed").fill_null(False), "married", "_wed"),
        (added, "joined", "_joined"),
        (pl.col("in_case") & pl.col("in_family") & new["_left"], "graduated", "_left"),
    )
    kind, since = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.Date)
    for condition, name, day in reversed(cases):
        holds = condition.fill_null(False)
        kind = pl.when(holds).then(pl.lit(name)).otherwise(kind)
        since = pl.when(holds).then(pl.col(day) if day else pl.lit(None, dtype=pl.Date)).otherwise(since)
    return (
        whole.with_columns(kind.alias("kind"), since.alias("since"))
        .with_columns(
            (
                pl.col("kind").replace_strict(WORDS, default=None, return_dtype=pl.String)
                + pl.col("since").dt.strftime("（%Y-%m-%d）").fill_null("（日期不详）")
            ).alias("reason_zh")
        )
        .select(DECLARED.names())
        .cast(DECLARED)
        .sort("case_id", "person_id")
    )
