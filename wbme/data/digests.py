"""SHA-256 and MD5 of files, remembered in the workspace by path, size and time of change."""

import hashlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from wbme.base.errors import MediaError
from wbme.base.paths import workspace

_PIECE = 1 << 20


class Digests(NamedTuple):
    """SHA-256 and MD5 in hexadecimal; ``known``: they were not computed now but remembered."""

    sha256: str
    md5: str
    known: bool


class Memory:
    """The digests of files, in ``workspace/digests.sqlite``. Without that file each is computed anew."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        try:
            self._db = sqlite3.connect(workspace() / "digests.sqlite", timeout=10, isolation_level=None)
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS digests "
                "(path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT, md5 TEXT)"
            )
        except sqlite3.Error:
            self._db = None  # damaged, or on a file system without locks: a memory is no necessity

    def of(self, path: Path) -> Digests:
        """The digests of the file at ``path``, read once as long as size and time stay. MediaError where it
        cannot be read."""
        name = str(path).encode("utf-8", "backslashreplace").decode()
        try:
            found = path.stat()
            witness = (found.st_size, found.st_mtime_ns)
            kept = self._ask(
                "SELECT sha256, md5 FROM digests WHERE path = ? AND size = ? AND mtime_ns = ?", name, *witness
            )
            if kept:
                return Digests(*kept, known=True)
            sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
            with open(path, "rb") as file:
                while piece := file.read(_PIECE):
                    sha256.update(piece)
                    md5.update(piece)
        except OSError as error:
            raise MediaError(f"cannot open {path}: {error.strerror}; check its permissions") from error
        made = Digests(sha256.hexdigest(), md5.hexdigest(), known=False)
        self._ask(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)", name, *witness, made.sha256, made.md5
        )
        return made

    def _ask(self, question: str, *values: str | int) -> tuple[str, str] | None:
        try:
            return self._db.execute(question, values).fetchone() if self._db else None
        except sqlite3.Error:
            return None
