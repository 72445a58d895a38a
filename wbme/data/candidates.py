"""Files that may become pictures of a source: those of a user's folder, and those that come with packages.

``builtin.json`` names pictures by package and member, with the licence that the package states (scikit-image
in the documentation of ``skimage.data``, scikit-learn beside its pictures) and the SHA-256 of the file that
this is about. Left out are pictures of which their package says no more than "no known restrictions", and
those that it would fetch from a network.
"""

import importlib.metadata
import importlib.resources
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.media import files, images

# Pictures that wbme does not read: they are named as rejected instead of passed over in silence.
_UNREAD = {".heic", ".heif", ".jxl", ".jp2", ".psd", ".xcf", ".svg"}
_RAW = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"}


@dataclass(frozen=True)
class Candidate:
    """``name`` is what to call the file (relative: no folder of the machine), ``origin`` its package and
    version or ``user``; ``sha256``, where given, is what it must be; ``rejected`` says why it is none."""

    path: Path
    name: str
    group: str
    licence: str
    origin: str
    sha256: str | None = None
    rejected: str = ""


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


def below(folder: Path, name: str, licence: str) -> list[Candidate]:
    """The picture files below ``folder``, in the order of their paths, for a source called ``name``.

    The first level of sub-folders is the group; what lies in ``folder`` itself is in the group ``name``.
    Raises MediaError where there is no such folder, ParameterError where ``name`` is taken or no name.
    """
    if name in builtin() or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ParameterError(
            f"a source of yours cannot be called {name!r}: use letters, digits, '.', '_' and '-', but not "
            f"{' or '.join(builtin())}"
        )
    found = []
    for path in files.below(folder, images.SUFFIXES | _UNREAD | _RAW):
        parts = [printable(part) for part in path.relative_to(folder).parts]
        group = parts[0] if len(parts) > 1 else name
        found.append(Candidate(path, "/".join(parts), group, licence, "user"))
    return found


def draw(candidates: Sequence[Candidate], limit: int, seed: int) -> list[Candidate]:
    """At most ``limit`` of ``candidates`` (0: all), drawn at random by ``seed``, in their order.

    Raises ParameterError where ``limit`` is negative.
    """
    if limit < 0:
        raise ParameterError(f"cannot draw {limit} pictures: give how many at most, or 0 for all")
    if not 0 < limit < len(candidates):
        return list(candidates)
    drawn = generator(seed, "candidates").choice(len(candidates), limit, replace=False)
    return [candidates[k] for k in sorted(drawn)]


def printable(text: str) -> str:
    """``text`` fit for a table: bytes of a file name that are no text and control signs become U+FFFD."""
    clean = os.fsencode(text).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in clean)
