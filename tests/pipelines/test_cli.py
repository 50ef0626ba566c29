"""The command line: exit statuses, one line for what cannot be done, an example in every help."""

import re

import pytest
from click.testing import CliRunner

from data_contracts import opaque
from pipelines import show
from pipelines.cli import main
from pipelines.nights import CannotRun

COMMANDS = sorted(main.commands)


def call(tmp_path, *arguments):
    return CliRunner().invoke(main, ["--home", str(tmp_path), *arguments])


def test_the_commands_of_the_design_are_there():
    assert set(COMMANDS) >= {
        "sample",
        "run",
        "status",
        "match",
        "explain",
        "verify",
        "trace",
        "purge",
        "returns",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path, name):
    result = call(tmp_path, name, "--help")
    assert result.exit_code == 0
    assert f"hardship-watch {name}" in result.output.replace("--home data ", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--date", "2025-11-17"], "no inbox"),
        (["status"], "nothing was run yet"),
        (["explain", "H1"], "run one first"),
        (["explain", "110105194912310021x"], "is no id"),
        (["trace", "W0123456789abcde"], "run one first"),
        (["verify", "--date", "2025-11-17"], "no longer in"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_in_one_line_with_status_2(tmp_path, arguments, words):
    result = call(tmp_path, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--department", "nobody"], "no department nobody"),
        (["--rule", "Z99"], "no rule Z99"),
        (["--department", "health", "--rule", "N01"], "two different runs"),
        (["--to", "2025-11-16"], "is before"),
    ],
    ids=["department", "rule", "both", "order"],
)
def test_names_that_do_not_exist_are_refused(tmp_path, arguments, words):
    (tmp_path / "inbox").mkdir()
    result = call(tmp_path, "run", "--date", "2025-11-17", *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True)


def test_a_date_that_is_no_partition_cannot_be_run(tmp_path):
    (tmp_path / "inbox").mkdir()
    result = call(tmp_path, "run", "--date", "2023-12-31")
    assert (result.exit_code, "2024-01-01" in result.stderr) == (2, True)


def test_a_wrong_option_is_status_2(tmp_path):
    assert call(tmp_path, "run", "--date", "yesterday").exit_code == 2


@pytest.mark.parametrize("text", ["H000000123", "h123", "123"])
def test_ids_are_read_as_they_are_printed(text):
    assert show.number(text, "H") == 123


def test_other_letters_are_no_household():
    with pytest.raises(CannotRun):
        show.number("P000000123", "H")


def test_the_example_of_trace_is_an_id_as_it_is_printed(tmp_path):
    assert re.search(r"hardship-watch trace W[0-9a-f]{15}\b", call(tmp_path, "trace", "--help").output)


def test_a_file_that_is_no_workbook_is_said_in_plain_words(tmp_path):
    path = tmp_path / "notes.xlsx"
    path.write_text("not a workbook", encoding="utf-8")
    result = call(tmp_path, "returns", str(path), "--date", "2025-11-20")
    assert result.exit_code == 1
    assert "notes.xlsx：文件打不开，请确认是清单工作簿并重新报送。" in result.output
    assert "Error" not in result.output
    assert "no answers found in 1 workbook" in result.output
    assert "None" not in result.output


def test_a_key_that_is_too_short_stops_the_run_and_is_not_quoted(tmp_path, monkeypatch):
    monkeypatch.setenv(opaque.VARIABLE, "hush-hush")
    (tmp_path / "inbox").mkdir()
    result = call(tmp_path, "run", "--date", "2025-11-17")
    assert result.exit_code == 2
    assert "needs at least 32: set HARDSHIP_WATCH_KEY" in result.stderr
    assert "hush-hush" not in result.output
    assert not (tmp_path / "lake").exists()
