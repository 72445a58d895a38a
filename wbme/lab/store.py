"""The store: bytes kept once by their digest, folders shown under their own names, nothing half written.

    store/blobs/ab/abcdef...   a file's bytes, named by their SHA-256, read-only
    store/trees/DIGEST/        a published folder with its real names: hard links to blobs
    store/trees/DIGEST.json    its manifest: names, sizes, digests, modification times
    store/refs/                names (wbme.lab.refs)

Everything is written under a temporary name and renamed, so kill -9 leaves at most an unnamed leftover.
"""

import errno
import json
import os
import shutil
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from wbme.base.errors import StoreError
from wbme.base.hashing import digest_json, sha256_file
from wbme.base.paths import workspace, write_atomic
from wbme.lab import refs

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True)
class Entry:
    """One file of a tree. ``mtime`` is the blob's time in ns, a cheap witness that it was not touched."""

    path: str
    size: int
    sha256: str
    mtime: int


def store() -> Path:
    return workspace() / "store"


def add(folder: Path) -> tuple[str, list[Entry]]:
    """Keep every regular file below ``folder`` and return (tree digest, entries).

    Files inside the workspace are hard-linked and made read-only (a copy across file systems); files
    elsewhere are a user's own: they are copied and never touched. The digest covers names and bytes.

    Raises StoreError for an empty folder, for links and special files, and when the disk is full.
    """
    files = _regular_files(folder)
    if not files:
        raise StoreError(f"nothing to publish: {folder} holds no file")
    try:
        entries = [_keep(path, path.relative_to(folder).as_posix()) for path in files]
        digest = digest_json([[e.path, e.sha256] for e in entries])
        _show(digest, entries)
    except OSError as error:
        raise StoreError(_disk_sentence(error)) from error
    return digest, entries


def tree(digest: str, verify: bool = False) -> Path:
    """The folder of tree ``digest``, its files checked by size and time, by SHA-256 with ``verify``.

    Raises StoreError that names the first file that is missing or changed.
    """
    folder = store() / "trees" / digest
    for entry in manifest(digest):
        path = folder / entry.path
        try:
            found = path.stat()
        except OSError as error:
            raise StoreError(
                f"{path} is missing from the store: run its notebook again with --force"
            ) from error
        same = (found.st_size, found.st_mtime_ns) == (entry.size, entry.mtime)
        if not same or (verify and sha256_file(path) != entry.sha256):
            raise StoreError(
                f"{path} was changed after it was published: run its notebook again with --force"
            )
    return folder


def manifest(digest: str) -> list[Entry]:
    """The entries of tree ``digest``; StoreError when the store does not have it."""
    path = store() / "trees" / f"{digest}.json"
    try:
        return [Entry(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError as error:
        raise StoreError(
            f"the store has no tree {digest[:12]}: run the notebook that publishes it"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{path} is damaged: run its notebook again with --force") from error


def _regular_files(folder: Path) -> list[Path]:
    files = []
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root) / name
            kind = path.lstat().st_mode
            if stat.S_ISREG(kind):
                files.append(path)
            elif not stat.S_ISDIR(kind):
                raise StoreError(f"cannot publish {path}: only regular files and folders are kept")
    return sorted(files)


def _keep(path: Path, name: str) -> Entry:
    """Make the bytes of ``path`` a blob, unless there is a sound one already, and describe them.

    Bytes are prepared outside the lock; under it the blob is replaced only when it is missing or
    damaged, so that its modification time, which manifests record, does not change behind them.
    """
    digest = sha256_file(path)
    blob = store() / "blobs" / digest[:2] / digest
    blob.parent.mkdir(parents=True, exist_ok=True)
    if not _sound(blob, digest):
        with tempfile.TemporaryDirectory(prefix=".", dir=blob.parent) as own:
            part = Path(own) / "part"
            if path.is_relative_to(workspace()):
                link_or_copy(path, part)
            else:
                shutil.copyfile(path, part)
            part.chmod(0o444)
            _flush(part)
            with refs.lock("blobs"):
                if not _sound(blob, digest):
                    os.replace(part, blob)
    found = blob.stat()
    return Entry(name, found.st_size, digest, found.st_mtime_ns)


def _sound(blob: Path, digest: str) -> bool:
    return blob.exists() and sha256_file(blob) == digest


def _show(digest: str, entries: list[Entry]) -> None:
    """Lay the tree out with real names, then its manifest: the manifest's presence means complete."""
    trees = store() / "trees"
    trees.mkdir(parents=True, exist_ok=True)
    if _intact(digest):
        return
    with refs.lock("trees"), tempfile.TemporaryDirectory(prefix=".", dir=trees) as own:
        if _intact(digest):
            return
        made = Path(own) / "tree"
        for entry in entries:
            target = made / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(store() / "blobs" / entry.sha256[:2] / entry.sha256, target)
        if (trees / digest).exists():  # left by a kill, or damaged
            os.rename(trees / digest, Path(own) / "old")
        os.rename(made, trees / digest)
        write_atomic(trees / f"{digest}.json", json.dumps([asdict(e) for e in entries], indent=0))


def _intact(digest: str) -> bool:
    try:
        tree(digest)
    except StoreError:
        return False
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, target)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {store()} is full: free space or move the workspace with WBME_HOME"
    return f"the store {store()} cannot keep {error.filename}: {error.strerror}"
