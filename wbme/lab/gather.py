"""Bursts of events: one drawing at a time, and always of the newest values."""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from typing import Any

# Events that come within this time are gathered: only the newest is drawn. While a picture is drawn the
# browser holds the newest value back until an older one is answered: so wait longer after a long drawing.
_GATHER_SECONDS, _GATHER_SHARE = 0.008, 0.15


class Gather:
    """Calls ``draw`` once for a burst of events, so that a dragged slider never lags behind the hand.

    JupyterLab may hand events to several threads (subshells): one drawing at a time, each of the newest
    values, so that the last to end is never an old one.
    """

    def __init__(self, draw: Callable[[], None]):
        self._draw = draw
        self._lock = threading.Lock()
        self._waiting = False
        self._took, self._ended = 0.0, -math.inf  # seconds

    def __call__(self, _change: Any = None) -> None:
        if self._waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._now()
            return
        self._waiting = True
        patience = _GATHER_SHARE * self._took
        busy = time.monotonic() - self._ended < patience
        loop.call_later(max(_GATHER_SECONDS, patience if busy else 0.0), self._now)

    def _now(self) -> None:
        with self._lock:
            self._waiting = False
            began = time.monotonic()
            self._draw()
            self._ended = time.monotonic()
            self._took = self._ended - began
