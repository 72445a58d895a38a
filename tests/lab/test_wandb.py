"""W&B as a mirror: what its offline mode has on disk, and what a server that refuses costs."""

import os
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest

from wbme.lab import chain, launcher, trackers
from wbme.lab.progress import Console
from wbme.lab.trackers import later, relay, state

pytestmark = pytest.mark.slow

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


def go(tracker, patience=60.0):
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


def test_a_server_that_refuses_neither_fails_nor_stalls_the_run(book, monkeypatch):
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_error(401)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{http.server_address[1]}")
    result, screen, returned = go("wandb")
    assert result.record["status"] == "completed"
    assert returned - result.record["ended"] < 30.0, "the rest of the notebook's process, not W&B"
    assert state.load(result.folder, "wandb").status == "unfinished", screen
    assert f"'wbme sync {result.record['id']}' delivers the rest" in screen
    there, sentence = later.deliver(result.folder, "wandb")
    assert not there and "W&B" in sentence and "\n" not in sentence
    http.shutdown()
    http.server_close()
    assert "does not answer: this run is not tracked" in go("wandb")[1]
