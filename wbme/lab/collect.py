"""``wbme store gc``: deletes what nothing needs, beside processes that publish, use and name trees.

A tree goes under the locks of trees and of names, after a last look that it has no name and was not
touched since the plan: who publishes or uses a tree touches it under the first lock, and a name never
moves to a tree that is gone. Its manifest goes first, so that a kill leaves no tree that seems whole.
"""

import math
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from wbme.base.errors import StoreError
from wbme.base.paths import workspace
from wbme.lab import needs, record, refs, store

Thing = TypeVar("Thing")
_DAY = 86_400
# The least age of what goes: what a process that is no run (a sweep that tells its results) has published
# gets its name within that time.
_YOUNG_SECONDS = 60.0
_LEFTOVER_SECONDS = 3_600  # so old, and older than every run that lives, is what a killed process left
_GONE = ".gone"  # what is being deleted is called so first
_BATCH = 64  # things that go while others wait for a lock


@dataclass
class Plan:
    """What may go. ``trees`` and ``runs`` come with words for a reader; ``before``: when trees must have
    been touched last (seconds since 1970). ``freed`` bytes come free; ``shared`` bytes are linked elsewhere
    too (run folders) and stay. ``kept``: how many trees stay, by reason."""

    before: float
    names: list[refs.Ref] = field(default_factory=list)
    trees: dict[str, str] = field(default_factory=dict)
    blobs: list[str] = field(default_factory=list)
    runs: dict[Path, str] = field(default_factory=dict)
    unfinished: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    freed: int = 0
    shared: int = 0
    kept: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return any((self.names, self.trees, self.blobs, self.runs, self.unfinished, self.leftovers))


def plan(days: float, runs: bool = False, forget: str | None = None) -> Plan:
    """What could be deleted now: trees and blobs that nothing needs, and what killed processes left.

    Left alone is what was published, used or named in the last ``days``. ``runs``: old run folders and
    unfinished work too. ``forget``: a pattern of scopes whose names go first (``ablation.*``). Changes
    nothing. StoreError or RefError when it cannot be known what is needed.
    """
    now = time.time()
    named = list(refs.listing())
    dropped = _scopes(named, forget) if forget else []
    need = needs.gather([ref for ref in named if ref not in dropped])
    made = Plan(before=min(now - max(days * _DAY, _YOUNG_SECONDS), need.since), names=dropped)
    every = needs.tree_digests()
    words = _words()
    for digest in every:
        if digest in need.trees:
            made.kept[need.trees[digest]] += 1
        elif touched(digest) >= made.before:
            made.kept["young"] += 1
        else:
            made.trees[digest] = words.get(digest, "no run that is kept made it")
    staying: set[str] = set().union(*(needs.contents(d) for d in every if d not in made.trees))
    going: set[str] = set().union(*(needs.contents(d) for d in made.trees))
    for blob in (store.store() / "blobs").glob("*/*"):
        free = not blob.name.startswith(".") and blob.name not in staying
        if free and (blob.name in going or _changed(blob) < made.before):
            made.blobs.append(blob.name)
    limit = min(now - _LEFTOVER_SECONDS, need.since)
    made.leftovers = [p for p in leftovers() if p.name.startswith(_GONE) or _changed(p) < limit]
    if runs:
        made.runs = dict(_old_runs(now - days * _DAY, need.runs))
        made.unfinished = [p for p in _folders("unfinished/*") if _newest(p) < now - days * _DAY]
    made.freed, made.shared = _space(_paths(made))
    return made


def carry_out(made: Plan) -> int:
    """Delete what ``made`` lists and is still not needed; returns the bytes that came free.

    StoreError when another gc is at work, or when something cannot be deleted: the rest stays whole.
    """
    try:
        with refs.lock("gc", wait=False):
            _forget(made.names)
            freed = sum(map(_delete, made.leftovers))
            freed += sum(map(_delete, _take_trees(made)))
            freed += _take_blobs(made.blobs)
            freed += sum(map(_delete, _take_runs(made)))
            freed += sum(map(_delete, _take_unfinished(made.unfinished)))
            return freed
    except refs.BusyError:
        raise StoreError("another 'wbme store gc' is deleting: wait until it has ended") from None
    except OSError as error:
        raise StoreError(
            f"cannot delete {error.filename}: {error.strerror}; the store is whole: free it and run gc again"
        ) from error


def touched(digest: str) -> float:
    """When a tree was last published, used or lost a name (seconds since 1970); infinity when it is gone."""
    for place in (refs.manifest_file(digest), store.store() / "trees" / digest):
        try:
            return place.stat().st_mtime
        except FileNotFoundError:
            continue
    return math.inf


def leftovers() -> Iterator[Path]:
    """What processes make for themselves while they publish or delete, and leave behind when killed."""
    own = (f"runs/*/{_GONE}*", f"unfinished/{_GONE}*")
    for pattern in ("store/trees/.*", "store/blobs/*/.*", "store/refs/*/.*", *own):
        yield from sorted(workspace().glob(pattern))


def _scopes(named: list[refs.Ref], pattern: str) -> list[refs.Ref]:
    """The names of all scopes like ``pattern``; StoreError when there is none, or one is in use."""
    by_scope: dict[str, list[refs.Ref]] = {}
    for ref in named:
        if scope := refs.parse(ref.name)[1]:
            by_scope.setdefault(scope, []).append(ref)
    chosen = [scope for scope in by_scope if fnmatch(scope, pattern)]
    if not chosen:
        raise StoreError(f"no name has a scope like {pattern!r}; there are: {', '.join(by_scope) or 'none'}")
    busy = needs.scopes_in_use()
    for scope in chosen:
        if scope in busy or needs.sweeping(scope):
            raise StoreError(f"the scope {scope} is in use: forget it when its chain or its sweep has ended")
    return [ref for scope in chosen for ref in by_scope[scope]]


def _words() -> dict[str, str]:
    """What each tree was published as, and by which run."""
    return {
        output["digest"]: f"{name}, made by {run['id']}"
        for _, run in record.everything()
        for name, output in run.get("outputs", {}).items()
    }


def _old_runs(before: float, needed: set[str]) -> Iterator[tuple[Path, str]]:
    for folder, run in record.everything():
        ended = float(run.get("ended") or run["started"])
        over = ended < before and not record.alive(run["process"])
        if over and run["id"] not in needed and not needs.awaited(folder, run):
            yield folder, f"{run['id']}, {record.status(run)}"


def _folders(pattern: str) -> list[Path]:
    return [p for p in sorted(workspace().glob(pattern)) if p.is_dir() and not p.name.startswith(_GONE)]


def _forget(names: list[refs.Ref]) -> None:
    """Remove names that are still as planned, while no launcher runs their chain."""
    for ref in names:
        try:
            with refs.lock(f"chain-{refs.parse(ref.name)[1]}", wait=False):
                refs.forget(ref)
        except refs.BusyError:
            continue


def _take_trees(made: Plan) -> Iterator[Path]:
    for batch in _batches(made.trees):
        with refs.lock("trees"), refs.lock("refs"):
            named = {ref.digest for ref in refs.listing()}
            gone = [d for d in batch if d not in named and touched(d) < made.before]
            hidden = []
            for digest in gone:
                pair = (refs.manifest_file(digest), store.store() / "trees" / digest)
                hidden += [_hide(place) for place in pair if place.exists()]
        yield from hidden


def _take_blobs(blobs: list[str]) -> int:
    """A blob that a publisher found is needed before its tree is shown: it keeps it again if it is gone."""
    freed, used, known = 0, set[str](), set[str]()
    for batch in _batches(blobs):
        with refs.lock("trees"), refs.lock("blobs"):
            for digest in set(needs.tree_digests()) - known:
                if content := needs.contents(digest):
                    used |= content
                    known.add(digest)
            freed += sum(_delete(store.store() / "blobs" / b[:2] / b) for b in batch if b not in used)
    return freed


def _take_runs(made: Plan) -> Iterator[Path]:
    for batch in _batches(made.runs):
        with refs.lock("refs"):
            named = {record.runs() / ref.run for ref in refs.listing()}
            hidden = [_hide(folder) for folder in batch if folder.is_dir() and folder not in named]
        yield from hidden


def _take_unfinished(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            with refs.lock(f"unfinished-{folder.name}", wait=False):
                hidden = [_hide(folder)] if folder.is_dir() else []
        except refs.BusyError:
            continue
        yield from hidden


def _hide(place: Path) -> Path:
    """Take a file or folder away from its name at once; a rename needs no room on a full disk."""
    hidden = place.with_name(f"{_GONE}{secrets.token_hex(6)}")
    os.rename(place, hidden)
    return hidden


def _delete(place: Path) -> int:
    """Delete a file or a folder; returns the bytes of the files that had no other link."""
    freed = 0
    for path in files_of(place):
        with suppress(FileNotFoundError):  # whoever left it was not dead after all and tidies up
            found = path.lstat()
            path.unlink()
            freed += found.st_size if found.st_nlink == 1 else 0
    if place.is_dir():
        for root, folders, _ in os.walk(place, topdown=False):
            for name in folders:
                os.rmdir(Path(root) / name)
        os.rmdir(place)
    return freed


def files_of(place: Path) -> list[Path]:
    """A file itself, or all files (and links) below a folder."""
    if place.is_symlink() or place.is_file():
        return [place]
    found = []
    for root, folders, names in os.walk(place):
        found += [Path(root) / n for n in (*names, *(f for f in folders if (Path(root) / f).is_symlink()))]
    return found


def _paths(made: Plan) -> Iterator[Path]:
    """Every file that the plan would delete."""
    for digest in made.trees:
        yield from files_of(refs.manifest_file(digest))
        yield from files_of(store.store() / "trees" / digest)
    for place in (*made.runs, *made.unfinished, *made.leftovers):
        yield from files_of(place)
    yield from (store.store() / "blobs" / b[:2] / b for b in made.blobs)


def _space(paths: Iterable[Path]) -> tuple[int, int]:
    """(bytes that come free when all of ``paths`` go, bytes that have other links and stay)."""
    links: dict[tuple[int, int], list[int]] = {}
    for path in paths:
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        left = links.setdefault((found.st_dev, found.st_ino), [found.st_nlink, found.st_size])
        left[0] -= 1
    freed = sum(size for left, size in links.values() if left <= 0)
    return freed, sum(size for left, size in links.values() if left > 0)


def _changed(path: Path) -> float:
    """When a file or folder was last written or linked; infinity when it is gone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return math.inf
    return max(found.st_mtime, found.st_ctime)


def _newest(folder: Path) -> float:
    return max((_written(p) for p in (folder, *files_of(folder))), default=math.inf)


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return math.inf


def _batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    whole = list(things)
    for start in range(0, len(whole), _BATCH):
        yield whole[start : start + _BATCH]
