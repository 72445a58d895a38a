"""A wig while it is put together, and what many styles share: fringe, partings and tufts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from wbme.people import hair
from wbme.people.mesh import Curve, Mesh
from wbme.people.scalp import Array, Skull, hairline, unit


@dataclass
class Wig:
    """Hair while it is put together: ``add`` lofts one group of clumps."""

    skull: Skull
    rng: np.random.Generator
    colour: Array
    meshes: list[Mesh] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    wave: float = 0.0  # metres of sideways waves
    curl: float = 0.0  # metres of corkscrew

    def add(self, part: str, guides: Array, width: ArrayLike, *, lines: float = 0.4, **shape: float) -> None:
        """Loft ``guides`` to a mesh; a share ``lines`` of the clumps gets a line along its border."""
        count, samples, _ = guides.shape
        normal = hair.outward(self.skull, guides)
        s = np.linspace(0, 1, samples)[None, :, None]
        across = unit(np.cross(np.gradient(guides, axis=1), normal))
        straight = part == "hair fringe"
        if self.wave and not straight:
            azimuth = np.arctan2(guides[:, :1, 0], guides[:, :1, 2])[..., None]
            phase = 16.0 * s + 2.5 * azimuth
            sway = (
                np.sin(phase + self.rng.normal(0, 0.35, (count, 1, 1))) * across
                + 0.5 * np.cos(phase) * normal
            )
            guides = guides + self.wave * np.clip(s * 2.2 - 0.35, 0, 1) * sway
        if self.curl and not straight:
            turn = s * self.rng.uniform(2.0, 3.2, (count, 1, 1)) + self.rng.random((count, 1, 1))
            turn = 2 * np.pi * turn * self.rng.choice([-1, 1], (count, 1, 1))
            coil = np.cos(turn) * across + (1 + np.sin(turn)) * normal
            guides = guides + self.curl * np.clip(s * 4, 0, 1) * coil
        tone = np.repeat(self.rng.normal(1, 0.05, count), samples * hair.SIDES)
        made = hair.loft(guides, normal, width, **shape)
        self.meshes.append(hair.hair_mesh(part, made, self.colour, shade=tone))
        half = np.broadcast_to(np.asarray(width, float), count)[:, None, None] / 2
        border = guides + (0.62 * across + 0.35 * normal) * half * np.sin(np.pi * s**0.7) ** 0.6
        for i in np.flatnonzero(self.rng.random(count) < lines):
            a, b = sorted(self.rng.uniform([0.05, 0.6], [0.35, 0.98]))
            part_of = border[i, int(a * samples) : max(int(b * samples), int(a * samples) + 4)]
            taper = np.sin(np.linspace(0.05, np.pi - 0.05, len(part_of))) ** 0.7
            self.curves.append(Curve("hair", part_of.astype(np.float32), (0.75 * taper).astype(np.float32)))

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

    They fall in a few strands of unequal width, each of some clumps that run together to a point.
    """
    skull, rng = wig.skull, wig.rng
    brow, eye = skull.levels["brow"] + raised, skull.levels["eye"]
    sign = float(rng.choice([-1, 1]))
    strands = {"full": 6, "wispy": 5, "swept": 5, "curtain": 6}[kind]
    limits = np.cumsum(np.concatenate([[0], rng.uniform(0.5, 1.5, strands)]))
    limits = -47 + 94 * limits / limits[-1]
    middle, half = (limits[1:] + limits[:-1]) / 2, np.diff(limits) / 2
    drop = rng.normal(0, 0.007, strands)
    bend = np.linspace(0, 1, 16)[None] ** 2 * sign * float(rng.uniform(0.004, 0.012))
    thin = {"full": 1.0, "wispy": 0.65, "swept": 1.0, "curtain": 1.0}[kind]
    for layer in (0, 1):  # a closed broad layer, then longer and finer locks over it
        count = round((17 if layer == 0 else 14) * (0.7 if kind == "wispy" else 1.0))
        a = wig.spread(-42, 42, count, 0.3 + 0.3 * layer)
        own = np.clip(np.searchsorted(limits, a) - 1, 0, strands - 1)
        off = (a - middle[own]) / half[own]  # -1 to 1 across the strand
        e = hairline(a) + 20 + 5 * layer + rng.normal(0, 1.5, count)
        roots, normal = skull.at(a, e)
        gather = -(0.15 + 0.15 * layer) * off * half[own] / 9
        if kind == "curtain":
            side, end = np.sign(a) * (2.4 - np.abs(a) / 40), np.full(count, eye - 0.03)
        elif kind == "swept":
            side, end = sign * 0.85 + gather, brow - 0.003 - 0.012 * sign * a / 46 + drop[own]
        else:
            side = -a / 130 + sign * 0.30 + gather
            end = brow + 0.003 - 0.008 * (np.abs(a) / 46) ** 2 + drop[own]
        end = end + (0.010 - 0.016 * layer * rng.random(count)) + 0.006 * np.abs(off) ** 1.5
        heading = downhill(skull, a, e, side) + normal * 0.35
        guides = hair.grow(
            skull, roots - normal * 0.004, heading, length=0.15, height=0.009 + 0.004 * layer + 0.6 * volume,
            stiffness=0.88, gravity=0.12 if kind in ("curtain", "swept") else 0.15,
            face=0.056 if kind == "curtain" else 0.0,
        )  # fmt: skip
        locks = hair.cut(guides, hair.spare_eyes(skull, guides, end), 16)
        locks[..., 0] += bend if kind != "curtain" else 0
        sizes = thin * (0.030 if layer == 0 else 0.017) * np.exp(rng.normal(0, 0.35, count)).clip(0.55, 1.7)
        wig.add("hair fringe", locks, sizes, tip=(0.55, 0.2)[layer], thick=0.2, lines=0.3, root=0.15)
