"""Hair as shapes: guide curves that flow over the scalp and tapered clumps lofted along them."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from wbme.base.seeds import generator
from wbme.geometry.parsing import INDEX
from wbme.people.body import normals as vertex_normals
from wbme.people.camera import towards
from wbme.people.mesh import Mesh
from wbme.people.scalp import Array, Floats, Skull, hairline, push_out, unit

SIDES = 8  # of the tubes that clumps are
CLUMP = 0.4  # how much the shading of a clump is its own, not its mass's


class Pieces(NamedTuple):
    """Geometry of hair: points V x 3, triangles T x 3, uv V x 2 (u across, v root to tip), tangents along the
    strands and normals for shading, V x 3."""

    points: Floats
    triangles: NDArray[np.int32]
    uv: Floats
    tangents: Floats
    normals: Floats


def grow(
    skull: Skull, roots: Array, heading: Array, *, length: ArrayLike, height: ArrayLike = 0.010,
    stiffness: float = 0.82, gravity: float = 0.22, inward: float = 0.0, cling: float = 0.3,
    face: float = 0.064, steps: int = 48,
) -> Array:  # fmt: skip
    """Guide curves G x (steps + 1) x 3 from ``roots`` G x 3 that start along ``heading``, fall and slide over
    head and shoulders at ``height`` metres.

    gravity and stiffness weigh the pull down and the direction so far; inward > 0 curls the ends under, < 0
    flips them out. cling: how much hair above the jaw keeps to ``height``. face: half width in metres that
    stays free in front of the face (0: hair may cross it).
    """
    step = (np.broadcast_to(length, len(roots)) / steps)[:, None]
    height = np.broadcast_to(height, len(roots))
    p, t, path = roots.astype(float), unit(heading), [roots.astype(float)]
    down = np.array([0.0, -1.0, 0.0])
    ahead = roots[:, 2] + 0.04 * heading[:, 2] > skull.centre[2] + 0.012  # falls to the front of the shoulder
    low, front = skull.levels["brow"] + 0.02, skull.centre[2] + 0.045
    for k in range(1, steps + 1):
        s = k / steps
        axis = unit((p - skull.centre) * [1, 0, 1])
        low_down = np.clip((skull.levels["chin"] + 0.02 - p[:, 1:2]) / 0.05, 0, 1)
        t = t - low_down * [2.5, 0, 0] * np.sign(p) * np.maximum(np.abs(p) - 0.105, 0) * 10
        curl = inward * np.clip((s - 0.55) / 0.45, 0, 1) * (p[:, 1:2] < skull.centre[1] - 0.02)
        t = unit(t * stiffness + down * gravity - axis * curl)
        hold = cling * np.clip((p[:, 1] - skull.levels["chin"]) / 0.06, 0, 1)
        q = push_out(skull, p + t * step, height * min(1, 0.25 + 4 * s), hold)
        if face:
            inside = (q[:, 2] > front) & (q[:, 1] < low) & (q[:, 1] > skull.levels["chin"] - 0.1)
            side = np.where(roots[:, 0] + 0.3 * heading[:, 0] < 0, -1, 1)
            need = np.where(inside, face + 0.6 * (q[:, 2] - front) - side * q[:, 0], 0)  # seen from aside too
            give = np.clip(need, 0, step[:, 0])
            q += np.stack([0.8 * side * give, 0 * give, -0.6 * give], 1)
        inside = skull.hang(q, ahead) + np.where(ahead, 1, -1) * (height + 0.009)
        inside = np.where(ahead, np.maximum(inside, 0), np.minimum(inside, 0))
        q[:, 2] += inside * np.clip((skull.levels["chin"] + 0.015 - q[:, 1]) / 0.07, 0, 1) ** 2
        t = unit(q - p)
        p = p + t * step
        path.append(p)
    guides = np.stack(path, 1)
    for _ in range(3):
        guides[:, 1:-1] = guides[:, 1:-1] / 2 + (guides[:, 2:] + guides[:, :-2]) / 4
    return guides


def arc(
    skull: Skull, start: tuple[ArrayLike, ArrayLike], goal: tuple[ArrayLike, ArrayLike], height: ArrayLike,
    samples: int = 20,
) -> Array:  # fmt: skip
    """The shortest ways over the scalp from directions ``start`` to ``goal`` (azimuth, elevation), M x S x 3,
    that rise from under the surface to ``height`` metres (a number, M, or M x S)."""
    one, two = np.broadcast_arrays(towards(*start), towards(*goal))
    angle = np.arccos(np.clip((one * two).sum(-1), -0.999, 0.99999))[:, None, None]
    s = np.linspace(0, 1, samples)[None, :, None]
    way = (np.sin((1 - s) * angle) * one[:, None] + np.sin(s * angle) * two[:, None]) / np.sin(angle)
    azimuth = np.degrees(np.arctan2(way[..., 0], way[..., 2]))
    base, normal = skull.at(azimuth, np.degrees(np.arcsin(way[..., 1].clip(-1, 1))))
    high = np.asarray(height, float)
    high = np.broadcast_to(high if high.ndim == 2 else high.reshape(-1, 1), way.shape[:2])
    rise = -0.2 + 1.2 * np.sin(np.minimum(s[..., 0] / 0.4, 1) * np.pi / 2)
    return base + normal * (high * rise)[..., None]


def drape(
    skull: Skull, start: tuple[ArrayLike, ArrayLike], goal: tuple[ArrayLike, ArrayLike], *,
    height: ArrayLike, beyond: ArrayLike, samples: int = 30, **falling: float,
) -> Array:  # fmt: skip
    """Guides M x ``samples`` x 3 that flow over the scalp from ``start`` to ``goal`` (see ``arc``) and fall
    ``beyond`` metres from there (``falling``: see ``grow``)."""
    upper = arc(skull, start, goal, height)
    count = len(upper)
    lower = grow(skull, upper[:, -1], upper[:, -1] - upper[:, -3], length=beyond, height=height, **falling)
    whole = np.concatenate([upper, lower[:, 1:]], 1)
    steps = np.linalg.norm(np.diff(whole, axis=1), axis=2)
    along = np.concatenate([np.zeros((count, 1)), np.cumsum(steps, 1)], 1)
    fine = 4 * samples
    guides = np.empty((count, fine, 3))
    for row, (points, length) in enumerate(zip(whole, along, strict=True)):
        at = np.linspace(0, length[-1], fine)
        guides[row] = np.stack([np.interp(at, length, points[:, k]) for k in range(3)], 1)
    smooth = gaussian_filter1d(guides, 0.035 * fine, axis=1, mode="nearest")
    ends = np.clip(np.minimum(np.arange(fine), np.arange(fine)[::-1]) / (0.07 * fine), 0, 1)[None, :, None]
    return guides + ends * (smooth - guides)


def cut(guides: Array, end: Array, samples: int = 18) -> Array:
    """The guides resampled evenly to ``samples`` points; each stops where it falls below height ``end``."""
    steps = guides.shape[1]
    below = guides[..., 1] < np.broadcast_to(end, len(guides))[:, None]
    below[:, : steps // 5] = False
    last = np.where(below.any(1), below.argmax(1), steps - 1)
    at = np.linspace(0, 1, samples)[None] * last[:, None]
    low = np.minimum(at.astype(int), steps - 2)
    rows, part = np.arange(len(guides))[:, None], (at - low)[..., None]
    return guides[rows, low] * (1 - part) + guides[rows, low + 1] * part


def spare_eyes(skull: Skull, guides: Array, end: Array) -> Array:
    """``end`` heights for ``cut``, raised where a guide would cross the eyes."""
    x, y, z = np.moveaxis(guides, -1, 0)
    low, high = skull.levels["eye"] - 0.035, skull.levels["eye"] + 0.019
    over = (np.abs(x) < 0.047) & (y < high) & (y > low) & (z > skull.centre[2] + 0.045)
    first = np.where(over, y, -np.inf).max(1)
    return np.maximum(end, np.where(np.isfinite(first), first, -9.0))


def outward(skull: Skull, points: Array) -> Array:
    """The direction away from the head, or from the axis below it, at ``points``."""
    axis = np.stack(
        [
            0 * points[..., 0],
            np.maximum(points[..., 1], skull.centre[1]),
            skull.centre[2] + 0 * points[..., 2],
        ],
        -1,
    )
    axis[..., 1] = np.minimum(axis[..., 1], skull.centre[1])
    axis[..., 1] = np.where(points[..., 1] < skull.centre[1], points[..., 1], axis[..., 1])
    return unit(points - axis)


def loft(
    guides: Array, normal: Array, width: ArrayLike, *, thick: float = 0.3, root: float = 0.45,
    tip: float = 0.5,
) -> Pieces:  # fmt: skip
    """Clumps: flattened tubes along guides G x S x 3 that swell from ``root`` of ``width`` and run out to a
    point from ``tip`` of the length on."""
    count, samples, _ = guides.shape
    away = normal
    tangent = unit(np.gradient(guides, axis=1))
    normal = unit(normal - (normal * tangent).sum(-1, keepdims=True) * tangent)
    across = np.cross(tangent, normal)
    v = np.linspace(0, 1, samples)
    swell = root + (1 - root) * np.sin(np.minimum(v / 0.35, 1) * np.pi / 2)
    taper = (1 - np.clip((v - tip) / (1 - tip), 0, 1) ** 1.8) ** 0.85
    half = np.broadcast_to(width, count)[:, None] * (swell * np.maximum(taper, 0.02))[None] / 2
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    x, y = np.cos(angle), np.where(np.sin(angle) > 0, 1.0, 0.45) * np.sin(angle) * thick
    ring = across[:, :, None] * x[:, None] + normal[:, :, None] * y[:, None]
    points = guides[:, :, None] + half[:, :, None, None] * ring
    index = np.arange(count * samples * SIDES).reshape(count, samples, SIDES)
    a, b = index[:, :-1], index[:, 1:]
    c, d = np.roll(b, -1, 2), np.roll(a, -1, 2)
    triangles = np.concatenate(
        [np.stack([a, b, d], -1).reshape(-1, 3), np.stack([d, b, c], -1).reshape(-1, 3)]
    )
    u = np.broadcast_to((x + 1) / 2, (count, samples, SIDES))
    uv = np.stack([u, np.broadcast_to(v[None, :, None], u.shape)], -1)
    along = np.broadcast_to(tangent[:, :, None], points.shape)
    # Shading follows the mass of hair, and the round of the clump only in part.
    round_ = across[:, :, None] * x[:, None] + normal[:, :, None] * np.sin(angle)[:, None]
    soft = unit((1 - CLUMP) * away[:, :, None] + CLUMP * round_)
    return pieces(points, triangles, uv, along, soft)


def pieces(points: Array, triangles: Array, uv: Array, along: Array, normals: Array) -> Pieces:
    """``Pieces`` of arrays of any shape whose last axis is the coordinate."""
    flat = [x.reshape(-1, x.shape[-1]).astype(np.float32) for x in (points, uv, along, normals)]
    return Pieces(flat[0], triangles.astype(np.int32), *flat[1:])


def grid_triangles(rows: int, columns: int, wrap: bool = False) -> NDArray[np.int32]:
    """Triangles of a rows x columns grid of vertices; ``wrap`` joins the last column to the first."""
    index = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(index, -1, 1) if wrap else index[:, 1:]
    left = index if wrap else index[:, :-1]
    a, b, c, d = left[:-1], right[:-1], right[1:], left[1:]
    return np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))]).astype(np.int32)


@cache
def _strand_texture(kind: str, size: int = 256) -> NDArray[np.uint8]:
    """S x S x 4 of strands along v: streaks of light and dark; the coverage frays at the tips ("lock"), at
    the hairline ("cap") or nowhere ("curls")."""
    rng = generator(0, "hair texture", kind)
    streak = gaussian_filter(rng.standard_normal((size, size)), (size / 14, 0.8), mode="wrap")
    broad = gaussian_filter(rng.standard_normal((size, size)), (size / 5, 5), mode="wrap")
    tone = 0.93 + 0.05 * streak / streak.std() + 0.04 * broad / broad.std()
    v = np.linspace(1, 0, size)[:, None]  # row 0 is v = 1
    fray = streak / streak.std()
    if kind == "lock":
        cover = 1.4 - np.clip((v - 0.88) / 0.12, 0, 1) * (0.55 + 0.35 * fray)
    elif kind == "curls":
        cover = np.ones_like(tone)
    else:
        grain = gaussian_filter(rng.standard_normal((size, size)), (8.0, 0.6), mode="wrap")
        cover = np.clip(v / 0.10, 0, 1) * 1.5 - 0.25 + 0.13 * grain / grain.std() * (v < 0.14)
    out = np.empty((size, size, 4))
    out[..., :3] = np.clip(tone, 0.55, 1.0)[..., None]
    out[..., 3] = np.clip(cover, 0, 1)
    return (out * 255).round().astype(np.uint8)


def hair_mesh(
    part: str, made: Pieces, colour: ArrayLike, *, shade: ArrayLike | None = None, kind: str = "lock",
    smooth: float = 0.75, clump: NDArray[np.int32] | None = None,
) -> Mesh:  # fmt: skip
    """A Mesh of hair: ``colour`` sRGB, darker at the root and lighter at the tip; ``shade`` V factors;
    ``clump`` V: see Mesh."""
    points, triangles, uv, tangents, normals = made
    v = uv[:, 1]
    tone = (0.86 + 0.16 * v if kind == "lock" else 0.86 + 0 * v) * (1 if shade is None else shade)
    return Mesh(
        part=part,
        material="hair",
        positions=points,
        normals=normals,
        rest=points,
        uv=uv,
        triangles=triangles,
        labels=np.full(len(points), INDEX["hair"], np.uint8),
        albedo=np.clip(np.asarray(colour)[None] * np.asarray(tone)[:, None], 0, 1).astype(np.float32),
        texture=_strand_texture(kind),
        tangents=tangents,
        smooth=np.full(len(points), smooth, np.float32),
        clump=clump,
    )


def cap(
    skull: Skull, thickness: ArrayLike, *, receding: float = 0.0, rows: int = 26, columns: int = 96,
    edge: float = 0.0006, rise: float = 22.0, across: Callable[[Array, Array], Array] | None = None,
    lower: Callable[[Array], Array] | None = None,
) -> Pieces:  # fmt: skip
    """The closed scalp volume from hairline (v = 0, ``edge`` metres thick) to crown,
    full from ``rise`` degrees above it on.

    thickness: metres, a number or a function of azimuth and elevation grids (rows x columns); across: such a
    function for u, along whose equal values the strands run (curls), instead of straight to the crown;
    lower: degrees by which the hairline lies lower, of azimuths.
    """
    t = np.linspace(0, 1, rows)[:, None] ** 1.15
    azimuth = np.linspace(-180, 180, columns + 1)[None]
    line = hairline(azimuth, receding) - (lower(azimuth) if lower else 0)
    elevation = line + (90 - line) * t
    azimuth = np.broadcast_to(azimuth, elevation.shape)
    base, normal = skull.at(azimuth, elevation)
    deep = (
        thickness(azimuth, elevation) if callable(thickness) else np.broadcast_to(thickness, elevation.shape)
    )
    risen = np.sin(np.clip((elevation - line) / rise, 0, 1) * np.pi / 2)
    points = base + normal * (edge + (deep - edge) * risen)[..., None]
    points[-1] = points[-1].mean(0)
    uv = np.stack([(azimuth + 180) / 360 * 3 % 1.0001, np.broadcast_to(t, azimuth.shape)], -1)
    uv[..., 0] = np.abs((azimuth + 180) / 60 % 2 - 1)  # mirrored, so that no seam shows
    along = unit(np.gradient(points, axis=0) * -1)
    if across is not None:
        uv[..., 0] = across(azimuth, elevation)
    triangles = grid_triangles(rows, columns + 1)
    own = vertex_normals(points.reshape(-1, 3).astype(np.float32), triangles).reshape(points.shape)
    own[:, -1] = own[:, 0] = unit(own[:, -1] + own[:, 0])
    soft = unit((1 - CLUMP) * normal + CLUMP * own)
    soft[-1] = unit(soft[-1].mean(0))
    return pieces(points, triangles, uv, along, soft)
