"""Precision and recall of links against known truth, and what can be said without truth: clerical samples and drift.

Truth comes from the sample county or from clerical review. Wrong links to relatives and to namesakes are counted
apart. Nothing here changes a link or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import polars as pl

from matching import decisions, review
from matching.name_cells import REFERENCE

VERDICTS = ("right", "wrong", "wrong_relative", "wrong_namesake", "missed", "absent")
WRONG = ("wrong", "wrong_relative", "wrong_namesake")

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""

BANDS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0)
"""Upper ends of the bands of probability; 1.0 holds what a pass linked for certain as well."""


def wilson(hits: pl.Expr, of: pl.Expr, name: str) -> list[pl.Expr]:
    """Share, lower and upper end of its 95 % interval: `name`, `name_low`, `name_high`; null without cases.

    Wilson's score interval (Wilson 1927; Brown, Cai and DasGupta 2001 recommend it for small samples).
    """
    n, k = of.cast(pl.Float64), hits.cast(pl.Float64)
    share = k / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * (share * (1 - share) / n + Z**2 / (4 * n**2)).sqrt()
    # At 0 and 1 the ends are exact; rounding must not move them past.
    low = pl.when(k == 0).then(0.0).otherwise((centre - half).clip(0, 1))
    high = pl.when(k == n).then(1.0).otherwise((centre + half).clip(0, 1))
    return [
        pl.when(of > 0).then(value).alias(f"{name}{end}")
        for value, end in ((share, ""), (low, "_low"), (high, "_high"))
    ]


def person_truth(
    links: pl.DataFrame, truth: pl.DataFrame, anchors: Sequence[str] = ("ps_resident",)
) -> pl.DataFrame:
    """Which true person each person id stands for: `person_id`, `meant`.

    The one most of its identities belong to, the register first. `truth` has `identity_key`, `true_person_id`.
    """
    known = links.join(truth.drop_nulls("true_person_id"), on="identity_key").with_columns(
        pl.col("source_class").is_in(anchors).alias("_anchor")
    )
    return (
        known.group_by("person_id", "true_person_id")
        .agg(pl.col("_anchor").sum().alias("_anchors"), pl.len().alias("_rows"))
        .sort("person_id", "_anchors", "_rows", "true_person_id", descending=[False, True, True, False])
        .unique("person_id", keep="first", maintain_order=True)
        .select("person_id", pl.col("true_person_id").alias("meant"))
    )


def judged(
    links: pl.DataFrame,
    truth: pl.DataFrame,
    relatives: pl.DataFrame | None = None,
    names: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every identity of `truth` with its link and verdict (`VERDICTS`).

    `truth`: `identity_key`, `source_class`, `true_person_id` (null: nobody who is known). `relatives`: pairs
    `true_person_id`, `relative_id`. `names`: `true_person_id`, `name`; a wrong link to somebody of the same name who is no
    relative is `wrong_namesake`. `absent`: rightly left alone, or a person of its own.
    """
    meant = person_truth(links, truth)
    on_spine = (
        truth.join(links.select("identity_key"), on="identity_key", how="semi")["true_person_id"]
        .drop_nulls()
        .unique()
    )
    rows = truth.join(
        links.select("identity_key", "person_id", "grade", "pass_id"), on="identity_key", how="left"
    ).join(meant, on="person_id", how="left")
    kind = truth.schema["true_person_id"]
    if relatives is None:
        relatives = pl.DataFrame(schema={"true_person_id": kind, "relative_id": kind})
    kin = (
        relatives.select("true_person_id", pl.col("relative_id").alias("meant"))
        .unique()
        .with_columns(pl.lit(True).alias("_kin"))
    )
    if names is None:
        names = pl.DataFrame(schema={"true_person_id": kind, "name": pl.String})
    called = names.select("true_person_id", "name").drop_nulls().unique("true_person_id")
    rows = (
        rows.join(kin, on=["true_person_id", "meant"], how="left")
        .join(called, on="true_person_id", how="left")
        .join(called.rename({"true_person_id": "meant", "name": "_name"}), on="meant", how="left")
    )
    linked, same = pl.col("person_id").is_not_null(), pl.col("meant") == pl.col("true_person_id")
    return (
        rows.with_columns(
            pl.when(linked & pl.col("true_person_id").is_null() & pl.col("meant").is_null())
            .then(pl.lit("absent"))
            .when(linked & same.fill_null(False))
            .then(pl.lit("right"))
            .when(linked & pl.col("_kin").fill_null(False))
            .then(pl.lit("wrong_relative"))
            .when(linked & (pl.col("name") == pl.col("_name")).fill_null(False))
            .then(pl.lit("wrong_namesake"))
            .when(linked)
            .then(pl.lit("wrong"))
            .when(pl.col("true_person_id").is_in(on_spine.implode()).fill_null(False))
            .then(pl.lit("missed"))
            .otherwise(pl.lit("absent"))
            .alias("verdict")
        )
        .select("identity_key", "source_class", "grade", "pass_id", "person_id", "true_person_id", "verdict")
        .sort("identity_key")
    )


def summary(rows: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Counts, precision and recall of `judged` rows by some of its columns, or columns joined to it (`groups`, `band`).

    Columns: `by`, identities, one for each verdict, and precision and recall, each with its 95 % interval (`_low`, `_high`).
    Precision counts wrong links to relatives and namesakes as wrong. A measure without cases is null, not 1. By grade, pass or
    band there is no recall: what was missed has none.
    """
    counted = [
        pl.len().cast(pl.Int64).alias("identities"),
        *((pl.col("verdict") == v).sum().cast(pl.Int64).alias(v) for v in VERDICTS),
    ]
    grouped = rows.group_by(*by).agg(*counted) if by else rows.select(*counted)
    linked = pl.col("right") + pl.sum_horizontal(WRONG)
    has_recall = not {"grade", "pass_id", "band"} & set(by)
    due = (linked + pl.col("missed")) if has_recall else pl.lit(0, dtype=pl.Int64)
    found = grouped.with_columns(
        *wilson(pl.col("right"), linked, "precision"), *wilson(pl.col("right"), due, "recall")
    )
    return found.sort(*by, nulls_last=True) if by else found


def band(probability: pl.Expr) -> pl.Expr:
    """The band of a probability, as text that sorts: `0.9000-0.9500`; null where nothing was weighed."""
    lows = (0.0, *BANDS[:-1])
    within = (
        pl.when((probability >= low) & ((probability < high) | (high == BANDS[-1]))).then(
            pl.lit(f"{low:.4f}-{high:.4f}")
        )
        for low, high in zip(lows, BANDS, strict=True)
    )
    return pl.coalesce(within).alias("band")


@cache
def _compound_surnames() -> list[str]:
    table = pl.read_csv(REFERENCE / "surname_readings.csv")
    return table.filter(pl.col("surname").str.len_chars() == 2)["surname"].to_list()


GROUPS = ("minority", "under_6", "over_70", "no_id", "one_character_name", "non_local")
"""Groups that matching may treat worse than others; an identity may be in several."""


def groups(identities: pl.DataFrame, home: Sequence[str]) -> pl.DataFrame:
    """Which identities belong to which of `GROUPS`: `identity_key`, `group`, each pair once.

    `identities`: `identity_key`, `person_name`, `resident_id`, `birth_date`, `village_code`, `last_batch` (age is of that day).
    `home`: codes with which divisions of the place begin. Ethnicity is never read: a minority name is one that is written with a dot,
    or has five characters or more. Non-local: a number first given elsewhere, and no address here. Without a number: nothing that
    is 15 or 18 characters.
    """
    name = pl.col("person_name").str.strip_chars()
    bare = name.str.replace_all(r"[\s·•・‧．.]", "")
    is_dotted = name.str.contains(r"\S[·•・‧．.]\S")
    is_han = bare.str.contains(r"^[\x{3400}-\x{9fff}]+$")
    compound = _compound_surnames()
    given = bare.str.len_chars() - pl.when(
        bare.str.slice(0, 2).is_in(compound) & (bare.str.len_chars() > 2)
    ).then(2).otherwise(1)
    number = pl.col("resident_id").str.strip_chars()
    has_number = number.str.contains(r"^(?:[0-9]{17}[0-9Xx]|[0-9]{15})$").fill_null(False)
    from_number = (
        pl.when(number.str.len_chars() == 18)
        .then(number.str.slice(6, 8))
        .when(number.str.len_chars() == 15)
        .then("19" + number.str.slice(6, 6))
        .str.to_date("%Y%m%d", strict=False)
    )
    born = pl.coalesce("birth_date", pl.when(has_number).then(from_number))
    years = (pl.col("last_batch") - born).dt.total_days() / 365.2425
    here = pl.any_horizontal(number.str.starts_with(code) for code in home) if home else pl.lit(True)
    lives_here = (
        pl.any_horizontal(pl.col("village_code").str.starts_with(code) for code in home)
        if home
        else pl.lit(True)
    )
    rules = {
        "minority": is_dotted | (is_han & (bare.str.len_chars() >= 5)),
        "under_6": (years >= 0) & (years < 6),
        "over_70": years >= 70,
        "no_id": ~has_number,
        "one_character_name": is_han & (given == 1) & ~is_dotted,
        "non_local": has_number & ~here & ~lives_here.fill_null(False),
    }
    marked = identities.select(
        "identity_key", *(rule.fill_null(False).alias(group) for group, rule in rules.items())
    )
    return (
        marked.unpivot(index="identity_key", variable_name="group", value_name="_is")
        .filter("_is")
        .select("identity_key", "group")
        .unique()
        .sort("identity_key", "group")
    )


def by_group(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """`summary` of `judged` rows by `group` (of `groups`); whoever is in none stands under `others`."""
    long = rows.join(members.select("identity_key", "group"), on="identity_key", how="left")
    return summary(long.with_columns(pl.col("group").fill_null("others")), ["group"])


def per_person(rows: pl.DataFrame) -> pl.DataFrame:
    """Persons whose records are all right: one row with `persons`, `all_right`, and `share` with its interval.

    A person counts who has a record in `judged` rows that should be found. Right means that no record of theirs is missed or with
    somebody else, and that nobody else's is with them.
    """
    due = rows.filter(pl.col("true_person_id").is_not_null() & (pl.col("verdict") != "absent"))
    own = due.group_by("true_person_id").agg((pl.col("verdict") == "right").all().alias("_right"))
    owners = rows.filter(pl.col("verdict") == "right").select("person_id", "true_person_id").unique()
    taken = (
        rows.filter(pl.col("verdict").is_in(WRONG))
        .select("person_id")
        .unique()
        .join(owners, on="person_id")
        .select("true_person_id")
        .unique()
        .with_columns(pl.lit(True).alias("_foreign"))
    )
    counted = own.join(taken, on="true_person_id", how="left").select(
        pl.len().cast(pl.Int64).alias("persons"),
        (pl.col("_right") & pl.col("_foreign").is_null()).sum().cast(pl.Int64).alias("all_right"),
    )
    return counted.with_columns(*wilson(pl.col("all_right"), pl.col("persons"), "share"))


def bcubed(links: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """B-cubed precision, recall and their harmonic mean: one row with `identities`, `precision`, `recall`, `f1`.

    For record e in true group L(e) and found group C(e): precision = mean over e of |L(e) and C(e)| / |C(e)|, recall = mean
    of |L(e) and C(e)| / |L(e)| (Bagga and Baldwin 1998; Amigo et al. 2009, section 3). A record without a link is a group of its
    own. Only records with a known true person count.
    """
    rows = (
        truth.drop_nulls("true_person_id")
        .join(links.select("identity_key", "person_id"), on="identity_key", how="left")
        .with_columns(
            pl.when(pl.col("person_id").is_null())
            .then(pl.format("alone {}", "identity_key"))
            .otherwise(pl.col("person_id").cast(pl.String))
            .alias("_found")
        )
    )
    cells = (
        rows.group_by("true_person_id", "_found")
        .agg(pl.len().cast(pl.Float64).alias("both"))
        .with_columns(
            pl.col("both").sum().over("true_person_id").alias("true"),
            pl.col("both").sum().over("_found").alias("found"),
        )
    )
    n = pl.col("both").sum()
    # Each of the `both` records of a cell has the same part; sums of equal terms in a fixed order.
    found = cells.sort("both", "true", "found").select(
        n.cast(pl.Int64).alias("identities"),
        pl.when(n > 0).then((pl.col("both") ** 2 / pl.col("found")).sum() / n).alias("precision"),
        pl.when(n > 0).then((pl.col("both") ** 2 / pl.col("true")).sum() / n).alias("recall"),
    )
    p, r = pl.col("precision"), pl.col("recall")
    return found.with_columns((2 * p * r / (p + r)).alias("f1"))


def pairwise(links: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Pairs of identities put together against pairs that belong together: one row with `pairs_true`,
    `pairs_linked`, `pairs_both`, `precision`, `recall`. Counted from group sizes, never by listing pairs.
    """
    rows = truth.drop_nulls("true_person_id").join(
        links.select("identity_key", "person_id"), on="identity_key", how="left"
    )

    def pairs(*by: str) -> int:
        size = rows.drop_nulls(list(by)).group_by(*by).len()["len"].cast(pl.Int64)
        return int((size * (size - 1) // 2).sum())

    true, linked, both = pairs("true_person_id"), pairs("person_id"), pairs("true_person_id", "person_id")
    return pl.DataFrame(
        {
            "pairs_true": [true],
            "pairs_linked": [linked],
            "pairs_both": [both],
            "precision": [both / linked if linked else None],
            "recall": [both / true if true else None],
        },
        schema_overrides={"precision": pl.Float64, "recall": pl.Float64},
    )


# --- without truth: clerical samples


CLERICAL_KEYS = ("case", "identity_key", "person_id", "stratum", "in_stratum")
"""Kept apart from the sheet: whoever judges does not know how sure the machine was, nor how many there are of a kind."""


def clerical_sample(
    links: pl.DataFrame,
    forms: pl.DataFrame,
    n: int,
    seed: int,
    people: pl.DataFrame | None = None,
    villages: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """About `n` links for a blind review, drawn at random within strata, in random order.

    `links`: `identity_key`, `person_id`, `source_class`, `grade`, `pass_id`, optionally `probability`. `forms`: identities as delivered.
    `villages`: names by code. `people`: `spine.PERSONS`; without it a link is held against the record by which the person is known. Strata are bands of probability,
    for links of passes the grade. Every stratum gets the same number, or all it has. Columns: `CLERICAL_KEYS`, and `shown` pairs
    `<label>（人员）`, `<label>（记录）`: names, births, sex and places in clear with what differs in 【】, numbers and telephones only where they
    differ. Neither grade, pass, probability nor source is shown. The same seed and links give the same sample in any order of rows.
    """
    known = decisions.known_by(links)
    rows = links.join(known, on="person_id").filter(pl.col("identity_key") != pl.col("person_key"))
    weighed = pl.col("probability") if "probability" in rows.columns else pl.lit(None, dtype=pl.Float64)
    rows = rows.with_columns(pl.coalesce(band(weighed), pl.format("pass {}", "grade")).alias("stratum")).sort(
        "stratum", "identity_key", "person_id"
    )
    rng = np.random.default_rng(seed)
    chosen = []
    sizes = dict(rows.group_by("stratum").len().sort("stratum").iter_rows())
    left = n
    # Small strata first: what they cannot use goes to the others.
    for place, (stratum, size) in enumerate(sorted(sizes.items(), key=lambda item: (item[1], item[0]))):
        share = min(size, left // (len(sizes) - place))
        left -= share
        picked = np.sort(rng.choice(size, share, replace=False))
        chosen.append(
            rows.filter(pl.col("stratum") == stratum)[picked.tolist()].with_columns(
                pl.lit(size, dtype=pl.Int64).alias("in_stratum")
            )
        )
    sample = pl.concat(chosen) if chosen else rows.with_columns(pl.lit(0, dtype=pl.Int64).alias("in_stratum"))
    order = rng.permutation(sample.height)
    sample = (
        sample[order.tolist()].with_row_index("case", offset=1).with_columns(pl.col("case").cast(pl.Int64))
    )
    return sample.select(CLERICAL_KEYS).hstack(_sides(sample, forms, people, villages))


_LABELS = ("姓名", "曾用名", "性别", "出生日期", "年龄", "证件号码", "联系电话", "村（居）", "住址")


def clerical_columns(sample: pl.DataFrame) -> list[str]:
    """What the reviewer's sheet shows of a sample; the rest is kept."""
    return ["case", *(name for name in sample.columns if name not in CLERICAL_KEYS)]


def _sides(
    sample: pl.DataFrame,
    forms: pl.DataFrame,
    people: pl.DataFrame | None,
    villages: Mapping[str, str] | None,
) -> pl.DataFrame:
    """The two sides of each sampled link as text. A few hundred rows: one by one."""
    wanted = pl.concat([sample["identity_key"], sample["person_key"]]).unique().implode()
    records = {
        row["identity_key"]: row
        for row in forms.filter(pl.col("identity_key").is_in(wanted)).iter_rows(named=True)
    }
    persons = {}
    if people is not None:
        some = people.filter(pl.col("person_id").is_in(sample["person_id"].unique().implode()))
        persons = {row["person_id"]: row for row in some.iter_rows(named=True)}
    shown = []
    for identity, person, key in sample.select("identity_key", "person_id", "person_key").iter_rows():
        other = dict(persons.get(person) or records.get(key) or {})
        card = review.card({"kind": "review"}, other, records.get(identity) or {}, villages=villages)
        lines = {field.label: field for field in card.fields}
        row = {}
        for label in _LABELS:
            field = lines.get(label)
            for side, said in (("人员", field and field.person), ("记录", field and field.record)):
                row[f"{label}（{side}）"] = review.shown(said, "【", "】") if said else ""
        shown.append(row)
    columns = [f"{label}（{side}）" for label in _LABELS for side in ("人员", "记录")]
    return pl.DataFrame(shown, schema=dict.fromkeys(columns, pl.String))


def from_clerical(sheet: pl.DataFrame) -> pl.DataFrame:
    """Precision by stratum, and of all links, from a judged sample.

    `sheet`: `stratum`, `in_stratum`, `answer` (`decisions.ANSWERS`, null where nobody looked). Columns: `stratum` (`all` last),
    `in_stratum`, `answered`, `same`, `not_same`, `unsure`, `precision` with its interval (of those who could say), and
    `precision_at_worst` (every `unsure` wrong). Strata are weighted by their size; the interval of the whole is put together from
    Wilson's by the method of variance estimates recovery (Zou and Donner 2008). Raises ValueError for an unknown answer.
    """
    bad = sheet.filter(~pl.col("answer").is_in(decisions.ANSWERS) & pl.col("answer").is_not_null()).height
    if bad:
        raise ValueError(f"{bad} answers are none of {', '.join(decisions.ANSWERS)}")
    counted = (
        sheet.group_by("stratum")
        .agg(
            pl.col("in_stratum").first().cast(pl.Int64),
            pl.col("answer").count().cast(pl.Int64).alias("answered"),
            *((pl.col("answer") == a).sum().cast(pl.Int64).alias(a) for a in decisions.ANSWERS),
        )
        .sort("stratum")
    )
    said = pl.col("same") + pl.col("not_same")
    strata = counted.with_columns(
        *wilson(pl.col("same"), said, "precision"),
        pl.when(pl.col("answered") > 0).then(pl.col("same") / pl.col("answered")).alias("precision_at_worst"),
    )
    told = strata.filter(pl.col("precision").is_not_null())
    weight = pl.col("in_stratum") / pl.col("in_stratum").sum()
    middle = (weight * pl.col("precision")).sum()

    def reach(end: str) -> pl.Expr:
        return ((weight * (pl.col("precision") - pl.col(f"precision_{end}"))) ** 2).sum().sqrt()

    known = pl.len() > 0
    total = told.select(
        pl.lit("all").alias("stratum"),
        *(pl.col(c).sum() for c in ("in_stratum", "answered", *decisions.ANSWERS)),
        pl.when(known).then(middle).alias("precision"),
        pl.when(known).then((middle - reach("low")).clip(0, 1)).alias("precision_low"),
        pl.when(known).then((middle + reach("high")).clip(0, 1)).alias("precision_high"),
        pl.when(known).then((weight * pl.col("precision_at_worst")).sum()).alias("precision_at_worst"),
    )
    return pl.concat([strata, total])


# --- without truth: drift


PICTURE = pl.Schema({"measure": pl.String(), "item": pl.String(), "count": pl.Int64(), "of": pl.Int64()})
"""What is counted of a night: `count` of `of` cases; by measure (`pass`, `grade`, `null`, `pattern`, `size`) and item."""

BOUNDS: Mapping[str, float] = {"pass": 0.02, "grade": 0.01, "null": 0.05, "pattern": 0.02, "size": 0.02}
"""Changes of a share from night to night beyond which somebody must look. Proposals: a night brings 2 % new identities."""

CHANCE = 4.0
"""And the change must be this many standard errors (two proportions), so that small sources do not cry wolf."""

_FIELDS = ("resident_id", "person_name", "sex", "birth_date", "phone", "village_code", "address")


def picture(
    links: pl.DataFrame, identities: pl.DataFrame, patterns: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Counts of a night (`PICTURE`): what `drift` compares. Nobody is named in it.

    `links` and `identities` of the night; `patterns`: `pattern`, `count`, of the engine's comparisons. `null` is by class and
    column; `pattern` without `patterns` is which evidence the identities carry; `size` is by records a person (1, 2-3, 4-7, ...).
    """
    everybody = identities.select("identity_key").join(
        links.select("identity_key", "pass_id", "grade"), on="identity_key", how="left"
    )
    fields = [name for name in _FIELDS if name in identities.columns]
    nulls = (
        identities.group_by("source_class")
        .agg(pl.len().alias("of"), *(pl.col(name).is_null().sum() for name in fields))
        .unpivot(index=["source_class", "of"], variable_name="column", value_name="count")
        .select(
            pl.lit("null").alias("measure"),
            pl.format("{}.{}", "source_class", "column").alias("item"),
            "count",
            "of",
        )
    )
    if patterns is None:
        marks = [pl.when(pl.col(name).is_null()).then(pl.lit("-")).otherwise(pl.lit(name)) for name in fields]
        carried = identities.select(pl.concat_str(marks, separator=" ").alias("pattern"))
        patterns = carried.group_by("pattern").agg(pl.len().alias("count"))
    sizes = (
        links.group_by("person_id")
        .len("n")
        .select(pl.col("n").cast(pl.Float64).log(2).floor().cast(pl.Int64).alias("_power"))
    )
    low = pl.lit(2, dtype=pl.Int64).pow(pl.col("_power"))
    grouped = sizes.with_columns(
        pl.when(pl.col("_power") == 0)
        .then(pl.lit("1"))
        .otherwise(pl.format("{}-{}", low, low * 2 - 1))
        .alias("item")
    )

    def shares(frame: pl.DataFrame, column: str, measure: str) -> pl.DataFrame:
        return (
            frame.group_by(pl.col(column).fill_null("none").alias("item"))
            .agg(pl.len().alias("count"))
            .select(pl.lit(measure).alias("measure"), "item", "count", pl.lit(frame.height).alias("of"))
        )

    parts = [
        shares(everybody, "pass_id", "pass"),
        shares(everybody, "grade", "grade"),
        nulls,
        patterns.select(
            pl.lit("pattern").alias("measure"),
            pl.col("pattern").alias("item"),
            "count",
            pl.col("count").sum().alias("of"),
        ),
        shares(grouped, "item", "size"),
    ]
    return pl.concat([part.cast(PICTURE) for part in parts]).sort("measure", "item")


def drift(
    tonight: pl.DataFrame, last_night: pl.DataFrame, bounds: Mapping[str, float] = BOUNDS
) -> pl.DataFrame:
    """Two nights (`picture`) side by side: `measure`, `item`, `share`, `share_before`, `change`, `errors`, `bound`, `is_alarm`, `reason_zh`.

    `errors`: the change in standard errors of two proportions. An alarm needs a change beyond the bound of its measure and beyond chance.
    A class or column that one of the nights does not have at all is compared as null, and is an alarm for `null` alone when it held more than
    `bound` of nothing. Sorted: alarms first, the greatest change first.
    """
    both = tonight.join(last_night, on=["measure", "item"], how="full", suffix="_before", coalesce=True)
    total = {
        suffix: frame.filter(pl.col("measure") != "null")
        .group_by("measure")
        .agg(pl.col("of").max().alias(f"_of{suffix}"))
        for suffix, frame in (("", tonight), ("_before", last_night))
    }
    for frame in total.values():
        both = both.join(frame, on="measure", how="left")
    # An item that did not occur is a share of nothing; a class that did not come has no share.
    both = both.with_columns(
        pl.coalesce(f"of{s}", f"_of{s}").alias(f"of{s}") for s in ("", "_before")
    ).with_columns(
        pl.when(pl.col(f"of{s}") > 0)
        .then(pl.col(f"count{s}").fill_null(0) / pl.col(f"of{s}"))
        .alias(f"share{s}")
        for s in ("", "_before")
    )
    pooled = (pl.col("count").fill_null(0) + pl.col("count_before").fill_null(0)) / (
        pl.col("of") + pl.col("of_before")
    )
    error = (pooled * (1 - pooled) * (1 / pl.col("of") + 1 / pl.col("of_before"))).sqrt()
    change = pl.col("share") - pl.col("share_before")
    found = both.with_columns(
        change.alias("change"),
        pl.when(change == 0).then(0.0).when(error > 0).then(change / error).alias("errors"),
        pl.col("measure").replace_strict(dict(bounds), return_dtype=pl.Float64).alias("bound"),
    ).with_columns(
        ((pl.col("change").abs() > pl.col("bound")) & (pl.col("errors").abs() > CHANCE))
        .fill_null(False)
        .alias("is_alarm")
    )
    percent = [pl.col(c).mul(100).round(1).cast(pl.String) for c in ("share_before", "share")]
    word = pl.col("measure").replace_strict(MEASURES_ZH, default=pl.col("measure"))
    return (
        found.with_columns(
            pl.when("is_alarm")
            .then(pl.format("{} {} 由{}%变为{}%，超出界限，请核查。", word, "item", *percent))
            .alias("reason_zh"),
            pl.col("change").abs().alias("_size"),
        )
        .sort("is_alarm", "_size", "measure", "item", descending=[True, True, False, False], nulls_last=True)
        .select(
            "measure", "item", "share", "share_before", "change", "errors", "bound", "is_alarm", "reason_zh"
        )
    )


MEASURES_ZH = {
    "pass": "关联规则占比",
    "grade": "关联等级占比",
    "null": "空值比例",
    "pattern": "证据组合占比",
    "size": "每人记录数占比",
}
