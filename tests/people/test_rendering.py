"""Rendered sets: what is refused at once, and that a killed run goes on to the same bytes."""

import json
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wbme.base.errors import ParameterError, StoreError
from wbme.base.paths import write_atomic
from wbme.people import context, rendering, sheet, views
from wbme.people.views import Plan

ROMANCE = (sheet.load("romance"),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"people": 0}, "people is 0: choose 1 to"),
        ({"shots": 1000}, "shots is 1000"),
        ({"size": 100}, "multiple of 8"),
        ({"size": 8}, "size is 8: choose 64 to"),
        ({"characters": ("nobody",)}, "'nobody': choose one of .*romance"),
        ({"characters": ("romance", "romance")}, "same name"),
        ({"seed": -1}, "seed is -1: choose 0 to"),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_written(tmp_path, change, said):
    request = {"people": 1, "shots": 1, "size": 64} | change
    with pytest.raises(ParameterError, match=said):
        rendering.render_set(tmp_path / "set", **request)
    assert not (tmp_path / "set").exists()


def test_a_pixel_has_the_commonest_label_of_its_samples():
    samples = np.uint8([[1, 1, 7, 9], [1, 2, 9, 7], [0, 17, 3, 3], [17, 17, 3, 3]])
    np.testing.assert_array_equal(views.labels(samples), [[1, 7], [17, 3]])


def test_a_view_of_another_plan_or_a_torn_one_is_not_finished(tmp_path):
    plan = Plan(str(tmp_path), 0, 1, 64, ROMANCE)
    folder = tmp_path / "people" / "views" / "0003"
    folder.mkdir(parents=True)
    assert views.finished(plan, 2, 0) is None
    (folder / "row.json").write_text("{ torn")
    assert views.finished(plan, 2, 0) is None
    (folder / "row.json").write_text(json.dumps({"id": "0003", "recipe": plan.recipe}))
    assert views.finished(plan, 2, 0) is None  # the character's drawing is not there
    (tmp_path / "characters" / "romance" / "0003").mkdir(parents=True)
    assert views.finished(plan, 2, 0)["id"] == "0003"
    assert views.finished(Plan(str(tmp_path), 1, 1, 64, ROMANCE), 2, 0) is None


def test_framings_are_mostly_portraits_and_fixed_by_the_seed():
    plan = Plan("", 0, 3, 64, ROMANCE)
    drawn = [views.framing(plan, number, shot) for number in range(200) for shot in range(3)]
    assert 0.68 < drawn.count("portrait") / 600 < 0.82 and {"half", "full"} < set(drawn)
    assert drawn[:3] == [views.framing(plan, 0, shot) for shot in range(3)]


def contents(folder) -> dict[str, str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files}


SCRIPT = """
import sys
from wbme.people import rendering
if __name__ == "__main__":
    for row in rendering.render_set(sys.argv[1], people=2, shots=2, size=128, workers=int(sys.argv[2])):
        print(row["id"], flush=True)
"""


@pytest.fixture
def start(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(folder, workers=1):
        return subprocess.Popen(
            [sys.executable, script, folder, str(workers)], stdout=subprocess.PIPE, text=True
        )

    return run


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, start):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    first = start(whole)
    names = first.stdout.read().split()
    assert first.wait() == 0 and names == ["0001", "0002", "0003", "0004"]
    for wanted in (1, 3):  # killed in the middle of the view after these
        process = start(cut)
        while not (cut / "people" / "views" / names[wanted - 1]).exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {path.name for path in (cut / "people" / "views").iterdir()}
        assert kept >= set(names[:wanted]) and not (cut / "people" / "views.jsonl").exists()
    before = (cut / "people" / "views" / "0001" / "photo.png").stat().st_mtime_ns
    last = start(cut, workers=2)
    assert sorted(last.stdout.read().split()) == names and last.wait() == 0
    assert (cut / "people" / "views" / "0001" / "photo.png").stat().st_mtime_ns == before
    assert contents(whole) == contents(cut)
    check(whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_workers_of_a_killed_run_end_with_it(tmp_path, start):
    def state(process) -> str:
        try:
            return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return "gone"

    run = start(tmp_path / "set", workers=2)
    run.stdout.readline()  # both work by now
    workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    assert len(workers) >= 2
    run.kill()
    run.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and {state(w) for w in workers} - {"gone", "Z"}:
        time.sleep(0.05)
    assert {state(w) for w in workers} <= {"gone", "Z"}


def check(folder) -> None:
    """A finished set holds what the format promises."""
    rows = [json.loads(line) for line in (folder / "people" / "views.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["0001", "0002", "0003", "0004"]
    assert [row["identity"] for row in rows] == ["p0000", "p0000", "p0001", "p0001"]
    for row in rows:
        assert row["schema"] == 1 and row["size"] == 128 and row["split"] == "train"
        assert row["characters"] == ["romance"] and 0 <= row["eyes_open"] < 1 and row["face_width"] > 5
        view, drawn = folder / "people" / "views" / row["id"], folder / "characters" / "romance" / row["id"]
        modes = {"photo": "RGBA", "labels": "L", "albedo": "RGB", "shading": "L"}
        pictures = {name: Image.open(view / f"{name}.png") for name in modes}
        assert {name: picture.mode for name, picture in pictures.items()} == modes
        labels, alpha = np.asarray(pictures["labels"]), np.asarray(pictures["photo"])[..., 3]
        assert labels.max() < 20 and (labels > 0)[alpha == 255].mean() > 0.98 and not labels[alpha == 0].any()
        layers = {"palette": "RGBA", "oracle": "RGBA", "ink": "L", "drawn": "RGBA"}
        assert {name: Image.open(drawn / f"{name}.png").mode for name in layers} == layers
        points = np.load(view / "points.npz")
        assert points["landmarks"].shape == (468, 3) and points["irises"].shape == (2, 5, 2)
        assert points["visible"].dtype == bool and points["visible"].mean() > 0.2
    assert (folder / "characters" / "romance" / "sheet.yaml").is_file()


@pytest.mark.slow
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(path, data):
        if path.name == "oracle.png":  # in the middle of a view
            raise StoreError("cannot write x.png: No space left on device; free space or write elsewhere")
        return write_atomic(path, data)

    request = {"people": 1, "shots": 1, "size": 64, "workers": 1}
    with monkeypatch.context() as patch:
        patch.setattr(views, "write_atomic", full)
        with pytest.raises(StoreError, match="No space left"):
            list(rendering.render_set(tmp_path, **request))
    assert not (tmp_path / "people").exists() and not (tmp_path / "characters").exists()
    assert [row["id"] for row in rendering.render_set(tmp_path, **request)] == ["0001"]
    assert len(contents(tmp_path)) == 12 and {p.name for p in tmp_path.iterdir()} == {"people", "characters"}


def test_a_sheet_changed_in_the_middle_of_a_run_does_not_reach_it(tmp_path, monkeypatch):
    file = tmp_path / "mine.yaml"
    text = sheet.path("romance").read_text().replace("name: romance", "name: mine")
    file.write_text(text)
    monkeypatch.setattr(context, "renderer", lambda: "")

    def render(plan, number, shots):
        return [{"id": "0001", "characters": [one.name for one in plan.characters]}]

    monkeypatch.setattr(rendering, "_render_person", render)
    run = rendering.render_set(tmp_path / "set", people=1, shots=1, size=64, characters=(str(file),))
    file.write_text("no sheet at all")
    assert [row["characters"] for row in run] == [["mine"]]
    assert (tmp_path / "set" / "characters" / "mine" / "sheet.yaml").read_text() == text
