"""Which files may be opened, and which lie below a folder: the questions asked before any decoder runs."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from wbme.base.errors import MediaError


def size_of(path: Path, kind: str) -> int:
    """Size in bytes of the regular, non-empty file at ``path``; ``kind`` ("picture", "video") is for errors.

    Links are followed. Raises MediaError where there is no file, or a folder, a pipe, a device, or no bytes.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise MediaError(f"no {kind} at {path}; check the name") from None
    except OSError as error:
        raise MediaError(
            f"cannot open {path}: {error.strerror}; check the path and its permissions"
        ) from None
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(f"{path} is a folder, not a {kind}; name one file in it")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"{path} is a pipe, socket or device, not a {kind}; save it to a file first")
    if status.st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes); copy it again")
    return status.st_size


def below(folder: str | Path, suffixes: frozenset[str]) -> Iterator[Path]:
    """Regular files below ``folder`` whose lower-case suffix is in ``suffixes``, in the order of their paths.

    Links to files are followed, links to folders are not, so that no loop of links can trap it. Hidden names,
    broken links, pipes and folders that may not be read are passed over. Raises MediaError if ``folder`` is
    not a folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MediaError(f"no folder at {root}; check the name")
    waiting = [(root, iter(_names(root)))]
    while waiting:
        folder, names = waiting[-1]
        for name in names:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                waiting.append((path, iter(_names(path))))
                break
            if path.suffix.lower() in suffixes and path.is_file():
                yield path
        else:
            waiting.pop()


def _names(folder: Path) -> list[str]:
    """What lies in ``folder``, by name: nothing where it may not be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except PermissionError:
        return []
