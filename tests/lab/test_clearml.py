"""ClearML as a mirror, over HTTP on loopback: what a server receives, and what its failures cost."""

import json
import os
import subprocess
import sys
import time
import zipfile
from io import StringIO

import pytest
from clearml_standin import SECRET, ClearMLStandIn

from wbme.base.errors import NotebookError, ParameterError, WbmeError
from wbme.lab import chain, launcher, record, trackers
from wbme.lab.progress import Console
from wbme.lab.trackers import agent, later, relay, state

pytestmark = pytest.mark.slow

WORK = """\
import time
import numpy as np
from matplotlib.figure import Figure
for number in range(6):
    run.metric("loss/train", 1 / (1 + number), step=number)
    time.sleep(pause / 6)
fig = Figure(figsize=(2, 1))
fig.subplots().plot([1, 2])
run.figure(fig, "curve")
run.table({"word": ["one"], "score": [0.5]}, "words", data="a test")
place = run.folder("model/net")
(place / "net.onnx").write_bytes(b"weights" * 100)
run.publish("model/net", place)
run.metric("quality/final", rate)"""
PARAMETERS = 'seed: int = 0\nrate: float = 0.5\nsizes: list[int] = [1, 2]\nword: str = "a b"\npause: float = 0.0'


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


def go(target="40_train", *, tracker="clearml", typed=(), patience=60.0, **options):
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
