"""The paper that a face is drawn on, and what of the face there is to draw from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.geometry.landmarks import LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from wbme.people import pen
from wbme.people.sheet import Sheet

Floats = NDArray[np.float32]
Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Face:
    """What a face gives to draw from, in pixels of the paper.

    points 468 x 3, irises 2 x 5 x 3, brows (closed outlines) N x 3: x, y, depth. ``seen(points)`` is the
    H x W share of the paper where a surface through these points is not hidden. parts: masks of ``fine``
    samples a pixel of "upper lip", "lower lip", "mouth" (its opening), "teeth", "tongue". ``unit``: width of
    an eye, seen from its front. Colours: sRGB in [0, 1]. ``made_up``: how much lips and
    lashes are stressed, in [0, 1]; ``expression``: its name.
    """

    points: Points
    irises: Points
    brows: list[Points]
    seen: Callable[[Points], Floats]
    parts: dict[str, NDArray[np.bool_]]
    fine: float
    unit: float
    lip_colour: Floats
    brow_colour: Floats
    iris_colour: Floats
    made_up: float = 1.0
    expression: str = "neutral"


class Paper:
    """``rgba`` H x W x 4, premultiplied sRGB, and ``ink`` H x W, both in [0, 1].

    ``size``: W, H. ``light``: -1 from the picture's left to 1 from its right. ``weight``: pixels of a line of
    weight 1. ``halo`` H x W: what lies around lines, which are hard to see on dark skin. ``unit``: as the
    face's; ``up``: of the face, a unit vector, and ``across`` to the right of it.
    """

    def __init__(self, size: tuple[int, int], face: Face, sheet: Sheet, light: float, weight: float):
        self.size, self.face, self.sheet, self.light, self.weight = size, face, sheet, light, weight
        self.rgba = np.zeros((size[1], size[0], 4), np.float32)
        self.ink = np.zeros((size[1], size[0]), np.float32)
        self.halo = np.zeros_like(self.ink)
        points = face.points
        eyes = [points[list(loop)] for loop in (RIGHT_EYE, LEFT_EYE)]
        self.unit = face.unit
        up = np.mean([eye[:, :2].mean(0) for eye in eyes], axis=0) - points[list(LIPS_OUTER), :2].mean(0)
        self.up = up / max(np.linalg.norm(up), 1e-6)
        self.across = np.array([-self.up[1], self.up[0]])

    def unfolded(self, line: Points, nearer: bool) -> Points:
        """``line`` (N x 2) from the end that is ``nearer`` (its first, or else its last) to where it turns
        back behind itself, as it does on a head seen from the side."""
        path = line if nearer else line[::-1]
        away = np.abs((path - path[0]) @ self.across)
        path = path[: max(int(away.argmax()), 3) + 1]
        return path if nearer else path[::-1]

    def lay(self, colour: ArrayLike, cover: Floats) -> None:
        """Paint ``colour`` (sRGB, 3 or H x W x 3) where ``cover`` lies."""
        self.rgba *= 1 - cover[..., None]
        self.rgba[..., :3] += cover[..., None] * np.asarray(colour, np.float32)
        self.rgba[..., 3] += cover

    def mark(self, cover: Floats) -> None:
        """Ink ``cover``; ink does not add up where lines cross."""
        np.maximum(self.ink, cover, out=self.ink)

    def line(self, points: Points, width: ArrayLike, seen: Floats, strength: float = 1.0) -> None:
        """Ink one tapered line, within its halo."""
        self.mark(self.stroke(points, width) * seen * np.float32(strength))
        around = self.stroke(points, np.asarray(width) * 2.2 + 1.4 * self.weight)
        np.maximum(self.halo, around * seen * np.float32(strength), out=self.halo)

    def shape(self, *polygons: ArrayLike) -> Floats:
        """Coverage of filled polygons."""
        canvas = pen.Canvas(self.size)
        canvas.fill(polygons)
        return canvas.coverage()

    def stroke(self, points: Points, width: ArrayLike) -> Floats:
        """Coverage of one line."""
        canvas = pen.Canvas(self.size)
        canvas.stroke(points, width)
        return canvas.coverage()
