"""Text files of data sets, read in pieces: one JSON object item by item, tables of names and numbers, and a
join of several of them by the name of a picture. Memory does not grow with the files."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wbme.base.errors import MediaError

_PIECE = 1 << 20
_LARGEST = 1 << 23  # characters of one item; FFHQ's have about 4,000
_SPACE = " \t\r\n"
_HIGHEST = 1e6  # of numbers in a table


def items(path: Path) -> Iterator[tuple[str, Any]]:
    """Key and value of the JSON object in ``path``, one after the other, in their order.

    Raises MediaError at the place where the file is damaged, cut short or an item is larger than 8 million
    characters; what was yielded before stands.
    """
    reader, number = _Reader(path), 0
    if reader.sign() != "{":
        raise MediaError(f"{path.name} is no JSON object; download it again")
    reader.skip()
    if reader.sign() == "}":
        return
    while True:
        number += 1
        try:
            key = reader.value()
            if not isinstance(key, str) or reader.sign() != ":":
                raise ValueError("no name where one is due")
            reader.skip()
            yield key, reader.value()
            if (sign := reader.sign()) not in ("}", ","):
                raise ValueError("no comma where one is due")
        except (ValueError, RecursionError) as error:
            raise MediaError(
                f"{path.name} is damaged or cut short at entry {number} ({error}); download it again"
            ) from error
        reader.skip()
        if sign == "}":
            return


class _Reader:
    """A window that moves over a text file; it keeps no more than one item and one piece."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = open(path, encoding="utf-8", errors="strict")  # noqa: SIM115 closed by fill
        except OSError as error:
            raise MediaError(f"cannot open {path.name}: {error.strerror}; check its permissions") from error
        self._text, self._at, self._decoder = "", 0, json.JSONDecoder()

    def _fill(self) -> bool:
        """Read one piece more; whether there was one."""
        piece = self._file.read(_PIECE) if not self._file.closed else ""
        if not piece:
            self._file.close()
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True

    def sign(self) -> str:
        """The next sign that is no space, '' at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def skip(self) -> None:
        """Pass over the sign that ``sign`` told."""
        self._at += 1

    def value(self) -> Any:
        """The JSON value that comes next. Raises ValueError where it is none, RecursionError where it is
        nested too deeply."""
        self.sign()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text):  # a number at the very end may go on in the next piece
                    self._at = end
                    return found
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > _LARGEST:
                    raise ValueError(f"an entry of more than {_LARGEST:,} characters") from error
                if not self._fill():
                    raise ValueError(error.msg) from error
                continue
            if not self._fill():
                self._at = end
                return found


def rows(path: Path, count: int) -> Iterator[tuple[str, list[float], str]]:
    """Name, numbers and '' of each line "name number number ..." (spaces or commas between them).

    A line without ``count`` numbers yields no numbers and the sentence that says so. A heading, whose second
    word is no number, is passed over. Raises MediaError where the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(iter(lambda: file.readline(1 << 16), ""), 1):
                name, *words = line.replace(",", " ").split() or [""]
                if not name:
                    continue
                try:
                    values = [float(word) for word in words]
                    if not all(abs(value) < _HIGHEST for value in values):
                        raise ValueError
                except ValueError:
                    if number > 1:
                        yield name, [], f"line {number} of {path.name} holds what is no number"
                    continue
                told = f"line {number} of {path.name} has {len(values)} numbers instead of {count}"
                yield (name, values, "") if len(values) == count else (name, [], told)
    except OSError as error:
        raise MediaError(f"cannot open {path.name}: {error.strerror}; check its permissions") from error


class Joined:
    """What several files say of a picture, by its name, in a temporary database on the disk."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA cache_size = -4000")
        self._db.execute("CREATE TABLE said (name TEXT, kind TEXT, value TEXT, PRIMARY KEY (name, kind))")
        self._db.execute("CREATE TABLE seen (name TEXT PRIMARY KEY)")

    def add(self, kind: str, said: Iterable[tuple[str, Any]]) -> None:
        """Remember ``kind`` of each name; of two lines about the same picture the later counts."""
        lines = ((_plain(name), kind, json.dumps(value)) for name, value in said)
        self._db.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", lines)

    def of(self, name: str) -> dict[str, Any]:
        """Kind -> value of the picture ``name``, which from now on counts as there."""
        self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_plain(name),))
        found = self._db.execute("SELECT kind, value FROM said WHERE name = ?", (_plain(name),))
        return {kind: json.loads(value) for kind, value in found}

    def missing(self) -> Iterator[tuple[str, int, str]]:
        """Kind, number and first name of what was said of pictures that are not there."""
        yield from self._db.execute(
            "SELECT kind, count(*), min(name) FROM said WHERE name NOT IN (SELECT name FROM seen) "
            "GROUP BY kind ORDER BY kind"
        )


def _plain(name: str) -> str:
    """``name`` without the bytes that are no text, which SQLite would refuse."""
    return name.encode("utf-8", "replace").decode()
