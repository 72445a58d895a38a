"""``wbme store check``: whether all that is named is whole, what lies about, and how much room it takes."""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wbme.base.errors import NotebookError, RefError, StoreError
from wbme.base.hashing import sha256_file
from wbme.base.paths import workspace
from wbme.lab import collect, needs, record, refs, store

Inode = tuple[int, int]
_FOLDERS = (("runs", "runs/*/*-*"), ("unfinished work", "unfinished/*"))


@dataclass
class State:
    """``wrong``: sentences about what is damaged, each with what to do. ``notes``: what lies about but
    harms nothing. ``sizes``: (number, bytes) a kind of thing; a file with many links counts once."""

    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)


def check(verify: bool = False) -> State:
    """Look at every name, tree, blob and run; with ``verify`` hash every file once. Changes nothing."""
    state = State()
    names = _names(state)
    hashed: dict[Inode, str] | None = {} if verify else None
    for digest in sorted({*needs.tree_digests(), *names}):
        called = names.get(digest, [])
        if _fault(digest, hashed):
            with refs.lock("trees"):  # now nobody publishes or collects it: is it a fault still?
                fault, called = _fault(digest, hashed), [ref for ref in called if refs.read(ref.name) == ref]
            if fault and called:
                state.wrong.append(f"{', '.join(ref.name for ref in called)}: {fault}")
            elif fault and collect.touched(digest) < math.inf:
                state.notes.append(f"{fault} (no name points there: 'wbme store gc --yes' removes it)")
    _blobs(state, hashed)
    _runs(state)
    if left := list(collect.leftovers()):
        state.notes.append(
            f"{len(left)} things are half made, by a process at work or by one that was killed, such as "
            f"{left[0]}: 'wbme store gc --yes' removes what is dead"
        )
    _measure(state, names)
    return state


def _names(state: State) -> dict[str, list[refs.Ref]]:
    """Readable names by the digest of their tree."""
    names: dict[str, list[refs.Ref]] = {}
    for path in sorted(refs.folder().glob("*/*.json")):
        if path.name.startswith("."):
            continue
        try:
            if ref := refs.read(f"{path.parent.name}/{path.stem}"):
                names.setdefault(ref.digest, []).append(ref)
        except RefError as error:
            state.wrong.append(f"{error}" if str(path) in str(error) else f"{path} is in the way: {error}")
    return names


def _fault(digest: str, hashed: dict[Inode, str] | None) -> str | None:
    """What is wrong with a tree, as a sentence; None when it is as it was published."""
    try:
        folder = store.tree(digest)
        known = {folder / entry.path: entry.sha256 for entry in store.manifest(digest)}
        for path, sha256 in known.items():
            if hashed is not None and _hash(path, hashed) != sha256:
                return f"{path} has other bytes than were published: run its notebook again with --force"
        for path in sorted(folder.rglob("*")):
            if path not in known and (path.is_symlink() or not path.is_dir()):
                return f"{path} was put into a published folder: move it elsewhere"
    except StoreError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}; make it readable"
    return None


def _hash(path: Path, hashed: dict[Inode, str]) -> str:
    """SHA-256 of a file; of one with many links once."""
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    if key not in hashed:
        hashed[key] = sha256_file(path)
    return hashed[key]


def _all_blobs() -> Iterator[Path]:
    yield from (p for p in (store.store() / "blobs").glob("*/*") if not p.name.startswith("."))


def _blobs(state: State, hashed: dict[Inode, str] | None) -> None:
    """Blobs that no tree holds, and with ``hashed`` those that are damaged: publishing replaces them."""
    used: set[str] = set().union(*map(needs.contents, needs.tree_digests()))
    spare = [path for path in _all_blobs() if path.name not in used]
    if spare:
        state.notes.append(
            f"{len(spare)} blobs ({_bytes(spare, set()) / 1e6:.1f} MB) belong to no tree: "
            "'wbme store gc --yes' removes those that no run is about to publish"
        )
    for path in _all_blobs() if hashed is not None else ():
        with suppress(FileNotFoundError):
            if hashed is not None and _hash(path, hashed) != path.name:
                state.notes.append(f"{path} has other bytes than its name says: delete it, nothing reads it")


def _runs(state: State) -> None:
    dead = []
    for folder in sorted(record.runs().glob("*/*-*")):
        try:
            if record.status(record.read(folder)) == "died":
                dead.append(folder)
        except NotebookError as error:
            state.notes.append(str(error))
    if dead:
        state.notes.append(
            f"{len(dead)} runs say that they run but their process is gone, such as {dead[0]}: "
            "run them again; 'wbme store gc --runs --yes' removes old ones"
        )


def _measure(state: State, names: dict[str, list[refs.Ref]]) -> None:
    """Sizes by kind of name; a tree with names of two kinds, and a file with two links, counts once."""
    seen: set[Inode] = set()
    kinds: dict[str, list[Path]] = {}
    for digest in needs.tree_digests():
        kind = names[digest][0].name.partition("/")[0] if digest in names else "trees without a name"
        kinds.setdefault(kind, []).append(store.store() / "trees" / digest)
    rows = sorted(kinds.items(), key=lambda row: (row[0] == "trees without a name", row[0]))
    rows += [("blobs beside that", list(_all_blobs()))]
    rows += [(f"{kind} beside that", sorted(workspace().glob(pattern))) for kind, pattern in _FOLDERS]
    for kind, places in rows:
        size = _bytes([path for place in places for path in collect.files_of(place)], seen)
        state.sizes[kind] = (len(places), size)


def _bytes(paths: Iterable[Path], seen: set[Inode]) -> int:
    """Bytes of the files that are not in ``seen``, to which they are added."""
    total = 0
    for path in paths:
        with suppress(FileNotFoundError):
            found = path.lstat()
            if (key := (found.st_dev, found.st_ino)) not in seen:
                seen.add(key)
                total += found.st_size
    return total
