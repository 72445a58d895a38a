"""Names of artifacts: ``kind/name`` or, inside a chain, ``kind/name@scope``.

One small JSON file a name under ``store/refs/``. A name moves by an atomic replace under a lock, so
a reader sees the old artifact or the new one, never neither.
"""

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wbme.base.errors import RefError, StoreError
from wbme.base.paths import workspace, write_atomic

_REF = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9._-]*)?")
_NEAR = 8  # names that a sentence lists of those that there are

INTERACTIVE = "interactive"  # the scope of what is run outside a chain
PROMOTED = "promoted"  # ``kind/name@promoted`` is the unscoped name, whatever the chain has made itself


@dataclass(frozen=True)
class Ref:
    """What a name points to: the tree's digest, the run that made it, and when (seconds since 1970)."""

    name: str
    digest: str
    run: str
    time: float


def parse(name: str) -> tuple[str, str | None]:
    """(name, scope) of ``kind/name`` or ``kind/name@scope``; RefError when it is malformed."""
    if not _REF.fullmatch(name):
        raise RefError(f"{name!r} is not a name of the store: write kind/name, such as source/portraits")
    base, _, scope = name.partition("@")
    return base, scope or None


def is_scope(name: str) -> bool:
    """Whether ``name`` can stand behind the @ of a ref."""
    return bool(_REF.fullmatch(f"a/a@{name}"))


def scoped(name: str, scope: str | None) -> str:
    """``name`` inside ``scope``; unchanged without a scope."""
    base, _ = parse(name)
    return f"{base}@{scope}" if scope else base


def folder() -> Path:
    return workspace() / "store" / "refs"


def _file(name: str) -> Path:
    parse(name)
    return folder() / f"{name}.json"


class BusyError(Exception):
    """Another process holds the lock."""


@contextmanager
def lock(what: str, wait: bool = True) -> Iterator[None]:
    """Hold ``store/locks/WHAT``: one process at a time, released by the system even after kill -9.

    Without ``wait``, BusyError is raised when another process holds it.
    """
    from filelock import FileLock, Timeout

    locks = workspace() / "store" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    held = FileLock(locks / what)
    try:
        held.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise BusyError(what) from None
    try:
        yield
    finally:
        held.release()


def manifest_file(digest: str) -> Path:
    """The manifest of a tree: while it is there the tree is whole. Its time says when the tree was last
    published, used, or lost a name: gc leaves what is young."""
    return workspace() / "store" / "trees" / f"{digest}.json"


def touch(digest: str) -> None:
    """Note that tree ``digest``, if the store has it, is of use now."""
    now = time.time_ns()  # not the file system's coarser clock: it is compared with the start of runs
    with suppress(FileNotFoundError):
        os.utime(manifest_file(digest), ns=(now, now))


def move(targets: dict[str, str], run: str) -> None:
    """Point every name of ``targets`` at its digest, under the lock.

    StoreError when the store has no such tree (gc may have taken it): then no name moves.
    """
    now = time.time()
    files = {name: _file(name) for name in targets}
    with lock("refs"):
        for name, digest in targets.items():
            if not manifest_file(digest).is_file():
                raise StoreError(
                    f"{name} cannot name {digest[:12]}: the store has no such tree (any more); "
                    "run the notebook that publishes it"
                )
        for name, digest in targets.items():
            with suppress(RefError):  # a damaged name is replaced
                if (old := read(name)) and old.digest != digest:
                    touch(old.digest)
            write_atomic(files[name], json.dumps(asdict(Ref(name, digest, run, now)), indent=1) + "\n")


def forget(ref: Ref) -> None:
    """Remove a name, unless it has moved since ``ref`` was read."""
    with lock("refs"):
        if read(ref.name) == ref:
            _file(ref.name).unlink()


def drop(names: Iterable[str]) -> None:
    """Forget ``names``, under the lock; what they pointed at stays in the store."""
    with lock("refs"):
        for name in names:
            _file(name).unlink(missing_ok=True)


def read(name: str) -> Ref | None:
    """The ref called exactly ``name``, or None."""
    path = _file(name)
    try:
        return Ref(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RefError(f"{path} is damaged: delete it and run the notebook that publishes {name}") from error


def move_outputs(run: dict[str, Any]) -> None:
    """Point the names of a completed run at what it published; a second time changes nothing."""
    targets = {name: output["digest"] for name, output in run["outputs"].items()}
    stale = {n: d for n, d in targets.items() if (now := read(n)) is None or now.run != run["id"]}
    move(stale, run["id"])


def lookup(name: str, scope: str | None, newest: bool = False) -> Ref:
    """The ref for ``name`` seen from ``scope``: the scoped one first, then the unscoped. A name with a scope
    of its own is looked up there; ``PROMOTED`` as that scope means the unscoped one.

    With ``newest`` the younger of the two wins: that is what somebody at a notebook expects.
    RefError when neither is there.
    """
    base, own = parse(name)
    places = [base] if own in (None, PROMOTED) else []
    if own != PROMOTED and (own or scope):
        places.insert(0, scoped(base, own or scope))
    found = [r for r in map(read, places) if r]
    if not found:
        # The name itself in other scopes first; a sweep leaves hundreds of scopes.
        others = sorted((parse(r.name)[0] != base, r.name) for r in listing(base.split("/")[0]))
        near = ", ".join(other for _, other in others[:_NEAR]) or "nothing of that kind yet"
        more = f" and {len(others) - _NEAR} more" if len(others) > _NEAR else ""
        raise RefError(f"the store has no {name} (there is: {near}{more})")
    return max(found, key=lambda r: r.time) if newest else found[0]


def listing(kind: str = "") -> Iterable[Ref]:
    """All refs, or those of one kind, in the order of their names."""
    for path in sorted(folder().glob(f"{kind or '*'}/*.json")):
        if not path.name.startswith("."):
            ref = read(f"{path.parent.name}/{path.stem}")
            if ref:
                yield ref
