"""Masses of hair: each is some locks that run together towards a point, with lines where the locks part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from wbme.people.mesh import Curve
from wbme.people.scalp import Array, Floats, unit

LOCKS = 8  # a mass has fewer; the number of a lock is LOCKS times that of its mass and its own


@dataclass(frozen=True, eq=False)
class Masses:
    """The frame in which locks lie: guides, across, normals M x S x 3 (root to tip), half widths M x S.

    lean: M, where across the mass (-1 to 1) the locks meet at the tip; gather: how near to it they come.
    """

    guides: Array
    across: Array
    normals: Array
    half: Array
    lean: Array
    gather: float
    bulge: float

    def at(self, offset: Array, s: Array, lift: ArrayLike = 0.0) -> tuple[Array, Array]:
        """Points M x L x S x 3 at ``offset`` across (M x L) and ``s`` along (M x L x S), both relative, and
        the normals of the rounded mass there; ``lift`` raises by a share of the half width."""
        rows, last = np.arange(len(self.guides))[:, None, None], self.guides.shape[1] - 1
        low = np.minimum((s * last).astype(int), last - 1)
        part = (s * last - low)[..., None]

        def mixed(values: Array) -> Array:
            return values[rows, low] * (1 - part) + values[rows, low + 1] * part

        late = np.clip((s - 0.35) / 0.65, 0, 1)
        drawn = (1 - self.gather) * late * late * (3 - 2 * late)
        x = offset[..., None] + (self.lean[:, None] - offset)[..., None] * drawn
        across, normal, half = mixed(self.across), mixed(self.normals), mixed(self.half[..., None])
        high = self.bulge * (1 - x[..., None] ** 2) + np.asarray(lift)
        points = mixed(self.guides) + half * (x[..., None] * across + high * normal)
        return points, unit(normal + 0.9 * self.bulge * 2 * x[..., None] * across)


def masses(
    guides: Array, normals: Array, width: ArrayLike, lean: Array, *, root: float, gather: float, bulge: float
) -> Masses:  # fmt: skip
    """Masses of ``width`` metres along guides M x S x 3 that swell from the share ``root`` of it."""
    tangent = unit(np.gradient(guides, axis=1))
    normals = unit(normals - (normals * tangent).sum(-1, keepdims=True) * tangent)
    s = np.linspace(0, 1, guides.shape[1])
    swell = root + (1 - root) * np.sin(np.minimum(s / 0.35, 1) * np.pi / 2)
    half = np.broadcast_to(width, len(guides))[:, None] / 2 * swell
    return Masses(guides, np.cross(tangent, normals), normals, half, lean, gather, bulge)


def places(count: int) -> Array:
    """Where across a mass the middles of its locks lie, -1 to 1."""
    return (np.arange(count) + 0.5) / count * 2 - 1


def reaches(lean: Array, count: int, ragged: float, rng: np.random.Generator) -> Array:
    """How far down its mass each lock runs, M x count: the one at ``lean`` to the end, others less."""
    away = np.abs(places(count) - lean[:, None]) / 2
    return 1 - ragged * np.clip(away * 1.3, 0, 1) ** 0.8 * rng.uniform(0.45, 1.1, away.shape)


def seams(body: Masses, reach: Array, share: float, rng: np.random.Generator) -> list[Curve]:
    """Lines between the locks of a mass, from its root or towards its tip; ``share`` of the possible ones."""
    masses_, count = reach.shape
    if count < 2:
        return []
    middle = np.broadcast_to((places(count)[1:] + places(count)[:-1]) / 2, (masses_, count - 1))
    chosen = rng.random(middle.shape) < share
    from_root = rng.random(middle.shape) < 0.45
    start = np.where(from_root, rng.uniform(0.02, 0.14, middle.shape), rng.uniform(0.38, 0.6, middle.shape))
    end = np.where(from_root, rng.uniform(0.4, 0.7, middle.shape), rng.uniform(0.9, 0.98, middle.shape))
    end = np.minimum(end, np.minimum(reach[:, 1:], reach[:, :-1]) * 0.97)
    along = np.linspace(0, 1, 16)
    s = start[..., None] + (end - start)[..., None] * along
    points, _ = body.at(middle, s, 0.12)
    weight = np.where(from_root, 0.75, 0.95) * rng.uniform(0.8, 1.1, middle.shape)
    curves = []
    for m, k in np.argwhere(chosen & (end - start > 0.12)):
        # Heavier where the locks part, thinning out to both ends.
        swell = np.sin(np.pi * np.clip(along, 0.02, 0.98) ** (0.75 if from_root[m, k] else 1.35)) ** 0.8
        curves.append(Curve("hair", _floats(points[m, k]), _floats(weight[m, k] * swell)))
    return curves


def _floats(values: Array) -> Floats:
    return np.asarray(values, np.float32)
