"""The frame of the world: its tables and columns, the calendar, and the book in which events are written down.

What happens belongs in the chapters (`family.py`, `work.py`, ...). Here is only how it is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from sample_data.ids import Days, Flags, Ints, Texts
from sample_data.population import PERSON_STRIDE, People, Shard
from sample_data.rng import stream

ROW_STRIDE = 1_000_000_000
MONEY = pl.Decimal(18, 2)
KINDS: dict[str, Any] = {
    "p": pl.Int64,
    "P": pl.List(pl.Int64),
    "s": pl.String,
    "S": pl.List(pl.String),
    "d": pl.Date,
    "m": MONEY,
    "i": pl.Int64,
    "y": pl.Int32,
    "b": pl.Boolean,
    "t": pl.Datetime("us"),
}
# One line a class: column:kind in the order of the catalogue. p person, P persons, s text or code, S texts,
# d day or month, m money in yuan or another decimal, i integer, y year, b yes or no, t moment.
_SCHEMAS = """
ps_resident person:p hukou_no:s urban_rural:s reg_address:s village_code:s marital:s education:s reg_status:s updated_at:t
ps_household_member hukou_no:s hukou_category:s head_person:p person:p relation_to_head:s father_person:p mother_person:p spouse_person:p join_date:d leave_date:d
ps_hukou_event event_id:s person:p old_id_no:s old_name:s event_type:s event_date:d from_division:s to_division:s reason:s
ps_death person:p death_date:d cancel_date:d death_reason:s village_code:s
ps_residence_permit permit_no:s person:p live_address:s village_code:s hukou_division:s live_since:d valid_to:d reason:s
ps_vehicle owner_cert_type:s owner_person:p plate_no:s plate_class:s vehicle_type:s use_nature:s brand_model:s vin:s engine_cc:i first_reg_date:d transfer_date:d status:s
ps_custody person:p custody_type:s start_date:d end_date:d facility_division:s status:s
ca_assist_household case_no:s category:s urban_rural:s applicant_person:p members_total:i members_covered:i per_capita_income:m benefit_month:m start_month:d review_cycle:i next_review_month:d status:s grace_end_month:d end_month:d end_reason:s tekun_mode:s selfcare:s village_code:s
ca_assist_member case_no:s person:p relation_to_applicant:s is_covered:b single_person_flag:b labour_ability:s health:s occupation_status:s declared_income:m declared_rigid:m join_month:d leave_month:d
ca_assist_payment case_no:s pay_month:d item:s payee_person:p account_person:p amount:m pay_status:s return_reason:s pay_date:d
ca_application apply_no:s category:s applicant_person:p member_persons:P accept_date:d check_report_no:s survey_date:d publicity_from:d decision:s decision_date:d reason:s authorization_no:s
ca_temp_relief grant_no:s person:p relief_type:s cause:s amount:m grant_date:d place_division:s hukou_division:s
ca_marriage cert_no:s reg_type:s reg_date:d male_person:p female_person:p reg_division:s
ca_cremation person:p age:i death_date:d cremation_date:d address:s contact_person:p
ca_welfare_subsidy person:p subsidy_type:s guardian_person:p amount:m pay_month:d status:s
hr_insurance_contribution person:p insurance:s employer_uscc:s employer_name:s payer_type:s pay_month:d base_amount:m status:s
hr_employee_pension person:p benefit_type:s amount:m pay_month:d first_month:d status:s
hr_resident_pension person:p base_central:m base_local:m account_part:m other_part:m pay_month:d status:s
hr_unemployment_benefit person:p claim_no:s approved_months:i used_months:i amount:m pay_month:d stop_reason:s
hr_jobless_register person:p category:s reg_date:d cancel_date:d cancel_reason:s services_count:i refuse_count:i
hr_employment_record person:p employer_uscc:s employer_name:s job_form:s start_date:d end_date:d wage:m
hr_fiscal_payroll person:p unit_name:s unit_uscc:s post_type:s gross_pay:m pay_month:d
tx_iit_withholding id_type:s person:p payer_uscc:s payer_name:s income_item:s period:d income:m si_deduction:m tax_withheld:m
tx_business_income uscc:s taxpayer_name:s owner_person:p collect_method:s period_from:d period_to:d revenue:m taxable_income:m tax_paid:m tax_status:s
am_entity_role person:p uscc:s entity_name:s entity_type:s role:s subscribed_capital:m share_ratio:m est_date:d status:s status_date:d
re_ownership unit_no:s cert_no:s holder_person:p share_mode:s share_ratio:s location:s area:m use:s obtained_by:s reg_date:d status:s
hc_presale_contract contract_no:s buyer_person:p project:s room:s area:m price_total:m sign_date:d filing_date:d status:s
hc_housing_aid applicant_person:p member_persons:P aid_type:s area:m rent:m subsidy:m start_date:d end_date:d address:s
hc_rural_house_safety head_person:p village_code:s grade:s assess_date:d only_dwelling:b renovation:s finish_date:d subsidy:m
pf_account person:p account_no:s unit_name:s base:m monthly_deposit:m balance:m last_deposit_month:d status:s withdraw_ytd:m loan_balance:m loan_date:d
fn_bank_balance authorization_no:s person:p bank_code:s account_tail:s currency:s balance:m query_date:d result:s
fn_insurance_policy authorization_no:s policy_no:s holder_person:p insured_person:p product_type:s annual_premium:m cash_value:m start_date:d status:s payout_ytd:m
fn_securities authorization_no:s person:p account_no:s market_value:m cash:m fund_value:m query_date:d result:s
fn_internet_finance authorization_no:s person:p platform:s product:s balance:m inflow_12m:m query_date:d
mi_enrolment person:p insu_type:s year:y pay_status:s aid_category:s self_paid:m employer_name:s division:s
mi_settlement settle_id:s person:p visit_type:s hospital_code:s admit_date:d settle_date:d total_fee:m in_scope_fee:m basic_pay:m critical_pay:m aid_pay:m other_pay:m self_pay:m diag_icd10:s refund_flag:b
mi_medical_aid person:p aid_type:s category:s amount:m pay_date:d settle_id:s
hl_serious_disease person:p disease:s icd10:s diag_date:d hospital:s manage_status:s guardian_person:p village_code:s
hl_birth_death_cert cert_type:s cert_no:s person:p event_date:d mother_person:p father_person:p cause_icd10:s issue_org:s
ed_enrolment student_no:s person:p school:s school_nature:s stage:s grade:s status:s status_date:d boarding:b tuition:m guardian_person:p
ed_student_aid student_no:s person:p item:s hardship:s term:s amount:m pay_date:d
ag_poverty_monitor hh_no:s member_no:s person:p relation:s type:s risk_cause:S identify_date:d risk_removed:b removed_date:d per_capita_income:m village_code:s
ag_subsidy_land payee_person:p item:s area:m standard:m amount:m pay_date:d contracted_area:m
ag_machinery_vessel owner_person:p kind:s reg_no:s power:m tonnage:m reg_date:d status:s operating:b
em_disaster_relief event_name:s disaster_type:s event_date:d head_person:p affected_count:i rooms_collapsed:i rooms_severe:i crop_area:m loss:m relief_item:s amount:m pay_date:d
em_accident_casualty accident_no:s accident_type:s occur_date:d place:s person:p outcome:s property_loss:m
dp_disability_cert cert_no:s person:p dis_type:s dis_grade:s issue_date:d valid_to:d status:s guardian_person:p village_code:s
dp_rehab_service cert_no:s person:p service:s org:s service_date:d total_cost:m gov_subsidy:m self_pay:m
"""
SCHEMAS: dict[str, dict[str, str]] = {
    line.split()[0]: dict(c.split(":") for c in line.split()[1:]) for line in _SCHEMAS.strip().splitlines()
}
DEPARTMENT_TABLES = tuple(SCHEMAS)


@dataclass(frozen=True)
class World:
    """All that is true, and all that departments know, of one shard. Columns: WORLD.md in this room."""

    persons: pl.DataFrame
    households: pl.DataFrame
    situations: pl.DataFrame
    tables: dict[str, pl.DataFrame]


def _column(values: Any, dtype: Any) -> pl.Series:
    """One column of an event: numpy day, number, text or list to the table's type."""
    if isinstance(values, pl.Series):
        return values.cast(dtype)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return pl.Series(values.astype("datetime64[D]")).cast(dtype)
    if dtype == MONEY:
        if isinstance(values, np.ndarray) and values.dtype.kind in "fi":
            money = pl.Series(np.round(values.astype(np.float64), 2))
            return money.fill_nan(None).cast(MONEY)
        return (
            pl.Series([None if v is None else float(v) for v in values], dtype=pl.Float64)
            .round(2)
            .cast(MONEY)
        )
    if isinstance(values, np.ndarray) and values.dtype.kind in "ifb":
        return pl.Series(values).cast(dtype)
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return pl.Series(values.tolist(), dtype=pl.String).cast(dtype)
    return pl.Series(list(values), dtype=dtype)


@dataclass
class Book:
    """The people as arrays, the calendar, and the rows written so far. One Book lives one shard through its months."""

    shard: Shard
    start: date
    months: int
    nights: int
    frame: pl.DataFrame
    rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    situations: list[dict[str, Any]] = field(default_factory=list)
    # What one chapter finds out and later ones read, by person.
    status: Any = field(init=False)  # work: PUBLIC, FIRM, ... of work.py
    retire_age: Any = field(init=False)
    school_age: Any = field(init=False)
    employee_pension: Any = field(init=False)
    insured_at_work: Any = field(init=False)
    employer_of: Any = field(init=False)
    dis_type: Any = field(init=False)
    dis_grade: Any = field(init=False)
    dis_since: Any = field(init=False)
    ill: Any = field(init=False)
    aid: Any = field(init=False)  # category under which medical insurance is subsidised, '0' for none

    def __post_init__(self) -> None:
        self.t0 = np.datetime64(self.shard.on, "D")
        self.first_month = np.datetime64(self.shard.on, "M")
        self.night = np.datetime64(self.start, "D")
        self.last = self.night + np.timedelta64(self.nights - 1, "D")
        self.last_month = int((self.last.astype("datetime64[M]") - self.first_month).astype(int))
        self.years = ((self.last - self.t0).astype(int) + 1) / 365.25
        self.days = int((self.last - self.t0).astype(int)) + 1
        self.base = self.shard.index * PERSON_STRIDE
        self.n_households = int(self.frame["true_household_id"].to_numpy().max()) - self.base + 1
        self.load()
        self.spared = np.zeros(self.n, dtype=bool)  # families of planted situations: chance leaves them alone
        # People of planted situations whose medical enrolment, or whose schooling, the situation tells by itself.
        self.enrolled_apart: set[int] = set()
        self.schooled_apart: set[int] = set()

    def load(self) -> None:
        """Arrays of the persons; called again when people are added."""
        frame = self.frame
        self.n = frame.height
        self.born = frame["birth_date"].to_numpy().astype("datetime64[D]")
        self.death = frame["death_date"].to_numpy().astype("datetime64[D]")
        self.female = (frame["sex"] == "2").to_numpy()
        self.rural = (frame["urban_rural"] == "2").to_numpy()
        self.registered = frame["is_registered"].to_numpy()
        self.outsider = frame["is_outsider"].to_numpy()
        self.household = frame["true_household_id"].fill_null(self.base - 1).to_numpy() - self.base
        self.slot = frame["slot"].to_numpy()
        self.away = frame["is_away"].to_numpy()
        self.collective = frame["is_collective"].to_numpy()
        self.father = frame["father"].fill_null(self.base - 1).to_numpy() - self.base
        self.mother = frame["mother"].fill_null(self.base - 1).to_numpy() - self.base
        self.spouse = frame["spouse"].fill_null(self.base - 1).to_numpy() - self.base
        self.village = np.array(frame["village_code"].to_list(), dtype=object)
        self.county = np.array([v[:6] if v else "" for v in self.village], dtype=object)
        self.marital = np.array(frame["marital"].to_list(), dtype=object)
        self.age0 = (self.t0 - self.born).astype(np.int64) / 365.25

    def rng(self, name: str) -> np.random.Generator:
        """The generator of one chapter."""
        return stream(self.shard.seed, self.shard.index, name)

    def alive_on(self, day: Any) -> Flags:
        """Who is born and not dead on a day."""
        return np.asarray((self.born <= day) & (np.isnat(self.death) | (self.death > day)))

    def month(self, k: Any) -> Days:
        """First day of the month with number k (0 = first month)."""
        return (self.first_month + np.asarray(k).astype("timedelta64[M]")).astype("datetime64[D]")

    def month_no(self, day: Any) -> Ints:
        """Number of the month in which a day lies."""
        return (np.asarray(day).astype("datetime64[M]") - self.first_month).astype(np.int64)

    def day(self, rng: np.random.Generator, n: int) -> Days:
        """Days anywhere in the time that is lived."""
        return self.t0 + rng.integers(0, self.days, n).astype("timedelta64[D]")

    def ref(self, rows: Any) -> pl.Series:
        """Row numbers of persons as true_person_id; -1 becomes null."""
        rows = np.asarray(rows, dtype=np.int64)
        return pl.Series(np.where(rows >= 0, self.base + rows, -1)).replace(-1, None)

    def write(self, table: str, known_on: Any, gone_on: Any = None, **columns: Any) -> None:
        """Add rows to a table. Columns that are not given are null; what is known after the last night is dropped.

        Person columns (kind p) take arrays of row numbers of `frame`, -1 for nobody; other scalars stand for all rows.
        """
        schema = SCHEMAS[table]
        unknown = columns.keys() - schema.keys()
        if unknown:
            raise KeyError(f"{table} has no column {sorted(unknown)}")
        known = np.asarray(known_on, dtype="datetime64[D]")
        n = (
            len(known)
            if known.ndim
            else max(
                (len(v) for v in columns.values() if hasattr(v, "__len__") and not isinstance(v, str)),
                default=1,
            )
        )
        known = np.broadcast_to(known, n)
        if n == 0:
            return
        data: list[Any] = []
        for name, kind in schema.items():
            value = columns.get(name)
            if value is None:
                data.append(pl.lit(None, dtype=KINDS[kind]).alias(name))
            elif isinstance(value, (str, bool, int, float, np.datetime64, date)):
                if isinstance(value, np.datetime64):
                    value = value.astype("datetime64[D]").item()
                data.append(pl.lit(value).cast(KINDS[kind]).alias(name))
            elif kind == "p":
                data.append(self.ref(value).alias(name))
            else:
                data.append(_column(value, KINDS[kind]).alias(name))
        frame = pl.DataFrame({"known_on": _column(known.copy(), pl.Date)})
        gone = (
            np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
            if gone_on is None
            else np.broadcast_to(np.asarray(gone_on, dtype="datetime64[D]"), n)
        )
        # A row that was replaced before it arrived never stands in a file.
        gone = np.maximum(gone, known)
        frame = frame.with_columns(*data, _column(gone.copy(), pl.Date).alias("gone_on"))
        frame = frame.filter(pl.col("known_on") <= self.last.item()).select(*schema, "known_on", "gone_on")
        self.rows.setdefault(table, []).append(frame)

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables, ordered by the day they became known and then as written."""
        result = {}
        for name, schema in SCHEMAS.items():
            empty = pl.DataFrame(
                schema={**{c: KINDS[k] for c, k in schema.items()}, "known_on": pl.Date, "gone_on": pl.Date}
            )
            whole = pl.concat([empty, *self.rows.get(name, [])]).sort("known_on", maintain_order=True)
            result[name] = whole.with_columns(
                (pl.int_range(pl.len(), dtype=pl.Int64) + self.shard.index * ROW_STRIDE).alias("world_row")
            )
        return result


def book_of(people: People, start: date, months: int, nights: int) -> Book:
    """Open the book of a shard."""
    return Book(people.shard, start, months, nights, people.persons)


def spell_months(first: Ints, last: Ints, low: int, high: int) -> tuple[Ints, Ints]:
    """Expand spells of months (both ends included) cut to low..high: row of the spell and month, one entry a month."""
    begin = np.maximum(first, low)
    end = np.minimum(last, high)
    length = np.maximum(end - begin + 1, 0)
    row = np.repeat(np.arange(len(first)), length)
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return row, begin[row] + offset


def pick(rng: np.random.Generator, values: Any, shares: Any, n: int) -> Texts:
    """Values drawn by share."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    at = np.minimum(np.searchsorted(edges / edges[-1], rng.random(n), side="right"), len(edges) - 1)
    return np.asarray(np.array(values, dtype=object)[at])


def where(condition: Any, yes: Any, no: Any) -> Any:
    """np.where for arrays of Python strings and None, which its types do not foresee."""
    return np.where(condition, yes, no)


def first_of(conditions: Any, values: Any, default: Any = 0) -> Any:
    """np.select for arrays of Python strings and None."""
    return np.select(conditions, values, default)
