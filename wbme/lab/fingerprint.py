"""When a step need not run again: the same notebook, parameters, inputs, code, libraries and machine."""

from pathlib import Path
from typing import Any

from wbme.base.errors import RefError, StoreError
from wbme.base.hashing import digest_json, sha256_file
from wbme.lab import machine, record, refs, store
from wbme.lab.chain import Step
from wbme.lab.externals import signature


def fingerprint(run: record.Record) -> str:
    """Digest of everything that a finished run depended on, as its ``run.json`` tells."""
    device = run["device"]
    return digest_json(
        [
            run["notebook_sha256"],
            run["parameters"],
            {name: i["digest"] for name, i in run["inputs"].items()},
            run["externals"],
            run["code"],
            run["versions"],
            device["flags"],
            device["gpu"],
        ]
    )


def reusable(
    step: Step, scope: str, verify: bool = False, since: float | None = None
) -> tuple[Path, record.Record] | None:
    """The newest finished run that would come out the same today and whose files are all there; or None.

    ``verify`` checks the SHA-256 of its inputs, outputs, figures and tables as well; what began before
    ``since`` (seconds since 1970) does not count.
    """
    for folder, run in record.history(step.notebook.name):
        if run.get("status") != "completed" or not run.get("launched") or run.get("measures_time"):
            continue
        if run["notebook_sha256"] != step.notebook.sha256 or run["parameters"] != dict(step.params):
            continue
        if since is not None and run["started"] < since:
            continue
        try:
            if fingerprint(_today(run, scope)) == fingerprint(run):
                for kept in (*run["inputs"].values(), *run["outputs"].values()):
                    if kept["digest"]:
                        store.tree(kept["digest"], verify)
                if _whole(folder, run, verify):
                    return folder, run
        except StoreError:
            continue
    return None


def _whole(folder: Path, run: record.Record, verify: bool) -> bool:
    """Whether the figures and tables of the run folder are there, and unchanged."""
    for kind in ("figures", "tables"):
        for name, digest in run[kind].items():
            path = folder / kind / name
            if not path.is_file() or (verify and sha256_file(path) != digest):
                return False
    return True


def _digest(name: str, scope: str) -> str | None:
    try:
        return refs.lookup(name, scope).digest
    except RefError:
        return None


def _today(run: record.Record, scope: str) -> dict[str, Any]:
    """The same dependencies as they stand now."""
    return {
        **run,
        "inputs": {name: {"digest": _digest(name, scope)} for name in run["inputs"]},
        "externals": {place: signature(Path(place)) for place in run["externals"]},
        "code": machine.current_code(run["code"]),
        "versions": machine.versions(),
        "device": machine.device(),
    }
