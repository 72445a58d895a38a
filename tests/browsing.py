"""What the tests in a browser share: watching pictures change, moving sliders, servers that are stopped."""

import json
import os
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path

import pytest

# When events arrive, and when pictures of widgets get new bytes: milliseconds.
WATCH = """() => {
  window.watched = {events: [], changes: []};
  const note = event => window.watched.events.push(performance.now());
  for (const kind of ['keydown', 'mousemove', 'mouseup']) document.addEventListener(kind, note, true);
  new MutationObserver(() => window.watched.changes.push(performance.now()))
    .observe(document.body, {subtree: true, attributes: true, attributeFilter: ['src']});
}"""
RESET = "() => { window.watched.events.length = window.watched.changes.length = 0; }"
BYTES = """async image => {
  const bytes = await (await fetch(image.src)).arrayBuffer();
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return [...new Uint8Array(digest)].map(b => b.toString(16).padStart(2, '0')).join('');
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process: subprocess.Popen) -> None:
    """End a server that leads a session of its own."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def finished(runs: Path, before: set[Path], seconds: float = 240) -> dict:
    """The record of the run that came to ``runs`` after those of ``before``, at its end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        records = [json.loads(path.read_text()) for path in set(runs.glob("*/run.json")) - before]
        if records and records[0]["status"] != "running":
            return records[0]
        time.sleep(0.25)
    pytest.fail(f"{runs.name} did not reach its last cell")


class Live:
    """A cell with widgets and one picture, as a user meets it."""

    def __init__(self, page, cell):
        self.page, self.cell = page, cell
        self.picture = cell.locator(".widget-image")
        self.picture.scroll_into_view_if_needed()

    def handle(self, label: str):
        row = self.cell.locator(".widget-slider").filter(has_text=label)
        return row.locator(".noUi-handle")

    def bytes(self) -> str:
        return self.picture.evaluate(BYTES)

    def after(self, act, rest: int = 400) -> tuple[float, int]:
        """Do ``act``, wait until the picture rests for ``rest`` ms on other bytes, and return
        (milliseconds from the last event to the last change, number of changes)."""
        before = self.bytes()
        self.page.evaluate(RESET)
        act()
        self.page.wait_for_function("() => window.watched.changes.length", timeout=20_000)
        self.page.wait_for_function(
            "rest => performance.now() - window.watched.changes.at(-1) > rest",
            arg=rest,
            timeout=20_000,
        )
        seen = self.page.evaluate("() => window.watched")
        assert self.bytes() != before
        return seen["changes"][-1] - seen["events"][-1], len(seen["changes"])

    def stroke(self, *corners) -> None:
        """Drag the mouse over the cell's canvas; ``corners`` in shares of its width and height."""
        box = self.cell.locator("canvas").first.bounding_box()
        way = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in corners]
        self.page.mouse.move(*way[0])
        self.page.mouse.down()
        for point in way[1:]:
            self.page.mouse.move(*point, steps=5)
        self.page.mouse.up()


def shoot(page, name: str) -> None:
    folder = os.environ.get("WBME_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def report(what: str, times: list[float]) -> None:
    print(f"\n{what}: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms of {len(times)}")
