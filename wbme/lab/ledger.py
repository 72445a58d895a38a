"""What schedulers remember: ``workspace/schedules/NAME/state.json`` and ``history.jsonl``.

state     last: the newest tick that is used up (seconds since 1970), claim: the job that was begun,
          inputs: digest of what the last try saw, tries: how often that was tried
history   a JSON object a line, oldest first: time, tick, status, why, and for a promotion
          promoted and previous, {ref: digest}, with the runs that made them
"""

import json
from pathlib import Path
from typing import Any

from wbme.base.errors import StoreError
from wbme.base.paths import workspace, write_atomic

Line = dict[str, Any]
_TYPES = {"last": (int, float), "claim": (dict, type(None)), "tries": (int,)}


def folder(name: str) -> Path:
    return workspace() / "schedules" / name


def load(name: str) -> dict[str, Any] | None:
    """The state of a schedule, None before its first tick; StoreError when the file is damaged."""
    path = folder(name) / "state.json"
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(state[key], kinds) for key, kinds in _TYPES.items()):
            raise ValueError
        return dict(state)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is damaged: delete it, and the schedule begins anew") from error


def save(name: str, state: dict[str, Any]) -> None:
    """Replace the state atomically; StoreError when the disk is full."""
    write_atomic(folder(name) / "state.json", json.dumps(state, indent=1) + "\n")


def history(name: str) -> list[Line]:
    """The readable lines of a schedule's history, oldest first; one that a kill cut short is left out."""
    try:
        raw = (folder(name) / "history.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot read {error.filename}: {error.strerror}") from error
    found = []
    for row in raw.splitlines():
        try:
            line = json.loads(row)
        except ValueError:
            continue
        if isinstance(line, dict) and "status" in line:
            found.append(line)
    return found


def append(name: str, line: Line) -> None:
    """Add one line, on a line of its own even after one that a kill cut short; StoreError on a full disk."""
    path = folder(name) / "history.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            end = file.seek(0, 2)
            file.seek(max(end - 1, 0))
            gap = b"" if file.read(1) in (b"", b"\n") else b"\n"
            file.write(gap + json.dumps(line, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; free space or set WBME_HOME") from error
