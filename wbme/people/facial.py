"""Drawn eyes, brows, nose and mouth: vector shapes on the projected landmarks of a face.

What is dark and thin (lashes, pupil, ring of the iris, lids, nose, line of the mouth) is ink; what is a flat
shape (white of the eye, iris, catch-light, brow, lips, teeth) is laid on top of any base, below the ink.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme.geometry.landmarks import LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE
from wbme.people import pen
from wbme.people.sheet import Sheet, srgb

Floats = NDArray[np.float32]
Points = NDArray[np.float64]

_PARTED = 0.012  # a smaller opening (share of the squared width of the mouth) is one line
_CLOSED = 0.075  # lids nearer than this share of the eye's width hide the iris
# Below the nose from the nostril's rim to its middle, and around the wing: right, left.
_BASES = ((59, 60, 20, 141, 94), (289, 290, 250, 370, 94))
_WINGS = ((49, 48, 64), (279, 278, 294))
_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)


@dataclass(frozen=True, eq=False)
class Face:
    """What a face gives to draw from, in pixels of the paper.

    points 468 x 3, irises 2 x 5 x 3, brows (closed outlines) N x 3: x, y, depth. ``seen(points)`` is the
    H x W share of the paper where a surface through these points is not hidden. parts: masks of ``fine``
    samples a pixel of "upper lip", "lower lip", "mouth" (its opening), "teeth", "tongue". Colours: sRGB in
    [0, 1].
    """

    points: Points
    irises: Points
    brows: list[Points]
    seen: Callable[[Points], Floats]
    parts: dict[str, NDArray[np.bool_]]
    fine: float
    lip_colour: Floats
    brow_colour: Floats
    iris_colour: Floats


class Drawing:
    """One face on paper: ``rgba`` H x W x 4, premultiplied sRGB, and ``ink`` H x W, both in [0, 1].

    ``size``: W, H. ``light``: -1 from the picture's left to 1 from its right. ``weight``: pixels of a line of
    weight 1.
    """

    def __init__(self, size: tuple[int, int], face: Face, sheet: Sheet, light: float, weight: float):
        self.size, self.face, self.sheet, self.light, self.weight = size, face, sheet, light, weight
        self.rgba = np.zeros((size[1], size[0], 4), np.float32)
        self.ink = np.zeros((size[1], size[0]), np.float32)
        points = face.points
        eyes = [points[list(loop)] for loop in (RIGHT_EYE, LEFT_EYE)]
        self.unit = max(float(np.linalg.norm(eye[0, :2] - eye[8, :2])) for eye in eyes)
        up = np.mean([eye[:, :2].mean(0) for eye in eyes], axis=0) - points[list(LIPS_OUTER), :2].mean(0)
        self.up = up / max(np.linalg.norm(up), 1e-6)
        self._mouth()
        self._nose()
        for eye, iris, brow in zip(eyes, face.irises, (RIGHT_BROW, LEFT_BROW), strict=True):
            self._eye(eye, iris, points[list(brow[5:]), :2].mean(0))
        for outline in face.brows:
            rounded = pen.smooth(pen.spline(outline[:, :2], 64, closed=True), 1.5, closed=True)
            self._lay(face.brow_colour, self._shape(rounded) * face.seen(outline) * np.float32(0.94))

    def _lay(self, colour: ArrayLike, cover: Floats) -> None:
        """Paint ``colour`` (sRGB, 3) where ``cover`` lies."""
        self.rgba *= 1 - cover[..., None]
        self.rgba += cover[..., None] * np.append(np.asarray(colour, np.float32), np.float32(1))

    def _line(self, points: Points, width: ArrayLike, seen: Floats, strength: float = 1.0) -> None:
        """Ink one tapered line; lines do not add up where they cross."""
        np.maximum(self.ink, self._stroke(points, width) * seen * np.float32(strength), out=self.ink)

    def _shape(self, *polygons: ArrayLike) -> Floats:
        canvas = pen.Canvas(self.size)
        canvas.fill(polygons)
        return canvas.coverage()

    def _stroke(self, points: Points, width: ArrayLike) -> Floats:
        canvas = pen.Canvas(self.size)
        canvas.stroke(points, width)
        return canvas.coverage()

    def _eye(self, eye: Points, iris: Points, brow: Points) -> None:
        """One eye from its 16 landmarks, outer corner first over the upper lid and back below."""
        style, unit, up, weight = self.sheet.eyes, self.unit, self.up, self.weight
        seen = self.face.seen(eye)
        rim = eye[:, :2] - eye[:, :2].mean(0)
        rim = eye[:, :2].mean(0) + rim * 1.05 + np.outer(rim @ up, up) * (style.opening - 1.05)
        upper = pen.spline(rim[:9], 41)
        lower = pen.spline(np.vstack([rim[8:], rim[:1]]), 41)[::-1]  # outer to inner, as ``upper``
        width = np.linalg.norm(upper[0] - upper[-1])
        if width < 1.5:
            return
        outward = (upper[0] - upper[-1]) / width
        opening = ((upper - lower) @ up).max() / unit
        u = np.linspace(0, 1, 41)
        lash = max(style.lash * unit * np.clip(0.55 + 2.2 * opening, 0.6, 1), 0.75 * weight)
        # The lash line is thickest over the outer third and thins out to the inner corner.
        profile = lash * np.interp(u, [0, 0.12, 0.32, 0.6, 0.9, 1], [0.8, 0.95, 1, 0.72, 0.3, 0.06])[:, None]
        if opening < _CLOSED:
            middle = (upper + lower) / 2
            tip = middle[0] + outward * style.flick * width * 0.8 - up * style.flick * unit * 0.35
            over, under = (middle + up * 0.45 * profile)[4:], (middle - up * 0.5 * profile)[4:]
        else:
            inside = self._shape(np.vstack([upper, lower[::-1]])) * seen
            self._lay(srgb(style.white), inside)
            fall = up * unit * min(0.1, 0.3 * opening)
            shade = self._shape(np.vstack([upper + up * unit * 0.1, (upper - fall)[::-1]]))
            self._lay(srgb(style.shade), inside * shade * 0.6)
            self._iris(iris, inside)
            below = (lower - up * 0.2 * weight)[1:24]
            self._line(below, 0.8 * weight * self.sheet.lines.lid * pen.tapered(23, 0.3, 0.7), seen, 0.7)
            tip = upper[0] + outward * style.flick * width + up * style.flick * unit * 0.45
            over, under = (upper + up * profile)[3:], (upper - up * 0.18 * profile)[1:]
        over, under = (pen.spline(np.vstack([tip, edge]), 41) for edge in (over, under))
        np.maximum(self.ink, self._shape(np.vstack([over, under[::-1]])) * seen, out=self.ink)
        # The crease follows the lid at a distance that leaves room below the brow.
        rise = unit * np.clip(0.42 * ((brow - upper.mean(0)) @ up) / unit, 0.05, 0.17)
        crease = (upper + up * (rise * (0.75 + 0.25 * np.sin(u * np.pi)))[:, None])[3:36]
        self._line(crease, weight * self.sheet.lines.lid * pen.tapered(33, 0.25, 0.55), seen, 0.72)

    def _iris(self, iris: Points, inside: Floats) -> None:
        """Iris, pupil and catch-lights of one open eye, clipped by its opening."""
        style, up = self.sheet.eyes, self.up
        centre = iris[0, :2]
        axes = np.stack([(iris[1] - iris[3])[:2], (iris[2] - iris[4])[:2]]) / 2 * style.iris
        turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        rim = np.stack([np.cos(turn), np.sin(turn)], axis=1) @ axes
        radius = float(np.sqrt(np.abs(np.linalg.det(axes))))

        def disc(scale: float, high: float = 0.0, aside: float = 0.0) -> Floats:
            across = np.array([abs(up[1]), up[0]]) * np.copysign(1, self.light)
            return self._shape(centre + (up * high + across * aside) * radius + rim * scale)

        whole = disc(1) * inside
        base = np.asarray(self.face.iris_colour, np.float32)
        self._lay(base, whole)
        # Dark below the lid, bright towards the chin: the depth of a drawn eye.
        self._lay(base * 0.45, whole * disc(1.05, 0.72) * 0.85)
        self._lay(
            np.minimum(base * 1.4 + 0.07, 1), whole * disc(0.62, -0.42) * (1 - disc(style.pupil * 1.15))
        )
        dark = np.maximum((whole - disc(0.86) * inside) * 0.9, disc(style.pupil) * inside)
        # A catch-light sits towards the light, high in the iris, and is never inked.
        size = style.catchlight
        spots = [disc(size, 0.34, 0.34), disc(size * 0.45, -0.42, -0.36)][: style.catchlights]
        shine = np.max([np.zeros_like(whole), *spots], axis=0) * whole
        self._lay((1, 1, 1), shine)
        np.maximum(self.ink, dark * (1 - np.minimum(shine * 1.2, 1)), out=self.ink)

    def _nose(self) -> None:
        """A nose in few strokes: underside and wing away from the light, the other nostril as a hint.

        A head turned aside shows the underside of its near half alone.
        """
        wide = self.weight * self.sheet.lines.nose
        ends = [self.face.points[list(base), :2][[0, -1]] for base in _BASES]
        right, left = (max(float(np.linalg.norm(a - b)), 1e-6) for a, b in ends)
        even = min(right, left) / max(right, left)
        main = int(self.light <= 0) if even > 0.75 else int(left > right)
        for number, (base, wing) in enumerate(zip(_BASES, _WINGS, strict=True)):
            shaded = number == main
            if not shaded and even < 0.5:
                continue
            rim, side = self.face.points[list(base)], self.face.points[list(wing)]
            line = pen.spline(rim[:, :2], 24)[: 24 if shaded else 13]
            width = (1.2 if shaded else 0.7) * wide * pen.tapered(len(line), 0.35, 0.75)
            self._line(line, width, self.face.seen(rim), 1 if shaded else 0.55)
            if shaded:
                line = pen.spline(side[:, :2], 16)[3:]
                self._line(line, 0.8 * wide * pen.tapered(13, 0.8, 0.25), self.face.seen(side), 0.7)

    def _mouth(self) -> None:
        """Lips as two flat shapes, teeth as one, and one line that is heaviest at its corners."""
        style, face, up, weight = self.sheet.mouth, self.face, self.up, self.weight
        visible = face.seen(face.points[list(LIPS_OUTER)])
        inner = face.points[list(LIPS_INNER), :2]
        pairs = np.column_stack([np.arange(11), (20 - np.arange(11)) % 20])
        middle = pen.smooth(pen.spline(inner[pairs].mean(1), 41), 2)
        wide = float(np.linalg.norm(middle[0] - middle[-1]))
        if wide < 2:
            return

        def traced(name: str, least: float = 0.002) -> list[Points]:
            scale = wide * face.fine
            return pen.outlines(face.parts[name], face.fine, 0.018 * scale, least * scale**2)

        lips = np.asarray(face.lip_colour, np.float32)
        lower = self._shape(*traced("lower lip"))
        self._lay(lips * 0.88, self._shape(*traced("upper lip")) * self.sheet.skin.lips)
        self._lay(lips, lower * self.sheet.skin.lips)
        under = pen.spline(face.points[list(_LOWER_LIP), :2], 41)
        tall = np.linalg.norm(middle[20] - under[20])
        glow = self._stroke((middle * 0.45 + under * 0.55)[14:27], 0.3 * tall * pen.tapered(13, 0.5, 0.5))
        self._lay(lips + (1 - lips) * 0.55, glow * lower * style.gloss)
        holes = traced("mouth", _PARTED)
        hole = self._shape(*holes)
        for name, colour in (("mouth", style.inside), ("tongue", style.tongue), ("teeth", style.teeth)):
            if holes:
                self._lay(srgb(colour), self._shape(*traced(name)) * hole)
        for edge in holes:
            # The upper edge and the corners carry the line, the lower edge only a trace of it.
            ring = np.vstack([edge, edge[:1]])
            away = ring - ring.mean(0)
            height = away @ up / max(np.ptp(away @ up), 1e-6)
            aside = np.abs(away @ [up[1], -up[0]]) * 2 / max(np.ptp(away @ [up[1], -up[0]]), 1e-6)
            width = weight * style.line * np.clip(0.65 + 0.9 * height + 0.6 * (aside > 0.8), 0.35, 1.5)
            self._line(ring, width, visible)
        if not holes:
            u = np.abs(np.linspace(-1, 1, 41))
            heavy = style.line + (style.corner - style.line) * np.clip((u - 0.62) / 0.28, 0, 1)
            self._line(middle, weight * heavy * np.clip((1.02 - u) / 0.1, 0.1, 1), visible)
        below = under[14:27] - up * 0.035 * wide
        self._line(below, 0.7 * weight * pen.tapered(13, 0.5, 0.5), visible, 0.55)
