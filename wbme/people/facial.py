"""Drawn faces: vector shapes on the projected landmarks.

What is dark and thin (lashes, pupil, ring of the iris, lids, nose, line of the mouth) is ink; what is a flat
shape (white of the eye, iris, catch-light, brow, lips, teeth) is laid on top of any base, below the ink.
"""

import numpy as np

from wbme.geometry.landmarks import LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE
from wbme.people import drawn_eye, drawn_mouth, pen
from wbme.people.paper import Face, Paper, Points
from wbme.people.sheet import Sheet, srgb

# Below the nose from the nostril's rim to its middle, around the wing, and down its ridge: right, left.
_BASES = ((59, 60, 20, 141, 94), (289, 290, 250, 370, 94))
_WINGS = ((49, 48, 64), (279, 278, 294))
_RIDGES = ((196, 3, 51, 45, 44), (419, 248, 281, 275, 274))
_DOT = (141, 94, 370)
# Of each cheek: its middle, where its bone goes, and points around.
_CHEEKS = ((50, 234, 101, 118, 123, 187, 205), (280, 454, 330, 347, 352, 411, 425))
_FOREHEAD = (9, 151)
# How far the inner and the outer end of a brow rise beyond the face's own gesture, shares of an eye's width.
_GESTURES = {
    "anger": (-0.14, 0.08), "shout": (-0.16, 0.1), "sorrow": (0.15, -0.06), "surprise": (0.10, 0.13),
    "grin": (0.05, 0.07), "joy": (0.06, 0.08), "laugh": (0.06, 0.08), "wink": (0.03, 0.06),
    "soft smile": (0.02, 0.04), "talk": (0.02, 0.03),
}  # fmt: skip


def draw(size: tuple[int, int], face: Face, sheet: Sheet, light: float, weight: float) -> Paper:
    """One face on paper of ``size`` (W, H); ``light`` and ``weight``: see Paper."""
    paper = Paper(size, face, sheet, light, weight)
    _cheeks(paper)
    drawn_mouth.draw(paper)
    _nose(paper)
    loops = zip((RIGHT_EYE, LEFT_EYE), face.irises, (RIGHT_BROW, LEFT_BROW), strict=True)
    for eye, iris, brow in loops:
        drawn_eye.draw(paper, face.points[list(eye)], iris, face.points[list(brow[5:]), :2].mean(0))
    for outline in face.brows:
        shape = _gestured(paper, outline)
        rounded = pen.smooth(pen.spline(shape, 64, closed=True), 1.5, closed=True)
        paper.lay(face.brow_colour, paper.shape(rounded) * face.seen(outline) * np.float32(0.94))
    _marks(paper)
    return paper


def _gestured(paper: Paper, outline: Points) -> Points:
    """A brow's outline, its upper edge from the nose to the temple and its lower edge back, with the gesture
    of the expression and as thick as the sheet has it; N x 2."""
    style, half = paper.sheet.face, len(outline) // 2
    upper, lower = outline[:half, :2], outline[: half - 1 : -1, :2]
    middle, apart = (upper + lower) / 2, (upper - lower) / 2
    inner, outer = _GESTURES.get(paper.face.expression, (0.0, 0.0))
    t = np.linspace(0, 1, half)[:, None]
    rise = paper.unit * style.gesture * (inner * (1 - t) ** 1.3 + outer * np.sin(np.pi * t * 0.75))
    middle = middle + rise * paper.up
    return np.vstack([middle + apart * style.brow, (middle - apart * style.brow)[::-1]])


def _nose(paper: Paper) -> None:
    """A nose in few strokes: underside and wing away from the light, the other nostril as a hint.

    A head turned aside shows the underside of its near half alone.
    """
    kind, points = paper.sheet.face.nose, paper.face.points
    wide = paper.weight * paper.sheet.lines.nose
    ends = [points[list(base), :2][[0, -1]] for base in _BASES]
    right, left = (max(float(np.linalg.norm(a - b)), 1e-6) for a, b in ends)
    even = min(right, left) / max(right, left)
    main = int(paper.light <= 0) if even > 0.75 else int(left > right)
    if kind == "dot":
        line = points[list(_DOT)]
        stroke = pen.spline(line[:, :2], 12)
        paper.line(
            stroke, 1.5 * wide * pen.tapered(12, 0.5, 0.5, 0.3), paper.face.seen(points[list(_BASES[0])])
        )
        return
    for number, (base, wing) in enumerate(zip(_BASES, _WINGS, strict=True)):
        shaded = number == main
        if not shaded and (even < 0.5 or kind == "wing"):
            continue
        rim, side = points[list(base)], points[list(wing)]
        seen = paper.face.seen(rim)
        line = pen.spline(rim[:, :2], 24)[: 24 if shaded and kind != "wing" else 13]
        width = (1.2 if shaded else 0.7) * wide * pen.tapered(len(line), 0.35, 0.75)
        paper.line(line, width, seen, 1 if shaded else 0.55)
        if shaded:
            line = pen.spline(side[:, :2], 16)[3:]
            paper.line(line, 0.8 * wide * pen.tapered(13, 0.8, 0.25), paper.face.seen(side), 0.7)
            if kind == "ell":
                ridge = points[list(_RIDGES[number])]
                line = pen.spline(ridge[:, :2], 24)
                paper.line(line, wide * pen.tapered(24, 0.7, 0.2), paper.face.seen(ridge), 0.9)


def _cheeks(paper: Paper) -> None:
    """Short slanted strokes over a blush."""
    count, face = paper.sheet.face.blush_lines, paper.face
    if not count:
        return
    for middle, bone, *around in _CHEEKS:
        place, side = face.points[[middle, bone], :2]
        way = (side - place) / max(np.linalg.norm(side - place), 1e-6)
        seen = face.seen(face.points[[middle, *around]])
        for k in range(count):
            at = place + way * paper.unit * (0.30 * (k - (count - 1) / 2))
            slant = paper.up * 0.12 * paper.unit + way * 0.05 * paper.unit
            stroke = paper.stroke(
                np.linspace(at - slant, at + slant, 9), 1.1 * paper.weight * pen.tapered(9, 0.4, 0.4)
            )
            paper.lay(0.85 * face.lip_colour, stroke * seen * np.float32(0.85))


def _marks(paper: Paper) -> None:
    """Painted marks: a crescent on the forehead and a stripe or three on each cheek."""
    style, face, unit, up = paper.sheet.face, paper.face, paper.unit, paper.up
    if style.marks == "none":
        return
    across = np.array([-up[1], up[0]])
    seen = face.seen(face.points[[*_FOREHEAD, 108, 337]])
    middle = face.points[list(_FOREHEAD), :2].mean(0)
    if style.marks == "crescent":
        turn = np.linspace(-2.3, 2.3, 40)
        outer = np.outer(np.sin(turn), across) - np.outer(np.cos(turn), up)
        inner = 0.86 * np.outer(np.sin(turn), across) - np.outer(0.86 * np.cos(turn) - 0.36, up)
        moon = middle + 0.24 * unit * np.vstack([outer, inner[::-1]])
        paper.lay(srgb(style.mark), paper.shape(moon) * seen)
    for cheekbone, bone, *around in _CHEEKS:
        place, side = face.points[[cheekbone, bone], :2]
        way = (side - place) / max(np.linalg.norm(side - place), 1e-6)
        cheek = face.seen(face.points[[cheekbone, *around]])
        for k, long in enumerate((0.42, 0.30)):
            start = place + way * unit * 0.12 - up * (0.05 + 0.15 * k) * unit
            line = np.linspace(start, start + (way * 0.95 + up * 0.12) * long * unit, 16)
            stroke = paper.stroke(line, 0.075 * unit * pen.tapered(16, 0.25, 0.8))
            paper.lay(srgb(style.mark), stroke * cheek)
