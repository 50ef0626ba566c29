"""When things run by themselves: the right night, each content once, and a call for help that names no value."""

import json
from datetime import UTC, datetime

import dagster as dg
import pytest

from assets.io import Home
from pipelines import schedules
from pipelines.alerts import Alerts, FileChannel, run_failed

DAY = "2025-11-17"


def test_the_night_is_that_of_the_day_that_ended_in_shanghai():
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2025, 11, 17, 17, 30, tzinfo=UTC))
    request = schedules.every_night(context)
    assert (request.partition_key, request.run_key) == ("2025-11-17", "2025-11-17")


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox" / DAY / "health"
    folder.mkdir(parents=True)
    (folder / "hl_serious_disease.csv").write_text("a,b\n1,2\n")
    return folder


def look(tmp_path, instance, cursor):
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    found = schedules.inbox_changed(context, home=Home(root=str(tmp_path)))
    return found.run_requests or [], found.cursor


def test_a_file_is_read_once_it_has_settled_and_again_when_its_content_changes(tmp_path, inbox):
    with dg.DagsterInstance.ephemeral() as instance:
        first, cursor = look(tmp_path, instance, None)
        assert first == []
        second, cursor = look(tmp_path, instance, cursor)
        assert [(r.partition_key, r.run_key.split(":")[1], r.run_key.split(":")[-1]) for r in second] == [
            (DAY, "health", "1")
        ]
        assert {k.path[-1] for k in second[0].asset_selection} >= {
            "hl_serious_disease",
            "hl_birth_death_cert",
        }
        third, cursor = look(tmp_path, instance, cursor)
        assert third[0].run_key == second[0].run_key
        (inbox / "hl_serious_disease.csv").write_text("a,b\n1,3\n5,5\n")
        _, cursor = look(tmp_path, instance, cursor)
        changed, cursor = look(tmp_path, instance, cursor)
        assert changed[0].run_key != second[0].run_key


@pytest.mark.parametrize(
    ("failures", "attempt"),
    [(0, "1"), (1, "2"), (2, "3"), (3, None)],
    ids=["first", "second", "third", "given up"],
)
def test_the_same_content_is_tried_three_times(tmp_path, inbox, failures, attempt):
    with dg.DagsterInstance.ephemeral() as instance:
        _, cursor = look(tmp_path, instance, None)
        (request,), cursor = look(tmp_path, instance, cursor)
        for _ in range(failures):
            instance.create_run_for_job(_nothing, tags=request.tags, status=dg.DagsterRunStatus.FAILURE)
        found, _ = look(tmp_path, instance, cursor)
        assert [r.run_key.split(":")[-1] for r in found] == ([attempt] if attempt else [])


def test_what_is_being_read_is_not_asked_for_again(tmp_path, inbox):
    with dg.DagsterInstance.ephemeral() as instance:
        _, cursor = look(tmp_path, instance, None)
        (request,), cursor = look(tmp_path, instance, cursor)
        instance.create_run_for_job(_nothing, tags=request.tags, status=dg.DagsterRunStatus.STARTED)
        assert look(tmp_path, instance, cursor)[0] == []


@dg.op
def _breaks():
    raise ValueError("110105194912310021")


@dg.job
def _nothing():
    _breaks()


def test_a_failed_run_sends_an_alert_without_the_text_of_the_error(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        result = _nothing.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="alert_on_failure",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        schedules.alert_on_failure(context, alerts=Alerts(root=str(tmp_path)))
    (path,) = (tmp_path / "alerts").glob("*.json")
    body = path.read_text(encoding="utf-8")
    assert json.loads(body)["kind"] == "run_failed"
    assert "110105194912310021" not in body


def test_the_same_alert_twice_is_one_file(tmp_path):
    run = dg.DagsterRun(job_name="night", tags={"dagster/partition": DAY})
    for _ in range(2):
        FileChannel(tmp_path).send(run_failed(run, ["read_health"]))
    (path,) = (tmp_path / "alerts").iterdir()
    alert = json.loads(path.read_text(encoding="utf-8"))
    assert (alert["batch_date"], alert["steps"]) == (DAY, ["read_health"])
    assert "read_health" in alert["message_zh"]


@dg.op
def _works():
    return None


@dg.job
def _fine():
    _works()


@pytest.mark.parametrize("lines", [["数据质量报告：有1处已遮盖"], []], ids=["something covered", "nothing"])
def test_outputs_that_must_be_looked_at_send_an_alert(tmp_path, lines):
    folder = tmp_path / "outbox" / DAY
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"attention": lines}), encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        result = _fine.execute_in_process(instance=instance, tags={"dagster/partition": DAY})
        context = dg.build_run_status_sensor_context(
            sensor_name="alert_on_outputs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_success_event(),
        )
        schedules.alert_on_outputs(context, alerts=Alerts(root=str(tmp_path)))
    alerts = [json.loads(p.read_text(encoding="utf-8")) for p in (tmp_path / "alerts").glob("*.json")]
    assert [(a["kind"], a["batch_date"], lines[0] in a["message_zh"]) for a in alerts] == [
        ("outputs_attention", DAY, True) for _ in lines
    ]
