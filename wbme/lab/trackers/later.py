"""Finished run folders delivered afterwards: ``wbme sync``."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from wbme.base.errors import WbmeError
from wbme.base.hashing import sha256_file
from wbme.base.paths import workspace, write_atomic
from wbme.lab import comparison, record
from wbme.lab.trackers import servers, state
from wbme.lab.trackers.relay import start


def targets(words: list[str], everything: bool) -> Iterator[Path]:
    """Run folders, and zips of ClearML's offline mode, that ``words`` name, or all finished runs.

    A word is a run's folder or id (``NOTEBOOK/TIME-ID``), the name of a chain, of a sweep (all runs that
    served its trials) or of a trial (``SWEEP.001``), or a zip. WbmeError for another.
    """
    if everything:
        yield from (folder for folder, run in record.everything() if _finished(run))
    for word in words:
        place = Path(word)
        if place.suffix == ".zip":
            if not place.is_file():
                raise WbmeError(f"{place} is not a file: give a run, or a zip of ClearML's offline mode")
            yield place.resolve()
            continue
        near = [p for p in (place, record.runs() / word) if (p / "run.json").is_file()]
        chain = [f for f, run in record.everything() if run.get("chain") == word and _finished(run)]
        found = [near[0].resolve()] if near else [*_swept(word), *chain]
        if not found:
            raise WbmeError(
                f"no run, chain or sweep {word!r} in {record.runs()}: give NOTEBOOK/TIME-ID or a name"
            )
        yield from found


def _swept(word: str) -> Iterator[Path]:
    """Folders of the runs that served a sweep, or one trial of it, whoever made them."""
    sweep, _, trial = word.rpartition(".")
    name = next((n for n in (word, sweep) if (workspace() / "sweeps" / n / "sweep.json").is_file()), "")
    if not name or Path(name).name != name:
        return
    for row in comparison.of(name).trials:
        if name == word or row["trial"] == trial:
            yield from (f for run in row["runs"] if (f := record.runs() / run["run"]).is_dir())


def _finished(run: record.Record) -> bool:
    return record.status(run) != "running" and bool(run.get("launched"))


def deliver(target: Path, tracker: str) -> tuple[bool, str]:
    """Whether the tracker has ``target`` now, and a sentence that says so or why not. Waits for the end."""
    if target.suffix == ".zip":
        return _zip(target, tracker)
    run = record.read(target)
    if record.status(run) == "running":
        return False, f"{run['id']} is still running: its own launcher delivers it"
    if state.load(target, tracker).status == "delivered":
        return True, f"{run['id']} is already there: {state.load(target, tracker).url}"
    start("follow", tracker, str(target)).wait()
    known = state.load(target, tracker)
    if known.status == "delivered":
        return True, f"{run['id']} delivered: {known.url}"
    return False, f"{run['id']}: {known.problem or 'its process ended before its work was done'}"


def _zip(path: Path, tracker: str) -> tuple[bool, str]:
    if tracker != "clearml":
        return False, f"{path} is an offline session of ClearML: {tracker} cannot take it"
    note = path.with_suffix(f".{servers.key(tracker)}.json")
    digest = sha256_file(path)
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if known.get("sha256") == digest:
        return True, f"{path} is already there: Task {known.get('task')}"
    process = start("import", tracker, str(path), stdout=subprocess.PIPE)
    said = process.communicate()[0].decode("utf-8", "replace").strip().splitlines() or ["no word"]
    if process.returncode:
        return False, said[-1]
    write_atomic(note, json.dumps({"sha256": digest, "task": said[-1]}) + "\n")
    return True, f"{path} delivered: Task {said[-1]}"
