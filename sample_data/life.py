"""Twenty-four months in the lives of the people of a shard: the chapters in their order, and the world that comes out.

Each chapter (`family.py`, `work.py`, ...) writes what its departments record. Planted situations are chosen first,
so that no chance event touches them. Life besides them goes on at natural rates and raises true warnings of its own.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from sample_data import (
    belongings,
    care,
    family,
    planted,
    planted_checks,
    planted_needs,
    planted_policies,
    welfare,
    work,
)
from sample_data.population import People, first_day
from sample_data.world import DEPARTMENT_TABLES, Book, World, book_of

__all__ = ["DEPARTMENT_TABLES", "World", "live"]

PERSON_COLUMNS = (
    "true_person_id",
    "is_registered",
    "is_outsider",
    "resident_id",
    "former_resident_id",
    "id_changed_on",
    "id15",
    "name",
    "former_name",
    "name_changed_on",
    "newborn_name",
    "name_spellings",
    "sex",
    "birth_date",
    "ethnic",
    "hukou_no",
    "urban_rural",
    "village_code",
    "reg_address",
    "register_division",
    "live_village_code",
    "live_division",
    "live_address",
    "phone",
    "account_no",
    "bank",
    "psn_no",
    "education",
    "marital",
    "twin_group",
    "planted",
    "death_date",
    "birth_known_on",
    "true_household_id",
)
SITUATION_TYPES = {
    "situation_id": pl.Int64,
    "rule_id": pl.String,
    "true_household_id": pl.Int64,
    "true_person_id": pl.Int64,
    "expectation": pl.String,
    "visible_on": pl.Date,
    "case_no": pl.String,
    "kind": pl.String,
    "note": pl.String,
}

STORIES = (planted, planted_checks, planted_needs, planted_policies)
"""Modules that plant situations: each registers its kinds when it is imported."""


def live(people: People, start: date, months: int, nights: int) -> World:
    """Live `months` whole months before the month of `start`, and on to the last of `nights` nights.

    Raises ValueError when the people were invented for another first day than `start` and `months` say.
    """
    if people.shard.on != first_day(start, months):
        raise ValueError(f"these people begin on {people.shard.on}, not on {first_day(start, months)}")
    book = book_of(people, start, months, nights)
    told = planted.choose(book)
    learned = planted.fates(book, told)
    family.deaths(book, book.spared)
    family.births(book, book.spared)
    changes = family.marriages(book, book.spared)
    family.moves(book, changes, book.spared)
    known = family.record_deaths(book)
    for row, day in learned.items():
        known[row] = day
    family.permits(book)
    family.register(book, changes, known)
    employers = work.Employers(book)
    spells = work.jobs(book, employers)
    work.write_job_months(book, spells, "life")
    work.other_contributions(book)
    work.pensions(book, spells, known)
    work.joblessness(book, spells)
    work.business(book)
    care.disability(book)
    care.serious_disease(book)
    cases = welfare.select(book)
    welfare.write_cases(book, cases, known)
    asked, refused = welfare.applications(book, cases)
    welfare.monitored(book, cases)
    planted.write(book, told, employers)
    welfare.subsidies(book)
    welfare.relief(book)
    poor = book.aid != "0"
    work.insured(book, spells)
    care.enrolment(book, book.insured_at_work, book.aid)
    care.treatments(book, book.aid)
    care.accidents(book)
    care.custody(book)
    care.schools(book, poor)
    belongings.vehicles(book, poor)
    belongings.dwellings(book, poor)
    belongings.queries(book, asked, refused)
    belongings.fields(book, poor)
    households = family.spells(book, changes)
    return close(book, households)


def close(book: Book, households: pl.DataFrame) -> World:
    """The world as frames."""
    persons = book.frame.with_columns(pl.Series(book.death).cast(pl.Date).alias("death_date")).select(
        PERSON_COLUMNS
    )
    situations = pl.DataFrame(book.situations, schema=SITUATION_TYPES)
    return World(persons.sort("true_person_id"), households, situations, book.tables())
