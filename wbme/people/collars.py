"""Collars: what is sewn to the neckline of a garment, lofted along its rim."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from wbme.people import body
from wbme.people.cloth import Array, Numbers, borders
from wbme.people.clothes import Garment
from wbme.people.hair import grid_triangles
from wbme.people.scalp import unit
from wbme.people.wear import tube


@dataclass(frozen=True, eq=False)
class Rim:
    """The border around the neck, evenly resampled from the front over the person's left and the back to the
    front again: points, out (the cloth's normal), up (along the body towards the head), nearest (vertices of
    the garment), back (0 at the front to 1 at the back)."""

    points: Array
    out: Array
    up: Array
    nearest: Numbers
    back: Array


def neck_rim(garment: Garment, count: int = 128) -> Rim:
    """The border of a garment that goes around the neck."""
    outer = garment.triangles[(garment.triangles < garment.count).all(1)]
    loop = max(borders(outer), key=lambda one: garment.rest[one, 1].min())
    p = garment.points[loop]
    p = np.roll(p, -int(np.argmin(np.abs(p[:, 0]) + 10 * (p[:, 2] < p[:, 2].mean()))), 0)
    if p[len(p) // 4, 0] < 0:
        p = np.roll(p[::-1], 1, 0)
    closed = np.concatenate([p, p[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count, endpoint=False)
    points = np.stack([np.interp(at, length, closed[:, k]) for k in range(3)], 1)
    points[:, 0] = (points[:, 0] - np.roll(points[::-1], 1, 0)[:, 0]) / 2  # symmetric
    for k in (1, 2):
        points[:, k] = (points[:, k] + np.roll(points[::-1], 1, 0)[:, k]) / 2
    _, nearest = cKDTree(garment.points[: garment.count]).query(points)
    out = body.normals(garment.points[: garment.count], outer).astype(float)[nearest]
    for _ in range(8):
        out = unit(out + np.roll(out, 1, 0) + np.roll(out, -1, 0))
    up = unit(np.cross(out, np.roll(points, -1, 0) - np.roll(points, 1, 0)))
    up *= np.sign((up[:, 1] * 1.0).sum())
    half = count / 2
    return Rim(points, out, up, nearest, 1 - np.abs(np.arange(count) - half) / half)


def attached(
    garment: Garment, part: str, sheet: Array, nearest: Numbers, colour: Array, *, wrap: bool = True,
    lift: float = 0.0,
) -> Garment:  # fmt: skip
    """A further piece, rows x columns x 3 at rest, that follows ``garment`` at its vertices ``nearest`` (one
    a column). lift > 0 keeps it that far (metres) outside the garment, and lets it follow what it lies on."""
    rows, columns, _ = sheet.shape
    points = sheet.reshape(-1, 3)
    if lift:
        own = garment.points[: garment.count]
        inner = garment.triangles[(garment.triangles < garment.count).all(1)]
        normal = body.normals(own, inner).astype(float)
        distance, near = cKDTree(own).query(points)
        depth = ((points - own[near]) * normal[near]).sum(1)
        push = np.where(distance < 0.05, np.clip(lift - depth, 0, 0.03), 0)
        pushed = (points + normal[near] * push[:, None]).reshape(rows, columns, 3)
        for _ in range(4):  # the push follows every facet: smooth along the rows
            left, right = np.roll(pushed, 1, 1), np.roll(pushed, -1, 1)
            if not wrap:
                left[:, 0], right[:, -1] = pushed[:, 0], pushed[:, -1]
            keep = np.ones((1, columns, 1))
            if not wrap:
                keep[:, [0, -1]] = 0
            pushed = pushed + 0.5 * keep * ((left + right) / 2 - pushed)
        points = pushed.reshape(-1, 3)
        nearest_all = near
    else:
        nearest_all = np.tile(nearest, rows)
    return replace(
        garment, part=part, points=points, rest=garment.rest[nearest_all],
        triangles=grid_triangles(rows, columns, wrap), bone=garment.bone[nearest_all],
        weight=garment.weight[nearest_all], uv=garment.uv[nearest_all],
        colour=colour, texture=None, smooth=0.6, count=rows * columns, folds=[],
    )  # fmt: skip


def _rib(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    """A knitted band along the neckline."""
    profile = ((-0.002, -0.001), (-0.002, 0.0024), (0.004, 0.0036), (0.010, 0.0030), (0.0125, 0.0010),
               (0.0105, -0.001))  # fmt: skip
    sheet = np.stack([rim.points + rim.up * h + rim.out * o for h, o in profile])
    return [attached(made, "collar", sheet, rim.nearest, colour * 0.90)]


def _fold_over(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    """A turtleneck's turned-down tube."""
    drop = np.array([0.0, -1.0, 0.0])
    profile = ((-0.002, -0.001), (0.003, 0.001), (0.004, 0.004), (0.000, 0.0072), (-0.016, 0.0085),
               (-0.034, 0.0085), (-0.041, 0.0070), (-0.041, 0.003))  # fmt: skip
    level = unit(rim.out * [1, 0, 1])
    for _ in range(12):
        level = level / 2 + (np.roll(level, 1, 0) + np.roll(level, -1, 0)) / 4
    sheet = np.stack([rim.points - drop * h + level * o for h, o in profile])
    return [attached(made, "collar", sheet, rim.nearest, colour * 0.97)]


def _leaf(
    made: Garment, rim: Rim, colour: Array, stand: Callable[[Array], Array], width: Callable[[Array], Array],
    spread: Callable[[Array], Array], gap: float, part: str,
) -> Garment:  # fmt: skip
    """A collar that stands up from the neckline and falls outwards. stand, width, spread (towards the front):
    metres as functions of ``Rim.back``; gap: how much of the rim stays open at the front."""
    count = len(rim.points)
    skip = max(1, round(gap * count / 2))
    pick = np.arange(skip, count - skip + 1)
    b = np.clip((rim.back[pick] - gap) / (1 - gap), 0, 1)
    p, out, up = rim.points[pick], rim.out[pick], rim.up[pick]
    ahead = unit(np.gradient(p, axis=0))
    ahead *= np.where(np.arange(len(pick)) < len(pick) / 2, -1, 1)[:, None]  # towards the front
    top = p + up * stand(b)[:, None] + out * 0.003
    end = p - up * width(b)[:, None] + ahead * spread(b)[:, None] + out * 0.007
    rows = [p - up * 0.004 + out * 0.001, p + up * 0.5 * stand(b)[:, None] + out * 0.0015, top]
    for r in (0.06, 0.2, 0.4, 0.6, 0.8, 0.97, 1.0):
        rows.append(top + (end - top) * r + out * (0.006 * np.sin(np.pi * r) ** 0.6 + 0.001)[..., None])
    rows.append(end - out * 0.0035 + up * 0.0015)
    return attached(made, part, np.stack(rows), rim.nearest[pick], colour, wrap=False, lift=0.0035)


def _shirt(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    collar = _leaf(
        made, rim, np.minimum(colour * 1.03, 0.96), lambda b: 0.010 + 0.016 * np.minimum(b * 2, 1),
        lambda b: 0.020 + 0.034 * np.exp(-((b / 0.22) ** 2)), lambda b: 0.020 * np.exp(-((b / 0.2) ** 2)),
        0.012, "collar",
    )  # fmt: skip
    return [collar, *buttons(made, rim, 5, np.array([0.72, 0.70, 0.67]), 0.0052)]


def buttons(made: Garment, rim: Rim, count: int, colour: Array, radius: float) -> list[Garment]:
    """``count`` buttons down the front below the neckline; ``radius`` in metres."""
    top = rim.points[0]
    front = (np.abs(made.points[: made.count, 0]) < 0.03) & (made.points[: made.count, 2] > top[2] - 0.08)
    own = np.flatnonzero(front)
    out = []
    for k in range(count):
        y = top[1] - 0.030 - (0.085 if count > 2 else 0.105) * k
        near = own[np.argmin(np.abs(made.points[own, 1] - y) + 2 * np.abs(made.points[own, 0]))]
        z = made.points[near, 2] + 0.002
        t = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        ring = np.stack([np.cos(t), np.sin(t), 0 * t], 1)
        at, thick = np.array([0.0, made.points[near, 1], z]), np.array([0, 0, 0.35 * radius])
        sheet = np.stack([at + ring * radius, at + ring * 0.88 * radius + thick, at + ring * 1e-5 + thick])
        out.append(attached(made, "button", sheet, np.full(14, near), colour))
    return out


def tie(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    """A tie: its knot in the neckline and its blade down the front."""
    top = rim.points[0] + np.array([0, 0.006, 0.006])
    length = np.concatenate([np.linspace(0, 0.045, 6), np.linspace(0.05, 0.36, 16)])
    wide = np.interp(
        length, [0, 0.008, 0.034, 0.045, 0.05, 0.32, 0.36], [0.015, 0.019, 0.012, 0.010, 0.013, 0.034, 0.0005]
    )
    bulge = np.interp(length, [0, 0.01, 0.036, 0.048, 0.06], [0.007, 0.011, 0.009, 0.002, 0.0])
    u = np.linspace(-1, 1, 9)
    own = made.points[: made.count]
    front = own[(np.abs(own[:, 0]) < 0.03) & (own[:, 2] > 0)]
    order = np.argsort(front[:, 1])
    y = top[1] - length
    z = np.interp(y, front[order, 1], front[order, 2])
    z = np.maximum(z, top[2] - 0.01)
    sheet = np.stack(
        [
            np.stack([u * w, np.full(9, h), d + 0.004 + b * (1 - u**2)], 1)
            for w, h, d, b in zip(wide, y, z, bulge, strict=True)
        ]
    )
    nearest = np.full(9, rim.nearest[0])
    knot = attached(made, "knot", sheet[:6], nearest, np.clip(colour * 0.94, 0, 1), wrap=False, lift=0.009)
    blade = attached(made, "tie", sheet[5:], nearest, colour, wrap=False, lift=0.006)
    return [blade, knot]


def crest(made: Garment) -> Garment:
    """The badge of a school, a shield on the left breast."""
    side, down = np.meshgrid(np.linspace(-0.02, 0.02, 7), np.linspace(0, 1, 7))
    x = 0.082 + side * np.sqrt(np.clip(1 - down**3, 0.001, 1))
    rest = made.rest[: made.count]
    ahead = np.flatnonzero(rest[:, 2] > 0.02)
    _, near = cKDTree(rest[ahead, :2]).query(np.stack([x, 1.205 - 0.055 * down], -1).reshape(-1, 2), k=3)
    sheet = made.points[ahead[near]].mean(1).reshape(7, 7, 3)
    colour = np.array([0.78, 0.62, 0.25])
    return attached(made, "crest", sheet, ahead[near[:7, 0]], colour, wrap=False, lift=0.0025)


def _lapels(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    def width(b: Array) -> Array:
        lapel = 0.082 * np.clip(b / 0.50, 0, 1) ** 0.8
        collar = 0.050 - 0.012 * np.clip((b - 0.56) / 0.3, 0, 1)
        notch = 1 / (1 + np.exp(-(b - 0.525) / 0.006))
        dip = 0.022 * np.exp(-(((b - 0.525) / 0.016) ** 2))
        return lapel * (1 - notch) + collar * notch - dip

    def stand(b: Array) -> Array:
        return 0.002 + 0.020 * np.clip((b - 0.5) / 0.2, 0, 1)

    def spread(b: Array) -> Array:
        return -0.012 * np.exp(-(((b - 0.4) / 0.2) ** 2))

    return [_leaf(made, rim, np.clip(colour * 1.06, 0, 1), stand, width, spread, 0.012, "lapel")]


def _hood(made: Garment, rim: Rim, colour: Array) -> list[Garment]:
    """A hood that lies on the back: a roll around the neck, thick behind, and two strings."""
    b = rim.back
    r = 0.0085 + 0.030 * np.clip((b - 0.22) / 0.6, 0, 1) ** 1.3
    centre = rim.points + rim.out * (0.55 * r)[:, None] + rim.up * (0.15 * r)[:, None]
    rows = []
    for angle in np.linspace(-0.75 * np.pi, 0.95 * np.pi, 13):
        across, along = np.cos(angle), np.sin(angle)
        rows.append(centre + rim.out * (r * across * 0.85)[:, None] + rim.up * (r * along * 1.25)[:, None])
    hood = attached(made, "hood", np.stack(rows), rim.nearest, colour * 0.97, lift=0.002)
    back = np.flatnonzero(b > 0.62)
    s = np.linspace(0, 1, 9)[:, None, None]
    fall = np.sin(np.clip((b[back] - 0.62) / 0.38, 0, 1) * np.pi / 2)[None, :, None]
    start = centre[back] + rim.out[back] * 0.8 * r[back][:, None]
    bag = (
        start
        + s * fall * (np.array([0.0, -0.16, -0.012]) + 0 * start)
        + rim.out[back] * (0.022 * np.sin(np.pi * s) * fall)
    )
    bag[..., 0] *= 1 - 0.45 * s[..., 0] ** 2
    pouch = attached(made, "hood", bag, rim.nearest[back], colour * 0.95, wrap=False, lift=0.006)
    strings = []
    for side in (5, len(b) - 5):
        start = rim.points[side] + rim.out[side] * 0.012
        length = np.linspace(0, 0.11, 12)[:, None]
        path = start + length * np.array([0.05 * np.sign(start[0]), -1.0, 0.0])
        sheet = tube(path, 0.0030, sides=6)[0].reshape(12, 6, 3)
        near, tone = np.full(6, rim.nearest[side]), np.clip(colour * 1.25 + 0.08, 0, 0.95)
        strings.append(attached(made, "string", sheet, near, tone, lift=0.004))
    return [hood, pouch, *strings]


COLLARS: dict[str, Callable[[Garment, Rim, Array], list[Garment]]] = {
    "tee": _rib, "long sleeve": _rib, "v-neck": _rib, "turtleneck": _fold_over, "hoodie": _hood,
    "shirt": _shirt, "jacket": _lapels, "coat": _lapels, "vest": _rib,
}  # fmt: skip
