"""A drawn mouth: lips as two flat shapes, teeth as one, and a line that is heaviest at its corners."""

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.landmarks import LIPS_INNER, LIPS_OUTER
from wbme.people import pen
from wbme.people.paper import Paper, Points
from wbme.people.sheet import srgb

Floats = NDArray[np.float32]

_PARTED = 0.012  # a smaller opening (share of the squared width of the mouth) is one line
_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)


def draw(paper: Paper) -> None:
    """Draw the mouth of ``paper.face``."""
    style, face, weight = paper.sheet.mouth, paper.face, paper.weight
    visible = face.seen(face.points[list(LIPS_OUTER)])
    inner = face.points[list(LIPS_INNER), :2]
    pairs = np.column_stack([np.arange(11), (20 - np.arange(11)) % 20])
    middle = pen.smooth(pen.spline(inner[pairs].mean(1), 41), 2)
    nearer = bool(face.points[LIPS_INNER[0], 2] <= face.points[LIPS_INNER[10], 2])
    middle, under = (
        pen.spline(paper.unfolded(line, nearer), 41)
        for line in (middle, pen.spline(face.points[list(_LOWER_LIP), :2], 41))
    )
    wide = float(np.linalg.norm(middle[0] - middle[-1]))
    if wide < 2:
        return
    _lips(paper, middle, under, wide)
    holes = _traced(paper, "mouth", wide, _PARTED)
    if holes:
        _open(paper, holes, inner, wide, visible)
    else:
        u = np.abs(np.linspace(-1, 1, 41))
        heavy = style.line + (style.corner - style.line) * np.clip((u - 0.62) / 0.28, 0, 1)
        paper.line(middle, weight * heavy * np.clip((1.02 - u) / 0.1, 0.1, 1), visible)
    below = under[14:27] - paper.up * 0.035 * wide
    paper.line(below, 0.7 * weight * pen.tapered(13, 0.5, 0.5), visible, style.below)


def _traced(paper: Paper, name: str, wide: float, least: float = 0.002) -> list[Points]:
    scale = wide * paper.face.fine
    return pen.outlines(paper.face.parts[name], paper.face.fine, 0.018 * scale, least * scale**2)


def _lips(paper: Paper, middle: Points, under: Points, wide: float) -> None:
    face = paper.face
    painted = paper.sheet.skin.lips * (0.3 + 0.7 * face.made_up)
    lips = np.asarray(face.lip_colour, np.float32)
    lower = paper.shape(*_traced(paper, "lower lip", wide))
    paper.lay(lips * 0.88, paper.shape(*_traced(paper, "upper lip", wide)) * painted)
    paper.lay(lips, lower * painted)
    tall = np.linalg.norm(middle[20] - under[20])
    glow = paper.stroke((middle * 0.45 + under * 0.55)[14:27], 0.3 * tall * pen.tapered(13, 0.5, 0.5))
    paper.lay(lips + (1 - lips) * 0.55, glow * lower * paper.sheet.mouth.gloss * face.made_up)


def _open(paper: Paper, holes: list[Points], inner: Points, wide: float, visible: Floats) -> None:
    style, up, weight = paper.sheet.mouth, paper.up, paper.weight
    hole = paper.shape(*holes)
    paper.lay(srgb(style.inside), hole)
    paper.lay(srgb(style.tongue), paper.shape(*_traced(paper, "tongue", wide)) * hole)
    paper.lay(srgb(style.teeth), _teeth(paper, inner, wide) * hole)
    for edge in holes:
        # The upper edge and the corners carry the line, the lower edge only a trace of it.
        ring = np.vstack([edge, edge[:1]])
        away = ring - ring.mean(0)
        height = away @ up / max(np.ptp(away @ up), 1e-6)
        aside = np.abs(away @ [up[1], -up[0]]) * 2 / max(np.ptp(away @ [up[1], -up[0]]), 1e-6)
        width = weight * style.line * np.clip(0.65 + 0.9 * height + 0.6 * (aside > 0.8), 0.35, 1.5)
        paper.line(ring, width, visible)


def _teeth(paper: Paper, inner: Points, wide: float) -> Floats:
    """Teeth as one shape: from the upper lip down to a smooth edge through what is seen of them."""
    face = paper.face
    row, column = np.nonzero(face.parts["teeth"])
    if len(row) < 0.004 * (wide * face.fine) ** 2:
        return np.zeros_like(paper.ink)
    seen = np.column_stack([column + 0.5, row + 0.5]) / face.fine
    up = paper.up
    across = np.array([-up[1], up[0]])
    along, height = seen @ across, seen @ up
    low, high = np.percentile(along, (3, 97))
    if high - low < 1:
        return np.zeros_like(paper.ink)
    places = np.linspace(low, high, 13)
    step = (places[1] - places[0]) / 2 + 1e-6
    lower = [height[np.abs(along - p) <= step].min(initial=np.inf) for p in places]
    fit = np.polynomial.Polynomial.fit(
        places[np.isfinite(lower)], np.array(lower)[np.isfinite(lower)], min(2, np.isfinite(lower).sum() - 1)
    )
    rounded = fit(places) + 0.5 * np.ptp(height) * np.abs(np.linspace(-1, 1, 13)) ** 6
    edge = np.outer(places, across) + np.outer(rounded, up)
    top = inner[:, :2].mean(0) + up * wide
    roof = np.stack([edge[-1] + up * wide, top, edge[0] + up * wide])
    return paper.shape(np.vstack([edge, roof]))
