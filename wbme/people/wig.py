"""A wig while it is put together, and what many styles share: fringe, partings and tufts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from wbme.people import clumps, hair
from wbme.people.mesh import Curve, Mesh
from wbme.people.scalp import Array, Skull, hairline, unit


@dataclass
class Wig:
    """Hair while it is put together: ``add`` lofts one group of masses."""

    skull: Skull
    rng: np.random.Generator
    colour: Array
    meshes: list[Mesh] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    wave: float = 0.0  # metres of sideways waves
    curl: float = 0.0  # metres of corkscrew
    masses: int = 0  # so far

    def add(
        self, part: str, guides: Array, width: ArrayLike, *, locks: int = 3, lines: float = 0.5,
        gather: float = 0.3, ragged: float = 0.25, bulge: float = 0.3, root: float = 0.5,
        normal: Array | None = None, **shape: float,
    ) -> None:  # fmt: skip
        """Loft masses of ``locks`` locks each along ``guides`` M x S x 3; a share ``lines`` of the seams
        between locks gets a line. ``normal``: away from the head if not the skull's; the rest: ``clumps``."""
        count, samples, _ = guides.shape
        normal = hair.outward(self.skull, guides) if normal is None else normal
        if part != "hair fringe":
            guides = self._waved(guides, normal)
        lean = self.rng.uniform(-0.7, 0.7, count) if locks > 1 else np.zeros(count)
        body = clumps.masses(guides, normal, width, lean, root=root, gather=gather, bulge=bulge)
        reach = clumps.reaches(lean, locks, ragged, self.rng)
        offset = clumps.places(locks) + self.rng.normal(0, 0.2 / locks, reach.shape)
        own, away = body.at(offset, reach[..., None] * np.linspace(0, 1, samples))
        own, away = (x.reshape(-1, samples, 3) for x in (own, away))
        sizes = np.repeat(np.broadcast_to(width, count), locks) * (1.75 / locks if locks > 1 else 1.0)
        sizes = sizes * self.rng.uniform(0.85, 1.2, len(sizes))
        made = hair.loft(own, away, sizes, root=root, **shape)
        tone = self.rng.normal(1, 0.03, (count, 1)) + self.rng.normal(0, 0.03, (count, locks))
        number = clumps.LOCKS * (self.masses + 1 + np.arange(count)[:, None]) + np.arange(locks)
        self.masses += count
        each = samples * hair.SIDES
        self.meshes.append(
            hair.hair_mesh(
                part, made, self.colour, shade=np.repeat(tone.ravel(), each),
                clump=np.repeat(number.ravel(), each).astype(np.int32),
            )
        )  # fmt: skip
        self.curves += clumps.seams(body, reach, lines, self.rng)

    def _waved(self, guides: Array, normal: Array) -> Array:
        """``guides`` with the waves and curls of this wig."""
        if not (self.wave or self.curl):
            return guides
        count, samples, _ = guides.shape
        s = np.linspace(0, 1, samples)[None, :, None]
        across = unit(np.cross(np.gradient(guides, axis=1), normal))
        if self.wave:
            azimuth = np.arctan2(guides[:, :1, 0], guides[:, :1, 2])[..., None]
            phase = 15.0 * s + 2.5 * azimuth + self.rng.normal(0, 0.5, (count, 1, 1))
            sway = np.sin(phase) * across + 0.5 * np.cos(phase) * normal
            guides = guides + self.wave * np.clip(s * 2.2 - 0.35, 0, 1) * sway
        if self.curl:
            turn = s * self.rng.uniform(2.2, 3.2, (count, 1, 1)) + self.rng.random((count, 1, 1))
            turn = 2 * np.pi * turn * self.rng.choice([-1, 1], (count, 1, 1))
            coil = np.cos(turn) * across + (1 + np.sin(turn)) * normal
            guides = guides + self.curl * np.clip(s * 3 - 0.3, 0, 1) * coil
        return guides

    def cap(
        self, thickness: ArrayLike, receding: float = 0.0, smooth: float = 0.95, kind: str = "cap",
        **more: float,
    ) -> None:  # fmt: skip
        """Add the scalp's volume (see ``hair.cap``)."""
        made = hair.cap(self.skull, thickness, receding=receding, **more)
        self.meshes.append(hair.hair_mesh("hair cap", made, self.colour, kind=kind, smooth=smooth))

    def curtain(self, part: str, guides: Array) -> None:
        """A closed sheet through neighbouring guides (in order), so that nothing shines through."""
        count, samples, _ = guides.shape
        tangent = unit(np.gradient(guides, axis=1))
        uv = np.zeros((count, samples, 2))
        uv[..., 0], uv[..., 1] = np.linspace(0, 3, count)[:, None] % 1, np.linspace(0, 0.78, samples)
        normal = hair.outward(self.skull, guides)
        made = hair.pieces(guides, hair.grid_triangles(count, samples), uv, tangent, normal)
        dark = np.full(len(made.points), 0.82)
        self.meshes.append(hair.hair_mesh(part, made, self.colour, shade=dark, smooth=1.0))

    def spread(self, low: float, high: float, count: int, jitter: float = 0.25) -> Array:
        """``count`` values from low to high, evenly but for a jitter in steps."""
        step = (high - low) / max(count - 1, 1)
        return np.linspace(low, high, count) + self.rng.normal(0, jitter * abs(step), count)


def downhill(skull: Skull, azimuth: Array, elevation: Array, side: ArrayLike = 0.0) -> Array:
    """Unit directions on the scalp away from the crown, turned by ``side`` (towards greater azimuth)."""
    here, _ = skull.at(azimuth, elevation)
    lower, _ = skull.at(azimuth, elevation - 6)
    across, _ = skull.at(azimuth + 6 / np.maximum(np.cos(np.radians(elevation)), 0.2), elevation)
    return unit(unit(lower - here) + np.asarray(side)[..., None] * unit(across - here))


def add_fringe(wig: Wig, kind: str, volume: float = 0.0, raised: float = 0.0) -> None:
    """Bangs: full, wispy, swept (to one side) or curtain (to both), ``raised`` metres higher than usual.

    A few masses of very unequal width, each with a point of its own, over a shorter layer in the gaps.
    """
    skull, rng = wig.skull, wig.rng
    brow, eye = skull.levels["brow"] + raised, skull.levels["eye"]
    sign = float(rng.choice([-1, 1]))
    count = {"full": 4, "wispy": 4, "swept": 3, "curtain": 4}[kind]
    share = rng.permutation(np.linspace(0.5, 1.7, count)) * rng.uniform(0.9, 1.1, count)
    limits = -46 + 92 * np.concatenate([[0], np.cumsum(share)]) / share.sum()
    for layer in (0, 1):
        a, wide = (limits[1:] + limits[:-1]) / 2, np.diff(limits)
        if layer == 0:  # under the gaps
            a, wide = limits, np.full(count + 1, 92 / count)
        start = 0.7 * a
        if kind == "curtain":
            lean, end = np.sign(a) * (26 - np.abs(a) / 3), eye - 0.022 - 0.02 * np.abs(a) / 46
        elif kind == "swept":
            lean, end = np.full(len(a), 24.0 * sign), brow - 0.004 - 0.03 * sign * a / 46
            start, a = 0.25 * a - 14 * sign, 0.66 * a - 7 * sign  # from the parting on the other side
        else:
            lean, end = 7.0 * sign - a / 12, brow - 0.008 - 0.010 * (np.abs(a) / 46) ** 2
        drop = rng.uniform(-0.012, 0.018, len(a)) if layer else 0.008 + 0.010 * rng.random(len(a))
        guides = hair.drape(
            skull, (start - 0.4 * lean, np.full(len(a), 74.0 + 3 * layer)), (a + 0.5 * lean, hairline(a) + 6),
            height=0.007 + 0.005 * layer + 0.7 * volume, beyond=0.12, stiffness=0.9,
            gravity=0.14,
            face=0.056 if kind == "curtain" else 0.0, steps=30,
        )  # fmt: skip
        guides = hair.cut(guides, hair.spare_eyes(skull, guides, end + drop), 22)
        if kind != "curtain":
            bend = rng.uniform(0.006, 0.014, (len(a), 1))
            guides[..., 0] += np.linspace(0, 1, 22) ** 3 * sign * bend
        thin = {"full": 1.2, "wispy": 0.6, "swept": 0.95, "curtain": 1.3}[kind] * (0.8 + 0.2 * layer)
        if kind == "swept":
            thin = thin * (1 - 0.4 * sign * a / 46)
        # Each mass runs to one point, its outer locks end before it on its sides.
        wig.add(
            "hair fringe", guides, thin * np.radians(wide) * 0.095, locks=1 + layer, gather=0.12,
            ragged=0.5, tip=(0.8, 0.66)[layer], thick=0.2, root=0.4, bulge=0.2, lines=0.5,
        )  # fmt: skip
