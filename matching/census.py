"""How common names, birth dates, places and telephones are, as counted on one day: the measure of weights until the next count.

A weight says how rare what agrees is in the whole county. Were that counted anew every night, every weight would change
with every birth, and all that is open would have to be weighed again. So the persons of one night are kept to count
among; who is a candidate is asked of tonight's persons. What is weighed belongs in `residue`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

import polars as pl

from matching import software
from matching.model import Model

PEOPLE = pl.Schema({"node": pl.String(), "birth": pl.Date(), "sex": pl.String(), "place": pl.String()})
TRAITS = pl.Schema({"node": pl.String(), "kind": pl.String(), "value": pl.String()})
"""What a person may have several of: names by kind (see `records`), telephones (phone), households (household)."""


@dataclass(frozen=True)
class People:
    """The persons of the passes as the engine sees them: `people` (`PEOPLE`), `traits` (`TRAITS`), ordered by node."""

    people: pl.DataFrame
    traits: pl.DataFrame


MARK = pl.Schema({"taken_on": pl.Date(), "weighed_with": pl.String()})

OTHERS_SINCE = 0.05
"""A count is taken anew when so many of tonight's persons were not counted, or of the counted are no more: a large
delivery, the first night of another township. Assumed; frequencies of names move far less."""


@dataclass(frozen=True)
class Census:
    """The persons of the night `taken_on`, and what weighed them: a digest of the software and of its rates."""

    FRAMES: ClassVar[tuple[str, ...]] = ("census", "census_people", "census_traits")

    people: People
    taken_on: date
    weighed_with: str

    @classmethod
    def taken(cls, people: People, as_of: date, model: Model) -> Self:
        """Of tonight's persons."""
        return cls(people, as_of, weighed_with(model))

    def frames(self) -> dict[str, pl.DataFrame]:
        """As stored beside the state."""
        mark = pl.DataFrame([(self.taken_on, self.weighed_with)], schema=MARK, orient="row")
        return dict(zip(self.FRAMES, (mark, self.people.people, self.people.traits), strict=True))

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame]) -> Self:
        """From what `frames` gave."""
        taken_on, mark = frames["census"].row(0)
        return cls(People(frames["census_people"], frames["census_traits"]), taken_on, mark)

    def is_due(self, tonight: People, as_of: date, model: Model) -> bool:
        """Whether a new count is taken: in another month than this one, when many are other people, with other rates."""
        if self.weighed_with != weighed_with(model) or (as_of.year, as_of.month) != (
            self.taken_on.year,
            self.taken_on.month,
        ):
            return True
        then, now = self.people.people["node"], tonight.people["node"]
        both = int(now.is_in(then.implode()).sum())
        return max(len(now), len(then)) - both > OTHERS_SINCE * max(len(now), 1)


def weighed_with(model: Model) -> str:
    """A digest of the rates and of the software: after a change of either everything that is open is weighed anew."""
    return hashlib.sha256(
        (software.digest() + repr((model.rates, model.in_registry, model.namesakes))).encode()
    ).hexdigest()
