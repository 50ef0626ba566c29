"""What the night weighs: right, for review where it is not sure, silent about numbers, and the same as a rebuild."""

from __future__ import annotations

from datetime import timedelta
from functools import cache, partial

import polars as pl
import pytest

from matching import blocking, engine, residue, spine
from tests.matching import world
from tests.matching.test_spine_laws import partition


def everything(people: int, seed: int) -> pl.DataFrame:
    """The sources of the world, and one that mostly lacks numbers and misspells every name that it can."""
    known = world.population(people, seed)
    rough = world.extract(known, "ca_cremation", 4, seed + 9, share=0.4, missing=0.8, misspelt=1.0)
    # Half of them say no village.
    rough = rough.with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0).then("village_code").alias("village_code")
    )
    return pl.concat([world.records(known, seed), rough])


@cache
def county(seed: int) -> tuple[pl.DataFrame, spine.SpineResult]:
    records = everything(1200, seed)
    return records, spine.resolve(records.drop("true_person_id"), None, None, world.FIRST_DAY)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_weighed(seed: int) -> None:
    records, result = county(seed)
    weighed = result.weighed
    assert weighed is not None
    assert weighed.schema == residue.WEIGHED
    assert weighed["identity_key"].is_unique().all()
    assert len(weighed) > 20
    assert set(weighed["grade"]) <= {"B", "C"}
    assert set(weighed["pass_id"]) <= {"MB", "MC"}
    assert (weighed["probability"].filter(weighed["pass_id"] == "MB") >= residue.STRONG).all()
    # Each is an identity that no pass settled, linked to a person of the passes.
    links = result.links.join(weighed, on="identity_key", suffix="_w")
    assert links.filter(pl.col("pass_id").is_in(["MB", "MC"])).height > 20
    nodes = set(result.persons["spine_key"])
    assert set(weighed["node"]) <= nodes
    # Strong ones are right; of those for review most are.
    number = records.filter(pl.col("source_class") == "ps_resident").select(
        "true_person_id", node="resident_id"
    )
    truth = weighed.join(records.select("identity_key", "true_person_id"), on="identity_key").join(
        number, on="node", how="left", suffix="_node"
    )
    is_right = (pl.col("true_person_id") == pl.col("true_person_id_node")).fill_null(False)
    per_grade = dict(truth.group_by("grade").agg(is_right.mean()).iter_rows())
    assert per_grade["B"] == 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_reasons_hold_no_number_and_no_name(seed: int) -> None:
    records, result = county(seed)
    assert result.weighed is not None
    texts = [c for c, kind in result.weighed.schema.items() if kind == pl.String and c.endswith("_zh")]
    assert texts
    names = set(records["person_name"].drop_nulls())
    for column in texts:
        reasons = result.weighed[column]
        assert reasons.is_not_null().all()
        assert reasons.str.contains("姓名").any()
        assert not reasons.str.contains(r"\d{5}").any()
        assert not reasons.str.contains_any(sorted(names)).any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nights_weigh_what_a_rebuild_weighs(seed: int) -> None:
    identities = everything(700, seed).drop("true_person_id")
    rng = pl.Series(range(len(identities))).sample(fraction=1.0, shuffle=True, seed=seed)
    result: spine.SpineResult | None = None
    for night in range(3):
        tonight = identities.filter(rng % 10 != night)
        day = world.FIRST_DAY + timedelta(days=night)
        result = spine.resolve(tonight, result, None, day)
        rebuilt = spine.resolve(tonight, None, None, day, census=result.census)
        assert result.weighed is not None
        assert rebuilt.weighed is not None
        assert len(result.weighed) > 5
        assert result.weighed.equals(rebuilt.weighed)
        assert partition(result) == partition(rebuilt)


def test_pairs_lost_to_large_blocks_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    records, whole = county(1)
    monkeypatch.setattr(engine, "meet", partial(blocking.meet, most=5))
    capped = spine.resolve(records.drop("true_person_id"), None, None, world.FIRST_DAY)
    assert whole.blocks["key"].is_unique().all()
    assert whole.blocks["pairs"].sum() > len(whole.weighed if whole.weighed is not None else [])
    both = whole.blocks.join(capped.blocks, on="key", suffix="_capped")
    assert both.height == whole.blocks.height
    # The keys of the first stage are asked for the same records.
    first = both.filter(pl.col("key") == "name+birth").row(0, named=True)
    assert (first["lost_pairs"], first["lost_rows"]) == (0, 0)
    assert first["lost_rows_capped"] > 0
    assert first["pairs_capped"] <= 5
    assert first["pairs_capped"] + first["lost_pairs_capped"] == first["pairs"]
    assert first["rows_capped"] + first["lost_rows_capped"] == first["rows"]
    quiet = spine.resolve(records.drop("true_person_id"), capped, None, world.FIRST_DAY + timedelta(days=1))
    assert quiet.blocks.is_empty()


def test_a_county_too_small_to_know_its_names_is_left_to_the_passes() -> None:
    identities = world.records(world.population(200, 5), 5).drop("true_person_id")
    result = spine.resolve(identities, None, None, world.FIRST_DAY)
    assert result.weighed is not None
    assert result.weighed.is_empty()
    assert len(result.links) > 200


def test_a_relative_s_number_does_not_bring_the_relative_s_birthday() -> None:
    """Twenty records under their own name and birth date, with the number of another of the household."""
    records = world.records(world.population(3000, 1), 1)
    given, numbers = world.with_relatives_numbers(records, 20)
    own = {key: number for key, (number, _) in numbers.items()}
    assert len(own) == 20
    result = spine.resolve(pl.concat([records, given]).drop("true_person_id"), None, None, world.FIRST_DAY)
    weighed = result.weighed.filter(pl.col("identity_key").is_in(list(own)) & (pl.col("grade") == "B"))
    assert weighed.height >= 15
    assert [own[key] for key in weighed["identity_key"]] == weighed["node"].to_list()
