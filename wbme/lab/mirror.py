"""The seam for experiment trackers: a mirror follows a run folder while the step runs.

A tracker is never imported by a kernel and can neither fail nor stall a run: every call is made on a
thread of its own, under a time limit, and a mirror that raises or hangs is left behind with one sentence.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from wbme.lab.progress import Tail

CLOSE_SECONDS = 5.0


class Mirror(Protocol):
    """What a tracker must offer. ``folder`` is the run folder, the truth that it copies from."""

    name: str

    def open(self, folder: Path, record: dict[str, Any]) -> None:
        """The step is about to start: parameters, notebook, scope."""

    def metric(self, row: dict[str, Any]) -> None:
        """One row of ``metrics.jsonl``: time, name (``title/series``), value, step."""

    def close(self, folder: Path, record: dict[str, Any]) -> None:
        """The step has ended: final metrics, figures, tables, outputs, status."""


class Mirrors:
    """Feeds every mirror from one run folder. ``tell`` receives the sentence about one that failed."""

    def __init__(self, mirrors: Sequence[Mirror], folder: Path, tell: Callable[[str], None]):
        self._lines = [_Line(m, tell) for m in mirrors]
        self._folder = folder
        self._tail = Tail(folder / "metrics.jsonl")

    def open(self, record: dict[str, Any]) -> None:
        for line in self._lines:
            line.put(line.mirror.open, self._folder, record)

    def follow(self) -> None:
        """Pass on what ``metrics.jsonl`` has gained; never waits."""
        for row in self._tail.rows() if self._lines else ():
            for line in self._lines:
                line.put(line.mirror.metric, row)

    def close(self, record: dict[str, Any]) -> None:
        """Pass on the rest and wait at most CLOSE_SECONDS a mirror."""
        self.follow()
        for line in self._lines:
            line.put(line.mirror.close, self._folder, record)
            line.end()


class _Line:
    """A queue and a daemon thread for one mirror."""

    def __init__(self, mirror: Mirror, tell: Callable[[str], None]):
        self.mirror = mirror
        self._tell = tell
        self._calls: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, call: Callable[..., None], *arguments: Any) -> None:
        self._calls.put((call, arguments))

    def end(self) -> None:
        self._calls.put(None)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._tell(
                f"{self.mirror.name} did not answer for {CLOSE_SECONDS:.0f} s: the run goes on without it"
            )

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            call, arguments = item
            try:
                call(*arguments)
            except Exception as error:
                self._tell(
                    f"{self.mirror.name} failed ({type(error).__name__}: {error}): the run goes on without it"
                )
                return
