"""Births, deaths, marriages, moves: what the police, the marriage office, the crematorium and the clinics record."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from sample_data import ids, names, places
from sample_data.ids import Flags, Ints, Texts
from sample_data.population import KA, KB, ORIGINS, text
from sample_data.world import Book, first_of, pick, where

NEVER = np.datetime64("NaT")
DEATHS_PER_YEAR = (
    (0, 0.004),
    (2, 0.0004),
    (15, 0.0003),
    (30, 0.0008),
    (45, 0.0021),
    (55, 0.0048),
    (65, 0.0115),
    (75, 0.033),
    (85, 0.095),
    (95, 0.24),
)


def days(values: Any) -> Any:
    """Numbers as spans of days."""
    return np.asarray(values).astype("timedelta64[D]")


def deaths(book: Book, spared: Flags) -> None:
    """Who dies when, by age. Nobody of a planted family dies by chance."""
    rng = book.rng("deaths")
    yearly = np.interp(book.age0 + 1, [a for a, _ in DEATHS_PER_YEAR], [q for _, q in DEATHS_PER_YEAR])
    wait = rng.exponential(1.0, book.n) / where(book.female, 0.82, 1.18) / yearly * 365.25
    dies = np.isnat(book.death) & (wait < book.days) & ~spared & ~book.outsider
    book.death[dies] = book.t0 + days(wait[dies])


def outsiders(book: Book, n: int, female: Flags, age: Any, name: str) -> Ints:
    """People of elsewhere who enter a record here: spouses, holders. Returns their row numbers."""
    rng = book.rng("outsiders " + name)
    base = book.n
    born = book.t0 - days(
        where(np.asarray(age) < 20.5, 7500 + rng.integers(0, 1500, n), np.asarray(age) * 365.25)
    )
    codes = list(places.all_counties())
    # A shard takes every count-th county, so that no two shards number people of one county.
    codes = codes[book.shard.index :: book.shard.count]
    codes = [c for c in codes if c[:4] not in (places.PREFECTURE, *ORIGINS)]
    area = np.array(codes, dtype=object)[rng.integers(0, len(codes), n)].astype(object)
    surname = names.national_surnames(rng, n)
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    group = np.zeros(n, dtype=np.int64)
    given = names.given_names(rng, female, year, group, np.full(n, "", dtype=object), surname)
    numbers = area.astype(np.int64) if n else np.zeros(0, dtype=np.int64)
    offset = len(book.frame)
    sequence = (numbers * 7 + offset + np.arange(n)) % 380 * 2 + where(female, 2, 1)
    taken = set(book.frame["resident_id"].to_list())
    resident = ids.resident_ids(numbers, born, sequence)
    while len(set(resident)) < n or taken & set(resident):
        clash = (
            np.array([r in taken for r in resident]) | pl.Series(resident.tolist()).is_duplicated().to_numpy()
        )
        born[clash] -= np.timedelta64(1, "D")
        resident = ids.resident_ids(numbers, born, sequence)
    elsewhere = places.all_counties()
    address = [elsewhere[c] + f"{k}号" for c, k in zip(area, rng.integers(1, 300, n), strict=True)]
    person = book.base + base + np.arange(n, dtype=np.int64)
    frame = pl.DataFrame(
        {
            "true_person_id": person,
            "is_registered": np.zeros(n, dtype=bool),
            "is_outsider": np.ones(n, dtype=bool),
            "resident_id": text(resident),
            "id15": text(
                where(born < np.datetime64("1999-10-01"), ids.old_ids(numbers, born, sequence), None)
            ),
            "name": text(surname + given),
            "sex": where(female, "2", "1"),
            "birth_date": pl.Series(born.astype("datetime64[D]")).cast(pl.Date),
            "ethnic": pl.Series(["01"] * n, dtype=pl.String),
            "urban_rural": pl.Series(["9"] * n, dtype=pl.String),
            "reg_address": text(address),
            "register_division": text(area),
            "live_division": text(area),
            "live_address": text(address),
            "phone": text(np.array(["13"], dtype=object) + ids.padded(rng.integers(0, 10**9, n), 9)),
            "account_no": text(np.array(["62103"], dtype=object) + ids.padded(person * 7919 % 10**12, 14)),
            "bank": pl.Series(["103"] * n, dtype=pl.String),
            "psn_no": text(np.array(["1500"], dtype=object) + ids.padded(person + 10**9, 11)),
            "education": pl.Series(["70"] * n, dtype=pl.String),
            "marital": pl.Series(["20"] * n, dtype=pl.String),
            "slot": np.full(n, -1, dtype=np.int64),
            "clan": np.full(n, -1, dtype=np.int64),
            "is_step": np.zeros(n, dtype=bool),
            "is_away": np.ones(n, dtype=bool),
            "is_collective": np.zeros(n, dtype=bool),
            "group": group,
            "surname": text(surname),
        }
    )
    _append(book, frame)
    return np.arange(base, base + n)


def _append(book: Book, frame: pl.DataFrame) -> None:
    missing = [c for c in book.frame.columns if c not in frame.columns]
    frame = frame.with_columns(*(pl.lit(None, dtype=book.frame.schema[c]).alias(c) for c in missing))
    death = book.death
    book.frame = pl.concat([book.frame, frame.select(book.frame.columns).cast(book.frame.schema)])
    old_household = book.household
    book.load()
    book.spared = np.r_[book.spared, np.zeros(book.n - len(book.spared), dtype=bool)]
    book.death[: len(death)] = death
    book.household[: len(old_household)] = old_household


def births(book: Book, spared: Flags) -> Ints:
    """Children born to couples; returns their rows. They are registered some weeks later, a few much later."""
    rng = book.rng("births")
    age = book.age0 + 1
    husband = where(book.spouse >= 0, book.spouse, 0)
    mothers = (
        book.female
        & (book.spouse >= 0)
        & (age > 20)
        & (age < 43)
        & ~spared
        & ~book.outsider
        & np.isnat(book.death)
    )
    mothers &= np.isnat(book.death[husband]) & book.registered
    chance = np.interp(age, [20, 24, 27, 31, 36, 43], [0.045, 0.14, 0.155, 0.10, 0.04, 0.0]) * book.years
    rows = np.flatnonzero(mothers & (rng.random(book.n) < chance))
    n = len(rows)
    twins = np.flatnonzero(rng.random(n) < 0.011)
    rows = np.r_[rows, rows[twins]]
    born = book.day(rng, n)
    born = np.r_[born, born[twins]]
    n = len(rows)
    father = book.spouse[rows]
    female = rng.random(n) < 0.47
    lag = where(rng.random(n) < 0.08, rng.integers(90, 400, n), rng.integers(5, 60, n))
    lead = where(book.registered[father], father, rows)
    frame = book.frame
    pick_rows = lead.tolist()
    parent = frame[pick_rows]
    county = book.county[lead]
    which = {c: (i, k) for c, i, k in book.shard.sharers}
    share = np.array([which[c][0] for c in county], dtype=np.int64)
    sharers = np.array([which[c][1] for c in county], dtype=np.int64)
    area = county.astype(np.int64) if n else np.zeros(0, dtype=np.int64)
    sequence = ids.sequence_numbers(area, born, female, np.ones(n, dtype=bool), share, sharers)
    resident = ids.resident_ids(area, born, sequence)
    father_frame = frame[father.tolist()]
    surname = np.array(father_frame["surname"].to_list(), dtype=object)
    mother_surname = np.array(frame[rows.tolist()]["surname"].to_list(), dtype=object)
    surname = where(rng.random(n) < 0.08, mother_surname, surname)
    group = father_frame["group"].to_numpy()
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    given = names.given_names(rng, female, year, group, np.full(n, "", dtype=object), surname)
    name = names.full_names(rng, surname, given, group, np.full(n, "", dtype=object))
    mother_name = frame[rows.tolist()]["name"].to_list()
    newborn = [m + ("之女" if f else "之子") for m, f in zip(mother_name, female, strict=True)]
    first_twin = np.full(n, -1, dtype=np.int64)
    if len(twins):
        first_twin[twins] = twins
        first_twin[n - len(twins) :] = twins
    base = book.n
    person = book.base + base + np.arange(n, dtype=np.int64)
    child_slot = where(np.isin(book.slot[rows], (7, 8)), KB, KA)
    new = pl.DataFrame(
        {
            "true_person_id": person,
            "is_registered": np.ones(n, dtype=bool),
            "is_outsider": np.zeros(n, dtype=bool),
            "resident_id": text(resident),
            "name": text(name),
            "newborn_name": text(newborn),
            "sex": where(female, "2", "1"),
            "birth_date": pl.Series(born.astype("datetime64[D]")).cast(pl.Date),
            "ethnic": father_frame["ethnic"],
            "hukou_no": parent["hukou_no"],
            "urban_rural": parent["urban_rural"],
            "village_code": parent["village_code"],
            "reg_address": parent["reg_address"],
            "register_division": parent["register_division"],
            "live_village_code": parent["live_village_code"],
            "live_division": parent["live_division"],
            "live_address": parent["live_address"],
            "phone": frame[rows.tolist()]["phone"],
            "account_no": parent["account_no"],
            "bank": parent["bank"],
            "psn_no": text(np.array(["1509"], dtype=object) + ids.padded(person + 10**9, 11)),
            "education": pl.Series(["90"] * n, dtype=pl.String),
            "marital": pl.Series(["10"] * n, dtype=pl.String),
            "twin_group": pl.Series(where(first_twin >= 0, book.base + base + first_twin, -1)).replace(
                -1, None
            ),
            "birth_known_on": pl.Series((born + days(lag)).astype("datetime64[D]")).cast(pl.Date),
            "true_household_id": frame[rows.tolist()]["true_household_id"],
            "slot": child_slot,
            "clan": frame[rows.tolist()]["clan"],
            "father": book.ref(father),
            "mother": book.ref(rows),
            "is_step": np.zeros(n, dtype=bool),
            "is_away": frame[rows.tolist()]["is_away"],
            "is_collective": parent["is_collective"],
            "group": group,
            "surname": text(surname),
        }
    )
    _append(book, new)
    children = np.arange(base, base + n)
    book.write(
        "hl_birth_death_cert",
        born + days(rng.integers(3, 21, n)),
        cert_type="1",
        cert_no=ids.padded(person % 10**9, 10),
        person=children,
        event_date=born,
        mother_person=rows,
        father_person=where(rng.random(n) < 0.95, father, -1),
        issue_org="乌兰察布市妇幼保健院",
    )
    book.write(
        "ps_hukou_event",
        born + days(lag),
        event_id=event_numbers(book, children, "1"),
        person=children,
        event_type="1",
        event_date=born + days(lag),
        to_division=county,
        reason="出生登记",
    )
    return children


def event_numbers(book: Book, rows: Any, kind: str) -> Texts:
    """Running numbers of the household register."""
    return np.array(["HK" + kind], dtype=object) + ids.padded(np.asarray(rows) + book.base, 12)


def record_deaths(book: Book) -> Any:
    """Register, crematorium and clinic learn of the deaths, each in its own time. Returns the register's day."""
    rng = book.rng("death records")
    n = book.n
    dead = np.flatnonzero(~np.isnat(book.death) & ~book.outsider & ~book.spared)
    died = book.death[dead]
    m = len(dead)
    u = rng.random(m)
    lag = where(
        u < 0.15, rng.integers(2, 8, m), where(u < 0.85, rng.integers(8, 60, m), rng.integers(60, 500, m))
    )
    cancel = died + days(lag)
    registered = book.registered[dead]
    shown = pick(rng, ["true", "equal", "none"], [0.87, 0.08, 0.05], m)
    date_shown = where(shown == "true", died, where(shown == "equal", cancel, NEVER)).astype("datetime64[D]")
    reasons = pick(rng, ["疾病", "衰老", "意外", None], [0.55, 0.25, 0.05, 0.15], m)
    at = registered
    book.write(
        "ps_death",
        cancel[at],
        person=dead[at],
        death_date=date_shown[at],
        cancel_date=cancel[at],
        death_reason=reasons[at],
        village_code=book.village[dead][at],
    )
    recent = died >= book.t0
    cremated = recent & (rng.random(m) < where(book.rural[dead], 0.32, 0.78))
    burned = died + days(rng.integers(2, 6, m))
    contact = book.spouse[dead]
    alive_contact = (contact >= 0) & np.isnat(book.death[np.maximum(contact, 0)])
    contact = where(alive_contact, contact, -1)
    child = np.full(n, -1, dtype=np.int64)
    for parent in (book.father, book.mother):
        known = parent >= 0
        child[parent[known]] = np.flatnonzero(known)
    contact = where(contact < 0, child[dead], contact)
    book.write(
        "ca_cremation",
        (burned + days(rng.integers(1, 8, m)))[cremated],
        person=dead[cremated],
        age=((died - book.born[dead]).astype(np.int64) // 365.25)[cremated],
        death_date=where(rng.random(m) < 0.9, died, NEVER).astype("datetime64[D]")[cremated],
        cremation_date=burned[cremated],
        address=text(book.frame[dead[cremated].tolist()]["live_address"].to_list()),
        contact_person=contact[cremated],
    )
    certified = recent & (rng.random(m) < 0.82)
    issued = died + days(where(rng.random(m) < 0.75, rng.integers(1, 10, m), rng.integers(20, 120, m)))
    book.write(
        "hl_birth_death_cert",
        issued[certified],
        cert_type="2",
        cert_no=np.array(["D"], dtype=object) + ids.padded(dead[certified] + book.base, 12),
        person=dead[certified],
        event_date=died[certified],
        cause_icd10=pick(
            rng,
            ["I63", "I25", "C34", "J44", "R54", "I61", "C16", "X59"],
            [22, 20, 9, 9, 14, 12, 8, 6],
            int(certified.sum()),
        ),
        issue_org=pick(
            rng,
            ["乌兰察布市中心医院", "县人民医院", "乡镇卫生院", "村卫生室"],
            [3, 4, 3, 2],
            int(certified.sum()),
        ),
    )
    first_month = np.flatnonzero(recent & registered)
    book.write(
        "ps_hukou_event",
        cancel[first_month],
        event_id=event_numbers(book, dead[first_month], "8"),
        person=dead[first_month],
        event_type="8",
        event_date=cancel[first_month],
        from_division=book.county[dead][first_month],
        reason="死亡注销",
    )
    known = np.full(n, NEVER, dtype="datetime64[D]")
    known[dead[registered]] = cancel[registered]
    return known


class Changes:
    """What the register must be told of: marital state, moves, names, numbers, by person."""

    def __init__(self, book: Book) -> None:
        n = book.n
        self.marital_on = np.full(n, NEVER, dtype="datetime64[D]")
        self.marital_new = np.full(n, None, dtype=object)
        self.moved_out_on = np.full(n, NEVER, dtype="datetime64[D]")
        self.moved_in_on = np.full(n, NEVER, dtype="datetime64[D]")
        self.name_on = np.full(n, NEVER, dtype="datetime64[D]")
        self.new_book_on = np.full(n, NEVER, dtype="datetime64[D]")
        self.new_book = np.full(n, None, dtype=object)
        self.new_village = np.full(n, None, dtype=object)
        self.new_address = np.full(n, None, dtype=object)
        self.spells: list[tuple[int, int, Any]] = []  # person row, household joined, from when


def marriages(book: Book, spared: Flags) -> Changes:
    """Old registrations, weddings and divorces, with the moves between households that follow."""
    rng = book.rng("marriages")
    # Partners from elsewhere must exist before anything refers to rows.
    single = (book.marital == "10") & np.isnat(book.death) & ~spared & ~book.outsider & book.registered
    men = np.flatnonzero(single & ~book.female & (book.age0 > 21) & (book.age0 < 45))
    women = np.flatnonzero(single & book.female & (book.age0 > 19) & (book.age0 < 40))
    want = int(0.0042 * book.n * book.years)
    n = min(want, len(men))
    men = rng.permutation(men)[:n]
    n_local = min(int(n * 0.65), len(women))
    women = rng.permutation(women)[:n_local]
    men = men[np.argsort(book.born[men], kind="stable")]
    women = women[np.argsort(book.born[women], kind="stable")]
    take = np.sort(rng.permutation(n)[:n_local])
    wife = np.full(n, -1, dtype=np.int64)
    wife[take] = women
    same = (wife >= 0) & (
        np.array(book.frame["clan"].to_list())[men]
        == np.array(book.frame["clan"].to_list())[np.maximum(wife, 0)]
    )
    wife[same] = -1
    rest = np.flatnonzero(wife < 0)
    wife[rest] = outsiders(
        book,
        len(rest),
        np.ones(len(rest), dtype=bool),
        book.age0[men[rest]] - rng.normal(1.5, 2, len(rest)),
        "brides",
    )
    divorced = np.flatnonzero((book.marital == "40") & np.isnat(book.death) & (book.slot >= 0))
    divorced = divorced[rng.random(len(divorced)) < 0.7]
    former = outsiders(
        book,
        len(divorced),
        ~book.female[divorced],
        book.age0[divorced] + rng.normal(0, 2, len(divorced)),
        "former spouses",
    )
    spared = np.r_[spared, np.zeros(book.n - len(spared), dtype=bool)]
    changes = Changes(book)
    office = where(rng.random(n) < 0.8, book.county[men], "150902")
    wed = book.day(rng, n)
    _marriage_rows(book, "1", wed, men, wife, office, wed + days(1), "J")
    for rows in (men, wife):
        changes.marital_on[rows] = wed + days(rng.integers(20, 300, len(rows)))
        changes.marital_new[rows] = "20"
    # Half of the couples set up a home of their own; the others live with his parents.
    own = rng.random(n) < 0.5
    for i in range(n):
        home = int(book.household[men[i]])
        if own[i]:
            home = book.n_households
            book.n_households += 1
            changes.spells.append((int(men[i]), home, wed[i]))
        changes.spells.append((int(wife[i]), home, wed[i]))
    # Her register follows in most cases; his book stays.
    moves = (rng.random(n) < 0.6) & ~book.outsider[wife]
    when = wed + days(rng.integers(30, 300, n))
    frame = book.frame
    his_book = frame["hukou_no"].to_list()
    his_village, his_address = book.village, frame["reg_address"].to_list()
    for k in np.flatnonzero(moves):
        w, m = int(wife[k]), int(men[k])
        changes.new_book_on[w], changes.new_book[w] = when[k], his_book[m]
        changes.new_village[w], changes.new_address[w] = his_village[m], his_address[m]
    at = np.flatnonzero(moves)
    book.write(
        "ps_hukou_event",
        when[at] + days(1),
        event_id=event_numbers(book, wife[at], "2"),
        person=wife[at],
        event_type="2",
        event_date=when[at],
        from_division=book.county[wife[at]],
        to_division=book.county[men[at]],
        reason="夫妻投靠",
    )
    # Registrations of couples who were married before.
    first = np.flatnonzero((book.spouse >= 0) & ~book.female & ~book.outsider)
    partner = book.spouse[first]
    known = rng.random(len(first)) < where(book.age0[first] > 65, 0.35, 0.8)
    first, partner = first[known], partner[known]
    age = 21.5 + rng.gamma(2.2, 1.6, len(first))
    younger = np.maximum(book.born[first], book.born[partner])
    date = np.minimum(younger + days(age * 365.25), book.t0 - days(rng.integers(1, 900, len(first))))
    _marriage_rows(
        book,
        "1",
        date,
        first,
        partner,
        book.county[first],
        np.maximum(date, np.datetime64("2003-10-01")),
        "J",
    )
    reissue = rng.random(len(first)) < 0.004
    again = book.day(rng, int(reissue.sum()))
    _marriage_rows(
        book, "4", again, first[reissue], partner[reissue], book.county[first[reissue]], again + days(1), "B"
    )
    husband = where(book.female[divorced], former, divorced)
    wives = where(book.female[divorced], divorced, former)
    ended = book.t0 - days(rng.integers(30, 4000, len(divorced)))
    _marriage_rows(book, "2", ended, husband, wives, book.county[divorced], ended + days(1), "L")
    # Divorces of our months; a third are pronounced by a court and never reach the register of marriages.
    couples = np.flatnonzero(
        (book.spouse >= 0)
        & ~book.female
        & np.isnat(book.death)
        & np.isnat(book.death[np.maximum(book.spouse, 0)])
    )
    couples = couples[~spared[couples] & (book.age0[couples] < 60) & (book.age0[couples] > 23)]
    n = min(int(0.0019 * book.n * book.years), len(couples))
    him = rng.permutation(couples)[:n]
    her = book.spouse[him]
    split = book.day(rng, n)
    office_case = rng.random(n) < 0.68
    _marriage_rows(
        book,
        "2",
        split[office_case],
        him[office_case],
        her[office_case],
        book.county[him[office_case]],
        (split + days(1))[office_case],
        "L",
    )
    for rows in (him, her):
        changes.marital_on[rows] = split + days(rng.integers(20, 400, n))
        changes.marital_new[rows] = "40"
    for i in range(n):
        changes.spells.append((int(her[i]), book.n_households, split[i]))
        book.n_households += 1
    # Widows and widowers tell the register late or never.
    left = np.flatnonzero((book.spouse >= 0) & np.isnat(book.death))
    lost = book.death[book.spouse[left]]
    told = (lost >= book.t0) & (rng.random(len(left)) < 0.4) & np.isnat(changes.marital_on[left])
    changes.marital_on[left[told]] = lost[told] + days(60)
    changes.marital_new[left[told]] = "30"
    return changes


def _marriage_rows(
    book: Book, kind: str, date: Any, him: Ints, her: Ints, office: Any, known: Any, letter: str
) -> None:
    year = np.asarray(date).astype("datetime64[Y]").astype(np.int64) + 1970
    number = [f"{letter}{o}-{y}-{k:08d}" for o, y, k in zip(office, year, him + book.base, strict=True)]
    book.write(
        "ca_marriage",
        known,
        cert_no=number,
        reg_type=kind,
        reg_date=date,
        male_person=him,
        female_person=her,
        reg_division=office,
    )


def moves(book: Book, changes: Changes, spared: Flags) -> None:
    """Moves out of the county, registrations of people who had come earlier, books that split, names, numbers."""
    rng = book.rng("moves")
    quiet = ~spared & ~book.outsider & np.isnat(book.death)
    leave = (
        quiet
        & book.registered
        & (book.age0 > 18)
        & (book.age0 < 50)
        & (rng.random(book.n) < 0.008 * book.years)
    )
    leave &= np.isnat(changes.new_book_on)
    rows = np.flatnonzero(leave)
    when = book.day(rng, len(rows))
    changes.moved_out_on[rows] = when
    for row, day in zip(rows, when, strict=True):
        if book.marital[row] == "10":
            changes.spells.append((int(row), book.n_households, day))
            book.n_households += 1
    goal = pick(
        rng, ["150105", "110105", "150203", "120110", "440306", "150602"], [4, 2, 2, 1, 1, 1], len(rows)
    )
    book.write(
        "ps_hukou_event",
        when + days(1),
        event_id=event_numbers(book, rows, "3"),
        person=rows,
        event_type="3",
        event_date=when,
        from_division=book.county[rows],
        to_division=goal,
        reason=pick(rng, ["工作调动", "大中专招生", "投靠亲属", "购房入户"], [3, 3, 2, 2], len(rows)),
    )
    stay = np.flatnonzero(quiet & ~book.registered & (rng.random(book.n) < 0.05 * book.years))
    when = book.day(rng, len(stay))
    changes.moved_in_on[stay] = when
    division = np.array(book.frame["register_division"].to_list(), dtype=object)
    book.write(
        "ps_hukou_event",
        when + days(1),
        event_id=event_numbers(book, stay, "2"),
        person=stay,
        event_type="2",
        event_date=when,
        from_division=division[stay],
        to_division=book.county[stay],
        reason="购房入户",
    )
    # Names: changed in the window (12 in 10,000 a year); numbers: half of the corrections fall into it.
    frame = book.frame
    n = book.n
    gets_name = (
        quiet
        & book.registered
        & (rng.random(n) < 0.0012 * book.years)
        & (frame["former_name"].is_null()).to_numpy()
    )
    gets_name &= (frame["group"] < 4).to_numpy() & ~leave
    rows = np.flatnonzero(gets_name)
    year = book.born[rows].astype("datetime64[Y]").astype(np.int64) + 1970
    surname = np.array(frame["surname"].to_list(), dtype=object)[rows]
    given = names.given_names(
        rng,
        book.female[rows],
        year,
        frame["group"].to_numpy()[rows],
        np.full(len(rows), "", dtype=object),
        surname,
    )
    old = np.array(frame["name"].to_list(), dtype=object)
    new_name = old.copy()
    new_name[rows] = surname + given
    former = np.array(frame["former_name"].to_list(), dtype=object)
    former[rows] = old[rows]
    when = book.day(rng, len(rows))
    changes.name_on[rows] = when
    book.write(
        "ps_hukou_event",
        when + days(1),
        event_id=event_numbers(book, rows, "4"),
        person=rows,
        old_name=old[rows],
        event_type="4",
        event_date=when,
        from_division=book.county[rows],
        to_division=book.county[rows],
        reason="变更姓名",
    )
    had = np.flatnonzero(frame["former_resident_id"].is_not_null().to_numpy())
    corrected = where(
        rng.random(len(had)) < 0.5, book.day(rng, len(had)), book.t0 - days(rng.integers(30, 5500, len(had)))
    )
    corrected = where(np.isnat(book.death[had]), corrected, np.minimum(corrected, book.death[had] - days(1)))
    corrected = corrected.astype("datetime64[D]")
    id_on = np.full(n, NEVER, dtype="datetime64[D]")
    id_on[had] = corrected
    former_id = np.array(frame["former_resident_id"].to_list(), dtype=object)
    mine = book.registered[had]
    book.write(
        "ps_hukou_event",
        (corrected + days(1))[mine],
        event_id=event_numbers(book, had[mine], "5"),
        person=had[mine],
        old_id_no=former_id[had][mine],
        event_type="5",
        event_date=corrected[mine],
        from_division=book.county[had[mine]],
        to_division=book.county[had[mine]],
        reason="公民身份号码更正",
    )
    # People numbered before 1985 once carried fifteen digits; the register kept note for some.
    id15 = np.array(frame["id15"].to_list(), dtype=object)
    upgraded = np.flatnonzero(
        quiet
        & book.registered
        & (rng.random(n) < 0.02)
        & frame["id15"].is_not_null().to_numpy()
        & np.isnat(id_on)
    )
    book.write(
        "ps_hukou_event",
        np.datetime64("2013-01-01"),
        event_id=event_numbers(book, upgraded, "6"),
        person=upgraded,
        old_id_no=id15[upgraded],
        event_type="5",
        event_date=np.datetime64("2005-06-30"),
        from_division=book.county[upgraded],
        to_division=book.county[upgraded],
        reason="15位升18位",
    )
    book.frame = frame.with_columns(
        text(new_name).alias("name"),
        text(former).alias("former_name"),
        pl.Series(changes.name_on).cast(pl.Date).alias("name_changed_on"),
        pl.Series(id_on).cast(pl.Date).alias("id_changed_on"),
    )
    # Newly-weds of the bridegroom's side who take a book of their own.
    splits = np.flatnonzero(
        quiet & book.registered & (changes.marital_new == "20") & ~book.female & (rng.random(n) < 0.35)
    )
    splits = splits[np.isnat(changes.new_book_on[splits]) & np.isnat(changes.moved_out_on[splits])]
    when = changes.marital_on[splits] + days(rng.integers(5, 60, len(splits)))
    changes.new_book_on[splits] = when
    changes.new_book[splits] = np.array([c + "8" for c in book.county[splits]], dtype=object) + ids.padded(
        book.shard.index * 10_000 + np.arange(len(splits)), 6
    )
    book.write(
        "ps_hukou_event",
        when + days(1),
        event_id=event_numbers(book, splits, "7"),
        person=splits,
        event_type="6",
        event_date=when,
        from_division=book.county[splits],
        to_division=book.county[splits],
        reason="分户",
    )


# Relation to the head (GB/T 4761) by role of head (row) and member: grandfather, grandmother, anchor, spouse, child, sibling, sibling's spouse, sibling's child.
_ROLE = np.array([0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 7, 7])
_RELATION = {
    0: ("02", "12", "20|30", "28|38", "41|42", "20|30", "28|38", "41|42"),
    1: ("11", "02", "20|30", "28|38", "41|42", "20|30", "28|38", "41|42"),
    2: ("51", "52", "02", "11|12", "20|30", "73|77", "78|74", "93|94"),
    3: ("80", "80", "11|12", "02", "20|30", "80", "80", "80"),
    4: ("61", "62", "51|52", "51|52", "73|77", "81|82", "81|82", "91"),
    5: ("51", "52", "73|77", "78|74", "93|94", "02", "11|12", "20|30"),
    6: ("80", "80", "80", "80", "80", "11|12", "02", "20|30"),
    7: ("61", "62", "81|82", "81|82", "91", "51|52", "51|52", "73|77"),
}


def relation(head_slot: Ints, slot: Ints, female: Flags, is_self: Flags, is_step: Flags) -> Texts:
    """Code of the relation of each person to the head of its book or case."""
    table = np.full((9, 9, 2), "80", dtype=object)
    for head, members in _RELATION.items():
        for member, code in enumerate(members):
            parts = code.split("|")
            table[head, member, 0], table[head, member, 1] = parts[0], parts[-1]
    head_role = where(head_slot >= 0, _ROLE[np.clip(head_slot, 0, 11)], 8)
    role = where(slot >= 0, _ROLE[np.clip(slot, 0, 11)], 8)
    found = table[head_role, role, female.astype(int)]
    found = where(is_step & (found == "20"), "27", where(is_step & (found == "30"), "37", found))
    return where(is_self, "02", found)


def register(book: Book, changes: Changes, death_known: Any) -> None:
    """The household register as it stood on every day: one row a version of a person and of a membership."""
    rng = book.rng("register")
    frame = book.frame
    n = book.n
    old = np.datetime64("2015-01-01")
    birth_known = frame["birth_known_on"].to_numpy().astype("datetime64[D]")
    begin = where(np.isnat(birth_known), old, birth_known).astype("datetime64[D]")
    begin = where(np.isnat(changes.moved_in_on), begin, changes.moved_in_on).astype("datetime64[D]")
    in_register = (book.registered | ~np.isnat(changes.moved_in_on)) & ~book.outsider
    events = [death_known, changes.marital_on, changes.moved_out_on, changes.new_book_on, changes.name_on]
    id_on = frame["id_changed_on"].to_numpy().astype("datetime64[D]")
    events.append(where(id_on >= book.t0, id_on, NEVER).astype("datetime64[D]"))
    person, known = [np.flatnonzero(in_register)], [begin[in_register]]
    for day in events:
        rows = np.flatnonzero(in_register & ~np.isnat(day) & (day > begin))
        person.append(rows)
        known.append(day[rows] + days(1))
    rows, since = np.concatenate(person), np.concatenate(known)
    keep = since <= book.last
    rows, since = rows[keep], since[keep]
    versions = (
        pl.DataFrame({"row": rows, "since": since.astype("datetime64[D]")}).unique().sort("row", "since")
    )
    versions = versions.with_columns(pl.col("since").shift(-1).over("row").alias("until"))
    rows = versions["row"].to_numpy()
    since = versions["since"].to_numpy().astype("datetime64[D]")
    until = versions["until"].to_numpy().astype("datetime64[D]")

    def passed(day: Any) -> Flags:
        return np.asarray(~np.isnat(day[rows]) & (day[rows] < since))

    marital = where(passed(changes.marital_on), changes.marital_new[rows], book.marital[rows])
    moved = passed(changes.new_book_on)
    first_book = np.array(frame["hukou_no"].to_list(), dtype=object)
    came = ~np.isnat(changes.moved_in_on)
    first_book[came] = np.array([c + "7" for c in book.county[came]], dtype=object) + ids.padded(
        book.shard.index * 10_000 + np.arange(came.sum()), 6
    )
    hukou = where(moved, changes.new_book[rows], first_book[rows])
    address = np.array(frame["reg_address"].to_list(), dtype=object)
    has_address = moved & np.array([v is not None for v in changes.new_address])[rows]
    village = where(has_address, changes.new_village[rows], book.village[rows])
    live = np.array(frame["live_address"].to_list(), dtype=object)
    shown = where(has_address, changes.new_address[rows], where(came[rows], live[rows], address[rows]))
    education = np.array(frame["education"].to_list(), dtype=object)
    # Schooling and marital state in the register are years out of date for some.
    stale = (rng.random(n) < 0.12) & (book.age0 > 25)
    education = where(stale, "70", education)
    status = where(passed(death_known), "3", where(passed(changes.moved_out_on), "2", "1"))
    seconds = (rows * 7919 + 104_729) % 36_000 + 8 * 3600
    updated = since.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    book.write(
        "ps_resident",
        since,
        until,
        person=rows,
        hukou_no=hukou,
        urban_rural=where((rng.random(n) < 0.01) & ~book.spared, "9", where(book.rural, "2", "1"))[rows],
        reg_address=shown,
        village_code=village,
        marital=marital,
        education=education[rows],
        reg_status=status,
        updated_at=pl.Series(updated.astype("datetime64[us]")),
    )
    # Memberships: one row a person and book; the old one keeps its leaving date.
    seniority = first_of(
        [book.slot == 2, book.slot == 7, book.slot == 0, book.slot == 3, book.slot == 1, book.slot == 8],
        [1, 2, 3, 4, 5, 6],
        9,
    ) + where((book.slot == 0) & (rng.random(n) < 0.35), -3, 0)
    dead_before = ~np.isnat(book.death) & (book.death < book.t0) & (rng.random(n) < 0.93)
    seniority = where(dead_before, 20, seniority)
    own = pl.DataFrame(
        {"row": np.arange(n), "book": first_book, "rank": seniority},
        strict=False,
        schema_overrides={"book": pl.String},
    )
    adult = np.flatnonzero(in_register)
    heads = (
        own[adult.tolist()]
        .filter(pl.col("book").is_not_null())
        .sort("book", "rank", "row")
        .group_by("book", maintain_order=True)
        .first()
    )
    lookup = dict(zip(heads["book"].to_list(), heads["row"].to_list(), strict=True))
    collective = np.array([b is not None and b.endswith("9001") for b in first_book])
    head = np.array([lookup.get(b, -1) for b in first_book], dtype=np.int64)
    head[collective] = -1
    join = np.maximum(book.born, np.datetime64("1985-01-01") + days((book.born.astype(np.int64) * 31) % 9000))
    join = np.minimum(np.maximum(join, book.born), book.t0)
    late = ~np.isnat(birth_known)
    join = where(late, birth_known, where(came, changes.moved_in_on, join)).astype("datetime64[D]")
    minor = book.age0 < 40
    tells = rng.random((3, n))
    # Planted families are registered in full: what they are about is not left to chance.
    father = where((tells[0] < where(minor, 0.75, 0.25)) | book.spared, book.father, -1)
    mother = where((tells[1] < where(minor, 0.75, 0.25)) | book.spared, book.mother, -1)
    spouse = where(tells[2] < 0.7, book.spouse, -1)
    step = frame["is_step"].to_numpy()
    leaves = where(np.isnat(changes.new_book_on), changes.moved_out_on, changes.new_book_on).astype(
        "datetime64[D]"
    )

    def members(at: Ints, known: Any, gone: Any, books: Texts, heads_: Ints, joined: Any, left: Any) -> None:
        is_self = heads_ == at
        code = relation(book.slot[np.maximum(heads_, 0)], book.slot[at], book.female[at], is_self, step[at])
        book.write(
            "ps_household_member",
            known,
            gone,
            hukou_no=books,
            hukou_category=where(
                collective[at] & np.array([b.endswith("9001") for b in books], dtype=bool), "2", "1"
            ),
            head_person=heads_,
            person=at,
            relation_to_head=where(heads_ < 0, "99", code),
            father_person=father[at],
            mother_person=mother[at],
            spouse_person=spouse[at],
            join_date=joined,
            leave_date=left,
        )

    base = np.flatnonzero(in_register)
    none = np.full(len(base), NEVER, dtype="datetime64[D]")
    members(base, begin[base], leaves[base] + days(1), first_book[base], head[base], join[base], none)
    gone = np.flatnonzero(in_register & ~np.isnat(leaves))
    members(
        gone,
        leaves[gone] + days(1),
        np.full(len(gone), NEVER, dtype="datetime64[D]"),
        first_book[gone],
        head[gone],
        join[gone],
        leaves[gone],
    )
    new = np.flatnonzero(in_register & ~np.isnat(changes.new_book_on))
    new_head = np.array(
        [lookup.get(b, r) for b, r in zip(changes.new_book[new], new, strict=True)], dtype=np.int64
    )
    members(
        new,
        changes.new_book_on[new] + days(1),
        np.full(len(new), NEVER, dtype="datetime64[D]"),
        changes.new_book[new],
        new_head,
        changes.new_book_on[new],
        np.full(len(new), NEVER, dtype="datetime64[D]"),
    )
    # What is true at the end goes back to the persons.
    last = (
        versions.with_columns(
            pl.Series("hukou", hukou.tolist(), dtype=pl.String),
            pl.Series("village", village.tolist(), dtype=pl.String),
            pl.Series("address", shown.tolist(), dtype=pl.String),
        )
        .group_by("row", maintain_order=True)
        .last()
        .sort("row")
    )
    at = last["row"].to_numpy()
    final_book, final_village, final_address = first_book.copy(), book.village.copy(), address.copy()
    final_book[at], final_village[at], final_address[at] = (
        np.array(last[c].to_list(), dtype=object) for c in ("hukou", "village", "address")
    )
    true_marital = where(changes.marital_new != None, changes.marital_new, book.marital)  # noqa: E711
    book.frame = frame.with_columns(
        text(final_book).alias("hukou_no"),
        text(final_village).alias("village_code"),
        text(final_address).alias("reg_address"),
        text(true_marital).alias("marital"),
        (pl.col("is_registered") | pl.Series(came)).alias("is_registered"),
    )


def permits(book: Book) -> None:
    """Residence permits of people who came from elsewhere; many who leave do not cancel."""
    rng = book.rng("permits")
    frame = book.frame
    came = np.flatnonzero(~book.registered & ~book.outsider)
    local = np.flatnonzero(
        book.registered & ~book.outsider & ~book.spared & (rng.random(book.n) < 0.006) & (book.age0 > 16)
    )
    rows = np.r_[came[rng.random(len(came)) < 0.85], local]
    n = len(rows)
    since = np.maximum(book.t0 - days(rng.integers(0, 2500, n)), book.born[rows] + days(10))
    since = where(rng.random(n) < 0.25, book.day(rng, n), since).astype("datetime64[D]")
    since = np.maximum(since, book.born[rows] + days(10))
    book.write(
        "ps_residence_permit",
        since + days(rng.integers(5, 60, n)),
        permit_no=np.array(["JZ1509"], dtype=object) + ids.padded(rows + book.base, 10),
        person=rows,
        live_address=text(frame[rows.tolist()]["live_address"].to_list()),
        village_code=book.village[rows],
        hukou_division=text(frame[rows.tolist()]["register_division"].to_list()),
        live_since=since,
        valid_to=since + days(np.maximum(365, ((book.last - since).astype(np.int64) // 365 + 1) * 365)),
        reason=pick(rng, ["1", "2", "3", "4", "5"], [55, 12, 18, 5, 10], n),
    )


def spells(book: Book, changes: Changes) -> pl.DataFrame:
    """True households over time, one row a person and spell."""
    frame = book.frame
    rows = np.flatnonzero((book.household >= 0) & ~book.outsider)
    start = np.maximum(book.born[rows], book.t0)
    alive = np.isnat(book.death[rows]) | (book.death[rows] >= book.t0)
    rows, start = rows[alive], start[alive]
    base = pl.DataFrame({"row": rows, "household": book.household[rows], "from": start})
    moved = pl.DataFrame(
        {
            "row": [r for r, _, _ in changes.spells],
            "household": [h for _, h, _ in changes.spells],
            "from": np.array([d for _, _, d in changes.spells], dtype="datetime64[D]"),
        },
        schema_overrides={"row": pl.Int64, "household": pl.Int64},
    )
    whole = pl.concat(
        [
            base.with_columns(pl.col("row").cast(pl.Int64), pl.col("from").cast(pl.Date)),
            moved.with_columns(pl.col("from").cast(pl.Date)),
        ]
    )
    whole = whole.sort("row", "from", "household").unique(["row", "from"], keep="last", maintain_order=True)
    death = pl.DataFrame({"row": np.arange(book.n), "death": book.death}).with_columns(
        pl.col("death").cast(pl.Date)
    )
    whole = whole.with_columns(pl.col("from").shift(-1).over("row").alias("next")).join(
        death, on="row", how="left"
    )
    whole = whole.filter(pl.col("death").is_null() | (pl.col("death") > pl.col("from")))
    whole = whole.with_columns(pl.min_horizontal("next", "death").alias("to"))
    ends = whole.group_by("row", maintain_order=True).last()
    final = book.household.copy()
    final[ends["row"].to_numpy()] = ends["household"].to_numpy()
    book.household = final
    book.frame = frame.with_columns(book.ref(final).alias("true_household_id"))
    return whole.select(
        (pl.col("household") + book.base).alias("true_household_id"),
        (pl.col("row") + book.base).alias("true_person_id"),
        "from",
        "to",
    ).sort("true_household_id", "true_person_id", "from")
