"""The manifest of a data set: ``manifest.jsonl``, a row a picture that it holds, in the order of the set.

Rows (schema 1) have schema, layout, and what ``layouts.entry.Entry`` tells: path (relative to the folder of
the set), key, group, licence, identity, split, size, md5, boxes, landmarks, mask, parsing, caption, credit,
attributes, notes, why (the reason, where it cannot be used); and sha256, null until the picture was read.
Listing a set opens no picture, and its memory does not grow with the set but for eight bytes a picture.
"""

import json
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, overload

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.data.candidates import RAW, UNREAD, Candidate, check, printable
from wbme.data.digests import Memory
from wbme.data.layouts import deepfashion, ffhq, lsun, shhq
from wbme.data.layouts.entry import Entry, inside, refused, split_of
from wbme.media import files, images
from wbme.media.decoding import LIMITS

SCHEMA = 1
FILE = "manifest.jsonl"
TOLD = 100  # rejected entries that are named one by one
_UNREAD = b"null}\n"  # the end of a row, whose last value is that of sha256
_AGAIN = "run 10_sources again"
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".bz2", ".xz")


class _Layout(NamedTuple):
    look: Callable[[Path], str]
    entries: Callable[[Path], Iterator[Entry]]


LAYOUTS = {
    name: _Layout(module.look, module.entries)
    for name, module in (("ffhq", ffhq), ("lsun", lsun), ("shhq", shhq), ("deepfashion", deepfashion))
}
LAYOUTS |= {
    f"ffhq-{name}": _Layout(partial(ffhq.look, kind=kind), partial(ffhq.entries, kind=kind))
    for name, kind in (("wild", "in_the_wild"), ("thumbnails", "thumbnail"))
}


@dataclass(frozen=True, eq=False)
class Listing(Sequence[Candidate]):
    """A set as it was listed: what it was taken for (``told``), and its usable pictures as candidates, which
    are read from the manifest one by one. ``rejected`` are those that cannot be used, at most ``TOLD``, the
    last one saying how many more the manifest names."""

    root: Path
    layout: str
    told: str
    path: Path
    rejected: list[Candidate]
    _starts: "array[int]"
    _more: list[Candidate]
    _memory: Memory
    _taken: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._starts) + len(self._more)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> list[Candidate]: ...
    def __getitem__(self, index: int | slice) -> Candidate | list[Candidate]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        if index >= len(self._starts):
            return self._more[index - len(self._starts)]
        with open(self.path, "rb") as file:
            file.seek(self._starts[index])
            one = self._candidate(json.loads(file.readline()))
        self._taken[one.name] = self._starts[index]
        return one

    def _candidate(self, row: dict[str, Any]) -> Candidate:
        about = Entry(**{name: row[name] for name in Entry.__dataclass_fields__})
        name = printable(f"{about.path}/{about.key}" if about.key else about.path)
        try:
            # A plain folder may hold links to anywhere, as it always might.
            path = self.root / about.path if self.layout == "folder" else inside(self.root, about.path)
            plain = not about.key and about.size <= LIMITS.max_bytes
            sha256 = self._verified(path, about, name) if plain else None
        except MediaError as error:
            return _rejected(self.root, name, str(error))
        own = {"entry": about, "root": self.root, "layout": self.layout}
        return Candidate(path, name, printable(about.group), printable(about.licence), "user", sha256, **own)

    def _verified(self, path: Path, about: Entry, name: str) -> str:
        """The SHA-256 of the file; MediaError where it is not the file that the set promises."""
        digests = self._memory.of(path)
        if about.md5 and digests.md5 != about.md5:
            raise MediaError(f"{name} is not the file that the set lists: its MD5 differs; download it again")
        return digests.sha256

    def keep(self, folder: Path, pictures: list[dict[str, Any]]) -> Path:
        """Write the manifest to ``folder``, with the SHA-256 of ``pictures`` (rows of the source)."""
        read = {self._taken[row["name"]]: row["sha256"] for row in pictures if row["name"] in self._taken}
        target, part, at = folder / FILE, folder / f".{FILE}.part", 0
        try:
            with open(self.path, "rb") as rows, open(part, "wb") as out:
                for line in rows:
                    told = f'"{read[at]}"}}\n'.encode() if at in read else _UNREAD
                    out.write(line.removesuffix(_UNREAD) + told)
                    at += len(line)
            os.replace(part, target)
        except OSError as error:
            raise StoreError(
                f"cannot write {target}: {error.strerror}; free space or write elsewhere"
            ) from error
        return target


def find(root: Path, layout: str) -> tuple[str, str]:
    """Name of the layout of the folder ``root``, and what was recognised by its structure.

    ``layout`` is one of ``LAYOUTS``, "folder", or "auto", which takes the first that fits, else "folder".
    Raises MediaError where there is no folder, ParameterError where ``layout`` is unknown or does not fit.
    """
    if not root.is_dir():
        raise MediaError(f"no folder at {root}; check the name")
    if layout not in ("auto", "folder", *LAYOUTS):
        raise ParameterError(f"layout {layout!r} is unknown: choose auto, folder, {' or '.join(LAYOUTS)}")
    for name in LAYOUTS if layout == "auto" else {layout} & set(LAYOUTS):
        if told := LAYOUTS[name].look(root):
            return name, told
        if name == layout:
            raise ParameterError(
                f"{root} does not look like {layout}: give the folder that holds what its publishers name, "
                "or layout folder"
            )
    sides = [side for side in ("trainA", "trainB") if (root / side).is_dir()]
    if len(sides) == 2:
        return "folder", (
            "a plain folder with paired folders in it; 'wbme run 15 -p paired FOLDER' makes pairs of them"
        )
    return "folder", "a plain folder: its sub-folders are groups"


def listing(
    folder: Path, root: Path, layout: str, name: str, licence: str, more: Sequence[Candidate] = ()
) -> Listing:
    """List the set below ``root`` for a source called ``name`` into ``folder``; opens no picture.

    ``licence`` is that of a plain folder; a published set has its own. ``more`` are candidates that follow
    those of the set. Raises what ``find`` raises, and ParameterError where ``name`` is taken or no name,
    StoreError where the disk refuses.
    """
    check(name)
    root = root.resolve()
    layout, told = find(root, layout)
    found = _plain(root, name, licence) if layout == "folder" else LAYOUTS[layout].entries(root)
    path, at, unnamed = folder / FILE, 0, 0
    starts, rejected = array("Q"), list[Candidate]()
    try:
        with open(path, "wb") as out:
            for entry in chain(_archives(root), found):
                row = {"schema": SCHEMA, "layout": layout, **vars(entry), "sha256": None}
                line = (json.dumps(row, allow_nan=False) + "\n").encode("ascii")
                out.write(line)
                if not entry.why:
                    starts.append(at)
                elif len(rejected) < TOLD:
                    rejected.append(_rejected(root, entry.path, entry.why))
                else:
                    unnamed += 1
                at += len(line)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; free space or write elsewhere") from error
    if unnamed:
        why = f"{unnamed:,} more cannot be used; the manifest names each with its reason"
        rejected.append(_rejected(root, FILE, why))
    return Listing(root, layout, told, path, rejected, starts, list(more), Memory())


def _rejected(root: Path, name: str, why: str) -> Candidate:
    return Candidate(root / name, printable(name), "", "", "user", rejected=printable(why))


def _plain(root: Path, name: str, licence: str) -> Iterator[Entry]:
    """Pictures below ``root``, and what looks like one; the first level of sub-folders is the group."""
    for path in files.below(root, images.SUFFIXES | UNREAD | RAW):
        relative = path.relative_to(root)
        group = printable(relative.parts[0]) if len(relative.parts) > 1 else name
        identity = relative.as_posix()
        try:
            size = path.stat().st_size
        except OSError as error:
            yield refused(identity, f"cannot open {identity}: {error.strerror}; check its permissions")
            continue
        yield Entry(identity, group, licence, printable(identity), split_of(identity), size)


def _archives(root: Path) -> Iterator[Entry]:
    """Archives at the top of ``root``: they are never unpacked, whatever they hold."""
    try:
        here = sorted(root.iterdir())
    except OSError as error:
        raise MediaError(f"cannot open {root}: {error.strerror}; check its permissions") from error
    for path in here:
        if path.suffix.lower() in _ARCHIVES and path.is_file():
            yield refused(path.name, f"{path.name} is an archive, and wbme unpacks none; unpack it yourself")


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of the manifest in ``folder``, one after the other. Raises StoreError where it is missing,
    damaged or of another schema."""
    path = folder / FILE
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                row = json.loads(line)
                if row["schema"] != SCHEMA:
                    raise StoreError(f"{path} has schema {row['schema']}, this wbme reads {SCHEMA}; {_AGAIN}")
                yield row
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is missing or no manifest that wbme reads; {_AGAIN}") from error


def summary(folder: Path) -> list[dict[str, Any]]:
    """What the set of the manifest in ``folder`` holds: a row for each group, split and licence, with the
    numbers of its pictures, identities, and pictures with a mask, a parsing, landmarks; rows of what cannot
    be used last."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    people: dict[tuple[str, ...], set[int]] = {}
    for row in read(folder):
        about = ("", "cannot be used", "") if row["why"] else (row["group"], row["split"], row["licence"])
        counted = found.setdefault(about, Counter())
        people.setdefault(about, set()).add(hash(row["identity"]))
        counted["pictures"] += 1
        counted["read"] += row["sha256"] is not None
        for kind in ("mask", "parsing", "landmarks", "caption"):
            counted[kind] += bool(row[kind])
    return [
        dict(zip(("group", "split", "licence"), map(printable, about), strict=True))
        | {"identities": len(people[about]), **counted}
        for about, counted in sorted(
            found.items(), key=lambda item: (item[0][1] == "cannot be used", item[0])
        )
    ]
