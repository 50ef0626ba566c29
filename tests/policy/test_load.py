"""What the engine refuses at load, with the file, the line and why."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from policy import checks
from policy.engine import load
from policy.lock import renew
from policy.sql_file import ROOT, PolicyError

RULE = """/*---
id: X90
version: 1
title: {zh: 试验, en: Trial}
legal_basis: [社会救助暂行办法 第九条]
level: yellow
owner: 县民政局
expires: 2027-12-31
subject: person
needs:
  vehicle: {max_age_days: 14, all: [ps_vehicle]}
  registered_resident: {max_age_days: 40, all: [ps_resident]}
  rural_monitor: {max_age_days: 40, all: [ag_poverty_monitor]}
parameters: []
evidence: [vehicles]
reason: 共{vehicles}辆。
known_gaps: {zh: 无, en: none}
false_alarms: {zh: 无, en: none}
changelog: [{version: 1, since: 2025-11-01, what: first version}]
---*/
select h.household_id, v.person_id, 'v' as cause_key,
       count(*) as vehicles
from vehicle v
join person_household h on h.person_id = v.person_id
group by all
"""


CASE = "- {name: nothing is known, as_of: 2025-11-17, expect: []}\n"


@pytest.fixture
def desk(tmp_path):
    """A copy of the policy with one more rule, its case and its lock; `write` changes the rule, `load` reads it."""
    return Desk(tmp_path)


class Desk:
    def __init__(self, folder: Path):
        self.root = folder / "policy"
        self.cases = folder / "cases"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        # What the trial rule does not need would only be read again for every test.
        keep = {"person_household", "warning_level", "warning_window", "score_points", "severe_disability"}
        for path in [
            *self.root.glob("rules/*/*.sql"),
            *self.root.glob("measures/*.sql"),
            *self.root.glob("parameters/*.yaml"),
        ]:
            if path.stem not in keep:
                path.unlink()
        self.path = self.root / "rules" / "check_out" / "X90_trial.sql"
        (self.cases / "check_out").mkdir(parents=True)
        (self.cases / "check_out" / "X90_trial.yaml").write_text(CASE)
        self.write(RULE)
        (self.root / "rules.lock.yaml").unlink()
        renew(self.root, self.cases)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def load(self, *, locked: bool = False):
        return load(self.root, self.cases, locked=locked)

    def refuses(self, old: str, new: str, why: str, line: int) -> None:
        """The rule with one change is refused for a reason that names it, at that line of the file."""
        assert old in RULE
        self.write(RULE.replace(old, new, 1))
        with pytest.raises(PolicyError) as caught:
            self.load()
        text = str(caught.value)
        assert "X90_trial.sql" in text
        assert re.search(why, text), text
        assert caught.value.line == line, text


def test_the_rule_itself_is_accepted(desk):
    assert list(desk.load(locked=True).rules) == ["X90"]


def test_the_policy_of_the_repository_loads_and_is_locked():
    policy = load()
    files = {path.stem.split("_")[0] for path in ROOT.glob("rules/*/*.sql")}
    assert set(policy.rules) == files
    assert len(files) >= 12


@pytest.mark.parametrize(
    "column", ["r.education", "ethnic_group", "religion", "native_place", "person_name", "impression"]
)
def test_a_column_of_never_yaml_is_refused(desk, column):
    desk.refuses("group by all", f"where {column} = '1'\ngroup by all", "never.yaml forbids", 25)


def test_a_column_of_never_yaml_is_refused_inside_a_nested_query(desk):
    nested = "where exists (\n  select 1 from registered_resident r\n  where r.person_id = v.person_id and r.Education = '10')\ngroup by all"
    desk.refuses("group by all", nested, "reads `Education`, which never.yaml forbids", 27)


def test_forbidden_columns_cannot_be_reached_with_a_star(desk):
    """The views that rules see do not carry them."""
    desk.refuses(
        "'v' as cause_key,\n",
        "'v' as cause_key, (select any_value(e) from (select * from registered_resident) as t(a, b, c, d, e, f, g, h, i, j)) as x,\n",
        "9 columns available but 10",
        21,
    )
    desk.refuses("count(*) as vehicles", "count(*) as vehicles, max(columns('edu.*'))", "COLUMNS|hides", 22)


@pytest.mark.parametrize(
    "spread",
    [
        "m.per_capita_income_per_year / 12",
        "round(m.per_capita_income_per_year / 12.0, 2)",
        "m.per_capita_income_per_year * 0.0833",
        "m.per_capita_income_per_year * (1 / 12)",
        "m.per_capita_income_per_year // 12",
        "m.per_capita_income_per_year / cast(12 as decimal(4, 1))",
    ],
)
def test_a_yearly_amount_is_not_spread_over_months(desk, spread):
    nested = f"where exists (select 1 from rural_monitor m\n  where {spread} < 800)\ngroup by all"
    desk.refuses("group by all", nested, "spreads a yearly amount over months", 26)


def test_a_yearly_amount_is_not_spread_over_a_number_of_months_under_another_name(desk):
    nested = (
        "where exists (select 1 from (select per_capita_income_per_year as income, 12 as months from rural_monitor) m\n"
        "  where m.income / m.months < 800)\ngroup by all"
    )
    desk.refuses("group by all", nested, "spreads a yearly amount over months", 26)


def test_a_monthly_standard_may_be_made_yearly(desk):
    desk.write(
        RULE.replace(
            "group by all",
            "where exists (select 1 from rural_monitor m where m.per_capita_income_per_year < 610 * 12)\ngroup by all",
        )
    )
    desk.load()


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("owner", 1),
        ("legal_basis", 1),
        ("expires", 1),
        ("reason", 1),
        ("known_gaps", 1),
        ("false_alarms", 1),
        ("version", 1),
    ],
)
def test_a_missing_part_of_the_header_is_refused(desk, key, line):
    row = next(row for row in RULE.splitlines() if row.startswith(f"{key}:"))
    desk.refuses(f"{row}\n", "", f"lacks `{key}`", line)


def test_an_empty_legal_basis_is_none(desk):
    desk.refuses("legal_basis: [社会救助暂行办法 第九条]", "legal_basis: []", "legal_basis", 5)


def test_a_mistyped_key_is_refused(desk):
    desk.refuses("owner: 县民政局", "owner: 县民政局\nexpire: 2027-01-01", "expire", 8)


def test_a_rule_without_cases_is_refused(desk):
    (desk.cases / "check_out" / "X90_trial.yaml").unlink()
    with pytest.raises(PolicyError, match="has no cases"):
        desk.load()
    (desk.cases / "check_out" / "X90_trial.yaml").write_text("# none yet\n[]\n")
    with pytest.raises(PolicyError, match=r"X90_trial\.yaml is empty"):
        desk.load()


def test_a_published_measure_without_cases_is_refused(desk):
    path = desk.root / "measures" / "person_household.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("published: false\n", ""), encoding="utf-8")
    with pytest.raises(
        PolicyError, match=r"person_household.sql:1: has no cases \(measures/person_household.yaml\)"
    ):
        desk.load()
    (desk.cases / "measures").mkdir()
    (desk.cases / "measures" / "person_household.yaml").write_text(CASE)
    assert desk.load().measures["person_household"].header.published


def test_a_query_without_household_subject_or_cause_is_refused(desk):
    desk.refuses(
        "select h.household_id, v.person_id", "select v.person_id", "returns no column `household_id`", 21
    )
    desk.refuses(
        "select h.household_id, v.person_id", "select h.household_id", "returns no column `person_id`", 21
    )
    desk.refuses("'v' as cause_key", "'v' as cause", "returns no column `cause_key`", 21)


def test_a_reason_without_its_figure_is_refused(desk):
    desk.refuses("reason: 共{vehicles}辆。", "reason: 共{cars}辆。", r"shows \{cars\}", 16)
    desk.refuses("reason: 共{vehicles}辆。", "reason: 有车。", "without a figure", 1)


def test_evidence_that_is_not_returned_is_refused(desk):
    desk.refuses("evidence: [vehicles]", "evidence: [vehicles, cars]", "evidence `cars`", 15)


def test_an_unknown_table_is_refused(desk):
    desk.refuses("from vehicle v", "from ps_vehicle v", "unknown table `ps_vehicle`", 23)


def test_a_fact_that_is_not_declared_is_refused(desk):
    desk.refuses("from vehicle v", "from pension v", "reads `pension` without declaring it", 23)


def test_a_file_or_another_schema_is_refused(desk):
    desk.refuses("from vehicle v", "from fact.vehicle v", "read by name alone", 23)
    desk.refuses("from vehicle v", "from read_parquet('x.parquet') v", r"calls read_parquet\(\)", 23)


def test_an_unknown_column_is_refused_with_its_line(desk):
    desk.refuses("group by all", "where v.colour = 'red'\ngroup by all", "colour", 25)


@pytest.mark.parametrize("clock", ["now()", "current_date", "today()", "current_timestamp"])
def test_the_clock_is_refused(desk, clock):
    desk.refuses("group by all", f"where v.first_reg_date < {clock}\ngroup by all", "clock", 25)


def test_chance_is_refused(desk):
    desk.refuses("group by all", "where random() < 0.5\ngroup by all", r"random\(\)", 25)


def test_a_float_is_refused(desk):
    desk.refuses("count(*) as vehicles", "avg(v.engine_cc) as vehicles", "DOUBLE", 21)


def test_a_query_that_does_not_parse_is_refused_with_its_line(desk):
    desk.refuses("from vehicle v", "fromm vehicle v", "does not parse", 23)


def test_two_statements_are_refused(desk):
    desk.refuses("group by all\n", "group by all; select 1\n", "one query", 21)


def test_an_unknown_source_or_parameter_is_refused(desk):
    desk.refuses("all: [ps_vehicle]", "all: [ps_car]", "unknown source `ps_car`", 10)
    desk.refuses("parameters: []", "parameters: [car_limit]", "unknown parameter `car_limit`", 14)


def test_a_check_out_rule_belongs_in_its_folder(desk):
    wrong = desk.root / "rules" / "help_in" / "X90_trial.sql"
    wrong.parent.mkdir(exist_ok=True)
    desk.path.rename(wrong)
    with pytest.raises(PolicyError, match="does not belong in help_in"):
        desk.load()


def test_a_changed_query_needs_a_new_version(desk):
    desk.write(RULE.replace("count(*)", "count(v.vehicle_id)"))
    with pytest.raises(PolicyError, match="changed without a new version") as caught:
        desk.load(locked=True)
    assert caught.value.line == 3
    with pytest.raises(PolicyError, match="changed without a new version"):
        renew(desk.root, desk.cases)


def test_a_changed_reason_needs_a_new_version_and_a_changed_gap_does_not(desk):
    desk.write(RULE.replace("known_gaps: {zh: 无", "known_gaps: {zh: 没有价格"))
    desk.load(locked=True)
    desk.write(RULE.replace("共{vehicles}辆。", "有{vehicles}辆。"))
    with pytest.raises(PolicyError, match="changed without a new version"):
        desk.load(locked=True)


def test_a_new_version_is_locked_on_request(desk):
    newer = RULE.replace("count(*)", "count(v.vehicle_id)").replace("version: 1\n", "version: 2\n", 1)
    newer = newer.replace(
        "what: first version}]", "what: first version}, {version: 2, since: 2025-12-01, what: counts ids}]"
    )
    desk.write(newer)
    with pytest.raises(PolicyError, match="is version 2, but 1 is locked"):
        desk.load(locked=True)
    assert renew(desk.root, desk.cases) == ["X90: 1 -> 2"]
    assert desk.load(locked=True).rules["X90"].header.version == 2
    desk.write(RULE)
    with pytest.raises(PolicyError, match="goes back"):
        renew(desk.root, desk.cases)


def test_a_measure_is_locked_too(desk):
    path = desk.root / "measures" / "person_household.sql"
    path.write_text(
        path.read_text(encoding="utf-8").replace("min(m.household_id)", "max(m.household_id)"),
        encoding="utf-8",
    )
    with pytest.raises(PolicyError, match="changed without a new version"):
        desk.load(locked=True)


def test_history_must_name_every_version(desk):
    desk.refuses("version: 1\n", "version: 2\n", "changelog must name versions 1 to 2", 1)


def test_the_lock_holds_every_query():
    locked = yaml.safe_load((ROOT / "rules.lock.yaml").read_text(encoding="utf-8"))
    files = [*ROOT.glob("rules/*/*.sql"), *ROOT.glob("measures/*.sql"), ROOT / "risk_score.sql"]
    assert len(locked) == len(files)
    assert checks.CASES.is_dir()
