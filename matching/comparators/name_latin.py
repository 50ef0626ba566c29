"""Names in Latin letters: a character that stands as its pinyin, whole names in pinyin, foreign names.

Frames of pairs have the columns row, left, right (comparing forms: upper case, single blanks), as in `name_long`.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.process import cpdist

from matching.comparators import name_tables as tables
from matching.comparators.name_long import CHOICE_BITS, LIKE, Candidate
from matching.comparators.name_population import LETTER_BITS, Frequencies, letters_of
from matching.comparators.name_sounds import GIVEN, SURNAME, readings, syllables

LONGEST = 6
"""Names of more characters are not romanised."""
FORMS = {"surname first": 0.6, "given name first": 0.3, "given name as initials": 0.05, "initials": 0.05}
"""How a Chinese name stands in Latin letters; assumed."""
PLAIN_U = 0.3
"""Share of ü (v in readings) written as u; assumed."""
TURNED_AT_LEAST = 6
"""Letters of a name that is run together and may stand in another order."""
_WHOLE = r"^[A-Z ,.'·-]+$"


def explained(pairs: pl.DataFrame, frequencies: Frequencies) -> list[Candidate]:
    """Every way in which a rule of this module explains a pair of which one side or both has Latin letters."""
    if pairs.is_empty():
        return []
    whole_l, whole_r = pl.col("left").str.contains(_WHOLE), pl.col("right").str.contains(_WHOLE)
    none_l = ~pl.col("left").str.contains("[A-Z]")
    none_r = ~pl.col("right").str.contains("[A-Z]")
    found = _foreign(pairs.filter(whole_l & whole_r))
    found.append(_romanised(pairs.filter(none_l & whole_r), "left", "right"))
    found.append(_guessed(_romanised(pairs.filter(whole_l & none_r), "right", "left"), pairs, frequencies))
    found.append(_pinyin(pairs.filter(none_l & ~none_r), "left", "right"))
    backwards = _pinyin(pairs.filter(~none_l & none_r), "right", "left")
    found.append(_guessed(backwards, pairs, frequencies, places=1))
    return found


def _foreign(pairs: pl.DataFrame) -> list[Candidate]:
    """Two names in Latin letters: parts in another order, parts missing, similar letters."""
    frame = pairs.with_columns(
        l=pl.col("left").str.extract_all("[A-Z]+"), r=pl.col("right").str.extract_all("[A-Z]+")
    )
    size_l, size_r = pl.col("l").list.len(), pl.col("r").list.len()
    together = pl.col("l").list.join("") == pl.col("r").list.join("")
    ordered = pl.col("l").list.sort() == pl.col("r").list.sort()
    common = pl.col("l").list.set_intersection(pl.col("r")).list.len()
    inside = (common == pl.min_horizontal(size_l, size_r)) & (size_l != size_r)
    letters_l, letters_r = pl.col("l").list.join(""), pl.col("r").list.join("")
    # Of one that is run together it is not known where a part ends.
    length = letters_l.str.len_chars()
    turned = (
        (length == letters_r.str.len_chars())
        & (length >= TURNED_AT_LEAST)
        & (letters_l + letters_l).str.contains(letters_r, literal=True)
    )
    run = frame.filter(turned & ~together & ~ordered)
    like = frame.filter(~together & ~ordered & ~turned)
    a, b = like["l"].list.join("").to_list(), like["r"].list.join("").to_list()
    ratio = cpdist(a, b, scorer=Indel.normalized_similarity, dtype=np.float32)
    edits = cpdist(a, b, scorer=Levenshtein.distance, dtype=np.int32)
    cost = pl.Series(CHOICE_BITS + (LETTER_BITS + 2) * edits, dtype=pl.Float64)
    return [
        ("exact", frame.filter(together).select("row", log2_p=pl.lit(0.0))),
        ("order", frame.filter(ordered & ~together).select("row", log2_p=-size_l.cast(pl.Float64).log(2.0))),
        ("order", run.select("row", log2_p=-(length - 1).cast(pl.Float64).log(2.0))),
        (
            "part",
            frame.filter(inside & ~together).select("row", log2_p=-CHOICE_BITS - (size_l + size_r).log(2.0)),
        ),
        ("spelling", like.select("row", log2_p=-cost).filter(pl.Series(ratio >= LIKE, dtype=pl.Boolean))),
    ]


def _surname_length(name: pl.Expr) -> pl.Expr:
    is_compound = name.str.slice(0, 2).is_in(tables.compound_surnames().implode()) & (
        name.str.len_chars() > 2
    )
    return pl.when(is_compound).then(2).otherwise(1)


def romanised(names: pl.Series) -> pl.DataFrame:
    """Names in Han characters in Latin letters: columns name, letters, weight (over all ways of writing: 1 or less)."""
    spoken = readings().with_columns(pl.col("reading").str.to_uppercase())
    compound = tables.table("surname_readings").filter(pl.col("surname").str.len_chars() == 2)
    known = compound.select(head="surname", said=pl.col("reading").str.to_uppercase().str.split(" "))
    frame = (
        names.unique()
        .sort()
        .alias("name")
        .to_frame()
        .filter(pl.col("name").str.len_chars().is_between(2, LONGEST))
        .with_columns(
            head_size=_surname_length(pl.col("name")),
            surname=pl.lit(""),
            given=pl.lit(""),
            first=pl.lit(""),
            weight=1.0,
        )
        .with_columns(head=pl.when(pl.col("head_size") == 2).then(pl.col("name").str.slice(0, 2)))
        .join(known, on="head", how="left", maintain_order="left")
    )
    done = []
    for at in range(LONGEST):
        size = pl.col("name").str.len_chars()
        done.append(frame.filter(size == at).drop("said", "head"))
        frame = frame.filter(size > at)
        if frame.is_empty():
            break
        slot = SURNAME if at == 0 else GIVEN
        here = spoken.filter(pl.col("slot") == slot).select(char="char", reading="reading", share="weight")
        in_surname = pl.lit(at) < pl.col("head_size")
        by_table = pl.col("said").list.get(at, null_on_oob=True)
        frame = (
            frame.with_columns(char=pl.col("name").str.slice(at, 1))
            .join(here, on="char", how="inner", maintain_order="left")
            .with_columns(reading=pl.coalesce(by_table, "reading"))
            .select(
                "name",
                "head_size",
                "head",
                "said",
                surname=pl.when(in_surname).then(pl.col("surname") + pl.col("reading")).otherwise("surname"),
                given=pl.when(in_surname).then("given").otherwise(pl.col("given") + pl.col("reading")),
                first=pl.when(in_surname)
                .then("first")
                .otherwise(pl.col("first") + pl.col("reading").str.slice(0, 1)),
                weight=pl.col("weight") * pl.col("share"),
            )
        )
    done.append(frame.drop("said", "head"))
    spelt = pl.concat([d.select("name", "surname", "given", "first", "weight") for d in done])
    ways = _forms(spelt).group_by("name", "letters").agg(pl.col("weight").sum())
    return ways.with_columns(pl.col("weight").clip(upper_bound=1.0).round(12))


def _forms(spelt: pl.DataFrame) -> pl.DataFrame:
    """The ways in which names with the columns surname, given, first (initials of given), weight stand in letters.

    Column letters in place of the three; the other columns stay, weight is shared out.
    """
    surname, given, first = pl.col("surname"), pl.col("given"), pl.col("first")
    written = (surname + given, given + surname, surname + first, surname.str.slice(0, 1) + first)
    every = pl.concat(
        [
            spelt.with_columns(letters=form, weight=pl.col("weight") * share).drop(
                "surname", "given", "first"
            )
            for form, share in zip(written, FORMS.values(), strict=True)
        ]
    )
    has_v = every.filter(pl.col("letters").str.contains("V", literal=True))
    return pl.concat(
        [
            every,
            has_v.with_columns(
                pl.col("letters").str.replace_all("V", "U"), weight=pl.col("weight") * PLAIN_U
            ),
        ]
    )


def usual_letters(counts: pl.DataFrame, asked: pl.Series) -> pl.DataFrame:
    """People by what their names are in Latin letters, every character by its usual reading alone: letters, count.

    `asked`: the letters to be counted. `counts`: name, count of names in Han characters; longer ones than `LONGEST` are left out.
    """
    size = _surname_length(pl.col("name"))
    frame = counts.filter(pl.col("name").str.len_chars().is_between(2, LONGEST)).select(
        "count", head=pl.col("name").str.slice(0, size), given=pl.col("name").str.slice(size)
    )
    usual = readings().filter(pl.col("place") == 0).with_columns(pl.col("reading").str.to_uppercase())
    compound = tables.table("surname_readings").filter(pl.col("surname").str.len_chars() == 2)
    whole = compound.select("surname", pl.col("reading").str.to_uppercase().str.replace_all(" ", ""))

    def spoken(text: pl.Series, slot: int, letters: pl.Expr) -> pl.DataFrame:
        own = usual.filter(pl.col("slot") == slot).select("char", said=letters)
        words = (
            pl.concat([whole, own.rename({"char": "surname", "said": "reading"})]) if slot == SURNAME else own
        )
        distinct = text.unique().sort()
        replaced = distinct.str.replace_many(
            words.to_series(0).to_list(), words.to_series(1).to_list(), leftmost=True
        )
        return pl.DataFrame({"text": distinct, "said": replaced})

    reading, initial = pl.col("reading"), pl.col("reading").str.slice(0, 1)
    for name, column, slot, letters in (
        ("surname", "head", SURNAME, reading),
        ("first", "given", GIVEN, initial),
        ("given", "given", GIVEN, reading),
    ):
        said = spoken(frame[column], slot, letters).rename({"text": column, "said": f"_{name}"})
        frame = frame.join(said, on=column, how="left", maintain_order="left")
    spelt = frame.select(surname="_surname", given="_given", first="_first", weight="count")
    # Thousandths add up to the same sum in any order.
    thousandths = (pl.col("weight") * 1000).round().cast(pl.Int64).sum()
    found = _forms(spelt).filter(pl.col("letters").is_in(asked.unique().implode()))
    return found.group_by("letters").agg(count=thousandths / 1000)


def _romanised(pairs: pl.DataFrame, han: str, latin: str) -> Candidate:
    """The whole name in pinyin, surname first or last, or initials: log2 P(letters | characters)."""
    if pairs.is_empty():
        return "latin", pairs.select("row", log2_p=pl.lit(0.0))
    ways = romanised(pairs[han]).with_columns(log2_p=pl.col("weight").log(2.0))
    found = pairs.with_columns(letters=letters_of(pl.col(latin))).join(
        ways, left_on=[han, "letters"], right_on=["name", "letters"], how="inner", maintain_order="left"
    )
    return "latin", found.select("row", "log2_p")


def _pinyin(pairs: pl.DataFrame, han: str, mixed: str) -> Candidate:
    """One character stands as its pinyin: log2 P(pinyin | character)."""
    if pairs.is_empty():
        return "pinyin", pairs.select("row", log2_p=pl.lit(0.0))
    run = pl.col(mixed).str.extract_groups(r"^([^A-Z]*)([A-Z]+)([^A-Z]*)$")
    before, after = run.struct.field("1"), run.struct.field("3")
    at = before.str.len_chars()
    found = (
        pairs.with_columns(
            char=pl.col(han).str.slice(at, 1),
            reading=run.struct.field("2").str.to_lowercase(),
            slot=pl.when(at == 0).then(SURNAME).otherwise(GIVEN),
        )
        .filter(
            (before.str.len_chars() + after.str.len_chars() > 0)
            & (pl.col(han).str.slice(0, at) == before)
            & (pl.col(han).str.slice(at + 1) == after)
        )
        .join(readings(), on=["char", "slot", "reading"], how="inner", maintain_order="left")
    )
    size = pl.col(han).str.len_chars()
    return "pinyin", found.select("row", log2_p=pl.col("weight").log(2.0) - size.log(2.0))


def _guessed(
    candidate: Candidate, pairs: pl.DataFrame, frequencies: Frequencies, places: int = LONGEST
) -> Candidate:
    """The letters stand on the left: what is on the right must also be the characters meant, out of all of that sound.

    `places`: how many characters at most stand as letters.
    """
    kind, found = candidate
    frame = found.join(pairs, on="row", how="left", maintain_order="left")
    if frame.is_empty():
        return candidate
    char = (
        frame.with_columns(char=pl.col("right").str.split(""))
        .explode("char")
        .with_columns(at=pl.int_range(pl.len()).over("row"))
        .filter(~pl.col("left").str.contains(pl.col("char"), literal=True))
        .with_columns(slot=pl.when(pl.col("at") == 0).then(SURNAME).otherwise(GIVEN))
    )
    usual = readings().filter(pl.col("place") == 0).select("char", "slot", "reading")
    char = char.join(usual, on=["char", "slot"], how="left", maintain_order="left")
    slot = char["slot"].to_numpy()
    own = frequencies.chance[slot, tables.codes(char["char"]).flat]
    said = np.searchsorted(np.array(syllables()), char["reading"].fill_null("").to_numpy().astype(str))
    group = frequencies.sounds.spoken[slot, np.minimum(said, len(syllables()) - 1)]
    share = char.with_columns(share=pl.Series(np.log2(np.minimum(own / np.maximum(group, own), 1.0))))
    cost = share.group_by("row").agg(pl.col("share").sort().head(places).sum())
    return kind, frame.join(cost, on="row", how="left", maintain_order="left").select(
        "row", log2_p=pl.col("log2_p") + pl.col("share").fill_null(0.0)
    )
