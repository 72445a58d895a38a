"""A drawn eye: white, iris with its lights, lash line, single lashes, lower lid and crease."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbme.people import pen
from wbme.people.paper import Paper, Points
from wbme.people.sheet import srgb

Floats = NDArray[np.float32]

_CLOSED = 0.075  # lids nearer than this share of the eye's width hide the iris
_TILT = 0.05  # by which the outer corner commonly lies higher, share of the eye's width
_AWAY = 0.32  # the far eye is not drawn when it looks narrower than this share of its width
_N = 41
_NARROW = 0.42  # of its height: no iris is drawn narrower


class _Lids(NamedTuple):
    """Shares of the eye's width: how far the outer corner is raised, the upper lid arched and the lower lid
    lowered, where between outer (0) and inner corner (1) the arch is highest; and a factor of
    the fold's distance."""

    tilt: float = 0.0
    arch: float = 0.0
    below: float = 0.0
    peak: float = 0.5
    fold: float = 1.0


_SHAPES = {
    "own": _Lids(),
    "round": _Lids(-0.015, 0.075, 0.045),
    "almond": _Lids(0.045, -0.005, -0.01, 0.55),
    "upturned": _Lids(0.13, 0.0, 0.0, 0.38),
    "droopy": _Lids(-0.10, 0.045, 0.02, 0.66),
    "hooded": _Lids(0.02, -0.055, 0.0, 0.7, 0.4),
}


def draw(paper: Paper, eye: Points, iris: Points, brow: Points) -> None:
    """Draw one eye from its 16 landmarks, outer corner first over the upper lid and back below, and the 5
    points of its iris; ``brow``: where its brow's lower edge lies. All x, y, depth in pixels."""
    sheet, unit, up, weight = paper.sheet, paper.unit, paper.up, paper.weight
    style, lids = sheet.eyes, _SHAPES[sheet.eyes.shape]
    seen = paper.face.seen(eye)
    upper, lower = _lids(paper, eye, lids)
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    behind = eye[0, 2] > eye[8, 2] and abs((eye[0] - eye[8])[:2] @ paper.across) < _AWAY * unit
    if width < 1.5 or behind:
        return
    outward = (upper[0] - upper[-1]) / width
    # From the side: the wedge of a lash line that is heaviest in front, where it runs out.
    aside = float(np.clip((0.72 - width / unit) / 0.2, 0, 1)) * (eye[0, 2] < eye[8, 2])
    opening = float(((upper - lower) @ up).max() / unit)
    u = np.linspace(0, 1, _N)
    lash = max(style.lash * unit * float(np.clip(0.55 + 2.2 * opening, 0.6, 1)), 0.75 * weight)
    lash *= (0.78 + 0.22 * paper.face.made_up) * (1 - 0.35 * aside)
    # The lash line is thickest over the outer third and thins out to the inner corner.
    front = np.array([0.8, 0.95, 1, 0.72, 0.3, 0.06])
    front += aside * (np.array([0.4, 0.5, 0.65, 0.85, 1, 1]) - front)
    profile = lash * np.interp(u, [0, 0.12, 0.32, 0.6, 0.9, 1], front)[:, None]
    if opening < _CLOSED:
        middle = (upper + lower) / 2
        tip = middle[0] + outward * style.flick * width * 0.8 - up * style.flick * unit * 0.35
        over, under = (middle + up * 0.45 * profile)[4:], (middle - up * 0.5 * profile)[4:]
        root, way = middle, -0.75 * up
    else:
        _ball(paper, iris, upper, lower, seen, opening)
        tip = upper[0] + outward * style.flick * width + up * style.flick * unit * 0.45
        over, under = (upper + up * profile)[3:], (upper - up * 0.18 * profile)[1:]
        root, way = upper, 0.6 * up
    fore = upper[-1] - outward * 0.2 * unit + up * 0.1 * unit  # the lashes' points, seen from the side
    ahead = [fore] if aside > 0.5 and opening >= _CLOSED else []
    over, under = (pen.spline(np.vstack([tip, edge, *ahead]), _N) for edge in (over, under))
    paper.mark(paper.shape(np.vstack([over, under[::-1]])) * seen)
    for number in range(round(style.lashes * paper.face.made_up)):
        at = root[2 + 5 * number] + way * 0.3 * lash
        long = unit * (0.15 - 0.018 * number)
        end = at + (outward * (1 - 0.13 * number) + way) * long
        bend = (at + end) / 2 + outward * 0.12 * long - way * 0.1 * long
        line = pen.spline(np.stack([at, bend, end]), 12)
        paper.line(line, lash * np.linspace(0.75, 0.1, 12), seen)
    # The crease follows the lid at a distance that leaves room below the brow.
    rise = unit * float(np.clip(0.42 * ((brow - upper.mean(0)) @ up) / unit, 0.05, 0.17)) * lids.fold
    crease = (upper + up * (rise * (0.75 + 0.25 * np.sin(u * np.pi)) + 0.5 * profile[:, 0])[:, None])[3:36]
    paper.line(crease, weight * sheet.lines.lid * pen.tapered(33, 0.25, 0.55), seen, 0.72)


def _lids(paper: Paper, eye: Points, lids: _Lids) -> tuple[Points, Points]:
    """Upper and lower lid from the outer to the inner corner, in the shape that the sheet gives them; on a
    head seen from the side as far as they show."""
    up, nearer, eye = paper.up, bool(eye[0, 2] <= eye[8, 2]), eye[:, :2]
    rim = eye - eye.mean(0)
    rim = eye.mean(0) + rim * 1.05 + np.outer(rim @ up, up) * (paper.sheet.eyes.opening - 1.05)
    upper = pen.spline(rim[:9], _N)
    lower = pen.spline(np.vstack([rim[8:], rim[:1]]), _N)[::-1]
    upper, lower = (pen.spline(paper.unfolded(line, nearer), _N) for line in (upper, lower))
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    # A drawing says more of what is the person's own.
    own = ((upper[0] - upper[-1]) @ up) / max(width, 1e-6) - _TILT
    u = np.linspace(0, 1, _N)
    tilt = (lids.tilt + 0.5 * float(np.clip(own, -0.12, 0.12))) * (0.75 - u)
    power = np.log(0.5) / np.log(lids.peak)
    swell = np.sin(np.pi * u**power)
    apart = float(np.clip(((upper - lower) @ up).max() / (0.3 * max(width, 1e-6)), 0, 1))  # nearly shut: less
    upper = upper + np.outer((tilt + apart * lids.arch * swell) * width, up)
    lower = lower + np.outer((tilt - apart * lids.below * swell) * width, up)
    return upper, lower


def _ball(paper: Paper, iris: Points, upper: Points, lower: Points, seen: Floats, opening: float) -> None:
    """What lies between open lids, and the lower one's line."""
    style, unit, up, weight = paper.sheet.eyes, paper.unit, paper.up, paper.weight
    inside = paper.shape(np.vstack([upper, lower[::-1]])) * seen
    paper.lay(srgb(style.white), inside)
    fall = up * unit * min(0.1, 0.3 * opening)
    shade = paper.shape(np.vstack([upper + up * unit * 0.1, (upper - fall)[::-1]]))
    paper.lay(srgb(style.shade), inside * shade * 0.6)
    _iris(paper, iris, inside, upper, lower)
    below = (lower - up * 0.2 * weight)[1:26]
    wide = 0.9 * weight * paper.sheet.lines.lid * pen.tapered(25, 0.16, 0.75)
    paper.line(below, wide, seen, style.lower)


def _iris(paper: Paper, iris: Points, inside: Floats, upper: Points, lower: Points) -> None:
    """Iris, pupil and catch-lights of one open eye, clipped by its opening."""
    style, up = paper.sheet.eyes, paper.up
    axes = np.stack([(iris[1] - iris[3])[:2], (iris[2] - iris[4])[:2]]) / 2 * style.iris
    axes *= np.copysign(1, [[axes[0] @ paper.across], [axes[1] @ up]])
    wide, tall = np.linalg.norm(axes, axis=1)
    centre = iris[0, :2]
    if wide < _NARROW * tall:  # seen from the side: wide enough to be read, and within the lids
        corner = (upper[-1] + lower[-1]) / 2
        ahead = paper.across * np.copysign(1, (corner - upper[0]) @ paper.across)
        axes[0] = paper.across * _NARROW * tall
        centre = centre + ahead * min(0.0, float((corner - centre) @ ahead) - 0.8 * _NARROW * tall)
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    around = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    radius = float(np.sqrt(np.abs(np.linalg.det(axes))))
    lit = np.array([np.copysign(wide > _NARROW * tall, paper.light), 1])

    def disc(scale: float, high: float = 0.0, aside: float = 0.0, narrow: float = 0.0) -> Floats:
        rim = around * [1 - narrow, 1 + 0.5 * narrow] * scale + lit * [aside, high]
        return paper.shape(centre + rim @ axes)

    whole = disc(1) * inside
    base = srgb(style.colour) if style.colour else np.asarray(paper.face.iris_colour, np.float32)
    light = np.minimum(base * (1 + 0.9 * style.glow) + 0.10 * style.glow, 1)
    y, x = np.mgrid[: paper.size[1], : paper.size[0]].astype(np.float32) + 0.5
    height = ((x - centre[0]) * up[0] + (y - centre[1]) * up[1]) / max(radius, 1e-6)
    # Dark below the lid, bright towards the chin: the depth of a drawn eye.
    dark = np.clip(0.5 + 0.75 * height, 0, 1)[..., None] ** 1.3
    paper.lay(base + dark * (base * 0.38 - base) + (1 - dark) ** 3 * 0.5 * (light - base), whole)
    pupil = disc(style.pupil, 0.02, 0, 0.75 * style.slit) * inside
    crescent = disc(0.74, -0.10) * (1 - disc(0.74, 0.24)) * (1 - pupil)
    paper.lay(light, whole * crescent * min(1.6 * style.glow, 1))
    inked = np.maximum((whole - disc(0.87) * inside) * 0.92, pupil)
    # The lash line's shade on the upper iris.
    lid = paper.shape(np.vstack([upper + up * radius, (upper - up * 0.22 * radius)[::-1]]))
    paper.lay(base * 0.22, whole * lid * 0.7)
    # A catch-light sits towards the light, high in the iris, and is never inked.
    size = style.catchlight
    # Within the iris, or it would look torn open: a rim of it stays around them.
    spots = [disc(size, 0.32, 0.27), disc(size * 0.45, -0.44, -0.36), disc(size * 0.28, -0.08, 0.62)]
    shine = np.max([np.zeros_like(whole), *spots[: style.catchlights]], axis=0) * whole
    paper.lay((1, 1, 1), shine)
    paper.mark(inked * (1 - np.minimum(shine * 1.2, 1)))
