"""What a user brings from outside the store, watched by names, sizes and times."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from wbme.base.hashing import canonical_json


def signature(place: Path) -> str:
    """Digest of the names, sizes and times below ``place``; of nothing when it does not exist."""
    digest = hashlib.sha256()
    for row in _rows(place):
        digest.update(canonical_json(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _rows(place: Path) -> Iterator[list[str | int]]:
    if place.is_file():
        yield [place.name, *_witness(place)]
    for root, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            yield [path.relative_to(place).as_posix(), *_witness(path)]


def _witness(path: Path) -> tuple[int, int]:
    """Size and time of what ``path`` leads to; of the link itself where it leads nowhere."""
    for look in (path.stat, path.lstat):
        try:
            found = look()
            return found.st_size, found.st_mtime_ns
        except OSError:
            continue
    return -1, -1  # gone while we looked
