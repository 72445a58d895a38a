"""What a user reads while a step runs: where it is and how long it will still take."""

import io
import json

from wbme.lab import launcher
from wbme.lab.progress import Console


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


def watched(tmp_path, monkeypatch, expected, rest=0.0):
    """Told rows and seconds, gives the line that is shown then."""
    clock, screen = Clock(), io.StringIO()
    monkeypatch.setattr(launcher, "time", clock)
    watch = launcher._Watch(Console(screen, quiet=-1.0), "[1/2] training", expected, rest)

    def shown(seconds, **row):
        clock.now = 1000.0 + seconds
        with open(tmp_path / "progress.jsonl", "a") as stream:
            stream.write(json.dumps(row) + "\n")
        watch.look(tmp_path)
        return screen.getvalue().splitlines()[-1]

    return shown


def test_a_run_longer_than_the_last_one_is_not_over_when_that_was(tmp_path, monkeypatch):
    shown = watched(tmp_path, monkeypatch, expected=30.0, rest=60.0)
    assert shown(10, cell=3, of=8).endswith("about 1 min 20 s to go")
    shown(20, what="steps", done=100, of=1100)
    late = shown(70, what="steps", done=200, of=1100)
    assert late.endswith("steps 200 of 1100, 1 min 10 s, about 8 min 30 s to go")
    assert shown(520, what="steps", done=1100, of=1100).endswith("about 1 min 01 s to go")
    assert shown(525, cell=4, of=8).endswith("cell 4 of 8, 8 min 45 s, about 1 min 01 s to go")


def test_what_never_ran_before_tells_what_is_left_of_its_work_at_least(tmp_path, monkeypatch):
    shown = watched(tmp_path, monkeypatch, expected=None)
    assert shown(5, cell=1, of=8).endswith("cell 1 of 8, 5 s")
    assert shown(6, what="views", done=1, of=None).endswith("views 1, 6 s")
    assert shown(7, what="people", done=0, of=40).endswith("people 0 of 40, 7 s")
    assert shown(17, what="people", done=10, of=40).endswith("people 10 of 40, 17 s, at least 30 s to go")
    assert shown(20, what="pairs", done=4, of=8).endswith("pairs 4 of 8, 20 s"), "other work, not yet timed"
