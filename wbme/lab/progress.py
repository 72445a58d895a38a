"""Progress of a step, passed through a file that only grows, and shown by the launcher."""

import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO


def say(folder: Path, **row: Any) -> None:
    """Append one row to ``progress.jsonl`` of a run folder."""
    with open(folder / "progress.jsonl", "a", encoding="utf-8") as stream:
        stream.write(json.dumps({"time": round(time.time(), 3), **row}) + "\n")


class Tail:
    """What a file has gained since the last call, in whole lines; a half-written line waits."""

    def __init__(self, path: Path):
        self.path = path
        self._offset = 0

    def lines(self) -> list[bytes]:
        try:
            with open(self.path, "rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.splitlines()

    def rows(self) -> list[dict[str, Any]]:
        """The new lines of a JSON-lines file."""
        return [json.loads(line) for line in self.lines() if line.strip()]


def duration(seconds: float) -> str:
    """``8 s``, ``3 min 05 s``, ``1 h 20 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Console:
    """One living line on a terminal; a line every ``quiet`` seconds elsewhere."""

    def __init__(self, stream: TextIO | None = None, quiet: float = 15.0):
        self.stream = stream or sys.stdout
        self.quiet = quiet
        self._last = time.monotonic()
        self._living = False

    def line(self, text: str) -> None:
        """A lasting line."""
        self._clear()
        self.stream.write(text + "\n")
        self.stream.flush()
        self._last = time.monotonic()

    def living(self, text: str) -> None:
        """A line that the next one replaces."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[2K" + text[:110])
            self.stream.flush()
            self._living = True
        elif time.monotonic() - self._last > self.quiet:
            self.line(text)

    def _clear(self) -> None:
        if self._living:
            self.stream.write("\r\x1b[2K")
            self._living = False
