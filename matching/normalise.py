"""Comparing forms of identities: what two records must agree on, put beside what was delivered.

Raw columns stay as they are. A comparing form is for equality only and is never shown or stored as a name.
Nothing here decides that two records are the same person; that is `passes`.

All work is done on distinct values, set-based, from a frame to a frame.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import cache

import polars as pl

from data_contracts import resident_id
from matching.name_cells import JOINTS, REFERENCE, WILDCARD, bare_names, replaced

GENERIC_PHONE_NAMES = 5
"""A telephone number given by more than this many differently named people says nothing about any of them.

Families share a number (10-25 % of records, up to five names); a village official's stands on 20 to 200 people.
"""

PLACEHOLDER_BIRTHS = ("1899-12-30", "1899-12-31", "1900-01-01")
"""Dates that old systems write for "not known"."""

NAME_COLUMNS = (
    "name_key",
    "name_parts",
    "name_aliases",
    "name_sounds",
    "name_has_wildcard",
    "name_is_newborn",
)


@cache
def _readings() -> dict[str, str]:
    """Every Han character with its first reading, toneless, ü as v, followed by a blank."""
    from pypinyin.pinyin_dict import pinyin_dict

    found = {}
    for code, spoken in pinyin_dict.items():
        parts = unicodedata.normalize("NFD", spoken.split(",")[0])
        # Taken apart, ü is u with a diaeresis, before or after the tone.
        plain = "".join(c for c in parts if not unicodedata.combining(c))
        found[chr(code)] = (plain.replace("u", "v") if "\u0308" in parts else plain) + " "
    return found


@cache
def _surname_readings() -> pl.DataFrame:
    """Surname -> up to three readings: the right one, other right ones, and what a clerk may read by default."""
    table = pl.read_csv(REFERENCE / "surname_readings.csv").with_columns(
        pl.concat_list(
            pl.col("reading").str.split("|"),
            pl.col("other_readings").fill_null("").str.split("|"),
            pl.col("library_default").str.split("|"),
        )
        .list.set_difference([""])
        .list.unique(maintain_order=True)
        .alias("readings")
    )
    return table.select(
        "surname",
        *(pl.col("readings").list.get(i, null_on_oob=True).alias(f"_reading_{i}") for i in range(3)),
    )


def name_forms(names: pl.Series) -> pl.DataFrame:
    """Comparing forms of distinct names.

    Columns: `name` as given; `name_key` (width, case, script and variants folded, without dots, blanks and notes; null
    when there is no name or only "newborn of ..."); `name_parts` (parts between dots, folded, sorted, joined by
    U+00B7; null for undivided names); `name_aliases` (folded names found in notes); `name_sounds` (set of toneless
    readings, the surname by its own table); `name_has_wildcard`; `name_is_newborn`.
    """
    frame = names.drop_nulls().unique().sort().alias("name").to_frame()
    found = bare_names(frame["name"])
    bare = pl.col("bare")
    frame = found.select(
        pl.col("cell").alias("name"),
        pl.when("is_name").then(bare.str.replace_all(JOINTS, "")).alias("name_key"),
        pl.col("is_newborn").alias("name_is_newborn"),
        bare.str.contains(WILDCARD, literal=True).alias("name_has_wildcard"),
        pl.when("is_divided")
        .then(bare.str.replace_all(r"[·\s]+", "·"))
        .str.split("·")
        .list.sort()
        .list.join("·")
        .alias("name_parts"),
        pl.col("aliases").alias("name_aliases"),
    )
    sounds = _sounds(frame["name_key"])
    return frame.join(sounds, on="name_key", how="left", maintain_order="left").select("name", *NAME_COLUMNS)


def _sounds(keys: pl.Series) -> pl.DataFrame:
    """Name keys with the set of their toneless readings; readings of the surname come from the surname table."""
    frame = keys.drop_nulls().unique().sort().alias("name_key").to_frame()
    table = _surname_readings()
    compound = table.filter(pl.col("surname").str.len_chars() == 2)
    frame = frame.with_columns(
        # A character may stand as its pinyin: 孙JING华.
        replaced(frame["name_key"].str.replace_all("([A-Z]+)", "${1} "), _readings())
        .str.to_lowercase()
        .str.strip_chars()
        .alias("_plain"),
        pl.when(
            pl.col("name_key").str.slice(0, 2).is_in(compound["surname"].to_list())
            & (pl.col("name_key").str.len_chars() > 2)
        )
        .then(pl.col("name_key").str.slice(0, 2))
        .otherwise(pl.col("name_key").str.slice(0, 1))
        .alias("surname"),
    ).join(table, on="surname", how="left", maintain_order="left")
    rest = pl.col("_plain").str.split(" ").list.slice(pl.col("surname").str.len_chars()).list.join(" ")
    frame = frame.with_columns(rest.alias("_rest"))
    ways = [
        pl.when(pl.col(f"_reading_{i}").is_not_null())
        .then(pl.concat_str(f"_reading_{i}", pl.lit(" "), "_rest").str.strip_chars())
        .alias(f"_way_{i}")
        for i in range(3)
    ]
    return frame.with_columns(ways).select(
        "name_key",
        pl.concat_list("_plain", *(f"_way_{i}" for i in range(3)))
        .list.drop_nulls()
        .list.unique()
        .list.sort()
        .alias("name_sounds"),
    )


def id_forms(numbers: pl.Series, as_of: date | None = None) -> pl.DataFrame:
    """Comparing forms of distinct identity numbers. A number whose holder is not born on `as_of` is not valid.

    Columns: `number` as given; `id_kind` (valid18, valid15, masked, foreign, invalid); `id_key`, the form that may
    name a person: the 18-character number, the 18-character form of a 15-digit one, or "F:" and a foreign
    document number; null for masked and invalid numbers. `id_birth_date`, `id_sex` only for valid numbers.
    """
    frame = numbers.drop_nulls().unique().sort().alias("number").to_frame()
    number = pl.col("number")
    is_old = number.str.contains(r"^[0-9]{15}$") & resident_id.birth_date_of(number).is_not_null()
    frame = frame.with_columns(
        pl.when(resident_id.resident_id_is_valid(number, as_of))
        .then(pl.lit("valid18"))
        .when(is_old)
        .then(pl.lit("valid15"))
        .when(number.str.contains(r"[*＊?]|[0-9]X{2,}[0-9]"))
        .then(pl.lit("masked"))
        .when(number.str.contains(r"^[A-Z]{1,3}[0-9]{6,12}[0-9A-Z]{0,3}$"))
        .then(pl.lit("foreign"))
        .otherwise(pl.lit("invalid"))
        .alias("id_kind")
    )
    resident = pl.col("id_kind").is_in(["valid18", "valid15"])
    return frame.with_columns(
        pl.when(resident)
        .then(resident_id.upgrade_15_to_18(number))
        .when(pl.col("id_kind") == "foreign")
        .then(pl.lit("F:") + number)
        .alias("id_key"),
        pl.when(resident).then(resident_id.birth_date_of(number)).alias("id_birth_date"),
        pl.when(resident).then(resident_id.sex_of(number)).alias("id_sex"),
    )


def phone_forms(phones: pl.Series) -> pl.DataFrame:
    """Comparing forms of distinct telephone numbers: `phone`, `phone_key` (digits), `phone_class`.

    Classes: mobile, landline, masked, invalid. Only the first two have a key.
    """
    frame = phones.drop_nulls().unique().sort().alias("phone").to_frame()
    text = pl.col("phone").str.normalize("NFKC")
    digits = text.str.replace_all(r"\D", "").str.replace(r"^(?:0086|86)(1\d{10})$", "${1}")
    frame = frame.with_columns(digits.alias("_digits"))
    frame = frame.with_columns(
        pl.when(text.str.contains(r"[*xX]"))
        .then(pl.lit("masked"))
        .when(pl.col("_digits").str.contains(r"^1[3-9]\d{9}$"))
        .then(pl.lit("mobile"))
        .when(pl.col("_digits").str.contains(r"^(?:0\d{2,3})?[2-8]\d{6,7}$"))
        .then(pl.lit("landline"))
        .otherwise(pl.lit("invalid"))
        .alias("phone_class")
    )
    # 13800000000 and 2222222 are fillers.
    filler = pl.col("_digits").str.contains(r"0{7}|1{7}|2{7}|3{7}|4{7}|5{7}|6{7}|7{7}|8{7}|9{7}")
    usable = pl.col("phone_class").is_in(["mobile", "landline"]) & ~filler
    return frame.select("phone", pl.when(usable).then(pl.col("_digits")).alias("phone_key"), "phone_class")


def normalise(identities: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Identities with comparing forms as of a day beside the columns as accepted; same rows, same order.

    Added: `id_kind`, `id_key`, `former_id_key`, the columns of `name_forms`, `former_name_key`, `birth` (day) and
    `birth_basis` (`resident_id`, `stated`), `birth_stated`, `sex_known`, `phone_key`, `phone_class`, `township`.
    A birth date inside a valid number is not independent evidence of a stated one: `birth_basis` says which it is.
    """
    ids = id_forms(pl.concat([identities["resident_id"], identities["former_resident_id"]]), as_of)
    names = name_forms(pl.concat([identities["person_name"], identities["former_name"]]))
    phones = phone_forms(identities["phone"])
    joined = (
        identities.join(ids, left_on="resident_id", right_on="number", how="left", maintain_order="left")
        .join(
            ids.select(pl.col("number").alias("former_resident_id"), pl.col("id_key").alias("former_id_key")),
            on="former_resident_id",
            how="left",
            maintain_order="left",
        )
        .join(names, left_on="person_name", right_on="name", how="left", maintain_order="left")
        .join(
            names.select(pl.col("name").alias("former_name"), pl.col("name_key").alias("former_name_key")),
            on="former_name",
            how="left",
            maintain_order="left",
        )
        .join(phones, on="phone", how="left", maintain_order="left")
    )
    stated = pl.when(~pl.col("birth_date").cast(pl.String).is_in(PLACEHOLDER_BIRTHS)).then("birth_date")
    return joined.with_columns(
        stated.alias("birth_stated"),
        pl.coalesce("id_birth_date", stated).alias("birth"),
        pl.when(pl.col("id_birth_date").is_not_null())
        .then(pl.lit("resident_id"))
        .when(stated.is_not_null())
        .then(pl.lit("stated"))
        .alias("birth_basis"),
        pl.coalesce("sex", "id_sex").alias("sex_known"),
        pl.when(pl.col("village_code").str.len_chars() >= 9)
        .then(pl.col("village_code").str.slice(0, 9))
        .when(pl.col("division_code").str.len_chars() >= 9)
        .then(pl.col("division_code").str.slice(0, 9))
        .alias("township"),
        pl.col("household_no").str.strip_chars_start("0").replace("", None).alias("household_key"),
    ).drop("id_birth_date")


def birth_interval(day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """First and last day on which somebody was born: `day`, or by the age in its stead (`age` in years on `as_of`).

    A person of 70 was born in the year that ended 70 years ago; by nominal age (虚岁) a year or two later. The age counts
    where no birth date is stated (`birth_stated`).
    """
    as_of = pl.col("as_of")
    has_age = pl.col("age").is_not_null() & as_of.is_not_null() & pl.col("birth_stated").is_null()
    born_by = as_of.dt.offset_by(pl.format("-{}y", pl.col("age").fill_null(0)))
    low = born_by.dt.offset_by("-1y") + pl.duration(days=1)
    return pl.when(has_age).then(low).otherwise(day), pl.when(has_age).then(born_by).otherwise(day)


def generic_phones(forms: pl.DataFrame) -> pl.Series:
    """Telephone keys that stand beside more than `GENERIC_PHONE_NAMES` different names, sorted."""
    return (
        forms.lazy()
        .filter(pl.col("phone_key").is_not_null() & pl.col("name_key").is_not_null())
        .group_by("phone_key")
        .agg(pl.col("name_key").n_unique().alias("names"))
        .filter(pl.col("names") > GENERIC_PHONE_NAMES)
        .select(pl.col("phone_key").sort())
        .collect()
        .to_series()
    )
