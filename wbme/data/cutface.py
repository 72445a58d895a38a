"""CutFace: heads pasted on a picture, at the same places of the photograph and of the drawing.

Back, Kim, Ahn: WebtoonMe (SIGGRAPH Asia 2022 TC, arXiv 2210.10335): portraits alone teach a network little
about what is no face. Heads are pasted as whole ``Layers``, so that photograph, drawing, labels and landmarks
agree. The paper gives neither number nor sizes nor places: ``CutFace`` holds them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.data.rendered import CHANNELS, Layers
from wbme.geometry.parsing import HEAD

_SEEN = ("photo", "palette", "oracle", "drawn")
_KNOWN = ("labels", "heads", "toon", "albedo", "shading")
Box = tuple[int, int, int, int]  # x0, y0, x1, y1; x1 and y1 are not part of it
LAWS = ("uniform", "centre", "row")
ONTO = ("landscape", "portrait", "half", "full")


@dataclass(frozen=True)
class CutFace:
    """How heads are pasted.

    ``share`` of pairs that are made so; of k heads each k from ``least`` to ``most`` is as likely as another;
    ``sizes``: smallest and largest longer side of a head, as shares of the picture's shorter side. ``law`` of
    their places: "uniform", "centre" (a normal law around the middle, its deviation a sixth of the picture)
    or "row" (eyes near one level, as people stand side by side). ``onto``: what they are pasted on, one of
    these at random: a "landscape" without anybody, or a person's "portrait", "half" or "full" view, who is
    not covered. ``blend``: sigma in pixels of the head's soft edge, 0 for a hard one. Raises ParameterError
    for a value that is impossible, and says which."""

    share: float = 0.3
    least: int = 1
    most: int = 3
    sizes: tuple[float, float] = (0.25, 0.7)
    law: str = "uniform"
    onto: tuple[str, ...] = ("landscape",)
    blend: float = 1.5

    def __post_init__(self) -> None:
        wrong = [
            text
            for text, right in (
                (f"a share of {self.share} is not in [0, 1]", 0 <= self.share <= 1),
                (f"{self.least} to {self.most} heads are not 1 or more", 1 <= self.least <= self.most <= 64),
                (f"sizes {self.sizes} do not rise within (0, 1]", _rising(self.sizes)),
                (f"{self.law!r} is no law of {', '.join(LAWS)}", self.law in LAWS),
                (f"onto {self.onto} is not of {', '.join(ONTO)}", self.onto and {*self.onto} <= {*ONTO}),
                (f"a blend of {self.blend} pixels is not in [0, 20]", 0 <= self.blend <= 20),
            )
            if not right
        ]
        if wrong:
            raise ParameterError(f"CutFace cannot be done so: {'; '.join(wrong)}")


def _rising(sizes: Sequence[float]) -> bool:
    return len(sizes) == 2 and 0 < sizes[0] <= sizes[1] <= 1


def empty(height: int, width: int) -> Layers:
    """Layers without anybody: all transparent, unlabelled, without heads."""
    found = {}
    for name, count in CHANNELS.items():
        kind = np.uint8 if name in ("labels", "heads", "toon") else np.float32
        found[name] = np.zeros((height, width) if count == 1 else (height, width, count), kind)
    return Layers(**found, points=np.zeros((0, 468, 2), np.float32), boxes=np.zeros((0, 4), np.float32))


def cut(layers: Layers, *, margin: float = 0.05, feather: float = 1.5) -> Layers:
    """The head of a view of one person, cut out: its box and around it ``margin``, a share of its longer
    side.

    What is no head (face, neck, hair) becomes transparent and unlabelled; ``feather`` is the sigma in pixels
    that softens the edge, inwards only. Raises ParameterError where there is no head.
    """
    inside = np.isin(layers.labels, list(HEAD))
    if not inside.any():
        raise ParameterError("there is no head to cut out: take a view whose labels hold face or hair")
    soft = inside.astype(np.float32)
    if feather > 0:
        soft *= np.clip(2 * cv2.GaussianBlur(soft, (0, 0), feather) - 1, 0, 1)
    x0, y0, x1, y1 = layers.boxes[0].astype(int)
    edge = round(margin * max(x1 - x0, y1 - y0))
    left, top = max(x0 - edge, 0), max(y0 - edge, 0)
    window = np.s_[top : y1 + edge, left : x1 + edge]
    parts = {name: getattr(layers, name)[window].copy() for name in CHANNELS}
    for name in _SEEN:
        parts[name][..., 3] *= soft[window]
    for name in _KNOWN:
        parts[name][~inside[window]] = 0
    parts["ink"] *= soft[window]
    shift = np.array([left, top], np.float32)
    return replace(layers, **parts, points=layers.points - shift, boxes=layers.boxes - np.tile(shift, 2))


def place(
    shape: tuple[int, int],
    sizes: Sequence[tuple[int, int]],
    rng: np.random.Generator,
    tries: int = 60,
    law: str = "uniform",
    people: NDArray[np.bool_] | None = None,
) -> list[Box | None]:
    """Boxes of ``sizes`` (height, width) at random in ``shape`` by a ``CutFace.law``, none over another nor
    over ``people`` (H x W).

    None stands for one for which no place was found in ``tries`` draws.
    """
    found: list[Box | None] = []
    level = float(rng.uniform(0.25, 0.6)) if law == "row" else 0.5
    for high, wide in sizes:
        kept = [box for box in found if box]
        found.append(None)
        for _ in range(tries if high <= shape[0] and wide <= shape[1] else 0):
            if law == "uniform":
                y, x = int(rng.integers(shape[0] - high + 1)), int(rng.integers(shape[1] - wide + 1))
            else:
                spread = (1 / 40, 1 / 3) if law == "row" else (1 / 6, 1 / 6)
                middle = np.array([level, 0.5]) + rng.normal(0, spread)
                y, x = (
                    int(np.clip(round(m * n - side / 2), 0, n - side))
                    for m, n, side in zip(middle, shape, (high, wide), strict=True)
                )
            free = all(x >= b[2] or x + wide <= b[0] or y >= b[3] or y + high <= b[1] for b in kept)
            if free and (people is None or not people[y : y + high, x : x + wide].any()):
                found[-1] = (x, y, x + wide, y + high)
                break
    return found


def paste(
    canvas: Layers,
    heads: Sequence[Layers],
    rng: np.random.Generator,
    *,
    least: float = 0.25,
    most: float = 0.7,
    law: str = "uniform",
) -> tuple[Layers, list[Box | None]]:
    """``canvas`` with ``heads`` (of ``cut``) pasted at random free places, and the box of each.

    The longer side of a pasted head is drawn from ``least`` to ``most`` of the canvas's shorter side, and is
    never more than 1.5 of its own pixels. No box overlaps another or anybody on the canvas; a head that
    finds no place is left out, its box is None. ``law`` of the places: see ``CutFace``. No heads: the canvas
    itself."""
    shape, sizes = canvas.labels.shape, []
    for head in heads:
        own = max(head.labels.shape)
        side = min(rng.uniform(least, most) * min(shape), 1.5 * own)
        sizes.append(tuple(max(round(n * side / own), 8) for n in head.labels.shape))
    boxes = place(shape, sizes, rng, law=law, people=canvas.heads > 0)
    for head, box in zip(heads, boxes, strict=True):
        canvas = _pasted(canvas, head, box) if box else canvas
    return canvas, boxes


def _pasted(canvas: Layers, head: Layers, box: Box) -> Layers:
    """``head`` resized into ``box`` of ``canvas``, where nobody is."""
    x0, y0, x1, y1 = box
    size = x1 - x0, y1 - y0
    zoom = np.array(size, np.float32) / head.labels.shape[::-1]
    way = cv2.INTER_AREA if zoom.max() < 1 else cv2.INTER_LINEAR
    out = {name: getattr(canvas, name).copy() for name in CHANNELS}
    for name in _KNOWN:
        out[name][y0:y1, x0:x1] = cv2.resize(getattr(head, name), size, interpolation=cv2.INTER_NEAREST_EXACT)
    out["heads"][y0:y1, x0:x1] *= canvas.heads.max(initial=0) + 1
    out["ink"][y0:y1, x0:x1] = cv2.resize(head.ink, size, interpolation=way)
    for name in _SEEN:  # averaged with their alpha, or the colours of what is transparent would bleed in
        rgba = getattr(head, name)
        made = cv2.resize(np.dstack([rgba[..., :3] * rgba[..., 3:], rgba[..., 3]]), size, interpolation=way)
        made[..., :3] /= np.maximum(made[..., 3:], 1e-6)
        out[name][y0:y1, x0:x1] = np.clip(made, 0, 1)
    corner = np.array([x0, y0], np.float32)
    points = np.concatenate([canvas.points, (head.points + 0.5) * zoom - 0.5 + corner])
    boxes = np.concatenate([canvas.boxes, head.boxes * np.tile(zoom, 2) + np.tile(corner, 2)])
    return Layers(**out, points=points.astype(np.float32), boxes=boxes.astype(np.float32))
