"""W&B: a run that is written to disk below the run folder and, online, sent to the server as it grows."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wbme.base.errors import WbmeError
from wbme.lab.redact import redact
from wbme.lab.trackers.state import FOLDER, RefusedError, State
from wbme.lab.trackers.story import Piece, Story, plain

_SYNC_SECONDS = 600


class WandbRun:
    """One run of W&B; its id is that of the run folder, so that a second delivery meets the first."""

    resumable = False

    def __init__(self, mode: str):
        """``mode``: online, offline, or later: written to disk, and then sent by W&B's own command."""
        self._mode = mode
        self._run: Any = None

    def open(self, story: Story, state: State) -> None:
        """Begin with the parameters; nothing of the machine, the code or the console is recorded."""
        import wandb

        place = story.folder / FOLDER
        place.mkdir(exist_ok=True)
        os.environ["WANDB_DIR"] = str(place)  # for its command, too
        os.environ["WANDB_DATA_DIR"] = os.environ["WANDB_CACHE_DIR"] = str(place / "wandb-cache")
        self._state, self._story, self._wandb = state, story, wandb
        state.task = plain(story.record["id"].replace("/", "."))[-60:]
        settings = wandb.Settings(
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            silent=True,
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
            init_timeout=60.0,
            finish_timeout=240.0,
            finish_timeout_raises=True,
            symlink=False,
        )
        try:
            self._run = wandb.init(
                project=plain(story.project.replace("/", "-")),
                name=story.name,
                id=state.task,
                group=story.record.get("chain"),
                job_type=story.record["notebook"],
                tags=story.tags,
                notes=story.record["id"],
                config={**story.record["parameters"], "run": story.facts},
                dir=str(place),
                mode="online" if self._mode == "online" else "offline",
                resume="allow" if self._mode == "online" else None,
                settings=settings,
            )
        except (wandb.Error, OSError) as error:
            refused = isinstance(error, wandb.errors.AuthenticationError) or "401" in str(error)
            raise (RefusedError if refused else WbmeError)(
                f"W&B does not begin a run ({redact(' '.join(str(error).split()))[:200]})"
            ) from None
        self._run.define_metric("*", step_metric="iteration")
        state.url = self._run.url or str(Path(self._run.dir).parent)

    def scalars(self, rows: Sequence[tuple[str, float, int, float]]) -> None:
        """Rows of (``title/series``, value, iteration, time)."""
        for name, value, step, _ in rows:
            self._run.log({name: value, "iteration": step})

    def tell(self, piece: Piece) -> None:
        """One piece of the story."""
        if piece.kind == "single":
            self._run.summary[piece.name] = piece.content
        elif piece.kind == "image":
            self._run.log({f"figures/{piece.name}": self._wandb.Image(str(piece.content))})
        elif piece.kind == "table":
            head, *body = piece.content or [[]]
            self._run.log({f"tables/{piece.name}": self._wandb.Table(columns=head, data=body)})
        else:
            files = piece.content if piece.kind == "model" else [piece.content]
            kind = "model" if piece.kind == "model" else "run"
            artifact = self._wandb.Artifact(f"{plain(piece.name)}-{self._state.task}"[-120:], type=kind)
            for file in files:
                artifact.add_file(str(file), name=file.name)
            self._run.log_artifact(artifact)

    def close(self, status: str, message: str) -> None:
        """End the run and, unless offline, wait until the server has all of it."""
        if self._run is not None:
            self._run.summary["status"] = status
            if message:
                self._run.summary["message"] = message
            self._run.finish(exit_code=0 if status == "completed" else 1)
            self._run = None
        if self._mode == "later":
            _send(self._story.folder)


def _send(folder: Path) -> None:
    """Send the offline run that ``folder`` has on disk, by W&B's own command; WbmeError when it cannot."""
    place = folder / FOLDER / "wandb"
    runs = [p for p in sorted(place.glob("offline-run-*")) if p.is_dir()]
    if not runs:
        raise WbmeError(f"there is no offline run of W&B in {place}")
    command = [sys.executable, "-m", "wandb", "sync", str(runs[-1])]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SYNC_SECONDS, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise WbmeError(f"W&B did not take the run within {_SYNC_SECONDS} s") from None
    if done.returncode or not list(
        runs[-1].glob("*.wandb.synced")
    ):  # its status is 0 when it was refused too
        lines = [line.rpartition("ERROR")[2].strip() for line in done.stderr.splitlines() if "ERROR" in line]
        why = re.sub(r"<[^>]*>", "", " ".join(line for line in lines if line)) or "it does not say why"
        raise WbmeError(f"W&B does not take the run ({redact(' '.join(why.split()))[:200]})")
