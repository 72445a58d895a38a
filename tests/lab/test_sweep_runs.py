"""Sweeps with real kernels: what is shared, what a kill leaves, what runs side by side, what fails."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

import psutil
import pytest

from wbme.base.errors import ExperimentError, NotebookError
from wbme.lab import chain, comparison, launcher, record, refs, store, sweep, trials
from wbme.lab.progress import Console

pytestmark = pytest.mark.slow

MAKE = """\
place = run.folder("source/a")
(place / "a.txt").write_text(str(base))
run.publish("source/a", place)
run.metric("made/files", 1)"""
JUDGE = """\
if fail and seed == 1:
    raise ValueError("no such luck")
start = float((run.use("source/a") / "a.txt").read_text())
run.metric("score/a", start + gain + seed / 8)
run.metric("score/b", seed)"""
HEAD = "chain: both\nmetric: score/a\ngoal: higher\n"
GRID = (
    HEAD
    + "design: grid\nfactors: {50_judge.gain: [0.0, 1.0]}\nrepeat: {param: 50_judge.seed, values: [0, 1]}\n"
)


@pytest.fixture
def files(project, write_notebook):
    write_notebook("10_make", "seed: int = 0\nbase: float = 1.0", MAKE, publishes="`source/a`")

    def judge(cell=JUDGE):
        known = "seed: int = 0\ngain: float = 0.0\nfail: bool = False"
        write_notebook("50_judge", known, cell, reads="`source/a`")

    judge()
    (project / "experiments/run/both.yaml").write_text("steps:\n- notebook: 10_make\n- notebook: 50_judge\n")
    (project / "experiments/sweeps").mkdir()

    def write(text, name="s"):
        (project / f"experiments/sweeps/{name}.yaml").write_text(text)
        return name

    write.judge = judge
    return write


def go(name="s", **options):
    screen = StringIO()
    found = trials.run(sweep.find(name), console=Console(screen, quiet=0.0), **options)
    return found, screen.getvalue()


def runs(notebook):
    return [run for _, run in record.history(notebook)]


def table(found):
    rows = comparison.compare(found)
    return [{key: repr(value) for key, value in row.items()} for row in rows]


def wait_for(condition, seconds=120.0):
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)
    return found


def test_a_sweep_shares_equal_steps_publishes_its_results_and_is_reused_whole(files, project):
    files(GRID)
    found, screen = go()
    assert [row["metrics"]["score/a"] for row in found.trials] == [1.0, 2.0, 1.125, 2.125]
    assert len(runs("10_make")) == 1
    assert len(runs("50_judge")) == 4
    assert "004 [4/4] gain=1.0: score/a = 2.125" in screen
    [run] = [r for r in runs("50_judge") if r["chain"] == "s.004"]
    assert run["sweep"] == {
        "name": "s",
        "trial": "004",
        "label": "gain=1.0",
        "factors": {"50_judge.gain": 1.0},
    }
    assert found.trials[3]["runs"][1]["run"] == run["id"]
    assert found.trials[3]["outputs"] == {"source/a@s.004": refs.read("source/a@s.001").digest}

    published = refs.read("sweep/s").digest
    kept = comparison.results(store.tree(published))
    assert table(kept) == table(found)
    lines = (store.tree(published) / "trials.csv").read_text().splitlines()
    assert lines[0].split(",")[:6] == [
        "trial",
        "setting",
        "50_judge.gain",
        "50_judge.seed",
        "status",
        "score/a",
    ]
    assert len(lines) == 5

    again, screen = go()
    assert screen.count("reused, made by") == 8
    assert table(again) == table(found)
    assert refs.read("sweep/s").digest == published, "equal results are equal bytes"
    files(GRID.replace("[0, 1]", "[0]"))
    go(force=True)
    assert (len(runs("10_make")), len(runs("50_judge"))) == (2, 6), "equal steps are shared even then"


def test_notebook_51_shows_what_the_sweep_published(files, project):
    shutil.copy(Path(__file__).parents[2] / "notebooks/51_compare_ablations.ipynb", project / "notebooks")
    files(GRID + "data: numbers of a test\n")
    found, _ = go()
    planned = chain.plan("51", typed=[("sweep", "s")])
    [shown] = launcher.run(planned, console=Console(StringIO()))
    assert shown.record["inputs"]["sweep/s"]["digest"] == refs.read("sweep/s").digest
    assert shown.record["metrics"] == {"better/score-a": 0, "worse/score-a": 0}, "two repeats decide nothing"
    [base, gain] = csv.DictReader((shown.folder / "tables/s.csv").open())
    assert (base["verdict"], gain["verdict"], float(gain["difference"])) == (
        "the base",
        "too few repeats",
        1.0,
    )
    assert len(list(csv.DictReader((shown.folder / "tables/s_trials.csv").open()))) == len(found.trials)
    assert "Data: numbers of a test; sweep s" in (shown.folder / "tables/s.md").read_text()
    assert (shown.folder / "figures/s.png").stat().st_size > 5000
    with pytest.raises(NotebookError, match="no sweep t has finished here: run 'wbme sweep t' first"):
        launcher.run(chain.plan("51", typed=[("sweep", "t")]), console=Console(StringIO()))


def test_a_sweep_killed_and_started_again_gives_the_same_table(files, project):
    files(GRID)
    command = [sys.executable, "-m", "wbme", "sweep", "s"]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    state = project / "workspace/sweeps/s/trials.jsonl"
    wait_for(lambda: state.is_file() and len(state.read_text().splitlines()) == 2)
    wait_for(lambda: [r for r in runs("50_judge") if r["status"] == "running"])
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert json.loads((state.parent / "sweep.json").read_text())["status"] == "running"
    assert refs.read("sweep/s") is None
    wait_for(lambda: all(record.status(r) != "running" for r in runs("50_judge")))
    partly = comparison.of("s")
    assert [row["trial"] for row in partly.trials] == ["001", "002"]
    state.write_text(state.read_text() + '{"trial": "0')  # as a kill amid a write would leave it

    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len([r for r in runs("50_judge") if r["status"] == "completed"]) == 4
    assert len(runs("10_make")) == 1
    assert "score/a (higher is better)" in done.stdout
    resumed = table(comparison.of("s"))
    files(GRID, "whole")
    assert table(go("whole")[0]) == resumed


def test_two_jobs_make_a_shared_step_once_and_one_console_tells_of_both(files, project):
    files(GRID)
    found, screen = go(jobs=2)
    assert [row["metrics"]["score/a"] for row in found.trials] == [1.0, 2.0, 1.125, 2.125]
    assert len(runs("10_make")) == 1
    assert "another launcher makes the same: waiting for it" in screen
    assert "001 [2/2] 50_judge  started" in screen
    assert "002 [2/2] 50_judge  started" in screen
    ids = {served["run"] for row in found.trials for served in row["runs"][:1]}
    assert ids == {runs("10_make")[0]["id"]}


def test_a_failing_trial_is_marked_and_the_others_go_on(files):
    text = HEAD + "design: list\ntrials: [{label: sound}, {label: weak, set: {50_judge.fail: true}}]\n"
    files(text + "repeat: {param: 50_judge.seed, values: [0, 1]}\n")
    found, screen = go()
    assert [row["trial"] for row in found.failed] == ["004"]
    assert "50_judge failed in cell 5: ValueError: no such luck" in found.failed[0]["error"]
    assert "004 [4/4] weak: FAILED" in screen
    [sound, weak] = comparison.compare(found)
    assert (sound["repeats"], weak["repeats"], weak["failed"], weak["verdict"]) == (
        2,
        1,
        1,
        "too few repeats",
    )
    done = subprocess.run(
        [sys.executable, "-m", "wbme", "sweep", "s"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "004 weak failed: 50_judge failed in cell 5" in done.stdout


def test_a_metric_that_the_last_step_does_not_report_ends_the_sweep_and_is_then_known(files):
    files(GRID.replace("score/a", "score/c"))
    sentence = r"the last step, 50_judge, does not report the metric 'score/c'; it reports: score/a, score/b"
    with pytest.raises(ExperimentError, match=sentence):
        go()
    assert len(runs("50_judge")) == 1
    with pytest.raises(ExperimentError, match=sentence):
        sweep.find("s")


def test_a_trial_whose_process_is_killed_is_marked_and_a_stopped_sweep_leaves_no_process(files, project):
    files.judge(JUDGE + "\nimport time; time.sleep(60)")
    files(GRID.replace("[0, 1]}", "[0]}"))
    command = [sys.executable, "-m", "wbme", "sweep", "s", "--jobs", "2"]
    parent = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )

    def judging():
        """The processes of both trials, when both kernels have begun."""
        below = psutil.Process(parent.pid).children()
        begun = [r for r in runs("50_judge") if r["status"] == "running" and "git" in r]
        return [p for p in below if "wbme.lab.trial" in p.cmdline()] if len(begun) == 2 else []

    try:
        first, second = wait_for(judging)
        below = first.children(recursive=True) + second.children(recursive=True)
        assert len(below) >= 4, "a worker and a kernel each"
        first.kill()
        state = project / "workspace/sweeps/s/trials.jsonl"
        [lost] = wait_for(lambda: state.read_text().splitlines())
        assert "its process ended with code -9" in json.loads(lost)["error"]
        with pytest.raises(ExperimentError, match="the sweep s is running in another process"):
            go()
        os.killpg(parent.pid, signal.SIGINT)
        _, complaint = parent.communicate(timeout=60)
        assert parent.returncode == 130
        assert "Traceback" not in complaint
        gone = lambda p: not p.is_running() or p.status() == psutil.STATUS_ZOMBIE  # noqa: E731
        wait_for(lambda: all(gone(process) for process in (second, *below)))
        assert json.loads((state.parent / "sweep.json").read_text())["status"] == "stopped"
        assert "interrupted" in [r.get("error", {}).get("message") for r in runs("50_judge")]
    finally:
        parent.kill()


SEARCH = HEAD + "search: {library: optuna, trials: 2, ranges: {50_judge.gain: [0.0, 4.0]}}\n"


def test_what_follows_a_run_for_a_tracker_outlives_the_end_of_its_trial():
    follower = [sys.executable, "-c", "import time; time.sleep(60)", "wbme.lab.trackers.process"]
    other = [*follower[:-1], "another"]
    start = "import subprocess, sys, time; [subprocess.Popen(eval(a)) for a in sys.argv[1:]]; time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", start, repr(follower), repr(other)])
    family = psutil.Process(parent.pid)
    wait_for(lambda: [p for p in family.children() if "-c" in p.cmdline() and p.cmdline()[2] != start][1:])
    children = {p.cmdline()[-1]: p for p in family.children()}
    launcher.kill_all(parent)
    try:
        assert not children["another"].is_running()
        assert children["wbme.lab.trackers.process"].is_running()
    finally:
        children["wbme.lab.trackers.process"].kill()


def test_a_full_disk_ends_a_sweep_in_one_sentence_and_with_room_it_goes_on(files, small_disk):
    files(GRID)
    command = [sys.executable, "-m", "wbme", "sweep", "s"]
    filler = small_disk / "filler"
    filler.write_bytes(bytes(560_000))
    full = subprocess.run(command, capture_output=True, text=True, check=False)
    assert full.returncode == 2, full.stdout + full.stderr
    assert "Traceback" not in full.stderr + full.stdout
    assert full.stderr.strip().splitlines()[-1].startswith("wbme: ")
    filler.unlink()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "published sweep/s" in again.stdout


def test_a_search_goes_on_after_a_kill_as_if_nothing_had_been(files, project, monkeypatch):
    pytest.importorskip("optuna")
    files(SEARCH)
    whole, _ = go()
    assert len(whole.trials) == 3
    drawn = [row["factors"]["50_judge.gain"] for row in whole.trials]
    assert drawn[0] == 0.0 and len(set(drawn)) == 3

    files(SEARCH, "again")
    calls = []
    real = launcher.run

    def killed(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(launcher, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        go("again")
    monkeypatch.setattr(launcher, "run", real)
    resumed, _ = go("again")
    assert [row["factors"] for row in resumed.trials] == [row["factors"] for row in whole.trials]
    assert table(resumed) == table(whole)


def test_optuna_and_ray_are_missed_in_one_sentence(files, monkeypatch):
    files(SEARCH)
    for module, options, sentence in (
        ("optuna", {}, r"a search needs Optuna: pip install 'wbme\[search\]'"),
        ("ray", {"address": "x:1"}, r"--ray needs Ray: pip install 'wbme\[cluster\]'"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ExperimentError, match=sentence):
            go(**options)


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """The address of a local cluster of two workers with one CPU each."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    short = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # the paths of sockets must be short
    # Ray gives up on a node whose agents do not answer in 15 s: what is slow and not needed is left out,
    # first of all a grammar of web addresses that its jsonschema would compile in every process.
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick/rfc3987_syntax.py").write_text("raise ImportError('left out')")
    (short / "ray").mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(short))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'quick'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    node = {"num_cpus": 1, "include_dashboard": False, "include_log_monitor": False}
    head = {**node, "no_monitor": True, "temp_dir": str(short)}
    own = Cluster(initialize_head=True, head_node_args=head)
    own.add_node(**node)
    yield own.address
    own.shutdown()
    shutil.rmtree(short, ignore_errors=True)


def test_a_ray_cluster_of_two_workers_runs_the_trials(files, cluster):
    files(GRID)
    found, screen = go(address=cluster)
    assert [row["metrics"]["score/a"] for row in found.trials] == [1.0, 2.0, 1.125, 2.125]
    assert len(runs("10_make")) == 1
    assert "004 [2/2] 50_judge  done in" in screen
    files(GRID, "here")
    assert table(go("here")[0]) == table(found)


def test_a_ray_cluster_that_does_not_answer_is_one_sentence(files):
    pytest.importorskip("ray")
    files(GRID)
    done = subprocess.run(
        [sys.executable, "-m", "wbme", "sweep", "s", "--ray", "127.0.0.1:9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("wbme: no Ray cluster answers at 127.0.0.1:9")
    assert "Traceback" not in done.stderr
    assert runs("10_make") == []
