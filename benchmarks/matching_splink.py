"""One set of `matching_sets.py` linked with Splink 5 on DuckDB, set up as a strong user would.

    python benchmarks/matching_splink.py FOLDER --out LINKS.parquet [--helpers LOOK_ALIKES.parquet]

Runs in an environment of its own (`requirements-splink.lock`). Fields are cleaned first: width, blanks and notes in
names, 15-digit numbers made 18, fillers emptied, birth dates read and filled from numbers, township and village taken
from addresses, masks turned into head and tail. Comparisons have custom levels with term frequencies on full names,
phones and villages; more than ten blocking rules; m by expectation maximisation from several rules, u by random
sampling; best link in both directions, ties dropped. With `--helpers` names come with what this project knows of
sound and shape: variants folded, readings, merged sounds, look-alikes.
"""

from __future__ import annotations

import argparse
import logging
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

REFERENCE = Path(__file__).resolve().parent.parent / "matching" / "reference"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DIGITS = {"一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9"}


# ---------------------------------------------------------------- cleaning


def names(raw: pl.Expr) -> pl.Expr:
    """Width, blanks, dots and notes gone; * stays."""
    return (
        raw.str.normalize("NFKC")
        .str.replace(r"[(（].*$", "")
        .str.replace_all(r"[\s\u200b\ufeff\u00a0·•．.・･‧\-?0-9]|先生$", "")
        .replace("", None)
    )


def check_character(number: pl.Expr) -> pl.Expr:
    """The right last character of a number, from its first 17 digits."""
    total = pl.sum_horizontal(
        number.str.slice(i, 1).cast(pl.Int64, strict=False) * w for i, w in enumerate(WEIGHTS)
    )
    return pl.lit("10X98765432").str.slice((total % 11).cast(pl.Int64), 1)


def numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """id (18 characters, as good as they are), id_head, id_tail, id_birth from the column `id_raw`."""
    text = (
        pl.col("id_raw")
        .str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(r"[\s']", "")
        .str.replace_all("[×Х]", "X")
    )
    frame = frame.with_columns(text.alias("t"))
    t = pl.col("t")
    is_15 = t.str.contains(r"^\d{15}$")
    frame = frame.with_columns(
        pl.when(is_15).then(t.str.slice(0, 6) + "19" + t.str.slice(6)).otherwise(t).alias("t")
    )
    frame = frame.with_columns(
        pl.when(t.str.contains(r"^\d{17}$") & is_15_length())
        .then(t + check_character(t))
        .otherwise(t)
        .alias("t")
    )
    is_filler = t.str.contains(r"^(\d)$|^0+$|^1+$|^9+$") | ~t.str.contains(r"\d{6}") | t.str.contains("E")
    frame = frame.with_columns(pl.when(is_filler).then(None).otherwise(t).alias("t"))
    is_masked = t.str.contains("****", literal=True)
    is_cut = t.str.ends_with("000") & (t.str.len_chars() == 18)
    whole = t.str.contains(r"^\d{17}[\dX]$") & (check_character(t) == t.str.slice(17))
    born = t.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    return frame.with_columns(
        pl.when(is_masked | (is_cut & ~whole)).then(None).otherwise(t).alias("id"),
        t.str.slice(0, 6).alias("id_head"),
        pl.when(is_cut & ~whole).then(None).otherwise(t.str.slice(-4)).alias("id_tail"),
        pl.when(~is_masked & (t.str.len_chars() == 18)).then(t.str.slice(0, 15)).alias("id_15"),
        pl.when(whole).then(born).alias("id_birth"),
        pl.when(whole).then(pl.when(t.str.slice(16, 1).cast(pl.Int64, strict=False) % 2 == 1).then(pl.lit("1")).otherwise(pl.lit("2"))).alias("id_sex"),
    ).drop("t")  # fmt: skip


def is_15_length() -> pl.Expr:
    """Whether the number came with 15 digits."""
    return pl.col("id_raw").str.replace_all(r"[\s']", "").str.len_chars() == 15


def days(raw: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Exact birth date and year of birth of dates as offices write them."""
    plain = raw.str.normalize("NFKC").str.replace_all(r"[年月/.]", "-").str.replace_all("日", "")
    exact = pl.coalesce(
        plain.str.to_date("%Y-%m-%d", strict=False), plain.str.to_date("%Y%m%d", strict=False)
    )
    return exact, plain.str.extract(r"^(\d{4})").cast(pl.Int32, strict=False)


def places(frame: pl.DataFrame) -> pl.DataFrame:
    """township, village and the numbers of the house from the column `address`."""
    address = pl.col("address").str.replace_many({f"{zh}组": f"{n}组" for zh, n in DIGITS.items()} | {f"{zh}社": f"{n}组" for zh, n in DIGITS.items()})  # fmt: skip
    found = pl.col("a").str.extract_groups(
        r"^(?:.*(?:区|市|县|旗))?(?<township>.+?(?:街道|镇|乡|苏木|牧场|开发区|园区))(?<village>[^\d]+?(?:社区|村|嘎查))?(?<rest>.*)$"
    )
    return (
        frame.with_columns(address.str.replace_all(r"(村民委员会|村委会)", "村").alias("a"))
        .with_columns(found.alias("g"))
        .with_columns(
            pl.col("g").struct.field("township").alias("township"),
            (pl.col("g").struct.field("township") + pl.col("g").struct.field("village")).alias("village"),
            pl.col("g")
            .struct.field("rest")
            .str.extract_all(r"\d+")
            .list.join("-")
            .replace("", None)
            .alias("house"),
        )
        .drop("a", "g")
    )


def _reading_tables() -> tuple[dict[str, str], dict[str, str]]:
    readings = pl.read_csv(REFERENCE / "char_readings.csv", infer_schema=False)
    first = readings.select(
        "char", pl.col("readings").str.split("|").list.first().str.split(" ").list.first()
    )
    surnames = pl.read_csv(REFERENCE / "surname_readings.csv", infer_schema=False)
    return dict(first.iter_rows()), dict(surnames.select("surname", "reading").iter_rows())


def helped(frame: pl.DataFrame, partners: Path) -> pl.DataFrame:
    """sound, merged (sounds that speakers merge) and look (look-alikes of each of the first four characters)."""
    variants = pl.read_csv(REFERENCE / "char_variants.csv", infer_schema=False)
    frame = frame.with_columns(
        pl.col("name", "former").str.replace_many(
            variants["variant"].to_list(), variants["standard"].to_list()
        )
    )
    readings, surnames = _reading_tables()
    look = dict(pl.read_parquet(partners).iter_rows())
    known = frame.select(pl.col("name").drop_nulls().unique(maintain_order=True))
    char = [pl.col("name").str.slice(i, 1) for i in range(4)]
    first = char[0].replace_strict(surnames, default=char[0].replace_strict(readings, default=""))
    rest = [c.replace_strict(readings, default="") for c in char[1:]]
    sound = pl.concat_str([first, *rest], separator=" ").str.strip_chars()
    known = known.with_columns(
        pl.when(~pl.col("name").str.contains("*", literal=True)).then(sound).alias("sound"),
        *[c.replace_strict(look, default="").alias(f"look{i}") for i, c in enumerate(char)],
    ).with_columns(
        pl.col("sound")
        .str.replace_all(r"\b([zcs])h", "$1")
        .str.replace_all(r"ng\b", "n")
        .str.replace_all(r"\bn", "l")
        .str.replace_all(r"\bhu?", "f")
        .alias("merged")
    )
    return frame.join(known, on="name", how="left", maintain_order="left")


def side(frame: pl.DataFrame, spec: dict[str, Any], as_of: date, partners: Path | None) -> pl.DataFrame:
    """The columns that Splink sees, of one table. Columns of a kind the table does not have are null."""
    kinds: dict[str, str] = {}
    for column, kind in spec["columns"].items():
        kinds.setdefault(kind["kind"] if isinstance(kind, dict) else kind, column)

    def raw(kind: str) -> pl.Expr:
        return pl.col(kinds[kind]).cast(pl.String) if kind in kinds else pl.lit(None, dtype=pl.String)

    birth, year = days(raw("birth_date"))
    base = frame.select(
        pl.col(spec["id"]).alias("unique_id"),
        names(raw("person_name")).alias("name"),
        names(raw("former_name")).alias("former"),
        raw("resident_id").alias("id_raw"),
        birth.alias("birth_day"),
        year.alias("year"),
        raw("sex").replace({"男": "1", "女": "2", "M": "1", "F": "2"}).alias("sex"),
        raw("phone").alias("phone_raw"),
        raw("address").alias("address"),
    )
    base = places(numbers(base))
    if "age" in kinds:
        on = spec["columns"][kinds["age"]]["as_of"]
        day = frame[on["column"]] if isinstance(on, dict) else pl.Series([on or as_of] * len(frame))
        age = frame[kinds["age"]].cast(pl.Int32, strict=False)
        base = base.with_columns((day.dt.year() - age).alias("year"))
    full = pl.coalesce("birth_day", "id_birth")
    base = base.with_columns(
        full.dt.to_string("%Y-%m-%d").alias("birth"),
        pl.coalesce(full.dt.year(), "year").cast(pl.Int32).alias("year"),
        pl.coalesce("sex", "id_sex").alias("sex"),
        (pl.col("name").str.slice(0, 1) + pl.col("name").str.slice(-1)).alias("name_ends"),
        pl.col("name").str.slice(0, 1).alias("surname"),
        pl.col("name").str.slice(1).alias("given"),
        pl.when(~pl.col("phone_raw").str.contains("*", literal=True))
        .then(pl.col("phone_raw"))
        .alias("phone"),
        (pl.col("phone_raw").str.slice(0, 3) + pl.col("phone_raw").str.slice(-4)).alias("phone_ends"),
    )
    return (helped(base, partners) if partners else base).drop(
        "phone_raw", "id_raw", "birth_day", "id_birth", "id_sex", "address"
    )


# ---------------------------------------------------------------- the model


def level(sql: str, label: str, **options: Any) -> dict[str, Any]:
    """A custom level of a comparison."""
    return {"sql_condition": sql, "label_for_charts": label, **options}


def null(*columns: str) -> dict[str, Any]:
    """The level at which a comparison says nothing."""
    sql = " OR ".join(f"{c}_l IS NULL OR {c}_r IS NULL" for c in columns)
    return level(sql, "missing", is_null_level=True)


OTHER = {"sql_condition": "ELSE", "label_for_charts": "else"}
_MASKED = "(contains(name_l, '*') OR contains(name_r, '*'))"
_ONE_OFF = (
    "length(name_l) = length(name_r) AND length(name_l) >= 2 AND ("
    "(substr(name_l, 1, 1) != substr(name_r, 1, 1))::INT + (substr(name_l, 2, 1) != substr(name_r, 2, 1))::INT + "
    "(substr(name_l, 3, 1) != substr(name_r, 3, 1))::INT + (substr(name_l, 4) != substr(name_r, 4))::INT) = 1"
)
_TURNED = (
    "length(name_l) = length(name_r) AND length(name_l) = 3 AND substr(name_l, 1, 1) = substr(name_r, 1, 1) "
    "AND substr(name_l, 2, 1) = substr(name_r, 3, 1) AND substr(name_l, 3, 1) = substr(name_r, 2, 1)"
)
_CONTAINED = "abs(length(name_l) - length(name_r)) <= 2 AND (contains(name_l, name_r) OR contains(name_r, name_l) OR (surname_l = surname_r AND least(length(name_l), length(name_r)) = 2 AND right(name_l, 1) = right(name_r, 1)))"  # fmt: skip
_LOOK = " AND ".join(
    ["length(name_l) = length(name_r)"]
    + [
        f"(substr(name_l, {i + 1}, 1) = substr(name_r, {i + 1}, 1) OR contains(look{i}_l, substr(name_r, {i + 1}, 1)) OR contains(look{i}_r, substr(name_l, {i + 1}, 1)))"
        for i in range(4)
    ]
)


def frequent(column: str) -> dict[str, Any]:
    """Options of a level that agrees on a column: rare values count more."""
    return {"tf_adjustment_column": column, "disable_tf_exact_match_detection": True}


def name_comparison(has: set[str], has_helpers: bool) -> dict[str, Any]:
    """Full name with term frequency, then sound and look (with helpers) or single errors, then surname."""
    levels = [
        null("name"),
        level("name_l = name_r", "same", **frequent("name")),
        level("former_l = name_r OR name_l = former_r", "former"),
    ]  # fmt: skip
    if "mask" in has:
        levels += [
            level(f"{_MASKED} AND name_ends_l = name_ends_r", "same ends, masked", **frequent("name_ends")),
            level(
                f"{_MASKED} AND surname_l = surname_r AND least(right(name_l, 1), right(name_r, 1)) = '*'",
                "same surname, masked",
                **frequent("surname"),
            ),
        ]
    if has_helpers:
        levels += [
            level("sound_l = sound_r", "same sound", **frequent("sound")),
            level(_LOOK, "looks alike"),
            level("merged_l = merged_r", "merged sound"),
        ]
    levels += [
        level(_TURNED, "turned"),
        level(_ONE_OFF + " AND surname_l = surname_r", "one character of the given name"),
        level(_CONTAINED, "one inside the other"),
        level(_ONE_OFF, "one character"),
        level("length(name_l) >= 4 AND jaro_winkler_similarity(name_l, name_r) >= 0.88", "long and close"),
        level("surname_l = surname_r", "surname", **frequent("surname")),
        OTHER,
    ]
    return {"output_column_name": "name", "comparison_levels": levels}


def comparisons(has: set[str], has_helpers: bool) -> list[dict[str, Any]]:
    """The comparisons of the fields that both tables have."""
    wanted = [name_comparison(has, has_helpers)]
    if "id_head" in has:
        levels = [
            null("id_head"),
            level("id_l = id_r", "same"),
            level(
                "(id_l IS NULL OR id_r IS NULL) AND id_head_l = id_head_r AND id_tail_l = id_tail_r",
                "same ends",
            ),
            level("(id_l IS NULL OR id_r IS NULL) AND id_15_l = id_15_r", "same first 15"),
            level(
                "CASE WHEN strlen(id_l) = strlen(id_r) THEN hamming(id_l, id_r) <= 2 "
                "WHEN abs(strlen(id_l) - strlen(id_r)) = 1 THEN levenshtein(id_l, id_r) <= 1 ELSE FALSE END",
                "one or two digits",
            ),
            level("substr(id_l, 1, 14) = substr(id_r, 1, 14)", "area and birth"),
            OTHER,
        ]
        wanted.append({"output_column_name": "id", "comparison_levels": levels})
    levels = [null("year")]
    if "birth" in has:
        levels += [
            level("birth_l = birth_r", "same", **frequent("birth")),
            level("levenshtein(birth_l, birth_r) <= 1 OR (substr(birth_l, 1, 4) = substr(birth_r, 1, 4) AND substr(birth_l, 6, 2) = substr(birth_r, 9, 2) AND substr(birth_l, 9, 2) = substr(birth_r, 6, 2))", "one off"),
        ]  # fmt: skip
    levels += [
        level("year_l = year_r", "same year"),
        level("abs(year_l - year_r) <= 1", "a year off"),
        level("abs(year_l - year_r) <= 2", "two years off"),
        OTHER,
    ]
    wanted.append({"output_column_name": "birth", "comparison_levels": levels})
    if "sex" in has:
        wanted.append(
            {
                "output_column_name": "sex",
                "comparison_levels": [null("sex"), level("sex_l = sex_r", "same"), OTHER],
            }
        )
    if "phone_ends" in has:
        levels = [null("phone_ends")]
        if "phone" in has:
            levels.append(level("phone_l = phone_r", "same", **frequent("phone")))
        levels += [
            level("phone_ends_l = phone_ends_r AND (phone_l IS NULL OR phone_r IS NULL)", "same ends"),
            OTHER,
        ]
        wanted.append({"output_column_name": "phone", "comparison_levels": levels})
    if "township" in has:
        levels = [
            null("township"),
            level("village_l = village_r AND house_l = house_r", "same house"),
            level("village_l = village_r", "same village", **frequent("village")),
            level("township_l = township_r", "same township", **frequent("township")),
            OTHER,
        ]
        wanted.append({"output_column_name": "place", "comparison_levels": levels})
    return wanted


RULES = (
    ("id",),
    ("id_15",),
    ("id_head", "id_tail", "surname"),
    ("name", "birth"),
    ("name", "phone"),
    ("name", "village"),
    ("name", "year", "sex"),
    ("birth", "phone"),
    ("birth", "village", "sex"),
    ("birth", "surname", "sex"),
    ("birth", "given"),
    ("phone", "surname"),
    ("phone", "year", "sex"),
    ("village", "surname", "year", "sex"),
    ("village", "given", "sex"),
    ("phone_ends", "name_ends"),
    ("id_head", "id_tail", "phone_ends"),
)
HELPED_RULES = (
    ("sound", "birth"),
    ("sound", "village", "sex"),
    ("sound", "phone"),
    ("sound", "year", "sex", "township"),
)


def model(left: pl.DataFrame, right: pl.DataFrame, has_helpers: bool) -> Any:
    """A trained linker over the two tables."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    has = {c for c in left.columns if left[c].null_count() < len(left) and right[c].null_count() < len(right)}
    if right["name"].str.contains("*", literal=True).any():
        has.add("mask")
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    backend = DuckDBAPI(connection=connection)
    tables = [
        backend.register(frame.to_arrow(), dataset_display_name=label)
        for label, frame in (("left_table", left), ("right_table", right))
    ]
    rules = [r for r in (*RULES, *(HELPED_RULES if has_helpers else ())) if set(r) <= has]
    masked = "phone" not in has and "phone_ends" in has
    if not masked:
        rules = [r for r in rules if not {"phone_ends", "name_ends"} & set(r)]
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        comparisons=comparisons(has, has_helpers),
        blocking_rules_to_generate_predictions=[block_on(*r) for r in rules],
        retain_matching_columns=False,
        max_iterations=20,
    )
    linker = Linker(tables, settings, log_level=None)
    certain = [r for r in (("id",), ("name", "birth"), ("name", "phone"), ("id_head", "id_tail", "name_ends"), ("phone_ends", "name_ends")) if set(r) <= has]  # fmt: skip
    linker.training.estimate_probability_two_random_records_match([block_on(*r) for r in certain], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in (("id",), ("name", "birth"), ("phone", "sex"), ("name", "village"), ("id_head", "id_tail"), ("phone_ends", "sex"), ("name", "year", "sex")):  # fmt: skip
        if set(rule) <= has and (masked or "id_head" not in rule) and (masked or "phone_ends" not in rule):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), estimate_without_term_frequencies=True, max_pairs=2e6
            )
    return linker, connection


BEST = """
WITH ranked AS (
    SELECT unique_id_l AS left_id, unique_id_r AS right_id, match_weight AS weight, match_probability AS probability,
           rank() OVER (PARTITION BY unique_id_r ORDER BY match_weight DESC) AS from_right,
           rank() OVER (PARTITION BY unique_id_l ORDER BY match_weight DESC) AS from_left
    FROM {pairs}
), best AS (
    SELECT *, count(*) OVER (PARTITION BY right_id) AS rights, count(*) OVER (PARTITION BY left_id) AS lefts
    FROM ranked WHERE from_right = 1 AND from_left = 1
)
SELECT left_id, right_id, weight, probability,
       CASE WHEN probability >= 0.999 THEN 'A' WHEN probability >= 0.95 THEN 'B' ELSE 'C' END AS grade
FROM best WHERE rights = 1 AND lefts = 1
ORDER BY right_id
"""


def main() -> None:
    """Read, clean, train, predict, keep the best links."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--helpers", type=Path, help="table of look-alikes: char, similar")
    asked = parser.parse_args()
    spec = yaml.safe_load((asked.folder / "spec.yaml").read_text(encoding="utf-8"))
    left, right = (
        side(pl.read_parquet(asked.folder / f"{s}.parquet"), spec[s], spec["as_of"], asked.helpers)
        for s in ("left", "right")
    )
    linker, connection = model(left, right, asked.helpers is not None)
    pairs = linker.inference.predict(threshold_match_weight=-8)
    connection.execute(BEST.format(pairs=pairs.physical_name)).pl().write_parquet(asked.out)


if __name__ == "__main__":
    main()
