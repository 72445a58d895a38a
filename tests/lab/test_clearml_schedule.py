"""What ClearML's own scheduler makes of our cron lines, and what is refused because it would do otherwise."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from clearml_standin import ClearMLStandIn
from typer.testing import CliRunner

from wbme.base.errors import ExperimentError
from wbme.cli import application
from wbme.lab import clearml_schedule, cron, schedules

NOW = datetime(2026, 11, 25, 12, 17, tzinfo=UTC)


def schedule(line, zone="UTC", **changes):
    found = {"watch": (), "steps": False, "promotion": None, "wait": False, "enabled": True, **changes}
    clock = cron.parse(line, zone, "here")
    rest = {"chain": None, "run_missed": True, "grace": None}
    return schedules.Schedule(name="s", cron=clock, **rest, **found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "zone"),
    [
        ("* * * * *", "UTC"),
        ("10 * * * *", "UTC"),
        ("10 * * * *", "Asia/Kolkata"),
        ("0 0 * * *", "UTC"),
        ("30 2 * * *", "Asia/Tokyo"),
        ("0 0 * * 1", "UTC"),
        ("30 2 * * mon-fri", "Asia/Tokyo"),
        ("30 13 * * 3,6", "UTC"),
        ("0 0 1 * *", "UTC"),
        ("0 3 28 * *", "UTC"),
        ("15 4 4 3 *", "UTC"),
        ("15 4 26 11 *", "UTC"),
    ],
)
def test_what_is_pushed_fires_at_the_instants_of_the_cron_line(line, zone):
    job_of = pytest.importorskip("clearml.automation.scheduler").ScheduleJob
    own = schedule(line, zone)
    when = clearml_schedule.arguments(own, NOW)
    job = job_of(name="s", base_task_id="1", queue="q", starting_time=NOW, **when)
    job.verify()
    now = NOW
    for _ in range(12):
        now = own.cron.next(now)
        assert job.next() == now
        job._last_executed = now  # as its own run() keeps it, by the clock
        job._schedule_counter += 1


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (schedule("30 2 * * *", "Europe/Berlin"), "only UTC, and the clocks of Europe/Berlin change"),
        (schedule("30 2 * * *", steps=True), "'when: inputs-changed' needs 'wbme schedule'"),
        (schedule("30 2 * * *", wait=True), "use 'overlap: skip'"),
        (schedule("*/15 * * * *"), r"it has no words for '\*/15"),
        (schedule("0 */6 * * *"), "it has no words for"),
        (schedule("0 1,13 * * *"), "it has no words for"),
        (schedule("0 3 31 * *"), "it has no words for"),
        (schedule("0 3 L * *"), "it has no words for"),
        (schedule("0 3 1 * *", "Asia/Tokyo"), "it has no words for"),
        (schedule("0 3 1 * 1"), "it has no words for"),
        (schedule("0 3 * * 5#3"), "it has no words for"),
        (schedule("0 3 * 1-6 *"), "it has no words for"),
    ],
)
def test_what_it_cannot_express_is_refused_in_one_sentence(own, sentence):
    with pytest.raises(ExperimentError, match=sentence) as error:
        clearml_schedule.arguments(own, NOW)
    assert str(error.value).startswith("schedule s cannot be handed to ClearML's scheduler: it ")


def test_what_is_off_is_not_pushed(project, write_notebook):
    write_notebook("20_train", "seed: int = 0")
    (project / "experiments/run/train.yaml").write_text("steps:\n  - notebook: 20_train\n")
    (project / "experiments/schedules.yaml").write_text(
        's: {cron: "0 2 * * *", zone: UTC, chain: train, enabled: false}\n'
    )
    done = CliRunner().invoke(application(), ["schedule", "push", "s", "--dry-run"])
    assert str(done.exception).startswith("schedule s is off: ")


@pytest.mark.slow
def test_a_pushed_schedule_has_a_task_to_clone_and_sigterm_ends_its_scheduler(
    project, write_notebook, monkeypatch
):
    pytest.importorskip("clearml")
    write_notebook("20_train", "seed: int = 0")
    (project / "experiments/run/train.yaml").write_text("steps:\n  - notebook: 20_train\n")
    (project / "experiments/schedules.yaml").write_text('s: {cron: "* * * * *", zone: UTC, chain: train}\n')
    server = ClearMLStandIn()
    command = [sys.executable, "-m", "wbme", "schedule", "push", "s"]
    environment = {**os.environ, **server.environment()}
    pushed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 60
        while not any("add_or_update_artifacts" in call for call in server.calls):  # what it begins with
            assert time.monotonic() < limit and pushed.poll() is None
            time.sleep(0.1)
        template, scheduler = server.tasks.values()
        assert (template["status"], scheduler["status"]) == ("created", "in_progress")
        words = template["script"]["entry_point"].split()
        assert words == ["-m", "wbme", "schedule", "tick", "s", "--force", "--tracker", "clearml"]
        server.stop()  # the way out must not wait for a server that is gone
        time.sleep(1.0)
        pushed.terminate()
        assert pushed.wait(20) in (143, -15)
    finally:
        pushed.kill()
    done = subprocess.run([sys.executable, *words[:-1], "none"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1][:16]) == (0, "s: not promoted:"), done.stderr


def test_a_dry_run_shows_the_mapping_and_asks_no_server(project, write_notebook):
    write_notebook("20_train", "seed: int = 0")
    (project / "experiments/run/train.yaml").write_text("steps:\n  - notebook: 20_train\n")
    text = 'daily: {cron: "30 2 * * *", zone: Asia/Tokyo, chain: train}\n'
    (project / "experiments/schedules.yaml").write_text(text)
    done = CliRunner().invoke(application(), ["schedule", "push", "daily", "--dry-run"])
    assert done.exit_code == 0
    assert "daily: 30 2 * * * Asia/Tokyo -> add_task(day=1, hour=17, minute=30), in UTC" in done.stdout
