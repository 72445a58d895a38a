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
        kept = {path.relative_to(folder).as_posix(): _keep(path) for path in files}
        digest = digest_json([[name, sha256] for name, sha256 in kept.items()])
        return digest, _show(digest, kept, folder)
    except OSError as error:
        raise StoreError(_disk_sentence(error)) from error


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


def use(digest: str, verify: bool = False) -> Path:
    """``tree`` for a run that will read it: gc keeps the tree while the run lives."""
    with refs.lock("trees"):  # gc deletes under this lock: what is found here has been touched in time
        refs.touch(digest)
    return tree(digest, verify)


def manifest(digest: str) -> list[Entry]:
    """The entries of tree ``digest``; StoreError when the store does not have it."""
    path = refs.manifest_file(digest)
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


def _keep(path: Path) -> str:
    """Make the bytes of ``path`` a blob, unless there is a sound one already, and return their SHA-256.

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
                if sha256_file(part) != digest:
                    raise StoreError(f"{path} changed while it was being copied: publish it when it is whole")
            part.chmod(0o444)
            _flush(part)
            with refs.lock("blobs"):
                if not _sound(blob, digest):
                    os.replace(part, blob)
    return digest


def _sound(blob: Path, digest: str) -> bool:
    try:
        return sha256_file(blob) == digest
    except FileNotFoundError:
        return False


def _show(digest: str, kept: dict[str, str], folder: Path) -> list[Entry]:
    """Lay the tree out with real names, then its manifest: the manifest's presence means complete."""
    trees = store() / "trees"
    trees.mkdir(parents=True, exist_ok=True)
    with refs.lock("trees"):
        if not _intact(digest):
            _lay_out(trees, digest, kept, folder)
        refs.touch(digest)
        return manifest(digest)


def _lay_out(trees: Path, digest: str, kept: dict[str, str], folder: Path) -> None:
    """Under the lock "trees", without which gc deletes no blob."""
    with tempfile.TemporaryDirectory(prefix=".", dir=trees) as own:
        made = Path(own) / "tree"
        entries = []
        for name, sha256 in kept.items():
            target = made / name
            target.parent.mkdir(parents=True, exist_ok=True)
            blob = store() / "blobs" / sha256[:2] / sha256
            if not blob.exists():  # it was old, and gc took it since we found it
                _keep(folder / name)
            link_or_copy(blob, target)
            found = target.stat()
            entries.append(Entry(name, found.st_size, sha256, found.st_mtime_ns))
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
