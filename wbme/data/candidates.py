"""Files that may become pictures of a source: those of a user's folder, and those that come with packages.

``builtin.json`` names pictures by package and member, with the licence that the package states (scikit-image
in the documentation of ``skimage.data``, scikit-learn beside its pictures) and the SHA-256 of the file that
this is about. Left out are pictures of which their package says no more than "no known restrictions", and
those that it would fetch from a network.
"""

import importlib.metadata
import importlib.resources
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from wbme.base.errors import MediaError, ParameterError
from wbme.base.seeds import generator
from wbme.data.layouts import lsun
from wbme.data.layouts.entry import Entry
from wbme.media import files, images

Item = TypeVar("Item")

# Pictures that wbme does not read: they are named as rejected instead of passed over in silence.
UNREAD = {".heic", ".heif", ".jxl", ".jp2", ".psd", ".xcf", ".svg"}
RAW = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"}


@dataclass(frozen=True)
class Candidate:
    """``name`` is what to call the file (relative: no folder of the machine), ``origin`` its package and
    version or ``user``; ``sha256``, where given, is what it must be; ``rejected`` says why it is none.
    ``entry`` is what a data set of that ``layout`` below ``root`` says of it; with a key, ``path`` is a
    database that holds it.
    """

    path: Path
    name: str
    group: str
    licence: str
    origin: str
    sha256: str | None = None
    rejected: str = ""
    entry: Entry | None = None
    root: Path | None = None
    layout: str = ""

    def stored(self) -> tuple[bytes, str] | None:
        """Bytes and suffix of a picture that lies in a database, None for a file. Raises MediaError where the
        database does not give them."""
        if self.entry is None or not self.entry.key:
            return None
        try:
            return lsun.value(self.path, self.entry.key)
        except OSError as error:
            raise MediaError(f"cannot open {self.path}: {error.strerror}; check its permissions") from error


def builtin() -> dict[str, list[Candidate]]:
    """The pictures that come with packages, by source: ``portraits`` (two people), ``places`` (a landscape)
    and ``scikit`` (scenes, science, textures). One that this installation lacks is named all the same, to be
    rejected later."""
    text = importlib.resources.files("wbme.data").joinpath("builtin.json").read_text("utf-8")
    found: dict[str, list[Candidate]] = {}
    for row in json.loads(text):
        path, origin = _locate(row["package"], row["member"])
        one = Candidate(path, path.name, row["group"], row["licence"], origin, row["sha256"])
        found.setdefault(row["source"], []).append(one)
    return found


def _locate(package: str, member: str) -> tuple[Path, str]:
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return Path(member), f"{package}, not installed"
    return Path(str(distribution.locate_file(member))), f"{package} {distribution.version}"


def check(name: str) -> None:
    """Raises ParameterError where a source of the user's cannot be called ``name``."""
    if name in builtin() or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ParameterError(
            f"a source of yours cannot be called {name!r}: use letters, digits, '.', '_' and '-', but not "
            f"{' or '.join(builtin())}"
        )


def below(folder: Path, name: str, licence: str) -> list[Candidate]:
    """The picture files below ``folder``, in the order of their paths, for a source called ``name``.

    The first level of sub-folders is the group; what lies in ``folder`` itself is in the group ``name``.
    Raises MediaError where there is no such folder, ParameterError where ``name`` is taken or no name.
    """
    check(name)
    found = []
    for path in files.below(folder, images.SUFFIXES | UNREAD | RAW):
        parts = [printable(part) for part in path.relative_to(folder).parts]
        group = parts[0] if len(parts) > 1 else name
        found.append(Candidate(path, "/".join(parts), group, licence, "user"))
    return found


@dataclass(frozen=True)
class _Chosen(Sequence[Item]):
    """Some items of a sequence, each taken out when it is asked for."""

    items: Sequence[Item]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Chosen(self.items, self.numbers[index])
        return self.items[self.numbers[index]]


def draw(candidates: Sequence[Item], limit: int, seed: int) -> Sequence[Item]:
    """At most ``limit`` of ``candidates`` (0: all), drawn at random by ``seed``, in their order.

    Of what is no list the items are taken out one by one, when they are asked for. Raises ParameterError
    where ``limit`` is negative.
    """
    if limit < 0:
        raise ParameterError(f"cannot draw {limit} pictures: give how many at most, or 0 for all")
    numbers: Sequence[int] = range(len(candidates))
    if 0 < limit < len(candidates):
        drawn = generator(seed, "candidates").choice(len(candidates), limit, replace=False)
        numbers = sorted(int(k) for k in drawn)
    chosen = _Chosen(candidates, numbers)
    return list(chosen) if isinstance(candidates, list) else chosen


def printable(text: str) -> str:
    """``text`` fit for a table: bytes of a file name that are no text and control signs become U+FFFD."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
