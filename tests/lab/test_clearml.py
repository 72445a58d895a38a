"""ClearML as a mirror, over HTTP on loopback: what a server receives, and what its failures cost."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from io import StringIO

import pytest
from clearml_standin import SECRET, ClearMLStandIn

from wbme.base.errors import NotebookError, ParameterError, WbmeError
from wbme.lab import chain, launcher, record, refs, sweep, trackers, trials
from wbme.lab.progress import Console
from wbme.lab.trackers import agent, later, relay, state

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("clearml") is None, reason="clearml is not there"),
]

WORK = """\
import time
import numpy as np
for number in range(6):
    run.metric("loss/train", 1 / (1 + number), step=number)
    time.sleep(pause / 6)
run.figure(np.eye(8), "curve")
run.table({"word": ["one"], "score": [0.5]}, "words", data="a test")
place = run.folder("model/net")
(place / "net.onnx").write_bytes(b"weights" * 100)
run.publish("model/net", place)
run.metric("quality/final", rate)"""
PARAMETERS = (
    'seed: int = 0\nrate: float = 0.5\nsizes: list[int] = [1, 2]\nword: str = "a b"\npause: float = 0.0'
)


@pytest.fixture
def server(monkeypatch):
    made = ClearMLStandIn()
    for name in [n for n in os.environ if n.startswith(("CLEARML_", "TRAINS_", "WANDB_"))]:
        monkeypatch.delenv(name)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.stop()


@pytest.fixture
def book(write_notebook):
    return write_notebook("40_train", PARAMETERS, WORK, publishes="`model/net`")


def go(target="40_train", *, tracker="clearml", typed=(), patience=150.0, **options):
    """(results, what the user saw, seconds that the command itself took)."""
    screen = StringIO()
    began = time.monotonic()
    mirrors = trackers.choose(tracker, lambda text: screen.write(text + "\n"))
    planned = chain.plan(target, typed=list(typed))
    results = launcher.run(planned, console=Console(screen, quiet=0.0), mirrors=mirrors, **options)
    took = time.monotonic() - began
    for sentence in relay.settle(mirrors, patience):
        screen.write(sentence + "\n")
    return results, screen.getvalue(), took


def told(result, tracker="clearml"):
    return state.load(result.folder, tracker)


EXPECTED = [("loss", "train", n, 1 / (1 + n)) for n in range(6)]
SUMMARY = -(2**31)


def assert_whole(server, result):
    """The server has everything of the run, and nothing twice."""
    known = told(result)
    assert (known.status, known.problem) == ("delivered", "")
    task = server.tasks[known.task]
    scalars = server.scalars(known.task)
    assert [s for s in scalars if s[0] == "loss"] == EXPECTED
    assert [s for s in scalars if s[0] == "Summary"] == [
        ("Summary", "loss/train", SUMMARY, pytest.approx(1 / 6)),
        ("Summary", "quality/final", SUMMARY, 0.5),
    ]
    [image] = server.of("training_debug_image", known.task)
    assert (image["metric"], image["variant"], image["iter"]) == ("figures", "curve", 0)
    picture = (result.folder / "figures/curve.png").read_bytes()
    assert server.files[image["url"].removeprefix(server.url + "/")] == picture
    [table] = server.of("plot", known.task)
    plot = json.loads(table["plot_str"])["data"][0]
    assert (table["metric"], table["variant"]) == ("tables", "words")
    assert plot["header"]["values"] == ["word", "score"]
    assert plot["cells"]["values"] == [["one"], ["0.5"]]
    artifacts = {a["key"]: a["uri"].removeprefix(server.url + "/") for a in task["execution"]["artifacts"]}
    assert set(artifacts) == {"notebook", "run"}
    assert json.loads(server.files[artifacts["run"]])["id"] == result.record["id"]
    assert json.loads(server.files[artifacts["notebook"]])["cells"][1]["cell_type"] == "code"
    [output] = task["models"]["output"]
    assert output["name"] == "model/net/net.onnx"
    uri = server.models[output["model"]]["uri"].removeprefix(server.url + "/")
    assert server.files[uri] == b"weights" * 100
    assert len(server.models) == len(server.tasks), "one model a run"
    return task


def test_a_step_is_a_task_with_all_that_it_made(server, book):
    [result], screen, _ = go()
    task = assert_whole(server, result)
    assert server.history[task["id"]] == ["created", "in_progress", "completed"]
    assert task["name"] == "40_train"
    assert server.projects[task["project"]] == "wbme/40_train"
    section = {n: (p["value"], p["type"]) for n, p in task["hyperparams"]["parameters"].items()}
    assert section == {
        "seed": ("0", "int"),
        "rate": ("0.5", "float"),
        "sizes": ("[1, 2]", "list[int]"),
        "word": ("a b", "str"),
        "pause": ("0.0", "float"),
    }
    assert task["script"]["entry_point"] == "-m wbme run 40_train --preset demo --tracker clearml"
    assert "clearml" not in screen


def idle(result, took):
    """Seconds of a command that were not its notebook's."""
    return took - (result.record["ended"] - result.record["started"])


@pytest.fixture
def plain(book, measured=[]):  # noqa: B006  once for all
    """What a run costs besides its notebook when nobody is told."""
    if not measured:
        [result], _, took = go(tracker="none")
        measured.append(idle(result, took))
    return measured[0]


def wait_for(condition, seconds=60.0):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)


@pytest.mark.parametrize("trouble", ["dead", "dies", "slow", "500"])
def test_a_server_in_trouble_costs_little_and_gets_everything_later_once(server, book, plain, trouble):
    options = {"typed": [("pause", "3.0")], "patience": 150.0}
    if trouble == "dead":
        server.stop()
    elif trouble == "dies":
        server.fail_after = 7  # amid the scalars
    else:
        server.trouble = trouble
        options["patience"] = 0.0 if trouble == "slow" else 150.0
    [result], screen, took = go(**options)
    assert result.record["status"] == "completed"
    assert idle(result, took) - plain < 5.0
    assert {"dead": "does not answer: this run is not tracked", "slow": "is still being told"}.get(
        trouble, f"'wbme sync {result.record['id']}' delivers the rest"
    ) in screen
    if trouble == "dead":
        server.start()
    server.trouble, server.fail_after = "", None
    if trouble == "slow":
        wait_for(lambda: told(result).status == "delivered")
    else:
        assert told(result).status != "delivered"
    command = [sys.executable, "-m", "wbme", "sync", result.record["id"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{result.record['id']} {'is already there' if trouble == 'slow' else 'delivered'}" in done.stdout
    assert_whole(server, result)
    assert server.history[told(result).task] == ["created", "in_progress", "completed"]
    before = len(server.calls)
    assert later.deliver(result.folder, "clearml")[1].startswith(f"{result.record['id']} is already there")
    assert len(server.calls) == before


def test_a_wrong_key_is_one_sentence_and_the_run_goes_on(server, book, monkeypatch):
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", "a-key-that-is-wrong")
    [result], screen, _ = go()
    assert result.record["status"] == "completed"
    assert [line for line in screen.splitlines() if "ClearML refuses the key" in line]
    assert "a-key-that-is-wrong" not in screen + told(result).problem
    assert server.tasks == {}


def test_a_failed_step_and_a_killed_launcher_are_failed_tasks(server, book, write_notebook):
    write_notebook("20_bad", "seed: int = 0", 'run.metric("loss/a", 1, step=0)', "1 / 0")
    with pytest.raises(NotebookError):
        go("20_bad")
    wait_for(lambda: [t["status"] for t in server.tasks.values()] == ["failed"])
    command = [sys.executable, "-m", "wbme", "run", "40_train", "-p", "pause", "60", "--tracker", "clearml"]
    launched = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: any(e["metric"] == "loss" and e["variant"] == "train" for e in server.events))
    launched.kill()
    launched.wait()
    wait_for(lambda: [t["status"] for t in server.tasks.values()] == ["failed", "failed"])
    bad, killed = server.tasks.values()
    assert bad["status_reason"] == "ZeroDivisionError: division by zero"
    assert ("loss", "a", 0, 1.0) in server.scalars(bad["id"])
    assert {a["key"] for a in bad["execution"]["artifacts"]} == {"notebook", "run"}
    assert killed["status_reason"] == "its launcher died"


def test_a_cloned_task_is_run_by_an_agent_with_what_was_edited(server, book, monkeypatch):
    results, _, _ = go()
    [original] = server.tasks.values()
    original["tags"] = ["rate=0.1", "50_read.rate=7", "cutface=0.3", "mine"]

    def run_clone(**edits):
        """What an agent does: the clone's command line, with the clone's id in the environment."""
        clone = json.loads(json.dumps(original)) | {
            "id": f"clone-{len(server.tasks)}",
            "status": "in_progress",
        }
        clone["execution"], clone["models"] = {"artifacts": []}, {"input": [], "output": []}
        for name, value in edits.items():
            known = clone["hyperparams"]["parameters"]
            known[name] = known.get(name, {"section": "parameters", "name": name}) | {"value": value}
        server.tasks[clone["id"]] = clone
        words = original["script"]["entry_point"].split()
        done = subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "CLEARML_TASK_ID": clone["id"], "CLEARML_PROC_MASTER_ID": "1:x"},
            capture_output=True,
            text=True,
            check=False,
        )
        return clone, done

    clone, done = run_clone(rate="0.9", sizes="[3, 4]")
    assert done.returncode == 0, done.stderr
    assert len(server.tasks) == 2, "the clone itself is filled, no other Task is made"
    assert clone["status"] == "completed"
    assert ("Summary", "quality/final", SUMMARY, 0.9) in server.scalars(clone["id"])
    assert {a["key"] for a in clone["execution"]["artifacts"]} == {"notebook", "run"}
    _, newest = next(record.history("40_train"))
    assert clone["comment"] == newest["id"] == clone["hyperparams"]["run"]["id"]["value"]
    assert clone["tags"] == ["rate=0.9", "50_read.rate=7", "cutface=0.3", "mine"]
    assert clone["project"] == original["project"] == list(server.models.values())[-1]["project"]
    assert refs.read("model/net@40_train").run == results[0].record["id"], "what the original made stays"
    assert refs.read("model/net@40_train.clone1").run == newest["id"]
    assert newest["parameters"] == {"seed": 0, "rate": 0.9, "sizes": [3, 4], "word": "a b", "pause": 0.0}
    for edits, sentence in (
        ({"rate": "fast"}, "rate must be float, not 'fast'"),
        ({"rat": "1"}, "has no parameter 'rat'; did you mean 'rate'?"),
    ):
        clone, done = run_clone(**edits)
        assert done.returncode == 2
        assert sentence in done.stderr and done.stderr.count("\n") == 1
        assert clone["status"] == "failed" and sentence in clone["status_reason"]
    assert len(list(record.history("40_train"))) == 2


def test_several_steps_a_sweeps_trial_and_an_agents_chain_are_tasks_of_their_own(
    server, book, write_notebook, project, monkeypatch
):
    write_notebook("50_read", "cutface: float = 0.0", 'run.use("model/net")', reads="`model/*`")
    text = "name: pair\nsteps:\n  - notebook: 40_train\n  - notebook: 50_read\n"
    (project / "experiments/run/pair.yaml").write_text(text)
    monkeypatch.setenv("CLEARML_TASK_ID", "somebody-elses")
    planned, task = agent.adopt(chain.plan("pair"), "clearml")
    assert len(planned.steps) == 2 and task is None
    results, _, _ = go("pair")
    assert [server.tasks[told(r).task]["name"] for r in results] == ["40_train", "50_read"]
    assert {server.projects[t["project"]] for t in server.tasks.values()} == {"wbme/pair"}
    again = server.tasks[told(results[1]).task]["script"]["entry_point"]
    assert again == "-m wbme run 50_read --preset demo --scope pair --tracker clearml"
    done = subprocess.run([sys.executable, *again.split()[:-2], "--tracker", "none", "--force"], check=False)
    assert done.returncode == 0, "the step finds its inputs by the names of its chain"

    factors = {"50_read.cutface": 0.0, "seed": 3}
    about = {"name": "ablation", "trial": "003", "factors": factors, "label": "no cutface"}
    record.update(results[1].folder, sweep=about)
    state.path(results[1].folder, "clearml").unlink()
    for entry in server.tasks.values():
        entry["comment"] = "another run"
    assert later.deliver(results[1].folder, "clearml")[0]
    task = server.tasks[told(results[1]).task]
    assert (task["name"], task["tags"]) == ("50_read no cutface", ["cutface=0.0", "seed=3"])
    assert server.projects[task["project"]] == "wbme/ablation"


JUDGE = """\
import numpy as np
run.use("model/net")
for number in range(3):
    run.metric("score/a", level + number, step=number)
run.figure(np.full((8, 8), level), "drawn")"""
SWEEP = """\
chain:
  - notebook: 40_train
  - notebook: 50_judge
metric: score/a
goal: higher
design: grid
factors: {50_judge.level: [0.0, 1.0]}
"""


def test_a_sweep_is_one_project_whose_tasks_stand_side_by_side(server, book, write_notebook, project):
    write_notebook("50_judge", "level: float = 0.0", JUDGE, reads="`model/*`")
    (project / "experiments/sweeps").mkdir()
    (project / "experiments/sweeps/s.yaml").write_text(SWEEP)
    [before], _, _ = go(tracker="none")
    found = trials.run(sweep.find("s"), tracker="clearml", console=Console(StringIO()))
    assert [row["metrics"] for row in found.trials] == [{"score/a": 2.0}, {"score/a": 3.0}]
    wait_for(lambda: [t["status"] for t in server.tasks.values()] == ["completed"] * 2)
    first, second = server.tasks.values()
    assert {server.projects[t["project"]] for t in (first, second)} == {"wbme/s"}
    assert [t["name"] for t in (first, second)] == ["50_judge level=0.0", "50_judge level=1.0"]
    assert [t["tags"] for t in (first, second)] == [["level=0.0"], ["level=1.0"]]
    spelt = [{n: p["value"] for n, p in t["hyperparams"]["parameters"].items()} for t in (first, second)]
    assert spelt == [{"level": "0.0"}, {"level": "1.0"}]
    for kind in ("training_stats_scalar", "training_debug_image"):
        placed = [
            [(e["metric"], e["variant"], e["iter"]) for e in server.of(kind, t["id"])]
            for t in (first, second)
        ]
        assert placed[0] == placed[1] != []
    assert [server.scalars(t["id"])[-1] for t in (first, second)] == [
        ("Summary", "score/a", SUMMARY, value) for value in (2.0, 3.0)
    ]

    said = [later.deliver(folder, "clearml") for folder in dict.fromkeys(later.targets(["s"], False))]
    assert [there for there, _ in said] == [True] * 3
    assert sum("already there" in sentence for _, sentence in said) == 2
    assert server.projects[server.tasks[told(before).task]["project"]] == "wbme/40_train", "who made it"
    assert len(server.tasks) == 3
    assert next(later.targets(["s.002"], False)) == before.folder


def test_the_offline_mode_holds_the_same_and_a_damaged_zip_is_one_sentence(server, book, project):
    [result], screen, _ = go(tracker="clearml-offline")
    known = told(result, "clearml-offline")
    assert (known.status, known.problem) == ("delivered", ""), screen
    assert server.calls == [], "offline is offline"
    assert later.deliver(result.folder, "clearml")[0]
    online = assert_whole(server, result)
    with zipfile.ZipFile(known.url) as archive:
        offline = json.loads(archive.read("task.json"))
        rows = [r for line in archive.read("metrics.jsonl").splitlines() for r in json.loads(line)]
        names = archive.namelist()
    spelt = [{n: p["value"] for n, p in t["hyperparams"]["parameters"].items()} for t in (offline, online)]
    assert spelt[0] == spelt[1]
    scalars = [(r["metric"], r["variant"], r["iter"], r["value"]) for r in rows if "value" in r]
    assert sorted(scalars) == sorted(server.scalars(online["id"]))
    hashes = [{a["key"]: a["hash"] for a in t["execution"]["artifacts"]} for t in (offline, online)]
    assert hashes[0].pop("model/net/net.onnx")
    assert hashes[0] == hashes[1]
    assert [n for n in names if n.endswith(".png")], "the figure is in the zip"
    assert offline["script"]["entry_point"] == online["script"]["entry_point"]

    zipped = project / "copy.zip"
    shutil.copyfile(known.url, zipped)
    there, sentence = later.deliver(zipped, "clearml")
    assert there, sentence
    assert len(server.tasks) == 2
    assert later.deliver(zipped, "clearml")[1].startswith(f"{zipped} is already there")
    assert len(server.tasks) == 2
    for damage in (
        zipped.read_bytes()[:-300],
        b"no zip",
        zipped.read_bytes().replace(b"task.json", b"tusk.json"),
    ):
        zipped.write_bytes(damage)
        there, sentence = later.deliver(zipped, "clearml")
        assert not there and f"{zipped} is" in sentence and "\n" not in sentence
    assert len(server.tasks) == 2


TELLING = """\
import os
print(os.environ["SERVICE_TOKEN"], [k for k in os.environ if k.startswith("CLEARML")])
print("https://bob:hunter22@example.org/x")
run.metric("a/b", 1)
raise ValueError("no https://bob:hunter22@example.org with " + os.environ["SERVICE_TOKEN"])"""


def test_no_secret_reaches_the_record_the_logs_or_the_server(server, project, write_notebook, monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "s3rv1ce-t0ken-value")
    path = write_notebook("20_tell", 'url: str = ""', TELLING)
    secrets = [SECRET, "s3rv1ce-t0ken-value", "hunter22", "ghp_" + "a1" * 18, "dotenv-value-123"]

    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, cwd=project)

    (project / ".gitignore").write_text("workspace\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "start")
    git("remote", "add", "origin", f"https://bob:{secrets[3]}@example.org/wbme.git")
    (project / ".gitignore").write_text(f"workspace\nDB_PASSWORD={secrets[4]}\n")
    with pytest.raises(NotebookError):
        go("20_tell")
    [(folder, run)] = record.history("20_tell")
    wait_for(lambda: [t["status"] for t in server.tasks.values()] == ["failed"])
    [task] = server.tasks.values()
    assert task["script"]["repository"] == "https://example.org/wbme.git"
    assert task["script"]["diff"] == ""
    assert "DB_PASSWORD=" in run["git"]["diff"]
    written = {
        p: p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.parent / p.name != folder / "notebook.ipynb"
    }
    for secret in secrets:
        assert [p for p, content in written.items() if secret.encode() in content] == []
        assert [b for b in server.bodies if secret.encode() in b] == []
    assert "CLEARML" not in (folder / "log.txt").read_text()
    with pytest.raises(ParameterError, match="url holds a password or a token") as error:
        chain.plan("20_tell", typed=[("url", "https://bob:hunter22@example.org")])
    assert "hunter22" not in str(error.value)
    assert path.is_file()


def test_what_is_typed_wrong_is_one_sentence(project, monkeypatch, tmp_path):
    for name in [n for n in os.environ if n.startswith(("CLEARML_", "TRAINS_", "WANDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert trackers.choose(None) == [] == trackers.choose("none")
    with pytest.raises(WbmeError, match="no tracker 'mlflow'; there are: clearml, clearml-offline"):
        trackers.choose("mlflow")
    with pytest.raises(WbmeError, match="no server is configured; run 'clearml-init'"):
        trackers.choose("clearml")
    with pytest.raises(WbmeError, match="no run, chain or sweep 'x/y'"):
        list(later.targets(["x/y"], False))
    with pytest.raises(WbmeError, match=r"gone\.zip is not a file"):
        list(later.targets(["gone.zip"], False))
    assert list(later.targets([], True)) == []
