"""Claims about one person that contradict each other: both told, with what was followed. See `CONFLICT`."""

from __future__ import annotations

from datetime import date

import polars as pl

from matching.households.frames import CONFLICT

NO_PERSON = pl.lit(None, dtype=pl.Int64)
NO_DAY = pl.lit(None, dtype=pl.Date)


def _of(frame: pl.DataFrame, kind: str, **columns: pl.Expr) -> pl.DataFrame:
    """Rows of `CONFLICT`; a column that is not given is null."""
    rest = {name: pl.lit(None, dtype=kind_) for name, kind_ in CONFLICT.items() if name not in columns}
    return (
        frame.select(
            **{name: (columns | rest).get(name, pl.lit(kind)) for name in CONFLICT.names() if name != "kind"},
            kind=pl.lit(kind),
        )
        .select(CONFLICT.names())
        .cast(CONFLICT)
    )


def _day(column: str) -> pl.Expr:
    """A date in words; nothing where it is not recorded."""
    return pl.col(column).dt.strftime("（%Y-%m-%d）").fill_null("（日期不详）")


def of_spouses(
    spouses: pl.DataFrame, pairs: pl.DataFrame, said: pl.DataFrame, alive: pl.Series
) -> list[pl.DataFrame]:
    """Two open marriages of one person; a pair divorced in the marriage register that a book calls married; two of one sex.

    `said`: pairs that a book calls spouses.
    """
    open_ = spouses.filter(pl.col("until").is_null() & (pl.col("confidence") != "needs_check"))
    ends = pl.concat(
        [
            open_.select(
                pl.col(a).alias("person_id"), pl.col(b).alias("other"), "source_class", "since", "confidence"
            )
            for a, b in (("person_id_a", "person_id_b"), ("person_id_b", "person_id_a"))
        ]
    ).filter(pl.col("person_id").is_in(alive.implode()))
    couple = pl.concat(
        [
            pairs.select(pl.col(a).alias("person_id"), pl.col(b).alias("other"))
            for a, b in (("a", "b"), ("b", "a"))
        ]
    )
    followed = ends.join(couple, on=["person_id", "other"])
    left = ends.join(couple, on=["person_id", "other"], how="anti")
    two = left.join(followed, on="person_id", suffix="_1")
    found = [
        _of(
            two,
            "two_spouses",
            person_id=pl.col("person_id"),
            claim_person_id_1=pl.col("other_1"),
            claim_zh_1=pl.lit("配偶，登记") + _day("since_1"),
            source_class_1=pl.col("source_class_1"),
            claim_person_id_2=pl.col("other"),
            claim_zh_2=pl.lit("配偶，登记") + _day("since"),
            source_class_2=pl.col("source_class"),
            since=pl.col("since"),
            reason_zh=pl.lit("登记中同时有两名配偶，已按更可靠、更近的一条认定，请核实婚姻状况"),
        )
    ]
    divorced = said.join(
        spouses.filter(pl.col("until").is_not_null() & (pl.col("confidence") == "certain")),
        on=["person_id_a", "person_id_b"],
        suffix="_1",
    )
    both_alive = pl.col("person_id_a").is_in(alive.implode()) & pl.col("person_id_b").is_in(alive.implode())
    found.append(
        _of(
            divorced.filter(both_alive),
            "divorced_in_one_source",
            person_id=pl.col("person_id_a"),
            claim_person_id_1=pl.col("person_id_b"),
            claim_zh_1=pl.lit("婚姻已解除") + _day("until"),
            source_class_1=pl.col("source_class_1"),
            claim_person_id_2=pl.col("person_id_b"),
            claim_zh_2=pl.lit("户口簿仍登记为配偶"),
            source_class_2=pl.col("source_class"),
            since=pl.col("until"),
            reason_zh=pl.lit(
                "婚姻登记显示已解除婚姻，户口簿仍登记为夫妻，已按婚姻登记认定，请核实是否仍共同生活"
            ),
        )
    )
    found.append(
        _of(
            spouses.filter(pl.col("until").is_null() & (pl.col("confidence") == "needs_check")),
            "spouse_sex",
            person_id=pl.col("person_id_a"),
            claim_zh_1=pl.lit("两人性别相同"),
            claim_person_id_2=pl.col("person_id_b"),
            claim_zh_2=pl.lit("登记为配偶") + _day("since"),
            source_class_2=pl.col("source_class"),
            since=pl.col("since"),
            reason_zh=pl.lit("登记为夫妻的两人性别相同，登记有误，未按夫妻归户，请核实"),
        )
    )
    return found


def of_parents(parents: pl.DataFrame, alive: pl.Series) -> list[pl.DataFrame]:
    """Two mothers or two fathers that are both named outright; a parent who is too young to be one."""
    alive_child = parents.filter(pl.col("person_id_b").is_in(alive.implode()))
    named = alive_child.filter((pl.col("rank") <= 1) & ~pl.col("too_young") & pl.col("role").is_not_null())
    winner = (
        named.filter("used")
        .sort("person_id_b", "role", "rank", "source_class")
        .unique(["person_id_b", "role"], keep="first", maintain_order=True)
    )
    two = named.filter(~pl.col("used")).join(
        winner.select("person_id_b", "role", "person_id_a", "source_class"),
        on=["person_id_b", "role"],
        suffix="_1",
    )
    found = []
    for role, kind, zh in (("mother", "two_mothers", "母亲"), ("father", "two_fathers", "父亲")):
        found.append(
            _of(
                two.filter(pl.col("role") == role),
                kind,
                person_id=pl.col("person_id_b"),
                claim_person_id_1=pl.col("person_id_a_1"),
                claim_zh_1=pl.lit(zh),
                source_class_1=pl.col("source_class_1"),
                claim_person_id_2=pl.col("person_id_a"),
                claim_zh_2=pl.lit(zh),
                source_class_2=pl.col("source_class"),
                reason_zh=pl.lit(
                    f"两个来源登记的{zh}不是同一人，出生医学证明优先于户口簿，已按前者认定，请核实"
                ),
            )
        )
    found.append(
        _of(
            alive_child.filter("too_young"),
            "parent_age",
            person_id=pl.col("person_id_b"),
            claim_zh_1=pl.lit("两人年龄差不足以为亲子"),
            claim_person_id_2=pl.col("person_id_a"),
            claim_zh_2=pl.coalesce(
                pl.col("role").replace_strict({"mother": "母亲", "father": "父亲"}, default=None),
                pl.lit("父母"),
            ),
            source_class_2=pl.col("source_class"),
            reason_zh=pl.lit("登记的父母与子女年龄相差过小，登记有误，未按亲子归户，请核实"),
        )
    )
    return found


def of_books(in_force: pl.DataFrame, membership: pl.DataFrame, alive: pl.Series) -> list[pl.DataFrame]:
    """People who stand in two family books at once; books whose rows disagree whether they are collective."""
    rows = in_force.filter(pl.col("person_id").is_in(alive.implode())).unique(
        ["person_id", "register_id"], keep="first", maintain_order=True
    )
    rows = rows.filter(pl.col("person_id").is_duplicated())
    first = rows.unique("person_id", keep="first", maintain_order=True)
    two = rows.join(
        first.select("person_id", "register_id"), on=["person_id", "register_id"], how="anti"
    ).join(
        first.select("person_id", "head_person_id", "join_date", "source_class"), on="person_id", suffix="_1"
    )
    found = [
        _of(
            two,
            "two_books",
            person_id=pl.col("person_id"),
            claim_person_id_1=pl.col("head_person_id_1"),
            claim_zh_1=pl.lit("在此户主的户口簿上，迁入") + _day("join_date_1"),
            source_class_1=pl.col("source_class_1"),
            claim_person_id_2=pl.col("head_person_id"),
            claim_zh_2=pl.lit("也在此户主的户口簿上，迁入") + _day("join_date"),
            source_class_2=pl.col("source_class"),
            since=pl.col("join_date"),
            reason_zh=pl.lit("同时在两本户口簿上，已按后迁入的一本认定，请核实"),
        )
    ]
    both = pl.col("is_collective").drop_nulls().n_unique().over("register_id") > 1
    odd = membership.filter(pl.col("register_id").is_not_null() & both).filter(
        pl.col("is_collective").is_not_null() & pl.col("person_id").is_in(alive.implode())
    )
    kind = pl.when("is_collective").then(pl.lit("集体户")).otherwise(pl.lit("家庭户"))
    other = pl.when("is_collective").then(pl.lit("家庭户")).otherwise(pl.lit("集体户"))
    found.append(
        _of(
            odd.unique(["person_id", "register_id", "is_collective"]),
            "book_kind",
            person_id=pl.col("person_id"),
            claim_zh_1=pl.lit("本人所在行：") + kind,
            source_class_1=pl.col("source_class"),
            claim_zh_2=pl.lit("同户其他行：") + other,
            source_class_2=pl.col("source_class"),
            reason_zh=pl.lit("同一户号有的行登记为集体户、有的登记为家庭户，各按本人所在行认定，请核实"),
        )
    )
    return found


def of_duties(duty: pl.DataFrame, source_class: str) -> list[pl.DataFrame]:
    """Parents and grown children in one book who live in different places, with a case that says otherwise or without; parents with several married children in the book."""
    apart = duty.filter(pl.col("verdict") == "apart")
    disputed = duty.filter(pl.col("disputed") & (pl.col("verdict") == "joined"))
    rival = duty.filter((pl.col("verdict") == "rival") & pl.col("has_family"))
    return [
        _of(
            apart,
            "book_and_address",
            person_id=pl.col("child"),
            claim_zh_1=pl.lit("居住登记：与父母不在同一村（居），已满一年"),
            source_class_1=pl.lit("ps_residence_permit"),
            claim_person_id_2=pl.col("parent"),
            claim_zh_2=pl.lit("与父母同一户口簿"),
            source_class_2=pl.lit(source_class),
            reason_zh=pl.lit(
                "与父母同户登记但长期住在别处，不作为共同生活，父母子女互为赡养抚养义务人，请核实"
            ),
        ),
        _of(
            disputed,
            "case_and_address",
            person_id=pl.col("child"),
            claim_person_id_1=pl.col("parent"),
            claim_zh_1=pl.lit("与父母同一户口簿、同一救助证"),
            source_class_1=pl.lit("ca_assist_member"),
            claim_zh_2=pl.lit("居住登记：与父母不在同一村（居），已满一年"),
            source_class_2=pl.lit("ps_residence_permit"),
            reason_zh=pl.lit(
                "救助证列为共同生活，居住登记却在别处已满一年，暂按救助证认定，请核实是否共同生活"
            ),
        ),
        _of(
            rival,
            "married_siblings",
            person_id=pl.col("child"),
            claim_zh_1=pl.lit("兄弟姐妹各有家庭，相互没有扶养义务"),
            source_class_1=pl.lit(source_class),
            claim_person_id_2=pl.col("parent"),
            claim_zh_2=pl.lit("与父母同一户口簿"),
            source_class_2=pl.lit(source_class),
            reason_zh=pl.lit(
                "同一户口簿上有两个以上已成家子女，没有依据说明父母与此子女同住，未并入，请核实"
            ),
        ),
    ]


def conflicts(found: list[pl.DataFrame], as_of: date) -> pl.DataFrame:
    """All of them, each once, in a total order; what lies in the future is none yet."""
    whole = pl.concat(found)
    return (
        whole.filter(pl.col("since").is_null() | (pl.col("since") <= as_of))
        .drop_nulls("person_id")
        .unique()
        .sort(CONFLICT.names(), nulls_last=True)
    )
