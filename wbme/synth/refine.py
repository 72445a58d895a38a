"""Drawn heads refined by a diffusion model: the same views, drawn again inside the head."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.paths import write_atomic
from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.data import matched, planes, rendered
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, HEAD
from wbme.synth.composite import head_mask, inked, over

F32 = NDArray[np.float32]
SCHEMA = 1
_LAYERS = ("palette", "oracle", "ink", "drawn")
_GROUND = 0.93  # sRGB behind a head while it is redrawn
_MARGIN = 0.2  # around a head, as a share of its longer side
Redraw = Callable[[F32, str], F32 | None]  # S x S x 3 in [0, 1] and a name for the seed


def drawing(layers: Layers) -> F32:
    """The character's own drawing of a view before a plain ground, H x W x 3."""
    ground = np.full(layers.albedo.shape, _GROUND, np.float32)
    return inked(over(layers.drawn, over(layers.palette, ground)), layers.ink)


def redrawn(layers: Layers, redraw: Redraw, size: int, name: str) -> tuple[Layers, int]:
    """``layers`` with each head drawn again by ``redraw``, which sees it in a square of ``size`` pixels; and
    how many heads it withheld.

    Inside the head's mask (face, neck, hair; softened by a pixel) ``palette`` becomes the new drawing, and
    so does ``drawn``, whose alpha stays where the old features were and now holds the eyes; ``ink`` fades,
    because its lines are in the new drawing. The new ``oracle`` is
    the new drawing with each part of the head shifted in CIE L*a*b* by what lay between the old oracle and
    the old palette there, so it is still the person's own colours on the same strokes.
    """
    withheld = 0
    for number, box in enumerate(layers.boxes, start=1):
        if not np.isfinite(box).all():
            continue
        whole, square = drawing(layers), around(box, layers.labels.shape)
        after = redraw(cut(whole, square, size), name if len(layers.boxes) == 1 else f"{name}/{number}")
        if after is None:
            withheld += 1
        else:
            layers = _pasted(layers, whole, after, square, number)
    return layers, withheld


def around(box: F32, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """x, y and side, whole pixels, of a square with the head in ``box`` and a margin, moved and at most as
    large as to lie within a picture of ``shape`` (height, width, ...)."""
    wanted = round((1 + 2 * _MARGIN) * float(max(box[2] - box[0], box[3] - box[1])))
    side = min(wanted, *shape[:2])
    x, y = (round(float(box[k] + box[k + 2] - side) / 2) for k in (0, 1))
    return min(max(x, 0), shape[1] - side), min(max(y, 0), shape[0] - side), side


def cut(rgb: F32, square: tuple[int, int, int], size: int) -> F32:
    """That square of ``rgb`` (H x W x 3) at ``size`` pixels."""
    x, y, side = square
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    part = np.ascontiguousarray(rgb[y : y + side, x : x + side])
    return np.clip(cv2.resize(part, (size, size), interpolation=way), 0, 1).astype(np.float32)


def _pasted(layers: Layers, whole: F32, after: F32, square: tuple[int, int, int], number: int) -> Layers:
    x, y, side = square
    inside = np.s_[y : y + side, x : x + side]
    new = whole.copy()
    new[inside] = cut(after, (0, 0, after.shape[0]), side)
    own = np.zeros_like(layers.labels)
    own[inside] = np.where(layers.heads == number, layers.labels, 0)[inside]
    mask = head_mask(own, 0.0, 1.0) * layers.palette[..., 3]
    palette, oracle, drawn = layers.palette.copy(), layers.oracle.copy(), layers.drawn.copy()
    for plane, other in ((palette, new), (oracle, _recoloured(new, own, layers))):
        plane[..., :3] += mask[..., None] * (other - plane[..., :3])
    # Eyes, brows and mouth stay apart from the skin: colour reflection moves what lies under them only.
    drawn[..., :3] += mask[..., None] * (new - drawn[..., :3])
    drawn[..., 3] = np.maximum(drawn[..., 3], mask * np.isin(own, list(EYES)))
    return replace(layers, palette=palette, oracle=oracle, drawn=drawn, ink=layers.ink * (1 - mask))


def _recoloured(new: F32, labels: NDArray[np.uint8], layers: Layers) -> F32:
    shift = np.zeros_like(new)
    for label in sorted(HEAD & set(np.unique(labels).tolist())):
        where = labels == label
        old = [np.median(srgb_to_lab(p[where][:, :3]), axis=0) for p in (layers.oracle, layers.palette)]
        shift[where] = old[0] - old[1]
    shift = cv2.GaussianBlur(shift, (0, 0), 0.8)
    return np.clip(lab_to_srgb(srgb_to_lab(new) + shift), 0, 1)


def write(
    folder: Path, people: Path, character: Path, views: Sequence[dict[str, Any]], redraw: Redraw, size: int,
    lineage: dict[str, Any],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Write to ``folder`` the character in ``character`` with the heads of ``views`` (rows of its people)
    redrawn: a folder as ``data.rendered`` reads it, the other views as they were.

    Yields the row of each view (schema, view, refined, notes, and ``lineage``); one that ``folder`` already
    holds redrawn is not drawn again. At its end refined.jsonl holds all rows. Raises ParameterError for a
    character in its own proportions.
    """
    if views and matched.deformed(character, views[0]["id"]):
        raise ParameterError(
            "the character is drawn in its own proportions, whose head no mask of the person fits: choose "
            "one whose sheet says 'geometry: aligned'"
        )
    if not (folder / "refined").exists():
        shutil.copytree(character, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        (folder / "refined").mkdir()
    rows = []
    for view in views:
        kept = folder / "refined" / f"{view['id']}.json"
        if not kept.exists():
            _write_view(
                folder, rendered.layers(people, character, view["id"]), view["id"], redraw, size, lineage
            )
        rows.append(json.loads(kept.read_text(encoding="utf-8")))
        yield rows[-1]
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows]
    write_atomic(folder / "refined.jsonl", "".join(lines))


def _write_view(
    folder: Path, before: Layers, view: str, redraw: Redraw, size: int, lineage: dict[str, Any]
) -> None:
    layers, withheld = redrawn(before, redraw, size, view)
    home = folder / "groups" / view if view.startswith("g") else folder / view
    for name in _LAYERS:
        planes.write(home / f"{name}.png", getattr(layers, name))
    heads = int(np.isfinite(before.boxes).all(1).sum())
    notes = [f"{withheld} of {heads} heads withheld by the model's safety checker"] if withheld else []
    row = {"schema": SCHEMA, "view": view, "refined": heads > withheld, "notes": notes, **lineage}
    write_atomic(folder / "refined" / f"{view}.json", json.dumps(row, ensure_ascii=False, sort_keys=True))
