"""What a user brings from outside the store, watched by names, sizes and times."""

import os
from pathlib import Path

from wbme.base.hashing import digest_json


def signature(place: Path) -> str:
    """Digest of the names, sizes and times below ``place``; of nothing when it does not exist."""
    rows = []
    for root, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            rows.append([path.relative_to(place).as_posix(), *_witness(path)])
    if place.is_file():
        rows = [[place.name, *_witness(place)]]
    return digest_json(rows)


def _witness(path: Path) -> tuple[int, int]:
    """Size and time of what ``path`` leads to; of the link itself where it leads nowhere."""
    for look in (path.stat, path.lstat):
        try:
            found = look()
            return found.st_size, found.st_mtime_ns
        except OSError:
            continue
    return -1, -1  # gone while we looked
