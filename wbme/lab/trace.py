"""Where a file came from: found by its SHA-256 in the run folders, or in ``reports/SOURCES.json``."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wbme.base.errors import WbmeError
from wbme.base.hashing import sha256_file
from wbme.base.paths import project_root
from wbme.lab import record, store

SOURCES = "SOURCES.json"
# What of run.json is enough to repeat the run on a fresh clone.
KEPT = [
    "id",
    "notebook",
    "notebook_sha256",
    "parameters",
    "preset",
    "chain",
    "seed",
    "inputs",
    "externals",
    "versions",
    "device",
    "code",
    "started",
]


def origin(run: record.Record) -> dict[str, Any]:
    """The part of a run record that tells how its files were made, without machine paths or diffs."""
    kept = {k: run[k] for k in KEPT if k in run}
    kept["externals"] = {Path(place).name: digest for place, digest in run.get("externals", {}).items()}
    git = run.get("git", {})
    kept["git"] = {k: git[k] for k in ("commit", "dirty", "diff_sha256") if k in git}
    return kept


def trace(path: Path) -> dict[str, Any]:
    """The origin of a figure, a table or a file of an artifact: see ``origin``, plus ``found`` in words.

    Raises WbmeError when no run and no report knows these bytes.
    """
    if not path.is_file():
        raise WbmeError(f"{path} is not a file: give a figure, a table or a file of the store")
    digest = sha256_file(path)
    for folder, run in _runs(path.resolve()):
        for kind in ("figures", "tables"):
            for name, known in run.get(kind, {}).items():
                if known == digest:
                    return {"found": f"{folder / kind / name}", "sha256": digest, **origin(run)}
        for ref, output in run.get("outputs", {}).items():
            if _holds(output["digest"], digest):
                return {"found": f"artifact {ref}", "sha256": digest, **origin(run)}
    published = sources()
    for name, row in published.get("files", {}).items():
        if row["sha256"] == digest:
            return {"found": f"reports/{name}", "sha256": digest, **published["runs"][row["run"]]}
    raise WbmeError(
        f"no run and no report knows {path} (sha256 {digest[:12]}): it was changed, or made elsewhere"
    )


def _runs(path: Path) -> Iterator[tuple[Path, record.Record]]:
    """All runs; first the one whose folder holds ``path``, since two runs may have made equal bytes."""
    everything = list(record.everything())
    yield from (pair for pair in everything if path.is_relative_to(pair[0]))
    yield from (pair for pair in everything if not path.is_relative_to(pair[0]))


def _holds(tree: str, digest: str) -> bool:
    try:
        return any(e.sha256 == digest for e in store.manifest(tree))
    except WbmeError:
        return False


def sources() -> dict[str, Any]:
    """``reports/SOURCES.json``: {files: {name: {sha256, run}}, runs: {id: origin}}; or empty."""
    path = project_root() / "reports" / SOURCES
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name, row in content["files"].items():
            content["runs"][row["run"]], row["sha256"]
            # What is named here may be deleted by the next report: only what a report writes.
            if not re.fullmatch(r"(figures|tables)/[A-Za-z0-9][A-Za-z0-9._-]*", name):
                raise ValueError(name)
        return content
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WbmeError(f"{path} is damaged: restore it from git, or run 'wbme report --publish'") from error
