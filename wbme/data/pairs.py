"""Pair sets: a photograph and its drawing, with all that is known of both (schema 1).

    pairs.jsonl   a row a pair, in order: schema, id, split (train or val, by identity), identity, src, tgt,
                  base, ink, labels, oracle, albedo, landmarks (paths relative to the folder; oracle and
                  albedo may be null, and labels where nobody knows them), light, character, geometry,
                  strength, skin, recipe (stage: digest), lineage
    00001/        the files of a pair: src, tgt, base, oracle, albedo RGB PNG; ink grey PNG, 255 is full ink;
                  labels PNG; landmarks.npz: points N x 468 x 2 and boxes N x 4 of every head; row.json, the
                  last

tgt is ink OVER base. lineage["reflection"] holds the shift in L*a*b* by which colour reflection moved the
skin of each head (null where none was seen), and nothing where it was not asked for. A pair whose row.json
stands is whole, so that a killed run goes on where it ended.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, StoreError
from wbme.base.hashing import digest_json, sha256_file
from wbme.base.paths import write_atomic
from wbme.data import planes, tables

SCHEMA = 1
CHANNELS = {"src": 3, "tgt": 3, "base": 3, "oracle": 3, "albedo": 3, "ink": 1, "labels": 1}
_OPTIONAL = ("oracle", "albedo")  # may be missing; labels may be null, said on purpose
_KEYS = ("id", "split", "identity", "light", "character", "geometry", "strength", "skin", "recipe", "lineage")
_PATHS = (*CHANNELS, "landmarks")
_AGAIN = "compose the pairs again"


@dataclass(frozen=True, eq=False)
class Pairs:
    """A pair set as it was read: its folder and the rows of its table; ``beside``: the folders of others
    whose rows are among them (``joined``)."""

    folder: Path
    rows: list[dict[str, Any]]
    beside: tuple[Path, ...] = ()

    @property
    def digest(self) -> str:
        """Of the tables, which name the digests of all that made the pairs."""
        found = [sha256_file(place / "pairs.jsonl") for place in (self.folder, *self.beside)]
        return found[0] if len(found) == 1 else digest_json(found)

    @property
    def characters(self) -> tuple[str, ...]:
        """As which characters people are drawn, in the order in which they come."""
        return tuple(dict.fromkeys(row["character"] for row in self.rows))

    def load(self, row: dict[str, Any], names: Sequence[str] = tuple(CHANNELS)) -> dict[str, NDArray[Any]]:
        """The arrays of that row: those of ``names`` that it has, and points and boxes if "landmarks" is
        named.

        src, tgt, base, oracle, albedo: float32 H x W x 3, sRGB in [0, 1]; ink float32 H x W in [0, 1]; labels
        uint8 H x W; points float32 N x 468 x 2 and boxes float32 N x 4 in pixels. Raises MediaError or
        StoreError for files that are missing, damaged or of different sizes.
        """
        found: dict[str, NDArray[Any]] = {}
        for name in (n for n in CHANNELS if n in names and row[n]):
            plane = planes.read(self.folder / row[name], CHANNELS[name])
            found[name] = plane if name == "labels" else plane.astype(np.float32) / 255
        if len({plane.shape[:2] for plane in found.values()}) > 1:
            raise StoreError(f"the pictures of pair {row['id']} in {self.folder} differ in size; {_AGAIN}")
        if "landmarks" in names:
            shapes = {"points": (-1, 468, 2), "boxes": (-1, 4)}
            found |= planes.read_arrays(self.folder / row["landmarks"], shapes, _AGAIN)
        return found


def joined(sets: Sequence[Pairs]) -> Pairs:
    """Several pair sets as one, in that order. Raises ParameterError where there is none, or where a person
    would be trained on in one set and validated on in another."""
    if not sets:
        raise ParameterError("no pair set is named: name one or more")
    first, *others = sets
    rows = list(first.rows)
    for one in others:
        rows += [row | {n: row[n] and str(one.folder / row[n]) for n in _PATHS} for row in one.rows]
    side: dict[str, str] = {}
    for row in rows:
        if side.setdefault(row["identity"], row["split"]) != row["split"]:
            raise ParameterError(
                f"{row['identity']} is for training in one pair set and for validation in another: compose "
                "them of the same people"
            )
    return Pairs(first.folder, rows, tuple(place for one in others for place in (one.folder, *one.beside)))


def finished(folder: Path, identity: str, recipe: dict[str, str] | None = None) -> bool:
    """Whether the pair called ``identity`` stands whole in ``folder``, and by that ``recipe`` (stage: digest)
    where one is given."""
    try:
        row = json.loads((folder / identity / "row.json").read_text("utf-8"))
        return recipe is None or row["recipe"] == recipe
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(folder: Path, row: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Write the files of a pair, its row last, and return the row with schema and paths.

    ``row`` holds what is no path; ``arrays`` those of ``CHANNELS`` and points and boxes, as ``Pairs.load``
    gives them; labels may be None. Raises ParameterError where something is missing or sizes differ,
    StoreError where the disk refuses."""
    lacking = [k for k in _KEYS if k not in row]
    lacking += [n for n in (*CHANNELS, "points", "boxes") if n not in arrays and n not in _OPTIONAL]
    given = {n: plane for n in CHANNELS if (plane := arrays.get(n)) is not None}
    lacking += [n for n in arrays if n in CHANNELS and n not in (*given, "labels")]
    if lacking or len({plane.shape[:2] for plane in given.values()}) != 1:
        raise ParameterError(
            f"pair {row.get('id')} lacks {', '.join(lacking) or 'planes of one size'}: give them"
        )
    place, paths = folder / row["id"], {}
    (place / "row.json").unlink(missing_ok=True)  # an older pair is not whole beside new planes
    for name in CHANNELS:
        paths[name] = f"{row['id']}/{name}.png" if name in given else None
        if name in given:
            planes.write(place / f"{name}.png", given[name])
    buffer = io.BytesIO()
    np.savez(buffer, points=arrays["points"].astype(np.float32), boxes=arrays["boxes"].astype(np.float32))
    write_atomic(place / "landmarks.npz", buffer.getvalue())
    whole = {"schema": SCHEMA, **row, **paths, "landmarks": f"{row['id']}/landmarks.npz"}
    write_atomic(place / "row.json", json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n")
    return whole


def gather(folder: Path, identities: Sequence[str]) -> Pairs:
    """Write ``pairs.jsonl`` from the pairs called ``identities``, in that order, and read it back.

    Raises StoreError where one of them is not whole.
    """
    lines = []
    for identity in identities:
        path = folder / identity / "row.json"
        try:
            lines.append(path.read_text("utf-8"))
        except OSError as error:
            raise StoreError(f"pair {identity} in {folder} was not finished; {_AGAIN}") from error
    write_atomic(folder / "pairs.jsonl", "".join(lines))
    return read(folder)


def read(folder: Path) -> Pairs:
    """The pair set in ``folder``.

    Raises StoreError where it is of another schema, damaged or empty, or lacks a file that a row names.
    """
    rows = tables.read(folder / "pairs.jsonl", SCHEMA, _AGAIN)
    for number, row in enumerate(rows, 1):
        lacking = [k for k in (*_KEYS, *_PATHS) if k not in row]
        if lacking:
            raise StoreError(f"row {number} of {folder}/pairs.jsonl lacks {', '.join(lacking)}; {_AGAIN}")
        named = [n for n in _PATHS if not (row[n] is None and n in (*_OPTIONAL, "labels"))]
        for name in named:
            if not (folder / str(row[name])).is_file():
                raise StoreError(f"{folder} lacks {row[name]}, the {name} of pair {row['id']}; {_AGAIN}")
    return Pairs(folder, rows)
