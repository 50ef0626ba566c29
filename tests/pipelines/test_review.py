"""The review tool: what is asked, what is written and when, what is never shown; the same by file; what a night makes of it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from click.testing import CliRunner

from assets import decisions as arriving
from assets.io import Home, write_frames
from data_contracts.feeding import AcceptedFile
from matching import decisions, journal, spine
from pipelines import reviewing
from pipelines.cli import main
from reports import reviews
from tests.matching import world

DAY = world.FIRST_DAY
NEXT = DAY + timedelta(days=1)
N = ["150902197005010117", "150902197005010133", "152601195502030178"]
PHONE = "13812345678"
KNOWN = world.identity(resident_id=N[0], person_name="王建国", village_code="150902100200")
OTHER = world.identity(resident_id=N[1], person_name="李四")
THIRD = world.identity(resident_id=N[2], person_name="赵海燕")
RELATIVE = world.identity(source_class="ag_subsidy_land", tier=3, resident_id=N[0], person_name="孙小花")
SPELT = world.identity(source_class="mi_enrolment", tier=2, resident_id=N[1], person_name="李五", phone=PHONE)
TAXED = world.identity(source_class="tx_iit_withholding", tier=2, resident_id=N[2], person_name="赵海燕")
ROWS = [KNOWN, OTHER, THIRD, RELATIVE, SPELT, TAXED]


@pytest.fixture
def home(tmp_path):
    identities = world.frame(ROWS)
    result = spine.resolve(identities, None, None, DAY)
    write_frames(tmp_path / "lake" / "persons" / f"batch_date={DAY}", result.frames())
    (tmp_path / "lake" / "identities").mkdir()
    identities.write_parquet(tmp_path / "lake" / "identities" / f"batch_date={DAY}.parquet")
    return tmp_path


def review(home, *arguments, keys=""):
    command = ["--home", str(home), "review", "--reviewer", "0417", *arguments]
    return CliRunner().invoke(main, command, input=keys)


def rows(home, day=NEXT):
    stored = journal.stored(home / "lake" / "decisions", day)
    columns = ["identity_key", "person_id", "decision", "who", "decided_on", "note", "door", "entry"]
    return stored.select(columns).sort("entry").rows()


def the_queue(home):
    work = reviewing.prepare(home, "0417", None)
    return work.queue.select("identity_key", "person_id").rows()


def test_the_world_has_two_grey_pairs(home):
    assert sorted(the_queue(home)) == sorted([(RELATIVE["identity_key"], 1), (SPELT["identity_key"], 2)])


def test_answers_are_rows_with_who_and_when_and_undoing_adds_one(home):
    first, second = the_queue(home)
    result = review(home, "--plain", keys="s\nz\nn\nu\n")
    assert result.exit_code == 0
    assert rows(home) == [
        (*first, "same", "0417", NEXT, None, "review", 1),
        (*first, "unsure", "0417", NEXT, "undone", "review", 2),
        (*first, "not_same", "0417", NEXT, None, "review", 3),
        (*second, "unsure", "0417", NEXT, None, "review", 4),
    ]
    assert "2 of 2 pairs decided, 4 rows written" in result.output
    keys = journal.stored(home / "lake" / "decisions", NEXT)["person_key"].to_list()
    assert set(keys) == {KNOWN["identity_key"], OTHER["identity_key"]}
    # Decided and unsure ones are not asked again.
    assert the_queue(home) == []
    assert "没有待人工确认的记录" in review(home, "--plain").output


def test_names_are_shown_with_what_differs_and_numbers_are_not(home):
    result = review(home, "--plain", keys="\n\n")
    assert "李[四]；记录 李[五]" in result.output
    assert "可能是亲属的号码" in result.output
    # A village code has 12 digits, a telephone 11, a number 15 or 18.
    assert not re.search(r"(?<!\d)(?:\d{11}|\d{15}|\d{17}[\dX])(?!\d)", result.output)
    assert not any(number in result.output for number in (*N, PHONE))
    assert rows(home) == []


@pytest.mark.parametrize("keys", ["", "q\n", "x\nq\n", "z\nq\n"])
def test_ending_at_once_or_by_the_end_of_the_input_writes_nothing(home, keys):
    result = review(home, "--plain", keys=keys)
    assert result.exit_code == 0
    assert rows(home) == []


def test_an_answer_in_words_is_understood(home):
    review(home, "--plain", keys="不是同一人\n同一人\n")
    assert [row[2] for row in rows(home)] == ["not_same", "same"]


def test_every_answer_is_on_the_disk_before_the_next_question(home):
    session = reviewing.Session(reviewing.prepare(home, "0417", None))
    seen = []

    def ask():
        seen.append(len(rows(home)))
        return "n"

    reviewing.go(session, ask, lambda text: None, reviewing.in_lines)
    assert seen == [0, 1]
    assert len(rows(home)) == 2


def test_a_record_that_found_its_person_is_not_asked_about_others(home):
    work = reviewing.prepare(home, "0417", None)
    twice = work.queue.head(1)
    other = twice.with_columns(pl.lit(3, dtype=pl.Int64).alias("person_id"))
    work.queue = pl.concat([twice, other, work.queue.tail(1)])
    session = reviewing.Session(work)
    session.answer("same")
    assert session.at == 2
    session.undo()
    session.answer("not_same")
    assert session.at == 1


def test_the_next_night_follows_and_so_does_a_rebuild(home):
    pairs = the_queue(home)
    keys = ["s" if key == RELATIVE["identity_key"] else "n" for key, _ in pairs]
    review(home, "--plain", keys="\n".join(keys) + "\n")
    decided = journal.stored(home / "lake" / "decisions", NEXT)
    state = spine.resolve(world.frame(ROWS), None, None, DAY)
    for previous in (state, None):
        result = spine.resolve(world.frame(ROWS), previous, decided, NEXT)
        whose = dict(result.links.select("identity_key", "person_id").rows())
        assert whose[RELATIVE["identity_key"]] == whose[KNOWN["identity_key"]]
        assert whose.get(SPELT["identity_key"]) != whose[OTHER["identity_key"]]
        assert result.links.filter(pl.col("pass_id") == "H")["grade"].to_list() == ["A"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--date", str(DAY)], f"--date {NEXT} on"),
        (["--reviewer", "a/b"], "--reviewer is"),
        (["--reviewer", "1" * 18], "--reviewer is"),
        (["--export", "x.xlsx", "--import", str(Path(__file__))], "two different things"),
        (["--export", "15090219800101123X/x.xlsx"], "no folder 150902***"),
        (["--export", "x.pdf"], ".xlsx or .csv"),
        ([], "no terminal"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(home, arguments, words):
    result = review(home, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert rows(home) == []


def test_without_a_night_there_is_nothing_to_review(tmp_path):
    result = review(tmp_path)
    assert result.exit_code == 2
    assert "no night was run yet" in result.stderr


# --- the terminal itself


def test_single_keys_on_a_terminal_that_is_left_as_it_was(home):
    handle, end = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "review", "--reviewer", "0417"]
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, cwd=Path(__file__).parents[2])
    seen = b""

    def until(words):
        nonlocal seen
        last = time.monotonic() + 60
        while words.encode() not in seen:
            assert time.monotonic() < last, "the terminal says nothing"
            if select.select([handle], [], [], 0.2)[0]:
                seen += os.read(handle, 65536)

    try:
        until("第1对")
        os.write(handle, b"\x1b[A")
        until("不认识的按键")
        os.write(handle, b"s")
        until("第2对")
        os.write(handle, b"q")
        until("1 of 2 pairs decided")
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(end)
        os.close(handle)
    text = seen.decode()
    assert [row[2] for row in rows(home)] == ["same"]
    # A screen of its own, reverse for what differs, everything put back.
    assert "\x1b[?1049h" in text
    assert text.rindex("\x1b[?1049l") > text.rindex("第2对")
    assert "\x1b[7m" in text
    assert not any(number in text for number in (*N, PHONE))


# --- by file


def filled(path, answers):
    """A filled copy of an exported sheet; `answers`: key of the record -> answer."""
    table = reviews.read_review(path)
    return table.with_columns(
        pl.col("记录标识").replace_strict(answers, default=None, return_dtype=pl.String).alias("判断")
    )


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_out_by_file_and_in_again(home, tmp_path, kind):
    path = tmp_path / f"pairs.{kind}"
    result = review(home, "--export", str(path), "--json")
    assert (result.exit_code, json.loads(result.output)["pairs"]) == (0, 2)
    assert path.stat().st_mode & 0o077 == 0
    assert not any(number.encode() in path.read_bytes() for number in (*N, PHONE))
    table = filled(path, {RELATIVE["identity_key"]: "同一人", SPELT["identity_key"]: "不是同一人"})
    assert "李【四】" in table["姓名（人员）"]
    back = tmp_path / f"back.{kind}"
    if kind == "csv":
        table.write_csv(back)
    else:
        with xlsxwriter.Workbook(str(back)) as book:
            sheet = book.add_worksheet(reviews.SHEET)
            for n, line in enumerate([table.columns, *table.rows()]):
                sheet.write_row(n, 0, line)
    result = review(home, "--import", str(back), "--json")
    assert (result.exit_code, json.loads(result.output)["written"]) == (0, 2)
    assert {(row[0], row[2], row[3], row[6]) for row in rows(home)} == {
        (RELATIVE["identity_key"], "same", "0417", "file"),
        (SPELT["identity_key"], "not_same", "0417", "file"),
    }
    again = json.loads(review(home, "--import", str(back), "--json").output)
    assert (again["written"], again["already_there"]) == (0, 2)
    assert len(rows(home)) == 2


def test_the_last_word_of_a_reviewer_counts_also_on_one_day(home):
    work = reviewing.prepare(home, "0417", None)
    key = RELATIVE["identity_key"]

    def taken(*answers, who="0417"):
        table = pl.DataFrame(
            {"记录标识": [key] * len(answers), "人员编号": ["P000000001"] * len(answers), "判断": answers}
        ).with_columns(pl.lit(who).alias("审核人员"))
        return reviewing.take_file(work, table, pl.Series([key]))[:2]

    def in_force():
        return decisions.in_force(journal.stored(work.folder, NEXT), NEXT)["decision"].to_list()

    assert [taken("同一人"), taken("不是同一人"), taken("同一人")] == [(1, 0)] * 3
    assert in_force() == ["same"]
    assert taken("同一人") == (0, 1)
    # Another reviewer has words of their own; in one file the last row is the word.
    assert taken("不是同一人", who="0418") == (1, 0)
    assert taken("同一人", "不是同一人") == (1, 1)
    assert in_force() == ["not_same"]
    assert taken("同一人", "不是同一人") == (0, 2)
    assert taken("不是同一人", "同一人", "不确定", "同一人") == (2, 2)
    assert in_force() == ["same"]


def test_the_workbook_offers_three_answers_and_hides_the_keys(home, tmp_path):
    path = tmp_path / "pairs.xlsx"
    review(home, "--export", str(path))
    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert '<formula1>"同一人,不是同一人,不确定"</formula1>' in sheet
    columns = reviews.read_review(path).columns
    first, last = (columns.index(name) + 1 for name in reviewing.HIDDEN)
    assert re.search(rf'<col min="{first}" max="{last}"[^>]*hidden="1"', sheet)
    other = tmp_path / "again.xlsx"
    review(home, "--export", str(other))
    assert other.read_bytes() == path.read_bytes()


def test_records_that_nobody_knows_and_answers_that_mean_nothing_are_left_out_and_counted(home, tmp_path):
    path = tmp_path / "answers.yaml"
    key = RELATIVE["identity_key"]
    path.write_text(
        f"- {{identity_key: {key}, person_id: 1, decision: same}}\n"
        "- {identity_key: unknown, person_id: 1, decision: same}\n"
        f"- {{identity_key: {key}, person_id: 777, decision: same}}\n"
        f"- {{identity_key: {key}, person_id: 1, decision: perhaps}}\n",
        encoding="utf-8",
    )
    result = review(home, "--import", str(path))
    assert result.exit_code == 1
    assert "2行的记录或人员不在当前数据中" in result.output
    assert "判断不明" in result.output
    assert [row[:3] for row in rows(home)] == [(key, 1, "same")]


def test_a_file_that_cannot_be_read_is_said_without_its_content(home, tmp_path):
    path = tmp_path / "answers.xlsx"
    path.write_text(f"王建国 {N[0]}")
    result = review(home, "--import", str(path))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
    assert "王建国" not in result.output + result.stderr


# --- blind samples


def test_a_blind_sample_goes_out_and_its_answers_become_precision(home, tmp_path):
    path = tmp_path / "sample.csv"
    done = json.loads(review(home, "--sample", "5", "--seed", "3", "--export", str(path), "--json").output)
    table = reviews.read_review(path)
    # Three records are linked beside those by which persons are known: only the tax record is.
    assert (done["pairs"], table.height) == (1, 1)
    assert not {"记录标识", "人员编号", "把握", "理由", "类型"} & set(table.columns)
    assert TAXED["identity_key"] not in path.read_text(encoding="utf-8")
    table.with_columns(pl.lit("同一人").alias("判断")).write_csv(path)
    result = json.loads(review(home, "--import", str(path), "--json").output)
    total = next(row for row in result["precision"] if row["stratum"] == "all")
    assert (total["in_stratum"], total["same"], total["precision"]) == (1, 1, 1.0)
    assert total["precision_low"] == pytest.approx(0.2065, abs=1e-3)
    assert rows(home) == []


def test_a_sample_that_was_not_drawn_here_is_refused(home, tmp_path):
    path = tmp_path / "sample.csv"
    path.write_text("样本,样本编号,判断\nelsewhere,1,同一人\n", encoding="utf-8")
    result = review(home, "--import", str(path))
    assert result.exit_code == 2
    assert "was not drawn here" in result.stderr


# --- what arrives with a night


def test_review_files_in_the_inbox_are_taken_once_and_stay(home):
    folder = home / "inbox" / str(NEXT) / arriving.INBOX
    folder.mkdir(parents=True)
    line = f"{RELATIVE['identity_key']},P000000001,同一人,0418\nx,P000000001,也许,0418\n"
    (folder / "a.csv").write_text("记录标识,人员编号,判断,审核人员\n" + line, encoding="utf-8")
    (folder / "b.xlsx").write_text("no workbook")
    found, problems = arriving.tonight(Home(root=str(home)), NEXT)
    assert found.select("identity_key", "person_id", "decision", "who", "decided_on", "door").rows() == [
        (RELATIVE["identity_key"], 1, "same", "0418", NEXT, "file")
    ]
    assert problems == [
        "第1个审核文件第3行：判断不明，请填 同一人、不是同一人 或 不确定。",
        "第2个审核文件无法读取。",
    ]
    assert arriving.tonight(Home(root=str(home)), NEXT)[0].equals(found)
    # The inbox is emptied in time; what was decided stays.
    (folder / "a.csv").unlink()
    assert arriving.tonight(Home(root=str(home)), NEXT + timedelta(days=1))[0].equals(found)
    # A night that is run again does not know what came later.
    assert arriving.tonight(Home(root=str(home)), DAY)[0].is_empty()


def test_one_bad_file_is_a_problem_line_and_the_good_ones_go_on(home, monkeypatch):
    folder = home / "inbox" / str(NEXT) / arriving.INBOX
    folder.mkdir(parents=True)
    key = RELATIVE["identity_key"]
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(
            f"记录标识,人员编号,判断,审核人员\n{key},P000000001,同一人,0418\n", encoding="utf-8"
        )

    def read(path):
        if path.name == "a.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return reviews.read_review(path)

    monkeypatch.setattr(arriving, "read_review", read)
    lake = home / "lake" / journal.FOLDER
    lake.mkdir(parents=True)
    good = {"identity_key": SPELT["identity_key"], "person_id": 2, "decision": "not_same", "who": "0417"}
    lines = [good | {"decided_on": str(DAY)}, good | {"decided_on": "2025-99-99"}, ["王建国"], good]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    (lake / f"journal_{DAY}.jsonl").write_text(body, encoding="utf-8")
    (lake / f"{N[0]}_2025-99-99.parquet").write_bytes(b"PAR1")
    (lake / "broken.parquet").write_text("王建国")
    found, problems = arriving.tonight(Home(root=str(home)), NEXT)
    assert found.select("identity_key", "decision").sort("decision").rows() == [
        (SPELT["identity_key"], "not_same"),
        (key, "same"),
    ]
    assert [problem.split("，")[0] for problem in problems] == [
        "第1个审核文件无法读取。",
        "决定文件150902***_2025-99-99.parquet：文件名中的日期不存在",
        "决定文件broken.parquet无法读取（ComputeError）",
        f"决定文件journal_{DAY}.jsonl：3行缺少记录、人员、答复、审核人员或有效日期",
    ]
    result = review(home, "--plain")
    assert result.exit_code == 1
    assert "look at 决定文件broken.parquet" in result.output
    assert "王建国" not in "".join(problems)


def test_answers_601_become_decisions_or_questions(home, monkeypatch):
    night = f"batch_date={DAY}"
    (home / "lake" / "risk" / night).mkdir(parents=True)
    (home / "lake" / "households" / night).mkdir(parents=True)
    sources = '{"tx_iit_withholding": "2025-11-17", "ps_resident": "2025-11-17"}'
    pl.DataFrame(
        {
            "warning_id": ["W1", "W2"],
            "household_id": [7, 8],
            "person_id": [3, None],
            "sources_json": [sources, '{"tx_iit_withholding": "2025-11-17", "mi_enrolment": "2025-11-17"}'],
        }
    ).write_parquet(home / "lake" / "risk" / night / "register.parquet")
    pl.DataFrame({"household_id": [7, 8], "person_id": [3, 3]}).write_parquet(
        home / "lake" / "households" / night / "household_member.parquet"
    )
    answers = home / "answers.parquet"
    delivered = AcceptedFile(answers, "d", NEXT, "delta", "a.xlsx", 2)
    monkeypatch.setattr(arriving.feeding, "accepted_files", lambda *_: [delivered])

    def answer(*codes):
        pl.DataFrame(
            {
                "warning_id": ["W1", "W2"][: len(codes)],
                "result_code": list(codes),
                "officer": ["0421"] * len(codes),
                "visited_on": [DAY] * len(codes),
            }
        ).write_parquet(answers)
        return arriving.tonight(Home(root=str(home)), NEXT)[0]

    taxed = (TAXED["identity_key"], 3, "not_same", "0421", DAY, "outcome_return")
    columns = ["identity_key", "person_id", "decision", "who", "decided_on", "door"]
    assert answer("602").is_empty()
    assert answer("601").select(columns).rows() == [taxed]
    decided = answer("601", "601")
    assert decided.select(columns).rows() == [taxed]
    result = spine.resolve(world.frame(ROWS), spine.Spine.of(spine_frames(home)), decided, NEXT)
    whose = dict(result.links.select("identity_key", "person_id").rows())
    assert whose[THIRD["identity_key"]] == 3
    assert whose.get(TAXED["identity_key"]) != 3
    # The night after, the answer is old and the record stands with nobody: the decision must still be there.
    later = arriving.tonight(Home(root=str(home)), NEXT + timedelta(days=1))[0]
    assert later.select(columns).rows() == [taxed]


def spine_frames(home):
    folder = home / "lake" / "persons" / f"batch_date={DAY}"
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def test_what_an_answer_may_mean_stands_first_in_the_queue(home):
    folder = home / "lake" / "decisions" / journal.FOR_REVIEW
    folder.mkdir(parents=True)
    pl.DataFrame(
        {
            "identity_key": [TAXED["identity_key"], "gone"],
            "person_id": [3, 3],
            "who": ["0421"] * 2,
            "decided_on": [DAY] * 2,
        }
    ).write_parquet(folder / f"batch_date={DAY}.parquet")
    work = reviewing.prepare(home, "0417", None)
    assert work.queue.select("identity_key", "kind").row(0) == (TAXED["identity_key"], "answered")
    assert work.queue.height == 3
    assert date.fromisoformat(str(work.day)) == NEXT
    assert decisions.in_force(journal.stored(work.folder, work.day), work.day).is_empty()
