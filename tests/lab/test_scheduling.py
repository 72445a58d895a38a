"""Schedules at work, with a moved clock and real processes: who runs what, once, and what is promoted."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import psutil
import pytest
from PIL import Image

from wbme.base.errors import NotebookError, StoreError, WbmeError
from wbme.lab import ledger, promotion, record, refs, schedules, scheduling, store, verdict
from wbme.lab.launcher import Result
from wbme.lab.progress import Console

# The student is the mean brightness of the pictures, its score the same with a bootstrap interval.
TRAIN = """\
from pathlib import Path
import numpy as np
from PIL import Image
from wbme.base.statistics import bootstrap
files = sorted(run.external(folder).glob("*.png"))
shades = [float(np.asarray(Image.open(file).convert("L")).mean()) / 255 for file in files]
found = bootstrap(np.concatenate([[s - spread, s + spread] for s in shades]))
place = run.folder("model/student")
(place / "shade.txt").write_text(str(found.mean))
run.publish("model/student", place)
run.metric("score/student", found.mean, interval=(found.low, found.high))
run.metric("score/bare", found.mean)"""
SLEEP = """\
import time
(run.path / "asleep").touch()
limit = time.monotonic() + seconds
while time.monotonic() < limit:
    time.sleep(0.1)"""
NIGHT = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PROMOTE = "{step: 20_train, metric: score/student, goal: higher}"


@pytest.fixture
def trainer(project, write_notebook):
    """A project whose schedule ``nightly`` trains from the folder pictures/, and promotes by score."""
    write_notebook(
        "20_train", 'folder: str = "pictures"\nspread: float = 0.01', TRAIN, publishes="`model/student`"
    )
    (project / "experiments/run/train.yaml").write_text("steps:\n  - notebook: 20_train\n")
    return entry(project, "nightly", "train", when="inputs-changed", watch="[pictures]", promote=PROMOTE)


@pytest.fixture
def sleeper(project, write_notebook):
    """A project with the chain ``sleep``, whose one step sleeps ``seconds``."""
    write_notebook("20_sleep", "seconds: float = 2.0\nseed: int = 0", SLEEP)
    (project / "experiments/run/sleep.yaml").write_text("steps:\n  - notebook: 20_sleep\n")
    return project


def entry(project, name, chain, **keys):
    """Add an entry to schedules.yaml and return the schedule."""
    rows = {"cron": '"30 2 * * *"', "zone": "UTC", "chain": chain, **keys}
    with open(project / "experiments/schedules.yaml", "a") as file:
        file.write(f"{name}:\n" + "".join(f"  {key}: {value}\n" for key, value in rows.items()))
    return schedules.find(name)


def look(schedule, now, **options):
    return scheduling.look(schedule, now, console=Console(StringIO()), **options)


def paint(project, name, shade):
    (project / "pictures").mkdir(exist_ok=True)
    Image.new("L", (8, 8), round(shade * 255)).save(project / "pictures" / name)


def shade():
    return float((store.tree(refs.read("model/student").digest) / "shade.txt").read_text())


def told(name="nightly"):
    return [(line["status"], line["why"]) for line in ledger.history(name)]


def runs(notebook):
    return list(record.history(notebook))


def wait_for(condition, seconds=60.0):
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)
    return found


def command(*words):
    return [sys.executable, "-m", "wbme", "schedule", *words]


@pytest.mark.slow
def test_a_picture_is_added_the_student_retrains_and_the_better_one_is_promoted(trainer, project):
    nights = (NIGHT + n * DAY for n in range(100))
    assert look(trainer, next(nights)).status == "skipped"
    assert told() == [("skipped", f"there is no file yet in {project}/pictures")]

    paint(project, "a.png", 0.2)
    assert look(trainer, next(nights)).status == "promoted"
    assert told()[-1] == ("promoted", "nothing was promoted before")
    first = refs.read("model/student")
    assert shade() == pytest.approx(0.2)

    assert look(trainer, next(nights)).status == "skipped"
    os.utime(project / "pictures/a.png", (1, 1))
    (project / "pictures/.DS_Store").write_text("x")
    assert look(trainer, next(nights)).status == "skipped"
    assert told()[-2:] == [("skipped", "the inputs are unchanged")] * 2
    assert len(runs("20_train")) == 1

    (project / "pictures/a.png").unlink()
    paint(project, "b.png", 0.6)
    assert look(trainer, next(nights)).status == "promoted"
    assert told()[-1][1] == (
        "score/student 0.6 (0.59 to 0.61) against 0.2 (0.19 to 0.21): better beyond both intervals"
    )
    second = refs.read("model/student")
    assert shade() == pytest.approx(0.6)

    paint(project, "b.png", 0.1)
    assert look(trainer, next(nights)).status == "not promoted"
    assert told()[-1][1].endswith("(0.59 to 0.61): not better")
    assert refs.read("model/student") == second
    line = next(row for row in reversed(ledger.history("nightly")) if row.get("promoted"))
    assert line["promoted"] == {"model/student": second.digest}
    assert line["previous"] == {"model/student": first.digest}

    back = subprocess.run(command("rollback", "nightly"), capture_output=True, text=True, check=True)
    assert back.stdout == f"model/student -> {first.digest[:12]}\n"
    now = refs.read("model/student")
    assert (now.digest, now.run) == (first.digest, first.run)
    assert store.tree(now.digest, verify=True)

    promotion.rollback("nightly")
    assert refs.read("model/student") is None, "before the first promotion there was none"
    with pytest.raises(WbmeError, match="promoted nothing that could be taken back"):
        promotion.rollback("nightly")
    screen = subprocess.run(command("history", "nightly"), capture_output=True, text=True, check=True).stdout
    assert "rolled back: takes back the promotion of " in screen
    assert f"model/student  {first.digest[:12]} -> {second.digest[:12]}" in screen


@pytest.mark.slow
def test_of_four_schedulers_at_once_one_runs_the_job(sleeper):
    entry(sleeper, "nightly", "sleep")
    crowd = [
        subprocess.Popen(
            command("tick", "nightly", "--at", NIGHT.isoformat()), stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[0] for process in crowd]
    assert [process.returncode for process in crowd] == [0] * 4
    assert len(runs("20_sleep")) == 1
    assert sum("not promoted" in text for text in said) == 1
    assert all("busy" in text or "idle" in text or "not promoted" in text for text in said)
    assert [status for status, _ in told()] == ["not promoted"]


@pytest.mark.slow
def test_a_job_that_is_killed_is_marked_and_its_tick_is_used_up(sleeper):
    schedule = entry(sleeper, "nightly", "sleep", params="{seconds: 100.0}")
    job = subprocess.Popen(command("tick", "nightly", "--at", NIGHT.isoformat()), stdout=subprocess.DEVNULL)
    [(folder, _)] = wait_for(lambda: [r for r in runs("20_sleep") if (r[0] / "asleep").exists()])
    assert look(schedule, NIGHT + timedelta(minutes=1)).status == "busy"
    job.kill()
    job.wait()
    assert scheduling.due(schedule, NIGHT)
    done = subprocess.run(
        command("tick", "--at", NIGHT.isoformat()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "wbme: schedule nightly crashed: the run before died; its tick is used up\n"
    assert told() == [
        ("crashed", "its process ended without a word: killed, out of memory, or the machine went down")
    ]
    assert look(schedule, NIGHT + timedelta(hours=1)).status == "idle"
    assert len(runs("20_sleep")) == 1
    wait_for(lambda: record.status(record.read(folder)) == "died")


@pytest.mark.slow
def test_serve_runs_what_is_due_and_sigterm_ends_it_with_its_job(sleeper):
    entry(sleeper, "minutely", "sleep", cron='"* * * * *"', params="{seconds: 100.0}")
    with open(sleeper / "experiments/schedules.yaml", "a") as file:
        file.write("broken: {cron: '1'}\n")
    server = subprocess.Popen(command("serve"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    [(folder, run)] = wait_for(lambda: [r for r in runs("20_sleep") if (r[0] / "asleep").exists()])
    server.send_signal(signal.SIGTERM)
    said, complaint = server.communicate(timeout=60)
    assert server.returncode == 0
    assert said.endswith("stopped; finished steps are kept and reused next time\n")
    assert complaint.count("schedule broken: ") == 1
    assert "Traceback" not in complaint
    assert told("minutely")[0] == ("interrupted", "stopped from outside")
    assert record.read(folder)["error"] == {"message": "interrupted"}
    assert not psutil.pid_exists(run["process"]["pid"])


@pytest.mark.slow
def test_one_damaged_state_stops_one_schedule_and_a_full_disk_starts_nothing(sleeper):
    for name in ("damaged", "full", "sound"):
        entry(sleeper, name, "sleep", params="{seconds: 0.0}")
    own = ledger.folder("damaged")
    own.mkdir(parents=True)
    (own / "state.json").write_text('{"last": ')
    ledger.folder("full").write_text("where a folder should be, nothing can be written")
    done = subprocess.run(
        command("tick", "--at", NIGHT.isoformat()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert f"schedule damaged: {own}/state.json is damaged: delete it, and the schedule begins" in first
    assert "schedule full: cannot " in second
    assert told("sound") == [("not promoted", "the schedule does not ask for it")]
    assert len(runs("20_sleep")) == 1


@pytest.mark.slow
def test_without_a_folder_the_steps_of_the_chain_decide(sleeper, write_notebook):
    schedule = entry(sleeper, "nightly", "sleep", when="inputs-changed", params="{seconds: 0.0}")
    assert [look(schedule, NIGHT + n * DAY).status for n in range(2)] == ["not promoted", "skipped"]
    write_notebook("20_sleep", "seconds: float = 2.0", SLEEP + "\nrun.metric('slept/well', 1)")
    assert look(schedules.find("nightly"), NIGHT + 2 * DAY).status == "not promoted"


class Chain:
    """Stands for the launcher: takes ``hours`` on a clock of its own, makes nothing, or fails."""

    def __init__(self, monkeypatch, hours=0.0):
        self.hours, self.runs, self.clock, self.fault, self.asked = hours, 0, 0.0, None, {}
        monkeypatch.setattr(scheduling.launcher, "run", self.run)
        monkeypatch.setattr(scheduling.time, "monotonic", lambda: self.clock)

    def run(self, chain, **asked):
        self.runs += 1
        self.asked = asked
        self.clock += 3600 * self.hours
        if self.fault:
            raise self.fault
        return []


def test_inputs_that_fail_again_and_again_are_left_alone_until_they_change(trainer, project, monkeypatch):
    chain = Chain(monkeypatch)
    paint(project, "a.png", 0.5)
    chain.fault = NotebookError("20_train failed in cell 4: no picture")
    said = [look(trainer, NIGHT + n * DAY) for n in range(5)]
    assert [outcome.status for outcome in said] == ["failed"] * 3 + ["skipped"] * 2
    assert told()[0] == ("failed", "20_train failed in cell 4: no picture")
    assert said[3].why == "the inputs are unchanged, and 3 runs with them came to nothing"
    paint(project, "a.png", 0.6)
    assert look(trainer, NIGHT + 5 * DAY).status == "failed"
    assert chain.runs == 4


def test_a_tracker_is_asked_and_a_cell_limited_only_when_something_runs(sleeper, monkeypatch):
    chain, mirrors = Chain(monkeypatch), []
    schedule = entry(sleeper, "s", "sleep", limit=90)

    def track():
        mirrors.append("asked")
        return mirrors

    assert look(schedule, NIGHT - HOUR, mirrors=track).status == "idle" and not mirrors
    assert look(schedule, NIGHT, mirrors=track).status == "not promoted"
    assert mirrors == ["asked"]
    assert (chain.asked["mirrors"], chain.asked["cell_seconds"]) == (mirrors, 5400)


HOURLY = {"cron": '"0 * * * *"'}
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("overlap", "then", "statuses"),
    [
        ("skip", "idle", ["not promoted", "skipped"]),
        ("wait", "not promoted", ["not promoted", "not promoted"]),
    ],
)
def test_ticks_while_a_run_goes_on_are_skipped_or_wait_as_one(sleeper, monkeypatch, overlap, then, statuses):
    schedule = entry(sleeper, "s", "sleep", overlap=overlap, missed="skip", grace=1, **HOURLY)
    chain = Chain(monkeypatch, hours=2.5)
    assert look(schedule, NOON).status == "not promoted"
    assert look(schedule, NOON + 2.5 * HOUR).status == then
    assert [status for status, _ in told("s")] == statuses
    assert chain.runs == statuses.count("not promoted")
    assert look(schedule, NOON + 2.9 * HOUR).status == "idle"


@pytest.mark.parametrize(("missed", "status"), [("run-once", "not promoted"), ("skip", "skipped")])
def test_a_scheduler_that_was_away_makes_up_for_all_at_once_or_for_none(sleeper, monkeypatch, missed, status):
    schedule = entry(sleeper, "s", "sleep", missed=missed)
    chain = Chain(monkeypatch)
    assert look(schedule, NIGHT).status == "not promoted"
    assert look(schedule, NIGHT + 5 * DAY + 3 * HOUR).status == status
    assert ledger.history("s")[-1]["missed"] == 4
    assert look(schedule, NIGHT + 5 * DAY + 4 * HOUR).status == "idle"
    assert look(schedule, NIGHT + 6 * DAY + 0.9 * HOUR).status == "not promoted", "late, but within grace"
    assert chain.runs == (3 if missed == "run-once" else 2)


def test_the_night_when_the_clocks_change_has_one_run(sleeper, monkeypatch):
    Chain(monkeypatch)
    for day in ("2026-03-28", "2026-10-24"):
        schedule = entry(sleeper, f"s{day}", "sleep", zone="Europe/Berlin")
        start, at = datetime.fromisoformat(f"{day}T12:00+00:00"), []
        for minute in range(0, 24 * 60, 5):
            if look(schedule, start + timedelta(minutes=minute)).status == "not promoted":
                at.append((start + timedelta(minutes=minute)).strftime("%H:%M"))
        assert at == [{"2026-03-28": "01:00", "2026-10-24": "00:30"}[day]]


def test_a_clock_that_is_moved_repeats_nothing_and_stops_nothing_for_long(sleeper, monkeypatch):
    schedule = entry(sleeper, "s", "sleep")
    chain = Chain(monkeypatch)
    assert look(schedule, NIGHT).status == "not promoted"
    back = NIGHT - timedelta(minutes=10)
    assert [look(schedule, back + timedelta(minutes=n)).status for n in range(12)] == ["idle"] * 12
    assert look(schedule, NIGHT + 400 * DAY).status == "not promoted"
    assert look(schedule, NIGHT + DAY - HOUR).status == "idle"
    assert look(schedule, NIGHT + DAY).status == "not promoted", "a year that was wrong is forgotten"
    assert chain.runs == 3


def test_force_runs_whatever_clock_inputs_and_switch_say(sleeper, monkeypatch):
    chain = Chain(monkeypatch)
    schedule = entry(sleeper, "s", "sleep", when="inputs-changed", watch="[pictures]", enabled="false")
    assert look(schedule, NIGHT).status == "disabled"
    assert look(schedule, NIGHT, force=True).status == "not promoted"
    assert chain.runs == 1


def test_a_new_line_or_a_time_switched_off_is_not_made_up_for(sleeper, monkeypatch):
    chain = Chain(monkeypatch)
    schedule = entry(sleeper, "s", "sleep")
    look(schedule, NIGHT)
    text = (sleeper / "experiments/schedules.yaml").read_text()
    (sleeper / "experiments/schedules.yaml").write_text(text.replace("30 2", "0 10"))
    assert look(schedules.find("s"), NIGHT + 12 * HOUR).status == "idle"
    (sleeper / "experiments/schedules.yaml").write_text(text + "  enabled: false\n")
    assert look(schedules.find("s"), NIGHT + 3 * DAY).status == "disabled"
    (sleeper / "experiments/schedules.yaml").write_text(text)
    assert look(schedules.find("s"), NIGHT + 3 * DAY + HOUR).status == "idle"
    assert look(schedules.find("s"), NIGHT + 4 * DAY).status == "not promoted"
    assert chain.runs == 2


def published(number, notebook="20_train", ref="model/student", **content):
    """A finished run that nobody ran, with one published name; its result."""
    metrics = {"metrics": {"score/student": float(number)}, "intervals": {}, **content}
    folder = record.create(notebook, {"launched": True, "parameters": {}, "inputs": {}, **metrics})
    place = folder / "made"
    place.mkdir()
    (place / "a.txt").write_text(str(number))
    digest, _ = store.add(place)
    run = record.update(folder, status="completed", outputs={f"{ref}@train": {"digest": digest}})
    return Result(folder, run, reused=False)


@pytest.mark.parametrize(
    ("rule", "before", "after", "promoted", "why"),
    [
        ("goal: higher, margin: 0.5", (1.0, None), (1.6, None), True, "better by more than 0.5"),
        ("goal: higher, margin: 0.5", (1.0, None), (1.5, None), False, "not better by 0.5"),
        ("goal: lower, margin: 0.5", (2.0, None), (1.4, None), True, "better by more than 0.5"),
        ("goal: lower", (2.0, (1.9, 2.1)), (1.5, (1.4, 1.6)), True, "beyond both intervals"),
        ("goal: lower", (2.0, (1.4, 2.6)), (1.5, (1.4, 1.6)), False, "not beyond the intervals"),
        ("goal: higher", (2.0, (1.9, 2.1)), (2.5, (1.9, 3.1)), False, "not beyond the intervals"),
        ("goal: higher", (1.0, (0.9, 1.1)), (2.0, None), False, "states no margin"),
        ("goal: higher, margin: 0.0", (1.0, (0.9, 1.1)), (2.0, None), True, "better by more than 0"),
        ("goal: higher, margin: 9.0", (1.0, (0.9, 1.1)), (2.0, (1.9, 2.1)), True, "beyond both"),
    ],
)
def test_better_means_beyond_both_intervals_or_else_beyond_the_margin(
    trainer, project, rule, before, after, promoted, why
):
    (project / "experiments/schedules.yaml").unlink()
    schedule = entry(
        project, "nightly", "train", promote=f"{{step: 20_train, metric: score/student, {rule}}}"
    )
    for value, interval in (before, after):
        result = published(value, intervals={"score/student": interval} if interval else {})
        judged = verdict.judge(schedule, [result])
        if refs.read("model/student") is None:
            assert judged.promote
            promotion.carry_out(promotion.targets([result]))
    assert (judged.promote, why in judged.why) == (promoted, True)


def test_a_metric_that_is_not_there_promotes_nothing_and_names_those_that_are(trainer, project):
    first = published(1, intervals={"score/student": [0.9, 1.1]})
    promotion.carry_out(promotion.targets([first]))
    for run, words in (
        (
            published(2, metrics={"score/other": 1.0}),
            "20_train reports no metric score/student; it reports: ",
        ),
        (first, "it is the promoted run itself"),
    ):
        judged = verdict.judge(trainer, [run])
        assert not judged.promote
        assert judged.why.startswith(words)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "better beyond both intervals"),
        ({"parameters": {"limit": 8}}, "was measured with other limit; 'wbme run train --promote'"),
        ({"inputs": {"pairs/judge": {"digest": "b"}}}, "was measured with other pairs/judge; "),
        ({"inputs": {"pairs/judge": {"digest": "a"}, "model/net": {"digest": "c"}}}, "better beyond both"),
        (None, "is no run any more; 'wbme run train --promote' promotes without"),
    ],
)
def test_runs_are_compared_only_where_all_but_the_models_is_alike(trainer, changes, why):
    same = {"parameters": {"limit": 4}, "inputs": {"pairs/judge": {"digest": "a"}}}
    first = published(1, intervals={"score/student": [0.9, 1.1]}, **same)
    promotion.carry_out(promotion.targets([first]))
    if changes is None:
        (first.folder / "run.json").unlink()
    new = published(2, intervals={"score/student": [1.9, 2.1]}, **{**same, **(changes or {})})
    judged = verdict.judge(trainer, [new])
    assert why in judged.why
    assert judged.promote == ("better" in why)


PEOPLE = {"ann": 0.4, "bo": 0.6, "cy": 0.5, "di": 0.9}


@pytest.mark.parametrize(
    ("goal", "gains", "promoted", "why"),
    [
        ("higher", (0.1, 0.12, 0.11, 0.1), True, "difference over 4 cases +0.09227 to +0.1227: better"),
        ("lower", (0.1, 0.12, 0.11, 0.1), False, "worse"),
        ("lower", (-0.1, -0.12, -0.11, -0.1), True, "better"),
        ("higher", (0.3, -0.1, 0.2, 0.0), False, "no difference shown"),
        ("higher", (0.0, 0.0, 0.0, 0.0), False, "no difference shown"),
        ("higher", (0.1, 0.1), False, "2 cases that both have are too few to tell, 3 are needed"),
        ("higher", None, True, "nothing was promoted before: there was no model/student@promoted"),
    ],
)
def test_measured_by_one_run_the_differences_of_people_decide(project, trainer, goal, gains, promoted, why):
    (project / "experiments/schedules.yaml").unlink()
    rule = f"{{step: 20_train, metric: f1/student, against: f1/old, goal: {goal}}}"
    schedule = entry(project, "nightly", "train", promote=rule)
    old = dict(zip(PEOPLE, (gains and PEOPLE.values()) or (), strict=False))
    new = {name: value + gain for (name, value), gain in zip(old.items(), gains or (), strict=False)}
    metrics = {"f1/student": 0.7} | ({"f1/old": 0.6} if gains else {})
    lacking = {"model/student@promoted": {"ref": None, "digest": None, "run": None}}
    run = published(
        1, metrics=metrics, cases={"f1/student": new, "f1/old": old}, inputs={} if gains else lacking
    )
    judged = verdict.judge(schedule, [run])
    assert judged.promote == promoted
    assert judged.why.endswith(why)


@pytest.mark.parametrize("lost", [False, True])
def test_a_promotion_that_a_kill_cut_short_is_finished_by_the_next_look(trainer, lost):
    old, new = published(1), published(2)
    promotion.carry_out(promotion.targets([old]))
    line = {"id": "7", "time": 0.0, "status": "promoted", "why": "", "steps": {}} | promotion.targets([new])
    look(trainer, NIGHT - HOUR)
    state = ledger.load("nightly")
    ledger.save("nightly", {**state, "claim": {"id": "7", "tick": NIGHT.timestamp()}, "tries": 1})
    ledger.append("nightly", line)
    if lost:  # what it made is gone: the names stay, and the schedule goes on
        refs.manifest_file(line["promoted"]["model/student"]).unlink()
    assert look(trainer, NIGHT - HOUR).status == "idle"
    assert refs.read("model/student").run == (old if lost else new).record["id"]
    assert ledger.load("nightly")["claim"] is None
    assert [row["status"] for row in ledger.history("nightly")] == ["promoted", "failed"][: 1 + lost]


def test_what_was_rolled_back_is_not_the_one_to_beat(trainer):
    for number, run in enumerate([published(n, intervals={"score/student": [n, n]}) for n in (1, 5)]):
        line = {"id": str(number), "time": 0.0, "status": "promoted"} | promotion.targets([run])
        ledger.append("nightly", line)
        promotion.carry_out(line)
    middle = published(3, intervals={"score/student": [3, 3]})
    assert not verdict.judge(trainer, [middle]).promote
    promotion.rollback("nightly")
    assert verdict.judge(trainer, [middle]).promote


def test_rollback_leaves_alone_what_somebody_else_moved_or_the_store_has_lost(trainer):
    old, new, other = (published(n) for n in (1, 2, 3))
    promotion.carry_out(promotion.targets([old]))
    line = {"id": "7", "time": 0.0, "status": "promoted"} | promotion.targets([new])
    ledger.append("nightly", line)
    promotion.carry_out(line)
    lost = store.store() / "trees" / f"{old.record['outputs']['model/student@train']['digest']}.json"
    kept = lost.read_text()
    lost.unlink()
    with pytest.raises(StoreError, match="the store has no tree"):
        promotion.rollback("nightly")
    assert refs.read("model/student").run == new.record["id"]
    lost.write_text(kept)
    refs.move({"model/student": other.record["outputs"]["model/student@train"]["digest"]}, "x/y")
    with pytest.raises(WbmeError, match="model/student was moved by somebody else"):
        promotion.rollback("nightly")
    with refs.lock("schedule-nightly"), pytest.raises(WbmeError, match="schedule nightly runs now"):
        promotion.rollback("nightly")


def test_a_history_that_a_kill_cut_short_goes_on(project):
    ledger.append("s", {"time": 0, "status": "skipped", "why": "one"})
    with open(ledger.folder("s") / "history.jsonl", "a") as file:
        file.write('{"time": 1, "sta')
    ledger.append("s", {"time": 2, "status": "skipped", "why": "two"})
    assert [line["why"] for line in ledger.history("s")] == ["one", "two"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"last": "x", "claim": null, "tries": 0}', "\0\0"])
def test_a_damaged_state_is_one_sentence(sleeper, text):
    schedule = entry(sleeper, "s", "sleep")
    ledger.append("s", {"time": 0, "status": "skipped", "why": "one"})
    (ledger.folder("s") / "state.json").write_text(text)
    for ask in (scheduling.due, look):
        with pytest.raises(StoreError, match=r"schedules/s/state\.json is damaged: delete it"):
            ask(schedule, NIGHT)


def test_the_watched_contents_are_read_again_only_where_size_or_time_changed(project, monkeypatch):
    from wbme.lab import watching

    paint(project, "a.png", 0.1)
    cache, place = project / "cache.json", project / "pictures"
    (place / "nowhere").symlink_to(project / "gone")
    os.mkfifo(place / "pipe")
    (place / "sub").mkdir()
    one = watching.contents([place], cache)
    monkeypatch.setattr(watching, "sha256_file", lambda path: pytest.fail(f"{path} was read again"))
    assert watching.contents([place], cache) == one
    monkeypatch.undo()
    cache.write_text("[")
    assert watching.contents([place], cache) == one, "the cache only saves work"
    paint(project, "sub/b.png", 0.1)
    assert watching.contents([place], cache) != one
    assert watching.contents([place / "sub/b.png"], cache) not in (one, None)
    (place / "sub/b.png").unlink()
    assert watching.contents([place], cache) == one
    assert watching.contents([project / "gone"], cache) is None
    assert json.loads(cache.read_text()) == {}
