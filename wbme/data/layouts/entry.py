"""An entry of a data set, and the questions that every adapter asks of names that others wrote."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from wbme.base.errors import MediaError
from wbme.media import images

_EIGHTH = 8


@dataclass(frozen=True)
class Entry:
    """A picture that a data set holds, and what the set says of it. Nothing of it has been read.

    ``path`` is relative to the folder of the set (POSIX); ``key`` names a picture within a database at
    ``path``; ``size`` is in bytes; ``md5`` is what the set promises of the file. ``split`` is train or val:
    the set's own, or that of ``split_of``. ``boxes`` are left, top, right, bottom; ``landmarks`` maps a
    convention to points (x, y), None where absent, both in pixels of the upright picture. ``mask`` and
    ``parsing`` are paths like ``path``. ``notes`` say what of the set was left out. ``why`` says why the
    picture cannot be used; then only the name counts.
    """

    path: str
    group: str = ""
    licence: str = ""
    identity: str = ""
    split: str = ""
    size: int = 0
    key: str = ""
    md5: str = ""
    boxes: list[list[float]] = field(default_factory=list)
    landmarks: dict[str, list[list[float] | None]] = field(default_factory=dict)
    mask: str = ""
    parsing: str = ""
    caption: str = ""
    credit: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    why: str = ""


def split_of(identity: str) -> str:
    """val for about every eighth identity, by its SHA-256, else train: the split where a set has none."""
    return "train" if hashlib.sha256(os.fsencode(identity)).digest()[0] % _EIGHTH else "val"


@lru_cache(maxsize=64)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def inside(root: Path, name: str) -> Path:
    """The regular file called ``name`` below ``root`` (resolved). Raises MediaError where the name leaves
    the folder, by itself or over a link, or where no file is."""
    _status(root, name)
    return root / name


def size_of(root: Path, name: str) -> int:
    """Size in bytes of the file called ``name``; MediaError as ``inside``."""
    return _status(root, name).st_size


# Strings instead of paths here and in ``walk``: both are asked once a picture of the set.
def _status(root: Path, name: str) -> os.stat_result:
    if not name or name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
        raise MediaError(f"{name!r} is no path below the folder of the set; it is not followed")
    base = os.fspath(root)
    path = f"{base}/{name}"
    try:
        found = os.lstat(path)
        linked = stat.S_ISLNK(found.st_mode)
        # A folder on the way may be a link as well.
        real = os.path.realpath(path) if linked else _real(os.path.dirname(path))
        if real != base and not real.startswith(f"{base.rstrip('/')}/"):
            raise MediaError(f"{name} is a link that leaves the folder of the set; copy the file there")
        found = os.stat(path) if linked else found
    except OSError as error:
        raise MediaError(f"{name} is missing; download it again") from error
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(f"{name} is no regular file; save it to one")
    return found


def walk(root: Path, folder: str) -> Iterator[tuple[str, int, str]]:
    """Path below ``root``, size, and why it is refused, of each picture file in ``folder`` and below it.

    In the order of their paths; links to folders and hidden names are passed over, a link that leaves
    ``root`` is refused.
    """
    waiting = [iter(_names(root / folder, folder))]
    while waiting:
        for name, folded in waiting[-1]:
            if folded:
                waiting.append(iter(_names(root / name, name)))
                break
            if os.path.splitext(name)[1].lower() in images.SUFFIXES:
                try:
                    yield name, size_of(root, name), ""
                except MediaError as error:
                    yield name, 0, str(error)
        else:
            waiting.pop()


def _names(place: Path, prefix: str) -> Iterator[tuple[str, bool]]:
    """Path of what lies in ``place``, by name, and whether it is a folder; holds names only."""
    try:
        with os.scandir(place) as found:
            seen = sorted(
                (one.name, one.is_dir(follow_symlinks=False))
                for one in found
                if not one.name.startswith(".") and not (one.is_symlink() and one.is_dir())
            )
    except OSError:
        return
    for name, folded in seen:
        yield f"{prefix}/{name}" if prefix else name, folded


def beside(root: Path, folders: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The first of ``names`` in the first of ``folders`` that is there, as a path below ``root``, or ''."""
    for name in (str(PurePosixPath(folder, name)) for folder in folders for name in names):
        if os.path.lexists(root / name):
            return name
    return ""


def points(values: list[float], count: int) -> list[list[float] | None]:
    """``count`` points of x, y, x, y ...; those below zero, as in (-1, -1), are absent: None.

    Raises ValueError where their number differs or one is not finite."""
    if len(values) != 2 * count or not sum(map(abs, values)) < 1e8:  # nan is not below it either
        raise ValueError(f"{len(values)} numbers instead of {count} points of x and y")
    pairs = zip(values[::2], values[1::2], strict=True)
    return [None if x < 0 and y < 0 else [x, y] for x, y in pairs]


def refused(path: str, why: Any) -> Entry:
    """An entry that cannot be used, for the sentence ``why``."""
    return Entry(path, why=str(why))
