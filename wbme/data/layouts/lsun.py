"""LSUN (Yu et al., arXiv 1506.03365): LMDB databases of pictures, one a category and split.

    church_outdoor_train_lmdb/data.mdb      scenes: CATEGORY_train_lmdb and CATEGORY_val_lmdb
    cat/data.mdb                            objects: CATEGORY

A key is a name of 40 hexadecimal digits, its value the bytes of a JPEG or WebP file whose shorter side is
256. No licence is stated. Without a split in the name of the database every eighth picture is held out.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from wbme.base.errors import MediaError
from wbme.data.layouts.entry import Entry, inside, refused, split_of
from wbme.data.layouts.lmdb_file import Database
from wbme.media.decoding import LIMITS

LICENCE = "not stated (LSUN, for research)"
_DATA = "data.mdb"
_NAME = re.compile(r"^(.+?)_(train|val|test)_lmdb$")
_STARTS = ((b"\xff\xd8", ".jpg"), (b"RIFF", ".webp"), (b"\x89PNG", ".png"))


def look(root: Path) -> str:
    """What of LSUN lies in ``root``, '' where nothing does."""
    found = [Path(name).parent.name or root.name for name in _databases(root)]
    return f"LSUN, {len(found)} databases: {', '.join(found[:8])}" if found else ""


def _databases(root: Path) -> list[str]:
    """Paths of the databases in ``root``, or up to two folders below it."""
    found = [path for above in ("", "*/", "*/*/") for path in root.glob(above + _DATA)]
    return sorted(path.relative_to(root).as_posix() for path in found)


def entries(root: Path) -> Iterator[Entry]:
    """The entries of the databases in ``root``, which is resolved, in the order of their keys."""
    for name in _databases(root):
        try:
            database = Database(inside(root, name))
        except MediaError as error:
            yield refused(name, str(error).replace(str(root / name), name))
            continue
        folder = Path(name).parent.name or root.name
        named = _NAME.match(folder)
        group, split = (named[1], "train" if named[2] == "train" else "val") if named else (folder, "")
        if database.short:
            yield refused(name, f"{name} lacks its last {database.short:,} bytes; copy it again")
        for item in database.items():
            if isinstance(item, MediaError):
                yield refused(name, str(item).replace(str(root / name), name))
            else:
                key = os.fsdecode(item.key)
                if database.lacks(item):
                    yield refused(f"{name}/{key}", f"{key} lies beyond the end of {name}, which is cut off")
                    continue
                yield Entry(name, group, LICENCE, key, split or split_of(key), item.size, key=key)
        database.close()


@lru_cache(maxsize=4)
def _open(path: Path, witness: tuple[int, int]) -> Database:
    return Database(path)


def value(path: Path, key: str) -> tuple[bytes, str]:
    """The bytes of the picture ``key`` of the database at ``path``, and their suffix.

    Raises MediaError where it is missing, cut off or larger than a picture may be."""
    found = path.stat()
    data = _open(path, (found.st_size, found.st_mtime_ns)).value(os.fsencode(key), LIMITS.max_bytes)
    return data, next((suffix for start, suffix in _STARTS if data.startswith(start)), "")
