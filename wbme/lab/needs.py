"""What of the store is needed, and by whom: names, reports, runs that live, schedules, unfinished sweeps.

Files of other parts (histories, states of sweeps, run.json, SOURCES.json) are searched for digests and
run ids as text: a line that a kill cut off, or a key that is new, then costs nothing that is needed.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wbme.base.errors import WbmeError
from wbme.base.paths import project_root, workspace
from wbme.lab import record, refs, store
from wbme.lab.trace import SOURCES

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*[/\\]+\d{8}-\d{6}-[0-9a-f]{6}")
PATIENT_SECONDS = 30 * 86400.0
_CLOCK_SECONDS = 1.0  # by which the times of two processes may disagree


@dataclass
class Needs:
    """Why each tree is needed, which runs are, and since when (seconds since 1970) a living run may have
    published or used trees that nothing names yet; infinity when no run lives."""

    trees: dict[str, str] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)
    since: float = float("inf")

    def add(self, why: str, trees: Iterable[str], runs: Iterable[str] = ()) -> None:
        for digest in trees:
            self.trees.setdefault(digest, why)
        self.runs.update(runs)


def gather(named: Iterable[refs.Ref]) -> Needs:
    """What is needed when ``named`` are the names that count.

    OSError when something cannot be read: then it is not known what is needed.
    """
    needs = Needs()
    for ref in named:
        needs.add("a name", [ref.digest], [ref.run])
    report = project_root() / "reports" / SOURCES
    digests, runs = _mentions(report)
    needs.add("a report", [*digests, *holders(digests)], runs)
    for path in _files("schedules"):
        needs.add("a schedule", *_mentions(path))
    for path in _files("sweeps"):
        digests, runs = _mentions(path)
        needs.add("an unfinished sweep", digests if _unfinished(path) else (), runs)
    _runs(needs)
    _lineage(needs)
    return needs


def awaited(folder: Path, run: record.Record) -> bool:
    """Whether a tracker that followed a run has not got all of it: 'wbme sync' needs its folder and models.

    After PATIENT_SECONDS nobody waits any more: the server is gone for good.
    """
    if time.time() - float(run.get("ended") or run["started"]) > PATIENT_SECONDS:
        return False
    for state in folder.glob("trackers/*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if json.loads(state.read_text(encoding="utf-8"))["status"] == "delivered":
                continue
        return True
    return False


def holders(files: set[str]) -> Iterator[str]:
    """Digests of the trees that hold a file whose SHA-256 is one of ``files``."""
    for digest in tree_digests():
        if not files.isdisjoint(contents(digest)):
            yield digest


def tree_digests() -> list[str]:
    """Digests of all trees that have a folder or a manifest, whole or not."""
    places = (store.store() / "trees").glob("*")
    return sorted({p.name.removesuffix(".json") for p in places if not p.name.startswith(".")})


def contents(digest: str) -> set[str]:
    """SHA-256 of the files of a tree; nothing when its manifest is missing or damaged."""
    try:
        return {entry.sha256 for entry in store.manifest(digest)}
    except WbmeError:
        return set()


def _mentions(path: Path) -> tuple[set[str], set[str]]:
    """Digests and run ids that a text file mentions."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set(), set()
    runs = {re.sub(r"\\+|/+", "/", found) for found in _RUN.findall(text)}
    return set(_DIGEST.findall(text)), runs


def _files(what: str) -> list[Path]:
    folder = workspace() / what
    return [
        path for path in sorted(folder.rglob("*")) if path.suffix in (".json", ".jsonl") and path.is_file()
    ]


def _unfinished(path: Path) -> bool:
    """Whether the sweep that ``path`` belongs to may go on: unless its state says that it is completed."""
    sweeps = workspace() / "sweeps"
    own = sweeps / path.relative_to(sweeps).parts[0]  # its trials' files lie deeper
    try:
        state = json.loads((own / "sweep.json").read_text(encoding="utf-8"))
        return bool(state["status"] != "completed")
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _runs(needs: Needs) -> None:
    """Runs that live, all runs of a chain whose launcher lives, and models that a tracker awaits."""
    busy = set(launching())
    for folder, run in record.everything():
        lives = record.alive(run["process"])
        if lives and run["status"] == "running":
            needs.since = min(needs.since, run["started"] - _CLOCK_SECONDS)
        if lives or run.get("chain") in busy:
            digests, runs = _mentions(folder / "run.json")
            needs.add("a run that lives", digests, {run["id"], *runs})
        if awaited(folder, run):
            models = [o["digest"] for n, o in run.get("outputs", {}).items() if n.startswith("model/")]
            needs.add("a tracker", models)


def launching() -> Iterator[str]:
    """Names of the chains that a launcher runs at this moment."""
    for path in sorted((workspace() / "store" / "locks").glob("chain-*")):
        if _held(path.name):
            yield path.name.removeprefix("chain-")


def scopes_in_use() -> set[str]:
    """Scopes in which a launcher or a run is at work."""
    running = (run for _, run in record.everything() if record.status(run) == "running")
    return {*launching(), *(str(run.get("scope")) for run in running)}


def sweeping(scope: str) -> bool:
    """Whether ``scope`` is a trial of a sweep that is not at its end."""
    state = workspace() / "sweeps" / scope.rpartition(".")[0] / "sweep.json"
    return state.is_file() and _unfinished(state)


def _held(lock: str) -> bool:
    """Whether another process holds ``lock``."""
    try:
        with refs.lock(lock, wait=False):
            return False
    except refs.BusyError:
        return True


def _lineage(needs: Needs) -> None:
    """The runs that made the inputs of needed runs, and so on: trace leads through them."""
    waiting = list(needs.runs)
    while waiting:
        with suppress(WbmeError):
            run = record.read(record.runs() / waiting.pop())
            makers = {i["run"] for i in run.get("inputs", {}).values() if i["run"]} - needs.runs
            needs.runs |= makers
            waiting += makers
