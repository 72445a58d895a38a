"""Paired folders: trainA and trainB (testA and testB as well) with the same names, as a pair set.

A holds photographs, B their drawings. What such a set does not know stays unknown: labels, oracle and albedo
are null. Three things are derived, by rules that each row's recipe digests:

- ink and base from the drawing (``layers``), so that tgt is ink over base as in every pair set;
- landmarks and boxes from the faces found in the photograph;
- the split: test is val; without a test side every eighth pair is, the first one included.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, ParameterError
from wbme.base.hashing import digest_json
from wbme.data import pairs
from wbme.data.candidates import printable
from wbme.data.layouts.entry import inside, walk
from wbme.data.sources import opaque
from wbme.media import images
from wbme.metrics.structure import LINE_CONTRAST, LINE_DEPTH, LINE_WIDTH
from wbme.nets.layered import INK_COLOUR, LUMA
from wbme.perception.faces import detect

F32 = NDArray[np.float32]
_SIDES = {"train": ("trainA", "trainB"), "test": ("testA", "testB")}
_HELD_OUT = 8
_SMALLEST = 32  # pixels of the shorter side
_SOLID = 0.9  # coverage from which on the colour beneath the ink is taken from beside it
_RULES = {"layers": ["black top-hat", LINE_WIDTH, LINE_DEPTH, LINE_CONTRAST, list(INK_COLOUR), _SOLID]}


@dataclass(frozen=True)
class _Couple:
    """Paths of a pair below the folder, and its side of the set: train or test."""

    photo: str
    drawing: str
    side: str


def layers(drawing: F32) -> tuple[F32, F32]:
    """Ink H x W and base H x W x 3, in [0, 1], of a finished drawing H x W x 3, sRGB in [0, 1].

    Ink are the strokes that ``metrics.structure.lines`` calls lines, before they are thinned: with c the
    closing of each channel by a disc, where luma lies below that of c by more than a threshold, and the
    pixel around. Their coverage a is the least-squares solution of drawing = a k + (1 - a) c for the ink's
    colour k, as far as a base in [0, 1] remains, and the base (drawing - a k) / (1 - a), or c where a is 0.9
    and more.
    """
    side = max(round(LINE_WIDTH * min(drawing.shape[:2]) / 512), LINE_WIDTH)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(drawing, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)
    light, beside = drawing @ np.float32(LUMA), closed @ np.float32(LUMA)
    stroke = (beside - light > np.maximum(LINE_DEPTH, LINE_CONTRAST * beside)).astype(np.uint8)
    stroke = cv2.dilate(stroke, np.ones((3, 3), np.uint8))
    colour = np.float32(INK_COLOUR)
    toward = closed - colour
    share = ((closed - drawing) * toward).sum(2) / np.maximum((toward * toward).sum(2), 1e-4)
    # No more than leaves a base of at most 1 beneath it.
    most = ((1 - drawing) / (1 - colour)).min(2)
    ink = np.clip(np.minimum(share, most), 0, 1) * stroke
    left = np.maximum(1 - ink, 1 - _SOLID)[..., None]
    base = np.where(ink[..., None] < _SOLID, (drawing - ink[..., None] * colour) / left, closed)
    return ink.astype(np.float32), np.clip(base, 0, 1).astype(np.float32)


def write_set(
    folder: Path,
    root: Path,
    name: str,
    progress: Callable[[Iterable[_Couple], str], Iterable[_Couple]] = lambda items, _: items,
) -> tuple[pairs.Pairs, list[dict[str, str]]]:
    """Import the paired folders below ``root`` into ``folder`` as drawings of the character ``name``.

    Returns the pair set, and name and reason of each file that is in none. Pairs that stand in ``folder`` are
    kept. Raises ParameterError where there is no trainA and trainB, or fewer than two pairs are left.
    """
    root = root.resolve()
    found, rejected = _match(root)
    written = list[str]()
    for couple in progress(found, "pairs"):
        identity = f"{len(written):05d}"
        try:
            if _kept(folder, identity) != [couple.photo, couple.drawing]:
                _write(folder, root, identity, name, couple, any(c.side == "test" for c in found))
        except MediaError as error:
            why = printable(str(error).replace(f"{root}/", ""))
            rejected.append({"name": printable(couple.photo), "why": why})
            continue
        written.append(identity)
    made = pairs.gather(folder, written) if written else None
    if made is None or {row["split"] for row in made.rows} != {"train", "val"}:
        raise ParameterError(
            f"{root} gives {len(written)} pairs and {len(rejected)} files that are none: a set needs pairs "
            "to train on and pairs to validate on"
        )
    return made, rejected


def _match(root: Path) -> tuple[list[_Couple], list[dict[str, str]]]:
    """Couples of the same name but for the suffix, in the order of their names, and what has no partner."""
    for side in _SIDES["train"]:
        if not (root / side).is_dir():
            raise ParameterError(f"no folder {side} in {root}: paired folders are called trainA and trainB")
    found, rejected = list[_Couple](), list[dict[str, str]]()
    for side, (first, second) in _SIDES.items():
        named: list[dict[str, str]] = [{}, {}]
        for number, folder in enumerate((first, second)):
            for path, _, why in walk(root, folder):
                stem = os.path.splitext(path.removeprefix(f"{folder}/"))[0]
                if why or stem in named[number]:
                    told = why or f"{path} has the name of {named[number][stem]}; rename one of the two pairs"
                    rejected.append({"name": printable(path), "why": printable(told)})
                else:
                    named[number][stem] = path
        for stem in sorted({*named[0], *named[1]}):
            if stem in named[0] and stem in named[1]:
                found.append(_Couple(named[0][stem], named[1][stem], side))
                continue
            path, other = (named[0][stem], second) if stem in named[0] else (named[1][stem], first)
            rejected.append({"name": printable(path), "why": f"{printable(path)} has no partner in {other}"})
    return found, rejected


def _kept(folder: Path, identity: str) -> list[str]:
    """The files of which the pair of that name was made, if it stands whole."""
    path = folder / identity / "row.json"
    return json.loads(path.read_text("utf-8"))["lineage"]["files"] if path.exists() else []


def _write(folder: Path, root: Path, identity: str, name: str, couple: _Couple, tested: bool) -> None:
    photo, drawing = (images.read(inside(root, path)) for path in (couple.photo, couple.drawing))
    src, tgt = opaque(photo), opaque(drawing)
    sizes = [f"{rgb.shape[1]} x {rgb.shape[0]}" for rgb in (src, tgt)]
    if sizes[0] != sizes[1]:
        raise MediaError(
            f"{couple.photo} has {sizes[0]} pixels but {couple.drawing} {sizes[1]}: make them equal"
        )
    if min(src.shape[:2]) < _SMALLEST:
        raise MediaError(f"{couple.photo} has {sizes[0]} pixels: at least {_SMALLEST} to a side are needed")
    faces = [face for face in detect(src, irises=False) if face.landmarks is not None]
    ink, base = layers(tgt)
    held_out = couple.side == "test" if tested else int(identity) % _HELD_OUT == 0
    row = {"id": identity, "split": "val" if held_out else "train", "light": {}, "character": name}
    row |= {"identity": printable(os.path.splitext(couple.photo)[0]), "geometry": "unknown", "strength": 1.0}
    row |= {"skin": "unknown", "recipe": {stage: digest_json(rule)[:16] for stage, rule in _RULES.items()}}
    row["lineage"] = {
        "imported": "paired folders",
        "files": [couple.photo, couple.drawing],
        "sha256": [photo.sha256, drawing.sha256],
    }
    planes: dict[str, Any] = {"src": src, "tgt": tgt, "base": base, "ink": ink, "labels": None}
    planes["points"] = np.reshape([face.landmarks[:, :2] for face in faces], (-1, 468, 2))
    planes["boxes"] = np.reshape([face.box for face in faces], (-1, 4))
    pairs.write(folder, row, planes)
