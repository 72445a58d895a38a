"""The process that tells a tracker: ``python -m wbme.lab.trackers.process ACTION NAME ...``.

follow NAME RUN_FOLDER [--task ID]   until the launcher has closed this process's standard input
parameters NAME ID                   a Task's parameters as JSON on standard output
fail NAME ID SENTENCE                the Task failed before anything ran
import NAME ZIP                      an offline session of ClearML
Exit status 0 when all was delivered; else ``trackers/KEY.json`` or the last line of standard output says why.
"""

import json
import os
import select
import stat
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

from wbme.base.errors import WbmeError
from wbme.lab import record, refs
from wbme.lab.progress import Tail
from wbme.lab.redact import redact
from wbme.lab.trackers import state as states
from wbme.lab.trackers import story as stories
from wbme.lab.trackers.clearml_door import ClearMLOffline, ClearMLServer, import_zip
from wbme.lab.trackers.wandb_door import WandbRun

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 2.0
_BATCH = 500
_GRACE_SECONDS = 8.0  # how long after the end of the run a server that fails is tried again
_SLOW_BYTES = 50_000  # a second: an upload that is slower than that counts as stalled
_STALLED_SECONDS = 300.0  # without any progress: whatever hangs, this process ends


class Door(Protocol):
    """One way to a tracker. ``resumable``: what it has acknowledged need not be told again."""

    resumable: bool

    def open(self, story: stories.Story, state: states.State) -> None: ...
    def scalars(self, rows: list[tuple[str, float, int, float]]) -> None: ...
    def tell(self, piece: stories.Piece) -> None: ...
    def close(self, status: str, message: str) -> None: ...


class _Watchdog:
    """Ends the process when nothing has moved for a long time: a library may hang for ever."""

    def __init__(self) -> None:
        self._moved = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def move(self, patience: float = 0.0) -> None:
        """Something has moved; the next step may take ``patience`` seconds more than usual."""
        self._moved = time.monotonic() + patience

    def _watch(self) -> None:
        while time.monotonic() - self._moved < _STALLED_SECONDS:
            time.sleep(1.0)
        os._exit(3)


class _Follower:
    """Tells one tracker about one run folder: as it grows, and then its end."""

    def __init__(self, name: str, folder: Path, task: str):
        self._folder = folder
        self._door = _door(name)
        self._state = states.load(folder, name)
        if not self._door.resumable:
            self._state = states.State(name)
        if task:
            self._state.task = task
        self._state.status, self._state.problem = "following", ""
        self._tail = Tail(folder / "metrics.jsonl")
        self._rows: list[tuple[str, float, int, float]] = []
        self._counts: Counter[str] = Counter()
        self._open = False
        self._dog = _Watchdog()

    def run(self) -> None:
        """Go on until the run is over and all is told; WbmeError when it is over and not all could be."""
        over: float | None = None
        again = 0.0
        while True:
            if over is None and _released():
                over = time.monotonic()
            if time.monotonic() >= again:
                try:
                    self._work(over is not None)
                    if over is not None:
                        return
                    self._state.problem = ""
                except states.RefusedError:
                    raise
                except WbmeError as error:
                    self._state.problem = str(error)
                    self._state.save(self._folder)
                    if over is not None and time.monotonic() - over > _GRACE_SECONDS:
                        raise
                    again = time.monotonic() + _AGAIN_SECONDS
            if over is None:
                self._dog.move()
            time.sleep(_POLL_SECONDS)

    def _work(self, over: bool) -> None:
        final = _ended(self._folder) if over else None
        if not self._open:
            self._door.open(stories.read(self._folder), self._state)
            self._open = True
            self._state.save(self._folder)
            self._dog.move()
        self._gather()
        while rest := self._rows[self._state.rows : self._state.rows + _BATCH]:
            self._door.scalars(rest)
            self._moved(rows=len(rest))
        if final is None:
            return
        for piece in stories.Story(self._folder, final).pieces():
            if piece.key not in self._state.done:
                if piece.kind == "model":
                    self._dog.move(sum(p.stat().st_size for p in piece.content) / _SLOW_BYTES)
                self._door.tell(piece)
                self._state.done.append(piece.key)
                self._moved()
        message = (final.get("error") or {}).get("message", "") if final["status"] != "completed" else ""
        status = "completed" if final["status"] == "completed" else "failed"
        self._door.close(status, redact(message or ("its launcher died" if status == "failed" else "")))
        self._state.status, self._state.problem = "delivered", ""
        self._state.save(self._folder)

    def _gather(self) -> None:
        """Rows that metrics.jsonl has gained; one without a step takes the next number of its name."""
        for row in self._tail.rows():
            step = self._counts[row["name"]] if row.get("step") is None else int(row["step"])
            self._counts[row["name"]] += 1
            self._rows.append((row["name"], float(row["value"]), step, float(row["time"])))

    def _moved(self, rows: int = 0) -> None:
        self._state.rows += rows
        self._dog.move()
        if self._door.resumable:
            self._state.save(self._folder)

    def failed(self, sentence: str) -> None:
        self._state.status, self._state.problem = "unfinished", sentence
        self._state.save(self._folder)


def _door(name: str) -> Door:
    makers: dict[str, Any] = {
        "clearml": ClearMLServer,
        "clearml-offline": ClearMLOffline,
        "wandb": lambda: WandbRun("online" if _live() else "later"),
        "wandb-offline": lambda: WandbRun("offline"),
    }
    made: Door = makers[name]()
    return made


def _live() -> bool:
    """Whether a launcher holds the other end of standard input: else the run is over already."""
    return stat.S_ISFIFO(os.fstat(0).st_mode)


def _released() -> bool:
    if not _live():
        return True
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and not os.read(0, 1)


def _ended(folder: Path) -> record.Record:
    """The record of a run that is over; a launcher that was killed leaves its step a moment to die."""
    limit = time.monotonic() + 30.0
    while record.status(final := record.read(folder)) == "running" and time.monotonic() < limit:
        time.sleep(_POLL_SECONDS)
    return final


def follow(name: str, folder: Path, task: str) -> int:
    """Deliver one run folder; 0 when the tracker has all of it."""
    try:
        with refs.lock(f"tracker-{name}-{folder.name}"):
            if states.load(folder, name).status == "delivered":
                return 0
            follower = _Follower(name, folder, task)
            try:
                follower.run()
            except Exception as error:
                text = str(error) if isinstance(error, WbmeError) else f"{type(error).__name__}: {error}"
                follower.failed(redact(" ".join(text.split()))[:400])
                return 2
    except WbmeError:
        return 2
    return 0


def main(words: list[str]) -> int:
    action, name, *rest = words
    if action == "follow":
        return follow(name, Path(rest[0]), rest[2] if len(rest) > 2 else "")
    try:
        if action == "import":
            print(import_zip(Path(rest[0])))
            return 0
        server = ClearMLServer()
        server.connect()
        if action == "parameters":
            print(json.dumps(server.parameters(rest[0])))
        else:
            server.fail(rest[0], redact(rest[1]))
    except Exception as error:
        print(redact(" ".join(str(error).split()))[:400])
        return 2
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # past whatever a library wants to do at exit
