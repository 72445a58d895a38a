"""The launcher's end of a tracker: it starts a process that follows a run folder, and never waits for it."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wbme.base.errors import WbmeError
from wbme.base.paths import project_root, workspace
from wbme.lab.mirror import Mirror
from wbme.lab.trackers import state

SETTLE_SECONDS = 5.0
# What would tie the SDK to an agent's task, to a parent's, or to an offline mode that nobody asked for.
_FOREIGN = {
    *("CLEARML_PROC_MASTER_ID", "TRAINS_PROC_MASTER_ID", "CLEARML_TASK_ID", "TRAINS_TASK_ID"),
    *("CLEARML_OFFLINE_MODE", "TRAINS_OFFLINE_MODE", "WANDB_MODE", "WANDB_RUN_ID", "WBME_RUN"),
}


class Relay:
    """A mirror whose work is done elsewhere. ``task``: the Task to fill instead of a new one."""

    def __init__(self, name: str, task: str | None = None):
        self.name = name
        self._task = task
        self._followers: dict[Path, subprocess.Popen[bytes]] = {}
        self._told: set[Path] = set()

    def open(self, folder: Path, record: dict[str, Any]) -> None:
        self._folder = folder
        extra = ["--task", self._task] if self._task else []
        self._followers[folder] = start("follow", self.name, str(folder), *extra, stdin=subprocess.PIPE)

    def metric(self, row: dict[str, Any]) -> None:
        """The follower reads metrics.jsonl itself; here it is only seen whether it still lives."""
        self._check(self._folder)

    def close(self, folder: Path, record: dict[str, Any]) -> None:
        """Let the follower know that the launcher has written its last; it goes on alone."""
        release(self._followers[folder])
        self._check(folder)

    def settle(self, seconds: float) -> list[str]:
        """Wait up to ``seconds`` for what is still being delivered; sentences about what was not."""
        limit = time.monotonic() + seconds
        sentences = []
        for folder, process in self._followers.items():
            release(process)
            try:
                process.wait(max(0.0, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                sentences.append(
                    f"{self.name} is still being told about {_id(folder)}: that goes on by itself, and "
                    f"'wbme sync {_id(folder)}' says when it is there"
                )
                continue
            if process.returncode and folder not in self._told:
                sentences.append(f"{self.name}: {_problem(folder, self.name)}")
        self._followers.clear()
        return sentences

    def _check(self, folder: Path) -> None:
        if self._followers[folder].poll():
            self._told.add(folder)
            raise WbmeError(_problem(folder, self.name))


def settle(mirrors: Sequence[Mirror], seconds: float = SETTLE_SECONDS) -> list[str]:
    """Give the trackers of a command that is about to end ``seconds`` altogether."""
    limit = time.monotonic() + seconds
    relays = [m for m in mirrors if isinstance(m, Relay)]
    return [s for relay in relays for s in relay.settle(max(0.0, limit - time.monotonic()))]


def start(*words: str, **options: Any) -> subprocess.Popen[bytes]:
    """A tracker's process: out of reach of the terminal's Ctrl-C, silent, free to outlive this one."""
    kept = {k: v for k, v in os.environ.items() if k not in _FOREIGN}
    places = {"WBME_PROJECT": str(project_root()), "WBME_HOME": str(workspace())}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    command = [sys.executable, "-m", "wbme.lab.trackers.process", *words]
    return subprocess.Popen(command, env={**kept, **places}, start_new_session=True, **{**quiet, **options})


def release(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that says 'the launcher still writes'."""
    if process.stdin and not process.stdin.closed:
        process.stdin.close()


def _id(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _problem(folder: Path, name: str) -> str:
    said = state.load(folder, name).problem or "its process ended before its work was done"
    return f"{said}; nothing is lost: 'wbme sync {_id(folder)}' delivers the rest"
