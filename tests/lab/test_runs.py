"""The run contract with real kernels: what a finished, a reused, a failed and a killed run leave behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from io import StringIO

import papermill
import psutil
import pytest

from wbme.base.errors import NotebookError, RefError, WbmeError
from wbme.lab import chain, launcher, record, refs, report, store
from wbme.lab import trace as tracing
from wbme.lab.progress import Console

pytestmark = pytest.mark.slow

MAKE = """\
from matplotlib.figure import Figure
import numpy as np
fig = Figure(figsize=(3, 2))
fig.subplots().plot(np.random.rand(5))
run.figure(fig, "noise", {"x": [1.5]})
place = run.folder("source/a")
(place / "a.txt").write_text(word)
run.publish("source/a", place)
run.metric("size/words", 1)"""
READ = """\
folder = run.use("source/a")
run.table({"word": [(folder / "a.txt").read_text()]}, "words", data="a test")"""


def go(target, *, typed=(), **options):
    screen = StringIO()
    results = launcher.run(
        chain.plan(target, typed=list(typed)), console=Console(screen, quiet=0.0), **options
    )
    return results, screen.getvalue()


@pytest.fixture
def maker(write_notebook):
    declared = "`source/*`, `figure/noise`"
    return write_notebook("10_make", 'seed: int = 0\nword: str = "one"', MAKE, publishes=declared)


@pytest.fixture
def reader(write_notebook):
    return write_notebook("30_read", "seed: int = 0", READ, reads="`source/*`", publishes="`table/words`")


@pytest.fixture
def both(project, maker, reader):
    text = "name: both\nsteps:\n  - notebook: 10_make\n  - notebook: 30_read\n"
    (project / "experiments/run/both.yaml").write_text(text)


def words(scope):
    return (store.tree(refs.lookup("table/words", scope).digest) / "words.csv").read_text().split()[1]


def test_a_chain_runs_reuses_and_reruns_only_what_changed(both, maker):
    first, screen = go("both")
    assert [r.reused for r in first] == [False, False]
    assert "[1/2] 10_make  started" in screen
    assert "[2/2] 30_read  done in" in screen
    assert words("both") == "one"
    assert refs.read("source/a") is None, "only promotion moves an unscoped name"
    made = first[0].record
    assert made["status"] == "completed"
    assert made["metrics"] == {"size/words": 1.0}
    assert made["parameters"] == {"seed": 0, "word": "one"}
    assert {"noise.png", "noise.pdf", "noise.svg", "noise.csv"} == set(made["figures"])
    assert made["code"]["lab/session.py"]
    assert first[1].record["inputs"]["source/a"]["run"] == made["id"]
    assert (first[0].folder / "notebook.ipynb").is_file()

    second, screen = go("both", promote=True)
    assert [r.reused for r in second] == [True, True]
    assert f"reused, made by {made['id']}" in screen
    assert refs.read("source/a").run == made["id"]

    third, _ = go("both", typed=[("word", "two")])
    assert [r.reused for r in third] == [False, False]
    assert words("both") == "two"
    assert words(None) == "one"

    back, _ = go("both")
    assert [r.reused for r in back] == [True, True]
    assert words("both") == "one"

    maker.write_text(maker.read_text().replace("size/words", "size/letters"))
    edited, _ = go("both")
    assert [r.reused for r in edited] == [False, True], "an equal input digest lets the second step be reused"


def test_one_seed_gives_the_same_bytes_and_another_does_not(maker):
    same = [go("10_make", force=True)[0][0].record["figures"] for _ in range(2)]
    other = go("10_make", typed=[("seed", "1")])[0][0].record["figures"]
    assert same[0] == same[1]
    assert same[0]["noise.png"] != other["noise.png"]


def test_trace_and_report(both, project):
    text = (project / "experiments/run/both.yaml").read_text().replace("both", "report")
    text += "publish:\n  figures: [noise]\n  tables: [words]\n"
    (project / "experiments/run/report.yaml").write_text(text)
    results, _ = go("report")
    report.publish("report")
    assert report.check() == []
    picture = project / "reports/figures/noise.png"
    found = tracing.trace(picture)
    assert found["id"] == results[0].record["id"]
    assert found["parameters"]["word"] == "one"

    (project / "workspace").rename(project / "gone")
    alone = tracing.trace(picture)
    assert alone["found"] == "reports/figures/noise.png"
    assert alone["parameters"] == found["parameters"]
    assert alone["code"] == found["code"]
    assert str(project) not in (project / "reports/SOURCES.json").read_text()

    picture.write_bytes(picture.read_bytes() + b"x")
    assert report.check() == ["reports/figures/noise.png was changed after it was published"]
    with pytest.raises(Exception, match="no run and no report knows"):
        tracing.trace(picture)


@pytest.mark.parametrize(
    ("cell", "declared", "sentence"),
    [
        ("1 / 0", "-", "failed in cell 5: ZeroDivisionError: division by zero"),
        (
            'run.use("model/none")',
            "-",
            "RefError: the store has no model/none (there is: nothing of that kind yet)",
        ),
        ('run.use("source/a")', "-", "20_bad reads source/a but its opening table declares model/*"),
        ("pass", "`source/b`", "declares source/b but did not publish it"),
        ('run.publish("source/a", run.folder("a"))', "`source/a`", "nothing to publish"),
        ('run.publish("source/b", run.folder("a"))', "`source/a`", "its opening table declares source/a"),
        ('run.table({"a": [1]}, "../x", data="d")', "-", "'../x' cannot be the name of a file"),
        ('run.metric("loss/a", float("nan"))', "-", "metric loss/a is nan"),
    ],
)
def test_a_failing_notebook_is_one_sentence_and_moves_no_name(write_notebook, cell, declared, sentence):
    write_notebook("20_bad", "seed: int = 0", cell, reads="`model/*`", publishes=declared)
    with pytest.raises(NotebookError) as error:
        go("20_bad")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert list(refs.listing()) == []
    [(folder, run)] = [r for r in record.history("20_bad") if r[1].get("launched")]
    assert run["status"] == "failed"
    assert (folder / "notebook.ipynb").is_file()


def test_what_is_published_only_if_something_is_given_may_be_left_out(write_notebook):
    declared = "`source/a` if a model is given, `source/b`"
    write = "place = run.folder('b')\n(place / 'x').write_text('x')\nrun.publish('source/{}', place)"
    write_notebook("20_some", "seed: int = 0", write.format("b"), publishes=declared)
    go("20_some")
    assert [run["status"] for _, run in record.history("20_some")] == ["completed"]
    write_notebook("20_none", "seed: int = 0", write.format("a"), publishes=declared)
    with pytest.raises(NotebookError, match="declares source/b but did not publish it"):
        go("20_none")


def test_a_notebook_without_finish_fails(write_notebook):
    write_notebook("20_open", "seed: int = 0", "x = 1", finish=False)
    with pytest.raises(NotebookError, match=r"without run\.finish\(\): make it the last cell"):
        go("20_open")


SLEEP = 'open(run.path / "asleep", "w").close()\nimport time; time.sleep(60)'


def wait_for(condition, seconds=40.0):
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)
    return found


def asleep():
    return [(f, r) for f, r in record.history("20_sleep") if (f / "asleep").exists()]


@pytest.mark.parametrize("victim", ["kernel", "launcher"])
def test_kill_9_leaves_a_truthful_record_and_no_process(write_notebook, victim):
    write_notebook("20_sleep", "seed: int = 0", SLEEP, publishes="`source/a`")
    parent = subprocess.Popen(
        [sys.executable, "-m", "wbme", "run", "20_sleep"], stderr=subprocess.PIPE, text=True
    )
    [(folder, run)] = wait_for(asleep)
    kernel = run["process"]["pid"]
    os.kill(kernel if victim == "kernel" else parent.pid, signal.SIGKILL)
    _, complaint = parent.communicate(timeout=40)
    if victim == "kernel":
        assert parent.returncode == 2
        assert complaint.startswith("wbme: 20_sleep failed")
        assert record.read(folder)["status"] == "failed"
    wait_for(lambda: record.status(record.read(folder)) in ("failed", "died"))
    assert list(refs.listing()) == []


LONG = """\
import time
from wbme.base.paths import write_atomic
place = run.resume("source/a")
for number in range(40):
    if not (place / f"{number}.txt").exists():
        write_atomic(place / f"{number}.txt", str(number * seed))
        run.metric("made/files", number)
        time.sleep(0.1)
run.publish("source/a", place)"""


def test_long_work_goes_on_after_kill_9_and_ends_with_the_same_bytes(write_notebook, project):
    write_notebook("20_long", "seed: int = 3", LONG, publishes="`source/a`")
    unfinished = project / "workspace" / "unfinished"
    parent = subprocess.Popen([sys.executable, "-m", "wbme", "run", "20_long"], stderr=subprocess.DEVNULL)
    wait_for(lambda: len(list(unfinished.glob("20_long-source-a-*/*.txt"))) > 5)
    [(_, run)] = record.history("20_long")
    os.kill(run["process"]["pid"], signal.SIGKILL)
    parent.communicate(timeout=40)
    go("20_long", typed=[("seed", "4")])  # other parameters start from nothing
    assert len(list(unfinished.iterdir())) == 1
    [result], _ = go("20_long")
    assert 0 < len((result.folder / "metrics.jsonl").read_text().splitlines()) < 36
    assert list(unfinished.iterdir()) == []
    resumed = refs.lookup("source/a", "20_long").digest
    go("20_long", force=True)
    assert refs.lookup("source/a", "20_long").digest == resumed


def test_notebooks_killed_at_random_moments_leave_whole_names(write_notebook):
    """Twenty kills, of the launcher or of the kernel, spread over a run that publishes all the time."""
    cell = """\
from wbme.lab import refs, store
import os
for turn in range(300):
    place = run.folder(f"turn{turn}")
    (place / "a").write_bytes(os.urandom(20_000))
    run.publish("source/a", place)
    refs.move({"source/early": run._outputs["source/a@20_busy"]["digest"]}, "x/y")"""
    write_notebook("20_busy", "seed: int = 0", cell, publishes="`source/a`")
    dice = random.Random(7)
    for number in range(20):
        parent = subprocess.Popen(
            [sys.executable, "-m", "wbme", "run", "20_busy", "--force"], stderr=subprocess.PIPE, text=True
        )
        known = {f for f, _ in record.history("20_busy")}
        wait_for(lambda: [f for f, r in record.history("20_busy") if f not in known and "git" in r])  # noqa: B023
        time.sleep(dice.random() * 0.6)
        [(_, run)] = [(f, r) for f, r in record.history("20_busy") if f not in known]
        os.kill(parent.pid if number % 2 else run["process"]["pid"], signal.SIGKILL)
        parent.communicate(timeout=60)
        for ref in refs.listing():
            store.tree(ref.digest, verify=True)
    wait_for(lambda: all(record.status(r) != "running" for _, r in record.history("20_busy")))
    assert not [r for _, r in record.history("20_busy") if r["status"] == "completed"]
    assert refs.read("source/a@20_busy") is None
    go("20_busy", force=True)
    assert store.tree(refs.lookup("source/a", "20_busy").digest, verify=True)


@pytest.mark.parametrize(("deaths", "status"), [(1, "completed"), (9, "failed")])
def test_a_kernel_whose_port_was_taken_is_started_again(maker, project, monkeypatch, deaths, status):
    """A kernel that dies at its first starts, as one does whose port another process took meanwhile."""
    place = project / "jupyter/kernels/python3"
    place.mkdir(parents=True)
    starts = project / "starts"
    code = f"""import os, sys
with open({str(starts)!r}, "a") as file: file.write("x")
if os.path.getsize({str(starts)!r}) <= {deaths}: sys.exit("Address already in use")
os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *sys.argv[1:]])"""
    spec = {"argv": [sys.executable, "-c", code, "-f", "{connection_file}"], "display_name": "Python 3"}
    (place / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(project / "jupyter"))
    if status == "completed":
        [result], _ = go("10_make")
        assert result.record["status"] == status and starts.read_text() == "xx"
    else:
        with pytest.raises(NotebookError, match="10_make failed: RuntimeError: Kernel died before replying"):
            go("10_make")
        assert starts.read_text() == "xxx"


def test_a_cell_that_hangs_meets_its_limit(write_notebook):
    write_notebook("20_sleep", "seed: int = 0", SLEEP)
    with pytest.raises(NotebookError, match=r"20_sleep failed.*[Tt]ime"):
        go("20_sleep", cell_seconds=2)


def test_plain_papermill_works_and_refuses_what_the_launcher_refuses(maker, project):
    papermill.execute_notebook(maker, project / "out.ipynb", {"word": "pm"}, progress_bar=False)
    [(_, run)] = record.history("10_make")
    assert (run["status"], run["launched"], run["scope"]) == ("completed", False, "interactive")
    assert refs.lookup("source/a", "interactive").run == run["id"]
    for wrong in ({"wrod": "x"}, {"word": 3}, {"word": (1, 2), "seed": "1"}):
        with pytest.raises(papermill.PapermillExecutionError, match="ParameterError"):
            papermill.execute_notebook(maker, project / "out.ipynb", wrong, progress_bar=False)
    assert len(list(record.history("10_make"))) == 1


def test_external_files_are_watched(write_notebook, project):
    photos = project / "photos"
    photos.mkdir()
    (photos / "a").write_text("1")
    write_notebook("10_ext", 'folder: str = ""', "run.external(folder)")
    typed = [("folder", str(photos))]
    assert [go("10_ext", typed=typed)[0][0].reused for _ in range(2)] == [False, True]
    (photos / "b").write_text("2")
    assert not go("10_ext", typed=typed)[0][0].reused


class Recorder:
    """A mirror that keeps what it is told."""

    name = "recorder"

    def __init__(self):
        self.calls = []

    def open(self, folder, run):
        self.calls.append(("open", run["parameters"]))

    def metric(self, row):
        self.calls.append(("metric", row["name"], row["value"], row["step"]))

    def close(self, folder, run):
        self.calls.append(("close", run["status"], json.loads((folder / "run.json").read_text())["metrics"]))


class Broken(Recorder):
    name = "broken"

    def metric(self, row):
        raise ConnectionError("refused")


class Stuck(Recorder):
    name = "stuck"

    def open(self, folder, run):
        time.sleep(60)


def test_mirrors_are_told_everything_and_can_neither_fail_nor_stall_a_run(write_notebook, monkeypatch):
    monkeypatch.setattr("wbme.lab.mirror.CLOSE_SECONDS", 0.5)
    write_notebook(
        "20_log", "seed: int = 3", "for i in range(3):\n    run.metric('loss/train', 1 / (i + 1), i)"
    )
    good = Recorder()
    [result], screen = go("20_log", mirrors=[good, Broken(), Stuck()])
    assert result.record["status"] == "completed"
    assert good.calls[0] == ("open", {"seed": 3})
    assert [c[1:] for c in good.calls[1:-1]] == [("loss/train", 1 / (i + 1), i) for i in range(3)]
    assert good.calls[-1] == ("close", "completed", {"loss/train": 1 / 3})
    assert "broken failed (ConnectionError: refused): the run goes on without it" in screen
    assert "stuck did not answer" in screen


def test_two_launchers_of_one_chain_wait_for_each_other(both):
    command = [sys.executable, "-m", "wbme", "run", "both", "-p", "word"]
    crowd = [subprocess.Popen([*command, w], stdout=subprocess.PIPE, text=True) for w in ("left", "right")]
    said = [process.communicate(timeout=120)[0] for process in crowd]
    assert [process.returncode for process in crowd] == [0, 0]
    assert sum("waiting for it" in text for text in said) == 1
    made = {r["id"]: r["parameters"]["word"] for _, r in record.history("10_make")}
    for _, run in record.history("30_read"):
        table = store.tree(run["outputs"]["table/words@both"]["digest"]) / "words.csv"
        assert table.read_text().split()[1] == made[run["inputs"]["source/a"]["run"]]


def test_ctrl_c_ends_kernel_and_children_and_moves_no_name(write_notebook):
    cell = "import subprocess\nchild = subprocess.Popen(['sleep', '61'])\n"
    cell += "(run.path / 'child').write_text(str(child.pid))\n" + SLEEP
    write_notebook("20_sleep", "seed: int = 0", cell)
    command = [sys.executable, "-m", "wbme", "run", "20_sleep"]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    [(folder, run)] = wait_for(asleep)
    os.killpg(parent.pid, signal.SIGINT)
    _, complaint = parent.communicate(timeout=30)
    assert parent.returncode == 130
    assert "wbme: interrupted; finished steps are kept and reused next time" in complaint
    assert "Traceback" not in complaint
    assert record.read(folder)["error"] == {"message": "interrupted"}
    for pid in (run["process"]["pid"], int((folder / "child").read_text())):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("cell", ["1 / 0", 'run.metric("loss/a", 1.0)', 'lab.begin("20_after", globals())'])
def test_what_fails_after_finish_moves_no_name(write_notebook, cell):
    work = (
        'place = run.folder("a")\n(place / "x").write_text("1")\nrun.publish("source/a", place)\nrun.finish()'
    )
    write_notebook("20_after", "seed: int = 0", work, cell, publishes="`source/a`", finish=False)
    with pytest.raises(NotebookError, match="20_after failed in cell 6"):
        go("20_after")
    assert list(refs.listing()) == []


def test_reuse_sees_lost_figures_changed_bytes_and_an_input_that_appeared(both, write_notebook, project):
    [made, _], _ = go("both")
    (made.folder / "figures" / "noise.png").unlink()
    assert [r.reused for r in go("both")[0]] == [False, True]
    kept = store.tree(refs.lookup("table/words", "both").digest) / "words.csv"
    times = kept.stat()
    os.chmod(kept, 0o644)
    kept.write_bytes(kept.read_bytes()[::-1])
    os.utime(kept, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [r.reused for r in go("both")[0]] == [True, True]
    assert [r.reused for r in go("both", verify=True)[0]] == [True, False]

    look = "try:\n    run.use('source/late')\n    found = 1\nexcept Exception:\n    found = 0\n"
    write_notebook("40_look", "seed: int = 0", look + "run.metric('found/late', found)", reads="`source/*`")
    assert go("40_look")[0][0].record["metrics"] == {"found/late": 0.0}
    assert go("40_look")[0][0].reused
    refs.move({"source/late": refs.lookup("source/a", "both").digest}, "x/y")
    assert go("40_look")[0][0].record["metrics"] == {"found/late": 1.0}


def test_a_picture_behind_a_link_is_watched(write_notebook, project):
    (project / "photos").mkdir()
    (project / "real").write_text("1")
    (project / "photos/link").symlink_to(project / "real")
    (project / "photos/broken").symlink_to(project / "nowhere")
    write_notebook("10_ext", 'folder: str = ""', "run.external(folder)")
    typed = [("folder", str(project / "photos"))]
    assert [go("10_ext", typed=typed)[0][0].reused for _ in range(2)] == [False, True]
    (project / "real").write_text("longer")
    assert not go("10_ext", typed=typed)[0][0].reused


def test_a_large_figure_is_published_as_webp_and_traced(both, project, monkeypatch):
    text = (project / "experiments/run/both.yaml").read_text().replace("both", "report")
    (project / "experiments/run/report.yaml").write_text(text + "publish:\n  figures: [noise]\n")
    go("report")
    report.publish("report")
    figures = project / "reports/figures"
    monkeypatch.setattr(report, "MAX_FIGURE", (figures / "noise.png").stat().st_size // 2)
    assert any("noise.png would have" in sentence for sentence in report.check())
    report.publish("report")
    assert [path.name for path in figures.iterdir()] == ["noise.webp"]
    assert report.check() == []
    assert tracing.trace(figures / "noise.webp")["parameters"]["word"] == "one"


def test_two_reports_keep_each_others_files(both, project):
    text = (project / "experiments/run/both.yaml").read_text()
    for name, kind in (("report", "figures: [noise]"), ("other", "tables: [words]")):
        chained = text.replace("both", name) + f"publish:\n  {kind}\n"
        (project / f"experiments/run/{name}.yaml").write_text(chained)
        go(name)
        if name == "report":
            report.publish(name)
            first = (project / "reports/figures/noise.png").read_bytes()
    assert report.check() == ["tables/words is named in experiments/run but not in reports/"]
    report.publish("other")
    assert report.check() == [] and (project / "reports/figures/noise.png").read_bytes() == first
    assert tracing.trace(project / "reports/tables/words.csv")["notebook"]
    (project / "experiments/run/report.yaml").write_text(text.replace("both", "report"))
    report.publish("other")  # nobody names the figure any more
    assert report.check() == [] and not (project / "reports/figures/noise.png").exists()
    with pytest.raises(WbmeError, match=r"there is no chain .*nothing\.yaml: name one of other"):
        report.publish("nothing")


def test_sources_json_cannot_name_files_outside_reports(both, project):
    text = (project / "experiments/run/both.yaml").read_text().replace("both", "report")
    (project / "experiments/run/report.yaml").write_text(text + "publish:\n  figures: [noise]\n")
    go("report")
    precious = project / "precious.txt"
    precious.write_text("keep")
    (project / "reports").mkdir()
    row = {"sha256": "0", "run": "a/b"}
    evil = {"files": {"../precious.txt": row, str(precious): row}, "runs": {"a/b": {}}}
    for content in (evil, [], {"files": 3}):
        (project / "reports/SOURCES.json").write_text(json.dumps(content))
        with pytest.raises(WbmeError, match=r"SOURCES\.json is damaged"):
            report.publish("report")
    assert precious.read_text() == "keep"


def test_trace_answers_for_the_very_file(maker):
    first = go("10_make", typed=[("word", "a")])[0][0]
    second = go("10_make", typed=[("word", "b")])[0][0]
    assert first.record["figures"]["noise.png"] == second.record["figures"]["noise.png"]
    for result in (first, second):
        assert tracing.trace(result.folder / "figures/noise.png")["id"] == result.record["id"]


def test_a_missing_ref_names_what_there_is_and_who_makes_it(both):
    with pytest.raises(NotebookError, match=r"no source/a \(there is: nothing.*'wbme run 10_make --promote'"):
        go("30_read")
    go("10_make", promote=True)
    with pytest.raises(RefError, match="there is: source/a"):
        refs.lookup("source/b", None)


def test_a_folder_asked_for_again_is_empty_and_the_store_is_not_written_through(write_notebook):
    cell = """\
for word in ("one", "two"):
    place = run.folder("source/a")
    assert not list(place.iterdir())
    (place / "a.txt").write_text(word)
    run.publish("source/a", place)"""
    write_notebook("10_twice", "seed: int = 0", cell, publishes="`source/a`")
    go("10_twice")
    digest = refs.lookup("source/a", "10_twice").digest
    assert (store.tree(digest, verify=True) / "a.txt").read_text() == "two"
    for tree in store.store().glob("trees/*.json"):
        store.tree(tree.stem, verify=True)
