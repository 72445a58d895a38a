"""The scalp: its surface by direction, the hairline, and what hair must not enter.

All coordinates are the person's rest pose, in metres. A direction from the skull's centre is given as azimuth
(0 is the face, 90 the person's left) and elevation, both in degrees.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter, grey_closing, map_coordinates
from scipy.spatial import cKDTree

from wbme.people import anatomy, body
from wbme.people.camera import towards

Floats = NDArray[np.float32]
Array = NDArray[np.float64]
Numbers = NDArray[np.integer]

CENTRE = np.array([0.0, 1.561, 0.040])  # of the skull, on the mean person
CELL = 0.01  # of the maps of trunk and clothes, metres
STEP = 3.0  # degrees between the rays that sample the head
AZIMUTHS = np.arange(-180.0, 180.0, STEP)
ELEVATIONS = np.arange(-75.0, 90.1, STEP)
# The hairline: forehead, temple, sideburn, over the ear, nape (elevation over the azimuth's absolute value).
_HAIRLINE = PchipInterpolator(
    [0, 22, 40, 52, 62, 68, 73, 78, 83, 92, 103, 111, 122, 145, 180],
    [30, 30.5, 29, 22, 8, -6, -17, -15, 2, 7, 4, -18, -44, -55, -57],
)


def hairline(azimuth: ArrayLike, receding: float = 0.0) -> Array:
    """Elevation of the hairline in degrees; ``receding`` in [0, 1] draws forehead and temples back."""
    a = np.abs((np.asarray(azimuth, float) + 180) % 360 - 180)
    back = receding * (9 * np.exp(-((a / 18) ** 2)) + 26 * np.exp(-(((a - 38) / 16) ** 2)))
    return _HAIRLINE(a) + back


def unit(v: NDArray[np.floating]) -> NDArray[np.floating]:
    """The vectors scaled to length 1 along the last axis."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _surface_under(mean: Floats, triangles: Numbers, k: int = 72) -> tuple[Numbers, Array]:
    """Where rays from ``CENTRE`` first leave the head: triangle corners R x 3 and barycentric weights R x 3,
    for every elevation (rows) and azimuth of the grid. The first crossing lies under the ears."""
    corners = mean[triangles].astype(float) - CENTRE
    directions = towards(*np.meshgrid(AZIMUTHS, ELEVATIONS)).reshape(-1, 3)
    _, near = cKDTree(unit(corners.mean(1))).query(directions, k=k)
    a, u, v = corners[near, 0], corners[near, 1] - corners[near, 0], corners[near, 2] - corners[near, 0]
    d = np.broadcast_to(directions[:, None], a.shape)
    p = np.cross(d, v)
    det = (u * p).sum(-1)
    det = np.where(np.abs(det) < 1e-14, 1e-14, det)
    s = -(a * p).sum(-1) / det
    q = np.cross(-a, u)
    t, along = (d * q).sum(-1) / det, (v * q).sum(-1) / det
    miss = np.maximum(np.maximum(-s, -t), np.maximum(s + t - 1, 0)) + (along < 0.01)
    best = np.argmin(np.where(miss < 1e-6, along, 10 + miss), axis=1)
    rows = np.arange(len(best))
    s, t = np.clip(s[rows, best], 0, 1), np.clip(t[rows, best], 0, 1)
    return triangles[near[rows, best]], np.stack([1 - s - t, s, t], 1)


@cache
def _under() -> tuple[Numbers, Array, Numbers, Numbers]:
    """On the mean person: the scalp's corners and weights; vertices of the ears and of head and neck."""
    mean, skin = body.mean(), anatomy.load().parts["skin"]
    triangles = skin.source[skin.triangles]
    triangles = triangles[mean[triangles][..., 1].min(1) > CENTRE[1] - 0.2]
    corners, weights = _surface_under(mean, triangles)
    numbers = np.unique(triangles)
    d = mean[numbers] - CENTRE
    scalp = (mean[corners] * weights[..., None]).sum(1) - CENTRE
    _, near = cKDTree(unit(scalp)).query(unit(d))
    out = np.linalg.norm(d, axis=1) - np.linalg.norm(scalp[near], axis=1)
    beside = (np.abs(d[:, 0]) > 0.055) & (np.abs(d[:, 2]) < 0.05) & (d[:, 1] > -0.08) & (d[:, 1] < 0.035)
    return corners, weights, numbers[(out > 0.002) & beside], numbers


@dataclass(frozen=True, eq=False)
class Skull:
    """The head of one person at rest: its surface over the direction grid, and what hair must not enter.

    tree, cloud, out: points of head and neck (without ears) and their outward normals. before, behind: over a
    grid of x and y (``CELL`` metres from ``corner``), how far the body reaches to the front and to the back
    at or above that height. levels: heights in metres of brow, eye, chin, shoulder, chest.
    """

    points: Array
    normals: Array
    centre: Array
    tree: cKDTree
    cloud: Array
    out: Array
    before: Array
    behind: Array
    corner: Array
    levels: dict[str, float]

    def at(self, azimuth: ArrayLike, elevation: ArrayLike) -> tuple[Array, Array]:
        """Points and unit normals of the scalp in these directions."""
        a = (np.asarray(azimuth, float) + 180) % 360 / STEP
        e = (np.asarray(elevation, float) - ELEVATIONS[0]) / STEP
        a, e = np.broadcast_arrays(a, e)
        grid = [
            map_coordinates(g, [e.ravel(), a.ravel() + 4], order=1, mode="nearest")
            for g in np.concatenate([self.points, self.normals], -1).transpose(2, 0, 1)
        ]
        both = np.stack(grid, -1).reshape(*a.shape, 6)
        return both[..., :3], unit(both[..., 3:])

    def hang(self, points: Array, front: NDArray[np.bool_]) -> Array:
        """How far, in z, points below the jaw are inside neck, trunk and clothes (front: seen from there)."""
        at = ((points[:, :2] - self.corner) / CELL).T
        before = map_coordinates(self.before, at, order=1, mode="nearest")
        behind = map_coordinates(self.behind, at, order=1, mode="nearest")
        return np.where(front, before - points[:, 2], behind - points[:, 2])


def ears() -> Numbers:
    """Numbers of the vertices of the ears."""
    return _under()[2]


def skull(person: body.Body, garments: list[Floats]) -> Skull:
    """The skull of a body at rest; hair will lie on the points (N x 3) of ``garments`` too."""
    corners, weights, ear, upper = _under()
    rest, base = person.vertices, person.anatomy
    grid = (rest[corners] * weights[..., None]).sum(1).reshape(len(ELEVATIONS), len(AZIMUTHS), 3)
    grid = np.stack([gaussian_filter(grid[..., k], 0.7, mode=("nearest", "wrap")) for k in range(3)], -1)
    grid[-1] = grid[-1].mean(0)
    centre = np.array([0.0, grid[-1, 0, 1] - 0.098, grid[25:, :, 2].mean()])
    padded = np.concatenate([grid[:, -4:], grid, grid[:, :5]], 1)  # azimuth goes round
    normals = unit(np.cross(np.gradient(padded, axis=1), np.gradient(padded, axis=0)))
    normals[-2:] = unit(normals[-3:-2].mean(1, keepdims=True))
    skin = base.parts["skin"]
    out = body.normals(rest, skin.source[skin.triangles])
    solid = np.setdiff1d(upper, ear)
    solid = solid[
        (rest[solid, 1] > centre[1] - 0.17)
        & ((np.abs(rest[solid, 0]) < 0.07) | (rest[solid, 1] > centre[1] - 0.13))
    ]
    eye = float(person.joints[base.bones.index("eye.L")][1])
    face = upper[(np.abs(body.mean()[upper, 0]) < 0.008) & (body.mean()[upper, 2] > 0.09)]
    chin = float(rest[face, 1].min())
    chin = max(chin, eye - 0.125)
    shoulder = float(person.joints[base.bones.index("upperarm01.L")][1])
    levels = {"brow": eye + 0.023, "eye": eye, "chin": chin, "shoulder": shoulder + 0.03}
    levels["chest"] = shoulder - 0.09
    trunk = rest[skin.source][:, :3]
    near = (np.abs(trunk[:, 0]) < 0.3) & (trunk[:, 1] < chin) & (trunk[:, 1] > shoulder - 0.45)
    points = np.concatenate([trunk[near], *garments])
    before, behind, corner = _reach(points, chin, centre[2])
    cloud, out = rest[solid].astype(float), out[solid].astype(float)
    collar = np.concatenate([np.zeros((0, 3)), *garments])
    axis = collar - [0, 0, centre[2] - 0.025]
    high = (collar[:, 1] > shoulder + 0.02) & (np.hypot(axis[:, 0], axis[:, 2]) < 0.105)
    cloud = np.concatenate([cloud, collar[high]])
    out = np.concatenate([out, unit(axis[high] * [1, 0, 1] + [0, 0.02, 0])])
    return Skull(padded, normals, centre, cKDTree(cloud), cloud, out, before, behind, corner, levels)


def _reach(points: Floats, top: float, middle: float) -> tuple[Array, Array, Array]:
    """``Skull.before``, ``behind`` and ``corner`` of a cloud of points below ``top``."""
    corner = np.array([-0.32, top - 0.62])
    cells = np.round((points[:, :2] - corner) / CELL).astype(int)
    shape = (round(0.64 / CELL) + 1, round(0.62 / CELL) + 1)
    ok = ((cells >= 0) & (cells < shape)).all(1)
    maps = []
    for sign in (1.0, -1.0):
        reach = np.full(shape, -0.06 + sign * (middle - 0.03))
        np.maximum.at(reach, tuple(cells[ok].T), sign * points[ok, 2])
        reach = grey_closing(reach, 5)
        reach = np.maximum.accumulate(reach[:, ::-1], 1)[
            :, ::-1
        ]  # nothing hangs back in under what stands out
        for k in range(1, shape[1]):  # and it leans out before it gets there
            reach[:, k] = np.maximum(reach[:, k], reach[:, k - 1] - 0.7 * CELL)
        maps.append(sign * gaussian_filter(reach, 1.2))
    return maps[0], maps[1], corner


def push_out(skull: Skull, points: Array, margin: ArrayLike, cling: ArrayLike = 0.0) -> Array:
    """Move points that are nearer than ``margin`` to head or neck outwards, and those farther off a share
    ``cling`` of the way back."""
    flat = points.reshape(-1, 3)
    distance, near = skull.tree.query(flat, k=3, distance_upper_bound=0.12)
    ok = np.isfinite(distance)
    near = np.where(ok, near, 0)
    weight = np.where(ok, 1 / (distance + 1e-4) ** 2, 0)
    total = weight.sum(1, keepdims=True)
    weight = weight / np.maximum(total, 1e-12)
    normal = unit((skull.out[near] * weight[..., None]).sum(1))
    depth = (((flat[:, None] - skull.cloud[near]) * skull.out[near]).sum(-1) * weight).sum(1)
    lack = np.clip(np.broadcast_to(margin, points.shape[:-1]).ravel() - depth, -0.05, 0.05) * (
        total[:, 0] > 0
    )
    lack = np.where(lack > 0, lack, lack * np.broadcast_to(cling, points.shape[:-1]).ravel())
    return (flat + normal * lack[:, None]).reshape(points.shape)
