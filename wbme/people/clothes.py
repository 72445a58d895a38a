"""Garments: cloth offset from the body at rest, cut along necklines and hems, that follows the bones.

Fields that say where a garment ends are positive inside it, in metres, and are read on the mean person, so
that they fit everybody.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX
from wbme.people import body, rig
from wbme.people.cloth import Array, Numbers, borders, fabric, limbs, neighbours, weights_of
from wbme.people.folds import fold
from wbme.people.mesh import Curve, Mesh
from wbme.people.patterns import SPAN
from wbme.people.scalp import unit

NECK = np.array([0.0, 1.405, 0.012])  # the middle of the neck's base on the mean person


@dataclass(frozen=True)
class Cut:
    """The shape of a garment. Metres on the mean person unless said otherwise.

    front, back: how far below ``NECK`` the neckline lies; wide: how far it reaches to the side; vee: 0 round
    to 1 V-shaped. sleeve: share of the arm covered. hem: height of the lower edge. ease: distance from the
    body; loose: 0 fitted to 1 hanging straight down.
    waist: the garment is worn below, from ``hem`` up to ``waist``.
    """

    front: float = 0.050
    back: float = 0.006
    wide: float = 0.078
    vee: float = 0.0
    sleeve: float = 0.30
    hem: float = 0.86
    ease: float = 0.008
    loose: float = 0.7
    waist: float | None = None


def neckline(cut: Cut, p: Array) -> Array:
    """Positive below the neckline, at points of the mean person."""
    x, z = p[:, 0], p[:, 2] - NECK[2]
    ahead = 1 / (1 + np.exp(-z / 0.012))
    depth = cut.back + (cut.front - cut.back) * ahead
    t = np.abs(x) / cut.wide
    round_ = 1 - np.minimum(t, 1) ** 2.4
    shape = round_ * (1 - cut.vee * ahead) + np.maximum(1 - t, 0) * cut.vee * ahead
    top = NECK[1] + 0.012 - (depth + 0.012) * shape + 0.25 * np.maximum(t - 1, 0) * cut.wide
    return top - p[:, 1]


def covered(cut: Cut, p: Array, along: Array, arm: Array) -> Array:
    """Positive where the garment lies: p V x 3 on the mean person, with ``limbs`` of the vertices."""
    length = 0.52  # of an arm
    inside = neckline(cut, p) if cut.waist is None else cut.waist - p[:, 1]
    if cut.sleeve < 0.12:  # sleeveless: cut around the shoulder's end
        inside = np.minimum(
            inside, 0.135 + 10 * cut.sleeve * 0.012 - np.abs(p[:, 0]) + 0.15 * (1.33 - p[:, 1])
        )
    else:
        inside = np.where(arm > 0.5, np.minimum(inside, (cut.sleeve - along) * length), inside)
    return np.minimum(inside, np.where(arm > 0.5, 1.0, p[:, 1] - cut.hem))


@dataclass(frozen=True, eq=False)
class Garment:
    """Cloth on a body at rest: points, and ``rest`` on the mean person, V x 3 metres; bone, weight: V x 6
    skin weights; colour: sRGB in [0, 1]; label: of wbme.geometry.parsing; folds: rows of vertices, each a
    line that an artist may draw."""

    part: str
    points: Array
    rest: Array
    triangles: Numbers
    bone: NDArray[np.int32]
    weight: NDArray[np.float32]
    uv: Array
    colour: Array
    texture: NDArray[np.uint8] | None = None
    smooth: float = 0.3
    count: int = 0  # of the vertices before the hems'
    label: str = "cloth"
    folds: list[Numbers] = field(default_factory=list)

    def posed(self, moves: Array) -> Mesh:
        """The mesh in a posture (``body.Posed.moves``)."""
        points = rig.skin(self.points, self.bone, self.weight, moves)
        normals = body.normals(points, self.triangles)
        return Mesh(
            self.part, "cloth", points, normals, self.rest.astype(np.float32), self.uv.astype(np.float32),
            self.triangles.astype(np.int32), np.full(len(points), INDEX[self.label], np.uint8),
            np.broadcast_to(self.colour, points.shape).astype(np.float32).copy(), self.texture,
            smooth=np.full(len(points), self.smooth, np.float32),
        )  # fmt: skip

    def lines(self, mesh: Mesh) -> list[Curve]:
        """The folds of ``mesh``, which is this garment posed, as curves that run out at their lower end."""
        curves = []
        for row in self.folds:
            path = (mesh.positions[row] + np.float32(0.001) * mesh.normals[row]).astype(float)
            for _ in range(3):
                path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
            width = np.sin(np.pi * np.linspace(0.25, 1, len(path))).astype(np.float32)
            curves.append(Curve("fold", path.astype(np.float32), 0.85 * width))
        return curves


def tailor(
    person: body.Body, cut: Cut, part: str, colour: Array, rng: np.random.Generator, *,
    texture: NDArray[np.uint8] | None = None, under: float = 0.0, folded: float = 1.0,
) -> Garment:  # fmt: skip
    """Make a garment of ``cut`` for a body at rest. under: room for what is worn below, metres; folded: how
    deep its folds are, 1 for what is worn outermost."""
    whole = fabric("tights")
    along, arm = limbs()
    mean = whole.mean()
    cloth = whole.clip(covered(cut, mean, whole.blend @ along, whole.blend @ arm))
    mean, along, arm = cloth.mean(), cloth.blend @ along, cloth.blend @ arm
    base = cloth.blend @ person.vertices.astype(float)
    normal = body.normals(base, cloth.triangles).astype(float)
    edge = covered(cut, mean, along, arm)
    sleeve = np.clip((along - 0.10) / 0.35, 0, 1) * (arm > 0.3)
    ease = (cut.ease - 0.003 * np.clip(arm * 2, 0, 1) * (1 - sleeve)) + under + cut.loose * 0.011 * sleeve
    ease = (
        ease * np.clip(0.45 + edge / 0.05, 0, 1)
        if cut.waist is None
        else -0.004 + (ease + 0.004) * np.clip(edge / 0.2, 0, 1)
    )
    if cut.waist is not None:  # trouser legs hang straight
        ease = ease + cut.loose * 0.022 * np.clip((0.78 - mean[:, 1]) / 0.55, 0, 1)
    points = base + normal * ease[:, None]
    points = _drape(points, arm, cut.loose)
    around = neighbours(cloth.triangles, len(points))
    rim = np.zeros(len(points), bool)
    loops = borders(cloth.triangles)
    for loop in loops:
        rim[loop] = True
    hold = np.where(rim, 0, 0.55 * np.clip(edge / 0.03, 0.25, 1))[:, None]
    for _ in range(int(6 + 14 * cut.loose)):
        points = points + hold * (around @ points - points)
    amount = folded * (0.0035 + 0.0065 * cut.loose)
    points, lines = fold(points, normal, mean, along, arm, amount, cut.waist is not None, rng)
    depth = ((points - base) * normal).sum(1)
    least = 0.0035 + under if cut.waist is None else 0.0075 * np.clip(edge / 0.1, 0, 1) - 0.004
    points = points + normal * np.clip(least - depth, 0, 0.05)[:, None]
    for loop in loops:  # a clean edge
        for _ in range(6 if cut.sleeve >= 0.12 else 24):
            points[loop] = points[loop] / 2 + (np.roll(points[loop], 1, 0) + np.roll(points[loop], -1, 0)) / 4
    bone, weight = weights_of(cloth.blend)
    garment = Garment(
        part, points, mean, cloth.triangles, bone, weight, _chart(mean, along, arm), colour, texture,
        count=len(points), folds=lines,
    )  # fmt: skip
    return hemmed(garment, loops)


def _drape(points: Array, arm: Array, loose: float) -> Array:
    """Cloth of the trunk hangs from its widest places: radii below grow towards those above."""
    trunk = arm < 0.5
    centre = np.array([0, 0, points[trunk, 2].mean()])
    d = points - centre
    azimuth, radius = np.arctan2(d[:, 0], d[:, 2]), np.hypot(d[:, 0], d[:, 2])
    columns = np.round((azimuth + np.pi) / (2 * np.pi) * 40).astype(int) % 40
    low = points[:, 1].min()
    rows = ((points[:, 1] - low) / 0.02).astype(int)
    grid = np.zeros((rows.max() + 2, 40))
    np.maximum.at(grid, (rows[trunk], columns[trunk]), radius[trunk])
    grid = np.maximum(grid, np.maximum(np.roll(grid, 1, 1), np.roll(grid, -1, 1)) * 0.97)
    reach = np.maximum.accumulate(grid[::-1] * (np.arange(len(grid))[::-1] * 0.02 + low < 1.32)[:, None])[
        ::-1
    ]
    want = np.maximum(reach[rows, columns] * (1 - 0.02), radius)
    grown = radius + loose * 0.75 * np.clip(want - radius, 0, 0.06)
    scale = np.where(trunk, grown / np.maximum(radius, 1e-6), 1)
    return centre * [1, 0, 1] + np.stack([d[:, 0] * scale, points[:, 1], d[:, 2] * scale], 1)


def _chart(mean: Array, along: Array, arm: Array) -> Array:
    """uv in [0, 1] for patterns, one unit is ``SPAN``: the trunk wound around from the front to either side
    and on to the back, sleeves along the arm."""
    side = np.sign(mean[:, 0])
    bent = 0.17 * np.arcsin(np.clip(mean[:, 0] / 0.17, -0.97, 0.97))
    flat = np.stack([bent / SPAN + 0.5, mean[:, 1] / SPAN], 1)
    round_ = (mean[:, 2] - 0.02) * 0.8 + 0.17 * side
    sleeve = np.stack([round_ / SPAN + 0.5, (1.335 - along * 0.52) / SPAN], 1)
    t = np.clip(arm * 1.5 - 0.25, 0, 1)[:, None]
    return flat + (sleeve - flat) * t * t * (3 - 2 * t)


def hemmed(garment: Garment, loops: list[Numbers], thick: float = 0.003, turn: float = 0.014) -> Garment:
    """Give every border a visible thickness: a strip turned in and back under the cloth."""
    names = ("points", "rest", "uv", "bone", "weight")
    rows, triangles = {name: [getattr(garment, name)] for name in names}, [garment.triangles]
    normal = body.normals(garment.points, garment.triangles).astype(float)
    count = len(garment.points)
    inner = _inward(garment)
    for loop in loops:
        n = len(loop)
        first = garment.points[loop] - normal[loop] * thick
        rows["points"] += [first, first + inner[loop] * turn - normal[loop] * 0.001]
        for name in names[1:]:
            rows[name] += [getattr(garment, name)[loop]] * 2
        strip = np.stack([loop, np.arange(count, count + n), np.arange(count + n, count + 2 * n)])
        count += 2 * n
        a, d = strip[:-1], strip[1:]
        b, c = np.roll(a, -1, 1), np.roll(d, -1, 1)
        triangles += [np.stack([b, a, d], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    joined = {name: np.concatenate(row) for name, row in rows.items()}
    return replace(garment, triangles=np.concatenate(triangles), **joined)


def _inward(garment: Garment) -> Array:
    """Per vertex, the direction along the cloth away from its border (towards its neighbours' mean)."""
    around = neighbours(garment.triangles, len(garment.points))
    return unit(around @ garment.points - garment.points)
