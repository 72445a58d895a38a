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
            found = path.lstat()
            rows.append([path.relative_to(place).as_posix(), found.st_size, found.st_mtime_ns])
    if place.is_file():
        found = place.stat()
        rows = [[place.name, found.st_size, found.st_mtime_ns]]
    return digest_json(rows)
