"""What a tracker has received of one run: ``trackers/KEY.json`` in the run folder."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wbme.base.errors import WbmeError
from wbme.base.paths import write_atomic
from wbme.lab.redact import redact
from wbme.lab.trackers import servers

FOLDER = "trackers"


class RefusedError(WbmeError):
    """The server answers, and will answer the same again: to try once more is of no use."""


@dataclass
class State:
    """``rows`` of metrics.jsonl and the pieces ``done`` were acknowledged; ``status`` is following,
    unfinished or delivered; ``problem`` is the sentence about what stands in the way."""

    tracker: str
    status: str = "following"
    task: str = ""
    url: str = ""
    rows: int = 0
    done: list[str] = field(default_factory=list)
    problem: str = ""

    def save(self, folder: Path) -> None:
        content = {**asdict(self), "problem": redact(self.problem), "url": redact(self.url)}
        write_atomic(path(folder, self.tracker), json.dumps(content, indent=1) + "\n")


def path(folder: Path, tracker: str) -> Path:
    return folder / FOLDER / f"{servers.key(tracker)}.json"


def load(folder: Path, tracker: str) -> State:
    """The state on disk; a new one when there is none or it is damaged."""
    with suppress(OSError, ValueError, TypeError):
        return State(**json.loads(path(folder, tracker).read_text(encoding="utf-8")))
    return State(tracker)
