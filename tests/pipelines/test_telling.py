"""What a night tells: families and warnings, what arrived, what is off, what somebody should look at and why."""

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from assets import risk
from data_contracts.contract import ContractError, catalogue
from data_contracts.expectations import OUTCOMES
from data_contracts.issues import ISSUES
from data_contracts.ledger import LEDGER
from matching import by_source, spine
from matching.passes import PASSES
from pipelines import nights, show, show_person
from pipelines.cli import main
from policy.sql_file import PolicyError

DAY = date(2025, 11, 20)

REGISTER = {
    "warning_id": pl.String, "list_kind": pl.String, "rule_id": pl.String, "household_id": pl.Int64, "person_id": pl.Int64,
    "level": pl.String, "reason_zh": pl.String, "state": pl.String, "first_raised_on": pl.Date, "last_raised_on": pl.Date,
    "result_code": pl.String, "result_on": pl.Date,
}  # fmt: skip


def put(home: Path, path: str, frame: pl.DataFrame) -> None:
    target = home / "lake" / path.format(night=f"batch_date={DAY}")
    target.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(target)


def rows(schema, *found) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in found], schema=dict(schema))


def delivery(**given):
    counts = dict.fromkeys([name for name in LEDGER if name.startswith("rows_")], 0)
    known = {"class_id": "ps_death", "department": "public_security", "batch_date": DAY, "delivery_id": "d1"}
    return counts | known | {"file": "ps_death.csv", "status": "accepted"} | given


def warning(number: int, household: int, level: str, state: str, **given):
    return {
        "warning_id": f"W{number:015x}", "list_kind": "help_in", "rule_id": "N01", "household_id": household,
        "level": level, "reason_zh": "自付费用较高。", "state": state, "first_raised_on": date(2025, 11, 17),
        "last_raised_on": DAY,
    } | given  # fmt: skip


@pytest.fixture
def home(tmp_path):
    """A night of which the books are there: nothing came, three families are open, one is answered."""
    put(tmp_path, "ledger/ps_death/{night}.parquet", LEDGER.to_frame())
    register = rows(
        REGISTER,
        warning(1, 1, "orange", "repeated"),
        warning(2, 1, "yellow", "new"),
        warning(3, 2, "yellow", "repeated", list_kind="check_out", rule_id="X05"),
        warning(4, 3, "red", "answered", result_code="205", result_on=date(2025, 11, 19)),
    )
    put(tmp_path, "risk/{night}/register.parquet", register)
    unknown = warning(5, 4, "blue", "")
    raised = pl.concat([register.filter(pl.col("warning_id") == "W000000000000002"), rows(REGISTER, unknown)])
    put(tmp_path, "risk/{night}/warnings.parquet", raised.drop("state", "result_code", "result_on"))
    priority = {"list_kind": ["help_in"], "household_id": [1], "level": ["red"]}
    put(tmp_path, "risk/{night}/priority.parquet", pl.DataFrame(priority))
    sources = {
        "class_id": ["ps_death", "ps_resident", "ed_enrolment"],
        "department": ["public_security", "public_security", "education"],
        "last_batch": [date(2025, 11, 1), DAY, None],
        "expected_by": [date(2025, 11, 4), None, None],
        "status": ["late", "fresh", "absent"],
        "note_zh": ["已逾期", "", "未收到"],
    }
    put(tmp_path, "facts/{night}/source_status.parquet", pl.DataFrame(sources))
    status = {
        "rule_id": ["N09", "X01", "P04", "P04", "N02"],
        "county_code": [None, None, "150902", None, None],
        "status": ["off", "off", "off", "on", "off"],
        "reason_zh": [
            "今晚未核对：死亡登记与户口注销逾期未更新。",
            "今晚未核对：死亡登记与户口注销逾期未更新。",
            "没有标准",
            "",
            "规则文件停用",
        ],
        "sources_json": [json.dumps({"ps_death": "2025-11-01", "ed_enrolment": None})] * 2 + ["{}"] * 3,
    }
    title = catalogue()["ps_death"].title.zh
    status["reason_zh"] = [text.replace("死亡登记与户口注销", title) for text in status["reason_zh"]]
    put(tmp_path, "risk/{night}/rule_status.parquet", pl.DataFrame(status))
    return tmp_path


def call(home: Path, *arguments: str):
    return CliRunner().invoke(main, ["--home", str(home), *arguments])


def test_families_are_those_on_the_lists_and_warnings_those_of_the_night(home):
    night = nights.summary(home, DAY)
    assert night.families == {"help_in": {"red": 1, "blue": 1}, "check_out": {"yellow": 1}}
    assert night.warnings == {"help_in": {"yellow": 1, "blue": 1}, "check_out": {}}


def test_the_table_fits_80_columns_whatever_the_number_of_nights(home):
    console = Console(width=80)
    with console.capture() as caught:
        show.nights_table(console, [nights.summary(home, DAY)] * 6)
    text = caught.get()
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("families on list") == 4
    assert text.count("warnings raised") == 4
    assert text.count(str(DAY)) == 6


def test_a_night_without_a_file_is_looked_at_and_ends_with_status_1(home):
    result = call(home, "status")
    assert result.exit_code == 1
    assert f"look at {DAY} no file was delivered (inbox/{DAY})" in result.output


def test_a_source_that_switches_rules_off_is_one_line_and_no_source_that_is_only_cited(home):
    look = nights.summary(home, DAY).look_at
    assert [line for line in look if "ps_death" in line] == [
        "ps_death is late, data of 2025-11-01: rules off N09, X01"
    ]
    assert "rule N02 is off: 规则文件停用" in look
    assert [line for line in look if "ed_enrolment" in line or "P04" in line] == []


def test_status_says_what_arrived_what_is_late_and_which_rules_are_off(home):
    text = call(home, "status").output
    assert f"{DAY} arrived: nothing" in text
    assert "1 absent, 1 fresh, 1 late" in text
    assert "ps_death late (data of 2025-11-01" in text.replace("\n", " ")
    assert "ed_enrolment absent" in text.replace("\n", " ")
    assert "N02, N09, P04, X01" in text


def test_a_night_in_which_all_is_well_takes_three_lines(home):
    night = nights.Night(str(DAY), files=2, classes=2, arrived={"health": ["a", "b"]}, sources={"fresh": 49})
    console = Console(width=80)
    with console.capture() as caught:
        show.arrivals(console, night)
    assert caught.get().splitlines() == [
        f"{DAY} arrived: 2 files of 2 classes: health 2",
        f"{DAY} sources: 49 fresh",
        f"{DAY} rules off: none",
    ]


def test_many_sources_stand_in_a_table_by_department(home):
    late = {"department": "health", "status": "late", "last_batch": DAY, "expected_by": None, "note_zh": ""}
    night = nights.Night(str(DAY), not_fresh=[late | {"class_id": f"hl_{n}"} for n in range(4)])
    console = Console(width=80)
    with console.capture() as caught:
        show.arrivals(console, night)
    assert caught.get().count("health") == 1
    assert "hl_3" in caught.get()


def test_what_was_rejected_says_why(home):
    books = rows(
        LEDGER,
        delivery(status="rejected", control_note_zh="未核对"),
        delivery(status="held", delivery_id="d2", file="ps_death.b.csv", control_note_zh="行数骤减"),
        delivery(delivery_id="d3", file="ps_death.c.csv", control_ok=False, control_note_zh="金额合计不符"),
        delivery(delivery_id="d4", file="ps_death.d.csv", control_ok=True, control_note_zh="校验值相符"),
    )
    found = {"class_id": "ps_death", "delivery_id": "d1", "severity": "error", "rows": 1}
    mended = {"message_zh": "ps_death.csv：缺少必需的列", "action_zh": "请补上"}
    issues = rows(ISSUES, found | {"row": 7, "message_zh": "第7行"}, found | mended)
    put(home, "ledger/ps_death/{night}.parquet", books)
    put(home, "issues/ps_death/{night}.parquet", issues)
    look = nights.summary(home, DAY).look_at
    assert look[:3] == [
        "ps_death: ps_death.b.csv held (行数骤减); data of 2025-11-01 stay; rules off N09, X01",
        "ps_death: ps_death.c.csv control totals disagree (金额合计不符)",
        "ps_death: ps_death.csv rejected (缺少必需的列；请补上)",
    ]
    assert not [line for line in look if line.startswith("ps_death is late")]


def test_checks_that_failed_are_named(home):
    one = {"class_id": "ps_death", "severity": "error", "outcome": "failed", "check_zh": "字段齐全"}
    grain = one | {"check_zh": "主键唯一", "column": "身份证号"}
    warned = one | {"check_zh": "必填", "severity": "warning"}
    broken = one | {"check_zh": "代码表", "outcome": "engine_error", "severity": "warning"}
    put(home, "checks/ps_death/{night}.parquet", rows(OUTCOMES, one, grain, warned, broken))
    look = nights.summary(home, DAY).look_at
    assert "ps_death: 2 checks failed: 主键唯一（身份证号）、字段齐全" in look
    assert "ps_death: 1 check could not run: 代码表" in look


def test_a_file_that_is_not_read_says_which_names_are(home):
    frame = pl.DataFrame({"file": ["deaths.csv", "_manifest.yaml"], "message_zh": ["未读取", "清单无法解析"]})
    put(home, "unclaimed/health/{night}.parquet", frame)
    look = nights.summary(home, DAY).look_at
    assert "health/_manifest.yaml: 清单无法解析" in look
    assert (
        "health/deaths.csv: 未读取；文件名须以下列之一开头，其后紧跟英文句点“.”：hl_serious_disease、hl_birth_death_cert"
        in look
    )


def test_a_daily_file_that_is_not_there_tonight_is_said_while_it_is_within_its_term(home):
    path = f"facts/batch_date={DAY}/source_status.parquet"
    status = pl.read_parquet(home / "lake" / path)
    yesterday, term = date(2025, 11, 19), date(2025, 11, 22)
    daily = {
        "class_id": "ca_assist_household",
        "department": "civil_affairs",
        "status": "fresh",
        "note_zh": "",
    }
    put(
        home,
        path,
        pl.concat(
            [status, pl.DataFrame([daily | {"last_batch": yesterday, "expected_by": term}])], how="diagonal"
        ),
    )
    assert [row["class_id"] for row in nights.summary(home, DAY).not_yet] == ["ca_assist_household"]
    text = call(home, "status").output
    title = catalogue()["ca_assist_household"].title.zh
    assert (
        f"{DAY} 昨日有、今日未送达，暂用此前的数据：ca_assist_household {title}（期限至2025-11-22）" in text
    )
    put(
        home,
        "ledger/ca_assist_household/{night}.parquet",
        rows(LEDGER, delivery(class_id="ca_assist_household")),
    )
    assert nights.summary(home, DAY).not_yet == []


def test_a_list_of_which_every_rule_is_off_is_said_in_one_line(home):
    assert nights.summary(home, DAY).lists_off == {"check_out": 1}
    text = call(home, "status").output
    assert "all 1 rules of “please check” are off: no new warning on this list tonight" in text
    assert "“may need help” are off" not in text


def test_paths_below_the_current_folder_are_shown_from_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert show.shown(tmp_path / "data" / "a.xlsx") == "data/a.xlsx"
    assert show.shown("/elsewhere/a.xlsx") == "/elsewhere/a.xlsx"


def test_a_person_is_told_whole_on_a_narrow_terminal():
    reason = "公民身份号码一致，姓名写法有别（读音相同），出生日期与性别也一致，没有别的候选"
    record = {
        "source_zh": "惠农补贴与承包地经营权登记", "role_zh": "领款人", "grade": "B", "pass_id": "P2-sound",
        "linked_on": DAY, "reason_zh": reason, "reasons_zh": None, "says_zh": None, "agrees_zh": None,
    }  # fmt: skip
    person = {"person": "P000000007", "name_masked": "魏*鑫", "as_of": str(DAY), "status": "active"}
    nothing = {"refused": [], "events": [], "answered": [], "confirm_zh": None}
    told = person | nothing | {"is_registered": True, "records": [record]}
    console = Console(width=80)
    with console.capture() as caught:
        show_person.print_person(console, told)
    text = caught.get()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert "".join(row[-1] for row in cells) == reason
    assert "".join(row[0] for row in cells) == record["source_zh"]
    assert "P2" not in text


def test_a_provisional_person_says_why_each_record_is_here_and_what_would_confirm_it(home):
    keys = ["k1", "k2"]
    person = dict.fromkeys(spine.PERSONS) | {
        "person_id": 9, "person_name": "欧阳雨桐", "birth_date": date(1981, 3, 4), "phone": "13612345678",
        "is_registered": False, "is_provisional": True, "status": "active", "spine_key": "T:k1",
    }  # fmt: skip
    links = [
        dict.fromkeys(spine.LINKS)
        | {"identity_key": key, "source_class": source, "role": "self", "person_id": 9, "grade": "D", "pass_id": "T2"}
        | {"reason_zh": PASSES["T2"].reason_zh, "linked_on": DAY}
        for key, source in zip(keys, ("em_disaster_relief", "ca_cremation"), strict=True)
    ]  # fmt: skip
    forms = {
        "identity_key": keys, "name_key": ["欧阳雨桐"] * 2, "birth_stated": [date(1981, 3, 4), None],
        "sex_known": [None] * 2, "phone_key": ["13612345678"] * 2, "village_code": ["150902100200", None],
        "household_key": [None] * 2, "resident_id": [None] * 2,
    }  # fmt: skip
    answered = dict.fromkeys(spine.ANSWERED) | {
        "identity_key": "k3", "source_class": "mi_enrolment", "person_id": 5, "linked_to": 9,
        "answered_on": DAY, "reason_zh": "已归入该人。",
    }  # fmt: skip
    for name, frame in {
        "persons": pl.DataFrame([person], schema=spine.PERSONS),
        "links": pl.DataFrame(links, schema=spine.LINKS),
        "conflicts": spine.CONFLICTS.to_frame(),
        "events": spine.EVENTS.to_frame(),
        "keys": pl.DataFrame(forms),
        "answered": pl.DataFrame([answered], schema=spine.ANSWERED),
    }.items():
        put(home, f"persons/{{night}}/{name}.parquet", frame)
    text = "".join(call(home, "explain", "P9").output.split())
    assert "暂定人员（未见户籍登记）" in text
    assert "给出：姓名、出生日期、联系电话、村（居）；与其他记录一致的：姓名、联系电话" in text
    assert "怎样确认：没有可用的证件号码" in text
    assert "且出生日期、联系电话相符" in text
    assert "目前不知道：村（居）、性别。" in text
    assert "曾有冲突" in text
    assert "记录归入本人，已归入该人。" in text
    for secret in ("13612345678", "欧阳雨桐", "150902100200"):
        assert secret not in text
    registered = pl.DataFrame(
        [person | {"is_provisional": False, "is_registered": True}], schema=spine.PERSONS
    )
    put(home, "persons/{night}/persons.parquet", registered)
    assert "怎样确认" not in call(home, "explain", "P9").output


def test_links_by_source_are_told_beside_the_night_before(home):
    row = {
        "source_class": "mi_enrolment", "identities": 1000, "grade_a": 800, "grade_b": 50, "grade_c": 100, "grade_d": 10,
        "unlinked": 40, "match_rate": 0.85, "identities_before": 1000, "match_rate_before": 0.95, "change": -0.1,
        "level": "alarm", "reason_zh": "关联到人的比例由95.0%变为85.0%，请核查来源数据是否有变化。",
    }  # fmt: skip
    calm = row | {"source_class": "ed_enrolment", "level": "none", "reason_zh": None}
    put(home, "persons/{night}/by_source.parquet", pl.DataFrame([row, calm], schema=by_source.BY_SOURCE))
    night = nights.summary(home, DAY)
    assert [r["level"] for r in night.linking] == ["alarm", "none"]
    assert [line for line in night.look_at if "关联到人的比例" in line] == [
        f"mi_enrolment: {row['reason_zh']}"
    ]
    text = call(home, "status").output
    assert f"{DAY} linked: 85.00% of 2,000 identities (the night before 95.00%)" in text
    assert "rates" not in text
    put(home, "persons/{night}/rates.parquet", pl.DataFrame({"version": ["2025-10-31-1"]}))
    assert "(the night before 95.00%), rates 2025-10-31-1" in " ".join(call(home, "status").output.split())
    table = text[text.index("Not linked as the night before") :]
    assert "mi_enrolment" in table
    assert "ed_enrolment" not in table
    assert call(home, "status").exit_code == 1


def test_a_folder_of_no_department_is_looked_at(home):
    (home / "inbox" / str(DAY) / "hospital").mkdir(parents=True)
    (home / "inbox" / str(DAY) / "health").mkdir()
    found = [line for line in nights.summary(home, DAY).look_at if "is not read" in line]
    assert len(found) == 1
    assert found[0].startswith(f"inbox/{DAY}/hospital is not read")


@pytest.fixture
def explained(home):
    put(
        home,
        "households/{night}/household.parquet",
        pl.DataFrame(
            {
                "household_id": [3], "head_person_id": [1], "county_code": ["150902"], "township_code": ["150902002"],
                "village_code": [None], "urban_rural": ["1"], "members": [2],
            },
            schema_overrides={"village_code": pl.String, "members": pl.Int32},
        ),
    )  # fmt: skip
    members = {
        "household_id": [3, 3],
        "person_id": [2, 1],
        "relation": ["30", "02"],
        "basis": ["parent_child", "register"],
    }
    put(
        home,
        "households/{night}/household_member.parquet",
        pl.DataFrame(members | {"needs_check": [True, False]}),
    )
    edge = {
        "person_id_a": [1], "person_id_b": [2], "kind": ["parent_child"], "source_class": ["hl_birth_death_cert"],
        "confidence": ["certain"], "data_as_of": [DAY],
    }  # fmt: skip
    put(home, "households/{night}/household_edge.parquet", pl.DataFrame(edge))
    people = {"person_id": [1, 2], "person_name": ["魏小鑫", "魏华"], "sex": ["1", "2"]}
    born = [date(1960, 1, 1), date(2020, 1, 1)]
    put(home, "persons/{night}/persons.parquet", pl.DataFrame(people | {"birth_date": born}))
    return home


def test_explain_shows_what_officers_answered(explained):
    (told,) = json.loads(call(explained, "explain", "H3", "--json").stdout)["warnings"]
    assert (told["state"], told["result_code"], told["result_on"]) == ("answered", "205", "2025-11-19")
    text = call(explained, "explain", "H3").output
    assert "N01 个人自付医疗费用过高（可能需要帮助） W000000000000004：已反馈，2025-11-17首次提示" in text
    assert f"2025-11-19核查结果：205 {told['result_zh']}" in text
    assert told["result_zh"]


def test_explain_says_relations_and_places_in_words_and_masks_as_the_lists_do(explained):
    text = re.sub(" +", " ", call(explained, "explain", "H3").output)
    assert "H000000003 桥东街道 村居不明" in text
    assert "P000000001 │ 魏*鑫 │ 户主 │ 户口簿 │ │" in text
    assert re.search(r"P000000002 │ 魏\*\* │ 女儿? │ 亲子关系登记 │ 是 │", text)
    assert "P000000001 – P000000002：亲子，确定，来自" in text
    assert "魏小鑫" not in text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PolicyError("policy/rules/help_in/N01.sql", 12, "reads the unknown table x"), "N01.sql:12: reads the unknown"),
        (ContractError("ps_death.yaml: feeds: unknown"), "ps_death.yaml: feeds: unknown"),
        (ValueError("张小明 is no number"), None),
    ],
    ids=["policy", "contract", "other"],
)  # fmt: skip
def test_a_failed_step_gives_its_declared_reason_and_no_trace(tmp_path, monkeypatch, capfd, error, told):
    def views(*_):
        raise error

    monkeypatch.setattr(risk, "views", views)
    why: dict[str, str] = {}
    success, failed = nights.run(tmp_path, DAY, "one_rule", [risk.rule_key("N05")], why=why)
    assert (success, failed) == (False, ["run_rules"])
    (line,) = nights.failures(failed, why)
    assert (told in line) if told else line == "step run_rules failed"
    caught = capfd.readouterr()
    assert "Traceback" not in caught.out + caught.err
    assert "Stack Trace" not in caught.out + caught.err
