"""Whether the contents of a user's files and folders changed: by their bytes, read again only when
size or time changed."""

import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from wbme.base.hashing import digest_json, sha256_file
from wbme.base.paths import write_atomic


def contents(places: Sequence[Path], cache: Path) -> str | None:
    """Digest of names and bytes of the regular files at and below ``places``; None when there is no file.

    Names that begin with a dot are passed over: file managers leave them behind. ``cache`` keeps the
    digests of files by size and time. One that cannot be read counts as unreadable, not as absent.
    """
    known = _read(cache)
    seen: dict[str, list[int | str]] = {}
    rows = []
    for number, place in enumerate(places):
        for path in _files(place):
            name = path.relative_to(place).as_posix() if path != place else path.name
            try:
                found = path.stat()
                witness = [found.st_size, found.st_mtime_ns]
                old = known.get(str(path), [])
                digest = str(old[2]) if old[:2] == witness else sha256_file(path)
                seen[str(path)] = [*witness, digest]
            except OSError:
                digest = "unreadable"
            rows.append([number, name, digest])
    if seen != known:
        write_atomic(cache, json.dumps(seen))
    return digest_json(rows) if rows else None


def _files(place: Path) -> Iterator[Path]:
    if _regular(place):
        yield place
    for root, folders, names in os.walk(place):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _regular(Path(root) / name):
                yield Path(root) / name


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _read(cache: Path) -> dict[str, list[int | str]]:
    """What was seen last time; nothing where that cannot be read, since it only saves work."""
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
        return {str(p): [int(size), int(time), str(digest)] for p, (size, time, digest) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
