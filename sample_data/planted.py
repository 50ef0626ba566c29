"""Situations put into the world on purpose: what each rule must raise, and the false alarms that it must not.

Taken from the wording of the warning catalogue and the standards of prefecture 1509, not from the rules' code.
Families that are reserved here are left alone by chance (`Book.spared`). Each kind below is one small story about one
family; the first kinds of a rule come first in small samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from sample_data import ids, places
from sample_data.family import NEVER, relation
from sample_data.ids import Ints
from sample_data.welfare import STANDARD, TEKUN_LIVING, authorizations
from sample_data.work import Employers, clip_base, resident_rows
from sample_data.world import KINDS, SCHEMAS, Book, where

PER = 20_000
"""Each kind is planted once per so many people."""
DAY = np.timedelta64(1, "D")


@dataclass
class Family:
    """A reserved household: rows of its members, the adult who heads it, the partner, the children, the elders."""

    household: int
    rows: list[int]
    head: int
    partner: int
    kids: list[int]
    elders: list[int]
    kind: str


@dataclass(frozen=True)
class Kind:
    """One story: rule, expectation, key, which families suit it, note in Chinese, who writes it, who dies in it."""

    rule: str
    expectation: str
    key: str
    suits: tuple[str, ...]
    note: str
    late: bool
    tell: Callable[[Planter, Family], Any]
    fits: Callable[[Book, Family], bool] | None = None
    dies: Callable[[Book, Family, Any], list[tuple[int, Any, Any]]] | None = None


@dataclass
class Told:
    """A kind and the family that it was given to."""

    kind: Kind
    family: Family
    night: int


KIND_LIST: list[Kind] = []


def kind(
    rule: str,
    expectation: str,
    suits: str,
    note: str,
    late: bool = False,
    fits: Callable[[Book, Family], bool] | None = None,
    dies: Callable[[Book, Family, Any], list[tuple[int, Any, Any]]] | None = None,
) -> Any:
    """Register a story. `suits` lists kinds of families, best first; `late`: its decisive row arrives on a later night.

    `fits` says which families of these kinds will do; `dies` gives, with the night on which the story shows, row, day of
    death and the day on which the register learns of it (NEVER: it has not) of those who die.
    """

    def add(tell: Callable[[Planter, Family], Any]) -> Callable[[Planter, Family], Any]:
        KIND_LIST.append(
            Kind(rule, expectation, tell.__name__, tuple(suits.split()), note, late, tell, fits, dies)
        )
        return tell

    return add


def families(book: Book) -> dict[str, list[Family]]:
    """Households that one book holds entirely, with nobody away, nobody renumbered: fit to be planted."""
    frame = book.frame
    present = (book.household >= 0) & book.alive_on(book.t0) & ~book.outsider
    m = book.n_households
    books = frame["hukou_no"].fill_null("").to_numpy()
    _, book_no = np.unique(books, return_inverse=True)
    in_book = np.bincount(book_no[~book.outsider], minlength=int(book_no.max()) + 1)
    strange = (
        book.away | book.collective | ~book.registered | frame["former_resident_id"].is_not_null().to_numpy()
    )
    strange |= frame["planted"].is_not_null().to_numpy() | frame["former_name"].is_not_null().to_numpy()
    strange |= frame["is_step"].to_numpy() | (frame["group"] > 3).to_numpy()
    size = np.bincount(book.household[present], minlength=m)
    odd = np.bincount(book.household[present & strange], minlength=m)
    everyone = np.bincount(book.household[(book.household >= 0) & ~book.outsider], minlength=m)
    low, high = np.full(m, 10**9), np.full(m, -1)
    np.minimum.at(low, book.household[present], book_no[present])
    np.maximum.at(high, book.household[present], book_no[present])
    ok = (size > 0) & (size <= 5) & (odd == 0) & (low == high) & (everyone == size)
    ok &= where(high >= 0, in_book[np.maximum(high, 0)], 0) == size
    rows = np.flatnonzero(present)
    rows = rows[ok[book.household[rows]]]
    rows = rows[np.argsort(book.household[rows], kind="stable")]
    found: dict[str, list[Family]] = {}
    start = 0
    while start < len(rows):
        stop = start
        h = book.household[rows[start]]
        while stop < len(rows) and book.household[rows[stop]] == h:
            stop += 1
        family = _classify(book, int(h), rows[start:stop].tolist())
        if family is not None:
            suffix = "_rural" if book.rural[family.head] else "_urban"
            found.setdefault(family.kind + suffix, []).append(family)
        start = stop
    rng = book.rng("planted families")
    for name in sorted(found):
        order = rng.permutation(len(found[name]))
        found[name] = [found[name][i] for i in order]
    return found


def _classify(book: Book, household: int, rows: list[int]) -> Family | None:
    age = {r: float(book.age0[r]) for r in rows}
    # Children stay children and adults of working age to the end of the window.
    kids = [r for r in rows if age[r] < 13.5]
    adults = [r for r in rows if 24 <= age[r] < 55]
    elders = [r for r in rows if age[r] >= 62]
    if len(kids) + len(adults) + len(elders) != len(rows):
        return None
    couple = len(adults) == 2 and book.spouse[adults[0]] == adults[1]
    if couple:
        adults.sort(key=lambda r: bool(book.female[r]))
    name = ""
    if len(adults) == 0 and not kids and len(elders) == 1:
        name = "old"
    elif len(adults) == 0 and not kids and len(elders) == 2 and book.spouse[elders[0]] == elders[1]:
        name = "oldcouple"
        elders.sort(key=lambda r: bool(book.female[r]))
    elif len(adults) == 1 and not kids and not elders:
        name = "single"
    elif couple and not kids and not elders:
        name = "couple"
    elif couple and kids and not elders:
        name = "family"
    elif len(adults) == 1 and kids and not elders:
        name = "lone"
    elif couple and elders:
        name = "threegen"
    if not name:
        return None
    lead = adults or elders
    return Family(household, rows, lead[0], lead[1] if len(lead) > 1 else -1, kids, elders, name)


def choose(book: Book) -> list[Told]:
    """Give each kind its families and reserve them. Small samples get the first kinds of each rule only."""
    pool = families(book)
    persons = book.shard.persons
    told: list[Told] = []
    for rule in dict.fromkeys(k.rule for k in KIND_LIST):
        for expectation in ("must", "must_not"):
            kinds = [k for k in KIND_LIST if k.rule == rule and k.expectation == expectation]
            if persons < PER:
                kinds = kinds[: max(1, round(len(kinds) * persons / PER))]
            copies = max(1, round(persons / PER))
            for number in range(copies):
                for k in kinds:
                    night = min(1 + number % 2, book.nights - 1) if k.late else 0
                    for name in k.suits:
                        found = _take(book, pool.get(name, []), k.fits)
                        if found is not None:
                            told.append(Told(k, found, night))
                            break
    for item in told:
        book.spared[item.family.rows] = True
    return told


def _take(book: Book, pool: list[Family], fits: Callable[[Book, Family], bool] | None) -> Family | None:
    """The last family of a pool that will do, taken out of it."""
    for at in range(len(pool) - 1, -1, -1):
        if fits is None or fits(book, pool[at]):
            return pool.pop(at)
    return None


@dataclass
class Planter:
    """Writes the rows of the stories, gathered by table."""

    book: Book
    employers: Employers
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    case_no: str | None = None
    person: int = -1
    serial: int = 0
    shift: int = 0
    unpensioned: set[int] = field(default_factory=set)

    @property
    def now(self) -> int:
        """Number of the month of the first night."""
        return int(self.book.month_no(self.book.night))

    @property
    def visible(self) -> Any:
        """The night on which this situation can first be seen."""
        return self.book.night + self.shift * DAY

    def ago(self, n: int) -> Any:
        """A day so many days before the first night."""
        return self.book.night - n * DAY

    def add(self, table: str, known_on: Any, **values: Any) -> None:
        """One row."""
        self.rows.setdefault(table, []).append({"known_on": known_on, **values})

    def next(self) -> int:
        """A running number."""
        self.serial += 1
        return self.book.shard.index * 50_000 + self.serial

    def urban(self, row: int) -> str:
        """'2' for the countryside, '1' for towns."""
        return "2" if self.book.rural[row] else "1"

    def case(self, family: Family, category: str = "1", members: list[int] | None = None, **how: Any) -> str:
        """An assistance case with its members, application, authorisation and payments.

        `first` and `last` month numbers, `status`, `skip` months without payment, `returned` months sent back,
        `resent` months sent again, `single` member covered alone, `left` member -> month, `county` of the case,
        `known` day on which the case row arrives, `row` other values of the case, `entries` member -> other values of his row.
        """
        book = self.book
        members = family.rows if members is None else members
        applicant = how.get("applicant", family.head if family.head in members else members[0])
        urban = self.urban(applicant)
        first = how.get("first", self.now - 20)
        last = how.get("last")
        number = f"{how.get('county', book.county[applicant])}{category}9{book.shard.index * 10_000 + self.next() % 10_000:07d}"
        single = how.get("single", -1)
        pays = category in ("1", "2")
        covered = [r for r in members if (pays and single < 0) or r == single]
        standard = STANDARD[urban]
        income = {"1": round(standard * 0.4), "2": 0.0, "3": round(standard * 1.2)}.get(
            category, round(standard * 1.6)
        )
        benefit = (
            TEKUN_LIVING[urban]
            if category == "2"
            else float(np.ceil((standard - income) * len(covered)))
            if pays
            else 0.0
        )
        decided = book.month(first) - 9 * DAY
        known = how.get("known", decided)
        decided = min(decided, known - DAY)
        village = how.get("village", book.village[applicant])
        row: dict[str, Any] = {
            "case_no": number,
            "category": category,
            "urban_rural": urban,
            "applicant_person": applicant,
            "members_total": len(members),
            "members_covered": len(covered),
            "per_capita_income": income,
            "benefit_month": benefit,
            "start_month": book.month(first),
            "review_cycle": 12,
            "next_review_month": book.month(self.now + 1 + self.serial % 9),
            "tekun_mode": "2" if category == "2" else None,
            "selfcare": "1" if category == "2" else None,
            "village_code": village,
        } | how.get("row", {})
        status = how.get("status", "1")
        if status == "1" and last is None:
            self.add("ca_assist_household", known, status="1", **row)
        else:
            change = book.month(self.now - 2 if last is None else last + 1) - 5 * DAY
            self.add("ca_assist_household", decided, gone_on=change, status="1", **row)
            end = (
                {"end_month": book.month(last + 1), "end_reason": how.get("reason", "1")}
                if last is not None
                else {}
            )
            self.add("ca_assist_household", change, status="4" if last is not None else status, **end, **row)
        left = how.get("left", {})
        for member in members:
            code = relation(
                book.slot[[applicant]],
                book.slot[[member]],
                book.female[[member]],
                np.array([applicant == member]),
                np.array([False]),
            )[0]
            age = book.age0[member] + 2
            entry = {
                "case_no": number,
                "person": member,
                "relation_to_applicant": "01" if member == applicant else code,
                "is_covered": member in covered,
                "single_person_flag": member == single,
                "labour_ability": "4" if age < 16 else "5" if age >= 60 else "1",
                "health": "1",
                "occupation_status": "31" if age < 18 else "90" if age >= 60 else "70",
                "declared_income": float(income) if age >= 16 else 0.0,
                "declared_rigid": 0.0,
                "join_month": book.month(first),
            } | how.get("entries", {}).get(member, {})
            gone = left.get(member, None if last is None else last + 1)
            if gone is None:
                self.add("ca_assist_member", known, **entry)
            else:
                self.add("ca_assist_member", decided, gone_on=book.month(gone) - DAY, **entry)
                self.add("ca_assist_member", book.month(gone) - DAY, leave_month=book.month(gone), **entry)
        permission = authorizations(book, np.array([applicant]))[0]
        self.add(
            "ca_application",
            min(decided + DAY, known),
            apply_no=f"SLP{self.next():010d}",
            category=category,
            applicant_person=applicant,
            member_persons=[book.base + r for r in members],
            accept_date=decided - 25 * DAY,
            check_report_no=f"HD{self.serial:010d}",
            survey_date=decided - 19 * DAY,
            publicity_from=decided - 9 * DAY,
            decision="1",
            decision_date=decided,
            reason="0",
            authorization_no=permission,
        )
        if pays:
            item = "3" if category == "2" else "1"
            end_month = book.last_month if last is None else last
            # Late cases have not been paid yet.
            for month in range(max(first, 0), end_month + 1):
                if month in how.get("skip", ()):
                    continue
                back = month in how.get("returned", ())
                self.payment(
                    number, month, item, applicant, benefit, "2" if back else "1", book.month(month) + 9 * DAY
                )
            for month in how.get("resent", ()):
                self.payment(number, month, item, applicant, benefit, "1", book.month(month + 1) + 4 * DAY)
        active = status == "1" and last is None
        if active:
            for member in members:
                code = {"1": "2", "2": "1", "3": "3"}.get(category, "0")
                if member not in left and (member in covered or category == "3"):
                    book.aid[member] = code
        self.case_no = number
        return number

    def payment(
        self, number: str, month: int, item: str, payee: int, amount: float, status: str, paid: Any
    ) -> None:
        """One payment row."""
        self.add(
            "ca_assist_payment",
            paid + DAY,
            case_no=number,
            pay_month=self.book.month(month),
            item=item,
            payee_person=payee,
            account_person=payee,
            amount=amount,
            pay_status=status,
            return_reason="账户状态异常" if status == "2" else None,
            pay_date=paid,
        )

    def job(
        self,
        person: int,
        first: int,
        last: int,
        wage: float,
        employer: int = 0,
        closes: bool = True,
        registered: bool = True,
    ) -> None:
        """A contract job: contributions, taxed wages, employment record."""
        book = self.book
        i = (self.serial + employer) % len(self.employers.firm_name)
        name, code = self.employers.firm_name[i], self.employers.firm_code[i]
        base = float(clip_base(wage))
        for month in range(max(first, 0), min(last, book.last_month) + 1):
            day = book.month(month)
            for insurance in ("110", "210"):
                self.add(
                    "hr_insurance_contribution",
                    day + 24 * DAY,
                    person=person,
                    insurance=insurance,
                    employer_uscc=code,
                    employer_name=name,
                    payer_type="1",
                    pay_month=day,
                    base_amount=base,
                    status="1",
                )
            self.wage(person, month, wage, name, code, round(base * 0.105, 2))
        if registered:
            begin = book.month(first) + 3 * DAY
            row = {
                "person": person,
                "employer_uscc": code,
                "employer_name": name,
                "job_form": "1",
                "start_date": begin,
                "wage": wage,
            }
            over = closes and last < book.last_month
            told = book.month(last + 1) + 4 * DAY
            self.add("hr_employment_record", begin + 20 * DAY, gone_on=told if over else NEVER, **row)
            if over:
                self.add("hr_employment_record", told, end_date=book.month(last + 1) - DAY, **row)

    def wage(
        self, person: int, month: int, amount: float, name: str = "", code: str = "", social: float = 0.0
    ) -> None:
        """A month of taxed wage."""
        name = name or str(self.employers.firm_name[0])
        code = code or str(self.employers.firm_code[0])
        self.add(
            "tx_iit_withholding",
            self.book.month(month + 1) + 17 * DAY,
            id_type="201",
            person=person,
            payer_uscc=code,
            payer_name=name,
            income_item="01",
            period=self.book.month(month),
            income=amount,
            si_deduction=social,
            tax_withheld=0.0,
        )

    def benefit(
        self, person: int, first: int, months: int, approved: int, reason: str | None, last_known: Any = None
    ) -> None:
        """Unemployment benefit of `months` months."""
        book = self.book
        claim = f"SYP{self.next():010d}"
        for i in range(months):
            day = book.month(first + i)
            final = i == months - 1
            self.add(
                "hr_unemployment_benefit",
                last_known if final and last_known is not None else day + 14 * DAY,
                person=person,
                claim_no=claim,
                approved_months=approved,
                used_months=i + 1,
                amount=1782.0,
                pay_month=day,
                stop_reason=reason if final else None,
            )

    def jobless(
        self, person: int, registered: Any, cancelled: Any = None, known: Any = None, services: int = 1
    ) -> None:
        """A registration as unemployed, with the number of services given since."""
        row = {
            "person": person,
            "category": "1",
            "reg_date": registered,
            "services_count": services,
            "refuse_count": 0,
        }
        gone = NEVER if cancelled is None else cancelled + 3 * DAY
        self.add("hr_jobless_register", registered + 4 * DAY if known is None else known, gone_on=gone, **row)
        if cancelled is not None:
            self.add("hr_jobless_register", gone, cancel_date=cancelled, cancel_reason="1", **row)

    def settle(
        self,
        person: int,
        ago: int,
        own: float,
        known: Any = None,
        refund_of: str | None = None,
        fee: float | None = None,
        diagnosis: str = "I63",
    ) -> str:
        """A hospital stay with its own payment; a refund carries the number of what it refunds."""
        book = self.book
        number = refund_of or f"SP{book.shard.index:02d}{self.next():012d}"
        day = self.ago(ago)
        total = round(own * 2.6, 2) if fee is None else fee
        sign = -1.0 if refund_of else 1.0
        self.add(
            "mi_settlement",
            day + 3 * DAY if known is None else known,
            settle_id=number,
            person=person,
            visit_type="21",
            hospital_code="H15090200001",
            admit_date=NEVER if refund_of else day - 9 * DAY,
            settle_date=day,
            total_fee=sign * total,
            in_scope_fee=sign * round(total * 0.9, 2),
            basic_pay=sign * round(total - own, 2),
            critical_pay=0.0,
            aid_pay=0.0,
            other_pay=0.0,
            self_pay=sign * own,
            diag_icd10=diagnosis,
            refund_flag=bool(refund_of),
        )
        return number

    def certificate(
        self,
        person: int,
        kind_: str,
        grade: str,
        issued: Any,
        known: Any = None,
        status: str = "1",
        suffix: str = "",
    ) -> None:
        """A disability certificate."""
        book = self.book
        number = f"{book.frame['resident_id'][person]}{kind_}{grade}{suffix}"
        if status == "1":
            book.dis_type[person], book.dis_grade[person] = kind_, grade
        self.add(
            "dp_disability_cert",
            issued + 6 * DAY if known is None else known,
            cert_no=number,
            person=person,
            dis_type=kind_,
            dis_grade=grade,
            issue_date=issued,
            valid_to=issued + np.timedelta64(3652, "D"),
            status=status,
            village_code=book.village[person],
        )

    def death_rows(self, person: int, sources: str, known: Any) -> None:
        """What the sources say of a death: r register, c crematorium, m medical certificate."""
        book = self.book
        died = book.death[person]
        if "r" in sources:
            self.add(
                "ps_death",
                known,
                person=person,
                death_date=died,
                cancel_date=known,
                death_reason="疾病",
                village_code=book.village[person],
            )
        if "c" in sources:
            relative = next(
                (r for r in np.flatnonzero(book.household == book.household[person]) if r != person), -1
            )
            self.add(
                "ca_cremation",
                known,
                person=person,
                age=int((died - book.born[person]).astype(int) / 365.25),
                death_date=died,
                cremation_date=died + 3 * DAY,
                address=book.frame["live_address"][person],
                contact_person=int(relative),
            )
        if "m" in sources:
            self.add(
                "hl_birth_death_cert",
                known,
                cert_type="2",
                cert_no=f"DP{self.next():010d}",
                person=person,
                event_date=died,
                cause_icd10="I25",
                issue_org="县人民医院",
            )

    def custody(
        self, person: int, kind_: str, begin: Any, end: Any, status: str = "1", known: Any = None
    ) -> None:
        """A custody spell."""
        self.add(
            "ps_custody",
            begin + 12 * DAY if known is None else known,
            person=person,
            custody_type=kind_,
            start_date=begin,
            end_date=end,
            facility_division="150902",
            status=status,
        )

    def vehicle(
        self,
        owner: int,
        type_: str,
        brand: str,
        bought: Any,
        status: str = "A",
        known: Any = None,
        gone: Any = NEVER,
    ) -> int:
        """A vehicle; returns its running number."""
        number = self.next()
        serial = self.book.shard.index * 200_000 + 150_000 + self.serial
        self.add(
            "ps_vehicle",
            bought + 3 * DAY if known is None else known,
            gone_on=gone,
            owner_cert_type="A",
            owner_person=owner,
            plate_no=str(ids.plates(np.array([serial]))[0]),
            plate_class="07" if type_[0] == "M" else "02",
            vehicle_type=type_,
            use_nature="F" if type_[0] == "H" else "A",
            brand_model=brand,
            vin=str(ids.vins(np.array([serial]))[0]),
            engine_cc=124 if type_[0] == "M" else 1498,
            first_reg_date=bought,
            status=status,
        )
        return number

    def title(
        self,
        owner: int,
        use: str = "10",
        how: str = "1",
        gained: Any = None,
        status: str = "1",
        partner: int = -1,
        known: Any = None,
    ) -> None:
        """A title of a flat, shop or parking space; with `partner` both hold it jointly."""
        serial = self.book.shard.index * 400_000 + 300_000 + self.next() % 50_000
        gained = self.book.t0 - 2500 * DAY if gained is None else gained
        county = self.book.county[owner]
        where = {
            "10": f"幸福家园{serial % 20 + 1}号楼2单元{serial % 90 + 101}室",
            "20": f"阳光花园商铺{serial % 90}号",
        }
        year = gained.astype("datetime64[Y]").astype(int) + 1970
        row = {
            "unit_no": f"{county}001001GB{serial % 100_000:05d}F{serial:08d}",
            "cert_no": f"蒙({year})乌兰察布市不动产权第{serial:07d}号",
            "share_mode": "2" if partner >= 0 else "1",
            "location": places.counties()[county] + where.get(use, f"阳光花园地下车位{serial % 300}号"),
            "area": {"10": 82.5, "20": 46.0}.get(use, 12.8),
            "use": use,
            "obtained_by": how,
            "reg_date": gained,
            "status": status,
        }
        for holder in (owner, partner):
            if holder >= 0:
                self.add(
                    "re_ownership", gained + 4 * DAY if known is None else known, holder_person=holder, **row
                )

    def contract(self, buyer: int, signed: Any, status: str = "1", known: Any = None) -> None:
        """A new-home contract."""
        self.add(
            "hc_presale_contract",
            signed + 3 * DAY if known is None else known,
            contract_no=f"WQ1509P{self.next():09d}",
            buyer_person=buyer,
            project="学府花园",
            room=f"{self.serial % 18 + 1}-1-{self.serial % 16 + 101}",
            area=96.4,
            price_total=415_000.0,
            sign_date=signed,
            filing_date=signed + DAY,
            status=status,
        )

    def entity(
        self, person: int, type_: str, role: str, status: str = "1", since: Any = None, known: Any = None
    ) -> None:
        """A role in a market entity."""
        head = {"1": "91", "2": "92", "3": "93"}[type_]
        since = self.book.t0 - 900 * DAY if since is None else since
        number = 7 * 10**8 + self.next()
        code = str(ids.credit_codes(np.array([int(self.book.county[person])]), [head], np.array([number]))[0])
        name = {"1": "盛世商贸有限公司", "2": "天和小吃店", "3": "草原养殖专业合作社"}[type_]
        self.add(
            "am_entity_role",
            since + 4 * DAY if known is None else known,
            person=person,
            uscc=code,
            entity_name=f"乌兰察布市{name}",
            entity_type=type_,
            role=role,
            subscribed_capital=0.0 if type_ == "3" else 300_000.0,
            share_ratio=1.0 if type_ == "3" else 100.0,
            est_date=since,
            status=status,
            status_date=since if status == "1" else since + 500 * DAY,
        )

    def bank(
        self,
        person: int,
        applicant: int,
        amount: float | None,
        result: str = "1",
        asked: Any = None,
        known: Any = None,
        account: int = 0,
    ) -> None:
        """The reply of a bank to a query under the applicant's authorisation."""
        asked = self.ago(33) if asked is None else asked
        self.add(
            "fn_bank_balance",
            asked + 5 * DAY if known is None else known,
            authorization_no=authorizations(self.book, np.array([applicant]))[0],
            person=person,
            bank_code=("402", "103", "105")[account % 3],
            account_tail=f"{(person * 37 + account * 1013) % 10_000:04d}" if result == "1" else None,
            currency="CNY",
            balance=amount,
            query_date=asked,
            result=result,
        )

    def subsidy(self, person: int, type_: str, amount: float, first: int, guardian: int = -1) -> None:
        """A monthly welfare subsidy up to the present month."""
        for month in range(max(first, 0), self.book.last_month + 1):
            day = self.book.month(month)
            self.add(
                "ca_welfare_subsidy",
                day + 10 * DAY,
                person=person,
                subsidy_type=type_,
                guardian_person=guardian,
                amount=amount,
                pay_month=day,
                status="1",
            )

    def monitored(self, family: Family, income: float, since: Any, known: Any, removed: Any = None) -> None:
        """A monitored farm household with a surveyed income per head and year; `removed` is the day its risk was."""
        number = f"1509P{self.next():09d}"
        for i, member in enumerate(family.rows):
            self.add(
                "ag_poverty_monitor",
                known,
                hh_no=number,
                member_no=f"{number}{i:02d}",
                person=member,
                relation="02" if member == family.head else "80",
                type="3",
                risk_cause=["因病"],
                identify_date=since,
                risk_removed=removed is not None,
                removed_date=removed,
                per_capita_income=income,
                village_code=self.book.village[member],
            )

    def flush(self) -> None:
        """Write everything gathered into the book, one call a table."""
        for table in SCHEMAS:
            rows = self.rows.get(table)
            if not rows:
                continue
            columns: dict[str, Any] = {}
            for name, what in SCHEMAS[table].items():
                values = [r.get(name) for r in rows]
                if all(v is None for v in values):
                    continue
                if what == "p":
                    columns[name] = np.array([-1 if v is None else v for v in values], dtype=np.int64)
                elif what == "d":
                    columns[name] = np.array(
                        [NEVER if v is None else v for v in values], dtype="datetime64[D]"
                    )
                elif what == "m":
                    columns[name] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
                else:
                    columns[name] = pl.Series(values, dtype=KINDS[what])
            known = np.array([r["known_on"] for r in rows], dtype="datetime64[D]")
            gone = np.array([r.get("gone_on", NEVER) for r in rows], dtype="datetime64[D]")
            self.book.write(table, known, gone, **columns)


# ---- who dies, before the register is written --------------------------------------------------------------------


def fates(book: Book, told: list[Told]) -> dict[int, Any]:
    """Deaths of planted people, and the day on which the register learns of each (NaT: it has not yet)."""
    night = book.night
    month = int(book.month_no(night))
    known: dict[int, Any] = {}
    for item in told:
        f, key, v = item.family, item.kind.key, night + item.night * DAY
        late = book.month(month - 1)
        plan = {
            "earner_died": (f.head, night - 40 * DAY, night - 22 * DAY),
            "earner_died_just_now": (f.head, night - 9 * DAY, v),
            "only_able_member_died": (f.head, night - 33 * DAY, night - 20 * DAY),
            "elder_without_income_died": (
                f.elders[0] if f.elders else -1,
                night - 35 * DAY,
                night - 20 * DAY,
            ),
            "smaller_earner_died": (f.head, night - 38 * DAY, night - 25 * DAY),
            "earner_died_long_ago": (f.head, night - 430 * DAY, night - 405 * DAY),
            "dead_still_paid": (f.head, book.month(month - 4) + 11 * DAY, book.month(month - 4) + 30 * DAY),
            "dead_subsidy_two_sources": (
                f.head,
                book.month(month - 4) + 17 * DAY,
                book.month(month - 3) + 20 * DAY,
            ),
            "dead_member_still_covered": (f.partner, book.month(month - 3) + 5 * DAY, NEVER),
            "dead_known_late": (f.head, book.month(month - 3) + 8 * DAY, v),
            "died_after_last_payment": (f.head, late + 26 * DAY, min(late + 38 * DAY, night)),
            "dead_member_left_in_time": (
                f.partner,
                book.month(month - 4) + 8 * DAY,
                book.month(month - 4) + 18 * DAY,
            ),
            "payment_after_death_returned": (
                f.head,
                book.month(month - 2) + 19 * DAY,
                book.month(month - 1) + 20 * DAY,
            ),
        }.get(key)
        deaths = [] if plan is None else [plan]
        if item.kind.dies is not None:
            deaths += item.kind.dies(book, f, v)
        for row, died, learned in deaths:
            if row >= 0:
                book.death[row] = died
                known[row] = learned
    return known


def write(book: Book, told: list[Told], employers: Employers) -> None:
    """Tell every story and note it in the situations."""
    planter = Planter(book, employers)
    for number, item in enumerate(told):
        f = item.family
        planter.case_no, planter.person, planter.shift = None, f.head, item.night
        item.kind.tell(planter, f)
        book.situations.append(
            {
                "situation_id": book.shard.index * 100_000 + number + 1,
                "rule_id": item.kind.rule,
                "true_household_id": book.base + f.household,
                "true_person_id": book.base + planter.person,
                "expectation": item.kind.expectation,
                "visible_on": (book.night + item.night * DAY).item(),
                "case_no": planter.case_no,
                "kind": item.kind.key,
                "note": item.kind.note,
            }
        )
    _elders(book, told, planter.unpensioned)
    planter.flush()


def _elders(book: Book, told: list[Told], without: set[int]) -> None:
    """Everybody of 60 and more in a planted family draws the resident pension, until death, but for those `without`."""
    rows = np.array([r for t in told for r in t.family.elders if r not in without], dtype=np.int64)
    suspended = {t.family.head for t in told if t.kind.key == "suspended_pension"}
    death = book.death[rows]
    last = where(np.isnat(death), 10**6, book.month_no(where(np.isnat(death), book.last, death)))
    first = np.maximum(book.month_no(book.born[rows] + np.timedelta64(21_915, "D")) + 1, 0)
    person: list[Ints] = []
    month: list[Ints] = []
    for row, a, b in zip(rows, first, last, strict=True):
        span = np.arange(a, min(b, book.last_month) + 1)
        person.append(np.full(len(span), row))
        month.append(span)
    if not person:
        return
    who, when = np.concatenate(person), np.concatenate(month)
    now = book.month_no(book.night)
    held = np.isin(who, list(suspended)) & (when >= now - 2)
    resident_rows(book, who, when, np.full(len(who), 24.5), held)


# ---- N01 own-pay medical cost ------------------------------------------------------------------------------------


@kind("N01", "must", "couple_rural couple_urban family_urban", "未纳入救助，近12个月两次住院自付16600元")
def two_stays(p: Planter, f: Family) -> None:
    """Two stays, 16,600 yuan together, nobody covered."""
    p.settle(f.head, 140, 9200.0)
    p.settle(f.head, 35, 7400.0)


@kind("N01", "must", "couple_urban family_rural couple_rural", "低保成员自付6300元，超过5000元")
def covered_member_pays(p: Planter, f: Family) -> None:
    """A dibao member pays 6,300 yuan."""
    p.case(f)
    p.settle(f.head, 200, 3900.0)
    p.settle(f.head, 60, 2400.0)


@kind(
    "N01",
    "must",
    "couple_rural family_rural couple_urban",
    "低保边缘成员自付11500元，最后一笔后到",
    late=True,
)
def edge_member_pays(p: Planter, f: Family) -> None:
    """An edge member passes 10,000 yuan with a settlement that arrives late."""
    p.case(f, "3")
    p.settle(f.head, 150, 6000.0)
    p.settle(f.head, 12, 5500.0, known=p.visible)


@kind("N01", "must", "old_rural old_urban", "特困人员自付1450元，超过1000元")
def tekun_pays(p: Planter, f: Family) -> None:
    """A tekun elder pays 1,450 yuan."""
    p.case(f, "2")
    p.settle(f.head, 80, 1450.0)


@kind("N01", "must_not", "couple_urban couple_rural family_rural", "自付18500元，其中7200元退费，净额11300元")
def refunded(p: Planter, f: Family) -> None:
    """Gross 18,500 yuan, but 7,200 refunded."""
    p.settle(f.head, 170, 11_300.0)
    number = p.settle(f.head, 70, 7200.0)
    p.settle(f.head, 70, 7200.0, known=p.ago(50), refund_of=number)


@kind("N01", "must_not", "couple_rural family_urban couple_urban", "大额自付在12个月以前")
def stay_long_ago(p: Planter, f: Family) -> None:
    """A large payment more than twelve months ago."""
    p.settle(f.head, 400, 21_000.0)
    p.settle(f.head, 45, 2000.0)


@kind("N01", "must_not", "couple_rural couple_urban family_rural", "恰好15000元，未超过")
def exactly_the_limit(p: Planter, f: Family) -> None:
    """Exactly 15,000 yuan."""
    p.settle(f.head, 120, 8000.0)
    p.settle(f.head, 40, 7000.0)


@kind("N01", "must_not", "couple_urban couple_rural", "夫妻两人分别自付9000元和8500元，每人均未超过")
def two_members_pay(p: Planter, f: Family) -> None:
    """Two members, each below the limit that counts a person."""
    p.settle(f.head, 100, 9000.0)
    p.settle(f.partner, 30, 8500.0)


@kind("N01", "must_not", "couple_rural couple_urban", "低保成员自付4700元，未超过5000元")
def covered_member_below(p: Planter, f: Family) -> None:
    """A dibao member below the limit of the covered."""
    p.case(f)
    p.settle(f.head, 90, 4700.0)


# ---- N02 new severe disability -----------------------------------------------------------------------------------


@kind("N02", "must", "couple_rural couple_urban family_rural", "40天前新发肢体一级残疾证，未纳入救助")
def new_limb_one(p: Planter, f: Family) -> None:
    """A new certificate, limb grade 1."""
    p.certificate(f.head, "4", "1", p.ago(40))


@kind("N02", "must", "single_rural single_urban couple_rural", "75天前新发精神三级残疾证")
def new_mental_three(p: Planter, f: Family) -> None:
    """Mental grade 3 counts as severe."""
    p.certificate(f.head, "6", "3", p.ago(75))


@kind("N02", "must", "couple_urban couple_rural", "新发智力二级残疾证，数据后到", late=True)
def new_intellectual_two(p: Planter, f: Family) -> None:
    """Issued twelve days ago, delivered on a later night."""
    p.certificate(f.partner, "5", "2", p.ago(12), known=p.visible)
    p.person = f.partner


@kind("N02", "must", "family_rural family_urban couple_rural", "低保边缘家庭成员（未保障）新发视力二级残疾证")
def new_in_edge_family(p: Planter, f: Family) -> None:
    """An edge family's member is not covered."""
    p.case(f, "3")
    p.certificate(f.head, "1", "2", p.ago(28))


@kind("N02", "must_not", "couple_rural couple_urban", "新发肢体三级，不属重度")
def new_limb_three(p: Planter, f: Family) -> None:
    """Limb grade 3 is not severe."""
    p.certificate(f.head, "4", "3", p.ago(30))


@kind("N02", "must_not", "couple_urban couple_rural", "重度残疾证发于200天前，不是新发")
def issued_long_ago(p: Planter, f: Family) -> None:
    """Severe, but issued 200 days ago."""
    p.certificate(f.head, "2", "1", p.ago(200))


@kind("N02", "must_not", "couple_rural couple_urban", "新发重度残疾证，但已是低保保障对象")
def new_but_covered(p: Planter, f: Family) -> None:
    """Covered by dibao already."""
    p.case(f)
    p.certificate(f.head, "4", "2", p.ago(33))


@kind("N02", "must_not", "single_urban single_rural couple_rural", "新发精神四级，不属重度")
def new_mental_four(p: Planter, f: Family) -> None:
    """Mental grade 4 is not severe."""
    p.certificate(f.head, "6", "4", p.ago(25))


@kind("N02", "must_not", "couple_rural couple_urban", "到期换证，残疾等级未变")
def renewed(p: Planter, f: Family) -> None:
    """A renewal with the same grade is nothing new."""
    p.certificate(f.head, "4", "2", p.ago(3690), status="3")
    p.certificate(f.head, "4", "2", p.ago(38), suffix="B1")


@kind("N02", "must_not", "couple_urban couple_rural", "新发重度残疾证已注销")
def cancelled_certificate(p: Planter, f: Family) -> None:
    """The certificate has been cancelled."""
    p.certificate(f.head, "4", "1", p.ago(50), status="3")


# ---- N05 job loss ------------------------------------------------------------------------------------------------


@kind("N05", "must", "couple_urban family_urban couple_rural", "单位缴费中断3个月，未再就业")
def contributions_stopped(p: Planter, f: Family) -> None:
    """Contributions end four months back; three reported months are missing."""
    p.job(f.head, -30, p.now - 4, 4600.0)


@kind("N05", "must", "couple_urban couple_rural family_rural", "失业保险金12个月已领满")
def benefit_used_up(p: Planter, f: Family) -> None:
    """All twelve months of benefit drawn."""
    p.job(f.head, -60, p.now - 14, 4300.0)
    p.benefit(f.head, p.now - 12, 12, 12, "1")


@kind("N05", "must", "single_urban single_rural couple_rural", "登记失业已8个月")
def registered_for_long(p: Planter, f: Family) -> None:
    """Registered unemployed for eight months."""
    p.jobless(f.head, p.ago(245))


@kind("N05", "must", "couple_urban couple_rural", "登记失业已7个月，登记数据后到", late=True)
def registration_just_seen(p: Planter, f: Family) -> None:
    """A registration of seven months ago that arrives on a later night."""
    p.jobless(f.head, p.ago(216), known=p.visible)


@kind("N05", "must_not", "couple_urban couple_rural", "换工作，仅中断1个月")
def changed_jobs(p: Planter, f: Family) -> None:
    """One month between two jobs."""
    p.job(f.head, -30, p.now - 5, 4600.0)
    p.job(f.head, p.now - 3, 999, 4800.0, employer=7)


@kind("N05", "must_not", "couple_urban couple_rural", "停缴是因为退休，已领养老金")
def retired(p: Planter, f: Family) -> None:
    """Contributions stopped because an early pension began."""
    p.job(f.head, -90, p.now - 6, 5200.0)
    for month in range(p.now - 5, p.book.last_month + 1):
        day = p.book.month(month)
        p.add(
            "hr_employee_pension",
            day + 11 * DAY,
            person=f.head,
            benefit_type="2",
            amount=2950.0,
            pay_month=day,
            first_month=p.book.month(p.now - 5),
            status="1",
        )


@kind("N05", "must_not", "single_urban single_rural couple_rural", "登记失业10个月，其间已因就业注销")
def registration_cancelled(p: Planter, f: Family) -> None:
    """Cancelled because a job was found."""
    p.jobless(f.head, p.ago(300), cancelled=p.ago(70))


@kind("N05", "must_not", "couple_urban couple_rural", "单位缴费仅中断2个月")
def stopped_two_months(p: Planter, f: Family) -> None:
    """Two months missing only."""
    p.job(f.head, -30, p.now - 3, 4700.0)


@kind("N05", "must_not", "couple_rural couple_urban", "停缴后已上公益性岗位")
def public_post_found(p: Planter, f: Family) -> None:
    """A public-welfare post began after the job ended."""
    p.job(f.head, -30, p.now - 6, 4200.0)
    begin = p.book.month(p.now - 4)
    p.add(
        "hr_employment_record",
        begin + 12 * DAY,
        person=f.head,
        employer_name="乡镇公益性岗位",
        job_form="3",
        start_date=begin,
        wage=1980.0,
    )


@kind("N05", "must_not", "single_rural single_urban couple_urban", "登记失业4个月，未满6个月")
def registered_shortly(p: Planter, f: Family) -> None:
    """Registered for four months only."""
    p.jobless(f.head, p.ago(125))


# ---- N09 earner lost ---------------------------------------------------------------------------------------------


@kind("N09", "must", "family_urban family_rural couple_urban", "主要收入成员40天前去世")
def earner_died(p: Planter, f: Family) -> None:
    """The one who earned has died."""
    p.job(f.head, -20, p.now - 2, 5200.0)
    p.death_rows(f.head, "rc", p.ago(22))


@kind("N09", "must", "family_rural family_urban couple_rural", "主要收入成员入狱服刑")
def earner_in_prison(p: Planter, f: Family) -> None:
    """The one who earned is in prison."""
    p.job(f.head, -20, p.now - 3, 4900.0)
    p.custody(f.head, "3", p.ago(55), p.ago(-700), known=p.ago(20))


@kind("N09", "must", "family_urban family_rural", "主要收入成员9天前去世，数据后到", late=True)
def earner_died_just_now(p: Planter, f: Family) -> None:
    """Death becomes known on a later night."""
    p.job(f.head, -20, p.now - 1, 5600.0)
    p.death_rows(f.head, "rm", p.visible)


@kind("N09", "must", "couple_rural couple_urban", "唯一有劳动能力成员去世，配偶一级残疾")
def only_able_member_died(p: Planter, f: Family) -> None:
    """The spouse left behind is severely disabled."""
    p.certificate(f.partner, "4", "1", p.ago(2400))
    p.death_rows(f.head, "r", p.ago(20))


@kind("N09", "must_not", "family_urban family_rural couple_urban", "社区矫正，人在家中")
def community_correction(p: Planter, f: Family) -> None:
    """Community correction takes nobody out of the family."""
    p.job(f.head, -20, 999, 5000.0)
    p.custody(f.head, "5", p.ago(50), p.ago(-400))


@kind("N09", "must_not", "threegen_rural threegen_urban", "去世的是老人，主要收入成员健在")
def elder_without_income_died(p: Planter, f: Family) -> None:
    """A grandparent died; the earner lives."""
    p.job(f.head, -20, 999, 5100.0)
    p.death_rows(f.elders[0], "rc", p.ago(20))
    p.person = f.elders[0]


@kind("N09", "must_not", "couple_urban couple_rural family_urban", "短期拘留已释放")
def detention_over(p: Planter, f: Family) -> None:
    """Detained for ten days and released."""
    p.job(f.head, -20, 999, 4800.0)
    p.custody(f.head, "1", p.ago(60), p.ago(50), status="2", known=p.ago(45))


@kind("N09", "must_not", "couple_urban couple_rural", "去世者收入占比不足一半，配偶有工资")
def smaller_earner_died(p: Planter, f: Family) -> None:
    """The surviving partner earned more."""
    p.job(f.head, -20, p.now - 2, 3600.0)
    p.job(f.partner, -30, 999, 6400.0, employer=3)
    p.death_rows(f.head, "rc", p.ago(25))


@kind("N09", "must_not", "couple_rural couple_urban family_rural", "去世已14个月")
def earner_died_long_ago(p: Planter, f: Family) -> None:
    """Fourteen months ago."""
    p.job(f.head, -20, p.now - 15, 5000.0)
    p.death_rows(f.head, "rc", p.ago(405))


# ---- N10 below dibao and uncovered -------------------------------------------------------------------------------


@kind("N10", "must", "lone_urban lone_rural", "单亲，本人登记失业，子女在校，无任何收入记录")
def lone_parent_jobless(p: Planter, f: Family) -> None:
    """Registered unemployed for three months, a child at school."""
    p.jobless(f.head, p.ago(100))


@kind("N10", "must", "oldcouple_rural oldcouple_urban", "老年夫妻仅有居民养老金，一人重度残疾")
def old_couple_disabled(p: Planter, f: Family) -> None:
    """Resident pensions alone, one of two severely disabled."""
    p.certificate(f.head, "4", "1", p.ago(3100))


@kind("N10", "must", "couple_urban couple_rural", "夫妻均登记失业，无收入")
def couple_jobless(p: Planter, f: Family) -> None:
    """Both registered unemployed."""
    p.jobless(f.head, p.ago(150))
    p.jobless(f.partner, p.ago(90))


@kind("N10", "must", "family_rural couple_rural", "防返贫监测户，人均纯收入5600元，数据后到", late=True)
def surveyed_below(p: Planter, f: Family) -> None:
    """A monitored household with 5,600 yuan a head and year."""
    p.monitored(f, 5600.0, p.ago(20), p.visible)


@kind("N10", "must_not", "family_rural couple_rural", "监测户人均纯收入恰为7320元，不低于标准")
def surveyed_at_the_line(p: Planter, f: Family) -> None:
    """Exactly at the rural standard."""
    p.monitored(f, 7320.0, p.ago(60), p.ago(40))


@kind("N10", "must_not", "lone_urban lone_rural couple_urban", "登记失业，但名下有小轿车")
def poor_with_car(p: Planter, f: Family) -> None:
    """A car speaks against it."""
    p.jobless(f.head, p.ago(100))
    if f.partner >= 0:
        p.jobless(f.partner, p.ago(90))
    p.vehicle(f.head, "K33", "吉利牌JL7152", p.ago(1200))


@kind("N10", "must_not", "lone_rural lone_urban couple_rural", "收入低于标准，但已纳入低保")
def poor_but_covered(p: Planter, f: Family) -> None:
    """In dibao already."""
    p.case(f)
    p.jobless(f.head, p.ago(100))


@kind("N10", "must_not", "couple_rural couple_urban", "一人登记失业，另一人收入来源未知（不等于没有）")
def means_unknown(p: Planter, f: Family) -> None:
    """The means of one member are unknown: no estimate."""
    p.jobless(f.head, p.ago(110))


@kind("N10", "must_not", "couple_urban couple_rural", "80天前申请低保，入户核查后不予确认")
def refused_lately(p: Planter, f: Family) -> None:
    """Refused after a survey eighty days ago."""
    p.jobless(f.head, p.ago(120))
    p.jobless(f.partner, p.ago(120))
    accept = p.ago(110)
    p.add(
        "ca_application",
        p.ago(79),
        apply_no=f"SLP{p.next():010d}",
        category="1",
        applicant_person=f.head,
        member_persons=[p.book.base + r for r in f.rows],
        accept_date=accept,
        check_report_no=f"HD{p.serial:010d}",
        survey_date=accept + 6 * DAY,
        publicity_from=accept + 15 * DAY,
        decision="2",
        decision_date=p.ago(80),
        reason="1",
        authorization_no=authorizations(p.book, np.array([f.head]))[0],
    )


@kind("N10", "must_not", "lone_urban lone_rural couple_urban", "有工资申报，人均高于标准")
def wage_above(p: Planter, f: Family) -> None:
    """Taxed wages above the line."""
    for month in range(0, p.book.last_month):
        p.wage(f.head, month, 1000.0 * len(f.rows) * 1.15)


# ---- P04 payment gap ---------------------------------------------------------------------------------------------


@kind("P04", "must", "couple_rural family_rural couple_urban", "在保户连续两个月没有发放记录")
def months_unpaid(p: Planter, f: Family) -> None:
    """Nothing paid for last month and this one."""
    p.case(f, skip=(p.now - 1, p.now))


@kind("P04", "must", "couple_urban family_urban couple_rural", "上月低保金退回，未重发")
def returned_not_resent(p: Planter, f: Family) -> None:
    """Last month's payment came back."""
    p.case(f, returned=(p.now - 1,))


@kind("P04", "must", "family_rural couple_rural family_urban", "两个月前低保金退回，未补发，其后正常")
def older_return_not_resent(p: Planter, f: Family) -> None:
    """The month before last came back and was never sent again."""
    p.case(f, returned=(p.now - 2,))


@kind("P04", "must", "old_rural old_urban", "特困人员连续两个月没有发放记录")
def tekun_unpaid(p: Planter, f: Family) -> None:
    """A tekun elder was not paid."""
    p.case(f, "2", skip=(p.now - 1, p.now))


@kind("P04", "must_not", "couple_rural family_rural couple_urban", "退回后已重发成功")
def returned_and_resent(p: Planter, f: Family) -> None:
    """Came back, was sent again, arrived."""
    p.case(f, returned=(p.now - 1,), resent=(p.now - 1,))


@kind("P04", "must_not", "couple_urban couple_rural", "低保边缘家庭不发放低保金")
def edge_is_not_paid(p: Planter, f: Family) -> None:
    """Edge families receive no monthly payment."""
    p.case(f, "3")


@kind("P04", "must_not", "couple_rural couple_urban", "已暂停救助，停发属正常")
def suspended_case(p: Planter, f: Family) -> None:
    """The case is suspended."""
    p.case(f, status="3", skip=tuple(range(p.now - 2, p.now + 3)))


@kind("P04", "must_not", "couple_urban couple_rural family_rural", "新确认，下月起发放")
def newly_confirmed(p: Planter, f: Family) -> None:
    """Confirmed this month, paid from the next."""
    p.case(f, first=p.now + 1, known=p.ago(6))


@kind("P04", "must_not", "couple_rural couple_urban", "已停保，不再发放")
def ended_case(p: Planter, f: Family) -> None:
    """The case ended two months ago."""
    p.case(f, last=p.now - 3)


@kind("P04", "must_not", "family_urban family_rural couple_urban", "退回后以补发项目发放")
def paid_as_back_pay(p: Planter, f: Family) -> None:
    """Came back and was made up for as back pay."""
    number = p.case(f, returned=(p.now - 1,))
    amount = next(r["amount"] for r in reversed(p.rows["ca_assist_payment"]) if r["case_no"] == number)
    p.payment(number, p.now, "6", f.head, amount, "1", p.book.month(p.now) + 9 * DAY)


# ---- X01 dead and paid -------------------------------------------------------------------------------------------


@kind("X01", "must", "old_rural old_urban", "户籍已死亡注销，低保金仍在发放")
def dead_still_paid(p: Planter, f: Family) -> None:
    """A covered elder died three months ago and is paid still."""
    p.case(f)
    p.death_rows(f.head, "r", p.book.month(p.now - 4) + 30 * DAY)


@kind("X01", "must", "old_urban old_rural", "两个来源显示死亡，护理补贴仍在发放")
def dead_subsidy_two_sources(p: Planter, f: Family) -> None:
    """Register and crematorium agree; the nursing subsidy goes on."""
    p.certificate(f.head, "4", "1", p.ago(2000))
    p.subsidy(f.head, "2", 110.0, 0)
    p.death_rows(f.head, "rc", p.book.month(p.now - 3) + 20 * DAY)


@kind("X01", "must", "oldcouple_rural oldcouple_urban", "成员死亡医学证明已出，仍列为保障人员")
def dead_member_still_covered(p: Planter, f: Family) -> None:
    """One of two died, by certificate only, and has not left the case."""
    p.case(f)
    p.death_rows(f.partner, "m", p.book.month(p.now - 3) + 19 * DAY)
    p.person = f.partner


@kind("X01", "must", "old_rural old_urban", "死亡后低保金仍在发放，死亡信息后到", late=True)
def dead_known_late(p: Planter, f: Family) -> None:
    """The register tells it on a later night."""
    p.case(f)
    p.death_rows(f.head, "r", p.visible)


@kind("X01", "must_not", "old_rural old_urban", "养老金因未做资格认证暂停，人健在")
def suspended_pension(p: Planter, f: Family) -> None:
    """A suspended pension is no death."""
    p.case(f)


@kind("X01", "must_not", "old_urban old_rural", "最后一次发放在死亡当月，此后未再发放")
def died_after_last_payment(p: Planter, f: Family) -> None:
    """The last payment was made in the month of the death."""
    p.case(f, last=p.now - 1, reason="3")
    p.death_rows(f.head, "r", min(p.book.month(p.now - 1) + 38 * DAY, p.book.night))


@kind("X01", "must_not", "oldcouple_rural oldcouple_urban", "死亡成员已及时减员，其余成员继续发放")
def dead_member_left_in_time(p: Planter, f: Family) -> None:
    """The dead member left the case; the other is paid rightly."""
    p.case(f, left={f.partner: p.now - 3})
    p.death_rows(f.partner, "rc", p.book.month(p.now - 4) + 18 * DAY)
    p.person = f.partner


@kind("X01", "must_not", "old_rural old_urban", "死亡后一笔发放已退回")
def payment_after_death_returned(p: Planter, f: Family) -> None:
    """The one payment after the death came back."""
    p.case(f, last=p.now - 1, returned=(p.now - 1,), reason="3")
    p.death_rows(f.head, "r", p.book.month(p.now - 1) + 20 * DAY)


# ---- X04 vehicles ------------------------------------------------------------------------------------------------


@kind("X04", "must", "couple_rural family_rural couple_urban", "低保户名下有小轿车")
def car(p: Planter, f: Family) -> None:
    """A private car."""
    p.case(f)
    p.vehicle(f.head, "K33", "哈弗牌CC6460", p.ago(1500))


@kind("X04", "must", "family_rural couple_rural family_urban", "低保户名下有轻型货车")
def lorry(p: Planter, f: Family) -> None:
    """A lorry."""
    p.case(f)
    p.vehicle(f.head, "H31", "福田牌BJ1043", p.ago(800))


@kind("X04", "must", "couple_urban couple_rural", "低保户配偶新购小轿车，数据后到", late=True)
def car_just_bought(p: Planter, f: Family) -> None:
    """Bought by the partner days ago."""
    p.case(f)
    p.vehicle(f.partner, "K33", "长安牌SC7164", p.visible - 3 * DAY, known=p.visible)
    p.person = f.partner


@kind("X04", "must", "family_urban family_rural couple_urban", "低保户配偶名下有面包车")
def van_of_partner(p: Planter, f: Family) -> None:
    """A van of the partner."""
    p.case(f)
    p.vehicle(f.partner, "K31", "五菱牌LZW6450", p.ago(1100))
    p.person = f.partner


@kind("X04", "must_not", "couple_rural family_rural couple_urban", "两轮摩托车不计")
def motorcycle(p: Planter, f: Family) -> None:
    """A motorcycle does not count."""
    p.case(f)
    p.vehicle(f.head, "M21", "豪爵牌HJ125", p.ago(1400))


@kind("X04", "must_not", "couple_urban single_urban couple_rural", "残疾人机动轮椅车不计")
def disability_vehicle(p: Planter, f: Family) -> None:
    """A motor wheelchair does not count."""
    p.case(f)
    p.certificate(f.head, "4", "2", p.ago(2500))
    p.vehicle(f.head, "M11", "残疾人机动轮椅车", p.ago(900))


@kind("X04", "must_not", "couple_rural couple_urban", "车辆已注销")
def scrapped(p: Planter, f: Family) -> None:
    """A cancelled car."""
    p.case(f)
    p.vehicle(f.head, "K33", "大众牌SVW71510", p.ago(4200), status="E")


@kind("X04", "must_not", "family_rural couple_rural couple_urban", "车辆已转移登记给他人")
def sold(p: Planter, f: Family) -> None:
    """Sold and registered in another name."""
    p.case(f)
    when = p.ago(150)
    p.vehicle(f.head, "K33", "现代牌BH7162", p.ago(2600), gone=when + 4 * DAY)
    book = p.book
    free = np.flatnonzero(
        ~book.spared
        & book.registered
        & (book.age0 > 26)
        & (book.age0 < 55)
        & book.alive_on(book.last)
        & (book.aid == "0")
    )
    row = dict(p.rows["ps_vehicle"][-1])
    row.update(
        known_on=when + 4 * DAY,
        gone_on=NEVER,
        owner_person=int(free[(p.serial * 7919) % len(free)]),
        transfer_date=when,
    )
    p.rows["ps_vehicle"].append(row)


# ---- X05 housing -------------------------------------------------------------------------------------------------


@kind("X05", "must", "couple_urban family_urban couple_rural", "低保户名下两套购买住房")
def two_flats(p: Planter, f: Family) -> None:
    """Two bought flats."""
    p.case(f)
    p.title(f.head)
    p.title(f.partner, gained=p.book.t0 - 1200 * DAY)


@kind("X05", "must", "couple_urban single_urban couple_rural", "低保户名下有商铺")
def shop(p: Planter, f: Family) -> None:
    """A shop."""
    p.case(f)
    p.title(f.head, "20")


@kind("X05", "must", "family_rural couple_rural family_urban", "起保后网签购房合同")
def contract_after_start(p: Planter, f: Family) -> None:
    """A contract signed after the case began."""
    p.case(f)
    p.contract(f.head, p.ago(95))


@kind("X05", "must", "couple_urban couple_rural", "起保后登记第二套住房，数据后到", late=True)
def second_flat_just_now(p: Planter, f: Family) -> None:
    """A second title that arrives on a later night."""
    p.case(f)
    p.title(f.head)
    p.title(f.head, gained=p.visible - 4 * DAY, known=p.visible)


@kind("X05", "must_not", "couple_urban family_urban couple_rural", "一套住房和一个车位，车位不计")
def flat_and_parking(p: Planter, f: Family) -> None:
    """One flat and a parking space."""
    p.case(f)
    p.title(f.head)
    p.title(f.head, "50")


@kind("X05", "must_not", "couple_urban couple_rural", "拆迁安置两套住房")
def relocation(p: Planter, f: Family) -> None:
    """Two flats given in relocation."""
    p.case(f)
    p.title(f.head, how="3")
    p.title(f.head, how="3")


@kind("X05", "must_not", "couple_urban single_urban couple_rural", "第二套住房为历史产权，已售出")
def historic_title(p: Planter, f: Family) -> None:
    """The other title is historic."""
    p.case(f)
    p.title(f.head)
    p.title(f.head, status="2", gained=p.book.t0 - 4000 * DAY)


@kind("X05", "must_not", "family_urban couple_urban couple_rural", "网签合同已撤销")
def contract_cancelled(p: Planter, f: Family) -> None:
    """A cancelled contract."""
    p.case(f)
    p.contract(f.head, p.ago(130), status="2")


@kind("X05", "must_not", "couple_urban couple_rural", "夫妻共同共有一套住房，两行记录")
def one_flat_two_holders(p: Planter, f: Family) -> None:
    """Two rows, one flat."""
    p.case(f)
    p.title(f.head, partner=f.partner)


# ---- X06 market entities -----------------------------------------------------------------------------------------


@kind("X06", "must", "couple_urban couple_rural family_urban", "低保户成员经营个体工商户")
def runs_a_shop(p: Planter, f: Family) -> None:
    """Operator of an individual business."""
    p.case(f)
    p.entity(f.head, "2", "4")


@kind("X06", "must", "family_urban couple_urban family_rural", "低保户成员任公司法定代表人")
def legal_representative(p: Planter, f: Family) -> None:
    """Legal representative of an open company."""
    p.case(f)
    p.entity(f.head, "1", "1")


@kind("X06", "must", "couple_rural couple_urban", "低保户成员新任公司投资人，数据后到", late=True)
def new_investor(p: Planter, f: Family) -> None:
    """Investor of a company founded days ago."""
    p.case(f)
    p.entity(f.partner, "1", "2", since=p.visible - 6 * DAY, known=p.visible)
    p.person = f.partner


@kind("X06", "must_not", "couple_rural family_rural couple_urban", "仅为合作社成员")
def coop_member(p: Planter, f: Family) -> None:
    """A member of a co-operative without income."""
    p.case(f)
    p.entity(f.head, "3", "5")


@kind("X06", "must_not", "couple_urban couple_rural", "公司已注销")
def deregistered(p: Planter, f: Family) -> None:
    """A company that is no more."""
    p.case(f)
    p.entity(f.head, "1", "1", status="3")


@kind("X06", "must_not", "couple_rural couple_urban family_rural", "个体户已吊销未注销")
def revoked(p: Planter, f: Family) -> None:
    """A revoked shell."""
    p.case(f)
    p.entity(f.head, "2", "4", status="2")


# ---- X07 financial assets ----------------------------------------------------------------------------------------


@kind("X07", "must", "single_urban single_rural couple_urban", "银行存款人均超过24个月低保标准")
def deposit_above(p: Planter, f: Family) -> None:
    """One account far above the limit."""
    p.case(f)
    p.bank(f.head, f.head, round(STANDARD[p.urban(f.head)] * 24 * len(f.rows) * 2.1, 2))


@kind("X07", "must", "couple_urban couple_rural", "多个账户与保单现金价值合计人均超标")
def assets_add_up(p: Planter, f: Family) -> None:
    """Two members and a policy together pass the limit."""
    p.case(f)
    limit = STANDARD[p.urban(f.head)] * 24 * len(f.rows)
    p.bank(f.head, f.head, round(limit * 0.6, 2))
    p.bank(f.partner, f.head, round(limit * 0.45, 2), account=1)
    p.add(
        "fn_insurance_policy",
        p.ago(27),
        authorization_no=authorizations(p.book, np.array([f.head]))[0],
        policy_no=f"PD****{p.next() % 10_000:04d}",
        holder_person=f.head,
        insured_person=f.head,
        product_type="1",
        annual_premium=3000.0,
        cash_value=round(limit * 0.2, 2),
        start_date=p.book.t0 - 900 * DAY,
        status="1",
        payout_ytd=0.0,
    )


@kind("X07", "must", "couple_rural couple_urban family_rural", "存款超标，银行反馈后到", late=True)
def reply_just_now(p: Planter, f: Family) -> None:
    """The bank's reply arrives on a later night."""
    p.case(f)
    p.bank(
        f.head,
        f.head,
        round(STANDARD[p.urban(f.head)] * 24 * len(f.rows) * 1.8, 2),
        asked=p.visible - 5 * DAY,
        known=p.visible,
    )


@kind("X07", "must_not", "couple_urban couple_rural", "银行未反馈，不等于没有也不等于超标")
def not_answered(p: Planter, f: Family) -> None:
    """No reply, no balance."""
    p.case(f)
    p.bank(f.head, f.head, None, "3")
    p.bank(f.partner, f.head, 2100.0)


@kind("X07", "must_not", "single_rural single_urban couple_rural", "恰好等于24个月标准，未超过")
def exactly_24_months(p: Planter, f: Family) -> None:
    """Exactly the limit."""
    p.case(f)
    p.bank(f.head, f.head, STANDARD[p.urban(f.head)] * 24 * len(f.rows))


@kind("X07", "must_not", "couple_urban couple_rural", "户名不符的大额余额不计")
def name_mismatch(p: Planter, f: Family) -> None:
    """Somebody else's account."""
    p.case(f)
    p.bank(f.head, f.head, 96_000.0, "4")
    p.bank(f.head, f.head, 1500.0, account=1)


@kind("X07", "must_not", "family_rural family_urban", "总额较大但人均未超标")
def large_family(p: Planter, f: Family) -> None:
    """A large total, but below the limit a head."""
    p.case(f)
    p.bank(f.head, f.head, round(STANDARD[p.urban(f.head)] * 24 * len(f.rows) * 0.8, 2))


# ---- X13 two benefits --------------------------------------------------------------------------------------------


def _other_county(p: Planter, person: int) -> dict[str, str]:
    """Another county of the prefecture, and a village there."""
    here = p.book.county[person]
    at = (places.COUNTY_ORDER.index(here) + 1) % len(places.COUNTY_ORDER)
    county = places.COUNTY_ORDER[at]
    village = next(code for code in places.villages() if code[:6] == county)
    return {"county": county, "village": village}


@kind("X13", "must", "couple_rural couple_urban", "同一人在两个旗县同时享受低保")
def two_counties(p: Planter, f: Family) -> None:
    """Covered in two counties."""
    p.case(f, members=[f.head], **_other_county(p, f.head), first=p.now - 12)
    p.case(f)


@kind("X13", "must", "old_rural old_urban", "同时享受低保和特困供养")
def dibao_and_tekun(p: Planter, f: Family) -> None:
    """Dibao and tekun at once."""
    p.case(f, "2", first=p.now - 10)
    p.case(f)


@kind("X13", "must", "lone_rural lone_urban family_rural", "特困未成年人同时领取事实无人抚养儿童补贴")
def tekun_and_child_money(p: Planter, f: Family) -> None:
    """A tekun child draws the money for unattended children too."""
    child = f.kids[0]
    p.case(f, "2", members=[child], applicant=child)
    p.subsidy(child, "5", 1615.0, p.now - 14, guardian=f.head)
    p.person = child


@kind("X13", "must", "couple_rural couple_urban", "新确认的第二个低保证，数据后到", late=True)
def second_case_just_now(p: Planter, f: Family) -> None:
    """A second case that arrives on a later night."""
    first = p.case(f)
    p.case(
        f,
        members=[f.partner],
        **_other_county(p, f.partner),
        first=p.now,
        known=p.visible,
        skip=tuple(range(p.now, p.now + 3)),
    )
    p.case_no = first
    p.person = f.partner


@kind("X13", "must_not", "couple_rural couple_urban", "早已从原证减员，再随配偶纳入")
def left_before_joining(p: Planter, f: Family) -> None:
    """Left the old case before the new one began."""
    p.case(f, members=[f.partner], first=p.now - 22, last=p.now - 14)
    p.case(f, first=p.now - 10)
    p.person = f.partner


@kind("X13", "must_not", "old_rural old_urban", "低保已终止后转特困供养")
def changed_category(p: Planter, f: Family) -> None:
    """Dibao ended when tekun began."""
    p.case(f, last=p.now - 9, reason="7")
    p.case(f, "2", first=p.now - 8)


@kind("X13", "must_not", "couple_rural couple_urban family_rural", "低保边缘家庭中的单人保，不是重复享受")
def single_beside_family(p: Planter, f: Family) -> None:
    """Covered alone beside an edge family."""
    p.certificate(f.head, "4", "1", p.ago(1500))
    p.case(f, "3")
    p.case(f, members=[f.head], single=f.head)


@kind("X13", "must_not", "family_urban family_rural couple_urban", "另一证中仅列为家庭成员，未保障")
def listed_not_covered(p: Planter, f: Family) -> None:
    """Listed in an edge case without cover."""
    p.case(f, "3", first=p.now - 15)
    p.case(f, members=[f.partner], single=f.partner, first=p.now - 11)
    p.person = f.partner
