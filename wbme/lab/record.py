"""The run folder: ``workspace/runs/NOTEBOOK/TIME-ID/`` and its ``run.json``, the truth about a run."""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wbme.base.errors import NotebookError, StoreError
from wbme.base.paths import workspace, write_atomic
from wbme.lab.redact import redact_all

SCHEMA = 1
ELSEWHERE_SECONDS = 86400.0
Record = dict[str, Any]


def runs() -> Path:
    return workspace() / "runs"


def create(notebook: str, content: Record) -> Path:
    """A new run folder with a ``run.json`` of status ``running``; returns the folder."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    folder = runs() / notebook / f"{stamp}-{secrets.token_hex(3)}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}; free space or set WBME_HOME") from error
    identity = {"schema": SCHEMA, "id": f"{notebook}/{folder.name}", "notebook": notebook}
    state = {"status": "running", "started": time.time(), "process": this_process()}
    write(folder, {**identity, **state, **content})
    return folder


def write(folder: Path, record: Record) -> None:
    """Keep ``record``; passwords and tokens in its texts (errors, the difference to git) are held back."""
    write_atomic(folder / "run.json", json.dumps(redact_all(record), indent=1, ensure_ascii=False) + "\n")


def update(folder: Path, **changes: Any) -> Record:
    """Overlay ``changes`` on ``run.json``. Launcher and kernel take turns at it."""
    record = {**read(folder), **changes}
    write(folder, record)
    return record


def read(folder: Path) -> Record:
    """``run.json`` of a run folder; NotebookError when it is missing, damaged or of another schema."""
    path = folder / "run.json"
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotebookError(f"{folder} is no run folder: its run.json cannot be read") from error
    if not isinstance(record, dict) or "status" not in record or "process" not in record:
        raise NotebookError(f"{path} is no record of a run: delete that folder")
    if record.get("schema") != SCHEMA:
        raise NotebookError(f"{path} has schema {record.get('schema')!r}; this wbme reads schema {SCHEMA}")
    return record


def status(record: Record) -> str:
    """``running``, ``completed``, ``failed``, or ``died``: said to be running by a process that is gone."""
    if record["status"] == "running" and not alive(record["process"]):
        return "died"
    return str(record["status"])


def history(notebook: str) -> Iterator[tuple[Path, Record]]:
    """Readable runs of a notebook, newest first."""
    for folder in sorted((runs() / notebook).glob("*-*"), reverse=True):
        try:
            yield folder, read(folder)
        except NotebookError:
            continue


def everything() -> Iterator[tuple[Path, Record]]:
    """All readable runs, notebook by notebook, newest first."""
    for folder in sorted(runs().glob("*")):
        yield from history(folder.name)


def this_process() -> Record:
    import psutil

    return {"host": socket.gethostname(), "pid": os.getpid(), "born": psutil.Process().create_time()}


def alive(process: Record) -> bool:
    """True while the very process lives: a reused pid has another time of birth.

    One of another machine is believed to live for ELSEWHERE_SECONDS from its birth: nobody can look there.
    """
    import psutil

    if process.get("host", socket.gethostname()) != socket.gethostname():
        return time.time() - float(process["born"]) < ELSEWHERE_SECONDS

    try:
        return abs(psutil.Process(process["pid"]).create_time() - process["born"]) < 1.0
    except psutil.NoSuchProcess:
        return False
