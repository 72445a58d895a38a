"""W&B as a mirror: what is on disk offline, what a server receives, and what one that refuses costs."""

import json
import os
import struct
import time
from importlib.util import find_spec
from io import StringIO

import pytest
from wandb_standin import WandbStandIn

from wbme.lab import chain, launcher, trackers
from wbme.lab.progress import Console
from wbme.lab.trackers import later, relay, state

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not there")]

WORK = """\
import numpy as np
for number in range(4):
    run.metric("loss/train", 1 / (1 + number), step=number)
run.figure(np.zeros((8, 8, 3)), "black")
run.table({"word": ["one"]}, "words", data="a test")
place = run.folder("model/net")
(place / "net.onnx").write_bytes(b"weights")
run.publish("model/net", place)"""


@pytest.fixture
def book(write_notebook, monkeypatch):
    for name in [n for n in os.environ if n.startswith(("CLEARML_", "TRAINS_", "WANDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    return write_notebook("40_train", "rate: float = 0.5", WORK, publishes="`model/net`")


def go(tracker, patience=150.0):
    screen = StringIO()
    mirrors = trackers.choose(tracker, lambda text: screen.write(text + "\n"))
    [result] = launcher.run(chain.plan("40_train"), console=Console(screen, quiet=0.0), mirrors=mirrors)
    returned = time.time()
    for sentence in relay.settle(mirrors, patience):
        screen.write(sentence + "\n")
    return result, screen.getvalue(), returned


def entries(path):
    """The records of a .wandb file: the log format of LevelDB, blocks of 32 KiB, after a head of 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", data[place : place + 7])
        parts += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last part
            found = wandb_internal_pb2.Record()
            found.ParseFromString(parts)
            parts = b""
            yield found


def test_an_offline_run_holds_parameters_metrics_files_and_no_key(book):
    result, screen, _ = go("wandb-offline")
    known = state.load(result.folder, "wandb-offline")
    assert (known.status, known.problem) == ("delivered", ""), screen
    [log] = (result.folder / "trackers/wandb").glob("offline-run-*/*.wandb")
    found = list(entries(log))
    [run] = [r.run for r in found if r.WhichOneof("record_type") == "run"]
    config = {c.key: c.value_json for c in run.config.update}
    assert config["rate"] == "0.5"
    assert (run.display_name, run.project, run.run_group) == ("40_train", "wbme-40_train", "40_train")
    rows = [
        {(i.key or i.nested_key[0]): i.value_json for i in r.history.item}
        for r in found
        if r.WhichOneof("record_type") == "history"
    ]
    losses = [(int(r["iteration"]), float(r["loss/train"])) for r in rows if "loss/train" in r]
    assert losses == [(n, pytest.approx(1 / (1 + n))) for n in range(4)]
    assert any("figures/black" in r for r in rows) and any("tables/words" in r for r in rows)
    artifacts = {
        r.artifact.name.rsplit("-", 3)[0] for r in found if r.WhichOneof("record_type") == "artifact"
    }
    artifacts |= {
        r.request.log_artifact.artifact.name.rsplit("-", 3)[0]
        for r in found
        if r.request.WhichOneof("request_type") == "log_artifact"
    }
    assert {"model_net", "notebook", "run"} <= {a.split("-40_train")[0] for a in artifacts}, artifacts
    for path in (result.folder / "trackers").rglob("*"):
        assert not path.is_file() or os.environ["WANDB_API_KEY"].encode() not in path.read_bytes()


@pytest.fixture
def server(monkeypatch, book):
    made = WandbStandIn()
    monkeypatch.setenv("WANDB_BASE_URL", made.url)
    yield made
    made.stop()


def assert_whole(server, result):
    """The server has the whole run, and once."""
    known = state.load(result.folder, "wandb")
    assert (known.status, known.problem) == ("delivered", "")
    [(name, run)] = server.runs.items()
    assert (name, run["displayName"], run["jobType"]) == (known.task, "40_train", "40_train")
    assert json.loads(run["config"])["rate"]["value"] == 0.5
    rows = [server.history[name][n] for n in sorted(server.history[name])]
    losses = [(r["iteration"], r["loss/train"]) for r in rows if "loss/train" in r]
    assert losses == [(n, pytest.approx(1 / (1 + n))) for n in range(4)]
    assert (
        len([r for r in rows if "figures/black" in r]) == len([r for r in rows if "tables/words" in r]) == 1
    )
    picture = (result.folder / "figures/black.png").read_bytes()
    assert picture in [body for file, body in server.files.items() if file.startswith("media/images/figures")]
    assert server.files[f"model_net-{name}/net.onnx"] == b"weights"
    assert json.loads(server.files[f"run-{name}/run.json"])["id"] == result.record["id"]
    assert all(a["committed"] for a in server.artifacts.values())
    assert json.loads(server.files["wandb-summary.json"])["status"] == "completed"
    key = os.environ["WANDB_API_KEY"].encode()
    assert not [body for body in server.bodies if key in body]


def test_online_a_run_arrives_whole(server):
    result, screen, _ = go("wandb")
    assert "wandb" not in screen.replace("wandb is still", ""), screen
    assert_whole(server, result)


def test_a_server_that_refuses_neither_fails_nor_stalls_the_run_and_gets_it_later(server):
    server.refusing = True
    result, screen, returned = go("wandb")
    assert result.record["status"] == "completed"
    assert returned - result.record["ended"] < 30.0, "the rest of the notebook's process, not W&B"
    assert state.load(result.folder, "wandb").status == "unfinished", screen
    assert f"'wbme sync {result.record['id']}' delivers the rest" in screen
    there, sentence = later.deliver(result.folder, "wandb")
    assert not there and "W&B" in sentence and "\n" not in sentence
    server.refusing = False
    there, sentence = later.deliver(result.folder, "wandb")
    assert there, sentence
    assert_whole(server, result)
    before = len(server.bodies)
    assert "is already there" in later.deliver(result.folder, "wandb")[1]
    assert len(server.bodies) == before
    server.stop()
    assert "does not answer: this run is not tracked" in str(
        told(lambda tell: trackers.choose("wandb", tell))
    )


def told(call):
    """What ``call`` says to the function it is given."""
    said = []
    call(said.append)
    return said
