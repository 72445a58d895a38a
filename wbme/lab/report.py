"""``reports/``: figures and tables chosen by chains of ``experiments/run``, each with its origin.

A chain that has them, such as ``report``, names under its steps

publish:
  figures: [NAME, ...]     # published by a notebook as figure/NAME
  tables: [NAME, ...]      # published as table/NAME
"""

import io
import itertools
import json
from pathlib import Path
from typing import Any

from wbme.base import yamlfile
from wbme.base.errors import ExperimentError, WbmeError
from wbme.base.hashing import sha256_bytes, sha256_file
from wbme.base.paths import project_root, write_atomic
from wbme.lab import record, refs, store
from wbme.lab.trace import SOURCES, origin, sources

MAX_FIGURE = 400_000
MAX_TOTAL = 15_000_000
_SUFFIXES = {"figures": (".png",), "tables": (".csv", ".md")}


def chain_file(name: str) -> Path:
    """The chain called so; ExperimentError where there is none."""
    path = project_root() / "experiments" / "run" / f"{name}.yaml"
    if not path.is_file():
        raise ExperimentError(f"there is no chain {path}: name one of {', '.join(chains()) or 'none'}")
    return path


def chains() -> list[str]:
    """Names of the chains that publish reports."""
    found = sorted((project_root() / "experiments" / "run").glob("*.yaml"))
    return [path.stem for path in found if "publish" in yamlfile.load(path, ExperimentError)]


def wanted(name: str) -> dict[str, list[str]]:
    """The names under ``publish`` of that chain; ExperimentError when it is malformed."""
    path = chain_file(name)
    content = yamlfile.load(path, ExperimentError).get("publish", {})
    lists = isinstance(content, dict) and all(isinstance(v, list | None) for v in content.values())
    if not lists or set(content) - set(_SUFFIXES):
        raise ExperimentError(f"{path}: publish must hold the lists figures and tables")
    return {kind: [str(n) for n in content.get(kind) or []] for kind in _SUFFIXES}


def _named(chains: list[str]) -> set[str]:
    """KIND/NAME of all that these chains publish."""
    return {f"{kind}/{n}" for name in chains for kind, names in wanted(name).items() for n in names}


def publish(scope: str) -> list[Path]:
    """Copy what the chain ``scope`` names, as it published it, to ``reports/`` with SOURCES.json; what other
    chains name stays as it is.

    Nothing is written before every file has been found and measured. Figures over MAX_FIGURE bytes are
    published as WebP (``fitted``), with the digest of the original; reports over MAX_TOTAL bytes are refused.
    Files of an earlier report that no chain names any more go.
    """
    reports = project_root() / "reports"
    content: dict[str, bytes] = {}
    files: dict[str, dict[str, str]] = {}
    runs: dict[str, Any] = {}
    known, others = sources(), _named([name for name in chains() if name != scope])
    kept = {n: row for n, row in known.get("files", {}).items() if n.rsplit(".", 1)[0] in others}
    for kind, names in wanted(scope).items():
        for name in names:
            ref = refs.lookup(f"{kind[:-1]}/{name}", scope)
            run = record.read(record.runs() / ref.run)
            folder = store.tree(ref.digest)
            for entry in store.manifest(ref.digest):
                if Path(entry.path).suffix in _SUFFIXES[kind]:
                    target = f"{kind}/{entry.path}"
                    own = (folder / entry.path).read_bytes()
                    large = target.endswith(".png") and len(own) > MAX_FIGURE
                    if large:
                        target, own = f"{kind}/{Path(entry.path).with_suffix('.webp')}", fitted(own)
                    content[target] = own
                    files[target] = {"sha256": sha256_bytes(own), "run": ref.run}
                    if large:
                        files[target]["original"] = entry.sha256
                    runs[ref.run] = origin(run)
    sizes = {name: (reports / name).stat().st_size for name in kept if (reports / name).is_file()}
    _measure(sizes | {name: len(data) for name, data in content.items()})
    runs |= {row["run"]: known["runs"][row["run"]] for row in kept.values()}
    files = kept | files
    for stale in set(known.get("files", {})) - set(files):
        (reports / stale).unlink(missing_ok=True)
    written = [write_atomic(reports / name, data) for name, data in content.items()]
    text = json.dumps({"schema": 1, "files": files, "runs": runs}, indent=1, sort_keys=True)
    return [*written, write_atomic(reports / SOURCES, text + "\n")]


def fitted(png: bytes) -> bytes:
    """The picture as WebP of at most MAX_FIGURE bytes: of less quality first, then smaller; the same bytes
    each time."""
    from PIL import Image

    whole = Image.open(io.BytesIO(png)).convert("RGB")
    for step, quality in itertools.product(range(12), (92, 84)):
        size = round(whole.width * 0.88**step), round(whole.height * 0.88**step)
        buffer = io.BytesIO()
        small = whole if step == 0 else whole.resize(size, Image.Resampling.LANCZOS)
        small.save(buffer, "WEBP", quality=quality, method=6)
        if len(buffer.getvalue()) <= MAX_FIGURE:
            break
    return buffer.getvalue()  # where it never fits, ``_measure`` refuses it


def check() -> list[str]:
    """Sentences about what is wrong with ``reports/``: empty when all is as published."""
    reports = project_root() / "reports"
    known = sources().get("files", {})
    found = {
        p.relative_to(reports).as_posix(): p.stat().st_size
        for kind in _SUFFIXES
        for p in sorted((reports / kind).rglob("*"))
        if p.is_file()
    }
    wrong = [f"reports/{n} has no origin in {SOURCES}" for n in found if n not in known]
    wrong += [f"reports/{n} is missing" for n in known if n not in found]
    wrong += [
        f"reports/{n} was changed after it was published"
        for n in found
        if n in known and sha256_file(reports / n) != known[n]["sha256"]
    ]
    missing = _named(chains()) - {n.rsplit(".", 1)[0] for n in known}
    wrong += [f"{n} is named in experiments/run but not in reports/" for n in sorted(missing)]
    try:
        _measure(found)
    except WbmeError as error:
        wrong.append(str(error))
    return wrong


def _measure(sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        if name.endswith((".png", ".webp")) and size > MAX_FIGURE:
            raise WbmeError(
                f"reports/{name} would have {size / 1000:.0f} kB, the limit is {MAX_FIGURE // 1000}: "
                "make it smaller"
            )
    if sum(sizes.values()) > MAX_TOTAL:
        raise WbmeError(
            f"reports/ would have {sum(sizes.values()) / 1e6:.1f} MB, the limit is {MAX_TOTAL // 10**6}"
        )
