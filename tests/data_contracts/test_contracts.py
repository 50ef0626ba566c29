"""Laws of the declarations: every class is complete, feeds something, and says what its columns mean."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from data_contracts import opaque
from data_contracts.contract import (
    ROOT,
    Contract,
    ContractError,
    FactTable,
    Feed,
    FieldSpec,
    catalogue,
    code_lists,
    codes_of,
    departments,
    fact_tables,
)
from data_contracts.feeding import sql_type
from data_contracts.headers import header_key

DEPARTMENTS = {
    "public_security": 7,
    "civil_affairs": 8,
    "human_resources": 7,
    "tax_market": 3,
    "housing_property": 5,
    "financial": 4,
    "medical_insurance": 3,
    "health": 2,
    "education": 2,
    "agriculture_rural": 3,
    "emergency": 2,
    "disabled_federation": 2,
}

CLASSES = [
    "ps_resident",
    "ps_household_member",
    "ps_hukou_event",
    "ps_death",
    "ps_residence_permit",
    "ps_vehicle",
    "ps_custody",
    "ca_assist_household",
    "ca_assist_member",
    "ca_assist_payment",
    "ca_application",
    "ca_temp_relief",
    "ca_marriage",
    "ca_cremation",
    "ca_welfare_subsidy",
    "hr_insurance_contribution",
    "hr_employee_pension",
    "hr_resident_pension",
    "hr_unemployment_benefit",
    "hr_jobless_register",
    "hr_employment_record",
    "hr_fiscal_payroll",
    "tx_iit_withholding",
    "tx_business_income",
    "am_entity_role",
    "re_ownership",
    "hc_presale_contract",
    "hc_housing_aid",
    "hc_rural_house_safety",
    "pf_account",
    "fn_bank_balance",
    "fn_insurance_policy",
    "fn_securities",
    "fn_internet_finance",
    "mi_enrolment",
    "mi_settlement",
    "mi_medical_aid",
    "hl_serious_disease",
    "hl_birth_death_cert",
    "ed_enrolment",
    "ed_student_aid",
    "ag_poverty_monitor",
    "ag_subsidy_land",
    "ag_machinery_vessel",
    "em_disaster_relief",
    "em_accident_casualty",
    "dp_disability_cert",
    "dp_rehab_service",
]

UNITS = {
    "money": {"元", "万元", "元/月", "元/年", "元/学年", "元/亩"},
    "decimal": {"m2", "亩", "%", "kW", "总吨"},
    "integer": {"人", "岁", "月", "次", "间", "ml"},
}

PERIODS = {
    ("ca_assist_household", "per_capita_income"): "元/月",
    ("ca_assist_household", "benefit_month"): "元/月",
    ("ca_assist_member", "declared_income"): "元/月",
    ("ca_assist_member", "declared_rigid"): "元/月",
    ("ca_welfare_subsidy", "amount"): "元/月",
    ("hr_insurance_contribution", "base_amount"): "元/月",
    ("hr_employee_pension", "amount"): "元/月",
    ("hr_resident_pension", "base_central"): "元/月",
    ("hr_resident_pension", "base_local"): "元/月",
    ("hr_resident_pension", "account_part"): "元/月",
    ("hr_resident_pension", "other_part"): "元/月",
    ("hr_employment_record", "wage"): "元/月",
    ("hr_fiscal_payroll", "gross_pay"): "元/月",
    ("hc_housing_aid", "rent"): "元/月",
    ("hc_housing_aid", "subsidy"): "元/月",
    ("pf_account", "base"): "元/月",
    ("pf_account", "monthly_deposit"): "元/月",
    ("ed_enrolment", "tuition"): "元/学年",
    ("ag_poverty_monitor", "per_capita_income"): "元/年",
    ("ag_subsidy_land", "standard"): "元/亩",
    ("am_entity_role", "subscribed_capital"): "万元",
    ("em_disaster_relief", "loss"): "万元",
}
"""Units of the catalogue that are not plain yuan."""

EVERY_CONTRACT = pytest.mark.parametrize("contract", catalogue().values(), ids=lambda c: c.id)
EVERY_TABLE = pytest.mark.parametrize("table", fact_tables().values(), ids=lambda t: t.id)


def feeds() -> list[tuple[Contract, Feed]]:
    return [(contract, feed) for contract in catalogue().values() for feed in contract.feeds]


def typed_table(contract: Contract) -> duckdb.DuckDBPyConnection:
    """An empty table `t` with the fields of a class as they are stored, and the batch date."""
    connection = duckdb.connect()
    columns = ", ".join(f'"{spec.name}" {sql_type(spec.type)}' for spec in contract.fields)
    connection.execute(f"CREATE TABLE t ({columns}, _batch DATE)")
    opaque.install(connection, opaque.Key("0" * opaque.SHORTEST))
    return connection


def test_the_catalogue_is_complete_and_ordered() -> None:
    assert list(catalogue()) == [*CLASSES, "ca_outcome_return"]
    assert [contract.no for contract in catalogue().values()] == list(range(1, 50))


def test_a_number_given_twice_is_refused_with_the_next_free_one(tmp_path: Path) -> None:
    for department in ("education", "emergency"):
        shutil.copytree(ROOT / "departments" / department, tmp_path / "departments" / department)
    one = tmp_path / "departments" / "education" / "ed_enrolment.yaml"
    one.write_text(one.read_text(encoding="utf-8").replace("no: 40\n", "no: 46\n"), encoding="utf-8")
    with pytest.raises(
        ContractError, match=r"46.*ed_enrolment, em_accident_casualty; the next free one is 47"
    ):
        catalogue(tmp_path)
    one.write_text(one.read_text(encoding="utf-8").replace("no: 46\n", "no: 50\n"), encoding="utf-8")
    assert list(catalogue(tmp_path))[-1] == "ed_enrolment"


def test_every_department_delivers_its_number_of_classes() -> None:
    assert list(departments()) == list(DEPARTMENTS)
    found = Counter(c.department for c in catalogue().values() if c.id != "ca_outcome_return")
    assert dict(found) == DEPARTMENTS
    for department in departments().values():
        assert department.bodies
        assert department.legal_basis
        assert department.contact


@EVERY_CONTRACT
def test_a_class_says_who_why_and_under_which_law(contract: Contract) -> None:
    assert contract.supplying_unit
    assert contract.legal_basis
    assert contract.known_quirks
    for text in (contract.title, contract.purpose, contract.description, contract.grain_title):
        assert is_chinese(text.zh)
        assert text.en
        assert not is_chinese(text.en.replace("万元", ""))
    assert contract.warnings or contract.id == "ca_outcome_return"


@EVERY_CONTRACT
def test_grain_and_order_are_fields_of_plain_kinds(contract: Contract) -> None:
    names = {spec.name for spec in contract.fields}
    assert contract.grain
    assert set(contract.grain) <= names
    assert set(contract.order) <= names
    assert len(set(contract.grain)) == len(contract.grain)
    assert any(not contract.field(name).nullable for name in contract.grain) or contract.subjects


@EVERY_CONTRACT
def test_what_makes_a_row_must_be_in_the_file(contract: Contract) -> None:
    """Columns of the grain and the ids and names of the main person are required, unless the row may lack them."""
    required = {spec.name for spec in contract.fields if spec.required}
    always = {name for name in contract.grain if not contract.field(name).nullable}
    assert always <= required
    if contract.subjects:
        assert required & set(contract.subjects[0].evidence.values())


@EVERY_CONTRACT
def test_units_and_codes_are_known(contract: Contract) -> None:
    for spec in contract.fields:
        if spec.type in UNITS and spec.unit is not None:
            assert spec.unit in UNITS[spec.type], spec.name
        assert spec.unit is not None or spec.type not in ("money", "decimal", "integer"), spec.name
        assert spec.unit is None or spec.type in UNITS, spec.name
        if spec.type == "code":
            listed = codes_of(spec)
            assert listed is not None, spec.name
            assert listed.codes, spec.name


@pytest.mark.parametrize(
    ("place", "unit"), PERIODS.items(), ids=lambda v: v if isinstance(v, str) else ".".join(v)
)
def test_money_keeps_the_period_of_the_catalogue(place: tuple[str, str], unit: str) -> None:
    class_id, name = place
    assert catalogue()[class_id].field(name).unit == unit


def test_money_that_has_a_period_keeps_it_in_the_facts() -> None:
    """A yearly amount never becomes a column without its year; 万元 becomes yuan, nothing else changes."""
    compared = 0
    for contract, feed in feeds():
        units = {c.name: c.unit for c in fact_tables()[feed.fact].columns if c.type == "money"}
        fields = {spec.name: spec for spec in contract.fields if spec.type == "money"}
        for column, expression in feed.columns.items():
            if column in units and expression in fields:
                assert units[column] == (fields[expression].unit or "").replace("万元", "元"), (
                    contract.id,
                    column,
                )
                compared += 1
    assert compared > 40


@EVERY_CONTRACT
def test_dirty_values_do_not_hide_codes(contract: Contract) -> None:
    for name, values in contract.dirty_values.items():
        listed = codes_of(contract.field(name))
        for text, meant in values.items():
            if listed is not None:
                assert text not in listed.codes, (name, text)
                assert meant is None or meant in listed.codes, (name, meant)


def test_all_forty_five_warnings_rest_on_a_class() -> None:
    expected = {f"N{n:02d}" for n in range(1, 20)} | {f"P{n:02d}" for n in range(1, 8)}
    expected |= {f"X{n:02d}" for n in range(1, 20)}
    assert len(expected) == 45
    assert {code for contract in catalogue().values() for code in contract.warnings} == expected


def test_restricted_are_the_financial_classes() -> None:
    restricted = [contract for contract in catalogue().values() if contract.restricted]
    assert [contract.no for contract in restricted] == [31, 32, 33, 34]
    for contract in restricted:
        spec = contract.field("authorization_no")
        assert spec.required
        assert not spec.nullable


def test_subjects_of_rows_that_name_several_persons() -> None:
    def roles(class_id: str) -> list[str]:
        return [subject.role for subject in catalogue()[class_id].subjects]

    assert roles("ca_marriage") == ["male", "female"]
    assert roles("ed_enrolment") == ["self", "guardian"]
    assert roles("fn_insurance_policy") == ["holder", "insured"]
    assert roles("ps_household_member") == ["self", "head", "father", "mother", "spouse"]
    assert roles("hl_birth_death_cert") == ["child", "deceased", "mother", "father"]
    assert roles("ca_outcome_return") == []
    packed = {(c.id, s.role) for c in catalogue().values() for s in c.subjects if s.packed}
    assert packed == {("ca_application", "member"), ("hc_housing_aid", "member"), ("re_ownership", "holder")}
    derived = {(c.id, s.derived_id) for c in catalogue().values() for s in c.subjects if s.derived_id}
    assert derived == {
        ("ed_enrolment", "student_no"),
        ("ed_student_aid", "student_no"),
        ("dp_disability_cert", "cert_no"),
        ("dp_rehab_service", "cert_no"),
    }


EVIDENCE_TYPES = {
    "resident_id": {"resident_id", "resident_id_list"},
    "former_resident_id": {"resident_id"},
    "person_name": {"person_name", "person_name_list"},
    "former_name": {"person_name"},
    "sex": {"code"},
    "birth_date": {"date"},
    "age": {"integer"},
    "phone": {"phone"},
    "address": {"address"},
    "village_code": {"village_code"},
    "division_code": {"division_code"},
    "household_no": {"identifier"},
}


@EVERY_CONTRACT
def test_evidence_is_of_the_kind_that_it_says(contract: Contract) -> None:
    connection = typed_table(contract)
    for subject in contract.subjects:
        kinds = {kind: contract.field(name).type for kind, name in subject.evidence.items()}
        assert all(kinds[kind] in EVIDENCE_TYPES[kind] for kind in kinds), subject.role
        assert subject.packed == any(kind.endswith("_list") for kind in kinds.values()), subject.role
        assert ("age" in kinds) == (subject.as_of is not None)
        if subject.where:
            connection.execute(f"SELECT * FROM t WHERE {subject.where}")


@EVERY_CONTRACT
def test_every_class_feeds_facts_and_names_its_persons(contract: Contract) -> None:
    assert contract.feeds
    for feed in contract.feeds:
        table = fact_tables()[feed.fact]
        assert set(feed.persons) <= set(table.persons)
        assert set(feed.columns) <= {column.name for column in table.columns}
        assert bool(feed.persons) == bool(table.persons)


@EVERY_CONTRACT
def test_feeds_run_and_give_the_declared_types(contract: Contract) -> None:
    connection = typed_table(contract)
    for feed in contract.feeds:
        table = fact_tables()[feed.fact]
        where = f" WHERE {feed.where}" if feed.where else ""
        for column in table.columns:
            if column.name in feed.columns:
                # Feeds see the place of the person in a packed cell as `_n`.
                rows = "(SELECT *, 0 AS _n FROM t)"
                query = f"DESCRIBE SELECT ({feed.columns[column.name]}) AS v FROM {rows}{where}"
                row = connection.execute(query).fetchone()
                assert row is not None
                assert row[1] == sql_type(column.type), (feed.fact, column.name)


@EVERY_CONTRACT
def test_coded_columns_keep_their_list(contract: Contract) -> None:
    """A code that goes unchanged into a fact is read there by the same list."""
    for feed in contract.feeds:
        for column in fact_tables()[feed.fact].columns:
            expression = feed.columns.get(column.name)
            if column.codes is not None and expression in {spec.name for spec in contract.fields}:
                assert contract.field(str(expression)).codes == column.codes, (feed.fact, column.name)


@EVERY_TABLE
def test_every_column_of_a_fact_is_fed_by_somebody(table: FactTable) -> None:
    mine = [feed for _, feed in feeds() if feed.fact == table.id]
    if table.id == "person":
        assert not mine  # derived from matching
        return
    assert {column for feed in mine for column in feed.columns} == {column.name for column in table.columns}
    assert {person for feed in mine for person in feed.persons} == set(table.persons)


@EVERY_TABLE
def test_facts_hold_no_identity(table: FactTable) -> None:
    """Delivered numbers are hashed on the way; names and ids of persons stay behind."""
    for column in table.columns:
        assert not column.name.endswith(("id_no", "_name", "phone", "address", "account_no")) or (
            column.name == "event_name"
        )
    secret = {
        "person_name",
        "resident_id",
        "account_no",
        "phone",
        "address",
        "person_name_list",
        "resident_id_list",
    }
    for contract, feed in feeds():
        if feed.fact == table.id:
            private = {spec.name for spec in contract.fields if spec.type in secret}
            assert not private & set(feed.columns.values())


@EVERY_TABLE
def test_columns_of_a_fact_are_explained(table: FactTable) -> None:
    assert is_chinese(table.title.zh)
    assert is_chinese(table.description.zh)
    for column in table.columns:
        assert is_chinese(column.description.zh), column.name
        assert column.description.en, column.name
        assert (column.unit is not None) == (column.type in ("money", "decimal", "integer")) or (
            column.name in ("household_id",)
        ), column.name
        if column.type == "code":
            assert codes_of(column) is not None
        if column.name.endswith("_per_month"):
            assert column.unit == "元/月"
        if column.name.endswith("_per_year"):
            assert column.unit in ("元/年", "元/学年")


def test_every_shared_list_is_used_and_every_spelling_means_one_code() -> None:
    used = {spec.codes for c in catalogue().values() for spec in c.fields}
    used |= {column.codes for table in fact_tables().values() for column in table.columns}
    assert set(code_lists()) == {name for name in used if isinstance(name, str)}
    for name, listed in code_lists().items():
        labels = list(listed.codes.values())
        assert len(set(labels)) == len(labels), name
        for alias, code in listed.aliases.items():
            assert alias not in labels or listed.codes[code] == alias, (name, alias)
            assert alias not in listed.codes, (name, alias)


def test_result_codes_of_visits_come_in_six_families() -> None:
    codes = code_lists()["outcome_result"].codes
    assert Counter(code[0] for code in codes) == {"1": 3, "2": 9, "3": 1, "4": 6, "5": 5, "6": 4}


def test_formats_that_the_reader_must_meet_are_all_in_use() -> None:
    formats = {(c.delivery.format, c.delivery.delimiter, c.delivery.encoding) for c in catalogue().values()}
    assert {(f, d) for f, d, _ in formats} == {
        ("delimited", ","),
        ("delimited", "|"),
        ("delimited", "\t"),
        ("fixed_width", None),
        ("workbook", None),
    }
    assert {"gb18030", "utf-8"} <= {e for _, _, e in formats}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the declarations that a test may spoil."""
    for name in ("departments", "facts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "code_lists.yaml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("legal_basis:", "leagl_basis:", "leagl_basis"),
        ("required: true", "requried: true", "requried"),
        ("cadence: daily", "cadence: dayly", "delivery.cadence"),
        ("grain: [cert_no, reg_type]", "grain: [cert_number]", "cert_number"),
        ("tier: 2", "tier: 2\ntier: 3", "key twice: tier"),
        ("fields:", "fields: [", "while parsing"),
        ("department: civil_affairs", "department: health", "named as the class and department"),
    ],
)
def test_a_mistake_is_refused_with_file_and_key(copy: Path, old: str, new: str, said: str) -> None:
    path = copy / "departments" / "civil_affairs" / "ca_marriage.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        catalogue(copy)
    assert "ca_marriage.yaml" in str(refused.value)
    assert said in str(refused.value)


def test_a_mistake_in_the_code_lists_is_refused(copy: Path) -> None:
    path = copy / "code_lists.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("aliases:", "alias:", 1), encoding="utf-8")
    with pytest.raises(ContractError, match=r"(?s)code_lists\.yaml.*alias"):
        code_lists(copy)


def test_only_true_and_false_are_booleans(copy: Path) -> None:
    """As in editors: `no: 13` is the key no, `N` and `Y` are codes."""
    assert catalogue(copy)["ca_marriage"].no == 13
    assert "N" in code_lists(copy)["owner_document"].codes


def chinese_texts(value: object) -> list[str]:
    """Every text under a key `zh`, and legal bases."""
    if isinstance(value, dict):
        own = [value["zh"]] if "zh" in value else []
        basis = list(value.get("legal_basis", []))
        return own + basis + [text for inner in value.values() for text in chinese_texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in chinese_texts(inner)]
    return []


def test_chinese_is_punctuated_as_chinese() -> None:
    half_width = re.compile(r"[\u4e00-\u9fff”）〕][,;:?(]|[,;:)][\u4e00-\u9fff“（]")
    declared = [
        *catalogue().values(),
        *departments().values(),
        *fact_tables().values(),
        *code_lists().values(),
    ]
    texts = [text for model in declared for text in chinese_texts(model.model_dump())]
    texts += [label for listed in code_lists().values() for label in listed.codes.values()]
    assert len(texts) > 2000
    assert [text for text in texts if half_width.search(text)] == []


@EVERY_CONTRACT
def test_no_header_can_be_taken_for_two_columns(contract: Contract) -> None:
    """Also when it is written in full width, with blanks, or as the name of the field."""
    owners: dict[str, set[str]] = {}
    for spec in contract.fields:
        for spelling in (spec.source, *spec.source_aliases, spec.name):
            owners.setdefault(header_key(spelling), set()).add(spec.name)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_a_width_belongs_to_every_field_of_a_fixed_width_file() -> None:
    contract = catalogue()["pf_account"]
    assert all(isinstance(spec, FieldSpec) and spec.width for spec in contract.fields)
    body = contract.model_dump()
    body["fields"][0]["width"] = None
    with pytest.raises(ValueError, match="width"):
        Contract.model_validate(body)
