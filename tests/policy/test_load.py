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
from policy.sql_file import ROOT, PolicyError, read_measure

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


def _needed(path: Path) -> set[str]:
    """Measures and parameters without which a measure does not load, itself among them."""
    measure = read_measure(path)
    found = {path.stem, *measure.header.parameters, *measure.header.parameters_if_known}
    for touch in measure.file.tables:
        if (below := ROOT / "measures" / f"{touch.name}.sql").is_file():
            found |= _needed(below)
    return found


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
        keep = _needed(ROOT / "measures" / "person_household.sql") | _needed(ROOT / "risk_score.sql")
        keep |= {"warning_level", "warning_window", "score_points"}
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
        shutil.copytree(checks.CASES / "measures", self.cases / "measures")
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
        "'v' as cause_key, (select any_value(e) from (select * from registered_resident) as t(a, b, c, d, e, f, g, h, i, j, k)) as x,\n",
        "10 columns available but 11",
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


MONITOR = "where exists (select 1 from rural_monitor m{more}\n  where {spread} < 800)\ngroup by all"
YEAR = "m.per_capita_income_per_year"


@pytest.mark.parametrize(
    ("spread", "more"),
    [
        (f"{YEAR} / (6 + 6)", ""),
        (f"{YEAR} / 4 / 3", ""),
        (f"({YEAR} / 2) / (2 * 3)", ""),
        (f"{YEAR} * 30 / 365", ""),
        (f"{YEAR} * power(12, -1)", ""),
        (f"{YEAR} / cast('12' as integer)", ""),
        (f"{YEAR} / greatest(12, 1)", ""),
        (f"{YEAR} / len('januaryfebru')", ""),
        (f"{YEAR} / extract(month from date '2025-12-01')", ""),
        (f"{YEAR} / date_diff('month', date '2025-01-01', $as_of)", ""),
        (f"{YEAR} / (select 12)", ""),
        (f"{YEAR} / k.n", ", (select 12 as n) k"),
        (f"{YEAR} / k.n", ", (values (12)) k(n)"),
        ("m.a / m.n", " join (select per_capita_income_per_year as a, 12 as n from rural_monitor) m on true"),
        ("y.q / 3", ", (select per_capita_income_per_year / 4 as q from rural_monitor) y"),
        (f"{YEAR} - {YEAR} * 11 / 12", ""),
        (f"list_transform([{YEAR}], x -> x / 12.0)[1]", ""),
        (f"list_transform([12], x -> {YEAR} / x)[1]", ""),
        (f"(case when true then {YEAR} else 0 end) / (7 + 5)", ""),
        (f"list_avg([{YEAR}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])", ""),
        (f"list_aggregate([{YEAR}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'avg')", ""),
        ("(select sum(p.per_capita_income_per_year) from rural_monitor p) / (7 + 5)", ""),
    ],
)
def test_a_yearly_amount_is_not_spread_over_months_by_any_way_round(desk, spread, more):
    desk.refuses(
        "group by all", MONITOR.format(spread=spread, more=more), "spreads a yearly amount over months", 26
    )


@pytest.mark.parametrize(
    "fair",
    [
        f"{YEAR} / 2",
        f"{YEAR} * 10 / 100",
        f"{YEAR} / 800",
        f"list_avg([{YEAR}, 800])",
        f"list_aggregate([{YEAR}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'max')",
        f"12 * {YEAR} / {YEAR}",
        "date_diff('month', m.identify_date, $as_of) / 2",
    ],
)
def test_other_arithmetic_with_a_yearly_amount_is_not_refused(desk, fair):
    desk.write(RULE.replace("group by all", MONITOR.format(spread=fair, more="")))
    desk.load()


@pytest.mark.parametrize(
    "spread", ["m.amount / 4 / 3", "(m.amount / 2) / 6", "m.amount / 24 * 2", "m.amount * 0.25 / 3"]
)
def test_a_twelfth_of_an_amount_whose_period_its_name_does_not_tell_is_refused(desk, spread):
    """Farm subsidies are of a year, and their column is called amount."""
    needs = "  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}\n  rural_monitor:"
    nested = f"where exists (select 1 from farm_subsidy m\n  where {spread} < 800)\ngroup by all"
    desk.write(RULE.replace("  rural_monitor:", needs, 1).replace("group by all", nested))
    with pytest.raises(PolicyError, match="spreads a yearly amount over months") as caught:
        desk.load()
    assert caught.value.line == 27


@pytest.mark.parametrize("fair", ["m.amount / 4", "m.amount * 8 / 100", "m.amount / 4 * 3"])
def test_other_shares_of_such_an_amount_are_not_refused(desk, fair):
    needs = "  farm_subsidy: {max_age_days: 400, all: [ag_subsidy_land]}\n  rural_monitor:"
    nested = f"where exists (select 1 from farm_subsidy m\n  where {fair} < 800)\ngroup by all"
    desk.write(RULE.replace("  rural_monitor:", needs, 1).replace("group by all", nested))
    assert list(desk.load().rules) == ["X90"]


def measure(desk, name: str, query: str) -> Path:
    """A measure beside the trial rule, that reads the monitored households."""
    path = desk.root / "measures" / f"{name}.sql"
    path.write_text(
        f"""/*---
id: {name}
version: 1
title: {{zh: 试验, en: Trial}}
grain: one row a person
unit: yuan
period: a year
source: 试验
columns: {{person_id: person, amount: amount}}
needs:
  rural_monitor: {{max_age_days: 40, all: [ag_poverty_monitor]}}
published: false
known_gaps: {{zh: 无, en: none}}
changelog: [{{version: 1, since: 2025-11-01, what: first version}}]
---*/
{query}
""",
        encoding="utf-8",
    )
    return path


def test_a_yearly_amount_is_followed_through_measures(desk):
    measure(desk, "income_a", "select person_id, per_capita_income_per_year as amount from rural_monitor")
    measure(desk, "income_b", "select person_id, max(amount) as amount from income_a group by person_id")
    nested = "where exists (select 1 from income_b m\n  where m.amount / (6 + 6) < 800)\ngroup by all"
    desk.refuses("group by all", nested, "spreads a yearly amount over months", 26)
    counted = "(select count(*) as months from rural_monitor) k"
    nested = (
        f"where exists (select 1 from income_b m, {counted}\n  where m.amount / k.months < 800)\ngroup by all"
    )
    desk.refuses("group by all", nested, "spreads a yearly amount over months", 26)


def test_a_sum_over_the_window_may_be_divided_by_its_months_an_amount_of_a_year_may_not(desk):
    """Per head and month = income of the window / months / members: the formula of article 13."""
    months = "count(distinct date_trunc('month', identify_date))"
    query = "select person_id, cast(max({what}) / {months} as decimal(18, 2)) as amount from rural_monitor group by person_id"
    text = "(select person_id, identify_date, income + per_capita_income_per_year as total from rural_monitor join (select person_id as p, income from taxed_income) on p = person_id)"
    measure(
        desk,
        "income_a",
        query.format(what="total", months=months).replace("from rural_monitor", f"from {text}", 1),
    )
    path = desk.root / "measures" / "income_a.sql"
    needs = "needs:\n  taxed_income: {max_age_days: 45, all: [tx_iit_withholding]}"
    path.write_text(path.read_text(encoding="utf-8").replace("needs:", needs), encoding="utf-8")
    assert "income_a" in desk.load().measures
    for what in ("total / 12", "per_capita_income_per_year"):
        measure(
            desk,
            "income_a",
            query.format(what=what, months=months).replace(
                "from rural_monitor", f"from {text}" if "total" in what else "from rural_monitor", 1
            ),
        )
        path.write_text(path.read_text(encoding="utf-8").replace("needs:", needs), encoding="utf-8")
        with pytest.raises(PolicyError, match="spreads a yearly amount over months"):
            desk.load()


def test_a_measure_that_rests_on_itself_is_refused(desk):
    measure(desk, "income_a", "select person_id, amount from income_b")
    path = measure(desk, "income_b", "select person_id,\n  amount\nfrom income_a")
    with pytest.raises(PolicyError, match="rests on itself: income_a -> income_b -> income_a") as caught:
        desk.load()
    assert path.name in str(caught.value)
    assert caught.value.line == 18


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select 1 from (describe fact.registered_resident)", "describes the database"),
        ("select 1 from (summarize fact.registered_resident)", "describes the database"),
        ("select 1 from (show all tables)", "describes the database"),
        ("select 1 from '/etc/passwd'", "unknown table"),
        ("select 1 from query('select 1')", r"calls query\(\)"),
        ("select 1 from query_table('vehicle')", r"calls query_table\(\)"),
        ("select 1 from registered_resident as r(religion) where religion > 0", "never.yaml forbids"),
        ("select 1 from memory.fact.vehicle", "read by name alone"),
        ("select 1 from information_schema.tables", "read by name alone"),
        ("select 1 from duckdb_tables()", r"calls duckdb_tables\(\)"),
        ("select 1 from vehicle tablesample 10%", "takes a sample"),
        ("select 1 from vehicle using sample 5", "takes a sample"),
        ("select 1 from vehicle limit 3", "takes the first rows of no order"),
        ("select 1 from vehicle where age(first_reg_date) > interval 1 year", "reads the clock"),
        ("select 1 from vehicle where first_reg_date < current_localtimestamp()", "current_localtimestamp"),
        ("select 1 from vehicle where txid_current() > 3", r"calls txid_current\(\)"),
        ("select 1 from vehicle where current_user = 'x'", "asks the machine"),
        ("select 1 from vehicle having reservoir_quantile(engine_cc, 0.5, 9) > 0", "reservoir_quantile"),
        (
            "select 1 from vehicle where pg_postmaster_start_time() < $as_of",
            r"calls pg_postmaster_start_time\(\)",
        ),
        ("select 1 from vehicle where write_log('x') is null", r"calls write_log\(\)"),
        ("select 1 from vehicle where error('stop') is null", r"calls error\(\)"),
        ("select 1 from vehicle where current_schemas(true) is null", r"calls current_schemas\(\)"),
        ("select 1 from vehicle where rowid = 1", "reads `rowid`"),
        ("select first(vehicle_id) from vehicle", r"calls first\(\) without an order"),
        ("select string_agg(vehicle_id, ',') from vehicle", r"calls string_agg\(\) without an order"),
        ("select row_number() over () from vehicle", r"calls row_number\(\) without an order"),
        ("select approx_quantile(engine_cc, 0.5) from vehicle", r"calls approx_quantile\(\): about"),
        (
            "with recursive t(a) as (select 1 union all select a + 1 from t) select 1 from t",
            "nothing says that it ends",
        ),
        ("select 1 from vehicle v join registered_resident r using (education)", "joins on `education`"),
    ],
)
def test_an_evil_query_is_refused(desk, query, why):
    desk.refuses("group by all", f"where exists (\n  {query})\ngroup by all", why, 26)


@pytest.mark.parametrize("name", ["pension", "Pension"])
def test_a_fact_that_is_not_declared_cannot_hide_behind_a_with_of_its_name(desk, name):
    nested = f"where exists (with {name} as (select 1 as a) select 1 from {name})\n  and exists (select 1 from pension)\ngroup by all"
    desk.refuses("group by all", nested, "reads `pension` where a WITH of that name elsewhere hides it", 26)


def test_a_with_may_have_the_name_of_a_table_that_is_not_read(desk):
    desk.write(
        RULE.replace(
            "group by all", "where exists (with pension as (select 1) select 1 from pension)\ngroup by all"
        )
    )
    desk.load()


def test_a_row_as_a_struct_does_not_carry_what_is_forbidden(desk):
    nested = "where exists (select 1 from registered_resident r where struct_extract(r, 'education') = '1')\ngroup by all"
    desk.refuses("group by all", nested, 'Could not find key "education"', 21)


def test_a_reason_that_is_never_known_is_refused(desk):
    desk.refuses("count(*) as vehicles", "cast(null as bigint) as vehicles", "never known", 16)
    desk.refuses(
        "count(*) as vehicles", "(select n from (select null::bigint as n)) as vehicles", "never known", 16
    )


def test_a_cause_without_a_sentence_is_refused(desk):
    by_cause = RULE.replace(
        "reason: 共{vehicles}辆。", "reason: {many: '共{vehicles}辆。', few: '有{vehicles}辆。'}"
    )
    whole = by_cause.replace(
        "'v' as cause_key,", "'v' as cause_key, case when count(*) > 3 then 'many' else 'few' end as cause,"
    )
    desk.write(whole)
    desk.load()
    desk.write(whole.replace("else 'few'", "else 'one'"))
    with pytest.raises(
        PolicyError, match=r"returns the cause \['one'\], for which `reason` has nothing"
    ) as caught:
        desk.load()
    assert caught.value.line == 16


def test_a_level_that_the_header_does_not_name_is_refused(desk):
    named = RULE.replace("level: yellow", "level: yellow\nlevels: [yellow, orange]")
    text = "'v' as cause_key, case when count(*) > 3 then '{}' else 'yellow' end as level,"
    desk.write(named.replace("'v' as cause_key,", text.format("orange")))
    desk.load()
    desk.write(named.replace("'v' as cause_key,", text.format("red")))
    with pytest.raises(PolicyError, match=r"returns the level \['red'\], which `levels` does not name"):
        desk.load()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("owner: 县民政局", "owner: TODO", 7),
        ("owner: 县民政局", "owner: 待定", 7),
        ("owner: 县民政局", "owner: '  '", 7),
        ("legal_basis: [社会救助暂行办法 第九条]", "legal_basis: [社会救助暂行办法 第九条, 待补]", 5),
        ("owner: 县民政局", "owner: 无", 7),
        ("owner: 县民政局", "owner: '？'", 7),
        ("owner: 县民政局", "owner: n/a", 7),
        ("legal_basis: [社会救助暂行办法 第九条]", "legal_basis: ['-']", 5),
    ],
)
def test_an_owner_or_a_legal_basis_that_is_still_to_be_written_is_none(desk, old, new, line):
    desk.refuses(old, new, "owner|legal_basis", line)


@pytest.mark.parametrize(
    ("old", "new", "why", "line"),
    [
        ("owner: 县民政局", "owner: 县民政局\nowner: 市民政局", "the key `owner` stands twice", 8),
        ("expires: 2027-12-31", "expires: 9999-12-31", "more than 5 years after its last change", 8),
        ("reason: 共{vehicles}辆。", "reason: '{vehicles}'", "a reason is a Chinese sentence", 1),
        (
            "all: [ps_vehicle]",
            "all: [ps_death]",
            "`vehicle` comes from `ps_death`, which does not feed it",
            10,
        ),
    ],
)
def test_a_header_that_gets_round_what_it_must_say_is_refused(desk, old, new, why, line):
    desk.refuses(old, new, why, line)


def test_an_order_makes_one_row_of_several_certain(desk):
    fair = "(select first(v.vehicle_id order by v.vehicle_id) || string_agg(v.vehicle_id, ',' order by v.vehicle_id) from vehicle v) is not null"
    desk.write(RULE.replace("group by all", f"where {fair}\ngroup by all"))
    assert list(desk.load().rules) == ["X90"]


def test_news_needs_its_window_its_day_and_its_words(desk):
    signal = RULE.replace("subject: person", "subject: person\nnew_signal: {window: new_disability}")
    signal = signal.replace("parameters: []", "parameters: [warning_window]").replace(
        "共{vehicles}辆。", "有{news_zh}，共{vehicles}辆。"
    )
    signal = signal.replace("'v' as cause_key,", "'v' as cause_key, min(v.first_reg_date) as event_on,")
    desk.write(signal)
    desk.load()
    for old, new, why in [
        ("window: new_disability", "window: no_such", "names the window `no_such`"),
        (" min(v.first_reg_date) as event_on,", "", "needs a column `event_on` of type DATE"),
        ("{news_zh}，", "", "news_zh"),
        ("parameters: [warning_window]", "parameters: []", "needs the parameter warning_window"),
        ("as event_on,", "as event_on, 'x' as news_zh,", "which the engine writes"),
        ("as event_on,", "as event_on, 1 as not_raised_zh,", "not VARCHAR"),
        ("{news_zh}，", "{news_zh}，{not_raised_zh}", "cannot show"),
    ]:
        assert old in signal
        desk.write(signal.replace(old, new))
        with pytest.raises(PolicyError, match=why):
            desk.load()


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
