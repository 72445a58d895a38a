"""Trials side by side, each in a process of its own, their lines on one console."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from wbme.base.paths import project_root, workspace, write_atomic
from wbme.lab import launcher, trial
from wbme.lab.progress import Console, Tail

_POLL_SECONDS = 0.2
_STOP_SECONDS = 10.0  # to end its step, and to let trackers know


class Job(Protocol):
    """A trial that runs somewhere and writes its lines to its log."""

    def ended(self) -> str | None:
        """None while it runs, then how it ended in words."""

    def interrupt(self) -> None:
        """Ask it to end, as Ctrl-C does."""

    def stop(self) -> None:
        """Wait a little for its end, then end it and all that it started."""


Start = Callable[[Path], Job]


def side_by_side(
    specs: Sequence[dict[str, Any]], place: Path, slots: int, start: Start, console: Console
) -> Iterator[dict[str, Any]]:
    """The outcome of each described trial as it ends, at most ``slots`` of them at a time, started by
    ``start`` from files in ``place``. What still runs when the caller stops listening is ended."""
    waiting = deque(specs)
    active: dict[str, tuple[Path, Job, Tail]] = {}
    try:
        while waiting or active:
            while waiting and len(active) < slots:
                spec = waiting.popleft()
                file = place / f"{spec['trial']}.json"
                for old in (trial.answer(file), file.with_suffix(".log")):
                    old.unlink(missing_ok=True)
                write_atomic(file, json.dumps(spec, ensure_ascii=False))
                active[spec["trial"]] = (file, start(file), Tail(file.with_suffix(".log")))
            time.sleep(_POLL_SECONDS)
            for key, (file, job, tail) in list(active.items()):
                ended = job.ended()
                for line in tail.lines():
                    console.line(f"{key} {line.decode('utf-8', 'replace')}")
                if ended is not None:
                    del active[key]
                    yield trial.outcome(file, ended)
    finally:
        for _, job, _ in active.values():
            job.interrupt()
        for _, job, _ in active.values():
            job.stop()


def command(file: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start the trial in ``file`` on this machine; ``environment`` is laid over this process's own."""
    with open(file.with_suffix(".log"), "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "wbme.lab.trial", str(file), str(os.getpid())],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # the terminal's Ctrl-C comes to the sweep, which passes it on once
        )


def here() -> dict[str, str]:
    """What another process must know to find the same project and workspace."""
    return {"WBME_PROJECT": str(project_root()), "WBME_HOME": str(workspace())}


def processes(slots: int) -> Start:
    """Start trials on this machine, of which ``slots`` run at a time: unless OMP_NUM_THREADS says otherwise
    they share the processors, because threads of two trainings on one core wait for each other."""
    import psutil

    threads = max((psutil.cpu_count(logical=False) or 1) // slots, 1)
    shared = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
    return lambda file: _Process(command(file, shared | here()))


class _Process:
    """A trial in a process of this machine."""

    def __init__(self, process: "subprocess.Popen[bytes]"):
        self._process = process

    def ended(self) -> str | None:
        code = self._process.poll()
        return None if code is None else f"its process ended with code {code} (killed, or out of memory)"

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            launcher.kill_all(self._process)
