"""What people own: vehicles, dwellings, contracts, balances, fields, machines; and what fields and houses suffer."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from sample_data import ids, places
from sample_data.family import NEVER, days
from sample_data.ids import Flags, Ints
from sample_data.work import FARMER, PUBLIC, TRADER
from sample_data.world import Book, first_of, pick, where

CARS = (
    ("大众牌SVW71510", 1498),
    ("五菱牌LZW6450", 1485),
    ("哈弗牌CC6460", 1499),
    ("吉利牌JL7152", 1477),
    ("长安牌SC7164", 1598),
    ("丰田牌CA7180", 1798),
    ("现代牌BH7162", 1591),
)


def vehicles(book: Book, poor: Flags) -> None:
    """About 210 cars and 50 motorcycles per 1,000 people; sold, scrapped, bought."""
    rng = book.rng("vehicles")
    n = book.n
    status: Ints = book.status
    adult = (book.age0 > 21) & (book.age0 < 74) & ~book.outsider & ~book.spared & book.alive_on(book.t0)
    chance = (
        where(book.female, 0.13, 0.44)
        * where(book.rural, 0.85, 1.05)
        * where(np.isin(status, (PUBLIC, TRADER)), 1.4, 1.0)
    )
    chance = chance * where(poor, 0.05, 1.0)
    drivers = np.flatnonzero(adult & (rng.random(n) < chance))
    riders = np.flatnonzero(adult & (rng.random(n) < where(book.rural, 0.11, 0.03) * where(poor, 0.7, 1.0)))
    haulers = np.flatnonzero(adult & ~poor & ~book.female & (rng.random(n) < 0.03))
    disabled = np.flatnonzero((book.dis_type == "4") & adult & (rng.random(n) < 0.03))
    owner = np.r_[drivers, riders, haulers, disabled]
    m = len(owner)
    group = np.repeat(np.arange(4), [len(drivers), len(riders), len(haulers), len(disabled)])
    kind = first_of(
        [group == 0, group == 1, group == 2],
        [
            pick(rng, ["K33", "K31", "K43"], [80, 13, 7], m),
            pick(rng, ["M21", "M22", "N11"], [70, 10, 20], m),
            pick(rng, ["H31", "H41", "H11"], [60, 25, 15], m),
        ],
        "M11",
    )
    model = np.array(CARS, dtype=object)[rng.integers(0, len(CARS), m)]
    electric = (group == 0) & (rng.random(m) < 0.06)
    brand = first_of(
        [group == 0, group == 1, group == 2],
        [
            model[:, 0],
            pick(rng, ["豪爵牌HJ125", "宗申牌ZS150", "五羊本田牌WH125"], [1, 1, 1], m),
            pick(rng, ["福田牌BJ1043", "解放牌CA1041", "东风牌EQ1045"], [1, 1, 1], m),
        ],
        "残疾人机动轮椅车",
    )
    size = first_of([group == 0, group == 1, group == 2], [model[:, 1].astype(np.int64), 124, 2771], 49)
    bought = where(rng.random(m) < 0.12, book.day(rng, m), book.t0 - days(rng.integers(0, 4700, m))).astype(
        "datetime64[D]"
    )
    bought = np.maximum(bought, book.born[owner] + days(19 * 365))
    write_vehicles(
        book,
        "life",
        owner,
        kind,
        brand,
        size,
        bought,
        known=bought + days(rng.integers(1, 9, m)),
        plate=where(electric, "52", first_of([group == 0, group == 1, group == 2], ["02", "07", "01"], "07")),
        use=where((group == 2) & (rng.random(m) < 0.7), "F", "A"),
        state=where(
            bought < np.datetime64("2011-01-01"),
            pick(rng, ["A", "P", "M", "Q"], [70, 10, 10, 10], m),
            pick(rng, ["A", "Q", "E"], [93, 4, 3], m),
        ),
    )


def write_vehicles(
    book: Book,
    name: str,
    owner: Ints,
    kind: Any,
    brand: Any,
    size: Any,
    bought: Any,
    known: Any,
    plate: Any,
    use: Any,
    state: Any,
) -> None:
    """Vehicle rows; some are sold or scrapped in the window, and the row gives way to the next."""
    rng = book.rng("vehicle rows " + name)
    m = len(owner)
    serial = book.shard.index * 200_000 + (150_000 if name != "life" else 0) + np.arange(m)
    chance = rng.random(m) * (1.0 if name == "life" else 0.0) + (1.0 if name != "life" else 0.0)
    sold, scrapped = chance < 0.05, (chance >= 0.05) & (chance < 0.08)
    end = book.day(rng, m)
    ends = (sold | scrapped) & (end > bought + days(60)) & (state == "A")
    buyers = np.flatnonzero(
        (book.age0 > 25) & (book.age0 < 60) & ~book.spared & ~book.outsider & book.alive_on(book.last)
    )
    next_owner = buyers[rng.integers(0, len(buyers), m)]
    common: dict[str, Any] = {
        "owner_cert_type": "A",
        "plate_no": ids.plates(serial),
        "plate_class": plate,
        "vehicle_type": kind,
        "use_nature": use,
        "brand_model": brand,
        "vin": ids.vins(serial),
        "engine_cc": size,
        "first_reg_date": bought,
    }
    told = end + days(rng.integers(1, 9, m))
    book.write(
        "ps_vehicle",
        known,
        where(ends, told, NEVER).astype("datetime64[D]"),
        owner_person=owner,
        status=state,
        **common,
    )
    at = np.flatnonzero(ends)
    rest = {k: (v[at] if isinstance(v, np.ndarray) else v) for k, v in common.items()}
    book.write(
        "ps_vehicle",
        told[at],
        owner_person=where(sold[at], next_owner[at], owner[at]),
        transfer_date=where(sold[at], end[at], NEVER).astype("datetime64[D]"),
        status=where(sold[at], "A", "E"),
        **rest,
    )


def dwellings(book: Book, poor: Flags) -> None:
    """Titles of flats, shops, parking spaces; new contracts; housing aid."""
    rng = book.rng("dwellings")
    m = book.n_households
    adults = np.flatnonzero(
        (book.age0 > 24)
        & (book.household >= 0)
        & ~book.outsider
        & ~book.spared
        & book.alive_on(book.t0)
        & book.registered
    )
    order = adults[np.lexsort((adults, np.abs(book.age0[adults] - 48)))][::-1]
    lead = np.full(m, -1, dtype=np.int64)
    lead[book.household[order]] = order
    homes = np.flatnonzero(lead >= 0)
    head = lead[homes]
    need = poor[head]
    town = ~book.rural[head]
    flats = where(
        town,
        rng.choice(4, len(homes), p=(0.21, 0.63, 0.13, 0.03)),
        rng.choice(4, len(homes), p=(0.83, 0.14, 0.025, 0.005)),
    )
    flats = where(need, np.minimum(flats, rng.random(len(homes)) < where(town, 0.62, 0.05)), flats)
    shops = (rng.random(len(homes)) < where(town, 0.022, 0.006)) & ~need
    parking = (rng.random(len(homes)) < where(town, 0.07, 0.01)) & (flats > 0)
    owner = np.r_[np.repeat(head, flats), head[shops], head[parking]]
    use = np.repeat(np.array(["10", "20", "50"], dtype=object), [flats.sum(), shops.sum(), parking.sum()])
    n = len(owner)
    old = rng.random(n) < 0.45
    gained = where(
        old, book.t0 - days(rng.integers(3000, 9500, n)), book.t0 - days(rng.integers(20, 3000, n))
    )
    gained = where(rng.random(n) < 0.05, book.day(rng, n), gained).astype("datetime64[D]")
    gained = np.maximum(gained, book.born[owner] + days(21 * 365))
    how = where(use == "10", pick(rng, ["1", "2", "3", "4", "9"], [72, 5, 14, 6, 3], n), "1")
    state = where(rng.random(n) < 0.03, "2", where(rng.random(n) < 0.18, "3", "1"))
    joint = (rng.random(n) < 0.4) & (book.spouse[owner] >= 0)
    joint &= np.isnat(book.death[np.maximum(book.spouse[owner], 0)]) & (use == "10")
    area = np.round(
        first_of(
            [use == "10", use == "20"],
            [rng.normal(88, 22, n).clip(32), rng.normal(62, 30, n).clip(14)],
            rng.normal(13, 2, n).clip(8),
        ),
        2,
    )
    write_titles(
        book,
        "life",
        owner,
        where(joint, book.spouse[owner], -1),
        use,
        area,
        how,
        gained,
        state,
        known=gained + days(rng.integers(2, 12, n)),
    )
    buyers = np.flatnonzero(
        (book.age0 > 23) & (book.age0 < 58) & ~poor & ~book.outsider & ~book.spared & book.alive_on(book.t0)
    )
    buyers = buyers[rng.random(len(buyers)) < 0.0035 * book.years]
    k = len(buyers)
    signed = book.day(rng, k)
    area = np.round(rng.normal(102, 18, k).clip(45), 2)
    write_contracts(
        book,
        "life",
        buyers,
        area,
        signed,
        where(rng.random(k) < 0.06, "2", "1"),
        signed + days(rng.integers(1, 15, k)),
    )
    tenants = homes[(rng.random(len(homes)) < where(need, 0.16, 0.008)) & town & (flats == 0)]
    who = lead[tenants]
    k = len(who)
    public = rng.random(k) < 0.6
    begin = book.t0 - days(rng.integers(-500, 2200, k))
    rows = np.flatnonzero((book.household >= 0) & book.alive_on(book.t0) & ~book.outsider)
    rows = rows[np.argsort(book.household[rows], kind="stable")]
    edge = np.searchsorted(book.household[rows], np.arange(m + 1))
    lists = pl.Series(
        [(rows[edge[h] : edge[h + 1]] + book.base).tolist() for h in tenants], dtype=pl.List(pl.Int64)
    )
    book.write(
        "hc_housing_aid",
        begin + days(15),
        applicant_person=who,
        member_persons=lists,
        aid_type=where(public, "1", "2"),
        area=where(public, np.round(rng.normal(52, 6, k).clip(30), 2), np.nan),
        rent=where(public, np.round(rng.normal(110, 30, k).clip(40), 0), 0.0),
        subsidy=where(public, 0.0, np.round(rng.normal(260, 60, k).clip(80), 0)),
        start_date=begin,
        end_date=where(rng.random(k) < 0.1, begin + days(900), NEVER).astype("datetime64[D]"),
        address=where(
            public,
            np.array([places.villages()[v].address + "保障房小区" for v in book.village[who]], dtype=object),
            None,
        ),
    )


def write_titles(
    book: Book,
    name: str,
    owner: Ints,
    partner: Ints,
    use: Any,
    area: Any,
    how: Any,
    gained: Any,
    state: Any,
    known: Any,
    serial: Any = None,
) -> None:
    """Title rows: one a holder; a couple that owns jointly has two rows with one unit number."""
    rng = book.rng("title rows " + name)
    n = len(owner)
    serial = (
        (book.shard.index * 400_000 + (300_000 if name != "life" else 0) + np.arange(n))
        if serial is None
        else serial
    )
    county = where(book.county[owner] == "", "150902", book.county[owner])
    unit = (
        county
        + np.array(["001001GB"], dtype=object)
        + ids.padded(serial % 100_000, 5)
        + np.array(["F"], dtype=object)
        + ids.padded(serial, 8)
    )
    year = gained.astype("datetime64[Y]").astype(np.int64) + 1970
    cert = np.array(
        [f"蒙({y})乌兰察布市不动产权第{s:07d}号" for y, s in zip(year, serial, strict=True)], dtype=object
    )
    streets = [r["name"] for r in places.read("street_names.csv") if r["kind"] == "estate"]
    location = np.array(
        [
            f"{places.counties()[c]}{e}{b}号楼{u}单元{d}室"
            if k == "10"
            else f"{places.counties()[c]}{e}{'商铺' if k == '20' else '地下车位'}{d}号"
            for c, e, b, u, d, k in zip(
                county,
                pick(rng, streets, [1] * len(streets), n),
                rng.integers(1, 30, n),
                rng.integers(1, 5, n),
                rng.integers(101, 1802, n),
                use,
                strict=True,
            )
        ],
        dtype=object,
    )
    joint = partner >= 0
    common: dict[str, Any] = {
        "unit_no": unit,
        "cert_no": cert,
        "share_mode": where(joint, "2", "1"),
        "location": location,
        "area": area,
        "use": use,
        "obtained_by": how,
        "reg_date": gained,
        "status": state,
    }
    book.write("re_ownership", known, holder_person=owner, **common)
    at = np.flatnonzero(joint)
    book.write(
        "re_ownership",
        known[at],
        holder_person=partner[at],
        **{k: np.asarray(v)[at] for k, v in common.items()},
    )


def write_contracts(
    book: Book, name: str, buyer: Ints, area: Any, signed: Any, state: Any, known: Any
) -> None:
    """New-home contracts filed online."""
    rng = book.rng("contract rows " + name)
    k = len(buyer)
    book.write(
        "hc_presale_contract",
        known,
        contract_no=np.array([f"WQ1509{'L' if name == 'life' else 'P'}"], dtype=object)
        + ids.padded(book.base + np.arange(k), 9),
        buyer_person=buyer,
        project=pick(rng, ["碧桂园", "恒大城", "学府花园", "公园壹号", "龙湖郡"], [1, 1, 1, 1, 1], k),
        room=np.array(
            [
                f"{b}-{u}-{d}"
                for b, u, d in zip(
                    rng.integers(1, 20, k), rng.integers(1, 4, k), rng.integers(101, 1802, k), strict=True
                )
            ],
            dtype=object,
        ),
        area=area,
        price_total=np.round(area * rng.normal(4300, 500, k), 0),
        sign_date=signed,
        filing_date=signed + days(1),
        status=state,
    )


def queries(book: Book, asked: Any, refused: Any) -> None:
    """Balances of people with a signed authorisation: quarterly for those in care, once for applicants."""
    rng = book.rng("queries")
    people = [p for p, *_ in asked]
    numbers = [a for _, a, *_ in asked]
    dates = [book.month(book.month_no(book.night) - back) + days(14) for back in (1, 4, 7, 10)]
    who = np.tile(np.array(people, dtype=np.int64), len(dates))
    permission = np.tile(np.array(numbers, dtype=object), len(dates))
    when = np.repeat(np.array(dates, dtype="datetime64[D]"), len(people))
    if refused:
        who = np.r_[who, np.array([p for p, _, _ in refused], dtype=np.int64)]
        permission = np.r_[permission, np.array([a for _, a, _ in refused], dtype=object)]
        when = np.r_[when, np.array([d for *_, d in refused], dtype="datetime64[D]") + days(5)]
    alive = (
        book.alive_on(book.t0)[who]
        & (np.isnat(book.death[who]) | (when <= book.death[who]))
        & (book.born[who] < when)
    )
    who, permission, when = who[alive], permission[alive], when[alive]
    adult = book.age0[who] > 16
    # What a person has does not jump between quarters.
    wealth = rng.lognormal(7.3, 1.25, book.n)
    rich = rng.random(book.n) < 0.018
    wealth = where(rich, rng.lognormal(10.7, 0.5, book.n), np.minimum(wealth, 11_500.0))
    accounts = 1 + (rng.random(book.n) < 0.35)
    silent = rng.random(len(who)) < 0.03
    for number in (0, 1):
        at = (accounts[who] > number) & (adult | (number == 0)) & ~(silent & (number > 0))
        part = np.flatnonzero(at)
        has = adult[part] & ~silent[part]
        result = where(silent[part], "3", where(rng.random(len(part)) < 0.004, "4", where(has, "1", "2")))
        amount = (
            wealth[who[part]]
            * (0.8 if number == 0 else 0.2)
            * rng.normal(1.0, 0.08, len(part)).clip(0.5, 1.5)
        )
        write_balances(
            book,
            who[part],
            permission[part],
            when[part],
            where(result == "1", np.round(amount, 2), np.nan),
            result,
            number,
        )
    policy = np.flatnonzero((rng.random(book.n) < 0.07)[who] & adult)
    latest = when[policy] >= dates[0]
    policy = policy[latest]
    k = len(policy)
    kind = pick(rng, ["1", "2", "3"], [35, 30, 35], k)
    book.write(
        "fn_insurance_policy",
        when[policy] + days(rng.integers(4, 9, k)),
        authorization_no=permission[policy],
        policy_no=np.array(["PD****"], dtype=object) + ids.padded(who[policy] % 10_000, 4),
        holder_person=who[policy],
        insured_person=who[policy],
        product_type=kind,
        annual_premium=where(kind == "3", 100.0, np.round(rng.lognormal(6.6, 0.6, k), -1)),
        cash_value=where(kind == "1", np.round(rng.lognormal(7.6, 0.7, k), 2), 0.0),
        start_date=book.t0 - days(rng.integers(100, 2500, k)),
        status=pick(rng, ["1", "2", "3"], [88, 8, 4], k),
        payout_ytd=0.0,
    )
    # One answer in eight comes with nothing found; the clearing house does not write to all.
    has_shares = rng.random(book.n) < 0.012
    holders = np.flatnonzero(adult & (has_shares[who] | (rng.random(len(who)) < 0.12)))
    k = len(holders)
    has = has_shares[who[holders]]
    lost = ~has & (rng.random(k) < 0.08)
    book.write(
        "fn_securities",
        when[holders] + days(rng.integers(3, 8, k)),
        authorization_no=permission[holders],
        person=who[holders],
        account_no=where(has, np.array(["A****"], dtype=object) + ids.padded(who[holders] % 10_000, 4), None),
        market_value=where(has, np.round(rng.lognormal(6.5, 1.2, k), 2), np.nan),
        cash=where(has, np.round(rng.lognormal(4.0, 1.0, k), 2), np.nan),
        fund_value=where(has, 0.0, np.nan),
        query_date=when[holders],
        result=where(has, "1", where(lost, "3", "2")),
    )
    wallets = np.flatnonzero((rng.random(book.n) < 0.4)[who] & adult)
    k = len(wallets)
    book.write(
        "fn_internet_finance",
        when[wallets] + days(rng.integers(4, 10, k)),
        authorization_no=permission[wallets],
        person=who[wallets],
        platform=pick(rng, ["支付宝", "微信支付", "京东金融"], [5, 5, 1], k),
        product=pick(rng, ["1", "2"], [8, 2], k),
        balance=np.round(rng.lognormal(4.2, 1.3, k).clip(0, 3000), 2),
        inflow_12m=where(rng.random(k) < 0.6, np.round(rng.lognormal(8.6, 0.9, k), 2), np.nan),
        query_date=when[wallets],
    )


def write_balances(
    book: Book,
    who: Ints,
    permission: Any,
    when: Any,
    amount: Any,
    result: Any,
    number: int,
    known: Any = None,
) -> None:
    """Replies of banks; no balance where nothing was found or nobody answered."""
    book.write(
        "fn_bank_balance",
        when + days(4 + who % 5) if known is None else known,
        authorization_no=permission,
        person=who,
        bank_code=where(result == "3", "105", "402" if number == 0 else "403"),
        account_tail=where(result == "1", ids.padded((who * 37 + number * 11) % 10_000, 4), None),
        currency="CNY",
        balance=amount,
        query_date=when,
        result=result,
    )


def fields(book: Book, poor: Flags) -> None:
    """Farm subsidies to heads of farm households, machines, safety of rural houses, disasters."""
    rng = book.rng("fields")
    m = book.n_households
    status: Ints = book.status
    here = np.flatnonzero(
        book.rural & (book.household >= 0) & ~book.outsider & book.registered & (book.age0 > 20)
    )
    alive = book.alive_on(book.t0)
    rank = (
        where(alive[here], 0, 10) + where(status[here] == FARMER, 0, 1) + where(book.female[here], 0.5, 0.0)
    )
    rank = where(~alive[here] & (rng.random(len(here)) < 0.02), -1, rank)
    order = here[np.lexsort((here, rank))][::-1]
    head = np.full(m, -1, dtype=np.int64)
    head[book.household[order]] = order
    homes = np.flatnonzero(head >= 0)
    homes = homes[~book.spared[head[homes]]]
    farms = homes[rng.random(len(homes)) < 0.82]
    payee = head[farms]
    k = len(payee)
    area = np.round(rng.gamma(2.6, 7.0, k).clip(1.5), 1)
    pastoral = np.isin(book.county[payee], ("150929", "150928", "150927"))
    for year in (2024, 2025):
        for item, standard, day, share in (
            ("1", 78.5, f"{year}-06-12", 0.97),
            ("2", 13.2, f"{year}-05-25", 0.6 if year == 2024 else 0.0),
            ("3", 8.3, f"{year}-09-18", 0.45),
            ("4", 16.0, f"{year}-11-05", 0.07),
        ):
            takes = rng.random(k) < share
            if item == "3":
                takes &= pastoral
            paid = np.datetime64(day)
            at = np.flatnonzero(
                takes & (np.isnat(book.death[payee]) | (book.death[payee] > paid) | (rng.random(k) < 0.3))
            )
            size = area[at] * (12 if item == "3" else 1.0)
            book.write(
                "ag_subsidy_land",
                paid + days(12),
                payee_person=payee[at],
                item=item,
                area=size,
                standard=standard,
                amount=np.round(size * standard, 2),
                pay_date=paid,
                contracted_area=where(rng.random(len(at)) < 0.9, size, np.nan),
            )
    has = np.flatnonzero((rng.random(k) < 0.07) & ~poor[payee] & ~book.spared[payee] & alive[payee])
    book.write(
        "ag_machinery_vessel",
        np.datetime64("2024-01-15") + days(rng.integers(0, 300, len(has))),
        owner_person=payee[has],
        kind=pick(rng, ["1", "2", "9"], [82, 10, 8], len(has)),
        reg_no=np.array(["蒙09"], dtype=object) + ids.padded(book.base + payee[has], 9),
        power=np.round(rng.lognormal(3.4, 0.6, len(has)), 1),
        reg_date=book.t0 - days(rng.integers(200, 4000, len(has))),
        status=where(rng.random(len(has)) < 0.94, "1", "2"),
        operating=rng.random(len(has)) < 0.15,
    )
    checked = homes[
        (rng.random(len(homes)) < where(poor[head[homes]], 0.85, 0.22)) & ~book.spared[head[homes]]
    ]
    who = head[checked]
    k = len(who)
    grade = where(rng.random(k) < 0.0, "A", pick(rng, list("ABCD"), [45, 42, 9, 4], k))
    bad = np.isin(grade, ("C", "D"))
    when = np.datetime64("2024-04-10") + days(rng.integers(0, 420, k))
    done = bad & (rng.random(k) < 0.72)
    finish = when + days(rng.integers(100, 330, k))
    common: dict[str, Any] = {
        "head_person": who,
        "village_code": book.village[who],
        "grade": grade,
        "assess_date": when,
        "only_dwelling": rng.random(k) < 0.9,
    }
    until = where(done, finish + days(15), NEVER).astype("datetime64[D]")
    book.write(
        "hc_rural_house_safety",
        when + days(20),
        until,
        renovation=where(bad, pick(rng, ["0", "1", "2"], [35, 40, 25], k), "0"),
        subsidy=0.0,
        **common,
    )
    at = np.flatnonzero(done)
    book.write(
        "hc_rural_house_safety",
        until[at],
        renovation="3",
        finish_date=finish[at],
        subsidy=where(grade[at] == "D", 26_000.0, 12_000.0),
        **{kk: v[at] for kk, v in common.items()},
    )
    again = np.flatnonzero(bad & ~done)
    later = when[again] + np.timedelta64(365, "D")
    book.write(
        "hc_rural_house_safety",
        later + days(20),
        renovation="1",
        subsidy=0.0,
        **{**{kk: v[again] for kk, v in common.items()}, "assess_date": later},
    )
    villages = np.array(sorted(set(book.village[head[homes]].tolist())), dtype=object)
    for name, kind, day, share, hit in (
        ("2024年7月风雹灾害", "03", "2024-07-21", 0.12, 0.35),
        ("2025年8月洪涝灾害", "01", "2025-08-03", 0.10, 0.30),
    ):
        struck = villages[rng.permutation(len(villages))[: max(1, round(len(villages) * share))]]
        inside = homes[np.isin(book.village[head[homes]], struck) & ~book.spared[head[homes]]]
        inside = inside[rng.random(len(inside)) < hit]
        who = head[inside]
        k = len(who)
        day_ = np.datetime64(day)
        flood = kind == "01"
        rooms = where((rng.random(k) < 0.04) & flood, rng.integers(1, 4, k), 0)
        severe = where((rng.random(k) < 0.10) & flood, rng.integers(1, 4, k), 0)
        crop = np.round(rng.gamma(2.0, 6.0, k), 1)
        loss = np.round(crop * 300 + rooms * 15_000 + severe * 6000, 0)
        heads = np.bincount(book.household[(book.household >= 0) & alive], minlength=m)[inside]
        common = {
            "event_name": name,
            "disaster_type": kind,
            "event_date": day_,
            "head_person": who,
            "affected_count": heads,
            "rooms_collapsed": rooms,
            "rooms_severe": severe,
            "crop_area": crop,
            "loss": loss,
        }
        book.write(
            "em_disaster_relief",
            day_ + days(rng.integers(3, 12, k)),
            relief_item="1",
            amount=np.round(rng.uniform(150, 500, k), -1),
            pay_date=day_ + days(6),
            **common,
        )
        at = np.flatnonzero(loss > 4500)
        book.write(
            "em_disaster_relief",
            day_ + days(130),
            relief_item="3",
            amount=np.round(rng.uniform(200, 800, len(at)), -1),
            pay_date=day_ + days(125),
            **{kk: (v[at] if isinstance(v, np.ndarray) and v.ndim else v) for kk, v in common.items()},
        )
